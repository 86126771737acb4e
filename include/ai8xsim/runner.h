/**
 * @file runner.h
 * @brief Carries out a program on a machine and compares every expected word.
 *
 * Example: examples/event.c.
 */
#ifndef AI8XSIM_RUNNER_H
#define AI8XSIM_RUNNER_H

#include "machine.h"
#include "program.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Cycles after which a run is given up: 20 s of the MAX78000, hundreds of times any useful network. */
#define AI8X_RUNNER_DEFAULT_MAX_CYCLES UINT64_C(1000000000)

/** Settings of a run. Always start from ai8x_runner_options_default(). */
typedef struct ai8x_runner_options {
	uint64_t max_cycles;        /**< give up after this many accelerator cycles (default
	                                AI8X_RUNNER_DEFAULT_MAX_CYCLES); 0: never */
	bool per_layer;             /**< compare each layer's recorded output and memory */
	bool stop_after;            /**< stop after layer @ref stop_layer; EXPECTs after RUN are then skipped */
	uint32_t stop_layer;        /**< number in the program; the register set where nothing is recorded */
	uint32_t fifo_write_cycles; /**< accelerator cycles between two FIFO writes of the host (bus pace) */
	size_t max_mismatches;      /**< differing words to keep (all are counted) */
	ai8x_event_fn observer;     /**< receives events, or NULL */
	uint32_t observer_kinds;
	void *observer_user;
	ai8x_layer_fn on_layer; /**< called after every layer (the runner takes the machine's own callback) */
	void *on_layer_user;
	void *reserved[8]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_runner_options;

/** @brief The default settings. */
AI8X_API ai8x_runner_options ai8x_runner_options_default(void);

/** One differing word. */
typedef struct ai8x_mismatch {
	uint32_t address, expected, got, mask;
	int layer;   /**< layer whose output it is, or -1 where unknown */
	bool tensor; /**< a value of a layer's output tensor (expected/got are the values), not a word */
	int channel, row, column; /**< of the first differing byte (or value), or -1 */
} ai8x_mismatch;

/** What became of one layer. */
typedef struct ai8x_runner_layer {
	uint32_t number;   /**< number in the program; the register set where the program
	                                records no layers; else see AI8X_PROGRAM_UNRECORDED */
	uint32_t hw_layer; /**< register set */
	bool recorded;     /**< the program has this layer */
	bool finished;     /**< ran to its end */
	uint64_t cycles;
	uint64_t macs; /**< that the accelerator does, see ai8x_layer_macs() */
	bool compared; /**< recorded results were compared */
	bool pass;     /**< true when nothing differed (or nothing was compared) */
	uint64_t checks, mismatches;
	bool exact_engine;      /**< executed cycle by cycle */
	char exact_reason[128]; /**< why, in a few words, or "" */
} ai8x_runner_layer;

/** Outcome of a run. Release with ai8x_runner_result_release(). */
typedef struct ai8x_runner_result {
	ai8x_status status;              /**< AI8X_OK: ran to the end (checks may have failed), else why not */
	char message[AI8X_MESSAGE_SIZE]; /**< why not; with AI8X_OK a remark on failed checks, or "" */
	bool pass;                       /**< ran to the end and every check held */
	bool cycles_exact;               /**< false: cycles are an estimate */
	uint64_t checks, mismatches;     /**< EXPECT words, and with per_layer the recorded words and values */
	uint64_t cycles;                 /**< whole run with its start cycle */
	double simulated_seconds;        /**< cycles at the part's clock */
	double wall_seconds;
	size_t layer_count;
	ai8x_runner_layer *layers;
	size_t mismatch_count; /**< kept ones */
	ai8x_mismatch *mismatch;
	int first_bad_layer; /**< first layer (in run order) with a mismatch, or -1 */
} ai8x_runner_result;

/**
 * @brief Carries out all operations of @p program on @p machine (which should be fresh).
 * @return the same as result->status
 */
AI8X_API ai8x_status ai8x_runner_run(ai8x_machine *machine, const ai8x_program *program,
                                     const ai8x_runner_options *options, ai8x_runner_result *result);

/** @brief Carries out the operations before RUN only, the starting write included. */
AI8X_API ai8x_status ai8x_runner_load(ai8x_machine *machine, const ai8x_program *program, ai8x_error *error);

/**
 * @brief Writes what a machine computed as a program file, whole or not at all.
 *
 * The file holds the operations of @p program, the outputs and memory words of all layers that ran, as
 * they came out, and data memory as it is now. The machine must have been made with capture_outputs.
 */
AI8X_API ai8x_status ai8x_runner_dump(const ai8x_machine *machine, const ai8x_program *program,
                                      const char *path, ai8x_error *error);

/** @brief Frees what a result owns. */
AI8X_API void ai8x_runner_result_release(ai8x_runner_result *result);

#ifdef __cplusplus
}
#endif
#endif
