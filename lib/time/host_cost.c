// What the host's bus accesses take: a part in cycles of the core, a part in cycles of the accelerator, whose bus
// answers at its own clock (docs/timing.md, "Loading").
#include <ai8xsim/time.h>

#include <math.h>

#include "part/part.h"

static const struct part_access *cost_of(const ai8x_part *part, ai8x_access access)
{
	return access == AI8X_ACCESS_FIFO    ? &part->host.fifo_word
	       : access == AI8X_ACCESS_INPUT ? &part->host.input_word
	                                     : &part->host.write;
}

double ai8x_access_seconds(const ai8x_part *part, const ai8x_clock *clock, ai8x_access access)
{
	if (part == NULL || clock == NULL)
		return 0;
	const struct part_access *cost = cost_of(part, access);
	return cost->core / part->host.hz + cost->accelerator / clock->hz;
}

uint32_t ai8x_feed_cycles(const ai8x_part *part, const ai8x_clock *clock)
{
	if (part == NULL || clock == NULL)
		return 0;
	return (uint32_t)lround(ai8x_access_seconds(part, clock, AI8X_ACCESS_FIFO) * clock->hz);
}

void ai8x_loading_times(ai8x_loading *loading, const ai8x_part *part, const ai8x_clock *clock)
{
	if (loading == NULL || part == NULL || clock == NULL)
		return;
	loading->kernel_seconds =
		(double)loading->kernel_writes * ai8x_access_seconds(part, clock, AI8X_ACCESS_KERNEL);
	loading->bias_seconds = (double)loading->bias_writes * ai8x_access_seconds(part, clock, AI8X_ACCESS_BIAS);
	loading->input_seconds =
		(double)loading->input_writes * ai8x_access_seconds(part, clock, AI8X_ACCESS_INPUT);
	loading->register_seconds =
		(double)loading->register_writes * ai8x_access_seconds(part, clock, AI8X_ACCESS_REGISTER);
	loading->joules = part->write_joules * (double)(loading->kernel_writes + loading->bias_writes +
	                                                loading->input_writes + loading->register_writes);
}
