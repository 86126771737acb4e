// FIFO words -> data memory. FIFO f fills the first instance of group f, a ring where the layer streams.
#include "machine/input.h"

#include <string.h>

static void store(struct input *input, unsigned group, uint32_t value)
{
	const ai8x_layer *layer = input->layer;
	unsigned instance = group * INSTANCES_PER_GROUP;
	// The rest of a frame that the layer did not need.
	if (layer == NULL)
		return;
	stream_image_store(input->image, instance, (uint32_t)(layer->read_base[group] + input->stored), value,
	                   UINT32_MAX);
	uint64_t word = layer->read_base[group] + input->place;
	// A frame longer than the memory: the words past its end have no place.
	if (word >= input->context->data->words)
		return;
	input->context->data->word[instance][word] = value;
	if (input->context->kinds & AI8X_EVENT_DATA_WRITE) {
		ai8x_event event = {
			.kind = AI8X_EVENT_DATA_WRITE,
			.cycle = input->context->cycle,
			.u.data =
				{
					.instance = (uint8_t)instance,
					.lanes = 15,
					.word = (uint32_t)word,
					.value = value,
					.pixel = (uint32_t)input->stored,
				},
		};
		input->context->emit(input->context->user, &event);
	}
}

static void spread(struct input *input, unsigned fifo, uint32_t value)
{
	if (fifo != FIFO_FAST) {
		store(input, fifo, value);
		return;
	}
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if (input->fan_out || (!input->bytes_to_groups && g == 0))
			store(input, g, value);
		else if (input->bytes_to_groups)
			store(input, g, value >> (8 * g) & 0xff);
}

uint32_t input_instances(const struct input *input)
{
	uint32_t instances = 0;
	for (unsigned f = 0; f < FIFO_FAST; f++)
		instances |= (input->enabled >> f & 1) << (f * INSTANCES_PER_GROUP);
	if (input->enabled >> FIFO_FAST & 1) {
		for (unsigned g = 0; g < AI8X_GROUPS; g++)
			if (g == 0 || input->fan_out || input->bytes_to_groups)
				instances |= 1u << (g * INSTANCES_PER_GROUP);
	}
	return instances;
}

// A FIFO's words that go to one instance, all at once.
static void store_many(const struct input *input, unsigned group, const uint32_t *values, uint64_t count)
{
	const ai8x_layer *layer = input->layer;
	const unsigned instance = group * INSTANCES_PER_GROUP;
	struct data_memory *data = input->context->data;
	stream_image_copy(input->image, instance, (uint32_t)(layer->read_base[group] + input->stored), values,
	                  count);
	// Of what goes through a ring the last words remain.
	const uint64_t ring = layer->ring_words != 0 ? layer->ring_words : input->place + count;
	for (uint64_t i = count > ring ? count - ring : 0, piece; i < count; i += piece) {
		const uint64_t place = (input->place + i) % ring, first = layer->read_base[group] + place;
		const uint64_t there = first < data->words ? data->words - first : 0;
		piece = ring - place < count - i ? ring - place : count - i;
		if (there > 0)
			memcpy(data->word[instance] + first, values + i,
			       (piece < there ? piece : there) * sizeof *values);
	}
}

// Takes words of the supply, up to `until` of each FIFO.
static void take_supply(struct input *input, uint64_t until)
{
	struct supply *supply = &input->supply;
	const uint64_t wanted = until > input->stored ? until - input->stored : 0;
	const uint64_t count = wanted < supply->left ? wanted : supply->left;
	for (unsigned f = 0; f < FIFO_COUNT && count > 0; f++) {
		if ((input->enabled >> f & 1) == 0)
			continue;
		if (input->layer != NULL)
			store_many(input, f, supply->next[f], count);
		supply->next[f] += count;
		input->fifos[f].pushed += count;
		input->fifos[f].popped += count;
	}
	supply->left -= count;
	input->stored += count;
	input->place += count;
	if (input->layer != NULL && input->layer->ring_words != 0)
		input->place %= input->layer->ring_words;
}

bool input_pull(struct input *input, uint64_t until, unsigned *empty)
{
	if (until > input->frame)
		until = input->frame;
	// Without any FIFO nothing ever arrives, however long the frame.
	if (input->enabled == 0 && input->stored < until) {
		*empty = 0;
		return false;
	}
	take_supply(input, until);
	const uint64_t ring =
		input->layer != NULL && input->layer->ring_words != 0 ? input->layer->ring_words : UINT64_MAX;
	while (input->stored < until) {
		for (unsigned f = 0; f < FIFO_COUNT; f++) {
			if ((input->enabled >> f & 1) != 0 && input->fifos[f].level == 0) {
				*empty = f;
				return false;
			}
		}
		for (unsigned f = 0; f < FIFO_COUNT; f++) {
			uint32_t value;
			if ((input->enabled >> f & 1) == 0 || !fifo_pop(&input->fifos[f], &value))
				continue;
			if (input->context->kinds & AI8X_EVENT_FIFO_POP) {
				ai8x_event event = {
					.kind = AI8X_EVENT_FIFO_POP,
					.cycle = input->context->cycle,
					.layer = input->layer,
					.u.fifo = {.fifo = (uint8_t)f, .value = value, .level = input->fifos[f].level},
				};
				input->context->emit(input->context->user, &event);
			}
			spread(input, f, value);
		}
		input->stored++;
		if (++input->place == ring)
			input->place = 0;
	}
	return true;
}
