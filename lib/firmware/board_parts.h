// The board's state, for the files that make it up: board.c and pins.c.
#ifndef AI8X_FIRMWARE_BOARD_PARTS_H
#define AI8X_FIRMWARE_BOARD_PARTS_H

#include "firmware/board.h"
#include "firmware/devices.h"

#define UARTS AI8X_FIRMWARE_UARTS

struct board {
	const ai8x_firmware_io *io; // or NULL
	struct description description;
	struct pins pins;
	uint32_t outputs[4]; // levels that the chip gives its ports
	struct {
		uint8_t bytes[256];
		size_t count, at;
		bool closed; // nothing more arrives
	} uarts[UARTS];
	double clock; // of the world, when simulated time was 0
	struct sensor *sensor;
	struct display *display;
	struct card *card;
	struct sound sound;
	uint64_t heard;  // millionths of its samples so far
	double loudness; // factor of its samples
};

#endif
