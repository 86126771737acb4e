// The fast engine: a layer at once, with the same results as the exact engine.
//
//   planner.c    what a layer needs, worked out once: weights unpacked, write map, whether order matters
//   gather.c     words of data memory -> image of signed bytes; pooling and element-wise stage
//   engine.c     image -> kernels -> sums; how a layer is split among threads
//   winograd.c   3x3 kernels with a quarter of the products
//   deliver.c    sums -> output stage -> words of data memory
//   kernel_*.c   the arithmetic, one file per instruction set; variants.c picks one
//
// It shares the decoded layer and the memories with the exact engine and nothing else. A layer whose
// writes hit words that it still has to read, and anything the planner does not fully understand, is refused;
// the machine then runs the exact engine.
#ifndef AI8X_FAST_FAST_H
#define AI8X_FAST_FAST_H

#include <stdatomic.h>

#include <ai8xsim/event.h>

#include "base/crew.h"
#include "fast/variants.h"
#include "layer/layer.h"
#include "memory/memory.h"

// A word that every output pixel writes.
struct fast_word {
	uint8_t instance;
	uint8_t group;    // whose write pointer it follows
	bool dense;       // results from from[0] on, in order, written as a whole word
	uint32_t keep;    // dense: bits of the four results that count
	uint32_t word;    // for output pixel 0
	uint32_t mask;    // bits that change
	uint32_t from[4]; // place in the row of results, per lane; FAST_NONE: writes zero
};

#define FAST_NONE UINT32_MAX

// Everything about a layer that does not depend on data. Immutable once made; shared between threads.
struct fast_plan {
	atomic_uint references;
	ai8x_layer layer;
	uint64_t kernel_stamp; // stamps of the memories it was made from
	uint64_t bias_stamp;
	uint32_t imaged;        // instances read from a stream image
	ai8x_counters counters; // closed form: time does not depend on data
	uint64_t cycles;
	uint64_t effort; // about how many picoseconds it takes one thread, see planner.c
	const struct fast_kernel *kernel;
	bool refused;
	char reason[128]; // why it was refused

	// Image.
	unsigned instances;
	uint8_t instance[AI8X_INSTANCES];
	uint32_t base[AI8X_INSTANCES];
	uint32_t lanes;                     // 4 * instances
	uint32_t channels;                  // bytes of a pixel: passes * lanes
	uint32_t image_rows, image_columns; // expanded and padded
	size_t room;                        // bytes after the image that may be read
	int8_t *average;                    // average of a sum, offset by 128 * area; NULL: no average pooling

	// Kernels. A layer that can is seen as one row of pixels.
	uint32_t view_rows, view_columns; // output pixels
	uint32_t run_rows;                // kernel rows in the view
	uint32_t run;                     // bytes of one kernel row
	uint32_t seen;                    // bytes of a pixel that kernels see: channels, or those that are used
	bool windows;                     // pixels are closed up, and each window copied to be one row
	size_t row_stride;                // bytes between kernel rows
	void *weights;                    // as the kernel packed them
	void *unsigned_weights;           // as its relative for images without negative values did, or NULL
	void *transformed;                // 36 times as fast_winograd packed them; NULL: not done this way
	uint8_t flip;                     // image bytes are exclusive-ored with this
	uint32_t blocks;                  // blocks of slots
	int32_t *offset;                  // per result: bias, less what the kernel's image flip adds
	int16_t *own;                     // depth-wise: [tap][channel]

	// Output.
	uint32_t results; // values per output pixel, before padding to blocks
	struct fast_word *words;
	size_t word_count;
	uint32_t pixel_words;
	uint32_t pass_words; // words of an output pass, where passes are like pixels; 0: they are not
	bool fills_ring;     // every word of a pixel's step is written whole
};

// What a thread must have to do at least, in picoseconds: telling it, waiting for it and fetching what another has written
// take about a microsecond at each of the two or three stages of a layer.
#define FAST_SHARE 4000000

// Threads of a machine at the most.
#define FAST_MOST_THREADS 64

// What one thread works on.
struct fast_desk {
	int16_t *wide;
	int32_t *products;
	int32_t *sums;
	int8_t *results;
	size_t wide_size, products_size, sums_size, results_size;
};

// Buffers and threads of one machine, grown as needed.
struct fast_scratch {
	int8_t *samples;
	int8_t *image;
	int16_t *wide; // values of the image
	size_t samples_size, image_size, wide_size;
	struct fast_desk desk[FAST_MOST_THREADS];
	unsigned threads;  // that may work on a layer; 0: one
	uint64_t share;    // what each must have to do at least; 0: FAST_SHARE
	struct crew *crew; // those that there are
};

// What a layer works on.
struct fast_job {
	struct data_memory *data;
	struct stream_image *input;  // streamed input, or NULL
	struct stream_image *output; // input of the layer that streams from this one, or NULL
	uint32_t write_ring;         // words after which output wraps, 0: never
	int32_t *capture;            // [slots][output pixels], or NULL
};

// Makes a plan. `imaged`: instances (bits) that are read from a stream image instead of data memory. AI8X_OK
// also when the plan is refused; else AI8X_ERR_NO_MEMORY.
ai8x_status fast_plan_create(const ai8x_layer *layer, const struct kernel_memory *kernel,
                             const struct bias_memory *bias, const struct fast_kernel *with,
                             bool keep_absent_lanes, uint32_t imaged, struct fast_plan **plan);
// Plans are shared: the last one to release a plan frees it. NULL is allowed.
struct fast_plan *fast_plan_retain(struct fast_plan *plan);
void fast_plan_release(struct fast_plan *plan);
// True when a plan still describes the layer and the memories.
bool fast_plan_fits(const struct fast_plan *plan, const ai8x_layer *layer, const struct kernel_memory *kernel,
                    const struct bias_memory *bias, uint32_t imaged);

// Runs a layer. The plan must not be refused.
ai8x_status fast_run(const struct fast_plan *plan, struct fast_scratch *scratch, const struct fast_job *job);
void fast_scratch_release(struct fast_scratch *scratch);

// gather.c: fills scratch->image, with so many threads. False: out of memory.
bool fast_gather(const struct fast_plan *plan, struct fast_scratch *scratch, const struct fast_job *job,
                 unsigned threads);

// winograd.c: whether a layer pays to be run that way; its weights ([slot][tap][channel], AI8X_ERR_NO_MEMORY), and a
// run over the gathered image. False: out of memory.
bool fast_winograd_pays(const struct fast_plan *plan, const int8_t *weights);
ai8x_status fast_winograd_plan(struct fast_plan *plan, const int8_t *weights);
bool fast_winograd_run(const struct fast_plan *plan, struct fast_scratch *scratch, const struct fast_job *job,
                       unsigned threads);

// deliver.c: the output stage of a layer, without its sums.
struct fast_output fast_output_stage(const struct fast_plan *plan);
// Sums of output pixels `first` and on go through the output stage and to memory.
void fast_deliver(const struct fast_plan *plan, const struct fast_desk *desk, const struct fast_job *job,
                  struct fast_output *output, uint32_t first);
// Results of a layer without kernels, of `count` output pixels from `first` on, go to memory.
void fast_deliver_image(const struct fast_plan *plan, const struct fast_scratch *scratch,
                        const struct fast_job *job, uint32_t first, uint32_t count);
// Whether output pixels may be delivered in any order: no word of a ring is written twice.
bool fast_any_order(const struct fast_plan *plan, const struct fast_job *job);
// A ring that a streaming layer filled beside its image.
void fast_fill_ring(const struct fast_plan *plan, const struct fast_job *job);

// Pieces of a layer's work, which threads draw: several for each, so that one that is held up holds up nobody.
static inline unsigned fast_pieces(unsigned threads)
{
	return threads > 1 ? 6 * threads : 1;
}

// Grows a buffer; its contents are lost. False: out of memory.
bool fast_reserve(void **buffer, size_t *size, size_t need);

#endif
