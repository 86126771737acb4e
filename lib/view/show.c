// Watching: runs a program twice on the exact engine and keeps what the page shows. The first run gives the sequence;
// from it follows which cycles the second run records with all values.
#include "view/show.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"

// Share of a page's bytes that values may take: they grow by a third as text, and the rest is the page itself.
#define VALUE_SHARE 0.6
// Shares of a layer's quota: its beginning, a pixel in the middle, its end.
#define SHARE_BEGIN 0.5
#define SHARE_MIDDLE 0.35
// Segments before the chosen pixel that are recorded with it: the pixels it follows.
#define LEAD_SEGMENTS 2

ai8x_show_options ai8x_show_options_default(void)
{
	return (ai8x_show_options){.from_layer = -1, .to_layer = -1, .fifo_write_cycles = AI8X_FEED_HOST};
}

ai8x_status ai8x_show_create(const ai8x_show_options *options, ai8x_show **out, ai8x_error *error)
{
	if (out != NULL)
		*out = NULL;
	if (out == NULL)
		return error_null(error, "show");
	ai8x_show *show = calloc(1, sizeof *show);
	if (show == NULL)
		return error_no_memory(error, "a page");
	show->options = options != NULL ? *options : ai8x_show_options_default();
	if (show->options.runs == 0)
		show->options.runs = 1;
	if (show->options.page_bytes == 0)
		show->options.page_bytes = AI8X_SHOW_BYTES;
	show->runs = calloc(show->options.runs, sizeof *show->runs);
	if (show->runs == NULL) {
		free(show);
		return error_no_memory(error, "a page");
	}
	*out = show;
	return AI8X_OK;
}

static void release_run(struct show_run *run)
{
	show_record_release(&run->record);
	ai8x_profile_destroy(run->profile);
	free(run->reports);
	free(run->load);
	free(run->name);
}

void ai8x_show_destroy(ai8x_show *show)
{
	if (show == NULL)
		return;
	for (size_t i = 0; i < show->run_count; i++)
		release_run(&show->runs[i]);
	free(show->runs);
	free(show);
}

// --- Running -------------------------------------------------------------------------------------------

// As given, or as fast as the host writes at the program's clock.
static ai8x_status find_pace(const ai8x_show *show, const ai8x_program *program, uint32_t *cycles,
                             ai8x_error *error)
{
	*cycles = show->options.fifo_write_cycles;
	if (*cycles != AI8X_FEED_HOST)
		return AI8X_OK;
	ai8x_clock clock = ai8x_clock_default(ai8x_program_part(program), true);
	ai8x_timing timing;
	const ai8x_status status = ai8x_time_program(program, NULL, &timing, error);
	if (status == AI8X_OK) {
		clock = timing.clock;
		ai8x_timing_release(&timing);
	}
	*cycles = ai8x_feed_cycles(ai8x_program_part(program), &clock);
	return status == AI8X_ERR_NO_MEMORY ? status
	                                    : AI8X_OK; // what cannot be timed in advance has no other clock
}

static ai8x_status observe(const ai8x_show *show, const ai8x_program *program, uint32_t kinds,
                           ai8x_event_fn observer, struct show_run *run, ai8x_runner_result *result,
                           ai8x_machine **machine, ai8x_error *error)
{
	ai8x_machine_options choices = ai8x_machine_options_default();
	choices.engine = AI8X_ENGINE_EXACT;
	ai8x_runner_options options = ai8x_runner_options_default();
	ai8x_status status = find_pace(show, program, &options.fifo_write_cycles, error);
	if (status == AI8X_OK)
		status = ai8x_machine_create(ai8x_program_part(program), &choices, machine, error);
	if (status != AI8X_OK)
		return status;
	options.observer = observer;
	options.observer_kinds = kinds;
	options.observer_user = &run->record;
	// However a run ends there is something to show, but not of one that this computer could not carry out.
	if (ai8x_runner_run(*machine, program, &options, result) != AI8X_ERR_NO_MEMORY)
		return AI8X_OK;
	status = error_set(error, AI8X_ERR_NO_MEMORY, "%s", result->message);
	ai8x_runner_result_release(result);
	ai8x_machine_destroy(*machine);
	return status;
}

static bool keep_reports(struct show_run *run, const ai8x_machine *machine)
{
	run->layer_count = ai8x_machine_layer_count(machine);
	run->reports = calloc(run->layer_count + 1, sizeof *run->reports);
	if (run->reports == NULL)
		return false;
	for (size_t i = 0; i < run->layer_count; i++) {
		run->reports[i] = *ai8x_machine_layer_report(machine, i);
		run->reports[i].exact_reason = "";
		run->reports[i].output = NULL;
		run->reports[i].words = NULL;
	}
	return true;
}

// --- Which cycles are recorded -------------------------------------------------------------------------

static bool request(struct show_record *record, uint64_t from, uint64_t to, double quota)
{
	if (!array_reserve(&record->request, &record->request_capacity, record->request_count + 1,
	                   sizeof *record->request))
		return false;
	record->request[record->request_count++] = (struct show_request){from, to, (size_t)quota};
	return true;
}

static int compare_requests(const void *a, const void *b)
{
	const struct show_request *x = a, *y = b;
	return x->from < y->from ? -1 : x->from > y->from;
}

static bool is_chosen(const ai8x_show_options *options, const ai8x_layer *layer)
{
	return (options->from_layer < 0 || layer->index >= (uint32_t)options->from_layer) &&
	       (options->to_layer < 0 || layer->index <= (uint32_t)options->to_layer);
}

// First, middle and last segment of a layer, and the cycle after it. False: it has none.
static bool find_segments(const struct show_record *record, int32_t layer, size_t found[3], uint64_t *stop)
{
	size_t count = 0, seen = 0;
	for (size_t i = 0; i < record->segment_count; i++) {
		if (record->segment[i].layer != layer)
			continue;
		found[0] = count++ == 0 ? i : found[0];
		found[2] = i;
	}
	for (size_t i = 0; i < record->segment_count && seen <= count / 2; i++)
		if (record->segment[i].layer == layer && seen++ == count / 2)
			found[1] = i;
	if (count > 0)
		*stop = found[2] + 1 < record->segment_count ? record->segment[found[2] + 1].cycle : record->cycles;
	return count > 0;
}

static bool request_layer(struct show_run *run, size_t layer, double quota)
{
	struct show_record *record = &run->record;
	size_t at[3] = {0};
	uint64_t stop = 0;
	if (!find_segments(record, (int32_t)layer, at, &stop))
		return true;
	for (unsigned i = 1; i < 3; i++)
		at[i] = at[i] >= at[0] + LEAD_SEGMENTS ? at[i] - LEAD_SEGMENTS : at[0];
	return request(record, record->segment[at[0]].cycle, stop, quota * SHARE_BEGIN) &&
	       request(record, record->segment[at[1]].cycle, stop, quota * SHARE_MIDDLE) &&
	       request(record, record->segment[at[2]].cycle, stop, quota * (1 - SHARE_BEGIN - SHARE_MIDDLE));
}

static ai8x_status choose_cycles(const ai8x_show *show, struct show_run *run, ai8x_error *error)
{
	const ai8x_show_options *options = &show->options;
	const double quota = VALUE_SHARE * (double)options->page_bytes / options->runs;
	struct show_record *record = &run->record;
	bool fits = true;
	if (options->to_cycle != 0 || options->from_cycle != 0) {
		uint64_t to = options->to_cycle != 0 ? options->to_cycle : record->cycles;
		if (options->from_cycle >= record->cycles || to <= options->from_cycle)
			return error_set(error, AI8X_ERR_ARGUMENT, "no cycles from %llu to %llu: the run has %llu",
			                 (unsigned long long)options->from_cycle, (unsigned long long)to,
			                 (unsigned long long)record->cycles);
		fits = request(record, options->from_cycle, to, quota);
	} else {
		size_t chosen = 0;
		for (size_t i = 0; i < run->layer_count; i++)
			chosen += is_chosen(options, &run->reports[i].layer);
		if (chosen == 0 && run->layer_count > 0)
			return error_set(error, AI8X_ERR_ARGUMENT, "none of the layers that were chosen runs");
		for (size_t i = 0; i < run->layer_count && fits; i++)
			if (is_chosen(options, &run->reports[i].layer))
				fits = request_layer(run, i, quota / (double)chosen);
	}
	if (!fits)
		return error_no_memory(error, "a page");
	// Of requests that begin in the same cycle the longest decides where the window ends.
	if (record->request_count > 0)
		qsort(record->request, record->request_count, sizeof *record->request, compare_requests);
	for (size_t i = 1; i < record->request_count; i++)
		if (record->request[i].to < record->request[i - 1].to)
			record->request[i].to = record->request[i - 1].to;
	return AI8X_OK;
}

// --- One run -------------------------------------------------------------------------------------------

static ai8x_status describe(struct show_run *run, const ai8x_program *program, const ai8x_network *network,
                            const ai8x_runner_result *result, uint32_t pace, ai8x_error *error)
{
	const bool pipeline = run->layer_count == 0 || !run->reports[0].layer.no_pipeline;
	run->part = ai8x_program_part(program);
	run->clock = ai8x_clock_default(run->part, pipeline);
	run->cycles_exact = result->cycles_exact;
	run->pass = result->pass;
	run->stopped = result->status != AI8X_OK;
	run->checks = result->checks;
	run->mismatches = result->mismatches;
	(void)snprintf(run->message, sizeof run->message, "%s", result->message);
	const ai8x_profile_options options = {.network = network, .feed = {pace}};
	run->name = strdup(ai8x_program_name(program));
	if (run->name == NULL || !show_load_collect(run, program))
		return error_no_memory(error, "a page");
	// A program that cannot be timed in advance has no names and shapes, nothing else is missing.
	ai8x_status status = ai8x_profile_create(program, &options, &run->profile, NULL);
	if (status == AI8X_ERR_NO_MEMORY)
		return error_no_memory(error, "a page");
	if (status == AI8X_OK && run->profile->layer_count != run->layer_count) {
		ai8x_profile_destroy(run->profile);
		run->profile = NULL;
	}
	return AI8X_OK;
}

static ai8x_status check_record(const struct show_run *run, ai8x_error *error)
{
	const struct show_record *record = &run->record;
	if (record->too_long)
		return error_set(error, AI8X_ERR_LIMIT, "the run has more than %u pixels: too long for a page",
		                 SHOW_MAX_SEGMENTS);
	if (record->failed || record->pattern.failed || record->events.failed || record->patterns.failed ||
	    record->operands.failed || record->patterns.bytes.failed || record->operands.bytes.failed)
		return error_no_memory(error, "a page");
	return AI8X_OK;
}

static ai8x_status add_run(ai8x_show *show, const ai8x_program *program, const ai8x_network *network,
                           struct show_run *run, ai8x_runner_result *result, ai8x_error *error)
{
	ai8x_machine *machine = NULL;
	ai8x_status status =
		observe(show, program, SHOW_SEQUENCE_KINDS, show_record_sequence, run, result, &machine, error);
	if (status != AI8X_OK)
		return status;
	show_record_end_sequence(&run->record);
	if (!keep_reports(run, machine))
		status = error_no_memory(error, "a page");
	ai8x_machine_destroy(machine);
	if (status == AI8X_OK)
		status = check_record(run, error);
	if (status == AI8X_OK && run->record.segment_count == 0)
		status = error_set(error, result->status != AI8X_OK ? result->status : AI8X_ERR_NOT_STARTED, "%s",
		                   result->status != AI8X_OK ? result->message : "the program starts no layer");
	if (status == AI8X_OK)
		status = describe(run, program, network, result, show->options.fifo_write_cycles, error);
	if (status == AI8X_OK)
		status = choose_cycles(show, run, error);
	if (status != AI8X_OK)
		return status;
	ai8x_runner_result again;
	status = observe(show, program, SHOW_DETAIL_KINDS, show_record_detail, run, &again, &machine, error);
	if (status != AI8X_OK)
		return status;
	show_record_end_detail(&run->record);
	ai8x_runner_result_release(&again);
	ai8x_machine_destroy(machine);
	return check_record(run, error);
}

ai8x_status ai8x_show_add(ai8x_show *show, const ai8x_program *program, const ai8x_network *network,
                          ai8x_runner_result *result, ai8x_error *error)
{
	if (error_if_null(error, show, program, result))
		return AI8X_ERR_ARGUMENT;
	memset(result, 0, sizeof *result);
	if (show->run_count == show->options.runs)
		return error_set(error, AI8X_ERR_ARGUMENT, "the page was begun for %u programs and has them already",
		                 show->options.runs);
	struct show_run run = {0};
	ai8x_status status = add_run(show, program, network, &run, result, error);
	if (status != AI8X_OK) {
		release_run(&run);
		return status;
	}
	show->runs[show->run_count++] = run;
	return AI8X_OK;
}

size_t ai8x_show_count(const ai8x_show *show)
{
	if (show == NULL)
		return 0;
	return show->run_count;
}
