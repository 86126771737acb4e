// The order of a run; see order.h.
#include "machine/order.h"

bool order_streams_into(const ai8x_layer *first, const ai8x_layer *second)
{
	return first->streaming && second->streaming && first->index + 1 == second->index;
}

ai8x_status order_start(struct order_start *start, uint32_t first, uint32_t last, order_decode_fn decode,
                        void *user, ai8x_error *error)
{
	*start = (struct order_start){0};
	for (unsigned i = 0; i < AI8X_MAX_STREAMS && (i == 0 || first + i <= last); i++) {
		const ai8x_layer *layer;
		ai8x_status status = decode(user, first + i, i, &layer, error);
		if (status != AI8X_OK)
			return status;
		// A layer after the streaming ones is only looked at.
		if (i > 0 && !layer->streaming)
			break;
		if (i > 0)
			start->write_ring[i - 1] = layer->ring_words;
		start->layer[start->count++] = layer;
		if (!layer->streaming)
			break;
	}
	return AI8X_OK;
}

uint64_t order_words_to_start(const ai8x_layer *layer)
{
	// In CHW the start count counts pixels, more than a ring of words holds.
	return layer->ring_words != 0 && layer->stream_start > layer->ring_words ? layer->ring_words
	                                                                         : layer->stream_start;
}

uint64_t order_words_needed(const ai8x_layer *layer, uint64_t pixels, bool begun, uint64_t frame)
{
	uint64_t words = 0;
	if (pixels > 0)
		words = layer->chw ? (pixels - 1) / 4 + 1
		                   : (pixels - 1) * layer->pixel_step + (uint64_t)layer->passes * layer->operands;
	const uint64_t start = order_words_to_start(layer);
	if (!begun && start > words)
		words = start;
	return words < frame ? words : frame;
}

uint64_t order_words_taken(const ai8x_layer *layer, uint64_t frame)
{
	const uint64_t start = order_words_to_start(layer), image = layer_read_words(layer);
	const uint64_t words = start > image ? start : image;
	return words < frame ? words : frame;
}

bool order_next(const struct order_step *step, bool take_link, uint32_t *next)
{
	if (step->stop || (!(step->link && take_link) && step->index == step->last))
		return false;
	*next = step->link && take_link ? step->next : step->index + 1;
	return true;
}
