// Files of values as a network takes them; for the fuzz targets of weights files.
#ifndef AI8X_FUZZ_VALUES_H
#define AI8X_FUZZ_VALUES_H

#include <ai8xsim/ai8xsim.h>

#include "fuzz.h"

// Takes a file for everything that a network of two layers needs, alone and together.
static inline void values_read(const char *path)
{
	static const char description[] = "layers:\n"
									  "  - {in_channels: 2, in_dim: [4, 4], out_channels: 3}\n"
									  "  - {op: linear, flatten: true}\n";
	const ai8x_network_files files[] = {
		{.weights = path},
		{.bias = path},
		{.input = path},
		{.weights = path, .bias = path, .input = path},
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		ai8x_error error = {AI8X_OK, ""};
		ai8x_network *network = NULL;
		ai8x_status status =
			ai8x_network_parse(description, sizeof description - 1, "fuzz.yaml", &files[i], &network, &error);
		require((status == AI8X_OK) == (network != NULL), "a network or an error");
		require(status == AI8X_OK || error.message[0] != '\0', "an error says what is wrong");
		ai8x_network_destroy(network);
	}
}

#endif
