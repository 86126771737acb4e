// Bytes for the page: growing buffers, tables of what occurs often, and packing as text.
#include "view/show.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/array.h"
#include "base/error.h"
#include "base/hash.h"

void show_put(struct show_bytes *bytes, const void *data, size_t size)
{
	if (size == 0 || bytes->failed)
		return;
	if (!array_reserve(&bytes->data, &bytes->capacity, bytes->size + size, 1)) {
		bytes->failed = true;
		return;
	}
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

void show_put_byte(struct show_bytes *bytes, unsigned value)
{
	uint8_t byte = (uint8_t)value;
	show_put(bytes, &byte, 1);
}

void show_put_word(struct show_bytes *bytes, uint32_t value)
{
	const uint8_t word[] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
	                        (uint8_t)(value >> 24)};
	show_put(bytes, word, sizeof word);
}

void show_put_number(struct show_bytes *bytes, uint64_t value)
{
	uint8_t text[10];
	size_t size = 0;
	do {
		text[size] = (uint8_t)(value & 0x7f);
		value >>= 7;
		text[size] |= (uint8_t)(value != 0 ? 0x80 : 0);
		size++;
	} while (value != 0);
	show_put(bytes, text, size);
}

void show_put_signed(struct show_bytes *bytes, int64_t value)
{
	show_put_number(bytes, value < 0 ? (~(uint64_t)value << 1) | 1 : (uint64_t)value << 1);
}

static void write_base64(const uint8_t *data, size_t size, FILE *file)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < size; i += 3) {
		uint32_t bits = (uint32_t)data[i] << 16;
		bits |= i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0;
		bits |= i + 2 < size ? data[i + 2] : 0;
		char text[4] = {digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63],
		                digits[bits & 63]};
		text[2] = i + 1 < size ? text[2] : '=';
		text[3] = i + 2 < size ? text[3] : '=';
		(void)fwrite(text, 1, sizeof text, file);
	}
}

ai8x_status show_write_packed(const struct show_bytes *bytes, FILE *file, ai8x_error *error)
{
	uLongf size = compressBound(bytes->size);
	uint8_t *packed = malloc(size + 1);
	if (bytes->failed || packed == NULL ||
	    compress2(packed, &size, bytes->data != NULL ? bytes->data : packed, bytes->size, 9) != Z_OK) {
		free(packed);
		return error_no_memory(error, "the page's data");
	}
	(void)fprintf(file, "{\"size\":%zu,\"z\":\"", bytes->size);
	write_base64(packed, size, file);
	(void)fputs("\"}", file);
	free(packed);
	return AI8X_OK;
}

static size_t entry_size(const struct show_table *table, size_t index)
{
	return (index + 1 < table->count ? table->first[index + 1] : table->bytes.size) - table->first[index];
}

static size_t place_of(const struct show_table *table, const void *data, size_t size)
{
	size_t at = (size_t)hash_bytes(HASH_START, data, size) & (table->slots - 1);
	while (table->slot[at] != 0) {
		size_t index = table->slot[at] - 1;
		if (entry_size(table, index) == size &&
		    memcmp(table->bytes.data + table->first[index], data, size) == 0)
			break;
		at = (at + 1) & (table->slots - 1);
	}
	return at;
}

static bool grow(struct show_table *table)
{
	if (2 * table->count < table->slots)
		return true;
	const size_t slots = table->slots == 0 ? 64 : 2 * table->slots;
	uint32_t *slot = calloc(slots, sizeof *slot);
	if (slot == NULL)
		return false;
	free(table->slot);
	table->slot = slot;
	table->slots = slots;
	for (size_t i = 0; i < table->count; i++)
		slot[place_of(table, table->bytes.data + table->first[i], entry_size(table, i))] = (uint32_t)i + 1;
	return true;
}

uint32_t show_table_find(struct show_table *table, const void *data, size_t size, bool *added)
{
	if (added != NULL)
		*added = false;
	if (!grow(table) ||
	    !array_reserve(&table->first, &table->capacity, table->count + 1, sizeof *table->first)) {
		table->failed = true;
		return 0;
	}
	size_t at = place_of(table, data, size);
	if (table->slot[at] != 0)
		return table->slot[at] - 1;
	table->first[table->count++] = table->bytes.size;
	show_put(&table->bytes, data, size);
	table->slot[at] = (uint32_t)table->count;
	if (added != NULL)
		*added = true;
	return (uint32_t)table->count - 1;
}

void show_table_release(struct show_table *table)
{
	free(table->bytes.data);
	free(table->first);
	free(table->slot);
}
