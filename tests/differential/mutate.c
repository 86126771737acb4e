// Draws and applies mutations; see mutate.h.
#include "mutate.h"

#include <stdlib.h>

#include "part/part.h"

// Tries at the most to find a mutation that changes something.
#define MOST_TRIES 8

static bool is_layer_register(const ai8x_part *part, const struct part_target *target)
{
	const enum part_scope scope = part->registers[target->reg].scope;
	return scope == SCOPE_LAYER || scope == SCOPE_STREAM;
}

bool register_writes_find(const ai8x_program *program, struct register_writes *writes)
{
	const ai8x_part *part = ai8x_program_part(program);
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	*writes = (struct register_writes){.position = calloc(count + 1, sizeof *writes->position)};
	for (size_t i = 0; writes->position != NULL && i < count; i++) {
		struct part_target target;
		if (ops[i].kind == AI8X_BUS_WRITE32 && part_decode_address(part, ops[i].address, &target) &&
		    target.is_register)
			writes->position[writes->count++] = i;
	}
	return writes->position != NULL;
}

void register_writes_release(struct register_writes *writes)
{
	free(writes->position);
	*writes = (struct register_writes){0};
}

// --- One mutation ---------------------------------------------------------------------------------------

// What a mutation is made of.
struct place {
	struct draw *draw;
	const ai8x_part *part;
	const ai8x_op *ops;
	const struct register_writes *writes;
	struct part_target target; // of the write that is changed
};

static const ai8x_op *any_write(const struct place *place)
{
	const uint32_t last = (uint32_t)place->writes->count - 1;
	return &place->ops[place->writes->position[draw_between(place->draw, 0, last)]];
}

static void flip_bits(const struct place *place, ai8x_op *op)
{
	for (uint32_t bits = draw_size(place->draw, 1, 4); bits > 0; bits--)
		op->value ^= UINT32_C(1) << draw_between(place->draw, 0, 31);
}

static void take_extreme(const struct place *place, ai8x_op *op)
{
	static const uint32_t extremes[] = {0, 1, 0x7fffffff, 0x80000000, 0xffff, 0xffff0000, UINT32_MAX};
	op->value = extremes[draw_between(place->draw, 0, sizeof extremes / sizeof extremes[0] - 1)];
}

static void step_value(const struct place *place, ai8x_op *op)
{
	const uint32_t step = draw_size(place->draw, 1, 64);
	op->value = draw_chance(place->draw, 50) ? op->value + step : op->value - step;
}

// One field of the register: its least or greatest value, a neighbour, or any.
static void change_field(const struct place *place, ai8x_op *op)
{
	const struct part_field *fields = place->part->fields;
	unsigned candidates[FIELD_COUNT], count = 0;
	for (unsigned f = 0; f < FIELD_COUNT; f++)
		if (fields[f].width > 0 && fields[f].reg == place->target.reg)
			candidates[count++] = f;
	if (count == 0)
		return;
	const unsigned id = candidates[draw_between(place->draw, 0, count - 1)];
	const uint32_t mask = part_field_mask(place->part, (enum part_field_id)id), most = mask >> fields[id].low;
	const uint32_t now = (op->value & mask) >> fields[id].low;
	const uint32_t choice[] = {0, most, now + 1, now - 1, (uint32_t)draw_bits(place->draw)};
	const uint32_t value = choice[draw_between(place->draw, 0, sizeof choice / sizeof choice[0] - 1)];
	op->value = (op->value & ~mask) | (value << fields[id].low & mask);
}

static void take_value(const struct place *place, ai8x_op *op)
{
	op->value = any_write(place)->value;
}

// The value that the same register of another layer or group receives.
static void take_value_of_kind(const struct place *place, ai8x_op *op)
{
	for (unsigned i = 0; i < 4 * MOST_TRIES; i++) {
		const ai8x_op *other = any_write(place);
		struct part_target target;
		if (part_decode_address(place->part, other->address, &target) && target.reg == place->target.reg &&
		    other->value != op->value) {
			op->value = other->value;
			return;
		}
	}
}

static void go_elsewhere(const struct place *place, ai8x_op *op)
{
	const struct part_target *target = &place->target;
	struct part_target other;
	unsigned group = target->group;
	uint32_t index = target->index;
	(void)part_decode_address(place->part, any_write(place)->address, &other);
	switch (draw_between(place->draw, 0, 3)) {
	case 0: // another register of the layer
		if (!is_layer_register(place->part, target) || !is_layer_register(place->part, &other) ||
		    index >= place->part->registers[other.reg].count)
			return;
		op->address = part_register_address(place->part, other.reg, group, index);
		return;
	case 1: // another group
		group = draw_between(place->draw, 0, AI8X_GROUPS - 1);
		break;
	case 2: // a neighbouring layer, stream, or unit
		index = draw_chance(place->draw, 50) ? index + 1 : index - 1;
		break;
	default: // where some other write goes
		op->address = any_write(place)->address;
		return;
	}
	if (index < place->part->registers[target->reg].count)
		op->address = part_register_address(place->part, target->reg, group, index);
}

static const struct {
	void (*change)(const struct place *place, ai8x_op *op);
	uint8_t weight;
} kinds[] = {
	{change_field, 8}, {flip_bits, 5},          {step_value, 2},   {take_extreme, 2},
	{take_value, 2},   {take_value_of_kind, 2}, {go_elsewhere, 2},
};

static bool mutate(struct place *place, const ai8x_op *from, ai8x_op *op)
{
	uint8_t weights[sizeof kinds / sizeof kinds[0]];
	for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		weights[i] = kinds[i].weight;
	(void)part_decode_address(place->part, from->address, &place->target);
	for (unsigned i = 0; i < MOST_TRIES; i++) {
		*op = *from;
		kinds[draw_weighted(place->draw, weights, sizeof kinds / sizeof kinds[0])].change(place, op);
		if (op->value != from->value || op->address != from->address)
			return true;
	}
	return false;
}

// --- A program's ----------------------------------------------------------------------------------------

static bool is_changed(const struct mutation *mutations, size_t count, size_t position)
{
	for (size_t i = 0; i < count; i++)
		if (mutations[i].position == position)
			return true;
	return false;
}

size_t mutations_draw(struct draw *draw, const ai8x_program *program, const struct register_writes *writes,
                      struct mutation mutations[MOST_MUTATIONS])
{
	size_t ops = 0, count = 0;
	struct place place = {
		.draw = draw,
		.part = ai8x_program_part(program),
		.ops = ai8x_program_ops(program, &ops),
		.writes = writes,
	};
	if (writes->count == 0)
		return 0;
	// One or two changes leave most programs runnable; forty hardly any.
	const uint32_t wanted = draw_size(draw, 1, MOST_MUTATIONS);
	for (uint32_t tries = 0; count < wanted && tries < 2 * MOST_MUTATIONS; tries++) {
		const size_t position = writes->position[draw_between(draw, 0, (uint32_t)writes->count - 1)];
		struct mutation *mutation = &mutations[count];
		if (is_changed(mutations, count, position))
			continue;
		*mutation = (struct mutation){.position = position, .before = place.ops[position]};
		count += mutate(&place, &mutation->before, &mutation->after);
	}
	return count;
}

ai8x_program *mutations_apply(const ai8x_program *program, const struct mutation *mutations, size_t count)
{
	ai8x_program *made = NULL;
	size_t ops = 0;
	const ai8x_op *from = ai8x_program_ops(program, &ops);
	ai8x_status status =
		ai8x_program_create(ai8x_program_part(program), ai8x_program_name(program), &made, NULL);
	bool changed[256] = {false}; // positions, modulo its size
	for (size_t m = 0; m < count; m++)
		changed[mutations[m].position % sizeof changed] = true;
	for (size_t i = 0; i < ops && status == AI8X_OK; i++) {
		ai8x_op op = from[i];
		for (size_t m = 0; changed[i % sizeof changed] && m < count; m++)
			if (mutations[m].position == i)
				op = mutations[m].after;
		status = ai8x_program_append(made, op, NULL);
	}
	if (status == AI8X_OK && ai8x_program_snoop(program) != NULL)
		status = ai8x_program_set_snoop(made, ai8x_program_snoop(program), NULL);
	if (status != AI8X_OK) {
		ai8x_program_destroy(made);
		made = NULL;
	}
	return made;
}
