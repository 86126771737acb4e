// Network -> program: checks, placement, plan, program, in that order.

#include <stdlib.h>
#include <string.h>

#include "network/attributes.h"
#include "network/limits.h"
#include "network/lower.h"
#include "network/network.h"
#include "network/placing.h"
#include "network/verify.h"

ai8x_compile_options ai8x_compile_options_default(void)
{
	return (ai8x_compile_options){
		.feed = AI8X_FEED_AUTO, .kernel_load = AI8X_KERNELS_PACKED, .pipeline = true};
}

// Options as far as the part has what they ask for.
static ai8x_compile_options effective(const ai8x_compile_options *options, const ai8x_part *part)
{
	ai8x_compile_options result = options == NULL ? ai8x_compile_options_default() : *options;
	// A part without the switch has no unpipelined operation to select.
	result.pipeline = result.pipeline || part->fields[F_NO_PIPELINE].width == 0;
	return result;
}

ai8x_status ai8x_network_place(ai8x_network *network, const ai8x_part *part,
                               const ai8x_compile_options *options, ai8x_error *error)
{
	if (network == NULL || part == NULL)
		return error_null(error, network == NULL ? "network" : "part");
	ai8x_compile_options chosen = effective(options, part);
	ai8x_status status = network_check(network, part, error);
	return status == AI8X_OK ? network_place(network, part, &chosen, error) : status;
}

static ai8x_status set_input(const ai8x_network *network, ai8x_program *program, ai8x_error *error)
{
	size_t count = (size_t)network->input_shape[0] * network->input_shape[1] * network->input_shape[2];
	if (network->input == NULL)
		return AI8X_OK;
	int32_t *values = malloc((count == 0 ? 1 : count) * sizeof *values);
	if (values == NULL)
		return error_no_memory(error, "the input");
	for (size_t i = 0; i < count; i++)
		values[i] = network->input[i];
	ai8x_status status = ai8x_program_set_input(program, values, network->input_shape, error);
	free(values);
	return status;
}

static ai8x_status build(struct plan *plan, const ai8x_network_tensor *outputs, ai8x_program *program,
                         ai8x_error *error)
{
	ai8x_status status = plan_kernels(plan, error);
	if (status == AI8X_OK)
		status = plan_bias(plan, error);
	if (status == AI8X_OK)
		status = plan_streams(plan, error);
	return status == AI8X_OK ? plan_emit(plan, outputs, program, error) : status;
}

ai8x_status ai8x_network_compile(ai8x_network *network, const ai8x_part *part,
                                 const ai8x_compile_options *options, ai8x_program **program,
                                 ai8x_error *error)
{
	if (program != NULL)
		*program = NULL;
	if (error_if_null(error, network, part, program))
		return AI8X_ERR_ARGUMENT;
	ai8x_compile_options chosen = effective(options, part);
	struct plan plan;
	memset(&plan, 0, sizeof plan);
	size_t layers = network->layer_count;
	ai8x_status status = ai8x_network_place(network, part, &chosen, error);
	if (status == AI8X_OK && chosen.outputs != NULL && network->layer_count != layers) {
		status = error_set(
			error, AI8X_ERR_ARGUMENT,
			"placement inserted layers that the expected outputs do not have: place first, then compute "
			"them");
	}
	if (status == AI8X_OK)
		status = plan_create(network, part, &chosen, &plan, error);
	if (status == AI8X_OK)
		status = network_verify(&plan, network, error);
	if (status == AI8X_OK)
		status = ai8x_program_create(part, network->name, program, error);
	if (status == AI8X_OK)
		status = build(&plan, chosen.outputs, *program, error);
	if (status == AI8X_OK)
		status = plan_attributes(&plan, *program, error);
	if (status == AI8X_OK)
		status = set_input(network, *program, error);
	plan_release(&plan);
	if (status != AI8X_OK) {
		ai8x_program_destroy(*program);
		*program = NULL;
	}
	return status;
}

ai8x_status network_compile_structure(ai8x_network *network, const ai8x_part *part, ai8x_program **program,
                                      ai8x_error *error)
{
	ai8x_compile_options chosen = effective(NULL, part);
	struct plan plan;
	*program = NULL;
	memset(&plan, 0, sizeof plan);
	ai8x_status status = ai8x_network_place(network, part, &chosen, error);
	if (status == AI8X_OK)
		status = plan_create(network, part, &chosen, &plan, error);
	if (status == AI8X_OK)
		status = network_verify_rules(&plan, network, error);
	if (status == AI8X_OK)
		status = ai8x_program_create(part, network->name, program, error);
	if (status == AI8X_OK)
		status = build(&plan, NULL, *program, error);
	plan_release(&plan);
	if (status != AI8X_OK) {
		ai8x_program_destroy(*program);
		*program = NULL;
	}
	return status;
}
