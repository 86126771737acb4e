// A text in memory that is written as a file. Unlike open_memstream() it knows of every byte that found no memory.
#ifndef AI8X_BASE_MEMORY_FILE_H
#define AI8X_BASE_MEMORY_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct memory_file {
	FILE *file; // to write to; NULL: no memory
	char *text; // after closing: the text, ended by a zero, the caller's to free
	size_t size;
	size_t capacity;
	bool failed;
};

// The structure must stay where it is until it is closed.
void memory_file_open(struct memory_file *memory);

// True if all arrived. Without that the text is NULL.
bool memory_file_close(struct memory_file *memory);

#endif
