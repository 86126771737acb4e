// Kernels for AVX-512 BW and images of 0 .. 127: unsigned by signed bytes (VPMADDUBSW), pairs of products in 16 bits.
//
// Why it is exact: a pair is at most 2 * 127 * 128 = 32512 away from zero, so that the instruction never saturates. Of
// several steps, sums stay in 16 bits when in every lane the positive weights add up to at most 258 and the negative
// ones to at least -258 (258 * 127 = 32766): no partial sum can then leave 16 bits, whatever the image holds. Packing
// finds out how many steps that allows, and sums are widened to 32 bits after as many.
#include "fast/pack.h"
#include "fast/variants.h"

#include <immintrin.h>
#include <string.h>

enum {
	BLOCK = 16,     // slots of a register of 32-bit sums
	STEP = 4,       // values of each slot in a register of weights
	HEAD = 64,      // bytes before the weights: how many steps stay in 16 bits
	MOST_STEPS = 8, // that are added up in 16 bits
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

// Steps that are added up in 16 bits before they go to the 32-bit sums.
static inline __attribute__((always_inline)) void group(__m512i sum[4][2], const int8_t *from,
                                                        size_t pixel_stride, const int8_t *weights,
                                                        size_t block_stride, const uint32_t pixels,
                                                        const uint32_t blocks, const uint32_t steps)
{
	const __m512i ones = _mm512_set1_epi16(1);
	__m512i narrow[4][2];
	for (uint32_t step = 0; step < steps; step++) {
		__m512i weight[2];
		for (uint32_t b = 0; b < blocks; b++)
			weight[b] = _mm512_loadu_si512((weights + b * block_stride + step * (BLOCK * STEP)));
		for (uint32_t p = 0; p < pixels; p++) {
			int32_t four;
			memcpy(&four, from + p * pixel_stride + step * STEP, sizeof four);
			const __m512i value = _mm512_set1_epi32(four);
			for (uint32_t b = 0; b < blocks; b++) {
				const __m512i product = _mm512_maddubs_epi16(value, weight[b]);
				narrow[p][b] = step == 0 ? product : _mm512_add_epi16(narrow[p][b], product);
			}
		}
	}
	for (uint32_t p = 0; p < pixels; p++)
		for (uint32_t b = 0; b < blocks; b++)
			sum[p][b] = _mm512_add_epi32(sum[p][b], _mm512_madd_epi16(narrow[p][b], ones));
}

static inline __attribute__((always_inline)) void tile(const struct fast_conv *conv, uint32_t pixel,
                                                       uint32_t block, const uint32_t pixels,
                                                       const uint32_t blocks, const uint32_t steps)
{
	const size_t block_stride = (size_t)conv->rows * conv->run * BLOCK;
	const int8_t *image = (const int8_t *)conv->image + pixel * conv->pixel_stride;
	const int8_t *weights = (const int8_t *)conv->weights + HEAD + block * block_stride;
	__m512i sum[4][2];
	for (uint32_t p = 0; p < pixels; p++)
		for (uint32_t b = 0; b < blocks; b++)
			sum[p][b] = _mm512_setzero_si512();
	for (uint32_t r = 0; r < conv->rows; r++) {
		const int8_t *from = image + r * conv->row_stride;
		uint32_t k = 0;
		for (; k + steps * STEP <= conv->run; k += steps * STEP) {
			group(sum, from + k, conv->pixel_stride, weights, block_stride, pixels, blocks, steps);
			weights += (size_t)steps * BLOCK * STEP;
		}
		for (; k < conv->run; k += STEP) {
			group(sum, from + k, conv->pixel_stride, weights, block_stride, pixels, blocks, 1);
			weights += BLOCK * STEP;
		}
	}
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t b = 0; b < blocks; b++) {
			int32_t *to = conv->sums + ((size_t)(pixel + p) * conv->blocks + block + b) * BLOCK;
			_mm512_storeu_si512(to, sum[p][b]);
		}
	}
}

#define GROUP_TILES(pixels, steps)                                                                           \
	static void tiles_##pixels##_##steps(const struct fast_conv *conv, uint32_t pixel)                       \
	{                                                                                                        \
		uint32_t block = 0;                                                                                  \
		for (; block + 2 <= conv->blocks; block += 2)                                                        \
			tile(conv, pixel, block, pixels, 2, steps);                                                      \
		if (block < conv->blocks)                                                                            \
			tile(conv, pixel, block, pixels, 1, steps);                                                      \
	}

#define GROUPS(steps)                                                                                        \
	GROUP_TILES(2, steps)                                                                                    \
	GROUP_TILES(1, steps)                                                                                    \
	static void conv_##steps(const struct fast_conv *conv)                                                   \
	{                                                                                                        \
		uint32_t pixel = 0;                                                                                  \
		for (; pixel + 2 <= conv->pixels; pixel += 2)                                                        \
			tiles_2_##steps(conv, pixel);                                                                    \
		if (pixel < conv->pixels)                                                                            \
			tiles_1_##steps(conv, pixel);                                                                    \
	}

// One step needs no 16-bit sums: their registers serve twice the pixels.
GROUP_TILES(4, 1)
GROUPS(2)
GROUPS(4)
GROUPS(8)
GROUP_TILES(1, 1)

static void conv_1(const struct fast_conv *conv)
{
	uint32_t pixel = 0;
	for (; pixel + 4 <= conv->pixels; pixel += 4)
		tiles_4_1(conv, pixel);
	for (; pixel < conv->pixels; pixel++)
		tiles_1_1(conv, pixel);
}

static void conv(const struct fast_conv *conv)
{
	uint32_t steps;
	memcpy(&steps, conv->weights, sizeof steps);
	switch (steps) {
	case 8:
		conv_8(conv);
		break;
	case 4:
		conv_4(conv);
		break;
	case 2:
		conv_2(conv);
		break;
	default:
		conv_1(conv);
		break;
	}
}

const struct fast_kernel fast_kernel_avx512bw_bytes = {
	.name = "avx512bw bytes",
	.slot_block = BLOCK,
	.packed_size = packed_size,
	.pack = pack,
	.conv = conv,
};
