// Traces as CSV: one line per event.
#include <stdlib.h>

#include "view/sink.h"
#include "view/trace.h"

struct csv {
	struct sink sink;
};

static void *csv_create(const struct trace_head *head)
{
	struct csv *csv = calloc(1, sizeof *csv);
	if (csv == NULL)
		return NULL;
	csv->sink.file = head->file;
	sink_text(&csv->sink, "cycle,event,layer,cycles,row,column,pass,slot,unit,word,value,detail\n");
	return csv;
}

static void put_head(struct sink *sink, const ai8x_event *event, const char *name)
{
	sink_room(sink);
	sink_number(sink, event->cycle);
	sink_char(sink, ',');
	sink_text(sink, name);
	sink_char(sink, ',');
	if (event->layer != NULL)
		sink_number(sink, event->layer->index);
}

static void put_next(struct sink *sink, uint64_t number)
{
	sink_char(sink, ',');
	sink_number(sink, number);
}

static void put_value(struct sink *sink, uint32_t value)
{
	sink_text(sink, ",0x");
	sink_hex(sink, value, 8);
}

static void put_state(struct sink *sink, const ai8x_event *event)
{
	put_head(sink, event, "state");
	put_next(sink, event->u.state.cycles);
	put_next(sink, event->u.state.row);
	put_next(sink, event->u.state.column);
	put_next(sink, event->u.state.pass);
	put_next(sink, event->u.state.slot);
	sink_text(sink, ",,,,");
	sink_text(sink, ai8x_state_name(event->u.state.state));
}

static void put_data(struct sink *sink, const ai8x_event *event, bool write)
{
	put_head(sink, event, write ? "write" : "read");
	sink_text(sink, ",,,");
	// Of a write, the event tells the slot in place of the pass.
	if (write)
		sink_char(sink, ',');
	put_next(sink, event->u.data.pass);
	if (!write)
		sink_char(sink, ',');
	put_next(sink, event->u.data.instance);
	put_next(sink, event->u.data.word);
	put_value(sink, event->u.data.value);
	sink_char(sink, ',');
}

static void put_tram(struct sink *sink, const ai8x_event *event)
{
	put_head(sink, event, "tram");
	sink_char(sink, ',');
	put_next(sink, event->u.tram.row);
	put_next(sink, event->u.tram.column);
	put_next(sink, event->u.tram.pass);
	sink_text(sink, ",,,,,");
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
		sink_hex(sink, (uint8_t)event->u.tram.values[p], 2);
}

static void put_output(struct sink *sink, const ai8x_event *event)
{
	put_head(sink, event, "output");
	sink_text(sink, ",,,,");
	put_next(sink, event->u.output.slot);
	sink_char(sink, ',');
	put_next(sink, event->u.output.pixel);
	sink_char(sink, ',');
	sink_signed(sink, event->u.output.value);
	sink_char(sink, ',');
	sink_signed(sink, event->u.output.accumulator);
}

static void put_fifo(struct sink *sink, const ai8x_event *event)
{
	put_head(sink, event, event->kind == AI8X_EVENT_FIFO_PUSH ? "push" : "pop");
	sink_text(sink, ",,,,,");
	put_next(sink, event->u.fifo.fifo);
	sink_char(sink, ',');
	put_value(sink, event->u.fifo.value);
	put_next(sink, event->u.fifo.level);
}

static void csv_event(void *writer, const ai8x_event *event)
{
	struct sink *sink = &((struct csv *)writer)->sink;
	switch (event->kind) {
	case AI8X_EVENT_STATE:
		put_state(sink, event);
		break;
	case AI8X_EVENT_LAYER_START:
	case AI8X_EVENT_LAYER_STOP:
		put_head(sink, event, event->kind == AI8X_EVENT_LAYER_START ? "layer-start" : "layer-stop");
		sink_text(sink, ",,,,,,,,,");
		break;
	case AI8X_EVENT_DATA_READ:
	case AI8X_EVENT_DATA_WRITE:
		put_data(sink, event, event->kind == AI8X_EVENT_DATA_WRITE);
		break;
	case AI8X_EVENT_TRAM_WRITE:
		put_tram(sink, event);
		break;
	case AI8X_EVENT_OUTPUT:
		put_output(sink, event);
		break;
	case AI8X_EVENT_FIFO_PUSH:
	case AI8X_EVENT_FIFO_POP:
		put_fifo(sink, event);
		break;
	default:
		return;
	}
	sink_char(sink, '\n');
}

static void csv_finish(void *writer, uint64_t end_cycle)
{
	(void)end_cycle;
	sink_flush(&((struct csv *)writer)->sink);
}

const struct trace_writer trace_csv = {csv_create, csv_event, csv_finish};
