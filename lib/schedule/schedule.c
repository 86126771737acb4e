// The schedule of a run without data: layers one after the other, streaming layers pixel by pixel as the
// machine picks them, FIFO words as the host writes them (hardware reference 5, 6).
#include <ai8xsim/time.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "machine/machine.h"
#include "time/sequence.h"

// A layer that is under way.
struct flow {
	struct sequence sequence;
	size_t position;    // in the schedule
	bool by_pixel;      // others may work between two pixels
	bool flatten_cycle; // still to come
	bool done;
	uint32_t row, column;
	uint64_t left;        // cycles left of the pixel (or layer) begun; 0: between two pixels
	uint64_t pixels_done; // output pixels complete
};

// Bounds that no useful run comes near, so that damaged registers cannot keep the scheduler busy for hours: pixels of
// layers that stream or are fed, FIFO words of an assumed frame, layers of a run.
#define STEPS_MOST (UINT64_C(1) << 26)
#define WORDS_MOST (UINT64_C(1) << 24)
#define LAYERS_MOST ((size_t)8 * AI8X_MAX_LAYERS)

// Why the host's call came back.
enum outcome { OUTCOME_DONE, OUTCOME_BUDGET, OUTCOME_WAITING, OUTCOME_ROOM, OUTCOME_FAILED };

struct scheduler {
	const ai8x_machine *machine;
	ai8x_schedule *schedule;
	size_t layer_capacity;
	ai8x_error *error;
	ai8x_status status;
	ai8x_layer decoded[AI8X_MAX_STREAMS]; // those that start together
	struct flow flow[AI8X_MAX_STREAMS];
	unsigned flow_count;
	uint32_t next_layer;
	bool running;
	uint64_t cycle;
	uint64_t steps; // of the scheduler
	uint32_t level[FIFO_COUNT], depth[FIFO_COUNT];
	uint32_t fifos;         // enabled ones
	uint64_t stored, frame; // words per FIFO
	bool consuming;         // a layer that takes FIFO words is under way
};

void ai8x_schedule_release(ai8x_schedule *schedule)
{
	if (schedule == NULL)
		return;
	free(schedule->layers);
	*schedule = (ai8x_schedule){0};
}

static bool begin_layer(struct scheduler *s, const ai8x_layer *layer, unsigned streams, uint32_t ring)
{
	s->status = layer_check_ranges(layer, ring, s->error);
	if (s->status != AI8X_OK)
		return false;
	ai8x_schedule *schedule = s->schedule;
	if (!array_reserve(&schedule->layers, &s->layer_capacity, schedule->layer_count + 1,
	                   sizeof *schedule->layers)) {
		s->status = error_no_memory(s->error, "a schedule");
		return false;
	}
	ai8x_schedule_layer *entry = &schedule->layers[schedule->layer_count];
	*entry = (ai8x_schedule_layer){.layer = *layer, .start_cycle = s->cycle, .streams = streams};
	ai8x_time_layer(layer, &entry->counters);
	struct flow *flow = &s->flow[s->flow_count++];
	*flow = (struct flow){.position = schedule->layer_count++, .by_pixel = layer->streaming || layer->fifo};
	if (flow->by_pixel) {
		sequence_prepare(&flow->sequence, layer);
		flow->flatten_cycle = flow->sequence.flatten_cycle;
	} else {
		flow->left = ai8x_time_total(&entry->counters);
		flow->done = flow->left == 0;
	}
	if (layer->fifo)
		s->consuming = true;
	return true;
}

static ai8x_status decode(void *user, uint32_t index, unsigned position, const ai8x_layer **layer,
                          ai8x_error *error)
{
	struct scheduler *s = user;
	*layer = &s->decoded[position];
	return layer_decode(&s->machine->bus.registers, &s->machine->run.members, index, &s->decoded[position],
	                    error);
}

// The next layer, or all layers that stream together with it.
static bool begin_layers(struct scheduler *s)
{
	struct order_start together;
	s->status = order_start(&together, s->next_layer, s->machine->run.last_layer, decode, s, s->error);
	bool ok = s->status == AI8X_OK;
	for (unsigned i = 0; i < together.count && ok; i++)
		ok = begin_layer(s, together.layer[i], together.count, together.write_ring[i]);
	return ok;
}

static const ai8x_layer *layer_of(const struct scheduler *s, const struct flow *flow)
{
	return &s->schedule->layers[flow->position].layer;
}

static void pull(struct scheduler *s, uint64_t until)
{
	until = until < s->frame ? until : s->frame;
	// Nobody brings words when no FIFO is enabled.
	if (s->fifos == 0)
		return;
	while (s->stored < until) {
		for (unsigned f = 0; f < FIFO_COUNT; f++)
			if ((s->fifos >> f & 1) != 0 && s->level[f] == 0)
				return;
		for (unsigned f = 0; f < FIFO_COUNT; f++)
			s->level[f] -= s->fifos >> f & 1;
		s->stored++;
	}
}

// FIFO words that the next pixel needs; before the first pixel also the start count.
static uint64_t words_needed(const struct scheduler *s, const struct flow *flow)
{
	const ai8x_layer *layer = layer_of(s, flow);
	const uint64_t pixels = sequence_needs(&flow->sequence, flow->row, flow->column);
	return order_words_needed(layer, pixels, flow->row != 0 || flow->column != 0, s->frame);
}

static bool input_ready(struct scheduler *s, unsigned i)
{
	struct flow *flow = &s->flow[i];
	const ai8x_layer *layer = layer_of(s, flow);
	flow->sequence.layer = layer;
	if (layer->fifo) {
		uint64_t needed = words_needed(s, flow);
		pull(s, layer->ring_words == 0 ? UINT64_MAX : needed);
		return s->stored >= needed;
	}
	if (i == 0)
		return true;
	const struct flow *producer = &s->flow[i - 1];
	return producer->done ||
	       producer->pixels_done >= sequence_needs(&flow->sequence, flow->row, flow->column);
}

// The layer that works next: a pixel once begun first, then the layer nearest to the output.
static struct flow *pick(struct scheduler *s)
{
	for (unsigned i = 0; i < s->flow_count; i++)
		if (!s->flow[i].done && s->flow[i].left > 0)
			return &s->flow[i];
	for (unsigned i = s->flow_count; i-- > 0;)
		if (!s->flow[i].done && input_ready(s, i))
			return &s->flow[i];
	return NULL;
}

static void begin_pixel(struct flow *flow)
{
	flow->left = flow->flatten_cycle ? 1 : sequence_pixel_cycles(&flow->sequence, flow->row, flow->column);
}

static void end_pixel(struct flow *flow)
{
	if (!flow->by_pixel) {
		flow->done = true;
		return;
	}
	if (flow->flatten_cycle) {
		flow->flatten_cycle = false;
		return;
	}
	flow->pixels_done += sequence_has_output(&flow->sequence, flow->row, flow->column);
	if (++flow->column < flow->sequence.columns)
		return;
	flow->column = 0;
	flow->done = ++flow->row == flow->sequence.rows;
}

static void choose_next(struct scheduler *s, const ai8x_layer *layer)
{
	const struct run *run = &s->machine->run;
	const bool link = snoop_makes_conditional(s->machine, run->members.master, layer->index);
	const struct order_step step = order_step_of(layer, run->last_layer);
	s->schedule->conditional |= link || snoop_may_stop(s->machine, run->members.master, layer->index);
	s->running = order_next(&step, !link, &s->next_layer);
}

// Links that lead back never end: there are no more layers than this in a run that does.
static bool too_many_layers(struct scheduler *s)
{
	if (s->schedule->layer_count < LAYERS_MOST)
		return false;
	s->status = error_set(s->error, AI8X_ERR_CYCLE_LIMIT,
	                      "the layers' links (NXTLYR) lead in circles: more than %zu layers", LAYERS_MOST);
	return true;
}

static bool end_layer(struct scheduler *s, struct flow *flow)
{
	s->schedule->layers[flow->position].stop_cycle = s->cycle;
	if (layer_of(s, flow)->fifo) {
		// What is left of the frame is taken even if the layer had no use for it.
		s->consuming = false;
		pull(s, UINT64_MAX);
	}
	for (unsigned i = 0; i < s->flow_count; i++)
		if (!s->flow[i].done)
			return true;
	const ai8x_layer last = *layer_of(s, &s->flow[s->flow_count - 1]);
	s->flow_count = 0;
	choose_next(s, &last);
	return !too_many_layers(s);
}

static enum outcome advance(struct scheduler *s, uint64_t *budget, const uint32_t *fifo)
{
	while (s->running) {
		if (fifo != NULL && s->level[*fifo] < s->depth[*fifo])
			return OUTCOME_ROOM;
		if (s->flow_count == 0 && !begin_layers(s))
			return OUTCOME_FAILED;
		if (*budget == 0)
			return OUTCOME_BUDGET;
		if (s->steps++ == STEPS_MOST) {
			s->status = error_set(
				s->error, AI8X_ERR_CYCLE_LIMIT,
				"the run was still going on after %llu cycles: its layers or frames are too large to time",
				(unsigned long long)s->cycle);
			return OUTCOME_FAILED;
		}
		struct flow *flow = pick(s);
		if (flow == NULL)
			return fifo != NULL && s->level[*fifo] < s->depth[*fifo] ? OUTCOME_ROOM : OUTCOME_WAITING;
		if (flow->left == 0 && flow->by_pixel)
			begin_pixel(flow);
		uint64_t used = flow->left < *budget ? flow->left : *budget;
		flow->left -= used;
		*budget -= used;
		s->cycle += used;
		if (flow->left > 0)
			continue;
		end_pixel(flow);
		if (flow->done && !end_layer(s, flow))
			return OUTCOME_FAILED;
	}
	return OUTCOME_DONE;
}

static void stall(struct scheduler *s, uint64_t cycles)
{
	ai8x_schedule_layer *layer = &s->schedule->layers[s->flow[0].position];
	layer->counters.state[AI8X_STATE_STALL] += cycles;
	s->schedule->stall_cycles += cycles;
	s->cycle += cycles;
}

static ai8x_status outcome_status(struct scheduler *s, enum outcome outcome, uint64_t word)
{
	if (outcome == OUTCOME_FAILED)
		return s->status;
	if (outcome == OUTCOME_WAITING)
		return error_set(
			s->error, AI8X_ERR_STALLED,
			"the accelerator waits for FIFO words that never come: %llu words were written, %llu of "
			"every enabled FIFO (map 0x%x) have arrived",
			(unsigned long long)word, (unsigned long long)s->stored, s->fifos);
	return AI8X_OK;
}

// One FIFO word of the host, as a copy loop on the processor writes it.
static ai8x_status write_word(struct scheduler *s, uint32_t fifo, const ai8x_feed *feed, uint64_t word)
{
	uint64_t budget = feed->write_cycles;
	if (budget > 0 && s->running) {
		enum outcome outcome = advance(s, &budget, NULL);
		if (outcome == OUTCOME_WAITING)
			stall(s, budget);
		else if (outcome == OUTCOME_FAILED)
			return s->status;
	}
	while (s->level[fifo] == s->depth[fifo]) {
		if (!s->running)
			return error_set(s->error, AI8X_ERR_STALLED,
			                 "FIFO %u is full and nothing runs that would take words from it", fifo);
		budget = UINT64_MAX;
		ai8x_status status = outcome_status(s, advance(s, &budget, &fifo), word);
		if (status != AI8X_OK)
			return status;
	}
	s->level[fifo]++;
	if (s->machine->run.has_input && !s->consuming && s->stored > 0)
		pull(s, UINT64_MAX);
	return AI8X_OK;
}

static ai8x_status write_frame(struct scheduler *s, const ai8x_feed *feed)
{
	uint64_t word = 0;
	if (s->frame == UINT64_MAX)
		return AI8X_OK;
	if (s->frame > WORDS_MOST)
		return error_set(s->error, AI8X_ERR_LIMIT, "a frame of %llu words (IFRM) is too large to time",
		                 (unsigned long long)s->frame);
	for (uint64_t w = 0; w < s->frame && s->running; w++) {
		for (uint32_t f = 0; f < FIFO_COUNT; f++) {
			if ((s->fifos >> f & 1) == 0)
				continue;
			ai8x_status status = write_word(s, f, feed, word++);
			if (status != AI8X_OK)
				return status;
		}
	}
	s->schedule->fifo_words = word;
	return AI8X_OK;
}

static ai8x_status run_schedule(struct scheduler *s, const uint8_t *fifos, size_t count,
                                const ai8x_feed *feed)
{
	ai8x_status status = AI8X_OK;
	if (fifos == NULL) {
		status = write_frame(s, feed);
	} else {
		for (size_t i = 0; i < count && status == AI8X_OK; i++) {
			if (fifos[i] >= FIFO_COUNT)
				return error_set(s->error, AI8X_ERR_ARGUMENT, "there is no FIFO %u", fifos[i]);
			status = write_word(s, fifos[i], feed, i);
		}
		s->schedule->fifo_words = count;
	}
	uint64_t budget = UINT64_MAX;
	if (status == AI8X_OK)
		status = outcome_status(s, advance(s, &budget, NULL), s->schedule->fifo_words);
	return status;
}

ai8x_status ai8x_schedule_machine(const ai8x_machine *machine, const uint8_t *fifos, size_t count,
                                  const ai8x_feed *feed, ai8x_schedule *schedule, ai8x_error *error)
{
	if (machine == NULL || schedule == NULL)
		return error_null(error, machine == NULL ? "machine" : "schedule");
	static const ai8x_feed in_time;
	const struct run *run = &machine->run;
	*schedule = (ai8x_schedule){0};
	if (run->phase != RUN_ACTIVE)
		return error_set(error, AI8X_ERR_NOT_STARTED,
		                 "the machine was not started, so there is no run to schedule");
	struct scheduler *s = calloc(1, sizeof *s);
	if (s == NULL)
		return error_no_memory(error, "a schedule");
	s->machine = machine;
	s->schedule = schedule;
	s->error = error;
	s->next_layer = run->next_layer;
	s->running = true;
	s->cycle = 1;
	s->fifos = run->has_input ? run->input.enabled : 0;
	s->frame = run->input.frame;
	for (unsigned f = 0; f < FIFO_COUNT; f++) {
		s->level[f] = machine->bus.fifo[f].level;
		s->depth[f] = machine->bus.fifo[f].depth;
	}
	// A run without FIFO input needs no assumed frame: an empty list of words, not none.
	static const uint8_t no_words[1];
	if (fifos == NULL && !run->has_input) {
		fifos = no_words;
		count = 0;
	}
	ai8x_status status = run_schedule(s, fifos, count, feed != NULL ? feed : &in_time);
	schedule->cycles = s->cycle;
	for (size_t i = 0; i < schedule->layer_count; i++)
		schedule->layers[i].cycles = ai8x_time_total(&schedule->layers[i].counters);
	free(s);
	if (status != AI8X_OK)
		ai8x_schedule_release(schedule);
	return status;
}
