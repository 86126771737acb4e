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

#endif
