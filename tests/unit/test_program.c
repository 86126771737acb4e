// Programs in memory and on disk: what is written comes back, and what is broken is refused with a reason.
// Foreign HDF5 files of every bad kind are the matter of tests/cli/test_run.py.
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ai8xsim/ai8xsim.h>

static char folder[64];

static void make_folder(void)
{
	(void)snprintf(folder, sizeof folder, "/tmp/ai8xsim-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[128];
	(void)snprintf(command, sizeof command, "rm -rf '%s'", folder);
	ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c): a fixed command on our own folder
}

static const char *in_folder(const char *name)
{
	static char path[128];
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void assert_ok(ai8x_status status, const ai8x_error *error)
{
	ck_assert_msg(status == AI8X_OK, "%s: %s", ai8x_status_name(status), error->message);
}

static ai8x_program *new_program(void)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	assert_ok(ai8x_program_create(ai8x_part_find("MAX78002"), "made here", &program, &error), &error);
	return program;
}

static void append(ai8x_program *program, uint8_t kind, uint32_t address, uint32_t value, uint32_t mask)
{
	ai8x_error error = {0};
	ai8x_op op = {.kind = kind, .address = address, .value = value, .mask = mask};
	assert_ok(ai8x_program_append(program, op, &error), &error);
}

static ai8x_program *save_and_open(const ai8x_program *program, const ai8x_program_options *options)
{
	ai8x_error error = {0};
	ai8x_program *again = NULL;
	assert_ok(ai8x_program_save(program, in_folder("p.h5"), &error), &error);
	assert_ok(ai8x_program_open(in_folder("p.h5"), options, &again, &error), &error);
	return again;
}

static void assert_same_attributes(const ai8x_attribute *a, size_t a_count, const ai8x_program *b,
                                   int position)
{
	for (size_t i = 0; i < a_count; i++) {
		const ai8x_attribute *other = ai8x_program_attribute(b, position, a[i].name);
		ck_assert_msg(other != NULL, "attribute %s is lost", a[i].name);
		ck_assert_int_eq(other->type, a[i].type);
		ck_assert_int_eq(other->scalar, a[i].scalar);
		ck_assert_uint_eq(other->count, a[i].count);
		ck_assert_int_eq(other->is_unsigned, a[i].is_unsigned);
		ck_assert_int_eq(other->is_boolean, a[i].is_boolean);
		unsigned bytes = a[i].bytes != 0 ? a[i].bytes : 8;
		switch (a[i].type) {
		case AI8X_ATTRIBUTE_INT:
			ck_assert_uint_eq(other->bytes, bytes);
			ck_assert_mem_eq(other->integers, a[i].integers, a[i].count * sizeof(int64_t));
			break;
		case AI8X_ATTRIBUTE_FLOAT:
			ck_assert_uint_eq(other->bytes, bytes);
			ck_assert_mem_eq(other->numbers, a[i].numbers, a[i].count * sizeof(double));
			break;
		case AI8X_ATTRIBUTE_TEXT:
			ck_assert_str_eq(other->text, a[i].text);
			break;
		}
	}
}

static void assert_same_programs(const ai8x_program *a, const ai8x_program *b)
{
	ck_assert_ptr_eq(ai8x_program_part(a), ai8x_program_part(b));
	ck_assert_str_eq(ai8x_program_name(a), ai8x_program_name(b));
	size_t a_count = 0, b_count = 0;
	const ai8x_op *a_ops = ai8x_program_ops(a, &a_count), *b_ops = ai8x_program_ops(b, &b_count);
	ck_assert_uint_eq(a_count, b_count);
	for (size_t i = 0; i < a_count; i++) {
		ck_assert_uint_eq(a_ops[i].kind, b_ops[i].kind);
		ck_assert_uint_eq(a_ops[i].address, b_ops[i].address);
		ck_assert_uint_eq(a_ops[i].value, b_ops[i].value);
		ck_assert_uint_eq(a_ops[i].mask, b_ops[i].mask);
	}
	const ai8x_attribute *attributes = ai8x_program_attributes(a, &a_count);
	(void)ai8x_program_attributes(b, &b_count);
	ck_assert_uint_eq(a_count, b_count);
	assert_same_attributes(attributes, a_count, b, -1);

	uint32_t a_shape[3], b_shape[3];
	const int32_t *a_input = ai8x_program_input(a, a_shape), *b_input = ai8x_program_input(b, b_shape);
	ck_assert_int_eq(a_input != NULL, b_input != NULL);
	ck_assert_mem_eq(a_shape, b_shape, sizeof a_shape);
	if (a_input != NULL)
		ck_assert_mem_eq(a_input, b_input, (size_t)a_shape[0] * a_shape[1] * a_shape[2] * sizeof(int32_t));
	ck_assert_int_eq(ai8x_program_snoop(a) != NULL, ai8x_program_snoop(b) != NULL);
	if (ai8x_program_snoop(a) != NULL)
		ck_assert_mem_eq(ai8x_program_snoop(a), ai8x_program_snoop(b), 32 * sizeof(uint32_t));

	ck_assert_uint_eq(ai8x_program_layer_count(a), ai8x_program_layer_count(b));
	for (size_t i = 0; i < ai8x_program_layer_count(a); i++) {
		const ai8x_program_layer *x = ai8x_program_layer_at(a, i), *y = ai8x_program_layer_at(b, i);
		ck_assert_uint_eq(x->number, y->number);
		ck_assert_mem_eq(x->shape, y->shape, sizeof x->shape);
		ck_assert_int_eq(x->output != NULL, y->output != NULL);
		if (x->output != NULL)
			ck_assert_mem_eq(x->output, y->output,
			                 (size_t)x->shape[0] * x->shape[1] * x->shape[2] * sizeof(int32_t));
		ck_assert_int_eq(x->memory != NULL, y->memory != NULL);
		ck_assert_uint_eq(x->memory_count, y->memory_count);
		if (x->memory_count > 0)
			ck_assert_mem_eq(x->memory, y->memory, x->memory_count * sizeof *x->memory);
		ck_assert_uint_eq(x->attribute_count, y->attribute_count);
		assert_same_attributes(x->attributes, x->attribute_count, b, (int)i);
	}
}

START_TEST(kinds_have_names)
{
	ck_assert_str_eq(ai8x_op_kind_name(AI8X_BUS_WRITE32), "WRITE32");
	ck_assert_str_eq(ai8x_op_kind_name(AI8X_BUS_WRITE8), "WRITE8");
	ck_assert_ptr_null(ai8x_op_kind_name(AI8X_BUS_KINDS));
}
END_TEST

START_TEST(everything_comes_back)
{
	ai8x_error error = {0};
	ai8x_program *program = new_program();
	append(program, AI8X_BUS_WRITE32, 0xffffffff, 0x80000000, 0);
	append(program, AI8X_BUS_WRITE8, 0x50180001, 1, 0);
	append(program, AI8X_BUS_RUN, 0, 0, 0);
	for (uint32_t i = 0; i < 100000; i++)
		append(program, AI8X_BUS_EXPECT, 0x51800000 + 4 * i, i * 2654435761u, ~i);

	int32_t input[2 * 3 * 5];
	for (int i = 0; i < 30; i++)
		input[i] = i * 1000 - 15000;
	assert_ok(ai8x_program_set_input(program, input, (const uint32_t[3]){2, 3, 5}, &error), &error);
	uint32_t snoop[32];
	for (uint32_t i = 0; i < 32; i++)
		snoop[i] = 0xf0000000 + i;
	assert_ok(ai8x_program_set_snoop(program, snoop, &error), &error);
	uint32_t memory[AI8X_INSTANCES * 4] = {[17] = 0xdeadbeef};
	assert_ok(ai8x_program_set_memory(program, memory, 4, &error), &error);

	ai8x_word words[100];
	for (uint32_t i = 0; i < 100; i++)
		words[i] = (ai8x_word){0x51800000 + 4 * i, i, 0xff};
	assert_ok(ai8x_program_add_layer(program, 5, input, (const uint32_t[3]){5, 3, 2}, words, 100, &error),
	          &error);
	assert_ok(ai8x_program_add_layer(program, 2, NULL, NULL, NULL, 0, &error), &error);

	const int64_t integers[3] = {-1, 0, INT64_MAX};
	const int64_t narrow[2] = {-128, 127};
	const int64_t map = (int64_t)0xffffffffffffffff;
	const int64_t flag = 1;
	const double numbers[2] = {0.5, -1e300};
	const ai8x_attribute attributes[] = {
		{.name = "integers", .type = AI8X_ATTRIBUTE_INT, .integers = integers, .count = 3},
		{.name = "narrow", .type = AI8X_ATTRIBUTE_INT, .integers = narrow, .count = 2, .bytes = 1},
		{.name = "short", .type = AI8X_ATTRIBUTE_INT, .integers = narrow, .count = 2, .bytes = 2},
		{.name = "map",
	     .type = AI8X_ATTRIBUTE_INT,
	     .integers = &map,
	     .count = 1,
	     .scalar = true,
	     .is_unsigned = true},
		{.name = "one", .type = AI8X_ATTRIBUTE_INT, .integers = &flag, .count = 1},
		{.name = "flag",
	     .type = AI8X_ATTRIBUTE_INT,
	     .integers = &flag,
	     .count = 1,
	     .scalar = true,
	     .is_boolean = true,
	     .bytes = 1},
		{.name = "number", .type = AI8X_ATTRIBUTE_FLOAT, .number = 0.25},
		{.name = "numbers", .type = AI8X_ATTRIBUTE_FLOAT, .numbers = numbers, .count = 2},
		{.name = "text", .type = AI8X_ATTRIBUTE_TEXT, .text = "3x3 \xe2\x86\x92 \xc3\xbc"},
		{.name = "empty", .type = AI8X_ATTRIBUTE_TEXT, .text = ""},
	};
	for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
		assert_ok(ai8x_program_set_attribute(program, -1, &attributes[i], &error), &error);
		assert_ok(ai8x_program_set_attribute(program, 1, &attributes[i], &error), &error);
	}

	ai8x_program *again = save_and_open(program, NULL);
	assert_same_programs(program, again);
	assert_same_programs(again, program);
	size_t memory_words = 0;
	const uint32_t *same = ai8x_program_memory(again, &memory_words);
	ck_assert_uint_eq(memory_words, 4);
	ck_assert_mem_eq(same, memory, sizeof memory);
	// They run in the order they were added, not by number.
	ck_assert_uint_eq(ai8x_program_layer_at(again, 0)->number, 5);
	ck_assert_int_eq(ai8x_program_int(again, -1, "layers", 0), 2);
	ck_assert_double_eq(ai8x_program_attribute(again, -1, "number")->number, 0.25);
	ai8x_program_destroy(again);
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(equal_programs_are_equal_files)
{
	ai8x_error error = {0};
	ai8x_program *program = new_program();
	append(program, AI8X_BUS_RUN, 0, 0, 0);
	assert_ok(ai8x_program_save(program, in_folder("a.h5"), &error), &error);
	sleep(1); // a time stamp would differ now
	assert_ok(ai8x_program_save(program, in_folder("b.h5"), &error), &error);
	char command[256];
	(void)snprintf(command, sizeof command, "cmp '%s/a.h5' '%s/b.h5'", folder, folder);
	ck_assert_int_eq(system(command), 0); // NOLINT(cert-env33-c)
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(results_can_be_left_out)
{
	ai8x_error error = {0};
	ai8x_program *program = new_program();
	append(program, AI8X_BUS_RUN, 0, 0, 0);
	const int32_t values[4] = {1, 2, 3, 4};
	assert_ok(ai8x_program_set_input(program, values, (const uint32_t[3]){1, 2, 2}, &error), &error);
	assert_ok(ai8x_program_add_layer(program, 0, values, (const uint32_t[3]){4, 1, 1}, NULL, 0, &error),
	          &error);

	ai8x_program *bare = save_and_open(program, &(ai8x_program_options){.skip_results = true});
	uint32_t shape[3];
	ck_assert_uint_eq(ai8x_program_layer_count(bare), 0);
	ck_assert_ptr_null(ai8x_program_input(bare, shape));
	ai8x_program_destroy(bare);

	ai8x_program *described = save_and_open(program, &(ai8x_program_options){.skip_tensors = true});
	ck_assert_uint_eq(ai8x_program_layer_count(described), 1);
	ck_assert_ptr_null(ai8x_program_layer_at(described, 0)->output);
	ck_assert_int_eq(ai8x_program_int(described, 0, "position", -1), 0);
	ai8x_program_destroy(described);
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(what_makes_no_sense_is_refused)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ck_assert_int_eq(ai8x_program_create(NULL, "x", &program, &error), AI8X_ERR_ARGUMENT);
	ck_assert_ptr_null(program);
	program = new_program();
	ck_assert_int_eq(ai8x_program_append(program, (ai8x_op){.kind = AI8X_BUS_KINDS}, &error),
	                 AI8X_ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "kind 6"));
	ck_assert_int_eq(ai8x_program_append(program, (ai8x_op){.kind = 255}, NULL), AI8X_ERR_ARGUMENT);

	const int32_t value = 0;
	ck_assert_int_eq(ai8x_program_set_input(program, &value, (const uint32_t[3]){1, 0, 1}, &error),
	                 AI8X_ERR_ARGUMENT);
	ck_assert_int_eq(
		ai8x_program_set_input(program, &value, (const uint32_t[3]){1u << 31, 1u << 31, 4}, &error),
		AI8X_ERR_LIMIT);
	const uint32_t one[3] = {1, 1, 1};
	ck_assert_int_eq(ai8x_program_add_layer(program, AI8X_PROGRAM_MAX_LAYERS, &value, one, NULL, 0, &error),
	                 AI8X_ERR_LIMIT);
	assert_ok(ai8x_program_add_layer(program, 3, &value, one, NULL, 0, &error), &error);
	ck_assert_int_eq(ai8x_program_add_layer(program, 3, &value, one, NULL, 0, &error), AI8X_ERR_ARGUMENT);
	ck_assert_uint_eq(ai8x_program_layer_count(program), 1);

	const ai8x_attribute version = {.name = "version", .type = AI8X_ATTRIBUTE_TEXT, .text = "2"};
	ck_assert_int_eq(ai8x_program_set_attribute(program, -1, &version, &error), AI8X_ERR_ARGUMENT);
	const ai8x_attribute nameless = {.name = "", .type = AI8X_ATTRIBUTE_TEXT, .text = "2"};
	ck_assert_int_eq(ai8x_program_set_attribute(program, -1, &nameless, &error), AI8X_ERR_ARGUMENT);
	const ai8x_attribute valueless = {.name = "x", .type = AI8X_ATTRIBUTE_INT, .count = 1};
	ck_assert_int_eq(ai8x_program_set_attribute(program, -1, &valueless, &error), AI8X_ERR_ARGUMENT);
	const int64_t large = 128;
	const ai8x_attribute narrow = {
		.name = "x", .type = AI8X_ATTRIBUTE_INT, .integers = &large, .count = 1, .bytes = 1};
	ck_assert_int_eq(ai8x_program_set_attribute(program, -1, &narrow, &error), AI8X_ERR_ARGUMENT);
	const ai8x_attribute text = {.name = "x", .type = AI8X_ATTRIBUTE_TEXT, .text = "y"};
	ck_assert_int_eq(ai8x_program_set_attribute(program, 1, &text, &error), AI8X_ERR_ARGUMENT);
	ck_assert_int_eq(ai8x_program_int(program, 0, "absent", -7), -7);
	ck_assert_str_eq(ai8x_program_text(program, 9, "absent", "fallback"), "fallback");
	ck_assert_ptr_null(ai8x_program_layer_at(program, 1));
	ai8x_program_destroy(program);
	ai8x_program_destroy(NULL);
}
END_TEST

static size_t files_in_folder(void)
{
	char command[128];
	(void)snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
	FILE *pipe = popen(command, "r"); // NOLINT(cert-env33-c)
	ck_assert_ptr_nonnull(pipe);
	size_t count = 0;
	ck_assert_int_eq(fscanf(pipe, "%zu", &count), 1); // NOLINT(cert-err34-c)
	(void)pclose(pipe);
	return count;
}

START_TEST(files_are_whole_or_not_there)
{
	ai8x_error error = {0};
	ai8x_program *program = new_program();
	append(program, AI8X_BUS_RUN, 0, 0, 0);
	ck_assert_int_eq(ai8x_program_save(program, in_folder("absent/p.h5"), &error), AI8X_ERR_IO);
	ck_assert_ptr_nonnull(strstr(error.message, "absent/p.h5"));
	ck_assert_int_eq(ai8x_program_save(program, folder, &error), AI8X_ERR_IO);
	ck_assert_int_eq(ai8x_program_save(program, "/dev/null", &error), AI8X_ERR_IO);
	struct stat info;
	ck_assert(stat("/dev/null", &info) == 0 && S_ISCHR(info.st_mode));
	ck_assert_uint_eq(files_in_folder(), 0);

	// A link stays a link; the file that it leads to is replaced.
	assert_ok(ai8x_program_save(program, in_folder("real.h5"), &error), &error);
	ck_assert_int_eq(symlink("real.h5", in_folder("link.h5")), 0);
	append(program, AI8X_BUS_EXPECT, 0x51800000, 0, 0);
	assert_ok(ai8x_program_save(program, in_folder("link.h5"), &error), &error);
	ck_assert(lstat(in_folder("link.h5"), &info) == 0 && S_ISLNK(info.st_mode));
	ai8x_program *again = NULL;
	assert_ok(ai8x_program_open(in_folder("real.h5"), NULL, &again, &error), &error);
	size_t count = 0;
	(void)ai8x_program_ops(again, &count);
	ck_assert_uint_eq(count, 2);
	ck_assert_uint_eq(files_in_folder(), 2);
	ai8x_program_destroy(again);
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(a_program_needs_one_run)
{
	ai8x_error error = {0};
	ai8x_program *program = new_program();
	ai8x_program *again = NULL;
	assert_ok(ai8x_program_save(program, in_folder("p.h5"), &error), &error);
	ck_assert_int_eq(ai8x_program_open(in_folder("p.h5"), NULL, &again, &error), AI8X_ERR_FORMAT);
	ck_assert_ptr_null(again);
	ck_assert_ptr_nonnull(strstr(error.message, "p.h5"));
	ck_assert_ptr_nonnull(strstr(error.message, "RUN"));
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(probing)
{
	ai8x_error error = {0};
	bool is_program = true;
	ck_assert_int_eq(ai8x_program_probe(in_folder("absent"), &is_program, &error), AI8X_ERR_IO);
	ck_assert_int_eq(ai8x_program_probe(folder, &is_program, &error), AI8X_ERR_IO);
	FILE *file = fopen(in_folder("text.h5"), "we");
	ck_assert_ptr_nonnull(file);
	(void)fputs("text", file);
	(void)fclose(file);
	assert_ok(ai8x_program_probe(in_folder("text.h5"), &is_program, &error), &error);
	ck_assert(!is_program);
	ai8x_program *program = new_program();
	assert_ok(ai8x_program_save(program, in_folder("p.h5"), &error), &error);
	assert_ok(ai8x_program_probe(in_folder("p.h5"), &is_program, &error), &error);
	ck_assert(is_program);
	ai8x_program_destroy(program);
}
END_TEST

// What the block-level mode of ai8x-synthesis writes for a network fed through FIFOs 0 and 2.
START_TEST(stimulus_with_fifos)
{
	static const uint32_t words[] = {
		0x50180001, 1,          // select a kernel for the express loader
		0x50180000, 0x12345678, // packed kernel data
		0x50000000, 0x00005800, // FIFO control: FIFOs 0 and 2, coupled
		0x50500000, 0x00008809, // arm group 1
		0x50100000, 0x00008808, // arm the master
		0x50100000, 0x00008809, // go
		0x50000000, 11,         // FIFO data follow
		0x50000000, 22,         0x50000000, 33,
	};
	FILE *file = fopen(in_folder("input.mem"), "we");
	ck_assert_ptr_nonnull(file);
	(void)fputs("// recorded\r\n\n", file);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		(void)fprintf(file, "@%04zx %08x\n", i, words[i]);
	(void)fclose(file);

	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ck_assert_int_eq(ai8x_program_open(in_folder("input.mem"), NULL, &program, &error), AI8X_ERR_ARGUMENT);
	ai8x_program_options options = {.part = ai8x_part_find("MAX78000")};
	assert_ok(ai8x_program_open(in_folder("input.mem"), &options, &program, &error), &error);
	ck_assert_str_eq(ai8x_program_name(program), "input.mem");
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	ck_assert_uint_eq(count, 10);
	ck_assert_uint_eq(ops[0].kind, AI8X_BUS_WRITE8);
	ck_assert_uint_eq(ops[1].kind, AI8X_BUS_WRITE32);
	ck_assert_uint_eq(ops[2].kind, AI8X_BUS_WRITE32);
	static const uint32_t fifos[] = {0x50000008, 0x50000010, 0x50000008};
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(ops[6 + i].kind, AI8X_BUS_FIFO_WRITE32);
		ck_assert_uint_eq(ops[6 + i].address, fifos[i]);
		ck_assert_uint_eq(ops[6 + i].value, 11 * (i + 1));
	}
	ck_assert_uint_eq(ops[9].kind, AI8X_BUS_RUN);
	ai8x_program_destroy(program);

	// Suffixes count in whatever case.
	char small[128];
	(void)snprintf(small, sizeof small, "%s", in_folder("input.mem"));
	ck_assert_int_eq(rename(small, in_folder("INPUT.MEM")), 0);
	assert_ok(ai8x_program_open(in_folder("INPUT.MEM"), &options, &program, &error), &error);
	ai8x_program_destroy(program);
}
END_TEST

static void *open_often(void *user)
{
	const char *path = user;
	for (int i = 0; i < 50; i++) {
		ai8x_program *program = NULL;
		if (ai8x_program_open(path, NULL, &program, NULL) != AI8X_OK)
			return user;
		ai8x_program_destroy(program);
		bool is_program = false;
		(void)ai8x_program_probe("/absent", &is_program, NULL);
	}
	return NULL;
}

START_TEST(threads_do_not_disturb_each_other)
{
	ai8x_error error = {0};
	ai8x_program *program = new_program();
	for (uint32_t i = 0; i < 5000; i++)
		append(program, AI8X_BUS_WRITE32, i, i, 0);
	append(program, AI8X_BUS_RUN, 0, 0, 0);
	const int32_t value = 1;
	assert_ok(ai8x_program_add_layer(program, 0, &value, (const uint32_t[3]){1, 1, 1}, NULL, 0, &error),
	          &error);
	char path[128];
	(void)snprintf(path, sizeof path, "%s", in_folder("p.h5"));
	assert_ok(ai8x_program_save(program, path, &error), &error);
	pthread_t threads[4];
	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, open_often, path), 0);
	for (size_t i = 0; i < 4; i++) {
		void *failed = NULL;
		(void)pthread_join(threads[i], &failed);
		ck_assert_ptr_null(failed);
	}
	ai8x_program_destroy(program);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("program");
	TCase *all = tcase_create("all");
	tcase_add_checked_fixture(all, make_folder, remove_folder);
	tcase_set_timeout(all, 900);
	tcase_add_test(all, kinds_have_names);
	tcase_add_test(all, everything_comes_back);
	tcase_add_test(all, equal_programs_are_equal_files);
	tcase_add_test(all, results_can_be_left_out);
	tcase_add_test(all, what_makes_no_sense_is_refused);
	tcase_add_test(all, files_are_whole_or_not_there);
	tcase_add_test(all, a_program_needs_one_run);
	tcase_add_test(all, probing);
	tcase_add_test(all, stimulus_with_fifos);
	tcase_add_test(all, threads_do_not_disturb_each_other);
	suite_add_tcase(suite, all);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
