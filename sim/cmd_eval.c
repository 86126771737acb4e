// ai8xsim eval: a program on a whole data set.
#include "cli.h"
#include "cli_cluster.h"
#include "cli_guard.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_JOBS = 1024, SHOWN_CLASSES = 20 };

struct eval_settings {
	const char *program, *data, *json;
	const ai8x_part *part;
	ai8x_eval_options options;
};

#define AT(member) offsetof(struct eval_settings, member)

static const struct cli_option option_rows[] = {
	{"data", 0, "FILE", CLI_READS, AT(data),
     "The data set: HDF5 with data sets input and (maybe) labels, or .npy, .npz", 1},
	{"labels", 0, "FILE", CLI_READS, AT(options.labels),
     "Fail where there are no labels; =FILE: take them from that file (HDF5, .npy, .npz)", 1,
     .given = AT(options.labels_needed), .flags = OPTION_ARG_OPTIONAL},
	CLI_INPUT_SCALE(AT(options.input_scale), 1),
	{"limit", 0, "N", CLI_UINT64, AT(options.limit), "The first N inputs only", 1, 1, UINT32_MAX},
	{"output", 'o', "FILE", CLI_WRITES, AT(options.output),
     "Write all outputs to this HDF5 file (FILE.part until it is complete; the same command goes on from "
     "there)",
     2},
	{"restart", 0, NULL, CLI_FLAG, AT(options.restart), "Ignore FILE.part and start anew", 2},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write results as JSON; - for standard output, in place of the tables", 2},
	{"jobs", 'j', "N", CLI_UNSIGNED, AT(options.jobs),
     "Run N inferences at the same time (default: as many as there are processors)", 3, 1, MAX_JOBS},
	CLI_ENGINE_ROWS(options.machine.engine, options.machine.cpu, options.machine.threads, 3),
	{"part", 0, "NAME", CLI_PART, AT(part), "The part of .mem files: MAX78000 or MAX78002", 3},
	{0},
};

static void check_line(const struct argp_state *state, void *settings)
{
	const struct eval_settings *given = settings;
	if (given->data == NULL)
		argp_error(state, "no data set given (--data)");
}

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "PROGRAM",
	.takes = CLI_ONE,
	.target = AT(program),
	.none = "no program given",
	.many = "one program at a time",
	.check = check_line,
	.doc = "Runs a program on every input of a data set: outputs to a file, accuracy where there are labels. "
		   "Results do not depend on --jobs, nor on interruptions.\v"
		   "Examples:\n"
		   "  ai8xsim eval program.h5 --data test.h5\n"
		   "      How often is the network right?\n"
		   "  ai8xsim eval program.h5 --data test.h5 -o out.h5\n"
		   "      Keep all outputs; go on after Ctrl-C.\n"
		   "  mpirun -n 4 ai8xsim eval program.h5 --data test.h5\n"
		   "      On several machines (docs/cluster.md).\n"
		   "\n"
		   "Exit status: 0 done, 2 usage, 3 bad input, 4 the machine stopped, 5 out of resources.",
};

// --- While it runs -----------------------------------------------------------------------------------

static bool report(void *user, const ai8x_eval_progress *progress)
{
	(void)user;
	char left[32] = "";
	const uint64_t own = progress->done - progress->resumed;
	const double rate = progress->seconds > 0 ? (double)own / progress->seconds : 0;
	if (own > 0)
		(void)cli_duration((double)(progress->inputs - progress->done) / rate, left);
	cli_progress("%llu of %llu inputs, %.0f per second%s%s", (unsigned long long)progress->done,
	             (unsigned long long)progress->inputs, rate, own > 0 ? ", time left " : "", left);
	return cli_interrupted() == 0;
}

static void tell(void *user, const char *text)
{
	(void)user;
	cli_error("note: %s", text);
}

// --- Afterwards --------------------------------------------------------------------------------------

static double percent(uint64_t part, uint64_t whole)
{
	return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

static int print_classes(const ai8x_eval_result *result)
{
	const size_t n = result->classes;
	struct cli_table *table = cli_table_create("rrrrr");
	for (const char *const *heading =
	         (const char *const[]){"class", "labels", "recall %", "answers", "IoU", NULL};
	     *heading != NULL; heading++)
		cli_table_cell(table, CLI_BOLD, "%s", *heading);
	for (uint32_t c = 0; c < n; c++) {
		uint64_t labels = 0, answers = 0;
		for (size_t i = 0; i < n; i++) {
			labels += result->confusion[c * n + i];
			answers += result->confusion[i * n + c];
		}
		if (labels + answers == 0)
			continue;
		cli_table_cell(table, CLI_PLAIN, "%u", c);
		cli_table_cell(table, CLI_PLAIN, "%llu", (unsigned long long)labels);
		cli_table_cell(table, CLI_PLAIN, "%.2f", percent(result->confusion[c * n + c], labels));
		cli_table_cell(table, CLI_PLAIN, "%llu", (unsigned long long)answers);
		cli_table_cell(table, CLI_PLAIN, "%.4f", ai8x_eval_iou(result, c));
	}
	(void)putchar('\n');
	const int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return code;
}

static int print_confusion(const ai8x_eval_result *result)
{
	const size_t n = result->classes;
	char columns[SHOWN_CLASSES + 2];
	memset(columns, 'r', n + 1);
	columns[n + 1] = '\0';
	struct cli_table *table = cli_table_create(columns);
	cli_table_cell(table, CLI_BOLD, "label \\ answer");
	for (uint32_t c = 0; c < n; c++)
		cli_table_cell(table, CLI_BOLD, "%u", c);
	for (uint32_t label = 0; label < n; label++) {
		cli_table_cell(table, CLI_BOLD, "%u", label);
		for (uint32_t answer = 0; answer < n; answer++)
			cli_table_cell(table, label == answer ? CLI_PLAIN : CLI_DIM, "%llu",
			               (unsigned long long)result->confusion[label * n + answer]);
	}
	(void)putchar('\n');
	const int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return code;
}

static int print_result(const struct eval_settings *settings, const ai8x_program *program,
                        const ai8x_eval_result *result)
{
	const ai8x_eval_progress *progress = &result->progress;
	const uint64_t own = progress->inputs - progress->resumed;
	char text[32], clean[CLI_CLEAN_BYTES];
	printf("%s: %llu inputs in %s", cli_clean(ai8x_program_name(program), clean), (unsigned long long)own,
	       cli_duration(progress->seconds, text));
	if (own > 0)
		printf(", %.0f per second", (double)own / progress->seconds);
	if (progress->resumed > 0)
		printf(" (and %llu done before)", (unsigned long long)progress->resumed);
	(void)putchar('\n');
	int code = CLI_OK;
	if (result->labelled) {
		printf("%s  %6.2f %%  (%llu of %llu)\n", result->dense ? "pixels right   " : "top-1 accuracy ",
		       percent(result->top1, result->answers), (unsigned long long)result->top1,
		       (unsigned long long)result->answers);
		if (!result->dense && result->classes > 5)
			printf("top-5 accuracy   %6.2f %%  (%llu of %llu)\n", percent(result->top5, result->answers),
			       (unsigned long long)result->top5, (unsigned long long)result->answers);
		if (result->dense)
			printf("mean IoU         %6.4f\n", result->mean_iou);
		if (result->classes <= SHOWN_CLASSES)
			code = print_confusion(result);
		code = cli_worse(code, print_classes(result));
	}
	if (settings->options.output != NULL)
		printf("%soutputs in %s\n", result->labelled ? "\n" : "", cli_clean(settings->options.output, clean));
	return code;
}

static json_t *json_shape(const uint32_t shape[3])
{
	return json_pack("[i,i,i]", (int)shape[0], (int)shape[1], (int)shape[2]);
}

static json_t *json_labels(const ai8x_eval_result *result)
{
	if (!result->labelled)
		return json_null();
	json_t *matrix = json_array();
	for (size_t label = 0; label < result->classes; label++) {
		json_t *row = json_array();
		for (size_t answer = 0; answer < result->classes; answer++)
			json_push(row, json_integer((json_int_t)result->confusion[label * result->classes + answer]));
		json_push(matrix, row);
	}
	const double answers = result->answers > 0 ? (double)result->answers : 1;
	return json_pack("{s:s,s:i,s:I,s:I,s:I,s:f,s:f,s:f,s:o}", "of", result->dense ? "pixels" : "inputs",
	                 "classes", (int)result->classes, "answers", (json_int_t)result->answers, "top1",
	                 (json_int_t)result->top1, "top5", (json_int_t)result->top5, "top1_accuracy",
	                 (double)result->top1 / answers, "top5_accuracy", (double)result->top5 / answers,
	                 "mean_iou", result->mean_iou, "confusion", matrix);
}

static int write_json(const struct eval_settings *settings, const ai8x_program *program,
                      const ai8x_eval_result *result)
{
	const ai8x_eval_progress *progress = &result->progress;
	const ai8x_cluster *cluster = settings->options.cluster;
	json_t *root = json_pack(
		"{s:i,s:o,s:o,s:s,s:o,s:I,s:I,s:f,s:i,s:i,s:i,s:I,s:s,s:f,s:o,s:o,s:o,s:o}", "version", 1, "program",
		json_text(settings->program), "name", json_text(ai8x_program_name(program)), "part",
		ai8x_part_get_info(ai8x_program_part(program))->name, "data", json_text(settings->data), "inputs",
		(json_int_t)progress->inputs, "resumed", (json_int_t)progress->resumed, "seconds", progress->seconds,
		"jobs", (int)settings->options.jobs, "ranks", cluster != NULL ? (int)cluster->size : 1, "lost_ranks",
		cluster != NULL ? (int)cluster->lost : 0, "cycles", (json_int_t)result->cycles, "cycles_are",
		ai8x_part_get_info(ai8x_program_part(program))->cycles_exact ? "exact" : "estimate", "cycles_error",
		ai8x_cycles_error(ai8x_program_part(program), NULL), "input_shape", json_shape(result->input_shape),
		"output_shape", json_shape(result->output_shape), "labels", json_labels(result), "output",
		json_text(settings->options.output));
	const int code = cli_write_json(settings->json, root);
	json_decref(root);
	return code;
}

// --- All ---------------------------------------------------------------------------------------------

static int finish(const struct eval_settings *settings, const ai8x_program *program,
                  const ai8x_eval_result *result)
{
	int code = CLI_OK;
	if (settings->json == NULL || strcmp(settings->json, "-") != 0)
		code = print_result(settings, program, result);
	if (settings->json != NULL)
		code = cli_worse(code, write_json(settings, program, result));
	return code;
}

// The library calls it the same whether input or output fails; messages begin with the name of the file.
static bool is_about_output(const struct eval_settings *settings, const ai8x_error *error)
{
	const char *output = settings->options.output;
	const size_t length = output != NULL ? strlen(output) : 0;
	// A name that fills the whole message.
	if (length >= sizeof error->message && strncmp(error->message, output, sizeof error->message - 1) == 0)
		return true;
	if (length == 0 || strncmp(error->message, output, length) != 0)
		return false;
	const char *rest = error->message + length;
	return rest[0] == ':' || strncmp(rest, ".part:", 6) == 0;
}

static int evaluate(struct eval_settings *settings, const ai8x_program *program)
{
	ai8x_error error = {0};
	ai8x_eval_result result;
	const ai8x_cluster *cluster = settings->options.cluster;
	settings->options.progress = report;
	settings->options.note = tell;
	cli_interruptible();
	cli_guard_data(settings->data);
	ai8x_status status = ai8x_eval(program, settings->data, &settings->options, &result, &error);
	cli_guard_data(NULL);
	cli_progress_clear();
	int code = CLI_OK;
	if (status == AI8X_OK && (cluster == NULL || cluster->rank == 0))
		code = finish(settings, program, &result);
	else if (status != AI8X_OK && (cluster == NULL || cluster->rank == 0))
		code = is_about_output(settings, &error) ? cli_fail_writing(NULL, &error) : cli_fail(NULL, &error);
	else if (status != AI8X_OK)
		code = is_about_output(settings, &error) ? CLI_RESOURCES : cli_exit_of(status);
	if (status == AI8X_ERR_CANCELLED && settings->options.output != NULL)
		cli_error("%s.part has what is done; the same command goes on from there", settings->options.output);
	ai8x_eval_release(&result);
	return code;
}

int cmd_eval(int argc, char **argv)
{
	struct eval_settings settings = {.options = ai8x_eval_options_default()};
	settings.options.jobs = cli_processors();
	cli_parse(&command_line, argc, argv, NULL, &settings);
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	char part[4096];
	(void)snprintf(part, sizeof part, "%s.part", settings.options.output);
	if (settings.options.output != NULL && cli_keep_apart(&command_line, &settings, part, NULL) != CLI_OK)
		return CLI_USAGE;
	const ai8x_program_options open_options = {.part = settings.part};
	int code = cli_cluster_open(&settings.options.cluster);
	if (code != CLI_OK)
		return code;
	if (cli_open_program(settings.program, &open_options, &program, &error) == AI8X_OK) {
		code = evaluate(&settings, program);
		ai8x_program_destroy(program);
	} else {
		code = cli_cluster_refuse(settings.options.cluster, settings.program, &error);
	}
	cli_cluster_close(settings.options.cluster, code);
	cli_end_as_interrupted();
	return code;
}
