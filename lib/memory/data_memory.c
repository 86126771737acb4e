// Data memory.
#include "memory/memory.h"

#include <string.h>

#include "base/zeroed.h"

// Words between instances beyond their own: a power of two apart, sixteen words that belong together would fight for
// the same places of a cache.
#define APART 16

static size_t block_bytes(const struct data_memory *memory)
{
	return AI8X_INSTANCES * (memory->words + (size_t)APART) * sizeof(uint32_t);
}

ai8x_status data_memory_create(struct data_memory *memory, const ai8x_part *part)
{
	memory->words = part->info.data_words;
	uint32_t *block = zeroed_create(block_bytes(memory));
	if (block == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		memory->word[i] = block + i * (memory->words + (size_t)APART);
	return AI8X_OK;
}

void data_memory_destroy(struct data_memory *memory)
{
	zeroed_destroy(memory->word[0], block_bytes(memory));
	memset(memory, 0, sizeof *memory);
}

void data_memory_clear(struct data_memory *memory, unsigned group)
{
	for (unsigned i = 0; i < INSTANCES_PER_GROUP; i++)
		memset(memory->word[group * INSTANCES_PER_GROUP + i], 0, memory->words * sizeof(uint32_t));
}
