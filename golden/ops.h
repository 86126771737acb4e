// The independent referee, part 1: every operator of the accelerator on plain tensors.
//
// Receives tensors, weights and the operator's parameters; hands back tensors. Knows nothing of
// registers, memories, passes or processors, and shares no arithmetic with the simulator: sums of
// products are im2col matrices multiplied by OpenBLAS in double precision, which is exact as long as
// no sum can reach 2^53. Every call checks that bound before it multiplies.
// The facts are those of hardware reference 4.3 to 4.7.
#ifndef AI8X_GOLDEN_OPS_H
#define AI8X_GOLDEN_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/status.h>

// A tensor [channels][rows][columns]. One-dimensional data has one column.
typedef struct golden_tensor {
	size_t channels;
	size_t rows;
	size_t columns;
	int32_t *data; // owned; NULL in an empty tensor
} golden_tensor;

typedef enum golden_operator {
	GOLDEN_PASSTHROUGH,
	GOLDEN_CONV1D,
	GOLDEN_CONV2D,
	GOLDEN_CONVTRANSPOSE2D,
	GOLDEN_LINEAR,
} golden_operator;

// Combines what was combined so far with the next operand. NULL: no element-wise operator.
typedef int64_t (*golden_eltwise)(int64_t left, int64_t right);

// The function of that name in a description, or NULL.
golden_eltwise golden_eltwise_named(const char *name);

typedef enum golden_activation {
	GOLDEN_ACTIVATION_NONE,
	GOLDEN_ACTIVATION_RELU,
	GOLDEN_ACTIVATION_ABS,
} golden_activation;

// Weights of one value -1 or +1 each; the other widths are named by their bits (8, 4, 2, 1).
#define GOLDEN_BINARY (-1)

// Two numbers for rows and columns, in this order.
typedef struct golden_pair {
	unsigned rows;
	unsigned columns;
} golden_pair;

typedef struct golden_pooling {
	golden_pair window; // 1 x 1: no pooling, only the stride counts
	golden_pair stride;
	golden_pair dilation;
	bool average;
	bool round; // average: nearest, halves away from zero, instead of towards zero
} golden_pooling;

typedef struct golden_convolution {
	golden_operator kind;
	golden_pair kernel;
	golden_pair padding; // transposed: as PyTorch counts it
	golden_pair dilation;
	unsigned groups;
	// [out_channels][in_channels / groups][rows][columns], slid over the image without turning it
	// round; for a transposed convolution, over the image with its zeros put in
	const int8_t *weights;
	const int8_t *bias; // out_channels values that count 128 each, or NULL
	size_t out_channels;
	int weight_bits; // 8, 4, 2, 1 or GOLDEN_BINARY: the range that weights are held to
} golden_convolution;

typedef struct golden_output {
	int shift; // left shift of sum / 128, negative: to the right
	golden_activation activation;
	bool wide; // 32 bit: the sum as it is
} golden_output;

// All that one layer does, in the order it is done.
typedef struct golden_layer {
	golden_eltwise eltwise;
	bool eltwise_first; // combine the operands first, then pool
	golden_pooling pooling;
	bool flatten;
	golden_convolution convolution; // kind GOLDEN_PASSTHROUGH: the layer ends after flattening
	golden_output output;
} golden_layer;

// OpenBLAS keeps its thread count for the whole process. Programs that call the referee from several
// threads of their own call this once, early in main, so that each call computes on its caller's.
void golden_use_one_thread(void);

ai8x_status golden_tensor_create(size_t channels, size_t rows, size_t columns, golden_tensor *tensor,
                                 ai8x_error *error);
ai8x_status golden_tensor_copy(const golden_tensor *from, golden_tensor *to, ai8x_error *error);
void golden_tensor_destroy(golden_tensor *tensor);
size_t golden_tensor_size(const golden_tensor *tensor);

// Operators. `out` is created by the call and belongs to the caller; after an error it is empty.

ai8x_status golden_pool(const golden_tensor *in, const golden_pooling *pooling, golden_tensor *out,
                        ai8x_error *error);

// Folds the operands from the left and clips once to 8 bit.
ai8x_status golden_combine(const golden_tensor *const *operands, size_t count, golden_eltwise eltwise,
                           golden_tensor *out, ai8x_error *error);

// [C][H][W] to [C * H * W][1][1].
ai8x_status golden_flatten(const golden_tensor *in, golden_tensor *out, ai8x_error *error);

// Channels after one another.
ai8x_status golden_concatenate(const golden_tensor *const *parts, size_t count, golden_tensor *out,
                               ai8x_error *error);

// `count` channels from `first` on.
ai8x_status golden_slice(const golden_tensor *in, size_t first, size_t count, golden_tensor *out,
                         ai8x_error *error);

// Sums of products plus bias * 128, before shift, clip and activation.
ai8x_status golden_convolve(const golden_tensor *in, const golden_convolution *convolution,
                            golden_tensor *sums, ai8x_error *error);

// clip(floor(0.5 + sum * 2^shift / 128)), then the activation; or the sum as it is.
ai8x_status golden_finish(const golden_tensor *sums, const golden_output *output, golden_tensor *out,
                          ai8x_error *error);

// What a layer does before its convolution: pooling, element-wise, flattening. Without an
// element-wise operator there is exactly one operand.
ai8x_status golden_prepare(const golden_tensor *const *operands, size_t count, const golden_layer *layer,
                           golden_tensor *out, ai8x_error *error);

// A whole layer.
ai8x_status golden_run_layer(const golden_tensor *const *operands, size_t count, const golden_layer *layer,
                             golden_tensor *out, ai8x_error *error);

#endif
