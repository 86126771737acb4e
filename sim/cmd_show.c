// ai8xsim show: a page on which a program can be watched at work, cycle by cycle.
#include "cli.h"
#include "cli_files.h"
#include "cli_guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#include <golden.h>

struct show_settings {
	struct cli_words paths;
	const char *output, *tour;
	uint32_t megabytes;
	const ai8x_part *part;
	ai8x_network_files files;
	ai8x_show_options show;
};

static void parse_from(const struct argp_state *state, char *argument, void *settings)
{
	ai8x_show_options *show = &((struct show_settings *)settings)->show;
	cli_option_when(state, "--from", argument, &show->from_cycle, &show->from_layer);
}

static void parse_to(const struct argp_state *state, char *argument, void *settings)
{
	ai8x_show_options *show = &((struct show_settings *)settings)->show;
	cli_option_when(state, "--to", argument, &show->to_cycle, &show->to_layer);
}

static void parse_layer(const struct argp_state *state, char *argument, void *settings)
{
	ai8x_show_options *show = &((struct show_settings *)settings)->show;
	show->from_layer = show->to_layer =
		(int)cli_option_number(state, "--layer", argument, 0, AI8X_MAX_LAYERS - 1);
}

#define AT(member) offsetof(struct show_settings, member)

static const struct cli_option option_table[] = {
	{"output", 'o', "FILE.html", CLI_WRITES, AT(output), "The page", 1},
	{"from", 0, "WHEN", CLI_CALL, 0, "First cycle with all values, or first layer (such as L3)", 1,
     .call = parse_from},
	{"to", 0, "WHEN", CLI_CALL, 0, "Cycle after the last one, or last layer (such as L3)", 1,
     .call = parse_to},
	{"layer", 0, "N", CLI_CALL, 0, "Values of this layer only (register set)", 1, .call = parse_layer},
	{"size", 0, "MB", CLI_UINT32, AT(megabytes),
     "What the page may take, 1 to 100 (default 2): more holds more values", 1, 1, 100},
	{"tour", 0, "FILE.json", CLI_READS, AT(tour), "Steps of a guided tour, see docs/show.md", 1},
	{"title", 0, "TEXT", CLI_TEXT, AT(show.title), "Title of the page (default: the names of the programs)",
     1},
	{"fifo-pace", 0, "N", CLI_UINT32, AT(show.fifo_write_cycles),
     "Accelerator cycles between two FIFO writes of the host (default: as it writes them; 0: always in time)",
     1, 0, 1000000},
	{"part", 0, "PART", CLI_PART, AT(part), "Part that networks are compiled for (default MAX78000)", 2},
	{"weights", 'w', "FILE", CLI_READS, AT(files.weights), "Weights of a network (default: random ones)", 2},
	{"input", 'i', "FILE", CLI_READS, AT(files.input), "Input of a network (default: a random one)", 2},
	{0},
};

static void check_line(const struct argp_state *state, void *settings)
{
	const struct show_settings *given = settings;
	const ai8x_show_options *show = &given->show;
	if (given->output == NULL)
		argp_error(state, "no page to write: give -o FILE.html");
	if (show->to_cycle != 0 && show->to_cycle <= show->from_cycle)
		argp_error(state, "--to %llu: the window would end before its beginning",
		           (unsigned long long)show->to_cycle);
	if ((show->to_cycle != 0 || show->from_cycle != 0) && (show->from_layer >= 0 || show->to_layer >= 0))
		argp_error(state, "choose cycles or layers, not both");
}

static const struct cli_line line = {
	.options = option_table,
	.words = "PROGRAM|NETWORK.yaml|FIRMWARE.elf...",
	.takes = CLI_SOME,
	.target = AT(paths),
	.none = "no program, network or firmware given",
	.check = check_line,
	.doc = "Runs programs cycle by cycle and makes a page on which they can be watched: one file for any "
		   "browser, which works offline. Several programs are shown beside each other. Networks without "
		   "weights get random ones.\v"
		   "Examples:\n"
		   "  ai8xsim show program.h5 -o page.html\n"
		   "      The whole run; all values of each layer's beginning, middle and end.\n"
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

enum { TOUR_BYTES = 4 << 20 };

// The page holds the tour as it is: it has to be JSON with steps.
static int read_tour(const char *path, char **text)
{
	ai8x_error error = {0};
	json_t *tour = NULL;
	if (json_read(path, TOUR_BYTES, JSON_REJECT_DUPLICATES, &tour, &error) != AI8X_OK)
		return cli_fail(path, &error);
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

static ai8x_status put_page(const void *show, FILE *file, ai8x_error *error)
{
	return ai8x_show_write(show, file, error);
}

static int show_all(const struct show_settings *settings)
{
	ai8x_show *show = NULL;
	ai8x_error error = {0};
	if (ai8x_show_create(&settings->show, &show, &error) != AI8X_OK)
		return cli_fail(NULL, &error);
	int code = CLI_OK;
	bool shown = true;
	for (size_t i = 0; i < settings->paths.count; i++) {
		const int one = add_one(settings, settings->paths.word[i], show);
		shown = shown && one != CLI_USAGE && one != CLI_BAD_INPUT && one != CLI_RESOURCES;
		code = cli_worse(code, one);
	}
	// A machine that stopped before its first layer leaves nothing to show.
	if (shown && ai8x_show_count(show) == settings->paths.count)
		code = cli_worse(code, cli_write(settings->output, put_page, show));
	ai8x_show_destroy(show);
	return code;
}

int cmd_show(int argc, char **argv)
{
	struct show_settings settings = {.show = ai8x_show_options_default()};
	char *tour = NULL;
	cli_parse(&line, argc, argv, NULL, &settings);
	int code = settings.tour != NULL ? read_tour(settings.tour, &tour) : CLI_OK;
	settings.show.tour = tour;
	settings.show.page_bytes = 1000000 * (size_t)settings.megabytes;
	settings.show.runs = (unsigned)settings.paths.count;
	if (code == CLI_OK)
		code = show_all(&settings);
	free(tour);
	return code;
}
