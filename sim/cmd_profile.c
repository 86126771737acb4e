// ai8xsim profile: where every cycle goes, what limits each layer, and what to change.
#include "cli.h"
#include "cli_open.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ADVICE_DEFAULT = 8 };

struct profile_settings {
	bool wide;
	const char *path, *baseline, *json, *html, *clock, *volts;
	const ai8x_part *part;
	uint32_t fifo_pace;
	uint32_t advice;
	ai8x_compile_options compile;
	ai8x_network_files files;
	uint32_t shape[3];
};

#define AT(member) offsetof(struct profile_settings, member)

static const struct cli_choice feeds[] = {
	{"auto", AI8X_FEED_AUTO},
	{"memory", AI8X_FEED_MEMORY},
	{"fifo", AI8X_FEED_FIFO},
	{"fast-fifo", AI8X_FEED_FAST_FIFO},
	{0},
};

static const struct cli_option option_rows[] = {
	{"baseline", 0, "FILE", CLI_READS, AT(baseline), "Compare with another program or network", 1},
	{"clock", 0, "CLOCK", CLI_TEXT, AT(clock),
     "Accelerator clock: PCLK, ISO/4, IPLL (MAX78002), \"12.5 MHz\", PCLKDIV=0x10000 (default: as generated "
     "software sets it up)",
     1},
	{"volts", 0, "V", CLI_TEXT, AT(volts),
     "Core supply, for energy: a voltage at which the part was measured, 1.0 (default) or 1.1 on the "
     "MAX78002",
     1},
	{"fifo-pace", 0, "N", CLI_UINT32, AT(fifo_pace),
     "Accelerator cycles between two FIFO writes of the host (default: as it writes them at the clock; 0: "
     "always in time)",
     1, 0, 1000000},
	{"advice", 0, "N", CLI_UINT32, AT(advice), "At most N suggestions (default 8; 0: none). Networks only", 1,
     0, 1000},
	{"part", 0, "NAME", CLI_PART, AT(part),
     "The part of networks and .mem files: MAX78000 (default) or MAX78002", 2},
	CLI_SIZE_ROWS(files, shape, 2),
	{"feed", 0, "HOW", CLI_CHOICE, AT(compile.feed),
     "Input of a network: auto (default), memory, fifo, fast-fifo", 2, .choices = feeds},
	{"no-pipeline", 0, NULL, CLI_CLEAR, AT(compile.pipeline), "Networks on the MAX78002: without pipelining",
     2},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write the profile as JSON; - for standard output, in place of the table", 3},
	CLI_WIDE(AT(wide), 3),
	{"html", 0, "FILE", CLI_WRITES, AT(html), "Write the profile as one self-contained HTML page", 3},
	{0},
};

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "PROGRAM|NETWORK.yaml",
	.takes = CLI_ONE,
	.target = AT(path),
	.none = "no program or network given",
	.many = "one program at a time; --baseline compares two",
	.doc =
		"Shows where every cycle of a program or network goes, what limits each layer, and what to change. "
		"Nothing is run and no weights are needed: cycles follow from the registers, and equal what the "
		"exact engine counts.\v"
		"Examples:\n"
		"  ai8xsim profile program.h5\n"
		"      Which layers take how long, and why?\n"
		"  ai8xsim profile network.yaml --html report.html\n"
		"      The same before there are weights, with advice, and as pictures.\n"
		"  ai8xsim profile new.yaml --baseline old.yaml --clock ISO\n"
		"      What has a change gained, at another clock?\n"
		"\n"
		"Cycles of the MAX78002 and all energies are estimates and marked with ~.\n"
		"Exit status: 0 done, 2 usage, 3 bad input, 5 out of resources.",
};

// --- Table -------------------------------------------------------------------------------------------

static const char *about(const ai8x_part *part)
{
	return ai8x_part_get_info(part)->cycles_exact ? "" : "~";
}

static const char *energy_text(double joules, char text[32])
{
	(void)snprintf(text, 32, joules < 1e-6 ? "~%.2f uJ" : "~%.1f uJ", 1e6 * joules);
	return text;
}

// Columns of the table of layers. Without --wide those that fit 80 characters are shown.
enum column {
	LAYER,
	OPERATION,
	SHAPE,
	PASSES,
	PROCESSORS,
	CYCLES,
	SHARE,
	TIME,
	MACS,
	MACS_PER_CYCLE,
	PEAK,
	WORDS_PER_MAC,
	DATA_IN,
	DATA_OUT,
	KERNELS,
	ENERGY,
	BOUND,
	COLUMNS
};

static const struct {
	const char *head;
	char align;
	bool narrow;
} columns[COLUMNS] = {
	[LAYER] = {"layer", 'r', true},       [OPERATION] = {"operation", 'l', true},
	[SHAPE] = {"shape", 'l', false},      [PASSES] = {"passes", 'r', false},
	[PROCESSORS] = {"proc.", 'r', false}, [CYCLES] = {"cycles", 'r', true},
	[SHARE] = {"share", 'r', true},       [TIME] = {"time", 'r', false},
	[MACS] = {"MAC", 'r', false},         [MACS_PER_CYCLE] = {"MAC/cyc", 'r', false},
	[PEAK] = {"peak", 'r', false},        [WORDS_PER_MAC] = {"words/MAC", 'r', false},
	[DATA_IN] = {"data in", 'r', false},  [DATA_OUT] = {"data out", 'r', false},
	[KERNELS] = {"kernels", 'r', false},  [ENERGY] = {"energy", 'r', false},
	[BOUND] = {"bound", 'l', true},
};

#define CELL 192
// Bytes of an operation, and what goes before a limit in words, in the narrow table.
#define NARROW_OPERATION 26
#define LIMITED_BY "limited by "
// A smaller change, in percent, is none.
#define LEAST_CHANGE 0.05

struct row {
	char cells[COLUMNS][CELL];
};

#define FILL(row, column, ...) (void)snprintf((row)->cells[column], CELL, __VA_ARGS__)

static void print_row(struct cli_table *table, const struct row *row, bool wide, enum cli_style totals)
{
	for (int c = 0; c < COLUMNS; c++) {
		const char *text = row->cells[c];
		const bool total = c == CYCLES || c == TIME;
		if (!wide && !columns[c].narrow)
			continue;
		if (!wide && c == BOUND && strncmp(text, LIMITED_BY, strlen(LIMITED_BY)) == 0)
			text += strlen(LIMITED_BY);
		size_t length = strlen(text);
		if (!wide && c == OPERATION && length > NARROW_OPERATION) {
			// Not within a character.
			for (length = NARROW_OPERATION; length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80;)
				length--;
		}
		cli_table_cell(table, total ? totals : CLI_PLAIN, "%.*s", (int)length, text);
	}
}

static void fill_row(struct row *row, const ai8x_profile_layer *layer, const char *mark)
{
	char text[32];
	*row = (struct row){0};
	FILL(row, LAYER, "%u", layer->number);
	FILL(row, OPERATION, "%s%s%s", layer->name, layer->name[0] != '\0' ? ": " : "", layer->operation);
	FILL(row, SHAPE, "%s", layer->shape);
	FILL(row, PASSES, "%u", layer->schedule->layer.passes);
	FILL(row, PROCESSORS, "%u", layer->processors);
	FILL(row, CYCLES, "%s%s", mark, cli_thousands(layer->schedule->cycles, text));
	FILL(row, SHARE, "%.1f %%", 100 * layer->share);
	FILL(row, TIME, "%s%s", mark, cli_duration(layer->seconds, text));
	FILL(row, MACS, "%s", cli_thousands(layer->macs, text));
	FILL(row, MACS_PER_CYCLE, "%.1f", layer->macs_per_cycle);
	FILL(row, PEAK, "%.1f %%", 100 * layer->peak_share);
	if (layer->macs > 0)
		FILL(row, WORDS_PER_MAC, "%.4f", layer->words_per_mac);
	else
		FILL(row, WORDS_PER_MAC, "-");
	FILL(row, DATA_IN, "%s", cli_thousands(layer->input_words, text));
	FILL(row, DATA_OUT, "%s", cli_thousands(layer->output_words, text));
	FILL(row, KERNELS, "%s", cli_thousands(layer->kernel_words, text));
	FILL(row, ENERGY, "%s", energy_text(layer->joules, text));
	FILL(row, BOUND, "%s", ai8x_bound_text(layer->bound));
}

static void fill_totals(struct row *row, const ai8x_profile *profile, const char *mark)
{
	const double per_cycle = (double)profile->macs / (double)profile->timing.schedule.cycles;
	char text[32];
	*row = (struct row){0};
	FILL(row, LAYER, "run");
	FILL(row, CYCLES, "%s%s", mark, cli_thousands(profile->timing.schedule.cycles, text));
	FILL(row, TIME, "%s%s", mark, cli_duration(profile->seconds, text));
	FILL(row, MACS, "%s", cli_thousands(profile->macs, text));
	FILL(row, MACS_PER_CYCLE, "%.1f", per_cycle);
	FILL(row, PEAK, "%.1f %%", 100.0 * per_cycle / ai8x_peak_macs(profile->part));
	FILL(row, KERNELS, "%s", cli_thousands(profile->kernel_words, text));
	FILL(row, ENERGY, "%s", energy_text(profile->joules, text));
}

static int print_layers(const ai8x_profile *profile, bool wide)
{
	const char *mark = about(profile->part);
	char aligned[COLUMNS + 1] = "";
	size_t shown = 0;
	for (int c = 0; c < COLUMNS; c++)
		if (wide || columns[c].narrow)
			aligned[shown++] = columns[c].align;
	struct cli_table *table = cli_table_create(aligned);
	for (int c = 0; c < COLUMNS; c++)
		if (wide || columns[c].narrow)
			cli_table_cell(table, CLI_BOLD, "%s", columns[c].head);
	struct row row;
	for (size_t i = 0; i < profile->layer_count; i++) {
		fill_row(&row, &profile->layers[i], mark);
		print_row(table, &row, wide, CLI_PLAIN);
	}
	cli_table_rule(table);
	fill_totals(&row, profile, mark);
	print_row(table, &row, wide, CLI_BOLD);
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	if (!wide)
		printf("One inference: %s, %s\n", row.cells[TIME], row.cells[ENERGY]);
	return code;
}

static void print_causes(const ai8x_profile *profile)
{
	const ai8x_counters *total = &profile->counters;
	char text[32];
	const double cycles = (double)profile->timing.schedule.cycles;
	printf("\nWhere the cycles go%s:\n",
	       ai8x_part_get_info(profile->part)->cycles_exact ? "" : " (estimate)");
	const ai8x_cause *cause;
	for (unsigned i = 0; (cause = ai8x_cause_get(i)) != NULL; i++) {
		const uint64_t spent = ai8x_cause_cycles(cause, total);
		if (spent > 0)
			printf("  %-20s %12s  %5.1f %%\n", cause->name, cli_thousands(spent, text),
			       100 * (double)spent / cycles);
	}
	if (total->pass_cycles > 0)
		printf("  of all these, %s cycles (%.1f %%) are passes after the first\n",
		       cli_thousands(total->pass_cycles, text), 100 * (double)total->pass_cycles / cycles);
}

static void print_loading(const ai8x_profile *profile)
{
	const ai8x_loading *loading = &profile->timing.loading;
	char count[32], time[32];
	const struct {
		const char *what;
		uint64_t writes;
		double seconds;
	} rows[] = {
		{"kernels", loading->kernel_writes, loading->kernel_seconds},
		{"bias", loading->bias_writes, loading->bias_seconds},
		{"registers", loading->register_writes, loading->register_seconds},
		{"input", loading->input_writes, loading->input_seconds},
	};
	cli_paragraph(stdout, 0,
	              "\nLoading before the run, not part of its time (estimate, accelerator at %g MHz%s):",
	              profile->timing.loading_clock.hz / 1e6,
	              profile->loading_assumed ? "; packed kernels, as there are none" : "");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].writes > 0)
			printf("  %-20s %12s writes  ~%s\n", rows[i].what, cli_thousands(rows[i].writes, count),
			       cli_duration(rows[i].seconds, time));
	}
	if (loading->joules > 0)
		printf("  %-20s %19s %s, all of it\n", "energy", "", energy_text(loading->joules, time));
	if (profile->timing.schedule.fifo_words > 0)
		printf("  %-20s %12s words, during the run, %u cycles apart%s\n", "FIFO",
		       cli_thousands(profile->timing.schedule.fifo_words, count), profile->feed.write_cycles,
		       profile->timing.synthetic_feed ? " (one frame assumed)" : "");
}

static void print_macs(const ai8x_profile *profile)
{
	char network[32], more[32];
	if (profile->network_macs > 0 && profile->macs > profile->network_macs)
		cli_paragraph(
			stdout, 0,
			"\nMAC: the accelerator does %s more than the %s of the network, for channels that fill "
			"passes and words and for zeros in kernels.",
			cli_thousands(profile->macs - profile->network_macs, more),
			cli_thousands(profile->network_macs, network));
}

static void print_memory(const ai8x_profile *profile)
{
	char used[32], all[32];
	printf("\nMemory: %s of %s kernel words", cli_thousands(profile->kernel_words, used),
	       cli_thousands(profile->kernel_capacity, all));
	printf(", at most %s of %s data words\n", cli_thousands(profile->data_words, used),
	       cli_thousands(profile->data_capacity, all));
}

// --- Baseline and advice -----------------------------------------------------------------------------

static double change_percent(double before, double after)
{
	return before > 0 ? 100 * (after - before) / before : 0;
}

// Green only where something is better.
static void change_cell(struct cli_table *table, double before, double after)
{
	const double change = change_percent(before, after);
	if (fabs(change) < LEAST_CHANGE)
		cli_table_cell(table, CLI_PLAIN, "none");
	else
		cli_table_cell(table, change < 0 ? CLI_GREEN : CLI_YELLOW, "%+.1f %%", change);
}

// marks: before both numbers.
static void compare_row(struct cli_table *table, const char *what, const char *const marks[2], double before,
                        double after, int digits)
{
	const double values[2] = {before, after};
	char text[32];
	cli_table_cell(table, CLI_PLAIN, "%s", what);
	for (size_t i = 0; i < 2; i++)
		if (digits == 0)
			cli_table_cell(table, CLI_PLAIN, "%s%s", marks[i], cli_thousands((uint64_t)values[i], text));
		else
			cli_table_cell(table, CLI_PLAIN, "%s%.*f", marks[i], digits, values[i]);
	change_cell(table, before, after);
}

static void head_comparison(struct cli_table *table, const char *what, const ai8x_profile *baseline,
                            const ai8x_profile *profile)
{
	const bool same = strcmp(baseline->name, profile->name) == 0;
	cli_table_cell(table, CLI_BOLD, "%s", what);
	cli_table_cell(table, CLI_BOLD, "%s", same ? "before" : baseline->name);
	cli_table_cell(table, CLI_BOLD, "%s", same ? "now" : profile->name);
	cli_table_cell(table, CLI_BOLD, "change");
}

static void layer_row(struct cli_table *table, const ai8x_profile_layer *layer,
                      const ai8x_profile_layer *other, const char *const marks[2])
{
	char text[32];
	cli_table_cell(table, CLI_PLAIN, "%u %s", layer->number,
	               layer->name[0] != '\0' ? layer->name : layer->operation);
	if (other != NULL)
		cli_table_cell(table, CLI_PLAIN, "%s%s", marks[0], cli_thousands(other->schedule->cycles, text));
	else
		cli_table_cell(table, CLI_DIM, "-");
	cli_table_cell(table, CLI_PLAIN, "%s%s", marks[1], cli_thousands(layer->schedule->cycles, text));
	if (other != NULL)
		change_cell(table, (double)other->schedule->cycles, (double)layer->schedule->cycles);
	else
		cli_table_cell(table, CLI_PLAIN, "new");
}

static int print_layer_changes(const ai8x_profile *profile, const ai8x_profile *baseline,
                               const char *const marks[2])
{
	struct cli_table *table = cli_table_create("lrrr");
	head_comparison(table, "cycles of layer", baseline, profile);
	size_t matched = 0;
	for (size_t i = 0; i < profile->layer_count; i++) {
		const ai8x_profile_layer *other = ai8x_profile_counterpart(profile, i, baseline);
		matched += other != NULL;
		layer_row(table, &profile->layers[i], other, marks);
	}
	// Networks that have nothing in common are not compared layer by layer.
	int code = CLI_OK;
	if (matched > 0) {
		printf("\n");
		code = cli_table_print(table, stdout);
	}
	cli_table_destroy(table);
	return code;
}

static int print_baseline(const ai8x_profile *profile, const ai8x_profile *baseline)
{
	struct cli_table *table = cli_table_create("lrrr");
	head_comparison(table, "", baseline, profile);
	const char *const times[2] = {about(baseline->part), about(profile->part)}, *const counts[2] = {"", ""};
	compare_row(table, "cycles", times, (double)baseline->timing.schedule.cycles,
	            (double)profile->timing.schedule.cycles, 0);
	compare_row(table, "time, us", times, 1e6 * baseline->seconds, 1e6 * profile->seconds, 1);
	compare_row(table, "energy, uJ (estimate)", counts, 1e6 * baseline->joules, 1e6 * profile->joules, 1);
	compare_row(table, "multiply-accumulates", counts, (double)baseline->macs, (double)profile->macs, 0);
	compare_row(table, "kernel words", counts, (double)baseline->kernel_words, (double)profile->kernel_words,
	            0);
	compare_row(table, "data words at most", counts, (double)baseline->data_words,
	            (double)profile->data_words, 0);
	printf("\nCompared with the baseline:\n");
	int code = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return code == CLI_OK ? print_layer_changes(profile, baseline, times) : code;
}

// What a change does, after the numbers of all of it.
#define GAIN_BYTES 256

static void describe_gain(const ai8x_advice *advice, const char *mark, char text[GAIN_BYTES])
{
	char before[32], after[32], change[32] = "none";
	const double percent = 100 * ((double)advice->cycles_after / (double)advice->cycles_before - 1);
	if (fabs(percent) >= LEAST_CHANGE)
		(void)snprintf(change, sizeof change, "%+.1f %%", percent);
	size_t used = (size_t)snprintf(text, GAIN_BYTES, "%s%s -> %s%s cycles (%s), with input", mark,
	                               cli_thousands(advice->cycles_before, before), mark,
	                               cli_thousands(advice->cycles_after, after), change);
	used += (size_t)snprintf(text + used, GAIN_BYTES - used, " ~%s -> ~%s, energy",
	                         cli_duration(advice->seconds_before, before),
	                         cli_duration(advice->seconds_after, after));
	used += (size_t)snprintf(text + used, GAIN_BYTES - used, " %s -> %s",
	                         energy_text(advice->joules_before, before),
	                         energy_text(advice->joules_after, after));
	if (advice->kernel_words_after != advice->kernel_words_before)
		(void)snprintf(text + used, GAIN_BYTES - used, ", kernel words %s -> %s",
		               cli_thousands(advice->kernel_words_before, before),
		               cli_thousands(advice->kernel_words_after, after));
}

static void print_advice(const ai8x_advice_list *list, const char *mark)
{
	printf("\nAdvice (%zu changes tried; each was compiled and timed by itself):\n", list->tried);
	for (size_t i = 0; i < list->count; i++) {
		char clean[CLI_CLEAN_BYTES], gain[GAIN_BYTES];
		describe_gain(&list->advice[i], mark, gain);
		cli_paragraph(stdout, 5, "%3zu. %s", i + 1, cli_clean(list->advice[i].change, clean));
		cli_paragraph(stdout, 5, "     %s", gain);
		cli_paragraph(stdout, 5, "     %s", cli_clean(list->advice[i].why, clean));
	}
	if (list->count == 0)
		printf("  none of them makes this network faster or larger for free\n");
}

// --- Command -----------------------------------------------------------------------------------------

struct profiled {
	ai8x_program *program;
	ai8x_network *network;
	ai8x_profile *profile;
	ai8x_clock clock; // as asked for; hz 0: not
};

static void release(struct profiled *profiled)
{
	ai8x_profile_destroy(profiled->profile);
	ai8x_network_destroy(profiled->network);
	ai8x_program_destroy(profiled->program);
}

// The voltage that text names; 0, which is nominal, without text.
static int measured_volts(const ai8x_part *part, const char *text, double *volts)
{
	if (text == NULL)
		return CLI_OK;
	char *end = NULL;
	*volts = strtod(text, &end);
	char known[64] = "";
	for (size_t i = 0; ai8x_energy_volts(part, i) > 0; i++) {
		const double measured = ai8x_energy_volts(part, i);
		if (end != text && *end == '\0' && *volts == measured)
			return CLI_OK;
		size_t length = strlen(known);
		(void)snprintf(known + length, sizeof known - length, "%s%.1f", i > 0 ? " or " : "", measured);
	}
	cli_error("--volts: the energy of the %s was measured at %s V, not at '%s'",
	          ai8x_part_get_info(part)->name, known, text);
	return CLI_USAGE;
}

static int profile_file(const struct profile_settings *settings, const char *path, struct profiled *profiled)
{
	ai8x_error error = {0};
	int code = cli_open_any(path, &settings->files, settings->part, &settings->compile, &profiled->program,
	                        &profiled->network);
	if (code != CLI_OK)
		return code;
	if (settings->clock != NULL && ai8x_clock_parse(ai8x_program_part(profiled->program), settings->clock,
	                                                &profiled->clock, &error) != AI8X_OK)
		return cli_fail(NULL, &error);
	ai8x_profile_options options = {.network = profiled->network,
	                                .feed = {.write_cycles = settings->fifo_pace},
	                                .clock = profiled->clock};
	code = measured_volts(ai8x_program_part(profiled->program), settings->volts, &options.volts);
	if (code != CLI_OK)
		return code;
	if (ai8x_profile_create(profiled->program, &options, &profiled->profile, &error) != AI8X_OK)
		return cli_fail(path, &error);
	return CLI_OK;
}

// advisable: a program was given, and advice wanted.
static int print_tables(const ai8x_profile *profile, const ai8x_profile *baseline,
                        const ai8x_advice_list *advice, bool advisable, bool wide)
{
	char clean[CLI_CLEAN_BYTES];
	printf("%s on %s, %s = %g MHz\n\n", cli_clean(profile->name, clean),
	       ai8x_part_get_info(profile->part)->name, profile->clock.name, profile->clock.hz / 1e6);
	int code = print_layers(profile, wide);
	if (code != CLI_OK)
		return code;
	print_macs(profile);
	print_causes(profile);
	print_loading(profile);
	print_memory(profile);
	cli_print_standing(cli_part_bit(profile->part));
	printf("Energy is an estimate, off by up to %.0f %% on measurements it was not fitted to.\n",
	       100 * ai8x_energy_error(profile->part));
	if (profile->timing.schedule.conditional)
		printf("A snoop unit decides at run time which layers follow; it was assumed not to trigger.\n");
	if (baseline != NULL)
		code = print_baseline(profile, baseline);
	if (code == CLI_OK && advice != NULL)
		print_advice(advice, about(profile->part));
	else if (code == CLI_OK && advisable)
		printf("\nAdvice on what to change needs the network: profile its description (.yaml)\nin place of "
		       "the program.\n");
	return code;
}

struct shown {
	const ai8x_profile *profile, *baseline;
	const ai8x_advice_list *advice;
};

static ai8x_status put_html(const void *user, FILE *file, ai8x_error *error)
{
	const struct shown *shown = user;
	(void)error;
	ai8x_profile_html(shown->profile, shown->baseline, shown->advice, file);
	return AI8X_OK;
}

static ai8x_status put_json(const void *user, FILE *file, ai8x_error *error)
{
	const struct shown *shown = user;
	return ai8x_profile_json(shown->profile, shown->baseline, shown->advice, file, error);
}

static int report(const struct profile_settings *settings, const ai8x_profile *profile,
                  const ai8x_profile *baseline, const ai8x_advice_list *advice)
{
	const struct shown shown = {profile, baseline, advice};
	int code = CLI_OK;
	if (settings->html != NULL)
		code = cli_write(settings->html, put_html, &shown);
	if (code == CLI_OK && settings->json != NULL)
		code = cli_write(settings->json, put_json, &shown);
	if (code == CLI_OK && (settings->json == NULL || strcmp(settings->json, "-") != 0))
		code =
			print_tables(profile, baseline, advice, advice == NULL && settings->advice > 0, settings->wide);
	return code;
}

static int advise(const struct profile_settings *settings, const struct profiled *profiled,
                  ai8x_advice_list *list)
{
	ai8x_error error = {0};
	ai8x_profile_options options = {.feed = {.write_cycles = settings->fifo_pace}, .clock = profiled->clock};
	int code = measured_volts(ai8x_program_part(profiled->program), settings->volts, &options.volts);
	if (code != CLI_OK)
		return code;
	ai8x_status status = ai8x_advise(profiled->network, ai8x_program_part(profiled->program),
	                                 &settings->compile, &options, settings->advice, list, &error);
	return status == AI8X_OK ? CLI_OK : cli_fail(settings->path, &error);
}

int cmd_profile(int argc, char **argv)
{
	struct profile_settings settings = {
		.fifo_pace = AI8X_FEED_HOST,
		.advice = ADVICE_DEFAULT,
		.compile = ai8x_compile_options_default(),
	};
	cli_parse(&command_line, argc, argv, NULL, &settings);
	if (settings.shape[0] != 0)
		settings.files.input_shape = settings.shape;
	struct profiled now = {0}, baseline = {0};
	ai8x_advice_list list = {0};
	int code = profile_file(&settings, settings.path, &now);
	if (code == CLI_OK && settings.baseline != NULL)
		code = profile_file(&settings, settings.baseline, &baseline);
	if (code == CLI_OK)
		code = cli_keep_network_apart(&command_line, &settings, NULL, now.network);
	if (code == CLI_OK)
		code = cli_keep_network_apart(&command_line, &settings, NULL, baseline.network);
	bool advised = code == CLI_OK && now.network != NULL && settings.advice > 0;
	if (advised)
		code = advise(&settings, &now, &list);
	if (code == CLI_OK)
		code = report(&settings, now.profile, baseline.profile, advised ? &list : NULL);
	ai8x_advice_release(&list);
	release(&baseline);
	release(&now);
	return code;
}
