// Memory runs out at every allocation of the library, by itself and with all that follow: each function says so, or
// does without, and whoever releases what he was given has released everything. Where the build has LeakSanitizer it
// looks after every operation; identifiers of libhdf5 are counted in every build.
//
// The linker sends the library's calls of these functions here (--wrap). AI8XSIM_LACKING_STEP=1 tries all points (by
// default some hundred of each operation), AI8XSIM_LACKING=NAME one operation, with a look for leaks at every point.
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>

#include <ai8xsim/ai8xsim.h>

#include "golden.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>

// libhdf5 loses what belongs to a file that it could not close.
#pragma GCC visibility push(default)
const char *__lsan_default_suppressions(void)
{
	return "leak:libhdf5\n";
}
#pragma GCC visibility pop
#else
static int __lsan_do_recoverable_leak_check(void)
{
	return 0;
}
#endif

enum { PATH_BYTES = 512, MOST_POINTS = 100, INPUTS = 2 };

// --- Failing -----------------------------------------------------------------------------------------

static atomic_ulong allocations;
static unsigned long fail_at; // 0: none
static bool fail_after;       // and all that follow

static bool fails(void)
{
	const unsigned long number = atomic_fetch_add(&allocations, 1) + 1;
	return fail_at != 0 && (number == fail_at || (fail_after && number > fail_at));
}

#define FAILING(name, parameters, arguments)                                                                 \
	void *__real_##name parameters;                                                                          \
	void *__wrap_##name parameters;                                                                          \
	void *__wrap_##name parameters                                                                           \
	{                                                                                                        \
		return fails() ? NULL : __real_##name arguments;                                                     \
	}

FAILING(malloc, (size_t size), (size))
FAILING(calloc, (size_t count, size_t size), (count, size))
FAILING(realloc, (void *old, size_t size), (old, size))
FAILING(aligned_alloc, (size_t alignment, size_t size), (alignment, size))
FAILING(strdup, (const char *text), (text))
FAILING(strndup, (const char *text, size_t size), (text, size))

// --- Operations (libcheck's assertions allocate) -------------------------------------------------------------------------------------

static char folder[64];

static const char *source(const char *file, char path[PATH_BYTES])
{
	const char *root = getenv("AI8XSIM_SOURCE");
	(void)snprintf(path, PATH_BYTES, "%s/%s", root != NULL ? root : AI8XSIM_SOURCE, file);
	return path;
}

static const char *target(const char *file, char path[PATH_BYTES])
{
	(void)snprintf(path, PATH_BYTES, "%s/%s", folder, file);
	return path;
}

static ai8x_status open_program(ai8x_program **program, ai8x_error *error)
{
	char path[PATH_BYTES];
	return ai8x_program_open(source("golden/residual2-max78000.h5", path), NULL, program, error);
}

static ai8x_status open_network(ai8x_network **network, ai8x_error *error)
{
	char path[PATH_BYTES], weights[PATH_BYTES];
	const ai8x_network_files files = {.weights = source("models/digits/weights.h5", weights)};
	return ai8x_network_open(source("models/digits/digits.yaml", path), &files, network, error);
}

static ai8x_status do_open(ai8x_error *error)
{
	ai8x_program *program = NULL;
	const ai8x_status status = open_program(&program, error);
	ai8x_program_destroy(program);
	return status;
}

static ai8x_status do_save(ai8x_error *error)
{
	char path[PATH_BYTES];
	ai8x_program *program = NULL;
	ai8x_status status = open_program(&program, error);
	if (status == AI8X_OK)
		status = ai8x_program_save(program, target("saved.h5", path), error);
	ai8x_program_destroy(program);
	return status;
}

static ai8x_status run(ai8x_engine engine, ai8x_error *error)
{
	ai8x_program *program = NULL;
	ai8x_machine *machine = NULL;
	ai8x_runner_result result = {0};
	ai8x_machine_options options = ai8x_machine_options_default();
	options.engine = engine;
	options.capture_outputs = true;
	ai8x_status status = open_program(&program, error);
	if (status == AI8X_OK)
		status = ai8x_machine_create(ai8x_program_part(program), &options, &machine, error);
	if (status == AI8X_OK) {
		status = ai8x_runner_run(machine, program, NULL, &result);
		(void)snprintf(error->message, sizeof error->message, "%s", result.message);
		if (status == AI8X_OK && !result.pass)
			status = AI8X_ERR_LAYER; // no run may end with another result
		for (size_t i = 0; status == AI8X_OK && i < ai8x_machine_layer_count(machine); i++)
			if (ai8x_machine_layer_report(machine, i)->words == NULL)
				status = AI8X_ERR_LAYER; // nor without the words of a layer
	}
	char path[PATH_BYTES];
	if (status == AI8X_OK)
		status = ai8x_runner_dump(machine, program, target("dump.h5", path), error);
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
	return status;
}

static ai8x_status do_run_exact(ai8x_error *error)
{
	return run(AI8X_ENGINE_EXACT, error);
}

static ai8x_status do_run_fast(ai8x_error *error)
{
	return run(AI8X_ENGINE_AUTO, error);
}

static ai8x_status do_compile(ai8x_error *error)
{
	char path[PATH_BYTES];
	const ai8x_part *part = ai8x_part_find("MAX78000");
	ai8x_network *network = NULL;
	ai8x_program *program = NULL;
	ai8x_status status = open_network(&network, error);
	if (status == AI8X_OK)
		status = ai8x_network_compile(network, part, NULL, &program, error);
	if (status == AI8X_OK)
		status = ai8x_network_write_yaml(network, target("written.yaml", path), error);
	if (status == AI8X_OK)
		status = ai8x_network_write_weights(network, target("weights.h5", path), error);
	ai8x_program_destroy(program);
	ai8x_network_destroy(network);
	return status;
}

static ai8x_status do_golden(ai8x_error *error)
{
	ai8x_network *network = NULL;
	golden_model *model = NULL;
	ai8x_network_tensor *outputs = NULL;
	ai8x_status status = open_network(&network, error);
	if (status == AI8X_OK)
		status = golden_model_create(network, &model, error);
	if (status == AI8X_OK)
		status = ai8x_network_randomise(network, 1, golden_model_range, model, error);
	golden_model_destroy(model);
	model = NULL;
	if (status == AI8X_OK)
		status = golden_model_create(network, &model, error);
	if (status == AI8X_OK)
		status = golden_model_outputs(model, &outputs, error);
	free(outputs);
	golden_model_destroy(model);
	ai8x_network_destroy(network);
	return status;
}

static ai8x_status do_check(ai8x_error *error)
{
	ai8x_program *program = NULL;
	ai8x_network *network = NULL;
	ai8x_check *check = NULL;
	ai8x_status status = open_program(&program, error);
	if (status == AI8X_OK)
		status = open_network(&network, error);
	const ai8x_check_options options = {.trained = network};
	if (status == AI8X_OK)
		status = ai8x_check_program(program, &options, &check, error);
	ai8x_check_destroy(check);
	ai8x_network_destroy(network);
	ai8x_program_destroy(program);
	return status;
}

static ai8x_status write_reports(const ai8x_program *program, const ai8x_network *network, FILE *file,
                                 ai8x_error *error)
{
	const ai8x_profile_options options = {.network = network};
	ai8x_profile *profile = NULL;
	ai8x_map *map = NULL;
	ai8x_advice_list advice = {0};
	ai8x_status status = ai8x_profile_create(program, &options, &profile, error);
	if (status == AI8X_OK)
		status = ai8x_advise(network, ai8x_program_part(program), NULL, NULL, 5, &advice, error);
	if (status == AI8X_OK)
		ai8x_profile_html(profile, NULL, &advice, file);
	if (status == AI8X_OK)
		status = ai8x_profile_json(profile, NULL, &advice, file, error);
	if (status == AI8X_OK)
		status = ai8x_map_create(program, &profile->timing.schedule, &map, error);
	if (status == AI8X_OK)
		status = ai8x_map_json(map, file, error);
	ai8x_map_destroy(map);
	ai8x_advice_release(&advice);
	ai8x_profile_destroy(profile);
	return status;
}

static ai8x_status do_report(ai8x_error *error)
{
	ai8x_network *network = NULL;
	ai8x_program *program = NULL;
	FILE *file = fopen("/dev/null", "w");
	ai8x_status status = open_network(&network, error);
	if (status == AI8X_OK)
		status = ai8x_network_compile(network, ai8x_part_find("MAX78000"), NULL, &program, error);
	if (status == AI8X_OK)
		status = write_reports(program, network, file, error);
	ai8x_program_destroy(program);
	ai8x_network_destroy(network);
	(void)fclose(file);
	return status;
}

static ai8x_status do_show(ai8x_error *error)
{
	ai8x_program *program = NULL;
	ai8x_show *show = NULL;
	ai8x_runner_result result = {0};
	FILE *file = fopen("/dev/null", "w");
	ai8x_status status = open_program(&program, error);
	if (status == AI8X_OK)
		status = ai8x_show_create(NULL, &show, error);
	if (status == AI8X_OK)
		status = ai8x_show_add(show, program, NULL, &result, error);
	if (status == AI8X_OK)
		status = ai8x_show_write(show, file, error);
	ai8x_runner_result_release(&result);
	ai8x_show_destroy(show);
	ai8x_program_destroy(program);
	(void)fclose(file);
	return status;
}

static ai8x_status do_eval(ai8x_error *error)
{
	char path[PATH_BYTES], data[PATH_BYTES], output[PATH_BYTES];
	ai8x_program *program = NULL;
	ai8x_eval_options options = ai8x_eval_options_default();
	ai8x_eval_result result = {0};
	options.jobs = 1;
	options.limit = INPUTS;
	options.output = target("eval.h5", output);
	ai8x_status status = ai8x_program_open(source("models/digits/digits.h5", path), NULL, &program, error);
	if (status == AI8X_OK)
		status = ai8x_eval(program, source("models/digits/heldout.h5", data), &options, &result, error);
	if (status == AI8X_OK)
		ai8x_eval_release(&result);
	ai8x_program_destroy(program);
	// What was begun is taken up again: here, every trial begins anew.
	(void)unlink(target("eval.h5", output));
	(void)unlink(target("eval.h5.part", output));
	return status;
}

static ai8x_status do_batch(ai8x_error *error)
{
	char path[PATH_BYTES];
	ai8x_program *program = NULL;
	ai8x_batch *batch = NULL;
	ai8x_status status = ai8x_program_open(source("models/digits/digits.h5", path), NULL, &program, error);
	if (status == AI8X_OK)
		status = ai8x_batch_create(program, NULL, &batch, error);
	ai8x_batch_destroy(batch);
	ai8x_program_destroy(program);
	return status;
}

static ai8x_status do_sweep(ai8x_error *error)
{
	char path[PATH_BYTES];
	ai8x_sweep *sweep = NULL;
	const ai8x_sweep_options options = {.jobs = 1};
	FILE *file = fopen("/dev/null", "w");
	ai8x_status status = ai8x_sweep_open(target("grid.yaml", path), NULL, &sweep, error);
	if (status == AI8X_OK)
		status = ai8x_sweep_run(sweep, &options, error);
	if (status == AI8X_OK)
		status = ai8x_sweep_html(sweep, file, error);
	if (status == AI8X_OK)
		status = ai8x_sweep_hdf5(sweep, target("sweep.h5", path), error);
	ai8x_sweep_destroy(sweep);
	(void)fclose(file);
	return status;
}

static const struct operation {
	const char *name;
	ai8x_status (*run)(ai8x_error *error);
} operations[] = {
	{"open", do_open},       {"save", do_save},     {"run-exact", do_run_exact}, {"run-fast", do_run_fast},
	{"compile", do_compile}, {"golden", do_golden}, {"check", do_check},         {"report", do_report},
	{"show", do_show},       {"eval", do_eval},     {"batch", do_batch},         {"sweep", do_sweep},
};

enum { OPERATIONS = sizeof operations / sizeof operations[0] };

// --- Trials ------------------------------------------------------------------------------------------

static void look_for_leaks(const char *name, unsigned long from, unsigned long to)
{
	ck_assert_msg(__lsan_do_recoverable_leak_check() == 0, "%s, allocations %lu to %lu: leaks", name, from,
	              to);
	const ssize_t open = H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL);
	ck_assert_msg(open == 0, "%s, allocations %lu to %lu: %zd objects of HDF5 files are open", name, from, to,
	              open);
}

static void try_at(const struct operation *operation, unsigned long number, bool after)
{
	ai8x_error error = {AI8X_OK, ""};
	allocations = 0;
	fail_after = after;
	fail_at = number;
	const ai8x_status status = operation->run(&error);
	fail_at = 0;
	ck_assert_msg(status == AI8X_OK || status == AI8X_ERR_NO_MEMORY, "%s, allocation %lu%s: %s: %s",
	              operation->name, number, after ? " and all that follow" : "", ai8x_status_name(status),
	              error.message);
	ck_assert_msg(status == AI8X_OK || error.message[0] != '\0', "%s, allocation %lu: no message",
	              operation->name, number);
}

static unsigned long count(const struct operation *operation)
{
	ai8x_error error = {AI8X_OK, ""};
	for (unsigned i = 0; i < 2; i++) { // the second time libraries have what they keep
		allocations = 0;
		const ai8x_status status = operation->run(&error);
		ck_assert_msg(status == AI8X_OK, "%s: %s", operation->name, error.message);
	}
	look_for_leaks(operation->name, 0, 0);
	return allocations;
}

START_TEST(every_allocation)
{
	const struct operation *operation = &operations[_i];
	const char *only = getenv("AI8XSIM_LACKING"), *given = getenv("AI8XSIM_LACKING_STEP");
	if (only != NULL && strcmp(only, operation->name) != 0)
		return;
	const unsigned long points = count(operation);
	const unsigned long step = given != NULL ? strtoul(given, NULL, 10) : points / MOST_POINTS + 1;
	unsigned long tried = 0, looked = 1;
	for (unsigned long number = 1; number <= points; number += step) {
		try_at(operation, number, false);
		try_at(operation, number, true);
		if (only == NULL && ++tried % 50 != 0)
			continue;
		look_for_leaks(operation->name, looked, number);
		looked = number + 1;
	}
	look_for_leaks(operation->name, looked, points);
	(void)count(operation); // what failed has left no trace
	(void)printf("lacking: %s: %lu allocations, every %luth failed\n", operation->name, points, step);
}
END_TEST

static void prepare(void)
{
	char path[PATH_BYTES], network[PATH_BYTES];
	(void)snprintf(folder, sizeof folder, "/tmp/ai8xsim-lacking-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	FILE *file = fopen(target("grid.yaml", path), "w");
	ck_assert_ptr_nonnull(file);
	(void)fprintf(file, "network: %s\nparameters:\n  part: [MAX78000, MAX78002]\n",
	              source("models/digits/digits.yaml", network));
	ck_assert_int_eq(fclose(file), 0);
}

static void clean_up(void)
{
	static const char *const files[] = {"grid.yaml",    "saved.h5",   "dump.h5",
	                                    "written.yaml", "weights.h5", "sweep.h5"};
	char path[PATH_BYTES];
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		(void)unlink(target(files[i], path));
	ck_assert_msg(rmdir(folder) == 0, "%s holds something that was left there", folder);
}

int main(void)
{
	Suite *suite = suite_create("lacking");
	TCase *tcase = tcase_create("lacking");
	tcase_set_timeout(tcase, 3600);
	tcase_add_checked_fixture(tcase, prepare, clean_up);
	tcase_add_loop_test(tcase, every_allocation, 0, OPERATIONS);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
