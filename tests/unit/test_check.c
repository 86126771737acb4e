// The sanitizer on programs of one or two small layers, where every number of a finding can be counted by hand.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

// MAX78000, group 0, layer 0.
enum {
	CTL = 0x50100000,
	LCNT_MAX = 0x50100008,
	RCNT = 0x50100010,
	CCNT = 0x50100090,
	ONED = 0x50100110,
	WPTR = 0x50100310,
	RPTR = 0x50100510,
	MCNT = 0x50100610,
	ENA = 0x50100710,
	POST = 0x50100790,
	NEXT_LAYER = 4, // from a layer's register to the same one of the next layer
	BIAS = 0x50108000,
	KERNEL = 0x50180000,
	DATA = 0x50400000,
	GO = 9,
	PACKED = 1 << 20,
	OUTPUT = 0x100, // word
};

static ai8x_program *new_program(void)
{
	ai8x_program *program = NULL;
	ck_assert_int_eq(ai8x_program_create(ai8x_part_find("MAX78000"), "made here", &program, NULL), AI8X_OK);
	return program;
}

static void append(ai8x_program *program, uint8_t kind, uint32_t address, uint32_t value)
{
	ai8x_op op = {.kind = kind, .address = address, .value = value, .mask = UINT32_MAX};
	ck_assert_int_eq(ai8x_program_append(program, op, NULL), AI8X_OK);
}

static void put(ai8x_program *program, uint32_t address, uint32_t value)
{
	append(program, AI8X_BUS_WRITE32, address, value);
}

static uint32_t input_word(uint32_t word)
{
	return 0x01010101 * (word + 1);
}

static void put_input(ai8x_program *program, uint32_t words)
{
	for (uint32_t word = 0; word < words; word++)
		put(program, DATA + 4 * word, input_word(word));
}

// Four channels of 2 x 2 pixels, handed through from word 0 on.
static void put_passthrough(ai8x_program *program, uint32_t output)
{
	put(program, RCNT, 1);
	put(program, CCNT, 1);
	put(program, ENA, 0x000f);
	put(program, WPTR, output);
}

// One channel of 2 x 2 pixels, times one weight: kernel word 0 of processor 0.
static void put_pointwise(ai8x_program *program)
{
	put(program, RCNT, 1);
	put(program, CCNT, 1);
	put(program, ONED, 0x100);
	put(program, ENA, 0x00010001);
	put(program, WPTR, OUTPUT);
}

static void run_and_expect(ai8x_program *program, uint32_t word, uint32_t count, bool values)
{
	put(program, CTL, GO);
	append(program, AI8X_BUS_RUN, 0, 0);
	for (uint32_t i = 0; i < count; i++) {
		ai8x_op op = {.kind = AI8X_BUS_EXPECT, .address = DATA + 4 * (word + i)};
		op.value = values ? input_word(i) : 0;
		op.mask = values ? UINT32_MAX : 0xff;
		ck_assert_int_eq(ai8x_program_append(program, op, NULL), AI8X_OK);
	}
}

// Checks a program and destroys it. Expected values do not count where the test is about something else.
static ai8x_check *checked(ai8x_program *program, bool ignore_expectations)
{
	ai8x_error error = {0};
	ai8x_check_options options = {.ignore_expectations = ignore_expectations};
	ai8x_check *check = NULL;
	ai8x_status status = ai8x_check_program(program, &options, &check, &error);
	ck_assert_msg(status == AI8X_OK, "%s", error.message);
	ai8x_program_destroy(program);
	return check;
}

static void fail_with(const ai8x_check *check, const char *what)
{
	char text[4096] = "";
	for (size_t i = 0; i < ai8x_check_count(check); i++) {
		size_t used = strlen(text);
		(void)ai8x_finding_describe(ai8x_check_get(check, i), text + used, sizeof text - used - 1);
		strcat(text, "\n");
	}
	ck_abort_msg("%s; found:\n%s", what, text);
}

static void assert_clean(ai8x_program *program)
{
	ai8x_check *check = checked(program, false);
	for (size_t i = 0; i < ai8x_check_count(check); i++)
		if (ai8x_check_get(check, i)->severity != AI8X_SEVERITY_INFO)
			fail_with(check, "not clean");
	ai8x_check_destroy(check);
}

static const ai8x_finding *find(const ai8x_check *check, ai8x_check_class kind)
{
	for (size_t i = 0; i < ai8x_check_count(check); i++)
		if (ai8x_check_get(check, i)->kind == kind)
			return ai8x_check_get(check, i);
	fail_with(check, ai8x_check_class_get(kind)->name);
	return NULL;
}

static void assert_text(const ai8x_finding *finding, const char *part)
{
	ck_assert_msg(strstr(finding->cause, part) != NULL, "%s", finding->cause);
}

// --- Data ----------------------------------------------------------------------------------------------

START_TEST(working_program_is_clean)
{
	ai8x_program *program = new_program();
	put_input(program, 4);
	put_passthrough(program, OUTPUT);
	run_and_expect(program, OUTPUT, 4, true);
	assert_clean(program);
}
END_TEST

START_TEST(in_place_is_clean)
{
	ai8x_program *program = new_program();
	put_input(program, 4);
	put_passthrough(program, 0);
	run_and_expect(program, 0, 4, true);
	assert_clean(program);
}
END_TEST

START_TEST(missing_input_word)
{
	ai8x_program *program = new_program();
	put_input(program, 3);
	put_passthrough(program, OUTPUT);
	run_and_expect(program, OUTPUT, 4, true);
	ai8x_check *check = checked(program, true);
	const ai8x_finding *finding = find(check, AI8X_CHECK_DATA_UNWRITTEN);
	ck_assert_int_eq(finding->severity, AI8X_SEVERITY_ERROR);
	ck_assert_int_eq(finding->layer, 0);
	ck_assert_int_eq(finding->processor, 0);
	ck_assert_int_eq(finding->channel, 0);
	ck_assert_int_eq(finding->row, 1);
	ck_assert_int_eq(finding->column, 1);
	ck_assert_uint_eq(finding->address, DATA + 12);
	ck_assert_uint_eq(finding->count, 4); // one pixel of four channels
	assert_text(finding, "nobody has written");
	ai8x_check_destroy(check);
}
END_TEST

START_TEST(unread_pixels_do_not_matter)
{
	// The last pixel of the input is missing, but what is computed from it is not part of the result.
	ai8x_program *program = new_program();
	put_input(program, 3);
	put_passthrough(program, OUTPUT);
	run_and_expect(program, OUTPUT, 3, true);
	assert_clean(program);
}
END_TEST

START_TEST(output_over_own_input)
{
	// Pixel n of the output goes where pixel n + 1 of the input lies.
	ai8x_program *program = new_program();
	put_input(program, 4);
	put_passthrough(program, 1);
	run_and_expect(program, 1, 4, true);
	ai8x_check *check = checked(program, true);
	const ai8x_finding *finding = find(check, AI8X_CHECK_DATA_SELF);
	ck_assert_int_eq(finding->layer, 0);
	ck_assert_int_eq(finding->row, 0);
	ck_assert_int_eq(finding->column, 1);
	ck_assert_uint_eq(finding->address, DATA + 4);
	ck_assert_uint_eq(finding->count, 12); // three pixels of four channels
	ai8x_check_destroy(check);
}
END_TEST

// Layer 1 hands layer 0's output on, from and to the words given.
static ai8x_program *two_layers(uint32_t first_output, uint32_t second_input, uint32_t second_output)
{
	ai8x_program *program = new_program();
	put_input(program, 4);
	put_passthrough(program, first_output);
	put(program, LCNT_MAX, 1);
	put(program, RCNT + NEXT_LAYER, 1);
	put(program, CCNT + NEXT_LAYER, 1);
	put(program, ENA + NEXT_LAYER, 0x000f);
	put(program, RPTR + NEXT_LAYER, second_input);
	put(program, WPTR + NEXT_LAYER, second_output);
	return program;
}

START_TEST(two_layers_are_clean)
{
	ai8x_program *program = two_layers(0x80, 0x80, OUTPUT);
	run_and_expect(program, OUTPUT, 4, true);
	assert_clean(program);
}
END_TEST

START_TEST(output_nobody_reads)
{
	ai8x_program *program = two_layers(0x80, 0, OUTPUT);
	run_and_expect(program, OUTPUT, 4, true);
	ai8x_check *check = checked(program, false);
	ck_assert_uint_eq(ai8x_check_count(check), 1); // the values are right: the input is read twice
	const ai8x_finding *finding = find(check, AI8X_CHECK_OUTPUT_UNUSED);
	ck_assert_int_eq(finding->layer, 0);
	ck_assert_uint_eq(finding->address, DATA + 4 * 0x80);
	ai8x_check_destroy(check);
}
END_TEST

START_TEST(output_overwritten_unread)
{
	ai8x_program *program = two_layers(OUTPUT, 0, OUTPUT);
	run_and_expect(program, OUTPUT, 4, true);
	ai8x_check *check = checked(program, false);
	const ai8x_finding *finding = find(check, AI8X_CHECK_OUTPUT_OVERLAP);
	ck_assert_int_eq(finding->layer, 1);
	ck_assert_int_eq(finding->other_layer, 0);
	ck_assert_uint_eq(finding->count, 16);
	ai8x_check_destroy(check);
}
END_TEST

START_TEST(result_partly_overwritten)
{
	// Both outputs are expected, but the second begins in the middle of the first.
	ai8x_program *program = two_layers(OUTPUT, 0, OUTPUT + 2);
	run_and_expect(program, OUTPUT, 6, true);
	ai8x_check *check = checked(program, true);
	const ai8x_finding *finding = find(check, AI8X_CHECK_OUTPUT_OVERLAP);
	ck_assert_int_eq(finding->layer, 1);
	ck_assert_int_eq(finding->other_layer, 0);
	ck_assert_uint_eq(finding->count, 8);
	ai8x_check_destroy(check);
}
END_TEST

START_TEST(result_where_nobody_wrote)
{
	ai8x_program *program = new_program();
	put_input(program, 4);
	put_passthrough(program, OUTPUT);
	run_and_expect(program, OUTPUT + 1, 4, true);
	ai8x_check *check = checked(program, true);
	const ai8x_finding *finding = find(check, AI8X_CHECK_OUTPUT_UNWRITTEN);
	ck_assert_int_eq(finding->layer, 0);
	ck_assert_uint_eq(finding->address, DATA + 4 * (OUTPUT + 4));
	ck_assert_uint_eq(finding->count, 4);
	ai8x_check_destroy(check);
}
END_TEST

START_TEST(wrong_value)
{
	ai8x_program *program = new_program();
	put_input(program, 4);
	put_passthrough(program, OUTPUT);
	put(program, CTL, GO);
	append(program, AI8X_BUS_RUN, 0, 0);
	append(program, AI8X_BUS_EXPECT, DATA + 4 * OUTPUT, 0x12345678);
	ai8x_check *check = checked(program, false);
	const ai8x_finding *finding = find(check, AI8X_CHECK_RESULT);
	ck_assert_uint_eq(finding->address, DATA + 4 * OUTPUT);
	assert_text(finding, "0x01010101 instead of 0x12345678");
	ai8x_check_destroy(check);
}
END_TEST

// --- Kernels and biases --------------------------------------------------------------------------------

static void put_kernel(ai8x_program *program, uint32_t weight, unsigned bus_words)
{
	const uint32_t content[4] = {0, 0, weight, 0};
	for (unsigned i = 0; i < 4; i++)
		if (bus_words >> i & 1)
			put(program, KERNEL + 4 * i, content[i]);
}

// With the weight 64, a sum is half of what the same shift makes of 128.
static ai8x_check *pointwise(void (*load)(ai8x_program *), uint32_t post)
{
	ai8x_program *program = new_program();
	load(program);
	put_input(program, 4);
	put_pointwise(program);
	put(program, POST, post);
	run_and_expect(program, OUTPUT, 4, false);
	return checked(program, true);
}

static void load_all(ai8x_program *program)
{
	put_kernel(program, 64, 15);
}

static void load_nothing(ai8x_program *program)
{
	(void)program;
}

static void load_part(ai8x_program *program)
{
	put_kernel(program, 64, 12);
}

static void load_uncommitted(ai8x_program *program)
{
	put_kernel(program, 64, 7);
}

static void load_twice(ai8x_program *program)
{
	put_kernel(program, 64, 15);
	put_kernel(program, 65, 15);
}

static void load_same_twice(ai8x_program *program)
{
	put_kernel(program, 64, 15);
	put_kernel(program, 64, 15);
}

static void load_packed(ai8x_program *program)
{
	put(program, CTL, PACKED);
	append(program, AI8X_BUS_WRITE8, KERNEL + 1, 1);
	put(program, KERNEL, 0);
	put(program, KERNEL + 4, 0);
	put(program, KERNEL + 8, 0x40000000);
}

static void load_packed_part(ai8x_program *program)
{
	put(program, CTL, PACKED);
	append(program, AI8X_BUS_WRITE8, KERNEL + 1, 1);
	put(program, KERNEL, 0);
	put(program, KERNEL + 4, 0x40000000);
}

static const struct {
	void (*load)(ai8x_program *);
	ai8x_check_class kind;
	const char *text; // NULL: nothing is found
} kernel_cases[] = {
	{load_all, 0, NULL},
	{load_same_twice, 0, NULL},
	{load_packed, 0, NULL},
	{load_nothing, AI8X_CHECK_KERNEL_UNWRITTEN, "nobody wrote that word"},
	{load_uncommitted, AI8X_CHECK_KERNEL_UNWRITTEN, "nobody wrote that word"},
	{load_part, AI8X_CHECK_KERNEL_UNWRITTEN, "before all four of its bus words were written"},
	{load_packed_part, AI8X_CHECK_KERNEL_UNWRITTEN, "nobody wrote that word"},
	{load_twice, AI8X_CHECK_KERNEL_CONFLICT, "written twice with different contents (bus writes 4 and 8)"},
};

START_TEST(kernel_loading)
{
	ai8x_check *check = pointwise(kernel_cases[_i].load, 0);
	if (kernel_cases[_i].text == NULL) {
		for (size_t i = 0; i < ai8x_check_count(check); i++)
			ck_assert_int_eq(ai8x_check_get(check, i)->severity, AI8X_SEVERITY_INFO);
	} else {
		const ai8x_finding *finding = find(check, kernel_cases[_i].kind);
		ck_assert_int_eq(finding->layer, 0);
		ck_assert_int_eq(finding->processor, 0);
		ck_assert_uint_eq(finding->address, KERNEL);
		ck_assert_uint_eq(finding->count, 1);
		assert_text(finding, kernel_cases[_i].text);
	}
	ai8x_check_destroy(check);
}
END_TEST

static void load_with_bias(ai8x_program *program)
{
	put_kernel(program, 64, 15);
	put(program, BIAS + 4 * 5, 1);
}

START_TEST(bias_entries)
{
	// POST: bias on (bit 12), first entry.
	ai8x_check *check = pointwise(load_with_bias, 0x1005);
	ck_assert_uint_eq(ai8x_check_count(check), 0);
	ai8x_check_destroy(check);

	check = pointwise(load_with_bias, 0x1004);
	const ai8x_finding *finding = find(check, AI8X_CHECK_BIAS_UNWRITTEN);
	ck_assert_int_eq(finding->layer, 0);
	ck_assert_int_eq(finding->group, 0);
	ck_assert_uint_eq(finding->address, BIAS + 4 * 4);
	ai8x_check_destroy(check);
}
END_TEST

START_TEST(processor_halves_differ)
{
	ai8x_program *program = new_program();
	load_all(program);
	put_input(program, 4);
	put_pointwise(program);
	put(program, ENA, 0x00010003);
	run_and_expect(program, OUTPUT, 4, false);
	ai8x_check *check = checked(program, true);
	const ai8x_finding *finding = find(check, AI8X_CHECK_PROCESSOR_MASK);
	ck_assert_int_eq(finding->layer, 0);
	ck_assert_int_eq(finding->processor, 1);
	ai8x_check_destroy(check);
}
END_TEST

// --- Control -------------------------------------------------------------------------------------------

START_TEST(never_started)
{
	ai8x_check *check = checked(new_program(), false);
	ck_assert_uint_eq(ai8x_check_count(check), 1);
	ck_assert_int_eq(find(check, AI8X_CHECK_NOT_STARTED)->severity, AI8X_SEVERITY_ERROR);
	ck_assert_uint_eq(ai8x_check_layer_count(check), 0);
	ai8x_check_destroy(check);
}
END_TEST

// Enabled, and disabled before RUN: nothing ran, although something had started.
START_TEST(stopped_before_it_ran)
{
	ai8x_program *program = new_program();
	put_input(program, 4);
	put_passthrough(program, OUTPUT);
	put(program, CTL, GO);
	put(program, CTL, GO & ~1u);
	append(program, AI8X_BUS_RUN, 0, 0);
	ai8x_check *check = checked(program, false);
	const ai8x_finding *finding = find(check, AI8X_CHECK_NOT_STARTED);
	ck_assert_int_eq(finding->severity, AI8X_SEVERITY_ERROR);
	assert_text(finding, "a later one cleared it");
	ai8x_check_destroy(check);
}
END_TEST

START_TEST(register_with_unknown_bits)
{
	ai8x_program *program = new_program();
	put_input(program, 4);
	put_passthrough(program, OUTPUT);
	put(program, RPTR, 1u << 24);
	put(program, RPTR, 0);
	run_and_expect(program, OUTPUT, 4, true);
	ai8x_check *check = checked(program, false);
	const ai8x_finding *finding = find(check, AI8X_CHECK_REGISTER_BITS);
	ck_assert_int_eq(finding->layer, 0);
	ck_assert_uint_eq(finding->address, RPTR);
	assert_text(finding, "0x01000000");
	assert_text(find(check, AI8X_CHECK_REGISTER_OVERWRITTEN), "RPTR_BASE");
	ai8x_check_destroy(check);
}
END_TEST

// --- The library ---------------------------------------------------------------------------------------

START_TEST(machine_driven_by_hand)
{
	const ai8x_part *part = ai8x_part_find("MAX78000");
	ai8x_machine *machine = NULL;
	ai8x_check *check = NULL;
	ck_assert_int_eq(ai8x_machine_create(part, NULL, &machine, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_check_create(part, NULL, &check, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_check_attach(check, machine, NULL), AI8X_OK);
	const uint32_t writes[][2] = {{DATA, 1}, {DATA + 4, 2},  {RCNT, 1}, {CCNT, 1},
	                              {ENA, 1},  {WPTR, OUTPUT}, {CTL, GO}};
	for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++)
		ck_assert_int_eq(ai8x_machine_write32(machine, writes[i][0], writes[i][1], NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_machine_run(machine, NULL, NULL), AI8X_OK);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t value;
		ck_assert_int_eq(ai8x_machine_read32(machine, DATA + 4 * (OUTPUT + i), &value, NULL), AI8X_OK);
	}
	ck_assert_int_eq(ai8x_check_finish(check, AI8X_OK, NULL, NULL), AI8X_OK);
	// The second row of the input was never written.
	const ai8x_finding *finding = find(check, AI8X_CHECK_DATA_UNWRITTEN);
	ck_assert_uint_eq(finding->address, DATA + 8);
	ck_assert_uint_eq(finding->count, 2);
	ck_assert_uint_eq(ai8x_check_layer_count(check), 1);
	ck_assert_uint_eq(ai8x_check_layer_get(check, 0)->counters.outputs, 4);
	ck_assert_uint_eq(ai8x_check_layer_get(check, 0)->slots_used, 1);
	ck_assert_ptr_null(ai8x_check_layer_get(check, 1));
	ai8x_check_destroy(check);
	ai8x_machine_destroy(machine);
}
END_TEST

START_TEST(refusals)
{
	ai8x_error error = {0};
	ai8x_check *check = NULL;
	ai8x_machine *machine = NULL;
	ck_assert_int_eq(ai8x_check_create(NULL, NULL, &check, &error), AI8X_ERR_ARGUMENT);
	ck_assert_ptr_null(check);
	ck_assert_int_eq(ai8x_check_create(ai8x_part_find("MAX78000"), NULL, &check, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_machine_create(ai8x_part_find("MAX78002"), NULL, &machine, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_check_attach(check, machine, &error), AI8X_ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "MAX78002"));
	ck_assert_ptr_null(ai8x_check_get(check, 0));
	ai8x_check_destroy(check);
	ai8x_check_destroy(NULL);
	ai8x_machine_destroy(machine);
}
END_TEST

START_TEST(classes)
{
	for (unsigned i = 0; i < AI8X_CHECK_CLASSES; i++) {
		const ai8x_check_class_info *info = ai8x_check_class_get(i);
		ai8x_check_class found;
		ck_assert_ptr_nonnull(info->name);
		ck_assert_int_eq(ai8x_check_class_find(info->name, &found), AI8X_OK);
		ck_assert_uint_eq(found, i);
		ck_assert_uint_gt(strlen(info->title), 0);
		ck_assert_uint_gt(strlen(info->remedy), 0);
	}
	ai8x_check_class found;
	ck_assert_ptr_null(ai8x_check_class_get(AI8X_CHECK_CLASSES));
	ck_assert_int_eq(ai8x_check_class_find("no-such-class", &found), AI8X_ERR_ARGUMENT);
	ck_assert_str_eq(ai8x_severity_name(AI8X_SEVERITY_WARNING), "warning");
}
END_TEST

START_TEST(description)
{
	ai8x_finding finding = {.kind = AI8X_CHECK_DATA_SELF,
	                        .severity = AI8X_SEVERITY_ERROR,
	                        .has_address = true,
	                        .address = 0x50400004,
	                        .count = 3,
	                        .cause = "this happened",
	                        .remedy = "Do that."};
	char text[128], cut[8];
	size_t length = ai8x_finding_describe(&finding, text, sizeof text);
	ck_assert_str_eq(text, "error: data-self: this happened (0x50400004). Found 3 times. Do that.");
	ck_assert_uint_eq(length, strlen(text));
	ck_assert_uint_eq(ai8x_finding_describe(&finding, cut, sizeof cut), length);
	ck_assert_str_eq(cut, "error: ");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check");
	TCase *data = tcase_create("data");
	tcase_add_test(data, working_program_is_clean);
	tcase_add_test(data, in_place_is_clean);
	tcase_add_test(data, missing_input_word);
	tcase_add_test(data, unread_pixels_do_not_matter);
	tcase_add_test(data, output_over_own_input);
	tcase_add_test(data, two_layers_are_clean);
	tcase_add_test(data, output_nobody_reads);
	tcase_add_test(data, output_overwritten_unread);
	tcase_add_test(data, result_partly_overwritten);
	tcase_add_test(data, result_where_nobody_wrote);
	tcase_add_test(data, wrong_value);
	suite_add_tcase(suite, data);
	TCase *kernels = tcase_create("kernels");
	tcase_add_loop_test(kernels, kernel_loading, 0, (int)(sizeof kernel_cases / sizeof kernel_cases[0]));
	tcase_add_test(kernels, bias_entries);
	tcase_add_test(kernels, processor_halves_differ);
	suite_add_tcase(suite, kernels);
	TCase *control = tcase_create("control");
	tcase_add_test(control, never_started);
	tcase_add_test(control, stopped_before_it_ran);
	tcase_add_test(control, register_with_unknown_bits);
	suite_add_tcase(suite, control);
	TCase *library = tcase_create("library");
	tcase_add_test(library, machine_driven_by_hand);
	tcase_add_test(library, refusals);
	tcase_add_test(library, classes);
	tcase_add_test(library, description);
	suite_add_tcase(suite, library);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
