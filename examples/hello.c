// The shortest useful client of the library: carries out a recorded program and prints what came of it.
//
//   cc hello.c $(pkg-config --cflags --libs ai8xsim) -o hello
//   ./hello residual2-max78000.h5
#include <inttypes.h>
#include <stdio.h>

#include <ai8xsim/ai8xsim.h>

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ai8x_machine *machine = NULL;
	int exit_status = 1;

	if (argc != 2) {
		fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
		return 2;
	}
	if (ai8x_program_open(argv[1], NULL, &program, &error) == AI8X_OK &&
	    ai8x_machine_create(ai8x_program_part(program), NULL, &machine, &error) == AI8X_OK) {
		ai8x_runner_options options = ai8x_runner_options_default();
		ai8x_runner_result result;
		options.per_layer = true;
		if (ai8x_runner_run(machine, program, &options, &result) == AI8X_OK) {
			printf("%s on %s: %zu layers, %" PRIu64 " cycles, %" PRIu64 " of %" PRIu64 " checks failed\n",
			       ai8x_program_name(program), ai8x_part_get_info(ai8x_program_part(program))->name,
			       result.layer_count, result.cycles, result.mismatches, result.checks);
			exit_status = result.pass ? 0 : 1;
		} else {
			fprintf(stderr, "%s: %s\n", argv[1], result.message);
		}
		ai8x_runner_result_release(&result);
	} else {
		fprintf(stderr, "%s\n", error.message);
	}
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
	return exit_status;
}
