// What a compiler must know about a part beyond its tables in lib/part; see target.c.
#ifndef AI8X_NETWORK_TARGET_H
#define AI8X_NETWORK_TARGET_H

#include "part/part.h"

// Limits and work-arounds (hardware reference 7), each a question that placement or emission asks.
struct target {
	const ai8x_part *part;
	// limits
	uint32_t max_pad; // the field holds 3, which no known program has and the vendor's generator refuses
	uint32_t max_pool_passes;     // passes of a pooling passthrough layer
	uint32_t kernel_quarter;      // words of one of the RAMs that kernel memory consists of
	uint32_t kernel_quarter_tail; // the same for the tail of a group's first processor
	// work-arounds
	bool fifo_coupled;       // FIFOs always run in step
	bool flatten_bias_first; // bias of flattened layers lies at the lowest addresses
	bool rows_for_passes;    // multi-pass element-wise passthrough is sent as more rows
	bool reset_average;      // average pooling after an element-wise layer needs a reset layer
	bool depthwise_one_ram;  // kernels of a depth-wise layer must not cross kernel RAMs
	bool window_streams;     // newer equations for streaming start and deltas
	bool multipass_padded_conv1d;
	bool eltwise_convolution_bias;
	bool streaming_passthrough;
	bool streaming_unpadded_end;
};

// The row of that part, or NULL: this compiler does not know the part.
const struct target *target_of(const ai8x_part *part);

#endif
