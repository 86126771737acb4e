// Data memory.
#include "memory/memory.h"

#include <stdlib.h>
#include <string.h>

// Words between instances beyond their own: a power of two apart, sixteen words that belong together would fight for
// the same places of a cache.
#define APART 16

ai8x_status data_memory_create(struct data_memory *memory, const ai8x_part *part)
{
	memory->words = part->info.data_words;
	const size_t step = memory->words + (size_t)APART;
	uint32_t *block = calloc(AI8X_INSTANCES * step, sizeof *block);
	if (block == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		memory->word[i] = block + i * step;
	return AI8X_OK;
}

void data_memory_destroy(struct data_memory *memory)
{
	free(memory->word[0]);
	memset(memory, 0, sizeof *memory);
}

void data_memory_clear(struct data_memory *memory, unsigned group)
{
	for (unsigned i = 0; i < INSTANCES_PER_GROUP; i++)
		memset(memory->word[group * INSTANCES_PER_GROUP + i], 0, memory->words * sizeof(uint32_t));
}
