// Pins: what drives them from outside, by a time line, and I2C that firmware makes by hand of two of them.
#include "firmware/board_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"

#define MOST_EVENTS 1000000

static bool read_level(const char *text, const struct button *button, bool *level)
{
	static const struct {
		const char *word;
		bool level, of_buttons;
	} words[] = {
		{"0", false, false},   {"1", true, false},    {"low", false, false},
		{"high", true, false}, {"press", true, true}, {"release", false, true},
	};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcasecmp(text, words[i].word) == 0 && (!words[i].of_buttons || button != NULL)) {
			*level = words[i].of_buttons ? words[i].level == button->active_high : words[i].level;
			return true;
		}
	return false;
}

static char *trimmed(char *text)
{
	text += strspn(text, " \t");
	for (size_t length = strlen(text); length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL;)
		text[--length] = 0;
	return text;
}

static ai8x_status add_event(struct pins *pins, const struct pins_event *event, const char *path,
                             ai8x_error *error)
{
	if (pins->count == MOST_EVENTS)
		return error_set(error, AI8X_ERR_LIMIT, "%s: more than %d events", path, MOST_EVENTS);
	if ((pins->count & (pins->count - 1)) == 0) {
		struct pins_event *grown =
			realloc(pins->events, (pins->count == 0 ? 1 : 2 * pins->count) * sizeof *grown);
		if (grown == NULL)
			return error_no_memory(error, path);
		pins->events = grown;
	}
	pins->events[pins->count++] = *event;
	return AI8X_OK;
}

static ai8x_status read_line(char *line, unsigned number, const char *path,
                             const struct description *description, struct pins *pins, ai8x_error *error)
{
	char *text = trimmed(line), *rest = NULL, *end = NULL;
	if (*text == 0 || *text == '#' || (number == 1 && strncasecmp(text, "time", 4) == 0) ||
	    (number == 1 && strncasecmp(text, "seconds", 7) == 0))
		return AI8X_OK;
	char *const time = trimmed(strtok_r(text, ",", &rest));
	char *name = strtok_r(NULL, ",", &rest), *const level = strtok_r(NULL, ",", &rest);
	struct pins_event event = {0};
	const struct button *button = NULL;
	const double seconds = strtod(time, &end);
	if (name == NULL || level == NULL || strtok_r(NULL, ",", &rest) != NULL)
		return error_set(error, AI8X_ERR_FORMAT, "%s: line %u: expected seconds,pin,level", path, number);
	if (end == time || *end != 0 || !(seconds >= 0 && seconds <= AI8X_FIRMWARE_MAX_SECONDS))
		return error_set(error, AI8X_ERR_FORMAT, "%s: line %u: '%s' is no time in seconds from 0 to %d", path,
		                 number, time, AI8X_FIRMWARE_MAX_SECONDS);
	name = trimmed(name);
	if (!description_pin(description, name, &event.pin, &button))
		return error_set(error, AI8X_ERR_FORMAT,
		                 "%s: line %u: '%s' is no pin (P0.0 to P3.31) and no button of the board", path,
		                 number, name);
	if (!read_level(trimmed(level), button, &event.level))
		return error_set(error, AI8X_ERR_FORMAT,
		                 "%s: line %u: '%s' is no level: 0, 1, low, high, or for buttons press and release",
		                 path, number, trimmed(level));
	event.time = (uint64_t)(seconds * (double)FS_PER_SECOND);
	if (pins->count > 0 && event.time < pins->events[pins->count - 1].time)
		return error_set(error, AI8X_ERR_FORMAT, "%s: line %u: its time is before that of the line before it",
		                 path, number);
	ai8x_status status = add_event(pins, &event, path, error);
	// Other buttons of the name.
	for (const struct button *other = button != NULL ? button + 1 : NULL;
	     status == AI8X_OK && other != NULL && other < description->buttons + description->button_count;
	     other++)
		if (strcasecmp(other->name, name) == 0) {
			event.pin = other->pin;
			status = add_event(pins, &event, path, error);
		}
	return status;
}

ai8x_status pins_read(const char *path, const struct description *description, struct pins *pins,
                      ai8x_error *error)
{
	FILE *file;
	char line[256];
	ai8x_status status = file_stream(path, &file, error);
	if (status != AI8X_OK)
		return status;
	for (unsigned number = 1; status == AI8X_OK && fgets(line, sizeof line, file) != NULL; number++)
		status = strlen(line) == sizeof line - 1
		             ? error_set(error, AI8X_ERR_FORMAT, "%s: line %u is too long", path, number)
		             : read_line(line, number, path, description, pins, error);
	(void)fclose(file);
	return status;
}

void pins_release(struct pins *pins)
{
	free(pins->events);
	pins->events = NULL;
}

// ---- time ----

static void apply_events(struct ai8x_firmware *soc)
{
	struct pins *pins = &soc->board->pins;
	for (; pins->done < pins->count && pins->events[pins->done].time <= soc->now; pins->done++) {
		const struct pins_event *event = &pins->events[pins->done];
		const uint32_t bit = 1u << event->pin.number;
		pins->driven[event->pin.port] |= bit;
		pins->level[event->pin.port] =
			event->level ? pins->level[event->pin.port] | bit : pins->level[event->pin.port] & ~bit;
	}
}

uint64_t board_pins_next(const struct ai8x_firmware *soc, unsigned port)
{
	const struct pins *pins = &soc->board->pins;
	for (size_t i = pins->done; i < pins->count; i++)
		if (pins->events[i].pin.port == port)
			return pins->events[i].time;
	return TIME_NEVER;
}

uint32_t board_pins(struct ai8x_firmware *soc, unsigned port, uint32_t levels)
{
	struct pins *pins = &soc->board->pins;
	apply_events(soc);
	levels = (levels & ~pins->driven[port]) | (pins->level[port] & pins->driven[port]);
	for (size_t i = 0; i < pins->listener_count; i++)
		if (pins->listeners[i].held && pins->listeners[i].wires.data.port == port)
			levels &= ~(1u << pins->listeners[i].wires.data.number);
	return levels;
}

// ---- I2C by hand ----

// A start, or with level a stop: registers that were written keep, and the next start begins anew.
static void data_moves(struct listener *w, bool level)
{
	w->phase = level ? WIRES_IDLE : WIRES_ADDRESS;
	if (!level)
		w->bits = 0;
	w->held = false;
}

static void clock_rises(struct listener *w)
{
	if ((w->phase == WIRES_ADDRESS || w->phase == WIRES_WRITING) && w->bits < 8)
		w->byte = (uint8_t)(w->byte << 1 | w->data);
	// The master's acknowledgement of what it read.
	if (w->phase == WIRES_READING && w->bits == 8 && !w->answers && w->data)
		w->phase = WIRES_DEAF;
	if (w->bits < 8)
		w->bits++;
	else
		w->bits = 9;
}

static void show_bit(struct listener *w)
{
	w->held = w->phase == WIRES_READING && w->bits < 8 && (w->byte >> (7 - w->bits) & 1) == 0;
}

static void clock_falls(struct ai8x_firmware *soc, struct listener *w)
{
	if (w->bits == 9) { // after the acknowledgement
		w->bits = 0;
		w->held = w->answers = false;
		if (w->phase == WIRES_READING) {
			w->byte = board_i2c_read(soc, WIRES_BUS, w->address);
			show_bit(w);
		}
		return;
	}
	if (w->phase == WIRES_READING) {
		show_bit(w);
		return;
	}
	if (w->bits < 8)
		return;
	bool heard = false;
	if (w->phase == WIRES_ADDRESS) {
		w->address = w->byte >> 1;
		heard = board_i2c_start(soc, WIRES_BUS, w->address, (w->byte & 1) != 0);
		w->phase = !heard ? WIRES_DEAF : (w->byte & 1) != 0 ? WIRES_READING : WIRES_WRITING;
	} else if (w->phase == WIRES_WRITING) {
		heard = board_i2c_write(soc, WIRES_BUS, w->address, w->byte);
	}
	w->held = heard;
	w->answers = true;
}

void board_pins_drive(struct ai8x_firmware *soc, unsigned port, uint32_t output, uint32_t enabled)
{
	struct pins *pins = &soc->board->pins;
	const uint32_t levels = output | ~enabled; // what nobody drives is pulled up
	soc->board->outputs[port] = levels;
	for (size_t i = 0; i < pins->listener_count; i++) {
		struct listener *w = &pins->listeners[i];
		if (w->wires.clock.port != port && w->wires.data.port != port)
			continue;
		const bool clock = w->wires.clock.port == port ? levels >> w->wires.clock.number & 1 : w->clock;
		const bool data = w->wires.data.port == port ? levels >> w->wires.data.number & 1 : w->data;
		if (clock && w->clock && data != w->data)
			data_moves(w, data);
		w->data = data;
		if (clock && !w->clock)
			clock_rises(w);
		else if (!clock && w->clock)
			clock_falls(soc, w);
		w->clock = clock;
	}
}
