// Kernels in plain C: what every other variant must equal.
#include "fast/variants.h"

#include <string.h>

#define KERNEL(name) name##_c
#include "fast/kernel_template.h"

static bool supported(void)
{
	return true;
}

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return (size_t)blocks * rows * run;
}

// Slots one after the other, as they come.
static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
                 void *packed)
{
	memset(packed, 0, packed_size(blocks, rows, run));
	memcpy(packed, weights, (size_t)slots * rows * run);
}

static int32_t dot(const int8_t *restrict a, const int8_t *restrict b, size_t count)
{
	int32_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (int32_t)a[i] * b[i];
	return sum;
}

static void conv(const struct fast_conv *conv)
{
	const int8_t *image = conv->image;
	for (uint32_t p = 0; p < conv->pixels; p++) {
		const int8_t *weights = conv->weights;
		for (uint32_t s = 0; s < conv->blocks; s++) {
			int32_t sum = 0;
			for (uint32_t r = 0; r < conv->rows; r++) {
				sum += dot(image + p * conv->pixel_stride + r * conv->row_stride, weights, conv->run);
				weights += conv->run;
			}
			conv->sums[p * conv->blocks + s] = sum;
		}
	}
}

const struct fast_kernel fast_kernel_c = {
	.name = "c",
	.supported = supported,
	.slot_block = 1,
	KERNEL_FUNCTIONS,
};
