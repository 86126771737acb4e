// Work in chunks, shared out to threads and to the ranks of a cluster; see work.c.
#ifndef AI8X_RUNNER_WORK_H
#define AI8X_RUNNER_WORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/cluster.h>

struct work {
	size_t chunks;
	const uint8_t *done; // [chunks], those that are done already; or NULL
	size_t result_size;  // bytes a chunk's result has at most
	uint64_t identity;   // what is worked on: a rank that sees anything else is sent away
	void *user;
	// What one thread needs to run chunks.
	ai8x_status (*open)(void *user, void **worker, ai8x_error *error);
	void (*close)(void *worker);
	// Computes a chunk; returns AI8X_ERR_CANCELLED soon after *stop is set.
	ai8x_status (*run)(void *user, void *worker, size_t chunk, const atomic_bool *stop, void *result,
	                   size_t *size, ai8x_error *error);
	// Keeps a result. Rank 0 only, each chunk once, in any order, never at the same time.
	ai8x_status (*take)(void *user, size_t chunk, const void *result, size_t size, ai8x_error *error);
	// Called by the main thread of rank 0 about ten times a second, never during take(). Anything but AI8X_OK
	// ends the work.
	ai8x_status (*pulse)(void *user, ai8x_error *error);
};

// Does all chunks on `jobs` threads of each rank. cluster may be NULL.
ai8x_status work_do(const struct work *work, unsigned jobs, ai8x_cluster *cluster, ai8x_error *error);

// In place of work_do() on a rank that cannot take part: rank 0 sends all others home, others excuse themselves.
void work_refuse(ai8x_cluster *cluster, ai8x_status status, const ai8x_error *error);

#endif
