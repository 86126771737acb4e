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
	uint32_t word; // for output pixel 0
	uint8_t instance;
	uint8_t lane;   // byte lane
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

// Sum of products of `count` values.
typedef int32_t exact_multiply_add_fn(const int16_t *a, const int16_t *b, size_t count);

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
	uint32_t slots;
	struct exact_slot *slot;
	int16_t *kernels; // [slot][pass][tap][lane]
	exact_multiply_add_fn *multiply_add;

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
	int32_t pooled[AI8X_PROCESSORS];
	int32_t combined[AI8X_PROCESSORS];
	int8_t *line;    // [kernel rows][padded columns][passes][lanes]
	int16_t *window; // [pass][tap][lane]
	int64_t accumulator[4];
	int64_t group_sum[4][AI8X_GROUPS]; // its parts, kept while somebody watches them
	uint32_t latch[AI8X_GROUPS];       // bytes of the word each group is assembling
	uint32_t latch_mask[AI8X_GROUPS];
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
// What is multiplied in a pass, and the kernels of a slot and pass: [tap][lane].
const int16_t *processors_window(const struct exact_layer *x, uint32_t pass);
const int16_t *processors_weights(const struct exact_layer *x, uint32_t slot, uint32_t pass);
int64_t processors_own(const struct exact_layer *x, unsigned lane, uint32_t pass);
ai8x_status write_prepare(struct exact_layer *x);
void output_slot(struct exact_layer *x, uint32_t slot, int64_t sum);
void output_prepare(struct exact_layer *x);
int64_t output_bias(struct exact_layer *x, uint32_t slot);
void write_value(struct exact_layer *x, uint32_t slot, int32_t value);
void log_write(struct exact_layer *x, struct exact_log_entry entry);

// Output pixel whose window is complete at the sequencer's position.
static inline uint32_t exact_output_pixel(const struct exact_layer *x)
{
	return (x->row + 1 - x->layer.kernel_rows) * x->layer.output_columns + x->column + 1 -
	       x->layer.kernel_columns;
}

// Whether somebody observes events of this kind. What follows where it is true is kept out of line (EXACT_TELLS), so
// that runs without observers pay for a test of a bit and for nothing else.
static inline bool exact_wants(const struct exact_layer *x, uint32_t kind)
{
	return __builtin_expect((x->wanted & kind) != 0, 0);
}

#define EXACT_TELLS __attribute__((cold, noinline))

#endif
