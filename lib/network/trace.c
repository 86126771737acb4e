// Does every layer read what its sources wrote? Descriptions that give processors and offsets themselves can be
// wrong without being impossible; this compares where a layer reads each channel with where the source
// wrote it, and says so in a note (the program would run, and compute something else).

#include "network/trace.h"

#include <stdio.h>

// A value of a source tensor.
struct origin {
	int source; // position, or AI8X_NETWORK_INPUT
	uint32_t channel, pixel;
};

static uint32_t source_channels(const ai8x_network *network, int source)
{
	return source < 0 ? network->input_shape[0] : network->layers[source].out_channels;
}

static uint32_t source_pixels(const ai8x_network *network, int source)
{
	return source < 0 ? network->input_shape[1] * network->input_shape[2]
	                  : network->layers[source].out_rows * network->layers[source].out_columns;
}

static uint32_t source_columns(const ai8x_network *network, int source)
{
	return source < 0 ? network->input_shape[2] : network->layers[source].out_columns;
}

// Where channel c, pixel y of an operand of a layer comes from.
static struct origin origin_of(const ai8x_network *network, const ai8x_network_layer *layer, uint32_t operand,
                               uint32_t c, uint32_t y)
{
	uint32_t all = 0;
	for (unsigned k = 0; k < layer->source_count; k++) {
		all += source_channels(network, layer->sources[k]);
	}
	uint32_t columns =
		layer->join == AI8X_JOIN_PIXELS ? layer->in_columns : source_columns(network, layer->sources[0]);
	uint32_t pixel = y + layer->crop_first * columns;
	unsigned k = 0;
	if (layer->join == AI8X_JOIN_PIXELS) {
		while (k + 1 < layer->source_count && pixel >= source_pixels(network, layer->sources[k])) {
			pixel -= source_pixels(network, layer->sources[k++]);
		}
		return (struct origin){layer->sources[k], layer->first_channel + c, pixel};
	}
	uint32_t channel = operand * (all / layer->operands) + layer->first_channel + c;
	while (k + 1 < layer->source_count && channel >= source_channels(network, layer->sources[k])) {
		channel -= source_channels(network, layer->sources[k++]);
	}
	return (struct origin){layer->sources[k], channel, pixel};
}

// Where a value was written.
static ai8x_output_place written_at(const struct plan *plan, const struct origin *origin)
{
	if (origin->source >= 0) {
		return plan_output_place(&plan->layers[origin->source], origin->channel, origin->pixel);
	}
	const struct plan_layer *first = &plan->layers[0];
	uint32_t each = plan->network->input_shape[0] / first->net->operands;
	uint32_t skipped = first->net->first_channel;
	uint32_t crop = first->net->crop_first * plan->network->input_shape[2];
	return plan_input_place(first, origin->channel / each, origin->channel % each - skipped,
	                        origin->pixel - crop);
}

// A layer whose data passes through a ring, or whose source has 32-bit values, has no fixed places.
static bool has_places(const struct plan *plan, const struct plan_layer *layer)
{
	bool fixed = !layer->streaming;
	for (unsigned k = 0; k < layer->net->source_count; k++) {
		int source = layer->net->sources[k];
		fixed = fixed && (source < 0 ? plan->feed == AI8X_FEED_MEMORY || layer->position == 0
		                             : plan->layers[source].net->output_bits == 8);
	}
	return fixed;
}

static bool trace_value(const struct plan *plan, const struct plan_layer *layer, uint32_t operand, uint32_t c,
                        uint32_t y, ai8x_network *network)
{
	struct origin origin = origin_of(plan->network, layer->net, operand, c, y);
	ai8x_output_place read = plan_input_place(layer, operand, c, y);
	ai8x_output_place written = written_at(plan, &origin);
	if (read.instance == written.instance && read.word == written.word && read.lane == written.lane) {
		return true;
	}
	char from[48] = "the network's input";
	if (origin.source >= 0) {
		snprintf(from, sizeof from, "layer %u", plan->network->layers[origin.source].number);
	}
	network_note(network, (int)layer->position,
	             "warning: reads channel %u, pixel %u of %s from word 0x%x of data memory instance %u (byte "
	             "%u), but it "
	             "was written to word 0x%x of instance %u (byte %u); check processors, offsets and gaps",
	             origin.channel, origin.pixel, from, read.word, read.instance, read.lane, written.word,
	             written.instance, written.lane);
	return false;
}

static void trace_layer(const struct plan *plan, const struct plan_layer *layer, ai8x_network *network)
{
	const ai8x_network_layer *net = layer->net;
	uint32_t last = net->in_rows * net->in_columns - 1;
	const uint32_t pixels[3] = {0, last > 0, last};
	for (uint32_t operand = 0; operand < net->operands; operand++) {
		for (uint32_t c = 0; c < net->in_channels; c++) {
			for (unsigned k = 0; k < 3; k++) {
				if (!trace_value(plan, layer, operand, c, pixels[k], network)) {
					return;
				}
			}
		}
	}
}

void network_trace(const struct plan *plan, ai8x_network *network)
{
	for (size_t i = 1; i < plan->count; i++) {
		if (has_places(plan, &plan->layers[i])) {
			trace_layer(plan, &plan->layers[i], network);
		}
	}
}
