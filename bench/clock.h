// The clock of all benchmarks.
#ifndef AI8X_BENCH_CLOCK_H
#define AI8X_BENCH_CLOCK_H

#include <time.h>

// Seconds since some fixed time.
static inline double now(void)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#endif
