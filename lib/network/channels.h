// Channel counts from maps of processors; see channels.c.
#ifndef AI8X_NETWORK_CHANNELS_H
#define AI8X_NETWORK_CHANNELS_H

#include <ai8xsim/network.h>

// Sets out_channels of layers with weights as far as the network tells it. Sources and input are known.
ai8x_status network_infer_channels(ai8x_network *network, ai8x_error *error);

#endif
