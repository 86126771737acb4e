// Kernels for AVX-VNNI (256 bits, processors without AVX-512): 32 products of unsigned image bytes and signed weights
// in one instruction.
//
// Why it is exact: VPDPBUSD widens every product to 32 bits before it adds (its saturating sibling is not used). The
// image's bytes are offset by 128 to be unsigned; the plan takes that back per slot. A sum of MAX_DEPTH products (planner.c) of
// at most 255 * 128 stays below 2^31.
#include "fast/variants.h"

#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#define KERNEL(name) name##_avxvnni
#include "fast/finish_template.h"
#include "fast/transpose_template.h"

#include "fast/kernel_template.h"

#define VALUE int8_t
#define BLOCK 8 // slots of a register
#include "fast/column_template.h"

enum {
	STEP = 4,    // values of each slot in a register of weights
	PIXELS = 6,  // of a tile: with two blocks, their sums leave four of sixteen registers
	BLOCKS = 2,  // of a tile
	FEATURE = 1, // the part of CPUID's leaf 7 that tells
};

#include "fast/pack_template.h"

static bool supported(void)
{
	unsigned a, b, c, d;
	return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, FEATURE, &a, &b, &c, &d) && (a >> 4 & 1);
}

// A tile of pixels and slot blocks whose sums stay in registers. The counts are constants where this is called.
static inline __attribute__((always_inline)) void tile(struct column *column, const uint32_t pixels,
                                                       const uint32_t blocks)
{
	const int8_t *row = column->image, *weights = column->weights;
	__m256i sum[PIXELS][BLOCKS];
	for (uint32_t p = 0; p < pixels; p++)
		for (uint32_t b = 0; b < blocks; b++)
			sum[p][b] = _mm256_setzero_si256();
	for (size_t r = column->rows; r > 0; r--) {
		const int8_t *from[PIXELS];
		for (uint32_t p = 0; p < pixels; p++)
			from[p] = row + p * column->pixel_stride;
		for (size_t k = 0; k < column->run; k += STEP) {
			__m256i weight[BLOCKS];
			for (uint32_t b = 0; b < blocks; b++)
				weight[b] =
					_mm256_loadu_si256((const __m256i *)(const void *)(weights + b * column->block_stride));
			weights += BLOCK * STEP;
			for (uint32_t p = 0; p < pixels; p++) {
				int32_t four;
				memcpy(&four, from[p] + k, sizeof four);
				const __m256i value = _mm256_set1_epi32(four);
				for (uint32_t b = 0; b < blocks; b++)
					sum[p][b] = _mm256_dpbusd_avx_epi32(sum[p][b], value, weight[b]);
			}
		}
		row += column->row_stride;
	}
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t b = 0; b < blocks; b++)
			_mm256_storeu_si256((__m256i *)(void *)(column->to + (size_t)b * BLOCK), sum[p][b]);
		column->to += column->stride;
	}
	column_next(column, pixels);
}

// All pixels under the same blocks, one block or two: their weights stay in the first cache.
#define COLUMN(blocks)                                                                                       \
	static void column_##blocks(const struct fast_conv *conv, uint32_t block)                                \
	{                                                                                                        \
		struct column column = column_of(conv, conv->weights, block);                                        \
		while (column.left >= 6)                                                                             \
			tile(&column, 6, blocks);                                                                        \
		while (column.left >= 3)                                                                             \
			tile(&column, 3, blocks);                                                                        \
		if (column.left == 2)                                                                                \
			tile(&column, 2, blocks);                                                                        \
		else if (column.left == 1)                                                                           \
			tile(&column, 1, blocks);                                                                        \
	}

COLUMN(2)
COLUMN(1)

static void conv(const struct fast_conv *conv)
{
	uint32_t block = 0;
	for (; block + 2 <= conv->blocks; block += 2)
		column_2(conv, block);
	if (block < conv->blocks)
		column_1(conv, block);
}

// Products of 16 bits, which kernel_avx2.c has.
extern const struct fast_winograd fast_winograd_avxvnni;

const struct fast_kernel fast_kernel_avxvnni = {
	.name = "avxvnni",
	.winograd = &fast_winograd_avxvnni,
	.supported = supported,
	.flip = 0x80,
	.slot_block = BLOCK,
	KERNEL_FUNCTIONS,
};
