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
	{"gpio0", 32},      {"gpio1", 32}, {"gpio2", 32}, {"gpio3", 32},    {"uart0", 8},
	{"uart1", 8},       {"uart2", 8},  {"uart3", 8},  {"exception", 9}, {"cnn_runs", 1},
	{"inferences", 32}, {"sleeps", 1}, {"phase", 3},  {"rv32_runs", 1},
};

struct vcd {
	FILE *file;
	uint64_t time; // of the last line of time
	uint32_t values[VCD_SIGNALS];
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
	return AI8X_OK;
}

bool vcd_close(struct ai8x_firmware *soc)
{
	struct vcd *vcd = soc->vcd;
	if (vcd == NULL)
		return true;
	(void)fprintf(vcd->file, "#%" PRIu64 "\n", soc->now / FS_PER_NANOSECOND);
	const bool bad = ferror(vcd->file) != 0;
	const bool whole = fclose(vcd->file) == 0 && !bad;
	free(vcd);
	soc->vcd = NULL;
	return whole;
}

void vcd_change(struct ai8x_firmware *soc, enum vcd_signal signal, uint32_t value)
{
	struct vcd *vcd = soc->vcd;
	const uint64_t time = soc->now / FS_PER_NANOSECOND;
	// The same character again is an event, too.
	const bool event = signal >= VCD_UART0 && signal < VCD_EXCEPTION;
	if (vcd->values[signal] == value && !event)
		return;
	vcd->values[signal] = value;
	if (time > vcd->time)
		(void)fprintf(vcd->file, "#%" PRIu64 "\n", time);
	vcd->time = time;
	put(vcd, signal);
}
