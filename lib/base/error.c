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
	if (error != NULL) {
		char text[AI8X_MESSAGE_SIZE];
		va_list arguments;
		va_start(arguments, format);
		int length = vsnprintf(text, sizeof text, format, arguments);
		va_end(arguments);
		if (length < 0)
			length = 0;
		if ((size_t)length < sizeof text)
			(void)snprintf(text + length, sizeof text - (size_t)length, ": %s", error->message);
		memcpy(error->message, text, sizeof text);
		error->status = status;
	}
	return status;
}

ai8x_status error_no_memory(ai8x_error *error, const char *what)
{
	return error_set(error, AI8X_ERR_NO_MEMORY, "out of memory for %s", what);
}
