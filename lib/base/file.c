// Files that are written whole or not at all; see file.h.
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

enum { TEMPORARY_TRIES = 100 };

// Exclusive creation, with the permissions a new file gets anyway.
static int create_beside(const char *path, char **temporary)
{
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		char *name = NULL;
		if (asprintf(&name, "%s.%ld-%d.tmp", path, (long)getpid(), i) < 0)
			return ENOMEM;
		int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0) {
			(void)close(fd);
			*temporary = name;
			return 0;
		}
		int problem = errno;
		free(name);
		if (problem != EEXIST)
			return problem;
	}
	return EEXIST;
}

ai8x_status file_output_begin(struct file_output *output, const char *path, ai8x_error *error)
{
	*output = (struct file_output){0};
	struct stat info;
	bool exists = stat(path, &info) == 0;
	// Renaming would replace a device or pipe by a plain file.
	if (exists && !S_ISREG(info.st_mode))
		return error_set(error, AI8X_ERR_IO, "%s: cannot write: not a regular file", path);
	output->path = exists ? realpath(path, NULL) : strdup(path);
	if (output->path == NULL)
		return error_no_memory(error, path);
	int problem = create_beside(output->path, &output->temporary);
	if (problem != 0) {
		free(output->path);
		*output = (struct file_output){0};
		return error_set(error, AI8X_ERR_IO, "%s: cannot write: %s", path, strerror(problem));
	}
	return AI8X_OK;
}

ai8x_status file_output_commit(struct file_output *output, ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	if (rename(output->temporary, output->path) != 0) {
		status = error_set(error, AI8X_ERR_IO, "%s: cannot write: %s", output->path, strerror(errno));
		(void)unlink(output->temporary);
	}
	free(output->temporary);
	free(output->path);
	*output = (struct file_output){0};
	return status;
}

void file_output_abandon(struct file_output *output)
{
	if (output->temporary != NULL)
		(void)unlink(output->temporary);
	free(output->temporary);
	free(output->path);
	*output = (struct file_output){0};
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
