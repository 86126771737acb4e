// A session: one chip with one image, from opening to the result. The public face of this room.
#include "firmware/board.h"
#include "firmware/debug.h"
#include "firmware/power.h"
#include "firmware/rv32.h"
#include "firmware/vcd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"

#define FILE_LIMIT ((size_t)256 << 20)

bool ai8x_firmware_available(void)
{
	return true;
}

static void release_outcome(struct ai8x_firmware *soc)
{
	free(soc->console);
	free(soc->inferences);
	free(soc->registers);
	ai8x_program_destroy(soc->recorder.program);
	soc->console = NULL;
	soc->inferences = NULL;
	soc->registers = NULL;
	soc->recorder = (struct recorder){0};
	soc->console_size = soc->console_capacity = 0;
	soc->inference_capacity = soc->register_capacity = 0;
	soc->result = (ai8x_firmware_result){0};
}

static void close_engines(struct ai8x_firmware *soc)
{
	rv32_close(soc);
	if (soc->uc != NULL)
		(void)soc->unicorn.close(soc->uc);
	soc->uc = NULL;
	core_bus_release(soc);
}

void ai8x_firmware_destroy(ai8x_firmware *firmware)
{
	if (firmware == NULL || firmware->running)
		return;
	close_engines(firmware);
	ai8x_machine_destroy(firmware->cnn.machine);
	gdb_close(firmware->debugger);
	board_destroy(firmware);
	semihosting_destroy(firmware);
	release_outcome(firmware);
	image_release(&firmware->image);
	free(firmware->words);
	free(firmware->states);
	free(firmware->state_bytes);
	free(firmware->moving);
	free(firmware->until_name);
	free(firmware->name);
	free(firmware);
}

// Storage of all peripherals: their registers, and what else their files keep.
static ai8x_status make_peripherals(struct ai8x_firmware *soc, ai8x_error *error)
{
	const struct peripheral_table *table = soc->soc->peripherals;
	const size_t unit = sizeof(max_align_t);
	size_t bytes = 0;
	for (size_t i = 0; i < table->count; i++)
		bytes += (table->rows[i].block->state_bytes + unit - 1) / unit * unit;
	soc->words = calloc(soc->soc->peripheral_bytes, 1);
	soc->states = calloc(table->count, sizeof *soc->states);
	soc->state_bytes = calloc(bytes + 1, 1);
	soc->moving = calloc(table->count, 1);
	if (soc->words == NULL || soc->states == NULL || soc->state_bytes == NULL || soc->moving == NULL)
		return error_no_memory(error, "peripheral registers");
	char *next = soc->state_bytes;
	for (size_t i = 0; i < table->count; i++) {
		if (table->rows[i].block->sync != NULL || table->rows[i].block->next != NULL)
			soc->moving[soc->moving_count++] = (uint8_t)i;
		soc->states[i] = next;
		next += (table->rows[i].block->state_bytes + unit - 1) / unit * unit;
	}
	return AI8X_OK;
}

// Symbols that stubs and loads name.
static ai8x_status find_symbols(struct ai8x_firmware *soc, ai8x_error *error)
{
	const ai8x_firmware_board *board = soc->options.board;
	for (size_t i = 0; board != NULL && i < board->stub_count; i++) {
		const struct image_symbol *symbol = image_find(&soc->image, board->stubs[i].function);
		if (i == AI8X_FIRMWARE_MAX_STUBS)
			return error_set(error, AI8X_ERR_LIMIT, "at most %d functions can be stubs",
			                 AI8X_FIRMWARE_MAX_STUBS);
		if (symbol == NULL || !symbol->function)
			return error_set(error, AI8X_ERR_ARGUMENT, "the image has no function '%s'",
			                 board->stubs[i].function);
		soc->stubs[soc->stub_count++] = symbol->address;
	}
	for (size_t i = 0; board != NULL && i < board->load_count; i++) {
		const struct image_symbol *symbol = image_find(&soc->image, board->loads[i].symbol);
		if (symbol == NULL)
			return error_set(error, AI8X_ERR_ARGUMENT, "the image has no symbol '%s'",
			                 board->loads[i].symbol);
		if (board->loads[i].size > symbol->size)
			return error_set(error, AI8X_ERR_LIMIT, "%zu bytes for '%s', which holds %u",
			                 board->loads[i].size, board->loads[i].symbol, symbol->size);
	}
	return AI8X_OK;
}

// The flash as the run left it.
static void not_saved(struct ai8x_firmware *soc, const ai8x_error *error)
{
	soc->result.status = error->status;
	(void)snprintf(soc->result.message, sizeof soc->result.message, "%s", error->message);
}

static void save_flash(struct ai8x_firmware *soc)
{
	const uint32_t size = soc->soc->flash_bytes;
	const char *path = soc->options.board->flash_out;
	ai8x_error error = {0};
	uint8_t *bytes = malloc(size);
	ai8x_status status = AI8X_OK;
	if (bytes == NULL)
		status = error_no_memory(&error, path);
	else if (soc->unicorn.mem_read(soc->uc, FLASH_BASE, bytes, size) != UC_ERR_OK)
		status = error_set(&error, AI8X_ERR_IO, "%s: the emulator does not give its flash", path);
	else
		status = file_write(path, bytes, size, &error);
	free(bytes);
	if (status != AI8X_OK)
		not_saved(soc, &error);
}

static ai8x_status make_semihosting(struct ai8x_firmware *soc, ai8x_error *error)
{
	semihosting_destroy(soc);
	ai8x_status status = semihosting_create(soc);
	if (status == AI8X_ERR_IO)
		return error_set(error, status, "%s: the folder for files: %s", soc->options.board->files,
		                 strerror(errno));
	return status == AI8X_OK ? status : error_no_memory(error, "semihosting");
}

static bool debugged(const struct ai8x_firmware *soc)
{
	return soc->options.board != NULL && soc->options.board->gdb > 0;
}

// In the middle of a layer.
static bool machine_polls(void *user)
{
	return soc_may_go_on(user);
}

static ai8x_status set_up(struct ai8x_firmware *soc, ai8x_error *error)
{
	soc->part = soc->options.part != NULL ? soc->options.part : image_guess_part(&soc->image);
	soc->soc = soc_part_find(soc->part);
	if (soc->soc == NULL)
		return error_set(error, AI8X_ERR_UNSUPPORTED,
		                 "the %s cannot run firmware: only its accelerator is modelled",
		                 ai8x_part_get_info(soc->part)->name);
	ai8x_status status = image_check(&soc->image, soc->soc, error);
	if (status != AI8X_OK)
		return status;
	const struct image_symbol *symbol = image_find(&soc->image, "main");
	soc->main_known = symbol != NULL && symbol->function;
	soc->main_address = soc->main_known ? symbol->address : 0;
	if (soc->options.until != NULL) {
		symbol = image_find(&soc->image, soc->options.until);
		if (symbol == NULL)
			return error_set(error, AI8X_ERR_ARGUMENT, "the image has no symbol '%s'", soc->options.until);
		soc->until_name = strdup(soc->options.until);
		if (soc->until_name == NULL)
			return error_no_memory(error, "a symbol's name");
		soc->options.until = soc->until_name;
		soc->until_known = true;
		soc->until_address = symbol->address & ~1u;
	}
	status = find_symbols(soc, error);
	if (status == AI8X_OK)
		status = make_semihosting(soc, error);
	// Made anew for the run; here wrong files are told.
	if (status == AI8X_OK)
		status = board_create(soc, error);
	if (status == AI8X_OK)
		status = make_peripherals(soc, error);
	if (status != AI8X_OK)
		return status;
	ai8x_machine_options machine = soc->options.machine;
	// The recorder asks which bytes layers wrote.
	machine.capture_outputs = machine.capture_outputs || soc->options.record || debugged(soc);
	status = ai8x_machine_create(soc->part, &machine, &soc->cnn.machine, error);
	if (status == AI8X_OK && soc->options.poll != NULL)
		ai8x_machine_on_poll(soc->cnn.machine, machine_polls, soc);
	return status;
}

ai8x_status ai8x_firmware_open_memory(const void *bytes, size_t size, const ai8x_firmware_options *options,
                                      ai8x_firmware **firmware, ai8x_error *error)
{
	if (firmware != NULL)
		*firmware = NULL;
	if (bytes == NULL || firmware == NULL)
		return error_null(error, bytes == NULL ? "bytes" : "firmware");
	struct ai8x_firmware *soc = calloc(1, sizeof *soc);
	if (soc == NULL)
		return error_no_memory(error, "a firmware session");
	soc->options = options != NULL ? *options : ai8x_firmware_options_default();
	if (!(soc->options.max_seconds > 0 && soc->options.max_seconds <= AI8X_FIRMWARE_MAX_SECONDS)) {
		ai8x_firmware_destroy(soc);
		return error_set(error, AI8X_ERR_ARGUMENT, "max_seconds must be above 0 and at most %d",
		                 AI8X_FIRMWARE_MAX_SECONDS);
	}
	ai8x_status status = image_load(&soc->image, bytes, size, soc->options.board, error);
	if (status == AI8X_OK)
		status = set_up(soc, error);
	if (status != AI8X_OK) {
		ai8x_firmware_destroy(soc);
		return status;
	}
	*firmware = soc;
	return AI8X_OK;
}

// The file's name without folder and suffix; NULL when out of memory, which only costs the name.
static char *base_name(const char *path)
{
	const char *start = strrchr(path, '/');
	start = start == NULL ? path : start + 1;
	const char *end = strrchr(start, '.');
	return end == NULL || end == start ? strdup(start) : strndup(start, (size_t)(end - start));
}

ai8x_status ai8x_firmware_open(const char *path, const ai8x_firmware_options *options,
                               ai8x_firmware **firmware, ai8x_error *error)
{
	if (firmware != NULL)
		*firmware = NULL;
	if (path == NULL || firmware == NULL)
		return error_null(error, path == NULL ? "path" : "firmware");
	unsigned char *bytes = NULL;
	size_t size = 0;
	ai8x_status status = file_read(path, FILE_LIMIT, &bytes, &size, error);
	if (status == AI8X_OK) {
		status = ai8x_firmware_open_memory(bytes, size, options, firmware, error);
		if (status != AI8X_OK)
			status = error_prefix(error, status, "%s", path);
		else if (*firmware != NULL)
			(*firmware)->name = base_name(path);
	}
	free(bytes);
	return status;
}

const ai8x_part *ai8x_firmware_part(const ai8x_firmware *firmware)
{
	if (firmware == NULL)
		return NULL;
	return firmware->part;
}

ai8x_machine *ai8x_firmware_machine(ai8x_firmware *firmware)
{
	if (firmware == NULL)
		return NULL;
	return firmware->cnn.machine;
}

bool ai8x_firmware_symbol(const ai8x_firmware *firmware, const char *name, uint32_t *address)
{
	if (firmware == NULL || name == NULL || address == NULL)
		return false;
	const struct image_symbol *symbol = image_find(&firmware->image, name);
	if (symbol != NULL)
		*address = symbol->address;
	return symbol != NULL;
}

static ai8x_status reset(struct ai8x_firmware *soc, ai8x_error *error)
{
	release_outcome(soc);
	close_engines(soc);
	board_destroy(soc);
	ai8x_status made = board_create(soc, error);
	if (made == AI8X_OK)
		made = make_semihosting(soc, error);
	if (made == AI8X_OK && vcd_open(soc) != AI8X_OK)
		made = error_set(error, AI8X_ERR_NO_MEMORY, "%s: cannot be written: %s", soc->options.board->vcd,
		                 strerror(errno));
	if (made != AI8X_OK)
		return made;
	memset(soc->words, 0, soc->soc->peripheral_bytes);
	ai8x_machine_reset(soc->cnn.machine);
	soc->cnn = (struct cnn){.machine = soc->cnn.machine, .end = TIME_NEVER};
	nvic_reset(&soc->nvic);
	soc->systick = (struct systick){0};
	soc->poll = (struct poll){0};
	soc->now = soc->cycles = soc->instructions = 0;
	soc->wake = TIME_NEVER;
	soc->attention = soc->ended = soc->main_returned = false;
	soc->main_return = 0;
	soc->main_result = 0;
	soc->block = 0;
	soc->block_repeats = soc->accesses = soc->repeat_accesses = 0;
	soc->sleeps = 0;
	soc->backs_up = false;
	phase_begin(soc);
	for (size_t i = 0; i < soc->soc->peripherals->count; i++)
		peripheral_reset(soc, &soc->soc->peripherals->rows[i]);
	if (soc->options.record) {
		soc->recorder.with_layers = soc->options.machine.capture_outputs;
		ai8x_status status = record_begin(soc, error);
		if (status != AI8X_OK)
			return status;
	}
	gdb_close(soc->debugger);
	soc->debugger = NULL;
	if (debugged(soc) && (soc->debugger = gdb_open(soc->options.board->gdb)) == NULL)
		return error_no_memory(error, "a debugger");
	return core_create(soc, error);
}

// An inference that did not end waits for something: the message says for what.
static void explain_wait(struct ai8x_firmware *soc)
{
	char wait[256] = "";
	const size_t used = strlen(soc->result.message);
	(void)ai8x_machine_explain_wait(soc->cnn.machine, wait, sizeof wait);
	if (wait[0] != 0 && strstr(soc->result.message, wait) == NULL)
		(void)snprintf(soc->result.message + used, sizeof soc->result.message - used, "; accelerator: %s",
		               wait);
}

ai8x_status ai8x_firmware_run(ai8x_firmware *firmware, const ai8x_firmware_result **result)
{
	if (firmware == NULL || firmware->running)
		return AI8X_ERR_ARGUMENT;
	struct ai8x_firmware *soc = firmware;
	double start = clock_seconds();
	ai8x_error error = {0};
	soc->running = true;
	ai8x_status status = reset(soc, &error);
	if (status == AI8X_OK)
		core_run(soc);
	else
		soc_end(soc, AI8X_FIRMWARE_CANCELLED, status, "%s", error.message);
	if (soc->cnn.busy) {
		cnn_account(soc);
		explain_wait(soc);
	}
	phase_end(soc);
	if (!vcd_close(soc)) {
		(void)error_set(&error, AI8X_ERR_IO, "%s: cannot be written", soc->options.board->vcd);
		not_saved(soc, &error);
	}
	record_close(soc);
	if (status == AI8X_OK && soc->options.board != NULL && soc->options.board->flash_out != NULL)
		save_flash(soc);
	if (status == AI8X_OK && board_save(soc, &error) != AI8X_OK)
		not_saved(soc, &error);
	if (soc->recorder.failed)
		soc->result.status = AI8X_ERR_NO_MEMORY;
	soc->result.main_returned = soc->main_returned;
	if (soc->main_returned && soc->result.end != AI8X_FIRMWARE_EXITED)
		soc->result.exit_code = soc->main_result;
	soc->result.instructions = soc->instructions;
	soc->result.simulated_seconds = (double)soc->now / (double)FS_PER_SECOND;
	soc->result.wall_seconds = clock_seconds() - start;
	soc->result.cnn_writes = soc->cnn.writes;
	soc->result.cnn_reads = soc->cnn.reads;
	soc->result.read_while_running = soc->cnn.read_while_busy;
	soc->result.console = soc->console != NULL ? soc->console : "";
	soc->result.console_size = soc->console_size;
	if (result != NULL)
		*result = &soc->result;
	soc->running = false;
	return soc->result.status;
}

const ai8x_program *ai8x_firmware_program(const ai8x_firmware *firmware)
{
	if (firmware == NULL)
		return NULL;
	return firmware->recorder.ran && !firmware->recorder.failed ? firmware->recorder.program : NULL;
}

ai8x_program *ai8x_firmware_take_program(ai8x_firmware *firmware)
{
	if (firmware == NULL)
		return NULL;
	if (ai8x_firmware_program(firmware) == NULL)
		return NULL;
	ai8x_program *program = firmware->recorder.program;
	firmware->recorder = (struct recorder){0};
	return program;
}
