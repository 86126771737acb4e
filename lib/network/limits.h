// Part limits of single layers; see limits.c.
#ifndef AI8X_NETWORK_LIMITS_H
#define AI8X_NETWORK_LIMITS_H

#include <ai8xsim/network.h>

#include "network/target.h"

ai8x_status network_check_layer(const ai8x_network *network, size_t position, const struct target *target,
                                ai8x_error *error);

#endif
