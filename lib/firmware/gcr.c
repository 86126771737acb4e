// Global control: resets of peripherals, oscillators, power of the accelerator.
//
// Facts: firmware reference 2. Every oscillator and regulator is ready at once.
#include "firmware/power.h"

#define RESET0 0x04
#define CLOCK 0x08
#define MODES 0x0C
#define PLL 0x10
#define DIVIDERS 0x18
#define RESET1 0x44
#define CLOCK_OFF1 0x48
#define LOW_POWER_RESET 0x08

#define RESET0_SYSTEM (1u << 31)
#define RESET0_SOFT (1u << 29)
#define RESET0_PERIPHERALS (1u << 30)
#define CLOCKS_READY (1u << 13 | 1u << 24 | 1u << 25 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 29)
#define FLUSH_AND_CHECK (1u << 6 | 1u << 13)
#define PLL_READY 2u
#define SECOND_CORE (1u << 31) // of reset 1 and of its clock's disable register
#define GCFR_POWER 0x0
#define GCFR_MASKS 0x4

// First reset code of a register, see struct peripheral.
enum bank { BANK_RESET0 = 1, BANK_RESET1 = 33, BANK_LOW_POWER = 65 };

static const struct peripheral_register gcr_registers[] = {
	{0x00, true, "SYSCTRL", 0, 0, 0, FLUSH_AND_CHECK},
	{0x04, true, "RST0", 0, 0, 0, UINT32_MAX},
	{0x08, true, "CLKCTRL", 8 | CLOCKS_READY, CLOCKS_READY},
	{0x0c, true, "PM"},
	{0x10, true, "IPLL_CTRL", 0, PLL_READY},
	{0x18, true, "PCLKDIV", 1},
	{0x24, true, "PCLKDIS0"},
	{0x28, true, "MEMCTRL", 5},
	{0x2c, true, "MEMZ", 0, 0, 0, UINT32_MAX},
	{0x40, true, "SYSST"},
	{0x44, true, "RST1", 0, 0, 0, UINT32_MAX},
	{0x48, true, "PCLKDIS1", SECOND_CORE},
	{0x4c, true, "EVENTEN"},
	{0x50, true, "REVISION", 0, UINT32_MAX},
	{0x54, true, "SYSIE"},
	{0x64, true, "ECCERR"},
	{0x68, true, "ECCCED"},
	{0x6c, true, "ECCIE"},
	{0x70, true, "ECCADDR"},
	{0x80, true, "GPR0"},
};

static const struct peripheral_register lpgcr_registers[] = {
	{0x08, true, "RST", 0, 0, 0, UINT32_MAX},
	{0x0c, true, "PCLKDIS"},
};

static const struct peripheral_register gcfr_registers[] = {
	{0x00, true, "REG0"},
	{0x04, true, "REG1"},
	{0x08, true, "REG2"},
	{0x0c, true, "REG3"},
};

static void reset_peripherals(struct ai8x_firmware *soc, enum bank bank, uint32_t bits)
{
	const struct peripheral_table *table = soc->soc->peripherals;
	for (size_t i = 0; i < table->count; i++) {
		const struct peripheral *row = &table->rows[i];
		if (row->reset >= bank && row->reset - bank < 32 && (bits >> (row->reset - bank) & 1) != 0)
			peripheral_reset(soc, row);
	}
}

// The second core runs while its clock does, from the boot address on; a reset begins anew. Without an address nobody
// means to start it.
static void switch_second_core(struct ai8x_firmware *soc, bool clocked, bool reset)
{
	struct rv32 *rv32 = &soc->rv32;
	if (clocked && (!rv32->clocked || reset) && *soc_word(soc, RV32_BOOT) != 0) {
		rv32->reset = rv32->reset || reset;
		rv32->clocked = true;
		rv32->rests = false;
		rv32->time = rv32->due = soc->now;
		soc_changed(soc);
	} else if (!clocked) {
		rv32->clocked = false;
		rv32->due = TIME_NEVER;
	}
}

static void gcr_write(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset,
                      uint32_t value)
{
	peripheral_store(soc, row, offset, value);
	switch (offset) {
	case RESET0:
		if ((value & (RESET0_SYSTEM | RESET0_SOFT)) != 0) {
			soc_end(soc, AI8X_FIRMWARE_IDLE, AI8X_ERR_STALLED, "the firmware asked for a %s reset",
			        (value & RESET0_SYSTEM) != 0 ? "system" : "soft");
			break;
		}
		reset_peripherals(soc, BANK_RESET0, (value & RESET0_PERIPHERALS) != 0 ? UINT32_MAX : value);
		if ((value & RESET0_PERIPHERALS) != 0)
			reset_peripherals(soc, BANK_RESET1, UINT32_MAX);
		break;
	case RESET1:
		reset_peripherals(soc, BANK_RESET1, value);
		if ((value & SECOND_CORE) != 0)
			switch_second_core(soc, (soc_value(soc, row, CLOCK_OFF1) & SECOND_CORE) == 0, true);
		break;
	case MODES:
		// The other modes begin with a sleep.
		if (power_mode(soc) == POWER_BACKUP || power_mode(soc) == POWER_DOWN)
			soc->backs_up = soc->attention = true;
		break;
	case CLOCK_OFF1:
		switch_second_core(soc, (value & SECOND_CORE) == 0, false);
		break;
	case CLOCK:
	case DIVIDERS:
		clocks_update(soc);
		soc_changed(soc);
		break;
	case PLL:
		*soc_word(soc, row->base + PLL) = (value & ~PLL_READY) | ((value & 1) != 0 ? PLL_READY : 0);
		break;
	default:
		break;
	}
}

static void lpgcr_write(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset,
                        uint32_t value)
{
	peripheral_store(soc, row, offset, value);
	if (offset == LOW_POWER_RESET)
		reset_peripherals(soc, BANK_LOW_POWER, value);
}

static void gcfr_write(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset,
                       uint32_t value)
{
	peripheral_store(soc, row, offset, value);
	// A quadrant without power and without retention loses its memories, all of them lose everything; it shows at the
	// next power-up.
	if (offset == GCFR_POWER || offset == GCFR_MASKS) {
		const uint32_t power = *soc_word(soc, row->base + GCFR_POWER) & CNN_QUADRANTS;
		const uint32_t masks = *soc_word(soc, row->base + GCFR_MASKS) & CNN_QUADRANTS;
		soc->cnn.lost |= ~(power | masks) & CNN_QUADRANTS;
		if (power != 0)
			cnn_power(soc);
	}
}

const struct peripheral_block gcr_block = {
	REGISTERS(gcr_registers),
	.write = gcr_write,
};

const struct peripheral_block lpgcr_block = {
	REGISTERS(lpgcr_registers),
	.write = lpgcr_write,
};

const struct peripheral_block gcfr_block = {
	REGISTERS(gcfr_registers),
	.write = gcfr_write,
};
