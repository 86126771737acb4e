// Fuzzes the reader of .mem stimulus: any text must give a program or an error. The first byte chooses the part; a
// byte 0xff ends the stimulus, and the words expected afterwards follow.
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const ai8x_part *part = ai8x_part_at(data[0] % ai8x_part_count());
	const uint8_t *text = data + 1;
	size_t length = size - 1;
	const uint8_t *end = memchr(text, 0xff, length);
	char path[FUZZ_PATH], expected[FUZZ_PATH];
	fuzz_write(path, ".mem", text, end != NULL ? (size_t)(end - text) : length);
	ai8x_program_options options = {.part = part};
	if (end != NULL) {
		fuzz_write(expected, "-expected.mem", end + 1, (size_t)(text + length - end - 1));
		options.expected = expected;
	}
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	ai8x_status status = ai8x_program_open(path, &options, &program, &error);
	require((status == AI8X_OK) == (program != NULL), "a program or an error");
	require(status == AI8X_OK || error.message[0] != '\0', "an error says what it is");
	require(status != AI8X_OK || ai8x_program_part(program) == part, "the part that was asked for");
	ai8x_program_destroy(program);
	(void)unlink(path);
	if (end != NULL)
		(void)unlink(expected);
	return 0;
}
