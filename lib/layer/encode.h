// Layer to registers; see encode.c.
#ifndef AI8X_LAYER_ENCODE_H
#define AI8X_LAYER_ENCODE_H

#include "layer/layer.h"

// Sets the registers of layer->index in all groups of layer->groups to what describes the layer. Fails where a
// value does not fit its field; the message names register field, value and limit.
ai8x_status layer_encode(const ai8x_layer *layer, struct registers *registers, ai8x_error *error);

#endif
