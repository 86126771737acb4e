// <ai8xsim/check.h>: what is wrong with a program? Prints every finding from "warning" up.
//
//   ./check PROGRAM.h5
#include <stdio.h>

#include <ai8xsim/check.h>

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ai8x_check *check = NULL;
	if (argc != 2)
		return 2;
	if (ai8x_program_open(argv[1], NULL, &program, &error) != AI8X_OK ||
	    ai8x_check_program(program, NULL, &check, &error) != AI8X_OK) {
		fprintf(stderr, "%s\n", error.message);
		ai8x_program_destroy(program);
		return 3;
	}
	int errors = 0;
	for (size_t i = 0; i < ai8x_check_count(check); i++) {
		const ai8x_finding *finding = ai8x_check_get(check, i);
		char text[2048];
		if (finding->severity < AI8X_SEVERITY_WARNING)
			continue;
		ai8x_finding_describe(finding, text, sizeof text);
		printf("%s: %s\n%s\n", ai8x_severity_name(finding->severity),
		       ai8x_check_class_get(finding->kind)->name, text);
		errors += finding->severity == AI8X_SEVERITY_ERROR;
	}
	printf("%d errors in %zu layers\n", errors, ai8x_check_layer_count(check));
	ai8x_check_destroy(check);
	ai8x_program_destroy(program);
	return errors > 0;
}
