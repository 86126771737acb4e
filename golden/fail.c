// Error messages of the referee (see fail.h).
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

ai8x_status golden_fail(ai8x_error *error, ai8x_status status, const char *format, ...)
{
	if (error != NULL) {
		error->status = status;
		va_list arguments;
		va_start(arguments, format);
		vsnprintf(error->message, sizeof error->message, format, arguments);
		va_end(arguments);
	}
	return status;
}

ai8x_status golden_fail_in_layer(ai8x_error *error, ai8x_status status, unsigned layer)
{
	if (error != NULL) {
		char text[AI8X_MESSAGE_SIZE];
		memcpy(text, error->message, sizeof text);
		(void)snprintf(error->message, sizeof error->message, "golden model: layer %u: %.*s", layer,
		               AI8X_MESSAGE_SIZE - 64, text);
	}
	return status;
}
