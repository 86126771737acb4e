// What is connected to the chip: the pins' far ends, as blocks see them. board.c joins them.
#ifndef AI8X_FIRMWARE_BOARD_H
#define AI8X_FIRMWARE_BOARD_H

#include "firmware/soc.h"

// I2C. false: nobody acknowledges.
bool board_i2c_start(struct ai8x_firmware *soc, unsigned bus, uint8_t address, bool reads);
bool board_i2c_write(struct ai8x_firmware *soc, unsigned bus, uint8_t address, uint8_t byte);
uint8_t board_i2c_read(struct ai8x_firmware *soc, unsigned bus, uint8_t address);
void board_i2c_stop(struct ai8x_firmware *soc, unsigned bus, uint8_t address);

// SPI: a byte each way; select is the mask of active slave selects. Release: the select goes back.
uint8_t board_spi(struct ai8x_firmware *soc, unsigned bus, unsigned select, uint8_t byte);
void board_spi_release(struct ai8x_firmware *soc, unsigned bus, unsigned select);

// The microphone's next word, left-aligned; silence without one.
uint32_t board_sound(struct ai8x_firmware *soc);
void board_sound_skip(struct ai8x_firmware *soc, uint64_t words);

// The camera: time until a frame begins (TIME_NEVER: there is none), until the next one, between words; and words.
uint64_t board_camera_start(struct ai8x_firmware *soc);
uint64_t board_camera_frame(struct ai8x_firmware *soc);
uint64_t board_camera_period(struct ai8x_firmware *soc);
uint32_t board_camera_word(struct ai8x_firmware *soc, bool *last);

#endif
