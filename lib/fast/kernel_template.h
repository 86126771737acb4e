// What every variant compiles with its own instruction set: loops that the compiler vectorises.
// The including file defines KERNEL(name) to make names its own, KERNEL_HAS_FINISH where it brings its own
// output stage, and KERNEL_INTERLEAVE_4, KERNEL_SPREAD_4 and so on where it can transpose four words, or eight.

#ifndef KERNEL_HAS_FINISH
static void KERNEL(finish)(const struct fast_output *output)
{
	const int32_t right = output->right;
	const int32_t half = right > 0 ? (int32_t)1 << (right - 1) : 0;
	for (uint32_t p = 0; p < output->pixels; p++) {
		const int32_t *restrict sums = output->sums + p * output->stride;
		const int32_t *restrict offset = output->offset;
		int8_t *restrict results = output->results + p * output->stride;
		const size_t count = output->stride;
		if (right > 0) {
			for (size_t s = 0; s < count; s++) {
				int32_t value = (sums[s] + offset[s] + half) >> right;
				value = value < -128 ? -128 : value;
				value = value > 127 ? 127 : value;
				results[s] = (int8_t)value;
			}
		} else {
			// What a left shift could push out of 32 bits saturates anyway.
			for (size_t s = 0; s < count; s++) {
				int32_t value = sums[s] + offset[s];
				value = value < -256 ? -256 : value;
				value = value > 256 ? 256 : value;
				value *= (int32_t)1 << -right;
				value = value < -128 ? -128 : value;
				value = value > 127 ? 127 : value;
				results[s] = (int8_t)value;
			}
		}
		if (output->absolute) {
			for (size_t s = 0; s < count; s++) {
				int32_t value = results[s] < 0 ? -results[s] : results[s];
				results[s] = (int8_t)(value > 127 ? 127 : value);
			}
		} else if (output->low == 0) {
			for (size_t s = 0; s < count; s++)
				results[s] = results[s] < 0 ? 0 : results[s];
		}
	}
}
#endif

static void KERNEL(interleave)(const struct fast_interleave *interleave)
{
	const uint32_t sources = interleave->sources;
	uint32_t first = 0;
	if (sources == 1) {
		const uint32_t *restrict from = interleave->word[0];
		for (uint32_t w = 0; w < interleave->count; w++) {
			const uint32_t value = from[w] ^ interleave->flip;
			memcpy(interleave->to + 4 * (size_t)w, &value, sizeof value);
		}
		return;
	}
#ifdef KERNEL_INTERLEAVE_8
	for (; first + 8 <= sources; first += 8)
		KERNEL_INTERLEAVE_8(interleave, first);
#endif
#ifdef KERNEL_INTERLEAVE_4
	// Four sources at a time where the instruction set has a way to transpose them.
	for (; first + 4 <= sources; first += 4)
		KERNEL_INTERLEAVE_4(interleave, first);
#endif
	for (uint32_t w = 0; w < interleave->count; w++) {
		int8_t *to = interleave->to + 4 * (size_t)w * sources;
		for (uint32_t k = first; k < sources; k++) {
			const uint32_t value = interleave->word[k][w] ^ interleave->flip;
			memcpy(to + 4 * k, &value, sizeof value);
		}
	}
}

static void KERNEL(spread)(const struct fast_spread *spread)
{
	uint32_t first = 0;
#ifdef KERNEL_SPREAD_8
	for (; first + 8 <= spread->targets; first += 8)
		KERNEL_SPREAD_8(spread, first);
#endif
#ifdef KERNEL_SPREAD_4
	for (; first < spread->targets; first += 4)
		KERNEL_SPREAD_4(spread, first, spread->targets - first < 4 ? spread->targets - first : 4);
#endif
	for (uint32_t k = first; k < spread->targets; k++) {
		const int8_t *from = spread->results + 4 * (size_t)k;
		for (uint32_t p = 0; p < spread->pixels; p++) {
			uint32_t value;
			memcpy(&value, from + p * spread->stride, sizeof value);
			spread->to[k][p] = value & spread->keep[k];
		}
	}
}

// Channels of a depth-wise layer whose sums are computed together.
#define DEPTHWISE_BLOCK 16

static void KERNEL(depthwise)(const int8_t *const *window, const int16_t *weights, uint32_t taps,
                              uint32_t channels, int32_t *sums)
{
	uint32_t first = 0;
	// Sums of a block of channels stay in registers over all taps.
	for (; first + DEPTHWISE_BLOCK <= channels; first += DEPTHWISE_BLOCK) {
		int32_t sum[DEPTHWISE_BLOCK] = {0};
		for (uint32_t t = 0; t < taps; t++) {
			const int8_t *restrict pixel = window[t] + first;
			const int16_t *restrict weight = weights + (size_t)t * channels + first;
			// A product of two bytes fits into 16 bits, where multiplying is cheapest.
			for (uint32_t c = 0; c < DEPTHWISE_BLOCK; c++)
				sum[c] += (int16_t)(pixel[c] * weight[c]);
		}
		memcpy(sums + first, sum, sizeof sum);
	}
	for (uint32_t c = first; c < channels; c++) {
		int32_t sum = 0;
		for (uint32_t t = 0; t < taps; t++)
			sum += (int32_t)window[t][c] * weights[(size_t)t * channels + c];
		sums[c] = sum;
	}
}

#include "fast/pool_template.h"

// The functions of a variant's table: those from here, and packed_size(), pack() and conv() of the including file.
#define KERNEL_FUNCTIONS                                                                                     \
	.packed_size = packed_size, .pack = pack, .conv = conv, .finish = KERNEL(finish),                        \
	.interleave = KERNEL(interleave), .spread = KERNEL(spread), .pool = KERNEL(pool),                        \
	.depthwise = KERNEL(depthwise)
