// Traces as value change dumps (IEEE 1364): opens in GTKWave.
//
// Values hold until they change; `reads`, `writes` and `tram_write` are up for the cycles in which something
// happens. state_text holds the state's name as ASCII (GTKWave: Data Format, ASCII).
#include <stdlib.h>
#include <string.h>

#include "view/sink.h"
#include "view/trace.h"

#define FIFOS 5
#define TRAM_SIGNALS 8 // eight processors each
#define ID_BYTES 4

enum {
	SIGNAL_STATE,
	SIGNAL_STATE_TEXT,
	SIGNAL_LAYER,
	SIGNAL_PASS,
	SIGNAL_ROW,
	SIGNAL_COLUMN,
	SIGNAL_SLOT,
	SIGNAL_READS,
	SIGNAL_READ_WORD,
	SIGNAL_READ_VALUE = SIGNAL_READ_WORD + AI8X_INSTANCES,
	SIGNAL_WRITES = SIGNAL_READ_VALUE + AI8X_INSTANCES,
	SIGNAL_WRITE_WORD,
	SIGNAL_WRITE_VALUE = SIGNAL_WRITE_WORD + AI8X_INSTANCES,
	SIGNAL_TRAM_WRITE = SIGNAL_WRITE_VALUE + AI8X_INSTANCES,
	SIGNAL_TRAM_ROW,
	SIGNAL_TRAM_COLUMN,
	SIGNAL_TRAM_PASS,
	SIGNAL_TRAM_VALUE,
	SIGNAL_OUTPUT_SLOT = SIGNAL_TRAM_VALUE + TRAM_SIGNALS,
	SIGNAL_OUTPUT_PIXEL,
	SIGNAL_ACCUMULATOR,
	SIGNAL_OUTPUT_VALUE,
	SIGNAL_FIFO,
	SIGNAL_GROUP = SIGNAL_FIFO + FIFOS,
	SIGNAL_COUNT = SIGNAL_GROUP + AI8X_GROUPS
};

// Rows of signals; those with count > 1 are numbered.
static const struct {
	unsigned first, count, width, group;
	const char *scope, *name;
} rows[] = {
	{SIGNAL_STATE, 1, 4, AI8X_TRACE_SEQUENCER, "sequencer", "state"},
	{SIGNAL_STATE_TEXT, 1, 64, AI8X_TRACE_SEQUENCER, "sequencer", "state_text"},
	{SIGNAL_LAYER, 1, 8, AI8X_TRACE_SEQUENCER, "sequencer", "layer"},
	{SIGNAL_PASS, 1, 16, AI8X_TRACE_SEQUENCER, "sequencer", "pass"},
	{SIGNAL_ROW, 1, 16, AI8X_TRACE_SEQUENCER, "sequencer", "row"},
	{SIGNAL_COLUMN, 1, 16, AI8X_TRACE_SEQUENCER, "sequencer", "column"},
	{SIGNAL_SLOT, 1, 16, AI8X_TRACE_SEQUENCER, "sequencer", "slot"},
	{SIGNAL_READS, 1, AI8X_INSTANCES, AI8X_TRACE_READS, "read_pointers", "reads"},
	{SIGNAL_READ_WORD, AI8X_INSTANCES, 16, AI8X_TRACE_READS, "read_pointers", "word_"},
	{SIGNAL_READ_VALUE, AI8X_INSTANCES, 32, AI8X_TRACE_READS, "read_pointers", "value_"},
	{SIGNAL_WRITES, 1, AI8X_INSTANCES, AI8X_TRACE_WRITES, "write_pointers", "writes"},
	{SIGNAL_WRITE_WORD, AI8X_INSTANCES, 16, AI8X_TRACE_WRITES, "write_pointers", "word_"},
	{SIGNAL_WRITE_VALUE, AI8X_INSTANCES, 32, AI8X_TRACE_WRITES, "write_pointers", "value_"},
	{SIGNAL_TRAM_WRITE, 1, 1, AI8X_TRACE_TRAM, "tram", "tram_write"},
	{SIGNAL_TRAM_ROW, 1, 16, AI8X_TRACE_TRAM, "tram", "row"},
	{SIGNAL_TRAM_COLUMN, 1, 16, AI8X_TRACE_TRAM, "tram", "column"},
	{SIGNAL_TRAM_PASS, 1, 16, AI8X_TRACE_TRAM, "tram", "pass"},
	{SIGNAL_TRAM_VALUE, TRAM_SIGNALS, 64, AI8X_TRACE_TRAM, "tram", "processors_x8_"},
	{SIGNAL_OUTPUT_SLOT, 1, 16, AI8X_TRACE_OUTPUT, "output", "slot"},
	{SIGNAL_OUTPUT_PIXEL, 1, 24, AI8X_TRACE_OUTPUT, "output", "pixel"},
	{SIGNAL_ACCUMULATOR, 1, 40, AI8X_TRACE_OUTPUT, "output", "accumulator"},
	{SIGNAL_OUTPUT_VALUE, 1, 32, AI8X_TRACE_OUTPUT, "output", "value"},
	{SIGNAL_FIFO, FIFOS, 8, AI8X_TRACE_FIFO, "fifo", "level_"},
	{SIGNAL_GROUP, AI8X_GROUPS, 40, AI8X_TRACE_GROUPS, "groups", "accumulator_"},
};

#define ROWS (sizeof rows / sizeof rows[0])

struct signal {
	uint64_t value, shown;
	unsigned width; // 0: not traced
	bool known;     // shown at least once
	bool touched;   // in the list of what may have changed
	char id[ID_BYTES];
};

struct vcd {
	struct sink sink;
	double picoseconds; // of a cycle
	uint64_t cycle;     // whose changes are being collected
	bool begun;
	unsigned touched_count;
	uint8_t touched[SIGNAL_COUNT];
	struct signal signal[SIGNAL_COUNT];
};

static void make_id(char id[ID_BYTES], unsigned number)
{
	const unsigned printable = 94;
	id[0] = (char)('!' + number % printable);
	id[1] = number >= printable ? (char)('!' + number / printable - 1) : '\0';
	id[2] = '\0';
}

static void declare(struct vcd *vcd, size_t r)
{
	for (unsigned i = 0; i < rows[r].count; i++) {
		struct signal *signal = &vcd->signal[rows[r].first + i];
		signal->width = rows[r].width;
		make_id(signal->id, rows[r].first + i);
		(void)fprintf(vcd->sink.file, "$var wire %u %s %s", signal->width, signal->id, rows[r].name);
		if (rows[r].count > 1)
			(void)fprintf(vcd->sink.file, "%u", i);
		if (signal->width > 1)
			(void)fprintf(vcd->sink.file, " [%u:0]", signal->width - 1);
		(void)fputs(" $end\n", vcd->sink.file);
	}
}

static void *vcd_create(const struct trace_head *head)
{
	struct vcd *vcd = calloc(1, sizeof *vcd);
	if (vcd == NULL)
		return NULL;
	vcd->sink.file = head->file;
	vcd->picoseconds = 1e12 / head->clock_hz;
	(void)fprintf(head->file, "$comment %s, %u Hz; states:", ai8x_part_get_info(head->part)->name,
	              head->clock_hz);
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++)
		(void)fprintf(head->file, " %u=%s", s, ai8x_state_name((ai8x_state)s));
	(void)fputs(" $end\n$timescale 1 ps $end\n$scope module ai8x $end\n", head->file);
	const char *scope = "";
	for (size_t r = 0; r < ROWS; r++) {
		if ((head->signals & rows[r].group) == 0)
			continue;
		if (strcmp(scope, rows[r].scope) != 0) {
			if (scope[0] != '\0')
				(void)fputs("$upscope $end\n", head->file);
			scope = rows[r].scope;
			(void)fprintf(head->file, "$scope module %s $end\n", scope);
		}
		declare(vcd, r);
	}
	if (scope[0] != '\0')
		(void)fputs("$upscope $end\n", head->file);
	(void)fputs("$upscope $end\n$enddefinitions $end\n", head->file);
	return vcd;
}

static void put_value(struct vcd *vcd, const struct signal *signal)
{
	struct sink *sink = &vcd->sink;
	sink_room(sink);
	if (signal->width == 1) {
		sink_char(sink, (char)('0' + (signal->value & 1)));
	} else {
		// Leading zeros may be left out.
		sink_char(sink, 'b');
		sink_binary(sink, signal->value);
		sink_char(sink, ' ');
	}
	sink_text(sink, signal->id);
	sink_char(sink, '\n');
}

static void put_time(struct vcd *vcd, uint64_t cycle)
{
	sink_room(&vcd->sink);
	sink_char(&vcd->sink, '#');
	sink_number(&vcd->sink, (uint64_t)((double)cycle * vcd->picoseconds + 0.5));
	sink_char(&vcd->sink, '\n');
}

static void touch(struct vcd *vcd, unsigned index)
{
	struct signal *signal = &vcd->signal[index];
	if (signal->touched || signal->width == 0)
		return;
	signal->touched = true;
	vcd->touched[vcd->touched_count++] = (uint8_t)index;
}

static void set(struct vcd *vcd, unsigned index, uint64_t value)
{
	struct signal *signal = &vcd->signal[index];
	if (value == signal->value && signal->known)
		return;
	signal->value = signal->width < 64 ? value & ((UINT64_C(1) << signal->width) - 1) : value;
	touch(vcd, index);
}

// Writes what changed in the cycle that is being collected.
static void put_changes(struct vcd *vcd)
{
	bool timed = false;
	for (unsigned i = 0; i < vcd->touched_count; i++) {
		struct signal *signal = &vcd->signal[vcd->touched[i]];
		signal->touched = false;
		if (signal->known && signal->value == signal->shown)
			continue;
		if (!timed)
			put_time(vcd, vcd->cycle);
		timed = true;
		put_value(vcd, signal);
		signal->shown = signal->value;
		signal->known = true;
	}
	vcd->touched_count = 0;
}

static bool end_pulses(struct vcd *vcd)
{
	static const unsigned pulses[] = {SIGNAL_READS, SIGNAL_WRITES, SIGNAL_TRAM_WRITE};
	bool falling = false;
	for (unsigned i = 0; i < sizeof pulses / sizeof pulses[0]; i++) {
		falling |= vcd->signal[pulses[i]].value != 0;
		set(vcd, pulses[i], 0);
	}
	return falling;
}

// The cycle is over. Pulses that do not come again fall in the cycle after it.
static void flush_cycle(struct vcd *vcd, uint64_t next)
{
	put_changes(vcd);
	if (end_pulses(vcd) && next > vcd->cycle + 1) {
		vcd->cycle++;
		put_changes(vcd);
	}
	vcd->cycle = next;
}

static uint64_t state_text(ai8x_state state)
{
	const char *name = ai8x_state_name(state);
	uint64_t text = 0;
	for (unsigned i = 0; i < 8 && name[i] != '\0'; i++)
		text = text << 8 | (uint8_t)name[i];
	return text;
}

static void set_state(struct vcd *vcd, const ai8x_event *event)
{
	if (event->u.state.state != vcd->signal[SIGNAL_STATE].value || !vcd->signal[SIGNAL_STATE].known)
		set(vcd, SIGNAL_STATE_TEXT, state_text(event->u.state.state));
	set(vcd, SIGNAL_STATE, event->u.state.state);
	set(vcd, SIGNAL_LAYER, event->layer != NULL ? event->layer->index : 0);
	set(vcd, SIGNAL_PASS, event->u.state.pass);
	set(vcd, SIGNAL_ROW, event->u.state.row);
	set(vcd, SIGNAL_COLUMN, event->u.state.column);
	set(vcd, SIGNAL_SLOT, event->u.state.slot);
}

static void set_tram(struct vcd *vcd, const ai8x_event *event)
{
	set(vcd, SIGNAL_TRAM_WRITE, 1);
	set(vcd, SIGNAL_TRAM_ROW, event->u.tram.row);
	set(vcd, SIGNAL_TRAM_COLUMN, event->u.tram.column);
	set(vcd, SIGNAL_TRAM_PASS, event->u.tram.pass);
	for (unsigned i = 0; i < TRAM_SIGNALS; i++) {
		uint64_t value = 0;
		for (unsigned k = 8; k-- > 0;)
			value = value << 8 | (uint8_t)event->u.tram.values[8 * i + k];
		set(vcd, SIGNAL_TRAM_VALUE + i, value);
	}
}

static void vcd_event(void *writer, const ai8x_event *event)
{
	struct vcd *vcd = writer;
	// The layer is a signal like others.
	if (event->kind == AI8X_EVENT_LAYER_START || event->kind == AI8X_EVENT_LAYER_STOP)
		return;
	if (!vcd->begun) {
		vcd->cycle = event->cycle;
		for (unsigned i = 0; i < SIGNAL_COUNT; i++)
			touch(vcd, i);
	} else if (event->cycle > vcd->cycle) {
		flush_cycle(vcd, event->cycle);
	}
	vcd->begun = true;
	switch (event->kind) {
	case AI8X_EVENT_STATE:
		set_state(vcd, event);
		break;
	case AI8X_EVENT_DATA_READ:
		set(vcd, SIGNAL_READS, vcd->signal[SIGNAL_READS].value | 1u << event->u.data.instance);
		set(vcd, SIGNAL_READ_WORD + event->u.data.instance, event->u.data.word);
		set(vcd, SIGNAL_READ_VALUE + event->u.data.instance, event->u.data.value);
		break;
	case AI8X_EVENT_DATA_WRITE:
		set(vcd, SIGNAL_WRITES, vcd->signal[SIGNAL_WRITES].value | 1u << event->u.data.instance);
		set(vcd, SIGNAL_WRITE_WORD + event->u.data.instance, event->u.data.word);
		set(vcd, SIGNAL_WRITE_VALUE + event->u.data.instance, event->u.data.value);
		break;
	case AI8X_EVENT_TRAM_WRITE:
		set_tram(vcd, event);
		break;
	case AI8X_EVENT_OUTPUT:
		set(vcd, SIGNAL_OUTPUT_SLOT, event->u.output.slot);
		set(vcd, SIGNAL_OUTPUT_PIXEL, event->u.output.pixel);
		set(vcd, SIGNAL_ACCUMULATOR, (uint64_t)event->u.output.accumulator);
		set(vcd, SIGNAL_OUTPUT_VALUE, (uint32_t)event->u.output.value);
		break;
	case AI8X_EVENT_ACCUMULATE:
		for (unsigned g = 0; g < AI8X_GROUPS; g++)
			set(vcd, SIGNAL_GROUP + g, (uint64_t)event->u.sums.group[g]);
		break;
	case AI8X_EVENT_FIFO_PUSH:
	case AI8X_EVENT_FIFO_POP:
		set(vcd, SIGNAL_FIFO + event->u.fifo.fifo, event->u.fifo.level);
		break;
	default:
		break;
	}
}

static void vcd_finish(void *writer, uint64_t end_cycle)
{
	struct vcd *vcd = writer;
	flush_cycle(vcd, end_cycle > vcd->cycle ? end_cycle : vcd->cycle + 1);
	put_time(vcd, vcd->cycle);
	sink_flush(&vcd->sink);
}

const struct trace_writer trace_vcd = {vcd_create, vcd_event, vcd_finish};
