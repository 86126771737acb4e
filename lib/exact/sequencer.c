// The sequencer of one layer: which block works in which cycle (hardware reference 6).
//
// For every pixel of the padded pooled image: fetch (or pad) and line buffer per pass and operand, then,
// once a whole kernel window is there, the kernels slot by slot and pass by pass.
#include "exact/exact.h"
#include "layer/geometry.h"

#include <stdlib.h>
#include <string.h>

static bool is_pad_row(const struct exact_layer *x)
{
	return x->row < x->layer.pad_rows || x->row >= x->layer.pad_rows + x->image_rows;
}

static bool is_pad_column(const struct exact_layer *x)
{
	return x->column < x->layer.pad_columns || x->column >= x->layer.pad_columns + x->image_columns;
}

static bool is_pad(const struct exact_layer *x)
{
	return is_pad_row(x) || is_pad_column(x);
}

static bool has_output(const struct exact_layer *x)
{
	return x->row + 1 >= x->layer.kernel_rows && x->column + 1 >= x->layer.kernel_columns;
}

static uint32_t window_area(const struct exact_layer *x)
{
	return x->layer.pool_rows * x->layer.pool_columns;
}

static void begin_samples(struct exact_layer *x)
{
	x->position = 0;
	x->operand = 0;
	pool_begin(x);
	x->phase = is_pad(x) ? PHASE_PAD : PHASE_READ;
}

static void begin_pixel(struct exact_layer *x)
{
	x->fetch = 0;
	x->pass = 0;
	x->output_pass = 0;
	x->at_pixel = true;
	begin_samples(x);
	if (x->pipeline_stages > 0 && x->phase == PHASE_READ) {
		x->step = 0;
		x->phase = PHASE_PIPELINE;
	}
}

static void next_row(struct exact_layer *x)
{
	x->column = 0;
	x->row++;
	if (x->row == x->padded_rows) {
		x->phase = PHASE_DONE;
		x->at_pixel = true;
		return;
	}
	begin_pixel(x);
}

static void next_pixel(struct exact_layer *x)
{
	if (has_output(x))
		x->pixels_done++;
	x->column++;
	if (x->column < x->padded_columns) {
		begin_pixel(x);
		return;
	}
	if (layer_row_cycle(&x->layer) && x->row + 1 >= x->layer.kernel_rows)
		x->phase = PHASE_ROW_END;
	else
		next_row(x);
}

static void begin_output(struct exact_layer *x)
{
	tram_window(x);
	x->step = 0;
	x->output_pass = 0;
	x->phase = PHASE_SLOTS;
	if (x->layer.write_mode != AI8X_WRITE_CHANNELS)
		return;
	processors_apply(x);
	x->phase = PHASE_OUTPUT;
}

// All passes of a pixel are in the line buffer.
static void pixel_fetched(struct exact_layer *x)
{
	if (!has_output(x)) {
		x->phase = PHASE_FILL;
		return;
	}
	// Columns that are fetched more than once deliver their outputs after the last time.
	if (x->fetch + 1 < x->fetches && !is_pad_column(x)) {
		x->fetch++;
		x->pass = 0;
		begin_samples(x);
		return;
	}
	if (x->seek_cycles > 0 && is_pad(x) &&
	    (x->row >= x->layer.pad_rows + x->image_rows ||
	     x->column >= x->layer.pad_columns + x->image_columns)) {
		x->step = 0;
		x->phase = PHASE_SEEK;
		return;
	}
	begin_output(x);
}

EXACT_TELLS static void tell_state(struct exact_layer *x, ai8x_state state)
{
	ai8x_event event = {
		.kind = AI8X_EVENT_STATE,
		.cycle = x->context->cycle,
		.layer = &x->layer,
		.u.state =
			{
				.state = state,
				.cycles = 1,
				.row = x->row,
				.column = x->column,
				.pass = state == AI8X_STATE_OUTPUT ? x->output_pass : x->pass,
				.slot = state == AI8X_STATE_OUTPUT || state == AI8X_STATE_PIPELINE ? x->step : 0,
			},
	};
	x->context->emit(x->context->user, &event);
}

static void count(struct exact_layer *x, ai8x_state state, bool later_pass)
{
	x->counters->state[state]++;
	x->counters->pass_cycles += later_pass;
	if (exact_wants(x, AI8X_EVENT_STATE))
		tell_state(x, state);
}

static void cycle_read(struct exact_layer *x)
{
	count(x, x->position == 0 ? AI8X_STATE_READ : AI8X_STATE_POOL_READ, x->pass > 0);
	fetch_read(x);
	pool_take(x);
	if (x->layer.operands > 1 && !x->layer.pool_first) {
		// Combine first: all operands of a window position, then the next position.
		if (++x->operand < x->layer.operands)
			return;
		x->operand = 0;
	}
	if (++x->position < window_area(x))
		return;
	x->phase = PHASE_TRAM;
}

EXACT_TELLS static void tell_tram(const struct exact_layer *x, const int8_t *pixel)
{
	int8_t values[AI8X_PROCESSORS] = {0};
	for (unsigned k = 0; k < x->instances; k++)
		memcpy(values + 4 * x->instance[k], pixel + 4 * k, 4);
	ai8x_event event = {
		.kind = AI8X_EVENT_TRAM_WRITE,
		.cycle = x->context->cycle,
		.layer = &x->layer,
		.u.tram = {.row = x->row, .column = x->column, .pass = x->pass, .values = values},
	};
	x->context->emit(x->context->user, &event);
}

static void cycle_tram(struct exact_layer *x)
{
	const bool pad = is_pad(x);
	count(x, pad ? AI8X_STATE_PAD : AI8X_STATE_TRAM, x->pass > 0);
	int8_t pixel[AI8X_PROCESSORS] = {0};
	if (!pad)
		pool_combine(x, pixel);
	if (x->layer.operands > 1 && x->layer.pool_first && ++x->operand < x->layer.operands) {
		x->position = 0;
		pool_begin(x);
		x->phase = pad ? PHASE_PAD : PHASE_READ;
		return;
	}
	tram_store(x, pixel);
	if (exact_wants(x, AI8X_EVENT_TRAM_WRITE))
		tell_tram(x, pixel);
	if (!layer_has_kernels(&x->layer)) {
		// Each pass of a passthrough is written before the next is fetched.
		x->step = 0;
		x->output_pass = x->pass;
		x->phase = PHASE_SLOTS;
		return;
	}
	if (++x->pass < x->fetch_passes)
		begin_samples(x);
	else
		pixel_fetched(x);
}

// From the lanes of the engine to one value per processor.
static void spread(const struct exact_layer *x, const int16_t *from, int8_t *to)
{
	memset(to, 0, (size_t)x->taps * AI8X_PROCESSORS);
	for (uint32_t t = 0; t < x->taps; t++)
		for (unsigned lane = 0; lane < 4 * x->instances; lane++)
			to[t * AI8X_PROCESSORS + x->instance[lane / 4] * 4u + lane % 4] =
				(int8_t)from[t * x->tap_step + lane];
}

EXACT_TELLS static void tell_kernel(const struct exact_layer *x, uint32_t slot, uint32_t pass)
{
	int8_t window[EXACT_MAX_TAPS * AI8X_PROCESSORS], weights[EXACT_MAX_TAPS * AI8X_PROCESSORS];
	spread(x, processors_window(x, pass), window);
	spread(x, processors_weights(x, slot, pass), weights);
	ai8x_event event = {
		.kind = AI8X_EVENT_KERNEL_READ,
		.cycle = x->context->cycle,
		.layer = &x->layer,
		.u.kernel = {.slot = slot, .pass = pass, .taps = x->taps, .window = window, .weights = weights},
	};
	x->context->emit(x->context->user, &event);
}

EXACT_TELLS static void tell_kernels(const struct exact_layer *x)
{
	for (uint32_t s = 0; s < x->parallel_slots && x->step + s < x->slots; s++)
		for (uint32_t e = 0; e < x->parallel_passes && x->output_pass + e < x->layer.passes; e++)
			tell_kernel(x, x->step + s, x->output_pass + e);
}

static void cycle_output(struct exact_layer *x)
{
	count(x, AI8X_STATE_OUTPUT, x->output_pass > 0);
	if (exact_wants(x, AI8X_EVENT_KERNEL_READ))
		tell_kernels(x);
	if (exact_wants(x, AI8X_EVENT_ACCUMULATE))
		processors_tell_sums(x);
	x->output_pass += x->parallel_passes;
	if (x->output_pass < x->layer.passes)
		return;
	for (uint32_t s = 0; s < x->parallel_slots && x->step < x->slots; s++, x->step++)
		output_slot(x, x->step, exact_sum(x, x->step));
	x->output_pass = 0;
	if (x->step == x->slots)
		next_pixel(x);
}

// One time slot of a passthrough or depth-wise pixel.
static void cycle_slots(struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	count(x, AI8X_STATE_OUTPUT, x->output_pass > 0);
	const uint32_t writers = x->slots / layer->passes;
	for (uint32_t k = 0; k < writers && x->output_pass < layer->passes; k++) {
		uint32_t s = x->output_pass * writers + k;
		const struct exact_slot *slot = &x->slot[s];
		if (slot->time != x->step)
			continue;
		if (layer->depthwise) {
			if (exact_wants(x, AI8X_EVENT_KERNEL_READ))
				tell_kernel(x, s, x->output_pass);
			output_slot(x, s, processors_own(x, slot->source, x->output_pass));
		} else {
			output_slot(x, s, x->line[x->output_pass * (size_t)AI8X_PROCESSORS + slot->source]);
		}
	}
	if (++x->step < layer->time_slots)
		return;
	x->step = 0;
	if (layer->depthwise) {
		if (++x->output_pass < layer->passes)
			return;
		next_pixel(x);
		return;
	}
	if (++x->pass < x->fetch_passes) {
		begin_samples(x);
		return;
	}
	next_pixel(x);
}

static void cycle_fill(struct exact_layer *x)
{
	count(x, AI8X_STATE_FILL, false);
	if (x->fetch + 1 < x->fetches && !is_pad_column(x)) {
		x->fetch++;
		x->pass = 0;
		begin_samples(x);
		return;
	}
	next_pixel(x);
}

static void cycle_pipeline(struct exact_layer *x)
{
	count(x, AI8X_STATE_PIPELINE, false);
	if (++x->step == x->pipeline_stages)
		x->phase = PHASE_READ;
}

static void cycle(struct exact_layer *x)
{
	x->at_pixel = false;
	switch (x->phase) {
	case PHASE_FLATTEN:
		count(x, AI8X_STATE_FLATTEN, false);
		begin_pixel(x);
		break;
	case PHASE_PIPELINE:
		cycle_pipeline(x);
		break;
	case PHASE_READ:
		cycle_read(x);
		break;
	case PHASE_PAD:
		count(x, AI8X_STATE_PAD, x->pass > 0);
		x->phase = PHASE_TRAM;
		break;
	case PHASE_TRAM:
		cycle_tram(x);
		break;
	case PHASE_FILL:
		cycle_fill(x);
		break;
	case PHASE_SEEK:
		count(x, AI8X_STATE_SEEK, false);
		if (++x->step == x->seek_cycles)
			begin_output(x);
		break;
	case PHASE_SLOTS:
		cycle_slots(x);
		break;
	case PHASE_ROW_END:
		count(x, AI8X_STATE_ROW_END, false);
		next_row(x);
		break;
	case PHASE_OUTPUT: // output_cycles()
	case PHASE_DONE:
		break;
	}
	x->context->cycle++;
}

// Most cycles are spent here: one after the other, to the end of the pixel or of the budget.
static uint64_t output_cycles(struct exact_layer *x, uint64_t budget)
{
	uint64_t used = 0;
	x->at_pixel = false;
	do {
		cycle_output(x);
		x->context->cycle++;
		used++;
	} while (used < budget && x->phase == PHASE_OUTPUT);
	return used;
}

uint64_t exact_layer_run(struct exact_layer *x, uint64_t budget, bool one_pixel)
{
	uint64_t used = 0;
	x->wanted = x->context->kinds;
	while (used < budget && x->phase != PHASE_DONE) {
		if (x->phase == PHASE_OUTPUT) {
			used += output_cycles(x, budget - used);
		} else {
			cycle(x);
			used++;
		}
		if (one_pixel && x->at_pixel)
			break;
	}
	return used;
}

static void prepare_sequence(struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	const struct part_quirks *quirks = &layer->part->quirks;
	const bool kernels = layer_has_kernels(layer);
	const bool combine_first = layer->operands > 1 && !layer->pool_first;
	x->taps = layer->kernel_rows * layer->kernel_columns;
	x->image_rows = layer_expanded_rows(layer);
	x->image_columns = layer_expanded_columns(layer);
	x->padded_rows = x->image_rows + 2 * layer->pad_rows;
	x->padded_columns = x->image_columns + 2 * layer->pad_columns;
	x->fetch_passes = layer->passes;
	if (!kernels && quirks->pooled_multipass_passthrough && layer->passes > 1 &&
	    layer->pooling != AI8X_POOL_NONE)
		x->fetch_passes = 2 * layer->passes - 1;
	x->fetches = kernels && combine_first ? layer->passes : 1;
	x->seek_cycles = kernels && combine_first && quirks->kernel_seek
	                     ? (uint32_t)layer_kernel_words(layer, layer->master).first
	                     : 0;
	x->pipeline_stages = layer_pipeline_stages(layer);
	x->parallel_slots = layer->calcx4 || layer->quad_fanout ? 4 : 1;
	x->parallel_passes = layer->tcalc ? 4 : 1;
}

ai8x_status exact_layer_create(struct exact_context *context, const ai8x_layer *layer,
                               const struct exact_setup *setup, struct exact_layer **out, ai8x_error *error)
{
	struct exact_layer *x = calloc(1, sizeof *x);
	*out = NULL;
	if (x == NULL)
		return error_no_memory(error, "a layer");
	x->context = context;
	x->layer = *layer;
	x->counters = setup->counters;
	x->capture = setup->capture;
	x->write_ring = setup->write_ring;
	x->input = setup->input;
	x->output = setup->output;
	x->keeps_log = setup->keeps_log;
	prepare_sequence(x);
	fetch_prepare(x);
	x->tap_step = (size_t)layer->passes * x->lanes;
	ai8x_status status = tram_prepare(x);
	if (status == AI8X_OK)
		status = processors_prepare(x);
	if (status == AI8X_OK)
		status = write_prepare(x);
	if (status != AI8X_OK) {
		exact_layer_destroy(x);
		return error_no_memory(error, "a layer's line buffer and kernels");
	}
	output_prepare(x);
	if (layer->flatten && layer_has_kernels(layer)) {
		x->phase = PHASE_FLATTEN;
		x->at_pixel = true;
	} else {
		begin_pixel(x);
	}
	*out = x;
	return AI8X_OK;
}

void exact_layer_destroy(struct exact_layer *x)
{
	if (x == NULL)
		return;
	free(x->line);
	free(x->window);
	free(x->kernels);
	free(x->sum);
	free(x->slot);
	free(x->log);
	free(x);
}
