// <ai8xsim/view.h>: a report for the browser and a trace for GTKWave.
//
//   ./view PROGRAM.h5 REPORT.html TRACE.vcd
#include <stdio.h>

#include <ai8xsim/runner.h>
#include <ai8xsim/view.h>

static ai8x_status report(const ai8x_program *program, const char *path, ai8x_error *error)
{
	ai8x_profile *profile;
	ai8x_status status = ai8x_profile_create(program, NULL, &profile, error);
	if (status != AI8X_OK)
		return status;
	FILE *file = fopen(path, "w");
	if (file != NULL)
		ai8x_profile_html(profile, NULL, NULL, file);
	if (file == NULL || fclose(file) != 0)
		status = AI8X_ERR_IO;
	ai8x_profile_destroy(profile);
	return status;
}

static ai8x_status trace(const ai8x_program *program, const char *path, ai8x_error *error)
{
	const ai8x_part *part = ai8x_program_part(program);
	const ai8x_trace_options wanted = {.format = AI8X_TRACE_VCD, .from_layer = 0, .to_layer = 0};
	ai8x_machine *machine;
	ai8x_trace *trace;
	ai8x_status status = ai8x_machine_create(part, NULL, &machine, error);
	if (status != AI8X_OK)
		return status;
	FILE *file = fopen(path, "w");
	status = file == NULL ? AI8X_ERR_IO : ai8x_trace_create(part, &wanted, file, &trace, error);
	if (status == AI8X_OK) {
		ai8x_runner_options options = ai8x_runner_options_default();
		options.observer = ai8x_trace_event;
		options.observer_kinds = ai8x_trace_kinds(trace);
		options.observer_user = trace;
		ai8x_runner_result result;
		status = ai8x_runner_run(machine, program, &options, &result);
		ai8x_runner_result_release(&result);
		const ai8x_status finished = ai8x_trace_finish(trace, error);
		if (status == AI8X_OK)
			status = finished;
	}
	if (file != NULL && fclose(file) != 0 && status == AI8X_OK)
		status = AI8X_ERR_IO;
	ai8x_machine_destroy(machine);
	return status;
}

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	if (argc != 4)
		return 2;
	ai8x_status status = ai8x_program_open(argv[1], NULL, &program, &error);
	if (status == AI8X_OK)
		status = report(program, argv[2], &error);
	if (status == AI8X_OK)
		status = trace(program, argv[3], &error);
	if (status != AI8X_OK)
		fprintf(stderr, "%s: %s\n", ai8x_status_text(status), error.message);
	ai8x_program_destroy(program);
	return status == AI8X_OK ? 0 : 1;
}
