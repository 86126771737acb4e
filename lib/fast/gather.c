// Data memory -> image: words of several instances become pixels of signed bytes, channels side by side,
// pooled, combined and padded (hardware reference 4.2 to 4.4, 4.6).
#include "fast/fast.h"
#include "layer/geometry.h"

#include <stdlib.h>
#include <string.h>

bool fast_reserve(void **buffer, size_t *size, size_t need)
{
	if (*size >= need)
		return true;
	free(*buffer);
	*size = 0;
	// Room past the end: pooling reads whole strips of channels, of the last window's last operand too. What it
	// finds there indexes the table of averages, so it has a value, whatever it is.
	const size_t room = (need + 128 + 63) / 64 * 64;
	*buffer = aligned_alloc(64, room);
	if (*buffer == NULL)
		return false;
	memset(*buffer, 0, room);
	*size = need;
	return true;
}

struct sources {
	const uint32_t *word[AI8X_INSTANCES];
	unsigned count;
};

static void find_sources(const struct fast_plan *plan, const struct fast_job *job, struct sources *sources)
{
	sources->count = plan->instances;
	for (unsigned k = 0; k < plan->instances; k++) {
		const unsigned instance = plan->instance[k];
		const uint32_t *image = job->input != NULL ? job->input->word[instance] : NULL;
		sources->word[k] = image != NULL ? image : job->data->word[instance] + plan->base[k];
	}
}

// Consecutive words: each contributes four bytes per instance.
static void copy_words(const struct fast_plan *plan, const struct sources *sources, uint32_t first,
                       uint32_t count, uint8_t flip, int8_t *to)
{
	struct fast_interleave interleave = {
		.sources = sources->count,
		.count = count,
		.flip = flip * UINT32_C(0x01010101),
		.to = to,
	};
	for (unsigned k = 0; k < sources->count; k++)
		interleave.word[k] = sources->word[k] + first;
	plan->kernel->interleave(&interleave);
}

// Pixels first .. first + count of the unpooled image, passes and operands side by side.
static void copy_pixels(const struct fast_plan *plan, const struct sources *sources, uint32_t first,
                        uint32_t count, uint8_t flip, int8_t *to)
{
	const ai8x_layer *layer = &plan->layer;
	const uint32_t words = layer->passes * layer->operands;
	if (layer->chw) {
		memset(to, flip, (size_t)count * plan->lanes);
		for (unsigned k = 0; k < sources->count; k++) {
			for (uint32_t x = first; x < first + count; x++)
				to[(size_t)(x - first) * plan->lanes + 4 * k] =
					(int8_t)((sources->word[k][x / 4] >> (8 * (x % 4)) & 0xff) ^ flip);
		}
		return;
	}
	if (layer->pixel_step == words) {
		copy_words(plan, sources, first * words, count * words, flip, to);
		return;
	}
	for (uint32_t x = 0; x < count; x++)
		copy_words(plan, sources, (first + x) * layer->pixel_step, words, flip,
		           to + (size_t)x * words * plan->lanes);
}

static uint32_t pool_kind(const ai8x_layer *layer)
{
	switch (layer->pooling) {
	case AI8X_POOL_MAX:
		return FAST_POOL_MAX;
	case AI8X_POOL_AVERAGE:
		return FAST_POOL_AVERAGE;
	case AI8X_POOL_NONE:
		break;
	}
	return FAST_POOL_NONE;
}

// Everything about pooling that is the same for all rows.
static struct fast_pool pool_stage(const struct fast_plan *plan, uint32_t scale, uint8_t flip)
{
	const ai8x_layer *layer = &plan->layer;
	const size_t pixel = (size_t)plan->channels * layer->operands;
	return (struct fast_pool){
		.step = layer->pool_stride * pixel,
		.row_step = (size_t)layer->pool_dilation_rows * layer->columns * pixel,
		.column_step = layer->pool_dilation_columns * pixel,
		.rows = layer->pool_rows,
		.columns = layer->pool_columns,
		.count = layer->pooled_columns,
		.passes = layer->passes,
		.operands = layer->operands,
		.lanes = plan->lanes,
		.kind = pool_kind(layer),
		.eltwise = layer->eltwise,
		.combine_first = !layer->pool_first,
		.average = plan->average,
		.flip = flip,
		.to_step = (size_t)scale * plan->channels,
	};
}

static uint32_t samples_needed(const ai8x_layer *layer)
{
	const uint32_t row =
		(layer->pooled_rows - 1) * layer->pool_stride + (layer->pool_rows - 1) * layer->pool_dilation_rows;
	const uint32_t column = (layer->pooled_columns - 1) * layer->pool_stride +
	                        (layer->pool_columns - 1) * layer->pool_dilation_columns;
	return row * layer->columns + column + 1;
}

// An image that is being gathered, in pieces.
struct gathering {
	const struct fast_plan *plan;
	struct fast_scratch *scratch;
	struct sources sources;
	uint32_t scale;
	uint8_t flip;   // of pixels as they are copied
	int8_t *to;     // of copies of consecutive pixels
	uint32_t count; // of them
	bool direct;    // rows are copied to the image, not pooled
	struct fast_pool pool;
	unsigned pieces;
};

static void pixels_part(void *user, unsigned thread, unsigned piece)
{
	(void)thread;
	const struct gathering *all = user;
	const uint32_t first = crew_share(all->count, piece, all->pieces);
	const uint32_t end = crew_share(all->count, piece + 1, all->pieces);
	const size_t bytes = (size_t)all->plan->channels * all->plan->layer.operands;
	copy_pixels(all->plan, &all->sources, first, end - first, all->flip, all->to + first * bytes);
}

static void rows_part(void *user, unsigned thread, unsigned piece)
{
	(void)thread;
	const struct gathering *all = user;
	const struct fast_plan *plan = all->plan;
	const ai8x_layer *layer = &plan->layer;
	struct fast_pool pool = all->pool;
	const uint32_t end = crew_share(layer->pooled_rows, piece + 1, all->pieces);
	for (uint32_t row = crew_share(layer->pooled_rows, piece, all->pieces); row < end; row++) {
		pool.to = all->scratch->image +
		          ((size_t)(row * all->scale + layer->pad_rows) * plan->image_columns + layer->pad_columns) *
		              plan->channels;
		if (all->direct) {
			copy_pixels(plan, &all->sources, row * layer->columns, layer->pooled_columns, all->flip, pool.to);
			continue;
		}
		pool.samples = all->scratch->samples +
		               (size_t)row * layer->pool_stride * layer->columns * plan->channels * layer->operands;
		plan->kernel->pool(&pool);
	}
}

// The image, with the bytes of kernels that have unsigned operands offset by 128.
bool fast_gather(const struct fast_plan *plan, struct fast_scratch *scratch, const struct fast_job *job,
                 unsigned threads)
{
	const ai8x_layer *layer = &plan->layer;
	const size_t size = (size_t)plan->image_rows * plan->image_columns * plan->channels;
	const uint8_t flip = plan->flip;
	const bool padded = layer->pad_rows > 0 || layer->pad_columns > 0 || layer->transposed;
	const bool plain = layer->operands == 1 && layer->pooling == AI8X_POOL_NONE && layer->pool_stride == 1;
	struct gathering all = {.plan = plan, .scratch = scratch, .pieces = fast_pieces(threads)};
	if (!fast_reserve((void **)&scratch->image, &scratch->image_size, size + plan->room))
		return false;
	find_sources(plan, job, &all.sources);
	if (padded)
		memset(scratch->image, flip, size);
	all.scale = layer->transposed ? 2 : 1;
	if (plain && !padded && layer->columns == layer->pooled_columns) {
		all.flip = flip;
		all.to = scratch->image;
		all.count = layer->pooled_rows * layer->columns;
		crew_do(scratch->crew, threads, all.pieces, pixels_part, &all);
		return true;
	}
	// Pooling works on signed values: theirs are offset when the pooled pixel is complete.
	const uint8_t late = plain ? 0 : flip;
	all.flip = flip ^ late;
	all.direct = plain && all.scale == 1;
	if (!all.direct) {
		all.count = samples_needed(layer);
		const size_t need = (size_t)all.count * plan->channels * layer->operands;
		if (!fast_reserve((void **)&scratch->samples, &scratch->samples_size, need))
			return false;
		all.to = scratch->samples;
		all.pool = pool_stage(plan, all.scale, late);
		crew_do(scratch->crew, threads, all.pieces, pixels_part, &all);
	}
	crew_do(scratch->crew, threads, all.pieces, rows_part, &all);
	return true;
}
