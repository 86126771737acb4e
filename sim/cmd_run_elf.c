// ai8xsim run, for firmware: runs ELF files and says pass or fail, with cycles.
#include "cmd_run_elf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "cli_files.h"
#include "cli_guard.h"
#include "cli_junit.h"
#include "cli_sockets.h"
#include "cli_terminal.h"

#include "base/file.h"

// ---- options ----

#define MOST AI8X_FIRMWARE_MAX_STUBS
// More than the memories of both parts.
#define LOAD_LIMIT ((size_t)4 << 20)

struct options {
	ai8x_firmware_options firmware;
	ai8x_firmware_patterns patterns;
	ai8x_firmware_board board;
	ai8x_firmware_stub stubs[MOST];
	ai8x_firmware_load loads[MOST];
	ai8x_firmware_io io;
	const char *uarts[AI8X_FIRMWARE_UARTS]; // far ends, by name
	struct cli_terminal terminals[AI8X_FIRMWARE_UARTS];
	bool all_inferences, debug, seconds_given, instructions_given;
	uint32_t gdb_port;
	const char *golden, *json, *junit, *uart, *record;
	bool quiet;
	struct cli_words images;
};

#define AT(member) offsetof(struct options, member)

static void read_sound_level(const struct argp_state *state, char *argument, void *settings)
{
	struct options *options = settings;
	char *end = NULL;
	options->io.sound_level = strtod(argument, &end);
	if (end == argument || *end != '\0' || !(options->io.sound_level >= -120 && options->io.sound_level <= 0))
		argp_error(state, "--i2s-level: '%s' is no level from -120 to 0 dB", argument);
}

static void read_base(const struct argp_state *state, char *argument, void *settings)
{
	struct options *options = settings;
	options->board.base = (uint32_t)cli_option_number(state, "--base", argument, 1, UINT32_MAX);
}

static void read_inference(const struct argp_state *state, char *argument, void *settings)
{
	struct options *options = settings;
	options->all_inferences = strcmp(argument, "all") == 0;
	if (!options->all_inferences)
		options->board.inference = (uint32_t)cli_option_number(state, "--inference", argument, 1, UINT32_MAX);
}

// Splits NAME=REST, and returns REST.
static char *split(const struct argp_state *state, const char *option, char *argument)
{
	char *mark = strchr(argument, '=');
	if (mark == NULL || mark == argument || mark[1] == 0)
		argp_error(state, "%s needs NAME=..., got '%s'", option, argument);
	*mark = 0;
	return mark + 1;
}

static void read_stub(const struct argp_state *state, char *argument, void *settings)
{
	struct options *options = settings;
	if (options->board.stub_count == MOST)
		argp_error(state, "at most %d functions can be stubs", MOST);
	char *value = split(state, "--stub", argument);
	options->stubs[options->board.stub_count++] = (ai8x_firmware_stub){
		.function = argument, .value = (uint32_t)cli_option_number(state, "--stub", value, 0, UINT32_MAX)};
	options->board.stubs = options->stubs;
}

static void read_load(const struct argp_state *state, char *argument, void *settings)
{
	struct options *options = settings;
	if (options->board.load_count == MOST)
		argp_error(state, "at most %d buffers can be filled", MOST);
	char *path = split(state, "--load", argument);
	unsigned char *bytes = NULL;
	size_t size = 0;
	ai8x_error error = {0};
	if (file_read(path, LOAD_LIMIT, &bytes, &size, &error) != AI8X_OK)
		argp_failure(state, cli_exit_of(error.status), 0, "%s", error.message);
	options->loads[options->board.load_count++] =
		(ai8x_firmware_load){.symbol = argument, .bytes = bytes, .size = size};
	options->board.loads = options->loads;
}

const struct cli_option run_firmware_options[] = {
	{"part", 0, "NAME", CLI_PART, AT(firmware.part),
     "MAX78000 or MAX78002 (default: found from stack pointer and image size)", 1},
	CLI_ENGINE_ROWS(firmware.machine.engine, firmware.machine.cpu, firmware.machine.threads, 1),
	{"base", 0, "ADDRESS", CLI_CALL, 0, "Where a .bin file lies (default: the start of flash)", 1,
     .call = read_base},
	{"stub", 0, "FUNCTION=VALUE", CLI_CALL, 0, "FUNCTION returns VALUE at once; may be repeated", 1,
     .call = read_stub},
	{"load", 0, "SYMBOL=FILE", CLI_CALL, 0, "Fill a buffer with a file when main begins; may be repeated", 1,
     .call = read_load},
	{"gdb", 0, "PORT", CLI_UINT32, AT(gdb_port),
     "Wait for gdb on that port of 127.0.0.1 before the first instruction (0: any free port)", 1, 0, 65535,
     AT(debug)},
	{"uart0", 0, "END", CLI_TEXT, AT(uarts[0]),
     "Far end of UART0: - (standard input), pty, tcp:PORT, or a file that is received", 4},
	{"uart1", 0, "END", CLI_TEXT, AT(uarts[1]), "The same of UART1", 4},
	{"uart2", 0, "END", CLI_TEXT, AT(uarts[2]), "The same of UART2", 4},
	{"uart3", 0, "END", CLI_TEXT, AT(uarts[3]), "The same of UART3", 4},
	{"gpio", 0, "FILE", CLI_READS, AT(io.gpio), "Pins and buttons by time: CSV lines of seconds,pin,level",
     4},
	{"i2s", 0, "FILE", CLI_READS, AT(io.sound), "Sound file that the microphone hears", 4},
	{"i2s-level", 0, "DB", CLI_CALL, 0,
     "Level of that sound, -120 to 0 dB (default 0; a voice at a microphone is at about -24)", 4,
     .call = read_sound_level},
	{"camera", 0, "PNG", CLI_TEXT, AT(io.camera), "Picture that the camera sees, or a folder of them", 4},
	{"display", 0, "PNG", CLI_WRITES, AT(io.display), "Write what the display shows at the end", 4},
	{"card", 0, "FILE", CLI_READS, AT(io.card), "Image of an SD card; it stays as it is", 4},
	{"card-out", 0, "FILE", CLI_WRITES, AT(io.card_out), "Write the SD card as the run left it", 4},
	{"board", 0, "YAML", CLI_READS, AT(io.description), "Description of a board that combines these", 4},
	{"files", 0, "FOLDER", CLI_TEXT, AT(board.files), "Let semihosting open files in this folder", 4},
	{"vcd", 0, "FILE", CLI_WRITES, AT(board.vcd),
     "Write pins, characters, exceptions, runs of the accelerator and sleep by time (VCD)", 3},
	{"flash-out", 0, "FILE", CLI_WRITES, AT(board.flash_out), "Write the flash as the run left it", 3},
	{"inference", 0, "N", CLI_CALL, 0,
     "Which inference --record and --golden take, from 1, or all (default 1)", 2, .call = read_inference},
	{"strict", 0, NULL, CLI_FLAG, AT(firmware.strict),
     "Stop at the first read of a register that is not modelled", 1},
	{"max-instructions", 0, "N", CLI_UINT64, AT(firmware.max_instructions),
     "Watchdog: 16-bit code units executed (default 500000000)", 1, 1, INT64_MAX, AT(instructions_given)},
	{"max-seconds", 0, "N", CLI_SECONDS, AT(firmware.max_seconds),
     "Watchdog: simulated seconds, maybe with a fraction (default 60)", 1, 0, AI8X_FIRMWARE_MAX_SECONDS,
     AT(seconds_given)},
	{"expect", 0, "REGEX", CLI_TEXT, AT(patterns.expect),
     "What the console prints when all is well (default PASS)", 2},
	{"fail", 0, "REGEX", CLI_TEXT, AT(patterns.fail), "What it prints on failure (default FAIL|[Mm]ismatch)",
     2},
	{"until", 0, "SYMBOL", CLI_TEXT, AT(firmware.until), "Stop when this function is reached; that is a pass",
     2},
	{"golden", 0, "PROGRAM", CLI_READS, AT(golden),
     "Compare every layer of the first inference with this program", 2},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write results as JSON; - for standard output, in place of everything else", 3},
	{"junit", 0, "FILE", CLI_WRITES, AT(junit), "Write results as JUnit XML, for CI systems", 3},
	{"uart", 0, "FILE", CLI_WRITES, AT(uart), "Write what was printed (one image only)", 3},
	{"record", 0, "FILE", CLI_WRITES, AT(record),
     "Write what the firmware did to the accelerator as a program (one image only)", 3},
	{"quiet", 'q', NULL, CLI_FLAG, AT(quiet), "Do not show the console", 3},
	{0},
};

static void check_line(const struct argp_state *state, void *settings)
{
	const struct options *options = settings;
	if (options->images.count > 1 &&
	    (options->uart != NULL || options->record != NULL || options->board.flash_out != NULL))
		argp_error(state, "--uart, --record and --flash-out take one image");
	if (options->images.count > 1 && (options->debug || options->board.vcd != NULL ||
	                                  options->io.display != NULL || options->io.card_out != NULL))
		argp_error(state, "--gdb, --display and --card-out take one image");
	for (unsigned i = 0; i < AI8X_FIRMWARE_UARTS; i++)
		if (options->record != NULL && options->all_inferences &&
		    (options->debug || options->uarts[i] != NULL))
			argp_error(state,
			           "--record of all inferences runs the image once for each: what comes by --uart%u or "
			           "--gdb cannot be repeated",
			           i);
	for (unsigned i = 0; i < AI8X_FIRMWARE_UARTS; i++)
		if (options->images.count > 1 && options->uarts[i] != NULL)
			argp_error(state, "--uart%u takes one image", i);
}

static const struct cli_line command_line = {
	.options = run_firmware_options,
	.words = "FIRMWARE...",
	.takes = CLI_SOME,
	.target = AT(images),
	.none = "no firmware given",
	.check = check_line,
	.doc =
		"Runs the ELF files that go on the board: Cortex-M4, the chip around it, the accelerator.\v"
		"Examples:\n"
		"  ai8xsim run build/kws.elf\n"
		"      Does it boot, and does its known-answer test pass?\n"
		"  ai8xsim run --junit results.xml --quiet build/*.elf\n"
		"      The same for CI.\n"
		"  ai8xsim run --golden kws.h5 build/kws.elf\n"
		"      Does every layer compute what the recorded program says?\n"
		"  ai8xsim run --record kws.h5 build/kws.elf\n"
		"      The firmware's accelerator set-up as a program that runs without the core.\n"
		"\n"
		"Exit status: 0 pass, 1 fail or no verdict, 2 usage, 3 bad input, 4 the firmware had to be stopped, "
		"5 out of resources.",
};

bool run_is_firmware(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char magic[4] = {0};
		FILE *file;
		if (argv[i][0] == '-' || file_stream(argv[i], &file, NULL) != AI8X_OK)
			continue;
		size_t size = fread(magic, 1, sizeof magic, file);
		(void)fclose(file);
		if (ai8x_firmware_is_elf(magic, size) || cli_has_suffix(argv[i], ".hex") ||
		    cli_has_suffix(argv[i], ".bin"))
			return true;
	}
	return false;
}

// ---- one image ----

struct run {
	const struct options *options;
	const ai8x_program *golden;
	const char *path;
	const ai8x_part *part;
	ai8x_firmware *firmware;
	const ai8x_firmware_result *result; // NULL: could not be opened
	ai8x_error error;
	ai8x_firmware_verdict verdict;
	char reason[AI8X_MESSAGE_SIZE];
	size_t inferences; // that have ended
	bool compared;
	ai8x_firmware_comparison comparison;
	ai8x_error comparison_error;
	int code;
};

static void show_console(void *user, unsigned uart, const char *text, size_t size)
{
	const struct run *run = user;
	(void)uart;
	if (!run->options->quiet)
		(void)fwrite(text, 1, size, stdout);
}

static bool after_inference(void *user, ai8x_machine *machine, const ai8x_firmware_inference *inference)
{
	struct run *run = user;
	(void)inference;
	const struct options *options = run->options;
	const size_t number = ++run->inferences,
				 asked = options->board.inference == 0 ? 1 : options->board.inference;
	if (run->golden != NULL &&
	    (options->all_inferences ? run->comparison_error.status == AI8X_OK : number == asked)) {
		run->compared = true;
		(void)ai8x_firmware_compare(machine, run->golden, &run->comparison, &run->comparison_error);
	}
	return true;
}

static bool was_stopped(ai8x_firmware_end end)
{
	return end == AI8X_FIRMWARE_TIMEOUT || end == AI8X_FIRMWARE_FAULT || end == AI8X_FIRMWARE_ACCELERATOR ||
	       end == AI8X_FIRMWARE_UNMODELLED;
}

// A recording that expects nothing would pass whatever it computes.
static int check_recorded(const char *path, const ai8x_program *program)
{
	size_t count, expected = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count; i++)
		expected += ops[i].kind == AI8X_BUS_EXPECT;
	if (expected > 0)
		return CLI_OK;
	cli_error("%s: nothing to check: after the inference the firmware read no words that the recording could "
	          "expect",
	          path);
	return CLI_UNCHECKED;
}

static int save_recording(const char *image, const char *path, const ai8x_program *program)
{
	ai8x_error error = {0};
	if (program == NULL) {
		cli_error("%s: no inference finished: nothing to record", image);
		return CLI_CHECK_FAILED;
	}
	if (ai8x_program_save(program, path, &error) != AI8X_OK) {
		(void)cli_fail(path, &error);
		return CLI_RESOURCES;
	}
	return check_recorded(path, program);
}

// The same run once more for an inference after the first one; what a run leaves has been written.
static int record_again(const struct run *run, size_t number)
{
	const char *path = run->options->record;
	const size_t stem = strlen(path) - (cli_has_suffix(path, ".h5") ? 3 : 0);
	ai8x_firmware_options options = run->options->firmware;
	ai8x_firmware_board board = run->options->board;
	ai8x_firmware_io io = run->options->io;
	io.display = io.card_out = NULL;
	board.io = &io;
	board.flash_out = board.vcd = NULL;
	board.binary = cli_has_suffix(run->path, ".bin");
	board.inference = (uint32_t)number;
	options.board = &board;
	options.record = options.machine.capture_outputs = true;
	ai8x_firmware *firmware = NULL;
	ai8x_error error = {0};
	char *numbered = NULL;
	if (asprintf(&numbered, "%.*s-%zu%s", (int)stem, path, number, path + stem) < 0) {
		cli_error("out of memory for the name of a recording");
		return CLI_RESOURCES;
	}
	int code = CLI_OK;
	if (ai8x_firmware_open(run->path, &options, &firmware, &error) != AI8X_OK) {
		code = cli_fail(run->path, &error);
	} else {
		(void)ai8x_firmware_run(firmware, NULL);
		code = save_recording(run->path, numbered, ai8x_firmware_program(firmware));
	}
	ai8x_firmware_destroy(firmware);
	free(numbered);
	return code;
}

static int save_outputs(struct run *run)
{
	const struct options *options = run->options;
	int code = CLI_OK;
	if (options->uart != NULL)
		code =
			cli_worse(code, cli_write_file(options->uart, run->result->console, run->result->console_size));
	if (options->record == NULL)
		return code;
	code = cli_worse(code, save_recording(run->path, options->record, ai8x_firmware_program(run->firmware)));
	for (size_t number = 2; options->all_inferences && number <= run->result->inference_count; number++)
		code = cli_worse(code, record_again(run, number));
	return code;
}

static void run_image(struct run *run)
{
	ai8x_firmware_options options = run->options->firmware;
	options.console = show_console;
	options.inference = after_inference;
	options.user = run;
	ai8x_firmware_board board = run->options->board;
	board.binary = cli_has_suffix(run->path, ".bin");
	options.board = &board;
	options.record = run->options->record != NULL;
	options.machine.capture_outputs = options.record || run->golden != NULL;
	if (ai8x_firmware_open(run->path, &options, &run->firmware, &run->error) != AI8X_OK) {
		run->code = cli_fail(run->path, &run->error);
		return;
	}
	run->part = ai8x_firmware_part(run->firmware);
	(void)ai8x_firmware_run(run->firmware, &run->result);
	if (ai8x_firmware_judge(run->result, &run->options->patterns, &run->verdict, run->reason, &run->error) !=
	    AI8X_OK) {
		run->result = NULL;
		run->code = CLI_USAGE;
		cli_error("%s", run->error.message);
		return;
	}
	if (run->golden != NULL && run->verdict != AI8X_FIRMWARE_FAIL) {
		if (!run->compared) {
			run->verdict = AI8X_FIRMWARE_FAIL;
			(void)snprintf(run->reason, sizeof run->reason, "no inference finished: nothing to compare");
		} else if (run->comparison_error.status != AI8X_OK) {
			run->verdict = AI8X_FIRMWARE_FAIL;
			(void)snprintf(run->reason, sizeof run->reason, "%s", run->comparison_error.message);
		}
	}
	// AI8X_ERR_IO: an output could not be written.
	const ai8x_status status = run->result->status;
	run->code = status == AI8X_ERR_NO_MEMORY || status == AI8X_ERR_IO ? CLI_RESOURCES
	            : run->verdict == AI8X_FIRMWARE_PASS                  ? CLI_OK
	            : was_stopped(run->result->end)                       ? CLI_STOPPED
	                                                                  : CLI_CHECK_FAILED;
	run->code = cli_worse(run->code, save_outputs(run));
}

// ---- reports ----

static void print_registers(const struct run *run)
{
	const ai8x_firmware_result *result = run->result;
	if (result->register_count == 0)
		return;
	(void)printf("not modelled, plain storage:");
	for (size_t i = 0; i < result->register_count && i < 8; i++)
		(void)printf(" %s", result->registers[i].name);
	if (result->register_count > 8)
		(void)printf(" and %zu more", result->register_count - 8);
	(void)putchar('\n');
}

// When words come from the core through a FIFO, its instructions' times count too, and those are estimates.
static bool are_exact(const struct run *run, const ai8x_firmware_inference *row)
{
	return ai8x_part_get_info(run->part)->cycles_exact && !row->fifo;
}

static double error_of(const struct run *run, const ai8x_firmware_inference *row)
{
	return row->fifo ? ai8x_fed_cycles_error(run->part) : ai8x_cycles_error(run->part, NULL);
}

#define MOST_ROWS 20

static void print_summary(const struct run *run)
{
	const ai8x_firmware_result *result = run->result;
	uint64_t least = UINT64_MAX, most = 0, sum = 0;
	size_t finished = 0;
	char first[32], last[32], mean[32], time[32];
	double seconds = 0;
	for (size_t i = 0; i < result->inference_count; i++) {
		const ai8x_firmware_inference *row = &result->inferences[i];
		if (!row->finished)
			continue;
		least = row->cycles < least ? row->cycles : least;
		most = row->cycles > most ? row->cycles : most;
		sum += row->cycles;
		seconds += row->seconds;
		finished++;
	}
	if (finished > 0)
		(void)printf("%zu inferences, %zu finished: %s to %s cycles, mean %s; %s in all\n",
		             result->inference_count, finished, cli_thousands(least, first),
		             cli_thousands(most, last), cli_thousands(sum / finished, mean),
		             cli_duration(seconds, time));
}

static void print_inferences(const struct run *run)
{
	char text[32];
	const ai8x_firmware_result *result = run->result;
	if (result->inference_count == 0)
		return;
	struct cli_table *table = cli_table_create("rrrrl");
	cli_table_cell(table, CLI_BOLD, "inference");
	cli_table_cell(table, CLI_BOLD, "layers");
	cli_table_cell(table, CLI_BOLD, "cycles");
	cli_table_cell(table, CLI_BOLD, "time");
	cli_table_cell(table, CLI_BOLD, "clock");
	for (size_t i = 0; i < result->inference_count; i++) {
		const ai8x_firmware_inference *row = &result->inferences[i];
		// Of many, the first, the last, and whatever did not end.
		if (result->inference_count > MOST_ROWS && i >= 3 && i + 1 < result->inference_count && row->finished)
			continue;
		cli_table_cell(table, CLI_PLAIN, "%zu", i + 1);
		cli_table_cell(table, CLI_PLAIN, "%u", row->layers);
		const char *about = are_exact(run, row) ? "" : "~";
		cli_table_cell(table, CLI_PLAIN, "%s%s", about, cli_thousands(row->cycles, text));
		cli_table_cell(table, CLI_PLAIN, "%s%s", about, cli_duration(row->seconds, text));
		cli_table_cell(table, CLI_PLAIN, "%g MHz%s%s", 1e-6 * row->clock_hz, row->fifo ? ", fed by FIFO" : "",
		               row->finished ? "" : ", not finished");
	}
	(void)cli_table_print(table, stdout);
	cli_table_destroy(table);
	if (result->inference_count > MOST_ROWS)
		print_summary(run);
	cli_print_standing(cli_part_bit(run->part));
}

// Where the time went, as a power monitor on the board tells it apart.
static void print_phases(const struct run *run)
{
	const ai8x_firmware_result *result = run->result;
	char text[32];
	if (result->phase_count < 2)
		return;
	(void)printf("phases:");
	for (size_t i = 0; i < result->phase_count; i++) {
		const ai8x_firmware_phase *phase = &result->phases[i];
		(void)printf("%s %s %s", i > 0 ? "," : "", cli_duration(phase->seconds, text), phase->name);
		if (phase->joules >= 0)
			(void)printf(" (~%.3g uJ above idle)", 1e6 * phase->joules);
	}
	(void)putchar('\n');
}

static void print_report(const struct run *run)
{
	static const struct {
		enum cli_style style;
		const char *word;
	} words[AI8X_FIRMWARE_VERDICTS] = {{CLI_GREEN, "pass"}, {CLI_RED, "FAIL"}, {CLI_YELLOW, "no verdict"}};
	const ai8x_firmware_result *result = run->result;
	char simulated[32], wall[32], writes[32], reads[32], clean[CLI_CLEAN_BYTES], reason[CLI_CLEAN_BYTES];
	if (!run->options->quiet && result->console_size > 0 && result->console[result->console_size - 1] != '\n')
		(void)putchar('\n');
	cli_sentence(stdout, 6, "%s%s%s  %s (%s): %s", cli_style(stdout, words[run->verdict].style),
	             words[run->verdict].word, cli_style(stdout, CLI_PLAIN), cli_clean(run->path, clean),
	             ai8x_part_get_info(run->part)->name, cli_clean(run->reason, reason));
	print_inferences(run);
	print_phases(run);
	if (run->compared && run->comparison_error.status == AI8X_OK)
		(void)printf("golden: %zu layers, %llu words equal\n", run->comparison.layers,
		             (unsigned long long)run->comparison.words);
	else if (run->compared)
		(void)printf("golden: %s\n", cli_clean(run->comparison_error.message, clean));
	if (result->read_while_running)
		(void)printf(
			"warning: data memory was read while the accelerator ran; a chip does not answer then\n");
	print_registers(run);
	cli_sentence(stdout, 2, "%s simulated in %s; %s writes to and %s reads from the accelerator; end: %s",
	             cli_duration(result->simulated_seconds, simulated), cli_duration(result->wall_seconds, wall),
	             cli_thousands(result->cnn_writes, writes), cli_thousands(result->cnn_reads, reads),
	             cli_clean(result->message, clean));
}

static json_t *inference_json(const struct run *run, const ai8x_firmware_inference *row)
{
	return json_pack("{s:I, s:s, s:f, s:i, s:I, s:f, s:f, s:b, s:b}", "cycles", (json_int_t)row->cycles,
	                 "cycles_are", are_exact(run, row) ? "exact" : "estimate", "cycles_error",
	                 error_of(run, row), "layers", (int)row->layers, "clock_hz", (json_int_t)row->clock_hz,
	                 "start_seconds", row->start_seconds, "seconds", row->seconds, "fifo", row->fifo,
	                 "finished", row->finished);
}

static json_t *phases_json(const ai8x_firmware_result *result)
{
	json_t *phases = json_array();
	for (size_t i = 0; i < result->phase_count; i++) {
		const ai8x_firmware_phase *phase = &result->phases[i];
		json_t *row = json_pack("{s:s, s:f}", "name", phase->name, "seconds", phase->seconds);
		if (phase->joules >= 0)
			json_put(row, "joules", json_real(phase->joules));
		json_push(phases, row);
	}
	return phases;
}

static json_t *result_json(const struct run *run)
{
	const ai8x_firmware_result *result = run->result;
	json_t *inferences = json_array(), *registers = json_array();
	for (size_t i = 0; i < result->inference_count; i++)
		json_push(inferences, inference_json(run, &result->inferences[i]));
	for (size_t i = 0; i < result->register_count; i++)
		json_push(registers, json_pack("{s:s, s:I, s:I, s:I}", "name", result->registers[i].name, "address",
		                               (json_int_t)result->registers[i].address, "reads",
		                               (json_int_t)result->registers[i].reads, "writes",
		                               (json_int_t)result->registers[i].writes));
	json_t *object = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:i, s:I, s:f, s:f, s:I, s:I, s:b, s:s, s:o, s:o, s:o}", "file",
		run->path, "part", ai8x_part_get_info(run->part)->name, "verdict",
		ai8x_firmware_verdict_name(run->verdict), "reason", run->reason, "end",
		ai8x_firmware_end_name(result->end), "message", result->message, "main_returned",
		result->main_returned, "exit_code", (int)result->exit_code, "instructions",
		(json_int_t)result->instructions, "simulated_seconds", result->simulated_seconds, "wall_seconds",
		result->wall_seconds, "cnn_writes", (json_int_t)result->cnn_writes, "cnn_reads",
		(json_int_t)result->cnn_reads, "read_while_running", result->read_while_running, "at", result->symbol,
		"inferences", inferences, "unmodelled", registers, "phases", phases_json(result));
	if (object == NULL)
		return NULL;
	// What firmware prints need not be UTF-8.
	json_t *console = json_stringn(result->console, result->console_size);
	json_put(object, "console", console != NULL ? console : json_null());
	if (result->polled != 0)
		json_put(object, "polled",
		         json_pack("{s:s, s:I, s:I, s:I}", "name", result->polled_name, "address",
		                   (json_int_t)result->polled, "value", (json_int_t)result->polled_value, "reads",
		                   (json_int_t)result->polls));
	if (run->compared)
		json_put(object, "golden",
		         json_pack("{s:I, s:I, s:i, s:i}", "words", (json_int_t)run->comparison.words, "mismatches",
		                   (json_int_t)run->comparison.mismatches, "layers", (int)run->comparison.layers,
		                   "first_layer", run->comparison.first_layer));
	return object;
}

static json_t *run_json(const struct run *run)
{
	if (run->result != NULL)
		return result_json(run);
	return json_pack("{s:s, s:s, s:s}", "file", run->path, "verdict", "error", "reason", run->error.message);
}

static int write_json(const char *path, const struct run *runs, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_push(list, run_json(&runs[i]));
	json_t *root = json_pack("{s:s, s:i, s:o}", "format", "ai8xsim-firmware", "version", 1, "images", list);
	int code = CLI_RESOURCES;
	if (root == NULL)
		cli_error("out of memory for JSON");
	else
		code = cli_write_json(path, root);
	json_decref(root);
	return code;
}

static void fill_junit(const void *runs, size_t i, ai8x_junit_case *row, char reason[AI8X_MESSAGE_SIZE])
{
	const struct run *run = (const struct run *)runs + i;
	(void)reason; // the run keeps its own
	*row = (ai8x_junit_case){
		.group = run->part != NULL ? ai8x_part_get_info(run->part)->name : "firmware",
		.name = run->path,
		.seconds = run->result != NULL ? run->result->wall_seconds : 0,
		.outcome = cli_junit_outcome(run->code),
		.message = run->result != NULL ? run->reason : run->error.message,
		.output = run->result != NULL ? run->result->console : NULL,
	};
}

// The socket on which gdb connects, or -1.
static int wait_for_gdb(const struct options *options)
{
	uint16_t port = (uint16_t)options->gdb_port;
	const int listener = cli_listen(&port);
	if (listener < 0)
		cli_error("--gdb %u: %s", options->gdb_port, strerror(errno));
	else
		(void)fprintf(stderr, "ai8xsim: gdb: target remote 127.0.0.1:%u\n", port);
	return listener;
}

// Opens the far ends. Where somebody may answer, limits that nobody asked for would only cut the talk short.
static int open_terminals(struct options *options)
{
	static const char *const names[] = {"--uart0", "--uart1", "--uart2", "--uart3"};
	int code = CLI_OK;
	bool live = false;
	for (unsigned i = 0; i < AI8X_FIRMWARE_UARTS; i++)
		options->terminals[i] = (struct cli_terminal){-1, -1, -1};
	for (unsigned i = 0; i < AI8X_FIRMWARE_UARTS && code == CLI_OK; i++)
		if (options->uarts[i] != NULL) {
			code =
				cli_terminal_open(&options->terminals[i], names[i], options->uarts[i], &options->io.uarts[i]);
			live |= options->io.uarts[i].live;
		}
	if (live && !options->seconds_given)
		options->firmware.max_seconds = AI8X_FIRMWARE_MAX_SECONDS;
	if (live && !options->instructions_given)
		options->firmware.max_instructions = INT64_MAX;
	return code;
}

static void release(struct options *options)
{
	for (unsigned i = 0; i < AI8X_FIRMWARE_UARTS; i++)
		if (options->uarts[i] != NULL)
			cli_terminal_close(&options->terminals[i]);
	for (size_t i = 0; i < options->board.load_count; i++)
		free((void *)(uintptr_t)options->loads[i].bytes);
}

int run_firmware(int argc, char **argv)
{
	struct options options = {.firmware = ai8x_firmware_options_default()};
	const struct cli_other_options programs = {run_program_options,
	                                           "is for programs; it does not apply to firmware (ELF files)"};
	int code = CLI_OK;
	cli_parse(&command_line, argc, argv, &programs, &options);
	bool json_only = options.json != NULL && strcmp(options.json, "-") == 0;
	if (json_only)
		options.quiet = true;

	if (options.debug && (options.board.gdb = wait_for_gdb(&options)) < 0) {
		release(&options);
		return CLI_RESOURCES;
	}
	options.board.io = &options.io;
	code = open_terminals(&options);
	if (code != CLI_OK) {
		release(&options);
		return code;
	}
	ai8x_program *golden = NULL;
	ai8x_error error = {0};
	if (options.golden != NULL && cli_open_program(options.golden, NULL, &golden, &error) != AI8X_OK) {
		release(&options);
		return cli_fail(options.golden, &error);
	}
	struct run *runs = calloc(options.images.count, sizeof *runs);
	if (runs == NULL) {
		release(&options);
		ai8x_program_destroy(golden);
		cli_error("out of memory for results");
		return CLI_RESOURCES;
	}
	for (size_t i = 0; i < options.images.count; i++) {
		runs[i] = (struct run){.options = &options, .golden = golden, .path = options.images.word[i]};
		run_image(&runs[i]);
		if (runs[i].result != NULL && !json_only)
			print_report(&runs[i]);
		code = cli_worse(code, runs[i].code);
	}
	if (options.json != NULL)
		code = cli_worse(code, write_json(options.json, runs, options.images.count));
	if (options.junit != NULL)
		code = cli_worse(code, cli_write_junit(options.junit, options.images.count, fill_junit, runs));
	for (size_t i = 0; i < options.images.count; i++)
		ai8x_firmware_destroy(runs[i].firmware);
	free(runs);
	ai8x_program_destroy(golden);
	release(&options);
	return code;
}
