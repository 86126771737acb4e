// Opens and saves programs: which file format it is.
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "program/program.h"

// The signature lies at 0, or at 512, 1024, ... after a user block.
static ai8x_status look_for_hdf5(const char *path, bool *found, ai8x_error *error)
{
	static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
	int fd;
	struct stat info;
	*found = false;
	ai8x_status status = file_open(path, &fd, &info, error);
	if (status != AI8X_OK)
		return status;
	size_t size = sizeof signature;
	for (uint64_t offset = 0; offset <= 1 << 20 && !*found && size == sizeof signature && status == AI8X_OK;
	     offset = offset == 0 ? 512 : offset * 2) {
		unsigned char bytes[sizeof signature];
		status = file_read_at(fd, path, offset, bytes, &size, error);
		*found = status == AI8X_OK && size == sizeof bytes && memcmp(bytes, signature, sizeof bytes) == 0;
	}
	(void)close(fd);
	return status;
}

ai8x_status ai8x_program_open(const char *path, const ai8x_program_options *options, ai8x_program **program,
                              ai8x_error *error)
{
	if (program != NULL)
		*program = NULL;
	if (path == NULL || program == NULL)
		return error_null(error, path == NULL ? "path" : "program");
	static const ai8x_program_options defaults;
	if (path == NULL)
		return error_set(error, AI8X_ERR_ARGUMENT, "a program needs a path");
	if (options == NULL)
		options = &defaults;
	bool is_hdf5;
	ai8x_status status = look_for_hdf5(path, &is_hdf5, error);
	if (status != AI8X_OK)
		return status;
	if (is_hdf5)
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
	if (path == NULL || is_program == NULL)
		return error_null(error, path == NULL ? "path" : "is_program");
	*is_program = false;
	bool is_hdf5;
	ai8x_status status = look_for_hdf5(path, &is_hdf5, error);
	if (status != AI8X_OK || !is_hdf5)
		return status;
	return hdf5_probe(path, is_program, error);
}

ai8x_status ai8x_program_save(const ai8x_program *program, const char *path, ai8x_error *error)
{
	if (program == NULL || path == NULL)
		return error_null(error, program == NULL ? "program" : "path");
	return hdf5_write(program, path, error);
}
