// Registers to layer and back (hardware reference 4.1 to 4.8).
#ifndef AI8X_LAYER_LAYER_H
#define AI8X_LAYER_LAYER_H

#include <ai8xsim/layer.h>

#include "base/error.h"
#include "bus/registers.h"

// Which groups run together, as the start sequence set them up.
struct layer_run {
	uint32_t groups; // bit g: group g takes part
	unsigned master; // whose registers give the geometry
};

// Decodes the registers of layer `index`. AI8X_ERR_LAYER names layer, register and expectation.
ai8x_status layer_decode(const struct registers *registers, const struct layer_run *run, uint32_t index,
                         ai8x_layer *layer, ai8x_error *error);

// Checks that what the layer reads and writes lies inside the part's memories, one memory at a time: data memory,
// where `write_ring` is the length of the ring that wraps its output, from its own write pointer on (0: not wrapped),
// kernels, and bias entries.
ai8x_status layer_check_data(const ai8x_layer *layer, uint32_t write_ring, ai8x_error *error);
ai8x_status layer_check_kernels(const ai8x_layer *layer, ai8x_error *error);
ai8x_status layer_check_bias(const ai8x_layer *layer, ai8x_error *error);

// All of them; the error is the first one's.
ai8x_status layer_check_ranges(const ai8x_layer *layer, uint32_t write_ring, ai8x_error *error);

// Words from the first to the last that an instance's reads touch, not wrapped at a ring.
uint64_t layer_read_words(const ai8x_layer *layer);

static inline unsigned bit_count64(uint64_t bits)
{
	return (unsigned)__builtin_popcountll(bits);
}

// Data memory instances that a layer reads (bit i: instance i).
static inline uint32_t layer_instances(const ai8x_layer *layer)
{
	uint32_t instances = 0;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		instances |= (uint32_t)((layer->processors >> (4 * i) & 15) != 0) << i;
	return instances;
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

// Where a kernel lies in its processor's stream: byte of its last tap, and lowest bit inside each byte.
struct layer_kernel {
	uint32_t byte, bit;
};

// The kernel that the processors of a group apply for one output slot and input pass.
struct layer_kernel layer_kernel_at(const ai8x_layer *layer, unsigned group, uint32_t slot, uint32_t pass);

static inline bool layer_has_kernels(const ai8x_layer *layer)
{
	return layer->operation != AI8X_OP_PASSTHROUGH;
}

// Group of a processor.
static inline unsigned processor_group(unsigned processor)
{
	return processor / (AI8X_PROCESSORS / AI8X_GROUPS);
}

#endif
