// Seeded values for networks without weights, and output shifts that use the outputs' range.
//
// The generator is SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): a
// few lines, no state but a counter, the same numbers on every machine.

#include <math.h>
#include <stdlib.h>

#include "network/network.h"

static uint64_t next_random(uint64_t *state)
{
	*state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = *state;
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

// An integer from least to greatest (at most 256 of them), all equally likely.
static int8_t random_between(uint64_t *state, int least, int greatest)
{
	uint64_t span = (unsigned)(greatest - least + 1);
	return (int8_t)(least + (int)((next_random(state) >> 32) * span >> 32));
}

static int8_t random_weight(uint64_t *state, int bits)
{
	if (bits == -1)
		return next_random(state) >> 63 != 0 ? 1 : -1;
	return random_between(state, -(1 << (bits - 1)), (1 << (bits - 1)) - 1);
}

// A seed of its own for every tensor, so that giving one does not change the others.
static uint64_t tensor_seed(uint64_t seed, uint64_t which)
{
	uint64_t state = seed ^ (which + 1) * UINT64_C(0xd1342543de82ef95);
	return next_random(&state);
}

static ai8x_status fill_layer(ai8x_network *network, size_t i, uint64_t seed, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[i];
	if (!network_has_weights(layer) || layer->weight_source >= 0)
		return AI8X_OK;
	if (layer->weights == NULL) {
		uint64_t state = tensor_seed(seed, 2 * i);
		layer->weight_count = network_weight_count(layer);
		layer->weights = malloc(layer->weight_count == 0 ? 1 : layer->weight_count);
		if (layer->weights == NULL)
			return error_no_memory(error, "weights");
		for (size_t k = 0; k < layer->weight_count; k++)
			layer->weights[k] = random_weight(&state, layer->weight_bits);
	}
	if (layer->bias == NULL && layer->bias_wanted) {
		uint64_t state = tensor_seed(seed, 2 * i + 1);
		layer->bias = malloc(layer->out_channels);
		if (layer->bias == NULL)
			return error_no_memory(error, "a bias");
		for (uint32_t k = 0; k < layer->out_channels; k++)
			layer->bias[k] = random_between(&state, -64, 63);
	}
	return AI8X_OK;
}

static ai8x_status fill_input(ai8x_network *network, uint64_t seed, ai8x_error *error)
{
	size_t count = (size_t)network->input_shape[0] * network->input_shape[1] * network->input_shape[2];
	uint64_t state = tensor_seed(seed, UINT64_C(1) << 32);
	if (network->input != NULL)
		return AI8X_OK;
	network->input = malloc(count == 0 ? 1 : count);
	if (network->input == NULL)
		return error_no_memory(error, "the input");
	for (size_t i = 0; i < count; i++)
		network->input[i] = random_between(&state, -128, 127);
	return AI8X_OK;
}

// Sums of random data spread like noise: four standard deviations hold nearly all of them.
static void expected_sums(const ai8x_network_layer *layer, int64_t *least, int64_t *greatest)
{
	double bits = layer->weight_bits == -1 ? 2 : layer->weight_bits;
	double weight = layer->bypass ? 1.0 : exp2(bits) / sqrt(12.0);
	double terms = (double)(layer->bypass ? layer->in_channels : layer->fan_channels) * layer->kernel_rows *
	               layer->kernel_columns;
	double spread = 4.0 * weight * 40.0 * sqrt(terms);
	*greatest = (int64_t)spread;
	*least = -*greatest;
}

// The largest shift with which the greatest result still fits.
static int32_t choose_shift(const ai8x_network_layer *layer, int64_t least, int64_t greatest)
{
	int64_t low = layer->activation == AI8X_ACTIVATE_RELU && greatest > 0 ? 0 : -least;
	int64_t bound = low > greatest ? low : greatest;
	int32_t shift = -15;
	if (bound <= 0)
		return 0;
	while (shift < 15 && ldexp((double)bound, shift + 1) <= 127.0 * 128.0)
		shift++;
	return shift;
}

// Layers that share weights share the shift.
static void set_shift(ai8x_network *network, size_t i, int32_t shift)
{
	const ai8x_network_layer *owner = ai8x_network_weights_of(network, i);
	for (size_t k = 0; k < network->layer_count; k++) {
		if (k == i ||
		    (network_has_weights(&network->layers[i]) && ai8x_network_weights_of(network, k) == owner)) {
			network->layers[k].output_shift = shift;
			network->layers[k].shift_given = true;
		}
	}
}

// 32-bit output is not shifted. Layers with its weights bring a shift along, which a description gives once for all.
static void settle_wide(ai8x_network *network, size_t i)
{
	ai8x_network_layer *layer = &network->layers[i];
	const ai8x_network_layer *owner = ai8x_network_weights_of(network, i);
	for (size_t k = 0; k < network->layer_count && !layer->shift_given; k++) {
		const ai8x_network_layer *other = &network->layers[k];
		if (other->shift_given && network_has_weights(other) && ai8x_network_weights_of(network, k) == owner)
			layer->output_shift = other->output_shift;
	}
	layer->shift_given = true;
}

ai8x_status ai8x_network_randomise(ai8x_network *network, uint64_t seed, ai8x_network_sums_fn sums,
                                   void *user, ai8x_error *error)
{
	if (network == NULL)
		return error_null(error, "network");
	ai8x_status status = fill_input(network, seed, error);
	for (size_t i = 0; i < network->layer_count && status == AI8X_OK; i++)
		status = fill_layer(network, i, seed, error);
	for (size_t i = 0; i < network->layer_count && status == AI8X_OK; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		int64_t least = 0;
		int64_t greatest = 0;
		if (layer->operation == AI8X_OP_PASSTHROUGH || layer->shift_given)
			continue;
		if (layer->output_bits == 32) {
			settle_wide(network, i);
			continue;
		}
		if (sums != NULL)
			status = sums(user, network, i, &least, &greatest, error);
		else
			expected_sums(layer, &least, &greatest);
		if (status == AI8X_OK)
			set_shift(network, i, choose_shift(layer, least, greatest));
	}
	return status;
}
