// Fuzz target: any bytes as firmware. Opening and a short run must end with a status, in bounded memory.
#include <ai8xsim/ai8xsim.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ai8x_firmware_options options = ai8x_firmware_options_default();
	options.max_instructions = 20000;
	options.max_seconds = 1;
	options.record = true;
	ai8x_firmware *firmware = NULL;
	if (ai8x_firmware_open_memory(data, size, &options, &firmware, NULL) == AI8X_OK)
		(void)ai8x_firmware_run(firmware, NULL);
	ai8x_firmware_destroy(firmware);
	return 0;
}
