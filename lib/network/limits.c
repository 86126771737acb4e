// What a part can do with a layer, before anything is placed. Source of all limits: hardware reference 7.

#include <stdio.h>

#include "network/limits.h"
#include "network/network.h"
#include "network/target.h"

// A layer under examination.
struct subject {
	const ai8x_network *network;
	const ai8x_network_layer *layer;
	const struct target *target;
	int position;
	ai8x_error *error;
};

static ai8x_status refuse(const struct subject *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static ai8x_status refuse(const struct subject *s, const char *format, ...)
{
	char text[AI8X_MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return network_error(s->error, AI8X_ERR_NETWORK, s->network, s->position, "%s (limit of the %s)", text,
	                     s->target->part->info.name);
}

static bool has(const struct subject *s, enum part_field_id field)
{
	return part_has_field(s->target->part, field);
}

// Fields that hold a count less one, or a value from 0 on: how many values they tell apart.
static uint32_t values_of(const struct subject *s, enum part_field_id field)
{
	return 1u << s->target->part->fields[field].width;
}

// A side of the image as the hardware sees it, in pixels of the input and of the pooled image.
struct side {
	const char *name;
	uint32_t pixels, pooled, pad;
};

// A long 1-D reach is folded into rows of `dilation` pixels, pad 1 (lower.c).
static bool is_folded(const ai8x_network_layer *layer)
{
	return layer->operation == AI8X_OP_CONV1D && layer->dilation > 1 &&
	       (layer->kernel_rows - 1) * layer->dilation >= 9;
}

static struct side rows_of(const ai8x_network_layer *layer)
{
	if (!is_folded(layer))
		return (struct side){"rows", layer->in_rows, layer->pooled_rows, layer->pad_rows};
	const uint32_t rows = divide_up(layer->in_rows, layer->dilation);
	return (struct side){"folded rows", rows, rows, 1};
}

static struct side columns_of(const ai8x_network_layer *layer)
{
	if (!is_folded(layer))
		return (struct side){"columns", layer->in_columns, layer->pooled_columns, layer->pad_columns};
	return (struct side){"folded columns", layer->dilation, layer->dilation, 1};
}

// The counters of the MAX78000 run over the padded image, those of the MAX78002 to where the last window begins.
// They hold one less. No register holds the size of the output.
static ai8x_status check_side(const struct subject *s, const struct side *side)
{
	const ai8x_network_layer *layer = s->layer;
	const bool window = s->target->part->quirks.window_stop_geometry;
	const bool transposed = layer->operation == AI8X_OP_CONVT2D;
	const uint32_t scale = transposed ? 2 : 1;
	const uint32_t pad = window ? 0 : transposed ? layer->kernel_rows - 1 - side->pad : side->pad;
	const uint32_t most = values_of(s, window ? F_ROW_STOP : F_RCNT_MAX);
	const uint64_t whole = (uint64_t)scale * side->pixels + 2 * (uint64_t)pad;
	const uint64_t counted = window ? ((uint64_t)scale * side->pooled - 1) * layer->pool_stride + 1 : whole;
	if (counted <= most)
		return AI8X_OK;
	return refuse(s, "%u %s%s%s%s: %llu are counted, at most %u are possible", side->pixels, side->name,
	              transposed ? " with zeros between them" : "", pad > 0 ? " with padding" : "",
	              counted == whole ? "" : " up to the last window", (unsigned long long)counted, most);
}

static ai8x_status check_sizes(const struct subject *s)
{
	const ai8x_network_layer *layer = s->layer;
	const struct side rows = rows_of(layer), columns = columns_of(layer);
	ai8x_status status;
	if (!layer->flatten &&
	    ((status = check_side(s, &rows)) != AI8X_OK || (status = check_side(s, &columns)) != AI8X_OK))
		return status;
	const uint32_t max_channels = values_of(s, F_INPCHEXP) * AI8X_PROCESSORS;
	if (layer->in_channels > max_channels || layer->out_channels > max_channels) {
		return refuse(
			s, "%u input and %u output channels: at most %u are possible (%u passes of %u processors)",
			layer->in_channels, layer->out_channels, max_channels, values_of(s, F_INPCHEXP), AI8X_PROCESSORS);
	}
	if (layer->flatten) {
		uint32_t pixels = layer->pooled_rows * layer->pooled_columns;
		if (pixels > 256 || pixels * divide_up(layer->in_channels, AI8X_PROCESSORS) > 256) {
			return refuse(s, "flatten takes at most 256 pixels (times passes of 64 channels), not %ux%ux%u",
			              layer->in_channels, layer->pooled_rows, layer->pooled_columns);
		}
	}
	return AI8X_OK;
}

static ai8x_status check_pooling(const struct subject *s)
{
	const ai8x_network_layer *layer = s->layer;
	const uint32_t window = values_of(s, F_POOL_ROWS), stride = values_of(s, F_STRIDE);
	if (layer->pool_rows > window || layer->pool_columns > window)
		return refuse(s, "pooling window %ux%u: at most %ux%u", layer->pool_rows, layer->pool_columns, window,
		              window);
	if (layer->pool_stride > stride)
		return refuse(s, "pooling stride %u: at most %u", layer->pool_stride, stride);
	bool dilated = layer->pool_dilation_rows > 1 || layer->pool_dilation_columns > 1;
	if (dilated && !has(s, F_POOL_ROWS_INC))
		return refuse(s, "dilated pooling does not exist");
	// The window's counter counts rows, with dilation from the first to the last sample.
	if ((layer->pool_rows - 1) * layer->pool_dilation_rows >= window ||
	    (layer->pool_columns - 1) * layer->pool_dilation_columns >= window) {
		return refuse(s, "pooling window %ux%u with dilation %ux%u spans more than %u rows or columns",
		              layer->pool_rows, layer->pool_columns, layer->pool_dilation_rows,
		              layer->pool_dilation_columns, window);
	}
	if (layer->operands > 2 && !layer->pool_first) {
		return refuse(s, "pooling after an element-wise operation takes two operands, not %u",
		              layer->operands);
	}
	uint32_t passes = divide_up(layer->in_channels, AI8X_PROCESSORS);
	if (layer->operation == AI8X_OP_PASSTHROUGH && layer->pooling != AI8X_POOL_NONE &&
	    passes > s->target->max_pool_passes && (layer->pooled_rows > 1 || layer->pooled_columns > 1)) {
		return refuse(s, "pooling of %u channels (%u passes) in a passthrough layer; at most %u pass",
		              layer->in_channels, passes, s->target->max_pool_passes);
	}
	return AI8X_OK;
}

static ai8x_status check_dilated_conv1d(const struct subject *s)
{
	const ai8x_network_layer *layer = s->layer;
	if (layer->dilation == 1)
		return AI8X_OK;
	if (layer->kernel_rows == 1)
		return refuse(s, "dilation %u needs a kernel longer than 1", layer->dilation);
	if (layer->weight_bits == -1)
		return refuse(s, "dilation needs weights of 0, which binary weights do not have");
	if (!is_folded(layer))
		return AI8X_OK;
	// Longer reach is emulated with a 3x3 convolution over rows of `dilation` pixels.
	if (layer->kernel_rows > 3) {
		return refuse(
			s,
			"a kernel of length %u with dilation %u reaches over more than 9 pixels, which needs a length of "
			"at most 3",
			layer->kernel_rows, layer->dilation);
	}
	if (layer->pad_rows > 0 || layer->pooling != AI8X_POOL_NONE || layer->pool_stride > 1 || layer->bypass ||
	    layer->read_ahead || layer->streaming) {
		return refuse(
			s,
			"dilation %u with a kernel of length %u cannot be combined with padding, pooling, bypass, "
			"read-ahead or streaming",
			layer->dilation, layer->kernel_rows);
	}
	return AI8X_OK;
}

static ai8x_status check_convolution(const struct subject *s)
{
	const ai8x_network_layer *layer = s->layer;
	const struct target *target = s->target;
	uint32_t passes = divide_up(layer->in_channels, AI8X_PROCESSORS);
	bool square = layer->kernel_rows == layer->kernel_columns;

	switch (layer->operation) {
	case AI8X_OP_CONV2D:
		if (!square || (layer->kernel_rows != 1 && layer->kernel_rows != 3)) {
			return refuse(s, "conv2d kernels are 1x1 or 3x3, not %ux%u", layer->kernel_rows,
			              layer->kernel_columns);
		}
		break;
	case AI8X_OP_CONV1D:
		if (layer->kernel_rows > 9 || layer->kernel_columns != 1 || layer->pad_columns != 0)
			return refuse(s, "conv1d kernels have a length of 1 to 9, not %u", layer->kernel_rows);
		if (passes > 1 && layer->pad_rows > 0 && !target->multipass_padded_conv1d)
			return refuse(s, "a padded conv1d has at most 64 input channels, not %u", layer->in_channels);
		break;
	case AI8X_OP_CONVT2D:
		if (!square || layer->kernel_rows != 3)
			return refuse(s, "transposed convolutions have 3x3 kernels");
		if (layer->pad_rows > 2 || layer->pad_columns > 2 || layer->output_padding != 1)
			return refuse(s, "transposed convolutions have pad 0 to 2 and output_pad 1");
		break;
	default:
		break;
	}
	if (layer->operation != AI8X_OP_CONV1D && layer->dilation != 1)
		return refuse(s, "dilation exists for conv1d only");
	if (layer->pad_rows > target->max_pad || layer->pad_columns > target->max_pad)
		return refuse(s, "pad %u: at most %u", layer->pad_rows, target->max_pad);
	if (layer->groups > 1 && !has(s, F_DW_EN))
		return refuse(s, "groups (depth-wise convolutions) do not exist");
	if (layer->bypass && !has(s, F_BYPASS))
		return refuse(s, "kernel bypass does not exist");
	if (layer->operands > 1 && !target->eltwise_convolution_bias &&
	    network_adds_bias(s->network, s->position)) {
		return refuse(s,
		              "a convolution after an element-wise operation in the same layer has no bias: put the "
		              "element-wise operation into a layer of its own");
	}
	if (layer->groups > 1 && layer->bias_groups != 0)
		return refuse(
			s, "bias_group cannot be chosen for a depth-wise layer: its biases lie in every group it uses");
	return check_dilated_conv1d(s);
}

static ai8x_status check_arithmetic(const struct subject *s)
{
	const ai8x_network_layer *layer = s->layer;
	int bits = layer->weight_bits;
	if (bits != 8 && bits != 4 && bits != 2 && bits != 1 && bits != -1)
		return refuse(s, "weights have 8, 4, 2 or 1 bits, not %d", bits);
	if (bits == -1 && !has(s, F_BINARY))
		return refuse(s, "binary weights (-1, +1) do not exist; 1-bit weights (-1, 0) do");
	const int most = (int)values_of(s, F_SCALE_REG) - 1;
	if (layer->output_shift < -most || layer->output_shift > most) {
		int correction = network_has_weights(layer) ? 8 - (bits == -1 ? 1 : bits) : 0;
		return refuse(s, "output_shift %d: %d to %d are possible with %d-bit weights",
		              layer->output_shift - correction, -most - correction, most - correction,
		              bits == -1 ? 1 : bits);
	}
	if (layer->output_bits != 8 && layer->output_bits != 32)
		return refuse(s, "output_width is 8 or 32");
	if (layer->output_bits == 32 && layer->activation != AI8X_ACTIVATE_NONE)
		return refuse(s, "a layer with 32-bit output has no activation");
	return AI8X_OK;
}

static ai8x_status check_sources(const struct subject *s)
{
	for (unsigned k = 0; k < s->layer->source_count; k++) {
		int source = s->layer->sources[k];
		if (source >= 0 && s->network->layers[source].output_bits != 8) {
			return refuse(s, "reads layer %u, whose output is %u bits wide; layers read 8-bit data",
			              s->network->layers[source].number, s->network->layers[source].output_bits);
		}
	}
	return AI8X_OK;
}

static ai8x_status check_switches(const struct subject *s)
{
	const ai8x_network_layer *layer = s->layer;
	const struct target *target = s->target;
	if (layer->calcx4 && !has(s, F_CALCX4))
		return refuse(s, "calcx4 does not exist");
	if (layer->calcx4 && (layer->groups > 1 || layer->flatten || layer->operation == AI8X_OP_PASSTHROUGH ||
	                      layer->bypass || layer->out_channels % 4 != 0))
		return refuse(s, "calcx4 needs an ordinary convolution with a multiple of four output channels");
	if (layer->read_ahead && !has(s, F_RD_AHEAD))
		return refuse(s, "readahead does not exist");
	if (layer->read_gap > 0 && !has(s, F_MP_STRIDE))
		return refuse(s, "read_gap does not exist");
	if (layer->read_gap > 0 && layer->in_channels > AI8X_PROCESSORS && layer->operands == 1)
		return refuse(s, "read_gap needs at most 64 channels");
	const uint32_t max_write_gap = (1u << target->part->fields[F_WPTR_INC].width) - 1;
	if (layer->write_gap > max_write_gap)
		return refuse(s, "write_gap %u: at most %u", layer->write_gap, max_write_gap);
	int64_t bytes = 4 * (int64_t)target->part->info.data_words;
	if (layer->in_offset >= bytes || layer->out_offset >= bytes) {
		return refuse(s,
		              "in_offset 0x%llx or out_offset 0x%llx lies past the end of a data memory instance "
		              "(0x%llx bytes)",
		              (unsigned long long)(layer->in_offset < 0 ? 0 : layer->in_offset),
		              (unsigned long long)(layer->out_offset < 0 ? 0 : layer->out_offset),
		              (unsigned long long)bytes);
	}
	if (layer->chw && s->position != 0)
		return refuse(s, "data_format CHW is possible for the first layer only");
	if (layer->chw && (layer->operands > 1 || layer->flatten || layer->in_channels > AI8X_INSTANCES)) {
		return refuse(s,
		              "data_format CHW takes one operand and at most 16 channels, and cannot be flattened");
	}
	bool links = layer->next != AI8X_NETWORK_DEFAULT && layer->next != AI8X_NETWORK_STOP &&
	             layer->next != s->position + 1;
	if ((links || layer->next_snoop != AI8X_NETWORK_DEFAULT) && !has(s, F_LINK))
		return refuse(s, "layers run one after the other: next_sequence and snoop_sequence do not exist");
	if (layer->next >= (int)s->network->layer_count || layer->next < AI8X_NETWORK_DEFAULT)
		return refuse(s, "there is no layer to link to");
	return AI8X_OK;
}

static ai8x_status check_streaming(const struct subject *s)
{
	const ai8x_network_layer *layer = s->layer;
	if (!layer->streaming)
		return AI8X_OK;
	if (s->position >= AI8X_MAX_STREAMS)
		return refuse(s, "the first %d layers can stream", AI8X_MAX_STREAMS);
	if (s->position > 0 && !s->network->layers[s->position - 1].streaming) {
		return refuse(s,
		              "a streaming layer follows a streaming layer, but the one before it does not stream");
	}
	if (layer->flatten)
		return refuse(s, "flatten cannot stream");
	if (layer->operation == AI8X_OP_PASSTHROUGH && !s->target->streaming_passthrough)
		return refuse(s, "passthrough layers cannot stream");
	bool last =
		s->position + 1 == (int)s->network->layer_count || !s->network->layers[s->position + 1].streaming;
	bool emulated_pad = layer->operation == AI8X_OP_CONV2D && layer->kernel_rows == 1;
	if (last && !s->target->streaming_unpadded_end && !emulated_pad &&
	    (layer->pad_rows == 0 || (layer->pad_columns == 0 && layer->operation != AI8X_OP_CONV1D)))
		return refuse(s, "the last streaming layer needs padding");
	uint64_t frame =
		(uint64_t)layer->in_rows * layer->in_columns * divide_up(layer->in_channels, AI8X_PROCESSORS);
	if (frame >= UINT64_C(1) << 21)
		return refuse(s, "a frame of %llu words: less than 2^21 are possible", (unsigned long long)frame);
	return AI8X_OK;
}

static ai8x_status check_layer(const ai8x_network *network, size_t position, const struct target *target,
                               ai8x_error *error)
{
	static ai8x_status (*const checks[])(const struct subject *) = {
		check_sizes,      check_sources,  check_pooling,   check_convolution,
		check_arithmetic, check_switches, check_streaming,
	};
	struct subject s = {network, &network->layers[position], target, (int)position, error};
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		ai8x_status status = checks[i](&s);
		if (status != AI8X_OK)
			return status;
	}
	return AI8X_OK;
}

ai8x_status network_check(const ai8x_network *network, const ai8x_part *part, ai8x_error *error)
{
	const struct target *target = target_of(part);
	if (target == NULL)
		return error_set(error, AI8X_ERR_UNSUPPORTED, "this compiler does not know the part");
	if (network->layer_count > part->info.layers) {
		return network_error(error, AI8X_ERR_NETWORK, network, -1, "%zu layers: the %s has %u",
		                     network->layer_count, part->info.name, part->info.layers);
	}
	if (network->first_set > 0 && !part_has_field(part, F_LCNT_START)) {
		return network_error(
			error, AI8X_ERR_NETWORK, network, 0,
			"a run begins with layer 0: start-layer does not exist (limit of the %s); with weight-start "
			"another network's kernels can stay in memory while registers are written anew",
			part->info.name);
	}
	if (network->first_set > 0 && network->layers[0].streaming)
		return network_error(error, AI8X_ERR_NETWORK, network, 0, "layers can stream from layer 0 on only");
	if (network->snoop_given && !part_has_field(part, F_SNOOP_EN)) {
		return network_error(error, AI8X_ERR_NETWORK, network, -1, "the %s has no snoop registers",
		                     part->info.name);
	}
	bool binary = false;
	bool one_bit = false;
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_status status = check_layer(network, i, target, error);
		if (status != AI8X_OK)
			return status;
		binary = binary || (network_has_weights(&network->layers[i]) && network->layers[i].weight_bits == -1);
		one_bit =
			one_bit || (network_has_weights(&network->layers[i]) && network->layers[i].weight_bits == 1);
	}
	if (binary && one_bit) {
		return network_error(
			error, AI8X_ERR_NETWORK, network, -1,
			"binary (-1, +1) and 1-bit (-1, 0) weights cannot be combined: one switch selects for "
			"the whole network");
	}
	return AI8X_OK;
}
