// Two tasks on the process stack, switched by PendSV as an RTOS does it, both in the middle of FPU work, under a tick
// that preempts them. Prints PASS, or the first line that failed.
#include <stdio.h>

#include "board.h"

#define ICSR 0xE000ED04u
#define SHPR3 0xE000ED20u
#define SHCSR 0xE000ED24u
#define CFSR 0xE000ED28u
#define BFAR 0xE000ED38u
#define VTOR 0xE000ED08u
#define NVIC_ENABLE 0xE000E100u
#define NVIC_PEND 0xE000E200u
#define SYSTICK 0xE000E010u
#define ROUNDS 2000

void cnn_handler(void);
void svc_handler(void);
void pendsv_handler(void);
void bus_fault_handler(void);
uint32_t *next_task(uint32_t *old);

uint32_t *task_stack[2];
static uint32_t stacks[2][256] __attribute__((aligned(8)));
static uint32_t table[16 + 105] __attribute__((aligned(512)));
static volatile uint32_t current, switches, ticks, finished, faults, fault_status, fault_address, chained;
static volatile float sums[2];

void cnn_handler(void)
{
}

uint32_t *next_task(uint32_t *old)
{
	task_stack[current] = old;
	current ^= 1;
	switches++;
	return task_stack[current];
}

__attribute__((naked)) void svc_handler(void)
{
	__asm volatile(
		"ldr r0, =task_stack\n\tldr r0, [r0]\n\tldmia r0!, {r4-r11, lr}\n\tmsr psp, r0\n\tbx lr\n");
}

__attribute__((naked)) void pendsv_handler(void)
{
	__asm volatile("mrs r0, psp\n\t"
	               "tst lr, #0x10\n\tit eq\n\tvstmdbeq r0!, {s16-s31}\n\t"
	               "stmdb r0!, {r4-r11, lr}\n\tbl next_task\n\tldmia r0!, {r4-r11, lr}\n\t"
	               "tst lr, #0x10\n\tit eq\n\tvldmiaeq r0!, {s16-s31}\n\tmsr psp, r0\n\tbx lr\n");
}

static void tick_handler(void)
{
	ticks++;
	REGISTER(ICSR) = 1u << 28;
}

// Skips the access that failed: its address is in the frame on the process stack.
static void bus_fault_body(uint32_t *frame)
{
	faults++;
	fault_status = REGISTER(CFSR);
	fault_address = REGISTER(BFAR);
	REGISTER(CFSR) = fault_status;
	frame[6] = frame[2] & ~1u; // r2 holds where to go on
}

__attribute__((naked)) void bus_fault_handler(void)
{
	__asm volatile("mrs r0, psp\n\tpush {r3, lr}\n\tbl %c0\n\tpop {r3, pc}\n" ::"i"(bus_fault_body));
}

static void interrupt_handler(void)
{
	chained++;
	if (chained == 1)
		REGISTER(NVIC_PEND) = 1u << 6;
}

static void work(uint32_t self, float step)
{
	float sum = 0;
	for (int i = 0; i < ROUNDS; i++) {
		sum += step;
		if (i % 64 == 0)
			REGISTER(ICSR) = 1u << 28;
	}
	sums[self] = sum;
	finished |= 1u << self;
}

static void end(const char *text, int line)
{
	printf("%s %d\n", text, line);
	__asm volatile("mov r0, #0x18\n\tldr r1, =0x20026\n\tbkpt 0xAB" ::: "r0", "r1");
}

#define CHECK(condition)                                                                                     \
	do {                                                                                                     \
		if (!(condition))                                                                                    \
			end("*** FAIL *** line", __LINE__);                                                              \
	} while (0)

static void task_a(void)
{
	work(0, 0.25f);
	while (finished != 3)
		REGISTER(ICSR) = 1u << 28;
	CHECK(sums[0] == 0.25f * ROUNDS && sums[1] == 0.5f * ROUNDS);
	CHECK(switches > 2 * ROUNDS / 64 && ticks > 2);
	// A bus fault is taken, told of, and returned from.
	__asm volatile("adr r2, 1f\n\tldr r1, =0x90000000\n\tldr r0, [r1]\n\tnop\n\t.balign 4\n1:\n\tnop" ::
	                   : "r0", "r1", "r2", "memory");
	CHECK(faults == 1 && fault_address == 0x90000000u && (fault_status & 0x8200) == 0x8200);
	// Two interrupts, the second of which becomes pending in the first's handler.
	REGISTER(NVIC_PEND) = 1u << 5;
	__asm volatile("dsb\n\tisb" ::: "memory");
	CHECK(chained == 2);
	end("*** PASS ***", 0);
}

static void task_b(void)
{
	work(1, 0.5f);
	for (;;)
		REGISTER(ICSR) = 1u << 28;
}

static uint32_t *frame(uint32_t *top, void (*task)(void))
{
	*--top = 0x01000000;
	*--top = (uint32_t)task & ~1u;
	top -= 6;
	*--top = 0xFFFFFFFDu;
	return top - 8;
}

int main(void)
{
	board_start();
	const uint32_t *original = (const uint32_t *)REGISTER(VTOR);
	for (unsigned i = 0; i < 16 + 105; i++)
		table[i] = original[i];
	table[5] = (uint32_t)bus_fault_handler;
	table[11] = (uint32_t)svc_handler;
	table[14] = (uint32_t)pendsv_handler;
	table[15] = (uint32_t)tick_handler;
	table[16 + 5] = table[16 + 6] = (uint32_t)interrupt_handler;
	REGISTER(VTOR) = (uint32_t)table;
	REGISTER(SHPR3) = 0xE0E00000u;
	REGISTER(SHCSR) = 1u << 17;
	REGISTER(NVIC_ENABLE) = 1u << 5 | 1u << 6;
	task_stack[0] = frame(stacks[0] + 256, task_a);
	task_stack[1] = frame(stacks[1] + 256, task_b);
	REGISTER(SYSTICK + 4) = 4999;
	REGISTER(SYSTICK + 8) = 0;
	REGISTER(SYSTICK) = 7;
	__asm volatile("cpsie i\n\tsvc 0");
	printf("*** FAIL *** the call returned\n");
	return 1;
}
