// The timers TMR0..5, driven by simulated time: firmware measures inferences with them.
//
// Modes one-shot and continuous are modelled; the others count up without end. A timer counts its source
// divided by a power of two, from 1 after a match (firmware reference 4).
#include "firmware/soc.h"

#define COUNT 0x00
#define COMPARE 0x04
#define PWM 0x08
#define FLAGS 0x0C
#define CONTROL0 0x10
#define NOLCMP 0x14
#define CONTROL1 0x18
#define WAKE 0x1C

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
	{0x0c, true, "INTFL"},
	{0x10, true, "CTRL0"},
	{0x14, true, "NOLCMP"},
	{0x18, true, "CTRL1"},
	{0x1c, true, "WKFL"},
};

struct timer {
	uint32_t compare, pwm, flags, control0, nolcmp, control1, wake;
	uint32_t count;  // while stopped
	uint64_t origin; // time when it started
	bool running;
};

// Source clocks: 60 MHz, 7.3728 MHz, 32768 Hz oscillators besides PCLK.
static uint64_t tick(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct timer *timer = soc_state(soc, row);
	static const uint32_t main_source[4] = {0, 60000000, 7372800, 32768};
	static const uint32_t low_power_source[4] = {7372800, 32768, 8192, 7372800};
	uint32_t hz = (row->unit < 4 ? main_source : low_power_source)[timer->control1 & 3];
	unsigned prescaler = timer->control0 >> 4 & 15;
	uint64_t period = hz == 0 ? clocks_pclk(soc) : FS_PER_SECOND / hz;
	return period << (prescaler > 12 ? 12 : prescaler);
}

static unsigned mode(const struct timer *timer)
{
	return timer->control0 & 15;
}

static uint64_t elapsed(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct timer *timer = soc_state(soc, row);
	return (soc->now - timer->origin) / tick(soc, row);
}

static bool stops_at_compare(const struct timer *timer)
{
	return (mode(timer) == MODE_ONE_SHOT || mode(timer) == MODE_CONTINUOUS) && timer->compare >= timer->count;
}

static uint64_t due(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct timer *timer = soc_state(soc, row);
	if (!timer->running || !stops_at_compare(timer))
		return TIME_NEVER;
	uint64_t ticks = (uint64_t)timer->compare - timer->count + 1;
	uint64_t step = tick(soc, row);
	if (ticks > (TIME_NEVER - timer->origin) / step)
		return TIME_NEVER;
	return timer->origin + ticks * step;
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct timer *timer = soc_state(soc, row);
	nvic_line(soc, row->irq,
	          (timer->flags & FLAG_EXPIRED) != 0 && (timer->control1 & CONTROL1_INTERRUPT) != 0);
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	const struct timer *timer = soc_state(soc, row);
	if (interrupting && ((timer->control1 & CONTROL1_INTERRUPT) == 0 || !nvic_enabled(soc, row->irq)))
		return TIME_NEVER;
	return due(soc, row);
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct timer *timer = soc_state(soc, row);
	uint64_t time = due(soc, row);
	if (soc->now < time)
		return;
	timer->flags |= FLAG_EXPIRED;
	if (mode(timer) == MODE_ONE_SHOT) {
		timer->running = false;
		timer->count = 1;
		timer->control0 &= ~ENABLE;
	} else {
		uint64_t cycle = (timer->compare == 0 ? 1 : (uint64_t)timer->compare) * tick(soc, row);
		timer->origin = time + (soc->now - time) / cycle * cycle;
		timer->count = 1;
	}
	update_line(soc, row);
}

static uint32_t current(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct timer *timer = soc_state(soc, row);
	return timer->running ? timer->count + (uint32_t)elapsed(soc, row) : timer->count;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	struct timer *timer = soc_state(soc, row);
	carry_out(soc, row);
	switch (offset) {
	case COUNT:
		return current(soc, row);
	case COMPARE:
		return timer->compare;
	case PWM:
		return timer->pwm;
	case FLAGS:
		return timer->flags | FLAGS_WRITE_DONE;
	case CONTROL0:
		return timer->control0;
	case NOLCMP:
		return timer->nolcmp;
	case CONTROL1:
		return (timer->control1 & ~(CONTROL1_RUNNING | CONTROL1_READY)) |
		       ((timer->control0 & ENABLE) != 0 ? CONTROL1_RUNNING : 0) |
		       ((timer->control0 & CLOCK_ENABLE) != 0 ? CONTROL1_READY : 0);
	default:
		return timer->wake;
	}
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct timer *timer = soc_state(soc, row);
	carry_out(soc, row);
	// Whatever changes counts from now on.
	timer->count = current(soc, row);
	timer->origin = soc->now;
	switch (offset) {
	case COUNT:
		timer->count = value;
		break;
	case COMPARE:
		timer->compare = value;
		break;
	case PWM:
		timer->pwm = value;
		break;
	case FLAGS:
		timer->flags &= ~value;
		break;
	case CONTROL0:
		timer->control0 = value & ~RESET;
		timer->running = (value & ENABLE) != 0;
		break;
	case NOLCMP:
		timer->nolcmp = value;
		break;
	case CONTROL1:
		timer->control1 = value;
		break;
	default:
		timer->wake = value;
	}
	update_line(soc, row);
	soc_changed(soc);
}

const struct peripheral_block timer_block = {
	REGISTERS(registers), .state_bytes = sizeof(struct timer),
	.read = load,         .write = store,
	.sync = carry_out,    .next = next,
};
