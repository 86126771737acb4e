// Fuzzes the readers of NumPy's files, .npy from memory and .npz archives as files: any bytes must give arrays or an
// error. What gives arrays is then taken as weights, biases and input of a small network.
#include "fuzz.h"
#include "fuzz_values.h"
#include "program/npy.h"

static void check_arrays(const struct array_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		size_t count = 1;
		for (unsigned d = 0; d < list->arrays[i].rank; d++)
			count *= list->arrays[i].shape[d];
		require(count == list->arrays[i].count, "as many values as the shape says");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct array_list list = {NULL, 0};
	ai8x_error error = {AI8X_OK, ""};
	bool is_archive = size >= 2 && data[0] == 'P' && data[1] == 'K';
	char path[FUZZ_PATH];
	ai8x_status status;
	if (is_archive) {
		fuzz_write(path, ".npz", data, size);
		status = arrays_open(path, &list, &error);
	} else {
		status = arrays_parse(data, size, "fuzz.npy", "", &list, &error);
	}
	require(status == AI8X_OK || error.message[0] != '\0', "an error says what is wrong");
	check_arrays(&list);
	arrays_release(&list);
	if (status == AI8X_OK) {
		if (!is_archive)
			fuzz_write(path, ".npy", data, size);
		values_read(path);
	}
	if (status == AI8X_OK || is_archive)
		(void)unlink(path);
	return 0;
}
