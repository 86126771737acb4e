// Fuzzes the reader of HDF5 weights files: any bytes, taken as weights, biases and input of a small network, must give
// values or an error.
#include "fuzz.h"
#include "fuzz_values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[FUZZ_PATH];
	fuzz_write(path, ".h5", data, size);
	values_read(path);
	(void)unlink(path);
	return 0;
}
