// Runs the accelerator's programs of RUNS_HEADER on a board and prints what each took; see docs/board-measurements.md.
//
// A run is a list of blocks: address, kind and count, values. Every run is done REPEATS times; the time is that of
// the core's cycle counter, from the write that starts it to the poll that sees its end.
#include <stdio.h>

#include "board.h"
#include RUNS_HEADER

enum kind { KIND_WRITE, KIND_WAIT, KIND_FIFO = 2, KIND_END = 4, KIND_BYTE = 5, KIND_START = 6 };

#define REPEATS 5
#define DONE (1u << 12)
#define FIFO_STATUS 0x50000004u
#define FIFO_FIRST 0x50000008u
#define FAST_STATUS 0x400C0404u
#define FAST_DATA 0x400C0410u
#define DEBUG_CONTROL 0xE000EDFCu
#define DWT_CONTROL 0xE0001000u
#define DWT_CYCLES 0xE0001004u
#define DIVIDERS 0x40000018u
#define DISABLED 0x40000024u
#define GPIO0 0x40008000u
#define UART 0x40042000u

#ifdef PART_MAX78002
#define CORE_HZ 120000000u
#else
#define CORE_HZ 100000000u
#endif

void cnn_handler(void);

void cnn_handler(void)
{
}

// The console of the evaluation kits: UART0 on P0.0 and P0.1, 115,200 baud, 8 bits.
static void console(void)
{
	REGISTER(DISABLED) &= ~(1u | 1u << 9);
	REGISTER(GPIO0 + 0x08) = 3;
	REGISTER(GPIO0 + 0x70) = 3;
	REGISTER(UART + 0x10) = CORE_HZ / 2 / 115200;
	REGISTER(UART) |= 3u << 10 | 1u << 15;
}

static void feed(uint32_t address, const uint32_t *words, uint32_t count)
{
	const uint32_t status = address == FAST_DATA ? FAST_STATUS : FIFO_STATUS;
	const uint32_t full = address == FAST_DATA ? 2 : 1u << ((address - FIFO_FIRST) >> 2);
	for (uint32_t i = 0; i < count; i++) {
		while ((REGISTER(status) & full) != 0)
			;
		REGISTER(address) = words[i];
	}
}

// Cycles from the start to the end; loading and feeding: cycles of the core before and after the start.
static void run(const uint32_t *next, uint32_t *loading, uint32_t *total)
{
	uint32_t control = 0, started = 0;
	const uint32_t begun = REGISTER(DWT_CYCLES);
	for (;;) {
		const uint32_t address = next[0], kind = next[1] >> 24, count = next[1] & 0xFFFFFF;
		next += 2;
		if (kind == KIND_END)
			break;
		if (kind == KIND_WAIT)
			while ((REGISTER(address) & next[0]) != next[1])
				;
		else if (kind == KIND_BYTE)
			BYTE(address) = (uint8_t)next[0];
		else if (kind == KIND_FIFO)
			feed(address, next, count);
		else {
			if (kind == KIND_START) {
				control = address;
				started = REGISTER(DWT_CYCLES);
			}
			for (uint32_t i = 0; i < count; i++)
				REGISTER(address + 4 * i) = next[i];
		}
		next += count;
	}
	while ((REGISTER(control) & DONE) == 0)
		;
	*total = REGISTER(DWT_CYCLES) - started;
	*loading = started - begun;
}

int main(void)
{
	board_start();
	console();
	REGISTER(DEBUG_CONTROL) |= 1u << 24;
	REGISTER(DWT_CONTROL) |= 1;
	(void)printf("begin core_hz=%lu\n", (unsigned long)CORE_HZ);
	for (unsigned i = 0; i < sizeof runs / sizeof runs[0]; i++)
		for (unsigned n = 0; n < REPEATS; n++) {
			uint32_t loading, total;
			board_cnn_on();
			REGISTER(DIVIDERS) = (REGISTER(DIVIDERS) & ~(7u << 14)) | runs[i].divider << 14;
			run(runs[i].blocks, &loading, &total);
			board_cnn_off();
			(void)printf("run id=%s cycles=%lu loading=%lu\n", runs[i].id, (unsigned long)total,
			             (unsigned long)loading);
		}
	(void)printf("end\n");
	return 0;
}
