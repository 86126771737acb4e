// Placement: what the description leaves open. A description with processors everywhere follows the rules that its
// users know (what it leaves out follows from its neighbours); otherwise processors, offsets and gaps are chosen, and told in
// notes.

#include "network/placing.h"

#include <stdio.h>

#include "network/layout.h"
#include "network/network.h"

// Maps and offsets that a description with processors may leave out (docs/networks.md, placement keys).
static void complete_defaults(ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		int next = network_next(network, i);
		if (layer->out_offset == AI8X_NETWORK_CHOOSE)
			layer->out_offset = 0;
		if (layer->output_processors == 0 && next >= 0)
			layer->output_processors = network->layers[next].processors;
		if (layer->output_processors == 0) {
			uint32_t passes = divide_up(layer->out_channels, AI8X_PROCESSORS);
			uint32_t count = divide_up(layer->out_channels, passes);
			count = passes > 1 ? (count + 3) & ~3u : count;
			layer->output_processors = network->output_map != 0 ? network->output_map
			                           : count >= 64            ? UINT64_MAX
			                                                    : (UINT64_C(1) << count) - 1;
		}
	}
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		int previous = network_previous(network, i);
		if (layer->in_offset == AI8X_NETWORK_CHOOSE)
			layer->in_offset = i == 0 || previous < 0 ? 0 : network->layers[previous].out_offset;
	}
}

static bool has_all_processors(const ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++)
		if (network->layers[i].processors == 0)
			return false;
	return true;
}

static void note_choice(ai8x_network *network, size_t i)
{
	const ai8x_network_layer *layer = &network->layers[i];
	char gaps[64] = "";
	if (layer->write_gap > 0 || layer->read_gap > 0)
		snprintf(gaps, sizeof gaps, ", write_gap %u, read_gap %u", layer->write_gap, layer->read_gap);
	network_note(network, (int)i,
	             "chosen: processors 0x%016llx, output_processors 0x%016llx, in_offset 0x%04llx, out_offset "
	             "0x%04llx%s",
	             (unsigned long long)layer->processors, (unsigned long long)layer->output_processors,
	             (unsigned long long)layer->in_offset, (unsigned long long)layer->out_offset, gaps);
}

// Why a layer cannot read a tensor that another layer reads or writes in a way of its own, or NULL.
static const char *why_unreadable(const ai8x_network *network, const ai8x_compile_options *options,
                                  int source, size_t reader)
{
	const ai8x_network_layer *first = &network->layers[0];
	bool streams = !options->ignore_streaming;
	if (source >= 0) {
		return streams && (size_t)source + 1 != reader && network->layers[source + 1].streaming
		           ? "its result streams into the layer after it and is not kept"
		           : NULL;
	}
	return streams && first->streaming ? "the first layer streams, and its input is not kept"
	       : first->chw                ? "the first layer needs it in CHW format"
	       : first->operands > 1       ? "the first layer takes it as several operands"
	       : first->first_channel > 0 || first->crop_first > 0 || first->crop_last > 0
	           ? "the first layer takes only a part of it, and no more is loaded"
	           : NULL;
}

static ai8x_status check_readers(const ai8x_network *network, const ai8x_compile_options *options,
                                 ai8x_error *error)
{
	for (size_t i = 1; i < network->layer_count; i++) {
		for (unsigned k = 0; k < network->layers[i].source_count; k++) {
			int source = network->layers[i].sources[k];
			const char *why = why_unreadable(network, options, source, i);
			if (why != NULL && source < 0) {
				return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
				                     "cannot read the network's input: %s", why);
			}
			if (why != NULL) {
				return network_error(error, AI8X_ERR_NETWORK, network, (int)i, "cannot read layer %u: %s",
				                     network->layers[source].number, why);
			}
		}
	}
	return AI8X_OK;
}

static ai8x_status choose(ai8x_network *network, const struct target *target,
                          const ai8x_compile_options *options, ai8x_error *error)
{
	struct layout layout = {0};
	ai8x_network_layer *last = &network->layers[network->layer_count - 1];
	if (last->output_processors == 0)
		last->output_processors = network->output_map;
	ai8x_status status = check_readers(network, options, error);
	if (status == AI8X_OK)
		status = placement_insert_copies(network, target, options, error);
	if (status != AI8X_OK)
		return status;
	status = layout_create(&layout, network, target, options, error);
	if (status == AI8X_OK)
		status = placement_choose_maps(&layout, error);
	if (status == AI8X_OK)
		status = placement_choose_offsets(&layout, error);
	layout_release(&layout);
	for (size_t i = 0; status == AI8X_OK && i < network->layer_count; i++)
		note_choice(network, i);
	return status;
}

ai8x_status network_place(ai8x_network *network, const ai8x_part *part, const ai8x_compile_options *options,
                          ai8x_error *error)
{
	if (has_all_processors(network)) {
		complete_defaults(network);
		return AI8X_OK;
	}
	return choose(network, target_of(part), options, error);
}
