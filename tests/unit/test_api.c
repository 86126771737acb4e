// The small functions of the public headers: names, texts, lists, copies of machines, and what they refuse.
#include <string.h>

#include "rig.h"

START_TEST(every_status_has_a_name_and_a_text)
{
	for (int s = AI8X_OK; s <= AI8X_ERR_CANCELLED; s++) {
		ck_assert_ptr_eq(strstr(ai8x_status_name((ai8x_status)s), "AI8X_"), ai8x_status_name((ai8x_status)s));
		for (int other = s + 1; other <= AI8X_ERR_CANCELLED; other++) {
			ck_assert_str_ne(ai8x_status_name((ai8x_status)s), ai8x_status_name((ai8x_status)other));
			ck_assert_str_ne(ai8x_status_text((ai8x_status)s), ai8x_status_text((ai8x_status)other));
		}
	}
	ck_assert_str_eq(ai8x_status_name((ai8x_status)(AI8X_ERR_CANCELLED + 1)), "AI8X_ERR_?");
	ck_assert_str_eq(ai8x_status_text((ai8x_status)-1), "unknown status");
}
END_TEST

START_TEST(header_and_library_are_of_one_version)
{
	ck_assert_str_eq(ai8x_version(), AI8X_VERSION);
}
END_TEST

START_TEST(choices_have_names)
{
	ck_assert_str_eq(ai8x_operation_name(AI8X_OP_CONVT2D), "convtranspose2d");
	ck_assert_str_eq(ai8x_eltwise_name(AI8X_ELTWISE_XOR), "xor");
	ck_assert_str_eq(ai8x_pooling_name(AI8X_POOL_AVERAGE), "average");
	ck_assert_str_eq(ai8x_activation_name(AI8X_ACTIVATE_ABS), "abs");
	ck_assert_str_eq(ai8x_state_name(AI8X_STATE_POOL_READ), "pool-read");
	ck_assert_str_eq(ai8x_op_kind_name(AI8X_BUS_WRITE8), "WRITE8");
	ck_assert_str_eq(ai8x_firmware_end_name(AI8X_FIRMWARE_RETURNED), "returned");
	ck_assert_str_eq(ai8x_firmware_verdict_name(AI8X_FIRMWARE_PASS), "pass");
	ck_assert_str_eq(ai8x_severity_name(AI8X_SEVERITY_WARNING), "warning");
	ck_assert_str_eq(ai8x_operation_name((ai8x_operation)99), "?");
	ck_assert_ptr_null(ai8x_op_kind_name(AI8X_BUS_KINDS));
}
END_TEST

// Numbers that a part states twice, for people and for decoding, are the same.
START_TEST(sizes_of_a_part_agree_with_its_tables)
{
	const ai8x_part *part = ai8x_part_at((unsigned)_i);
	const ai8x_part_info *info = ai8x_part_get_info(part);
	const struct part_memory_row *memories = part->memories;
	ck_assert_uint_eq(info->data_words, memories[MEMORY_DATA].words);
	ck_assert_uint_eq(info->data_base, ai8x_part_data_address(part, 0, 0));
	ck_assert_uint_eq(info->kernel_words, memories[MEMORY_KERNEL].words);
	ck_assert_uint_eq(info->kernel_words_first, memories[MEMORY_KERNEL].words_first);
	ck_assert_uint_eq(info->bias_entries, memories[MEMORY_BIAS].words);
	ck_assert_uint_eq(info->tram_words, memories[MEMORY_TRAM].words);
	ck_assert_uint_eq(info->max_passes, 1u << part->fields[F_INPCHEXP].width);
	ck_assert_uint_eq(info->layers, part->registers[REG_RCNT].count);
	ck_assert_uint_eq(info->clock_hz, ai8x_clock_default(part, true).hz);
	ck_assert_uint_eq(1u << part->instance_shift >= info->data_words, 1);
}
END_TEST

// The list of regions has every memory and register once, each where addresses lead to it.
START_TEST(regions_lie_where_they_say)
{
	const ai8x_part *part = ai8x_part_at((unsigned)_i);
	ai8x_region region;
	size_t count = 0, memories = 0;
	for (; ai8x_part_region(part, count, &region); count++) {
		memories += region.memory;
		for (unsigned g = 0; g < region.groups; g++) {
			ai8x_location location;
			uint32_t last = region.address + g * region.group_stride + (region.count - 1) * region.stride;
			ck_assert_int_eq(ai8x_part_locate(part, last, &location), AI8X_OK);
			ck_assert_str_eq(region.memory ? location.region : location.name, region.name);
			ck_assert_int_eq(location.group, region.groups == 1 ? -1 : (int)g);
		}
	}
	ck_assert_uint_eq(memories, MEMORY_COUNT);
	for (unsigned r = 0; r < REG_COUNT; r++)
		count -= part->registers[r].scope != SCOPE_NONE;
	ck_assert_uint_eq(count, MEMORY_COUNT);
}
END_TEST

// Eight channels of 4 x 4 pixels through a passthrough layer.
static void configure(struct rig *rig)
{
	rig_open(rig, "MAX78000", NULL);
	rig_set(rig, F_RCNT_MAX, 0, 0, 3);
	rig_set(rig, F_CCNT_MAX, 0, 0, 3);
	rig_set(rig, F_TSCNT_MAX, 0, 0, 7);
	rig_set(rig, F_PRO_EN, 0, 0, 0xff);
	rig_set(rig, F_WPTR_WORD, 0, 0, 0x100);
}

START_TEST(layers_are_described)
{
	struct rig rig;
	ai8x_layer layer;
	char text[256], start[12];
	configure(&rig);
	ck_assert_int_eq(ai8x_machine_decode(rig.machine, 0, &layer, NULL), AI8X_OK);
	size_t length = ai8x_layer_describe(&layer, text, sizeof text);
	ck_assert_uint_eq(length, strlen(text));
	ck_assert_ptr_nonnull(strstr(text, "pass-through, 8 channels, 4x4"));
	ck_assert_ptr_nonnull(strstr(text, "writes 0x0400 of instance 0"));
	// As snprintf: cut, terminated, and the length it would have.
	ck_assert_uint_eq(ai8x_layer_describe(&layer, start, sizeof start), length);
	ck_assert_uint_eq(strlen(start), sizeof start - 1);
	ck_assert_int_eq(strncmp(start, text, sizeof start - 1), 0);
	ck_assert_uint_eq(ai8x_layer_describe(&layer, NULL, 0), length);
	ck_assert_uint_eq(ai8x_layer_macs(&layer), 0);
	rig_close(&rig);
}
END_TEST

START_TEST(sequences_are_told_without_running)
{
	struct rig rig;
	uint32_t layers[4] = {9, 9, 9, 9};
	configure(&rig);
	rig_set(&rig, F_LCNT, 0, 0, 2);
	ck_assert_uint_eq(ai8x_machine_sequence(rig.machine, layers, 2), 3);
	ck_assert_uint_eq(layers[0], 0);
	ck_assert_uint_eq(layers[1], 1);
	ck_assert_uint_eq(layers[2], 9);
	ck_assert_uint_eq(ai8x_machine_sequence(rig.machine, NULL, 0), 3);
	rig_close(&rig);
}
END_TEST

START_TEST(clones_are_equal_and_independent)
{
	struct rig rig;
	ai8x_machine *clone = NULL;
	ai8x_error error = {0};
	size_t words;
	configure(&rig);
	rig_write_data(&rig, 0, 5, 0x01020304);
	ck_assert_int_eq(ai8x_machine_clone(rig.machine, &clone, &error), AI8X_OK);
	ck_assert_ptr_eq(ai8x_machine_part(clone), rig.part);
	rig_write_data(&rig, 0, 5, 0);
	ck_assert_uint_eq(ai8x_machine_data(clone, 0, &words)[5], 0x01020304);
	// The clone has the registers as well: it runs, and the original stays as it is.
	uint32_t control = part_register_address(rig.part, REG_CTL, 0, 0);
	ck_assert_int_eq(ai8x_machine_write32(clone, control, 1, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_machine_run(clone, NULL, &error), AI8X_OK);
	ck_assert_uint_eq(ai8x_machine_data(clone, 0, &words)[0x100 + 5], 0x01020304);
	ck_assert_uint_eq(rig_data(&rig, 0, 0x100 + 5), 0);
	// Words go from one to the other, inside of an instance only.
	ck_assert_int_eq(ai8x_machine_copy_data(rig.machine, clone, 0, 0x100, 16, &error), AI8X_OK);
	ck_assert_uint_eq(rig_data(&rig, 0, 0x100 + 5), 0x01020304);
	ck_assert_int_eq(ai8x_machine_copy_data(rig.machine, clone, 0, (uint32_t)words - 1, 2, &error),
	                 AI8X_ERR_ARGUMENT);
	ck_assert_int_eq(ai8x_machine_copy_data(rig.machine, clone, AI8X_INSTANCES, 0, 1, &error),
	                 AI8X_ERR_ARGUMENT);
	ai8x_machine_destroy(clone);
	rig_close(&rig);
}
END_TEST

START_TEST(running_machines_are_not_cloned)
{
	struct rig rig;
	ai8x_machine *clone = NULL;
	ai8x_error error = {0};
	configure(&rig);
	rig_start(&rig);
	ck_assert_int_eq(ai8x_machine_clone(rig.machine, &clone, &error), AI8X_ERR_ARGUMENT);
	ck_assert_str_ne(error.message, "");
	ck_assert_ptr_null(clone);
	rig_close(&rig);
}
END_TEST

// A check that is driven by hand: what is named as the result counts, and it is evaluated once.
START_TEST(checks_are_driven_by_hand)
{
	struct rig rig;
	ai8x_machine_options options = ai8x_machine_options_default();
	ai8x_check *check = NULL;
	ai8x_error error = {0};
	options.engine = AI8X_ENGINE_EXACT;
	rig_open(&rig, "MAX78000", &options);
	ck_assert_int_eq(ai8x_check_create(rig.part, NULL, &check, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_check_attach(check, rig.machine, &error), AI8X_OK);
	rig_set(&rig, F_PRO_EN, 0, 0, 1);
	rig_set(&rig, F_WPTR_WORD, 0, 0, 0x100);
	rig_write_data(&rig, 0, 0, 7);
	ck_assert_int_eq(ai8x_check_expect(check, ai8x_part_data_address(rig.part, 0, 0x300), 0xff), AI8X_OK);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	ai8x_check_detach(check);
	ck_assert_int_eq(ai8x_check_finish(check, AI8X_OK, NULL, &error), AI8X_OK);
	bool found = false;
	for (size_t i = 0; i < ai8x_check_count(check); i++)
		found |= ai8x_check_get(check, i)->kind == AI8X_CHECK_OUTPUT_UNWRITTEN;
	ck_assert(found);
	size_t count = ai8x_check_count(check);
	ck_assert_int_eq(ai8x_check_finish(check, AI8X_OK, NULL, &error), AI8X_ERR_ARGUMENT);
	ck_assert_uint_eq(ai8x_check_count(check), count);
	ai8x_check_destroy(check);
	rig_close(&rig);
}
END_TEST

// A schedule asked for without FIFO words ignores their number.
START_TEST(schedules_need_no_words)
{
	struct rig rig;
	ai8x_schedule schedule;
	ai8x_error error = {0};
	configure(&rig);
	rig_start(&rig);
	ck_assert_int_eq(ai8x_schedule_machine(rig.machine, NULL, 1000000, NULL, &schedule, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, &error), AI8X_OK);
	ck_assert_uint_eq(schedule.cycles, ai8x_machine_cycles(rig.machine));
	ck_assert_uint_eq(schedule.fifo_words, 0);
	ai8x_schedule_release(&schedule);
	rig_close(&rig);
}
END_TEST

RIG_MAIN("api", tcase_add_test(tcase, every_status_has_a_name_and_a_text);
         tcase_add_test(tcase, header_and_library_are_of_one_version);
         tcase_add_test(tcase, choices_have_names);
         tcase_add_loop_test(tcase, sizes_of_a_part_agree_with_its_tables, 0, 2);
         tcase_add_loop_test(tcase, regions_lie_where_they_say, 0, 2);
         tcase_add_test(tcase, layers_are_described);
         tcase_add_test(tcase, sequences_are_told_without_running);
         tcase_add_test(tcase, clones_are_equal_and_independent);
         tcase_add_test(tcase, running_machines_are_not_cloned);
         tcase_add_test(tcase, checks_are_driven_by_hand); tcase_add_test(tcase, schedules_need_no_words);)
