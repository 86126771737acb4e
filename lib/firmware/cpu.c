// The core: Unicorn's Cortex-M4, the bus behind it, and the loop that joins it with interrupts and time.
//
// Built round what Unicorn 2.0.1 was measured to do (firmware reference 7): the program counter is exact in
// block hooks only, so that every stop happens there; no instruction hook exists; exceptions are entered and
// left by hand between two runs of the engine.
#include "firmware/soc.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

// Never reached by Thumb code.
#define NOWHERE 0xFFFFFFFEu

#define RAISED_NOTHING UINT32_MAX
#define RAISED_SVC 2
#define RAISED_BREAKPOINT 7
#define RAISED_RETURN 8

// Function control register that the second core takes its first address from.
#define RISCV_BOOT_ADDRESS 0x40000810u

#define CODE_WFI 0xBF30
#define CODE_WFE 0xBF20
#define CODE_SEMIHOSTING 0xBEAB
#define CODE_LOOP 0xE7FE
#define CODE_LOOP_WIDE 0xBFFEF7FFu
#define CODE_LOOP_LINK 0xFFFEF7FFu

// Core cycles that an access takes in addition to its instruction. Peripherals: the bridge at half the core's
// clock. Accelerator: fits the published times of examples that feed a FIFO (about 70 cycles for a status read and
// a data write) and the fixed 340 accelerator cycles of the others (timing reference).
#define CORE_ACCESS_CYCLES 2
#define ACCESS_CYCLES 4
#define CNN_ACCESS_CYCLES 25

// A sleeping core that nothing can wake is given so many chances: the interrupt may have come between the
// test and the WFI.
#define SLEEPS_LIMIT 1000
#define LOOP_LIMIT 32

uint32_t cpu_register(struct ai8x_firmware *soc, int id)
{
	uint32_t value = 0;
	(void)soc->unicorn.reg_read(soc->uc, id, &value);
	return value;
}

void cpu_end(struct ai8x_firmware *soc, ai8x_firmware_end end, ai8x_status status, const char *format, ...)
{
	if (soc->ended)
		return;
	soc->ended = true;
	soc->attention = true;
	soc->result.end = end;
	soc->result.status = status;
	va_list arguments;
	va_start(arguments, format);
	int used = vsnprintf(soc->result.message, sizeof soc->result.message, format, arguments);
	va_end(arguments);
	// Nobody answers for the second core: what comes to rest without it is no surprise.
	const uint32_t boot = *soc_word(soc, RISCV_BOOT_ADDRESS);
	if (boot != 0 && used > 0 && (size_t)used < sizeof soc->result.message &&
	    (end == AI8X_FIRMWARE_RETURNED || end == AI8X_FIRMWARE_IDLE || end == AI8X_FIRMWARE_TIMEOUT))
		(void)snprintf(soc->result.message + used, sizeof soc->result.message - (size_t)used,
		               "; it prepares the RISC-V core to run from 0x%08x, and that core is not modelled",
		               boot);
}

// ---- time ----

void soc_pass_until(struct ai8x_firmware *soc, uint64_t time)
{
	if (time > soc->now)
		soc_pass(soc, (time - soc->now + soc->cycle - 1) / soc->cycle);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t soc_next_event(const struct ai8x_firmware *soc)
{
	return earlier(cnn_next(soc), earlier(timer_next(soc), systick_next(soc)));
}

// The same for events that end a sleep.
static uint64_t next_interrupt(const struct ai8x_firmware *soc)
{
	uint64_t next = timer_next_interrupt(soc);
	if (systick_interrupts(soc))
		next = earlier(next, systick_next(soc));
	// A FIFO-fed run that waits for words gives no interrupt before the core has pushed them.
	if (soc->cnn.end != TIME_NEVER && nvic_enabled(soc, CNN_INTERRUPT))
		next = earlier(next, cnn_next(soc));
	return next;
}

void soc_sync(struct ai8x_firmware *soc)
{
	cnn_sync(soc);
	timer_sync(soc);
	systick_sync(soc);
	// The watchdog looks at least once in a simulated millisecond.
	soc->wake = earlier(soc_next_event(soc), soc->now + FS_PER_SECOND / 1000);
}

// ---- the bus ----

static uint32_t gpio_read(struct ai8x_firmware *soc, uint32_t base, uint32_t offset)
{
	// Outputs read back, inputs are pulled up.
	if (offset == 0x24)
		return (*soc_word(soc, base + 0x18) & *soc_word(soc, base + 0x0C)) | ~*soc_word(soc, base + 0x0C);
	return *soc_word(soc, base + offset);
}

static void gpio_write(struct ai8x_firmware *soc, uint32_t base, uint32_t offset, uint32_t value)
{
	static const struct {
		uint8_t offset, target;
		bool set;
	} aliases[] = {
		{0x04, 0x00, true},  {0x08, 0x00, false}, {0x10, 0x0C, true},  {0x14, 0x0C, false},
		{0x1C, 0x18, true},  {0x20, 0x18, false}, {0x38, 0x34, true},  {0x3C, 0x34, false},
		{0x48, 0x40, false}, {0x50, 0x4C, true},  {0x54, 0x4C, false}, {0x6C, 0x68, true},
		{0x70, 0x68, false}, {0x78, 0x74, true},  {0x7C, 0x74, false},
	};
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
		if (aliases[i].offset == offset) {
			uint32_t *word = soc_word(soc, base + aliases[i].target);
			*word = aliases[i].set ? *word | value : *word & ~value;
			return;
		}
	*soc_word(soc, base + offset) = value;
}

static uint32_t peripheral_word(struct ai8x_firmware *soc, const struct peripheral *peripheral,
                                uint32_t address)
{
	uint32_t offset = address - peripheral->base;
	switch (peripheral->kind) {
	case PERIPHERAL_GCR:
		return gcr_read(soc, offset);
	case PERIPHERAL_LPGCR:
		return offset == 0x08 ? 0 : *soc_word(soc, address);
	case PERIPHERAL_ICC:
		return *soc_word(soc, address) | (offset == 0x100 ? 1u << 16 : 0);
	case PERIPHERAL_UART:
		return uart_read(soc, peripheral->unit, offset);
	case PERIPHERAL_TIMER:
		return offset < 0x20 ? timer_read(soc, peripheral->unit, offset) : 0;
	case PERIPHERAL_GPIO:
		return gpio_read(soc, peripheral->base, offset);
	case PERIPHERAL_FAST_FIFO:
		return cnn_read(soc, address, 4);
	default:
		return *soc_word(soc, address);
	}
}

static void peripheral_store(struct ai8x_firmware *soc, const struct peripheral *peripheral, uint32_t address,
                             uint32_t value)
{
	uint32_t offset = address - peripheral->base;
	switch (peripheral->kind) {
	case PERIPHERAL_GCR:
		gcr_write(soc, offset, value);
		break;
	case PERIPHERAL_GCFR:
		gcfr_write(soc, offset, value);
		break;
	case PERIPHERAL_LPGCR:
		*soc_word(soc, address) = value;
		// Low-power reset: bits 2 and 3 are TMR4 and TMR5.
		if (offset == 0x08) {
			if ((value >> 2 & 1) != 0)
				timer_reset(soc, 4);
			if ((value >> 3 & 1) != 0)
				timer_reset(soc, 5);
		}
		break;
	case PERIPHERAL_UART:
		uart_write(soc, peripheral->unit, offset, value);
		break;
	case PERIPHERAL_TIMER:
		if (offset < 0x20)
			timer_write(soc, peripheral->unit, offset, value);
		break;
	case PERIPHERAL_GPIO:
		gpio_write(soc, peripheral->base, offset, value);
		break;
	case PERIPHERAL_FAST_FIFO:
		cnn_write(soc, address, value, 4);
		break;
	default:
		*soc_word(soc, address) = value;
	}
}

static uint64_t on_peripheral_read(uc_engine *uc, uint64_t offset, unsigned bytes, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t address = PERIPHERAL_BASE + (uint32_t)offset;
	soc_pass(soc, ACCESS_CYCLES);
	soc->accesses++;
	poll_before(soc, address);
	const struct peripheral *peripheral = peripheral_find(soc->soc, address);
	soc_unmodelled(soc, peripheral, address, false);
	uint32_t word =
		peripheral != NULL ? peripheral_word(soc, peripheral, address & ~3u) : *soc_word(soc, address);
	poll_after(soc, address, word);
	return bytes == 4 ? word : word >> (8 * (address & 3));
}

static void on_peripheral_write(uc_engine *uc, uint64_t offset, unsigned bytes, uint64_t value, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t address = PERIPHERAL_BASE + (uint32_t)offset;
	uint32_t word = (uint32_t)value;
	soc_pass(soc, ACCESS_CYCLES);
	soc->accesses++;
	poll_clear(soc);
	const struct peripheral *peripheral = peripheral_find(soc->soc, address);
	soc_unmodelled(soc, peripheral, address, true);
	if (bytes < 4 && (peripheral == NULL || peripheral->kind != PERIPHERAL_UART)) {
		uint32_t shift = 8 * (address & 3);
		uint32_t mask = (bytes == 1 ? 0xFFu : 0xFFFFu) << shift;
		word = (*soc_word(soc, address) & ~mask) | (word << shift & mask);
	}
	if (peripheral != NULL)
		peripheral_store(soc, peripheral, address & ~3u, word);
	else
		*soc_word(soc, address) = word;
}

static uint64_t on_cnn_read(uc_engine *uc, uint64_t offset, unsigned bytes, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t address = CNN_BASE + (uint32_t)offset;
	soc_pass(soc, CNN_ACCESS_CYCLES);
	soc->accesses++;
	ai8x_location location;
	// Data is read once and in order; control registers are what firmware polls.
	bool polled = address < soc->soc->cnn_status_end ||
	              (ai8x_part_locate(soc->part, address, &location) == AI8X_OK && location.name != NULL);
	if (polled)
		poll_before(soc, address);
	uint32_t value = cnn_read(soc, address, bytes);
	if (polled)
		poll_after(soc, address, value);
	else
		poll_clear(soc);
	return value;
}

static void on_cnn_write(uc_engine *uc, uint64_t offset, unsigned bytes, uint64_t value, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	soc_pass(soc, CNN_ACCESS_CYCLES);
	soc->accesses++;
	poll_clear(soc);
	cnn_write(soc, CNN_BASE + (uint32_t)offset, (uint32_t)value, bytes);
}

static uint64_t on_core_read(uc_engine *uc, uint64_t offset, unsigned bytes, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t word_offset = (uint32_t)offset & ~3u;
	uint32_t word;
	soc_pass(soc, CORE_ACCESS_CYCLES);
	soc->accesses++;
	poll_before(soc, CORE_BASE + word_offset);
	if (word_offset >= 0xE010 && word_offset < 0xE020)
		word = systick_read(soc, word_offset - 0xE010);
	else if (word_offset >= 0xE000 && word_offset < 0xF000)
		word = nvic_read(soc, word_offset - 0xE000);
	else
		word = word_offset == 0x1004 ? (uint32_t)soc->cycles : 0; // DWT cycle counter
	poll_after(soc, CORE_BASE + word_offset, word);
	return bytes == 4 ? word : word >> (8 * (offset & 3));
}

static void on_core_write(uc_engine *uc, uint64_t offset, unsigned bytes, uint64_t value, void *user)
{
	(void)uc;
	struct ai8x_firmware *soc = user;
	uint32_t address = (uint32_t)offset;
	soc_pass(soc, CORE_ACCESS_CYCLES);
	soc->accesses++;
	poll_clear(soc);
	if (address >= 0xE010 && address < 0xE020)
		systick_write(soc, address - 0xE010, (uint32_t)value);
	else if (address >= 0xE000 && address < 0xF000)
		nvic_write(soc, address - 0xE000, (uint32_t)value, bytes);
}

static bool on_bad_memory(uc_engine *uc, uc_mem_type type, uint64_t address, int size, int64_t value,
                          void *user)
{
	(void)uc;
	(void)size;
	(void)value;
	struct ai8x_firmware *soc = user;
	soc->fault_address = (uint32_t)address;
	soc->fault_kind = (uint32_t)type;
	return false;
}

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

// The core rests: time goes to the next event that can interrupt it, or the program is over.
static void rest(struct ai8x_firmware *soc, const char *how)
{
	char where[96];
	cnn_settle(soc);
	soc_sync(soc);
	if (soc->ended)
		return;
	if (nvic_next(soc, true) != 0) {
		soc->attention = true;
		return;
	}
	// Behind main only a running accelerator is worth waiting for: timers may interrupt for ever.
	uint64_t next = next_interrupt(soc);
	if (next != TIME_NEVER && !(soc->main_returned && !soc->cnn.busy)) {
		soc_pass_until(soc, next);
		soc_sync(soc);
		watchdog_check(soc);
		return;
	}
	// The accelerator may still work for nobody: its end belongs to the result.
	if (cnn_next(soc) != TIME_NEVER && soc->cnn.end != TIME_NEVER) {
		soc_pass_until(soc, soc->cnn.end);
		soc_sync(soc);
	}
	watchdog_where(soc);
	image_describe(&soc->image, soc->block, where, sizeof where);
	if (soc->main_returned)
		cpu_end(soc, AI8X_FIRMWARE_RETURNED, AI8X_OK, "main returned %d", soc->main_result);
	else
		cpu_end(soc, AI8X_FIRMWARE_IDLE, AI8X_OK, "the core %s at %s, and nothing can end that", how, where);
}

// Everything that needs more than the hot path below. Returns true to leave the engine before the block.
static bool before_block(struct ai8x_firmware *soc, uint32_t address)
{
	if (soc->ended)
		return true;
	if (soc->now >= soc->wake) {
		soc_sync(soc);
		watchdog_check(soc);
	}
	if (soc->instructions >= soc->options.max_instructions)
		watchdog_check(soc);
	if (soc->until_known && address == soc->until_address)
		cpu_end(soc, AI8X_FIRMWARE_REACHED, AI8X_OK, "reached %s", soc->until_name);
	if (soc->main_known && address == soc->main_address && soc->main_return == 0)
		soc->main_return = cpu_register(soc, UC_ARM_REG_LR) & ~1u;
	if (address == soc->main_return && soc->main_return != 0 && !soc->main_returned) {
		soc->main_returned = true;
		soc->main_result = (int32_t)cpu_register(soc, UC_ARM_REG_R0);
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

static void on_block(uc_engine *uc, uint64_t block, uint32_t size, void *user)
{
	struct ai8x_firmware *soc = user;
	uint32_t address = (uint32_t)block;
	if (soc->attention || soc->now >= soc->wake || soc->instructions >= soc->options.max_instructions ||
	    address == soc->main_address || address == soc->main_return || address == soc->until_address) {
		if (before_block(soc, address)) {
			soc->stopped = true;
			(void)soc->unicorn.emu_stop(uc);
			return;
		}
	}
	if (address == soc->block && soc->accesses == soc->repeat_accesses && size <= 4) {
		if (++soc->block_repeats % LOOP_LIMIT == 0 && is_loop(soc, address)) {
			rest(soc, "loops");
			if (soc->ended || soc->attention) {
				soc->stopped = true;
				(void)soc->unicorn.emu_stop(uc);
				return;
			}
		}
	} else {
		soc->block_repeats = 0;
		soc->repeat_accesses = soc->accesses;
	}
	soc->block = address;
	uint32_t units = size / 2;
	soc->instructions += units;
	soc_pass(soc, units);
}

// ---- engine ----

static ai8x_status map(struct ai8x_firmware *soc, uint32_t base, uint32_t bytes, uint32_t rights,
                       ai8x_error *error)
{
	uc_err status = soc->unicorn.mem_map(soc->uc, base, bytes, rights);
	if (status != UC_ERR_OK)
		return error_set(error, AI8X_ERR_NO_MEMORY, "mapping 0x%x bytes at 0x%08x: %s", bytes, base,
		                 soc->unicorn.strerror(status));
	return AI8X_OK;
}

static ai8x_status map_io(struct ai8x_firmware *soc, uint32_t base, uint32_t bytes, uc_cb_mmio_read_t read,
                          uc_cb_mmio_write_t write, ai8x_error *error)
{
	uc_err status = soc->unicorn.mmio_map(soc->uc, base, bytes, read, soc, write, soc);
	if (status != UC_ERR_OK)
		return error_set(error, AI8X_ERR_NO_MEMORY, "mapping 0x%x bytes of registers at 0x%08x: %s", bytes,
		                 base, soc->unicorn.strerror(status));
	return AI8X_OK;
}

static ai8x_status map_all(struct ai8x_firmware *soc, ai8x_error *error)
{
	const struct soc_part *part = soc->soc;
	ai8x_status status = map(soc, 0, ROM_SIZE, UC_PROT_READ | UC_PROT_EXEC, error);
	if (status == AI8X_OK)
		status = map(soc, FLASH_BASE, part->flash_bytes, UC_PROT_READ | UC_PROT_EXEC, error);
	if (status == AI8X_OK)
		status = map(soc, INFO_BASE, part->info_bytes, UC_PROT_READ, error);
	if (status == AI8X_OK)
		status = map(soc, SRAM_BASE, part->sram_bytes, UC_PROT_ALL, error);
	if (status == AI8X_OK)
		status = map_io(soc, PERIPHERAL_BASE, part->peripheral_bytes, on_peripheral_read, on_peripheral_write,
		                error);
	if (status == AI8X_OK)
		status = map_io(soc, CNN_BASE, part->cnn_bytes, on_cnn_read, on_cnn_write, error);
	if (status == AI8X_OK)
		status = map_io(soc, CORE_BASE, CORE_SIZE, on_core_read, on_core_write, error);
	for (size_t i = 0; i < soc->image.segment_count && status == AI8X_OK; i++) {
		const struct image_segment *segment = &soc->image.segments[i];
		if (soc->unicorn.mem_write(soc->uc, segment->address, segment->bytes, segment->size) != UC_ERR_OK)
			status = error_set(error, AI8X_ERR_FORMAT, "ELF segment at 0x%08x cannot be written",
			                   segment->address);
	}
	return status;
}

// Unicorn takes hook functions as void *, which ISO C has no cast for.
union hook_function {
	uc_cb_hookcode_t block;
	uc_cb_hookintr_t interrupt;
	uc_cb_eventmem_t memory;
	void *pointer;
};

ai8x_status cpu_create(struct ai8x_firmware *soc, ai8x_error *error)
{
	ai8x_status loaded = unicorn_load(&soc->unicorn, error);
	if (loaded != AI8X_OK)
		return loaded;
	uc_err status = soc->unicorn.open(UC_ARCH_ARM, UC_MODE_THUMB | UC_MODE_MCLASS, &soc->uc);
	if (status == UC_ERR_OK)
		status = soc->unicorn.ctl(soc->uc, UC_CTL_WRITE(UC_CTL_CPU_MODEL, 1), UC_CPU_ARM_CORTEX_M4);
	if (status != UC_ERR_OK)
		return error_set(error, AI8X_ERR_NO_MEMORY, "Unicorn: %s", soc->unicorn.strerror(status));
	ai8x_status mapped = map_all(soc, error);
	if (mapped != AI8X_OK)
		return mapped;
	uc_hook hook;
	union hook_function function = {.block = on_block};
	status = soc->unicorn.hook_add(soc->uc, &hook, UC_HOOK_BLOCK, function.pointer, soc, 1, 0);
	function.interrupt = on_interrupt;
	if (status == UC_ERR_OK)
		status = soc->unicorn.hook_add(soc->uc, &hook, UC_HOOK_INTR, function.pointer, soc, 1, 0);
	function.memory = on_bad_memory;
	if (status == UC_ERR_OK)
		status = soc->unicorn.hook_add(soc->uc, &hook, UC_HOOK_MEM_INVALID, function.pointer, soc, 1, 0);
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

static void fault(struct ai8x_firmware *soc, uc_err status, uint32_t pc)
{
	char where[96];
	image_describe(&soc->image, soc->block, where, sizeof where);
	watchdog_where(soc);
	static const struct {
		uint32_t kind;
		const char *text;
	} kinds[] = {
		{UC_MEM_READ_UNMAPPED, "reads"},     {UC_MEM_WRITE_UNMAPPED, "writes"},
		{UC_MEM_FETCH_UNMAPPED, "jumps to"}, {UC_MEM_READ_PROT, "reads"},
		{UC_MEM_WRITE_PROT, "writes"},       {UC_MEM_FETCH_PROT, "jumps to"},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (soc->fault_kind == kinds[i].kind) {
			cpu_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_ADDRESS,
			        "bus fault: the code at %s %s 0x%08x, where %s", where, kinds[i].text, soc->fault_address,
			        soc->fault_kind == UC_MEM_WRITE_PROT || soc->fault_kind == UC_MEM_FETCH_PROT
			            ? "that is not allowed"
			            : "the part has nothing");
			return;
		}
	cpu_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_UNSUPPORTED, "the code at %s (0x%08x) cannot go on: %s", where,
	        pc, soc->unicorn.strerror(status));
}

static void semihosting(struct ai8x_firmware *soc, uint32_t pc)
{
	uint32_t operation = cpu_register(soc, UC_ARM_REG_R0), argument = cpu_register(soc, UC_ARM_REG_R1);
	uint32_t result = 0, block[2] = {0};
	char character = 0;
	switch (operation) {
	case 0x03: // write a character
		if (soc->unicorn.mem_read(soc->uc, argument, &character, 1) == UC_ERR_OK)
			uart_put(soc, 0, character);
		break;
	case 0x04: // write a string
		for (uint32_t i = 0; i < 65536; i++) {
			if (soc->unicorn.mem_read(soc->uc, argument + i, &character, 1) != UC_ERR_OK || character == 0)
				break;
			uart_put(soc, 0, character);
		}
		break;
	case 0x18: // exit: 0x20026 is "the application ended"
		soc->result.exit_code = argument == 0x20026 ? 0 : 1;
		cpu_end(soc, AI8X_FIRMWARE_EXITED, AI8X_OK, "semihosting exit, reason 0x%x", argument);
		break;
	case 0x20: // exit with a code
		(void)soc->unicorn.mem_read(soc->uc, argument, block, sizeof block);
		soc->result.exit_code = (int32_t)block[1];
		cpu_end(soc, AI8X_FIRMWARE_EXITED, AI8X_OK, "semihosting exit, code %d", (int)block[1]);
		break;
	default:
		result = UINT32_MAX;
	}
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_R0, &result);
	pc = (pc + 2) | 1;
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_PC, &pc);
}

static void wait_for_interrupt(struct ai8x_firmware *soc)
{
	cnn_settle(soc);
	soc_sync(soc);
	watchdog_check(soc);
	if (soc->ended)
		return;
	// PRIMASK holds back the exception, not the waking.
	if (nvic_next(soc, false) != 0) {
		soc->sleeps = 0;
		return;
	}
	if (next_interrupt(soc) != TIME_NEVER)
		soc->sleeps = 0;
	else if (++soc->sleeps <= SLEEPS_LIMIT)
		return;
	rest(soc, "sleeps");
}

static void handle_stop(struct ai8x_firmware *soc, uc_err status)
{
	uint32_t pc = cpu_register(soc, UC_ARM_REG_PC);
	if (soc->interrupt == RAISED_RETURN) {
		if (!nvic_return(soc))
			cpu_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_ADDRESS,
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
			cpu_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_STALLED, "breakpoint instruction at %s", where);
		}
	} else if (soc->stopped) {
		return;
	} else if (status == UC_ERR_OK && code_at(soc, pc - 2) == CODE_WFI) {
		wait_for_interrupt(soc);
	} else if (status == UC_ERR_INSN_INVALID && code_at(soc, pc - 2) == CODE_WFE) {
		if (next_interrupt(soc) != TIME_NEVER)
			wait_for_interrupt(soc);
	} else {
		fault(soc, status, pc);
	}
}

void cpu_run(struct ai8x_firmware *soc)
{
	uint32_t pc = soc->image.entry | 1;
	uint32_t sp = soc->image.stack, lr = 0xFFFFFFFF, xpsr = 0x01000000;
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_SP, &sp);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_LR, &lr);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_XPSR, &xpsr);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_PC, &pc);
	gcr_update(soc);
	soc_sync(soc);
	while (!soc->ended) {
		unsigned exception = nvic_next(soc, true);
		if (exception != 0 && !nvic_enter(soc, exception)) {
			char where[96];
			image_describe(&soc->image, soc->block, where, sizeof where);
			watchdog_where(soc);
			cpu_end(soc, AI8X_FIRMWARE_FAULT, AI8X_ERR_ADDRESS,
			        "exception %u cannot be entered at %s: stack pointer 0x%08x, vector table 0x%08x",
			        exception, where, cpu_register(soc, UC_ARM_REG_SP), soc->nvic.vtor);
			break;
		}
		soc->attention = nvic_next(soc, false) != 0;
		soc->stopped = false;
		soc->interrupt = RAISED_NOTHING;
		soc->fault_kind = 0;
		uc_err status = soc->unicorn.emu_start(soc->uc, cpu_register(soc, UC_ARM_REG_PC) | 1, NOWHERE, 0, 0);
		if (!soc->ended)
			handle_stop(soc, status);
		if (soc->instructions >= soc->options.max_instructions)
			watchdog_check(soc);
	}
	if (soc->result.symbol[0] == 0)
		watchdog_where(soc);
}
