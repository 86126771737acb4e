// Flash controller: writes that clear bits, erases of a page or of everything, in the run's copy of the flash.
//
// Facts: the vendor's register headers of both parts; the page size is the part's.
#include "firmware/soc.h"

#include <string.h>

#define ADDRESS 0x00
#define CONTROL 0x08
#define INTERRUPTS 0x24
#define DATA 0x30

#define WRITE (1u << 0)
#define MASS_ERASE (1u << 1)
#define PAGE_ERASE (1u << 2)
#define NARROW (1u << 4)
#define PENDING (1u << 24)
#define CODE_PAGE 0x55u
#define CODE_MASS 0xAAu
#define UNLOCKED 2u
#define DONE (1u << 0)
#define FAILED (1u << 1)

static const struct peripheral_register registers[] = {
	{0x00, true, "ADDR"},
	{0x04, true, "CLKDIV", 0x64},
	{0x08, true, "CTRL", 0, PENDING, 0, WRITE | MASS_ERASE | PAGE_ERASE},
	{0x24, true, "INTR"},
	{0x2c, false, "ECCDATA"},
	{0x30, true, "DATA0"},
	{0x34, true, "DATA1"},
	{0x38, true, "DATA2"},
	{0x3c, true, "DATA3"},
	{0x40, true, "ACTRL"},
	{0x80, true, "WELR0", UINT32_MAX},
	{0x88, true, "WELR1", UINT32_MAX},
	{0x90, true, "RLR0", UINT32_MAX},
	{0x98, true, "RLR1", UINT32_MAX},
};

static bool erase(struct ai8x_firmware *soc, uint32_t address, uint32_t bytes)
{
	uint8_t blank[1024];
	memset(blank, 0xFF, sizeof blank);
	for (uint32_t i = 0; i < bytes; i += sizeof blank)
		if (soc->unicorn.mem_write(soc->uc, address + i, blank, sizeof blank) != UC_ERR_OK)
			return false;
	return true;
}

static bool program(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t address, uint32_t bytes)
{
	uint32_t words[4] = {0};
	address &= ~(bytes - 1);
	if (soc->unicorn.mem_read(soc->uc, address, words, bytes) != UC_ERR_OK)
		return false;
	for (uint32_t i = 0; i < bytes / 4; i++)
		words[i] &= *soc_word(soc, row->base + DATA + 4 * i);
	return soc->unicorn.mem_write(soc->uc, address, words, bytes) == UC_ERR_OK;
}

static bool operate(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t control)
{
	const uint32_t flash = soc->soc->flash_bytes, code = control >> 8 & 0xFF;
	uint32_t address = *soc_word(soc, row->base + ADDRESS);
	if (address < flash)
		address += FLASH_BASE;
	const bool inside = address >= FLASH_BASE && address - FLASH_BASE < flash;
	if (control >> 28 != UNLOCKED)
		return false;
	if ((control & WRITE) != 0)
		return inside && program(soc, row, address, (control & NARROW) != 0 ? 4 : 16);
	if ((control & PAGE_ERASE) != 0)
		return inside && code == CODE_PAGE &&
		       erase(soc, address & ~(soc->soc->flash_page - 1), soc->soc->flash_page);
	return code == CODE_MASS && erase(soc, FLASH_BASE, flash);
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	uint32_t *interrupts = soc_word(soc, row->base + INTERRUPTS);
	peripheral_store(soc, row, offset, value);
	if (offset == CONTROL && (value & (WRITE | MASS_ERASE | PAGE_ERASE)) != 0)
		*interrupts |= DONE | (operate(soc, row, value) ? 0 : FAILED);
	nvic_line(soc, row->irq, (*interrupts >> 8 & *interrupts & 3) != 0);
}

const struct peripheral_block flc_block = {
	REGISTERS(registers),
	.write = store,
};
