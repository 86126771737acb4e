// Fuzzes the readers of weights and inputs: .npy from memory, and files of any kind (HDF5, .npz, .npy) as weights of
// a small network. Any bytes must give values or an error.
//
//   CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false \
//     -Dc_args=-fsanitize=fuzzer-no-link
//   ninja -C build-fuzz tests/fuzz/fuzz_npy
//   build-fuzz/tests/fuzz/fuzz_npy -max_len=16384 -detect_leaks=0 corpus/    (start from small .npy, .npz, .h5 files)
//
// Leaks are not looked for: libhdf5 1.10 itself leaks on damaged files.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ai8xsim/ai8xsim.h>

#include "network/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (!holds) {
		(void)fprintf(stderr, "does not hold: %s\n", what);
		abort();
	}
}

static void read_memory(const uint8_t *data, size_t size)
{
	struct array_list list = {NULL, 0};
	ai8x_error error = {AI8X_OK, ""};
	ai8x_status status = arrays_parse(data, size, "fuzz.npy", "", &list, &error);
	require(status == AI8X_OK || error.message[0] != '\0', "an error says what is wrong");
	for (size_t i = 0; i < list.count; i++) {
		size_t count = 1;
		for (unsigned d = 0; d < list.arrays[i].rank; d++) {
			count *= list.arrays[i].shape[d];
		}
		require(count == list.arrays[i].count, "as many values as the shape says");
	}
	arrays_release(&list);
}

static void read_file(const uint8_t *data, size_t size)
{
	static const char description[] = "layers:\n"
									  "  - {in_channels: 2, in_dim: [4, 4], out_channels: 3}\n"
									  "  - {op: linear, flatten: true}\n";
	char path[64];
	(void)snprintf(path, sizeof path, "/tmp/ai8xsim-fuzz-%ld.weights", (long)getpid());
	FILE *file = fopen(path, "wb");
	require(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0,
	        "the file can be written");
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_memory(data, size);
	read_file(data, size);
	return 0;
}
