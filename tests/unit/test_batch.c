// Batches: every program gives its recorded output for its recorded input, given as a tensor or not, on the
// fast and on the exact engine, again after other inputs, and on several threads at once.
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "golden_folder.h"

static ai8x_program *open_program(const char *path)
{
	ai8x_program *program;
	ai8x_error error;
	ck_assert_msg(ai8x_program_open(path, NULL, &program, &error) == AI8X_OK, "%s", error.message);
	return program;
}

static ai8x_batch *open_batch(const ai8x_program *program, const ai8x_batch_options *options)
{
	ai8x_batch *batch;
	ai8x_error error;
	ck_assert_msg(ai8x_batch_create(program, options, &batch, &error) == AI8X_OK, "%s: %s",
	              ai8x_program_name(program), error.message);
	return batch;
}

static size_t count_values(const uint32_t shape[3])
{
	return (size_t)shape[0] * shape[1] * shape[2];
}

// The recorded input as bytes.
static int8_t *recorded_input(const ai8x_program *program)
{
	uint32_t shape[3];
	const int32_t *input = ai8x_program_input(program, shape);
	int8_t *bytes = malloc(count_values(shape) + 1);
	for (size_t i = 0; i < count_values(shape); i++)
		bytes[i] = (int8_t)input[i];
	return bytes;
}

static void expect_recorded(const ai8x_batch *batch, const ai8x_program *program, const int32_t *output,
                            const char *what)
{
	const size_t layers = ai8x_program_layer_count(program);
	const ai8x_program_layer *last = ai8x_program_layer_at(program, layers - 1);
	uint32_t shape[3];
	ai8x_batch_output_shape(batch, shape);
	ck_assert_uint_eq(count_values(shape), count_values(last->shape));
	for (size_t i = 0; i < count_values(shape); i++)
		ck_assert_msg(output[i] == last->output[i], "%s, %s: output %zu is %d, not %d",
		              ai8x_program_name(program), what, i, output[i], last->output[i]);
}

static void expect_same_memory(ai8x_machine *one, ai8x_machine *other, const char *path, const char *what)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		size_t words;
		const uint32_t *left = ai8x_machine_data(one, i, &words), *right = ai8x_machine_data(other, i, NULL);
		ck_assert_msg(memcmp(left, right, words * sizeof *left) == 0, "%s: instance %u differs from %s", path,
		              i, what);
	}
}

// However a batch brings input to the machine, memory is as if every word had been written by itself.
static void expect_written(const ai8x_program *program, ai8x_batch_worker *used, ai8x_engine engine,
                           const char *path)
{
	ai8x_machine_options machine_options = ai8x_machine_options_default();
	ai8x_runner_options options = ai8x_runner_options_default();
	ai8x_runner_result result;
	ai8x_machine *machine;
	ai8x_error error;
	machine_options.engine = engine;
	ck_assert_int_eq(ai8x_machine_create(ai8x_program_part(program), &machine_options, &machine, &error),
	                 AI8X_OK);
	ck_assert_msg(ai8x_runner_run(machine, program, &options, &result) == AI8X_OK, "%s: %s",
	              ai8x_program_name(program), result.message);
	expect_same_memory(ai8x_batch_machine(used), machine, path, "a run word by word");
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
}

// Nothing is left of earlier runs: data memory is that of a worker's first run.
static void expect_restored(const ai8x_batch *batch, ai8x_batch_worker *used, const int8_t *input,
                            const char *path)
{
	ai8x_batch_worker *fresh;
	ck_assert_int_eq(ai8x_batch_worker_create(batch, &fresh, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_batch_run(fresh, input, NULL, NULL), AI8X_OK);
	expect_same_memory(ai8x_batch_machine(used), ai8x_batch_machine(fresh), path, "a first run");
	ai8x_batch_worker_destroy(fresh);
}

// `takes_input`: false for programs that lay out their input in a way of their own.
static void check_program(const char *path, ai8x_engine engine, bool takes_input)
{
	ai8x_program *program = open_program(path);
	ai8x_batch_options options = ai8x_batch_options_default();
	options.machine.engine = engine;
	ai8x_batch *batch = open_batch(program, &options);
	ai8x_batch_worker *worker;
	ai8x_error error;
	uint32_t shape[3], out[3];
	if (takes_input)
		ck_assert_msg(ai8x_batch_input_shape(batch, shape, &error) == AI8X_OK, "%s: %s", path, error.message);
	else
		ck_assert_int_eq(ai8x_batch_input_shape(batch, shape, &error), AI8X_ERR_UNSUPPORTED);
	(void)ai8x_program_input(program, shape);
	ai8x_batch_output_shape(batch, out);
	int32_t *output = malloc((count_values(out) + 1) * sizeof *output);
	int8_t *input = recorded_input(program), *other = malloc(count_values(shape) + 1);
	for (size_t i = 0; i < count_values(shape); i++)
		other[i] = (int8_t)(i * 37 + 11);
	ck_assert_int_eq(ai8x_batch_worker_create(batch, &worker, &error), AI8X_OK);
	ck_assert_msg(ai8x_batch_run(worker, NULL, output, &error) == AI8X_OK, "%s: %s", path, error.message);
	expect_recorded(batch, program, output, "recorded words");
	if (!takes_input)
		ck_assert_int_eq(ai8x_batch_run(worker, other, output, &error), AI8X_ERR_UNSUPPORTED);
	ck_assert_msg(ai8x_batch_run(worker, takes_input ? other : NULL, output, &error) == AI8X_OK, "%s: %s",
	              path, error.message);
	// Only snoop units make a run's length depend on its data.
	if (ai8x_program_snoop(program) == NULL)
		ck_assert_uint_eq(ai8x_machine_cycles(ai8x_batch_machine(worker)), ai8x_batch_cycles(batch));
	ck_assert_msg(ai8x_batch_run(worker, takes_input ? input : NULL, output, &error) == AI8X_OK, "%s: %s",
	              path, error.message);
	expect_recorded(batch, program, output, "recorded tensor");
	expect_restored(batch, worker, takes_input ? input : NULL, path);
	expect_written(program, worker, engine, path);
	ai8x_batch_worker_destroy(worker);
	ai8x_batch_destroy(batch);
	ai8x_program_destroy(program);
	free(output);
	free(input);
	free(other);
}

static char *shipped(const char *name)
{
	static char path[4096];
	const char *source = getenv("AI8XSIM_SOURCE");
	(void)snprintf(path, sizeof path, "%s/%s", source != NULL ? source : ".", name);
	return path;
}

static const char *const programs[] = {
	"golden/residual2-max78000.h5", "models/digits/digits.h5", "models/keywords/keywords.h5",
	"models/mobile/mobile.h5",      "models/wide/wide.h5",
};

START_TEST(shipped_programs_give_their_output)
{
	// The residual program stores its input a second time, beside the first layer's output.
	const bool takes_input = strstr(programs[_i], "residual2") == NULL;
	check_program(shipped(programs[_i]), AI8X_ENGINE_AUTO, takes_input);
	check_program(shipped(programs[_i]), AI8X_ENGINE_EXACT, takes_input);
}
END_TEST

START_TEST(golden_programs_give_their_output)
{
	static const char *const parts[] = {"max78000", "max78002"};
	struct golden_folder golden;
	if (!golden_open(&golden, parts[_i]))
		return;
	unsigned count = 0;
	for (; golden_next(&golden, ""); count++)
		check_program(golden.path, AI8X_ENGINE_AUTO, true);
	ck_assert_uint_gt(count, 0);
}
END_TEST

struct thread_job {
	const ai8x_batch *batch;
	int32_t *output;
	unsigned seed;
};

static void *run_inputs(void *argument)
{
	struct thread_job *job = argument;
	ai8x_batch_worker *worker;
	uint32_t in[3], out[3];
	(void)ai8x_batch_input_shape(job->batch, in, NULL);
	ai8x_batch_output_shape(job->batch, out);
	int8_t *input = malloc(count_values(in) + 1);
	if (input == NULL || ai8x_batch_worker_create(job->batch, &worker, NULL) != AI8X_OK) {
		free(input);
		return NULL;
	}
	for (unsigned round = 0; round < 8; round++) {
		for (size_t i = 0; i < count_values(in); i++)
			input[i] = (int8_t)(i * (job->seed + round) + round);
		if (ai8x_batch_run(worker, input, job->output + round * count_values(out), NULL) != AI8X_OK)
			job->batch = NULL;
	}
	ai8x_batch_worker_destroy(worker);
	free(input);
	return NULL;
}

START_TEST(threads_do_not_matter)
{
	enum { THREADS = 4 };
	ai8x_program *program = open_program(shipped("models/digits/digits.h5"));
	ai8x_batch *batch = open_batch(program, NULL);
	uint32_t out[3];
	ai8x_batch_output_shape(batch, out);
	struct thread_job jobs[THREADS], alone;
	pthread_t threads[THREADS];
	const size_t size = 8 * count_values(out) * sizeof(int32_t);
	for (unsigned t = 0; t < THREADS; t++) {
		jobs[t] = (struct thread_job){batch, calloc(1, size), t + 1};
		ck_assert_int_eq(pthread_create(&threads[t], NULL, run_inputs, &jobs[t]), 0);
	}
	for (unsigned t = 0; t < THREADS; t++) {
		ck_assert_int_eq(pthread_join(threads[t], NULL), 0);
		ck_assert_ptr_nonnull(jobs[t].batch);
		alone = (struct thread_job){batch, calloc(1, size), t + 1};
		(void)run_inputs(&alone);
		ck_assert_int_eq(memcmp(alone.output, jobs[t].output, size), 0);
		free(alone.output);
		free(jobs[t].output);
	}
	ai8x_batch_destroy(batch);
	ai8x_program_destroy(program);
}
END_TEST

// The same program, whose first layer begins to read `word` words after its input.
static ai8x_program *read_late(const ai8x_program *program, uint32_t word)
{
	ai8x_program *late;
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	ck_assert_int_eq(ai8x_program_create(ai8x_program_part(program), "late", &late, NULL), AI8X_OK);
	for (size_t i = 0; i < count; i++) {
		ai8x_location location;
		ai8x_op op = ops[i];
		if (op.kind != AI8X_BUS_EXPECT)
			ck_assert_int_eq(ai8x_program_append(late, op, NULL), AI8X_OK);
		if (op.kind != AI8X_BUS_WRITE32 ||
		    ai8x_part_locate(ai8x_program_part(program), op.address, &location) != AI8X_OK ||
		    location.name == NULL || strcmp(location.name, "RPTR_BASE") != 0 || location.group != 0)
			continue;
		op.address -= 4 * (uint32_t)location.layer;
		op.value = word;
		ck_assert_int_eq(ai8x_program_append(late, op, NULL), AI8X_OK);
	}
	return late;
}

// Words that later layers write, and the first one reads: every run finds them as they were loaded.
START_TEST(words_that_are_read_before_they_are_written_are_restored)
{
	ai8x_program *program = open_program(shipped("models/digits/digits.h5"));
	for (uint32_t word = 16; word <= 96; word += 16) {
		ai8x_program *late = read_late(program, word);
		ai8x_batch *batch = open_batch(late, NULL);
		ai8x_batch_worker *worker;
		ck_assert_int_eq(ai8x_batch_worker_create(batch, &worker, NULL), AI8X_OK);
		for (unsigned run = 0; run < 2; run++)
			ck_assert_int_eq(ai8x_batch_run(worker, NULL, NULL, NULL), AI8X_OK);
		expect_restored(batch, worker, NULL, "digits, read late");
		ai8x_batch_worker_destroy(worker);
		ai8x_batch_destroy(batch);
		ai8x_program_destroy(late);
	}
	ai8x_program_destroy(program);
}
END_TEST

// The same program, which writes every word of data memory wrongly first.
static ai8x_program *written_twice(const ai8x_program *program)
{
	ai8x_program *twice;
	size_t count;
	uint32_t shape[3];
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	ck_assert_int_eq(ai8x_program_create(ai8x_program_part(program), "twice", &twice, NULL), AI8X_OK);
	for (size_t i = 0; i < count; i++) {
		ai8x_location location;
		if (ops[i].kind == AI8X_BUS_WRITE32 &&
		    ai8x_part_locate(ai8x_program_part(program), ops[i].address, &location) == AI8X_OK &&
		    strcmp(location.region, "data memory") == 0) {
			ai8x_op wrong = ops[i];
			wrong.value = ~wrong.value;
			ck_assert_int_eq(ai8x_program_append(twice, wrong, NULL), AI8X_OK);
		}
		ck_assert_int_eq(ai8x_program_append(twice, ops[i], NULL), AI8X_OK);
	}
	const int32_t *input = ai8x_program_input(program, shape);
	ck_assert_int_eq(ai8x_program_set_input(twice, input, shape, NULL), AI8X_OK);
	const size_t last = ai8x_program_layer_count(program) - 1;
	const ai8x_program_layer *layer = ai8x_program_layer_at(program, last);
	ck_assert_int_eq(ai8x_program_add_layer(twice, layer->number, layer->output, layer->shape, NULL, 0, NULL),
	                 AI8X_OK);
	return twice;
}

START_TEST(the_last_write_of_an_input_word_counts)
{
	ai8x_program *program = open_program(shipped("models/digits/digits.h5"));
	ai8x_program *twice = written_twice(program);
	ai8x_batch *same = open_batch(twice, NULL);
	int8_t *input = recorded_input(program);
	uint32_t shape[3];
	ai8x_batch_output_shape(same, shape);
	int32_t *output = calloc(count_values(shape), sizeof *output);
	ai8x_batch_worker *worker;
	ck_assert_int_eq(ai8x_batch_worker_create(same, &worker, NULL), AI8X_OK);
	for (unsigned round = 0; round < 2; round++) {
		ck_assert_int_eq(ai8x_batch_run(worker, round == 0 ? NULL : input, output, NULL), AI8X_OK);
		expect_recorded(same, program, output, "written twice");
	}
	ai8x_batch_worker_destroy(worker);
	ai8x_batch_destroy(same);
	ai8x_program_destroy(twice);
	ai8x_program_destroy(program);
	free(output);
	free(input);
}
END_TEST

START_TEST(programs_that_never_start_are_refused)
{
	ai8x_program *program;
	ai8x_batch *batch;
	ai8x_error error;
	ck_assert_int_eq(ai8x_program_create(ai8x_part_at(0), "empty", &program, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_batch_create(program, NULL, &batch, &error), AI8X_ERR_NOT_STARTED);
	ck_assert_ptr_null(batch);
	ai8x_program_destroy(program);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("batch");
	TCase *tcase = tcase_create("batch");
	tcase_set_timeout(tcase, 900);
	tcase_add_loop_test(tcase, shipped_programs_give_their_output, 0, sizeof programs / sizeof programs[0]);
	tcase_add_loop_test(tcase, golden_programs_give_their_output, 0, 2);
	tcase_add_test(tcase, threads_do_not_matter);
	tcase_add_test(tcase, words_that_are_read_before_they_are_written_are_restored);
	tcase_add_test(tcase, the_last_write_of_an_input_word_counts);
	tcase_add_test(tcase, programs_that_never_start_are_refused);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
