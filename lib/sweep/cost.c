// What a structure costs: compiled by its shapes, timed in closed form, its memories counted.
#include <ai8xsim/sweep.h>

#include <ai8xsim/program.h>
#include <ai8xsim/view.h>

#include "base/error.h"

static ai8x_status measure(const ai8x_network *network, const ai8x_program *program, ai8x_cost *cost,
                           ai8x_error *error)
{
	ai8x_profile *profile;
	const ai8x_profile_options options = {.network = network};
	ai8x_status status = ai8x_profile_create(program, &options, &profile, error);
	if (status != AI8X_OK)
		return status;
	*cost = (ai8x_cost){
		.cycles = profile->timing.schedule.cycles,
		.macs = profile->macs,
		.seconds = profile->seconds,
		.joules = profile->joules,
		.kernel_words = profile->kernel_words,
		.kernel_capacity = profile->kernel_capacity,
		.data_words = profile->data_words,
		.data_capacity = profile->data_capacity,
	};
	ai8x_profile_destroy(profile);
	return AI8X_OK;
}

ai8x_status ai8x_network_cost(const ai8x_network *network, const ai8x_part *part, ai8x_cost *cost,
                              ai8x_error *error)
{
	if (network == NULL || part == NULL || cost == NULL)
		return error_set(error, AI8X_ERR_ARGUMENT, "network, part and cost have to be given");
	ai8x_network *copy = NULL;
	ai8x_program *program = NULL;
	// Placing changes a network.
	ai8x_status status = ai8x_network_copy(network, &copy, error);
	if (status == AI8X_OK)
		status = ai8x_network_compile(copy, part, NULL, &program, error);
	if (status == AI8X_OK)
		status = measure(copy, program, cost, error);
	ai8x_program_destroy(program);
	ai8x_network_destroy(copy);
	return status;
}
