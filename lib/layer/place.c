// Where results go (hardware reference 4.8), and whether all that a layer touches lies inside the memories.
#include "layer/geometry.h"

#include "memory/memory.h"

uint32_t ai8x_layer_output_slots(const ai8x_layer *layer)
{
	if (layer == NULL)
		return 0;
	if (layer->write_mode == AI8X_WRITE_CHANNELS)
		return layer->slots;
	return bits_count(layer->processors) * layer->passes;
}

// Position in which a processor's result is packed inside its group (4.8, passthrough and moving
// depth-wise). In depth-wise layers later groups count from their processor 0.
static uint32_t packed_position(const ai8x_layer *layer, unsigned processor)
{
	const unsigned group = processor_group(processor), local = processor_in_group(processor);
	const uint32_t members = group_processors(layer->processors, group);
	if (layer->write_mode == AI8X_WRITE_DEPTHWISE)
		return group == processor_group(bits_first(layer->processors)) ? local - bits_first(members) : local;
	return bits_rank(members, local);
}

ai8x_output_place ai8x_layer_place(const ai8x_layer *layer, uint32_t slot, uint32_t pixel)
{
	// A structure that no machine has filled in writes nowhere.
	if (layer == NULL || layer->master >= AI8X_GROUPS ||
	    (layer->write_mode == AI8X_WRITE_CHANNELS ? layer->slots_per_pass : layer->processors) == 0)
		return (ai8x_output_place){0};
	const uint32_t unit = layer->output_bits / 8;
	if (layer->write_mode == AI8X_WRITE_CHANNELS) {
		uint32_t pass = slot / layer->slots_per_pass, position = slot % layer->slots_per_pass;
		uint32_t lane = position % 4;
		uint32_t word =
			layer->write_word[layer->master] + pixel * layer_pixel_words(layer) + pass * layer->pass_offset;
		return (ai8x_output_place){
			.instance = layer->write_instance[layer->master] + position / 4,
			.word = unit == 1 ? word : word + lane,
			.lane = unit == 1 ? lane : 0,
		};
	}
	uint32_t writers = bits_count(layer->processors);
	uint32_t pass = slot / writers;
	const unsigned processor = layer_slot_processor(layer, slot), group = processor_group(processor);
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
		place.word = layer->write_word[group] + pixel * layer_pixel_words(layer) + pass * layer->write_step;
	else
		place.word = layer->write_word[group] + pixel * layer_pixel_words(layer) + pass * layer->pass_offset;
	place.lane = unit == 1 ? lane : 0;
	place.word += unit == 1 ? 0 : lane;
	return place;
}

static ai8x_status check_reads(const ai8x_layer *layer, ai8x_error *error)
{
	uint64_t extent = (layer->streaming ? layer->ring_words : layer_read_words(layer)) - 1;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if (group_processors(layer->processors, g) == 0)
			continue;
		uint64_t last = layer->read_base[g] + extent;
		if (last >= layer->part->info.data_words)
			return error_set(
				error, AI8X_ERR_LAYER,
				"layer %u reads past data memory: group %u reads words 0x%x to 0x%llx (bytes 0x%x "
				"to 0x%llx), an instance ends at word 0x%x, byte 0x%x (in_offset: RPTR_BASE; RCNT, CCNT)",
				layer->index, g, layer->read_base[g], (unsigned long long)last, 4 * layer->read_base[g],
				4 * (unsigned long long)last + 3, layer->part->info.data_words - 1,
				4 * layer->part->info.data_words - 1);
	}
	return AI8X_OK;
}

static ai8x_status check_writes(const ai8x_layer *layer, uint32_t write_ring, ai8x_error *error)
{
	uint32_t slots = ai8x_layer_output_slots(layer);
	uint64_t pixels = (uint64_t)layer->output_rows * layer->output_columns;
	const uint64_t step = layer_pixel_words(layer);
	for (uint32_t slot = 0; slot < slots; slot++) {
		ai8x_output_place place = ai8x_layer_place(layer, slot, 0);
		const uint32_t origin = layer->write_word[layer_write_group(layer, slot)];
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
			                 "layer %u writes past data memory: slot %u reaches word 0x%llx (byte 0x%llx) of "
			                 "instance %u, which ends at word 0x%x, byte 0x%x (out_offset: WPTR_BASE; LCTL2)",
			                 layer->index, slot, (unsigned long long)last, 4 * (unsigned long long)last + 3,
			                 place.instance, layer->part->info.data_words - 1,
			                 4 * layer->part->info.data_words - 1);
	}
	return AI8X_OK;
}

ai8x_status layer_check_kernels(const ai8x_layer *layer, ai8x_error *error)
{
	if (layer->kernels == 0 || layer->kernel_processors == 0)
		return AI8X_OK;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		if ((layer->kernel_processors >> p & 1) == 0)
			continue;
		const uint64_t word = layer_kernel_words(layer, processor_group(p)).last;
		uint32_t words = part_unit_words(layer->part, MEMORY_KERNEL, processor_in_group(p));
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
