// The register file.
#include "bus/registers.h"

#include <string.h>

void registers_reset(struct registers *registers, const ai8x_part *part)
{
	registers->part = part;
	registers->stamp++;
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
	registers->stamp++;
}

// Starting, stopping and acknowledging happen in every run and mean nothing to a layer.
static bool matters(const struct registers *registers, enum part_register reg, uint32_t changed)
{
	const ai8x_part *part = registers->part;
	if (reg == REG_CTL)
		changed &= ~(part_field_mask(part, F_CNN_EN) | part_field_mask(part, F_CNN_IRQ) |
		             part_field_mask(part, F_EXT_SYNC_EN) | part_field_mask(part, F_EXT_SYNC_MASTER));
	return changed != 0;
}

void register_set(struct registers *registers, enum part_register reg, unsigned group, uint32_t index,
                  uint32_t value)
{
	uint32_t *word = &registers->value[group][reg][index];
	if (matters(registers, reg, *word ^ value))
		registers->stamp++;
	*word = value;
}

void field_set(struct registers *registers, enum part_field_id id, unsigned group, uint32_t index,
               uint32_t value)
{
	const struct part_field *field = &registers->part->fields[id];
	if (field->width == 0)
		return;
	uint32_t mask = part_field_mask(registers->part, id);
	const uint32_t old = registers->value[group][field->reg][index];
	register_set(registers, (enum part_register)field->reg, group, index,
	             (old & ~mask) | ((value << field->low) & mask));
}
