// The second generator of the differential tests: programs with register writes mutated, which no compiler would make.
// Whatever the registers hold, both engines leave the same memory, cycles, verdict, message and reports.
//
// Programs come from files (golden ones) and from random networks, which the first generator draws. Mutant N is the same
// on every machine for the same files. A difference is reduced to the fewest mutations that show it, told write by write,
// and saved as a program.
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command.h"
#include "golden.h"
#include "machine/machine.h"
#include "mutate.h"
#include "part/part.h"
#include "trial.h"

#define MOST_ATTEMPTS 1000
// Mutants of one program in a row: compiling costs more than running.
#define BATCH 16
// One mutant in so many is checked as well.
#define CHECK_EVERY 16
// As many cycles as a mutant may take. Longer programs are not mutated.
#define MOST_CYCLES 60000u

// A program that mutants are made of.
struct origin {
	char name[96];
	ai8x_program *program;
	struct register_writes writes;
};

struct tally {
	uint64_t mutants, differences, ended[32], fast_layers, exact_layers, checks;
};

struct driver {
	struct command command;
	_Atomic uint64_t next;
	atomic_bool stop;
	pthread_mutex_t lock; // guards what follows and the output
	struct tally tally;
	struct origin *files; // all read before the threads start
	size_t file_count;
	bool broken;
};

struct worker {
	struct driver *driver;
	struct judge judge;
	// Of each part: the exact engine, then one with each kind of kernels.
	ai8x_machine *machine[2][1 + TRIAL_MAX_KERNELS];
	struct tally tally;
	pthread_t thread;
};

static void give_up(struct driver *driver, const char *what)
{
	(void)pthread_mutex_lock(&driver->lock);
	(void)fprintf(stderr, "mutants: %s\n", what);
	driver->broken = true;
	atomic_store(&driver->stop, true);
	(void)pthread_mutex_unlock(&driver->lock);
}

// --- Comparing ------------------------------------------------------------------------------------------

static bool same_counters(const ai8x_counters *a, const ai8x_counters *b)
{
	return memcmp(a->state, b->state, sizeof a->state) == 0 && a->pass_cycles == b->pass_cycles &&
	       a->words_read == b->words_read && a->words_written == b->words_written && a->outputs == b->outputs;
}

static bool same_report(const ai8x_layer_report *a, const ai8x_layer_report *b, char *text, size_t size)
{
	const size_t values =
		(size_t)ai8x_layer_output_slots(&a->layer) * a->layer.output_rows * a->layer.output_columns;
	const char *what =
		a->layer.index != b->layer.index || a->finished != b->finished ? "order of layers"
		: a->cycles != b->cycles || a->start_cycle != b->start_cycle   ? "cycles"
		: !a->finished                                                 ? NULL
		: !same_counters(&a->counters, &b->counters)                   ? "counters"
		: (a->output == NULL) != (b->output == NULL) ||
				(a->output != NULL && memcmp(a->output, b->output, values * sizeof *a->output) != 0)
			? "outputs"
		: a->word_count != b->word_count ||
				(a->word_count > 0 && memcmp(a->words, b->words, a->word_count * sizeof *a->words) != 0)
			? "written words"
			: NULL;
	if (what != NULL)
		(void)snprintf(text, size, "%s of register set %u", what, a->layer.index);
	return what == NULL;
}

static bool same_memory(const ai8x_machine *a, const ai8x_machine *b, char *text, size_t size)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		size_t words = 0, w = 0;
		const uint32_t *x = ai8x_machine_data(a, i, &words), *y = ai8x_machine_data(b, i, &words);
		if (memcmp(x, y, words * sizeof *x) == 0)
			continue;
		while (x[w] == y[w])
			w++;
		(void)snprintf(text, size,
		               "word 0x%zx of data memory instance %u: exact 0x%08" PRIx32 ", fast 0x%08" PRIx32, w,
		               i, x[w], y[w]);
		return false;
	}
	return true;
}

// Registers, those of the snoop units among them, and what the FIFOs still hold.
static bool same_registers(const ai8x_machine *a, const ai8x_machine *b, char *text, size_t size)
{
	const struct bus *x = &a->bus, *y = &b->bus;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		for (unsigned r = 0; r < REG_COUNT; r++)
			if (memcmp(x->registers.value[g][r], y->registers.value[g][r], sizeof x->registers.value[g][r]) !=
			    0) {
				(void)snprintf(text, size, "register %s of group %u",
				               part_register_name((enum part_register)r), g);
				return false;
			}
	for (unsigned f = 0; f < FIFO_COUNT; f++)
		if (x->fifo[f].level != y->fifo[f].level || x->fifo[f].pushed != y->fifo[f].pushed ||
		    x->fifo[f].popped != y->fifo[f].popped) {
			(void)snprintf(text, size, "FIFO %u holds %" PRIu32 " words, exact %" PRIu32, f, y->fifo[f].level,
			               x->fifo[f].level);
			return false;
		}
	return true;
}

static bool same_run(const ai8x_machine *a, const ai8x_runner_result *x, const ai8x_machine *b,
                     const ai8x_runner_result *y, char *text, size_t size)
{
	if (x->status != y->status || strcmp(x->message, y->message) != 0) {
		(void)snprintf(text, size, "ends with %s (%.200s), exact with %s (%.200s)",
		               ai8x_status_name(y->status), y->message, ai8x_status_name(x->status), x->message);
		return false;
	}
	if (x->cycles != y->cycles || x->checks != y->checks || x->mismatches != y->mismatches ||
	    x->pass != y->pass || ai8x_machine_layer_count(a) != ai8x_machine_layer_count(b)) {
		(void)snprintf(text, size,
		               "%" PRIu64 " cycles, %" PRIu64 " checks, %" PRIu64 " mismatches, exact %" PRIu64
		               ", %" PRIu64 ", %" PRIu64,
		               y->cycles, y->checks, y->mismatches, x->cycles, x->checks, x->mismatches);
		return false;
	}
	for (size_t i = 0; i < ai8x_machine_layer_count(a); i++)
		if (!same_report(ai8x_machine_layer_report(a, i), ai8x_machine_layer_report(b, i), text, size))
			return false;
	return same_memory(a, b, text, size) && same_registers(a, b, text, size);
}

// --- Checking -------------------------------------------------------------------------------------------

static ai8x_status name_results(ai8x_check *check, const ai8x_program *program)
{
	ai8x_status status = AI8X_OK;
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	bool run = false;
	for (size_t i = 0; i < count && status == AI8X_OK; i++) {
		run |= ops[i].kind == AI8X_BUS_RUN;
		if (run && ops[i].kind == AI8X_BUS_EXPECT)
			status = ai8x_check_expect(check, ops[i].address, ops[i].mask);
	}
	return status;
}

// Runs a program on a machine under a check. NULL, with a text: it could not be checked.
static ai8x_check *check_on(ai8x_machine *machine, const ai8x_program *program, ai8x_runner_result *result,
                            char *text, size_t size)
{
	ai8x_check *check = NULL;
	ai8x_error error = {AI8X_OK, ""};
	ai8x_runner_options options = ai8x_runner_options_default();
	options.max_cycles = MOST_CYCLES;
	ai8x_machine_reset(machine);
	ai8x_status status = ai8x_check_create(ai8x_machine_part(machine), NULL, &check, &error);
	if (status == AI8X_OK)
		status = name_results(check, program);
	if (status == AI8X_OK)
		status = ai8x_check_attach(check, machine, &error);
	if (status == AI8X_OK) {
		(void)ai8x_runner_run(machine, program, &options, result);
		status = ai8x_check_finish(check, result->status, result->message, &error);
		ai8x_check_detach(check);
	}
	if (status == AI8X_OK)
		return check;
	(void)snprintf(text, size, "check: %s", error.message);
	ai8x_check_destroy(check);
	return NULL;
}

static bool same_finding(const ai8x_finding *a, const ai8x_finding *b)
{
	return a->kind == b->kind && a->severity == b->severity && a->layer == b->layer &&
	       a->other_layer == b->other_layer && a->group == b->group && a->processor == b->processor &&
	       a->has_address == b->has_address && (!a->has_address || a->address == b->address) &&
	       a->channel == b->channel && a->row == b->row && a->column == b->column && a->count == b->count &&
	       strcmp(a->cause, b->cause) == 0 && strcmp(a->remedy, b->remedy) == 0;
}

static bool same_findings(const ai8x_check *a, const ai8x_check *b)
{
	bool same =
		ai8x_check_count(a) == ai8x_check_count(b) && ai8x_check_layer_count(a) == ai8x_check_layer_count(b);
	for (size_t i = 0; same && i < ai8x_check_count(a); i++)
		same = same_finding(ai8x_check_get(a, i), ai8x_check_get(b, i));
	for (size_t i = 0; same && i < ai8x_check_layer_count(a); i++) {
		const ai8x_check_layer *x = ai8x_check_layer_get(a, i), *y = ai8x_check_layer_get(b, i);
		same = x->index == y->index && x->finished == y->finished && x->output_bits == y->output_bits &&
		       x->slots == y->slots && x->slots_used == y->slots_used &&
		       (!x->finished || memcmp(&x->counters, &y->counters, sizeof x->counters) == 0);
	}
	return same;
}

// A check has to see what the run saw that it was no part of, and to explain why that run stopped.
static bool agrees(const ai8x_check *check, const ai8x_machine *exact, const ai8x_runner_result *result,
                   char *text, size_t size)
{
	bool same = ai8x_check_layer_count(check) == ai8x_machine_layer_count(exact);
	for (size_t i = 0; same && i < ai8x_check_layer_count(check); i++) {
		const ai8x_check_layer *layer = ai8x_check_layer_get(check, i);
		const ai8x_layer_report *report = ai8x_machine_layer_report(exact, i);
		same = layer->index == report->layer.index && layer->finished == report->finished &&
		       (!layer->finished || same_counters(&layer->counters, &report->counters));
	}
	for (size_t i = 0; same && i < ai8x_check_count(check); i++) {
		const ai8x_finding *finding = ai8x_check_get(check, i);
		same = finding->cause[0] != '\0' && finding->remedy[0] != '\0';
	}
	const bool stopped = ai8x_check_count(check) == 0 && result->status != AI8X_OK;
	if (!same)
		(void)snprintf(text, size, "check saw other layers than the run had");
	else if (stopped)
		(void)snprintf(text, size, "check finds nothing in a program that ends with %s", result->message);
	return same && !stopped;
}

// What `check` says of a program is the same whichever engine its machine asks for, and fits the run without it.
// The exact machine has run the program and keeps its reports; the others run it again.
static bool same_check(struct worker *worker, ai8x_machine *const *machine, const ai8x_program *program,
                       const ai8x_runner_result *exact, char *text, size_t size)
{
	ai8x_check *checks[2] = {NULL, NULL};
	bool same = true;
	for (unsigned i = 0; i < 2 && same; i++) {
		ai8x_runner_result result = {0};
		// The fast engine's machine first: the exact one's reports are still needed.
		checks[i] = check_on(machine[i == 0 ? 1 : 0], program, &result, text, size);
		same = checks[i] != NULL && (i > 0 || agrees(checks[i], machine[0], exact, text, size));
		if (same && (result.status != exact->status || result.cycles != exact->cycles ||
		             result.mismatches != exact->mismatches)) {
			(void)snprintf(text, size,
			               "under check the run ends with %s after %" PRIu64 " cycles, else %s, %" PRIu64,
			               ai8x_status_name(result.status), result.cycles, ai8x_status_name(exact->status),
			               exact->cycles);
			same = false;
		}
		ai8x_runner_result_release(&result);
	}
	if (same && !same_findings(checks[0], checks[1])) {
		(void)snprintf(text, size,
		               "check reports %zu findings on the fast engine's machine, %zu on the exact one's, "
		               "or others",
		               ai8x_check_count(checks[0]), ai8x_check_count(checks[1]));
		same = false;
	}
	ai8x_check_destroy(checks[0]);
	ai8x_check_destroy(checks[1]);
	worker->tally.checks++;
	return same;
}

static unsigned part_number(const ai8x_part *part)
{
	return part == ai8x_part_at(1);
}

// false: the engines differ, which text says.
static bool judge_mutant(struct worker *worker, const ai8x_program *program, bool with_check, char *text,
                         size_t size)
{
	ai8x_machine **machine = worker->machine[part_number(ai8x_program_part(program))];
	ai8x_runner_options options = ai8x_runner_options_default();
	ai8x_runner_result exact = {0};
	bool same = true;
	options.max_cycles = MOST_CYCLES;
	ai8x_machine_reset(machine[0]);
	(void)ai8x_runner_run(machine[0], program, &options, &exact);
	for (unsigned k = 0; k < worker->judge.kernel_count && same; k++) {
		ai8x_runner_result fast = {0};
		char difference[640] = "";
		ai8x_machine_reset(machine[1 + k]);
		(void)ai8x_runner_run(machine[1 + k], program, &options, &fast);
		same = same_run(machine[0], &exact, machine[1 + k], &fast, difference, sizeof difference);
		if (!same)
			(void)snprintf(text, size, "%s: %s", worker->judge.kernels[k], difference);
		ai8x_runner_result_release(&fast);
		if (k > 0)
			continue;
		size_t taken = 0;
		for (size_t i = 0; i < ai8x_machine_layer_count(machine[1]); i++)
			taken += !ai8x_machine_layer_report(machine[1], i)->exact_engine;
		worker->tally.fast_layers += taken;
		worker->tally.exact_layers += ai8x_machine_layer_count(machine[1]) - taken;
		// Kernels have no part in programs whose layers were all left to the exact engine.
		if (taken == 0)
			break;
	}
	// What needs more memory than there may be, needs it in a check as well.
	if (same && with_check && exact.status != AI8X_ERR_NO_MEMORY)
		same = same_check(worker, machine, program, &exact, text, size);
	worker->tally.ended[exact.status & 31]++;
	ai8x_runner_result_release(&exact);
	return same;
}

// --- Telling --------------------------------------------------------------------------------------------

static void tell_write(const ai8x_part *part, const struct mutation *mutation)
{
	struct part_target target;
	const char *name = part_decode_address(part, mutation->after.address, &target) && target.is_register
	                       ? part_register_name(target.reg)
	                       : "no register";
	printf("    operation %zu: 0x%08" PRIx32 " = 0x%08" PRIx32 " -> 0x%08" PRIx32 " = 0x%08" PRIx32
	       " (%s, group %u, index %u)\n",
	       mutation->position, mutation->before.address, mutation->before.value, mutation->after.address,
	       mutation->after.value, name, target.group, target.index);
}

// Leaves out mutations as long as the engines still differ.
static size_t reduce(struct worker *worker, const struct origin *origin, bool with_check,
                     struct mutation *mutations, size_t count)
{
	char text[TRIAL_TEXT];
	for (size_t i = count; i-- > 0 && count > 1;) {
		struct mutation fewer[MOST_MUTATIONS];
		memcpy(fewer, mutations, i * sizeof *fewer);
		memcpy(fewer + i, mutations + i + 1, (count - 1 - i) * sizeof *fewer);
		ai8x_program *program = mutations_apply(origin->program, fewer, count - 1);
		if (program != NULL && !judge_mutant(worker, program, with_check, text, sizeof text))
			memcpy(mutations, fewer, --count * sizeof *fewer);
		ai8x_program_destroy(program);
	}
	return count;
}

static void report(struct worker *worker, const struct origin *origin, uint64_t number, bool with_check,
                   struct mutation *mutations, size_t count)
{
	struct driver *driver = worker->driver;
	char path[1024], text[TRIAL_TEXT] = "";
	const size_t left = reduce(worker, origin, with_check, mutations, count);
	ai8x_program *program = mutations_apply(origin->program, mutations, left);
	if (program == NULL)
		return;
	(void)judge_mutant(worker, program, with_check, text, sizeof text);
	(void)snprintf(path, sizeof path, "%s/mutant-%" PRIu64 ".h5", driver->command.folder, number);
	(void)pthread_mutex_lock(&driver->lock);
	ai8x_error error = {AI8X_OK, ""};
	ai8x_status status = ai8x_program_save(program, path, &error);
	printf("FAILED mutant %" PRIu64 " of %s (%s): %s\n  %zu of %zu mutations are left:\n", number,
	       origin->name, ai8x_part_get_info(ai8x_program_part(program))->name, text, left, count);
	for (size_t i = 0; i < left; i++)
		tell_write(ai8x_program_part(program), &mutations[i]);
	printf("  %s\n", status == AI8X_OK ? path : error.message);
	(void)fflush(stdout);
	if (++driver->tally.differences >= driver->command.failures)
		atomic_store(&driver->stop, true);
	(void)pthread_mutex_unlock(&driver->lock);
	ai8x_program_destroy(program);
}

// --- Origins --------------------------------------------------------------------------------------------

static void origin_release(struct origin *origin)
{
	register_writes_release(&origin->writes);
	ai8x_program_destroy(origin->program);
}

// A network that the compiler accepts, and its program.
static bool draw_origin(struct worker *worker, uint64_t number, struct origin *origin)
{
	const ai8x_part *part = ai8x_part_at((unsigned)(number % 2));
	for (unsigned attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
		struct trial trial;
		struct trial_products products = {0};
		struct verdict verdict;
		if (trial_draw(number, attempt, part, &trial, NULL) != AI8X_OK)
			return false;
		trial_judge(&worker->judge, &trial, &verdict, &products);
		trial_release(&trial);
		origin->program = products.program;
		products.program = NULL;
		trial_products_release(&products);
		if (verdict.outcome == OUTCOME_PASS && verdict.cycles < MOST_CYCLES) {
			(void)snprintf(origin->name, sizeof origin->name, "network %" PRIu64, number);
			return register_writes_find(origin->program, &origin->writes);
		}
		ai8x_program_destroy(origin->program);
		origin->program = NULL;
	}
	return false;
}

static bool read_origin(const char *path, struct origin *origin)
{
	const ai8x_program_options options = {.skip_results = true};
	const char *name = strrchr(path, '/');
	ai8x_error error = {AI8X_OK, ""};
	if (ai8x_program_open(path, &options, &origin->program, &error) != AI8X_OK) {
		(void)fprintf(stderr, "mutants: %s\n", error.message);
		return false;
	}
	(void)snprintf(origin->name, sizeof origin->name, "%s", name != NULL ? name + 1 : path);
	return register_writes_find(origin->program, &origin->writes);
}

static bool is_short(const ai8x_program *program)
{
	ai8x_feed feed = {0};
	ai8x_timing timing = {0};
	bool known = ai8x_time_program(program, &feed, &timing, NULL) == AI8X_OK;
	bool is = known && timing.schedule.cycles < MOST_CYCLES;
	if (known)
		ai8x_timing_release(&timing);
	return is;
}

// --- Judging --------------------------------------------------------------------------------------------

static void judge_batch(struct worker *worker, uint64_t batch, uint64_t first, uint64_t end)
{
	struct driver *driver = worker->driver;
	struct origin drawn = {.program = NULL};
	// Every other batch is of a file, where there are any.
	const bool of_file = driver->file_count > 0 && batch % 2 == 1;
	const struct origin *origin = of_file ? &driver->files[batch / 2 % driver->file_count] : &drawn;
	if (!of_file && !draw_origin(worker, batch, &drawn)) {
		give_up(driver, "no network that the compiler accepts was drawn");
		return;
	}
	for (uint64_t number = first; number < end && !atomic_load(&driver->stop); number++) {
		struct draw draw = draw_seed(number, 0, 3);
		struct mutation mutations[MOST_MUTATIONS];
		char text[TRIAL_TEXT];
		const bool with_check = number % CHECK_EVERY == 0;
		const size_t count = mutations_draw(&draw, origin->program, &origin->writes, mutations);
		ai8x_program *program = mutations_apply(origin->program, mutations, count);
		if (program == NULL) {
			give_up(driver, "no memory for a mutant");
			break;
		}
		if (!judge_mutant(worker, program, with_check, text, sizeof text))
			report(worker, origin, number, with_check, mutations, count);
		ai8x_program_destroy(program);
		worker->tally.mutants++;
	}
	origin_release(&drawn);
}

static void *work(void *user)
{
	struct worker *worker = user;
	struct driver *driver = worker->driver;
	const struct command *settings = &driver->command;
	const uint64_t end = settings->first + settings->count;
	while (!atomic_load(&driver->stop) &&
	       (settings->seconds <= 0 || command_seconds(&driver->command) < settings->seconds)) {
		const uint64_t batch = settings->first / BATCH + atomic_fetch_add(&driver->next, 1);
		const uint64_t from = batch * BATCH < settings->first ? settings->first : batch * BATCH;
		const uint64_t to = (batch + 1) * BATCH < end ? (batch + 1) * BATCH : end;
		if (from >= end)
			break;
		judge_batch(worker, batch, from, to);
		if (batch % 1024 == 1023) {
			printf("%" PRIu64 " mutants in %.0f s\n", to - settings->first,
			       command_seconds(&driver->command));
			(void)fflush(stdout);
		}
	}
	return NULL;
}

static bool worker_prepare(struct worker *worker, ai8x_error *error)
{
	if (judge_prepare(&worker->judge, error) != AI8X_OK)
		return false;
	for (unsigned p = 0; p < 2; p++) {
		for (unsigned k = 0; k <= worker->judge.kernel_count; k++) {
			ai8x_machine_options options = ai8x_machine_options_default();
			options.engine = k == 0 ? AI8X_ENGINE_EXACT : AI8X_ENGINE_FAST;
			options.cpu = k == 0 ? NULL : worker->judge.kernels[k - 1];
			options.capture_outputs = true;
			if (ai8x_machine_create(ai8x_part_at(p), &options, &worker->machine[p][k], error) != AI8X_OK)
				return false;
			// The last kernels work on several threads, however small a layer.
			if (k == worker->judge.kernel_count) {
				worker->machine[p][k]->fast.scratch.threads = TRIAL_THREADS;
				worker->machine[p][k]->fast.scratch.share = 1;
			}
		}
	}
	return true;
}

static void worker_release(struct worker *worker)
{
	judge_release(&worker->judge);
	for (unsigned p = 0; p < 2; p++)
		for (unsigned k = 0; k <= TRIAL_MAX_KERNELS; k++)
			ai8x_machine_destroy(worker->machine[p][k]);
}

static void add_up(struct tally *sum, const struct tally *tally)
{
	sum->mutants += tally->mutants;
	sum->fast_layers += tally->fast_layers;
	sum->exact_layers += tally->exact_layers;
	sum->checks += tally->checks;
	for (unsigned s = 0; s < 32; s++)
		sum->ended[s] += tally->ended[s];
}

static int run(struct driver *driver)
{
	static struct worker workers[MOST_JOBS];
	unsigned started = 0;
	ai8x_error error = {AI8X_OK, ""};
	for (; started < driver->command.jobs; started++) {
		struct worker *worker = &workers[started];
		worker->driver = driver;
		worker->judge = (struct judge){.folder = driver->command.temporary, .thread = started};
		if (!worker_prepare(worker, &error) || pthread_create(&worker->thread, NULL, work, worker) != 0) {
			worker_release(worker);
			give_up(driver, error.message[0] != '\0' ? error.message : "a thread could not be started");
			break;
		}
	}
	for (unsigned i = 0; i < started; i++) {
		(void)pthread_join(workers[i].thread, NULL);
		add_up(&driver->tally, &workers[i].tally);
	}
	const struct tally *tally = &driver->tally;
	printf("kernels of the fast engine:");
	for (unsigned k = 0; started > 0 && k < workers[0].judge.kernel_count; k++)
		printf(" %s", workers[0].judge.kernels[k]);
	printf("\nruns ended:");
	for (unsigned s = 0; s < 32; s++)
		if (tally->ended[s] > 0)
			printf(" %s %" PRIu64, ai8x_status_name((ai8x_status)s), tally->ended[s]);
	printf("\nmutants %" PRIu64 " to %" PRIu64 ": %" PRIu64 " run, %" PRIu64 " checked, %" PRIu64
	       " differ; %zu files; layers %" PRIu64 " by the fast engine, %" PRIu64
	       " left to the exact one; %.1f s\n",
	       driver->command.first, driver->command.first + driver->command.count - 1, tally->mutants,
	       tally->checks, tally->differences, driver->file_count, tally->fast_layers, tally->exact_layers,
	       command_seconds(&driver->command));
	for (unsigned i = 0; i < started; i++)
		worker_release(&workers[i]);
	// Mutants that the fast engine never takes over would compare the exact engine with itself.
	const bool compared = tally->fast_layers > 0;
	return driver->broken                        ? EXIT_FAILURE + 1
	       : tally->differences > 0 || !compared ? EXIT_FAILURE
	                                             : EXIT_SUCCESS;
}

// --- The program ----------------------------------------------------------------------------------------

static const struct argp_option options[] = {
	{"seed", 's', "N", 0, "Number of the first mutant (default 0)", 0},
	{"count", 'n', "N", 0, "How many mutants (default 1000)", 0},
	{"seconds", 't', "S", 0, "Begin nothing after so many seconds", 0},
	{"jobs", 'j', "N", 0, "Threads (default: one for each processor)", 0},
	{"failures", 'f', "N", 0, "Stop after so many differences (default 5)", 0},
	{"output", 'o', "FOLDER", 0, "Where mutants that differ are saved (default: the current folder)", 0},
	{0},
};

static void add_file(struct driver *driver, const char *path, struct argp_state *state)
{
	struct origin origin = {.program = NULL};
	struct origin *more = realloc(driver->files, (driver->file_count + 1) * sizeof *more);
	if (more == NULL)
		argp_failure(state, EXIT_FAILURE + 1, ENOMEM, "%s", path);
	driver->files = more;
	if (!read_origin(path, &origin))
		argp_failure(state, EXIT_FAILURE + 1, 0, "%s cannot be read", path);
	if (is_short(origin.program))
		driver->files[driver->file_count++] = origin;
	else
		origin_release(&origin);
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
	struct driver *driver = state->input;
	switch (key) {
	case ARGP_KEY_ARG:
		add_file(driver, argument, state);
		return 0;
	case ARGP_KEY_END:
		if (driver->command.count == 0)
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
		.args_doc = "[PROGRAM ...]",
		.doc = "Mutated registers: both engines leave the same behind.",
	};
	struct driver driver = {.lock = PTHREAD_MUTEX_INITIALIZER};
	if (!command_begin(&driver.command, &parser, argc, argv, &driver))
		return EXIT_FAILURE + 1;
	// Shadow memories and programs come and go with every mutant: asking the system for fresh pages each time would take
	// longer than filling them.
	(void)mallopt(M_MMAP_THRESHOLD, 256 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
	const int code = run(&driver);
	command_end(&driver.command);
	for (size_t i = 0; i < driver.file_count; i++)
		origin_release(&driver.files[i]);
	free(driver.files);
	return code;
}
