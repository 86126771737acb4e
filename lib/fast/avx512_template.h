// What the kernels for AVX-512 share: interleaving, the output stage, and tiles of sums that stay in registers.
// The including file defines KERNEL(name), VALUE, the type of an image value (one or two bytes), and
// MULTIPLY_ADD(sum, value, weight), which multiplies the values in each 32 bits and adds all products there to a sum.
// It includes this file before kernel_template.h.
#include <immintrin.h>
#include <string.h>

#define KERNEL_HAS_FINISH
#define KERNEL_INTERLEAVE_4 interleave_4

#include "fast/transpose_template.h"

// Slots of a register of sums, and values of each slot in a register of weights.
#define BLOCK 16
#define STEP (4 / sizeof(VALUE))

// Mask of the first `count` of sixteen lanes.
static inline __mmask16 first_lanes(size_t count)
{
	return (__mmask16)(count >= BLOCK ? 0xffffu : (1u << count) - 1u);
}

// 16 words of each of four sources: a transposition of 4 x 4 words in each quarter of the registers.
static void interleave_4(const struct fast_interleave *interleave, uint32_t first)
{
	const size_t step = 4 * (size_t)interleave->sources;
	const __m512i flip = _mm512_set1_epi32((int)interleave->flip);
	for (uint32_t w = 0; w < interleave->count; w += 16) {
		const uint32_t left = interleave->count - w;
		const __mmask16 mask = first_lanes(left);
		__m512i row[4], pair[4], quad[4];
		for (uint32_t k = 0; k < 4; k++)
			row[k] = _mm512_xor_si512(_mm512_maskz_loadu_epi32(mask, interleave->word[first + k] + w), flip);
		pair[0] = _mm512_unpacklo_epi32(row[0], row[1]);
		pair[1] = _mm512_unpackhi_epi32(row[0], row[1]);
		pair[2] = _mm512_unpacklo_epi32(row[2], row[3]);
		pair[3] = _mm512_unpackhi_epi32(row[2], row[3]);
		quad[0] = _mm512_unpacklo_epi64(pair[0], pair[2]);
		quad[1] = _mm512_unpackhi_epi64(pair[0], pair[2]);
		quad[2] = _mm512_unpacklo_epi64(pair[1], pair[3]);
		quad[3] = _mm512_unpackhi_epi64(pair[1], pair[3]);
		// quad[j] holds words w + j, w + 4 + j, w + 8 + j, w + 12 + j.
		for (uint32_t j = 0; j < 4; j++) {
			int8_t *to = interleave->to + (w + j) * step + 4 * (size_t)first;
			const __m128i part[4] = {
				_mm512_extracti32x4_epi32(quad[j], 0),
				_mm512_extracti32x4_epi32(quad[j], 1),
				_mm512_extracti32x4_epi32(quad[j], 2),
				_mm512_extracti32x4_epi32(quad[j], 3),
			};
			for (uint32_t quarter = 0; quarter < 4 && 4 * quarter + j < left; quarter++)
				_mm_storeu_si128((__m128i *)(void *)(to + 4 * quarter * step), part[quarter]);
		}
	}
}

// The narrowing move saturates to eight bits.
static void KERNEL(finish)(const struct fast_output *output)
{
	const __m512i half = _mm512_set1_epi32(output->right > 0 ? 1 << (output->right - 1) : 0);
	const __m128i right = _mm_cvtsi32_si128(output->right > 0 ? output->right : 0);
	const __m128i left = _mm_cvtsi32_si128(output->right > 0 ? 0 : -output->right);
	const __m512i most = _mm512_set1_epi32(256), least = _mm512_set1_epi32(-256);
	const __m128i low = _mm_set1_epi8((char)output->low);
	for (size_t s = 0; s < output->stride; s += 16) {
		const __mmask16 mask = first_lanes(output->stride - s);
		const __m512i offset = _mm512_add_epi32(_mm512_maskz_loadu_epi32(mask, output->offset + s), half);
		for (uint32_t p = 0; p < output->pixels; p++) {
			const size_t at = p * output->stride + s;
			__m512i sum = _mm512_add_epi32(_mm512_maskz_loadu_epi32(mask, output->sums + at), offset);
			if (output->right > 0) {
				sum = _mm512_sra_epi32(sum, right);
			} else {
				// What a left shift could push out of 32 bits saturates anyway.
				sum = _mm512_min_epi32(_mm512_max_epi32(sum, least), most);
				sum = _mm512_sll_epi32(sum, left);
			}
			__m128i result = _mm512_cvtsepi32_epi8(sum);
			if (output->absolute)
				result = _mm_min_epu8(_mm_abs_epi8(result), _mm_set1_epi8(127));
			else
				result = _mm_max_epi8(result, low);
			_mm_mask_storeu_epi8(output->results + at, mask, result);
		}
	}
}

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return (size_t)blocks * BLOCK * rows * run * sizeof(VALUE);
}

// Place of a slot's value: [block][value / STEP][slot][value % STEP].
static inline size_t place(uint32_t slot, size_t depth, size_t k)
{
	return ((size_t)(slot / BLOCK) * (depth / STEP) + k / STEP) * (BLOCK * STEP) + slot % BLOCK * STEP +
	       k % STEP;
}

static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
                 void *packed)
{
	const size_t depth = (size_t)rows * run;
	VALUE *to = packed;
	memset(packed, 0, packed_size(blocks, rows, run));
	for (uint32_t s = 0; s < slots; s++)
		for (size_t k = 0; k < depth; k++)
			to[place(s, depth, k)] = weights[s * depth + k];
}

// A tile of pixels and slot blocks whose sums stay in registers. The counts are constants where this is
// called, so that all inner loops unroll.
static inline __attribute__((always_inline)) void tile(const struct fast_conv *conv, uint32_t pixel,
                                                       uint32_t block, const uint32_t pixels,
                                                       const uint32_t blocks)
{
	const size_t depth = (size_t)conv->rows * conv->run;
	const VALUE *image = (const VALUE *)conv->image + pixel * conv->pixel_stride;
	const VALUE *weights = (const VALUE *)conv->weights + (size_t)block * depth * BLOCK;
	__m512i sum[12][4];
	for (uint32_t p = 0; p < pixels; p++)
		for (uint32_t b = 0; b < blocks; b++)
			sum[p][b] = _mm512_setzero_si512();
	for (uint32_t r = 0; r < conv->rows; r++) {
		const VALUE *from = image + r * conv->row_stride;
		for (uint32_t k = 0; k < conv->run; k += STEP) {
			__m512i weight[4];
			for (uint32_t b = 0; b < blocks; b++)
				weight[b] = _mm512_loadu_si512(weights + b * depth * BLOCK);
			weights += BLOCK * STEP;
			for (uint32_t p = 0; p < pixels; p++) {
				int32_t some;
				memcpy(&some, from + p * conv->pixel_stride + k, sizeof some);
				const __m512i value = _mm512_set1_epi32(some);
				for (uint32_t b = 0; b < blocks; b++)
					sum[p][b] = MULTIPLY_ADD(sum[p][b], value, weight[b]);
			}
		}
	}
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t b = 0; b < blocks; b++)
			_mm512_storeu_si512(conv->sums + ((size_t)(pixel + p) * conv->blocks + block + b) * BLOCK,
			                    sum[p][b]);
	}
}

// Tiles of `most` pixels and a fixed number of blocks over all pixels; fewer blocks leave registers for more
// pixels. The rest is done in halves.
#define COLUMN(blocks, most)                                                                                 \
	static void column_##blocks(const struct fast_conv *conv, uint32_t block)                                \
	{                                                                                                        \
		uint32_t pixel = 0;                                                                                  \
		for (; pixel + (most) <= conv->pixels; pixel += (most))                                              \
			tile(conv, pixel, block, most, blocks);                                                          \
		if (pixel + (most) / 2 <= conv->pixels) {                                                            \
			tile(conv, pixel, block, (most) / 2, blocks);                                                    \
			pixel += (most) / 2;                                                                             \
		}                                                                                                    \
		for (; pixel + 2 <= conv->pixels; pixel += 2)                                                        \
			tile(conv, pixel, block, 2, blocks);                                                             \
		if (pixel < conv->pixels)                                                                            \
			tile(conv, pixel, block, 1, blocks);                                                             \
	}

COLUMN(4, 6)
COLUMN(3, 8)
COLUMN(2, 12)
COLUMN(1, 12)

static void conv(const struct fast_conv *conv)
{
	uint32_t block = 0;
	for (; block + 4 <= conv->blocks; block += 4)
		column_4(conv, block);
	switch (conv->blocks - block) {
	case 3:
		column_3(conv, block);
		break;
	case 2:
		column_2(conv, block);
		break;
	case 1:
		column_1(conv, block);
		break;
	default:
		break;
	}
}
