// The steady state: once it runs, an inference allocates nothing, decodes no layer and makes no plan. The linker sends the
// library's calls of these functions here (--wrap), where they are counted.
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include <ai8xsim/ai8xsim.h>

#include "fast/fast.h"
#include "golden_folder.h"
#include "layer/layer.h"

enum { FIRST = 10, LAST = 1010, PATH_BYTES = 4096 };

// --- Counting ----------------------------------------------------------------------------------------

struct counts {
	atomic_ulong allocations, frees, decoded, planned;
};

static struct counts counts;

#define COUNTED(result, name, counter, parameters, arguments)                                                \
	result __real_##name parameters;                                                                         \
	result __wrap_##name parameters;                                                                         \
	result __wrap_##name parameters                                                                          \
	{                                                                                                        \
		(void)atomic_fetch_add(&counts.counter, 1);                                                          \
		return __real_##name arguments;                                                                      \
	}

COUNTED(void *, malloc, allocations, (size_t size), (size))
COUNTED(void *, calloc, allocations, (size_t count, size_t size), (count, size))
COUNTED(void *, realloc, allocations, (void *old, size_t size), (old, size))
COUNTED(void *, aligned_alloc, allocations, (size_t alignment, size_t size), (alignment, size))
COUNTED(ai8x_status, layer_decode, decoded,
        (const struct registers *registers, const struct layer_run *run, uint32_t index, ai8x_layer *layer,
         ai8x_error *error),
        (registers, run, index, layer, error))
COUNTED(ai8x_status, fast_plan_create, planned,
        (const ai8x_layer *layer, const struct kernel_memory *kernel, const struct bias_memory *bias,
         const struct fast_kernel *with, bool keep_absent_lanes, uint32_t imaged, struct fast_plan **plan),
        (layer, kernel, bias, with, keep_absent_lanes, imaged, plan))

void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	(void)atomic_fetch_add(&counts.frees, memory != NULL);
	__real_free(memory);
}

static void expect_none(const char *what)
{
	ck_assert_msg(counts.allocations == 0 && counts.frees == 0 && counts.decoded == 0 && counts.planned == 0,
	              "%s: %d inferences made %lu allocations and %lu frees, decoded %lu layers, made %lu plans",
	              what, LAST - FIRST, counts.allocations, counts.frees, counts.decoded, counts.planned);
}

// --- Batches, which `bench` and `eval` run -----------------------------------------------------------

static ai8x_program *open_program(const char *path)
{
	ai8x_program *program;
	ai8x_error error;
	ck_assert_msg(ai8x_program_open(path, NULL, &program, &error) == AI8X_OK, "%s", error.message);
	return program;
}

static void run_until(ai8x_batch_worker *worker, unsigned from, unsigned to)
{
	ai8x_error error = {0};
	// libcheck allocates for each assertion.
	ai8x_status status = AI8X_OK;
	for (unsigned i = from; i < to && status == AI8X_OK; i++)
		status = ai8x_batch_run(worker, NULL, NULL, &error);
	const struct counts made = counts;
	ck_assert_msg(status == AI8X_OK, "%s", error.message);
	counts = made;
}

static void check_program(const char *path)
{
	ai8x_program *program = open_program(path);
	ai8x_batch *batch;
	ai8x_batch_worker *worker;
	ai8x_error error;
	ck_assert_msg(ai8x_batch_create(program, NULL, &batch, &error) == AI8X_OK, "%s", error.message);
	ck_assert_int_eq(ai8x_batch_worker_create(batch, &worker, &error), AI8X_OK);
	run_until(worker, 0, FIRST);
	memset(&counts, 0, sizeof counts);
	run_until(worker, FIRST, LAST);
	expect_none(path);
	ai8x_batch_worker_destroy(worker);
	ai8x_batch_destroy(batch);
	ai8x_program_destroy(program);
}

static const char *shipped(const char *name)
{
	static char path[PATH_BYTES];
	const char *source = getenv("AI8XSIM_SOURCE");
	(void)snprintf(path, sizeof path, "%s/%s", source != NULL ? source : ".", name);
	return path;
}

static const char *const programs[] = {
	"models/digits/digits.h5", "models/keywords/keywords.h5",
	"models/mobile/mobile.h5", "models/segmentation/segmentation.h5",
	"models/wide/wide.h5",
};

START_TEST(shipped_programs)
{
	check_program(shipped(programs[_i]));
}
END_TEST

START_TEST(golden_networks)
{
	static const char *const parts[] = {"max78000", "max78002"};
	struct golden_folder golden;
	if (!golden_open(&golden, parts[_i]))
		return;
	while (golden_next(&golden, "net-"))
		check_program(golden.path);
}
END_TEST

// --- Data sets ---------------------------------------------------------------------------------------

enum { SIDE = 8, CLASSES = 10 };

static void write_table(hid_t file, const char *name, hid_t type, int rank, const hsize_t *sides,
                        const void *values)
{
	hid_t space = H5Screate_simple(rank, sides, NULL);
	hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	ck_assert_int_ge(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
	H5Dclose(set);
	H5Sclose(space);
}

// LAST inputs; `reals`: their values are numbers of floating point.
static void make_data(const char *path, bool reals)
{
	static double values[LAST][SIDE * SIDE];
	static int8_t bytes[LAST][SIDE * SIDE];
	static int64_t labels[LAST];
	for (int i = 0; i < LAST; i++) {
		labels[i] = i % CLASSES;
		for (int k = 0; k < SIDE * SIDE; k++)
			values[i][k] = bytes[i][k] = (int8_t)(i * 31 + k * 7);
	}
	hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
	const hsize_t sides[] = {LAST, 1, SIDE, SIDE};
	write_table(file, "input", reals ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT8, 4, sides,
	            reals ? (const void *)values : (const void *)bytes);
	write_table(file, "labels", H5T_NATIVE_INT64, 1, sides, labels);
	H5Fclose(file);
}

// What an evaluation of so many inputs calls, all together.
static struct counts evaluate(const ai8x_program *program, const char *data, const char *output,
                              uint64_t limit)
{
	ai8x_eval_options options = ai8x_eval_options_default();
	ai8x_eval_result result;
	ai8x_error error;
	options.limit = limit;
	options.output = output;
	memset(&counts, 0, sizeof counts);
	ck_assert_msg(ai8x_eval(program, data, &options, &result, &error) == AI8X_OK, "%s", error.message);
	ck_assert_uint_eq(result.progress.done, limit);
	ck_assert_uint_eq(result.answers, limit);
	ai8x_eval_release(&result);
	const struct counts made = counts;
	if (output != NULL)
		(void)remove(output);
	return made;
}

// Chunks are of one input here and of three there, and libhdf5's own allocations do not count.
START_TEST(evaluations)
{
	ai8x_program *program = open_program(shipped(programs[0]));
	char folder[] = "/tmp/ai8xsim-steady-XXXXXX", data[64], output[64];
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(data, sizeof data, "%s/data.h5", folder);
	(void)snprintf(output, sizeof output, "%s/output.h5", folder);
	make_data(data, _i % 2 != 0);
	const char *to = _i / 2 != 0 ? output : NULL;
	(void)evaluate(program, data, to, FIRST);
	const struct counts few = evaluate(program, data, to, FIRST), many = evaluate(program, data, to, LAST);
	memset(&counts, 0, sizeof counts);
	counts.allocations = many.allocations - few.allocations;
	counts.frees = many.frees - few.frees;
	counts.decoded = many.decoded - few.decoded;
	counts.planned = many.planned - few.planned;
	expect_none(to != NULL ? "evaluation with outputs" : "evaluation");
	ai8x_program_destroy(program);
	(void)remove(data);
	(void)rmdir(folder);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("steady");
	TCase *tcase = tcase_create("steady");
	tcase_set_timeout(tcase, 900);
	tcase_add_loop_test(tcase, shipped_programs, 0, (int)(sizeof programs / sizeof programs[0]));
	tcase_add_loop_test(tcase, golden_networks, 0, 2);
	tcase_add_loop_test(tcase, evaluations, 0, 4);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
