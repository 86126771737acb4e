// Kernels for NEON with dot products (SDOT: AArch64 processors since about 2018): 16 products of signed bytes in one
// instruction, summed by fours to 32 bits, which nothing narrower ever holds.
#include "fast/variants.h"

#include <arm_neon.h>
#include <string.h>
#include <sys/auxv.h>

#define KERNEL(name) name##_neondot
#include "fast/kernel_template.h"

enum {
	BLOCK = 8,     // slots that are packed together
	LANES = 4,     // slots of a register of sums
	STEP = 4,      // values of each slot in a register of weights
	PIXELS = 8,    // of a tile: their sums leave 16 of 32 registers
	PIECE = 16,    // values of a pixel that are loaded at once
	HWCAP_BIT = 20 // bit of AT_HWCAP that tells (asimddp)
};

#include "fast/pack_template.h"

static bool supported(void)
{
	return (getauxval(AT_HWCAP) >> HWCAP_BIT & 1) != 0;
}

// Four values of each pixel, in lane `lane` of its register.
#define MULTIPLY(lane)                                                                                       \
	do {                                                                                                     \
		const int8x16_t low = vld1q_s8(weights), high = vld1q_s8(weights + LANES * STEP);                    \
		weights += BLOCK * STEP;                                                                             \
		for (uint32_t p = 0; p < pixels; p++) {                                                              \
			sum[p][0] = vdotq_laneq_s32(sum[p][0], low, value[p], lane);                                     \
			sum[p][1] = vdotq_laneq_s32(sum[p][1], high, value[p], lane);                                    \
		}                                                                                                    \
	} while (0)

// A tile whose sums stay in registers. The count is a constant where this is called.
static inline __attribute__((always_inline)) void tile(const struct fast_conv *conv, uint32_t pixel,
                                                       uint32_t block, const uint32_t pixels)
{
	const size_t depth = (size_t)conv->rows * conv->run;
	const int8_t *image = (const int8_t *)conv->image + pixel * conv->pixel_stride;
	const int8_t *weights = (const int8_t *)conv->weights + block * depth * BLOCK;
	int32x4_t sum[PIXELS][2];
	int8x16_t value[PIXELS];
	for (uint32_t p = 0; p < pixels; p++)
		sum[p][0] = sum[p][1] = vdupq_n_s32(0);
	for (uint32_t r = 0; r < conv->rows; r++) {
		const int8_t *from = image + r * conv->row_stride;
		uint32_t k = 0;
		for (; k + PIECE <= conv->run; k += PIECE) {
			for (uint32_t p = 0; p < pixels; p++)
				value[p] = vld1q_s8(from + p * conv->pixel_stride + k);
			MULTIPLY(0);
			MULTIPLY(1);
			MULTIPLY(2);
			MULTIPLY(3);
		}
		for (; k < conv->run; k += STEP) {
			for (uint32_t p = 0; p < pixels; p++) {
				int32_t four;
				memcpy(&four, from + p * conv->pixel_stride + k, sizeof four);
				value[p] = vreinterpretq_s8_s32(vdupq_n_s32(four));
			}
			MULTIPLY(0);
		}
	}
	for (uint32_t p = 0; p < pixels; p++) {
		int32_t *to = conv->sums + ((size_t)(pixel + p) * conv->blocks + block) * BLOCK;
		vst1q_s32(to, sum[p][0]);
		vst1q_s32(to + LANES, sum[p][1]);
	}
}

#include "fast/neon_tiles.h"

const struct fast_kernel fast_kernel_neondot = {
	.name = "neondot",
	.supported = supported,
	.slot_block = BLOCK,
	KERNEL_FUNCTIONS,
};
