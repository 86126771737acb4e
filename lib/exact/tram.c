// TRAM: the line buffer (hardware reference 1, 4.5). Receives pooled pixels, hands on the kernel window.
// It keeps as many rows as the kernel has, each with its padding.
#include "exact/exact.h"
#include "layer/geometry.h"

#include <stdlib.h>
#include <string.h>

static size_t line_offset(const struct exact_layer *x, uint32_t row, uint32_t column, uint32_t pass)
{
	size_t cell = (size_t)(row % x->layer.kernel_rows) * x->padded_columns + column;
	return (cell * x->layer.passes + pass) * x->lanes;
}

ai8x_status tram_prepare(struct exact_layer *x)
{
	if (!layer_has_kernels(&x->layer)) {
		// Pixels pass through: one place per pass is all that is needed.
		x->line = calloc(x->layer.passes, AI8X_PROCESSORS * sizeof *x->line);
		return x->line == NULL ? AI8X_ERR_NO_MEMORY : AI8X_OK;
	}
	size_t cells = (size_t)x->layer.kernel_rows * x->padded_columns * x->layer.passes;
	x->line = calloc(cells + 1, x->lanes * sizeof *x->line);
	return x->line == NULL ? AI8X_ERR_NO_MEMORY : AI8X_OK;
}

void tram_store(struct exact_layer *x, const int8_t *pixel)
{
	int16_t *to = x->line + (size_t)x->pass * AI8X_PROCESSORS;
	if (layer_has_kernels(&x->layer))
		to = x->line + line_offset(x, x->row, x->column, x->pass);
	else if (x->pass >= x->layer.passes)
		return;
	for (unsigned lane = 0; lane < x->lanes; lane++)
		to[lane] = pixel[lane];
}

// The columns of a kernel lie side by side in a row, passes and lanes inside.
void tram_window(struct exact_layer *x)
{
	const uint32_t first_row = x->row + 1 - x->layer.kernel_rows;
	const uint32_t first_column = x->column + 1 - x->layer.kernel_columns;
	const size_t count = x->layer.kernel_columns * x->tap_step;
	for (uint32_t r = 0; r < x->layer.kernel_rows; r++)
		memcpy(x->window + r * count, x->line + line_offset(x, first_row + r, first_column, 0),
		       count * sizeof *x->window);
}
