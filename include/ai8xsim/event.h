/**
 * @file event.h
 * @brief What a running machine tells its observers.
 *
 * Tracing, profiling, checking and progress subscribe to events; the machine does not know them. A kind
 * of event nobody subscribed to costs one test of a bit.
 *
 * Example: examples/event.c.
 */
#ifndef AI8XSIM_EVENT_H
#define AI8XSIM_EVENT_H

#include <stdint.h>

#include "layer.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What the sequencer does in a cycle; also the causes that a layer's cycles are split by. */
typedef enum ai8x_state {
	AI8X_STATE_START,     /**< the one cycle between enable and the first layer */
	AI8X_STATE_READ,      /**< first data word of a window (or operand) */
	AI8X_STATE_POOL_READ, /**< further data words of a pooling window */
	AI8X_STATE_PAD,       /**< a pad pixel takes the place of a read */
	AI8X_STATE_TRAM,      /**< a pooled pixel goes into the line buffer */
	AI8X_STATE_FILL,      /**< pixel done, but no complete kernel window yet: nothing to write */
	AI8X_STATE_OUTPUT,    /**< a kernel (one slot, one pass) is applied, or a time slot written */
	AI8X_STATE_ROW_END,   /**< extra cycle per row of single-slot single-pass layers */
	AI8X_STATE_SEEK,      /**< kernel counter walks to the first kernel (combine-first layers) */
	AI8X_STATE_FLATTEN,   /**< set-up and reads of a flattened layer */
	AI8X_STATE_STALL,     /**< waits for FIFO data */
	AI8X_STATE_PIPELINE,  /**< pipeline on (MAX78002): its stages empty before a pixel of the image is read */
	AI8X_STATE_COUNT
} ai8x_state;

/** @brief Name of a state: "pool-read". */
AI8X_API_EXPERIMENTAL const char *ai8x_state_name(ai8x_state state);

/** Cycle counters of one layer. */
typedef struct ai8x_counters {
	uint64_t state[AI8X_STATE_COUNT]; /**< cycles per state; their sum is the layer's total */
	uint64_t pass_cycles;    /**< of READ, POOL_READ, PAD, TRAM, OUTPUT: those of passes after the first */
	uint64_t words_read;     /**< data memory words read (all instances) */
	uint64_t words_written;  /**< data memory words written */
	uint64_t outputs;        /**< output values computed */
	uint64_t clipped_low;    /**< 8-bit outputs that saturated at -128 */
	uint64_t clipped_high;   /**< 8-bit outputs that saturated at 127 */
	int64_t accumulator_min; /**< least final sum (bias included) */
	int64_t accumulator_max; /**< greatest final sum */
} ai8x_counters;

/** Kinds of events; each is a bit in a subscription. */
typedef enum ai8x_event_kind {
	AI8X_EVENT_RUN_START = 1u << 0,
	AI8X_EVENT_RUN_STOP = 1u << 1,
	AI8X_EVENT_LAYER_START = 1u << 2,
	AI8X_EVENT_LAYER_STOP = 1u << 3,
	AI8X_EVENT_STATE = 1u << 4,         /**< one per cycle (stalls: one per stretch): u.state */
	AI8X_EVENT_DATA_READ = 1u << 5,     /**< u.data */
	AI8X_EVENT_DATA_WRITE = 1u << 6,    /**< u.data */
	AI8X_EVENT_KERNEL_READ = 1u << 7,   /**< u.kernel */
	AI8X_EVENT_BIAS_READ = 1u << 8,     /**< u.bias */
	AI8X_EVENT_TRAM_WRITE = 1u << 9,    /**< u.tram */
	AI8X_EVENT_OUTPUT = 1u << 10,       /**< u.output: a value left the output stage */
	AI8X_EVENT_FIFO_PUSH = 1u << 11,    /**< u.fifo */
	AI8X_EVENT_FIFO_POP = 1u << 12,     /**< u.fifo */
	AI8X_EVENT_BUS_WRITE = 1u << 13,    /**< u.bus */
	AI8X_EVENT_BUS_READ = 1u << 14,     /**< u.bus */
	AI8X_EVENT_ACCUMULATE = 1u << 15,   /**< u.sums: a kernel was applied; one per cycle and slot */
	AI8X_EVENT_KERNEL_WRITE = 1u << 16, /**< u.commit: a kernel word was stored; after its bus write */
} ai8x_event_kind;

/** One event. Pointers inside are valid during the callback only. */
typedef struct ai8x_event {
	ai8x_event_kind kind;
	uint64_t cycle;          /**< cycles since the run began */
	const ai8x_layer *layer; /**< the layer it happens in, or NULL */
	union {
		struct {
			ai8x_state state;
			uint64_t cycles;      /**< how long it lasts */
			uint32_t row, column; /**< padded pooled pixel being worked on */
			uint32_t pass;
			uint32_t slot; /**< output slot in AI8X_STATE_OUTPUT; stage in AI8X_STATE_PIPELINE */
		} state;
		struct {
			uint8_t instance; /**< data memory instance 0..15 */
			uint8_t lanes;    /**< bit l: byte lane l is used */
			uint32_t word;
			uint32_t value; /**< the whole word (after a write) */
			uint32_t pixel; /**< read: input pixel index; write: output pixel index */
			uint32_t pass;  /**< read: input pass; write: slot of the first lane */
			uint32_t operand;
		} data;
		struct {
			uint32_t slot;
			uint32_t pass;
			uint32_t group; /**< group whose bias is read */
			uint32_t entry; /**< bias entry */
			int8_t value;   /**< what it holds; joins the sum times 128 */
		} bias;
		struct {
			uint32_t slot, pass;  /**< which kernel of every enabled processor */
			uint32_t taps;        /**< of one kernel */
			const int8_t *window; /**< [taps][64]: what each processor multiplies, row by row of its window */
			const int8_t *weights; /**< [taps][64]: by what; 0 where a processor takes no part */
		} kernel;
		struct {
			uint32_t row, column, pass;
			const int8_t *values; /**< 64 values, one per processor */
		} tram;
		struct {
			uint32_t slot, pixel;
			int64_t accumulator; /**< bias included */
			int32_t value;       /**< after shift, rounding, clip, activation */
			bool clipped;
		} output;
		struct {
			uint32_t slot, pass;
			int64_t group[AI8X_GROUPS]; /**< running sums of each group, biases not included */
		} sums;
		struct {
			uint8_t fifo; /**< 0..3; 4: fast FIFO */
			uint32_t value;
			uint32_t level; /**< words in the FIFO afterwards */
		} fifo;
		struct {
			uint32_t address, value;
			uint8_t bytes; /**< 4 or 1 */
			bool running;  /**< the machine was running */
		} bus;
		struct {
			uint8_t processor; /**< 0..63: whose kernel memory */
			uint32_t word;     /**< 72-bit word, now stored (ai8x_machine_kernels()) */
			bool whole; /**< all of its bytes were written for it; false: some are left from another word */
		} commit;
	} u;
} ai8x_event;

/** Receives events. May only read the machine that sent them: all else is refused (machine.h). */
typedef void (*ai8x_event_fn)(void *user, const ai8x_event *event);

#ifdef __cplusplus
}
#endif
#endif
