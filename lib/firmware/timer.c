// The timers TMR0..5, driven by simulated time: firmware measures inferences with them.
//
// A timer is one counter of 32 bits or, as soon as the clock of its half B is on without CASCADE, two of 16 bits: the
// registers then have half B's fields 16 bits above those of half A. One-shot, continuous, PWM and compare modes
// are modelled (no pin moves); the others count up without end. A half counts its source divided by a power of two,
// from 1 after a match (firmware reference 4).
#include "firmware/soc.h"

#define COUNT 0x00
#define COMPARE 0x04
#define FLAGS 0x0C
#define CONTROL0 0x10
#define CONTROL1 0x18

#define HALVES 2u
#define HALF_BITS 16
#define MODE_ONE_SHOT 0u
#define MODE_CONTINUOUS 1u
#define MODE_PWM 3u
#define MODE_COMPARE 5u
#define WRAPPING_MODES (1u << MODE_CONTINUOUS | 1u << MODE_PWM)
#define MATCHING_MODES (1u << MODE_ONE_SHOT | 1u << MODE_COMPARE | WRAPPING_MODES)
#define CLOCK_ENABLE (1u << 14)
#define ENABLE (1u << 15)
#define RESETS (1u << 13 | 1u << 29)
#define FLAG_EXPIRED 1u
#define FLAGS_WRITE_DONE (1u << 8 | 1u << 24)
#define CONTROL1_RUNNING (1u << 2)
#define CONTROL1_READY (1u << 3)
#define CONTROL1_STATUS (CONTROL1_RUNNING | CONTROL1_READY)
#define CONTROL1_INTERRUPT (1u << 8)
#define CONTROL1_CASCADE (1u << 31)

static const struct peripheral_register registers[] = {
	{0x00, true, "CNT", .counter = true},
	{0x04, true, "CMP"},
	{0x08, true, "PWM"},
	{0x0c, true, "INTFL", 0, 0, UINT32_MAX},
	{0x10, true, "CTRL0", 0, 0, 0, RESETS},
	{0x14, true, "NOLCMP"},
	{0x18, true, "CTRL1"},
	{0x1c, true, "WKFL"},
};

struct timer {
	struct timer_half {
		uint32_t count;  // at the origin
		uint64_t origin; // time of the start or the last change
	} half[HALVES];
};

static bool split(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	return (soc_value(soc, row, CONTROL1) & CONTROL1_CASCADE) == 0 &&
	       (soc_value(soc, row, CONTROL0) >> HALF_BITS & CLOCK_ENABLE) != 0;
}

// The fields of a half, at half A's places.
static uint32_t control(const struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset,
                        unsigned half)
{
	return soc_value(soc, row, offset) >> HALF_BITS * half;
}

// A half's part of a count. Half B has none while half A has all 32 bits.
static uint32_t part(const struct ai8x_firmware *soc, const struct peripheral *row, uint32_t value,
                     unsigned half)
{
	if (split(soc, row))
		return value >> HALF_BITS * half & ((1u << HALF_BITS) - 1);
	return half == 0 ? value : 0;
}

// Source clocks: 60 MHz, 7.3728 MHz, 32768 Hz oscillators besides PCLK.
static uint64_t tick(const struct ai8x_firmware *soc, const struct peripheral *row, unsigned half)
{
	static const uint32_t main_source[4] = {0, 60000000, 7372800, 32768};
	static const uint32_t low_power_source[4] = {7372800, 32768, 8192, 7372800};
	const uint32_t source = control(soc, row, CONTROL1, half) & 3;
	const uint32_t hz = (row->unit < 4 ? main_source : low_power_source)[source];
	const unsigned prescaler = control(soc, row, CONTROL0, half) >> 4 & 15;
	uint64_t period = hz == 0 ? clocks_pclk(soc) : FS_PER_SECOND / hz;
	return period << (prescaler > 12 ? 12 : prescaler);
}

static bool mode_is(const struct ai8x_firmware *soc, const struct peripheral *row, unsigned half,
                    unsigned modes)
{
	return (modes >> (control(soc, row, CONTROL0, half) & 15) & 1) != 0;
}

static bool running(const struct ai8x_firmware *soc, const struct peripheral *row, unsigned half)
{
	return (control(soc, row, CONTROL0, half) & ENABLE) != 0 && (half == 0 || split(soc, row));
}

static uint64_t due(const struct ai8x_firmware *soc, const struct peripheral *row, unsigned half)
{
	const struct timer_half *timer = &((const struct timer *)soc_state(soc, row))->half[half];
	const uint32_t compare = part(soc, row, soc_value(soc, row, COMPARE), half);
	if (!running(soc, row, half) || !mode_is(soc, row, half, MATCHING_MODES) || compare < timer->count)
		return TIME_NEVER;
	uint64_t ticks = (uint64_t)compare - timer->count + 1;
	uint64_t step = tick(soc, row, half);
	if (ticks > (TIME_NEVER - timer->origin) / step)
		return TIME_NEVER;
	return timer->origin + ticks * step;
}

static bool interrupts(const struct ai8x_firmware *soc, const struct peripheral *row, unsigned half)
{
	return (control(soc, row, CONTROL1, half) & CONTROL1_INTERRUPT) != 0;
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	bool level = false;
	for (unsigned half = 0; half < HALVES; half++)
		level |= (control(soc, row, FLAGS, half) & FLAG_EXPIRED) != 0 && interrupts(soc, row, half);
	nvic_line(soc, row->irq, level);
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	uint64_t first = TIME_NEVER;
	for (unsigned half = 0; half < HALVES; half++) {
		const uint64_t time = due(soc, row, half);
		const bool counts = !interrupting || (interrupts(soc, row, half) && nvic_enabled(soc, row->irq));
		if (counts && time < first)
			first = time;
	}
	return first;
}

// What a half does at its match, which was at `time`.
static void match(struct ai8x_firmware *soc, const struct peripheral *row, unsigned half, uint64_t time)
{
	struct timer_half *timer = &((struct timer *)soc_state(soc, row))->half[half];
	const uint32_t compare = part(soc, row, soc_value(soc, row, COMPARE), half);
	*soc_word(soc, row->base + FLAGS) |= FLAG_EXPIRED << HALF_BITS * half;
	timer->count = 1;
	if (mode_is(soc, row, half, 1u << MODE_ONE_SHOT))
		*soc_word(soc, row->base + CONTROL0) &= ~(ENABLE << HALF_BITS * half);
	else if (mode_is(soc, row, half, WRAPPING_MODES)) {
		uint64_t cycle = (compare == 0 ? 1 : (uint64_t)compare) * tick(soc, row, half);
		timer->origin = time + (soc->now - time) / cycle * cycle;
	} else {
		timer->count = compare + 1;
		timer->origin = time;
	}
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	bool matched = false;
	for (unsigned half = 0; half < HALVES; half++) {
		const uint64_t time = due(soc, row, half);
		if (soc->now < time)
			continue;
		match(soc, row, half, time);
		matched = true;
	}
	if (matched)
		update_line(soc, row);
}

static uint32_t half_count(const struct ai8x_firmware *soc, const struct peripheral *row, unsigned half)
{
	const struct timer_half *timer = &((const struct timer *)soc_state(soc, row))->half[half];
	const bool runs = running(soc, row, half);
	const uint64_t elapsed = runs ? (soc->now - timer->origin) / tick(soc, row, half) : 0;
	return timer->count + (uint32_t)elapsed;
}

static uint32_t current(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	if (!split(soc, row))
		return half_count(soc, row, 0);
	return (half_count(soc, row, 0) & ((1u << HALF_BITS) - 1)) | half_count(soc, row, 1) << HALF_BITS;
}

static uint32_t status(uint32_t control0, uint32_t control1)
{
	uint32_t bits = control1 & ~(CONTROL1_STATUS | CONTROL1_STATUS << HALF_BITS);
	for (unsigned half = 0; half < HALVES; half++) {
		const uint32_t mine = control0 >> HALF_BITS * half;
		bits |= ((mine & ENABLE) != 0 ? CONTROL1_RUNNING : 0) << HALF_BITS * half;
		bits |= ((mine & CLOCK_ENABLE) != 0 ? CONTROL1_READY : 0) << HALF_BITS * half;
	}
	return bits;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	carry_out(soc, row);
	const uint32_t value = peripheral_load(soc, row, offset);
	switch (offset) {
	case COUNT:
		return current(soc, row);
	case FLAGS:
		return value | FLAGS_WRITE_DONE;
	case CONTROL1:
		return status(soc_value(soc, row, CONTROL0), value);
	default:
		return value;
	}
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct timer *timer = soc_state(soc, row);
	carry_out(soc, row);
	// Whatever changes counts from now on.
	const uint32_t count = offset == COUNT ? value : current(soc, row);
	peripheral_store(soc, row, offset, value);
	for (unsigned half = 0; half < HALVES; half++)
		timer->half[half] = (struct timer_half){part(soc, row, count, half), soc->now};
	update_line(soc, row);
	soc_changed(soc);
}

// Low-power timers have clocks that go on.
static void stood_still(struct ai8x_firmware *soc, const struct peripheral *row, uint64_t time)
{
	struct timer *timer = soc_state(soc, row);
	for (unsigned half = 0; row->unit < 4 && half < HALVES; half++)
		timer->half[half].origin += time;
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
