// Many programs at the same time; see cli_jobs.h.
#include "cli_jobs.h"

#include <pthread.h>

struct pool {
	void (*work)(void *user, size_t index);
	void *user;
	pthread_mutex_t mutex;
	size_t count, next, done;
};

static void *worker(void *user)
{
	struct pool *pool = user;
	for (;;) {
		(void)pthread_mutex_lock(&pool->mutex);
		size_t index = pool->next;
		if (index < pool->count)
			pool->next++;
		(void)pthread_mutex_unlock(&pool->mutex);
		if (index >= pool->count)
			return NULL;
		pool->work(pool->user, index);
		(void)pthread_mutex_lock(&pool->mutex);
		pool->done++;
		if (pool->count > 1)
			cli_progress("%zu of %zu programs", pool->done, pool->count);
		(void)pthread_mutex_unlock(&pool->mutex);
	}
}

void cli_jobs_run(unsigned jobs, size_t count, void (*work)(void *user, size_t index), void *user)
{
	struct pool pool = {.work = work, .user = user, .count = count};
	pthread_t threads[CLI_MAX_JOBS];
	size_t wanted = jobs < count ? jobs : count, started = 0;
	(void)pthread_mutex_init(&pool.mutex, NULL);
	// This thread works too; when the system has no threads left, the others do the work.
	while (started + 1 < wanted && pthread_create(&threads[started], NULL, worker, &pool) == 0)
		started++;
	(void)worker(&pool);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_mutex_destroy(&pool.mutex);
	cli_progress_clear();
}
