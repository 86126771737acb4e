// Clocks, resets and power: the registers that decide how fast core, timers and accelerator run.
//
// Facts: firmware reference 2. Every oscillator and regulator is ready at once.
#include "firmware/soc.h"

#define RESET0 0x04
#define CLOCK 0x08
#define PLL 0x10
#define DIVIDERS 0x18
#define MEMORY_ZERO 0x2C
#define RESET1 0x44

#define CNN_SOURCE_LOW 17
#define CNN_SOURCE_PCLK 0

#define CLOCKS_READY (1u << 13 | 1u << 25 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 29)
#define RESET0_TIMER0 5
#define GCFR_POWER 0x0
#define GCFR_MASKS 0x4

static uint32_t stored(const struct ai8x_firmware *soc, uint32_t offset)
{
	return soc->words[offset >> 2];
}

static uint32_t system_hz(const struct ai8x_firmware *soc)
{
	const uint32_t sources[8] = {60000000, 0, 0, 30000, soc->soc->ipo_hz, 7372800, 32768, 0};
	uint32_t clock = stored(soc, CLOCK);
	uint32_t hz = sources[clock >> 9 & 7];
	// An external clock has no known rate; the reset source stands for it.
	if (hz == 0)
		hz = sources[0];
	return hz >> (clock >> 6 & 7);
}

void gcr_update(struct ai8x_firmware *soc)
{
	soc->cycle = FS_PER_SECOND / system_hz(soc);
}

uint64_t gcr_pclk(const struct ai8x_firmware *soc)
{
	return 2 * soc->cycle;
}

uint32_t gcr_cnn_hz(const struct ai8x_firmware *soc)
{
	static const unsigned dividers[8] = {1, 2, 3, 4, 0, 0, 0, 0};
	uint32_t value = stored(soc, DIVIDERS);
	uint32_t source = value >> CNN_SOURCE_LOW & soc->part->clock_mask;
	uint32_t hz = system_hz(soc) / 2;
	for (size_t i = 0; i < soc->part->clock_count; i++) {
		// The peripheral clock follows the core's, whatever that runs from.
		if (source != CNN_SOURCE_PCLK && soc->part->clocks[i].code == source)
			hz = soc->part->clocks[i].hz;
	}
	return hz >> dividers[value >> 14 & 7];
}

uint32_t gcr_read(struct ai8x_firmware *soc, uint32_t offset)
{
	uint32_t value = stored(soc, offset);
	switch (offset) {
	case RESET0:
	case RESET1:
	case MEMORY_ZERO:
		return 0; // bits clear themselves at once
	case CLOCK:
		return value | CLOCKS_READY;
	case PLL:
		return (value & ~2u) | ((value & 1) != 0 ? 2 : 0);
	default:
		return value;
	}
}

void gcr_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value)
{
	soc->words[offset >> 2] = value;
	if (offset == RESET0) {
		for (unsigned unit = 0; unit < 4; unit++)
			if ((value >> (RESET0_TIMER0 + unit) & 1) != 0)
				timer_reset(soc, unit);
		if ((value >> 11 & 1) != 0)
			soc->uarts[0] = (struct uart){0};
	} else if (offset == CLOCK) {
		gcr_update(soc);
		soc_sync(soc);
	}
}

void gcfr_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value)
{
	uint32_t *words = soc_word(soc, 0x40005800);
	words[offset >> 2] = value;
	// Without power and without retention of the masks everything is lost; it shows at the next power-up.
	if (offset == GCFR_POWER || offset == GCFR_MASKS) {
		if ((words[GCFR_POWER >> 2] & 15) == 0 && (words[GCFR_MASKS >> 2] & 15) == 0)
			soc->cnn.stale = true;
		else if ((words[GCFR_POWER >> 2] & 15) != 0)
			cnn_power(soc);
	}
}
