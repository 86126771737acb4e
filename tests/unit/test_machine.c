// The machine's start sequence, run control, layer order, snoop units, FIFO feeding, reports and events.
#include <stdio.h>
#include <string.h>

#include "rig.h"

// A one-layer 2x2 pass-through from word 0 of instance 0 to word 16, processors 0..3.
static void passthrough(struct rig *rig, uint32_t layer, uint32_t from, uint32_t to)
{
	for (unsigned g = 0; g < 1; g++) {
		if (rig->part->quirks.window_stop_geometry) {
			rig_set(rig, F_ROW_STOP, g, layer, 1);
			rig_set(rig, F_COL_STOP, g, layer, 1);
			rig_set(rig, F_COL_DIFF, g, layer, 1);
			rig_set(rig, F_MP_STRIDE, g, layer, 1);
		} else {
			rig_set(rig, F_RCNT_MAX, g, layer, 1);
			rig_set(rig, F_CCNT_MAX, g, layer, 1);
		}
		rig_set(rig, F_PRO_EN, g, layer, 15);
		rig_set(rig, F_ONEXONE_EN, g, layer, 1);
		rig_set(rig, F_TS_EN, g, layer, 1);
		rig_set(rig, F_RPTR, g, layer, from);
		rig_set(rig, F_WPTR_WORD, g, layer, to);
	}
}

static void fill(struct rig *rig, uint32_t from)
{
	for (uint32_t w = 0; w < 4; w++)
		rig_write_data(rig, 0, from + w, 0x04030201 + w * 0x10101010);
}

static void expect_copied(const struct rig *rig, uint32_t to)
{
	for (uint32_t w = 0; w < 4; w++)
		ck_assert_uint_eq(rig_data(rig, 0, to + w), 0x04030201 + w * 0x10101010);
}

static const char *const part_names[] = {"MAX78000", "MAX78002"};

// 11 stages empty before each pixel of the image is read; the MAX78000 has no pipeline.
START_TEST(pipeline_empties_before_each_pixel)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	const bool able = rig.part->fields[F_NO_PIPELINE].width > 0;
	if (able)
		rig_set(&rig, F_NO_PIPELINE, 0, 0, 0);
	passthrough(&rig, 0, 0, 16);
	fill(&rig, 0);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	expect_copied(&rig, 16);
	const ai8x_layer_report *report = ai8x_machine_layer_report(rig.machine, 0);
	ck_assert_uint_eq(report->counters.state[AI8X_STATE_PIPELINE], able ? 4 * 11 : 0);
	ck_assert_uint_eq(ai8x_machine_cycles(rig.machine), 1 + 4 * 3 + (able ? 4 * 11 : 0));
	rig_close(&rig);
}
END_TEST

START_TEST(one_group_runs_alone)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	passthrough(&rig, 0, 0, 16);
	fill(&rig, 0);
	ck_assert(!ai8x_machine_running(rig.machine));
	rig_start(&rig);
	ck_assert(ai8x_machine_running(rig.machine));
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, NULL), AI8X_OK);
	ck_assert(!ai8x_machine_running(rig.machine));
	expect_copied(&rig, 16);
	ck_assert_uint_eq(rig_get(&rig, F_CNN_IRQ, 0, 0), 1);
	ck_assert_uint_eq(rig_get(&rig, F_CNN_IRQ, 1, 0), 0);
	// Start cycle, and per pixel one read, one TRAM write, one time slot.
	ck_assert_uint_eq(ai8x_machine_cycles(rig.machine), 1 + 4 * 3);
	// A second call finds the run complete.
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, NULL), AI8X_OK);
	rig_close(&rig);
}
END_TEST

// Hardware reference 3.1: arm all groups, then the master goes; a group left out does not take part.
START_TEST(groups_follow_their_master)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	passthrough(&rig, 0, 0, 16);
	for (unsigned g = 1; g < AI8X_GROUPS; g++) {
		rig_set(&rig, F_PRO_EN, g, 0, 1);
		rig_set(&rig, F_WPTR_INSTANCE, g, 0, 4 * g);
		rig_set(&rig, F_WPTR_WORD, g, 0, 16);
		rig_write_data(&rig, 4 * g, 0, 0x40 + g);
	}
	rig_set(&rig, F_EXT_SYNC_EN, 0, 0, 1);
	for (unsigned g = 1; g < 3; g++) {
		rig_set(&rig, F_EXT_SYNC_EN, g, 0, 1);
		rig_set(&rig, F_CNN_EN, g, 0, 1);
		ck_assert(!ai8x_machine_running(rig.machine));
	}
	rig_set(&rig, F_EXT_SYNC_EN, 0, 0, 0);
	rig_start(&rig);
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, NULL), AI8X_OK);
	ck_assert_uint_eq(rig_data(&rig, 4, 16), 0x41);
	ck_assert_uint_eq(rig_data(&rig, 8, 16), 0x42);
	ck_assert_uint_eq(rig_data(&rig, 12, 16), 0);
	ck_assert_uint_eq(rig_get(&rig, F_CNN_IRQ, 2, 0), 1);
	ck_assert_uint_eq(rig_get(&rig, F_CNN_IRQ, 3, 0), 0);
	rig_close(&rig);
}
END_TEST

START_TEST(never_started_is_an_error)
{
	struct rig rig;
	ai8x_error error;
	rig_open(&rig, part_names[_i], NULL);
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, &error), AI8X_ERR_NOT_STARTED);
	ck_assert_ptr_nonnull(strstr(error.message, "cnn_en"));
	rig_close(&rig);
}
END_TEST

START_TEST(cycle_limit_pauses_anywhere)
{
	// However a run is cut into pieces, its result and its cycles are the same.
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	passthrough(&rig, 0, 0, 16);
	fill(&rig, 0);
	rig_start(&rig);
	const ai8x_run_limits limits = {.max_cycles = 1};
	ai8x_error error;
	unsigned calls = 1;
	while (ai8x_machine_run(rig.machine, &limits, &error) == AI8X_ERR_CYCLE_LIMIT) {
		ck_assert_ptr_nonnull(strstr(error.message, "layer 0"));
		calls++;
	}
	ck_assert_uint_eq(calls, 12);
	ck_assert_uint_eq(ai8x_machine_cycles(rig.machine), 13);
	expect_copied(&rig, 16);
	rig_close(&rig);
}
END_TEST

START_TEST(clearing_the_enable_bit_pauses)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	passthrough(&rig, 0, 0, 16);
	fill(&rig, 0);
	rig_start(&rig);
	const ai8x_run_limits limits = {.max_cycles = 5};
	ck_assert_int_eq(ai8x_machine_run(rig.machine, &limits, NULL), AI8X_ERR_CYCLE_LIMIT);
	rig_set(&rig, F_CNN_EN, 0, 0, 0);
	ai8x_error error;
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, &error), AI8X_ERR_STALLED);
	ck_assert_ptr_nonnull(strstr(error.message, "paused"));
	ck_assert_uint_eq(ai8x_machine_cycles(rig.machine), 6);
	rig_set(&rig, F_CNN_EN, 0, 0, 1);
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, NULL), AI8X_OK);
	ck_assert_uint_eq(ai8x_machine_cycles(rig.machine), 13);
	expect_copied(&rig, 16);
	rig_close(&rig);
}
END_TEST

static void three_layers(struct rig *rig)
{
	for (uint32_t layer = 0; layer < 3; layer++)
		passthrough(rig, layer, 16 * layer, 16 * (layer + 1));
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		rig_set(rig, F_LCNT, g, 0, 2);
	fill(rig, 0);
}

START_TEST(layers_run_in_order)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	three_layers(&rig);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	expect_copied(&rig, 48);
	ck_assert_uint_eq(ai8x_machine_layer_count(rig.machine), 3);
	for (size_t i = 0; i < 3; i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(rig.machine, i);
		ck_assert_uint_eq(report->layer.index, i);
		ck_assert_uint_eq(report->cycles, 12);
		ck_assert_uint_eq(report->start_cycle, 1 + 12 * i);
		ck_assert(report->finished);
	}
	ck_assert_ptr_null(ai8x_machine_layer_report(rig.machine, 3));
	// A new run needs the enable bit low first.
	rig_set(&rig, F_CNN_IRQ, 0, 0, 0);
	rig_set(&rig, F_CNN_EN, 0, 0, 0);
	rig_write_data(&rig, 0, 48, 0);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	expect_copied(&rig, 48);
	ck_assert_uint_eq(ai8x_machine_layer_count(rig.machine), 3);
	rig_close(&rig);
}
END_TEST

START_TEST(stop_after_a_layer)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	three_layers(&rig);
	rig_start(&rig);
	const ai8x_run_limits limits = {.stop_after = true, .stop_layer = 1};
	ck_assert_int_eq(ai8x_machine_run(rig.machine, &limits, NULL), AI8X_OK);
	expect_copied(&rig, 32);
	ck_assert_uint_eq(rig_data(&rig, 0, 48), 0);
	rig_close(&rig);
}
END_TEST

static bool stop_behind_first(void *user, const ai8x_layer_report *report)
{
	unsigned *calls = user;
	ck_assert_ptr_nonnull(report->output);
	ck_assert_uint_eq(report->word_count, 4);
	ck_assert_uint_eq(report->words[1].value, 0x14131211);
	ck_assert_uint_eq(report->words[1].mask, UINT32_MAX);
	// Tensor: slot (processor), row, column.
	ck_assert_int_eq(report->output[2 * 4 + 1], 0x13);
	(*calls)++;
	return false;
}

START_TEST(layer_callback_sees_results_and_cancels)
{
	struct rig rig;
	unsigned calls = 0;
	ai8x_error error;
	ai8x_machine_options options = ai8x_machine_options_default();
	options.capture_outputs = true;
	rig_open(&rig, part_names[_i], &options);
	three_layers(&rig);
	ai8x_machine_on_layer(rig.machine, stop_behind_first, &calls);
	rig_start(&rig);
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, &error), AI8X_ERR_CANCELLED);
	ck_assert_uint_eq(calls, 1);
	rig_close(&rig);
}
END_TEST

START_TEST(one_shot_stops_behind_each_layer)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	three_layers(&rig);
	rig_set(&rig, F_ONESHOT, 0, 0, 1);
	rig_start(&rig);
	for (uint32_t layer = 0; layer < 3; layer++) {
		ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, NULL), AI8X_OK);
		expect_copied(&rig, 16 * (layer + 1));
		if (layer < 2)
			ck_assert_uint_eq(rig_data(&rig, 0, 16 * (layer + 2)), 0);
		ck_assert_uint_eq(rig_get(&rig, F_CNN_IRQ, 0, 0), 1);
		// The MAX78000 needs a falling enable bit, the MAX78002 goes on when it is written again.
		if (rig.part->quirks.oneshot_continues) {
			rig_set(&rig, F_CNN_IRQ, 0, 0, 0);
			ck_assert(!ai8x_machine_running(rig.machine));
			rig_set(&rig, F_CNN_EN, 0, 0, 1);
		} else {
			rig_set(&rig, F_CNN_EN, 0, 0, 0);
			rig_set(&rig, F_CNN_EN, 0, 0, 1);
		}
		if (layer < 2)
			ck_assert(ai8x_machine_running(rig.machine));
	}
	rig_close(&rig);
}
END_TEST

START_TEST(links_and_start_layer)
{
	struct rig rig;
	rig_open(&rig, "MAX78002", NULL);
	// 5 -> 2 -> 3 (stops by its bit, although layer 9 is the last).
	passthrough(&rig, 5, 0, 16);
	passthrough(&rig, 2, 16, 32);
	passthrough(&rig, 3, 32, 48);
	rig_set(&rig, F_LCNT, 0, 0, 9);
	rig_set(&rig, F_LCNT_START, 0, 0, 5);
	rig_set(&rig, F_LINK, 0, 5, 1);
	rig_set(&rig, F_NEXT, 0, 5, 2);
	rig_set(&rig, F_STOP, 0, 3, 1);
	fill(&rig, 0);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	expect_copied(&rig, 48);
	ck_assert_uint_eq(ai8x_machine_layer_count(rig.machine), 3);
	ck_assert_uint_eq(ai8x_machine_layer_report(rig.machine, 1)->layer.index, 2);
	rig_close(&rig);
}
END_TEST

START_TEST(endless_links_meet_the_cycle_limit)
{
	struct rig rig;
	rig_open(&rig, "MAX78002", NULL);
	passthrough(&rig, 0, 0, 16);
	rig_set(&rig, F_LINK, 0, 0, 1);
	rig_start(&rig);
	const ai8x_run_limits limits = {.max_cycles = 10000};
	ck_assert_int_eq(ai8x_machine_run(rig.machine, &limits, NULL), AI8X_ERR_CYCLE_LIMIT);
	ck_assert_uint_eq(ai8x_machine_cycles(rig.machine), 10001);
	rig_close(&rig);
}
END_TEST

// Snoop settings as in hardware reference 3.3, on the words that layer 0 writes.
static void snoop(struct rig *rig, uint32_t control)
{
	rig_set(rig, F_LCNT, 0, 0, 2);
	for (uint32_t layer = 0; layer < 3; layer++)
		passthrough(rig, layer, 16 * layer, 16 * (layer + 1));
	fill(rig, 0);
	ai8x_error error;
	const struct {
		enum part_register reg;
		uint32_t value;
	} writes[] = {
		{REG_SNOOP_A1, 0x200000 | 17}, {REG_SNOOP_A2, 0x200000 | 18}, {REG_SNOOP_D1, 0x14131211},
		{REG_SNOOP_D2, 0x24232221},    {REG_SNOOP_C2, 0x3000},        {REG_SNOOP_ACC, 100},
		{REG_SNOOP_C1, control},
	};
	for (size_t i = 0; i < sizeof writes / sizeof writes[0]; i++)
		ck_assert_int_eq(ai8x_machine_write32(rig->machine,
		                                      part_register_address(rig->part, writes[i].reg, 0, 0),
		                                      writes[i].value, &error),
		                 AI8X_OK);
}

static uint32_t snoop_value(struct rig *rig, enum part_register reg)
{
	uint32_t value;
	ck_assert_int_eq(
		ai8x_machine_read32(rig->machine, part_register_address(rig->part, reg, 0, 0), &value, NULL),
		AI8X_OK);
	return value;
}

START_TEST(snoop_counts_matches)
{
	struct rig rig;
	rig_open(&rig, "MAX78002", NULL);
	snoop(&rig, 0x82022039); // equal address and word: accumulate, count, maximum
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	ck_assert_uint_eq(snoop_value(&rig, REG_SNOOP_ACC), 100 + 0x14131211);
	ck_assert_uint_eq(snoop_value(&rig, REG_SNOOP_HIT), 1);
	ck_assert_uint_eq(snoop_value(&rig, REG_SNOOP_MAX), 0x14131211);
	ck_assert_uint_eq(snoop_value(&rig, REG_SNOOP_AM), 0x200000 | 17);
	ck_assert_uint_eq(ai8x_machine_layer_count(rig.machine), 3);
	rig_close(&rig);
}
END_TEST

START_TEST(snoop_watches_ranges)
{
	struct rig rig;
	rig_open(&rig, "MAX78002", NULL);
	snoop(&rig, 0x82055039);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	ck_assert_uint_eq(snoop_value(&rig, REG_SNOOP_HIT), 2);
	ck_assert_uint_eq(snoop_value(&rig, REG_SNOOP_MAX), 0x24232221);
	rig_close(&rig);
}
END_TEST

START_TEST(snoop_stops_the_run)
{
	struct rig rig;
	rig_open(&rig, "MAX78002", NULL);
	snoop(&rig, 0x82022003);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	ck_assert_uint_eq(ai8x_machine_layer_count(rig.machine), 1);
	rig_close(&rig);
}
END_TEST

START_TEST(snoop_makes_links_conditional)
{
	for (unsigned match = 0; match < 2; match++) {
		struct rig rig;
		rig_open(&rig, "MAX78002", NULL);
		snoop(&rig, 0x82022005);
		rig_set(&rig, F_LINK, 0, 0, 1);
		rig_set(&rig, F_NEXT, 0, 0, 2);
		if (!match)
			rig_write_data(&rig, 0, 1, 0);
		ck_assert_int_eq(rig_run(&rig), AI8X_OK);
		ck_assert_uint_eq(ai8x_machine_layer_report(rig.machine, 1)->layer.index, match ? 2 : 1);
		rig_close(&rig);
	}
}
END_TEST

// What a unit that watches all words of `layer` counted in a run of the shipped MAX78002 network.
struct snooped {
	uint32_t accumulated, hits, greatest, at;
	bool exact;
};

static struct snooped snoop_network(ai8x_engine engine, uint32_t layer, uint32_t control)
{
	char path[4096];
	const char *source = getenv("AI8XSIM_SOURCE");
	(void)snprintf(path, sizeof path, "%s/models/mobile/mobile.h5", source != NULL ? source : ".");
	ai8x_program *program;
	ai8x_error error;
	ck_assert_msg(ai8x_program_open(path, NULL, &program, &error) == AI8X_OK, "%s", error.message);
	ai8x_machine_options options = ai8x_machine_options_default();
	options.engine = engine;
	struct rig rig;
	rig_open(&rig, "MAX78002", &options);
	const struct {
		enum part_register reg;
		uint32_t value;
	} writes[] = {
		{REG_SNOOP_A1, 0x200000},   {REG_SNOOP_A2, 0x2fffff},       {REG_SNOOP_D1, 0},
		{REG_SNOOP_D2, UINT32_MAX}, {REG_SNOOP_C2, 0x3000 | layer}, {REG_SNOOP_C1, control},
	};
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	size_t run = 0;
	while (run < count && ops[run].kind != AI8X_BUS_RUN)
		run++;
	// Generators clear all registers first, and start the machine at the very end.
	for (size_t i = 0; i < run; i++) {
		for (size_t k = 0; i == run - 4 && k < sizeof writes / sizeof writes[0]; k++) {
			for (unsigned g = 0; g < AI8X_GROUPS; g++)
				ck_assert_int_eq(ai8x_machine_write32(rig.machine,
				                                      part_register_address(rig.part, writes[k].reg, g, 0),
				                                      writes[k].value, &error),
				                 AI8X_OK);
		}
		if (ops[i].kind == AI8X_BUS_WRITE32)
			ck_assert_int_eq(ai8x_machine_write32(rig.machine, ops[i].address, ops[i].value, &error),
			                 AI8X_OK);
		else if (ops[i].kind == AI8X_BUS_WRITE8)
			ck_assert_int_eq(ai8x_machine_write8(rig.machine, ops[i].address, (uint8_t)ops[i].value, &error),
			                 AI8X_OK);
	}
	ck_assert_msg(ai8x_machine_run(rig.machine, NULL, &error) == AI8X_OK, "%s", error.message);
	const struct snooped result = {
		snoop_value(&rig, REG_SNOOP_ACC),
		snoop_value(&rig, REG_SNOOP_HIT),
		snoop_value(&rig, REG_SNOOP_MAX),
		snoop_value(&rig, REG_SNOOP_AM),
		ai8x_machine_layer_report(rig.machine, layer)->exact_engine,
	};
	rig_close(&rig);
	ai8x_program_destroy(program);
	return result;
}

START_TEST(snoop_sees_the_same_on_both_engines)
{
	static const uint32_t layers[] = {1, 2, 4, 7, 8};
	static const uint32_t controls[] = {0x82055039, 0x02055039, 0x42055039}; // whole words, byte 0, byte 2
	for (size_t l = 0; l < sizeof layers / sizeof layers[0]; l++) {
		for (size_t c = 0; c < sizeof controls / sizeof controls[0]; c++) {
			const struct snooped exact = snoop_network(AI8X_ENGINE_EXACT, layers[l], controls[c]);
			const struct snooped fast = snoop_network(AI8X_ENGINE_FAST, layers[l], controls[c]);
			// Depth-wise layers write byte by byte.
			ck_assert_int_eq(fast.exact, layers[l] == 2 || layers[l] == 8);
			ck_assert(exact.exact);
			ck_assert_uint_gt(exact.hits, 0);
			ck_assert_uint_eq(exact.accumulated, fast.accumulated);
			ck_assert_uint_eq(exact.hits, fast.hits);
			ck_assert_uint_eq(exact.greatest, fast.greatest);
			ck_assert_uint_eq(exact.at, fast.at);
		}
	}
}
END_TEST

// The start decides nothing about the units: one that is set up after it sees the layers that begin later.
START_TEST(snoop_units_may_be_set_up_after_the_start)
{
	static const ai8x_engine engines[] = {AI8X_ENGINE_EXACT, AI8X_ENGINE_FAST};
	for (size_t e = 0; e < 2; e++) {
		struct rig rig;
		ai8x_machine_options options = ai8x_machine_options_default();
		options.engine = engines[e];
		rig_open(&rig, "MAX78002", &options);
		rig_set(&rig, F_LCNT, 0, 0, 2);
		rig_start(&rig);
		snoop(&rig, 0x8202203b); // stop as well
		ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, NULL), AI8X_OK);
		ck_assert_uint_eq(ai8x_machine_layer_count(rig.machine), 1);
		ck_assert_uint_eq(snoop_value(&rig, REG_SNOOP_HIT), 1);
		ck_assert_uint_eq(snoop_value(&rig, REG_SNOOP_AM), 0x200000 | 17);
		rig_close(&rig);
	}
}
END_TEST

// A FIFO-fed pass-through: it waits for its frame, goes on when words come, and says what it waits for.
static void fifo_layer(struct rig *rig)
{
	passthrough(rig, 0, 0, 16);
	rig_set(rig, F_STRM_ISVAL, 0, 0, 4);
	rig_set(rig, F_IFRM, 0, 0, 4);
	rig_set(rig, F_FIFO_EN, 0, 0, 1);
	rig_set(rig, F_GROUP_FIFO_EN, 0, 0, 1);
}

START_TEST(fifo_feeds_layer_zero)
{
	struct rig rig;
	ai8x_error error;
	rig_open(&rig, part_names[_i], NULL);
	fifo_layer(&rig);
	rig_start(&rig);
	for (uint32_t w = 0; w < 4; w++) {
		ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, &error), AI8X_WAITING);
		ck_assert_ptr_nonnull(strstr(error.message, "FIFO 0"));
		char text[AI8X_MESSAGE_SIZE];
		ck_assert_uint_gt(ai8x_machine_explain_wait(rig.machine, text, sizeof text), 0);
		ck_assert_str_eq(text, error.message);
		ck_assert_int_eq(ai8x_machine_fifo_push(rig.machine, 0x50000008, 0x04030201 + w * 0x10101010, NULL),
		                 AI8X_OK);
	}
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, &error), AI8X_OK);
	expect_copied(&rig, 16);
	ck_assert_uint_eq(ai8x_machine_cycles(rig.machine), 13);
	rig_close(&rig);
}
END_TEST

START_TEST(waiting_counts_as_stall)
{
	struct rig rig;
	rig_open(&rig, part_names[_i], NULL);
	fifo_layer(&rig);
	rig_start(&rig);
	for (uint32_t w = 0; w < 4; w++) {
		ck_assert_int_eq(ai8x_machine_advance(rig.machine, 10, NULL), AI8X_OK);
		ck_assert_int_eq(ai8x_machine_fifo_push(rig.machine, 0x50000008, w, NULL), AI8X_OK);
	}
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, NULL), AI8X_OK);
	ck_assert_uint_eq(ai8x_machine_cycles(rig.machine), 13 + 40);
	const ai8x_layer_report *report = ai8x_machine_layer_report(rig.machine, 0);
	ck_assert_uint_eq(report->counters.state[AI8X_STATE_STALL], 40);
	rig_close(&rig);
}
END_TEST

START_TEST(coupled_fifos_wait_for_the_emptiest)
{
	struct rig rig;
	ai8x_error error;
	rig_open(&rig, part_names[_i], NULL);
	fifo_layer(&rig);
	rig_set(&rig, F_FIFO_EN, 0, 0, 3);
	rig_start(&rig);
	ck_assert_int_eq(ai8x_machine_fifo_push(rig.machine, 0x50000008, 1, NULL), AI8X_OK);
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, &error), AI8X_WAITING);
	ck_assert_ptr_nonnull(strstr(error.message, "FIFO 1"));
	rig_close(&rig);
}
END_TEST

struct seen {
	unsigned reads, writes, states, layers, outputs, bus;
	uint64_t state_cycles;
};

static void watch(void *user, const ai8x_event *event)
{
	struct seen *seen = user;
	seen->reads += event->kind == AI8X_EVENT_DATA_READ;
	seen->writes += event->kind == AI8X_EVENT_DATA_WRITE;
	seen->layers += event->kind == AI8X_EVENT_LAYER_START || event->kind == AI8X_EVENT_LAYER_STOP;
	seen->outputs += event->kind == AI8X_EVENT_OUTPUT;
	seen->bus += event->kind == AI8X_EVENT_BUS_WRITE;
	if (event->kind == AI8X_EVENT_STATE)
		seen->state_cycles += event->u.state.cycles;
}

START_TEST(events_tell_what_happens)
{
	struct rig rig;
	struct seen seen = {0};
	rig_open(&rig, part_names[_i], NULL);
	passthrough(&rig, 0, 0, 16);
	fill(&rig, 0);
	ck_assert_int_eq(ai8x_machine_observe(rig.machine, UINT32_MAX, watch, &seen), AI8X_OK);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	ck_assert_uint_eq(seen.reads, 4);
	ck_assert_uint_eq(seen.writes, 4);
	ck_assert_uint_eq(seen.layers, 2);
	ck_assert_uint_eq(seen.outputs, 16);
	ck_assert_uint_eq(seen.bus, 1);
	ck_assert_uint_eq(seen.state_cycles, 13);
	ck_assert_int_eq(ai8x_machine_observe(rig.machine, 0, watch, &seen), AI8X_OK);
	rig_set(&rig, F_CNN_EN, 0, 0, 0);
	ck_assert_int_eq(rig_run(&rig), AI8X_OK);
	ck_assert_uint_eq(seen.reads, 4);
	for (uintptr_t i = 0; i < 8; i++)
		ck_assert_int_eq(ai8x_machine_observe(rig.machine, 1, watch, &(&seen)[i]), AI8X_OK);
	ck_assert_int_eq(ai8x_machine_observe(rig.machine, 1, watch, NULL), AI8X_ERR_LIMIT);
	rig_close(&rig);
}
END_TEST

struct sums {
	int64_t group[AI8X_GROUPS];
	unsigned outputs;
};

static void watch_sums(void *user, const ai8x_event *event)
{
	struct sums *sums = user;
	if (event->kind == AI8X_EVENT_ACCUMULATE) {
		memcpy(sums->group, event->u.sums.group, sizeof sums->group);
		return;
	}
	if (event->layer->write_mode != AI8X_WRITE_CHANNELS)
		return;
	int64_t sum = 0;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		sum += sums->group[g];
	// What is left is the bias, in units of 128 (hardware reference 4.5).
	int64_t bias = event->u.output.accumulator - sum;
	ck_assert_int_eq(bias % 128, 0);
	if (event->layer->bias_groups == 0)
		ck_assert_int_eq(bias, 0);
	ck_assert_int_le(bias < 0 ? -bias : bias, 128 * 128);
	sums->outputs++;
}

// The groups' running sums end as the accumulator, here in a network of several passes and all groups.
START_TEST(group_sums_add_up)
{
	char path[4096];
	const char *source = getenv("AI8XSIM_SOURCE");
	(void)snprintf(path, sizeof path, "%s/models/digits/digits.h5", source != NULL ? source : ".");
	ai8x_program *program;
	ai8x_machine *machine;
	ai8x_error error;
	ck_assert_msg(ai8x_program_open(path, NULL, &program, &error) == AI8X_OK, "%s", error.message);
	ck_assert_int_eq(ai8x_machine_create(ai8x_program_part(program), NULL, &machine, &error), AI8X_OK);
	struct sums sums = {0};
	ai8x_runner_options options = ai8x_runner_options_default();
	options.observer = watch_sums;
	options.observer_kinds = AI8X_EVENT_ACCUMULATE | AI8X_EVENT_OUTPUT;
	options.observer_user = &sums;
	ai8x_runner_result result;
	ck_assert_int_eq(ai8x_runner_run(machine, program, &options, &result), AI8X_OK);
	ck_assert(result.pass);
	ck_assert_uint_gt(sums.outputs, 1000);
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
	ai8x_program_destroy(program);
}
END_TEST

// Configurations that the part cannot execute end with a message that names layer and register.
static const struct {
	const char *part;
	enum part_field_id field;
	uint32_t value;
	const char *words[2];
} illegal[] = {
	{"MAX78000", F_RPTR, 8190, {"layer 0", "reads past data memory"}},
	{"MAX78000", F_WPTR_WORD, 8190, {"layer 0", "writes past data memory"}},
	{"MAX78000", F_WPTR_INSTANCE, 15, {"layer 0", NULL}},
	{"MAX78000", F_RCNT_PAD, 3, {"layer 0", "RCNT"}},
	{"MAX78000", F_POOL_ROWS, 5, {"layer 0", "PRCNT"}},
	{"MAX78002", F_RPTR, 20478, {"layer 0", "reads past data memory"}},
	{"MAX78002", F_WPTR_WORD, 20478, {"layer 0", "writes past data memory"}},
	{"MAX78000", F_LCNT, 40, {"layer", NULL}},
};

START_TEST(illegal_layers_are_refused)
{
	struct rig rig;
	ai8x_error error = {0};
	rig_open(&rig, illegal[_i].part, NULL);
	passthrough(&rig, 0, 0, 16);
	if (illegal[_i].field == F_WPTR_INSTANCE)
		rig_set(&rig, F_PRO_EN, 0, 0, 0xff); // eight processors need two instances
	if (illegal[_i].field == F_LCNT)
		for (uint32_t layer = 1; layer < 32; layer++)
			passthrough(&rig, layer, 0, 16);
	rig_set(&rig, illegal[_i].field, 0, 0, illegal[_i].value);
	rig_start(&rig);
	ck_assert_int_eq(ai8x_machine_run(rig.machine, NULL, &error), AI8X_ERR_LAYER);
	for (size_t i = 0; i < 2 && illegal[_i].words[i] != NULL; i++)
		ck_assert_msg(strstr(error.message, illegal[_i].words[i]) != NULL, "%s", error.message);
	ck_assert(!ai8x_machine_running(rig.machine));
	ck_assert_uint_eq(rig_get(&rig, F_CNN_IRQ, 0, 0), 0);
	rig_close(&rig);
}
END_TEST

START_TEST(create_checks_its_arguments)
{
	ai8x_machine *machine;
	ai8x_error error;
	ck_assert_int_eq(ai8x_machine_create(NULL, NULL, &machine, &error), AI8X_ERR_ARGUMENT);
	ck_assert_ptr_null(machine);
	ai8x_machine_destroy(NULL);
}
END_TEST

// A ring lies where its writer's pointer says, which need not be where its reader looks: it has to end inside of the
// instance all the same.
START_TEST(rings_stay_inside_of_data_memory)
{
	static const struct {
		uint32_t word, ring;
		ai8x_status status;
	} cases[] = {
		{8190, 4000, AI8X_ERR_LAYER},
		{8192 - 3999, 4000, AI8X_ERR_LAYER},
		{8192 - 4000, 4000, AI8X_OK},
	};
	struct rig rig;
	ai8x_error error = {0};
	rig_open(&rig, "MAX78000", NULL);
	for (uint32_t layer = 0; layer < 2; layer++) {
		rig_set(&rig, F_RCNT_MAX, 0, layer, 95);
		rig_set(&rig, F_CCNT_MAX, 0, layer, 95);
		rig_set(&rig, F_PRO_EN, 0, layer, 1);
		rig_set(&rig, F_FBUF_MAX, 0, layer, layer == 0 ? 64 : cases[_i].ring);
	}
	rig_set(&rig, F_STREAM_EN, 0, 0, 1);
	rig_set(&rig, F_WPTR_WORD, 0, 0, cases[_i].word);
	rig_set(&rig, F_WPTR_INSTANCE, 0, 0, 15);
	// The last layer's output does not fit where its input is: one word a pixel.
	rig_set(&rig, F_STRIDE, 0, 1, 3);
	rig_set(&rig, F_LCNT, 0, 0, 1);
	rig_start(&rig);
	ck_assert_msg(ai8x_machine_run(rig.machine, NULL, &error) == cases[_i].status, "%s", error.message);
	if (cases[_i].status != AI8X_OK)
		ck_assert_ptr_nonnull(strstr(error.message, "layer 0 writes past data memory"));
	rig_close(&rig);
}
END_TEST

RIG_MAIN("machine", tcase_add_loop_test(tcase, one_group_runs_alone, 0, 2);
         tcase_add_loop_test(tcase, pipeline_empties_before_each_pixel, 0, 2);
         tcase_add_loop_test(tcase, rings_stay_inside_of_data_memory, 0, 3);
         tcase_add_loop_test(tcase, groups_follow_their_master, 0, 2);
         tcase_add_loop_test(tcase, never_started_is_an_error, 0, 2);
         tcase_add_loop_test(tcase, cycle_limit_pauses_anywhere, 0, 2);
         tcase_add_loop_test(tcase, clearing_the_enable_bit_pauses, 0, 2);
         tcase_add_loop_test(tcase, layers_run_in_order, 0, 2);
         tcase_add_loop_test(tcase, stop_after_a_layer, 0, 2);
         tcase_add_loop_test(tcase, layer_callback_sees_results_and_cancels, 0, 2);
         tcase_add_loop_test(tcase, one_shot_stops_behind_each_layer, 0, 2);
         tcase_add_test(tcase, links_and_start_layer);
         tcase_add_test(tcase, endless_links_meet_the_cycle_limit);
         tcase_add_test(tcase, snoop_counts_matches); tcase_add_test(tcase, snoop_watches_ranges);
         tcase_add_test(tcase, snoop_stops_the_run); tcase_add_test(tcase, snoop_makes_links_conditional);
         tcase_add_test(tcase, snoop_sees_the_same_on_both_engines);
         tcase_add_test(tcase, snoop_units_may_be_set_up_after_the_start);
         tcase_add_loop_test(tcase, fifo_feeds_layer_zero, 0, 2);
         tcase_add_loop_test(tcase, waiting_counts_as_stall, 0, 2);
         tcase_add_loop_test(tcase, coupled_fifos_wait_for_the_emptiest, 0, 2);
         tcase_add_loop_test(tcase, events_tell_what_happens, 0, 2); tcase_add_test(tcase, group_sums_add_up);
         tcase_add_loop_test(tcase, illegal_layers_are_refused, 0, sizeof illegal / sizeof illegal[0]);
         tcase_add_test(tcase, create_checks_its_arguments);)
