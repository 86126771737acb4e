/**
 * @file view.h
 * @brief What people and other programs look at: profiles, memory maps, HTML reports, traces.
 *
 * Profiles and maps need no run: they are derived from a program's registers and its schedule (time.h). Traces
 * are written by an observer while a machine runs.
 *
 * Example: examples/view.c.
 */
#ifndef AI8XSIM_VIEW_H
#define AI8XSIM_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "check.h"
#include "event.h"
#include "network.h"
#include "program.h"
#include "runner.h"
#include "status.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Memory maps ------------------------------------------------------------------------------------ */

/** Owner of words that the host wrote before the run, or that FIFOs bring. Layers are 0, 1, ... */
#define AI8X_MAP_INPUT (-1)

/** Adjacent words with one owner. */
typedef struct ai8x_map_run {
	uint8_t unit;   /**< data memory instance 0..15, processor 0..63 or group 0..3 */
	int16_t owner;  /**< position of the layer in the run, or AI8X_MAP_INPUT */
	uint32_t first; /**< word (bias memory: entry) */
	uint32_t count;
} ai8x_map_run;

/** A list of runs, ordered by unit and word. */
typedef struct ai8x_map_runs {
	ai8x_map_run *run;
	size_t count;
} ai8x_map_runs;

/** Who owns what. Destroy with ai8x_map_destroy(). */
typedef struct ai8x_map {
	const ai8x_part *part;
	size_t layer_count;
	uint32_t *layers;      /**< [layer_count]: the register set of each */
	ai8x_map_runs *data;   /**< layer_count + 1 of them: before the run, after layer 0, after layer 1, ... */
	ai8x_map_runs kernels; /**< does not change while the machine runs */
	ai8x_map_runs bias;
	uint8_t *reads;    /**< [layer_count][layer_count + 1]: 1 when a layer reads what layer k - 1 (0: the
	                            input) wrote: the edges of the network's graph */
	uint32_t *numbers; /**< [layer_count]: the program's number of each, as in ai8x_profile_layer */
} ai8x_map;

/**
 * @brief Maps all memories over the course of a run.
 * @param program  its writes to data memory before the run are the input's words
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_map_create(const ai8x_program *program, const ai8x_schedule *schedule,
                                                  ai8x_map **map, ai8x_error *error);
/** @brief Frees a map. NULL is allowed. */
AI8X_API_EXPERIMENTAL void ai8x_map_destroy(ai8x_map *map);

/** @brief Draws data memory over time, kernel and bias memory as one SVG picture. */
AI8X_API_EXPERIMENTAL void ai8x_map_svg(const ai8x_map *map, FILE *file);

/** @brief Writes a map as JSON (docs/profile.md). AI8X_ERR_NO_MEMORY; failed writes are left to @p file's error flag. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_map_json(const ai8x_map *map, FILE *file, ai8x_error *error);

/* --- Profiles --------------------------------------------------------------------------------------- */

/** What limits a layer. */
typedef enum ai8x_bound {
	AI8X_BOUND_OUTPUT,   /**< one output channel per cycle and pass */
	AI8X_BOUND_READ,     /**< reading data words */
	AI8X_BOUND_POOL,     /**< reading the words of pooling windows */
	AI8X_BOUND_LINES,    /**< line buffer: writing pixels, pads, filling */
	AI8X_BOUND_SEEK,     /**< walking to the first kernel */
	AI8X_BOUND_FIFO,     /**< waiting for FIFO words */
	AI8X_BOUND_PIPELINE, /**< emptying the pipeline before pixels are read */
	AI8X_BOUND_COUNT
} ai8x_bound;

/** @brief "limited by output writes" and so on. */
AI8X_API_EXPERIMENTAL const char *ai8x_bound_text(ai8x_bound bound);

/** What cycles are spent on: one or several states of the sequencer. */
typedef struct ai8x_cause {
	const char *name;   /**< "reading data" */
	const char *key;    /**< in JSON: "read" */
	const char *letter; /**< in pages: "r" */
	const char *colour; /**< in pictures, as CSS has it */
	uint32_t states;    /**< bit s: ai8x_state s */
} ai8x_cause;

/** @brief Cause number @p index, or NULL after the last. Together they have every state once. */
AI8X_API_EXPERIMENTAL const ai8x_cause *ai8x_cause_get(unsigned index);
/** @brief Cycles that a layer or a run has spent on it. */
AI8X_API_EXPERIMENTAL uint64_t ai8x_cause_cycles(const ai8x_cause *cause, const ai8x_counters *counters);

/** A layer of a profile. */
typedef struct ai8x_profile_layer {
	const ai8x_schedule_layer *schedule; /**< geometry, cycles by state, start and stop */
	unsigned number;     /**< number in the program or network; of layers that are not recorded there
	                          AI8X_PROGRAM_UNRECORDED and the register set, which alone it is where nothing is known */
	char name[32];       /**< "" where nothing is known */
	char shape[64];      /**< "3x32x32 -> 64x32x32" */
	char operation[64];  /**< "max pool 2x2, conv 3x3 + ReLU" */
	unsigned processors; /**< that read or multiply, of 64 */
	uint64_t macs;       /**< that the accelerator does, see ai8x_layer_macs() */
	double macs_per_cycle;
	double peak_share;    /**< of the multipliers of the part */
	double words_per_mac; /**< data memory words read and written per multiply-accumulate */
	double share;         /**< of the run's cycles */
	ai8x_bound bound;
	uint64_t input_words, output_words;  /**< data memory occupied */
	uint64_t kernel_words, kernel_bytes; /**< kernel memory occupied, and used in it */
	uint64_t bias_bytes;
	double seconds;
	double joules; /**< estimate, see ai8x_energy_error() */
} ai8x_profile_layer;

/** A profile. Destroy with ai8x_profile_destroy(). */
typedef struct ai8x_profile {
	char name[64];
	const ai8x_part *part;
	ai8x_timing
		timing; /**< where the program has no kernels, bias or input, loading is that of packed ones */
	bool loading_assumed; /**< that was the case */
	ai8x_map *map;
	ai8x_clock clock;
	ai8x_feed feed;
	size_t layer_count;
	ai8x_profile_layer *layers;
	uint64_t macs;
	double seconds;
	double joules;                          /**< estimate */
	uint64_t kernel_words, kernel_capacity; /**< all layers together, of the part */
	uint64_t data_words, data_capacity;     /**< most that is occupied at one time */
	uint64_t network_macs;                  /**< of the network, as the program tells; 0: not known */
	ai8x_counters counters; /**< cycles by state of all layers and of the run's start; `pass_cycles` */
} ai8x_profile;

/** Choices for ai8x_profile_create(). Zero-initialise. */
typedef struct ai8x_profile_options {
	const ai8x_network *network; /**< for names, or NULL */
	ai8x_feed feed;
	ai8x_clock clock;  /**< hz 0: the one generated software sets up */
	double volts;      /**< of the core supply, for energy; 0: nominal */
	void *reserved[7]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_profile_options;

/** @brief Profiles a program without running it. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_profile_create(const ai8x_program *program,
                                                      const ai8x_profile_options *options,
                                                      ai8x_profile **profile, ai8x_error *error);
/** @brief Frees a profile. NULL is allowed. */
AI8X_API_EXPERIMENTAL void ai8x_profile_destroy(ai8x_profile *profile);

/** Multiply-accumulates that all processors together can do in one cycle. */
AI8X_API_EXPERIMENTAL unsigned ai8x_peak_macs(const ai8x_part *part);

/* --- Advice ----------------------------------------------------------------------------------------- */

/** A change that was compiled and timed. */
typedef struct ai8x_advice {
	char change[160]; /**< "layer 3: 60 -> 64 output channels" */
	char why[320];    /**< what else changes, and why it helps */
	uint64_t cycles_before, cycles_after;
	uint64_t kernel_words_before, kernel_words_after;
	uint64_t macs_before, macs_after;
	double joules_before, joules_after;
	double seconds_before, seconds_after; /**< run and, where it is loaded before the run, input (estimate) */
	unsigned rule;                        /**< which kind of change: equal numbers, equal kinds */
	bool same_function;                   /**< results stay the same (retraining not needed) */
} ai8x_advice;

/** A ranked list. Release with ai8x_advice_release(). */
typedef struct ai8x_advice_list {
	ai8x_advice *advice;
	size_t count;
	size_t tried; /**< changes compiled, also those that gain nothing */
} ai8x_advice_list;

/**
 * @brief Tries changes of a network one by one: each is compiled for @p part, timed, and listed with what it gains.
 * @param most  at most so many are listed, the best first
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_advise(const ai8x_network *network, const ai8x_part *part,
                                              const ai8x_compile_options *compile,
                                              const ai8x_profile_options *options, size_t most,
                                              ai8x_advice_list *list, ai8x_error *error);
/** @brief Frees a list. */
AI8X_API_EXPERIMENTAL void ai8x_advice_release(ai8x_advice_list *list);

/**
 * @brief The layer of a baseline that stands for a layer of a profile: the one of its name, or where layers have no
 * names, of its number.
 * @param position  of the layer in @p profile
 * @return NULL where there is none
 */
AI8X_API_EXPERIMENTAL const ai8x_profile_layer *
ai8x_profile_counterpart(const ai8x_profile *profile, size_t position, const ai8x_profile *baseline);

/** @brief Writes a profile as one self-contained HTML page. @p baseline and @p advice may be NULL. */
AI8X_API_EXPERIMENTAL void ai8x_profile_html(const ai8x_profile *profile, const ai8x_profile *baseline,
                                             const ai8x_advice_list *advice, FILE *file);

/** @brief The same as JSON (docs/profile.md). AI8X_ERR_NO_MEMORY; failed writes are left to @p file's error flag. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_profile_json(const ai8x_profile *profile, const ai8x_profile *baseline,
                                                    const ai8x_advice_list *advice, FILE *file,
                                                    ai8x_error *error);

/* --- Outcomes of runs and checks -------------------------------------------------------------------- */

/** A program that was run. Texts may hold any bytes. */
typedef struct ai8x_run_report {
	const char *file;
	const char *name; /**< NULL: it could not be opened */
	const ai8x_part *part;
	const ai8x_runner_result *result; /**< zero where it did not come to running */
	const char *error;                /**< why it could not be run to its end, or NULL */
	double seconds;                   /**< of the host */
} ai8x_run_report;

/** @brief Writes outcomes as JSON (docs/run.md). AI8X_ERR_NO_MEMORY; failed writes are left to @p file. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_run_json(const ai8x_run_report *reports, size_t count, FILE *file,
                                                ai8x_error *error);

/** A program that was checked. Texts may hold any bytes. */
typedef struct ai8x_check_report {
	const char *file;
	const char *name; /**< NULL: it could not be opened */
	const ai8x_part *part;
	const ai8x_check *check; /**< NULL: it did not come to checking */
	const bool *classes;     /**< [AI8X_CHECK_CLASSES]: findings to tell of; NULL: all */
	const char *error;       /**< why it could not be checked, or NULL */
} ai8x_check_report;

/** @brief Writes findings as JSON (docs/check.md). AI8X_ERR_NO_MEMORY; failed writes are left to @p file. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_check_json(const ai8x_check_report *reports, size_t count, FILE *file,
                                                  ai8x_error *error);

/* --- Traces ----------------------------------------------------------------------------------------- */

/** Forms of a trace. */
typedef enum ai8x_trace_format {
	AI8X_TRACE_VCD,    /**< value change dump: GTKWave */
	AI8X_TRACE_EVENTS, /**< trace events (JSON): Perfetto */
	AI8X_TRACE_CSV,
} ai8x_trace_format;

/** Parts of a trace, bits of ai8x_trace_options::signals. */
typedef enum ai8x_trace_signal {
	AI8X_TRACE_SEQUENCER = 1u << 0, /**< state, layer, pass, row, column, slot */
	AI8X_TRACE_READS = 1u << 1,     /**< data memory reads: pointer and value per instance */
	AI8X_TRACE_WRITES = 1u << 2,    /**< data memory writes */
	AI8X_TRACE_TRAM = 1u << 3,      /**< line buffer writes */
	AI8X_TRACE_OUTPUT = 1u << 4,    /**< complete sums and output values */
	AI8X_TRACE_FIFO = 1u << 5,      /**< FIFO levels */
	AI8X_TRACE_USUAL = (1u << 6) - 1,
	AI8X_TRACE_GROUPS = 1u << 6, /**< accumulators of each group, in every cycle (value change dumps) */
	AI8X_TRACE_ALL = (1u << 7) - 1,
} ai8x_trace_signal;

/** @brief Bit of a signal group by name ("sequencer", "reads", ... , "all"), or 0. */
AI8X_API_EXPERIMENTAL unsigned ai8x_trace_signal_find(const char *name);

/** Choices for ai8x_trace_create(). */
typedef struct ai8x_trace_options {
	ai8x_trace_format format;
	unsigned signals;              /**< AI8X_TRACE_... bits; 0: AI8X_TRACE_USUAL */
	uint64_t from_cycle, to_cycle; /**< first cycle and the one after the last; to_cycle 0: the end */
	int from_layer, to_layer;      /**< register sets, both included; -1: any */
	uint32_t clock_hz;             /**< time scale; 0: the part's default clock */
	const char *name;              /**< written into the file, or NULL */
	void *reserved[8];             /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_trace_options;

/** A trace being written. Memory does not grow with its length. */
typedef struct ai8x_trace ai8x_trace;

/** @brief Begins a trace. @p file stays the caller's and is written to until ai8x_trace_finish(). */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_trace_create(const ai8x_part *part, const ai8x_trace_options *options,
                                                    FILE *file, ai8x_trace **trace, ai8x_error *error);
/** @brief Kinds of events to subscribe to. */
AI8X_API_EXPERIMENTAL uint32_t ai8x_trace_kinds(const ai8x_trace *trace);
/** @brief Receives an event: subscribe this with the trace as user. */
AI8X_API_EXPERIMENTAL void ai8x_trace_event(void *trace, const ai8x_event *event);
/** @brief Events written so far: those inside of the window that was chosen. */
AI8X_API_EXPERIMENTAL uint64_t ai8x_trace_events(const ai8x_trace *trace);
/** @brief Completes the file and frees the trace. AI8X_ERR_IO when something could not be written. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_trace_finish(ai8x_trace *trace, ai8x_error *error);

/* --- Watching the machine work ---------------------------------------------------------------------- */

/** Bytes of a page where ai8x_show_options::page_bytes is 0. */
#define AI8X_SHOW_BYTES 2000000u

/** Choices for ai8x_show_create(). Start from ai8x_show_options_default(). */
typedef struct ai8x_show_options {
	const char *title;             /**< of the page; NULL: the names of its programs */
	const char *tour;              /**< JSON text of a guided tour (docs/show.md), or NULL */
	unsigned runs;                 /**< programs that will be added; they share the page's bytes (0: one) */
	size_t page_bytes;             /**< what the page may take, about; 0: AI8X_SHOW_BYTES */
	uint64_t from_cycle, to_cycle; /**< cycles kept with all values; to_cycle 0: a choice from each layer */
	int from_layer, to_layer;      /**< layers (register sets, both included) to choose from; -1: any */
	uint32_t fifo_write_cycles; /**< accelerator cycles between two FIFO writes of the host; AI8X_FEED_HOST */
	void *reserved[8];          /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_show_options;

/** @brief The default settings. */
AI8X_API_EXPERIMENTAL ai8x_show_options ai8x_show_options_default(void);

/** Runs to be shown on one page. */
typedef struct ai8x_show ai8x_show;

/** @brief Begins a page. Destroy it with ai8x_show_destroy(). Texts of @p options stay the caller's. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_show_create(const ai8x_show_options *options, ai8x_show **show,
                                                   ai8x_error *error);
/**
 * @brief Runs a program on the exact engine, twice: for its sequence, then for the values of chosen cycles.
 *
 * What the machine did until it stopped is added also when the run fails; checks that fail are no error.
 * @param network  for names, or NULL
 * @param result   receives the outcome of the run; release it with ai8x_runner_result_release()
 * @return AI8X_OK, AI8X_ERR_ARGUMENT (nothing runs in the chosen cycles or layers), AI8X_ERR_LIMIT (the run has more
 *         pixels than a page can hold), AI8X_ERR_NO_MEMORY, or why the run could not be carried out
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_show_add(ai8x_show *show, const ai8x_program *program,
                                                const ai8x_network *network, ai8x_runner_result *result,
                                                ai8x_error *error);
/** @brief Number of runs that were added. */
AI8X_API_EXPERIMENTAL size_t ai8x_show_count(const ai8x_show *show);
/** @brief Writes the page: one self-contained HTML file. AI8X_ERR_IO when something could not be written. */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_show_write(const ai8x_show *show, FILE *file, ai8x_error *error);
/** @brief Frees a page. NULL is allowed. */
AI8X_API_EXPERIMENTAL void ai8x_show_destroy(ai8x_show *show);

#ifdef __cplusplus
}
#endif
#endif
