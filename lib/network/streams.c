// Line buffers and streaming: when a streaming layer starts, how far it lags, how long its input ring is.
// Facts: hardware reference 5.2, 5.3; register table TPTR, STREAM1, STREAM2, FMAX.

#include "network/lower.h"

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t tram_length(const struct plan_layer *layer)
{
	if (layer->operation == AI8X_OP_PASSTHROUGH)
		return 1;
	uint32_t width = layer->pooled_columns;
	if (layer->operation == AI8X_OP_CONVT2D)
		width = (width - 1) * 2 + 1 + layer->net->output_padding;
	width += 2 * layer->pad_columns;
	return (width > layer->kernel_columns ? width - layer->kernel_columns : 0) + 1;
}

static void line_buffer(struct plan *plan, size_t i)
{
	struct plan_layer *layer = &plan->layers[i];
	bool window = layer->operation == AI8X_OP_CONVT2D || layer->operation == AI8X_OP_PASSTHROUGH ||
	              (layer->operation == AI8X_OP_CONV2D && layer->kernel_rows > 1) ||
	              (layer->operation == AI8X_OP_CONV2D && i > 0 && layer->streaming);
	layer->tram_length = tram_length(layer);
	layer->tram_first = layer->tram_last = 0;
	if (layer->net->flatten) {
		if (layer->flat) {
			layer->tram_first = layer->passes - 1;
			layer->tram_last = 2 * (layer->passes - 1) + 1;
		}
	} else if (window) {
		layer->tram_last = layer->tram_length - 1;
		for (size_t k = 0; i > 0 && layer->streaming && k < i; k++)
			layer->tram_first += plan->layers[k].tram_length * plan->layers[k].in_passes;
		layer->tram_last += layer->tram_first;
	}
}

// Passes that a layer occupies in the order of streaming input volumes.
static uint32_t volume(const struct plan_layer *layer)
{
	bool four = layer->net->tcalc == AI8X_NETWORK_DEFAULT ? layer->net->read_ahead && layer->in_passes > 1
	                                                      : layer->net->tcalc == 1;
	return four ? (layer->in_passes + 3) & ~3u : layer->in_passes;
}

static uint32_t round_up(uint32_t value, uint32_t multiple)
{
	return divide_up(value, multiple) * multiple;
}

static uint32_t fifo_words(const struct plan_layer *layer)
{
	uint32_t words =
		layer->net->flatten ? layer->net->in_rows * layer->net->in_columns : layer->rows * layer->columns;
	return layer->net->chw ? divide_up(words, 4) : words;
}

// MAX78000's equations.
static void counted_stream(const struct plan *plan, size_t i)
{
	struct plan_layer *layer = &plan->layers[i];
	const ai8x_network_layer *net = layer->net;
	uint32_t stride = net->pool_stride;
	uint32_t column_stride = layer->operation == AI8X_OP_CONV1D ? 1 : stride;
	if (i == 0) {
		if (!layer->streaming) {
			layer->stream_start = fifo_words(layer) * net->pool_rows;
			return;
		}
		layer->stream_start = ((net->pool_rows - 1) * layer->columns + net->pool_columns) * net->pool_rows;
		layer->stream_delta1 = (column_stride - 1) * net->operands;
		layer->stream_delta2 = (net->pool_rows - 1) * layer->columns * net->operands;
	} else if (layer->streaming) {
		const struct plan_layer *before = &plan->layers[i - 1];
		uint32_t width = before->pooled_columns + 2 * before->pad_columns;
		layer->stream_start = width * (before->kernel_rows - 1 + net->pool_rows - 1) +
		                      before->kernel_columns - 1 + net->pool_columns + 2;
		layer->stream_delta1 = column_stride * net->operands;
		layer->stream_delta2 = (stride - 1) * width + net->pool_columns * net->operands;
	}
	if (layer->streaming) {
		layer->ring_words =
			layer->stream_start + (net->pool_rows - 1) * layer->columns +
			larger(larger(layer->operation == AI8X_OP_CONVT2D ? 2 : 1, column_stride), net->pool_columns);
		if (net->chw)
			layer->ring_words = 12;
		layer->ring_words = round_up(layer->ring_words, layer->in_passes);
	}
}

// true: the layer after this one does not stream, or there is none.
static bool ends_streaming(const struct plan *plan, size_t i)
{
	return i + 1 == plan->count || !plan->layers[i + 1].streaming;
}

// MAX78002's equations.
static void window_stream(const struct plan *plan, size_t i)
{
	struct plan_layer *layer = &plan->layers[i];
	const ai8x_network_layer *net = layer->net;
	uint32_t stride = net->pool_stride;
	uint32_t column_stride = layer->operation == AI8X_OP_CONV1D ? 1 : stride;
	uint32_t row_step = larger(net->pool_rows * net->pool_dilation_rows, stride);
	uint32_t column_step = larger(net->pool_columns * net->pool_dilation_columns, column_stride);
	uint32_t width = layer->columns;
	uint32_t padded = width + 2 * layer->pad_columns;
	bool single = stride == 1 && net->pool_rows == 1;
	uint32_t unit = net->chw ? 4 : 1;

	if (!layer->streaming) {
		layer->stream_start = i == 0 ? fifo_words(layer) : 0;
		return;
	}
	// Windows that do not fill a row leave columns over. Layers after the first count them in steps of a
	// whole window.
	uint32_t divisor = i == 0 ? column_stride : column_step;
	uint32_t reach = net->pool_columns - (i == 0);
	uint32_t whole = width / divisor;
	whole -= whole * column_stride + reach > width;
	uint32_t skipped = i > 0 && column_step == 1 ? 0 : width - whole * divisor;

	uint32_t start = (row_step * padded + layer->pad_columns + 2 * column_step) * net->operands +
	                 (net->read_ahead ? column_stride : 0);
	if (i > 0) {
		start += (layer->pad_columns > 0 ? layer->pad_columns : stride) * padded;
		start += ends_streaming(plan, i) ? skipped * column_stride : 0;
	} else if (single) {
		start = column_step;
	}
	layer->stream_start = divide_up(start, unit);

	uint32_t delta1 = column_stride * net->operands - (i == 0 && single);
	delta1 = divide_up(delta1, unit);
	uint32_t delta2 = stride == 1 ? delta1 + skipped
	                              : (stride - 1) * width + skipped + (i == 0 ? net->pool_columns - 1 : 0);
	delta2 = divide_up(delta2, unit);
	delta2 += i == 0 && plan->options.pipeline && delta2 > 0;
	layer->stream_delta1 = delta1;
	layer->stream_delta2 = delta2;

	if (i == 0) {
		layer->ring_words =
			(start + column_step + (column_stride - 1) * padded) * (net->chw ? 4 * column_stride : 1);
	} else {
		layer->ring_words = start +
		                    (layer->in_passes - 1) * (row_step * width + layer->pad_columns + column_step) +
		                    column_step;
		layer->ring_words = round_up(layer->ring_words, layer->in_passes);
	}
}

static void stream(const struct plan *plan, size_t i)
{
	struct plan_layer *layer = &plan->layers[i];
	layer->stream_start = layer->stream_delta1 = layer->stream_delta2 = layer->ring_words = 0;
	if (i == 0 && plan->feed == AI8X_FEED_MEMORY)
		return;
	if (plan->target->window_streams)
		window_stream(plan, i);
	else
		counted_stream(plan, i);
}

uint32_t plan_ring_words(const struct plan *plan, size_t position)
{
	stream(plan, position);
	return plan->layers[position].ring_words;
}

ai8x_status plan_streams(struct plan *plan, ai8x_error *error)
{
	uint32_t earlier = 0;
	for (size_t i = 0; i < plan->count; i++) {
		struct plan_layer *layer = &plan->layers[i];
		line_buffer(plan, i);
		stream(plan, i);
		layer->stream_invol = i > 0 && layer->streaming ? earlier : 0;
		earlier += volume(layer);
		if (layer->stream_invol > 15) {
			return network_error(
				error, AI8X_ERR_NETWORK, plan->network, (int)i,
				"streaming layers before it have %u passes of input; at most 15 are possible (limit of "
				"the %s)",
				layer->stream_invol, plan->part->info.name);
		}
		if (layer->streaming &&
		    (uint64_t)layer->net->in_offset / 4 + layer->ring_words > plan->part->info.data_words) {
			return network_error(
				error, AI8X_ERR_NETWORK, plan->network, (int)i,
				"the streaming buffer of %u words at in_offset 0x%llx exceeds a data memory instance of "
				"%u words",
				layer->ring_words, (unsigned long long)layer->net->in_offset, plan->part->info.data_words);
		}
	}
	return AI8X_OK;
}
