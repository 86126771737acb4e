// Kernels for NEON (every AArch64 processor): 16-bit values, products widened to 32 bits.
#include "fast/variants.h"

#include <arm_neon.h>
#include <string.h>

#define KERNEL(name) name##_neon
#include "fast/kernel_template.h"

#define BLOCK 8

static bool supported(void)
{
	return true;
}

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return (size_t)blocks * BLOCK * rows * run * sizeof(int16_t);
}

// [block][value][slot], 16 bits each
static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
                 void *packed)
{
	const size_t depth = (size_t)rows * run;
	int16_t *to = packed;
	memset(packed, 0, packed_size(blocks, rows, run));
	for (uint32_t s = 0; s < slots; s++)
		for (size_t k = 0; k < depth; k++)
			to[((size_t)(s / BLOCK) * depth + k) * BLOCK + s % BLOCK] = weights[s * depth + k];
}

static inline __attribute__((always_inline)) void tile(const struct fast_conv *conv, uint32_t pixel,
                                                       uint32_t block, const uint32_t pixels)
{
	const size_t depth = (size_t)conv->rows * conv->run;
	const int16_t *image = (const int16_t *)conv->image + pixel * conv->pixel_stride;
	const int16_t *weights = (const int16_t *)conv->weights + (size_t)block * depth * BLOCK;
	int32x4_t low[4], high[4];
	for (uint32_t p = 0; p < pixels; p++)
		low[p] = high[p] = vdupq_n_s32(0);
	for (uint32_t r = 0; r < conv->rows; r++) {
		const int16_t *from = image + r * conv->row_stride;
		for (uint32_t k = 0; k < conv->run; k++) {
			const int16x8_t weight = vld1q_s16(weights);
			weights += BLOCK;
			for (uint32_t p = 0; p < pixels; p++) {
				const int16_t value = from[p * conv->pixel_stride + k];
				low[p] = vmlal_n_s16(low[p], vget_low_s16(weight), value);
				high[p] = vmlal_n_s16(high[p], vget_high_s16(weight), value);
			}
		}
	}
	for (uint32_t p = 0; p < pixels; p++) {
		int32_t *to = conv->sums + ((size_t)(pixel + p) * conv->blocks + block) * BLOCK;
		vst1q_s32(to, low[p]);
		vst1q_s32(to + 4, high[p]);
	}
}

static void conv(const struct fast_conv *conv)
{
	uint32_t pixel = 0;
	for (; pixel + 4 <= conv->pixels; pixel += 4)
		for (uint32_t block = 0; block < conv->blocks; block++)
			tile(conv, pixel, block, 4);
	for (; pixel < conv->pixels; pixel++)
		for (uint32_t block = 0; block < conv->blocks; block++)
			tile(conv, pixel, block, 1);
}

const struct fast_kernel fast_kernel_neon = {
	.name = "neon",
	.supported = supported,
	.wide = true,
	.slot_block = BLOCK,
	KERNEL_FUNCTIONS,
};
