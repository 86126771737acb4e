// ai8xsim trace: writes what happens in each cycle as VCD, trace events or CSV.
#include "cli.h"
#include "cli_files.h"
#include "cli_guard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

struct trace_settings {
	const char *program, *output;
	ai8x_trace_options trace;
	uint32_t fifo_pace;
	const char *clock_text;
	ai8x_clock clock;
};

static const struct {
	const char *suffix;
	ai8x_trace_format format;
} formats[] = {{".vcd", AI8X_TRACE_VCD}, {".json", AI8X_TRACE_EVENTS}, {".csv", AI8X_TRACE_CSV}};

static void parse_from(const struct argp_state *state, char *argument, void *settings)
{
	ai8x_trace_options *trace = &((struct trace_settings *)settings)->trace;
	cli_option_when(state, "--from", argument, &trace->from_cycle, &trace->from_layer);
}

static void parse_to(const struct argp_state *state, char *argument, void *settings)
{
	ai8x_trace_options *trace = &((struct trace_settings *)settings)->trace;
	cli_option_when(state, "--to", argument, &trace->to_cycle, &trace->to_layer);
}

static void parse_signals(const struct argp_state *state, char *text, void *settings)
{
	static const char *const names[] = {"sequencer", "reads", "writes", "tram",
	                                    "output",    "fifo",  "groups", "all"};
	struct trace_settings *given = settings;
	char *rest = NULL;
	for (char *name = strtok_r(text, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest))
		given->trace.signals |= ai8x_trace_signal_find(names[cli_option_name(
			state, "--signals", "signals", name, names, sizeof names / sizeof names[0], sizeof names[0])]);
}

#define AT(member) offsetof(struct trace_settings, member)

static const struct cli_option option_rows[] = {
	{"output", 'o', "FILE", CLI_WRITES, AT(output), "Where to; the suffix says how: .vcd, .json or .csv", 1},
	{"from", 0, "WHEN", CLI_CALL, 0, "First cycle, or first layer (such as L3)", 1, .call = parse_from},
	{"to", 0, "WHEN", CLI_CALL, 0, "Cycle after the last one, or last layer (such as L3)", 1,
     .call = parse_to},
	{"signals", 0, "LIST", CLI_CALL, 0,
     "Some of sequencer,reads,writes,tram,output,fifo (the default), groups, all", 1, .call = parse_signals},
	{"fifo-pace", 0, "N", CLI_UINT32, AT(fifo_pace),
     "Accelerator cycles between two FIFO writes of the host (default: as it writes them at the clock; 0: "
     "always in time)",
     1, 0, 1000000},
	{"clock", 0, "CLOCK", CLI_TEXT, AT(clock_text),
     "Clock of the time axis: PCLK/2, ISO, \"12.5 MHz\" (default: the part's)", 1},
	{0},
};

static void pick_format(const struct argp_state *state, struct trace_settings *settings)
{
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		if (cli_has_suffix(settings->output, formats[i].suffix)) {
			settings->trace.format = formats[i].format;
			return;
		}
	}
	argp_error(state, "--output: '%s' ends in none of .vcd, .json, .csv", settings->output);
}

static void check_line(const struct argp_state *state, void *settings)
{
	struct trace_settings *given = settings;
	if (given->output == NULL)
		argp_error(state, "no file to write to: give -o FILE.vcd, FILE.json or FILE.csv");
	pick_format(state, given);
	if (given->trace.to_cycle != 0 && given->trace.to_cycle <= given->trace.from_cycle)
		argp_error(state, "--to %llu: the trace would end before its beginning",
		           (unsigned long long)given->trace.to_cycle);
}

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "PROGRAM",
	.takes = CLI_ONE,
	.target = AT(program),
	.none = "no program given",
	.many = "one program at a time",
	.check = check_line,
	.doc = "Runs a program cycle by cycle and writes what happens in each cycle.\v"
		   "Examples:\n"
		   "  ai8xsim trace program.h5 -o program.json\n"
		   "      The whole run, for ui.perfetto.dev.\n"
		   "  ai8xsim trace program.h5 -o two.vcd --from L2 --to L2 --signals sequencer\n"
		   "      What the sequencer does in layer 2, for GTKWave.\n"
		   "  ai8xsim trace program.h5 -o start.csv --to 2000\n"
		   "      The first 2000 cycles as a table.\n"
		   "\n"
		   "Exit status: 0 done, 1 the run did not compute what the program expects, 2 usage, 3 bad input, 4 "
		   "the machine stopped, 5 out of resources. A trace is also written in cases 1 and 4.",
};

static bool layer_ran(const ai8x_machine *machine, int layer)
{
	for (size_t i = 0; i < ai8x_machine_layer_count(machine); i++)
		if (ai8x_machine_layer_report(machine, i)->layer.index == (uint32_t)layer)
			return true;
	return false;
}

// A trace of nothing is a mistake in --from or --to.
static int check_window(const struct trace_settings *settings, const ai8x_machine *machine,
                        const ai8x_trace *trace, uint64_t cycles)
{
	const int layers[] = {settings->trace.from_layer, settings->trace.to_layer};
	for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
		if (layers[i] >= 0 && !layer_ran(machine, layers[i])) {
			cli_error("%s: layer %d does not run", settings->program, layers[i]);
			return CLI_USAGE;
		}
	}
	if (settings->trace.from_cycle >= cycles) {
		cli_error("%s: --from %llu: the run ends after %llu cycles", settings->program,
		          (unsigned long long)settings->trace.from_cycle, (unsigned long long)cycles);
		return CLI_USAGE;
	}
	const bool chosen =
		settings->trace.from_cycle > 0 || settings->trace.to_cycle > 0 || layers[0] >= 0 || layers[1] >= 0;
	if (!chosen || ai8x_trace_events(trace) > 0)
		return CLI_OK;
	cli_error("%s: nothing to trace between --from and --to", settings->program);
	return CLI_USAGE;
}

// Cycles between two FIFO words: as given, or as the host writes them at the program's clock.
static ai8x_status find_pace(const struct trace_settings *settings, const ai8x_program *program,
                             uint32_t *cycles, ai8x_error *error)
{
	*cycles = settings->fifo_pace;
	if (*cycles != AI8X_FEED_HOST)
		return AI8X_OK;
	const ai8x_part *part = ai8x_program_part(program);
	ai8x_clock clock = settings->clock;
	ai8x_timing timing;
	ai8x_status status = AI8X_OK;
	if (clock.hz == 0) {
		clock = ai8x_clock_default(part, true);
		status = ai8x_time_program(program, NULL, &timing, error);
	}
	if (settings->clock.hz == 0 && status == AI8X_OK) {
		clock = timing.clock;
		ai8x_timing_release(&timing);
	}
	*cycles = ai8x_feed_cycles(part, &clock);
	return status == AI8X_ERR_NO_MEMORY ? status
	                                    : AI8X_OK; // what cannot be timed in advance has no other clock
}

static int run_traced(const struct trace_settings *settings, const ai8x_program *program, ai8x_trace *trace)
{
	ai8x_machine_options choices = ai8x_machine_options_default();
	ai8x_machine *machine = NULL;
	ai8x_error error = {0};
	choices.engine = AI8X_ENGINE_EXACT;
	ai8x_runner_options options = ai8x_runner_options_default();
	if (find_pace(settings, program, &options.fifo_write_cycles, &error) != AI8X_OK ||
	    ai8x_machine_create(ai8x_program_part(program), &choices, &machine, &error) != AI8X_OK)
		return cli_fail(settings->program, &error);
	options.observer = ai8x_trace_event;
	options.observer_kinds = ai8x_trace_kinds(trace);
	options.observer_user = trace;
	ai8x_runner_result result;
	ai8x_status status = ai8x_runner_run(machine, program, &options, &result);
	int code = cli_exit_of(status);
	if (status != AI8X_OK)
		cli_error("%s: %s", settings->program, result.message);
	else if (!result.pass)
		cli_error("%s: the run did not compute what the program expects; the trace shows what it did",
		          settings->program);
	if (status == AI8X_OK && !result.pass)
		code = CLI_CHECK_FAILED;
	if (status == AI8X_OK)
		code = cli_worse(code, check_window(settings, machine, trace, result.cycles));
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
	return code;
}

// Whole or not at all: also of a run that was stopped.
static int write_trace(struct trace_settings *settings, const ai8x_program *program)
{
	struct file_draft draft;
	ai8x_error error = {0};
	ai8x_trace *trace = NULL;
	if (file_begin(&draft, settings->output, &error) != AI8X_OK) {
		(void)cli_fail(settings->output, &error);
		return CLI_RESOURCES;
	}
	cli_remove_when_killed(draft.temporary);
	const int copy = dup(draft.fd);
	FILE *file = copy >= 0 ? fdopen(copy, "w") : NULL;
	int code = CLI_OK;
	if (file == NULL) {
		cli_error("%s: cannot write: %s", settings->output, strerror(errno));
		if (copy >= 0)
			(void)close(copy);
		code = CLI_RESOURCES;
	} else if (ai8x_trace_create(ai8x_program_part(program), &settings->trace, file, &trace, &error) !=
	           AI8X_OK) {
		code = cli_fail(settings->output, &error);
	} else {
		code = run_traced(settings, program, trace);
		if (ai8x_trace_finish(trace, &error) != AI8X_OK) {
			cli_error("%s: %s", settings->output, error.message);
			code = CLI_RESOURCES;
		}
	}
	if (file != NULL && fclose(file) != 0 && errno != EINTR) {
		cli_error("%s: cannot write: %s", settings->output, strerror(errno));
		code = CLI_RESOURCES;
	}
	if (code == CLI_USAGE || code == CLI_RESOURCES) {
		file_abandon(&draft);
	} else if (file_commit(&draft, &error) != AI8X_OK) {
		(void)cli_fail(settings->output, &error);
		code = CLI_RESOURCES;
	}
	cli_remove_when_killed(NULL);
	return code;
}

int cmd_trace(int argc, char **argv)
{
	struct trace_settings settings = {.fifo_pace = AI8X_FEED_HOST,
	                                  .trace = {.from_layer = -1, .to_layer = -1}};
	cli_parse(&command_line, argc, argv, NULL, &settings);
	ai8x_program_options options = {.skip_results = true};
	ai8x_program *program = NULL;
	ai8x_error error = {0};
	if (cli_open_image(settings.program, &options, &program, &error) != AI8X_OK)
		return cli_fail(settings.program, &error);
	int code = CLI_OK;
	if (settings.clock_text != NULL && ai8x_clock_parse(ai8x_program_part(program), settings.clock_text,
	                                                    &settings.clock, &error) != AI8X_OK) {
		code = cli_fail(NULL, &error);
	} else {
		settings.trace.clock_hz = settings.clock.hz;
		settings.trace.name = ai8x_program_name(program);
		code = write_trace(&settings, program);
	}
	ai8x_program_destroy(program);
	return code;
}
