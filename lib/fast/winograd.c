// 3x3 kernels with a quarter of the products: which layers pay, their transformed weights, and a run in tiles of
// 4 x 4 output pixels. What is computed, and why it is exact, is written in winograd_template.h.
#include "fast/fast.h"
#include "layer/geometry.h"

#include <stdlib.h>
#include <string.h>

enum {
	PLANES = 36, // products of a tile, per channel and slot
	TILE = 4,    // output pixels across
	TAPS = 9,    // of a kernel
	MOST = 64,   // tiles that are worked on together
	FEW = 32,    // the same where they need much memory
	ALIKE = 192, // bytes of a tile and plane, windows and products, up to which MOST stay in the second cache
	ROOM = 32,   // values past a plane that transforming may write
	LINE = 16,   // sums of a cache line
	STRIP = 16,  // channels that are transformed together
	FETCH = 5,   // tiles that cost as much as fetching the planes of weights
	COST_UNIT = 8, // of the costs of struct fast_winograd
	NARROW_UNIT = 6,
};

// Sums of this size would not survive the last shift: 128 times the weights of a slot must stay below.
#define SUM_BOUND (INT32_C(1) << 25)

static uint32_t tiles_across(uint32_t pixels)
{
	return (pixels + TILE - 1) / TILE;
}

// Whether the last tile across has one or two pixels: it takes four of six planes then.
static bool last_is_short(uint32_t pixels)
{
	return pixels % TILE == 1 || pixels % TILE == 2;
}

static uint32_t planes_across(uint32_t pixels)
{
	return 6 * tiles_across(pixels) - (last_is_short(pixels) ? 2 : 0);
}

// Tiles that are worked on together. Weights are fetched once for all of them.
static uint32_t together(const struct fast_plan *plan)
{
	const size_t stride = (size_t)plan->blocks * plan->kernel->slot_block;
	return plan->channels * sizeof(int16_t) + stride * sizeof(int32_t) <= ALIKE ? MOST : FEW;
}

// Tiles that there is room for: at least a row of them, as an even number.
static size_t room_for(const struct fast_plan *plan)
{
	const uint32_t across = tiles_across(plan->layer.output_columns), most = together(plan);
	return across > most ? (across + 1) / 2 * 2 : most;
}

// Values between planes: an odd number of cache lines, so that the planes of a tile do not fight for the same places
// of the first cache.
static size_t window_plane(const struct fast_plan *plan)
{
	return room_for(plan) * plan->channels + ROOM;
}

static size_t product_plane(const struct fast_plan *plan, size_t stride)
{
	return room_for(plan) * stride + LINE;
}

static bool sums_are_bounded(const struct fast_plan *plan, const int8_t *weights)
{
	const size_t depth = (size_t)TAPS * plan->channels;
	for (uint32_t slot = 0; slot < plan->layer.slots; slot++) {
		int32_t sum = 0;
		for (size_t k = 0; k < depth; k++)
			sum += abs(weights[slot * depth + k]);
		if (sum >= SUM_BOUND / 128)
			return false;
	}
	return true;
}

bool fast_winograd_pays(const struct fast_plan *plan, const int8_t *weights)
{
	const ai8x_layer *layer = &plan->layer;
	const struct fast_winograd *way = plan->kernel->winograd;
	if (way == NULL || layer->kernel_rows != 3 || layer->kernel_columns != 3 || plan->run_rows != 3)
		return false;
	const uint64_t channels = plan->channels, stride = (uint64_t)plan->blocks * plan->kernel->slot_block;
	// Windows are transformed by whole strips; of narrow weights, bytes add up several products before they widen.
	const uint64_t strips = (channels + STRIP - 1) / STRIP * STRIP;
	const uint64_t unit = layer->weight_bits < 8 ? NARROW_UNIT : COST_UNIT;
	const uint64_t tiles = (uint64_t)tiles_across(layer->output_rows) * tiles_across(layer->output_columns);
	const uint64_t plain = (uint64_t)layer->output_rows * layer->output_columns * TAPS * channels * stride;
	// Fetching 36 planes of weights costs about what so many tiles more would.
	const uint64_t planes =
		(uint64_t)planes_across(layer->output_rows) * planes_across(layer->output_columns);
	const uint64_t cost = (planes + FETCH * PLANES) * way->product_cost * channels * stride +
	                      PLANES * tiles * (way->window_cost * strips + way->sum_cost * stride);
	return cost < unit * plain && sums_are_bounded(plan, weights);
}

// Three values of a kernel to six.
static void kernel_line(const int16_t *g, size_t step, int16_t *u, size_t to_step)
{
	const int32_t a = g[0], b = g[step], c = g[2 * step];
	u[0] = (int16_t)(6 * a);
	u[to_step] = (int16_t)(a + b + c);
	u[2 * to_step] = (int16_t)(a - b + c);
	u[3 * to_step] = (int16_t)(a + 2 * b + 4 * c);
	u[4 * to_step] = (int16_t)(a - 2 * b + 4 * c);
	u[5 * to_step] = (int16_t)(6 * c);
}

void fast_winograd_kernel(const int8_t *weights, size_t step, int16_t *to, size_t plane)
{
	int16_t kernel[TAPS], half[6 * 3];
	for (uint32_t tap = 0; tap < TAPS; tap++)
		kernel[tap] = weights[tap * step];
	for (uint32_t column = 0; column < 3; column++)
		kernel_line(kernel + column, 3, half + column, 3);
	for (uint32_t row = 0; row < 6; row++)
		kernel_line(half + 3 * (size_t)row, 1, to + 6 * row * plane, plane);
}

ai8x_status fast_winograd_plan(struct fast_plan *plan, const int8_t *weights)
{
	const struct fast_winograd *way = plan->kernel->winograd;
	const uint32_t slots = plan->layer.slots, channels = plan->channels;
	const size_t plane = (size_t)slots * channels;
	const size_t packed = way->packed_size(plan->blocks, 1, channels);
	int16_t *transformed = malloc(PLANES * plane * sizeof *transformed);
	plan->transformed = aligned_alloc(64, (PLANES * packed + 127) / 64 * 64);
	if (transformed == NULL || plan->transformed == NULL) {
		free(transformed);
		return AI8X_ERR_NO_MEMORY;
	}
	plan->flip = 0;
	// A window of the last tile begins before the image's end and may reach three rows and three pixels past it.
	plan->room = (TILE - 1) * (plan->row_stride + channels) + ROOM;
	for (uint32_t slot = 0; slot < slots; slot++)
		for (uint32_t c = 0; c < channels; c++)
			fast_winograd_kernel(weights + (size_t)slot * TAPS * channels + c, channels,
			                     transformed + (size_t)slot * channels + c, plane);
	for (uint32_t p = 0; p < PLANES; p++)
		way->pack(transformed + p * plane, slots, plan->blocks, channels,
		          (int8_t *)plan->transformed + p * packed);
	free(transformed);
	return AI8X_OK;
}

// Tiles that are worked on together: `rows` times `columns` of them. Short ones are the last of a row or column, with one
// or two pixels. A plane has first the tiles at the end of whole rows that are short, then the other tiles of these rows,
// then the short row, its own short tile last: so each plane's tiles lie side by side.
struct patch {
	uint32_t row, column;           // first tile
	uint32_t rows, columns;         // at least one
	bool short_rows, short_columns; // the last one is
	uint32_t whole_rows, whole_columns;
	size_t stride;          // sums of a pixel
	struct fast_desk *desk; // of the thread
};

// Tiles of a row: the whole ones (`end` false), or the short one at its end.
struct run_of_tiles {
	uint32_t first, count; // in a plane
	bool short_rows, short_columns;
};

static struct run_of_tiles tiles_of(const struct patch *patch, uint32_t row, bool end)
{
	const bool short_row = row >= patch->whole_rows;
	const uint32_t ends = patch->short_columns ? patch->whole_rows : 0;
	const uint32_t whole = ends + row * patch->whole_columns;
	return (struct run_of_tiles){
		.first = !end        ? whole
	             : short_row ? whole + patch->whole_columns
	                         : row,
		.count = !end ? patch->whole_columns : patch->short_columns,
		.short_rows = short_row,
		.short_columns = end,
	};
}

static void transform_tiles(const struct fast_plan *plan, const struct fast_scratch *scratch,
                            const struct patch *patch, uint32_t row, bool end)
{
	const struct run_of_tiles tiles = tiles_of(patch, row, end);
	const uint32_t column = patch->column + (end ? patch->whole_columns : 0);
	if (tiles.count == 0)
		return;
	plan->kernel->winograd->windows(&(struct fast_windows){
		.image =
			scratch->image + TILE * ((patch->row + row) * plan->row_stride + (size_t)column * plan->channels),
		.pixel_stride = plan->channels,
		.row_stride = plan->row_stride,
		.channels = plan->channels,
		.tiles = tiles.count,
		.short_rows = tiles.short_rows,
		.short_columns = tiles.short_columns,
		.plane = window_plane(plan),
		.to = patch->desk->wide + (size_t)tiles.first * plan->channels,
	});
}

// In the order of their places: what is written past a tile's last channel is replaced by the next.
static void transform_windows(const struct fast_plan *plan, const struct fast_scratch *scratch,
                              const struct patch *patch)
{
	for (uint32_t row = 0; row < patch->whole_rows; row++)
		transform_tiles(plan, scratch, patch, row, true);
	for (uint32_t row = 0; row < patch->rows; row++)
		transform_tiles(plan, scratch, patch, row, false);
	if (patch->short_rows)
		transform_tiles(plan, scratch, patch, patch->whole_rows, true);
}

// Planes that tiles of two pixels do without.
static bool is_spared(uint32_t plane)
{
	return plane == 3 || plane == 4;
}

static void multiply(const struct fast_plan *plan, const struct patch *patch)
{
	const struct fast_winograd *way = plan->kernel->winograd;
	const size_t packed = way->packed_size(plan->blocks, 1, plan->channels);
	const uint32_t ends = patch->short_columns ? patch->whole_rows : 0;
	const uint32_t whole = patch->whole_rows * patch->whole_columns;
	struct fast_conv conv = {
		.pixel_stride = plan->channels,
		.rows = 1,
		.run = plan->channels,
		.blocks = plan->blocks,
	};
	for (uint32_t p = 0; p < PLANES; p++) {
		const bool without_rows = is_spared(p / 6), without_columns = is_spared(p % 6);
		const uint32_t first = without_columns ? ends : 0;
		const uint32_t end = without_rows      ? ends + whole
		                     : without_columns ? ends + patch->rows * patch->whole_columns
		                                       : patch->rows * patch->columns;
		conv.pixels = end - first;
		conv.image = patch->desk->wide + p * window_plane(plan) + (size_t)first * plan->channels;
		conv.weights = (const int8_t *)plan->transformed + p * packed;
		conv.sums = patch->desk->products + p * product_plane(plan, patch->stride) + first * patch->stride;
		if (conv.pixels > 0)
			way->conv(&conv);
	}
}

// Products of a row of tiles to four rows of sums.
static void transform_sums(const struct fast_plan *plan, const struct patch *patch, uint32_t row)
{
	const size_t stride = patch->stride;
	for (unsigned end = 0; end < 2; end++) {
		const struct run_of_tiles tiles = tiles_of(patch, row, end != 0);
		if (tiles.count == 0)
			continue;
		plan->kernel->winograd->sums(&(struct fast_products){
			.products = patch->desk->products + tiles.first * stride,
			.plane = product_plane(plan, stride),
			.stride = stride,
			.tiles = tiles.count,
			.short_rows = tiles.short_rows,
			.short_columns = tiles.short_columns,
			.to = patch->desk->sums + (end ? (size_t)patch->whole_columns * TILE * stride : 0),
			.row_step = (size_t)patch->columns * TILE * stride,
		});
	}
}

// One row of tiles: four rows of pixels, of which those inside of the output are delivered.
static void deliver_tiles(const struct fast_plan *plan, const struct fast_job *job, const struct patch *patch,
                          uint32_t row)
{
	const ai8x_layer *layer = &plan->layer;
	const size_t stride = patch->stride;
	transform_sums(plan, patch, row);
	struct fast_output output = fast_output_stage(plan);
	output.offset = plan->offset;
	output.stride = stride;
	const uint32_t column = patch->column * TILE;
	const uint32_t inside = layer->output_columns - column;
	const uint32_t pixels = patch->columns * TILE < inside ? patch->columns * TILE : inside;
	for (uint32_t r = 0; r < TILE && (patch->row + row) * TILE + r < layer->output_rows; r++) {
		const uint32_t first = ((patch->row + row) * TILE + r) * layer->output_columns + column;
		for (uint32_t x = 0; x < pixels; x += FAST_TILE) {
			output.sums = patch->desk->sums + ((size_t)r * patch->columns * TILE + x) * stride;
			output.pixels = pixels - x < FAST_TILE ? pixels - x : FAST_TILE;
			fast_deliver(plan, patch->desk, job, &output, first + x);
		}
	}
}

static bool reserve(const struct fast_plan *plan, struct fast_desk *desk, size_t stride)
{
	const size_t wide = PLANES * window_plane(plan);
	return fast_reserve((void **)&desk->wide, &desk->wide_size, wide * sizeof(int16_t)) &&
	       fast_reserve((void **)&desk->products, &desk->products_size,
	                    PLANES * product_plane(plan, stride) * sizeof(int32_t)) &&
	       fast_reserve((void **)&desk->sums, &desk->sums_size,
	                    room_for(plan) * TILE * TILE * stride * sizeof(int32_t)) &&
	       fast_reserve((void **)&desk->results, &desk->results_size, FAST_TILE * stride);
}

// All patches of a layer: `down` times `across` tiles, `rows` times `columns` at a time.
struct patches {
	const struct fast_plan *plan;
	struct fast_scratch *scratch;
	const struct fast_job *job;
	size_t stride;
	uint32_t down, across, rows, columns;
	unsigned pieces;
};

static void find_short_tiles(const struct patches *all, struct patch *patch)
{
	const ai8x_layer *layer = &all->plan->layer;
	patch->short_rows = last_is_short(layer->output_rows) && patch->row + patch->rows == all->down;
	patch->short_columns =
		last_is_short(layer->output_columns) && patch->column + patch->columns == all->across;
	patch->whole_rows = patch->rows - (patch->short_rows ? 1 : 0);
	patch->whole_columns = patch->columns - (patch->short_columns ? 1 : 0);
}

static void patches_part(void *user, unsigned thread, unsigned piece)
{
	const struct patches *all = user;
	const uint32_t steps = (all->down + all->rows - 1) / all->rows;
	const uint32_t first = crew_share(steps, piece, all->pieces) * all->rows;
	const uint32_t last = crew_share(steps, piece + 1, all->pieces) * all->rows;
	const uint32_t end = last < all->down ? last : all->down;
	for (uint32_t row = first; row < end; row += all->rows) {
		for (uint32_t column = 0; column < all->across; column += all->columns) {
			struct patch patch = {
				.row = row,
				.column = column,
				.rows = end - row < all->rows ? end - row : all->rows,
				.columns = all->across - column < all->columns ? all->across - column : all->columns,
				.stride = all->stride,
				.desk = &all->scratch->desk[thread],
			};
			find_short_tiles(all, &patch);
			transform_windows(all->plan, all->scratch, &patch);
			multiply(all->plan, &patch);
			for (uint32_t r = 0; r < patch.rows; r++)
				deliver_tiles(all->plan, all->job, &patch, r);
		}
	}
}

bool fast_winograd_run(const struct fast_plan *plan, struct fast_scratch *scratch, const struct fast_job *job,
                       unsigned threads)
{
	struct patches all = {
		.plan = plan,
		.scratch = scratch,
		.job = job,
		.stride = (size_t)plan->blocks * plan->kernel->slot_block,
		.down = tiles_across(plan->layer.output_rows),
		.across = tiles_across(plan->layer.output_columns),
		.pieces = fast_pieces(threads),
	};
	for (unsigned i = 0; i < threads; i++)
		if (!reserve(plan, &scratch->desk[i], all.stride))
			return false;
	// Wide images: pieces of a row, about as large; narrow ones: whole rows. In a ring, pixels replace earlier ones,
	// so that they have to be written in their order: only whole rows.
	const uint32_t most = together(plan);
	const uint32_t pieces = job->write_ring != 0 ? 1 : (all.across + most - 1) / most;
	all.columns = (all.across + pieces - 1) / pieces;
	all.rows = all.columns < most ? most / all.columns : 1;
	// Rows of tiles for every thread.
	const uint32_t share = all.down / threads > 0 ? all.down / threads : 1;
	all.rows = all.rows < share ? all.rows : share;
	crew_do(scratch->crew, threads, all.pieces, patches_part, &all);
	return true;
}
