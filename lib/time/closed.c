// A layer's cycles in closed form: pixels of a class times the cost of one (hardware reference 6).
#include <ai8xsim/time.h>

#include <string.h>

#include "layer/geometry.h"
#include "time/sequence.h"

// Rows (or columns) of a side, without and with a complete kernel window before them.
static void count_side(uint32_t pad, uint32_t size, uint32_t kernel, uint64_t count[SIDE_COUNT][2])
{
	const uint32_t edge[SIDE_COUNT + 1] = {0, pad, pad + size, 2 * pad + size};
	const uint32_t first = kernel - 1;
	for (unsigned side = 0; side < SIDE_COUNT; side++) {
		uint32_t start = edge[side], end = edge[side + 1];
		uint32_t split = first < start ? start : first > end ? end : first;
		count[side][0] = split - start;
		count[side][1] = end - split;
	}
}

static void add_pixels(ai8x_counters *sum, const ai8x_counters *pixel, uint64_t count)
{
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++)
		sum->state[s] += count * pixel->state[s];
	sum->pass_cycles += count * pixel->pass_cycles;
}

// Words that one output pixel writes: a word is written when the next slot belongs to another one.
static uint64_t words_per_pixel(const ai8x_layer *layer)
{
	const uint32_t slots = ai8x_layer_output_slots(layer);
	if (layer->output_bits == 32 || layer->write_mode == AI8X_WRITE_BROADCAST)
		return slots;
	uint64_t words = 0;
	ai8x_output_place place = ai8x_layer_place(layer, 0, 0);
	for (uint32_t s = 0; s < slots; s++) {
		ai8x_output_place next = {0};
		if (s + 1 < slots)
			next = ai8x_layer_place(layer, s + 1, 0);
		words += s + 1 == slots || next.instance != place.instance || next.word != place.word ||
		         next.lane <= place.lane;
		place = next;
	}
	return words;
}

static void count_words(const struct sequence *sequence, ai8x_counters *counters)
{
	const ai8x_layer *layer = sequence->layer;
	const uint64_t pixels = (uint64_t)layer->output_rows * layer->output_columns;
	uint64_t reads = counters->state[AI8X_STATE_READ] + counters->state[AI8X_STATE_POOL_READ];
	// The zeros that transposed convolutions insert take the time of a read but read nothing.
	if (layer->transposed)
		reads /= 4;
	counters->words_read = reads * bits_count(layer_instances(layer));
	counters->outputs = pixels * ai8x_layer_output_slots(layer);
	counters->words_written = counters->outputs != 0 ? pixels * words_per_pixel(layer) : 0;
}

void ai8x_time_layer(const ai8x_layer *layer, ai8x_counters *counters)
{
	if (layer == NULL || counters == NULL)
		return;
	struct sequence sequence;
	uint64_t rows[SIDE_COUNT][2], columns[SIDE_COUNT][2];
	memset(counters, 0, sizeof *counters);
	sequence_prepare(&sequence, layer);
	count_side(layer->pad_rows, sequence.image_rows, layer->kernel_rows, rows);
	count_side(layer->pad_columns, sequence.image_columns, layer->kernel_columns, columns);
	for (unsigned r = 0; r < SIDE_COUNT; r++) {
		for (unsigned c = 0; c < SIDE_COUNT; c++) {
			uint64_t all = (rows[r][0] + rows[r][1]) * (columns[c][0] + columns[c][1]);
			uint64_t with_output = rows[r][1] * columns[c][1];
			add_pixels(counters, &sequence.pixel[r][c][0], all - with_output);
			add_pixels(counters, &sequence.pixel[r][c][1], with_output);
		}
	}
	counters->state[AI8X_STATE_FLATTEN] = sequence.flatten_cycle;
	if (sequence.row_cycle)
		counters->state[AI8X_STATE_ROW_END] = layer->output_rows;
	count_words(&sequence, counters);
}
