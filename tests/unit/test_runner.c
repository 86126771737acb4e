// Running programs: what is compared, how far a run goes, why it stops, and where a value lies.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "runner/placement.h"

enum { DATA = 0x50400000, CTL = 0x50100000, FIFO_CTL = 0x50000000, FIFO_DATA = 0x50000008 };

static void assert_ok(ai8x_status status, const char *message)
{
	ck_assert_msg(status == AI8X_OK, "%s: %s", ai8x_status_name(status), message);
}

static ai8x_program *new_program(void)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	assert_ok(ai8x_program_create(ai8x_part_find("MAX78000"), "made here", &program, &error), error.message);
	return program;
}

static void append(ai8x_program *program, uint8_t kind, uint32_t address, uint32_t value, uint32_t mask)
{
	ai8x_op op = {.kind = kind, .address = address, .value = value, .mask = mask};
	assert_ok(ai8x_program_append(program, op, NULL), "append");
}

static ai8x_program *shipped_program(void)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	const char *source = getenv("AI8XSIM_SOURCE");
	ck_assert_ptr_nonnull(source);
	char path[512];
	(void)snprintf(path, sizeof path, "%s/golden/residual2-max78000.h5", source);
	assert_ok(ai8x_program_open(path, NULL, &program, &error), error.message);
	return program;
}

static ai8x_machine *new_machine(const char *part)
{
	ai8x_error error = {0};
	ai8x_machine_options options = ai8x_machine_options_default();
	options.capture_outputs = true;
	ai8x_machine *machine = NULL;
	assert_ok(ai8x_machine_create(ai8x_part_find(part), &options, &machine, &error), error.message);
	return machine;
}

// Runs a program on a machine of its own and destroys the program.
static ai8x_runner_result run(ai8x_program *program, const ai8x_runner_options *options)
{
	ai8x_machine *machine = new_machine("MAX78000");
	ai8x_runner_result result;
	ai8x_status status = ai8x_runner_run(machine, program, options, &result);
	ck_assert_int_eq(status, result.status);
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
	return result;
}

// Runs a program that must stop with that status and a message that holds both texts.
static void run_into(ai8x_program *program, const ai8x_runner_options *options, ai8x_status status,
                     const char *first, const char *second)
{
	ai8x_runner_result result = run(program, options);
	ck_assert_msg(result.status == status, "%s: %s", ai8x_status_name(result.status), result.message);
	ck_assert_msg(strstr(result.message, first) != NULL, "%s", result.message);
	ck_assert_msg(strstr(result.message, second) != NULL, "%s", result.message);
	ck_assert(!result.pass);
	ai8x_runner_result_release(&result);
}

START_TEST(shipped_program_passes)
{
	ai8x_program *program = shipped_program();
	int64_t cycles = ai8x_program_int(program, -1, "cycles", -1);
	int64_t layer_cycles[2] = {ai8x_program_int(program, 0, "cycles", -1),
	                           ai8x_program_int(program, 1, "cycles", -1)};
	uint64_t recorded = 0;
	for (size_t i = 0; i < 2; i++) {
		const ai8x_program_layer *layer = ai8x_program_layer_at(program, i);
		recorded += (uint64_t)layer->shape[0] * layer->shape[1] * layer->shape[2] + layer->memory_count;
	}
	size_t op_count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &op_count);
	for (size_t i = 0; i < op_count; i++)
		recorded += ops[i].kind == AI8X_BUS_EXPECT;

	ai8x_runner_options options = ai8x_runner_options_default();
	options.per_layer = true;
	ai8x_runner_result result = run(program, &options);
	assert_ok(result.status, result.message);
	ck_assert(result.pass);
	ck_assert(result.cycles_exact);
	ck_assert_uint_eq(result.checks, recorded);
	ck_assert_uint_eq(result.mismatches, 0);
	ck_assert_int_eq(result.first_bad_layer, -1);
	ck_assert_uint_eq(result.cycles, (uint64_t)cycles);
	ck_assert_uint_eq(result.layer_count, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_uint_eq(result.layers[i].number, i);
		ck_assert_uint_eq(result.layers[i].cycles, (uint64_t)layer_cycles[i]);
		ck_assert(result.layers[i].recorded && result.layers[i].compared && result.layers[i].pass);
		ck_assert_uint_gt(result.layers[i].macs, 0);
	}
	ck_assert_double_eq_tol(result.simulated_seconds, (double)result.cycles / 50e6, 1e-12);
	ai8x_runner_result_release(&result);
}
END_TEST

// A program of nothing but bus accesses: the start is borrowed from the shipped one.
START_TEST(expect_is_strict_about_its_mask)
{
	static const struct {
		uint32_t value, mask;
		bool holds;
	} cases[] = {
		{0x12345678, 0xffffffff, true},  {0x00005678, 0x0000ffff, true},  {0x00000000, 0x00000000, true},
		{0x12345679, 0xffffffff, false}, {0x12345678, 0x0000ffff, false}, {0x92345678, 0xffffffff, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ai8x_program *program = shipped_program();
		append(program, AI8X_BUS_WRITE32, DATA + 0x7ffc, 0x12345678, 0);
		append(program, AI8X_BUS_EXPECT, DATA + 0x7ffc, cases[i].value, cases[i].mask);
		ai8x_runner_result result = run(program, NULL);
		assert_ok(result.status, result.message);
		ck_assert_uint_eq(result.mismatches, !cases[i].holds);
		ck_assert(result.pass == cases[i].holds);
		if (!cases[i].holds) {
			ck_assert_uint_eq(result.mismatch_count, 1);
			ck_assert_uint_eq(result.mismatch[0].address, DATA + 0x7ffc);
			ck_assert_uint_eq(result.mismatch[0].expected, cases[i].value);
			ck_assert_uint_eq(result.mismatch[0].got, 0x12345678);
			ck_assert_int_eq(result.mismatch[0].layer, -1);
		}
		ai8x_runner_result_release(&result);
	}
}
END_TEST

START_TEST(wrong_words_are_counted_and_some_kept)
{
	ai8x_program *program = shipped_program();
	for (uint32_t i = 0; i < 100; i++)
		append(program, AI8X_BUS_EXPECT, DATA + 0x7000 + 4 * i, 1, UINT32_MAX);
	ai8x_runner_options options = ai8x_runner_options_default();
	options.max_mismatches = 7;
	ai8x_runner_result result = run(program, &options);
	ck_assert_uint_eq(result.mismatches, 100);
	ck_assert_uint_eq(result.mismatch_count, 7);
	ck_assert_uint_eq(result.mismatch[6].address, DATA + 0x7000 + 24);
	ai8x_runner_result_release(&result);
	options.max_mismatches = 0;
	program = shipped_program();
	append(program, AI8X_BUS_EXPECT, DATA + 0x7000, 1, UINT32_MAX);
	result = run(program, &options);
	ck_assert_uint_eq(result.mismatches, 1);
	ck_assert_uint_eq(result.mismatch_count, 0);
	ai8x_runner_result_release(&result);
}
END_TEST

START_TEST(stops_say_why)
{
	ai8x_program *program = new_program();
	append(program, AI8X_BUS_WRITE32, DATA, 1, 0);
	run_into(program, NULL, AI8X_ERR_NOT_STARTED, "RUN", "1 operations");

	program = new_program();
	append(program, AI8X_BUS_WRITE32, DATA, 1, 0);
	append(program, AI8X_BUS_RUN, 0, 0, 0);
	run_into(program, NULL, AI8X_ERR_NOT_STARTED, "operation 1 (RUN)", "enable bit");

	program = new_program();
	append(program, AI8X_BUS_WAIT, CTL, 1u << 12, 1u << 12);
	append(program, AI8X_BUS_RUN, 0, 0, 0);
	run_into(program, NULL, AI8X_ERR_STALLED, "operation 0 (WAIT 0x50100000", "waits for 0x00001000");

	program = new_program();
	append(program, AI8X_BUS_WRITE32, DATA + 2, 1, 0);
	append(program, AI8X_BUS_RUN, 0, 0, 0);
	run_into(program, NULL, AI8X_ERR_ALIGNMENT, "operation 0 (WRITE32 0x50400002", "multiple of 4");

	program = new_program();
	append(program, AI8X_BUS_WRITE8, 0x70000000, 1, 0);
	append(program, AI8X_BUS_RUN, 0, 0, 0);
	run_into(program, NULL, AI8X_ERR_ADDRESS, "operation 0 (WRITE8 0x70000000", "0x70000000");

	for (int kind = AI8X_BUS_WRITE32; kind <= AI8X_BUS_FIFO_WRITE32; kind += AI8X_BUS_FIFO_WRITE32) {
		program = new_program();
		append(program, AI8X_BUS_WRITE32, FIFO_CTL, 1u << 12 | 1u << 11, 0);
		for (int i = 0; i < 1000; i++)
			append(program, (uint8_t)kind, FIFO_DATA, 1, 0);
		append(program, AI8X_BUS_RUN, 0, 0, 0);
		run_into(program, NULL, AI8X_ERR_STALLED, "FIFO", "full");
	}

	ai8x_runner_options options = ai8x_runner_options_default();
	options.max_cycles = 50;
	run_into(shipped_program(), &options, AI8X_ERR_CYCLE_LIMIT, "(RUN)", "after 50 cycles");

	options = ai8x_runner_options_default();
	options.stop_after = true;
	options.stop_layer = 2;
	run_into(shipped_program(), &options, AI8X_ERR_ARGUMENT, "layer 2", "no such layer");
}
END_TEST

START_TEST(a_program_runs_on_its_own_part)
{
	ai8x_program *program = shipped_program();
	ai8x_machine *machine = new_machine("MAX78002");
	ai8x_runner_result result;
	ck_assert_int_eq(ai8x_runner_run(machine, program, NULL, &result), AI8X_ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(result.message, "MAX78002"));
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(limits_do_not_change_results)
{
	// One cycle less than it takes is too few, exactly as many are enough.
	ai8x_program *program = shipped_program();
	uint64_t cycles = (uint64_t)ai8x_program_int(program, -1, "cycles", 0);
	ai8x_program_destroy(program);
	ai8x_runner_options options = ai8x_runner_options_default();
	options.max_cycles = cycles;
	ai8x_runner_result result = run(shipped_program(), &options);
	assert_ok(result.status, result.message);
	ck_assert_uint_eq(result.cycles, cycles);
	ai8x_runner_result_release(&result);
	options.max_cycles = cycles - 1;
	run_into(shipped_program(), &options, AI8X_ERR_CYCLE_LIMIT, "(RUN)", "the limit");
}
END_TEST

START_TEST(stop_behind_a_layer)
{
	ai8x_program *program = shipped_program();
	int64_t cycles = ai8x_program_int(program, 0, "cycles", -1);
	ai8x_runner_options options = ai8x_runner_options_default();
	options.stop_after = true;
	options.stop_layer = 0;
	options.per_layer = true;
	ai8x_runner_result result = run(program, &options);
	assert_ok(result.status, result.message);
	ck_assert(result.pass);
	ck_assert_uint_eq(result.layer_count, 1);
	ck_assert_uint_eq(result.cycles, 1 + (uint64_t)cycles);
	ck_assert_uint_eq(result.checks, result.layers[0].checks);
	ai8x_runner_result_release(&result);
}
END_TEST

struct seen {
	size_t layers, events;
	bool cancel;
};

static bool see_layer(void *user, const ai8x_layer_report *report)
{
	struct seen *seen = user;
	seen->layers++;
	ck_assert(report->finished);
	return !seen->cancel;
}

static void see_event(void *user, const ai8x_event *event)
{
	struct seen *seen = user;
	seen->events++;
	ck_assert_int_eq(event->kind, AI8X_EVENT_LAYER_STOP);
}

START_TEST(observers_are_served_and_let_go)
{
	struct seen seen = {0};
	ai8x_runner_options options = ai8x_runner_options_default();
	options.on_layer = see_layer;
	options.on_layer_user = &seen;
	options.observer = see_event;
	options.observer_kinds = AI8X_EVENT_LAYER_STOP;
	options.observer_user = &seen;
	ai8x_program *program = shipped_program();
	ai8x_machine *machine = new_machine("MAX78000");
	ai8x_runner_result result;
	assert_ok(ai8x_runner_run(machine, program, &options, &result), result.message);
	ai8x_runner_result_release(&result);
	ck_assert_uint_eq(seen.layers, 2);
	ck_assert_uint_eq(seen.events, 2);
	ai8x_machine_reset(machine);
	assert_ok(ai8x_runner_run(machine, program, NULL, &result), result.message);
	ck_assert(result.pass);
	ck_assert_uint_eq(seen.layers + seen.events, 4);
	ai8x_runner_result_release(&result);

	ai8x_machine_reset(machine);
	seen.cancel = true;
	ck_assert_int_eq(ai8x_runner_run(machine, program, &options, &result), AI8X_ERR_CANCELLED);
	ck_assert_uint_eq(result.layer_count, 1);
	ai8x_runner_result_release(&result);

	// A run that is refused leaves no callback behind either.
	ai8x_machine_reset(machine);
	options.stop_after = true;
	options.stop_layer = 99;
	ck_assert_int_eq(ai8x_runner_run(machine, program, &options, &result), AI8X_ERR_ARGUMENT);
	ai8x_runner_result_release(&result);
	ai8x_error error;
	assert_ok(ai8x_runner_load(machine, program, &error), error.message);
	assert_ok(ai8x_machine_run(machine, NULL, &error), error.message);
	ck_assert_uint_eq(seen.layers + seen.events, 6);
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(load_stops_in_front_of_run)
{
	ai8x_program *program = shipped_program();
	ai8x_machine *machine = new_machine("MAX78000");
	ai8x_error error = {0};
	assert_ok(ai8x_runner_load(machine, program, &error), error.message);
	ck_assert(ai8x_machine_running(machine));
	ck_assert_uint_eq(ai8x_machine_layer_count(machine), 0);
	assert_ok(ai8x_machine_run(machine, NULL, &error), error.message);
	ck_assert_uint_eq(ai8x_machine_cycles(machine), (uint64_t)ai8x_program_int(program, -1, "cycles", 0));
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
}
END_TEST

static ai8x_program *with_placement(const struct placement *from)
{
	ai8x_program *program = new_program();
	ai8x_error error = {0};
	assert_ok(ai8x_program_add_layer(program, 0, NULL, NULL, NULL, 0, &error), error.message);
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{"output_processors", (int64_t)from->processors},
		{"out_offset", (int64_t)from->word * 4},
		{"out_expand", from->passes},
		{"out_expand_thresh", from->per_pass},
		{"output_width", from->value_bytes * 8},
		{"write_gap", from->gap},
	};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		ai8x_attribute attribute = {.name = numbers[i].name,
		                            .type = AI8X_ATTRIBUTE_INT,
		                            .integers = &numbers[i].value,
		                            .count = 1,
		                            .scalar = true};
		assert_ok(ai8x_program_set_attribute(program, 0, &attribute, &error), error.message);
	}
	const int64_t shape[3] = {from->channels, from->rows, from->columns};
	ai8x_attribute attribute = {.name = "shape", .type = AI8X_ATTRIBUTE_INT, .integers = shape, .count = 3};
	assert_ok(ai8x_program_set_attribute(program, 0, &attribute, &error), error.message);
	return program;
}

// Every value has its own place, and the place leads back to the value.
START_TEST(places_lead_back_to_values)
{
	static const struct placement placements[] = {
		{.processors = 0xff,
	     .channels = 8,
	     .rows = 3,
	     .columns = 5,
	     .passes = 1,
	     .per_pass = 8,
	     .value_bytes = 1},
		{.processors = 0xe,
	     .channels = 3,
	     .rows = 2,
	     .columns = 2,
	     .passes = 1,
	     .per_pass = 3,
	     .value_bytes = 1,
	     .word = 7},
		{.processors = 0xf0f00000000000f1,
	     .channels = 26,
	     .rows = 4,
	     .columns = 3,
	     .passes = 2,
	     .per_pass = 13,
	     .value_bytes = 1,
	     .gap = 2},
		{.processors = UINT64_MAX,
	     .channels = 200,
	     .rows = 2,
	     .columns = 7,
	     .passes = 4,
	     .per_pass = 64,
	     .value_bytes = 1,
	     .word = 100},
		{.processors = 0x0ff0,
	     .channels = 16,
	     .rows = 3,
	     .columns = 3,
	     .passes = 2,
	     .per_pass = 8,
	     .value_bytes = 4,
	     .gap = 1,
	     .word = 32},
	};
	const ai8x_part *part = ai8x_part_find("MAX78000");
	for (size_t n = 0; n < sizeof placements / sizeof placements[0]; n++) {
		ai8x_program *program = with_placement(&placements[n]);
		struct placement placement;
		ck_assert(placement_of(program, 0, &placement));
		static uint8_t used[AI8X_INSTANCES][8192][4];
		memset(used, 0, sizeof used);
		uint32_t pixels = placement.rows * placement.columns;
		for (uint32_t channel = 0; channel < placement.channels; channel++) {
			for (uint32_t pixel = 0; pixel < pixels; pixel++) {
				unsigned instance = 0;
				uint32_t word = 0;
				uint32_t address = placement_address(&placement, part, channel, pixel);
				ck_assert(data_memory_split(part, address, &instance, &word));
				unsigned lane = (unsigned)placement_processor(&placement, channel) % 4;
				ck_assert_uint_eq(used[instance][word][lane], 0);
				used[instance][word][lane] = 1;
				struct coordinates at;
				ck_assert(placement_find(&placement, instance, word, lane, &at));
				ck_assert_uint_eq(at.channel, channel);
				ck_assert_uint_eq(at.row * placement.columns + at.column, pixel);
			}
		}
		ai8x_program_destroy(program);
	}
}
END_TEST

START_TEST(nonsense_has_no_places)
{
	const struct placement bad[] = {
		{.processors = 0,
	     .channels = 1,
	     .rows = 1,
	     .columns = 1,
	     .passes = 1,
	     .per_pass = 1,
	     .value_bytes = 1},
		{.processors = 1,
	     .channels = 1,
	     .rows = 1,
	     .columns = 1,
	     .passes = 0,
	     .per_pass = 1,
	     .value_bytes = 1},
		{.processors = 1,
	     .channels = 1,
	     .rows = 1,
	     .columns = 1,
	     .passes = 1,
	     .per_pass = 0,
	     .value_bytes = 1},
		{.processors = 1,
	     .channels = 1,
	     .rows = 1,
	     .columns = 1,
	     .passes = 1,
	     .per_pass = 1,
	     .value_bytes = 2},
		{.processors = 1,
	     .channels = 0,
	     .rows = 1,
	     .columns = 1,
	     .passes = 1,
	     .per_pass = 1,
	     .value_bytes = 1},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		ai8x_program *program = with_placement(&bad[i]);
		struct placement placement;
		ck_assert(!placement_of(program, 0, &placement));
		ai8x_program_destroy(program);
	}
	unsigned instance = 0;
	uint32_t word = 0;
	const ai8x_part *part = ai8x_part_find("MAX78000");
	ck_assert(!data_memory_split(part, DATA - 4, &instance, &word));
	ck_assert(!data_memory_split(part, DATA + 4 * 0x8000, &instance, &word));
	ck_assert(data_memory_split(part, 0x51000000 + 3 * 0x8000 + 0x7ffc, &instance, &word));
	ck_assert_uint_eq(instance, 15);
	ck_assert_uint_eq(word, 8191);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runner");
	TCase *all = tcase_create("all");
	tcase_set_timeout(all, 900);
	tcase_add_test(all, shipped_program_passes);
	tcase_add_test(all, expect_is_strict_about_its_mask);
	tcase_add_test(all, wrong_words_are_counted_and_some_kept);
	tcase_add_test(all, stops_say_why);
	tcase_add_test(all, a_program_runs_on_its_own_part);
	tcase_add_test(all, limits_do_not_change_results);
	tcase_add_test(all, stop_behind_a_layer);
	tcase_add_test(all, observers_are_served_and_let_go);
	tcase_add_test(all, load_stops_in_front_of_run);
	tcase_add_test(all, places_lead_back_to_values);
	tcase_add_test(all, nonsense_has_no_places);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
