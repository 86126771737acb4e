// Results as JUnit XML, for commands that judge many files.
#ifndef AI8XSIM_CLI_JUNIT_H
#define AI8XSIM_CLI_JUNIT_H

#include "cli.h"

// What an exit status means for a test: passed, failed, or could not be run.
ai8x_junit_outcome cli_junit_outcome(int code);

// Fills in the case of a number; its message may be written to reason.
typedef void cli_junit_fill(const void *work, size_t index, ai8x_junit_case *row,
                            char reason[AI8X_MESSAGE_SIZE]);

// Writes a suite of the name `ai8xsim` with count cases to a file. Prints its own error; returns an exit status.
int cli_write_junit(const char *path, size_t count, cli_junit_fill *fill, const void *work);

#endif
