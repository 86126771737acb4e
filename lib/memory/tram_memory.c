// TRAM as storage behind the bus.
#include "memory/memory.h"

#include <string.h>

#include "base/zeroed.h"

static size_t block_bytes(const struct tram_memory *memory)
{
	return (size_t)AI8X_PROCESSORS * memory->words * sizeof(uint16_t);
}

ai8x_status tram_memory_create(struct tram_memory *memory, const ai8x_part *part)
{
	memory->words = part->info.tram_words;
	uint16_t *block = zeroed_create(block_bytes(memory));
	if (block == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
		memory->word[p] = block + (size_t)p * memory->words;
	return AI8X_OK;
}

void tram_memory_destroy(struct tram_memory *memory)
{
	zeroed_destroy(memory->word[0], block_bytes(memory));
	memset(memory, 0, sizeof *memory);
}

void tram_memory_clear(struct tram_memory *memory, unsigned group)
{
	for (unsigned p = group * PROCESSORS_PER_GROUP; p < (group + 1) * PROCESSORS_PER_GROUP; p++) {
		if (memory->written[p])
			memset(memory->word[p], 0, memory->words * sizeof(uint16_t));
		memory->written[p] = false;
	}
}
