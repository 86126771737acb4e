// Filling error messages. Internal counterpart of <ai8xsim/status.h>.
#ifndef AI8X_BASE_ERROR_H
#define AI8X_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <ai8xsim/status.h>

// Sets status and message (printf style) where error is not NULL; returns status, so that callers
// can write `return error_set(error, AI8X_ERR_..., "...")`.
ai8x_status error_set(ai8x_error *error, ai8x_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// Puts "prefix: " before an existing message, and sets the status. Returns the status.
ai8x_status error_prefix(ai8x_error *error, ai8x_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// An argument error for the pointer `name` of the calling function, which is null.
#define error_null(error, name)                                                                              \
	error_set((error), AI8X_ERR_ARGUMENT, "%s(): %s may not be null", __func__, (name))

// True when one of the pointers is null; sets the error, which names the first of them.
#define error_if_null(error, ...)                                                                            \
	error_null_among((error), __func__, #__VA_ARGS__, (const void *const[]){__VA_ARGS__},                    \
	                 sizeof((const void *const[]){__VA_ARGS__}) / sizeof(const void *))
bool error_null_among(ai8x_error *error, const char *function, const char *names, const void *const *pointers,
                      size_t count);

// The usual message when the host has no memory left.
ai8x_status error_no_memory(ai8x_error *error, const char *what);

#endif
