// Opens and saves programs: which file format it is.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "program/program.h"

// The signature lies at 0, or at 512, 1024, ... after a user block.
static bool has_hdf5_signature(const char *path)
{
	static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool found = false;
	for (off_t offset = 0; offset <= 1 << 20 && !found; offset = offset == 0 ? 512 : offset * 2) {
		unsigned char bytes[sizeof signature];
		if (pread(fd, bytes, sizeof bytes, offset) != (ssize_t)sizeof bytes)
			break;
		found = memcmp(bytes, signature, sizeof bytes) == 0;
	}
	(void)close(fd);
	return found;
}

ai8x_status ai8x_program_open(const char *path, const ai8x_program_options *options, ai8x_program **program,
                              ai8x_error *error)
{
	static const ai8x_program_options defaults;
	*program = NULL;
	if (path == NULL)
		return error_set(error, AI8X_ERR_ARGUMENT, "a program needs a path");
	if (options == NULL)
		options = &defaults;
	ai8x_status status = file_check_readable(path, error);
	if (status != AI8X_OK)
		return status;
	if (has_hdf5_signature(path))
		return hdf5_read(path, options, program, error);
	if (file_has_suffix(path, ".mem"))
		return mem_read(path, options, program, error);
	if (file_has_suffix(path, ".yaml") || file_has_suffix(path, ".yml"))
		return error_set(error, AI8X_ERR_FORMAT,
		                 "%s: not a program but, by its name, a network description: compile it first", path);
	return error_set(error, AI8X_ERR_FORMAT,
	                 "%s: not a program: expected an HDF5 file (its signature is missing) or a .mem file",
	                 path);
}

ai8x_status ai8x_program_probe(const char *path, bool *is_program, ai8x_error *error)
{
	*is_program = false;
	ai8x_status status = file_check_readable(path, error);
	if (status != AI8X_OK || !has_hdf5_signature(path))
		return status;
	return hdf5_probe(path, is_program, error);
}

ai8x_status ai8x_program_save(const ai8x_program *program, const char *path, ai8x_error *error)
{
	return hdf5_write(program, path, error);
}
