// The timers TMR0..5, driven by simulated time: firmware measures inferences with them.
//
// Modes one-shot and continuous are modelled; the others count up without end. A timer counts its source
// divided by a power of two, from 1 after a match (firmware reference 4).
#include "firmware/soc.h"

#define COUNT 0x00
#define COMPARE 0x04
#define FLAGS 0x0C
#define CONTROL0 0x10
#define CONTROL1 0x18

#define MODE_ONE_SHOT 0u
#define MODE_CONTINUOUS 1u
#define CLOCK_ENABLE (1u << 14)
#define ENABLE (1u << 15)
#define RESET (1u << 13)
#define FLAG_EXPIRED 1u
#define FLAGS_WRITE_DONE (1u << 8 | 1u << 24)
#define CONTROL1_RUNNING (1u << 2)
#define CONTROL1_READY (1u << 3)
#define CONTROL1_INTERRUPT (1u << 8)

static const struct peripheral_register registers[] = {
	{0x00, true, "CNT", .counter = true},
	{0x04, true, "CMP"},
	{0x08, true, "PWM"},
	{0x0c, true, "INTFL", 0, 0, UINT32_MAX},
	{0x10, true, "CTRL0", 0, 0, 0, RESET},
	{0x14, true, "NOLCMP"},
	{0x18, true, "CTRL1"},
	{0x1c, true, "WKFL"},
};

struct timer {
	uint32_t count;  // at the origin
	uint64_t origin; // time of the start or the last change
};

// Source clocks: 60 MHz, 7.3728 MHz, 32768 Hz oscillators besides PCLK.
static uint64_t tick(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	static const uint32_t main_source[4] = {0, 60000000, 7372800, 32768};
	static const uint32_t low_power_source[4] = {7372800, 32768, 8192, 7372800};
	const uint32_t source = soc_value(soc, row, CONTROL1) & 3;
	const uint32_t hz = (row->unit < 4 ? main_source : low_power_source)[source];
	const unsigned prescaler = soc_value(soc, row, CONTROL0) >> 4 & 15;
	uint64_t period = hz == 0 ? clocks_pclk(soc) : FS_PER_SECOND / hz;
	return period << (prescaler > 12 ? 12 : prescaler);
}

static unsigned mode(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	return soc_value(soc, row, CONTROL0) & 15;
}

static bool running(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	return (soc_value(soc, row, CONTROL0) & ENABLE) != 0;
}

static uint64_t due(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct timer *timer = soc_state(soc, row);
	const uint32_t compare = soc_value(soc, row, COMPARE);
	const bool stops = mode(soc, row) == MODE_ONE_SHOT || mode(soc, row) == MODE_CONTINUOUS;
	if (!running(soc, row) || !stops || compare < timer->count)
		return TIME_NEVER;
	uint64_t ticks = (uint64_t)compare - timer->count + 1;
	uint64_t step = tick(soc, row);
	if (ticks > (TIME_NEVER - timer->origin) / step)
		return TIME_NEVER;
	return timer->origin + ticks * step;
}

static bool interrupts(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	return (soc_value(soc, row, CONTROL1) & CONTROL1_INTERRUPT) != 0;
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	nvic_line(soc, row->irq, (soc_value(soc, row, FLAGS) & FLAG_EXPIRED) != 0 && interrupts(soc, row));
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	if (interrupting && !(interrupts(soc, row) && nvic_enabled(soc, row->irq)))
		return TIME_NEVER;
	return due(soc, row);
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct timer *timer = soc_state(soc, row);
	uint64_t time = due(soc, row);
	if (soc->now < time)
		return;
	*soc_word(soc, row->base + FLAGS) |= FLAG_EXPIRED;
	timer->count = 1;
	if (mode(soc, row) == MODE_ONE_SHOT)
		*soc_word(soc, row->base + CONTROL0) &= ~ENABLE;
	else {
		const uint32_t compare = soc_value(soc, row, COMPARE);
		uint64_t cycle = (compare == 0 ? 1 : (uint64_t)compare) * tick(soc, row);
		timer->origin = time + (soc->now - time) / cycle * cycle;
	}
	update_line(soc, row);
}

static uint32_t current(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct timer *timer = soc_state(soc, row);
	const uint64_t elapsed = running(soc, row) ? (soc->now - timer->origin) / tick(soc, row) : 0;
	return timer->count + (uint32_t)elapsed;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	carry_out(soc, row);
	const uint32_t value = peripheral_load(soc, row, offset), control = soc_value(soc, row, CONTROL0);
	switch (offset) {
	case COUNT:
		return current(soc, row);
	case FLAGS:
		return value | FLAGS_WRITE_DONE;
	case CONTROL1:
		return (value & ~(CONTROL1_RUNNING | CONTROL1_READY)) |
		       ((control & ENABLE) != 0 ? CONTROL1_RUNNING : 0) |
		       ((control & CLOCK_ENABLE) != 0 ? CONTROL1_READY : 0);
	default:
		return value;
	}
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct timer *timer = soc_state(soc, row);
	carry_out(soc, row);
	// Whatever changes counts from now on.
	timer->count = offset == COUNT ? value : current(soc, row);
	timer->origin = soc->now;
	peripheral_store(soc, row, offset, value);
	update_line(soc, row);
	soc_changed(soc);
}

// Low-power timers have clocks that go on.
static void stood_still(struct ai8x_firmware *soc, const struct peripheral *row, uint64_t time)
{
	struct timer *timer = soc_state(soc, row);
	if (row->unit < 4)
		timer->origin += time;
}

const struct peripheral_block timer_block = {
	REGISTERS(registers),
	.state_bytes = sizeof(struct timer),
	.read = load,
	.write = store,
	.sync = carry_out,
	.next = next,
	.stood_still = stood_still,
};
