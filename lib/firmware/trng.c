// Random numbers: always ready, and the same ones in every run, so that runs can be repeated.
//
// Facts: the vendor's register headers of both parts.
#include "firmware/soc.h"

#define CONTROL 0x00
#define DATA 0x08
#define INTERRUPT (1u << 1)
#define KEY_BITS (1u << 3 | 1u << 15)

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL", 0, 0, 0, KEY_BITS},
	{0x04, true, "STATUS", 1, UINT32_MAX},
	{0x08, true, "DATA", 0, UINT32_MAX, .counter = true},
};

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	if (offset != DATA)
		return peripheral_load(soc, row, offset);
	// Marsaglia's xorshift.
	uint32_t *state = soc_state(soc, row);
	uint32_t x = *state == 0 ? 0x2545F491u : *state;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	peripheral_store(soc, row, offset, value);
	if (offset == CONTROL)
		nvic_line(soc, row->irq, (value & INTERRUPT) != 0);
}

const struct peripheral_block trng_block = {
	REGISTERS(registers),
	.state_bytes = sizeof(uint32_t),
	.read = load,
	.write = store,
};
