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
	uint32_t position = (slot->instance - layer->write_instance[slot->group]) * 4u + slot->lane;
	uint32_t time = layer->write_mode == AI8X_WRITE_BROADCAST   ? processor % 4
	                : layer->write_mode == AI8X_WRITE_DEPTHWISE ? position
	                                                            : position / 4;
	return time < layer->time_slots ? time : layer->time_slots - 1;
}

ai8x_status write_prepare(struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	const bool channels = layer->write_mode == AI8X_WRITE_CHANNELS;
	x->slots = ai8x_layer_output_slots(layer);
	x->slot = calloc((size_t)x->slots + 1, sizeof *x->slot);
	if (x->slot == NULL)
		return AI8X_ERR_NO_MEMORY;
	x->pixel_words = layer_pixel_words(layer);
	for (uint32_t s = 0; s < x->slots; s++) {
		ai8x_output_place place = ai8x_layer_place(layer, s, 0);
		x->slot[s] = (struct exact_slot){
			.word = place.word,
			.instance = (uint8_t)place.instance,
			.lane = (uint8_t)place.lane,
		};
		x->slot[s].group = (uint8_t)layer_write_group(layer, s);
		if (!channels) {
			const unsigned processor = layer_slot_processor(layer, s);
			x->slot[s].source = lane_of(x, processor);
			x->slot[s].time = (uint8_t)time_slot(layer, &x->slot[s], processor);
		}
	}
	// A word goes to memory when the next slot belongs to another one.
	for (uint32_t s = 0; s < x->slots; s++) {
		const struct exact_slot *slot = &x->slot[s], *next = slot + 1;
		x->slot[s].last = layer->output_bits == 32 || layer->write_mode == AI8X_WRITE_BROADCAST ||
		                  s + 1 == x->slots || next->instance != slot->instance || next->word != slot->word ||
		                  next->lane <= slot->lane;
	}
	return AI8X_OK;
}

EXACT_TELLS static void tell_write(struct exact_layer *x, const struct exact_slot *slot, uint32_t first_slot,
                                   uint32_t word, uint32_t mask, uint32_t value)
{
	uint8_t lanes = 0;
	for (unsigned lane = 0; lane < 4; lane++)
		lanes |= (uint8_t)((mask >> (8 * lane) & 1) << lane);
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
				.pixel = exact_output_pixel(x),
				.pass = first_slot,
			},
	};
	x->context->emit(x->context->user, &event);
}

static void store(struct exact_layer *x, const struct exact_slot *slot, uint32_t first_slot, uint32_t value,
                  uint32_t mask)
{
	const ai8x_layer *layer = &x->layer;
	uint32_t origin = layer->write_word[slot->group];
	uint32_t pixel = exact_output_pixel(x);
	uint32_t offset = slot->word - origin + pixel * x->pixel_words;
	if (x->output != NULL)
		stream_image_store(x->output, slot->instance, origin + offset, value, mask);
	const uint32_t at = (uint32_t)layer_ring_word((uint64_t)origin + offset, origin, x->write_ring);
	uint32_t *word = &x->context->data->word[slot->instance][at];
	*word = (*word & ~mask) | (value & mask);
	x->counters->words_written++;
	if (x->keeps_log)
		log_write(x, (struct exact_log_entry){at, value, mask, slot->instance});
	if (x->context->written != NULL)
		x->context->written(x->context->user, layer, slot->instance, at, *word);
	if (exact_wants(x, AI8X_EVENT_DATA_WRITE))
		tell_write(x, slot, first_slot, at, mask, *word);
}

void write_value(struct exact_layer *x, uint32_t s, int32_t value)
{
	const struct exact_slot *slot = &x->slot[s];
	if (x->capture != NULL) {
		size_t pixels = (size_t)x->layer.output_rows * x->layer.output_columns;
		x->capture[s * pixels + exact_output_pixel(x)] = value;
	}
	if (x->layer.output_bits == 32) {
		store(x, slot, s, (uint32_t)value, UINT32_MAX);
		return;
	}
	uint32_t *latch = &x->latch[slot->group], *mask = &x->latch_mask[slot->group];
	*latch |= ((uint32_t)value & 0xff) << (8 * slot->lane);
	*mask |= UINT32_C(0xff) << (8 * slot->lane);
	if (!slot->last)
		return;
	uint32_t first = s - (bits_count(*mask) / 8 - 1);
	// Broadcast writes are single bytes by nature; elsewhere a word is written as a whole, with
	// zeros in lanes that no slot fills (not decided by any known source, reference 4.9).
	bool whole = !x->context->keep_absent_lanes && x->layer.write_mode != AI8X_WRITE_BROADCAST;
	store(x, slot, first, *latch, whole ? UINT32_MAX : *mask);
	*latch = 0;
	*mask = 0;
}
