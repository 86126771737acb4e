// A part of a description: the layers from one on, up to another one, and some of them without bias. So two networks that
// one description holds, or one of which begins where the other's layers end, share a chip.

#include "network/cut.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "network/network.h"

static ai8x_status find_layer(const ai8x_network *network, unsigned number, const char *option,
                              size_t *position, ai8x_error *error)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		if (network->layers[i].number == number) {
			*position = i;
			return AI8X_OK;
		}
	}
	return network_error(error, AI8X_ERR_NETWORK, network, -1,
	                     "%s %u: there is no such layer (layers %u to %u)", option, number,
	                     network->layers[0].number, network->layers[network->layer_count - 1].number);
}

static void release(ai8x_network_layer *layer)
{
	free(layer->name);
	free(layer->weights);
	free(layer->bias);
}

// --- Biases ------------------------------------------------------------------------------------------------

static void drop_bias(ai8x_network_layer *layer)
{
	free(layer->bias);
	layer->bias = NULL;
	layer->bias_wanted = false;
}

static ai8x_status drop_biases(ai8x_network *network, const char *list, ai8x_error *error)
{
	if (list == NULL)
		return AI8X_OK;
	const bool all = strcasecmp(list, "all") == 0;
	for (size_t i = 0; i < network->layer_count && all; i++)
		drop_bias(&network->layers[i]);
	for (const char *at = list; !all;) {
		char *end = NULL;
		size_t position = 0;
		const unsigned long number = strtoul(at, &end, 10);
		if (end == at || (*end != ',' && *end != '\0') || *at == '-' || number >= NETWORK_MAX_LAYERS)
			return error_set(error, AI8X_ERR_ARGUMENT,
			                 "no bias for '%s': expected numbers of layers separated by commas, or all",
			                 list);
		ai8x_status status = find_layer(network, (unsigned)number, "no-bias", &position, error);
		if (status != AI8X_OK)
			return status;
		drop_bias(&network->layers[position]);
		if (*end == '\0')
			return AI8X_OK;
		at = end + 1;
	}
	return AI8X_OK;
}

// --- The end -----------------------------------------------------------------------------------------------

// The run ends after that layer; what no run reaches any more and stands after the rest is left out.
static ai8x_status stop_after(ai8x_network *network, size_t first, unsigned number, ai8x_error *error)
{
	size_t last = 0, highest = first;
	ai8x_status status = find_layer(network, number, "stop-after", &last, error);
	if (status != AI8X_OK)
		return status;
	network->layers[last].next = AI8X_NETWORK_STOP;
	bool reached = false;
	int at = (int)first;
	for (size_t steps = 0; at >= 0 && steps < network->layer_count; steps++) {
		reached = reached || at == (int)last;
		highest = (size_t)at > highest ? (size_t)at : highest;
		at = network_next(network, (size_t)at);
	}
	if (!reached)
		return network_error(error, AI8X_ERR_NETWORK, network, (int)last,
		                     "stop-after: no run reaches this layer");
	for (size_t i = highest + 1; i < network->layer_count; i++)
		release(&network->layers[i]);
	network->layer_count = highest + 1;
	return AI8X_OK;
}

// --- The beginning -----------------------------------------------------------------------------------------

static ai8x_status take_weights(ai8x_network *network, size_t position, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[position];
	const ai8x_network_layer *source = ai8x_network_weights_of(network, position);
	layer->weight_source = -1;
	layer->weight_count = source->weight_count;
	layer->fan_channels = source->fan_channels;
	layer->out_channels = source->out_channels != 0 ? source->out_channels : layer->out_channels;
	layer->weight_bits = layer->weight_bits == 0 ? source->weight_bits : layer->weight_bits;
	layer->output_shift = source->shift_given ? source->output_shift : layer->output_shift;
	layer->shift_given = layer->shift_given || source->shift_given;
	if (source->weights != NULL) {
		layer->weights = malloc(source->weight_count == 0 ? 1 : source->weight_count);
		if (layer->weights == NULL)
			return error_no_memory(error, "weights");
		memcpy(layer->weights, source->weights, source->weight_count);
	}
	if (source->bias != NULL) {
		layer->bias = malloc(source->out_channels == 0 ? 1 : source->out_channels);
		if (layer->bias == NULL)
			return error_no_memory(error, "a bias");
		memcpy(layer->bias, source->bias, source->out_channels);
	}
	layer->bias_wanted = source->bias_wanted;
	return AI8X_OK;
}

static ai8x_status move_reference(ai8x_network *network, size_t position, size_t first, int *reference,
                                  const char *what, ai8x_error *error)
{
	if (*reference < 0)
		return AI8X_OK;
	if ((size_t)*reference < first)
		return network_error(error, AI8X_ERR_NETWORK, network, (int)position,
		                     "%s layer %u, which start-layer leaves out", what,
		                     network->layers[*reference].number);
	*reference -= (int)first;
	return AI8X_OK;
}

// The input of the first layer is the network's; other layers keep their sources, which must not lie before it.
static ai8x_status begin_with(ai8x_network *network, size_t first, ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	for (size_t i = first; i < network->layer_count && status == AI8X_OK; i++)
		if (network->layers[i].weight_source >= 0 && (size_t)network->layers[i].weight_source < first)
			status = take_weights(network, i, error);
	if (network->layers[first].source_count == 1)
		network->layers[first].sources[0] = AI8X_NETWORK_INPUT;
	for (size_t i = first; i < network->layer_count && status == AI8X_OK; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		for (unsigned k = 0; k < layer->source_count && status == AI8X_OK; k++)
			status = move_reference(network, i, first, &layer->sources[k], "reads", error);
		int *links[] = {&layer->next, &layer->next_simulated, &layer->next_snoop, &layer->weight_source};
		for (size_t n = 0; n < sizeof links / sizeof links[0] && status == AI8X_OK; n++)
			status = move_reference(network, i, first, links[n], "goes on with", error);
	}
	if (status != AI8X_OK)
		return status;
	for (size_t i = 0; i < first; i++)
		release(&network->layers[i]);
	network->layer_count -= first;
	memmove(network->layers, network->layers + first, network->layer_count * sizeof *network->layers);
	network->first_set = (unsigned)first;
	// A sample that came with the weights is that of the layers left out.
	free(network->input);
	network->input = NULL;
	memset(network->input_shape, 0, sizeof network->input_shape);
	return AI8X_OK;
}

ai8x_status network_cut(ai8x_network *network, const ai8x_network_files *files, ai8x_error *error)
{
	size_t first = 0;
	ai8x_status status = drop_biases(network, files->no_bias, error);
	if (status == AI8X_OK && files->first_layer > 0)
		status = find_layer(network, files->first_layer, "start-layer", &first, error);
	if (status == AI8X_OK && files->last_layer != NULL)
		status = stop_after(network, first, *files->last_layer, error);
	return status == AI8X_OK && first > 0 ? begin_with(network, first, error) : status;
}
