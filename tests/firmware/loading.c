// Loads kernels and input as generated software does, at every clock that silicon was measured at, and prints what it took.
//
// Kernels are a table of blocks in flash: address, count, words, and one table for each clock, because what was read once is in
// the cache; input is copied from memory. Times are those of the core's
// cycle counter.
#include <stddef.h>
#include <stdio.h>

#include "board.h"

#define DEBUG_CONTROL 0xE000EDFCu
#define DWT_CONTROL 0xE0001000u
#define DWT_CYCLES 0xE0001004u
#define DIVIDERS 0x40000018u
#define PCLK 0u
#define PLL 3u

#ifdef PART_MAX78002
#define KERNELS 0x51400000u
#define DATA 0x51800000u
#else
#define KERNELS 0x50180000u
#define DATA 0x50400000u
#endif

#define WORDS_2(n) (n), ~(n)
#define WORDS_16(n)                                                                                          \
	WORDS_2(n), WORDS_2(n + 1), WORDS_2(n + 2), WORDS_2(n + 3), WORDS_2(n + 4), WORDS_2(n + 5),              \
		WORDS_2(n + 6), WORDS_2(n + 7)
#define WORDS_128(n)                                                                                         \
	WORDS_16(n), WORDS_16(n + 8), WORDS_16(n + 16), WORDS_16(n + 24), WORDS_16(n + 32), WORDS_16(n + 40),    \
		WORDS_16(n + 48), WORDS_16(n + 56)
#define BLOCK(processor)                                                                                     \
	KERNELS + 0x4000u * (processor), 513, WORDS_128(0u), WORDS_128(64u), WORDS_128(128u), WORDS_128(192u), 0
#define BLOCKS 4

#define TABLE                                                                                                \
	{                                                                                                        \
		BLOCK(0), BLOCK(1), BLOCK(2), BLOCK(3), 0                                                            \
	}

static uint32_t input[1024];

// Source and divider codes of the accelerator's clock, and its frequency.
static const struct {
	uint32_t source, divider, khz;
} clocks[] = {
#ifdef PART_MAX78002
	{PLL, 4, 200000}, {PLL, 0, 100000}, {PLL, 1, 50000},  {PLL, 2, 25000},
	{PLL, 3, 12500},  {PCLK, 0, 30000}, {PCLK, 1, 15000}, {PCLK, 2, 7500},
#else
	{PCLK, 4, 50000},
#endif
};
#define CLOCKS (sizeof clocks / sizeof clocks[0])

static const uint32_t kernels[][BLOCKS * (513 + 2) + 1] = {
	TABLE,
#ifdef PART_MAX78002
	TABLE, TABLE, TABLE, TABLE, TABLE, TABLE, TABLE,
#endif
};
_Static_assert(sizeof kernels / sizeof kernels[0] == CLOCKS, "a table for each clock");

void cnn_handler(void);

void cnn_handler(void)
{
}

static __attribute__((noinline)) void load_kernels(const uint32_t *next)
{
	volatile uint32_t *address;
	while ((address = (volatile uint32_t *)*next++) != NULL) {
		BYTE((uint32_t)address | 1) = 1;
		for (uint32_t left = *next++; left > 0; left--)
			*address++ = *next++;
	}
}

static __attribute__((noinline)) void copy(uint32_t *to, const uint32_t *from, int count)
{
	while (count-- > 0)
		*to++ = *from++;
}

int main(void)
{
	board_start();
	REGISTER(DEBUG_CONTROL) |= 1u << 24;
	REGISTER(DWT_CONTROL) |= 1;
	for (unsigned i = 0; i < CLOCKS; i++) {
		board_cnn_on();
		REGISTER(DIVIDERS) =
			(REGISTER(DIVIDERS) & ~(31u << 14)) | clocks[i].source << 17 | clocks[i].divider << 14;
		const uint32_t begun = REGISTER(DWT_CYCLES);
		load_kernels(kernels[i]);
		const uint32_t loaded = REGISTER(DWT_CYCLES);
		copy((uint32_t *)DATA, input, sizeof input / sizeof input[0]);
		const uint32_t copied = REGISTER(DWT_CYCLES);
		(void)printf("load khz=%lu kernels=%lu of %u input=%lu of %u\n", (unsigned long)clocks[i].khz,
		             (unsigned long)(loaded - begun), BLOCKS * 513u, (unsigned long)(copied - loaded),
		             (unsigned)(sizeof input / sizeof input[0]));
		board_cnn_off();
	}
	return 0;
}
