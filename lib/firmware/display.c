// Controllers of displays: commands with arguments, a window, and pixels that fill it.
//
// The picture is as the firmware sees it: columns to the right, rows downwards, the longer side where the firmware turns
// it to. Facts: data sheets of ILI9341, ST7735 (one set of commands) and SSD2119 (registers of 16 bits).
#include "firmware/devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

#define LONGEST 1024u

#define RESET 0x01
#define COLUMNS 0x2A
#define ROWS 0x2B
#define WRITE 0x2C
#define WRITE_ON 0x3C
#define ORIENTATION 0x36
#define PIXEL_FORMAT 0x3A
#define EXCHANGED (1u << 5)
#define EIGHTEEN_BITS 6u

#define SSD_ENTRY 0x11
#define SSD_WRITE 0x22
#define SSD_VERTICAL 0x44
#define SSD_LEFT 0x45
#define SSD_RIGHT 0x46
#define SSD_COLUMN 0x4E
#define SSD_ROW 0x4F

static const struct controller {
	const char *name;
	uint32_t width, height;
	bool registers; // of 16 bits, as the SSD2119 has
} controllers[] = {
	{"auto", 240, 320, false},
	{"ILI9341", 240, 320, false},
	{"ST7735", 128, 160, false},
	{"SSD2119", 320, 240, true},
};

struct display {
	const struct controller *controller;
	bool registers;
	struct picture picture;
	uint32_t native_width, native_height;
	uint8_t command;
	uint8_t arguments[4];
	unsigned count; // arguments since the command
	uint32_t left, right, top, bottom, x, y;
	bool eighteen;
	uint32_t entry; // of the SSD2119
	uint64_t pixels;
};

static void turn(struct display *display, bool exchanged)
{
	const uint32_t width = exchanged ? display->native_height : display->native_width;
	display->picture.height = exchanged ? display->native_width : display->native_height;
	if (display->picture.width != width)
		memset(display->picture.rgb, 0, 3 * (size_t)display->native_width * display->native_height);
	display->picture.width = width;
}

static void wake_up(struct display *display)
{
	turn(display, false);
	display->left = display->top = display->x = display->y = 0;
	display->right = display->picture.width - 1;
	display->bottom = display->picture.height - 1;
	display->eighteen = false;
	display->entry = 0x6830;
}

ai8x_status display_create(const char *name, uint32_t width, uint32_t height, struct display **result,
                           ai8x_error *error)
{
	const struct controller *controller = NULL;
	for (size_t i = 0; i < sizeof controllers / sizeof controllers[0]; i++)
		if (strcasecmp(controllers[i].name, name != NULL ? name : "auto") == 0)
			controller = &controllers[i];
	if (controller == NULL)
		return error_set(error, AI8X_ERR_FORMAT,
		                 "display controller '%s' is not known; there are ILI9341, ST7735 and SSD2119", name);
	if (width > LONGEST || height > LONGEST)
		return error_set(error, AI8X_ERR_LIMIT, "a display of %u x %u pixels; at most %u x %u are accepted",
		                 width, height, LONGEST, LONGEST);
	struct display *display = calloc(1, sizeof *display);
	if (display == NULL)
		return error_no_memory(error, "a display");
	display->controller = controller;
	display->registers = controller->registers;
	display->native_width = width != 0 ? width : controller->width;
	display->native_height = height != 0 ? height : controller->height;
	display->picture.rgb = calloc((size_t)display->native_width * display->native_height, 3);
	if (display->picture.rgb == NULL) {
		free(display);
		return error_no_memory(error, "a display");
	}
	display->picture.width = display->native_width;
	wake_up(display);
	*result = display;
	return AI8X_OK;
}

void display_destroy(struct display *display)
{
	if (display == NULL)
		return;
	picture_release(&display->picture);
	free(display);
}

const struct picture *display_picture(const struct display *display)
{
	return &display->picture;
}

uint64_t display_pixels(const struct display *display)
{
	return display->pixels;
}

static void step(uint32_t *at, uint32_t first, uint32_t last, bool up, bool *wraps)
{
	*wraps = *at == (up ? last : first);
	*at = *wraps ? (up ? first : last) : up ? *at + 1 : *at - 1;
}

static void put(struct display *display, uint8_t red, uint8_t green, uint8_t blue)
{
	struct picture *picture = &display->picture;
	if (display->x < picture->width && display->y < picture->height) {
		uint8_t *rgb = picture->rgb + 3 * ((size_t)display->y * picture->width + display->x);
		rgb[0] = red;
		rgb[1] = green;
		rgb[2] = blue;
		display->pixels++;
	}
	const bool right = !display->registers || (display->entry >> 4 & 1) != 0;
	const bool down = !display->registers || (display->entry >> 5 & 1) != 0;
	const bool columns_first = display->registers && (display->entry >> 3 & 1) != 0;
	bool wraps = false;
	if (columns_first) {
		step(&display->y, display->top, display->bottom, down, &wraps);
		if (wraps)
			step(&display->x, display->left, display->right, right, &wraps);
	} else {
		step(&display->x, display->left, display->right, right, &wraps);
		if (wraps)
			step(&display->y, display->top, display->bottom, down, &wraps);
	}
}

// Bits of colour fill the byte from above and repeat below.
static uint8_t full(uint32_t value, unsigned bits)
{
	const uint32_t high = value << (8 - bits);
	return (uint8_t)(high | high >> bits);
}

static void put_pair(struct display *display)
{
	const uint32_t pixel = (uint32_t)display->arguments[0] << 8 | display->arguments[1];
	put(display, full(pixel >> 11 & 31, 5), full(pixel >> 5 & 63, 6), full(pixel & 31, 5));
	display->count = 0;
}

static void take_argument(struct display *display, uint8_t byte)
{
	if (display->count < sizeof display->arguments)
		display->arguments[display->count] = byte;
	display->count++;
	const uint8_t *a = display->arguments;
	switch (display->command) {
	case COLUMNS:
	case ROWS: {
		const bool columns = display->command == COLUMNS;
		if (display->count == 2) {
			*(columns ? &display->left : &display->top) = (uint32_t)a[0] << 8 | a[1];
			*(columns ? &display->x : &display->y) = (uint32_t)a[0] << 8 | a[1];
		} else if (display->count == 4)
			*(columns ? &display->right : &display->bottom) = (uint32_t)a[2] << 8 | a[3];
		break;
	}
	case ORIENTATION:
		if (display->count == 1)
			turn(display, (byte & EXCHANGED) != 0);
		break;
	case PIXEL_FORMAT:
		if (display->count == 1)
			display->eighteen = (byte & 7) == EIGHTEEN_BITS;
		break;
	case WRITE:
	case WRITE_ON:
		if (display->eighteen && display->count == 3) {
			put(display, a[0], a[1], a[2]);
			display->count = 0;
		} else if (!display->eighteen && display->count == 2)
			put_pair(display);
		break;
	default:
		break;
	}
}

static void set_register(struct display *display, uint32_t value)
{
	switch (display->command) {
	case SSD_ENTRY:
		display->entry = value;
		break;
	case SSD_VERTICAL:
		display->top = value & 0xFF;
		display->bottom = value >> 8;
		break;
	case SSD_LEFT:
		display->left = value & 0x1FF;
		break;
	case SSD_RIGHT:
		display->right = value & 0x1FF;
		break;
	case SSD_COLUMN:
		display->x = value & 0x1FF;
		break;
	case SSD_ROW:
		display->y = value & 0xFF;
		break;
	default:
		break;
	}
}

void display_take(struct display *display, uint16_t character, unsigned bits, bool data)
{
	// Characters of nine bits say what they are, and that the controller is the one that takes such.
	if (bits == 9) {
		data = (character >> 8 & 1) != 0;
		if (!display->registers && strcmp(display->controller->name, "auto") == 0) {
			display->registers = true;
			display->native_width = 320;
			display->native_height = 240;
			wake_up(display);
		}
	}
	const uint8_t byte = (uint8_t)character;
	if (!data) {
		display->command = byte;
		display->count = 0;
		if (!display->registers && byte == RESET)
			wake_up(display);
		if (!display->registers && byte == WRITE) {
			display->x = display->left;
			display->y = display->top;
		}
		return;
	}
	if (!display->registers) {
		take_argument(display, byte);
		return;
	}
	display->arguments[display->count++] = byte;
	if (display->count < 2)
		return;
	if (display->command == SSD_WRITE)
		put_pair(display);
	else
		set_register(display, (uint32_t)display->arguments[0] << 8 | display->arguments[1]);
	display->count = 0;
}
