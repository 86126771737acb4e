// A run: from the enable bit to the completion flag (hardware reference 3.1, 3.2, 5).
//
// Layers run one after the other; layers that stream run together, the one nearest to the output first,
// so that a ring never holds more than its reader has to wait for.
#include "layer/geometry.h"
#include "machine/machine.h"

#include <stdio.h>
#include <string.h>

static uint32_t control(const ai8x_machine *machine, enum part_field_id field, unsigned group)
{
	return field_get(&machine->bus.registers, field, group, 0);
}

static const ai8x_layer *stage_layer(const struct stage *stage)
{
	return &stage->record->report.layer;
}

static void drop_stages(struct run *run)
{
	for (unsigned i = 0; i < run->stage_count; i++) {
		exact_layer_destroy(run->stage[i].exact);
		stream_image_end(run->stage[i].image);
	}
	run->stage_count = 0;
	run->order_matters = run->order_known = false;
	run->input.layer = NULL;
}

void run_forget(ai8x_machine *machine)
{
	drop_stages(&machine->run);
	memset(&machine->run, 0, sizeof machine->run);
}

static void start(ai8x_machine *machine, unsigned master)
{
	run_forget(machine);
	observe_forget(machine);
	struct run *run = &machine->run;
	run->members = (struct layer_run){.groups = 1u << master, .master = master};
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if (g != master && control(machine, F_CNN_EN, g) && control(machine, F_EXT_SYNC_EN, g) &&
		    control(machine, F_EXT_SYNC_MASTER, g) == master)
			run->members.groups |= 1u << g;
	run->phase = RUN_ACTIVE;
	run->next_layer = control(machine, F_LCNT_START, master);
	run->last_layer = control(machine, F_LCNT, master);
	bool fast = control(machine, F_FFIFO_EN, master) != 0;
	// Without a frame nothing is awaited, and layer 0 reads data memory (inferred: docs/hardware.md).
	uint64_t frame = field_get(&machine->bus.registers, F_IFRM, master, 0);
	run->has_input = frame != 0 && (fast || control(machine, F_GROUP_FIFO_EN, master));
	run->input = (struct input){
		.context = &machine->context,
		.fifos = machine->bus.fifo,
		.enabled = fast ? 1u << FIFO_FAST : field_get(&machine->bus.registers, F_FIFO_EN, 0, 0),
		.fan_out = fast && control(machine, F_QUPAC, master),
		.bytes_to_groups = fast && !control(machine, F_FIFOGRP, master),
		.frame = frame,
	};
	machine->context.cycle = 0;
	if (machine->context.kinds & AI8X_EVENT_RUN_START) {
		ai8x_event event = {.kind = AI8X_EVENT_RUN_START};
		observe_emit(machine, &event);
	}
	if (machine->context.kinds & AI8X_EVENT_STATE) {
		ai8x_event event = {.kind = AI8X_EVENT_STATE, .u.state = {.state = AI8X_STATE_START, .cycles = 1}};
		observe_emit(machine, &event);
	}
	machine->context.cycle = 1;
}

ai8x_status run_control_written(ai8x_machine *machine, unsigned group, uint32_t old, uint32_t value,
                                ai8x_error *error)
{
	(void)error;
	const struct ai8x_part *part = machine->part;
	struct run *run = &machine->run;
	const bool enabled = part_field_extract(part, F_CNN_EN, value) != 0;
	const bool rising = enabled && part_field_extract(part, F_CNN_EN, old) == 0;
	const bool is_master = (run->members.groups != 0) && group == run->members.master;
	switch (run->phase) {
	case RUN_ACTIVE:
		if (is_master && !enabled)
			run->phase = RUN_PAUSED;
		break;
	case RUN_PAUSED:
		if (is_master && rising)
			run->phase = RUN_ACTIVE;
		break;
	case RUN_BETWEEN:
		// Where acknowledging leaves the enable bit alone, writing it again goes on (reference 3.1).
		if (is_master && (rising || (enabled && part->quirks.oneshot_continues &&
		                             part_field_extract(part, F_CNN_IRQ, old) == 0)))
			run->phase = RUN_ACTIVE;
		break;
	case RUN_IDLE:
		// A group that follows another starts with it; one that follows itself is its own master.
		if (rising && (part_field_extract(part, F_EXT_SYNC_EN, value) == 0 ||
		               part_field_extract(part, F_EXT_SYNC_MASTER, value) == group))
			start(machine, group);
		break;
	}
	return AI8X_OK;
}

static void raise_flag(ai8x_machine *machine)
{
	for (unsigned g = 0; g < AI8X_GROUPS; g++)
		if (machine->run.members.groups >> g & 1)
			field_set(&machine->bus.registers, F_CNN_IRQ, g, 0, 1);
}

static void finish(ai8x_machine *machine)
{
	struct run *run = &machine->run;
	drop_stages(run);
	run->phase = RUN_IDLE;
	run->ended = true;
	raise_flag(machine);
	if (machine->context.kinds & AI8X_EVENT_RUN_STOP) {
		ai8x_event event = {.kind = AI8X_EVENT_RUN_STOP, .cycle = machine->context.cycle};
		observe_emit(machine, &event);
	}
}

// A layer that cannot be executed ends the run without a completion flag.
static ai8x_status fail(ai8x_machine *machine, ai8x_status status)
{
	drop_stages(&machine->run);
	machine->run.phase = RUN_IDLE;
	return status;
}

// Decodes a layer, or finds it as it was decoded in an earlier run.
static ai8x_status decode(void *user, uint32_t index, unsigned position, const ai8x_layer **layer,
                          ai8x_error *error)
{
	ai8x_machine *machine = user;
	(void)position;
	const struct registers *registers = &machine->bus.registers;
	const struct layer_run *members = &machine->run.members;
	if (index >= AI8X_MAX_LAYERS) {
		ai8x_layer none;
		return layer_decode(registers, members, index, &none, error);
	}
	struct decoded *kept = &machine->decoded[index];
	ai8x_status status = AI8X_OK;
	if (!kept->valid || kept->stamp != registers->stamp || kept->members.groups != members->groups ||
	    kept->members.master != members->master) {
		*kept = (struct decoded){.stamp = registers->stamp, .members = *members};
		status = layer_decode(registers, members, index, &kept->layer, error);
		kept->valid = status == AI8X_OK;
	}
	*layer = &kept->layer;
	return status;
}

static ai8x_status check_ranges(ai8x_machine *machine, const ai8x_layer *layer, uint32_t write_ring,
                                ai8x_error *error)
{
	struct decoded *kept = &machine->decoded[layer->index];
	if (kept->in_range && kept->write_ring == write_ring)
		return AI8X_OK;
	ai8x_status status = layer_check_ranges(layer, write_ring, error);
	kept->in_range = status == AI8X_OK;
	kept->write_ring = write_ring;
	return status;
}

static ai8x_status begin_stream(ai8x_machine *machine, const ai8x_layer *layer, uint32_t instances,
                                struct stream_image *image, ai8x_error *error)
{
	const uint64_t words = layer_read_words(layer);
	const ai8x_status status =
		stream_image_begin(image, &machine->bus.data, layer->read_base, words, layer->ring_words, instances);
	if (status == AI8X_ERR_LIMIT)
		return error_set(
			error, AI8X_ERR_LAYER,
			"layer %u reads %llu words of its stream; at most %u can be addressed (RCNT, CCNT, pooling)",
			layer->index, (unsigned long long)words, STREAM_MOST_WORDS);
	return status == AI8X_OK ? status : error_no_memory(error, "a streaming layer's input");
}

static ai8x_status begin_layer(ai8x_machine *machine, const ai8x_layer *layer, uint32_t write_ring,
                               ai8x_error *error)
{
	struct run *run = &machine->run;
	ai8x_status status = check_ranges(machine, layer, write_ring, error);
	if (status != AI8X_OK)
		return status;
	struct layer_record *record = observe_begin_layer(machine, layer, error);
	if (record == NULL)
		return AI8X_ERR_NO_MEMORY;
	struct stage *stage = &run->stage[run->stage_count];
	record->write_ring = write_ring;
	*stage = (struct stage){
		.record = record,
		.write_ring = write_ring,
		.image = &machine->streamed[run->stage_count],
	};
	uint32_t instances = layer->fifo ? input_instances(&run->input) : 0;
	if (run->stage_count > 0)
		instances = UINT32_MAX;
	instances &= layer_instances(layer);
	if (instances != 0) {
		stage->streams_in = true;
		status = begin_stream(machine, layer, instances, stage->image, error);
		if (status != AI8X_OK)
			return status;
	}
	run->stage_count++;
	if (layer->fifo) {
		run->input.layer = stage_layer(stage);
		run->input.place = layer->ring_words != 0 ? run->input.stored % layer->ring_words : run->input.stored;
		run->input.image = stage->image;
	}
	snoop_begin_layer(machine, layer);
	return AI8X_OK;
}

// Hands the current stages to the exact engine.
static ai8x_status begin_exact(ai8x_machine *machine, ai8x_error *error)
{
	struct run *run = &machine->run;
	for (unsigned i = 0; i < run->stage_count; i++) {
		struct stage *stage = &run->stage[i], *next = stage + 1;
		const ai8x_layer *layer = stage_layer(stage);
		const bool last = i + 1 == run->stage_count;
		const struct exact_setup setup = {
			.write_ring = stage->write_ring,
			.input = stage->streams_in ? stage->image : NULL,
			.output = !last && next->streams_in ? next->image : NULL,
			.keeps_log = layer->streaming && last,
			.counters = &stage->record->report.counters,
			.capture = stage->record->output,
		};
		ai8x_status status = exact_layer_create(&machine->context, layer, &setup, &stage->exact, error);
		if (status != AI8X_OK)
			return status;
	}
	return AI8X_OK;
}

// Starts the next layer, or all layers that stream together with it.
static ai8x_status begin_layers(ai8x_machine *machine, ai8x_error *error)
{
	struct run *run = &machine->run;
	struct order_start together;
	// Units may be set up after the start, as long as the layer that they watch has not begun.
	machine->context.written = snoop_enabled(machine) ? snoop_written : NULL;
	ai8x_status status = order_start(&together, run->next_layer, run->last_layer, decode, machine, error);
	for (unsigned i = 0; i < together.count && status == AI8X_OK; i++)
		status = begin_layer(machine, together.layer[i], together.write_ring[i], error);
	return status;
}

size_t ai8x_machine_sequence(const ai8x_machine *machine, uint32_t *layers, size_t capacity)
{
	if (layers == NULL)
		capacity = 0;
	if (machine == NULL)
		return 0;
	const struct registers *registers = &machine->bus.registers;
	const unsigned master = machine->run.members.groups != 0 ? machine->run.members.master : 0;
	const uint32_t last = control(machine, F_LCNT, master);
	bool seen[AI8X_MAX_LAYERS] = {false};
	size_t count = 0;
	uint32_t layer = control(machine, F_LCNT_START, master);
	while (layer < machine->part->info.layers && !seen[layer]) {
		seen[layer] = true;
		if (count < capacity)
			layers[count] = layer;
		count++;
		const struct order_step step = {
			.index = layer,
			.last = last,
			.stop = field_get(registers, F_STOP, master, layer) != 0,
			.link = field_get(registers, F_LINK, master, layer) != 0,
			.next = field_get(registers, F_NEXT, master, layer),
		};
		if (!order_next(&step, !snoop_makes_conditional(machine, master, layer), &layer))
			break;
	}
	return count;
}

// FIFO words that a FIFO-fed layer needs for its next pixel; before its first pixel also the start count.
static uint64_t words_needed(const struct run *run, const struct stage *stage)
{
	const ai8x_layer *layer = stage_layer(stage);
	const bool begun = stage->exact != NULL && exact_layer_begun(stage->exact);
	const uint64_t pixels = stage->exact != NULL ? exact_layer_needs(stage->exact) : 1;
	return order_words_needed(layer, pixels, begun, run->input.frame);
}

// True when the input that the next pixel needs has arrived.
static bool input_ready(ai8x_machine *machine, unsigned i)
{
	struct run *run = &machine->run;
	const struct stage *stage = &run->stage[i];
	const ai8x_layer *layer = stage_layer(stage);
	if (layer->fifo) {
		uint64_t needed = words_needed(run, stage);
		// Without a ring there is room for the whole frame: take what is there.
		uint64_t wanted = layer->ring_words == 0 ? UINT64_MAX : needed;
		(void)input_pull(&run->input, wanted, &run->waiting_fifo);
		return run->input.stored >= needed;
	}
	if (i == 0)
		return true;
	const struct stage *producer = stage - 1;
	return producer->done || exact_layer_pixels(producer->exact) >= exact_layer_needs(stage->exact);
}

// The stage that works next, or -1 when all wait. A pixel once begun is finished first.
static int pick(ai8x_machine *machine)
{
	struct run *run = &machine->run;
	for (unsigned i = 0; i < run->stage_count; i++)
		if (!run->stage[i].done && !exact_layer_at_pixel(run->stage[i].exact))
			return (int)i;
	for (unsigned i = run->stage_count; i-- > 0;)
		if (!run->stage[i].done && input_ready(machine, i))
			return (int)i;
	return -1;
}

// What follows `layer`: false when the run is over.
static bool choose_next(ai8x_machine *machine, const ai8x_layer *layer)
{
	struct run *run = &machine->run;
	const struct snoop_verdict verdict = snoop_end_layer(machine, layer);
	const struct order_step step = order_step_of(layer, run->last_layer);
	return !verdict.stop && order_next(&step, !verdict.conditional || verdict.take_link, &run->next_layer);
}

static ai8x_status end_layer(ai8x_machine *machine, unsigned i, const ai8x_run_limits *limits,
                             ai8x_error *error)
{
	struct run *run = &machine->run;
	struct stage *stage = &run->stage[i];
	// Reports outlive their stages.
	const ai8x_layer *layer = stage_layer(stage);
	stage->done = true;
	// What is left of the frame is taken even if the layer had no use for it.
	if (layer->fifo) {
		run->input.layer = NULL;
		(void)input_pull(&run->input, UINT64_MAX, &run->waiting_fifo);
	}
	if (stage->exact != NULL)
		exact_layer_replay(stage->exact);
	if (!observe_end_layer(machine, stage->record)) {
		finish(machine);
		return error_set(error, AI8X_ERR_CANCELLED, "stopped by the callback after layer %u", layer->index);
	}
	if (limits->stop_after && limits->stop_layer == layer->index) {
		finish(machine);
		return AI8X_OK;
	}
	for (unsigned k = 0; k < run->stage_count; k++)
		if (!run->stage[k].done)
			return AI8X_OK;
	struct stage *last_stage = &run->stage[run->stage_count - 1];
	if (last_stage->exact != NULL)
		exact_layer_replay(last_stage->exact);
	const ai8x_layer *last = stage_layer(last_stage);
	drop_stages(run);
	if (!choose_next(machine, last)) {
		finish(machine);
	} else if (control(machine, F_ONESHOT, run->members.master)) {
		run->phase = RUN_BETWEEN;
		raise_flag(machine);
	}
	return AI8X_OK;
}

void run_fifo_pushed(ai8x_machine *machine)
{
	struct run *run = &machine->run;
	run->waiting = false;
	if (!run->has_input || run->phase == RUN_PAUSED)
		return;
	// After the fed layer nobody else takes the rest of the frame.
	if (run->input.layer == NULL && run->input.stored > 0)
		(void)input_pull(&run->input, UINT64_MAX, &run->waiting_fifo);
}

bool run_supply(ai8x_machine *machine, unsigned fifos, const uint32_t *const words[FIFO_COUNT],
                uint64_t count)
{
	const uint32_t watched =
		AI8X_EVENT_BUS_WRITE | AI8X_EVENT_FIFO_PUSH | AI8X_EVENT_FIFO_POP | AI8X_EVENT_DATA_WRITE;
	struct input *input = &machine->run.input;
	bool able = machine->run.phase == RUN_ACTIVE && machine->run.has_input && machine->run.stage_count == 0 &&
	            input->stored == 0 && input->enabled == fifos && (fifos >> FIFO_FAST & 1) == 0 &&
	            input->frame == count && (machine->context.kinds & watched) == 0;
	for (unsigned f = 0; f < FIFO_COUNT; f++)
		able = able && machine->bus.fifo[f].level == 0;
	if (!able)
		return false;
	input->supply.left = count;
	memcpy(input->supply.next, words, sizeof input->supply.next);
	return true;
}

static bool fifo_has_room(const ai8x_machine *machine, uint32_t address)
{
	struct part_target target;
	if (!part_decode_address(machine->part, address, &target) || !target.is_register)
		return true;
	const struct fifo *fifo =
		&machine->bus.fifo[target.reg == REG_FAST_DR ? FIFO_FAST : target.index % FIFO_FAST];
	return fifo->level < fifo->depth;
}

// Runs the current stages at once where that is safe. False: the exact engine must.
static bool run_fast(ai8x_machine *machine, const ai8x_run_limits *limits, uint64_t *budget, bool paced,
                     ai8x_status *status, ai8x_error *error)
{
	struct run *run = &machine->run;
	const ai8x_layer *first = stage_layer(&run->stage[0]);
	if (!run->order_known && machine->options.engine != AI8X_ENGINE_EXACT) {
		run->order_matters = fast_order_matters(machine, limits, *budget);
		run->order_known = true;
	}
	// FIFO words must not be stored ahead either.
	if (run->order_matters)
		return false;
	if (first->fifo) {
		// Words that come at a pace of their own make the machine wait, and waiting is counted.
		if (paced || machine->options.engine == AI8X_ENGINE_EXACT)
			return false;
		// A ring holds what the layer takes, and nothing of the rest of the frame.
		const uint64_t taken = order_words_taken(first, run->input.frame);
		(void)input_pull(&run->input, first->ring_words == 0 ? UINT64_MAX : taken, &run->waiting_fifo);
		if (run->input.stored < taken) {
			// The host writes on; when it has nothing more to write, see how far the exact engine comes.
			*status = AI8X_OK;
			return limits->until_fifo_ready && fifo_has_room(machine, limits->fifo_address);
		}
	}
	if (!fast_stages_ready(machine, limits, *budget))
		return false;
	const unsigned count = run->stage_count;
	*status = AI8X_OK;
	for (unsigned i = 0; i < count && *status == AI8X_OK; i++) {
		*budget -= run->stage[i].plan->cycles;
		*status = fast_run_stage(machine, i, error);
		if (*status == AI8X_OK)
			*status = end_layer(machine, i, limits, error);
	}
	return true;
}

// Runs until done, `*budget` cycles are used up, or nothing can go on.
static ai8x_status advance(ai8x_machine *machine, const ai8x_run_limits *limits, uint64_t *budget, bool paced,
                           ai8x_error *error)
{
	struct run *run = &machine->run;
	while (run->phase == RUN_ACTIVE) {
		if (limits->until_fifo_ready && fifo_has_room(machine, limits->fifo_address))
			return AI8X_OK;
		ai8x_status status = AI8X_OK;
		if (run->stage_count == 0)
			status = begin_layers(machine, error);
		if (status != AI8X_OK)
			return fail(machine, status);
		if (run->stage[0].exact == NULL) {
			if (run_fast(machine, limits, budget, paced, &status, error)) {
				if (status != AI8X_OK)
					return status;
				continue;
			}
			status = begin_exact(machine, error);
			if (status != AI8X_OK)
				return fail(machine, status);
		}
		if (*budget == 0)
			return AI8X_ERR_CYCLE_LIMIT;
		int i = pick(machine);
		run->waiting = i < 0;
		if (i < 0) {
			// Pulling words may have made the room the host waits for.
			if (limits->until_fifo_ready && fifo_has_room(machine, limits->fifo_address))
				return AI8X_OK;
			return AI8X_WAITING;
		}
		const struct stage *stage = &run->stage[i];
		const ai8x_layer *layer = stage_layer(stage);
		const bool polled = machine->on_poll != NULL && *budget > POLL_CYCLES;
		const uint64_t cycles =
			exact_layer_run(stage->exact, polled ? POLL_CYCLES : *budget, layer->streaming || layer->fifo);
		*budget -= cycles;
		if (!observe_poll(machine, cycles))
			return error_set(error, AI8X_ERR_CANCELLED, "stopped by the callback in layer %u", layer->index);
		if (exact_layer_done(stage->exact)) {
			status = end_layer(machine, (unsigned)i, limits, error);
			if (status != AI8X_OK)
				return status;
		}
	}
	return AI8X_OK;
}

ai8x_status ai8x_machine_run(ai8x_machine *machine, const ai8x_run_limits *limits, ai8x_error *error)
{
	if (machine == NULL)
		return error_null(error, "machine");
	if (observe_refuse(machine, __func__, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	static const ai8x_run_limits none;
	struct run *run = &machine->run;
	if (limits == NULL)
		limits = &none;
	if (run->phase == RUN_PAUSED)
		return error_set(error, AI8X_ERR_STALLED, "the machine is paused: cnn_en of group %u is 0",
		                 run->members.master);
	if (run->phase == RUN_IDLE && !run->ended)
		return error_set(error, AI8X_ERR_NOT_STARTED,
		                 "the machine was never started: cnn_en never went from 0 to 1 in a group that does "
		                 "not follow another one (register CTL, bits 0 and 9 to 11)");
	uint64_t budget = limits->max_cycles != 0 ? limits->max_cycles : UINT64_MAX;
	ai8x_status status = observe_misuse(machine, advance(machine, limits, &budget, false, error), error);
	if (status == AI8X_ERR_CYCLE_LIMIT)
		return error_set(error, status, "still running layer %u after %llu cycles",
		                 run->stage_count > 0 ? stage_layer(&run->stage[0])->index : run->next_layer,
		                 (unsigned long long)machine->context.cycle);
	if (status == AI8X_WAITING && error != NULL) {
		error->status = status;
		(void)ai8x_machine_explain_wait(machine, error->message, sizeof error->message);
	}
	return status;
}

static void stall(ai8x_machine *machine, uint64_t cycles)
{
	const struct stage *stage = &machine->run.stage[0];
	stage->record->report.counters.state[AI8X_STATE_STALL] += cycles;
	if (machine->context.kinds & AI8X_EVENT_STATE) {
		ai8x_event event = {
			.kind = AI8X_EVENT_STATE,
			.cycle = machine->context.cycle,
			.layer = stage_layer(stage),
			.u.state = {.state = AI8X_STATE_STALL, .cycles = cycles},
		};
		exact_layer_position(stage->exact, &event.u.state.row, &event.u.state.column);
		observe_emit(machine, &event);
	}
	machine->context.cycle += cycles;
}

ai8x_status ai8x_machine_advance(ai8x_machine *machine, uint64_t cycles, ai8x_error *error)
{
	if (machine == NULL)
		return error_null(error, "machine");
	if (observe_refuse(machine, __func__, error) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	static const ai8x_run_limits none;
	uint64_t budget = cycles;
	ai8x_status status = observe_misuse(machine, advance(machine, &none, &budget, true, error), error);
	if (status == AI8X_WAITING) {
		stall(machine, budget);
		return AI8X_OK;
	}
	return status == AI8X_ERR_CYCLE_LIMIT ? AI8X_OK : status;
}

size_t ai8x_machine_explain_wait(const ai8x_machine *machine, char *text, size_t size)
{
	if (text == NULL)
		size = 0;
	if (machine == NULL)
		return 0;
	const struct run *run = &machine->run;
	if (size > 0)
		text[0] = '\0';
	if (run->phase != RUN_ACTIVE || !run->waiting || run->stage_count == 0)
		return 0;
	const struct stage *stage = &run->stage[0];
	const unsigned layer = stage_layer(stage)->index;
	uint32_t row, column;
	exact_layer_position(stage->exact, &row, &column);
	char name[24];
	if (run->waiting_fifo == FIFO_FAST)
		(void)snprintf(name, sizeof name, "the fast FIFO");
	else
		(void)snprintf(name, sizeof name, "FIFO %u", run->waiting_fifo);
	uint64_t needed = words_needed(run, stage);
	uint32_t coupled = run->input.enabled;
	int length;
	if (coupled == 0)
		length = snprintf(text, size,
		                  "layer %u waits for FIFO data, but no FIFO is enabled (FIFO_CTL bits 15:12, CTL)",
		                  layer);
	else
		length = snprintf(
			text, size,
			"layer %u waits at row %u, column %u for word %llu of %s, which is empty; "
			"%llu words of every enabled FIFO (map 0x%x) have arrived, %llu of a frame are needed now",
			layer, row, column, (unsigned long long)run->input.stored, name,
			(unsigned long long)run->input.stored, coupled & 15u, (unsigned long long)needed);
	return length < 0 ? 0 : (size_t)length;
}
