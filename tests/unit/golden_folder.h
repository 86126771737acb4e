// The golden programs of a part, one after the other: what tests share that go through them.
#ifndef AI8X_TESTS_GOLDEN_FOLDER_H
#define AI8X_TESTS_GOLDEN_FOLDER_H

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct golden_folder {
	DIR *directory;
	char folder[2048];
	char path[4096]; // of the program that golden_next() found
};

// The folder of "max78000" or "max78002". False, and a line that says so: it is not there.
static inline bool golden_open(struct golden_folder *golden, const char *part)
{
	const char *root = getenv("AI8XSIM_GOLDEN");
	(void)snprintf(golden->folder, sizeof golden->folder, "%s/%s", root != NULL ? root : "../shared/golden",
	               part);
	golden->directory = opendir(golden->folder);
	if (golden->directory == NULL)
		printf("skipped: %s is not there\n", golden->folder);
	return golden->directory != NULL;
}

// The next program whose name begins with `prefix`. False: there is none left, and the folder is closed.
static inline bool golden_next(struct golden_folder *golden, const char *prefix)
{
	for (const struct dirent *entry; (entry = readdir(golden->directory)) != NULL;) {
		const char *suffix = strrchr(entry->d_name, '.');
		if (suffix == NULL || strcmp(suffix, ".h5") != 0 ||
		    strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		(void)snprintf(golden->path, sizeof golden->path, "%s/%s", golden->folder, entry->d_name);
		return true;
	}
	(void)closedir(golden->directory);
	return false;
}

#endif
