// The UARTs: what firmware prints, and what arrives from their far ends at the pace of the baud rate.
//
// A character that is sent takes no time. Bytes of a file wait while the FIFO is full; a person's are lost, as on a wire.
// Facts: firmware reference 2, the vendor's register headers.
#include "firmware/board.h"
#include "firmware/queue.h"

#define CONTROL 0x00
#define STATUS 0x04
#define ENABLES 0x08
#define FLAGS 0x0C
#define DIVIDER 0x10
#define FIFO 0x20
#define DMA 0x30

#define CONTROL_FLUSH (1u << 8 | 1u << 9)
#define RECEIVE_FLUSH (1u << 9)
#define CONTROL_CLOCK_READY (1u << 19)
#define RECEIVE_EMPTY (1u << 4)
#define RECEIVE_FULL (1u << 5)
#define TRANSMIT_EMPTY (1u << 6)
#define RECEIVE_THRESHOLD (1u << 4)
#define TRANSMITTED (1u << 5 | 1u << 6)
#define DEPTH 8u
#define OSCILLATOR_HZ 7372800u // of the second clock source
#define BITS 10u               // of a character on the wire

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL", 0, CONTROL_CLOCK_READY, 0, CONTROL_FLUSH},
	{0x04, true, "STATUS"},
	{0x08, true, "INT_EN"},
	{0x0c, true, "INT_FL", 0, 0, UINT32_MAX},
	{0x10, true, "CLKDIV"},
	{0x14, true, "OSR"},
	{0x18, true, "TXPEEK"},
	{0x1c, true, "PNR"},
	{0x20, true, "FIFO"},
	{0x30, true, "DMA"},
	{0x34, true, "WKEN"},
	{0x38, true, "WKFL"},
};

struct uart {
	struct queue received;
	bool asked;   // the firmware looked for bytes: before that nothing arrives
	uint64_t due; // of the next character
};

static uint64_t character_time(const struct ai8x_firmware *soc, const struct peripheral *row)
{
	const uint64_t divider = soc_value(soc, row, DIVIDER) & 0xFFFFF;
	const bool oscillator = (soc_value(soc, row, CONTROL) >> 16 & 3) == 2;
	const uint64_t clock = oscillator ? FS_PER_SECOND / OSCILLATOR_HZ : clocks_pclk(soc);
	return (divider == 0 ? 64 : divider) * BITS * clock;
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	nvic_line(soc, row->irq, (soc_value(soc, row, FLAGS) & soc_value(soc, row, ENABLES)) != 0);
}

// The flag goes up when a byte arrives or leaves, and not again because it was cleared: drivers count on that.
static void level_changed(struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct uart *uart = soc_state(soc, row);
	if (uart->received.count > 0 && uart->received.count >= (soc_value(soc, row, CONTROL) & 15))
		*soc_word(soc, row->base + FLAGS) |= RECEIVE_THRESHOLD;
	update_line(soc, row);
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct uart *uart = soc_state(soc, row);
	uint8_t byte = 0;
	if (!uart->asked || soc->now < uart->due || uart->received.count == DEPTH ||
	    !board_uart_take(soc, row->unit, &byte))
		return;
	queue_push(&uart->received, DEPTH, byte);
	uart->due = soc->now + character_time(soc, row);
	level_changed(soc, row);
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	const struct uart *uart = soc_state(soc, row);
	const bool heard = (soc_value(soc, row, ENABLES) & RECEIVE_THRESHOLD) != 0 && nvic_enabled(soc, row->irq);
	if (!uart->asked || uart->received.count == DEPTH || !board_uart_open(soc, row->unit) ||
	    (interrupting && !heard && (soc_value(soc, row, DMA) >> 9 & 1) == 0))
		return TIME_NEVER;
	// When a person types is not known: the next character's time after now will do.
	return uart->due > soc->now ? uart->due : soc->now + character_time(soc, row);
}

static void look(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct uart *uart = soc_state(soc, row);
	if (!uart->asked && board_uart_open(soc, row->unit)) {
		uart->asked = true;
		uart->due = soc->now + character_time(soc, row);
		soc_changed(soc);
	}
	carry_out(soc, row);
}

static uint32_t pop(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct uart *uart = soc_state(soc, row);
	const bool any = uart->received.count > 0;
	const uint32_t byte = queue_pop(&uart->received);
	if (any)
		level_changed(soc, row);
	return byte;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	const struct uart *uart = soc_state(soc, row);
	switch (offset) {
	case CONTROL:
		return peripheral_load(soc, row, offset) | CONTROL_CLOCK_READY;
	case STATUS:
		look(soc, row);
		return TRANSMIT_EMPTY | (uart->received.count == 0 ? RECEIVE_EMPTY : 0) |
		       (uart->received.count == DEPTH ? RECEIVE_FULL : 0) | uart->received.count << 8;
	case FIFO:
		look(soc, row);
		return pop(soc, row);
	default:
		return peripheral_load(soc, row, offset);
	}
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct uart *uart = soc_state(soc, row);
	switch (offset) {
	case STATUS:
		break;
	case FIFO:
		board_uart_send(soc, row->unit, (char)value);
		soc_print(soc, row->unit, (char)value);
		*soc_word(soc, row->base + FLAGS) |= TRANSMITTED;
		break;
	default:
		peripheral_store(soc, row, offset, value);
		if (offset == CONTROL && (value & RECEIVE_FLUSH) != 0)
			uart->received.count = 0;
		if (offset == ENABLES && (value & RECEIVE_THRESHOLD) != 0)
			look(soc, row);
	}
	update_line(soc, row);
}

static uint32_t ready(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits)
{
	const struct uart *uart = soc_state(soc, row);
	return transmits ? DEPTH : uart->received.count;
}

const struct peripheral_block uart_block = {
	REGISTERS(registers), .state_bytes = sizeof(struct uart),
	.narrow = true,       .fifo = FIFO,
	.ready = ready,       .read = load,
	.write = store,       .sync = carry_out,
	.next = next,
};
