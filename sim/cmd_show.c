// ai8xsim show: a page on which a program can be watched at work, cycle by cycle.
#include "cli.h"
#include "cli_files.h"
#include "cli_guard.h"

#include <stdlib.h>
#include <string.h>

#include <golden.h>

struct show_settings {
	char **paths;
	size_t path_count, path_capacity;
	const char *output, *tour;
	const ai8x_part *part;
	ai8x_network_files files;
	ai8x_show_options show;
};

enum option_key {
	KEY_FROM = 0x100,
	KEY_TO,
	KEY_LAYER,
	KEY_SIZE,
	KEY_TOUR,
	KEY_TITLE,
	KEY_PART,
	KEY_FIFO_PACE
};

static const struct argp_option option_table[] = {
	{"output", 'o', "FILE.html", 0, "The page", 1},
	{"from", KEY_FROM, "WHEN", 0, "First cycle with all values, or first layer as L3", 1},
	{"to", KEY_TO, "WHEN", 0, "Cycle after the last one, or last layer as L3", 1},
	{"layer", KEY_LAYER, "N", 0, "Values of this layer only (register set)", 1},
	{"size", KEY_SIZE, "MB", 0, "What the page may take, 1 to 100 (default 2): more holds more values", 1},
	{"tour", KEY_TOUR, "FILE.json", 0, "Steps of a guided tour, see docs/show.md", 1},
	{"title", KEY_TITLE, "TEXT", 0, "Title of the page (default: the names of the programs)", 1},
	{"fifo-pace", KEY_FIFO_PACE, "N", 0,
     "Accelerator cycles between two FIFO writes of the host (default: as it writes them; 0: always in time)",
     1},
	{"part", KEY_PART, "PART", 0, "Part that networks are compiled for (default MAX78000)", 2},
	{"weights", 'w', "FILE", 0, "Weights of a network (default: random ones)", 2},
	{"input", 'i', "FILE", 0, "Input of a network (default: a random one)", 2},
	{0},
};

static void parse_when(const struct argp_state *state, const char *name, const char *text, uint64_t *cycle,
                       int *layer)
{
	if (text[0] == 'L' || text[0] == 'l')
		*layer = (int)cli_option_number(state, name, text + 1, 0, AI8X_MAX_LAYERS - 1);
	else
		*cycle = cli_option_number(state, name, text, 0, INT64_MAX);
}

static void add_path(struct argp_state *state, struct show_settings *settings, char *path)
{
	void *paths = settings->paths;
	if (!cli_grow(&paths, &settings->path_capacity, settings->path_count + 1, sizeof *settings->paths))
		argp_failure(state, CLI_RESOURCES, 0, "out of memory");
	settings->paths = paths;
	settings->paths[settings->path_count++] = path;
}

static void check_line(const struct argp_state *state, struct show_settings *settings)
{
	const ai8x_show_options *show = &settings->show;
	if (settings->path_count == 0)
		argp_error(state, "no program, network or firmware given");
	if (settings->output == NULL)
		argp_error(state, "no page to write: give -o FILE.html");
	if (show->to_cycle != 0 && show->to_cycle <= show->from_cycle)
		argp_error(state, "--to %llu: the window would end before its beginning",
		           (unsigned long long)show->to_cycle);
	if ((show->to_cycle != 0 || show->from_cycle != 0) && (show->from_layer >= 0 || show->to_layer >= 0))
		argp_error(state, "choose cycles or layers, not both");
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct show_settings *settings = state->input;
	switch (key) {
	case 'o':
		settings->output = argument;
		return 0;
	case 'w':
		settings->files.weights = argument;
		return 0;
	case 'i':
		settings->files.input = argument;
		return 0;
	case KEY_FROM:
		parse_when(state, "--from", argument, &settings->show.from_cycle, &settings->show.from_layer);
		return 0;
	case KEY_TO:
		parse_when(state, "--to", argument, &settings->show.to_cycle, &settings->show.to_layer);
		return 0;
	case KEY_LAYER:
		settings->show.from_layer = settings->show.to_layer =
			(int)cli_option_number(state, "--layer", argument, 0, AI8X_MAX_LAYERS - 1);
		return 0;
	case KEY_SIZE:
		settings->show.page_bytes = 1000000 * (size_t)cli_option_number(state, "--size", argument, 1, 100);
		return 0;
	case KEY_TOUR:
		settings->tour = argument;
		return 0;
	case KEY_TITLE:
		settings->show.title = argument;
		return 0;
	case KEY_FIFO_PACE:
		settings->show.fifo_write_cycles =
			(uint32_t)cli_option_number(state, "--fifo-pace", argument, 0, 1000000);
		return 0;
	case KEY_PART:
		settings->part = cli_option_part(state, argument);
		return 0;
	case ARGP_KEY_ARG:
		add_path(state, settings, argument);
		return 0;
	case ARGP_KEY_END:
		check_line(state, settings);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = option_table,
	.parser = parse_option,
	.args_doc = "PROGRAM|NETWORK.yaml|FIRMWARE.elf...",
	.doc = "Runs programs cycle by cycle and makes a page on which they can be watched: one file for any "
		   "browser, without a network. Several programs are shown beside each other. Networks without "
		   "weights get random ones.\v"
		   "Examples:\n"
		   "  ai8xsim show program.h5 -o page.html\n"
		   "      The whole run, with all values of the beginning, the middle and the end of each layer.\n"
		   "  ai8xsim show program.h5 -o page.html --layer 3\n"
		   "      As many values of layer 3 as the page can hold.\n"
		   "  ai8xsim show a.yaml b.yaml -o page.html\n"
		   "      Two networks to compare.\n"
		   "\n"
		   "Exit status: 0 done, 1 a run did not compute what the program expects, 2 usage, 3 bad input, 4 "
		   "the machine stopped, 5 out of resources. The page is also written in cases 1 and 4.",
};

// --- Programs ------------------------------------------------------------------------------------------

// Fills in what is missing, so that there are values to watch, and computes what is to be expected.
static ai8x_status compile(ai8x_network *network, const ai8x_part *part, ai8x_program **program,
                           ai8x_error *error)
{
	ai8x_compile_options options = ai8x_compile_options_default();
	ai8x_network_tensor *outputs = NULL;
	golden_model *model = NULL;
	ai8x_status status = golden_model_create(network, &model, error);
	if (status == AI8X_OK)
		status = ai8x_network_randomise(network, 1, golden_model_range, model, error);
	golden_model_destroy(model);
	model = NULL;
	if (status == AI8X_OK)
		status = ai8x_network_place(network, part, &options, error);
	if (status == AI8X_OK)
		status = golden_model_create(network, &model, error);
	if (status == AI8X_OK)
		status = golden_model_outputs(model, &outputs, error);
	options.outputs = outputs;
	if (status == AI8X_OK)
		status = ai8x_network_compile(network, part, &options, program, error);
	free(outputs);
	golden_model_destroy(model);
	return status;
}

static bool is_network(const char *path)
{
	return cli_has_suffix(path, ".yaml") || cli_has_suffix(path, ".yml");
}

static ai8x_status open_one(const struct show_settings *settings, const char *path, ai8x_program **program,
                            ai8x_network **network, ai8x_error *error)
{
	if (!is_network(path)) {
		const ai8x_program_options options = {.part = settings->part, .skip_tensors = true};
		return cli_open_image(path, &options, program, error);
	}
	ai8x_status status = cli_open_network(path, &settings->files, network, error);
	const ai8x_part *part = settings->part != NULL ? settings->part : cli_default_part();
	return status == AI8X_OK ? compile(*network, part, program, error) : status;
}

static int add_one(const struct show_settings *settings, const char *path, ai8x_show *show)
{
	ai8x_program *program = NULL;
	ai8x_network *network = NULL;
	ai8x_runner_result result = {0};
	ai8x_error error = {0};
	int code = CLI_OK;
	ai8x_status status = open_one(settings, path, &program, &network, &error);
	if (status == AI8X_OK) {
		status = ai8x_show_add(show, program, network, &result, &error);
		if (status == AI8X_ERR_ARGUMENT) {
			cli_error("%s: %s", path, error.message);
			code = CLI_USAGE;
		} else if (status != AI8X_OK) {
			code = cli_fail(path, &error);
		} else if (result.status != AI8X_OK) {
			cli_error("%s: %s", path, result.message);
			code = cli_exit_of(result.status);
		} else if (!result.pass) {
			cli_error("%s: the run did not compute what the program expects; the page shows what it did",
			          path);
			code = CLI_CHECK_FAILED;
		}
		ai8x_runner_result_release(&result);
	} else {
		code = cli_fail(path, &error);
	}
	ai8x_program_destroy(program);
	ai8x_network_destroy(network);
	return code;
}

// --- The page ------------------------------------------------------------------------------------------

// The page holds the tour as it is: it has to be JSON with steps.
static int read_tour(const char *path, char **text)
{
	json_error_t where;
	json_t *tour = json_load_file(path, JSON_REJECT_DUPLICATES, &where);
	if (tour == NULL) {
		cli_error("%s:%d: %s", path, where.line, where.text);
		return CLI_BAD_INPUT;
	}
	int code = CLI_OK;
	const json_t *steps = json_object_get(tour, "steps");
	if (!json_is_string(json_object_get(tour, "title")) || json_array_size(steps) == 0) {
		cli_error("%s: a tour has a \"title\" and \"steps\", a list of at least one step", path);
		code = CLI_BAD_INPUT;
	}
	for (size_t i = 0; code == CLI_OK && i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		if (json_is_string(json_object_get(step, "title")) && json_is_string(json_object_get(step, "text")))
			continue;
		cli_error("%s: step %zu has no \"title\" or no \"text\"", path, i + 1);
		code = CLI_BAD_INPUT;
	}
	*text = code == CLI_OK ? json_dumps(tour, JSON_COMPACT) : NULL;
	json_decref(tour);
	if (code == CLI_OK && *text == NULL) {
		cli_error("out of memory");
		return CLI_RESOURCES;
	}
	return code;
}

static int write_page(const struct show_settings *settings, const ai8x_show *show)
{
	char *text = NULL;
	size_t size = 0;
	ai8x_error error = {0};
	FILE *memory = open_memstream(&text, &size);
	if (memory == NULL) {
		cli_error("out of memory");
		return CLI_RESOURCES;
	}
	ai8x_status status = ai8x_show_write(show, memory, &error);
	int code = status != AI8X_OK ? cli_fail(settings->output, &error) : CLI_OK;
	if (fclose(memory) != 0 && code == CLI_OK) {
		cli_error("out of memory");
		code = CLI_RESOURCES;
	}
	if (code == CLI_OK)
		code = cli_write_file(settings->output, text, size);
	free(text);
	return code;
}

static int show_all(const struct show_settings *settings)
{
	ai8x_show *show = NULL;
	ai8x_error error = {0};
	if (ai8x_show_create(&settings->show, &show, &error) != AI8X_OK)
		return cli_fail(NULL, &error);
	int code = CLI_OK;
	bool shown = true;
	for (size_t i = 0; i < settings->path_count; i++) {
		const int one = add_one(settings, settings->paths[i], show);
		shown = shown && one != CLI_USAGE && one != CLI_BAD_INPUT && one != CLI_RESOURCES;
		code = cli_worse(code, one);
	}
	// A machine that stopped before its first layer leaves nothing to show.
	if (shown && ai8x_show_count(show) == settings->path_count)
		code = cli_worse(code, write_page(settings, show));
	ai8x_show_destroy(show);
	return code;
}

int cmd_show(int argc, char **argv)
{
	struct show_settings settings = {.show = ai8x_show_options_default()};
	char *tour = NULL;
	cli_parse(&parser, argc, argv, NULL, &settings);
	int code = settings.tour != NULL ? read_tour(settings.tour, &tour) : CLI_OK;
	settings.show.tour = tour;
	settings.show.runs = (unsigned)settings.path_count;
	if (code == CLI_OK)
		code = show_all(&settings);
	free(tour);
	free(settings.paths);
	return code;
}
