// Files that are written whole or not at all; see file.h.
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { TEMPORARY_TRIES = 100 };

// Exclusive creation, with the permissions a new file gets anyway. The name is the caller's to free.
static int create_beside(const char *path, char **temporary, int *fd)
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		char *name = NULL;
		if (asprintf(&name, "%s.%ld-%d.tmp", path, (long)getpid(), i) < 0)
			return ENOMEM;
		*fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (*fd >= 0) {
			*temporary = name;
			return 0;
		}
		int problem = errno;
		free(name);
		if (problem != EEXIST)
			return problem != 0 ? problem : EIO;
	}
	return EEXIST;
}

static int write_bytes(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = write(fd, bytes, size);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written < 0 ? errno : ENOSPC;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

static int write_and_rename(const char *path, const void *bytes, size_t size)
{
	char *temporary = NULL;
	int fd = -1;
	int problem = create_beside(path, &temporary, &fd);
	if (problem != 0)
		return problem;
	problem = write_bytes(fd, bytes, size);
	if (close(fd) != 0 && problem == 0)
		problem = errno;
	if (problem == 0 && rename(temporary, path) != 0)
		problem = errno;
	if (problem != 0)
		(void)unlink(temporary);
	free(temporary);
	return problem;
}

ai8x_status file_check_replaceable(const char *path, ai8x_error *error)
{
	struct stat info;
	if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
		return error_set(error, AI8X_ERR_IO, "%s: cannot write: %s", path,
		                 S_ISDIR(info.st_mode) ? "is a directory" : "not a regular file");
	return AI8X_OK;
}

ai8x_status file_write(const char *path, const void *bytes, size_t size, ai8x_error *error)
{
	ai8x_status status = file_check_replaceable(path, error);
	if (status != AI8X_OK)
		return status;
	struct stat info;
	bool exists = stat(path, &info) == 0;
	char *target = exists ? realpath(path, NULL) : strdup(path);
	if (target == NULL && errno == ENOMEM)
		return error_no_memory(error, path);
	int problem = target == NULL ? errno : 0;
	if (problem == 0)
		problem = write_and_rename(target, bytes, size);
	free(target);
	if (problem != 0)
		return error_set(error, AI8X_ERR_IO, "%s: cannot write: %s", path, strerror(problem));
	return AI8X_OK;
}

ai8x_status file_check_readable(const char *path, ai8x_error *error)
{
	// Opening a pipe for reading waits for a writer; a program is a file.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(error, AI8X_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
	struct stat info;
	ai8x_status status = AI8X_OK;
	if (fstat(fd, &info) != 0)
		status = error_set(error, AI8X_ERR_IO, "%s: cannot read: %s", path, strerror(errno));
	else if (!S_ISREG(info.st_mode))
		status = error_set(error, AI8X_ERR_IO, "%s: cannot read: %s", path,
		                   S_ISDIR(info.st_mode) ? "is a directory" : "not a regular file");
	(void)close(fd);
	return status;
}

bool file_has_suffix(const char *path, const char *suffix)
{
	const size_t length = strlen(path), tail = strlen(suffix);
	return length >= tail && strcasecmp(path + length - tail, suffix) == 0;
}
