// The 10-bit converter of the MAX78000: every conversion ends at once, in the middle of the scale.
//
// Facts: the vendor's register headers.
#include "firmware/soc.h"

#define CONTROL 0x00
#define DATA 0x08
#define INTERRUPTS 0x0C
#define START (1u << 0)
#define REFERENCE (1u << 3)
#define DONE (1u << 16)
#define REFERENCE_READY (1u << 17)
#define FLAGS (0x1Fu << 16)
#define HALF 0x200

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL", 0, 0, 0, START},
	{0x04, true, "STATUS", 0, UINT32_MAX},
	{0x08, true, "DATA", HALF, UINT32_MAX},
	{0x0c, true, "INTR", 0, 0, FLAGS},
	{0x10, true, "LIMIT0"},
	{0x14, true, "LIMIT1"},
	{0x18, true, "LIMIT2"},
	{0x1c, true, "LIMIT3"},
};

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	uint32_t *interrupts = soc_word(soc, row->base + INTERRUPTS);
	peripheral_store(soc, row, offset, value);
	if (offset == CONTROL && (value & START) != 0)
		*interrupts |= DONE;
	if (offset == CONTROL && (value & REFERENCE) != 0)
		*interrupts |= REFERENCE_READY;
	nvic_line(soc, row->irq, (*interrupts >> 16 & *interrupts & 0x1F) != 0);
}

const struct peripheral_block adc_sar_block = {
	REGISTERS(registers),
	.write = store,
};
