// What every block may call: the end of a run, the console, the passing of time.
#include "firmware/vcd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// More than any run prints that ends; a loop that prints for ever must not fill the memory.
#define CONSOLE_LIMIT ((size_t)64 << 20)

uint32_t soc_register(struct ai8x_firmware *soc, int id)
{
	uint32_t value = 0;
	(void)soc->unicorn.reg_read(soc->uc, id, &value);
	return value;
}

// What the second core does belongs to every rest of the first.
static void describe_second_core(struct ai8x_firmware *soc, char *text, size_t size)
{
	const struct rv32 *rv32 = &soc->rv32;
	const char *state = rv32->rests ? "loops for ever" : rv32->due != TIME_NEVER ? "is" : "sleeps";
	const uint32_t boot = *soc_word(soc, RV32_BOOT);
	if (rv32->started)
		(void)snprintf(text, size, "; the RISC-V core %s at 0x%08x", state, rv32->block);
	else if (boot != 0)
		(void)snprintf(text, size, "; the RISC-V core, which is to run from 0x%08x, was not started", boot);
}

void soc_end(struct ai8x_firmware *soc, ai8x_firmware_end end, ai8x_status status, const char *format, ...)
{
	if (soc->ended)
		return;
	soc->ended = true;
	soc->attention = true;
	soc->result.end = end;
	soc->result.status = status;
	va_list arguments;
	va_start(arguments, format);
	int used = vsnprintf(soc->result.message, sizeof soc->result.message, format, arguments);
	va_end(arguments);
	if (used > 0 && (size_t)used < sizeof soc->result.message &&
	    (end == AI8X_FIRMWARE_RETURNED || end == AI8X_FIRMWARE_IDLE || end == AI8X_FIRMWARE_TIMEOUT))
		describe_second_core(soc, soc->result.message + used, sizeof soc->result.message - (size_t)used);
}

bool soc_may_go_on(struct ai8x_firmware *soc)
{
	const ai8x_firmware_options *options = &soc->options;
	if (!soc->ended && options->poll != NULL && !options->poll(options->user))
		soc_end(soc, AI8X_FIRMWARE_CANCELLED, AI8X_ERR_CANCELLED, "stopped by the callback");
	return !soc->ended;
}

void soc_pass_until(struct ai8x_firmware *soc, uint64_t time)
{
	if (time > soc->now)
		soc_pass(soc, (time - soc->now + soc->cycle - 1) / soc->cycle);
}

void soc_print(struct ai8x_firmware *soc, unsigned uart, char character)
{
	vcd_set(soc, VCD_UART0 + uart, (uint8_t)character);
	if (character == '\r' || character == 0)
		return;
	if (soc->console_size + 2 > soc->console_capacity) {
		size_t capacity = soc->console_capacity == 0 ? 4096 : 2 * soc->console_capacity;
		char *grown = capacity > CONSOLE_LIMIT ? NULL : realloc(soc->console, capacity);
		if (grown == NULL) {
			soc_end(soc, AI8X_FIRMWARE_TIMEOUT, AI8X_ERR_LIMIT, "the firmware printed more than %zu bytes",
			        soc->console_size);
			return;
		}
		soc->console = grown;
		soc->console_capacity = capacity;
	}
	soc->console[soc->console_size++] = character;
	soc->console[soc->console_size] = 0;
	if (soc->options.console != NULL)
		soc->options.console(soc->options.user, uart, &character, 1);
}
