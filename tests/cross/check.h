// As much of libcheck as tests/unit/test_kernels.c needs, for programs of another architecture, for which the library is
// not at hand: tests run one after the other in one process, which ends with the first that fails.
#ifndef AI8X_CROSS_CHECK_H
#define AI8X_CROSS_CHECK_H

#include <stdio.h>
#include <stdlib.h>

enum { CHECK_MOST_TESTS = 32, CK_ENV = 0 };

typedef struct TCase {
	struct {
		const char *name;
		void (*run)(int i);
		int first, end;
	} test[CHECK_MOST_TESTS];
	unsigned count;
} TCase;

typedef struct Suite {
	const TCase *cases;
} Suite;
typedef const Suite SRunner;

#define START_TEST(name) static void name(__attribute__((unused)) int _i)
#define END_TEST

#define ck_assert_msg(holds, ...)                                                                            \
	do {                                                                                                     \
		if (!(holds)) {                                                                                      \
			printf("%s:%d: ", __FILE__, __LINE__);                                                           \
			printf(__VA_ARGS__);                                                                             \
			printf("\n");                                                                                    \
			exit(EXIT_FAILURE);                                                                              \
		}                                                                                                    \
	} while (0)
#define ck_assert_uint_eq(a, b) ck_assert_msg((a) == (b), "%s is not %s", #a, #b)
#define ck_assert_int_eq(a, b) ck_assert_msg((a) == (b), "%s is not %s", #a, #b)
#define ck_assert_ptr_eq(a, b) ck_assert_msg((a) == (b), "%s is not %s", #a, #b)
#define ck_assert_ptr_null(a) ck_assert_msg((a) == NULL, "%s is not NULL", #a)
#define ck_assert_ptr_nonnull(a) ck_assert_msg((a) != NULL, "%s is NULL", #a)

#define tcase_set_timeout(tcase, seconds) (void)(tcase)
#define tcase_add_loop_test(tcase, name, from, to) check_add(tcase, #name, name, from, to)
#define tcase_add_test(tcase, name) check_add(tcase, #name, name, 0, 1)
#define suite_add_tcase(suite, tcase) (void)((suite)->cases = (tcase))
#define srunner_create(suite) (suite)
#define srunner_ntests_failed(runner) ((void)(runner), 0)
#define srunner_free(runner) free((void *)(runner))

static inline void *check_make(size_t size)
{
	void *made = calloc(1, size);
	if (made == NULL)
		abort();
	return made;
}

#define suite_create(name) check_make(sizeof(Suite))
#define tcase_create(name) check_make(sizeof(TCase))

static inline void check_add(TCase *tcase, const char *name, void (*run)(int i), int first, int end)
{
	if (tcase->count == CHECK_MOST_TESTS)
		abort();
	tcase->test[tcase->count].name = name;
	tcase->test[tcase->count].run = run;
	tcase->test[tcase->count].first = first;
	tcase->test[tcase->count++].end = end;
}

static inline void srunner_run_all(SRunner *runner, int mode)
{
	(void)mode;
	for (unsigned t = 0; t < runner->cases->count; t++) {
		for (int i = runner->cases->test[t].first; i < runner->cases->test[t].end; i++)
			runner->cases->test[t].run(i);
		printf("passed: %s\n", runner->cases->test[t].name);
	}
}

#endif
