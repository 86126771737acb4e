// The second core's interrupt controller, an event unit of the PULP kind: 64 lines, of which the part uses some.
//
// Lines are the peripherals' own, under other numbers than the Cortex-M4's. Facts: firmware reference 8.
#include "firmware/rv32.h"

#define ENABLE 0x0
#define PENDING 0x4
#define SET_PENDING 0x8
#define CLEAR_PENDING 0xC
#define BANK 0x10
#define EVENTS 0x20
#define EVENTS_END 0x40

#define MAIL 4 // the Cortex-M4 calls
#define NOT_THERE 0

// Cortex-M4's number to this core's.
static const uint8_t numbers[] = {
	[0] = MAIL, [1] = 5,   [3] = 7,   [4] = 47,  [5] = 8,   [6] = 9,   [7] = 10,   [8] = 11,
	[9] = 12,   [10] = 13, [13] = 14, [14] = 15, [15] = 18, [16] = 22, [20] = 53,  [23] = 24,
	[24] = 25,  [25] = 26, [26] = 27, [28] = 28, [29] = 29, [30] = 30, [31] = 31,  [34] = 19,
	[36] = 17,  [53] = 23, [54] = 6,  [57] = 48, [59] = 52, [62] = 20, [67] = 54,  [83] = 49,
	[84] = 50,  [88] = 21, [91] = 59, [97] = 46, [98] = 51, [99] = 55, [100] = 56, [101] = 57,
};

static unsigned number_of(unsigned irq)
{
	return irq < sizeof numbers ? numbers[irq] : NOT_THERE;
}

// What is pending and enabled wakes the core.
static void look(struct ai8x_firmware *soc)
{
	struct rv32 *rv32 = &soc->rv32;
	if (!rv32->started || !rv32->clocked || rv32->due != TIME_NEVER || rv32_intr_next(soc) < 0)
		return;
	rv32->time = soc->now;
	rv32->due = soc->now;
	soc_changed(soc);
}

static void set_line(struct ai8x_firmware *soc, unsigned number, bool high)
{
	struct rv32 *rv32 = &soc->rv32;
	const uint32_t bit = 1u << number % 32;
	if (high) {
		rv32->level[number / 32] |= bit;
		rv32->pending[number / 32] |= bit;
		look(soc);
	} else {
		rv32->level[number / 32] &= ~bit;
	}
}

void rv32_intr_line(struct ai8x_firmware *soc, unsigned irq, bool high)
{
	const unsigned number = number_of(irq);
	if (number != NOT_THERE)
		set_line(soc, number, high);
}

void rv32_intr_mail(struct ai8x_firmware *soc, bool high)
{
	set_line(soc, MAIL, high);
}

bool rv32_intr_enabled(const struct ai8x_firmware *soc, unsigned irq)
{
	const unsigned number = number_of(irq);
	return soc->rv32.started && number != NOT_THERE &&
	       (soc->rv32.enabled[number / 32] >> number % 32 & 1) != 0;
}

int rv32_intr_next(const struct ai8x_firmware *soc)
{
	for (int bank = 0; bank < 2; bank++) {
		const uint32_t due = (soc->rv32.pending[bank] | soc->rv32.level[bank]) & soc->rv32.enabled[bank];
		if (due != 0)
			return 32 * bank + __builtin_ctz(due);
	}
	return -1;
}

void rv32_intr_acknowledge(struct ai8x_firmware *soc, unsigned number)
{
	soc->rv32.pending[number / 32] &= ~(1u << number % 32);
}

uint32_t rv32_intr_read(const struct ai8x_firmware *soc, uint32_t offset)
{
	const struct rv32 *rv32 = &soc->rv32;
	const unsigned bank = offset / BANK % 2;
	if (offset >= EVENTS_END)
		return 0;
	switch (offset % BANK) {
	case ENABLE:
		return offset < EVENTS ? rv32->enabled[bank] : rv32->events[bank];
	case PENDING:
		return rv32->pending[bank] | rv32->level[bank];
	default:
		return 0; // drivers set bits by reading, adding theirs and writing
	}
}

void rv32_intr_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value)
{
	struct rv32 *rv32 = &soc->rv32;
	const unsigned bank = offset / BANK % 2;
	if (offset >= EVENTS_END)
		return;
	// Events would wake it from a sleep that leads to no handler: what is enabled for both is all that drivers use.
	switch (offset % BANK) {
	case ENABLE:
		*(offset < EVENTS ? &rv32->enabled[bank] : &rv32->events[bank]) = value;
		break;
	case SET_PENDING:
		rv32->pending[bank] |= value;
		break;
	case CLEAR_PENDING:
		rv32->pending[bank] &= ~value;
		break;
	default:
		break;
	}
	look(soc);
}
