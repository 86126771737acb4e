// SysTick: counts down at the core's clock. Every delay of the SDK waits for it (firmware reference 3).
#include "firmware/soc.h"

#define CONTROL 0x0
#define LOAD 0x4
#define VALUE 0x8
#define CALIBRATION 0xC

#define CONTROL_ENABLE 0x1u
#define CONTROL_INTERRUPT 0x2u
#define CONTROL_FLAG 0x10000u

static uint64_t period(const struct systick *systick)
{
	return (uint64_t)systick->load + 1;
}

// Wraps since the counter was loaded, up to a core cycle.
static uint64_t wraps(const struct systick *systick, uint64_t cycle)
{
	if (!systick->running || systick->load == 0 || cycle < systick->origin)
		return 0;
	return (cycle - systick->origin) / period(systick);
}

uint64_t systick_next(const struct ai8x_firmware *soc)
{
	const struct systick *systick = &soc->systick;
	if (!systick->running || systick->load == 0)
		return TIME_NEVER;
	uint64_t due = systick->origin + (wraps(systick, soc->cycles) + 1) * period(systick);
	return soc->now + (due - soc->cycles) * soc->cycle;
}

bool systick_interrupts(const struct ai8x_firmware *soc)
{
	return soc->systick.running && (soc->systick.control & CONTROL_INTERRUPT) != 0;
}

void systick_sync(struct ai8x_firmware *soc)
{
	struct systick *systick = &soc->systick;
	if ((systick->control & CONTROL_INTERRUPT) == 0)
		return;
	uint64_t seen = wraps(systick, systick->flagged), now = wraps(systick, soc->cycles);
	if (now > seen && !soc->nvic.systick) {
		soc->nvic.systick = true;
		soc->attention = true;
		// The flag stays for the handler; the interrupt comes once per wrap.
		systick->control |= CONTROL_FLAG;
		systick->flagged = soc->cycles;
	}
}

uint32_t systick_read(struct ai8x_firmware *soc, uint32_t offset)
{
	struct systick *systick = &soc->systick;
	switch (offset) {
	case CONTROL: {
		uint32_t value = systick->control & 7;
		bool flag = (systick->control & CONTROL_FLAG) != 0;
		if (wraps(systick, soc->cycles) > wraps(systick, systick->flagged))
			flag = true;
		systick->control &= ~CONTROL_FLAG;
		systick->flagged = soc->cycles;
		return value | (flag ? CONTROL_FLAG : 0);
	}
	case LOAD:
		return systick->load;
	case VALUE:
		if (!systick->running || soc->cycles < systick->origin)
			return 0;
		return systick->load - (uint32_t)((soc->cycles - systick->origin) % period(systick));
	default:
		// No calibration value: bit 31 no reference clock, bit 30 skew.
		return 0xC0000000u;
	}
}

static void restart(struct ai8x_firmware *soc)
{
	soc->systick.origin = soc->cycles + 1;
	soc->systick.flagged = soc->cycles + 1;
	soc->systick.control &= ~CONTROL_FLAG;
}

void systick_write(struct ai8x_firmware *soc, uint32_t offset, uint32_t value)
{
	struct systick *systick = &soc->systick;
	switch (offset) {
	case CONTROL: {
		bool run = (value & CONTROL_ENABLE) != 0;
		systick->control = (value & 7) | (systick->control & CONTROL_FLAG);
		if (run && !systick->running)
			restart(soc);
		systick->running = run;
		break;
	}
	case LOAD:
		systick->load = value & 0xFFFFFF;
		break;
	case VALUE:
		restart(soc);
		break;
	default:
		break;
	}
	soc_changed(soc);
}
