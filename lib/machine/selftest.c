// SRAM_TEST: memory tests, which leave memories zero, and clearing (register table, SRAM_TEST).
#include "machine/machine.h"

static void clear(ai8x_machine *machine, const struct part_test_row *row, unsigned group)
{
	if (row->registers) {
		registers_clear_layers(&machine->bus.registers, group);
		return;
	}
	switch (row->memory) {
	case MEMORY_DATA:
		data_memory_clear(&machine->bus.data, group);
		break;
	case MEMORY_KERNEL:
		kernel_memory_clear(&machine->bus.kernel, group);
		break;
	case MEMORY_BIAS:
		bias_memory_clear(&machine->bus.bias, group);
		break;
	case MEMORY_TRAM:
		tram_memory_clear(&machine->bus.tram, group);
		break;
	case MEMORY_COUNT:
		break;
	}
}

void selftest_written(ai8x_machine *machine, unsigned group, uint32_t old, uint32_t value)
{
	const struct ai8x_part *part = machine->part;
	uint32_t status = part_field_mask(part, F_TEST_FAIL) | part_field_mask(part, F_TEST_BDONE) |
	                  part_field_mask(part, F_TEST_ZDONE) | part_field_mask(part, F_TEST_BISTFAIL) |
	                  part_field_mask(part, F_TEST_BISTDONE) | part_field_mask(part, F_TEST_ZERODONE);
	// Writing 0 clears the status; tests and clears are instantaneous and never fail.
	uint32_t result = (value & ~status) | (value == 0 ? 0 : old & status);
	for (size_t i = 0; i < part->test_count; i++) {
		const struct part_test_row *row = &part->tests[i];
		bool selected = (value & row->select) == row->select;
		if ((value & row->run) == 0 || (old & row->run) != 0 || !selected)
			continue;
		clear(machine, row, group);
		result |= row->done;
	}
	machine->bus.registers.value[group][REG_SRAM_TEST][0] = result;
}
