// Time that only goes forward.
#ifndef AI8X_BASE_CLOCK_H
#define AI8X_BASE_CLOCK_H

#include <time.h>

// Seconds since some fixed time.
static inline double clock_seconds(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

#endif
