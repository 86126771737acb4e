// Seeded random choices for the generator. SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", 2014): the same numbers on every machine.
#ifndef AI8X_DIFFERENTIAL_DRAW_H
#define AI8X_DIFFERENTIAL_DRAW_H

#include <stdbool.h>
#include <stdint.h>

struct draw {
	uint64_t state;
};

static inline uint64_t draw_bits(struct draw *draw)
{
	draw->state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = draw->state;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

// A generator of its own for every trial.
static inline struct draw draw_seed(uint64_t number, uint64_t attempt, uint64_t what)
{
	struct draw draw = {number * UINT64_C(0xd1342543de82ef95) + 1};
	draw.state ^= draw_bits(&draw) + attempt * UINT64_C(0x2545f4914f6cdd1d);
	draw.state ^= draw_bits(&draw) + what * UINT64_C(0x9e6c63d0876a9a47);
	return draw;
}

// From least to most, all equally likely.
static inline uint32_t draw_between(struct draw *draw, uint32_t least, uint32_t most)
{
	return least + (uint32_t)((draw_bits(draw) >> 32) * ((uint64_t)most - least + 1) >> 32);
}

static inline bool draw_chance(struct draw *draw, uint32_t percent)
{
	return draw_between(draw, 0, 99) < percent;
}

// From least to most; every doubling equally likely.
static inline uint32_t draw_size(struct draw *draw, uint32_t least, uint32_t most)
{
	uint32_t top = least;
	uint32_t octaves = 0;
	while (top < most && octaves < 31) {
		top = 2 * top > most ? most : 2 * top;
		octaves++;
	}
	uint32_t low = least;
	for (uint32_t steps = octaves == 0 ? 0 : draw_between(draw, 0, octaves - 1); steps > 0; steps--)
		low *= 2;
	uint32_t high = 2 * low > most ? most : 2 * low;
	return draw_between(draw, low, high);
}

// Index into a table of weights.
static inline unsigned draw_weighted(struct draw *draw, const uint8_t *weights, unsigned count)
{
	uint32_t sum = 0;
	for (unsigned i = 0; i < count; i++)
		sum += weights[i];
	uint32_t at = draw_between(draw, 0, sum - 1);
	unsigned i = 0;
	while (at >= weights[i])
		at -= weights[i++];
	return i;
}

#endif
