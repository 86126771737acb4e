// Kernel memory with its two loaders (hardware reference 2.1).
#include "memory/memory.h"

#include <stdlib.h>
#include <string.h>

ai8x_status kernel_memory_create(struct kernel_memory *memory, const ai8x_part *part)
{
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		struct kernel_unit *unit = &memory->unit[p];
		unit->words = part_unit_words(part, MEMORY_KERNEL, processor_in_group(p));
		unit->stream = calloc(unit->words, KERNEL_WORD_BYTES);
		if (unit->stream == NULL) {
			kernel_memory_destroy(memory);
			return AI8X_ERR_NO_MEMORY;
		}
	}
	return AI8X_OK;
}

void kernel_memory_destroy(struct kernel_memory *memory)
{
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
		free(memory->unit[p].stream);
	memset(memory, 0, sizeof *memory);
}

void kernel_memory_clear(struct kernel_memory *memory, unsigned group)
{
	for (unsigned p = group * PROCESSORS_PER_GROUP; p < (group + 1) * PROCESSORS_PER_GROUP; p++) {
		struct kernel_unit *unit = &memory->unit[p];
		if (unit->written)
			memset(unit->stream, 0, (size_t)unit->words * KERNEL_WORD_BYTES);
		unit->written = false;
		memset(unit->latch, 0, sizeof unit->latch);
		unit->latch_seen = 0;
		unit->express_word = 0;
		unit->express_bytes = 0;
	}
	memory->stamp++;
}

// One kernel word, given as k0..k8.
static void store(struct kernel_memory *memory, unsigned processor, uint32_t word,
                  const uint8_t k[KERNEL_WORD_BYTES])
{
	uint8_t *stream = memory->unit[processor].stream + (size_t)word * KERNEL_WORD_BYTES;
	for (unsigned i = 0; i < KERNEL_WORD_BYTES; i++)
		stream[KERNEL_WORD_BYTES - 1 - i] = k[i];
	memory->unit[processor].written = true;
	memory->stamp++;
}

struct kernel_commit kernel_write_plain(struct kernel_memory *memory, unsigned processor, uint32_t word,
                                        uint32_t offset, uint32_t value)
{
	struct kernel_unit *unit = &memory->unit[processor];
	if (unit->latch_word != word)
		unit->latch_seen = 0;
	unit->latch_word = word;
	unit->latch_seen |= (uint8_t)(1u << offset / 4);
	for (unsigned i = 0; i < 4; i++)
		unit->latch[offset + i] = (uint8_t)(value >> (24 - 8 * i));
	// Only the fourth bus word makes the memory write happen.
	if (offset != 12)
		return (struct kernel_commit){0};
	uint8_t k[KERNEL_WORD_BYTES] = {unit->latch[3]};
	memcpy(k + 1, unit->latch + 4, KERNEL_WORD_BYTES - 1);
	store(memory, processor, word, k);
	const bool whole = unit->latch_seen == 15;
	unit->latch_seen = 0;
	return (struct kernel_commit){.committed = true, .word = word, .whole = whole};
}

uint32_t kernel_read_plain(const struct kernel_memory *memory, unsigned processor, uint32_t word,
                           uint32_t offset)
{
	const uint8_t *stream = memory->unit[processor].stream + (size_t)word * KERNEL_WORD_BYTES;
	if (offset == 0)
		return stream[8];
	if (offset == 12)
		return 0;
	const uint8_t *last = stream + (offset == 4 ? 4 : 0); // holds k4 or k8
	return (uint32_t)last[3] << 24 | (uint32_t)last[2] << 16 | (uint32_t)last[1] << 8 | last[0];
}

void kernel_express_select(struct kernel_memory *memory, unsigned processor, uint32_t word)
{
	memory->unit[processor].express_word = word;
	memory->unit[processor].express_bytes = 0;
}

struct kernel_commit kernel_express_append(struct kernel_memory *memory, unsigned processor, uint32_t value)
{
	struct kernel_unit *unit = &memory->unit[processor];
	struct kernel_commit commit = {.word = unit->express_word, .whole = true};
	for (unsigned i = 0; i < 4; i++) {
		unit->express[unit->express_bytes++] = (uint8_t)(value >> (24 - 8 * i));
		if (unit->express_bytes < KERNEL_WORD_BYTES)
			continue;
		unit->express_bytes = 0;
		if (unit->express_word < unit->words) {
			store(memory, processor, unit->express_word, unit->express);
			commit.committed = true;
		}
		unit->express_word++;
	}
	return commit;
}
