// Plan -> decoded layers -> registers. The compiler states what a layer does in the terms of ai8x_layer; the
// inverse of decoding (lib/layer/encode.c) makes registers of it.

#include "layer/encode.h"
#include "network/lower.h"

#include <string.h>

static void decoded_input(const struct plan_layer *layer, ai8x_layer *out)
{
	const ai8x_network_layer *net = layer->net;
	out->processors = layer->processors;
	out->kernel_processors = network_has_weights(net) ? layer->processors : 0;
	out->chw = net->chw;
	out->rows = layer->rows;
	out->columns = layer->columns;
	out->passes = layer->passes;
	out->operands = net->operands;
	out->eltwise = net->eltwise;
	out->pool_first = net->pool_first;
	out->eltwise_convolution = net->operands > 1 && net->operation != AI8X_OP_PASSTHROUGH;
	out->read_gap = net->read_gap;
	out->pixel_step = net->operands * (net->flatten ? layer->in_passes : layer->passes) * (net->read_gap + 1);
	out->pooling = net->pooling;
	out->pool_rows = net->pool_rows;
	out->pool_columns = net->pool_columns;
	out->pool_stride = net->pool_stride;
	out->pool_dilation_rows = net->pool_dilation_rows;
	out->pool_dilation_columns = net->pool_dilation_columns;
	out->pooled_rows = layer->pooled_rows;
	out->pooled_columns = layer->pooled_columns;
}

static void decoded_kernels(const struct plan_layer *layer, ai8x_layer *out)
{
	const ai8x_network_layer *net = layer->net;
	uint32_t taps = layer->kernel_rows * layer->kernel_columns;
	out->operation = layer->flat ? AI8X_OP_LINEAR : layer->operation;
	out->kernel_rows = layer->kernel_rows;
	out->kernel_columns = layer->kernel_columns;
	out->pad_rows = layer->pad_rows;
	out->pad_columns = layer->pad_columns;
	out->transposed = layer->operation == AI8X_OP_CONVT2D;
	out->flatten = layer->flat;
	out->depthwise = layer->depthwise;
	out->calcx4 = net->calcx4;
	out->bypass = net->bypass;
	out->quad_fanout = layer->quad;
	out->weight_bits = network_has_weights(net) ? layer->bits : 8;
	out->binary = net->weight_bits == -1;
	out->kernels = layer->kernels;
	out->slots = layer->slots;
	if (net->bypass)
		out->slots = layer->depthwise ? net->out_channels : layer->slots;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if (layer->operation == AI8X_OP_PASSTHROUGH) {
			// Passthrough layers carry their passes in the kernel start (register table, MCNT2).
			out->kernel_first_bit[g] = (layer->passes - 1) * 8;
		} else {
			out->kernel_first_bit[g] = 9 * layer->kernel_word / taps * 8;
			out->kernel_tap_offset[g] = 9 * layer->kernel_word % taps;
		}
		out->bias_first[g] = layer->bias_first[g];
		if (net->calcx4 || layer->broadcast)
			out->bias_first[g] /= 4;
	}
	out->bias_groups = layer->bias_groups;
	out->slots_per_pass = layer->operation == AI8X_OP_PASSTHROUGH ? 1 : layer->slots_per_pass;
}

// Where each group writes (4.8): convolutions from the master's pointer, the others from their own.
static void decoded_write_base(const struct plan *plan, const struct plan_layer *layer, ai8x_layer *out)
{
	const ai8x_network_layer *net = layer->net;
	uint32_t lead = layer->lead_pixels * layer->out_passes * (net->write_gap + 1) * (net->output_bits / 8);
	uint32_t word = (uint32_t)(net->out_offset / 4) - lead;
	uint64_t rest = layer->output_processors;
	unsigned first_group = bits_first(layer->processors) / 16;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		out->read_base[g] = (uint32_t)(net->in_offset / 4);
		if ((plan->groups >> g & 1) == 0)
			continue;
		out->write_word[g] = word;
		if (layer->operation == AI8X_OP_PASSTHROUGH) {
			unsigned count = bits_count(layer->processors >> (16 * g) & 0xffff);
			out->write_instance[g] = count == 0 ? 0 : bits_first(rest) / 4;
			for (unsigned n = 0; n < count; n++)
				rest &= rest - 1;
		} else if (layer->depthwise && !layer->broadcast) {
			// Later groups continue where the first one's processors would, counted from its first.
			if (g < first_group || (layer->processors >> (16 * g) & 0xffff) == 0) {
				out->write_word[g] = 0;
				continue;
			}
			unsigned target = (g - first_group) * 16 + bits_first(layer->output_processors);
			if (g != first_group)
				target -= bits_first(layer->processors) % 16;
			out->write_instance[g] = target / 4;
		} else {
			out->write_instance[g] = layer->first_lane / 4;
		}
	}
}

static void decoded_output(const struct plan *plan, const struct plan_layer *layer, ai8x_layer *out)
{
	const ai8x_network_layer *net = layer->net;
	bool passthrough = layer->operation == AI8X_OP_PASSTHROUGH;
	uint32_t gap = net->write_gap + 1;
	uint32_t instance = UINT32_C(1) << plan->part->instance_shift;
	out->output_passes = layer->out_passes;
	out->output_rows = layer->out_rows;
	out->output_columns = layer->out_columns;
	out->output_bits = net->output_bits;
	out->output_shift = passthrough ? 0 : net->output_shift;
	out->activation = net->activation;
	out->write_mode = passthrough         ? AI8X_WRITE_PASSTHROUGH
	                  : !layer->depthwise ? AI8X_WRITE_CHANNELS
	                  : layer->broadcast  ? AI8X_WRITE_BROADCAST
	                                      : AI8X_WRITE_DEPTHWISE;
	decoded_write_base(plan, layer, out);
	out->write_step = passthrough ? gap : layer->out_passes * gap;
	out->pass_offset = layer->out_passes > 1 ? net->output_bits / 8 * gap : 0;
	out->time_slots = layer->time_slots;
	if (passthrough) {
		bool many = bits_count(layer->processors) > 4 || (net->operands > 1 && layer->in_passes > 1);
		out->time_slot_offset = many ? instance : instance / 4;
	} else if (layer->operation == AI8X_OP_CONV2D && layer->depthwise) {
		out->time_slot_offset = layer->broadcast ? 0 : instance;
	} else if (layer->operation == AI8X_OP_CONV2D && layer->kernel_rows == 1) {
		out->time_slot_offset = 1;
	}
}

static void decoded_sequence(const struct plan *plan, const struct plan_layer *layer, ai8x_layer *out)
{
	const ai8x_network_layer *net = layer->net;
	int position = (int)layer->position;
	int next = network_next(plan->network, layer->position);
	int link = -1;
	if (part_has_field(plan->part, F_LINK)) {
		out->stop = next == AI8X_NETWORK_STOP && position + 1 != (int)plan->count;
		if (next != AI8X_NETWORK_STOP && next != position + 1)
			link = next;
		else if (next != AI8X_NETWORK_STOP && net->next_snoop >= 0)
			link = net->next_snoop;
		if (plan->options.link_layers) {
			link = position == (int)plan->final_position ? -1 : position + 1;
			out->stop = link < 0;
		}
	}
	out->link = link >= 0;
	out->next = link < 0 ? 0 : plan->layers[link].index - plan->layers[link].reset_before;
	out->tram_first = layer->tram_first;
	out->tram_last = layer->tram_last;
	out->read_ahead = net->read_ahead;
	out->tcalc =
		net->tcalc == AI8X_NETWORK_DEFAULT ? net->read_ahead && layer->in_passes > 1 : net->tcalc == 1;
	out->no_pipeline = !plan->options.pipeline;
	out->fifo = layer->position == 0 && plan->feed != AI8X_FEED_MEMORY;
	out->streaming = layer->streaming;
	out->stream_start = layer->stream_start;
	out->stream_delta1 = layer->stream_delta1;
	out->stream_delta2 = layer->stream_delta2;
	out->stream_invol = layer->stream_invol;
	out->ring_words = layer->ring_words;
}

// The decoded layer of a planned layer.
static void decoded_layer(const struct plan *plan, size_t position, ai8x_layer *out)
{
	const struct plan_layer *layer = &plan->layers[position];
	memset(out, 0, sizeof *out);
	out->part = plan->part;
	out->index = layer->index;
	out->groups = plan->groups;
	out->master = plan->master;
	decoded_input(layer, out);
	decoded_kernels(layer, out);
	decoded_output(plan, layer, out);
	decoded_sequence(plan, layer, out);
}

// The layer that empties the average pooling logic: one pixel of one processor, written where the next
// layer's first result goes (hardware reference 7, REQUIRE_PASSTHROUGH_AVGPOOL_AFTER_ELTWISE).
static void reset_layer(const struct plan *plan, const ai8x_layer *next, ai8x_layer *out)
{
	memset(out, 0, sizeof *out);
	out->part = plan->part;
	out->index = next->index - 1;
	out->groups = 1u << plan->master;
	out->master = plan->master;
	out->processors = UINT64_C(1) << (16 * plan->master);
	out->rows = out->columns = out->pooled_rows = out->pooled_columns = 1;
	out->passes = out->operands = out->pixel_step = 1;
	out->pool_first = true;
	out->pool_rows = out->pool_columns = out->pool_stride = 1;
	out->pool_dilation_rows = out->pool_dilation_columns = 1;
	out->kernel_rows = out->kernel_columns = 1;
	out->weight_bits = 8;
	out->slots = out->slots_per_pass = out->output_passes = 1;
	out->output_rows = out->output_columns = 1;
	out->output_bits = 8;
	out->write_mode = AI8X_WRITE_PASSTHROUGH;
	out->write_step = out->time_slots = 1;
	out->time_slot_offset = next->time_slot_offset;
	// The next layer's pointer in the master group may be idle, and other data may lie where it points.
	unsigned group =
		next->write_mode == AI8X_WRITE_CHANNELS ? plan->master : bits_first(next->processors) / 16;
	out->write_word[plan->master] = next->write_word[group];
	out->write_instance[plan->master] = next->write_instance[group];
	memcpy(out->read_base, next->read_base, sizeof out->read_base);
}

// A message about a register set without its "layer N" or "layer N:": the network's own naming stands in its place.
static const char *without_layer(const char *message)
{
	if (strncmp(message, "layer ", 6) == 0) {
		message += 6 + strspn(message + 6, "0123456789");
		message += strspn(message, ": ");
	}
	return message;
}

ai8x_status plan_registers(const struct plan *plan, struct registers *registers, ai8x_error *error)
{
	registers_reset(registers, plan->part);
	for (size_t i = 0; i < plan->count; i++) {
		ai8x_layer layer;
		ai8x_error text = {AI8X_OK, ""};
		decoded_layer(plan, i, &layer);
		const struct plan_layer *next = i + 1 < plan->count ? &plan->layers[i + 1] : NULL;
		uint32_t ring = plan->layers[i].streaming && next != NULL && next->streaming ? next->ring_words : 0;
		ai8x_status status = layer_check_ranges(&layer, ring, &text);
		if (status == AI8X_OK)
			status = layer_encode(&layer, registers, &text);
		if (status == AI8X_OK && plan->layers[i].reset_before) {
			ai8x_layer reset;
			reset_layer(plan, &layer, &reset);
			status = layer_encode(&reset, registers, &text);
		}
		if (status != AI8X_OK) {
			return network_error(error, AI8X_ERR_NETWORK, plan->network, (int)i, "%s",
			                     without_layer(text.message));
		}
	}
	return AI8X_OK;
}
