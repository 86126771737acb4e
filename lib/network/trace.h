// Comparing where layers read with where their sources wrote; see trace.c.
#ifndef AI8X_NETWORK_TRACE_H
#define AI8X_NETWORK_TRACE_H

#include "network/plan.h"

// Adds warnings to the network (which is the plan's).
ai8x_status network_trace(const struct plan *plan, ai8x_network *network, ai8x_error *error);

#endif
