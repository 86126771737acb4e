// Error messages: how every other block says what went wrong.
#include "base/error.h"

#include <stdio.h>
#include <string.h>

ai8x_status error_set(ai8x_error *error, ai8x_status status, const char *format, ...)
{
	if (error != NULL) {
		va_list arguments;
		va_start(arguments, format);
		error->status = status;
		(void)vsnprintf(error->message, sizeof error->message, format, arguments);
		va_end(arguments);
	}
	return status;
}

ai8x_status error_prefix(ai8x_error *error, ai8x_status status, const char *format, ...)
{
	if (error == NULL)
		return status;
	char text[2 * AI8X_MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, AI8X_MESSAGE_SIZE, format, arguments);
	va_end(arguments);
	// A prefix that was cut at the buffer's end counts with what is there.
	size_t used = length < 0                           ? 0
	              : (size_t)length < AI8X_MESSAGE_SIZE ? (size_t)length
	                                                   : AI8X_MESSAGE_SIZE - 1;
	(void)snprintf(text + used, sizeof text - used, ": %s", error->message);
	text[AI8X_MESSAGE_SIZE - 1] = '\0';
	memcpy(error->message, text, AI8X_MESSAGE_SIZE);
	error->status = status;
	return status;
}

bool error_null_among(ai8x_error *error, const char *function, const char *names, const void *const *pointers,
                      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const size_t length = strcspn(names, ",");
		if (pointers[i] == NULL) {
			(void)error_set(error, AI8X_ERR_ARGUMENT, "%s(): %.*s may not be null", function, (int)length,
			                names);
			return true;
		}
		names += length + strspn(names + length, ", ");
	}
	return false;
}

ai8x_status error_no_memory(ai8x_error *error, const char *what)
{
	return error_set(error, AI8X_ERR_NO_MEMORY, "out of memory for %s", what);
}
