// Which program files a command line means.
#ifndef AI8XSIM_CLI_FILES_H
#define AI8XSIM_CLI_FILES_H

#include "cli.h"

struct cli_files {
	char **paths;
	size_t count, capacity;
};

// Adds the paths to *files; folders are searched, with all folders in them, for program files (.h5). Firmware is not
// taken from there: build folders hold images that nobody wants to run. Prints its own errors; returns an exit status.
// Files found so far stay in *files also then.
int cli_files_find(char *const *paths, size_t path_count, struct cli_files *files);

void cli_files_release(struct cli_files *files);

// True for a name that ends in suffix, in whatever case, and has something before it.
bool cli_has_suffix(const char *name, const char *suffix);

#endif
