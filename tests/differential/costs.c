// What ai8x_network_cost() says of random networks is what their profiles say, and it refuses what the compiler refuses.
//
//   costs COUNT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "trial.h"

struct tally {
	unsigned equal, refused, wrong;
};

static bool same_cost(const ai8x_cost *cost, const ai8x_profile *profile)
{
	return cost->cycles == profile->timing.schedule.cycles && cost->macs == profile->macs &&
	       cost->seconds == profile->seconds && cost->joules == profile->joules &&
	       cost->kernel_words == profile->kernel_words && cost->kernel_capacity == profile->kernel_capacity &&
	       cost->data_words == profile->data_words && cost->data_capacity == profile->data_capacity;
}

// The long way: compiled and profiled.
static ai8x_status profile_of(const ai8x_network *network, const ai8x_part *part, ai8x_profile **profile,
                              ai8x_error *error)
{
	ai8x_network *copy = NULL;
	ai8x_program *program = NULL;
	ai8x_status status = ai8x_network_copy(network, &copy, error);
	if (status == AI8X_OK)
		status = ai8x_network_compile(copy, part, NULL, &program, error);
	if (status == AI8X_OK)
		status = ai8x_profile_create(program, NULL, profile, error);
	ai8x_program_destroy(program);
	ai8x_network_destroy(copy);
	return status;
}

static void compare(const struct trial *trial, struct tally *tally)
{
	ai8x_error short_error = {0}, long_error = {0};
	ai8x_cost cost;
	ai8x_profile *profile = NULL;
	const ai8x_status status = ai8x_network_cost(trial->network, trial->part, &cost, &short_error);
	const ai8x_status expected = profile_of(trial->network, trial->part, &profile, &long_error);
	bool same = status == expected && strcmp(short_error.message, long_error.message) == 0;
	if (same && status == AI8X_OK)
		same = same_cost(&cost, profile);
	tally->equal += same && status == AI8X_OK;
	tally->refused += same && status != AI8X_OK;
	tally->wrong += !same;
	if (!same)
		(void)printf("network %" PRIu64 " on %s: cost %s, profile %s\n", trial->number,
		             ai8x_part_get_info(trial->part)->name,
		             status == AI8X_OK ? "is an answer" : short_error.message,
		             expected == AI8X_OK ? "is an answer" : long_error.message);
	ai8x_profile_destroy(profile);
}

int main(int argc, char **argv)
{
	const unsigned long count = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	struct tally tally = {0};
	for (unsigned long number = 0; number < count; number++) {
		for (unsigned p = 0; p < ai8x_part_count(); p++) {
			struct trial trial = {0};
			ai8x_error error = {0};
			if (trial_draw(number, 0, ai8x_part_at(p), &trial, &error) != AI8X_OK) {
				(void)fprintf(stderr, "%s\n", error.message);
				return EXIT_FAILURE;
			}
			if (ai8x_network_resolve(trial.network, &error) == AI8X_OK)
				compare(&trial, &tally);
			trial_release(&trial);
		}
	}
	(void)printf("%u equal, %u refused alike, %u wrong\n", tally.equal, tally.refused, tally.wrong);
	// A generator that draws nothing that runs, or nothing that is refused, proves nothing.
	return tally.wrong == 0 && tally.equal > 0 && tally.refused > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
