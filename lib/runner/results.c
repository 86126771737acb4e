// Outputs of an evaluation on disk (docs/eval.md). All space is allotted when the file is made, so that later
// writes change bytes in place and nothing of HDF5's own structure: whenever the process is killed, the file can
// be opened again. Its `done` map is written after the outputs that it speaks of.
#include "runner/results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "program/hdf5_session.h"

static const char format_name[] = "ai8x-eval";
enum { FORMAT_VERSION = 1, MAX_NAME = 256 };

struct results {
	char *path, *part; // final name, name until complete
	char *birth;       // name until it can be gone on with, or NULL
	int lock;          // an open description that holds the file's lock
	struct results_identity identity;
	size_t item; // values of one output
	hid_t file, output, done, hash, confusion;
	uint8_t *map; // what `done` will say
};

static ai8x_status trouble(const struct results *results, const char *what, ai8x_error *error)
{
	char reason[200];
	hdf5_reason(reason, sizeof reason);
	return error_set(error, AI8X_ERR_IO, "%s: cannot %s: %s", results->part, what, reason);
}

// --- Making a file -----------------------------------------------------------------------------------

static bool put_text(hid_t file, const char *name, const char *text)
{
	hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
	(void)H5Tset_size(type, strlen(text) + 1);
	(void)H5Tset_cset(type, H5T_CSET_UTF8);
	hid_t id = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	bool ok = id >= 0 && H5Awrite(id, type, text) >= 0;
	ok = (id < 0 || H5Aclose(id) >= 0) && ok;
	(void)H5Sclose(space);
	(void)H5Tclose(type);
	return ok;
}

static bool put_number(hid_t file, const char *name, uint64_t number)
{
	hid_t space = H5Screate(H5S_SCALAR);
	hid_t id = H5Acreate2(file, name, H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT);
	bool ok = id >= 0 && H5Awrite(id, H5T_NATIVE_UINT64, &number) >= 0;
	ok = (id < 0 || H5Aclose(id) >= 0) && ok;
	(void)H5Sclose(space);
	return ok;
}

// chunk 0: contiguous.
static hid_t make_set(hid_t file, const char *name, hid_t type, int rank, const hsize_t *sides, hsize_t chunk)
{
	hid_t list = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, sides, NULL);
	hsize_t chunks[4] = {0};
	memcpy(chunks, sides, (size_t)rank * sizeof *sides);
	chunks[0] = chunk;
	if (chunk > 0)
		(void)H5Pset_chunk(list, rank, chunks);
	(void)H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
	(void)H5Pset_obj_track_times(list, false);
	hid_t set =
		space >= 0 ? H5Dcreate2(file, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT) : H5I_INVALID_HID;
	if (space >= 0)
		(void)H5Sclose(space);
	(void)H5Pclose(list);
	return set;
}

static bool make_contents(struct results *results)
{
	const struct results_identity *id = &results->identity;
	const hsize_t sides[4] = {id->inputs, id->shape[0], id->shape[1], id->shape[2]};
	const hsize_t matrix[2] = {id->classes, id->classes};
	const hid_t file = results->file;
	results->output = make_set(file, "output", H5T_STD_I32LE, 4, sides, id->chunk);
	results->done = make_set(file, "done", H5T_STD_U8LE, 1, sides, 0);
	results->hash = make_set(file, "input_hash", H5T_STD_U64LE, 1, sides, 0);
	if (id->classes > 0)
		results->confusion = make_set(file, "confusion", H5T_STD_U64LE, 2, matrix, 0);
	return results->output >= 0 && results->done >= 0 && results->hash >= 0 &&
	       (id->classes == 0 || results->confusion >= 0) && put_text(file, "format", format_name) &&
	       put_number(file, "version", FORMAT_VERSION) && put_text(file, "program", id->program) &&
	       put_text(file, "device", id->part) && put_text(file, "data", id->data) &&
	       put_number(file, "program_hash", id->program_hash) && put_number(file, "inputs", id->inputs);
}

// A disk that is full is found here, not in the midst of the work, and not by libhdf5, which does not survive it.
static ai8x_status reserve(const struct results *results, uint64_t bytes, ai8x_error *error)
{
	const int problem = posix_fallocate(results->lock, 0, (off_t)bytes);
	if (problem != 0)
		return error_set(error, AI8X_ERR_IO, "%s: no room for %llu bytes: %s", results->part,
		                 (unsigned long long)bytes, strerror(problem));
	return AI8X_OK;
}

// Not less than the file will have.
static uint64_t estimate_size(const struct results *results)
{
	const struct results_identity *id = &results->identity;
	enum { STRUCTURE = 1 << 16, PER_CHUNK = 128, PER_INPUT = 9 };
	const uint64_t chunks = id->inputs / id->chunk + 1;
	return STRUCTURE + chunks * PER_CHUNK + chunks * id->chunk * results->item * sizeof(int32_t) +
	       id->inputs * PER_INPUT + (uint64_t)id->classes * id->classes * sizeof(uint64_t);
}

static ai8x_status make(struct results *results, ai8x_error *error)
{
	hsize_t size = 0;
	ai8x_status status = reserve(results, estimate_size(results), error);
	if (status != AI8X_OK)
		return status;
	hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
	(void)H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110);
	(void)H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
	(void)H5Pset_obj_track_times(creation, false);
	results->file = H5Fcreate(results->birth, H5F_ACC_TRUNC, creation, access);
	if (results->file < 0)
		status = trouble(results, "make the file", error);
	(void)H5Pclose(access);
	(void)H5Pclose(creation);
	if (status != AI8X_OK)
		return status;
	if (!make_contents(results) ||
	    H5Dwrite(results->done, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, results->map) < 0)
		return trouble(results, "fill the file", error);
	if (H5Fflush(results->file, H5F_SCOPE_LOCAL) < 0 || H5Fget_filesize(results->file, &size) < 0)
		return trouble(results, "write the file", error);
	return reserve(results, size, error);
}

// --- Going on with a file ----------------------------------------------------------------------------

static bool get_number(hid_t file, const char *name, uint64_t *number)
{
	hid_t id = H5Aopen(file, name, H5P_DEFAULT);
	hid_t space = id >= 0 ? H5Aget_space(id) : H5I_INVALID_HID;
	const bool ok =
		space >= 0 && H5Sget_simple_extent_npoints(space) == 1 && H5Aread(id, H5T_NATIVE_UINT64, number) >= 0;
	if (space >= 0)
		(void)H5Sclose(space);
	if (id >= 0)
		(void)H5Aclose(id);
	return ok;
}

static bool get_text(hid_t file, const char *name, char text[MAX_NAME])
{
	hid_t id = H5Aopen(file, name, H5P_DEFAULT);
	hid_t type = id >= 0 ? H5Aget_type(id) : H5I_INVALID_HID;
	text[0] = '\0';
	const bool ok = type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 &&
	                H5Tget_size(type) < MAX_NAME && H5Aread(id, type, text) >= 0;
	if (ok)
		text[H5Tget_size(type)] = '\0';
	if (type >= 0)
		(void)H5Tclose(type);
	if (id >= 0)
		(void)H5Aclose(id);
	return ok;
}

static hid_t find_set(hid_t file, const char *name, int rank, const hsize_t *sides)
{
	hsize_t found[4] = {0};
	if (H5Lexists(file, name, H5P_DEFAULT) <= 0)
		return H5I_INVALID_HID;
	hid_t set = H5Dopen2(file, name, H5P_DEFAULT), space = set >= 0 ? H5Dget_space(set) : H5I_INVALID_HID;
	bool ok = space >= 0 && H5Sget_simple_extent_ndims(space) == rank &&
	          H5Sget_simple_extent_dims(space, found, NULL) == rank;
	for (int i = 0; ok && i < rank; i++)
		ok = found[i] == sides[i];
	if (space >= 0)
		(void)H5Sclose(space);
	if (!ok && set >= 0) {
		(void)H5Dclose(set);
		set = H5I_INVALID_HID;
	}
	return set;
}

// Why the open file is not the one wanted, or NULL.
static const char *differs(struct results *results)
{
	const struct results_identity *id = &results->identity;
	const hsize_t sides[4] = {id->inputs, id->shape[0], id->shape[1], id->shape[2]};
	const hsize_t matrix[2] = {id->classes, id->classes};
	const hid_t file = results->file;
	char text[MAX_NAME];
	uint64_t number = 0;
	if (!get_text(file, "format", text) || strcmp(text, format_name) != 0 ||
	    !get_number(file, "version", &number) || number != FORMAT_VERSION)
		return "is not an evaluation";
	if (!get_text(file, "device", text) || strcmp(text, id->part) != 0 ||
	    !get_number(file, "program_hash", &number) || number != id->program_hash)
		return "was begun with another program";
	if (!get_number(file, "inputs", &number) || number != id->inputs)
		return "was begun with another number of inputs";
	results->output = find_set(file, "output", 4, sides);
	results->done = find_set(file, "done", 1, sides);
	results->hash = find_set(file, "input_hash", 1, sides);
	if (id->classes > 0)
		results->confusion = find_set(file, "confusion", 2, matrix);
	if (results->output < 0 || results->done < 0 || results->hash < 0)
		return "has outputs of another shape";
	if (id->classes > 0 && results->confusion < 0)
		return "was begun without labels";
	return NULL;
}

static ai8x_status go_on(struct results *results, ai8x_error *error)
{
	hid_t access = H5Pcreate(H5P_FILE_ACCESS);
	(void)H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
	results->file = H5Fopen(results->part, H5F_ACC_RDWR, access);
	if (results->file < 0) {
		char reason[200];
		hdf5_reason(reason, sizeof reason);
		(void)H5Pclose(access);
		return error_set(error, AI8X_ERR_FORMAT, "%s: cannot go on with the file: %s", results->part, reason);
	}
	(void)H5Pclose(access);
	const char *difference = differs(results);
	if (difference != NULL)
		return error_set(error, AI8X_ERR_FORMAT, "%s: %s; remove it, or start anew", results->part,
		                 difference);
	if (H5Dread(results->done, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, results->map) < 0)
		return trouble(results, "read what is done", error);
	return AI8X_OK;
}

// --- All ---------------------------------------------------------------------------------------------

static bool close_file(struct results *results)
{
	const hid_t sets[] = {results->output, results->done, results->hash, results->confusion};
	struct hdf5_session session;
	hdf5_session_begin(&session);
	bool ok = true;
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
		ok = (sets[i] < 0 || H5Dclose(sets[i]) >= 0) && ok;
	ok = (results->file < 0 || H5Fclose(results->file) >= 0) && ok;
	results->file = results->output = results->done = results->hash = results->confusion = H5I_INVALID_HID;
	hdf5_session_end(&session);
	return ok;
}

static ai8x_status in_use(const struct results *results, ai8x_error *error)
{
	return error_set(error, AI8X_ERR_IO, "%s: in use by another evaluation", results->part);
}

static ai8x_status unwritable(const struct results *results, ai8x_error *error)
{
	const bool scarce = errno == ENOMEM || errno == EMFILE || errno == ENFILE;
	return error_set(error, scarce ? AI8X_ERR_NO_MEMORY : AI8X_ERR_IO, "%s: cannot write: %s", results->part,
	                 strerror(errno));
}

// The file under the name may have become another one, or gone, before the lock was ours.
static bool is_still_there(const struct results *results)
{
	struct stat held, named;
	return fstat(results->lock, &held) == 0 && stat(results->part, &named) == 0 &&
	       held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

// Opens and locks PATH.part; *found is false where there is none.
static ai8x_status hold(struct results *results, bool *found, ai8x_error *error)
{
	enum { TRIES = 100 };
	for (int i = 0; i < TRIES; i++) {
		do
			results->lock = open(results->part, O_RDWR | O_CLOEXEC);
		while (results->lock < 0 && errno == EINTR);
		*found = results->lock >= 0;
		if (!*found)
			return errno == ENOENT ? AI8X_OK : unwritable(results, error);
		if (!file_lock(results->lock) && (errno == EAGAIN || errno == EACCES))
			return in_use(results, error);
		if (is_still_there(results))
			return AI8X_OK;
		(void)close(results->lock);
		results->lock = -1;
	}
	return in_use(results, error);
}

// Gives the file its name unless another evaluation was first: 0 or errno.
static int christen(const char *birth, const char *part)
{
	int done;
	do
		done = renameat2(AT_FDCWD, birth, AT_FDCWD, part, RENAME_NOREPLACE);
	while (done != 0 && errno == EINTR);
	if (done == 0 || errno == EEXIST)
		return done == 0 ? 0 : errno;
	// Some file systems cannot do that in one step, and some have no links.
	if (link(birth, part) == 0)
		return unlink(birth) == 0 ? 0 : errno;
	return errno == EEXIST ? errno : file_rename(birth, part);
}

// Made under another name, so that whoever kills this process now leaves nothing that could not be gone on with.
static ai8x_status give_birth(struct results *results, ai8x_error *error)
{
	struct file_draft draft;
	ai8x_status status = file_begin(&draft, results->part, error);
	if (status != AI8X_OK)
		return status;
	results->lock = draft.fd; // and locked
	results->birth = draft.temporary;
	free(draft.target);
	status = make(results, error);
	if (status == AI8X_OK && (errno = file_sync(results->lock)) != 0)
		status = unwritable(results, error);
	if (status != AI8X_OK)
		return status;
	errno = christen(results->birth, results->part);
	if (errno != 0)
		return errno == EEXIST ? in_use(results, error) : unwritable(results, error);
	free(results->birth);
	results->birth = NULL;
	return AI8X_OK;
}

static ai8x_status begin(struct results *results, bool fresh, ai8x_error *error)
{
	struct hdf5_session session;
	bool found = false;
	if (!hdf5_is_usable())
		return error_no_memory(error, "libhdf5");
	file_remove_dead(results->part);
	ai8x_status status = hold(results, &found, error);
	if (status != AI8X_OK)
		return status;
	if (found && fresh) {
		if (unlink(results->part) != 0)
			return unwritable(results, error);
		(void)close(results->lock);
		results->lock = -1;
	}
	hdf5_session_begin(&session);
	status = found && !fresh ? go_on(results, error) : give_birth(results, error);
	hdf5_session_end(&session);
	return hdf5_session_verdict(&session, status, AI8X_ERR_IO, results->part, error);
}

ai8x_status results_open(const char *path, const struct results_identity *identity, bool fresh,
                         struct results **out, ai8x_error *error)
{
	struct results *results = calloc(1, sizeof *results);
	*out = NULL;
	if (results == NULL)
		return error_no_memory(error, path);
	results->file = results->output = results->done = results->hash = results->confusion = H5I_INVALID_HID;
	results->lock = -1;
	results->identity = *identity;
	results->item = (size_t)identity->shape[0] * identity->shape[1] * identity->shape[2];
	results->path = strdup(path);
	results->map = calloc(identity->inputs + 1, 1);
	ai8x_status status = AI8X_OK;
	if (asprintf(&results->part, "%s.part", path) < 0)
		results->part = NULL;
	if (results->path == NULL || results->part == NULL || results->map == NULL)
		status = error_no_memory(error, path);
	if (status == AI8X_OK)
		status = file_check_replaceable(path, error);
	if (status == AI8X_OK)
		status = begin(results, fresh, error);
	if (status != AI8X_OK) {
		results_close(results);
		return status;
	}
	*out = results;
	return AI8X_OK;
}

void results_close(struct results *results)
{
	if (results == NULL)
		return;
	(void)close_file(results);
	if (results->birth != NULL)
		(void)unlink(results->birth);
	if (results->lock >= 0)
		(void)close(results->lock);
	free(results->birth);
	free(results->path);
	free(results->part);
	free(results->map);
	free(results);
}

const uint8_t *results_done(const struct results *results)
{
	return results->map;
}

// Reads or writes `count` rows of a set.
static bool move_rows(hid_t set, hid_t type, uint64_t first, uint64_t count, const uint32_t shape[3],
                      void *read, const void *write)
{
	const hsize_t start[4] = {first};
	const hsize_t size[4] = {count, shape[0], shape[1], shape[2]};
	hid_t space = H5Dget_space(set);
	const int rank = H5Sget_simple_extent_ndims(space);
	hid_t memory = H5Screate_simple(rank, size, NULL);
	bool ok = H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) >= 0;
	if (ok && read != NULL)
		ok = H5Dread(set, type, memory, space, H5P_DEFAULT, read) >= 0;
	else if (ok)
		ok = H5Dwrite(set, type, memory, space, H5P_DEFAULT, write) >= 0;
	(void)H5Sclose(memory);
	(void)H5Sclose(space);
	return ok;
}

ai8x_status results_write(struct results *results, uint64_t first, uint64_t count, const int32_t *outputs,
                          const uint64_t *hashes, ai8x_error *error)
{
	const uint32_t *shape = results->identity.shape;
	struct hdf5_session session;
	hdf5_session_begin(&session);
	ai8x_status status = AI8X_OK;
	if (!move_rows(results->output, H5T_NATIVE_INT32, first, count, shape, NULL, outputs) ||
	    !move_rows(results->hash, H5T_NATIVE_UINT64, first, count, shape, NULL, hashes))
		status = trouble(results, "write outputs", error);
	hdf5_session_end(&session);
	status = hdf5_session_verdict(&session, status, AI8X_ERR_IO, results->part, error);
	if (status == AI8X_OK)
		memset(results->map + first, 1, count);
	return status;
}

ai8x_status results_read(const struct results *results, uint64_t first, uint64_t count, int32_t *outputs,
                         uint64_t *hashes, ai8x_error *error)
{
	const uint32_t *shape = results->identity.shape;
	struct hdf5_session session;
	hdf5_session_begin(&session);
	ai8x_status status = AI8X_OK;
	if (!move_rows(results->output, H5T_NATIVE_INT32, first, count, shape, outputs, NULL) ||
	    !move_rows(results->hash, H5T_NATIVE_UINT64, first, count, shape, hashes, NULL))
		status = trouble(results, "read outputs", error);
	hdf5_session_end(&session);
	return hdf5_session_verdict(&session, status, AI8X_ERR_IO, results->part, error);
}

ai8x_status results_save(struct results *results, ai8x_error *error)
{
	struct hdf5_session session;
	hdf5_session_begin(&session);
	ai8x_status status = AI8X_OK;
	if (H5Fflush(results->file, H5F_SCOPE_LOCAL) < 0 ||
	    H5Dwrite(results->done, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, results->map) < 0 ||
	    H5Fflush(results->file, H5F_SCOPE_LOCAL) < 0)
		status = trouble(results, "save what is done", error);
	hdf5_session_end(&session);
	return hdf5_session_verdict(&session, status, AI8X_ERR_IO, results->part, error);
}

ai8x_status results_finish(struct results *results, const uint64_t *confusion, ai8x_error *error)
{
	ai8x_status status = results_save(results, error);
	struct hdf5_session session;
	hdf5_session_begin(&session);
	if (status == AI8X_OK && confusion != NULL && results->confusion >= 0 &&
	    H5Dwrite(results->confusion, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, confusion) < 0)
		status = trouble(results, "write the confusion matrix", error);
	if (status == AI8X_OK && H5Fflush(results->file, H5F_SCOPE_LOCAL) < 0)
		status = trouble(results, "write the file", error);
	hdf5_session_end(&session);
	status = hdf5_session_verdict(&session, status, AI8X_ERR_IO, results->part, error);
	if (status == AI8X_OK && !close_file(results))
		status = error_set(error, AI8X_ERR_IO, "%s: cannot be closed", results->part);
	if (status == AI8X_OK && (errno = file_sync(results->lock)) != 0)
		status = unwritable(results, error);
	struct stat info;
	if (status == AI8X_OK && stat(results->path, &info) == 0 &&
	    (errno = file_set_mode(results->lock, info.st_mode & 07777)) != 0)
		status = unwritable(results, error);
	char *target = file_target(results->path);
	if (status == AI8X_OK && (target == NULL || (errno = file_rename(results->part, target)) != 0))
		status = error_set(error, AI8X_ERR_IO, "%s: cannot rename to %s: %s", results->part, results->path,
		                   strerror(errno));
	free(target);
	return status;
}
