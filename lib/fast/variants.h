// The arithmetic of the fast engine, in variants that differ in speed only. tests/unit/test_kernels.c
// proves each equal to the plain one, bench/bench_peers.c measures them.
#ifndef AI8X_FAST_VARIANTS_H
#define AI8X_FAST_VARIANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/layer.h>

// Output pixels of one call at the most.
#define FAST_TILE 32

// Channels that pooling works on at a time; samples must be readable this far after the last.
#define FAST_POOL_STRIP 64

// Kernels applied to adjacent output pixels.
struct fast_conv {
	const void *image;   // bytes (or 16-bit values of a wide kernel) of the first pixel's window
	size_t pixel_stride; // values between windows of adjacent pixels
	size_t row_stride;   // values between kernel rows
	uint32_t rows;       // kernel rows
	uint32_t run;        // values of one kernel row, a multiple of 4
	const void *weights; // as packed
	uint32_t blocks;     // blocks of slots
	uint32_t pixels;     // 1 .. FAST_TILE
	int32_t *sums;       // [pixels][blocks * slot_block]
};

// Output stage of 8-bit results.
struct fast_output {
	const int32_t *sums;   // [pixels][stride]
	const int32_t *offset; // [stride]: bias and what the image flip adds, negated
	size_t stride;
	uint32_t pixels;
	int32_t right; // right shift after the sum; negative: left shift
	int32_t low;   // least result: -128, or 0 for ReLU
	bool absolute;
	int8_t *results; // [pixels][stride]
};

// Words of several data memory instances, side by side: to[(w * sources + k) * 4 ..] = word[k][w] ^ flip.
struct fast_interleave {
	const uint32_t *word[16];
	uint32_t sources;
	uint32_t count; // words of each
	uint32_t flip;
	int8_t *to;
};

// Results back to words of several data memory instances: to[k][p] = the word at results[p * stride + 4 * k], & keep[k].
struct fast_spread {
	const int8_t *results;
	size_t stride;
	uint32_t pixels;
	uint32_t targets;
	uint32_t *to[16];
	uint32_t keep[16];
};

enum { FAST_POOL_NONE, FAST_POOL_MAX, FAST_POOL_AVERAGE };

// A row of pooled pixels: windows of samples, pooled and combined, all channels of a pixel side by side.
struct fast_pool {
	const int8_t *samples;        // first window: [pass][operand][lane] of its first pixel
	size_t step;                  // bytes between windows of adjacent pixels
	size_t row_step, column_step; // bytes between rows and columns of a window
	uint32_t rows, columns;       // of a window
	uint32_t count;               // pixels
	uint32_t passes, operands;
	uint32_t lanes; // at most 64
	uint32_t kind;  // FAST_POOL_...
	ai8x_eltwise eltwise;
	bool combine_first;
	const int8_t *average; // average of a sum of samples, each offset by 128
	uint8_t flip;          // results are exclusive-ored with this
	int8_t *to;            // [pass][lane]
	size_t to_step;        // bytes between results of adjacent pixels
};

// Windows of 6 x 6 pixels, transformed for tiles of 4 x 4 (winograd_template.h).
struct fast_windows {
	const int8_t *image; // first pixel of the first window; windows are four pixels apart
	size_t pixel_stride, row_stride;
	uint32_t channels, tiles;
	bool short_rows, short_columns; // tiles of which two rows, or columns, count: four of six planes
	size_t plane; // values between the 36 planes; a register's worth past the last value may be written
	int16_t *to;  // [36] planes of [tile][channel]
};

// Their products with 36 transformed kernels, back to sums.
struct fast_products {
	const int32_t *products; // [36] planes of [tile][stride]
	size_t plane, stride;
	uint32_t tiles;
	bool short_rows, short_columns; // as in fast_windows
	int32_t *to;                    // [4][4 * tiles][stride]; with two rows or columns, so many
	size_t row_step;                // values between rows of `to`
};

// 3x3 kernels with a quarter of the products, of 16 bits each.
struct fast_winograd {
	// Costs beside a product of two bytes, times 8: of a product of 16 bits, of a transformed value, of a transformed sum.
	uint32_t product_cost, window_cost, sum_cost;
	// As in fast_kernel, for 16-bit weights and one row.
	size_t (*packed_size)(uint32_t blocks, uint32_t rows, uint32_t run);
	void (*pack)(const int16_t *weights, uint32_t slots, uint32_t blocks, uint32_t run, void *packed);
	void (*conv)(const struct fast_conv *conv);
	void (*windows)(const struct fast_windows *windows);
	void (*sums)(const struct fast_products *products);
};

struct fast_kernel {
	const char *name;
	// The same for images without negative values (0 .. 127), which may be denser; NULL: there is none. It has the same
	// slot_block, the same flip, and only what multiplies and packs.
	const struct fast_kernel *unsigned_bytes;
	const struct fast_winograd *winograd; // NULL: no such way
	bool (*supported)(void);
	uint8_t flip;        // image bytes are exclusive-ored with this (unsigned operands)
	bool wide;           // image values are 16 bits
	uint32_t slot_block; // slots that are packed together
	size_t (*packed_size)(uint32_t blocks, uint32_t rows, uint32_t run);
	// weights: [slot][rows * run]; slots past the last are zero.
	void (*pack)(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
	             void *packed);
	void (*conv)(const struct fast_conv *conv);
	void (*finish)(const struct fast_output *output);
	void (*interleave)(const struct fast_interleave *interleave);
	void (*spread)(const struct fast_spread *spread);
	void (*pool)(const struct fast_pool *pool);
	// sums[c] = sum over taps of window[t] [c] * weights[t * channels + c]; window: one pointer per tap.
	void (*depthwise)(const int8_t *const *window, const int16_t *weights, uint32_t taps, uint32_t channels,
	                  int32_t *sums);
};

// Nine weights of a channel, `step` apart, to the 36 of a fast_winograd, `plane` apart.
void fast_winograd_kernel(const int8_t *weights, size_t step, int16_t *to, size_t plane);

// Kernels that were built, plain C first; NULL ends the list.
extern const struct fast_kernel *const fast_kernels[];

extern const struct fast_kernel fast_kernel_c;

// The kernel of that name, or with NULL the fastest that this processor runs. NULL: unknown or not runnable.
const struct fast_kernel *fast_kernel_find(const char *name);

#endif
