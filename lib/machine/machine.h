// The machine behind the public handle.
//
//   machine.c   handle, bus side effects, views
//   order.c     which layers start together, what they need, what comes next
//   run.c       carries that order out: start, stop and resume
//   take_over.c what the fast engine takes over
//   observe.c   events and reports
//   input.c     FIFO words -> data memory
//   snoop.c     snoop units
//   selftest.c  memory tests and clearing
//   mlator.c    mlator read-out
#ifndef AI8X_MACHINE_MACHINE_H
#define AI8X_MACHINE_MACHINE_H

#include <ai8xsim/machine.h>

#include "bus/bus.h"
#include "exact/exact.h"
#include "fast/fast.h"
#include "layer/layer.h"
#include "machine/input.h"
#include "machine/order.h"

// Cycles of the exact engine between two calls of the callback for long runs.
#define POLL_CYCLES 65536
#define MAX_OBSERVERS 8
#define SNOOP_UNITS 2

struct observer {
	uint32_t kinds;
	ai8x_event_fn callback;
	void *user;
};

// Matches of a snoop unit in the layer it watches.
struct snoop_unit {
	uint64_t matches;
	bool triggered;
};

// A report together with what it owns.
struct layer_record {
	ai8x_layer_report report;
	int32_t *output;
	ai8x_word *words;
	uint32_t write_ring; // words after which its output wraps, 0: never
	char reason[128];    // why the exact engine ran it
};

enum run_phase {
	RUN_IDLE, // nothing was started, or the run is over
	RUN_ACTIVE,
	RUN_PAUSED,  // the master's enable bit was cleared in the middle of a run
	RUN_BETWEEN, // one-shot: waits for the next enable after a layer
};

// A layer that runs now.
struct stage {
	struct layer_record *record;  // its report holds the decoded layer
	uint32_t write_ring;          // words after which its output wraps, 0: never
	struct stream_image *image;   // the machine's, for its streamed input
	bool streams_in;              // `image` is in use
	struct exact_layer *exact;    // NULL: the exact engine has not begun it
	const struct fast_plan *plan; // how the fast engine runs it
	bool done;
};

struct run {
	enum run_phase phase;
	struct layer_run members;
	uint32_t next_layer; // to start when none is active
	uint32_t last_layer;
	struct stage stage[AI8X_MAX_STREAMS]; // one, or all layers that stream together
	unsigned stage_count;
	bool order_matters, order_known; // fast_order_matters(), asked once for these stages
	struct input input;
	bool has_input;
	bool ended;            // a run came to its end since the last start
	unsigned waiting_fifo; // valid while waiting
	bool waiting;
	struct snoop_unit snoop[SNOOP_UNITS];
};

// A layer as it was decoded and found to be in range, for as long as no register changes.
struct decoded {
	bool valid;
	uint64_t stamp; // registers.stamp
	struct layer_run members;
	uint32_t write_ring;
	bool in_range; // with this write_ring
	ai8x_layer layer;
};

struct mlator {
	bool on;
	uint32_t instance, word, lane;
	uint32_t loaded;
};

struct ai8x_machine {
	const ai8x_part *part;
	ai8x_machine_options options;
	struct bus bus;
	struct exact_context context;
	struct stream_image streamed[AI8X_MAX_STREAMS]; // input of the stages
	struct run run;
	struct mlator mlator;
	struct {
		const struct fast_kernel *kernel;
		struct fast_plan *plan[AI8X_MAX_LAYERS];
		struct fast_scratch scratch;
	} fast;
	struct decoded decoded[AI8X_MAX_LAYERS];
	struct layer_record **records;
	size_t record_count;                 // of this run
	size_t record_room, record_capacity; // records that are there, places for them
	struct observer observers[MAX_OBSERVERS];
	unsigned observer_count;
	unsigned telling;    // callbacks that have not returned
	const char *refused; // function without a status that one of them called
	ai8x_layer_fn on_layer;
	void *on_layer_user;
	ai8x_poll_fn on_poll;
	void *on_poll_user;
	uint64_t unpolled; // cycles since it was called
};

// run.c
ai8x_status run_control_written(ai8x_machine *machine, unsigned group, uint32_t old, uint32_t value,
                                ai8x_error *error);
void run_forget(ai8x_machine *machine);
void run_fifo_pushed(ai8x_machine *machine);
// Gives a run that has just begun all words of its frame, `count` for each FIFO in `fifos`, as a host would that is never
// late; they stay the caller's. False: nothing was done, because FIFOs have to be written word by word.
bool run_supply(ai8x_machine *machine, unsigned fifos, const uint32_t *const words[FIFO_COUNT],
                uint64_t count);

// take_over.c
ai8x_status fast_setup(ai8x_machine *machine, ai8x_error *error);
void fast_release(ai8x_machine *machine);
// True when the order of words matters, which only the exact engine knows: layers that run at the same time, or FIFO
// words on their way, use the same words or read where no layer before them writes, or the run ends before they do.
bool fast_order_matters(ai8x_machine *machine, const ai8x_run_limits *limits, uint64_t budget);
// True when the fast engine may run all current stages, which takes at most `budget` cycles.
bool fast_stages_ready(ai8x_machine *machine, const ai8x_run_limits *limits, uint64_t budget);
ai8x_status fast_run_stage(ai8x_machine *machine, unsigned i, ai8x_error *error);

// observe.c
void observe_emit(void *user, const ai8x_event *event);
void observe_update(ai8x_machine *machine);
// Refuses what would change a machine from inside one of its own callbacks.
ai8x_status observe_refuse(const ai8x_machine *machine, const char *function, ai8x_error *error);
// Tells the run that called back of a function that was refused and has no status of its own.
ai8x_status observe_misuse(ai8x_machine *machine, ai8x_status status, ai8x_error *error);
struct layer_record *observe_begin_layer(ai8x_machine *machine, const ai8x_layer *layer, ai8x_error *error);
// Lets the callback for long runs know that cycles passed. False: it wants the run to end.
bool observe_poll(ai8x_machine *machine, uint64_t cycles);
bool observe_end_layer(ai8x_machine *machine, struct layer_record *record);
void observe_forget(ai8x_machine *machine);
void observe_release(ai8x_machine *machine);

// snoop.c
void snoop_begin_layer(ai8x_machine *machine, const ai8x_layer *layer);
void snoop_written(void *user, const ai8x_layer *layer, unsigned instance, uint32_t word, uint32_t value);
// True when an enabled unit watches what `layer` writes.
bool snoop_watches(const ai8x_machine *machine, const ai8x_layer *layer);
// True when an enabled unit decides whether the link of `layer` is taken.
bool snoop_makes_conditional(const ai8x_machine *machine, unsigned master, uint32_t layer);
// True when an enabled unit may stop the run after `layer`.
bool snoop_may_stop(const ai8x_machine *machine, unsigned master, uint32_t layer);
bool snoop_enabled(const ai8x_machine *machine);
// What the snoop units decide after a layer: stop the run, and whether a link may be taken.
struct snoop_verdict {
	bool stop;
	bool conditional; // some unit makes the link of this layer conditional
	bool take_link;
};
struct snoop_verdict snoop_end_layer(ai8x_machine *machine, const ai8x_layer *layer);

// machine.c
// Gives a machine the fast engine's plans of another; those that do not fit its registers are not used.
void machine_share_plans(ai8x_machine *machine, const ai8x_machine *from);

// selftest.c
void selftest_written(ai8x_machine *machine, unsigned group, uint32_t old, uint32_t value);

// mlator.c
void mlator_control_written(ai8x_machine *machine, unsigned group, uint32_t old, uint32_t value);
uint32_t mlator_read(ai8x_machine *machine);

#endif
