// What has influence on the result: from the words that count back through slots, kernels and planes to
// what was written. Only hazards that lie on such a way are errors; junk in unused lanes is normal.
#include "check/parts.h"
#include "layer/geometry.h"

#include <stdio.h>

static const char *writer_text(uint16_t writer)
{
	static const char *const texts[] = {"nobody wrote", "was cleared, but not written by any layer",
	                                    "was written by the bus, but not by any layer",
	                                    "was written by a FIFO, but not by any layer"};
	return writer < WRITER_LAYER ? texts[writer] : "a layer wrote";
}

static bool is_empty(uint16_t writer)
{
	return writer == WRITER_NONE || writer == WRITER_CLEAR;
}

// --- Planes with data --------------------------------------------------------------------------------

static void note_data(const ai8x_check *check, struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	for (uint32_t pass = 0; pass < layer->passes; pass++) {
		for (size_t i = 0; i < (size_t)layer->operands * AI8X_PROCESSORS; i++) {
			const struct plane *plane = &state->planes[(size_t)pass * layer->operands * AI8X_PROCESSORS + i];
			for (uint32_t s = plane->sources; s != NONE; s = check->sources[s].next) {
				const struct lane *from = &check->sources[s].from;
				if (!is_empty(from->writer) && from->slot != SLOT_NONE)
					state->with_data[pass] |= UINT64_C(1) << (i % AI8X_PROCESSORS);
			}
		}
	}
}

// --- Results -----------------------------------------------------------------------------------------

static bool data_word(const ai8x_check *check, uint32_t address, unsigned *instance, uint32_t *word)
{
	struct part_target target;
	if (!part_decode_address(check->part, address, &target) || target.is_register ||
	    target.memory != MEMORY_DATA)
		return false;
	*instance = target.group * INSTANCES_PER_GROUP + target.unit;
	*word = target.word;
	return true;
}

static void report_missing_result(ai8x_check *check, const struct lane *lane, uint32_t address, unsigned l)
{
	int last = -1;
	for (size_t i = 0; i < check->layer_count; i++)
		last = (int)check->layers[i].layer.index;
	int writer = layer_number(check, lane->writer);
	struct place place = here(writer >= 0 ? writer : last);
	place.has_address = true;
	place.address = address;
	if (writer >= 0)
		report(check, AI8X_CHECK_OUTPUT_UNWRITTEN, AI8X_SEVERITY_ERROR, place, 1,
		       "the result is expected in byte lane %u of a word that layer %d wrote without having a "
		       "channel for "
		       "that lane",
		       l, writer);
	else
		report(check, AI8X_CHECK_OUTPUT_UNWRITTEN, AI8X_SEVERITY_ERROR, place, 1,
		       "the result is expected in a word that %s; the last layer that ran is layer %d",
		       writer_text(lane->writer), last);
}

// One byte lane of one instance of the result: which layers wrote it.
struct result_column {
	uint16_t writers[8];
	unsigned count;
};

static void add_writer(struct result_column *column, uint16_t writer)
{
	for (unsigned i = 0; i < column->count; i++)
		if (column->writers[i] == writer)
			return;
	if (column->count < sizeof column->writers / sizeof column->writers[0])
		column->writers[column->count++] = writer;
}

static bool has_writer(const struct result_column *column, uint16_t writer)
{
	for (unsigned i = 0; i < column->count; i++)
		if (column->writers[i] == writer)
			return true;
	return false;
}

static void report_damaged_result(ai8x_check *check, const struct lane *lane, uint32_t address)
{
	struct place place = here(layer_number(check, lane->writer));
	place.other_layer = layer_number(check, lane->previous);
	place.has_address = true;
	place.address = address;
	report(check, AI8X_CHECK_OUTPUT_OVERLAP, AI8X_SEVERITY_ERROR, place, 1,
	       "layer %d writes over a part of layer %d's output, another part of which is still there and "
	       "belongs to "
	       "the result",
	       place.layer, place.other_layer);
}

static void follow_results(ai8x_check *check)
{
	struct result_column columns[AI8X_INSTANCES][LANES] = {0};
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < check->result_count; i++) {
			unsigned instance = 0;
			uint32_t word = 0;
			if (!data_word(check, check->results[i].address, &instance, &word))
				continue;
			for (unsigned l = 0; l < LANES; l++) {
				struct lane *lane = &check->lanes[instance][(size_t)word * LANES + l];
				struct result_column *column = &columns[instance][l];
				if ((check->results[i].mask >> (8 * l) & 0xff) == 0)
					continue;
				if (round == 0) {
					mark_read(check, *lane, word);
					add_writer(column, lane->writer);
					bool computed = writer_position(lane->writer) >= 0 && lane->slot != SLOT_NONE;
					if (!computed && check->results_named)
						report_missing_result(check, lane, check->results[i].address, l);
				} else if (writer_position(lane->writer) >= 0 && writer_position(lane->previous) >= 0 &&
				           has_writer(column, lane->previous)) {
					report_damaged_result(check, lane, check->results[i].address);
				}
			}
		}
	}
}

// Nobody said what counts: everything that no layer reads.
static void follow_leftovers(ai8x_check *check)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		for (size_t l = 0; l < (size_t)check->data_words * LANES; l++)
			if (check->lanes[i][l].reader == 0)
				mark_read(check, check->lanes[i][l], (uint32_t)(l / LANES));
	}
}

// All outputs of a layer count, as far as kernels were loaded for them.
static void follow_all_slots(ai8x_check *check, struct layer_state *state)
{
	for (uint32_t s = 0; s < state->slots; s++)
		state->live[s] = slot_is_loaded(state, s);
	state->last_word_read = check->data_words;
}

// --- Backwards through a layer -----------------------------------------------------------------------

// Processors whose values have influence on a slot in a pass.
static uint64_t influence_of(const struct layer_state *state, uint32_t slot, uint32_t pass)
{
	const ai8x_layer *layer = &state->layer;
	if (layer_has_kernels(layer) && !layer->depthwise)
		return state->weights == NULL ? layer->processors
		                              : state->weights[(size_t)slot * layer->passes + pass];
	// One processor's own result.
	uint32_t writers = bits_count(layer->processors);
	if (writers == 0 || slot / writers != pass)
		return 0;
	const uint64_t own = UINT64_C(1) << layer_slot_processor(layer, slot);
	return state->weights == NULL ? own : own & state->weights[pass];
}

// One pixel handed through by one processor: what generators insert to reset the average pooling of the
// MAX78002 after an element-wise layer (hardware reference 7); its output is not meant to be read.
static bool is_pooling_reset(const ai8x_layer *layer)
{
	return layer->operation == AI8X_OP_PASSTHROUGH && layer->output_rows * layer->output_columns == 1 &&
	       bits_count(layer->processors) == 1;
}

static bool has_any_live(const struct layer_state *state)
{
	for (uint32_t s = 0; s < state->slots; s++)
		if (state->live[s])
			return true;
	return false;
}

static void find_influence(ai8x_check *check, struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	for (uint32_t slot = 0; slot < state->slots; slot++)
		for (uint32_t pass = 0; pass < layer->passes && state->live[slot]; pass++)
			state->influence[pass] |= influence_of(state, slot, pass);
	state->influence[layer->passes - 1] &= ~state->absent;
	for (size_t i = 0; i < state->plane_count; i++) {
		uint32_t pass = (uint32_t)(i / AI8X_PROCESSORS / layer->operands);
		if ((state->influence[pass] >> (i % AI8X_PROCESSORS) & 1) == 0)
			continue;
		for (uint32_t s = state->planes[i].sources; s != NONE; s = check->sources[s].next)
			mark_live(check, check->sources[s].from);
	}
}

// --- Hazards of a layer's input ----------------------------------------------------------------------

static struct place input_place(const struct layer_state *state, size_t plane, const struct source *source,
                                int layer, int other)
{
	const ai8x_layer *reader = &state->layer;
	unsigned processor = (unsigned)(plane % AI8X_PROCESSORS);
	uint32_t pass = (uint32_t)(plane / AI8X_PROCESSORS / reader->operands);
	struct place place = here(layer);
	place.other_layer = other;
	place.group = (int)(processor_group(processor));
	place.processor = (int)processor;
	place.has_address = true;
	place.address = ai8x_part_data_address(reader->part, processor / 4, source->word);
	place.channel = (int)layer_channel(reader, processor, pass);
	place.row = (int)(source->pixel / (reader->columns != 0 ? reader->columns : 1));
	place.column = (int)(source->pixel % (reader->columns != 0 ? reader->columns : 1));
	return place;
}

// The latest layer before `position` whose output leads nowhere: probably what should have been read.
static int lost_producer(const ai8x_check *check, size_t position)
{
	while (position-- > 0) {
		const struct layer_state *state = &check->layers[position];
		if (state->lanes_written > 0 && state->dead)
			return (int)state->layer.index;
	}
	return -1;
}

static void report_empty(ai8x_check *check, const struct layer_state *state, size_t plane,
                         const struct source *source, uint64_t processors_with_data)
{
	const ai8x_layer *layer = &state->layer;
	int lost = lost_producer(check, (size_t)(state - check->layers));
	struct place place = input_place(state, plane, source, (int)layer->index, lost);
	bool alone = processors_with_data != 0 && (processors_with_data >> place.processor & 1) == 0;
	char suspect[160] = "";
	if (lost >= 0)
		(void)snprintf(
			suspect, sizeof suspect,
			"; layer %d before it writes an output that nobody reads, so one of the two offsets is "
			"wrong",
			lost);
	if (alone)
		report(check, AI8X_CHECK_PROCESSOR_EMPTY, AI8X_SEVERITY_ERROR, place, source->count,
		       "processor %d is enabled in layer %u and its kernels are not zero, but nothing was ever "
		       "written to its "
		       "lane of data memory instance %d, words from 0x%x (offset 0x%x)%s",
		       place.processor, layer->index, place.processor / 4, source->word, 4 * source->word, suspect);
	else
		report(check, AI8X_CHECK_DATA_UNWRITTEN, AI8X_SEVERITY_ERROR, place, source->count,
		       "layer %u reads channel %d, row %d, column %d from word 0x%x (offset 0x%x) of data memory "
		       "instance %d, byte "
		       "lane %d, "
		       "which %s%s",
		       layer->index, place.channel, place.row, place.column, source->word, 4 * source->word,
		       place.processor / 4, place.processor % 4,
		       source->from.writer == WRITER_CLEAR ? "was cleared but never written" : "nobody has written",
		       suspect);
}

static void report_filler(ai8x_check *check, const struct layer_state *state, size_t plane,
                          const struct source *source)
{
	const ai8x_layer *layer = &state->layer;
	int writer = layer_number(check, source->from.writer);
	struct place place = input_place(state, plane, source, (int)layer->index, writer);
	report(check, AI8X_CHECK_DATA_UNWRITTEN, AI8X_SEVERITY_ERROR, place, source->count,
	       "layer %u reads channel %d from byte lane %d of data memory instance %d, word 0x%x (offset 0x%x); "
	       "layer %d "
	       "wrote that "
	       "word, but computes no channel for this lane",
	       layer->index, place.channel, place.processor % 4, place.processor / 4, source->word,
	       4 * source->word, writer);
}

// Values of 32 bits lie in words of their own; what reads bytes finds a quarter of each.
static bool is_wide(const ai8x_check *check, uint16_t writer)
{
	const int position = writer_position(writer);
	return position >= 0 && check->layers[position].layer.output_bits == 32;
}

static void report_wide(ai8x_check *check, const struct layer_state *state, size_t plane,
                        const struct source *source)
{
	const int writer = layer_number(check, source->from.writer);
	struct place place = input_place(state, plane, source, (int)state->layer.index, writer);
	place.group = -1;
	report(check, AI8X_CHECK_DATA_WIDTH, check->results_hold ? AI8X_SEVERITY_WARNING : AI8X_SEVERITY_ERROR,
	       place, source->count,
	       "layer %u reads 8-bit channels where layer %d wrote 32-bit sums, first channel %d from word 0x%x "
	       "(offset 0x%x) "
	       "of data "
	       "memory instance %d: layers read 8-bit data only",
	       state->layer.index, writer, place.channel, source->word, 4 * source->word, place.processor / 4);
}

static void report_self(ai8x_check *check, const struct layer_state *state, size_t plane,
                        const struct source *source)
{
	const ai8x_layer *layer = &state->layer;
	struct place place = input_place(state, plane, source, (int)layer->index, -1);
	place.group = -1;
	report(
		check, AI8X_CHECK_DATA_SELF, AI8X_SEVERITY_ERROR, place, source->count,
		"layer %u writes its output over its own input before having read it: what it reads as channel "
		"%d, row %d, "
		"column %d, from word 0x%x (offset 0x%x) of data memory instance %d, is already one of its outputs",
		layer->index, place.channel, place.row, place.column, source->word, 4 * source->word,
		place.processor / 4);
}

static void report_overwritten(ai8x_check *check, const struct layer_state *state, size_t plane,
                               const struct source *source)
{
	const ai8x_layer *layer = &state->layer;
	int culprit = layer_number(check, source->from.writer);
	int victim = layer_number(check, source->from.previous);
	struct place place = input_place(state, plane, source, culprit, (int)layer->index);
	place.group = -1;
	char whose[48] = "the input";
	if (victim >= 0)
		(void)snprintf(whose, sizeof whose, "the output of layer %d", victim);
	report(check, AI8X_CHECK_DATA_OVERWRITTEN, AI8X_SEVERITY_ERROR, place, source->count,
	       "layer %d writes its output over a part of %s, which layer %u still needs: what layer %u reads as "
	       "channel "
	       "%d, row %d, column %d, from word 0x%x (offset 0x%x) of data memory instance %d, comes from layer "
	       "%d, other "
	       "pixels of the "
	       "same channel from %s",
	       culprit, whose, layer->index, layer->index, place.channel, place.row, place.column, source->word,
	       4 * source->word, place.processor / 4, culprit, whose);
}

// In a layer with one pixel, as flattening makes them, the pixels of the image before it are passes.
static bool single_pixel(const ai8x_layer *layer)
{
	return layer->rows * layer->columns == 1;
}

static bool plane_has_writer(const ai8x_check *check, const struct layer_state *state, size_t plane,
                             uint16_t writer)
{
	size_t first = plane, step = state->plane_count;
	if (single_pixel(&state->layer)) {
		first = plane % AI8X_PROCESSORS;
		step = AI8X_PROCESSORS;
	}
	for (size_t i = first; i < state->plane_count; i += step) {
		for (uint32_t s = state->planes[i].sources; s != NONE; s = check->sources[s].next)
			if (check->sources[s].from.writer == writer)
				return true;
	}
	return false;
}

// The last output pixel of a layer that anybody looks at.
static uint32_t last_pixel_needed(const struct layer_state *state)
{
	uint32_t pixels = state->layer.output_rows * state->layer.output_columns, last = 0;
	for (uint32_t s = 0; s < state->slots; s++) {
		const uint32_t step = layer_pixel_words(&state->layer);
		if (state->last_word_read < state->places[s].word || step == 0)
			continue;
		uint32_t pixel = (state->last_word_read - state->places[s].word) / step;
		last = pixel > last ? pixel : last;
	}
	return last < pixels ? last : pixels - 1;
}

// True when an input pixel leads, by a tap that is not zero, to an output pixel that anybody looks at. The
// generator maps long dilated 1-D convolutions to images whose last row is not full: the pixels computed from
// the rest are junk after the output proper.
static bool pixel_matters(const struct layer_state *state, uint32_t pixel, uint32_t taps, uint32_t last)
{
	const ai8x_layer *layer = &state->layer;
	uint32_t row = pixel / layer->columns, column = pixel % layer->columns;
	for (uint32_t t = 0; t < layer->kernel_rows * layer->kernel_columns; t++) {
		uint32_t r = row + layer->pad_rows - t / layer->kernel_columns;
		uint32_t c = column + layer->pad_columns - t % layer->kernel_columns;
		// Differences below zero wrap and are as far outside as those beyond the end.
		if ((taps >> t & 1) != 0 && r < layer->output_rows && c < layer->output_columns &&
		    r * layer->output_columns + c <= last)
			return true;
	}
	return false;
}

static bool pixels_matter(const ai8x_check *check, const struct layer_state *state, size_t plane,
                          const struct source *source)
{
	const ai8x_layer *layer = &state->layer;
	bool direct =
		layer->pooling == AI8X_POOL_NONE && layer->pool_stride == 1 && !layer->transposed && !layer->flatten;
	if (!direct || state->producer >= 0)
		return true;
	uint32_t last = last_pixel_needed(state);
	uint32_t pass = (uint32_t)(plane / AI8X_PROCESSORS / layer->operands);
	uint32_t taps = kernels_taps(check, state, pass, (unsigned)(plane % AI8X_PROCESSORS));
	for (uint32_t pixel = source->pixel; pixel <= source->last_pixel; pixel++)
		if (pixel_matters(state, pixel, taps, last))
			return true;
	return false;
}

static void check_plane(ai8x_check *check, const struct layer_state *state, size_t plane,
                        uint64_t processors_with_data)
{
	uint16_t self = (uint16_t)(WRITER_LAYER + (state - check->layers));
	for (uint32_t s = state->planes[plane].sources; s != NONE; s = check->sources[s].next) {
		const struct source *source = &check->sources[s];
		const struct lane *from = &source->from;
		if (is_empty(from->writer)) {
			if (pixels_matter(check, state, plane, source))
				report_empty(check, state, plane, source, processors_with_data);
		} else if (from->writer == self)
			report_self(check, state, plane, source);
		else if (is_wide(check, from->writer))
			report_wide(check, state, plane, source);
		else if (from->slot == SLOT_NONE)
			report_filler(check, state, plane, source);
		else if (writer_position(from->writer) >= 0 && !is_empty(from->previous) &&
		         from->previous != from->writer && plane_has_writer(check, state, plane, from->previous))
			report_overwritten(check, state, plane, source);
	}
}

static void check_inputs(ai8x_check *check, const struct layer_state *state)
{
	uint64_t with_data = 0;
	for (uint32_t pass = 0; pass < state->layer.passes; pass++)
		with_data |= state->with_data[pass];
	for (size_t i = 0; i < state->plane_count; i++) {
		uint32_t pass = (uint32_t)(i / AI8X_PROCESSORS / state->layer.operands);
		if (state->influence[pass] >> (i % AI8X_PROCESSORS) & 1)
			check_plane(check, state, i, with_data);
	}
}

// Only a warning: recorded programs do it, and the FIFO's data may have gone on before they are overwritten.
static void check_fifo_input(ai8x_check *check, const struct layer_state *state)
{
	if (state->fifo_overlap == 0)
		return;
	report(
		check, AI8X_CHECK_RING_OVERLAP, AI8X_SEVERITY_WARNING, here((int)state->layer.index),
		state->fifo_overlap,
		"layer %u writes its output over the data memory through which its FIFO input passes; whether pixels "
		"survive depends on timing",
		state->layer.index);
}

// --- Outputs that lead nowhere -----------------------------------------------------------------------

static void check_output(ai8x_check *check, size_t position)
{
	const struct layer_state *state = &check->layers[position];
	int index = (int)state->layer.index;
	if (!state->finished || state->lanes_written == 0 || !state->dead)
		return;
	uint16_t writer = (uint16_t)(WRITER_LAYER + position);
	// Work in vain; where every expected word holds all the same it may be meant (a benchmark of many
	// layers on one output area).
	const ai8x_severity severity = check->results_hold ? AI8X_SEVERITY_WARNING : AI8X_SEVERITY_ERROR;
	for (size_t i = 0; i < check->loss_count; i++) {
		const struct loss *loss = &check->losses[i];
		if (loss->victim != writer)
			continue;
		struct place place = here(layer_number(check, loss->culprit));
		place.other_layer = index;
		place.has_address = true;
		place.address = ai8x_part_data_address(check->part, loss->instance, loss->word);
		report(check, AI8X_CHECK_OUTPUT_OVERLAP, severity, place, loss->count,
		       "layer %d writes its output over that of layer %d, which nobody has read, first in word 0x%x "
		       "(offset 0x%x) of data memory instance %u",
		       place.layer, index, loss->word, 4 * loss->word, loss->instance);
		return;
	}
	ai8x_output_place first = state->places[0];
	struct place place = here(index);
	place.has_address = true;
	place.address = ai8x_part_data_address(check->part, first.instance, first.word);
	report(check, AI8X_CHECK_OUTPUT_UNUSED, severity, place, 1,
	       "layer %d writes its output from word 0x%x (offset 0x%x) of data memory instance %u on, but "
	       "nothing that counts "
	       "depends "
	       "on it: no later layer reads it there, and it is not the result",
	       index, first.word, 4 * first.word, first.instance);
}

void flow_evaluate(ai8x_check *check, bool complete)
{
	for (size_t p = 0; p < check->layer_count; p++)
		note_data(check, &check->layers[p]);
	bool named = check->result_count > 0;
	if (complete && named)
		follow_results(check);
	else if (complete)
		follow_leftovers(check);
	for (size_t p = check->layer_count; p-- > 0;) {
		struct layer_state *state = &check->layers[p];
		state->dead = !has_any_live(state) && !is_pooling_reset(&state->layer);
		// A layer in vain was meant to compute something: what is wrong before it counts as well. In a
		// run that broke off nothing leads to a result.
		if (state->dead)
			follow_all_slots(check, state);
		misplaced_channels(check, state);
		find_influence(check, state);
	}
	for (size_t p = 0; p < check->layer_count; p++) {
		misplaced_kernels(check, &check->layers[p]);
		misplaced_biases(check, &check->layers[p]);
		check_inputs(check, &check->layers[p]);
		check_fifo_input(check, &check->layers[p]);
		// Results of earlier runs may have been read by other ways than the bus.
		if (complete && named && check->runs == 1)
			check_output(check, p);
	}
}
