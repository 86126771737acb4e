// How weights of bytes are packed, for variants whose instructions take several values of a slot at a time.
#ifndef AI8X_FAST_PACK_H
#define AI8X_FAST_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Sums of 16 bits hold what a lane adds up of images of 0 .. 127 when its positive weights add up to at most 258, and
// its negative ones to at least -258: 258 * 127 = 32766.
#define FAST_PACK_BOUND 258

// [block][value / step][slot][value % step]: `block` slots side by side, `step` values of each.
static inline void fast_pack(const int8_t *weights, uint32_t slots, size_t depth, uint32_t block,
                             uint32_t step, int8_t *to)
{
	for (uint32_t s = 0; s < slots; s++) {
		int8_t *slot = to + (size_t)(s / block) * block * depth + (size_t)(s % block) * step;
		for (size_t k = 0; k < depth; k += step)
			memcpy(slot + k * block, weights + s * depth + k, step);
	}
}

// Whether all groups of `steps` steps of four values stay in bounds; lanes take values 0, 1 and 2, 3 of each step.
static inline bool fast_pack_fits(const int8_t *row, uint32_t run, uint32_t steps)
{
	for (uint32_t first = 0; first < run; first += steps * 4) {
		int32_t most[2] = {0, 0}, least[2] = {0, 0};
		for (uint32_t k = first; k < run && k < first + steps * 4; k++) {
			const uint32_t lane = k / 2 % 2;
			most[lane] += row[k] > 0 ? row[k] : 0;
			least[lane] += row[k] < 0 ? row[k] : 0;
		}
		for (uint32_t lane = 0; lane < 2; lane++)
			if (most[lane] > FAST_PACK_BOUND || least[lane] < -FAST_PACK_BOUND)
				return false;
	}
	return true;
}

// How many steps, `most` or a half, a quarter ... of it, may be added up in 16 bits in every row of every slot.
static inline uint32_t fast_pack_steps(const int8_t *weights, size_t count, uint32_t run, uint32_t most)
{
	uint32_t steps = most;
	for (size_t row = 0; row < count; row++)
		while (steps > 1 && !fast_pack_fits(weights + row * run, run, steps))
			steps /= 2;
	return steps;
}

#endif
