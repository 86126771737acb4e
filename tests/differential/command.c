// Command lines of the generators; see command.h.
#include "command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "golden.h"

static uint64_t number_argument(struct argp_state *state, const char *text, uint64_t most)
{
	char *end = NULL;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' || value > most)
		argp_error(state, "'%s' is not a number from 0 to %" PRIu64, text, most);
	return value;
}

error_t command_parse(int key, const char *argument, struct argp_state *state, struct command *command)
{
	switch (key) {
	case 's':
		command->first = number_argument(state, argument, UINT64_MAX / 4);
		return 0;
	case 'n':
		command->count = number_argument(state, argument, UINT64_MAX / 4);
		return 0;
	case 't':
		command->seconds = (double)number_argument(state, argument, 1u << 30);
		return 0;
	case 'j':
		command->jobs = (unsigned)number_argument(state, argument, MOST_JOBS);
		return 0;
	case 'f':
		command->failures = number_argument(state, argument, 1u << 20);
		return 0;
	case 'o':
		command->folder = argument;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int command_begin(struct command *command, const struct argp *parser, int argc, char **argv, void *input)
{
	*command = (struct command){.folder = ".", .failures = 5};
	if (argp_parse(parser, argc, argv, 0, NULL, input) != 0)
		return 0;
	if (command->jobs == 0) {
		long processors = sysconf(_SC_NPROCESSORS_ONLN);
		command->jobs = processors < 1 ? 1 : processors > MOST_JOBS ? MOST_JOBS : (unsigned)processors;
	}
	(void)snprintf(command->temporary, sizeof command->temporary, "/tmp/ai8xsim-trials-XXXXXX");
	if (mkdtemp(command->temporary) == NULL) {
		perror("temporary folder");
		return 0;
	}
	golden_use_one_thread();
	(void)clock_gettime(CLOCK_MONOTONIC, &command->start);
	return 1;
}

void command_end(const struct command *command)
{
	for (unsigned i = 0; i < command->jobs; i++) {
		char path[128];
		(void)snprintf(path, sizeof path, "%s/thread%u.yaml", command->temporary, i);
		(void)remove(path);
	}
	(void)rmdir(command->temporary);
}

double command_seconds(const struct command *command)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - command->start.tv_sec) +
	       1e-9 * (double)(now.tv_nsec - command->start.tv_nsec);
}
