// Evaluation and the sharing out of work: every chunk is kept exactly once, whatever ranks do; scores are those of
// plain sums over runs made one by one.
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <hdf5.h>

#include <ai8xsim/ai8xsim.h>

#include "runner/work.h"

// --- Ranks that are threads of this process ----------------------------------------------------------

enum { MAX_RANKS = 4, CHUNKS = 300 };

struct mail {
	struct mail *next;
	unsigned from;
	size_t size;
	uint8_t bytes[];
};

struct office {
	pthread_mutex_t mutex;
	struct mail *first[MAX_RANKS], **last[MAX_RANKS];
};

struct post_cluster {
	ai8x_cluster public;
	struct office *office;
	struct mail *current;
	unsigned messages_until_mute; // 0: never
	bool mute;
};

static ai8x_status post_send(ai8x_cluster *cluster, unsigned to, const void *bytes, size_t size,
                             ai8x_error *error)
{
	(void)error;
	struct post_cluster *self = (struct post_cluster *)cluster;
	if (self->messages_until_mute > 0 && --self->messages_until_mute == 0)
		self->mute = true;
	if (self->mute)
		return AI8X_OK;
	struct mail *mail = malloc(sizeof *mail + size);
	*mail = (struct mail){.from = cluster->rank, .size = size};
	memcpy(mail->bytes, bytes, size);
	pthread_mutex_lock(&self->office->mutex);
	*self->office->last[to] = mail;
	self->office->last[to] = &mail->next;
	pthread_mutex_unlock(&self->office->mutex);
	return AI8X_OK;
}

static ai8x_status post_receive(ai8x_cluster *cluster, unsigned *from, const void **bytes, size_t *size,
                                ai8x_error *error)
{
	(void)error;
	struct post_cluster *self = (struct post_cluster *)cluster;
	free(self->current);
	pthread_mutex_lock(&self->office->mutex);
	self->current = self->office->first[cluster->rank];
	if (self->current != NULL) {
		self->office->first[cluster->rank] = self->current->next;
		if (self->current->next == NULL)
			self->office->last[cluster->rank] = &self->office->first[cluster->rank];
	}
	pthread_mutex_unlock(&self->office->mutex);
	if (self->current == NULL)
		return AI8X_WAITING;
	*from = self->current->from;
	*bytes = self->current->bytes;
	*size = self->current->size;
	return AI8X_OK;
}

// --- A piece of work ---------------------------------------------------------------------------------

struct task {
	unsigned rank;
	unsigned fails_at; // the chunk with this number fails on this rank; 0: none
	bool cancels;
	unsigned kept[CHUNKS];
	uint64_t right;
	size_t kept_count;
	unsigned pulses;
};

static ai8x_status task_open(void *user, void **worker, ai8x_error *error)
{
	(void)user;
	(void)error;
	*worker = malloc(1);
	return AI8X_OK;
}

static ai8x_status task_run(void *user, void *worker, size_t chunk, const atomic_bool *stop, void *result,
                            size_t *size, ai8x_error *error)
{
	const struct task *task = user;
	(void)worker;
	if (atomic_load(stop))
		return AI8X_ERR_CANCELLED;
	if (task->fails_at > 0 && chunk >= task->fails_at) {
		error->status = AI8X_ERR_STALLED;
		(void)snprintf(error->message, sizeof error->message, "rank %u cannot", task->rank);
		return AI8X_ERR_STALLED;
	}
	// Work that is to be stopped on its way takes longer than the pulse that stops it.
	(void)nanosleep(&(struct timespec){.tv_nsec = task->cancels ? 20000000 : 1000000}, NULL);
	const uint64_t value = chunk * 7 + 3;
	memcpy(result, &value, sizeof value);
	*size = sizeof value;
	return AI8X_OK;
}

static ai8x_status task_take(void *user, size_t chunk, const void *result, size_t size, ai8x_error *error)
{
	struct task *task = user;
	uint64_t value = 0;
	(void)error;
	if (size == sizeof value)
		memcpy(&value, result, sizeof value);
	task->kept[chunk]++;
	task->kept_count++;
	task->right += value == chunk * 7 + 3;
	return AI8X_OK;
}

static ai8x_status task_pulse(void *user, ai8x_error *error)
{
	struct task *task = user;
	task->pulses++;
	if (!task->cancels || task->kept_count < CHUNKS / 10)
		return AI8X_OK;
	*error = (ai8x_error){AI8X_ERR_CANCELLED, "enough"};
	return AI8X_ERR_CANCELLED;
}

struct rank {
	struct post_cluster cluster;
	struct task task;
	uint64_t identity;
	bool refuses;
	const uint8_t *done;
	ai8x_status status;
	ai8x_error error;
	pthread_t thread;
};

static void *run_rank(void *argument)
{
	struct rank *rank = argument;
	const struct work work = {
		.chunks = CHUNKS,
		.done = rank->done,
		.result_size = 8,
		.identity = rank->identity,
		.user = &rank->task,
		.open = task_open,
		.close = free,
		.run = task_run,
		.take = task_take,
		.pulse = task_pulse,
	};
	const ai8x_error reason = {AI8X_ERR_IO, "no file here"};
	if (rank->refuses)
		ai8x_cluster_refuse(&rank->cluster.public, &reason);
	else
		rank->status = work_do(&work, 2, &rank->cluster.public, &rank->error);
	return NULL;
}

static void set_up(struct office *office, struct rank *ranks, unsigned count)
{
	memset(ranks, 0, count * sizeof *ranks);
	pthread_mutex_init(&office->mutex, NULL);
	for (unsigned i = 0; i < count; i++) {
		office->first[i] = NULL;
		office->last[i] = &office->first[i];
		ranks[i].task.rank = i;
		ranks[i].cluster = (struct post_cluster){.public = {.rank = i,
		                                                    .size = count,
		                                                    .silence_seconds = 20,
		                                                    .send = post_send,
		                                                    .receive = post_receive},
		                                         .office = office};
	}
}

static void run_ranks(struct office *office, struct rank *ranks, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		ck_assert_int_eq(pthread_create(&ranks[i].thread, NULL, run_rank, &ranks[i]), 0);
	for (unsigned i = 0; i < count; i++)
		pthread_join(ranks[i].thread, NULL);
	for (unsigned i = 0; i < count; i++) {
		free(ranks[i].cluster.current);
		while (office->first[i] != NULL) {
			struct mail *next = office->first[i]->next;
			free(office->first[i]);
			office->first[i] = next;
		}
	}
	pthread_mutex_destroy(&office->mutex);
}

static void expect_all_once(const struct rank *root)
{
	ck_assert_msg(root->status == AI8X_OK, "%s", root->error.message);
	ck_assert_uint_eq(root->task.kept_count, CHUNKS);
	ck_assert_uint_eq(root->task.right, CHUNKS);
	for (size_t i = 0; i < CHUNKS; i++)
		ck_assert_uint_eq(root->task.kept[i], 1);
}

START_TEST(test_ranks_share)
{
	struct office office;
	struct rank ranks[MAX_RANKS];
	set_up(&office, ranks, MAX_RANKS);
	run_ranks(&office, ranks, MAX_RANKS);
	expect_all_once(&ranks[0]);
	ck_assert_uint_eq(ranks[0].cluster.public.lost, 0);
	for (unsigned i = 1; i < MAX_RANKS; i++) {
		ck_assert_int_eq(ranks[i].status, AI8X_OK);
		ck_assert_uint_eq(ranks[i].task.kept_count, 0);
	}
}
END_TEST

// A rank that stops talking in the midst of its work.
START_TEST(test_silent_rank)
{
	struct office office;
	struct rank ranks[3];
	set_up(&office, ranks, 3);
	ranks[0].cluster.public.silence_seconds = 2.5;
	ranks[2].cluster.messages_until_mute = 5;
	run_ranks(&office, ranks, 3);
	expect_all_once(&ranks[0]);
	ck_assert_uint_eq(ranks[0].cluster.public.lost, 1);
	ck_assert_uint_eq(ranks[0].cluster.public.silent, 1);
}
END_TEST

START_TEST(test_failing_rank)
{
	struct office office;
	struct rank ranks[3];
	set_up(&office, ranks, 3);
	ranks[1].task.fails_at = 20;
	ranks[2].refuses = true;
	run_ranks(&office, ranks, 3);
	expect_all_once(&ranks[0]);
	ck_assert_uint_eq(ranks[0].cluster.public.lost, 2);
	ck_assert_uint_eq(ranks[0].cluster.public.silent, 0);
	ck_assert_int_eq(ranks[1].status, AI8X_ERR_STALLED);
}
END_TEST

START_TEST(test_rank_with_other_data)
{
	struct office office;
	struct rank ranks[2];
	set_up(&office, ranks, 2);
	ranks[1].identity = 1;
	run_ranks(&office, ranks, 2);
	expect_all_once(&ranks[0]);
	ck_assert_uint_eq(ranks[0].cluster.public.lost, 1);
}
END_TEST

START_TEST(test_root_refuses)
{
	struct office office;
	struct rank ranks[3];
	set_up(&office, ranks, 3);
	ranks[0].refuses = true;
	ranks[2].refuses = true;
	run_ranks(&office, ranks, 3);
	ck_assert_int_eq(ranks[1].status, AI8X_OK);
	ck_assert_uint_eq(ranks[0].cluster.public.silent, 0);
}
END_TEST

START_TEST(test_root_fails)
{
	struct office office;
	struct rank ranks[3];
	set_up(&office, ranks, 3);
	for (unsigned i = 0; i < 3; i++)
		ranks[i].task.fails_at = 40;
	run_ranks(&office, ranks, 3);
	ck_assert_int_eq(ranks[0].status, AI8X_ERR_STALLED);
	ck_assert_str_eq(ranks[0].error.message, "rank 0 cannot");
	ck_assert_uint_le(ranks[0].task.kept_count, 40);
}
END_TEST

START_TEST(test_cancel)
{
	struct office office;
	struct rank ranks[2];
	set_up(&office, ranks, 2);
	ranks[0].task.cancels = ranks[1].task.cancels = true;
	run_ranks(&office, ranks, 2);
	ck_assert_int_eq(ranks[0].status, AI8X_ERR_CANCELLED);
	ck_assert_uint_ge(ranks[0].task.kept_count, CHUNKS / 10);
	ck_assert_uint_lt(ranks[0].task.kept_count, CHUNKS);
}
END_TEST

START_TEST(test_done_before)
{
	struct office office;
	struct rank ranks[2];
	uint8_t done[CHUNKS];
	set_up(&office, ranks, 2);
	for (size_t i = 0; i < CHUNKS; i++)
		done[i] = i % 3 == 0;
	ranks[0].done = done;
	run_ranks(&office, ranks, 2);
	ck_assert_int_eq(ranks[0].status, AI8X_OK);
	for (size_t i = 0; i < CHUNKS; i++)
		ck_assert_uint_eq(ranks[0].task.kept[i], i % 3 != 0);
}
END_TEST

// --- Evaluation --------------------------------------------------------------------------------------

enum { INPUTS = 70, PIXELS = 64, CLASSES = 10 };

static const char *model(const char *file, char path[512])
{
	const char *source = getenv("AI8XSIM_SOURCE");
	(void)snprintf(path, 512, "%s/models/digits/%s", source != NULL ? source : ".", file);
	return path;
}

static void write_table(hid_t file, const char *name, hid_t type, int rank, const hsize_t *sides,
                        const void *values)
{
	hid_t space = H5Screate_simple(rank, sides, NULL);
	hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
	ck_assert_int_ge(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
	H5Dclose(set);
	H5Sclose(space);
}

static void make_data(const char *path, const int8_t *inputs, const int64_t *labels)
{
	hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
	write_table(file, "input", H5T_NATIVE_INT8, 4, (hsize_t[]){INPUTS, 1, 8, 8}, inputs);
	write_table(file, "labels", H5T_NATIVE_INT64, 1, (hsize_t[]){INPUTS}, labels);
	H5Fclose(file);
}

struct expected {
	int32_t outputs[INPUTS][CLASSES];
	uint64_t top1, top5, confusion[CLASSES][CLASSES];
};

static int descending(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;
	return *left < *right ? 1 : *left > *right ? -1 : 0;
}

// By sorting, which the library does not do. Larger values first, of equal ones the first channel.
static void score_one(struct expected *expected, size_t i, int64_t label)
{
	int64_t keys[CLASSES];
	for (int c = 0; c < CLASSES; c++)
		keys[c] = (int64_t)expected->outputs[i][c] * 16 + (15 - c);
	qsort(keys, CLASSES, sizeof keys[0], descending);
	for (int place = 0; place < 5; place++) {
		const int64_t channel = 15 - (keys[place] & 15);
		expected->top1 += place == 0 && channel == label;
		expected->top5 += channel == label;
		if (place == 0)
			expected->confusion[label][channel]++;
	}
}

static void expect_one_by_one(const ai8x_program *program, const int8_t *inputs, const int64_t *labels,
                              struct expected *expected)
{
	ai8x_batch *batch;
	ai8x_batch_worker *worker;
	ai8x_error error;
	memset(expected, 0, sizeof *expected);
	ck_assert_int_eq(ai8x_batch_create(program, NULL, &batch, &error), AI8X_OK);
	ck_assert_int_eq(ai8x_batch_worker_create(batch, &worker, &error), AI8X_OK);
	for (size_t i = 0; i < INPUTS; i++) {
		ck_assert_int_eq(ai8x_batch_run(worker, inputs + i * PIXELS, expected->outputs[i], &error), AI8X_OK);
		score_one(expected, i, labels[i]);
	}
	ai8x_batch_worker_destroy(worker);
	ai8x_batch_destroy(batch);
}

static void expect_file(const char *path, const struct expected *expected)
{
	static int32_t outputs[INPUTS][CLASSES];
	hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
	ck_assert_int_ge(file, 0);
	hid_t set = H5Dopen2(file, "output", H5P_DEFAULT);
	ck_assert_int_ge(H5Dread(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, outputs), 0);
	H5Dclose(set);
	H5Fclose(file);
	ck_assert_mem_eq(outputs, expected->outputs, sizeof outputs);
}

static bool stop_half_way(void *user, const ai8x_eval_progress *progress)
{
	(void)user;
	return progress->done < progress->inputs / 2;
}

START_TEST(test_evaluation)
{
	static struct expected expected;
	static int8_t inputs[INPUTS * PIXELS];
	int64_t labels[INPUTS];
	char path[512], folder[] = "/tmp/ai8xsim-eval-XXXXXX", data[64], output[64], part[80];
	ai8x_program *program;
	ai8x_error error = {0};
	ai8x_eval_result result;
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(data, sizeof data, "%s/data.h5", folder);
	(void)snprintf(output, sizeof output, "%s/out.h5", folder);
	(void)snprintf(part, sizeof part, "%s.part", output);
	for (size_t i = 0; i < sizeof inputs; i++)
		inputs[i] = (int8_t)(uint8_t)((i * i * 31 + i * 17) >> 3);
	for (size_t i = 0; i < INPUTS; i++)
		labels[i] = (int64_t)(i * 7 % CLASSES);
	make_data(data, inputs, labels);
	ck_assert_msg(ai8x_program_open(model("digits.h5", path), NULL, &program, &error) == AI8X_OK, "%s",
	              error.message);
	expect_one_by_one(program, inputs, labels, &expected);
	for (unsigned jobs = 1; jobs <= 3; jobs++) {
		ai8x_eval_options options = ai8x_eval_options_default();
		options.jobs = jobs;
		options.output = output;
		options.machine.engine = jobs == 3 ? AI8X_ENGINE_EXACT : AI8X_ENGINE_AUTO;
		// On the exact engine this takes long enough to be stopped on the way; either way the end is the same.
		options.progress = jobs == 3 ? stop_half_way : NULL;
		ai8x_status status = ai8x_eval(program, data, &options, &result, &error);
		if (status == AI8X_ERR_CANCELLED) {
			ck_assert_int_eq(access(part, F_OK), 0);
			ai8x_eval_release(&result);
			options.progress = NULL;
			status = ai8x_eval(program, data, &options, &result, &error);
			ck_assert_uint_ge(result.progress.resumed, INPUTS / 2);
		}
		ck_assert_msg(status == AI8X_OK, "%s", error.message);
		ck_assert_int_ne(access(part, F_OK), 0);
		ck_assert_uint_eq(result.progress.done, INPUTS);
		ck_assert_uint_eq(result.answers, INPUTS);
		ck_assert_uint_eq(result.top1, expected.top1);
		ck_assert_uint_eq(result.top5, expected.top5);
		ck_assert_mem_eq(result.confusion, expected.confusion, sizeof expected.confusion);
		expect_file(output, &expected);
		ck_assert_int_eq(unlink(output), 0);
		ai8x_eval_release(&result);
	}
	ai8x_program_destroy(program);
	(void)unlink(data);
	(void)rmdir(folder);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("eval");
	TCase *ranks = tcase_create("ranks"), *evaluation = tcase_create("evaluation");
	tcase_set_timeout(ranks, 900);
	tcase_set_timeout(evaluation, 900);
	tcase_add_test(ranks, test_ranks_share);
	tcase_add_test(ranks, test_silent_rank);
	tcase_add_test(ranks, test_failing_rank);
	tcase_add_test(ranks, test_rank_with_other_data);
	tcase_add_test(ranks, test_root_refuses);
	tcase_add_test(ranks, test_root_fails);
	tcase_add_test(ranks, test_cancel);
	tcase_add_test(ranks, test_done_before);
	tcase_add_test(evaluation, test_evaluation);
	suite_add_tcase(suite, ranks);
	suite_add_tcase(suite, evaluation);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
