// HDF5 files made in memory; see hdf5_image.h.
#include "program/hdf5_image.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"

enum { MEMORY_STEP = 1 << 20 }; // bytes by which the file grows in memory

// A file that cannot be closed libhdf5 keeps, and frees at the end of the process: so this may outlive the image.
struct image_memory {
	unsigned char *bytes;
	size_t size;
};

// HDF5's core driver asks these callbacks for its memory. What it frees when it closes the file is the
// finished file: that is kept. (H5Fget_file_image() would copy it before it is finished.)
static void *image_malloc(size_t size, H5FD_file_image_op_t op, void *user)
{
	(void)op;
	(void)user;
	return malloc(size);
}

static void *image_realloc(void *bytes, size_t size, H5FD_file_image_op_t op, void *user)
{
	struct image_memory *memory = user;
	(void)op;
	void *grown = realloc(bytes, size);
	if (grown != NULL)
		memory->size = size;
	return grown;
}

static herr_t image_free(void *bytes, H5FD_file_image_op_t op, void *user)
{
	struct image_memory *memory = user;
	if (op != H5FD_FILE_IMAGE_OP_FILE_CLOSE) {
		free(bytes);
		return 0;
	}
	free(memory->bytes);
	memory->bytes = bytes;
	return 0;
}

hid_t hdf5_image_create(struct hdf5_image *image, const char *path, ai8x_error *error)
{
	image->memory = NULL;
	if (hdf5_is_usable())
		image->memory = calloc(1, sizeof *image->memory);
	if (image->memory == NULL) {
		(void)error_no_memory(error, "libhdf5");
		return H5I_INVALID_HID;
	}
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	hid_t creation = H5Pcreate(H5P_FILE_CREATE);
	H5FD_file_image_callbacks_t callbacks = {
		image_malloc, NULL, image_realloc, image_free, hdf5_share_user, hdf5_leave_user, image->memory};
	// Without them H5Fcreate() would make a file on the disk.
	const bool in_memory = H5Pset_file_image_callbacks(access, &callbacks) >= 0 &&
	                       H5Pset_fapl_core(access, MEMORY_STEP, false) >= 0;
	// Any libhdf5 from 1.10 on reads this.
	(void)H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
	(void)H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
	(void)H5Pset_obj_track_times(creation, false);
	// Only a name: under that of a file that exists the driver would load it first.
	// libhdf5 refuses one that is open, on any thread; two images do not lie at the same address.
	char name[64];
	(void)snprintf(name, sizeof name, ".ai8xsim-in-memory-%p", (void *)image->memory);
	hid_t file = in_memory ? H5Fcreate(name, H5F_ACC_TRUNC, creation, access) : H5I_INVALID_HID;
	char reason[200];
	hdf5_reason(reason, sizeof reason);
	(void)H5Pclose(creation);
	(void)H5Pclose(access);
	if (file < 0)
		(void)error_set(error, AI8X_ERR_NO_MEMORY, "%s: cannot make the file: %s", path, reason);
	return file;
}

// Memory grows in steps; how much of it is the file says its superblock (version 2 and 3: end-of-file
// address at byte 28).
static size_t file_size(const struct image_memory *memory)
{
	uint64_t size = 0;
	for (size_t i = 0; i < 8 && memory->bytes != NULL && memory->size >= 48; i++)
		size |= (uint64_t)memory->bytes[28 + i] << (8 * i);
	return size <= memory->size ? (size_t)size : 0;
}

ai8x_status hdf5_image_write(struct hdf5_image *image, hid_t file, const char *path, ai8x_status status,
                             ai8x_error *error)
{
	struct hdf5_session session;
	char reason[200];
	hdf5_session_begin(&session);
	const bool closed = file < 0 || H5Fclose(file) >= 0;
	hdf5_reason(reason, sizeof reason);
	hdf5_session_end(&session);
	if (status == AI8X_OK && !closed)
		status = error_set(error, AI8X_ERR_IO, "%s: cannot write: %s", path, reason);
	status = hdf5_session_verdict(&session, status, AI8X_ERR_IO, path, error);
	struct image_memory *memory = image->memory;
	if (status == AI8X_OK && file_size(memory) == 0)
		status = error_set(error, AI8X_ERR_NO_MEMORY, "%s: the file could not be made in memory", path);
	if (status == AI8X_OK)
		status = file_write(path, memory->bytes, file_size(memory), error);
	if (!closed)
		return status;
	if (memory != NULL)
		free(memory->bytes);
	free(memory);
	return status;
}
