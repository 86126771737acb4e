// What a network exercises: the summary counts it, so that nobody has to believe that an operator was drawn.
#include "trial.h"

typedef bool (*has_fn)(const struct trial *trial, const ai8x_network *network,
                       const ai8x_network_layer *layer);

#define LAYER(name, condition)                                                                               \
	static bool name(const struct trial *trial, const ai8x_network *network,                                 \
	                 const ai8x_network_layer *layer)                                                        \
	{                                                                                                        \
		(void)trial;                                                                                         \
		(void)network;                                                                                       \
		return condition;                                                                                    \
	}

static bool is_image(const ai8x_network_layer *layer)
{
	return layer->operation == AI8X_OP_CONV2D;
}

static bool weighs(const ai8x_network_layer *layer)
{
	return layer->operation != AI8X_OP_PASSTHROUGH && !layer->bypass;
}

static bool is_first(const ai8x_network *network, const ai8x_network_layer *layer)
{
	return layer == &network->layers[0];
}

static bool reach(const ai8x_network_layer *layer, uint32_t least, uint32_t most)
{
	uint32_t span = (layer->kernel_rows - 1) * layer->dilation;
	return layer->operation == AI8X_OP_CONV1D && layer->dilation > 1 && span >= least && span <= most;
}

// Processors between the first and the last that are left out.
static bool has_holes(uint64_t map)
{
	map >>= map == 0 ? 0 : __builtin_ctzll(map);
	return (map & (map + 1)) != 0;
}

LAYER(conv2d_1x1, is_image(layer) && layer->kernel_rows == 1 && layer->groups == 1 && !layer->flatten)
LAYER(conv2d_3x3, is_image(layer) && layer->kernel_rows == 3 && layer->groups == 1)
LAYER(conv1d, layer->operation == AI8X_OP_CONV1D && layer->groups == 1)
LAYER(conv1d_stretched, reach(layer, 0, 8))
LAYER(conv1d_folded, reach(layer, 9, UINT32_MAX))
LAYER(transposed, layer->operation == AI8X_OP_CONVT2D && layer->groups == 1)
LAYER(depthwise_own, layer->groups > 1 && layer->processors == layer->output_processors)
LAYER(depthwise_moving, layer->groups > 1 && layer->processors != layer->output_processors)
LAYER(linear, layer->operation == AI8X_OP_LINEAR && !layer->flatten)
LAYER(flatten, layer->flatten)
LAYER(passthrough, layer->operation == AI8X_OP_PASSTHROUGH)
LAYER(eltwise_add, layer->operands > 1 && layer->eltwise == AI8X_ELTWISE_ADD)
LAYER(eltwise_sub, layer->operands > 1 && layer->eltwise == AI8X_ELTWISE_SUB)
LAYER(eltwise_or, layer->operands > 1 && layer->eltwise == AI8X_ELTWISE_OR)
LAYER(eltwise_xor, layer->operands > 1 && layer->eltwise == AI8X_ELTWISE_XOR)
LAYER(many_operands, layer->operands > 4)
LAYER(eltwise_convolution, layer->operands > 1 && layer->operation != AI8X_OP_PASSTHROUGH)
LAYER(pooled_operands, layer->operands > 1 && layer->pooling != AI8X_POOL_NONE && layer->pool_first)
LAYER(pooled_result, layer->operands > 1 && layer->pooling != AI8X_POOL_NONE && !layer->pool_first)
LAYER(max_pooling, layer->pooling == AI8X_POOL_MAX)
LAYER(average_pooling, layer->pooling == AI8X_POOL_AVERAGE && !network->average_rounding)
LAYER(average_rounding, layer->pooling == AI8X_POOL_AVERAGE && network->average_rounding)
LAYER(large_window, layer->pool_rows > 4 || layer->pool_columns > 4)
LAYER(dilated_pooling, layer->pool_dilation_rows > 1 || layer->pool_dilation_columns > 1)
LAYER(stride_alone, layer->pooling == AI8X_POOL_NONE && layer->pool_stride > 1)
LAYER(pad_two, layer->pad_rows == 2)
LAYER(input_passes, layer->in_channels > 64)
LAYER(output_passes, layer->out_channels > 64)
LAYER(four_bits, weighs(layer) && layer->weight_bits == 4)
LAYER(two_bits, weighs(layer) && layer->weight_bits == 2)
LAYER(one_bit, weighs(layer) && layer->weight_bits == 1)
LAYER(binary, weighs(layer) && layer->weight_bits == -1)
LAYER(wide_output, layer->output_bits == 32)
LAYER(relu, layer->activation == AI8X_ACTIVATE_RELU)
LAYER(absolute, layer->activation == AI8X_ACTIVATE_ABS)
LAYER(no_bias, weighs(layer) && layer->bias == NULL)
LAYER(shared_weights, layer->weight_source >= 0)
LAYER(join_channels, layer->source_count > 1 && layer->operands == 1 && layer->join == AI8X_JOIN_CHANNELS)
LAYER(join_pixels, layer->join == AI8X_JOIN_PIXELS)
LAYER(crop, layer->crop_first > 0 || layer->crop_last > 0)
LAYER(skip, layer->first_channel > 0)
LAYER(chw, layer->chw)
LAYER(fifo, is_first(network, layer) && trial->options.feed == AI8X_FEED_FIFO)
LAYER(fast_fifo, is_first(network, layer) && trial->options.feed == AI8X_FEED_FAST_FIFO)
LAYER(fast_fifo_quad, is_first(network, layer) && trial->options.feed == AI8X_FEED_FAST_FIFO_QUAD)
LAYER(paced, is_first(network, layer) && trial->pace > 0)
LAYER(streaming, layer->streaming && !trial->options.ignore_streaming)
LAYER(calcx4, layer->calcx4)
LAYER(bypass, layer->bypass)
LAYER(read_ahead, layer->read_ahead)
LAYER(write_gap, layer->write_gap > 0)
LAYER(read_gap, layer->read_gap > 0)
LAYER(holes_in, has_holes(layer->processors))
LAYER(holes_out, has_holes(layer->output_processors))

static const struct {
	const char *name;
	has_fn has;
	bool only_second; // the MAX78002 has it, the MAX78000 does not
} features[] = {
	{"conv2d 1x1", conv2d_1x1, false},
	{"conv2d 3x3", conv2d_3x3, false},
	{"conv1d", conv1d, false},
	{"conv1d dilated, long kernel", conv1d_stretched, false},
	{"conv1d dilated, as 3x3", conv1d_folded, false},
	{"transposed", transposed, false},
	{"depth-wise in place", depthwise_own, true},
	{"depth-wise moving", depthwise_moving, true},
	{"linear", linear, false},
	{"flatten", flatten, false},
	{"passthrough", passthrough, false},
	{"add", eltwise_add, false},
	{"sub", eltwise_sub, false},
	{"or", eltwise_or, false},
	{"xor", eltwise_xor, false},
	{"more than 4 operands", many_operands, false},
	{"element-wise, then convolution", eltwise_convolution, false},
	{"pooling, then element-wise", pooled_operands, false},
	{"element-wise, then pooling", pooled_result, false},
	{"max pooling", max_pooling, false},
	{"average pooling, truncating", average_pooling, false},
	{"average pooling, rounding", average_rounding, false},
	{"pooling window above 4", large_window, false},
	{"dilated pooling", dilated_pooling, true},
	{"stride without pooling", stride_alone, false},
	{"pad 2", pad_two, false},
	{"more than 64 input channels", input_passes, false},
	{"more than 64 output channels", output_passes, false},
	{"4-bit weights", four_bits, false},
	{"2-bit weights", two_bits, false},
	{"1-bit weights", one_bit, false},
	{"binary weights", binary, true},
	{"32-bit output", wide_output, false},
	{"ReLU", relu, false},
	{"Abs", absolute, false},
	{"no bias", no_bias, false},
	{"shared weights", shared_weights, false},
	{"channels joined", join_channels, false},
	{"pixels joined", join_pixels, false},
	{"rows cropped", crop, false},
	{"channels skipped", skip, false},
	{"CHW input", chw, false},
	{"FIFO", fifo, false},
	{"fast FIFO", fast_fifo, false},
	{"fast FIFO, fan-out", fast_fifo_quad, false},
	{"FIFO words late", paced, false},
	{"streaming", streaming, false},
	{"calcx4", calcx4, true},
	{"bypass", bypass, true},
	{"read-ahead", read_ahead, true},
	{"write gap", write_gap, false},
	{"read gap", read_gap, true},
	{"holes in processors", holes_in, false},
	{"holes in output processors", holes_out, false},
};

_Static_assert(sizeof features / sizeof features[0] == TRIAL_FEATURES, "as many as trial.h says");

const char *feature_name(unsigned feature)
{
	return features[feature].name;
}

bool feature_exists(unsigned feature, const ai8x_part *part)
{
	return part == ai8x_part_at(1) || !features[feature].only_second;
}

void count_features(const struct trial *trial, const ai8x_network *network, uint64_t counts[TRIAL_FEATURES])
{
	for (size_t i = 0; i < network->layer_count; i++)
		for (unsigned f = 0; f < TRIAL_FEATURES; f++)
			counts[f] += features[f].has(trial, network, &network->layers[i]);
}
