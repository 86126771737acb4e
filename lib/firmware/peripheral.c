// Registers as their table says: storage, read-only, write-1-to-clear and self-clearing bits; their names; and what
// to say about registers that are not modelled. Facts: firmware reference 2.
#include "firmware/soc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct peripheral *peripheral_find(const struct soc_part *part, uint32_t address)
{
	const struct peripheral *table = part->peripherals->rows;
	size_t low = 0, high = part->peripherals->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (table[middle].base <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address - table[low - 1].base >= table[low - 1].bytes)
		return NULL;
	return &table[low - 1];
}

static const struct peripheral_register *find_register(const struct peripheral *row, uint32_t offset)
{
	const struct peripheral_block *block = row->block;
	for (size_t i = 0; i < block->register_count; i++)
		if (block->registers[i].offset == (offset & ~3u))
			return &block->registers[i];
	return NULL;
}

uint32_t peripheral_load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	return *soc_word(soc, row->base + offset);
}

void peripheral_store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset,
                      uint32_t value)
{
	const struct peripheral_register *r = find_register(row, offset);
	uint32_t *word = soc_word(soc, row->base + offset);
	if (r == NULL) {
		*word = value;
		return;
	}
	const uint32_t kept = r->read_only | r->clear;
	*word = ((*word & kept & ~(value & r->clear)) | (value & ~kept)) & ~r->self_clearing;
}

void peripheral_reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	memset(soc_word(soc, row->base), 0, row->bytes);
	for (size_t i = 0; i < row->block->register_count; i++)
		*soc_word(soc, row->base + row->block->registers[i].offset) = row->block->registers[i].reset;
	if (row->block->state_bytes > 0)
		memset(soc_state(soc, row), 0, row->block->state_bytes);
	if (row->irq != NO_INTERRUPT)
		nvic_line(soc, row->irq, false);
	if (row->block->reset != NULL)
		row->block->reset(soc, row);
	soc_changed(soc);
}

bool peripheral_counts(const struct soc_part *part, uint32_t address)
{
	const struct peripheral *row = peripheral_find(part, address);
	const struct peripheral_register *r = row != NULL ? find_register(row, address - row->base) : NULL;
	return r != NULL && r->counter;
}

static const char *core_name(uint32_t address)
{
	static const struct {
		uint32_t address;
		const char *name;
	} names[] = {
		{0xE000E010, "SysTick.CTRL"}, {0xE000E014, "SysTick.LOAD"}, {0xE000E018, "SysTick.VAL"},
		{0xE000ED04, "SCB.ICSR"},     {0xE000ED08, "SCB.VTOR"},     {0xE000ED0C, "SCB.AIRCR"},
		{0xE000ED10, "SCB.SCR"},      {0xE000ED88, "SCB.CPACR"},    {0xE0001004, "DWT.CYCCNT"},
	};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].address == address)
			return names[i].name;
	return NULL;
}

void peripheral_describe(const struct soc_part *part, uint32_t address, char *text, size_t size)
{
	const char *core = core_name(address);
	const struct peripheral *peripheral = peripheral_find(part, address);
	if (core != NULL) {
		(void)snprintf(text, size, "%s", core);
		return;
	}
	ai8x_location location;
	if (address >= CNN_BASE && ai8x_part_locate(part->part, address, &location) == AI8X_OK) {
		if (location.name != NULL && location.group >= 0)
			(void)snprintf(text, size, "CNN%d.%s", location.group, location.name);
		else
			(void)snprintf(text, size, "CNN %s", location.name != NULL ? location.name : location.region);
		return;
	}
	if (peripheral == NULL) {
		(void)snprintf(text, size, "0x%08x", address);
		return;
	}
	const struct peripheral_register *row = find_register(peripheral, address - peripheral->base);
	if (row != NULL)
		(void)snprintf(text, size, "%s.%s", peripheral->name, row->name);
	else
		(void)snprintf(text, size, "%s+0x%x", peripheral->name, (unsigned)(address - peripheral->base));
}

static ai8x_firmware_register *note(struct ai8x_firmware *soc, uint32_t address)
{
	size_t low = 0, high = soc->result.register_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (soc->registers[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < soc->result.register_count && soc->registers[low].address == address)
		return &soc->registers[low];
	if (soc->result.register_count == soc->register_capacity) {
		// Wild code can touch every word; nobody reads more names than this.
		if (soc->register_capacity >= 1024)
			return NULL;
		size_t capacity = soc->register_capacity == 0 ? 32 : 2 * soc->register_capacity;
		ai8x_firmware_register *grown = realloc(soc->registers, capacity * sizeof *grown);
		if (grown == NULL)
			return NULL;
		soc->registers = grown;
		soc->register_capacity = capacity;
		soc->result.registers = grown;
	}
	memmove(&soc->registers[low + 1], &soc->registers[low],
	        (soc->result.register_count - low) * sizeof soc->registers[0]);
	soc->result.register_count++;
	soc->registers[low] = (ai8x_firmware_register){.address = address};
	peripheral_describe(soc->soc, address, soc->registers[low].name, sizeof soc->registers[low].name);
	return &soc->registers[low];
}

void peripheral_unmodelled(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t address,
                           bool write)
{
	if (row != NULL) {
		const struct peripheral_register *r = find_register(row, address - row->base);
		if (r != NULL && r->modelled)
			return;
	}
	ai8x_firmware_register *seen = note(soc, address & ~3u);
	if (seen != NULL && write)
		seen->writes++;
	else if (seen != NULL)
		seen->reads++;
	if (!write && soc->options.strict) {
		char name[32];
		peripheral_describe(soc->soc, address, name, sizeof name);
		soc_end(soc, AI8X_FIRMWARE_UNMODELLED, AI8X_ERR_UNSUPPORTED,
		        "the firmware reads %s (0x%08x), which is not modelled", name, address);
	}
}
