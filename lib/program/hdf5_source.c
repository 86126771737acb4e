// HDF5 files for reading; see hdf5_source.h.
#include "program/hdf5_source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

// The core driver asks these callbacks for its memory and is given the file itself, not copies of it.
static void *lend(size_t size, H5FD_file_image_op_t op, void *user)
{
	const struct hdf5_source *source = user;
	(void)op;
	return size <= source->size ? source->bytes : NULL;
}

static void *copy_nothing(void *to, const void *from, size_t size, H5FD_file_image_op_t op, void *user)
{
	(void)from;
	(void)size;
	(void)op;
	(void)user;
	return to;
}

static void *refuse_to_grow(void *bytes, size_t size, H5FD_file_image_op_t op, void *user)
{
	(void)bytes;
	(void)size;
	(void)op;
	(void)user;
	return NULL;
}

static herr_t keep(void *bytes, H5FD_file_image_op_t op, void *user)
{
	(void)bytes;
	(void)op;
	(void)user;
	return 0;
}

// The name of a file in memory, for libhdf5's table of open files: no two have their bytes at the same address.
static herr_t open_in_memory(struct hdf5_source *source, hid_t access, char name[64])
{
	H5FD_file_image_callbacks_t callbacks = {
		lend, copy_nothing, refuse_to_grow, keep, hdf5_share_user, hdf5_leave_user, source};
	(void)snprintf(name, 64, ".ai8xsim-in-memory-%p", (void *)source->bytes);
	if (H5Pset_fapl_core(access, 1 << 16, false) < 0 || H5Pset_file_image_callbacks(access, &callbacks) < 0)
		return -1;
	return H5Pset_file_image(access, source->bytes, source->size);
}

static ai8x_status open_hdf5(struct hdf5_source *source, ai8x_error *error)
{
	char name[64], reason[200];
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	if (access < 0)
		return error_no_memory(error, source->path);
	// Closing the file then closes what a failure left open in it.
	(void)H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
	// Reading needs no lock, and some network file systems have none.
	(void)H5Pset_file_locking(access, false, true);
#endif
	ai8x_status status = AI8X_OK;
	// Tried twice: libhdf5 gives up where a call is interrupted, and does not always say so.
	for (int i = 0; i < 2 && source->bytes == NULL && source->file < 0; i++)
		source->file = H5Fopen(source->path, H5F_ACC_RDONLY, access);
	if (source->bytes != NULL && open_in_memory(source, access, name) >= 0)
		source->file = H5Fopen(name, H5F_ACC_RDONLY, access);
	if (source->file < 0) {
		// Before anything else is called: every call to HDF5 forgets the last error.
		const bool lacks = hdf5_lacks_resources();
		hdf5_reason(reason, sizeof reason);
		const char *what = lacks ? "cannot be opened, no memory or other resource is left"
		                   : strstr(reason, "signature") != NULL ? "cannot be opened as HDF5"
		                                                         : "truncated or damaged HDF5 file";
		status = error_set(error, lacks ? AI8X_ERR_NO_MEMORY : AI8X_ERR_FORMAT, "%s: %s: %s", source->path,
		                   what, reason);
	}
	(void)H5Pclose(access);
	return status;
}

ai8x_status hdf5_source_open(struct hdf5_source *source, const char *path, size_t most, ai8x_error *error)
{
	*source = (struct hdf5_source)HDF5_SOURCE_CLOSED;
	source->path = path;
	if (!hdf5_is_usable())
		return error_no_memory(error, "libhdf5");
	ai8x_status status = file_open(path, &source->fd, &source->opened, error);
	if (status != AI8X_OK)
		return status;
	if (source->opened.st_size > 0 && (uint64_t)source->opened.st_size <= most) {
		(void)close(source->fd);
		source->fd = -1;
		status = file_read(path, most, &source->bytes, &source->size, error);
	}
	if (status == AI8X_OK)
		status = open_hdf5(source, error);
	if (status != AI8X_OK)
		hdf5_source_close(source);
	return status;
}

void hdf5_source_close(struct hdf5_source *source)
{
	const bool closed = source->file < 0 || H5Fclose(source->file) >= 0;
	if (source->fd >= 0)
		(void)close(source->fd);
	// A file that cannot be closed libhdf5 keeps to the end of the process, and finds again by its name.
	if (closed)
		free(source->bytes);
	*source = (struct hdf5_source)HDF5_SOURCE_CLOSED;
}
