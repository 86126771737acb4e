// Arrays that grow; see array.h.
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool array_reserve(void *array, size_t *capacity, size_t need, size_t size)
{
	if (need <= *capacity)
		return true;
	size_t grown = *capacity < 8 ? 8 : *capacity;
	while (grown < need) {
		if (grown > SIZE_MAX / 2)
			return false;
		grown *= 2;
	}
	if (grown > SIZE_MAX / size)
		return false;
	// The caller's pointer has a type of its own; memcpy keeps to the aliasing rules.
	void *block = NULL;
	memcpy(&block, array, sizeof block);
	block = realloc(block, grown * size);
	if (block == NULL)
		return false;
	memcpy(array, &block, sizeof block);
	*capacity = grown;
	return true;
}

void *array_alloc(size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size)
		return NULL;
	return malloc(count * size > 0 ? count * size : 1);
}
