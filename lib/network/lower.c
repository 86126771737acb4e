// Builds the hardware's view of a network: emulations, passes, slots and maps. Receives a resolved and
// placed network, hands on a plan whose kernels, biases and streams are still to be decided.
// Facts: hardware reference 4.2 (data), 4.5 (dilation, flatten), 4.6, 4.8.

#include "network/lower.h"

#include <stdlib.h>
#include <string.h>

unsigned map_bit(uint64_t map, unsigned n)
{
	while (n-- > 0)
		map &= map - 1;
	return bits_first(map);
}

// Channels per pass: with more than one pass they fill whole instances.
static uint32_t per_pass(uint32_t channels, uint32_t passes)
{
	uint32_t count = divide_up(channels, passes);
	if (passes > 1) {
		count = (count + 3) & ~3u;
		count = count > AI8X_PROCESSORS ? AI8X_PROCESSORS : count;
	}
	return count;
}

static void identity_taps(struct plan_layer *layer)
{
	for (unsigned t = 0; t < PLAN_MAX_TAPS; t++)
		layer->taps[t] = (int8_t)t;
}

// A 1x1 kernel in the centre of a 3x3 one, for streaming.
static void emulate_1x1(struct plan_layer *layer)
{
	memset(layer->taps, -1, sizeof layer->taps);
	layer->taps[4] = 0;
	layer->kernel_rows = layer->kernel_columns = 3;
	layer->pad_rows = layer->pad_columns = 1;
}

// Taps `dilation` apart in a 1-D kernel of up to nine taps.
static void stretch_kernel(struct plan_layer *layer)
{
	const ai8x_network_layer *net = layer->net;
	memset(layer->taps, -1, sizeof layer->taps);
	for (uint32_t t = 0; t < net->kernel_rows; t++)
		layer->taps[(size_t)t * net->dilation] = (int8_t)t;
	layer->kernel_rows = (net->kernel_rows - 1) * net->dilation + 1;
}

// A long 1-D reach as a 3x3 kernel, pad 1, over rows of `dilation` pixels: taps lie in the centre column.
static void fold_to_2d(struct plan_layer *layer)
{
	const ai8x_network_layer *net = layer->net;
	memset(layer->taps, -1, sizeof layer->taps);
	uint32_t skipped = 3 - net->kernel_rows;
	for (uint32_t t = 0; t < net->kernel_rows; t++)
		layer->taps[(t + skipped) * 3 + 1] = (int8_t)t;
	layer->operation = AI8X_OP_CONV2D;
	layer->kernel_rows = layer->kernel_columns = 3;
	layer->pad_rows = layer->pad_columns = 1;
	layer->rows = divide_up(net->in_rows, net->dilation);
	layer->columns = net->dilation;
	layer->pooled_rows = layer->out_rows = layer->rows;
	layer->pooled_columns = layer->out_columns = layer->columns;
	// With three taps the first row of results belongs before the output.
	layer->lead_pixels = net->kernel_rows == 3 ? net->dilation : 0;
}

static void shape_operation(const struct plan *plan, struct plan_layer *layer)
{
	const ai8x_network_layer *net = layer->net;
	layer->operation = net->operation == AI8X_OP_LINEAR ? AI8X_OP_CONV2D : net->operation;
	layer->rows = net->in_rows;
	layer->columns = net->in_columns;
	layer->pooled_rows = net->pooled_rows;
	layer->pooled_columns = net->pooled_columns;
	layer->out_rows = net->out_rows;
	layer->out_columns = net->out_columns;
	layer->kernel_rows = net->kernel_rows;
	layer->kernel_columns = net->kernel_columns;
	layer->pad_rows = net->pad_rows;
	layer->pad_columns = net->pad_columns;
	layer->bits = net->weight_bits == -1 ? 1 : (uint32_t)net->weight_bits;
	layer->depthwise = net->groups > 1;
	identity_taps(layer);
	if (net->operation == AI8X_OP_CONVT2D) {
		layer->pad_rows = net->kernel_rows - 1 - net->pad_rows;
		layer->pad_columns = net->kernel_columns - 1 - net->pad_columns;
	}
	if (net->operation == AI8X_OP_CONV1D && net->dilation > 1) {
		if ((net->kernel_rows - 1) * net->dilation < 9)
			stretch_kernel(layer);
		else
			fold_to_2d(layer);
	}
	bool streams = layer->streaming || (layer->position > 0 && plan->layers[layer->position - 1].streaming);
	if (streams && net->operation == AI8X_OP_CONV2D && net->kernel_rows == 1 && net->pad_rows == 0)
		emulate_1x1(layer);
	if (net->flatten)
		layer->rows = layer->columns = layer->pooled_rows = layer->pooled_columns = 1;
}

static ai8x_status shape_channels(const struct plan *plan, struct plan_layer *layer, ai8x_error *error)
{
	const ai8x_network_layer *net = layer->net;
	layer->in_passes = divide_up(net->in_channels, AI8X_PROCESSORS);
	layer->in_thresh = per_pass(net->in_channels, layer->in_passes);
	layer->out_passes = divide_up(net->out_channels, AI8X_PROCESSORS);
	layer->out_thresh = per_pass(net->out_channels, layer->out_passes);
	layer->passes = layer->in_passes;
	if (net->flatten) {
		layer->passes *= net->pooled_rows * net->pooled_columns;
		layer->flat = layer->passes > 16;
	}
	uint32_t m = layer->in_passes;
	uint32_t n = net->operands;
	const uint32_t most_rows = 1u << plan->part->fields[F_RCNT_MAX].width;
	if (plan->target->rows_for_passes && n > 1 && m > 1 && n * m != n + m) {
		if (layer->operation != AI8X_OP_PASSTHROUGH || net->pooling != AI8X_POOL_NONE ||
		    net->pool_stride > 1) {
			return network_error(
				error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
				"an element-wise operation of %u operands and %u passes of channels cannot be "
				"combined with pooling or a convolution (limit of the %s)",
				n, m, plan->part->info.name);
		}
		if (layer->rows * m > most_rows) {
			return network_error(
				error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
				"%u rows: an element-wise operation of %u passes of channels counts %u rows, at most "
				"%u are possible (limit of the %s)",
				layer->rows, m, layer->rows * m, most_rows, plan->part->info.name);
		}
		layer->rows_for_passes = true;
		layer->rows *= m;
		layer->pooled_rows *= m;
		layer->passes = 1;
	}
	return AI8X_OK;
}

static ai8x_status check_map(const struct plan *plan, const struct plan_layer *layer, const char *what,
                             uint64_t map, uint32_t channels, uint32_t passes, uint32_t thresh,
                             ai8x_error *error)
{
	if (bits_count(map) != thresh) {
		return network_error(error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
		                     "%s 0x%016llx has %u processors, but %u channels in %u %s need %u", what,
		                     (unsigned long long)map, bits_count(map), channels, passes,
		                     passes == 1 ? "pass" : "passes", thresh);
	}
	return AI8X_OK;
}

// Passthrough: every group packs what its own processors read; the packed runs start at an instance.
static ai8x_status check_passthrough_map(const struct plan *plan, const struct plan_layer *layer,
                                         ai8x_error *error)
{
	uint64_t rest = layer->output_processors;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		unsigned count = bits_count(layer->processors >> (16 * g) & 0xffff);
		unsigned first = bits_first(rest);
		if (count == 0)
			continue;
		uint64_t run = (count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1) << first;
		if ((rest & run) != run || first % 4 != 0) {
			return network_error(
				error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
				"a passthrough layer packs the processors of each group of 16; output_processors "
				"0x%016llx cannot follow from processors 0x%016llx",
				(unsigned long long)layer->output_processors, (unsigned long long)layer->processors);
		}
		rest &= ~run;
	}
	return AI8X_OK;
}

static ai8x_status check_depthwise_map(const struct plan *plan, const struct plan_layer *layer,
                                       ai8x_error *error)
{
	unsigned first = bits_first(layer->processors);
	if (bits_first(layer->output_processors) % 4 != 0) {
		return network_error(error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
		                     "output_processors of a depth-wise layer start at a multiple of 4, not at %u",
		                     bits_first(layer->output_processors));
	}
	if (layer->processors >> first != layer->output_processors >> bits_first(layer->output_processors)) {
		return network_error(
			error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
			"a depth-wise layer writes its processors in the order and with the gaps they have; "
			"output_processors 0x%016llx cannot follow from processors 0x%016llx",
			(unsigned long long)layer->output_processors, (unsigned long long)layer->processors);
	}
	if (first % 4 != 0 && bits_last(layer->processors) / 16 != first / 16) {
		return network_error(
			error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
			"processors of a depth-wise layer that spans groups start at a multiple of 4, not at %u", first);
	}
	return AI8X_OK;
}

static ai8x_status shape_maps(const struct plan *plan, struct plan_layer *layer, ai8x_error *error)
{
	const ai8x_network_layer *net = layer->net;
	ai8x_status status;
	layer->own_processors = layer->processors = net->processors;
	layer->output_processors = net->output_processors;
	layer->quad = layer->position == 0 && plan->feed == AI8X_FEED_FAST_FIFO_QUAD;
	if ((status = check_map(plan, layer, "processors", layer->own_processors, net->in_channels,
	                        layer->in_passes, layer->in_thresh, error)) != AI8X_OK ||
	    (status = check_map(plan, layer, "output_processors", layer->output_processors, net->out_channels,
	                        layer->out_passes, layer->out_thresh, error)) != AI8X_OK)
		return status;
	if (layer->quad) {
		uint64_t map = layer->own_processors;
		layer->processors = map | map << 16 | map << 32 | map << 48;
	}
	if (layer->operation == AI8X_OP_PASSTHROUGH) {
		status = check_passthrough_map(plan, layer, error);
	} else if (layer->depthwise) {
		status = check_depthwise_map(plan, layer, error);
		layer->broadcast = layer->processors == layer->output_processors;
	}
	if (status == AI8X_OK && net->chw) {
		for (unsigned p = 0; p < AI8X_PROCESSORS; p += 4) {
			if (bits_count(layer->own_processors >> p & 0xf) > 1) {
				return network_error(
					error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
					"data_format CHW has one channel in each data memory instance, but processors %u "
					"to %u share one",
					p, p + 3);
			}
		}
	}
	layer->first_lane = bits_first(layer->output_processors) & ~3u;
	layer->slots_per_pass = bits_last(layer->output_processors) - layer->first_lane + 1;
	layer->slots = layer->slots_per_pass * layer->out_passes;
	if (net->flatten)
		layer->slots -= layer->out_passes * layer->out_thresh - net->out_channels;
	if (status == AI8X_OK && (layer->quad || net->calcx4) && layer->slots % 4 != 0) {
		return network_error(
			error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
			"four output channels are computed at a time, but output_processors 0x%016llx makes %u of "
			"them: the count must be a multiple of 4",
			(unsigned long long)layer->output_processors, layer->slots);
	}
	return status;
}

// Binary weights and bypassed kernels cannot be 0: what must not count would count.
static ai8x_status check_zero_weights(const struct plan *plan, const struct plan_layer *layer,
                                      ai8x_error *error)
{
	const ai8x_network_layer *net = layer->net;
	const char *why = NULL;
	if (net->weight_bits != -1 && !net->bypass)
		return AI8X_OK;
	if (!layer->depthwise && net->sources[0] != AI8X_NETWORK_INPUT &&
	    net->in_channels != layer->in_passes * layer->in_thresh) {
		why = "its channels do not fill the last pass";
	} else if (layer->kernel_rows != net->kernel_rows) {
		why = net->dilation > 1 ? "dilated kernels are filled up with zeros"
		                        : "streaming 1x1 kernels are sent as 3x3 kernels";
	}
	return why == NULL ? AI8X_OK
	                   : network_error(error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
	                                   "%s cannot be 0, but %s",
	                                   net->bypass ? "bypassed weights" : "binary weights", why);
}

// Write slots per pixel of layers whose groups write on their own: the most any group needs.
static void shape_time_slots(struct plan_layer *layer)
{
	uint32_t most = 1;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		uint32_t count = bits_count(layer->processors >> (16 * g) & 0xffff);
		uint32_t bytes = count * layer->net->output_bits / 8;
		uint32_t slots = 1;
		if (count == 0)
			continue;
		if (layer->operation == AI8X_OP_PASSTHROUGH)
			slots = (bytes - 1) / 4 + 1;
		else if (layer->broadcast)
			slots = (count < 4 ? count : 4) * layer->net->output_bits / 8;
		else if (layer->depthwise)
			slots = bytes;
		most = slots > most ? slots : most;
	}
	layer->time_slots = most;
}

static ai8x_status plan_feed(struct plan *plan, ai8x_error *error)
{
	const ai8x_network *network = plan->network;
	const ai8x_network_layer *first = &network->layers[0];
	bool streams = first->streaming && !plan->options.ignore_streaming;
	plan->feed = plan->options.feed;
	if (plan->feed == AI8X_FEED_AUTO)
		plan->feed = streams ? AI8X_FEED_FIFO : AI8X_FEED_MEMORY;
	if (plan->feed == AI8X_FEED_MEMORY) {
		return streams ? network_error(error, AI8X_ERR_NETWORK, network, 0,
		                               "a streaming first layer needs a FIFO")
		               : AI8X_OK;
	}
	if (network->first_set > 0)
		return network_error(
			error, AI8X_ERR_NETWORK, network, 0,
			"FIFOs feed layer 0 only: a network that begins with layer %u takes its input from memory",
			first->number);
	uint64_t allowed = first->chw ? UINT64_C(0x0001000100010001) : UINT64_C(0x000f000f000f000f);
	if (first->in_channels > (first->chw ? 4u : 16u) || (first->processors & ~allowed) != 0) {
		return network_error(
			error, AI8X_ERR_NETWORK, network, 0,
			"the FIFOs feed processors 0, 16, 32, 48 (CHW) or 0-3, 16-19, 32-35, 48-51 (HWC), not "
			"0x%016llx with %u channels",
			(unsigned long long)first->processors, first->in_channels);
	}
	if (first->operands > 1)
		return network_error(error, AI8X_ERR_NETWORK, network, 0, "a FIFO feeds one operand");
	if (plan->feed == AI8X_FEED_FIFO)
		return AI8X_OK;
	if (plan->feed == AI8X_FEED_FAST_FIFO_QUAD && first->calcx4) {
		return network_error(error, AI8X_ERR_NETWORK, network, 0,
		                     "the fast FIFO's fan-out to all groups cannot be combined with calcx4");
	}
	if (first->in_channels > (first->chw ? 1u : 4u) || first->output_bits != 8 ||
	    first->operation == AI8X_OP_PASSTHROUGH) {
		return network_error(
			error, AI8X_ERR_NETWORK, network, 0,
			"the fast FIFO feeds a convolution with 8-bit output, 1 CHW channel or up to 4 HWC "
			"channels");
	}
	return AI8X_OK;
}

static ai8x_status plan_order(struct plan *plan, ai8x_error *error)
{
	const ai8x_network *network = plan->network;
	plan->order = calloc(plan->count, sizeof *plan->order);
	bool *seen = calloc(plan->count, sizeof *seen);
	if (plan->order == NULL || seen == NULL) {
		free(seen);
		return error_no_memory(error, "the layer order");
	}
	for (int i = 0; i >= 0 && !seen[i];) {
		seen[i] = true;
		plan->order[plan->order_count++] = (size_t)i;
		int simulated = network->layers[i].next_simulated;
		i = simulated != AI8X_NETWORK_DEFAULT ? simulated : network_next(network, (size_t)i);
	}
	memset(seen, 0, plan->count * sizeof *seen);
	for (int i = 0; i >= 0 && !seen[i]; i = network_next(network, (size_t)i)) {
		seen[i] = true;
		plan->final_position = (size_t)i;
	}
	free(seen);
	return AI8X_OK;
}

static ai8x_status plan_layer_create(struct plan *plan, size_t i, uint32_t *resets, ai8x_error *error)
{
	const ai8x_network *network = plan->network;
	struct plan_layer *layer = &plan->layers[i];
	layer->net = &network->layers[i];
	layer->position = i;
	layer->weights = ai8x_network_weights_of(network, i);
	layer->streaming = layer->net->streaming && !plan->options.ignore_streaming;
	int previous = network_previous(network, i);
	layer->reset_before = plan->target->reset_average && i > 0 && previous >= 0 &&
	                      network->layers[previous].operands > 1 && layer->net->pooling == AI8X_POOL_AVERAGE;
	*resets += layer->reset_before;
	layer->index = network->first_set + (uint32_t)i + *resets;
	if (layer->index >= plan->part->info.layers) {
		return network_error(
			error, AI8X_ERR_NETWORK, network, (int)i,
			"with %u average-pooling reset layers the network needs more than the %u layers of the %s",
			*resets, plan->part->info.layers, plan->part->info.name);
	}
	shape_operation(plan, layer);
	ai8x_status status = shape_channels(plan, layer, error);
	if (status == AI8X_OK)
		status = shape_maps(plan, layer, error);
	if (status == AI8X_OK) {
		shape_time_slots(layer);
		status = check_zero_weights(plan, layer, error);
	}
	return status;
}

// The master starts a run, looks at its own FIFO only to see data arrive, and with a FIFO does not start unless it is
// group 0.
static ai8x_status check_master(const struct plan *plan, ai8x_error *error)
{
	const uint64_t map = plan->layers[0].own_processors;
	if (plan->feed == AI8X_FEED_MEMORY || (map & 0xffff) != 0)
		return AI8X_OK;
	return network_error(
		error, AI8X_ERR_NETWORK, plan->network, 0,
		"the FIFO feeds processors 0x%016llx, none of which is in group 0, whose FIFO starts a run: "
		"the program would never see data arrive; give the input processors from 0 on",
		(unsigned long long)map);
}

ai8x_status plan_create(const ai8x_network *network, const ai8x_part *part,
                        const ai8x_compile_options *options, struct plan *plan, ai8x_error *error)
{
	uint32_t resets = 0;
	uint64_t used = 0;
	memset(plan, 0, sizeof *plan);
	plan->network = network;
	plan->part = part;
	plan->target = target_of(part);
	plan->options = *options;
	plan->average_rounding = network->average_rounding;
	plan->count = network->layer_count;
	plan->layers = calloc(plan->count, sizeof *plan->layers);
	if (plan->layers == NULL)
		return error_no_memory(error, "a plan");
	ai8x_status status = plan_feed(plan, error);
	if (status == AI8X_OK)
		status = plan_order(plan, error);
	for (size_t i = 0; i < plan->count && status == AI8X_OK; i++) {
		status = plan_layer_create(plan, i, &resets, error);
		used |= plan->layers[i].own_processors;
		used |= plan->layers[i].processors;
		plan->streams = plan->streams || plan->layers[i].streaming;
		plan->binary = plan->binary ||
		               (network_has_weights(&network->layers[i]) && network->layers[i].weight_bits == -1);
	}
	if (status != AI8X_OK)
		return status;
	used |= plan->layers[plan->final_position].output_processors;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		plan->groups |= (unsigned)((used >> (16 * g) & 0xffff) != 0) << g;
	plan->master = bits_first(plan->groups);
	plan->last_index = plan->layers[plan->final_position].index;
	if (plan->streams && plan->options.one_shot)
		return network_error(
			error, AI8X_ERR_NETWORK, plan->network, 0,
			"streaming layers run at the same time, one-shot runs them one by one: compile with "
			"ignore-streaming");
	if (plan->options.weight_start >= plan->part->info.kernel_words)
		return network_error(error, AI8X_ERR_NETWORK, plan->network, -1,
		                     "weight-start %u: a processor has %u kernel words (limit of the %s)",
		                     plan->options.weight_start, plan->part->info.kernel_words,
		                     plan->part->info.name);
	return check_master(plan, error);
}

void plan_release(struct plan *plan)
{
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		free(plan->kernels[p]);
		free(plan->kernel_used[p]);
	}
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		free(plan->bias[g]);
	free(plan->order);
	free(plan->layers);
}

ai8x_output_place plan_output_place(const struct plan_layer *layer, uint32_t channel, uint32_t pixel)
{
	const ai8x_network_layer *net = layer->net;
	uint32_t unit = net->output_bits / 8;
	uint32_t pass = channel / layer->out_thresh;
	unsigned processor = map_bit(layer->output_processors, channel % layer->out_thresh);
	uint32_t gap = net->write_gap + 1;
	ai8x_output_place place = {
		.instance = processor / 4,
		.word = (uint32_t)(net->out_offset / 4) + (pixel * layer->out_passes + pass) * gap * unit,
		.lane = unit == 1 ? processor % 4 : 0,
	};
	place.word += unit == 1 ? 0 : processor % 4;
	return place;
}

ai8x_output_place plan_input_place(const struct plan_layer *layer, uint32_t operand, uint32_t channel,
                                   uint32_t pixel)
{
	const ai8x_network_layer *net = layer->net;
	uint32_t pass = channel / layer->in_thresh;
	unsigned processor = map_bit(layer->own_processors, channel % layer->in_thresh);
	uint32_t base = (uint32_t)(net->in_offset / 4);
	if (net->chw)
		return (ai8x_output_place){processor / 4, base + pixel / 4, pixel % 4};
	uint32_t step = net->operands * layer->in_passes * (net->read_gap + 1);
	return (ai8x_output_place){processor / 4, base + pixel * step + pass * net->operands + operand,
	                           processor % 4};
}
