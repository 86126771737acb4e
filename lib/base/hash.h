// FNV-1a, 64 bits: recognises the same input again, where nobody is out to deceive.
#ifndef AI8X_BASE_HASH_H
#define AI8X_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

// The hash of what was hashed so far (HASH_START: nothing) and the bytes after it.
static inline uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
	const uint8_t *byte = bytes;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
