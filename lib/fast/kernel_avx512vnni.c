// Kernels for AVX-512 VNNI: 64 products of unsigned image bytes and signed weights in one instruction.
// VPDPBUSD keeps all 32 bits (its saturating sibling is not used); the image's offset of 128 is taken back
// per slot by the plan.
#include "fast/kernels.h"

#include <immintrin.h>
#include <string.h>

#define KERNEL(name) name##_avx512vnni
#include "fast/kernel_template.h"

#define BLOCK 16

static bool supported(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return (size_t)blocks * BLOCK * rows * run;
}

// [block][value / 4][slot][value % 4]
static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run, void *packed)
{
	const size_t depth = (size_t)rows * run;
	int8_t *to = packed;
	memset(packed, 0, packed_size(blocks, rows, run));
	for (uint32_t s = 0; s < slots; s++) {
		for (size_t k = 0; k < depth; k++)
			to[((size_t)(s / BLOCK) * (depth / 4) + k / 4) * (BLOCK * 4) + s % BLOCK * 4 + k % 4] =
				weights[s * depth + k];
	}
}

// A tile of pixels and slot blocks whose sums stay in registers. The counts are constants where this is
// called, so that all inner loops unroll.
static inline __attribute__((always_inline)) void tile(const struct fast_conv *conv, uint32_t pixel,
                                                       uint32_t block, const uint32_t pixels,
                                                       const uint32_t blocks)
{
	const size_t depth = (size_t)conv->rows * conv->run;
	const int8_t *image = (const int8_t *)conv->image + pixel * conv->pixel_stride;
	const int8_t *weights = (const int8_t *)conv->weights + (size_t)block * depth * BLOCK;
	__m512i sum[8][4];
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t b = 0; b < blocks; b++)
			sum[p][b] = _mm512_setzero_si512();
	}
	for (uint32_t r = 0; r < conv->rows; r++) {
		const int8_t *from = image + r * conv->row_stride;
		for (uint32_t k = 0; k < conv->run; k += 4) {
			__m512i weight[4];
			for (uint32_t b = 0; b < blocks; b++)
				weight[b] = _mm512_loadu_si512(weights + b * depth * BLOCK);
			weights += BLOCK * 4;
			for (uint32_t p = 0; p < pixels; p++) {
				int32_t four;
				memcpy(&four, from + p * conv->pixel_stride + k, 4);
				const __m512i value = _mm512_set1_epi32(four);
				for (uint32_t b = 0; b < blocks; b++)
					sum[p][b] = _mm512_dpbusd_epi32(sum[p][b], value, weight[b]);
			}
		}
	}
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t b = 0; b < blocks; b++)
			_mm512_storeu_si512(conv->sums + ((size_t)(pixel + p) * conv->blocks + block + b) * BLOCK, sum[p][b]);
	}
}

#define TILES(pixels) \
	static void tiles_##pixels(const struct fast_conv *conv, uint32_t pixel) \
	{ \
		uint32_t block = 0; \
		for (; block + 4 <= conv->blocks; block += 4) \
			tile(conv, pixel, block, pixels, 4); \
		switch (conv->blocks - block) { \
		case 3: \
			tile(conv, pixel, block, pixels, 3); \
			break; \
		case 2: \
			tile(conv, pixel, block, pixels, 2); \
			break; \
		case 1: \
			tile(conv, pixel, block, pixels, 1); \
			break; \
		default: \
			break; \
		} \
	}

TILES(6)
TILES(5)
TILES(4)
TILES(3)
TILES(2)
TILES(1)

static void conv(const struct fast_conv *conv)
{
	uint32_t pixel = 0;
	for (; pixel + 6 <= conv->pixels; pixel += 6)
		tiles_6(conv, pixel);
	switch (conv->pixels - pixel) {
	case 5:
		tiles_5(conv, pixel);
		break;
	case 4:
		tiles_4(conv, pixel);
		break;
	case 3:
		tiles_3(conv, pixel);
		break;
	case 2:
		tiles_2(conv, pixel);
		break;
	case 1:
		tiles_1(conv, pixel);
		break;
	default:
		break;
	}
}

const struct fast_kernel fast_kernel_avx512vnni = {
	.name = "avx512vnni",
	.supported = supported,
	.flip = 0x80,
	.slot_block = BLOCK,
	.packed_size = packed_size,
	.pack = pack,
	.conv = conv,
	.finish = finish_avx512vnni,
	.depthwise = depthwise_avx512vnni,
};
