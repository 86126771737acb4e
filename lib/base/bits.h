// Bit maps of processors and groups.
#ifndef AI8X_BASE_BITS_H
#define AI8X_BASE_BITS_H

#include <stdint.h>

static inline unsigned bits_count(uint64_t map)
{
	return (unsigned)__builtin_popcountll(map);
}

// Lowest bit that is set; 0 for an empty map.
static inline unsigned bits_first(uint64_t map)
{
	return map == 0 ? 0 : (unsigned)__builtin_ctzll(map);
}

// Highest bit that is set; 0 for an empty map.
static inline unsigned bits_last(uint64_t map)
{
	return map == 0 ? 0 : 63u - (unsigned)__builtin_clzll(map);
}

// The k-th bit that is set, counted from 0; the map has more than k.
static inline unsigned bits_nth(uint64_t map, uint32_t k)
{
	while (k-- > 0)
		map &= map - 1;
	return bits_first(map);
}

// How many bits below `bit` are set: the inverse of bits_nth().
static inline unsigned bits_rank(uint64_t map, unsigned bit)
{
	return bits_count(map & ((UINT64_C(1) << bit) - 1));
}

#endif
