// What may be connected to the chip: each kind is a file that knows nothing of the chip. board.c asks them,
// board_read.c says which there are.
#ifndef AI8X_FIRMWARE_DEVICES_H
#define AI8X_FIRMWARE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/firmware.h>

// ---- picture.c: PNG files ----

struct picture {
	uint32_t width, height;
	uint8_t *rgb; // [height][width][3]
};

ai8x_status picture_read(const char *path, struct picture *picture, ai8x_error *error);
ai8x_status picture_write(const char *path, const struct picture *picture, ai8x_error *error);
void picture_release(struct picture *picture);

// ---- sound.c: sound files ----

#define SOUND_LEAST_LEVEL (-120)

struct sound {
	int32_t *samples; // of the first channel
	size_t count;
	uint32_t rate; // samples in a second
};

ai8x_status sound_read(const char *path, struct sound *sound, ai8x_error *error);
void sound_release(struct sound *sound);

// ---- sensor.c: cameras ----

struct sensor;

// chip: its name, or NULL for the usual one. path: a PNG file or a folder of them, shown one after the other. A size
// of 0 is the chip's own.
ai8x_status sensor_create(const char *chip, const char *path, uint32_t width, uint32_t height,
                          struct sensor **sensor, ai8x_error *error);
void sensor_destroy(struct sensor *sensor);
uint8_t sensor_address(const struct sensor *sensor);
void sensor_start(struct sensor *sensor, bool reads);
void sensor_write(struct sensor *sensor, uint8_t byte);
uint8_t sensor_read(struct sensor *sensor);
// Takes the next picture. false: it cannot be read, error says why.
bool sensor_begin_frame(struct sensor *sensor, bool expand, ai8x_error *error);
// Cycles of the sensor's clock from one frame to the next.
uint32_t sensor_clocks(const struct sensor *sensor);
// Words of the present frame, at least 1.
size_t sensor_words(const struct sensor *sensor);
uint32_t sensor_word(struct sensor *sensor, bool *last);

// ---- display.c: controllers of displays behind SPI ----

struct display;

// Controller: "ILI9341", "ST7735", "SSD2119" or "auto". A size of 0 is the controller's own.
ai8x_status display_create(const char *controller, uint32_t width, uint32_t height, struct display **display,
                           ai8x_error *error);
void display_destroy(struct display *display);
// data: the level of the line that tells data from commands; characters of nine bits have it in their highest.
void display_take(struct display *display, uint16_t character, unsigned bits, bool data);
const struct picture *display_picture(const struct display *display);
// How many pixels were written.
uint64_t display_pixels(const struct display *display);

// ---- card.c: SD cards in their SPI mode ----

struct card;

// The file stays as it is; what is written is kept until card_save().
ai8x_status card_create(const char *path, struct card **card, ai8x_error *error);
ai8x_status card_save(const struct card *card, const char *path, ai8x_error *error);
void card_destroy(struct card *card);
uint8_t card_exchange(struct card *card, uint8_t byte);
void card_release(struct card *card);

// ---- script.c: I2C devices that are described by their registers ----

#define SCRIPT_VALUES 64

// What a read from a register, or after a command, gives: one value after the other, the last one for ever.
struct script_answer {
	uint32_t key; // register, or the bytes of a command
	uint8_t values[SCRIPT_VALUES];
	unsigned count, used;
	bool together; // one read takes all of them: the answer to a command
};

struct script {
	unsigned key_bytes; // of a register's address
	struct script_answer *answers;
	size_t answer_count;
	uint8_t storage[256]; // what was written to registers that have no answer
	uint32_t key;
	unsigned have, at;
};

void script_start(struct script *script, bool reads);
void script_write(struct script *script, uint8_t byte);
uint8_t script_read(struct script *script);
void script_release(struct script *script);

// ---- board_read.c: the description of a board ----

#define BOARD_BUTTONS 16
#define BOARD_SCRIPTS 16
#define BOARD_WIRES 4
#define ANY_BUS 255u
#define WIRES_BUS 254u // of two pins that firmware moves by hand

struct pin {
	uint8_t port, number;
};

struct button {
	char name[32];
	struct pin pin;
	bool active_high;
};

struct board_script {
	unsigned bus; // or ANY_BUS
	uint8_t address;
	struct script script;
};

// A bus of two wires that firmware drives by hand.
struct wires {
	struct pin clock, data;
};

struct description {
	struct button buttons[BOARD_BUTTONS];
	size_t button_count;
	struct board_script scripts[BOARD_SCRIPTS];
	size_t script_count;
	struct wires wires[BOARD_WIRES];
	size_t wire_count;
	char *camera_chip, *camera, *display_controller, *display, *card, *card_out, *sound, *gpio;
	double sound_level; // dB
	uint32_t camera_width, camera_height, display_width, display_height;
	unsigned display_bus, card_bus;       // ANY_BUS: whichever
	unsigned display_select, card_select; // masks of slave selects, 0: whichever
	struct pin display_data;
};

// What every board has where nothing else is said: the wiring of the vendor's boards. Buttons of one name are pressed
// together, so that the same time line serves kit and feather board.
void description_default(struct description *description, const char *part);
// Reads a YAML file over what is there. Names of files in it are relative to its folder.
ai8x_status description_read(const char *path, struct description *description, ai8x_error *error);
void description_release(struct description *description);
// "P0.2" or the name of a button, of which this is the first. false: neither.
bool description_pin(const struct description *description, const char *text, struct pin *pin,
                     const struct button **button);

// ---- pins.c: pins by a time line, and buses that are driven by hand ----

struct pins_event {
	uint64_t time;
	struct pin pin;
	bool level;
};

struct listener {
	struct wires wires;
	bool clock, data, held; // levels, and whether the device holds the data line low
	bool answers;           // the present acknowledgement is the device's
	uint8_t byte, address;
	unsigned bits;
	enum { WIRES_IDLE, WIRES_ADDRESS, WIRES_WRITING, WIRES_READING, WIRES_DEAF } phase;
};

struct pins {
	struct pins_event *events;
	size_t count, done;
	uint32_t driven[4], level[4];
	struct listener listeners[BOARD_WIRES];
	size_t listener_count;
};

// Reads "seconds,pin,level" lines.
ai8x_status pins_read(const char *path, const struct description *description, struct pins *pins,
                      ai8x_error *error);
void pins_release(struct pins *pins);

#endif
