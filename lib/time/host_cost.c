// What the host's bus accesses take: a part in cycles of the core, a part in cycles of the accelerator, whose bus
// answers at its own clock (docs/timing.md, "Loading").
#include "time/host_cost.h"

#include <math.h>

#include "part/part.h"

static const struct part_access *cost_of(const ai8x_part *part, enum host_access access)
{
	return access == HOST_ACCESS_FIFO    ? &part->host.fifo_word
	       : access == HOST_ACCESS_INPUT ? &part->host.input_word
	                                     : &part->host.write;
}

double host_access_seconds(const ai8x_part *part, const ai8x_clock *clock, enum host_access access)
{
	const struct part_access *cost = cost_of(part, access);
	return cost->core / part->host.hz + cost->accelerator / clock->hz;
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
