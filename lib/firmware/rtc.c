// Real-time clock: seconds and 1/4096 seconds in simulated time, the alarm of the day and the one of parts of a second.
//
// Facts: the vendor's register headers of both parts.
#include "firmware/soc.h"

#define SECONDS 0x00
#define PARTS 0x04
#define DAY_ALARM 0x08
#define PART_ALARM 0x0C
#define CONTROL 0x10

#define ENABLE (1u << 0)
#define DAY_INTERRUPT (1u << 1)
#define PART_INTERRUPT (1u << 2)
#define BUSY (1u << 3)
#define READY (1u << 4)
#define DAY_FLAG (1u << 6)
#define PART_FLAG (1u << 7)
#define TICK (FS_PER_SECOND / 4096)
#define DAY_MASK 0xFFFFFu

static const struct peripheral_register registers[] = {
	{0x00, true, "SEC"},     {0x04, true, "SSEC", .counter = true},     {0x08, true, "TODA"},
	{0x0c, true, "SSECA"},   {0x10, true, "CTRL", READY, BUSY | READY}, {0x14, true, "TRIM"},
	{0x18, true, "OSCCTRL"},
};

struct rtc {
	uint64_t origin;    // time at which the count was base
	uint64_t base;      // 1/4096 seconds
	uint64_t day, part; // when the alarms come, TIME_NEVER: not set
};

static bool runs(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	return (soc->words[(row->base + CONTROL - PERIPHERAL_BASE) >> 2] & ENABLE) != 0;
}

static uint64_t count(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct rtc *rtc = soc_state(soc, row);
	return runs(soc, row) ? rtc->base + (soc->now - rtc->origin) / TICK : rtc->base;
}

static uint64_t time_of(const struct rtc *rtc, uint64_t ticks)
{
	return ticks - rtc->base > (TIME_NEVER - rtc->origin) / TICK ? TIME_NEVER
	                                                             : rtc->origin + (ticks - rtc->base) * TICK;
}

static void plan(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct rtc *rtc = soc_state(soc, row);
	const uint32_t control = *soc_word(soc, row->base + CONTROL);
	rtc->day = rtc->part = TIME_NEVER;
	if ((control & ENABLE) != 0 && (control & DAY_INTERRUPT) != 0 && (control & DAY_FLAG) == 0) {
		const uint64_t now = count(soc, row) >> 12;
		const uint64_t alarm = *soc_word(soc, row->base + DAY_ALARM) & DAY_MASK;
		uint64_t ahead = (alarm - now) & DAY_MASK;
		rtc->day = time_of(rtc, (now + (ahead == 0 ? DAY_MASK + 1 : ahead)) << 12);
	}
	// Counts up from the alarm register until it overflows.
	if ((control & ENABLE) != 0 && (control & PART_INTERRUPT) != 0 && (control & PART_FLAG) == 0)
		rtc->part =
			time_of(rtc, count(soc, row) + (UINT64_C(1) << 32) - *soc_word(soc, row->base + PART_ALARM));
	soc_changed(soc);
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	const uint32_t control = *soc_word(soc, row->base + CONTROL);
	nvic_line(soc, row->irq, (control & (control << 5) & (DAY_FLAG | PART_FLAG)) != 0);
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct rtc *rtc = soc_state(soc, row);
	uint32_t *control = soc_word(soc, row->base + CONTROL);
	if (soc->now < rtc->day && soc->now < rtc->part)
		return;
	if (soc->now >= rtc->day)
		*control |= DAY_FLAG;
	if (soc->now >= rtc->part)
		*control |= PART_FLAG;
	plan(soc, row);
	update_line(soc, row);
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	const struct rtc *rtc = soc_state(soc, row);
	if (interrupting && !nvic_enabled(soc, row->irq))
		return TIME_NEVER;
	return rtc->day < rtc->part ? rtc->day : rtc->part;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	carry_out(soc, row);
	if (offset == SECONDS)
		return (uint32_t)(count(soc, row) >> 12);
	if (offset == PARTS)
		return (uint32_t)count(soc, row) & 0xFFF;
	return peripheral_load(soc, row, offset);
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct rtc *rtc = soc_state(soc, row);
	carry_out(soc, row);
	rtc->base = count(soc, row);
	rtc->origin = soc->now;
	if (offset == SECONDS)
		rtc->base = (uint64_t)value << 12 | (rtc->base & 0xFFF);
	else if (offset == PARTS)
		rtc->base = (rtc->base & ~UINT64_C(0xFFF)) | (value & 0xFFF);
	else if (offset == CONTROL) {
		// Flags are cleared by writing 0, and cannot be set.
		uint32_t flags = *soc_word(soc, row->base + CONTROL) & value & (DAY_FLAG | PART_FLAG);
		peripheral_store(soc, row, offset, (value & ~(DAY_FLAG | PART_FLAG)) | flags);
	} else
		peripheral_store(soc, row, offset, value);
	plan(soc, row);
	update_line(soc, row);
}

static void reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct rtc *rtc = soc_state(soc, row);
	rtc->day = rtc->part = TIME_NEVER;
	rtc->origin = soc->now;
}

const struct peripheral_block rtc_block = {
	REGISTERS(registers), .stays = true,  .state_bytes = sizeof(struct rtc),
	.read = load,         .write = store, .reset = reset,
	.sync = carry_out,    .next = next,
};
