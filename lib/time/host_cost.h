// What the host's bus accesses take; see host_cost.c.
#ifndef AI8X_TIME_HOST_COST_H
#define AI8X_TIME_HOST_COST_H

#include <ai8xsim/time.h>

// What the host does at the bus: one go of its copy loop.
enum host_access {
	HOST_ACCESS_WRITE, // to kernel memory, bias memory or a register
	HOST_ACCESS_INPUT, // a word of input into data memory
	HOST_ACCESS_FIFO,  // a word into a FIFO: its status is read, the word is written
};

// Seconds of one such access: cycles of the core and cycles of the accelerator, each at its clock.
double host_access_seconds(const ai8x_part *part, const ai8x_clock *clock, enum host_access access);

// Fills in the times of what is counted, at an accelerator clock.
void host_loading_times(ai8x_loading *loading, const ai8x_part *part, const ai8x_clock *clock);

#endif
