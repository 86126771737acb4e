// ai8xsim map: who owns each word of data, kernel and bias memory.
#include "cli.h"
#include "cli_open.h"

#include <stdlib.h>
#include <string.h>

struct map_settings {
	ai8x_network_files files;
	uint32_t shape[3];
	const char *program, *json, *svg;
	const ai8x_part *part;
	bool each_layer;
	int layer;
};

#define AT(member) offsetof(struct map_settings, member)

static const struct cli_option option_rows[] = {
	{"layer", 0, "N", CLI_INT, AT(layer),
     "Show data memory after layer N of the program (default: after the last)", 1, 0,
     AI8X_PROGRAM_MAX_LAYERS - 1},
	{"all", 0, NULL, CLI_FLAG, AT(each_layer), "Show data memory before the run and after every layer", 1},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write all maps as JSON; - for standard output, in place of the tables", 2},
	{"svg", 0, "FILE", CLI_WRITES, AT(svg), "Draw all memories over time as an SVG picture", 2},
	CLI_SIZE_ROWS(files, shape, 3),
	{"part", 0, "NAME", CLI_PART, AT(part), "The part of networks and .mem files (default MAX78000)", 3},
	{0},
};

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "PROGRAM|NETWORK.yaml",
	.takes = CLI_ONE,
	.target = AT(program),
	.none = "no program given",
	.many = "one program at a time",
	.doc = "Shows who owns each word of data, kernel and bias memory in the course of a run. Nothing is run: "
		   "the maps follow from the registers. \"1 of 2\" after an owner: it owns every second word. Layers "
		   "have the program's numbers; \"set 5\" after one: register set 5 computes it.\v"
		   "Examples:\n"
		   "  ai8xsim map program.h5\n"
		   "      What lies where after the last layer?\n"
		   "  ai8xsim map network.yaml --svg memory.svg\n"
		   "      All memories over time, as a picture.\n"
		   "  ai8xsim map program.h5 --layer 3\n"
		   "      What is still there after layer 3?\n"
		   "\n"
		   "Exit status: 0 done, 2 usage, 3 bad input, 5 out of resources.",
};

enum { OWNER_BYTES = 48 };

static const char *owner_name(const ai8x_map *map, int owner, char text[OWNER_BYTES])
{
	if (owner == AI8X_MAP_INPUT)
		return "input";
	if (map->numbers[owner] == map->layers[owner])
		(void)snprintf(text, OWNER_BYTES, "layer %u", map->numbers[owner]);
	else
		(void)snprintf(text, OWNER_BYTES, "layer %u (set %u)", map->numbers[owner], map->layers[owner]);
	return text;
}

// --- Tables ------------------------------------------------------------------------------------------

// One line of a table: a run of words, or runs of the same length at the same distance, as outputs with a write
// gap leave them.
struct line {
	uint32_t first, last, words, piece, distance; // distance 0: one run
	int owner;
};

enum {
	REACH = 16,     // runs between two pieces of a line
	PIECES_MIN = 3, // fewer are clearer one by one
};

static size_t next_piece(const ai8x_map_runs *runs, const bool *told, size_t from, size_t end,
                         uint32_t distance)
{
	const ai8x_map_run *run = &runs->run[from];
	for (size_t i = from + 1; i < end && i <= from + REACH; i++) {
		const ai8x_map_run *other = &runs->run[i];
		if (!told[i] && other->owner == run->owner && other->count == run->count &&
		    (distance == 0 || other->first == run->first + distance))
			return i;
	}
	return end;
}

// The line that begins with run i of a unit whose runs end before end; marks the runs it tells of.
static struct line take_line(const ai8x_map_runs *runs, bool *told, size_t i, size_t end)
{
	const ai8x_map_run *run = &runs->run[i];
	struct line line = {run->first, run->first + run->count - 1, run->count, run->count, 0, run->owner};
	size_t second = next_piece(runs, told, i, end, 0);
	told[i] = true;
	if (second == end)
		return line;
	const uint32_t distance = runs->run[second].first - run->first;
	size_t pieces = 1;
	for (size_t k = second; k < end; k = next_piece(runs, told, k, end, distance))
		pieces++;
	if (pieces < PIECES_MIN)
		return line;
	line.distance = distance;
	for (size_t k = second; k < end; k = next_piece(runs, told, k, end, distance)) {
		told[k] = true;
		line.last = runs->run[k].first + run->count - 1;
		line.words += run->count;
	}
	return line;
}

// The lines of the unit whose runs begin at i; returns where the next unit begins.
static size_t lines_of_unit(const ai8x_map_runs *runs, bool *told, size_t i, struct line *lines,
                            size_t *count)
{
	size_t end = i;
	while (end < runs->count && runs->run[end].unit == runs->run[i].unit)
		end++;
	*count = 0;
	for (; i < end; i++)
		if (!told[i])
			lines[(*count)++] = take_line(runs, told, i, end);
	return end;
}

static bool same_lines(const struct line *a, size_t a_count, const struct line *b, size_t b_count)
{
	bool same = a_count == b_count;
	for (size_t i = 0; i < a_count && same; i++)
		same = a[i].first == b[i].first && a[i].last == b[i].last && a[i].words == b[i].words &&
		       a[i].piece == b[i].piece && a[i].distance == b[i].distance && a[i].owner == b[i].owner;
	return same;
}

static void add_lines(struct cli_table *table, const ai8x_map *map, unsigned first, unsigned last,
                      const struct line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct line *line = &lines[i];
		char text[OWNER_BYTES];
		if (first == last)
			cli_table_cell(table, CLI_PLAIN, "%u", first);
		else
			cli_table_cell(table, CLI_PLAIN, "%u to %u", first, last);
		cli_table_cell(table, CLI_PLAIN, "0x%04x", line->first);
		cli_table_cell(table, CLI_PLAIN, "0x%04x", line->last);
		cli_table_cell(table, CLI_PLAIN, "%u", line->words);
		if (line->distance != 0)
			cli_table_cell(table, CLI_PLAIN, "%s, %u of %u", owner_name(map, line->owner, text), line->piece,
			               line->distance);
		else
			cli_table_cell(table, CLI_PLAIN, "%s", owner_name(map, line->owner, text));
	}
}

// Units that look alike stand together.
static void add_units(struct cli_table *table, const ai8x_map *map, const ai8x_map_runs *runs, bool *told,
                      struct line *kept, struct line *lines)
{
	size_t kept_count = 0, count;
	unsigned first = 0, last = 0;
	for (size_t i = 0; i < runs->count;) {
		const unsigned unit = runs->run[i].unit;
		i = lines_of_unit(runs, told, i, lines, &count);
		if (kept_count > 0 && unit == last + 1 && same_lines(kept, kept_count, lines, count)) {
			last = unit;
			continue;
		}
		add_lines(table, map, first, last, kept, kept_count);
		memcpy(kept, lines, count * sizeof *lines);
		kept_count = count;
		first = last = unit;
	}
	add_lines(table, map, first, last, kept, kept_count);
}

static int print_runs(const ai8x_map *map, const ai8x_map_runs *runs, const char *unit, const char *word)
{
	struct cli_table *table = cli_table_create("rrrrl");
	cli_table_cell(table, CLI_BOLD, "%s", unit);
	cli_table_cell(table, CLI_BOLD, "first %s", word);
	cli_table_cell(table, CLI_BOLD, "last");
	cli_table_cell(table, CLI_BOLD, "count");
	cli_table_cell(table, CLI_BOLD, "owner");
	bool *told = calloc(runs->count + 1, sizeof *told);
	struct line *lines = calloc(2 * runs->count + 1, sizeof *lines);
	int code = CLI_RESOURCES;
	if (told != NULL && lines != NULL) {
		add_units(table, map, runs, told, lines, lines + runs->count);
		code = cli_table_print(table, stdout);
	}
	if (code != CLI_OK)
		cli_error("out of memory for the map");
	free(told);
	free(lines);
	cli_table_destroy(table);
	return code;
}

static int print_data(const ai8x_map *map, size_t step)
{
	char text[OWNER_BYTES];
	if (step == 0)
		printf("\nData memory before the run\n");
	else
		printf("\nData memory after %s\n", owner_name(map, (int)step - 1, text));
	return print_runs(map, &map->data[step], "instance", "word");
}

static int print_all(const struct map_settings *settings, const ai8x_map *map, size_t step)
{
	int code = CLI_OK;
	for (size_t i = settings->each_layer ? 0 : step; i <= step && code == CLI_OK; i++)
		code = print_data(map, i);
	if (code == CLI_OK) {
		printf("\nKernel memory\n");
		code = print_runs(map, &map->kernels, "processor", "word");
	}
	if (code == CLI_OK && map->bias.count > 0) {
		printf("\nBias memory\n");
		code = print_runs(map, &map->bias, "group", "entry");
	}
	return code;
}

// --- Files -------------------------------------------------------------------------------------------

static ai8x_status put_json(const void *map, FILE *file, ai8x_error *error)
{
	return ai8x_map_json(map, file, error);
}

static ai8x_status put_svg(const void *map, FILE *file, ai8x_error *error)
{
	(void)error;
	ai8x_map_svg(map, file);
	return AI8X_OK;
}

// --- Command -----------------------------------------------------------------------------------------

static int show(const struct map_settings *settings, const ai8x_map *map)
{
	size_t step = map->layer_count;
	if (settings->layer >= 0) {
		step = 1;
		while (step <= map->layer_count && map->numbers[step - 1] != (uint32_t)settings->layer)
			step++;
		if (step > map->layer_count) {
			cli_error("%s: layer %d does not run", settings->program, settings->layer);
			return CLI_USAGE;
		}
	}
	int code = CLI_OK;
	if (settings->svg != NULL)
		code = cli_write(settings->svg, put_svg, map);
	if (code == CLI_OK && settings->json != NULL)
		code = cli_write(settings->json, put_json, map);
	bool tables = settings->json == NULL && settings->svg == NULL;
	return code == CLI_OK && tables ? print_all(settings, map, step) : code;
}

int cmd_map(int argc, char **argv)
{
	struct map_settings settings = {.layer = -1};
	cli_parse(&command_line, argc, argv, NULL, &settings);
	if (settings.shape[0] != 0)
		settings.files.input_shape = settings.shape;
	ai8x_program *program = NULL;
	ai8x_network *network = NULL;
	ai8x_timing timing = {0};
	ai8x_map *map = NULL;
	ai8x_error error = {0};
	int code = cli_open_any(settings.program, &settings.files, settings.part, NULL, &program, &network);
	if (code == CLI_OK)
		code = cli_keep_network_apart(&command_line, &settings, NULL, network);
	if (code == CLI_OK) {
		ai8x_status status = ai8x_time_program(program, NULL, &timing, &error);
		if (status == AI8X_OK)
			status = ai8x_map_create(program, &timing.schedule, &map, &error);
		code = status == AI8X_OK ? show(&settings, map) : cli_fail(settings.program, &error);
	}
	ai8x_map_destroy(map);
	ai8x_timing_release(&timing);
	ai8x_network_destroy(network);
	ai8x_program_destroy(program);
	return code;
}
