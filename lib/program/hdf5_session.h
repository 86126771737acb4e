// Sessions with libhdf5: one caller at a time where the library asks for it, and silent.
#ifndef AI8X_PROGRAM_HDF5_SESSION_H
#define AI8X_PROGRAM_HDF5_SESSION_H

// The interface of the oldest release that is supported; newer ones offer it as well.
#define H5_USE_110_API
#include <stdbool.h>

#include <hdf5.h>

#include <ai8xsim/status.h>

struct hdf5_session {
	H5E_auto2_t printer; // how the caller wants HDF5 to print errors
	void *printer_data;
	bool failed;      // a call has, whether or not its result was looked at
	bool lacks;       // one of them for want of memory or of descriptors
	char reason[200]; // of the first
};

// Every use of libhdf5 in this library happens between these two. The session has to stay where it is.
void hdf5_session_begin(struct hdf5_session *session);
void hdf5_session_end(const struct hdf5_session *session);

// False where libhdf5 found no memory to set itself up: it crashes at whatever it is asked for then.
bool hdf5_is_usable(void);

// What came of the session's work on `path`: `status`, unless calls failed meanwhile. AI8X_ERR_NO_MEMORY where they
// lacked memory and the work failed or seems done; `unnoticed` where the work seems done for all that.
ai8x_status hdf5_session_verdict(const struct hdf5_session *session, ai8x_status status,
                                 ai8x_status unnoticed, const char *path, ai8x_error *error);

// Whether what libhdf5 called damage may have been want of memory, of which it does not always tell. Damage stays:
// read again.
bool hdf5_session_doubtful(const struct hdf5_session *session, ai8x_status status);

// For callbacks of the core driver: their user is shared, not copied, and outlives the property lists.
void *hdf5_share_user(void *user);
herr_t hdf5_leave_user(void *user);

// The innermost reason of HDF5's last error, as text without a newline.
void hdf5_reason(char *text, size_t size);

// Whether the last failed call failed for want of memory or of file descriptors, and not for what the file is.
bool hdf5_lacks_resources(void);

#endif
