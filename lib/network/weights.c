// Weights, biases and sample input from files: the HDF5 weights file, .npz archives and .npy arrays. The schema
// is in docs/networks.md.
//
// Weights come numbered by "weight layers": the layers that have weights of their own, counted from 0 in the order
// of the description. That is the order in which checkpoints and sample files hold them.

#include "network/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "network/network.h"
#include "program/hdf5_image.h"
#include "program/hdf5_source.h"
#include "program/npy.h"
#include "program/sample.h"

// Weights of one weight layer as found in a file; arrays are NULL where the file has none.
struct found {
	const struct array *weights;
	const struct array *bias;
	bool has_bits, has_shift;
	int32_t bits, shift;
};

static bool fits_bits(const struct array *array, int bits, int32_t *bad)
{
	int32_t least = bits == -1 ? -1 : -(1 << (bits - 1));
	int32_t greatest = bits == -1 ? 1 : (1 << (bits - 1)) - 1;
	for (size_t i = 0; i < array->count; i++) {
		int32_t value = array->values[i];
		if (value < least || value > greatest || (bits == -1 && value == 0)) {
			*bad = value;
			return false;
		}
	}
	return true;
}

static int bit_length(int32_t value)
{
	return value == 0 ? 0 : 32 - __builtin_clz((unsigned)(value < 0 ? -value : value));
}

// Bits that sample weights take: the sign and the widest magnitude, where -2^k counts as 2^k - 1.
static int sample_bits(const struct array *array)
{
	int32_t least = 0;
	int32_t greatest = 0;
	for (size_t i = 0; i < array->count; i++) {
		int32_t value = array->values[i];
		least = i == 0 || value < least ? value : least;
		greatest = i == 0 || value > greatest ? value : greatest;
	}
	least += least < 0;
	greatest += greatest < 0;
	int bits = bit_length(least) > bit_length(greatest) ? bit_length(least) : bit_length(greatest);
	return bits + 1;
}

static void requantise_sample(const struct array *array, int bits)
{
	int present = sample_bits(array);
	for (size_t i = 0; i < array->count; i++)
		if (bits == -1)
			array->values[i] = array->values[i] >= 0 ? 1 : -1;
		else if (present > bits)
			array->values[i] >>= present - bits;
}

static int8_t *to_bytes(const struct array *array)
{
	int8_t *bytes = malloc(array->count == 0 ? 1 : array->count);
	for (size_t i = 0; bytes != NULL && i < array->count; i++)
		bytes[i] = (int8_t)array->values[i];
	return bytes;
}

static void shape_text(char *text, size_t size, const struct array *array)
{
	size_t used = 0;
	text[0] = '\0';
	for (unsigned d = 0; d < array->rank && used < size; d++) {
		int length = snprintf(text + used, size - used, "%s%zu", d == 0 ? "" : "x", array->shape[d]);
		used += length < 0 ? 0 : (size_t)length;
	}
}

static ai8x_status apply_weights(ai8x_network *network, size_t position, const struct array *array,
                                 const char *file, bool sample, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[position];
	char shape[120];
	int32_t bad = 0;
	size_t taps = 1;

	shape_text(shape, sizeof shape, array);
	for (unsigned d = 2; d < array->rank; d++)
		taps *= array->shape[d];
	size_t kernel = (size_t)layer->kernel_rows * layer->kernel_columns;
	if (array->rank < 2 || array->rank > 4 || taps != kernel ||
	    (array->rank == 4 && array->shape[2] != layer->kernel_rows)) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)position,
		                     "weights in %s are %s, but the layer's kernel is %ux%u", file, shape,
		                     layer->kernel_rows, layer->kernel_columns);
	}
	if (array->count == 0 || array->shape[0] > NETWORK_MAX_CHANNELS ||
	    array->shape[1] > NETWORK_MAX_CHANNELS) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)position,
		                     "weights in %s have the shape %s", file, shape);
	}
	bool swapped = layer->operation == AI8X_OP_CONVT2D && layer->groups > 1 && array->shape[0] == 1;
	if (layer->out_channels != 0 && layer->out_channels != array->shape[swapped]) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)position,
		                     "out_channels is %u, but the weights in %s are %s", layer->out_channels, file,
		                     shape);
	}
	if (sample)
		requantise_sample(array, layer->weight_bits);
	if (!fits_bits(array, layer->weight_bits, &bad)) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)position,
		                     "weight %d in %s does not fit %s weights", bad, file,
		                     layer->weight_bits == -1  ? "binary (-1, +1)"
		                     : layer->weight_bits == 1 ? "1-bit (-1, 0)"
		                     : layer->weight_bits == 2 ? "2-bit"
		                     : layer->weight_bits == 4 ? "4-bit"
		                                               : "8-bit");
	}
	layer->out_channels = (uint32_t)array->shape[0];
	layer->fan_channels = (uint32_t)array->shape[1];
	if (swapped) {
		// Depth-wise transposed kernels come with the channels in the second dimension.
		layer->out_channels = (uint32_t)array->shape[1];
		layer->fan_channels = 1;
	}
	free(layer->weights);
	layer->weights = to_bytes(array);
	layer->weight_count = array->count;
	return layer->weights == NULL ? error_no_memory(error, "weights") : AI8X_OK;
}

static ai8x_status apply_bias(ai8x_network *network, size_t position, const struct array *array,
                              const char *file, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[position];
	if (array->count == 0)
		return AI8X_OK;
	if (array->count != layer->out_channels) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)position,
		                     "%zu bias values in %s for %u output channels", array->count, file,
		                     layer->out_channels);
	}
	for (size_t i = 0; i < array->count; i++) {
		if (array->values[i] < -128 || array->values[i] > 127) {
			return network_error(error, AI8X_ERR_NETWORK, network, (int)position,
			                     "bias %d in %s does not fit 8 bits", array->values[i], file);
		}
	}
	free(layer->bias);
	layer->bias = to_bytes(array);
	return layer->bias == NULL ? error_no_memory(error, "a bias") : AI8X_OK;
}

static ai8x_status apply_found(ai8x_network *network, size_t position, const struct found *found,
                               const char *file, bool sample, ai8x_error *error)
{
	ai8x_network_layer *layer = &network->layers[position];
	ai8x_status status = AI8X_OK;
	if (layer->weight_bits == 0)
		layer->weight_bits = found->has_bits ? found->bits : 8;
	int bits = layer->weight_bits;
	if (bits != -1 && bits != 1 && bits != 2 && bits != 4 && bits != 8) {
		return network_error(error, AI8X_ERR_NETWORK, network, (int)position,
		                     "weight_bits %d in %s: expected 8, 4, 2, 1 or -1", bits, file);
	}
	if (found->has_shift && !layer->shift_given) {
		if (found->shift < -31 || found->shift > 31) {
			return network_error(error, AI8X_ERR_NETWORK, network, (int)position, "output_shift %d in %s",
			                     found->shift, file);
		}
		layer->output_shift = found->shift;
		layer->shift_given = true;
	}
	if (found->weights != NULL) {
		status = apply_weights(network, position, found->weights, file, sample, error);
		// With its weights known, a layer has the bias that the file gives it, or none.
		layer->bias_wanted = found->bias != NULL;
	}
	if (status == AI8X_OK && found->bias != NULL) {
		layer->bias_wanted = true;
		status = apply_bias(network, position, found->bias, file, error);
	}
	return status;
}

static bool is_weight_layer(const ai8x_network_layer *layer)
{
	return network_has_weights(layer) && layer->weight_source < 0;
}

static void find_scalar(const struct array_list *list, const char *name, bool *has, int32_t *value)
{
	const struct array *array = arrays_find(list, name);
	*has = array != NULL && array->count == 1;
	if (*has)
		*value = array->values[0];
}

// Arrays by name: weight_K, bias_K, weight_bits_K, output_shift_K.
static void find_named(const struct array_list *list, unsigned index, struct found *found)
{
	char name[64];
	snprintf(name, sizeof name, "weight_%u", index);
	found->weights = arrays_find(list, name);
	snprintf(name, sizeof name, "bias_%u", index);
	found->bias = arrays_find(list, name);
	snprintf(name, sizeof name, "weight_bits_%u", index);
	find_scalar(list, name, &found->has_bits, &found->bits);
	snprintf(name, sizeof name, "output_shift_%u", index);
	find_scalar(list, name, &found->has_shift, &found->shift);
}

// One array whose first dimension counts layers becomes one array per layer.
static ai8x_status split_stack(struct array_list *list, unsigned rank, ai8x_error *error)
{
	if (list->count != 1 || list->arrays[0].rank != rank + 1 || list->arrays[0].shape[0] == 0)
		return AI8X_OK;
	struct array stack = list->arrays[0];
	size_t layers = stack.shape[0] > 4096 ? 4096 : stack.shape[0];
	struct array *arrays = calloc(layers, sizeof *arrays);
	if (arrays == NULL)
		return error_no_memory(error, "arrays");
	size_t each = stack.count / stack.shape[0];
	bool ok = true;
	for (size_t i = 0; i < layers; i++) {
		arrays[i].rank = rank;
		arrays[i].count = each;
		memcpy(arrays[i].shape, stack.shape + 1, rank * sizeof stack.shape[0]);
		arrays[i].values = malloc((each == 0 ? 1 : each) * sizeof *arrays[i].values);
		ok = ok && arrays[i].values != NULL;
		if (ok)
			memcpy(arrays[i].values, stack.values + i * each, each * sizeof *arrays[i].values);
	}
	arrays_release(list);
	list->arrays = arrays;
	list->count = layers;
	return ok ? AI8X_OK : error_no_memory(error, "arrays");
}

// Dimensions of a layer's weights, in a single array whose first dimension may count layers.
static unsigned weight_rank(const ai8x_network *network, const struct array_list *list)
{
	size_t i = 0;
	while (i < network->layer_count && !is_weight_layer(&network->layers[i]))
		i++;
	if (i == network->layer_count)
		return 4;
	const struct array *first = list->count > 0 ? &list->arrays[0] : NULL;
	switch (network->layers[i].operation) {
	case AI8X_OP_CONV1D:
		return 3;
	case AI8X_OP_LINEAR:
		// [out][in][1] is one layer's.
		return first != NULL && first->rank == 3 && first->shape[2] != 1 ? 2 : 4;
	default:
		return 4;
	}
}

static bool input_is_shared(const ai8x_network *network)
{
	for (size_t i = 1; i < network->layer_count; i++) {
		for (unsigned k = 0; k < network->layers[i].source_count; k++)
			if (network->layers[i].sources[k] == AI8X_NETWORK_INPUT)
				return true;
	}
	return false;
}

// Another network's input would be refused later, for reasons that do not name it. What several layers read may
// have more channels than the first one takes.
static ai8x_status check_input_shape(const ai8x_network *network, const char *file, ai8x_error *error)
{
	const ai8x_network_layer *first = &network->layers[0];
	const uint32_t *found = network->input_shape;
	uint64_t channels = found[0], rows = found[1], columns = found[2];
	uint64_t taken = first->in_channels != 0 || first->flatten
	                     ? first->in_channels
	                     : (uint64_t)first->fan_channels * first->groups;
	if (taken != 0)
		channels = (taken + first->first_channel) * first->operands;
	if (first->in_rows != 0) {
		rows = (uint64_t)first->in_rows + first->crop_first + first->crop_last;
		columns = first->in_columns;
	}
	bool fits = found[0] == channels || (found[0] > channels && input_is_shared(network));
	if (fits && (uint64_t)found[1] * found[2] == rows * columns)
		return AI8X_OK;
	return network_error(
		error, AI8X_ERR_NETWORK, network, 0,
		"expected an input of %llux%llux%llu (channels x rows x columns), got %ux%ux%u from %s%s",
		(unsigned long long)channels, (unsigned long long)rows, (unsigned long long)columns, found[0],
		found[1], found[2], file,
		found[2] == channels && found[0] == rows && found[1] == columns && channels != rows
			? "; its channels come last: transpose it, numpy.transpose(sample, (2, 0, 1))"
			: "");
}

// What people's samples have that is not the network's: a first dimension that counts one sample, the range of
// pictures, fractions, channels last.
static ai8x_status settle_input(ai8x_network *network, struct array *array, double scale, const char *file,
                                ai8x_error *error)
{
	bool subtracted = false;
	if (array->rank == 4 && array->shape[0] == 1) {
		array->rank = 3;
		memmove(array->shape, array->shape + 1, 3 * sizeof array->shape[0]);
	}
	ai8x_status status = sample_settle(array, scale, file, &subtracted, error);
	if (status != AI8X_OK)
		return status;
	if (subtracted)
		network_note(network, -1, "%s: unsigned values from 0 to 255; 128 is subtracted", file);
	if (array->rank == 3 && sample_channels_last(array->shape)) {
		network_note(network, -1,
		             "%s: %zux%zux%zu looks like rows x columns x channels; channels are expected first",
		             file, array->shape[0], array->shape[1], array->shape[2]);
	}
	return AI8X_OK;
}

static ai8x_status apply_input(ai8x_network *network, struct array *array, double scale, const char *file,
                               ai8x_error *error)
{
	char shape[120];
	ai8x_status status = settle_input(network, array, scale, file, error);
	if (status != AI8X_OK)
		return status;
	shape_text(shape, sizeof shape, array);
	if (array->rank < 1 || array->rank > 3 || array->count == 0) {
		return error_set(error, AI8X_ERR_NETWORK,
		                 "%s: expected an input of channels x rows x columns, found %s", file, shape);
	}
	for (size_t i = 0; i < array->count; i++) {
		if (array->values[i] < -128 || array->values[i] > 127) {
			return error_set(error, AI8X_ERR_NETWORK,
			                 "%s: input value %d at index %zu does not fit 8 bits, -128 to 127; subtract "
			                 "128 from pixels 0 to 255",
			                 file, array->values[i], i);
		}
	}
	for (unsigned d = 0; d < 3; d++) {
		size_t side = d < array->rank ? array->shape[d] : 1;
		if (side > NETWORK_MAX_SIDE)
			return error_set(error, AI8X_ERR_NETWORK, "%s: an input of %s is too large", file, shape);
		network->input_shape[d] = (uint32_t)side;
	}
	free(network->input);
	network->input = to_bytes(array);
	return network->input == NULL ? error_no_memory(error, "the input")
	                              : check_input_shape(network, file, error);
}

// The shape asked for, where there is no sample; else both must agree.
static ai8x_status apply_shape(ai8x_network *network, const ai8x_network_files *files, ai8x_error *error)
{
	const uint32_t *shape = files->input_shape;
	uint64_t count = 1;
	for (unsigned d = 0; d < 3; d++) {
		count *= shape[d];
		if (shape[d] == 0 || shape[d] > NETWORK_MAX_SIDE || count > NETWORK_MAX_ELEMENTS) {
			return error_set(error, AI8X_ERR_ARGUMENT,
			                 "an input of %ux%ux%u: sizes go from 1 to %u, with at most %zu values", shape[0],
			                 shape[1], shape[2], NETWORK_MAX_SIDE, NETWORK_MAX_ELEMENTS);
		}
	}
	if (network->input != NULL && memcmp(shape, network->input_shape, sizeof network->input_shape) != 0) {
		return error_set(error, AI8X_ERR_NETWORK,
		                 "%s holds %ux%ux%u values, the input shape given is %ux%ux%u", files->input,
		                 network->input_shape[0], network->input_shape[1], network->input_shape[2], shape[0],
		                 shape[1], shape[2]);
	}
	memcpy(network->input_shape, shape, sizeof network->input_shape);
	return check_input_shape(network, "the input shape given", error);
}

static ai8x_status apply_weight_lists(ai8x_network *network, const struct array_list *weights, bool named,
                                      const char *file, const struct array_list *bias, const char *bias_file,
                                      ai8x_error *error)
{
	unsigned index = 0;
	size_t used = 0;
	for (size_t i = 0; i < network->layer_count; i++) {
		struct found found = {NULL, NULL, false, false, 0, 0};
		if (!is_weight_layer(&network->layers[i]))
			continue;
		if (named)
			find_named(weights, index, &found);
		else if (index < weights->count)
			found.weights = &weights->arrays[index];
		if (bias != NULL && index < bias->count)
			found.bias = &bias->arrays[index];
		if (found.weights == NULL && (named || weights->count > 0)) {
			return network_error(
				error, AI8X_ERR_NETWORK, network, (int)i,
				"%s has no weights for this layer (number %u of the layers with weights of their own)", file,
				index + 1);
		}
		used += found.weights != NULL;
		ai8x_status status =
			apply_found(network, i, &found, found.weights == NULL ? bias_file : file, !named, error);
		if (status != AI8X_OK)
			return status;
		index++;
	}
	if (!named && used < weights->count) {
		network_note(network, -1, "%s has weights of %zu layers, the network uses the first %zu", file,
		             weights->count, used);
	}
	return AI8X_OK;
}

// HDF5 side: a dataset as a named array. Missing datasets are not an error.
static ai8x_status read_dataset(hid_t file, const char *path, const char *name, const char *file_name,
                                struct array_list *list, ai8x_error *error)
{
	hsize_t sides[ARRAY_MAX_RANK] = {0};
	struct array array = {.count = 1};
	if (H5Lexists(file, path, H5P_DEFAULT) <= 0)
		return AI8X_OK;
	hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
	if (set < 0 && hdf5_lacks_resources())
		return error_no_memory(error, file_name);
	if (set < 0)
		return error_set(error, AI8X_ERR_FORMAT, "%s: '%s' is not a data set", file_name, path);
	hid_t space = H5Dget_space(set);
	hid_t type = H5Dget_type(set);
	int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
	// Only samples may hold fractions.
	const bool is_real = type >= 0 && H5Tget_class(type) == H5T_FLOAT && strcmp(name, "input") == 0;
	bool good = rank >= 0 && rank <= ARRAY_MAX_RANK && type >= 0 &&
	            (H5Tget_class(type) == H5T_INTEGER || is_real) &&
	            H5Sget_simple_extent_dims(space, sides, NULL) >= 0;
	array.bytes = good && !is_real && H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE;
	array.rank = good ? (unsigned)rank : 0;
	for (unsigned d = 0; good && d < array.rank; d++) {
		good = sides[d] <= NETWORK_MAX_ELEMENTS &&
		       (sides[d] == 0 || array.count <= NETWORK_MAX_ELEMENTS / sides[d]);
		array.shape[d] = (size_t)sides[d];
		array.count *= good ? (size_t)sides[d] : 1;
	}
	ai8x_status status = AI8X_OK;
	if (!good) {
		status = error_set(error, AI8X_ERR_FORMAT,
		                   "%s: dataset '%s': expected integers with at most %d dimensions", file_name, path,
		                   ARRAY_MAX_RANK);
	} else {
		struct array *arrays = realloc(list->arrays, (list->count + 1) * sizeof *arrays);
		array.values = malloc((array.count == 0 ? 1 : array.count) * sizeof *array.values);
		if (is_real)
			array.reals = malloc((array.count == 0 ? 1 : array.count) * sizeof *array.reals);
		if (arrays != NULL)
			list->arrays = arrays;
		if (arrays == NULL || array.values == NULL || (is_real && array.reals == NULL)) {
			free(array.values);
			free(array.reals);
			status = error_no_memory(error, "a dataset");
		} else if (H5Dread(set, is_real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT,
		                   is_real ? (void *)array.reals : (void *)array.values) < 0) {
			free(array.values);
			free(array.reals);
			status = error_set(error, AI8X_ERR_FORMAT, "%s: dataset '%s' cannot be read", file_name, path);
		} else {
			snprintf(array.name, sizeof array.name, "%s", name);
			list->arrays[list->count++] = array;
		}
	}
	if (type >= 0)
		H5Tclose(type);
	if (space >= 0)
		H5Sclose(space);
	H5Dclose(set);
	return status;
}

static ai8x_status read_attribute(hid_t file, const char *path, const char *attribute, const char *name,
                                  struct array_list *list, ai8x_error *error)
{
	if (H5Aexists_by_name(file, path, attribute, H5P_DEFAULT) <= 0)
		return AI8X_OK;
	hid_t id = H5Aopen_by_name(file, path, attribute, H5P_DEFAULT, H5P_DEFAULT);
	hid_t space = id < 0 ? -1 : H5Aget_space(id);
	hid_t type = id < 0 ? -1 : H5Aget_type(id);
	int32_t value = 0;
	bool good = space >= 0 && H5Sget_simple_extent_npoints(space) == 1 && type >= 0 &&
	            H5Tget_class(type) == H5T_INTEGER && H5Aread(id, H5T_NATIVE_INT32, &value) >= 0;
	if (type >= 0)
		H5Tclose(type);
	if (space >= 0)
		H5Sclose(space);
	if (id >= 0)
		H5Aclose(id);
	if (!good) {
		return error_set(error, AI8X_ERR_FORMAT, "attribute '%s' of '%s': expected one integer", attribute,
		                 path);
	}
	struct array *arrays = realloc(list->arrays, (list->count + 1) * sizeof *arrays);
	if (arrays != NULL)
		list->arrays = arrays;
	struct array array = {.count = 1, .values = malloc(sizeof *array.values)};
	if (arrays == NULL || array.values == NULL) {
		free(array.values);
		return error_no_memory(error, "an attribute");
	}
	array.values[0] = value;
	snprintf(array.name, sizeof array.name, "%s", name);
	list->arrays[list->count++] = array;
	return AI8X_OK;
}

// Reads /input and, for @p layers weight layers, /weights/K into arrays with the names that .npz archives use.
static ai8x_status read_arrays(const char *path, unsigned layers, struct array_list *list,
                               struct hdf5_session *session, ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	hdf5_session_begin(session);
	struct hdf5_source source;
	status = hdf5_source_open(&source, path, HDF5_SOURCE_MOST, error);
	const hid_t file = source.file;
	if (status == AI8X_OK) {
		status = read_dataset(file, "/input", "input", path, list, error);
		for (unsigned k = 0; k < layers && status == AI8X_OK; k++) {
			char group[32], set[48], name[32];
			snprintf(group, sizeof group, "/weights/%u", k);
			if (H5Lexists(file, "/weights", H5P_DEFAULT) <= 0 || H5Lexists(file, group, H5P_DEFAULT) <= 0)
				break;
			snprintf(set, sizeof set, "%s/weight", group);
			snprintf(name, sizeof name, "weight_%u", k);
			status = read_dataset(file, set, name, path, list, error);
			snprintf(set, sizeof set, "%s/bias", group);
			snprintf(name, sizeof name, "bias_%u", k);
			if (status == AI8X_OK && H5Lexists(file, set, H5P_DEFAULT) > 0)
				status = read_dataset(file, set, name, path, list, error);
			snprintf(name, sizeof name, "weight_bits_%u", k);
			if (status == AI8X_OK)
				status = read_attribute(file, group, "weight_bits", name, list, error);
			snprintf(name, sizeof name, "output_shift_%u", k);
			if (status == AI8X_OK)
				status = read_attribute(file, group, "output_shift", name, list, error);
		}
		hdf5_source_close(&source);
	}
	hdf5_session_end(session);
	status = hdf5_session_verdict(session, status, AI8X_ERR_FORMAT, path, error);
	if (status != AI8X_OK)
		arrays_release(list);
	return status;
}

static ai8x_status read_hdf5(const char *path, unsigned layers, struct array_list *list, ai8x_error *error)
{
	struct hdf5_session session;
	const ai8x_status status = read_arrays(path, layers, list, &session, error);
	return hdf5_session_doubtful(&session, status) ? read_arrays(path, layers, list, &session, error)
	                                               : status;
}

static ai8x_status look_for_hdf5(const char *path, bool *found, ai8x_error *error)
{
	static const unsigned char magic[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
	unsigned char bytes[8] = {0};
	size_t size = sizeof bytes;
	int fd;
	struct stat info;
	ai8x_status status = file_open(path, &fd, &info, error);
	if (status != AI8X_OK)
		return status;
	status = file_read_at(fd, path, 0, bytes, &size, error);
	*found = size == sizeof bytes && memcmp(bytes, magic, sizeof magic) == 0;
	(void)close(fd);
	return status;
}

// Opens any of the formats. *named tells whether arrays have the names of the schema. network NULL: all layers.
static ai8x_status open_any(const ai8x_network *network, const char *path, bool samples,
                            struct array_list *list, bool *named, ai8x_error *error)
{
	unsigned layers = network == NULL ? NETWORK_MAX_LAYERS : 0;
	*list = (struct array_list){NULL, 0};
	bool is_hdf5 = false;
	ai8x_status status = look_for_hdf5(path, &is_hdf5, error);
	if (status != AI8X_OK)
		return status;
	for (size_t i = 0; network != NULL && i < network->layer_count; i++)
		layers += is_weight_layer(&network->layers[i]);
	if (is_hdf5) {
		*named = true;
		return read_hdf5(path, layers, list, error);
	}
	status = samples ? arrays_open_samples(path, list, error) : arrays_open(path, list, error);
	*named = status == AI8X_OK && list->count > 0 && list->arrays[0].name[0] != '\0';
	return status;
}

ai8x_status weights_load(ai8x_network *network, const ai8x_network_files *files, ai8x_error *error)
{
	struct array_list weights = {NULL, 0};
	struct array_list bias = {NULL, 0};
	struct array_list input = {NULL, 0};
	bool named = false;
	bool unused = false;
	ai8x_status status = AI8X_OK;

	if (files->weights != NULL) {
		status = open_any(network, files->weights, false, &weights, &named, error);
		if (status == AI8X_OK && !named)
			status = split_stack(&weights, weight_rank(network, &weights), error);
	}
	if (status == AI8X_OK && files->bias != NULL)
		status = open_any(network, files->bias, false, &bias, &unused, error);
	if (status == AI8X_OK && files->input != NULL)
		status = open_any(network, files->input, true, &input, &unused, error);
	if (status == AI8X_OK && (files->weights != NULL || files->bias != NULL)) {
		status = apply_weight_lists(network, &weights, named, files->weights,
		                            files->bias == NULL ? NULL : &bias, files->bias, error);
	}
	if (status == AI8X_OK && files->input != NULL) {
		struct array *array = arrays_find(&input, "input");
		array = array == NULL && input.count > 0 ? &input.arrays[0] : array;
		status = array == NULL ? error_set(error, AI8X_ERR_FORMAT, "%s: has no dataset 'input'", files->input)
		                       : apply_input(network, array, files->input_scale, files->input, error);
	} else if (status == AI8X_OK && files->input_shape == NULL && named &&
	           arrays_find(&weights, "input") != NULL) {
		status =
			apply_input(network, arrays_find(&weights, "input"), files->input_scale, files->weights, error);
	}
	if (status == AI8X_OK && files->input_shape != NULL)
		status = apply_shape(network, files, error);
	arrays_release(&weights);
	arrays_release(&bias);
	arrays_release(&input);
	return status;
}

// A layer of which only the weights file is known.
static ai8x_status take_alone(ai8x_network_layer *layer, const struct found *found, const char *path,
                              ai8x_error *error)
{
	const struct array *weights = found->weights;
	if (weights->rank < 2 || weights->rank > 4 || weights->count == 0)
		return error_set(error, AI8X_ERR_FORMAT, "%s: expected weights with two to four dimensions", path);
	layer->operation = weights->rank == 4   ? AI8X_OP_CONV2D
	                   : weights->rank == 3 ? AI8X_OP_CONV1D
	                                        : AI8X_OP_LINEAR;
	layer->out_channels = (uint32_t)weights->shape[0];
	layer->fan_channels = (uint32_t)weights->shape[1];
	layer->kernel_rows = weights->rank > 2 ? (uint32_t)weights->shape[2] : 1;
	layer->kernel_columns = weights->rank > 3 ? (uint32_t)weights->shape[3] : 1;
	layer->weight_bits = found->has_bits ? found->bits : 8;
	layer->weight_count = weights->count;
	layer->weights = to_bytes(weights);
	if (found->bias != NULL && found->bias->count == layer->out_channels)
		layer->bias = to_bytes(found->bias);
	return layer->weights == NULL ? error_no_memory(error, "weights") : AI8X_OK;
}

ai8x_status ai8x_network_open_weights(const char *path, ai8x_network **network, ai8x_error *error)
{
	if (network != NULL)
		*network = NULL;
	if (path == NULL || network == NULL)
		return error_null(error, path == NULL ? "path" : "network");
	struct array_list list = {NULL, 0};
	struct found found = {.weights = NULL};
	size_t count = 0;
	bool named = false;
	ai8x_status status = open_any(NULL, path, false, &list, &named, error);
	// One array of five dimensions counts layers in its first one.
	if (status == AI8X_OK && !named)
		status = split_stack(&list, 4, error);
	for (find_named(&list, 0, &found); named && found.weights != NULL && count < NETWORK_MAX_LAYERS;)
		find_named(&list, (unsigned)++count, &found);
	if (!named)
		count = list.count < NETWORK_MAX_LAYERS ? list.count : NETWORK_MAX_LAYERS;
	if (status == AI8X_OK && count == 0)
		status = error_set(error, AI8X_ERR_FORMAT, "%s: has no weights", path);
	if (status == AI8X_OK)
		status = ai8x_network_create(path, count, network, error);
	for (size_t i = 0; status == AI8X_OK && i < count; i++) {
		found = (struct found){.weights = named ? NULL : &list.arrays[i]};
		if (named)
			find_named(&list, (unsigned)i, &found);
		status = take_alone(&(*network)->layers[i], &found, path, error);
	}
	arrays_release(&list);
	if (status != AI8X_OK) {
		ai8x_network_destroy(*network);
		*network = NULL;
	}
	return status;
}

static bool write_integers(hid_t file, const char *path, int rank, const hsize_t *sides, const int8_t *values)
{
	hid_t space = H5Screate_simple(rank, sides, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
	(void)H5Pset_obj_track_times(list, false);
	hid_t set = space < 0 ? -1 : H5Dcreate2(file, path, H5T_STD_I8LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
	bool ok = set >= 0 && H5Dwrite(set, H5T_NATIVE_INT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
	ok = (set < 0 || H5Dclose(set) >= 0) && ok;
	(void)H5Pclose(list);
	if (space >= 0)
		H5Sclose(space);
	return ok;
}

// Without time stamps: equal weights are equal files.
static hid_t create_group(hid_t file, const char *path)
{
	hid_t list = H5Pcreate(H5P_GROUP_CREATE);
	(void)H5Pset_obj_track_times(list, false);
	hid_t group = H5Gcreate2(file, path, H5P_DEFAULT, list, H5P_DEFAULT);
	(void)H5Pclose(list);
	return group;
}

static bool write_integer_attribute(hid_t object, const char *name, int32_t value)
{
	hid_t space = H5Screate(H5S_SCALAR);
	hid_t id = space < 0 ? -1 : H5Acreate2(object, name, H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
	bool ok = id >= 0 && H5Awrite(id, H5T_NATIVE_INT32, &value) >= 0;
	ok = (id < 0 || H5Aclose(id) >= 0) && ok;
	if (space >= 0)
		H5Sclose(space);
	return ok;
}

static bool write_text_attribute(hid_t object, const char *name, const char *text)
{
	hid_t type = H5Tcopy(H5T_C_S1);
	hid_t space = H5Screate(H5S_SCALAR);
	bool ok = type >= 0 && space >= 0 && H5Tset_size(type, strlen(text) + 1) >= 0;
	hid_t id = ok ? H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT) : -1;
	ok = id >= 0 && H5Awrite(id, type, text) >= 0;
	ok = (id < 0 || H5Aclose(id) >= 0) && ok;
	if (space >= 0)
		H5Sclose(space);
	if (type >= 0)
		H5Tclose(type);
	return ok;
}

static bool write_weight_layer(hid_t file, const ai8x_network_layer *layer, unsigned index)
{
	char group[32], path[48];
	snprintf(group, sizeof group, "/weights/%u", index);
	hid_t id = create_group(file, group);
	int correction = layer->weight_bits == -1 ? 7 : 8 - layer->weight_bits;
	bool ok = id >= 0 && write_integer_attribute(id, "weight_bits", layer->weight_bits) &&
	          write_integer_attribute(id, "output_shift", layer->output_shift - correction) &&
	          write_integer_attribute(id, "layer", (int32_t)layer->number) &&
	          (layer->name == NULL || write_text_attribute(id, "name", layer->name));
	if (ok && layer->weights != NULL) {
		hsize_t sides[4] = {layer->out_channels, layer->fan_channels, layer->kernel_rows,
		                    layer->kernel_columns};
		int rank = layer->operation == AI8X_OP_CONV1D ? 3 : layer->operation == AI8X_OP_LINEAR ? 2 : 4;
		snprintf(path, sizeof path, "%s/weight", group);
		ok = write_integers(file, path, rank, sides, layer->weights);
	}
	if (ok && layer->bias != NULL) {
		hsize_t side = layer->out_channels;
		snprintf(path, sizeof path, "%s/bias", group);
		ok = write_integers(file, path, 1, &side, layer->bias);
	}
	if (id >= 0)
		H5Gclose(id);
	return ok;
}

ai8x_status ai8x_network_write_weights(const ai8x_network *network, const char *path, ai8x_error *error)
{
	if (network == NULL || path == NULL)
		return error_null(error, network == NULL ? "network" : "path");
	struct hdf5_session session;
	struct hdf5_image image;
	unsigned index = 0;

	ai8x_status status = file_check_replaceable(path, error);
	if (status != AI8X_OK)
		return status;
	hdf5_session_begin(&session);
	hid_t file = hdf5_image_create(&image, path, error);
	bool ok = file >= 0;
	if (ok) {
		hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
		hid_t group = create_group(file, "/weights");
		ok = root >= 0 && group >= 0 && write_text_attribute(root, "format", "ai8x-weights") &&
		     write_integer_attribute(root, "version", 1);
		if (root >= 0)
			H5Gclose(root);
		if (group >= 0)
			H5Gclose(group);
	}
	for (size_t i = 0; ok && i < network->layer_count; i++)
		if (is_weight_layer(&network->layers[i]))
			ok = write_weight_layer(file, &network->layers[i], index++);
	if (ok && network->input != NULL) {
		hsize_t sides[3] = {network->input_shape[0], network->input_shape[1], network->input_shape[2]};
		ok = write_integers(file, "/input", 3, sides, network->input);
	}
	hdf5_session_end(&session);
	if (!ok && file >= 0)
		status = error_set(error, AI8X_ERR_NO_MEMORY, "%s: the file could not be made in memory", path);
	status = hdf5_session_verdict(&session, status, AI8X_ERR_IO, path, error);
	return hdf5_image_write(&image, file, path, file < 0 ? AI8X_ERR_NO_MEMORY : status, error);
}
