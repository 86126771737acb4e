// DMA: channels that move between memory and peripherals, with reload, and their interrupts.
//
// A request moves as many units as the peripheral has or takes at the moment; memory to memory takes a bus cycle for
// each. Facts: the vendor's register headers of both parts.
#include "firmware/soc.h"

#define CHANNELS 4u
#define ENABLES 0x00
#define PENDING 0x04
#define CHANNEL(n) (0x100 + 0x20 * (n))
#define CONTROL 0x00
#define STATUS 0x04
#define SOURCE 0x08
#define DESTINATION 0x0C
#define COUNT 0x10
#define SOURCE_RELOAD 0x14
#define DESTINATION_RELOAD 0x18
#define COUNT_RELOAD 0x1C

#define ENABLE (1u << 0)
#define RELOAD (1u << 1)
#define RELOAD_HERE (1u << 31) // the same bit in the count of the reload
#define SOURCE_INCREMENT (1u << 18)
#define DESTINATION_INCREMENT (1u << 22)
#define DISABLED_INTERRUPT (1u << 30)
#define COUNT_INTERRUPT (1u << 31)
#define RUNNING (1u << 0)
#define INTERRUPT_PENDING (1u << 1)
#define COUNT_FLAG (1u << 2)
#define RELOAD_FLAG (1u << 3)
#define BUS_ERROR (1u << 4)
#define TIMEOUT_FLAG (1u << 6)
#define FLAGS (COUNT_FLAG | RELOAD_FLAG | BUS_ERROR | TIMEOUT_FLAG)
#define TRANSMITS 0x20u // request numbers from here on feed peripherals

#define CHANNEL_REGISTERS(n)                                                                                 \
	{CHANNEL(n) + CONTROL, true, "CTRL" #n}, {CHANNEL(n) + STATUS, true, "STATUS" #n, 0, 3, FLAGS},          \
		{CHANNEL(n) + SOURCE, true, "SRC" #n}, {CHANNEL(n) + DESTINATION, true, "DST" #n},                   \
		{CHANNEL(n) + COUNT, true, "CNT" #n}, {CHANNEL(n) + SOURCE_RELOAD, true, "SRCRLD" #n},               \
		{CHANNEL(n) + DESTINATION_RELOAD, true, "DSTRLD" #n},                                                \
	{                                                                                                        \
		CHANNEL(n) + COUNT_RELOAD, true, "CNTRLD" #n                                                         \
	}

static const struct peripheral_register registers[] = {
	{ENABLES, true, "INTEN"}, {PENDING, true, "INTFL", 0, UINT32_MAX},
	CHANNEL_REGISTERS(0),     CHANNEL_REGISTERS(1),
	CHANNEL_REGISTERS(2),     CHANNEL_REGISTERS(3),
};

struct dma {
	uint64_t due[CHANNELS]; // when a copy in memory has taken its time, TIME_NEVER: not copying
};

static uint32_t request(uint32_t control)
{
	return control >> 4 & 0x3F;
}

// The peripheral that asks, or NULL for copies in memory.
static const struct peripheral *partner(const struct ai8x_firmware *soc, uint32_t control)
{
	const struct peripheral_table *table = soc->soc->peripherals;
	for (size_t i = 0; i < table->count && request(control) != 0; i++) {
		const struct peripheral *row = &table->rows[i];
		if (row->block->ready != NULL && row->request == (request(control) & (TRANSMITS - 1)) &&
		    row->request != 0 &&
		    (row->block->one_way == 0 || row->block->one_way == 1 + (request(control) >= TRANSMITS)))
			return row;
	}
	return NULL;
}

static unsigned unit_bytes(uint32_t control)
{
	const unsigned from = control >> 16 & 3, to = control >> 20 & 3;
	const unsigned width = from < to ? from : to;
	return 1u << (width > 2 ? 2 : width);
}

static uint32_t units_ready(const struct ai8x_firmware *soc, const struct peripheral *row, unsigned n)
{
	const uint32_t control = soc_value(soc, row, CHANNEL(n) + CONTROL);
	if ((control & ENABLE) == 0 || soc_value(soc, row, CHANNEL(n) + COUNT) == 0)
		return 0;
	const struct peripheral *other = partner(soc, control);
	if (other == NULL)
		return 0;
	return other->block->ready(soc, other, request(control) >= TRANSMITS) / unit_bytes(control);
}

static void update_line(struct ai8x_firmware *soc, const struct peripheral *row, unsigned n)
{
	uint32_t *status = soc_word(soc, row->base + CHANNEL(n) + STATUS);
	const uint32_t control = soc_value(soc, row, CHANNEL(n) + CONTROL);
	bool high = (*status & BUS_ERROR) != 0 ||
	            ((*status & COUNT_FLAG) != 0 && (control & COUNT_INTERRUPT) != 0) ||
	            ((*status & (COUNT_FLAG | RELOAD_FLAG)) == COUNT_FLAG && (control & DISABLED_INTERRUPT) != 0);
	*status = high ? *status | INTERRUPT_PENDING : *status & ~INTERRUPT_PENDING;
	uint32_t *pending = soc_word(soc, row->base + PENDING);
	*pending = high ? *pending | 1u << n : *pending & ~(1u << n);
	nvic_line(soc, row->irq + n, high && (soc_value(soc, row, ENABLES) >> n & 1) != 0);
}

// The count is at zero: reload or rest.
static void finish(struct ai8x_firmware *soc, const struct peripheral *row, unsigned n)
{
	const uint32_t base = row->base + CHANNEL(n);
	uint32_t *control = soc_word(soc, base + CONTROL), *status = soc_word(soc, base + STATUS);
	uint32_t *again = soc_word(soc, base + COUNT_RELOAD);
	*status |= COUNT_FLAG;
	if ((*control & RELOAD) != 0) {
		*soc_word(soc, base + SOURCE) = *soc_word(soc, base + SOURCE_RELOAD);
		*soc_word(soc, base + DESTINATION) = *soc_word(soc, base + DESTINATION_RELOAD);
		*soc_word(soc, base + COUNT) = *again & 0xFFFFFF;
		*again &= ~RELOAD_HERE;
		*control &= ~RELOAD;
		*status |= RELOAD_FLAG;
	} else {
		*control &= ~ENABLE;
		*status &= ~RUNNING;
	}
	update_line(soc, row, n);
}

static bool move_unit(struct ai8x_firmware *soc, const struct peripheral *row, unsigned n, unsigned bytes)
{
	const uint32_t base = row->base + CHANNEL(n);
	const uint32_t control = *soc_word(soc, base + CONTROL);
	uint32_t *from = soc_word(soc, base + SOURCE), *to = soc_word(soc, base + DESTINATION);
	const struct peripheral *other = partner(soc, control);
	uint32_t source = *from, destination = *to;
	// Requests go to the peripheral's FIFO, whatever the address register says.
	if (other != NULL && request(control) < TRANSMITS)
		source = other->base + other->block->fifo;
	else if (other != NULL)
		destination = other->base + other->block->fifo;
	uint32_t value = 0;
	if (!core_bus_read(soc, source, bytes, &value) || !core_bus_write(soc, destination, bytes, value)) {
		*soc_word(soc, base + STATUS) |= BUS_ERROR;
		*soc_word(soc, base + CONTROL) &= ~ENABLE;
		update_line(soc, row, n);
		return false;
	}
	*from += (control & SOURCE_INCREMENT) != 0 ? bytes : 0;
	*to += (control & DESTINATION_INCREMENT) != 0 ? bytes : 0;
	uint32_t *count = soc_word(soc, base + COUNT);
	*count -= *count < bytes ? *count : bytes;
	return true;
}

static void serve(struct ai8x_firmware *soc, const struct peripheral *row, unsigned n)
{
	const uint32_t base = row->base + CHANNEL(n);
	// A peripheral that always takes more must not hold up the run: a transfer has at most 2^24 bytes.
	for (uint32_t units = units_ready(soc, row, n); units > 0 && !soc->ended;
	     units = units_ready(soc, row, n)) {
		const unsigned bytes = unit_bytes(*soc_word(soc, base + CONTROL));
		for (; units > 0 && *soc_word(soc, base + COUNT) > 0; units--)
			if (!move_unit(soc, row, n, bytes))
				return;
		if (*soc_word(soc, base + COUNT) > 0)
			continue;
		finish(soc, row, n);
		if ((*soc_word(soc, base + STATUS) & COUNT_FLAG) != 0)
			return; // the handler sees each end
	}
}

// From one word of memory to another, again and again: once is enough. Of addresses that move memory has an end.
static void skip_equal_units(struct ai8x_firmware *soc, uint32_t base)
{
	const uint32_t control = *soc_word(soc, base + CONTROL);
	uint32_t *count = soc_word(soc, base + COUNT);
	if ((control & (SOURCE_INCREMENT | DESTINATION_INCREMENT)) == 0 &&
	    *soc_word(soc, base + SOURCE) < PERIPHERAL_BASE &&
	    *soc_word(soc, base + DESTINATION) < PERIPHERAL_BASE && *count > unit_bytes(control))
		*count = unit_bytes(control);
}

static void start(struct ai8x_firmware *soc, const struct peripheral *row, unsigned n)
{
	struct dma *dma = soc_state(soc, row);
	const uint32_t base = row->base + CHANNEL(n);
	const uint32_t control = *soc_word(soc, base + CONTROL), count = *soc_word(soc, base + COUNT);
	*soc_word(soc, base + STATUS) |= RUNNING;
	// The words are there before the time is up, as a copy that goes on beside the core has them.
	if (partner(soc, control) == NULL && request(control) == 0 && dma->due[n] == TIME_NEVER) {
		bool good = true;
		skip_equal_units(soc, base);
		while (good && *soc_word(soc, base + COUNT) > 0)
			good = move_unit(soc, row, n, unit_bytes(control));
		if (good)
			dma->due[n] = soc->now + (count / unit_bytes(control) + 1) * 2 * soc->cycle;
	}
	soc_changed(soc);
}

static void carry_out(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct dma *dma = soc_state(soc, row);
	for (unsigned n = 0; n < CHANNELS; n++) {
		serve(soc, row, n);
		if (soc->now < dma->due[n])
			continue;
		dma->due[n] = TIME_NEVER;
		const uint32_t base = row->base + CHANNEL(n);
		finish(soc, row, n);
		if ((*soc_word(soc, base + CONTROL) & ENABLE) != 0)
			start(soc, row, n);
	}
}

static uint64_t next(const struct ai8x_firmware *soc, const struct peripheral *row, bool interrupting)
{
	const struct dma *dma = soc_state(soc, row);
	uint64_t first = TIME_NEVER;
	for (unsigned n = 0; n < CHANNELS; n++) {
		if (interrupting && !nvic_enabled(soc, row->irq + n))
			continue;
		if (dma->due[n] < first)
			first = dma->due[n];
		if (units_ready(soc, row, n) > 0 && (soc_value(soc, row, CHANNEL(n) + STATUS) & COUNT_FLAG) == 0)
			first = soc->now;
	}
	return first;
}

// One bit that two registers show: drivers set it in either.
static void show_reload(struct ai8x_firmware *soc, uint32_t base, uint32_t offset, uint32_t value)
{
	uint32_t *control = soc_word(soc, base + CONTROL), *again = soc_word(soc, base + COUNT_RELOAD);
	if (offset == CONTROL)
		*again = (value & RELOAD) != 0 ? *again | RELOAD_HERE : *again & ~RELOAD_HERE;
	else if (offset == COUNT_RELOAD)
		*control = (value & RELOAD_HERE) != 0 ? *control | RELOAD : *control & ~RELOAD;
}

static void store(struct ai8x_firmware *soc, const struct peripheral *row, uint32_t offset, uint32_t value)
{
	struct dma *dma = soc_state(soc, row);
	const unsigned n = (offset - CHANNEL(0)) / 0x20;
	peripheral_store(soc, row, offset, value);
	if (offset < CHANNEL(0) || n >= CHANNELS) {
		for (unsigned i = 0; i < CHANNELS; i++)
			update_line(soc, row, i);
		return;
	}
	show_reload(soc, row->base + CHANNEL(n), offset - CHANNEL(n), value);
	if (offset == CHANNEL(n) + CONTROL && (value & ENABLE) != 0)
		start(soc, row, n);
	else if (offset == CHANNEL(n) + CONTROL) {
		dma->due[n] = TIME_NEVER;
		*soc_word(soc, row->base + CHANNEL(n) + STATUS) &= ~RUNNING;
	}
	update_line(soc, row, n);
	soc_changed(soc);
}

static void reset(struct ai8x_firmware *soc, const struct peripheral *row)
{
	struct dma *dma = soc_state(soc, row);
	for (unsigned n = 0; n < CHANNELS; n++) {
		dma->due[n] = TIME_NEVER;
		nvic_line(soc, row->irq + n, false);
	}
}

static void stood_still(struct ai8x_firmware *soc, const struct peripheral *row, uint64_t time)
{
	struct dma *dma = soc_state(soc, row);
	for (unsigned n = 0; n < CHANNELS; n++)
		if (dma->due[n] != TIME_NEVER)
			dma->due[n] += time;
}

const struct peripheral_block dma_block = {
	REGISTERS(registers),
	.state_bytes = sizeof(struct dma),
	.write = store,
	.reset = reset,
	.sync = carry_out,
	.next = next,
	.stood_still = stood_still,
};
