// Files that are written whole or not at all: filled beside their final place, then renamed.
#ifndef AI8X_BASE_FILE_H
#define AI8X_BASE_FILE_H

#include <ai8xsim/status.h>

struct file_output {
	char *path;      // final place, symbolic links resolved
	char *temporary; // where the content is written meanwhile; exists and is empty after begin
};

// Creates the temporary file. On failure nothing is left behind and `output` is empty.
ai8x_status file_output_begin(struct file_output *output, const char *path, ai8x_error *error);

// Puts the finished file in its place; on failure it is removed. Ends `output` either way.
ai8x_status file_output_commit(struct file_output *output, ai8x_error *error);

// Removes the unfinished file and ends `output`.
void file_output_abandon(struct file_output *output);

// Opens and closes `path` for reading and says what it is, so that messages name the system's reason.
ai8x_status file_check_readable(const char *path, ai8x_error *error);

#endif
