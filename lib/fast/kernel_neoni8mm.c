// Kernels for NEON with matrix products of bytes (SMMLA: AArch64 processors since about 2021): two pixels by two slots by
// eight values, 32 products of signed bytes in one instruction, summed to 32 bits, which nothing narrower ever holds.
#include "fast/variants.h"

#include <arm_neon.h>
#include <string.h>
#include <sys/auxv.h>

#define KERNEL(name) name##_neoni8mm
#include "fast/kernel_template.h"

enum {
	BLOCK = 8,     // slots that are packed together
	PAIRS = 4,     // of slots in a block
	STEP = 8,      // values of a pixel or slot in half a register
	PIXELS = 8,    // of a tile: their sums leave 16 of 32 registers
	HWCAP_BIT = 13 // of AT_HWCAP2 that tells (i8mm)
};

static bool supported(void)
{
	return (getauxval(AT_HWCAP2) >> HWCAP_BIT & 1) != 0;
}

// Runs are multiples of four. Where eight do not fit, weights of zero meet the values after the run.
static uint32_t steps(uint32_t run)
{
	return (run + STEP - 1) / STEP;
}

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return (size_t)blocks * BLOCK * rows * steps(run) * STEP;
}

// [block][row][value / 8][slot][value % 8]
static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
                 void *packed)
{
	int8_t *to = packed;
	memset(packed, 0, packed_size(blocks, rows, run));
	for (uint32_t s = 0; s < slots; s++) {
		for (uint32_t r = 0; r < rows; r++) {
			const size_t first = ((size_t)(s / BLOCK) * rows + r) * steps(run);
			for (uint32_t k = 0; k < run; k += STEP)
				memcpy(to + (first + k / STEP) * (BLOCK * STEP) + s % BLOCK * STEP,
				       weights + ((size_t)s * rows + r) * run + k, run - k < STEP ? run - k : STEP);
		}
	}
}

// A tile whose sums stay in registers. The count is a constant where this is called; an odd one repeats its last pixel.
static inline __attribute__((always_inline)) void tile(const struct fast_conv *conv, uint32_t pixel,
                                                       uint32_t block, const uint32_t pixels)
{
	const int8_t *image = (const int8_t *)conv->image + pixel * conv->pixel_stride;
	const int8_t *weights =
		(const int8_t *)conv->weights + (size_t)block * conv->rows * steps(conv->run) * (BLOCK * STEP);
	int32x4_t sum[PIXELS / 2][PAIRS];
	for (uint32_t p = 0; p < pixels; p += 2)
		for (uint32_t s = 0; s < PAIRS; s++)
			sum[p / 2][s] = vdupq_n_s32(0);
	for (uint32_t r = 0; r < conv->rows; r++) {
		const int8_t *from = image + r * conv->row_stride;
		for (uint32_t k = 0; k < conv->run; k += STEP) {
			int8x16_t weight[PAIRS];
			for (uint32_t s = 0; s < PAIRS; s++)
				weight[s] = vld1q_s8(weights + s * 2 * STEP);
			weights += BLOCK * STEP;
			for (uint32_t p = 0; p < pixels; p += 2) {
				const int8_t *a = from + p * conv->pixel_stride + k;
				const int8_t *b = p + 1 < pixels ? a + conv->pixel_stride : a;
				const int8x16_t value = vcombine_s8(vld1_s8(a), vld1_s8(b));
				for (uint32_t s = 0; s < PAIRS; s++)
					sum[p / 2][s] = vmmlaq_s32(sum[p / 2][s], value, weight[s]);
			}
		}
	}
	for (uint32_t p = 0; p < pixels; p++) {
		int32_t *to = conv->sums + ((size_t)(pixel + p) * conv->blocks + block) * BLOCK;
		for (uint32_t s = 0; s < PAIRS; s++)
			vst1_s32(to + 2 * (size_t)s,
			         p % 2 == 0 ? vget_low_s32(sum[p / 2][s]) : vget_high_s32(sum[p / 2][s]));
	}
}

#include "fast/neon_tiles.h"

const struct fast_kernel fast_kernel_neoni8mm = {
	.name = "neoni8mm",
	.supported = supported,
	.slot_block = BLOCK,
	KERNEL_FUNCTIONS,
};
