// Memory maps and clocks of the parts. Facts: firmware reference 1 and 2, hardware reference 2.
#include "firmware/soc.h"

// From small to large.
static const struct soc_part parts[] = {
	{
		.part = &part_max78000,
		.peripherals = &max78000_peripherals,
		.flash_bytes = 512 << 10,
		.info_bytes = 16 << 10,
		.sram_bytes = 128 << 10,
		.sram_kib = {32, 32, 48, 16},
		.flash_page = 8 << 10,
		.peripheral_bytes = 1 << 20,
		.cnn_bytes = 0x02000000,
		.cnn_status_end = 0x50001000,
		.ipo_hz = 100000000,
		.interrupts = 104,
	},
	{
		.part = &part_max78002,
		.peripherals = &max78002_peripherals,
		.flash_bytes = 2560 << 10,
		.info_bytes = 32 << 10,
		.sram_bytes = 384 << 10,
		.sram_kib = {32, 32, 64, 64, 64, 64, 48, 16},
		.flash_page = 16 << 10,
		.peripheral_bytes = 2 << 20,
		.cnn_bytes = 0x05000000,
		.cnn_status_end = 0x50001000,
		.ipo_hz = 120000000,
		.interrupts = 105,
	},
};

const struct soc_part *soc_part_at(size_t index)
{
	return index < sizeof parts / sizeof parts[0] ? &parts[index] : NULL;
}

const struct soc_part *soc_part_find(const ai8x_part *part)
{
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (parts[i].part == part)
			return &parts[i];
	return NULL;
}
