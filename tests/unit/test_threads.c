// Eight threads that open, compile, check, run, profile, evaluate and save at the same time, each with handles and
// files of its own: every result is right, and where the build has ThreadSanitizer nothing is shared unguarded. Then
// machines whose layers are split among threads, which must not change anything.
//
// Two rounds; AI8XSIM_THREAD_SECONDS=60 goes on for a minute.
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ai8xsim/ai8xsim.h>

#include "base/crew.h"
#include "golden_folder.h"
#include "machine/machine.h"

enum { THREADS = 8, ROUNDS = 2, INPUTS = 12 };

struct work {
	char folder[64];
	time_t until; // 0: ROUNDS
};

struct thread {
	const struct work *work;
	unsigned number;
	unsigned rounds;
	ai8x_status status;
	ai8x_error error;
};

static const char *model(const char *file, char path[512])
{
	const char *source = getenv("AI8XSIM_SOURCE");
	(void)snprintf(path, 512, "%s/models/digits/%s", source != NULL ? source : ".", file);
	return path;
}

static ai8x_status run(const ai8x_program *program, ai8x_error *error)
{
	ai8x_machine *machine = NULL;
	ai8x_runner_result result = {0};
	ai8x_status status = ai8x_machine_create(ai8x_program_part(program), NULL, &machine, error);
	if (status == AI8X_OK) {
		status = ai8x_runner_run(machine, program, NULL, &result);
		if (status != AI8X_OK)
			(void)snprintf(error->message, sizeof error->message, "run: %.400s", result.message);
		ai8x_runner_result_release(&result);
	}
	ai8x_machine_destroy(machine);
	return status;
}

static ai8x_status report(const ai8x_program *program, ai8x_error *error)
{
	ai8x_check *check = NULL;
	ai8x_profile *profile = NULL;
	ai8x_status status = ai8x_check_program(program, NULL, &check, error);
	if (status == AI8X_OK)
		status = ai8x_profile_create(program, NULL, &profile, error);
	FILE *file = fopen("/dev/null", "w");
	if (status == AI8X_OK && file != NULL)
		ai8x_profile_html(profile, NULL, NULL, file);
	if (file == NULL || fclose(file) != 0)
		status = AI8X_ERR_IO;
	ai8x_profile_destroy(profile);
	ai8x_check_destroy(check);
	return status;
}

// A description becomes a program, which is saved, read again and run.
static ai8x_status compile(const struct thread *thread, ai8x_error *error)
{
	char path[512], weights[512], saved[128];
	const ai8x_network_files files = {.weights = model("weights.h5", weights)};
	ai8x_network *network = NULL;
	ai8x_program *program = NULL, *again = NULL;
	(void)snprintf(saved, sizeof saved, "%s/%u.h5", thread->work->folder, thread->number);
	ai8x_status status = ai8x_network_open(model("digits.yaml", path), &files, &network, error);
	if (status == AI8X_OK)
		status = ai8x_network_compile(network, ai8x_part_find("MAX78000"), NULL, &program, error);
	if (status == AI8X_OK)
		status = ai8x_program_save(program, saved, error);
	if (status == AI8X_OK)
		status = ai8x_program_open(saved, NULL, &again, error);
	if (status == AI8X_OK)
		status = run(again, error);
	ai8x_program_destroy(again);
	ai8x_program_destroy(program);
	ai8x_network_destroy(network);
	return status;
}

static ai8x_status evaluate(const struct thread *thread, const ai8x_program *program, ai8x_error *error)
{
	char data[512], output[128];
	ai8x_eval_options options = ai8x_eval_options_default();
	ai8x_eval_result result;
	(void)snprintf(output, sizeof output, "%s/%u-eval.h5", thread->work->folder, thread->number);
	options.jobs = 2;
	options.limit = INPUTS;
	options.output = output;
	const ai8x_status status = ai8x_eval(program, model("heldout.h5", data), &options, &result, error);
	if (status == AI8X_OK)
		ai8x_eval_release(&result);
	return status;
}

static ai8x_status do_round(const struct thread *thread, ai8x_error *error)
{
	char path[512];
	ai8x_program *program = NULL;
	ai8x_status status = ai8x_program_open(model("digits.h5", path), NULL, &program, error);
	if (status == AI8X_OK)
		status = run(program, error);
	if (status == AI8X_OK)
		status = report(program, error);
	if (status == AI8X_OK)
		status = evaluate(thread, program, error);
	if (status == AI8X_OK)
		status = compile(thread, error);
	ai8x_program_destroy(program);
	return status;
}

static void *work(void *data)
{
	struct thread *thread = data;
	const time_t until = thread->work->until;
	while (thread->status == AI8X_OK && (until != 0 ? time(NULL) < until : thread->rounds < ROUNDS)) {
		thread->status = do_round(thread, &thread->error);
		thread->rounds++;
	}
	return NULL;
}

static void remove_files(const struct work *work)
{
	char path[160];
	for (unsigned i = 0; i < THREADS; i++) {
		(void)snprintf(path, sizeof path, "%s/%u.h5", work->folder, i);
		(void)unlink(path);
		(void)snprintf(path, sizeof path, "%s/%u-eval.h5", work->folder, i);
		ck_assert_int_eq(unlink(path), 0);
	}
	ck_assert_int_eq(rmdir(work->folder), 0);
}

START_TEST(all_at_once)
{
	struct work shared = {.folder = "/tmp/ai8xsim-threads-XXXXXX"};
	struct thread threads[THREADS] = {0};
	pthread_t handles[THREADS];
	const char *seconds = getenv("AI8XSIM_THREAD_SECONDS");
	ck_assert_ptr_nonnull(mkdtemp(shared.folder));
	shared.until = seconds != NULL ? time(NULL) + atoi(seconds) : 0;
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){.work = &shared, .number = i};
		ck_assert_int_eq(pthread_create(&handles[i], NULL, work, &threads[i]), 0);
	}
	unsigned rounds = 0;
	for (unsigned i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(handles[i], NULL), 0);
		rounds += threads[i].rounds;
	}
	(void)printf("threads: %u rounds\n", rounds);
	for (unsigned i = 0; i < THREADS; i++)
		ck_assert_msg(threads[i].status == AI8X_OK, "thread %u, round %u: %s: %s", i, threads[i].rounds,
		              ai8x_status_text(threads[i].status), threads[i].error.message);
	remove_files(&shared);
}
END_TEST

// --- Several threads for one inference -----------------------------------------------------------------

// One golden program of so many.
#ifdef __SANITIZE_THREAD__
enum { EVERY = 40 };
#else
enum { EVERY = 5 };
#endif

static ai8x_machine *new_machine(const ai8x_program *program, const char *kernel, unsigned threads)
{
	ai8x_machine_options options = ai8x_machine_options_default();
	ai8x_machine *machine = NULL;
	ai8x_error error = {0};
	options.cpu = kernel;
	options.capture_outputs = true;
	options.threads = threads;
	ck_assert_msg(ai8x_machine_create(ai8x_program_part(program), &options, &machine, &error) == AI8X_OK,
	              "%s", error.message);
	// Every layer, however small.
	machine->fast.scratch.share = 1;
	return machine;
}

static void run_twice(const ai8x_program *program, const char *kernel, unsigned threads, const char *path)
{
	ai8x_machine *one = new_machine(program, kernel, 0), *many = new_machine(program, kernel, threads);
	ai8x_runner_result results[2];
	ai8x_runner_options options = ai8x_runner_options_default();
	options.per_layer = true;
	ck_assert_int_eq(ai8x_runner_run(one, program, &options, &results[0]), AI8X_OK);
	ck_assert_msg(ai8x_runner_run(many, program, &options, &results[1]) == AI8X_OK, "%s, %s: %s", path,
	              kernel, results[1].message);
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		size_t words;
		const uint32_t *left = ai8x_machine_data(one, i, &words), *right = ai8x_machine_data(many, i, NULL);
		ck_assert_msg(memcmp(left, right, words * sizeof *left) == 0, "%s, %s: instance %u with %u threads",
		              path, kernel, i, threads);
	}
	ck_assert_uint_eq(results[0].cycles, results[1].cycles);
	ck_assert_uint_eq(results[0].checks, results[1].checks);
	for (unsigned i = 0; i < 2; i++)
		ai8x_runner_result_release(&results[i]);
	ai8x_machine_destroy(one);
	ai8x_machine_destroy(many);
}

static void run_with_all_kernels(const char *path, unsigned threads)
{
	ai8x_program *program = NULL;
	ai8x_error error;
	ck_assert_msg(ai8x_program_open(path, NULL, &program, &error) == AI8X_OK, "%s", error.message);
	for (size_t k = 0; fast_kernels[k] != NULL; k++)
		if (fast_kernels[k]->supported())
			run_twice(program, fast_kernels[k]->name, threads, path);
	ai8x_program_destroy(program);
}

START_TEST(threads_of_an_inference)
{
	static const char *const names[] = {"digits", "keywords", "mobile", "segmentation", "wide"};
	static const unsigned threads[] = {2, 3, 8};
	const char *source = getenv("AI8XSIM_SOURCE");
	char path[512];
	(void)snprintf(path, sizeof path, "%s/models/%s/%s.h5", source != NULL ? source : ".", names[_i],
	               names[_i]);
	for (size_t i = 0; i < sizeof threads / sizeof threads[0]; i++)
		run_with_all_kernels(path, threads[i]);
}
END_TEST

// Some golden programs of a part, each with another number of threads.
START_TEST(threads_of_golden_programs)
{
	static const char *const parts[] = {"max78000", "max78002"};
	struct golden_folder golden;
	if (!golden_open(&golden, parts[_i]))
		return;
	unsigned count = 0;
	while (golden_next(&golden, ""))
		if (count++ % EVERY == 0)
			run_with_all_kernels(golden.path, 2 + count % 4);
}
END_TEST

static bool stop_here(void *user, const ai8x_layer_report *report)
{
	unsigned *left = user;
	(void)report;
	return --*left > 0;
}

// A callback that cancels between layers leaves nobody at work: the machine runs again, and can be destroyed.
START_TEST(cancelled_with_threads)
{
	char path[512];
	ai8x_program *program = NULL;
	ck_assert_int_eq(ai8x_program_open(model("digits.h5", path), NULL, &program, NULL), AI8X_OK);
	ai8x_machine *machine = new_machine(program, NULL, 3);
	ai8x_runner_options options = ai8x_runner_options_default();
	for (unsigned first = 1; first < 4; first++) {
		unsigned left = first;
		ai8x_runner_result result;
		options.on_layer = stop_here;
		options.on_layer_user = &left;
		ck_assert_int_eq(ai8x_runner_run(machine, program, &options, &result), AI8X_ERR_CANCELLED);
		ai8x_runner_result_release(&result);
		ai8x_machine_reset(machine);
		options.on_layer = NULL;
		ck_assert_int_eq(ai8x_runner_run(machine, program, &options, &result), AI8X_OK);
		ai8x_runner_result_release(&result);
		ai8x_machine_reset(machine);
	}
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(too_many_threads)
{
	ai8x_machine_options options = ai8x_machine_options_default();
	ai8x_machine *machine;
	ai8x_error error;
	options.threads = AI8X_MAX_THREADS + 1;
	ck_assert_int_eq(ai8x_machine_create(ai8x_part_find("MAX78000"), &options, &machine, &error),
	                 AI8X_ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "65 threads"));
}
END_TEST

// --- Crews -------------------------------------------------------------------------------------------

enum { PIECES = 50, TIMES = 2000 };

struct tally {
	atomic_uint pieces[PIECES];
	atomic_uint strangers; // threads with numbers that there are not
	unsigned threads;
};

static void tally_piece(void *user, unsigned thread, unsigned piece)
{
	struct tally *tally = user;
	atomic_fetch_add(&tally->pieces[piece], 1);
	atomic_fetch_add(&tally->strangers, thread >= tally->threads);
}

// Every piece is done once before crew_do() returns, whoever sleeps or comes too late.
START_TEST(crews_do_each_piece_once)
{
	struct crew *crew = crew_create(4);
	ck_assert_uint_eq(crew_size(NULL), 1);
	ck_assert_uint_ge(crew_size(crew), 1);
	for (unsigned i = 0; i < TIMES; i++) {
		struct tally tally = {.threads = 1 + i % crew_size(crew)};
		crew_do(crew, tally.threads, PIECES, tally_piece, &tally);
		unsigned right = 0;
		for (unsigned p = 0; p < PIECES; p++)
			right += tally.pieces[p] == 1;
		if (right != PIECES || tally.strangers != 0)
			ck_abort_msg("round %u: %u of %d pieces were done once", i, right, PIECES);
		// Some rounds find everybody asleep.
		if (i % 200 == 0)
			(void)nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
	}
	crew_destroy(crew);
	crew_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("threads");
	TCase *tcase = tcase_create("threads");
	tcase_set_timeout(tcase, 900);
	tcase_add_test(tcase, all_at_once);
	tcase_add_loop_test(tcase, threads_of_an_inference, 0, 5);
	tcase_add_loop_test(tcase, threads_of_golden_programs, 0, 2);
	tcase_add_test(tcase, cancelled_with_threads);
	tcase_add_test(tcase, too_many_threads);
	tcase_add_test(tcase, crews_do_each_piece_once);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
