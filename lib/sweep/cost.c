// What a structure costs: compiled by its shapes, timed in closed form, its memories counted.
#include <ai8xsim/sweep.h>

#include <ai8xsim/program.h>
#include <ai8xsim/view.h>

#include "base/error.h"
#include "network/network.h"
#include "view/map.h"
#include "view/profile.h"

// A profile's totals without its words and maps; tests hold them equal.
static ai8x_status measure(const ai8x_program *program, ai8x_cost *cost, ai8x_error *error)
{
	const ai8x_part *part = ai8x_program_part(program);
	ai8x_timing timing;
	uint64_t data_words = 0, kernel_words = 0;
	ai8x_status status = ai8x_time_program(program, NULL, &timing, error);
	if (status == AI8X_OK)
		status = map_count_words(program, &timing.schedule, &data_words, &kernel_words, error);
	if (status == AI8X_OK) {
		*cost = (ai8x_cost){
			.cycles = timing.schedule.cycles,
			.seconds = (double)timing.schedule.cycles / timing.clock.hz,
			.kernel_words = kernel_words,
			.kernel_capacity = profile_kernel_capacity(part),
			.data_words = data_words,
			.data_capacity = profile_data_capacity(part),
		};
		for (size_t i = 0; i < timing.schedule.layer_count; i++) {
			const ai8x_schedule_layer *layer = &timing.schedule.layers[i];
			cost->macs += ai8x_layer_macs(&layer->layer);
			cost->joules += ai8x_energy_layer_at(&layer->layer, &layer->counters, 0, timing.clock.hz);
		}
	}
	ai8x_timing_release(&timing);
	return status;
}

ai8x_status ai8x_network_cost(const ai8x_network *network, const ai8x_part *part, ai8x_cost *cost,
                              ai8x_error *error)
{
	if (error_if_null(error, network, part, cost))
		return AI8X_ERR_ARGUMENT;
	ai8x_network *copy = NULL;
	ai8x_program *program = NULL;
	// Placing changes a network.
	ai8x_status status = ai8x_network_copy(network, &copy, error);
	if (status == AI8X_OK)
		status = network_compile_structure(copy, part, &program, error);
	if (status == AI8X_OK)
		status = measure(program, cost, error);
	ai8x_program_destroy(program);
	ai8x_network_destroy(copy);
	return status;
}
