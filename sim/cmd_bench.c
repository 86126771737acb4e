// ai8xsim bench: how fast programs run in steady state - loaded once, run many times.
#include "cli.h"
#include "cli_guard.h"
#include "cli_jobs.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { LAYER_ROUNDS = 16 };

struct bench_options {
	ai8x_engine engine;
	const char *cpu, *json;
	const ai8x_part *part;
	unsigned jobs, threads;
	double seconds;
	bool verbose;
	struct cli_words programs;
};

#define AT(member) offsetof(struct bench_options, member)

static const struct cli_option option_rows[] = {
	CLI_ENGINE_ROWS(engine, cpu, threads, 1),
	{"jobs", 'j', "N", CLI_UNSIGNED, AT(jobs), "Run N inferences at the same time", 1, 1, CLI_MAX_JOBS},
	{"seconds", 0, "S", CLI_SECONDS, AT(seconds), "Measure for S seconds per program (default 1)", 1,
     .max = 3600},
	{"part", 0, "NAME", CLI_PART, AT(part), "The part of .mem files: MAX78000 or MAX78002", 2},
	{"verbose", 'v', NULL, CLI_FLAG, AT(verbose), "Show every layer's wall time", 3},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write results as JSON; - for standard output, in place of the table", 3},
	{0},
};

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "PROGRAM...",
	.takes = CLI_SOME,
	.target = AT(programs),
	.none = "no program given",
	.doc =
		"Measures programs in steady state: each is loaded once and run with its recorded input until the "
		"time is up. realtime is the simulated time at the part's clock over the wall time of an inference.\v"
		"Examples:\n"
		"  ai8xsim bench program.h5                     how fast is this network here?\n"
		"  ai8xsim bench -v program.h5                  and where does the time go?\n"
		"  ai8xsim bench --jobs 2 --json - program.h5   two at a time, for scripts\n"
		"\n"
		"Exit status: 0 done, 2 usage, 3 bad input, 4 the machine stopped, 5 out of resources.",
};

struct layer_time {
	uint32_t layer;
	uint64_t cycles;
	bool exact;
	double seconds; // best of several rounds
};

struct outcome {
	char name[128];
	const ai8x_part *part;
	double inferences_per_second; // of all jobs
	double realtime_factor;       // of one job
	uint64_t cycles;
	struct layer_time *layers;
	size_t layer_count;
};

struct job {
	const ai8x_batch *batch;
	double seconds;
	pthread_t thread;
	uint64_t runs;
	double time;
	ai8x_error error;
	ai8x_status status;
};

static void *run_job(void *argument)
{
	struct job *job = argument;
	ai8x_batch_worker *worker;
	job->status = ai8x_batch_worker_create(job->batch, &worker, &job->error);
	if (job->status != AI8X_OK)
		return NULL;
	job->status = ai8x_batch_run(worker, NULL, NULL, &job->error);
	double start = cli_seconds();
	do {
		if (job->status != AI8X_OK)
			break;
		job->status = ai8x_batch_run(worker, NULL, NULL, &job->error);
		job->runs++;
		job->time = cli_seconds() - start;
	} while (job->time < job->seconds);
	ai8x_batch_worker_destroy(worker);
	return NULL;
}

// Wall time of a layer: from the end of the one before it (or of loading) to its own end.
struct stopwatch {
	struct layer_time *layers;
	size_t count, at;
	double last;
};

static void watch(void *user, const ai8x_event *event)
{
	struct stopwatch *stopwatch = user;
	double time = cli_seconds();
	if (event->kind == AI8X_EVENT_LAYER_STOP && stopwatch->at < stopwatch->count) {
		struct layer_time *layer = &stopwatch->layers[stopwatch->at++];
		double taken = time - stopwatch->last;
		if (layer->seconds == 0 || taken < layer->seconds)
			layer->seconds = taken;
	}
	stopwatch->last = time;
}

static ai8x_status time_layers(const ai8x_batch *batch, struct outcome *outcome, ai8x_error *error)
{
	ai8x_batch_worker *worker;
	ai8x_status status = ai8x_batch_worker_create(batch, &worker, error);
	if (status != AI8X_OK)
		return status;
	ai8x_machine *machine = ai8x_batch_machine(worker);
	status = ai8x_batch_run(worker, NULL, NULL, error);
	outcome->layer_count = ai8x_machine_layer_count(machine);
	outcome->layers = calloc(outcome->layer_count + 1, sizeof *outcome->layers);
	struct stopwatch stopwatch = {outcome->layers, outcome->layer_count, 0, 0};
	if (outcome->layers == NULL)
		status = AI8X_ERR_NO_MEMORY;
	if (status == AI8X_OK)
		status =
			ai8x_machine_observe(machine, AI8X_EVENT_RUN_START | AI8X_EVENT_LAYER_STOP, watch, &stopwatch);
	for (unsigned round = 0; round < LAYER_ROUNDS && status == AI8X_OK; round++) {
		stopwatch.at = 0;
		status = ai8x_batch_run(worker, NULL, NULL, error);
	}
	for (size_t i = 0; i < outcome->layer_count && status == AI8X_OK; i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(machine, i);
		outcome->layers[i].layer = report->layer.index;
		outcome->layers[i].cycles = report->cycles;
		outcome->layers[i].exact = report->exact_engine;
	}
	ai8x_batch_worker_destroy(worker);
	return status;
}

static ai8x_status measure(const ai8x_batch *batch, const struct bench_options *options,
                           struct outcome *outcome, ai8x_error *error)
{
	struct job jobs[CLI_MAX_JOBS];
	unsigned started = 0;
	ai8x_status status = AI8X_OK;
	while (started < options->jobs && status == AI8X_OK) {
		jobs[started] = (struct job){.batch = batch, .seconds = options->seconds};
		if (pthread_create(&jobs[started].thread, NULL, run_job, &jobs[started]) != 0)
			status = AI8X_ERR_NO_MEMORY;
		else
			started++;
	}
	double rate = 0, time = 0;
	for (unsigned i = 0; i < started; i++) {
		(void)pthread_join(jobs[i].thread, NULL);
		if (jobs[i].status != AI8X_OK) {
			status = jobs[i].status;
			*error = jobs[i].error;
			continue;
		}
		rate += (double)jobs[i].runs / jobs[i].time;
		time += jobs[i].time / (double)jobs[i].runs;
	}
	outcome->inferences_per_second = rate;
	outcome->cycles = ai8x_batch_cycles(batch);
	outcome->realtime_factor =
		(double)outcome->cycles / ai8x_part_get_info(outcome->part)->clock_hz / (time / options->jobs);
	return status;
}

static ai8x_status bench_program(const char *path, const struct bench_options *options,
                                 struct outcome *outcome, ai8x_error *error)
{
	const ai8x_program_options open_options = {.part = options->part};
	ai8x_program *program;
	ai8x_status status = cli_open_program(path, &open_options, &program, error);
	if (status != AI8X_OK)
		return status;
	(void)snprintf(outcome->name, sizeof outcome->name, "%s", ai8x_program_name(program));
	outcome->part = ai8x_program_part(program);
	ai8x_batch_options batch_options = ai8x_batch_options_default();
	batch_options.machine.engine = options->engine;
	batch_options.machine.cpu = options->cpu;
	batch_options.machine.threads = options->threads;
	ai8x_batch *batch;
	status = ai8x_batch_create(program, &batch_options, &batch, error);
	if (status == AI8X_OK) {
		status = measure(batch, options, outcome, error);
		if (status == AI8X_OK)
			status = time_layers(batch, outcome, error);
		ai8x_batch_destroy(batch);
	}
	ai8x_program_destroy(program);
	return status;
}

static json_t *outcome_json(const char *path, const struct bench_options *options,
                            const struct outcome *outcome)
{
	json_t *layers = json_array();
	for (size_t i = 0; i < outcome->layer_count; i++) {
		const struct layer_time *layer = &outcome->layers[i];
		json_push(layers, json_pack("{s:I,s:I,s:s,s:f}", "layer", (json_int_t)layer->layer, "cycles",
		                            (json_int_t)layer->cycles, "engine", layer->exact ? "exact" : "fast",
		                            "seconds", layer->seconds));
	}
	return json_pack("{s:o,s:o,s:s,s:s,s:i,s:f,s:f,s:I,s:s,s:f,s:o}", "file", json_text(path), "name",
	                 json_text(outcome->name), "part", ai8x_part_get_info(outcome->part)->name, "engine",
	                 cli_engine_name(options->engine), "jobs", (int)options->jobs, "inferences_per_second",
	                 outcome->inferences_per_second, "realtime_factor", outcome->realtime_factor, "cycles",
	                 (json_int_t)outcome->cycles, "cycles_are",
	                 ai8x_part_get_info(outcome->part)->cycles_exact ? "exact" : "estimate", "cycles_error",
	                 ai8x_cycles_error(outcome->part, NULL), "layers", layers);
}

static void print_row(struct cli_table *table, const struct outcome *outcome)
{
	char text[32];
	const ai8x_part_info *info = ai8x_part_get_info(outcome->part);
	const char *estimate = info->cycles_exact ? "" : "~";
	cli_table_cell(table, CLI_PLAIN, "%s", outcome->name);
	cli_table_cell(table, CLI_PLAIN, "%s", info->name);
	cli_table_cell(table, CLI_PLAIN, "%s%s", estimate, cli_thousands(outcome->cycles, text));
	cli_table_cell(table, CLI_PLAIN, "%s%s", estimate,
	               cli_duration((double)outcome->cycles / info->clock_hz, text));
	cli_table_cell(table, CLI_PLAIN, "%.1f", outcome->inferences_per_second);
	cli_table_cell(table, CLI_BOLD, "%s%.2f", estimate, outcome->realtime_factor);
}

static void print_layers(const struct outcome *outcome)
{
	struct cli_table *table = cli_table_create("rrlr");
	char text[32];
	for (const char *const *heading = (const char *const[]){"layer", "cycles", "engine", "wall time", NULL};
	     *heading != NULL; heading++)
		cli_table_cell(table, CLI_BOLD, "%s", *heading);
	for (size_t i = 0; i < outcome->layer_count; i++) {
		const struct layer_time *layer = &outcome->layers[i];
		cli_table_cell(table, CLI_PLAIN, "%u", layer->layer);
		cli_table_cell(table, CLI_PLAIN, "%s", cli_thousands(layer->cycles, text));
		cli_table_cell(table, CLI_PLAIN, "%s", layer->exact ? "exact" : "fast");
		cli_table_cell(table, CLI_PLAIN, "%s", cli_duration(layer->seconds, text));
	}
	char clean[CLI_CLEAN_BYTES];
	(void)printf("\n%s\n", cli_clean(outcome->name, clean));
	(void)cli_table_print(table, stdout);
	cli_table_destroy(table);
}

int cmd_bench(int argc, char **argv)
{
	struct bench_options options = {.engine = AI8X_ENGINE_AUTO, .jobs = 1, .seconds = 1};
	cli_parse(&command_line, argc, argv, NULL, &options);
	int code = CLI_OK;
	json_t *programs = json_array();
	struct cli_table *table = cli_table_create("llrrrr");
	struct outcome *outcomes = calloc(options.programs.count + 1, sizeof *outcomes);
	if (table == NULL || outcomes == NULL || programs == NULL) {
		cli_error("out of memory for the results");
		code = CLI_RESOURCES;
	}
	for (const char *const *heading =
	         (const char *const[]){"program", "part", "cycles", "silicon", "per second", "realtime", NULL};
	     code == CLI_OK && *heading != NULL; heading++)
		cli_table_cell(table, CLI_BOLD, "%s", *heading);
	bool any = false;
	unsigned parts = 0;
	for (size_t i = 0; i < options.programs.count && code != CLI_RESOURCES; i++) {
		ai8x_error error = {0};
		cli_progress("%s", options.programs.word[i]);
		ai8x_status status = bench_program(options.programs.word[i], &options, &outcomes[i], &error);
		cli_progress_clear();
		if (status != AI8X_OK) {
			code = cli_worse(code, cli_fail(options.programs.word[i], &error));
			outcomes[i].part = NULL;
			continue;
		}
		any = true;
		parts |= cli_part_bit(outcomes[i].part);
		print_row(table, &outcomes[i]);
		json_push(programs, outcome_json(options.programs.word[i], &options, &outcomes[i]));
	}
	const bool text = options.json == NULL || strcmp(options.json, "-") != 0;
	if (any && text)
		code = cli_worse(code, cli_table_print(table, stdout));
	if (text)
		cli_print_standing(parts);
	for (size_t i = 0; outcomes != NULL && i < options.programs.count; i++) {
		if (outcomes[i].part != NULL && options.verbose && text)
			print_layers(&outcomes[i]);
		free(outcomes[i].layers);
	}
	if (options.json != NULL) {
		json_t *root = json_pack("{s:i,s:O}", "version", 1, "programs", programs);
		code = cli_worse(code, cli_write_json(options.json, root));
		json_decref(root);
	}
	cli_table_destroy(table);
	json_decref(programs);
	free(outcomes);
	return code;
}
