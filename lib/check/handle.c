// The handle of a check: events in, evaluation in order, findings out.
#include "check/parts.h"

#include <stdlib.h>
#include <string.h>

#define KINDS                                                                                                \
	(AI8X_EVENT_RUN_START | AI8X_EVENT_RUN_STOP | AI8X_EVENT_LAYER_START | AI8X_EVENT_LAYER_STOP |           \
	 AI8X_EVENT_DATA_READ | AI8X_EVENT_DATA_WRITE | AI8X_EVENT_BIAS_READ | AI8X_EVENT_FIFO_PUSH |            \
	 AI8X_EVENT_FIFO_POP | AI8X_EVENT_BUS_WRITE | AI8X_EVENT_BUS_READ | AI8X_EVENT_KERNEL_WRITE)

// The widest sum that the bus between groups carries (hardware reference 4.5, inferred there).
#define ACCUMULATOR_LIMIT (INT64_C(1) << 25)

ai8x_status ai8x_check_create(const ai8x_part *part, const ai8x_check_options *options, ai8x_check **check,
                              ai8x_error *error)
{
	if (check != NULL)
		*check = NULL;
	if (part == NULL || check == NULL)
		return error_null(error, part == NULL ? "part" : "check");
	ai8x_check *c = calloc(1, sizeof *c);
	if (c == NULL)
		return error_no_memory(error, "a check");
	c->part = part;
	if (options != NULL)
		c->options = *options;
	registers_create(c);
	ai8x_status status = shadow_create(c);
	if (status == AI8X_OK)
		status = kernels_create(c);
	if (status == AI8X_OK)
		status = bias_create(c);
	if (status != AI8X_OK) {
		ai8x_check_destroy(c);
		return error_no_memory(error, "a check's shadow memories");
	}
	*check = c;
	return AI8X_OK;
}

void ai8x_check_destroy(ai8x_check *check)
{
	if (check == NULL)
		return;
	shadow_destroy(check);
	kernels_destroy(check);
	bias_destroy(check);
	report_release(check);
	free(check->results);
	free(check->summaries);
	free(check);
}

// --- Events ------------------------------------------------------------------------------------------

static void cleared_by_test(ai8x_check *check, const struct part_target *target, uint32_t value)
{
	uint32_t old = check->registers[target->group][REG_SRAM_TEST][0].value;
	for (size_t i = 0; i < check->part->test_count; i++) {
		const struct part_test_row *row = &check->part->tests[i];
		if ((value & row->run) == 0 || (old & row->run) != 0 || (value & row->select) != row->select)
			continue;
		if (row->registers)
			continue;
		if (row->memory == MEMORY_DATA)
			shadow_cleared(check, target->group);
		else if (row->memory == MEMORY_KERNEL)
			kernels_cleared(check, target->group);
		else if (row->memory == MEMORY_BIAS)
			bias_cleared(check, target->group);
	}
}

static void memory_while_running(ai8x_check *check, const struct part_target *target, uint32_t address,
                                 bool write)
{
	struct place place = here(-1);
	place.group = (int)target->group;
	place.has_address = true;
	place.address = address;
	// The latest layer that started: it is the one that the access may disturb.
	if (check->layer_count > 0)
		place.layer = (int)check->layers[check->layer_count - 1].layer.index;
	report(
		check, AI8X_CHECK_BUS_RUNNING, AI8X_SEVERITY_ERROR, place, 1,
		"the bus %s %s of group %u while the machine runs%s; memories are accessible only while cnn_en is 0",
		write ? "writes" : "reads", part_memory_name(target->memory), target->group,
		check->layer_count > 0 ? "" : " (no layer has begun)");
}

static void group_enabled(ai8x_check *check, const struct part_target *target, uint32_t value, bool running)
{
	uint32_t old = check->registers[target->group][REG_CTL][0].value;
	bool rises = part_field_extract(check->part, F_CNN_EN, value & ~old) != 0;
	if (rises && running && (check->members >> target->group & 1) == 0)
		check->late |= 1u << target->group;
}

static void bus_written(ai8x_check *check, const ai8x_event *event)
{
	struct part_target target;
	if (!part_decode_address(check->part, event->u.bus.address, &target))
		return;
	bool fifo = target.is_register && (target.reg == REG_FIFO_WR || target.reg == REG_FAST_DR);
	if (fifo)
		return;
	check->bus_writes++;
	uint32_t value = event->u.bus.value;
	if (target.is_register) {
		if (event->u.bus.bytes == 1) {
			uint32_t old = check->registers[target.group][target.reg][target.index].value;
			value = (old & ~(UINT32_C(0xff) << (8 * target.byte))) | value << (8 * target.byte);
		}
		if (target.reg == REG_SRAM_TEST)
			cleared_by_test(check, &target, value);
		if (target.reg == REG_CTL)
			group_enabled(check, &target, value, event->u.bus.running);
		registers_written(check, &target, value, event->u.bus.running);
		return;
	}
	if (event->u.bus.running)
		memory_while_running(check, &target, event->u.bus.address, true);
	if (target.memory == MEMORY_DATA)
		shadow_bus_write(check, &target, value, event->u.bus.bytes);
	else if (target.memory == MEMORY_BIAS && target.byte == 0)
		bias_written(check, &target, value);
}

static void bus_read(ai8x_check *check, const ai8x_event *event)
{
	struct part_target target;
	if (!part_decode_address(check->part, event->u.bus.address, &target) || target.is_register)
		return;
	if (event->u.bus.running)
		memory_while_running(check, &target, event->u.bus.address, false);
	else if (check->stopped && target.memory == MEMORY_DATA)
		shadow_bus_read(check, &target, event->u.bus.address);
}

static void observe(void *user, const ai8x_event *event)
{
	ai8x_check *check = user;
	switch (event->kind) {
	case AI8X_EVENT_DATA_READ:
		shadow_read(check, event);
		break;
	case AI8X_EVENT_DATA_WRITE:
		shadow_write(check, event);
		break;
	case AI8X_EVENT_BIAS_READ:
		bias_read(check, event);
		break;
	case AI8X_EVENT_BUS_WRITE:
		bus_written(check, event);
		break;
	case AI8X_EVENT_BUS_READ:
		bus_read(check, event);
		break;
	case AI8X_EVENT_KERNEL_WRITE:
		kernels_written(check, event);
		break;
	case AI8X_EVENT_FIFO_PUSH:
	case AI8X_EVENT_FIFO_POP:
		fifo_event(check, event);
		break;
	case AI8X_EVENT_LAYER_START:
		shadow_begin_layer(check, event);
		break;
	case AI8X_EVENT_LAYER_STOP:
		shadow_end_layer(check, event);
		break;
	case AI8X_EVENT_RUN_START:
		check->runs++;
		check->stopped = false;
		plan_run(check);
		break;
	case AI8X_EVENT_RUN_STOP:
		check->stopped = true;
		break;
	default:
		break;
	}
}

ai8x_status ai8x_check_attach(ai8x_check *check, ai8x_machine *machine, ai8x_error *error)
{
	if (check == NULL || machine == NULL)
		return error_null(error, check == NULL ? "check" : "machine");
	if (ai8x_machine_part(machine) != check->part)
		return error_set(error, AI8X_ERR_ARGUMENT, "the check is for the %s, the machine is a %s",
		                 check->part->info.name, ai8x_part_get_info(ai8x_machine_part(machine))->name);
	ai8x_check_detach(check);
	const ai8x_status status = ai8x_machine_observe(machine, KINDS, observe, check);
	if (status != AI8X_OK)
		return error_set(error, status, "%s",
		                 status == AI8X_ERR_LIMIT
		                     ? "the machine has too many observers"
		                     : "a check cannot be attached from a callback of the machine");
	check->machine = machine;
	return AI8X_OK;
}

void ai8x_check_detach(ai8x_check *check)
{
	if (check == NULL)
		return;
	if (check->machine == NULL || ai8x_machine_observe(check->machine, 0, observe, check) == AI8X_OK)
		check->machine = NULL;
}

ai8x_status ai8x_check_expect(ai8x_check *check, uint32_t address, uint32_t mask)
{
	if (check == NULL)
		return AI8X_ERR_ARGUMENT;
	if (!check->results_named)
		check->result_count = 0;
	check->results_named = true;
	if (!array_reserve(&check->results, &check->result_capacity, check->result_count + 1,
	                   sizeof *check->results))
		return AI8X_ERR_NO_MEMORY;
	check->results[check->result_count++] = (struct result_word){address, mask};
	return AI8X_OK;
}

// --- Evaluation --------------------------------------------------------------------------------------

static double share(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 0 : (double)part / (double)whole;
}

static void check_values(ai8x_check *check, const struct layer_state *state)
{
	const ai8x_counters *counters = &state->counters;
	struct place place = here((int)state->layer.index);
	// What ReLU makes zero may as well clip.
	bool relu = state->layer.activation == AI8X_ACTIVATE_RELU;
	uint64_t clipped = counters->clipped_high + (relu ? 0 : counters->clipped_low);
	double clips = share(clipped, counters->outputs);
	if (clips > 0)
		report(check, AI8X_CHECK_SATURATION, clips > 0.5 ? AI8X_SEVERITY_WARNING : AI8X_SEVERITY_INFO, place,
		       clipped,
		       "%.1f %% of the outputs of layer %u clip (%llu at 127, %llu at -128 of %llu); sums range from "
		       "%lld to "
		       "%lld",
		       100 * clips, state->layer.index, (unsigned long long)counters->clipped_high,
		       (unsigned long long)counters->clipped_low, (unsigned long long)counters->outputs,
		       (long long)counters->accumulator_min, (long long)counters->accumulator_max);
	if (counters->accumulator_max >= ACCUMULATOR_LIMIT || counters->accumulator_min < -ACCUMULATOR_LIMIT)
		report(check, AI8X_CHECK_ACCUMULATOR, AI8X_SEVERITY_WARNING, place, 1,
		       "the sums of layer %u range from %lld to %lld; the bus between groups is said to carry 26 "
		       "bits, and what happens beyond that is not published",
		       state->layer.index, (long long)counters->accumulator_min,
		       (long long)counters->accumulator_max);
}

static ai8x_status summarise(ai8x_check *check)
{
	check->summaries = array_alloc(check->layer_count, sizeof *check->summaries);
	if (check->summaries == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (size_t p = 0; p < check->layer_count; p++) {
		const struct layer_state *state = &check->layers[p];
		ai8x_check_layer *summary = &check->summaries[p];
		*summary = (ai8x_check_layer){
			.index = state->layer.index,
			.finished = state->finished,
			.output_bits = state->layer.output_bits,
			.counters = state->counters,
			.slots = state->slots,
		};
		for (uint32_t s = 0; s < state->slots; s++)
			summary->slots_used += state->live[s];
	}
	return AI8X_OK;
}

ai8x_status ai8x_check_finish(ai8x_check *check, ai8x_status status, const char *message, ai8x_error *error)
{
	if (check == NULL)
		return error_null(error, "check");
	if (check->summaries != NULL)
		return error_set(error, AI8X_ERR_ARGUMENT, "the check has already been evaluated");
	if (check->trouble == AI8X_OK) {
		bool complete = status == AI8X_OK && check->stopped;
		plan_evaluate(check, status, message);
		fifo_evaluate(check, status, message);
		registers_evaluate(check);
		if (check->looping) {
			report(
				check, AI8X_CHECK_ENDLESS, AI8X_SEVERITY_INFO, here(-1), 1,
				"more than %d layers were started: the data that they pass to each other were not examined",
				MAX_RUNS);
		} else {
			flow_evaluate(check, complete);
			kernels_evaluate(check, complete);
			bias_evaluate(check);
			trained_evaluate(check);
		}
		for (size_t p = 0; p < check->layer_count; p++)
			check_values(check, &check->layers[p]);
		report_sort(check);
		check->trouble = check->trouble == AI8X_OK ? summarise(check) : check->trouble;
	}
	if (check->trouble != AI8X_OK)
		return error_no_memory(error, "a check");
	return AI8X_OK;
}

size_t ai8x_check_layer_count(const ai8x_check *check)
{
	if (check == NULL)
		return 0;
	return check->summaries != NULL ? check->layer_count : 0;
}

const ai8x_check_layer *ai8x_check_layer_get(const ai8x_check *check, size_t position)
{
	if (check == NULL)
		return NULL;
	return position < ai8x_check_layer_count(check) ? &check->summaries[position] : NULL;
}
