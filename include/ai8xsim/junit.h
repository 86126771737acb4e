/**
 * @file junit.h
 * @brief Test results as JUnit XML, which CI systems show.
 *
 * Example: examples/firmware.c.
 */
#ifndef AI8XSIM_JUNIT_H
#define AI8XSIM_JUNIT_H

#include <stddef.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What became of a test. */
typedef enum ai8x_junit_outcome {
	AI8X_JUNIT_PASS,
	AI8X_JUNIT_FAILURE, /**< it ran, and what it found is wrong */
	AI8X_JUNIT_ERROR,   /**< it could not run to its end */
} ai8x_junit_outcome;

/** One test. Strings are UTF-8; what is not, or has no place in XML, is replaced. */
typedef struct ai8x_junit_case {
	const char *group; /**< "classname": tests of one group are shown together */
	const char *name;
	double seconds;
	ai8x_junit_outcome outcome;
	const char *message; /**< why it failed, one line, or NULL */
	const char *output;  /**< what it printed, or NULL */
} ai8x_junit_case;

/**
 * @brief Renders a test suite.
 * @param text  receives the document, zero-terminated; release it with free()
 */
AI8X_API_EXPERIMENTAL ai8x_status ai8x_junit_render(const char *suite, const ai8x_junit_case *cases,
                                                    size_t count, char **text, ai8x_error *error);

#ifdef __cplusplus
}
#endif
#endif
