// Time: the closed form and the schedule against what the exact engine counts, the published cycle totals,
// clocks, loading.
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "bus/bus.h"
#include "exact/exact.h"
#include "layer/geometry.h"
#include "time/host_cost.h"

#define MAX_PATH_BYTES 1024
// Enough to meet every pair of features; AI8XSIM_RANDOM_LAYERS asks for another number.
#define RANDOM_LAYERS 20000

// --- Against the exact engine --------------------------------------------------------------------------

struct run {
	ai8x_machine *machine;
	ai8x_runner_result result;
};

static ai8x_program *open_program(const char *path)
{
	ai8x_program_options options = {.skip_results = true};
	ai8x_program *program = NULL;
	ai8x_error error = {0};
	ck_assert_msg(ai8x_program_open(path, &options, &program, &error) == AI8X_OK, "%s", error.message);
	return program;
}

static void run_exact(const ai8x_program *program, uint32_t pace, struct run *run)
{
	ai8x_machine_options settings = ai8x_machine_options_default();
	ai8x_error error = {0};
	settings.engine = AI8X_ENGINE_EXACT;
	ck_assert_int_eq(ai8x_machine_create(ai8x_program_part(program), &settings, &run->machine, &error),
	                 AI8X_OK);
	ai8x_runner_options options = ai8x_runner_options_default();
	options.fifo_write_cycles = pace;
	(void)ai8x_runner_run(run->machine, program, &options, &run->result);
	ck_assert_msg(run->result.status == AI8X_OK, "%s", run->result.message);
}

static void release(struct run *run)
{
	ai8x_runner_result_release(&run->result);
	ai8x_machine_destroy(run->machine);
}

static void compare_layer(const char *path, const ai8x_schedule_layer *expected,
                          const ai8x_layer_report *report)
{
	const ai8x_counters *a = &expected->counters, *b = &report->counters;
	ck_assert_msg(expected->layer.index == report->layer.index, "%s: layer %u runs, not %u", path,
	              report->layer.index, expected->layer.index);
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++)
		ck_assert_msg(a->state[s] == b->state[s], "%s layer %u: %llu cycles of state %s, the engine has %llu",
		              path, report->layer.index, (unsigned long long)a->state[s],
		              ai8x_state_name((ai8x_state)s), (unsigned long long)b->state[s]);
	ck_assert_uint_eq(a->pass_cycles, b->pass_cycles);
	ck_assert_uint_eq(a->words_read, b->words_read);
	ck_assert_uint_eq(a->words_written, b->words_written);
	ck_assert_uint_eq(a->outputs, b->outputs);
	ck_assert_uint_eq(expected->cycles, report->cycles);
	ck_assert_uint_eq(expected->start_cycle, report->start_cycle);
}

// Returns false where data decides which layers run.
static bool compare_program(const char *path, const ai8x_program *program, uint32_t pace)
{
	ai8x_feed feed = {.write_cycles = pace};
	ai8x_timing timing;
	ai8x_error error = {0};
	ck_assert_msg(ai8x_time_program(program, &feed, &timing, &error) == AI8X_OK, "%s: %s", path,
	              error.message);
	struct run run;
	run_exact(program, pace, &run);
	bool comparable = !timing.schedule.conditional;
	if (comparable) {
		ck_assert_uint_eq(ai8x_machine_layer_count(run.machine), timing.schedule.layer_count);
		for (size_t i = 0; i < timing.schedule.layer_count; i++)
			compare_layer(path, &timing.schedule.layers[i], ai8x_machine_layer_report(run.machine, i));
		ck_assert_msg(timing.schedule.cycles == run.result.cycles,
		              "%s at pace %u: %llu cycles, the engine has %llu", path, pace,
		              (unsigned long long)timing.schedule.cycles, (unsigned long long)run.result.cycles);
	}
	release(&run);
	ai8x_timing_release(&timing);
	return comparable;
}

static void shipped_path(char path[MAX_PATH_BYTES])
{
	const char *source = getenv("AI8XSIM_SOURCE");
	(void)snprintf(path, MAX_PATH_BYTES, "%s/golden/residual2-max78000.h5", source != NULL ? source : ".");
}

START_TEST(shipped_program_equals_the_engine)
{
	char path[MAX_PATH_BYTES];
	shipped_path(path);
	ai8x_program *program = open_program(path);
	ck_assert(compare_program(path, program, 0));
	ai8x_program_destroy(program);
}
END_TEST

// Programs whose FIFO words arrive at many paces: some faster, some slower than the layers take them.
static bool is_fed(const ai8x_program *program)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count; i++)
		if (ops[i].kind == AI8X_BUS_FIFO_WRITE32)
			return true;
	return false;
}

static unsigned compare_folder(const char *part)
{
	const char *golden = getenv("AI8XSIM_GOLDEN");
	char folder[MAX_PATH_BYTES / 2];
	unsigned compared = 0;
	(void)snprintf(folder, sizeof folder, "%s/%s", golden != NULL ? golden : ".", part);
	DIR *directory = opendir(folder);
	if (directory == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		char path[MAX_PATH_BYTES];
		size_t length = strlen(entry->d_name);
		if (length < 3 || strcmp(entry->d_name + length - 3, ".h5") != 0)
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		ai8x_program *program = open_program(path);
		compared += compare_program(path, program, 0);
		if (is_fed(program))
			(void)compare_program(path, program, 1 + (unsigned)length % 40);
		ai8x_program_destroy(program);
	}
	(void)closedir(directory);
	return compared;
}

static const char *const parts[] = {"max78000", "max78002"};

START_TEST(golden_programs_equal_the_engine)
{
	unsigned compared = compare_folder(parts[_i]);
	if (compared == 0)
		puts("skipped: no golden programs here");
	else
		printf("%s: %u programs\n", parts[_i], compared);
}
END_TEST

// --- Random layers -------------------------------------------------------------------------------------

static uint32_t draw(uint64_t *state, uint32_t least, uint32_t most)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return least + (uint32_t)(*state >> 16) % (most - least + 1);
}

static void draw_kernel(uint64_t *state, ai8x_layer *layer)
{
	static const ai8x_operation operations[] = {AI8X_OP_PASSTHROUGH, AI8X_OP_CONV2D,  AI8X_OP_CONV2D,
	                                            AI8X_OP_CONV1D,      AI8X_OP_CONVT2D, AI8X_OP_LINEAR};
	layer->operation = operations[draw(state, 0, 5)];
	layer->kernel_rows = layer->kernel_columns = 1;
	if (layer->operation == AI8X_OP_CONV1D)
		layer->kernel_rows = draw(state, 1, 9);
	else if (layer->operation == AI8X_OP_CONVT2D ||
	         (layer->operation == AI8X_OP_CONV2D && draw(state, 0, 3) > 0))
		layer->kernel_rows = layer->kernel_columns = 3;
	layer->transposed = layer->operation == AI8X_OP_CONVT2D;
	layer->flatten = layer->operation == AI8X_OP_LINEAR;
	if (layer->operation != AI8X_OP_PASSTHROUGH) {
		layer->pad_rows = draw(state, 0, layer->kernel_rows > 1 ? 2 : 0);
		layer->pad_columns = draw(state, 0, layer->kernel_columns > 1 ? 2 : 0);
		layer->depthwise = draw(state, 0, 4) == 0;
	}
}

static void draw_layer(uint64_t *state, ai8x_layer *layer)
{
	*layer = (ai8x_layer){
		.part = ai8x_part_at(draw(state, 0, 1)),
		.groups = 15,
		.master = draw(state, 0, 3),
		.processors = (uint64_t)draw(state, 1, 0xffff) << (16 * draw(state, 0, 3)),
		.no_pipeline = draw(state, 0, 1) != 0,
		.passes = draw(state, 0, 1) ? 1 : draw(state, 2, 9),
		.operands = draw(state, 0, 2) ? 1 : draw(state, 2, 4),
		.pool_first = draw(state, 0, 1) != 0,
		.pooling = (ai8x_pooling)draw(state, AI8X_POOL_NONE, AI8X_POOL_AVERAGE),
		.pool_rows = draw(state, 1, 3),
		.pool_columns = draw(state, 1, 3),
		.pool_stride = draw(state, 1, 3),
		.pool_dilation_rows = draw(state, 1, 2),
		.pool_dilation_columns = draw(state, 1, 2),
		.pooled_rows = draw(state, 1, 7),
		.pooled_columns = draw(state, 1, 7),
		.weight_bits = 8,
		.slots = draw(state, 0, 3) ? draw(state, 1, 70) : 1,
		.slots_per_pass = draw(state, 1, 64),
		.time_slots = draw(state, 1, 4),
		.output_bits = draw(state, 0, 3) ? 8 : 32,
		.write_step = draw(state, 1, 2),
		.pass_offset = draw(state, 0, 2),
		.calcx4 = draw(state, 0, 3) == 0,
		.tcalc = draw(state, 0, 3) == 0,
	};
	draw_kernel(state, layer);
	layer->rows = (layer->pooled_rows - 1) * layer->pool_stride +
	              (layer->pool_rows - 1) * layer->pool_dilation_rows + 1;
	layer->columns = (layer->pooled_columns - 1) * layer->pool_stride +
	                 (layer->pool_columns - 1) * layer->pool_dilation_columns + 1;
	if (layer->flatten)
		layer->pooled_rows = layer->pooled_columns = layer->rows = layer->columns = layer->pool_rows =
			layer->pool_columns = 1;
	layer->pixel_step = layer->passes * layer->operands;
	layer->output_passes = (layer->slots + layer->slots_per_pass - 1) / layer->slots_per_pass;
	layer->kernels = layer->slots * layer->passes;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		layer->kernel_first_bit[g] = 8 * draw(state, 0, 40);
		layer->kernel_tap_offset[g] = draw(state, 0, 8);
	}
	if (layer->operation == AI8X_OP_PASSTHROUGH) {
		layer->write_mode = AI8X_WRITE_PASSTHROUGH;
		layer->output_bits = 8;
		layer->output_rows = layer->pooled_rows;
		layer->output_columns = layer->pooled_columns;
		return;
	}
	layer->write_mode = layer->depthwise ? (draw(state, 0, 1) ? AI8X_WRITE_BROADCAST : AI8X_WRITE_DEPTHWISE)
	                                     : AI8X_WRITE_CHANNELS;
	layer->output_rows = layer_expanded_rows(layer) + 2 * layer->pad_rows + 1 - layer->kernel_rows;
	layer->output_columns =
		layer_expanded_columns(layer) + 2 * layer->pad_columns + 1 - layer->kernel_columns;
}

static bool is_possible(const ai8x_layer *layer)
{
	return layer_expanded_rows(layer) + 2 * layer->pad_rows >= layer->kernel_rows &&
	       layer_expanded_columns(layer) + 2 * layer->pad_columns >= layer->kernel_columns &&
	       layer_check_ranges(layer, 0, NULL) == AI8X_OK;
}

static void compare_random(const struct bus *bus, const ai8x_layer *layer, unsigned number)
{
	struct exact_context context = {
		.data = (struct data_memory *)&bus->data, .kernel = &bus->kernel, .bias = &bus->bias};
	ai8x_counters counted = {0}, expected;
	struct exact_layer *x = NULL;
	ck_assert_int_eq(
		exact_layer_create(&context, layer, &(struct exact_setup){.counters = &counted}, &x, NULL), AI8X_OK);
	uint64_t cycles = exact_layer_run(x, UINT64_MAX, false);
	exact_layer_destroy(x);
	ai8x_time_layer(layer, &expected);
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++)
		ck_assert_msg(counted.state[s] == expected.state[s],
		              "layer %u (%s): %llu cycles of state %s, not %llu", number,
		              ai8x_operation_name(layer->operation), (unsigned long long)counted.state[s],
		              ai8x_state_name((ai8x_state)s), (unsigned long long)expected.state[s]);
	ck_assert_uint_eq(cycles, ai8x_time_total(&expected));
	ck_assert_uint_eq(counted.pass_cycles, expected.pass_cycles);
	ck_assert_uint_eq(counted.words_read, expected.words_read);
	ck_assert_uint_eq(counted.words_written, expected.words_written);
	ck_assert_uint_eq(counted.outputs, expected.outputs);
}

START_TEST(random_layers_equal_the_engine)
{
	const char *wanted = getenv("AI8XSIM_RANDOM_LAYERS");
	const unsigned count = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : RANDOM_LAYERS;
	struct bus bus[2];
	for (unsigned p = 0; p < 2; p++)
		ck_assert_int_eq(bus_create(&bus[p], ai8x_part_at(p)), AI8X_OK);
	uint64_t state = 88172645463325252u;
	unsigned done = 0, drawn = 0;
	while (done < count) {
		ai8x_layer layer;
		draw_layer(&state, &layer);
		ck_assert_uint_lt(++drawn, 20 * count + 1000);
		if (!is_possible(&layer))
			continue;
		compare_random(&bus[layer.part == ai8x_part_at(1)], &layer, done++);
	}
	printf("%u random layers\n", done);
	for (unsigned p = 0; p < 2; p++)
		bus_destroy(&bus[p]);
}
END_TEST

// --- Against silicon -----------------------------------------------------------------------------------

// Value of a row of measured.tsv in its unit; false where the table is not there.
static bool measured(const char *id, double *value)
{
	char path[MAX_PATH_BYTES], line[4096];
	const char *golden = getenv("AI8XSIM_GOLDEN");
	(void)snprintf(path, sizeof path, "%s/../reference/measured.tsv", golden != NULL ? golden : ".");
	FILE *file = fopen(path, "r");
	bool found = false;
	while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
		char *rest = line, *cell = strsep(&rest, "\t");
		found = strcmp(cell, id) == 0;
		for (unsigned column = 1; found && column <= 9; column++)
			cell = strsep(&rest, "\t");
		if (found)
			*value = strtod(cell, NULL);
	}
	if (file != NULL)
		(void)fclose(file);
	return found;
}

static bool time_golden(const char *name, ai8x_timing *timing)
{
	char path[MAX_PATH_BYTES];
	const char *golden = getenv("AI8XSIM_GOLDEN");
	(void)snprintf(path, sizeof path, "%s/max78000/%s.h5", golden != NULL ? golden : ".", name);
	FILE *file = fopen(path, "r");
	if (file == NULL) {
		printf("skipped: %s is not there\n", path);
		return false;
	}
	(void)fclose(file);
	ai8x_program *program = open_program(path);
	const ai8x_feed feed = {.write_cycles = AI8X_FEED_HOST};
	ck_assert_int_eq(ai8x_time_program(program, &feed, timing, NULL), AI8X_OK);
	ai8x_program_destroy(program);
	return true;
}

// The same network stopped after layer 0, 1, 2, 3, 4: measured times lie on one straight line over the
// simulated cycles (docs/timing.md).
START_TEST(silicon_prefixes)
{
	static const char *const ids[] = {"nd-029", "nd-031", "nd-033", "nd-035", "nd-037"};
	enum { POINTS = sizeof ids / sizeof ids[0] };
	ai8x_timing timing;
	double x[POINTS], y[POINTS], mean_x = 0, mean_y = 0, xx = 0, xy = 0, cycles = 1;
	if (!time_golden("net-cifar10-nas", &timing))
		return;
	for (unsigned i = 0; i < POINTS; i++) {
		ck_assert(measured(ids[i], &y[i]));
		cycles += (double)timing.schedule.layers[i].cycles;
		x[i] = cycles;
		mean_x += x[i] / (double)POINTS;
		mean_y += y[i] / (double)POINTS;
	}
	for (unsigned i = 0; i < POINTS; i++) {
		xx += (x[i] - mean_x) * (x[i] - mean_x);
		xy += (x[i] - mean_x) * (y[i] - mean_y);
	}
	const double slope = xy / xx;
	for (unsigned i = 0; i < POINTS; i++) {
		double residual = (y[i] - mean_y) / slope - (x[i] - mean_x);
		ck_assert_msg(residual > -15 && residual < 15, "%s lies %.1f cycles off the line", ids[i], residual);
	}
	ck_assert_msg(slope > 1 / 50.5 && slope < 1 / 49.5, "%.3f MHz", 1 / slope);
	ai8x_timing_release(&timing);
}
END_TEST

static const struct {
	const char *id, *program;
	double start_cycles; // fixed cost of starting and stopping the timer
	double least, most;  // of measured minus simulated, as a fraction of the measured time ...
	double cycles;       // ... or in cycles, where not 0
} silicon_cases[] = {
	{"sdk-mnist", "net-mnist", 330, 0, 0, 30},
	{"sdk-kws20v3", "net-kws20-v3", 330, 0, 0, 30},
	{"iss74-catsdogs", "net-cats-dogs", 330, -0.05, 0.05, 0},
	{"iss74-faceid", "net-faceid", 330, -0.05, 0.05, 0},
};

START_TEST(silicon_totals)
{
	ai8x_timing timing;
	double microseconds;
	if (!time_golden(silicon_cases[_i].program, &timing))
		return;
	ck_assert(measured(silicon_cases[_i].id, &microseconds));
	double cycles = 50 * microseconds;
	double off = cycles - silicon_cases[_i].start_cycles - (double)timing.schedule.cycles;
	if (silicon_cases[_i].cycles > 0)
		ck_assert_msg(off > -silicon_cases[_i].cycles && off < silicon_cases[_i].cycles,
		              "%s: %.0f cycles off", silicon_cases[_i].id, off);
	else
		ck_assert_msg(off / cycles > silicon_cases[_i].least && off / cycles < silicon_cases[_i].most,
		              "%s: %.1f %% off", silicon_cases[_i].id, 100 * off / cycles);
	ai8x_timing_release(&timing);
}
END_TEST

// --- Clocks --------------------------------------------------------------------------------------------

static const struct {
	const char *part, *text;
	uint32_t hz; // 0: refused
} clock_cases[] = {
	// Sources and dividers of the sweep in measured.tsv, rows nd-009 to nd-027.
	{"MAX78000", "PCLK", 50000000},
	{"MAX78000", "pclk/2", 25000000},
	{"MAX78000", "PCLK/16", 3125000},
	{"MAX78000", "ISO", 60000000},
	{"MAX78000", "ISO/16", 3750000},
	{"MAX78002", "PCLK", 60000000},
	{"MAX78002", "IPLL", 200000000},
	{"MAX78002", "IPLL/4", 50000000},
	{"MAX78000", "12.5 MHz", 12500000},
	{"MAX78000", "100e6", 100000000},
	{"MAX78000", "PCLKDIV=0x10000", 50000000}, // divider code 4: undivided
	{"MAX78000", "PCLKDIV=0x0", 25000000},     // divider code 0: by two
	{"MAX78000", "PCLKDIV=0x28000", 7500000},  // ISO, by eight
	{"MAX78002", "PCLKDIV=0x64000", 50000000}, // PLL, by four
	{"MAX78000", "IPLL", 0},
	{"MAX78000", "PCLK/3", 0},
	{"MAX78000", "PCLK/", 0},
	{"MAX78000", "", 0},
	{"MAX78000", "fast", 0},
	{"MAX78000", "-5 MHz", 0},
	{"MAX78000", "5 MHz or so", 0},
	{"MAX78000", "PCLKDIV=", 0},
	{"MAX78000", "PCLKDIV=0x1c000", 0}, // divider code 7 does not exist
};

START_TEST(clocks)
{
	ai8x_clock clock = {0};
	ai8x_error error = {0};
	ai8x_status status =
		ai8x_clock_parse(ai8x_part_find(clock_cases[_i].part), clock_cases[_i].text, &clock, &error);
	if (clock_cases[_i].hz == 0) {
		ck_assert_int_eq(status, AI8X_ERR_ARGUMENT);
		ck_assert_ptr_nonnull(strstr(error.message, "no clock of the"));
		return;
	}
	ck_assert_msg(status == AI8X_OK, "%s", error.message);
	ck_assert_uint_eq(clock.hz, clock_cases[_i].hz);
}
END_TEST

START_TEST(default_clocks)
{
	ck_assert_uint_eq(ai8x_clock_default(ai8x_part_find("MAX78000"), true).hz, 50000000);
	ck_assert_uint_eq(ai8x_clock_default(ai8x_part_find("MAX78002"), true).hz, 200000000);
	ck_assert_uint_eq(ai8x_clock_default(ai8x_part_find("MAX78002"), false).hz, 50000000);
}
END_TEST

// --- Loading and refusals ------------------------------------------------------------------------------

START_TEST(loading_counts_every_write)
{
	char path[MAX_PATH_BYTES];
	shipped_path(path);
	ai8x_program *program = open_program(path);
	ai8x_timing timing;
	ck_assert_int_eq(ai8x_time_program(program, NULL, &timing, NULL), AI8X_OK);
	size_t count, writes = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count && ops[i].kind != AI8X_BUS_RUN; i++)
		writes += ops[i].kind == AI8X_BUS_WRITE32 || ops[i].kind == AI8X_BUS_WRITE8;
	const ai8x_loading *loading = &timing.loading;
	ck_assert_uint_eq(loading->kernel_writes + loading->bias_writes + loading->input_writes +
	                      loading->register_writes,
	                  writes);
	ck_assert_uint_gt(loading->kernel_writes, 0);
	ck_assert_uint_gt(loading->input_writes, 0);
	ck_assert_uint_eq(loading->fifo_writes, 0);
	ck_assert(loading->kernel_seconds > 0);
	ai8x_timing_release(&timing);
	ai8x_program_destroy(program);
}
END_TEST

// Two clocks: what was measured at one or two of them comes out (docs/timing.md, "Loading" and "Streaming networks").
START_TEST(host_accesses_take_two_clocks)
{
	static const struct {
		const char *part, *clock;
		enum host_access access;
		double measured; // seconds of one access
	} rows[] = {
		{"MAX78000", "PCLK", HOST_ACCESS_INPUT, 107832 / 100e6 / 4096}, // safesound-226
		{"MAX78002", "IPLL", HOST_ACCESS_WRITE, 6.9e-3 / 38872},        // an7664-183
		{"MAX78002", "IPLL/4", HOST_ACCESS_WRITE, 10.7e-3 / 38872},     // an7664-185
		{"MAX78002", "IPLL/16", HOST_ACCESS_WRITE, 25.3e-3 / 38872},    // an7664-187
		{"MAX78002", "ISO/8", HOST_ACCESS_WRITE, 41.3e-3 / 38872},      // an7664-190
		{"MAX78002", "IPLL", HOST_ACCESS_INPUT, 0.6834e-3 / 4096},      // an7664-191
		{"MAX78002", "12.5 MHz", HOST_ACCESS_INPUT, 0.6548e-3 / 1024},  // an7664-179
	};
	ai8x_clock clock;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const ai8x_part *part = ai8x_part_find(rows[i].part);
		ck_assert_int_eq(ai8x_clock_parse(part, rows[i].clock, &clock, NULL), AI8X_OK);
		const double ratio = host_access_seconds(part, &clock, rows[i].access) / rows[i].measured;
		ck_assert_msg(ratio > 0.95 && ratio < 1.05, "row %zu: %f", i, ratio);
	}
	const ai8x_part *small = ai8x_part_find("MAX78000"), *large = ai8x_part_find("MAX78002");
	clock = ai8x_clock_default(small, true);
	ck_assert_uint_eq(ai8x_feed_cycles(small, &clock), 29);
	clock = ai8x_clock_default(large, true);
	ck_assert_uint_eq(ai8x_feed_cycles(large, &clock), 69);
	clock = ai8x_clock_default(large, false);
	ck_assert_uint_eq(ai8x_feed_cycles(large, &clock), 27);
}
END_TEST

START_TEST(program_that_starts_nothing)
{
	ai8x_program *program = NULL;
	ai8x_timing timing;
	ai8x_error error = {0};
	ck_assert_int_eq(ai8x_program_create(ai8x_part_at(0), "empty", &program, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_time_program(program, NULL, &timing, &error), AI8X_ERR_NOT_STARTED);
	ck_assert_str_ne(error.message, "");
	ai8x_timing_release(&timing);
	ai8x_program_destroy(program);
}
END_TEST

// A FIFO-fed layer with no FIFO enabled, and a frame too long to be one, end with a reason.
static ai8x_status time_fed_layer(bool frame, ai8x_error *error)
{
	const ai8x_part *part = ai8x_part_at(0);
	ai8x_program *program = NULL;
	ai8x_timing timing;
	ck_assert_int_eq(ai8x_program_create(part, "fed", &program, NULL), AI8X_OK);
	const uint32_t start = 1u << part->fields[F_CNN_EN].low | 1u << part->fields[F_GROUP_FIFO_EN].low;
	const ai8x_op ops[] = {
		{AI8X_BUS_WRITE32, part_register_address(part, REG_FIFO_CTL, 0, 0),
	     frame ? 1u << part->fields[F_FIFO_EN].low : 0, 0},
		{AI8X_BUS_WRITE32, part_register_address(part, REG_IFRM, 0, 0),
	     frame ? part_field_mask(part, F_IFRM) : 1, 0},
		{AI8X_BUS_WRITE32, part_register_address(part, REG_CTL, 0, 0), start, 0},
	};
	for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
		ck_assert_int_eq(ai8x_program_append(program, ops[i], NULL), AI8X_OK);
	ai8x_status status = ai8x_time_program(program, NULL, &timing, error);
	ai8x_timing_release(&timing);
	ai8x_program_destroy(program);
	return status;
}

// A FIFO that is enabled without a frame feeds nothing: the layer reads data memory and ends (inferred).
START_TEST(no_frame_is_memory_input)
{
	const ai8x_part *part = ai8x_part_at(0);
	ai8x_program *program = NULL;
	ai8x_timing timing;
	ai8x_error error = {0};
	ck_assert_int_eq(ai8x_program_create(part, "no frame", &program, NULL), AI8X_OK);
	const uint32_t start = 1u << part->fields[F_CNN_EN].low | 1u << part->fields[F_GROUP_FIFO_EN].low;
	const ai8x_op op = {AI8X_BUS_WRITE32, part_register_address(part, REG_CTL, 0, 0), start, 0};
	ck_assert_int_eq(ai8x_program_append(program, op, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_time_program(program, NULL, &timing, &error), AI8X_OK);
	ai8x_timing_release(&timing);
	ai8x_program_destroy(program);
}
END_TEST

START_TEST(words_that_never_come)
{
	ai8x_error error = {0};
	ck_assert_int_eq(time_fed_layer(false, &error), AI8X_ERR_STALLED);
	ck_assert_ptr_nonnull(strstr(error.message, "FIFO"));
	ai8x_status status = time_fed_layer(true, &error);
	ck_assert_msg(status == AI8X_OK || status == AI8X_ERR_LIMIT || status == AI8X_ERR_STALLED, "%s",
	              error.message);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("time");
	TCase *tests = tcase_create("time");
	tcase_add_test(tests, shipped_program_equals_the_engine);
	tcase_add_loop_test(tests, golden_programs_equal_the_engine, 0, 2);
	tcase_add_test(tests, random_layers_equal_the_engine);
	tcase_add_test(tests, silicon_prefixes);
	tcase_add_loop_test(tests, silicon_totals, 0, sizeof silicon_cases / sizeof silicon_cases[0]);
	tcase_add_loop_test(tests, clocks, 0, sizeof clock_cases / sizeof clock_cases[0]);
	tcase_add_test(tests, default_clocks);
	tcase_add_test(tests, loading_counts_every_write);
	tcase_add_test(tests, host_accesses_take_two_clocks);
	tcase_add_test(tests, program_that_starts_nothing);
	tcase_add_test(tests, words_that_never_come);
	tcase_add_test(tests, no_frame_is_memory_input);
	tcase_set_timeout(tests, 600);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
