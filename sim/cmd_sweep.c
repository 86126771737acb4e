// ai8xsim sweep: a grid over parameters of a network.
#include "cli.h"
#include "cli_cluster.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_JOBS = 1024, SHOWN = 30 };

struct sweep_settings {
	uint32_t shape[3];
	const char *spec, *csv, *hdf5, *html;
	unsigned jobs;
};

#define AT(member) offsetof(struct sweep_settings, member)

static const struct cli_option option_rows[] = {
	{"csv", 0, "FILE", CLI_WRITES, AT(csv),
     "Write all points as CSV; - for standard output, in place of the table", 1},
	{"output", 'o', "FILE", CLI_WRITES, AT(hdf5), "Write all points as HDF5", 1},
	{"html", 0, "FILE", CLI_WRITES, AT(html),
     "Draw all points by both objectives, as one self-contained page", 1},
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
		   "  ai8xsim sweep widths.yaml                        what can be gained, and what does it cost?\n"
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
	(void)error;
	ai8x_sweep_html(sweep, file);
	return AI8X_OK;
}

static void print_heading(struct cli_table *table, const ai8x_sweep *sweep)
{
	static const char *const headings[] = {"cycles", "time", "MAC", "parameters", "kernel %", "data %"};
	for (size_t a = 0; a < ai8x_sweep_axis_count(sweep); a++)
		cli_table_cell(table, CLI_BOLD, "%s", ai8x_sweep_axis_name(sweep, a));
	for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++)
		cli_table_cell(table, CLI_BOLD, "%s", headings[i]);
}

static void print_point(struct cli_table *table, const ai8x_sweep *sweep, size_t index)
{
	const ai8x_sweep_point *point = ai8x_sweep_point_at(sweep, index);
	char text[32];
	for (size_t a = 0; a < ai8x_sweep_axis_count(sweep); a++)
		cli_table_cell(table, CLI_PLAIN, "%s", ai8x_sweep_value(sweep, index, a));
	const char *estimate = ai8x_part_get_info(ai8x_part_find(point->part))->cycles_exact ? "" : "~";
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

static int print_best(const ai8x_sweep *sweep)
{
	const size_t points = ai8x_sweep_point_count(sweep), axes = ai8x_sweep_axis_count(sweep);
	char columns[AI8X_SWEEP_MAX_AXES + 8] = "";
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
		printf("the first that cannot: %s\n", cli_clean(reason, clean));
	memset(columns, 'l', axes);
	memset(columns + axes, 'r', 6);
	struct cli_table *table = cli_table_create(columns);
	if (table == NULL)
		return CLI_RESOURCES;
	print_heading(table, sweep);
	size_t shown = 0;
	for (size_t i = 0; i < points && shown < SHOWN; i++) {
		if (!ai8x_sweep_point_at(sweep, i)->best)
			continue;
		print_point(table, sweep, i);
		shown++;
	}
	const int code = best > 0 ? cli_table_print(table, stdout) : CLI_OK;
	cli_print_standing(best_parts(sweep));
	if (best > shown)
		printf("and %zu more: --csv, --html\n", best - shown);
	cli_table_destroy(table);
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
		code = cli_worse(code, print_best(sweep));
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
