// Firmware in the place of a program: commands that take programs open them here.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ai8xsim/firmware.h>

#include "base/error.h"
#include "base/file.h"

static bool ends_with(const char *path, const char *suffix)
{
	const size_t length = strlen(path), end = strlen(suffix);
	return length > end && strcmp(path + length - end, suffix) == 0;
}

static bool is_image(const char *path)
{
	char magic[4] = {0};
	FILE *file;
	if (file_stream(path, &file, NULL) != AI8X_OK)
		return false;
	size_t size = fread(magic, 1, sizeof magic, file);
	(void)fclose(file);
	return ai8x_firmware_is_elf(magic, size) || (size > 0 && magic[0] == ':' && ends_with(path, ".hex")) ||
	       ends_with(path, ".bin");
}

// "image.elf#2" is the second inference of image.elf, where no file has the whole name.
static uint32_t take_number(char *path)
{
	char *mark = strrchr(path, '#');
	const bool may_be = mark != NULL && mark[1] >= '1' && mark[1] <= '9';
	if (mark == NULL || (may_be && access(path, R_OK) == 0) ||
	    strspn(mark + 1, "0123456789") != strlen(mark + 1))
		return 0;
	*mark = 0;
	return (uint32_t)strtoul(mark + 1, NULL, 10);
}

ai8x_status ai8x_firmware_open_program(const char *path, const ai8x_program_options *options,
                                       ai8x_program **program, ai8x_error *error)
{
	if (program != NULL)
		*program = NULL;
	if (path == NULL || program == NULL)
		return error_null(error, path == NULL ? "path" : "program");
	char name[4096];
	(void)snprintf(name, sizeof name, "%s", path);
	ai8x_firmware_board board = {.inference = take_number(name), .binary = ends_with(name, ".bin")};
	if (!is_image(name))
		return ai8x_program_open(path, options, program, error);
	path = name;

	ai8x_firmware_options firmware_options = ai8x_firmware_options_default();
	firmware_options.part = options != NULL ? options->part : NULL;
	firmware_options.record = true;
	firmware_options.board = &board;
	firmware_options.machine.capture_outputs = options == NULL || !options->skip_tensors;
	ai8x_firmware *firmware = NULL;
	ai8x_status status = ai8x_firmware_open(path, &firmware_options, &firmware, error);
	if (status != AI8X_OK)
		return status;
	const ai8x_firmware_result *result = NULL;
	(void)ai8x_firmware_run(firmware, &result);
	*program = ai8x_firmware_take_program(firmware);
	if (*program == NULL)
		status = error_set(error, AI8X_ERR_NOT_STARTED, "%s: %s: %s", path,
		                   board.inference > 0 && result->inference_count < board.inference
		                       ? "it runs fewer inferences"
		                       : "no inference finished",
		                   result->message);
	ai8x_firmware_destroy(firmware);
	return status;
}
