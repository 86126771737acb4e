// A program's time without running it: its registers are loaded, its FIFO words noted, its writes counted.
#include <ai8xsim/time.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "machine/machine.h"
#include "memory/memory.h"
#include "part/part.h"
#include "time/host_cost.h"

struct loader {
	ai8x_machine *machine;
	const ai8x_part *part;
	ai8x_loading *loading;
	uint8_t *fifos; // of each word written while the machine runs
	size_t fifo_count, fifo_capacity;
};

// Counts a write and says whether time depends on it: memories hold data only. Of what is no memory the machine
// tells what is wrong.
static bool count_write(struct loader *loader, uint32_t address)
{
	struct part_target target;
	if (!part_decode_memory(loader->part, address, &target)) {
		loader->loading->register_writes++;
		return true;
	}
	switch (target.memory) {
	case MEMORY_KERNEL:
		loader->loading->kernel_writes++;
		break;
	case MEMORY_BIAS:
		loader->loading->bias_writes++;
		break;
	case MEMORY_DATA:
		loader->loading->input_writes++;
		break;
	case MEMORY_TRAM:
	case MEMORY_COUNT:
		break;
	}
	return false;
}

static ai8x_status fifo_write(struct loader *loader, const ai8x_op *op, ai8x_error *error)
{
	struct part_target target;
	if (!ai8x_machine_running(loader->machine) || !part_decode_address(loader->part, op->address, &target) ||
	    !target.is_register || (target.reg != REG_FIFO_WR && target.reg != REG_FAST_DR))
		return ai8x_machine_fifo_push(loader->machine, op->address, op->value, error);
	if (!array_reserve(&loader->fifos, &loader->fifo_capacity, loader->fifo_count + 1, sizeof *loader->fifos))
		return error_no_memory(error, "FIFO words");
	loader->fifos[loader->fifo_count++] = (uint8_t)(target.reg == REG_FAST_DR ? FIFO_FAST : target.index);
	loader->loading->fifo_writes++;
	return AI8X_OK;
}

static ai8x_status load(struct loader *loader, const ai8x_program *program, ai8x_error *error)
{
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count && ops[i].kind != AI8X_BUS_RUN; i++) {
		const ai8x_op *op = &ops[i];
		ai8x_status status = AI8X_OK;
		if (op->kind == AI8X_BUS_FIFO_WRITE32)
			status = fifo_write(loader, op, error);
		else if (op->kind == AI8X_BUS_WRITE32 && count_write(loader, op->address))
			status = ai8x_machine_write32(loader->machine, op->address, op->value, error);
		else if (op->kind == AI8X_BUS_WRITE8 && count_write(loader, op->address))
			status = ai8x_machine_write8(loader->machine, op->address, (uint8_t)op->value, error);
		if (status == AI8X_FIFO_FULL)
			status = error_set(error, AI8X_ERR_STALLED, "the FIFO is full and nothing runs");
		if (status != AI8X_OK)
			return error_prefix(error, status, "operation %zu (%s 0x%08x)", i, ai8x_op_kind_name(op->kind),
			                    op->address);
	}
	return AI8X_OK;
}

static void choose_clocks(const ai8x_machine *machine, ai8x_timing *timing)
{
	const ai8x_part *part = machine->bus.registers.part;
	const bool pipeline = !field_get(&machine->bus.registers, F_NO_PIPELINE, machine->run.members.master, 0);
	timing->clock = ai8x_clock_default(part, pipeline);
	timing->loading_clock = ai8x_clock_default(part, false);
}

ai8x_status ai8x_time_program(const ai8x_program *program, const ai8x_feed *feed, ai8x_timing *timing,
                              ai8x_error *error)
{
	if (program == NULL || timing == NULL)
		return error_null(error, program == NULL ? "program" : "timing");
	*timing = (ai8x_timing){0};
	struct loader loader = {.part = ai8x_program_part(program), .loading = &timing->loading};
	ai8x_status status = ai8x_machine_create(loader.part, NULL, &loader.machine, error);
	if (status == AI8X_OK)
		status = load(&loader, program, error);
	if (status == AI8X_OK && !ai8x_machine_running(loader.machine))
		status = error_set(error, AI8X_ERR_NOT_STARTED,
		                   "no write before RUN sets the enable bit of the master group");
	if (status == AI8X_OK) {
		choose_clocks(loader.machine, timing);
		ai8x_feed pace = {.write_cycles = feed != NULL ? feed->write_cycles : 0};
		if (pace.write_cycles == AI8X_FEED_HOST)
			pace.write_cycles =
				ai8x_feed_cycles(loader.part, feed->clock.hz != 0 ? &feed->clock : &timing->clock);
		timing->feed_cycles = pace.write_cycles;
		status = ai8x_schedule_machine(loader.machine, loader.fifos, loader.fifo_count, &pace,
		                               &timing->schedule, error);
	}
	timing->synthetic_feed = loader.fifo_count == 0 && timing->schedule.fifo_words > 0;
	if (status == AI8X_OK)
		host_loading_times(&timing->loading, loader.part, &timing->loading_clock);
	ai8x_machine_destroy(loader.machine);
	free(loader.fifos);
	return status;
}

void ai8x_timing_release(ai8x_timing *timing)
{
	if (timing == NULL)
		return;
	ai8x_schedule_release(&timing->schedule);
}
