// <ai8xsim/eval.h>: a program on a whole data set, with the accuracy that the part would have.
//
//   ./eval PROGRAM.h5 DATASET.h5
#include <inttypes.h>
#include <stdio.h>

#include <ai8xsim/eval.h>

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	if (argc != 3)
		return 2;
	ai8x_eval_options options = ai8x_eval_options_default();
	options.jobs = 2;
	options.limit = 100;
	ai8x_eval_result result;
	ai8x_status status = ai8x_program_open(argv[1], NULL, &program, &error);
	if (status == AI8X_OK) {
		status = ai8x_eval(program, argv[2], &options, &result, &error);
		if (status == AI8X_OK) {
			printf("%" PRIu64 " of %" PRIu64 " right, %" PRIu64 " cycles each\n", result.top1, result.answers,
			       result.cycles);
			ai8x_eval_release(&result);
		}
	}
	if (status != AI8X_OK)
		fprintf(stderr, "%s\n", error.message);
	ai8x_program_destroy(program);
	return status == AI8X_OK ? 0 : 1;
}
