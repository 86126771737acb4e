// Value change dumps (IEEE 1364), for GTKWave and its like. Times are nanoseconds of simulated time.
#include "firmware/vcd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FS_PER_NANOSECOND (FS_PER_SECOND / 1000000000)

static const struct {
	const char *name;
	unsigned bits;
} signals[VCD_SIGNALS] = {
	{"gpio0", 32}, {"gpio1", 32},    {"gpio2", 32},    {"gpio3", 32},    {"uart0", 8},       {"uart1", 8},
	{"uart2", 8},  {"uart3", 8},     {"exception", 9}, {"cnn_runs", 1},  {"inferences", 32}, {"sleeps", 1},
	{"phase", 3},  {"rv32_runs", 1}, {"cnn_layer", 8}, {"cnn_state", 4},
};

// A change whose time has not come: a run that no FIFO feeds is carried out when it starts.
struct vcd_later {
	uint64_t time; // femtoseconds
	uint32_t value;
	enum vcd_signal signal;
};

// More states of a run than anybody looks at; its layers are told all the same.
#define MOST_LATER ((size_t)4 << 20)

struct vcd {
	FILE *file;
	uint64_t time; // of the last line of time
	uint32_t values[VCD_SIGNALS];
	struct vcd_later *later; // by time
	size_t first, count, capacity;
	bool failed;    // out of memory
	uint32_t state; // the last one told
};

static void put(struct vcd *vcd, unsigned signal)
{
	char digits[33];
	unsigned bits = signals[signal].bits;
	for (unsigned i = 0; i < bits; i++)
		digits[i] = (char)('0' + (vcd->values[signal] >> (bits - 1 - i) & 1));
	digits[bits] = 0;
	if (bits == 1)
		(void)fprintf(vcd->file, "%s%c\n", digits, (int)('!' + signal));
	else
		(void)fprintf(vcd->file, "b%s %c\n", digits, (int)('!' + signal));
}

static void write_change(struct vcd *vcd, uint64_t time, enum vcd_signal signal, uint32_t value)
{
	const uint64_t nanoseconds = time / FS_PER_NANOSECOND;
	// The same character again is an event, too.
	const bool event = signal >= VCD_UART0 && signal < VCD_EXCEPTION;
	if (vcd->values[signal] == value && !event)
		return;
	vcd->values[signal] = value;
	if (nanoseconds > vcd->time) {
		(void)fprintf(vcd->file, "#%" PRIu64 "\n", nanoseconds);
		vcd->time = nanoseconds;
	}
	put(vcd, signal);
}

static void write_later(struct vcd *vcd, uint64_t now)
{
	for (; vcd->first < vcd->count && vcd->later[vcd->first].time <= now; vcd->first++) {
		const struct vcd_later *change = &vcd->later[vcd->first];
		write_change(vcd, change->time, change->signal, change->value);
	}
	if (vcd->first == vcd->count)
		vcd->first = vcd->count = 0;
}

void vcd_change(struct ai8x_firmware *soc, enum vcd_signal signal, uint32_t value)
{
	write_later(soc->vcd, soc->now);
	write_change(soc->vcd, soc->now, signal, value);
}

static void add_later(struct ai8x_firmware *soc, uint64_t cycle, enum vcd_signal signal, uint32_t value)
{
	struct vcd *vcd = soc->vcd;
	const uint64_t time = soc->cnn.start + cycle * soc->cnn.cycle;
	// What is to come after this is of a run that was given up.
	while (vcd->count > vcd->first && vcd->later[vcd->count - 1].time > time)
		vcd->count--;
	if (vcd->count == vcd->capacity) {
		const size_t capacity = vcd->capacity == 0 ? 4096 : 2 * vcd->capacity;
		struct vcd_later *grown = realloc(vcd->later, capacity * sizeof *grown);
		if (grown == NULL) {
			vcd->failed = true;
			return;
		}
		vcd->later = grown;
		vcd->capacity = capacity;
	}
	vcd->later[vcd->count++] = (struct vcd_later){.time = time, .signal = signal, .value = value};
}

static void on_event(void *user, const ai8x_event *event)
{
	struct ai8x_firmware *soc = user;
	if (event->kind == AI8X_EVENT_LAYER_START)
		add_later(soc, event->cycle, VCD_CNN_LAYER, event->layer->index + 1u);
	else if (event->kind == AI8X_EVENT_LAYER_STOP)
		add_later(soc, event->cycle, VCD_CNN_LAYER, 0);
	else if (soc->vcd->count < MOST_LATER && (uint32_t)event->u.state.state != soc->vcd->state) {
		soc->vcd->state = (uint32_t)event->u.state.state;
		add_later(soc, event->cycle, VCD_CNN_STATE, soc->vcd->state);
	}
}

ai8x_status vcd_open(struct ai8x_firmware *soc)
{
	const char *path = soc->options.board != NULL ? soc->options.board->vcd : NULL;
	if (path == NULL)
		return AI8X_OK;
	struct vcd *vcd = calloc(1, sizeof *vcd);
	if (vcd == NULL)
		return AI8X_ERR_NO_MEMORY;
	vcd->file = fopen(path, "w");
	if (vcd->file == NULL) {
		free(vcd);
		return AI8X_ERR_IO;
	}
	(void)fprintf(vcd->file, "$timescale 1ns $end\n$scope module board $end\n");
	for (unsigned i = 0; i < VCD_SIGNALS; i++)
		(void)fprintf(vcd->file, "$var wire %u %c %s $end\n", signals[i].bits, (int)('!' + i),
		              signals[i].name);
	(void)fprintf(vcd->file, "$upscope $end\n$enddefinitions $end\n#0\n");
	for (unsigned i = 0; i < VCD_SIGNALS; i++)
		put(vcd, i);
	soc->vcd = vcd;
	return ai8x_machine_observe(
		soc->cnn.machine, AI8X_EVENT_LAYER_START | AI8X_EVENT_LAYER_STOP | AI8X_EVENT_STATE, on_event, soc);
}

bool vcd_close(struct ai8x_firmware *soc)
{
	struct vcd *vcd = soc->vcd;
	if (vcd == NULL)
		return true;
	(void)ai8x_machine_observe(soc->cnn.machine, 0, on_event, soc);
	write_later(vcd, soc->now);
	(void)fprintf(vcd->file, "#%" PRIu64 "\n", soc->now / FS_PER_NANOSECOND);
	const bool bad = ferror(vcd->file) != 0 || vcd->failed;
	const bool whole = fclose(vcd->file) == 0 && !bad;
	free(vcd->later);
	free(vcd);
	soc->vcd = NULL;
	return whole;
}
