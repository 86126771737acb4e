// What is connected to the chip.
#include "firmware/board.h"

bool board_i2c_start(struct ai8x_firmware *soc, unsigned bus, uint8_t address, bool reads)
{
	(void)soc;
	(void)bus;
	(void)address;
	(void)reads;
	return false;
}

bool board_i2c_write(struct ai8x_firmware *soc, unsigned bus, uint8_t address, uint8_t byte)
{
	(void)soc;
	(void)bus;
	(void)address;
	(void)byte;
	return false;
}

uint8_t board_i2c_read(struct ai8x_firmware *soc, unsigned bus, uint8_t address)
{
	(void)soc;
	(void)bus;
	(void)address;
	return 0xFF;
}

void board_i2c_stop(struct ai8x_firmware *soc, unsigned bus, uint8_t address)
{
	(void)soc;
	(void)bus;
	(void)address;
}

uint8_t board_spi(struct ai8x_firmware *soc, unsigned bus, unsigned select, uint8_t byte)
{
	(void)soc;
	(void)bus;
	(void)select;
	(void)byte;
	return 0;
}

void board_spi_release(struct ai8x_firmware *soc, unsigned bus, unsigned select)
{
	(void)soc;
	(void)bus;
	(void)select;
}

uint32_t board_sound(struct ai8x_firmware *soc)
{
	(void)soc;
	return 0;
}

void board_sound_skip(struct ai8x_firmware *soc, uint64_t words)
{
	(void)soc;
	(void)words;
}

uint64_t board_camera_start(struct ai8x_firmware *soc)
{
	(void)soc;
	return TIME_NEVER;
}

uint64_t board_camera_frame(struct ai8x_firmware *soc)
{
	(void)soc;
	return TIME_NEVER;
}

uint64_t board_camera_period(struct ai8x_firmware *soc)
{
	(void)soc;
	return FS_PER_SECOND / 1000000;
}

uint32_t board_camera_word(struct ai8x_firmware *soc, bool *last)
{
	(void)soc;
	*last = true;
	return 0;
}
