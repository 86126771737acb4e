// What the host does before and after the run: bus operations in a row that do the same kind of thing are one entry.
#include "view/show.h"

#include <string.h>

#include "base/array.h"

static bool same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

// Memories and registers of one kind are one entry, whatever their units, groups and names. Kernel memory takes byte
// writes between its words.
static bool joins(const struct show_load *load, const ai8x_op *op, const ai8x_location *where, bool after)
{
	const bool writes = (load->kind == AI8X_BUS_WRITE32 || load->kind == AI8X_BUS_WRITE8) &&
	                    (op->kind == AI8X_BUS_WRITE32 || op->kind == AI8X_BUS_WRITE8);
	return (load->kind == op->kind || writes) && load->after == after &&
	       same_text(load->where.region, where->region) && load->where.layer == where->layer;
}

// Which memories an operation reaches.
static void mark(struct show_load *load, const ai8x_location *where)
{
	if (where->unit >= 0)
		load->units |= UINT64_C(1) << where->unit;
	if (where->group >= 0)
		load->groups |= (uint8_t)(1u << where->group);
}

static void merge(struct show_load *load, const ai8x_op *op, const ai8x_location *where)
{
	load->where.group = load->where.group == where->group ? where->group : -1;
	load->where.unit = load->where.unit == where->unit ? where->unit : -1;
	load->where.name = same_text(load->where.name, where->name) ? where->name : NULL;
	load->last = op->address;
	load->count++;
	mark(load, where);
}

bool show_load_collect(struct show_run *run, const ai8x_program *program)
{
	size_t count = 0;
	bool after = false;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count; i++) {
		ai8x_location where = {.region = "", .group = -1, .unit = -1, .layer = -1};
		if (ops[i].kind != AI8X_BUS_RUN)
			(void)ai8x_part_locate(run->part, ops[i].address, &where);
		struct show_load *last = run->load_count > 0 ? &run->load[run->load_count - 1] : NULL;
		if (last != NULL && joins(last, &ops[i], &where, after)) {
			merge(last, &ops[i], &where);
		} else {
			if (!array_reserve(&run->load, &run->load_capacity, run->load_count + 1, sizeof *run->load))
				return false;
			run->load[run->load_count++] = (struct show_load){
				.kind = ops[i].kind,
				.where = where,
				.first = ops[i].address,
				.last = ops[i].address,
				.value = ops[i].value,
				.count = 1,
				.after = after,
			};
			mark(&run->load[run->load_count - 1], &where);
		}
		after |= ops[i].kind == AI8X_BUS_RUN;
	}
	return true;
}
