// The independent referee, part 2: whole networks.
//
// Receives a resolved network with weights and input (the meaning of every member is told at the top of
// <ai8xsim/network.h>) and hands back what each layer puts out. Layers are computed when they are asked
// for, with everything they depend on, and kept.
#ifndef AI8X_GOLDEN_GOLDEN_H
#define AI8X_GOLDEN_GOLDEN_H

#include <ai8xsim/network.h>

#include "ops.h"

typedef struct golden_model golden_model;

// The network belongs to the caller and outlives the model. What the model has computed it never
// computes again: weights and input must not change afterwards, nor may shifts once the output of their
// layer was asked for. Placing a network (ai8x_network_place) may add layers to it: place first.
ai8x_status golden_model_create(const ai8x_network *network, golden_model **model, ai8x_error *error);
void golden_model_destroy(golden_model *model);

// Output of the layer at a position of network->layers. The tensor belongs to the model.
ai8x_status golden_model_output(golden_model *model, size_t position, const golden_tensor **output,
                                ai8x_error *error);

// Its sums with bias, before shift and activation; *sums is NULL for a layer without weights.
ai8x_status golden_model_sums(golden_model *model, size_t position, const golden_tensor **sums,
                              ai8x_error *error);

// An ai8x_network_sums_fn. user: the model of the network that is being randomised.
ai8x_status golden_model_range(void *user, const ai8x_network *network, size_t position, int64_t *least,
                               int64_t *greatest, ai8x_error *error);

// The outputs of all layers in the form ai8x_network_compile() expects: layer_count tensors, to be freed with
// free(); the values in them belong to the model.
ai8x_status golden_model_outputs(golden_model *model, ai8x_network_tensor **outputs, ai8x_error *error);

#endif
