// Makes a failing trial small: takes away layers, then simplifies one choice after the other, and keeps every change
// after which the trial still fails in the same way, until none of them does.
#include "trial.h"

#include <stddef.h>
#include <string.h>

// A failing trial has some hundred possible simplifications; this ends even a search that finds them one by one.
#define MOST_TRIALS 3000

struct shrinker {
	struct judge *judge;
	struct trial *trial;
	struct verdict *verdict;
	unsigned judged;
	bool progress;
};

// Judges a changed copy; keeps it where it fails in the same way. The copy is used up either way.
static bool keep_if_failing(struct shrinker *s, struct trial *changed)
{
	struct verdict verdict;
	bool kept = false;
	if (s->judged < MOST_TRIALS) {
		s->judged++;
		trial_judge(s->judge, changed, &verdict, NULL);
		kept = verdict.outcome == s->verdict->outcome;
	}
	if (kept) {
		trial_release(s->trial);
		*s->trial = *changed;
		*s->verdict = verdict;
		s->progress = true;
	} else {
		trial_release(changed);
	}
	return kept;
}

// --- Layers ---------------------------------------------------------------------------------------------

static void truncate_network(struct shrinker *s)
{
	for (size_t count = 1; count < s->trial->network->layer_count; count++) {
		struct trial changed;
		if (trial_copy(s->trial, &changed, NULL) != AI8X_OK)
			return;
		changed.network->layer_count = count;
		if (keep_if_failing(s, &changed))
			return;
	}
}

// What a layer reads when it says nothing.
static void name_sources(ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		if (layer->source_count == 0) {
			layer->sources[0] = (int)i - 1;
			layer->source_count = 1;
		}
	}
}

static int without(int reference, int removed, int instead)
{
	return reference == removed ? instead : reference > removed ? reference - 1 : reference;
}

// Readers of the removed layer read what it read. Its own memory is released by swapping it past the end.
static void remove_layer(ai8x_network *network, size_t i)
{
	name_sources(network);
	int instead = network->layers[i].sources[0];
	ai8x_network_layer removed = network->layers[i];
	memmove(&network->layers[i], &network->layers[i + 1], (network->layer_count - i - 1) * sizeof removed);
	network->layer_count--;
	for (size_t k = 0; k < network->layer_count; k++) {
		ai8x_network_layer *layer = &network->layers[k];
		layer->number = (unsigned)k;
		for (unsigned n = 0; n < layer->source_count; n++)
			layer->sources[n] = without(layer->sources[n], (int)i, instead);
		layer->weight_source = without(layer->weight_source, (int)i, -1);
	}
}

// The first layer's input takes the shape that the layer after it used to read.
static void shape_first(const struct trial *trial, ai8x_network *network)
{
	ai8x_network *resolved = NULL;
	if (ai8x_network_copy(trial->network, &resolved, NULL) == AI8X_OK &&
	    ai8x_network_resolve(resolved, NULL) == AI8X_OK && resolved->layer_count > 1) {
		const ai8x_network_layer *second = &resolved->layers[1];
		ai8x_network_layer *first = &network->layers[0];
		first->in_channels = second->in_channels;
		first->in_rows = second->in_rows;
		first->in_columns = second->in_columns;
		first->source_count = 0;
		first->output_bits = second->output_bits;
	}
	ai8x_network_destroy(resolved);
}

static void remove_layers(struct shrinker *s)
{
	for (size_t i = s->trial->network->layer_count; i-- > 0;) {
		struct trial changed;
		if (s->trial->network->layer_count < 2 || i >= s->trial->network->layer_count)
			continue;
		if (trial_copy(s->trial, &changed, NULL) != AI8X_OK)
			return;
		remove_layer(changed.network, i);
		if (i == 0)
			shape_first(s->trial, changed.network);
		(void)keep_if_failing(s, &changed);
	}
}

static void remove_sources(struct shrinker *s)
{
	for (size_t i = 0; i < s->trial->network->layer_count; i++) {
		for (unsigned n = s->trial->network->layers[i].source_count; n-- > 0;) {
			struct trial changed;
			if (s->trial->network->layers[i].source_count < 2)
				break;
			if (trial_copy(s->trial, &changed, NULL) != AI8X_OK)
				return;
			ai8x_network_layer *layer = &changed.network->layers[i];
			for (unsigned k = n; k + 1 < layer->source_count; k++)
				layer->sources[k] = layer->sources[k + 1];
			layer->source_count--;
			if (layer->operands > 1)
				layer->operands = layer->source_count;
			if (layer->operands == 1)
				layer->pool_first = true;
			(void)keep_if_failing(s, &changed);
		}
	}
}

// --- Choices --------------------------------------------------------------------------------------------

// One simplification of a layer. False: it is simple already.
typedef bool (*change_fn)(ai8x_network_layer *layer);

#define CLEAR(name, member, value)                                                                           \
	static bool name(ai8x_network_layer *layer)                                                              \
	{                                                                                                        \
		bool changes = layer->member != (value);                                                             \
		layer->member = (value);                                                                             \
		return changes;                                                                                      \
	}

CLEAR(no_activation, activation, AI8X_ACTIVATE_NONE)
CLEAR(no_bias, bias_wanted, false)
CLEAR(any_bias_group, bias_groups, 0)
CLEAR(no_stride, pool_stride, 1)
CLEAR(no_dilation, dilation, 1)
CLEAR(eight_bits, weight_bits, 8)
CLEAR(no_calcx4, calcx4, false)
CLEAR(no_read_ahead, read_ahead, false)
CLEAR(default_tcalc, tcalc, AI8X_NETWORK_DEFAULT)
CLEAR(no_bypass, bypass, false)
CLEAR(no_groups, groups, 1)
CLEAR(no_output, output, false)
CLEAR(byte_output, output_bits, 8)
CLEAR(any_output_processors, output_processors, 0)
CLEAR(no_skip, first_channel, 0)
CLEAR(no_top_crop, crop_first, 0)
CLEAR(no_bottom_crop, crop_last, 0)
CLEAR(hwc, chw, false)
CLEAR(pool_first, pool_first, true)
CLEAR(own_weights, weight_source, -1)
CLEAR(addition, eltwise, AI8X_ELTWISE_ADD)
CLEAR(not_flat, flatten, false)

// Offsets that are given together with processors are not chosen when they are missing: they default to 0.
static bool any_offsets(ai8x_network_layer *layer)
{
	bool changes = layer->in_offset >= 0 || layer->out_offset >= 0 || layer->processors != 0;
	layer->in_offset = layer->out_offset = AI8X_NETWORK_CHOOSE;
	layer->processors = 0;
	return changes;
}

static bool no_gap(ai8x_network_layer *layer)
{
	bool changes = layer->write_gap_given || layer->read_gap_given;
	layer->write_gap_given = layer->read_gap_given = false;
	layer->write_gap = layer->read_gap = 0;
	return changes;
}

static bool no_pooling(ai8x_network_layer *layer)
{
	bool changes = layer->pooling != AI8X_POOL_NONE;
	layer->pooling = AI8X_POOL_NONE;
	layer->pool_rows = layer->pool_columns = 1;
	layer->pool_dilation_rows = layer->pool_dilation_columns = 1;
	layer->pool_first = true;
	return changes;
}

static bool max_pooling(ai8x_network_layer *layer)
{
	bool changes = layer->pooling == AI8X_POOL_AVERAGE;
	layer->pooling = changes ? AI8X_POOL_MAX : layer->pooling;
	return changes;
}

static bool no_pool_dilation(ai8x_network_layer *layer)
{
	bool changes = layer->pool_dilation_rows > 1 || layer->pool_dilation_columns > 1;
	layer->pool_dilation_rows = layer->pool_dilation_columns = 1;
	return changes;
}

static bool less_pooling(ai8x_network_layer *layer)
{
	bool changes = layer->pool_rows > 2 || layer->pool_columns > 2;
	layer->pool_rows -= layer->pool_rows > 2;
	layer->pool_columns -= layer->pool_columns > 2;
	return changes;
}

static bool no_operands(ai8x_network_layer *layer)
{
	bool changes = layer->operands > 1 && layer->source_count < 2;
	if (changes) {
		layer->operands = 1;
		layer->pool_first = true;
	}
	return changes;
}

static bool fewer_operands(ai8x_network_layer *layer)
{
	bool changes = layer->operands > 2 && layer->source_count < 2;
	layer->operands -= changes;
	return changes;
}

static bool no_padding(ai8x_network_layer *layer)
{
	bool changes = layer->pad_rows > 0 || layer->pad_columns > 0;
	layer->pad_rows = layer->pad_columns = 0;
	return changes;
}

static bool one_padding(ai8x_network_layer *layer)
{
	bool changes = layer->pad_rows > 1 || layer->pad_columns > 1;
	layer->pad_rows -= layer->pad_rows > 1;
	layer->pad_columns -= layer->pad_columns > 1;
	return changes;
}

static bool point_kernel(ai8x_network_layer *layer)
{
	bool changes = layer->kernel_rows > 1;
	layer->kernel_rows = layer->kernel_columns = 1;
	layer->pad_rows = layer->pad_columns = 0;
	layer->dilation = 1;
	return changes;
}

static bool shorter_kernel(ai8x_network_layer *layer)
{
	bool changes = layer->operation == AI8X_OP_CONV1D && layer->kernel_rows > 2;
	layer->kernel_rows -= changes;
	return changes;
}

static bool smaller_dilation(ai8x_network_layer *layer)
{
	bool changes = layer->dilation > 2;
	layer->dilation -= changes;
	return changes;
}

static bool plain_convolution(ai8x_network_layer *layer)
{
	bool changes = layer->operation == AI8X_OP_CONVT2D || layer->operation == AI8X_OP_CONV1D;
	layer->operation = AI8X_OP_CONV2D;
	layer->output_padding = 0;
	return changes;
}

static bool passthrough(ai8x_network_layer *layer)
{
	bool changes = layer->operation != AI8X_OP_PASSTHROUGH;
	point_kernel(layer);
	layer->operation = AI8X_OP_PASSTHROUGH;
	layer->activation = AI8X_ACTIVATE_NONE;
	layer->flatten = layer->bias_wanted = layer->calcx4 = layer->bypass = false;
	layer->weight_source = -1;
	layer->weight_bits = 8;
	layer->output_bits = 8;
	layer->output_shift = 0;
	layer->out_channels = 0;
	layer->output_padding = 0;
	layer->groups = 1;
	return changes;
}

static bool zero_shift(ai8x_network_layer *layer)
{
	bool changes = !layer->shift_given || layer->output_shift != 0;
	layer->shift_given = true;
	layer->output_shift = 0;
	return changes;
}

static bool chosen_shift(ai8x_network_layer *layer)
{
	bool changes = layer->shift_given && layer->output_shift != 0;
	layer->shift_given = false;
	return changes;
}

static bool follow(uint32_t *value, uint32_t smaller)
{
	bool changes = smaller < *value && smaller > 0;
	*value = changes ? smaller : *value;
	return changes;
}

// Channel counts that come in groups shrink together.
static bool resize_out(ai8x_network_layer *layer, uint32_t size)
{
	if (layer->groups > 1)
		return false;
	return follow(&layer->out_channels, size);
}

static bool one_output(ai8x_network_layer *layer)
{
	return resize_out(layer, 1);
}

static bool half_outputs(ai8x_network_layer *layer)
{
	return resize_out(layer, layer->out_channels / 2);
}

static bool four_outputs_less(ai8x_network_layer *layer)
{
	return layer->out_channels > 4 && resize_out(layer, layer->out_channels - 4);
}

static bool one_output_less(ai8x_network_layer *layer)
{
	return resize_out(layer, layer->out_channels - 1);
}

static bool resize_in(ai8x_network_layer *layer, uint32_t size)
{
	bool grouped = layer->groups > 1 && layer->groups == layer->in_channels;
	bool changes = follow(&layer->in_channels, size);
	if (changes && grouped)
		layer->groups = layer->out_channels = size;
	return changes;
}

static bool one_input(ai8x_network_layer *layer)
{
	return resize_in(layer, 1);
}

static bool half_inputs(ai8x_network_layer *layer)
{
	return resize_in(layer, layer->in_channels / 2);
}

static bool one_input_less(ai8x_network_layer *layer)
{
	return resize_in(layer, layer->in_channels - 1);
}

static bool half_rows(ai8x_network_layer *layer)
{
	return follow(&layer->in_rows, layer->in_rows / 2);
}

static bool one_row_less(ai8x_network_layer *layer)
{
	return layer->in_rows > 0 && follow(&layer->in_rows, layer->in_rows - 1);
}

static bool half_columns(ai8x_network_layer *layer)
{
	return follow(&layer->in_columns, layer->in_columns / 2);
}

static bool one_column_less(ai8x_network_layer *layer)
{
	return layer->in_columns > 0 && follow(&layer->in_columns, layer->in_columns - 1);
}

// Great simplifications first.
static const change_fn layer_changes[] = {
	passthrough,      no_pooling,
	point_kernel,     plain_convolution,
	no_operands,      fewer_operands,
	no_groups,        not_flat,
	one_output,       one_input,
	half_outputs,     half_inputs,
	half_rows,        half_columns,
	no_activation,    no_bias,
	any_bias_group,   no_stride,
	no_dilation,      no_padding,
	one_padding,      eight_bits,
	no_calcx4,        no_read_ahead,
	default_tcalc,    no_bypass,
	no_output,        byte_output,
	any_offsets,      any_output_processors,
	no_skip,          no_top_crop,
	no_bottom_crop,   hwc,
	pool_first,       own_weights,
	addition,         no_gap,
	max_pooling,      no_pool_dilation,
	less_pooling,     shorter_kernel,
	smaller_dilation, zero_shift,
	chosen_shift,     four_outputs_less,
	one_output_less,  one_input_less,
	one_row_less,     one_column_less,
};

static void simplify_layers(struct shrinker *s)
{
	for (size_t i = 0; i < s->trial->network->layer_count; i++) {
		for (size_t n = 0; n < sizeof layer_changes / sizeof layer_changes[0]; n++) {
			for (bool again = true; again;) {
				struct trial changed;
				if (trial_copy(s->trial, &changed, NULL) != AI8X_OK)
					return;
				again = layer_changes[n](&changed.network->layers[i]);
				if (again)
					again = keep_if_failing(s, &changed);
				else
					trial_release(&changed);
			}
		}
	}
}

#define SIMPLE(name, member)                                                                                 \
	static bool name(struct trial *trial)                                                                    \
	{                                                                                                        \
		const ai8x_compile_options simple = ai8x_compile_options_default();                                  \
		bool changes = trial->options.member != simple.member;                                               \
		trial->options.member = simple.member;                                                               \
		return changes;                                                                                      \
	}

SIMPLE(chosen_feed, feed)
SIMPLE(packed_kernels, kernel_load)
SIMPLE(default_pipeline, pipeline)
SIMPLE(no_zero_registers, write_zero_registers)
SIMPLE(heed_streaming, ignore_streaming)
SIMPLE(no_links, link_layers)
SIMPLE(any_kernel_words, first_words_first)

static bool no_streaming(struct trial *trial)
{
	bool any = false;
	for (size_t i = 0; i < trial->network->layer_count; i++) {
		any = any || trial->network->layers[i].streaming;
		trial->network->layers[i].streaming = false;
	}
	return any;
}

static bool no_pace(struct trial *trial)
{
	bool any = trial->pace != 0;
	trial->pace = 0;
	return any;
}

static bool truncating_average(struct trial *trial)
{
	bool any = trial->network->average_rounding;
	trial->network->average_rounding = false;
	return any;
}

static bool small_values(struct trial *trial)
{
	bool any = trial->values != VALUES_SMALL;
	trial->values = VALUES_SMALL;
	return any;
}

static bool (*const option_changes[])(struct trial *trial) = {
	no_streaming, chosen_feed,      packed_kernels, default_pipeline,   no_zero_registers, heed_streaming,
	no_links,     any_kernel_words, no_pace,        truncating_average, small_values,
};

static void simplify_options(struct shrinker *s)
{
	for (size_t n = 0; n < sizeof option_changes / sizeof option_changes[0]; n++) {
		struct trial changed;
		if (trial_copy(s->trial, &changed, NULL) != AI8X_OK)
			return;
		if (option_changes[n](&changed))
			(void)keep_if_failing(s, &changed);
		else
			trial_release(&changed);
	}
	// The last streaming layers one by one.
	for (size_t i = s->trial->network->layer_count; i-- > 1;) {
		struct trial changed;
		if (!s->trial->network->layers[i].streaming || trial_copy(s->trial, &changed, NULL) != AI8X_OK)
			continue;
		changed.network->layers[i].streaming = false;
		(void)keep_if_failing(s, &changed);
	}
}

unsigned trial_shrink(struct judge *judge, struct trial *trial, struct verdict *verdict)
{
	struct shrinker s = {.judge = judge, .trial = trial, .verdict = verdict, .progress = true};
	while (s.progress && s.judged < MOST_TRIALS) {
		s.progress = false;
		truncate_network(&s);
		remove_layers(&s);
		remove_sources(&s);
		simplify_options(&s);
		simplify_layers(&s);
	}
	return s.judged;
}
