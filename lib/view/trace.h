// Traces: one observer, three writers.
#ifndef AI8X_VIEW_TRACE_H
#define AI8X_VIEW_TRACE_H

#include "view/words.h"

// What a writer needs to begin.
struct trace_head {
	FILE *file;
	const ai8x_part *part;
	const char *name;
	unsigned signals;
	uint32_t clock_hz;
};

// A writer. All state is in the structure that `create` makes, so memory does not grow with the trace.
struct trace_writer {
	void *(*create)(const struct trace_head *head);
	void (*event)(void *writer, const ai8x_event *event);
	void (*finish)(void *writer, uint64_t end_cycle);
};

extern const struct trace_writer trace_vcd, trace_events, trace_csv;

#endif
