// Bias memory.
#include "memory/memory.h"

#include <stdlib.h>
#include <string.h>

ai8x_status bias_memory_create(struct bias_memory *memory, const ai8x_part *part)
{
	memory->entries = part->info.bias_entries;
	int8_t *block = calloc(AI8X_GROUPS, memory->entries);
	if (block == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		memory->entry[g] = block + (size_t)g * memory->entries;
	return AI8X_OK;
}

void bias_memory_destroy(struct bias_memory *memory)
{
	free(memory->entry[0]);
	memset(memory, 0, sizeof *memory);
}

void bias_memory_clear(struct bias_memory *memory, unsigned group)
{
	memset(memory->entry[group], 0, memory->entries);
	memory->stamp++;
}
