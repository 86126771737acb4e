// Running programs: what is compared, how far a run goes, and why it stops.
#include <check.h>
#include <stdlib.h>

#include <ai8xsim/ai8xsim.h>

START_TEST(default_limits)
{
	ck_assert_uint_eq(ai8x_runner_options_default().max_cycles, AI8X_RUNNER_DEFAULT_MAX_CYCLES);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runner");
	TCase *memory = tcase_create("memory");
	tcase_add_test(memory, default_limits);
	suite_add_tcase(suite, memory);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
