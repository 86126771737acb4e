// Plan -> program: the writes of the start sequence in their order, input, run, expected words, and what is
// recorded about every layer. Facts: hardware reference 2.1 (kernels), 3.1 (sequence), 5.1 (FIFOs).

#include "network/lower.h"

#include <stdlib.h>
#include <string.h>

#include "base/zeroed.h"

// SRAM timing setting that software always writes (register table, SRAM).
#define SRAM_SETTING UINT32_C(0x40e)
// Selection bit of SRAM_TEST that software sets in every clear of registers (register table, SRAM_TEST).
#define CLEAR_SETTING (UINT32_C(1) << 12)

// Appends operations and remembers the first failure.
struct emitter {
	const struct plan *plan;
	ai8x_program *program;
	ai8x_error *error;
	ai8x_status status;
};

static void append(struct emitter *e, ai8x_op_kind kind, uint32_t address, uint32_t value, uint32_t mask)
{
	ai8x_op op = {(uint8_t)kind, address, value, mask};
	if (e->status == AI8X_OK)
		e->status = ai8x_program_append(e->program, op, e->error);
}

static void write_register(struct emitter *e, enum part_register reg, unsigned group, uint32_t index,
                           uint32_t value)
{
	append(e, AI8X_BUS_WRITE32, part_register_address(e->plan->part, reg, group, index), value, 0);
}

// Zero is the reset value: such registers are written on request only.
static void write_unless_zero(struct emitter *e, enum part_register reg, unsigned group, uint32_t index,
                              uint32_t value)
{
	if (value != 0 || e->plan->options.write_zero_registers)
		write_register(e, reg, group, index, value);
}

static bool in_group(const struct plan *plan, unsigned group)
{
	return (plan->groups >> group & 1) != 0;
}

static uint32_t field(const struct plan *plan, enum part_field_id id, uint32_t value)
{
	const struct part_field *f = &plan->part->fields[id];
	return f->width == 0 ? 0 : value << f->low;
}

static bool uses_fifo(const struct plan *plan)
{
	return plan->feed != AI8X_FEED_MEMORY;
}

static bool uses_fast_fifo(const struct plan *plan)
{
	return plan->feed == AI8X_FEED_FAST_FIFO || plan->feed == AI8X_FEED_FAST_FIFO_QUAD;
}

static uint32_t control_stopped(const struct plan *plan)
{
	return field(plan, F_CLK_EN, 1) | field(plan, F_GROUP_FIFO_EN, uses_fifo(plan)) |
	       field(plan, F_MEXPRESS, plan->options.kernel_load == AI8X_KERNELS_PACKED) |
	       field(plan, F_NO_PIPELINE, !plan->options.pipeline);
}

static bool has_bias(const struct plan *plan)
{
	return (plan->bias_used[0] | plan->bias_used[1] | plan->bias_used[2] | plan->bias_used[3]) != 0;
}

// The function of SRAM_TEST that clears layer registers, NULL: they need none.
static const struct part_test_row *clear_function(const ai8x_part *part)
{
	for (size_t i = 0; i < part->test_count; i++)
		if (part->tests[i].registers)
			return &part->tests[i];
	return NULL;
}

// The value of SRAM_TEST that starts it; with bias, bias memory is cleared by the same start bit.
static uint32_t clear_value(const ai8x_part *part, const struct part_test_row *clear, bool bias)
{
	uint32_t value = CLEAR_SETTING | clear->run | clear->select;
	for (size_t i = 0; i < part->test_count && bias; i++)
		if (part->tests[i].memory == MEMORY_BIAS && part->tests[i].run == clear->run)
			value |= part->tests[i].select;
	return value;
}

static void emit_setup(struct emitter *e)
{
	const struct plan *plan = e->plan;
	const struct part_test_row *clear = clear_function(plan->part);
	if (clear != NULL) {
		for (unsigned g = 0; g < AI8X_GROUPS; g++) {
			if (in_group(plan, g)) {
				write_register(e, REG_CTL, g, 0,
				               field(plan, F_CLK_EN, 1) |
				                   field(plan, F_NO_PIPELINE, !plan->options.pipeline));
			}
		}
	}
	write_register(e, REG_AON, 0, 0, 0);
	if (clear != NULL) {
		uint32_t value = clear_value(plan->part, clear, has_bias(plan));
		uint32_t done = clear->done & part_field_mask(plan->part, F_TEST_ZDONE);
		for (unsigned step = 0; step < 4; step++) {
			for (unsigned g = 0; g < AI8X_GROUPS; g++) {
				if (!in_group(plan, g))
					continue;
				if (step == 0) {
					write_register(e, REG_SRAM, g, 0, SRAM_SETTING);
				} else if (step == 2) {
					append(e, AI8X_BUS_WAIT, part_register_address(plan->part, REG_SRAM_TEST, g, 0), done,
					       done);
				} else {
					write_register(e, REG_SRAM_TEST, g, 0, step == 1 ? value : 0);
				}
			}
		}
	}
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if (!in_group(plan, g))
			continue;
		write_register(e, REG_CTL, g, 0, control_stopped(plan));
		if (clear == NULL)
			write_register(e, REG_SRAM, g, 0, SRAM_SETTING);
		write_unless_zero(e, REG_LCNT_MAX, g, 0,
		                  field(plan, F_LCNT, plan->last_index) |
		                      field(plan, F_LCNT_START, plan->network->first_set));
	}
}

static uint32_t kernel_address(const struct plan *plan, unsigned processor)
{
	const struct part_memory_row *row = &plan->part->memories[MEMORY_KERNEL];
	return row->address + processor / 16 * plan->part->group_stride + processor % 16 * row->unit_stride;
}

// Words first .. last - 1 of a processor, as one continuous stream of bytes.
static void emit_packed(struct emitter *e, unsigned processor, uint32_t first, uint32_t last)
{
	const uint8_t *stream = e->plan->kernels[processor];
	uint32_t base = kernel_address(e->plan, processor);
	uint32_t bytes = (last - first) * 9;
	append(e, AI8X_BUS_WRITE8, (base + 4 * first) | 1, 1, 0);
	for (uint32_t b = 0; b < bytes; b += 4) {
		uint32_t word = 0;
		for (uint32_t i = b; i < b + 4; i++) {
			// Within a word the most significant byte comes first; the stream counts from the least.
			uint32_t byte = i < bytes ? stream[(first + i / 9) * 9 + 8 - i % 9] : 0;
			word = word << 8 | byte;
		}
		append(e, AI8X_BUS_WRITE32, base + 4 * first + b, word, 0);
	}
}

static void emit_plain(struct emitter *e, unsigned processor, uint32_t first, uint32_t last)
{
	uint32_t base = kernel_address(e->plan, processor);
	for (uint32_t w = first; w < last; w++) {
		const uint8_t *k = e->plan->kernels[processor] + (size_t)w * 9;
		uint32_t high = (uint32_t)k[7] << 24 | (uint32_t)k[6] << 16 | (uint32_t)k[5] << 8 | k[4];
		uint32_t low = (uint32_t)k[3] << 24 | (uint32_t)k[2] << 16 | (uint32_t)k[1] << 8 | k[0];
		append(e, AI8X_BUS_WRITE32, base + 16 * w, k[8], 0);
		append(e, AI8X_BUS_WRITE32, base + 16 * w + 4, high, 0);
		append(e, AI8X_BUS_WRITE32, base + 16 * w + 8, low, 0);
		append(e, AI8X_BUS_WRITE32, base + 16 * w + 12, 0, 0);
	}
}

static void emit_kernels(struct emitter *e)
{
	const struct plan *plan = e->plan;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		if (plan->kernels[p] == NULL)
			continue;
		for (uint32_t w = 0; w < plan->kernel_limit[p];) {
			uint32_t end = w;
			while (end < plan->kernel_limit[p] && plan->kernel_used[p][end])
				end++;
			if (end == w) {
				w++;
				continue;
			}
			if (plan->options.kernel_load == AI8X_KERNELS_PACKED)
				emit_packed(e, p, w, end);
			else
				emit_plain(e, p, w, end);
			w = end;
		}
	}
}

static bool has_weights(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (network_has_weights(plan->layers[i].net) && plan->layers[i].weights->weights != NULL)
			return true;
	return false;
}

static void emit_bias(struct emitter *e)
{
	const struct plan *plan = e->plan;
	const struct part_memory_row *row = &plan->part->memories[MEMORY_BIAS];
	for (unsigned g = 0; g < AI8X_GROUPS && has_weights(plan); g++) {
		for (uint32_t i = 0; i < plan->bias_used[g]; i++) {
			append(e, AI8X_BUS_WRITE32, row->address + g * plan->part->group_stride + i * row->word_bytes,
			       (uint8_t)plan->bias[g][i], 0);
		}
	}
}

static uint32_t frame_words(const struct plan *plan)
{
	const struct plan_layer *first = &plan->layers[0];
	uint32_t pixels =
		first->net->flatten ? first->net->in_rows * first->net->in_columns : first->rows * first->columns;
	return first->net->chw ? divide_up(pixels, 4) : pixels;
}

// The counter of a frame's words has to hold it.
static ai8x_status check_frame(const struct plan *plan, ai8x_error *error)
{
	const uint32_t most = (1u << plan->part->fields[F_IFRM].width) - 1;
	if (!uses_fifo(plan) || frame_words(plan) <= most)
		return AI8X_OK;
	return network_error(error, AI8X_ERR_NETWORK, plan->network, 0,
	                     "a frame of %u words: at most %u are possible (limit of the %s)", frame_words(plan),
	                     most, plan->part->info.name);
}

static void emit_layer_registers(struct emitter *e, const struct registers *registers, uint32_t index,
                                 unsigned group)
{
	for (unsigned reg = 0; reg < REG_COUNT; reg++) {
		const struct part_register_row *row = &e->plan->part->registers[reg];
		if (row->scope == SCOPE_LAYER || (row->scope == SCOPE_STREAM && index < row->count)) {
			write_unless_zero(e, (enum part_register)reg, group, index,
			                  register_get(registers, reg, group, index));
		}
	}
}

static void emit_registers(struct emitter *e, const struct registers *registers)
{
	const struct plan *plan = e->plan;
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_layer *layer = &plan->layers[i];
		for (unsigned g = 0; g < AI8X_GROUPS; g++) {
			if (!in_group(plan, g))
				continue;
			if (layer->reset_before && g == plan->master)
				emit_layer_registers(e, registers, layer->index - 1, g);
			emit_layer_registers(e, registers, layer->index, g);
			if (i == 0 && uses_fifo(plan))
				write_register(e, REG_IFRM, g, 0, frame_words(plan));
		}
	}
	if (!plan->network->snoop_given)
		return;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		for (uint32_t i = 0; in_group(plan, g) && i < 24; i++) {
			write_unless_zero(e, (enum part_register)(REG_SNOOP_A1 + i % 12), g, i / 12,
			                  plan->network->snoop[i]);
		}
	}
}

// A picture of data memory: values and which bits of them are defined.
struct image {
	uint32_t words;                                     // per instance
	uint32_t *value, *mask;                             // [instance][word]
	uint32_t low[AI8X_INSTANCES], high[AI8X_INSTANCES]; // touched words: low .. high - 1
};

static size_t image_bytes(const struct image *image)
{
	return (size_t)image->words * AI8X_INSTANCES * sizeof(uint32_t);
}

// Pages of words that nobody touches are free: structures without weights touch none.
static ai8x_status image_create(struct image *image, const ai8x_part *part, ai8x_error *error)
{
	memset(image, 0, sizeof *image);
	image->words = part->info.data_words;
	image->value = zeroed_create(image_bytes(image));
	image->mask = zeroed_create(image_bytes(image));
	return image->value == NULL || image->mask == NULL ? error_no_memory(error, "a memory image") : AI8X_OK;
}

static void image_release(struct image *image)
{
	zeroed_destroy(image->value, image_bytes(image));
	zeroed_destroy(image->mask, image_bytes(image));
}

static void image_clear(struct image *image)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		size_t first = (size_t)i * image->words + image->low[i];
		size_t count = image->high[i] - image->low[i];
		memset(image->value + first, 0, count * sizeof *image->value);
		memset(image->mask + first, 0, count * sizeof *image->mask);
		image->low[i] = image->high[i] = 0;
	}
}

// Puts a value at a place. False: the place is outside the memory.
static bool image_put(struct image *image, ai8x_output_place place, uint32_t value, uint32_t mask)
{
	if (place.instance >= AI8X_INSTANCES || place.word >= image->words)
		return false;
	size_t at = (size_t)place.instance * image->words + place.word;
	uint32_t *low = &image->low[place.instance];
	uint32_t *high = &image->high[place.instance];
	if (*low == *high) {
		*low = place.word;
		*high = place.word + 1;
	}
	*low = place.word < *low ? place.word : *low;
	*high = place.word >= *high ? place.word + 1 : *high;
	image->value[at] = (image->value[at] & ~(mask << 8 * place.lane)) | (value & mask) << 8 * place.lane;
	image->mask[at] |= mask << 8 * place.lane;
	return true;
}

// Channel of the network's input that is channel c of an operand of layer 0.
static size_t input_channel(const struct plan *plan, uint32_t operand, uint32_t c)
{
	const ai8x_network *network = plan->network;
	const ai8x_network_layer *first = &network->layers[0];
	size_t each = network->input_shape[0] / first->operands;
	return operand * each + first->first_channel + c;
}

// Pixels of the input that layer 0 takes.
static const int8_t *input_pixels(const struct plan *plan, uint32_t operand, uint32_t c)
{
	const ai8x_network *network = plan->network;
	size_t pixels = image_size(network->input_shape[1], network->input_shape[2]);
	size_t skipped = image_size(network->layers[0].crop_first, network->input_shape[2]);
	return network->input + input_channel(plan, operand, c) * pixels + skipped;
}

static ai8x_status emit_input(struct emitter *e, struct image *image)
{
	const struct plan *plan = e->plan;
	const struct plan_layer *first = &plan->layers[0];
	const ai8x_network_layer *net = first->net;
	uint32_t pixels = net->in_rows * net->in_columns;
	if (plan->network->input == NULL)
		return AI8X_OK;
	for (uint32_t k = 0; k < net->operands; k++) {
		for (uint32_t c = 0; c < net->in_channels; c++) {
			const int8_t *values = input_pixels(plan, k, c);
			ai8x_output_place base = plan_input_place(first, k, c, 0);
			uint32_t step = net->chw ? 0 : plan_input_place(first, k, c, 1).word - base.word;
			for (uint32_t y = 0; y < pixels; y++) {
				ai8x_output_place place = base;
				if (net->chw) {
					place.word += y / 4;
					place.lane = y % 4;
				} else {
					place.word += y * step;
				}
				if (!image_put(image, place, (uint8_t)values[y], 0xff)) {
					return network_error(e->error, AI8X_ERR_NETWORK, plan->network, 0,
					                     "the input at in_offset 0x%llx exceeds the data memory instance of "
					                     "%u words (0x%x bytes)",
					                     (unsigned long long)net->in_offset, image->words, 4 * image->words);
				}
			}
		}
	}
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		for (uint32_t w = image->low[i]; w < image->high[i]; w++) {
			size_t at = (size_t)i * image->words + w;
			if (image->mask[at] != 0)
				append(e, AI8X_BUS_WRITE32, ai8x_part_data_address(plan->part, i, w), image->value[at], 0);
		}
	}
	image_clear(image);
	return e->status;
}

// Groups whose FIFO feeds processors.
static bool fifo_feeds(const struct plan *plan, unsigned group)
{
	return (plan->layers[0].own_processors >> (16 * group) & 0xf) != 0;
}

static void emit_fifo_control(struct emitter *e)
{
	const struct plan *plan = e->plan;
	uint32_t enable = 0;
	if (!uses_fifo(plan))
		return;
	if (uses_fast_fifo(plan)) {
		write_register(e, REG_FAST_CR, 0, 0, field(plan, F_FAST_THRESH, 10));
		return;
	}
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		enable |= (uint32_t)fifo_feeds(plan, g) << g;
	write_register(e, REG_FIFO_CTL, 0, 0,
	               field(plan, F_FIFO_FULL_THRESH, 2) | field(plan, F_FIFO_EMPTY_THRESH, 2) |
	                   field(plan, F_FIFO_CPL, plan->target->fifo_coupled) | field(plan, F_FIFO_EN, enable));
}

// Control bits that concern the FIFO of one group.
static uint32_t control_feed(const struct plan *plan, unsigned group)
{
	uint64_t map = plan->layers[0].own_processors;
	uint32_t value = field(plan, F_GROUP_FIFO_EN, 1);
	if (!uses_fifo(plan))
		return 0;
	if (fifo_feeds(plan, group) && uses_fast_fifo(plan)) {
		// One byte for each of four processors, unless each group takes one byte.
		bool together = map == 1 || (map & 0xe) != 0;
		value |= field(plan, F_FFIFO_EN, 1) | field(plan, F_FIFOGRP, together);
	}
	return value;
}

static uint32_t control_common(const struct plan *plan)
{
	bool fifo = uses_fifo(plan);
	return field(plan, F_ONESHOT, plan->options.one_shot) | field(plan, F_STREAM_EN, plan->streams) |
	       field(plan, F_POOLRND, plan->average_rounding) | field(plan, F_EXT_SYNC_EN, fifo) |
	       field(plan, F_LILBUF, fifo && plan->streams) | field(plan, F_CLK_EN, 1) |
	       field(plan, F_MEXPRESS, plan->options.kernel_load == AI8X_KERNELS_PACKED) |
	       field(plan, F_BINARY, plan->binary) |
	       field(plan, F_QUPAC, plan->feed == AI8X_FEED_FAST_FIFO_QUAD) |
	       field(plan, F_NO_PIPELINE, !plan->options.pipeline) |
	       field(plan, F_BIGDATA,
	             plan->target->window_streams && plan->layers[0].streaming && plan->layers[0].net->chw) |
	       field(plan, F_APBCLK_EN, plan->network->snoop_given);
}

static void emit_start(struct emitter *e)
{
	const struct plan *plan = e->plan;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if (in_group(plan, g)) {
			write_register(e, REG_CTL, g, 0,
			               control_common(plan) | control_feed(plan, g) | field(plan, F_EXT_SYNC_EN, 1) |
			                   field(plan, F_EXT_SYNC_MASTER, plan->master) |
			                   field(plan, F_CNN_EN, g != plan->master));
		}
	}
	uint32_t feed = fifo_feeds(plan, plan->master) ? control_feed(plan, plan->master) : 0;
	write_register(e, REG_CTL, plan->master, 0, control_common(plan) | feed | field(plan, F_CNN_EN, 1));
}

// One-shot: completion of every layer but the last is waited for and acknowledged, and a rising edge of the master's enable
// bit goes on (hardware reference 3.1).
static void emit_continue(struct emitter *e)
{
	const struct plan *plan = e->plan;
	const uint32_t feed = fifo_feeds(plan, plan->master) ? control_feed(plan, plan->master) : 0;
	size_t left = 0;
	for (int i = 0; i >= 0; i = network_next(plan->network, (size_t)i)) {
		left += 1 + plan->layers[i].reset_before;
		if ((size_t)i == plan->final_position)
			break;
	}
	const uint32_t done = field(plan, F_CNN_IRQ, 1);
	for (; plan->options.one_shot && left > 1; left--) {
		append(e, AI8X_BUS_WAIT, part_register_address(plan->part, REG_CTL, plan->master, 0), done, done);
		write_register(e, REG_CTL, plan->master, 0, control_common(plan) | feed);
		write_register(e, REG_CTL, plan->master, 0, control_common(plan) | feed | field(plan, F_CNN_EN, 1));
	}
}

// The n-th word for a FIFO: four channels of a pixel, or four pixels of a channel.
static uint32_t fifo_word(const struct plan *plan, unsigned group, uint32_t n)
{
	const struct plan_layer *first = &plan->layers[0];
	uint32_t pixels = first->net->in_rows * first->net->in_columns;
	uint64_t map = first->own_processors;
	uint32_t c = bits_count(map & ((UINT64_C(1) << 16 * group) - 1));
	uint32_t word = 0;
	if (first->net->chw) {
		for (uint32_t i = 0; i < 4 && 4 * n + i < pixels; i++)
			word |= (uint32_t)(uint8_t)input_pixels(plan, 0, c)[4 * n + i] << 8 * i;
		return word;
	}
	// Emulated layers take more pixels than there are.
	for (unsigned lane = 0; lane < 4 && n < pixels; lane++)
		if ((map >> (16 * group + lane) & 1) != 0)
			word |= (uint32_t)(uint8_t)input_pixels(plan, 0, c++)[n] << 8 * lane;
	return word;
}

// The fast FIFO feeds four processors of group 0, or the first processor of every group.
static uint32_t fast_fifo_word(const struct plan *plan, uint32_t n)
{
	uint64_t map = plan->layers[0].own_processors;
	uint32_t word = 0;
	if (map == 1 || (map & 0xe) != 0 || plan->layers[0].net->chw)
		return fifo_word(plan, 0, n);
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		word |= fifo_feeds(plan, g) ? (fifo_word(plan, g, n) & 0xff) << 8 * g : 0;
	return word;
}

static void emit_fifo_data(struct emitter *e)
{
	const struct plan *plan = e->plan;
	if (!uses_fifo(plan) || plan->network->input == NULL)
		return;
	for (uint32_t n = 0; n < frame_words(plan); n++) {
		if (uses_fast_fifo(plan)) {
			append(e, AI8X_BUS_FIFO_WRITE32, part_register_address(plan->part, REG_FAST_DR, 0, 0),
			       fast_fifo_word(plan, n), 0);
			continue;
		}
		for (unsigned g = 0; g < AI8X_GROUPS; g++) {
			if (fifo_feeds(plan, g)) {
				append(e, AI8X_BUS_FIFO_WRITE32, part_register_address(plan->part, REG_FIFO_WR, 0, g),
				       fifo_word(plan, g, n), 0);
			}
		}
	}
}

// Draws a layer's result into the image.
static ai8x_status draw_output(const struct plan *plan, const struct plan_layer *layer,
                               const ai8x_network_tensor *output, struct image *image, ai8x_error *error)
{
	const ai8x_network_layer *net = layer->net;
	uint32_t pixels = net->out_rows * net->out_columns;
	uint32_t mask = net->output_bits == 32 ? UINT32_MAX : 0xff;
	for (uint32_t c = 0; c < net->out_channels; c++) {
		const int32_t *values = output->values + (size_t)c * pixels;
		ai8x_output_place place = plan_output_place(layer, c, 0);
		uint32_t step = plan_output_place(layer, c, 1).word - place.word;
		for (uint32_t y = 0; y < pixels; y++, place.word += step) {
			if (!image_put(image, place, (uint32_t)values[y], mask)) {
				return network_error(error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
				                     "the output at out_offset 0x%llx exceeds the data memory instance of %u "
				                     "words (0x%x bytes)",
				                     (unsigned long long)net->out_offset, image->words, 4 * image->words);
			}
		}
	}
	return AI8X_OK;
}

// Defined words of the image in address order; the caller frees them.
static ai8x_status image_words(const struct plan *plan, const struct image *image, ai8x_word **words,
                               size_t *count, ai8x_error *error)
{
	size_t room = 0;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		room += image->high[i] - image->low[i];
	*count = 0;
	*words = malloc((room == 0 ? 1 : room) * sizeof **words);
	if (*words == NULL)
		return error_no_memory(error, "expected words");
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		for (uint32_t w = image->low[i]; w < image->high[i]; w++) {
			size_t at = (size_t)i * image->words + w;
			if (image->mask[at] != 0) {
				(*words)[(*count)++] =
					(ai8x_word){ai8x_part_data_address(plan->part, i, w), image->value[at], image->mask[at]};
			}
		}
	}
	return AI8X_OK;
}

static bool is_output(const struct plan *plan, const struct plan_layer *layer, size_t order)
{
	return layer->net->output || order + 1 == plan->order_count;
}

static bool passes_through_ring(const struct plan *plan, const struct plan_layer *layer)
{
	return layer->streaming && layer->position + 1 < plan->count &&
	       plan->layers[layer->position + 1].streaming;
}

// One recorded layer: output, memory, and EXPECTs for outputs of the network.
static ai8x_status emit_result(struct emitter *e, size_t order, const ai8x_network_tensor *outputs,
                               struct image *image)
{
	const struct plan *plan = e->plan;
	const struct plan_layer *layer = &plan->layers[plan->order[order]];
	const ai8x_network_layer *net = layer->net;
	const uint32_t shape[3] = {net->out_channels, net->out_rows, net->out_columns};
	ai8x_word *words = NULL;
	size_t count = 0;
	ai8x_status status = AI8X_OK;
	const int32_t *values = NULL;

	if (outputs != NULL) {
		const ai8x_network_tensor *output = &outputs[layer->position];
		if (output->values == NULL || memcmp(output->shape, shape, sizeof shape) != 0) {
			return network_error(e->error, AI8X_ERR_ARGUMENT, plan->network, (int)layer->position,
			                     "the expected output is %ux%ux%u, the layer's output %ux%ux%u",
			                     output->shape[0], output->shape[1], output->shape[2], shape[0], shape[1],
			                     shape[2]);
		}
		values = output->values;
		if (!passes_through_ring(plan, layer)) {
			status = draw_output(plan, layer, output, image, e->error);
			if (status == AI8X_OK)
				status = image_words(plan, image, &words, &count, e->error);
			image_clear(image);
		}
	}
	for (size_t i = 0; status == AI8X_OK && is_output(plan, layer, order) && i < count; i++) {
		append(e, AI8X_BUS_EXPECT, words[i].address, words[i].value, words[i].mask);
		status = e->status;
	}
	if (status == AI8X_OK)
		status = ai8x_program_add_layer(e->program, net->number, values, shape, words, count, e->error);
	free(words);
	return status;
}

ai8x_status plan_emit(const struct plan *plan, const ai8x_network_tensor *outputs, ai8x_program *program,
                      ai8x_error *error)
{
	struct emitter e = {plan, program, error, AI8X_OK};
	struct image image;
	struct registers *registers = malloc(sizeof *registers);
	ai8x_status status =
		registers == NULL ? error_no_memory(error, "registers") : plan_registers(plan, registers, error);
	if (status == AI8X_OK)
		status = check_frame(plan, error);
	if (status == AI8X_OK) {
		emit_setup(&e);
		emit_kernels(&e);
		emit_bias(&e);
		emit_registers(&e, registers);
		status = e.status;
	}
	free(registers);
	if (status != AI8X_OK)
		return status;
	status = image_create(&image, plan->part, error);
	if (status == AI8X_OK && !uses_fifo(plan))
		status = emit_input(&e, &image);
	if (status == AI8X_OK) {
		emit_fifo_control(&e);
		emit_start(&e);
		emit_fifo_data(&e);
		emit_continue(&e);
		append(&e, AI8X_BUS_RUN, 0, 0, 0);
		status = e.status;
	}
	for (size_t i = 0; i < plan->order_count && status == AI8X_OK; i++)
		status = emit_result(&e, i, outputs, &image);
	image_release(&image);
	return status;
}
