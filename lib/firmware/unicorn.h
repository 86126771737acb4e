// Unicorn, loaded when the first firmware is opened: it and what it needs take longer to load than most programs
// take to run, and most runs have no firmware.
#ifndef AI8X_FIRMWARE_UNICORN_H
#define AI8X_FIRMWARE_UNICORN_H

#include <unicorn/unicorn.h>

#include <ai8xsim/status.h>

// Unicorn's functions under their own names, without "uc_".
struct unicorn {
	__typeof__(uc_open) *open;
	__typeof__(uc_close) *close;
	__typeof__(uc_ctl) *ctl;
	__typeof__(uc_strerror) *strerror;
	__typeof__(uc_mem_map_ptr) *mem_map_ptr;
	__typeof__(uc_mem_unmap) *mem_unmap;
	__typeof__(uc_mmio_map) *mmio_map;
	__typeof__(uc_mem_read) *mem_read;
	__typeof__(uc_mem_write) *mem_write;
	__typeof__(uc_reg_read) *reg_read;
	__typeof__(uc_reg_write) *reg_write;
	__typeof__(uc_hook_add) *hook_add;
	__typeof__(uc_emu_start) *emu_start;
	__typeof__(uc_emu_stop) *emu_stop;
};

// Where an emulated core went last that it may not, and a uc_mem_type that says how.
struct bad_access {
	uint32_t address, kind;
};

// Hook for UC_HOOK_MEM_INVALID; `user` is a struct bad_access. The core stops there.
bool unicorn_keep_bad_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                             void *user);

// Loads the library that the build found. AI8X_ERR_UNSUPPORTED: it is not on this system.
ai8x_status unicorn_load(struct unicorn *unicorn, ai8x_error *error);

#endif
