// Advice: changes of a network, each made on a copy, compiled and timed. A change is listed when that shows that it
// saves time or energy, or makes the network larger for next to nothing. No gain is guessed.
#include <ai8xsim/view.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bits.h"
#include "base/error.h"
#include "part/part.h"
#include "time/host_cost.h"
#include "view/words.h"

// Suggestions of one rule at most: the same advice for one layer after the other helps nobody.
#define SAME_RULE_MOST 2
// Changes compiled: fewer of large networks, so that advice never takes long. Layers that cost most come first.
#define TRIALS_MOST 96
#define TRIALS_LEAST 12
#define TRIAL_LAYERS_MOST 1200
// What counts as saved, and as next to nothing, as fractions of the whole run.
#define SAVED_LEAST 0.001
#define SAVED_LEAST_RETRAINED 0.01
#define ENERGY_SAVED_LEAST 0.03
#define FREE_MOST 0.01
#define LARGER_LEAST 0.01

// A changed network.
struct trial {
	ai8x_network *network;
	ai8x_compile_options compile;
	const ai8x_part *part;
	ai8x_advice advice;
	bool reshapes; // shapes have to be resolved anew
};

// What the unchanged network costs.
struct cost {
	uint64_t cycles, kernel_words, macs;
	double joules, seconds;
};

struct adviser {
	const ai8x_profile_options *options;
	ai8x_network *base; // without weights
	ai8x_compile_options compile;
	const ai8x_part *part;
	struct cost before;
	size_t warnings_before;
	bool shapes_follow; // shapes can be resolved anew without losing what was given
	ai8x_advice_list *list;
	size_t capacity;
	size_t *order; // layers, the most expensive first
};

static void say(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say(char *text, size_t size, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, size, format, arguments);
	va_end(arguments);
}

#define SAY_CHANGE(trial, ...) say((trial)->advice.change, sizeof(trial)->advice.change, __VA_ARGS__)
#define SAY_WHY(trial, ...) say((trial)->advice.why, sizeof(trial)->advice.why, __VA_ARGS__)

// --- Looking at networks -------------------------------------------------------------------------------

// How people know a layer: "layer 7 (decode1)".
struct label {
	char text[64];
};

static struct label call(const ai8x_network_layer *layer)
{
	struct label label;
	if (layer->name != NULL)
		(void)snprintf(label.text, sizeof label.text, "layer %u (%.40s)", layer->number, layer->name);
	else
		(void)snprintf(label.text, sizeof label.text, "layer %u", layer->number);
	return label;
}

static bool has_weights(const ai8x_network_layer *layer)
{
	return layer->operation != AI8X_OP_PASSTHROUGH && !layer->bypass;
}

static bool is_convolution(const ai8x_network_layer *layer)
{
	return layer->operation == AI8X_OP_CONV2D && !layer->bypass && !layer->flatten;
}

// A convolution along one line of data.
static bool is_line(const ai8x_network_layer *layer)
{
	return layer->operation == AI8X_OP_CONV1D && !layer->bypass && layer->dilation == 1;
}

// Halves that fit: both sides of an image, the length of a line.
static bool can_be_halved(const ai8x_network_layer *layer, uint32_t least)
{
	const bool rows = layer->in_rows % 2 == 0 && layer->in_rows >= least;
	return rows && (is_line(layer) || (layer->in_columns % 2 == 0 && layer->in_columns >= least));
}

static bool has_pooling(const ai8x_network_layer *layer)
{
	return layer->pooling != AI8X_POOL_NONE || layer->pool_stride > 1;
}

static unsigned count_readers(const ai8x_network *network, int position)
{
	unsigned count = 0;
	for (size_t i = 0; i < network->layer_count; i++)
		for (unsigned s = 0; s < network->layers[i].source_count; s++)
			count += network->layers[i].sources[s] == position;
	return count;
}

// The only reader of a layer's output, reading nothing else; or NULL.
static ai8x_network_layer *only_reader(const ai8x_network *network, int position)
{
	ai8x_network_layer *reader = NULL;
	if (position + 1 >= (int)network->layer_count || count_readers(network, position) != 1)
		return NULL;
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		if (layer->source_count == 1 && layer->sources[0] == position && layer->operands <= 1)
			reader = layer;
	}
	return reader;
}

// Channel counts may change where every reader is an ordinary convolution of one operand.
static bool channels_may_change(const ai8x_network *network, size_t position)
{
	const ai8x_network_layer *layer = &network->layers[position];
	if (!has_weights(layer) || layer->groups != 1 || layer->output || layer->weight_source >= 0 ||
	    position + 1 == network->layer_count)
		return false;
	for (size_t i = 0; i < network->layer_count; i++) {
		const ai8x_network_layer *reader = &network->layers[i];
		for (unsigned s = 0; s < reader->source_count; s++)
			if (reader->sources[s] == (int)position &&
			    (reader->source_count != 1 || reader->operands > 1 || reader->groups != 1 ||
			     reader->first_channel != 0 || !has_weights(reader)))
				return false;
	}
	return true;
}

// --- Changing networks ---------------------------------------------------------------------------------

static void forget_shapes(ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		if (i > 0) {
			layer->in_channels = 0;
			layer->in_rows = layer->in_columns = 0;
		}
		layer->pooled_rows = layer->pooled_columns = 0;
		layer->out_rows = layer->out_columns = 0;
		layer->fan_channels = 0;
		if (layer->operation == AI8X_OP_PASSTHROUGH || layer->groups > 1)
			layer->out_channels = 0;
	}
	memset(network->input_shape, 0, sizeof network->input_shape);
}

static void forget_placement(ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		layer->processors = layer->output_processors = 0;
		layer->in_offset = layer->out_offset = AI8X_NETWORK_CHOOSE;
		layer->write_gap = layer->read_gap = 0;
		layer->write_gap_given = layer->read_gap_given = false;
	}
	network->output_map = 0;
}

// Processors of a layer's channels and of everything that reads them.
static void forget_processors(ai8x_network *network, int position)
{
	if (position >= 0)
		network->layers[position].output_processors = 0;
	for (size_t i = 0; i < network->layer_count; i++) {
		for (unsigned s = 0; s < network->layers[i].source_count; s++)
			if (network->layers[i].sources[s] == position)
				network->layers[i].processors = 0;
	}
}

static void set_channels(struct trial *trial, size_t position, uint32_t channels)
{
	trial->network->layers[position].out_channels = channels;
	trial->reshapes = true;
	forget_processors(trial->network, (int)position);
}

static void clear_pooling(ai8x_network_layer *layer)
{
	layer->pooling = AI8X_POOL_NONE;
	layer->pool_rows = layer->pool_columns = 1;
	layer->pool_stride = 1;
	layer->pool_dilation_rows = layer->pool_dilation_columns = 1;
}

static void move_pooling(ai8x_network_layer *to, ai8x_network_layer *from)
{
	to->pooling = from->pooling;
	to->pool_rows = from->pool_rows;
	to->pool_columns = from->pool_columns;
	to->pool_stride = from->pool_stride;
	to->pool_dilation_rows = from->pool_dilation_rows;
	to->pool_dilation_columns = from->pool_dilation_columns;
	clear_pooling(from);
}

static bool has_links(const ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		const ai8x_network_layer *layer = &network->layers[i];
		if (layer->next != AI8X_NETWORK_DEFAULT || layer->next_snoop != AI8X_NETWORK_DEFAULT ||
		    layer->weight_source >= 0)
			return true;
	}
	return false;
}

// Takes a layer with one source out; its readers read that source.
static void remove_layer(struct trial *trial, size_t position)
{
	ai8x_network *network = trial->network;
	const int source = network->layers[position].sources[0];
	forget_processors(network, (int)position);
	free(network->layers[position].name);
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		for (unsigned s = 0; s < layer->source_count; s++)
			if (layer->sources[s] == (int)position)
				layer->sources[s] = source;
			else if (layer->sources[s] > (int)position)
				layer->sources[s]--;
	}
	memmove(&network->layers[position], &network->layers[position + 1],
	        (network->layer_count - position - 1) * sizeof *network->layers);
	network->layer_count--;
	memset(&network->layers[network->layer_count], 0, sizeof *network->layers);
	trial->reshapes = true;
}

// --- Rules: each changes the trial's network at one layer and says how and why; false: nothing to change ---

static bool round_channels_up(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	uint32_t channels = (layer->out_channels + 3) / 4 * 4;
	if (channels == layer->out_channels || !channels_may_change(trial->network, i))
		return false;
	SAY_CHANGE(trial, "%s: %u instead of %u output channels", call(layer).text, channels,
	           layer->out_channels);
	SAY_WHY(trial,
	        "Four channels share a data word: reading %u costs what %u cost, only writing them takes longer. "
	        "Needs retraining; the network becomes larger.",
	        channels, layer->out_channels);
	set_channels(trial, i, channels);
	return true;
}

static bool fill_processors(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	uint32_t channels = (layer->out_channels + AI8X_PROCESSORS - 1) / AI8X_PROCESSORS * AI8X_PROCESSORS;
	if (channels == layer->out_channels || channels - layer->out_channels > 8 ||
	    channels == (layer->out_channels + 3) / 4 * 4 || !channels_may_change(trial->network, i))
		return false;
	SAY_CHANGE(trial, "%s: %u instead of %u output channels", call(layer).text, channels,
	           layer->out_channels);
	SAY_WHY(trial,
	        "The layers after it read up to 64 channels in one pass: the last processors lie idle. Needs "
	        "retraining; the network becomes larger.");
	set_channels(trial, i, channels);
	return true;
}

static bool save_pass(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	uint32_t over = layer->out_channels % AI8X_PROCESSORS;
	if (layer->out_channels <= AI8X_PROCESSORS || over == 0 || over > 40 ||
	    !channels_may_change(trial->network, i))
		return false;
	uint32_t channels = layer->out_channels - over;
	SAY_CHANGE(trial, "%s: %u instead of %u output channels", call(layer).text, channels,
	           layer->out_channels);
	SAY_WHY(
		trial,
		"Saves the layers after it a pass: every 64 channels read cost another pass over all outputs. Needs "
		"retraining; the network becomes smaller.");
	set_channels(trial, i, channels);
	return true;
}

static bool pool_earlier(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	ai8x_network_layer *reader = only_reader(trial->network, (int)i);
	if ((!is_convolution(layer) && !is_line(layer)) || layer->operands > 1 || has_pooling(layer) ||
	    reader == NULL || reader->pool_stride != 2 || !can_be_halved(layer, 4))
		return false;
	SAY_CHANGE(trial, "pool before %s instead of in %s", call(layer).text, call(reader).text);
	SAY_WHY(trial,
	        "Every output pixel costs a cycle per channel, so layer %u costs %s times as much at full %s. "
	        "Needs retraining; the layer sees half the resolution.",
	        layer->number, is_line(layer) ? "two" : "four", is_line(layer) ? "length" : "size");
	move_pooling(layer, reader);
	trial->reshapes = true;
	return true;
}

static bool fuse_pooling(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	ai8x_network_layer *reader = only_reader(trial->network, (int)i);
	if (layer->operation != AI8X_OP_PASSTHROUGH || layer->operands > 1 || layer->source_count != 1 ||
	    !has_pooling(layer) || layer->sources[0] < 0 || reader == NULL || has_pooling(reader) ||
	    !has_weights(reader) || layer->output || has_links(trial->network))
		return false;
	SAY_CHANGE(trial, "%s: pool in %s instead of in a layer of its own", call(layer).text, call(reader).text);
	SAY_WHY(
		trial,
		"Layers pool what they read: a layer that only pools reads, writes and reads again. Results stay the "
		"same.");
	trial->advice.same_function = true;
	move_pooling(reader, layer);
	remove_layer(trial, i);
	return true;
}

static bool merge_pointwise(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	ai8x_network_layer *reader = only_reader(trial->network, (int)i);
	if (!is_convolution(layer) || layer->kernel_rows != 1 || layer->activation != AI8X_ACTIVATE_NONE ||
	    layer->source_count != 1 || layer->operands > 1 || has_pooling(layer) || layer->groups != 1 ||
	    layer->output || reader == NULL || !is_convolution(reader) || reader->groups != 1 ||
	    layer->sources[0] < 0 || has_links(trial->network))
		return false;
	SAY_CHANGE(trial, "%s: merge it into %s", call(layer).text, call(reader).text);
	SAY_WHY(
		trial,
		"A 1x1 convolution without activation is a matrix: multiplied into the kernels of layer %u it costs "
		"nothing. Results change by rounding only.",
		reader->number);
	remove_layer(trial, i);
	return true;
}

static bool widen_kernel(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	// On a single pixel, eight of nine taps would see nothing but padding.
	if (!is_convolution(layer) || layer->kernel_rows != 1 || layer->pad_rows != 0 || layer->groups != 1 ||
	    layer->weight_source >= 0 || (layer->out_rows < 2 && layer->out_columns < 2))
		return false;
	layer->kernel_rows = layer->kernel_columns = 3;
	layer->pad_rows = layer->pad_columns = 1;
	trial->reshapes = true;
	SAY_CHANGE(trial, "%s: 3x3 instead of 1x1 kernels", call(layer).text);
	SAY_WHY(
		trial,
		"A kernel takes one cycle whatever its size: nine times the multiplications, only padding is new. "
		"Needs retraining and nine times the kernel memory.");
	return true;
}

static bool narrow_kernel(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	if (!is_convolution(layer) || layer->kernel_rows != 3 || layer->pad_rows != 1 ||
	    layer->pad_columns != 1 || layer->weight_source >= 0)
		return false;
	layer->kernel_rows = layer->kernel_columns = 1;
	layer->pad_rows = layer->pad_columns = 0;
	trial->reshapes = true;
	SAY_CHANGE(trial, "%s: 1x1 instead of 3x3 kernels", call(layer).text);
	SAY_WHY(
		trial,
		"Saves padding, energy and eight ninths of the layer's kernel memory, but few cycles: a kernel takes "
		"one cycle whatever its size. Needs retraining; the network becomes smaller.");
	return true;
}

static bool swap_pool_order(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	if (layer->operands < 2 || layer->pooling == AI8X_POOL_NONE)
		return false;
	layer->pool_first = !layer->pool_first;
	SAY_CHANGE(trial, "%s: %s", call(layer).text,
	           layer->pool_first ? "pool the operands, then combine them"
	                             : "combine the operands, then pool");
	SAY_WHY(
		trial,
		"The order decides how often a column is fetched, how many pixels are pooled, and whether the kernel "
		"counter walks to the first kernel at the edge. Results change slightly; retrain.");
	return true;
}

static bool fold_input(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	const bool line = is_line(layer);
	const uint32_t factor = line ? 2 : 4;
	if (i != 0 || (!is_convolution(layer) && !line) || layer->operands > 1 ||
	    layer->in_channels * factor > AI8X_PROCESSORS || !can_be_halved(layer, 16) ||
	    layer->first_channel != 0 || layer->crop_first + layer->crop_last != 0)
		return false;
	// The first pooling by two on the way has been done by folding.
	ai8x_network_layer *pooled = layer;
	int position = 0;
	while (pooled != NULL && !(pooled->pool_stride == 2 && pooled->pool_rows <= 2)) {
		pooled = only_reader(trial->network, position);
		position = pooled != NULL ? (int)(pooled - trial->network->layers) : position;
	}
	if (pooled == NULL)
		return false;
	clear_pooling(pooled);
	SAY_CHANGE(trial, "fold the input: %ux%ux%u instead of %ux%ux%u, no pooling in %s",
	           layer->in_channels * factor, layer->in_rows / 2, line ? 1 : layer->in_columns / 2,
	           layer->in_channels, layer->in_rows, layer->in_columns, call(pooled).text);
	SAY_WHY(trial,
	        "Each %s becomes one pixel with %s times the channels: reading them costs nothing "
	        "(%u of 64 processors %s in use), and all layers up to the pooling have %s of the outputs. "
	        "Needs retraining.",
	        line ? "pair of samples" : "2x2 block of pixels", line ? "two" : "four", layer->in_channels,
	        layer->in_channels == 1 ? "is" : "are", line ? "half" : "a quarter");
	layer->in_channels *= factor;
	layer->in_rows /= 2;
	layer->in_columns = line ? 1 : layer->in_columns / 2;
	layer->processors = 0;
	layer->chw = false;
	trial->reshapes = true;
	return true;
}

static bool change_format(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	if (i != 0 || layer->in_channels > AI8X_INSTANCES || layer->operands > 1 || layer->flatten)
		return false;
	layer->chw = !layer->chw;
	layer->processors = 0;
	layer->in_offset = AI8X_NETWORK_CHOOSE;
	trial->advice.same_function = true;
	SAY_CHANGE(trial, "input in %s instead of %s format", layer->chw ? "CHW" : "HWC",
	           layer->chw ? "HWC" : "CHW");
	SAY_WHY(trial, "%s Results stay the same.",
	        layer->chw ? "CHW packs four pixels of a channel into a word: fewer words to load."
	                   : "HWC needs one word per pixel for up to four channels.");
	return true;
}

static bool change_feed(struct trial *trial, size_t i)
{
	ai8x_network_layer *layer = &trial->network->layers[i];
	if (i != 0 || layer->streaming || trial->compile.feed == AI8X_FEED_FAST_FIFO ||
	    trial->compile.feed == AI8X_FEED_FAST_FIFO_QUAD)
		return false;
	bool fifo = trial->compile.feed == AI8X_FEED_FIFO;
	trial->compile.feed = fifo ? AI8X_FEED_MEMORY : AI8X_FEED_FIFO;
	trial->advice.same_function = true;
	SAY_CHANGE(trial, fifo ? "load the input into memory instead of through FIFOs"
	                       : "feed the input through FIFOs instead of loading it into memory");
	SAY_WHY(trial, "The comparison covers the run together with its input. Results stay the same.");
	return true;
}

// The first layers up to this one compute their rows as they come through the FIFO.
static bool start_streaming(struct trial *trial, size_t i)
{
	ai8x_network *network = trial->network;
	if (i >= AI8X_MAX_STREAMS || i + 1 == network->layer_count || network->layers[0].streaming ||
	    trial->compile.ignore_streaming || trial->compile.feed == AI8X_FEED_FAST_FIFO ||
	    trial->compile.feed == AI8X_FEED_FAST_FIFO_QUAD)
		return false;
	for (size_t k = 0; k <= i; k++) {
		const ai8x_network_layer *layer = &network->layers[k];
		if (layer->flatten || layer->output || layer->source_count != 1 || layer->sources[0] != (int)k - 1 ||
		    only_reader(network, (int)k - 1) != layer)
			return false;
		network->layers[k].streaming = true;
	}
	trial->compile.feed = AI8X_FEED_FIFO;
	trial->advice.same_function = true;
	const struct label first = call(&network->layers[0]), last = call(&network->layers[i]);
	SAY_CHANGE(trial, "stream the input: 'streaming: true' in %s%s%s", first.text,
	           i > 1    ? " to "
	           : i == 1 ? " and "
	                    : "",
	           i > 0 ? last.text : "");
	SAY_WHY(trial,
	        "These layers compute their rows while the input comes through the FIFO, and data memory holds "
	        "only the rows that they still read. Results stay the same.");
	return true;
}

static bool stop_streaming(struct trial *trial, size_t i)
{
	if (i != 0 || !trial->network->layers[0].streaming)
		return false;
	trial->compile.ignore_streaming = true;
	trial->compile.feed = AI8X_FEED_MEMORY;
	trial->advice.same_function = true;
	SAY_CHANGE(trial, "load the whole input into memory instead of streaming it");
	SAY_WHY(
		trial,
		"The input fits into data memory; copying it there is faster than polled FIFO writes, but the run "
		"cannot start before it is complete. Results stay the same.");
	return true;
}

static bool use_parallel_kernels(struct trial *trial, size_t i)
{
	if (i != 0 || !part_has_field(trial->part, F_CALCX4))
		return false;
	unsigned changed = 0;
	for (size_t k = 0; k < trial->network->layer_count; k++) {
		ai8x_network_layer *layer = &trial->network->layers[k];
		if (has_weights(layer) && layer->groups == 1 && !layer->calcx4 && layer->out_channels % 4 == 0) {
			layer->calcx4 = true;
			changed++;
		}
	}
	if (changed == 0)
		return false;
	trial->advice.same_function = true;
	SAY_CHANGE(trial, "compute four output channels at a time (calcx4) in %u layers", changed);
	SAY_WHY(trial, "Kernels are spread over four quarters of kernel memory. Results stay the same; cycles of "
	               "this part are "
	               "estimates.");
	return true;
}

typedef bool (*rule)(struct trial *trial, size_t position);

static const rule rules[] = {
	fold_input,           change_format,   change_feed,       start_streaming, stop_streaming,
	use_parallel_kernels, pool_earlier,    fuse_pooling,      save_pass,       merge_pointwise,
	widen_kernel,         swap_pool_order, round_channels_up, fill_processors, narrow_kernel,
};

#define RULES (sizeof rules / sizeof rules[0])

// --- Timing a change -----------------------------------------------------------------------------------

static ai8x_status measure(const struct adviser *adviser, ai8x_network *network,
                           const ai8x_compile_options *compile, struct cost *cost, ai8x_error *error)
{
	ai8x_program *program = NULL;
	ai8x_timing timing = {0};
	const ai8x_clock *chosen = &adviser->options->clock;
	ai8x_feed feed = adviser->options->feed;
	if (feed.clock.hz == 0)
		feed.clock = *chosen;
	ai8x_status status = ai8x_network_compile(network, adviser->part, compile, &program, error);
	if (status == AI8X_OK)
		status = ai8x_time_program(program, &feed, &timing, error);
	*cost = (struct cost){.cycles = timing.schedule.cycles};
	for (size_t i = 0; status == AI8X_OK && i < timing.schedule.layer_count; i++) {
		const ai8x_schedule_layer *entry = &timing.schedule.layers[i];
		const ai8x_layer *layer = &entry->layer;
		cost->macs += ai8x_layer_macs(layer);
		cost->joules += ai8x_energy_layer_at(layer, &entry->counters, adviser->options->volts,
		                                     chosen->hz != 0 ? chosen->hz : timing.clock.hz);
		cost->kernel_words += ((uint64_t)layer->kernels * layer->weight_bits * layer->kernel_rows *
		                           layer->kernel_columns * (layer->calcx4 ? 4 : 1) +
		                       71) /
		                      72 * (uint64_t)bits_count(layer->kernel_processors);
	}
	if (status == AI8X_OK) {
		const uint32_t hz = chosen->hz != 0 ? chosen->hz : timing.clock.hz;
		const ai8x_clock *loading = chosen->hz != 0 ? chosen : &timing.loading_clock;
		const uint32_t *shape = network->input_shape;
		const ai8x_network_layer *first = &network->layers[0];
		uint64_t pixels = (uint64_t)shape[1] * shape[2];
		uint64_t words = first->chw ? shape[0] * ((pixels + 3) / 4) : pixels * ((shape[0] + 3) / 4);
		cost->seconds = (double)timing.schedule.cycles / hz;
		if (timing.schedule.fifo_words == 0)
			cost->seconds += (double)words * host_access_seconds(adviser->part, loading, HOST_ACCESS_INPUT);
	}
	ai8x_timing_release(&timing);
	ai8x_program_destroy(program);
	return status;
}

// With the placement as given where that is possible, else with one that the compiler chooses.
static ai8x_status measure_trial(const struct adviser *adviser, struct trial *trial, struct cost *cost,
                                 ai8x_error *error)
{
	ai8x_status status = AI8X_OK;
	if (trial->reshapes) {
		forget_shapes(trial->network);
		status = ai8x_network_resolve(trial->network, error);
		if (status != AI8X_OK)
			return status;
	}
	ai8x_network *copy = NULL;
	status = ai8x_network_copy(trial->network, &copy, error);
	if (status == AI8X_OK)
		status = measure(adviser, copy, &trial->compile, cost, error);
	const bool sound = status == AI8X_OK && copy->warning_count <= adviser->warnings_before;
	ai8x_network_destroy(copy);
	if (sound || status == AI8X_ERR_NO_MEMORY)
		return status;
	forget_placement(trial->network);
	return measure(adviser, trial->network, &trial->compile, cost, error);
}

static bool is_worth_telling(const struct cost *before, const struct cost *after, bool same_function)
{
	if (after->seconds < before->seconds * (1 - (same_function ? SAVED_LEAST : SAVED_LEAST_RETRAINED)))
		return true;
	bool costs_nothing = after->seconds < before->seconds * (1 + FREE_MOST);
	return costs_nothing && (after->joules < before->joules * (1 - ENERGY_SAVED_LEAST) ||
	                         (double)after->macs > (double)before->macs * (1 + LARGER_LEAST));
}

static ai8x_status try_rule(struct adviser *adviser, size_t number, size_t position, ai8x_error *error)
{
	struct trial trial = {.compile = adviser->compile, .part = adviser->part};
	ai8x_status status = ai8x_network_copy(adviser->base, &trial.network, error);
	if (status != AI8X_OK)
		return status;
	struct cost after;
	const struct cost *before = &adviser->before;
	bool applies = rules[number](&trial, position) && (adviser->shapes_follow || !trial.reshapes);
	adviser->list->tried += applies;
	// What cannot be done is no advice; what found no memory is not known.
	ai8x_status measured = applies ? measure_trial(adviser, &trial, &after, error) : AI8X_ERR_UNSUPPORTED;
	if (measured == AI8X_ERR_NO_MEMORY)
		status = measured;
	if (measured == AI8X_OK && is_worth_telling(before, &after, trial.advice.same_function)) {
		ai8x_advice_list *list = adviser->list;
		if (!array_reserve(&list->advice, &adviser->capacity, list->count + 1, sizeof *list->advice)) {
			status = error_no_memory(error, "advice");
		} else {
			ai8x_advice *advice = &list->advice[list->count++];
			*advice = trial.advice;
			advice->rule = (unsigned)number;
			advice->cycles_before = before->cycles;
			advice->cycles_after = after.cycles;
			advice->kernel_words_before = before->kernel_words;
			advice->kernel_words_after = after.kernel_words;
			advice->macs_before = before->macs;
			advice->macs_after = after.macs;
			advice->joules_before = before->joules;
			advice->joules_after = after.joules;
			advice->seconds_before = before->seconds;
			advice->seconds_after = after.seconds;
		}
	}
	ai8x_network_destroy(trial.network);
	return status;
}

// --- The whole list ------------------------------------------------------------------------------------

static void drop_weights(ai8x_network *network)
{
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		layer->bias_wanted = layer->bias_wanted || layer->bias != NULL;
		free(layer->weights);
		free(layer->bias);
		layer->weights = NULL;
		layer->bias = NULL;
		layer->weight_count = 0;
	}
	free(network->input);
	network->input = NULL;
}

static bool same_shapes(const ai8x_network *a, const ai8x_network *b)
{
	for (size_t i = 0; i < a->layer_count; i++) {
		const ai8x_network_layer *x = &a->layers[i], *y = &b->layers[i];
		if (x->in_channels != y->in_channels || x->in_rows != y->in_rows || x->in_columns != y->in_columns ||
		    x->out_channels != y->out_channels || x->out_rows != y->out_rows ||
		    x->out_columns != y->out_columns)
			return false;
	}
	return true;
}

static ai8x_status find_shapes_follow(struct adviser *adviser, ai8x_error *error)
{
	ai8x_network *copy = NULL;
	ai8x_status status = ai8x_network_copy(adviser->base, &copy, error);
	if (status != AI8X_OK)
		return status;
	forget_shapes(copy);
	status = ai8x_network_resolve(copy, error);
	adviser->shapes_follow = status == AI8X_OK && same_shapes(adviser->base, copy);
	ai8x_network_destroy(copy);
	return status == AI8X_ERR_NO_MEMORY ? status : AI8X_OK;
}

// A layer's cycles are about its outputs times its passes: enough to look at expensive layers first.
static uint64_t rough_cycles(const ai8x_network_layer *layer)
{
	uint64_t passes = (layer->in_channels + AI8X_PROCESSORS - 1) / AI8X_PROCESSORS;
	return (uint64_t)layer->out_rows * layer->out_columns * layer->out_channels * (passes > 0 ? passes : 1);
}

static bool order_layers(struct adviser *adviser)
{
	const ai8x_network *network = adviser->base;
	adviser->order = array_alloc(network->layer_count, sizeof *adviser->order);
	if (adviser->order == NULL)
		return false;
	for (size_t i = 0; i < network->layer_count; i++) {
		size_t at = i;
		while (at > 0 &&
		       rough_cycles(&network->layers[adviser->order[at - 1]]) < rough_cycles(&network->layers[i])) {
			adviser->order[at] = adviser->order[at - 1];
			at--;
		}
		adviser->order[at] = i;
	}
	return true;
}

// The fastest first; those that cost nothing follow, the largest gain in size first.
static int compare_advice(const void *a, const void *b)
{
	const ai8x_advice *x = a, *y = b;
	double saved_x = x->seconds_before - x->seconds_after, saved_y = y->seconds_before - y->seconds_after;
	if (saved_x > 0 || saved_y > 0)
		return saved_x > saved_y ? -1 : saved_x < saved_y;
	return x->macs_after > y->macs_after ? -1 : x->macs_after < y->macs_after;
}

// Keeps the best of every rule.
static void thin_out(ai8x_advice_list *list)
{
	unsigned of_rule[RULES] = {0};
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++)
		if (of_rule[list->advice[i].rule]++ < SAME_RULE_MOST)
			list->advice[kept++] = list->advice[i];
	list->count = kept;
}

static ai8x_status try_all(struct adviser *adviser, ai8x_error *error)
{
	size_t most = TRIAL_LAYERS_MOST / adviser->base->layer_count;
	most = most > TRIALS_MOST ? TRIALS_MOST : most < TRIALS_LEAST ? TRIALS_LEAST : most;
	for (size_t k = 0; k < adviser->base->layer_count; k++) {
		for (size_t r = 0; r < RULES && adviser->list->tried < most; r++) {
			ai8x_status status = try_rule(adviser, r, adviser->order[k], error);
			if (status != AI8X_OK)
				return status;
		}
	}
	return AI8X_OK;
}

ai8x_status ai8x_advise(const ai8x_network *network, const ai8x_part *part,
                        const ai8x_compile_options *compile, const ai8x_profile_options *options, size_t most,
                        ai8x_advice_list *list, ai8x_error *error)
{
	if (error_if_null(error, network, part, list))
		return AI8X_ERR_ARGUMENT;
	static const ai8x_profile_options none;
	struct adviser adviser = {
		.options = options != NULL ? options : &none,
		.compile = compile != NULL ? *compile : ai8x_compile_options_default(),
		.part = part,
		.list = list,
	};
	*list = (ai8x_advice_list){0};
	ai8x_network *first = NULL;
	ai8x_status status = ai8x_network_copy(network, &adviser.base, error);
	if (status == AI8X_OK) {
		drop_weights(adviser.base);
		status = ai8x_network_copy(adviser.base, &first, error);
	}
	if (status == AI8X_OK)
		status = measure(&adviser, first, &adviser.compile, &adviser.before, error);
	adviser.warnings_before = first != NULL ? first->warning_count : 0;
	ai8x_network_destroy(first);
	if (status == AI8X_OK && !order_layers(&adviser))
		status = error_no_memory(error, "advice");
	if (status == AI8X_OK)
		status = find_shapes_follow(&adviser, error);
	if (status == AI8X_OK)
		status = try_all(&adviser, error);
	if (status == AI8X_OK && list->count > 1)
		qsort(list->advice, list->count, sizeof *list->advice, compare_advice);
	thin_out(list);
	list->count = list->count < most ? list->count : most;
	free(adviser.order);
	ai8x_network_destroy(adviser.base);
	if (status != AI8X_OK)
		ai8x_advice_release(list);
	return status;
}

void ai8x_advice_release(ai8x_advice_list *list)
{
	if (list == NULL)
		return;
	free(list->advice);
	*list = (ai8x_advice_list){0};
}
