/**
 * @file machine.h
 * @brief The accelerator: bus in, data memory out.
 *
 * A machine is used by one thread at a time; different machines are independent.
 *
 * Usual order: ai8x_machine_create(), bus writes as firmware makes them, ai8x_machine_run(), bus reads.
 *
 * A callback of a machine (ai8x_machine_on_layer(), ai8x_machine_observe()) may read that machine: reports, views, and
 * bus reads, of which no observer is told. Whatever would change it is refused there with AI8X_ERR_ARGUMENT: bus writes,
 * FIFO pushes, ai8x_machine_run(), ai8x_machine_advance(), ai8x_machine_reset(), ai8x_machine_store_data(),
 * ai8x_machine_copy_data() to it, ai8x_machine_observe(), and so ai8x_runner_run() and ai8x_runner_load().
 * ai8x_machine_destroy(), ai8x_machine_on_layer() and ai8x_machine_on_poll() have no status: they do nothing, and the run that called back ends
 * with AI8X_ERR_ARGUMENT. Other machines may be used as usual.
 *
 * Example: examples/machine.c.
 */
#ifndef AI8XSIM_MACHINE_H
#define AI8XSIM_MACHINE_H

#include "event.h"
#include "layer.h"
#include "part.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The simulator of one accelerator. */
typedef struct ai8x_machine ai8x_machine;

/** Which engine executes layers. */
typedef enum ai8x_engine {
	AI8X_ENGINE_AUTO,  /**< fast where it is safe, exact elsewhere */
	AI8X_ENGINE_EXACT, /**< cycle by cycle, the referee */
	AI8X_ENGINE_FAST,  /**< layer at once where possible (falls back to exact) */
} ai8x_engine;

/** Threads of a machine at the most. */
#define AI8X_MAX_THREADS 64

/** Settings of a machine. Always start from ai8x_machine_options_default(). */
typedef struct ai8x_machine_options {
	ai8x_engine engine;
	bool keep_absent_lanes; /**< true: lanes past the last slot keep their byte; false: become 0
	                              (not decided by any known source, hardware reference 4.9) */
	bool capture_outputs;   /**< layer reports carry the layer's output tensor and memory words */
	uint32_t fifo_depth;    /**< words a FIFO holds, 1 to 64 (not published; default 8) */
	const char
		*cpu; /**< kernels of the fast engine: "c", "avx2", "avx512bw", "avxvnni", "avx512vnni", "neon",
	                              "neondot", "neoni8mm"; NULL: the fastest that this processor runs. Results do
	                              not depend on it. */
	unsigned
		threads; /**< that work on one layer where it is large enough, 1 to AI8X_MAX_THREADS; 0: one. Results do
	                        not depend on it; callbacks are made by the calling thread. */
	void *reserved[7]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_machine_options;

/** @brief The default settings. */
AI8X_API ai8x_machine_options ai8x_machine_options_default(void);

/**
 * @brief Makes a machine in its reset state with all memories zero.
 * @param options  NULL for the defaults
 * @param machine  receives the machine; destroy it with ai8x_machine_destroy()
 * @param error    may be NULL
 */
AI8X_API ai8x_status ai8x_machine_create(const ai8x_part *part, const ai8x_machine_options *options,
                                         ai8x_machine **machine, ai8x_error *error);

/** @brief Frees a machine. NULL is allowed. In a callback of the machine it does nothing but end the run (see above). */
AI8X_API void ai8x_machine_destroy(ai8x_machine *machine);

/**
 * @brief A second machine with the same settings, registers, memories and plans of the fast engine (plans are
 *        shared). Observers, callbacks, reports and FIFO contents are not copied.
 * @return AI8X_OK, AI8X_ERR_NO_MEMORY, or AI8X_ERR_ARGUMENT while @p from runs or is paused
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_machine_clone(const ai8x_machine *from, ai8x_machine **machine,
                                                     ai8x_error *error);

/**
 * @brief Copies words of a data memory instance from another machine of the same part.
 * @return AI8X_OK, or AI8X_ERR_ARGUMENT when parts differ or the words lie outside of the memory
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_machine_copy_data(ai8x_machine *machine, const ai8x_machine *from,
                                                         unsigned instance, uint32_t first, uint32_t words,
                                                         ai8x_error *error);

/**
 * @brief Stores words of data memory directly, as as many bus writes would, but without events. For harnesses that run one
 * program on many inputs.
 *
 * @param instance data memory instance, 0 to 15
 * @param first    first word, counted from the start of the instance
 * @param values   [words]
 * @return AI8X_OK, or AI8X_ERR_ARGUMENT when the range lies outside the instance
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_machine_store_data(ai8x_machine *machine, unsigned instance,
                                                          uint32_t first, const uint32_t *values,
                                                          uint32_t words, ai8x_error *error);

/**
 * @brief Registers, memories and FIFOs as after power-up with cleared memories. Observers stay.
 * @return AI8X_OK, or AI8X_ERR_ARGUMENT: null, or called from a callback of the machine
 */
AI8X_API ai8x_status ai8x_machine_reset(ai8x_machine *machine);

/** @brief The part the machine simulates. */
AI8X_API const ai8x_part *ai8x_machine_part(const ai8x_machine *machine);

/**
 * @brief 32-bit bus write at an absolute bus address.
 *
 * Writes to FIFO data registers behave like ai8x_machine_fifo_push() and may return AI8X_FIFO_FULL; the
 * word was then not taken. A write that starts the machine returns at once; ai8x_machine_run() does the work.
 */
AI8X_API ai8x_status ai8x_machine_write32(ai8x_machine *machine, uint32_t address, uint32_t value,
                                          ai8x_error *error);
/** @brief 8-bit bus write. */
AI8X_API ai8x_status ai8x_machine_write8(ai8x_machine *machine, uint32_t address, uint8_t value,
                                         ai8x_error *error);
/** @brief 32-bit bus read. */
AI8X_API ai8x_status ai8x_machine_read32(ai8x_machine *machine, uint32_t address, uint32_t *value,
                                         ai8x_error *error);
/** @brief 8-bit bus read: the addressed byte of the 32-bit word. */
AI8X_API ai8x_status ai8x_machine_read8(ai8x_machine *machine, uint32_t address, uint8_t *value,
                                        ai8x_error *error);

/**
 * @brief Pushes @p value into the FIFO whose data register is at @p address.
 * @return AI8X_OK, AI8X_FIFO_FULL (not taken), or an error
 */
AI8X_API ai8x_status ai8x_machine_fifo_push(ai8x_machine *machine, uint32_t address, uint32_t value,
                                            ai8x_error *error);

/**
 * @brief Pushes words into one FIFO until all are taken or it is full.
 * @param values [count]
 * @param taken  how many it took, also on failure
 * @return AI8X_OK, AI8X_FIFO_FULL (fewer than @p count were taken), or an error
 */
AI8X_API ai8x_status ai8x_machine_fifo_push_words(ai8x_machine *machine, uint32_t address,
                                                  const uint32_t *values, size_t count, size_t *taken,
                                                  ai8x_error *error);

/** @brief true from the starting register write until the last layer is done; false while the run is paused. */
AI8X_API bool ai8x_machine_running(const ai8x_machine *machine);

/** When ai8x_machine_run() returns before the last layer is done. Zero-initialise: no limit. */
typedef struct ai8x_run_limits {
	uint64_t max_cycles; /**< 0: none; else at most this many cycles in this call */
	bool stop_after;     /**< stop the run after layer stop_layer */
	uint32_t stop_layer;
	bool until_fifo_ready; /**< return AI8X_OK as soon as the FIFO at fifo_address can take a word */
	uint32_t fifo_address; /**< a FIFO data register */
	void *reserved[8];     /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_run_limits;

/**
 * @brief Runs until done or until a limit is reached.
 * @return AI8X_OK: done, stopped after stop_layer, or FIFO ready; AI8X_ERR_CYCLE_LIMIT: still running, call
 *         again to go on; AI8X_WAITING: the FIFO is empty and the host must push; AI8X_ERR_NOT_STARTED;
 *         AI8X_ERR_LAYER: a layer's registers cannot be executed (the message says which and why).
 */
AI8X_API ai8x_status ai8x_machine_run(ai8x_machine *machine, const ai8x_run_limits *limits,
                                      ai8x_error *error);

/**
 * @brief Lets @p cycles accelerator cycles pass, waiting for FIFO data counted as stall cycles.
 * @return AI8X_OK also when the run ended earlier or nothing runs; errors as ai8x_machine_run()
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_machine_advance(ai8x_machine *machine, uint64_t cycles,
                                                       ai8x_error *error);

/** @brief Cycles since the last start, its start cycle included. */
AI8X_API uint64_t ai8x_machine_cycles(const ai8x_machine *machine);

/**
 * @brief Why the machine waits, in one line ("layer 0 waits for word 12 of FIFO 1 ..."), or "".
 * @return length the text needs (as snprintf does); @p text is always terminated when size > 0
 */
AI8X_API_EXPERIMENTAL size_t ai8x_machine_explain_wait(const ai8x_machine *machine, char *text, size_t size);

/** A word of data memory with the bits that count. */
typedef struct ai8x_word {
	uint32_t address; /**< absolute bus address */
	uint32_t value;
	uint32_t mask; /**< bits of the value that are defined */
} ai8x_word;

/** What is known of a layer that has run. */
typedef struct ai8x_layer_report {
	ai8x_layer layer;  /**< as decoded when it started */
	uint32_t position; /**< 0 for the first layer that started, 1 for the second, ... */
	bool finished;
	uint64_t start_cycle; /**< cycle in which it started */
	uint64_t cycles;      /**< its own cycles (streaming layers interleave: not stop - start) */
	ai8x_counters counters;
	bool exact_engine;        /**< executed cycle by cycle; else data-dependent counters stay 0 */
	const char *exact_reason; /**< why, in a few words, or "" */
	const int32_t *output;    /**< [slots][output_rows][output_columns], or NULL when not captured */
	const ai8x_word *words;   /**< memory words the layer wrote, as they were when it finished, or NULL */
	size_t word_count;
} ai8x_layer_report;

/** @brief Number of layers that started since the last start of the machine. */
AI8X_API size_t ai8x_machine_layer_count(const ai8x_machine *machine);
/** @brief Report of the layer that started as number @p position, or NULL. Valid until the next start. */
AI8X_API const ai8x_layer_report *ai8x_machine_layer_report(const ai8x_machine *machine, size_t position);

/** Called after every layer; may only read the machine. Return false to stop the run (AI8X_ERR_CANCELLED). */
typedef bool (*ai8x_layer_fn)(void *user, const ai8x_layer_report *report);
/** @brief Sets (or with NULL removes) the callback after every layer. */
AI8X_API void ai8x_machine_on_layer(ai8x_machine *machine, ai8x_layer_fn callback, void *user);

/** Called now and then while a run lasts; may only read the machine. Return false to stop the run (AI8X_ERR_CANCELLED). */
typedef bool (*ai8x_poll_fn)(void *user);
/**
 * @brief Sets (or with NULL removes) a callback that can end a long run: the exact engine calls it about every
 *        65,536 cycles, also in the middle of a layer. The next ai8x_machine_run() goes on where the run stopped.
 */
AI8X_API_EXPERIMENTAL void ai8x_machine_on_poll(ai8x_machine *machine, ai8x_poll_fn callback, void *user);

/**
 * @brief Subscribes to events.
 * @param kinds  AI8X_EVENT_... bits; 0 removes this callback/user pair
 * @return AI8X_OK, AI8X_ERR_LIMIT (eight observers at most), or AI8X_ERR_ARGUMENT: null, or called from a callback
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_machine_observe(ai8x_machine *machine, uint32_t kinds,
                                                       ai8x_event_fn callback, void *user);

/**
 * @brief Decodes the registers of layer @p index as they are now, for the groups of the last start (before
 *        the first start: all groups).
 */
AI8X_API ai8x_status ai8x_machine_decode(const ai8x_machine *machine, uint32_t index, ai8x_layer *layer,
                                         ai8x_error *error);

/**
 * @brief The layers that a run would go through, from the registers as they are now and without running:
 *        conditional links (snoop units) count as not taken, and a link back ends the list.
 * @param layers    receives up to @p capacity layer numbers; may be NULL when capacity is 0
 * @return number of layers
 */
AI8X_API size_t ai8x_machine_sequence(const ai8x_machine *machine, uint32_t *layers, size_t capacity);

/** @brief Direct view of a data memory instance (0..15): @p words 32-bit words, valid until destroy. */
AI8X_API const uint32_t *ai8x_machine_data(const ai8x_machine *machine, unsigned instance, size_t *words);
/** @brief Direct view of a kernel memory as bytes, 9 per word, stream order (byte b = word b/9, k[8-b%9]). */
AI8X_API const uint8_t *ai8x_machine_kernels(const ai8x_machine *machine, unsigned processor, size_t *words);
/** @brief Direct view of a group's bias memory. */
AI8X_API const int8_t *ai8x_machine_bias(const ai8x_machine *machine, unsigned group, size_t *entries);

#ifdef __cplusplus
}
#endif
#endif
