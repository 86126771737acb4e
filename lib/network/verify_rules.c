// Layers whose memories must not meet although each is possible alone, and operations that no known source decides.
//
// Read-ahead fetches the next pixel while the last one is written: both may not use the same RAM of a data memory
// instance. Rings of streaming layers hold pixels until they have been read: nothing else may be written there.

#include "network/verify.h"

#include <stdio.h>
#include <stdlib.h>

// Words of one of the RAMs that a data memory instance consists of.
#define RAM_WORDS 4096u

// Words in some instances.
struct area {
	uint64_t processors;
	uint32_t first, end;
};

static uint64_t instances_of(uint64_t processors)
{
	uint64_t map = 0;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p += 4)
		map |= (processors >> p & 0xf) != 0 ? UINT64_C(1) << p : 0;
	return map;
}

static bool areas_meet(const struct area *a, const struct area *b)
{
	return (instances_of(a->processors) & instances_of(b->processors)) != 0 && a->first < b->end &&
	       b->first < a->end;
}

static struct area output_area(const struct plan_layer *layer)
{
	const ai8x_network_layer *net = layer->net;
	const uint32_t pixels = net->out_rows * net->out_columns;
	const uint32_t words =
		((pixels - 1) * layer->out_passes + layer->out_passes - 1) * (net->write_gap + 1) + 1;
	const uint32_t first = (uint32_t)(net->out_offset / 4);
	return (struct area){layer->output_processors, first, first + words * (net->output_bits / 8)};
}

static struct area input_area(const struct plan_layer *layer)
{
	const ai8x_network_layer *net = layer->net;
	const uint32_t pixels = net->in_rows * net->in_columns;
	const uint32_t words =
		net->chw ? divide_up(pixels, 4) : pixels * net->operands * layer->in_passes * (net->read_gap + 1);
	const uint32_t first = (uint32_t)(net->in_offset / 4);
	return (struct area){layer->processors, first, first + words};
}

// What a streaming layer, or the first one fed by a FIFO, keeps of its input.
static struct area ring_area(const struct plan *plan, const struct plan_layer *layer)
{
	const uint32_t first = (uint32_t)(layer->net->in_offset / 4);
	return (struct area){layer->processors, first, first + plan_ring_words(plan, layer->position)};
}

static ai8x_status check_read_ahead(const struct plan *plan, const struct plan_layer *layer,
                                    ai8x_error *error)
{
	const struct area in = input_area(layer), out = output_area(layer);
	if (!layer->net->read_ahead || layer->streaming || in.first / RAM_WORDS > (out.end - 1) / RAM_WORDS ||
	    out.first / RAM_WORDS > (in.end - 1) / RAM_WORDS)
		return AI8X_OK;
	return network_error(
		error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
		"with readahead, input and output must lie in different 16 KiB blocks of data memory: the "
		"input takes 0x%x to 0x%x, the output 0x%x to 0x%x (bytes); move out_offset (limit of the %s)",
		in.first * 4, in.end * 4 - 1, out.first * 4, out.end * 4 - 1, plan->part->info.name);
}

static void check_rings(const struct plan *plan, const struct plan_layer *layer, ai8x_network *network)
{
	const size_t next = layer->position + 1;
	const struct area ring = ring_area(plan, layer), out = output_area(layer);
	const bool ends = next == plan->count || !plan->layers[next].streaming;
	for (size_t i = 0; i <= layer->position; i++) {
		const struct area other = ring_area(plan, &plan->layers[i]);
		const bool rings = i < layer->position && areas_meet(&ring, &other);
		if (!rings && !(ends && areas_meet(&out, &other)))
			continue;
		network_warning(
			network, (int)layer->position,
			"%s takes bytes 0x%x to 0x%x, over the ring of streaming layer %u (0x%x to 0x%x), which may "
			"not have been read by then; move %s",
			rings ? "its ring" : "its output", (rings ? ring : out).first * 4,
			(rings ? ring : out).end * 4 - 1, plan->network->layers[i].number, other.first * 4,
			other.end * 4 - 1, rings ? "in_offset" : "out_offset");
	}
}

// --- Output over input ---------------------------------------------------------------------------------------

// Positions of the padded image in the order in which it is worked through: a pixel is read at its own, an output pixel
// is written at that of the last pixel of its window, after the read.
struct order {
	uint64_t width;
	uint32_t expand, pad_rows, pad_columns;
};

static struct order order_of(const struct plan_layer *layer)
{
	const uint32_t expand = layer->operation == AI8X_OP_CONVT2D ? 2 : 1;
	return (struct order){(uint64_t)layer->pooled_columns * expand + 2 * layer->pad_columns, expand,
	                      layer->pad_rows, layer->pad_columns};
}

// When each pixel of the input is read for the last time; 0: never.
static void note_reads(const struct plan_layer *layer, const struct order *order, uint64_t *last)
{
	const ai8x_network_layer *net = layer->net;
	for (uint32_t p = 0; p < layer->pooled_rows; p++) {
		for (uint32_t q = 0; q < layer->pooled_columns; q++) {
			const uint64_t when = ((uint64_t)p * order->expand + order->pad_rows) * order->width +
			                      (uint64_t)q * order->expand + order->pad_columns + 1;
			for (uint32_t i = 0; i < net->pool_rows; i++) {
				for (uint32_t j = 0; j < net->pool_columns; j++) {
					const uint32_t row = p * net->pool_stride + i * net->pool_dilation_rows;
					const uint32_t column = q * net->pool_stride + j * net->pool_dilation_columns;
					last[(size_t)row * layer->columns + column] = when;
				}
			}
		}
	}
}

// When what lies in a word of the input, counted from its first, is read for the last time.
static uint64_t last_read(const struct plan_layer *layer, const uint64_t *last, uint32_t word)
{
	const ai8x_network_layer *net = layer->net;
	const uint32_t used = net->operands * layer->in_passes, step = used * (net->read_gap + 1);
	const uint32_t pixels = layer->rows * layer->columns;
	uint64_t latest = 0;
	if (!net->chw)
		return word % step < used && word / step < pixels ? last[word / step] : 0;
	for (uint32_t y = 4 * word; y < 4 * word + 4 && y < pixels; y++)
		latest = last[y] > latest ? last[y] : latest;
	return latest;
}

// Lanes of an instance that a layer writes: convolutions also those between its processors.
static uint64_t written_lanes(const struct plan_layer *layer)
{
	const uint64_t map = layer->output_processors;
	if (layer->net->output_bits == 32)
		return UINT64_MAX;
	if (layer->operation == AI8X_OP_PASSTHROUGH || layer->depthwise)
		return map;
	return UINT64_MAX >> (63 - bits_last(map)) & UINT64_MAX << layer->first_lane;
}

// The first output pixel that lands on input which is still to be read, or -1.
static int64_t find_overwritten(const struct plan_layer *layer, const struct order *order,
                                const uint64_t *last)
{
	const ai8x_network_layer *net = layer->net;
	const uint32_t unit = net->output_bits / 8, gap = net->write_gap + 1;
	const struct area in = input_area(layer);
	for (uint32_t y = 0; y < layer->out_rows * layer->out_columns; y++) {
		const uint64_t when = ((uint64_t)(y / layer->out_columns) + layer->kernel_rows - 1) * order->width +
		                      y % layer->out_columns + layer->kernel_columns;
		for (uint32_t pass = 0; pass < layer->out_passes; pass++) {
			const uint64_t first =
				(uint64_t)(net->out_offset / 4) + ((uint64_t)y * layer->out_passes + pass) * gap * unit;
			for (uint32_t k = 0; k < unit; k++)
				if (first + k >= in.first && first + k < in.end &&
				    last_read(layer, last, (uint32_t)(first + k) - in.first) > when)
					return y;
		}
	}
	return -1;
}

// Where the output could lie instead.
static void say_room(const struct plan *plan, const struct area *in, const struct area *out, char *text,
                     size_t size)
{
	const uint32_t words = out->end - out->first, all = plan->part->info.data_words;
	if (in->end + words <= all)
		(void)snprintf(text, size, "'out_offset: 0x%x' lies after the input", in->end * 4);
	else if (words <= in->first)
		(void)snprintf(text, size, "'out_offset: 0x0' lies before the input");
	else
		(void)snprintf(text, size,
		               "an instance of 0x%x bytes has no room for both: smaller images, streaming or earlier "
		               "pooling help",
		               all * 4);
}

// A layer may write over its own input only where it has read it. Emulated shapes and rings have other places.
static ai8x_status check_own_input(const struct plan *plan, const struct plan_layer *layer, ai8x_error *error)
{
	const ai8x_network_layer *net = layer->net;
	const struct area in = input_area(layer), out = output_area(layer);
	const bool fed = layer->position == 0 && plan->feed != AI8X_FEED_MEMORY;
	const bool emulated = layer->operation != net->operation && net->operation != AI8X_OP_LINEAR;
	const bool lanes = net->chw || (layer->processors & written_lanes(layer)) != 0;
	if (fed || emulated || layer->streaming || layer->rows_for_passes || net->flatten || !lanes ||
	    !areas_meet(&in, &out))
		return AI8X_OK;
	uint64_t *last = calloc((size_t)layer->rows * layer->columns, sizeof *last);
	if (last == NULL)
		return error_no_memory(error, "the order of reads");
	const struct order order = order_of(layer);
	note_reads(layer, &order, last);
	const int64_t pixel = find_overwritten(layer, &order, last);
	free(last);
	if (pixel < 0)
		return AI8X_OK;
	char remedy[120];
	say_room(plan, &in, &out, remedy, sizeof remedy);
	return network_error(error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
	                     "writes its output over its own input before having read it, first with output "
	                     "pixel %lld: the input takes bytes "
	                     "0x%x to 0x%x (in_offset), the output 0x%x to 0x%x (out_offset); %s",
	                     (long long)pixel, in.first * 4, in.end * 4 - 1, out.first * 4, out.end * 4 - 1,
	                     remedy);
}

static void check_undecided(const struct plan_layer *layer, ai8x_network *network)
{
	if (layer->operation == AI8X_OP_CONVT2D && layer->net->pool_stride > 1) {
		network_warning(
			network, (int)layer->position,
			"pools with a stride before a transposed convolution: the program sets the stride, the "
			"vendor's generator leaves the register 0, and no known program decides which is right; pool "
			"in a layer of its own");
	}
}

// Whoever writes `linear` mostly means all pixels; the vendor's generator computes it at each one as well.
static void check_linear(const struct plan_layer *layer, ai8x_network *network)
{
	const ai8x_network_layer *net = layer->net;
	if (net->operation != AI8X_OP_LINEAR || net->flatten || net->out_rows * net->out_columns == 1)
		return;
	network_warning(
		network, (int)layer->position,
		"linear without 'flatten: true' is computed at each of the %ux%u pixels by itself, as a 1x1 "
		"convolution; with 'flatten: true' it takes all pixels as one vector",
		net->out_rows, net->out_columns);
}

ai8x_status network_verify_rules(const struct plan *plan, ai8x_network *network, ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < plan->count && status == AI8X_OK; i++) {
		const struct plan_layer *layer = &plan->layers[i];
		check_undecided(layer, network);
		check_linear(layer, network);
		if (layer->streaming)
			check_rings(plan, layer, network);
		status = check_read_ahead(plan, layer, error);
		if (status == AI8X_OK)
			status = check_own_input(plan, layer, error);
	}
	return status;
}
