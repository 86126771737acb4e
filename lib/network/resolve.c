// From a description to complete shapes: which layer reads what, how large every image is.
//
// The rules are those of the descriptions' users: sizes follow from the input and from layer to layer, keys in the
// description override what follows, weights decide channel counts (docs/networks.md).

#include "network/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "network/channels.h"
#include "network/cut.h"
#include "network/read_yaml.h"
#include "network/weights.h"
#include "network/yaml_load.h"

// Defaults that need the weights file to have been read.
static void finish_defaults(ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		if (layer->weight_source >= 0) {
			const ai8x_network_layer *source = ai8x_network_weights_of(network, i);
			layer->weight_bits = layer->weight_bits == 0 ? source->weight_bits : layer->weight_bits;
		}
		if (layer->weight_bits == 0)
			layer->weight_bits = 8;
		if (!network_has_weights(layer)) {
			layer->weight_bits = 8;
			if (layer->bypass && layer->operation != AI8X_OP_PASSTHROUGH && !layer->shift_given) {
				// Weights of 1 are 1/128 in the output's scale.
				layer->output_shift = 7;
				layer->shift_given = true;
			}
		}
	}
	// The file's shift does not include the correction for narrow weights; the struct's does.
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		if (network_has_weights(layer))
			layer->output_shift += 8 - (layer->weight_bits == -1 ? 1 : layer->weight_bits);
	}
}

// What a layer reads when the description does not say: what ran before it.
static void default_sources(ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		if (layer->source_count > 0)
			continue;
		layer->sources[0] = i == 0 ? AI8X_NETWORK_INPUT : network_previous(network, i);
		layer->source_count = 1;
	}
}

// Number of the first source that has no shape yet, or -1.
static int unresolved_source(const ai8x_network *network, size_t i, const bool *resolved)
{
	const ai8x_network_layer *layer = &network->layers[i];
	for (unsigned k = 0; k < layer->source_count; k++)
		if (layer->sources[k] >= 0 && !resolved[layer->sources[k]])
			return layer->sources[k];
	return -1;
}

static ai8x_status resolve_sources(ai8x_network *network, size_t i, ai8x_error *error)
{
	const ai8x_network_layer *layer = &network->layers[i];
	for (unsigned k = 0; k < layer->source_count; k++) {
		int source = layer->sources[k];
		if (source < AI8X_NETWORK_INPUT || source >= (int)network->layer_count) {
			return network_error(error, AI8X_ERR_NETWORK, network, (int)i, "there is no layer %d to read",
			                     source);
		}
		if (source == (int)i)
			return network_error(error, AI8X_ERR_NETWORK, network, (int)i, "the layer reads its own output");
	}
	return AI8X_OK;
}

void network_source_shape(const ai8x_network *network, int source, uint32_t shape[3])
{
	if (source == AI8X_NETWORK_INPUT) {
		memcpy(shape, network->input_shape, 3 * sizeof shape[0]);
	} else {
		shape[0] = network->layers[source].out_channels;
		shape[1] = network->layers[source].out_rows;
		shape[2] = network->layers[source].out_columns;
	}
}

// Channels that the weights of layer i take, 0 where they do not say (flattened layers say it later).
static uint32_t weight_channels(const ai8x_network *network, size_t i)
{
	const ai8x_network_layer *layer = &network->layers[i];
	const ai8x_network_layer *source = ai8x_network_weights_of(network, i);
	if (!network_has_weights(layer) || source->weights == NULL || layer->flatten)
		return 0;
	return source->fan_channels * layer->groups;
}

static void note_input(ai8x_network *network, uint32_t channels)
{
	network_note(network, 0,
	             "took %u input channels from processors 0x%016llx; give in_channels for another number",
	             channels, (unsigned long long)network->layers[0].processors);
}

// The network's input shape, from the first layers that read it, unless a file gave it.
static ai8x_status resolve_input(ai8x_network *network, ai8x_error *error)
{
	ai8x_network_layer *first = &network->layers[0];
	if (network->input_shape[0] != 0)
		return AI8X_OK;
	uint32_t channels = first->in_channels != 0 ? first->in_channels : weight_channels(network, 0);
	uint32_t rows = first->in_rows + first->crop_first + first->crop_last;
	if (channels == 0 && first->flatten && first->in_rows != 0) {
		const ai8x_network_layer *source = ai8x_network_weights_of(network, 0);
		uint32_t flat = first->fan_channels != 0 ? first->fan_channels : source->fan_channels;
		channels = flat / (first->in_rows * first->in_columns);
	}
	if (channels == 0 && first->flatten && first->fan_channels != 0) {
		return network_error(
			error, AI8X_ERR_NETWORK, network, 0,
			"in_channels %u of a flattened layer counts channels times pixels: with %ux%u pixels a "
			"multiple of %u",
			first->fan_channels, first->in_rows, first->in_columns, first->in_rows * first->in_columns);
	}
	if (channels == 0 && first->operation == AI8X_OP_LINEAR && !first->flatten)
		channels = first->fan_channels;
	if (channels == 0) {
		channels = bits_count(first->processors);
		if (channels > 0)
			note_input(network, channels);
	}
	if (channels == 0) {
		return network_error(
			error, AI8X_ERR_NETWORK, network, 0,
			"how many channels does the input have? Add 'in_channels: N' to the first layer, or "
			"give --input-shape CxHxW, --weights or a sample --input");
	}
	if (first->in_rows == 0 && first->operation == AI8X_OP_LINEAR && !first->flatten) {
		first->in_rows = 1;
		first->in_columns = 1;
		rows = 1;
	}
	if (first->in_rows == 0) {
		const bool line = first->operation == AI8X_OP_CONV1D;
		return network_error(error, AI8X_ERR_NETWORK, network, 0,
		                     "how large is the input? Give --input-shape %u%s (or a sample --input), or add "
		                     "'in_dim: %s' to the first layer",
		                     channels * first->operands, line ? "xLENGTH" : "xROWSxCOLUMNS",
		                     line ? "[LENGTH, 1]" : "[ROWS, COLUMNS]");
	}
	network->input_shape[0] = (channels + first->first_channel) * first->operands;
	network->input_shape[1] = rows;
	network->input_shape[2] = first->in_columns;
	return AI8X_OK;
}

// What two sources of a layer put out, for messages.
static void tell_shapes(const ai8x_network *network, const ai8x_network_layer *layer, char *text, size_t size)
{
	size_t length = 0;
	for (unsigned k = 0; k < layer->source_count && length < size; k++) {
		uint32_t shape[3];
		char name[32] = "the input";
		network_source_shape(network, layer->sources[k], shape);
		if (layer->sources[k] >= 0)
			snprintf(name, sizeof name, "layer %u", network->layers[layer->sources[k]].number);
		length += (size_t)snprintf(text + length, size - length, "%s%s has %ux%ux%u", k == 0 ? "" : ", ",
		                           name, shape[0], shape[1], shape[2]);
	}
}

// Decides how the sources join, and the joined channels (all operands) and pixels.
static ai8x_status resolve_join(ai8x_network *network, size_t i, uint64_t *channels, uint64_t *rows,
                                uint64_t *columns, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[i];
	uint32_t first[3];
	uint64_t pixels = 0;
	bool same_image = true;
	bool same_channels = true;

	network_source_shape(network, layer->sources[0], first);
	*channels = 0;
	for (unsigned k = 0; k < layer->source_count; k++) {
		uint32_t shape[3];
		network_source_shape(network, layer->sources[k], shape);
		same_image = same_image && shape[1] == first[1] && shape[2] == first[2];
		same_channels = same_channels && shape[0] == first[0];
		*channels += shape[0];
		pixels += (uint64_t)shape[1] * shape[2];
	}
	*rows = first[1];
	*columns = first[2];
	uint64_t wanted = ((uint64_t)layer->in_rows + layer->crop_first + layer->crop_last) * layer->in_columns;
	bool by_pixels = layer->source_count > 1 && layer->operands == 1 && same_channels &&
	                 layer->in_rows != 0 && wanted == pixels;
	if (by_pixels) {
		layer->join = AI8X_JOIN_PIXELS;
		*channels = first[0];
		*rows = pixels / layer->in_columns;
		*columns = layer->in_columns;
		return AI8X_OK;
	}
	layer->join = AI8X_JOIN_CHANNELS;
	char shapes[160] = "";
	if (!same_image || !same_channels)
		tell_shapes(network, layer, shapes, sizeof shapes);
	if (layer->operands > 1 && (!same_image || !same_channels)) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "the operands of an element-wise operation have different %s: %s",
		                     same_image ? "channel counts" : "sizes", shapes);
	}
	if (!same_image) {
		return network_error(
			error, AI8X_ERR_NETWORK, network, (int)i,
			"in_sequences have images of different sizes (%s); joining their pixels needs an "
			"in_dim with the sum of their pixels (%llu)",
			shapes, (unsigned long long)pixels);
	}
	return AI8X_OK;
}

static ai8x_status resolve_channels(ai8x_network *network, size_t i, uint64_t joined, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[i];
	if (joined % layer->operands != 0) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "%llu channels cannot be split into %u operands", (unsigned long long)joined,
		                     layer->operands);
	}
	uint64_t available = joined / layer->operands;
	if (layer->in_channels == 0) {
		uint64_t chosen = available - (layer->first_channel < available ? layer->first_channel : available);
		if (layer->flatten && layer->fan_channels != 0 && layer->in_rows != 0)
			chosen = layer->fan_channels / ((uint64_t)layer->in_rows * layer->in_columns);
		layer->in_channels = (uint32_t)chosen;
	}
	if (layer->in_channels == 0 && layer->first_channel > 0) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "in_channel_skip %u leaves nothing of %llu channels", layer->first_channel,
		                     (unsigned long long)available);
	}
	if (layer->in_channels == 0 || (uint64_t)layer->first_channel + layer->in_channels > available) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "needs channels %u to %u, but its input has %llu channels%s",
		                     layer->first_channel, layer->first_channel + layer->in_channels - 1,
		                     (unsigned long long)available, layer->operands > 1 ? " for each operand" : "");
	}
	return AI8X_OK;
}

static ai8x_status resolve_image(ai8x_network *network, size_t i, uint64_t rows, uint64_t columns,
                                 ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[i];
	uint64_t crop = (uint64_t)layer->crop_first + layer->crop_last;
	if (layer->in_rows == 0) {
		if (crop >= rows) {
			return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
			                     "in_crop leaves nothing of %llu rows", (unsigned long long)rows);
		}
		layer->in_rows = (uint32_t)(rows - crop);
		layer->in_columns = (uint32_t)columns;
		if (layer->operation == AI8X_OP_CONV1D && layer->in_columns != 1) {
			layer->in_rows = (uint32_t)((rows - crop) * columns);
			layer->in_columns = 1;
		}
	}
	uint64_t pixels = rows * columns - crop * columns;
	if ((uint64_t)layer->in_rows * layer->in_columns != pixels) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "in_dim %ux%u does not have the %llu pixels of the layer's input",
		                     layer->in_rows, layer->in_columns, (unsigned long long)pixels);
	}
	if (layer->operation == AI8X_OP_CONV1D && layer->in_columns != 1) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "conv1d needs one-dimensional data, not %ux%u", layer->in_rows,
		                     layer->in_columns);
	}
	if (layer->in_rows > NETWORK_MAX_SIDE || layer->in_columns > NETWORK_MAX_SIDE ||
	    (uint64_t)layer->in_channels * layer->in_rows * layer->in_columns > NETWORK_MAX_ELEMENTS) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i, "the input of %ux%ux%u is too large",
		                     layer->in_channels, layer->in_rows, layer->in_columns);
	}
	return AI8X_OK;
}

// Windows along one direction: as many as start so that window and dilation (less one) fit.
static uint32_t pooled_side(uint32_t side, uint32_t window, uint32_t stride, uint32_t dilation)
{
	uint32_t extent = window + dilation - 1;
	return side + stride < extent ? 0 : (side + stride - extent) / stride;
}

static ai8x_status resolve_pooling(ai8x_network *network, size_t i, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[i];
	bool line = layer->operation == AI8X_OP_CONV1D ||
	            (layer->operation == AI8X_OP_PASSTHROUGH && layer->in_columns == 1);
	if (line) {
		layer->pool_columns = 1;
		layer->pool_dilation_columns = 1;
		if (layer->pool_rows == 1)
			layer->pooling = AI8X_POOL_NONE;
	}
	layer->pooled_rows =
		pooled_side(layer->in_rows, layer->pool_rows, layer->pool_stride, layer->pool_dilation_rows);
	layer->pooled_columns = line ? 1
	                             : pooled_side(layer->in_columns, layer->pool_columns, layer->pool_stride,
	                                           layer->pool_dilation_columns);
	if (layer->pooled_rows == 0 || layer->pooled_columns == 0) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "pooling %ux%u leaves nothing of %ux%u pixels", layer->pool_rows,
		                     layer->pool_columns, layer->in_rows, layer->in_columns);
	}
	uint64_t last_row = (uint64_t)(layer->pooled_rows - 1) * layer->pool_stride +
	                    (uint64_t)(layer->pool_rows - 1) * layer->pool_dilation_rows;
	uint64_t last_column = (uint64_t)(layer->pooled_columns - 1) * layer->pool_stride +
	                       (uint64_t)(layer->pool_columns - 1) * layer->pool_dilation_columns;
	if (last_row >= layer->in_rows || last_column >= layer->in_columns) {
		return network_error(
			error, AI8X_ERR_NETWORK, network, (int)i,
			"dilated pooling reads past the image: the hardware sizes the result with a window of "
			"%ux%u pixels, but its samples reach row %llu and column %llu of %ux%u",
			layer->pool_rows + layer->pool_dilation_rows - 1,
			layer->pool_columns + layer->pool_dilation_columns - 1, (unsigned long long)last_row,
			(unsigned long long)last_column, layer->in_rows, layer->in_columns);
	}
	return AI8X_OK;
}

// Output channels of a layer that nothing tells. Only the last layer may have as many as come in: what it puts out
// is read by no layer, so that the rest of the network is as meant.
static ai8x_status assume_channels(ai8x_network *network, size_t i, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[i];
	layer->out_channels = layer->in_channels;
	if (!network_has_weights(layer))
		return AI8X_OK;
	if (i + 1 == network->layer_count && layer->in_channels > 1) {
		network_note(network, (int)i,
		             "out_channels is not given and there are no weights: assumed %u output channels, as "
		             "many as its input has",
		             layer->out_channels);
		return AI8X_OK;
	}
	return network_error(
		error, AI8X_ERR_NETWORK, network, (int)i,
		"how many channels does this layer put out? Neither weights nor the processors of a layer that reads "
		"it tell this: add 'out_channels: N' to the layer, or give --weights");
}

static ai8x_status resolve_output(ai8x_network *network, size_t i, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[i];
	int64_t rows = layer->pooled_rows;
	int64_t columns = layer->pooled_columns;

	if (layer->flatten) {
		rows = columns = 1;
	} else if (layer->operation == AI8X_OP_CONVT2D) {
		rows = (rows - 1) * 2 - 2 * (int64_t)layer->pad_rows + (int64_t)layer->kernel_rows - 1 +
		       layer->output_padding + 1;
		columns = (columns - 1) * 2 - 2 * (int64_t)layer->pad_columns + (int64_t)layer->kernel_columns - 1 +
		          layer->output_padding + 1;
	} else if (layer->operation != AI8X_OP_PASSTHROUGH) {
		rows += 2 * (int64_t)layer->pad_rows - (int64_t)layer->dilation * (layer->kernel_rows - 1);
		columns += 2 * (int64_t)layer->pad_columns - (int64_t)(layer->kernel_columns - 1);
	}
	if (rows < 1 || columns < 1 || rows > NETWORK_MAX_SIDE || columns > NETWORK_MAX_SIDE) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "a %ux%u kernel with pad %u leaves nothing of %ux%u pixels", layer->kernel_rows,
		                     layer->kernel_columns, layer->pad_rows, layer->pooled_rows,
		                     layer->pooled_columns);
	}
	layer->out_rows = (uint32_t)rows;
	layer->out_columns = (uint32_t)columns;
	if (layer->out_channels == 0) {
		const ai8x_network_layer *source = ai8x_network_weights_of(network, i);
		bool known = network_has_weights(layer) && source->weights != NULL;
		ai8x_status status = AI8X_OK;
		if (known)
			layer->out_channels = source->out_channels;
		else
			status = assume_channels(network, i, error);
		if (status != AI8X_OK)
			return status;
	}
	if ((uint64_t)layer->out_channels * layer->out_rows * layer->out_columns > NETWORK_MAX_ELEMENTS) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i, "the output of %ux%ux%u is too large",
		                     layer->out_channels, layer->out_rows, layer->out_columns);
	}
	return AI8X_OK;
}

static ai8x_status resolve_weights(ai8x_network *network, size_t i, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[i];
	const ai8x_network_layer *source = ai8x_network_weights_of(network, i);

	if (layer->operation == AI8X_OP_PASSTHROUGH && layer->out_channels != layer->in_channels) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "a passthrough layer keeps its %u channels, out_channels says %u",
		                     layer->in_channels, layer->out_channels);
	}
	if (layer->groups > 1 && (layer->groups != layer->in_channels || layer->groups != layer->out_channels)) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "groups %u must be 1 or equal to the %u input and %u output channels",
		                     layer->groups, layer->in_channels, layer->out_channels);
	}
	if (!network_has_weights(layer)) {
		layer->fan_channels = 0;
		return AI8X_OK;
	}
	uint64_t fan = layer->in_channels / layer->groups;
	if (layer->flatten)
		fan *= (uint64_t)layer->pooled_rows * layer->pooled_columns;
	if (source->weights != NULL &&
	    (source->fan_channels != fan || source->out_channels != layer->out_channels ||
	     source->kernel_rows != layer->kernel_rows || source->kernel_columns != layer->kernel_columns)) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "the weights are %ux%ux%ux%u, the layer needs %ux%llux%ux%u",
		                     source->out_channels, source->fan_channels, source->kernel_rows,
		                     source->kernel_columns, layer->out_channels, (unsigned long long)fan,
		                     layer->kernel_rows, layer->kernel_columns);
	}
	if (fan * layer->out_channels * layer->kernel_rows * layer->kernel_columns > NETWORK_MAX_ELEMENTS) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "the layer would have too many weights");
	}
	layer->fan_channels = (uint32_t)fan;
	if (layer->weights != NULL && layer->weight_count != network_weight_count(layer)) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)i,
		                     "the layer has %zu weights instead of %zu", layer->weight_count,
		                     network_weight_count(layer));
	}
	return AI8X_OK;
}

// Things that no part can do and that would make shapes meaningless.
static ai8x_status check_combination(const ai8x_network *network, size_t i, ai8x_error *error)
{
	const ai8x_network_layer *layer = &network->layers[i];
	const char *text = NULL;
	bool passthrough = layer->operation == AI8X_OP_PASSTHROUGH;
	bool pooling = layer->pooling != AI8X_POOL_NONE;

	if (layer->operands < 1 || layer->operands > 16)
		text = "an element-wise operation has 2 to 16 operands";
	else if (layer->pool_rows < 1 || layer->pool_columns < 1 || layer->pool_stride < 1 ||
	         layer->pool_dilation_rows < 1 || layer->pool_dilation_columns < 1 || layer->kernel_rows < 1 ||
	         layer->kernel_columns < 1 || layer->dilation < 1 || layer->groups < 1)
		text = "windows, strides, dilations, kernels and groups must be at least 1";
	else if (passthrough && layer->activation != AI8X_ACTIVATE_NONE)
		text = "a passthrough layer has no activation";
	else if (passthrough && (layer->pad_rows > 0 || layer->pad_columns > 0))
		text = "padding needs a convolution";
	else if (passthrough && layer->output_bits != 8)
		text = "a passthrough layer has 8-bit output";
	else if (passthrough && layer->output_shift != 0)
		text = "output_shift must be 0 for a passthrough layer";
	else if (layer->flatten &&
	         (passthrough || layer->operation == AI8X_OP_CONV1D || layer->operation == AI8X_OP_CONVT2D))
		text = "flatten needs a linear layer or a 1x1 conv2d";
	else if (layer->flatten && (layer->kernel_rows != 1 || layer->kernel_columns != 1 ||
	                            layer->pad_rows > 0 || layer->pad_columns > 0))
		text = "flatten needs a 1x1 kernel without padding";
	else if (layer->flatten && (pooling || layer->pool_stride > 1))
		text = "flatten cannot be combined with pooling";
	else if (layer->flatten && layer->groups > 1)
		text = "flatten cannot be combined with groups";
	else if (layer->operation == AI8X_OP_CONV1D && layer->operands > 1)
		text = "conv1d cannot be combined with an element-wise operation";
	else if (!layer->pool_first && (layer->operands == 1 || !pooling))
		text = "pool_first: false needs both pooling and an element-wise operation";
	else if (!passthrough &&
	         (layer->pad_rows >= layer->dilation * (layer->kernel_rows - 1) + 1 ||
	          (layer->operation != AI8X_OP_CONV1D && layer->pad_columns >= layer->kernel_columns)))
		text = "padding must be smaller than the kernel";
	else if (layer->bias != NULL && passthrough)
		text = "a passthrough layer has no bias";
	return text == NULL ? AI8X_OK : network_error(error, AI8X_ERR_NETWORK, network, (int)i, "%s", text);
}

static ai8x_status resolve_layer(ai8x_network *network, size_t i, ai8x_error *error)
{
	uint64_t channels = 0;
	uint64_t rows = 0;
	uint64_t columns = 0;
	ai8x_status status;
	if ((status = resolve_join(network, i, &channels, &rows, &columns, error)) != AI8X_OK ||
	    (status = resolve_channels(network, i, channels, error)) != AI8X_OK ||
	    (status = resolve_image(network, i, rows, columns, error)) != AI8X_OK ||
	    (status = resolve_pooling(network, i, error)) != AI8X_OK ||
	    (status = resolve_output(network, i, error)) != AI8X_OK)
		return status;
	return resolve_weights(network, i, error);
}

// Layers in the order of the description, those whose sources stand further down after them.
// Weights of another layer bring their output shift along.
static void share_shifts(ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		const ai8x_network_layer *source = ai8x_network_weights_of(network, i);
		if (source == layer || !source->shift_given)
			continue;
		if (layer->shift_given && layer->output_shift != source->output_shift) {
			const int correction = 8 - abs(source->weight_bits);
			network_note(
				network, (int)i,
				"output_shift %d gives way to %d of layer %u, whose weights it uses (the vendor's generator "
				"has the same rule)",
				layer->output_shift - correction, source->output_shift - correction, source->number);
		}
		layer->output_shift = source->output_shift;
		layer->shift_given = true;
	}
}

// While there are no weights a layer wants a bias, but not where trained networks have none: in a convolution after
// an element-wise operation (one part cannot add it), and in depth-wise layers of networks whose biases are more
// than any part holds.
static void drop_biases(ai8x_network *network)
{
	enum { MOST_ENTRIES = 8192 };
	uint64_t entries = 0;
	bool depthwise = false;
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		if (layer->weights != NULL || layer->bias != NULL)
			continue;
		layer->bias_wanted = layer->bias_wanted && layer->operands == 1;
		entries += network_has_weights(layer) && layer->bias_wanted ? layer->out_channels : 0;
		depthwise = depthwise || layer->groups > 1;
	}
	if (entries <= MOST_ENTRIES || !depthwise)
		return;
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		if (layer->groups > 1 && layer->weights == NULL && layer->bias == NULL)
			layer->bias_wanted = false;
	}
	network_note(network, -1,
	             "%llu biases are more than any part holds: depth-wise layers without weights get none",
	             (unsigned long long)entries);
}

static ai8x_status resolve_layers(ai8x_network *network, bool *resolved, ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	size_t left = network->layer_count;
	while (left > 0) {
		const size_t before = left;
		size_t waiting = SIZE_MAX;
		for (size_t i = 0; i < network->layer_count; i++) {
			if (resolved[i])
				continue;
			if (unresolved_source(network, i, resolved) >= 0) {
				waiting = waiting == SIZE_MAX ? i : waiting;
				continue;
			}
			if ((status = resolve_layer(network, i, error)) != AI8X_OK)
				return status;
			resolved[i] = true;
			left--;
		}
		if (left == before) {
			return network_error(error, AI8X_ERR_NETWORK, network, (int)waiting,
			                     "reads layer %u, which runs later: its result does not exist yet",
			                     network->layers[unresolved_source(network, waiting, resolved)].number);
		}
	}
	return AI8X_OK;
}

ai8x_status ai8x_network_resolve(ai8x_network *network, ai8x_error *error)
{
	if (network == NULL)
		return error_null(error, "network");
	default_sources(network);
	ai8x_status status = resolve_input(network, error);
	for (size_t i = 0; i < network->layer_count && status == AI8X_OK; i++)
		if ((status = check_combination(network, i, error)) == AI8X_OK)
			status = resolve_sources(network, i, error);
	if (status == AI8X_OK)
		status = network_infer_channels(network, error);
	if (status != AI8X_OK)
		return status;
	bool *resolved = calloc(network->layer_count, sizeof *resolved);
	if (resolved == NULL)
		return error_no_memory(error, "shapes");
	status = resolve_layers(network, resolved, error);
	free(resolved);
	if (status != AI8X_OK)
		return status;
	share_shifts(network);
	drop_biases(network);
	return status;
}

// What was asked for, else what the description names. A sample named there gives way to a shape asked for.
static ai8x_network_files choose_files(const ai8x_network_files *asked, const struct named_files *named)
{
	ai8x_network_files files = {0};
	if (asked != NULL)
		files = *asked;
	const bool weights_asked = files.weights != NULL;
	files.weights = weights_asked ? files.weights : named->weights;
	files.bias = files.bias != NULL || weights_asked ? files.bias : named->bias;
	files.input = files.input != NULL || files.input_shape != NULL ? files.input : named->input;
	return files;
}

// What the files of another network told, where nothing tells it of this one.
static void take_over(ai8x_network *network, const ai8x_network *like)
{
	ai8x_network_layer *first = &network->layers[0];
	if (like == NULL || like->layer_count != network->layer_count)
		return;
	if (like->input != NULL && network->input_shape[0] == 0) {
		if (first->in_channels == 0 && !first->flatten)
			first->in_channels = like->layers[0].in_channels;
		if (first->in_rows == 0) {
			first->in_rows = like->layers[0].in_rows;
			first->in_columns = like->layers[0].in_columns;
		}
	}
	for (size_t i = 0; i < network->layer_count; i++)
		if (network->layers[i].out_channels == 0 && like->layers[i].weights != NULL)
			network->layers[i].out_channels = like->layers[i].out_channels;
}

static ai8x_status remember_files(ai8x_network *network, const ai8x_network_files *files, ai8x_error *error)
{
	const char *const paths[] = {files->weights, files->bias, files->input};
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		network->read_from[i] = paths[i] != NULL ? strdup(paths[i]) : NULL;
		if (paths[i] != NULL && network->read_from[i] == NULL)
			return error_no_memory(error, "a path");
	}
	return AI8X_OK;
}

// Weights belong to all layers, the sample to the first of those that are left.
static ai8x_status load(ai8x_network *network, const ai8x_network_files *chosen, ai8x_error *error)
{
	const bool cut = chosen->first_layer > 0;
	const ai8x_network_files sample = {.input = chosen->input, .input_shape = chosen->input_shape};
	ai8x_network_files weights = *chosen;
	if (cut) {
		weights.input = NULL;
		weights.input_shape = NULL;
	}
	ai8x_status status = weights_load(network, &weights, error);
	if (status == AI8X_OK)
		status = network_cut(network, chosen, error);
	return status == AI8X_OK && cut ? weights_load(network, &sample, error) : status;
}

static ai8x_status parse(const char *text, size_t size, const char *file_name, bool read_named,
                         const ai8x_network_files *files, const ai8x_network *like, ai8x_network **network,
                         ai8x_error *error)
{
	struct named_files named = {NULL, NULL, NULL};
	ai8x_status status = network_read_yaml(text, size, file_name, read_named ? &named : NULL, network, error);
	if (status == AI8X_OK) {
		const ai8x_network_files chosen = choose_files(files, &named);
		status = remember_files(*network, &chosen, error);
		if (status == AI8X_OK)
			status = load(*network, &chosen, error);
	}
	if (status == AI8X_OK) {
		take_over(*network, like);
		finish_defaults(*network);
		status = ai8x_network_resolve(*network, error);
	}
	named_files_release(&named);
	if (status != AI8X_OK) {
		ai8x_network_destroy(*network);
		*network = NULL;
	}
	return status;
}

ai8x_status ai8x_network_parse(const char *text, size_t size, const char *file_name,
                               const ai8x_network_files *files, ai8x_network **network, ai8x_error *error)
{
	if (network != NULL)
		*network = NULL;
	if (text == NULL || network == NULL)
		return error_null(error, text == NULL ? "text" : "network");
	return parse(text, size, file_name, false, files, NULL, network, error);
}

ai8x_status network_parse_like(const char *text, size_t size, const char *file_name,
                               const ai8x_network_files *files, const ai8x_network *like,
                               ai8x_network **network, ai8x_error *error)
{
	return parse(text, size, file_name, false, files, like, network, error);
}

ai8x_status ai8x_network_open(const char *path, const ai8x_network_files *files, ai8x_network **network,
                              ai8x_error *error)
{
	if (network != NULL)
		*network = NULL;
	if (path == NULL || network == NULL)
		return error_null(error, path == NULL ? "path" : "network");
	unsigned char *text = NULL;
	size_t size = 0;
	ai8x_status status = file_read(path, YAML_MOST_BYTES, &text, &size, error);
	if (status == AI8X_OK)
		status = parse((const char *)text, size, path, true, files, NULL, network, error);
	free(text);
	return status;
}
