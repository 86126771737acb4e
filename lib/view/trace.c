// Traces: picks the events that were asked for and hands them to a writer.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "view/trace.h"

struct ai8x_trace {
	const struct trace_writer *writer;
	void *state;
	FILE *file;
	ai8x_trace_options options;
	uint64_t end_cycle, events;
};

static const struct {
	const char *name;
	unsigned bit;
	uint32_t kinds;
} signals[] = {
	{"sequencer", AI8X_TRACE_SEQUENCER, AI8X_EVENT_STATE | AI8X_EVENT_LAYER_START | AI8X_EVENT_LAYER_STOP},
	{"reads", AI8X_TRACE_READS, AI8X_EVENT_DATA_READ},
	{"writes", AI8X_TRACE_WRITES, AI8X_EVENT_DATA_WRITE},
	{"tram", AI8X_TRACE_TRAM, AI8X_EVENT_TRAM_WRITE},
	{"output", AI8X_TRACE_OUTPUT, AI8X_EVENT_OUTPUT},
	{"fifo", AI8X_TRACE_FIFO, AI8X_EVENT_FIFO_PUSH | AI8X_EVENT_FIFO_POP},
	{"groups", AI8X_TRACE_GROUPS, AI8X_EVENT_ACCUMULATE},
	{"all", AI8X_TRACE_ALL, 0},
};

static const struct trace_writer *const writers[] = {
	[AI8X_TRACE_VCD] = &trace_vcd,
	[AI8X_TRACE_EVENTS] = &trace_events,
	[AI8X_TRACE_CSV] = &trace_csv,
};

unsigned ai8x_trace_signal_find(const char *name)
{
	for (size_t i = 0; name != NULL && i < sizeof signals / sizeof signals[0]; i++)
		if (strcmp(signals[i].name, name) == 0)
			return signals[i].bit;
	return 0;
}

ai8x_status ai8x_trace_create(const ai8x_part *part, const ai8x_trace_options *options, FILE *file,
                              ai8x_trace **out, ai8x_error *error)
{
	if (out != NULL)
		*out = NULL;
	if (error_if_null(error, part, options, file, out))
		return AI8X_ERR_ARGUMENT;
	if ((size_t)options->format >= sizeof writers / sizeof writers[0])
		return error_set(error, AI8X_ERR_ARGUMENT, "there is no trace format %d", (int)options->format);
	ai8x_trace *trace = calloc(1, sizeof *trace);
	if (trace == NULL)
		return error_no_memory(error, "a trace");
	trace->options = *options;
	trace->file = file;
	trace->writer = writers[options->format];
	if (trace->options.signals == 0)
		trace->options.signals = AI8X_TRACE_USUAL;
	if (trace->options.to_cycle == 0)
		trace->options.to_cycle = UINT64_MAX;
	struct trace_head head = {
		.file = file,
		.part = part,
		.name = options->name != NULL ? options->name : "",
		.signals = trace->options.signals,
		.clock_hz = options->clock_hz != 0 ? options->clock_hz : ai8x_part_get_info(part)->clock_hz,
	};
	trace->state = trace->writer->create(&head);
	if (trace->state == NULL) {
		free(trace);
		return error_no_memory(error, "a trace");
	}
	*out = trace;
	return AI8X_OK;
}

uint32_t ai8x_trace_kinds(const ai8x_trace *trace)
{
	if (trace == NULL)
		return 0;
	uint32_t kinds = AI8X_EVENT_RUN_STOP;
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		kinds |= trace->options.signals & signals[i].bit ? signals[i].kinds : 0;
	return kinds;
}

static bool is_wanted(const ai8x_trace_options *options, const ai8x_event *event)
{
	if (event->cycle < options->from_cycle || event->cycle >= options->to_cycle)
		return false;
	if (event->layer == NULL)
		return options->from_layer < 0 && options->to_layer < 0;
	return (options->from_layer < 0 || event->layer->index >= (uint32_t)options->from_layer) &&
	       (options->to_layer < 0 || event->layer->index <= (uint32_t)options->to_layer);
}

void ai8x_trace_event(void *user, const ai8x_event *event)
{
	ai8x_trace *trace = user;
	if (trace == NULL || event == NULL)
		return;
	if (!is_wanted(&trace->options, event))
		return;
	const bool stop = event->kind == AI8X_EVENT_LAYER_STOP || event->kind == AI8X_EVENT_RUN_STOP;
	uint64_t end = event->cycle + (event->kind == AI8X_EVENT_STATE ? event->u.state.cycles : !stop);
	trace->end_cycle = end > trace->end_cycle ? end : trace->end_cycle;
	if (event->kind == AI8X_EVENT_RUN_STOP)
		return;
	trace->events++;
	trace->writer->event(trace->state, event);
}

uint64_t ai8x_trace_events(const ai8x_trace *trace)
{
	if (trace == NULL)
		return 0;
	return trace->events;
}

ai8x_status ai8x_trace_finish(ai8x_trace *trace, ai8x_error *error)
{
	if (trace == NULL)
		return error_null(error, "trace");
	trace->writer->finish(trace->state, trace->end_cycle);
	bool failed = fflush(trace->file) != 0 || ferror(trace->file) != 0;
	free(trace->state);
	free(trace);
	if (failed)
		return error_set(error, AI8X_ERR_IO, "the trace could not be written: %s", strerror(errno));
	return AI8X_OK;
}
