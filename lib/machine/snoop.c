// Snoop units: they watch results on their way into data memory and steer the run (hardware reference 3.3).
#include "machine/machine.h"

enum { MODE_EQUAL = 2, MODE_RANGE = 5, DATUM_WORD = 4 };

static uint32_t snoop_get(const ai8x_machine *machine, enum part_register reg, unsigned unit)
{
	return register_get(&machine->bus.registers, reg, machine->run.members.master, unit);
}

static uint32_t control_get(const ai8x_machine *machine, enum part_field_id field, unsigned unit)
{
	return field_get(&machine->bus.registers, field, machine->run.members.master, unit);
}

// Every member group has its copy of the registers; software may read any of them.
static void snoop_set(ai8x_machine *machine, enum part_register reg, unsigned unit, uint32_t value)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if (machine->run.members.groups >> g & 1)
			machine->bus.registers.value[g][reg][unit] = value;
}

bool snoop_enabled(const ai8x_machine *machine)
{
	for (unsigned unit = 0; unit < SNOOP_UNITS; unit++)
		if (control_get(machine, F_SNOOP_EN, unit))
			return true;
	return false;
}

bool snoop_watches(const ai8x_machine *machine, const ai8x_layer *layer)
{
	for (unsigned unit = 0; unit < SNOOP_UNITS; unit++)
		if (control_get(machine, F_SNOOP_EN, unit) &&
		    control_get(machine, F_SNOOP_LAYER, unit) == layer->index)
			return true;
	return false;
}

void snoop_begin_layer(ai8x_machine *machine, const ai8x_layer *layer)
{
	for (unsigned unit = 0; unit < SNOOP_UNITS; unit++)
		if (control_get(machine, F_SNOOP_LAYER, unit) == layer->index)
			machine->run.snoop[unit] = (struct snoop_unit){0};
}

static bool compare(uint32_t mode, uint32_t value, uint32_t low, uint32_t high)
{
	if (mode == MODE_EQUAL)
		return value == low;
	return mode == MODE_RANGE && value >= low && value <= high;
}

void snoop_written(void *user, const ai8x_layer *layer, unsigned instance, uint32_t word, uint32_t value)
{
	ai8x_machine *machine = user;
	const uint32_t address =
		part_field_mask(machine->part, F_SNOOP_ADDRESS_EN) | instance << machine->part->instance_shift | word;
	for (unsigned unit = 0; unit < SNOOP_UNITS; unit++) {
		if (!control_get(machine, F_SNOOP_EN, unit) ||
		    control_get(machine, F_SNOOP_LAYER, unit) != layer->index)
			continue;
		uint32_t datum_select = control_get(machine, F_SNOOP_DATUM, unit);
		uint32_t datum = datum_select == DATUM_WORD ? value : value >> (8 * (datum_select & 3)) & 0xff;
		if (!compare(control_get(machine, F_SNOOP_MODE_A, unit), address,
		             snoop_get(machine, REG_SNOOP_A1, unit), snoop_get(machine, REG_SNOOP_A2, unit)) ||
		    !compare(control_get(machine, F_SNOOP_MODE_D, unit), datum,
		             snoop_get(machine, REG_SNOOP_D1, unit), snoop_get(machine, REG_SNOOP_D2, unit)))
			continue;
		machine->run.snoop[unit].matches++;
		if (control_get(machine, F_SNOOP_ACCUMULATE, unit))
			snoop_set(machine, REG_SNOOP_ACC, unit, snoop_get(machine, REG_SNOOP_ACC, unit) + datum);
		if (control_get(machine, F_SNOOP_COUNT, unit))
			snoop_set(machine, REG_SNOOP_HIT, unit, snoop_get(machine, REG_SNOOP_HIT, unit) + 1);
		if (control_get(machine, F_SNOOP_TRACK_MAX, unit) &&
		    datum > snoop_get(machine, REG_SNOOP_MAX, unit)) {
			snoop_set(machine, REG_SNOOP_MAX, unit, datum);
			snoop_set(machine, REG_SNOOP_AM, unit, address);
		}
	}
}

static bool triggered(const ai8x_machine *machine, unsigned unit)
{
	uint64_t matches = machine->run.snoop[unit].matches;
	if (control_get(machine, F_SNOOP_MODE_X, unit) != MODE_RANGE)
		return matches > 0;
	return matches < snoop_get(machine, REG_SNOOP_X1, unit) ||
	       matches > snoop_get(machine, REG_SNOOP_X2, unit);
}

// Whether an enabled unit that watches `layer` has `action` set.
static bool has_action(const ai8x_machine *machine, unsigned master, uint32_t layer,
                       enum part_field_id action)
{
	const struct registers *registers = &machine->bus.registers;
	for (unsigned unit = 0; unit < SNOOP_UNITS; unit++)
		if (field_get(registers, F_SNOOP_EN, master, unit) && field_get(registers, action, master, unit) &&
		    field_get(registers, F_SNOOP_LAYER, master, unit) == layer)
			return true;
	return false;
}

bool snoop_makes_conditional(const ai8x_machine *machine, unsigned master, uint32_t layer)
{
	return has_action(machine, master, layer, F_SNOOP_LINK);
}

bool snoop_may_stop(const ai8x_machine *machine, unsigned master, uint32_t layer)
{
	return has_action(machine, master, layer, F_SNOOP_STOP);
}

struct snoop_verdict snoop_end_layer(ai8x_machine *machine, const ai8x_layer *layer)
{
	struct snoop_verdict verdict = {0};
	for (unsigned unit = 0; unit < SNOOP_UNITS; unit++) {
		if (!control_get(machine, F_SNOOP_EN, unit) ||
		    control_get(machine, F_SNOOP_LAYER, unit) != layer->index)
			continue;
		bool trigger = triggered(machine, unit);
		verdict.stop |= trigger && control_get(machine, F_SNOOP_STOP, unit);
		if (control_get(machine, F_SNOOP_LINK, unit)) {
			verdict.conditional = true;
			verdict.take_link |= trigger;
		}
	}
	return verdict;
}
