/**
 * @file cluster.h
 * @brief Several processes that share the work of one command: how they talk to each other.
 *
 * The library shares out work (ai8x_eval(), ai8x_sweep()) over any message passing that fills in this table; the
 * program `ai8xsim` has one for MPI (docs/cluster.md). Rank 0 deals out work, collects results and writes files;
 * it works too. The others compute only.
 *
 * Example: examples/cluster.c.
 */
#ifndef AI8XSIM_CLUSTER_H
#define AI8XSIM_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A process among those that share work. All functions are called by one thread. */
typedef struct ai8x_cluster ai8x_cluster;
struct ai8x_cluster {
	unsigned rank; /**< of this process, 0 .. size - 1 */
	unsigned size; /**< number of processes */
	double
		silence_seconds; /**< a rank that is silent for so long counts as lost: its work is done elsewhere */
	unsigned lost;       /**< rank 0, afterwards: number of ranks that did not stay to the end */
	unsigned silent;     /**< of which never said good-bye: nobody should wait for them */

	/** @brief Sends a message and keeps no pointer to it. Messages of a pair arrive in order. */
	ai8x_status (*send)(ai8x_cluster *cluster, unsigned to, const void *bytes, size_t size,
	                    ai8x_error *error);
	/**
	 * @brief Takes the next message, from any rank, without waiting.
	 * @param bytes  receives a pointer that stays valid until the next call
	 * @return AI8X_OK; AI8X_WAITING: none is there
	 */
	ai8x_status (*receive)(ai8x_cluster *cluster, unsigned *from, const void **bytes, size_t *size,
	                       ai8x_error *error);
	/** @brief Rank 0: told when a rank is lost, with the reason. May be NULL. */
	void (*notice)(ai8x_cluster *cluster, unsigned rank, const char *reason);
};

/**
 * @brief Takes part without working, for a process that cannot even begin: rank 0 sends the others home, any other
 *        rank excuses itself. Other processes may be in ai8x_eval() or ai8x_sweep(). NULL is allowed.
 */
AI8X_API_EXPERIMENTAL void ai8x_cluster_refuse(ai8x_cluster *cluster, const ai8x_error *error);

#ifdef __cplusplus
}
#endif
#endif
