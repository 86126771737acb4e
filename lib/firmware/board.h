// What is connected to the chip: the pins' far ends, as blocks see them. board.c joins them; pins.c and board_i2c.c have
// the parts that their names say.
#ifndef AI8X_FIRMWARE_BOARD_H
#define AI8X_FIRMWARE_BOARD_H

#include "firmware/soc.h"

// Makes the board that options.board describes, with everything in its first state.
ai8x_status board_create(struct ai8x_firmware *soc, ai8x_error *error);
// Writes what the run leaves: display and card.
ai8x_status board_save(struct ai8x_firmware *soc, ai8x_error *error);
void board_destroy(struct ai8x_firmware *soc);

// UARTs. Takes the next byte that has arrived; false: there is none now.
bool board_uart_take(struct ai8x_firmware *soc, unsigned unit, uint8_t *byte);
// false: nothing will ever arrive.
bool board_uart_open(const struct ai8x_firmware *soc, unsigned unit);
void board_uart_send(struct ai8x_firmware *soc, unsigned unit, char character);
// Time is about to pass while the firmware waits. Where a person or a program is at the other end of a UART, the clock
// of the world is waited for: returns until, or an earlier time at which something arrived.
uint64_t board_wait(struct ai8x_firmware *soc, uint64_t until);
// true: something may still arrive from outside, at a time that nobody knows.
bool board_is_live(const struct ai8x_firmware *soc);

// Pins. The levels of a port, of which the chip gives what nobody else drives.
uint32_t board_pins(struct ai8x_firmware *soc, unsigned port, uint32_t levels);
// The chip drives those pins of enabled to the levels of output.
void board_pins_drive(struct ai8x_firmware *soc, unsigned port, uint32_t output, uint32_t enabled);
// When a pin of the port changes next.
uint64_t board_pins_next(const struct ai8x_firmware *soc, unsigned port);

// I2C. false: nobody acknowledges.
bool board_i2c_start(struct ai8x_firmware *soc, unsigned bus, uint8_t address, bool reads);
bool board_i2c_write(struct ai8x_firmware *soc, unsigned bus, uint8_t address, uint8_t byte);
uint8_t board_i2c_read(struct ai8x_firmware *soc, unsigned bus, uint8_t address);

// SPI: a character of so many bits each way; select is the mask of active slave selects. Release: the select goes back.
uint16_t board_spi(struct ai8x_firmware *soc, unsigned bus, unsigned select, uint16_t character,
                   unsigned bits);
void board_spi_release(struct ai8x_firmware *soc, unsigned bus, unsigned select);

// The microphone's next word, left-aligned, period femtoseconds after the one before it; silence without one.
uint32_t board_sound(struct ai8x_firmware *soc, uint64_t period);
void board_sound_skip(struct ai8x_firmware *soc, uint64_t words, uint64_t period);

// The camera: time until a frame begins (TIME_NEVER: there is none), until the next one, between words; and words.
// expand: words of one pixel each, three bytes of colour.
uint64_t board_camera_start(struct ai8x_firmware *soc, bool expand);
uint64_t board_camera_frame(struct ai8x_firmware *soc);
uint64_t board_camera_period(struct ai8x_firmware *soc);
uint32_t board_camera_word(struct ai8x_firmware *soc, bool *last);

#endif
