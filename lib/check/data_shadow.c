// Shadow of data memory: who wrote each byte lane last, and where each layer's input came from.
//
// What a layer reads is kept as planes: one processor's lane in one pass of one operand, over all pixels. A
// plane remembers from which layers and slots its values came, not every single read.
#include "check/parts.h"
#include "layer/geometry.h"
#include "machine/order.h"

#include <stdlib.h>
#include <string.h>

ai8x_status shadow_create(ai8x_check *check)
{
	check->data_words = check->part->info.data_words;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		check->lanes[i] = calloc((size_t)check->data_words * LANES, sizeof *check->lanes[i]);
		if (check->lanes[i] == NULL)
			return AI8X_ERR_NO_MEMORY;
	}
	for (unsigned i = 0; i < AI8X_MAX_LAYERS; i++)
		check->current[i] = -1;
	return AI8X_OK;
}

static void release_layers(ai8x_check *check)
{
	for (size_t i = 0; i < check->layer_count; i++) {
		struct layer_state *state = &check->layers[i];
		free(state->planes);
		free(state->with_data);
		free(state->influence);
		free(state->places);
		free(state->weights);
		free(state->unwritten);
		free(state->bias_seen);
		free(state->bias_missing);
		free(state->bias_entry);
		free(state->live);
	}
	check->layer_count = 0;
}

void shadow_destroy(ai8x_check *check)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		free(check->lanes[i]);
	free(check->sources);
	free(check->losses);
	release_layers(check);
	free(check->layers);
}

// --- The bus -----------------------------------------------------------------------------------------

static void set_lane(struct lane *lane, uint16_t writer, uint16_t slot)
{
	uint16_t previous = lane->writer != writer ? lane->writer : lane->previous;
	*lane = (struct lane){.writer = writer, .slot = slot, .previous = previous};
}

void shadow_bus_write(ai8x_check *check, const struct part_target *target, uint32_t value, unsigned bytes)
{
	unsigned instance = target->group * INSTANCES_PER_GROUP + target->unit;
	struct lane *word = check->lanes[instance] + (size_t)target->word * LANES;
	for (unsigned l = 0; l < LANES; l++)
		if (bytes == 4 || l == target->byte) {
			const uint32_t byte = bytes == 4 ? value >> (8 * l) : value;
			set_lane(&word[l], WRITER_BUS, (byte & 0xff) == 0 ? SLOT_BUS_ZERO : 0);
		}
}

void shadow_cleared(ai8x_check *check, unsigned group)
{
	for (unsigned i = group * INSTANCES_PER_GROUP; i < (group + 1) * INSTANCES_PER_GROUP; i++)
		for (size_t l = 0; l < (size_t)check->data_words * LANES; l++)
			check->lanes[i][l] = (struct lane){.writer = WRITER_CLEAR};
}

void shadow_bus_read(ai8x_check *check, const struct part_target *target, uint32_t address)
{
	// The words that a program names are all that counts.
	if (check->results_named)
		return;
	unsigned instance = target->group * INSTANCES_PER_GROUP + target->unit;
	for (unsigned l = 0; l < LANES; l++)
		mark_read(check, check->lanes[instance][(size_t)target->word * LANES + l], target->word);
	if (!array_reserve(&check->results, &check->result_capacity, check->result_count + 1,
	                   sizeof *check->results)) {
		check->trouble = AI8X_ERR_NO_MEMORY;
		return;
	}
	check->results[check->result_count++] = (struct result_word){address, UINT32_MAX};
}

// --- Layers ------------------------------------------------------------------------------------------

static void add_source(ai8x_check *check, struct layer_state *state, size_t index, struct lane from,
                       uint32_t word, uint32_t pixel)
{
	struct plane *plane = &state->planes[index];
	from.reader = 0;
	for (uint32_t s = plane->recent; s != NONE;) {
		struct source *source = &check->sources[s];
		if (memcmp(&source->from, &from, sizeof from) == 0) {
			source->count++;
			source->last_pixel = pixel;
			plane->recent = s;
			return;
		}
		// The recent one first, then all of them.
		s = s == plane->recent && s != plane->sources ? plane->sources : source->next;
		if (s == plane->recent)
			s = check->sources[s].next;
	}
	if (check->source_count >= NONE || !array_reserve(&check->sources, &check->source_capacity,
	                                                  check->source_count + 1, sizeof *check->sources)) {
		check->trouble = AI8X_ERR_NO_MEMORY;
		return;
	}
	check->sources[check->source_count] = (struct source){
		.from = from, .count = 1, .next = plane->sources, .word = word, .pixel = pixel, .last_pixel = pixel};
	plane->sources = plane->recent = (uint32_t)check->source_count++;
}

static bool allocate(struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	state->plane_count = (size_t)layer->passes * layer->operands * AI8X_PROCESSORS;
	state->planes = malloc(state->plane_count * sizeof *state->planes);
	state->with_data = calloc(layer->passes, sizeof *state->with_data);
	state->influence = calloc(layer->passes, sizeof *state->influence);
	state->places = calloc((size_t)state->slots + 1, sizeof *state->places);
	state->bias_seen = calloc((size_t)state->slots + 1, 1);
	state->bias_missing = calloc((size_t)state->slots + 1, 1);
	state->bias_entry = calloc((size_t)state->slots + 1, AI8X_GROUPS * sizeof *state->bias_entry);
	state->live = calloc((size_t)state->slots + 1, sizeof *state->live);
	if (state->planes == NULL || state->with_data == NULL || state->influence == NULL ||
	    state->places == NULL || state->bias_seen == NULL || state->bias_missing == NULL ||
	    state->bias_entry == NULL || state->live == NULL)
		return false;
	for (size_t i = 0; i < state->plane_count; i++)
		state->planes[i] = (struct plane){NONE, NONE};
	for (uint32_t s = 0; s < state->slots; s++)
		state->places[s] = ai8x_layer_place(layer, s, 0);
	return true;
}

// Streaming layers hand on their values through a ring that both address alike, so the slot of a plane
// follows from the registers; what the ring's words hold at an instant does not say it.
static struct lane streamed_from(const ai8x_check *check, const struct layer_state *state, unsigned processor,
                                 uint32_t offset)
{
	const struct layer_state *producer = &check->layers[state->producer];
	uint32_t base = state->layer.read_base[processor_group(processor)];
	uint16_t writer = (uint16_t)(WRITER_LAYER + state->producer);
	struct lane from = {.writer = WRITER_NONE};
	if (layer_pixel_words(&producer->layer) != state->layer.pixel_step)
		return (struct lane){.writer = writer, .slot = SLOT_NONE};
	for (uint32_t s = 0; s < producer->slots && s < SLOT_NONE; s++) {
		const ai8x_output_place *place = &producer->places[s];
		if (place->instance != processor / 4 || place->word != base + offset)
			continue;
		if (place->lane == processor % 4)
			return (struct lane){.writer = writer, .slot = (uint16_t)s};
		from = (struct lane){.writer = writer, .slot = SLOT_NONE};
	}
	return from;
}

static void link_stream(ai8x_check *check, struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	uint32_t pixels = layer->rows * layer->columns;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		for (uint32_t offset = 0; offset < layer->passes * layer->operands && (layer->processors >> p & 1);
		     offset++) {
			size_t index = plane_index(layer, offset / layer->operands, offset % layer->operands, p);
			add_source(check, state, index, streamed_from(check, state, p, offset),
			           layer->read_base[processor_group(p)] + offset, 0);
			if (state->planes[index].recent != NONE)
				check->sources[state->planes[index].recent].count = pixels;
		}
	}
}

// The streaming layer that hands its values to `layer`, or -1.
static int producer_of(const ai8x_check *check, const ai8x_layer *layer)
{
	if (check->layer_count == 0)
		return -1;
	const struct layer_state *before = &check->layers[check->layer_count - 1];
	const bool together = !before->finished && order_streams_into(&before->layer, layer);
	return together ? (int)check->layer_count - 1 : -1;
}

// True for lanes with a channel: not for those of gaps in a layer's output, for which there are no kernels.
static bool holds_channel(const ai8x_check *check, struct lane lane)
{
	int position = writer_position(lane.writer);
	if (lane.writer < WRITER_BUS || lane.slot == SLOT_NONE)
		return false;
	return position < 0 || slot_is_loaded(&check->layers[position], lane.slot);
}

// Processors that are not enabled, but for which data that nobody has read lie where the layer would read
// them: input for the first layer; for later ones what a layer wrote, or what lies beside enabled lanes.
static uint64_t find_idle(const ai8x_check *check, const struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	const bool first = state == check->layers;
	uint64_t idle = 0;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		uint32_t word = layer->read_base[processor_group(p)];
		bool beside = (layer->processors >> (p / LANES * LANES) & 15) != 0;
		if ((layer->processors >> p & 1) != 0 || (layer->chw && beside) || word >= check->data_words)
			continue;
		struct lane lane = check->lanes[p / LANES][(size_t)word * LANES + p % LANES];
		if (state->producer >= 0)
			lane = streamed_from(check, state, p, 0);
		if (!holds_channel(check, lane) || lane.reader != 0)
			continue;
		if (beside || first || lane.writer >= WRITER_LAYER)
			idle |= UINT64_C(1) << p;
	}
	return idle;
}

void shadow_begin_layer(ai8x_check *check, const ai8x_event *event)
{
	const ai8x_layer *layer = event->layer;
	check->current[layer->index] = -1;
	if (check->layer_count >= MAX_RUNS) {
		check->looping = true;
		return;
	}
	if (!array_reserve(&check->layers, &check->layer_capacity, check->layer_count + 1,
	                   sizeof *check->layers)) {
		check->trouble = AI8X_ERR_NO_MEMORY;
		return;
	}
	int producer = producer_of(check, layer);
	struct layer_state *state = &check->layers[check->layer_count];
	*state = (struct layer_state){
		.layer = *layer,
		.slots = ai8x_layer_output_slots(layer),
		.producer = producer,
		.last_stream = layer->streaming,
	};
	check->current[layer->index] = (int)check->layer_count++;
	if (!allocate(state) || !kernels_begin_layer(check, state)) {
		// Half a state is worse than none: forget the layer.
		check->trouble = AI8X_ERR_NO_MEMORY;
		check->current[layer->index] = -1;
		return;
	}
	if (producer >= 0) {
		check->layers[producer].last_stream = false;
		link_stream(check, state);
	}
	state->idle = find_idle(check, state);
}

static struct layer_state *state_of(ai8x_check *check, const ai8x_layer *layer)
{
	int position = check->current[layer->index];
	return position < 0 ? NULL : &check->layers[position];
}

void shadow_end_layer(ai8x_check *check, const ai8x_event *event)
{
	struct layer_state *state = state_of(check, event->layer);
	if (state == NULL)
		return;
	state->finished = true;
	// What a FIFO brings was not there at the beginning.
	for (unsigned f = 0; f < FIFO_FAST && state->layer.fifo; f++) {
		uint64_t fed = (state->layer.chw ? UINT64_C(1) : UINT64_C(15)) << (f * PROCESSORS_PER_GROUP);
		if (check->popped[f] > 0)
			state->idle |= fed & ~state->layer.processors;
	}
	for (size_t i = ai8x_machine_layer_count(check->machine); i-- > 0;) {
		const ai8x_layer_report *done = ai8x_machine_layer_report(check->machine, i);
		if (done->layer.index == event->layer->index) {
			state->counters = done->counters;
			return;
		}
	}
}

// --- Reads and writes of a running layer -------------------------------------------------------------

static void read_lane(ai8x_check *check, struct layer_state *state, const ai8x_event *event,
                      unsigned processor, unsigned lane)
{
	unsigned instance = event->u.data.instance;
	struct lane *shadow = &check->lanes[instance][(size_t)event->u.data.word * LANES + lane];
	shadow->reader = (uint16_t)(1 + (state - check->layers));
	if (state->producer >= 0)
		return;
	struct lane from = *shadow;
	// Words that streaming layers, or the layer itself, write as well still hand on what came from the FIFO.
	int position = writer_position(from.writer);
	bool own = position == state - check->layers;
	if (state->layer.fifo && position >= 0 &&
	    (own || (state->layer.streaming && check->layers[position].layer.streaming))) {
		state->fifo_overlap += own;
		from = (struct lane){.writer = WRITER_FIFO};
	}
	if (position >= 0 && event->u.data.word > check->layers[position].last_word_read)
		check->layers[position].last_word_read = event->u.data.word;
	uint32_t pass = event->u.data.pass % state->layer.passes;
	size_t index = plane_index(&state->layer, pass, event->u.data.operand, processor);
	add_source(check, state, index, from, event->u.data.word, event->u.data.pixel);
}

void shadow_read(ai8x_check *check, const ai8x_event *event)
{
	struct layer_state *state = state_of(check, event->layer);
	if (state == NULL || event->u.data.word >= check->data_words)
		return;
	unsigned first = event->u.data.instance * 4u;
	for (unsigned lane = 0; lane < LANES; lane++) {
		if ((event->u.data.lanes >> lane & 1) == 0)
			continue;
		// A CHW word holds pixels of the first processor of its instance only.
		unsigned processor = first + lane;
		if (state->layer.chw)
			processor =
				first + (unsigned)__builtin_ctz((uint32_t)(state->layer.processors >> first & 15) | 16u) % 4;
		read_lane(check, state, event, processor, lane);
	}
}

static void note_loss(ai8x_check *check, const struct lane *lane, uint16_t culprit, const ai8x_event *event,
                      unsigned l)
{
	for (size_t i = 0, at = check->loss_recent; i < check->loss_count;
	     i++, at = (at + 1) % check->loss_count) {
		struct loss *loss = &check->losses[at];
		if (loss->victim == lane->writer && loss->culprit == culprit) {
			loss->count++;
			check->loss_recent = at;
			return;
		}
	}
	if (!array_reserve(&check->losses, &check->loss_capacity, check->loss_count + 1, sizeof *check->losses)) {
		check->trouble = AI8X_ERR_NO_MEMORY;
		return;
	}
	check->loss_recent = check->loss_count;
	check->losses[check->loss_count++] =
		(struct loss){lane->writer, culprit, 1, event->u.data.instance, (uint16_t)l, event->u.data.word};
}

static uint16_t slot_of_lane(const struct layer_state *state, const ai8x_event *event, unsigned lane)
{
	uint32_t first = event->u.data.pass;
	if (first >= state->slots || first >= SLOT_NONE)
		return SLOT_NONE;
	if (state->layer.output_bits == 32)
		return (uint16_t)first;
	const ai8x_output_place *start = &state->places[first];
	for (uint32_t s = first; s < state->slots && s < first + LANES && s < SLOT_NONE; s++) {
		const ai8x_output_place *place = &state->places[s];
		if (place->instance == start->instance && place->word == start->word && place->lane == lane)
			return (uint16_t)s;
	}
	return SLOT_NONE;
}

void shadow_write(ai8x_check *check, const ai8x_event *event)
{
	if (event->u.data.word >= check->data_words)
		return;
	struct lane *word = check->lanes[event->u.data.instance] + (size_t)event->u.data.word * LANES;
	struct layer_state *state = event->layer != NULL ? state_of(check, event->layer) : NULL;
	if (event->layer != NULL && state == NULL)
		return;
	uint16_t writer = state != NULL ? (uint16_t)(WRITER_LAYER + (state - check->layers)) : WRITER_FIFO;
	for (unsigned l = 0; l < LANES; l++) {
		if ((event->u.data.lanes >> l & 1) == 0)
			continue;
		int victim = writer_position(word[l].writer);
		const struct layer_state *before = victim >= 0 ? &check->layers[victim] : NULL;
		// What the last streaming layer writes remains, whatever rings lie there.
		bool ring = state == NULL || (state->layer.streaming && !state->last_stream);
		if (before != NULL && before->last_stream && ring)
			continue;
		if (state == NULL) {
			set_lane(&word[l], writer, 0);
			continue;
		}
		if (before != NULL && before != state && word[l].reader == 0 && word[l].slot != SLOT_NONE &&
		    !before->layer.streaming)
			note_loss(check, &word[l], writer, event, l);
		set_lane(&word[l], writer, slot_of_lane(state, event, l));
		state->lanes_written++;
	}
}
