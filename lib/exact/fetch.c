// Fetch: the read pointers (hardware reference 4.2). Receives the sequencer's position, hands on one
// signed byte per lane.
#include "exact/exact.h"
#include "layer/geometry.h"

#include <string.h>

void fetch_prepare(struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	x->instances = 0;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		uint32_t enabled = (uint32_t)(layer->processors >> (4 * i)) & 15;
		if (enabled == 0)
			continue;
		uint32_t mask = 0;
		for (unsigned lane = 0; lane < 4; lane++)
			mask |= enabled >> lane & 1 ? UINT32_C(0xff) << (8 * lane) : 0;
		unsigned k = x->instances++;
		x->instance[k] = (uint8_t)i;
		x->base[k] = layer_read_base(layer, i);
		x->byte_mask[k] = mask;
	}
	// At least one group of lanes, so that a layer without processors needs no special case.
	x->lanes = x->instances == 0 ? 16 : (4 * x->instances + 15) / 16 * 16;
}

// Input pixel (before pooling) of position `position` in the current pooling window.
static uint32_t input_pixel(const struct exact_layer *x, uint32_t position)
{
	const ai8x_layer *layer = &x->layer;
	uint32_t row = x->row - layer->pad_rows, column = x->column - layer->pad_columns;
	if (layer->transposed) {
		row /= 2;
		column /= 2;
	}
	row = row * layer->pool_stride + position / layer->pool_columns * layer->pool_dilation_rows;
	column = column * layer->pool_stride + position % layer->pool_columns * layer->pool_dilation_columns;
	return row * layer->columns + column;
}

uint64_t exact_layer_needs(const struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	if (x->phase == PHASE_DONE || x->row < layer->pad_rows || x->row >= layer->pad_rows + x->image_rows ||
	    x->column < layer->pad_columns || x->column >= layer->pad_columns + x->image_columns)
		return 0;
	return (uint64_t)input_pixel(x, layer->pool_rows * layer->pool_columns - 1) + 1;
}

// The zeros that transposed convolution inserts take the time of a read but read nothing.
static bool inserted_zero(const struct exact_layer *x)
{
	return x->layer.transposed &&
	       (((x->row - x->layer.pad_rows) | (x->column - x->layer.pad_columns)) & 1) != 0;
}

EXACT_TELLS static void tell(const struct exact_layer *x, unsigned k, uint32_t word, uint32_t value,
                             uint32_t pixel)
{
	uint32_t lanes = 0;
	for (unsigned lane = 0; lane < 4; lane++)
		lanes |= (x->byte_mask[k] >> (8 * lane) & 1) << lane;
	ai8x_event event = {
		.kind = AI8X_EVENT_DATA_READ,
		.cycle = x->context->cycle,
		.layer = &x->layer,
		.u.data =
			{
				.instance = x->instance[k],
				// A CHW word holds four pixels of one channel: the read uses one of its bytes.
				.lanes = (uint8_t)(x->layer.chw ? 1u << (pixel % 4) : lanes),
				.word = word,
				.value = value,
				.pixel = pixel,
				.pass = x->pass,
				.operand = x->operand,
			},
	};
	x->context->emit(x->context->user, &event);
}

void fetch_read(struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	if (inserted_zero(x)) {
		memset(x->sample, 0, sizeof x->sample);
		return;
	}
	uint32_t pixel = input_pixel(x, x->position);
	uint32_t pass = x->pass < layer->passes ? x->pass : x->pass - layer->passes;
	uint32_t offset =
		layer->chw ? pixel / 4 : pixel * layer->pixel_step + pass * layer->operands + x->operand;
	uint32_t wrapped = layer->ring_words != 0 ? offset % layer->ring_words : offset;
	for (unsigned k = 0; k < x->instances; k++) {
		uint32_t word = x->base[k] + wrapped;
		const uint32_t *image = x->input != NULL ? x->input->word[x->instance[k]] : NULL;
		uint32_t value = image != NULL ? image[offset] : x->context->data->word[x->instance[k]][word];
		if (exact_wants(x, AI8X_EVENT_DATA_READ))
			tell(x, k, word, value, pixel);
		if (layer->chw)
			value = value >> (8 * (pixel % 4)) & 0xff;
		value &= x->byte_mask[k];
		for (unsigned lane = 0; lane < 4; lane++)
			x->sample[4 * k + lane] = (int8_t)(value >> (8 * lane));
	}
	x->counters->words_read += x->instances;
}
