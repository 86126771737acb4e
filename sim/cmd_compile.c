// ai8xsim compile: turns a network description into a program, with expected values from the golden model.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli_guard.h"
#include "golden.h"

struct settings {
	const char *network;
	ai8x_network_files files;
	const ai8x_part *part;
	bool random;
	uint64_t seed;
	const char *output;
	const char *yaml;
	const char *save;
	bool quiet, rounding;
	ai8x_compile_options options;
};

enum {
	OPTION_BIAS = 256,
	OPTION_RANDOM,
	OPTION_PART,
	OPTION_YAML,
	OPTION_SAVE,
	OPTION_FIFO,
	OPTION_FAST_FIFO,
	OPTION_FAST_FIFO_QUAD,
	OPTION_ROUNDING,
	OPTION_NO_PIPELINE,
	OPTION_IGNORE_STREAMING,
	OPTION_LINK_LAYER,
	OPTION_ZERO_REGISTERS,
	OPTION_PLAIN,
	OPTION_FIRST_WORDS,
};

static const struct argp_option options[] = {
	{"weights", 'w', "FILE", 0, "Weights, biases and shifts: HDF5, .npz or .npy", 1},
	{"bias", OPTION_BIAS, "FILE", 0, "Biases where the weights file has none: .npy", 1},
	{"input", 'i', "FILE", 0, "Sample input: .npy, or an HDF5 file with dataset 'input'", 1},
	{"random", OPTION_RANDOM, "SEED", 0, "Seeded values for what is missing, and shifts that use the range",
     1},
	{"part", OPTION_PART, "NAME", 0, "MAX78000 (default) or MAX78002", 2},
	{"output", 'o', "FILE", 0, "Program file to write (default: the network's name with suffix .h5)", 2},
	{"write-yaml", OPTION_YAML, "FILE", 0, "Write the description with everything that was chosen", 2},
	{"save-weights", OPTION_SAVE, "FILE", 0, "Write weights, biases, shifts and input as HDF5", 2},
	{"quiet", 'q', NULL, 0, "Do not tell what was chosen", 2},
	{"fifo", OPTION_FIFO, NULL, 0, "Feed the input through the FIFOs (default for streaming networks)", 3},
	{"fast-fifo", OPTION_FAST_FIFO, NULL, 0, "Feed it through the fast FIFO", 3},
	{"fast-fifo-quad", OPTION_FAST_FIFO_QUAD, NULL, 0, "The same, all groups computing every fourth channel",
     3},
	{"avg-pool-rounding", OPTION_ROUNDING, NULL, 0, "Average pooling rounds instead of truncating", 3},
	{"no-pipeline", OPTION_NO_PIPELINE, NULL, 0, "MAX78002: without the pipeline", 3},
	{"ignore-streaming", OPTION_IGNORE_STREAMING, NULL, 0, "Run streaming layers one after the other", 3},
	{"link-layer", OPTION_LINK_LAYER, NULL, 0, "MAX78002: every layer names its successor", 3},
	{"write-zero-registers", OPTION_ZERO_REGISTERS, NULL, 0, "Also write registers that stay 0", 3},
	{"plain-kernels", OPTION_PLAIN, NULL, 0, "Load kernels with four writes per word instead of packed", 3},
	{"kernels-from-0", OPTION_FIRST_WORDS, NULL, 0,
     "MAX78002: do not prefer the kernel memory that only some processors have", 3},
	{0},
};

static bool parse_switch(int key, struct settings *settings)
{
	switch (key) {
	case OPTION_FIFO:
		settings->options.feed = AI8X_FEED_FIFO;
		return true;
	case OPTION_FAST_FIFO:
		settings->options.feed = AI8X_FEED_FAST_FIFO;
		return true;
	case OPTION_FAST_FIFO_QUAD:
		settings->options.feed = AI8X_FEED_FAST_FIFO_QUAD;
		return true;
	case OPTION_ROUNDING:
		settings->rounding = true;
		return true;
	case OPTION_NO_PIPELINE:
		settings->options.pipeline = false;
		return true;
	case OPTION_IGNORE_STREAMING:
		settings->options.ignore_streaming = true;
		return true;
	case OPTION_LINK_LAYER:
		settings->options.link_layers = true;
		return true;
	case OPTION_ZERO_REGISTERS:
		settings->options.write_zero_registers = true;
		return true;
	case OPTION_PLAIN:
		settings->options.kernel_load = AI8X_KERNELS_PLAIN;
		return true;
	case OPTION_FIRST_WORDS:
		settings->options.first_words_first = true;
		return true;
	default:
		return false;
	}
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct settings *settings = state->input;
	if (parse_switch(key, settings))
		return 0;
	switch (key) {
	case 'w':
		settings->files.weights = argument;
		return 0;
	case OPTION_BIAS:
		settings->files.bias = argument;
		return 0;
	case 'i':
		settings->files.input = argument;
		return 0;
	case OPTION_RANDOM:
		settings->random = true;
		settings->seed = cli_option_number(state, "--random", argument, 0, UINT64_MAX);
		return 0;
	case OPTION_PART:
		settings->part = cli_option_part(state, argument);
		return 0;
	case 'o':
		settings->output = argument;
		return 0;
	case OPTION_YAML:
		settings->yaml = argument;
		return 0;
	case OPTION_SAVE:
		settings->save = argument;
		return 0;
	case 'q':
		settings->quiet = true;
		return 0;
	case ARGP_KEY_ARG:
		if (settings->network != NULL)
			argp_error(state, "one network at a time");
		settings->network = argument;
		return 0;
	case ARGP_KEY_END:
		if (settings->network == NULL)
			argp_error(state, "no network given");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	options,
	parse,
	"NETWORK.yaml",
	"Compiles a network description (the YAML that ai8x-synthesis reads) into a program that `ai8xsim run` "
	"carries out and checks.\v"
	"Without weights the program has registers only: enough for timing and memory maps. With weights and "
	"input, the golden model says what every layer must put out. Keys, defaults and weights files are "
	"described in docs/networks.md.\n\n"
	"Examples:\n"
	"  ai8xsim compile net.yaml --weights net.h5 --input sample.npy -o run.h5\n"
	"      A program, with what every layer must put out.\n"
	"  ai8xsim compile net.yaml --random 1 --part MAX78002 --write-yaml placed.yaml\n"
	"      Before there are weights; and where was everything placed?\n"
	"\n"
	"Exit status: 0 done, 2 usage, 3 bad input, 5 out of resources.",
	NULL,
	NULL,
	NULL};

static void print_warnings(const ai8x_network *network)
{
	for (size_t i = 0; i < network->warning_count; i++)
		cli_error("warning: %s", network->warnings[i]);
}

static void print_notes(const ai8x_network *network)
{
	for (size_t i = 0; i < network->note_count; i++)
		printf("%s\n", network->notes[i]);
}

// true: there is all that the golden model needs.
static bool is_complete(const ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		const ai8x_network_layer *layer = &network->layers[i];
		bool needs = layer->operation != AI8X_OP_PASSTHROUGH && !layer->bypass;
		if (needs && ai8x_network_weights_of(network, i)->weights == NULL)
			return false;
	}
	return network->input != NULL;
}

static ai8x_status randomise(ai8x_network *network, uint64_t seed, ai8x_error *error)
{
	golden_model *model = NULL;
	ai8x_status status = golden_model_create(network, &model, error);
	if (status == AI8X_OK)
		status = ai8x_network_randomise(network, seed, golden_model_range, model, error);
	golden_model_destroy(model);
	return status;
}

// Places the network, computes what it must put out, and compiles.
static ai8x_status compile(const struct settings *settings, ai8x_network *network, ai8x_program **program,
                           ai8x_error *error)
{
	ai8x_compile_options chosen = settings->options;
	golden_model *model = NULL;
	ai8x_network_tensor *outputs = NULL;
	ai8x_status status = ai8x_network_place(network, settings->part, &chosen, error);
	if (status == AI8X_OK && is_complete(network)) {
		status = golden_model_create(network, &model, error);
		if (status == AI8X_OK)
			status = golden_model_outputs(model, &outputs, error);
		chosen.outputs = outputs;
	}
	if (status == AI8X_OK)
		status = ai8x_network_compile(network, settings->part, &chosen, program, error);
	free(outputs);
	golden_model_destroy(model);
	return status;
}

static ai8x_status write_results(const struct settings *settings, const ai8x_network *network,
                                 const ai8x_program *program, const char *output, ai8x_error *error)
{
	ai8x_status status = ai8x_program_save(program, output, error);
	if (status == AI8X_OK && settings->yaml != NULL)
		status = ai8x_network_write_yaml(network, settings->yaml, error);
	if (status == AI8X_OK && settings->save != NULL)
		status = ai8x_network_write_weights(network, settings->save, error);
	return status;
}

static int compile_file(const struct settings *settings)
{
	ai8x_error error = {AI8X_OK, ""};
	ai8x_network *network = NULL;
	ai8x_program *program = NULL;
	char *output = NULL;
	int code = CLI_OK;

	ai8x_status status = cli_open_network(settings->network, &settings->files, &network, &error);
	if (status == AI8X_OK) {
		network->average_rounding = network->average_rounding || settings->rounding;
		if (settings->random)
			status = randomise(network, settings->seed, &error);
	}
	if (status == AI8X_OK)
		status = compile(settings, network, &program, &error);
	if (status != AI8X_OK) {
		code = cli_fail(settings->network, &error);
	} else if (settings->output == NULL && asprintf(&output, "%s.h5", network->name) < 0) {
		output = NULL;
		cli_error("out of memory for a file name");
		code = CLI_RESOURCES;
	} else {
		status = write_results(settings, network, program,
		                       settings->output != NULL ? settings->output : output, &error);
		if (status != AI8X_OK) {
			// What could not be written is a matter of resources here, not of bad input.
			(void)cli_fail(NULL, &error);
			code = CLI_RESOURCES;
		} else if (!settings->quiet) {
			print_notes(network);
		}
		print_warnings(network);
	}
	free(output);
	ai8x_program_destroy(program);
	ai8x_network_destroy(network);
	return code;
}

int cmd_compile(int argc, char **argv)
{
	struct settings settings = {.part = cli_default_part(), .options = ai8x_compile_options_default()};
	cli_parse(&parser, argc, argv, NULL, &settings);
	return compile_file(&settings);
}
