// What follows from a layer's registers about places and counts; see geometry.h.
#include "layer/geometry.h"

#include "memory/memory.h"

uint32_t layer_instances(const ai8x_layer *layer)
{
	uint32_t instances = 0;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		instances |= (uint32_t)((layer->processors >> (4 * i) & 15) != 0) << i;
	return instances;
}

uint64_t layer_read_words(const ai8x_layer *layer)
{
	uint64_t row = (uint64_t)(layer->pooled_rows - 1) * layer->pool_stride +
	               (uint64_t)(layer->pool_rows - 1) * layer->pool_dilation_rows;
	uint64_t column = (uint64_t)(layer->pooled_columns - 1) * layer->pool_stride +
	                  (uint64_t)(layer->pool_columns - 1) * layer->pool_dilation_columns;
	uint64_t pixel = row * layer->columns + column;
	if (layer->chw)
		return pixel / 4 + 1;
	return pixel * layer->pixel_step + (uint64_t)layer->passes * layer->operands;
}

uint32_t layer_pixel_words(const ai8x_layer *layer)
{
	const uint32_t words = layer->write_step * (layer->output_bits / 8);
	return layer->write_mode == AI8X_WRITE_PASSTHROUGH ? words * layer->passes : words;
}

unsigned layer_slot_processor(const ai8x_layer *layer, uint32_t slot)
{
	return bits_nth(layer->processors, slot % bits_count(layer->processors));
}

unsigned layer_write_group(const ai8x_layer *layer, uint32_t slot)
{
	return layer->write_mode == AI8X_WRITE_CHANNELS ? layer->master
	                                                : processor_group(layer_slot_processor(layer, slot));
}

struct layer_kernel layer_kernel_at(const ai8x_layer *layer, unsigned group, uint32_t slot, uint32_t pass)
{
	const uint32_t taps = layer->kernel_rows * layer->kernel_columns;
	uint32_t base = 0, index = slot * layer->passes + pass;
	if (layer->depthwise) {
		index = pass;
	} else if (layer->calcx4) {
		// Four slots in parallel, each from its own quarter of the kernel memory.
		base = slot % 4 * (layer->part->info.kernel_words / 4) * KERNEL_WORD_BYTES;
		index = slot / 4 * layer->passes + pass;
	} else if (layer->quad_fanout) {
		index = slot / AI8X_GROUPS * layer->passes + pass;
	}
	const uint32_t bit = layer->kernel_first_bit[group] + index * layer->weight_bits;
	return (struct layer_kernel){
		.byte = base + (bit >> 3) * taps + layer->kernel_tap_offset[group],
		.bit = bit & 7,
	};
}

struct layer_kernel_words layer_kernel_words(const ai8x_layer *layer, unsigned group)
{
	const uint64_t taps = (uint64_t)layer->kernel_rows * layer->kernel_columns;
	const uint64_t first = layer->kernel_first_bit[group];
	const uint64_t last = first + (uint64_t)(layer->kernels - 1) * layer->weight_bits;
	return (struct layer_kernel_words){
		.first = ((first >> 3) * taps + layer->kernel_tap_offset[group]) / KERNEL_WORD_BYTES,
		.last = ((last >> 3) * taps + layer->kernel_tap_offset[group] + taps - 1) / KERNEL_WORD_BYTES,
	};
}

uint32_t layer_bias_first(const ai8x_layer *layer, unsigned group)
{
	const bool in_fours = layer->calcx4 || layer->write_mode == AI8X_WRITE_BROADCAST;
	return layer->bias_first[group] * (in_fours ? 4 : 1);
}

// One entry per processor and pass (hardware reference 4.8).
static uint32_t depthwise_entry(const ai8x_layer *layer, unsigned processor, uint32_t pass)
{
	const unsigned group = processor_group(processor), local = processor_in_group(processor);
	if (layer->write_mode == AI8X_WRITE_BROADCAST)
		return layer_bias_first(layer, group) + pass * PROCESSORS_PER_GROUP + local % 4 * 4 + local / 4;
	const unsigned first = bits_first(layer->processors), last = bits_last(layer->processors);
	const unsigned from = group == processor_group(first) ? processor_in_group(first) : 0;
	// Entries of a pass: all of a group's, in the last group up to its last processor, a single group's span.
	const unsigned to = group == processor_group(last) ? processor_in_group(last) + 1 : PROCESSORS_PER_GROUP;
	const unsigned span = group == processor_group(last) ? to - from : PROCESSORS_PER_GROUP;
	return layer_bias_first(layer, group) + pass * span + local - from;
}

struct layer_bias layer_bias_of(const ai8x_layer *layer, uint32_t slot)
{
	struct layer_bias bias = {0};
	if (layer->bias_groups == 0)
		return bias;
	if (layer->depthwise) {
		const unsigned processor = layer_slot_processor(layer, slot), group = processor_group(processor);
		if ((layer->bias_groups >> group & 1) != 0) {
			bias.at[0].group = group;
			bias.at[0].entry = depthwise_entry(layer, processor, slot / bits_count(layer->processors));
			bias.count = 1;
		}
		return bias;
	}
	// A streaming first layer of some parts reads one entry late (hardware reference 4.5, quirk).
	const uint32_t late = layer->part->quirks.stream_bias_shift && layer->streaming && layer->index == 0;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((layer->bias_groups >> g & 1) == 0 || (layer->quad_fanout && slot % AI8X_GROUPS != g))
			continue;
		bias.at[bias.count].group = g;
		bias.at[bias.count++].entry =
			layer_bias_first(layer, g) + (layer->quad_fanout ? slot / AI8X_GROUPS : slot) + late;
	}
	return bias;
}
