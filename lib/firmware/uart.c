// The UARTs: what firmware prints (firmware reference 2). Nothing is ever received.
#include "firmware/soc.h"

#include <stdlib.h>

#define CONTROL 0x00
#define STATUS 0x04
#define FIFO 0x20

#define CONTROL_FLUSH (1u << 8 | 1u << 9)
#define CONTROL_CLOCK_READY (1u << 19)
#define STATUS_EMPTY 0x50u

// More than any run prints that ends; a loop that prints for ever must not fill the memory.
#define CONSOLE_LIMIT ((size_t)64 << 20)

static const uint32_t bases[UARTS] = {0x40042000, 0x40043000, 0x40044000, 0x40081400};

void uart_put(struct ai8x_firmware *soc, unsigned unit, char character)
{
	if (character == '\r' || character == 0)
		return;
	if (soc->console_size + 2 > soc->console_capacity) {
		size_t capacity = soc->console_capacity == 0 ? 4096 : 2 * soc->console_capacity;
		char *grown = capacity > CONSOLE_LIMIT ? NULL : realloc(soc->console, capacity);
		if (grown == NULL) {
			cpu_end(soc, AI8X_FIRMWARE_TIMEOUT, AI8X_ERR_LIMIT, "the firmware printed more than %zu bytes",
			        soc->console_size);
			return;
		}
		soc->console = grown;
		soc->console_capacity = capacity;
	}
	soc->console[soc->console_size++] = character;
	soc->console[soc->console_size] = 0;
	if (soc->options.console != NULL)
		soc->options.console(soc->options.user, unit, &character, 1);
}

uint32_t uart_read(struct ai8x_firmware *soc, unsigned unit, uint32_t offset)
{
	switch (offset) {
	case CONTROL:
		return soc->uarts[unit].control | CONTROL_CLOCK_READY;
	case STATUS:
		return STATUS_EMPTY;
	case FIFO:
		return 0;
	default:
		return *soc_word(soc, bases[unit] + offset);
	}
}

void uart_write(struct ai8x_firmware *soc, unsigned unit, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case CONTROL:
		soc->uarts[unit].control = value & ~(CONTROL_FLUSH | CONTROL_CLOCK_READY);
		break;
	case STATUS:
		break;
	case FIFO:
		uart_put(soc, unit, (char)value);
		break;
	default:
		*soc_word(soc, bases[unit] + offset) = value;
	}
}
