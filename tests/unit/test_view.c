// Views: maps of the shipped program, text that must not become markup, colours, traces written to memory.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "view/map.h"
#include "view/words.h"

static ai8x_program *shipped(void)
{
	char path[1024];
	const char *source = getenv("AI8XSIM_SOURCE");
	ai8x_program *program = NULL;
	ai8x_error error = {0};
	(void)snprintf(path, sizeof path, "%s/golden/residual2-max78000.h5", source != NULL ? source : ".");
	ck_assert_msg(ai8x_program_open(path, NULL, &program, &error) == AI8X_OK, "%s", error.message);
	return program;
}

// What a writer puts into a file.
static char *written(void (*write)(const char *text, FILE *file), const char *text)
{
	char *out = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&out, &size);
	ck_assert_ptr_nonnull(file);
	write(text, file);
	ck_assert_int_eq(fclose(file), 0);
	return out;
}

static const struct {
	const char *text, *escaped, *json;
} text_cases[] = {
	{"plain", "plain", "\"plain\""},
	{"<b>&\"", "&lt;b&gt;&amp;&quot;", "\"\\u003cb>&\\\"\""},
	{"a\\b", "a\\b", "\"a\\\\b\""},
	{"line\nfeed", "linefeed", "\"line\\u000afeed\""},
	{"\xc3\xa4", "\xc3\xa4", "\"\xc3\xa4\""},
	{"\xff", "", "\"?\""},
	{"\xc3", "", "\"?\""},
};

START_TEST(text_stays_text)
{
	char *escaped = written(words_escape, text_cases[_i].text),
		 *json = written(words_json, text_cases[_i].text);
	ck_assert_str_eq(escaped, text_cases[_i].escaped);
	ck_assert_str_eq(json, text_cases[_i].json);
	free(escaped);
	free(json);
}
END_TEST

START_TEST(numbers)
{
	char text[WORD_BYTES];
	ck_assert_str_eq(words_thousands(0, text), "0");
	ck_assert_str_eq(words_thousands(999, text), "999");
	ck_assert_str_eq(words_thousands(1234567, text), "1,234,567");
	ck_assert_str_eq(words_thousands(UINT64_MAX, text), "18,446,744,073,709,551,615");
	ck_assert_str_eq(words_seconds(0.00288086, text), "2.88 ms");
	ck_assert_str_eq(words_joules(89e-6, text), "89.0 uJ");
}
END_TEST

START_TEST(neighbours_differ_in_colour)
{
	char one[WORD_BYTES], other[WORD_BYTES];
	for (int i = -1; i < 127; i++)
		ck_assert_str_ne(words_colour(i, one), words_colour(i + 1, other));
}
END_TEST

START_TEST(every_state_has_one_cause)
{
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++) {
		unsigned count = 0;
		for (unsigned c = 0; c < CAUSES; c++)
			count += causes[c].states >> s & 1;
		ck_assert_uint_eq(count, 1);
	}
}
END_TEST

START_TEST(residual_map)
{
	ai8x_program *program = shipped();
	ai8x_timing timing;
	ai8x_map *map = NULL;
	ck_assert_int_eq(ai8x_time_program(program, NULL, &timing, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_map_create(program, &timing.schedule, &map, NULL), AI8X_OK);
	ck_assert_uint_eq(map->layer_count, 2);
	// 8 channels of 16 x 16: two words a pixel; 12 channels of 8 x 8: three.
	ck_assert_uint_eq(map_words(&map->data[1], 0), 2 * 16 * 16);
	ck_assert_uint_eq(map_words(&map->data[2], 1), 3 * 8 * 8);
	ck_assert_uint_eq(map_words(&map->data[0], 0), 0);
	ck_assert_uint_gt(map_words(&map->data[0], AI8X_MAP_INPUT), 0);
	// Layer 0 reads the input; layer 1 adds the input to what layer 0 wrote.
	const uint8_t reads[] = {1, 0, 0, 1, 1, 0};
	ck_assert_mem_eq(map->reads, reads, sizeof reads);
	// 8 and 12 kernels of nine bytes on each of eight processors.
	ck_assert_uint_eq(map_words(&map->kernels, 0), 8 * 8);
	ck_assert_uint_eq(map_words(&map->kernels, 1), 8 * 12);
	ai8x_map_destroy(map);
	ai8x_timing_release(&timing);
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(profile_sums)
{
	ai8x_program *program = shipped();
	ai8x_profile *profile = NULL;
	ck_assert_int_eq(ai8x_profile_create(program, NULL, &profile, NULL), AI8X_OK);
	uint64_t cycles = 1, macs = 0;
	double joules = 0;
	for (size_t i = 0; i < profile->layer_count; i++) {
		cycles += profile->layers[i].schedule->cycles;
		macs += profile->layers[i].macs;
		joules += profile->layers[i].joules;
		ck_assert(profile->layers[i].peak_share > 0 && profile->layers[i].peak_share <= 1);
	}
	ck_assert_uint_eq(cycles, profile->timing.schedule.cycles);
	ck_assert_uint_eq(macs, profile->macs);
	ck_assert(joules > 0 && profile->joules > 0.999 * joules && profile->joules < 1.001 * joules);
	ck_assert_uint_eq(profile->clock.hz, 50000000);
	ai8x_profile_destroy(profile);
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(peaks)
{
	ck_assert_uint_eq(ai8x_peak_macs(ai8x_part_find("MAX78000")), 64 * 9);
	ck_assert_uint_eq(ai8x_peak_macs(ai8x_part_find("MAX78002")), 64 * 9 * 4);
}
END_TEST

START_TEST(signal_names)
{
	ck_assert_uint_eq(ai8x_trace_signal_find("sequencer"), AI8X_TRACE_SEQUENCER);
	ck_assert_uint_eq(ai8x_trace_signal_find("all"), AI8X_TRACE_ALL);
	ck_assert_uint_eq(ai8x_trace_signal_find(""), 0);
	ck_assert_uint_eq(ai8x_trace_signal_find("SEQUENCER"), 0);
}
END_TEST

// A trace of nothing is a complete file, and a full disk is told.
START_TEST(empty_and_failing_traces)
{
	for (int format = AI8X_TRACE_VCD; format <= AI8X_TRACE_CSV; format++) {
		ai8x_trace_options options = {.format = (ai8x_trace_format)format, .from_layer = -1, .to_layer = -1};
		ai8x_trace *trace = NULL;
		ai8x_error error = {0};
		char *text = NULL;
		size_t size = 0;
		FILE *file = open_memstream(&text, &size);
		ck_assert_ptr_nonnull(file);
		ck_assert_int_eq(ai8x_trace_create(ai8x_part_at(0), &options, file, &trace, &error), AI8X_OK);
		ck_assert_int_eq(ai8x_trace_finish(trace, &error), AI8X_OK);
		ck_assert_int_eq(fclose(file), 0);
		ck_assert_uint_gt(size, 0);
		free(text);
		FILE *full = fopen("/dev/full", "w");
		if (full == NULL)
			continue;
		ck_assert_int_eq(ai8x_trace_create(ai8x_part_at(0), &options, full, &trace, &error), AI8X_OK);
		ck_assert_int_eq(ai8x_trace_finish(trace, &error), AI8X_ERR_IO);
		(void)fclose(full);
	}
}
END_TEST

START_TEST(unknown_trace_format)
{
	ai8x_trace_options options = {.format = (ai8x_trace_format)77};
	ai8x_trace *trace = NULL;
	ck_assert_int_eq(ai8x_trace_create(ai8x_part_at(0), &options, stdout, &trace, NULL), AI8X_ERR_ARGUMENT);
	ck_assert_ptr_null(trace);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("view");
	TCase *tests = tcase_create("view");
	tcase_add_loop_test(tests, text_stays_text, 0, sizeof text_cases / sizeof text_cases[0]);
	tcase_add_test(tests, numbers);
	tcase_add_test(tests, neighbours_differ_in_colour);
	tcase_add_test(tests, every_state_has_one_cause);
	tcase_add_test(tests, residual_map);
	tcase_add_test(tests, profile_sums);
	tcase_add_test(tests, peaks);
	tcase_add_test(tests, signal_names);
	tcase_add_test(tests, empty_and_failing_traces);
	tcase_add_test(tests, unknown_trace_format);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
