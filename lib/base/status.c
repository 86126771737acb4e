// Names and texts of status values.
#include <ai8xsim/ai8xsim.h>

static const struct {
	const char *name;
	const char *text;
} statuses[] = {
	[AI8X_OK] = {"AI8X_OK", "done"},
	[AI8X_ERR_ARGUMENT] = {"AI8X_ERR_ARGUMENT", "invalid argument"},
	[AI8X_ERR_NO_MEMORY] = {"AI8X_ERR_NO_MEMORY", "out of memory"},
	[AI8X_ERR_IO] = {"AI8X_ERR_IO", "cannot open, read or write a file"},
	[AI8X_ERR_FORMAT] = {"AI8X_ERR_FORMAT", "a file is not what it should be"},
	[AI8X_ERR_ADDRESS] = {"AI8X_ERR_ADDRESS", "nothing at that bus address"},
	[AI8X_ERR_ALIGNMENT] = {"AI8X_ERR_ALIGNMENT", "misaligned 32-bit access"},
	[AI8X_ERR_LAYER] = {"AI8X_ERR_LAYER", "illegal layer configuration"},
	[AI8X_ERR_CYCLE_LIMIT] = {"AI8X_ERR_CYCLE_LIMIT", "still running at the cycle limit"},
	[AI8X_ERR_STALLED] = {"AI8X_ERR_STALLED", "the machine waits for something that never comes"},
	[AI8X_ERR_NOT_STARTED] = {"AI8X_ERR_NOT_STARTED", "the machine was never started"},
	[AI8X_ERR_UNSUPPORTED] = {"AI8X_ERR_UNSUPPORTED", "not supported"},
	[AI8X_ERR_LIMIT] = {"AI8X_ERR_LIMIT", "larger than accepted"},
	[AI8X_ERR_MISMATCH] = {"AI8X_ERR_MISMATCH", "a check failed"},
	[AI8X_FIFO_FULL] = {"AI8X_FIFO_FULL", "the FIFO is full"},
	[AI8X_WAITING] = {"AI8X_WAITING", "the machine waits for FIFO data"},
	[AI8X_ERR_NETWORK] = {"AI8X_ERR_NETWORK", "a network this part cannot run"},
	[AI8X_ERR_CANCELLED] = {"AI8X_ERR_CANCELLED", "stopped by a callback"},
};

#define STATUS_COUNT (sizeof statuses / sizeof statuses[0])

const char *ai8x_status_name(ai8x_status status)
{
	return (size_t)status < STATUS_COUNT ? statuses[status].name : "AI8X_ERR_?";
}

const char *ai8x_status_text(ai8x_status status)
{
	return (size_t)status < STATUS_COUNT ? statuses[status].text : "unknown status";
}

const char *ai8x_version(void)
{
	return AI8X_VERSION;
}
