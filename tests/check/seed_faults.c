// Seeded faults: takes programs that work, injects one fault of a known class into each, and requires that
// the check names the class and the layer. A fault that no injector can place in a program is left out; one
// that was placed must be found.
//
//   seed_faults [--all] [--fault NAME] [--verbose] PROGRAM-OR-FOLDER...
//
// Without --all, every kind of fault is tried on ENOUGH programs that it fits, each kind beginning somewhere else
// in the list. The result 77 (skipped) says that there are too few programs to reach MINIMUM.
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/check.h>
#include <ai8xsim/runner.h>

#include "part/part.h"

enum {
	MINIMUM = 10,
	ENOUGH = 12,
	MAX_RAN = 256,
	MAX_ACCEPTED = 4,
	ANY_LAYER = -1,
	NO_LAYER = -2,
	SKIPPED = 77
};

struct ops {
	ai8x_op *op;
	size_t count, capacity;
};

// A program that works, and what is known of it.
struct subject {
	const char *path;
	ai8x_program *program;
	const ai8x_part *part;
	struct ops ops;          // a copy to spoil
	size_t start;            // index of the first write that enables a group
	size_t run;              // index of RUN
	ai8x_layer ran[MAX_RAN]; // layers in the order in which they ran
	size_t ran_count;
	bool streams, fifo;
	uint32_t last_word;           // after all data memory that is touched
	bool feeds[MAX_RAN][MAX_RAN]; // [a][b]: layer b reads what layer a wrote
};

// What an injector did.
struct seeded {
	int layer; // the layer that must be named, ANY_LAYER or NO_LAYER
	int group; // that must be named, or -1
};

// --- Operations ----------------------------------------------------------------------------------------

static void die(const char *what)
{
	(void)fprintf(stderr, "seed_faults: %s\n", what);
	exit(2);
}

static void insert(struct ops *ops, size_t at, ai8x_op op)
{
	if (ops->count == ops->capacity) {
		ops->capacity = ops->capacity == 0 ? 1024 : 2 * ops->capacity;
		ops->op = realloc(ops->op, ops->capacity * sizeof *ops->op);
		if (ops->op == NULL)
			die("out of memory");
	}
	memmove(ops->op + at + 1, ops->op + at, (ops->count - at) * sizeof *ops->op);
	ops->op[at] = op;
	ops->count++;
}

static void remove_op(struct subject *s, size_t at)
{
	memmove(s->ops.op + at, s->ops.op + at + 1, (s->ops.count - at - 1) * sizeof *s->ops.op);
	s->ops.count--;
	s->start -= at < s->start;
	s->run -= at < s->run;
}

static void insert_before_start(struct subject *s, uint8_t kind, uint32_t address, uint32_t value)
{
	insert(&s->ops, s->start++, (ai8x_op){.kind = kind, .address = address, .value = value});
	s->run++;
}

static bool target_of(const struct subject *s, size_t i, struct part_target *target)
{
	const ai8x_op *op = &s->ops.op[i];
	return (op->kind == AI8X_BUS_WRITE32 || op->kind == AI8X_BUS_WRITE8 ||
	        op->kind == AI8X_BUS_FIFO_WRITE32) &&
	       part_decode_address(s->part, op->address, target);
}

static bool writes_register(const struct subject *s, size_t i, enum part_register reg,
                            struct part_target *target)
{
	return target_of(s, i, target) && target->is_register && target->reg == reg;
}

// Index of the last write of a register before the start, or SIZE_MAX.
static size_t find_write(const struct subject *s, enum part_register reg, unsigned group, uint32_t index)
{
	for (size_t i = s->start; i-- > 0;) {
		struct part_target t;
		if (writes_register(s, i, reg, &t) && t.group == group && t.index == index)
			return i;
	}
	return SIZE_MAX;
}

static uint32_t get_register(const struct subject *s, enum part_register reg, unsigned group, uint32_t index)
{
	size_t at = find_write(s, reg, group, index);
	return at == SIZE_MAX ? s->part->registers[reg].reset : s->ops.op[at].value;
}

static void set_register(struct subject *s, enum part_register reg, unsigned group, uint32_t index,
                         uint32_t value)
{
	size_t at = find_write(s, reg, group, index);
	if (at != SIZE_MAX)
		s->ops.op[at].value = value;
	else
		insert_before_start(s, AI8X_BUS_WRITE32, part_register_address(s->part, reg, group, index), value);
}

static uint32_t members(const struct subject *s)
{
	return s->ran[0].groups;
}

static void set_all_groups(struct subject *s, enum part_register reg, uint32_t index, uint32_t mask,
                           uint32_t value)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if (members(s) >> g & 1)
			set_register(s, reg, g, index, (get_register(s, reg, g, index) & ~mask) | value);
}

static uint32_t field_mask(const struct subject *s, enum part_field_id id)
{
	return part_field_mask(s->part, id);
}

static uint32_t field_bits(const struct subject *s, enum part_field_id id, uint32_t value)
{
	return value << s->part->fields[id].low & field_mask(s, id);
}

static unsigned groups_with_processors(const ai8x_layer *layer)
{
	unsigned count = 0;
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		count += (layer->processors >> (16 * g) & 0xffff) != 0;
	return count;
}

static bool has_kernels(const ai8x_layer *layer)
{
	return layer->operation != AI8X_OP_PASSTHROUGH && !layer->bypass;
}

// Input words of one instance.
static uint32_t input_words(const ai8x_layer *layer)
{
	uint32_t pixels = layer->rows * layer->columns;
	return layer->chw ? (pixels + 3) / 4 : pixels * layer->pixel_step;
}

// A layer that is not the only one that runs with its register set, and does not stream.
static bool plain(const struct subject *s, size_t position)
{
	const ai8x_layer *layer = &s->ran[position];
	unsigned times = 0;
	for (size_t i = 0; i < s->ran_count; i++)
		times += s->ran[i].index == layer->index;
	return times == 1 && !layer->streaming && !layer->fifo;
}

// --- Kernels of layers ---------------------------------------------------------------------------------

struct range {
	uint32_t first, last;
};

// Kernel words of a layer in one group; calcx4 layers are left to other tests.
static bool kernel_range(const ai8x_layer *layer, unsigned group, struct range *range)
{
	uint32_t taps = layer->kernel_rows * layer->kernel_columns;
	if (!has_kernels(layer) || layer->calcx4 || layer->quad_fanout)
		return false;
	uint32_t bit = layer->kernel_first_bit[group];
	uint32_t last = bit + (layer->kernels - 1) * layer->weight_bits;
	range->first = ((bit >> 3) * taps + layer->kernel_tap_offset[group]) / 9;
	range->last = ((last >> 3) * taps + layer->kernel_tap_offset[group] + taps - 1) / 9;
	return true;
}

// The layer that alone has kernels in that word, or -1.
static int only_owner(const struct subject *s, unsigned processor, uint32_t word)
{
	int owner = -1;
	for (size_t i = 0; i < s->ran_count; i++) {
		struct range range;
		if ((s->ran[i].kernel_processors >> processor & 1) == 0)
			continue;
		if (!kernel_range(&s->ran[i], processor / 16, &range)) {
			if (has_kernels(&s->ran[i]))
				return -1;
			continue;
		}
		if (word < range.first || word > range.last)
			continue;
		if (owner >= 0)
			return -1;
		owner = (int)s->ran[i].index;
	}
	return owner;
}

// --- Injectors: false where the fault does not fit the program. `attempt` counts places to try ---------

typedef bool (*injector)(struct subject *s, unsigned attempt, struct seeded *seeded);

static bool pick_plain(const struct subject *s, unsigned attempt, size_t *position)
{
	for (size_t i = 0; i < s->ran_count; i++) {
		if (plain(s, i) && attempt-- == 0) {
			*position = i;
			return true;
		}
	}
	return false;
}

// The output begins in the middle of the layer's own input.
static bool move_output_onto_own_input(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t position;
	if (!pick_plain(s, attempt, &position))
		return false;
	const ai8x_layer *layer = &s->ran[position];
	if (input_words(layer) < 16 || layer->rows < 4 || layer->flatten ||
	    layer->write_mode == AI8X_WRITE_BROADCAST)
		return false;
	// With pooling, reading may stay ahead of writing.
	if (layer->pooling != AI8X_POOL_NONE || layer->pool_stride != 1)
		return false;
	unsigned instance = (unsigned)__builtin_ctzll(layer->processors) / 4;
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		if ((members(s) >> g & 1) == 0)
			continue;
		uint32_t word = layer->read_base[instance / 4] + input_words(layer) / 2;
		set_register(s, REG_WPTR_BASE, g, layer->index,
		             field_bits(s, F_WPTR_INSTANCE, instance) | field_bits(s, F_WPTR_WORD, word));
	}
	*seeded = (struct seeded){(int)layer->index, -1};
	return true;
}

// A layer's output lands on the second half of an output that a later layer still reads.
static bool move_output_onto_residual(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	for (size_t r = 2; r < s->ran_count; r++) {
		for (size_t w = 0; w + 1 < r; w++) {
			const ai8x_layer *writer = &s->ran[w];
			uint32_t pixels = writer->output_rows * writer->output_columns;
			for (size_t m = w + 1; m < r && s->feeds[w][r]; m++) {
				const ai8x_layer *mover = &s->ran[m];
				bool fits = !s->feeds[w][m] && plain(s, w) && plain(s, r) && plain(s, m) && pixels >= 8 &&
				            writer->write_mode == AI8X_WRITE_CHANNELS &&
				            mover->write_mode == AI8X_WRITE_CHANNELS &&
				            mover->output_rows * mover->output_columns >= 4;
				if (!fits || attempt-- != 0)
					continue;
				uint32_t pointer = get_register(s, REG_WPTR_BASE, writer->master, writer->index);
				set_all_groups(s, REG_WPTR_BASE, mover->index, UINT32_MAX,
				               pointer + pixels / 2 * writer->write_step);
				*seeded = (struct seeded){(int)mover->index, -1};
				return true;
			}
		}
	}
	return false;
}

static unsigned readers_of(const struct subject *s, size_t writer)
{
	unsigned readers = 0;
	for (size_t r = 0; r < s->ran_count; r++)
		readers += s->feeds[writer][r];
	return readers;
}

// The outputs of two layers that both feed a third one lie on top of each other.
static bool overlap_outputs(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	for (size_t r = 2; r < s->ran_count; r++) {
		for (size_t w = 0; w < r; w++) {
			for (size_t m = w + 1; m < r; m++) {
				const ai8x_layer *writer = &s->ran[w], *mover = &s->ran[m];
				bool fits = s->feeds[w][r] && s->feeds[m][r] && readers_of(s, w) == 1 && plain(s, w) &&
				            plain(s, m) && writer->write_mode == AI8X_WRITE_CHANNELS &&
				            mover->write_mode == AI8X_WRITE_CHANNELS &&
				            writer->output_rows * writer->output_columns ==
				                mover->output_rows * mover->output_columns &&
				            writer->slots <= mover->slots && writer->write_step == mover->write_step;
				if (!fits || attempt-- != 0)
					continue;
				set_all_groups(s, REG_WPTR_BASE, mover->index, UINT32_MAX,
				               get_register(s, REG_WPTR_BASE, writer->master, writer->index));
				*seeded = (struct seeded){(int)mover->index, -1};
				return true;
			}
		}
	}
	return false;
}

static bool move_input_to_unwritten(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t position;
	if (!pick_plain(s, attempt, &position))
		return false;
	const ai8x_layer *layer = &s->ran[position];
	if (s->last_word + input_words(layer) > s->part->info.data_words)
		return false;
	set_all_groups(s, REG_RPTR_BASE, layer->index, UINT32_MAX, s->last_word);
	*seeded = (struct seeded){(int)layer->index, -1};
	return true;
}

static bool drop_input(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	const ai8x_layer *layer = &s->ran[0];
	if (s->fifo || s->streams)
		return false;
	for (size_t i = 0; i < s->start; i++) {
		struct part_target t;
		if (!target_of(s, i, &t) || t.is_register || t.memory != MEMORY_DATA || s->ops.op[i].value == 0 ||
		    attempt-- != 0)
			continue;
		remove_op(s, i);
		*seeded = (struct seeded){(int)layer->index, -1};
		return true;
	}
	return false;
}

static bool is_express(const struct subject *s)
{
	for (size_t i = 0; i < s->start; i++) {
		struct part_target t;
		if (target_of(s, i, &t) && !t.is_register && t.memory == MEMORY_KERNEL &&
		    s->ops.op[i].kind == AI8X_BUS_WRITE8)
			return true;
	}
	return false;
}

// Plain loading: the fourth write of a kernel word, which makes it one. Packed loading: a whole block, the
// choice of its place and the kernels after it.
static bool drop_kernel(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	bool express = is_express(s);
	unsigned skip = attempt * 7;
	for (size_t i = 0; i < s->start; i++) {
		struct part_target t;
		if (!target_of(s, i, &t) || t.is_register || t.memory != MEMORY_KERNEL)
			continue;
		bool chosen = express ? s->ops.op[i].kind == AI8X_BUS_WRITE8 : t.byte == 12;
		if (!chosen)
			continue;
		uint32_t word = express ? (t.word * 16 + t.byte) >> 2 : t.word;
		int owner = only_owner(s, t.group * 16 + t.unit, word);
		bool content =
			express ||
			(i >= 3 && (s->ops.op[i - 3].value | s->ops.op[i - 2].value | s->ops.op[i - 1].value) != 0);
		if (owner < 0 || !content || skip-- != 0)
			continue;
		remove_op(s, i);
		while (express && target_of(s, i, &t) && !t.is_register && t.memory == MEMORY_KERNEL &&
		       s->ops.op[i].kind == AI8X_BUS_WRITE32)
			remove_op(s, i);
		*seeded = (struct seeded){owner, -1};
		return true;
	}
	return false;
}

static bool conflicting_kernel(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	if (is_express(s))
		return false;
	for (size_t i = 3; i < s->start; i++) {
		struct part_target t;
		if (!target_of(s, i, &t) || t.is_register || t.memory != MEMORY_KERNEL || t.byte != 12)
			continue;
		int owner = only_owner(s, t.group * 16 + t.unit, t.word);
		bool content = (s->ops.op[i - 3].value | s->ops.op[i - 2].value | s->ops.op[i - 1].value) != 0;
		if (owner < 0 || !content || attempt-- != 0)
			continue;
		for (size_t k = 0; k < 4; k++) {
			ai8x_op op = s->ops.op[i - 3 + k];
			op.value ^= k == 3 ? 0 : 0x5a;
			insert(&s->ops, i + 1 + k, op);
		}
		s->start += 4;
		s->run += 4;
		*seeded = (struct seeded){owner, -1};
		return true;
	}
	return false;
}

// The layer that alone uses a bias entry, or -1.
static int bias_owner(const struct subject *s, unsigned group, uint32_t entry)
{
	int owner = -1;
	for (size_t i = 0; i < s->ran_count; i++) {
		const ai8x_layer *layer = &s->ran[i];
		if ((layer->bias_groups >> group & 1) == 0)
			continue;
		if (layer->depthwise || layer->quad_fanout)
			return -1;
		uint32_t first = layer->bias_first[group] * (layer->calcx4 ? 4 : 1);
		first += layer->streaming && layer->index == 0 && s->part->quirks.stream_bias_shift;
		if (entry < first || entry >= first + layer->slots)
			continue;
		if (owner >= 0)
			return -1;
		owner = (int)layer->index;
	}
	return owner;
}

static bool pick_bias(const struct subject *s, unsigned attempt, size_t *at, int *owner)
{
	for (size_t i = 0; i < s->start; i++) {
		struct part_target t;
		if (!target_of(s, i, &t) || t.is_register || t.memory != MEMORY_BIAS ||
		    (s->ops.op[i].value & 0xff) == 0)
			continue;
		*owner = bias_owner(s, t.group, t.word);
		*at = i;
		if (*owner >= 0 && attempt-- == 0)
			return true;
	}
	return false;
}

static bool drop_bias(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t at;
	int owner;
	if (!pick_bias(s, attempt, &at, &owner))
		return false;
	remove_op(s, at);
	*seeded = (struct seeded){owner, -1};
	return true;
}

static bool conflicting_bias(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t at;
	int owner;
	if (!pick_bias(s, attempt, &at, &owner))
		return false;
	insert_before_start(s, AI8X_BUS_WRITE32, s->ops.op[at].address, s->ops.op[at].value ^ 0x15);
	*seeded = (struct seeded){owner, -1};
	return true;
}

static bool clear_processor(struct subject *s, unsigned attempt, struct seeded *seeded, uint32_t halves,
                            bool kernels)
{
	for (size_t i = 0; i < s->ran_count; i++) {
		const ai8x_layer *layer = &s->ran[i];
		struct range range;
		bool fits =
			kernels ? kernel_range(layer, layer->master, &range) && !layer->depthwise : !has_kernels(layer);
		if (!fits || layer->bypass || __builtin_popcountll(layer->processors) < 2 || attempt-- != 0)
			continue;
		unsigned processor = 63u - (unsigned)__builtin_clzll(layer->processors);
		uint32_t bits =
			(halves & 1 ? 1u << processor % 16 : 0) | (halves & 2 ? 0x10000u << processor % 16 : 0);
		uint32_t old = get_register(s, REG_ENA, processor / 16, layer->index);
		set_register(s, REG_ENA, processor / 16, layer->index, old & ~bits);
		*seeded = (struct seeded){(int)layer->index, -1};
		return true;
	}
	return false;
}

static bool clear_processor_and_kernel(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	return clear_processor(s, attempt, seeded, 3, true);
}

static bool clear_kernel_only(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	return clear_processor(s, attempt, seeded, 2, true);
}

static bool clear_reader_only(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	return clear_processor(s, attempt, seeded, 1, true);
}

static bool clear_passthrough(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	return clear_processor(s, attempt, seeded, 1, false);
}

// Index of the write that enables a group which is not the master, or SIZE_MAX.
static size_t find_arm(const struct subject *s, unsigned *group)
{
	for (size_t i = s->start; i < s->run; i++) {
		struct part_target t;
		if (!writes_register(s, i, REG_CTL, &t) || (s->ops.op[i].value & 1) == 0 ||
		    t.group == s->ran[0].master)
			continue;
		*group = t.group;
		for (size_t p = 0; p < s->ran_count; p++)
			if (s->ran[p].processors >> (16 * t.group) & 0xffff)
				return i;
	}
	return SIZE_MAX;
}

static bool drop_group_start(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	unsigned group;
	size_t at = find_arm(s, &group);
	if (at == SIZE_MAX || attempt > 0)
		return false;
	remove_op(s, at);
	*seeded = (struct seeded){ANY_LAYER, (int)group};
	return true;
}

static bool swap_start_order(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	unsigned group;
	size_t at = find_arm(s, &group);
	if (at == SIZE_MAX || attempt > 0)
		return false;
	for (size_t i = at; i < s->run; i++) {
		struct part_target t;
		if (!writes_register(s, i, REG_CTL, &t) || t.group != s->ran[0].master ||
		    (s->ops.op[i].value & 1) == 0)
			continue;
		ai8x_op op = s->ops.op[at];
		s->ops.op[at] = s->ops.op[i];
		s->ops.op[i] = op;
		*seeded = (struct seeded){ANY_LAYER, (int)group};
		return true;
	}
	return false;
}

static bool starve_fifo(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	static const unsigned words[] = {64, 16, 256};
	size_t at = SIZE_MAX;
	if (!s->fifo || attempt >= 3)
		return false;
	for (size_t i = s->run; i-- > 0;) {
		if (s->ops.op[i].kind != AI8X_BUS_FIFO_WRITE32)
			continue;
		if (at == SIZE_MAX)
			at = i;
	}
	if (at == SIZE_MAX)
		return false;
	uint32_t address = s->ops.op[at].address;
	unsigned dropped = 0;
	for (size_t i = s->run; i-- > 0 && dropped < words[attempt];) {
		if (s->ops.op[i].kind == AI8X_BUS_FIFO_WRITE32 && s->ops.op[i].address == address) {
			remove_op(s, i);
			dropped++;
		}
	}
	*seeded = (struct seeded){0, -1};
	return dropped == words[attempt];
}

static bool overfeed_fifo(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	for (size_t i = s->run; i-- > 0 && s->fifo && attempt < 2;) {
		if (s->ops.op[i].kind != AI8X_BUS_FIFO_WRITE32)
			continue;
		for (unsigned k = 0; k < (attempt == 0 ? 3u : 100u); k++) {
			insert(&s->ops, s->run, s->ops.op[i]);
			s->run++;
		}
		*seeded = (struct seeded){0, -1};
		return true;
	}
	return false;
}

static bool disable_fifo(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t at = find_write(s, REG_FIFO_CTL, 0, 0);
	if (!s->fifo || attempt > 0 || at == SIZE_MAX || (s->ops.op[at].value & field_mask(s, F_FIFO_EN)) == 0)
		return false;
	bool master = (get_register(s, REG_FIFO_CTL, 0, 0) & field_bits(s, F_FIFO_EN, 1)) != 0;
	s->ops.op[at].value &= ~field_bits(s, F_FIFO_EN, 1);
	*seeded = (struct seeded){ANY_LAYER, -1};
	return master;
}

static bool extra_register_bits(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	static const struct {
		enum part_register reg;
		uint32_t bit;
	} bits[] = {
		{REG_RPTR_BASE, 1u << 24}, {REG_LCTL2, 1u << 30},       {REG_ONED, 1u << 31},
		{REG_WPTR_BASE, 1u << 28}, {REG_WPTR_CHOFFS, 1u << 25}, {REG_PRCNT, 1u << 20},
	};
	size_t position;
	if (!pick_plain(s, attempt, &position) && attempt > 0)
		return false;
	const ai8x_layer *layer = &s->ran[attempt < s->ran_count ? attempt : 0];
	size_t b = (layer->index + s->ops.count) % (sizeof bits / sizeof bits[0]);
	uint32_t old = get_register(s, bits[b].reg, layer->master, layer->index);
	set_register(s, bits[b].reg, layer->master, layer->index, old | bits[b].bit);
	*seeded = (struct seeded){(int)layer->index, -1};
	return true;
}

static bool bus_while_running(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	static const enum part_memory memories[] = {MEMORY_DATA, MEMORY_KERNEL, MEMORY_BIAS};
	if (attempt >= 3)
		return false;
	uint32_t address = s->part->memories[memories[attempt]].address + 16;
	// FIFO programs may already be done when RUN comes; after the last starting write they run.
	size_t at = s->run;
	for (size_t i = s->start; i < s->run; i++) {
		struct part_target t;
		if (writes_register(s, i, REG_CTL, &t) && t.group == s->ran[0].master &&
		    (s->ops.op[i].value & 1) != 0)
			at = i + 1;
	}
	insert(&s->ops, at, (ai8x_op){.kind = AI8X_BUS_WRITE32, .address = address, .value = 0x01020304});
	s->run++;
	*seeded = (struct seeded){ANY_LAYER, (int)0};
	return true;
}

static bool overlap_kernels(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	for (size_t a = 0; a < s->ran_count; a++) {
		for (size_t b = a + 1; b < s->ran_count; b++) {
			const ai8x_layer *first = &s->ran[a], *second = &s->ran[b];
			struct range x, y;
			unsigned g = first->master;
			bool fit =
				kernel_range(first, g, &x) && kernel_range(second, g, &y) && !first->depthwise &&
				!second->depthwise && first->kernel_first_bit[g] != second->kernel_first_bit[g] &&
				(first->kernel_processors & second->kernel_processors) != 0 && plain(s, b) &&
				first->kernel_rows * first->kernel_columns == second->kernel_rows * second->kernel_columns &&
				(first->weight_bits != second->weight_bits || first->passes != second->passes ||
			     first->kernels > 8);
			if (!fit || attempt-- != 0)
				continue;
			// A little after the first kernel, so that nothing looks like intended sharing.
			uint32_t bit = first->kernel_first_bit[g] + 8 * first->passes;
			for (unsigned m = 0; m < AI8X_GROUPS; m++) {
				if ((members(s) >> m & 1) == 0)
					continue;
				if (s->part->quirks.ochan_counts) {
					set_register(s, REG_MCNT2, m, second->index, bit);
				} else {
					uint32_t last = bit + (second->kernels - 1) * second->weight_bits;
					set_register(s, REG_MCNT, m, second->index,
					             field_bits(s, F_MCNT_SAD, bit) | field_bits(s, F_MCNT_MAX, last));
				}
			}
			*seeded = (struct seeded){(int)second->index, -1};
			return true;
		}
	}
	return false;
}

static bool write_past_end(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t position;
	if (!pick_plain(s, attempt, &position))
		return false;
	const ai8x_layer *layer = &s->ran[position];
	if (layer->output_rows * layer->output_columns < 2)
		return false;
	set_all_groups(s, REG_WPTR_BASE, layer->index, field_mask(s, F_WPTR_WORD),
	               field_bits(s, F_WPTR_WORD, s->part->info.data_words - 1));
	*seeded = (struct seeded){(int)layer->index, -1};
	return true;
}

static bool read_past_end(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t position;
	if (!pick_plain(s, attempt, &position))
		return false;
	const ai8x_layer *layer = &s->ran[position];
	if (input_words(layer) < 8)
		return false;
	set_all_groups(s, REG_RPTR_BASE, layer->index, UINT32_MAX, s->part->info.data_words - 1);
	*seeded = (struct seeded){(int)layer->index, -1};
	return true;
}

static bool zero_register(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	static const enum part_register registers[] = {REG_ENA,  REG_RCNT,      REG_LCTL,
	                                               REG_POST, REG_WPTR_BASE, REG_TPTR};
	const ai8x_layer *layer = &s->ran[attempt % s->ran_count];
	enum part_register reg = registers[(attempt + s->ops.count) % (sizeof registers / sizeof registers[0])];
	if (attempt > 8 || get_register(s, reg, layer->master, layer->index) == 0)
		return false;
	insert_before_start(s, AI8X_BUS_WRITE32, part_register_address(s->part, reg, layer->master, layer->index),
	                    0);
	*seeded = (struct seeded){(int)layer->index, -1};
	return true;
}

// Links and snoop units decide which layers run, not the layer count alone.
static bool links(const struct subject *s)
{
	for (size_t i = 0; i < s->start; i++) {
		struct part_target t;
		bool link = writes_register(s, i, REG_NXTLYR, &t), snoop = writes_register(s, i, REG_SNOOP_C1, &t);
		if ((link || snoop) && s->ops.op[i].value != 0)
			return true;
	}
	return false;
}

static bool layer_count_too_small(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	if (attempt > 0 || s->ran_count < 2 || links(s) || s->streams)
		return false;
	const ai8x_layer *last = &s->ran[s->ran_count - 1];
	set_all_groups(s, REG_LCNT_MAX, 0, field_mask(s, F_LCNT), field_bits(s, F_LCNT, last->index - 1));
	*seeded = (struct seeded){(int)last->index, -1};
	return true;
}

static bool layer_count_too_large(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	const ai8x_layer *last = &s->ran[s->ran_count - 1];
	if (attempt > 0 || links(s) || last->index + 1 >= s->part->info.layers)
		return false;
	set_all_groups(s, REG_LCNT_MAX, 0, field_mask(s, F_LCNT), field_bits(s, F_LCNT, last->index + 1));
	*seeded = (struct seeded){(int)last->index + 1, -1};
	return true;
}

static bool kernels_past_end(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t position;
	if (!pick_plain(s, attempt, &position) || !has_kernels(&s->ran[position]))
		return false;
	const ai8x_layer *layer = &s->ran[position];
	if (s->part->quirks.ochan_counts) {
		set_all_groups(s, REG_MCNT2, layer->index, UINT32_MAX, field_mask(s, F_MCNT_SAD));
	} else {
		uint32_t last = 65535, first = last - (layer->kernels - 1) * layer->weight_bits;
		if (layer->kernel_rows * layer->kernel_columns * (last >> 3) / 9 < s->part->info.kernel_words)
			return false;
		set_all_groups(s, REG_MCNT, layer->index, UINT32_MAX,
		               field_bits(s, F_MCNT_SAD, first) | field_bits(s, F_MCNT_MAX, last));
	}
	*seeded = (struct seeded){(int)layer->index, -1};
	return true;
}

static bool bias_past_end(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	for (size_t i = 0; i < s->ran_count; i++) {
		const ai8x_layer *layer = &s->ran[i];
		if (layer->bias_groups == 0 || layer->depthwise || layer->slots < 2 || attempt-- != 0)
			continue;
		unsigned g = (unsigned)__builtin_ctz(layer->bias_groups);
		uint32_t old = get_register(s, REG_POST, g, layer->index) & ~field_mask(s, F_BPTR_SAD);
		uint32_t first = s->part->info.bias_entries / (layer->calcx4 ? 4 : 1) - 1;
		set_register(s, REG_POST, g, layer->index, old | field_bits(s, F_BPTR_SAD, first));
		*seeded = (struct seeded){(int)layer->index, -1};
		return true;
	}
	return false;
}

static bool drop_go(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	if (attempt > 0 || s->fifo)
		return false;
	for (size_t i = s->run; i-- > s->start;) {
		struct part_target t;
		if (writes_register(s, i, REG_CTL, &t) && t.group == s->ran[0].master &&
		    (s->ops.op[i].value & 1) != 0) {
			remove_op(s, i);
			*seeded = (struct seeded){NO_LAYER, -1};
			return true;
		}
	}
	return false;
}

static bool wrong_address(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	static const uint32_t addresses[] = {0x50ffff00, 0x40000000, 0x5f000000};
	struct part_target t;
	if (attempt >= 3 || part_decode_address(s->part, addresses[attempt], &t))
		return false;
	insert_before_start(s, AI8X_BUS_WRITE32, addresses[attempt], 1);
	*seeded = (struct seeded){NO_LAYER, -1};
	return true;
}

static bool groups_differ(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	for (size_t i = 0; i < s->ran_count; i++) {
		const ai8x_layer *layer = &s->ran[i];
		if (groups_with_processors(layer) < 2 || attempt-- != 0)
			continue;
		unsigned g = 63u - (unsigned)__builtin_clzll(layer->processors);
		g /= 16;
		uint32_t old = get_register(s, REG_CCNT, g, layer->index);
		set_register(s, REG_CCNT, g, layer->index, old ^ 1);
		*seeded = (struct seeded){(int)layer->index, (int)g};
		return true;
	}
	return false;
}

static bool impossible_layer(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t position;
	if (!pick_plain(s, attempt, &position) || !has_kernels(&s->ran[position]))
		return false;
	const ai8x_layer *layer = &s->ran[position];
	// A 1-D kernel of length 15.
	set_all_groups(s, REG_ONED, layer->index, field_mask(s, F_ONED_WIDTH) | field_mask(s, F_ONED_EN),
	               field_bits(s, F_ONED_WIDTH, 15) | field_bits(s, F_ONED_EN, 1));
	*seeded = (struct seeded){(int)layer->index, -1};
	return true;
}

// The output goes where nobody looks for it.
static bool move_output_away(struct subject *s, unsigned attempt, struct seeded *seeded)
{
	size_t position;
	if (!pick_plain(s, attempt, &position))
		return false;
	const ai8x_layer *layer = &s->ran[position];
	uint32_t words = layer->output_rows * layer->output_columns * layer->write_step *
	                 (layer->output_bits / 8) *
	                 (layer->write_mode == AI8X_WRITE_PASSTHROUGH ? layer->passes : 1);
	bool reset = layer->operation == AI8X_OP_PASSTHROUGH && layer->output_rows * layer->output_columns == 1;
	if (reset || s->last_word + words + 64 > s->part->info.data_words)
		return false;
	set_all_groups(s, REG_WPTR_BASE, layer->index, field_mask(s, F_WPTR_WORD),
	               field_bits(s, F_WPTR_WORD, s->last_word));
	*seeded = (struct seeded){(int)layer->index, -1};
	return true;
}

static const struct fault {
	const char *name;
	injector inject;
	bool visible;     // must change an expected word, or another place is tried
	unsigned minimum; // programs that it must fit
	ai8x_check_class accepted[MAX_ACCEPTED];
	unsigned accepted_count;
} faults[] = {
#define ACCEPT(...) {__VA_ARGS__}, sizeof((ai8x_check_class[]){__VA_ARGS__}) / sizeof(ai8x_check_class)
	{"move-output-onto-own-input", move_output_onto_own_input, true, MINIMUM, ACCEPT(AI8X_CHECK_DATA_SELF)},
	{"move-output-onto-residual", move_output_onto_residual, true, MINIMUM,
     ACCEPT(AI8X_CHECK_DATA_OVERWRITTEN)},
	{"overlap-outputs", overlap_outputs, true, MINIMUM, ACCEPT(AI8X_CHECK_OUTPUT_OVERLAP)},
	{"move-output-away", move_output_away, true, MINIMUM,
     ACCEPT(AI8X_CHECK_OUTPUT_UNUSED, AI8X_CHECK_OUTPUT_UNWRITTEN)},
	{"move-input-to-unwritten", move_input_to_unwritten, true, MINIMUM, ACCEPT(AI8X_CHECK_DATA_UNWRITTEN)},
	{"drop-input", drop_input, true, MINIMUM, ACCEPT(AI8X_CHECK_DATA_UNWRITTEN, AI8X_CHECK_PROCESSOR_EMPTY)},
	{"drop-kernel", drop_kernel, true, MINIMUM, ACCEPT(AI8X_CHECK_KERNEL_UNWRITTEN)},
	{"conflicting-kernel", conflicting_kernel, true, MINIMUM, ACCEPT(AI8X_CHECK_KERNEL_CONFLICT)},
	{"overlap-kernels", overlap_kernels, true, MINIMUM, ACCEPT(AI8X_CHECK_KERNEL_OVERLAP)},
	{"kernels-past-end", kernels_past_end, false, MINIMUM, ACCEPT(AI8X_CHECK_KERNEL_RANGE)},
	{"drop-bias", drop_bias, true, MINIMUM, ACCEPT(AI8X_CHECK_BIAS_UNWRITTEN)},
	{"conflicting-bias", conflicting_bias, true, MINIMUM, ACCEPT(AI8X_CHECK_BIAS_CONFLICT)},
	{"bias-past-end", bias_past_end, false, MINIMUM, ACCEPT(AI8X_CHECK_BIAS_RANGE)},
	{"clear-processor", clear_processor_and_kernel, true, MINIMUM, ACCEPT(AI8X_CHECK_PROCESSOR_MISSING)},
	{"clear-kernel-bit", clear_kernel_only, true, MINIMUM, ACCEPT(AI8X_CHECK_PROCESSOR_MASK)},
	{"clear-reader-bit", clear_reader_only, true, MINIMUM, ACCEPT(AI8X_CHECK_PROCESSOR_MASK)},
	{"clear-passthrough", clear_passthrough, true, MINIMUM,
     ACCEPT(AI8X_CHECK_DATA_UNWRITTEN, AI8X_CHECK_OUTPUT_UNWRITTEN)},
	{"drop-group-start", drop_group_start, false, MINIMUM, ACCEPT(AI8X_CHECK_GROUP_START)},
	{"swap-start-order", swap_start_order, false, MINIMUM, ACCEPT(AI8X_CHECK_GROUP_ORDER)},
	{"groups-differ", groups_differ, false, MINIMUM, ACCEPT(AI8X_CHECK_GROUP_DIFFERS)},
	{"starve-fifo", starve_fifo, false, MINIMUM, ACCEPT(AI8X_CHECK_FIFO_DEADLOCK)},
	{"overfeed-fifo", overfeed_fifo, false, MINIMUM, ACCEPT(AI8X_CHECK_FIFO_OVERFLOW)},
	{"disable-fifo", disable_fifo, false, MINIMUM,
     ACCEPT(AI8X_CHECK_FIFO_DISABLED, AI8X_CHECK_FIFO_DEADLOCK)},
	{"extra-register-bits", extra_register_bits, false, MINIMUM, ACCEPT(AI8X_CHECK_REGISTER_BITS)},
	{"zero-register", zero_register, false, MINIMUM, ACCEPT(AI8X_CHECK_REGISTER_OVERWRITTEN)},
	{"bus-while-running", bus_while_running, false, MINIMUM, ACCEPT(AI8X_CHECK_BUS_RUNNING)},
	{"wrong-address", wrong_address, false, MINIMUM, ACCEPT(AI8X_CHECK_BUS_ADDRESS)},
	{"write-past-end", write_past_end, false, MINIMUM, ACCEPT(AI8X_CHECK_DATA_RANGE)},
	{"read-past-end", read_past_end, false, MINIMUM, ACCEPT(AI8X_CHECK_DATA_RANGE)},
	{"layer-count-too-small", layer_count_too_small, false, MINIMUM, ACCEPT(AI8X_CHECK_LAYER_SKIPPED)},
	{"layer-count-too-large", layer_count_too_large, false, MINIMUM, ACCEPT(AI8X_CHECK_LAYER_UNCONFIGURED)},
	{"impossible-layer", impossible_layer, false, MINIMUM, ACCEPT(AI8X_CHECK_LAYER_ILLEGAL)},
	{"drop-go", drop_go, false, MINIMUM, ACCEPT(AI8X_CHECK_NOT_STARTED)},
};

#define FAULTS (sizeof faults / sizeof faults[0])

// --- Trying one ----------------------------------------------------------------------------------------

static void copy_ops(struct subject *s)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(s->program, &count);
	s->ops.count = 0;
	s->start = SIZE_MAX;
	s->run = SIZE_MAX;
	for (size_t i = 0; i < count; i++) {
		struct part_target t;
		insert(&s->ops, s->ops.count, ops[i]);
		if (writes_register(s, i, REG_CTL, &t) && (ops[i].value & 1) != 0 && s->start == SIZE_MAX)
			s->start = i;
		if (ops[i].kind == AI8X_BUS_RUN)
			s->run = i;
	}
}

// Who wrote each word last, to learn which layer feeds which.
struct flow {
	struct subject *subject;
	int position[AI8X_MAX_LAYERS];
	size_t started;
	uint16_t *writer; // [instance][word]: 1 + position
};

static void follow_flow(void *user, const ai8x_event *event)
{
	struct flow *flow = user;
	size_t words = flow->subject->part->info.data_words;
	if (event->kind == AI8X_EVENT_LAYER_START) {
		flow->position[event->layer->index] = (int)flow->started++;
		return;
	}
	if (event->layer == NULL)
		return;
	uint16_t *writer = &flow->writer[event->u.data.instance * words + event->u.data.word];
	size_t position = (size_t)flow->position[event->layer->index];
	if (position >= MAX_RAN)
		return;
	if (event->kind == AI8X_EVENT_DATA_WRITE)
		*writer = (uint16_t)(position + 1);
	else if (*writer != 0 && *writer != position + 1)
		flow->subject->feeds[*writer - 1][position] = true;
}

// Runs the program once to learn which layers it has.
static bool study(struct subject *s)
{
	struct flow flow = {.subject = s};
	ai8x_runner_options options = ai8x_runner_options_default();
	options.observer = follow_flow;
	options.observer_user = &flow;
	options.observer_kinds = AI8X_EVENT_LAYER_START | AI8X_EVENT_DATA_READ | AI8X_EVENT_DATA_WRITE;
	flow.writer = calloc((size_t)AI8X_INSTANCES * s->part->info.data_words, sizeof *flow.writer);
	if (flow.writer == NULL)
		die("out of memory");
	ai8x_machine *machine;
	ai8x_runner_result result;
	ai8x_machine_options machine_options = ai8x_machine_options_default();
	machine_options.engine = AI8X_ENGINE_EXACT;
	if (ai8x_machine_create(s->part, &machine_options, &machine, NULL) != AI8X_OK)
		die("out of memory");
	bool pass = ai8x_runner_run(machine, s->program, &options, &result) == AI8X_OK && result.pass;
	free(flow.writer);
	s->ran_count = ai8x_machine_layer_count(machine);
	s->ran_count = s->ran_count < MAX_RAN ? s->ran_count : MAX_RAN;
	for (size_t i = 0; i < s->ran_count; i++) {
		s->ran[i] = ai8x_machine_layer_report(machine, i)->layer;
		s->streams |= s->ran[i].streaming;
		s->fifo |= s->ran[i].fifo;
	}
	// After the last word that is not zero, with some room for zeros.
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		size_t words;
		const uint32_t *data = ai8x_machine_data(machine, i, &words);
		for (uint32_t w = 0; w < words; w++)
			if (data[w] != 0 && w + 64 > s->last_word)
				s->last_word = w + 64;
	}
	ai8x_runner_result_release(&result);
	ai8x_machine_destroy(machine);
	copy_ops(s);
	return pass && s->ran_count > 0 && s->start != SIZE_MAX && s->run != SIZE_MAX;
}

static bool accepts(const struct fault *fault, const struct seeded *seeded, const ai8x_finding *finding)
{
	bool kind = false;
	for (unsigned i = 0; i < fault->accepted_count; i++)
		kind |= fault->accepted[i] == finding->kind;
	if (!kind || finding->severity != AI8X_SEVERITY_ERROR)
		return false;
	if (seeded->group >= 0 && finding->group != seeded->group)
		return false;
	if (seeded->layer == NO_LAYER)
		return finding->layer < 0;
	if (seeded->layer == ANY_LAYER)
		return true;
	return finding->layer == seeded->layer || finding->other_layer == seeded->layer;
}

static void print_findings(const ai8x_check *check)
{
	for (size_t i = 0; i < ai8x_check_count(check); i++) {
		const ai8x_finding *finding = ai8x_check_get(check, i);
		char text[1024];
		(void)ai8x_finding_describe(finding, text, sizeof text);
		if (finding->severity != AI8X_SEVERITY_INFO)
			(void)printf("    %s\n", text);
	}
}

enum outcome { DOES_NOT_FIT, FOUND, MISSED };

static ai8x_program *spoiled(const struct subject *s)
{
	ai8x_program *program;
	if (ai8x_program_create(s->part, "spoiled", &program, NULL) != AI8X_OK)
		die("out of memory");
	for (size_t i = 0; i < s->ops.count; i++)
		if (ai8x_program_append(program, s->ops.op[i], NULL) != AI8X_OK)
			die("out of memory");
	return program;
}

static enum outcome try_place(struct subject *s, const struct fault *fault, unsigned attempt, bool verbose)
{
	struct seeded seeded;
	copy_ops(s);
	if (!fault->inject(s, attempt, &seeded))
		return DOES_NOT_FIT;
	ai8x_program *program = spoiled(s);
	ai8x_check *check;
	ai8x_error error = {0};
	if (ai8x_check_program(program, NULL, &check, &error) != AI8X_OK)
		die(error.message);
	bool found = false, wrong = false;
	for (size_t i = 0; i < ai8x_check_count(check); i++) {
		const ai8x_finding *finding = ai8x_check_get(check, i);
		found |= accepts(fault, &seeded, finding);
		wrong |= finding->kind == AI8X_CHECK_RESULT || finding->kind == AI8X_CHECK_LAYER_ILLEGAL ||
		         finding->kind == AI8X_CHECK_FIFO_DEADLOCK;
	}
	enum outcome outcome = found ? FOUND : MISSED;
	// Without any effect on the result it is no fault: not everything that a program writes is used.
	if (!found && fault->visible && !wrong)
		outcome = DOES_NOT_FIT;
	if (outcome == MISSED || (verbose && outcome == FOUND)) {
		(void)printf("%s %s in %s: layer %d, group %d\n", found ? "found" : "MISSED", fault->name, s->path,
		             seeded.layer, seeded.group);
		print_findings(check);
	}
	ai8x_check_destroy(check);
	ai8x_program_destroy(program);
	return outcome;
}

static enum outcome try_fault(struct subject *s, const struct fault *fault, bool verbose)
{
	for (unsigned attempt = 0; attempt < 6; attempt++) {
		enum outcome outcome = try_place(s, fault, attempt, verbose);
		if (outcome != DOES_NOT_FIT)
			return outcome;
	}
	return DOES_NOT_FIT;
}

// --- All of them ---------------------------------------------------------------------------------------

static bool open_subject(const char *path, struct subject *s)
{
	ai8x_program_options options = {.skip_tensors = true};
	ai8x_error error = {0};
	*s = (struct subject){.path = path};
	if (ai8x_program_open(path, &options, &s->program, &error) != AI8X_OK)
		die(error.message);
	s->part = ai8x_program_part(s->program);
	return study(s);
}

static void close_subject(struct subject *s)
{
	ai8x_program_destroy(s->program);
	free(s->ops.op);
}

struct tally {
	unsigned found, missed;
};

struct choice {
	const char *only;
	bool all, verbose;
};

// Whether a fault is tried on a program in this round: the first round begins somewhere in the list, the
// second one goes through the rest.
static bool is_due(const struct choice *choice, size_t fault, const struct tally *tally, size_t number,
                   size_t count, int round)
{
	size_t begin = fault * count / FAULTS;
	if (choice->only != NULL && strcmp(choice->only, faults[fault].name) != 0)
		return false;
	return (round == 0) == (number >= begin) && (choice->all || tally->found + tally->missed < ENOUGH);
}

static void try_program(const char *path, size_t number, size_t count, int round, const struct choice *choice,
                        struct tally tallies[FAULTS])
{
	static struct subject subject;
	bool open = false;
	for (size_t f = 0; f < FAULTS; f++) {
		if (!is_due(choice, f, &tallies[f], number, count, round))
			continue;
		if (!open && !open_subject(path, &subject)) {
			(void)printf("%s does not work by itself\n", path);
			close_subject(&subject);
			return;
		}
		open = true;
		enum outcome outcome = try_fault(&subject, &faults[f], choice->verbose);
		tallies[f].found += outcome == FOUND;
		tallies[f].missed += outcome == MISSED;
	}
	if (open)
		close_subject(&subject);
}

struct paths {
	char **path;
	size_t count, capacity;
};

static void add_path(struct paths *paths, const char *path)
{
	if (paths->count == paths->capacity) {
		paths->capacity = paths->capacity == 0 ? 64 : 2 * paths->capacity;
		paths->path = realloc(paths->path, paths->capacity * sizeof *paths->path);
		if (paths->path == NULL)
			die("out of memory");
	}
	paths->path[paths->count] = strdup(path);
	if (paths->path[paths->count++] == NULL)
		die("out of memory");
}

static int is_program(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 3 && strcmp(entry->d_name + length - 3, ".h5") == 0;
}

static void add_folder(struct paths *paths, const char *folder)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, is_program, alphasort);
	if (count < 0) {
		(void)printf("no folder %s: its programs are left out\n", folder);
		return;
	}
	for (int i = 0; i < count; i++) {
		char path[4096];
		(void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		add_path(paths, path);
		free(entries[i]);
	}
	free(entries);
}

static int conclude(const struct tally tallies[FAULTS], const char *only)
{
	unsigned missed = 0, short_of = 0;
	for (size_t f = 0; f < FAULTS; f++) {
		if (only != NULL && strcmp(only, faults[f].name) != 0)
			continue;
		(void)printf("%-28s found %3u, missed %u\n", faults[f].name, tallies[f].found, tallies[f].missed);
		missed += tallies[f].missed;
		short_of += tallies[f].found < faults[f].minimum;
	}
	if (missed > 0)
		return 1;
	if (short_of > 0) {
		(void)printf("too few programs for %u kinds of faults: are the golden programs here?\n", short_of);
		return SKIPPED;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct tally tallies[FAULTS];
	struct paths paths = {0};
	struct choice choice = {0};
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--all") == 0)
			choice.all = true;
		else if (strcmp(argv[i], "--verbose") == 0)
			choice.verbose = true;
		else if (strcmp(argv[i], "--fault") == 0 && i + 1 < argc)
			choice.only = argv[++i];
		else if (strlen(argv[i]) > 3 && strcmp(argv[i] + strlen(argv[i]) - 3, ".h5") == 0)
			add_path(&paths, argv[i]);
		else
			add_folder(&paths, argv[i]);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < paths.count; i++)
			try_program(paths.path[i], i, paths.count, round, &choice, tallies);
	for (size_t i = 0; i < paths.count; i++)
		free(paths.path[i]);
	free(paths.path);
	return conclude(tallies, choice.only);
}
