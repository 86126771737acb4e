// Traces as CSV: one line per event.
#include <inttypes.h>
#include <stdlib.h>

#include "view/trace.h"

struct csv {
	FILE *file;
};

static void *csv_create(const struct trace_head *head)
{
	struct csv *csv = calloc(1, sizeof *csv);
	if (csv == NULL)
		return NULL;
	csv->file = head->file;
	(void)fputs("cycle,event,layer,cycles,row,column,pass,slot,unit,word,value,detail\n", head->file);
	return csv;
}

static void put_head(const struct csv *csv, const ai8x_event *event, const char *name)
{
	(void)fprintf(csv->file, "%" PRIu64 ",%s,", event->cycle, name);
	if (event->layer != NULL)
		(void)fprintf(csv->file, "%" PRIu32, event->layer->index);
}

static void put_data(const struct csv *csv, const ai8x_event *event, bool write)
{
	put_head(csv, event, write ? "write" : "read");
	(void)fprintf(csv->file, ",,,,%" PRIu32 ",,%u,%" PRIu32 ",0x%08" PRIx32 ",\n", event->u.data.pass,
	              event->u.data.instance, event->u.data.word, event->u.data.value);
}

static void csv_event(void *writer, const ai8x_event *event)
{
	const struct csv *csv = writer;
	switch (event->kind) {
	case AI8X_EVENT_STATE:
		put_head(csv, event, "state");
		(void)fprintf(csv->file, ",%" PRIu64 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",,,,%s\n",
		              event->u.state.cycles, event->u.state.row, event->u.state.column, event->u.state.pass,
		              event->u.state.slot, ai8x_state_name(event->u.state.state));
		break;
	case AI8X_EVENT_LAYER_START:
		put_head(csv, event, "layer-start");
		(void)fputs(",,,,,,,,,\n", csv->file);
		break;
	case AI8X_EVENT_LAYER_STOP:
		put_head(csv, event, "layer-stop");
		(void)fputs(",,,,,,,,,\n", csv->file);
		break;
	case AI8X_EVENT_DATA_READ:
		put_data(csv, event, false);
		break;
	case AI8X_EVENT_DATA_WRITE:
		put_data(csv, event, true);
		break;
	case AI8X_EVENT_TRAM_WRITE:
		put_head(csv, event, "tram");
		(void)fprintf(csv->file, ",,%" PRIu32 ",%" PRIu32 ",%" PRIu32 ",,,,,", event->u.tram.row,
		              event->u.tram.column, event->u.tram.pass);
		for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
			(void)fprintf(csv->file, "%02x", (uint8_t)event->u.tram.values[p]);
		(void)fputc('\n', csv->file);
		break;
	case AI8X_EVENT_OUTPUT:
		put_head(csv, event, "output");
		(void)fprintf(csv->file, ",,,,,%" PRIu32 ",,%" PRIu32 ",%" PRId32 ",%" PRId64 "\n",
		              event->u.output.slot, event->u.output.pixel, event->u.output.value,
		              event->u.output.accumulator);
		break;
	case AI8X_EVENT_FIFO_PUSH:
	case AI8X_EVENT_FIFO_POP:
		put_head(csv, event, event->kind == AI8X_EVENT_FIFO_PUSH ? "push" : "pop");
		(void)fprintf(csv->file, ",,,,,,%u,,0x%08" PRIx32 ",%" PRIu32 "\n", event->u.fifo.fifo,
		              event->u.fifo.value, event->u.fifo.level);
		break;
	default:
		break;
	}
}

static void csv_finish(void *writer, uint64_t end_cycle)
{
	(void)writer;
	(void)end_cycle;
}

const struct trace_writer trace_csv = {csv_create, csv_event, csv_finish};
