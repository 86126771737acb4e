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

// Measures `step`, called over and over with `user`, for about `seconds`: the least seconds of one call, of windows
// long enough to be timed. Other work on the machine lengthens times and never shortens them.
static inline double best_of(void (*step)(void *user), void *user, double seconds)
{
	step(user);
	double start = now(), best = 1e30;
	step(user);
	double once = now() - start;
	const unsigned window = once > 1e-3 ? 1 : (unsigned)(1e-3 / (once + 1e-9)) + 1;
	const double end = now() + seconds;
	do {
		start = now();
		for (unsigned i = 0; i < window; i++)
			step(user);
		once = (now() - start) / window;
		best = once < best ? once : best;
	} while (now() < end);
	return best;
}

#endif
