// Libraries that are loaded when they are first needed: most runs need none of them.
#ifndef AI8X_BASE_LIBRARY_H
#define AI8X_BASE_LIBRARY_H

#include <stddef.h>

#include <ai8xsim/status.h>

struct library_function {
	const char *name;
	size_t place; // of its pointer in the caller's table
};

// Fills the table with the functions of that shared library. AI8X_ERR_UNSUPPORTED: it or one of them is missing; need
// says who asks, as "pictures need libpng". It stays loaded: loading it again costs more than its place.
ai8x_status library_load(const char *file, const char *need, const struct library_function *functions,
                         size_t count, void *table, ai8x_error *error);

#endif
