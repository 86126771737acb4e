// Clocks: how fast core, timers and accelerator run, from the clock registers. Facts: firmware reference 2.
#include "firmware/soc.h"

// Offsets in the global control registers, which open the peripheral region.
#define CLOCK 0x08
#define DIVIDERS 0x18

#define CNN_SOURCE_LOW 17
#define CNN_SOURCE_PCLK 0

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

void clocks_update(struct ai8x_firmware *soc)
{
	soc->cycle = FS_PER_SECOND / system_hz(soc);
	core_clocks_changed(soc, FS_PER_SECOND / clocks_cnn_hz(soc));
}

uint64_t clocks_pclk(const struct ai8x_firmware *soc)
{
	return 2 * soc->cycle;
}

uint32_t clocks_cnn_hz(const struct ai8x_firmware *soc)
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
