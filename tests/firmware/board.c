// The little of the chip that the test firmware drives: clocks, console, delay, stopwatch, accelerator power.
//
// Every bit that hardware sets by itself is waited for, as the vendor's drivers do.
#include "board.h"

#define GCR 0x40000000u
#define GCR_RESET0 (GCR + 0x04)
#define GCR_CLOCK (GCR + 0x08)
#define GCR_PLL (GCR + 0x10)
#define GCR_DIVIDERS (GCR + 0x18)
#define GCR_DISABLE0 (GCR + 0x24)
#define CACHE (0x4002A100u)
#define GCFR 0x40005800u
#define UART 0x40042000u
#define TIMER 0x40010000u
#define SYSTICK 0xE000E010u

#ifdef PART_MAX78002
#define CORE_MHZ 120
#define CNN_CLOCK (3u << 17 | 4u << 14) // PLL, undivided
#else
#define CORE_MHZ 100
#define CNN_CLOCK (4u << 14) // half the core's clock
#endif

static void wait_set(uint32_t address, uint32_t bits)
{
	while ((REGISTER(address) & bits) != bits)
		;
}

static void wait_clear(uint32_t address, uint32_t bits)
{
	while ((REGISTER(address) & bits) != 0)
		;
}

void board_start(void)
{
	REGISTER(CACHE) |= 1;
	wait_set(CACHE, 1u << 16);
	REGISTER(GCR_CLOCK) |= 1u << 19;
	wait_set(GCR_CLOCK, 1u << 27);
	REGISTER(GCR_CLOCK) = (REGISTER(GCR_CLOCK) & ~(7u << 9 | 7u << 6)) | 4u << 9;
	wait_set(GCR_CLOCK, 1u << 13);
#ifdef PART_MAX78002
	REGISTER(GCR_PLL) |= 1;
	wait_set(GCR_PLL, 2);
#endif
	REGISTER(GCR_RESET0) = 1u << 11;
	wait_clear(GCR_RESET0, 1u << 11);
	REGISTER(UART) |= 1u << 8 | 1u << 9;
	wait_clear(UART, 1u << 8 | 1u << 9);
	wait_set(UART, 1u << 19);
}

void board_put(char character)
{
	if (character == '\n')
		board_put('\r');
	wait_clear(UART + 0x04, 1u << 7);
	REGISTER(UART + 0x20) = (uint8_t)character;
}

#ifdef __riscv

// Counts its own cycles: of the 60 MHz that it runs on.
void board_delay(uint32_t microseconds)
{
	uint32_t cycles = 0;
	__asm volatile("csrw 0x7A1, zero\n\tcsrw 0x780, zero\n\tcsrw 0x7A0, %0\n\tcsrw 0x7A1, %1" ::"r"(1),
	               "r"(3));
	do
		__asm volatile("csrr %0, 0x780" : "=r"(cycles));
	while (cycles < 60 * microseconds);
}

#else

void board_delay(uint32_t microseconds)
{
	REGISTER(SYSTICK + 4) = CORE_MHZ * 1000 - 1;
	REGISTER(SYSTICK + 8) = 0;
	REGISTER(SYSTICK) = 5;
	for (uint32_t i = 0; i < microseconds / 1000; i++)
		wait_set(SYSTICK, 1u << 16);
	REGISTER(SYSTICK) = 0;
}

#endif

void board_cnn_on(void)
{
	REGISTER(GCFR + 0xC) = 0xF;
	REGISTER(GCFR + 0x4) = 0xF;
	REGISTER(GCFR + 0x0) = 0xF;
	board_delay(10000);
	REGISTER(GCFR + 0x8) = 0;
	REGISTER(GCFR + 0xC) = 0;
	REGISTER(GCR_DIVIDERS) = (REGISTER(GCR_DIVIDERS) & ~(31u << 14)) | CNN_CLOCK;
	REGISTER(GCR_DISABLE0) &= ~(1u << 25);
}

void board_cnn_off(void)
{
	REGISTER(GCR_DISABLE0) |= 1u << 25;
	REGISTER(GCFR + 0xC) = 0xF;
	REGISTER(GCFR + 0x8) = 0xF;
	REGISTER(GCFR + 0x0) = 0;
	REGISTER(GCFR + 0x4) = 0;
	REGISTER(GCFR + 0xC) = 0;
}

void board_stopwatch_start(void)
{
	REGISTER(GCR_RESET0) = 1u << 5;
	wait_clear(GCR_RESET0, 1u << 5);
	REGISTER(TIMER + 0x10) = 1u << 14;
	wait_set(TIMER + 0x18, 1u << 3);
	REGISTER(TIMER + 0x00) = 0;
	wait_set(TIMER + 0x0C, 1u << 8);
	REGISTER(TIMER + 0x04) = 0xFFFFFFFFu;
	REGISTER(TIMER + 0x10) |= 1u << 15;
	wait_set(TIMER + 0x18, 1u << 2);
}

uint32_t board_stopwatch(void)
{
	// Half the core's clock.
	return REGISTER(TIMER) / (CORE_MHZ / 2);
}
