// Placement of processors, offsets and gaps; see placing.c.
#ifndef AI8X_NETWORK_PLACING_H
#define AI8X_NETWORK_PLACING_H

#include <ai8xsim/network.h>

// Completes placement. The network has passed network_check().
ai8x_status network_place(ai8x_network *network, const ai8x_part *part, const ai8x_compile_options *options,
                          ai8x_error *error);

#endif
