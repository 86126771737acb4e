// Firmware in the place of a program: commands that take programs open them here.
#include <stdio.h>

#include <ai8xsim/firmware.h>

#include "base/error.h"

static bool is_elf_file(const char *path)
{
	char magic[4] = {0};
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return false;
	size_t size = fread(magic, 1, sizeof magic, file);
	(void)fclose(file);
	return ai8x_firmware_is_elf(magic, size);
}

ai8x_status ai8x_firmware_open_program(const char *path, const ai8x_program_options *options,
                                       ai8x_program **program, ai8x_error *error)
{
	if (path == NULL || program == NULL)
		return error_set(error, AI8X_ERR_ARGUMENT, "no path, or no place for the program");
	*program = NULL;
	if (!is_elf_file(path))
		return ai8x_program_open(path, options, program, error);

	ai8x_firmware_options firmware_options = ai8x_firmware_options_default();
	firmware_options.part = options != NULL ? options->part : NULL;
	firmware_options.record = true;
	firmware_options.machine.capture_outputs = options == NULL || !options->skip_tensors;
	ai8x_firmware *firmware = NULL;
	ai8x_status status = ai8x_firmware_open(path, &firmware_options, &firmware, error);
	if (status != AI8X_OK)
		return status;
	const ai8x_firmware_result *result = NULL;
	(void)ai8x_firmware_run(firmware, &result);
	*program = ai8x_firmware_take_program(firmware);
	if (*program == NULL)
		status =
			error_set(error, AI8X_ERR_NOT_STARTED, "%s: no inference finished: %s", path, result->message);
	ai8x_firmware_destroy(firmware);
	return status;
}
