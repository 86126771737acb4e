// Kernel memory with its two loaders (hardware reference 2.1).
#include "memory/memory.h"

#include <string.h>

#include "base/zeroed.h"

// Streams of all processors lie in one block, each at a cache line of its own.
static size_t stream_bytes(const struct kernel_unit *unit)
{
	const size_t line = 64, bytes = (size_t)unit->words * KERNEL_WORD_BYTES;
	return (bytes + line - 1) / line * line;
}

static size_t block_bytes(const struct kernel_memory *memory)
{
	size_t bytes = 0;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
		bytes += stream_bytes(&memory->unit[p]);
	return bytes;
}

ai8x_status kernel_memory_create(struct kernel_memory *memory, const ai8x_part *part)
{
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
		memory->unit[p].words = part_unit_words(part, MEMORY_KERNEL, processor_in_group(p));
	uint8_t *stream = zeroed_create(block_bytes(memory));
	if (stream == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		memory->unit[p].stream = stream;
		stream += stream_bytes(&memory->unit[p]);
	}
	return AI8X_OK;
}

void kernel_memory_destroy(struct kernel_memory *memory)
{
	zeroed_destroy(memory->unit[0].stream, block_bytes(memory));
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

// One kernel word: k0, and k1 to k8 from the highest byte down. Kernel memory has k8 first.
static void store(struct kernel_memory *memory, unsigned processor, uint32_t word, uint8_t k0, uint64_t rest)
{
	uint8_t *stream = memory->unit[processor].stream + (size_t)word * KERNEL_WORD_BYTES;
	for (unsigned i = 0; i < KERNEL_WORD_BYTES - 1; i++)
		stream[i] = (uint8_t)(rest >> (8 * i));
	stream[KERNEL_WORD_BYTES - 1] = k0;
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
	uint64_t rest = 0;
	for (unsigned i = 4; i < 4 + KERNEL_WORD_BYTES - 1; i++)
		rest = rest << 8 | unit->latch[i];
	store(memory, processor, word, unit->latch[3], rest);
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
	const uint64_t before = unit->express;
	const uint32_t bytes = unit->express_bytes + 4;
	unit->express = before << 32 | value;
	unit->express_bytes = bytes;
	if (bytes < KERNEL_WORD_BYTES)
		return commit;
	// Bytes of this value that belong to the next word.
	const uint32_t left = bytes - KERNEL_WORD_BYTES;
	unit->express_bytes = left;
	if (unit->express_word < unit->words) {
		const uint8_t k0 = (uint8_t)(before >> (8 * (bytes - 5)));
		store(memory, processor, unit->express_word, k0, before << (32 - 8 * left) | value >> (8 * left));
		commit.committed = true;
	}
	unit->express_word++;
	return commit;
}
