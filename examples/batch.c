// <ai8xsim/batch.h>: one program, many inputs. Loads once, then runs the recorded input and its negative.
//
//   ./batch PROGRAM.h5
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <ai8xsim/batch.h>

static void print(const char *what, const int32_t *output, size_t count)
{
	printf("%s:", what);
	for (size_t i = 0; i < count && i < 10; i++)
		printf(" %d", output[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ai8x_batch *batch = NULL;
	ai8x_batch_worker *worker = NULL;
	uint32_t in[3], out[3];
	if (argc != 2)
		return 2;
	// The program has to live longer than the batch; each thread would have a worker of its own.
	if (ai8x_program_open(argv[1], NULL, &program, &error) != AI8X_OK ||
	    ai8x_batch_create(program, NULL, &batch, &error) != AI8X_OK ||
	    ai8x_batch_input_shape(batch, in, &error) != AI8X_OK ||
	    ai8x_batch_worker_create(batch, &worker, &error) != AI8X_OK) {
		fprintf(stderr, "%s\n", error.message);
		ai8x_batch_destroy(batch);
		ai8x_program_destroy(program);
		return 3;
	}
	ai8x_batch_output_shape(batch, out);
	const size_t inputs = (size_t)in[0] * in[1] * in[2], outputs = (size_t)out[0] * out[1] * out[2];
	int8_t *input = malloc(inputs);
	int32_t *output = malloc(outputs * sizeof *output);
	const int32_t *recorded = ai8x_program_input(program, in);
	ai8x_status status = input == NULL || output == NULL || recorded == NULL ? AI8X_ERR_NO_MEMORY : AI8X_OK;
	if (status == AI8X_OK)
		status = ai8x_batch_run(worker, NULL, output, &error);
	if (status == AI8X_OK) {
		print("recorded input", output, outputs);
		for (size_t i = 0; i < inputs; i++)
			input[i] = (int8_t)(recorded[i] == -128 ? 127 : -recorded[i]);
		status = ai8x_batch_run(worker, input, output, &error);
	}
	if (status == AI8X_OK) {
		print("its negative", output, outputs);
		printf("%" PRIu64 " cycles each\n", ai8x_batch_cycles(batch));
	} else {
		fprintf(stderr, "%s: %s\n", ai8x_status_text(status), error.message);
	}
	free(input);
	free(output);
	ai8x_batch_worker_destroy(worker);
	ai8x_batch_destroy(batch);
	ai8x_program_destroy(program);
	return status == AI8X_OK ? 0 : 1;
}
