// Stands in where the library was built without Unicorn or libelf.
#include <ai8xsim/firmware.h>

#include "base/error.h"

static ai8x_status absent(ai8x_error *error)
{
	return error_set(error, AI8X_ERR_UNSUPPORTED,
	                 "this build cannot run firmware: it was made without Unicorn or libelf");
}

bool ai8x_firmware_available(void)
{
	return false;
}

ai8x_status ai8x_firmware_open(const char *path, const ai8x_firmware_options *options,
                               ai8x_firmware **firmware, ai8x_error *error)
{
	(void)path;
	(void)options;
	*firmware = NULL;
	return absent(error);
}

ai8x_status ai8x_firmware_open_memory(const void *bytes, size_t size, const ai8x_firmware_options *options,
                                      ai8x_firmware **firmware, ai8x_error *error)
{
	(void)bytes;
	(void)size;
	(void)options;
	*firmware = NULL;
	return absent(error);
}

void ai8x_firmware_destroy(ai8x_firmware *firmware)
{
	(void)firmware;
}

const ai8x_part *ai8x_firmware_part(const ai8x_firmware *firmware)
{
	(void)firmware;
	return NULL;
}

ai8x_machine *ai8x_firmware_machine(ai8x_firmware *firmware)
{
	(void)firmware;
	return NULL;
}

bool ai8x_firmware_symbol(const ai8x_firmware *firmware, const char *name, uint32_t *address)
{
	(void)firmware;
	(void)name;
	*address = 0;
	return false;
}

ai8x_status ai8x_firmware_run(ai8x_firmware *firmware, const ai8x_firmware_result **result)
{
	(void)firmware;
	(void)result;
	return AI8X_ERR_UNSUPPORTED;
}

const ai8x_program *ai8x_firmware_program(const ai8x_firmware *firmware)
{
	(void)firmware;
	return NULL;
}

ai8x_program *ai8x_firmware_take_program(ai8x_firmware *firmware)
{
	(void)firmware;
	return NULL;
}
