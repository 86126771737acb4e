// The independent referee's walk through a network: joins sources, takes the described part of them, and
// lets the operators of ops.h do the rest (see golden.h).
#include "golden.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

// What is known of one layer; empty tensors are not computed yet.
struct result {
	golden_tensor input; // after pooling, element-wise and flattening
	golden_tensor sums;  // layers with weights
	golden_tensor output;
	bool busy; // being computed: asked for again, it depends on itself
};

struct golden_model {
	const ai8x_network *network;
	size_t count; // layers when the model was made
	struct result *results;
};

ai8x_status golden_model_create(const ai8x_network *network, golden_model **model, ai8x_error *error)
{
	*model = NULL;
	golden_model *created = calloc(1, sizeof *created);
	struct result *results = calloc(network->layer_count + 1, sizeof *results);
	if (created == NULL || results == NULL) {
		free(created);
		free(results);
		return golden_fail(error, AI8X_ERR_NO_MEMORY, "golden model: no memory for a network");
	}
	created->network = network;
	created->count = network->layer_count;
	created->results = results;
	*model = created;
	return AI8X_OK;
}

void golden_model_destroy(golden_model *model)
{
	if (model == NULL)
		return;
	for (size_t i = 0; i < model->count; i++) {
		golden_tensor_destroy(&model->results[i].input);
		golden_tensor_destroy(&model->results[i].sums);
		golden_tensor_destroy(&model->results[i].output);
	}
	free(model->results);
	free(model);
}

// --- sources ---------------------------------------------------------------------------------------

static ai8x_status network_input(const ai8x_network *network, golden_tensor *input, ai8x_error *error)
{
	*input = (golden_tensor){0};
	if (network->input == NULL)
		return golden_fail(error, AI8X_ERR_ARGUMENT, "the network has no input data");
	ai8x_status status = golden_tensor_create(network->input_shape[0], network->input_shape[1],
	                                          network->input_shape[2], input, error);
	for (size_t i = 0; status == AI8X_OK && i < golden_tensor_size(input); i++)
		input->data[i] = (int32_t)network->input[i];
	return status;
}

// Per channel, the pixels of all parts one after the other.
static ai8x_status join_pixels(const golden_tensor *const *parts, size_t count, golden_tensor *out,
                               ai8x_error *error)
{
	*out = (golden_tensor){0};
	size_t channels = parts[0]->channels;
	size_t pixels = 0;
	for (size_t i = 0; i < count; i++) {
		if (parts[i]->channels != channels) {
			return golden_fail(error, AI8X_ERR_ARGUMENT,
			                   "source %zu has %zu channels, source 0 has %zu: their pixels cannot be joined",
			                   i, parts[i]->channels, channels);
		}
		pixels += parts[i]->rows * parts[i]->columns;
	}
	ai8x_status status = golden_tensor_create(channels, pixels, 1, out, error);
	if (status != AI8X_OK)
		return status;
	int32_t *next = out->data;
	for (size_t channel = 0; channel < channels; channel++) {
		for (size_t i = 0; i < count; i++) {
			size_t size = parts[i]->rows * parts[i]->columns;
			memcpy(next, parts[i]->data + channel * size, size * sizeof *next);
			next += size;
		}
	}
	return AI8X_OK;
}

// Sources that become the channels of one tensor need not agree in how their pixels form rows: what
// counts is the image the layer says it reads.
static ai8x_status join_channels(const golden_tensor *const *parts, size_t count, golden_tensor *out,
                                 ai8x_error *error)
{
	golden_tensor flat[AI8X_NETWORK_SOURCES];
	const golden_tensor *list[AI8X_NETWORK_SOURCES];
	for (size_t i = 0; i < count; i++) {
		flat[i] = (golden_tensor){parts[i]->channels, parts[i]->rows * parts[i]->columns, 1, parts[i]->data};
		list[i] = &flat[i];
	}
	ai8x_status status = golden_concatenate(list, count, out, error);
	if (status == AI8X_OK) {
		out->rows = parts[0]->rows;
		out->columns = parts[0]->columns;
	}
	return status;
}

static ai8x_status join_sources(golden_model *model, const ai8x_network_layer *layer, golden_tensor *joined,
                                ai8x_error *error)
{
	*joined = (golden_tensor){0};
	golden_tensor input = {0};
	const golden_tensor *parts[AI8X_NETWORK_SOURCES] = {&input};
	ai8x_status status = AI8X_OK;
	if (layer->source_count == 0 || layer->source_count > AI8X_NETWORK_SOURCES) {
		return golden_fail(error, AI8X_ERR_ARGUMENT, "%u sources: the network is not resolved",
		                   layer->source_count);
	}
	for (size_t i = 0; i < layer->source_count && status == AI8X_OK; i++) {
		if (layer->sources[i] == AI8X_NETWORK_INPUT) {
			if (input.data == NULL)
				status = network_input(model->network, &input, error);
			parts[i] = &input;
		} else if (layer->sources[i] < 0 || (size_t)layer->sources[i] >= model->network->layer_count) {
			status = golden_fail(error, AI8X_ERR_ARGUMENT, "source %d does not exist", layer->sources[i]);
		} else {
			status = golden_model_output(model, (size_t)layer->sources[i], &parts[i], error);
		}
	}
	if (status == AI8X_OK) {
		status = layer->join == AI8X_JOIN_PIXELS ? join_pixels(parts, layer->source_count, joined, error)
		                                         : join_channels(parts, layer->source_count, joined, error);
	}
	golden_tensor_destroy(&input);
	return status;
}

// The part of one operand that the layer reads, as the image it says it reads.
static ai8x_status take_operand(const golden_tensor *joined, const ai8x_network_layer *layer, size_t index,
                                golden_tensor *operand, ai8x_error *error)
{
	*operand = (golden_tensor){0};
	size_t share = joined->channels / layer->operands;
	size_t cropped = (size_t)layer->crop_first + layer->crop_last;
	if (cropped >= joined->rows || layer->first_channel > share ||
	    layer->in_channels > share - layer->first_channel ||
	    (joined->rows - cropped) * joined->columns != (size_t)layer->in_rows * layer->in_columns) {
		return golden_fail(error, AI8X_ERR_ARGUMENT,
		                   "an operand of %u x %u x %u values cannot be taken from %zu x %zu x %zu "
		                   "(%u channels skipped, %zu rows cropped)",
		                   layer->in_channels, layer->in_rows, layer->in_columns, share, joined->rows,
		                   joined->columns, layer->first_channel, cropped);
	}
	ai8x_status status =
		golden_tensor_create(layer->in_channels, layer->in_rows, layer->in_columns, operand, error);
	if (status != AI8X_OK)
		return status;
	size_t pixels = operand->rows * operand->columns;
	for (size_t channel = 0; channel < operand->channels; channel++) {
		size_t from = index * share + layer->first_channel + channel;
		memcpy(operand->data + channel * pixels,
		       joined->data + (from * joined->rows + layer->crop_first) * joined->columns,
		       pixels * sizeof *operand->data);
	}
	return AI8X_OK;
}

// --- layers ----------------------------------------------------------------------------------------

static golden_eltwise eltwise_of(const ai8x_network_layer *layer)
{
	return layer->operands > 1 ? golden_eltwise_named(ai8x_eltwise_name(layer->eltwise)) : NULL;
}

static golden_operator operator_of(const ai8x_network_layer *layer)
{
	static const golden_operator table[] = {
		[AI8X_OP_PASSTHROUGH] = GOLDEN_PASSTHROUGH, [AI8X_OP_CONV2D] = GOLDEN_CONV2D,
		[AI8X_OP_CONV1D] = GOLDEN_CONV1D,           [AI8X_OP_CONVT2D] = GOLDEN_CONVTRANSPOSE2D,
		[AI8X_OP_LINEAR] = GOLDEN_LINEAR,
	};
	return table[layer->operation];
}

static golden_activation activation_of(const ai8x_network_layer *layer)
{
	static const golden_activation table[] = {
		[AI8X_ACTIVATE_NONE] = GOLDEN_ACTIVATION_NONE,
		[AI8X_ACTIVATE_RELU] = GOLDEN_ACTIVATION_RELU,
		[AI8X_ACTIVATE_ABS] = GOLDEN_ACTIVATION_ABS,
	};
	return table[layer->activation];
}

static golden_layer describe(const ai8x_network *network, const ai8x_network_layer *layer)
{
	return (golden_layer){
		.eltwise = eltwise_of(layer),
		.eltwise_first = !layer->pool_first,
		.pooling = {.window = {layer->pool_rows, layer->pool_columns},
	                .stride = {layer->pool_stride, layer->pool_stride},
	                .dilation = {layer->pool_dilation_rows, layer->pool_dilation_columns},
	                .average = layer->pooling == AI8X_POOL_AVERAGE,
	                .round = network->average_rounding},
		.flatten = layer->flatten,
		.convolution = {.kind = operator_of(layer),
	                    .kernel = {layer->kernel_rows, layer->kernel_columns},
	                    .padding = {layer->pad_rows, layer->pad_columns},
	                    .dilation = {layer->dilation, 1},
	                    .groups = layer->groups,
	                    .out_channels = layer->out_channels,
	                    .weight_bits = layer->bypass ? 8 : layer->weight_bits},
		.output = {.shift = layer->output_shift,
	               .activation = activation_of(layer),
	               .wide = layer->output_bits == 32},
	};
}

// The layer's input after pooling, element-wise and flattening.
static ai8x_status prepare(golden_model *model, const ai8x_network_layer *layer, const golden_layer *golden,
                           golden_tensor *input, ai8x_error *error)
{
	golden_tensor joined;
	golden_tensor operands[AI8X_NETWORK_SOURCES] = {{0}};
	const golden_tensor *list[AI8X_NETWORK_SOURCES];
	if (layer->operands == 0 || layer->operands > AI8X_NETWORK_SOURCES)
		return golden_fail(error, AI8X_ERR_ARGUMENT, "%u operands", layer->operands);
	ai8x_status status = join_sources(model, layer, &joined, error);
	for (size_t i = 0; i < layer->operands && status == AI8X_OK; i++) {
		status = take_operand(&joined, layer, i, &operands[i], error);
		list[i] = &operands[i];
	}
	if (status == AI8X_OK)
		status = golden_prepare(list, layer->operands, golden, input, error);
	for (size_t i = 0; i < layer->operands; i++)
		golden_tensor_destroy(&operands[i]);
	golden_tensor_destroy(&joined);
	return status;
}

// The layer whose weights and bias are used.
static const ai8x_network_layer *weights_of(const ai8x_network *network, const ai8x_network_layer *layer)
{
	for (size_t i = 0; i < network->layer_count && layer->weight_source >= 0 &&
	                   (size_t)layer->weight_source < network->layer_count;
	     i++)
		layer = &network->layers[layer->weight_source];
	return layer;
}

static ai8x_status sum_up(const ai8x_network *network, const ai8x_network_layer *layer,
                          const golden_tensor *input, golden_convolution convolution, golden_tensor *sums,
                          ai8x_error *error)
{
	const ai8x_network_layer *owner = weights_of(network, layer);
	size_t taps = (size_t)layer->kernel_rows * layer->kernel_columns;
	size_t need = layer->groups == 0 ? 0 : layer->out_channels * (input->channels / layer->groups) * taps;
	int8_t *ones = NULL;
	convolution.bias = owner->bias;
	convolution.weights = owner->weights;
	if (layer->bypass) {
		ones = malloc(need + 1);
		if (ones == NULL)
			return golden_fail(error, AI8X_ERR_NO_MEMORY, "no memory for %zu weights", need);
		memset(ones, 1, need);
		convolution.weights = ones;
	} else if (owner->weights == NULL) {
		return golden_fail(error, AI8X_ERR_ARGUMENT, "the layer has no weights");
	} else if (owner->weight_count != need) {
		return golden_fail(error, AI8X_ERR_ARGUMENT, "the layer has %zu weights but needs %zu",
		                   owner->weight_count, need);
	}
	ai8x_status status = golden_convolve(input, &convolution, sums, error);
	free(ones);
	return status;
}

// Computes input, sums and (where wanted) output of a layer, as far as they are missing.
static ai8x_status compute(golden_model *model, size_t position, bool with_output, ai8x_error *error)
{
	const ai8x_network_layer *layer = &model->network->layers[position];
	struct result *result = &model->results[position];
	golden_layer golden = describe(model->network, layer);
	bool has_sums = golden.convolution.kind != GOLDEN_PASSTHROUGH;
	ai8x_status status = AI8X_OK;
	if (result->input.data == NULL)
		status = prepare(model, layer, &golden, &result->input, error);
	if (status == AI8X_OK && has_sums && result->sums.data == NULL)
		status = sum_up(model->network, layer, &result->input, golden.convolution, &result->sums, error);
	if (status == AI8X_OK && with_output && result->output.data == NULL) {
		status = has_sums ? golden_finish(&result->sums, &golden.output, &result->output, error)
		                  : golden_tensor_copy(&result->input, &result->output, error);
	}
	return status;
}

static ai8x_status ask(golden_model *model, size_t position, bool with_output, ai8x_error *error)
{
	if (model->count != model->network->layer_count) {
		return golden_fail(error, AI8X_ERR_ARGUMENT,
		                   "golden model: the network has %zu layers, but had %zu when the model was made",
		                   model->network->layer_count, model->count);
	}
	if (position >= model->count) {
		return golden_fail(error, AI8X_ERR_ARGUMENT, "golden model: there is no layer at position %zu",
		                   position);
	}
	unsigned number = model->network->layers[position].number;
	struct result *result = &model->results[position];
	if (result->busy) {
		return golden_fail(error, AI8X_ERR_NETWORK, "golden model: layer %u depends on its own output",
		                   number);
	}
	result->busy = true;
	ai8x_error inner = {0};
	ai8x_status status = compute(model, position, with_output, &inner);
	result->busy = false;
	if (status != AI8X_OK && error != NULL) {
		*error = inner;
		// A source's message already names the layer that failed.
		if (strncmp(inner.message, "golden model: ", strlen("golden model: ")) != 0)
			return golden_fail_in_layer(error, status, number);
	}
	return status;
}

ai8x_status golden_model_output(golden_model *model, size_t position, const golden_tensor **output,
                                ai8x_error *error)
{
	ai8x_status status = ask(model, position, true, error);
	*output = status == AI8X_OK ? &model->results[position].output : NULL;
	return status;
}

ai8x_status golden_model_sums(golden_model *model, size_t position, const golden_tensor **sums,
                              ai8x_error *error)
{
	ai8x_status status = ask(model, position, false, error);
	bool known = status == AI8X_OK && model->results[position].sums.data != NULL;
	*sums = known ? &model->results[position].sums : NULL;
	return status;
}

ai8x_status golden_model_range(void *user, const ai8x_network *network, size_t position, int64_t *least,
                               int64_t *greatest, ai8x_error *error)
{
	golden_model *model = user;
	*least = 0;
	*greatest = 0;
	if (network != model->network) {
		return golden_fail(error, AI8X_ERR_ARGUMENT,
		                   "golden model: asked about a network it was not made for");
	}
	const golden_tensor *sums;
	ai8x_status status = golden_model_sums(model, position, &sums, error);
	if (status != AI8X_OK || sums == NULL)
		return status;
	*least = sums->data[0];
	*greatest = sums->data[0];
	for (size_t i = 1; i < golden_tensor_size(sums); i++) {
		*least = sums->data[i] < *least ? sums->data[i] : *least;
		*greatest = sums->data[i] > *greatest ? sums->data[i] : *greatest;
	}
	return AI8X_OK;
}

ai8x_status golden_model_outputs(golden_model *model, ai8x_network_tensor **outputs, ai8x_error *error)
{
	size_t count = model->count;
	*outputs = NULL;
	ai8x_network_tensor *list = calloc(count + 1, sizeof *list);
	if (list == NULL)
		return golden_fail(error, AI8X_ERR_NO_MEMORY, "golden model: no memory for %zu outputs", count);
	for (size_t i = 0; i < count; i++) {
		const golden_tensor *output;
		ai8x_status status = golden_model_output(model, i, &output, error);
		if (status != AI8X_OK) {
			free(list);
			return status;
		}
		list[i] = (ai8x_network_tensor){
			output->data, {(uint32_t)output->channels, (uint32_t)output->rows, (uint32_t)output->columns}};
	}
	*outputs = list;
	return AI8X_OK;
}
