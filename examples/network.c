// <ai8xsim/network.h>, <ai8xsim/program.h>: from a description to a program, and a program file.
//
//   ./network OUT.h5
#include <stdio.h>
#include <string.h>

#include <ai8xsim/network.h>
#include <ai8xsim/program.h>

static const char description[] = "layers:\n"
								  "  - in_channels: 3\n"
								  "    in_dim: [8, 8]\n"
								  "    out_channels: 16\n"
								  "    operation: conv2d\n"
								  "    kernel_size: 3x3\n"
								  "    pad: 1\n"
								  "    activate: ReLU\n"
								  "  - max_pool: 2\n"
								  "    pool_stride: 2\n"
								  "    out_channels: 10\n"
								  "    operation: conv2d\n"
								  "    kernel_size: 1x1\n"
								  "    pad: 0\n";

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_network *network = NULL;
	ai8x_program *program = NULL;
	if (argc != 2)
		return 2;
	ai8x_status status =
		ai8x_network_parse(description, strlen(description), "example", NULL, &network, &error);
	if (status == AI8X_OK) // weights of a trained network come from a file: ai8x_network_files
		status = ai8x_network_randomise(network, 1, NULL, NULL, &error);
	if (status == AI8X_OK)
		status = ai8x_network_compile(network, ai8x_part_find("MAX78000"), NULL, &program, &error);
	if (status == AI8X_OK)
		status = ai8x_program_save(program, argv[1], &error);
	if (status == AI8X_OK) {
		for (size_t i = 0; i < network->note_count; i++)
			printf("%s\n", network->notes[i]);
		size_t operations;
		(void)ai8x_program_ops(program, &operations);
		printf("%zu operations, %zu layers\n", operations, ai8x_program_layer_count(program));
	} else {
		fprintf(stderr, "%s\n", error.message);
	}
	ai8x_program_destroy(program);
	ai8x_network_destroy(network);
	return status == AI8X_OK ? 0 : 1;
}
