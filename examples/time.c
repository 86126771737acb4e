// <ai8xsim/time.h>: cycles in closed form, without running anything: where the time of each layer goes.
//
//   ./time PROGRAM.h5
#include <inttypes.h>
#include <stdio.h>

#include <ai8xsim/time.h>

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ai8x_timing timing;
	if (argc != 2)
		return 2;
	if (ai8x_program_open(argv[1], NULL, &program, &error) != AI8X_OK ||
	    ai8x_time_program(program, NULL, &timing, &error) != AI8X_OK) {
		fprintf(stderr, "%s\n", error.message);
		ai8x_program_destroy(program);
		return 3;
	}
	for (size_t i = 0; i < timing.schedule.layer_count; i++) {
		const ai8x_schedule_layer *layer = &timing.schedule.layers[i];
		printf("layer %u: %" PRIu64 " cycles, %" PRIu64 " of them output\n", layer->layer.index,
		       layer->cycles, layer->counters.state[AI8X_STATE_OUTPUT]);
	}
	printf("%" PRIu64 " cycles at %s: %.1f us\n", timing.schedule.cycles, timing.clock.name,
	       (double)timing.schedule.cycles / timing.clock.hz * 1e6);
	ai8x_timing_release(&timing);
	ai8x_program_destroy(program);
	return 0;
}
