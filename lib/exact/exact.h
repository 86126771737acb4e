// The exact engine: one layer, cycle by cycle, block by block as the hardware has them.
//
//   fetch.c       read pointers: words of data memory -> one value per lane
//   pool.c        pooling and element-wise combination -> one pooled pixel
//   tram.c        line buffer: pooled pixels -> kernel window
//   processors.c  kernels and their sums
//   output.c      bias, shift, rounding, clip, activation
//   write.c       write pointers: results -> words of data memory
//   sequencer.c   which block works in which cycle
//   log.c         writes of the last streaming layer
//
// Facts: hardware reference 4 to 6. A "lane" is one byte lane of one of the data memory instances the
// layer reads; lanes are numbered 4 * (k-th such instance) + (processor mod 4).
#ifndef AI8X_EXACT_EXACT_H
#define AI8X_EXACT_EXACT_H

#include <ai8xsim/event.h>

#include "layer/layer.h"
#include "memory/memory.h"

// Most taps of a kernel (checked when registers are decoded).
#define EXACT_MAX_TAPS 9

// What the engine works on and whom it tells; owned by the machine, shared by its layers.
struct exact_context {
	struct data_memory *data;
	const struct kernel_memory *kernel;
	const struct bias_memory *bias;
	uint64_t cycle; // cycles since the run began
	bool keep_absent_lanes;
	uint32_t kinds; // events somebody wants
	void (*emit)(void *user, const ai8x_event *event);
	// Every word written to data memory (snoop units); NULL: nobody watches.
	void (*written)(void *user, const ai8x_layer *layer, unsigned instance, uint32_t word, uint32_t value);
	void *user;
};

// What the sequencer does next.
enum exact_phase {
	PHASE_FLATTEN,
	PHASE_PIPELINE, // stage by stage
	PHASE_READ,
	PHASE_PAD,
	PHASE_TRAM,
	PHASE_FILL,
	PHASE_SEEK,
	PHASE_OUTPUT, // kernels: slot by slot, pass by pass
	PHASE_SLOTS,  // time slots of passthrough and depth-wise layers
	PHASE_ROW_END,
	PHASE_DONE,
};

struct exact_slot {
	uint32_t word;  // for output pixel 0
	uint32_t bits;  // of a value that are kept
	uint32_t shift; // to its byte lane
	uint32_t first; // slot with which its word begins
	uint32_t mask;  // bits of the word that are written
	uint8_t instance;
	uint8_t source; // passthrough, depth-wise: lane of the engine whose value it is
	uint8_t group;  // whose write pointer and word latch are used
	uint8_t time;   // passthrough, depth-wise: time slot
	bool last;      // the word is complete after this slot
	int64_t bias;   // of all groups, times 128
};

struct exact_log_entry {
	uint32_t word, value, mask;
	uint8_t instance;
};

// `count` values of a window times those of the kernels of `slots` slots (a multiple of four), which lie `step` apart:
// adds a sum of products to each slot's sum.
typedef void exact_apply_fn(const int16_t *window, const int16_t *kernels, size_t step, size_t count,
                            uint32_t slots, int64_t *sum);

struct exact_layer {
	uint32_t wanted; // events somebody wants, as of the start of this stretch of cycles
	struct exact_context *context;
	ai8x_layer layer;
	ai8x_counters *counters;
	int32_t *capture;            // [slots][output pixels], or NULL
	uint32_t write_ring;         // words after which output wraps, 0: never
	struct stream_image *input;  // streamed input, or NULL
	struct stream_image *output; // where streamed output goes besides data memory, or NULL
	// Streamed output that must outlast what other streaming layers write; see log.c.
	bool keeps_log;
	struct exact_log_entry *log;
	size_t log_count, log_capacity;

	// Derived once.
	unsigned instances; // data memory instances read
	uint8_t instance[AI8X_INSTANCES];
	uint32_t base[AI8X_INSTANCES];
	uint32_t byte_mask[AI8X_INSTANCES]; // bytes of enabled processors
	unsigned lanes;                     // 4 * instances, rounded up to a multiple of 16
	uint32_t taps;
	uint32_t image_rows, image_columns; // pooled, expanded
	uint32_t padded_rows, padded_columns;
	uint32_t fetches;      // times that a data column is fetched (combine-first layers: passes)
	uint32_t fetch_passes; // passes fetched (pooled multi-pass passthrough: 2 * passes - 1)
	uint32_t seek_cycles;
	uint32_t pipeline_stages; // to empty before the first read of a pixel
	uint32_t parallel_slots;  // slots computed in one cycle
	uint32_t parallel_passes; // passes summed in one cycle
	uint32_t pixel_words;     // write pointer step per output pixel
	uint32_t pixels;          // of the output
	uint32_t slots;
	struct exact_slot *slot;
	size_t tap_step;       // values of a tap: passes * lanes
	uint32_t kernel_slots; // slots with kernels of their own, rounded up to a multiple of four
	int16_t *kernels;      // [slot][tap][pass][lane]
	exact_apply_fn *apply;

	bool finishes;        // results go through the output stage
	uint32_t right;       // its right shift
	int64_t factor, half; // its left shift, and what rounds

	// Sequencer.
	enum exact_phase phase;
	uint32_t row, column; // in the padded pooled image
	uint32_t fetch, pass, operand, position;
	uint32_t step; // OUTPUT: slot; SLOTS: time slot; SEEK: cycles done; PIPELINE: stage
	uint32_t output_pass;
	bool at_pixel;        // between two pixels
	uint32_t pixels_done; // output pixels complete

	// Blocks.
	int8_t sample[AI8X_PROCESSORS];
	int16_t pooled[AI8X_PROCESSORS];
	int16_t combined[AI8X_PROCESSORS];
	int16_t *line;                     // [kernel rows][padded columns][passes][lanes]
	int16_t *window;                   // [tap][pass][lane]
	int64_t *sum;                      // of the pixel's products, for each slot with kernels of its own
	int64_t group_sum[4][AI8X_GROUPS]; // parts of those that grow now, kept while somebody watches them
	uint32_t latch[AI8X_GROUPS];       // bytes of the word each group is assembling
};

// What a layer works with besides its registers; everything stays the caller's.
struct exact_setup {
	uint32_t write_ring;         // words after which output wraps, 0: never
	struct stream_image *input;  // streamed input, or NULL
	struct stream_image *output; // input of the layer that streams from this one, or NULL
	bool keeps_log;
	ai8x_counters *counters;
	int32_t *capture; // [slots][output pixels], or NULL
};

// Makes a layer ready to run.
ai8x_status exact_layer_create(struct exact_context *context, const ai8x_layer *layer,
                               const struct exact_setup *setup, struct exact_layer **out, ai8x_error *error);
void exact_layer_destroy(struct exact_layer *x);

// Runs at most `budget` cycles; with `one_pixel` returns at the next pixel boundary. Returns the cycles used.
uint64_t exact_layer_run(struct exact_layer *x, uint64_t budget, bool one_pixel);

static inline bool exact_layer_done(const struct exact_layer *x)
{
	return x->phase == PHASE_DONE;
}

// Between two pixels: other streaming layers may work now.
static inline bool exact_layer_at_pixel(const struct exact_layer *x)
{
	return x->at_pixel;
}

static inline bool exact_layer_begun(const struct exact_layer *x)
{
	return x->row != 0 || x->column != 0 || !x->at_pixel;
}

// Output pixels complete.
static inline uint32_t exact_layer_pixels(const struct exact_layer *x)
{
	return x->pixels_done;
}

// Pixel of the padded pooled image being worked on; NULL: the first.
static inline void exact_layer_position(const struct exact_layer *x, uint32_t *row, uint32_t *column)
{
	*row = x != NULL ? x->row : 0;
	*column = x != NULL ? x->column : 0;
}

// Index after the last input pixel that the next pixel of the line buffer needs; 0: needs none.
uint64_t exact_layer_needs(const struct exact_layer *x);

// Repeats the writes of a layer that keeps a log.
void exact_layer_replay(struct exact_layer *x);

// Blocks, for the sequencer.
void fetch_prepare(struct exact_layer *x);
void fetch_read(struct exact_layer *x);
void pool_begin(struct exact_layer *x);
void pool_take(struct exact_layer *x);
void pool_combine(struct exact_layer *x, int8_t *pixel);
ai8x_status tram_prepare(struct exact_layer *x);
void tram_store(struct exact_layer *x, const int8_t *pixel);
void tram_window(struct exact_layer *x);
ai8x_status processors_prepare(struct exact_layer *x);
void processors_apply(struct exact_layer *x);
void processors_tell_sums(struct exact_layer *x);
// What is multiplied in a pass, and the kernels of a slot and pass: lanes side by side, taps x->tap_step apart.
const int16_t *processors_window(const struct exact_layer *x, uint32_t pass);
const int16_t *processors_weights(const struct exact_layer *x, uint32_t slot, uint32_t pass);
int64_t processors_own(const struct exact_layer *x, unsigned lane, uint32_t pass);
ai8x_status write_prepare(struct exact_layer *x);
void output_slot(struct exact_layer *x, uint32_t slot, int64_t sum);
void output_prepare(struct exact_layer *x);
void write_whole(struct exact_layer *x, const struct exact_slot *slot, uint32_t value);
void log_write(struct exact_layer *x, struct exact_log_entry entry);

// What the processors' products add up to for a slot of the current pixel; layers without kernels share one.
static inline int64_t exact_sum(const struct exact_layer *x, uint32_t slot)
{
	return x->sum[x->layer.bypass ? 0 : slot];
}

// A slot's value joins the word that its group is assembling.
static inline void write_value(struct exact_layer *x, const struct exact_slot *slot, int32_t value)
{
	uint32_t *latch = &x->latch[slot->group];
	const uint32_t word = *latch | ((uint32_t)value & slot->bits) << slot->shift;
	*latch = slot->last ? 0 : word;
	if (slot->last)
		write_whole(x, slot, word);
}

// Whether somebody observes events of this kind. What follows where it is true is kept out of line (EXACT_TELLS), so
// that runs without observers pay for a test of a bit and for nothing else.
static inline bool exact_wants(const struct exact_layer *x, uint32_t kind)
{
	return __builtin_expect((x->wanted & kind) != 0, 0);
}

#define EXACT_TELLS __attribute__((cold, noinline))

#endif
