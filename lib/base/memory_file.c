// Files in memory; see memory_file.h.
#include "base/memory_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static ssize_t take(void *cookie, const char *bytes, size_t count)
{
	struct memory_file *memory = cookie;
	// One more for the zero at the end.
	if (memory->failed || !array_reserve(&memory->text, &memory->capacity, memory->size + count + 1, 1)) {
		memory->failed = true;
		return 0;
	}
	memcpy(memory->text + memory->size, bytes, count);
	memory->size += count;
	return (ssize_t)count;
}

void memory_file_open(struct memory_file *memory)
{
	*memory = (struct memory_file){0};
	memory->file = fopencookie(memory, "w", (cookie_io_functions_t){.write = take});
}

bool memory_file_close(struct memory_file *memory)
{
	bool whole = memory->file != NULL && ferror(memory->file) == 0;
	if (memory->file != NULL && fclose(memory->file) != 0)
		whole = false;
	memory->file = NULL;
	// Nothing written: nothing is reserved yet.
	whole = whole && !memory->failed && array_reserve(&memory->text, &memory->capacity, memory->size + 1, 1);
	if (whole) {
		memory->text[memory->size] = '\0';
	} else {
		free(memory->text);
		memory->text = NULL;
		memory->size = 0;
	}
	return whole;
}
