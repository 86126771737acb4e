// Unicorn's functions, found at run time (see unicorn.h).
#include "firmware/unicorn.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"

static const struct {
	const char *name;
	size_t place;
} functions[] = {
	{"uc_open", offsetof(struct unicorn, open)},
	{"uc_close", offsetof(struct unicorn, close)},
	{"uc_ctl", offsetof(struct unicorn, ctl)},
	{"uc_strerror", offsetof(struct unicorn, strerror)},
	{"uc_mem_map", offsetof(struct unicorn, mem_map)},
	{"uc_mmio_map", offsetof(struct unicorn, mmio_map)},
	{"uc_mem_read", offsetof(struct unicorn, mem_read)},
	{"uc_mem_write", offsetof(struct unicorn, mem_write)},
	{"uc_reg_read", offsetof(struct unicorn, reg_read)},
	{"uc_reg_write", offsetof(struct unicorn, reg_write)},
	{"uc_hook_add", offsetof(struct unicorn, hook_add)},
	{"uc_emu_start", offsetof(struct unicorn, emu_start)},
	{"uc_emu_stop", offsetof(struct unicorn, emu_stop)},
};

ai8x_status unicorn_load(struct unicorn *unicorn, ai8x_error *error)
{
	// Never unloaded: loading it again costs more than its place, and other machines may be using it.
	void *library = dlopen(UNICORN_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (library == NULL)
		return error_set(error, AI8X_ERR_UNSUPPORTED, "running firmware needs the Unicorn library: %s",
		                 dlerror());
	for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
		void *function = dlsym(library, functions[i].name);
		if (function == NULL)
			return error_set(error, AI8X_ERR_UNSUPPORTED, "the Unicorn library lacks a function: %s",
			                 dlerror());
		memcpy((char *)unicorn + functions[i].place, &function, sizeof function);
	}
	return AI8X_OK;
}
