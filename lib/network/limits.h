// Limits of a part; see limits.c.
#ifndef AI8X_NETWORK_LIMITS_H
#define AI8X_NETWORK_LIMITS_H

#include <ai8xsim/network.h>

// Whether a resolved network is within the limits of the part, before placement.
ai8x_status network_check(const ai8x_network *network, const ai8x_part *part, ai8x_error *error);

#endif
