// "--inference N|all" for commands that take programs (see cli_inference.h).
#include "cli_inference.h"

#include <stdlib.h>
#include <string.h>

#include "cli_files.h"
#include "cmd_run_elf.h"

#define OPTION "--inference"

static const char *value_at(int argc, char **argv, int i)
{
	if (strncmp(argv[i], OPTION "=", sizeof OPTION) == 0)
		return argv[i] + sizeof OPTION;
	return strcmp(argv[i], OPTION) == 0 && i + 1 < argc ? argv[i + 1] : NULL;
}

bool cli_inference_asked(const struct cli_command *command, int argc, char **argv)
{
	bool asked = false;
	for (int i = 1; i < argc; i++)
		asked |= value_at(argc, argv, i) != NULL;
	return asked && strcmp(command->name, "run") != 0;
}

static bool is_firmware(char *word)
{
	char *line[] = {word, word, NULL};
	return run_is_firmware(2, line);
}

// How many inferences the image starts; 0: it cannot be run.
static size_t count_inferences(const char *path)
{
	ai8x_firmware_options options = ai8x_firmware_options_default();
	const ai8x_firmware_board board = {.binary = cli_has_suffix(path, ".bin")};
	ai8x_firmware *firmware = NULL;
	const ai8x_firmware_result *result = NULL;
	ai8x_error error = {0};
	options.board = &board;
	if (ai8x_firmware_open(path, &options, &firmware, &error) != AI8X_OK)
		return 0;
	(void)ai8x_firmware_run(firmware, &result);
	const size_t count = result->inference_count;
	ai8x_firmware_destroy(firmware);
	return count;
}

static int run_one(int argc, char **argv, size_t number,
                   int (*run)(const struct cli_command *command, int argc, char **argv),
                   const struct cli_command *command)
{
	char **line = calloc((size_t)argc + 1, sizeof *line), **made = calloc((size_t)argc + 1, sizeof *made);
	int count = 0, code = CLI_RESOURCES;
	bool whole = line != NULL && made != NULL;
	for (int i = 0; whole && i < argc; i++) {
		if (i > 0 && value_at(argc, argv, i) != NULL) {
			i += argv[i][sizeof OPTION - 1] == 0;
			continue;
		}
		line[count] = argv[i];
		if (i > 0 && is_firmware(argv[i])) {
			whole = asprintf(&made[count], "%s#%zu", argv[i], number) >= 0;
			line[count] = made[count];
		}
		count++;
	}
	if (whole)
		code = run(command, count, line);
	else
		cli_error("out of memory for the command line");
	for (int i = 0; made != NULL && i < argc; i++)
		free(made[i]);
	free(line);
	free(made);
	return code;
}

int cli_inference_run(int argc, char **argv,
                      int (*run)(const struct cli_command *command, int argc, char **argv),
                      const struct cli_command *command)
{
	const char *value = NULL, *image = NULL;
	char *end = NULL;
	for (int i = 1; i < argc; i++) {
		const char *here = value_at(argc, argv, i);
		value = here != NULL ? here : value;
		image = is_firmware(argv[i]) ? argv[i] : image;
	}
	const unsigned long number = strtoul(value, &end, 10);
	const bool all = strcmp(value, "all") == 0;
	if (image == NULL) {
		cli_error("%s %s: " OPTION " is for firmware, and none of the files given is an ELF file",
		          command->name, value);
		return CLI_USAGE;
	}
	if (!all && (end == value || *end != 0 || number == 0 || number > UINT32_MAX)) {
		cli_error(OPTION ": '%s' is neither a number from 1 on nor all", value);
		return CLI_USAGE;
	}
	if (!all)
		return run_one(argc, argv, number, run, command);
	const size_t count = count_inferences(image);
	if (count == 0)
		return run_one(argc, argv, 1, run, command); // which says why
	int code = CLI_OK;
	for (size_t i = 1; i <= count; i++)
		code = cli_worse(code, run_one(argc, argv, i, run, command));
	return code;
}
