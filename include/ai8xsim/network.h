/**
 * @file network.h
 * @brief Network descriptions: what a network computes, layer by layer, and how it becomes a program.
 *
 * A network is read from the YAML description that ai8x-synthesis users have (docs/networks.md) or filled in by
 * the caller; ai8x_network_resolve() completes and checks shapes; ai8x_network_compile() places it on a part
 * and writes the program. The structs are plain so that a reference model can be written from this header
 * alone: everything under "meaning" below defines results, everything under "placement" does not influence any
 * layer's output tensor.
 *
 * Meaning of a layer, in this order:
 *  1. **Sources.** Tensors [C][H][W] of @ref ai8x_network_layer::sources are joined as @ref
 *     ai8x_network_layer::join says. With several operands the joined channels are split into that many equal
 *     parts, operand by operand (so the network input of a layer with two operands is the first operand's channels
 *     followed by the second's).
 *  2. **Subset.** Of each operand the channels first_channel .. first_channel + in_channels - 1 are used; then
 *     crop_first rows at the top and crop_last rows at the bottom are dropped; then the pixels, in row-major
 *     order, are taken as an image of in_rows x in_columns (the same number of pixels).
 *  3. **Pooling and element-wise.** pool_first: each operand is pooled, then operands are combined; otherwise
 *     operands are combined (and clipped), then pooled. Element-wise: left fold over the operands in order at
 *     full precision, one clip to [-128, 127] at the end. Pooling: window pool_rows x pool_columns with samples
 *     pool_dilation apart, step pool_stride; maximum, or sum / (pool_rows * pool_columns) truncated towards zero
 *     (network.average_rounding: rounded to nearest, halves away from zero). Without pooling the stride alone still
 *     subsamples (the value at each window's origin). Samples whose position is past the image do not occur in
 *     resolved networks. Result: pooled_rows x pooled_columns.
 *  4. **Flatten.** [C][H][W] is taken as [C*H*W][1][1] (channel-major).
 *  5. **Operation.** Cross-correlation (no kernel flip), stride 1, pad zeros on each side, taps dilation apart,
 *     in @ref ai8x_network_layer::groups groups (1, or the number of channels: depth-wise). Transposed: after
 *     each pixel and each row a zero is inserted (H x W becomes 2H x 2W, data at even positions), then the same
 *     cross-correlation with (kernel - 1 - pad) zeros on each side. The weights are those of that
 *     cross-correlation (a PyTorch ConvTranspose2d kernel flipped in both directions, channels swapped).
 *     Linear: a 1x1 convolution of a 1x1 image. With bypass every weight is 1. Then + 128 * bias.
 *  6. **Output.** 32 bit: the sum as it is. 8 bit: floor(sum * 2^output_shift / 128 + 1/2), clipped to
 *     [-128, 127], then activation (relu: max(v, 0); abs: min(|v|, 127)). A passthrough layer has neither
 *     shift nor activation: its output is what step 3 gave.
 *
 * Example: examples/network.c.
 */
#ifndef AI8XSIM_NETWORK_H
#define AI8XSIM_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layer.h"
#include "part.h"
#include "program.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** In a list of sources: the network's input. */
#define AI8X_NETWORK_INPUT (-1)
/** The most sources a layer can have. */
#define AI8X_NETWORK_SOURCES 16
/** Value of in_offset and out_offset when the description leaves the choice to the compiler. */
#define AI8X_NETWORK_CHOOSE (-1)
/** Value of next and bias_group: not given. */
#define AI8X_NETWORK_DEFAULT (-2)
/** Value of next: the run stops after the layer. */
#define AI8X_NETWORK_STOP (-1)

/** How the sources of a layer become one tensor. */
typedef enum ai8x_network_join {
	AI8X_JOIN_CHANNELS, /**< channels of all sources one after the other (also: one source, operands) */
	AI8X_JOIN_PIXELS, /**< per channel, the pixels of all sources one after the other, then in_rows x in_columns */
} ai8x_network_join;

/** A layer of a network. Zero-initialised members are the defaults unless ai8x_network_create() says otherwise. */
typedef struct ai8x_network_layer {
	/* Identity. */
	unsigned number; /**< sequence number in the description; N of /layers/N in programs */
	char *name;      /**< owned by the network, or NULL */
	unsigned line;   /**< line of the description file, 0: none */

	/* Meaning. */
	ai8x_operation operation;
	int sources
		[AI8X_NETWORK_SOURCES]; /**< positions in network.layers (not numbers), or AI8X_NETWORK_INPUT */
	unsigned source_count;      /**< 0 before resolving: the layer before it (first layer: the input) */
	ai8x_network_join join;     /**< set by resolving */
	unsigned operands;          /**< 1: no element-wise operation */
	ai8x_eltwise eltwise;       /**< meaningful when operands > 1 */
	bool pool_first;
	uint32_t first_channel;         /**< channels skipped at the beginning (in_channel_skip) */
	uint32_t crop_first, crop_last; /**< rows dropped (in_crop) */
	uint32_t in_channels;           /**< per operand, before flattening; 0: to be resolved */
	uint32_t in_rows, in_columns;   /**< 0: to be resolved. Conv1d: rows = length, columns = 1 */
	ai8x_pooling pooling;
	uint32_t pool_rows, pool_columns; /**< 1 without pooling */
	uint32_t pool_stride;             /**< both directions (conv1d and one-column data: rows only) */
	uint32_t pool_dilation_rows, pool_dilation_columns;
	uint32_t pooled_rows, pooled_columns; /**< set by resolving */
	bool flatten;
	uint32_t groups; /**< 1, or in_channels: depth-wise */
	uint32_t kernel_rows,
		kernel_columns;             /**< logical kernel (before dilation); passthrough and linear: 1 x 1 */
	uint32_t pad_rows, pad_columns; /**< as in the description (transposed: PyTorch meaning) */
	uint32_t dilation;              /**< distance of taps along rows (conv1d only, else 1) */
	uint32_t output_padding;        /**< transposed: 1 */
	bool bypass;                    /**< every weight is 1; no weights */
	int weight_bits; /**< 8, 4, 2, 1, or -1: binary, weights -1 and +1 (+1 is stored as 1); passthrough: 8 */
	int32_t output_shift; /**< total left shift applied to sum/128, the 8 - |weight_bits| correction
	                                 for narrow weights included (the description's key does not include it) */
	bool shift_given;     /**< false: output_shift may be chosen (weights file, randomise) */
	unsigned output_bits; /**< 8 or 32 */
	ai8x_activation activation;
	uint32_t out_channels;          /**< 0: to be resolved */
	uint32_t out_rows, out_columns; /**< set by resolving */

	/* Weights; owned by the network (malloc). */
	int8_t *weights;       /**< [out_channels][fan_channels][kernel_rows][kernel_columns], or NULL */
	size_t weight_count;   /**< elements of @ref weights */
	uint32_t fan_channels; /**< set by resolving: channels each output sees (flatten: in_channels * pixels;
	                                 depth-wise: 1); 0 without weights of its own */
	int8_t *bias;          /**< [out_channels], each times 128 in the sum, or NULL */
	bool bias_wanted;      /**< shapes-only and random networks: the layer has a bias (default: true for
	                                 operations with weights) */
	int weight_source; /**< position of the layer whose weights and bias are used instead of own ones, or -1 */

	/* Placement. */
	uint64_t processors;           /**< 0: chosen by the compiler */
	uint64_t output_processors;    /**< 0: chosen by the compiler */
	int64_t in_offset, out_offset; /**< bytes in each data memory instance, or AI8X_NETWORK_CHOOSE */
	uint32_t write_gap, read_gap;
	bool write_gap_given, read_gap_given;
	bool chw; /**< input data one channel per instance (first layer only) */
	bool streaming;
	bool calcx4, read_ahead;
	int tcalc;           /**< 0, 1, or AI8X_NETWORK_DEFAULT */
	uint8_t bias_groups; /**< groups whose bias memory may be used (bit map), 0: any */
	int next; /**< position of the layer that runs next, AI8X_NETWORK_STOP or AI8X_NETWORK_DEFAULT */
	int next_simulated; /**< the same for the order in which results are expected (snoop), or DEFAULT */
	int next_snoop;     /**< target of a conditional link written besides next, or DEFAULT */
	bool output;        /**< result is read when the run is over (the last layer always is) */
} ai8x_network_layer;

/** A network. */
typedef struct ai8x_network {
	char *name;                 /**< file name without folder and suffix, or what the caller set */
	char *file;                 /**< description file, or NULL */
	char *arch, *dataset;       /**< as in the description, or NULL */
	ai8x_network_layer *layers; /**< in the order of the description */
	size_t layer_count;
	uint32_t
		input_shape[3];    /**< C (all operands of the first layer), H, W; conv1d: W = 1. 0 until resolved */
	int8_t *input;         /**< [C][H][W], or NULL */
	bool average_rounding; /**< average pooling rounds instead of truncating */
	uint64_t output_map;   /**< output processors of the last layer (key output_map), or 0 */
	uint32_t snoop[32];    /**< snoop registers (key snoop): 24 settings, then 8 values expected afterwards */
	bool snoop_given;
	char **notes; /**< what the library chose or found remarkable, one line each */
	size_t note_count;
	char **
		warnings; /**< possible but hardly meant (a layer reads what another has overwritten), one line each */
	size_t warning_count;
	char *part; /**< name of the part that the description is meant for (key part), or NULL */
	char *read_from
		[3]; /**< weights, bias and input files that its data came from, or NULL: never write there */
	unsigned
		first_set; /**< register set of the first layer: above 0 where layers before it were left out (MAX78002) */
	void *reserved[3]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_network;

/** Files that ai8x_network_open() reads besides the description. Zero-initialise. */
typedef struct ai8x_network_files {
	const char *weights; /**< HDF5 weights file, .npy (arrays one after the other) or .npz; or NULL */
	const char *bias;    /**< .npy with one array per layer that has weights; or NULL */
	const char *input;   /**< .npy [C][H][W] or [C][L], or an HDF5 file with dataset "input"; or NULL */
	const uint32_t
		*input_shape; /**< three numbers, C, H, W (a line of data: C, L, 1), where nothing else tells
	                                the size of the input; or NULL */
	unsigned
		first_layer; /**< number of the layer to begin with: its input is the network's, and those before it
	                                 are left out, while its register set stays the same; 0: all layers */
	const unsigned *last_layer; /**< number of the layer to end with, or NULL */
	const char
		*no_bias; /**< layers whose biases are left out: numbers separated by commas, or "all"; or NULL */
	double
		input_scale; /**< the input's values are multiplied by it and rounded, as 128 does for values from -1 to 1;
	                         0 and 1: they are taken as they are */
	void *reserved[3]; /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_network_files;

/**
 * @brief Makes a network of @p layer_count layers with default values (3x3 convolutions with pad 1, every choice left
 *        to the compiler), numbered from 0. Destroy it with ai8x_network_destroy().
 */
AI8X_API ai8x_status ai8x_network_create(const char *name, size_t layer_count, ai8x_network **network,
                                         ai8x_error *error);

/** @brief Deep copy: layers, weights, input, notes. */
AI8X_API ai8x_status ai8x_network_copy(const ai8x_network *network, ai8x_network **copy, ai8x_error *error);

/** @brief Frees a network and all it owns (weights, names ... are free()d). NULL is allowed. */
AI8X_API void ai8x_network_destroy(ai8x_network *network);

/**
 * @brief Reads a description, then weights, bias and input where given, and resolves the shapes.
 *
 * What @p files does not name is taken from the files that the description names (keys weights, bias and input; paths
 * are relative to its folder). The input of a weights file counts as given there.
 *
 * Errors name file, line and key; AI8X_ERR_FORMAT: the file is not a valid description; AI8X_ERR_NETWORK: it
 * is, but the network makes no sense (shapes that do not fit).
 */
AI8X_API ai8x_status ai8x_network_open(const char *path, const ai8x_network_files *files,
                                       ai8x_network **network, ai8x_error *error);

/**
 * @brief The same for a description in memory; @p file_name is used in messages and may be NULL. Files that the
 *        description names are not read.
 */
AI8X_API ai8x_status ai8x_network_parse(const char *text, size_t size, const char *file_name,
                                        const ai8x_network_files *files, ai8x_network **network,
                                        ai8x_error *error);

/**
 * @brief Reads a weights file alone: a network with a layer for every weight layer, which has weights, kernel, channel
 *        counts, bits and bias as the file says, and nothing else. For ai8x_check_options::trained.
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_network_open_weights(const char *path, ai8x_network **network,
                                                            ai8x_error *error);

/**
 * @brief Completes and checks all shapes (everything marked "resolved"). May be called again after changes: what
 *        was given stays, what was resolved is kept too, so reset members to 0 to have them resolved anew.
 */
AI8X_API ai8x_status ai8x_network_resolve(ai8x_network *network, ai8x_error *error);

/** @brief The layer whose weights and bias layer @p position uses (follows weight_source). */
AI8X_API const ai8x_network_layer *ai8x_network_weights_of(const ai8x_network *network, size_t position);

/**
 * @brief Tells the least and the greatest sum (bias included, before the shift) of layer @p position.
 *
 * Called for layers in ascending order; weights and shifts of all layers before it are final by then.
 */
typedef ai8x_status (*ai8x_network_sums_fn)(void *user, const ai8x_network *network, size_t position,
                                            int64_t *least, int64_t *greatest, ai8x_error *error);

/**
 * @brief Fills weights, bias and input with seeded values where they are missing and chooses output shifts.
 *
 * The same seed gives the same network on every machine. Shifts that were not given are chosen so that the
 * layer's outputs use the 8-bit range: from the sums that @p sums reports, or, when it is NULL, from what is
 * to be expected of random data.
 */
AI8X_API ai8x_status ai8x_network_randomise(ai8x_network *network, uint64_t seed, ai8x_network_sums_fn sums,
                                            void *user, ai8x_error *error);

/** Where the first layer's input comes from. */
typedef enum ai8x_network_feed {
	AI8X_FEED_AUTO, /**< a FIFO when the first layer streams, memory otherwise */
	AI8X_FEED_MEMORY,
	AI8X_FEED_FIFO,
	AI8X_FEED_FAST_FIFO,
	AI8X_FEED_FAST_FIFO_QUAD, /**< fast FIFO, every group computes every fourth channel */
} ai8x_network_feed;

/** How kernel memories are written. */
typedef enum ai8x_kernel_load {
	AI8X_KERNELS_PACKED, /**< packed words, express loading */
	AI8X_KERNELS_PLAIN,  /**< four writes per kernel word */
} ai8x_kernel_load;

/** A tensor of results: int32 [C][H][W]. */
typedef struct ai8x_network_tensor {
	const int32_t *values;
	uint32_t shape[3];
} ai8x_network_tensor;

/** Choices for ai8x_network_compile(). Always start from ai8x_compile_options_default(). */
typedef struct ai8x_compile_options {
	ai8x_network_feed feed;
	ai8x_kernel_load kernel_load;
	bool pipeline;             /**< MAX78002: pipelined operation */
	bool write_zero_registers; /**< also write registers whose value is the reset value */
	bool ignore_streaming;     /**< compile streaming layers as ordinary ones */
	bool link_layers;          /**< MAX78002: every layer names its successor */
	bool first_words_first;    /**< kernels fill from word 0 (default: MAX78002's large tails first) */
	const ai8x_network_tensor
		*outputs;          /**< expected output of every layer (layer_count tensors), or NULL: the
	                                         program then expects nothing */
	uint32_t weight_start; /**< kernel words from 0 on that are left to another network */
	bool one_shot;         /**< the run stops after every layer and is continued: control bit 8 */
	void *reserved[7];     /**< zero: room to grow without breaking the ABI (docs/versions.md) */
} ai8x_compile_options;

/** @brief The default choices. */
AI8X_API ai8x_compile_options ai8x_compile_options_default(void);

/**
 * @brief Chooses what the description leaves open (processors, offsets, gaps) and checks what it gives.
 *
 * What was chosen is stored in @p network and told in its notes. Where a tensor would have to lie in two places
 * at once, a passthrough layer that copies it is inserted; layers after it then count one more.
 * ai8x_network_compile() does this itself; whoever passes it expected outputs places first, so that they are
 * outputs of the layers there will be.
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_network_place(ai8x_network *network, const ai8x_part *part,
                                                     const ai8x_compile_options *options, ai8x_error *error);

/**
 * @brief Turns a resolved network into a program for @p part.
 * @param options  NULL for the defaults
 * @param program  receives the program; without weights it has registers only (enough for timing and maps)
 * @return AI8X_ERR_NETWORK with file, line, layer and limit where the part cannot run the network
 */
AI8X_API ai8x_status ai8x_network_compile(ai8x_network *network, const ai8x_part *part,
                                          const ai8x_compile_options *options, ai8x_program **program,
                                          ai8x_error *error);

/** @brief Writes the description with everything that was resolved and placed, as YAML, whole or not at all. */
AI8X_API ai8x_status ai8x_network_write_yaml(const ai8x_network *network, const char *path,
                                             ai8x_error *error);

/** @brief Writes weights, bias, shifts and input as the HDF5 weights file of docs/networks.md. */
AI8X_API ai8x_status ai8x_network_write_weights(const ai8x_network *network, const char *path,
                                                ai8x_error *error);

#ifdef __cplusplus
}
#endif
#endif
