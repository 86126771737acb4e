// Arrays that grow: the one place that computes their size, so that overflow is checked once.
#ifndef AI8X_BASE_ARRAY_H
#define AI8X_BASE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

// Makes room for at least `need` elements of `size` bytes in *array, doubling *capacity as needed.
// Returns false, with the array untouched, when the host has no memory.
bool array_reserve(void *array, size_t *capacity, size_t need, size_t size);

// malloc(count * size) that fails instead of overflowing; never returns a zero-sized block.
void *array_alloc(size_t count, size_t size);

#endif
