// Which program files a command line means: files as they are, folders searched for programs.
#include "cli_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"

void cli_files_release(struct cli_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->paths[i]);
	free(files->paths);
}

// Takes path over.
static int add_file(struct cli_files *files, char *path)
{
	if (path == NULL ||
	    !array_reserve(&files->paths, &files->capacity, files->count + 1, sizeof *files->paths)) {
		free(path);
		cli_error("out of memory for the list of programs");
		return CLI_RESOURCES;
	}
	files->paths[files->count++] = path;
	return CLI_OK;
}

bool cli_has_suffix(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);
	return length > tail && strcasecmp(name + length - tail, suffix) == 0;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

// Takes the file if it calls itself a program. Other HDF5 files (weights, data sets) lie in folders too.
static int consider_file(struct cli_files *files, char *path)
{
	bool is_program = false;
	ai8x_error error = {0};
	if (ai8x_program_probe(path, &is_program, &error) != AI8X_OK || is_program)
		return add_file(files, path); // what is wrong with it is told when it is its turn
	cli_error("note: %s: not a program, passed over", path);
	free(path);
	return CLI_OK;
}

// images: counts the firmware that lies there.
static int search_folder(struct cli_files *files, const char *folder, size_t *images)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, visible, alphasort);
	if (count < 0) {
		const int problem = errno;
		cli_error("%s: cannot read: %s", folder, strerror(problem));
		return file_lacks_resources(problem) ? CLI_RESOURCES : CLI_BAD_INPUT;
	}
	int code = CLI_OK;
	const char *separator = cli_has_suffix(folder, "/") || strcmp(folder, "/") == 0 ? "" : "/";
	for (int i = 0; i < count; i++) {
		char *path = NULL;
		struct stat info;
		if (asprintf(&path, "%s%s%s", folder, separator, entries[i]->d_name) < 0) {
			cli_error("out of memory for the list of programs");
			code = cli_worse(code, CLI_RESOURCES);
		} else if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
			// Folders that symbolic links lead to are not entered: they may lead back here.
			code = cli_worse(code, search_folder(files, path, images));
			free(path);
		} else if (cli_has_suffix(path, ".h5")) {
			code = cli_worse(code, consider_file(files, path));
		} else {
			*images += cli_has_suffix(path, ".elf");
			free(path);
		}
		free(entries[i]);
	}
	free(entries);
	return code;
}

int cli_files_find(char *const *paths, size_t path_count, struct cli_files *files)
{
	int code = CLI_OK;
	for (size_t i = 0; i < path_count; i++) {
		const char *path = paths[i];
		struct stat info;
		size_t before = files->count;
		if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
			size_t images = 0;
			int searched = search_folder(files, path, &images);
			if (searched == CLI_OK && files->count == before) {
				cli_error("%s: no programs (*.h5) in this folder%s", path,
				          images > 0 ? "; firmware (*.elf) has to be given by name" : "");
				searched = CLI_BAD_INPUT;
			}
			code = cli_worse(code, searched);
		} else {
			code = cli_worse(code, add_file(files, strdup(path)));
		}
	}
	return code;
}
