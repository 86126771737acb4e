// What exists with and without an engine for firmware: names, defaults, recognising ELF files.
#include <string.h>

#include <ai8xsim/firmware.h>

const char *ai8x_firmware_end_name(ai8x_firmware_end end)
{
	static const char *const names[AI8X_FIRMWARE_ENDS] = {
		[AI8X_FIRMWARE_RETURNED] = "returned",       [AI8X_FIRMWARE_IDLE] = "idle",
		[AI8X_FIRMWARE_EXITED] = "exited",           [AI8X_FIRMWARE_REACHED] = "reached",
		[AI8X_FIRMWARE_TIMEOUT] = "timeout",         [AI8X_FIRMWARE_FAULT] = "fault",
		[AI8X_FIRMWARE_ACCELERATOR] = "accelerator", [AI8X_FIRMWARE_UNMODELLED] = "unmodelled",
		[AI8X_FIRMWARE_CANCELLED] = "cancelled",
	};
	return (unsigned)end < AI8X_FIRMWARE_ENDS ? names[end] : "unknown";
}

ai8x_firmware_options ai8x_firmware_options_default(void)
{
	return (ai8x_firmware_options){
		.machine = ai8x_machine_options_default(),
		// About ten seconds of a small host; the largest known image executes 30 million.
		.max_instructions = 500000000,
		.max_seconds = 60,
	};
}

bool ai8x_firmware_is_elf(const void *bytes, size_t size)
{
	if (bytes == NULL)
		return false;
	return size >= 4 && memcmp(bytes, "\177ELF", 4) == 0;
}
