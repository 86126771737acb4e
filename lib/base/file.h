// Files that are written whole or not at all: filled beside their final place, then renamed.
#ifndef AI8X_BASE_FILE_H
#define AI8X_BASE_FILE_H

#include <stdbool.h>

#include <ai8xsim/status.h>

// A file on its way: its bytes go to `fd`, under a temporary name in the folder of `target`.
struct file_draft {
	const char *path; // as the caller named it; has to outlive the draft
	char *target;     // where links lead
	char *temporary;
	int fd;
};

// Opens a draft for `path`. A file that is replaced hands its permissions on; links are followed, also those that
// lead to no file yet. AI8X_ERR_IO or AI8X_ERR_NO_MEMORY with the system's reason.
ai8x_status file_begin(struct file_draft *draft, const char *path, ai8x_error *error);

// The bytes are on the disk, and under their final name, or neither: then nothing is left of the draft, and what was
// there before is still there. Releases the draft either way.
ai8x_status file_commit(struct file_draft *draft, ai8x_error *error);
void file_abandon(struct file_draft *draft);

// All three in one.
ai8x_status file_write(const char *path, const void *bytes, size_t size, ai8x_error *error);
// The same; devices and pipes are written to.
ai8x_status file_write_any(const char *path, const void *bytes, size_t size, ai8x_error *error);

// The name that a file written to `path` takes, after all links; for free(). NULL with errno.
char *file_target(const char *path);

// True where both names mean the same file, also through links, and also where it is not there yet.
bool file_same(const char *first, const char *second);

// AI8X_ERR_IO where `path` is there but no regular file: renaming over it would replace a device, pipe or folder.
ai8x_status file_check_replaceable(const char *path, ai8x_error *error);

// Opens and closes `path` for reading and says what it is, so that messages name the system's reason.
ai8x_status file_check_readable(const char *path, ai8x_error *error);

// True for a name that ends in suffix, in whatever case.
bool file_has_suffix(const char *path, const char *suffix);

#endif
