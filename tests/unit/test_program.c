// Programs in memory and on disk: what is written comes back, and what is broken is refused with a reason.
#include <check.h>
#include <stdlib.h>

#include <ai8xsim/ai8xsim.h>

START_TEST(kinds_have_names)
{
	ck_assert_str_eq(ai8x_op_kind_name(AI8X_BUS_RUN), "RUN");
	ck_assert_ptr_null(ai8x_op_kind_name(AI8X_BUS_KINDS));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("program");
	TCase *memory = tcase_create("memory");
	tcase_add_test(memory, kinds_have_names);
	suite_add_tcase(suite, memory);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
