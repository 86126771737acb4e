// Firmware that means harm, a kind for each letter that comes by UART0: none of them may crash the simulator, fill its
// memory or outlast its watchdog.
#include "board.h"

#define UART 0x40042000u
#define DMA 0x40028000u
#define LINES 0xE5070000u
#define SECOND_BOOT 0x40000810u
#define CLOCK_OFF1 0x40000048u
#define RESET1 0x40000044u
#define MODES 0x4000000Cu
#define WUT 0x40006400u
#define VTOR 0xE000ED08u
#define SRAM 0x20000000u

void cnn_handler(void);

static uint32_t table[16 + 105] __attribute__((aligned(512)));
static uint32_t second[128] __attribute__((aligned(256)));

void cnn_handler(void)
{
}

static void nothing(void)
{
}

static void start_second(uint32_t address)
{
	REGISTER(SECOND_BOOT) = address;
	REGISTER(CLOCK_OFF1) &= ~(1u << 31);
	for (;;)
		;
}

// Its vectors all lead to a loop whose end is another interrupt: csrwi mstatus, 8; j back.
static void second_storm(void)
{
	for (int i = 0; i < 64; i++)
		second[i] = 0x0000006Fu; // j .
	second[0] = 0x1000006Fu;     // j to word 64
	second[4] = 0x30200073u;     // mret, and the line is still up
	const uint32_t code[] = {0xE50702B7, 0x0FF00313, 0x0062A023, 0x0062A423, 0x30046073, 0xFFDFF06F};
	for (int i = 0; i < 6; i++)
		second[64 + i] = code[i];
	start_second((uint32_t)second);
}

static void second_restarts(void)
{
	second[0] = 0x0000006Fu;
	REGISTER(SECOND_BOOT) = (uint32_t)second;
	for (;;) {
		REGISTER(CLOCK_OFF1) &= ~(1u << 31);
		REGISTER(RESET1) = 1u << 31;
		for (volatile int i = 0; i < 1000; i++)
			;
	}
}

static void endless_copies(void)
{
	for (;;)
		for (uint32_t channel = 0; channel < 4; channel++) {
			const uint32_t base = DMA + 0x100 + 0x20 * channel;
			REGISTER(base + 0x08) = REGISTER(base + 0x0C) = SRAM;
			REGISTER(base + 0x10) = 0xFFFFFF;
			REGISTER(base + 0x14) = REGISTER(base + 0x18) = SRAM;
			REGISTER(base + 0x1C) = 1u << 31 | 0xFFFFFF;
			REGISTER(base) = 3; // bytes to the same place, and again
		}
}

static void endless_waking(void)
{
	REGISTER(MODES) = 1u << 7;
	for (;;) {
		REGISTER(WUT + 0x10) = 0;
		REGISTER(WUT + 0x00) = 1;
		REGISTER(WUT + 0x04) = 1;
		REGISTER(WUT + 0x0C) = 1;
		REGISTER(WUT + 0x10) = 1u << 7 | 1;
		REGISTER(0xE000ED10u) = 4;
		REGISTER(MODES) |= 2;
		__asm volatile("wfi");
	}
}

// Every boot begins the next backup at once.
static void endless_backups(void)
{
	REGISTER(0x40006848u) = 'e'; // what the next boot does
	REGISTER(MODES) = 1u << 7;
	REGISTER(WUT + 0x0C) = 1;
	REGISTER(WUT + 0x00) = 1;
	REGISTER(WUT + 0x04) = 2;
	REGISTER(WUT + 0x10) = 1u << 7;
	REGISTER(MODES) |= 4;
	for (;;)
		;
}

static void tick_storm(void)
{
	table[15] = (uint32_t)nothing;
	REGISTER(VTOR) = (uint32_t)table;
	REGISTER(0xE000E014u) = 1;
	REGISTER(0xE000E010u) = 7;
	for (;;)
		;
}

static void flood(void)
{
	for (;;)
		REGISTER(UART + 0x20) = 'x';
}

static void wild_interrupts(void)
{
	// A vector table of zeros, and every interrupt pending.
	REGISTER(VTOR) = SRAM + 0x10000;
	for (uint32_t i = 0; i < 8; i++)
		REGISTER(0xE000E100u + 4 * i) = REGISTER(0xE000E200u + 4 * i) = 0xFFFFFFFFu;
	for (;;)
		;
}

int main(void)
{
	static const struct {
		char letter;
		void (*act)(void);
	} kinds[] = {
		{'r', second_storm},    {'s', second_restarts}, {'d', endless_copies}, {'w', endless_waking},
		{'e', endless_backups}, {'t', tick_storm},      {'f', flood},          {'i', wild_interrupts},
	};
	board_start();
	uint32_t letter = REGISTER(0x40006848u);
	if (letter == 0) {
		while ((REGISTER(UART + 0x04) & 1u << 4) != 0)
			;
		letter = REGISTER(UART + 0x20);
	}
	if (letter == 'g')
		start_second(SRAM + 0x8000); // zeros: no instruction
	if (letter == 'o')
		start_second(0x70000000u); // nothing is there
	for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if ((uint32_t)kinds[i].letter == letter)
			kinds[i].act();
	return 0;
}
