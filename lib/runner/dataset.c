// Data sets (docs/eval.md): HDF5 files with `input` and `labels`, or NumPy arrays. HDF5 data is read in pieces as
// it is needed, NumPy arrays at once.
#include "runner/dataset.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "program/hdf5_source.h"
#include "program/npy.h"
#include "program/sample.h"

// One table of integers, of either kind of file.
struct source {
	char *path;
	const char *name;          // of the table inside the file
	struct hdf5_source hdf5;   // read where it lies, in pieces
	hid_t set;                 // in it, or H5I_INVALID_HID
	bool samples;              // values may be fractions
	double scale;              // what they are multiplied by
	bool reals;                // HDF5: they are
	bool bytes;                // inputs are unsigned bytes, of which 128 is subtracted
	struct array_list arrays;  // NumPy
	const struct array *array; // in arrays
	uint64_t count, item;      // inputs, values of one
	struct dataset_shape shape;
};

struct dataset {
	struct source input, labels;
	bool has_labels;
};

// --- HDF5 --------------------------------------------------------------------------------------------

static ai8x_status check_extent(struct source *source, unsigned rank, const uint64_t *sides,
                                ai8x_error *error)
{
	if (rank < 1 || rank > DATASET_MAX_RANK)
		return error_set(error, AI8X_ERR_FORMAT, "%s: %s has %u dimensions, expected 1 to %d", source->path,
		                 source->name, rank, DATASET_MAX_RANK);
	source->count = sides[0];
	source->item = 1;
	source->shape = (struct dataset_shape){.rank = rank - 1, .sides = {1, 1, 1}};
	for (unsigned i = 1; i < rank; i++) {
		source->shape.sides[i - 1] = sides[i];
		if (sides[i] == 0 || sides[i] > (1u << 24) || (source->item *= sides[i]) > (1u << 24))
			return error_set(error, AI8X_ERR_LIMIT, "%s: %s: one input has no values, or more than 2^24",
			                 source->path, source->name);
	}
	return AI8X_OK;
}

// Right after the call that failed: every call to HDF5 forgets the last error.
static ai8x_status unreadable(const struct source *source, ai8x_error *error)
{
	const bool lacks = hdf5_lacks_resources();
	char reason[200];
	hdf5_reason(reason, sizeof reason);
	return error_set(error, lacks ? AI8X_ERR_NO_MEMORY : AI8X_ERR_FORMAT, "%s: cannot read %s%s: %s",
	                 source->path, source->name, lacks ? ", no memory or other resource is left" : "",
	                 reason);
}

static ai8x_status inspect_hdf5(struct source *source, ai8x_error *error)
{
	hid_t type = H5Dget_type(source->set), space = H5Dget_space(source->set);
	hsize_t sides[DATASET_MAX_RANK] = {0};
	uint64_t extent[DATASET_MAX_RANK] = {0};
	const int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
	ai8x_status status;
	source->reals = source->samples && type >= 0 && H5Tget_class(type) == H5T_FLOAT;
	source->bytes = source->samples && source->scale == 1 && type >= 0 && H5Tget_class(type) == H5T_INTEGER &&
	                H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE;
	if (type < 0 || (H5Tget_class(type) != H5T_INTEGER && !source->reals))
		status = error_set(error, AI8X_ERR_FORMAT, "%s: %s is not a table of integers", source->path,
		                   source->name);
	else if (rank > DATASET_MAX_RANK || rank < 1)
		status = check_extent(source, rank < 0 ? 0 : (unsigned)rank, extent, error);
	else {
		(void)H5Sget_simple_extent_dims(space, sides, NULL);
		for (int i = 0; i < rank; i++)
			extent[i] = sides[i];
		status = check_extent(source, (unsigned)rank, extent, error);
	}
	if (space >= 0)
		(void)H5Sclose(space);
	if (type >= 0)
		(void)H5Tclose(type);
	return status;
}

// Finds one of `names` (the last is NULL); AI8X_WAITING when there is none of them.
static ai8x_status find_table(struct source *source, const char *const *names, struct hdf5_session *session,
                              ai8x_error *error)
{
	ai8x_status status = AI8X_WAITING;
	hdf5_session_begin(session);
	const ai8x_status opened = hdf5_source_open(&source->hdf5, source->path, 0, error);
	if (opened != AI8X_OK)
		status = opened;
	for (; status == AI8X_WAITING && *names != NULL; names++) {
		const htri_t found = H5Lexists(source->hdf5.file, *names, H5P_DEFAULT);
		source->name = *names;
		if (found > 0)
			source->set = H5Dopen2(source->hdf5.file, *names, H5P_DEFAULT);
		if (found < 0 || (found > 0 && source->set < 0))
			status = unreadable(source, error);
		else if (found > 0)
			status = inspect_hdf5(source, error);
	}
	hdf5_session_end(session);
	return hdf5_session_verdict(session, status, AI8X_ERR_FORMAT, source->path, error);
}

static void close_hdf5(struct source *source)
{
	struct hdf5_session session;
	hdf5_session_begin(&session);
	if (source->set >= 0)
		(void)H5Dclose(source->set);
	source->set = H5I_INVALID_HID;
	hdf5_source_close(&source->hdf5);
	hdf5_session_end(&session);
}

static ai8x_status open_hdf5(struct source *source, const char *const *names, ai8x_error *error)
{
	struct hdf5_session session;
	const ai8x_status status = find_table(source, names, &session, error);
	if (!hdf5_session_doubtful(&session, status))
		return status;
	close_hdf5(source);
	return find_table(source, names, &session, error);
}

static bool has_changed(const struct source *source)
{
	struct stat now;
	const struct stat *opened = &source->hdf5.opened;
	return fstat(source->hdf5.fd, &now) == 0 &&
	       (now.st_size != opened->st_size || now.st_mtim.tv_sec != opened->st_mtim.tv_sec ||
	        now.st_mtim.tv_nsec != opened->st_mtim.tv_nsec);
}

static ai8x_status read_rows(const struct source *source, uint64_t first, uint64_t count, hid_t type,
                             void *values, struct hdf5_session *session, ai8x_error *error)
{
	hsize_t start[DATASET_MAX_RANK] = {first}, size[DATASET_MAX_RANK] = {count};
	const hsize_t total = count * source->item;
	for (unsigned i = 0; i < source->shape.rank; i++)
		size[i + 1] = source->shape.sides[i];
	hdf5_session_begin(session);
	hid_t space = H5Dget_space(source->set), memory = H5Screate_simple(1, &total, NULL);
	const bool ok = space >= 0 && memory >= 0 &&
	                H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL) >= 0 &&
	                H5Dread(source->set, type, memory, space, H5P_DEFAULT, values) >= 0;
	const ai8x_status status = ok ? AI8X_OK : unreadable(source, error);
	if (space >= 0)
		(void)H5Sclose(space);
	if (memory >= 0)
		(void)H5Sclose(memory);
	hdf5_session_end(session);
	// libhdf5 makes zeros of what a shorter file no longer has.
	if (has_changed(source))
		return error_set(error, AI8X_ERR_FORMAT, "%s: the file changed while it was read", source->path);
	return hdf5_session_verdict(session, status, AI8X_ERR_FORMAT, source->path, error);
}

static ai8x_status read_hdf5(const struct source *source, uint64_t first, uint64_t count, hid_t type,
                             void *values, ai8x_error *error)
{
	struct hdf5_session session;
	const ai8x_status status = read_rows(source, first, count, type, values, &session, error);
	return hdf5_session_doubtful(&session, status)
	           ? read_rows(source, first, count, type, values, &session, error)
	           : status;
}

// --- NumPy -------------------------------------------------------------------------------------------

static ai8x_status open_numpy(struct source *source, const char *const *names, ai8x_error *error)
{
	ai8x_status status = source->samples ? arrays_open_samples(source->path, &source->arrays, error)
	                                     : arrays_open(source->path, &source->arrays, error);
	if (status != AI8X_OK)
		return status;
	for (const char *const *name = names; source->array == NULL && *name != NULL; name++)
		source->array = arrays_find(&source->arrays, *name);
	// A .npy file holds one nameless array; a .npz file with one array is as clear.
	if (source->array == NULL && source->arrays.count == 1 &&
	    (source->samples || source->arrays.arrays[0].name[0] == '\0'))
		source->array = &source->arrays.arrays[0];
	if (source->array == NULL)
		return AI8X_WAITING;
	if (source->samples) {
		// What is out of range is told input by input, when it is read.
		struct array *array = &source->arrays.arrays[source->array - source->arrays.arrays];
		status = sample_settle(array, source->scale, source->path, &source->bytes, error);
	}
	if (status != AI8X_OK)
		return status;
	source->name = source->array->name[0] != '\0' ? source->array->name : "the array";
	uint64_t sides[DATASET_MAX_RANK] = {0};
	for (unsigned i = 0; i < source->array->rank && i < DATASET_MAX_RANK; i++)
		sides[i] = source->array->shape[i];
	return check_extent(source, source->array->rank, sides, error);
}

// --- Either ------------------------------------------------------------------------------------------

static void close_source(struct source *source)
{
	close_hdf5(source);
	arrays_release(&source->arrays);
	free(source->path);
}

static ai8x_status open_source(struct source *source, const char *path, const char *const *names,
                               bool samples, double scale, ai8x_error *error)
{
	*source = (struct source){.path = strdup(path),
	                          .samples = samples,
	                          .scale = scale == 0 ? 1 : scale,
	                          .hdf5 = HDF5_SOURCE_CLOSED,
	                          .set = H5I_INVALID_HID};
	if (source->path == NULL)
		return error_no_memory(error, path);
	return file_has_suffix(path, ".npy") || file_has_suffix(path, ".npz") ? open_numpy(source, names, error)
	                                                                      : open_hdf5(source, names, error);
}

static ai8x_status open_labels(struct dataset *dataset, const char *path, bool must_be_there,
                               ai8x_error *error)
{
	static const char *const names[] = {"labels", NULL};
	// A single array is either inputs or labels.
	if (!must_be_there && file_has_suffix(path, ".npy"))
		return AI8X_OK;
	ai8x_status status = open_source(&dataset->labels, path, names, false, 1, error);
	dataset->has_labels = status == AI8X_OK;
	if (status == AI8X_WAITING)
		status =
			must_be_there ? error_set(error, AI8X_ERR_FORMAT, "%s: has no data set 'labels'", path) : AI8X_OK;
	if (status == AI8X_OK && dataset->has_labels && dataset->labels.count != dataset->input.count)
		status =
			error_set(error, AI8X_ERR_FORMAT, "%s: labels of %llu inputs, but there are %llu inputs", path,
		              (unsigned long long)dataset->labels.count, (unsigned long long)dataset->input.count);
	return status;
}

// Fractions are told before anything is begun, if the first input has them.
static ai8x_status try_first(const struct dataset *dataset, ai8x_error *error)
{
	int8_t *values = malloc(dataset->input.item);
	void *room = malloc(dataset_room(dataset, 1));
	const ai8x_status status = values != NULL && room != NULL
	                               ? dataset_read_inputs(dataset, 0, 1, room, values, error)
	                               : error_no_memory(error, dataset->input.path);
	free(values);
	free(room);
	return status;
}

ai8x_status dataset_open(const char *path, const char *labels_path, double scale, struct dataset **out,
                         ai8x_error *error)
{
	static const char *const names[] = {"input", "images", NULL};
	struct dataset *dataset = calloc(1, sizeof *dataset);
	*out = NULL;
	if (dataset == NULL)
		return error_no_memory(error, path);
	dataset->labels = (struct source){.hdf5 = HDF5_SOURCE_CLOSED, .set = H5I_INVALID_HID};
	ai8x_status status = open_source(&dataset->input, path, names, true, scale, error);
	if (status == AI8X_WAITING)
		status = error_set(error, AI8X_ERR_FORMAT, "%s: has no data set 'input' or 'images'", path);
	if (status == AI8X_OK && dataset->input.count == 0)
		status = error_set(error, AI8X_ERR_FORMAT, "%s: there are no inputs in it", path);
	if (status == AI8X_OK && dataset->input.reals && dataset->input.scale == 1)
		status = try_first(dataset, error);
	if (status == AI8X_OK)
		status = open_labels(dataset, labels_path != NULL ? labels_path : path, labels_path != NULL, error);
	if (status != AI8X_OK) {
		dataset_close(dataset);
		return status;
	}
	*out = dataset;
	return AI8X_OK;
}

void dataset_close(struct dataset *dataset)
{
	if (dataset == NULL)
		return;
	close_source(&dataset->input);
	close_source(&dataset->labels);
	free(dataset);
}

const char *dataset_note(const struct dataset *dataset)
{
	return dataset->input.bytes ? "unsigned values from 0 to 255; 128 is subtracted" : NULL;
}

uint64_t dataset_count(const struct dataset *dataset)
{
	return dataset->input.count;
}

struct dataset_shape dataset_input_shape(const struct dataset *dataset)
{
	return dataset->input.shape;
}

bool dataset_has_labels(const struct dataset *dataset)
{
	return dataset->has_labels;
}

struct dataset_shape dataset_label_shape(const struct dataset *dataset)
{
	return dataset->labels.shape;
}

// i: a value, counted from the first of input `first`.
static ai8x_status out_of_range(const struct source *source, uint64_t first, uint64_t i, ai8x_error *error)
{
	return error_set(error, AI8X_ERR_FORMAT,
	                 "%s: %s: value %llu of input %llu is not in -128..127; subtract 128 from pixels 0..255",
	                 source->path, source->name, (unsigned long long)(i % source->item),
	                 (unsigned long long)(first + i / source->item));
}

static ai8x_status refuse_fractions(const struct source *source, const double *values, uint64_t count,
                                    ai8x_error *error)
{
	double least = INFINITY, greatest = -INFINITY;
	for (uint64_t i = 0; i < count; i++) {
		least = fmin(least, values[i]);
		greatest = fmax(greatest, values[i]);
	}
	return sample_refuse_fractions(source->path, least, greatest, error);
}

// Whether HDF5 inputs are read as numbers of floating point: those that are multiplied, or have to be whole.
static bool as_reals(const struct source *source)
{
	return source->scale != 1 || source->reals;
}

static ai8x_status read_scaled(const struct source *source, uint64_t first, uint64_t count, double *reals,
                               int8_t *values, ai8x_error *error)
{
	const uint64_t total = count * source->item;
	ai8x_status status = read_hdf5(source, first, count, H5T_NATIVE_DOUBLE, reals, error);
	for (uint64_t i = 0; i < total && status == AI8X_OK; i++) {
		if (source->scale == 1 && !(floor(reals[i]) == reals[i]))
			status = refuse_fractions(source, reals, total, error);
		else if (source->scale == 1 && !(reals[i] >= -128 && reals[i] <= 127))
			status = out_of_range(source, first, i, error);
		values[i] = (int8_t)sample_scaled(reals[i], source->scale);
	}
	return status;
}

size_t dataset_room(const struct dataset *dataset, uint64_t count)
{
	const struct source *source = &dataset->input;
	const size_t value = as_reals(source) ? sizeof(double) : sizeof(int16_t);
	return source->array != NULL ? 1 : (size_t)(count * source->item * value + 1);
}

ai8x_status dataset_read_inputs(const struct dataset *dataset, uint64_t first, uint64_t count, void *room,
                                int8_t *values, ai8x_error *error)
{
	const struct source *source = &dataset->input;
	const uint64_t total = count * source->item;
	const int16_t *wide = room;
	const int32_t *array = NULL;
	ai8x_status status = AI8X_OK;
	if (source->array == NULL && as_reals(source))
		return read_scaled(source, first, count, room, values, error);
	// HDF5 moves what does not fit to the nearest value that does: out of range stays out of range.
	if (source->array != NULL)
		array = source->array->values + first * source->item;
	else
		status = read_hdf5(source, first, count, H5T_NATIVE_INT16, room, error);
	for (uint64_t i = 0; i < total && status == AI8X_OK; i++) {
		const int32_t value = array != NULL ? array[i] : wide[i] - (source->bytes ? 128 : 0);
		if (value < -128 || value > 127)
			status = out_of_range(source, first, i, error);
		values[i] = (int8_t)value;
	}
	return status;
}

ai8x_status dataset_read_labels(const struct dataset *dataset, uint64_t first, uint64_t count,
                                int32_t *values, ai8x_error *error)
{
	const struct source *source = &dataset->labels;
	if (source->array != NULL) {
		memcpy(values, source->array->values + first * source->item, count * source->item * sizeof *values);
		return AI8X_OK;
	}
	return read_hdf5(source, first, count, H5T_NATIVE_INT32, values, error);
}
