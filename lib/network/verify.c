// Does every layer read what its sources wrote? Descriptions that give processors and offsets themselves can be
// wrong without being impossible; this compares where a layer reads each channel with where the source
// wrote it, looks whether another layer has written there since, and warns (the program would run, and compute
// something else).

#include "network/verify.h"

#include <stdio.h>
#include <stdlib.h>

// Bytes of a data memory word, one for each processor of the instance.
#define LANES 4u

// Who wrote each byte of data memory last.
struct owners {
	uint16_t *tensors; // 0: nobody yet, 1: the network's input, i + 2: layer i
	uint32_t words;    // of an instance
};

// A value of a source tensor.
struct origin {
	int source; // position, or AI8X_NETWORK_INPUT
	uint32_t channel, pixel;
};

static uint32_t source_channels(const ai8x_network *network, int source)
{
	return source < 0 ? network->input_shape[0] : network->layers[source].out_channels;
}

static uint32_t source_pixels(const ai8x_network *network, int source)
{
	return source < 0 ? network->input_shape[1] * network->input_shape[2]
	                  : network->layers[source].out_rows * network->layers[source].out_columns;
}

static uint32_t source_columns(const ai8x_network *network, int source)
{
	return source < 0 ? network->input_shape[2] : network->layers[source].out_columns;
}

// Where channel c, pixel y of an operand of a layer comes from.
static struct origin origin_of(const ai8x_network *network, const ai8x_network_layer *layer, uint32_t operand,
                               uint32_t c, uint32_t y)
{
	uint32_t all = 0;
	for (unsigned k = 0; k < layer->source_count; k++)
		all += source_channels(network, layer->sources[k]);
	uint32_t columns =
		layer->join == AI8X_JOIN_PIXELS ? layer->in_columns : source_columns(network, layer->sources[0]);
	uint32_t pixel = y + layer->crop_first * columns;
	unsigned k = 0;
	if (layer->join == AI8X_JOIN_PIXELS) {
		while (k + 1 < layer->source_count && pixel >= source_pixels(network, layer->sources[k]))
			pixel -= source_pixels(network, layer->sources[k++]);
		return (struct origin){layer->sources[k], layer->first_channel + c, pixel};
	}
	uint32_t channel = operand * (all / layer->operands) + layer->first_channel + c;
	while (k + 1 < layer->source_count && channel >= source_channels(network, layer->sources[k]))
		channel -= source_channels(network, layer->sources[k++]);
	return (struct origin){layer->sources[k], channel, pixel};
}

// Where a value was written.
static ai8x_output_place written_at(const struct plan *plan, const struct origin *origin)
{
	if (origin->source >= 0)
		return plan_output_place(&plan->layers[origin->source], origin->channel, origin->pixel);
	const struct plan_layer *first = &plan->layers[0];
	uint32_t each = plan->network->input_shape[0] / first->net->operands;
	uint32_t skipped = first->net->first_channel;
	uint32_t crop = first->net->crop_first * plan->network->input_shape[2];
	return plan_input_place(first, origin->channel / each, origin->channel % each - skipped,
	                        origin->pixel - crop);
}

// A layer whose data passes through a ring, or whose source has 32-bit values, has no fixed places.
static bool has_places(const struct plan *plan, const struct plan_layer *layer)
{
	bool fixed = !layer->streaming;
	for (unsigned k = 0; k < layer->net->source_count; k++) {
		int source = layer->net->sources[k];
		fixed =
			fixed && (source < 0 ? !plan->layers[0].streaming : plan->layers[source].net->output_bits == 8);
	}
	return fixed;
}

static uint16_t *owner_at(const struct owners *owners, const ai8x_output_place *place)
{
	return place->word < owners->words
	           ? &owners
	                  ->tensors[((size_t)place->instance * owners->words + place->word) * LANES + place->lane]
	           : NULL;
}

static uint16_t owner_of(int source)
{
	return (uint16_t)(source + 2);
}

static void own(const struct owners *owners, const ai8x_output_place *place, unsigned lanes, int source)
{
	uint16_t *owner = owner_at(owners, place);
	for (unsigned n = 0; owner != NULL && n < lanes; n++)
		owner[n] = owner_of(source);
}

static void own_input(const struct plan *plan, const struct owners *owners)
{
	const ai8x_network_layer *net = plan->layers[0].net;
	if (plan->feed != AI8X_FEED_MEMORY)
		return;
	for (uint32_t operand = 0; operand < net->operands; operand++) {
		for (uint32_t c = 0; c < net->in_channels; c++) {
			for (uint32_t y = 0; y < net->in_rows * net->in_columns; y++) {
				ai8x_output_place place = plan_input_place(&plan->layers[0], operand, c, y);
				own(owners, &place, 1, AI8X_NETWORK_INPUT);
			}
		}
	}
}

static void own_output(const struct plan *plan, const struct plan_layer *layer, const struct owners *owners)
{
	const ai8x_network_layer *net = layer->net;
	size_t next = layer->position + 1;
	if (next < plan->count && plan->layers[next].streaming)
		return; // a ring, whose words belong to nobody for long
	unsigned lanes = net->output_bits == 8 ? 1 : LANES;
	for (uint32_t c = 0; c < net->out_channels; c++) {
		for (uint32_t y = 0; y < net->out_rows * net->out_columns; y++) {
			ai8x_output_place place = plan_output_place(layer, c, y);
			own(owners, &place, lanes, (int)layer->position);
		}
	}
}

// false: somebody else wrote there, which is told.
static bool check_owner(const struct plan *plan, const struct plan_layer *layer, const struct owners *owners,
                        uint32_t operand, uint32_t c, uint32_t y, ai8x_network *network)
{
	struct origin origin = origin_of(plan->network, layer->net, operand, c, y);
	ai8x_output_place place = plan_input_place(layer, operand, c, y);
	const uint16_t *owner = owner_at(owners, &place);
	if (owner == NULL || *owner < owner_of(0) || *owner == owner_of(origin.source))
		return true;
	char of[48] = "the network's input";
	if (origin.source >= 0)
		snprintf(of, sizeof of, "the output of layer %u", plan->network->layers[origin.source].number);
	const ai8x_network_layer *writer = &plan->network->layers[*owner - owner_of(0)];
	network_warning(network, (int)layer->position,
	                "reads channel %u, pixel %u of %s from word 0x%x (offset 0x%x) of data memory instance "
	                "%u, but layer %u "
	                "writes its output there in the meantime; check the out_offset of layer %u",
	                origin.channel, origin.pixel, of, place.word, 4 * place.word, place.instance,
	                writer->number, writer->number);
	return false;
}

static void check_owners(const struct plan *plan, const struct plan_layer *layer, const struct owners *owners,
                         ai8x_network *network)
{
	const ai8x_network_layer *net = layer->net;
	for (uint32_t operand = 0; operand < net->operands; operand++) {
		for (uint32_t c = 0; c < net->in_channels; c++) {
			for (uint32_t y = 0; y < net->in_rows * net->in_columns; y++)
				if (!check_owner(plan, layer, owners, operand, c, y, network))
					return;
		}
	}
}

static bool trace_value(const struct plan *plan, const struct plan_layer *layer, uint32_t operand, uint32_t c,
                        uint32_t y, ai8x_network *network)
{
	struct origin origin = origin_of(plan->network, layer->net, operand, c, y);
	ai8x_output_place read = plan_input_place(layer, operand, c, y);
	ai8x_output_place written = written_at(plan, &origin);
	if (read.instance == written.instance && read.word == written.word && read.lane == written.lane)
		return true;
	char from[48] = "the network's input";
	if (origin.source >= 0)
		snprintf(from, sizeof from, "layer %u", plan->network->layers[origin.source].number);
	network_warning(network, (int)layer->position,
	                "reads channel %u, pixel %u of %s from word 0x%x (offset 0x%x) of data memory instance "
	                "%u (byte %u), but "
	                "it was written to word 0x%x (offset 0x%x) of instance %u (byte %u); check processors, "
	                "offsets (in_offset, "
	                "out_offset) and gaps",
	                origin.channel, origin.pixel, from, read.word, 4 * read.word, read.instance, read.lane,
	                written.word, 4 * written.word, written.instance, written.lane);
	return false;
}

static bool trace_layer(const struct plan *plan, const struct plan_layer *layer, ai8x_network *network)
{
	const ai8x_network_layer *net = layer->net;
	uint32_t last = net->in_rows * net->in_columns - 1;
	const uint32_t pixels[3] = {0, last > 0, last};
	for (uint32_t operand = 0; operand < net->operands; operand++) {
		for (uint32_t c = 0; c < net->in_channels; c++) {
			for (unsigned k = 0; k < 3; k++)
				if (!trace_value(plan, layer, operand, c, pixels[k], network))
					return false;
		}
	}
	return true;
}

// Words of each data memory instance between which a tensor lies; `end` 0: none.
struct hull {
	uint32_t first[AI8X_INSTANCES], end[AI8X_INSTANCES];
};

static void widen(struct hull *hull, const ai8x_output_place *place)
{
	uint32_t *first = &hull->first[place->instance], *end = &hull->end[place->instance];
	*first = *end == 0 || place->word < *first ? place->word : *first;
	*end = place->word >= *end ? place->word + 1 : *end;
}

// Places of a channel grow with the pixel: its first and last one bound it.
static struct hull hull_of(const struct plan *plan, int source)
{
	struct hull hull = {.end = {0}};
	const ai8x_network_layer *net = plan->layers[source < 0 ? 0 : source].net;
	if (source >= 0) {
		for (uint32_t c = 0; c < net->out_channels; c++) {
			ai8x_output_place first = plan_output_place(&plan->layers[source], c, 0);
			ai8x_output_place last =
				plan_output_place(&plan->layers[source], c, net->out_rows * net->out_columns - 1);
			widen(&hull, &first);
			widen(&hull, &last);
		}
		return hull;
	}
	for (uint32_t operand = 0; operand < net->operands; operand++) {
		for (uint32_t c = 0; c < net->in_channels; c++) {
			ai8x_output_place first = plan_input_place(&plan->layers[0], operand, c, 0);
			ai8x_output_place last =
				plan_input_place(&plan->layers[0], operand, c, net->in_rows * net->in_columns - 1);
			widen(&hull, &first);
			widen(&hull, &last);
		}
	}
	return hull;
}

static bool hulls_meet(const struct hull *a, const struct hull *b)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		if (a->first[i] < b->end[i] && b->first[i] < a->end[i])
			return true;
	return false;
}

// Whether any layer may find another's output where its source was. `hulls`: [layers + 1], the input's first.
static bool may_be_overwritten(const struct plan *plan, const struct hull *hulls)
{
	for (size_t reader = 0; reader < plan->order_count; reader++) {
		const struct plan_layer *layer = &plan->layers[plan->order[reader]];
		for (unsigned k = 0; k < layer->net->source_count; k++) {
			const int source = layer->net->sources[k];
			for (size_t n = reader; n > 0 && (int)plan->order[n - 1] != source; n--)
				if (hulls_meet(&hulls[source + 1], &hulls[plan->order[n - 1] + 1]))
					return true;
		}
	}
	return false;
}

static ai8x_status find_overwritten(const struct plan *plan, bool *may_be, ai8x_error *error)
{
	struct hull *hulls = calloc(plan->count + 1, sizeof *hulls);
	if (hulls == NULL)
		return error_no_memory(error, "tracing a network's data");
	for (size_t n = 0; n <= plan->count; n++)
		hulls[n] = hull_of(plan, (int)n - 1);
	*may_be = may_be_overwritten(plan, hulls);
	free(hulls);
	return AI8X_OK;
}

ai8x_status network_verify(const struct plan *plan, ai8x_network *network, ai8x_error *error)
{
	ai8x_status status = network_verify_rules(plan, network, error);
	if (status != AI8X_OK)
		return status;
	// Following every value takes long; where no two tensors come near each other, there is nothing to follow.
	struct owners owners = {NULL, plan->part->info.data_words};
	bool follow = false;
	status = find_overwritten(plan, &follow, error);
	if (status != AI8X_OK)
		return status;
	if (follow) {
		owners.tensors = calloc((size_t)AI8X_INSTANCES * owners.words * LANES, sizeof *owners.tensors);
		if (owners.tensors == NULL)
			return error_no_memory(error, "tracing a network's data");
		own_input(plan, &owners);
	}
	for (size_t n = 0; n < plan->order_count; n++) {
		const struct plan_layer *layer = &plan->layers[plan->order[n]];
		if (layer->position > 0 && has_places(plan, layer) && trace_layer(plan, layer, network) && follow)
			check_owners(plan, layer, &owners, network);
		if (follow)
			own_output(plan, layer, &owners);
	}
	free(owners.tensors);
	return AI8X_OK;
}
