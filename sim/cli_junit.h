// Results as JUnit XML, for commands that judge many files.
#ifndef AI8XSIM_CLI_JUNIT_H
#define AI8XSIM_CLI_JUNIT_H

#include "cli.h"

// What an exit status means for a test: passed, failed, or could not be run.
ai8x_junit_outcome cli_junit_outcome(int code);

// Writes a suite of the name `ai8xsim` to a file. Prints its own error; returns an exit status.
int cli_write_junit(const char *path, const ai8x_junit_case *cases, size_t count);

#endif
