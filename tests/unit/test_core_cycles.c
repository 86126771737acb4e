// Cycles of the emulated core: small sequences as an assembler made them, and what the Cortex-M4's manual says of each.
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "firmware/soc.h"

struct sequence {
	const char *text;
	uint16_t code[8];
	size_t count;
	uint32_t cycles, refill;
};

static const struct sequence sequences[] = {
	{"adds; muls; nop", {0x1840, 0x4348, 0xBF00}, 3, 3, 3},
	{"ldr r0, [r1]", {0x6808}, 1, 2, 3},
	{"three loads, pipelined", {0x6808, 0x684A, 0x688B}, 3, 4, 3},
	{"load of an address, load from it", {0x6809, 0x6808}, 2, 4, 3},
	{"load of an index, load with it", {0x6808, 0x5C0A}, 2, 4, 3},
	{"ldr literal; ldr [sp]", {0x4901, 0x9801}, 2, 3, 3},
	{"str; str", {0x6008, 0x6048}, 2, 2, 3},
	{"load, store of it", {0x6808, 0x6010}, 2, 3, 3},
	{"copy loop: ldr.w; str.w; subs; cmp.w; bne",
     {0xF851, 0x2B04, 0xF840, 0x2F04, 0x3B01, 0xF1B3, 0x3FFF, 0xD1F7},
     8,
     6,
     2},
	{"push {r4, lr}; pop {r4, pc}", {0xB510, 0xBD10}, 2, 6, 3},
	{"ldmia.w r0!, {r1, r2, r8}", {0xE8B0, 0x0106}, 2, 4, 3},
	{"stmdb sp!, {r4, r8, lr}", {0xE92D, 0x4110}, 2, 4, 3},
	{"ldrd; strd", {0xE9D2, 0x0100, 0xE9C2, 0x0102}, 4, 6, 3},
	{"ldrex; strex", {0xE851, 0x0F00, 0xE842, 0x1000}, 4, 4, 3},
	{"mla; smull", {0xFB01, 0x3002, 0xFB82, 0x0103}, 4, 2, 3},
	{"sdiv; udiv", {0xFB91, 0xF0F2, 0xFBB1, 0xF0F2}, 4, 14, 3},
	{"vadd; vmul; vabs; vcvt", {0xEE30, 0x0A81, 0xEE20, 0x0A81, 0xEEB0, 0x0AE0, 0xEEBD, 0x0AE0}, 8, 4, 3},
	{"vdiv; vsqrt", {0xEE80, 0x0A81, 0xEEB1, 0x0AE0}, 4, 28, 3},
	{"vmla; vnmla; vfma; vfnma", {0xEE00, 0x0A81, 0xEE10, 0x0AC1, 0xEEA0, 0x0A81, 0xEE90, 0x0AC1}, 8, 12, 3},
	{"vldr s0; vldr d0; vstr s0", {0xED91, 0x0A00, 0xED91, 0x0B00, 0xED81, 0x0A00}, 6, 7, 3},
	{"vldmia {s0-s3}; vpush {d8-d9}", {0xECB0, 0x0A04, 0xED2D, 0x8B04}, 4, 10, 3},
	{"vmov s0, r1; vmov r0, r1, s2, s3", {0xEE00, 0x1A10, 0xEC51, 0x0A11}, 4, 3, 3},
	{"nop; it folded; moveq", {0xBF00, 0xBF08, 0x2001}, 3, 2, 3},
	{"it first; moveq", {0xBF08, 0x2001}, 2, 2, 3},
	{"b; cbz: targets known early", {0xE7FE}, 1, 1, 2},
	{"cbz r0", {0xB100}, 1, 1, 2},
	{"bl", {0xF000, 0xF800}, 2, 1, 2},
	{"bx lr", {0x4770}, 1, 1, 3},
	{"tbb [pc, r0]", {0xE8DF, 0xF000}, 2, 3, 3},
};

START_TEST(instructions)
{
	const struct sequence *sequence = &sequences[_i];
	struct core_decoder decoder = {0};
	core_decode(&decoder, sequence->code, sequence->count);
	ck_assert_msg(decoder.cycles == sequence->cycles, "%s: %u cycles, not %u", sequence->text, decoder.cycles,
	              sequence->cycles);
	ck_assert_msg(decoder.refill == sequence->refill, "%s: refill %u, not %u", sequence->text, decoder.refill,
	              sequence->refill);
	// In two parts it is the same, wherever it is cut.
	for (size_t cut = 1; cut < sequence->count; cut++) {
		struct core_decoder parts = {0};
		core_decode(&parts, sequence->code, cut);
		core_decode(&parts, sequence->code + cut, sequence->count - cut);
		ck_assert_msg(parts.cycles == sequence->cycles, "%s, cut after %zu", sequence->text, cut);
	}
}
END_TEST

// Blocks with the state that they depend on, without a core.
static struct ai8x_firmware soc;
static uint32_t registers[0x100000 / 4];
static uint16_t memory[256];

static uc_err read_memory(uc_engine *uc, uint64_t address, void *bytes, size_t size)
{
	(void)uc;
	memcpy(bytes, (const uint8_t *)memory + (address - FLASH_BASE), size);
	return UC_ERR_OK;
}

static void reset_blocks(bool cached)
{
	memset(&soc, 0, sizeof soc);
	memset(registers, 0, sizeof registers);
	for (size_t i = 0; i < sizeof memory / sizeof memory[0]; i++)
		memory[i] = 0xBF00; // nop
	soc.words = registers;
	soc.soc = soc_part_at(0);
	soc.part = soc.soc->part;
	soc.unicorn.mem_read = read_memory;
	*soc_word(&soc, 0x40000028) = 5;              // wait states
	*soc_word(&soc, 0x4002A100) = cached ? 1 : 0; // instruction cache
}

START_TEST(flash_and_cache)
{
	reset_blocks(true);
	// Two lines of 16 bytes, fetched once.
	ck_assert_uint_eq(core_block_cycles(&soc, FLASH_BASE + 8, 16), 8 + 2 * 5);
	ck_assert_uint_eq(core_block_cycles(&soc, FLASH_BASE + 24, 8), 4);
	ck_assert_uint_eq(core_block_cycles(&soc, FLASH_BASE + 32, 8), 4 + 5);
	reset_blocks(false);
	for (int i = 0; i < 3; i++) {
		soc.code.next = FLASH_BASE;
		ck_assert_uint_eq(core_block_cycles(&soc, FLASH_BASE, 32), 16 + 2 * 5);
	}
}
END_TEST

START_TEST(taken_branches_refill)
{
	reset_blocks(true);
	memory[3] = 0xD1FB; // bne to the first nop
	soc.code.next = FLASH_BASE;
	ck_assert_uint_eq(core_block_cycles(&soc, FLASH_BASE, 8), 4 + 5);
	ck_assert_uint_eq(core_block_cycles(&soc, FLASH_BASE, 8), 4 + 2);
	// Not taken.
	ck_assert_uint_eq(core_block_cycles(&soc, FLASH_BASE + 8, 8), 4);
}
END_TEST

static uint64_t pass(uint64_t cycles)
{
	soc_pass(&soc, cycles);
	return cycles;
}

START_TEST(accesses_follow_both_clocks)
{
	static const struct {
		unsigned part;
		uint32_t clock, dividers;
		double core_hz, cnn_hz;
	} rows[] = {
		{0, 4u << 9, 4u << 14, 100e6, 50e6},
		{0, 4u << 9, 0, 100e6, 25e6},
		{0, 4u << 9, 4u << 14 | 1u << 17, 100e6, 60e6},
		{1, 4u << 9, 4u << 14 | 3u << 17, 120e6, 200e6},
		{1, 4u << 9, 4u << 14, 120e6, 60e6},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		reset_blocks(true);
		soc.soc = soc_part_at(rows[i].part);
		soc.part = soc.soc->part;
		*soc_word(&soc, 0x40000008) = rows[i].clock;
		*soc_word(&soc, 0x40000018) = rows[i].dividers;
		clocks_update(&soc);
		const struct part_access *access[2] = {&soc.part->host.bus_read, &soc.part->host.bus_write};
		for (int write = 0; write < 2; write++) {
			uint64_t cycles = 0;
			for (int n = 0; n < 1000; n++)
				cycles += pass(core_access_cycles(&soc, CNN_BASE, write != 0));
			// Whole cycles of the accelerator, and a part of one in the mean.
			const double ratio = rows[i].cnn_hz / rows[i].core_hz;
			const double expected = 1 + floor(access[write]->core * ratio) + access[write]->accelerator;
			ck_assert_double_eq_tol((double)cycles * ratio / 1000, expected, 0.01);
		}
	}
}
END_TEST

// The copy loop of generated software takes what boards take for a word of input: 26.3 core cycles (measured.tsv,
// safesound-226).
START_TEST(copy_loop)
{
	reset_blocks(true);
	static const uint16_t loop[] = {0xF851, 0x2B04, 0xF840, 0x2F04, 0x3B01, 0xF1B3, 0x3FFF, 0xD1F7};
	memcpy(memory, loop, sizeof loop);
	*soc_word(&soc, 0x40000008) = 4u << 9;
	*soc_word(&soc, 0x40000018) = 4u << 14;
	clocks_update(&soc);
	uint64_t cycles = 0;
	for (int n = 0; n < 4096; n++) {
		cycles += pass(core_block_cycles(&soc, FLASH_BASE, sizeof loop));
		cycles += pass(core_access_cycles(&soc, CNN_BASE, true));
	}
	ck_assert_double_eq_tol((double)cycles / 107832, 1, 0.005);
}
END_TEST

static uint32_t source_register;

static uc_err read_register(uc_engine *uc, int id, void *value)
{
	(void)uc;
	ck_assert_int_eq(id, UC_ARM_REG_R1);
	memcpy(value, &source_register, sizeof source_register);
	return UC_ERR_OK;
}

// A loop that copies from flash waits for each line of it, once; from memory it does not wait.
START_TEST(sources_in_flash)
{
	reset_blocks(true);
	static const uint16_t loop[] = {0xF851, 0x2B04, 0xF840,
	                                0x2F04}; // ldr.w r2, [r1], #4; str.w r2, [r0, #4]!
	memcpy(memory, loop, sizeof loop);
	soc.unicorn.reg_read = read_register;
	ck_assert_uint_eq(core_source_cycles(&soc), 0); // no block yet
	(void)core_block_cycles(&soc, FLASH_BASE, sizeof loop);
	const uint32_t starts[] = {FLASH_BASE + 0x1000, 0x20000000};
	for (size_t i = 0; i < 2; i++) {
		uint64_t cycles = 0;
		for (uint32_t word = 0; word < 8; word++) {
			source_register = starts[i] + 4 * word + 4;
			cycles += core_source_cycles(&soc);
		}
		ck_assert_uint_eq(cycles, i == 0 ? 2 * 5 : 0);
	}
	source_register = FLASH_BASE + 0x1004;
	ck_assert_uint_eq(core_source_cycles(&soc), 0); // in the cache
	memory[0] = 0xBF00;                             // nop: no load
	memory[1] = 0xBF00;
	(void)core_block_cycles(&soc, FLASH_BASE, 4);
	ck_assert_uint_eq(core_source_cycles(&soc), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("core cycles");
	TCase *cases = tcase_create("core cycles");
	tcase_add_loop_test(cases, instructions, 0, sizeof sequences / sizeof sequences[0]);
	tcase_add_test(cases, flash_and_cache);
	tcase_add_test(cases, taken_branches_refill);
	tcase_add_test(cases, accesses_follow_both_clocks);
	tcase_add_test(cases, copy_loop);
	tcase_add_test(cases, sources_in_flash);
	suite_add_tcase(suite, cases);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
