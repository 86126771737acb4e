// A layer at once: gathered image -> kernels -> sums, which deliver.c takes on (hardware reference 4.5, 4.6).
#include "fast/fast.h"
#include "layer/geometry.h"

#include <stdlib.h>
#include <string.h>

void fast_scratch_release(struct fast_scratch *scratch)
{
	free(scratch->samples);
	free(scratch->image);
	free(scratch->wide);
	free(scratch->products);
	free(scratch->sums);
	free(scratch->results);
	memset(scratch, 0, sizeof *scratch);
}

static bool reserve_results(struct fast_scratch *scratch, size_t stride)
{
	return fast_reserve((void **)&scratch->sums, &scratch->sums_size, FAST_TILE * stride * sizeof(int32_t)) &&
	       fast_reserve((void **)&scratch->results, &scratch->results_size, FAST_TILE * stride);
}

static size_t image_values(const struct fast_plan *plan)
{
	return (size_t)plan->image_rows * plan->image_columns * plan->seen;
}

static void widen(const int8_t *from, size_t count, int16_t *restrict to)
{
	for (size_t i = 0; i < count; i++)
		to[i] = from[i];
}

// Room for 16-bit values of the image, or of a tile's windows, and the image's values in it.
static bool widen_image(const struct fast_plan *plan, struct fast_scratch *scratch)
{
	const size_t count = plan->windows ? (size_t)FAST_TILE * plan->run : image_values(plan);
	if (!fast_reserve((void **)&scratch->wide, &scratch->wide_size, count * sizeof(int16_t)))
		return false;
	if (!plan->windows)
		widen(scratch->image, count, scratch->wide);
	return true;
}

enum {
	PART =
		16, // bytes that are copied of a window's row: nine at the most count, what follows replaces the rest
	MOST = 28, // bytes of a window: three channels of 3 x 3 pixels
	PIXEL = 4, // bytes of a pixel before it is closed up
};

// Takes out the channels of each pixel that no processor reads.
static void close_up(const struct fast_plan *plan, int8_t *image)
{
	const size_t pixels = (size_t)plan->image_rows * plan->image_columns;
	for (size_t i = 0; i < pixels; i++) {
		uint32_t pixel;
		memcpy(&pixel, image + i * PIXEL, sizeof pixel);
		memcpy(image + i * plan->seen, &pixel, sizeof pixel);
	}
}

// The windows of a tile. What lies between the end of one and the next is multiplied by zero.
static void copy_windows(const struct fast_plan *plan, const int8_t *image, uint32_t pixels, int8_t *to)
{
	const size_t part = (size_t)plan->layer.kernel_columns * plan->seen;
	for (uint32_t p = 0; p < pixels; p++)
		for (uint32_t r = 0; r < plan->layer.kernel_rows; r++)
			memcpy(to + (size_t)p * plan->run + r * part,
			       image + (size_t)p * plan->seen + r * plan->row_stride, PART);
}

// Whether an image has no negative value: looked up in the data, so that nothing has to be known about who wrote it.
static bool never_negative(const int8_t *image, size_t count)
{
	enum { PIECE = 4096 };
	for (size_t first = 0; first < count; first += PIECE) {
		const size_t size = count - first < PIECE ? count - first : PIECE;
		int8_t all = 0;
		for (size_t i = 0; i < size; i++)
			all |= image[first + i];
		if (all < 0)
			return false;
	}
	return true;
}

static bool run_kernels(const struct fast_plan *plan, struct fast_scratch *scratch,
                        const struct fast_job *job)
{
	const struct fast_kernel *kernel = plan->kernel;
	const bool as_bytes =
		plan->unsigned_weights != NULL && never_negative(scratch->image, image_values(plan));
	if (as_bytes)
		kernel = kernel->unsigned_bytes;
	const size_t stride = (size_t)plan->blocks * kernel->slot_block;
	if (!reserve_results(scratch, stride) || (kernel->wide && !widen_image(plan, scratch)))
		return false;
	struct fast_conv conv = {
		.pixel_stride = plan->windows ? plan->run : plan->channels,
		.row_stride = plan->row_stride,
		.rows = plan->run_rows,
		.run = plan->run,
		.weights = as_bytes ? plan->unsigned_weights : plan->weights,
		.blocks = plan->blocks,
		.sums = scratch->sums,
	};
	struct fast_output output = fast_output_stage(plan);
	output.sums = scratch->sums;
	output.offset = plan->offset;
	output.stride = stride;
	int8_t windows[FAST_TILE * MOST + PART];
	for (uint32_t row = 0; row < plan->view_rows; row++) {
		for (uint32_t column = 0; column < plan->view_columns; column += FAST_TILE) {
			const size_t at = row * plan->row_stride + (size_t)column * plan->seen;
			const uint32_t left = plan->view_columns - column;
			conv.pixels = output.pixels = left < FAST_TILE ? left : FAST_TILE;
			conv.image =
				kernel->wide ? (const void *)(scratch->wide + at) : (const void *)(scratch->image + at);
			if (plan->windows) {
				copy_windows(plan, scratch->image + at, conv.pixels, windows);
				conv.image = kernel->wide ? (const void *)scratch->wide : (const void *)windows;
				if (kernel->wide)
					widen(windows, (size_t)conv.pixels * plan->run, scratch->wide);
			}
			kernel->conv(&conv);
			fast_deliver(plan, scratch, job, &output, row * plan->view_columns + column);
		}
	}
	return true;
}

static bool run_depthwise(const struct fast_plan *plan, struct fast_scratch *scratch,
                          const struct fast_job *job)
{
	const ai8x_layer *layer = &plan->layer;
	if (!reserve_results(scratch, plan->channels))
		return false;
	struct fast_output output = fast_output_stage(plan);
	output.sums = scratch->sums;
	output.offset = plan->offset;
	output.stride = plan->channels;
	const uint32_t pixels = layer->output_rows * layer->output_columns;
	for (uint32_t first = 0; first < pixels; first += FAST_TILE) {
		output.pixels = pixels - first < FAST_TILE ? pixels - first : FAST_TILE;
		for (uint32_t p = 0; p < output.pixels; p++) {
			const uint32_t row = (first + p) / layer->output_columns,
						   column = (first + p) % layer->output_columns;
			const int8_t *window[9];
			uint32_t taps = 0;
			for (uint32_t r = 0; r < layer->kernel_rows; r++) {
				for (uint32_t c = 0; c < layer->kernel_columns; c++)
					window[taps++] = scratch->image +
					                 ((size_t)(row + r) * plan->image_columns + column + c) * plan->channels;
			}
			plan->kernel->depthwise(window, plan->own, taps, plan->channels,
			                        scratch->sums + (size_t)p * plan->channels);
		}
		fast_deliver(plan, scratch, job, &output, first);
	}
	return true;
}

ai8x_status fast_run(const struct fast_plan *plan, struct fast_scratch *scratch, const struct fast_job *job)
{
	const ai8x_layer *layer = &plan->layer;
	if (!fast_gather(plan, scratch, job))
		return AI8X_ERR_NO_MEMORY;
	if (plan->windows)
		close_up(plan, scratch->image);
	if (layer_has_kernels(layer)) {
		bool done = layer->depthwise            ? run_depthwise(plan, scratch, job)
		            : plan->transformed != NULL ? fast_winograd_run(plan, scratch, job)
		                                        : run_kernels(plan, scratch, job);
		if (done && job->output != NULL && job->write_ring != 0 && plan->fills_ring)
			fast_fill_ring(plan, job);
		return done ? AI8X_OK : AI8X_ERR_NO_MEMORY;
	}
	fast_deliver_image(plan, scratch, job);
	return AI8X_OK;
}
