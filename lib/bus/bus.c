// Bus accesses to memories, and what they need to know of registers.
#include "bus/bus.h"

#include <string.h>

ai8x_status bus_create(struct bus *bus, const ai8x_part *part)
{
	memset(bus, 0, sizeof *bus);
	bus->part = part;
	ai8x_status status = data_memory_create(&bus->data, part);
	if (status == AI8X_OK)
		status = kernel_memory_create(&bus->kernel, part);
	if (status == AI8X_OK)
		status = bias_memory_create(&bus->bias, part);
	if (status == AI8X_OK)
		status = tram_memory_create(&bus->tram, part);
	if (status != AI8X_OK)
		bus_destroy(bus);
	return status;
}

void bus_destroy(struct bus *bus)
{
	data_memory_destroy(&bus->data);
	kernel_memory_destroy(&bus->kernel);
	bias_memory_destroy(&bus->bias);
	tram_memory_destroy(&bus->tram);
}

void bus_reset(struct bus *bus, uint32_t fifo_depth)
{
	registers_reset(&bus->registers, bus->part);
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		data_memory_clear(&bus->data, g);
		kernel_memory_clear(&bus->kernel, g);
		bias_memory_clear(&bus->bias, g);
		tram_memory_clear(&bus->tram, g);
	}
	for (unsigned f = 0; f < FIFO_COUNT; f++)
		fifo_reset(&bus->fifo[f], fifo_depth);
}

void bus_copy_memories(struct bus *to, const struct bus *from)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		memcpy(to->data.word[i], from->data.word[i], from->data.words * sizeof(uint32_t));
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		struct kernel_unit *unit = &to->kernel.unit[p];
		uint8_t *stream = unit->stream;
		memcpy(stream, from->kernel.unit[p].stream, (size_t)unit->words * KERNEL_WORD_BYTES);
		*unit = from->kernel.unit[p];
		unit->stream = stream;
		memcpy(to->tram.word[p], from->tram.word[p], from->tram.words * sizeof(uint16_t));
		to->tram.written[p] = from->tram.written[p];
	}
	to->kernel.stamp = from->kernel.stamp;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		memcpy(to->bias.entry[g], from->bias.entry[g], from->bias.entries);
	to->bias.stamp = from->bias.stamp;
}

ai8x_status bus_decode(const struct bus *bus, uint32_t address, unsigned bytes, struct part_target *target,
                       ai8x_error *error)
{
	if (bytes == 4 && (address & 3) != 0)
		return error_set(error, AI8X_ERR_ALIGNMENT,
		                 "misaligned 32-bit access to 0x%08x: the address must be a multiple of 4", address);
	if (!part_decode_address(bus->part, address, target))
		return error_set(error, AI8X_ERR_ADDRESS, "the %s has no register or memory at 0x%08x",
		                 bus->part->info.name, address);
	return AI8X_OK;
}

static unsigned processor_of(const struct bus *bus, const struct part_target *target)
{
	return target->group * bus->part->memories[target->memory].units + target->unit;
}

static struct kernel_commit write_kernel(struct bus *bus, const struct part_target *target, unsigned bytes,
                                         uint32_t value)
{
	unsigned processor = processor_of(bus, target);
	bool express = field_get(&bus->registers, F_MEXPRESS, target->group, 0) != 0;
	if (bytes == 4)
		return express ? kernel_express_append(&bus->kernel, processor, value)
		               : kernel_write_plain(&bus->kernel, processor, target->word, target->byte, value);
	if (!express)
		return (struct kernel_commit){0};
	// Packed loading: a byte write names the first kernel word at a quarter of its window (2.1).
	const struct part_memory_row *row = &bus->part->memories[MEMORY_KERNEL];
	uint32_t offset = target->word * row->word_bytes + target->byte;
	kernel_express_select(&bus->kernel, processor, offset >> 2);
	return (struct kernel_commit){0};
}

// 8-bit writes change one byte of a 32-bit word.
static uint32_t merge(uint32_t old, uint32_t byte, unsigned bytes, uint32_t value)
{
	if (bytes == 4)
		return value;
	uint32_t shift = 8 * (byte & 3);
	return (old & ~(UINT32_C(0xff) << shift)) | (value & 0xff) << shift;
}

struct kernel_commit bus_write_memory(struct bus *bus, const struct part_target *target, unsigned bytes,
                                      uint32_t value)
{
	unsigned unit = processor_of(bus, target);
	switch (target->memory) {
	case MEMORY_DATA: {
		uint32_t *word = &bus->data.word[unit][target->word];
		*word = merge(*word, target->byte, bytes, value);
		break;
	}
	case MEMORY_KERNEL:
		return write_kernel(bus, target, bytes, value);
	case MEMORY_BIAS:
		if (target->byte == 0) {
			bus->bias.entry[target->group][target->word] = (int8_t)(uint8_t)value;
			bus->bias.stamp++;
		}
		break;
	case MEMORY_TRAM: {
		uint16_t *word = &bus->tram.word[unit][target->word];
		*word = (uint16_t)merge(*word, target->byte, bytes, value);
		bus->tram.written[unit] = true;
		break;
	}
	case MEMORY_COUNT:
		break;
	}
	return (struct kernel_commit){0};
}

uint32_t bus_read_memory(const struct bus *bus, const struct part_target *target)
{
	unsigned unit = processor_of(bus, target);
	switch (target->memory) {
	case MEMORY_DATA:
		return bus->data.word[unit][target->word];
	case MEMORY_KERNEL:
		return kernel_read_plain(&bus->kernel, unit, target->word, target->byte & 12);
	case MEMORY_BIAS:
		return (uint8_t)bus->bias.entry[target->group][target->word];
	case MEMORY_TRAM:
		return bus->tram.word[unit][target->word];
	case MEMORY_COUNT:
		break;
	}
	return 0;
}
