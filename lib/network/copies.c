// Copies for residual joins. A tensor that an element-wise layer reads as one of its operands has its words
// alternating with the other operands'; another layer that reads the same tensor needs to step over those words. Where the
// part cannot, a passthrough layer right before the join copies the tensor into its place.
// Also sets up the tables of tensors and their readers that the later steps use.

#include <stdlib.h>
#include <string.h>

#include "network/layout.h"

enum use_kind layout_use_kind(const ai8x_network_layer *layer)
{
	if (layer->operands > 1 && layer->source_count > 1)
		return USE_OPERAND;
	if (layer->source_count == 1)
		return USE_PLAIN;
	return layer->join == AI8X_JOIN_PIXELS ? USE_PIXELS : USE_CHANNELS;
}

static void describe_tensor(const ai8x_network *network, size_t t, struct tensor *tensor)
{
	if (t == 0) {
		const ai8x_network_layer *first = &network->layers[0];
		tensor->channels = network->input_shape[0] / first->operands;
		tensor->pixels = network->input_shape[1] * network->input_shape[2];
		tensor->bytes = 1;
	} else {
		const ai8x_network_layer *layer = &network->layers[t - 1];
		tensor->channels = layer->out_channels;
		tensor->pixels = layer->out_rows * layer->out_columns;
		tensor->bytes = layer->output_bits / 8;
	}
	tensor->passes = divide_up(tensor->channels, AI8X_PROCESSORS);
	tensor->thresh = divide_up(tensor->channels, tensor->passes);
	if (tensor->passes > 1)
		tensor->thresh = (tensor->thresh + 3) & ~3u;
	tensor->join = -1;
}

ai8x_status layout_create(struct layout *layout, ai8x_network *network, const struct target *target,
                          const ai8x_compile_options *options, ai8x_error *error)
{
	*layout = (struct layout){network, target, options, NULL, network->layer_count + 1};
	layout->tensors = calloc(layout->count, sizeof *layout->tensors);
	if (layout->tensors == NULL)
		return error_no_memory(error, "placement");
	for (size_t t = 0; t < layout->count; t++)
		describe_tensor(network, t, &layout->tensors[t]);
	for (size_t i = 0; i < network->layer_count; i++) {
		const ai8x_network_layer *layer = &network->layers[i];
		for (unsigned k = 0; k < layer->source_count; k++) {
			struct tensor *tensor = &layout->tensors[tensor_of(layer->sources[k])];
			struct use *uses = realloc(tensor->uses, (tensor->use_count + 1) * sizeof *uses);
			if (uses == NULL)
				return error_no_memory(error, "placement");
			tensor->uses = uses;
			tensor->uses[tensor->use_count++] = (struct use){i, k, layout_use_kind(layer)};
		}
	}
	return AI8X_OK;
}

void layout_release(struct layout *layout)
{
	for (size_t t = 0; layout->tensors != NULL && t < layout->count; t++)
		free(layout->tensors[t].uses);
	free(layout->tensors);
}

uint32_t layout_first_channel(const struct layout *layout, const ai8x_network_layer *layer, unsigned k)
{
	uint32_t channel = 0;
	for (unsigned n = 0; n < k; n++)
		channel += layout->tensors[tensor_of(layer->sources[n])].channels;
	return channel;
}

bool layout_fed_by_fifo(const struct layout *layout)
{
	ai8x_network_feed feed = layout->options->feed;
	return feed == AI8X_FEED_AUTO ? layout->network->layers[0].streaming && !layout->options->ignore_streaming
	                              : feed != AI8X_FEED_MEMORY;
}

bool layout_can_read_gap(const struct layout *layout, const struct tensor *tensor, const struct use *use)
{
	const ai8x_network_layer *layer = &layout->network->layers[use->layer];
	if (use->layer == 0 && layout_fed_by_fifo(layout))
		return false; // FIFOs fill one word after the other
	return part_has_field(layout->target->part, F_MP_STRIDE) && use->kind == USE_PLAIN &&
	       tensor->passes == 1 && layer->operands == 1 && !layer->flatten && !layer->streaming && !layer->chw;
}

// true: sources of that layer are laid out for this layer alone.
static bool is_join(const struct layout *layout, const struct use *use)
{
	const ai8x_network_layer *layer = &layout->network->layers[use->layer];
	if (use->kind == USE_CHANNELS && layer->in_channels <= AI8X_PROCESSORS) {
		// One pass of channels: the sources lie side by side without gaps.
		return false;
	}
	return use->kind != USE_PLAIN;
}

// The first use of a tensor that cannot be served together with the uses before it, or -1.
static int find_conflict(const struct layout *layout, const struct tensor *tensor)
{
	int join = -1;
	int shared = -1;
	bool plain = false;
	for (size_t u = 0; u < tensor->use_count; u++) {
		const struct use *use = &tensor->uses[u];
		if (is_join(layout, use)) {
			if (join >= 0 || shared >= 0)
				return (int)u;
			join = (int)u;
		} else if (use->kind == USE_CHANNELS) {
			if (join >= 0 || shared >= 0)
				return (int)u;
			shared = (int)u;
		} else if (!layout_can_read_gap(layout, tensor, use)) {
			plain = true;
		}
	}
	return join >= 0 && plain ? join : -1;
}

// Makes room for a layer at a position; references follow their layers, except that what ran or linked to the
// position now finds the new layer.
static ai8x_status insert_layer(ai8x_network *network, size_t position, ai8x_error *error)
{
	ai8x_network *blank = NULL;
	ai8x_status status = ai8x_network_create("", 1, &blank, error);
	if (status != AI8X_OK)
		return status;
	ai8x_network_layer *layers = realloc(network->layers, (network->layer_count + 1) * sizeof *layers);
	if (layers == NULL) {
		ai8x_network_destroy(blank);
		return error_no_memory(error, "a copy layer");
	}
	network->layers = layers;
	memmove(layers + position + 1, layers + position, (network->layer_count - position) * sizeof *layers);
	layers[position] = blank->layers[0];
	network->layer_count++;
	ai8x_network_destroy(blank);
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &layers[i];
		layer->number = (unsigned)i;
		if (i == position)
			continue;
		for (unsigned k = 0; k < layer->source_count; k++)
			layer->sources[k] += layer->sources[k] >= (int)position;
		layer->weight_source += layer->weight_source >= (int)position;
		int *links[] = {&layer->next, &layer->next_simulated, &layer->next_snoop};
		for (size_t n = 0; n < 3; n++)
			*links[n] += *links[n] > (int)position;
	}
	return AI8X_OK;
}

static ai8x_status insert_copy(ai8x_network *network, const struct use *use, ai8x_error *error)
{
	size_t position = use->layer;
	int source = network->layers[position].sources[use->source];
	ai8x_status status = insert_layer(network, position, error);
	if (status != AI8X_OK)
		return status;
	ai8x_network_layer *copy = &network->layers[position];
	ai8x_network_layer *join = &network->layers[position + 1];
	copy->line = join->line;
	copy->operation = AI8X_OP_PASSTHROUGH;
	copy->kernel_rows = copy->kernel_columns = 1;
	copy->pad_rows = copy->pad_columns = 0;
	copy->bias_wanted = false;
	copy->sources[0] = source;
	copy->source_count = 1;
	join->sources[use->source] = (int)position;
	// A pixel is read, put into the line buffer, and written in one to four slots (hardware reference 6).
	uint32_t shape[3];
	network_source_shape(network, source, shape);
	const uint32_t pixels = shape[1] * shape[2], words = pixels * divide_up(shape[0], AI8X_PROCESSORS);
	if (source == AI8X_NETWORK_INPUT) {
		network_note(
			network, (int)position,
			"inserted: copies the network's input for the join in layer %u, because other layers read it "
			"without gaps; the copy is a layer that reads and writes each of its %u pixels once more, which "
			"takes "
			"%u to %u cycles; the numbers of the layers after it are one higher than in the description",
			join->number, pixels, 3 * words, 6 * words);
	} else {
		network_note(
			network, (int)position,
			"inserted: copies the result of layer %u for the join in layer %u, because other layers read it "
			"without gaps; the copy is a layer that reads and writes each of its %u pixels once more, which "
			"takes %u to %u cycles (`profile` shows them): a join nearer to its operands, or the MAX78002, "
			"which can read over gaps, needs none; "
			"the numbers of the layers after it are one higher than in the description",
			network->layers[source].number, join->number, pixels, 3 * words, 6 * words);
	}
	return ai8x_network_resolve(network, error);
}

ai8x_status placement_insert_copies(ai8x_network *network, const struct target *target,
                                    const ai8x_compile_options *options, ai8x_error *error)
{
	// Every copy resolves one conflict, and there are fewer conflicts than sources.
	for (;;) {
		struct layout layout;
		struct use use = {0, 0, USE_PLAIN};
		bool found = false;
		ai8x_status status = layout_create(&layout, network, target, options, error);
		for (size_t t = 0; status == AI8X_OK && t < layout.count && !found; t++) {
			int conflict = find_conflict(&layout, &layout.tensors[t]);
			if (conflict >= 0 && layout.tensors[t].uses != NULL) {
				use = layout.tensors[t].uses[conflict];
				found = true;
			}
		}
		layout_release(&layout);
		if (status != AI8X_OK || !found)
			return status;
		if (network->layer_count + 1 > target->part->info.layers) {
			return network_error(
				error, AI8X_ERR_NETWORK, network, (int)use.layer,
				"the join needs a copy of one of its operands, but the %s has no layer left of %u",
				target->part->info.name, target->part->info.layers);
		}
		status = insert_copy(network, &use, error);
		if (status != AI8X_OK)
			return status;
	}
}
