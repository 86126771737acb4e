/**
 * @file sweep.h
 * @brief A grid over parameters of a network: what each combination costs in time and memory.
 *
 * The specification, a YAML file, is described in docs/sweep.md. No weights are needed and nothing is run: networks
 * are compiled by their shapes, and timed in closed form.
 *
 * Example: examples/sweep.c.
 */
#ifndef AI8XSIM_SWEEP_H
#define AI8XSIM_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cluster.h"
#include "network.h"
#include "part.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most points of a grid. */
#define AI8X_SWEEP_MAX_POINTS 200000u
/** Most axes of a grid. */
#define AI8X_SWEEP_MAX_AXES 16u

/** What a network costs on a part. */
typedef struct ai8x_cost {
	uint64_t cycles; /**< of one inference */
	uint64_t macs;   /**< multiply-accumulates that the accelerator does */
	double seconds;  /**< of one inference, at the clock that generated software sets up */
	double joules;   /**< above idle; estimate, see AI8X_ENERGY_ERROR */
	uint64_t kernel_words, kernel_capacity; /**< 72-bit words of kernel memory occupied, and of the part */
	uint64_t data_words, data_capacity;     /**< 32-bit words of data memory occupied at most at one time */
	uint64_t reserved[8];                   /**< room to grow without breaking the ABI (docs/versions.md) */
} ai8x_cost;

/**
 * @brief What one inference of a resolved network costs, without weights and without a run: for searches.
 *
 * Deterministic, and safe to call from many threads with one network.
 * @param network  is not changed
 * @return AI8X_OK, or AI8X_ERR_NETWORK with layer and limit where the part cannot run the network; @p cost is then
 *         not written
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_network_cost(const ai8x_network *network, const ai8x_part *part,
                                                    ai8x_cost *cost, ai8x_error *error);

/** What a point of the grid costs. */
typedef struct ai8x_sweep_point {
	ai8x_status status; /**< AI8X_OK, or why the part cannot run the network; AI8X_ERR_NOT_STARTED before
                             ai8x_sweep_run() */
	char message[200];
	char part[16];
	uint64_t cycles;                        /**< of one inference */
	uint64_t macs;                          /**< multiply-accumulates */
	uint64_t parameters;                    /**< weights and biases */
	uint64_t weight_bytes;                  /**< what they take, packed without gaps */
	uint64_t kernel_words, kernel_capacity; /**< kernel memory occupied, and of the part */
	uint64_t data_words, data_capacity;     /**< data memory occupied at most at one time */
	double seconds; /**< of one inference, at the clock that generated software sets up */
	double joules;  /**< estimate, see ai8x_energy_error() */
	bool best;      /**< no other point is at least as good in both objectives and better in one */
	bool tied;      /**< among the best, and equal in both objectives to an earlier point */
	uint32_t ties;  /**< of the first of such points: how many more there are */
} ai8x_sweep_point;

/** A grid. Destroy with ai8x_sweep_destroy(). */
typedef struct ai8x_sweep ai8x_sweep;

/**
 * @brief Reads a specification and the network it names; checks that every parameter is one of the network.
 *
 * Weights that the network's description names tell channel counts that neither it nor the specification gives.
 * @param input_shape  C, H, W of the input where the description does not tell it, or NULL
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_sweep_open(const char *path, const uint32_t *input_shape,
                                                  ai8x_sweep **sweep, ai8x_error *error);
/** @brief Frees a grid. NULL is allowed. Does nothing in the callback of its own run. */
AI8X_API_EXPERIMENTAL void ai8x_sweep_destroy(ai8x_sweep *sweep);

/** Settings of ai8x_sweep_run(). Zero-initialise, and set jobs. */
typedef struct ai8x_sweep_options {
	unsigned jobs;         /**< threads, 1 to 4096 */
	ai8x_cluster *cluster; /**< the processes that share the work, or NULL. All call ai8x_sweep_run() alike */
	/**
	 * Called about ten times a second, or NULL. May only read the grid. Returning false stops with AI8X_ERR_CANCELLED.
	 */
	bool (*progress)(void *user, size_t done, size_t points);
	void *user;
	void *reserved[8]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_sweep_options;

/**
 * @brief Computes all points. Results do not depend on the number of threads.
 * @return AI8X_OK, AI8X_ERR_CANCELLED, AI8X_ERR_NO_MEMORY, or AI8X_ERR_ARGUMENT: null, jobs that are not 1 to 4096, or
 *         called from the callback of the same grid's run
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_sweep_run(ai8x_sweep *sweep, const ai8x_sweep_options *options,
                                                 ai8x_error *error);

/** @brief The file with the network, as the specification names it: never write to it. */
AI8X_API_EXPERIMENTAL const char *ai8x_sweep_network_path(const ai8x_sweep *sweep);

/** @brief Name of the network. */
AI8X_API_EXPERIMENTAL const char *ai8x_sweep_name(const ai8x_sweep *sweep);
/** @brief Number of points: the product of the numbers of values of all axes. */
AI8X_API_EXPERIMENTAL size_t ai8x_sweep_point_count(const ai8x_sweep *sweep);
/** @brief A point, the last axis running fastest, or NULL. */
AI8X_API_EXPERIMENTAL const ai8x_sweep_point *ai8x_sweep_point_at(const ai8x_sweep *sweep, size_t index);
/** @brief Number of axes. */
AI8X_API_EXPERIMENTAL size_t ai8x_sweep_axis_count(const ai8x_sweep *sweep);
/** @brief Name of an axis. */
AI8X_API_EXPERIMENTAL const char *ai8x_sweep_axis_name(const ai8x_sweep *sweep, size_t axis);
/** @brief Value of an axis at a point, as text. */
AI8X_API_EXPERIMENTAL const char *ai8x_sweep_value(const ai8x_sweep *sweep, size_t point, size_t axis);
/** @brief Writes one line per point, with a heading. */
AI8X_API_EXPERIMENTAL void ai8x_sweep_csv(const ai8x_sweep *sweep, FILE *file);
/** @brief Writes an HDF5 file, whole or not at all. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_sweep_hdf5(const ai8x_sweep *sweep, const char *path,
                                                  ai8x_error *error);
/** @brief Writes a self-contained page: both objectives of all points as a picture, the best ones as a table. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_sweep_html(const ai8x_sweep *sweep, FILE *file, ai8x_error *error);

#ifdef __cplusplus
}
#endif
#endif
