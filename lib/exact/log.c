// Writes of the last streaming layer, kept so that they outlast what other streaming layers write to the
// same words (see memory/stream.c).
#include "exact/exact.h"

#include <stdlib.h>

void log_write(struct exact_layer *x, struct exact_log_entry entry)
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

void exact_layer_replay(struct exact_layer *x)
{
	for (size_t i = 0; i < x->log_count; i++) {
		const struct exact_log_entry *entry = &x->log[i];
		uint32_t *word = &x->context->data->word[entry->instance][entry->word];
		*word = (*word & ~entry->mask) | (entry->value & entry->mask);
	}
}
