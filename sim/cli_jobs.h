// Many programs at the same time, with the progress that is shown meanwhile.
#ifndef AI8XSIM_CLI_JOBS_H
#define AI8XSIM_CLI_JOBS_H

#include "cli.h"

// Most jobs that --jobs takes.
enum { CLI_MAX_JOBS = 256 };

// Calls work(user, i) once for each i below count, at most jobs of them at the same time, and returns when all are done.
// Calls with different i must not touch the same data.
void cli_jobs_run(unsigned jobs, size_t count, void (*work)(void *user, size_t index), void *user);

#endif
