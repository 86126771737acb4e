// The register file.
#include "bus/registers.h"

#include <string.h>

void registers_reset(struct registers *registers, const ai8x_part *part)
{
	registers->part = part;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		for (unsigned r = 0; r < REG_COUNT; r++) {
			uint32_t reset = part->registers[r].reset;
			for (unsigned i = 0; i < AI8X_MAX_LAYERS; i++)
				registers->value[g][r][i] = reset;
		}
	}
}

void registers_clear_layers(struct registers *registers, unsigned group)
{
	for (unsigned r = 0; r < REG_COUNT; r++) {
		enum part_scope scope = registers->part->registers[r].scope;
		if (scope == SCOPE_LAYER || scope == SCOPE_STREAM || scope == SCOPE_SNOOP)
			memset(registers->value[group][r], 0, sizeof registers->value[group][r]);
	}
}

void field_set(struct registers *registers, enum part_field_id id, unsigned group, uint32_t index,
               uint32_t value)
{
	const struct part_field *field = &registers->part->fields[id];
	if (field->width == 0)
		return;
	uint32_t mask = part_field_mask(registers->part, id);
	uint32_t *word = &registers->value[group][field->reg][index];
	*word = (*word & ~mask) | ((value << field->low) & mask);
}
