// Reads a program from HDF5 (docs/program-format.md).
//
// The file is foreign: every object is checked for kind, type, rank and size before memory is set aside
// for it, links that lead elsewhere are refused, and every message names file, object and expectation.
// Compound members are matched by name, so that order, offsets, byte order and width are the writer's
// choice.
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "program/hdf5_heap.h"
#include "program/hdf5_session.h"
#include "program/program.h"

enum {
	MAX_CHUNK_BYTES = 1 << 26, // HDF5 holds a whole chunk in memory while it reads from it
	BLOCK_ROWS = 1 << 14,      // rows converted at a time where values must be checked
};

// Where a message says something happened.
struct reader {
	const char *path;
	hid_t file;
	struct hdf5_source *source;
	struct hdf5_heap *heap; // where texts of variable length are
	ai8x_error *error;
};

static ai8x_status bad(const struct reader *reader, const char *object, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static ai8x_status bad(const struct reader *reader, const char *object, const char *format, ...)
{
	char text[AI8X_MESSAGE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	return error_set(reader->error, AI8X_ERR_FORMAT, "%s: %s: %s", reader->path, object, text);
}

static ai8x_status unreadable(const struct reader *reader, const char *object)
{
	char reason[200];
	hdf5_reason(reason, sizeof reason);
	if (hdf5_lacks_resources())
		return error_set(reader->error, AI8X_ERR_NO_MEMORY,
		                 "%s: %s: cannot read, no memory or other resource is left: %s", reader->path, object,
		                 reason);
	return bad(reader, object, "damaged: %s", reason);
}

static ai8x_status too_large(const struct reader *reader, const char *object, unsigned long long count,
                             const char *what, unsigned long long limit)
{
	return error_set(reader->error, AI8X_ERR_LIMIT, "%s: %s: %llu %s; at most %llu are accepted",
	                 reader->path, object, count, what, limit);
}

// --- Objects -----------------------------------------------------------------------------------------

enum presence { ABSENT, PRESENT, BROKEN };

// Only hard links: soft and external ones lead to cycles, nowhere, or into other files.
static enum presence find_object(const struct reader *reader, const char *object, H5O_type_t type)
{
	htri_t exists = H5Lexists(reader->file, object, H5P_DEFAULT);
	if (exists < 0) {
		(void)unreadable(reader, object);
		return BROKEN;
	}
	if (exists == 0)
		return ABSENT;
	H5L_info_t link;
	if (H5Lget_info(reader->file, object, &link, H5P_DEFAULT) < 0) {
		(void)unreadable(reader, object);
		return BROKEN;
	}
	if (link.type != H5L_TYPE_HARD) {
		(void)bad(reader, object, "is a soft or external link; expected the object itself");
		return BROKEN;
	}
	H5O_info_t info;
	if (H5Oget_info_by_name2(reader->file, object, &info, H5O_INFO_BASIC, H5P_DEFAULT) < 0) {
		(void)unreadable(reader, object);
		return BROKEN;
	}
	if (info.type != type) {
		(void)bad(reader, object, "expected a %s", type == H5O_TYPE_GROUP ? "group" : "dataset");
		return BROKEN;
	}
	return PRESENT;
}

struct dataset {
	const struct reader *reader;
	const char *object;
	hid_t id, type;
	hsize_t dims[3];
	size_t rows; // product of the dimensions
};

static void dataset_close(struct dataset *dataset)
{
	if (dataset->type >= 0)
		(void)H5Tclose(dataset->type);
	if (dataset->id >= 0)
		(void)H5Dclose(dataset->id);
	dataset->type = dataset->id = H5I_INVALID_HID;
}

// Data must lie in this file and in pieces that fit into memory.
static ai8x_status check_storage(const struct dataset *dataset)
{
	const struct reader *reader = dataset->reader;
	hid_t creation = H5Dget_create_plist(dataset->id);
	if (creation < 0)
		return unreadable(reader, dataset->object);
	ai8x_status status = AI8X_OK;
	H5D_layout_t layout = H5Pget_layout(creation);
	if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED) {
		status = bad(reader, dataset->object, "virtual datasets are not accepted");
	} else if (layout == H5D_CONTIGUOUS && H5Pget_external_count(creation) > 0) {
		status = bad(reader, dataset->object, "data in external files is not accepted");
	} else if (layout != H5D_CHUNKED) {
		// libhdf5 copies as much as type and shape say, whatever is stored. Only contiguous data may be
		// absent as a whole: they read as zeros.
		hsize_t stored = H5Dget_storage_size(dataset->id);
		size_t bytes = H5Tget_size(dataset->type);
		bool absent = stored == 0 && layout == H5D_CONTIGUOUS;
		if (bytes == 0 || (!absent && stored / bytes < dataset->rows))
			status = bad(reader, dataset->object, "damaged: holds less data than its shape asks for");
	} else {
		hsize_t chunk[H5S_MAX_RANK];
		int rank = H5Pget_chunk(creation, H5S_MAX_RANK, chunk);
		unsigned long long bytes = H5Tget_size(dataset->type);
		for (int i = 0; i < rank && bytes <= MAX_CHUNK_BYTES; i++)
			bytes = chunk[i] <= MAX_CHUNK_BYTES ? bytes * chunk[i] : ULLONG_MAX;
		if (rank < 0)
			status = unreadable(reader, dataset->object);
		else if (bytes > MAX_CHUNK_BYTES)
			status = too_large(reader, dataset->object, bytes, "bytes in a chunk", MAX_CHUNK_BYTES);
	}
	(void)H5Pclose(creation);
	return status;
}

static ai8x_status check_shape(struct dataset *dataset, int rank, size_t limit, const char *what)
{
	const struct reader *reader = dataset->reader;
	hid_t space = H5Dget_space(dataset->id);
	if (space < 0)
		return unreadable(reader, dataset->object);
	ai8x_status status = AI8X_OK;
	int found = H5Sget_simple_extent_ndims(space);
	if (H5Sget_simple_extent_type(space) != H5S_SIMPLE || found != rank) {
		status = bad(reader, dataset->object, "has %d dimensions; expected %d", found < 0 ? 0 : found, rank);
	} else if (H5Sget_simple_extent_dims(space, dataset->dims, NULL) != rank) {
		status = unreadable(reader, dataset->object);
	} else {
		unsigned long long rows = 1;
		for (int i = 0; i < rank && rows <= limit; i++)
			rows = dataset->dims[i] <= limit ? rows * dataset->dims[i] : ULLONG_MAX;
		if (rows > limit)
			status = too_large(reader, dataset->object, rows, what, limit);
		dataset->rows = (size_t)rows;
	}
	(void)H5Sclose(space);
	return status;
}

// Opens a dataset whose presence was found, of the given rank and at most `limit` elements.
static ai8x_status dataset_open(const struct reader *reader, const char *object, int rank, size_t limit,
                                const char *what, struct dataset *dataset)
{
	*dataset = (struct dataset){.reader = reader, .object = object, .type = H5I_INVALID_HID};
	dataset->id = H5Dopen2(reader->file, object, H5P_DEFAULT);
	if (dataset->id < 0)
		return unreadable(reader, object);
	dataset->type = H5Dget_type(dataset->id);
	ai8x_status status = dataset->type >= 0 ? check_shape(dataset, rank, limit, what) : AI8X_OK;
	if (dataset->type < 0)
		status = unreadable(reader, object);
	if (status == AI8X_OK)
		status = check_storage(dataset);
	if (status != AI8X_OK)
		dataset_close(dataset);
	return status;
}

// --- Compound datasets -------------------------------------------------------------------------------

// A member of a row in memory: its name in the file, place and unsigned type.
struct member {
	const char *name;
	size_t offset;
	size_t bytes; // 1 or 4
};

enum { MOST_MEMBERS = 4 };

struct rows {
	const struct member *members; // at most MOST_MEMBERS
	size_t member_count;
	size_t row_bytes;
};

static hid_t unsigned_type(size_t bytes)
{
	return bytes == 1 ? H5T_NATIVE_UINT8 : H5T_NATIVE_UINT32;
}

// Checks that all members are there; *exact says whether every value fits its type in memory.
static ai8x_status check_members(const struct dataset *dataset, const struct rows *rows, bool *exact)
{
	const struct reader *reader = dataset->reader;
	*exact = true;
	if (H5Tget_class(dataset->type) != H5T_COMPOUND)
		return bad(reader, dataset->object,
		           "expected a compound type with the integer members of the format");
	size_t row_bytes = H5Tget_size(dataset->type);
	for (size_t i = 0; i < rows->member_count; i++) {
		const struct member *member = &rows->members[i];
		int index = H5Tget_member_index(dataset->type, member->name);
		if (index < 0)
			return bad(reader, dataset->object, "member '%s' is missing", member->name);
		hid_t type = H5Tget_member_type(dataset->type, (unsigned)index);
		if (type < 0)
			return unreadable(reader, dataset->object);
		bool integer = H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) <= 8;
		bool inside = H5Tget_member_offset(dataset->type, (unsigned)index) <= row_bytes &&
		              row_bytes - H5Tget_member_offset(dataset->type, (unsigned)index) >= H5Tget_size(type);
		if (H5Tget_size(type) > member->bytes || H5Tget_sign(type) != H5T_SGN_NONE)
			*exact = false;
		(void)H5Tclose(type);
		if (!integer)
			return bad(reader, dataset->object, "member '%s' is not an integer", member->name);
		if (!inside)
			return bad(reader, dataset->object, "damaged: member '%s' lies outside of its row", member->name);
	}
	return AI8X_OK;
}

static ai8x_status read_exact(const struct dataset *dataset, const struct rows *rows, void *out)
{
	hid_t type = H5Tcreate(H5T_COMPOUND, rows->row_bytes);
	bool ok = type >= 0;
	for (size_t i = 0; ok && i < rows->member_count; i++) {
		const struct member *member = &rows->members[i];
		ok = H5Tinsert(type, member->name, member->offset, unsigned_type(member->bytes)) >= 0;
	}
	ok = ok && H5Dread(dataset->id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
	ai8x_status status = ok ? AI8X_OK : unreadable(dataset->reader, dataset->object);
	if (type >= 0)
		(void)H5Tclose(type);
	return status;
}

// Where the file has the members of a row. False: in a form or order of bytes that libhdf5 has to convert.
static bool find_members(const struct dataset *dataset, const struct rows *rows, size_t *places)
{
	bool same = H5Tget_size(dataset->type) <= rows->row_bytes;
	for (size_t i = 0; same && i < rows->member_count; i++) {
		const int index = H5Tget_member_index(dataset->type, rows->members[i].name);
		hid_t type = H5Tget_member_type(dataset->type, (unsigned)index);
		same = H5Tequal(type, unsigned_type(rows->members[i].bytes)) > 0;
		places[i] = H5Tget_member_offset(dataset->type, (unsigned)index);
		(void)H5Tclose(type);
	}
	return same;
}

// Rows as they are in the file, read at once to the end of the array and then put in their places from the first on: no
// row reaches one that is still to be moved. libhdf5 converts compounds member by member and takes ten times as long.
static ai8x_status read_unconverted(const struct dataset *dataset, const struct rows *rows,
                                    const size_t *places, char *out)
{
	enum { MOST_ROW_BYTES = 64 };
	char row[MOST_ROW_BYTES];
	const size_t bytes = H5Tget_size(dataset->type);
	const char *from = out + dataset->rows * (rows->row_bytes - bytes);
	if (H5Dread(dataset->id, dataset->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, (void *)from) < 0)
		return unreadable(dataset->reader, dataset->object);
	for (size_t r = 0; r < dataset->rows; r++) {
		char *to = out + r * rows->row_bytes;
		memcpy(row, from + r * bytes, bytes);
		// Padding inside a row must not carry what was there before.
		memset(to, 0, rows->row_bytes);
		for (size_t i = 0; i < rows->member_count; i++) {
			const struct member *member = &rows->members[i];
			if (member->bytes == 1)
				to[member->offset] = row[places[i]];
			else
				memcpy(to + member->offset, row + places[i], sizeof(uint32_t));
		}
	}
	return AI8X_OK;
}

static ai8x_status narrow_rows(const struct dataset *dataset, const struct rows *rows, const int64_t *wide,
                               size_t first, size_t count, char *out)
{
	for (size_t r = 0; r < count; r++) {
		for (size_t i = 0; i < rows->member_count; i++) {
			const struct member *member = &rows->members[i];
			int64_t value = wide[r * rows->member_count + i];
			int64_t largest = member->bytes == 1 ? UINT8_MAX : UINT32_MAX;
			if (value < 0 || value > largest)
				return bad(dataset->reader, dataset->object, "row %zu: '%s' is %lld; expected 0 to %lld",
				           first + r, member->name, (long long)value, (long long)largest);
			char *place = out + (first + r) * rows->row_bytes + member->offset;
			if (member->bytes == 1)
				*(uint8_t *)place = (uint8_t)value;
			else
				memcpy(place, &(uint32_t){(uint32_t)value}, sizeof(uint32_t));
		}
	}
	return AI8X_OK;
}

// Members wider than they need be, or signed: HDF5 would clip values that do not fit, so they are read
// wide and checked.
static ai8x_status read_checked(const struct dataset *dataset, const struct rows *rows, void *out)
{
	size_t wide_bytes = rows->member_count * sizeof(int64_t);
	int64_t *wide = array_alloc(BLOCK_ROWS, wide_bytes);
	if (wide == NULL)
		return error_no_memory(dataset->reader->error, dataset->object);
	hid_t type = H5Tcreate(H5T_COMPOUND, wide_bytes);
	hid_t space = H5Dget_space(dataset->id);
	bool ok = type >= 0 && space >= 0;
	for (size_t i = 0; ok && i < rows->member_count; i++)
		ok = H5Tinsert(type, rows->members[i].name, i * sizeof(int64_t), H5T_NATIVE_INT64) >= 0;
	ai8x_status status = AI8X_OK;
	for (size_t first = 0; ok && status == AI8X_OK && first < dataset->rows; first += BLOCK_ROWS) {
		hsize_t start = first;
		hsize_t count = dataset->rows - first < BLOCK_ROWS ? dataset->rows - first : BLOCK_ROWS;
		hid_t block = H5Screate_simple(1, &count, NULL);
		ok = block >= 0 && H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
		     H5Dread(dataset->id, type, block, space, H5P_DEFAULT, wide) >= 0;
		if (block >= 0)
			(void)H5Sclose(block);
		if (ok)
			status = narrow_rows(dataset, rows, wide, first, (size_t)count, out);
	}
	if (!ok)
		status = unreadable(dataset->reader, dataset->object);
	if (space >= 0)
		(void)H5Sclose(space);
	if (type >= 0)
		(void)H5Tclose(type);
	free(wide);
	return status;
}

// Reads a one-dimensional compound dataset into a new array.
static ai8x_status read_rows(const struct reader *reader, const char *object, const struct rows *rows,
                             size_t limit, const char *what, void **out, size_t *count)
{
	struct dataset dataset;
	ai8x_status status = dataset_open(reader, object, 1, limit, what, &dataset);
	if (status != AI8X_OK)
		return status;
	bool exact = false;
	status = check_members(&dataset, rows, &exact);
	void *array = NULL;
	if (status == AI8X_OK) {
		// Padding inside a row must not carry what the heap held before.
		array = calloc(dataset.rows > 0 ? dataset.rows : 1, rows->row_bytes);
		if (array == NULL)
			status = error_no_memory(reader->error, object);
	}
	size_t places[MOST_MEMBERS];
	if (status == AI8X_OK && dataset.rows > 0)
		status = !exact                                 ? read_checked(&dataset, rows, array)
		         : find_members(&dataset, rows, places) ? read_unconverted(&dataset, rows, places, array)
		                                                : read_exact(&dataset, rows, array);
	if (status == AI8X_OK) {
		*out = array;
		*count = dataset.rows;
	} else {
		free(array);
	}
	dataset_close(&dataset);
	return status;
}

static const struct member op_members[] = {
	{"kind", offsetof(ai8x_op, kind), 1},
	{"addr", offsetof(ai8x_op, address), 4},
	{"value", offsetof(ai8x_op, value), 4},
	{"mask", offsetof(ai8x_op, mask), 4},
};
static const struct rows op_rows = {op_members, 4, sizeof(ai8x_op)};

static const struct member word_members[] = {
	{"addr", offsetof(ai8x_word, address), 4},
	{"value", offsetof(ai8x_word, value), 4},
	{"mask", offsetof(ai8x_word, mask), 4},
};
static const struct rows word_rows = {word_members, 3, sizeof(ai8x_word)};

// --- Plain integer datasets --------------------------------------------------------------------------

static ai8x_status check_integer(const struct dataset *dataset, size_t bytes, H5T_sign_t sign,
                                 const char *expected)
{
	bool fits = H5Tget_class(dataset->type) == H5T_INTEGER;
	if (fits) {
		size_t size = H5Tget_size(dataset->type);
		bool is_unsigned = H5Tget_sign(dataset->type) == H5T_SGN_NONE;
		if (sign == H5T_SGN_2)
			fits = is_unsigned ? size < bytes : size <= bytes;
		else
			fits = is_unsigned && size <= bytes;
	}
	if (!fits)
		return bad(dataset->reader, dataset->object, "expected %s", expected);
	return AI8X_OK;
}

// Reads a tensor [C][H][W] of int32 (or narrower integers).
static ai8x_status read_tensor(const struct reader *reader, const char *object, const int32_t **out,
                               uint32_t shape[3])
{
	struct dataset dataset;
	ai8x_status status = dataset_open(reader, object, 3, AI8X_PROGRAM_MAX_VALUES, "values", &dataset);
	if (status != AI8X_OK)
		return status;
	status = check_integer(&dataset, sizeof(int32_t), H5T_SGN_2, "signed integers of at most 32 bits");
	if (status == AI8X_OK && dataset.rows == 0)
		status = bad(reader, object, "has a dimension of 0");
	int32_t *values = NULL;
	if (status == AI8X_OK) {
		values = array_alloc(dataset.rows, sizeof *values);
		if (values == NULL)
			status = error_no_memory(reader->error, object);
		else if (H5Dread(dataset.id, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
			status = unreadable(reader, object);
	}
	if (status == AI8X_OK) {
		for (int i = 0; i < 3; i++)
			shape[i] = (uint32_t)dataset.dims[i];
		*out = values;
	} else {
		free(values);
	}
	dataset_close(&dataset);
	return status;
}

static ai8x_status read_words(const struct reader *reader, const char *object, int rank, size_t limit,
                              uint32_t **out, hsize_t dims[3])
{
	struct dataset dataset;
	ai8x_status status = dataset_open(reader, object, rank, limit, "words", &dataset);
	if (status != AI8X_OK)
		return status;
	status = check_integer(&dataset, sizeof(uint32_t), H5T_SGN_NONE, "unsigned integers of at most 32 bits");
	uint32_t *words = NULL;
	if (status == AI8X_OK) {
		words = array_alloc(dataset.rows, sizeof *words);
		if (words == NULL)
			status = error_no_memory(reader->error, object);
		else if (H5Dread(dataset.id, H5T_NATIVE_UINT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, words) < 0)
			status = unreadable(reader, object);
	}
	if (status == AI8X_OK) {
		memcpy(dims, dataset.dims, sizeof dataset.dims);
		*out = words;
	} else {
		free(words);
	}
	dataset_close(&dataset);
	return status;
}

// --- Attributes --------------------------------------------------------------------------------------

struct attribute_reader {
	const struct reader *reader;
	const char *object;
	struct attribute_list *list;
	ai8x_status status;
};

static ai8x_status read_fixed_text(const struct attribute_reader *from, hid_t id, hid_t type, char **text)
{
	const struct reader *reader = from->reader;
	size_t size = H5Tget_size(type);
	if (size > PROGRAM_MAX_TEXT)
		return too_large(reader, from->object, size, "bytes in a text", PROGRAM_MAX_TEXT);
	*text = calloc(1, size + 1);
	if (*text == NULL)
		return error_no_memory(reader->error, from->object);
	hid_t memory_type = H5Tcopy(H5T_C_S1);
	// The character set must be the file's: HDF5 does not convert between them.
	bool ok = memory_type >= 0 && H5Tset_size(memory_type, size + 1) >= 0 &&
	          H5Tset_cset(memory_type, H5Tget_cset(type)) >= 0 && H5Aread(id, memory_type, *text) >= 0;
	ai8x_status status = ok ? AI8X_OK : unreadable(reader, from->object);
	if (memory_type >= 0)
		(void)H5Tclose(memory_type);
	return status;
}

static ai8x_status read_text(const struct attribute_reader *from, const char *name, hid_t id, hid_t type)
{
	const struct reader *reader = from->reader;
	char *text = NULL;
	ai8x_status status = AI8X_OK;
	if (H5Tis_variable_str(type) > 0) {
		const char *why = NULL;
		text = hdf5_heap_text(reader->heap, id, PROGRAM_MAX_TEXT, &why);
		if (text == NULL && why == NULL)
			status = error_no_memory(reader->error, from->object);
		else if (text == NULL)
			status = bad(reader, from->object, "attribute '%.64s': %s", name, why);
	} else {
		status = read_fixed_text(from, id, type, &text);
	}
	if (status == AI8X_OK) {
		ai8x_attribute attribute = {.name = name, .type = AI8X_ATTRIBUTE_TEXT, .scalar = true, .text = text};
		status = attribute_list_set(from->list, &attribute, reader->error);
	}
	free(text);
	return status;
}

static ai8x_status read_numbers(const struct attribute_reader *from, const char *name, hid_t id, hid_t type,
                                size_t count, bool scalar)
{
	const struct reader *reader = from->reader;
	void *values = array_alloc(count, sizeof(int64_t));
	if (values == NULL)
		return error_no_memory(reader->error, from->object);
	H5T_class_t class = H5Tget_class(type);
	ai8x_attribute attribute = {
		.name = name, .count = count, .scalar = scalar, .bytes = (uint8_t)H5Tget_size(type)};
	hid_t memory_type = H5T_NATIVE_INT64;
	if (class == H5T_FLOAT) {
		attribute.type = AI8X_ATTRIBUTE_FLOAT;
		attribute.numbers = values;
		memory_type = H5T_NATIVE_DOUBLE;
	} else {
		attribute.type = AI8X_ATTRIBUTE_INT;
		attribute.integers = values;
		attribute.is_boolean = class == H5T_ENUM;
		attribute.is_unsigned = class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE;
		if (attribute.is_unsigned)
			memory_type = H5T_NATIVE_UINT64;
	}
	ai8x_status status = AI8X_OK;
	if (H5Aread(id, memory_type, values) < 0)
		status = unreadable(reader, from->object);
	else
		status = attribute_list_set(from->list, &attribute, reader->error);
	free(values);
	return status;
}

// h5py stores booleans as an enumeration of one byte, FALSE = 0 and TRUE = 1.
static bool is_boolean_type(hid_t type)
{
	if (H5Tget_class(type) != H5T_ENUM || H5Tget_size(type) != 1 || H5Tget_nmembers(type) != 2)
		return false;
	char *first = H5Tget_member_name(type, 0);
	char *second = H5Tget_member_name(type, 1);
	bool boolean =
		first != NULL && second != NULL && strcmp(first, "FALSE") == 0 && strcmp(second, "TRUE") == 0;
	(void)H5free_memory(first);
	(void)H5free_memory(second);
	return boolean;
}

// Types other than integers, floating point numbers, booleans and single texts are extensions of others
// and are passed over.
static ai8x_status read_attribute(const struct attribute_reader *from, const char *name, hid_t id)
{
	hid_t type = H5Aget_type(id);
	hid_t space = H5Aget_space(id);
	ai8x_status status = AI8X_OK;
	if (type < 0 || space < 0) {
		status = unreadable(from->reader, from->object);
	} else {
		H5S_class_t extent = H5Sget_simple_extent_type(space);
		hssize_t count = H5Sget_simple_extent_npoints(space);
		H5T_class_t class = H5Tget_class(type);
		size_t size = H5Tget_size(type);
		bool whole = class == H5T_INTEGER && (size == 1 || size == 2 || size == 4 || size == 8);
		bool real = class == H5T_FLOAT && (size == 4 || size == 8);
		bool linear =
			extent == H5S_SCALAR || (extent == H5S_SIMPLE && H5Sget_simple_extent_ndims(space) == 1);
		if (count > PROGRAM_MAX_INTEGERS)
			status = too_large(from->reader, from->object, (unsigned long long)count,
			                   "elements in an attribute", PROGRAM_MAX_INTEGERS);
		else if (class == H5T_STRING && count == 1)
			status = read_text(from, name, id, type);
		else if (linear && count > 0 && (whole || real || is_boolean_type(type)))
			status = read_numbers(from, name, id, type, (size_t)count, extent == H5S_SCALAR);
	}
	if (space >= 0)
		(void)H5Sclose(space);
	if (type >= 0)
		(void)H5Tclose(type);
	return status;
}

static herr_t visit_attribute(hid_t location, const char *name, const H5A_info_t *info, void *user)
{
	struct attribute_reader *from = user;
	(void)info;
	hid_t id = H5Aopen(location, name, H5P_DEFAULT);
	from->status = id >= 0 ? read_attribute(from, name, id) : unreadable(from->reader, from->object);
	if (id >= 0)
		(void)H5Aclose(id);
	return from->status == AI8X_OK ? 0 : -1;
}

static ai8x_status read_attributes(const struct reader *reader, const char *object,
                                   struct attribute_list *list)
{
	struct attribute_reader from = {reader, object, list, AI8X_OK};
	herr_t done = H5Aiterate_by_name(reader->file, object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL,
	                                 visit_attribute, &from, H5P_DEFAULT);
	if (done < 0 && from.status == AI8X_OK)
		from.status = unreadable(reader, object);
	return from.status;
}

// --- Layers ------------------------------------------------------------------------------------------

struct layer_names {
	const struct reader *reader;
	unsigned numbers[AI8X_PROGRAM_MAX_LAYERS];
	size_t count;
	ai8x_status status;
};

// Members of /layers that are not plain numbers are extensions of others.
static bool parse_layer_name(const char *name, unsigned *number)
{
	size_t length = strspn(name, "0123456789");
	if (length == 0 || length > 9 || name[length] != '\0' || (length > 1 && name[0] == '0'))
		return false;
	*number = (unsigned)strtoul(name, NULL, 10);
	return true;
}

static herr_t visit_layer(hid_t group, const char *name, const H5L_info_t *info, void *user)
{
	struct layer_names *names = user;
	(void)group;
	(void)info;
	unsigned number = 0;
	if (!parse_layer_name(name, &number))
		return 0;
	if (number >= AI8X_PROGRAM_MAX_LAYERS || names->count == AI8X_PROGRAM_MAX_LAYERS) {
		names->status = error_set(names->reader->error, AI8X_ERR_LIMIT,
		                          "%s: /layers/%u: layer numbers are accepted up to %u", names->reader->path,
		                          number, AI8X_PROGRAM_MAX_LAYERS - 1);
		return -1;
	}
	names->numbers[names->count++] = number;
	return 0;
}

static ai8x_status read_layer_data(const struct reader *reader, const char *object, ai8x_program_layer *view)
{
	char member[64];
	(void)snprintf(member, sizeof member, "%s/output", object);
	enum presence presence = find_object(reader, member, H5O_TYPE_DATASET);
	ai8x_status status = presence == BROKEN ? AI8X_ERR_FORMAT : AI8X_OK;
	if (presence == PRESENT)
		status = read_tensor(reader, member, &view->output, view->shape);
	if (status != AI8X_OK)
		return status;

	(void)snprintf(member, sizeof member, "%s/memory", object);
	presence = find_object(reader, member, H5O_TYPE_DATASET);
	if (presence != PRESENT)
		return presence == BROKEN ? AI8X_ERR_FORMAT : AI8X_OK;
	void *words = NULL;
	status =
		read_rows(reader, member, &word_rows, AI8X_PROGRAM_MAX_WORDS, "words", &words, &view->memory_count);
	view->memory = words;
	return status;
}

// One attribute; that it is missing is no error.
static ai8x_status read_one_attribute(const struct reader *reader, const char *object, const char *name,
                                      struct attribute_list *list)
{
	struct attribute_reader from = {reader, object, list, AI8X_OK};
	const htri_t there = H5Aexists_by_name(reader->file, object, name, H5P_DEFAULT);
	if (there <= 0)
		return there == 0 ? AI8X_OK : unreadable(reader, object);
	const hid_t id = H5Aopen_by_name(reader->file, object, name, H5P_DEFAULT, H5P_DEFAULT);
	if (id < 0)
		return unreadable(reader, object);
	from.status = read_attribute(&from, name, id);
	(void)H5Aclose(id);
	return from.status;
}

static ai8x_status read_layer(const struct reader *reader, unsigned number,
                              const ai8x_program_options *options, ai8x_program *program)
{
	char object[32];
	(void)snprintf(object, sizeof object, "/layers/%u", number);
	enum presence presence = find_object(reader, object, H5O_TYPE_GROUP);
	if (presence != PRESENT)
		// Damaged groups list members that they do not find.
		return presence == BROKEN ? AI8X_ERR_FORMAT : bad(reader, object, "damaged: listed, but not there");
	struct program_layer *layer = program_add_empty_layer(program, number);
	if (layer == NULL)
		return error_no_memory(reader->error, object);
	ai8x_status status = options->skip_attributes
	                         ? read_one_attribute(reader, object, "hw_layer", &layer->attributes)
	                         : read_attributes(reader, object, &layer->attributes);
	layer->view.attributes = layer->attributes.items;
	layer->view.attribute_count = layer->attributes.count;
	if (status == AI8X_OK && !options->skip_tensors)
		status = read_layer_data(reader, object, &layer->view);
	return status;
}

struct layer_rank {
	int64_t position;
	struct program_layer layer;
};

static int compare_ranks(const void *a, const void *b)
{
	const struct layer_rank *first = a, *second = b;
	if (first->position != second->position)
		return first->position < second->position ? -1 : 1;
	return first->layer.view.number < second->layer.view.number ? -1 : 1;
}

// The order they run in: the layer's `position`, else its place in the root's `order`, else its number.
static int64_t layer_position(const ai8x_program *program, size_t index)
{
	unsigned number = program->layers[index].view.number;
	const ai8x_attribute *order = ai8x_program_attribute(program, -1, "order");
	int64_t position = number;
	if (order != NULL && order->type == AI8X_ATTRIBUTE_INT)
		for (size_t i = 0; i < order->count; i++)
			if (order->integers[i] == (int64_t)number)
				position = (int64_t)i;
	return ai8x_program_int(program, (int)index, "position", position);
}

static ai8x_status sort_layers(const struct reader *reader, ai8x_program *program)
{
	struct layer_rank *ranks = array_alloc(program->layer_count, sizeof *ranks);
	if (ranks == NULL)
		return error_no_memory(reader->error, "layers");
	for (size_t i = 0; i < program->layer_count; i++)
		ranks[i] = (struct layer_rank){layer_position(program, i), program->layers[i]};
	qsort(ranks, program->layer_count, sizeof *ranks, compare_ranks);
	for (size_t i = 0; i < program->layer_count; i++)
		program->layers[i] = ranks[i].layer;
	free(ranks);
	return AI8X_OK;
}

static ai8x_status read_layers(const struct reader *reader, const ai8x_program_options *options,
                               ai8x_program *program)
{
	enum presence presence = find_object(reader, "/layers", H5O_TYPE_GROUP);
	if (presence != PRESENT)
		return presence == BROKEN ? AI8X_ERR_FORMAT : AI8X_OK;
	struct layer_names names = {.reader = reader};
	herr_t done = H5Literate_by_name(reader->file, "/layers", H5_INDEX_NAME, H5_ITER_NATIVE, NULL,
	                                 visit_layer, &names, H5P_DEFAULT);
	if (done < 0)
		return names.status != AI8X_OK ? names.status : unreadable(reader, "/layers");
	for (size_t i = 0; i < names.count; i++) {
		ai8x_status status = read_layer(reader, names.numbers[i], options, program);
		if (status != AI8X_OK)
			return status;
	}
	return sort_layers(reader, program);
}

// --- The whole file ----------------------------------------------------------------------------------

static ai8x_status check_identity(const struct reader *reader, const ai8x_program_options *options,
                                  ai8x_program *program)
{
	const ai8x_attribute *format = ai8x_program_attribute(program, -1, "format");
	if (format == NULL || format->type != AI8X_ATTRIBUTE_TEXT)
		return bad(reader, "/", "attribute 'format' is missing; expected the text 'ai8x-program'");
	if (strcmp(format->text, "ai8x-program") != 0)
		return bad(reader, "/", "attribute 'format' is '%.40s'; expected 'ai8x-program'", format->text);

	const ai8x_attribute *version = ai8x_program_attribute(program, -1, "version");
	if (version == NULL || version->type != AI8X_ATTRIBUTE_INT)
		return bad(reader, "/", "attribute 'version' is missing; expected the integer %d", PROGRAM_VERSION);
	if (version->integers[0] != PROGRAM_VERSION)
		return bad(reader, "/", "attribute 'version' is %lld; this library reads version %d",
		           (long long)version->integers[0], PROGRAM_VERSION);

	const ai8x_attribute *device = ai8x_program_attribute(program, -1, "device");
	if (device == NULL || device->type != AI8X_ATTRIBUTE_TEXT)
		return bad(reader, "/", "attribute 'device' is missing; expected the name of a part");
	program->part = ai8x_part_find(device->text);
	if (program->part == NULL)
		return bad(reader, "/", "attribute 'device' is '%.40s'; expected MAX78000 or MAX78002", device->text);
	if (options->part != NULL && options->part != program->part)
		return error_set(reader->error, AI8X_ERR_ARGUMENT, "%s: the program is for the %s, not for the %s",
		                 reader->path, ai8x_part_get_info(program->part)->name,
		                 ai8x_part_get_info(options->part)->name);
	return AI8X_OK;
}

// A file without a name is called as its file is.
static ai8x_status check_name(const struct reader *reader, ai8x_program *program)
{
	const ai8x_attribute *name = ai8x_program_attribute(program, -1, "name");
	if (name != NULL && name->type == AI8X_ATTRIBUTE_TEXT)
		return AI8X_OK;
	const char *slash = strrchr(reader->path, '/');
	const char *base = slash != NULL ? slash + 1 : reader->path;
	ai8x_attribute attribute = {
		.name = "name", .type = AI8X_ATTRIBUTE_TEXT, .scalar = true, .text = base[0] != '\0' ? base : "?"};
	return attribute_list_set(&program->attributes, &attribute, reader->error);
}

static ai8x_status read_ops(const struct reader *reader, ai8x_program *program)
{
	enum presence presence = find_object(reader, "/program", H5O_TYPE_DATASET);
	if (presence == ABSENT)
		return bad(reader, "/program", "is missing");
	if (presence == BROKEN)
		return AI8X_ERR_FORMAT;
	void *ops = NULL;
	ai8x_status status =
		read_rows(reader, "/program", &op_rows, AI8X_PROGRAM_MAX_OPS, "operations", &ops, &program->op_count);
	program->ops = ops;
	program->op_capacity = program->op_count;
	if (status == AI8X_OK)
		status = program_check_ops(program, reader->path, reader->error);
	return status;
}

static ai8x_status read_extras(const struct reader *reader, ai8x_program *program)
{
	enum presence presence = find_object(reader, "/input", H5O_TYPE_DATASET);
	ai8x_status status = presence == BROKEN ? AI8X_ERR_FORMAT : AI8X_OK;
	if (presence == PRESENT) {
		const int32_t *input = NULL;
		status = read_tensor(reader, "/input", &input, program->input_shape);
		program->input = (int32_t *)input;
	}
	if (status != AI8X_OK)
		return status;

	presence = find_object(reader, "/memory", H5O_TYPE_DATASET);
	status = presence == BROKEN ? AI8X_ERR_FORMAT : AI8X_OK;
	hsize_t dims[3] = {0};
	if (presence == PRESENT) {
		status = read_words(reader, "/memory", 2, (size_t)AI8X_INSTANCES * AI8X_PROGRAM_MAX_WORDS,
		                    &program->memory, dims);
		program->memory_words = (size_t)dims[1];
		if (status == AI8X_OK && (dims[0] != AI8X_INSTANCES || dims[1] == 0))
			status = bad(reader, "/memory", "is %llu x %llu; expected %d instances x words",
			             (unsigned long long)dims[0], (unsigned long long)dims[1], AI8X_INSTANCES);
	}
	return status;
}

static ai8x_status read_snoop(const struct reader *reader, ai8x_program *program)
{
	enum presence presence = find_object(reader, "/snoop", H5O_TYPE_DATASET);
	if (presence != PRESENT)
		return presence == BROKEN ? AI8X_ERR_FORMAT : AI8X_OK;
	hsize_t dims[3] = {0};
	ai8x_status status = read_words(reader, "/snoop", 1, PROGRAM_SNOOP_WORDS, &program->snoop, dims);
	if (status == AI8X_OK && dims[0] != PROGRAM_SNOOP_WORDS)
		status = bad(reader, "/snoop", "has %llu words; expected %d", (unsigned long long)dims[0],
		             PROGRAM_SNOOP_WORDS);
	return status;
}

static ai8x_status read_all(const struct reader *reader, const ai8x_program_options *options,
                            ai8x_program *program)
{
	ai8x_status status = read_attributes(reader, "/", &program->attributes);
	if (status == AI8X_OK)
		status = check_identity(reader, options, program);
	if (status == AI8X_OK)
		status = check_name(reader, program);
	if (status == AI8X_OK)
		status = read_ops(reader, program);
	if (status == AI8X_OK)
		status = read_snoop(reader, program);
	if (status == AI8X_OK && !options->skip_results)
		status = read_layers(reader, options, program);
	if (status == AI8X_OK && !options->skip_results && !options->skip_tensors)
		status = read_extras(reader, program);
	return status;
}

// Opens reader->path into reader->file.
static ai8x_status open_file(struct reader *reader)
{
	ai8x_status status = hdf5_source_open(reader->source, reader->path, HDF5_SOURCE_MOST, reader->error);
	reader->file = reader->source->file;
	if (status == AI8X_OK && !hdf5_heap_open(reader->heap, reader->source))
		status = bad(reader, "/", "damaged: cannot be read");
	return status;
}

static void close_file(struct reader *reader)
{
	hdf5_heap_close(reader->heap);
	hdf5_source_close(reader->source);
}

static ai8x_status probe(const char *path, bool *is_program, struct hdf5_session *session, ai8x_error *error)
{
	hdf5_session_begin(session);
	struct attribute_list list = {0};
	struct hdf5_heap heap = {0};
	struct hdf5_source source = HDF5_SOURCE_CLOSED;
	struct reader reader = {
		.path = path, .file = H5I_INVALID_HID, .source = &source, .heap = &heap, .error = error};
	struct attribute_reader from = {&reader, "/", &list, AI8X_OK};
	ai8x_status status = open_file(&reader);
	if (status == AI8X_OK && H5Aexists(reader.file, "format") > 0)
		(void)visit_attribute(reader.file, "format", NULL, &from);
	if (status == AI8X_OK)
		status = from.status;
	const ai8x_attribute *format = attribute_list_find(&list, "format");
	*is_program =
		format != NULL && format->type == AI8X_ATTRIBUTE_TEXT && strcmp(format->text, "ai8x-program") == 0;
	attribute_list_free(&list);
	close_file(&reader);
	hdf5_session_end(session);
	return hdf5_session_verdict(session, status, AI8X_ERR_FORMAT, path, error);
}

ai8x_status hdf5_probe(const char *path, bool *is_program, ai8x_error *error)
{
	struct hdf5_session session;
	const ai8x_status status = probe(path, is_program, &session, error);
	return hdf5_session_doubtful(&session, status) ? probe(path, is_program, &session, error) : status;
}

static ai8x_status read_program(const char *path, const ai8x_program_options *options, ai8x_program **program,
                                struct hdf5_session *session, ai8x_error *error)
{
	ai8x_program *read = calloc(1, sizeof *read);
	hdf5_session_begin(session);
	struct hdf5_heap heap = {0};
	struct hdf5_source source = HDF5_SOURCE_CLOSED;
	struct reader reader = {
		.path = path, .file = H5I_INVALID_HID, .source = &source, .heap = &heap, .error = error};
	ai8x_status status = read != NULL ? open_file(&reader) : error_no_memory(error, "a program");
	if (status == AI8X_OK)
		status = read_all(&reader, options, read);
	close_file(&reader);
	hdf5_session_end(session);
	status = hdf5_session_verdict(session, status, AI8X_ERR_FORMAT, path, error);
	if (status != AI8X_OK) {
		ai8x_program_destroy(read);
		return status;
	}
	*program = read;
	return AI8X_OK;
}

ai8x_status hdf5_read(const char *path, const ai8x_program_options *options, ai8x_program **program,
                      ai8x_error *error)
{
	struct hdf5_session session;
	const ai8x_status status = read_program(path, options, program, &session, error);
	return hdf5_session_doubtful(&session, status) ? read_program(path, options, program, &session, error)
	                                               : status;
}
