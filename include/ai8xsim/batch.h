/**
 * @file batch.h
 * @brief One program, many inputs: load once, run many times, on as many threads as there are workers.
 *
 * A batch is read-only once made and shared by its workers; each worker belongs to one thread at a time. What
 * a worker computes does not depend on other workers, nor on what it ran before.
 *
 * Example: examples/batch.c.
 */
#ifndef AI8XSIM_BATCH_H
#define AI8XSIM_BATCH_H

#include "machine.h"
#include "program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A program prepared for many runs. */
typedef struct ai8x_batch ai8x_batch;
/** One machine that runs inputs of a batch. */
typedef struct ai8x_batch_worker ai8x_batch_worker;

/** Settings of a batch. Always start from ai8x_batch_options_default(). */
typedef struct ai8x_batch_options {
	ai8x_machine_options machine;
	uint64_t max_cycles; /**< of one inference; 0: ten times what the recorded input took */
	bool keep_memory;  /**< start each run with what the last one left in data memory, as a board does that is
	                            not loaded anew; results of programs that read stale data then depend on the order */
	void *reserved[8]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_batch_options;

/** @brief The default settings. */
AI8X_API_EXPERIMENTAL ai8x_batch_options ai8x_batch_options_default(void);

/**
 * @brief Loads @p program and runs it once with its recorded input.
 * @param program  must outlive the batch
 * @return AI8X_OK, or why the program cannot be run: as ai8x_machine_run(), AI8X_ERR_STALLED, AI8X_ERR_FORMAT
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_batch_create(const ai8x_program *program,
                                                    const ai8x_batch_options *options, ai8x_batch **batch,
                                                    ai8x_error *error);
/** @brief Frees a batch whose workers are gone. NULL is allowed. */
AI8X_API_EXPERIMENTAL void ai8x_batch_destroy(ai8x_batch *batch);

/**
 * @brief Shape [C][H][W] of an input.
 * @return AI8X_OK, or AI8X_ERR_UNSUPPORTED when it is not known where a program's input tensor goes (no recorded
 *         input, or one that its bus writes do not show): such a batch runs its recorded input only
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_batch_input_shape(const ai8x_batch *batch, uint32_t shape[3],
                                                         ai8x_error *error);
/** @brief Shape [C][H][W] of the output: the recorded output of the last layer, else its slots. */
AI8X_API_EXPERIMENTAL void ai8x_batch_output_shape(const ai8x_batch *batch, uint32_t shape[3]);
/** @brief Cycles of one inference. */
AI8X_API_EXPERIMENTAL uint64_t ai8x_batch_cycles(const ai8x_batch *batch);

/** @brief A worker; destroy it before its batch. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_batch_worker_create(const ai8x_batch *batch,
                                                           ai8x_batch_worker **worker, ai8x_error *error);
/** @brief Frees a worker. NULL is allowed. */
AI8X_API_EXPERIMENTAL void ai8x_batch_worker_destroy(ai8x_batch_worker *worker);

/**
 * @brief Runs one input.
 * @param input   values -128..127 in the input shape, or NULL: the recorded input
 * @param output  receives the output shape's values, or NULL
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_batch_run(ai8x_batch_worker *worker, const int8_t *input,
                                                 int32_t *output, ai8x_error *error);

/** @brief The worker's machine, for its layer reports and memory views. */
AI8X_API_EXPERIMENTAL ai8x_machine *ai8x_batch_machine(ai8x_batch_worker *worker);

#ifdef __cplusplus
}
#endif
#endif
