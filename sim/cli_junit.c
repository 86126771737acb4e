// Results as JUnit XML.
#include "cli_junit.h"

#include <stdlib.h>
#include <string.h>

ai8x_junit_outcome cli_junit_outcome(int code)
{
	if (code == CLI_OK)
		return AI8X_JUNIT_PASS;
	return code == CLI_CHECK_FAILED || code == CLI_UNCHECKED ? AI8X_JUNIT_FAILURE : AI8X_JUNIT_ERROR;
}

int cli_write_junit(const char *path, const ai8x_junit_case *cases, size_t count)
{
	char *text = NULL;
	ai8x_error error = {0};
	int code = CLI_RESOURCES;
	if (ai8x_junit_render("ai8xsim", cases, count, &text, &error) == AI8X_OK)
		code = cli_write_file(path, text, strlen(text));
	else
		cli_error("%s", error.message);
	free(text);
	return code;
}
