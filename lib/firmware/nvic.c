// NVIC and system control block: which exception is due, its entry and its return.
//
// Unicorn has none of this but the two stack pointers and CONTROL (firmware reference 7): frames are pushed and popped
// by hand between blocks, basic or with the FPU's registers, as the Armv7-M architecture has it: EXC_RETURN decides
// stack and frame, groups of priorities preempt, a pending exception is entered from another's end without stacking.
#include "firmware/rv32.h"
#include "firmware/vcd.h"

#include <stdio.h>

// Offsets from 0xE000E000.
#define ICTR 0x004
#define ISER 0x100
#define ICER 0x180
#define ISPR 0x200
#define ICPR 0x280
#define IABR 0x300
#define IPR 0x400
#define IPR_END 0x500
#define SCB 0xD00
#define SCB_END 0x1000
#define STIR 0xF00

#define CPUID 0x00
#define ICSR 0x04
#define VTOR 0x08
#define AIRCR 0x0C
#define SCR 0x10
#define CCR 0x14
#define SHPR1 0x18
#define SHCSR 0x24
#define CFSR 0x28
#define HFSR 0x2C
#define MMFAR 0x34
#define BFAR 0x38
#define MPU_TYPE 0x90
#define FPCCR 0x234
#define MVFR0 0x240
#define MVFR1 0x244

#define CORTEX_M4_ID 0x410FC241u
#define EXCEPTION_NMI 2
#define EXCEPTION_HARD_FAULT 3
#define EXCEPTION_MEMORY 4
#define EXCEPTION_BUS 5
#define EXCEPTION_USAGE 6
#define EXCEPTION_SVC 11
#define EXCEPTION_PENDSV 14
#define EXCEPTION_SYSTICK 15
#define EXCEPTION_IRQ0 16
#define NO_PRIORITY 256
#define PRIORITY_HARD_FAULT (-1)
#define PRIORITY_NMI (-2)

#define CONTROL_PROCESS_STACK 2u
#define CONTROL_FPU 4u
#define SLEEP_ON_EXIT 2u
#define SLEEP_DEEP 4u
#define FORCED (1u << 30)
#define STATUS_MEMORY 0xFFu
#define STATUS_BUS 0xFF00u
#define MEMORY_ADDRESS_VALID (1u << 7)
#define BUS_ADDRESS_VALID (1u << 15)

#define EXC_RETURN 0xFFFFFFE1u
#define EXC_RETURN_THREAD 0x8u
#define EXC_RETURN_PROCESS 0x4u
#define EXC_RETURN_BASIC 0x10u

// Words of a frame, and of one with the FPU's registers: S0 to S15, FPSCR, one unused.
#define BASIC_WORDS 8u
#define EXTENDED_WORDS 26u
#define ENTRY_CYCLES 12
#define EXIT_CYCLES 10
#define TAIL_CYCLES 6

void nvic_reset(struct nvic *nvic)
{
	*nvic = (struct nvic){.vtor = FLASH_BASE};
	nvic->scb[CCR / 4] = 0x200;
	nvic->scb[MPU_TYPE / 4] = 0x800;
	nvic->scb[FPCCR / 4] = 0xC0000000u;
	nvic->scb[MVFR0 / 4] = 0x10110021;
	nvic->scb[MVFR1 / 4] = 0x11000011;
}

static int nvic_priority(const struct nvic *nvic, unsigned exception)
{
	return exception == EXCEPTION_NMI          ? PRIORITY_NMI
	       : exception == EXCEPTION_HARD_FAULT ? PRIORITY_HARD_FAULT
	                                           : nvic->priority[exception];
}

// The part of a priority that preempts.
static int group(const struct nvic *nvic, int priority)
{
	const int below = (2 << (nvic->scb[AIRCR / 4] >> 8 & 7)) - 1;
	return priority < 0 || priority >= NO_PRIORITY ? priority : priority & ~below;
}

static int nvic_current(const struct nvic *nvic)
{
	int current = NO_PRIORITY;
	for (unsigned i = 0; i < nvic->depth; i++)
		if (group(nvic, nvic_priority(nvic, nvic->active[i])) < current)
			current = group(nvic, nvic_priority(nvic, nvic->active[i]));
	return current;
}

static bool nvic_is_active(const struct nvic *nvic, unsigned exception)
{
	for (unsigned i = 0; i < nvic->depth; i++)
		if (nvic->active[i] == exception)
			return true;
	return false;
}

static void consider(const struct nvic *nvic, unsigned exception, unsigned *best, int *priority)
{
	const int own = nvic_priority(nvic, exception);
	if (own < *priority) {
		*best = exception;
		*priority = own;
	}
}

// Priority from which on masks hold exceptions back.
static int masked_from(struct ai8x_firmware *soc)
{
	const uint32_t base = soc_register(soc, UC_ARM_REG_BASEPRI) & 0xFF;
	if ((soc_register(soc, UC_ARM_REG_FAULTMASK) & 1) != 0)
		return PRIORITY_HARD_FAULT;
	if ((soc_register(soc, UC_ARM_REG_PRIMASK) & 1) != 0)
		return 0;
	return base != 0 ? group(&soc->nvic, (int)base) : NO_PRIORITY;
}

unsigned nvic_next(struct ai8x_firmware *soc, bool masked)
{
	struct nvic *nvic = &soc->nvic;
	unsigned best = 0;
	int priority = NO_PRIORITY;
	if (nvic->nmi)
		consider(nvic, EXCEPTION_NMI, &best, &priority);
	for (unsigned fault = EXCEPTION_HARD_FAULT; fault <= EXCEPTION_USAGE; fault++)
		if (nvic->faults[fault])
			consider(nvic, fault, &best, &priority);
	if (nvic->svc)
		consider(nvic, EXCEPTION_SVC, &best, &priority);
	if (nvic->pendsv)
		consider(nvic, EXCEPTION_PENDSV, &best, &priority);
	if (nvic->systick)
		consider(nvic, EXCEPTION_SYSTICK, &best, &priority);
	for (unsigned word = 0; word < 8; word++) {
		uint32_t due = (nvic->pending[word] | nvic->level[word]) & nvic->enabled[word];
		for (; due != 0; due &= due - 1) {
			unsigned exception = EXCEPTION_IRQ0 + 32 * word + (unsigned)__builtin_ctz(due);
			// A line that is still high does not interrupt its own handler.
			if (exception < EXCEPTIONS && !nvic_is_active(nvic, exception))
				consider(nvic, exception, &best, &priority);
		}
	}
	if (best == 0 || group(nvic, priority) >= nvic_current(nvic))
		return 0;
	return masked && group(nvic, priority) >= masked_from(soc) ? 0 : best;
}

void nvic_line(struct ai8x_firmware *soc, unsigned irq, bool high)
{
	uint32_t bit = 1u << (irq % 32);
	if (high)
		soc->nvic.level[irq / 32] |= bit;
	else
		soc->nvic.level[irq / 32] &= ~bit;
	if (high)
		soc->attention = true;
	rv32_intr_line(soc, irq, high);
}

bool nvic_enabled(const struct ai8x_firmware *soc, unsigned irq)
{
	return (soc->nvic.enabled[irq / 32] >> (irq % 32) & 1) != 0 || rv32_intr_enabled(soc, irq);
}

static uint32_t nvic_priority_word(const struct nvic *nvic, unsigned first)
{
	uint32_t value = 0;
	for (unsigned i = 0; i < 4; i++)
		if (first + i < EXCEPTIONS)
			value |= (uint32_t)nvic->priority[first + i] << (8 * i);
	return value;
}

static uint32_t scb_read(struct ai8x_firmware *soc, uint32_t offset)
{
	struct nvic *nvic = &soc->nvic;
	switch (offset) {
	case CPUID:
		return CORTEX_M4_ID;
	case ICSR:
		return (nvic->depth > 0 ? nvic->active[nvic->depth - 1] : 0u) | (uint32_t)nvic->pendsv << 28 |
		       (uint32_t)nvic->systick << 26;
	case VTOR:
		return nvic->vtor;
	case AIRCR:
		return 0xFA050000u | (nvic->scb[AIRCR / 4] & 0x700);
	case SHPR1:
	case SHPR1 + 4:
	case SHPR1 + 8:
		return nvic_priority_word(nvic, 4 + (offset - SHPR1));
	default:
		return nvic->scb[offset / 4];
	}
}

uint32_t nvic_read(struct ai8x_firmware *soc, uint32_t offset)
{
	struct nvic *nvic = &soc->nvic;
	uint32_t word = (offset & 0x7F) / 4;
	if (offset >= SCB && offset < SCB_END)
		return scb_read(soc, (offset - SCB) & ~3u);
	if (offset == ICTR)
		return (soc->soc->interrupts - 1) / 32;
	if (offset >= IPR && offset < IPR_END)
		return nvic_priority_word(nvic, EXCEPTION_IRQ0 + ((offset - IPR) & ~3u));
	if (word >= 8 || offset < ISER || offset >= IPR)
		return 0;
	switch (offset & ~0x7Fu) {
	case ISER:
	case ICER:
		return nvic->enabled[word];
	case ISPR:
	case ICPR:
		return nvic->pending[word] | nvic->level[word];
	default: {
		uint32_t active = 0;
		for (unsigned i = 0; i < nvic->depth; i++)
			if (nvic->active[i] >= EXCEPTION_IRQ0 && (nvic->active[i] - EXCEPTION_IRQ0) / 32u == word)
				active |= 1u << ((nvic->active[i] - EXCEPTION_IRQ0) % 32);
		return offset < IPR && offset >= IABR ? active : 0;
	}
	}
}

static void nvic_set_priority(struct nvic *nvic, unsigned first, uint32_t value, unsigned bytes)
{
	// Three bits of priority.
	for (unsigned i = 0; i < bytes; i++)
		if (first + i < EXCEPTIONS)
			nvic->priority[first + i] = (uint8_t)(value >> (8 * i)) & 0xE0;
}

static void scb_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value, unsigned bytes)
{
	struct nvic *nvic = &soc->nvic;
	switch (offset & ~3u) {
	case ICSR:
		if (value >> 31 != 0)
			nvic->nmi = true;
		if ((value >> 28 & 1) != 0)
			nvic->pendsv = true;
		if ((value >> 27 & 1) != 0)
			nvic->pendsv = false;
		if ((value >> 26 & 1) != 0)
			nvic->systick = true;
		if ((value >> 25 & 1) != 0)
			nvic->systick = false;
		break;
	case VTOR:
		nvic->vtor = value & ~0x7Fu;
		break;
	case AIRCR:
		nvic->scb[AIRCR / 4] = value;
		if ((value >> 16) == 0x05FA && (value >> 2 & 1) != 0)
			soc_end(soc, AI8X_FIRMWARE_IDLE, AI8X_ERR_STALLED, "the firmware asked for a system reset");
		break;
	case SHPR1:
	case SHPR1 + 4:
	case SHPR1 + 8:
		nvic_set_priority(nvic, 4 + (offset - SHPR1), value, bytes);
		break;
	case CFSR:
	case HFSR:
		nvic->scb[(offset & ~3u) / 4] &= ~(value << (8 * (offset & 3))); // written ones clear
		break;
	case MPU_TYPE:
	case MVFR0:
	case MVFR1:
		break;
	default:
		nvic->scb[offset / 4] = value;
	}
}

void nvic_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value, unsigned bytes)
{
	struct nvic *nvic = &soc->nvic;
	uint32_t word = (offset & 0x7F) / 4;
	if (offset >= SCB && offset < SCB_END && offset != STIR)
		scb_write(soc, offset - SCB, value, bytes);
	else if (offset >= IPR && offset < IPR_END)
		nvic_set_priority(nvic, EXCEPTION_IRQ0 + (offset - IPR), value, bytes);
	else if (offset == STIR && (value & 0x1FF) < 256)
		nvic->pending[(value & 0xFF) / 32] |= 1u << (value % 32);
	else if (word < 8 && offset >= ISER && offset < IABR)
		switch (offset & ~0x7Fu) {
		case ISER:
			nvic->enabled[word] |= value;
			break;
		case ICER:
			nvic->enabled[word] &= ~value;
			break;
		case ISPR:
			nvic->pending[word] |= value;
			break;
		default:
			nvic->pending[word] &= ~value;
		}
	soc->attention = true;
}

static void set(struct ai8x_firmware *soc, int id, uint32_t value)
{
	(void)soc->unicorn.reg_write(soc->uc, id, &value);
}

static const int caller_saved[6] = {UC_ARM_REG_R0, UC_ARM_REG_R1,  UC_ARM_REG_R2,
                                    UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};

static void acknowledge(struct nvic *nvic, unsigned exception)
{
	if (exception >= EXCEPTION_IRQ0)
		nvic->pending[(exception - EXCEPTION_IRQ0) / 32] &= ~(1u << ((exception - EXCEPTION_IRQ0) % 32));
	else if (exception == EXCEPTION_SVC)
		nvic->svc = false;
	else if (exception == EXCEPTION_PENDSV)
		nvic->pendsv = false;
	else if (exception == EXCEPTION_SYSTICK)
		nvic->systick = false;
	else if (exception == EXCEPTION_NMI)
		nvic->nmi = false;
	else
		nvic->faults[exception] = false;
}

// The frame is on its stack: on to the handler.
static bool vector_to(struct ai8x_firmware *soc, unsigned exception, uint32_t exc_return)
{
	struct nvic *nvic = &soc->nvic;
	uint32_t vector = 0;
	if (soc->unicorn.mem_read(soc->uc, nvic->vtor + 4 * exception, &vector, 4) != UC_ERR_OK ||
	    (vector & 1) == 0)
		return false;
	nvic->active[nvic->depth++] = (uint8_t)exception;
	acknowledge(nvic, exception);
	vcd_set(soc, VCD_EXCEPTION, exception);
	// CONTROL first: in a handler its stack bit cannot be written.
	set(soc, UC_ARM_REG_CONTROL, soc_register(soc, UC_ARM_REG_CONTROL) & 1);
	set(soc, UC_ARM_REG_XPSR, (soc_register(soc, UC_ARM_REG_XPSR) & 0xF8000000u) | 0x01000000u | exception);
	set(soc, UC_ARM_REG_LR, exc_return);
	set(soc, UC_ARM_REG_PC, vector);
	return true;
}

bool nvic_enter(struct ai8x_firmware *soc, unsigned exception)
{
	struct nvic *nvic = &soc->nvic;
	if (nvic->depth == NESTING)
		return false;

	const bool thread = nvic->depth == 0;
	const uint32_t control = soc_register(soc, UC_ARM_REG_CONTROL);
	const bool process = thread && (control & CONTROL_PROCESS_STACK) != 0;
	const bool fpu = (control & CONTROL_FPU) != 0;
	const uint32_t sp = soc_register(soc, UC_ARM_REG_SP), xpsr = soc_register(soc, UC_ARM_REG_XPSR);
	const uint32_t words = fpu ? EXTENDED_WORDS : BASIC_WORDS;
	const uint32_t lower = (sp & ~7u) - 4 * words;
	uint32_t frame[EXTENDED_WORDS] = {0};
	for (unsigned i = 0; i < 6; i++)
		frame[i] = soc_register(soc, caller_saved[i]);
	frame[6] = soc_register(soc, UC_ARM_REG_PC) & ~1u;
	frame[7] =
		(xpsr & 0xFFFFFC00u) | 0x01000000u | (sp & 4) << 7 | (thread ? 0u : nvic->active[nvic->depth - 1]);
	if (fpu) {
		for (int i = 0; i < 8; i++)
			(void)soc->unicorn.reg_read(soc->uc, UC_ARM_REG_D0 + i, &frame[BASIC_WORDS + 2 * (unsigned)i]);
		frame[EXTENDED_WORDS - 2] = soc_register(soc, UC_ARM_REG_FPSCR);
	}
	if (soc->unicorn.mem_write(soc->uc, lower, frame, 4 * words) != UC_ERR_OK)
		return false;
	set(soc, UC_ARM_REG_SP, lower);
	soc_pass(soc, ENTRY_CYCLES);
	return vector_to(soc, exception,
	                 EXC_RETURN | (thread ? EXC_RETURN_THREAD : 0) | (process ? EXC_RETURN_PROCESS : 0) |
	                     (fpu ? 0 : EXC_RETURN_BASIC));
}

// Takes the registers from the frame at sp.
static void unstack(struct ai8x_firmware *soc, uint32_t sp, uint32_t exc_return, const uint32_t *frame)
{
	const bool fpu = (exc_return & EXC_RETURN_BASIC) == 0;
	for (unsigned i = 0; i < 6; i++)
		set(soc, caller_saved[i], frame[i]);
	set(soc, UC_ARM_REG_XPSR, (frame[7] & ~0x200u) | 0x01000000u);
	if ((exc_return & EXC_RETURN_THREAD) != 0)
		set(soc, UC_ARM_REG_CONTROL,
		    (soc_register(soc, UC_ARM_REG_CONTROL) & 1) |
		        ((exc_return & EXC_RETURN_PROCESS) != 0 ? CONTROL_PROCESS_STACK : 0) |
		        (fpu ? CONTROL_FPU : 0));
	else
		set(soc, UC_ARM_REG_CONTROL, (soc_register(soc, UC_ARM_REG_CONTROL) & 1) | (fpu ? CONTROL_FPU : 0));
	if (fpu) {
		for (int i = 0; i < 8; i++)
			(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_D0 + i, &frame[BASIC_WORDS + 2 * (unsigned)i]);
		set(soc, UC_ARM_REG_FPSCR, frame[EXTENDED_WORDS - 2]);
	}
	set(soc, UC_ARM_REG_SP,
	    sp + 4 * (fpu ? EXTENDED_WORDS : BASIC_WORDS) + ((frame[7] >> 9 & 1) != 0 ? 4 : 0));
	set(soc, UC_ARM_REG_PC, frame[6] | 1);
}

bool nvic_return(struct ai8x_firmware *soc, uint32_t exc_return)
{
	struct nvic *nvic = &soc->nvic;
	const bool thread = (exc_return & EXC_RETURN_THREAD) != 0;
	const bool process = (exc_return & EXC_RETURN_PROCESS) != 0;
	if (nvic->depth == 0 || (exc_return & ~0x1Cu) != EXC_RETURN || (process && !thread) ||
	    thread != (nvic->depth == 1))
		return false;
	if (nvic->active[nvic->depth - 1] != EXCEPTION_NMI)
		set(soc, UC_ARM_REG_FAULTMASK, 0);
	nvic->depth--;
	vcd_set(soc, VCD_EXCEPTION, nvic->depth > 0 ? nvic->active[nvic->depth - 1] : 0);
	soc->attention = true;
	// Another one is due: its handler takes over the frame.
	const unsigned due = nvic_next(soc, true);
	if (due != 0) {
		soc_pass(soc, TAIL_CYCLES);
		return vector_to(soc, due, exc_return);
	}
	const uint32_t sp = soc_register(soc, process ? UC_ARM_REG_PSP : UC_ARM_REG_SP);
	uint32_t frame[EXTENDED_WORDS] = {0};
	const uint32_t words = (exc_return & EXC_RETURN_BASIC) != 0 ? BASIC_WORDS : EXTENDED_WORDS;
	if (soc->unicorn.mem_read(soc->uc, sp, frame, 4 * words) != UC_ERR_OK)
		return false;
	unstack(soc, sp, exc_return, frame);
	soc_pass(soc, EXIT_CYCLES);
	return true;
}

bool nvic_fault(struct ai8x_firmware *soc, uint32_t status, uint32_t address)
{
	struct nvic *nvic = &soc->nvic;
	const unsigned kind = (status & STATUS_MEMORY) != 0 ? EXCEPTION_MEMORY
	                      : (status & STATUS_BUS) != 0  ? EXCEPTION_BUS
	                                                    : EXCEPTION_USAGE;
	nvic->scb[CFSR / 4] |= status;
	if ((status & MEMORY_ADDRESS_VALID) != 0)
		nvic->scb[MMFAR / 4] = address;
	if ((status & BUS_ADDRESS_VALID) != 0)
		nvic->scb[BFAR / 4] = address;
	const int own = group(nvic, nvic_priority(nvic, kind));
	const bool enabled = (nvic->scb[SHCSR / 4] >> (16 + kind - EXCEPTION_MEMORY) & 1) != 0;
	if (enabled && own < nvic_current(nvic) && own < masked_from(soc)) {
		nvic->faults[kind] = true;
		return true;
	}
	nvic->scb[HFSR / 4] |= FORCED;
	nvic->faults[EXCEPTION_HARD_FAULT] = nvic_current(nvic) > PRIORITY_HARD_FAULT;
	return nvic->faults[EXCEPTION_HARD_FAULT];
}

bool nvic_in_fault(const struct ai8x_firmware *soc)
{
	for (unsigned fault = EXCEPTION_HARD_FAULT; fault <= EXCEPTION_USAGE; fault++)
		if (nvic_is_active(&soc->nvic, fault))
			return true;
	return false;
}

void nvic_describe_fault(const struct ai8x_firmware *soc, char *text, size_t size)
{
	const uint32_t *scb = soc->nvic.scb;
	const uint32_t status = scb[CFSR / 4];
	int used = snprintf(text, size, "CFSR 0x%08x, HFSR 0x%08x", status, scb[HFSR / 4]);
	if (used > 0 && (size_t)used < size && (status & BUS_ADDRESS_VALID) != 0)
		(void)snprintf(text + used, size - (size_t)used, ", BFAR 0x%08x", scb[BFAR / 4]);
	else if (used > 0 && (size_t)used < size && (status & MEMORY_ADDRESS_VALID) != 0)
		(void)snprintf(text + used, size - (size_t)used, ", MMFAR 0x%08x", scb[MMFAR / 4]);
}

bool nvic_sleeps_deep(const struct ai8x_firmware *soc)
{
	return (soc->nvic.scb[SCR / 4] & SLEEP_DEEP) != 0;
}

bool nvic_sleeps_on_exit(const struct ai8x_firmware *soc)
{
	return soc->nvic.depth == 0 && (soc->nvic.scb[SCR / 4] & SLEEP_ON_EXIT) != 0;
}
