// Placement as descriptions define it: what a description with processors leaves out follows from its neighbours.

#include "network/place.h"

#include "network/network.h"

// Maps and offsets that a description with processors may leave out (docs/networks.md, placement keys).
static void complete_defaults(ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		int next = ai8x_network_next(network, i);
		if (layer->out_offset == AI8X_NETWORK_CHOOSE) {
			layer->out_offset = 0;
		}
		if (layer->output_processors == 0 && next >= 0) {
			layer->output_processors = network->layers[next].processors;
		}
		if (layer->output_processors == 0) {
			uint32_t passes = divide_up(layer->out_channels, AI8X_PROCESSORS);
			uint32_t count = divide_up(layer->out_channels, passes);
			count = passes > 1 ? (count + 3) & ~3u : count;
			layer->output_processors = network->output_map != 0 ? network->output_map
			                           : count >= 64             ? UINT64_MAX
			                                                     : (UINT64_C(1) << count) - 1;
		}
	}
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		int previous = network_previous(network, i);
		if (layer->in_offset == AI8X_NETWORK_CHOOSE) {
			layer->in_offset = i == 0 || previous < 0 ? 0 : network->layers[previous].out_offset;
		}
	}
}

ai8x_status network_place(ai8x_network *network, const ai8x_part *part, const ai8x_compile_options *options,
                          ai8x_error *error)
{
	(void)part; (void)options; (void)error;
	complete_defaults(network);
	return AI8X_OK;
}
