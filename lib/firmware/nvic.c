// NVIC and system control block: which exception is due, its entry and its return.
//
// Unicorn has none of this (firmware reference 7): frames are pushed and popped by hand between blocks. Only
// a basic frame goes to the stack; the FPU's caller-saved registers are kept on the host's side. Priorities
// and nesting follow the architecture, sub-priorities and lockup do not exist.
#include "firmware/soc.h"

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
#define SCB_END 0xE00
#define STIR 0xF00

#define CPUID 0x00
#define ICSR 0x04
#define VTOR 0x08
#define AIRCR 0x0C
#define SHPR1 0x18
#define CPACR 0x88

#define CORTEX_M4_ID 0x410FC241u
#define EXCEPTION_SVC 11
#define EXCEPTION_PENDSV 14
#define EXCEPTION_SYSTICK 15
#define EXCEPTION_IRQ0 16
#define NO_PRIORITY 256

void nvic_reset(struct nvic *nvic)
{
	*nvic = (struct nvic){.vtor = FLASH_BASE};
}

static unsigned nvic_priority(const struct nvic *nvic, unsigned exception)
{
	return nvic->priority[exception];
}

static unsigned nvic_current(const struct nvic *nvic)
{
	unsigned current = NO_PRIORITY;
	for (unsigned i = 0; i < nvic->depth; i++)
		if (nvic_priority(nvic, nvic->active[i]) < current)
			current = nvic_priority(nvic, nvic->active[i]);
	return current;
}

static bool nvic_is_active(const struct nvic *nvic, unsigned exception)
{
	for (unsigned i = 0; i < nvic->depth; i++)
		if (nvic->active[i] == exception)
			return true;
	return false;
}

static void consider(const struct nvic *nvic, unsigned exception, unsigned *best, unsigned *priority)
{
	if (nvic_priority(nvic, exception) < *priority) {
		*best = exception;
		*priority = nvic_priority(nvic, exception);
	}
}

unsigned nvic_next(struct ai8x_firmware *soc, bool masked)
{
	struct nvic *nvic = &soc->nvic;
	unsigned best = 0;
	unsigned priority = nvic_current(nvic);
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
	if (best == 0)
		return 0;
	if (masked) {
		uint32_t base = soc_register(soc, UC_ARM_REG_BASEPRI) & 0xFF;
		if ((soc_register(soc, UC_ARM_REG_PRIMASK) & 1) != 0 ||
		    (soc_register(soc, UC_ARM_REG_FAULTMASK) & 1) != 0 || (base != 0 && priority >= base))
			return 0;
	}
	return best;
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
}

bool nvic_enabled(const struct ai8x_firmware *soc, unsigned irq)
{
	return (soc->nvic.enabled[irq / 32] >> (irq % 32) & 1) != 0;
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
	default:
		nvic->scb[offset / 4] = value;
	}
}

void nvic_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value, unsigned bytes)
{
	struct nvic *nvic = &soc->nvic;
	uint32_t word = (offset & 0x7F) / 4;
	if (offset >= SCB && offset < SCB_END)
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

bool nvic_enter(struct ai8x_firmware *soc, unsigned exception)
{
	static const int pushed[6] = {UC_ARM_REG_R0, UC_ARM_REG_R1,  UC_ARM_REG_R2,
	                              UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};
	struct nvic *nvic = &soc->nvic;
	if (nvic->depth == NESTING)
		return false;

	bool thread = nvic->depth == 0;
	bool process = thread && (soc_register(soc, UC_ARM_REG_CONTROL) & 2) != 0;
	uint32_t sp = soc_register(soc, UC_ARM_REG_SP);
	uint32_t xpsr = soc_register(soc, UC_ARM_REG_XPSR) & 0xFFFFFDFFu;
	uint32_t pc = soc_register(soc, UC_ARM_REG_PC);
	uint32_t frame[8];
	for (unsigned i = 0; i < 6; i++)
		frame[i] = soc_register(soc, pushed[i]);
	bool padding = (sp & 4) != 0;
	uint32_t lower = (sp & ~7u) - 32;
	frame[6] = pc & ~1u;
	frame[7] = (xpsr & 0xFFFFFE00u) | 0x01000000u | (uint32_t)padding << 9 |
	           (thread ? 0u : nvic->active[nvic->depth - 1]);

	uint32_t vector = 0;
	if (soc->unicorn.mem_write(soc->uc, lower, frame, sizeof frame) != UC_ERR_OK ||
	    soc->unicorn.mem_read(soc->uc, nvic->vtor + 4 * exception, &vector, 4) != UC_ERR_OK)
		return false;

	struct saved_frame *saved = &nvic->frames[nvic->depth];
	for (int i = 0; i < 8; i++)
		(void)soc->unicorn.reg_read(soc->uc, UC_ARM_REG_D0 + i, &saved->vfp[i]);
	saved->fpscr = soc_register(soc, UC_ARM_REG_FPSCR);
	nvic->active[nvic->depth++] = (uint8_t)exception;

	if (exception >= EXCEPTION_IRQ0)
		nvic->pending[(exception - EXCEPTION_IRQ0) / 32] &= ~(1u << ((exception - EXCEPTION_IRQ0) % 32));
	else if (exception == EXCEPTION_SVC)
		nvic->svc = false;
	else if (exception == EXCEPTION_PENDSV)
		nvic->pendsv = false;
	else if (exception == EXCEPTION_SYSTICK)
		nvic->systick = false;

	uint32_t link = !thread ? 0xFFFFFFF1u : process ? 0xFFFFFFFDu : 0xFFFFFFF9u;
	uint32_t entered = (xpsr & 0xF8000000u) | 0x01000000u | exception;
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_SP, &lower);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_LR, &link);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_XPSR, &entered);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_PC, &vector);
	// Stacking and vector fetch.
	soc_pass(soc, 12);
	return true;
}

bool nvic_return(struct ai8x_firmware *soc)
{
	static const int popped[6] = {UC_ARM_REG_R0, UC_ARM_REG_R1,  UC_ARM_REG_R2,
	                              UC_ARM_REG_R3, UC_ARM_REG_R12, UC_ARM_REG_LR};
	struct nvic *nvic = &soc->nvic;
	if (nvic->depth == 0)
		return false;
	uint32_t sp = soc_register(soc, UC_ARM_REG_SP);
	uint32_t frame[8];
	if (soc->unicorn.mem_read(soc->uc, sp, frame, sizeof frame) != UC_ERR_OK)
		return false;

	const struct saved_frame *saved = &nvic->frames[--nvic->depth];
	for (int i = 0; i < 8; i++)
		(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_D0 + i, &saved->vfp[i]);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_FPSCR, &saved->fpscr);
	for (unsigned i = 0; i < 6; i++)
		(void)soc->unicorn.reg_write(soc->uc, popped[i], &frame[i]);
	uint32_t upper = sp + 32 + ((frame[7] >> 9 & 1) != 0 ? 4 : 0);
	uint32_t xpsr = (frame[7] & ~0x200u) | 0x01000000u;
	uint32_t pc = frame[6] | 1;
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_SP, &upper);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_XPSR, &xpsr);
	(void)soc->unicorn.reg_write(soc->uc, UC_ARM_REG_PC, &pc);
	soc_pass(soc, 12);
	soc->attention = true;
	return true;
}
