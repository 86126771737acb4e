// Wake-up timer: counts the 32 kHz oscillator in every sleep mode. Facts: the vendor's register headers of both parts.
#include "firmware/soc.h"

#define COUNT 0x00
#define COMPARE 0x04
#define FLAGS 0x0C
#define CONTROL 0x10

#define FLAG 1u
#define ENABLE (1u << 7)
#define CONTINUOUS 1u
#define COMPARING 5u
#define HZ 32768u

static const struct peripheral_register registers[] = {
	{0x00, true, "CNT", 1, .counter = true},
	{0x04, true, "CMP", 0xFFFF},
	{0x08, true, "PWM"},
	{0x0c, true, "INTFL", 0, 0, UINT32_MAX},
	{0x10, true, "CTRL"},
	{0x14, true, "NOLCMP"},
	{0x18, true, "PRESET"},
	{0x1c, true, "RELOAD"},
	{0x20, true, "SNAPSHOT"},
};

struct wut {
	uint32_t base; // count at the origin
	uint64_t origin;
};

static uint64_t tick(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const uint32_t control = soc_value(soc, row, CONTROL);
	return (FS_PER_SECOND / HZ) << ((control >> 3 & 7) | (control >> 8 & 1) << 3);
}

static uint32_t count(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct wut *wut = soc_state(soc, row);
	return (soc_value(soc, row, CONTROL) & ENABLE) != 0
	           ? wut->base + (uint32_t)((soc->now - wut->origin) / tick(soc, row))
	           : wut->base;
}

static uint64_t due(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct wut *wut = soc_state(soc, row);
	const uint32_t compare = soc_value(soc, row, COMPARE);
	if ((soc_value(soc, row, CONTROL) & ENABLE) == 0 || compare < wut->base)
		return TIME_NEVER;
	const uint64_t ticks = (uint64_t)compare - wut->base + 1;
	return ticks > (TIME_NEVER - wut->origin) / tick(soc, row) ? TIME_NEVER
	                                                           : wut->origin + ticks * tick(soc, row);
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct wut *wut = soc_state(soc, row);
	const uint64_t time = due(soc, row);
	if (soc->now < time)
		return;
	const uint32_t mode = soc_value(soc, row, CONTROL) & 7;
	*soc_word(soc, row->base + FLAGS) |= FLAG;
	if (mode == COMPARING) {
		wut->base = soc_value(soc, row, COMPARE) + 1;
		wut->origin = time;
	} else {
		wut->base = 1;
		wut->origin = time;
		if (mode != CONTINUOUS)
			*soc_word(soc, row->base + CONTROL) &= ~ENABLE;
	}
	nvic_line(soc, row->irq, true);
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	return interrupting && !nvic_enabled(soc, row->irq) ? TIME_NEVER : due(soc, row);
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	carry_out(soc, row);
	return offset == COUNT ? count(soc, row) : peripheral_load(soc, row, offset);
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct wut *wut = soc_state(soc, row);
	carry_out(soc, row);
	wut->base = offset == COUNT ? value : count(soc, row);
	wut->origin = soc->now;
	if (offset != COUNT)
		peripheral_store(soc, row, offset, value);
	nvic_line(soc, row->irq, (soc_value(soc, row, FLAGS) & FLAG) != 0);
	soc_changed(soc);
}

static void reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct wut *wut = soc_state(soc, row);
	*wut = (struct wut){.base = 1, .origin = soc->now};
}

const struct peripheral_block wut_block = {
	REGISTERS(registers), .stays = true,  .state_bytes = sizeof(struct wut),
	.read = load,         .write = store, .reset = reset,
	.sync = carry_out,    .next = next,
};
