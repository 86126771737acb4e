// Exercises what the emulated core has to do by itself: exceptions and their priorities, masking, sleeping,
// SysTick, timers, the FPU across interrupts. Prints PASS or the first line that failed.
#include <stdio.h>

#include "board.h"

#define SYSTICK 0xE000E010u
#define NVIC_ENABLE 0xE000E100u
#define NVIC_PEND 0xE000E200u
#define NVIC_PRIORITY 0xE000E400u
#define SCB_ICSR 0xE000ED04u
#define SCB_VTOR 0xE000ED08u
#define SCB_SHPR3 0xE000ED20u
#define TIMER(n) (0x40010000u + 0x1000u * (n))
#define TIMER_INTERRUPT(n) (5u + (n))

#define CHECK(condition)                                                                                     \
	do {                                                                                                     \
		if (!(condition)) {                                                                                  \
			printf("*** FAIL *** line %d: %s\n", __LINE__, #condition);                                      \
			return 1;                                                                                        \
		}                                                                                                    \
	} while (0)

static volatile uint32_t ticks, switches, calls, low, high, order[8], events;
static volatile float disturbed;
static uint32_t table[16 + 105] __attribute__((aligned(512)));

static void note(uint32_t what)
{
	if (events < 8)
		order[events] = what;
	events++;
}

static void systick_handler(void)
{
	ticks++;
}

static void pendsv_handler(void)
{
	switches++;
	note(3);
}

static void svc_handler(void)
{
	calls++;
}

// Spoils every caller-saved register of the FPU.
static void timer_handler(void)
{
	high++;
	note(1);
	disturbed = disturbed * 1.5f + 0.25f;
	REGISTER(TIMER(0) + 0xC) = 1;
}

static void slow_handler(void)
{
	low++;
	note(2);
	// A more urgent one interrupts this handler.
	REGISTER(NVIC_PEND) = 1u << TIMER_INTERRUPT(0);
	__asm volatile("dsb\n\tisb" ::: "memory");
	note(4);
	REGISTER(TIMER(1) + 0xC) = 1u << 16;
}

void cnn_handler(void);
void cnn_handler(void)
{
}

static void set_handler(unsigned exception, void (*handler)(void))
{
	table[exception] = (uint32_t)handler;
}

static void start_timer(unsigned n, uint32_t mode, uint32_t compare, uint32_t prescaler)
{
	REGISTER(TIMER(n) + 0x10) = 0;
	REGISTER(TIMER(n) + 0x0C) = 1;
	REGISTER(TIMER(n) + 0x00) = 1;
	REGISTER(TIMER(n) + 0x04) = compare;
	REGISTER(TIMER(n) + 0x10) = mode | prescaler << 4 | 1u << 14;
	REGISTER(TIMER(n) + 0x10) |= 1u << 15;
}

static int check_exceptions(void)
{
	__asm volatile("svc 0");
	CHECK(calls == 1);
	REGISTER(SCB_ICSR) = 1u << 28;
	__asm volatile("dsb\n\tisb" ::: "memory");
	CHECK(switches == 1);

	// Masked, an interrupt stays pending; unmasked, it comes at once.
	REGISTER(NVIC_ENABLE) = 1u << TIMER_INTERRUPT(0) | 1u << TIMER_INTERRUPT(1);
	__asm volatile("cpsid i" ::: "memory");
	REGISTER(NVIC_PEND) = 1u << TIMER_INTERRUPT(0);
	__asm volatile("dsb\n\tisb" ::: "memory");
	CHECK(high == 0);
	__asm volatile("cpsie i\n\tisb" ::: "memory");
	CHECK(high == 1);

	// Low priority, interrupted by high priority; PendSV, lowest of all, comes after both.
	REGISTER(NVIC_PRIORITY + 4) = 0xC0u << 16 | 0x20u << 8;
	REGISTER(SCB_SHPR3) = 0xE0u << 16;
	events = 0;
	__asm volatile("cpsid i" ::: "memory");
	REGISTER(SCB_ICSR) = 1u << 28;
	REGISTER(NVIC_PEND) = 1u << TIMER_INTERRUPT(1);
	__asm volatile("cpsie i\n\tisb" ::: "memory");
	CHECK(low == 1 && high == 2 && switches == 2);
	CHECK(events == 4);
	CHECK(order[0] == 2 && order[1] == 1 && order[2] == 4 && order[3] == 3);
	return 0;
}

static int check_systick(void)
{
	REGISTER(SYSTICK + 4) = 9999;
	REGISTER(SYSTICK + 8) = 0;
	REGISTER(SYSTICK) = 7;
	while (ticks < 10)
		__asm volatile("wfi");
	REGISTER(SYSTICK) = 0;
	CHECK(ticks == 10);

	// Polled without interrupt: the flag clears itself when it is read.
	REGISTER(SYSTICK + 8) = 0;
	REGISTER(SYSTICK) = 5;
	while ((REGISTER(SYSTICK) >> 16 & 1) == 0)
		;
	CHECK((REGISTER(SYSTICK) >> 16 & 1) == 0);
	CHECK(REGISTER(SYSTICK + 8) > 9000);
	CHECK(ticks == 10);
	REGISTER(SYSTICK) = 0;
	return 0;
}

static int check_timers(void)
{
	// 1000 counts of PCLK / 4: 8000 core cycles.
	REGISTER(SYSTICK + 4) = 0xFFFFFF;
	REGISTER(SYSTICK + 8) = 0;
	REGISTER(SYSTICK) = 5;
	uint32_t before = REGISTER(SYSTICK + 8);
	start_timer(2, 0, 1000, 2);
	while ((REGISTER(TIMER(2) + 0xC) & 1) == 0)
		;
	uint32_t cycles = before - REGISTER(SYSTICK + 8);
	CHECK(cycles >= 8000 && cycles < 8800);
	// One shot: it has stopped.
	CHECK((REGISTER(TIMER(2) + 0x10) >> 15 & 1) == 0);

	// Continuous, with interrupt.
	uint32_t seen = high;
	REGISTER(TIMER(0) + 0x18) = 1u << 8;
	start_timer(0, 1, 5000, 0);
	before = REGISTER(SYSTICK + 8);
	while (high < seen + 5)
		__asm volatile("wfi");
	cycles = before - REGISTER(SYSTICK + 8);
	CHECK(cycles >= 49000 && cycles < 53000);
	REGISTER(TIMER(0) + 0x10) = 0;
	REGISTER(TIMER(0) + 0x18) = 0;
	REGISTER(SYSTICK) = 0;
	return 0;
}

// Two timers of 16 bits: half B interrupts while half A, in PWM mode, begins again at every match.
static int check_halves(void)
{
	const uint32_t seen = low;
	REGISTER(TIMER(1) + 0x10) = 1u << 14 | 1u << 30;
	while ((REGISTER(TIMER(1) + 0x18) & (1u << 3 | 1u << 19)) != (1u << 3 | 1u << 19))
		;
	REGISTER(TIMER(1) + 0x10) |= 3u | 1u << 16 | 2u << 20;
	REGISTER(TIMER(1) + 0x00) = 1u | 1u << 16;
	REGISTER(TIMER(1) + 0x04) = 50u | 2000u << 16;
	REGISTER(TIMER(1) + 0x18) |= 1u << 24;
	REGISTER(TIMER(1) + 0x10) |= 1u << 15 | 1u << 31;
	CHECK((REGISTER(TIMER(1) + 0x18) & (1u << 2 | 1u << 18)) == (1u << 2 | 1u << 18));
	while ((REGISTER(TIMER(1)) & 0xFFFF) < 40)
		;
	while ((REGISTER(TIMER(1)) & 0xFFFF) > 30)
		;
	CHECK((REGISTER(TIMER(1) + 0xC) & 1) == 1 && REGISTER(TIMER(1)) >> 16 < 2000);
	while (low < seen + 3)
		__asm volatile("wfi");
	REGISTER(TIMER(1) + 0x10) = 0;
	REGISTER(TIMER(1) + 0x18) = 0;
	return 0;
}

static int check_fpu(void)
{
	uint32_t seen = high;
	float sum = 0, step = 0.5f;
	REGISTER(TIMER(0) + 0x18) = 1u << 8;
	start_timer(0, 1, 200, 0);
	for (int i = 0; i < 20000; i++)
		sum += step;
	REGISTER(TIMER(0) + 0x10) = 0;
	REGISTER(TIMER(0) + 0x18) = 0;
	CHECK(high > seen + 10);
	CHECK(sum == 10000.0f);
	return 0;
}

static int check_sleep(void)
{
	// With an interrupt pending but masked, WFI goes on.
	__asm volatile("cpsid i" ::: "memory");
	uint32_t seen = high;
	REGISTER(NVIC_PEND) = 1u << TIMER_INTERRUPT(0);
	__asm volatile("wfi");
	CHECK(high == seen);
	__asm volatile("cpsie i\n\tisb" ::: "memory");
	CHECK(high == seen + 1);
	// Events do not block.
	__asm volatile("sev\n\twfe\n\twfe");
	return 0;
}

static int check_peripherals(void)
{
	// Set and clear registers of a port, and what an unused pin reads.
	REGISTER(0x4000800Cu) = 0;
	REGISTER(0x40008010u) = 6;
	REGISTER(0x40008018u) = 0;
	REGISTER(0x4000801Cu) = 7;
	REGISTER(0x40008020u) = 1;
	CHECK(REGISTER(0x40008018u) == 6);
	CHECK((REGISTER(0x40008024u) & 7) == 7);
	REGISTER(0x40008020u) = 2;
	CHECK((REGISTER(0x40008024u) & 7) == 5);
	// The cycle counter counts.
	uint32_t first = REGISTER(0xE0001004u);
	CHECK(REGISTER(0xE0001004u) - first < 100);
	// Byte and half-word accesses keep the rest of a word.
	REGISTER(0x40005444u) = 0x11223344;
	BYTE(0x40005445u) = 0xAA;
	CHECK(REGISTER(0x40005444u) == 0x1122AA44);
	CHECK(BYTE(0x40005447u) == 0x11);
	CHECK(*(volatile uint16_t *)0x40005444u == 0xAA44);
	return 0;
}

int main(void)
{
	board_start();
	const uint32_t *original = (const uint32_t *)REGISTER(SCB_VTOR);
	for (unsigned i = 0; i < 16 + 105; i++)
		table[i] = original[i];
	REGISTER(SCB_VTOR) = (uint32_t)table;
	set_handler(11, svc_handler);
	set_handler(14, pendsv_handler);
	set_handler(15, systick_handler);
	set_handler(16 + TIMER_INTERRUPT(0), timer_handler);
	set_handler(16 + TIMER_INTERRUPT(1), slow_handler);
	if (check_exceptions() || check_systick() || check_timers() || check_halves() || check_fpu() ||
	    check_sleep() || check_peripherals())
		return 1;
	printf("*** PASS ***\n");
	// Semihosting: the application ended well.
	__asm volatile("mov r0, #0x18\n\tldr r1, =0x20026\n\tbkpt 0xAB" ::: "r0", "r1");
	return 0;
}
