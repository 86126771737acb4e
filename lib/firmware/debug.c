// Where the core stops for a debugger.
//
// Breakpoints leave memory as it is: every instruction is met before it is carried out. A step over an instruction
// that an interrupt precedes runs through its handler, as debug probes do it.
#include "firmware/debug.h"

#define NOWHERE 1u // odd: no instruction lies there

bool debug_add_breakpoint(struct debugger *debugger, uint32_t address)
{
	debug_remove_breakpoint(debugger, address);
	if (debugger->breakpoint_count == DEBUG_MAX_BREAKPOINTS)
		return false;
	debugger->breakpoints[debugger->breakpoint_count++] = address & ~1u;
	return true;
}

void debug_remove_breakpoint(struct debugger *debugger, uint32_t address)
{
	for (size_t i = 0; i < debugger->breakpoint_count; i++)
		if (debugger->breakpoints[i] == (address & ~1u))
			debugger->breakpoints[i--] = debugger->breakpoints[--debugger->breakpoint_count];
}

static bool same(const struct debug_watchpoint *a, const struct debug_watchpoint *b)
{
	return a->address == b->address && a->bytes == b->bytes && a->access == b->access;
}

bool debug_add_watchpoint(struct debugger *debugger, struct debug_watchpoint watchpoint)
{
	debug_remove_watchpoint(debugger, watchpoint);
	if (debugger->watchpoint_count == DEBUG_MAX_WATCHPOINTS || watchpoint.bytes == 0)
		return false;
	debugger->watchpoints[debugger->watchpoint_count++] = watchpoint;
	return true;
}

void debug_remove_watchpoint(struct debugger *debugger, struct debug_watchpoint watchpoint)
{
	for (size_t i = 0; i < debugger->watchpoint_count; i++)
		if (same(&debugger->watchpoints[i], &watchpoint))
			debugger->watchpoints[i--] = debugger->watchpoints[--debugger->watchpoint_count];
}

void debug_resume(struct ai8x_firmware *soc, uint32_t pc, bool step)
{
	struct debugger *debugger = soc->debugger;
	debugger->halted = debugger->moved = false;
	debugger->hit = NULL;
	debugger->stepping = step;
	debugger->depth = soc->nvic.depth;
	debugger->resumed_at = pc & ~1u;
	debugger->signal = DEBUG_TRAP;
	// Another place than that of the stop: counting begins anew.
	if (debugger->resumed_at != debugger->stopped_at)
		debugger->stopped_at = NOWHERE;
}

static bool is_breakpoint(const struct debugger *debugger, uint32_t address)
{
	for (size_t i = 0; i < debugger->breakpoint_count; i++)
		if (debugger->breakpoints[i] == address)
			return true;
	return false;
}

bool debug_meets(struct ai8x_firmware *soc, uint32_t address)
{
	struct debugger *debugger = soc->debugger;
	const bool first = !debugger->moved && address == debugger->resumed_at;
	if (!first || soc->nvic.depth == debugger->depth)
		debugger->moved = true;
	if (!debugger->halted &&
	    (first || (debugger->hit == NULL && !is_breakpoint(debugger, address) &&
	               !(debugger->stepping && debugger->moved && soc->nvic.depth <= debugger->depth))))
		return false;
	debugger->halted = true;
	debugger->stopped_at = address;
	return true;
}

void debug_accesses(struct ai8x_firmware *soc, uint32_t address, uint32_t bytes, bool write)
{
	struct debugger *debugger = soc->debugger;
	for (size_t i = 0; i < debugger->watchpoint_count; i++) {
		const struct debug_watchpoint *watchpoint = &debugger->watchpoints[i];
		const bool meet = (uint64_t)address + bytes > watchpoint->address &&
		                  address < (uint64_t)watchpoint->address + watchpoint->bytes;
		if (!meet || (watchpoint->access & (write ? DEBUG_WRITE : DEBUG_READ)) == 0)
			continue;
		debugger->hit = watchpoint;
		debugger->hit_address = watchpoint->address;
	}
}

static bool is_inside(const struct debugger *debugger, uint32_t address)
{
	return address == debugger->stopped_at && address >= debugger->block_start &&
	       address < debugger->block_end;
}

bool debug_is_inside(struct ai8x_firmware *soc)
{
	return is_inside(soc->debugger, soc_register(soc, UC_ARM_REG_PC) & ~1u);
}

bool debug_goes_on(struct debugger *debugger, uint32_t address)
{
	const bool inside = is_inside(debugger, address);
	debugger->stopped_at = NOWHERE;
	return inside;
}
