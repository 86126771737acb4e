// What the parts of a check share: the handle, the shadows' types, and small helpers. See docs/check.md.
//
//   handle.c           events in, evaluation in order
//   check_program.c    runs a recorded program under a check
//   report.c           table of classes, findings, texts
//   register_shadow.c  shadow of the registers
//   planned.c          which layers will run, their ranges and groups (before the first one runs)
//   kernel_shadow.c    who wrote each kernel word; which kernels a layer uses
//   bias_shadow.c      shadow of bias memory
//   data_shadow.c      who wrote each byte lane of data memory, and what each layer read
//   misplaced.c        kernels and biases that lie where no channel is
//   trained.c          kernels and biases beside trained ones
//   flow.c             what has influence on the result, and the hazards on its way
//   fifo_traffic.c     FIFO traffic
#ifndef AI8X_CHECK_STATE_H
#define AI8X_CHECK_STATE_H

#include <ai8xsim/check.h>
#include <ai8xsim/network.h>

#include "base/array.h"
#include "base/error.h"
#include "layer/geometry.h"
#include "memory/memory.h"
#include "part/part.h"

#define LANES 4
// Words of one of the RAMs that a data memory instance consists of (hardware reference 1).
#define DATA_RAM_WORDS 4096u

// Layers that start in one run; programs that loop over layers (snoop links) are followed up to here.
#define MAX_RUNS 1024

// Who wrote something last. Layers: WRITER_LAYER + position in the order in which they started.
enum { WRITER_NONE, WRITER_CLEAR, WRITER_BUS, WRITER_FIFO, WRITER_LAYER };

// A lane that was written along with its word but carries no channel.
#define SLOT_NONE 0xffffu
// In place of a slot: the bus wrote a zero.
#define SLOT_BUS_ZERO 1u
#define NONE UINT32_MAX

// Shadow of one byte lane of data memory.
struct lane {
	uint16_t writer;
	uint16_t slot;     // of the layer that wrote it
	uint16_t previous; // the writer before this one, if another
	uint16_t reader;   // 1 + position of the last layer that read it since it was written; 0: nobody
};

// Where a plane's values came from: a set of (writer, slot, previous writer), linked.
struct source {
	struct lane from; // reader is not used
	uint32_t count;
	uint32_t next;
	uint32_t word; // first example
	uint32_t pixel;
	uint32_t last_pixel;
};

// One value of each pixel that a layer reads: a processor's lane, in one pass, of one operand.
struct plane {
	uint32_t sources, recent;
};

// Output words of one layer that another one destroyed unread.
struct loss {
	uint16_t victim, culprit;
	uint32_t count;
	uint16_t instance, lane;
	uint32_t word;
};

// A layer that started.
struct layer_state {
	ai8x_layer layer;
	ai8x_counters counters;
	bool finished;
	int producer;         // position of the layer it streams from, or -1
	bool last_stream;     // its output does not go round a ring
	struct plane *planes; // [pass][operand][processor]
	size_t plane_count;
	uint64_t *with_data; // [pass]: processors that found anything at all in data memory
	uint64_t *influence; // [pass]: processors whose values have influence on the result
	uint32_t slots;
	ai8x_output_place *places; // [slot], of pixel 0
	// Kernels; rows are slots, or one row for all where a layer's slots share them. NULL: every weight is 1.
	uint32_t kernel_rows;
	uint64_t *weights;     // [row][pass]: processors whose kernel is not zero
	uint64_t *unwritten;   // [row][pass]: processors whose kernel nobody wrote
	uint8_t *bias_seen;    // [slot]: groups whose entry was noted
	uint8_t *bias_missing; // [slot]: groups whose entry nobody wrote
	uint32_t *bias_entry;  // [slot][group]: the entry
	bool *live;            // [slot]: has influence on the result
	bool dead;             // no slot has
	uint64_t absent;       // processors that have kernels, but no channel, in the last pass
	uint64_t idle;         // processors not enabled, beside enabled ones, for which unread data lie ready
	uint64_t lanes_written;
	uint64_t fifo_overlap;   // reads of FIFO data that the layer had overwritten with its output
	uint32_t last_word_read; // the highest of its output words that anybody read
};

struct register_state {
	uint32_t value;
	uint32_t writes;
	uint32_t first_write; // number of the bus write that made it nonzero
	uint32_t zeroed_by;   // number of the bus write that made it zero again, or 0
	uint32_t zeroed_from; // the value lost
};

// WORD_PART: committed without all of its bytes having been written. WORD_CLEARED: zeros of the memory's self-test.
enum { WORD_UNWRITTEN, WORD_CLEARED, WORD_WRITTEN, WORD_PART };

// Bytes of a processor's kernel stream, and the bits of each that a kernel takes.
struct kernel_span {
	uint32_t first, last;
	uint8_t bits;
};

struct kernel_word {
	uint8_t content[KERNEL_WORD_BYTES];
	uint8_t written;  // WORD_...
	bool used;        // a layer that ran takes kernels from it
	uint32_t by;      // number of the bus write
	uint32_t lost_by; // number of the bus write whose different content was overwritten, or 0
};

// Why the machine would refuse a layer, and whether it was found before it ran.
struct planned_layer {
	bool reachable;
	bool decoded;
	bool refused;
	ai8x_layer layer;
};

struct result_word {
	uint32_t address, mask;
};

struct ai8x_check {
	const ai8x_part *part;
	ai8x_check_options options;
	bool results_hold;                  // every expected word was compared and is there
	bool results_fail;                  // some are not
	uint32_t channels[AI8X_MAX_LAYERS]; // input channels that a program records of a layer, 0: not known
	uint64_t outputs[AI8X_MAX_LAYERS];  // the same: output processors
	ai8x_machine *machine;
	ai8x_status trouble; // out of memory while observing

	uint64_t bus_writes; // FIFO pushes excluded
	bool started, stopped;
	uint32_t runs; // RUN_START events
	uint32_t known_bits[REG_COUNT];
	struct register_state registers[AI8X_GROUPS][REG_COUNT][AI8X_MAX_LAYERS];

	struct planned_layer plan[AI8X_MAX_LAYERS];
	uint32_t members; // groups that take part
	unsigned master;
	uint32_t late; // groups enabled while the machine ran

	struct lane *lanes[AI8X_INSTANCES];
	uint32_t data_words;
	struct source *sources;
	size_t source_count, source_capacity;
	struct loss *losses;
	size_t loss_count, loss_capacity, loss_recent;
	struct layer_state *layers;
	size_t layer_count, layer_capacity;
	int current[AI8X_MAX_LAYERS]; // register set -> position of its latest start, or -1
	bool looping;                 // more starts than MAX_RUNS

	struct kernel_word *kernels[AI8X_PROCESSORS];
	uint32_t kernel_words[AI8X_PROCESSORS];

	uint32_t *bias_by[AI8X_GROUPS]; // number of the bus write, 0: nobody
	int8_t *bias_value[AI8X_GROUPS];
	uint32_t *bias_clash[AI8X_GROUPS]; // number of the first write where a second one differed

	uint64_t pushed[FIFO_COUNT], popped[FIFO_COUNT];
	uint32_t pushed_bits[FIFO_COUNT]; // that were set in any word
	uint32_t fifo_level[FIFO_COUNT];

	struct result_word *results;
	size_t result_count, result_capacity;
	bool results_named; // by ai8x_check_expect()

	struct ai8x_finding *findings;
	size_t finding_count, finding_capacity;
	ai8x_check_layer *summaries;
};

// The place of a finding; start from here().
struct place {
	int layer, other_layer, group, processor;
	bool has_address;
	uint32_t address;
	int channel, row, column;
};

static inline struct place here(int layer)
{
	return (struct place){layer, -1, -1, -1, false, 0, -1, -1, -1};
}

// The number of a writer that is a layer, or -1.
static inline int writer_position(uint16_t writer)
{
	return writer < WRITER_LAYER ? -1 : writer - WRITER_LAYER;
}

static inline int layer_number(const ai8x_check *check, uint16_t writer)
{
	int position = writer_position(writer);
	return position < 0 || (size_t)position >= check->layer_count ? -1
	                                                              : (int)check->layers[position].layer.index;
}

// Planes of a layer, by pass, operand and processor.
static inline size_t plane_index(const ai8x_layer *layer, uint32_t pass, uint32_t operand, unsigned processor)
{
	return ((size_t)pass * layer->operands + operand) * AI8X_PROCESSORS + processor;
}

// What a lane of data memory holds belongs to the result.
static inline void mark_live(ai8x_check *check, struct lane lane)
{
	const int position = writer_position(lane.writer);
	if (position >= 0 && lane.slot < check->layers[position].slots)
		check->layers[position].live[lane.slot] = true;
}

// The same, and which word of its writer's output somebody looks at.
static inline void mark_read(ai8x_check *check, struct lane lane, uint32_t word)
{
	const int position = writer_position(lane.writer);
	mark_live(check, lane);
	if (position >= 0 && word > check->layers[position].last_word_read)
		check->layers[position].last_word_read = word;
}

// True when a slot's kernels are not all zero (or it needs none).
static inline bool slot_is_loaded(const struct layer_state *state, uint32_t slot)
{
	bool loaded = state->weights == NULL || state->layer.depthwise;
	for (uint32_t pass = 0; pass < state->layer.passes && !loaded; pass++)
		loaded = state->weights[(size_t)slot * state->layer.passes + pass] != 0;
	return loaded;
}

#endif
