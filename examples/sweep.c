// <ai8xsim/sweep.h>: a grid over a network's parameters; prints the points that no other point beats.
//
//   ./sweep SPEC.yaml
#include <stdio.h>

#include <ai8xsim/sweep.h>

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_sweep *sweep = NULL;
	if (argc != 2)
		return 2;
	if (ai8x_sweep_open(argv[1], NULL, &sweep, &error) != AI8X_OK ||
	    ai8x_sweep_run(sweep, &(ai8x_sweep_options){.jobs = 2}, &error) != AI8X_OK) {
		fprintf(stderr, "%s\n", error.message);
		ai8x_sweep_destroy(sweep);
		return 3;
	}
	for (size_t i = 0; i < ai8x_sweep_point_count(sweep); i++) {
		const ai8x_sweep_point *point = ai8x_sweep_point_at(sweep, i);
		if (!point->best)
			continue;
		for (size_t axis = 0; axis < ai8x_sweep_axis_count(sweep); axis++)
			printf("%s=%s ", ai8x_sweep_axis_name(sweep, axis), ai8x_sweep_value(sweep, i, axis));
		printf("%.1f us\n", point->seconds * 1e6);
	}
	ai8x_sweep_destroy(sweep);
	return 0;
}
