// <ai8xsim/event.h>, <ai8xsim/layer.h>, <ai8xsim/runner.h>: watch a run. Counts what the sequencer does in each cycle and
// where the first value of every layer goes.
//
//   ./event PROGRAM.h5
#include <inttypes.h>
#include <stdio.h>

#include <ai8xsim/runner.h>

static void count(void *user, const ai8x_event *event)
{
	uint64_t *cycles = user;
	if (event->kind == AI8X_EVENT_STATE)
		cycles[event->u.state.state] += event->u.state.cycles;
}

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ai8x_machine *machine = NULL;
	uint64_t cycles[AI8X_STATE_COUNT] = {0};
	if (argc != 2)
		return 2;
	// An observer of single cycles makes every layer run on the exact engine.
	if (ai8x_program_open(argv[1], NULL, &program, &error) != AI8X_OK ||
	    ai8x_machine_create(ai8x_program_part(program), NULL, &machine, &error) != AI8X_OK) {
		fprintf(stderr, "%s\n", error.message);
		ai8x_program_destroy(program);
		return 3;
	}
	ai8x_runner_options options = ai8x_runner_options_default();
	options.observer = count;
	options.observer_kinds = AI8X_EVENT_STATE;
	options.observer_user = cycles;
	ai8x_runner_result result;
	const ai8x_status status = ai8x_runner_run(machine, program, &options, &result);
	for (int state = 0; state < AI8X_STATE_COUNT; state++)
		if (cycles[state] > 0)
			printf("%-10s %8" PRIu64 "\n", ai8x_state_name((ai8x_state)state), cycles[state]);
	for (size_t i = 0; i < ai8x_machine_layer_count(machine); i++) {
		const ai8x_layer *layer = &ai8x_machine_layer_report(machine, i)->layer;
		const ai8x_output_place place = ai8x_layer_place(layer, 0, 0);
		printf("layer %u (%s) writes its first value to instance %u, word 0x%04x, lane %u\n", layer->index,
		       ai8x_operation_name(layer->operation), place.instance, place.word, place.lane);
	}
	printf("%" PRIu64 " cycles in all\n", result.cycles);
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
	return status == AI8X_OK ? 0 : 1;
}
