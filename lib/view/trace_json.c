// Traces as trace events (JSON): opens in Perfetto. One track for the sequencer, one per layer that streams
// beside others, one per group and memory; FIFO levels are counters. Accesses close together are one slice, so
// that a track tells when a memory was busy, and the file stays small.
#include <stdlib.h>
#include <string.h>

#include "part/part.h"
#include "view/sink.h"
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
	struct sink sink;
	double picoseconds; // of a cycle
	bool comma;
	uint8_t layer_track[AI8X_MAX_LAYERS]; // of layers under way, else 0
	struct slice slice[TRACK_COUNT];
};

static void separate(struct events *events)
{
	sink_room(&events->sink);
	sink_text(&events->sink, events->comma ? ",\n" : "\n");
	events->comma = true;
}

static void put_track(struct events *events, unsigned track, const char *name, unsigned number, bool numbered)
{
	separate(events);
	sink_flush(&events->sink);
	FILE *file = events->sink.file;
	(void)fprintf(file, "{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_name\",\"args\":{\"name\":\"%s",
	              track, name);
	if (numbered)
		(void)fprintf(file, " %u", number);
	(void)fprintf(file,
	              "\"}},\n{\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"name\":\"thread_sort_index\",\"args\":{\"sort_"
	              "index\":%u}}",
	              track, track);
}

static void *events_create(const struct trace_head *head)
{
	struct events *events = calloc(1, sizeof *events);
	if (events == NULL)
		return NULL;
	events->sink.file = head->file;
	events->picoseconds = 1e12 / head->clock_hz;
	(void)fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":1,\"name\":\"process_"
	            "name\",\"args\":"
	            "{\"name\":",
	            head->file);
	words_json(head->name[0] != '\0' ? head->name : ai8x_part_get_info(head->part)->name, head->file);
	(void)fputs("}}", head->file);
	events->comma = true;
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

static void put_field(struct events *events, const char *name, uint64_t number)
{
	sink_text(&events->sink, name);
	sink_number(&events->sink, number);
}

static void put_time(struct events *events, const char *name, uint64_t cycles)
{
	sink_text(&events->sink, name);
	sink_microseconds(&events->sink, (uint64_t)((double)cycles * events->picoseconds + 0.5));
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
	put_field(events, "{\"ph\":\"X\",\"pid\":1,\"tid\":", track);
	sink_text(&events->sink, ",\"name\":\"");
	sink_text(&events->sink, slice_name(track, slice->key));
	put_time(events, "\",\"ts\":", slice->start);
	put_time(events, ",\"dur\":", slice->end - slice->start);
	put_field(events, ",\"args\":{\"cycle\":", slice->start);
	put_field(events, ",\"count\":", slice->accesses);
	sink_text(&events->sink, "}}");
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
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if (group_processors(event->layer->kernel_processors, g) != 0)
			extend(events, TRACK_GROUP + g, event->layer->index, cycle, cycles, JOIN_CYCLES);
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
	sink_text(&events->sink, start ? "{\"ph\":\"B\"" : "{\"ph\":\"E\"");
	put_field(events, ",\"pid\":1,\"tid\":", layer_track(event->layer));
	put_time(events, ",\"ts\":", event->cycle);
	if (start) {
		put_field(events, ",\"name\":\"layer ", index);
		sink_text(&events->sink, "\",\"args\":{\"operation\":\"");
		sink_text(&events->sink, ai8x_operation_name(event->layer->operation));
		put_field(events, "\",\"cycle\":", event->cycle);
		sink_char(&events->sink, '}');
	}
	sink_char(&events->sink, '}');
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
		put_field(events, "{\"ph\":\"C\",\"pid\":1,\"name\":\"FIFO ", event->u.fifo.fifo);
		put_time(events, "\",\"ts\":", event->cycle);
		put_field(events, ",\"args\":{\"words\":", event->u.fifo.level);
		sink_text(&events->sink, "}}");
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
		put_field(events, "{\"ph\":\"E\",\"pid\":1,\"tid\":", events->layer_track[i]);
		put_time(events, ",\"ts\":", end_cycle);
		sink_char(&events->sink, '}');
	}
	sink_room(&events->sink);
	sink_text(&events->sink, "\n]}\n");
	sink_flush(&events->sink);
}

const struct trace_writer trace_events = {events_create, events_event, events_finish};
