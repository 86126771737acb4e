// SPI masters: characters go to the devices of the board and bring back theirs; the FIFOs as drivers see them.
//
// The last character of a transaction takes its time, the others none. Slave mode hears nothing. Facts: the vendor's
// register headers of both parts.
#include "firmware/board.h"
#include "firmware/queue.h"

#define FIFO 0x00
#define CONTROL0 0x04
#define CONTROL1 0x08
#define CONTROL2 0x0C
#define CLOCK 0x14
#define DMA 0x1C
#define FLAGS 0x20
#define ENABLES 0x24
#define STATUS 0x30

#define ENABLE (1u << 0)
#define MASTER (1u << 1)
#define START (1u << 5)
#define HOLD_SELECT (1u << 8)
#define TX_FIFO_ENABLE (1u << 6)
#define TX_FLUSH (1u << 7)
#define RX_FIFO_ENABLE (1u << 22)
#define RX_FLUSH (1u << 23)
#define TX_THRESHOLD (1u << 0)
#define TX_EMPTY (1u << 1)
#define RX_THRESHOLD (1u << 2)
#define RX_FULL (1u << 3)
#define MASTER_DONE (1u << 11)
#define DEPTH 32u

static const struct peripheral_register registers[] = {
	{0x00, true, "FIFO32"},
	{0x04, true, "CTRL0", 0, 0, 0, START},
	{0x08, true, "CTRL1"},
	{0x0c, true, "CTRL2"},
	{0x10, true, "SSTIME"},
	{0x14, true, "CLKCTRL"},
	{0x1c, true, "DMA", 0, 0, 0, TX_FLUSH | RX_FLUSH},
	{0x20, true, "INTFL", 0, 0, UINT32_MAX},
	{0x24, true, "INTEN"},
	{0x28, true, "WKFL"},
	{0x2c, true, "WKEN"},
	{0x30, true, "STAT", 0, UINT32_MAX},
};

struct spi {
	bool active;
	uint64_t due;                 // end of the last character, TIME_NEVER: it is not on its way
	unsigned to_send, to_receive; // characters
	struct queue sent, received;
};

static uint32_t flags(struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct spi *spi = soc_state(soc, row);
	const uint32_t dma = *soc_word(soc, row->base + DMA);
	uint32_t value = *soc_word(soc, row->base + FLAGS);
	if (spi->sent.count <= (dma & 31))
		value |= TX_THRESHOLD;
	if (spi->sent.count == 0)
		value |= TX_EMPTY;
	if (spi->received.count > (dma >> 16 & 31))
		value |= RX_THRESHOLD;
	if (spi->received.count == DEPTH)
		value |= RX_FULL;
	return value;
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	nvic_line(soc, row->irq, (flags(soc, row) & *soc_word(soc, row->base + ENABLES)) != 0);
}

static unsigned character_bits(struct ai8x_firmware *soc, const struct peripheral *row)
{
	const uint32_t bits = *soc_word(soc, row->base + CONTROL2) >> 8 & 15;
	return bits == 0 ? 16 : bits;
}

static uint64_t character_time(struct ai8x_firmware *soc, const struct peripheral *row)
{
	const uint32_t clock = soc_value(soc, row, CLOCK);
	const uint64_t clocks = (uint64_t)((clock & 255) + (clock >> 8 & 255)) << (clock >> 16 & 15);
	return character_bits(soc, row) * clocks * clocks_pclk(soc);
}

static void finish(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct spi *spi = soc_state(soc, row);
	if (soc->now < spi->due)
		return;
	spi->active = false;
	spi->due = TIME_NEVER;
	*soc_word(soc, row->base + FLAGS) |= MASTER_DONE;
	const uint32_t control = soc_value(soc, row, CONTROL0);
	if ((control & HOLD_SELECT) == 0)
		board_spi_release(soc, row->unit, control >> 16 & 15);
	update_line(soc, row);
}

static void work(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct spi *spi = soc_state(soc, row);
	const unsigned size = character_bits(soc, row) > 8 ? 2 : 1;
	const unsigned select = *soc_word(soc, row->base + CONTROL0) >> 16 & 15;
	while (spi->active && spi->to_send + spi->to_receive > 0) {
		const bool sends = spi->to_send > 0;
		if ((sends && spi->sent.count < size) || (spi->to_receive > 0 && spi->received.count + size > DEPTH))
			break;
		uint16_t character = 0;
		for (unsigned i = 0; i < size && sends; i++)
			character = (uint16_t)(character | queue_pop(&spi->sent) << (8 * i));
		character = board_spi(soc, row->unit, select, character, character_bits(soc, row));
		for (unsigned i = 0; i < size && spi->to_receive > 0; i++)
			queue_push(&spi->received, DEPTH, (uint8_t)(character >> (8 * i)));
		spi->to_send -= sends;
		spi->to_receive -= spi->to_receive > 0;
	}
	if (spi->active && spi->due == TIME_NEVER && spi->to_send + spi->to_receive == 0) {
		spi->due = soc->now + character_time(soc, row);
		soc_changed(soc);
	}
	update_line(soc, row);
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	struct spi *spi = soc_state(soc, row);
	uint32_t value = 0;
	finish(soc, row);
	switch (offset) {
	case FIFO:
		for (unsigned i = 0; i < soc->access_bytes; i++)
			value |= queue_pop(&spi->received) << (8 * i);
		work(soc, row);
		return value;
	case DMA:
		return (peripheral_load(soc, row, offset) & ~0x3F003F00u) | spi->sent.count << 8 |
		       spi->received.count << 24;
	case CONTROL0:
		return peripheral_load(soc, row, offset) | (spi->active ? START : 0);
	case FLAGS:
		return flags(soc, row);
	case STATUS:
		return spi->active;
	default:
		return peripheral_load(soc, row, offset);
	}
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct spi *spi = soc_state(soc, row);
	finish(soc, row);
	if (offset == FIFO) {
		for (unsigned i = 0; i < soc->access_bytes; i++)
			queue_push(&spi->sent, DEPTH, (uint8_t)(value >> (8 * i)));
		work(soc, row);
		return;
	}
	peripheral_store(soc, row, offset, value);
	if (offset == DMA && (value & TX_FLUSH) != 0)
		spi->sent.count = 0;
	if (offset == DMA && (value & RX_FLUSH) != 0)
		spi->received.count = 0;
	if (offset == CONTROL0 && (value & ENABLE) == 0) {
		spi->active = false;
		spi->due = TIME_NEVER;
	}
	// A start during a transaction changes nothing: drivers that feed the FIFO by hand ask with every character.
	const uint32_t begin = ENABLE | MASTER | START;
	if (offset == CONTROL0 && (value & begin) == begin && !spi->active) {
		const uint32_t counts = *soc_word(soc, row->base + CONTROL1);
		const uint32_t dma = *soc_word(soc, row->base + DMA);
		spi->active = true;
		spi->to_send = (dma & TX_FIFO_ENABLE) != 0 ? counts & 0xFFFF : 0;
		spi->to_receive = (dma & RX_FIFO_ENABLE) != 0 ? counts >> 16 : 0;
	}
	work(soc, row);
}

static void reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct spi *spi = soc_state(soc, row);
	spi->due = TIME_NEVER;
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	const struct spi *spi = soc_state(soc, row);
	return interrupting && soc_value(soc, row, ENABLES) == 0 ? TIME_NEVER : spi->due;
}

static uint32_t ready(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits)
{
	const struct spi *spi = soc_state(soc, row);
	return transmits ? DEPTH - spi->sent.count : spi->received.count;
}

const struct peripheral_block spi_block = {
	REGISTERS(registers), .state_bytes = sizeof(struct spi),
	.narrow = true,       .read = load,
	.write = store,       .reset = reset,
	.sync = finish,       .next = next,
	.ready = ready,
};
