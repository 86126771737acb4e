// The hardware's view of a network, between placement and registers; see lower.c.
//
// A plan is built from a resolved and placed network. Kernel memory, bias memory and streaming add what
// they decide; set_registers.c and emit.c turn it into a program.
#ifndef AI8X_NETWORK_LOWER_H
#define AI8X_NETWORK_LOWER_H

#include "bus/registers.h"
#include "network/network.h"
#include "network/target.h"

#define PLAN_MAX_TAPS 9

// Layer as the hardware runs it.
struct plan_layer {
	const ai8x_network_layer *net;
	const ai8x_network_layer *weights; // layer whose weights and bias are used
	size_t position;
	bool reachable;    // some run order reaches it
	uint32_t index;    // register set
	bool reset_before; // an average-pool reset layer sits at index - 1

	// operation after emulation
	ai8x_operation operation; // LINEAR never: it is a 1x1 CONV2D
	uint32_t rows, columns, pooled_rows, pooled_columns, out_rows, out_columns;
	uint32_t kernel_rows, kernel_columns, pad_rows, pad_columns;
	int8_t taps[PLAN_MAX_TAPS]; // logical tap of each hardware tap, or -1: zero
	uint32_t lead_pixels;       // output pixels that emulation writes before the first
	uint32_t bits;              // weight bits
	bool depthwise, broadcast, quad, flat, rows_for_passes;

	// channels
	uint32_t in_passes, in_thresh, out_passes, out_thresh;
	uint32_t passes;         // kernels per slot: input passes, times pixels when flattened
	uint64_t own_processors; // without the copies of a quad fan-out
	uint64_t processors;
	uint64_t output_processors;
	uint32_t first_lane; // first output processor, rounded down to an instance
	uint32_t slots_per_pass, slots;
	uint32_t time_slots;

	// kernel memory
	uint32_t kernels; // kernels per processor
	uint32_t kernel_word, kernel_words;

	// bias memory
	uint8_t bias_groups;              // groups whose bias is enabled
	uint32_t bias_first[AI8X_GROUPS]; // first entry (of bytes)

	// line buffer and streaming
	uint32_t tram_length;
	uint32_t tram_first, tram_last;
	bool streaming;
	uint32_t stream_start, stream_delta1, stream_delta2, stream_invol, ring_words;
};

struct plan {
	const ai8x_network *network;
	const struct target *target;
	const ai8x_part *part;
	ai8x_compile_options options;
	ai8x_network_feed feed; // never AUTO
	struct plan_layer *layers;
	size_t count;
	size_t *order; // positions in the order in which results are expected
	size_t order_count;
	uint32_t last_index;   // register set of the last layer
	size_t final_position; // layer after which an undisturbed run ends
	unsigned groups;       // bit map of groups that take part
	unsigned master;
	bool streams, binary, average_rounding;

	uint8_t *kernels[AI8X_PROCESSORS];     // stream bytes (9 per word), NULL without weights
	uint8_t *kernel_used[AI8X_PROCESSORS]; // per word: some layer uses it
	uint32_t kernel_limit[AI8X_PROCESSORS];
	int8_t *bias[AI8X_GROUPS];
	uint32_t bias_used[AI8X_GROUPS];
};

ai8x_status plan_create(const ai8x_network *network, const ai8x_part *part,
                        const ai8x_compile_options *options, struct plan *plan, ai8x_error *error);
void plan_release(struct plan *plan);

// Kernel memory: where every layer's kernels go, and their bytes.
ai8x_status plan_kernels(struct plan *plan, ai8x_error *error);
// Bias memory.
ai8x_status plan_bias(struct plan *plan, ai8x_error *error);
// Streaming start, deltas, rings, and the line buffer pointers.
ai8x_status plan_streams(struct plan *plan, ai8x_error *error);
// Ring length of one layer in words, as far as it depends on shapes only; used by placement too.
uint32_t plan_ring_words(const struct plan *plan, size_t position);

// All registers of all layers.
ai8x_status plan_registers(const struct plan *plan, struct registers *registers, ai8x_error *error);

// Position n of the set bits of a map (n < number of bits).
unsigned map_bit(uint64_t map, unsigned n);

// Where output channel c, pixel y of a layer lies: instance, word, lane; from the placement alone.
ai8x_output_place plan_output_place(const struct plan_layer *layer, uint32_t channel, uint32_t pixel);

// Where input channel c (of operand k), pixel y of a layer is read.
ai8x_output_place plan_input_place(const struct plan_layer *layer, uint32_t operand, uint32_t channel,
                                   uint32_t pixel);

// Writes the program (emit.c).
ai8x_status plan_emit(const struct plan *plan, const ai8x_network_tensor *outputs, ai8x_program *program,
                      ai8x_error *error);

#endif
