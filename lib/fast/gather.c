// Data memory -> image: words of several instances become pixels of signed bytes, channels side by side,
// pooled, combined and padded (hardware reference 4.2 to 4.4, 4.6).
#include "fast/fast.h"

#include <stdlib.h>
#include <string.h>

bool fast_reserve(void **buffer, size_t *size, size_t need)
{
	if (*size >= need)
		return true;
	free(*buffer);
	*size = 0;
	// Room behind the end: kernels may load whole vectors.
	*buffer = aligned_alloc(64, (need + 128 + 63) / 64 * 64);
	if (*buffer == NULL)
		return false;
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
static void copy_words(const struct fast_plan *plan, const struct sources *sources, uint32_t first, uint32_t count,
                       uint8_t flip, int8_t *to)
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
static void copy_pixels(const struct fast_plan *plan, const struct sources *sources, uint32_t first, uint32_t count,
                        uint8_t flip, int8_t *to)
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

static int32_t clip8(int32_t value)
{
	return value < -128 ? -128 : value > 127 ? 127 : value;
}

static void fold(ai8x_eltwise eltwise, int32_t *restrict into, const int32_t *restrict value, uint32_t count)
{
	switch (eltwise) {
	case AI8X_ELTWISE_SUB:
		for (uint32_t i = 0; i < count; i++)
			into[i] -= value[i];
		break;
	case AI8X_ELTWISE_ADD:
		for (uint32_t i = 0; i < count; i++)
			into[i] += value[i];
		break;
	case AI8X_ELTWISE_OR:
		for (uint32_t i = 0; i < count; i++)
			into[i] |= value[i];
		break;
	case AI8X_ELTWISE_XOR:
		for (uint32_t i = 0; i < count; i++)
			into[i] ^= value[i];
		break;
	}
}

// Largest of a window, over all channels of a pixel at once.
static void pool_max(const int8_t *corner, const ai8x_layer *layer, size_t row_step, size_t column_step,
                     uint32_t channels, int8_t *restrict to)
{
	memcpy(to, corner, channels);
	for (uint32_t a = 0; a < layer->pool_rows; a++) {
		for (uint32_t b = 0; b < layer->pool_columns; b++) {
			const int8_t *restrict from = corner + a * row_step + b * column_step;
			for (uint32_t c = 0; c < channels; c++)
				to[c] = from[c] > to[c] ? from[c] : to[c];
		}
	}
}

static void pool_average(const struct fast_plan *plan, const int8_t *corner, size_t row_step, size_t column_step,
                         uint32_t channels, int8_t *to)
{
	const ai8x_layer *layer = &plan->layer;
	const int32_t bias = 128 * (int32_t)(layer->pool_rows * layer->pool_columns);
	// In strips that stay in registers and the nearest cache.
	for (uint32_t strip = 0; strip < channels; strip += AI8X_PROCESSORS) {
		const uint32_t count = channels - strip < AI8X_PROCESSORS ? channels - strip : AI8X_PROCESSORS;
		int32_t sum[AI8X_PROCESSORS] = {0};
		for (uint32_t a = 0; a < layer->pool_rows; a++) {
			for (uint32_t b = 0; b < layer->pool_columns; b++) {
				const int8_t *from = corner + a * row_step + b * column_step + strip;
				for (uint32_t c = 0; c < count; c++)
					sum[c] += from[c];
			}
		}
		for (uint32_t c = 0; c < count; c++)
			to[strip + c] = plan->average[sum[c] + bias];
	}
}

// One pooled pixel of a layer without operands: all passes at once.
static void pool_plain(const struct fast_plan *plan, const int8_t *corner, size_t row_step, size_t column_step,
                       int8_t *to)
{
	switch (plan->layer.pooling) {
	case AI8X_POOL_NONE:
		memcpy(to, corner, plan->channels);
		break;
	case AI8X_POOL_MAX:
		pool_max(corner, &plan->layer, row_step, column_step, plan->channels, to);
		break;
	case AI8X_POOL_AVERAGE:
		pool_average(plan, corner, row_step, column_step, plan->channels, to);
		break;
	}
}

// Pool each operand, then combine.
static void combine_last(const struct fast_plan *plan, const int8_t *corner, size_t row_step, size_t column_step,
                         int8_t *to)
{
	const ai8x_layer *layer = &plan->layer;
	int32_t result[AI8X_PROCESSORS], value[AI8X_PROCESSORS];
	int8_t pooled[AI8X_PROCESSORS];
	for (uint32_t operand = 0; operand < layer->operands; operand++) {
		const int8_t *from = corner + (size_t)operand * plan->lanes;
		if (layer->pooling == AI8X_POOL_MAX)
			pool_max(from, layer, row_step, column_step, plan->lanes, pooled);
		else if (layer->pooling == AI8X_POOL_AVERAGE)
			pool_average(plan, from, row_step, column_step, plan->lanes, pooled);
		else
			memcpy(pooled, from, plan->lanes);
		for (uint32_t lane = 0; lane < plan->lanes; lane++)
			value[lane] = pooled[lane];
		if (operand == 0)
			memcpy(result, value, sizeof result);
		else
			fold(layer->eltwise, result, value, plan->lanes);
	}
	for (uint32_t lane = 0; lane < plan->lanes; lane++)
		to[lane] = (int8_t)clip8(result[lane]);
}

// Combine (and clip) at every position of the window, then pool.
static void combine_first(const struct fast_plan *plan, const int8_t *corner, size_t row_step, size_t column_step,
                          int8_t *to)
{
	const ai8x_layer *layer = &plan->layer;
	int32_t pooled[AI8X_PROCESSORS], result[AI8X_PROCESSORS], value[AI8X_PROCESSORS];
	const int32_t bias = 128 * (int32_t)(layer->pool_rows * layer->pool_columns);
	for (uint32_t lane = 0; lane < plan->lanes; lane++)
		pooled[lane] = layer->pooling == AI8X_POOL_MAX ? -128 : 0;
	for (uint32_t a = 0; a < layer->pool_rows; a++) {
		for (uint32_t b = 0; b < layer->pool_columns; b++) {
			for (uint32_t operand = 0; operand < layer->operands; operand++) {
				const int8_t *from = corner + a * row_step + b * column_step + (size_t)operand * plan->lanes;
				for (uint32_t lane = 0; lane < plan->lanes; lane++)
					value[lane] = from[lane];
				if (operand == 0)
					memcpy(result, value, sizeof result);
				else
					fold(layer->eltwise, result, value, plan->lanes);
			}
			for (uint32_t lane = 0; lane < plan->lanes; lane++) {
				int32_t clipped = clip8(result[lane]);
				if (layer->pooling == AI8X_POOL_MAX)
					pooled[lane] = clipped > pooled[lane] ? clipped : pooled[lane];
				else
					pooled[lane] += clipped;
			}
		}
	}
	for (uint32_t lane = 0; lane < plan->lanes; lane++)
		to[lane] = layer->pooling == AI8X_POOL_AVERAGE ? plan->average[pooled[lane] + bias] : (int8_t)pooled[lane];
}

static void pool_pixel(const struct fast_plan *plan, const int8_t *samples, uint32_t row, uint32_t column, int8_t *to)
{
	const ai8x_layer *layer = &plan->layer;
	const size_t pixel = (size_t)plan->channels * layer->operands;
	const size_t column_step = layer->pool_dilation_columns * pixel;
	const size_t row_step = (size_t)layer->pool_dilation_rows * layer->columns * pixel;
	const int8_t *corner =
		samples + ((size_t)row * layer->pool_stride * layer->columns + column * layer->pool_stride) * pixel;
	if (layer->operands == 1) {
		pool_plain(plan, corner, row_step, column_step, to);
		return;
	}
	for (uint32_t pass = 0; pass < layer->passes; pass++) {
		const int8_t *from = corner + (size_t)pass * layer->operands * plan->lanes;
		if (layer->pool_first)
			combine_last(plan, from, row_step, column_step, to + (size_t)pass * plan->lanes);
		else
			combine_first(plan, from, row_step, column_step, to + (size_t)pass * plan->lanes);
	}
}

static uint32_t samples_needed(const ai8x_layer *layer)
{
	const uint32_t row = (layer->pooled_rows - 1) * layer->pool_stride + (layer->pool_rows - 1) * layer->pool_dilation_rows;
	const uint32_t column =
		(layer->pooled_columns - 1) * layer->pool_stride + (layer->pool_columns - 1) * layer->pool_dilation_columns;
	return row * layer->columns + column + 1;
}

// The image, with the bytes of kernels that have unsigned operands offset by 128.
bool fast_gather(const struct fast_plan *plan, struct fast_scratch *scratch, const struct fast_job *job)
{
	const ai8x_layer *layer = &plan->layer;
	const size_t size = (size_t)plan->image_rows * plan->image_columns * plan->channels;
	const uint32_t scale = layer->transposed ? 2 : 1;
	const uint8_t flip = layer_has_kernels(layer) && !layer->depthwise ? plan->kernel->flip : 0;
	const bool padded = layer->pad_rows > 0 || layer->pad_columns > 0 || layer->transposed;
	const bool plain = layer->operands == 1 && layer->pooling == AI8X_POOL_NONE && layer->pool_stride == 1;
	if (!fast_reserve((void **)&scratch->image, &scratch->image_size, size))
		return false;
	struct sources sources;
	find_sources(plan, job, &sources);
	if (padded)
		memset(scratch->image, flip, size);
	if (plain && !padded && layer->columns == layer->pooled_columns) {
		copy_pixels(plan, &sources, 0, layer->pooled_rows * layer->columns, flip, scratch->image);
		return true;
	}
	const bool direct = plain && scale == 1;
	const uint32_t samples = samples_needed(layer);
	// Pooling works on signed values: theirs are offset when the pooled pixel is complete.
	const uint8_t late = plain ? 0 : flip;
	if (!direct) {
		const size_t need = (size_t)samples * plan->channels * layer->operands;
		if (!fast_reserve((void **)&scratch->samples, &scratch->samples_size, need))
			return false;
		copy_pixels(plan, &sources, 0, samples, flip ^ late, scratch->samples);
	}
	for (uint32_t row = 0; row < layer->pooled_rows; row++) {
		int8_t *to = scratch->image +
		             ((size_t)(row * scale + layer->pad_rows) * plan->image_columns + layer->pad_columns) * plan->channels;
		if (direct) {
			copy_pixels(plan, &sources, row * layer->columns, layer->pooled_columns, flip, to);
			continue;
		}
		for (uint32_t column = 0; column < layer->pooled_columns; column++, to += scale * plan->channels) {
			pool_pixel(plan, scratch->samples, row, column, to);
			for (uint32_t c = 0; late != 0 && c < plan->channels; c++)
				to[c] = (int8_t)((uint8_t)to[c] ^ late);
		}
	}
	return true;
}
