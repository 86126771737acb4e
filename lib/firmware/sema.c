// Semaphores and mailboxes between the two cores. Facts: the vendor's register headers of both parts.
#include "firmware/rv32.h"

#define SEMAPHORES 8u
#define MAIL_IRQ0 0x40
#define MAIL_IRQ1 0x48
#define STATUS 0x100
#define ENABLE (1u << 0)
#define RAISED (1u << 16)

static const struct peripheral_register registers[] = {
	{0x00, true, "SEMAPHORES0"},
	{0x04, true, "SEMAPHORES1"},
	{0x08, true, "SEMAPHORES2"},
	{0x0c, true, "SEMAPHORES3"},
	{0x10, true, "SEMAPHORES4"},
	{0x14, true, "SEMAPHORES5"},
	{0x18, true, "SEMAPHORES6"},
	{0x1c, true, "SEMAPHORES7"},
	{0x40, true, "IRQ0"},
	{0x44, true, "MAIL0"},
	{0x48, true, "IRQ1"},
	{0x4c, true, "MAIL1"},
	{0x100, true, "STATUS", 0, UINT32_MAX},
};

// A read takes a free semaphore, and tells whether it was taken before.
static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	uint32_t value = peripheral_load(soc, row, offset);
	if (offset < 4 * SEMAPHORES) {
		*soc_word(soc, row->base + offset) = 1;
		*soc_word(soc, row->base + STATUS) |= 1u << (offset / 4);
	}
	return value;
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	if (offset < 4 * SEMAPHORES) {
		*soc_word(soc, row->base + offset) = value & 1;
		*soc_word(soc, row->base + STATUS) &= ~(1u << (offset / 4));
		if ((value & 1) != 0)
			*soc_word(soc, row->base + STATUS) |= 1u << (offset / 4);
		return;
	}
	peripheral_store(soc, row, offset, value);
	const bool raised = (*soc_word(soc, row->base + offset) & (ENABLE | RAISED)) == (ENABLE | RAISED);
	if (offset == MAIL_IRQ0)
		nvic_line(soc, row->irq, raised);
	else if (offset == MAIL_IRQ1)
		rv32_intr_mail(soc, raised);
}

const struct peripheral_block sema_block = {
	REGISTERS(registers),
	.read = load,
	.write = store,
};
