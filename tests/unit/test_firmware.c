// Firmware from memory: hand-made images, verdicts, JUnit text. Whole images are the matter of tests/firmware.
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#define FLASH 0x10000000u
#define SRAM 0x20000000u
#define HEADERS (52 + 32)

// A minimal image: ELF header, one segment at the start of flash: vector table of two words, then code.
struct image {
	uint8_t bytes[1024];
	size_t size;
};

static void put(struct image *image, size_t offset, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		image->bytes[offset + i] = (uint8_t)(value >> (8 * i));
}

static struct image make_image(uint32_t stack, const uint16_t *code, size_t count)
{
	struct image image = {.size = HEADERS + 8 + 2 * count};
	static const uint8_t identity[8] = {0x7F, 'E', 'L', 'F', 1, 1, 1, 0};
	memcpy(image.bytes, identity, sizeof identity);
	put(&image, 16, 2, 2);         // executable
	put(&image, 18, 40, 2);        // Arm
	put(&image, 20, 1, 4);         // version
	put(&image, 24, FLASH + 9, 4); // entry
	put(&image, 28, 52, 4);        // program headers
	put(&image, 40, 52, 2);        // header sizes
	put(&image, 42, 32, 2);
	put(&image, 44, 1, 2);
	put(&image, 46, 40, 2);
	put(&image, 52, 1, 4); // load
	put(&image, 56, HEADERS, 4);
	put(&image, 60, FLASH, 4);
	put(&image, 64, FLASH, 4);
	put(&image, 68, (uint32_t)(8 + 2 * count), 4);
	put(&image, 72, (uint32_t)(8 + 2 * count), 4);
	put(&image, 76, 5, 4);
	put(&image, 80, 4, 4);
	put(&image, HEADERS, stack, 4);
	put(&image, HEADERS + 4, FLASH + 9, 4);
	for (size_t i = 0; i < count; i++)
		put(&image, HEADERS + 8 + 2 * i, code[i], 2);
	return image;
}

static ai8x_firmware *open_image(const struct image *image, const ai8x_firmware_options *options)
{
	ai8x_error error = {0};
	ai8x_firmware *firmware = NULL;
	ai8x_status status = ai8x_firmware_open_memory(image->bytes, image->size, options, &firmware, &error);
	ck_assert_msg(status == AI8X_OK, "%s", error.message);
	return firmware;
}

// ldr r1, [pc, #8]; movs r0, #'A'; str r0, [r1]; b .; two halves of padding; the UART's address
static const uint16_t print_a[] = {0x4902, 0x2041, 0x6008, 0xE7FE, 0xBF00, 0xBF00, 0x2020, 0x4004};
// ldr r1, [pc, #4]; str r1, [r1]; b .; padding; an address where nothing is
static const uint16_t wild_store[] = {0x4901, 0x6009, 0xE7FE, 0xBF00, 0x0000, 0x9000};
// ldr r1, [pc, #4]; strh r1, [r1]; b .; padding; a register of the accelerator
static const uint16_t narrow_store[] = {0x4901, 0x8009, 0xE7FE, 0xBF00, 0x0000, 0x5010};
// nop; b to the nop
static const uint16_t spin[] = {0xBF00, 0xE7FD};
// b 0xFFFF words away: out of the image, into flash that was not loaded (zeros: movs r0, r0)
static const uint16_t run_away[] = {0xE3FF, 0xBF00};
// ldr r1, [pc, #4]; str r1, [r1]; b .; padding; the register with the RISC-V core's first address
static const uint16_t second_core[] = {0x4901, 0x6009, 0xE7FE, 0xBF00, 0x0810, 0x4000};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

START_TEST(prints_and_rests)
{
	struct image image = make_image(SRAM + 0x8000, print_a, COUNT(print_a));
	ai8x_firmware *firmware = open_image(&image, NULL);
	// The second run starts from reset and gives the same.
	for (int i = 0; i < 2; i++) {
		const ai8x_firmware_result *result = NULL;
		ck_assert_int_eq(ai8x_firmware_run(firmware, &result), AI8X_OK);
		ck_assert_int_eq(result->end, AI8X_FIRMWARE_IDLE);
		ck_assert_str_eq(result->console, "A");
		ck_assert_uint_eq(result->address, FLASH + 14);
		ck_assert_uint_eq(result->inference_count, 0);
		ck_assert_uint_lt(result->instructions, 1000);
	}
	ck_assert_ptr_null(ai8x_firmware_program(firmware));
	ck_assert_ptr_null(ai8x_firmware_take_program(firmware));
	ai8x_firmware_destroy(firmware);
}
END_TEST

START_TEST(stack_tells_the_part)
{
	struct image image = make_image(SRAM + 0x20000, print_a, COUNT(print_a));
	ai8x_firmware *firmware = open_image(&image, NULL);
	ck_assert_ptr_eq(ai8x_firmware_part(firmware), ai8x_part_find("MAX78000"));
	ai8x_firmware_destroy(firmware);
	image = make_image(SRAM + 0x60000, print_a, COUNT(print_a));
	firmware = open_image(&image, NULL);
	ck_assert_ptr_eq(ai8x_firmware_part(firmware), ai8x_part_find("MAX78002"));
	ai8x_firmware_destroy(firmware);

	ai8x_firmware_options options = ai8x_firmware_options_default();
	options.part = ai8x_part_find("MAX78000");
	ai8x_error error = {0};
	ck_assert_int_eq(ai8x_firmware_open_memory(image.bytes, image.size, &options, &firmware, &error),
	                 AI8X_ERR_FORMAT);
	ck_assert_ptr_nonnull(strstr(error.message, "stack"));
	ck_assert_ptr_null(firmware);
}
END_TEST

static void expect_end(const uint16_t *code, size_t count, ai8x_firmware_end end, ai8x_status status,
                       const char *message)
{
	struct image image = make_image(SRAM + 0x8000, code, count);
	ai8x_firmware_options options = ai8x_firmware_options_default();
	options.max_instructions = 100000;
	ai8x_firmware *firmware = open_image(&image, &options);
	const ai8x_firmware_result *result = NULL;
	ck_assert_int_eq(ai8x_firmware_run(firmware, &result), status);
	ck_assert_int_eq(result->end, end);
	ck_assert_msg(strstr(result->message, message) != NULL, "%s", result->message);
	ai8x_firmware_destroy(firmware);
}

START_TEST(broken_code_ends)
{
	expect_end(wild_store, COUNT(wild_store), AI8X_FIRMWARE_FAULT, AI8X_ERR_ADDRESS, "writes 0x90000000");
	expect_end(narrow_store, COUNT(narrow_store), AI8X_FIRMWARE_ACCELERATOR, AI8X_ERR_ALIGNMENT,
	           "16-bit write");
	expect_end(spin, COUNT(spin), AI8X_FIRMWARE_TIMEOUT, AI8X_ERR_CYCLE_LIMIT, "code units");
	expect_end(run_away, COUNT(run_away), AI8X_FIRMWARE_TIMEOUT, AI8X_ERR_CYCLE_LIMIT, "code units");
	expect_end(second_core, COUNT(second_core), AI8X_FIRMWARE_IDLE, AI8X_OK, "RISC-V core");
}
END_TEST

START_TEST(bad_calls_are_refused)
{
	ai8x_error error = {0};
	ai8x_firmware *firmware = NULL;
	ck_assert_int_eq(ai8x_firmware_open_memory(NULL, 10, NULL, &firmware, &error), AI8X_ERR_ARGUMENT);
	ck_assert_int_eq(ai8x_firmware_open_memory("no", 2, NULL, &firmware, &error), AI8X_ERR_FORMAT);
	ck_assert_int_eq(ai8x_firmware_open("/nonexistent/x.elf", NULL, &firmware, &error), AI8X_ERR_IO);
	struct image image = make_image(SRAM + 0x8000, print_a, COUNT(print_a));
	ai8x_firmware_options options = ai8x_firmware_options_default();
	options.until = "main";
	ck_assert_int_eq(ai8x_firmware_open_memory(image.bytes, image.size, &options, &firmware, &error),
	                 AI8X_ERR_ARGUMENT);
	options.until = NULL;
	options.max_seconds = -1;
	ck_assert_int_eq(ai8x_firmware_open_memory(image.bytes, image.size, &options, &firmware, &error),
	                 AI8X_ERR_ARGUMENT);
	ai8x_firmware_destroy(NULL);
	// Every way to cut the image off.
	for (size_t size = 0; size < image.size; size++) {
		firmware = NULL;
		ck_assert_int_ne(ai8x_firmware_open_memory(image.bytes, size, NULL, &firmware, &error), AI8X_OK);
		ck_assert_ptr_null(firmware);
	}
}
END_TEST

static void *run_in_thread(void *user)
{
	const struct image *image = user;
	for (int i = 0; i < 5; i++) {
		ai8x_firmware *firmware = NULL;
		const ai8x_firmware_result *result = NULL;
		if (ai8x_firmware_open_memory(image->bytes, image->size, NULL, &firmware, NULL) != AI8X_OK ||
		    ai8x_firmware_run(firmware, &result) != AI8X_OK || strcmp(result->console, "A") != 0)
			return user;
		ai8x_firmware_destroy(firmware);
	}
	return NULL;
}

START_TEST(sessions_are_independent)
{
	struct image image = make_image(SRAM + 0x8000, print_a, COUNT(print_a));
	pthread_t threads[4];
	for (size_t i = 0; i < COUNT(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run_in_thread, &image), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *failed = &image;
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
}
END_TEST

START_TEST(verdicts)
{
	static const struct {
		const char *console;
		ai8x_firmware_end end;
		int32_t exit_code;
		const char *expect, *fail;
		ai8x_firmware_verdict verdict;
	} rows[] = {
		{"*** PASS ***\n", AI8X_FIRMWARE_RETURNED, 0, NULL, NULL, AI8X_FIRMWARE_PASS},
		{"*** FAIL ***\n", AI8X_FIRMWARE_IDLE, 0, NULL, NULL, AI8X_FIRMWARE_FAIL},
		{"PASS\nData mismatch\n", AI8X_FIRMWARE_RETURNED, 0, NULL, NULL, AI8X_FIRMWARE_FAIL},
		{"", AI8X_FIRMWARE_RETURNED, 0, NULL, NULL, AI8X_FIRMWARE_SILENT},
		{"PASS\n", AI8X_FIRMWARE_FAULT, 0, NULL, NULL, AI8X_FIRMWARE_FAIL},
		{"PASS\n", AI8X_FIRMWARE_TIMEOUT, 0, NULL, NULL, AI8X_FIRMWARE_FAIL},
		{"ready\n", AI8X_FIRMWARE_TIMEOUT, 0, "^ready$", NULL, AI8X_FIRMWARE_PASS},
		{"ready\n", AI8X_FIRMWARE_FAULT, 0, "^ready$", NULL, AI8X_FIRMWARE_FAIL},
		{"PASS\n", AI8X_FIRMWARE_RETURNED, 0, "^ready$", NULL, AI8X_FIRMWARE_FAIL},
		{"PASS\noops\n", AI8X_FIRMWARE_RETURNED, 0, NULL, "^o+ps", AI8X_FIRMWARE_FAIL},
		{"", AI8X_FIRMWARE_EXITED, 0, NULL, NULL, AI8X_FIRMWARE_PASS},
		{"PASS\n", AI8X_FIRMWARE_EXITED, 3, NULL, NULL, AI8X_FIRMWARE_FAIL},
		{"", AI8X_FIRMWARE_REACHED, 0, NULL, NULL, AI8X_FIRMWARE_PASS},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		ai8x_firmware_result result = {.console = rows[i].console,
		                               .end = rows[i].end,
		                               .exit_code = rows[i].exit_code,
		                               .message = "ended"};
		ai8x_firmware_patterns patterns = {rows[i].expect, rows[i].fail};
		ai8x_firmware_verdict verdict = AI8X_FIRMWARE_VERDICTS;
		char reason[AI8X_MESSAGE_SIZE] = "";
		ck_assert_int_eq(ai8x_firmware_judge(&result, &patterns, &verdict, reason, NULL), AI8X_OK);
		ck_assert_msg(verdict == rows[i].verdict, "row %zu: %s", i, reason);
		ck_assert_int_ne(reason[0], 0);
	}
	ai8x_firmware_inference unfinished = {.cycles = 5};
	ai8x_firmware_result result = {
		.console = "", .end = AI8X_FIRMWARE_IDLE, .inferences = &unfinished, .inference_count = 1};
	ai8x_firmware_verdict verdict = AI8X_FIRMWARE_PASS;
	char reason[AI8X_MESSAGE_SIZE] = "";
	ck_assert_int_eq(ai8x_firmware_judge(&result, NULL, &verdict, reason, NULL), AI8X_OK);
	ck_assert_int_eq(verdict, AI8X_FIRMWARE_FAIL);
	ai8x_firmware_patterns bad = {.expect = "["};
	ai8x_error error = {0};
	ck_assert_int_eq(ai8x_firmware_judge(&result, &bad, &verdict, reason, &error), AI8X_ERR_ARGUMENT);
}
END_TEST

START_TEST(nothing_to_compare)
{
	ai8x_machine *machine = NULL;
	ai8x_program *program = NULL;
	const ai8x_part *part = ai8x_part_find("MAX78000");
	ck_assert_int_eq(ai8x_machine_create(part, NULL, &machine, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_program_create(part, "empty", &program, NULL), AI8X_OK);
	ai8x_firmware_comparison comparison;
	ck_assert_int_eq(ai8x_firmware_compare(machine, program, &comparison, NULL), AI8X_ERR_ARGUMENT);
	ai8x_program_destroy(program);
	ai8x_machine_destroy(machine);
}
END_TEST

START_TEST(junit_text)
{
	const ai8x_junit_case cases[] = {
		{.group = "g",
	     .name = "a<&>\"b",
	     .seconds = 0.5,
	     .output = "ok \001 \xC3\xA4 \xFF \xC0\x80 \xED\xA0\x80\n"},
		{.group = "g", .name = "f", .outcome = AI8X_JUNIT_FAILURE, .message = "was 1 < 2"},
		{.group = "g", .name = "e", .outcome = AI8X_JUNIT_ERROR},
	};
	char *text = NULL;
	ck_assert_int_eq(ai8x_junit_render("s", cases, COUNT(cases), &text, NULL), AI8X_OK);
	ck_assert_ptr_nonnull(strstr(text, "<testsuite name=\"s\" tests=\"3\" failures=\"1\" errors=\"1\""));
	ck_assert_ptr_nonnull(strstr(text, "name=\"a&lt;&amp;&gt;&quot;b\" time=\"0.500000\""));
	ck_assert_ptr_nonnull(strstr(text, "<failure message=\"was 1 &lt; 2\"/>"));
	ck_assert_ptr_nonnull(strstr(text, "<error message=\"\"/>"));
	ck_assert_ptr_nonnull(strstr(text, "ok \xEF\xBF\xBD \xC3\xA4 \xEF\xBF\xBD \xEF\xBF\xBD\xEF\xBF\xBD "));
	ck_assert_ptr_null(strchr(text, 1));
	ck_assert_ptr_null(strstr(text, "\xED\xA0"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("firmware");
	TCase *tests = tcase_create("all");
	suite_add_tcase(suite, tests);
	tcase_set_timeout(tests, 900);
	if (ai8x_firmware_available()) {
		tcase_add_test(tests, prints_and_rests);
		tcase_add_test(tests, stack_tells_the_part);
		tcase_add_test(tests, broken_code_ends);
		tcase_add_test(tests, bad_calls_are_refused);
		tcase_add_test(tests, sessions_are_independent);
	}
	tcase_add_test(tests, verdicts);
	tcase_add_test(tests, nothing_to_compare);
	tcase_add_test(tests, junit_text);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
