// ai8xsim run: carries out programs and says what held, what did not, and how long it took.
#include "cli.h"
#include "cli_files.h"
#include "cli_guard.h"
#include "cli_jobs.h"
#include "cli_junit.h"
#include "cmd_run_elf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_DEFAULT = 8 }; // differing words shown per program

// --- Options -----------------------------------------------------------------------------------------

struct run_options {
	bool per_layer, wide, verbose, stop_after, allow_unchecked;
	uint32_t stop_layer;
	uint32_t fifo_pace;
	uint64_t max_cycles;
	size_t shown;
	unsigned jobs;
	ai8x_engine engine;
	const char *cpu;
	unsigned threads;
	const ai8x_part *part;
	const char *json, *junit, *dump, *expect;
	struct cli_words programs;
};

#define AT(member) offsetof(struct run_options, member)

const struct cli_option run_program_options[] = {
	{"per-layer", 0, NULL, CLI_FLAG, AT(per_layer),
     "Compare each layer's recorded output and memory; name the first that goes wrong", 1},
	{"stop-after", 0, "N", CLI_UINT32, AT(stop_layer),
     "Stop after layer N (what is expected after the run is not compared)", 1, 0, AI8X_PROGRAM_MAX_LAYERS - 1,
     AT(stop_after)},
	{"max-cycles", 0, "N", CLI_UINT64, AT(max_cycles),
     "Give up after N accelerator cycles (default 1000000000)", 1, 1, INT64_MAX},
	CLI_ENGINE_ROWS(engine, cpu, threads, 1),
	{"fifo-pace", 0, "N", CLI_UINT32, AT(fifo_pace),
     "Accelerator cycles between two FIFO writes of the host (default 0)", 1, 0, 1000000},
	{"jobs", 'j', "N", CLI_UNSIGNED, AT(jobs), "Run N programs at the same time", 1, 1, CLI_MAX_JOBS},
	{"part", 0, "NAME", CLI_PART, AT(part), "The part of .mem files: MAX78000 or MAX78002", 2},
	{"expect", 0, "FILE", CLI_READS, AT(expect),
     "Words expected after the run of a .mem file, in the same form", 2},
	{"allow-unchecked", 0, NULL, CLI_FLAG, AT(allow_unchecked),
     "Exit with 0, not 6, where a program expects nothing that could be compared", 1},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write results as JSON; - for standard output, in place of the table", 3},
	{"junit", 0, "FILE", CLI_WRITES, AT(junit), "Write results as JUnit XML, for CI systems", 3},
	{"dump", 0, "FILE", CLI_WRITES, AT(dump),
     "Write all layers' outputs and the final memory as a program file (one program only)", 3},
	CLI_WIDE(AT(wide), 3),
	{"mismatches", 0, "N", CLI_SIZE, AT(shown), "Show at most N differing words per program (default 8)", 3,
     0, 1000000},
	{"verbose", 'v', NULL, CLI_FLAG, AT(verbose),
     "Show every layer's cycles, which engine ran it, and why if not the fast one", 3},
	{0},
};

static const struct cli_line command_line = {
	.options = run_program_options,
	.words = "PROGRAM...",
	.takes = CLI_SOME,
	.target = AT(programs),
	.none = "no program given",
	.doc = "Runs recorded programs on a simulated accelerator and compares every word they expect. "
		   "A PROGRAM is an HDF5 program file, a .mem stimulus file, or a folder that is searched for "
		   "program files (*.h5). Firmware (ELF files, given by name) runs too, with options of its own: "
		   "'ai8xsim run --help FIRMWARE.elf' lists them.\v"
		   "Examples:\n"
		   "  ai8xsim run program.h5\n"
		   "      Does it compute what it should, and in how many cycles?\n"
		   "  ai8xsim run --per-layer program.h5\n"
		   "      Which layer is the first to go wrong?\n"
		   "  ai8xsim run --jobs 4 --json results.json programs/\n"
		   "      All programs of a folder, four at a time.\n"
		   "  ai8xsim run --stop-after 2 --dump after2.h5 program.h5\n"
		   "      What do the layers and the memory hold after layer 2?\n"
		   "  ai8xsim run --part MAX78000 --expect output.mem input.mem\n"
		   "      Block-level files of ai8x-synthesis.\n"
		   "\n"
		   "A cycle count marked ~ is an estimate.\n"
		   "Exit status: 0 every check held, 1 a check failed, 2 usage, 3 bad input, 4 the machine "
		   "stopped, 5 out of resources, 6 nothing to check.",
};

// --- Running one program -----------------------------------------------------------------------------

struct outcome {
	char *name; // NULL when it could not be opened
	const ai8x_part *part;
	ai8x_error error;
	ai8x_runner_result result;
	double seconds;
};

static void run_opened(const struct run_options *options, const ai8x_program *program,
                       struct outcome *outcome)
{
	outcome->part = ai8x_program_part(program);
	outcome->name = strdup(ai8x_program_name(program));
	ai8x_machine_options machine_options = ai8x_machine_options_default();
	machine_options.engine = options->engine;
	machine_options.cpu = options->cpu;
	machine_options.threads = options->threads;
	machine_options.capture_outputs = options->per_layer || options->dump != NULL;
	ai8x_machine *machine = NULL;
	if (outcome->name == NULL) {
		outcome->error.status = AI8X_ERR_NO_MEMORY;
		(void)snprintf(outcome->error.message, sizeof outcome->error.message, "out of memory for a name");
		return;
	}
	if (ai8x_machine_create(outcome->part, &machine_options, &machine, &outcome->error) != AI8X_OK)
		return;

	ai8x_runner_options runner_options = ai8x_runner_options_default();
	runner_options.per_layer = options->per_layer;
	runner_options.stop_after = options->stop_after;
	runner_options.stop_layer = options->stop_layer;
	runner_options.fifo_write_cycles = options->fifo_pace;
	runner_options.max_mismatches = options->shown;
	runner_options.max_cycles = options->max_cycles;
	ai8x_status status = ai8x_runner_run(machine, program, &runner_options, &outcome->result);
	outcome->error.status = status;
	if (status != AI8X_OK)
		(void)snprintf(outcome->error.message, sizeof outcome->error.message, "%s", outcome->result.message);
	else if (options->dump != NULL &&
	         ai8x_runner_dump(machine, program, options->dump, &outcome->error) == AI8X_ERR_IO)
		outcome->error.status = AI8X_ERR_NO_MEMORY; // what cannot be written is not bad input
	ai8x_machine_destroy(machine);
}

static void run_with(const struct run_options *options, const char *path, bool skip_attributes,
                     struct outcome *outcome)
{
	ai8x_program_options program_options = {
		.skip_tensors = !options->per_layer && options->dump == NULL,
		.skip_attributes = skip_attributes,
		.expected = options->expect,
		.part = options->part,
	};
	ai8x_program *program = NULL;
	outcome->result.first_bad_layer = -1;
	if (cli_open_program(path, &program_options, &program, &outcome->error) == AI8X_OK)
		run_opened(options, program, outcome);
	ai8x_program_destroy(program);
}

static void run_file(const struct run_options *options, const char *path, struct outcome *outcome)
{
	const double start = cli_seconds();
	const bool brief = !options->per_layer && options->dump == NULL;
	run_with(options, path, brief, outcome);
	// What is wrong is told with its channel and pixel, which takes the layers' attributes. Reading them takes longer
	// than many a run.
	if (brief && outcome->name != NULL && outcome->result.mismatches > 0) {
		free(outcome->name);
		ai8x_runner_result_release(&outcome->result);
		*outcome = (struct outcome){0};
		run_with(options, path, false, outcome);
	}
	outcome->seconds = cli_seconds() - start;
}

// --- Running all of them -----------------------------------------------------------------------------

struct work {
	const struct run_options *options;
	const struct cli_files *files;
	struct outcome *outcomes; // one for each file, so that the order of output does not depend on jobs
};

static void run_one(void *user, size_t index)
{
	struct work *work = user;
	run_file(work->options, work->files->paths[index], &work->outcomes[index]);
}

static bool failed(const struct outcome *outcome)
{
	return outcome->error.status != AI8X_OK;
}

// A run that compared nothing is no proof of anything.
static bool is_unchecked(const struct outcome *outcome)
{
	return !failed(outcome) && outcome->result.checks == 0;
}

static int outcome_exit(const struct run_options *options, const struct outcome *outcome)
{
	if (failed(outcome))
		return cli_exit_of(outcome->error.status);
	if (!outcome->result.pass)
		return CLI_CHECK_FAILED;
	return is_unchecked(outcome) && !options->allow_unchecked ? CLI_UNCHECKED : CLI_OK;
}

// --- The table ---------------------------------------------------------------------------------------

static const char *about(const ai8x_runner_result *result)
{
	return result->cycles_exact ? "" : "~";
}

static void add_heading(struct cli_table *table, const char *const *titles)
{
	for (; *titles != NULL; titles++)
		cli_table_cell(table, CLI_PLAIN, "%s", *titles);
}

// Several files may hold programs of the same name.
static bool is_only_one(const struct work *work, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < work->files->count; i++)
		count += work->outcomes[i].name != NULL && strcmp(work->outcomes[i].name, name) == 0;
	return count == 1;
}

static void add_program(struct cli_table *table, const struct work *work, size_t index)
{
	const char *path = work->files->paths[index];
	const struct outcome *outcome = &work->outcomes[index];
	const ai8x_runner_result *result = &outcome->result;
	char cycles[32], time[32], checks[32], mismatches[32];
	if (outcome->name == NULL) {
		cli_table_cell(table, CLI_PLAIN, "%s", path);
		for (int i = 0; i < 6; i++)
			cli_table_cell(table, CLI_PLAIN, "-");
		cli_table_cell(table, CLI_RED, "error");
		return;
	}
	cli_table_cell(table, CLI_PLAIN, "%s", is_only_one(work, outcome->name) ? outcome->name : path);
	cli_table_cell(table, CLI_PLAIN, "%s", ai8x_part_get_info(outcome->part)->name);
	if (failed(outcome) && result->layer_count == 0) {
		for (int i = 0; i < 5; i++)
			cli_table_cell(table, CLI_PLAIN, "-");
		cli_table_cell(table, CLI_RED, "error");
		return;
	}
	cli_table_cell(table, CLI_PLAIN, "%zu", result->layer_count);
	cli_table_cell(table, CLI_PLAIN, "%s%s", about(result), cli_thousands(result->cycles, cycles));
	cli_table_cell(table, CLI_PLAIN, "%s%s", about(result), cli_duration(result->simulated_seconds, time));
	cli_table_cell(table, CLI_PLAIN, "%s", cli_thousands(result->checks, checks));
	cli_table_cell(table, result->mismatches > 0 ? CLI_RED : CLI_PLAIN, "%s",
	               cli_thousands(result->mismatches, mismatches));
	if (failed(outcome))
		cli_table_cell(table, CLI_RED, "error");
	else if (!result->pass)
		cli_table_cell(table, CLI_RED, "FAIL");
	else if (is_unchecked(outcome))
		cli_table_cell(table, CLI_YELLOW, "nothing to check");
	else
		cli_table_cell(table, CLI_GREEN, "pass");
}

static void add_total(struct cli_table *table, const struct work *work)
{
	uint64_t checks = 0, mismatches = 0;
	size_t passed = 0, count = work->files->count;
	for (size_t i = 0; i < count; i++) {
		const struct outcome *outcome = &work->outcomes[i];
		checks += outcome->result.checks;
		mismatches += outcome->result.mismatches;
		passed += !failed(outcome) && outcome->result.pass && !is_unchecked(outcome);
	}
	char checks_text[32], mismatches_text[32];
	cli_table_rule(table);
	cli_table_cell(table, CLI_BOLD, "%zu programs", count);
	for (int i = 0; i < 4; i++)
		cli_table_cell(table, CLI_PLAIN, "%s", "");
	cli_table_cell(table, CLI_BOLD, "%s", cli_thousands(checks, checks_text));
	cli_table_cell(table, CLI_BOLD, "%s", cli_thousands(mismatches, mismatches_text));
	cli_table_cell(table, passed == count ? CLI_GREEN : CLI_RED, "%zu pass", passed);
}

static int print_layers(const struct outcome *outcome)
{
	static const char *const titles[] = {
		"layer", "cycles", "multiply-accumulates", "checks", "mismatches", "engine", "", "", NULL};
	const ai8x_runner_result *result = &outcome->result;
	struct cli_table *table = cli_table_create("rrrrrlll");
	add_heading(table, titles);
	for (size_t i = 0; i < result->layer_count; i++) {
		const ai8x_runner_layer *layer = &result->layers[i];
		char cycles[32], macs[32], checks[32], mismatches[32];
		cli_table_cell(table, CLI_PLAIN, "%u", layer->number);
		cli_table_cell(table, CLI_PLAIN, "%s%s", about(result), cli_thousands(layer->cycles, cycles));
		cli_table_cell(table, CLI_PLAIN, "%s", cli_thousands(layer->macs, macs));
		// Words expected after the run are no comparison of layers.
		cli_table_cell(table, CLI_PLAIN, "%s", layer->compared ? cli_thousands(layer->checks, checks) : "-");
		cli_table_cell(table, layer->mismatches > 0 ? CLI_RED : CLI_PLAIN, "%s",
		               layer->compared ? cli_thousands(layer->mismatches, mismatches) : "-");
		cli_table_cell(table, CLI_PLAIN, "%s", layer->exact_engine ? "exact" : "fast");
		if (!layer->finished)
			cli_table_cell(table, CLI_YELLOW, "not finished");
		else if (!layer->pass)
			cli_table_cell(table, CLI_RED, "FAIL");
		else
			cli_table_cell(table, CLI_PLAIN, "%s", layer->compared ? "pass" : "");
		cli_table_cell(table, CLI_DIM, "%s", layer->exact_reason);
	}
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return code;
}

static void cell_or_dash(struct cli_table *table, int number)
{
	if (number >= 0)
		cli_table_cell(table, CLI_PLAIN, "%d", number);
	else
		cli_table_cell(table, CLI_PLAIN, "-");
}

static int print_mismatches(const struct outcome *outcome)
{
	static const char *const titles[] = {"layer",    "channel", "row", "column", "address",
	                                     "expected", "got",     "",    NULL};
	const ai8x_runner_result *result = &outcome->result;
	struct cli_table *table = cli_table_create("rrrrrrrl");
	add_heading(table, titles);
	for (size_t i = 0; i < result->mismatch_count; i++) {
		const ai8x_mismatch *mismatch = &result->mismatch[i];
		cell_or_dash(table, mismatch->layer);
		cell_or_dash(table, mismatch->channel);
		cell_or_dash(table, mismatch->row);
		cell_or_dash(table, mismatch->column);
		cli_table_cell(table, CLI_PLAIN, "0x%08x", mismatch->address);
		if (mismatch->tensor) {
			cli_table_cell(table, CLI_PLAIN, "%d", (int32_t)mismatch->expected);
			cli_table_cell(table, CLI_PLAIN, "%d", (int32_t)mismatch->got);
			cli_table_cell(table, CLI_PLAIN, "value");
		} else {
			cli_table_cell(table, CLI_PLAIN, "0x%08x", mismatch->expected);
			cli_table_cell(table, CLI_PLAIN, "0x%08x", mismatch->got & mismatch->mask);
			if (mismatch->mask == UINT32_MAX)
				cli_table_cell(table, CLI_PLAIN, "word");
			else
				cli_table_cell(table, CLI_PLAIN, "word, of it 0x%08x", mismatch->mask);
		}
	}
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return code;
}

static int print_details(const struct run_options *options, const char *path, const struct outcome *outcome)
{
	const ai8x_runner_result *result = &outcome->result;
	bool show_layers = result->layer_count > 0 && options->verbose;
	bool show_mismatches = result->mismatches > 0;
	char clean[CLI_CLEAN_BYTES];
	int code = CLI_OK;
	if (show_layers || show_mismatches)
		(void)printf("\n%s\n", cli_clean(path, clean));
	if (show_layers)
		code = print_layers(outcome);
	if (show_mismatches) {
		(void)printf("%llu of %llu checks failed", (unsigned long long)result->mismatches,
		             (unsigned long long)result->checks);
		if (result->first_bad_layer >= 0)
			(void)printf(options->per_layer
			                 ? "; the first layer that went wrong is layer %d"
			                 : "; the output of layer %d is wrong (--per-layer finds where it began)",
			             result->first_bad_layer);
		if (result->mismatch_count < result->mismatches)
			(void)printf("; %zu of them:\n", result->mismatch_count);
		else
			(void)printf("\n");
		if (!failed(outcome) && result->message[0] != '\0')
			(void)printf("%s\n", cli_clean(result->message, clean));
		if (result->mismatch_count > 0)
			code = cli_worse(code, print_mismatches(outcome));
	}
	return code;
}

// How much of all layers the fast engine left to the cycle-by-cycle one.
static void print_engine_share(const struct work *work)
{
	size_t layers = 0, exact = 0;
	for (size_t i = 0; i < work->files->count; i++) {
		const ai8x_runner_result *result = &work->outcomes[i].result;
		layers += result->layer_count;
		for (size_t k = 0; k < result->layer_count; k++)
			exact += result->layers[k].exact_engine;
	}
	if (layers > 0)
		(void)printf("\n%zu of %zu layers (%.1f %%) ran on the exact engine\n", exact, layers,
		             100.0 * (double)exact / (double)layers);
}

// Nothing is known of the cycles of a program that did not start.
static const char *cycles_are(const struct outcome *outcome)
{
	if (failed(outcome) && outcome->result.layer_count == 0)
		return NULL;
	return outcome->result.cycles_exact ? "exact" : "estimate";
}

static int print_tables(const struct work *work)
{
	static const char *const titles[] = {"program", "part",       "layers", "cycles", "time",
	                                     "checks",  "mismatches", "result", NULL};
	struct cli_table *table = cli_table_create("nlrrrrrl");
	add_heading(table, titles);
	for (size_t i = 0; i < work->files->count; i++)
		add_program(table, work, i);
	if (work->files->count > 1)
		add_total(table, work);
	if (!work->options->wide)
		cli_table_fit(table, "02100000");
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	unsigned parts = 0;
	for (size_t i = 0; i < work->files->count; i++)
		if (cycles_are(&work->outcomes[i]) != NULL)
			parts |= cli_part_bit(work->outcomes[i].part);
	cli_print_standing(parts);
	for (size_t i = 0; i < work->files->count; i++)
		code = cli_worse(code, print_details(work->options, work->files->paths[i], &work->outcomes[i]));
	if (work->options->verbose)
		print_engine_share(work);
	return code;
}

// --- JSON --------------------------------------------------------------------------------------------

static ai8x_status put_json(const void *user, FILE *file, ai8x_error *error)
{
	const struct work *work = user;
	const size_t count = work->files->count;
	ai8x_run_report *reports = calloc(count, sizeof *reports);
	if (reports == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		const struct outcome *outcome = &work->outcomes[i];
		reports[i] = (ai8x_run_report){
			.file = work->files->paths[i],
			.name = outcome->name,
			.part = outcome->part,
			.result = &outcome->result,
			.error = failed(outcome) ? outcome->error.message : NULL,
			.seconds = outcome->seconds,
		};
	}
	const ai8x_status status = ai8x_run_json(reports, count, file, error);
	free(reports);
	return status;
}

// --- JUnit -------------------------------------------------------------------------------------------

// What failed, in a line: the library's message, or how many checks.
static void say_why(const struct outcome *outcome, char *text, size_t size)
{
	if (failed(outcome))
		(void)snprintf(text, size, "%s", outcome->error.message);
	else if (outcome->result.mismatches == 0)
		(void)snprintf(text, size, "nothing to check: the program expects no words");
	else
		(void)snprintf(text, size, "%llu of %llu checks failed, first in layer %d",
		               (unsigned long long)outcome->result.mismatches,
		               (unsigned long long)outcome->result.checks, outcome->result.first_bad_layer);
}

static void fill_junit(const void *user, size_t i, ai8x_junit_case *row, char reason[AI8X_MESSAGE_SIZE])
{
	const struct work *work = user;
	const struct outcome *outcome = &work->outcomes[i];
	say_why(outcome, reason, AI8X_MESSAGE_SIZE);
	*row = (ai8x_junit_case){
		.group = outcome->part != NULL ? ai8x_part_get_info(outcome->part)->name : "programs",
		.name = work->files->paths[i],
		.seconds = outcome->seconds,
		.outcome = cli_junit_outcome(outcome_exit(work->options, outcome)),
		.message = reason,
	};
}

// --- The command -------------------------------------------------------------------------------------

static int check_options(const struct run_options *options, const struct cli_files *files)
{
	if (options->dump != NULL && files->count > 1) {
		cli_error("--dump takes one program, not %zu", files->count);
		return CLI_USAGE;
	}
	for (size_t i = 0; i < files->count; i++) {
		bool is_mem = cli_has_suffix(files->paths[i], ".mem");
		if (is_mem && options->part == NULL) {
			cli_error("%s: a .mem file does not say which part it is for; use --part", files->paths[i]);
			return CLI_USAGE;
		}
		if (!is_mem && options->expect != NULL) {
			cli_error("%s: --expect is for .mem files only", files->paths[i]);
			return CLI_USAGE;
		}
	}
	return CLI_OK;
}

static int report(const struct work *work)
{
	int code = CLI_OK;
	for (size_t i = 0; i < work->files->count; i++) {
		const struct outcome *outcome = &work->outcomes[i];
		if (is_unchecked(outcome) && !work->options->allow_unchecked)
			cli_error("%s: nothing to check: the program expects no words (--allow-unchecked takes that for "
			          "a pass)",
			          work->files->paths[i]);
		code = cli_worse(code, failed(outcome) ? cli_fail(work->files->paths[i], &outcome->error)
		                                       : outcome_exit(work->options, outcome));
	}
	if (work->options->json == NULL || strcmp(work->options->json, "-") != 0)
		code = cli_worse(code, print_tables(work));
	if (work->options->json != NULL)
		code = cli_worse(code, cli_write(work->options->json, put_json, work));
	if (work->options->junit != NULL)
		code = cli_worse(code, cli_write_junit(work->options->junit, work->files->count, fill_junit, work));
	return code;
}

static int run_files(const struct run_options *options, const struct cli_files *files)
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
	cli_jobs_run(options->jobs, files->count, run_one, &work);
	int code = report(&work);
	for (size_t i = 0; i < files->count; i++) {
		free(work.outcomes[i].name);
		ai8x_runner_result_release(&work.outcomes[i].result);
	}
	free(work.outcomes);
	return code;
}

int cmd_run(int argc, char **argv)
{
	// Firmware has options of its own.
	if (run_is_firmware(argc, argv))
		return run_firmware(argc, argv);
	struct run_options options = {
		.jobs = 1,
		.shown = SHOWN_DEFAULT,
		.max_cycles = AI8X_RUNNER_DEFAULT_MAX_CYCLES,
		.engine = AI8X_ENGINE_AUTO,
	};
	const struct cli_other_options firmware = {run_firmware_options,
	                                           "is for firmware, and none of the files given is an ELF file"};
	cli_parse(&command_line, argc, argv, &firmware, &options);

	struct cli_files files = {0};
	int code = cli_files_find(options.programs.word, options.programs.count, &files);
	int usage = check_options(&options, &files);
	for (size_t i = 0; i < files.count && usage == CLI_OK; i++)
		if (options.json != NULL || options.junit != NULL || options.dump != NULL)
			usage = cli_keep_apart(&command_line, &options, NULL, files.paths[i]);
	if (usage != CLI_OK)
		code = usage;
	else if (files.count > 0)
		code = cli_worse(code, run_files(&options, &files));
	cli_files_release(&files);
	return code;
}
