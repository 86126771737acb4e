// Carries out a program on a machine, operation by operation, and compares what is expected with what is
// there: EXPECT words, and with per_layer each layer's recorded memory words and output tensor.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/runner.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "machine/machine.h"
#include "runner/placement.h"

enum {
	DEFAULT_MAX_MISMATCHES = 16,
	LONGEST_POLL = 4096, // cycles between two reads of a WAIT
};

// A recorded layer, found by the register set that computes it.
struct recording {
	bool known;
	size_t position; // in the program
};

struct runner {
	ai8x_machine *machine;
	const ai8x_part *part;
	const ai8x_program *program;
	ai8x_runner_options options;
	ai8x_runner_result *result;
	ai8x_error error;
	ai8x_error trouble; // of the layer callback, which can only cancel the run
	bool stop_reached;  // stop_layer has finished
	uint32_t stop_hw_layer;
	size_t layer_capacity, mismatch_capacity;
	struct recording recordings[AI8X_MAX_LAYERS];
};

ai8x_runner_options ai8x_runner_options_default(void)
{
	return (ai8x_runner_options){
		.max_cycles = AI8X_RUNNER_DEFAULT_MAX_CYCLES,
		.max_mismatches = DEFAULT_MAX_MISMATCHES,
	};
}

void ai8x_runner_result_release(ai8x_runner_result *result)
{
	if (result == NULL)
		return;
	free(result->layers);
	free(result->mismatch);
	result->layers = NULL;
	result->mismatch = NULL;
	result->layer_count = result->mismatch_count = 0;
}

// --- Results -----------------------------------------------------------------------------------------

static bool keep_mismatch(struct runner *runner, const ai8x_mismatch *mismatch)
{
	ai8x_runner_result *result = runner->result;
	if (result->mismatch_count >= runner->options.max_mismatches)
		return true;
	if (!array_reserve(&result->mismatch, &runner->mismatch_capacity, result->mismatch_count + 1,
	                   sizeof *result->mismatch))
		return false;
	result->mismatch[result->mismatch_count++] = *mismatch;
	return true;
}

// The entry of the layer that started as number `position`.
static ai8x_runner_layer *result_layer(struct runner *runner, size_t position)
{
	ai8x_runner_result *result = runner->result;
	if (!array_reserve(&result->layers, &runner->layer_capacity, position + 1, sizeof *result->layers))
		return NULL;
	while (result->layer_count <= position)
		result->layers[result->layer_count++] = (ai8x_runner_layer){.pass = true};
	return &result->layers[position];
}

static unsigned first_different_byte(uint32_t difference)
{
	return difference != 0 ? (unsigned)__builtin_ctz(difference) / 8 : 0;
}

// --- Recorded layers ---------------------------------------------------------------------------------

static void find_recordings(struct runner *runner)
{
	for (size_t i = 0; i < ai8x_program_layer_count(runner->program); i++) {
		const ai8x_program_layer *layer = ai8x_program_layer_at(runner->program, i);
		int64_t index = ai8x_program_int(runner->program, (int)i, "hw_layer", (int64_t)layer->number);
		if (index >= 0 && index < AI8X_MAX_LAYERS && !runner->recordings[index].known)
			runner->recordings[index] = (struct recording){true, i};
	}
}

static const ai8x_program_layer *recorded_layer(const struct runner *runner, uint32_t hw_layer,
                                                size_t *position)
{
	if (hw_layer >= AI8X_MAX_LAYERS || !runner->recordings[hw_layer].known)
		return NULL;
	*position = runner->recordings[hw_layer].position;
	return ai8x_program_layer_at(runner->program, *position);
}

// The number a layer goes by in results.
static uint32_t layer_number(const struct runner *runner, uint32_t hw_layer)
{
	size_t position = 0;
	const ai8x_program_layer *recorded = recorded_layer(runner, hw_layer, &position);
	if (recorded != NULL)
		return recorded->number;
	return ai8x_program_layer_count(runner->program) > 0 ? AI8X_PROGRAM_UNRECORDED + hw_layer : hw_layer;
}

static void locate_in_placement(const struct placement *placement, const ai8x_part *part,
                                ai8x_mismatch *mismatch)
{
	unsigned instance = 0;
	uint32_t word = 0;
	struct coordinates at;
	unsigned lane = first_different_byte((mismatch->expected ^ mismatch->got) & mismatch->mask);
	if (!data_memory_split(part, mismatch->address, &instance, &word) ||
	    !placement_find(placement, instance, word, lane, &at))
		return;
	mismatch->channel = (int)at.channel;
	mismatch->row = (int)at.row;
	mismatch->column = (int)at.column;
}

static ai8x_status compare_memory(struct runner *runner, const ai8x_program_layer *recorded,
                                  const struct placement *placement, ai8x_runner_layer *layer)
{
	unsigned instance = AI8X_INSTANCES;
	size_t count = recorded->memory != NULL ? recorded->memory_count : 0;
	for (size_t i = 0; i < count; i++) {
		const ai8x_word *expected = &recorded->memory[i];
		uint32_t word = 0;
		if (!data_memory_split(runner->part, expected->address, &instance, &word))
			return error_set(&runner->error, AI8X_ERR_ADDRESS,
			                 "layer %u: recorded memory word %zu at 0x%08" PRIx32 " is not in data memory",
			                 recorded->number, i, expected->address);
		size_t words = 0;
		uint32_t got = ai8x_machine_data(runner->machine, instance, &words)[word];
		layer->checks++;
		if (((got ^ expected->value) & expected->mask) == 0)
			continue;
		layer->mismatches++;
		ai8x_mismatch mismatch = {.address = expected->address,
		                          .expected = expected->value & expected->mask,
		                          .got = got,
		                          .mask = expected->mask,
		                          .layer = (int)recorded->number,
		                          .channel = -1,
		                          .row = -1,
		                          .column = -1};
		if (placement != NULL)
			locate_in_placement(placement, runner->part, &mismatch);
		if (!keep_mismatch(runner, &mismatch))
			return error_no_memory(&runner->error, "mismatches");
	}
	return AI8X_OK;
}

// How the values of a recorded tensor are found among those the layer computed.
struct tensor_map {
	const struct placement *placement; // by output processors, or
	bool slots;                        // channel by channel: the tensor lists the layer's own slots
	bool emulated;
};

static bool find_value(const struct tensor_map *map, const ai8x_layer_report *report, uint32_t channel,
                       uint32_t pixel, int32_t *value)
{
	const ai8x_layer *layer = &report->layer;
	size_t layer_pixels = (size_t)layer->output_rows * layer->output_columns;
	uint32_t slot = channel, layer_pixel = pixel;
	if (map->slots) {
		if (slot >= ai8x_layer_output_slots(layer) || layer_pixel >= layer_pixels)
			return false;
	} else if (!placement_slot(map->placement, layer, map->emulated, channel, pixel, &slot, &layer_pixel)) {
		return false;
	}
	*value = report->output[slot * layer_pixels + layer_pixel];
	return true;
}

static uint32_t value_address(const struct runner *runner, const struct tensor_map *map,
                              const ai8x_layer *layer, uint32_t channel, uint32_t pixel)
{
	if (!map->slots)
		return placement_address(map->placement, runner->part, channel, pixel);
	ai8x_output_place place = ai8x_layer_place(layer, channel, pixel);
	return ai8x_part_data_address(runner->part, place.instance, place.word);
}

static ai8x_status compare_tensor(struct runner *runner, const ai8x_program_layer *recorded,
                                  const struct tensor_map *map, const ai8x_layer_report *report,
                                  ai8x_runner_layer *layer)
{
	uint32_t pixels = recorded->shape[1] * recorded->shape[2];
	for (uint32_t channel = 0; channel < recorded->shape[0]; channel++) {
		const int32_t *expected = recorded->output + (size_t)channel * pixels;
		for (uint32_t pixel = 0; pixel < pixels; pixel++) {
			int32_t got = 0;
			layer->checks++;
			bool computed = find_value(map, report, channel, pixel, &got);
			if (computed && got == expected[pixel])
				continue;
			layer->mismatches++;
			ai8x_mismatch mismatch = {
				.address = value_address(runner, map, &report->layer, channel, pixel),
				.expected = (uint32_t)expected[pixel],
				.got = (uint32_t)got,
				.mask = UINT32_MAX,
				.layer = (int)recorded->number,
				.tensor = true,
				.channel = (int)channel,
				.row = (int)(pixel / recorded->shape[2]),
				.column = (int)(pixel % recorded->shape[2]),
			};
			if (!keep_mismatch(runner, &mismatch))
				return error_no_memory(&runner->error, "mismatches");
		}
	}
	return AI8X_OK;
}

static bool is_emulated(const ai8x_program *program, size_t position)
{
	const char *operator= ai8x_program_text(program, (int)position, "operator", "");
	return strcmp(ai8x_program_text(program, (int)position, "hw_operator", operator), operator) != 0;
}

static ai8x_status compare_layer(struct runner *runner, const ai8x_layer_report *report,
                                 ai8x_runner_layer *layer)
{
	size_t position = 0;
	const ai8x_program_layer *recorded = recorded_layer(runner, report->layer.index, &position);
	if (recorded == NULL || (recorded->memory == NULL && recorded->output == NULL))
		return AI8X_OK;
	struct placement placement;
	bool placed = placement_of(runner->program, position, &placement);
	ai8x_status status = compare_memory(runner, recorded, placed ? &placement : NULL, layer);
	struct tensor_map map = {
		.placement = &placement,
		.slots = ai8x_program_int(runner->program, (int)position, "output_slots", 0) != 0,
		.emulated = is_emulated(runner->program, position),
	};
	if (status == AI8X_OK && recorded->output != NULL && report->output != NULL && (placed || map.slots))
		status = compare_tensor(runner, recorded, &map, report, layer);
	// Recordings that do not say where their output lies leave nothing to compare.
	layer->compared = layer->checks > 0;
	layer->pass = layer->mismatches == 0;
	runner->result->checks += layer->checks;
	runner->result->mismatches += layer->mismatches;
	if (!layer->pass && runner->result->first_bad_layer < 0)
		runner->result->first_bad_layer = (int)recorded->number;
	return status;
}

static bool layer_done(void *user, const ai8x_layer_report *report)
{
	struct runner *runner = user;
	if (runner->options.per_layer) {
		ai8x_runner_layer *layer = result_layer(runner, report->position);
		ai8x_status status = layer != NULL ? compare_layer(runner, report, layer)
		                                   : error_no_memory(&runner->error, "layer results");
		if (status != AI8X_OK) {
			runner->trouble = runner->error;
			return false;
		}
	}
	if (runner->options.stop_after && report->layer.index == runner->stop_hw_layer)
		runner->stop_reached = true;
	return runner->options.on_layer == NULL ||
	       runner->options.on_layer(runner->options.on_layer_user, report);
}

// --- EXPECT ------------------------------------------------------------------------------------------

// By the attributes of recorded layers: the one that ran last holds the word in the end.
static bool locate_by_recording(const struct runner *runner, ai8x_mismatch *mismatch)
{
	for (size_t i = ai8x_program_layer_count(runner->program); i-- > 0;) {
		struct placement placement;
		if (!placement_of(runner->program, i, &placement))
			continue;
		locate_in_placement(&placement, runner->part, mismatch);
		if (mismatch->channel >= 0) {
			mismatch->layer = (int)ai8x_program_layer_at(runner->program, i)->number;
			return true;
		}
	}
	return false;
}

// By the registers of the layers that ran. Places of a slot advance by the same step from pixel to pixel.
static bool find_slot(const ai8x_layer *layer, unsigned instance, uint32_t word, unsigned lane,
                      ai8x_mismatch *mismatch)
{
	int64_t pixels = (int64_t)layer->output_rows * layer->output_columns;
	for (uint32_t slot = 0; slot < ai8x_layer_output_slots(layer); slot++) {
		ai8x_output_place first = ai8x_layer_place(layer, slot, 0);
		int64_t step = (int64_t)ai8x_layer_place(layer, slot, 1).word - first.word;
		int64_t offset = (int64_t)word - first.word;
		bool same_lane = layer->output_bits == 32 || first.lane == lane;
		if (first.instance != instance || !same_lane || step <= 0 || offset % step != 0 || offset < 0 ||
		    offset / step >= pixels)
			continue;
		mismatch->channel = (int)slot;
		mismatch->row = (int)(offset / step / layer->output_columns);
		mismatch->column = (int)(offset / step % layer->output_columns);
		return true;
	}
	return false;
}

static void locate_by_registers(const struct runner *runner, ai8x_mismatch *mismatch)
{
	unsigned instance = 0;
	uint32_t word = 0;
	if (!data_memory_split(runner->part, mismatch->address, &instance, &word))
		return;
	unsigned lane = first_different_byte((mismatch->expected ^ mismatch->got) & mismatch->mask);
	for (size_t i = ai8x_machine_layer_count(runner->machine); i-- > 0;) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(runner->machine, i);
		if (report != NULL && find_slot(&report->layer, instance, word, lane, mismatch)) {
			mismatch->layer = (int)layer_number(runner, report->layer.index);
			return;
		}
	}
}

static void charge_layer(struct runner *runner, int number)
{
	for (size_t i = 0; i < ai8x_machine_layer_count(runner->machine); i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(runner->machine, i);
		bool charged = (int)layer_number(runner, report->layer.index) == number;
		ai8x_runner_layer *layer = charged ? result_layer(runner, i) : NULL;
		if (layer != NULL)
			layer->pass = false;
	}
	if (runner->result->first_bad_layer < 0)
		runner->result->first_bad_layer = number;
}

static ai8x_status do_expect(struct runner *runner, const ai8x_op *op)
{
	uint32_t got = 0;
	ai8x_status status = ai8x_machine_read32(runner->machine, op->address, &got, &runner->error);
	if (status != AI8X_OK)
		return status;
	runner->result->checks++;
	if ((got & op->mask) == op->value)
		return AI8X_OK;
	runner->result->mismatches++;
	if (runner->result->mismatch_count >= runner->options.max_mismatches &&
	    runner->result->first_bad_layer >= 0)
		return AI8X_OK;
	ai8x_mismatch mismatch = {.address = op->address,
	                          .expected = op->value,
	                          .got = got,
	                          .mask = op->mask,
	                          .layer = -1,
	                          .channel = -1,
	                          .row = -1,
	                          .column = -1};
	if (!locate_by_recording(runner, &mismatch))
		locate_by_registers(runner, &mismatch);
	if (mismatch.layer >= 0)
		charge_layer(runner, mismatch.layer);
	return keep_mismatch(runner, &mismatch) ? AI8X_OK : error_no_memory(&runner->error, "mismatches");
}

// --- Running -----------------------------------------------------------------------------------------

static ai8x_status still_running(struct runner *runner)
{
	return error_set(&runner->error, AI8X_ERR_CYCLE_LIMIT,
	                 "the machine was still running after %" PRIu64 " cycles, the limit",
	                 runner->options.max_cycles);
}

static ai8x_status stalled(struct runner *runner, const char *what)
{
	char reason[AI8X_MESSAGE_SIZE / 2];
	size_t length = ai8x_machine_explain_wait(runner->machine, reason, sizeof reason);
	return error_set(&runner->error, AI8X_ERR_STALLED, "%s%s%s", what, length > 0 ? ": " : "",
	                 length > 0 ? reason : "");
}

// Limits of the next ai8x_machine_run(). Returns false when no cycle is left.
static bool next_limits(const struct runner *runner, ai8x_run_limits *limits)
{
	*limits = (ai8x_run_limits){
		.stop_after = runner->options.stop_after,
		.stop_layer = runner->stop_hw_layer,
	};
	uint64_t used = ai8x_machine_cycles(runner->machine);
	if (runner->options.max_cycles == 0)
		return true;
	if (used >= runner->options.max_cycles)
		return false;
	limits->max_cycles = runner->options.max_cycles - used;
	return true;
}

// A cancelled run has its reason in the callback that cancelled it.
static ai8x_status run_trouble(struct runner *runner, ai8x_status status)
{
	if (status != AI8X_ERR_CANCELLED || runner->trouble.status == AI8X_OK)
		return status;
	runner->error = runner->trouble;
	return runner->error.status;
}

static ai8x_status run_machine(struct runner *runner, const ai8x_run_limits *limits)
{
	ai8x_status status = ai8x_machine_run(runner->machine, limits, &runner->error);
	if (status == AI8X_ERR_CYCLE_LIMIT)
		return still_running(runner);
	return run_trouble(runner, status);
}

static ai8x_status advance_machine(struct runner *runner, uint64_t cycles)
{
	if (!ai8x_machine_running(runner->machine))
		return AI8X_OK;
	if (runner->options.max_cycles != 0 && ai8x_machine_cycles(runner->machine) >= runner->options.max_cycles)
		return still_running(runner);
	return run_trouble(runner, ai8x_machine_advance(runner->machine, cycles, &runner->error));
}

static ai8x_status do_wait(struct runner *runner, const ai8x_op *op)
{
	for (uint64_t cycles = 1;; cycles = cycles < LONGEST_POLL ? 2 * cycles : cycles) {
		uint32_t got = 0;
		ai8x_status status = ai8x_machine_read32(runner->machine, op->address, &got, &runner->error);
		if (status != AI8X_OK || (got & op->mask) == op->value || runner->stop_reached)
			return status;
		if (!ai8x_machine_running(runner->machine))
			return error_set(&runner->error, AI8X_ERR_STALLED,
			                 "waits for 0x%08" PRIx32 " (mask 0x%08" PRIx32
			                 "), but the register holds 0x%08" PRIx32
			                 " and nothing runs that could change it",
			                 op->value, op->mask, got);
		status = advance_machine(runner, cycles);
		if (status == AI8X_WAITING)
			return stalled(runner, "the register never gets the value waited for");
		if (status != AI8X_OK)
			return status;
	}
}

static ai8x_status do_fifo_write(struct runner *runner, const ai8x_op *op)
{
	ai8x_status status = AI8X_OK;
	if (runner->options.fifo_write_cycles > 0)
		status = advance_machine(runner, runner->options.fifo_write_cycles);
	if (status == AI8X_WAITING)
		status = AI8X_OK;
	while (status == AI8X_OK && !runner->stop_reached) {
		status = ai8x_machine_fifo_push(runner->machine, op->address, op->value, &runner->error);
		if (status != AI8X_FIFO_FULL)
			return status;
		if (!ai8x_machine_running(runner->machine))
			return stalled(runner,
			               "the FIFO is full and the machine, which does not run, takes nothing from it");
		ai8x_run_limits limits;
		if (!next_limits(runner, &limits))
			return still_running(runner);
		limits.until_fifo_ready = true;
		limits.fifo_address = op->address;
		status = run_machine(runner, &limits);
		if (status == AI8X_WAITING)
			return stalled(runner, "the FIFO is full, and the machine takes nothing from it");
	}
	return status;
}

static ai8x_status do_run(struct runner *runner)
{
	if (runner->stop_reached)
		return AI8X_OK;
	if (!ai8x_machine_running(runner->machine)) {
		// FIFO writes may have carried the machine to its end already.
		if (ai8x_machine_layer_count(runner->machine) > 0)
			return AI8X_OK;
		return error_set(&runner->error, AI8X_ERR_NOT_STARTED,
		                 "nothing has started the machine: no write before RUN set the enable bit of the "
		                 "master group, or a later one cleared it");
	}
	ai8x_run_limits limits;
	if (!next_limits(runner, &limits))
		return still_running(runner);
	ai8x_status status = run_machine(runner, &limits);
	return status == AI8X_WAITING ? stalled(runner, "the machine waits and no FIFO write follows") : status;
}

static ai8x_status do_operation(struct runner *runner, const ai8x_op *op)
{
	ai8x_status status = AI8X_OK;
	switch ((ai8x_op_kind)op->kind) {
	case AI8X_BUS_WRITE32:
		status = ai8x_machine_write32(runner->machine, op->address, op->value, &runner->error);
		if (status != AI8X_FIFO_FULL)
			return status;
		return error_set(&runner->error, AI8X_ERR_STALLED,
		                 "the FIFO is full: a plain write does not wait for it (FIFO_WRITE32 does)");
	case AI8X_BUS_WAIT:
		return do_wait(runner, op);
	case AI8X_BUS_FIFO_WRITE32:
		return do_fifo_write(runner, op);
	case AI8X_BUS_EXPECT:
		return do_expect(runner, op);
	case AI8X_BUS_RUN:
		return do_run(runner);
	case AI8X_BUS_WRITE8:
		return ai8x_machine_write8(runner->machine, op->address, (uint8_t)op->value, &runner->error);
	case AI8X_BUS_KINDS:
		break;
	}
	return error_set(&runner->error, AI8X_ERR_FORMAT, "unknown kind of operation");
}

static ai8x_status name_operation(struct runner *runner, size_t index, const ai8x_op *op, ai8x_status status)
{
	const char *kind = ai8x_op_kind_name(op->kind);
	if (op->kind == AI8X_BUS_RUN)
		return error_prefix(&runner->error, status, "operation %zu (RUN)", index);
	return error_prefix(&runner->error, status, "operation %zu (%s 0x%08" PRIx32 ", 0x%08" PRIx32 ")", index,
	                    kind != NULL ? kind : "?", op->address, op->value);
}

// Carries out operations up to the end, or up to RUN, which is then left alone.
static ai8x_status do_operations(struct runner *runner, bool load_only)
{
	size_t count = 0;
	const ai8x_op *ops = ai8x_program_ops(runner->program, &count);
	bool ran = false;
	for (size_t i = 0; i < count; i++) {
		if (ops[i].kind == AI8X_BUS_RUN && load_only)
			return AI8X_OK;
		// After an early stop nothing is as the program expects it.
		if (runner->stop_reached)
			return AI8X_OK;
		ai8x_status status = do_operation(runner, &ops[i]);
		if (status != AI8X_OK)
			return name_operation(runner, i, &ops[i], status);
		ran = ran || ops[i].kind == AI8X_BUS_RUN;
	}
	if (!ran && !load_only)
		return error_set(&runner->error, AI8X_ERR_NOT_STARTED,
		                 "none of the %zu operations starts the machine and waits for it (RUN)", count);
	return AI8X_OK;
}

// --- The whole run -----------------------------------------------------------------------------------

static ai8x_status find_stop_layer(struct runner *runner)
{
	runner->stop_hw_layer = runner->options.stop_layer;
	size_t count = ai8x_program_layer_count(runner->program);
	if (!runner->options.stop_after || count == 0)
		return AI8X_OK;
	for (size_t i = 0; i < count; i++) {
		uint32_t number = ai8x_program_layer_at(runner->program, i)->number;
		if (number == runner->options.stop_layer) {
			runner->stop_hw_layer = (uint32_t)ai8x_program_int(runner->program, (int)i, "hw_layer", number);
			return AI8X_OK;
		}
	}
	return error_set(&runner->error, AI8X_ERR_ARGUMENT,
	                 "cannot stop after layer %u: the program has no such layer", runner->options.stop_layer);
}

static ai8x_status collect_layers(struct runner *runner)
{
	for (size_t i = 0; i < ai8x_machine_layer_count(runner->machine); i++) {
		const ai8x_layer_report *report = ai8x_machine_layer_report(runner->machine, i);
		ai8x_runner_layer *layer = result_layer(runner, i);
		if (layer == NULL || report == NULL)
			return error_no_memory(&runner->error, "layer results");
		size_t position = 0;
		layer->hw_layer = report->layer.index;
		layer->recorded = recorded_layer(runner, report->layer.index, &position) != NULL;
		layer->number = layer_number(runner, report->layer.index);
		layer->finished = report->finished;
		layer->cycles = report->cycles;
		layer->macs = ai8x_layer_macs(&report->layer);
		layer->exact_engine = report->exact_engine;
		(void)snprintf(layer->exact_reason, sizeof layer->exact_reason, "%s",
		               report->exact_engine ? report->exact_reason : "");
	}
	return AI8X_OK;
}

// A program that ends early passes every comparison it makes; the layers it never reached are failures too.
static void count_missing_layers(struct runner *runner)
{
	ai8x_runner_result *result = runner->result;
	for (size_t i = 0; i < ai8x_program_layer_count(runner->program); i++) {
		uint32_t number = ai8x_program_layer_at(runner->program, i)->number;
		bool ran = false;
		for (size_t k = 0; k < result->layer_count && !ran; k++)
			ran = result->layers[k].recorded && result->layers[k].number == number;
		if (ran)
			continue;
		result->checks++;
		result->mismatches++;
		if (result->first_bad_layer < 0)
			result->first_bad_layer = (int)number;
		if (result->message[0] == '\0')
			(void)snprintf(result->message, sizeof result->message, "layer %u is recorded, but it never ran",
			               number);
	}
}

static ai8x_status prepare(struct runner *runner)
{
	if (runner->part != ai8x_program_part(runner->program))
		return error_set(&runner->error, AI8X_ERR_ARGUMENT, "the program is for the %s, the machine is a %s",
		                 ai8x_part_get_info(ai8x_program_part(runner->program))->name,
		                 ai8x_part_get_info(runner->part)->name);
	find_recordings(runner);
	ai8x_status status = find_stop_layer(runner);
	if (status == AI8X_OK && runner->options.observer != NULL) {
		status = ai8x_machine_observe(runner->machine, runner->options.observer_kinds,
		                              runner->options.observer, runner->options.observer_user);
		if (status != AI8X_OK)
			return error_set(&runner->error, status, "the machine has too many observers");
	}
	if (status == AI8X_OK)
		ai8x_machine_on_layer(runner->machine, layer_done, runner);
	return status;
}

static void unsubscribe(struct runner *runner)
{
	ai8x_machine_on_layer(runner->machine, NULL, NULL);
	if (runner->options.observer != NULL)
		(void)ai8x_machine_observe(runner->machine, 0, runner->options.observer,
		                           runner->options.observer_user);
}

ai8x_status ai8x_runner_run(ai8x_machine *machine, const ai8x_program *program,
                            const ai8x_runner_options *options, ai8x_runner_result *result)
{
	double start = clock_seconds();
	ai8x_error error = {0};
	if (result == NULL)
		return AI8X_ERR_ARGUMENT;
	*result = (ai8x_runner_result){.first_bad_layer = -1};
	if (error_if_null(&error, machine, program) || observe_refuse(machine, __func__, &error) != AI8X_OK) {
		result->status = AI8X_ERR_ARGUMENT;
		memcpy(result->message, error.message, sizeof result->message);
		return result->status;
	}
	struct runner runner = {
		.machine = machine,
		.part = ai8x_machine_part(machine),
		.program = program,
		.options = options != NULL ? *options : ai8x_runner_options_default(),
		.result = result,
	};
	const ai8x_part_info *info = ai8x_part_get_info(runner.part);
	result->cycles_exact = info->cycles_exact;

	ai8x_status status = prepare(&runner);
	if (status == AI8X_OK) {
		status = do_operations(&runner, false);
		unsubscribe(&runner);
	}
	if (status == AI8X_OK && runner.options.stop_after && !runner.stop_reached)
		status = error_set(&runner.error, AI8X_ERR_ARGUMENT, "cannot stop after layer %u: it never ran",
		                   runner.options.stop_layer);
	ai8x_status collected = collect_layers(&runner);
	if (status == AI8X_OK)
		status = collected;

	if (status == AI8X_OK && runner.options.per_layer && !runner.options.stop_after)
		count_missing_layers(&runner);
	result->status = status;
	result->pass = status == AI8X_OK && result->mismatches == 0;
	if (status != AI8X_OK)
		memcpy(result->message, runner.error.message, sizeof result->message);
	result->cycles = ai8x_machine_cycles(machine);
	result->simulated_seconds = info->clock_hz > 0 ? (double)result->cycles / info->clock_hz : 0;
	result->wall_seconds = clock_seconds() - start;
	return status;
}

ai8x_status ai8x_runner_load(ai8x_machine *machine, const ai8x_program *program, ai8x_error *error)
{
	if (machine == NULL || program == NULL)
		return error_null(error, machine == NULL ? "machine" : "program");
	if (observe_refuse(machine, __func__, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	ai8x_runner_result unused = {.first_bad_layer = -1};
	struct runner runner = {
		.machine = machine,
		.part = ai8x_machine_part(machine),
		.program = program,
		.options = ai8x_runner_options_default(),
		.result = &unused,
	};
	ai8x_status status = prepare(&runner);
	if (status == AI8X_OK) {
		status = do_operations(&runner, true);
		unsubscribe(&runner);
	}
	ai8x_runner_result_release(&unused);
	if (status != AI8X_OK && error != NULL)
		*error = runner.error;
	return status;
}
