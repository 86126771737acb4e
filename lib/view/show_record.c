// Recording a run: segments of the sequencer in a first run, events of chosen windows in a second.
#include "view/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

// --- Segments ------------------------------------------------------------------------------------------

static void close_segment(struct show_record *record)
{
	if (record->failed || record->pattern.size == 0)
		return;
	record->segment[record->segment_count - 1].pattern =
		show_table_find(&record->patterns, record->pattern.data, record->pattern.size, NULL);
	record->pattern.size = 0;
}

static void open_segment(struct show_record *record, const ai8x_event *event, int32_t layer)
{
	close_segment(record);
	record->too_long |= record->segment_count == SHOW_MAX_SEGMENTS;
	if (record->too_long || !array_reserve(&record->segment, &record->segment_capacity,
	                                       record->segment_count + 1, sizeof *record->segment)) {
		record->failed = true;
		return;
	}
	record->segment[record->segment_count++] = (struct show_segment){
		.cycle = event->cycle,
		.row = event->u.state.row,
		.column = event->u.state.column,
		.layer = layer,
	};
}

static bool same_segment(const struct show_record *record, const ai8x_event *event, int32_t layer)
{
	if (record->segment_count == 0)
		return false;
	const struct show_segment *segment = &record->segment[record->segment_count - 1];
	return segment->layer == layer && segment->row == event->u.state.row &&
	       segment->column == event->u.state.column && record->segment_end == event->cycle;
}

static void take_state(struct show_record *record, const ai8x_event *event)
{
	const int32_t layer = event->layer != NULL ? record->position[event->layer->index] : -1;
	// Waits are segments of their own: else each length of a wait would make a new pattern of its pixel.
	const bool wait = event->u.state.state == AI8X_STATE_STALL;
	if (wait || !same_segment(record, event, layer))
		open_segment(record, event, layer);
	show_put_number(&record->pattern, event->u.state.state);
	show_put_number(&record->pattern, event->u.state.pass);
	show_put_number(&record->pattern, event->u.state.slot);
	show_put_number(&record->pattern, event->u.state.cycles);
	record->segment_end = wait ? UINT64_MAX : event->cycle + event->u.state.cycles;
	record->cycles = event->cycle + event->u.state.cycles;
}

void show_record_sequence(void *user, const ai8x_event *event)
{
	struct show_record *record = user;
	if (record->failed)
		return;
	if (event->kind == AI8X_EVENT_LAYER_START)
		record->position[event->layer->index] = record->started++;
	else if (event->kind == AI8X_EVENT_STATE)
		take_state(record, event);
}

void show_record_end_sequence(struct show_record *record)
{
	close_segment(record);
}

// --- Events of windows ---------------------------------------------------------------------------------

// Kinds in the page's stream of events; web/data.js reads them.
enum packed_kind {
	PACKED_CYCLE,
	PACKED_READ,
	PACKED_WRITE,
	PACKED_KERNEL,
	PACKED_BIAS,
	PACKED_TRAM,
	PACKED_SUMS,
	PACKED_OUTPUT,
	PACKED_PUSH,
	PACKED_POP,
	PACKED_INPUT,
};

// Bytes of values that an event brings which do not compress: what quotas count.
enum {
	COST_CYCLE = 1,
	COST_WORD = 5,
	COST_SUMS = 6,
	COST_OUTPUT = 5,
	COST_OTHER = 2,
};

static void take_word(struct show_record *record, enum packed_kind kind, const ai8x_event *event)
{
	struct show_bytes *to = &record->events;
	show_put_byte(to, kind);
	show_put_byte(to, event->u.data.instance);
	show_put_byte(to, event->u.data.lanes);
	show_put_number(to, event->u.data.word);
	show_put_word(to, event->u.data.value);
	show_put_number(to, event->u.data.pixel);
	show_put_number(to, event->u.data.pass);
	show_put_number(to, event->u.data.operand);
	record->used += COST_WORD;
}

static uint32_t take_operand(struct show_record *record, const int8_t *values, uint32_t taps)
{
	bool added = false;
	const size_t size = (size_t)taps * AI8X_PROCESSORS;
	uint32_t index = show_table_find(&record->operands, values, size, &added);
	for (size_t i = 0; added && i < size; i++)
		record->used += values[i] != 0;
	return index;
}

static void take_kernel(struct show_record *record, const ai8x_event *event)
{
	struct show_bytes *to = &record->events;
	show_put_byte(to, PACKED_KERNEL);
	show_put_number(to, event->u.kernel.slot);
	show_put_number(to, event->u.kernel.pass);
	show_put_number(to, take_operand(record, event->u.kernel.window, event->u.kernel.taps));
	show_put_number(to, take_operand(record, event->u.kernel.weights, event->u.kernel.taps));
	record->used += COST_OTHER;
}

static void take_bias(struct show_record *record, const ai8x_event *event)
{
	struct show_bytes *to = &record->events;
	show_put_byte(to, PACKED_BIAS);
	show_put_number(to, event->u.bias.slot);
	show_put_byte(to, event->u.bias.group);
	show_put_number(to, event->u.bias.entry);
	show_put_byte(to, (uint8_t)event->u.bias.value);
	record->used += COST_OTHER;
}

static void take_pixel(struct show_record *record, const ai8x_event *event)
{
	struct show_bytes *to = &record->events;
	show_put_byte(to, PACKED_TRAM);
	show_put_number(to, event->u.tram.row);
	show_put_number(to, event->u.tram.column);
	show_put_number(to, event->u.tram.pass);
	show_put(to, event->u.tram.values, AI8X_PROCESSORS);
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
		record->used += event->u.tram.values[p] != 0;
}

static void take_sums(struct show_record *record, const ai8x_event *event)
{
	struct show_bytes *to = &record->events;
	show_put_byte(to, PACKED_SUMS);
	show_put_number(to, event->u.sums.slot);
	show_put_number(to, event->u.sums.pass);
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		show_put_signed(to, event->u.sums.group[g]);
	record->used += COST_SUMS;
}

static void take_output(struct show_record *record, const ai8x_event *event)
{
	struct show_bytes *to = &record->events;
	show_put_byte(to, PACKED_OUTPUT);
	show_put_number(to, event->u.output.slot);
	show_put_number(to, event->u.output.pixel);
	show_put_signed(to, event->u.output.accumulator);
	show_put_signed(to, event->u.output.value);
	show_put_byte(to, event->u.output.clipped);
	record->used += COST_OUTPUT;
}

static void take_fifo(struct show_record *record, enum packed_kind kind, const ai8x_event *event)
{
	struct show_bytes *to = &record->events;
	show_put_byte(to, kind);
	show_put_byte(to, event->u.fifo.fifo);
	show_put_word(to, event->u.fifo.value);
	show_put_number(to, event->u.fifo.level);
	record->used += COST_WORD;
}

static void take_detail(struct show_record *record, const ai8x_event *event)
{
	switch ((unsigned)event->kind) {
	case AI8X_EVENT_DATA_READ:
		take_word(record, PACKED_READ, event);
		break;
	case AI8X_EVENT_DATA_WRITE:
		// Words that come out of a FIFO belong to no layer.
		take_word(record, event->layer != NULL ? PACKED_WRITE : PACKED_INPUT, event);
		break;
	case AI8X_EVENT_KERNEL_READ:
		take_kernel(record, event);
		break;
	case AI8X_EVENT_BIAS_READ:
		take_bias(record, event);
		break;
	case AI8X_EVENT_TRAM_WRITE:
		take_pixel(record, event);
		break;
	case AI8X_EVENT_ACCUMULATE:
		take_sums(record, event);
		break;
	case AI8X_EVENT_OUTPUT:
		take_output(record, event);
		break;
	case AI8X_EVENT_FIFO_PUSH:
		take_fifo(record, PACKED_PUSH, event);
		break;
	case AI8X_EVENT_FIFO_POP:
		take_fifo(record, PACKED_POP, event);
		break;
	default:
		break;
	}
}

static void close_window(struct show_record *record, uint64_t cycle)
{
	if (!record->open)
		return;
	record->window[record->window_count - 1].to = cycle;
	record->open = false;
	record->quota = record->quota > record->used ? record->quota - record->used : 0;
	record->used = 0;
}

static void open_window(struct show_record *record, uint64_t cycle)
{
	if (!array_reserve(&record->window, &record->window_capacity, record->window_count + 1,
	                   sizeof *record->window)) {
		record->failed = true;
		return;
	}
	record->window[record->window_count++] =
		(struct show_window){.from = cycle, .to = cycle, .first = record->events.size};
	record->open = true;
	record->open_cycle = cycle;
	show_put_byte(&record->events, PACKED_CYCLE);
	show_put_number(&record->events, 0);
}

// A new cycle begins: windows open and close between cycles only, so that what they hold is whole.
static void begin_cycle(struct show_record *record, uint64_t cycle)
{
	uint64_t to = 0;
	while (record->request_next < record->request_count &&
	       record->request[record->request_next].from <= cycle)
		record->quota += record->request[record->request_next++].quota;
	if (record->request_next > 0)
		to = record->request[record->request_next - 1].to;
	const bool wanted = cycle < to && record->used < record->quota;
	if (record->open && !wanted) {
		close_window(record, cycle);
	} else if (record->open) {
		show_put_byte(&record->events, PACKED_CYCLE);
		show_put_number(&record->events, cycle - record->open_cycle);
		record->open_cycle = cycle;
		record->used += COST_CYCLE;
	} else if (wanted) {
		open_window(record, cycle);
	}
}

void show_record_detail(void *user, const ai8x_event *event)
{
	struct show_record *record = user;
	if (record->failed)
		return;
	if (!record->begun || event->cycle != record->current)
		begin_cycle(record, event->cycle);
	record->begun = true;
	record->current = event->cycle;
	if (record->open)
		take_detail(record, event);
}

void show_record_end_detail(struct show_record *record)
{
	close_window(record, record->cycles);
}

void show_record_release(struct show_record *record)
{
	free(record->segment);
	free(record->window);
	free(record->events.data);
	free(record->pattern.data);
	free(record->request);
	show_table_release(&record->patterns);
	show_table_release(&record->operands);
}
