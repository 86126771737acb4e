// Profiles: what each layer costs and what limits it, from the schedule and the map.
#include <ai8xsim/view.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "layer/geometry.h"
#include "program/program.h"
#include "time/host_cost.h"
#include "view/map.h"
#include "view/profile.h"

static const char *const bound_texts[] = {
	[AI8X_BOUND_OUTPUT] = "limited by output writes",
	[AI8X_BOUND_READ] = "limited by reading data",
	[AI8X_BOUND_POOL] = "limited by pooling reads",
	[AI8X_BOUND_LINES] = "limited by filling the line buffer",
	[AI8X_BOUND_SEEK] = "limited by kernel seeking",
	[AI8X_BOUND_FIFO] = "limited by FIFO words",
	[AI8X_BOUND_PIPELINE] = "limited by the pipeline",
};

const char *ai8x_bound_text(ai8x_bound bound)
{
	return (size_t)bound < AI8X_BOUND_COUNT ? bound_texts[bound] : "?";
}

unsigned ai8x_peak_macs(const ai8x_part *part)
{
	if (part == NULL)
		return 0;
	const unsigned taps = 9;
	// Parts that have calcx4 apply the kernels of four output channels in one cycle.
	const unsigned slots = part_has_field(part, F_CALCX4) ? 4 : 1;
	return AI8X_PROCESSORS * taps * slots;
}

static ai8x_bound bound_of(const ai8x_counters *counters)
{
	const uint64_t *state = counters->state;
	const uint64_t cycles[AI8X_BOUND_COUNT] = {
		[AI8X_BOUND_OUTPUT] = state[AI8X_STATE_OUTPUT] + state[AI8X_STATE_ROW_END],
		[AI8X_BOUND_READ] = state[AI8X_STATE_READ],
		[AI8X_BOUND_POOL] = state[AI8X_STATE_POOL_READ],
		[AI8X_BOUND_LINES] = state[AI8X_STATE_TRAM] + state[AI8X_STATE_PAD] + state[AI8X_STATE_FILL],
		[AI8X_BOUND_SEEK] = state[AI8X_STATE_SEEK],
		[AI8X_BOUND_FIFO] = state[AI8X_STATE_STALL],
		[AI8X_BOUND_PIPELINE] = state[AI8X_STATE_PIPELINE],
	};
	ai8x_bound bound = AI8X_BOUND_OUTPUT;
	for (unsigned b = 0; b < AI8X_BOUND_COUNT; b++)
		bound = cycles[b] > cycles[bound] ? (ai8x_bound)b : bound;
	return bound;
}

// --- Words ---------------------------------------------------------------------------------------------

static void say_shape(ai8x_profile_layer *out, const ai8x_layer *layer)
{
	unsigned inputs = bits_count(layer->processors) * layer->passes;
	if (layer->quad_fanout)
		inputs /= bits_count(layer->groups);
	(void)snprintf(out->shape, sizeof out->shape, "%ux%ux%u -> %ux%ux%u", inputs, layer->rows, layer->columns,
	               ai8x_layer_output_slots(layer), layer->output_rows, layer->output_columns);
}

static void add_text(char *text, size_t size, const char *part)
{
	size_t length = strlen(text);
	(void)snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "", part);
}

static void say_operation(ai8x_profile_layer *out, const ai8x_layer *layer)
{
	char part[64];
	if (layer->operands > 1) {
		(void)snprintf(part, sizeof part, "%s %u", ai8x_eltwise_name(layer->eltwise), layer->operands);
		add_text(out->operation, sizeof out->operation, part);
	}
	if (layer->pooling != AI8X_POOL_NONE) {
		(void)snprintf(part, sizeof part, "%s %ux%u/%u", layer->pooling == AI8X_POOL_MAX ? "max" : "avg",
		               layer->pool_rows, layer->pool_columns, layer->pool_stride);
		add_text(out->operation, sizeof out->operation, part);
	}
	if (layer->operation == AI8X_OP_PASSTHROUGH)
		(void)snprintf(part, sizeof part, "pass");
	else if (layer->operation == AI8X_OP_LINEAR)
		(void)snprintf(part, sizeof part, "linear");
	else if (layer->operation == AI8X_OP_CONV1D)
		(void)snprintf(part, sizeof part, "%sconv1d %u", layer->depthwise ? "dw-" : "", layer->kernel_rows);
	else
		(void)snprintf(part, sizeof part, "%s%s %ux%u", layer->depthwise ? "dw-" : "",
		               layer->transposed ? "convT" : "conv", layer->kernel_rows, layer->kernel_columns);
	add_text(out->operation, sizeof out->operation, part);
	if (layer->activation != AI8X_ACTIVATE_NONE)
		add_text(out->operation, sizeof out->operation, ai8x_activation_name(layer->activation));
}

// --- Names ---------------------------------------------------------------------------------------------

static void name_by_program(const ai8x_program *program, ai8x_profile_layer *out, uint32_t index)
{
	const int position = program_layer_position(program, index);
	out->number = program_layer_number(program, index);
	if (position >= 0)
		(void)snprintf(out->name, sizeof out->name, "%s", ai8x_program_text(program, position, "name", ""));
	else if (out->number >= AI8X_PROGRAM_UNRECORDED)
		// Such as the one-cycle layer that some networks end with.
		(void)snprintf(out->name, sizeof out->name, "register set %u", index);
}

static void name_by_network(const ai8x_network *network, ai8x_profile_layer *out)
{
	for (size_t i = 0; network != NULL && i < network->layer_count; i++)
		if (network->layers[i].number == out->number && network->layers[i].name != NULL)
			(void)snprintf(out->name, sizeof out->name, "%s", network->layers[i].name);
}

// --- Numbers -------------------------------------------------------------------------------------------

static uint64_t input_words(const ai8x_layer *layer)
{
	uint64_t instances = 0, words = layer_read_words(layer);
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		instances += (layer->processors >> (4 * i) & 15) != 0;
	if (layer->ring_words != 0 && layer->ring_words < words)
		words = layer->ring_words;
	return instances * words;
}

static void fill_layer(const ai8x_profile *profile, size_t position, ai8x_profile_layer *out, double volts)
{
	const ai8x_schedule_layer *entry = &profile->timing.schedule.layers[position];
	const ai8x_layer *layer = &entry->layer;
	const double cycles = (double)entry->cycles;
	out->schedule = entry;
	out->number = layer->index;
	say_shape(out, layer);
	say_operation(out, layer);
	out->processors = bits_count(layer->processors | layer->kernel_processors);
	out->macs = ai8x_layer_macs(layer);
	out->macs_per_cycle = cycles > 0 ? (double)out->macs / cycles : 0;
	out->peak_share = out->macs_per_cycle / ai8x_peak_macs(profile->part);
	if (out->macs > 0)
		out->words_per_mac =
			(double)(entry->counters.words_read + entry->counters.words_written) / (double)out->macs;
	out->share = cycles / (double)profile->timing.schedule.cycles;
	out->bound = bound_of(&entry->counters);
	out->input_words = input_words(layer);
	out->output_words = map_words(&profile->map->data[position + 1], (int)position);
	out->kernel_words = map_words(&profile->map->kernels, (int)position);
	out->kernel_bytes = (uint64_t)layer->kernels * layer->weight_bits * layer->kernel_rows *
	                    layer->kernel_columns * bits_count(layer->kernel_processors) *
	                    (layer->calcx4 ? 4 : 1) / 8;
	out->bias_bytes = map_words(&profile->map->bias, (int)position);
	out->seconds = cycles / profile->clock.hz;
	out->joules = ai8x_energy_layer_at(layer, &entry->counters, volts, profile->clock.hz);
}

// What a description without weights does not load: kernels packed (nine bytes a word), bias byte by byte, input.
static void assume_loading(ai8x_profile *profile)
{
	ai8x_loading *loading = &profile->timing.loading;
	uint64_t bias = 0;
	for (size_t i = 0; i < profile->layer_count; i++)
		bias += profile->layers[i].bias_bytes;
	if (loading->kernel_writes != 0 || profile->kernel_words == 0)
		return;
	profile->loading_assumed = true;
	loading->kernel_writes = (profile->kernel_words * 9 + 3) / 4;
	if (loading->bias_writes == 0)
		loading->bias_writes = bias;
	if (loading->input_writes == 0 && profile->timing.schedule.fifo_words == 0)
		loading->input_writes = profile->layers[0].input_words;
}

uint64_t profile_data_capacity(const ai8x_part *part)
{
	return (uint64_t)ai8x_part_get_info(part)->data_words * AI8X_INSTANCES;
}

uint64_t profile_kernel_capacity(const ai8x_part *part)
{
	const ai8x_part_info *info = ai8x_part_get_info(part);
	return (uint64_t)info->kernel_words * (AI8X_PROCESSORS - AI8X_GROUPS) +
	       (uint64_t)info->kernel_words_first * AI8X_GROUPS;
}

static void sum_up(ai8x_profile *profile)
{
	profile->counters.state[AI8X_STATE_START] = 1;
	for (size_t i = 0; i < profile->layer_count; i++) {
		const ai8x_counters *counters = &profile->layers[i].schedule->counters;
		for (unsigned s = 0; s < AI8X_STATE_COUNT; s++)
			profile->counters.state[s] += counters->state[s];
		profile->counters.pass_cycles += counters->pass_cycles;
		profile->macs += profile->layers[i].macs;
		profile->joules += profile->layers[i].joules;
		profile->kernel_words += profile->layers[i].kernel_words;
	}
	for (size_t i = 0; i <= profile->map->layer_count; i++) {
		uint64_t words = map_words(&profile->map->data[i], AI8X_MAP_INPUT - 1);
		profile->data_words = words > profile->data_words ? words : profile->data_words;
	}
	profile->seconds = (double)profile->timing.schedule.cycles / profile->clock.hz;
	profile->data_capacity = profile_data_capacity(profile->part);
	profile->kernel_capacity = profile_kernel_capacity(profile->part);
}

ai8x_status ai8x_profile_create(const ai8x_program *program, const ai8x_profile_options *options,
                                ai8x_profile **out, ai8x_error *error)
{
	if (out != NULL)
		*out = NULL;
	if (program == NULL || out == NULL)
		return error_null(error, program == NULL ? "program" : "profile");
	static const ai8x_profile_options none;
	if (options == NULL)
		options = &none;
	ai8x_profile *profile = calloc(1, sizeof *profile);
	if (profile == NULL)
		return error_no_memory(error, "a profile");
	(void)snprintf(profile->name, sizeof profile->name, "%s", ai8x_program_name(program));
	profile->part = ai8x_program_part(program);
	const int64_t network_macs = ai8x_program_int(program, -1, "macs", 0);
	profile->network_macs = network_macs > 0 ? (uint64_t)network_macs : 0;
	ai8x_feed feed = options->feed;
	if (feed.clock.hz == 0)
		feed.clock = options->clock;
	ai8x_status status = ai8x_time_program(program, &feed, &profile->timing, error);
	if (options->clock.hz != 0)
		profile->timing.loading_clock = options->clock;
	profile->feed = (ai8x_feed){.write_cycles = profile->timing.feed_cycles};
	profile->clock = options->clock.hz != 0 ? options->clock : profile->timing.clock;
	if (status == AI8X_OK)
		status = ai8x_map_create(program, &profile->timing.schedule, &profile->map, error);
	if (status == AI8X_OK) {
		profile->layer_count = profile->timing.schedule.layer_count;
		profile->layers = calloc(profile->layer_count + 1, sizeof *profile->layers);
		if (profile->layers == NULL)
			status = error_no_memory(error, "a profile");
	}
	if (status != AI8X_OK) {
		ai8x_profile_destroy(profile);
		return status;
	}
	for (size_t i = 0; i < profile->layer_count; i++) {
		fill_layer(profile, i, &profile->layers[i], options->volts);
		name_by_program(program, &profile->layers[i], profile->timing.schedule.layers[i].layer.index);
		name_by_network(options->network, &profile->layers[i]);
	}
	sum_up(profile);
	assume_loading(profile);
	host_loading_times(&profile->timing.loading, profile->part, &profile->timing.loading_clock);
	*out = profile;
	return AI8X_OK;
}

const ai8x_profile_layer *ai8x_profile_counterpart(const ai8x_profile *profile, size_t position,
                                                   const ai8x_profile *baseline)
{
	if (profile == NULL || baseline == NULL || position >= profile->layer_count)
		return NULL;
	const ai8x_profile_layer *layer = &profile->layers[position];
	for (size_t i = 0; i < baseline->layer_count; i++) {
		const ai8x_profile_layer *other = &baseline->layers[i];
		if (strcmp(other->name, layer->name) == 0 &&
		    (layer->name[0] != '\0' || other->number == layer->number))
			return other;
	}
	return NULL;
}

void ai8x_profile_destroy(ai8x_profile *profile)
{
	if (profile == NULL)
		return;
	ai8x_timing_release(&profile->timing);
	ai8x_map_destroy(profile->map);
	free(profile->layers);
	free(profile);
}
