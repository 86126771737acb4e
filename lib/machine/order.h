// The order of a run: which layers start together, when input suffices, what comes next (hardware reference 3.2, 5.2).
// The machine, the schedule in closed form, and the check follow it; each brings its own way to carry it out.
#ifndef AI8X_MACHINE_ORDER_H
#define AI8X_MACHINE_ORDER_H

#include "layer/geometry.h"

// Layers that start together: one, or all that stream into each other.
struct order_start {
	const ai8x_layer *layer[AI8X_MAX_STREAMS];
	uint32_t write_ring[AI8X_MAX_STREAMS]; // ring that wraps the output of each; 0: none
	unsigned count;
};

// Decodes layer `index`, which would start as number `position` of those that start together; it stays valid as
// long as the order is used.
typedef ai8x_status (*order_decode_fn)(void *user, uint32_t index, unsigned position,
                                       const ai8x_layer **layer, ai8x_error *error);

// What starts when layer `first` is next in a run that ends with layer `last`.
ai8x_status order_start(struct order_start *start, uint32_t first, uint32_t last, order_decode_fn decode,
                        void *user, ai8x_error *error);

// True when `second` reads the ring that `first` writes while both run.
bool order_streams_into(const ai8x_layer *first, const ai8x_layer *second);

// FIFO words that must have arrived before a FIFO-fed layer starts.
uint64_t order_words_to_start(const ai8x_layer *layer);

// FIFO words, of `frame` at the most, that a FIFO-fed layer needs to read its first `pixels` input pixels; one that
// has not begun needs its start count as well.
uint64_t order_words_needed(const ai8x_layer *layer, uint64_t pixels, bool begun, uint64_t frame);

// FIFO words that a FIFO-fed layer takes from its start to its last pixel.
uint64_t order_words_taken(const ai8x_layer *layer, uint64_t frame);

// What registers say about the end of a layer.
struct order_step {
	uint32_t index, last; // the layer, and the one that ends the run (LCNT_MAX)
	bool stop, link;      // NXTLYR
	uint32_t next;
};

static inline struct order_step order_step_of(const ai8x_layer *layer, uint32_t last)
{
	return (struct order_step){layer->index, last, layer->stop, layer->link, layer->next};
}

// The layer that follows, with or without a link being taken. False: the run is over.
bool order_next(const struct order_step *step, bool take_link, uint32_t *next);

#endif
