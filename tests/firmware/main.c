// A known-answer test in the manner of generated code: load, start, wait, verify, print.
//
// Variants: -DPOLL waits for the done bit in place of the interrupt, -DHANG waits for a character that never
// comes, -DRUNS=2 does everything twice, -DPAUSE=US stops the accelerator in the middle of its run and lets it go
// on, -DABANDON starts it from the beginning. The network is in DATA_HEADER, see make_data.c.
#include <stdio.h>

#include "answer.h"

#define FIFO_STATUS 0x50000004u
#define FIFO_FIRST 0x50000008u
#define FAST_STATUS 0x400C0404u
#define FAST_DATA 0x400C0410u
#define NVIC_ENABLE 0xE000E100u

#ifndef RUNS
#define RUNS 1
#endif

static volatile uint32_t inference_time;

void cnn_handler(void);

static void note_end(void)
{
	acknowledge();
	inference_time = board_stopwatch() + 1;
}

void cnn_handler(void)
{
	note_end();
}

static void feed_fifo(void)
{
	for (const uint32_t *next = feed; next[0] != 0; next += 2) {
		if (next[0] == FAST_DATA)
			while ((REGISTER(FAST_STATUS) & 2) != 0)
				;
		else
			while ((REGISTER(FIFO_STATUS) >> ((next[0] - FIFO_FIRST) / 4) & 1) != 0)
				;
		REGISTER(next[0]) = next[1];
	}
}

static void wait(void)
{
#ifdef POLL
	while ((REGISTER(TEST_START) & DONE) == 0)
		;
	note_end();
#else
	while (inference_time == 0)
		__asm volatile("wfi");
#endif
}

// Generated code calls these cnn_stop() and cnn_continue().
#if defined PAUSE || defined ABANDON
static void stop(void)
{
	REGISTER(TEST_START) &= ~1u;
}
#endif

#ifdef PAUSE
static void go_on(void)
{
	REGISTER(TEST_START) |= 1u;
}
#endif

static int verify(void)
{
	uint32_t words = 0;
	const uint32_t *wrong = find_mismatch(&words);
	if (wrong[0] != 0) {
		printf("Data mismatch at 0x%08lx: expected 0x%08lx, read 0x%08lx\n", (unsigned long)wrong[0],
		       (unsigned long)wrong[2], (unsigned long)(REGISTER(wrong[0]) & wrong[1]));
		return 1;
	}
	printf("%lu words verified\n", (unsigned long)words);
	return 0;
}

#ifdef HANG
static void wait_for_key(void)
{
	while ((REGISTER(0x40042004u) & 1u << 4) != 0)
		;
}
#endif

int main(void)
{
	board_start();
	printf("Test firmware for the %s\n", TEST_PART);
#ifdef HANG
	wait_for_key();
#endif
	board_delay(2000000);
	int failed = 0;
	for (int i = 0; i < RUNS && !failed; i++) {
		board_cnn_on();
		load();
#ifndef POLL
		REGISTER(NVIC_ENABLE + 4 * (CNN_INTERRUPT / 32)) = 1u << (CNN_INTERRUPT % 32);
#endif
		inference_time = 0;
#ifdef ABANDON
		REGISTER(TEST_START) = TEST_START_VALUE;
		stop();
		load();
#endif
		board_stopwatch_start();
		REGISTER(TEST_START) = TEST_START_VALUE;
#ifdef PAUSE
		stop();
		board_delay(PAUSE);
		go_on();
#endif
		feed_fifo();
		wait();
		failed = verify();
		printf("*** %s ***\nInference took %lu us\n", failed ? "FAIL" : "PASS",
		       (unsigned long)inference_time - 1);
		board_cnn_off();
	}
	return failed;
}
