// Reading NumPy files; see npy.c. Writing is public: ai8x_array_write_npy().
#ifndef AI8X_PROGRAM_NPY_H
#define AI8X_PROGRAM_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ai8xsim/status.h>

#define ARRAY_MAX_RANK 6

// An array of integers in row-major order. The name is the one it has inside a .npz file, without suffix.
struct array {
	char name[64];
	unsigned rank;
	size_t shape[ARRAY_MAX_RANK];
	size_t count;
	int32_t *values;
	double *reals; // arrays_open_samples(): all values, where some are no integers; else NULL
	bool bytes;    // unsigned 8-bit integers in the file
};

struct array_list {
	struct array *arrays;
	size_t count;
	bool samples; // fractions are kept
};

// Reads all arrays of a .npz archive or of a .npy file (in which several arrays may follow one another).
ai8x_status arrays_open(const char *path, struct array_list *list, ai8x_error *error);

// The same for samples, whose values may be fractions (sample.h).
ai8x_status arrays_open_samples(const char *path, struct array_list *list, ai8x_error *error);

// Reads arrays that follow one another in memory; @p file is used in messages.
ai8x_status arrays_parse(const uint8_t *bytes, size_t size, const char *file, const char *name,
                         struct array_list *list, ai8x_error *error);

// The array of that name, or NULL.
struct array *arrays_find(const struct array_list *list, const char *name);

void arrays_release(struct array_list *list);

#endif
