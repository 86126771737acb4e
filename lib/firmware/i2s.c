// I2S: a microphone's samples arrive at the rate that the dividers make; what is sent is dropped.
//
// The bit clock comes from a 12.288 MHz crystal, as on the boards of the vendor. Facts: the vendor's register headers.
#include "firmware/board.h"
#include "firmware/queue.h"

#define CONTROL0 0x00
#define CONTROL1 0x10
#define DMA 0x30
#define FIFO 0x40
#define FLAGS 0x50
#define ENABLES 0x54

#define TX_ENABLE (1u << 16)
#define RX_ENABLE (1u << 17)
#define FLUSH (1u << 18)
#define RESET (1u << 19)
#define CLOCK_ENABLE (1u << 8)
#define RX_DMA (1u << 15)
#define RX_OVERRUN (1u << 0)
#define RX_THRESHOLD (1u << 1)
#define TX_ONE_LEFT (1u << 2)
#define TX_HALF_EMPTY (1u << 3)
#define CLOCK_HZ 12288000u
#define DEPTH 8u

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL0CH0", 0, 0, 0, FLUSH | RESET},
	{0x10, true, "CTRL1CH0"},
	{0x20, true, "FILTCH0"},
	{0x30, true, "DMACH0"},
	{0x40, true, "FIFOCH0"},
	{0x50, true, "INTFL", 0, 0, UINT32_MAX},
	{0x54, true, "INTEN"},
	{0x58, true, "EXTSETUP"},
	{0x5c, true, "WKEN"},
	{0x60, true, "WKFL"},
};

struct i2s {
	struct queue received;
	uint64_t due; // of the next sample, TIME_NEVER: stopped
};

// Time between two words: both channels of a frame have as many bit clocks as a word has bits.
static uint64_t period(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const uint32_t control = soc_value(soc, row, CONTROL1);
	const uint64_t clocks = 2 * (uint64_t)((control >> 16) + 1) * ((control & 31) + 1) * 2;
	return clocks * (FS_PER_SECOND / CLOCK_HZ);
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	uint32_t *flags = soc_word(soc, row->base + FLAGS);
	if ((soc_value(soc, row, CONTROL0) & TX_ENABLE) != 0)
		*flags |= TX_ONE_LEFT | TX_HALF_EMPTY;
	nvic_line(soc, row->irq, (*flags & soc_value(soc, row, ENABLES)) != 0);
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct i2s *i2s = soc_state(soc, row);
	while (soc->now >= i2s->due) {
		if (i2s->received.count < DEPTH)
			queue_push(&i2s->received, DEPTH, board_sound(soc, period(soc, row)));
		else {
			*soc_word(soc, row->base + FLAGS) |= RX_OVERRUN;
			// Nobody listens: the words in between are lost together.
			board_sound_skip(soc, (soc->now - i2s->due) / period(soc, row), period(soc, row));
			i2s->due += (soc->now - i2s->due) / period(soc, row) * period(soc, row);
		}
		i2s->due += period(soc, row);
		// A word that arrives sets the flag, not the level: handlers clear it before anybody reads the FIFO.
		if (i2s->received.count > soc_value(soc, row, CONTROL0) >> 24 || i2s->received.count == DEPTH)
			*soc_word(soc, row->base + FLAGS) |= RX_THRESHOLD;
		update_line(soc, row);
	}
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	const struct i2s *i2s = soc_state(soc, row);
	const bool asked = (soc_value(soc, row, ENABLES) != 0 && nvic_enabled(soc, row->irq)) ||
	                   (soc_value(soc, row, DMA) & RX_DMA) != 0;
	return interrupting && !asked ? TIME_NEVER : i2s->due;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	struct i2s *i2s = soc_state(soc, row);
	carry_out(soc, row);
	if (offset == DMA)
		return (peripheral_load(soc, row, offset) & 0xFFFF) | i2s->received.count << 24;
	if (offset != FIFO)
		return peripheral_load(soc, row, offset);
	return queue_pop(&i2s->received);
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct i2s *i2s = soc_state(soc, row);
	carry_out(soc, row);
	if (offset == FIFO)
		return;
	peripheral_store(soc, row, offset, value);
	if (offset == CONTROL0 && (value & (FLUSH | RESET)) != 0)
		i2s->received.count = 0;
	if (offset == CONTROL0 || offset == CONTROL1) {
		const bool runs = (soc_value(soc, row, CONTROL1) & CLOCK_ENABLE) != 0 &&
		                  (soc_value(soc, row, CONTROL0) & RX_ENABLE) != 0;
		if (!runs)
			i2s->due = TIME_NEVER;
		else if (i2s->due == TIME_NEVER)
			i2s->due = soc->now + period(soc, row);
	}
	update_line(soc, row);
	soc_changed(soc);
}

static void reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct i2s *i2s = soc_state(soc, row);
	i2s->due = TIME_NEVER;
}

// In bytes, as a request counts.
static uint32_t ready(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits)
{
	const struct i2s *i2s = soc_state(soc, row);
	return transmits ? 4 * DEPTH : 4 * i2s->received.count;
}

static void stood_still(struct ai8x_firmware *soc, const struct peripheral *row, uint64_t time)
{
	struct i2s *i2s = soc_state(soc, row);
	if (i2s->due != TIME_NEVER)
		i2s->due += time;
}

const struct peripheral_block i2s_block = {
	REGISTERS(registers),
	.state_bytes = sizeof(struct i2s),
	.fifo = FIFO,
	.read = load,
	.write = store,
	.reset = reset,
	.sync = carry_out,
	.next = next,
	.stood_still = stood_still,
	.ready = ready,
};
