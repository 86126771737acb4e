// Work in chunks. Threads draw chunks when they are free, so that slow and fast ones end together. On a single
// process and on rank 0 of a cluster they draw from the list of all chunks; on other ranks from the few chunks
// that rank 0 has sent ahead. Rank 0 alone keeps results. What a rank was given and has not returned goes back to
// the list when the rank fails or falls silent.
//
// The main thread of each rank does all talking (MPI libraries promise no more by default); it never computes.
#include "runner/work.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"

enum {
	HERE = 0, // owner of chunks that this process computes: rank 0
	NOBODY = -1,
	AHEAD = 2,         // chunks a rank holds for each of its threads: one in work, one to go on with
	TALK_NS = 1000000, // between two looks for messages
	IDLE_NS = 100000000,
};
#define ALIVE_SECONDS 1.0
#define PULSE_SECONDS 0.1

enum message_kind { HELLO, ALIVE, RESULT, FAILED, BYE, CHUNK, STOP };

struct message {
	uint32_t kind;
	uint32_t status;   // FAILED: why
	uint64_t chunk;    // HELLO: number of threads
	uint64_t identity; // HELLO
};

// Result on its way from a thread to rank 0.
struct parcel {
	struct parcel *next;
	size_t size; // of bytes
	struct message message;
	uint8_t bytes[];
};

struct remote {
	bool greeted, lost;     // lost: gets no more work
	bool silent, dismissed; // not heard of for too long; told to stop
	bool gone;              // it said good-bye
	size_t threads, holds;
	double heard;
};

struct pool {
	const struct work *work;
	ai8x_cluster *cluster;
	pthread_mutex_t mutex; // guards everything below
	pthread_cond_t for_threads, for_main;
	pthread_mutex_t taking; // work->take and work->pulse
	atomic_bool stop;
	bool over; // no more chunks will come
	ai8x_status status;
	ai8x_error error;

	// Rank 0: all chunks.
	int *owner; // [chunks]: rank it is with, or NOBODY
	bool *done;
	size_t next, left;
	size_t *returned, returned_count;
	struct remote *remotes;

	// Other ranks: chunks sent ahead, results to send.
	size_t *ahead, ahead_count, ahead_room;
	struct parcel *first, **last;
};

static bool is_root(const struct pool *pool)
{
	return pool->cluster == NULL || pool->cluster->rank == 0;
}

// Remembers the first failure and ends the work. Call with the mutex held.
static void fail(struct pool *pool, ai8x_status status, const ai8x_error *error)
{
	if (pool->status == AI8X_OK) {
		pool->status = status;
		pool->error = *error;
	}
	pool->over = true;
	atomic_store(&pool->stop, true);
	(void)pthread_cond_broadcast(&pool->for_threads);
	(void)pthread_cond_broadcast(&pool->for_main);
}

// --- Chunks ------------------------------------------------------------------------------------------

// Rank 0, mutex held: a chunk that nobody works on.
static bool next_chunk(struct pool *pool, int owner, size_t *chunk)
{
	bool found = false;
	while (!found && pool->returned_count > 0) {
		*chunk = pool->returned[--pool->returned_count];
		found = !pool->done[*chunk];
	}
	while (!found && pool->next < pool->work->chunks) {
		*chunk = pool->next++;
		found = !pool->done[*chunk];
	}
	if (found)
		pool->owner[*chunk] = owner;
	return found;
}

// Rank 0, mutex held: chunks that a rank will not return.
static void take_back(struct pool *pool, unsigned rank)
{
	for (size_t i = 0; i < pool->work->chunks; i++) {
		if (pool->owner[i] == (int)rank && !pool->done[i]) {
			pool->owner[i] = NOBODY;
			pool->returned[pool->returned_count++] = i;
		}
	}
	pool->remotes[rank].holds = 0;
	(void)pthread_cond_broadcast(&pool->for_threads);
}

// Rank 0, mutex not held: keeps a result unless another rank was first.
static void keep(struct pool *pool, size_t chunk, const void *result, size_t size)
{
	ai8x_error error = {0};
	(void)pthread_mutex_lock(&pool->taking);
	(void)pthread_mutex_lock(&pool->mutex);
	const bool wanted = !pool->done[chunk] && pool->status == AI8X_OK;
	(void)pthread_mutex_unlock(&pool->mutex);
	ai8x_status status = wanted ? pool->work->take(pool->work->user, chunk, result, size, &error) : AI8X_OK;
	(void)pthread_mutex_lock(&pool->mutex);
	if (status != AI8X_OK)
		fail(pool, status, &error);
	else if (wanted) {
		pool->done[chunk] = true;
		if (--pool->left == 0) {
			pool->over = true;
			(void)pthread_cond_broadcast(&pool->for_threads);
			(void)pthread_cond_broadcast(&pool->for_main);
		}
	}
	(void)pthread_mutex_unlock(&pool->mutex);
	(void)pthread_mutex_unlock(&pool->taking);
}

// --- Threads -----------------------------------------------------------------------------------------

static bool draw(struct pool *pool, size_t *chunk)
{
	bool found = false;
	(void)pthread_mutex_lock(&pool->mutex);
	while (!found && !pool->over) {
		if (is_root(pool))
			found = next_chunk(pool, HERE, chunk);
		else if (pool->ahead_count > 0) {
			*chunk = pool->ahead[0];
			memmove(pool->ahead, pool->ahead + 1, --pool->ahead_count * sizeof *pool->ahead);
			found = true;
		}
		if (!found)
			(void)pthread_cond_wait(&pool->for_threads, &pool->mutex);
	}
	(void)pthread_mutex_unlock(&pool->mutex);
	return found;
}

static void post(struct pool *pool, struct parcel *parcel)
{
	parcel->next = NULL;
	(void)pthread_mutex_lock(&pool->mutex);
	*pool->last = parcel;
	pool->last = &parcel->next;
	(void)pthread_cond_broadcast(&pool->for_main);
	(void)pthread_mutex_unlock(&pool->mutex);
}

static ai8x_status run_chunk(struct pool *pool, void *worker, size_t chunk, struct parcel **parcel,
                             ai8x_error *error)
{
	const struct work *work = pool->work;
	if (*parcel == NULL)
		*parcel = malloc(sizeof **parcel + work->result_size);
	if (*parcel == NULL)
		return error_no_memory(error, "a result");
	(*parcel)->size = 0;
	ai8x_status status =
		work->run(work->user, worker, chunk, &pool->stop, (*parcel)->bytes, &(*parcel)->size, error);
	if (status != AI8X_OK)
		return status;
	if (is_root(pool)) {
		keep(pool, chunk, (*parcel)->bytes, (*parcel)->size);
		return AI8X_OK;
	}
	(*parcel)->message = (struct message){.kind = RESULT, .chunk = chunk};
	post(pool, *parcel);
	*parcel = NULL;
	return AI8X_OK;
}

static void *run_thread(void *argument)
{
	struct pool *pool = argument;
	struct parcel *parcel = NULL;
	ai8x_error error = {0};
	void *worker = NULL;
	size_t chunk;
	ai8x_status status = pool->work->open(pool->work->user, &worker, &error);
	while (status == AI8X_OK && draw(pool, &chunk))
		status = run_chunk(pool, worker, chunk, &parcel, &error);
	free(parcel);
	if (worker != NULL)
		pool->work->close(worker);
	(void)pthread_mutex_lock(&pool->mutex);
	if (status != AI8X_OK && !(status == AI8X_ERR_CANCELLED && atomic_load(&pool->stop)))
		fail(pool, status, &error);
	(void)pthread_cond_broadcast(&pool->for_main);
	(void)pthread_mutex_unlock(&pool->mutex);
	return NULL;
}

// Waits until something happened, at most `ns`. Mutex held.
static void wait_main(struct pool *pool, long ns)
{
	struct timespec until;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ns;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	(void)pthread_cond_timedwait(&pool->for_main, &pool->mutex, &until);
}

// --- Rank 0 ------------------------------------------------------------------------------------------

static void lose(struct pool *pool, unsigned rank, const char *reason)
{
	struct remote *remote = &pool->remotes[rank];
	if (remote->lost)
		return;
	remote->lost = true;
	pool->cluster->lost++;
	(void)pthread_mutex_lock(&pool->mutex);
	take_back(pool, rank);
	(void)pthread_mutex_unlock(&pool->mutex);
	if (pool->cluster->notice != NULL && pool->work->chunks > 0)
		pool->cluster->notice(pool->cluster, rank, reason);
}

static void tell(struct pool *pool, unsigned rank, const struct message *message)
{
	ai8x_error error;
	if (pool->cluster->send(pool->cluster, rank, message, sizeof *message, &error) != AI8X_OK)
		lose(pool, rank, error.message);
}

static void supply(struct pool *pool, unsigned rank)
{
	struct remote *remote = &pool->remotes[rank];
	size_t chunk;
	while (!remote->lost && remote->greeted && remote->holds < AHEAD * remote->threads) {
		(void)pthread_mutex_lock(&pool->mutex);
		const bool found = !pool->over && next_chunk(pool, (int)rank, &chunk);
		(void)pthread_mutex_unlock(&pool->mutex);
		if (!found)
			break;
		remote->holds++;
		tell(pool, rank, &(struct message){.kind = CHUNK, .chunk = chunk});
	}
}

static void dismiss(struct pool *pool, unsigned rank, const char *reason)
{
	lose(pool, rank, reason);
	pool->remotes[rank].dismissed = true;
	tell(pool, rank, &(struct message){.kind = STOP});
}

static void handle(struct pool *pool, unsigned rank, const uint8_t *bytes, size_t size)
{
	struct remote *remote = &pool->remotes[rank];
	struct message message = {.kind = UINT32_MAX};
	char reason[AI8X_MESSAGE_SIZE] = "";
	if (size >= sizeof message)
		memcpy(&message, bytes, sizeof message);
	remote->heard = clock_seconds();
	switch (message.kind) {
	case HELLO:
		remote->greeted = true;
		remote->threads = message.chunk < 4096 ? (size_t)message.chunk : 4096;
		if (pool->work->chunks > 0 && message.identity != pool->work->identity)
			dismiss(pool, rank, "it sees another program or other data");
		break;
	case RESULT:
		remote->holds -= remote->holds > 0;
		if (message.chunk < pool->work->chunks && size - sizeof message <= pool->work->result_size)
			keep(pool, (size_t)message.chunk, bytes + sizeof message, size - sizeof message);
		break;
	case FAILED:
		memcpy(reason, bytes + sizeof message,
		       size - sizeof message < sizeof reason ? size - sizeof message : sizeof reason - 1);
		dismiss(pool, rank, reason);
		break;
	case BYE:
		remote->gone = true;
		break;
	default:
		break;
	}
	// It was only slow. What it returned is used, but it gets no more.
	if (remote->lost && !remote->dismissed)
		dismiss(pool, rank, "");
}

// Mutex not held: takes all messages there are and hands out chunks.
static void talk(struct pool *pool)
{
	unsigned from;
	const void *bytes;
	size_t size;
	ai8x_error error;
	while (pool->cluster->receive(pool->cluster, &from, &bytes, &size, &error) == AI8X_OK)
		handle(pool, from, bytes, size);
	for (unsigned rank = 1; rank < pool->cluster->size; rank++) {
		supply(pool, rank);
		struct remote *remote = &pool->remotes[rank];
		remote->silent = !remote->gone && clock_seconds() - remote->heard > pool->cluster->silence_seconds;
		if (remote->silent)
			lose(pool, rank, "nothing was heard from it for too long");
	}
}

static void say_good_bye(struct pool *pool)
{
	for (unsigned rank = 1; rank < pool->cluster->size; rank++)
		if (!pool->remotes[rank].dismissed)
			tell(pool, rank, &(struct message){.kind = STOP});
	// A rank may still be sending: it ends when its message has been taken.
	for (bool all = false; !all;) {
		talk(pool);
		all = true;
		for (unsigned rank = 1; rank < pool->cluster->size; rank++)
			all = all && (pool->remotes[rank].gone || pool->remotes[rank].silent);
		if (!all)
			(void)nanosleep(&(struct timespec){.tv_nsec = TALK_NS}, NULL);
	}
	for (unsigned rank = 1; rank < pool->cluster->size; rank++)
		pool->cluster->silent += !pool->remotes[rank].gone;
}

static void lead(struct pool *pool)
{
	double pulsed = 0;
	ai8x_error error = {0};
	const bool alone = pool->cluster == NULL;
	(void)pthread_mutex_lock(&pool->mutex);
	while (!pool->over) {
		wait_main(pool, alone ? IDLE_NS : TALK_NS);
		(void)pthread_mutex_unlock(&pool->mutex);
		if (!alone)
			talk(pool);
		ai8x_status status = AI8X_OK;
		if (clock_seconds() - pulsed >= PULSE_SECONDS) {
			(void)pthread_mutex_lock(&pool->taking);
			status = pool->work->pulse(pool->work->user, &error);
			(void)pthread_mutex_unlock(&pool->taking);
			pulsed = clock_seconds();
		}
		(void)pthread_mutex_lock(&pool->mutex);
		if (status != AI8X_OK)
			fail(pool, status, &error);
	}
	(void)pthread_mutex_unlock(&pool->mutex);
	if (!alone)
		say_good_bye(pool);
}

// --- Other ranks -------------------------------------------------------------------------------------

// Mutex not held: sends results that are ready.
static ai8x_status send_parcels(struct pool *pool, ai8x_error *error)
{
	(void)pthread_mutex_lock(&pool->mutex);
	struct parcel *parcel = pool->first;
	pool->first = NULL;
	pool->last = &pool->first;
	(void)pthread_mutex_unlock(&pool->mutex);
	ai8x_status status = AI8X_OK;
	while (parcel != NULL) {
		struct parcel *next = parcel->next;
		if (status == AI8X_OK)
			status = pool->cluster->send(pool->cluster, 0, &parcel->message,
			                             sizeof parcel->message + parcel->size, error);
		free(parcel);
		parcel = next;
	}
	return status;
}

// Takes messages of rank 0; false: it said stop.
static bool listen(struct pool *pool)
{
	unsigned from;
	const void *bytes;
	size_t size;
	ai8x_error error;
	struct message message;
	while (pool->cluster->receive(pool->cluster, &from, &bytes, &size, &error) == AI8X_OK) {
		if (from != 0 || size < sizeof message)
			continue;
		memcpy(&message, bytes, sizeof message);
		if (message.kind == STOP)
			return false;
		if (message.kind != CHUNK || message.chunk >= pool->work->chunks)
			continue;
		(void)pthread_mutex_lock(&pool->mutex);
		if (pool->ahead_count < pool->ahead_room)
			pool->ahead[pool->ahead_count++] = (size_t)message.chunk;
		(void)pthread_cond_signal(&pool->for_threads);
		(void)pthread_mutex_unlock(&pool->mutex);
	}
	return true;
}

static ai8x_status report_failure(struct pool *pool, ai8x_error *error)
{
	struct {
		struct message message;
		char text[AI8X_MESSAGE_SIZE];
	} report = {{.kind = FAILED, .status = (uint32_t)pool->status}, ""};
	memcpy(report.text, pool->error.message, sizeof report.text);
	return pool->cluster->send(pool->cluster, 0, &report, sizeof report, error);
}

static void follow(struct pool *pool, unsigned jobs)
{
	ai8x_error error = {0};
	bool reported = false;
	double spoke = clock_seconds();
	const struct message hello = {.kind = HELLO, .chunk = jobs, .identity = pool->work->identity};
	ai8x_status status = AI8X_OK;
	if (pool->status == AI8X_OK)
		status = pool->cluster->send(pool->cluster, 0, &hello, sizeof hello, &error);
	while (status == AI8X_OK && listen(pool)) {
		status = send_parcels(pool, &error);
		(void)pthread_mutex_lock(&pool->mutex);
		const bool failed = pool->status != AI8X_OK;
		if (pool->first == NULL)
			wait_main(pool, TALK_NS);
		(void)pthread_mutex_unlock(&pool->mutex);
		if (status == AI8X_OK && failed && !reported) {
			status = report_failure(pool, &error);
			reported = true;
		}
		if (status == AI8X_OK && clock_seconds() - spoke >= ALIVE_SECONDS) {
			status =
				pool->cluster->send(pool->cluster, 0, &(struct message){.kind = ALIVE}, sizeof hello, &error);
			spoke = clock_seconds();
		}
	}
	(void)pthread_mutex_lock(&pool->mutex);
	if (status != AI8X_OK)
		fail(pool, status, &error);
	pool->over = true;
	atomic_store(&pool->stop, true);
	(void)pthread_cond_broadcast(&pool->for_threads);
	(void)pthread_mutex_unlock(&pool->mutex);
	(void)pool->cluster->send(pool->cluster, 0, &(struct message){.kind = BYE}, sizeof hello, &error);
}

// --- All ---------------------------------------------------------------------------------------------

static ai8x_status prepare(struct pool *pool, unsigned jobs, ai8x_error *error)
{
	const struct work *work = pool->work;
	const size_t ranks = pool->cluster != NULL ? pool->cluster->size : 1;
	pthread_condattr_t monotonic;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&pool->mutex, NULL);
	(void)pthread_mutex_init(&pool->taking, NULL);
	(void)pthread_cond_init(&pool->for_threads, NULL);
	(void)pthread_cond_init(&pool->for_main, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	pool->last = &pool->first;
	pool->ahead_room = (size_t)AHEAD * jobs;
	pool->owner = calloc(work->chunks + 1, sizeof *pool->owner);
	pool->done = calloc(work->chunks + 1, sizeof *pool->done);
	pool->returned = calloc(work->chunks + 1, sizeof *pool->returned);
	pool->remotes = calloc(ranks, sizeof *pool->remotes);
	pool->ahead = calloc(pool->ahead_room + 1, sizeof *pool->ahead);
	if (pool->owner == NULL || pool->done == NULL || pool->returned == NULL || pool->remotes == NULL ||
	    pool->ahead == NULL)
		return error_no_memory(error, "the list of work");
	for (size_t i = 0; i < work->chunks; i++) {
		pool->owner[i] = NOBODY;
		pool->done[i] = work->done != NULL && work->done[i] != 0;
		pool->left += !pool->done[i];
	}
	for (size_t i = 0; i < ranks; i++)
		pool->remotes[i].heard = clock_seconds();
	pool->over = is_root(pool) && pool->left == 0;
	return AI8X_OK;
}

static void release(struct pool *pool)
{
	while (pool->first != NULL) {
		struct parcel *next = pool->first->next;
		free(pool->first);
		pool->first = next;
	}
	free(pool->owner);
	free(pool->done);
	free(pool->returned);
	free(pool->remotes);
	free(pool->ahead);
	(void)pthread_mutex_destroy(&pool->mutex);
	(void)pthread_mutex_destroy(&pool->taking);
	(void)pthread_cond_destroy(&pool->for_threads);
	(void)pthread_cond_destroy(&pool->for_main);
}

static unsigned start_threads(struct pool *pool, pthread_t *threads, unsigned jobs)
{
	unsigned started = 0;
	int problem = 0;
	while (started < jobs && problem == 0) {
		problem = pthread_create(&threads[started], NULL, run_thread, pool);
		if (problem == 0)
			started++;
	}
	// Fewer threads than asked for do the same work.
	if (started == 0 && jobs > 0) {
		ai8x_error error;
		(void)error_set(&error, AI8X_ERR_NO_MEMORY, "cannot start a thread: %s", strerror(problem));
		(void)pthread_mutex_lock(&pool->mutex);
		fail(pool, AI8X_ERR_NO_MEMORY, &error);
		(void)pthread_mutex_unlock(&pool->mutex);
	}
	return started;
}

ai8x_status work_do(const struct work *work, unsigned jobs, ai8x_cluster *cluster, ai8x_error *error)
{
	struct pool pool = {.work = work, .cluster = cluster};
	pthread_t *threads = calloc(jobs + 1, sizeof *threads);
	ai8x_status status = prepare(&pool, jobs, error);
	if (threads == NULL && status == AI8X_OK)
		status = error_no_memory(error, "threads");
	if (status == AI8X_OK) {
		const unsigned started = start_threads(&pool, threads, jobs);
		if (is_root(&pool))
			lead(&pool);
		else
			follow(&pool, jobs);
		for (unsigned i = 0; i < started; i++)
			(void)pthread_join(threads[i], NULL);
		status = pool.status;
		if (status != AI8X_OK && error != NULL)
			*error = pool.error;
	}
	release(&pool);
	free(threads);
	return status;
}

void work_refuse(ai8x_cluster *cluster, ai8x_status status, const ai8x_error *error)
{
	static const struct work nothing = {0};
	struct pool pool = {.work = &nothing, .cluster = cluster};
	if (cluster == NULL)
		return;
	if (prepare(&pool, 0, NULL) == AI8X_OK) {
		if (is_root(&pool)) {
			lead(&pool);
		} else {
			(void)pthread_mutex_lock(&pool.mutex);
			fail(&pool, status, error);
			(void)pthread_mutex_unlock(&pool.mutex);
			follow(&pool, 0);
		}
	}
	release(&pool);
}

void ai8x_cluster_refuse(ai8x_cluster *cluster, const ai8x_error *error)
{
	static const ai8x_error unknown = {AI8X_ERR_ARGUMENT, "no reason was given"};
	const ai8x_error *reason = error != NULL ? error : &unknown;
	work_refuse(cluster, reason->status, reason);
}
