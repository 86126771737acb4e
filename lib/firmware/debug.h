// A debugger that looks at the core: where it stops, and the protocol by which it is told.
//
// debug.c decides about stops, gdb.c speaks the remote serial protocol, gdb_registers.c and gdb_monitor.c are what
// it shows. The core calls debug.c before every instruction and gdb.c while it stands still.
#ifndef AI8X_FIRMWARE_DEBUG_H
#define AI8X_FIRMWARE_DEBUG_H

#include "firmware/soc.h"

#define DEBUG_MAX_BREAKPOINTS 256
#define DEBUG_MAX_WATCHPOINTS 16

enum debug_access { DEBUG_WRITE = 1, DEBUG_READ = 2, DEBUG_ANY = 3 };

struct debug_watchpoint {
	uint32_t address, bytes;
	enum debug_access access;
};

// Signal numbers of the remote protocol.
enum debug_signal { DEBUG_INTERRUPTED = 2, DEBUG_TRAP = 5, DEBUG_ABORTED = 6, DEBUG_FAULT = 11 };

struct gdb;

struct debugger {
	uint32_t breakpoints[DEBUG_MAX_BREAKPOINTS];
	size_t breakpoint_count;
	struct debug_watchpoint watchpoints[DEBUG_MAX_WATCHPOINTS];
	size_t watchpoint_count;
	const struct debug_watchpoint *hit; // by the last instruction
	uint32_t hit_address;

	bool attached;       // false after detaching: the run goes on alone
	bool halted;         // stop now, and talk
	bool stepping;       // stop after one instruction of this level of exceptions
	unsigned depth;      // that level
	bool moved;          // an instruction was met since the core went on
	uint64_t met;        // instructions in all
	uint32_t resumed_at; // address from which it went on
	enum debug_signal signal;

	// The block of code whose cycles have been counted, and where the core stopped in it.
	uint32_t block_start, block_end, stopped_at;

	struct gdb *gdb;
};

// ---- debug.c ----

// false: no room.
bool debug_add_breakpoint(struct debugger *debugger, uint32_t address);
bool debug_add_watchpoint(struct debugger *debugger, struct debug_watchpoint watchpoint);
void debug_remove_breakpoint(struct debugger *debugger, uint32_t address);
void debug_remove_watchpoint(struct debugger *debugger, struct debug_watchpoint watchpoint);
// The core goes on from pc.
void debug_resume(struct ai8x_firmware *soc, uint32_t pc, bool step);
// The core met the instruction at address and has not carried it out: true to stop.
bool debug_meets(struct ai8x_firmware *soc, uint32_t address);
// The core reads or writes memory.
void debug_accesses(struct ai8x_firmware *soc, uint32_t address, uint32_t bytes, bool write);
// The core goes on in the middle of a block that has been counted.
bool debug_is_inside(struct ai8x_firmware *soc);
// The same for the block that begins at address; true once.
bool debug_goes_on(struct debugger *debugger, uint32_t address);

// ---- gdb.c ----

// Listens on a socket that the caller owns. NULL: out of memory.
struct debugger *gdb_open(int listener);
void gdb_close(struct debugger *debugger);
// The core stands still: waits for a debugger, tells it why, and does as it says until the core goes on.
void gdb_talk(struct ai8x_firmware *soc);
// The debugger asks to stop.
bool gdb_interrupts(struct ai8x_firmware *soc);
// The run is over.
void gdb_finish(struct ai8x_firmware *soc);

// ---- gdb_registers.c ----

#define GDB_REGISTERS 40
extern const char gdb_target_description[];
// Bytes of register number; 0: there is none.
unsigned gdb_register_bytes(unsigned number);
void gdb_register_read(struct ai8x_firmware *soc, unsigned number, uint8_t *bytes);
void gdb_register_write(struct ai8x_firmware *soc, unsigned number, const uint8_t *bytes);

// ---- gdb_monitor.c ----

// Carries out a command of the monitor; the answer is a text that the caller frees. NULL: out of memory.
char *gdb_monitor(struct ai8x_firmware *soc, const char *command);

#endif
