// Placement under way: tensors, who reads them, and where they go. Shared by the steps of placement:
// copies.c, maps.c, offsets.c, in the order of placing.c.
//
// Tensor 0 is the network's input, tensor i + 1 the output of layer i.
#ifndef AI8X_NETWORK_LAYOUT_H
#define AI8X_NETWORK_LAYOUT_H

#include "network/lower.h"
#include "network/network.h"
#include "network/target.h"

// How a layer takes one of its sources.
enum use_kind {
	USE_PLAIN,    // on its own
	USE_OPERAND,  // as operand: words of all operands alternate
	USE_CHANNELS, // as some of the channels
	USE_PIXELS,   // as some of the pixels
};

struct use {
	size_t layer;
	unsigned source; // which of the layer's sources
	enum use_kind kind;
};

struct tensor {
	uint32_t channels, pixels, bytes; // bytes of a value: 1 or 4
	uint32_t passes, thresh;
	struct use *uses;
	size_t use_count;
	int join; // layer whose join decides offset and gap, or -1
	unsigned join_source;
	uint32_t gap; // write gap
	// maps
	uint64_t pattern; // processors relative to the tensor's start (a multiple of four)
	uint64_t map;     // absolute, 0: not chosen yet
	// offsets, in words
	size_t block;
	uint32_t block_offset;
};

struct layout {
	ai8x_network *network;
	const struct target *target;
	const ai8x_compile_options *options;
	struct tensor *tensors;
	size_t count; // tensors
};

ai8x_status layout_create(struct layout *layout, ai8x_network *network, const struct target *target,
                          const ai8x_compile_options *options, ai8x_error *error);
void layout_release(struct layout *layout);

static inline size_t tensor_of(int source)
{
	return (size_t)source + 1; // the input is source -1
}

// How a layer takes its source number k.
enum use_kind layout_use_kind(const ai8x_network_layer *layer);

// true: the network's input arrives through a FIFO.
bool layout_fed_by_fifo(const struct layout *layout);

// true: a plain reader can step over the words that a write gap of the tensor leaves.
bool layout_can_read_gap(const struct layout *layout, const struct tensor *tensor, const struct use *use);

// copies.c: inserts passthrough layers where a tensor would have to lie in two places at once.
ai8x_status placement_insert_copies(ai8x_network *network, const struct target *target,
                                    const ai8x_compile_options *options, ai8x_error *error);

// maps.c: processors of every tensor and layer.
ai8x_status placement_choose_maps(struct layout *layout, ai8x_error *error);

// offsets.c: offsets and gaps of every tensor and layer.
ai8x_status placement_choose_offsets(struct layout *layout, ai8x_error *error);

// First channel of source k among the joined channels of a layer.
uint32_t layout_first_channel(const struct layout *layout, const ai8x_network_layer *layer, unsigned k);

#endif
