// The Cortex-M4's half of an image of two cores, in the manner of generated code: it starts the second core, which runs
// the network, and waits for its call. -DSPIN waits in an endless loop in place of a sleep.
#include <stdio.h>

#include "cores.h"

#define SECOND_BOOT 0x40000810u
#define CLOCK_OFF1 0x40000048u
#define SECOND_CLOCK (1u << 31)
#define CALL_INTERRUPT 63
#define NVIC_ENABLE 0xE000E100u
#define VTOR 0xE000ED08u

void cnn_handler(void);

__asm(".section .second, \"a\"\n\t.global second_image\nsecond_image:\n\t.incbin \"" SECOND_IMAGE
      "\"\n\t.text\n");
extern const uint32_t second_image[];

static uint32_t table[16 + 105] __attribute__((aligned(512)));
static volatile uint32_t answer, answered;

void cnn_handler(void)
{
}

static void report(void)
{
	printf(answer == PASSED ? "*** PASS ***\n" : "*** FAIL *** 0x%lx\n", (unsigned long)answer);
}

static void call_handler(void)
{
	answer = REGISTER(MAIL_FIRST);
	REGISTER(CALL_FIRST) = CALL_ENABLE;
	answered = 1;
#ifdef SPIN
	report();
#endif
}

int main(void)
{
	board_start();
	for (int i = 0; i < 16 + 105; i++)
		table[i] = REGISTER(0x10000000u + 4 * (uint32_t)i);
	table[16 + CALL_INTERRUPT] = (uint32_t)call_handler;
	REGISTER(VTOR) = (uint32_t)table;
	REGISTER(NVIC_ENABLE + 4 * (CALL_INTERRUPT / 32)) = 1u << CALL_INTERRUPT % 32;
	REGISTER(CALL_FIRST) = CALL_ENABLE;
	if (REGISTER(SEMAPHORES) != 0) // taken by reading
		return 1;
	REGISTER(SHARED) = 0;
	REGISTER(SECOND_BOOT) = (uint32_t)second_image;
	REGISTER(CLOCK_OFF1) &= ~SECOND_CLOCK;

	// Both run: the other one greets in shared memory, sleeps until it is called, and waits for the semaphore.
	while (REGISTER(SHARED) == 0)
		;
	board_delay(3000);
	REGISTER(MAIL_SECOND) = GREETING;
	REGISTER(CALL_SECOND) = CALL_ENABLE | CALL_RAISE;
	board_delay(2000);
	printf("The second core has been called\n");
	REGISTER(SEMAPHORES) = 0;
#ifdef SPIN
	for (;;)
		;
#else
	while (answered == 0)
		__asm volatile("wfi");
	report();
	return answer != PASSED;
#endif
}
