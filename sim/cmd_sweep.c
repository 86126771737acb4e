// ai8xsim sweep: a grid over parameters of a network.
#include "cli.h"
#include "cli_cluster.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_JOBS = 1024, SHOWN = 30, MEASURES = 7 };

struct sweep_settings {
	uint32_t shape[3];
	const char *spec, *csv, *hdf5, *html;
	unsigned jobs;
	bool wide;
};

#define AT(member) offsetof(struct sweep_settings, member)

static const struct cli_option option_rows[] = {
	{"csv", 0, "FILE", CLI_WRITES, AT(csv),
     "Write all points as CSV; - for standard output, in place of the table", 1},
	{"output", 'o', "FILE", CLI_WRITES, AT(hdf5), "Write all points as HDF5", 1},
	{"html", 0, "FILE", CLI_WRITES, AT(html),
     "Draw all points by both objectives, as one self-contained page", 1},
	CLI_WIDE(AT(wide), 1),
	CLI_INPUT_SHAPE(AT(shape), 2),
	{"jobs", 'j', "N", CLI_UNSIGNED, AT(jobs),
     "Compute N points at the same time (default: as many as there are processors)", 2, 1, MAX_JOBS},
	{0},
};

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "SPEC.yaml",
	.takes = CLI_ONE,
	.target = AT(spec),
	.none = "no specification given",
	.many = "one specification at a time",
	.doc = "Compiles and times a network for every combination of parameters in a specification "
		   "(docs/sweep.md): "
		   "cycles, energy, kernel and data memory, and which points are best. Weights are not needed.\v"
		   "Examples:\n"
		   "  ai8xsim sweep widths.yaml                        what is to be gained?\n"
		   "  ai8xsim sweep widths.yaml --html front.html      the same as a picture\n"
		   "  ai8xsim sweep widths.yaml --csv - | sort -t, ... for scripts\n"
		   "\n"
		   "Exit status: 0 done, 2 usage, 3 bad input, 5 out of resources.",
};

static bool report(void *user, size_t done, size_t points)
{
	(void)user;
	cli_progress("%zu of %zu points", done, points);
	return cli_interrupted() == 0;
}

static ai8x_status put_csv(const void *sweep, FILE *file, ai8x_error *error)
{
	(void)error;
	ai8x_sweep_csv(sweep, file);
	return AI8X_OK;
}

static ai8x_status put_html(const void *sweep, FILE *file, ai8x_error *error)
{
	return ai8x_sweep_html(sweep, file, error);
}

// What the table shows: best points without those that equal another one, and the axes in which they differ.
struct shown {
	const ai8x_sweep *sweep;
	size_t points[SHOWN];
	size_t count, folded;
	bool differs[AI8X_SWEEP_MAX_AXES];
	size_t axes;
};

static void choose(struct shown *shown)
{
	const ai8x_sweep *sweep = shown->sweep;
	for (size_t i = 0; i < ai8x_sweep_point_count(sweep) && shown->count < SHOWN; i++)
		if (ai8x_sweep_point_at(sweep, i)->best && !ai8x_sweep_point_at(sweep, i)->tied)
			shown->points[shown->count++] = i;
	for (size_t a = 0; a < ai8x_sweep_axis_count(sweep); a++) {
		for (size_t i = 1; i < shown->count && !shown->differs[a]; i++)
			shown->differs[a] = strcmp(ai8x_sweep_value(sweep, shown->points[i], a),
			                           ai8x_sweep_value(sweep, shown->points[0], a)) != 0;
		shown->axes += shown->differs[a];
	}
	for (size_t i = 0; i < ai8x_sweep_point_count(sweep); i++)
		shown->folded += ai8x_sweep_point_at(sweep, i)->tied;
}

static void print_common(const struct shown *shown)
{
	const char *separator = "in all of these: ";
	char text[CLI_CLEAN_BYTES] = "", name[CLI_CLEAN_BYTES], value[CLI_CLEAN_BYTES];
	for (size_t a = 0; a < ai8x_sweep_axis_count(shown->sweep) && shown->count > 0; a++) {
		const size_t length = strlen(text);
		if (shown->differs[a])
			continue;
		(void)snprintf(text + length, sizeof text - length, "%s%s %s", separator,
		               cli_clean(ai8x_sweep_axis_name(shown->sweep, a), name),
		               cli_clean(ai8x_sweep_value(shown->sweep, shown->points[0], a), value));
		separator = ", ";
	}
	if (text[0] != '\0')
		cli_paragraph(stdout, 2, "%s", text);
}

static void print_heading(struct cli_table *table, const struct shown *shown)
{
	static const char *const headings[MEASURES] = {"equal",      "cycles",   "time",  "MAC",
	                                               "parameters", "kernel %", "data %"};
	for (size_t a = 0; a < ai8x_sweep_axis_count(shown->sweep); a++)
		if (shown->differs[a])
			cli_table_cell(table, CLI_BOLD, "%s", ai8x_sweep_axis_name(shown->sweep, a));
	for (size_t i = 0; i < MEASURES; i++)
		cli_table_cell(table, CLI_BOLD, "%s", i > 0 || shown->folded > 0 ? headings[i] : "");
}

static void print_point(struct cli_table *table, const struct shown *shown, size_t index)
{
	const ai8x_sweep_point *point = ai8x_sweep_point_at(shown->sweep, index);
	char text[32];
	for (size_t a = 0; a < ai8x_sweep_axis_count(shown->sweep); a++)
		if (shown->differs[a])
			cli_table_cell(table, CLI_PLAIN, "%s", ai8x_sweep_value(shown->sweep, index, a));
	const char *estimate = ai8x_part_get_info(ai8x_part_find(point->part))->cycles_exact ? "" : "~";
	(void)snprintf(text, sizeof text, "+%u", point->ties);
	cli_table_cell(table, CLI_PLAIN, "%s", point->ties > 0 ? text : "");
	cli_table_cell(table, CLI_PLAIN, "%s%s", estimate, cli_thousands(point->cycles, text));
	cli_table_cell(table, CLI_BOLD, "%s%s", estimate, cli_duration(point->seconds, text));
	cli_table_cell(table, CLI_PLAIN, "%s", cli_thousands(point->macs, text));
	cli_table_cell(table, CLI_PLAIN, "%s", cli_thousands(point->parameters, text));
	cli_table_cell(table, CLI_PLAIN, "%.1f",
	               100 * (double)point->kernel_words / (double)point->kernel_capacity);
	cli_table_cell(table, CLI_PLAIN, "%.1f", 100 * (double)point->data_words / (double)point->data_capacity);
}

static unsigned best_parts(const ai8x_sweep *sweep)
{
	unsigned parts = 0;
	for (size_t i = 0; i < ai8x_sweep_point_count(sweep); i++)
		if (ai8x_sweep_point_at(sweep, i)->best)
			parts |= cli_part_bit(ai8x_part_find(ai8x_sweep_point_at(sweep, i)->part));
	return parts;
}

static size_t print_counts(const ai8x_sweep *sweep)
{
	const size_t points = ai8x_sweep_point_count(sweep);
	size_t able = 0, best = 0;
	const char *reason = NULL;
	for (size_t i = 0; i < points; i++) {
		const ai8x_sweep_point *point = ai8x_sweep_point_at(sweep, i);
		able += point->status == AI8X_OK;
		best += point->best;
		reason = reason == NULL && point->status != AI8X_OK ? point->message : reason;
	}
	char clean[CLI_CLEAN_BYTES];
	printf("%s: %zu points, %zu can run, %zu are best\n", cli_clean(ai8x_sweep_name(sweep), clean), points,
	       able, best);
	if (reason != NULL)
		cli_paragraph(stdout, 2, "the first that cannot: %s", cli_clean(reason, clean));
	return best;
}

static int print_table(const struct shown *shown, bool wide)
{
	// Left out first: memory, multiply-accumulates, cycles.
	static const char order[] = "0403021";
	char columns[AI8X_SWEEP_MAX_AXES + MEASURES + 1] = "", left_out[sizeof columns] = "";
	memset(columns, 'l', shown->axes);
	memset(columns + shown->axes, 'r', MEASURES);
	memset(left_out, '0', shown->axes);
	memcpy(left_out + shown->axes, order, MEASURES);
	struct cli_table *table = cli_table_create(columns);
	print_heading(table, shown);
	for (size_t i = 0; i < shown->count; i++)
		print_point(table, shown, shown->points[i]);
	if (!wide)
		cli_table_fit(table, left_out);
	const int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return code;
}

static int print_best(const ai8x_sweep *sweep, bool wide)
{
	struct shown shown = {.sweep = sweep};
	const size_t best = print_counts(sweep);
	choose(&shown);
	print_common(&shown);
	const int code = best > 0 ? print_table(&shown, wide) : CLI_OK;
	if (shown.folded > 0)
		printf("equal: so many more points have the same values of both objectives\n");
	cli_print_standing(best_parts(sweep));
	if (best - shown.folded > shown.count)
		printf("and %zu more: --csv, --html\n", best - shown.folded - shown.count);
	return code;
}

static bool any_can_run(const ai8x_sweep *sweep)
{
	for (size_t i = 0; i < ai8x_sweep_point_count(sweep); i++)
		if (ai8x_sweep_point_at(sweep, i)->status == AI8X_OK)
			return true;
	return false;
}

static int finish(const struct sweep_settings *settings, const ai8x_sweep *sweep)
{
	int code = CLI_OK;
	ai8x_error error = {0};
	if (settings->csv != NULL)
		code = cli_worse(code, cli_write(settings->csv, put_csv, sweep));
	if (settings->html != NULL)
		code = cli_worse(code, cli_write(settings->html, put_html, sweep));
	if (settings->hdf5 != NULL && ai8x_sweep_hdf5(sweep, settings->hdf5, &error) != AI8X_OK) {
		(void)cli_fail(NULL, &error);
		code = cli_worse(code, CLI_RESOURCES);
	}
	if (settings->csv == NULL || strcmp(settings->csv, "-") != 0)
		code = cli_worse(code, print_best(sweep, settings->wide));
	if (!any_can_run(sweep)) {
		cli_error("%s: none of its points can run", settings->spec);
		code = cli_worse(code, CLI_BAD_INPUT);
	}
	return code;
}

int cmd_sweep(int argc, char **argv)
{
	struct sweep_settings settings = {.jobs = cli_processors()};
	ai8x_sweep_options run = {.progress = report};
	ai8x_sweep *sweep = NULL;
	ai8x_error error = {0};
	cli_parse(&command_line, argc, argv, NULL, &settings);
	int code = cli_cluster_open(&run.cluster);
	if (code != CLI_OK)
		return code;
	const bool root = run.cluster == NULL || run.cluster->rank == 0;
	run.jobs = settings.jobs;
	if (ai8x_sweep_open(settings.spec, settings.shape[0] != 0 ? settings.shape : NULL, &sweep, &error) !=
	    AI8X_OK) {
		code = cli_cluster_refuse(run.cluster, settings.spec, &error);
	} else if (cli_keep_apart(&command_line, &settings, NULL, ai8x_sweep_network_path(sweep)) != CLI_OK) {
		code = CLI_USAGE;
		error.status = AI8X_ERR_ARGUMENT;
		ai8x_cluster_refuse(run.cluster, &error);
	} else {
		cli_interruptible();
		const ai8x_status status = ai8x_sweep_run(sweep, &run, &error);
		cli_progress_clear();
		if (status == AI8X_OK)
			code = root ? finish(&settings, sweep) : CLI_OK;
		else
			code = root ? cli_fail(NULL, &error) : cli_exit_of(status);
	}
	ai8x_sweep_destroy(sweep);
	cli_cluster_close(run.cluster, code);
	cli_end_as_interrupted();
	return code;
}
