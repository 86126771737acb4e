// Differential tests: random networks, compiled and run by both engines, against the golden model.
//
// Every network has a number; number and part are all that is needed to draw it again. Networks that the compiler
// refuses are drawn again and counted with their reasons. A failing network is shrunk, written to a folder and reported.
#include "command.h"
#include "trial.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ops.h"

enum { MOST_REASONS = 128, MOST_ATTEMPTS = 200, REASON_BYTES = 160 };

struct settings {
	const ai8x_part *part;
	bool verbose, as_drawn, complete;
};

// A refusal (or the reason of a fallback) with its numbers taken out.
struct reason {
	char text[REASON_BYTES];
	uint64_t count;
};

struct tally {
	uint64_t networks[2], refused, senseless, failures;
	uint64_t layers, fast_layers, values, words, cycles;
	uint64_t by_layers[TRIAL_MAX_LAYERS + 1];
	uint64_t features[2][TRIAL_FEATURES]; // layers of each part
	struct reason refusals[MOST_REASONS], fallbacks[MOST_REASONS];
};

struct driver {
	struct command command;
	struct settings settings;
	_Atomic uint64_t next;
	atomic_bool stop;
	pthread_mutex_t lock; // guards everything below and the output
	struct tally tally;
	uint64_t last; // greatest number judged, exclusive
	bool broken;   // out of memory, a folder that cannot be written ...
};

struct worker {
	struct driver *driver;
	struct judge judge;
	pthread_t thread;
};

// --- Counting -------------------------------------------------------------------------------------------

static void count_reason(struct reason *reasons, const char *text)
{
	char plain[REASON_BYTES];
	size_t length = 0;
	for (const char *c = text; *c != '\0' && length + 2 < sizeof plain;) {
		size_t digits =
			strncmp(c, "0x", 2) == 0 ? 2 + strspn(c + 2, "0123456789abcdefABCDEF") : strspn(c, "0123456789");
		plain[length++] = digits > 0 ? '#' : *c;
		c += digits > 0 ? digits : 1;
	}
	plain[length] = '\0';
	for (size_t i = 0; i < MOST_REASONS; i++) {
		if (reasons[i].count == 0)
			(void)snprintf(reasons[i].text, sizeof reasons[i].text, "%s", plain);
		if (strcmp(reasons[i].text, plain) == 0) {
			reasons[i].count++;
			return;
		}
	}
}

static int more_often(const void *a, const void *b)
{
	const struct reason *x = a;
	const struct reason *y = b;
	return (x->count < y->count) - (x->count > y->count);
}

static void print_reasons(const char *title, struct reason *reasons)
{
	qsort(reasons, MOST_REASONS, sizeof *reasons, more_often);
	if (reasons[0].count > 0)
		printf("%s\n", title);
	for (size_t i = 0; i < MOST_REASONS && reasons[i].count > 0; i++)
		printf("%10" PRIu64 "  %s\n", reasons[i].count, reasons[i].text);
}

// Long runs say how far they are.
static void tell_progress(const struct driver *driver)
{
	uint64_t networks = driver->tally.networks[0] + driver->tally.networks[1];
	if (networks % 10000 == 0) {
		printf("%" PRIu64 " networks in %.0f s\n", networks, command_seconds(&driver->command));
		(void)fflush(stdout);
	}
}

static void count_pass(struct driver *driver, const struct trial *trial, const struct verdict *verdict)
{
	struct tally *tally = &driver->tally;
	tally->networks[trial->part == ai8x_part_at(1)]++;
	tally->layers += verdict->layers;
	tally->fast_layers += verdict->fast_layers;
	tally->values += verdict->values;
	tally->words += verdict->words;
	tally->cycles += verdict->cycles;
	tally->by_layers[trial->network->layer_count]++;
	for (unsigned f = 0; f < TRIAL_FEATURES; f++)
		tally->features[trial->part == ai8x_part_at(1)][f] += verdict->features[f];
	if (verdict->reason[0] != '\0')
		count_reason(tally->fallbacks, verdict->reason);
	tell_progress(driver);
}

// --- Judging --------------------------------------------------------------------------------------------

static void give_up(struct driver *driver, const char *what)
{
	(void)fprintf(stderr, "differential: %s\n", what);
	driver->broken = true;
	atomic_store(&driver->stop, true);
}

static void report_failure(struct worker *worker, struct trial *trial, struct verdict *verdict)
{
	struct driver *driver = worker->driver;
	const struct verdict first = *verdict;
	char path[2048];
	ai8x_error error = {AI8X_OK, ""};
	unsigned judged = driver->settings.as_drawn ? 0 : trial_shrink(&worker->judge, trial, verdict);
	(void)pthread_mutex_lock(&driver->lock);
	ai8x_status status = trial_record(&worker->judge, trial, &first, verdict, driver->command.folder, path,
	                                  sizeof path, &error);
	printf("FAILED %s network %" PRIu64
	       ": %s\n  as drawn: %s\n  shrunk to %zu layers in %u steps: %s\n  %s\n",
	       ai8x_part_get_info(trial->part)->name, trial->number, outcome_name(verdict->outcome), first.text,
	       trial->network->layer_count, judged, verdict->text, status == AI8X_OK ? path : error.message);
	(void)fflush(stdout);
	if (++driver->tally.failures >= driver->command.failures)
		atomic_store(&driver->stop, true);
	(void)pthread_mutex_unlock(&driver->lock);
}

// One number: draws until the compiler accepts.
static void judge_number(struct worker *worker, uint64_t number)
{
	struct driver *driver = worker->driver;
	const struct settings *settings = &driver->settings;
	const ai8x_part *part = settings->part != NULL ? settings->part : ai8x_part_at((unsigned)(number % 2));
	for (unsigned attempt = 0;; attempt++) {
		struct trial trial;
		struct verdict verdict;
		ai8x_error error = {AI8X_OK, ""};
		ai8x_status status =
			attempt < MOST_ATTEMPTS ? trial_draw(number, attempt, part, &trial, &error) : AI8X_ERR_LIMIT;
		if (status != AI8X_OK) {
			(void)pthread_mutex_lock(&driver->lock);
			give_up(driver, status == AI8X_ERR_LIMIT ? "no network that the compiler accepts was drawn"
			                                         : error.message);
			(void)pthread_mutex_unlock(&driver->lock);
			return;
		}
		trial_judge(&worker->judge, &trial, &verdict, NULL);
		if (outcome_is_failure(verdict.outcome)) {
			report_failure(worker, &trial, &verdict);
			trial_release(&trial);
			return;
		}
		(void)pthread_mutex_lock(&driver->lock);
		if (settings->verbose)
			printf("%" PRIu64 ".%u %s: %s %s\n", number, attempt, ai8x_part_get_info(part)->name,
			       outcome_name(verdict.outcome), verdict.text);
		if (verdict.outcome == OUTCOME_PASS) {
			count_pass(driver, &trial, &verdict);
		} else if (verdict.outcome == OUTCOME_REFUSED) {
			driver->tally.refused++;
			count_reason(driver->tally.refusals, verdict.text);
		} else {
			driver->tally.senseless++;
		}
		(void)pthread_mutex_unlock(&driver->lock);
		trial_release(&trial);
		if (verdict.outcome == OUTCOME_PASS)
			return;
	}
}

static bool time_is_left(const struct driver *driver)
{
	return driver->command.seconds <= 0 || command_seconds(&driver->command) < driver->command.seconds;
}

static void *work(void *user)
{
	struct worker *worker = user;
	struct driver *driver = worker->driver;
	while (!atomic_load(&driver->stop) && time_is_left(driver)) {
		uint64_t n = atomic_fetch_add(&driver->next, 1);
		if (driver->command.count > 0 && n >= driver->command.count)
			break;
		judge_number(worker, driver->command.first + n);
		(void)pthread_mutex_lock(&driver->lock);
		driver->last =
			driver->command.first + n + 1 > driver->last ? driver->command.first + n + 1 : driver->last;
		(void)pthread_mutex_unlock(&driver->lock);
	}
	return NULL;
}

// --- The whole test -------------------------------------------------------------------------------------

// Returns the number of features that a tested part has and no network of it did.
static unsigned print_features(const struct driver *driver)
{
	const struct tally *tally = &driver->tally;
	unsigned missing = 0;
	printf("%-32s %12s %12s\n", "layers with", ai8x_part_get_info(ai8x_part_at(0))->name,
	       ai8x_part_get_info(ai8x_part_at(1))->name);
	for (unsigned f = 0; f < TRIAL_FEATURES; f++) {
		printf("%-32s", feature_name(f));
		for (unsigned p = 0; p < 2; p++) {
			bool exists = feature_exists(f, ai8x_part_at(p));
			missing += exists && tally->networks[p] > 0 && tally->features[p][f] == 0;
			if (exists)
				printf(" %12" PRIu64, tally->features[p][f]);
			else
				printf(" %12s", "-");
		}
		printf("\n");
	}
	return missing;
}

static void summarise(struct driver *driver, const struct judge *judge)
{
	struct tally *tally = &driver->tally;
	uint64_t networks = tally->networks[0] + tally->networks[1];
	unsigned missing = print_features(driver);
	if (driver->settings.complete && missing > 0 && tally->failures == 0) {
		printf("FAILED: %u features occur in no network that was run\n", missing);
		tally->failures++;
	}
	// Networks are drawn so that they make sense, and most so that they fit: a compiler that refuses what it should
	// take must not look like one that was given worse networks.
	if (driver->settings.complete && (tally->senseless > 0 || tally->refused > networks)) {
		printf("FAILED: too many networks were refused\n");
		tally->failures++;
	}
	print_reasons("refused by the compiler:", tally->refusals);
	print_reasons("networks with layers that the fast engine left to the exact one:", tally->fallbacks);
	printf("kernels of the fast engine:");
	for (unsigned k = 0; k < judge->kernel_count; k++)
		printf(" %s", judge->kernels[k]);
	printf("\nlayers in a network:");
	for (unsigned n = 1; n <= TRIAL_MAX_LAYERS; n++)
		printf(" %u:%" PRIu64, n, tally->by_layers[n]);
	printf("\n%" PRIu64 " layers (%" PRIu64 " by the fast engine), %" PRIu64 " output values, %" PRIu64
	       " memory words, %" PRIu64 " cycles\n",
	       tally->layers, tally->fast_layers, tally->values, tally->words, tally->cycles);
	printf("seeds %" PRIu64 " to %" PRIu64 ": %" PRIu64 " networks pass (%s %" PRIu64 ", %s %" PRIu64
	       "), %" PRIu64 " fail, %" PRIu64 " refused and %" PRIu64 " senseless ones drawn again, %.1f s\n",
	       driver->command.first, driver->last > 0 ? driver->last - 1 : 0, networks,
	       ai8x_part_get_info(ai8x_part_at(0))->name, tally->networks[0],
	       ai8x_part_get_info(ai8x_part_at(1))->name, tally->networks[1], tally->failures, tally->refused,
	       tally->senseless, command_seconds(&driver->command));
}

static int run(struct driver *driver)
{
	struct worker workers[MOST_JOBS];
	unsigned started = 0;
	ai8x_error error = {AI8X_OK, ""};
	memset(workers, 0, sizeof workers);
	for (unsigned i = 0; i < driver->command.jobs; i++) {
		struct worker *worker = &workers[i];
		worker->driver = driver;
		worker->judge = (struct judge){.folder = driver->command.temporary, .thread = i};
		if (judge_prepare(&worker->judge, &error) != AI8X_OK ||
		    pthread_create(&worker->thread, NULL, work, worker) != 0) {
			judge_release(&worker->judge);
			(void)pthread_mutex_lock(&driver->lock);
			give_up(driver, error.message[0] != '\0' ? error.message : "a thread could not be started");
			(void)pthread_mutex_unlock(&driver->lock);
			break;
		}
		started++;
	}
	for (unsigned i = 0; i < started; i++)
		(void)pthread_join(workers[i].thread, NULL);
	if (started > 0)
		summarise(driver, &workers[0].judge);
	for (unsigned i = 0; i < started; i++)
		judge_release(&workers[i].judge);
	uint64_t networks = driver->tally.networks[0] + driver->tally.networks[1];
	return driver->broken                                ? EXIT_FAILURE + 1
	       : driver->tally.failures > 0 || networks == 0 ? EXIT_FAILURE
	                                                     : EXIT_SUCCESS;
}

static const struct argp_option options[] = {
	{"seed", 's', "N", 0, "Number of the first network (default 0)", 0},
	{"count", 'n', "N", 0, "How many networks (default 1000; with --seconds: no limit)", 0},
	{"seconds", 't', "S", 0, "Start no network after so many seconds", 0},
	{"part", 'p', "NAME", 0, "One part only (default: even numbers MAX78000, odd numbers MAX78002)", 0},
	{"jobs", 'j', "N", 0, "Threads (default: one for each processor)", 0},
	{"failures", 'f', "N", 0, "Stop after so many failures (default 5)", 0},
	{"output", 'o', "FOLDER", 0, "Where failing networks are written (default: the current folder)", 0},
	{"complete", 'c', NULL, 0,
     "Fail where an operator or option occurs in no network, or most networks are refused", 0},
	{"as-drawn", 'd', NULL, 0, "Do not shrink failing networks", 0},
	{"verbose", 'v', NULL, 0, "A line for every network", 0},
	{0},
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct driver *driver = state->input;
	struct settings *settings = &driver->settings;
	switch (key) {
	case 'c':
		settings->complete = true;
		return 0;
	case 'd':
		settings->as_drawn = true;
		return 0;
	case 'v':
		settings->verbose = true;
		return 0;
	case 'p':
		settings->part = ai8x_part_find(argument);
		if (settings->part == NULL)
			argp_error(state, "there is no part '%s'", argument);
		return 0;
	case ARGP_KEY_END:
		if (driver->command.count == 0 && driver->command.seconds <= 0)
			driver->command.count = 1000;
		return 0;
	default:
		return command_parse(key, argument, state, &driver->command);
	}
}

int main(int argc, char **argv)
{
	static const struct argp parser = {
		.options = options,
		.parser = parse,
		.doc = "Random networks: both engines, the compiler and the closed form of time against the golden "
			   "model.",
	};
	struct driver driver = {.lock = PTHREAD_MUTEX_INITIALIZER};
	if (!command_begin(&driver.command, &parser, argc, argv, &driver))
		return EXIT_FAILURE + 1;
	const int code = run(&driver);
	command_end(&driver.command);
	return code;
}
