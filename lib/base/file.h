// Files that are written whole or not at all: filled beside their final place, then renamed.
#ifndef AI8X_BASE_FILE_H
#define AI8X_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <ai8xsim/status.h>

// A file on its way: its bytes go to `fd`, under a temporary name in the folder of `target`.
struct file_draft {
	const char *path; // as the caller named it; has to outlive the draft
	char *target;     // where links lead
	char *temporary;
	int fd;
};

// Opens a draft for `path`, locked, and removes those that dead writers of it left. A file that is replaced hands its permissions on; links are followed, also those that
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

// A file for reading, and what fstat() says of it; close() it. AI8X_ERR_IO where it is none: missing, a folder, a pipe.
ai8x_status file_open(const char *path, int *fd, struct stat *info, ai8x_error *error);

// The same as a stream; fopen() would wait for the writer of a pipe.
ai8x_status file_stream(const char *path, FILE **stream, ai8x_error *error);
// Opens and closes it, so that messages of libraries that open files by name need not name the system's reason.
ai8x_status file_check_readable(const char *path, ai8x_error *error);

// Reads up to *size bytes from `offset` on; *size becomes what there was.
ai8x_status file_read_at(int fd, const char *path, uint64_t offset, void *bytes, size_t *size,
                         ai8x_error *error);
// A whole file of at most `most` bytes (else AI8X_ERR_LIMIT), with a 0 after it; free() *bytes.
ai8x_status file_read(const char *path, size_t most, unsigned char **bytes, size_t *size, ai8x_error *error);

// Whether a call that failed with this errno failed for the machine it runs on (memory, descriptors, a broken disk)
// and not for what it was asked; and the message of a file that cannot be read: AI8X_ERR_NO_MEMORY or AI8X_ERR_IO.
bool file_lacks_resources(int problem);
ai8x_status file_unreadable(ai8x_error *error, const char *path, int problem);

// fsync(), fchmod() and rename() that signals do not interrupt; 0 or errno.
int file_sync(int fd);
int file_set_mode(int fd, mode_t mode);
int file_rename(const char *from, const char *to);

// Locks a whole file against other descriptions of it until `fd` is closed; false with errno, EAGAIN or EACCES where
// somebody has it.
bool file_lock(int fd);
// Removes what writers of `target` left that were killed. Whoever lives holds a lock on his.
void file_remove_dead(const char *target);

// True for a name that ends in suffix, in whatever case.
bool file_has_suffix(const char *path, const char *suffix);

#endif
