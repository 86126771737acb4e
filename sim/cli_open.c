// Programs and networks from one argument; see cli_open.h.
#include "cli_open.h"
#include "cli_files.h"
#include "cli_guard.h"

#include <string.h>

// What had to be assumed changes every number that follows.
static void tell_assumptions(const ai8x_network *network)
{
	size_t assumed = 0, first = 0;
	for (size_t i = 0; i < network->note_count; i++)
		if (strstr(network->notes[i], "assumed") != NULL && assumed++ == 0)
			first = i;
	if (assumed > 0)
		cli_error("note: %s%s; give out_channels, or --weights", network->notes[first],
		          assumed > 1 ? " (and in other layers)" : "");
}

bool cli_is_network(const char *path)
{
	return cli_has_suffix(path, ".yaml") || cli_has_suffix(path, ".yml");
}

const ai8x_part *cli_part_of(const ai8x_part *asked, const ai8x_network *network)
{
	if (asked == NULL && network->part != NULL)
		asked = ai8x_part_find(network->part);
	return asked != NULL ? asked : cli_default_part();
}

int cli_open_any(const char *path, const ai8x_network_files *files, const ai8x_part *part,
                 const ai8x_compile_options *compile, ai8x_program **program, ai8x_network **network)
{
	ai8x_error error = {0};
	*program = NULL;
	*network = NULL;
	if (!cli_is_network(path)) {
		ai8x_program_options options = {.part = part, .skip_tensors = true};
		return cli_open_image(path, &options, program, &error) == AI8X_OK ? CLI_OK : cli_fail(path, &error);
	}
	ai8x_status status = cli_open_network(path, files, network, &error);
	if (status == AI8X_OK)
		status = ai8x_network_compile(*network, cli_part_of(part, *network), compile, program, &error);
	if (status == AI8X_OK)
		tell_assumptions(*network);
	return status == AI8X_OK ? CLI_OK : cli_fail(path, &error);
}
