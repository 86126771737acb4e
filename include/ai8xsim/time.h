/**
 * @file time.h
 * @brief Time without running: cycles of layers in closed form, the schedule of a run, clocks, loading, energy.
 *
 * Time on this accelerator does not depend on data, with two exceptions that have a place of their own here:
 * when FIFO words arrive (@ref ai8x_feed), and links that snoop units decide (@ref ai8x_schedule::conditional).
 * docs/timing.md compares all of it with the exact engine and with silicon, docs/energy.md does so for energy.
 *
 * Example: examples/time.c.
 */
#ifndef AI8XSIM_TIME_H
#define AI8XSIM_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "layer.h"
#include "machine.h"
#include "part.h"
#include "program.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @brief Cycles of a layer by state, in closed form.
 *
 * Fills state (without AI8X_STATE_STALL), pass_cycles, words_read, words_written and outputs exactly as the exact
 * engine counts them; what depends on data stays 0. A pure function of the layer.
 */
AI8X_API_EXPERIMENTAL void ai8x_time_layer(const ai8x_layer *layer, ai8x_counters *counters);

/** @brief Sum of all states: the layer's cycles. */
AI8X_API_EXPERIMENTAL uint64_t ai8x_time_total(const ai8x_counters *counters);

/** An accelerator clock. */
typedef struct ai8x_clock {
	uint32_t hz;   /**< after the divider */
	char name[24]; /**< "PCLK/2", "60 MHz" */
} ai8x_clock;

/** @brief Accelerator cycles between two FIFO words of the host, at an accelerator clock. */
AI8X_API_EXPERIMENTAL uint32_t ai8x_feed_cycles(const ai8x_part *part, const ai8x_clock *clock);

/** Value of ai8x_feed::write_cycles: as fast as the host writes, ai8x_feed_cycles(). */
#define AI8X_FEED_HOST UINT32_MAX

/** How FIFO words arrive. */
typedef struct ai8x_feed {
	uint32_t write_cycles; /**< cycles between two FIFO writes; 0: always in time; AI8X_FEED_HOST */
	ai8x_clock clock;      /**< for AI8X_FEED_HOST; hz 0: ai8x_clock_default() */
} ai8x_feed;

/** A layer in the schedule of a run. */
typedef struct ai8x_schedule_layer {
	ai8x_layer layer;
	ai8x_counters counters; /**< closed form, and stalls */
	uint64_t cycles;        /**< own cycles with stalls (streaming layers interleave: not stop - start) */
	uint64_t start_cycle;   /**< cycle in which it started */
	uint64_t stop_cycle;    /**< cycle after its last one */
	unsigned streams;       /**< number of layers that stream together with it (itself included), 1: none */
} ai8x_schedule_layer;

/** Schedule of a run. Release with ai8x_schedule_release(). */
typedef struct ai8x_schedule {
	uint64_t cycles;       /**< whole run with its start cycle */
	uint64_t stall_cycles; /**< of which nothing could go on for want of FIFO words */
	uint64_t fifo_words;   /**< words the host wrote to FIFOs */
	bool conditional;      /**< a snoop unit decides about a link or a stop: taken as not triggered here */
	size_t layer_count;
	ai8x_schedule_layer *layers;
} ai8x_schedule;

/**
 * @brief Schedule of a run that was started and has not yet used a cycle.
 *
 * Interleaves streaming layers and FIFO words as the machine does, without data. The machine is not changed.
 * @param fifos  FIFO of each word that the host writes while the accelerator runs (0..3, 4: fast FIFO);
 *               NULL: one frame, all enabled FIFOs in turn
 * @param count  number of words; ignored when @p fifos is NULL
 * @return AI8X_OK, AI8X_ERR_LAYER (as ai8x_machine_run()), AI8X_ERR_STALLED: the words do not suffice
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_schedule_machine(const ai8x_machine *machine, const uint8_t *fifos,
                                                        size_t count, const ai8x_feed *feed,
                                                        ai8x_schedule *schedule, ai8x_error *error);

/** @brief Frees what a schedule owns. */
AI8X_API_EXPERIMENTAL void ai8x_schedule_release(ai8x_schedule *schedule);

/** Bus writes of a program by what they fill, before and during the run. */
typedef struct ai8x_loading {
	uint64_t kernel_writes; /**< kernel memory, 8-bit address selections included */
	uint64_t bias_writes;
	uint64_t input_writes; /**< data memory before the run */
	uint64_t fifo_writes;  /**< while the accelerator runs: part of its time, not of the loading time */
	uint64_t register_writes;
	double kernel_seconds, bias_seconds, input_seconds, register_seconds; /**< estimates */
	double
		joules; /**< estimate for all of it, measured at 50 MHz and 1.0 V; 0: never measured on this part */
} ai8x_loading;

/** @brief The clock that generated software sets up on @p part, with or without pipelining (CTL.no_pipeline). */
AI8X_API_EXPERIMENTAL ai8x_clock ai8x_clock_default(const ai8x_part *part, bool pipeline);

/**
 * @brief Reads a clock: a source and a divider ("PCLK", "ISO/4", "IPLL/4"), a frequency ("12.5 MHz", "60e6"), or
 *        the value of the clock control register ("PCLKDIV=0x4000000").
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_clock_parse(const ai8x_part *part, const char *text, ai8x_clock *clock,
                                                   ai8x_error *error);

/** A program's registers, loaded and scheduled. Release with ai8x_timing_release(). */
typedef struct ai8x_timing {
	ai8x_schedule schedule;
	ai8x_loading loading;
	ai8x_clock clock;         /**< ai8x_clock_default() of the part and the program's pipeline setting */
	bool synthetic_feed;      /**< the program has no FIFO words: one frame was assumed */
	uint32_t feed_cycles;     /**< cycles between two FIFO words, as taken */
	ai8x_clock loading_clock; /**< generated software loads at this one: the part's without the pipeline */
} ai8x_timing;

/**
 * @brief Times a program without running it.
 * @param feed  NULL: FIFO words always in time
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_time_program(const ai8x_program *program, const ai8x_feed *feed,
                                                    ai8x_timing *timing, ai8x_error *error);

/** @brief Frees what a timing owns. */
AI8X_API_EXPERIMENTAL void ai8x_timing_release(ai8x_timing *timing);

/**
 * @brief How far a part's cycle counts are from silicon, as a fraction; 0: exact.
 * @param networks  networks that were compared; NULL: not wanted
 */
AI8X_API_EXPERIMENTAL double ai8x_cycles_error(const ai8x_part *part, unsigned *networks);

/** @brief The same for runs that the host feeds through a FIFO: its loop's time counts too. */
AI8X_API_EXPERIMENTAL double ai8x_fed_cycles_error(const ai8x_part *part);

/**
 * @brief Largest error of a part's energies, as a fraction: of measured networks (MAX78000: layers) that were left
 *        out of the fit (docs/energy.md).
 */
AI8X_API_EXPERIMENTAL double ai8x_energy_error(const ai8x_part *part);

/**
 * @brief Voltages of the core supply at which a part's energy was measured, in volts.
 * @param index  0: nominal; then the others
 * @return 0 after the last
 */
AI8X_API_EXPERIMENTAL double ai8x_energy_volts(const ai8x_part *part, size_t index);

/**
 * @brief The same at a voltage of the core supply and a clock.
 * @param volts     the nearest voltage that was measured is taken; 0: nominal
 * @param clock_hz  for what flows per time; 0: the clock that generated software sets up
 */
AI8X_API_EXPERIMENTAL double ai8x_energy_layer_at(const ai8x_layer *layer, const ai8x_counters *counters,
                                                  double volts, uint32_t clock_hz);

#ifdef __cplusplus
}
#endif
#endif
