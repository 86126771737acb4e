// Runs a recorded program under a check.
#include "check/parts.h"

#include <ai8xsim/runner.h>

static ai8x_status name_results(ai8x_check *check, const ai8x_program *program, ai8x_error *error)
{
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	bool run = false;
	for (size_t i = 0; i < count; i++) {
		run |= ops[i].kind == AI8X_BUS_RUN;
		if (!run || ops[i].kind != AI8X_BUS_EXPECT)
			continue;
		if (ai8x_check_expect(check, ops[i].address, ops[i].mask) != AI8X_OK)
			return error_no_memory(error, "a check");
	}
	return AI8X_OK;
}

// What a program records of its layers tells channels from the rest of a last pass.
static void note_channels(ai8x_check *check, const ai8x_program *program)
{
	for (size_t i = 0; i < ai8x_program_layer_count(program); i++) {
		const int64_t index = ai8x_program_int(program, (int)i, "hw_layer", -1);
		const int64_t channels = ai8x_program_int(program, (int)i, "input_channels", 0);
		if (index >= 0 && index < AI8X_MAX_LAYERS && channels > 0 && channels <= UINT32_MAX)
			check->channels[index] = (uint32_t)channels;
		if (index >= 0 && index < AI8X_MAX_LAYERS)
			check->outputs[index] = (uint64_t)ai8x_program_int(program, (int)i, "output_processors", 0);
	}
}

static void compare_results(ai8x_check *check, const ai8x_runner_result *result)
{
	check->results_hold = !check->options.ignore_expectations && result->status == AI8X_OK &&
	                      result->checks > 0 && result->mismatches == 0;
	check->results_fail = !check->options.ignore_expectations && result->mismatches > 0;
	for (size_t i = 0; i < result->mismatch_count && !check->options.ignore_expectations; i++) {
		const ai8x_mismatch *mismatch = &result->mismatch[i];
		struct place place = here(mismatch->layer);
		place.has_address = true;
		place.address = mismatch->address;
		place.channel = mismatch->channel;
		place.row = mismatch->row;
		place.column = mismatch->column;
		report(check, AI8X_CHECK_RESULT, AI8X_SEVERITY_ERROR, place, i == 0 ? result->mismatches : 0,
		       "%llu of %llu words differ from what the program expects, the first is 0x%08x instead of "
		       "0x%08x (bits "
		       "0x%08x)",
		       (unsigned long long)result->mismatches, (unsigned long long)result->checks, mismatch->got,
		       mismatch->expected, mismatch->mask);
	}
}

static ai8x_status run(ai8x_check *check, ai8x_machine *machine, const ai8x_program *program,
                       ai8x_error *error)
{
	ai8x_runner_options options = ai8x_runner_options_default();
	if (check->options.max_cycles != 0)
		options.max_cycles = check->options.max_cycles;
	ai8x_runner_result result;
	ai8x_status status = ai8x_check_attach(check, machine, error);
	if (status != AI8X_OK)
		return status;
	status = ai8x_runner_run(machine, program, &options, &result);
	if (status == AI8X_ERR_NO_MEMORY) {
		ai8x_runner_result_release(&result);
		return error_no_memory(error, "running a program");
	}
	compare_results(check, &result);
	status = ai8x_check_finish(check, status, result.message, error);
	ai8x_check_detach(check);
	ai8x_runner_result_release(&result);
	return status;
}

ai8x_status ai8x_check_program(const ai8x_program *program, const ai8x_check_options *options,
                               ai8x_check **check, ai8x_error *error)
{
	if (check != NULL)
		*check = NULL;
	if (program == NULL || check == NULL)
		return error_null(error, program == NULL ? "program" : "check");
	const ai8x_part *part = ai8x_program_part(program);
	ai8x_machine_options machine_options = ai8x_machine_options_default();
	machine_options.engine = AI8X_ENGINE_EXACT;
	ai8x_machine *machine = NULL;
	ai8x_status status = ai8x_check_create(part, options, check, error);
	if (status == AI8X_OK)
		status = name_results(*check, program, error);
	if (status == AI8X_OK)
		note_channels(*check, program);
	if (status == AI8X_OK)
		status = ai8x_machine_create(part, &machine_options, &machine, error);
	if (status == AI8X_OK)
		status = run(*check, machine, program, error);
	ai8x_machine_destroy(machine);
	if (status != AI8X_OK) {
		ai8x_check_destroy(*check);
		*check = NULL;
	}
	return status;
}
