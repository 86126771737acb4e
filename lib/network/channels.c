// Channel counts that a description leaves to its processor maps.
//
// Descriptions are written for a generator that takes channel counts from a checkpoint. Without one they follow from
// what is there: counts given elsewhere, operators that keep the count, and maps of processors, one channel for each
// processor of a pass. Receives a network whose sources are known, sets out_channels where it can; what it took
// from a map that fits several counts is told in a note.

#include "network/channels.h"

#include <stdlib.h>

#include "network/network.h"

// Tensor 0 is the input, tensor i + 1 the output of layer i; 0: not known.
struct counts {
	ai8x_network *network;
	uint32_t *of;
	size_t count;
};

static size_t tensor(int source)
{
	return (size_t)(source + 1);
}

static bool learn(struct counts *c, size_t t, uint32_t channels)
{
	if (c->of[t] != 0 || channels == 0 || channels > NETWORK_MAX_CHANNELS)
		return false;
	c->of[t] = channels;
	return true;
}

// Channels per operand that a layer is known to take, 0: not known.
static uint32_t taken(const struct counts *c, size_t i)
{
	const ai8x_network_layer *layer = &c->network->layers[i];
	const ai8x_network_layer *source = ai8x_network_weights_of(c->network, i);
	if (layer->groups > 1)
		return layer->groups;
	if (layer->in_channels != 0)
		return layer->in_channels;
	if (network_has_weights(layer) && source->weights != NULL && !layer->flatten)
		return source->fan_channels;
	return layer->operation == AI8X_OP_PASSTHROUGH ? c->of[i + 1] : 0;
}

// true: every source of the layer is one whole operand.
static bool takes_whole(const ai8x_network_layer *layer)
{
	return layer->source_count == layer->operands && layer->first_channel == 0;
}

static bool keeps_count(const ai8x_network_layer *layer)
{
	return layer->operation == AI8X_OP_PASSTHROUGH || layer->groups > 1;
}

// What one layer says about its sources and they about it.
static bool learn_from_layer(struct counts *c, size_t i)
{
	const ai8x_network_layer *layer = &c->network->layers[i];
	uint32_t channels = taken(c, i);
	bool changed = false;
	if (!takes_whole(layer))
		return keeps_count(layer) && learn(c, i + 1, channels);
	for (unsigned k = 0; k < layer->source_count && channels == 0; k++)
		channels = c->of[tensor(layer->sources[k])];
	for (unsigned k = 0; k < layer->source_count; k++)
		changed = learn(c, tensor(layer->sources[k]), channels) || changed;
	return (keeps_count(layer) && learn(c, i + 1, channels)) || changed;
}

// The one part of a concatenation that is not known, from the whole.
static bool learn_from_sum(struct counts *c, size_t i, uint32_t whole)
{
	const ai8x_network_layer *layer = &c->network->layers[i];
	uint32_t sum = layer->first_channel;
	size_t unknown = 0;
	size_t missing = 0;
	if (layer->operands != 1 || layer->source_count < 2)
		return false;
	for (unsigned k = 0; k < layer->source_count; k++) {
		const size_t t = tensor(layer->sources[k]);
		sum += c->of[t];
		if (c->of[t] == 0) {
			missing++;
			unknown = t;
		}
	}
	return missing == 1 && whole > sum && learn(c, unknown, whole - sum);
}

static void spread(struct counts *c)
{
	bool changed = true;
	while (changed) {
		changed = false;
		for (size_t i = 0; i + 1 < c->count; i++)
			changed = learn_from_layer(c, i) || learn_from_sum(c, i, taken(c, i)) || changed;
	}
}

// With more than 64 channels every pass fills whole instances, so maps from 36 processors on fit several counts.
static void note_choice(const struct counts *c, size_t i, uint64_t map, const char *whose)
{
	const unsigned count = bits_count(map);
	if (count < 36 || count % 4 != 0)
		return;
	network_note(
		c->network, (int)i,
		"assumed one pass: %u output channels from %s 0x%016llx, whose map fits %u, %u, ... with more", count,
		whose, (unsigned long long)map, 2 * count, 3 * count);
}

static void learn_from_own_maps(struct counts *c)
{
	for (size_t i = 0; i + 1 < c->count; i++) {
		const uint64_t map = c->network->layers[i].output_processors;
		if (!network_has_weights(&c->network->layers[i]) || !learn(c, i + 1, bits_count(map)))
			continue;
		note_choice(c, i, map, "output_processors");
		spread(c);
	}
}

// The map of processors of the first layer that reads all of layer i, or 0.
static uint64_t reader_map(const ai8x_network *network, size_t i)
{
	for (size_t step = 1; step < network->layer_count; step++) {
		const ai8x_network_layer *reader = &network->layers[(i + step) % network->layer_count];
		for (unsigned k = 0; k < reader->source_count && takes_whole(reader); k++)
			if (reader->sources[k] == (int)i && reader->processors != 0)
				return reader->processors;
	}
	return 0;
}

static void learn_from_readers(struct counts *c)
{
	for (size_t i = 0; i + 1 < c->count; i++) {
		const uint64_t map = reader_map(c->network, i);
		if (!learn(c, i + 1, bits_count(map)))
			continue;
		if (network_has_weights(&c->network->layers[i]))
			note_choice(c, i, map, "its reader's processors");
		spread(c);
	}
	for (size_t i = 0; i + 1 < c->count; i++)
		if (learn_from_sum(c, i, bits_count(c->network->layers[i].processors)))
			spread(c);
}

ai8x_status network_infer_channels(ai8x_network *network, ai8x_error *error)
{
	struct counts c = {.network = network, .count = network->layer_count + 1};
	c.of = calloc(c.count, sizeof *c.of);
	if (c.of == NULL)
		return error_no_memory(error, "channel counts");
	c.of[0] = network->input_shape[0];
	for (size_t i = 0; i < network->layer_count; i++) {
		const ai8x_network_layer *layer = &network->layers[i];
		const ai8x_network_layer *source = ai8x_network_weights_of(network, i);
		c.of[i + 1] = layer->out_channels;
		if (network_has_weights(layer) && source->weights != NULL)
			(void)learn(&c, i + 1, source->out_channels);
		else if (network_has_weights(layer) && layer->weight_source >= 0)
			(void)learn(&c, i + 1, source->out_channels);
	}
	spread(&c);
	learn_from_own_maps(&c);
	learn_from_readers(&c);
	if (network->output_map != 0)
		(void)learn(&c, network->layer_count, bits_count(network->output_map));
	for (size_t i = 0; i < network->layer_count; i++)
		if (network_has_weights(&network->layers[i]))
			network->layers[i].out_channels = c.of[i + 1];
	free(c.of);
	return AI8X_OK;
}
