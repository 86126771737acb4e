/**
 * @file eval.h
 * @brief A program on a whole data set: outputs, accuracy, confusion matrix, mean intersection over union.
 *
 * Data sets and the file of outputs are described in docs/eval.md. Results do not depend on the number of threads or
 * ranks, nor on interruptions.
 *
 * Example: examples/eval.c.
 */
#ifndef AI8XSIM_EVAL_H
#define AI8XSIM_EVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster.h"
#include "machine.h"
#include "program.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most classes of a confusion matrix. */
#define AI8X_EVAL_MAX_CLASSES 4096
/** Label of a pixel that counts neither as right nor as wrong (unless there are so many classes). */
#define AI8X_EVAL_IGNORE 255

/** How far an evaluation is. */
typedef struct ai8x_eval_progress {
	uint64_t inputs;  /**< all */
	uint64_t done;    /**< of which are done, resumed ones included */
	uint64_t resumed; /**< done by an earlier, interrupted evaluation */
	double seconds;   /**< since the first input was handed out */
} ai8x_eval_progress;

/** Settings. Always start from ai8x_eval_options_default(). */
typedef struct ai8x_eval_options {
	ai8x_machine_options machine;
	unsigned jobs;         /**< threads, 1 to 4096 */
	uint64_t limit;        /**< evaluate the first so many inputs; 0: all */
	const char *labels;    /**< file with labels, or NULL: those of the data set, if it has any */
	bool labels_needed;    /**< fail when there are no labels */
	const char *output;    /**< HDF5 file of outputs, or NULL */
	bool restart;          /**< do not go on with an interrupted evaluation */
	ai8x_cluster *cluster; /**< the processes that share the work, or NULL. All call ai8x_eval() alike */
	/**
	 * @brief Called about ten times a second by the calling thread (rank 0), or NULL. Returning false stops the
	 *        evaluation with AI8X_ERR_CANCELLED: what is done is kept in OUTPUT.part.
	 */
	bool (*progress)(void *user, const ai8x_eval_progress *progress);
	void *user;
	double
		input_scale; /**< the inputs' values are multiplied by it and rounded, as 128 does for values from -1 to 1;
	                         0 and 1: they are taken as they are */
	/**
	 * @brief Called with what was done to the data so that the program can take it (bytes of pictures), in one line, before
	 *        the first input, by the calling thread (rank 0), or NULL.
	 */
	void (*note)(void *user, const char *text);
	void *reserved[6]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_eval_options;

/** What came out. Release with ai8x_eval_release(). Ranks other than 0 get zeros. */
typedef struct ai8x_eval_result {
	ai8x_eval_progress progress;
	uint64_t cycles; /**< of one inference */
	uint32_t input_shape[3], output_shape[3];
	bool labelled;
	bool dense;       /**< labels are of pixels, not of inputs */
	uint32_t classes; /**< channels of the output */
	uint64_t answers; /**< labels that count: of inputs or of pixels */
	uint64_t top1,
		top5; /**< of which the label is (one of) the one (five) largest outputs; equal outputs: the
	                               first channel is taken as larger */
	uint64_t *confusion; /**< [label][answer], classes x classes, or NULL without labels */
	double mean_iou;     /**< mean over classes that occur of hits / (labels + answers - hits) */
} ai8x_eval_result;

/** @brief One thread, all inputs, default machine. */
AI8X_API ai8x_eval_options ai8x_eval_options_default(void);

/**
 * @brief Runs @p program on every input of data set @p data.
 * @return AI8X_OK; AI8X_ERR_CANCELLED as @ref ai8x_eval_options::progress says; AI8X_ERR_FORMAT: the data set is not
 *         one, or not of this program, or OUTPUT.part belongs to something else; AI8X_ERR_UNSUPPORTED as
 *         ai8x_batch_input_shape()
 */
AI8X_API ai8x_status ai8x_eval(const ai8x_program *program, const char *data,
                               const ai8x_eval_options *options, ai8x_eval_result *result, ai8x_error *error);

/** @brief Intersection over union of class @p c, or -1 when neither labels nor answers have it. */
AI8X_API double ai8x_eval_iou(const ai8x_eval_result *result, uint32_t c);

/** @brief Frees what a result owns. */
AI8X_API void ai8x_eval_release(ai8x_eval_result *result);

#ifdef __cplusplus
}
#endif
#endif
