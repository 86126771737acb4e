// Large blocks of zeros. Pages that nobody touches take neither time nor memory, which a heap cannot offer: it clears
// what it hands out again.
#ifndef AI8X_BASE_ZEROED_H
#define AI8X_BASE_ZEROED_H

#include <stddef.h>

// NULL: the host has no memory.
void *zeroed_create(size_t bytes);
// The same number of bytes as it was created with. NULL is allowed.
void zeroed_destroy(void *block, size_t bytes);

#endif
