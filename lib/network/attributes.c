// What a compiled program records about itself and its layers, so that `info` can show the network again. The names
// are those of the program format (docs/program-format.md).

#include "network/attributes.h"

#include <stdio.h>

struct recorder {
	ai8x_program *program;
	int position;
	ai8x_error *error;
	ai8x_status status;
};

static void record(struct recorder *r, const ai8x_attribute *attribute)
{
	if (r->status == AI8X_OK)
		r->status = ai8x_program_set_attribute(r->program, r->position, attribute, r->error);
}

static void record_integer(struct recorder *r, const char *name, int64_t value)
{
	ai8x_attribute attribute = {
		.name = name, .type = AI8X_ATTRIBUTE_INT, .integers = &value, .count = 1, .scalar = true};
	record(r, &attribute);
}

static void record_map(struct recorder *r, const char *name, uint64_t map)
{
	int64_t value = (int64_t)map;
	ai8x_attribute attribute = {.name = name,
	                            .type = AI8X_ATTRIBUTE_INT,
	                            .integers = &value,
	                            .count = 1,
	                            .scalar = true,
	                            .is_unsigned = true};
	record(r, &attribute);
}

static void record_list(struct recorder *r, const char *name, const int64_t *values, size_t count)
{
	ai8x_attribute attribute = {.name = name, .type = AI8X_ATTRIBUTE_INT, .integers = values, .count = count};
	record(r, &attribute);
}

static void record_pair(struct recorder *r, const char *name, int64_t rows, int64_t columns)
{
	int64_t values[2] = {rows, columns};
	record_list(r, name, values, 2);
}

static void record_text(struct recorder *r, const char *name, const char *text)
{
	ai8x_attribute attribute = {.name = name, .type = AI8X_ATTRIBUTE_TEXT, .text = text};
	record(r, &attribute);
}

static uint64_t layer_macs(const struct plan_layer *layer)
{
	const ai8x_network_layer *net = layer->net;
	return (uint64_t)net->out_channels * net->out_rows * net->out_columns * net->fan_channels *
	       net->kernel_rows * net->kernel_columns;
}

static void record_meaning(struct recorder *r, const struct plan_layer *layer)
{
	const ai8x_network_layer *net = layer->net;
	record_text(r, "operator", ai8x_operation_name(net->operation));
	record_text(r, "hw_operator",
	            ai8x_operation_name(net->operation == AI8X_OP_LINEAR ? net->operation : layer->operation));
	record_pair(r, "kernel_size", net->kernel_rows, net->kernel_columns);
	record_pair(r, "padding", net->pad_rows, net->pad_columns);
	int64_t stride = net->operation == AI8X_OP_CONVT2D ? 2 : 1;
	record_pair(r, "stride", stride, stride);
	record_pair(r, "dilation", net->dilation, 1);
	record_pair(r, "output_padding", net->output_padding, net->output_padding);
	record_integer(r, "groups", net->groups);
	record_pair(r, "hw_kernel_size", layer->kernel_rows, layer->kernel_columns);
	record_pair(r, "hw_padding", layer->pad_rows, layer->pad_columns);
	record_pair(r, "hw_input_dim", layer->rows, layer->columns);
	record_pair(r, "hw_output_dim", layer->out_rows, layer->out_columns);
	record_text(r, "eltwise", net->operands > 1 ? ai8x_eltwise_name(net->eltwise) : "none");
	record_integer(r, "operands", net->operands);
	record_integer(r, "pool_first", net->pool_first);
	record_pair(r, "pool", net->pool_rows, net->pool_columns);
	record_pair(r, "pool_stride", net->pool_stride, net->pool_stride);
	record_pair(r, "pool_dilation", net->pool_dilation_rows, net->pool_dilation_columns);
	record_integer(r, "pool_average", net->pooling == AI8X_POOL_AVERAGE);
	record_text(r, "activation", ai8x_activation_name(net->activation));
	record_integer(r, "output_shift", net->output_shift);
	record_integer(r, "quantization", network_has_weights(net) ? net->weight_bits : 0);
	record_integer(r, "output_width", net->output_bits);
	record_integer(r, "flatten", net->flatten);
	record_integer(r, "bypass", net->bypass);
	record_integer(r, "input_channels", net->in_channels);
	record_pair(r, "input_dim", net->in_rows, net->in_columns);
	record_pair(r, "pooled_dim", net->pooled_rows, net->pooled_columns);
	record_integer(r, "output_channels", net->out_channels);
	record_pair(r, "output_dim", net->out_rows, net->out_columns);
	int64_t shape[3] = {net->out_channels, net->out_rows, net->out_columns};
	record_list(r, "shape", shape, 3);
}

static void record_placement(struct recorder *r, const struct plan_layer *layer)
{
	const ai8x_network_layer *net = layer->net;
	int quadrant = layer->bias_groups == 0           ? -1
	               : layer->depthwise || layer->quad ? -2
	                                                 : (int)bits_first(layer->bias_groups);
	record_integer(r, "bias", layer->bias_groups != 0);
	record_integer(r, "bias_quadrant", quadrant);
	record_map(r, "processors", layer->own_processors);
	record_map(r, "output_processors", layer->output_processors);
	record_integer(r, "in_expand", layer->in_passes);
	record_integer(r, "out_expand", layer->out_passes);
	record_integer(r, "in_expand_thresh", layer->in_thresh);
	record_integer(r, "out_expand_thresh", layer->out_thresh);
	record_integer(r, "in_offset", net->in_offset);
	record_integer(r, "out_offset", net->out_offset);
	record_integer(r, "write_gap", net->write_gap);
	record_integer(r, "read_gap", net->read_gap);
	record_integer(r, "streaming", layer->streaming);
	if (layer->streaming)
		record_integer(r, "rollover", layer->ring_words);
	record_integer(r, "chw", net->chw);
	record_integer(r, "calcx4", net->calcx4);
	record_integer(r, "readahead", net->read_ahead);
	record_integer(r, "avgpool_reset", layer->reset_before);
	record_integer(r, "kernel_offset", layer->kernel_word);
	record_integer(r, "kernel_words", layer->kernel_words);
	record_integer(r, "macs", (int64_t)layer_macs(layer));
	record_integer(r, "cycles", -1);
}

static void record_layer(struct recorder *r, const struct plan *plan, size_t order)
{
	const struct plan_layer *layer = &plan->layers[plan->order[order]];
	const ai8x_network_layer *net = layer->net;
	int64_t inputs[AI8X_NETWORK_SOURCES];
	int previous = order == 0 ? AI8X_NETWORK_INPUT : (int)plan->order[order - 1];
	r->position = (int)order;
	record_integer(r, "position", (int64_t)order);
	record_integer(r, "hw_layer", layer->index);
	record_integer(r, "next",
	               order + 1 < plan->order_count ? (int64_t)plan->layers[plan->order[order + 1]].net->number
	                                             : -1);
	record_integer(r, "is_output", net->output || order + 1 == plan->order_count);
	if (net->name != NULL)
		record_text(r, "name", net->name);
	if (net->source_count > 1 || net->sources[0] != previous) {
		for (unsigned k = 0; k < net->source_count; k++)
			inputs[k] = net->sources[k] < 0 ? -1 : (int64_t)plan->layers[net->sources[k]].net->number;
		record_list(r, "inputs", inputs, net->source_count);
	}
	record_meaning(r, layer);
	record_placement(r, layer);
}

// Words that describe the network at a glance, separated by spaces.
static void feature_words(const struct plan *plan, char *text, size_t size)
{
	struct {
		const char *word;
		bool found;
	} features[] = {
		{"conv2d", false},      {"conv1d", false},    {"convtranspose2d", false}, {"linear", false},
		{"passthrough", false}, {"maxpool", false},   {"avgpool", false},         {"bias", false},
		{"flatten", false},     {"depthwise", false}, {"multipass", false},       {"streaming", false},
		{"w32", false},         {"eltwise", false},   {"writegap", false},
	};
	static const unsigned operation_word[] = {
		[AI8X_OP_CONV2D] = 0, [AI8X_OP_CONV1D] = 1,      [AI8X_OP_CONVT2D] = 2,
		[AI8X_OP_LINEAR] = 3, [AI8X_OP_PASSTHROUGH] = 4,
	};
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_layer *layer = &plan->layers[i];
		features[operation_word[layer->net->operation]].found = true;
		features[5].found |= layer->net->pooling == AI8X_POOL_MAX;
		features[6].found |= layer->net->pooling == AI8X_POOL_AVERAGE;
		features[7].found |= layer->bias_groups != 0;
		features[8].found |= layer->net->flatten;
		features[9].found |= layer->depthwise;
		features[10].found |= layer->in_passes > 1 || layer->out_passes > 1;
		features[11].found |= layer->streaming;
		features[12].found |= layer->net->output_bits == 32;
		features[13].found |= layer->net->operands > 1;
		features[14].found |= layer->net->write_gap > 0;
	}
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < sizeof features / sizeof features[0] && used < size; i++) {
		if (features[i].found) {
			int length = snprintf(text + used, size - used, "%s%s", used == 0 ? "" : " ", features[i].word);
			used += length < 0 ? 0 : (size_t)length;
		}
	}
}

ai8x_status plan_attributes(const struct plan *plan, ai8x_program *program, ai8x_error *error)
{
	struct recorder r = {program, -1, error, AI8X_OK};
	int64_t order[NETWORK_MAX_LAYERS];
	char features[256];
	uint64_t macs = 0;
	for (size_t i = 0; i < plan->order_count; i++) {
		order[i] = plan->layers[plan->order[i]].net->number;
		macs += layer_macs(&plan->layers[plan->order[i]]);
	}
	feature_words(plan, features, sizeof features);
	record_text(&r, "source", plan->network->file == NULL ? plan->network->name : plan->network->file);
	record_integer(&r, "layers", (int64_t)plan->order_count);
	record_list(&r, "order", order, plan->order_count);
	record_text(&r, "features", features);
	record_integer(&r, "macs", (int64_t)macs);
	record_integer(&r, "cycles", -1);
	for (size_t i = 0; i < plan->order_count; i++)
		record_layer(&r, plan, i);
	return r.status;
}
