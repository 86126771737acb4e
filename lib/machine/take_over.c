// The fast engine's place in a run: which layers it takes over, and the plans it keeps.
#include "layer/geometry.h"
#include "machine/machine.h"

#include <ai8xsim/time.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Events that only the cycle-by-cycle engine can tell.
#define EXACT_EVENTS                                                                                         \
	(AI8X_EVENT_STATE | AI8X_EVENT_DATA_READ | AI8X_EVENT_DATA_WRITE | AI8X_EVENT_KERNEL_READ |              \
	 AI8X_EVENT_BIAS_READ | AI8X_EVENT_TRAM_WRITE | AI8X_EVENT_OUTPUT | AI8X_EVENT_ACCUMULATE)

_Static_assert(AI8X_MAX_THREADS == FAST_MOST_THREADS, "one number for users and for the engine");

static void explain(struct layer_record *record, const char *reason)
{
	(void)snprintf(record->reason, sizeof record->reason, "%s", reason);
}

static uint32_t imaged_instances(const struct stage *stage)
{
	uint32_t imaged = 0;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		imaged |= (uint32_t)(stage->image->word[i] != NULL) << i;
	return imaged;
}

// The plan of a stage, from the cache or new. NULL: out of memory.
static const struct fast_plan *find_plan(ai8x_machine *machine, const struct stage *stage)
{
	const ai8x_layer *layer = &stage->record->report.layer;
	struct fast_plan **kept = &machine->fast.plan[layer->index];
	const uint32_t imaged = imaged_instances(stage);
	if (*kept != NULL && fast_plan_fits(*kept, layer, &machine->bus.kernel, &machine->bus.bias, imaged))
		return *kept;
	struct fast_plan *plan;
	if (fast_plan_create(layer, &machine->bus.kernel, &machine->bus.bias, machine->fast.kernel,
	                     machine->options.keep_absent_lanes, imaged, &plan) != AI8X_OK)
		return NULL;
	fast_plan_release(*kept);
	*kept = plan;
	return plan;
}

// Words of each data memory instance, a stretch of each. `end` 0: none.
struct area {
	uint32_t first[AI8X_INSTANCES], end[AI8X_INSTANCES];
};

static void widen(struct area *area, unsigned instance, uint32_t first, uint64_t end)
{
	uint32_t *from = &area->first[instance], *to = &area->end[instance];
	*from = *to == 0 || first < *from ? first : *from;
	*to = end > *to ? (uint32_t)(end < UINT32_MAX ? end : UINT32_MAX) : *to;
}

static bool meet(const struct area *a, const struct area *b)
{
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		if (a->first[i] < b->end[i] && b->first[i] < a->end[i])
			return true;
	return false;
}

// What a layer reads: from memory, through its ring, or as FIFO words that are stored on the way.
static struct area read_area(const struct stage *stage)
{
	const ai8x_layer *layer = &stage->record->report.layer;
	const uint64_t words = layer_input_words(layer);
	struct area area = {.end = {0}};
	for (unsigned i = 0; i < AI8X_INSTANCES; i++) {
		const uint32_t base = layer_read_base(layer, i);
		if (layer_instances(layer) >> i & 1)
			widen(&area, i, base, base + words);
	}
	return area;
}

static struct area written_area(const struct stage *stage)
{
	const struct fast_plan *plan = stage->plan;
	const uint64_t step = plan->pixel_words, pixels = plan->layer.output_rows * plan->layer.output_columns;
	struct area area = {.end = {0}};
	for (size_t w = 0; w < plan->word_count; w++) {
		const struct fast_word *word = &plan->words[w];
		const uint32_t origin = plan->layer.write_word[word->group];
		if (stage->write_ring != 0)
			widen(&area, word->instance, origin, (uint64_t)origin + stage->write_ring);
		else
			widen(&area, word->instance, word->word, word->word + (pixels - 1) * step + 1);
	}
	return area;
}

// Words that two layers write, or one writes and the first reads from memory.
static bool areas_meet(const struct run *run)
{
	struct area area[AI8X_MAX_STREAMS + 1];
	area[0] = read_area(&run->stage[0]);
	for (unsigned i = 0; i < run->stage_count; i++) {
		area[i + 1] = written_area(&run->stage[i]);
		for (unsigned k = 0; k <= i; k++)
			if (meet(&area[k], &area[i + 1]))
				return true;
	}
	return false;
}

// Whether a layer reads its ring where the layer before it writes it, pixel by pixel. One that does not may find
// words that were not written yet.
static bool follows(const struct stage *reader, const struct stage *writer)
{
	const ai8x_layer *layer = &reader->record->report.layer;
	const struct fast_plan *plan = writer->plan;
	bool same = !layer->chw && plan->pixel_words == layer->pixel_step;
	for (size_t w = 0; w < plan->word_count && same; w++) {
		const struct fast_word *word = &plan->words[w];
		same = (layer_instances(layer) >> word->instance & 1) == 0 ||
		       layer_read_base(layer, word->instance) == plan->layer.write_word[word->group];
	}
	return same;
}

// Whether a layer writes each pixel's words into its ring one pixel after the other.
static bool writes_in_order(const struct stage *stage)
{
	const struct fast_plan *plan = stage->plan;
	const uint32_t origin = plan->layer.write_word[plan->layer.master];
	bool in_order = plan->layer.write_mode == AI8X_WRITE_CHANNELS;
	for (size_t w = 0; w < plan->word_count && in_order; w++)
		in_order = plan->words[w].word >= origin && plan->words[w].word - origin < plan->pixel_words;
	return in_order;
}

// What is wrong with the order of words when layers run together, or FIFO words are stored before they start.
static const char *disorder(const ai8x_machine *machine, uint64_t budget)
{
	const struct run *run = &machine->run;
	const ai8x_layer *first = &run->stage[0].record->report.layer;
	uint64_t cycles = 0;
	for (unsigned i = 0; i < run->stage_count; i++) {
		if (run->stage[i].plan == NULL)
			return "no memory for a plan";
		if (run->stage[i].plan->refused)
			return run->stage[i].plan->reason;
		cycles += run->stage[i].plan->cycles;
	}
	if (cycles > budget)
		return "the cycle limit lies inside";
	if (first->fifo && run->input.frame != layer_read_words(first))
		return "the FIFO's frame is not what the layer reads";
	if (areas_meet(run))
		return "layers that run at the same time share words of data memory";
	for (unsigned i = 1; i < run->stage_count; i++) {
		if (!writes_in_order(&run->stage[i - 1]))
			return "a streaming layer does not write one pixel after the other";
		if (!follows(&run->stage[i], &run->stage[i - 1]))
			return "a streaming layer does not read where the one before it writes";
	}
	return NULL;
}

// Why the current stages need the exact engine, or NULL.
static const char *objection(ai8x_machine *machine, const ai8x_run_limits *limits)
{
	const struct run *run = &machine->run;
	if (machine->options.engine == AI8X_ENGINE_EXACT)
		return "the exact engine was asked for";
	if (machine->context.kinds & EXACT_EVENTS)
		return "an observer wants events of single cycles or words";
	for (unsigned i = 0; i < run->stage_count; i++) {
		const ai8x_layer *layer = &run->stage[i].record->report.layer;
		// Elsewhere the order of words, or bytes on their own, are left to the exact engine.
		if (snoop_watches(machine, layer) &&
		    (layer->write_mode != AI8X_WRITE_CHANNELS || run->stage[i].write_ring != 0))
			return "a snoop unit watches bytes, or words of a ring";
		if (limits->stop_after && limits->stop_layer == layer->index && i + 1 < run->stage_count)
			return "the run stops in the middle of streaming layers";
	}
	return NULL;
}

bool fast_order_matters(ai8x_machine *machine, const ai8x_run_limits *limits, uint64_t budget)
{
	struct run *run = &machine->run;
	if (run->stage_count < 2 && !run->stage[0].record->report.layer.fifo)
		return false;
	const char *reason = objection(machine, limits);
	for (unsigned i = 0; i < run->stage_count; i++)
		run->stage[i].plan = find_plan(machine, &run->stage[i]);
	if (reason == NULL)
		reason = disorder(machine, budget);
	for (unsigned i = 0; i < run->stage_count && reason != NULL; i++)
		explain(run->stage[i].record, reason);
	return reason != NULL;
}

bool fast_stages_ready(ai8x_machine *machine, const ai8x_run_limits *limits, uint64_t budget)
{
	struct run *run = &machine->run;
	const char *reason = objection(machine, limits);
	uint64_t cycles = 0;
	for (unsigned i = 0; i < run->stage_count && reason == NULL; i++) {
		struct stage *stage = &run->stage[i];
		stage->plan = find_plan(machine, stage);
		if (stage->plan == NULL)
			reason = "no memory for a plan";
		else if (stage->plan->refused)
			reason = stage->plan->reason;
		else
			cycles += stage->plan->cycles;
	}
	// A layer is run whole: where the cycle limit lies inside, the exact engine stops at the right cycle.
	if (reason == NULL && cycles > budget)
		reason = "the cycle limit lies inside";
	for (unsigned i = 0; i < run->stage_count && reason != NULL; i++)
		explain(run->stage[i].record, reason);
	return reason == NULL;
}

// Snoop units see each word when it is complete: plans write no word twice, pixel after pixel.
static void show_to_snoop(ai8x_machine *machine, const struct fast_plan *plan, const ai8x_layer *layer)
{
	const uint32_t pixels = layer->output_rows * layer->output_columns;
	for (uint32_t pixel = 0; pixel < pixels; pixel++) {
		for (size_t w = 0; w < plan->word_count; w++) {
			const struct fast_word *word = &plan->words[w];
			const uint32_t at = word->word + pixel * plan->pixel_words;
			snoop_written(machine, layer, word->instance, at, machine->bus.data.word[word->instance][at]);
		}
	}
}

ai8x_status fast_run_stage(ai8x_machine *machine, unsigned i, ai8x_error *error)
{
	struct run *run = &machine->run;
	struct stage *stage = &run->stage[i];
	struct stage *next = i + 1 < run->stage_count ? stage + 1 : NULL;
	const struct fast_job job = {
		.data = &machine->bus.data,
		.input = stage->streams_in ? stage->image : NULL,
		.output = next != NULL && next->streams_in ? next->image : NULL,
		.write_ring = stage->write_ring,
		.capture = stage->record->output,
	};
	if (fast_run(stage->plan, &machine->fast.scratch, &job) != AI8X_OK)
		return error_no_memory(error, "the fast engine");
	if (machine->context.written != NULL && snoop_watches(machine, &stage->record->report.layer))
		show_to_snoop(machine, stage->plan, &stage->record->report.layer);
	ai8x_counters *counters = &stage->record->report.counters;
	const uint64_t stalled = counters->state[AI8X_STATE_STALL];
	*counters = stage->plan->counters;
	counters->state[AI8X_STATE_STALL] = stalled;
	stage->record->report.exact_engine = false;
	machine->context.cycle += stage->plan->cycles;
	return AI8X_OK;
}

ai8x_status fast_setup(ai8x_machine *machine, ai8x_error *error)
{
	machine->fast.kernel = fast_kernel_find(machine->options.cpu);
	machine->fast.scratch.threads = machine->options.threads;
	if (machine->fast.kernel != NULL)
		return AI8X_OK;
	char able[64] = "";
	for (size_t i = 0, used = 0; fast_kernels[i] != NULL && used < sizeof able; i++)
		if (fast_kernels[i]->supported())
			used += (size_t)snprintf(able + used, sizeof able - used, "%s%s", used > 0 ? ", " : "",
			                         fast_kernels[i]->name);
	return error_set(error, AI8X_ERR_ARGUMENT, "no kernels '%s' on this processor; it can run %s",
	                 machine->options.cpu, able);
}

void fast_release(ai8x_machine *machine)
{
	for (unsigned i = 0; i < AI8X_MAX_LAYERS; i++)
		fast_plan_release(machine->fast.plan[i]);
	fast_scratch_release(&machine->fast.scratch);
}
