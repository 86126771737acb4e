// Shadow of bias memory: who wrote each entry, and which entries layers use.
#include "check/parts.h"
#include "layer/geometry.h"

#include <stdlib.h>

ai8x_status bias_create(ai8x_check *check)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		uint32_t entries = check->part->info.bias_entries;
		check->bias_by[g] = calloc(entries, sizeof *check->bias_by[g]);
		check->bias_value[g] = calloc(entries, sizeof *check->bias_value[g]);
		check->bias_clash[g] = calloc(entries, sizeof *check->bias_clash[g]);
		if (check->bias_by[g] == NULL || check->bias_value[g] == NULL || check->bias_clash[g] == NULL)
			return AI8X_ERR_NO_MEMORY;
	}
	return AI8X_OK;
}

void bias_destroy(ai8x_check *check)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		free(check->bias_by[g]);
		free(check->bias_value[g]);
		free(check->bias_clash[g]);
	}
}

void bias_written(ai8x_check *check, const struct part_target *target, uint32_t value)
{
	uint32_t *by = &check->bias_by[target->group][target->word];
	int8_t *content = &check->bias_value[target->group][target->word];
	int8_t entry = (int8_t)(uint8_t)value;
	if (*by != 0 && *content != entry && check->runs == 0)
		check->bias_clash[target->group][target->word] = *by;
	*by = (uint32_t)check->bus_writes;
	*content = entry;
}

// Cleared entries are zero, but nobody meant them: a layer that uses one lacks its bias.
void bias_cleared(ai8x_check *check, unsigned group)
{
	for (uint32_t i = 0; i < check->part->info.bias_entries; i++)
		check->bias_by[group][i] = 0;
}

void bias_read(ai8x_check *check, const ai8x_event *event)
{
	int position = check->current[event->layer->index];
	uint32_t slot = event->u.bias.slot, group = event->u.bias.group;
	if (position < 0)
		return;
	struct layer_state *state = &check->layers[position];
	if (slot >= state->slots || (state->bias_seen[slot] >> group & 1) != 0)
		return;
	state->bias_seen[slot] |= (uint8_t)(1u << group);
	state->bias_entry[slot * AI8X_GROUPS + group] = event->u.bias.entry;
	if (check->bias_by[group][event->u.bias.entry] == 0)
		state->bias_missing[slot] |= (uint8_t)(1u << group);
}

static void evaluate_slot(ai8x_check *check, const struct layer_state *state, uint32_t slot)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		uint32_t entry = state->bias_entry[slot * AI8X_GROUPS + g];
		if ((state->bias_seen[slot] >> g & 1) == 0)
			continue;
		struct place place = here((int)state->layer.index);
		place.group = (int)g;
		place.has_address = true;
		place.address =
			check->part->memories[MEMORY_BIAS].address + g * check->part->group_stride + 4 * entry;
		place.channel = (int)slot;
		uint32_t first = layer_bias_first(&state->layer, g);
		if (entry < first)
			report(check, AI8X_CHECK_BIAS_RANGE, AI8X_SEVERITY_ERROR, place, 1,
			       "the bias of layer %u, group %u, begins at entry %u and reaches past the last one, %u, "
			       "for output "
			       "channel slot %u",
			       state->layer.index, g, first, check->part->info.bias_entries - 1, slot);
		else if (state->bias_missing[slot] >> g & 1)
			report(check, AI8X_CHECK_BIAS_UNWRITTEN, AI8X_SEVERITY_ERROR, place, 1,
			       "layer %u adds bias entry %u of group %u to output channel slot %u, but nobody wrote that "
			       "entry",
			       state->layer.index, entry, g, slot);
		else if (check->bias_clash[g][entry] != 0)
			report(check, AI8X_CHECK_BIAS_CONFLICT, AI8X_SEVERITY_ERROR, place, 1,
			       "bias entry %u of group %u, which layer %u adds to output channel slot %u, is written "
			       "twice with "
			       "different values (bus writes %u and %u)",
			       entry, g, state->layer.index, slot, check->bias_clash[g][entry], check->bias_by[g][entry]);
	}
}

void bias_evaluate(ai8x_check *check)
{
	for (size_t p = 0; p < check->layer_count; p++) {
		const struct layer_state *state = &check->layers[p];
		const bool explained = report_has(check, AI8X_CHECK_BIAS_MISPLACED, (int)state->layer.index);
		for (uint32_t slot = 0; slot < state->slots && !explained; slot++)
			if (state->live[slot])
				evaluate_slot(check, state, slot);
	}
}
