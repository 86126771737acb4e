// Filling error messages. Internal counterpart of <ai8xsim/status.h>.
#ifndef AI8X_BASE_ERROR_H
#define AI8X_BASE_ERROR_H

#include <stdarg.h>

#include <ai8xsim/status.h>

// Sets status and message (printf style) where error is not NULL; returns status, so that callers
// can write `return error_set(error, AI8X_ERR_..., "...")`.
ai8x_status error_set(ai8x_error *error, ai8x_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// Puts "prefix: " before an existing message, and sets the status. Returns the status.
ai8x_status error_prefix(ai8x_error *error, ai8x_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// The usual message when the host has no memory left.
ai8x_status error_no_memory(ai8x_error *error, const char *what);

#endif
