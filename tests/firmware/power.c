// Modes of power: sleep, low power, micro power and standby are slept through and woken from by clock, timers and a pin;
// what stands still, what goes on, what memory keeps; and backup mode, which ends in a reset. Prints PASS, or the first
// line that failed.
#include <stdio.h>

#include "board.h"

#define MODES 0x4000000Cu
#define MODE_STANDBY 2u
#define MODE_BACKUP 4u
#define MODE_LOW 8u
#define MODE_MICRO 9u
#define MODE_DOWN 10u
#define WAKE_PINS (1u << 4)
#define WAKE_RTC (1u << 5)
#define WAKE_WUT (1u << 7)
#define SEQUENCER 0x40006800u
#define PIN_STATUS (SEQUENCER + 0x04)
#define PIN_ENABLES (SEQUENCER + 0x08)
#define STATUS (SEQUENCER + 0x30)
#define ENABLES (SEQUENCER + 0x34)
#define NOTE (SEQUENCER + 0x48)
#define BACKED_UP (1u << 16)
#define RTC 0x40006000u
#define WUT 0x40006400u
#define TIMER0 0x40010000u
#define TIMER4 0x40080C00u
#define SCR 0xE000ED10u
#define SYSTICK 0xE000E010u
#define VTOR 0xE000ED08u
#define NVIC_ENABLE 0xE000E100u
#define CNN_RAM 0x40005804u
#ifdef PART_MAX78002
#define CNN_DATA 0x51800000u
#define CNN_STRIDE 0x1000000u
#else
#define CNN_DATA 0x50400000u
#define CNN_STRIDE 0x400000u
#endif
#define FAILED ((uint32_t)__LINE__)
#define CHECK(condition)                                                                                     \
	do {                                                                                                     \
		if (!(condition))                                                                                    \
			return FAILED;                                                                                   \
	} while (0)

void cnn_handler(void);

static uint32_t table[16 + 105] __attribute__((aligned(512)));
static volatile uint32_t alarms, wake_ups, ticks4, pins;
// Below the first block of SRAM's end, and in the second.
static volatile uint32_t *const kept = (volatile uint32_t *)0x20004000u, *const lost =
																			 (volatile uint32_t *)0x2000C000u;

void cnn_handler(void)
{
}

static void rtc_handler(void)
{
	REGISTER(RTC + 0x10) &= ~(3u << 6);
	alarms++;
}

static void wut_handler(void)
{
	REGISTER(WUT + 0x0C) = 1;
	wake_ups++;
}

static void timer4_handler(void)
{
	REGISTER(TIMER4 + 0x0C) = 1;
	ticks4++;
}

static void pin_handler(void)
{
	pins |= REGISTER(PIN_STATUS);
	REGISTER(PIN_STATUS) = 0xFFFFFFFFu;
}

static void handle(unsigned irq, void (*handler)(void))
{
	table[16 + irq] = (uint32_t)handler;
	REGISTER(NVIC_ENABLE + 4 * (irq / 32)) = 1u << irq % 32;
}

static void alarm_in(uint32_t seconds)
{
	REGISTER(RTC + 0x10) = 0;
	REGISTER(RTC + 0x00) = 0;
	REGISTER(RTC + 0x04) = 0;
	REGISTER(RTC + 0x08) = seconds;
	REGISTER(RTC + 0x10) = 3;
}

static void wake_up_in(uint32_t cycles)
{
	REGISTER(WUT + 0x10) = 0;
	REGISTER(WUT + 0x00) = 1;
	REGISTER(WUT + 0x04) = cycles;
	REGISTER(WUT + 0x10) = 1u << 7; // one shot
}

static void enter(uint32_t mode)
{
	REGISTER(SCR) |= 4;
	REGISTER(MODES) |= mode;
	__asm volatile("wfi");
	REGISTER(SCR) &= ~4u;
}

static uint32_t sleep_lightly(void)
{
	alarm_in(2);
	REGISTER(SCR) &= ~4u;
	while (alarms == 0)
		__asm volatile("wfi");
	CHECK(REGISTER(RTC) == 2);
	// Low-power mode: the same, and the register tells that it is over.
	wake_up_in(32768);
	enter(MODE_LOW);
	CHECK(wake_ups == 1 && (REGISTER(MODES) & 15) == 0 && REGISTER(RTC) == 3);
	return 0;
}

// A timer of the core's clocks and the core's own stand still; the low-power timer wakes.
static uint32_t micro_power(void)
{
	board_stopwatch_start();
	REGISTER(SYSTICK + 4) = 0xFFFFFF;
	REGISTER(SYSTICK + 8) = 0;
	REGISTER(SYSTICK) = 5;
	REGISTER(ENABLES) = 1u << 15;
	REGISTER(TIMER4 + 0x10) = 1u << 14;
	REGISTER(TIMER4 + 0x18) = 1u << 8 | 1; // 32768 Hz, interrupt
	REGISTER(TIMER4 + 0x00) = 0;
	REGISTER(TIMER4 + 0x04) = 3 * 32768;
	const uint32_t before = REGISTER(RTC);
	REGISTER(TIMER4 + 0x10) |= 1u << 15;
	enter(MODE_MICRO);
	CHECK(ticks4 == 1 && (REGISTER(MODES) & 15) == 0);
	CHECK(REGISTER(RTC) - before >= 3 && REGISTER(RTC) - before <= 4);
	CHECK(board_stopwatch() < 1000);
	CHECK(0xFFFFFF - REGISTER(SYSTICK + 8) < 100000);
	REGISTER(SYSTICK) = 0;
	return 0;
}

static uint32_t standby(void)
{
	// What is not enabled for it does not wake: the alarm comes first, the wake-up timer ends it.
	REGISTER(MODES) = WAKE_WUT;
	alarms = wake_ups = 0;
	alarm_in(1);
	wake_up_in(2 * 32768);
	enter(MODE_STANDBY);
	CHECK(wake_ups == 1 && REGISTER(RTC) == 2);
	REGISTER(MODES) = WAKE_RTC;
	alarms = 0;
	board_cnn_on();
	REGISTER(CNN_DATA) = 0x12345678;
	alarm_in(1);
	enter(MODE_STANDBY);
	CHECK(alarms == 1 && REGISTER(CNN_DATA) == 0x12345678);
	// A quadrant without power for its memories forgets, the others do not.
	REGISTER(CNN_DATA + CNN_STRIDE) = 0x9ABCDEF0;
	REGISTER(CNN_RAM) = 15 & ~2u;
	alarm_in(1);
	enter(MODE_STANDBY);
	CHECK(alarms == 2 && REGISTER(CNN_DATA) == 0x12345678 && REGISTER(CNN_DATA + CNN_STRIDE) == 0);
	// Without power for all of them the accelerator does.
	REGISTER(CNN_RAM) = 0;
	alarm_in(1);
	enter(MODE_STANDBY);
	CHECK(alarms == 3 && REGISTER(CNN_DATA) != 0x12345678);
	board_cnn_off();
	return 0;
}

// Pin 2 goes up and down; its change wakes and is told, that of pin 3 is not.
static uint32_t by_pin(void)
{
	REGISTER(MODES) = WAKE_PINS;
	REGISTER(PIN_ENABLES) = 1u << 2;
	enter(MODE_STANDBY);
	CHECK(pins == 1u << 2 && (REGISTER(PIN_STATUS) & 1u << 3) == 0);
	return 0;
}

static uint32_t run(void)
{
	for (int i = 0; i < 16 + 105; i++)
		table[i] = REGISTER(0x10000000u + 4 * (uint32_t)i);
	REGISTER(VTOR) = (uint32_t)table;
	handle(3, rtc_handler);
	handle(53, wut_handler);
	handle(9, timer4_handler);
	handle(54, pin_handler);
	uint32_t failed = sleep_lightly();
	if (failed == 0)
		failed = micro_power();
	if (failed == 0)
		failed = standby();
	if (failed == 0)
		failed = by_pin();
	return failed;
}

// The first block of SRAM is kept, the second is not; two registers are.
static uint32_t after_backup(void)
{
	CHECK(REGISTER(NOTE) == 0xBACC && (REGISTER(MODES) & 15) == 0);
	CHECK(*kept == 0xCAFE && *lost != 0xCAFE);
	CHECK(REGISTER(RTC) >= 5);
	return 0;
}

int main(void)
{
	board_start();
	uint32_t failed = 0;
	if ((REGISTER(STATUS) & BACKED_UP) == 0) {
		failed = run();
		if (failed == 0) {
			printf("Backing up\n");
			*kept = *lost = 0xCAFE;
			REGISTER(NOTE) = 0xBACC;
			REGISTER(SEQUENCER) = 1;
			REGISTER(MODES) = WAKE_RTC;
			alarm_in(5);
			REGISTER(MODES) |= MODE_BACKUP;
			for (;;)
				;
		}
	} else {
		REGISTER(STATUS) = 0xFFFFFFFFu;
		failed = after_backup();
	}
	if (failed != 0)
		printf("*** FAIL *** line %lu\n", (unsigned long)failed);
	else
		printf("*** PASS ***\n");
#ifdef DOWN
	REGISTER(MODES) |= MODE_DOWN;
#endif
	return failed != 0;
}
