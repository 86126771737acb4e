// What the sequencer does at one pixel, as a cost: the unit that the closed form multiplies and the schedule
// adds up (hardware reference 6).
#ifndef AI8X_TIME_SEQUENCE_H
#define AI8X_TIME_SEQUENCE_H

#include <ai8xsim/time.h>

#include "layer/layer.h"

// Where a row or column of the padded image lies.
enum sequence_side { SIDE_BEFORE, SIDE_IMAGE, SIDE_AFTER, SIDE_COUNT };

// A layer as a sequence of pixels. All pixels of a class cost the same.
struct sequence {
	const ai8x_layer *layer;
	uint32_t image_rows, image_columns;             // pooled, zeros inserted
	uint32_t rows, columns;                         // the same with padding
	bool flatten_cycle;                             // one cycle before the first pixel
	bool row_cycle;                                 // one cycle after every row with a complete kernel window
	ai8x_counters pixel[SIDE_COUNT][SIDE_COUNT][2]; // [row][column][output]
	uint64_t cycles[SIDE_COUNT][SIDE_COUNT][2];
};

void sequence_prepare(struct sequence *sequence, const ai8x_layer *layer);

// Cycles of one pixel, the extra cycle of its row included where it is the last of the row.
uint64_t sequence_pixel_cycles(const struct sequence *sequence, uint32_t row, uint32_t column);

// Index after the last input pixel that a pixel of the padded image needs; 0: needs none.
uint64_t sequence_needs(const struct sequence *sequence, uint32_t row, uint32_t column);

static inline bool sequence_has_output(const struct sequence *sequence, uint32_t row, uint32_t column)
{
	return row + 1 >= sequence->layer->kernel_rows && column + 1 >= sequence->layer->kernel_columns;
}

#endif
