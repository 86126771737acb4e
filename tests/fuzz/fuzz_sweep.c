// Fuzzes the reader of sweeps: any text beside a small network must give a grid or an error; a small grid is computed.
#include <ai8xsim/ai8xsim.h>

#include "fuzz.h"

static const char network[] = "arch: n\nlayers:\n"
							  "  - {name: first, in_channels: 2, in_dim: [4, 4], out_channels: 3}\n"
							  "  - {name: second, op: linear, flatten: true, out_channels: 2}\n";

// Beside the sweep, under a name that inputs can hold.
static void put_network(void)
{
	const char *folder = getenv("TMPDIR");
	char path[FUZZ_PATH];
	(void)snprintf(path, sizeof path, "%s/ai8xsim-fuzz-n.yaml", folder != NULL ? folder : "/tmp");
	if (access(path, R_OK) == 0)
		return;
	FILE *file = fopen(path, "we");
	require(file != NULL && fwrite(network, 1, sizeof network - 1, file) > 0 && fclose(file) == 0,
	        "the network can be written");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { MOST_POINTS = 64 };
	char path[FUZZ_PATH];
	put_network();
	fuzz_write(path, "-sweep.yaml", data, size);
	ai8x_error error = {AI8X_OK, ""};
	ai8x_sweep *sweep = NULL;
	const ai8x_status status = ai8x_sweep_open(path, NULL, &sweep, &error);
	require((status == AI8X_OK) == (sweep != NULL), "a grid or an error");
	require(status == AI8X_OK || error.message[0] != '\0', "an error says what it is");
	const ai8x_sweep_options options = {.jobs = 1};
	if (sweep != NULL && ai8x_sweep_point_count(sweep) <= MOST_POINTS)
		require(ai8x_sweep_run(sweep, &options, &error) == AI8X_OK, error.message);
	ai8x_sweep_destroy(sweep);
	(void)unlink(path);
	return 0;
}
