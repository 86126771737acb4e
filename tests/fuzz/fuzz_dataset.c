// Fuzzes the reader of data sets: any HDF5 file must give inputs and labels or an error.
#include <ai8xsim/ai8xsim.h>

#include "fuzz.h"
#include "runner/dataset.h"

static void read_some(const struct dataset *dataset)
{
	enum { MOST_VALUES = 1 << 16 };
	const struct dataset_shape inputs = dataset_input_shape(dataset), labels = dataset_label_shape(dataset);
	const uint64_t values = inputs.sides[0] * inputs.sides[1] * inputs.sides[2];
	ai8x_error error = {AI8X_OK, ""};
	if (values > MOST_VALUES)
		return;
	int8_t *input = malloc(values + 1);
	void *room = malloc(dataset_room(dataset, 1));
	require(dataset_read_inputs(dataset, 0, 1, room, input, &error) == AI8X_OK || error.message[0] != '\0',
	        "an error says what it is");
	free(input);
	free(room);
	const uint64_t answers = labels.sides[0] * labels.sides[1] * labels.sides[2];
	if (!dataset_has_labels(dataset) || answers > MOST_VALUES)
		return;
	int32_t *label = malloc((answers + 1) * sizeof *label);
	(void)dataset_read_labels(dataset, dataset_count(dataset) - 1, 1, label, &error);
	free(label);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[FUZZ_PATH];
	fuzz_write(path, ".h5", data, size);
	ai8x_error error = {AI8X_OK, ""};
	struct dataset *dataset = NULL;
	const ai8x_status status = dataset_open(path, NULL, 0, &dataset, &error);
	require((status == AI8X_OK) == (dataset != NULL), "a data set or an error");
	require(status == AI8X_OK || error.message[0] != '\0', "an error says what it is");
	if (dataset != NULL)
		read_some(dataset);
	dataset_close(dataset);
	(void)unlink(path);
	return 0;
}
