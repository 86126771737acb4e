// ai8xsim compile: turns a network description into a program, with expected values from the golden model.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli_guard.h"
#include "cli_open.h"
#include "golden.h"

#include "base/text.h"

struct settings {
	const char *network;
	ai8x_network_files files;
	uint32_t shape[3];
	unsigned last_layer;
	bool stops;
	const ai8x_part *part;
	bool random;
	uint64_t seed;
	const char *output;
	const char *yaml;
	const char *save;
	bool quiet, rounding;
	ai8x_compile_options options;
};

#define AT(member) offsetof(struct settings, member)

static const struct cli_option option_rows[] = {
	CLI_NETWORK_ROWS(files, shape, seed, random, 1),
	{"part", 0, "NAME", CLI_PART, AT(part),
     "MAX78000 or MAX78002 (default: what the description says, else MAX78000)", 2},
	{"output", 'o', "FILE", CLI_WRITES, AT(output),
     "Program file to write (default: the network's name with suffix .h5)", 2},
	{"write-yaml", 0, "FILE", CLI_WRITES, AT(yaml), "Write the description with everything that was chosen",
     2},
	{"save-weights", 0, "FILE", CLI_WRITES, AT(save), "Write weights, biases, shifts and input as HDF5", 2},
	{"quiet", 'q', NULL, CLI_FLAG, AT(quiet), "Do not print what was chosen", 2},
	{"fifo", 0, NULL, CLI_SET, AT(options.feed),
     "Feed the input through the FIFOs (default for streaming networks)", 3, AI8X_FEED_FIFO},
	{"fast-fifo", 0, NULL, CLI_SET, AT(options.feed), "Feed it through the fast FIFO", 3,
     AI8X_FEED_FAST_FIFO},
	{"fast-fifo-quad", 0, NULL, CLI_SET, AT(options.feed),
     "The same, all groups computing every fourth channel", 3, AI8X_FEED_FAST_FIFO_QUAD},
	{"start-layer", 0, "N", CLI_UNSIGNED, AT(files.first_layer),
     "MAX78002: begin with layer N; the input is that layer's, and layers before it are left out", 4, 0, 127},
	{"stop-after", 0, "N", CLI_UNSIGNED, AT(last_layer), "End after layer N", 4, 0, 1023, AT(stops)},
	{"weight-start", 0, "N", CLI_UINT32, AT(options.weight_start),
     "Leave the first N kernel words of every processor to another network", 4, 0, 65535},
	{"no-bias", 0, "N[,N...]", CLI_TEXT, AT(files.no_bias),
     "Leave out the biases of these layers; all: of every layer", 4},
	{"one-shot", 0, NULL, CLI_FLAG, AT(options.one_shot), "Stop after every layer and continue", 4},
	{"avg-pool-rounding", 0, NULL, CLI_FLAG, AT(rounding), "Average pooling rounds instead of truncating", 3},
	{"no-pipeline", 0, NULL, CLI_CLEAR, AT(options.pipeline), "MAX78002: without the pipeline", 3},
	{"ignore-streaming", 0, NULL, CLI_FLAG, AT(options.ignore_streaming),
     "Run streaming layers one after the other", 3},
	{"link-layer", 0, NULL, CLI_FLAG, AT(options.link_layers), "MAX78002: every layer names its successor",
     3},
	{"write-zero-registers", 0, NULL, CLI_FLAG, AT(options.write_zero_registers),
     "Also write registers that stay 0", 3},
	{"plain-kernels", 0, NULL, CLI_SET, AT(options.kernel_load),
     "Load kernels with four writes per word instead of packed", 3, AI8X_KERNELS_PLAIN},
	{"kernels-from-0", 0, NULL, CLI_FLAG, AT(options.first_words_first),
     "MAX78002: do not prefer the kernel memory that only some processors have", 3},
	{0},
};

static const struct cli_line command_line = {
	.options = option_rows,
	.words = "NETWORK.yaml",
	.takes = CLI_ONE,
	.target = AT(network),
	.none = "no network given",
	.many = "one network at a time",
	.doc =
		"Compiles a network description (the YAML that ai8x-synthesis reads) into a program that `ai8xsim "
		"run` "
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
};

static void print_warnings(const ai8x_network *network)
{
	for (size_t i = 0; i < network->warning_count; i++)
		cli_error("warning: %s", network->warnings[i]);
}

// Notes quote names that files decide.
static void print_clean(const char *text)
{
	char *clean = strdup(text);
	if (clean == NULL) {
		cli_error("out of memory for a note");
		return;
	}
	text_make_plain(clean);
	cli_sentence(stdout, 2, "%s", clean);
	free(clean);
}

static void print_notes(const ai8x_network *network)
{
	for (size_t i = 0; i < network->note_count; i++)
		print_clean(network->notes[i]);
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
	const ai8x_part *part = cli_part_of(settings->part, network);
	golden_model *model = NULL;
	ai8x_network_tensor *outputs = NULL;
	ai8x_status status = ai8x_network_place(network, part, &chosen, error);
	if (status == AI8X_OK && is_complete(network)) {
		status = golden_model_create(network, &model, error);
		if (status == AI8X_OK)
			status = golden_model_outputs(model, &outputs, error);
		chosen.outputs = outputs;
	}
	if (status == AI8X_OK)
		status = ai8x_network_compile(network, part, &chosen, program, error);
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
	} else if (cli_keep_network_apart(&command_line, settings, output, network) != CLI_OK) {
		code = CLI_USAGE;
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
	struct settings settings = {.options = ai8x_compile_options_default()};
	cli_parse(&command_line, argc, argv, NULL, &settings);
	if (settings.shape[0] != 0)
		settings.files.input_shape = settings.shape;
	if (settings.stops)
		settings.files.last_layer = &settings.last_layer;
	return compile_file(&settings);
}
