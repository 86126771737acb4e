// What generators work around (hardware reference 7), as the parts behave: one test a quirk. Those about
// starting and clearing are in test_machine.c (one-shot) and test_memory.c (register clear).
#include <string.h>

#include "rig.h"

static const char *const part_names[] = {"MAX78000", "MAX78002"};

static void image(struct rig *rig, uint32_t layer, uint32_t rows, uint32_t columns, uint32_t pad,
                  uint32_t pool, uint32_t words)
{
	if (rig->part->quirks.window_stop_geometry) {
		uint32_t last_row = (rows - pool) / pool * pool, last_column = (columns - pool) / pool * pool;
		rig_set(rig, F_ROW_STOP, 0, layer, last_row);
		rig_set(rig, F_COL_STOP, 0, layer, last_column);
		rig_set(rig, F_COL_DIFF, 0, layer, columns - last_column);
		rig_set(rig, F_ROW_PAD_ENA, 0, layer, pad > 0);
		rig_set(rig, F_COL_PAD_ENA, 0, layer, pad > 0);
		rig_set(rig, F_MP_STRIDE, 0, layer, words * pool);
	} else {
		rig_set(rig, F_RCNT_MAX, 0, layer, rows + 2 * pad - 1);
		rig_set(rig, F_CCNT_MAX, 0, layer, columns + 2 * pad - 1);
		rig_set(rig, F_RCNT_PAD, 0, layer, pad);
		rig_set(rig, F_CCNT_PAD, 0, layer, pad);
	}
	rig_set(rig, F_POOL_EN, 0, layer, pool > 1);
	rig_set(rig, F_POOL_ROWS, 0, layer, pool - 1);
	rig_set(rig, F_POOL_COLS, 0, layer, pool - 1);
	rig_set(rig, F_STRIDE, 0, layer, pool - 1);
	rig_set(rig, F_MAXPL_EN, 0, layer, 1);
}

static void one_by_one(struct rig *rig, uint32_t layer)
{
	rig_set(rig, F_ONED_WIDTH, 0, layer, 1);
	rig_set(rig, F_PRO_EN, 0, layer, 1);
	rig_set(rig, F_MASK_EN, 0, layer, 1);
	rig_set(rig, F_SCALE_REG, 0, layer, 7);
	rig_set(rig, F_WPTR_WORD, 0, layer, 256);
}

// REQUIRE_2X_MP_PASSTHROUGH: pooled multi-pass pass-through takes the cycles of 2m - 1 passes.
START_TEST(pooled_multipass_passthrough_takes_longer)
{
	for (uint32_t pool = 1; pool <= 2; pool++) {
		struct rig rig;
		rig_open(&rig, part_names[_i], NULL);
		const uint32_t passes = 3;
		image(&rig, 0, 2, 2, 0, pool, passes);
		rig_set(&rig, F_INPCHEXP, 0, 0, passes - 1);
		rig_set(&rig, F_PRO_EN, 0, 0, 15);
		rig_set(&rig, F_WPTR_WORD, 0, 0, 256);
		ck_assert_int_eq(rig_run(&rig), AI8X_OK);
		const uint64_t pixels = pool == 1 ? 4 : 1, taken = pool == 1 ? passes : 2 * passes - 1;
		ck_assert_uint_eq(ai8x_machine_cycles(rig.machine), 1 + pixels * taken * (pool * pool + 1 + 1));
		rig_close(&rig);
	}
}
END_TEST

// REQUIRE_MP_KERNOFF_MULTIWRITE: on the MAX78000 a layer that combines before it pools walks to its first
// kernel at every output whose newest pixel is padding; its time depends on where its kernels lie.
static uint64_t combine_first_cycles(const char *part, uint32_t first_word)
{
	struct rig rig;
	rig_open(&rig, part, NULL);
	image(&rig, 0, 4, 4, 1, 2, 2);
	rig_set(&rig, F_PRO_EN, 0, 0, 1);
	rig_set(&rig, F_MASK_EN, 0, 0, 1);
	rig_set(&rig, F_EWISE_EN, 0, 0, 1);
	rig_set(&rig, F_EWISE_CNT, 0, 0, 1);
	rig_set(&rig, F_EWISE_FUNC, 0, 0, AI8X_ELTWISE_ADD);
	rig_set(&rig, F_MCNT_SAD, 0, 0, 8 * first_word);
	rig_set(&rig, F_MCNT_MAX, 0, 0, 8 * first_word);
	rig_set(&rig, F_WPTR_WORD, 0, 0, 256);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	uint64_t cycles = ai8x_machine_cycles(rig.machine);
	rig_close(&rig);
	return cycles;
}

START_TEST(kernel_position_costs_time)
{
	// 2x2 pooled image, pad 1: of 2x2 outputs, three have a pad pixel at their lower right corner.
	ck_assert_uint_eq(combine_first_cycles("MAX78000", 100) - combine_first_cycles("MAX78000", 0), 3 * 100);
	ck_assert_uint_eq(combine_first_cycles("MAX78002", 100), combine_first_cycles("MAX78002", 0));
}
END_TEST

// SUPPORT_STREAM_BIAS: on the MAX78000 a streaming layer 0 reads its bias one entry late.
static int8_t biased_output(const char *part, bool streaming)
{
	struct rig rig;
	rig_open(&rig, part, NULL);
	image(&rig, 0, 1, 1, 0, 1, 1);
	one_by_one(&rig, 0);
	rig_set(&rig, F_SCALE_REG, 0, 0, 0);
	rig_set(&rig, F_BPTR_EN, 0, 0, 1);
	rig_set(&rig, F_BPTR_SAD, 0, 0, 4);
	rig_write_bias(&rig, 0, 4, 11);
	rig_write_bias(&rig, 0, 5, 22);
	if (streaming) {
		rig_set(&rig, F_STREAM_EN, 0, 0, 1);
		rig_set(&rig, F_FBUF_MAX, 0, 0, 4);
	}
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	int8_t value = (int8_t)(uint8_t)rig_data(&rig, 0, 256);
	rig_close(&rig);
	return value;
}

START_TEST(streaming_bias_is_late)
{
	ck_assert_int_eq(biased_output("MAX78000", false), 11);
	ck_assert_int_eq(biased_output("MAX78000", true), 22);
	ck_assert_int_eq(biased_output("MAX78002", false), 11);
	ck_assert_int_eq(biased_output("MAX78002", true), 11);
}
END_TEST

// SUPPORT_ROLLOVER_READ: the MAX78002 does not give FMAX back.
START_TEST(ring_length_reads_back)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	rig_set(&rig, F_FBUF_MAX, 0, 2, 77);
	ck_assert_uint_eq(rig_get(&rig, F_FBUF_MAX, 0, 2), _i == 0 ? 77 : 0);
	// What was written counts all the same.
	ck_assert_uint_eq(register_get(&rig.registers, REG_FMAX, 0, 2), 77);
	rig_close(&rig);
}
END_TEST

// A register with value 0 is not written by generators: reset values are what they rely on (3.1).
START_TEST(registers_reset_to_zero)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	for (unsigned r = 0; r < REG_COUNT; r++) {
		enum part_scope scope = rig.part->registers[r].scope;
		if (scope != SCOPE_LAYER && scope != SCOPE_STREAM && scope != SCOPE_SNOOP)
			continue;
		for (uint32_t i = 0; i < rig.part->registers[r].count; i++) {
			uint32_t value, address = part_register_address(rig.part, (enum part_register)r, 3, i);
			ck_assert_int_eq(ai8x_machine_read32(rig.machine, address, &value, NULL), AI8X_OK);
			ck_assert_uint_eq(value, 0);
		}
	}
	rig_close(&rig);
}
END_TEST

// Bits that a part lacks do nothing: depth-wise, calcx4 and bypass are the MAX78002's.
START_TEST(missing_fields_do_nothing)
{
	struct rig rig;
	rig_open(&rig, "MAX78000", NULL);
	image(&rig, 0, 1, 1, 0, 1, 1);
	one_by_one(&rig, 0);
	uint32_t post = part_register_address(rig.part, REG_POST, 0, 0);
	uint32_t value = register_get(&rig.registers, REG_POST, 0, 0) | 1u << 30 | 1u << 29;
	ck_assert_int_eq(ai8x_machine_write32(rig.machine, post, value, NULL), AI8X_OK);
	ai8x_layer layer;
	ck_assert_int_eq(ai8x_machine_decode(rig.machine, 0, &layer, NULL), AI8X_OK);
	ck_assert(!layer.depthwise);
	ck_assert(!layer.calcx4);
	ck_assert(!layer.bypass);
	rig_close(&rig);
}
END_TEST

// Lanes past the last slot: zero by default, untouched as an option (4.9, decided by no known source).
START_TEST(absent_lanes_are_a_choice)
{
	for (unsigned keep = 0; keep < 2; keep++) {
		struct rig rig;
		ai8x_machine_options options = ai8x_machine_options_default();
		options.keep_absent_lanes = keep;
		options.engine = _i == 0 ? AI8X_ENGINE_EXACT : AI8X_ENGINE_FAST;
		rig_open(&rig, "MAX78000", &options);
		image(&rig, 0, 1, 1, 0, 1, 1);
		one_by_one(&rig, 0);
		rig_write_data(&rig, 0, 0, 5);
		rig_write_data(&rig, 0, 256, 0x44332211);
		rig_write_kernel(&rig, 0, 0, (const uint8_t[9]){0, 0, 0, 0, 0, 0, 0, 0, 3});
		ck_assert_int_eq(rig_run(&rig), AI8X_OK);
		ck_assert_uint_eq(rig_data(&rig, 0, 256), keep ? 0x4433220f : 0x0000000f);
		ck_assert_int_eq(ai8x_machine_layer_report(rig.machine, 0)->exact_engine, _i == 0);
		rig_close(&rig);
	}
}
END_TEST

RIG_MAIN("quirks", tcase_add_loop_test(tcase, pooled_multipass_passthrough_takes_longer, 0, 2);
         tcase_add_test(tcase, kernel_position_costs_time); tcase_add_test(tcase, streaming_bias_is_late);
         tcase_add_loop_test(tcase, ring_length_reads_back, 0, 2);
         tcase_add_loop_test(tcase, registers_reset_to_zero, 0, 2);
         tcase_add_test(tcase, missing_fields_do_nothing);
         tcase_add_loop_test(tcase, absent_lanes_are_a_choice, 0, 2);)
