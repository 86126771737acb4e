// A known-answer test in the manner of generated code, compiled for the host with the stand-in headers.
#include <stdio.h>
#include <stdlib.h>

#include "gcfr_regs.h"
#include "mxc.h"
#include DATA_HEADER

#define MARK_BYTE 0x80000000u
#define MARK_WAIT 0x40000000u
#define FIFO_STATUS 0x50000004u
#define FAST_STATUS 0x400C0404u
#define FAST_DATA 0x400C0410u

#ifdef MAX78002
#define CONTROL(group) (0x51000000u + 0x1000000u * (group))
#else
#define CONTROL(group) (0x50100000u + 0x400000u * (group))
#endif
#define WORD(address) (*((volatile uint32_t *)(uintptr_t)(address)))

static volatile uint32_t cnn_time;

static void cnn_isr(void)
{
	for (uint32_t group = 0; group < 4; group++)
		WORD(CONTROL(group)) &= ~((1u << 12) | (1u << 14) | 1u);
	cnn_time = MXC_TMR_SW_Stop(MXC_TMR0) + 1;
}

static void load(void)
{
	const uint32_t *next = setup;
	while (next[0] != 0) {
		uint32_t address = next[0], count = next[1] & 0xFFFFFF, mark = next[1];
		next += 2;
		if ((mark & MARK_WAIT) != 0) {
			while ((WORD(address) & next[0]) != next[1])
				;
			next += 2;
			continue;
		}
		if ((mark & MARK_BYTE) != 0)
			*((volatile uint8_t *)(uintptr_t)(address | 1)) = 1;
		uint32_t *to = (uint32_t *)(uintptr_t)address;
		for (; count > 0; count--)
			*to++ = *next++;
	}
}

static void feed_fifo(void)
{
	for (const uint32_t *next = feed; next[0] != 0; next += 2) {
		if (next[0] == FAST_DATA)
			while ((WORD(FAST_STATUS) & 2) != 0)
				;
		else
			while ((WORD(FIFO_STATUS) >> ((next[0] - 0x50000008u) / 4) & 1) != 0)
				;
		WORD(next[0]) = next[1];
	}
}

int main(void)
{
	unsigned words = 0;
	MXC_SYS_Clock_Select(MXC_SYS_CLOCK_IPO);
	MXC_GCFR->reg0 = 0xF;
	while ((MXC_GCR->ipll_ctrl & MXC_F_GCR_IPLL_CTRL_RDY) == 0)
		;
	NVIC_SetVector(CNN_IRQn, cnn_isr);
	load();
	MXC_TMR_SW_Start(MXC_TMR0);
	WORD(TEST_START) = TEST_START_VALUE;
	feed_fifo();
	while (cnn_time == 0)
		__WFI();
	for (const uint32_t *next = expected; next[0] != 0; next += 3, words++)
		if ((WORD(next[0]) & next[1]) != next[2]) {
			printf("Data mismatch at 0x%08x\n*** FAIL ***\n", next[0]);
			return EXIT_FAILURE;
		}
	printf("%u words verified, %u us\n*** PASS ***\n", words, cnn_time - 1);
	return EXIT_SUCCESS;
}
