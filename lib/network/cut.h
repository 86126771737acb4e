// A part of a description; see cut.c.
#ifndef AI8X_NETWORK_CUT_H
#define AI8X_NETWORK_CUT_H

#include <ai8xsim/network.h>

// Leaves out what files->first_layer, last_layer and no_bias say. The network has its weights, but is not resolved.
ai8x_status network_cut(ai8x_network *network, const ai8x_network_files *files, ai8x_error *error);

#endif
