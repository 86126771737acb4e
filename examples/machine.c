// <ai8xsim/machine.h>: the accelerator by hand. Every bus access is one that firmware would make, so any program can
// drive it: here those of a recorded program, up to the run, without the runner.
//
//   ./machine PROGRAM.h5
#include <inttypes.h>
#include <stdio.h>

#include <ai8xsim/machine.h>
#include <ai8xsim/program.h>

// Writes what the program writes before its RUN.
static ai8x_status load(ai8x_machine *machine, const ai8x_program *program, ai8x_error *error)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count && ops[i].kind != AI8X_BUS_RUN; i++) {
		ai8x_status status = AI8X_OK;
		if (ops[i].kind == AI8X_BUS_WRITE32)
			status = ai8x_machine_write32(machine, ops[i].address, ops[i].value, error);
		else if (ops[i].kind == AI8X_BUS_WRITE8)
			status = ai8x_machine_write8(machine, ops[i].address, (uint8_t)ops[i].value, error);
		if (status != AI8X_OK)
			return status;
	}
	return AI8X_OK;
}

static bool layer_done(void *user, const ai8x_layer_report *report)
{
	(void)user;
	char sentence[256];
	ai8x_layer_describe(&report->layer, sentence, sizeof sentence);
	printf("layer %u: %s; %" PRIu64 " cycles\n", report->layer.index, sentence, report->cycles);
	return true;
}

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ai8x_machine *machine = NULL;
	if (argc != 2)
		return 2;
	ai8x_status status = ai8x_program_open(argv[1], NULL, &program, &error);
	if (status == AI8X_OK)
		status = ai8x_machine_create(ai8x_program_part(program), NULL, &machine, &error);
	if (status == AI8X_OK) {
		ai8x_machine_on_layer(machine, layer_done, NULL);
		status = load(machine, program, &error);
	}
	if (status == AI8X_OK)
		status = ai8x_machine_run(machine, &(ai8x_run_limits){.max_cycles = 100000000}, &error);
	if (status == AI8X_OK) {
		size_t words;
		const uint32_t *data = ai8x_machine_data(machine, 0, &words);
		printf("%" PRIu64 " cycles; data memory 0 begins %08x %08x\n", ai8x_machine_cycles(machine), data[0],
		       data[1]);
	} else {
		fprintf(stderr, "%s\n", error.message);
	}
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
	return status == AI8X_OK ? 0 : 1;
}
