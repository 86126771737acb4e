// Reads the block-level stimulus of ai8x-synthesis: a .mem file of "@INDEX VALUE" lines, alternately a bus
// address and the word written there. The file says neither which part it is for nor where the machine has
// to finish; nor does it tell some operations apart. What it leaves out is put back here:
//
// - an address with low bits set can only be the byte write that selects a kernel for the express loader;
// - FIFO data are recorded at the address of the FIFO control register. After the starting write they go
//   to the enabled FIFOs in turn, the order in which software feeds them (hardware reference 5.1), or to
//   the fast FIFO;
// - RUN follows the last operation when a starting write was seen.
//
// Expected words come from a second file of the same form.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "part/part.h"
#include "program/program.h"

enum { LINE_BYTES = 256 };
#define MAX_BYTES ((size_t)1 << 30)

struct mem_file {
	const char *path;
	unsigned char *text;
	FILE *stream; // over it
	size_t line;  // number of the line read last
	size_t index; // of the next value
	ai8x_error *error;
};

// What earlier writes say about later ones.
struct stimulus {
	ai8x_program *program;
	bool started;
	bool fast_fifo;
	uint32_t fifos; // enabled ones
	unsigned next_fifo;
};

static ai8x_status bad_line(const struct mem_file *file, const char *text)
{
	return error_set(file->error, AI8X_ERR_FORMAT, "%s: line %zu: %s", file->path, file->line, text);
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

static bool parse_hex(const char **text, uint64_t *value)
{
	size_t digits = strspn(*text, "0123456789abcdefABCDEF");
	if (digits == 0 || digits > 15)
		return false;
	*value = strtoull(*text, NULL, 16);
	*text += digits;
	return true;
}

// Reads the next value; *end at the end of the file.
static ai8x_status read_value(struct mem_file *file, uint32_t *value, bool *end)
{
	char buffer[LINE_BYTES];
	*end = false;
	for (;;) {
		if (fgets(buffer, sizeof buffer, file->stream) == NULL) {
			*end = true;
			return AI8X_OK;
		}
		file->line++;
		if (strchr(buffer, '\n') == NULL && !feof(file->stream))
			return bad_line(file, "longer than 255 characters, or not text");
		const char *text = skip_blanks(buffer);
		if (text[0] == '\0' || strncmp(text, "//", 2) == 0)
			continue;

		uint64_t index = 0, word = 0;
		if (*text++ != '@' || !parse_hex(&text, &index) || (*text != ' ' && *text != '\t'))
			return bad_line(file, "expected '@INDEX VALUE' with hexadecimal numbers");
		text = skip_blanks(text);
		if (!parse_hex(&text, &word))
			return bad_line(file, "expected '@INDEX VALUE' with hexadecimal numbers");
		text = skip_blanks(text);
		if (text[0] != '\0' && strncmp(text, "//", 2) != 0)
			return bad_line(file, "text after the value");
		if (word > UINT32_MAX)
			return bad_line(file, "the value has more than 32 bits");
		if (index != file->index)
			return error_set(file->error, AI8X_ERR_FORMAT,
			                 "%s: line %zu: index @%04" PRIx64 "; expected @%04zx", file->path, file->line,
			                 index, file->index);
		file->index++;
		*value = (uint32_t)word;
		return AI8X_OK;
	}
}

// Reads an address and a word; *end at the end of the file.
static ai8x_status read_pair(struct mem_file *file, uint32_t *address, uint32_t *word, bool *end)
{
	ai8x_status status = read_value(file, address, end);
	if (status != AI8X_OK || *end)
		return status;
	bool missing = false;
	status = read_value(file, word, &missing);
	if (status == AI8X_OK && missing)
		return bad_line(file, "the file ends with an address that has no value");
	return status;
}

static uint32_t next_fifo_address(struct stimulus *stimulus)
{
	const ai8x_part *part = stimulus->program->part;
	if (stimulus->fast_fifo)
		return part_register_address(part, REG_FAST_DR, 0, 0);
	const unsigned fifos = part->registers[REG_FIFO_WR].count;
	while ((stimulus->fifos >> stimulus->next_fifo & 1) == 0)
		stimulus->next_fifo = (stimulus->next_fifo + 1) % fifos;
	uint32_t address = part_register_address(part, REG_FIFO_WR, 0, stimulus->next_fifo);
	stimulus->next_fifo = (stimulus->next_fifo + 1) % fifos;
	return address;
}

// The write that sets the master group's enable bit starts the machine; followers are armed before it
// (hardware reference 3.1).
static void note_control(struct stimulus *stimulus, unsigned group, uint32_t value)
{
	const ai8x_part *part = stimulus->program->part;
	if (part_field_extract(part, F_FFIFO_EN, value))
		stimulus->fast_fifo = true;
	bool follows = part_field_extract(part, F_EXT_SYNC_EN, value) != 0 &&
	               part_field_extract(part, F_EXT_SYNC_MASTER, value) != group;
	if (part_field_extract(part, F_CNN_EN, value) && !follows)
		stimulus->started = true;
}

static ai8x_op classify(struct stimulus *stimulus, uint32_t address, uint32_t value)
{
	ai8x_op op = {.kind = AI8X_BUS_WRITE32, .address = address, .value = value};
	struct part_target target;
	if (!part_decode_address(stimulus->program->part, address & ~3u, &target))
		return op; // the machine says what is wrong with it
	if (!target.is_register) {
		if (target.memory == MEMORY_KERNEL && (address & 3) != 0)
			op.kind = AI8X_BUS_WRITE8;
		return op;
	}
	switch (target.reg) {
	case REG_CTL:
		note_control(stimulus, target.group, value);
		break;
	case REG_FAST_DR:
	case REG_FIFO_WR:
		op.kind = AI8X_BUS_FIFO_WRITE32;
		break;
	case REG_FIFO_CTL:
		if (stimulus->started && (stimulus->fast_fifo || stimulus->fifos != 0)) {
			op.kind = AI8X_BUS_FIFO_WRITE32;
			op.address = next_fifo_address(stimulus);
		} else {
			stimulus->fifos = part_field_extract(stimulus->program->part, F_FIFO_EN, value);
		}
		break;
	default:
		break;
	}
	return op;
}

static ai8x_status open_mem(struct mem_file *file, const char *path, ai8x_error *error)
{
	size_t size = 0;
	*file = (struct mem_file){.path = path, .error = error};
	ai8x_status status = file_read(path, MAX_BYTES, &file->text, &size, error);
	// The 0 after the text counts as its end, also where there is no text.
	if (status == AI8X_OK && (file->stream = fmemopen(file->text, size > 0 ? size : 1, "r")) == NULL)
		status = error_no_memory(error, path);
	if (status != AI8X_OK)
		free(file->text);
	return status;
}

static void close_mem(struct mem_file *file)
{
	(void)fclose(file->stream);
	free(file->text);
}

static ai8x_status read_stimulus(struct stimulus *stimulus, const char *path, ai8x_error *error)
{
	struct mem_file file;
	ai8x_status status = open_mem(&file, path, error);
	if (status != AI8X_OK)
		return status;
	for (;;) {
		uint32_t address = 0, value = 0;
		bool end = false;
		status = read_pair(&file, &address, &value, &end);
		if (status != AI8X_OK || end)
			break;
		status = ai8x_program_append(stimulus->program, classify(stimulus, address, value), error);
		if (status != AI8X_OK)
			break;
	}
	close_mem(&file);
	if (status == AI8X_OK && stimulus->program->op_count == 0)
		status = error_set(error, AI8X_ERR_FORMAT, "%s: holds no '@INDEX VALUE' lines", path);
	if (status == AI8X_OK && stimulus->started)
		status = ai8x_program_append(stimulus->program, (ai8x_op){.kind = AI8X_BUS_RUN}, error);
	return status;
}

static ai8x_status read_expected(ai8x_program *program, const char *path, ai8x_error *error)
{
	struct mem_file file;
	ai8x_status status = open_mem(&file, path, error);
	if (status != AI8X_OK)
		return status;
	for (;;) {
		ai8x_op op = {.kind = AI8X_BUS_EXPECT, .mask = UINT32_MAX};
		bool end = false;
		status = read_pair(&file, &op.address, &op.value, &end);
		if (status != AI8X_OK || end)
			break;
		status = ai8x_program_append(program, op, error);
		if (status != AI8X_OK)
			break;
	}
	close_mem(&file);
	return status;
}

ai8x_status mem_read(const char *path, const ai8x_program_options *options, ai8x_program **program,
                     ai8x_error *error)
{
	if (options->part == NULL)
		return error_set(error, AI8X_ERR_ARGUMENT,
		                 "%s: a .mem file does not say which part it is for; the part must be given", path);
	const char *slash = strrchr(path, '/');
	struct stimulus stimulus = {0};
	ai8x_status status =
		ai8x_program_create(options->part, slash != NULL ? slash + 1 : path, &stimulus.program, error);
	if (status == AI8X_OK)
		status = read_stimulus(&stimulus, path, error);
	if (status == AI8X_OK && options->expected != NULL)
		status = read_expected(stimulus.program, options->expected, error);
	if (status != AI8X_OK) {
		ai8x_program_destroy(stimulus.program);
		return status;
	}
	*program = stimulus.program;
	return AI8X_OK;
}
