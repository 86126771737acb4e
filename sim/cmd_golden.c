// ai8xsim golden: what every layer of a network puts out, computed by the independent referee.
//
// The network is the description that `ai8xsim compile` takes; no program is made and nothing is simulated.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "cli_guard.h"
#include "golden.h"

#define PATH_BYTES 4096

struct settings {
	const char *network;
	ai8x_network_files files;
	uint32_t shape[3];
	bool random;
	bool wide;
	bool rounding;
	uint64_t seed;
	const char *output;
	const char *folder;
	const char *json;
	const char *save;
};

// What one layer put out, and how much of the range it used.
struct row {
	const ai8x_network_layer *layer;
	const golden_tensor *output;
	const golden_tensor *sums; // NULL without weights
	int32_t least, greatest;
	size_t clipped;
	uint32_t checksum;
};

#define AT(member) offsetof(struct settings, member)

static const struct cli_option option_rows[] = {
	CLI_NETWORK_ROWS(files, shape, seed, random, 0),
	{"output", 'o', "FILE", CLI_WRITES, AT(output), "Write input, outputs and sums of all layers as HDF5", 0},
	{"npy", 0, "FOLDER", CLI_TEXT, AT(folder), "Write every layer's output as FOLDER/layer-N.npy", 0},
	{"json", 0, "FILE", CLI_WRITES, AT(json),
     "Write shapes, ranges and output values as JSON ('-': standard output)", 0},
	{"save-weights", 0, "FILE", CLI_WRITES, AT(save),
     "Write weights, biases, shifts and input as an HDF5 weights file", 0},
	CLI_WIDE(AT(wide), 0),
	{"avg-pool-rounding", 0, NULL, CLI_FLAG, AT(rounding), "Average pooling rounds instead of truncating", 0},
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
		"Computes every layer of a network with the golden model, a reference that shares no code with the "
		"simulator, and shows what each puts out.\v"
		"The checksum is the CRC-32 of the output's values as little-endian 32-bit integers.\n\n"
		"Examples:\n"
		"  ai8xsim golden net.yaml --weights net.h5 --input sample.npy\n"
		"      Shapes, ranges and clipping of every layer.\n"
		"  ai8xsim golden net.yaml --random 1 -o expected.h5\n"
		"      All outputs and sums, with seeded weights.\n"
		"\n"
		"Exit status: 0 done, 2 usage, 3 bad input, 5 out of resources.",
};

// --- results ---------------------------------------------------------------------------------------

static uint32_t crc32_step(uint32_t crc, uint8_t byte)
{
	crc ^= byte;
	for (unsigned bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
	return crc;
}

static uint32_t checksum(const golden_tensor *tensor)
{
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < golden_tensor_size(tensor); i++)
		for (unsigned byte = 0; byte < 4; byte++)
			crc = crc32_step(crc, (uint8_t)((uint32_t)tensor->data[i] >> 8 * byte));
	return ~crc;
}

static void measure(struct row *row)
{
	row->least = row->output->data[0];
	row->greatest = row->output->data[0];
	row->clipped = 0;
	for (size_t i = 0; i < golden_tensor_size(row->output); i++) {
		int32_t value = row->output->data[i];
		row->least = value < row->least ? value : row->least;
		row->greatest = value > row->greatest ? value : row->greatest;
		row->clipped += row->layer->output_bits == 8 && (value == INT8_MIN || value == INT8_MAX);
	}
	row->checksum = checksum(row->output);
}

static ai8x_status compute(golden_model *model, const ai8x_network *network, struct row *rows,
                           ai8x_error *error)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		rows[i].layer = &network->layers[i];
		ai8x_status status = golden_model_output(model, i, &rows[i].output, error);
		if (status == AI8X_OK)
			status = golden_model_sums(model, i, &rows[i].sums, error);
		if (status != AI8X_OK)
			return status;
		measure(&rows[i]);
	}
	return AI8X_OK;
}

// --- table and JSON --------------------------------------------------------------------------------

static const char *operation_name(const ai8x_network_layer *layer)
{
	static const char *const names[] = {
		[AI8X_OP_PASSTHROUGH] = "passthrough", [AI8X_OP_CONV2D] = "conv2d", [AI8X_OP_CONV1D] = "conv1d",
		[AI8X_OP_CONVT2D] = "convtranspose2d", [AI8X_OP_LINEAR] = "linear",
	};
	return names[layer->operation];
}

static int print_rows(const ai8x_network *network, const struct row *rows, bool wide)
{
	struct cli_table *table = cli_table_create("rlllrrrrr");
	static const char *const heads[] = {"layer", "name", "operation", "output",  "shift",
	                                    "min",   "max",  "clipped",   "checksum"};
	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		cli_table_cell(table, CLI_BOLD, "%s", heads[i]);
	for (size_t i = 0; i < network->layer_count; i++) {
		const struct row *row = &rows[i];
		bool shifts = row->sums != NULL && row->layer->output_bits == 8;
		cli_table_cell(table, CLI_PLAIN, "%u", row->layer->number);
		cli_table_cell(table, CLI_PLAIN, "%s", row->layer->name != NULL ? row->layer->name : "");
		cli_table_cell(table, CLI_PLAIN, "%s", operation_name(row->layer));
		cli_table_cell(table, CLI_PLAIN, "%zux%zux%zu", row->output->channels, row->output->rows,
		               row->output->columns);
		if (shifts)
			cli_table_cell(table, CLI_PLAIN, "%d", row->layer->output_shift);
		else
			cli_table_cell(table, CLI_DIM, "-");
		cli_table_cell(table, CLI_PLAIN, "%d", row->least);
		cli_table_cell(table, CLI_PLAIN, "%d", row->greatest);
		cli_table_cell(table, CLI_PLAIN, "%.1f %%",
		               100.0 * (double)row->clipped / (double)golden_tensor_size(row->output));
		cli_table_cell(table, CLI_PLAIN, "%08x", row->checksum);
	}
	if (!wide)
		cli_table_fit(table, "002010000");
	int status = cli_table_print(table, stdout);
	cli_table_destroy(table);
	return status;
}

static json_t *json_of_tensor(const golden_tensor *tensor)
{
	json_t *values = json_array();
	for (size_t i = 0; values != NULL && i < golden_tensor_size(tensor); i++) {
		if (json_array_append_new(values, json_integer(tensor->data[i])) != 0) {
			json_decref(values);
			return NULL;
		}
	}
	return values;
}

static json_t *json_of_row(const struct row *row)
{
	const golden_tensor *output = row->output;
	return json_pack("{s:i, s:s?, s:s, s:[i,i,i], s:i, s:i, s:i, s:i, s:I, s:I, s:o}", "layer",
	                 (int)row->layer->number, "name", row->layer->name, "operation",
	                 operation_name(row->layer), "shape", (int)output->channels, (int)output->rows,
	                 (int)output->columns, "output_shift", (int)row->layer->output_shift, "output_width",
	                 (int)row->layer->output_bits, "min", (int)row->least, "max", (int)row->greatest,
	                 "clipped", (json_int_t)row->clipped, "checksum", (json_int_t)row->checksum, "output",
	                 json_of_tensor(output));
}

static int write_json(const char *path, const ai8x_network *network, const struct row *rows)
{
	json_t *layers = json_array();
	bool ok = layers != NULL;
	for (size_t i = 0; ok && i < network->layer_count; i++)
		ok = json_array_append_new(layers, json_of_row(&rows[i])) == 0;
	json_t *root = json_pack("{s:i, s:s?, s:o}", "version", 1, "network", network->name, "layers", layers);
	int status = CLI_RESOURCES;
	if (ok && root != NULL)
		status = cli_write_json(path, root);
	else
		cli_error("out of memory for the JSON report");
	json_decref(root);
	return status;
}

// --- files -----------------------------------------------------------------------------------------

static ai8x_array array_of(const char *name, const golden_tensor *tensor)
{
	ai8x_array array = {
		.rank = 3,
		.shape = {(uint32_t)tensor->channels, (uint32_t)tensor->rows, (uint32_t)tensor->columns},
		.values = tensor->data,
	};
	(void)snprintf(array.name, sizeof array.name, "%s", name);
	return array;
}

static ai8x_array array_of_layer(const struct row *row, const char *what, const golden_tensor *tensor)
{
	char name[64];
	(void)snprintf(name, sizeof name, "/layers/%u/%s", row->layer->number, what);
	return array_of(name, tensor);
}

static int write_folder(const char *folder, const ai8x_network *network, const struct row *rows)
{
	if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
		cli_error("%s: %s", folder, strerror(errno));
		return CLI_RESOURCES;
	}
	for (size_t i = 0; i < network->layer_count; i++) {
		char path[PATH_BYTES];
		int length = snprintf(path, sizeof path, "%s/layer-%u.npy", folder, rows[i].layer->number);
		if (length < 0 || (size_t)length >= sizeof path) {
			cli_error("%s: the path is too long", folder);
			return CLI_RESOURCES;
		}
		ai8x_error error = {0};
		const ai8x_array array = array_of("", rows[i].output);
		if (ai8x_array_write_npy(&array, path, &error) != AI8X_OK) {
			(void)cli_fail(path, &error);
			return CLI_RESOURCES;
		}
	}
	return CLI_OK;
}

// Input, and outputs and sums of all layers.
static int write_hdf5(const char *path, const ai8x_network *network, const struct row *rows)
{
	ai8x_error error = {0};
	golden_tensor input = {0};
	ai8x_array *arrays = calloc(1 + 2 * network->layer_count, sizeof *arrays);
	ai8x_status status = golden_tensor_create(network->input_shape[0], network->input_shape[1],
	                                          network->input_shape[2], &input, &error);
	if (arrays == NULL)
		status = error.status = AI8X_ERR_NO_MEMORY;
	size_t count = 0;
	if (status == AI8X_OK) {
		for (size_t i = 0; i < golden_tensor_size(&input); i++)
			input.data[i] = (int32_t)network->input[i];
		arrays[count++] = array_of("/input", &input);
	}
	for (size_t i = 0; status == AI8X_OK && i < network->layer_count; i++) {
		arrays[count++] = array_of_layer(&rows[i], "output", rows[i].output);
		if (rows[i].sums != NULL)
			arrays[count++] = array_of_layer(&rows[i], "sums", rows[i].sums);
	}
	if (status == AI8X_OK)
		status = ai8x_arrays_write_hdf5(arrays, count, path, &error);
	golden_tensor_destroy(&input);
	free(arrays);
	if (status == AI8X_OK)
		return CLI_OK;
	(void)cli_fail(path, &error);
	return CLI_RESOURCES;
}

// --- command ---------------------------------------------------------------------------------------

static int report(const struct settings *settings, const ai8x_network *network, const struct row *rows)
{
	int status = CLI_OK;
	if (settings->json == NULL || strcmp(settings->json, "-") != 0)
		status = print_rows(network, rows, settings->wide);
	if (status == CLI_OK && settings->output != NULL)
		status = write_hdf5(settings->output, network, rows);
	if (status == CLI_OK && settings->folder != NULL)
		status = write_folder(settings->folder, network, rows);
	if (status == CLI_OK && settings->save != NULL) {
		ai8x_error error = {0};
		if (ai8x_network_write_weights(network, settings->save, &error) != AI8X_OK)
			status = cli_fail_writing(settings->save, &error);
	}
	if (status == CLI_OK && settings->json != NULL)
		status = write_json(settings->json, network, rows);
	return status;
}

static int run(const struct settings *settings, ai8x_network *network)
{
	golden_model *model = NULL;
	ai8x_error error = {0};
	struct row *rows = calloc(network->layer_count, sizeof *rows);
	if (rows == NULL) {
		cli_error("out of memory");
		return CLI_RESOURCES;
	}
	ai8x_status status = golden_model_create(network, &model, &error);
	if (status == AI8X_OK && settings->random)
		status = ai8x_network_randomise(network, settings->seed, golden_model_range, model, &error);
	if (status == AI8X_OK)
		status = compute(model, network, rows, &error);
	int result = status == AI8X_OK ? report(settings, network, rows) : cli_fail(settings->network, &error);
	golden_model_destroy(model);
	free(rows);
	return result;
}

int cmd_golden(int argc, char **argv)
{
	struct settings settings = {0};
	cli_parse(&command_line, argc, argv, NULL, &settings);
	if (settings.shape[0] != 0)
		settings.files.input_shape = settings.shape;
	golden_use_one_thread();
	ai8x_network *network = NULL;
	ai8x_error error = {0};
	if (cli_open_network(settings.network, &settings.files, &network, &error) != AI8X_OK)
		return cli_fail(settings.network, &error);
	if (network->input == NULL && !settings.random) {
		cli_error("%s: no input data: give --input FILE, or --random SEED", settings.network);
		ai8x_network_destroy(network);
		return CLI_USAGE;
	}
	network->average_rounding = network->average_rounding || settings.rounding;
	if (cli_keep_network_apart(&command_line, &settings, NULL, network) != CLI_OK) {
		ai8x_network_destroy(network);
		return CLI_USAGE;
	}
	int result = run(&settings, network);
	ai8x_network_destroy(network);
	return result;
}
