// Kernels for images of 0 .. 127: unsigned by signed bytes (VPMADDUBSW), pairs of products in 16 bits.
//
// Why it is exact: a pair is at most 2 * 127 * 128 = 32512 away from zero, so that the instruction never saturates. Of
// several steps, sums stay in 16 bits when in every lane the positive weights add up to at most 258 and the negative
// ones to at least -258 (258 * 127 = 32766): no partial sum can then leave 16 bits, whatever the image holds. Packing
// finds out how many steps that allows, and sums are widened to 32 bits after as many.
//
// The including file defines REGISTER, the type of a register, BLOCK, its 32-bit sums, what is done with registers (ZERO,
// LOAD, STORE, EACH_16, EACH_32, ADD_16, ADD_32, PRODUCTS, PAIRS), MOST_STEPS, the steps that are added up in 16 bits at
// the most, and TILES(DO), which lists DO(steps, most, single) for each count of steps: tiles of `most` pixels by two
// blocks or `single` by one. It gets packed_size(), pack() and conv().
#define VALUE int8_t
#include "fast/column_template.h"
#include "fast/pack.h"
#include "fast/variants.h"

#include <immintrin.h>
#include <string.h>

enum {
	STEP = 4,        // values of each slot in a register of weights
	HEAD = 64,       // bytes before the weights: how many steps stay in 16 bits
	MOST_PIXELS = 8, // of a tile
	MOST_BLOCKS = 2,
};

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return HEAD + (size_t)blocks * BLOCK * rows * run;
}

// [block][value / 4][slot][value % 4], after the head.
static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
                 void *packed)
{
	const uint32_t steps = fast_pack_steps(weights, (size_t)slots * rows, run, MOST_STEPS);
	memset(packed, 0, packed_size(blocks, rows, run));
	fast_pack(weights, slots, (size_t)rows * run, BLOCK, STEP, (int8_t *)packed + HEAD);
	memcpy(packed, &steps, sizeof steps);
}

// Keeps a sum in its register: compilers like to take steps together, whose sums then do not fit registers.
#define HOLD(sum) __asm__("" : "+v"(sum))

// Steps that are added up in 16 bits before they go to the 32-bit sums.
static inline __attribute__((always_inline)) void group(REGISTER sum[MOST_PIXELS][MOST_BLOCKS],
                                                        const int8_t *const from[MOST_PIXELS], size_t k,
                                                        const int8_t *weights, size_t block_stride,
                                                        const uint32_t pixels, const uint32_t blocks,
                                                        const uint32_t steps)
{
	const REGISTER ones = EACH_16(1);
	REGISTER narrow[MOST_PIXELS][MOST_BLOCKS];
	for (uint32_t step = 0; step < steps; step++) {
		REGISTER weight[MOST_BLOCKS];
		for (uint32_t b = 0; b < blocks; b++)
			weight[b] = LOAD(weights + b * block_stride + step * (BLOCK * STEP));
		for (uint32_t p = 0; p < pixels; p++) {
			int32_t four;
			memcpy(&four, from[p] + k + (size_t)step * STEP, sizeof four);
			const REGISTER value = EACH_32(four);
			for (uint32_t b = 0; b < blocks; b++) {
				const REGISTER product = PRODUCTS(value, weight[b]);
				narrow[p][b] = step == 0 ? product : ADD_16(narrow[p][b], product);
				HOLD(narrow[p][b]);
			}
		}
	}
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t b = 0; b < blocks; b++) {
			sum[p][b] = ADD_32(sum[p][b], PAIRS(narrow[p][b], ones));
			HOLD(sum[p][b]);
		}
	}
}

static inline __attribute__((always_inline)) void tile(struct column *column, const uint32_t pixels,
                                                       const uint32_t blocks, const uint32_t steps)
{
	const int8_t *row = column->image, *weights = column->weights;
	REGISTER sum[MOST_PIXELS][MOST_BLOCKS];
	for (uint32_t p = 0; p < pixels; p++)
		for (uint32_t b = 0; b < blocks; b++)
			sum[p][b] = ZERO;
	for (size_t r = column->rows; r > 0; r--) {
		const int8_t *from[MOST_PIXELS];
		for (uint32_t p = 0; p < pixels; p++)
			from[p] = row + p * column->pixel_stride;
		size_t k = 0;
		for (; k + steps * STEP <= column->run; k += steps * STEP) {
			group(sum, from, k, weights, column->block_stride, pixels, blocks, steps);
			weights += (size_t)steps * BLOCK * STEP;
		}
		for (; steps > 1 && k < column->run; k += STEP) {
			group(sum, from, k, weights, column->block_stride, pixels, blocks, 1);
			weights += BLOCK * STEP;
		}
		row += column->row_stride;
	}
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t b = 0; b < blocks; b++)
			STORE(column->to + (size_t)b * BLOCK, sum[p][b]);
		column->to += column->stride;
	}
	column_next(column, pixels);
}

// All pixels under the same blocks, one block or two, `most` at a time: their weights stay in the first cache.
#define COLUMN(blocks, steps, most)                                                                          \
	static void column_##blocks##_##steps(const struct fast_conv *conv, uint32_t block)                      \
	{                                                                                                        \
		struct column column = column_of(conv, (const int8_t *)conv->weights + HEAD, block);                 \
		while (column.left >= (most))                                                                        \
			tile(&column, most, blocks, steps);                                                              \
		while (column.left >= 2)                                                                             \
			tile(&column, 2, blocks, steps);                                                                 \
		if (column.left > 0)                                                                                 \
			tile(&column, 1, blocks, steps);                                                                 \
	}

#define CONV(steps, most, single)                                                                            \
	COLUMN(2, steps, most)                                                                                   \
	COLUMN(1, steps, single)                                                                                 \
	static void conv_##steps(const struct fast_conv *conv)                                                   \
	{                                                                                                        \
		uint32_t block = 0;                                                                                  \
		for (; block + 2 <= conv->blocks; block += 2)                                                        \
			column_2_##steps(conv, block);                                                                   \
		if (block < conv->blocks)                                                                            \
			column_1_##steps(conv, block);                                                                   \
	}

TILES(CONV)

#define CHOOSE(steps, most, single)                                                                          \
	case steps:                                                                                              \
		conv_##steps(conv);                                                                                  \
		break;

static void conv(const struct fast_conv *conv)
{
	uint32_t steps;
	memcpy(&steps, conv->weights, sizeof steps);
	switch (steps) {
		TILES(CHOOSE)
	default: // packing writes no other
		break;
	}
}
