// The second core's half of an image of two cores: it waits for the first one's call, runs the network, prints, and
// calls back. No C library: what it prints is few words.
#include "answer.h"
#include "cores.h"

#define LINES 0xE5070000u
#define LINE_CALL 4
#define LINE_CNN 57

extern uint32_t bss_start, bss_end;

void second_main(void);
void call_handler(void);
void cnn_handler(void);
void ecall_handler(void);

static volatile uint32_t mail, took, ecalls, fault;

// The table of jumps: reset, wrong instruction, call, one unused, then lines 4 to 59 by their numbers.
__asm(".section .vectors, \"ax\"\n\t.option push\n\t.option norvc\n"
      "vectors:\n\tj begin\n\tj .\n\tj ecall_handler\n\tj .\n\tj call_handler\n"
      "\t.rept 52\n\tj .\n\t.endr\n\tj cnn_handler\n\t.option pop\n"
      "begin:\n\tcsrw mtvec, zero\n\tla sp, stack_top\n\tjal second_main\n\tj .\n\t.text\n");

__attribute__((interrupt("machine"))) void call_handler(void)
{
	mail = REGISTER(MAIL_SECOND);
	REGISTER(CALL_SECOND) = CALL_ENABLE;
	REGISTER(LINES + 0xC) = 1u << LINE_CALL;
}

__attribute__((interrupt("machine"))) void cnn_handler(void)
{
	acknowledge();
	took = board_stopwatch() + 1;
	REGISTER(LINES + 0x1C) = 1u << LINE_CNN % 32;
}

__attribute__((interrupt("machine"))) void ecall_handler(void)
{
	uint32_t from = 0, cause = 0;
	__asm volatile("csrr %0, mepc\n\tcsrr %1, mcause" : "=r"(from), "=r"(cause));
	if (cause != 11)
		fault = 1;
	ecalls++;
	__asm volatile("csrw mepc, %0" ::"r"(from + 4));
}

static void print(const char *text)
{
	while (*text != 0)
		board_put(*text++);
}

static void print_number(uint32_t number)
{
	if (number >= 10)
		print_number(number / 10);
	board_put((char)('0' + number % 10));
}

static void answer(uint32_t value)
{
	REGISTER(MAIL_FIRST) = value;
	REGISTER(CALL_FIRST) = CALL_ENABLE | CALL_RAISE;
	for (;;)
		;
}

void second_main(void)
{
	for (uint32_t *to = &bss_start; to < &bss_end;)
		*to++ = 0;
	REGISTER(CALL_SECOND) = CALL_ENABLE;
	REGISTER(LINES) |= 1u << LINE_CALL;
	REGISTER(LINES + 0x10) |= 1u << LINE_CNN % 32;
	__asm volatile("csrw mstatus, %0" ::"r"(8));
	__asm volatile("ecall");
	if (ecalls != 1 || fault != 0)
		answer(1);
	if (REGISTER(SEMAPHORES) == 0) // the first core has it
		answer(2);
	REGISTER(SHARED) = 1;
	while (mail == 0)
		__asm volatile("wfi");
	if (mail != GREETING)
		answer(3);
	while (REGISTER(SEMAPHORES) != 0)
		;
	board_cnn_on();
	load();
	board_stopwatch_start();
	REGISTER(TEST_START) = TEST_START_VALUE;
	for (const uint32_t *next = feed; next[0] != 0; next += 2)
		REGISTER(next[0]) = next[1]; // the bus waits while the FIFO is full
	while (took == 0)
		__asm volatile("wfi");
	uint32_t words = 0;
	if (find_mismatch(&words)[0] != 0)
		words = 0;
	print("RISC-V: ");
	print_number(words);
	print(" words verified, inference took ");
	print_number(took - 1);
	print(" us\n");
	board_stopwatch_start();
	board_delay(50000);
	const uint32_t delay = board_stopwatch();
	print("A delay of 50000 us took ");
	print_number(delay);
	print("\n");
	answer(words == 0 ? 4 : PASSED);
}
