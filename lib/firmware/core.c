// The core: Unicorn's Cortex-M4, and the loop that joins it with interrupts and time.
//
// Built round what Unicorn 2.0.1 was measured to do (firmware reference 7): the program counter is exact in
// block hooks only, so that every stop happens there; no instruction hook exists; exceptions are entered and
// left by hand between two runs of the engine.
#include "firmware/board.h"
#include "firmware/debug.h"
#include "firmware/power.h"
#include "firmware/rv32.h"
#include "firmware/vcd.h"

#include <stdio.h>

#include "base/error.h"

// Never reached by Thumb code.
#define NOWHERE 0xFFFFFFFEu

#define RAISED_NOTHING UINT32_MAX
#define RAISED_SVC 2
#define RAISED_BREAKPOINT 7
#define RAISED_RETURN 8

#define CODE_WFI 0xBF30
#define CODE_WFE 0xBF20
#define CODE_SEMIHOSTING 0xBEAB
#define CODE_LOOP 0xE7FE
#define CODE_LOOP_WIDE 0xBFFEF7FFu
#define CODE_LOOP_LINK 0xFFFEF7FFu

// A sleeping core that nothing can wake is given so many chances: the interrupt may have come between the
// test and the WFI.
#define SLEEPS_LIMIT 1000
#define LAST_FAULT 6 // number of the last of the fault exceptions
// Code units between two looks around.
#define LOOK_INSTRUCTIONS 262144
#define LOOP_LIMIT 32

static void on_interrupt(uc_engine *uc, uint32_t number, void *user)
{
	struct ai8x_firmware *soc = user;
	soc->interrupt = number;
	(void)soc->unicorn.emu_stop(uc);
}

// ---- blocks ----

static bool is_loop(struct ai8x_firmware *soc, uint32_t address)
{
	uint32_t code = 0;
	if (soc->unicorn.mem_read(soc->uc, address & ~1u, &code, 4) != UC_ERR_OK)
		return false;
	return (code & 0xFFFF) == CODE_LOOP || code == CODE_LOOP_WIDE || code == CODE_LOOP_LINK;
}

// Bits of the fault status register.
#define FAULT_FETCH_FORBIDDEN (1u << 0)
#define FAULT_FETCH (1u << 8)
#define FAULT_ACCESS (1u << 9 | 1u << 15) // precise, with its address
#define FAULT_INSTRUCTION (1u << 16)

static void lock_up(struct ai8x_firmware *soc, ai8x_status status)
{
	char state[96];
	nvic_describe_fault(soc, state, sizeof state);
	watchdog_where(soc);
	soc_end(soc, AI8X_FIRMWARE_FAULT, status, "%s (%s)", soc->fault_text, state);
}

// The handler runs, as on a chip; only where there is none the run ends at once.
static void fault(struct ai8x_firmware *soc, uc_err status, uint32_t pc)
{
	char where[96];
	image_describe(&soc->image, soc->block, where, sizeof where);
	static const struct {
		uint32_t kind, status;
		const char *text;
	} kinds[] = {
		{UC_MEM_READ_UNMAPPED, FAULT_ACCESS, "reads"},
		{UC_MEM_WRITE_UNMAPPED, FAULT_ACCESS, "writes"},
		{UC_MEM_FETCH_UNMAPPED, FAULT_FETCH, "jumps to"},
		{UC_MEM_READ_PROT, FAULT_ACCESS, "reads"},
		{UC_MEM_WRITE_PROT, FAULT_ACCESS, "writes"},
		{UC_MEM_FETCH_PROT, FAULT_FETCH_FORBIDDEN, "jumps to"},
	};
	uint32_t bits = FAULT_INSTRUCTION;
	(void)snprintf(soc->fault_text, sizeof soc->fault_text, "the code at %s (0x%08x) cannot go on: %s", where,
	               pc, soc->unicorn.strerror(status));
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (soc->bad.kind == kinds[i].kind) {
			const bool forbidden = soc->bad.kind == UC_MEM_WRITE_PROT || soc->bad.kind == UC_MEM_FETCH_PROT;
			bits = kinds[i].status;
			(void)snprintf(soc->fault_text, sizeof soc->fault_text,
			               "bus fault: the code at %s %s 0x%08x, where %s", where, kinds[i].text,
			               soc->bad.address, forbidden ? "that is not allowed" : "the part has nothing");
		}
	const ai8x_status kind = bits == FAULT_INSTRUCTION ? AI8X_ERR_UNSUPPORTED : AI8X_ERR_ADDRESS;
	// Where it jumped from is what a handler wants to know.
	if (bits == FAULT_FETCH || bits == FAULT_FETCH_FORBIDDEN) {
		const uint32_t from = soc->block;
		(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_PC, &from);
	}
	if (!nvic_fault(soc, bits, soc->bad.address))
		lock_up(soc, kind);
	soc->attention = true;
}

// The second core has the chip's time for itself until the first is asked for, or both rest.
static void let_second_run(struct ai8x_firmware *soc)
{
	while (!soc->ended && rv32_is_alive(soc) && nvic_next(soc, false) == 0) {
		if (rv32_runs(soc)) {
			soc->attention = false;
			rv32_lead(soc);
		} else {
			cnn_settle(soc);
			const uint64_t next = events_next_interrupt(soc);
			if (next == TIME_NEVER)
				break;
			soc_pass_until(soc, board_wait(soc, next));
		}
		events_sync(soc);
		watchdog_check(soc);
	}
	soc->rv32.leads = false;
	soc_changed(soc);
}

// The core rests: time goes to the next event that can interrupt it, or the program is over.
static void rest(struct ai8x_firmware *soc, const char *how)
{
	char where[96];
	cnn_settle(soc);
	events_sync(soc);
	if (soc->ended)
		return;
	if (nvic_next(soc, true) != 0) {
		soc->attention = true;
		return;
	}
	if (rv32_is_alive(soc)) {
		let_second_run(soc);
		if (soc->ended || nvic_next(soc, false) != 0) {
			soc->attention = true;
			return;
		}
	}
	// After main only a running accelerator is worth waiting for: timers may interrupt for ever.
	uint64_t next = events_next_interrupt(soc);
	if (next != TIME_NEVER && !(soc->main_returned && !soc->cnn.busy)) {
		soc_pass_until(soc, board_wait(soc, next));
		events_sync(soc);
		watchdog_check(soc);
		return;
	}
	// The accelerator may still work for nobody: its end belongs to the result.
	if (soc->cnn.busy && !soc->cnn.paused && soc->cnn.end != TIME_NEVER) {
		soc_pass_until(soc, soc->cnn.end);
		events_sync(soc);
	}
	if (nvic_in_fault(soc)) {
		lock_up(soc, AI8X_ERR_ADDRESS);
		return;
	}
	watchdog_where(soc);
	image_describe(&soc->image, soc->block, where, sizeof where);
	if (soc->main_returned)
		soc_end(soc, AI8X_FIRMWARE_RETURNED, AI8X_OK, "main returned %d", soc->main_result);
	else {
		char wait[256] = "";
		if (soc->cnn.busy)
			(void)ai8x_machine_explain_wait(soc->cnn.machine, wait, sizeof wait);
		soc_end(soc, AI8X_FIRMWARE_IDLE, AI8X_OK, "the core %s at %s, and nothing can end that%s%s", how,
		        where, wait[0] != 0 ? "; accelerator: " : "", wait);
	}
}

// Start-up code has cleared and copied: buffers keep what is put into them now.
static void load_buffers(struct ai8x_firmware *soc)
{
	const ai8x_firmware_board *board = soc->options.board;
	for (size_t i = 0; board != NULL && i < board->load_count; i++)
		(void)soc->unicorn.mem_write(soc->uc, image_find(&soc->image, board->loads[i].symbol)->address,
		                             board->loads[i].bytes, board->loads[i].size);
}

// Back to the caller with the stub's value.
static void return_stub(struct ai8x_firmware *soc)
{
	const uint32_t back = soc_register(soc, UC_ARM_REG_LR) | 1;
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_R0, &soc->stub->value);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_PC, &back);
	soc->stub = NULL;
}

// Now and then: has the run lasted too long, does the caller want it to end?
static void look_around(struct ai8x_firmware *soc)
{
	const ai8x_firmware_options *options = &soc->options;
	watchdog_check(soc);
	(void)soc_may_go_on(soc);
	soc->look_at = soc->instructions + LOOK_INSTRUCTIONS;
	if (soc->look_at > options->max_instructions)
		soc->look_at = options->max_instructions;
}

// Everything that needs more than the hot path below. Returns true to leave the engine before the block.
static bool before_block(struct ai8x_firmware *soc, uint32_t address)
{
	if (soc->ended || soc->backs_up)
		return true;
	if (soc->now >= soc->wake) {
		events_sync(soc);
		watchdog_check(soc);
		if (soc->now >= soc->rv32.due)
			return true;
	}
	if (soc->instructions >= soc->look_at)
		look_around(soc);
	for (size_t i = 0; i < soc->stub_count; i++)
		if (address == soc->stubs[i]) {
			soc->stub = &soc->options.board->stubs[i];
			return true;
		}
	if (soc->until_known && address == soc->until_address)
		soc_end(soc, AI8X_FIRMWARE_REACHED, AI8X_OK, "reached %s", soc->until_name);
	if (soc->main_known && address == soc->main_address && soc->main_return == 0)
		soc->main_return = soc_register(soc, UC_ARM_REG_LR) & ~1u;
	if (address == soc->main_address && soc->main_known)
		load_buffers(soc);
	if (address == soc->main_return && soc->main_return != 0 && !soc->main_returned) {
		soc->main_returned = true;
		soc->main_result = (int32_t)soc_register(soc, UC_ARM_REG_R0);
	}
	if (soc->ended)
		return true;
	if (!soc->attention)
		return false;
	if (nvic_next(soc, true) != 0)
		return true;
	// Something may be due that PRIMASK holds back: keep looking.
	soc->attention = nvic_next(soc, false) != 0;
	return false;
}

// Leaves the engine before the block that begins. A debugger's hook comes next and does so.
static void leave(struct ai8x_firmware *soc)
{
	soc->stopped = true;
	if (soc->debugger == NULL)
		(void)soc->unicorn.emu_stop(soc->uc);
}

static void on_block(uc_engine *uc, uint64_t block, uint32_t size, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t address = (uint32_t)block;
	if (soc->debugger != NULL) {
		if (debug_goes_on(soc->debugger, address))
			return;
		soc->debugger->block_start = address;
		soc->debugger->block_end = address + size;
	}
	if (soc->attention || soc->stub_count > 0 || soc->now >= soc->wake || soc->instructions >= soc->look_at ||
	    address == soc->main_address || address == soc->main_return || address == soc->until_address) {
		if (before_block(soc, address)) {
			leave(soc);
			return;
		}
	}
	if (address == soc->block && soc->accesses == soc->repeat_accesses && size <= 4) {
		if (++soc->block_repeats % LOOP_LIMIT == 0 && is_loop(soc, address)) {
			rest(soc, "loops");
			if (soc->ended || soc->attention) {
				leave(soc);
				return;
			}
		}
	} else {
		soc->block_repeats = 0;
		soc->repeat_accesses = soc->accesses;
	}
	soc->block = address;
	soc->instructions += size / 2;
	soc_pass(soc, core_block_cycles(soc, address, size));
}

// ---- debugger ----

// Unicorn takes hook functions as void *, which ISO C has no cast for.
union hook_function {
	uc_cb_hookcode_t block;
	uc_cb_hookintr_t interrupt;
	uc_cb_eventmem_t memory;
	uc_cb_hookmem_t access;
	void *pointer;
};

#define INSTRUCTIONS_BETWEEN_LOOKS 0x4000u

static void on_instruction(uc_engine *uc, uint64_t address, uint32_t size, void *user)
{
	(void)size;
	struct ai8x_firmware *soc = user;
	struct debugger *debugger = soc->debugger;
	if (!soc->stopped && debugger->attached) {
		if (++debugger->met % INSTRUCTIONS_BETWEEN_LOOKS == 0 && gdb_interrupts(soc))
			debugger->halted = true;
		if (!debug_meets(soc, (uint32_t)address))
			return;
	}
	if (soc->stopped || debugger->halted)
		(void)soc->unicorn.emu_stop(uc);
}

static void on_access(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value, void *user)
{
	(void)uc;
	(void)value;
	debug_accesses(user, (uint32_t)address, (uint32_t)size, type == UC_MEM_WRITE);
}

static uc_err add_debug_hooks(struct ai8x_firmware *soc)
{
	uc_hook hook;
	union hook_function function = {.block = on_instruction};
	uc_err status = soc->unicorn.hook_add(soc->uc, &hook, UC_HOOK_CODE, function.pointer, soc, 1, 0);
	function.access = on_access;
	if (status == UC_ERR_OK)
		status = soc->unicorn.hook_add(soc->uc, &hook, UC_HOOK_MEM_READ | UC_HOOK_MEM_WRITE, function.pointer,
		                               soc, 1, 0);
	return status;
}

// ---- engine ----

ai8x_status core_create(struct ai8x_firmware *soc, ai8x_error *error)
{
	ai8x_status loaded = unicorn_load(&soc->unicorn, error);
	if (loaded != AI8X_OK)
		return loaded;
	uc_err status = soc->unicorn.open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &soc->uc);
	if (status == UC_ERR_OK)
		status = soc->unicorn.ctl(soc->uc, UC_CTL_WRITE(UC_CTL_CPU_MODEL, 1), UC_CPU_ARM_CORTEX_M4);
	if (status != UC_ERR_OK)
		return error_set(error, AI8X_ERR_NO_MEMORY, "Unicorn: %s", soc->unicorn.strerror(status));
	ai8x_status mapped = core_bus_map(soc, error);
	if (mapped != AI8X_OK)
		return mapped;
	uc_hook hook;
	union hook_function function = {.block = on_block};
	status = soc->unicorn.hook_add(soc->uc, &hook, UC_HOOK_BLOCK, function.pointer, soc, 1, 0);
	function.interrupt = on_interrupt;
	if (status == UC_ERR_OK)
		status = soc->unicorn.hook_add(soc->uc, &hook, UC_HOOK_INTR, function.pointer, soc, 1, 0);
	function.memory = unicorn_keep_bad_access;
	if (status == UC_ERR_OK)
		status =
			soc->unicorn.hook_add(soc->uc, &hook, UC_HOOK_MEM_INVALID, function.pointer, &soc->bad, 1, 0);
	if (status == UC_ERR_OK && soc->debugger != NULL)
		status = add_debug_hooks(soc);
	if (status != UC_ERR_OK)
		return error_set(error, AI8X_ERR_NO_MEMORY, "Unicorn hooks: %s", soc->unicorn.strerror(status));
	return AI8X_OK;
}

static uint32_t code_at(struct ai8x_firmware *soc, uint32_t address)
{
	uint16_t code = 0;
	(void)soc->unicorn.mem_read(soc->uc, address & ~1u, &code, 2);
	return code;
}

static void sleep_deeply(struct ai8x_firmware *soc, enum power_mode mode)
{
	char where[96];
	if (power_sleep(soc, mode) || soc->ended)
		return;
	watchdog_where(soc);
	image_describe(&soc->image, soc->block, where, sizeof where);
	soc_end(soc, AI8X_FIRMWARE_IDLE, AI8X_OK,
	        "the chip is in %s mode at %s, and no event that could end it will come",
	        mode == POWER_MICRO     ? "micro-power"
	        : mode == POWER_STANDBY ? "standby"
	                                : "backup",
	        where);
}

// Whether a debugger halts the core, now or since it was last asked.
static bool debugger_halts(struct ai8x_firmware *soc)
{
	struct debugger *debugger = soc->debugger;
	if (debugger == NULL)
		return false;
	if (debugger->attached && !debugger->halted && gdb_interrupts(soc))
		debugger->halted = true;
	return debugger->halted;
}

// Sleep until an interrupt is pending: what peripherals do meanwhile on their own, word by word, wakes nobody.
static void sleep_on(struct ai8x_firmware *soc)
{
	do
		rest(soc, "sleeps");
	while (!soc->ended && nvic_next(soc, false) == 0 &&
	       (events_next_interrupt(soc) != TIME_NEVER || rv32_is_alive(soc)) && !debugger_halts(soc));
}

static void wait_for_interrupt(struct ai8x_firmware *soc)
{
	cnn_settle(soc);
	events_sync(soc);
	watchdog_check(soc);
	if (soc->ended)
		return;
	// PRIMASK holds back the exception, not the waking.
	if (nvic_next(soc, false) != 0) {
		soc->sleeps = 0;
		return;
	}
	const bool deep = nvic_sleeps_deep(soc);
	const enum power_mode mode = deep ? power_mode(soc) : POWER_SLEEP;
	if (mode == POWER_MICRO || mode == POWER_STANDBY) {
		sleep_deeply(soc, mode);
		return;
	}
	if (events_next_interrupt(soc) != TIME_NEVER || rv32_is_alive(soc))
		soc->sleeps = 0;
	else if (++soc->sleeps <= SLEEPS_LIMIT)
		return;
	phase_sleep(soc, mode == POWER_LOW ? POWER_LOW : POWER_SLEEP);
	sleep_on(soc);
	phase_sleep(soc, POWER_ACTIVE);
	if (deep)
		power_wake(soc);
}

static void handle_stop(struct ai8x_firmware *soc, uc_err status)
{
	uint32_t pc = soc_register(soc, UC_ARM_REG_PC);
	if (soc->debugger != NULL && soc->debugger->halted)
		return;
	if (soc->interrupt == RAISED_RETURN) {
		// Bit 0 is lost on the way.
		if (nvic_return(soc, pc | 1)) {
			if (nvic_sleeps_on_exit(soc))
				wait_for_interrupt(soc);
		} else
			soc_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_ADDRESS,
			        "return from an exception that was not entered, or with a broken stack");
	} else if (soc->interrupt == RAISED_SVC) {
		soc->nvic.svc = true;
	} else if (soc->interrupt == RAISED_BREAKPOINT) {
		if (code_at(soc, pc) == CODE_SEMIHOSTING) {
			semihosting(soc, pc);
		} else {
			char where[96];
			image_describe(&soc->image, pc, where, sizeof where);
			soc->block = pc;
			watchdog_where(soc);
			soc_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_STALLED, "breakpoint instruction at %s", where);
		}
	} else if (soc->stopped) {
		if (soc->stub != NULL)
			return_stub(soc);
	} else if (status == UC_ERR_OK && code_at(soc, pc - 2) == CODE_WFI) {
		wait_for_interrupt(soc);
	} else if (status == UC_ERR_INSN_INVALID && code_at(soc, pc - 2) == CODE_WFE) {
		if (events_next_interrupt(soc) != TIME_NEVER)
			wait_for_interrupt(soc);
	} else {
		fault(soc, status, pc);
	}
}

// A core that stands still talks; one that rests looks for an interruption. false: the run is over.
static bool debugger_lets_go(struct ai8x_firmware *soc)
{
	if (debugger_halts(soc) && soc->debugger->attached)
		gdb_talk(soc);
	return !soc->ended;
}

// The core as a reset leaves it.
static void begin(struct ai8x_firmware *soc)
{
	const struct {
		int id;
		uint32_t value;
	} registers[] = {
		{UC_ARM_REG_CONTROL, 0},           {UC_ARM_REG_PRIMASK, 0},
		{UC_ARM_REG_BASEPRI, 0},           {UC_ARM_REG_FAULTMASK, 0},
		{UC_ARM_REG_SP, soc->image.stack}, {UC_ARM_REG_LR, 0xFFFFFFFF},
		{UC_ARM_REG_XPSR, 0x01000000},     {UC_ARM_REG_PC, soc->image.entry | 1},
	};
	for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++)
		(void)soc->unicorn.reg_write(soc->uc, registers[i].id, &registers[i].value);
	soc->nvic.vtor = soc->image.vectors;
	soc->main_return = 0;
	soc->main_returned = false;
	soc->look_at = 0;
	clocks_update(soc);
	events_sync(soc);
}

static void back_up(struct ai8x_firmware *soc)
{
	const enum power_mode mode = power_mode(soc);
	if (power_back_up(soc)) {
		rv32_close(soc);
		begin(soc);
	} else if (!soc->ended)
		sleep_deeply(soc, mode);
}

void core_run(struct ai8x_firmware *soc)
{
	begin(soc);
	while (!soc->ended) {
		if (soc->debugger != NULL && !debugger_lets_go(soc))
			break;
		if (soc->backs_up)
			back_up(soc);
		if (soc->now >= soc->rv32.due) {
			rv32_follow(soc);
			soc_changed(soc);
		}
		if (soc->ended)
			break;
		// In the middle of a block nothing is taken that would not be taken without a debugger.
		const bool inside = soc->debugger != NULL && debug_is_inside(soc);
		unsigned exception = inside ? 0 : nvic_next(soc, true);
		if (exception != 0 && !nvic_enter(soc, exception)) {
			char where[96];
			if (nvic_in_fault(soc) || exception <= LAST_FAULT) {
				lock_up(soc, AI8X_ERR_ADDRESS);
				break;
			}
			image_describe(&soc->image, soc->block, where, sizeof where);
			watchdog_where(soc);
			soc_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_ADDRESS,
			        "exception %u cannot be entered at %s: stack pointer 0x%08x, vector table 0x%08x",
			        exception, where, soc_register(soc, UC_ARM_REG_SP), soc->nvic.vtor);
			break;
		}
		soc->attention = nvic_next(soc, false) != 0;
		soc->stopped = false;
		soc->interrupt = RAISED_NOTHING;
		soc->bad.kind = 0;
		// Exceptions have told their whole time.
		soc->code.refill = 0;
		uc_err status = soc->unicorn.emu_start(soc->uc, soc_register(soc, UC_ARM_REG_PC) | 1, NOWHERE, 0, 0);
		if (!soc->ended)
			handle_stop(soc, status);
		if (soc->instructions >= soc->options.max_instructions)
			watchdog_check(soc);
	}
	if (soc->result.symbol[0] == 0)
		watchdog_where(soc);
	if (soc->debugger != NULL)
		gdb_finish(soc);
}
