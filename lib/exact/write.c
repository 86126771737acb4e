// Write pointers: results into data memory (hardware reference 4.8, 4.9).
#include "exact/exact.h"
#include "layer/geometry.h"

#include <stdlib.h>

// Engine lane of a processor.
static uint8_t lane_of(const struct exact_layer *x, unsigned processor)
{
	for (unsigned k = 0; k < x->instances; k++)
		if (x->instance[k] == processor / 4)
			return (uint8_t)(4 * k + processor % 4);
	return 0;
}

// When inside a pixel a processor's result is written: four processors of a group together in
// passthrough, one lane of all instances in broadcast, one processor at a time otherwise. Never past the
// layer's last time slot, so that a too small tscnt_max delays nothing beyond its pixel.
static uint32_t time_slot(const ai8x_layer *layer, const struct exact_slot *slot, unsigned processor)
{
	uint32_t position = (slot->instance - layer->write_instance[slot->group]) * 4u + slot->shift / 8;
	uint32_t time = layer->write_mode == AI8X_WRITE_BROADCAST   ? processor % 4
	                : layer->write_mode == AI8X_WRITE_DEPTHWISE ? position
	                                                            : position / 4;
	return time < layer->time_slots ? time : layer->time_slots - 1;
}

// A word goes to memory when the next slot belongs to another one. Broadcast writes are single bytes by nature;
// elsewhere a word is written as a whole, with zeros in lanes that no slot fills (not decided by any known source,
// reference 4.9).
static void gather_words(struct exact_layer *x)
{
	const bool bytes = x->layer.write_mode == AI8X_WRITE_BROADCAST;
	const bool whole = !x->context->keep_absent_lanes && !bytes;
	uint32_t first = 0, mask = 0;
	for (uint32_t s = 0; s < x->slots; s++) {
		struct exact_slot *slot = &x->slot[s];
		const struct exact_slot *next = slot + 1;
		mask |= slot->bits << slot->shift;
		slot->first = first;
		slot->mask = whole ? UINT32_MAX : mask;
		slot->last = x->layer.output_bits == 32 || bytes || s + 1 == x->slots ||
		             next->instance != slot->instance || next->word != slot->word ||
		             next->shift <= slot->shift;
		if (slot->last) {
			first = s + 1;
			mask = 0;
		}
	}
}

ai8x_status write_prepare(struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	const bool channels = layer->write_mode == AI8X_WRITE_CHANNELS;
	x->slots = ai8x_layer_output_slots(layer);
	x->slot = calloc((size_t)x->slots + 1, sizeof *x->slot);
	if (x->slot == NULL)
		return AI8X_ERR_NO_MEMORY;
	x->pixels = layer->output_rows * layer->output_columns;
	x->pixel_words = layer_pixel_words(layer);
	for (uint32_t s = 0; s < x->slots; s++) {
		ai8x_output_place place = ai8x_layer_place(layer, s, 0);
		x->slot[s] = (struct exact_slot){
			.word = place.word,
			.bits = layer->output_bits == 32 ? UINT32_MAX : 0xff,
			.shift = layer->output_bits == 32 ? 0 : 8 * place.lane,
			.instance = (uint8_t)place.instance,
		};
		x->slot[s].group = (uint8_t)layer_write_group(layer, s);
		if (!channels) {
			const unsigned processor = layer_slot_processor(layer, s);
			x->slot[s].source = lane_of(x, processor);
			x->slot[s].time = (uint8_t)time_slot(layer, &x->slot[s], processor);
		}
	}
	gather_words(x);
	return AI8X_OK;
}

EXACT_TELLS static void tell_write(struct exact_layer *x, const struct exact_slot *slot, uint32_t word,
                                   uint32_t value)
{
	uint8_t lanes = 0;
	for (unsigned lane = 0; lane < 4; lane++)
		lanes |= (uint8_t)((slot->mask >> (8 * lane) & 1) << lane);
	ai8x_event event = {
		.kind = AI8X_EVENT_DATA_WRITE,
		.cycle = x->context->cycle,
		.layer = &x->layer,
		.u.data =
			{
				.instance = slot->instance,
				.lanes = lanes,
				.word = word,
				.value = value,
				.pixel = x->pixels_done,
				.pass = slot->first,
			},
	};
	x->context->emit(x->context->user, &event);
}

void write_whole(struct exact_layer *x, const struct exact_slot *slot, uint32_t value)
{
	uint32_t at = slot->word + x->pixels_done * x->pixel_words;
	if (x->output != NULL)
		stream_image_store(x->output, slot->instance, at, value, slot->mask);
	if (x->write_ring != 0)
		at = (uint32_t)layer_ring_word(at, x->layer.write_word[slot->group], x->write_ring);
	uint32_t *word = &x->context->data->word[slot->instance][at];
	// A whole word is not read before: it may be far away.
	*word = slot->mask == UINT32_MAX ? value : (*word & ~slot->mask) | (value & slot->mask);
	x->counters->words_written++;
	if (x->keeps_log)
		log_write(x, (struct exact_log_entry){at, value, slot->mask, slot->instance});
	if (x->context->written != NULL)
		x->context->written(x->context->user, &x->layer, slot->instance, at, *word);
	if (exact_wants(x, AI8X_EVENT_DATA_WRITE))
		tell_write(x, slot, at, *word);
}
