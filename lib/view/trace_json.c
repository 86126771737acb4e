// Traces as trace events (JSON): opens in Perfetto. One track for the sequencer, one per layer that streams
// beside others, one per group and memory; FIFO levels are counters. Accesses close together are one slice, so
// that a track tells when a memory was busy, and the file stays small.
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "view/trace.h"

#define JOIN_CYCLES 16 // accesses at most this far apart are one slice

enum {
	TRACK_STATE = 1,
	TRACK_LAYER, // streaming layers side by side, all others on the first
	TRACK_GROUP = TRACK_LAYER + AI8X_MAX_STREAMS,
	TRACK_READ = TRACK_GROUP + AI8X_GROUPS,
	TRACK_WRITE = TRACK_READ + AI8X_INSTANCES,
	TRACK_TRAM = TRACK_WRITE + AI8X_INSTANCES,
	TRACK_COUNT
};

struct slice {
	bool open;
	uint64_t start, end, accesses;
	unsigned key; // what is going on; another one begins a new slice
};

struct events {
	FILE *file;
	double microseconds; // of a cycle
	bool comma;
	uint8_t layer_track[AI8X_MAX_LAYERS]; // of layers under way, else 0
	struct slice slice[TRACK_COUNT];
};

static void separate(struct events *events)
{
	(void)fputs(events->comma ? ",\n" : "\n", events->file);
	events->comma = true;
}

static void put_track(struct events *events, unsigned track, const char *name, unsigned number, bool numbered)
{
	separate(events);
	(void)fprintf(events->file,
	              "{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_name\",\"args\":{\"name\":\"%s",
	              track, name);
	if (numbered)
		(void)fprintf(events->file, " %u", number);
	(void)fputs("\"}}", events->file);
	separate(events);
	(void)fprintf(
		events->file,
		"{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}}",
		track, track);
}

static void *events_create(const struct trace_head *head)
{
	struct events *events = calloc(1, sizeof *events);
	if (events == NULL)
		return NULL;
	events->file = head->file;
	events->microseconds = 1e6 / head->clock_hz;
	(void)fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", head->file);
	separate(events);
	(void)fputs("{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":", head->file);
	words_json(head->name[0] != '\0' ? head->name : ai8x_part_get_info(head->part)->name, head->file);
	(void)fputs("}}", head->file);
	if (head->signals & AI8X_TRACE_SEQUENCER) {
		put_track(events, TRACK_STATE, "sequencer", 0, false);
		for (unsigned i = 0; i < AI8X_MAX_STREAMS; i++)
			put_track(events, TRACK_LAYER + i, "layers", i, true);
		for (unsigned i = 0; i < AI8X_GROUPS; i++)
			put_track(events, TRACK_GROUP + i, "group", i, true);
	}
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		if (head->signals & AI8X_TRACE_READS)
			put_track(events, TRACK_READ + i, "data memory reads", i, true);
		if (head->signals & AI8X_TRACE_WRITES)
			put_track(events, TRACK_WRITE + i, "data memory writes", i, true);
	}
	if (head->signals & AI8X_TRACE_TRAM)
		put_track(events, TRACK_TRAM, "line buffer", 0, false);
	return events;
}

static void put_times(const struct events *events, uint64_t start, uint64_t end)
{
	(void)fprintf(events->file, "\"ts\":%.4f,\"dur\":%.4f", (double)start * events->microseconds,
	              (double)(end - start) * events->microseconds);
}

static const char *slice_name(unsigned track, unsigned key)
{
	if (track == TRACK_STATE)
		return ai8x_state_name((ai8x_state)key);
	if (track >= TRACK_GROUP && track < TRACK_READ)
		return "multiply";
	return track == TRACK_TRAM ? "fill" : track < TRACK_WRITE ? "read" : "write";
}

static void close_slice(struct events *events, unsigned track)
{
	struct slice *slice = &events->slice[track];
	if (!slice->open)
		return;
	slice->open = false;
	separate(events);
	(void)fprintf(events->file, "{\"ph\":\"X\",\"pid\":1,\"tid\":%u,\"name\":\"%s\",", track,
	              slice_name(track, slice->key));
	put_times(events, slice->start, slice->end);
	(void)fprintf(events->file, ",\"args\":{\"cycle\":%" PRIu64 ",\"count\":%" PRIu64 "}}", slice->start,
	              slice->accesses);
}

static void extend(struct events *events, unsigned track, unsigned key, uint64_t cycle, uint64_t cycles,
                   uint64_t join)
{
	struct slice *slice = &events->slice[track];
	if (slice->open && (slice->key != key || cycle > slice->end + join))
		close_slice(events, track);
	if (!slice->open)
		*slice = (struct slice){.open = true, .start = cycle, .end = cycle, .key = key};
	slice->end = cycle + cycles > slice->end ? cycle + cycles : slice->end;
	slice->accesses++;
}

static void note_state(struct events *events, const ai8x_event *event)
{
	const uint64_t cycle = event->cycle, cycles = event->u.state.cycles;
	extend(events, TRACK_STATE, event->u.state.state, cycle, cycles, 0);
	if (event->u.state.state != AI8X_STATE_OUTPUT || event->layer == NULL)
		return;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((event->layer->kernel_processors >> (g * AI8X_PROCESSORS / AI8X_GROUPS) & 0xffff) != 0)
			extend(events, TRACK_GROUP + g, event->layer->index, cycle, cycles, JOIN_CYCLES);
	}
}

static unsigned layer_track(const ai8x_layer *layer)
{
	return TRACK_LAYER + (layer->streaming ? layer->index % AI8X_MAX_STREAMS : 0);
}

static void put_layer(struct events *events, const ai8x_event *event, bool start)
{
	const uint32_t index = event->layer->index;
	if (start == (events->layer_track[index] != 0))
		return;
	events->layer_track[index] = (uint8_t)(start ? layer_track(event->layer) : 0);
	separate(events);
	(void)fprintf(events->file, "{\"ph\":\"%c\",\"pid\":1,\"tid\":%u,\"ts\":%.4f", start ? 'B' : 'E',
	              layer_track(event->layer), (double)event->cycle * events->microseconds);
	if (start)
		(void)fprintf(events->file,
		              ",\"name\":\"layer %u\",\"args\":{\"operation\":\"%s\",\"cycle\":%" PRIu64 "}", index,
		              ai8x_operation_name(event->layer->operation), event->cycle);
	(void)fputc('}', events->file);
}

static void events_event(void *writer, const ai8x_event *event)
{
	struct events *events = writer;
	switch (event->kind) {
	case AI8X_EVENT_LAYER_START:
	case AI8X_EVENT_LAYER_STOP:
		put_layer(events, event, event->kind == AI8X_EVENT_LAYER_START);
		break;
	case AI8X_EVENT_STATE:
		note_state(events, event);
		break;
	case AI8X_EVENT_DATA_READ:
		extend(events, TRACK_READ + event->u.data.instance, 0, event->cycle, 1, JOIN_CYCLES);
		break;
	case AI8X_EVENT_DATA_WRITE:
		extend(events, TRACK_WRITE + event->u.data.instance, 0, event->cycle, 1, JOIN_CYCLES);
		break;
	case AI8X_EVENT_TRAM_WRITE:
		extend(events, TRACK_TRAM, 0, event->cycle, 1, JOIN_CYCLES);
		break;
	case AI8X_EVENT_FIFO_PUSH:
	case AI8X_EVENT_FIFO_POP:
		separate(events);
		(void)fprintf(events->file,
		              "{\"ph\":\"C\",\"pid\":1,\"name\":\"FIFO %u\",\"ts\":%.4f,\"args\":{\"words\":%" PRIu32
		              "}}",
		              event->u.fifo.fifo, (double)event->cycle * events->microseconds, event->u.fifo.level);
		break;
	default:
		break;
	}
}

static void events_finish(void *writer, uint64_t end_cycle)
{
	struct events *events = writer;
	for (unsigned track = 0; track < TRACK_COUNT; track++)
		close_slice(events, track);
	for (unsigned i = 0; i < AI8X_MAX_LAYERS; i++) {
		if (events->layer_track[i] == 0)
			continue;
		separate(events);
		(void)fprintf(events->file, "{\"ph\":\"E\",\"pid\":1,\"tid\":%u,\"ts\":%.4f}", events->layer_track[i],
		              (double)end_cycle * events->microseconds);
	}
	(void)fputs("\n]}\n", events->file);
}

const struct trace_writer trace_events = {events_create, events_event, events_finish};
