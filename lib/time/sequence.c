// The cost of a pixel by its class, and what a pixel needs of its input. Facts: hardware reference 6.
#include "time/sequence.h"

#include <string.h>

#include "layer/geometry.h"
#include "memory/memory.h"

uint64_t ai8x_time_total(const ai8x_counters *counters)
{
	if (counters == NULL)
		return 0;
	uint64_t cycles = 0;
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++)
		cycles += counters->state[s];
	return cycles;
}

static enum sequence_side side_of(uint32_t at, uint32_t pad, uint32_t size)
{
	return at < pad ? SIDE_BEFORE : at < pad + size ? SIDE_IMAGE : SIDE_AFTER;
}

static bool combine_first(const ai8x_layer *layer)
{
	return layer->operands > 1 && !layer->pool_first;
}

// All passes and operands of one pixel into the line buffer, once.
static void add_fetch(ai8x_counters *cost, const ai8x_layer *layer, bool pad, uint64_t passes)
{
	const uint64_t area = (uint64_t)layer->pool_rows * layer->pool_columns;
	const uint64_t stored = combine_first(layer) ? 1 : layer->operands;
	uint64_t per_pass;
	if (pad) {
		per_pass = 2 * stored;
		cost->state[AI8X_STATE_PAD] += passes * per_pass;
	} else {
		per_pass = layer->operands * area + stored;
		cost->state[AI8X_STATE_READ] += passes * layer->operands;
		cost->state[AI8X_STATE_POOL_READ] += passes * layer->operands * (area - 1);
		cost->state[AI8X_STATE_TRAM] += passes * stored;
	}
	cost->pass_cycles += (passes - 1) * per_pass;
}

static void add_output(ai8x_counters *cost, const ai8x_layer *layer, uint64_t fetch_passes)
{
	uint64_t steps, passes;
	if (layer->write_mode == AI8X_WRITE_CHANNELS) {
		const uint64_t parallel_slots = layer->calcx4 || layer->quad_fanout ? 4 : 1;
		const uint64_t parallel_passes = layer->tcalc ? 4 : 1;
		steps = (layer->slots + parallel_slots - 1) / parallel_slots;
		passes = (layer->passes + parallel_passes - 1) / parallel_passes;
	} else {
		steps = layer->time_slots;
		passes = layer->write_mode == AI8X_WRITE_PASSTHROUGH ? fetch_passes : layer->passes;
	}
	cost->state[AI8X_STATE_OUTPUT] += steps * passes;
	cost->pass_cycles += steps * (passes - 1);
}

static void pixel_cost(ai8x_counters *cost, const ai8x_layer *layer, enum sequence_side row,
                       enum sequence_side column, bool output)
{
	const struct part_quirks *quirks = &layer->part->quirks;
	const bool kernels = layer_has_kernels(layer);
	const bool pad = row != SIDE_IMAGE || column != SIDE_IMAGE;
	// Combine-first layers fetch the columns of the image once per pass.
	const uint64_t fetches = kernels && combine_first(layer) && column == SIDE_IMAGE ? layer->passes : 1;
	uint64_t passes = layer->passes;
	if (!kernels && quirks->pooled_multipass_passthrough && layer->pooling != AI8X_POOL_NONE)
		passes = 2 * passes - 1;
	memset(cost, 0, sizeof *cost);
	for (uint64_t i = 0; i < fetches; i++)
		add_fetch(cost, layer, pad, passes);
	if (!pad)
		cost->state[AI8X_STATE_PIPELINE] = layer_pipeline_stages(layer);
	if (!output) {
		cost->state[AI8X_STATE_FILL] = fetches;
		return;
	}
	if (kernels && combine_first(layer) && quirks->kernel_seek && (row == SIDE_AFTER || column == SIDE_AFTER))
		cost->state[AI8X_STATE_SEEK] = layer_kernel_words(layer, layer->master).first;
	add_output(cost, layer, passes);
}

void sequence_prepare(struct sequence *sequence, const ai8x_layer *layer)
{
	const bool kernels = layer_has_kernels(layer);
	sequence->layer = layer;
	sequence->image_rows = layer_expanded_rows(layer);
	sequence->image_columns = layer_expanded_columns(layer);
	sequence->rows = sequence->image_rows + 2 * layer->pad_rows;
	sequence->columns = sequence->image_columns + 2 * layer->pad_columns;
	sequence->flatten_cycle = kernels && layer->flatten;
	sequence->row_cycle = layer_row_cycle(layer);
	for (unsigned row = 0; row < SIDE_COUNT; row++) {
		for (unsigned column = 0; column < SIDE_COUNT; column++) {
			for (unsigned output = 0; output < 2; output++) {
				ai8x_counters *cost = &sequence->pixel[row][column][output];
				pixel_cost(cost, layer, (enum sequence_side)row, (enum sequence_side)column, output != 0);
				sequence->cycles[row][column][output] = ai8x_time_total(cost);
			}
		}
	}
}

uint64_t sequence_pixel_cycles(const struct sequence *sequence, uint32_t row, uint32_t column)
{
	const ai8x_layer *layer = sequence->layer;
	enum sequence_side r = side_of(row, layer->pad_rows, sequence->image_rows);
	enum sequence_side c = side_of(column, layer->pad_columns, sequence->image_columns);
	bool last = column + 1 == sequence->columns && row + 1 >= layer->kernel_rows;
	return sequence->cycles[r][c][sequence_has_output(sequence, row, column)] + (last && sequence->row_cycle);
}

uint64_t sequence_needs(const struct sequence *sequence, uint32_t row, uint32_t column)
{
	const ai8x_layer *layer = sequence->layer;
	if (side_of(row, layer->pad_rows, sequence->image_rows) != SIDE_IMAGE ||
	    side_of(column, layer->pad_columns, sequence->image_columns) != SIDE_IMAGE)
		return 0;
	uint64_t r = row - layer->pad_rows, c = column - layer->pad_columns;
	if (layer->transposed) {
		r /= 2;
		c /= 2;
	}
	r = r * layer->pool_stride + (uint64_t)(layer->pool_rows - 1) * layer->pool_dilation_rows;
	c = c * layer->pool_stride + (uint64_t)(layer->pool_columns - 1) * layer->pool_dilation_columns;
	return r * layer->columns + c + 1;
}
