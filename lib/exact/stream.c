// What streaming layers hand to each other (hardware reference 5.2).
//
// Streaming layers exchange pixels through rings in data memory. All recorded programs, also those whose
// rings and outputs overlap in memory, have the results of layers that run one after the other on unbounded
// buffers (golden programs stream-cifar-*, fifostream-pool-stride-hwc-tall-nostream). So a streaming
// layer reads from an unwrapped image of its input beside data memory; the rings are written as well; and
// what the last streaming layer wrote is what remains.
#include "exact/exact.h"

#include <stdlib.h>
#include <string.h>

ai8x_status stream_prepare_input(struct exact_layer *x, uint32_t instances)
{
	const ai8x_layer *layer = &x->layer;
	uint64_t words = layer_read_words(layer);
	// The coordinates of both parts are at most 11 bits; anything larger could not be addressed.
	if (words > UINT32_C(1) << 26)
		return AI8X_ERR_NO_MEMORY;
	x->image_words = (uint32_t)words;
	for (unsigned k = 0; k < x->instances; k++) {
		unsigned i = x->instance[k];
		if ((instances >> i & 1) == 0)
			continue;
		uint32_t *image = malloc((words + 1) * sizeof *image);
		if (image == NULL)
			return AI8X_ERR_NO_MEMORY;
		x->image[i] = image;
		// Words that nobody streams in keep what data memory holds.
		const uint32_t *memory = x->context->data->word[i];
		uint32_t size = x->context->data->words, base = x->base[k];
		uint32_t ring = layer->ring_words != 0 ? layer->ring_words : x->image_words;
		for (uint32_t w = 0; w < x->image_words; w++) {
			uint32_t word = base + w % ring;
			image[w] = word < size ? memory[word] : 0;
		}
	}
	return AI8X_OK;
}

void stream_pass_on(struct exact_layer *x, unsigned instance, uint32_t word, uint32_t value, uint32_t mask)
{
	struct exact_layer *consumer = x->consumer;
	uint32_t base = consumer->layer.read_base[instance / (AI8X_INSTANCES / AI8X_GROUPS)];
	if (consumer->image[instance] == NULL || word < base || word - base >= consumer->image_words)
		return;
	uint32_t *to = &consumer->image[instance][word - base];
	*to = (*to & ~mask) | (value & mask);
}

void stream_log(struct exact_layer *x, struct exact_log_entry entry)
{
	if (x->log_count == x->log_capacity) {
		size_t capacity = x->log_capacity == 0 ? 1024 : 2 * x->log_capacity;
		struct exact_log_entry *log = realloc(x->log, capacity * sizeof *log);
		// Without memory the log ends here: writes made so far are in data memory anyway.
		if (log == NULL)
			return;
		x->log = log;
		x->log_capacity = capacity;
	}
	x->log[x->log_count++] = entry;
}

void stream_replay(struct exact_layer *x)
{
	for (size_t i = 0; i < x->log_count; i++) {
		const struct exact_log_entry *entry = &x->log[i];
		uint32_t *word = &x->context->data->word[entry->instance][entry->word];
		*word = (*word & ~entry->mask) | (entry->value & entry->mask);
	}
}
