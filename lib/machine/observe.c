// Observers and layer reports: everything the outside learns while the machine runs.
#include "machine/machine.h"

#include <stdlib.h>
#include <string.h>

void observe_emit(void *user, const ai8x_event *event)
{
	ai8x_machine *machine = user;
	machine->telling++;
	for (unsigned i = 0; i < machine->observer_count; i++) {
		const struct observer *observer = &machine->observers[i];
		if (observer->kinds & (uint32_t)event->kind)
			observer->callback(observer->user, event);
	}
	machine->telling--;
}

ai8x_status observe_refuse(const ai8x_machine *machine, const char *function, ai8x_error *error)
{
	if (machine->telling == 0)
		return AI8X_OK;
	return error_set(error, AI8X_ERR_ARGUMENT,
	                 "%s(): called from a callback of the same machine, which may only be read there",
	                 function);
}

ai8x_status observe_misuse(ai8x_machine *machine, ai8x_status status, ai8x_error *error)
{
	const char *function = machine->refused;
	machine->refused = NULL;
	if (function == NULL)
		return status;
	return error_set(error, AI8X_ERR_ARGUMENT,
	                 "%s(): called from a callback of the same machine, which may only be read there",
	                 function);
}

void observe_update(ai8x_machine *machine)
{
	uint32_t kinds = 0;
	for (unsigned i = 0; i < machine->observer_count; i++)
		kinds |= machine->observers[i].kinds;
	machine->context.kinds = kinds;
}

ai8x_status ai8x_machine_observe(ai8x_machine *machine, uint32_t kinds, ai8x_event_fn callback, void *user)
{
	if (machine == NULL || callback == NULL || observe_refuse(machine, __func__, NULL) != AI8X_OK)
		return AI8X_ERR_ARGUMENT;
	unsigned i = 0;
	while (i < machine->observer_count &&
	       (machine->observers[i].callback != callback || machine->observers[i].user != user))
		i++;
	if (kinds == 0) {
		if (i < machine->observer_count)
			machine->observers[i] = machine->observers[--machine->observer_count];
	} else {
		if (i == MAX_OBSERVERS)
			return AI8X_ERR_LIMIT;
		machine->observers[i] = (struct observer){kinds, callback, user};
		if (i == machine->observer_count)
			machine->observer_count++;
	}
	observe_update(machine);
	return AI8X_OK;
}

// What returns nothing leaves its refusal for the next call that can tell of it.
static bool may_set(ai8x_machine *machine, const char *function)
{
	if (machine != NULL && machine->telling > 0)
		machine->refused = function;
	return machine != NULL && machine->telling == 0;
}

void ai8x_machine_on_layer(ai8x_machine *machine, ai8x_layer_fn callback, void *user)
{
	if (!may_set(machine, __func__))
		return;
	machine->on_layer = callback;
	machine->on_layer_user = user;
}

void ai8x_machine_on_poll(ai8x_machine *machine, ai8x_poll_fn callback, void *user)
{
	if (!may_set(machine, __func__))
		return;
	machine->on_poll = callback;
	machine->on_poll_user = user;
	machine->unpolled = 0;
}

bool observe_poll(ai8x_machine *machine, uint64_t cycles)
{
	machine->unpolled += cycles;
	if (machine->on_poll == NULL || machine->unpolled < POLL_CYCLES)
		return true;
	machine->unpolled = 0;
	machine->telling++;
	const bool go_on = machine->on_poll(machine->on_poll_user);
	machine->telling--;
	return go_on;
}

// Records themselves stay for the next run: short layers would take longer to allocate theirs than to compute.
void observe_forget(ai8x_machine *machine)
{
	for (size_t i = 0; i < machine->record_count; i++) {
		free(machine->records[i]->output);
		free(machine->records[i]->words);
		machine->records[i]->output = NULL;
		machine->records[i]->words = NULL;
	}
	machine->record_count = 0;
}

void observe_release(ai8x_machine *machine)
{
	observe_forget(machine);
	for (size_t i = 0; i < machine->record_room; i++)
		free(machine->records[i]);
	free(machine->records);
}

// A record for the next layer, from an earlier run or new. NULL: out of memory.
static struct layer_record *next_record(ai8x_machine *machine)
{
	if (machine->record_count == machine->record_room) {
		if (machine->record_room == machine->record_capacity) {
			size_t capacity = machine->record_capacity == 0 ? 32 : 2 * machine->record_capacity;
			struct layer_record **records =
				realloc(machine->records, capacity * sizeof(struct layer_record *));
			if (records == NULL)
				return NULL;
			machine->records = records;
			machine->record_capacity = capacity;
		}
		struct layer_record *record = calloc(1, sizeof *record);
		if (record == NULL)
			return NULL;
		machine->records[machine->record_room++] = record;
	}
	return machine->records[machine->record_count];
}

struct layer_record *observe_begin_layer(ai8x_machine *machine, const ai8x_layer *layer, ai8x_error *error)
{
	struct layer_record *record = next_record(machine);
	if (record == NULL) {
		(void)error_no_memory(error, "a layer report");
		return NULL;
	}
	record->reason[0] = '\0';
	if (machine->options.capture_outputs) {
		size_t values = (size_t)ai8x_layer_output_slots(layer) * layer->output_rows * layer->output_columns;
		record->output = calloc(values + 1, sizeof *record->output);
		// For collect_words(), which comes where a lack of memory could no longer be told.
		record->words = calloc(values + 1, sizeof *record->words);
		if (record->output == NULL || record->words == NULL) {
			free(record->output);
			free(record->words);
			record->output = NULL;
			record->words = NULL;
			(void)error_no_memory(error, "a layer's output");
			return NULL;
		}
	}
	record->report = (ai8x_layer_report){
		.layer = *layer,
		.position = (uint32_t)machine->record_count,
		.start_cycle = machine->context.cycle,
		.exact_engine = true,
		.exact_reason = record->reason,
		.output = record->output,
	};
	machine->record_count++;
	if (machine->context.kinds & AI8X_EVENT_LAYER_START) {
		ai8x_event event = {
			.kind = AI8X_EVENT_LAYER_START,
			.cycle = machine->context.cycle,
			.layer = &record->report.layer,
		};
		observe_emit(machine, &event);
	}
	return record;
}

static int compare_words(const void *a, const void *b)
{
	const ai8x_word *x = a, *y = b;
	return x->address < y->address ? -1 : x->address > y->address;
}

// Has a streaming layer's output overwritten itself in the ring that the next layer reads?
static bool went_round(const ai8x_layer *layer, uint32_t write_ring, uint32_t slots, uint32_t pixels)
{
	if (write_ring == 0 || slots == 0 || pixels == 0)
		return false;
	ai8x_output_place first = ai8x_layer_place(layer, 0, 0);
	ai8x_output_place last = ai8x_layer_place(layer, slots - 1, pixels - 1);
	return last.word - first.word >= write_ring;
}

// The memory words that hold the layer's output, as they are now. Streaming layers whose output went round
// a ring have none.
static void collect_words(ai8x_machine *machine, struct layer_record *record)
{
	const ai8x_layer *layer = &record->report.layer;
	uint32_t slots = ai8x_layer_output_slots(layer);
	uint32_t pixels = layer->output_rows * layer->output_columns;
	if (went_round(layer, record->write_ring, slots, pixels))
		return;
	ai8x_word *words = record->words;
	size_t count = 0;
	for (uint32_t pixel = 0; pixel < pixels; pixel++) {
		for (uint32_t slot = 0; slot < slots; slot++) {
			ai8x_output_place place = ai8x_layer_place(layer, slot, pixel);
			if (place.instance >= AI8X_INSTANCES || place.word >= machine->bus.data.words)
				continue;
			uint32_t address = ai8x_part_data_address(machine->part, place.instance, place.word);
			uint32_t mask = layer->output_bits == 32 ? UINT32_MAX : UINT32_C(0xff) << (8 * place.lane);
			if (count > 0 && words[count - 1].address == address)
				words[count - 1].mask |= mask;
			else
				words[count++] =
					(ai8x_word){address, machine->bus.data.word[place.instance][place.word], mask};
		}
	}
	qsort(words, count, sizeof *words, compare_words);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (kept > 0 && words[kept - 1].address == words[i].address)
			words[kept - 1].mask |= words[i].mask;
		else
			words[kept++] = words[i];
	ai8x_word *shrunk = realloc(words, (kept + 1) * sizeof *words);
	record->words = shrunk != NULL ? shrunk : words;
	record->report.words = record->words;
	record->report.word_count = kept;
}

bool observe_end_layer(ai8x_machine *machine, struct layer_record *record)
{
	ai8x_layer_report *report = &record->report;
	report->finished = true;
	report->cycles = 0;
	for (unsigned s = 0; s < AI8X_STATE_COUNT; s++)
		report->cycles += report->counters.state[s];
	if (machine->options.capture_outputs)
		collect_words(machine, record);
	if (machine->context.kinds & AI8X_EVENT_LAYER_STOP) {
		ai8x_event event = {
			.kind = AI8X_EVENT_LAYER_STOP,
			.cycle = machine->context.cycle,
			.layer = &report->layer,
		};
		observe_emit(machine, &event);
	}
	if (machine->on_layer == NULL)
		return true;
	machine->telling++;
	const bool go_on = machine->on_layer(machine->on_layer_user, report);
	machine->telling--;
	return go_on;
}

size_t ai8x_machine_layer_count(const ai8x_machine *machine)
{
	if (machine == NULL)
		return 0;
	return machine->record_count;
}

const ai8x_layer_report *ai8x_machine_layer_report(const ai8x_machine *machine, size_t position)
{
	if (machine == NULL)
		return NULL;
	return position < machine->record_count ? &machine->records[position]->report : NULL;
}
