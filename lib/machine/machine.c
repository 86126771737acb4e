// The machine's handle: bus accesses with their side effects, reset, views.
#include "machine/machine.h"

#include <stdlib.h>
#include <string.h>

// Words a FIFO holds when nothing else is asked for. The depth is not published.
#define DEFAULT_FIFO_DEPTH 8

ai8x_machine_options ai8x_machine_options_default(void)
{
	return (ai8x_machine_options){.engine = AI8X_ENGINE_AUTO, .fifo_depth = DEFAULT_FIFO_DEPTH};
}

ai8x_status ai8x_machine_reset(ai8x_machine *machine)
{
	if (machine == NULL || observe_refuse(machine, __func__, NULL) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	run_forget(machine);
	observe_forget(machine);
	machine->context.cycle = 0;
	memset(&machine->mlator, 0, sizeof machine->mlator);
	bus_reset(&machine->bus, machine->options.fifo_depth);
	return AI8X_OK;
}

static ai8x_status check_options(const ai8x_machine_options *options, ai8x_error *error)
{
	if ((unsigned)options->engine > AI8X_ENGINE_FAST)
		return error_set(error, AI8X_ERR_ARGUMENT, "a machine has no engine %d; engines are 0 to %d",
		                 (int)options->engine, AI8X_ENGINE_FAST);
	if (options->fifo_depth < 1 || options->fifo_depth > FIFO_MAX_DEPTH)
		return error_set(error, AI8X_ERR_ARGUMENT, "a FIFO cannot hold %u words; expected 1 to %d",
		                 options->fifo_depth, FIFO_MAX_DEPTH);
	if (options->threads > AI8X_MAX_THREADS)
		return error_set(error, AI8X_ERR_ARGUMENT,
		                 "a machine cannot have %u threads; expected 1 to %d, or 0 for one", options->threads,
		                 AI8X_MAX_THREADS);
	return AI8X_OK;
}

ai8x_status ai8x_machine_create(const ai8x_part *part, const ai8x_machine_options *options,
                                ai8x_machine **machine, ai8x_error *error)
{
	if (machine != NULL)
		*machine = NULL;
	if (part == NULL || machine == NULL)
		return error_null(error, part == NULL ? "part" : "machine");
	if (options != NULL && check_options(options, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	ai8x_machine *m = calloc(1, sizeof *m);
	if (m == NULL || bus_create(&m->bus, part) != AI8X_OK) {
		free(m);
		return error_no_memory(error, "a machine");
	}
	m->part = part;
	m->options = options != NULL ? *options : ai8x_machine_options_default();
	m->context = (struct exact_context){
		.data = &m->bus.data,
		.kernel = &m->bus.kernel,
		.bias = &m->bus.bias,
		.keep_absent_lanes = m->options.keep_absent_lanes,
		.emit = observe_emit,
		.user = m,
	};
	// Memories are fresh: only registers and FIFOs need their reset values.
	registers_reset(&m->bus.registers, part);
	for (unsigned f = 0; f < FIFO_COUNT; f++)
		fifo_reset(&m->bus.fifo[f], m->options.fifo_depth);
	ai8x_status status = fast_setup(m, error);
	if (status != AI8X_OK) {
		ai8x_machine_destroy(m);
		return status;
	}
	*machine = m;
	return AI8X_OK;
}

ai8x_status ai8x_machine_clone(const ai8x_machine *from, ai8x_machine **machine, ai8x_error *error)
{
	if (machine != NULL)
		*machine = NULL;
	if (from == NULL || machine == NULL)
		return error_null(error, from == NULL ? "from" : "machine");
	if (from->run.phase != RUN_IDLE)
		return error_set(error, AI8X_ERR_ARGUMENT, "a machine that runs cannot be copied");
	ai8x_machine *to;
	ai8x_status status = ai8x_machine_create(from->part, &from->options, &to, error);
	if (status != AI8X_OK)
		return status;
	to->bus.registers = from->bus.registers;
	bus_copy_memories(&to->bus, &from->bus);
	memcpy(to->decoded, from->decoded, sizeof to->decoded);
	machine_share_plans(to, from);
	*machine = to;
	return AI8X_OK;
}

void machine_share_plans(ai8x_machine *machine, const ai8x_machine *from)
{
	for (unsigned i = 0; i < AI8X_MAX_LAYERS; i++) {
		struct fast_plan *plan = fast_plan_retain(from->fast.plan[i]);
		fast_plan_release(machine->fast.plan[i]);
		machine->fast.plan[i] = plan;
	}
}

ai8x_status ai8x_machine_copy_data(ai8x_machine *machine, const ai8x_machine *from, unsigned instance,
                                   uint32_t first, uint32_t words, ai8x_error *error)
{
	if (machine == NULL || from == NULL)
		return error_null(error, machine == NULL ? "machine" : "from");
	if (observe_refuse(machine, __func__, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	const uint32_t size = machine->bus.data.words;
	if (machine->part != from->part || instance >= AI8X_INSTANCES || first > size || words > size - first)
		return error_set(error, AI8X_ERR_ARGUMENT, "words 0x%x to 0x%x of instance %u cannot be copied",
		                 first, first + words, instance);
	memcpy(machine->bus.data.word[instance] + first, from->bus.data.word[instance] + first,
	       words * sizeof(uint32_t));
	return AI8X_OK;
}

ai8x_status ai8x_machine_store_data(ai8x_machine *machine, unsigned instance, uint32_t first,
                                    const uint32_t *values, uint32_t words, ai8x_error *error)
{
	if (machine == NULL || (values == NULL && words > 0))
		return error_null(error, machine == NULL ? "machine" : "values");
	if (observe_refuse(machine, __func__, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	const uint32_t size = machine->bus.data.words;
	if (instance >= AI8X_INSTANCES || first > size || words > size - first)
		return error_set(error, AI8X_ERR_ARGUMENT, "words 0x%x to 0x%x of instance %u do not exist", first,
		                 first + words, instance);
	if (words > 0)
		memcpy(machine->bus.data.word[instance] + first, values, words * sizeof *values);
	return AI8X_OK;
}

void ai8x_machine_destroy(ai8x_machine *machine)
{
	if (machine == NULL)
		return;
	// Whoever called back still works with it.
	if (machine->telling > 0) {
		machine->refused = __func__;
		return;
	}
	run_forget(machine);
	observe_release(machine);
	fast_release(machine);
	for (unsigned i = 0; i < AI8X_MAX_STREAMS; i++)
		stream_image_release(&machine->streamed[i]);
	bus_destroy(&machine->bus);
	free(machine);
}

const ai8x_part *ai8x_machine_part(const ai8x_machine *machine)
{
	if (machine == NULL)
		return NULL;
	return machine->part;
}

static void tell_bus(ai8x_machine *machine, ai8x_event_kind kind, uint32_t address, uint32_t value,
                     unsigned bytes)
{
	// A callback that reads is not told of its own reads.
	if ((machine->context.kinds & (uint32_t)kind) == 0 || machine->telling > 0)
		return;
	ai8x_event event = {
		.kind = kind,
		.cycle = machine->context.cycle,
		.u.bus =
			{
				.address = address,
				.value = value,
				.bytes = (uint8_t)bytes,
				.running = machine->run.phase == RUN_ACTIVE,
			},
	};
	observe_emit(machine, &event);
}

static void tell_commit(ai8x_machine *machine, const struct part_target *target, struct kernel_commit commit)
{
	ai8x_event event = {
		.kind = AI8X_EVENT_KERNEL_WRITE,
		.cycle = machine->context.cycle,
		.u.commit =
			{
				.processor = (uint8_t)(target->group * PROCESSORS_PER_GROUP + target->unit),
				.word = commit.word,
				.whole = commit.whole,
			},
	};
	observe_emit(machine, &event);
}

static ai8x_status push(ai8x_machine *machine, unsigned fifo, uint32_t value)
{
	if (!fifo_push(&machine->bus.fifo[fifo], value))
		return AI8X_FIFO_FULL;
	if (machine->context.kinds & AI8X_EVENT_FIFO_PUSH) {
		ai8x_event event = {
			.kind = AI8X_EVENT_FIFO_PUSH,
			.cycle = machine->context.cycle,
			.u.fifo = {.fifo = (uint8_t)fifo, .value = value, .level = machine->bus.fifo[fifo].level},
		};
		observe_emit(machine, &event);
	}
	run_fifo_pushed(machine);
	return AI8X_OK;
}

static uint32_t fifo_status(const ai8x_machine *machine)
{
	const struct ai8x_part *part = machine->part;
	const struct registers *registers = &machine->bus.registers;
	uint32_t enabled = field_get(registers, F_FIFO_EN, 0, 0);
	uint32_t full = 0, empty = 0, almost_full = 0, almost_empty = 0;
	for (unsigned f = 0; f < FIFO_FAST; f++) {
		const struct fifo *fifo = &machine->bus.fifo[f];
		full |= (uint32_t)(fifo->level == fifo->depth) << f;
		empty |= (uint32_t)(fifo->level == 0) << f;
		almost_full |= (uint32_t)(fifo->depth - fifo->level <= field_get(registers, F_FIFO_FULL_THRESH, 0, 0))
		               << f;
		almost_empty |= (uint32_t)(fifo->level <= field_get(registers, F_FIFO_EMPTY_THRESH, 0, 0)) << f;
	}
	bool write_equal = true, read_equal = true;
	for (unsigned f = 1; f < FIFO_FAST; f++) {
		if ((enabled >> f & 1) == 0 || (enabled & ((1u << f) - 1)) == 0)
			continue;
		const struct fifo *first = &machine->bus.fifo[__builtin_ctz(enabled)];
		write_equal &= machine->bus.fifo[f].pushed == first->pushed;
		read_equal &= machine->bus.fifo[f].popped == first->popped;
	}
	const struct {
		enum part_field_id field;
		uint32_t value;
	} fields[] = {
		{F_STAT_FULL, full},
		{F_STAT_EMPTY, empty},
		{F_STAT_ALMOST_FULL, almost_full},
		{F_STAT_ALMOST_EMPTY, almost_empty},
		{F_STAT_ALL_FULL, (full & enabled) == enabled},
		{F_STAT_ANY_EMPTY, (empty & enabled) != 0},
		{F_STAT_ALL_ALMOST_FULL, (almost_full & enabled) == enabled},
		{F_STAT_ANY_ALMOST_EMPTY, (almost_empty & enabled) != 0},
		{F_STAT_WPTR_EQ, write_equal},
		{F_STAT_RPTR_EQ, read_equal},
	};
	uint32_t status = 0;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		status |= fields[i].value << part->fields[fields[i].field].low;
	return status;
}

static ai8x_status write_register(ai8x_machine *machine, const struct part_target *target, uint32_t value,
                                  ai8x_error *error)
{
	struct registers *registers = &machine->bus.registers;
	const uint32_t old = register_get(registers, target->reg, target->group, target->index);
	switch (target->reg) {
	case REG_FIFO_WR:
		return push(machine, target->index, value);
	case REG_FAST_DR:
		return push(machine, FIFO_FAST, value);
	case REG_FIFO_STAT:
	case REG_FAST_SR:
	case REG_MLAT:
		return AI8X_OK; // read only
	case REG_SRAM_TEST:
		selftest_written(machine, target->group, old, value);
		return AI8X_OK;
	case REG_CTL:
		register_set(registers, target->reg, target->group, target->index, value);
		mlator_control_written(machine, target->group, old, value);
		return run_control_written(machine, target->group, old, value, error);
	default:
		register_set(registers, target->reg, target->group, target->index, value);
		return AI8X_OK;
	}
}

static uint32_t read_register(ai8x_machine *machine, const struct part_target *target)
{
	switch (target->reg) {
	case REG_FIFO_STAT:
		return fifo_status(machine);
	case REG_FAST_SR: {
		const struct fifo *fifo = &machine->bus.fifo[FIFO_FAST];
		return fifo->level == fifo->depth ? part_field_mask(machine->part, F_FAST_FULL) : 0;
	}
	case REG_MLAT:
		return mlator_read(machine);
	default:
		if (machine->part->registers[target->reg].write_only)
			return 0;
		return register_get(&machine->bus.registers, target->reg, target->group, target->index);
	}
}

static ai8x_status write_target(ai8x_machine *machine, const struct part_target *target, uint32_t address,
                                unsigned bytes, uint32_t value, ai8x_error *error)
{
	tell_bus(machine, AI8X_EVENT_BUS_WRITE, address, value, bytes);
	if (!target->is_register) {
		const struct kernel_commit commit = bus_write_memory(&machine->bus, target, bytes, value);
		if (commit.committed && (machine->context.kinds & AI8X_EVENT_KERNEL_WRITE) != 0)
			tell_commit(machine, target, commit);
		return AI8X_OK;
	}
	if (bytes == 1) {
		uint32_t shift = 8 * target->byte;
		uint32_t old = register_get(&machine->bus.registers, target->reg, target->group, target->index);
		value = (old & ~(UINT32_C(0xff) << shift)) | value << shift;
	}
	return write_register(machine, target, value, error);
}

static ai8x_status bus_write(ai8x_machine *machine, uint32_t address, unsigned bytes, uint32_t value,
                             ai8x_error *error)
{
	struct part_target target;
	ai8x_status status = bus_decode(&machine->bus, address, bytes, &target, error);
	return status != AI8X_OK ? status : write_target(machine, &target, address, bytes, value, error);
}

ai8x_status ai8x_machine_write32(ai8x_machine *machine, uint32_t address, uint32_t value, ai8x_error *error)
{
	if (machine == NULL)
		return error_null(error, "machine");
	if (observe_refuse(machine, __func__, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	return bus_write(machine, address, 4, value, error);
}

ai8x_status ai8x_machine_write8(ai8x_machine *machine, uint32_t address, uint8_t value, ai8x_error *error)
{
	if (machine == NULL)
		return error_null(error, "machine");
	if (observe_refuse(machine, __func__, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	return bus_write(machine, address, 1, value, error);
}

ai8x_status ai8x_machine_read32(ai8x_machine *machine, uint32_t address, uint32_t *value, ai8x_error *error)
{
	if (machine == NULL || value == NULL)
		return error_null(error, machine == NULL ? "machine" : "value");
	struct part_target target;
	*value = 0;
	ai8x_status status = bus_decode(&machine->bus, address, 4, &target, error);
	if (status != AI8X_OK)
		return status;
	*value = target.is_register ? read_register(machine, &target) : bus_read_memory(&machine->bus, &target);
	tell_bus(machine, AI8X_EVENT_BUS_READ, address, *value, 4);
	return AI8X_OK;
}

ai8x_status ai8x_machine_read8(ai8x_machine *machine, uint32_t address, uint8_t *value, ai8x_error *error)
{
	if (machine == NULL || value == NULL)
		return error_null(error, machine == NULL ? "machine" : "value");
	uint32_t word;
	*value = 0;
	ai8x_status status = ai8x_machine_read32(machine, address & ~UINT32_C(3), &word, error);
	if (status == AI8X_OK)
		*value = (uint8_t)(word >> (8 * (address & 3)));
	return status;
}

static ai8x_status fifo_decode(const ai8x_machine *machine, uint32_t address, struct part_target *target,
                               ai8x_error *error)
{
	ai8x_status status = bus_decode(&machine->bus, address, 4, target, error);
	if (status == AI8X_OK &&
	    (!target->is_register || (target->reg != REG_FIFO_WR && target->reg != REG_FAST_DR)))
		status = error_set(error, AI8X_ERR_ADDRESS, "0x%08x is not a FIFO data register", address);
	return status;
}

ai8x_status ai8x_machine_fifo_push(ai8x_machine *machine, uint32_t address, uint32_t value, ai8x_error *error)
{
	if (machine == NULL)
		return error_null(error, "machine");
	if (observe_refuse(machine, __func__, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	struct part_target target;
	ai8x_status status = fifo_decode(machine, address, &target, error);
	return status != AI8X_OK ? status : write_target(machine, &target, address, 4, value, error);
}

ai8x_status ai8x_machine_fifo_push_words(ai8x_machine *machine, uint32_t address, const uint32_t *values,
                                         size_t count, size_t *taken, ai8x_error *error)
{
	if (taken != NULL)
		*taken = 0;
	if (machine == NULL || taken == NULL)
		return error_null(error, machine == NULL ? "machine" : "taken");
	if (values == NULL && count > 0)
		return error_null(error, "values");
	if (observe_refuse(machine, __func__, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	struct part_target target;
	ai8x_status status = fifo_decode(machine, address, &target, error);
	while (status == AI8X_OK && *taken < count) {
		status = write_target(machine, &target, address, 4, values[*taken], error);
		if (status == AI8X_OK)
			++*taken;
	}
	return status;
}

bool ai8x_machine_running(const ai8x_machine *machine)
{
	if (machine == NULL)
		return false;
	return machine->run.phase == RUN_ACTIVE;
}

uint64_t ai8x_machine_cycles(const ai8x_machine *machine)
{
	if (machine == NULL)
		return 0;
	return machine->context.cycle;
}

ai8x_status ai8x_machine_decode(const ai8x_machine *machine, uint32_t index, ai8x_layer *layer,
                                ai8x_error *error)
{
	if (machine == NULL || layer == NULL)
		return error_null(error, machine == NULL ? "machine" : "layer");
	struct layer_run members = machine->run.members;
	// Before a start nobody has said which groups run together: look at all.
	if (members.groups == 0)
		members = (struct layer_run){.groups = (1u << AI8X_GROUPS) - 1};
	return layer_decode(&machine->bus.registers, &members, index, layer, error);
}

const uint32_t *ai8x_machine_data(const ai8x_machine *machine, unsigned instance, size_t *words)
{
	if (machine == NULL || instance >= AI8X_INSTANCES)
		return NULL;
	if (words != NULL)
		*words = machine->bus.data.words;
	return machine->bus.data.word[instance];
}

const uint8_t *ai8x_machine_kernels(const ai8x_machine *machine, unsigned processor, size_t *words)
{
	if (machine == NULL || processor >= AI8X_PROCESSORS)
		return NULL;
	if (words != NULL)
		*words = machine->bus.kernel.unit[processor].words;
	return machine->bus.kernel.unit[processor].stream;
}

const int8_t *ai8x_machine_bias(const ai8x_machine *machine, unsigned group, size_t *entries)
{
	if (machine == NULL || group >= AI8X_GROUPS)
		return NULL;
	if (entries != NULL)
		*entries = machine->bus.bias.entries;
	return machine->bus.bias.entry[group];
}
