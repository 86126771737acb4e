// Networks as values: creating, copying, freeing, and the messages that name file, line and layer.

#include "network/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void layer_defaults(ai8x_network_layer *layer, unsigned number)
{
	memset(layer, 0, sizeof *layer);
	layer->number = number;
	layer->operation = AI8X_OP_CONV2D;
	layer->operands = 1;
	layer->eltwise = AI8X_ELTWISE_ADD;
	layer->pool_first = true;
	layer->pooling = AI8X_POOL_NONE;
	layer->pool_rows = 1;
	layer->pool_columns = 1;
	layer->pool_stride = 1;
	layer->pool_dilation_rows = 1;
	layer->pool_dilation_columns = 1;
	layer->groups = 1;
	layer->kernel_rows = 3;
	layer->kernel_columns = 3;
	layer->pad_rows = 1;
	layer->pad_columns = 1;
	layer->dilation = 1;
	layer->weight_bits = 8;
	layer->output_bits = 8;
	layer->bias_wanted = true;
	layer->weight_source = -1;
	layer->in_offset = AI8X_NETWORK_CHOOSE;
	layer->out_offset = AI8X_NETWORK_CHOOSE;
	layer->tcalc = AI8X_NETWORK_DEFAULT;
	layer->next = AI8X_NETWORK_DEFAULT;
	layer->next_simulated = AI8X_NETWORK_DEFAULT;
	layer->next_snoop = AI8X_NETWORK_DEFAULT;
}

ai8x_status ai8x_network_create(const char *name, size_t layer_count, ai8x_network **network,
                                ai8x_error *error)
{
	if (network != NULL)
		*network = NULL;
	if (name == NULL || network == NULL)
		return error_null(error, name == NULL ? "name" : "network");
	if (layer_count == 0 || layer_count > NETWORK_MAX_LAYERS) {
		return error_set(error, AI8X_ERR_ARGUMENT, "a network has 1 to %u layers, not %zu",
		                 NETWORK_MAX_LAYERS, layer_count);
	}
	ai8x_network *created = calloc(1, sizeof *created);
	if (created == NULL)
		return error_no_memory(error, "a network");
	created->name = strdup(name == NULL ? "network" : name);
	created->layers = calloc(layer_count, sizeof *created->layers);
	if (created->name == NULL || created->layers == NULL) {
		ai8x_network_destroy(created);
		return error_no_memory(error, "a network's layers");
	}
	created->layer_count = layer_count;
	for (size_t i = 0; i < layer_count; i++)
		layer_defaults(&created->layers[i], (unsigned)i);
	*network = created;
	return AI8X_OK;
}

static void free_lines(char **lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(lines[i]);
	free(lines);
}

void ai8x_network_destroy(ai8x_network *network)
{
	if (network == NULL)
		return;
	for (size_t i = 0; network->layers != NULL && i < network->layer_count; i++) {
		free(network->layers[i].name);
		free(network->layers[i].weights);
		free(network->layers[i].bias);
	}
	free_lines(network->notes, network->note_count);
	free_lines(network->warnings, network->warning_count);
	for (size_t i = 0; i < sizeof network->read_from / sizeof network->read_from[0]; i++)
		free(network->read_from[i]);
	free(network->layers);
	free(network->input);
	free(network->arch);
	free(network->part);
	free(network->dataset);
	free(network->file);
	free(network->name);
	free(network);
}

static bool copy_text(char **copy, const char *text)
{
	*copy = text == NULL ? NULL : strdup(text);
	return text == NULL || *copy != NULL;
}

static bool copy_bytes(int8_t **copy, const int8_t *bytes, size_t count)
{
	*copy = NULL;
	if (bytes == NULL)
		return true;
	*copy = malloc(count == 0 ? 1 : count);
	if (*copy != NULL)
		memcpy(*copy, bytes, count);
	return *copy != NULL;
}

static bool copy_layer(ai8x_network_layer *to, const ai8x_network_layer *from)
{
	*to = *from;
	to->name = NULL;
	to->weights = NULL;
	to->bias = NULL;
	return copy_text(&to->name, from->name) && copy_bytes(&to->weights, from->weights, from->weight_count) &&
	       copy_bytes(&to->bias, from->bias, from->out_channels);
}

static bool copy_lines(char ***copy, size_t *made, char *const *lines, size_t count)
{
	if (count == 0)
		return true;
	*copy = calloc(count, sizeof **copy);
	for (size_t i = 0; *copy != NULL && i < count; i++) {
		if (!copy_text(&(*copy)[i], lines[i]))
			return false;
		*made = i + 1;
	}
	return *copy != NULL;
}

ai8x_status ai8x_network_copy(const ai8x_network *network, ai8x_network **copy, ai8x_error *error)
{
	if (copy != NULL)
		*copy = NULL;
	if (network == NULL || copy == NULL)
		return error_null(error, network == NULL ? "network" : "copy");
	ai8x_network *made = NULL;
	ai8x_status status = ai8x_network_create(network->name, network->layer_count, &made, error);
	if (status != AI8X_OK || made == NULL)
		return status;
	size_t input = (size_t)network->input_shape[0] * network->input_shape[1] * network->input_shape[2];
	bool ok = copy_text(&made->file, network->file) && copy_text(&made->arch, network->arch) &&
	          copy_text(&made->part, network->part) && copy_text(&made->dataset, network->dataset) &&
	          copy_bytes(&made->input, network->input, input);
	for (size_t i = 0; ok && i < network->layer_count; i++)
		ok = copy_layer(&made->layers[i], &network->layers[i]);
	ok = ok && copy_lines(&made->notes, &made->note_count, network->notes, network->note_count) &&
	     copy_lines(&made->warnings, &made->warning_count, network->warnings, network->warning_count);
	if (!ok) {
		ai8x_network_destroy(made);
		return error_no_memory(error, "a copy of a network");
	}
	memcpy(made->input_shape, network->input_shape, sizeof made->input_shape);
	made->average_rounding = network->average_rounding;
	made->first_set = network->first_set;
	made->output_map = network->output_map;
	memcpy(made->snoop, network->snoop, sizeof made->snoop);
	made->snoop_given = network->snoop_given;
	*copy = made;
	return AI8X_OK;
}

// "file:line: layer N (name): " before a message.
static int place_text(char *text, size_t size, const ai8x_network *network, int position)
{
	int length = 0;
	text[0] = '\0';
	const ai8x_network_layer *layer = position < 0 ? NULL : &network->layers[position];
	if (network->file != NULL && layer != NULL && layer->line > 0)
		length = snprintf(text, size, "%s:%u: ", network->file, layer->line);
	else if (network->file != NULL)
		length = snprintf(text, size, "%s: ", network->file);
	if (layer != NULL && length >= 0 && (size_t)length < size) {
		length +=
			snprintf(text + length, size - (size_t)length,
		             layer->name == NULL ? "layer %u: " : "layer %u (%s): ", layer->number, layer->name);
	}
	return length;
}

ai8x_status network_error(ai8x_error *error, ai8x_status status, const ai8x_network *network, int position,
                          const char *format, ...)
{
	char place[AI8X_MESSAGE_SIZE / 2];
	char text[AI8X_MESSAGE_SIZE];
	va_list arguments;

	place_text(place, sizeof place, network, position);
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return error_set(error, status, "%s%s", place, text);
}

static void add_line(const ai8x_network *network, int position, char ***lines, size_t *count,
                     const char *format, va_list arguments)
{
	char place[AI8X_MESSAGE_SIZE / 2];
	char text[2 * AI8X_MESSAGE_SIZE];
	const ai8x_network_layer *layer = position < 0 ? NULL : &network->layers[position];
	place[0] = '\0';
	if (layer != NULL) {
		snprintf(place, sizeof place, layer->name == NULL ? "layer %u: " : "layer %u (%s): ", layer->number,
		         layer->name);
	}
	vsnprintf(text, sizeof text, format, arguments);
	size_t size = strlen(place) + strlen(text) + 1;
	char *line = malloc(size);
	char **more = realloc(*lines, (*count + 1) * sizeof *more);
	if (more != NULL)
		*lines = more;
	if (line == NULL || more == NULL) {
		free(line);
		return;
	}
	snprintf(line, size, "%s%s", place, text);
	more[(*count)++] = line;
}

void network_note(ai8x_network *network, int position, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	add_line(network, position, &network->notes, &network->note_count, format, arguments);
	va_end(arguments);
}

void network_warning(ai8x_network *network, int position, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	add_line(network, position, &network->warnings, &network->warning_count, format, arguments);
	va_end(arguments);
}

bool network_has_weights(const ai8x_network_layer *layer)
{
	return layer->operation != AI8X_OP_PASSTHROUGH && !layer->bypass;
}

bool network_adds_bias(const ai8x_network *network, int position)
{
	const ai8x_network_layer *layer = &network->layers[position];
	const ai8x_network_layer *source = ai8x_network_weights_of(network, (size_t)position);
	const int8_t *bias = network_has_weights(layer) ? source->bias : layer->bias;
	if (layer->operation == AI8X_OP_PASSTHROUGH)
		return false;
	if (bias == NULL)
		return network_has_weights(layer) && source->weights == NULL && layer->bias_wanted;
	for (uint32_t c = 0; c < layer->out_channels; c++)
		if (bias[c] != 0)
			return true;
	return false;
}

size_t network_weight_count(const ai8x_network_layer *layer)
{
	return (size_t)layer->out_channels * layer->fan_channels * layer->kernel_rows * layer->kernel_columns;
}

const ai8x_network_layer *ai8x_network_weights_of(const ai8x_network *network, size_t position)
{
	if (network == NULL || position >= network->layer_count)
		return NULL;
	// A chain of sources ends after as many steps as there are layers, or it is a circle.
	for (size_t steps = 0; steps < network->layer_count && network->layers[position].weight_source >= 0;
	     steps++)
		position = (size_t)network->layers[position].weight_source;
	return &network->layers[position];
}

int network_next(const ai8x_network *network, size_t position)
{
	if (network == NULL || position >= network->layer_count)
		return AI8X_NETWORK_STOP;
	int next = network->layers[position].next;
	if (next == AI8X_NETWORK_DEFAULT)
		next = position + 1 < network->layer_count ? (int)position + 1 : AI8X_NETWORK_STOP;
	return next;
}

// The layer that runs before this one in an undisturbed run, or -1.
static int run_before(const ai8x_network *network, size_t position)
{
	int before = -1;
	int at = 0;
	for (size_t steps = 0; at >= 0 && steps < network->layer_count; steps++) {
		if (at == (int)position)
			return before;
		before = at;
		at = network_next(network, (size_t)at);
	}
	return -1;
}

int network_previous(const ai8x_network *network, size_t position)
{
	// In the order in which results are expected; then in that of a run; then in that of links; without any the
	// one before.
	for (size_t i = 0; i < network->layer_count; i++)
		if (network->layers[i].next_simulated == (int)position)
			return (int)i;
	const int before = run_before(network, position);
	if (before >= 0)
		return before;
	if (position > 0 && network_next(network, position - 1) == (int)position)
		return (int)position - 1;
	for (size_t i = 0; i < network->layer_count; i++)
		if (i != position &&
		    (network_next(network, i) == (int)position || network->layers[i].next_snoop == (int)position))
			return (int)i;
	return (int)position - 1;
}
