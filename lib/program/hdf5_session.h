// Sessions with libhdf5: one caller at a time where the library asks for it, and silent.
#ifndef AI8X_PROGRAM_HDF5_SESSION_H
#define AI8X_PROGRAM_HDF5_SESSION_H

// The interface of the oldest release that is supported; newer ones offer it as well.
#define H5_USE_110_API
#include <stdbool.h>

#include <hdf5.h>

struct hdf5_session {
	H5E_auto2_t printer; // how the caller wants HDF5 to print errors
	void *printer_data;
};

// Every use of libhdf5 in this library happens between these two.
void hdf5_session_begin(struct hdf5_session *session);
void hdf5_session_end(const struct hdf5_session *session);

// For callbacks of the core driver: their user is shared, not copied, and outlives the property lists.
void *hdf5_share_user(void *user);
herr_t hdf5_leave_user(void *user);

// The innermost reason of HDF5's last error, as text without a newline.
void hdf5_reason(char *text, size_t size);

// Whether the last failed call failed for want of memory or of file descriptors, and not for what the file is.
bool hdf5_lacks_resources(void);

#endif
