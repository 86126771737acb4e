// HDF5 files for reading. What is not too large is read as a whole by us first: libhdf5 neither goes on where a call
// was interrupted nor survives every one that fails, and a file that changes meanwhile cannot lead it astray.
#ifndef AI8X_PROGRAM_HDF5_SOURCE_H
#define AI8X_PROGRAM_HDF5_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <ai8xsim/status.h>

#include "program/hdf5_session.h"

// Programs and weights are smaller by far; data sets are read in pieces.
#define HDF5_SOURCE_MOST ((size_t)256 << 20)

struct hdf5_source {
	const char *path; // as the caller named it; has to outlive the source
	unsigned char *bytes;
	size_t size;
	int fd;             // the file; closed where it is in memory
	struct stat opened; // what it was
	hid_t file;
};

#define HDF5_SOURCE_CLOSED                                                                                   \
	{                                                                                                        \
		.fd = -1, .file = H5I_INVALID_HID                                                                    \
	}

// Opens a file of up to `most` bytes in memory, a larger one where it lies. AI8X_ERR_IO where it is no file,
// AI8X_ERR_NO_MEMORY where the machine has not what it takes, AI8X_ERR_FORMAT where it is not HDF5. Inside a session;
// the source has to stay where it is.
ai8x_status hdf5_source_open(struct hdf5_source *source, const char *path, size_t most, ai8x_error *error);
void hdf5_source_close(struct hdf5_source *source);

#endif
