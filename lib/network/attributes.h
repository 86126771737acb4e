// Attributes of compiled programs; see attributes.c.
#ifndef AI8X_NETWORK_ATTRIBUTES_H
#define AI8X_NETWORK_ATTRIBUTES_H

#include "network/lower.h"

// Records the network and every layer; the layers' results must have been added before.
ai8x_status plan_attributes(const struct plan *plan, ai8x_program *program, ai8x_error *error);

#endif
