// Shadow of the registers: bits that do not exist, registers zeroed after their configuration.
#include "check/parts.h"

#include <stdio.h>

uint32_t shadow_field(const ai8x_check *check, enum part_field_id id, unsigned group, uint32_t index)
{
	const struct part_field *field = &check->part->fields[id];
	if (field->width == 0)
		return 0;
	return part_field_extract(check->part, id, check->registers[group][field->reg][index].value);
}

static uint32_t find_known_bits(const ai8x_part *part, enum part_register reg)
{
	uint32_t bits = 0;
	// Of the snoop registers only some bits are understood (hardware reference 3.3).
	if (part->registers[reg].scope == SCOPE_SNOOP)
		return UINT32_MAX;
	// The write pointers all have the same width, of which WPTR_BASE's fields name the part that is used.
	if (reg == REG_WPTR_BASE)
		bits = part_field_mask(part, F_TOFFS);
	for (unsigned f = 0; f < FIELD_COUNT; f++)
		if (part->fields[f].width != 0 && part->fields[f].reg == reg)
			bits |= part_field_mask(part, (enum part_field_id)f);
	return bits;
}

void registers_create(ai8x_check *check)
{
	for (unsigned r = 0; r < REG_COUNT; r++)
		check->known_bits[r] = find_known_bits(check->part, (enum part_register)r);
}

static bool is_layer_register(const ai8x_part *part, enum part_register reg)
{
	return part->registers[reg].scope == SCOPE_LAYER || part->registers[reg].scope == SCOPE_STREAM;
}

static struct place register_place(const ai8x_check *check, const struct part_target *target)
{
	const enum part_scope scope = check->part->registers[target->reg].scope;
	struct place place = here(is_layer_register(check->part, target->reg) ? (int)target->index : -1);
	place.group = scope == SCOPE_GLOBAL ? -1 : (int)target->group;
	place.has_address = true;
	place.address = part_register_address(check->part, target->reg, target->group, target->index);
	return place;
}

static void check_bits(ai8x_check *check, const struct part_target *target, uint32_t value)
{
	uint32_t known = check->known_bits[target->reg];
	// Registers without any known field are not described by any source.
	if (known == 0 || (value & ~known) == 0)
		return;
	report(check, AI8X_CHECK_REGISTER_BITS, AI8X_SEVERITY_ERROR, register_place(check, target), 1,
	       "register %s is written with 0x%08x, but the %s has no bits 0x%08x there",
	       part_register_name(target->reg), value, check->part->info.name, value & ~known);
}

void registers_written(ai8x_check *check, const struct part_target *target, uint32_t value, bool running)
{
	struct register_state *state = &check->registers[target->group][target->reg][target->index];
	if (target->reg != REG_SRAM_TEST)
		check_bits(check, target, value);
	if (is_layer_register(check->part, target->reg)) {
		if (running)
			report(check, AI8X_CHECK_BUS_RUNNING, AI8X_SEVERITY_WARNING, register_place(check, target), 1,
			       "register %s is written while the machine runs; how the running layer reacts is not "
			       "published",
			       part_register_name(target->reg));
		// Between two runs a register may be configured anew.
		if (value == 0 && state->value != 0 && check->runs == 0) {
			state->zeroed_by = (uint32_t)check->bus_writes;
			state->zeroed_from = state->value;
		} else if (value != 0) {
			if (state->value == 0)
				state->first_write = (uint32_t)check->bus_writes;
			state->zeroed_by = 0;
		}
	}
	state->value = value;
	state->writes++;
}

// Registers of streaming layers exist for the first layers only. What would be one of a later layer is another register,
// which the vendor's generator zeroes when it is told to write zeros as well.
static void explain_overlay(const ai8x_check *check, enum part_register reg, uint32_t index, char *text,
                            size_t size)
{
	const struct part_register_row *row = &check->part->registers[reg];
	text[0] = '\0';
	uint32_t nearest = UINT32_MAX;
	for (unsigned r = 0; r < REG_COUNT && row->scope == SCOPE_STREAM; r++) {
		const struct part_register_row *other = &check->part->registers[r];
		const uint32_t distance = row->address + index * row->stride - other->address;
		if (r == (unsigned)reg || other->scope != SCOPE_STREAM || row->address < other->address ||
		    distance % other->stride != 0 || distance >= nearest)
			continue;
		nearest = distance;
		(void)snprintf(text, size,
		               "; register %s of layer %u would lie there, but only layers 0 to %u have one (a "
		               "generator's option --write-zero-registers does this)",
		               part_register_name((enum part_register)r), distance / other->stride, other->count - 1);
	}
}

void registers_evaluate(ai8x_check *check)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		for (unsigned r = 0; r < REG_COUNT; r++) {
			for (uint32_t i = 0; i < AI8X_MAX_LAYERS; i++) {
				const struct register_state *state = &check->registers[g][r][i];
				if (state->zeroed_by == 0)
					continue;
				struct part_target target = {.reg = (enum part_register)r, .index = i, .group = g};
				// Zeroing the leftovers of a layer that does not run is good practice.
				bool runs = check->plan[i].reachable;
				struct place place = register_place(check, &target);
				place.group = -1;
				char overlay[240];
				explain_overlay(check, (enum part_register)r, i, overlay, sizeof overlay);
				report(check, AI8X_CHECK_REGISTER_OVERWRITTEN,
				       runs ? AI8X_SEVERITY_ERROR : AI8X_SEVERITY_INFO, place, 1,
				       "register %s of layer %u, group %u, is configured with 0x%08x (bus write %u) and "
				       "overwritten with 0 afterwards (bus write %u)%s%s",
				       part_register_name((enum part_register)r), i, g, state->zeroed_from,
				       state->first_write, state->zeroed_by,
				       runs ? ": the layer runs without its setting" : "", overlay);
			}
		}
	}
}
