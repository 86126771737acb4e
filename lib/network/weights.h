// Weights files; see weights.c.
#ifndef AI8X_NETWORK_WEIGHTS_H
#define AI8X_NETWORK_WEIGHTS_H

#include <ai8xsim/network.h>

// Reads weights, bias and input files into a network as read_yaml.c left it. What the files say about bits and
// shifts applies where the description is silent.
ai8x_status weights_load(ai8x_network *network, const ai8x_network_files *files, ai8x_error *error);

#endif
