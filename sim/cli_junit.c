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

int cli_write_junit(const char *path, size_t count, cli_junit_fill *fill, const void *work)
{
	ai8x_junit_case *cases = calloc(count, sizeof *cases);
	char(*reasons)[AI8X_MESSAGE_SIZE] = calloc(count, sizeof *reasons);
	const bool room = cases != NULL && reasons != NULL;
	char *text = NULL;
	ai8x_error error = {0};
	int code = CLI_RESOURCES;
	for (size_t i = 0; room && i < count; i++)
		fill(work, i, &cases[i], reasons[i]);
	if (!room)
		cli_error("out of memory for JUnit XML");
	else if (ai8x_junit_render("ai8xsim", cases, count, &text, &error) == AI8X_OK)
		code = cli_write_file(path, text, strlen(text));
	else
		cli_error("%s", error.message);
	free(text);
	free(reasons);
	free(cases);
	return code;
}
