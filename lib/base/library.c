// Functions of shared libraries, found at run time (see library.h).
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/error.h"

ai8x_status library_load(const char *file, const char *need, const struct library_function *functions,
                         size_t count, void *table, ai8x_error *error)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; i < count; i++) {
		void *function = library != NULL ? dlsym(library, functions[i].name) : NULL;
		if (function == NULL)
			return error_set(error, AI8X_ERR_UNSUPPORTED, "%s: %s", need, dlerror());
		// Copied as bytes: C has no conversion from objects to functions.
		memcpy((char *)table + functions[i].place, &function, sizeof function);
	}
	return AI8X_OK;
}
