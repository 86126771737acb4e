// Benchmark: the fast engine beside its peers, on the same layers, on this machine, in one run.
//
//   bench_peers [--seconds S] [--vendor CHECKOUT] [--json FILE] [PROGRAM...]
//
// For every layer shape: silicon, the exact engine, each variant of the fast engine's kernels on one and two threads,
// the vendor's NumPy simulator (of the ai8x-synthesis checkout named by --vendor), XNNPACK's convolution of bytes, and
// OpenBLAS (float) and oneDNN (int8) matrix products of that shape as the ceiling. For every program: inferences per second. With valgrind: instructions
// per multiplication, which do not depend on what else the machine does.
//
// Every figure is measured by a process of its own (this program with --measure), since libraries choose instruction
// sets and threads once per process. All peers take turns in several rounds, and the best round of each counts: what
// else the machine does disturbs all alike.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include <ai8xsim/ai8xsim.h>

#include "clock.h"
#include "peers.h"

enum { ROUNDS = 3, MAX_PEERS = 24, TEXT = 256, PROBE_RUNS = 2 };

static const struct shape shapes[] = {
	{"3x3, 64 to 64, 32 x 32", 64, 64, 32, 32, 3, false},
	{"3x3, 128 to 128, 16 x 16", 128, 128, 16, 16, 3, false},
	{"3x3, 64 to 64, 8 x 8", 64, 64, 8, 8, 3, false},
	{"3x3, 16 to 32, 32 x 32", 16, 32, 32, 32, 3, false},
	{"3x3, 3 to 64, 64 x 64", 3, 64, 64, 64, 3, false},
	{"1x1, 64 to 64, 32 x 32", 64, 64, 32, 32, 1, false},
	{"3x3, 3 to 64, 64 x 64, 0 to 127", 3, 64, 64, 64, 3, true},
	{"1x1, 64 to 64, 32 x 32, 0 to 127", 64, 64, 32, 32, 1, true},
};
#define SHAPES (sizeof shapes / sizeof shapes[0])

static void die(const char *what, const ai8x_error *error)
{
	(void)fprintf(stderr, "bench_peers: %s: %s\n", what, error->message);
	exit(EXIT_FAILURE);
}

// --- Measuring: the process of one figure ------------------------------------------------------------

// A program of one layer with random weights.
static ai8x_program *layer_program(const struct shape *shape)
{
	ai8x_network *network;
	ai8x_program *program = NULL;
	ai8x_error error = {0};
	if (ai8x_network_create(shape->name, 1, &network, &error) != AI8X_OK)
		die(shape->name, &error);
	ai8x_network_layer *layer = &network->layers[0];
	layer->operation = AI8X_OP_CONV2D;
	layer->kernel_rows = layer->kernel_columns = shape->kernel;
	layer->pad_rows = layer->pad_columns = shape->kernel / 2;
	layer->in_channels = shape->in_channels;
	layer->in_rows = shape->rows;
	layer->in_columns = shape->columns;
	layer->out_channels = shape->out_channels;
	network->input_shape[0] = shape->in_channels;
	network->input_shape[1] = shape->rows;
	network->input_shape[2] = shape->columns;
	if (ai8x_network_resolve(network, &error) != AI8X_OK ||
	    ai8x_network_randomise(network, 1, NULL, NULL, &error) != AI8X_OK)
		die(shape->name, &error);
	const size_t values = (size_t)shape->in_channels * shape->rows * shape->columns;
	for (size_t i = 0; shape->positive && i < values; i++)
		network->input[i] &= INT8_MAX;
	if (ai8x_network_compile(network, ai8x_part_find("MAX78000"), NULL, &program, &error) != AI8X_OK)
		die(shape->name, &error);
	ai8x_network_destroy(network);
	return program;
}

// Time between start and end of the accelerator, without loading the input.
struct stopwatch {
	double start, seconds;
};

static void watch(void *user, const ai8x_event *event)
{
	struct stopwatch *stopwatch = user;
	if (event->kind == AI8X_EVENT_RUN_START)
		stopwatch->start = now();
	else
		stopwatch->seconds += now() - stopwatch->start;
}

struct runner {
	const ai8x_batch *batch;
	double seconds, best;
	bool whole; // with loading the input
	pthread_t thread;
};

static void *run_thread(void *argument)
{
	struct runner *runner = argument;
	struct stopwatch stopwatch = {0};
	ai8x_batch_worker *worker;
	ai8x_error error = {0};
	if (ai8x_batch_worker_create(runner->batch, &worker, &error) != AI8X_OK ||
	    (!runner->whole &&
	     ai8x_machine_observe(ai8x_batch_machine(worker), AI8X_EVENT_RUN_START | AI8X_EVENT_RUN_STOP, watch,
	                          &stopwatch) != AI8X_OK))
		die("worker", &error);
	const double end = now() + runner->seconds;
	runner->best = 1e30;
	double begin = 0, taken = 0;
	do {
		unsigned runs = 0;
		stopwatch.seconds = 0;
		begin = now();
		do {
			if (ai8x_batch_run(worker, NULL, NULL, &error) != AI8X_OK)
				die("run", &error);
			runs++;
			taken = now() - begin;
		} while (taken < 2e-3);
		const double each = (runner->whole ? taken : stopwatch.seconds) / runs;
		runner->best = each < runner->best ? each : runner->best;
	} while (now() < end);
	ai8x_batch_worker_destroy(worker);
	return NULL;
}

// Seconds of one run at the rate of all threads together.
static double measure_batch(const ai8x_batch *batch, unsigned threads, double seconds, bool whole)
{
	struct runner runners[2];
	double rate = 0;
	for (unsigned i = 0; i < threads; i++) {
		runners[i] = (struct runner){.batch = batch, .seconds = seconds, .whole = whole};
		if (pthread_create(&runners[i].thread, NULL, run_thread, &runners[i]) != 0)
			exit(EXIT_FAILURE);
	}
	for (unsigned i = 0; i < threads; i++) {
		(void)pthread_join(runners[i].thread, NULL);
		rate += 1 / runners[i].best;
	}
	return 1 / rate;
}

static ai8x_batch *make_batch(const ai8x_program *program, const char *engine)
{
	ai8x_batch_options options = ai8x_batch_options_default();
	ai8x_batch *batch;
	ai8x_error error = {0};
	if (strcmp(engine, "exact") == 0)
		options.machine.engine = AI8X_ENGINE_EXACT;
	else if (strcmp(engine, "auto") != 0)
		options.machine.cpu = engine;
	if (ai8x_batch_create(program, &options, &batch, &error) != AI8X_OK)
		die(engine, &error);
	return batch;
}

// --measure PEER THREADS SECONDS TARGET: prints the seconds of one run, and a note. TARGET is the number of a shape,
// or a program's file.
static int measure(char **words)
{
	const char *peer = words[0], *target = words[3];
	const unsigned threads = (unsigned)strtoul(words[1], NULL, 10) == 2 ? 2 : 1;
	const double seconds = strtod(words[2], NULL);
	char *rest, note[64] = "";
	const size_t index = strtoul(target, &rest, 10);
	const struct shape *shape = *rest == '\0' && index < SHAPES ? &shapes[index] : NULL;
	double result = -1;
	if (shape != NULL && strcmp(peer, "sgemm") == 0) {
		result = peer_sgemm(shape, (int)threads, seconds);
	} else if (shape != NULL && strcmp(peer, "int8") == 0) {
		result = peer_int8_gemm(shape, seconds, note);
	} else if (shape != NULL && strcmp(peer, "xnnpack") == 0) {
		result = peer_xnnpack(shape, seconds);
	} else {
		ai8x_program *program = NULL;
		ai8x_error error = {0};
		if (shape != NULL)
			program = layer_program(shape);
		else if (ai8x_program_open(target, NULL, &program, &error) != AI8X_OK)
			die(target, &error);
		ai8x_batch *batch = make_batch(program, strcmp(peer, "silicon") == 0 ? "auto" : peer);
		if (strcmp(peer, "silicon") == 0)
			result =
				(double)ai8x_batch_cycles(batch) / ai8x_part_get_info(ai8x_program_part(program))->clock_hz;
		else
			result = measure_batch(batch, threads, seconds, shape == NULL);
		(void)snprintf(note, sizeof note, "%s", ai8x_part_get_info(ai8x_program_part(program))->name);
		ai8x_batch_destroy(batch);
		ai8x_program_destroy(program);
	}
	printf("%.9g %s\n", result, note);
	return EXIT_SUCCESS;
}

// --probe CPU RUNS SHAPE: work for callgrind to count.
static int probe(char **words)
{
	const struct shape *shape = &shapes[strtoul(words[2], NULL, 10) % SHAPES];
	ai8x_program *program = layer_program(shape);
	ai8x_batch *batch = make_batch(program, words[0]);
	ai8x_batch_worker *worker;
	ai8x_error error = {0};
	if (ai8x_batch_worker_create(batch, &worker, &error) != AI8X_OK)
		die("worker", &error);
	for (unsigned long i = strtoul(words[1], NULL, 10); i > 0; i--)
		if (ai8x_batch_run(worker, NULL, NULL, &error) != AI8X_OK)
			die("run", &error);
	ai8x_batch_worker_destroy(worker);
	ai8x_batch_destroy(batch);
	ai8x_program_destroy(program);
	return EXIT_SUCCESS;
}

// --- Processes ---------------------------------------------------------------------------------------

// Runs a command with extra environment and returns what it printed on one of its outputs, or false.
static bool run(char *const *words, char *const *environment, int output, char *text, size_t size)
{
	int ends[2];
	if (pipe(ends) != 0)
		return false;
	(void)fflush(NULL);
	const pid_t child = fork();
	if (child == 0) {
		for (size_t i = 0; environment != NULL && environment[i] != NULL; i++)
			(void)putenv(environment[i]);
		(void)dup2(ends[1], output);
		(void)close(ends[0]);
		(void)execvp(words[0], words);
		_exit(127);
	}
	(void)close(ends[1]);
	size_t used = 0;
	for (;;) {
		// What does not fit is read all the same, so that the child does not wait.
		char spill[TEXT];
		const bool room = used + 1 < size;
		const ssize_t got = read(ends[0], room ? text + used : spill, room ? size - 1 - used : sizeof spill);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		used += room ? (size_t)got : 0;
	}
	text[used] = '\0';
	(void)close(ends[0]);
	int status = -1;
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// --- The table ---------------------------------------------------------------------------------------

struct settings {
	char self[4096];
	const char *vendor, *json, *seconds;
	char **programs;
	size_t program_count;
};

struct peer {
	const char *name;     // as shown
	const char *measured; // as --measure knows it
	unsigned threads;
	const char *isa; // oneDNN's limit, or NULL
	bool layers_only;
	double best; // seconds of one run, or negative
	char note[TEXT];
};

static const struct peer all_peers[] = {
	{"silicon", "silicon", 1, NULL, false, -1, ""},
	{"exact engine", "exact", 1, NULL, false, -1, ""},
	{"fast, plain C", "c", 1, NULL, false, -1, ""},
	{"fast, plain C", "c", 2, NULL, false, -1, ""},
	{"fast, AVX2", "avx2", 1, NULL, false, -1, ""},
	{"fast, AVX2", "avx2", 2, NULL, false, -1, ""},
	{"fast, AVX-VNNI", "avxvnni", 1, NULL, false, -1, ""},
	{"fast, AVX-VNNI", "avxvnni", 2, NULL, false, -1, ""},
	{"fast, AVX-512 BW", "avx512bw", 1, NULL, false, -1, ""},
	{"fast, AVX-512 VNNI", "avx512vnni", 1, NULL, false, -1, ""},
	{"fast, AVX-512 VNNI", "avx512vnni", 2, NULL, false, -1, ""},
	{"fast, NEON", "neon", 1, NULL, false, -1, ""},
	{"fast, NEON", "neon", 2, NULL, false, -1, ""},
	{"fast, NEON with dot products", "neondot", 1, NULL, false, -1, ""},
	{"fast, NEON with i8mm", "neoni8mm", 1, NULL, false, -1, ""},
	{"vendor, NumPy", "vendor", 1, NULL, true, -1, ""},
	{"OpenBLAS SGEMM", "sgemm", 1, NULL, true, -1, ""},
	{"OpenBLAS SGEMM", "sgemm", 2, NULL, true, -1, ""},
	{"XNNPACK int8 convolution", "xnnpack", 1, NULL, true, -1, ""},
	{"oneDNN int8 GEMM, AVX2 at most", "int8", 1, "AVX2", true, -1, ""},
	{"oneDNN int8 GEMM, VNNI at most", "int8", 1, "AVX512_CORE_VNNI", true, -1, ""},
	{"oneDNN int8 GEMM, VNNI at most", "int8", 2, "AVX512_CORE_VNNI", true, -1, ""},
	{"oneDNN int8 GEMM, all it has", "int8", 1, "ALL", true, -1, ""},
	{"oneDNN int8 GEMM, all it has", "int8", 2, "ALL", true, -1, ""},
};
#define PEERS (sizeof all_peers / sizeof all_peers[0])

static void measure_vendor(const struct settings *settings, size_t index, struct peer *peer)
{
	const struct shape *s = &shapes[index];
	char numbers[5][16], text[TEXT];
	const uint32_t values[] = {s->in_channels, s->out_channels, s->rows, s->columns, s->kernel};
	for (size_t i = 0; i < 5; i++)
		(void)snprintf(numbers[i], sizeof numbers[i], "%u", values[i]);
	char one_thread[] = "OMP_NUM_THREADS=1", blas[] = "OPENBLAS_NUM_THREADS=1", python[] = "/usr/bin/python3";
	char script[] = VENDOR_SCRIPT, checkout[4096], seconds[32];
	(void)snprintf(checkout, sizeof checkout, "%s", settings->vendor);
	(void)snprintf(seconds, sizeof seconds, "%s", settings->seconds);
	char *words[] = {python,     script,     checkout,   numbers[0], numbers[1],
	                 numbers[2], numbers[3], numbers[4], seconds,    NULL};
	char *environment[] = {one_thread, blas, NULL};
	if (run(words, environment, STDOUT_FILENO, text, sizeof text)) {
		const double taken = strtod(text, NULL);
		peer->best = peer->best < 0 || taken < peer->best ? taken : peer->best;
	}
}

static void measure_peer(const struct settings *settings, const char *target, struct peer *peer)
{
	char text[TEXT], self[4096], flag[] = "--measure", name[32], threads[8], seconds[32], where[4096],
								 limit[64], omp[32];
	(void)snprintf(self, sizeof self, "%s", settings->self);
	(void)snprintf(name, sizeof name, "%s", peer->measured);
	(void)snprintf(threads, sizeof threads, "%u", peer->threads);
	(void)snprintf(seconds, sizeof seconds, "%s", settings->seconds);
	(void)snprintf(where, sizeof where, "%s", target);
	(void)snprintf(omp, sizeof omp, "OMP_NUM_THREADS=%u", peer->threads);
	(void)snprintf(limit, sizeof limit, "ONEDNN_MAX_CPU_ISA=%s", peer->isa != NULL ? peer->isa : "ALL");
	char *words[] = {self, flag, name, threads, seconds, where, NULL};
	char *environment[] = {omp, limit, NULL};
	if (!run(words, environment, STDOUT_FILENO, text, sizeof text))
		return;
	char *rest;
	const double taken = strtod(text, &rest);
	if (taken > 0 && (peer->best < 0 || taken < peer->best)) {
		peer->best = taken;
		(void)snprintf(peer->note, sizeof peer->note, "%s", rest + (*rest == ' '));
		peer->note[strcspn(peer->note, "\n")] = '\0';
	}
}

// Which variants this machine runs is found out by asking each.
static bool runs_here(const struct peer *peer, const struct settings *settings)
{
	ai8x_machine_options options = ai8x_machine_options_default();
	ai8x_machine *machine = NULL;
	if (strcmp(peer->measured, "vendor") == 0)
		return settings->vendor != NULL;
	if (strncmp(peer->name, "fast", 4) != 0)
		return true;
	options.cpu = peer->measured;
	const bool ok = ai8x_machine_create(ai8x_part_find("MAX78000"), &options, &machine, NULL) == AI8X_OK;
	ai8x_machine_destroy(machine);
	return ok;
}

static size_t choose(const struct settings *settings, bool layers, struct peer *peers)
{
	size_t count = 0;
	for (size_t i = 0; i < PEERS; i++)
		if ((layers || !all_peers[i].layers_only) && runs_here(&all_peers[i], settings))
			peers[count++] = all_peers[i];
	return count;
}

static void take_turns(const struct settings *settings, const char *target, struct peer *peers, size_t count)
{
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t i = 0; i < count; i++)
			if (strcmp(peers[i].measured, "vendor") == 0)
				measure_vendor(settings, strtoul(target, NULL, 10), &peers[i]);
			else
				measure_peer(settings, target, &peers[i]);
}

static json_t *peers_json(const struct peer *peers, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		if (peers[i].best > 0)
			(void)json_array_append_new(list, json_pack("{s:s,s:i,s:f,s:s}", "peer", peers[i].name, "threads",
			                                            (int)peers[i].threads, "seconds", peers[i].best,
			                                            "note", peers[i].note));
	return list;
}

static double best_peer(const struct peer *peers, size_t count, const char *name, unsigned threads)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(peers[i].name, name) == 0 && peers[i].threads == threads)
			return peers[i].best;
	return -1;
}

static json_t *bench_shape(const struct settings *settings, size_t index)
{
	const struct shape *shape = &shapes[index];
	struct peer peers[MAX_PEERS];
	char target[16];
	const size_t count = choose(settings, true, peers);
	(void)snprintf(target, sizeof target, "%zu", index);
	take_turns(settings, target, peers, count);
	const double ceiling = best_peer(peers, count, "oneDNN int8 GEMM, VNNI at most", 1);
	const double silicon = best_peer(peers, count, "silicon", 1);
	printf("\n%s: %.1f million multiplications\n", shape->name, shape_macs(shape) / 1e6);
	printf("  %-32s %7s %12s %9s %11s %11s\n", "", "threads", "time", "GMAC/s", "x silicon", "of oneDNN");
	for (size_t i = 0; i < count; i++) {
		const struct peer *peer = &peers[i];
		if (peer->best <= 0) {
			printf("  %-32s %7u %12s\n", peer->name, peer->threads, "not here");
			continue;
		}
		printf("  %-32s %7u %9.1f us %9.2f %11.2f", peer->name, peer->threads, 1e6 * peer->best,
		       1e-9 * shape_macs(shape) / peer->best, silicon / peer->best);
		if (ceiling > 0 && peer->threads == 1)
			printf(" %9.1f %%", 100 * ceiling / peer->best);
		printf("%s%s\n", strncmp(peer->name, "oneDNN", 6) == 0 ? "  " : "",
		       strncmp(peer->name, "oneDNN", 6) == 0 ? peer->note : "");
	}
	return json_pack("{s:s,s:f,s:o}", "layer", shape->name, "macs", shape_macs(shape), "peers",
	                 peers_json(peers, count));
}

static json_t *bench_program(const struct settings *settings, const char *path)
{
	struct peer peers[MAX_PEERS];
	const size_t count = choose(settings, false, peers);
	take_turns(settings, path, peers, count);
	const double silicon = best_peer(peers, count, "silicon", 1);
	printf("\n%s (%s)\n", path, peers[0].note);
	printf("  %-32s %7s %12s %12s %11s\n", "", "threads", "time", "per second", "x silicon");
	for (size_t i = 0; i < count; i++)
		if (peers[i].best > 0)
			printf("  %-32s %7u %9.1f us %12.1f %11.2f\n", peers[i].name, peers[i].threads,
			       1e6 * peers[i].best, 1 / peers[i].best, silicon / peers[i].best);
	return json_pack("{s:s,s:o}", "program", path, "peers", peers_json(peers, count));
}

// --- Instructions ------------------------------------------------------------------------------------

static double count_instructions(const struct settings *settings, const char *cpu, unsigned runs,
                                 size_t index)
{
	static const char key[] = "Collected :";
	char valgrind[] = "valgrind", tool[] = "--tool=callgrind", no_file[] = "--callgrind-out-file=/dev/null";
	char self[4096], flag[] = "--probe", variant[16], number[16], target[16], text[8192];
	(void)snprintf(self, sizeof self, "%s", settings->self);
	(void)snprintf(variant, sizeof variant, "%s", cpu);
	(void)snprintf(number, sizeof number, "%u", runs);
	(void)snprintf(target, sizeof target, "%zu", index);
	char *words[] = {valgrind, tool, no_file, self, flag, variant, number, target, NULL};
	if (!run(words, NULL, STDERR_FILENO, text, sizeof text))
		return -1;
	const char *found = strstr(text, key);
	return found != NULL ? strtod(found + strlen(key), NULL) : -1;
}

// The difference of two runs: what a run costs, without loading and planning.
static json_t *bench_instructions(const struct settings *settings)
{
	static const char *const cpus[] = {"c", "avx2", "avx512vnni"};
	json_t *list = json_array();
	printf("\nInstructions of one run under callgrind (which knows no AVX-512)\n  %-32s", "");
	printf(" %12s %14s\n", "variant", "per 1000 MACs");
	for (size_t i = 0; i < SHAPES; i++) {
		for (size_t c = 0; c < sizeof cpus / sizeof cpus[0]; c++) {
			const double few = count_instructions(settings, cpus[c], 1, i);
			const double more = few > 0 ? count_instructions(settings, cpus[c], 1 + PROBE_RUNS, i) : -1;
			if (few <= 0 || more <= 0)
				continue;
			const double each = (more - few) / (double)PROBE_RUNS;
			printf("  %-32s %12s %14.1f\n", shapes[i].name, cpus[c], 1000 * each / shape_macs(&shapes[i]));
			(void)json_array_append_new(list, json_pack("{s:s,s:s,s:f}", "layer", shapes[i].name, "cpu",
			                                            cpus[c], "instructions", each));
		}
	}
	if (json_array_size(list) == 0)
		printf("  no figures: valgrind is missing\n");
	return list;
}

// --- All ---------------------------------------------------------------------------------------------

static void describe_machine(json_t *root)
{
	struct utsname name;
	char model[TEXT] = "unknown processor", line[TEXT], date[32] = "";
	const time_t seconds = time(NULL);
	struct tm utc;
	double load[1] = {0};
	FILE *file = fopen("/proc/cpuinfo", "r");
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		const char *value = strchr(line, ':');
		if (strncmp(line, "model name", 10) == 0 && value != NULL)
			(void)snprintf(model, sizeof model, "%s", value + 2);
	}
	if (file != NULL)
		(void)fclose(file);
	model[strcspn(model, "\n")] = '\0';
	(void)uname(&name);
	(void)getloadavg(load, 1);
	if (gmtime_r(&seconds, &utc) != NULL)
		(void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
	printf("%s, %ld processors, load %.1f at the start, %s %s, ai8xsim %s\n", model,
	       sysconf(_SC_NPROCESSORS_ONLN), load[0], name.sysname, name.release, ai8x_version());
	(void)json_object_set_new(root, "machine",
	                          json_pack("{s:s,s:I,s:f,s:s,s:s}", "processor", model, "processors",
	                                    (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "load", load[0], "date",
	                                    date, "version", ai8x_version()));
}

static bool read_settings(int argc, char **argv, struct settings *settings)
{
	int i = 1;
	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
		if (i + 1 == argc)
			return false;
		if (strcmp(argv[i], "--vendor") == 0)
			settings->vendor = argv[i + 1];
		else if (strcmp(argv[i], "--json") == 0)
			settings->json = argv[i + 1];
		else if (strcmp(argv[i], "--seconds") == 0 && strtod(argv[i + 1], NULL) > 0)
			settings->seconds = argv[i + 1];
		else
			return false;
	}
	settings->programs = argv + i;
	settings->program_count = (size_t)(argc - i);
	const ssize_t length = readlink("/proc/self/exe", settings->self, sizeof settings->self - 1);
	return length > 0;
}

int main(int argc, char **argv)
{
	struct settings settings = {.seconds = "0.3"};
	if (argc == 6 && strcmp(argv[1], "--measure") == 0)
		return measure(argv + 2);
	if (argc == 5 && strcmp(argv[1], "--probe") == 0)
		return probe(argv + 2);
	if (!read_settings(argc, argv, &settings)) {
		(void)fputs("usage: bench_peers [--seconds S] [--vendor CHECKOUT] [--json FILE] [PROGRAM...]\n",
		            stderr);
		return 2;
	}
	json_t *root = json_pack("{s:i}", "version", 1), *layers = json_array(), *programs = json_array();
	describe_machine(root);
	for (size_t i = 0; i < SHAPES; i++)
		(void)json_array_append_new(layers, bench_shape(&settings, i));
	for (size_t i = 0; i < settings.program_count; i++)
		(void)json_array_append_new(programs, bench_program(&settings, settings.programs[i]));
	(void)json_object_set_new(root, "layers", layers);
	(void)json_object_set_new(root, "programs", programs);
	(void)json_object_set_new(root, "instructions", bench_instructions(&settings));
	int code = EXIT_SUCCESS;
	if (settings.json != NULL && json_dump_file(root, settings.json, JSON_INDENT(2)) != 0) {
		(void)fprintf(stderr, "bench_peers: %s: cannot write\n", settings.json);
		code = EXIT_FAILURE;
	}
	json_decref(root);
	return code;
}
