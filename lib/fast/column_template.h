// A column of tiles: all pixels of a call under the same blocks of slots, whose weights stay in the first cache. Tiles
// move its pointers on, which costs less than to multiply addresses out for each (11 cycles of a tile).
// The including file defines VALUE, the type of image values and weights, and BLOCK, the slots of a block.
#include "fast/variants.h"

struct column {
	const VALUE *image, *weights; // of the next tile's first pixel; of these blocks
	int32_t *to;
	size_t pixel_stride, row_stride, block_stride, stride;
	size_t rows, run;
	uint32_t left; // pixels
};

// `weights`: of the first block.
static struct column column_of(const struct fast_conv *conv, const void *weights, uint32_t block)
{
	const size_t block_stride = (size_t)conv->rows * conv->run * BLOCK;
	return (struct column){
		.image = conv->image,
		.weights = (const VALUE *)weights + block * block_stride,
		.to = conv->sums + (size_t)block * BLOCK,
		.pixel_stride = conv->pixel_stride,
		.row_stride = conv->row_stride,
		.block_stride = block_stride,
		.stride = (size_t)conv->blocks * BLOCK,
		.rows = conv->rows,
		.run = conv->run,
		.left = conv->pixels,
	};
}

// After a tile: on to the next pixels. `to` has moved on with each pixel that was stored.
static inline void column_next(struct column *column, uint32_t pixels)
{
	column->image += pixels * column->pixel_stride;
	column->left -= pixels;
}
