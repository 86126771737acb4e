// Files that are written whole or not at all; see file.h.
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"

#define TEMPORARY_SUFFIX ".tmp"
enum { TEMPORARY_TRIES = 100, TEMPORARY_DIGITS = 16 };

bool file_lacks_resources(int problem)
{
	static const int numbers[] = {ENOMEM, EMFILE, ENFILE, EIO, ENOSPC, EDQUOT, EINTR, EAGAIN, ENOLCK};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		if (numbers[i] == problem)
			return true;
	return false;
}

static ai8x_status unwritable(ai8x_error *error, const char *path, int problem)
{
	const bool scarce = problem == ENOMEM || problem == EMFILE || problem == ENFILE;
	return error_set(error, scarce ? AI8X_ERR_NO_MEMORY : AI8X_ERR_IO, "%s: cannot write: %s", path,
	                 strerror(problem));
}

ai8x_status file_unreadable(ai8x_error *error, const char *path, int problem)
{
	return error_set(error, file_lacks_resources(problem) ? AI8X_ERR_NO_MEMORY : AI8X_ERR_IO,
	                 "%s: cannot read: %s", path, strerror(problem));
}

// A name that no other process has, nor a file that an earlier one left: process numbers repeat in containers.
static char *temporary_name(const char *target)
{
	uint64_t number = 0;
	struct timespec now;
	if (getrandom(&number, sizeof number, GRND_NONBLOCK) != (ssize_t)sizeof number) {
		(void)clock_gettime(CLOCK_REALTIME, &now);
		number = (uint64_t)now.tv_nsec << 32 ^ (uint64_t)now.tv_sec ^ (uint64_t)getpid() << 16;
	}
	char *name = NULL;
	return asprintf(&name, "%s.%016llx" TEMPORARY_SUFFIX, target, (unsigned long long)number) < 0 ? NULL
	                                                                                              : name;
}

// Whether `name` is what temporary_name() makes of a file called `base`.
static bool is_temporary(const char *name, const char *base)
{
	const size_t length = strlen(base);
	return strncmp(name, base, length) == 0 && name[length] == '.' &&
	       strspn(name + length + 1, "0123456789abcdef") == TEMPORARY_DIGITS &&
	       strcmp(name + length + 1 + TEMPORARY_DIGITS, TEMPORARY_SUFFIX) == 0;
}

bool file_lock(int fd)
{
	// Locks of open descriptions are not lost when another description of the file is closed.
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int done;
	do
		done = fcntl(fd, F_OFD_SETLK, &whole);
	while (done != 0 && errno == EINTR);
	return done == 0;
}

// Removes a temporary file unless a writer holds it. Where the file system has no locks it stays.
static void remove_if_dead(int folder, const char *name)
{
	const int fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat info;
	if (fd < 0)
		return;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() && file_lock(fd))
		(void)unlinkat(folder, name, 0);
	(void)close(fd);
}

void file_remove_dead(const char *target)
{
	enum { MOST_ENTRIES = 100000 }; // no write waits for a folder without end
	const char *slash = strrchr(target, '/'), *base = slash != NULL ? slash + 1 : target;
	char *path = slash == NULL ? strdup(".") : strndup(target, (size_t)(slash - target) + 1);
	DIR *folder = path != NULL ? opendir(path) : NULL;
	free(path);
	if (folder == NULL)
		return;
	const struct dirent *entry;
	for (size_t i = 0; i < MOST_ENTRIES && (entry = readdir(folder)) != NULL; i++)
		if (is_temporary(entry->d_name, base))
			remove_if_dead(dirfd(folder), entry->d_name);
	(void)closedir(folder);
}

char *file_target(const char *path)
{
	char *target;
	do
		target = realpath(path, NULL);
	while (target == NULL && errno == EINTR);
	if (target != NULL || errno != ENOENT)
		return target;
	// What is not there yet: a plain name, or the end of a chain of links.
	char *name = strdup(path);
	for (int links = 0; name != NULL && links < 40; links++) {
		char next[PATH_MAX];
		ssize_t length;
		do
			length = readlink(name, next, sizeof next - 1);
		while (length < 0 && errno == EINTR);
		if (length < 0)
			return name;
		next[length] = '\0';
		char *slash = strrchr(name, '/'), *joined = NULL;
		if (next[0] == '/' || slash == NULL)
			joined = strdup(next);
		else if (asprintf(&joined, "%.*s/%s", (int)(slash - name), name, next) < 0)
			joined = NULL;
		free(name);
		name = joined;
	}
	if (name != NULL)
		errno = ELOOP;
	free(name);
	return NULL;
}

int file_set_mode(int fd, mode_t mode)
{
	int done;
	do
		done = fchmod(fd, mode);
	while (done != 0 && errno == EINTR);
	return done == 0 ? 0 : errno;
}

// Whoever removes the files of dead writers may have been faster than the lock.
static bool is_ours(int fd)
{
	struct stat info;
	if (!file_lock(fd) && (errno == EAGAIN || errno == EACCES))
		return false;
	return fstat(fd, &info) != 0 || info.st_nlink > 0;
}

static int open_temporary(struct file_draft *draft)
{
	struct stat info;
	const bool replaces = stat(draft->target, &info) == 0;
	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		free(draft->temporary);
		draft->temporary = temporary_name(draft->target);
		if (draft->temporary == NULL)
			return ENOMEM;
		do
			draft->fd = open(draft->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, replaces ? 0600 : 0666);
		while (draft->fd < 0 && errno == EINTR);
		if (draft->fd < 0 && errno != EEXIST)
			return errno;
		if (draft->fd >= 0 && is_ours(draft->fd))
			return replaces ? file_set_mode(draft->fd, info.st_mode & 07777) : 0;
		if (draft->fd >= 0)
			(void)close(draft->fd);
		draft->fd = -1;
	}
	return EEXIST;
}

ai8x_status file_begin(struct file_draft *draft, const char *path, ai8x_error *error)
{
	*draft = (struct file_draft){.path = path, .fd = -1};
	ai8x_status status = file_check_replaceable(path, error);
	if (status != AI8X_OK)
		return status;
	draft->target = file_target(path);
	if (draft->target != NULL)
		file_remove_dead(draft->target);
	const int problem = draft->target == NULL ? errno : open_temporary(draft);
	if (problem == 0)
		return AI8X_OK;
	file_abandon(draft);
	return unwritable(error, path, problem);
}

int file_sync(int fd)
{
	int done;
	do
		done = fsync(fd);
	while (done != 0 && errno == EINTR);
	// Some file systems have nothing to wait for and say so.
	return done == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
}

int file_rename(const char *from, const char *to)
{
	int done;
	do
		done = rename(from, to);
	while (done != 0 && errno == EINTR);
	return done == 0 ? 0 : errno;
}

ai8x_status file_commit(struct file_draft *draft, ai8x_error *error)
{
	int problem = file_sync(draft->fd);
	// Linux has closed the file even where close() fails, and its bytes have arrived: that is what fsync() said.
	if (close(draft->fd) != 0 && errno != EINTR && problem == 0)
		problem = errno;
	draft->fd = -1;
	if (problem == 0)
		problem = file_rename(draft->temporary, draft->target);
	ai8x_status status = problem == 0 ? AI8X_OK : unwritable(error, draft->path, problem);
	if (problem == 0) {
		free(draft->temporary);
		draft->temporary = NULL;
	}
	file_abandon(draft);
	return status;
}

void file_abandon(struct file_draft *draft)
{
	if (draft->fd >= 0)
		(void)close(draft->fd);
	if (draft->temporary != NULL)
		(void)unlink(draft->temporary);
	free(draft->temporary);
	free(draft->target);
	*draft = (struct file_draft){.fd = -1};
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
	struct file_draft draft;
	ai8x_status status = file_begin(&draft, path, error);
	if (status != AI8X_OK)
		return status;
	const int problem = write_bytes(draft.fd, bytes, size);
	if (problem == 0)
		return file_commit(&draft, error);
	file_abandon(&draft);
	return unwritable(error, path, problem);
}

ai8x_status file_write_any(const char *path, const void *bytes, size_t size, ai8x_error *error)
{
	struct stat info;
	if (stat(path, &info) != 0 || S_ISREG(info.st_mode) || S_ISDIR(info.st_mode))
		return file_write(path, bytes, size, error);
	// Devices and pipes cannot be replaced by renaming over them.
	int fd;
	do
		fd = open(path, O_WRONLY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	int problem = fd < 0 ? errno : write_bytes(fd, bytes, size);
	if (fd >= 0 && close(fd) != 0 && errno != EINTR && problem == 0)
		problem = errno;
	return problem == 0 ? AI8X_OK : unwritable(error, path, problem);
}

// Folder and name of a file that is not there; false: its folder is not there either.
static bool folder_of(const char *target, struct stat *folder, const char **name)
{
	const char *slash = strrchr(target, '/');
	char *path = slash == NULL     ? strdup(".")
	             : slash == target ? strdup("/")
	                               : strndup(target, (size_t)(slash - target));
	*name = slash == NULL ? target : slash + 1;
	const bool found = path != NULL && stat(path, folder) == 0;
	free(path);
	return found;
}

bool file_same(const char *first, const char *second)
{
	struct stat a, b;
	const bool first_there = stat(first, &a) == 0, second_there = stat(second, &b) == 0;
	if (first_there != second_there)
		return false;
	if (first_there)
		return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	char *one = file_target(first), *two = file_target(second);
	const char *one_name = NULL, *two_name = NULL;
	const bool same = one != NULL && two != NULL && folder_of(one, &a, &one_name) &&
	                  folder_of(two, &b, &two_name) && a.st_dev == b.st_dev && a.st_ino == b.st_ino &&
	                  strcmp(one_name, two_name) == 0;
	free(one);
	free(two);
	return same;
}

ai8x_status file_open(const char *path, int *fd, struct stat *info, ai8x_error *error)
{
	// Opening a pipe for reading waits for a writer; what is read here is a file.
	do
		*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	while (*fd < 0 && errno == EINTR);
	if (*fd < 0)
		return file_unreadable(error, path, errno);
	ai8x_status status = AI8X_OK;
	if (fstat(*fd, info) != 0)
		status = file_unreadable(error, path, errno);
	else if (!S_ISREG(info->st_mode))
		status = error_set(error, AI8X_ERR_IO, "%s: cannot read: %s", path,
		                   S_ISDIR(info->st_mode) ? "is a directory" : "not a regular file");
	if (status != AI8X_OK) {
		(void)close(*fd);
		*fd = -1;
	}
	return status;
}

ai8x_status file_stream(const char *path, FILE **stream, ai8x_error *error)
{
	int fd;
	struct stat info;
	ai8x_status status = file_open(path, &fd, &info, error);
	*stream = status == AI8X_OK ? fdopen(fd, "rb") : NULL;
	if (status == AI8X_OK && *stream == NULL) {
		status = file_unreadable(error, path, errno);
		(void)close(fd);
	}
	return status;
}

ai8x_status file_check_readable(const char *path, ai8x_error *error)
{
	int fd;
	struct stat info;
	ai8x_status status = file_open(path, &fd, &info, error);
	if (status == AI8X_OK)
		(void)close(fd);
	return status;
}

ai8x_status file_read_at(int fd, const char *path, uint64_t offset, void *bytes, size_t *size,
                         ai8x_error *error)
{
	size_t got = 0;
	while (got < *size) {
		const ssize_t count = pread(fd, (char *)bytes + got, *size - got, (off_t)(offset + got));
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return file_unreadable(error, path, errno);
		if (count == 0)
			break;
		got += (size_t)count;
	}
	*size = got;
	return AI8X_OK;
}

ai8x_status file_read(const char *path, size_t most, unsigned char **bytes, size_t *size, ai8x_error *error)
{
	int fd;
	struct stat info;
	*bytes = NULL;
	*size = 0;
	ai8x_status status = file_open(path, &fd, &info, error);
	if (status != AI8X_OK)
		return status;
	if ((uint64_t)info.st_size > most) {
		(void)close(fd);
		return error_set(error, AI8X_ERR_LIMIT, "%s: %llu bytes, more than the limit of %zu", path,
		                 (unsigned long long)info.st_size, most);
	}
	// One byte more than there should be tells a file that grows.
	size_t got = (size_t)info.st_size + 1;
	unsigned char *read = malloc(got);
	status = read == NULL ? error_no_memory(error, path) : file_read_at(fd, path, 0, read, &got, error);
	if (status == AI8X_OK && got != (size_t)info.st_size)
		status = error_set(error, AI8X_ERR_FORMAT, "%s: the file changed while it was read", path);
	(void)close(fd);
	if (status != AI8X_OK) {
		free(read);
		return status;
	}
	read[got] = '\0';
	*bytes = read;
	*size = got;
	return AI8X_OK;
}

bool file_has_suffix(const char *path, const char *suffix)
{
	const size_t length = strlen(path), tail = strlen(suffix);
	return length >= tail && strcasecmp(path + length - tail, suffix) == 0;
}
