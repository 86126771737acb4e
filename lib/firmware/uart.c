// The UARTs: what firmware prints (firmware reference 2). Nothing is ever received.
#include "firmware/soc.h"

#define CONTROL 0x00
#define STATUS 0x04
#define FIFO 0x20

#define CONTROL_FLUSH (1u << 8 | 1u << 9)
#define CONTROL_CLOCK_READY (1u << 19)
#define STATUS_EMPTY 0x50u

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL", 0, CONTROL_CLOCK_READY, 0, CONTROL_FLUSH},
	{0x04, true, "STATUS"},
	{0x08, true, "INT_EN"},
	{0x0c, true, "INT_FL", 0, 0, UINT32_MAX},
	{0x10, true, "CLKDIV"},
	{0x14, true, "OSR"},
	{0x18, true, "TXPEEK"},
	{0x1c, true, "PNR"},
	{0x20, true, "FIFO"},
	{0x30, true, "DMA"},
	{0x34, true, "WKEN"},
	{0x38, true, "WKFL"},
};

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	switch (offset) {
	case CONTROL:
		return peripheral_load(soc, row, offset) | CONTROL_CLOCK_READY;
	case STATUS:
		return STATUS_EMPTY;
	case FIFO:
		return 0;
	default:
		return peripheral_load(soc, row, offset);
	}
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case STATUS:
		break;
	case FIFO:
		soc_print(soc, row->unit, (char)value);
		break;
	default:
		peripheral_store(soc, row, offset, value);
	}
}

static uint32_t ready(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits)
{
	(void)soc;
	(void)row;
	return transmits ? 8 : 0;
}

const struct peripheral_block uart_block = {
	.registers = registers,
	.register_count = sizeof registers / sizeof registers[0],
	.narrow = true,
	.fifo = FIFO,
	.ready = ready,
	.read = load,
	.write = store,
};
