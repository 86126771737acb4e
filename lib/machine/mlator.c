// Mlator: reads one byte lane of four consecutive words at a time (hardware reference 4.10).
#include "machine/machine.h"

static uint32_t fetch(ai8x_machine *machine)
{
	struct mlator *mlator = &machine->mlator;
	const uint32_t step = machine->bus.registers.value[0][REG_LCTL2][0] == 0
	                          ? 1
	                          : field_get(&machine->bus.registers, F_INPCHEXP, 0, 0) + 1;
	uint32_t result = 0;
	for (unsigned i = 0; i < 4; i++) {
		if (mlator->instance < AI8X_INSTANCES && mlator->word < machine->bus.data.words) {
			uint32_t value = machine->bus.data.word[mlator->instance][mlator->word];
			result |= (value >> (8 * mlator->lane) & 0xff) << (8 * i);
		}
		mlator->word += step;
	}
	return result;
}

void mlator_control_written(ai8x_machine *machine, unsigned group, uint32_t old, uint32_t value)
{
	const struct ai8x_part *part = machine->part;
	struct mlator *mlator = &machine->mlator;
	if (part_field_extract(part, F_MLAT_LD, value) == 0) {
		mlator->on = false;
		return;
	}
	mlator->lane = part_field_extract(part, F_MLATCH_SEL, value);
	if (part_field_extract(part, F_MLAT_LD, old) != 0)
		return;
	mlator->on = true;
	mlator->word = field_get(&machine->bus.registers, F_WPTR_WORD, group, 0);
	// The pointer's instance counts inside the group.
	mlator->instance = group * INSTANCES_PER_GROUP +
	                   field_get(&machine->bus.registers, F_WPTR_INSTANCE, group, 0) % INSTANCES_PER_GROUP;
	mlator->loaded = 0;
}

uint32_t mlator_read(ai8x_machine *machine)
{
	struct mlator *mlator = &machine->mlator;
	if (!mlator->on)
		return 0;
	// Each read returns what the one before it started to fetch; the first is a dummy.
	uint32_t value = mlator->loaded;
	mlator->loaded = fetch(machine);
	return value;
}
