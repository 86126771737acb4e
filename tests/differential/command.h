// What the command lines of the two generators share: which trials, how long, on how many threads, and where failures go.
#ifndef AI8X_DIFFERENTIAL_COMMAND_H
#define AI8X_DIFFERENTIAL_COMMAND_H

#include <argp.h>
#include <stdint.h>
#include <time.h>

#define MOST_JOBS 64

struct command {
	uint64_t first, count, failures;
	double seconds;
	unsigned jobs;
	const char *folder;
	struct timespec start;
	char temporary[64]; // folder, there from command_begin() to command_end()
};

// The keys s, n, t, j, f, o of argp; any other: ARGP_ERR_UNKNOWN.
error_t command_parse(int key, const char *argument, struct argp_state *state, struct command *command);

// Reads the whole line; 0 where that failed and told why.
int command_begin(struct command *command, const struct argp *parser, int argc, char **argv, void *input);
void command_end(const struct command *command);

double command_seconds(const struct command *command);

#endif
