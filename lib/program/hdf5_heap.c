// Texts of variable length in HDF5 files; see hdf5_heap.h.
#include "program/hdf5_heap.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

enum {
	MAX_REFERENCE_BYTES = 32,
	COUNT_BYTES = 4, // length of a text, and index of a heap object, in a reference
	INDEX_BYTES = 4,
	MAX_COLLECTION_BYTES = 1 << 26,
	SIGNATURE_BYTES = 8, // "GCOL", version 1, three reserved bytes
	OBJECT_SIZE_AT = 8,  // in an object: index (2), references (2), reserved (4), then its size
};

// References as they are in the file: nothing to convert.
static herr_t keep_reference(hid_t from, hid_t to, H5T_cdata_t *data, size_t count, size_t stride,
                             size_t background_stride, void *buffer, void *background, hid_t transfer)
{
	(void)from;
	(void)to;
	(void)count;
	(void)stride;
	(void)background_stride;
	(void)buffer;
	(void)background;
	(void)transfer;
	data->need_bkg = H5T_BKG_NO;
	return 0;
}

bool hdf5_heap_prepare(void)
{
	hid_t text = H5Tcopy(H5T_C_S1);
	if (text < 0)
		return false;
	hid_t opaque = H5Tset_size(text, H5T_VARIABLE) >= 0 ? H5Tcreate(H5T_OPAQUE, 1) : H5I_INVALID_HID;
	const bool done = opaque >= 0 && H5Tregister(H5T_PERS_SOFT, "ai8xsim: text reference as bytes", text,
	                                             opaque, keep_reference) >= 0;
	if (opaque >= 0)
		(void)H5Tclose(opaque);
	(void)H5Tclose(text);
	return done;
}

bool hdf5_heap_open(struct hdf5_heap *heap, const struct hdf5_source *source)
{
	*heap = (struct hdf5_heap){.source = source};
	hid_t creation = H5Fget_create_plist(source->file);
	if (creation < 0)
		return false;
	hsize_t user_block = 0;
	bool known = H5Pget_userblock(creation, &user_block) >= 0 &&
	             H5Pget_sizes(creation, &heap->address_bytes, &heap->length_bytes) >= 0;
	(void)H5Pclose(creation);
	heap->base = user_block;
	return known && heap->address_bytes <= 8 && heap->length_bytes <= 8;
}

void hdf5_heap_close(struct hdf5_heap *heap)
{
	free(heap->bytes);
	*heap = (struct hdf5_heap){0};
}

static uint64_t little_endian(const unsigned char *bytes, size_t count)
{
	uint64_t value = 0;
	for (size_t i = 0; i < count && i < 8; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

static size_t round_up_8(size_t bytes)
{
	return (bytes + 7) & ~(size_t)7;
}

static bool read_at(const struct hdf5_heap *heap, uint64_t address, void *bytes, size_t count)
{
	uint64_t offset = heap->base + address;
	const struct hdf5_source *source = heap->source;
	if (offset < address || offset > INT64_MAX - count)
		return false;
	if (source->bytes == NULL) {
		ai8x_error ignored;
		size_t got = count;
		return file_read_at(source->fd, source->path, offset, bytes, &got, &ignored) == AI8X_OK &&
		       got == count;
	}
	if (offset > source->size || source->size - offset < count)
		return false;
	memcpy(bytes, source->bytes + offset, count);
	return true;
}

static bool load_collection(struct hdf5_heap *heap, uint64_t address, const char **why)
{
	static const unsigned char signature[SIGNATURE_BYTES] = {'G', 'C', 'O', 'L', 1, 0, 0, 0};
	if (heap->bytes != NULL && heap->cached == address)
		return true;
	unsigned char header[SIGNATURE_BYTES + 8];
	*why = "damaged: a text refers to no heap";
	if (!read_at(heap, address, header, SIGNATURE_BYTES + heap->length_bytes) ||
	    memcmp(header, signature, sizeof signature) != 0)
		return false;
	uint64_t size = little_endian(header + SIGNATURE_BYTES, heap->length_bytes);
	*why = "damaged: the heap of texts has an impossible size";
	if (size < SIGNATURE_BYTES + heap->length_bytes || size > MAX_COLLECTION_BYTES)
		return false;
	unsigned char *bytes = malloc((size_t)size);
	if (bytes == NULL) {
		*why = NULL;
		return false;
	}
	if (!read_at(heap, address, bytes, (size_t)size)) {
		free(bytes);
		return false;
	}
	free(heap->bytes);
	heap->bytes = bytes;
	heap->size = (size_t)size;
	heap->cached = address;
	return true;
}

// Finds object `index` of the collection in memory; *size receives its size.
static const unsigned char *find_object(const struct hdf5_heap *heap, uint64_t index, uint64_t *size)
{
	size_t header = round_up_8(OBJECT_SIZE_AT + heap->length_bytes);
	size_t at = round_up_8(SIGNATURE_BYTES + heap->length_bytes);
	while (at <= heap->size && heap->size - at >= header) {
		const unsigned char *object = heap->bytes + at;
		size_t space = heap->size - at - header;
		uint64_t found = little_endian(object, 2);
		uint64_t bytes = little_endian(object + OBJECT_SIZE_AT, heap->length_bytes);
		// Object 0 is the free space at the end.
		if (found == 0 || bytes > space)
			return NULL;
		if (found == index) {
			*size = bytes;
			return object + header;
		}
		at += header + round_up_8((size_t)bytes);
	}
	return NULL;
}

static bool read_reference(const struct hdf5_heap *heap, hid_t attribute, unsigned char *reference)
{
	size_t bytes = COUNT_BYTES + heap->address_bytes + INDEX_BYTES;
	if (bytes > MAX_REFERENCE_BYTES || H5Aget_storage_size(attribute) != bytes)
		return false;
	hid_t opaque = H5Tcreate(H5T_OPAQUE, bytes);
	bool done = opaque >= 0 && H5Aread(attribute, opaque, reference) >= 0;
	if (opaque >= 0)
		(void)H5Tclose(opaque);
	return done;
}

char *hdf5_heap_text(struct hdf5_heap *heap, hid_t attribute, size_t max_length, const char **why)
{
	unsigned char reference[MAX_REFERENCE_BYTES] = {0};
	*why = "damaged: the reference to a text cannot be read";
	if (!read_reference(heap, attribute, reference))
		return NULL;
	uint64_t length = little_endian(reference, COUNT_BYTES);
	uint64_t address = little_endian(reference + COUNT_BYTES, heap->address_bytes);
	uint64_t index = little_endian(reference + COUNT_BYTES + heap->address_bytes, INDEX_BYTES);

	const unsigned char *bytes = (const unsigned char *)"";
	uint64_t size = 0;
	// A text that was never written, or an empty one, refers to address 0.
	if (address != 0 && length > 0) {
		*why = "a text is longer than is accepted";
		if (length > max_length || !load_collection(heap, address, why))
			return NULL;
		*why = "damaged: a text is not in its heap";
		bytes = find_object(heap, index, &size);
		if (bytes == NULL || size < length)
			return NULL;
	} else {
		length = 0;
	}
	char *text = malloc((size_t)length + 1);
	*why = NULL;
	if (text == NULL)
		return NULL;
	memcpy(text, bytes, (size_t)length);
	text[length] = '\0';
	return text;
}
