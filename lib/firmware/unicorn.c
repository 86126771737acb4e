// Unicorn's functions, found at run time (see unicorn.h).
#include "firmware/unicorn.h"

#include "base/library.h"

static const struct library_function functions[] = {
	{"uc_open", offsetof(struct unicorn, open)},
	{"uc_close", offsetof(struct unicorn, close)},
	{"uc_ctl", offsetof(struct unicorn, ctl)},
	{"uc_strerror", offsetof(struct unicorn, strerror)},
	{"uc_mem_map_ptr", offsetof(struct unicorn, mem_map_ptr)},
	{"uc_mem_unmap", offsetof(struct unicorn, mem_unmap)},
	{"uc_mmio_map", offsetof(struct unicorn, mmio_map)},
	{"uc_mem_read", offsetof(struct unicorn, mem_read)},
	{"uc_mem_write", offsetof(struct unicorn, mem_write)},
	{"uc_reg_read", offsetof(struct unicorn, reg_read)},
	{"uc_reg_write", offsetof(struct unicorn, reg_write)},
	{"uc_hook_add", offsetof(struct unicorn, hook_add)},
	{"uc_emu_start", offsetof(struct unicorn, emu_start)},
	{"uc_emu_stop", offsetof(struct unicorn, emu_stop)},
};

bool unicorn_keep_bad_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                             void *user)
{
	(void)uc;
	(void)size;
	(void)value;
	struct bad_access *bad = user;
	*bad = (struct bad_access){(uint32_t)address, (uint32_t)type};
	return false;
}

ai8x_status unicorn_load(struct unicorn *unicorn, ai8x_error *error)
{
	return library_load(UNICORN_LIBRARY, "running firmware needs the Unicorn library", functions,
	                    sizeof functions / sizeof functions[0], unicorn, error);
}
