// I2C masters: starts, addresses, bytes and stops reach the devices of the board; the FIFOs as drivers see them.
//
// A byte takes no time. Slave mode hears nothing. Facts: the vendor's register headers of both parts.
#include "firmware/board.h"
#include "firmware/queue.h"

#define CONTROL 0x00
#define STATUS 0x04
#define FLAGS0 0x08
#define ENABLE0 0x0C
#define FLAGS1 0x10
#define ENABLE1 0x14
#define RECEIVE0 0x1C
#define RECEIVE1 0x20
#define TRANSMIT0 0x24
#define FIFO 0x2C
#define MASTER 0x30

#define CONTROL_SCL_OUT (1u << 6)
#define CONTROL_SDA_OUT (1u << 7)
#define CONTROL_SCL (1u << 8)
#define CONTROL_SDA (1u << 9)
#define CONTROL_BIT_BANG (1u << 10)
#define FLUSH (1u << 7)
#define DONE (1u << 0)
#define RX_THRESHOLD (1u << 4)
#define TX_THRESHOLD (1u << 5)
#define STOPPED (1u << 6)
#define ADDRESS_ACK (1u << 7)
#define ADDRESS_NACK (1u << 10)
#define DATA_NACK (1u << 11)
#define START (1u << 0)
#define RESTART (1u << 1)
#define STOP (1u << 2)
#define DEPTH 8u

static const struct peripheral_register registers[] = {
	{0x00, true, "CTRL", 0, CONTROL_SCL | CONTROL_SDA},
	{0x04, true, "STATUS"},
	{0x08, true, "INTFL0", 0, 0, UINT32_MAX},
	{0x0c, true, "INTEN0"},
	{0x10, true, "INTFL1", 0, 0, UINT32_MAX},
	{0x14, true, "INTEN1"},
	{0x18, true, "FIFOLEN", 0x0808, UINT32_MAX},
	{0x1c, true, "RXCTRL0", 0, 0, 0, FLUSH},
	{0x20, true, "RXCTRL1"},
	{0x24, true, "TXCTRL0", 0, 0, 0, FLUSH},
	{0x28, true, "TXCTRL1"},
	{0x2c, true, "FIFO"},
	{0x30, true, "MSTCTRL", 0, 0, 0, START | RESTART | STOP},
	{0x34, true, "CLKLO"},
	{0x38, true, "CLKHI"},
	{0x3c, true, "HSCLK"},
	{0x40, true, "TIMEOUT"},
	{0x48, true, "DMA"},
	{0x4c, true, "SLAVE0"},
	{0x50, true, "SLAVE1"},
	{0x54, true, "SLAVE2"},
	{0x58, true, "SLAVE3"},
};

enum phase { IDLE, ADDRESS, WRITING, READING, REFUSED };

struct i2c {
	enum phase phase;
	uint8_t address;
	unsigned expected; // bytes that a read still takes from the device
	struct queue sent, received;
};

static uint32_t flags(struct ai8x_firmware *soc, const struct peripheral *row)
{
	const struct i2c *i2c = soc_state(soc, row);
	uint32_t level = *soc_word(soc, row->base + RECEIVE0) >> 8 & 15;
	uint32_t value = *soc_word(soc, row->base + FLAGS0);
	if (i2c->sent.count == 0)
		value |= TX_THRESHOLD;
	if (i2c->received.count > 0 && i2c->received.count >= level)
		value |= RX_THRESHOLD;
	return value;
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row)
{
	bool high = (flags(soc, row) & *soc_word(soc, row->base + ENABLE0)) != 0 ||
	            (*soc_word(soc, row->base + FLAGS1) & *soc_word(soc, row->base + ENABLE1)) != 0;
	nvic_line(soc, row->irq, high);
}

static void set_flags(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t bits)
{
	*soc_word(soc, row->base + FLAGS0) |= bits;
}

static void begin(struct ai8x_firmware *soc, const struct peripheral *row, uint8_t byte)
{
	struct i2c *i2c = soc_state(soc, row);
	const bool reads = (byte & 1) != 0;
	i2c->address = byte >> 1;
	if (!board_i2c_start(soc, row->unit, i2c->address, reads)) {
		set_flags(soc, row, ADDRESS_NACK);
		i2c->phase = REFUSED;
		i2c->sent.count = 0;
		return;
	}
	set_flags(soc, row, ADDRESS_ACK);
	i2c->phase = reads ? READING : WRITING;
	const unsigned count = *soc_word(soc, row->base + RECEIVE1) & 0xFF;
	i2c->expected = count == 0 ? 256 : count;
}

static void work(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct i2c *i2c = soc_state(soc, row);
	while (i2c->sent.count > 0 && (i2c->phase == ADDRESS || i2c->phase == WRITING)) {
		const uint8_t byte = (uint8_t)queue_pop(&i2c->sent);
		if (i2c->phase == ADDRESS)
			begin(soc, row, byte);
		else if (!board_i2c_write(soc, row->unit, i2c->address, byte))
			set_flags(soc, row, DATA_NACK);
	}
	while (i2c->phase == READING && i2c->expected > 0 && i2c->received.count < DEPTH) {
		queue_push(&i2c->received, DEPTH, board_i2c_read(soc, row->unit, i2c->address));
		if (--i2c->expected == 0)
			set_flags(soc, row, DONE);
	}
	update_line(soc, row);
}

static void master(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t value)
{
	struct i2c *i2c = soc_state(soc, row);
	if ((value & STOP) != 0) {
		i2c->phase = IDLE;
		set_flags(soc, row, STOPPED | DONE);
	} else if ((value & (START | RESTART)) != 0) {
		if (i2c->phase == WRITING)
			set_flags(soc, row, DONE);
		i2c->phase = ADDRESS;
	}
	work(soc, row);
}

static uint32_t pop(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct i2c *i2c = soc_state(soc, row);
	const bool any = i2c->received.count > 0;
	const uint32_t byte = queue_pop(&i2c->received);
	if (any)
		work(soc, row);
	return byte;
}

static uint32_t load(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset)
{
	const struct i2c *i2c = soc_state(soc, row);
	uint32_t value = peripheral_load(soc, row, offset);
	switch (offset) {
	case CONTROL:
		// An idle bus is pulled up; driven by hand it follows.
		if ((value & CONTROL_BIT_BANG) == 0)
			return value | CONTROL_SCL | CONTROL_SDA;
		return (value & ~(CONTROL_SCL | CONTROL_SDA)) | (value & (CONTROL_SCL_OUT | CONTROL_SDA_OUT)) << 2;
	case STATUS:
		return (i2c->phase != IDLE ? 1u | 1u << 5 : 0) | (uint32_t)(i2c->received.count == 0) << 1 |
		       (uint32_t)(i2c->received.count == DEPTH) << 2 | (uint32_t)(i2c->sent.count == 0) << 3 |
		       (uint32_t)(i2c->sent.count == DEPTH) << 4;
	case FLAGS0:
		return flags(soc, row);
	case RECEIVE1:
		return (value & 0xFF) | i2c->received.count << 8;
	case TRANSMIT0 + 4:
		return (value & 0xFF) | i2c->sent.count << 8;
	case FIFO:
		return pop(soc, row);
	default:
		return value;
	}
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct i2c *i2c = soc_state(soc, row);
	if (offset == FIFO) {
		if (i2c->phase != REFUSED)
			queue_push(&i2c->sent, DEPTH, (uint8_t)value);
		work(soc, row);
		return;
	}
	peripheral_store(soc, row, offset, value);
	if (offset == MASTER)
		master(soc, row, value);
	else if (offset == RECEIVE0 && (value & FLUSH) != 0)
		i2c->received.count = 0;
	else if (offset == TRANSMIT0 && (value & FLUSH) != 0)
		i2c->sent.count = 0;
	update_line(soc, row);
}

static uint32_t ready(const struct ai8x_firmware *soc, const struct peripheral *row, bool transmits)
{
	const struct i2c *i2c = soc_state(soc, row);
	return transmits ? DEPTH - i2c->sent.count : i2c->received.count;
}

const struct peripheral_block i2c_block = {
	REGISTERS(registers), .state_bytes = sizeof(struct i2c),
	.fifo = FIFO,         .narrow = true,
	.read = load,         .write = store,
	.ready = ready,
};
