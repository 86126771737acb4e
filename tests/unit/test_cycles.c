// The exact engine counts cycles as published (hardware reference 6): every row of cycles.tsv and
// cycles-generated.tsv is configured through registers and run. The tables lie beside the golden programs.
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define MAX_COLUMNS 32

struct table {
	FILE *file;
	char header[2048];
	char line[2048];
	char *name[MAX_COLUMNS];
	char *cell[MAX_COLUMNS];
	size_t columns;
};

static size_t split(char *line, char **cells)
{
	size_t count = 0;
	line[strcspn(line, "\r\n")] = '\0';
	for (char *cell = strsep(&line, "\t"); cell != NULL && count < MAX_COLUMNS; cell = strsep(&line, "\t"))
		cells[count++] = cell;
	return count;
}

static bool table_open(struct table *table, const char *file)
{
	char path[4096];
	const char *golden = getenv("AI8XSIM_GOLDEN");
	(void)snprintf(path, sizeof path, "%s/../reference/%s", golden != NULL ? golden : "../shared/golden",
	               file);
	table->file = fopen(path, "r");
	if (table->file == NULL) {
		printf("skipped: %s is not there\n", path);
		return false;
	}
	ck_assert_ptr_nonnull(fgets(table->header, sizeof table->header, table->file));
	table->columns = split(table->header, table->name);
	return true;
}

static bool table_next(struct table *table)
{
	if (fgets(table->line, sizeof table->line, table->file) == NULL) {
		(void)fclose(table->file);
		return false;
	}
	ck_assert_uint_eq(split(table->line, table->cell), table->columns);
	return true;
}

static const char *text(const struct table *table, const char *name)
{
	for (size_t i = 0; i < table->columns; i++)
		if (strcmp(table->name[i], name) == 0)
			return table->cell[i];
	ck_abort_msg("no column %s", name);
	return NULL;
}

static uint32_t number(const struct table *table, const char *name)
{
	return (uint32_t)strtoul(text(table, name), NULL, 10);
}

// Everything a row says about a layer.
struct row {
	uint32_t rows, columns; // before pooling
	uint32_t pool_rows, pool_columns, stride;
	uint32_t passes, operands;
	bool pool_first;
	uint32_t slots, kernel_rows, kernel_columns, pad_rows, pad_columns, time_slots;
	uint32_t first_word;
	bool flatten;
	const char *operator;
};

// The tables do not tell the weights' width: take the widest that fits.
static uint32_t weight_bits(const struct row *row)
{
	uint32_t taps = row->kernel_rows * row->kernel_columns, kernels = row->slots * row->passes, bits = 8;
	while (bits > 1 && row->first_word + (kernels * bits / 8 + 1) * taps / 9 + 1 > 768)
		bits /= 2;
	return bits;
}

static uint64_t cycles_of(const struct row *row)
{
	struct rig rig;
	rig_open(&rig, "MAX78000", NULL);
	const bool transposed = strcmp(row->operator, "convtranspose2d") == 0;
	const bool passthrough = strcmp(row->operator, "passthrough") == 0;
	const uint32_t scale = transposed ? 2 : 1;
	rig_set(&rig, F_RCNT_MAX, 0, 0, scale * row->rows + 2 * row->pad_rows - 1);
	rig_set(&rig, F_RCNT_PAD, 0, 0, row->pad_rows);
	rig_set(&rig, F_CCNT_MAX, 0, 0, scale * row->columns + 2 * row->pad_columns - 1);
	rig_set(&rig, F_CCNT_PAD, 0, 0, row->pad_columns);
	rig_set(&rig, F_POOL_ROWS, 0, 0, row->pool_rows - 1);
	rig_set(&rig, F_POOL_COLS, 0, 0, row->pool_columns - 1);
	rig_set(&rig, F_STRIDE, 0, 0, row->stride - 1);
	rig_set(&rig, F_POOL_EN, 0, 0, row->pool_rows * row->pool_columns > 1);
	rig_set(&rig, F_MAXPL_EN, 0, 0, 1);
	rig_set(&rig, F_INPCHEXP, 0, 0, (row->passes - 1) & 15);
	rig_set(&rig, F_XPMP_CNT, 0, 0, (row->passes - 1) >> 4);
	rig_set(&rig, F_FLATTEN_EN, 0, 0, row->flatten);
	if (row->operands > 1) {
		rig_set(&rig, F_EWISE_EN, 0, 0, 1);
		rig_set(&rig, F_EWISE_CNT, 0, 0, row->operands - 1);
		rig_set(&rig, F_EWISE_FUNC, 0, 0, AI8X_ELTWISE_ADD);
		rig_set(&rig, F_PREPOOL, 0, 0, row->pool_first);
	}
	rig_set(&rig, F_PRO_EN, 0, 0, 1);
	if (passthrough) {
		rig_set(&rig, F_TSCNT_MAX, 0, 0, row->time_slots - 1);
	} else {
		uint32_t taps = row->kernel_rows * row->kernel_columns;
		const uint32_t bits = weight_bits(row);
		uint32_t first = 9 * row->first_word / taps * 8;
		rig_set(&rig, F_MASK_EN, 0, 0, 1);
		rig_set(&rig, F_DECONV_EN, 0, 0, transposed);
		if (row->kernel_columns == 1 && (row->kernel_rows > 1 || row->columns == 1)) {
			rig_set(&rig, F_ONED_EN, 0, 0, row->kernel_rows > 1);
			rig_set(&rig, F_ONED_WIDTH, 0, 0, row->kernel_rows);
		} else if (taps == 1) {
			rig_set(&rig, F_ONED_WIDTH, 0, 0, 1);
		}
		rig_set(&rig, F_ONED_SAD, 0, 0, 9 * row->first_word % taps);
		rig_set(&rig, F_MCNT_SAD, 0, 0, first);
		rig_set(&rig, F_MASK_SIZE, 0, 0, bits == 8 ? 0 : bits == 4 ? 3 : bits);
		rig_set(&rig, F_MCNT_MAX, 0, 0, first + (row->slots * row->passes - 1) * bits);
		rig_set(&rig, F_XPCH_MAX, 0, 0, (row->slots < 64 ? row->slots - 1 : 63) * bits);
		if (row->slots > 64)
			rig_set(&rig, F_CHOFFS, 0, 0, 1);
	}
	ai8x_error error = {0};
	rig_start(&rig);
	ai8x_schedule schedule;
	ck_assert_int_eq(ai8x_schedule_machine(rig.machine, NULL, 0, NULL, &schedule, &error), AI8X_OK);
	ai8x_status status = ai8x_machine_run(rig.machine, NULL, &error);
	ck_assert_msg(status == AI8X_OK, "%s", error.message);
	uint64_t cycles = ai8x_machine_cycles(rig.machine);
	// The closed form says the same without running.
	ck_assert_uint_eq(schedule.cycles, cycles);
	ai8x_schedule_release(&schedule);
	rig_close(&rig);
	return cycles;
}

static void read_common(const struct table *table, struct row *row)
{
	*row = (struct row){
		.pool_rows = number(table, "pool_rows"),
		.pool_columns = number(table, "pool_cols"),
		.passes = number(table, "passes"),
		.operands = number(table, "operands"),
		.pool_first = number(table, "pool_first") != 0,
		.kernel_rows = number(table, "kernel_rows"),
		.kernel_columns = number(table, "kernel_cols"),
		.pad_rows = number(table, "pad_rows"),
		.pad_columns = number(table, "pad_cols"),
		.time_slots = number(table, "timeslots"),
		.operator= text(table, "operator"),
	};
	if (strcmp(row->operator, "passthrough") == 0)
		row->kernel_rows = row->kernel_columns = 1;
}

START_TEST(published_totals)
{
	struct table table;
	unsigned rows = 0;
	if (!table_open(&table, "cycles.tsv"))
		return;
	while (table_next(&table)) {
		struct row row;
		read_common(&table, &row);
		row.rows = number(&table, "in_rows");
		row.columns = number(&table, "in_cols");
		row.stride = number(&table, "pool_stride_rows");
		row.slots = number(&table, "out_chan");
		row.flatten = number(&table, "flatten") != 0;
		// A multi-layer-perceptron row names its image; the hardware sees one pixel with as many passes.
		if (row.flatten || strncmp(text(&table, "case"), "ai85-mlpflatten", 15) == 0) {
			row.passes = row.rows * row.columns;
			row.rows = row.columns = 1;
			row.flatten = row.passes > 16;
		}
		uint32_t want = number(&table, "total_cycles_incl_start");
		ck_assert_msg(cycles_of(&row) == want, "%s: %llu cycles, want %u", text(&table, "case"),
		              (unsigned long long)cycles_of(&row), want);
		rows++;
	}
	ck_assert_uint_eq(rows, 19);
}
END_TEST

START_TEST(generated_layers)
{
	struct table table;
	unsigned rows = 0;
	if (!table_open(&table, "cycles-generated.tsv"))
		return;
	while (table_next(&table)) {
		struct row row;
		read_common(&table, &row);
		row.stride = number(&table, "pool_stride");
		row.rows = (number(&table, "pooled_rows") - 1) * row.stride + row.pool_rows;
		row.columns = (number(&table, "pooled_cols") - 1) * row.stride + row.pool_columns;
		if (strcmp(row.operator, "convtranspose2d") == 0) {
			// The table counts the image after zero insertion.
			row.rows = number(&table, "pooled_rows") / 2;
			row.columns = number(&table, "pooled_cols") / 2;
		}
		row.slots = number(&table, "out_slots");
		row.first_word = number(&table, "mask_start_word");
		row.flatten = number(&table, "flatten_en") != 0;
		// The start cycle belongs to the run, not to the layer.
		uint32_t want = number(&table, "layer_cycles") + 1;
		uint64_t got = cycles_of(&row);
		ck_assert_msg(got == want, "%s layer %s: %llu cycles, want %u", text(&table, "case"),
		              text(&table, "layer"), (unsigned long long)got, want);
		rows++;
	}
	ck_assert_uint_gt(rows, 300);
}
END_TEST

RIG_MAIN("cycles", tcase_add_test(tcase, published_totals); tcase_add_test(tcase, generated_layers);)
