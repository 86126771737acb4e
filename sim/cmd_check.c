// ai8xsim check: the sanitizer. Runs programs with every memory word shadowed and explains what is wrong.
#include "cli.h"
#include "cli_files.h"
#include "cli_guard.h"
#include "cli_jobs.h"
#include "cli_junit.h"
#include "cli_open.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { LINE = 100, INDENT = 4 };

// --- Options -----------------------------------------------------------------------------------------

struct check_options {
	ai8x_severity fail_on, show;
	bool classes[AI8X_CHECK_CLASSES], some_classes;
	bool layers;
	unsigned jobs;
	uint64_t max_cycles;
	const ai8x_part *part;
	uint32_t shape[3];
	const char *weights, *network;
	const ai8x_network *trained; // what --weights and --network say
	const char *json, *junit;
	struct cli_words programs;
};

#define AT(member) offsetof(struct check_options, member)

static void list_classes(const struct argp_state *state, char *argument, void *settings)
{
	(void)state, (void)argument, (void)settings;
	struct cli_table *table = cli_table_create("lll");
	cli_table_cell(table, CLI_PLAIN, "class");
	cli_table_cell(table, CLI_PLAIN, "up to");
	cli_table_cell(table, CLI_PLAIN, "meaning");
	for (unsigned i = 0; i < AI8X_CHECK_CLASSES; i++) {
		const ai8x_check_class_info *info = ai8x_check_class_get(i);
		cli_table_cell(table, CLI_BOLD, "%s", info->name);
		cli_table_cell(table, CLI_PLAIN, "%s", ai8x_severity_name(info->severity));
		cli_table_cell(table, CLI_PLAIN, "%s", info->title);
	}
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	exit(code);
}

static void parse_classes(const struct argp_state *state, char *text, void *settings)
{
	struct check_options *options = settings;
	const char *names[AI8X_CHECK_CLASSES];
	for (unsigned i = 0; i < AI8X_CHECK_CLASSES; i++)
		names[i] = ai8x_check_class_get(i)->name;
	char *rest = NULL;
	for (char *name = strtok_r(text, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
		size_t found =
			cli_option_name(state, "--class", "class", name, names, AI8X_CHECK_CLASSES, sizeof names[0]);
		options->classes[found] = true;
		options->some_classes = true;
	}
}

static const struct cli_choice levels[] = {
	{"info", AI8X_SEVERITY_INFO}, {"warning", AI8X_SEVERITY_WARNING}, {"error", AI8X_SEVERITY_ERROR}, {0}};

static const struct cli_option option_rows[] = {
	{"fail-on", 0, "LEVEL", CLI_CHOICE, AT(fail_on),
     "Exit with 1 when a finding is at or above LEVEL: error (default), warning, info", 1, .choices = levels},
	{"class", 0, "NAME[,NAME...]", CLI_CALL, 0, "Only these classes count and are shown", 1,
     .call = parse_classes},
	{"max-cycles", 0, "N", CLI_UINT64, AT(max_cycles),
     "Give up after N accelerator cycles (default 1000000000)", 1, 1, INT64_MAX},
	{"jobs", 'j', "N", CLI_UNSIGNED, AT(jobs), "Check N programs at the same time", 1, 1, CLI_MAX_JOBS},
	{"part", 0, "NAME", CLI_PART, AT(part), "The part of networks and .mem files: MAX78000 or MAX78002", 2},
	{"weights", 'w', "FILE", CLI_READS, AT(weights),
     "Compare kernels and biases with the trained ones (networks: compile with them): HDF5, .npz or .npy", 2},
	{"network", 'n', "FILE", CLI_READS, AT(network), "The description that --weights belongs to", 2},
	CLI_INPUT_SHAPE(AT(shape), 2),
	{"level", 0, "LEVEL", CLI_CHOICE, AT(show), "Show findings at or above LEVEL (default warning)", 3,
     .choices = levels},
	{"layers", 0, NULL, CLI_FLAG, AT(layers), "Show saturation and range of sums of every layer", 3},
	{"list", 0, NULL, CLI_CALL, 0, "List all classes of findings and exit", 3, .call = list_classes},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write all findings as JSON; - for standard output, in place of the text", 3},
	{"junit", 0, "FILE", CLI_WRITES, AT(junit), "Write results as JUnit XML, for CI systems", 3},
	{0},
};

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "PROGRAM...",
	.takes = CLI_SOME,
	.target = AT(programs),
	.none = "no program given",
	.doc =
		"Runs recorded programs with every word of the accelerator's memories shadowed, and reports what is "
		"wrong with them: where, why, and what to do about it. A PROGRAM is an HDF5 program file, a network "
		"description (.yaml, compiled first), a .mem "
		"stimulus file, or a folder that is searched for program files.\v"
		"Examples:\n"
		"  ai8xsim check program.h5\n"
		"      Why does this program not compute what it should?\n"
		"  ai8xsim check --fail-on warning --json findings.json programs/\n"
		"      All programs of a folder, for scripts.\n"
		"  ai8xsim check --weights trained.h5 --network net.yaml firmware.elf\n"
		"      Does the image hold the kernels that were trained?\n"
		"  ai8xsim check --class kernel-conflict,kernel-overlap program.h5\n"
		"      Only whether layers share kernel memory.\n"
		"\n"
		"Exit status: 0 nothing at or above --fail-on, 1 something is, 2 usage, 3 bad input, 5 out of "
		"resources.",
};

// --- Checking ----------------------------------------------------------------------------------------

struct outcome {
	char *name;
	const ai8x_part *part;
	ai8x_error error;
	ai8x_check *check; // NULL where it did not come to checking
	size_t counts[AI8X_SEVERITY_ERROR + 1];
};

struct work {
	const struct check_options *options;
	const struct cli_files *files;
	struct outcome *outcomes; // one for each file
};

static bool selected(const struct check_options *options, const ai8x_finding *finding)
{
	return !options->some_classes || options->classes[finding->kind];
}

// A description as a program: with seeded values where it has none, so that every word has a writer.
static ai8x_status open_network(const struct check_options *options, const char *path, ai8x_program **program,
                                ai8x_error *error)
{
	const ai8x_network_files files = {.weights = options->weights,
	                                  .input_shape = options->shape[0] != 0 ? options->shape : NULL};
	ai8x_network *network = NULL;
	ai8x_status status = cli_open_network(path, &files, &network, error);
	if (status == AI8X_OK)
		status = ai8x_network_randomise(network, 1, NULL, NULL, error);
	if (status == AI8X_OK)
		status = ai8x_network_compile(network, cli_part_of(options->part, network), NULL, program, error);
	ai8x_network_destroy(network);
	return status;
}

// What kernels should be: the weights with their description, or alone.
static ai8x_status open_trained(const struct check_options *options, ai8x_network **network,
                                ai8x_error *error)
{
	const ai8x_network_files files = {.weights = options->weights,
	                                  .input_shape = options->shape[0] != 0 ? options->shape : NULL};
	*network = NULL;
	if (options->network != NULL)
		return ai8x_network_open(options->network, &files, network, error);
	return options->weights != NULL ? ai8x_network_open_weights(options->weights, network, error) : AI8X_OK;
}

// A copy of the description placed on a part, where it can be: output processors are then known.
static ai8x_status place_copy(const ai8x_network *network, const ai8x_part *part, ai8x_network **copy,
                              ai8x_error *error)
{
	if (network == NULL)
		return AI8X_OK;
	ai8x_status status = ai8x_network_copy(network, copy, error);
	if (status == AI8X_OK)
		status = ai8x_network_place(*copy, part, NULL, error);
	if (status == AI8X_OK)
		return AI8X_OK;
	ai8x_network_destroy(*copy);
	*copy = NULL;
	return status == AI8X_ERR_NO_MEMORY ? status : AI8X_OK;
}

static void check_file(const struct check_options *options, const char *path, struct outcome *outcome)
{
	ai8x_program_options program_options = {.skip_tensors = true, .part = options->part};
	ai8x_check_options settings = {.max_cycles = options->max_cycles};
	ai8x_program *program = NULL;
	ai8x_status status = cli_is_network(path)
	                         ? open_network(options, path, &program, &outcome->error)
	                         : cli_open_image(path, &program_options, &program, &outcome->error);
	if (status == AI8X_OK) {
		outcome->part = ai8x_program_part(program);
		outcome->name = strdup(ai8x_program_name(program));
		ai8x_network *placed = NULL;
		if (outcome->name == NULL) {
			status = AI8X_ERR_NO_MEMORY;
			(void)snprintf(outcome->error.message, sizeof outcome->error.message, "out of memory for a name");
		}
		if (status == AI8X_OK && options->network != NULL)
			status = place_copy(options->trained, outcome->part, &placed, &outcome->error);
		// A description was compiled with these weights.
		const bool alone = options->network == NULL && cli_is_network(path);
		settings.trained = placed != NULL ? placed : alone ? NULL : options->trained;
		if (status == AI8X_OK)
			status = ai8x_check_program(program, &settings, &outcome->check, &outcome->error);
		ai8x_network_destroy(placed);
	}
	outcome->error.status = status;
	ai8x_program_destroy(program);
	for (size_t i = 0; outcome->check != NULL && i < ai8x_check_count(outcome->check); i++) {
		const ai8x_finding *finding = ai8x_check_get(outcome->check, i);
		outcome->counts[finding->severity] += selected(options, finding);
	}
}

static void check_one(void *user, size_t index)
{
	struct work *work = user;
	check_file(work->options, work->files->paths[index], &work->outcomes[index]);
}

// --- Text --------------------------------------------------------------------------------------------

static enum cli_style style_of(ai8x_severity severity)
{
	static const enum cli_style styles[] = {CLI_DIM, CLI_YELLOW, CLI_RED};
	return styles[severity];
}

// Prints a paragraph, broken between words.
static void print_wrapped(const char *text)
{
	int column = 0;
	while (*text != '\0') {
		int length = (int)strcspn(text, " ");
		if (column > 0 && column + 1 + length > LINE) {
			(void)putchar('\n');
			column = 0;
		}
		if (column == 0)
			column = printf("%*s", INDENT, "") + length;
		else
			column += printf(" ") + length;
		(void)printf("%.*s", length, text);
		text += length;
		text += strspn(text, " ");
	}
	(void)putchar('\n');
}

static void print_finding(const ai8x_finding *finding)
{
	const char *name = ai8x_check_class_get(finding->kind)->name;
	char text[2048];
	(void)printf("  %s%s%s: %s%s%s", cli_style(stdout, style_of(finding->severity)),
	             ai8x_severity_name(finding->severity), cli_style(stdout, CLI_PLAIN),
	             cli_style(stdout, CLI_BOLD), name, cli_style(stdout, CLI_PLAIN));
	if (finding->layer >= 0)
		(void)printf(", layer %d", finding->layer);
	if (finding->other_layer >= 0)
		(void)printf(" with layer %d", finding->other_layer);
	if (finding->group >= 0)
		(void)printf(", group %d", finding->group);
	(void)putchar('\n');
	(void)ai8x_finding_describe(finding, text, sizeof text);
	text_make_plain(text);
	// Severity and class stand in the line above.
	const char *paragraph = strstr(text, name);
	print_wrapped(paragraph != NULL ? paragraph + strlen(name) + 2 : text);
}

static void print_head(const char *path, const struct outcome *outcome)
{
	const size_t *counts = outcome->counts;
	char clean[CLI_CLEAN_BYTES];
	(void)printf("%s (%s): ", cli_clean(outcome->name != NULL ? outcome->name : path, clean),
	             ai8x_part_get_info(outcome->part)->name);
	if (counts[AI8X_SEVERITY_ERROR] + counts[AI8X_SEVERITY_WARNING] + counts[AI8X_SEVERITY_INFO] == 0) {
		(void)printf("%snothing found%s\n", cli_style(stdout, CLI_GREEN), cli_style(stdout, CLI_PLAIN));
		return;
	}
	const char *separator = "";
	for (int s = AI8X_SEVERITY_ERROR; s >= AI8X_SEVERITY_INFO; s--) {
		if (counts[s] == 0)
			continue;
		const char *plural = s != AI8X_SEVERITY_INFO && counts[s] != 1 ? "s" : "";
		(void)printf("%s%zu %s%s", separator, counts[s], ai8x_severity_name((ai8x_severity)s), plural);
		separator = ", ";
	}
	(void)putchar('\n');
}

static int print_layers(const ai8x_check *check)
{
	static const char *const titles[] = {"  layer",   "outputs",      "at 127",     "at -128",
	                                     "least sum", "greatest sum", "slots used", "slots"};
	struct cli_table *table = cli_table_create("rrrrrrrr");
	for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++)
		cli_table_cell(table, CLI_PLAIN, "%s", titles[i]);
	for (size_t i = 0; i < ai8x_check_layer_count(check); i++) {
		const ai8x_check_layer *layer = ai8x_check_layer_get(check, i);
		char outputs[32], high[32], low[32];
		cli_table_cell(table, CLI_PLAIN, "%u", layer->index);
		cli_table_cell(table, CLI_PLAIN, "%s", cli_thousands(layer->counters.outputs, outputs));
		cli_table_cell(table, CLI_PLAIN, "%s", cli_thousands(layer->counters.clipped_high, high));
		cli_table_cell(table, CLI_PLAIN, "%s", cli_thousands(layer->counters.clipped_low, low));
		cli_table_cell(table, CLI_PLAIN, "%lld", (long long)layer->counters.accumulator_min);
		cli_table_cell(table, CLI_PLAIN, "%lld", (long long)layer->counters.accumulator_max);
		cli_table_cell(table, CLI_PLAIN, "%u", layer->slots_used);
		cli_table_cell(table, CLI_PLAIN, "%u", layer->slots);
	}
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return code;
}

static int print_outcome(const struct check_options *options, const char *path, const struct outcome *outcome)
{
	print_head(path, outcome);
	for (size_t i = 0; i < ai8x_check_count(outcome->check); i++) {
		const ai8x_finding *finding = ai8x_check_get(outcome->check, i);
		if (selected(options, finding) && finding->severity >= options->show)
			print_finding(finding);
	}
	return options->layers ? print_layers(outcome->check) : CLI_OK;
}

// --- JSON --------------------------------------------------------------------------------------------

static ai8x_status put_json(const void *user, FILE *file, ai8x_error *error)
{
	const struct work *work = user;
	const struct check_options *options = work->options;
	const size_t count = work->files->count;
	ai8x_check_report *reports = calloc(count, sizeof *reports);
	if (reports == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		const struct outcome *outcome = &work->outcomes[i];
		reports[i] = (ai8x_check_report){
			.file = work->files->paths[i],
			.name = outcome->name,
			.part = outcome->part,
			.check = outcome->check,
			.classes = options->some_classes ? options->classes : NULL,
			.error = outcome->check == NULL ? outcome->error.message : NULL,
		};
	}
	const ai8x_status status = ai8x_check_json(reports, count, file, error);
	free(reports);
	return status;
}

// --- The command -------------------------------------------------------------------------------------

static int judge(const struct check_options *options, const struct outcome *outcome)
{
	for (int s = (int)options->fail_on; s <= AI8X_SEVERITY_ERROR; s++)
		if (outcome->counts[s] > 0)
			return CLI_CHECK_FAILED;
	return CLI_OK;
}

// The first finding that counts, as a CI system shows it.
static void say_why(const struct check_options *options, const struct outcome *outcome, char *text,
                    size_t size)
{
	if (outcome->check == NULL)
		(void)snprintf(text, size, "%s", outcome->error.message);
	for (size_t i = 0; i < ai8x_check_count(outcome->check); i++) {
		const ai8x_finding *finding = ai8x_check_get(outcome->check, i);
		if (selected(options, finding) && finding->severity >= options->fail_on) {
			(void)ai8x_finding_describe(finding, text, size);
			return;
		}
	}
}

static void fill_junit(const void *user, size_t i, ai8x_junit_case *row, char reason[AI8X_MESSAGE_SIZE])
{
	const struct work *work = user;
	const struct outcome *outcome = &work->outcomes[i];
	say_why(work->options, outcome, reason, AI8X_MESSAGE_SIZE);
	*row = (ai8x_junit_case){
		.group = outcome->part != NULL ? ai8x_part_get_info(outcome->part)->name : "programs",
		.name = work->files->paths[i],
		.outcome =
			outcome->check == NULL ? AI8X_JUNIT_ERROR : cli_junit_outcome(judge(work->options, outcome)),
		.message = reason,
	};
}

static int report(const struct work *work)
{
	const struct check_options *options = work->options;
	bool text = options->json == NULL || strcmp(options->json, "-") != 0;
	int code = CLI_OK;
	for (size_t i = 0; i < work->files->count; i++) {
		const struct outcome *outcome = &work->outcomes[i];
		if (outcome->check == NULL) {
			code = cli_worse(code, cli_fail(work->files->paths[i], &outcome->error));
			continue;
		}
		code = cli_worse(code, judge(options, outcome));
		if (text)
			code = cli_worse(code, print_outcome(options, work->files->paths[i], outcome));
	}
	if (options->json != NULL)
		code = cli_worse(code, cli_write(options->json, put_json, work));
	if (options->junit != NULL)
		code = cli_worse(code, cli_write_junit(options->junit, work->files->count, fill_junit, work));
	return code;
}

static int check_files(const struct check_options *options, const struct cli_files *files)
{
	struct work work = {
		.options = options,
		.files = files,
		.outcomes = calloc(files->count, sizeof *work.outcomes),
	};
	if (work.outcomes == NULL) {
		cli_error("out of memory for the results");
		return CLI_RESOURCES;
	}
	cli_jobs_run(options->jobs, files->count, check_one, &work);
	int code = report(&work);
	for (size_t i = 0; i < files->count; i++) {
		free(work.outcomes[i].name);
		ai8x_check_destroy(work.outcomes[i].check);
	}
	free(work.outcomes);
	return code;
}

int cmd_check(int argc, char **argv)
{
	struct check_options options = {.jobs = 1, .fail_on = AI8X_SEVERITY_ERROR, .show = AI8X_SEVERITY_WARNING};
	cli_parse(&command_line, argc, argv, NULL, &options);
	struct cli_files files = {0};
	int code = cli_files_find(options.programs.word, options.programs.count, &files);
	for (size_t i = 0; i < files.count; i++) {
		if (cli_has_suffix(files.paths[i], ".mem") && options.part == NULL) {
			cli_error("%s: a .mem file does not say which part it is for; use --part", files.paths[i]);
			code = CLI_USAGE;
		}
	}
	for (size_t i = 0;
	     i < files.count && (options.json != NULL || options.junit != NULL) && code != CLI_USAGE; i++)
		if (cli_keep_apart(&command_line, &options, NULL, files.paths[i]) != CLI_OK)
			code = CLI_USAGE;
	ai8x_network *trained = NULL;
	ai8x_error error = {AI8X_OK, ""};
	if (code != CLI_USAGE && files.count > 0) {
		if (open_trained(&options, &trained, &error) != AI8X_OK) {
			code = cli_worse(code,
			                 cli_fail(options.network != NULL ? options.network : options.weights, &error));
		} else {
			options.trained = trained;
			code = cli_worse(code, check_files(&options, &files));
		}
	}
	ai8x_network_destroy(trained);
	cli_files_release(&files);
	return code;
}
