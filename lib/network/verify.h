// Comparing where layers read with where their sources wrote; see verify.c.
#ifndef AI8X_NETWORK_VERIFY_H
#define AI8X_NETWORK_VERIFY_H

#include "network/lower.h"

// Layers whose memories must not meet, and what no source decides; see verify_rules.c.
ai8x_status network_verify_rules(const struct plan *plan, ai8x_network *network, ai8x_error *error);

// Adds warnings to the network (which is the plan's).
ai8x_status network_verify(const struct plan *plan, ai8x_network *network, ai8x_error *error);

#endif
