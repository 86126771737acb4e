// Fuzzes the program readers: any bytes must give a program or an error, and a program that was read must
// come back equal after it was saved.
//
//   CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
//   ninja -C build-fuzz tests/fuzz/fuzz_program
//   build-fuzz/tests/fuzz/fuzz_program -max_len=65536 corpus/    (start from small program files)
//
// The first byte chooses the format; the rest is the file.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ai8xsim/ai8xsim.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (!holds) {
		(void)fprintf(stderr, "does not hold: %s\n", what);
		abort();
	}
}

static void check_round_trip(const ai8x_program *program)
{
	char path[64];
	(void)snprintf(path, sizeof path, "/tmp/ai8xsim-fuzz-%ld-again.h5", (long)getpid());
	ai8x_error error = {0};
	ai8x_program *again = NULL;
	require(ai8x_program_save(program, path, &error) == AI8X_OK, "what was read can be saved");
	require(ai8x_program_open(path, NULL, &again, &error) == AI8X_OK, "what was saved can be read");
	size_t count = 0, count_again = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	const ai8x_op *ops_again = ai8x_program_ops(again, &count_again);
	require(count == count_again, "as many operations");
	require(memcmp(ops, ops_again, count * sizeof *ops) == 0, "the same operations");
	require(ai8x_program_layer_count(program) == ai8x_program_layer_count(again), "as many layers");
	ai8x_program_destroy(again);
	(void)unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	bool is_mem = data[0] & 1;
	// A file with a name: libhdf5 asks for the real path, and the .mem format goes by the name.
	char path[64];
	(void)snprintf(path, sizeof path, "/tmp/ai8xsim-fuzz-%ld.%s", (long)getpid(), is_mem ? "mem" : "h5");
	FILE *file = fopen(path, "we");
	if (file == NULL)
		return 0;
	bool written = fwrite(data + 1, 1, size - 1, file) == size - 1;
	if (fclose(file) == 0 && written) {
		ai8x_error error = {0};
		ai8x_program *program = NULL;
		ai8x_program_options options = {.part = is_mem ? ai8x_part_find("MAX78002") : NULL};
		ai8x_status status = ai8x_program_open(path, &options, &program, &error);
		require((status == AI8X_OK) == (program != NULL), "a program or an error");
		require(status == AI8X_OK || error.message[0] != '\0', "an error says what it is");
		if (program != NULL && !is_mem)
			check_round_trip(program);
		ai8x_program_destroy(program);
	}
	(void)unlink(path);
	return 0;
}
