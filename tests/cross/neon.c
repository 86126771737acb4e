// The NEON kernels against plain C, as a program of its own: on machines of another architecture it is built
// with a cross compiler and run under emulation (see meson.build), where libcheck is not at hand.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fast/variants.h"

extern const struct fast_kernel fast_kernel_neon;

static uint64_t state = 88172645463325252u;

static uint32_t next_random(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static void *make(size_t size)
{
	void *block = aligned_alloc(64, (size + 255) / 64 * 64);
	if (block == NULL)
		exit(2);
	for (size_t i = 0; i < size; i++)
		((uint8_t *)block)[i] = (uint8_t)next_random();
	return block;
}

static int32_t *conv(const struct fast_kernel *kernel, const int8_t *image, const int8_t *weights,
                     uint32_t slots, uint32_t rows, uint32_t run, uint32_t pixels, size_t stride)
{
	const uint32_t blocks = (slots + kernel->slot_block - 1) / kernel->slot_block;
	const size_t size = stride * rows + run;
	int16_t *wide = make(size * 2);
	for (size_t i = 0; i < size; i++)
		wide[i] = image[i];
	void *packed = make(kernel->packed_size(blocks, rows, run));
	int32_t *sums = make((size_t)FAST_TILE * blocks * kernel->slot_block * sizeof *sums);
	kernel->pack(weights, slots, blocks, rows, run, packed);
	const struct fast_conv job = {
		.image = kernel->wide ? (const void *)wide : (const void *)image,
		.pixel_stride = 4,
		.row_stride = stride,
		.rows = rows,
		.run = run,
		.weights = packed,
		.blocks = blocks,
		.pixels = pixels,
		.sums = sums,
	};
	kernel->conv(&job);
	free(wide);
	free(packed);
	return sums;
}

static unsigned compare_conv(void)
{
	unsigned wrong = 0;
	for (unsigned round = 0; round < 200; round++) {
		const uint32_t slots = next_random() % 40 + 1, rows = next_random() % 4 + 1;
		const uint32_t run = (next_random() % 30 + 1) * 4, pixels = next_random() % FAST_TILE + 1;
		const size_t stride = run + 4 * FAST_TILE;
		int8_t *image = make(stride * rows + run), *weights = make((size_t)slots * rows * run);
		int32_t *a = conv(&fast_kernel_c, image, weights, slots, rows, run, pixels, stride);
		int32_t *b = conv(&fast_kernel_neon, image, weights, slots, rows, run, pixels, stride);
		const uint32_t width = (slots + fast_kernel_neon.slot_block - 1) / fast_kernel_neon.slot_block *
		                       fast_kernel_neon.slot_block;
		for (uint32_t p = 0; p < pixels; p++)
			for (uint32_t s = 0; s < slots; s++)
				wrong += a[p * slots + s] != b[p * width + s];
		free(image);
		free(weights);
		free(a);
		free(b);
	}
	return wrong;
}

static unsigned compare_finish(void)
{
	enum { COUNT = 61 };
	unsigned wrong = 0;
	for (unsigned round = 0; round < 300; round++) {
		int32_t sums[COUNT], offset[COUNT];
		int8_t a[COUNT], b[COUNT];
		for (unsigned i = 0; i < COUNT; i++) {
			sums[i] = (int32_t)next_random() / (1 << (next_random() % 20 + 1));
			offset[i] = (int32_t)(next_random() % 32768) - 16384;
		}
		struct fast_output output = {
			.sums = sums,
			.offset = offset,
			.stride = COUNT,
			.pixels = 1,
			.right = (int32_t)(next_random() % 30) - 8,
			.low = next_random() % 2 ? 0 : -128,
			.absolute = next_random() % 3 == 0,
			.results = a,
		};
		fast_kernel_c.finish(&output);
		output.results = b;
		fast_kernel_neon.finish(&output);
		wrong += memcmp(a, b, COUNT) != 0;
	}
	return wrong;
}

int main(void)
{
	const unsigned sums = compare_conv(), results = compare_finish();
	printf("neon: %u sums and %u rows of results differ from plain C\n", sums, results);
	return sums + results == 0 ? 0 : 1;
}
