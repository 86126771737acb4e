// Bias memory: which group holds a layer's biases, and where. Facts: hardware reference 4.5 (bias), 4.8.
//
// Entries follow the slots that the hardware counts, so unused slots consume entries. Depth-wise layers and the
// quad fan-out need entries in every group they use and are placed first; the others are packed by size, largest
// first, into the emptiest group.

#include "network/lower.h"

#include <stdlib.h>
#include <string.h>

// A layer that can choose its group.
struct candidate {
	struct plan_layer *layer;
	uint32_t length;
	uint32_t rank; // sorting key, lowest first
};

static const int8_t *bias_values(const struct plan_layer *layer)
{
	return network_has_weights(layer->net) ? layer->weights->bias : layer->net->bias;
}

static ai8x_status exhausted(const struct plan *plan, const struct plan_layer *layer, uint32_t needed,
                             unsigned group, ai8x_error *error)
{
	return network_error(error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
	                     "bias memory is exhausted: %u entries needed, group %u has %u free of %u", needed,
	                     group, plan->part->info.bias_entries - plan->bias_used[group],
	                     plan->part->info.bias_entries);
}

static uint32_t slot_of_channel(const struct plan_layer *layer, uint32_t channel)
{
	uint32_t pass = channel / layer->out_thresh;
	return pass * layer->slots_per_pass + map_bit(layer->output_processors, channel % layer->out_thresh) -
	       layer->first_lane;
}

// Entry of a depth-wise channel relative to the group's first, and that group.
static uint32_t depthwise_entry(const struct plan_layer *layer, uint32_t channel, unsigned *group)
{
	uint32_t pass = channel / layer->in_thresh;
	unsigned processor = map_bit(layer->processors, channel % layer->in_thresh);
	unsigned first = bits_first(layer->processors);
	unsigned last = bits_last(layer->processors);
	*group = processor / 16;
	if (layer->broadcast)
		return pass * 16 + processor % 4 * 4 + processor % 16 / 4;
	// In the first group entries count from its first processor, in later ones from the group's first.
	unsigned position = *group == first / 16 ? processor - first : processor % 16;
	uint32_t span;
	if (first / 16 == last / 16)
		span = last - first + 1;
	else
		span = *group == last / 16 ? last % 16 + 1 : 16;
	return pass * span + position;
}

static ai8x_status place_depthwise(struct plan *plan, struct plan_layer *layer, ai8x_error *error)
{
	uint32_t end[AI8X_GROUPS] = {0};
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((layer->processors >> (16 * g) & 0xffff) == 0)
			continue;
		if (layer->broadcast)
			plan->bias_used[g] = (plan->bias_used[g] + 3) & ~3u;
		layer->bias_first[g] = plan->bias_used[g];
		layer->bias_groups = (uint8_t)(layer->bias_groups | 1u << g);
	}
	for (uint32_t c = 0; c < layer->net->out_channels; c++) {
		unsigned group = 0;
		uint32_t entry = depthwise_entry(layer, c, &group);
		if (layer->bias_first[group] + entry >= plan->part->info.bias_entries)
			return exhausted(plan, layer, entry + 1, group, error);
		if (bias_values(layer) != NULL)
			plan->bias[group][layer->bias_first[group] + entry] = bias_values(layer)[c];
		end[group] = entry + 1 > end[group] ? entry + 1 : end[group];
	}
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		plan->bias_used[g] =
			(layer->bias_groups >> g & 1) != 0 ? layer->bias_first[g] + end[g] : plan->bias_used[g];
	}
	return AI8X_OK;
}

// A streaming first layer of some parts reads one entry late (hardware reference 4.5, quirk).
static uint32_t late(const struct plan *plan, const struct plan_layer *layer)
{
	return plan->part->quirks.stream_bias_shift && layer->position == 0 && layer->streaming;
}

// Quad fan-out: slot s in group s % 4, entry s / 4.
static ai8x_status place_quad(struct plan *plan, struct plan_layer *layer, ai8x_error *error)
{
	uint32_t first = 0;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		first = plan->bias_used[g] > first ? plan->bias_used[g] : first;
	layer->bias_groups = 0xf;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		layer->bias_first[g] = first;
	for (uint32_t c = 0; c < layer->net->out_channels; c++) {
		uint32_t slot = slot_of_channel(layer, c);
		uint32_t entry = first + slot / 4 + late(plan, layer);
		if (entry >= plan->part->info.bias_entries)
			return exhausted(plan, layer, entry - first + 1, slot % 4, error);
		if (bias_values(layer) != NULL)
			plan->bias[slot % 4][entry] = bias_values(layer)[c];
		plan->bias_used[slot % 4] = entry + 1;
	}
	return AI8X_OK;
}

// true: two layers read the same entries in the same way.
static bool same_bias(const struct plan *plan, const struct plan_layer *a, const struct plan_layer *b)
{
	const int8_t *x = bias_values(a);
	const int8_t *y = bias_values(b);
	if (x == NULL || y == NULL || a->net->out_channels != b->net->out_channels ||
	    a->depthwise != b->depthwise || a->quad != b->quad || a->broadcast != b->broadcast ||
	    a->net->calcx4 != b->net->calcx4 || late(plan, a) != late(plan, b) ||
	    a->net->bias_groups != b->net->bias_groups || (a->depthwise && a->processors != b->processors) ||
	    a->slots_per_pass != b->slots_per_pass ||
	    a->output_processors >> a->first_lane != b->output_processors >> b->first_lane)
		return false;
	return memcmp(x, y, a->net->out_channels) == 0;
}

// Takes over the entries of a layer that was placed before and has the same bias.
static bool share(const struct plan *plan, struct plan_layer *layer)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_layer *other = &plan->layers[i];
		if (other != layer && other->bias_groups != 0 && same_bias(plan, layer, other)) {
			layer->bias_groups = other->bias_groups;
			memcpy(layer->bias_first, other->bias_first, sizeof layer->bias_first);
			return true;
		}
	}
	return false;
}

static unsigned allowed_groups(const struct plan *plan, const struct plan_layer *layer)
{
	return layer->net->bias_groups == 0 ? plan->groups : layer->net->bias_groups & plan->groups;
}

static ai8x_status place_candidate(struct plan *plan, const struct candidate *candidate, ai8x_error *error)
{
	struct plan_layer *layer = candidate->layer;
	unsigned allowed = allowed_groups(plan, layer);
	uint32_t align = layer->net->calcx4 ? 3 : 0;
	unsigned best = AI8X_GROUPS;
	if (allowed == 0) {
		return network_error(error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
		                     "bias_group names groups that no layer uses");
	}
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if ((allowed >> g & 1) != 0 &&
		    (best == AI8X_GROUPS ||
		     ((plan->bias_used[g] + align) & ~align) < ((plan->bias_used[best] + align) & ~align)))
			best = g;
	uint32_t first = (plan->bias_used[best] + align) & ~align;
	if (first + candidate->length > plan->part->info.bias_entries)
		return exhausted(plan, layer, candidate->length, best, error);
	layer->bias_groups = (uint8_t)(1u << best);
	layer->bias_first[best] = first;
	for (uint32_t c = 0; bias_values(layer) != NULL && c < layer->net->out_channels; c++)
		plan->bias[best][first + slot_of_channel(layer, c) + late(plan, layer)] = bias_values(layer)[c];
	plan->bias_used[best] = first + candidate->length;
	return AI8X_OK;
}

static int by_rank(const void *a, const void *b)
{
	const struct candidate *left = a;
	const struct candidate *right = b;
	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	return left->layer->position < right->layer->position ? -1 : 1;
}

ai8x_status plan_bias(struct plan *plan, ai8x_error *error)
{
	const uint32_t entries = plan->part->info.bias_entries;
	size_t count = 0;
	ai8x_status status = AI8X_OK;

	struct candidate *candidates = calloc(plan->count, sizeof *candidates);
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		plan->bias[g] = calloc(entries, 1);
		if (plan->bias[g] == NULL || candidates == NULL) {
			free(candidates);
			return error_no_memory(error, "bias memory");
		}
	}
	for (size_t i = 0; i < plan->count && status == AI8X_OK; i++) {
		struct plan_layer *layer = &plan->layers[i];
		if (!network_adds_bias(plan->network, (int)layer->position) || share(plan, layer))
			continue;
		if (layer->depthwise) {
			status = place_depthwise(plan, layer, error);
		} else if (layer->quad) {
			status = place_quad(plan, layer, error);
		} else {
			uint32_t length = slot_of_channel(layer, layer->net->out_channels - 1) + 1 + late(plan, layer);
			uint32_t rank = 2 + entries - (length < entries ? length : entries);
			if (plan->target->flatten_bias_first && layer->net->flatten)
				rank = 0;
			else if (bits_count(allowed_groups(plan, layer)) == 1)
				rank = 1;
			candidates[count++] = (struct candidate){layer, length, rank};
		}
	}
	qsort(candidates, count, sizeof *candidates, by_rank);
	for (size_t i = 0; i < count && status == AI8X_OK; i++)
		if (!share(plan, candidates[i].layer))
			status = place_candidate(plan, &candidates[i], error);
	free(candidates);
	return status;
}
