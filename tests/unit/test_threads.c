// Eight threads that open, compile, check, run, profile, evaluate and save at the same time, each with handles and
// files of its own: every result is right, and where the build has ThreadSanitizer nothing is shared unguarded.
//
// Two rounds; AI8XSIM_THREAD_SECONDS=60 goes on for a minute.
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ai8xsim/ai8xsim.h>

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

int main(void)
{
	Suite *suite = suite_create("threads");
	TCase *tcase = tcase_create("threads");
	tcase_set_timeout(tcase, 900);
	tcase_add_test(tcase, all_at_once);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
