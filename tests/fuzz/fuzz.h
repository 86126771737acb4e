// What fuzz targets share: a check that ends the process, and files for readers that want a path.
//
// The files lie in $TMPDIR (a memory file system makes fuzzing several times faster), else in /tmp.
#ifndef AI8X_FUZZ_H
#define AI8X_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FUZZ_PATH 256

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds, const char *what)
{
	if (!holds) {
		(void)fprintf(stderr, "does not hold: %s\n", what);
		abort();
	}
}

// The name of a file of this process.
static inline void fuzz_path(char path[FUZZ_PATH], const char *suffix)
{
	const char *folder = getenv("TMPDIR");
	(void)snprintf(path, FUZZ_PATH, "%s/ai8xsim-fuzz-%ld%s", folder != NULL ? folder : "/tmp", (long)getpid(),
	               suffix);
}

static inline void fuzz_write(char path[FUZZ_PATH], const char *suffix, const uint8_t *data, size_t size)
{
	fuzz_path(path, suffix);
	FILE *file = fopen(path, "we");
	bool written = file != NULL && fwrite(data, 1, size, file) == size;
	require(file != NULL && fclose(file) == 0 && written, "the file can be written");
}

#endif
