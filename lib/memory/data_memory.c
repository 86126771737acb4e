// Data memory.
#include "memory/memory.h"

#include <stdlib.h>
#include <string.h>

ai8x_status data_memory_create(struct data_memory *memory, const ai8x_part *part)
{
	memory->words = part->info.data_words;
	// One block, so that a machine's data memory is one view for those who map or hash it.
	uint32_t *block = calloc((size_t)AI8X_INSTANCES * memory->words, sizeof *block);
	if (block == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		memory->word[i] = block + (size_t)i * memory->words;
	return AI8X_OK;
}

void data_memory_destroy(struct data_memory *memory)
{
	free(memory->word[0]);
	memset(memory, 0, sizeof *memory);
}

void data_memory_clear(struct data_memory *memory, unsigned group)
{
	memset(memory->word[group * INSTANCES_PER_GROUP], 0,
	       INSTANCES_PER_GROUP * memory->words * sizeof(uint32_t));
}
