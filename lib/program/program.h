// A program in memory, as its reader, its writer and its users inside the library see it.
#ifndef AI8X_PROGRAM_PROGRAM_H
#define AI8X_PROGRAM_PROGRAM_H

#include <ai8xsim/program.h>

enum {
	PROGRAM_VERSION = 1, // what this library writes, and the only version it reads
	PROGRAM_SNOOP_WORDS = 32,
	PROGRAM_MAX_ATTRIBUTES = 1024, // of one object
	PROGRAM_MAX_INTEGERS = 65536,  // of one attribute
	PROGRAM_MAX_TEXT = 1 << 20,    // bytes of a text
};

struct attribute_list {
	ai8x_attribute *items; // each owns one block, which begins at its name
	size_t count, capacity;
};

struct program_layer {
	ai8x_program_layer view; // what callers see; its pointers are owned here
	struct attribute_list attributes;
};

struct ai8x_program {
	const ai8x_part *part;
	struct attribute_list attributes;
	ai8x_op *ops;
	size_t op_count, op_capacity;
	int32_t *input;
	uint32_t input_shape[3];
	uint32_t *snoop;
	uint32_t *memory;
	size_t memory_words;
	struct program_layer *layers; // in the order they run
	size_t layer_count, layer_capacity;
};

// Adds or replaces an attribute; all it points to is copied.
ai8x_status attribute_list_set(struct attribute_list *list, const ai8x_attribute *attribute,
                               ai8x_error *error);
const ai8x_attribute *attribute_list_find(const struct attribute_list *list, const char *name);
void attribute_list_free(struct attribute_list *list);

// Appends an empty layer that owns nothing yet, or returns NULL when out of memory.
struct program_layer *program_add_empty_layer(ai8x_program *program, unsigned number);

// Says what is wrong with a program that was read: RUN missing or repeated, unknown kinds. `path` is for
// messages.
ai8x_status program_check_ops(const ai8x_program *program, const char *path, ai8x_error *error);

// Position of the recorded layer that a register set computes, or -1.
int program_layer_position(const ai8x_program *program, uint32_t register_set);
// The number that this layer goes by in all reports: see AI8X_PROGRAM_UNRECORDED.
uint32_t program_layer_number(const ai8x_program *program, uint32_t register_set);

// The readers and the writer of the file formats.
ai8x_status hdf5_read(const char *path, const ai8x_program_options *options, ai8x_program **program,
                      ai8x_error *error);
// Whether an HDF5 file's root says that it is a program.
ai8x_status hdf5_probe(const char *path, bool *is_program, ai8x_error *error);
ai8x_status hdf5_write(const ai8x_program *program, const char *path, ai8x_error *error);
ai8x_status mem_read(const char *path, const ai8x_program_options *options, ai8x_program **program,
                     ai8x_error *error);

#endif
