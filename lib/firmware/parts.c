// Memory maps and clocks of the parts. Facts: firmware reference 1 and 2, hardware reference 2.
#include "firmware/soc.h"

#include <string.h>

static const struct soc_part parts[] = {
	{
		.name = "MAX78000",
		.flash_bytes = 512 << 10,
		.info_bytes = 16 << 10,
		.sram_bytes = 128 << 10,
		.peripheral_bytes = 1 << 20,
		.cnn_bytes = 0x02000000,
		.cnn_control = 0x50100000,
		.cnn_stride = 0x400000,
		.cnn_status_end = 0x50001000,
		.ipo_hz = 100000000,
		.pll_hz = 0,
		.cnn_source_low = 17,
		.cnn_source_width = 1,
		.interrupts = 104,
	},
	{
		.name = "MAX78002",
		.flash_bytes = 2560 << 10,
		.info_bytes = 32 << 10,
		.sram_bytes = 384 << 10,
		.peripheral_bytes = 2 << 20,
		.cnn_bytes = 0x05000000,
		.cnn_control = 0x51000000,
		.cnn_stride = 0x1000000,
		.cnn_status_end = 0x50001000,
		.ipo_hz = 120000000,
		.pll_hz = 200000000,
		.cnn_source_low = 17,
		.cnn_source_width = 2,
		.interrupts = 105,
	},
};

const struct soc_part *soc_part_find(const char *name)
{
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strcmp(parts[i].name, name) == 0)
			return &parts[i];
	return NULL;
}
