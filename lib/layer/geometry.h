// What follows from a layer's registers about places and counts, said once: words of a pixel, who writes a slot,
// where kernels and biases lie (hardware reference 4.2, 4.5, 4.8). Engines share these, not their arithmetic.
#ifndef AI8X_LAYER_GEOMETRY_H
#define AI8X_LAYER_GEOMETRY_H

#include "base/bits.h"
#include "layer/layer.h"

static inline bool layer_has_kernels(const ai8x_layer *layer)
{
	return layer->operation != AI8X_OP_PASSTHROUGH;
}

// --- Input ---------------------------------------------------------------------------------------------

// Data memory instances that a layer reads (bit i: instance i).
uint32_t layer_instances(const ai8x_layer *layer);

// Word of an instance at which a layer's input begins.
static inline uint32_t layer_read_base(const ai8x_layer *layer, unsigned instance)
{
	return layer->read_base[instance_group(instance)];
}

// Words from the first to the last that an instance's reads touch, not wrapped at a ring.
uint64_t layer_read_words(const ai8x_layer *layer);

// Stages of the pipeline to empty before a pixel of the image is read: none where it is off.
static inline uint32_t layer_pipeline_stages(const ai8x_layer *layer)
{
	return layer->no_pipeline ? 0 : layer->part->quirks.pipeline_stages;
}

// Words of the ring or the image that an instance holds.
static inline uint64_t layer_input_words(const ai8x_layer *layer)
{
	return layer->ring_words != 0 ? layer->ring_words : layer_read_words(layer);
}

// Input channel that a processor reads in a pass.
static inline uint32_t layer_channel(const ai8x_layer *layer, unsigned processor, uint32_t pass)
{
	return pass * bits_count(layer->processors) + bits_rank(layer->processors, processor);
}

// Image that the kernel slides over: pooled, for transposed convolutions with zeros inserted.
static inline uint32_t layer_expanded_rows(const ai8x_layer *layer)
{
	return layer->transposed ? 2 * layer->pooled_rows : layer->pooled_rows;
}

static inline uint32_t layer_expanded_columns(const ai8x_layer *layer)
{
	return layer->transposed ? 2 * layer->pooled_columns : layer->pooled_columns;
}

// --- Output --------------------------------------------------------------------------------------------

// A row whose pixels take one output cycle each ends with one cycle more: one slot and one pass. With quad fan-out each
// group computes every fourth slot. Flattened layers have a set-up cycle instead.
static inline bool layer_row_cycle(const ai8x_layer *layer)
{
	return layer->write_mode == AI8X_WRITE_CHANNELS &&
	       layer->slots <= (layer->quad_fanout ? AI8X_GROUPS : 1) && layer->passes == 1 && !layer->flatten &&
	       layer_has_kernels(layer);
}

// Words from an output pixel to the next one.
uint32_t layer_pixel_words(const ai8x_layer *layer);

// The processor whose own result a slot is: pass-through and depth-wise layers.
unsigned layer_slot_processor(const ai8x_layer *layer, uint32_t slot);

// Group whose write pointer a slot follows.
unsigned layer_write_group(const ai8x_layer *layer, uint32_t slot);

// Where a word goes that is written through a ring which begins at `origin`; ring 0: no ring.
static inline uint64_t layer_ring_word(uint64_t word, uint32_t origin, uint32_t ring)
{
	return ring == 0 || word < origin ? word : origin + (word - origin) % ring;
}

// --- Kernels -------------------------------------------------------------------------------------------

// Where a kernel lies in its processor's stream: byte of its last tap, and lowest bit inside each byte.
struct layer_kernel {
	uint32_t byte, bit;
};

// The kernel that the processors of a group apply for one output slot and input pass.
struct layer_kernel layer_kernel_at(const ai8x_layer *layer, unsigned group, uint32_t slot, uint32_t pass);

// First and last kernel word of a group's processors. In calcx4 layers: of each quarter.
struct layer_kernel_words {
	uint64_t first, last;
};
struct layer_kernel_words layer_kernel_words(const ai8x_layer *layer, unsigned group);

// --- Biases --------------------------------------------------------------------------------------------

// Entries of bias memory that one slot adds; entries count on past the memory's end, where they wrap.
struct layer_bias {
	unsigned count;
	struct {
		unsigned group;
		uint32_t entry;
	} at[AI8X_GROUPS];
};
struct layer_bias layer_bias_of(const ai8x_layer *layer, uint32_t slot);

// First entry of a group that takes part in the bias, in entries (the register counts in fours in some layers).
uint32_t layer_bias_first(const ai8x_layer *layer, unsigned group);

#endif
