// Abuse of the API (TAP output): every public function with each of its pointers null (misuse.py makes the table), calls
// from inside callbacks, calls in the wrong order, and options that make no sense. Each case runs in a process of its own.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ai8xsim/ai8xsim.h>

struct misuse {
	const char *function, *parameter;
	void (*run)(void);
};

// What the cases call functions with.
static struct {
	const char *path, *text;
	const ai8x_part *part;
	ai8x_program *program;
	ai8x_machine *machine, *other;
	ai8x_network *network;
	ai8x_sweep *sweep;
	ai8x_batch *batch, *spare_batch;
	ai8x_batch_worker *worker;
	ai8x_check *check;
	const ai8x_finding *finding;
	ai8x_firmware *firmware;
	const ai8x_firmware_result *firmware_result, *ran;
	ai8x_runner_result result;
	ai8x_eval_result evaluation;
	ai8x_layer layer;
	ai8x_counters counters;
	ai8x_clock clock;
	ai8x_cost cost;
	ai8x_timing timing, new_timing;
	ai8x_schedule schedule;
	ai8x_map *map;
	ai8x_profile *profile;
	ai8x_advice_list advice;
	ai8x_trace *trace;
	ai8x_trace_options trace_options;
	ai8x_sweep_options sweep_options;
	ai8x_eval_options eval_options;
	ai8x_show *show;
	ai8x_event event;
	ai8x_attribute attribute;
	ai8x_array array;
	ai8x_run_report run_report;
	ai8x_check_report check_report;
	ai8x_junit_case cases[1];
	ai8x_location location;
	ai8x_region region;
	ai8x_field fields[4];
	ai8x_firmware_comparison comparison;
	ai8x_firmware_verdict verdict;
	ai8x_check_class class;
	ai8x_word memory[1];
	FILE *file;
	void *made;
	char *rendered;
	char room[AI8X_MESSAGE_SIZE];
	uint32_t shape[3], words[1 << 18], address, word;
	int32_t tensor[4], outputs[1 << 16];
	int8_t bytes[1 << 16];
	uint8_t fifos[4], byte;
	size_t count;
	unsigned number;
	bool flag;
} good;

static char failure[2 * AI8X_MESSAGE_SIZE];

static void fail(const char *what, const char *told)
{
	(void)snprintf(failure, sizeof failure, "%s: '%s'", what, told);
	(void)fprintf(stderr, "# %s\n", failure);
	_exit(1);
}

static void need(bool holds, const char *what)
{
	if (!holds)
		fail("does not hold", what);
}

// A call with a null pointer is an argument error whose message, where there is one, names function and pointer.
static void refused(ai8x_status status, const ai8x_error *error, const char *parameter)
{
	if (status != AI8X_ERR_ARGUMENT)
		fail("not an argument error", ai8x_status_name(status));
	if (error != NULL && (error->status != AI8X_ERR_ARGUMENT || strstr(error->message, "null") == NULL ||
	                      strstr(error->message, parameter) == NULL))
		fail("the message does not name the pointer", error->message);
}

#include "misuse_cases.h"

// --- Fixtures -------------------------------------------------------------------------------------------

static void must(ai8x_status status, const ai8x_error *error)
{
	if (status == AI8X_OK)
		return;
	printf("Bail out! %s: %s\n", ai8x_status_name(status), error != NULL ? error->message : "");
	exit(1);
}

static const char description[] = "arch: tiny\n"
								  "dataset: none\n"
								  "layers:\n"
								  "  - processors: 0x0000000000000001\n"
								  "    operation: conv2d\n"
								  "    kernel_size: 1x1\n"
								  "    pad: 0\n"
								  "    in_channels: 1\n"
								  "    in_dim: [4, 4]\n"
								  "    out_channels: 1\n"
								  "    out_offset: 0x2000\n"
								  "    data_format: HWC\n";

static void prepare(const char *program, const char *sweep)
{
	ai8x_error error = {AI8X_OK, ""};
	good.path = program;
	// As long as what is called its size.
	static char text[sizeof good.room];
	memcpy(text, description, sizeof description);
	good.text = text;
	must(ai8x_program_open(program, NULL, &good.program, &error), &error);
	good.part = ai8x_program_part(good.program);
	must(ai8x_machine_create(good.part, NULL, &good.machine, &error), &error);
	must(ai8x_machine_create(good.part, NULL, &good.other, &error), &error);
	must(ai8x_runner_run(good.machine, good.program, NULL, &good.result), NULL);
	good.layer = ai8x_machine_layer_report(good.machine, 0)->layer;
	good.counters = ai8x_machine_layer_report(good.machine, 0)->counters;
	must(ai8x_network_parse(description, sizeof description - 1, "tiny.yaml", NULL, &good.network, &error),
	     &error);
	must(ai8x_network_resolve(good.network, &error), &error);
	must(ai8x_sweep_open(sweep, NULL, &good.sweep, &error), &error);
	must(ai8x_batch_create(good.program, NULL, &good.batch, &error), &error);
	must(ai8x_batch_create(good.program, NULL, &good.spare_batch, &error), &error);
	must(ai8x_batch_worker_create(good.batch, &good.worker, &error), &error);
	must(ai8x_check_program(good.program, NULL, &good.check, &error), &error);
	good.finding = ai8x_check_get(good.check, 0);
	ai8x_check_destroy(good.check);
	static const ai8x_finding finding = {.cause = "", .remedy = "", .layer = -1};
	good.finding = &finding;
	must(ai8x_check_create(good.part, NULL, &good.check, &error), &error);
	good.clock = ai8x_clock_default(good.part, true);
	must(ai8x_time_program(good.program, NULL, &good.timing, &error), &error);
	must(ai8x_map_create(good.program, &good.timing.schedule, &good.map, &error), &error);
	must(ai8x_profile_create(good.program, NULL, &good.profile, &error), &error);
	good.file = tmpfile();
	good.trace_options = (ai8x_trace_options){.format = AI8X_TRACE_CSV, .from_layer = -1, .to_layer = -1};
	must(ai8x_trace_create(good.part, &good.trace_options, good.file, &good.trace, &error), &error);
	must(ai8x_show_create(NULL, &good.show, &error), &error);
	good.sweep_options = (ai8x_sweep_options){.jobs = 1};
	good.eval_options = ai8x_eval_options_default();
	good.event = (ai8x_event){.kind = AI8X_EVENT_RUN_STOP};
	good.attribute = (ai8x_attribute){.name = "a", .type = AI8X_ATTRIBUTE_TEXT, .scalar = true, .text = "b"};
	good.array = (ai8x_array){.name = "a", .rank = 1, .shape = {1}, .values = good.tensor};
	good.run_report = (ai8x_run_report){.file = "a.h5", .result = &good.result};
	good.check_report = (ai8x_check_report){.file = "a.h5"};
	good.shape[0] = good.shape[1] = good.shape[2] = 1;
	good.address = ai8x_part_data_address(good.part, 0, 0);
	static ai8x_firmware_result result = {.console = ""};
	good.firmware_result = &result;
}

// --- Inside callbacks -----------------------------------------------------------------------------------

static ai8x_status seen[8];
static ai8x_error told[8];
static unsigned calls;

// Everything that would change the machine.
static void abuse(void)
{
	ai8x_machine *machine = good.machine;
	ai8x_runner_result result;
	size_t taken;
	if (calls++ > 0)
		return;
	seen[0] = ai8x_machine_reset(machine);
	seen[1] = ai8x_machine_run(machine, NULL, &told[1]);
	seen[2] = ai8x_machine_advance(machine, 10, &told[2]);
	seen[3] = ai8x_machine_write32(machine, good.address, 1, &told[3]);
	seen[4] = ai8x_machine_fifo_push_words(machine, good.address, good.words, 1, &taken, &told[4]);
	seen[5] = ai8x_machine_store_data(machine, 0, 0, good.words, 1, &told[5]);
	seen[6] = ai8x_runner_run(machine, good.program, NULL, &result);
	(void)snprintf(told[6].message, sizeof told[6].message, "%s", result.message);
	seen[7] = ai8x_runner_load(machine, good.program, &told[7]);
	need(ai8x_machine_read32(machine, good.address, &good.word, NULL) == AI8X_OK, "reading is allowed");
}

static void on_event(void *user, const ai8x_event *event)
{
	(void)user, (void)event;
	abuse();
}

static bool on_layer(void *user, const ai8x_layer_report *report)
{
	(void)user, (void)report;
	abuse();
	return true;
}

static void all_refused(void)
{
	need(calls > 0, "the callback was called");
	for (unsigned i = 0; i < 8; i++) {
		if (seen[i] != AI8X_ERR_ARGUMENT)
			fail("allowed inside a callback", ai8x_status_name(seen[i]));
		if (i > 0 && strstr(told[i].message, "callback") == NULL)
			fail("the message does not speak of the callback", told[i].message);
	}
}

static ai8x_status run_with(ai8x_event_fn event, ai8x_layer_fn layer, uint32_t kinds,
                            ai8x_runner_result *result)
{
	ai8x_runner_options options = ai8x_runner_options_default();
	options.observer = event;
	options.observer_kinds = kinds;
	options.on_layer = layer;
	need(ai8x_machine_reset(good.machine) == AI8X_OK, "a machine at rest can be reset");
	return ai8x_runner_run(good.machine, good.program, &options, result);
}

static void inside_events(void)
{
	ai8x_runner_result result;
	need(run_with(on_event, NULL, UINT32_MAX, &result) == AI8X_OK && result.pass, "the run itself passes");
	all_refused();
}

static void inside_layers(void)
{
	ai8x_runner_result result;
	need(run_with(NULL, on_layer, 0, &result) == AI8X_OK && result.pass, "the run itself passes");
	all_refused();
}

static void subscribe_inside(void *user, const ai8x_event *event)
{
	(void)user, (void)event;
	calls++;
	need(ai8x_machine_observe(good.machine, 0, subscribe_inside, NULL) == AI8X_ERR_ARGUMENT,
	     "unsubscribing is refused");
	need(ai8x_machine_observe(good.machine, 1, on_event, NULL) == AI8X_ERR_ARGUMENT,
	     "subscribing is refused");
}

static void observing_inside(void)
{
	ai8x_runner_result result;
	need(run_with(subscribe_inside, NULL, AI8X_EVENT_LAYER_START, &result) == AI8X_OK && result.pass,
	     "the run passes");
	need(calls > 0, "the callback was called");
}

static void destroy_inside(void *user, const ai8x_event *event)
{
	(void)user, (void)event;
	ai8x_machine_destroy(good.machine);
}

static bool replace_inside(void *user, const ai8x_layer_report *report)
{
	(void)user, (void)report;
	ai8x_machine_on_layer(good.machine, NULL, NULL);
	return true;
}

static void destroying_inside(void)
{
	static const uint32_t kinds[] = {AI8X_EVENT_LAYER_START, AI8X_EVENT_LAYER_STOP, AI8X_EVENT_RUN_STOP,
	                                 AI8X_EVENT_STATE};
	for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		ai8x_runner_result result;
		need(run_with(destroy_inside, NULL, kinds[i], &result) == AI8X_ERR_ARGUMENT, "the run says so");
		if (strstr(result.message, "ai8x_machine_destroy") == NULL)
			fail("the message does not name the function", result.message);
		ai8x_runner_result_release(&result);
	}
	ai8x_runner_result result;
	need(run_with(NULL, NULL, 0, &result) == AI8X_OK && result.pass, "the machine is still whole");
}

static void replacing_inside(void)
{
	ai8x_error error = {AI8X_OK, ""};
	need(ai8x_machine_reset(good.machine) == AI8X_OK, "reset");
	need(ai8x_runner_load(good.machine, good.program, &error) == AI8X_OK, "load");
	ai8x_machine_on_layer(good.machine, replace_inside, NULL);
	need(ai8x_machine_run(good.machine, NULL, &error) == AI8X_ERR_ARGUMENT, "the run says so");
	need(strstr(error.message, "ai8x_machine_on_layer") != NULL, "the message names the function");
}

// Another machine is another matter.
static bool use_other(void *user, const ai8x_layer_report *report)
{
	(void)user, (void)report;
	ai8x_runner_result result;
	if (calls++ == 0)
		need(ai8x_runner_run(good.other, good.program, NULL, &result) == AI8X_OK && result.pass,
		     "another machine runs");
	return true;
}

static void others_inside(void)
{
	ai8x_runner_result result;
	need(run_with(NULL, use_other, 0, &result) == AI8X_OK && result.pass && calls > 0, "both run");
}

static bool sweep_inside(void *user, size_t done, size_t points)
{
	(void)user, (void)done, (void)points;
	ai8x_error error = {AI8X_OK, ""};
	calls++;
	need(ai8x_sweep_run(good.sweep, &good.sweep_options, &error) == AI8X_ERR_ARGUMENT, "a run inside a run");
	need(strstr(error.message, "callback") != NULL, "the message speaks of the callback");
	ai8x_sweep_destroy(good.sweep);
	return true;
}

static void sweeping_inside(void)
{
	good.sweep_options.progress = sweep_inside;
	need(ai8x_sweep_run(good.sweep, &good.sweep_options, NULL) == AI8X_OK, "the run itself");
	need(calls > 0 && ai8x_sweep_point_count(good.sweep) > 0, "the grid is still there");
}

// --- Wrong order ----------------------------------------------------------------------------------------

static void results_before_a_run(void)
{
	ai8x_error error = {AI8X_OK, ""};
	ai8x_machine *fresh = NULL;
	need(ai8x_machine_create(good.part, NULL, &fresh, &error) == AI8X_OK, "create");
	need(ai8x_machine_layer_count(fresh) == 0 && ai8x_machine_layer_report(fresh, 0) == NULL, "no reports");
	need(ai8x_machine_cycles(fresh) == 0 && !ai8x_machine_running(fresh), "no run");
	need(ai8x_machine_explain_wait(fresh, good.room, sizeof good.room) == 0, "it waits for nothing");
	need(ai8x_machine_run(fresh, NULL, &error) == AI8X_ERR_NOT_STARTED && error.message[0] != '\0',
	     "not started");
	need(ai8x_runner_dump(fresh, good.program, "/nonexistent/dump.h5", &error) != AI8X_OK &&
	         error.message[0] != '\0',
	     "nothing to dump, and nowhere");
	ai8x_machine_destroy(fresh);
	need(ai8x_check_count(good.check) == 0 && ai8x_check_get(good.check, 0) == NULL, "no findings");
	need(ai8x_check_layer_count(good.check) == 0, "no layers");
	need(ai8x_sweep_point_at(good.sweep, SIZE_MAX) == NULL, "no such point");
	need(ai8x_sweep_point_at(good.sweep, 0)->status == AI8X_ERR_NOT_STARTED,
	     "points that nobody has computed");
	ai8x_sweep_csv(good.sweep, good.file);
	need(ai8x_sweep_html(good.sweep, good.file, &error) == AI8X_OK, "a page of them");
	need(ai8x_show_write(good.show, good.file, &error) != AI8X_OK && error.message[0] != '\0',
	     "a page without runs");
}

static void programs_without_content(void)
{
	ai8x_error error = {AI8X_OK, ""};
	ai8x_program *empty = NULL;
	ai8x_runner_result result;
	ai8x_batch *batch = NULL;
	ai8x_check *check = NULL;
	ai8x_profile *profile = NULL;
	need(ai8x_program_create(good.part, "empty", &empty, &error) == AI8X_OK, "create");
	need(ai8x_machine_reset(good.machine) == AI8X_OK, "reset");
	need(ai8x_runner_run(good.machine, empty, NULL, &result) == AI8X_ERR_NOT_STARTED &&
	         result.message[0] != '\0',
	     "run");
	need(ai8x_batch_create(empty, NULL, &batch, &error) != AI8X_OK && error.message[0] != '\0', "batch");
	need(ai8x_check_program(empty, NULL, &check, &error) == AI8X_OK && ai8x_check_count(check) > 0, "check");
	error.message[0] = '\0';
	need(ai8x_profile_create(empty, NULL, &profile, &error) != AI8X_OK && error.message[0] != '\0',
	     "profile");
	error.message[0] = '\0';
	need(ai8x_eval(empty, good.path, &good.eval_options, &good.evaluation, &error) != AI8X_OK &&
	         error.message[0] != '\0',
	     "eval");
	ai8x_check_destroy(check);
	ai8x_program_destroy(empty);
}

static void text_of_no_size(void)
{
	ai8x_error error = {AI8X_OK, ""};
	ai8x_network *network = NULL;
	need(ai8x_network_parse(NULL, 0, NULL, NULL, &network, &error) == AI8X_ERR_ARGUMENT &&
	         error.message[0] != '\0',
	     "null");
	error.message[0] = '\0';
	need(ai8x_network_parse("", 0, NULL, NULL, &network, &error) != AI8X_OK && error.message[0] != '\0',
	     "empty");
	need(network == NULL, "nothing was made");
}

// --- Options that make no sense -------------------------------------------------------------------------

static void machine_options(void)
{
	static const uint32_t depths[] = {0, 65, UINT32_MAX};
	static const int engines[] = {-1, 3, 77};
	ai8x_error error = {AI8X_OK, ""};
	ai8x_machine *machine = NULL;
	for (unsigned i = 0; i < 3; i++) {
		ai8x_machine_options options = ai8x_machine_options_default();
		options.fifo_depth = depths[i];
		need(ai8x_machine_create(good.part, &options, &machine, &error) == AI8X_ERR_ARGUMENT &&
		         machine == NULL,
		     "depth");
		need(strstr(error.message, "FIFO") != NULL, "the message speaks of the FIFO");
		options = ai8x_machine_options_default();
		options.engine = (ai8x_engine)engines[i];
		need(ai8x_machine_create(good.part, &options, &machine, &error) == AI8X_ERR_ARGUMENT &&
		         machine == NULL,
		     "engine");
		need(strstr(error.message, "engine") != NULL, "the message speaks of the engine");
	}
	ai8x_machine_options options = ai8x_machine_options_default();
	options.cpu = "z80";
	need(ai8x_machine_create(good.part, &options, &machine, &error) == AI8X_ERR_ARGUMENT, "kernels");
	ai8x_batch_options batch_options = ai8x_batch_options_default();
	ai8x_batch *batch = NULL;
	batch_options.machine.fifo_depth = 0;
	need(ai8x_batch_create(good.program, &batch_options, &batch, &error) == AI8X_ERR_ARGUMENT,
	     "a batch's machine");
}

static void numbers_of_jobs(void)
{
	static const unsigned jobs[] = {0, 4097, UINT32_MAX};
	for (unsigned i = 0; i < 3; i++) {
		ai8x_error error = {AI8X_OK, ""};
		good.eval_options.jobs = good.sweep_options.jobs = jobs[i];
		need(ai8x_eval(good.program, good.path, &good.eval_options, &good.evaluation, &error) ==
		         AI8X_ERR_ARGUMENT,
		     "eval");
		need(strstr(error.message, "jobs") != NULL, "the message speaks of jobs");
		error.message[0] = '\0';
		need(ai8x_sweep_run(good.sweep, &good.sweep_options, &error) == AI8X_ERR_ARGUMENT, "sweep");
		need(strstr(error.message, "jobs") != NULL, "the message speaks of jobs");
	}
}

static void other_options(void)
{
	ai8x_error error = {AI8X_OK, ""};
	ai8x_trace *trace = NULL;
	good.trace_options.format = (ai8x_trace_format)9;
	need(ai8x_trace_create(good.part, &good.trace_options, good.file, &trace, &error) == AI8X_ERR_ARGUMENT,
	     "format");
	ai8x_runner_options options = ai8x_runner_options_default();
	ai8x_runner_result result;
	options.stop_after = true;
	options.stop_layer = 12345;
	need(ai8x_machine_reset(good.machine) == AI8X_OK, "reset");
	need(ai8x_runner_run(good.machine, good.program, &options, &result) == AI8X_ERR_ARGUMENT &&
	         result.message[0] != '\0',
	     "a layer that is not there");
	static const double seconds[] = {0, -1, NAN, INFINITY};
	for (unsigned i = 0; i < 4 && ai8x_firmware_available(); i++) {
		ai8x_firmware_options firmware_options = ai8x_firmware_options_default();
		ai8x_firmware *firmware = NULL;
		firmware_options.max_seconds = seconds[i];
		need(ai8x_firmware_open_memory("\177ELF", 4, &firmware_options, &firmware, &error) ==
		         AI8X_ERR_ARGUMENT,
		     "seconds");
	}
	need(ai8x_machine_data(good.machine, 16, NULL) == NULL &&
	         ai8x_machine_kernels(good.machine, 64, NULL) == NULL &&
	         ai8x_machine_bias(good.machine, 4, NULL) == NULL,
	     "memories that are not there");
	need(ai8x_program_append(good.program, (ai8x_op){.kind = 99}, &error) == AI8X_ERR_ARGUMENT,
	     "kind of operation");
	need(ai8x_sweep_axis_name(good.sweep, 99)[0] == '\0' &&
	         ai8x_sweep_value(good.sweep, SIZE_MAX, 99)[0] == '\0',
	     "axis");
	need(ai8x_network_weights_of(good.network, 99) == NULL, "layer");
}

static const struct misuse by_hand[] = {
	{"events", "everything that changes the machine", inside_events},
	{"layer callbacks", "everything that changes the machine", inside_layers},
	{"events", "ai8x_machine_observe()", observing_inside},
	{"events", "ai8x_machine_destroy()", destroying_inside},
	{"layer callbacks", "ai8x_machine_on_layer()", replacing_inside},
	{"layer callbacks", "another machine", others_inside},
	{"progress of a sweep", "its own grid", sweeping_inside},
	{"order", "results before a run", results_before_a_run},
	{"order", "programs without content", programs_without_content},
	{"order", "text of no size", text_of_no_size},
	{"options", "of machines", machine_options},
	{"options", "numbers of jobs", numbers_of_jobs},
	{"options", "others", other_options},
};

static bool run(const struct misuse *misuse, unsigned number)
{
	(void)fflush(stdout);
	const pid_t child = fork();
	if (child == 0) {
		(void)alarm(300);
		misuse->run();
		_exit(0);
	}
	int status = 0;
	const bool good_end =
		child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	printf("%s %u - %s, %s\n", good_end ? "ok" : "not ok", number, misuse->function,
	       misuse->parameter[0] != '\0' ? misuse->parameter : "no pointers");
	if (!good_end && child > 0 && WIFSIGNALED(status))
		printf("# signal %d\n", WTERMSIG(status));
	return good_end;
}

int main(int argc, char **argv)
{
	const unsigned table = sizeof cases / sizeof cases[0], hand = sizeof by_hand / sizeof by_hand[0];
	unsigned failures = 0;
	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s PROGRAM SWEEP\n", argv[0]);
		return 2;
	}
	prepare(argv[1], argv[2]);
	printf("1..%u\n", table + hand);
	for (unsigned i = 0; i < table + hand; i++)
		failures += !run(i < table ? &cases[i] : &by_hand[i - table], i + 1);
	return failures > 0;
}
