// Pulse trains: a generator that is enabled runs until its loops are done, or for ever without a number of loops.
//
// Facts: the vendor's register headers of both parts.
#include "firmware/soc.h"

#define PULSE_TRAINS 0x4003C000u

#define ENABLE 0x00
#define RESYNC 0x04
#define FLAGS 0x08
#define ENABLES 0x0C
#define SAFE_ENABLE 0x10
#define SAFE_DISABLE 0x14
#define TRAINS 4u

// Of a train, which follow the global registers.
#define TRAIN_BYTES 0x20u
#define RATE_AND_LENGTH 0x00
#define LOOP 0x08
#define SQUARE 1u // length that means no train, but a wave of the rate

static const struct peripheral_register global_registers[] = {
	{ENABLE, true, "ENABLE"},
	{RESYNC, true, "RESYNC", 0, 0, 0, UINT32_MAX},
	{FLAGS, true, "INTFL", 0, 0, UINT32_MAX},
	{ENABLES, true, "INTEN"},
	{SAFE_ENABLE, true, "SAFE_EN", 0, 0, 0, UINT32_MAX},
	{SAFE_DISABLE, true, "SAFE_DIS", 0, 0, 0, UINT32_MAX},
};

static const struct peripheral_register train_registers[] = {
	{0x00, true, "RATE_LENGTH"},
	{0x04, true, "TRAIN"},
	{0x08, true, "LOOP"},
	{0x0c, true, "RESTART"},
};

struct trains {
	uint64_t due[TRAINS]; // when the loops of a train are done, TIME_NEVER: stopped, or for ever
};

static uint64_t duration(const struct ai8x_firmware *soc, const struct peripheral *row, unsigned train)
{
	const uint32_t base = TRAIN_BYTES * (train + 1);
	const uint32_t rate = soc_value(soc, row, base + RATE_AND_LENGTH);
	const uint64_t loops = soc_value(soc, row, base + LOOP) & 0xFFFF,
				   wait = soc_value(soc, row, base + LOOP) >> 16 & 0xFFF;
	const uint64_t clocks = (rate & 0x7FFFFFF) == 0 ? 1 : rate & 0x7FFFFFF, length = rate >> 27;
	if (loops == 0 || length == SQUARE)
		return TIME_NEVER;
	return loops * ((length == 0 ? 32 : length) + wait) * clocks * clocks_pclk(soc);
}

uint64_t pulse_train_wave(const struct ai8x_firmware *soc)
{
	const struct peripheral *row = peripheral_find(soc->soc, PULSE_TRAINS);
	for (unsigned i = 0; i < TRAINS; i++) {
		const uint32_t rate = soc_value(soc, row, TRAIN_BYTES * (i + 1) + RATE_AND_LENGTH);
		const uint64_t clocks = rate & 0x7FFFFFF;
		if ((soc_value(soc, row, ENABLE) >> i & 1) != 0 && rate >> 27 == SQUARE && clocks != 0)
			return 2 * clocks * clocks_pclk(soc);
	}
	return TIME_NEVER;
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct trains *trains = soc_state(soc, row);
	for (unsigned i = 0; i < TRAINS; i++) {
		if (soc->now < trains->due[i])
			continue;
		trains->due[i] = TIME_NEVER;
		*soc_word(soc, row->base + ENABLE) &= ~(1u << i);
		*soc_word(soc, row->base + FLAGS) |= 1u << i;
	}
	nvic_line(soc, row->irq, (soc_value(soc, row, FLAGS) & soc_value(soc, row, ENABLES)) != 0);
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	const struct trains *trains = soc_state(soc, row);
	uint64_t first = TIME_NEVER;
	for (unsigned i = 0; i < TRAINS; i++)
		if (trains->due[i] < first && (!interrupting || (soc_value(soc, row, ENABLES) >> i & 1) != 0))
			first = trains->due[i];
	return interrupting && !nvic_enabled(soc, row->irq) ? TIME_NEVER : first;
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct trains *trains = soc_state(soc, row);
	const uint32_t before = soc_value(soc, row, ENABLE);
	peripheral_store(soc, row, offset, value);
	uint32_t *enable = soc_word(soc, row->base + ENABLE);
	if (offset == SAFE_ENABLE)
		*enable |= value & 15;
	else if (offset == SAFE_DISABLE)
		*enable &= ~(value & 15);
	for (unsigned i = 0; i < TRAINS; i++) {
		const bool runs = (*enable >> i & 1) != 0, ran = (before >> i & 1) != 0;
		const uint64_t time = runs && !ran ? duration(soc, row, i) : TIME_NEVER;
		if (runs != ran)
			trains->due[i] = time == TIME_NEVER ? TIME_NEVER : soc->now + time;
	}
	nvic_line(soc, row->irq, (soc_value(soc, row, FLAGS) & soc_value(soc, row, ENABLES)) != 0);
	soc_changed(soc);
}

static void reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct trains *trains = soc_state(soc, row);
	for (unsigned i = 0; i < TRAINS; i++)
		trains->due[i] = TIME_NEVER;
}

const struct peripheral_block ptg_block = {
	REGISTERS(global_registers),
	.state_bytes = sizeof(struct trains),
	.write = store,
	.reset = reset,
	.sync = carry_out,
	.next = next,
};

const struct peripheral_block pt_block = {
	REGISTERS(train_registers),
};
