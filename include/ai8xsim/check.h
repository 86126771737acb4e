/**
 * @file check.h
 * @brief The sanitizer: what is wrong with a program, and why.
 *
 * A check observes a machine while a program runs on it, shadows every byte lane of data memory, every
 * kernel word, bias entry and register, and reports hazards. All classes are described in docs/check.md.
 *
 * The short way is ai8x_check_program(). Whoever drives a machine by other means uses
 * ai8x_check_create(), ai8x_check_attach(), and after the run ai8x_check_finish().
 *
 * Example: examples/check.c.
 */
#ifndef AI8XSIM_CHECK_H
#define AI8XSIM_CHECK_H

#include "machine.h"
#include "program.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ai8x_network;

/** How bad a finding is. */
typedef enum ai8x_severity {
	AI8X_SEVERITY_INFO,    /**< worth knowing, results are not affected */
	AI8X_SEVERITY_WARNING, /**< suspicious; results may be affected */
	AI8X_SEVERITY_ERROR,   /**< results are wrong, undefined, or never come */
} ai8x_severity;

/** @brief Name of a severity: "warning". */
AI8X_API const char *ai8x_severity_name(ai8x_severity severity);

/** Classes of findings. The names (ai8x_check_class_info::name) are stable. */
typedef enum ai8x_check_class {
	AI8X_CHECK_DATA_UNWRITTEN,       /**< reads data memory that nobody wrote */
	AI8X_CHECK_DATA_OVERWRITTEN,     /**< reads data of which another layer has overwritten a part */
	AI8X_CHECK_DATA_SELF,            /**< overwrites its own input before having read it */
	AI8X_CHECK_DATA_RANGE,           /**< reads or writes outside data memory */
	AI8X_CHECK_OUTPUT_OVERLAP,       /**< a layer's output is overwritten before anybody has read it */
	AI8X_CHECK_OUTPUT_UNUSED,        /**< a layer's output has no influence on the result */
	AI8X_CHECK_OUTPUT_UNWRITTEN,     /**< the result is read where no layer wrote it */
	AI8X_CHECK_RESULT,               /**< a word is not what the program expects */
	AI8X_CHECK_KERNEL_UNWRITTEN,     /**< uses kernels that nobody wrote */
	AI8X_CHECK_KERNEL_CONFLICT,      /**< kernel words written twice with different contents */
	AI8X_CHECK_KERNEL_OVERLAP,       /**< two layers take the same kernel memory for different kernels */
	AI8X_CHECK_KERNEL_QUARTERS,      /**< calcx4 kernels are not spread over the four quarters */
	AI8X_CHECK_KERNEL_RANGE,         /**< kernels reach past kernel memory */
	AI8X_CHECK_KERNEL_UNUSED,        /**< kernels were loaded that no layer uses */
	AI8X_CHECK_BIAS_UNWRITTEN,       /**< uses bias entries that nobody wrote */
	AI8X_CHECK_BIAS_CONFLICT,        /**< bias entries written twice with different contents */
	AI8X_CHECK_BIAS_RANGE,           /**< bias entries reach past bias memory */
	AI8X_CHECK_PROCESSOR_EMPTY,      /**< a processor is enabled whose data memory holds nothing */
	AI8X_CHECK_PROCESSOR_MASK,       /**< processors that read and processors with kernels differ */
	AI8X_CHECK_PROCESSOR_MISSING,    /**< a processor has data or kernels but is not enabled */
	AI8X_CHECK_GROUP_START,          /**< a configured group does not take part in the run */
	AI8X_CHECK_GROUP_ORDER,          /**< a group is enabled after the master has started */
	AI8X_CHECK_GROUP_DIFFERS,        /**< groups that run together have different layer registers */
	AI8X_CHECK_LAYER_ILLEGAL,        /**< a layer's registers cannot be executed */
	AI8X_CHECK_LAYER_UNCONFIGURED,   /**< a layer runs that was never configured */
	AI8X_CHECK_LAYER_SKIPPED,        /**< a configured layer does not run */
	AI8X_CHECK_REGISTER_OVERWRITTEN, /**< a layer register is zeroed after it was configured */
	AI8X_CHECK_REGISTER_BITS,        /**< a register is written with bits the part does not have */
	AI8X_CHECK_BUS_RUNNING,          /**< bus access to a memory while the machine runs */
	AI8X_CHECK_BUS_ADDRESS,          /**< bus access to an address where the part has nothing */
	AI8X_CHECK_FIFO_DEADLOCK,        /**< the machine waits for FIFO data that never come */
	AI8X_CHECK_FIFO_OVERFLOW,        /**< more FIFO data than the machine takes */
	AI8X_CHECK_FIFO_DISABLED,        /**< data pushed into a FIFO that feeds nothing */
	AI8X_CHECK_RING_OVERLAP,         /**< rings or outputs of streaming layers overlap */
	AI8X_CHECK_NOT_STARTED,          /**< nothing starts the machine */
	AI8X_CHECK_ENDLESS,              /**< the machine does not come to an end */
	AI8X_CHECK_SATURATION,           /**< many outputs of a layer clip */
	AI8X_CHECK_ACCUMULATOR,          /**< sums leave the range of the accumulator */
	AI8X_CHECK_KERNEL_MISPLACED,     /**< kernels lie where no channel is */
	AI8X_CHECK_BIAS_MISPLACED,       /**< biases lie where no channel is */
	AI8X_CHECK_DATA_WIDTH,           /**< a layer reads what another one wrote as 32-bit words */
	AI8X_CHECK_READ_AHEAD,           /**< read-ahead with input and output in the same RAM */
	AI8X_CHECK_FIFO_FRAME,           /**< a FIFO is enabled, but the frame is empty */
	AI8X_CHECK_FIFO_LANES,           /**< processors that a FIFO feeds only ever get zeros */
	AI8X_CHECK_KERNEL_DIFFERS,       /**< kernels are not the trained ones (ai8x_check_options::trained) */
	AI8X_CHECK_BIAS_DIFFERS,         /**< biases are not the trained ones */
	AI8X_CHECK_KERNEL_TRAINED,       /**< kernels are the trained ones */
	AI8X_CHECK_CLASSES
} ai8x_check_class;

/** What is known of a class, independent of any finding. */
typedef struct ai8x_check_class_info {
	const char *name;       /**< "data-unwritten" */
	const char *title;      /**< in a few words */
	const char *remedy;     /**< what to do about it */
	ai8x_severity severity; /**< the highest its findings have */
} ai8x_check_class_info;

/** @brief The description of a class, or NULL. */
AI8X_API const ai8x_check_class_info *ai8x_check_class_get(unsigned index);
/** @brief Finds a class by name. */
AI8X_API ai8x_status ai8x_check_class_find(const char *name, ai8x_check_class *found);

/** A finding. Repetitions are merged: the place is that of the first one. */
typedef struct ai8x_finding {
	ai8x_check_class kind;
	ai8x_severity severity;
	int layer;       /**< register set of the layer that is to blame, or -1 */
	int other_layer; /**< the other layer involved (the reader, the victim), or -1 */
	int group;       /**< or -1 */
	int processor;   /**< or -1 */
	bool has_address;
	uint32_t address;   /**< bus address */
	int channel;        /**< of the layer that reads (or writes, if nobody reads), or -1 */
	int row, column;    /**< pixel of the same layer, or -1 */
	uint64_t count;     /**< how often it happened: byte lanes, kernel words, writes, ... */
	const char *cause;  /**< what happened, in one or two sentences */
	const char *remedy; /**< what to do about it */
} ai8x_finding;

/** @brief A finding as one paragraph of text. Returns the length it needs, as snprintf does. */
AI8X_API size_t ai8x_finding_describe(const ai8x_finding *finding, char *text, size_t size);

/** Numbers of one layer that ran. */
typedef struct ai8x_check_layer {
	uint32_t index; /**< register set */
	bool finished;
	uint32_t output_bits;
	ai8x_counters counters; /**< outputs, clipped_low, clipped_high, accumulator_min, accumulator_max */
	uint32_t slots;         /**< output channel positions computed ... */
	uint32_t slots_used;    /**< ... and those that have influence on the result */
} ai8x_check_layer;

/** A check and its findings. */
typedef struct ai8x_check ai8x_check;

/** Settings of a check. Zero-initialise for the defaults. */
typedef struct ai8x_check_options {
	uint64_t max_cycles; /**< ai8x_check_program(): give up after this many cycles; 0: the runner's default */
	bool
		ignore_expectations; /**< ai8x_check_program(): expected words are outputs, but their values do not count */
	const struct ai8x_network
		*trained;      /**< what kernels and biases should be: a network with its weights, or what
	                                         ai8x_network_open_weights() reads; must outlive the check. NULL: not
	                                         compared */
	void *reserved[7]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_check_options;

/** @brief A check for machines of @p part. Destroy with ai8x_check_destroy(). @p options may be NULL. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_check_create(const ai8x_part *part, const ai8x_check_options *options,
                                                    ai8x_check **check, ai8x_error *error);
/** @brief Frees a check. NULL is allowed. Detach it from a machine that lives on. */
AI8X_API_EXPERIMENTAL void ai8x_check_destroy(ai8x_check *check);

/** @brief Begins to observe a fresh machine. While observed it uses the exact engine. One machine per check. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_check_attach(ai8x_check *check, ai8x_machine *machine,
                                                    ai8x_error *error);
/** @brief Ends observing. The findings stay. */
AI8X_API_EXPERIMENTAL void ai8x_check_detach(ai8x_check *check);

/**
 * @brief Names words that count as the result, before ai8x_check_finish().
 *
 * Without any, what the bus reads after the run counts, and if nothing is read, all that is left in memory.
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_check_expect(ai8x_check *check, uint32_t address, uint32_t mask);

/**
 * @brief Evaluates everything observed, once: a second call is refused (AI8X_ERR_ARGUMENT).
 * @param status  how the run ended (AI8X_OK, AI8X_ERR_STALLED, ...)
 * @param message what the runner or the machine said, or NULL
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_check_finish(ai8x_check *check, ai8x_status status,
                                                    const char *message, ai8x_error *error);

/**
 * @brief Runs @p program on a machine of its own and checks it.
 * @return AI8X_OK also when the program does not run to its end: that is a finding
 */
AI8X_API ai8x_status ai8x_check_program(const ai8x_program *program, const ai8x_check_options *options,
                                        ai8x_check **check, ai8x_error *error);

/** @brief Number of findings, the worst first. */
AI8X_API size_t ai8x_check_count(const ai8x_check *check);
/** @brief Finding number @p index, or NULL. Valid until the check is destroyed. */
AI8X_API const ai8x_finding *ai8x_check_get(const ai8x_check *check, size_t index);
/** @brief Number of layers that ran. */
AI8X_API size_t ai8x_check_layer_count(const ai8x_check *check);
/** @brief Numbers of the layer that ran as number @p position, or NULL. */
AI8X_API const ai8x_check_layer *ai8x_check_layer_get(const ai8x_check *check, size_t position);

#ifdef __cplusplus
}
#endif
#endif
