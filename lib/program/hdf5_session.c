// Sessions with libhdf5; see hdf5_session.h.
//
// libhdf5 keeps process-wide tables of open objects. Debian builds it thread-safe (it takes a lock of its
// own around every call); other builds do not, and there two machines on two threads would corrupt these
// tables. The mutex below serialises the calls on such builds only. It is the one mutable global of this
// library, because what it protects is global.
#include "program/hdf5_session.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "program/hdf5_heap.h"

static pthread_mutex_t hdf5_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t hdf5_once = PTHREAD_ONCE_INIT;
static bool hdf5_needs_mutex = true;
static bool hdf5_usable = false;

static void ask_hdf5(void)
{
	hbool_t safe = false;
	const bool opened = H5open() >= 0;
	if (opened && H5is_library_threadsafe(&safe) >= 0)
		hdf5_needs_mutex = !safe;
	hdf5_usable = opened && hdf5_heap_prepare();
}

bool hdf5_is_usable(void)
{
	(void)pthread_once(&hdf5_once, ask_hdf5);
	return hdf5_usable;
}

// libhdf5 calls it at the end of each of its functions that fails.
static herr_t note_failure(hid_t stack, void *user)
{
	struct hdf5_session *session = user;
	(void)stack;
	if (!session->failed) {
		session->failed = true;
		hdf5_reason(session->reason, sizeof session->reason);
	}
	session->lacks = session->lacks || hdf5_lacks_resources();
	return 0;
}

void hdf5_session_begin(struct hdf5_session *session)
{
	*session = (struct hdf5_session){0};
	if (!hdf5_is_usable())
		return;
	if (hdf5_needs_mutex)
		(void)pthread_mutex_lock(&hdf5_mutex);
	(void)H5Eget_auto2(H5E_DEFAULT, &session->printer, &session->printer_data);
	if (H5Eset_auto2(H5E_DEFAULT, note_failure, session) < 0 || H5Eclear2(H5E_DEFAULT) < 0)
		session->failed = session->lacks = true;
}

void hdf5_session_end(const struct hdf5_session *session)
{
	if (!hdf5_usable)
		return;
	(void)H5Eclear2(H5E_DEFAULT);
	(void)H5Eset_auto2(H5E_DEFAULT, session->printer, session->printer_data);
	if (hdf5_needs_mutex)
		(void)pthread_mutex_unlock(&hdf5_mutex);
}

ai8x_status hdf5_session_verdict(const struct hdf5_session *session, ai8x_status status,
                                 ai8x_status unnoticed, const char *path, ai8x_error *error)
{
	if (!session->failed || (status != AI8X_OK && status != AI8X_ERR_FORMAT))
		return status;
	const char *reason = session->reason[0] != '\0' ? session->reason : "out of memory";
	if (session->lacks)
		return error_set(error, AI8X_ERR_NO_MEMORY, "%s: no memory or other resource is left: %s", path,
		                 reason);
	return status != AI8X_OK ? status : error_set(error, unnoticed, "%s: libhdf5: %s", path, reason);
}

bool hdf5_session_doubtful(const struct hdf5_session *session, ai8x_status status)
{
	return status == AI8X_ERR_FORMAT && session->failed && !session->lacks;
}

void *hdf5_share_user(void *user)
{
	return user;
}

herr_t hdf5_leave_user(void *user)
{
	(void)user;
	return 0;
}

struct reason {
	char *text;
	size_t size;
};

static herr_t keep_first(unsigned n, const H5E_error2_t *entry, void *user)
{
	const struct reason *reason = user;
	if (n == 0 && entry->desc != NULL)
		(void)snprintf(reason->text, reason->size, "%s", entry->desc);
	return 0;
}

void hdf5_reason(char *text, size_t size)
{
	(void)snprintf(text, size, "%s", H5Eget_num(H5E_DEFAULT) <= 0 ? "out of memory" : "unknown reason");
	struct reason reason = {text, size};
	(void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
	text[strcspn(text, "\n")] = '\0';
}

// What identifiers are called in errors; the name changed with libhdf5 1.13.
#if H5_VERSION_GE(1, 13, 0)
#define MAJOR_IDENTIFIER H5E_ID
#else
#define MAJOR_IDENTIFIER H5E_ATOM
#endif

static herr_t look_for_lack(unsigned n, const H5E_error2_t *entry, void *user)
{
	static const int numbers[] = {ENOMEM, EMFILE, ENFILE, EIO, ENOSPC, EDQUOT, EINTR};
	bool *lacks = user;
	// Identifiers and property lists are in no file: they were lost, or could not be made, in memory.
	*lacks = *lacks || entry->min_num == H5E_NOSPACE || entry->min_num == H5E_CANTALLOC ||
	         (n == 0 && (entry->maj_num == MAJOR_IDENTIFIER || entry->maj_num == H5E_PLIST)) ||
	         (entry->desc != NULL && strstr(entry->desc, "alloc") != NULL);
	for (size_t i = 0; entry->desc != NULL && i < sizeof numbers / sizeof numbers[0]; i++) {
		char text[32];
		(void)snprintf(text, sizeof text, "errno = %d,", numbers[i]);
		*lacks = *lacks || strstr(entry->desc, text) != NULL;
	}
	return 0;
}

bool hdf5_lacks_resources(void)
{
	bool lacks = false;
	// Where nothing is told there was no memory to tell it.
	ssize_t told = H5Eget_num(H5E_DEFAULT);
	(void)H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look_for_lack, &lacks);
	return lacks || told <= 0;
}
