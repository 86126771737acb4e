// Kernels for AVX-VNNI (256 bits, processors without AVX-512): 32 products of unsigned image bytes and signed weights
// in one instruction.
//
// Why it is exact: VPDPBUSD widens every product to 32 bits before it adds (its saturating sibling is not used). The
// image's bytes are offset by 128 to be unsigned; the plan takes that back per slot. A sum of MAX_DEPTH products (planner.c) of
// at most 255 * 128 stays below 2^31.
#include "fast/pack.h"
#include "fast/variants.h"

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define KERNEL(name) name##_avxvnni
#include "fast/finish_template.h"
#include "fast/transpose_template.h"

#include "fast/kernel_template.h"

enum {
	BLOCK = 8,   // slots of a register
	STEP = 4,    // values of each slot in a register of weights
	PIXELS = 6,  // of a tile: with two blocks, their sums leave four of sixteen registers
	BLOCKS = 2,  // of a tile
	FEATURE = 1, // the part of CPUID's leaf 7 that tells
};

static bool supported(void)
{
	unsigned a, b, c, d;
	return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, FEATURE, &a, &b, &c, &d) && (a >> 4 & 1);
}

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return (size_t)blocks * BLOCK * rows * run;
}

// [block][value / 4][slot][value % 4]
static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
                 void *packed)
{
	memset(packed, 0, packed_size(blocks, rows, run));
	fast_pack(weights, slots, (size_t)rows * run, BLOCK, STEP, packed);
}

// A tile of pixels and slot blocks whose sums stay in registers. The counts are constants where this is called.
static inline __attribute__((always_inline)) void tile(const struct fast_conv *conv, uint32_t pixel,
                                                       uint32_t block, const uint32_t pixels,
                                                       const uint32_t blocks)
{
	const size_t block_stride = (size_t)conv->rows * conv->run * BLOCK;
	const int8_t *image = (const int8_t *)conv->image + pixel * conv->pixel_stride;
	const int8_t *weights = (const int8_t *)conv->weights + block * block_stride;
	__m256i sum[PIXELS][BLOCKS];
	for (uint32_t p = 0; p < pixels; p++)
		for (uint32_t b = 0; b < blocks; b++)
			sum[p][b] = _mm256_setzero_si256();
	for (uint32_t r = 0; r < conv->rows; r++) {
		const int8_t *from[PIXELS];
		for (uint32_t p = 0; p < pixels; p++)
			from[p] = image + r * conv->row_stride + p * conv->pixel_stride;
		for (size_t k = 0; k < conv->run; k += STEP) {
			__m256i weight[BLOCKS];
			for (uint32_t b = 0; b < blocks; b++)
				weight[b] = _mm256_loadu_si256((const __m256i *)(const void *)(weights + b * block_stride));
			weights += BLOCK * STEP;
			for (uint32_t p = 0; p < pixels; p++) {
				int32_t four;
				memcpy(&four, from[p] + k, sizeof four);
				const __m256i value = _mm256_set1_epi32(four);
				for (uint32_t b = 0; b < blocks; b++)
					sum[p][b] = _mm256_dpbusd_avx_epi32(sum[p][b], value, weight[b]);
			}
		}
	}
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t b = 0; b < blocks; b++) {
			int32_t *to = conv->sums + ((size_t)(pixel + p) * conv->blocks + block + b) * BLOCK;
			_mm256_storeu_si256((__m256i *)(void *)to, sum[p][b]);
		}
	}
}

#define ACROSS(pixels)                                                                                       \
	static void tiles_##pixels(const struct fast_conv *conv, uint32_t pixel)                                 \
	{                                                                                                        \
		uint32_t block = 0;                                                                                  \
		for (; block + BLOCKS <= conv->blocks; block += BLOCKS)                                              \
			tile(conv, pixel, block, pixels, BLOCKS);                                                        \
		if (block < conv->blocks)                                                                            \
			tile(conv, pixel, block, pixels, 1);                                                             \
	}

ACROSS(6)
ACROSS(3)
ACROSS(2)
ACROSS(1)

static void conv(const struct fast_conv *conv)
{
	uint32_t pixel = 0;
	for (; pixel + 6 <= conv->pixels; pixel += 6)
		tiles_6(conv, pixel);
	for (; pixel + 3 <= conv->pixels; pixel += 3)
		tiles_3(conv, pixel);
	if (pixel + 2 == conv->pixels)
		tiles_2(conv, pixel);
	else if (pixel < conv->pixels)
		tiles_1(conv, pixel);
}

const struct fast_kernel fast_kernel_avxvnni = {
	.name = "avxvnni",
	.supported = supported,
	.flip = 0x80,
	.slot_block = BLOCK,
	KERNEL_FUNCTIONS,
};
