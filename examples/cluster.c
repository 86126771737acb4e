// <ai8xsim/cluster.h>: several processes share an evaluation. This one is alone, a cluster of one; with any message
// passing that fills in the same table, the others call ai8x_eval() in the same way.
//
//   ./cluster PROGRAM.h5 DATASET.h5
#include <inttypes.h>
#include <stdio.h>

#include <ai8xsim/eval.h>

// Nobody to send to.
static ai8x_status send(ai8x_cluster *cluster, unsigned to, const void *bytes, size_t size, ai8x_error *error)
{
	(void)cluster, (void)to, (void)bytes, (void)size, (void)error;
	return AI8X_ERR_ARGUMENT;
}

// Nobody to hear from.
static ai8x_status receive(ai8x_cluster *cluster, unsigned *from, const void **bytes, size_t *size,
                           ai8x_error *error)
{
	(void)cluster, (void)from, (void)bytes, (void)size, (void)error;
	return AI8X_WAITING;
}

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ai8x_cluster alone = {.size = 1, .silence_seconds = 60, .send = send, .receive = receive};
	if (argc != 3)
		return 2;
	ai8x_eval_options options = ai8x_eval_options_default();
	options.limit = 20;
	options.cluster = &alone;
	ai8x_eval_result result;
	ai8x_status status = ai8x_program_open(argv[1], NULL, &program, &error);
	if (status == AI8X_OK) {
		status = ai8x_eval(program, argv[2], &options, &result, &error);
		if (status == AI8X_OK) {
			printf("rank %u of %u: %" PRIu64 " of %" PRIu64 " right\n", alone.rank, alone.size, result.top1,
			       result.answers);
			ai8x_eval_release(&result);
		}
	}
	if (status != AI8X_OK)
		fprintf(stderr, "%s\n", error.message);
	ai8x_program_destroy(program);
	return status == AI8X_OK ? 0 : 1;
}
