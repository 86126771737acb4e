// Layers in words.
#include <ai8xsim/event.h>

#include "layer/geometry.h"

#include <stdarg.h>
#include <stdio.h>

static const char *const operation_names[] = {
	[AI8X_OP_PASSTHROUGH] = "passthrough", [AI8X_OP_CONV2D] = "conv2d", [AI8X_OP_CONV1D] = "conv1d",
	[AI8X_OP_CONVT2D] = "convtranspose2d", [AI8X_OP_LINEAR] = "linear",
};

static const char *const eltwise_names[] = {
	[AI8X_ELTWISE_SUB] = "sub",
	[AI8X_ELTWISE_ADD] = "add",
	[AI8X_ELTWISE_OR] = "or",
	[AI8X_ELTWISE_XOR] = "xor",
};

static const char *const pooling_names[] = {
	[AI8X_POOL_NONE] = "none",
	[AI8X_POOL_MAX] = "max",
	[AI8X_POOL_AVERAGE] = "average",
};

static const char *const activation_names[] = {
	[AI8X_ACTIVATE_NONE] = "none",
	[AI8X_ACTIVATE_RELU] = "relu",
	[AI8X_ACTIVATE_ABS] = "abs",
};

static const char *const state_names[] = {
	[AI8X_STATE_START] = "start",     [AI8X_STATE_READ] = "read",       [AI8X_STATE_POOL_READ] = "pool-read",
	[AI8X_STATE_PAD] = "pad",         [AI8X_STATE_TRAM] = "tram",       [AI8X_STATE_FILL] = "fill",
	[AI8X_STATE_OUTPUT] = "output",   [AI8X_STATE_ROW_END] = "row-end", [AI8X_STATE_SEEK] = "seek",
	[AI8X_STATE_FLATTEN] = "flatten", [AI8X_STATE_STALL] = "stall",     [AI8X_STATE_PIPELINE] = "pipeline",
};

#define NAME(table, value) ((size_t)(value) < sizeof(table) / sizeof(table)[0] ? (table)[value] : "?")

const char *ai8x_operation_name(ai8x_operation operation)
{
	return NAME(operation_names, operation);
}

const char *ai8x_eltwise_name(ai8x_eltwise eltwise)
{
	return NAME(eltwise_names, eltwise);
}

const char *ai8x_pooling_name(ai8x_pooling pooling)
{
	return NAME(pooling_names, pooling);
}

const char *ai8x_activation_name(ai8x_activation activation)
{
	return NAME(activation_names, activation);
}

const char *ai8x_state_name(ai8x_state state)
{
	return NAME(state_names, state);
}

uint64_t ai8x_layer_macs(const ai8x_layer *layer)
{
	if (layer == NULL)
		return 0;
	if (!layer_has_kernels(layer))
		return 0;
	uint64_t pixels = (uint64_t)layer->output_rows * layer->output_columns;
	uint64_t taps = (uint64_t)layer->kernel_rows * layer->kernel_columns;
	uint64_t inputs =
		(uint64_t)bits_count(layer->bypass ? layer->processors : layer->kernel_processors) * layer->passes;
	// In fan-out each slot is computed by one group.
	if (layer->quad_fanout)
		inputs /= bits_count(layer->groups);
	return pixels * taps * inputs * (layer->depthwise ? 1 : layer->slots);
}

// Text that grows in place and counts what it would need.
struct text {
	char *at;
	size_t size, length;
};

static void say(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct text *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	bool room = text->length < text->size;
	int length = vsnprintf(room ? text->at + text->length : NULL, room ? text->size - text->length : 0,
	                       format, arguments);
	va_end(arguments);
	text->length += length > 0 ? (size_t)length : 0;
}

static void say_input(struct text *text, const ai8x_layer *layer)
{
	if (layer->operands > 1)
		say(text, "%u-operand %s, ", layer->operands, ai8x_eltwise_name(layer->eltwise));
	if (layer->pooling != AI8X_POOL_NONE) {
		say(text, "%ux%u %s pool stride %u", layer->pool_rows, layer->pool_columns,
		    ai8x_pooling_name(layer->pooling), layer->pool_stride);
		if (layer->pool_dilation_rows > 1 || layer->pool_dilation_columns > 1)
			say(text, " dilation %ux%u", layer->pool_dilation_rows, layer->pool_dilation_columns);
		say(text, "%s, ", layer->operands > 1 ? layer->pool_first ? " (first)" : " (after)" : "");
	} else if (layer->pool_stride > 1) {
		say(text, "stride %u, ", layer->pool_stride);
	}
}

static void say_operation(struct text *text, const ai8x_layer *layer)
{
	unsigned channels = bits_count(layer->processors) * layer->passes;
	if (layer->quad_fanout)
		channels /= bits_count(layer->groups);
	if (!layer_has_kernels(layer)) {
		say(text, "pass-through, %u channels", channels);
		return;
	}
	if (layer->operation == AI8X_OP_LINEAR)
		say(text, "linear, %u", channels);
	else if (layer->operation == AI8X_OP_CONV1D)
		say(text, "%s1-D conv length %u, %u", layer->depthwise ? "depth-wise " : "", layer->kernel_rows,
		    channels);
	else
		say(text, "%s%ux%u %s, %u", layer->depthwise ? "depth-wise " : "", layer->kernel_rows,
		    layer->kernel_columns, layer->transposed ? "transposed conv" : "conv", channels);
	say(text, " -> %u channels", layer->slots);
	if (layer->pad_rows > 0 || layer->pad_columns > 0) {
		if (layer->pad_rows == layer->pad_columns || layer->kernel_columns == 1)
			say(text, ", pad %u", layer->pad_rows);
		else
			say(text, ", pad %ux%u", layer->pad_rows, layer->pad_columns);
	}
	if (layer->bypass)
		say(text, ", all weights 1");
	else
		say(text, ", %u-bit%s weights", layer->weight_bits, layer->binary ? " (+1/-1)" : "");
	if (layer->bias_groups != 0)
		say(text, ", bias");
	if (layer->output_bits == 8 && layer->output_shift != 0)
		say(text, ", shift %+d", layer->output_shift);
	if (layer->activation != AI8X_ACTIVATE_NONE)
		say(text, ", %s", layer->activation == AI8X_ACTIVATE_RELU ? "ReLU" : "abs");
	if (layer->output_bits == 32)
		say(text, ", 32-bit output");
}

static void say_memory(struct text *text, const ai8x_layer *layer)
{
	unsigned group =
		layer->processors != 0 ? processor_group((unsigned)__builtin_ctzll(layer->processors)) : 0;
	if (layer->write_mode == AI8X_WRITE_CHANNELS)
		group = layer->master;
	say(text, ", %ux%u", layer->rows, layer->columns);
	if (layer->output_rows != layer->rows || layer->output_columns != layer->columns)
		say(text, " -> %ux%u", layer->output_rows, layer->output_columns);
	const unsigned processors = bits_count(layer->processors);
	say(text, "; reads %s%s0x%04x with %u processor%s", layer->fifo ? "FIFO at " : "",
	    layer->chw ? "CHW " : "", layer->read_base[layer->master] * 4, processors,
	    processors == 1 ? "" : "s");
	if (layer->passes > 1)
		say(text, " in %u passes", layer->passes);
	say(text, ", writes 0x%04x of instance %u", layer->write_word[group] * 4, layer->write_instance[group]);
	if (layer->output_passes > 1)
		say(text, " in %u passes", layer->output_passes);
	if (layer->streaming)
		say(text, "; streams through a ring of %u words", layer->ring_words);
	if (layer->link)
		say(text, "; then layer %u", layer->next);
	if (layer->stop)
		say(text, "; then stops");
}

size_t ai8x_layer_describe(const ai8x_layer *layer, char *buffer, size_t size)
{
	if (buffer == NULL)
		size = 0;
	if (layer == NULL)
		return 0;
	struct text text = {buffer, size, 0};
	if (size > 0)
		buffer[0] = '\0';
	say_input(&text, layer);
	say_operation(&text, layer);
	say_memory(&text, layer);
	return text.length;
}
