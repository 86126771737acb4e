// Fuzzes the description reader and all that follows: any text must give a network or an error; a network that was
// read compiles or is refused; one that compiled comes back the same after it was written.
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "fuzz.h"

// Larger networks take long and show nothing new.
#define MOST_ELEMENTS 200000u

static bool is_small(const ai8x_network *network)
{
	size_t elements = 0;
	for (size_t i = 0; i < network->layer_count; i++) {
		const ai8x_network_layer *layer = &network->layers[i];
		elements += (size_t)layer->out_channels * layer->out_rows * layer->out_columns;
		elements += (size_t)layer->in_channels * layer->in_rows * layer->in_columns;
		elements +=
			(size_t)layer->out_channels * layer->fan_channels * layer->kernel_rows * layer->kernel_columns;
	}
	return elements <= MOST_ELEMENTS;
}

static void check_written(const ai8x_network *network, const ai8x_part *part, const ai8x_program *program)
{
	char path[FUZZ_PATH];
	fuzz_path(path, ".yaml");
	ai8x_error error = {AI8X_OK, ""};
	ai8x_network *again = NULL;
	ai8x_program *other = NULL;
	require(ai8x_network_write_yaml(network, path, &error) == AI8X_OK, "a compiled network can be written");
	ai8x_status status = ai8x_network_open(path, NULL, &again, &error);
	require(status == AI8X_OK, error.message);
	status = ai8x_network_compile(again, part, NULL, &other, &error);
	require(status == AI8X_OK, error.message);
	size_t count = 0, count_again = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	const ai8x_op *ops_again = ai8x_program_ops(other, &count_again);
	require(count == count_again && memcmp(ops, ops_again, count * sizeof *ops) == 0, "the same operations");
	ai8x_program_destroy(other);
	ai8x_network_destroy(again);
	(void)unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned p = 0; p < ai8x_part_count(); p++) {
		ai8x_error error = {AI8X_OK, ""};
		ai8x_network *network = NULL;
		ai8x_program *program = NULL;
		const ai8x_part *part = ai8x_part_at(p);
		ai8x_status status =
			ai8x_network_parse((const char *)data, size, "fuzz.yaml", NULL, &network, &error);
		require((status == AI8X_OK) == (network != NULL), "a network or an error");
		require(status == AI8X_OK || error.message[0] != '\0', "an error says what is wrong");
		if (status != AI8X_OK || !is_small(network)) {
			ai8x_network_destroy(network);
			return 0;
		}
		status = ai8x_network_compile(network, part, NULL, &program, &error);
		require((status == AI8X_OK) == (program != NULL), "a program or an error");
		if (status == AI8X_OK)
			check_written(network, part, program);
		ai8x_program_destroy(program);
		ai8x_network_destroy(network);
	}
	return 0;
}
