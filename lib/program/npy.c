// NumPy arrays: .npy files, one array or several one after the other, and .npz archives of them.
//
// Only integers matter here, so every array becomes 32-bit integers; floating point arrays are accepted where
// all their values are whole. Source: the NumPy enhancement proposal 1 format description (versions 1 to 3).

#include "program/npy.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zip.h>

#include <ai8xsim/program.h>

#include "base/error.h"
#include "base/file.h"

#define MAX_BYTES ((size_t)1 << 28)
#define MAX_ARRAYS 4096u
#define NPY_HEADER 256 // bytes that a header of the highest rank fits in, padded

// What a header says.
struct header {
	char kind;      // i, u, b, f
	unsigned width; // bytes of an element
	bool big_endian;
	bool fortran;
	unsigned rank;
	size_t shape[ARRAY_MAX_RANK];
	size_t count;
};

static ai8x_status format_error(ai8x_error *error, const char *file, size_t offset, const char *text)
{
	return error_set(error, AI8X_ERR_FORMAT, "%s: offset %zu: %s", file, offset, text);
}

// The text after 'key': in the header's dictionary, or NULL.
static const char *header_value(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	if (at == NULL)
		return NULL;
	at += strlen(key);
	while (*at == '\'' || *at == '"' || *at == ':' || *at == ' ')
		at++;
	return at;
}

static bool parse_type(const char *text, struct header *header)
{
	// The value's opening quote was skipped with the separators.
	header->big_endian = *text == '>';
	if (strchr("<>|=", *text) != NULL && *text != '\0')
		text++;
	header->kind = *text;
	if (strchr("iubf", header->kind) == NULL || header->kind == '\0' || !isdigit((unsigned char)text[1]))
		return false;
	header->width = (unsigned)(text[1] - '0');
	if (isdigit((unsigned char)text[2]))
		return false;
	bool integer = header->width == 1 || header->width == 2 || header->width == 4 || header->width == 8;
	return header->kind == 'f'   ? header->width == 2 || header->width == 4 || header->width == 8
	       : header->kind == 'b' ? header->width == 1
	                             : integer;
}

static bool parse_shape(const char *text, struct header *header)
{
	header->rank = 0;
	header->count = 1;
	if (*text++ != '(')
		return false;
	for (;;) {
		while (*text == ' ' || *text == ',')
			text++;
		if (*text == ')')
			return true;
		if (!isdigit((unsigned char)*text) || header->rank == ARRAY_MAX_RANK)
			return false;
		char *end = NULL;
		unsigned long long side = strtoull(text, &end, 10);
		if (side > MAX_BYTES || (side > 0 && header->count > MAX_BYTES / side))
			return false;
		header->shape[header->rank++] = (size_t)side;
		header->count *= (size_t)side;
		text = *end == 'L' ? end + 1 : end;
	}
}

// Reads magic, version and dictionary; *used receives the bytes up to the data.
static ai8x_status parse_header(const uint8_t *bytes, size_t size, size_t base, const char *file,
                                struct header *header, size_t *used, ai8x_error *error)
{
	char text[4096];
	if (size < 10 || memcmp(bytes, "\x93NUMPY", 6) != 0)
		return format_error(error, file, base, "expected a NumPy array");
	size_t start = bytes[6] == 1 ? 10 : 12;
	if (bytes[6] < 1 || bytes[6] > 3 || size < start)
		return format_error(error, file, base + 6, "expected version 1, 2 or 3 of the NumPy format");
	size_t length = (size_t)bytes[8] | (size_t)bytes[9] << 8;
	if (start == 12)
		length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
	if (length > size - start || length >= sizeof text) {
		return format_error(error, file, base + 8,
		                    "the array's header is longer than the file or unreasonably long");
	}
	memcpy(text, bytes + start, length);
	text[length] = '\0';
	const char *type = header_value(text, "'descr'");
	const char *order = header_value(text, "'fortran_order'");
	const char *shape = header_value(text, "'shape'");
	if (type == NULL || order == NULL || shape == NULL || !parse_type(type, header)) {
		return format_error(
			error, file, base + start,
			"expected a header with integers or floating point numbers, fortran_order and shape");
	}
	header->fortran = strncmp(order, "True", 4) == 0;
	if (!parse_shape(shape, header)) {
		return format_error(error, file, base + start,
		                    "the array's shape is not one of at most six sensible sizes");
	}
	if (header->count > (size - start - length) / header->width)
		return format_error(error, file, base + start + length, "the file ends inside the array");
	*used = start + length;
	return AI8X_OK;
}

static uint64_t raw_element(const struct header *header, const uint8_t *bytes)
{
	uint64_t raw = 0;
	for (unsigned i = 0; i < header->width; i++) {
		unsigned at = header->big_endian ? i : header->width - 1 - i;
		raw = raw << 8 | bytes[at];
	}
	return raw;
}

// A number of 16 bits: a sign, 5 bits of exponent, 10 of fraction.
static double half_number(uint32_t bits)
{
	const int exponent = (int)(bits >> 10 & 0x1f), fraction = (int)(bits & 0x3ff);
	double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
	if (exponent == 0x1f)
		size = fraction == 0 ? INFINITY : NAN;
	return (bits >> 15 & 1) != 0 ? -size : size;
}

static double real_element(const struct header *header, const uint8_t *bytes)
{
	const uint64_t raw = raw_element(header, bytes);
	double number;
	if (header->width == 8) {
		memcpy(&number, &raw, sizeof number);
	} else if (header->width == 4) {
		const uint32_t bits = (uint32_t)raw;
		float single;
		memcpy(&single, &bits, sizeof single);
		number = single;
	} else {
		number = half_number((uint32_t)raw);
	}
	return number;
}

static bool element(const struct header *header, const uint8_t *bytes, int32_t *value)
{
	uint64_t raw = raw_element(header, bytes);
	if (header->kind == 'f') {
		const double number = real_element(header, bytes);
		if (!(number >= INT32_MIN && number <= INT32_MAX) || floor(number) != number)
			return false;
		*value = (int32_t)number;
		return true;
	}
	unsigned bits = 8 * header->width;
	if (header->kind == 'i' && bits > 0 && bits < 64 && (raw >> (bits - 1) & 1) != 0)
		raw |= UINT64_MAX << bits;
	if (header->kind == 'u' && header->width == 8 && raw > INT32_MAX)
		return false;
	int64_t wide = (int64_t)raw;
	*value = (int32_t)wide;
	return wide >= INT32_MIN && wide <= INT32_MAX;
}

// Index in the file of the element with row-major index @p index, for arrays stored column by column.
static size_t fortran_index(const struct header *header, size_t index)
{
	size_t result = 0;
	size_t coordinates[ARRAY_MAX_RANK] = {0};
	for (unsigned d = header->rank; d-- > 0;) {
		coordinates[d] = index % header->shape[d];
		index /= header->shape[d];
	}
	for (unsigned d = header->rank; d-- > 0;)
		result = result * header->shape[d] + coordinates[d];
	return result;
}

static size_t stored_index(const struct header *header, size_t index)
{
	return header->fortran && header->rank > 1 ? fortran_index(header, index) : index;
}

// The values of an array that holds fractions.
static ai8x_status keep_reals(struct array *array, const struct header *header, const uint8_t *data,
                              ai8x_error *error)
{
	array->reals = malloc((header->count == 0 ? 1 : header->count) * sizeof *array->reals);
	if (array->reals == NULL)
		return error_no_memory(error, "an array");
	for (size_t i = 0; i < header->count; i++)
		array->reals[i] = real_element(header, data + stored_index(header, i) * header->width);
	return AI8X_OK;
}

static ai8x_status append(struct array_list *list, const struct header *header, const uint8_t *data,
                          size_t offset, const char *file, const char *name, ai8x_error *error)
{
	if (list->count == MAX_ARRAYS)
		return error_set(error, AI8X_ERR_LIMIT, "%s: more than %u arrays", file, MAX_ARRAYS);
	struct array *arrays = realloc(list->arrays, (list->count + 1) * sizeof *arrays);
	if (arrays == NULL)
		return error_no_memory(error, "arrays");
	list->arrays = arrays;
	struct array *array = &arrays[list->count];
	snprintf(array->name, sizeof array->name, "%s", name);
	array->rank = header->rank;
	array->count = header->count;
	array->reals = NULL;
	array->bytes = header->kind == 'u' && header->width == 1;
	memcpy(array->shape, header->shape, sizeof array->shape);
	array->values = malloc((header->count == 0 ? 1 : header->count) * sizeof *array->values);
	if (array->values == NULL)
		return error_no_memory(error, "an array");
	list->count++;
	for (size_t i = 0; i < header->count; i++) {
		size_t from = stored_index(header, i);
		if (!element(header, data + from * header->width, &array->values[i])) {
			if (list->samples && header->kind == 'f')
				return keep_reals(array, header, data, error);
			return format_error(error, file, offset + from * header->width,
			                    "the value is not a 32-bit integer");
		}
	}
	return AI8X_OK;
}

ai8x_status arrays_parse(const uint8_t *bytes, size_t size, const char *file, const char *name,
                         struct array_list *list, ai8x_error *error)
{
	size_t at = 0;
	do {
		struct header header = {0};
		size_t used = 0;
		ai8x_status status = parse_header(bytes + at, size - at, at, file, &header, &used, error);
		if (status == AI8X_OK)
			status = append(list, &header, bytes + at + used, at + used, file, name, error);
		if (status != AI8X_OK)
			return status;
		at += used + header.count * header.width;
	} while (at < size);
	return AI8X_OK;
}

// inflateInit() has failed with Z_MEM_ERROR; or there was no memory to tell why.
static bool lacks_memory(zip_error_t *reason)
{
	return zip_error_code_zip(reason) == ZIP_ER_MEMORY || zip_error_code_zip(reason) == ZIP_ER_OK ||
	       (zip_error_code_zip(reason) == ZIP_ER_ZLIB && zip_error_code_system(reason) == -4);
}

static ai8x_status not_unpacked(zip_error_t *reason, const char *path, const char *name, ai8x_error *error)
{
	if (lacks_memory(reason))
		return error_no_memory(error, path);
	return error_set(error, AI8X_ERR_FORMAT, "%s: member '%s' cannot be unpacked", path, name);
}

static ai8x_status read_archive_member(zip_t *archive, zip_uint64_t index, const char *path,
                                       struct array_list *list, ai8x_error *error)
{
	zip_stat_t about;
	if (zip_stat_index(archive, index, 0, &about) != 0 || (about.valid & ZIP_STAT_SIZE) == 0 ||
	    about.size > MAX_BYTES) {
		return error_set(error, AI8X_ERR_FORMAT, "%s: member %llu has no sensible size", path,
		                 (unsigned long long)index);
	}
	char name[64];
	snprintf(name, sizeof name, "%s", about.name);
	char *dot = strrchr(name, '.');
	if (dot != NULL && strcmp(dot, ".npy") == 0)
		*dot = '\0';
	zip_file_t *member = zip_fopen_index(archive, index, 0);
	uint8_t *bytes = malloc(about.size == 0 ? 1 : (size_t)about.size);
	const zip_int64_t read = member != NULL && bytes != NULL ? zip_fread(member, bytes, about.size) : -1;
	ai8x_status status = AI8X_OK;
	if (bytes == NULL)
		status = error_no_memory(error, path);
	else if (read < 0)
		status = not_unpacked(member != NULL ? zip_file_get_error(member) : zip_get_error(archive), path,
		                      name, error);
	else if (read != (zip_int64_t)about.size)
		status = error_set(error, AI8X_ERR_FORMAT, "%s: member '%s' is shorter than it says", path, name);
	else
		status = arrays_parse(bytes, (size_t)about.size, path, name, list, error);
	if (member != NULL)
		zip_fclose(member);
	free(bytes);
	return status;
}

// The archive is in memory, so that no call of libzip's fails for what the system does.
static ai8x_status read_archive(const char *path, const void *bytes, size_t size, struct array_list *list,
                                ai8x_error *error)
{
	zip_error_t reason;
	zip_error_init(&reason);
	zip_source_t *source = zip_source_buffer_create(bytes, size, 0, &reason);
	zip_t *archive = source != NULL ? zip_open_from_source(source, ZIP_RDONLY, &reason) : NULL;
	if (archive == NULL) {
		const bool lacks = lacks_memory(&reason);
		ai8x_status status =
			error_set(error, lacks ? AI8X_ERR_NO_MEMORY : AI8X_ERR_FORMAT, "%s: %s (%s)", path,
		              lacks ? "out of memory" : "not a readable archive", zip_error_strerror(&reason));
		zip_source_free(source);
		zip_error_fini(&reason);
		return status;
	}
	ai8x_status status = AI8X_OK;
	zip_int64_t count = zip_get_num_entries(archive, 0);
	for (zip_int64_t i = 0; i < count && status == AI8X_OK; i++)
		status = read_archive_member(archive, (zip_uint64_t)i, path, list, error);
	zip_discard(archive);
	zip_error_fini(&reason);
	return status;
}

// Checkpoints of torch: an archive whose first member is data.pkl, or, in older versions, a pickle.
static bool is_checkpoint(const unsigned char *bytes, size_t size)
{
	static const char member[] = "data.pkl", pickle[] = "\x80\x02";
	const size_t head = size < 128 ? size : 128;
	if (size >= 4 && memcmp(bytes, "PK\x03\x04", 4) == 0)
		return memmem(bytes, head, member, sizeof member - 1) != NULL;
	return size >= 2 && memcmp(bytes, pickle, 2) == 0;
}

static ai8x_status open_list(const char *path, bool samples, struct array_list *list, ai8x_error *error)
{
	unsigned char *bytes = NULL;
	size_t size = 0;
	*list = (struct array_list){.samples = samples};
	ai8x_status status = file_read(path, MAX_BYTES, &bytes, &size, error);
	if (status != AI8X_OK)
		return status;
	if (is_checkpoint(bytes, size)) {
		free(bytes);
		return error_set(
			error, AI8X_ERR_FORMAT,
			"%s: it is a checkpoint of torch; `ai8xsim-weights %s -o FILE.h5` makes a weights file of it",
			path, path);
	}
	const bool is_archive = size >= 4 && memcmp(bytes, "PK\x03\x04", 4) == 0;
	status = is_archive ? read_archive(path, bytes, size, list, error)
	                    : arrays_parse(bytes, size, path, "", list, error);
	// libzip does not always tell want of memory from damage. Damage stays.
	if (is_archive && status == AI8X_ERR_FORMAT) {
		arrays_release(list);
		list->samples = samples;
		status = read_archive(path, bytes, size, list, error);
	}
	free(bytes);
	if (status != AI8X_OK)
		arrays_release(list);
	return status;
}

ai8x_status arrays_open(const char *path, struct array_list *list, ai8x_error *error)
{
	return open_list(path, false, list, error);
}

ai8x_status arrays_open_samples(const char *path, struct array_list *list, ai8x_error *error)
{
	return open_list(path, true, list, error);
}

struct array *arrays_find(const struct array_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->arrays[i].name, name) == 0)
			return &list->arrays[i];
	return NULL;
}

void arrays_release(struct array_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->arrays[i].values);
		free(list->arrays[i].reals);
	}
	free(list->arrays);
	*list = (struct array_list){NULL, 0};
}

// --- Writing -------------------------------------------------------------------------------------------

// Magic, version 1.0, header length, and a Python dictionary padded so that the values are aligned.
static size_t npy_header(const ai8x_array *array, char header[NPY_HEADER])
{
	char shape[AI8X_ARRAY_MAX_RANK * 12 + 1] = "";
	for (unsigned d = 0; d < array->rank; d++) {
		const size_t used = strlen(shape);
		(void)snprintf(shape + used, sizeof shape - used, "%u,%s", array->shape[d],
		               d + 1 < array->rank ? " " : "");
	}
	if (array->rank > 1)
		shape[strlen(shape) - 1] = '\0'; // only a tuple of one ends in a comma
	memset(header, ' ', NPY_HEADER);
	const int text = snprintf(header + 10, NPY_HEADER - 10,
	                          "{'descr': '<i4', 'fortran_order': False, 'shape': (%s), }", shape);
	header[10 + text] = ' ';
	// The values begin at a multiple of 64 bytes.
	const size_t size = (10 + (size_t)text + 1 + 63) / 64 * 64;
	memcpy(header, "\x93NUMPY\x01", 8);
	header[8] = (char)(size - 10);
	header[9] = 0;
	header[size - 1] = '\n';
	return size;
}

ai8x_status ai8x_array_write_npy(const ai8x_array *array, const char *path, ai8x_error *error)
{
	char header[NPY_HEADER];
	if (array == NULL || path == NULL)
		return error_null(error, array == NULL ? "array" : "path");
	if (array->rank < 1 || array->rank > AI8X_ARRAY_MAX_RANK)
		return error_set(error, AI8X_ERR_ARGUMENT, "%s: an array has 1 to %u dimensions, not %u", path,
		                 AI8X_ARRAY_MAX_RANK, array->rank);
	const size_t head = npy_header(array, header);
	size_t count = 1;
	bool fits = true;
	for (unsigned d = 0; d < array->rank; d++)
		fits = fits && !__builtin_mul_overflow(count, array->shape[d], &count);
	uint8_t *bytes = fits && count <= (SIZE_MAX - head) / 4 ? malloc(head + 4 * count) : NULL;
	if (bytes == NULL)
		return error_no_memory(error, path);
	memcpy(bytes, header, head);
	for (size_t i = 0; i < 4 * count; i++)
		bytes[head + i] = (uint8_t)((uint32_t)array->values[i / 4] >> 8 * (i % 4));
	const ai8x_status status = file_write_any(path, bytes, head + 4 * count, error);
	free(bytes);
	return status;
}
