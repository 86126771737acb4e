// What the host's bus accesses take. The core does its part; the accelerator takes the access at the next edge of its
// own clock and answers some cycles later. So a copy loop takes whole cycles of the accelerator for each word
// (docs/timing.md, "Loading").
#include "time/host_cost.h"

#include <math.h>

#include "part/part.h"

#define KERNEL_LINES 0.25 // of flash, which a kernel word needs

// One go of a copy loop in which the core takes some cycles longer.
static double word_seconds(const ai8x_part *part, const ai8x_clock *clock, double more)
{
	const struct part_access *word = &part->host.word;
	const double edges = 1 + floor((word->core + more) * clock->hz / part->host.hz);
	return (edges + word->accelerator) / clock->hz;
}

double host_access_seconds(const ai8x_part *part, const ai8x_clock *clock, enum host_access access)
{
	const struct part_access *fifo = &part->host.fifo_word;
	if (access == HOST_ACCESS_FIFO)
		return fifo->core / part->host.hz + fifo->accelerator / clock->hz;
	const double lines = access == HOST_ACCESS_INPUT ? part->host.input_lines : KERNEL_LINES;
	return (1 - lines) * word_seconds(part, clock, 0) +
	       lines * word_seconds(part, clock, part->host.flash_line);
}

uint32_t ai8x_feed_cycles(const ai8x_part *part, const ai8x_clock *clock)
{
	if (part == NULL || clock == NULL)
		return 0;
	return (uint32_t)lround(host_access_seconds(part, clock, HOST_ACCESS_FIFO) * clock->hz);
}

void host_loading_times(ai8x_loading *loading, const ai8x_part *part, const ai8x_clock *clock)
{
	const double write = host_access_seconds(part, clock, HOST_ACCESS_WRITE);
	loading->kernel_seconds = (double)loading->kernel_writes * write;
	loading->bias_seconds = (double)loading->bias_writes * write;
	loading->input_seconds =
		(double)loading->input_writes * host_access_seconds(part, clock, HOST_ACCESS_INPUT);
	loading->register_seconds = (double)loading->register_writes * write;
	loading->joules = part->write_joules * (double)(loading->kernel_writes + loading->bias_writes +
	                                                loading->input_writes + loading->register_writes);
}
