// Files that are written whole or not at all: filled beside their final place, then renamed.
#ifndef AI8X_BASE_FILE_H
#define AI8X_BASE_FILE_H

#include <stdbool.h>

#include <ai8xsim/status.h>

// Writes a file: beside `path` first, then renamed over it (symbolic links are followed). On failure nothing
// is left behind and what was there before is still there.
ai8x_status file_write(const char *path, const void *bytes, size_t size, ai8x_error *error);

// AI8X_ERR_IO where `path` is there but no regular file: renaming over it would replace a device, pipe or folder.
ai8x_status file_check_replaceable(const char *path, ai8x_error *error);

// Opens and closes `path` for reading and says what it is, so that messages name the system's reason.
ai8x_status file_check_readable(const char *path, ai8x_error *error);

// True for a name that ends in suffix, in whatever case.
bool file_has_suffix(const char *path, const char *suffix);

#endif
