/**
 * @file layer.h
 * @brief A layer as its registers configure it, decoded into terms people use.
 *
 * Facts: hardware reference 4.1 to 4.8 and 5.2. Sizes are in pixels, addresses in 32-bit words of one
 * data memory instance unless said otherwise. "Slot" is an output channel position in the order in
 * which the hardware produces it; slots before the first real output channel (first output
 * processor not a multiple of four) and slots in gaps of the output map exist and carry junk.
 *
 * Example: examples/event.c.
 */
#ifndef AI8XSIM_LAYER_H
#define AI8XSIM_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "part.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a layer computes. */
typedef enum ai8x_operation {
	AI8X_OP_PASSTHROUGH, /**< no convolution: pooling and element-wise only */
	AI8X_OP_CONV2D,      /**< 2-D convolution */
	AI8X_OP_CONV1D,      /**< 1-D convolution along rows */
	AI8X_OP_CONVT2D,     /**< transposed 2-D convolution */
	AI8X_OP_LINEAR,      /**< flattened input times a matrix (the flatten bit is set) */
} ai8x_operation;

/** Element-wise combination of operands. The values are the register's encoding. */
typedef enum ai8x_eltwise {
	AI8X_ELTWISE_SUB = 0,
	AI8X_ELTWISE_ADD = 1,
	AI8X_ELTWISE_OR = 2,
	AI8X_ELTWISE_XOR = 3,
} ai8x_eltwise;

/** Pooling of a layer. */
typedef enum ai8x_pooling {
	AI8X_POOL_NONE,
	AI8X_POOL_MAX,
	AI8X_POOL_AVERAGE,
} ai8x_pooling;

/** Activation of a layer. */
typedef enum ai8x_activation {
	AI8X_ACTIVATE_NONE,
	AI8X_ACTIVATE_RELU,
	AI8X_ACTIVATE_ABS,
} ai8x_activation;

/** How results find their place in data memory (hardware reference 4.8). */
typedef enum ai8x_write_mode {
	AI8X_WRITE_CHANNELS,    /**< convolution: slots one after the other, from the master's pointer */
	AI8X_WRITE_PASSTHROUGH, /**< each group packs its own processors from its own pointer */
	AI8X_WRITE_DEPTHWISE,   /**< depth-wise, each group packs its own processors */
	AI8X_WRITE_BROADCAST,   /**< depth-wise, each processor writes to its own lane */
} ai8x_write_mode;

/** A decoded layer. */
typedef struct ai8x_layer {
	const ai8x_part *part;
	uint32_t index; /**< which register set */
	ai8x_operation operation;
	uint32_t groups; /**< bit g: group g takes part in the run */
	unsigned master; /**< the group whose registers give the geometry */

	/* Input. */
	uint64_t processors;             /**< processors that read data, of the groups that take part */
	uint64_t kernel_processors;      /**< processors whose kernels are applied */
	bool chw;                        /**< one channel per instance, four pixels in a word */
	uint32_t rows, columns;          /**< image in data memory, before pooling */
	uint32_t passes;                 /**< input passes (flatten: pixels x passes) */
	uint32_t operands;               /**< element-wise operands, 1: none */
	ai8x_eltwise eltwise;            /**< meaningful when operands > 1 */
	bool pool_first;                 /**< pool each operand, then combine */
	bool eltwise_convolution;        /**< register says that a convolution follows the element-wise stage */
	uint32_t read_base[AI8X_GROUPS]; /**< first word read, per group */
	uint32_t pixel_step;             /**< words between horizontally adjacent pixels */
	uint32_t read_gap;               /**< extra words (in units of passes x operands) between pixels */

	/* Pooling. */
	ai8x_pooling pooling;
	bool pool_round; /**< average pooling rounds (half away from zero) instead of truncating */
	uint32_t pool_rows, pool_columns;
	uint32_t pool_stride;
	uint32_t pool_dilation_rows, pool_dilation_columns;
	uint32_t pooled_rows, pooled_columns; /**< image after pooling, before zero insertion */

	/* Convolution. */
	uint32_t pad_rows, pad_columns; /**< zeros on each side of the pooled (expanded) image */
	uint32_t kernel_rows, kernel_columns;
	bool transposed; /**< zeros are inserted after each pixel and row */
	bool flatten;
	bool depthwise;
	bool calcx4;
	bool bypass;                             /**< every weight is 1 */
	bool quad_fanout;                        /**< each group computes every fourth slot (fast FIFO fan-out) */
	uint32_t weight_bits;                    /**< 1, 2, 4 or 8 */
	bool binary;                             /**< 1-bit weights mean -1 and +1 */
	uint32_t kernel_first_bit[AI8X_GROUPS];  /**< start address SAD: bits, in units of taps (4.5) */
	uint32_t kernel_tap_offset[AI8X_GROUPS]; /**< ONED.oned_sad */
	uint32_t kernels;                        /**< masks per processor */
	uint32_t slots;                          /**< output channel slots computed */
	uint32_t slots_per_pass;                 /**< slots in one output pass */
	uint32_t output_passes;
	uint32_t bias_groups;             /**< bit g: group g adds its bias */
	uint32_t bias_first[AI8X_GROUPS]; /**< first entry of the bias memory (register value) */

	/* Output. */
	uint32_t output_rows, output_columns;
	uint32_t output_bits; /**< 8 or 32 */
	int32_t output_shift; /**< left shift applied to sum/128; negative: right */
	ai8x_activation activation;
	ai8x_write_mode write_mode;
	uint32_t write_instance[AI8X_GROUPS]; /**< first data memory instance written, per group */
	uint32_t write_word[AI8X_GROUPS];     /**< first word written, per group */
	uint32_t write_step;       /**< register wptr_inc + 1: words (of output_bits) between output pixels */
	uint32_t pass_offset;      /**< words between output passes (CHOFFS) */
	uint32_t time_slots;       /**< write slots per pixel in passthrough and depth-wise (tscnt_max + 1) */
	uint32_t time_slot_offset; /**< pointer step between write slots (TOFFS) */

	/* Line buffer and timing switches. */
	uint32_t tram_first, tram_last; /**< TPTR.tptr_sad, TPTR.tptr_max */
	bool read_ahead;
	bool tcalc;
	bool no_pipeline;

	/* Streaming and sequence. */
	bool fifo; /**< input arrives through a FIFO */
	bool streaming;
	uint32_t stream_start; /**< STREAM1.strm_isval */
	uint32_t stream_delta1, stream_delta2;
	uint32_t stream_invol;
	uint32_t ring_words; /**< FMAX: length of the input ring; 0: none */
	bool fifo_go;
	bool link, stop; /**< NXTLYR bits */
	uint32_t next;   /**< NXTLYR target */
} ai8x_layer;

/** @brief Name of an operation: "conv2d". */
AI8X_API const char *ai8x_operation_name(ai8x_operation operation);
/** @brief Name of an element-wise function: "add". */
AI8X_API const char *ai8x_eltwise_name(ai8x_eltwise eltwise);
/** @brief Name of a pooling: "max". */
AI8X_API const char *ai8x_pooling_name(ai8x_pooling pooling);
/** @brief Name of an activation: "relu". */
AI8X_API const char *ai8x_activation_name(ai8x_activation activation);

/**
 * @brief Multiply-accumulates that the accelerator does in a layer: every tap of every enabled processor, pass and slot.
 *
 * Registers do not tell which of them the network needs: channels that fill up a pass or an output word, and zeros in
 * kernels that imitate dilation, are counted too.
 */
AI8X_API uint64_t ai8x_layer_macs(const ai8x_layer *layer);

/**
 * @brief Describes a layer in one sentence of plain text.
 * @return length the text needs (as snprintf does); @p text is always terminated when size > 0
 */
AI8X_API size_t ai8x_layer_describe(const ai8x_layer *layer, char *text, size_t size);

/** Where one output value goes: the unit of the maps that the write stage, checks and views share. */
typedef struct ai8x_output_place {
	unsigned instance; /**< data memory instance 0..15 */
	uint32_t word;     /**< word inside the instance */
	unsigned lane;     /**< byte lane 0..3 (8-bit output); 0 for 32-bit output */
} ai8x_output_place;

/**
 * @brief Output values per output pixel: slots for convolutions, processors x passes otherwise.
 */
AI8X_API uint32_t ai8x_layer_output_slots(const ai8x_layer *layer);

/**
 * @brief Where slot @p slot of output pixel @p pixel (row-major) is written.
 *
 * For passthrough and depth-wise layers slot = pass * n + k, with k counting the n writing processors of
 * all groups in order. The word is not wrapped at a ring or at the memory's end. All zeros where @p layer is
 * null or has no processors, as one that is all zeros.
 */
AI8X_API_EXPERIMENTAL ai8x_output_place ai8x_layer_place(const ai8x_layer *layer, uint32_t slot,
                                                         uint32_t pixel);

#ifdef __cplusplus
}
#endif
#endif
