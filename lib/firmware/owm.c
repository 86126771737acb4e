// 1-Wire master with nothing on its wire: resets find nobody, reads give ones.
//
// Facts: the vendor's register headers of both parts.
#include "firmware/soc.h"

#define CONTROL 0x08
#define DATA 0x0C
#define FLAGS 0x10
#define ENABLES 0x14
#define RESET (1u << 0)
#define INPUT (1u << 3)
#define PRESENCE (1u << 7)
#define RESET_DONE (1u << 0)
#define TX_EMPTY (1u << 1)
#define RX_READY (1u << 2)

static const struct peripheral_register registers[] = {
	{0x00, true, "CFG"},
	{0x04, true, "CLK_DIV_1US"},
	{0x08, true, "CTRL_STAT", INPUT, INPUT | PRESENCE, 0, RESET},
	{0x0c, true, "DATA"},
	{0x10, true, "INTFL", 0, 0, UINT32_MAX},
	{0x14, true, "INTEN"},
};

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	uint32_t *flags = soc_word(soc, row->base + FLAGS);
	peripheral_store(soc, row, offset, value);
	if (offset == CONTROL && (value & RESET) != 0)
		*flags |= RESET_DONE;
	if (offset == DATA) {
		// A one that is sent is a read; a zero holds the wire low, and reads as such.
		*flags |= TX_EMPTY | RX_READY;
	}
	nvic_line(soc, row->irq, (*flags & *soc_word(soc, row->base + ENABLES)) != 0);
}

const struct peripheral_block owm_block = {
	REGISTERS(registers),
	.write = store,
};
