// HDF5 files made in memory and written by us: libhdf5 neither survives a disk that fills up under it nor tells of every
// write that fails, and a file is to be there whole or not at all.
#ifndef AI8X_PROGRAM_HDF5_IMAGE_H
#define AI8X_PROGRAM_HDF5_IMAGE_H

#include <ai8xsim/status.h>

#include "program/hdf5_session.h"

struct image_memory;

struct hdf5_image {
	struct image_memory *memory;
};

// Makes an empty file. path: where it will go, for messages. Inside a session. Negative where there is no memory.
hid_t hdf5_image_create(struct hdf5_image *image, const char *path, ai8x_error *error);

// Closes the file and, where `status` is AI8X_OK, writes it to path. Releases the image. Outside of a session.
ai8x_status hdf5_image_write(struct hdf5_image *image, hid_t file, const char *path, ai8x_status status,
                             ai8x_error *error);

#endif
