// The bus: the address map of the part, and the way of an access outside memory to its block.
//
// Facts: firmware reference 1, 2 and 7.
#include "firmware/soc.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static uint32_t read_row(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t address)
{
	return row->block->read != NULL ? row->block->read(soc, row, address - row->base)
	                                : peripheral_load(soc, row, address - row->base);
}

static void write_row(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t address,
                      uint32_t value)
{
	if (row->block->write != NULL)
		row->block->write(soc, row, address - row->base, value);
	else
		peripheral_store(soc, row, address - row->base, value);
}

uint32_t core_bus_load(struct ai8x_firmware *soc, uint32_t address, unsigned bytes)
{
	if (address >= CNN_BASE)
		return cnn_read(soc, address, bytes);
	const struct peripheral *row = peripheral_find(soc->soc, address);
	peripheral_unmodelled(soc, row, address, false);
	soc->access_bytes = bytes;
	const uint32_t word = row != NULL ? read_row(soc, row, address & ~3u) : *soc_word(soc, address);
	return bytes == 4 ? word : word >> (8 * (address & 3));
}

void core_bus_store(struct ai8x_firmware *soc, uint32_t address, unsigned bytes, uint32_t value)
{
	if (address >= CNN_BASE) {
		cnn_write(soc, address, value, bytes);
		return;
	}
	const struct peripheral *row = peripheral_find(soc->soc, address);
	peripheral_unmodelled(soc, row, address, true);
	if (bytes < 4 && (row == NULL || !row->block->narrow)) {
		const uint32_t shift = 8 * (address & 3);
		const uint32_t mask = (bytes == 1 ? 0xFFu : 0xFFFFu) << shift;
		value = (*soc_word(soc, address) & ~mask) | (value << shift & mask);
	}
	soc->access_bytes = bytes;
	if (row != NULL)
		write_row(soc, row, address & ~3u, value);
	else
		*soc_word(soc, address) = value;
}

static uint64_t on_peripheral_read(uc_engine *uc, uint64_t offset, unsigned bytes, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	const uint32_t address = PERIPHERAL_BASE + (uint32_t)offset;
	soc_pass(soc, core_access_cycles(soc, address, false));
	soc->accesses++;
	poll_before(soc, address);
	const uint32_t value = core_bus_load(soc, address, bytes);
	poll_after(soc, address, value);
	return value;
}

static void on_peripheral_write(uc_engine *uc, uint64_t offset, unsigned bytes, uint64_t value, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	const uint32_t address = PERIPHERAL_BASE + (uint32_t)offset;
	soc_pass(soc, core_access_cycles(soc, address, true));
	soc->accesses++;
	poll_clear(soc);
	core_bus_store(soc, address, bytes, (uint32_t)value);
}

static uint64_t on_cnn_read(uc_engine *uc, uint64_t offset, unsigned bytes, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t address = CNN_BASE + (uint32_t)offset;
	soc_pass(soc, core_access_cycles(soc, address, false));
	soc->accesses++;
	ai8x_location location;
	// Data is read once and in order, also where one register gives it word by word; control registers are what
	// firmware polls.
	bool polled =
		address < soc->soc->cnn_status_end || (ai8x_part_locate(soc->part, address, &location) == AI8X_OK &&
	                                           location.name != NULL && strcmp(location.name, "MLAT") != 0);
	if (polled)
		poll_before(soc, address);
	uint32_t value = cnn_read(soc, address, bytes);
	if (polled)
		poll_after(soc, address, value);
	else
		poll_clear(soc);
	return value;
}

static void on_cnn_write(uc_engine *uc, uint64_t offset, unsigned bytes, uint64_t value, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t address = CNN_BASE + (uint32_t)offset;
	soc_pass(soc, core_source_cycles(soc));
	soc_pass(soc, core_access_cycles(soc, address, true));
	soc->accesses++;
	poll_clear(soc);
	cnn_write(soc, address, (uint32_t)value, bytes);
}

static uint32_t read_core(struct ai8x_firmware *soc, uint32_t offset)
{
	if (offset >= 0xE010 && offset < 0xE020)
		return systick_read(soc, offset - 0xE010);
	if (offset >= 0xE000 && offset < 0xF000)
		return nvic_read(soc, offset - 0xE000);
	return offset == 0x1004 ? (uint32_t)soc->cycles : 0; // DWT cycle counter
}

static void write_core(struct ai8x_firmware *soc, uint32_t offset, uint32_t value, unsigned bytes)
{
	if (offset >= 0xE010 && offset < 0xE020)
		systick_write(soc, offset - 0xE010, value);
	else if (offset >= 0xE000 && offset < 0xF000)
		nvic_write(soc, offset - 0xE000, value, bytes);
}

static uint64_t on_core_read(uc_engine *uc, uint64_t offset, unsigned bytes, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t word_offset = (uint32_t)offset & ~3u;
	soc_pass(soc, core_access_cycles(soc, CORE_BASE + word_offset, false));
	soc->accesses++;
	poll_before(soc, CORE_BASE + word_offset);
	const uint32_t word = read_core(soc, word_offset);
	poll_after(soc, CORE_BASE + word_offset, word);
	return bytes == 4 ? word : word >> (8 * (offset & 3));
}

static void on_core_write(uc_engine *uc, uint64_t offset, unsigned bytes, uint64_t value, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t address = (uint32_t)offset;
	soc_pass(soc, core_access_cycles(soc, CORE_BASE + address, true));
	soc->accesses++;
	poll_clear(soc);
	write_core(soc, address, (uint32_t)value, bytes);
}

bool core_bus_read(struct ai8x_firmware *soc, uint32_t address, unsigned bytes, uint32_t *value)
{
	*value = 0;
	if (address >= CNN_BASE && address - CNN_BASE < soc->soc->cnn_bytes) {
		*value = cnn_read(soc, address, bytes);
		return true;
	}
	if (address >= CORE_BASE && address - CORE_BASE < CORE_SIZE) {
		*value = read_core(soc, (address - CORE_BASE) & ~3u) >> (8 * (address & 3));
		return true;
	}
	if (address < PERIPHERAL_BASE || address - PERIPHERAL_BASE >= soc->soc->peripheral_bytes)
		return soc->unicorn.mem_read(soc->uc, address, value, bytes) == UC_ERR_OK;
	const struct peripheral *row = peripheral_find(soc->soc, address);
	if (row == NULL)
		return false;
	soc->access_bytes = bytes;
	*value = read_row(soc, row, address & ~3u) >> (8 * (address & 3));
	return true;
}

bool core_bus_write(struct ai8x_firmware *soc, uint32_t address, unsigned bytes, uint32_t value)
{
	if (address >= CNN_BASE && address - CNN_BASE < soc->soc->cnn_bytes) {
		cnn_write(soc, address, value, bytes);
		return true;
	}
	if (address >= CORE_BASE && address - CORE_BASE < CORE_SIZE) {
		write_core(soc, address - CORE_BASE, value, bytes);
		return true;
	}
	if (address < PERIPHERAL_BASE || address - PERIPHERAL_BASE >= soc->soc->peripheral_bytes) {
		const bool ram = address >= SRAM_BASE && address - SRAM_BASE <= soc->soc->sram_bytes - bytes;
		return ram && soc->unicorn.mem_write(soc->uc, address, &value, bytes) == UC_ERR_OK;
	}
	const struct peripheral *row = peripheral_find(soc->soc, address);
	if (row == NULL)
		return false;
	soc->access_bytes = bytes;
	write_row(soc, row, address & ~3u, value);
	return true;
}

bool core_bus_write_bytes(struct ai8x_firmware *soc, uint32_t address, const void *bytes, size_t size)
{
	const uint32_t ram = soc->soc->sram_bytes;
	return address >= SRAM_BASE && address - SRAM_BASE <= ram && size <= ram - (address - SRAM_BASE) &&
	       soc->unicorn.mem_write(soc->uc, address, bytes, size) == UC_ERR_OK;
}

static ai8x_status map(struct ai8x_firmware *soc, struct soc_memory *memory, ai8x_error *error)
{
	// Pages of the host, as the engines want them.
	memory->data = aligned_alloc(0x1000, memory->bytes);
	uc_err status = UC_ERR_NOMEM;
	if (memory->data != NULL) {
		memset(memory->data, 0, memory->bytes);
		status = soc->unicorn.mem_map_ptr(soc->uc, memory->base, memory->bytes, memory->rights, memory->data);
	}
	if (status != UC_ERR_OK)
		return error_set(error, AI8X_ERR_NO_MEMORY, "mapping 0x%x bytes at 0x%08x: %s", memory->bytes,
		                 memory->base, soc->unicorn.strerror(status));
	return AI8X_OK;
}

void core_bus_release(struct ai8x_firmware *soc)
{
	for (size_t i = 0; i < SOC_MEMORIES; i++) {
		free(soc->memories[i].data);
		soc->memories[i] = (struct soc_memory){0};
	}
}

// At each store Unicorn looks for translated code among the thousand pages around it, and is done at once where there
// is none. While it is there, a gap parts SRAM's pages from those of the memories before; no code runs in it.
#define GAP_BASE 0xC0000000u
#define GAP_BYTES 0x100000u

static ai8x_status map_apart(struct ai8x_firmware *soc, struct soc_memory *memory, ai8x_error *error)
{
	void *untouched = aligned_alloc(0x1000, GAP_BYTES);
	if (untouched == NULL)
		return error_no_memory(error, "SRAM");
	const bool apart =
		soc->unicorn.mem_map_ptr(soc->uc, GAP_BASE, GAP_BYTES, UC_PROT_NONE, untouched) == UC_ERR_OK;
	const ai8x_status status = map(soc, memory, error);
	if (apart)
		(void)soc->unicorn.mem_unmap(soc->uc, GAP_BASE, GAP_BYTES);
	free(untouched);
	return status;
}

static ai8x_status map_io(struct ai8x_firmware *soc, uint32_t base, uint32_t bytes, uc_cb_mmio_read_t read,
                          uc_cb_mmio_write_t write, ai8x_error *error)
{
	uc_err status = soc->unicorn.mmio_map(soc->uc, base, bytes, read, soc, write, soc);
	if (status != UC_ERR_OK)
		return error_set(error, AI8X_ERR_NO_MEMORY, "mapping 0x%x bytes of registers at 0x%08x: %s", bytes,
		                 base, soc->unicorn.strerror(status));
	return AI8X_OK;
}

ai8x_status core_bus_map(struct ai8x_firmware *soc, ai8x_error *error)
{
	const struct soc_part *part = soc->soc;
	const struct soc_memory memories[SOC_MEMORIES] = {
		{0, ROM_SIZE, UC_PROT_READ | UC_PROT_EXEC, NULL},
		{FLASH_BASE, part->flash_bytes, UC_PROT_READ | UC_PROT_EXEC, NULL},
		{INFO_BASE, part->info_bytes, UC_PROT_READ, NULL},
		{SRAM_BASE, part->sram_bytes, UC_PROT_ALL, NULL},
	};
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < SOC_MEMORIES && status == AI8X_OK; i++) {
		soc->memories[i] = memories[i];
		status = memories[i].base == SRAM_BASE ? map_apart(soc, &soc->memories[i], error)
		                                       : map(soc, &soc->memories[i], error);
	}
	if (status == AI8X_OK)
		status = map_io(soc, PERIPHERAL_BASE, part->peripheral_bytes, on_peripheral_read, on_peripheral_write,
		                error);
	if (status == AI8X_OK)
		status = map_io(soc, CNN_BASE, part->cnn_bytes, on_cnn_read, on_cnn_write, error);
	if (status == AI8X_OK)
		status = map_io(soc, CORE_BASE, CORE_SIZE, on_core_read, on_core_write, error);
	for (size_t i = 0; i < soc->image.segment_count && status == AI8X_OK; i++) {
		const struct image_segment *segment = &soc->image.segments[i];
		if (soc->unicorn.mem_write(soc->uc, segment->address, segment->bytes, segment->size) != UC_ERR_OK)
			status = error_set(error, AI8X_ERR_FORMAT, "ELF segment at 0x%08x cannot be written",
			                   segment->address);
	}
	return status;
}
