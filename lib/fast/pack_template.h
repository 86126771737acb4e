// packed_size() and pack() of the variants that multiply bytes and know nothing about their weights.
// The including file defines BLOCK, the slots of a block, and STEP, the values of a slot that are multiplied together.
#include "fast/pack.h"

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return (size_t)blocks * BLOCK * rows * run;
}

// [block][value / STEP][slot][value % STEP]
static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
                 void *packed)
{
	memset(packed, 0, packed_size(blocks, rows, run));
	fast_pack(weights, slots, (size_t)rows * run, BLOCK, STEP, packed);
}
