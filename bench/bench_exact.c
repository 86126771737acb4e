// Benchmark: how many accelerator cycles the exact engine simulates per second, and how much memory a run
// takes at most. Prints what it measured and on what machine; it asserts nothing, since times differ from
// machine to machine.
//
//   bench_exact [PROGRAM...]      default: the shipped program
//
// Every program runs in a process of its own, so that its peak memory is its own: reading the file, a
// machine, loading by bus writes, the run, and all checks. Time is counted from the start of the accelerator
// to its end only. A program is repeated until it has run for half a second, and the best repetition counts.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ai8xsim/ai8xsim.h>

#include "clock.h"

#define LEAST_SECONDS 0.5
#define LEAST_RUNS 3

struct measurement {
	uint64_t cycles;
	double best_seconds;
	unsigned runs;
	bool pass;
	char part[16];
	char message[AI8X_MESSAGE_SIZE];
};

struct stopwatch {
	double start, seconds;
};

static void on_event(void *user, const ai8x_event *event)
{
	struct stopwatch *watch = user;
	if (event->kind == AI8X_EVENT_RUN_START)
		watch->start = now();
	else
		watch->seconds = now() - watch->start;
}

static void run_once(const ai8x_program *program, struct measurement *m)
{
	ai8x_error error = {0};
	ai8x_machine_options settings = ai8x_machine_options_default();
	settings.engine = AI8X_ENGINE_EXACT;
	ai8x_machine *machine = NULL;
	if (ai8x_machine_create(ai8x_program_part(program), &settings, &machine, &error) != AI8X_OK) {
		memcpy(m->message, error.message, sizeof m->message);
		return;
	}
	struct stopwatch watch = {0};
	ai8x_runner_options options = ai8x_runner_options_default();
	options.observer = on_event;
	options.observer_kinds = AI8X_EVENT_RUN_START | AI8X_EVENT_RUN_STOP;
	options.observer_user = &watch;
	ai8x_runner_result result;
	(void)ai8x_runner_run(machine, program, &options, &result);
	memcpy(m->message, result.message, sizeof m->message);
	m->pass = result.pass;
	m->cycles = result.cycles;
	if (m->runs == 0 || watch.seconds < m->best_seconds)
		m->best_seconds = watch.seconds;
	m->runs++;
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
}

static void measure(const char *path, struct measurement *m)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	if (ai8x_program_open(path, NULL, &program, &error) != AI8X_OK) {
		memcpy(m->message, error.message, sizeof m->message);
		return;
	}
	const char *part = ai8x_part_get_info(ai8x_program_part(program))->name;
	(void)snprintf(m->part, sizeof m->part, "%s", part);
	double start = now();
	do
		run_once(program, m);
	while (m->pass && (m->runs < LEAST_RUNS || now() - start < LEAST_SECONDS));
	ai8x_program_destroy(program);
}

// Measures in a child process; the kernel tells the child's peak memory when it ends.
static bool measure_apart(const char *path, struct measurement *m, long *peak_kib)
{
	int ends[2];
	if (pipe(ends) != 0)
		return false;
	(void)fflush(NULL);
	pid_t child = fork();
	if (child < 0)
		return false;
	if (child == 0) {
		struct measurement own = {0};
		measure(path, &own);
		_exit(write(ends[1], &own, sizeof own) == (ssize_t)sizeof own ? 0 : 1);
	}
	(void)close(ends[1]);
	bool whole = read(ends[0], m, sizeof *m) == (ssize_t)sizeof *m;
	(void)close(ends[0]);
	int status = 0;
	struct rusage usage;
	if (wait4(child, &status, 0, &usage) != child)
		return false;
	*peak_kib = usage.ru_maxrss;
	return whole && status == 0;
}

static void print_machine(void)
{
	char line[256], model[256] = "unknown processor";
	FILE *file = fopen("/proc/cpuinfo", "r");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		const char *value = strchr(line, ':');
		if (strncmp(line, "model name", 10) == 0 && value != NULL) {
			(void)snprintf(model, sizeof model, "%s", value + 2);
			model[strcspn(model, "\n")] = '\0';
			break;
		}
	}
	if (file != NULL)
		(void)fclose(file);
	struct utsname system;
	if (uname(&system) != 0)
		memset(&system, 0, sizeof system);
	printf("ai8xsim %s, exact engine, one thread; %s, %s %s %s, compiler %s\n\n", ai8x_version(), model,
	       system.sysname, system.release, system.machine, __VERSION__);
}

int main(int argc, char **argv)
{
	static char shipped[] = SHIPPED_PROGRAM;
	char *shipped_only[] = {argv[0], shipped};
	if (argc < 2) {
		argc = 2;
		argv = shipped_only;
	}
	print_machine();
	printf("%-44s %-9s %10s %6s %12s %14s %10s\n", "program", "part", "cycles", "runs", "best run/s",
	       "cycles/s", "peak MiB");
	int exit_status = EXIT_SUCCESS;
	uint64_t cycles = 0;
	double seconds = 0, slowest = 0;
	long peak = 0;
	for (int i = 1; i < argc; i++) {
		struct measurement m = {0};
		long kib = 0;
		const char *name = strrchr(argv[i], '/');
		name = name != NULL ? name + 1 : argv[i];
		if (!measure_apart(argv[i], &m, &kib) || !m.pass) {
			printf("%-44s failed: %s\n", name, m.message[0] != '\0' ? m.message : "checks failed");
			exit_status = EXIT_FAILURE;
			continue;
		}
		double rate = (double)m.cycles / m.best_seconds;
		printf("%-44s %-9s %10" PRIu64 " %6u %12.6f %14.0f %10.1f\n", name, m.part, m.cycles, m.runs,
		       m.best_seconds, rate, (double)kib / 1024);
		cycles += m.cycles;
		seconds += m.best_seconds;
		if (slowest <= 0 || rate < slowest)
			slowest = rate;
		if (kib > peak)
			peak = kib;
	}
	if (seconds > 0)
		printf("\nall together: %" PRIu64 " cycles in %.3f s, %.0f cycles/s; slowest program %.0f cycles/s; "
		       "greatest peak %.1f MiB\n",
		       cycles, seconds, (double)cycles / seconds, slowest, (double)peak / 1024);
	return exit_status;
}
