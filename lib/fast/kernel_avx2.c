// Kernels for AVX2: pairs of 16-bit products summed to 32 bits (VPMADDWD), which never saturates for
// 8-bit operands. Images without negative values go to kernel_avx2_bytes.c, which is denser.
#include "fast/variants.h"

#include <immintrin.h>
#include <string.h>

#define KERNEL(name) name##_avx2
#include "fast/kernel_template.h"

#define BLOCK 8

extern const struct fast_kernel fast_kernel_avx2_bytes;

static bool supported(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return (size_t)blocks * BLOCK * rows * run * sizeof(int16_t);
}

// [block][value / 2][slot][value % 2], 16 bits each
static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
                 void *packed)
{
	const size_t depth = (size_t)rows * run;
	int16_t *to = packed;
	memset(packed, 0, packed_size(blocks, rows, run));
	for (uint32_t s = 0; s < slots; s++) {
		for (size_t k = 0; k < depth; k++)
			to[((size_t)(s / BLOCK) * (depth / 2) + k / 2) * (BLOCK * 2) + s % BLOCK * 2 + k % 2] =
				weights[s * depth + k];
	}
}

static inline __attribute__((always_inline)) void tile(const struct fast_conv *conv, uint32_t pixel,
                                                       uint32_t block, const uint32_t pixels,
                                                       const uint32_t blocks)
{
	const size_t depth = (size_t)conv->rows * conv->run;
	const int16_t *image = (const int16_t *)conv->image + pixel * conv->pixel_stride;
	const int16_t *weights = (const int16_t *)conv->weights + (size_t)block * depth * BLOCK;
	__m256i sum[4][2];
	for (uint32_t p = 0; p < pixels; p++)
		for (uint32_t b = 0; b < blocks; b++)
			sum[p][b] = _mm256_setzero_si256();
	for (uint32_t r = 0; r < conv->rows; r++) {
		const int16_t *from = image + r * conv->row_stride;
		for (uint32_t k = 0; k < conv->run; k += 2) {
			__m256i weight[2];
			for (uint32_t b = 0; b < blocks; b++)
				weight[b] = _mm256_loadu_si256((const __m256i *)(const void *)(weights + b * depth * BLOCK));
			weights += BLOCK * 2;
			for (uint32_t p = 0; p < pixels; p++) {
				int32_t two;
				memcpy(&two, from + p * conv->pixel_stride + k, 4);
				const __m256i value = _mm256_set1_epi32(two);
				for (uint32_t b = 0; b < blocks; b++)
					sum[p][b] = _mm256_add_epi32(sum[p][b], _mm256_madd_epi16(value, weight[b]));
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

#define TILES(pixels)                                                                                        \
	static void tiles_##pixels(const struct fast_conv *conv, uint32_t pixel)                                 \
	{                                                                                                        \
		uint32_t block = 0;                                                                                  \
		for (; block + 2 <= conv->blocks; block += 2)                                                        \
			tile(conv, pixel, block, pixels, 2);                                                             \
		if (block < conv->blocks)                                                                            \
			tile(conv, pixel, block, pixels, 1);                                                             \
	}

TILES(4)
TILES(1)

static void conv(const struct fast_conv *conv)
{
	uint32_t pixel = 0;
	for (; pixel + 4 <= conv->pixels; pixel += 4)
		tiles_4(conv, pixel);
	for (; pixel < conv->pixels; pixel++)
		tiles_1(conv, pixel);
}

const struct fast_kernel fast_kernel_avx2 = {
	.name = "avx2",
	.unsigned_bytes = &fast_kernel_avx2_bytes,
	.supported = supported,
	.wide = true,
	.slot_block = BLOCK,
	.packed_size = packed_size,
	.pack = pack,
	.conv = conv,
	.finish = finish_avx2,
	.interleave = interleave_avx2,
	.pool = pool_avx2,
	.depthwise = depthwise_avx2,
};
