// Layers whose memories must not meet although each is possible alone, and operations that no known source decides.
//
// Read-ahead fetches the next pixel while the last one is written: both may not use the same RAM of a data memory
// instance. Rings of streaming layers hold pixels until they have been read: nothing else may be written there.

#include "network/verify.h"

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

ai8x_status network_verify_rules(const struct plan *plan, ai8x_network *network, ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < plan->count && status == AI8X_OK; i++) {
		const struct plan_layer *layer = &plan->layers[i];
		check_undecided(layer, network);
		if (layer->streaming)
			check_rings(plan, layer, network);
		status = check_read_ahead(plan, layer, error);
	}
	return status;
}
