// The 12-bit converter of the MAX78002: every sequence of slots ends at once, in the middle of the scale.
//
// Facts: the vendor's register headers.
#include "firmware/soc.h"

#define CONTROL0 0x00
#define CONTROL1 0x04
#define FIFO_CONTROL 0x40
#define DATA 0x44
#define STATUS 0x48
#define ENABLES 0x50
#define FLAGS 0x54
#define ADC_ENABLE (1u << 0)
#define START (1u << 0)
#define FLUSH (1u << 1)
#define READY (1u << 0)
#define SEQUENCE (0x78u) // detected, started, sequence done, conversion done
#define FIFO_LEVEL (1u << 8)
#define INVALID (1u << 24)
#define HALF 0x800

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL0"},
	{0x04, true, "CTRL1", 0, 0, 0, START},
	{0x08, true, "CLKCTRL"},
	{0x0c, true, "SAMPCLKCTRL"},
	{0x10, true, "CHSEL0"},
	{0x14, true, "CHSEL1"},
	{0x18, true, "CHSEL2"},
	{0x1c, true, "CHSEL3"},
	{0x20, true, "CHSEL4"},
	{0x24, true, "CHSEL5"},
	{0x28, true, "CHSEL6"},
	{0x2c, true, "CHSEL7"},
	{0x30, true, "RESTART"},
	{0x3c, true, "DATAFMT"},
	{0x40, true, "FIFODMACTRL", 0, 0, 0, FLUSH},
	{0x44, true, "DATA"},
	{0x48, true, "STATUS", READY, UINT32_MAX},
	{0x4c, true, "CHSTATUS"},
	{0x50, true, "INTEN"},
	{0x54, true, "INTFL", 0, 0, UINT32_MAX},
	{0x60, true, "SFRADDROFFSET"},
	{0x64, true, "SFRADDR"},
	{0x68, true, "SFRWRDATA"},
	{0x6c, true, "SFRRDDATA", 0, UINT32_MAX},
	{0x70, true, "SFRSTATUS", 0, UINT32_MAX},
};

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	uint32_t *left = soc_state(soc, row);
	if (offset == STATUS)
		return READY | (uint32_t)(*left == 0) << 1 | *left << 8;
	if (offset != DATA)
		return peripheral_load(soc, row, offset);
	if (*left == 0)
		return INVALID;
	--*left;
	return HALF;
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	uint32_t *left = soc_state(soc, row), *flags = soc_word(soc, row->base + FLAGS);
	peripheral_store(soc, row, offset, value);
	if (offset == CONTROL0 && (value & ADC_ENABLE) != 0)
		*flags |= READY;
	if (offset == FIFO_CONTROL && (value & FLUSH) != 0)
		*left = 0;
	if (offset == CONTROL1 && (value & START) != 0) {
		*left = (value >> 16 & 31) + 1;
		*flags |= SEQUENCE | FIFO_LEVEL;
	}
	nvic_line(soc, row->irq, (*flags & *soc_word(soc, row->base + ENABLES)) != 0);
}

static uint32_t ready(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits)
{
	return transmits ? 0 : 4 * *(const uint32_t *)soc_state(soc, row);
}

const struct peripheral_block adc_block = {
	REGISTERS(registers), .state_bytes = sizeof(uint32_t), .fifo = DATA, .read = load, .write = store,
	.ready = ready,
};
