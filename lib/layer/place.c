// Where results go (hardware reference 4.8) and kernels lie (4.5, 4.8), and whether all a layer touches lies inside
// the memories.
#include "layer/layer.h"

#include "memory/memory.h"

uint32_t ai8x_layer_output_slots(const ai8x_layer *layer)
{
	if (layer->write_mode == AI8X_WRITE_CHANNELS)
		return layer->slots;
	return bit_count64(layer->processors) * layer->passes;
}

// The k-th writing processor of all groups.
static unsigned nth_processor(uint64_t processors, uint32_t k)
{
	while (k-- > 0)
		processors &= processors - 1;
	return (unsigned)__builtin_ctzll(processors);
}

// Position in which a processor's result is packed inside its group (4.8, passthrough and moving
// depth-wise). In depth-wise layers later groups count from their processor 0.
static uint32_t packed_position(const ai8x_layer *layer, unsigned processor)
{
	const unsigned per_group = AI8X_PROCESSORS / AI8X_GROUPS;
	unsigned group = processor / per_group, local = processor % per_group;
	uint64_t members = layer->processors >> (group * per_group) & ((UINT64_C(1) << per_group) - 1);
	if (layer->write_mode == AI8X_WRITE_DEPTHWISE) {
		unsigned first_group = (unsigned)__builtin_ctzll(layer->processors) / per_group;
		return group == first_group ? local - (unsigned)__builtin_ctzll(members) : local;
	}
	return bit_count64(members & ((UINT64_C(1) << local) - 1));
}

ai8x_output_place ai8x_layer_place(const ai8x_layer *layer, uint32_t slot, uint32_t pixel)
{
	const unsigned per_group = AI8X_PROCESSORS / AI8X_GROUPS;
	const uint32_t unit = layer->output_bits / 8;
	if (layer->write_mode == AI8X_WRITE_CHANNELS) {
		uint32_t pass = slot / layer->slots_per_pass, position = slot % layer->slots_per_pass;
		uint32_t lane = position % 4;
		uint32_t word =
			layer->write_word[layer->master] + pixel * layer->write_step * unit + pass * layer->pass_offset;
		return (ai8x_output_place){
			.instance = layer->write_instance[layer->master] + position / 4,
			.word = unit == 1 ? word : word + lane,
			.lane = unit == 1 ? lane : 0,
		};
	}
	uint32_t writers = bit_count64(layer->processors);
	uint32_t pass = slot / writers;
	unsigned processor = nth_processor(layer->processors, slot % writers);
	unsigned group = processor / per_group;
	ai8x_output_place place = {0};
	uint32_t lane;
	if (layer->write_mode == AI8X_WRITE_BROADCAST) {
		place.instance = processor / 4;
		lane = processor % 4;
	} else {
		uint32_t position = packed_position(layer, processor);
		place.instance = layer->write_instance[group] + position / 4;
		lane = position % 4;
	}
	if (layer->write_mode == AI8X_WRITE_PASSTHROUGH)
		place.word = layer->write_word[group] + (pixel * layer->passes + pass) * layer->write_step;
	else
		place.word = layer->write_word[group] + pixel * layer->write_step * unit + pass * layer->pass_offset;
	place.lane = unit == 1 ? lane : 0;
	place.word += unit == 1 ? 0 : lane;
	return place;
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

static ai8x_status check_reads(const ai8x_layer *layer, ai8x_error *error)
{
	const unsigned per_group = AI8X_PROCESSORS / AI8X_GROUPS;
	uint64_t extent = (layer->streaming ? layer->ring_words : layer_read_words(layer)) - 1;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((layer->processors >> (g * per_group) & ((UINT64_C(1) << per_group) - 1)) == 0)
			continue;
		uint64_t last = layer->read_base[g] + extent;
		if (last >= layer->part->info.data_words)
			return error_set(error, AI8X_ERR_LAYER,
			                 "layer %u reads past data memory: group %u reads words 0x%x to 0x%llx, an "
			                 "instance ends at word 0x%x (RPTR_BASE, RCNT, CCNT)",
			                 layer->index, g, layer->read_base[g], (unsigned long long)last,
			                 layer->part->info.data_words - 1);
	}
	return AI8X_OK;
}

// Group whose write pointer a slot follows.
static unsigned write_group(const ai8x_layer *layer, uint32_t slot)
{
	if (layer->write_mode == AI8X_WRITE_CHANNELS)
		return layer->master;
	return processor_group(nth_processor(layer->processors, slot % bit_count64(layer->processors)));
}

static ai8x_status check_writes(const ai8x_layer *layer, uint32_t write_ring, ai8x_error *error)
{
	uint32_t slots = ai8x_layer_output_slots(layer);
	uint64_t pixels = (uint64_t)layer->output_rows * layer->output_columns;
	uint64_t step = (uint64_t)layer->write_step * (layer->output_bits / 8);
	if (layer->write_mode == AI8X_WRITE_PASSTHROUGH)
		step *= layer->passes;
	for (uint32_t slot = 0; slot < slots; slot++) {
		ai8x_output_place place = ai8x_layer_place(layer, slot, 0);
		const uint32_t origin = layer->write_word[write_group(layer, slot)];
		// A ring begins where the group's pointer does, wherever its reader expects it.
		uint64_t reach = place.word - origin + (pixels - 1) * step;
		if (write_ring != 0 && reach >= write_ring)
			reach = write_ring - 1;
		uint64_t last = origin + reach;
		if (place.instance >= AI8X_INSTANCES)
			return error_set(error, AI8X_ERR_LAYER,
			                 "layer %u writes to data memory instance %u, the last one is %u (WPTR_BASE, "
			                 "slot %u of %u)",
			                 layer->index, place.instance, AI8X_INSTANCES - 1, slot, slots);
		if (last >= layer->part->info.data_words)
			return error_set(error, AI8X_ERR_LAYER,
			                 "layer %u writes past data memory: slot %u reaches word 0x%llx of instance %u, "
			                 "which ends at word 0x%x (WPTR_BASE, LCTL2)",
			                 layer->index, slot, (unsigned long long)last, place.instance,
			                 layer->part->info.data_words - 1);
	}
	return AI8X_OK;
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

ai8x_status layer_check_kernels(const ai8x_layer *layer, ai8x_error *error)
{
	if (layer->kernels == 0 || layer->kernel_processors == 0)
		return AI8X_OK;
	const unsigned per_group = AI8X_PROCESSORS / AI8X_GROUPS;
	const uint32_t taps = layer->kernel_rows * layer->kernel_columns;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		if ((layer->kernel_processors >> p & 1) == 0)
			continue;
		unsigned g = p / per_group;
		uint64_t bit =
			(uint64_t)layer->kernel_first_bit[g] + (uint64_t)(layer->kernels - 1) * layer->weight_bits;
		uint64_t word = ((bit >> 3) * taps + layer->kernel_tap_offset[g] + taps - 1) / KERNEL_WORD_BYTES;
		uint32_t words = part_unit_words(layer->part, MEMORY_KERNEL, p % per_group);
		if (layer->calcx4)
			words = layer->part->info.kernel_words / 4;
		if (word >= words)
			return error_set(
				error, AI8X_ERR_LAYER,
				"layer %u reads past kernel memory: its %u kernels reach word %llu of processor %u, "
				"which has %u (MCNT, ONED)",
				layer->index, layer->kernels, (unsigned long long)word, p, words);
	}
	return AI8X_OK;
}

ai8x_status layer_check_bias(const ai8x_layer *layer, ai8x_error *error)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((layer->bias_groups >> g & 1) == 0)
			continue;
		if (layer->bias_first[g] >= layer->part->info.bias_entries)
			return error_set(error, AI8X_ERR_LAYER,
			                 "layer %u: the bias of group %u starts at entry %u, bias memory has %u (POST)",
			                 layer->index, g, layer->bias_first[g], layer->part->info.bias_entries);
	}
	return AI8X_OK;
}

ai8x_status layer_check_data(const ai8x_layer *layer, uint32_t write_ring, ai8x_error *error)
{
	ai8x_status status = check_reads(layer, error);
	return status == AI8X_OK ? check_writes(layer, write_ring, error) : status;
}

ai8x_status layer_check_ranges(const ai8x_layer *layer, uint32_t write_ring, ai8x_error *error)
{
	ai8x_status status = layer_check_data(layer, write_ring, error);
	if (status == AI8X_OK)
		status = layer_check_kernels(layer, error);
	if (status == AI8X_OK)
		status = layer_check_bias(layer, error);
	return status;
}
