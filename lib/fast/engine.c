// A layer at once: gathered image -> kernels -> sums, which deliver.c takes on (hardware reference 4.5, 4.6).
#include "fast/fast.h"
#include "layer/geometry.h"

#include <stdlib.h>
#include <string.h>

void fast_scratch_release(struct fast_scratch *scratch)
{
	crew_destroy(scratch->crew);
	free(scratch->samples);
	free(scratch->image);
	free(scratch->wide);
	for (unsigned i = 0; i < FAST_MOST_THREADS; i++) {
		struct fast_desk *desk = &scratch->desk[i];
		free(desk->wide);
		free(desk->products);
		free(desk->sums);
		free(desk->results);
	}
	memset(scratch, 0, sizeof *scratch);
}

// A layer that is being run.
struct running {
	const struct fast_plan *plan;
	struct fast_scratch *scratch;
	const struct fast_job *job;
	unsigned threads; // at the most
	unsigned pieces;  // that they draw
	// For bytes where the image has no negative values and there are kernels for such.
	const struct fast_kernel *kernel;
	const void *weights; // packed for it
	uint32_t row_tiles;  // of FAST_TILE pixels at the most, in a row of the view
};

static bool reserve_results(const struct running *running, size_t stride)
{
	bool done = true;
	for (unsigned i = 0; i < running->threads && done; i++) {
		struct fast_desk *desk = &running->scratch->desk[i];
		done = fast_reserve((void **)&desk->sums, &desk->sums_size, FAST_TILE * stride * sizeof(int32_t)) &&
		       fast_reserve((void **)&desk->results, &desk->results_size, FAST_TILE * stride);
	}
	return done;
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

static void widen_part(void *user, unsigned thread, unsigned piece)
{
	(void)thread;
	const struct running *running = user;
	const unsigned count = (unsigned)image_values(running->plan);
	const unsigned first = crew_share(count, piece, running->pieces);
	widen(running->scratch->image + first, crew_share(count, piece + 1, running->pieces) - first,
	      running->scratch->wide + first);
}

// Room for 16-bit values of the image, and its values in it.
static bool widen_image(struct running *running)
{
	struct fast_scratch *scratch = running->scratch;
	const size_t size = image_values(running->plan) * sizeof(int16_t);
	if (!fast_reserve((void **)&scratch->wide, &scratch->wide_size, size))
		return false;
	crew_do(scratch->crew, running->threads, running->pieces, widen_part, running);
	return true;
}

enum {
	// Values that are copied of a window's row: nine at the most count, what follows replaces the rest.
	PART = 16,
	MOST = 28, // values of a window: three channels of 3 x 3 pixels
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

// The windows of a tile of values of one or two bytes. What lies between the end of one and the next is multiplied by
// zero.
static void copy_windows(const struct fast_plan *plan, const int8_t *image, size_t width, uint32_t pixels,
                         int8_t *to)
{
	const size_t step = width * plan->seen, row_stride = width * plan->row_stride, run = width * plan->run;
	const size_t part = step * plan->layer.kernel_columns;
	const uint32_t rows = plan->layer.kernel_rows;
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t r = 0; r < rows && width == 1; r++)
			memcpy(to + p * run + r * part, image + p * step + r * row_stride, PART);
		for (uint32_t r = 0; r < rows && width == 2; r++)
			memcpy(to + p * run + r * part, image + p * step + r * row_stride, 2 * PART);
	}
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

// The kernels of a piece's tiles of FAST_TILE pixels.
static void kernels_part(void *user, unsigned thread, unsigned piece)
{
	const struct running *running = user;
	const struct fast_plan *plan = running->plan;
	const struct fast_scratch *scratch = running->scratch;
	const struct fast_desk *desk = &scratch->desk[thread];
	const struct fast_kernel *kernel = running->kernel;
	struct fast_conv conv = {
		.pixel_stride = plan->windows ? plan->run : plan->channels,
		.row_stride = plan->row_stride,
		.rows = plan->run_rows,
		.run = plan->run,
		.weights = running->weights,
		.blocks = plan->blocks,
		.sums = desk->sums,
	};
	struct fast_output output = fast_output_stage(plan);
	output.sums = desk->sums;
	output.offset = plan->offset;
	output.stride = (size_t)plan->blocks * kernel->slot_block;
	const size_t width = kernel->wide ? sizeof(int16_t) : 1;
	const int8_t *image = kernel->wide ? (const int8_t *)scratch->wide : scratch->image;
	_Alignas(int16_t) int8_t windows[(FAST_TILE * MOST + PART) * sizeof(int16_t)];
	const unsigned tiles = plan->view_rows * running->row_tiles;
	const unsigned end = crew_share(tiles, piece + 1, running->pieces);
	for (unsigned tile = crew_share(tiles, piece, running->pieces); tile < end; tile++) {
		const uint32_t row = tile / running->row_tiles, column = tile % running->row_tiles * FAST_TILE;
		const size_t at = row * plan->row_stride + (size_t)column * plan->seen;
		const uint32_t left = plan->view_columns - column;
		conv.pixels = output.pixels = left < FAST_TILE ? left : FAST_TILE;
		conv.image = image + width * at;
		if (plan->windows) {
			copy_windows(plan, image + width * at, width, conv.pixels, windows);
			conv.image = windows;
		}
		kernel->conv(&conv);
		fast_deliver(plan, desk, running->job, &output, row * plan->view_columns + column);
	}
}

static bool run_kernels(struct running *running)
{
	const struct fast_plan *plan = running->plan;
	const bool as_bytes =
		plan->unsigned_weights != NULL && never_negative(running->scratch->image, image_values(plan));
	const struct fast_kernel *kernel = as_bytes ? plan->kernel->unsigned_bytes : plan->kernel;
	running->kernel = kernel;
	running->weights = as_bytes ? plan->unsigned_weights : plan->weights;
	running->row_tiles = (plan->view_columns + FAST_TILE - 1) / FAST_TILE;
	if (!reserve_results(running, (size_t)plan->blocks * kernel->slot_block) ||
	    (kernel->wide && !widen_image(running)))
		return false;
	crew_do(running->scratch->crew, running->threads, running->pieces, kernels_part, running);
	return true;
}

static void depthwise_part(void *user, unsigned thread, unsigned piece)
{
	const struct running *running = user;
	const struct fast_plan *plan = running->plan;
	const struct fast_scratch *scratch = running->scratch;
	const struct fast_desk *desk = &scratch->desk[thread];
	const ai8x_layer *layer = &plan->layer;
	struct fast_output output = fast_output_stage(plan);
	output.sums = desk->sums;
	output.offset = plan->offset;
	output.stride = plan->channels;
	const uint32_t pixels = layer->output_rows * layer->output_columns;
	const uint32_t end = crew_share(pixels, piece + 1, running->pieces);
	for (uint32_t first = crew_share(pixels, piece, running->pieces); first < end; first += FAST_TILE) {
		output.pixels = end - first < FAST_TILE ? end - first : FAST_TILE;
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
			                        desk->sums + (size_t)p * plan->channels);
		}
		fast_deliver(plan, desk, running->job, &output, first);
	}
}

static bool run_depthwise(struct running *running)
{
	if (!reserve_results(running, running->plan->channels))
		return false;
	crew_do(running->scratch->crew, running->threads, running->pieces, depthwise_part, running);
	return true;
}

static void image_part(void *user, unsigned thread, unsigned piece)
{
	(void)thread;
	const struct running *running = user;
	const uint32_t pixels = running->plan->layer.output_rows * running->plan->layer.output_columns;
	const uint32_t first = crew_share(pixels, piece, running->pieces);
	fast_deliver_image(running->plan, running->scratch, running->job, first,
	                   crew_share(pixels, piece + 1, running->pieces) - first);
}

// How many threads a layer is worth. They are started when the first one is.
static unsigned threads_of(const struct fast_plan *plan, struct fast_scratch *scratch,
                           const struct fast_job *job)
{
	const uint64_t worth = plan->effort / (scratch->share != 0 ? scratch->share : FAST_SHARE);
	if (scratch->threads < 2 || worth < 2 || !fast_any_order(plan, job))
		return 1;
	if (scratch->crew == NULL)
		scratch->crew = crew_create(scratch->threads);
	const unsigned size = crew_size(scratch->crew);
	return worth < size ? (unsigned)worth : size;
}

ai8x_status fast_run(const struct fast_plan *plan, struct fast_scratch *scratch, const struct fast_job *job)
{
	const ai8x_layer *layer = &plan->layer;
	const unsigned threads = threads_of(plan, scratch, job);
	struct running running = {
		.plan = plan,
		.scratch = scratch,
		.job = job,
		.threads = threads,
		.pieces = fast_pieces(threads),
	};
	if (!fast_gather(plan, scratch, job, threads))
		return AI8X_ERR_NO_MEMORY;
	if (plan->windows)
		close_up(plan, scratch->image);
	if (layer_has_kernels(layer)) {
		bool done = layer->depthwise            ? run_depthwise(&running)
		            : plan->transformed != NULL ? fast_winograd_run(plan, scratch, job, threads)
		                                        : run_kernels(&running);
		if (done && job->output != NULL && job->write_ring != 0 && plan->fills_ring)
			fast_fill_ring(plan, job);
		return done ? AI8X_OK : AI8X_ERR_NO_MEMORY;
	}
	crew_do(scratch->crew, running.threads, running.pieces, image_part, &running);
	return AI8X_OK;
}
