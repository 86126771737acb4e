// Texts of variable length in HDF5 files, read without libhdf5.
//
// A text of variable length is stored as a reference to a "global heap" of the file. libhdf5 1.10 trusts
// what it finds there: a damaged heap makes it loop for ever or write past its buffers, and neither is
// covered by HDF5's checksums. So libhdf5 only hands out the references, and the heap is read here, with
// every length checked. Layout: HDF5 File Format Specification, "Global Heap".
#ifndef AI8X_PROGRAM_HDF5_HEAP_H
#define AI8X_PROGRAM_HDF5_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "program/hdf5_source.h"

struct hdf5_heap {
	const struct hdf5_source *source;
	uint64_t base;        // of addresses, after the user block
	size_t address_bytes; // of an address
	size_t length_bytes;  // of a length
	uint64_t cached;      // address of the collection in memory
	unsigned char *bytes; // that collection, or NULL
	size_t size;
};

// The heap of an open file. Returns false where the file's addresses are of a strange size.
bool hdf5_heap_open(struct hdf5_heap *heap, const struct hdf5_source *source);
void hdf5_heap_close(struct hdf5_heap *heap);

// Reads the text of an attribute whose type is one string of variable length, at most max_length bytes.
// Returns a text to be freed, or NULL with the reason in *why (out of memory: NULL there as well).
char *hdf5_heap_text(struct hdf5_heap *heap, hid_t attribute, size_t max_length, const char **why);

// Teaches libhdf5 to hand out references; once per process, before the first hdf5_heap_text(). False: no memory.
bool hdf5_heap_prepare(void);

#endif
