// A profile, its baseline and advice as one JSON document (docs/profile.md).
#include "base/error.h"
#include "base/json.h"
#include "view/words.h"

static json_t *json_of_counters(const ai8x_counters *counters)
{
	json_t *object = json_object();
	for (size_t i = 0; i < CAUSES; i++)
		json_put(object, causes[i].key, json_integer((json_int_t)ai8x_cause_cycles(&causes[i], counters)));
	return object;
}

static json_t *json_of_layer(const ai8x_profile_layer *layer)
{
	const ai8x_schedule_layer *entry = layer->schedule;
	json_t *object = json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:I, s:f, s:I, s:I, s:o, s:I}", "layer",
	                           (json_int_t)layer->number, "name", layer->name, "operation", layer->operation,
	                           "shape", layer->shape, "passes", (json_int_t)entry->layer.passes, "processors",
	                           (json_int_t)layer->processors, "cycles", (json_int_t)entry->cycles, "share",
	                           layer->share, "start_cycle", (json_int_t)entry->start_cycle, "stop_cycle",
	                           (json_int_t)entry->stop_cycle, "causes", json_of_counters(&entry->counters),
	                           "later_pass_cycles", (json_int_t)entry->counters.pass_cycles);
	json_t *more = json_pack(
		"{s:I, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:f, s:f}", "macs", (json_int_t)layer->macs,
		"macs_per_cycle", layer->macs_per_cycle, "peak_share", layer->peak_share, "data_words_per_mac",
		layer->words_per_mac, "words_read", (json_int_t)entry->counters.words_read, "words_written",
		(json_int_t)entry->counters.words_written, "input_words", (json_int_t)layer->input_words,
		"output_words", (json_int_t)layer->output_words, "kernel_words", (json_int_t)layer->kernel_words,
		"bias_bytes", (json_int_t)layer->bias_bytes, "bound", ai8x_bound_text(layer->bound), "seconds",
		layer->seconds, "joules_estimate", layer->joules);
	json_merge(object, more);
	return object;
}

static json_t *json_of_loading(const ai8x_loading *loading, bool assumed)
{
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:o}", "assumed", (int)assumed,
	                 "kernel_writes", (json_int_t)loading->kernel_writes, "bias_writes",
	                 (json_int_t)loading->bias_writes, "register_writes",
	                 (json_int_t)loading->register_writes, "input_writes", (json_int_t)loading->input_writes,
	                 "fifo_writes", (json_int_t)loading->fifo_writes, "kernel_seconds_estimate",
	                 loading->kernel_seconds, "bias_seconds_estimate", loading->bias_seconds,
	                 "register_seconds_estimate", loading->register_seconds, "input_seconds_estimate",
	                 loading->input_seconds, "joules_estimate",
	                 loading->joules > 0 ? json_real(loading->joules) : json_null());
}

static json_t *json_of_profile(const ai8x_profile *profile)
{
	const ai8x_part_info *info = ai8x_part_get_info(profile->part);
	json_t *layers = json_array();
	for (size_t i = 0; i < profile->layer_count; i++)
		json_push(layers, json_of_layer(&profile->layers[i]));
	return json_pack(
		"{s:s, s:s, s:s, s:f, s:I, s:I, s:o, s:s, s:I, s:f, s:f, s:f, s:I, s:o, s:I, s:I, s:I, s:I, s:I, "
		"s:o, "
		"s:o}",
		"name", profile->name, "part", info->name, "cycles_are", info->cycles_exact ? "exact" : "estimate",
		"cycles_error", ai8x_cycles_error(profile->part, NULL), "cycles",
		(json_int_t)profile->timing.schedule.cycles, "stall_cycles",
		(json_int_t)profile->timing.schedule.stall_cycles, "causes", json_of_counters(&profile->counters),
		"clock", profile->clock.name, "clock_hz", (json_int_t)profile->clock.hz, "seconds", profile->seconds,
		"joules_estimate", profile->joules, "joules_error", ai8x_energy_error(profile->part), "macs",
		(json_int_t)profile->macs, "network_macs",
		profile->network_macs > 0 ? json_integer((json_int_t)profile->network_macs) : json_null(),
		"peak_macs_per_cycle", (json_int_t)ai8x_peak_macs(profile->part), "kernel_words",
		(json_int_t)profile->kernel_words, "kernel_capacity", (json_int_t)profile->kernel_capacity,
		"data_words", (json_int_t)profile->data_words, "data_capacity", (json_int_t)profile->data_capacity,
		"loading", json_of_loading(&profile->timing.loading, profile->loading_assumed), "layers", layers);
}

static json_t *json_of_advice(const ai8x_advice_list *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++) {
		const ai8x_advice *advice = &list->advice[i];
		json_push(array,
		          json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:b}", "change",
		                    advice->change, "why", advice->why, "cycles_before",
		                    (json_int_t)advice->cycles_before, "cycles_after",
		                    (json_int_t)advice->cycles_after, "kernel_words_before",
		                    (json_int_t)advice->kernel_words_before, "kernel_words_after",
		                    (json_int_t)advice->kernel_words_after, "macs_before",
		                    (json_int_t)advice->macs_before, "macs_after", (json_int_t)advice->macs_after,
		                    "joules_before_estimate", advice->joules_before, "joules_after_estimate",
		                    advice->joules_after, "seconds_with_input_before_estimate",
		                    advice->seconds_before, "seconds_with_input_after_estimate",
		                    advice->seconds_after, "same_function", (int)advice->same_function));
	}
	return array;
}

ai8x_status ai8x_profile_json(const ai8x_profile *profile, const ai8x_profile *baseline,
                              const ai8x_advice_list *advice, FILE *file, ai8x_error *error)
{
	if (profile == NULL || file == NULL)
		return error_null(error, profile == NULL ? "profile" : "file");
	return json_write(json_pack("{s:i, s:o, s:o, s:o}", "version", 1, "profile", json_of_profile(profile),
	                            "baseline", baseline != NULL ? json_of_profile(baseline) : json_null(),
	                            "advice", advice != NULL ? json_of_advice(advice) : json_null()),
	                  file, error);
}
