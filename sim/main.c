// ai8xsim: picks the command. Everything else is in cmd_NAME.c and in the library.
#include "cli.h"
#include "cli_guard.h"
#include "cli_inference.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cli_command commands[] = {
	{"bench", "measure how fast programs run in steady state", cmd_bench},
	{"check", "find what is wrong with programs, and say why", cmd_check},
	{"compare", "two results, layer by layer: what became slower, or fails now", cmd_compare},
	{"compile", "turn a network description into a program", cmd_compile},
	{"eval", "run a program on a whole data set: outputs, accuracy, confusions", cmd_eval},
	{"golden", "compute a network with the independent reference", cmd_golden},
	{"info", "explain a program: layers in sentences, registers field by field", cmd_info},
	{"map", "who owns each word of data, kernel and bias memory after each layer", cmd_map},
	{"profile", "where every cycle goes, what limits each layer, and what to change", cmd_profile},
	{"regs", "registers and memories of a part, and what a value in them means", cmd_regs},
	{"run", "run programs or firmware, compare every expected word, count cycles", cmd_run},
	{"show", "watch programs at work: a page with every cycle, for a browser", cmd_show},
	{"sweep", "a grid over a network's parameters: time, memory, the best points", cmd_sweep},
	{"trace", "what happens in each cycle, as VCD, trace events or CSV", cmd_trace},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

// Runs at every exit, argp's included: output that did not arrive must not look like success. The stream stays: libraries
// (UCX, which Open MPI loads) flush it when they are unloaded, after this.
static void close_stdout(void)
{
	bool failed = ferror(stdout) != 0;
	errno = 0;
	if (fflush(stdout) != 0 || (close(STDOUT_FILENO) != 0 && errno != EINTR))
		failed = true;
	if (!failed)
		return;
	if (errno != EPIPE)
		cli_error("standard output: %s", errno != 0 ? strerror(errno) : "write error");
	_exit(CLI_RESOURCES);
}

// A closed stream would be given to the next file that is opened, and messages would end up in it. Opened like this,
// it refuses what is written to it.
static void open_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_RDONLY);
}

// In argp's form, so that commands know --version too.
static void print_version(FILE *file, struct argp_state *state)
{
	(void)state;
	(void)fprintf(file, "ai8xsim %s\n", ai8x_version());
}

static void print_help(FILE *file)
{
	(void)fputs("Usage: ai8xsim COMMAND [OPTION...] [FILE...]\n"
	            "Simulates the CNN accelerator of the MAX78000 and MAX78002, bit by bit and cycle\n"
	            "by cycle.\n"
	            "\n"
	            "Commands:\n",
	            file);
	for (size_t i = 0; i < COMMANDS; i++)
		(void)fprintf(file, "  %-10s %s\n", commands[i].name, commands[i].summary);
	(void)fputs("  help       explain a command: ai8xsim help run\n"
	            "\n"
	            "Examples:\n"
	            "  ai8xsim run program.h5                what does it compute, in what time?\n"
	            "  ai8xsim run --per-layer program.h5    which layer is the first to go wrong?\n"
	            "  ai8xsim run --json - programs/        all programs of a folder, for scripts\n"
	            "  ai8xsim check program.h5              what is wrong with it, and why?\n"
	            "  ai8xsim profile network.yaml          where does the time go, and what helps?\n"
	            "  ai8xsim compile network.yaml ...      from a network description to a program\n"
	            "\n"
	            "Exit status: 0 every check held, 1 a check failed, 2 usage, 3 bad input,\n"
	            "4 the machine stopped (dead-lock, illegal configuration, cycle limit),\n"
	            "5 out of resources (memory, or output that cannot be written),\n"
	            "6 nothing to check.\n",
	            file);
}

static const struct cli_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *nearest = cli_nearest(name, &commands[0].name, COMMANDS, sizeof commands[0]);
	if (nearest != NULL)
		cli_error("unknown command '%s'; did you mean '%s'?", name, nearest);
	else
		cli_error("unknown command '%s'; 'ai8xsim --help' lists them", name);
	return CLI_USAGE;
}

static int run_command(const struct cli_command *command, int argc, char **argv)
{
	char name[64];
	(void)snprintf(name, sizeof name, "ai8xsim %s", command->name);
	argv[0] = name;
	return command->run(argc, argv);
}

static int help(int argc, char **argv)
{
	if (argc == 0) {
		print_help(stdout);
		return CLI_OK;
	}
	const struct cli_command *command = find_command(argv[0]);
	if (command == NULL)
		return unknown_command(argv[0]);
	char option[] = "--help";
	char *arguments[] = {argv[0], option, NULL};
	return run_command(command, 2, arguments);
}

int main(int argc, char **argv)
{
	open_streams();
	(void)setlocale(LC_CTYPE, "");
	cli_open_streams();
	(void)atexit(close_stdout);
	argp_err_exit_status = CLI_USAGE;
	argp_program_version_hook = print_version;
	cli_guard_install();
	// OpenBLAS would start threads when it is loaded, which are not used, and waits for ever for one that finds no memory.
	(void)setenv("OPENBLAS_NUM_THREADS", "1", 0);

	if (argc < 2) {
		print_help(stderr);
		return CLI_USAGE;
	}
	const char *word = argv[1];
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "-?") == 0)
		return help(0, NULL);
	if (strcmp(word, "help") == 0)
		return help(argc - 2, argv + 2);
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		print_version(stdout, NULL);
		return CLI_OK;
	}
	if (word[0] == '-') {
		cli_error("unknown option '%s' before a command; try 'ai8xsim --help'", word);
		return CLI_USAGE;
	}
	const struct cli_command *command = find_command(word);
	if (command == NULL)
		return unknown_command(word);
	if (cli_inference_asked(command, argc - 1, argv + 1))
		return cli_inference_run(argc - 1, argv + 1, run_command, command);
	return run_command(command, argc - 1, argv + 1);
}
