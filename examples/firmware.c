// <ai8xsim/firmware.h>, <ai8xsim/junit.h>: runs an image and writes the verdict as JUnit XML, as a CI job would.
//
//   ./firmware IMAGE.elf
#include <stdio.h>
#include <stdlib.h>

#include <ai8xsim/firmware.h>
#include <ai8xsim/junit.h>

int main(int argc, char **argv)
{
	ai8x_error error = {0};
	ai8x_firmware *firmware = NULL;
	if (argc != 2)
		return 2;
	if (ai8x_firmware_open(argv[1], NULL, &firmware, &error) != AI8X_OK) {
		fprintf(stderr, "%s\n", error.message);
		return 3;
	}
	const ai8x_firmware_result *result;
	ai8x_firmware_verdict verdict;
	char reason[AI8X_MESSAGE_SIZE], *xml = NULL;
	(void)ai8x_firmware_run(firmware, &result); // how it ended is in the result
	ai8x_status status = ai8x_firmware_judge(result, NULL, &verdict, reason, &error);
	if (status == AI8X_OK) {
		const ai8x_junit_case test = {
			.group = "firmware",
			.name = "known answer",
			.seconds = result->simulated_seconds,
			.outcome = verdict == AI8X_FIRMWARE_PASS ? AI8X_JUNIT_PASS : AI8X_JUNIT_FAILURE,
			.message = verdict == AI8X_FIRMWARE_PASS ? NULL : reason,
			.output = result->console,
		};
		status = ai8x_junit_render("board", &test, 1, &xml, &error);
	}
	if (status == AI8X_OK)
		printf("%s%s: %s\n", xml, ai8x_firmware_verdict_name(verdict), reason);
	else
		fprintf(stderr, "%s\n", error.message);
	free(xml);
	ai8x_firmware_destroy(firmware);
	return status == AI8X_OK && verdict == AI8X_FIRMWARE_PASS ? 0 : 1;
}
