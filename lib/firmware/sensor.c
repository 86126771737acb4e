// Cameras: the registers that drivers ask, and pictures in the format that they are set to.
//
// A picture is shrunk or stretched to the size that the registers say (each pixel is the mean of what it covers), and
// arrives upright whatever the mirror bits are: boards mount their sensors so that it does.
// Facts: data sheets of the sensors, as the vendor's drivers use them.
#include "firmware/devices.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"

#define REGISTERS 0x10000u
#define MOST_FILES 4096

// Register 0x12 of an OV7692: reset, and what its lowest bits select.
#define OV7692_FORMAT 0x12
#define OV7692_RESET 0x80u
// Divides the clock by its lower six bits and one.
#define OV7692_CLOCK 0x11
#define FRAME_CLOCKS 800000u

enum format { RGB565, YUV422, BAYER, GREY, RGB444 };

struct chip {
	const char *name;
	uint8_t address;
	unsigned key_bytes; // of a register's address
	struct {
		uint16_t key;
		uint8_t value;
	} identity[4];
	uint32_t width, height;
	uint16_t width_key, height_key; // high byte; the low byte follows. 0: fixed size
	bool even_rows;                 // an odd last row does not come; some drivers ask for it
	enum format format;
};

static const struct chip chips[] = {
	{"OV7692",
     0x3C,
     1,
     {{0x0A, 0x76}, {0x0B, 0x92}, {0x1C, 0x7F}, {0x1D, 0xA2}},
     640,
     480,
     0xCC,
     0xCE,
     true,
     RGB565},
	{"OV5642", 0x3C, 2, {{0x300A, 0x56}, {0x300B, 0x42}}, 640, 480, 0x3808, 0x380A, false, RGB565},
	{"OV5640", 0x3C, 2, {{0x300A, 0x56}, {0x300B, 0x40}}, 640, 480, 0x3808, 0x380A, false, RGB565},
	{"HM0360", 0x24, 2, {{0x0000, 0x03}, {0x0001, 0x60}}, 320, 240, 0, 0, false, GREY},
	{"HM01B0", 0x24, 2, {{0x0000, 0x01}, {0x0001, 0xB0}}, 320, 240, 0, 0, false, GREY},
	{"PAG7920", 0x40, 1, {{0x00, 0x20}, {0x01, 0x79}}, 320, 240, 0, 0, false, GREY},
	{"GC0308", 0x21, 1, {{0x00, 0x9B}}, 320, 240, 0, 0, false, RGB565},
};

struct sensor {
	const struct chip *chip;
	char **files;
	size_t file_count, next_file;
	uint8_t *registers;
	uint32_t key;
	unsigned have; // bytes of the key
	uint32_t fixed_width, fixed_height;
	struct picture picture; // the last one that was read
	size_t picture_file;
	uint8_t *bytes; // of the present frame
	size_t size, at;
	bool expand;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static ai8x_status add_file(struct sensor *sensor, char *path, ai8x_error *error)
{
	char **grown = realloc(sensor->files, (sensor->file_count + 1) * sizeof *grown);
	if (grown == NULL || path == NULL) {
		free(path);
		return error_no_memory(error, "names of pictures");
	}
	sensor->files = grown;
	sensor->files[sensor->file_count++] = path;
	return AI8X_OK;
}

static ai8x_status list_files(struct sensor *sensor, const char *path, ai8x_error *error)
{
	DIR *folder = opendir(path);
	if (folder == NULL)
		return add_file(sensor, strdup(path), error);
	ai8x_status status = AI8X_OK;
	for (const struct dirent *entry; status == AI8X_OK && (entry = readdir(folder)) != NULL;) {
		char *whole = NULL;
		if (!file_has_suffix(entry->d_name, ".png") || sensor->file_count == MOST_FILES)
			continue;
		status = add_file(sensor, asprintf(&whole, "%s/%s", path, entry->d_name) < 0 ? NULL : whole, error);
	}
	(void)closedir(folder);
	if (status == AI8X_OK && sensor->file_count == 0)
		return error_set(error, AI8X_ERR_FORMAT, "%s: the folder has no PNG file", path);
	qsort(sensor->files, sensor->file_count, sizeof *sensor->files, by_name);
	return status;
}

static void wake_up(struct sensor *sensor)
{
	memset(sensor->registers, 0, REGISTERS);
	for (size_t i = 0; i < sizeof sensor->chip->identity / sizeof sensor->chip->identity[0]; i++)
		if (sensor->chip->identity[i].value != 0)
			sensor->registers[sensor->chip->identity[i].key] = sensor->chip->identity[i].value;
}

ai8x_status sensor_create(const char *name, const char *path, uint32_t width, uint32_t height,
                          struct sensor **result, ai8x_error *error)
{
	const struct chip *chip = name == NULL ? &chips[0] : NULL;
	for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++)
		if (name != NULL && strcasecmp(chips[i].name, name) == 0)
			chip = &chips[i];
	if (chip == NULL) {
		char known[128] = "";
		for (size_t i = 0; i < sizeof chips / sizeof chips[0]; i++)
			(void)snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i > 0 ? ", " : "",
			               chips[i].name);
		return error_set(error, AI8X_ERR_FORMAT, "camera '%s' is not known; there are %s", name, known);
	}
	struct sensor *sensor = calloc(1, sizeof *sensor);
	if (sensor == NULL || (sensor->registers = malloc(REGISTERS)) == NULL) {
		free(sensor);
		return error_no_memory(error, "a camera");
	}
	sensor->chip = chip;
	sensor->fixed_width = width;
	sensor->fixed_height = height;
	wake_up(sensor);
	ai8x_status status = list_files(sensor, path, error);
	// The first one is read now, so that a wrong name is told before the run.
	if (status == AI8X_OK)
		status = picture_read(sensor->files[0], &sensor->picture, error);
	if (status != AI8X_OK) {
		sensor_destroy(sensor);
		return status;
	}
	*result = sensor;
	return AI8X_OK;
}

void sensor_destroy(struct sensor *sensor)
{
	if (sensor == NULL)
		return;
	for (size_t i = 0; i < sensor->file_count; i++)
		free(sensor->files[i]);
	free(sensor->files);
	free(sensor->registers);
	free(sensor->bytes);
	picture_release(&sensor->picture);
	free(sensor);
}

uint8_t sensor_address(const struct sensor *sensor)
{
	return sensor->chip->address;
}

void sensor_start(struct sensor *sensor, bool reads)
{
	if (!reads)
		sensor->key = sensor->have = 0;
}

void sensor_write(struct sensor *sensor, uint8_t byte)
{
	if (sensor->have < sensor->chip->key_bytes) {
		sensor->key = (sensor->key << 8 | byte) & (REGISTERS - 1);
		sensor->have++;
		return;
	}
	bool is_identity = false;
	for (size_t i = 0; i < sizeof sensor->chip->identity / sizeof sensor->chip->identity[0]; i++)
		is_identity |= sensor->chip->identity[i].value != 0 && sensor->chip->identity[i].key == sensor->key;
	if (sensor->chip == &chips[0] && sensor->key == OV7692_FORMAT && (byte & OV7692_RESET) != 0)
		wake_up(sensor);
	else if (!is_identity)
		sensor->registers[sensor->key] = byte;
	sensor->key = (sensor->key + 1) & (REGISTERS - 1);
}

uint8_t sensor_read(struct sensor *sensor)
{
	const uint8_t byte = sensor->registers[sensor->key];
	sensor->key = (sensor->key + 1) & (REGISTERS - 1);
	return byte;
}

// ---- frames ----

static uint32_t pair(const struct sensor *sensor, uint16_t key)
{
	return (uint32_t)sensor->registers[key] << 8 | sensor->registers[key + 1];
}

static void frame_size(const struct sensor *sensor, uint32_t *width, uint32_t *height)
{
	const struct chip *chip = sensor->chip;
	const uint32_t asked_width = chip->width_key != 0 ? pair(sensor, chip->width_key) & 0xFFF : 0;
	const uint32_t asked_height = chip->height_key != 0 ? pair(sensor, chip->height_key) & 0xFFF : 0;
	const uint32_t rows = chip->even_rows ? asked_height & ~1u : asked_height;
	*width = sensor->fixed_width != 0 ? sensor->fixed_width : asked_width != 0 ? asked_width : chip->width;
	*height = sensor->fixed_height != 0 ? sensor->fixed_height : rows != 0 ? rows : chip->height;
}

static enum format frame_format(const struct sensor *sensor)
{
	if (sensor->chip != &chips[0])
		return sensor->chip->format;
	static const enum format formats[16] = {
		YUV422, BAYER, RGB565, BAYER,  RGB565, RGB565, RGB565, RGB565,
		YUV422, BAYER, RGB565, RGB565, RGB444, RGB444, RGB444, RGB444,
	};
	return formats[sensor->registers[OV7692_FORMAT] & 15];
}

// The mean colour of what a pixel of a frame covers.
static void sample(const struct picture *picture, uint32_t x, uint32_t y, uint32_t width, uint32_t height,
                   uint8_t rgb[3])
{
	uint32_t left = (uint32_t)((uint64_t)x * picture->width / width);
	uint32_t top = (uint32_t)((uint64_t)y * picture->height / height);
	uint32_t right = (uint32_t)((uint64_t)(x + 1) * picture->width / width);
	uint32_t bottom = (uint32_t)((uint64_t)(y + 1) * picture->height / height);
	right = right > left ? right : left + 1;
	bottom = bottom > top ? bottom : top + 1;
	uint64_t sums[3] = {0};
	for (uint32_t row = top; row < bottom; row++)
		for (uint32_t column = left; column < right; column++)
			for (unsigned c = 0; c < 3; c++)
				sums[c] += picture->rgb[3 * ((size_t)row * picture->width + column) + c];
	const uint64_t count = (uint64_t)(right - left) * (bottom - top);
	for (unsigned c = 0; c < 3; c++)
		rgb[c] = (uint8_t)((sums[c] + count / 2) / count);
}

static uint8_t luma(const uint8_t rgb[3])
{
	return (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2]) >> 8);
}

static uint8_t chroma(int value, int of)
{
	const int result = 128 + (value - of) * 9 / 16;
	return (uint8_t)(result < 0 ? 0 : result > 255 ? 255 : result);
}

static uint8_t *put_pixel(uint8_t *out, const uint8_t rgb[3], enum format format, bool expand, uint32_t x,
                          uint32_t y)
{
	// Sixteen bits come from the sensor in any case; the interface fills up.
	if (expand) {
		*out++ = rgb[0] & 0xF8;
		*out++ = rgb[1] & 0xFC;
		*out++ = rgb[2] & 0xF8;
		*out++ = 0;
		return out;
	}
	switch (format) {
	case RGB565:
		*out++ = (uint8_t)((rgb[0] & 0xF8) | rgb[1] >> 5);
		*out++ = (uint8_t)((rgb[1] & 0x1C) << 3 | rgb[2] >> 3);
		break;
	case RGB444:
		*out++ = rgb[0] >> 4;
		*out++ = (uint8_t)((rgb[1] & 0xF0) | rgb[2] >> 4);
		break;
	case YUV422:
		*out++ = luma(rgb);
		*out++ = (x & 1) == 0 ? chroma(rgb[2], luma(rgb)) : chroma(rgb[0], luma(rgb));
		break;
	case BAYER: // blue, green; green, red
		*out++ = rgb[2 - (x & 1) - (y & 1)];
		break;
	default:
		*out++ = luma(rgb);
	}
	return out;
}

bool sensor_begin_frame(struct sensor *sensor, bool expand, ai8x_error *error)
{
	const size_t file = sensor->next_file % sensor->file_count;
	if (file != sensor->picture_file) {
		picture_release(&sensor->picture);
		if (picture_read(sensor->files[file], &sensor->picture, error) != AI8X_OK)
			return false;
		sensor->picture_file = file;
	}
	sensor->next_file++;
	uint32_t width = 0, height = 0;
	frame_size(sensor, &width, &height);
	uint8_t *bytes = realloc(sensor->bytes, 4 * (size_t)width * height + 4);
	if (bytes == NULL) {
		(void)error_no_memory(error, "a frame");
		return false;
	}
	sensor->bytes = bytes;
	uint8_t *out = bytes;
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++) {
			uint8_t rgb[3];
			sample(&sensor->picture, x, y, width, height, rgb);
			out = put_pixel(out, rgb, frame_format(sensor), expand, x, y);
		}
	sensor->size = (size_t)(out - bytes);
	memset(out, 0, 4);
	sensor->at = 0;
	return true;
}

// Clocks divided as the registers say: 30 frames a second at 24 MHz without.
uint32_t sensor_clocks(const struct sensor *sensor)
{
	const uint32_t divider = sensor->chip == &chips[0] ? (sensor->registers[OV7692_CLOCK] & 63) + 1u : 1;
	return FRAME_CLOCKS * divider;
}

size_t sensor_words(const struct sensor *sensor)
{
	return sensor->size / 4 + 1;
}

uint32_t sensor_word(struct sensor *sensor, bool *last)
{
	const uint8_t *bytes = sensor->bytes + sensor->at;
	*last = sensor->at + 4 >= sensor->size;
	if (sensor->at >= sensor->size)
		return 0;
	sensor->at += 4;
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}
