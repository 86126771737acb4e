// Batches: the operations of a program sorted into what is done once (configuration, kernels, bias), what
// each run repeats (input, start), and where results are found.
#include <ai8xsim/batch.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "layer/geometry.h"
#include "machine/machine.h"
#include "runner/placement.h"

#define LANES 4
#define NO_VALUE UINT32_MAX
#define PUSHED_WORDS 64
#define SNOOP_UNITS 2

// A word of input: written to data memory before the run, or pushed into a FIFO while it runs.
struct input_word {
	uint32_t address;
	uint32_t recorded;
	uint32_t order;        // among the program's writes
	uint32_t value[LANES]; // place in the input tensor of each byte, or NO_VALUE: zero
};

// All FIFO words, when they follow each other right before RUN and come to as many for each FIFO.
struct feed {
	unsigned fifos;     // bit f: FIFO f gets some; 0: words are pushed one by one
	size_t count;       // words of each
	size_t *order;      // [fifo_count]: places in fifo_words, FIFO by FIFO
	uint32_t *recorded; // what the program writes, in this order
};

struct output_word {
	unsigned instance;
	uint32_t word;
	unsigned shift; // of the value inside the word
};

// Words of one instance of data memory.
struct range {
	unsigned instance;
	uint32_t first, count;
};

struct ai8x_batch {
	const ai8x_program *program;
	const ai8x_part *part;
	ai8x_batch_options options;
	ai8x_machine *prototype;                      // loaded, not running
	struct input_word *memory_words, *fifo_words; // the former by address, each once
	size_t memory_count, fifo_count;
	uint32_t *recorded; // values of memory_words
	struct feed feed;
	struct range *input_ranges; // of memory_words, in their order
	size_t input_range_count;
	uint32_t longest_input_range;
	size_t first_start, run; // operations that start the machine: [first_start, run)
	bool takes_input;
	char refusal[160];
	uint32_t input_shape[3], output_shape[3];
	struct output_word *outputs;
	bool output_wide;
	uint64_t cycles;
	struct range *written; // restored before each run
	size_t written_count;
};

struct ai8x_batch_worker {
	const ai8x_batch *batch;
	ai8x_machine *machine;
	uint32_t *words; // [longest_input_range]
	uint32_t *fed;   // [fifo_count], as the feed orders them
};

ai8x_batch_options ai8x_batch_options_default(void)
{
	return (ai8x_batch_options){.machine = ai8x_machine_options_default()};
}

// --- Sorting operations --------------------------------------------------------------------------------

static bool is_control(const ai8x_part *part, const ai8x_op *op)
{
	struct part_target target;
	return op->kind == AI8X_BUS_WRITE32 && part_decode_address(part, op->address, &target) &&
	       target.is_register && target.reg == REG_CTL;
}

static bool is_data(const ai8x_part *part, const ai8x_op *op)
{
	struct part_target target;
	return op->kind == AI8X_BUS_WRITE32 && part_decode_address(part, op->address, &target) &&
	       !target.is_register && target.memory == MEMORY_DATA;
}

// Finds RUN and the first operation that enables a group.
static ai8x_status find_start(ai8x_batch *batch, ai8x_error *error)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(batch->program, &count);
	batch->run = count;
	batch->first_start = count;
	for (size_t i = 0; i < count && batch->run == count; i++)
		if (ops[i].kind == AI8X_BUS_RUN)
			batch->run = i;
		else if (batch->first_start == count && is_control(batch->part, &ops[i]) &&
		         part_field_extract(batch->part, F_CNN_EN, ops[i].value))
			batch->first_start = i;
	if (batch->run == count || batch->first_start >= batch->run)
		return error_set(error, AI8X_ERR_NOT_STARTED, "the program never starts the machine");
	// The writes that arm the groups stand right before it.
	while (batch->first_start > 0 && is_control(batch->part, &ops[batch->first_start - 1]))
		batch->first_start--;
	return AI8X_OK;
}

static int by_address(const void *a, const void *b)
{
	const struct input_word *left = a, *right = b;
	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	return left->order < right->order ? -1 : 1;
}

// Programs may write pixel by pixel, to many instances in turn: by address, words come in long ranges. Of several
// writes to a word the last one counts.
static void sort_memory_words(ai8x_batch *batch)
{
	struct input_word *words = batch->memory_words;
	size_t kept = 0;
	if (batch->memory_count > 0)
		qsort(words, batch->memory_count, sizeof *words, by_address);
	for (size_t i = 0; i < batch->memory_count; i++) {
		if (kept > 0 && words[kept - 1].address == words[i].address)
			kept--;
		batch->recorded[kept] = words[i].recorded;
		words[kept++] = words[i];
	}
	batch->memory_count = kept;
}

static void find_input_ranges(ai8x_batch *batch)
{
	struct range *last = NULL;
	for (size_t i = 0; i < batch->memory_count; i++) {
		struct range word = {.count = 1};
		(void)data_memory_split(batch->part, batch->memory_words[i].address, &word.instance, &word.first);
		if (last != NULL && last->instance == word.instance && last->first + last->count == word.first) {
			last->count++;
		} else {
			last = &batch->input_ranges[batch->input_range_count++];
			*last = word;
		}
		if (last->count > batch->longest_input_range)
			batch->longest_input_range = last->count;
	}
}

static ai8x_status sort_input(ai8x_batch *batch, ai8x_error *error)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(batch->program, &count);
	batch->memory_words = calloc(batch->run + 1, sizeof *batch->memory_words);
	batch->fifo_words = calloc(batch->run + 1, sizeof *batch->fifo_words);
	if (batch->memory_words == NULL || batch->fifo_words == NULL)
		return error_no_memory(error, "a batch's input");
	for (size_t i = 0; i < batch->run; i++) {
		const struct input_word word = {
			.address = ops[i].address, .recorded = ops[i].value, .order = (uint32_t)i};
		if (ops[i].kind == AI8X_BUS_FIFO_WRITE32)
			batch->fifo_words[batch->fifo_count++] = word;
		else if (i < batch->first_start && is_data(batch->part, &ops[i]))
			batch->memory_words[batch->memory_count++] = word;
	}
	batch->input_ranges = calloc(batch->memory_count + 1, sizeof *batch->input_ranges);
	batch->recorded = calloc(batch->memory_count + 1, sizeof *batch->recorded);
	if (batch->input_ranges == NULL || batch->recorded == NULL)
		return error_no_memory(error, "a batch's input");
	sort_memory_words(batch);
	find_input_ranges(batch);
	return AI8X_OK;
}

// Carries out one operation of the program that is neither input nor RUN.
static ai8x_status replay(ai8x_machine *machine, const ai8x_op *op, ai8x_error *error)
{
	uint32_t value;
	switch (op->kind) {
	case AI8X_BUS_WRITE32:
		return ai8x_machine_write32(machine, op->address, op->value, error);
	case AI8X_BUS_WRITE8:
		return ai8x_machine_write8(machine, op->address, (uint8_t)op->value, error);
	case AI8X_BUS_WAIT:
	case AI8X_BUS_EXPECT: {
		ai8x_status status = ai8x_machine_read32(machine, op->address, &value, error);
		if (status == AI8X_OK && (value & op->mask) != (op->value & op->mask))
			status = error_set(error, op->kind == AI8X_BUS_WAIT ? AI8X_ERR_STALLED : AI8X_ERR_MISMATCH,
			                   "0x%08x holds 0x%08x, expected 0x%08x (mask 0x%08x)", op->address, value,
			                   op->value, op->mask);
		return status;
	}
	default:
		return AI8X_OK;
	}
}

static ai8x_status load(ai8x_batch *batch, ai8x_error *error)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(batch->program, &count);
	for (size_t i = 0; i < batch->first_start; i++) {
		ai8x_status status = replay(batch->prototype, &ops[i], error);
		if (status != AI8X_OK)
			return status;
	}
	return AI8X_OK;
}

// --- Where input values go -----------------------------------------------------------------------------

// Place in the input tensor of a byte of layer 0's input (hardware reference 4.2): `offset` words after its
// first word in `instance`.
static uint32_t input_value(const ai8x_layer *layer, const uint32_t shape[3], unsigned instance,
                            uint32_t offset, unsigned lane)
{
	const uint32_t pixels = shape[1] * shape[2];
	const uint32_t channels = shape[0] / layer->operands;
	unsigned processor = instance * LANES + lane;
	uint32_t pixel = offset * LANES + lane, channel = 0;
	if (layer->chw) {
		processor = instance * LANES;
	} else {
		// A single pixel may leave the step between pixels at anything.
		const bool single = layer->rows * layer->columns == 1;
		uint32_t inside = single ? offset : offset % layer->pixel_step;
		pixel = single ? 0 : offset / layer->pixel_step;
		if (inside >= layer->passes * layer->operands)
			return NO_VALUE;
		// A flattened image is one pixel with a pass for each of its own (hardware reference 4.5).
		if (single && pixels > 1 && layer->passes % pixels == 0) {
			const uint32_t words = layer->passes / pixels * layer->operands;
			pixel = inside / words;
			inside %= words;
		}
		uint32_t per_pass = bits_count(layer->processors);
		channel = inside / layer->operands * per_pass;
		if (channel > 0 && per_pass % LANES != 0)
			channel = inside / layer->operands * ((per_pass + LANES - 1) / LANES * LANES);
	}
	if ((layer->processors >> processor & 1) == 0 || pixel >= pixels)
		return NO_VALUE;
	channel += bits_rank(layer->processors, processor);
	if (channel >= channels)
		return NO_VALUE;
	const uint32_t operand = layer->chw ? 0 : offset % layer->operands;
	return (operand * channels + channel) * pixels + pixel;
}

static unsigned fifo_of(const ai8x_part *part, uint32_t address)
{
	struct part_target target;
	if (!part_decode_address(part, address, &target) || target.reg == REG_FAST_DR)
		return FIFO_FAST;
	return target.index % FIFO_FAST;
}

static void map_memory_word(const ai8x_batch *batch, const ai8x_layer *layer, struct input_word *word)
{
	unsigned instance;
	uint32_t at;
	for (unsigned lane = 0; lane < LANES; lane++)
		word->value[lane] = NO_VALUE;
	if (!data_memory_split(batch->part, word->address, &instance, &at))
		return;
	const uint32_t base = layer_read_base(layer, instance);
	for (unsigned lane = 0; lane < LANES && at >= base; lane++)
		word->value[lane] = input_value(layer, batch->input_shape, instance, at - base, lane);
}

// FIFO f fills the first instance of group f, the fast FIFO that of group 0 or one byte of each (5.1).
static void map_fifo_word(const ai8x_batch *batch, const ai8x_layer *layer, bool bytes_to_groups,
                          struct input_word *word, uint32_t counts[FIFO_COUNT])
{
	const unsigned fifo = fifo_of(batch->part, word->address);
	const uint32_t offset = counts[fifo]++;
	for (unsigned lane = 0; lane < LANES; lane++) {
		if (fifo == FIFO_FAST && bytes_to_groups)
			word->value[lane] = input_value(layer, batch->input_shape, lane * INSTANCES_PER_GROUP, offset, 0);
		else
			word->value[lane] = input_value(layer, batch->input_shape,
			                                fifo == FIFO_FAST ? 0 : fifo * INSTANCES_PER_GROUP, offset, lane);
	}
}

static uint32_t compose_recorded(const struct input_word *word, const int32_t *input)
{
	uint32_t value = 0;
	for (unsigned lane = 0; lane < LANES; lane++)
		if (word->value[lane] != NO_VALUE)
			value |= (uint32_t)((uint32_t)input[word->value[lane]] & 0xff) << (8 * lane);
	return value;
}

// Maps the input tensor to words and proves the map with the recorded input: every value must be found.
static ai8x_status map_input(ai8x_batch *batch, const ai8x_layer *layer, bool bytes_to_groups,
                             ai8x_error *error)
{
	const int32_t *input = ai8x_program_input(batch->program, batch->input_shape);
	uint32_t counts[FIFO_COUNT] = {0};
	size_t found = 0;
	if (input == NULL || batch->input_shape[0] % layer->operands != 0 || layer->pixel_step == 0) {
		(void)snprintf(batch->refusal, sizeof batch->refusal, "the program records no input tensor");
		return AI8X_OK;
	}
	const size_t values = (size_t)batch->input_shape[0] * batch->input_shape[1] * batch->input_shape[2];
	struct input_word *words = layer->fifo ? batch->fifo_words : batch->memory_words;
	const size_t count = layer->fifo ? batch->fifo_count : batch->memory_count;
	uint8_t *seen = calloc(values + 1, 1);
	bool right = true;
	if (seen == NULL)
		return error_no_memory(error, "the input's places");
	for (size_t i = 0; i < count && right; i++) {
		if (layer->fifo)
			map_fifo_word(batch, layer, bytes_to_groups, &words[i], counts);
		else
			map_memory_word(batch, layer, &words[i]);
		right = compose_recorded(&words[i], input) == words[i].recorded;
		for (unsigned lane = 0; lane < LANES && right; lane++) {
			uint32_t value = words[i].value[lane];
			if (value != NO_VALUE && !seen[value]) {
				seen[value] = 1;
				found++;
			}
		}
	}
	free(seen);
	batch->takes_input = right && found == values;
	if (!batch->takes_input)
		(void)snprintf(
			batch->refusal, sizeof batch->refusal,
			"the recorded input tensor is not what the program writes for its first layer (%zu of %zu "
			"values found)",
			found, values);
	return AI8X_OK;
}

// --- Where output values are ---------------------------------------------------------------------------

static ai8x_status map_recorded_output(ai8x_batch *batch, const struct placement *placement,
                                       ai8x_error *error)
{
	const size_t pixels = (size_t)placement->rows * placement->columns;
	batch->output_shape[0] = placement->channels;
	batch->output_shape[1] = placement->rows;
	batch->output_shape[2] = placement->columns;
	batch->output_wide = placement->value_bytes == 4;
	batch->outputs = calloc(placement->channels * pixels + 1, sizeof *batch->outputs);
	if (batch->outputs == NULL)
		return error_no_memory(error, "a batch's output");
	for (uint32_t c = 0; c < placement->channels; c++) {
		for (uint32_t p = 0; p < pixels; p++) {
			struct output_word *to = &batch->outputs[c * pixels + p];
			int processor = placement_processor(placement, c);
			uint32_t address = placement_address(placement, batch->part, c, p);
			if (processor < 0 || !data_memory_split(batch->part, address, &to->instance, &to->word))
				return error_set(error, AI8X_ERR_FORMAT,
				                 "channel %u of the recorded output has no place in data memory", c);
			to->shift = batch->output_wide ? 0 : (unsigned)processor % LANES * 8;
		}
	}
	return AI8X_OK;
}

static ai8x_status map_slots(ai8x_batch *batch, const ai8x_layer *layer, ai8x_error *error)
{
	const size_t pixels = (size_t)layer->output_rows * layer->output_columns;
	const uint32_t slots = ai8x_layer_output_slots(layer);
	batch->output_shape[0] = slots;
	batch->output_shape[1] = layer->output_rows;
	batch->output_shape[2] = layer->output_columns;
	batch->output_wide = layer->output_bits == 32;
	batch->outputs = calloc(slots * pixels + 1, sizeof *batch->outputs);
	if (batch->outputs == NULL)
		return error_no_memory(error, "a batch's output");
	for (uint32_t s = 0; s < slots; s++) {
		for (uint32_t p = 0; p < pixels; p++) {
			ai8x_output_place place = ai8x_layer_place(layer, s, p);
			batch->outputs[s * pixels + p] =
				(struct output_word){place.instance, place.word, batch->output_wide ? 0 : place.lane * 8};
		}
	}
	return AI8X_OK;
}

static ai8x_status map_output(ai8x_batch *batch, const ai8x_layer *last, ai8x_error *error)
{
	const size_t layers = ai8x_program_layer_count(batch->program);
	struct placement placement;
	if (layers > 0 && placement_of(batch->program, layers - 1, &placement))
		return map_recorded_output(batch, &placement, error);
	return map_slots(batch, last, error);
}

// Unchanged words between changed ones that are restored with them, for the sake of fewer and longer copies.
#define JOINED_WORDS 16

// What a run does to a word of data memory.
enum {
	WRITES_ALL = 15,  // lanes that are written, one bit each
	READS_EARLY = 16, // before all lanes are written: what the last run left would count
	RESTORES = 32,    // in any case
};

struct written {
	uint32_t words; // of an instance
	uint8_t *map;   // [instance][words]
};

static void mark(struct written *written, unsigned instance, uint64_t first, uint64_t end, uint8_t what)
{
	for (uint64_t word = first; word < end && word < written->words; word++)
		written->map[(size_t)instance * written->words + word] |= what;
}

static void mark_reads(struct written *written, const ai8x_layer *layer)
{
	const uint32_t instances = layer_instances(layer);
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		const uint64_t base = layer_read_base(layer, i), end = base + layer_read_words(layer);
		for (uint64_t word = base; (instances >> i & 1) != 0 && word < end && word < written->words; word++) {
			uint8_t *is = &written->map[(size_t)i * written->words + word];
			if ((*is & WRITES_ALL) != WRITES_ALL)
				*is |= READS_EARLY;
		}
	}
}

static void mark_writes(struct written *written, const ai8x_layer *layer)
{
	const uint32_t slots = ai8x_layer_output_slots(layer);
	const uint32_t pixels = layer->output_rows * layer->output_columns;
	for (uint32_t s = 0; s < slots; s++) {
		const ai8x_output_place first = ai8x_layer_place(layer, s, 0),
								last = ai8x_layer_place(layer, s, pixels - 1);
		// Round a ring, words come to lie between those of the first round.
		if (layer->streaming)
			mark(written, first.instance, first.word, (uint64_t)last.word + 1, RESTORES);
		for (uint32_t p = 0; p < pixels && !layer->streaming; p++) {
			const ai8x_output_place place = ai8x_layer_place(layer, s, p);
			const uint8_t lanes = (uint8_t)(layer->output_bits == 32 ? WRITES_ALL : 1 << place.lane);
			mark(written, place.instance, place.word, (uint64_t)place.word + 1, lanes);
		}
	}
	// FIFO words pass through data memory as well.
	for (unsigned i = 0; layer->fifo && i < AI8X_INSTANCES; i++) {
		const uint32_t base = layer_read_base(layer, i);
		const uint64_t words = layer->ring_words != 0 ? layer->ring_words : layer_read_words(layer);
		mark(written, i, base, base + words, RESTORES);
	}
}

// What is written whole before anything reads it is the same after every run, so that nothing has to be restored.
static bool must_restore(uint8_t is)
{
	return (is & RESTORES) != 0 || ((is & READS_EARLY) != 0 && (is & WRITES_ALL) != 0);
}

// Notes the ranges that are restored. NULL counts them only.
static size_t collect_ranges(const struct written *written, struct range *ranges)
{
	size_t count = 0;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		const uint8_t *map = written->map + (size_t)i * written->words;
		bool open = false;
		uint32_t end = 0;
		for (uint32_t word = 0; word < written->words; word++) {
			if (!must_restore(map[word]))
				continue;
			if (!open || word - end > JOINED_WORDS) {
				if (ranges != NULL)
					ranges[count] = (struct range){.instance = i, .first = word};
				count++;
				open = true;
			}
			end = word + 1;
			if (ranges != NULL)
				ranges[count - 1].count = end - ranges[count - 1].first;
		}
	}
	return count;
}

// Whether a snoop unit may choose other layers for other inputs.
static bool is_steered(const ai8x_batch *batch, ai8x_machine *machine)
{
	bool steered = false;
	for (unsigned g = 0; g < AI8X_GROUPS && part_field_mask(batch->part, F_SNOOP_EN) != 0; g++) {
		for (unsigned unit = 0; unit < SNOOP_UNITS; unit++) {
			uint32_t control = 0;
			(void)ai8x_machine_read32(machine, part_register_address(batch->part, REG_SNOOP_C1, g, unit),
			                          &control, NULL);
			steered |= part_field_extract(batch->part, F_SNOOP_EN, control) != 0;
		}
	}
	return steered;
}

// Whether layers run one after the other, each on what those before it have written.
static bool runs_in_order(const ai8x_machine *machine)
{
	bool in_order = true;
	for (size_t i = 0; i < ai8x_machine_layer_count(machine); i++) {
		const ai8x_layer *layer = &ai8x_machine_layer_report(machine, i)->layer;
		in_order = in_order && !layer->fifo && !layer->streaming && layer->ring_words == 0;
	}
	return in_order;
}

static ai8x_status note_writes(ai8x_batch *batch, ai8x_machine *machine, ai8x_error *error)
{
	struct written written = {.words = ai8x_part_get_info(batch->part)->data_words};
	written.map = calloc((size_t)AI8X_INSTANCES * written.words, sizeof *written.map);
	if (written.map == NULL)
		return error_no_memory(error, "a batch's memory map");
	const bool steered = is_steered(batch, machine), in_order = !steered && runs_in_order(machine);
	// Input is written before every run.
	for (size_t r = 0; r < batch->input_range_count && in_order; r++) {
		const struct range *range = &batch->input_ranges[r];
		mark(&written, range->instance, range->first, range->first + range->count, WRITES_ALL);
	}
	for (size_t i = 0; i < ai8x_machine_layer_count(machine); i++) {
		const ai8x_layer *layer = &ai8x_machine_layer_report(machine, i)->layer;
		if (in_order)
			mark_reads(&written, layer);
		mark_writes(&written, layer);
	}
	for (unsigned i = 0; i < AI8X_INSTANCES && !in_order; i++)
		for (uint32_t word = 0; word < written.words; word++)
			if (steered || written.map[(size_t)i * written.words + word] != 0)
				mark(&written, i, word, word + (uint64_t)1, RESTORES);
	batch->written_count = collect_ranges(&written, NULL);
	batch->written = calloc(batch->written_count + 1, sizeof *batch->written);
	if (batch->written != NULL)
		(void)collect_ranges(&written, batch->written);
	free(written.map);
	return batch->written != NULL ? AI8X_OK : error_no_memory(error, "a batch's memory map");
}

// --- Runs ----------------------------------------------------------------------------------------------

// Pushes the words that go to one FIFO, running the machine whenever it is full.
static ai8x_status push_fifo(ai8x_machine *machine, uint32_t address, const uint32_t *values, size_t count,
                             ai8x_error *error)
{
	size_t taken;
	ai8x_status status = ai8x_machine_fifo_push_words(machine, address, values, count, &taken, error);
	while (status == AI8X_FIFO_FULL) {
		const ai8x_run_limits limits = {.until_fifo_ready = true, .fifo_address = address};
		if (!ai8x_machine_running(machine))
			return error_set(error, AI8X_ERR_STALLED, "a FIFO is full and the machine does not run");
		status = ai8x_machine_run(machine, &limits, error);
		if (status != AI8X_OK)
			return status == AI8X_WAITING ? AI8X_ERR_STALLED : status;
		values += taken;
		count -= taken;
		status = ai8x_machine_fifo_push_words(machine, address, values, count, &taken, error);
		if (status == AI8X_FIFO_FULL && !ai8x_machine_running(machine))
			return error_set(error, AI8X_ERR_STALLED, "the run ended before all FIFO words were taken");
	}
	return status;
}

// Acknowledges and disables all groups, as firmware does after a run.
static ai8x_status disarm(ai8x_machine *machine, ai8x_error *error)
{
	const ai8x_part *part = ai8x_machine_part(machine);
	const uint32_t mask = part_field_mask(part, F_CNN_EN) | part_field_mask(part, F_CNN_IRQ);
	ai8x_status status = AI8X_OK;
	for (unsigned g = 0; g < AI8X_GROUPS && status == AI8X_OK; g++) {
		const uint32_t value = register_get(&machine->bus.registers, REG_CTL, g, 0);
		if ((value & mask) != 0)
			status = ai8x_machine_write32(machine, part_register_address(part, REG_CTL, g, 0), value & ~mask,
			                              error);
	}
	return status;
}

static uint32_t compose(const struct input_word *word, const int8_t *input)
{
	uint32_t value = 0;
	for (unsigned lane = 0; lane < LANES; lane++)
		if (word->value[lane] != NO_VALUE)
			value |= (uint32_t)(uint8_t)input[word->value[lane]] << (8 * lane);
	return value;
}

static ai8x_status store_input(const ai8x_batch *batch, const ai8x_batch_worker *worker, const int8_t *input,
                               ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	size_t at = 0;
	for (size_t r = 0; r < batch->input_range_count && status == AI8X_OK; r++) {
		const struct range *range = &batch->input_ranges[r];
		const uint32_t *words = input == NULL ? batch->recorded + at : worker->words;
		for (uint32_t i = 0; input != NULL && i < range->count; i++)
			worker->words[i] = compose(&batch->memory_words[at + i], input);
		status = ai8x_machine_store_data(worker->machine, range->instance, range->first, words, range->count,
		                                 error);
		at += range->count;
	}
	return status;
}

// The next FIFO words in a row for one FIFO, from operation *i and word *pushed on.
static ai8x_status push_row(const ai8x_batch *batch, ai8x_machine *machine, const int8_t *input, size_t *i,
                            size_t *pushed, ai8x_error *error)
{
	size_t count, row = 0;
	const ai8x_op *ops = ai8x_program_ops(batch->program, &count);
	const uint32_t address = ops[*i].address;
	uint32_t words[PUSHED_WORDS];
	while (row < PUSHED_WORDS && *i < batch->run && ops[*i].kind == AI8X_BUS_FIFO_WRITE32 &&
	       ops[*i].address == address) {
		const struct input_word *word = &batch->fifo_words[(*pushed)++];
		words[row++] = input != NULL ? compose(word, input) : word->recorded;
		++*i;
	}
	return push_fifo(machine, address, words, row, error);
}

// Gives the machine all FIFO words at once. False: it has to be fed word by word.
static bool feed(const ai8x_batch *batch, const ai8x_batch_worker *worker, const int8_t *input)
{
	const struct feed *feed = &batch->feed;
	const uint32_t *values = input != NULL ? worker->fed : feed->recorded, *words[FIFO_COUNT] = {NULL};
	if (feed->fifos == 0)
		return false;
	for (size_t i = 0; i < batch->fifo_count && input != NULL; i++)
		worker->fed[i] = compose(&batch->fifo_words[feed->order[i]], input);
	for (unsigned f = 0; f < FIFO_COUNT; f++) {
		if ((feed->fifos >> f & 1) == 0)
			continue;
		words[f] = values;
		values += feed->count;
	}
	return run_supply(worker->machine, feed->fifos, words, feed->count);
}

static ai8x_status start_and_run(const ai8x_batch *batch, const ai8x_batch_worker *worker,
                                 const int8_t *input, ai8x_error *error)
{
	size_t count, pushed = 0;
	const ai8x_op *ops = ai8x_program_ops(batch->program, &count);
	ai8x_machine *machine = worker->machine;
	ai8x_status status = store_input(batch, worker, input, error);
	for (size_t i = batch->first_start; i < batch->run && status == AI8X_OK;)
		if (ops[i].kind != AI8X_BUS_FIFO_WRITE32)
			status = replay(machine, &ops[i++], error);
		else if (pushed == 0 && feed(batch, worker, input))
			break;
		else
			status = push_row(batch, machine, input, &i, &pushed, error);
	if (status != AI8X_OK)
		return status;
	const ai8x_run_limits limits = {.max_cycles = batch->cycles != 0 ? batch->options.max_cycles : 0};
	status = ai8x_machine_run(machine, &limits, error);
	return status == AI8X_WAITING ? AI8X_ERR_STALLED : status;
}

static void collect(const ai8x_batch *batch, const ai8x_machine *machine, int32_t *output)
{
	const uint32_t *memory[AI8X_INSTANCES];
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		memory[i] = ai8x_machine_data(machine, i, NULL);
	const size_t values = (size_t)batch->output_shape[0] * batch->output_shape[1] * batch->output_shape[2];
	for (size_t v = 0; v < values; v++) {
		const struct output_word *from = &batch->outputs[v];
		const uint32_t word = memory[from->instance][from->word];
		output[v] = batch->output_wide ? (int32_t)word : (int8_t)(uint8_t)(word >> from->shift);
	}
}

// Whether FIFO words can be given all at once: when they stand together right before RUN, and the first run took as many
// from each FIFO. A snoop unit may end other runs earlier.
static ai8x_status note_feed(ai8x_batch *batch, ai8x_machine *machine, ai8x_error *error)
{
	size_t count, counts[FIFO_COUNT] = {0}, used = 0;
	const ai8x_op *ops = ai8x_program_ops(batch->program, &count);
	struct feed *feed = &batch->feed;
	feed->order = calloc(batch->fifo_count + 1, sizeof *feed->order);
	feed->recorded = calloc(batch->fifo_count + 1, sizeof *feed->recorded);
	if (feed->order == NULL || feed->recorded == NULL)
		return error_no_memory(error, "a batch's input");
	bool whole = batch->fifo_count > 0 && !is_steered(batch, machine);
	for (size_t i = batch->run - batch->fifo_count; i < batch->run; i++)
		whole = whole && ops[i].kind == AI8X_BUS_FIFO_WRITE32;
	for (unsigned f = 0; f < FIFO_COUNT && whole; f++) {
		for (size_t i = 0; i < batch->fifo_count; i++) {
			if (fifo_of(batch->part, batch->fifo_words[i].address) != f)
				continue;
			feed->order[used] = i;
			feed->recorded[used++] = batch->fifo_words[i].recorded;
			counts[f]++;
		}
		feed->count = feed->count == 0 ? counts[f] : feed->count;
		feed->fifos |= (unsigned)(counts[f] > 0) << f;
		whole = (counts[f] == 0 || counts[f] == feed->count) && machine->bus.fifo[f].level == 0;
	}
	if (!whole)
		feed->fifos = 0;
	return AI8X_OK;
}

// The first run: with the recorded input, on a copy, so that the prototype stays as it was loaded.
static ai8x_status first_run(ai8x_batch *batch, ai8x_error *error)
{
	ai8x_batch_worker *worker;
	ai8x_status status = ai8x_batch_worker_create(batch, &worker, error);
	if (status != AI8X_OK)
		return status;
	ai8x_machine *machine = worker->machine;
	status = start_and_run(batch, worker, NULL, error);
	const size_t layers = ai8x_machine_layer_count(machine);
	if (status == AI8X_OK && layers == 0)
		status = error_set(error, AI8X_ERR_NOT_STARTED, "the program runs no layer");
	if (status == AI8X_OK) {
		const ai8x_layer *first = &ai8x_machine_layer_report(machine, 0)->layer;
		const uint32_t master = part_register_address(batch->part, REG_CTL, first->master, 0);
		uint32_t control = 0;
		(void)ai8x_machine_read32(machine, master, &control, NULL);
		batch->cycles = ai8x_machine_cycles(machine);
		status = map_input(batch, first, !part_field_extract(batch->part, F_FIFOGRP, control), error);
		if (status == AI8X_OK)
			status = note_writes(batch, machine, error);
		if (status == AI8X_OK)
			status = note_feed(batch, machine, error);
		if (status == AI8X_OK)
			status = map_output(batch, &ai8x_machine_layer_report(machine, layers - 1)->layer, error);
		if (batch->options.max_cycles == 0)
			batch->options.max_cycles = 10 * batch->cycles;
	}
	// Workers start with the plans that this run made.
	machine_share_plans(batch->prototype, machine);
	ai8x_batch_worker_destroy(worker);
	return status;
}

ai8x_status ai8x_batch_create(const ai8x_program *program, const ai8x_batch_options *options,
                              ai8x_batch **out, ai8x_error *error)
{
	if (out != NULL)
		*out = NULL;
	if (program == NULL || out == NULL)
		return error_null(error, program == NULL ? "program" : "batch");
	ai8x_batch *batch = calloc(1, sizeof *batch);
	if (batch == NULL)
		return error_no_memory(error, "a batch");
	batch->program = program;
	batch->part = ai8x_program_part(program);
	batch->options = options != NULL ? *options : ai8x_batch_options_default();
	ai8x_status status = find_start(batch, error);
	if (status == AI8X_OK)
		status = sort_input(batch, error);
	if (status == AI8X_OK)
		status = ai8x_machine_create(batch->part, &batch->options.machine, &batch->prototype, error);
	if (status == AI8X_OK)
		status = load(batch, error);
	if (status == AI8X_OK)
		status = first_run(batch, error);
	if (status != AI8X_OK) {
		ai8x_batch_destroy(batch);
		return status;
	}
	*out = batch;
	return AI8X_OK;
}

void ai8x_batch_destroy(ai8x_batch *batch)
{
	if (batch == NULL)
		return;
	ai8x_machine_destroy(batch->prototype);
	free(batch->memory_words);
	free(batch->fifo_words);
	free(batch->recorded);
	free(batch->input_ranges);
	free(batch->feed.order);
	free(batch->feed.recorded);
	free(batch->outputs);
	free(batch->written);
	free(batch);
}

ai8x_status ai8x_batch_input_shape(const ai8x_batch *batch, uint32_t shape[3], ai8x_error *error)
{
	if (batch == NULL || shape == NULL)
		return error_null(error, batch == NULL ? "batch" : "shape");
	if (!batch->takes_input)
		return error_set(error, AI8X_ERR_UNSUPPORTED, "%s", batch->refusal);
	memcpy(shape, batch->input_shape, sizeof batch->input_shape);
	return AI8X_OK;
}

void ai8x_batch_output_shape(const ai8x_batch *batch, uint32_t shape[3])
{
	if (batch == NULL || shape == NULL)
		return;
	memcpy(shape, batch->output_shape, sizeof batch->output_shape);
}

uint64_t ai8x_batch_cycles(const ai8x_batch *batch)
{
	if (batch == NULL)
		return 0;
	return batch->cycles;
}

ai8x_status ai8x_batch_worker_create(const ai8x_batch *batch, ai8x_batch_worker **out, ai8x_error *error)
{
	if (out != NULL)
		*out = NULL;
	if (batch == NULL || out == NULL)
		return error_null(error, batch == NULL ? "batch" : "worker");
	ai8x_batch_worker *worker = calloc(1, sizeof *worker);
	if (worker == NULL)
		return error_no_memory(error, "a worker");
	worker->batch = batch;
	worker->words = calloc(batch->longest_input_range + 1, sizeof *worker->words);
	worker->fed = calloc(batch->fifo_count + 1, sizeof *worker->fed);
	ai8x_status status = worker->words != NULL && worker->fed != NULL
	                         ? ai8x_machine_clone(batch->prototype, &worker->machine, error)
	                         : error_no_memory(error, "a worker");
	if (status != AI8X_OK) {
		ai8x_batch_worker_destroy(worker);
		return status;
	}
	*out = worker;
	return AI8X_OK;
}

void ai8x_batch_worker_destroy(ai8x_batch_worker *worker)
{
	if (worker == NULL)
		return;
	ai8x_machine_destroy(worker->machine);
	free(worker->words);
	free(worker->fed);
	free(worker);
}

ai8x_status ai8x_batch_run(ai8x_batch_worker *worker, const int8_t *input, int32_t *output, ai8x_error *error)
{
	if (worker == NULL)
		return error_null(error, "worker");
	const ai8x_batch *batch = worker->batch;
	if (input != NULL && !batch->takes_input)
		return error_set(error, AI8X_ERR_UNSUPPORTED, "%s", batch->refusal);
	ai8x_status status = disarm(worker->machine, error);
	for (size_t i = 0; i < batch->written_count && !batch->options.keep_memory && status == AI8X_OK; i++) {
		const struct range *range = &batch->written[i];
		status = ai8x_machine_copy_data(worker->machine, batch->prototype, range->instance, range->first,
		                                range->count, error);
	}
	if (status == AI8X_OK)
		status = start_and_run(batch, worker, input, error);
	if (status == AI8X_OK && output != NULL)
		collect(batch, worker->machine, output);
	return status;
}

ai8x_machine *ai8x_batch_machine(ai8x_batch_worker *worker)
{
	if (worker == NULL)
		return NULL;
	return worker->machine;
}
