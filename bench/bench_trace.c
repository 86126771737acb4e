// Benchmark: what observing costs the exact engine, and how long a profile takes. Prints what it measured; it
// asserts nothing.
//
//   bench_trace PROGRAM...
//
// Every program is run without an observer, with one that receives every event and drops it, and with each trace
// format writing to /dev/null; the best of several runs counts, from the start of the accelerator to its end.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ai8xsim/ai8xsim.h>

#define RUNS 5

enum way { WAY_NONE, WAY_DROP, WAY_VCD, WAY_EVENTS, WAY_CSV, WAY_COUNT };

static const char *const way_names[] = {"none", "dropped", "vcd", "json", "csv"};

struct stopwatch {
	double start, seconds;
};

// Processor time: what else the machine does matters less.
static double now(void)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void watch(void *user, const ai8x_event *event)
{
	struct stopwatch *stopwatch = user;
	if (event->kind == AI8X_EVENT_RUN_START)
		stopwatch->start = now();
	else
		stopwatch->seconds = now() - stopwatch->start;
}

static void drop(void *user, const ai8x_event *event)
{
	uint64_t *count = user;
	(void)event;
	++*count;
}

// Seconds of the accelerator's run, or a negative number where something failed.
static double run(const ai8x_program *program, enum way way, uint64_t *cycles)
{
	ai8x_machine_options settings = ai8x_machine_options_default();
	settings.engine = AI8X_ENGINE_EXACT;
	ai8x_machine *machine = NULL;
	if (ai8x_machine_create(ai8x_program_part(program), &settings, &machine, NULL) != AI8X_OK)
		return -1;
	struct stopwatch stopwatch = {0};
	(void)ai8x_machine_observe(machine, AI8X_EVENT_RUN_START | AI8X_EVENT_RUN_STOP, watch, &stopwatch);
	ai8x_runner_options options = ai8x_runner_options_default();
	uint64_t dropped = 0;
	ai8x_trace *trace = NULL;
	FILE *file = fopen("/dev/null", "w");
	ai8x_trace_options choices = {.from_layer = -1, .to_layer = -1, .format = AI8X_TRACE_CSV};
	if (way == WAY_DROP) {
		options.observer = drop;
		options.observer_user = &dropped;
		options.observer_kinds = UINT32_MAX;
	} else if (way >= WAY_VCD && file != NULL) {
		choices.format = way == WAY_VCD      ? AI8X_TRACE_VCD
		                 : way == WAY_EVENTS ? AI8X_TRACE_EVENTS
		                                     : AI8X_TRACE_CSV;
		if (ai8x_trace_create(ai8x_program_part(program), &choices, file, &trace, NULL) == AI8X_OK) {
			options.observer = ai8x_trace_event;
			options.observer_user = trace;
			options.observer_kinds = ai8x_trace_kinds(trace);
		}
	}
	ai8x_runner_result result;
	bool pass = ai8x_runner_run(machine, program, &options, &result) == AI8X_OK && result.pass;
	*cycles = result.cycles;
	ai8x_runner_result_release(&result);
	if (trace != NULL)
		(void)ai8x_trace_finish(trace, NULL);
	if (file != NULL)
		(void)fclose(file);
	ai8x_machine_destroy(machine);
	return pass ? stopwatch.seconds : -1;
}

static double profile(const ai8x_program *program)
{
	ai8x_profile *result = NULL;
	double start = now();
	bool done = ai8x_profile_create(program, NULL, &result, NULL) == AI8X_OK;
	double seconds = now() - start;
	ai8x_profile_destroy(result);
	return done ? seconds : -1;
}

int main(int argc, char **argv)
{
	int exit_status = EXIT_SUCCESS;
	printf("%-28s %10s", "program", "cycles");
	for (unsigned way = 0; way < WAY_COUNT; way++)
		printf(" %12s", way_names[way]);
	printf(" %12s\n", "profile");
	for (int i = 1; i < argc; i++) {
		ai8x_program *program = NULL;
		ai8x_error error = {0};
		if (ai8x_program_open(argv[i], NULL, &program, &error) != AI8X_OK) {
			printf("%s\n", error.message);
			exit_status = EXIT_FAILURE;
			continue;
		}
		double best[WAY_COUNT + 1];
		uint64_t cycles = 0;
		for (unsigned way = 0; way <= WAY_COUNT; way++) {
			for (unsigned k = 0; k < RUNS; k++) {
				double seconds = way < WAY_COUNT ? run(program, (enum way)way, &cycles) : profile(program);
				best[way] = k == 0 || seconds < best[way] ? seconds : best[way];
			}
		}
		printf("%-28.28s %10" PRIu64, ai8x_program_name(program), cycles);
		for (unsigned way = 0; way < WAY_COUNT; way++)
			printf(" %9.3f ms", 1e3 * best[way]);
		printf(" %9.3f ms\n%-39s", 1e3 * best[WAY_COUNT], "");
		for (unsigned way = 0; way < WAY_COUNT; way++)
			printf(" %11.2fx", best[way] / best[WAY_NONE]);
		printf("\n");
		ai8x_program_destroy(program);
	}
	return exit_status;
}
