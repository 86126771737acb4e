// Fuzzes the reader of HDF5 programs: any bytes must give a program or an error, and a program that was read must
// come back equal after it was saved.
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "fuzz.h"

static void check_round_trip(const ai8x_program *program)
{
	char path[FUZZ_PATH];
	fuzz_path(path, "-again.h5");
	ai8x_error error = {0};
	ai8x_program *again = NULL;
	require(ai8x_program_save(program, path, &error) == AI8X_OK, "what was read can be saved");
	require(ai8x_program_open(path, NULL, &again, &error) == AI8X_OK, "what was saved can be read");
	size_t count = 0, count_again = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	const ai8x_op *ops_again = ai8x_program_ops(again, &count_again);
	require(count == count_again, "as many operations");
	require(count == 0 || memcmp(ops, ops_again, count * sizeof *ops) == 0, "the same operations");
	require(ai8x_program_layer_count(program) == ai8x_program_layer_count(again), "as many layers");
	ai8x_program_destroy(again);
	(void)unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[FUZZ_PATH];
	fuzz_write(path, ".h5", data, size);
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ai8x_status status = ai8x_program_open(path, NULL, &program, &error);
	require((status == AI8X_OK) == (program != NULL), "a program or an error");
	require(status == AI8X_OK || error.message[0] != '\0', "an error says what it is");
	if (program != NULL)
		check_round_trip(program);
	ai8x_program_destroy(program);
	(void)unlink(path);
	return 0;
}
