// From a run to pass or fail: what the firmware printed, how it ended, what the accelerator did.
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include <ai8xsim/firmware.h>

#include "base/error.h"

#define USUAL_EXPECT "PASS"
#define USUAL_FAIL "FAIL|[Mm]ismatch"

const char *ai8x_firmware_verdict_name(ai8x_firmware_verdict verdict)
{
	static const char *const names[AI8X_FIRMWARE_VERDICTS] = {"pass", "fail", "silent"};
	return (unsigned)verdict < AI8X_FIRMWARE_VERDICTS ? names[verdict] : "unknown";
}

// The line of text that an expression matches first, in line; found: whether there is one.
static ai8x_status find_line(const char *expression, const char *text, bool *found, char line[160],
                             ai8x_error *error)
{
	regex_t regex;
	int status = regcomp(&regex, expression, REG_EXTENDED | REG_NEWLINE);
	if (status != 0) {
		char why[128];
		(void)regerror(status, &regex, why, sizeof why);
		return error_set(error, AI8X_ERR_ARGUMENT, "regular expression '%s': %s", expression, why);
	}
	regmatch_t match;
	*found = regexec(&regex, text, 1, &match, 0) == 0;
	regfree(&regex);
	line[0] = 0;
	if (*found) {
		const char *start = text + match.rm_so;
		while (start > text && start[-1] != '\n')
			start--;
		(void)snprintf(line, 160, "%.*s", (int)strcspn(start, "\n"), start);
	}
	return AI8X_OK;
}

static bool broke(ai8x_firmware_end end, bool asked_and_found)
{
	switch (end) {
	case AI8X_FIRMWARE_FAULT:
	case AI8X_FIRMWARE_ACCELERATOR:
	case AI8X_FIRMWARE_UNMODELLED:
	case AI8X_FIRMWARE_CANCELLED:
		return true;
	case AI8X_FIRMWARE_TIMEOUT:
		return !asked_and_found;
	default:
		return false;
	}
}

ai8x_status ai8x_firmware_judge(const ai8x_firmware_result *result, const ai8x_firmware_patterns *patterns,
                                ai8x_firmware_verdict *verdict, char *reason, ai8x_error *error)
{
	if (error_if_null(error, result, verdict, reason))
		return AI8X_ERR_ARGUMENT;
	const char *expect = patterns != NULL ? patterns->expect : NULL;
	const char *fail = patterns != NULL ? patterns->fail : NULL;
	bool passed = false, failed = false;
	char pass_line[160], fail_line[160];
	ai8x_status status =
		find_line(expect != NULL ? expect : USUAL_EXPECT, result->console, &passed, pass_line, error);
	if (status == AI8X_OK)
		status = find_line(fail != NULL ? fail : USUAL_FAIL, result->console, &failed, fail_line, error);
	if (status != AI8X_OK)
		return status;

	const ai8x_firmware_inference *last =
		result->inference_count > 0 ? &result->inferences[result->inference_count - 1] : NULL;
	*verdict = AI8X_FIRMWARE_FAIL;
	bool bad_exit = result->end == AI8X_FIRMWARE_EXITED && result->exit_code != 0;
	if (broke(result->end, expect != NULL && passed) || (bad_exit && !failed))
		(void)snprintf(reason, AI8X_MESSAGE_SIZE, "%s", result->message);
	else if (failed)
		(void)snprintf(reason, AI8X_MESSAGE_SIZE, "it prints '%s'", fail_line);
	else if (expect != NULL && !passed)
		(void)snprintf(reason, AI8X_MESSAGE_SIZE, "nothing it prints matches '%s'; %.300s", expect,
		               result->message);
	else if (last != NULL && !last->finished && result->end != AI8X_FIRMWARE_REACHED && !passed)
		(void)snprintf(reason, AI8X_MESSAGE_SIZE, "the accelerator was started and did not finish; %.300s",
		               result->message);
	else if (passed || result->end == AI8X_FIRMWARE_REACHED || result->end == AI8X_FIRMWARE_EXITED) {
		*verdict = AI8X_FIRMWARE_PASS;
		if (passed)
			(void)snprintf(reason, AI8X_MESSAGE_SIZE, "it prints '%s'", pass_line);
		else
			(void)snprintf(reason, AI8X_MESSAGE_SIZE, "%s", result->message);
	} else {
		*verdict = AI8X_FIRMWARE_SILENT;
		(void)snprintf(reason, AI8X_MESSAGE_SIZE,
		               "it says neither pass nor fail (--expect tells what to look for); %.300s",
		               result->message);
	}
	return AI8X_OK;
}
