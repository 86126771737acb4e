// What is connected to the chip: asks the device that a block's pins lead to.
#include "firmware/board_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

#define FRAME_WAIT (FS_PER_SECOND / 100) // until a frame begins
#define CAMERA_HZ 24000000               // of a board's own oscillator, where no pulse train gives the clock
#define LONGEST_WAIT 0.05                // seconds of the world between two looks at everything

static const char *chosen(const char *option, const char *described)
{
	return option != NULL ? option : described;
}

static ai8x_status read_sound(struct board *board, const char *path, double level, ai8x_error *error)
{
	if (!(level >= SOUND_LEAST_LEVEL && level <= 0))
		return error_set(error, AI8X_ERR_ARGUMENT, "sound level %g dB; expected %d to 0", level,
		                 SOUND_LEAST_LEVEL);
	board->loudness = pow(10, level / 20);
	return sound_read(path, &board->sound, error);
}

static ai8x_status create_devices(struct board *board, ai8x_error *error)
{
	static const ai8x_firmware_io none = {0};
	const ai8x_firmware_io *io = board->io != NULL ? board->io : &none;
	const struct description *d = &board->description;
	const char *camera = chosen(io->camera, d->camera), *sound = chosen(io->sound, d->sound);
	const char *gpio = chosen(io->gpio, d->gpio), *card = chosen(io->card, d->card);
	ai8x_status status = AI8X_OK;
	if (camera != NULL)
		status =
			sensor_create(d->camera_chip, camera, d->camera_width, d->camera_height, &board->sensor, error);
	if (status == AI8X_OK && chosen(io->display, d->display) != NULL)
		status = display_create(d->display_controller, d->display_width, d->display_height, &board->display,
		                        error);
	if (status == AI8X_OK && card != NULL)
		status = card_create(card, &board->card, error);
	if (status == AI8X_OK && sound != NULL)
		status = read_sound(board, sound, io->sound_level != 0 ? io->sound_level : d->sound_level, error);
	if (status == AI8X_OK && gpio != NULL)
		status = pins_read(gpio, d, &board->pins, error);
	return status;
}

ai8x_status board_create(struct ai8x_firmware *soc, ai8x_error *error)
{
	struct board *board = calloc(1, sizeof *board);
	if (board == NULL)
		return error_no_memory(error, "a board");
	soc->board = board;
	board->io = soc->options.board != NULL ? soc->options.board->io : NULL;
	board->clock = clock_seconds();
	for (unsigned i = 0; i < UARTS; i++)
		board->uarts[i].closed = board->io == NULL || board->io->uarts[i].receive == NULL;
	description_default(&board->description, ai8x_part_get_info(soc->part)->name);
	ai8x_status status = AI8X_OK;
	if (board->io != NULL && board->io->description != NULL)
		status = description_read(board->io->description, &board->description, error);
	if (status == AI8X_OK)
		status = create_devices(board, error);
	for (size_t i = 0; i < board->description.wire_count; i++)
		board->pins.listeners[i] =
			(struct listener){.wires = board->description.wires[i], .clock = true, .data = true};
	board->pins.listener_count = board->description.wire_count;
	return status;
}

ai8x_status board_save(struct ai8x_firmware *soc, ai8x_error *error)
{
	const struct board *board = soc->board;
	const ai8x_firmware_io *io = board->io;
	const char *display = chosen(io != NULL ? io->display : NULL, board->description.display);
	const char *card = chosen(io != NULL ? io->card_out : NULL, board->description.card_out);
	ai8x_status status = AI8X_OK;
	if (board->display != NULL)
		status = picture_write(display, display_picture(board->display), error);
	if (status == AI8X_OK && board->card != NULL && card != NULL)
		status = card_save(board->card, card, error);
	return status;
}

void board_destroy(struct ai8x_firmware *soc)
{
	struct board *board = soc->board;
	if (board == NULL)
		return;
	sensor_destroy(board->sensor);
	display_destroy(board->display);
	card_destroy(board->card);
	sound_release(&board->sound);
	pins_release(&board->pins);
	description_release(&board->description);
	free(board);
	soc->board = NULL;
}

// ---- UARTs ----

static void fetch(struct board *board, unsigned unit, unsigned wait_us)
{
	const ai8x_firmware_uart *uart = &board->io->uarts[unit];
	const long got =
		uart->receive(uart->user, (char *)board->uarts[unit].bytes, sizeof board->uarts[unit].bytes, wait_us);
	board->uarts[unit].at = 0;
	board->uarts[unit].count = got > 0 ? (size_t)got : 0;
	board->uarts[unit].closed = got < 0;
}

static bool has_bytes(const struct board *board, unsigned unit)
{
	return board->uarts[unit].at < board->uarts[unit].count;
}

bool board_uart_take(struct ai8x_firmware *soc, unsigned unit, uint8_t *byte)
{
	struct board *board = soc->board;
	if (!has_bytes(board, unit) && !board->uarts[unit].closed)
		fetch(board, unit, 0);
	if (!has_bytes(board, unit))
		return false;
	*byte = board->uarts[unit].bytes[board->uarts[unit].at++];
	return true;
}

bool board_uart_open(const struct ai8x_firmware *soc, unsigned unit)
{
	return has_bytes(soc->board, unit) || !soc->board->uarts[unit].closed;
}

void board_uart_send(struct ai8x_firmware *soc, unsigned unit, char character)
{
	const ai8x_firmware_io *io = soc->board->io;
	if (io != NULL && io->uarts[unit].send != NULL)
		io->uarts[unit].send(io->uarts[unit].user, &character, 1);
}

static bool is_live(const struct board *board, unsigned unit)
{
	return !board->uarts[unit].closed && board->io->uarts[unit].live;
}

bool board_is_live(const struct ai8x_firmware *soc)
{
	bool live = false;
	for (unsigned i = 0; i < UARTS; i++)
		live |= is_live(soc->board, i);
	return live;
}

uint64_t board_wait(struct ai8x_firmware *soc, uint64_t until)
{
	struct board *board = soc->board;
	if (!board_is_live(soc))
		return until;
	for (;;) {
		unsigned first = UARTS;
		for (unsigned i = 0; i < UARTS; i++) {
			if (!is_live(board, i))
				continue;
			if (has_bytes(board, i))
				return soc->now;
			first = first == UARTS ? i : first;
		}
		const double now = clock_seconds(), simulated = (double)soc->now / (double)FS_PER_SECOND;
		// A run that is behind does not hurry to catch up.
		if (now - board->clock > simulated)
			board->clock = now - simulated;
		const double wait = (double)until / (double)FS_PER_SECOND - (now - board->clock);
		if (first == UARTS || wait <= 0)
			return until;
		fetch(board, first, (unsigned)(1e6 * (wait < LONGEST_WAIT ? wait : LONGEST_WAIT)));
		const double passed = clock_seconds() - board->clock;
		const uint64_t time = (uint64_t)(passed * (double)FS_PER_SECOND);
		for (unsigned i = 0; i < UARTS; i++)
			if (i != first && is_live(board, i) && !has_bytes(board, i))
				fetch(board, i, 0);
		if (has_bytes(board, first))
			return time < until ? time : until;
	}
}

// ---- SPI ----

static bool leads_to(unsigned bus, unsigned select, unsigned own_bus, unsigned own_select)
{
	return (own_bus == ANY_BUS || own_bus == bus) && (own_select == 0 || (own_select & select) != 0);
}

uint16_t board_spi(struct ai8x_firmware *soc, unsigned bus, unsigned select, uint16_t character,
                   unsigned bits)
{
	struct board *board = soc->board;
	const struct description *d = &board->description;
	if (board->display != NULL && leads_to(bus, select, d->display_bus, d->display_select)) {
		const bool data = (board->outputs[d->display_data.port] >> d->display_data.number & 1) != 0;
		display_take(board->display, character, bits, data);
		return 0;
	}
	if (board->card != NULL && leads_to(bus, select, d->card_bus, d->card_select))
		return card_exchange(board->card, (uint8_t)character);
	return 0;
}

void board_spi_release(struct ai8x_firmware *soc, unsigned bus, unsigned select)
{
	// Drivers of cards hold the select by hand: commands are told from each other by their first byte.
	(void)soc;
	(void)bus;
	(void)select;
}

// ---- sound ----

// Samples are taken in millionths: clocks of a few parts in ten millions beside the truth do not blur them.
#define MILLION UINT64_C(1000000)

void board_sound_skip(struct ai8x_firmware *soc, uint64_t words, uint64_t period)
{
	struct board *board = soc->board;
	const double samples = board->sound.rate * ((double)period / (double)FS_PER_SECOND);
	board->heard += words * (uint64_t)(samples * (double)MILLION + 0.5);
}

uint32_t board_sound(struct ai8x_firmware *soc, uint64_t period)
{
	const struct board *board = soc->board;
	const uint64_t at = board->heard / MILLION;
	double sample = 0;
	if (at < board->sound.count) {
		const double part = (double)(board->heard % MILLION) / (double)MILLION;
		const double next = at + 1 < board->sound.count ? board->sound.samples[at + 1] : 0;
		sample = (board->sound.samples[at] * (1 - part) + next * part) * board->loudness;
	}
	board_sound_skip(soc, 1, period);
	return (uint32_t)(int32_t)floor(sample + 0.5);
}

// ---- camera ----

uint64_t board_camera_start(struct ai8x_firmware *soc, bool expand)
{
	ai8x_error error = {0};
	if (soc->board->sensor == NULL)
		return TIME_NEVER;
	if (!sensor_begin_frame(soc->board->sensor, expand, &error)) {
		soc_end(soc, AI8X_FIRMWARE_CANCELLED, AI8X_ERR_FORMAT, "camera: %s", error.message);
		return TIME_NEVER;
	}
	return FRAME_WAIT;
}

uint64_t board_camera_frame(struct ai8x_firmware *soc)
{
	const uint64_t clock = pulse_train_wave(soc);
	return sensor_clocks(soc->board->sensor) * (clock != TIME_NEVER ? clock : FS_PER_SECOND / CAMERA_HZ);
}

uint64_t board_camera_period(struct ai8x_firmware *soc)
{
	// A frame takes its time whatever its size: small ones are read from the whole sensor.
	return board_camera_frame(soc) / sensor_words(soc->board->sensor);
}

uint32_t board_camera_word(struct ai8x_firmware *soc, bool *last)
{
	return sensor_word(soc->board->sensor, last);
}
