// Writes a program as HDF5 (docs/program-format.md): packed little-endian rows, compressed, and no time
// stamps, so that equal programs are equal files.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "program/hdf5_image.h"
#include "program/program.h"

enum {
	CHUNK_ELEMENTS = 1 << 16,
	COMPRESS_FROM = 64, // elements; a smaller dataset is smaller without a chunk index
	GZIP_LEVEL = 6,
};

struct writer {
	const char *path; // as the caller named it
	hid_t file;
	ai8x_error *error;
};

static ai8x_status unwritable(const struct writer *writer, const char *object)
{
	char reason[200];
	hdf5_reason(reason, sizeof reason);
	return error_set(writer->error, AI8X_ERR_IO, "%s: cannot write %s: %s", writer->path, object, reason);
}

// --- Attributes --------------------------------------------------------------------------------------

// The type in the file, to be closed with H5Tclose(); *memory is its counterpart here.
static hid_t attribute_type(const ai8x_attribute *attribute, hid_t *memory)
{
	hid_t type = H5I_INVALID_HID;
	switch (attribute->type) {
	case AI8X_ATTRIBUTE_INT:
		*memory = attribute->is_unsigned ? H5T_NATIVE_UINT64 : H5T_NATIVE_INT64;
		if (attribute->is_boolean) {
			type = H5Tenum_create(H5T_STD_I8LE);
			(void)H5Tenum_insert(type, "FALSE", &(int8_t){0});
			(void)H5Tenum_insert(type, "TRUE", &(int8_t){1});
			return type;
		}
		type = H5Tcopy(attribute->is_unsigned ? H5T_STD_U64LE : H5T_STD_I64LE);
		if (attribute->bytes == 1 || attribute->bytes == 2 || attribute->bytes == 4)
			(void)H5Tset_size(type, attribute->bytes);
		return type;
	case AI8X_ATTRIBUTE_FLOAT:
		*memory = H5T_NATIVE_DOUBLE;
		return H5Tcopy(attribute->bytes == 4 ? H5T_IEEE_F32LE : H5T_IEEE_F64LE);
	case AI8X_ATTRIBUTE_TEXT:
		type = H5Tcopy(H5T_C_S1);
		(void)H5Tset_size(type, H5T_VARIABLE);
		(void)H5Tset_cset(type, H5T_CSET_UTF8);
		*memory = type;
		return type;
	}
	return type;
}

// HDF5 has no conversion from integers to enumerations, so booleans go as the bytes they are.
static herr_t write_booleans(hid_t id, hid_t type, const ai8x_attribute *attribute)
{
	int8_t *bytes = malloc(attribute->count);
	if (bytes == NULL)
		return -1;
	for (size_t i = 0; i < attribute->count; i++)
		bytes[i] = (int8_t)(attribute->integers[i] != 0);
	herr_t done = H5Awrite(id, type, bytes);
	free(bytes);
	return done;
}

static ai8x_status write_attribute(const struct writer *writer, hid_t object, const ai8x_attribute *attribute)
{
	hid_t memory = H5I_INVALID_HID;
	hid_t type = attribute_type(attribute, &memory);
	hsize_t count = attribute->count;
	hid_t space = attribute->scalar ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, NULL);
	hid_t id = H5I_INVALID_HID;
	if (type >= 0 && space >= 0)
		id = H5Acreate2(object, attribute->name, type, space, H5P_DEFAULT, H5P_DEFAULT);
	herr_t done = -1;
	if (id >= 0 && attribute->type == AI8X_ATTRIBUTE_TEXT)
		done = H5Awrite(id, memory, &attribute->text);
	else if (id >= 0 && attribute->type == AI8X_ATTRIBUTE_FLOAT)
		done = H5Awrite(id, memory, attribute->numbers);
	else if (id >= 0 && attribute->is_boolean)
		done = write_booleans(id, type, attribute);
	else if (id >= 0)
		done = H5Awrite(id, memory, attribute->integers);
	ai8x_status status = done >= 0 ? AI8X_OK : unwritable(writer, attribute->name);
	if (id >= 0 && H5Aclose(id) < 0 && status == AI8X_OK)
		status = unwritable(writer, attribute->name);
	if (space >= 0)
		(void)H5Sclose(space);
	if (type >= 0)
		(void)H5Tclose(type);
	return status;
}

static ai8x_status write_attributes(const struct writer *writer, hid_t object,
                                    const struct attribute_list *list)
{
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < list->count && status == AI8X_OK; i++)
		status = write_attribute(writer, object, &list->items[i]);
	return status;
}

// --- Datasets ----------------------------------------------------------------------------------------

// Chunks hold whole rows of the fastest dimensions, as many as fit.
static hid_t creation_list(int rank, const hsize_t *dims)
{
	hid_t list = H5Pcreate(H5P_DATASET_CREATE);
	if (list < 0)
		return list;
	(void)H5Pset_obj_track_times(list, false);
	hsize_t elements = 1;
	for (int i = 0; i < rank; i++)
		elements *= dims[i];
	if (elements < COMPRESS_FROM)
		return list;
	hsize_t chunk[AI8X_ARRAY_MAX_RANK];
	hsize_t space = CHUNK_ELEMENTS;
	for (int i = rank - 1; i >= 0; i--) {
		chunk[i] = dims[i] < space ? dims[i] : space;
		space = space / chunk[i] > 0 ? space / chunk[i] : 1;
	}
	(void)H5Pset_chunk(list, rank, chunk);
	(void)H5Pset_shuffle(list);
	(void)H5Pset_deflate(list, GZIP_LEVEL);
	return list;
}

struct array {
	const char *object;
	int rank;
	hsize_t dims[AI8X_ARRAY_MAX_RANK];
	hid_t file_type, memory_type;
	const void *data;
};

static ai8x_status write_array(const struct writer *writer, const struct array *array)
{
	hid_t space = H5Screate_simple(array->rank, array->dims, NULL);
	hid_t list = creation_list(array->rank, array->dims);
	hid_t id = H5I_INVALID_HID;
	if (space >= 0 && list >= 0)
		id = H5Dcreate2(writer->file, array->object, array->file_type, space, H5P_DEFAULT, list, H5P_DEFAULT);
	bool empty = array->dims[0] == 0;
	bool ok = id >= 0 &&
	          (empty || H5Dwrite(id, array->memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, array->data) >= 0);
	ai8x_status status = ok ? AI8X_OK : unwritable(writer, array->object);
	if (id >= 0 && H5Dclose(id) < 0 && status == AI8X_OK)
		status = unwritable(writer, array->object);
	if (list >= 0)
		(void)H5Pclose(list);
	if (space >= 0)
		(void)H5Sclose(space);
	return status;
}

static ai8x_status write_ops(const struct writer *writer, const ai8x_program *program)
{
	hid_t memory = H5Tcreate(H5T_COMPOUND, sizeof(ai8x_op));
	(void)H5Tinsert(memory, "kind", HOFFSET(ai8x_op, kind), H5T_NATIVE_UINT8);
	(void)H5Tinsert(memory, "addr", HOFFSET(ai8x_op, address), H5T_NATIVE_UINT32);
	(void)H5Tinsert(memory, "value", HOFFSET(ai8x_op, value), H5T_NATIVE_UINT32);
	(void)H5Tinsert(memory, "mask", HOFFSET(ai8x_op, mask), H5T_NATIVE_UINT32);
	hid_t packed = H5Tcreate(H5T_COMPOUND, 13);
	(void)H5Tinsert(packed, "kind", 0, H5T_STD_U8LE);
	(void)H5Tinsert(packed, "addr", 1, H5T_STD_U32LE);
	(void)H5Tinsert(packed, "value", 5, H5T_STD_U32LE);
	(void)H5Tinsert(packed, "mask", 9, H5T_STD_U32LE);
	struct array array = {"/program", 1, {program->op_count}, packed, memory, program->ops};
	ai8x_status status = write_array(writer, &array);
	(void)H5Tclose(packed);
	(void)H5Tclose(memory);
	return status;
}

static ai8x_status write_memory_words(const struct writer *writer, const char *object,
                                      const ai8x_program_layer *layer)
{
	hid_t memory = H5Tcreate(H5T_COMPOUND, sizeof(ai8x_word));
	(void)H5Tinsert(memory, "addr", HOFFSET(ai8x_word, address), H5T_NATIVE_UINT32);
	(void)H5Tinsert(memory, "value", HOFFSET(ai8x_word, value), H5T_NATIVE_UINT32);
	(void)H5Tinsert(memory, "mask", HOFFSET(ai8x_word, mask), H5T_NATIVE_UINT32);
	hid_t packed = H5Tcreate(H5T_COMPOUND, 12);
	(void)H5Tinsert(packed, "addr", 0, H5T_STD_U32LE);
	(void)H5Tinsert(packed, "value", 4, H5T_STD_U32LE);
	(void)H5Tinsert(packed, "mask", 8, H5T_STD_U32LE);
	struct array array = {object, 1, {layer->memory_count}, packed, memory, layer->memory};
	ai8x_status status = write_array(writer, &array);
	(void)H5Tclose(packed);
	(void)H5Tclose(memory);
	return status;
}

static ai8x_status write_tensor(const struct writer *writer, const char *object, const int32_t *values,
                                const uint32_t shape[3])
{
	struct array array = {object, 3, {shape[0], shape[1], shape[2]}, H5T_STD_I32LE, H5T_NATIVE_INT32, values};
	return write_array(writer, &array);
}

static hid_t create_group(const struct writer *writer, const char *object)
{
	hid_t list = H5Pcreate(H5P_GROUP_CREATE);
	(void)H5Pset_obj_track_times(list, false);
	hid_t group = H5Gcreate2(writer->file, object, H5P_DEFAULT, list, H5P_DEFAULT);
	(void)H5Pclose(list);
	return group;
}

static ai8x_status write_layer(const struct writer *writer, const struct program_layer *layer)
{
	char object[48];
	(void)snprintf(object, sizeof object, "/layers/%u", layer->view.number);
	hid_t group = create_group(writer, object);
	if (group < 0)
		return unwritable(writer, object);
	ai8x_status status = write_attributes(writer, group, &layer->attributes);
	(void)H5Gclose(group);
	if (status == AI8X_OK && layer->view.output != NULL) {
		(void)snprintf(object, sizeof object, "/layers/%u/output", layer->view.number);
		status = write_tensor(writer, object, layer->view.output, layer->view.shape);
	}
	if (status == AI8X_OK && layer->view.memory != NULL) {
		(void)snprintf(object, sizeof object, "/layers/%u/memory", layer->view.number);
		status = write_memory_words(writer, object, &layer->view);
	}
	return status;
}

static ai8x_status write_layers(const struct writer *writer, const ai8x_program *program)
{
	if (program->layer_count == 0)
		return AI8X_OK;
	hid_t group = create_group(writer, "/layers");
	if (group < 0)
		return unwritable(writer, "/layers");
	(void)H5Gclose(group);
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < program->layer_count && status == AI8X_OK; i++)
		status = write_layer(writer, &program->layers[i]);
	return status;
}

static ai8x_status write_all(const struct writer *writer, const ai8x_program *program)
{
	hid_t root = H5Gopen2(writer->file, "/", H5P_DEFAULT);
	if (root < 0)
		return unwritable(writer, "/");
	ai8x_status status = write_attributes(writer, root, &program->attributes);
	(void)H5Gclose(root);
	if (status == AI8X_OK)
		status = write_ops(writer, program);
	if (status == AI8X_OK && program->input != NULL)
		status = write_tensor(writer, "/input", program->input, program->input_shape);
	if (status == AI8X_OK && program->snoop != NULL) {
		struct array array = {"/snoop",      1, {PROGRAM_SNOOP_WORDS}, H5T_STD_U32LE, H5T_NATIVE_UINT32,
		                      program->snoop};
		status = write_array(writer, &array);
	}
	if (status == AI8X_OK && program->memory != NULL) {
		struct array array = {
			"/memory",      2, {AI8X_INSTANCES, program->memory_words}, H5T_STD_U32LE, H5T_NATIVE_UINT32,
			program->memory};
		status = write_array(writer, &array);
	}
	if (status == AI8X_OK)
		status = write_layers(writer, program);
	return status;
}

// The groups that an object lies in, where they are not there yet.
static ai8x_status create_parents(const struct writer *writer, const char *object)
{
	char group[64];
	for (const char *slash = strchr(object + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		(void)snprintf(group, sizeof group, "%.*s", (int)(slash - object), object);
		if (H5Lexists(writer->file, group, H5P_DEFAULT) > 0)
			continue;
		const hid_t id = create_group(writer, group);
		if (id < 0)
			return unwritable(writer, group);
		(void)H5Gclose(id);
	}
	return AI8X_OK;
}

static ai8x_status write_arrays(const struct writer *writer, const ai8x_array *arrays, size_t count)
{
	ai8x_status status = AI8X_OK;
	for (size_t i = 0; i < count && status == AI8X_OK; i++) {
		struct array array = {arrays[i].name, (int)arrays[i].rank, {0},
		                      H5T_STD_I32LE,  H5T_NATIVE_INT32,    arrays[i].values};
		if (arrays[i].rank < 1 || arrays[i].rank > AI8X_ARRAY_MAX_RANK)
			return error_set(writer->error, AI8X_ERR_ARGUMENT, "%s: array %s has %u dimensions, not 1 to %u",
			                 writer->path, arrays[i].name, arrays[i].rank, AI8X_ARRAY_MAX_RANK);
		for (unsigned d = 0; d < arrays[i].rank; d++)
			array.dims[d] = arrays[i].shape[d];
		status = create_parents(writer, array.object);
		if (status == AI8X_OK)
			status = write_array(writer, &array);
	}
	return status;
}

// What a file holds: a program, or else arrays.
struct content {
	const ai8x_program *program;
	const ai8x_array *arrays;
	size_t count;
};

static ai8x_status write_file(const struct content *content, const char *path, ai8x_error *error)
{
	struct hdf5_image image;
	struct writer writer = {path, H5I_INVALID_HID, error};
	struct hdf5_session session;
	ai8x_status status = AI8X_ERR_NO_MEMORY;
	hdf5_session_begin(&session);
	writer.file = hdf5_image_create(&image, path, error);
	if (writer.file >= 0)
		status = content->program != NULL ? write_all(&writer, content->program)
		                                  : write_arrays(&writer, content->arrays, content->count);
	hdf5_session_end(&session);
	status = hdf5_session_verdict(&session, status, AI8X_ERR_IO, path, error);
	return hdf5_image_write(&image, writer.file, path, status, error);
}

ai8x_status hdf5_write(const ai8x_program *program, const char *path, ai8x_error *error)
{
	const struct content content = {.program = program};
	return write_file(&content, path, error);
}

ai8x_status ai8x_arrays_write_hdf5(const ai8x_array *arrays, size_t count, const char *path,
                                   ai8x_error *error)
{
	if (arrays == NULL || path == NULL)
		return error_null(error, arrays == NULL ? "arrays" : "path");
	const struct content content = {.arrays = arrays, .count = count};
	return write_file(&content, path, error);
}
