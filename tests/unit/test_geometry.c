// What checks and maps derive from registers, held against what the exact engine does: which entries of bias memory a
// layer reads, and which words of data memory it writes.
#include <stdio.h>
#include <string.h>

#include "rig.h"

// A program that is put together field by field.
struct draft {
	const ai8x_part *part;
	struct registers registers;
	ai8x_program *program;
};

static void append(struct draft *draft, uint8_t kind, uint32_t address, uint32_t value)
{
	const ai8x_op op = {.kind = kind, .address = address, .value = value, .mask = UINT32_MAX};
	ck_assert_int_eq(ai8x_program_append(draft->program, op, NULL), AI8X_OK);
}

static void set(struct draft *draft, enum part_field_id field, unsigned group, uint32_t index, uint32_t value)
{
	const enum part_register reg = draft->part->fields[field].reg;
	ck_assert_uint_gt(draft->part->fields[field].width, 0);
	field_set(&draft->registers, field, group, index, value);
	append(draft, AI8X_BUS_WRITE32, part_register_address(draft->part, reg, group, index),
	       register_get(&draft->registers, reg, group, index));
}

static void set_all(struct draft *draft, enum part_field_id field, unsigned groups, uint32_t index,
                    uint32_t value)
{
	for (unsigned g = 0; g < groups; g++)
		set(draft, field, g, index, value);
}

static void begin(struct draft *draft, const char *part)
{
	draft->part = ai8x_part_find(part);
	registers_reset(&draft->registers, draft->part);
	ck_assert_int_eq(ai8x_program_create(draft->part, "geometry", &draft->program, NULL), AI8X_OK);
	for (unsigned g = 0; g < AI8X_GROUPS && draft->part->fields[F_NO_PIPELINE].width > 0; g++)
		set(draft, F_NO_PIPELINE, g, 0, 1);
}

// Starts groups 0 to groups - 1: the others follow group 0.
static void start(struct draft *draft, unsigned groups)
{
	for (unsigned g = 1; g < groups; g++) {
		set(draft, F_EXT_SYNC_EN, g, 0, 1);
		set(draft, F_CNN_EN, g, 0, 1);
	}
	set(draft, F_CNN_EN, 0, 0, 1);
	append(draft, AI8X_BUS_RUN, 0, 0);
}

static void run(const struct draft *draft, uint32_t kinds, ai8x_event_fn observer, void *user)
{
	ai8x_machine_options options = ai8x_machine_options_default();
	options.engine = AI8X_ENGINE_EXACT;
	ai8x_machine *machine;
	ai8x_error error = {0};
	ck_assert_int_eq(ai8x_machine_create(draft->part, &options, &machine, &error), AI8X_OK);
	ai8x_runner_options runner = ai8x_runner_options_default();
	runner.observer = observer;
	runner.observer_kinds = kinds;
	runner.observer_user = user;
	ai8x_runner_result result = {0};
	ck_assert_msg(ai8x_runner_run(machine, draft->program, &runner, &result) == AI8X_OK, "%s",
	              result.message);
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
}

// --- Biases --------------------------------------------------------------------------------------------

enum { CHANNELS = 16, BIAS_ENTRIES = 2048 };

struct biases {
	uint32_t entry[CHANNELS];
	unsigned count;
};

static void on_bias(void *user, const ai8x_event *event)
{
	struct biases *biases = user;
	ck_assert_uint_lt(event->u.bias.slot, CHANNELS);
	biases->entry[event->u.bias.slot] = event->u.bias.entry;
	biases->count++;
}

// One pixel of 16 channels, each times a weight of its own, with a bias; results stay in their lanes. The register
// counts the first entry in fours.
static void draft_broadcast(struct draft *draft, uint32_t bias)
{
	begin(draft, "MAX78002");
	for (unsigned instance = 0; instance < CHANNELS / 4; instance++)
		append(draft, AI8X_BUS_WRITE32, ai8x_part_data_address(draft->part, instance, 0), 0x01010101);
	for (unsigned processor = 0; processor < CHANNELS; processor++) {
		const struct part_memory_row *row = &draft->part->memories[MEMORY_KERNEL];
		for (unsigned i = 0; i < 4; i++)
			append(draft, AI8X_BUS_WRITE32, row->address + processor * row->unit_stride + 4 * i,
			       i == 3 ? 0 : 0x40404040);
	}
	for (uint32_t entry = 0; entry < BIAS_ENTRIES; entry++)
		append(draft, AI8X_BUS_WRITE32, draft->part->memories[MEMORY_BIAS].address + 4 * entry, entry & 0x7f);
	set(draft, F_COL_DIFF, 0, 0, 1);
	set(draft, F_MP_STRIDE, 0, 0, 1);
	set(draft, F_ONED_WIDTH, 0, 0, 1);
	set(draft, F_PRO_EN, 0, 0, 0xffff);
	set(draft, F_MASK_EN, 0, 0, 0xffff);
	set(draft, F_DW_EN, 0, 0, 1);
	set(draft, F_DW_BCAST, 0, 0, 1);
	set(draft, F_TSCNT_MAX, 0, 0, 3);
	set(draft, F_WPTR_WORD, 0, 0, 256);
	set(draft, F_SCALE_REG, 0, 0, 7);
	set(draft, F_BPTR_SAD, 0, 0, bias);
	set(draft, F_BPTR_EN, 0, 0, 1);
	start(draft, 1);
}

// First entry as the register has it: all inside, across the end, and all beyond it (where the register's own number
// is less than the entries that are read).
static const uint32_t first_biases[] = {5, 510, 800};

START_TEST(broadcast_biases_are_where_the_machine_reads)
{
	struct draft draft;
	struct biases biases = {0};
	draft_broadcast(&draft, first_biases[_i]);
	run(&draft, AI8X_EVENT_BIAS_READ, on_bias, &biases);
	ck_assert_uint_eq(biases.count, CHANNELS);
	const uint32_t first = 4 * first_biases[_i];
	unsigned wrapped = 0;
	for (uint32_t slot = 0; slot < CHANNELS; slot++) {
		// The machine counts on from the first entry and wraps.
		ck_assert_uint_eq(biases.entry[slot], (first + slot % 4 * 4 + slot / 4) % BIAS_ENTRIES);
		wrapped += biases.entry[slot] < first;
	}
	ai8x_check *check = NULL;
	ck_assert_int_eq(ai8x_check_program(draft.program, NULL, &check, NULL), AI8X_OK);
	const ai8x_finding *found = NULL;
	for (size_t i = 0; i < ai8x_check_count(check); i++) {
		const ai8x_finding *finding = ai8x_check_get(check, i);
		ck_assert_int_ne(finding->kind, AI8X_CHECK_BIAS_UNWRITTEN);
		found = finding->kind == AI8X_CHECK_BIAS_RANGE ? finding : found;
	}
	ck_assert_int_eq(found != NULL, wrapped > 0);
	if (found != NULL) {
		char text[64];
		(void)snprintf(text, sizeof text, "begins at entry %u ", first);
		ck_assert_uint_eq(found->count, wrapped);
		ck_assert_msg(strstr(found->cause, text) != NULL, "%s", found->cause);
	}
	ai8x_check_destroy(check);
	ai8x_program_destroy(draft.program);
}
END_TEST

// --- Outputs -------------------------------------------------------------------------------------------

enum { WORDS = 8192, ROWS = 6, COLUMNS = 4, RING = 10, BASE = 256, AFTER = 1024 };

typedef uint8_t written_words[AI8X_INSTANCES][WORDS];

static void on_write(void *user, const ai8x_event *event)
{
	written_words *written = user;
	if (event->layer->index == 0)
		(*written)[event->u.data.instance][event->u.data.word] = 1;
}

static void draft_image(struct draft *draft, uint32_t layer, unsigned groups)
{
	set_all(draft, F_RCNT_MAX, groups, layer, ROWS - 1);
	set_all(draft, F_CCNT_MAX, groups, layer, COLUMNS - 1);
}

// Layer 0 passes four channels of group 0 on into a ring that lies in memories of group 1; layer 1 reads them there.
// Write pointers belong to the group of the processors: that of group 1 points elsewhere.
static void draft_ring(struct draft *draft, uint32_t elsewhere)
{
	begin(draft, "MAX78000");
	for (uint32_t word = 0; word < ROWS * COLUMNS; word++)
		append(draft, AI8X_BUS_WRITE32, ai8x_part_data_address(draft->part, 0, word), 0x01010101 * word);
	for (unsigned g = 0; g < 2; g++) {
		set(draft, F_STREAM_EN, g, 0, 1);
		set(draft, F_LCNT, g, 0, 1);
	}
	draft_image(draft, 0, 2);
	draft_image(draft, 1, 2);
	set(draft, F_PRO_EN, 0, 0, 15);
	set_all(draft, F_FBUF_MAX, 2, 0, ROWS * COLUMNS);
	set(draft, F_WPTR_INSTANCE, 0, 0, 4);
	set(draft, F_WPTR_WORD, 0, 0, BASE);
	set(draft, F_WPTR_WORD, 1, 0, elsewhere);
	set(draft, F_PRO_EN, 1, 1, 15);
	set_all(draft, F_FBUF_MAX, 2, 1, RING);
	set_all(draft, F_STRM_ISVAL, 2, 1, 1);
	set_all(draft, F_STRM_DSVAL1, 2, 1, 1);
	set(draft, F_RPTR, 1, 1, BASE);
	set(draft, F_WPTR_INSTANCE, 1, 1, 8);
	set(draft, F_WPTR_WORD, 1, 1, AFTER);
	start(draft, 2);
}

START_TEST(maps_show_the_words_that_the_machine_writes)
{
	static const uint32_t elsewhere[] = {0, BASE - 3, BASE, BASE + 7, 4096};
	static written_words written;
	struct draft draft;
	memset(written, 0, sizeof written);
	draft_ring(&draft, elsewhere[_i]);
	run(&draft, AI8X_EVENT_DATA_WRITE, on_write, &written);

	ai8x_timing timing;
	ai8x_map *map = NULL;
	ai8x_error error = {0};
	ck_assert_msg(ai8x_time_program(draft.program, NULL, &timing, &error) == AI8X_OK, "%s", error.message);
	ck_assert_int_eq(ai8x_map_create(draft.program, &timing.schedule, &map, &error), AI8X_OK);
	size_t words = 0;
	for (size_t i = 0; i < map->data[1].count; i++) {
		const ai8x_map_run *piece = &map->data[1].run[i];
		for (uint32_t k = 0; piece->owner == 0 && k < piece->count; k++, words++)
			ck_assert_msg(written[piece->unit][piece->first + k] == 1,
			              "the map has word 0x%x of instance %u, which layer 0 does not write",
			              piece->first + k, piece->unit);
	}
	ck_assert_uint_eq(words, RING);
	for (unsigned instance = 0; instance < AI8X_INSTANCES; instance++)
		for (unsigned word = 0; word < WORDS; word++)
			words -= written[instance][word];
	ck_assert_uint_eq(words, 0);
	ai8x_map_destroy(map);
	ai8x_timing_release(&timing);
	ai8x_program_destroy(draft.program);
}
END_TEST

RIG_MAIN("geometry", tcase_add_loop_test(tcase, broadcast_biases_are_where_the_machine_reads, 0,
                                         sizeof first_biases / sizeof first_biases[0]);
         tcase_add_loop_test(tcase, maps_show_the_words_that_the_machine_writes, 0, 5);)
