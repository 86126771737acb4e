// The register file: every register of every group, as software wrote it.
#ifndef AI8X_BUS_REGISTERS_H
#define AI8X_BUS_REGISTERS_H

#include "part/part.h"

struct registers {
	const ai8x_part *part;
	uint64_t stamp; // changes with everything that could change how a layer decodes
	// Indexed by group (global registers: group 0), register, and layer/stream/unit/FIFO number.
	uint32_t value[AI8X_GROUPS][REG_COUNT][AI8X_MAX_LAYERS];
};

// All registers of all groups to their reset values.
void registers_reset(struct registers *registers, const ai8x_part *part);

// The registers of one group's layers (streaming ones included) to zero, as SRAM_TEST does.
void registers_clear_layers(struct registers *registers, unsigned group);

static inline uint32_t register_get(const struct registers *registers, enum part_register reg, unsigned group,
                                    uint32_t index)
{
	return registers->value[group][reg][index];
}

// A field's value; 0 where the part does not have the field.
static inline uint32_t field_get(const struct registers *registers, enum part_field_id id, unsigned group,
                                 uint32_t index)
{
	const struct part_field *field = &registers->part->fields[id];
	if (field->width == 0)
		return 0;
	return part_field_extract(registers->part, id, registers->value[group][field->reg][index]);
}

// Stores a whole register.
void register_set(struct registers *registers, enum part_register reg, unsigned group, uint32_t index,
                  uint32_t value);

// Sets a field and leaves the rest of its register; ignored where the part does not have the field.
void field_set(struct registers *registers, enum part_field_id id, unsigned group, uint32_t index,
               uint32_t value);

#endif
