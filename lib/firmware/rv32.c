// The second core: Unicorn's RV32, and how it runs beside the Cortex-M4 (rv32.h says how they share time).
//
// The Cortex-M4 starts it: its clock is enabled, and it begins at the address in FCR.URVBOOTADDR, where its vector table
// lies; a reset begins anew. Interrupts enter by that table. Its few control registers that Unicorn does not have are
// done here; what PULP added to the instructions is not there. Facts: firmware reference 7 and 8.
#include "firmware/rv32.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "firmware/vcd.h"

// Never reached by code.
#define NOWHERE 0xFFFFFFFEu

// While both cores run, they take turns of this length.
#define SLICE (FS_PER_SECOND / 100000)
#define LOOP_LIMIT 8
#define BLOCKS_BETWEEN_LOOKS 0x10000u

#define VECTOR_CALL 2 // of ECALL
#define INTERRUPT (1u << 31)
#define STATUS_ENABLE (1u << 3)
#define STATUS_WAS_ENABLED (1u << 7)
#define STATUS_MACHINE (3u << 11)
#define CAUSE_INSTRUCTION 2
#define CAUSE_BREAKPOINT 3
#define CAUSE_CALL_FIRST 8
#define CAUSE_CALL 11
#define ENTRY_CYCLES 4

#define CODE_WFI 0x10500073u
#define CODE_LOOP 0x0000006Fu // to any link register
#define CODE_LOOP_LINK 0x00000F80u
#define CODE_LOOP_SHORT 0xA001u
#define CODE_LOOP_SHORT_LINK 0x2001u

#define ISO_HZ 60000000u
#define POWER_MODE 0x4000000Cu
#define POWER_MODE_LOW 8
#define LOW_POWER_CONTROL 0x40006800u
#define LOW_POWER_ISO (1u << 8)

static uint32_t get(struct ai8x_firmware *soc, int id)
{
	uint32_t value = 0;
	(void)soc->unicorn.reg_read(soc->rv32.uc, id, &value);
	return value;
}

static void set(struct ai8x_firmware *soc, int id, uint32_t value)
{
	(void)soc->unicorn.reg_write(soc->rv32.uc, id, &value);
}

static const uint8_t *code_at(const struct ai8x_firmware *soc, uint32_t address, uint32_t bytes)
{
	for (size_t i = 0; i < SOC_MEMORIES; i++) {
		const struct soc_memory *memory = &soc->memories[i];
		if (address - memory->base < memory->bytes && memory->bytes - (address - memory->base) >= bytes)
			return memory->data + (address - memory->base);
	}
	return NULL;
}

// Its time, and the chip's where it leads.
static void pass(struct ai8x_firmware *soc, uint64_t time)
{
	struct rv32 *rv32 = &soc->rv32;
	rv32->time += time;
	if (rv32->leads)
		soc_pass_until(soc, rv32->time);
}

static void clock_changed(struct ai8x_firmware *soc)
{
	const bool low = (*soc_word(soc, POWER_MODE) & 15) == POWER_MODE_LOW;
	const bool iso = (*soc_word(soc, LOW_POWER_CONTROL) & LOW_POWER_ISO) != 0;
	soc->rv32.cycle = low && !iso ? clocks_pclk(soc) : FS_PER_SECOND / ISO_HZ;
}

// ---- accesses ----

static void before_access(struct ai8x_firmware *soc, uint32_t address, bool write)
{
	struct rv32 *rv32 = &soc->rv32;
	pass(soc, core_access_cycles(soc, address, write) * soc->cycle);
	soc->accesses++;
	if (write) {
		poll_clear(soc);
		return;
	}
	// Whoever polls beside a core that runs waits for it, or for time: the rest of the turn has nothing else.
	if (rv32->leads)
		poll_before(soc, address);
	else if (poll_repeats(soc, address) && rv32->time < soc->now)
		rv32->time = soc->now;
	if (rv32->leads && rv32->time < soc->now)
		rv32->time = soc->now;
}

static uint64_t read_chip(struct ai8x_firmware *soc, uint32_t address, unsigned bytes)
{
	before_access(soc, address, false);
	const uint32_t value = core_bus_load(soc, address, bytes);
	poll_after(soc, address, value);
	return value;
}

static uint64_t on_peripheral_read(uc_engine *uc, uint64_t offset, unsigned bytes, void *user)
{
	(void)uc;
	return read_chip(user, PERIPHERAL_BASE + (uint32_t)offset, bytes);
}

static void on_peripheral_write(uc_engine *uc, uint64_t offset, unsigned bytes, uint64_t value, void *user)
{
	(void)uc;
	before_access(user, PERIPHERAL_BASE + (uint32_t)offset, true);
	core_bus_store(user, PERIPHERAL_BASE + (uint32_t)offset, bytes, (uint32_t)value);
}

static uint64_t on_cnn_read(uc_engine *uc, uint64_t offset, unsigned bytes, void *user)
{
	(void)uc;
	return read_chip(user, CNN_BASE + (uint32_t)offset, bytes);
}

static void on_cnn_write(uc_engine *uc, uint64_t offset, unsigned bytes, uint64_t value, void *user)
{
	(void)uc;
	before_access(user, CNN_BASE + (uint32_t)offset, true);
	core_bus_store(user, CNN_BASE + (uint32_t)offset, bytes, (uint32_t)value);
}

static uint64_t on_intr_read(uc_engine *uc, uint64_t offset, unsigned bytes, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	const uint32_t address = RV32_INTR_BASE + ((uint32_t)offset & ~3u);
	before_access(soc, address, false);
	const uint32_t value = rv32_intr_read(soc, (uint32_t)offset & ~3u);
	poll_after(soc, address, value);
	return bytes == 4 ? value : value >> (8 * (offset & 3));
}

static void on_intr_write(uc_engine *uc, uint64_t offset, unsigned bytes, uint64_t value, void *user)
{
	(void)uc;
	(void)bytes;
	before_access(user, RV32_INTR_BASE + (uint32_t)offset, true);
	rv32_intr_write(user, (uint32_t)offset & ~3u, (uint32_t)value);
}

// ---- engine ----

static bool may_interrupt(struct ai8x_firmware *soc)
{
	return rv32_intr_next(soc) >= 0 && (get(soc, UC_RISCV_REG_MSTATUS) & STATUS_ENABLE) != 0;
}

static bool turn_is_over(const struct ai8x_firmware *soc)
{
	const struct rv32 *rv32 = &soc->rv32;
	if (soc->ended || soc->instructions >= soc->options.max_instructions)
		return true;
	return rv32->leads ? soc->attention || soc->now >= soc->wake : rv32->time >= soc->now;
}

static bool loops(const struct ai8x_firmware *soc, uint32_t address)
{
	uint32_t code = 0;
	const uint8_t *bytes = code_at(soc, address, 4);
	if (bytes != NULL)
		memcpy(&code, bytes, 4);
	return (code & ~CODE_LOOP_LINK) == CODE_LOOP || (code & 0xFFFF) == CODE_LOOP_SHORT ||
	       (code & 0xFFFF) == CODE_LOOP_SHORT_LINK;
}

static void on_block(uc_engine *uc, uint64_t block, uint32_t size, void *user)
{
	struct ai8x_firmware *soc = user;
	struct rv32 *rv32 = &soc->rv32;
	const uint32_t address = (uint32_t)block;
	rv32->rests = address == rv32->block && size <= 4 && ++rv32->repeats >= LOOP_LIMIT && loops(soc, address);
	if (address != rv32->block)
		rv32->repeats = 0;
	if (++rv32->met % BLOCKS_BETWEEN_LOOKS == 0)
		(void)soc_may_go_on(soc);
	if (rv32->rests || turn_is_over(soc) || may_interrupt(soc)) {
		rv32->stopped = true;
		(void)soc->unicorn.emu_stop(uc);
		return;
	}
	struct rv32_block *known = &rv32->blocks[address / 2 % RV32_BLOCKS];
	if (known->address != address || known->bytes != size) {
		const uint8_t *code = code_at(soc, address, size);
		*known = (struct rv32_block){.address = address, .bytes = size, .cycles = 1};
		if (code != NULL)
			known->cycles = rv32_code_cycles(code, size, &known->taken);
	}
	const uint32_t cycles = known->cycles + (address != rv32->next ? rv32->taken : 0);
	rv32->block = address;
	rv32->next = address + size;
	rv32->taken = known->taken;
	soc->instructions += size / 2;
	pass(soc, cycles * rv32->cycle);
}

static void on_trap(uc_engine *uc, uint32_t number, void *user)
{
	struct ai8x_firmware *soc = user;
	soc->rv32.trap = (int)number;
	(void)soc->unicorn.emu_stop(uc);
}

// Unicorn takes hook functions as void *, which ISO C has no cast for.
union rv32_hook {
	uc_cb_hookcode_t block;
	uc_cb_hookintr_t trap;
	uc_cb_eventmem_t memory;
	void *pointer;
};

static uc_err map_all(struct ai8x_firmware *soc)
{
	const struct unicorn *unicorn = &soc->unicorn;
	uc_engine *uc = soc->rv32.uc;
	uc_err status = UC_ERR_OK;
	for (size_t i = 0; i < SOC_MEMORIES && status == UC_ERR_OK; i++)
		status = unicorn->mem_map_ptr(uc, soc->memories[i].base, soc->memories[i].bytes,
		                              soc->memories[i].rights, soc->memories[i].data);
	if (status == UC_ERR_OK)
		status = unicorn->mmio_map(uc, PERIPHERAL_BASE, soc->soc->peripheral_bytes, on_peripheral_read, soc,
		                           on_peripheral_write, soc);
	if (status == UC_ERR_OK)
		status = unicorn->mmio_map(uc, CNN_BASE, soc->soc->cnn_bytes, on_cnn_read, soc, on_cnn_write, soc);
	if (status == UC_ERR_OK)
		status =
			unicorn->mmio_map(uc, RV32_INTR_BASE, RV32_INTR_BYTES, on_intr_read, soc, on_intr_write, soc);
	return status;
}

static uc_err add_hooks(struct ai8x_firmware *soc)
{
	uc_hook hook;
	union rv32_hook function = {.block = on_block};
	uc_err status = soc->unicorn.hook_add(soc->rv32.uc, &hook, UC_HOOK_BLOCK, function.pointer, soc, 1, 0);
	function.trap = on_trap;
	if (status == UC_ERR_OK)
		status = soc->unicorn.hook_add(soc->rv32.uc, &hook, UC_HOOK_INTR, function.pointer, soc, 1, 0);
	function.memory = unicorn_keep_bad_access;
	if (status == UC_ERR_OK)
		status = soc->unicorn.hook_add(soc->rv32.uc, &hook, UC_HOOK_MEM_INVALID, function.pointer,
		                               &soc->rv32.bad, 1, 0);
	return status;
}

void rv32_close(struct ai8x_firmware *soc)
{
	if (soc->rv32.uc != NULL)
		(void)soc->unicorn.close(soc->rv32.uc);
	memset(&soc->rv32, 0, sizeof soc->rv32);
	soc->rv32.due = TIME_NEVER;
}

// From the boot address on, with an engine that knows no old code.
static bool begin(struct ai8x_firmware *soc)
{
	struct rv32 *rv32 = &soc->rv32;
	const bool clocked = rv32->clocked;
	rv32_close(soc);
	rv32->clocked = clocked;
	rv32->started = true;
	rv32->time = rv32->due = soc->now;
	rv32->boot = rv32->pc = *soc_word(soc, RV32_BOOT);
	uc_err status = soc->unicorn.open(UC_ARCH_RISCV, UC_MODE_RISCV32, &rv32->uc);
	if (status == UC_ERR_OK)
		status = map_all(soc);
	if (status == UC_ERR_OK)
		status = add_hooks(soc);
	if (status == UC_ERR_OK)
		return true;
	soc_end(soc, AI8X_FIRMWARE_CANCELLED, AI8X_ERR_NO_MEMORY, "the RISC-V core: %s",
	        soc->unicorn.strerror(status));
	return false;
}

// ---- exceptions and control registers ----

static void enter(struct ai8x_firmware *soc, uint32_t from, uint32_t cause, unsigned vector)
{
	const uint32_t status = get(soc, UC_RISCV_REG_MSTATUS);
	set(soc, UC_RISCV_REG_MEPC, from);
	set(soc, UC_RISCV_REG_MCAUSE, cause);
	set(soc, UC_RISCV_REG_MSTATUS, STATUS_MACHINE | ((status & STATUS_ENABLE) != 0 ? STATUS_WAS_ENABLED : 0));
	soc->rv32.pc = soc->rv32.boot + 4 * vector;
	pass(soc, ENTRY_CYCLES * soc->rv32.cycle);
}

#define CSR_COUNTER 0x780 // of cycles, the first of twelve
#define CSR_COUNTER_LAST 0x78B
#define CSR_EVENTS 0x7A0
#define CSR_MODE 0x7A1
#define CSR_LOOPS 0x7B0 // of the hardware loops
#define CSR_LOOPS_LAST 0x7B6

static uint32_t read_counter(struct ai8x_firmware *soc)
{
	struct rv32 *rv32 = &soc->rv32;
	before_access(soc, RV32_COUNTER, false);
	const bool counts = (rv32->counter_mode & 1) != 0;
	const uint32_t cycles = counts ? (uint32_t)((rv32->time - rv32->counter_origin) / rv32->cycle) : 0;
	poll_after(soc, RV32_COUNTER, cycles);
	return rv32->counter + cycles;
}

static uint32_t read_control(struct ai8x_firmware *soc, uint32_t number)
{
	if (number == CSR_COUNTER)
		return read_counter(soc);
	if (number == CSR_MODE)
		return soc->rv32.counter_mode;
	return number == CSR_EVENTS ? soc->rv32.counter_events : 0;
}

static void write_control(struct ai8x_firmware *soc, uint32_t number, uint32_t value)
{
	struct rv32 *rv32 = &soc->rv32;
	if (number == CSR_COUNTER)
		rv32->counter = value;
	else if (number == CSR_MODE) {
		const bool counts = (rv32->counter_mode & 1) != 0;
		rv32->counter += counts ? (uint32_t)((rv32->time - rv32->counter_origin) / rv32->cycle) : 0;
		rv32->counter_mode = value;
	} else if (number == CSR_EVENTS)
		rv32->counter_events = value;
	rv32->counter_origin = rv32->time;
}

// An instruction on a control register that Unicorn does not know. false: it is none, or nobody knows the register.
static bool do_control(struct ai8x_firmware *soc, uint32_t code)
{
	const uint32_t number = code >> 20, kind = code >> 12 & 7, source = code >> 15 & 31,
				   target = code >> 7 & 31;
	const bool counter = number >= CSR_COUNTER && number <= CSR_COUNTER_LAST;
	const bool loop = number >= CSR_LOOPS && number <= CSR_LOOPS_LAST;
	if ((code & 0x7F) != 0x73 || (kind & 3) == 0 ||
	    !(counter || loop || number == CSR_EVENTS || number == CSR_MODE))
		return false;
	const uint32_t operand = (kind & 4) != 0 ? source
	                         : source == 0   ? 0
	                                         : get(soc, UC_RISCV_REG_X0 + (int)source);
	const uint32_t old = read_control(soc, number);
	const uint32_t changed[4] = {0, operand, old | operand, old & ~operand};
	if ((kind & 3) == 1 || source != 0)
		write_control(soc, number, changed[kind & 3]);
	if (target != 0)
		set(soc, UC_RISCV_REG_X0 + (int)target, old);
	return true;
}

static void fail(struct ai8x_firmware *soc, const char *format, uint32_t pc, uint32_t value)
{
	char text[160];
	(void)snprintf(text, sizeof text, format, pc, value);
	soc_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_UNSUPPORTED, "the RISC-V core %s", text);
}

// Unicorn tells the address after four bytes, whatever length the instruction has.
static void take_trap(struct ai8x_firmware *soc)
{
	struct rv32 *rv32 = &soc->rv32;
	const uint32_t at = rv32->pc - 4;
	uint32_t code = 0;
	const uint8_t *bytes = code_at(soc, at, 4);
	if (bytes != NULL)
		memcpy(&code, bytes, 4);
	if (rv32->trap >= CAUSE_CALL_FIRST && rv32->trap <= CAUSE_CALL)
		enter(soc, at, CAUSE_CALL, VECTOR_CALL);
	else if (rv32->trap == CAUSE_BREAKPOINT)
		fail(soc, "meets a breakpoint instruction at 0x%08" PRIx32, at, 0);
	else if (rv32->trap != CAUSE_INSTRUCTION || !do_control(soc, code))
		fail(soc,
		     "at 0x%08" PRIx32 " meets 0x%08" PRIx32
		     ", which is no instruction of RV32IMC; PULP's own are not modelled",
		     at, code);
}

static void take_fault(struct ai8x_firmware *soc, uc_err status)
{
	static const struct {
		uint32_t kind;
		const char *text;
	} kinds[] = {
		{UC_MEM_READ_UNMAPPED, "at 0x%08" PRIx32 " reads 0x%08" PRIx32 ", where the part has nothing"},
		{UC_MEM_WRITE_UNMAPPED, "at 0x%08" PRIx32 " writes 0x%08" PRIx32 ", where the part has nothing"},
		{UC_MEM_FETCH_UNMAPPED, "at 0x%08" PRIx32 " jumps to 0x%08" PRIx32 ", where the part has nothing"},
		{UC_MEM_WRITE_PROT, "at 0x%08" PRIx32 " writes 0x%08" PRIx32 ", where that is not allowed"},
		{UC_MEM_FETCH_PROT, "at 0x%08" PRIx32 " jumps to 0x%08" PRIx32 ", where that is not allowed"},
	};
	const struct rv32 *rv32 = &soc->rv32;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (rv32->bad.kind == kinds[i].kind)
			fail(soc, kinds[i].text, rv32->block, rv32->bad.address);
	if (!soc->ended)
		fail(soc, "stops at 0x%08" PRIx32 " (Unicorn's error %" PRIu32 ")", rv32->pc, status);
}

// ---- turns ----

static bool sleeps_at(const struct ai8x_firmware *soc, uint32_t pc)
{
	uint32_t code = 0;
	const uint8_t *bytes = code_at(soc, pc - 4, 4);
	if (bytes != NULL)
		memcpy(&code, bytes, 4);
	return code == CODE_WFI;
}

static void doze(struct ai8x_firmware *soc)
{
	soc->rv32.due = TIME_NEVER;
	vcd_set(soc, VCD_RV32_RUNS, 0);
}

static void step(struct ai8x_firmware *soc)
{
	struct rv32 *rv32 = &soc->rv32;
	const int number = may_interrupt(soc) ? rv32_intr_next(soc) : -1;
	if (number >= 0) {
		rv32_intr_acknowledge(soc, (unsigned)number);
		enter(soc, rv32->pc, INTERRUPT | (uint32_t)number, (unsigned)number);
	}
	rv32->stopped = false;
	rv32->trap = -1;
	rv32->bad.kind = 0;
	const uc_err status = soc->unicorn.emu_start(rv32->uc, rv32->pc, NOWHERE, 0, 0);
	rv32->pc = get(soc, UC_RISCV_REG_PC);
	if (soc->ended)
		return;
	if (rv32->trap >= 0)
		take_trap(soc);
	else if (rv32->rests)
		doze(soc);
	else if (!rv32->stopped && status == UC_ERR_OK && sleeps_at(soc, rv32->pc)) {
		if (rv32_intr_next(soc) < 0)
			doze(soc);
	} else if (!rv32->stopped)
		take_fault(soc, status);
}

static void take_turn(struct ai8x_firmware *soc, bool leads)
{
	struct rv32 *rv32 = &soc->rv32;
	if ((!rv32->started || rv32->reset) && !begin(soc))
		return;
	rv32->leads = leads;
	if (leads && rv32->time < soc->now)
		rv32->time = soc->now;
	vcd_set(soc, VCD_RV32_RUNS, 1);
	clock_changed(soc);
	const struct poll others = soc->poll;
	soc->poll = rv32->poll;
	while (rv32_runs(soc) && !turn_is_over(soc))
		step(soc);
	rv32->poll = soc->poll;
	soc->poll = others;
	if (rv32_runs(soc))
		rv32->due = rv32->time + SLICE;
}

void rv32_follow(struct ai8x_firmware *soc)
{
	take_turn(soc, false);
}

void rv32_lead(struct ai8x_firmware *soc)
{
	take_turn(soc, true);
}

bool rv32_is_alive(const struct ai8x_firmware *soc)
{
	return soc->rv32.clocked && soc->rv32.started && !soc->rv32.rests;
}
