// Kernels and biases in the machine's memories beside the trained ones, layer by layer and channel by channel.
//
// Registers say where each kernel lies and which channels it joins; a network (or a weights file alone, read as one)
// says what it should be. Which slot computes which output channel is known from what a program records or from the
// network's map of output processors; without either, from the slots that have kernels at all.
#include "check/parts.h"
#include "layer/geometry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TAPS = 9, NO_CHANNEL = -1 };

// One layer of the machine and what it should hold.
struct pair {
	const struct layer_state *state;
	const ai8x_network_layer *net;     // the layer of the network
	const ai8x_network_layer *trained; // the layer whose weights and bias it uses
	int8_t taps[MOST_TAPS];            // trained tap of each tap of the hardware, or -1: zero
	uint32_t pixels, in_passes;        // flattened layers: pixels of the image, passes of each
	uint64_t output;                   // output processors, 0: not known
};

// Kernels that are not what they should be.
struct differences {
	uint64_t kernels, wrong;
	uint32_t outputs, inputs; // channels with any, counted
	bool *output, *input;
	uint32_t first_output, first_input;
	unsigned processor;
	uint32_t word;
	int32_t same_as; // the output channel whose kernel lies there, or NO_CHANNEL
	uint32_t biases, first_bias;
	int32_t bias_is, bias_should;
};

// --- Which channel is where --------------------------------------------------------------------------------

// Processors that each pass takes, as compilers choose them.
static uint32_t per_pass(uint32_t channels, uint32_t passes)
{
	const uint32_t count = (channels + passes - 1) / passes;
	return passes > 1 ? (count + 3) & ~3u : count;
}

// `usual`: no more passes than channels need, which all known compilers keep to.
static bool fits(const struct pair *p, uint32_t pixels, bool usual)
{
	const ai8x_layer *layer = &p->state->layer;
	const unsigned processors =
		bits_count(layer->quad_fanout ? layer->processors & 0xffff : layer->processors);
	if (layer->passes % pixels != 0 || p->trained->fan_channels % pixels != 0)
		return false;
	const uint32_t passes = layer->passes / pixels, channels = p->trained->fan_channels / pixels;
	if (usual)
		return passes == (channels + AI8X_PROCESSORS - 1) / AI8X_PROCESSORS &&
		       per_pass(channels, passes) == processors;
	return channels <= passes * processors && channels > (passes - 1) * processors;
}

// Flattened layers have a pass for every pixel. Registers do not count pixels; the number of weights does.
static bool find_pixels(struct pair *p)
{
	const ai8x_layer *layer = &p->state->layer;
	p->pixels = 1;
	p->in_passes = layer->passes;
	if (layer->depthwise)
		return p->trained->out_channels * p->trained->fan_channels <=
		       layer->passes * bits_count(layer->processors);
	for (int usual = 1; usual >= 0; usual--) {
		for (uint32_t pixels = 1; pixels <= layer->passes; pixels++) {
			if (!fits(p, pixels, usual == 1))
				continue;
			p->pixels = pixels;
			p->in_passes = layer->passes / pixels;
			return true;
		}
	}
	return false;
}

// Compilers stretch dilated kernels, and put 1x1 kernels and long reaches into the middle of 3x3 ones.
static bool find_taps(struct pair *p)
{
	const ai8x_layer *layer = &p->state->layer;
	const uint32_t taps = layer->kernel_rows * layer->kernel_columns;
	const uint32_t rows = p->trained->kernel_rows, own = rows * p->trained->kernel_columns;
	memset(p->taps, -1, sizeof p->taps);
	if (taps > MOST_TAPS || own > taps || own == 0)
		return false;
	uint32_t first = 0, step = 1;
	if (own == 1 && taps == MOST_TAPS && layer->kernel_columns == 3) {
		first = 4;
	} else if (own != taps && layer->kernel_columns == 3) {
		first = (3 - rows) * 3 + 1;
		step = 3;
	} else if (own != taps) {
		if (own < 2 || (taps - 1) % (own - 1) != 0)
			return false;
		step = (taps - 1) / (own - 1);
	}
	for (uint32_t t = 0; t < own; t++) {
		if (first + t * step >= taps)
			return false;
		p->taps[first + t * step] = (int8_t)t;
	}
	return true;
}

// Slots that have kernels at all: the output map of a layer of which nothing says it.
static int32_t channel_of_loaded(const struct pair *p, uint32_t slot)
{
	int32_t channel = 0;
	for (uint32_t s = 0; s < slot; s++)
		channel += slot_is_loaded(p->state, s);
	return slot_is_loaded(p->state, slot) ? channel : NO_CHANNEL;
}

// Output channel that a slot computes, or NO_CHANNEL.
static int32_t slot_channel(const struct pair *p, uint32_t slot)
{
	const ai8x_layer *layer = &p->state->layer;
	const uint32_t count = p->trained->out_channels;
	int32_t channel = (int32_t)slot;
	if (p->output != 0) {
		const unsigned each = bits_count(p->output), first = bits_first(p->output) & ~3u;
		const uint32_t pass = layer->slots_per_pass == 0 ? 0 : slot / layer->slots_per_pass;
		const unsigned processor = first + slot % (layer->slots_per_pass == 0 ? 1 : layer->slots_per_pass);
		if (processor >= AI8X_PROCESSORS || (p->output >> processor & 1) == 0)
			return NO_CHANNEL;
		channel = (int32_t)(pass * each + bits_rank(p->output, processor));
	} else if (layer->slots != count) {
		channel = channel_of_loaded(p, slot);
	}
	return channel < (int32_t)count ? channel : NO_CHANNEL;
}

// Input channel of a kernel, counted as the trained weights are (flattened: channel and pixel), or NO_CHANNEL.
static int32_t input_channel(const struct pair *p, uint32_t pass, unsigned processor)
{
	const ai8x_layer *layer = &p->state->layer;
	const uint64_t own = layer->quad_fanout ? layer->processors & 0xffff : layer->processors;
	const unsigned rank = bits_rank(own, layer->quad_fanout ? processor_in_group(processor) : processor);
	const uint32_t channel = pass % p->in_passes * bits_count(own) + rank, pixel = pass / p->in_passes;
	const uint32_t channels = p->trained->fan_channels / p->pixels;
	return channel < channels ? (int32_t)(channel * p->pixels + pixel) : NO_CHANNEL;
}

// --- Kernels -----------------------------------------------------------------------------------------------

static int32_t trained_tap(const struct pair *p, int32_t output, int32_t input, uint32_t tap)
{
	const uint32_t own = p->trained->kernel_rows * p->trained->kernel_columns;
	if (output < 0 || input < 0 || p->taps[tap] < 0)
		return 0;
	const size_t kernel = p->state->layer.depthwise
	                          ? (size_t)output
	                          : (size_t)output * p->trained->fan_channels + (size_t)input;
	return p->trained->weights[kernel * own + (size_t)p->taps[tap]];
}

static int32_t stored_tap(const ai8x_layer *layer, const uint8_t *stream, struct kernel_span span,
                          uint32_t tap)
{
	const uint32_t field = (uint32_t)(stream[span.last - tap] & span.bits) >> __builtin_ctz(span.bits);
	const uint32_t sign = 1u << (layer->weight_bits - 1);
	if (layer->binary)
		return field != 0 ? -1 : 1;
	return (int32_t)(field ^ sign) - (int32_t)sign;
}

static bool holds(const ai8x_check *check, const struct pair *p, uint32_t slot, uint32_t pass,
                  unsigned processor, int32_t output, int32_t input)
{
	const ai8x_layer *layer = &p->state->layer;
	struct kernel_span span;
	if (!kernels_locate(check, layer, slot, pass, processor, &span))
		return true;
	const uint8_t *stream = ai8x_machine_kernels(check->machine, processor, NULL);
	for (uint32_t t = 0; t <= span.last - span.first; t++) {
		// Binary weights have no zero: what stands for one has no meaning.
		const bool meant = !layer->binary || (output >= 0 && input >= 0 && p->taps[t] >= 0);
		if (meant && stored_tap(layer, stream, span, t) != trained_tap(p, output, input, t))
			return false;
	}
	return true;
}

static int32_t find_owner(const ai8x_check *check, const struct pair *p, uint32_t slot, uint32_t pass,
                          unsigned processor, int32_t input)
{
	for (uint32_t c = 0; c < p->trained->out_channels && !p->state->layer.depthwise; c++)
		if (holds(check, p, slot, pass, processor, (int32_t)c, input))
			return (int32_t)c;
	return NO_CHANNEL;
}

static void compare_kernel(const ai8x_check *check, const struct pair *p, uint32_t slot, uint32_t pass,
                           unsigned processor, int32_t output, int32_t input, struct differences *d)
{
	struct kernel_span span;
	if (!kernels_locate(check, &p->state->layer, slot, pass, processor, &span))
		return;
	d->kernels++;
	if (holds(check, p, slot, pass, processor, output, input))
		return;
	if (d->wrong++ == 0) {
		d->first_output = output < 0 ? slot : (uint32_t)output;
		d->first_input = input < 0 ? layer_channel(&p->state->layer, processor, pass) : (uint32_t)input;
		d->processor = processor;
		d->word = span.first / KERNEL_WORD_BYTES;
		d->same_as =
			input < 0 || output < 0 ? NO_CHANNEL : find_owner(check, p, slot, pass, processor, input);
	}
	if (output >= 0 && !d->output[output]) {
		d->output[output] = true;
		d->outputs++;
	}
	if (input >= 0 && (uint32_t)input < p->trained->fan_channels && !d->input[input]) {
		d->input[input] = true;
		d->inputs++;
	}
}

static void compare_kernels(const ai8x_check *check, const struct pair *p, struct differences *d)
{
	const ai8x_layer *layer = &p->state->layer;
	for (uint64_t left = layer->processors & layer->kernel_processors; left != 0; left &= left - 1) {
		const unsigned processor = bits_first(left);
		for (uint32_t slot = 0; slot < p->state->kernel_rows; slot++) {
			const int32_t output = slot_channel(p, slot);
			for (uint32_t pass = 0; pass < layer->passes; pass++) {
				if (layer->depthwise) {
					const uint32_t channel = layer_channel(layer, processor, pass);
					if (channel < p->trained->out_channels * p->trained->fan_channels)
						compare_kernel(check, p, slot, pass, processor, (int32_t)channel, 0, d);
				} else if (output >= 0) {
					compare_kernel(check, p, slot, pass, processor, output, input_channel(p, pass, processor),
					               d);
				}
			}
		}
	}
}

// --- Biases ------------------------------------------------------------------------------------------------

static void compare_biases(const ai8x_check *check, const struct pair *p, struct differences *d)
{
	const ai8x_layer *layer = &p->state->layer;
	for (uint32_t slot = 0; slot < layer->slots; slot++) {
		const struct layer_bias bias = layer_bias_of(layer, slot);
		const int32_t channel = layer->depthwise ? (int32_t)slot : slot_channel(p, slot);
		int32_t sum = 0;
		if (channel < 0 || (uint32_t)channel >= p->trained->out_channels)
			continue;
		for (unsigned i = 0; i < bias.count; i++)
			if (bias.at[i].entry < check->part->info.bias_entries)
				sum += check->bias_value[bias.at[i].group][bias.at[i].entry];
		const int32_t trained = p->trained->bias != NULL ? p->trained->bias[channel] : 0;
		if (sum == trained || d->biases++ > 0)
			continue;
		d->first_bias = (uint32_t)channel;
		d->bias_is = sum;
		d->bias_should = trained;
	}
}

// --- Telling -----------------------------------------------------------------------------------------------

// "1, 3 to 7, 9": channels of a set, as far as there is room.
static void name_channels(const bool *set, uint32_t count, char *text, size_t size)
{
	size_t used = 0;
	text[0] = '\0';
	for (uint32_t c = 0; c < count; c++) {
		uint32_t last = c;
		if (!set[c])
			continue;
		while (last + 1 < count && set[last + 1])
			last++;
		char one[40];
		(void)snprintf(one, sizeof one, last > c ? "%u to %u" : "%u", c, last);
		const int length = snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", one);
		if (length < 0 || (size_t)length >= size - used - 8) {
			(void)snprintf(text + used, size - used, ", ...");
			return;
		}
		used += (size_t)length;
		c = last;
	}
}

static void tell_kernels(ai8x_check *check, const struct pair *p, const struct differences *d)
{
	const ai8x_layer *layer = &p->state->layer;
	struct place place = here((int)layer->index);
	char outputs[80], inputs[80], owner[80] = "";
	if (d->wrong == 0) {
		report(check, AI8X_CHECK_KERNEL_TRAINED, AI8X_SEVERITY_INFO, place, 1,
		       "all %llu kernels of layer %u are the trained ones", (unsigned long long)d->kernels,
		       layer->index);
		return;
	}
	name_channels(d->output, p->trained->out_channels * (layer->depthwise ? p->trained->fan_channels : 1),
	              outputs, sizeof outputs);
	name_channels(d->input, p->trained->fan_channels, inputs, sizeof inputs);
	if (d->same_as >= 0)
		(void)snprintf(owner, sizeof owner, ": that of output channel %d lies there", d->same_as);
	place.processor = (int)d->processor;
	place.channel = (int)d->first_output;
	report(check, AI8X_CHECK_KERNEL_DIFFERS, AI8X_SEVERITY_ERROR, place, d->wrong,
	       "%llu of %llu kernels of layer %u are not the trained ones (output channels %s; input channels "
	       "%s); the first is "
	       "that of output channel %u and input channel %u, in word %u of processor %u's kernel memory%s",
	       (unsigned long long)d->wrong, (unsigned long long)d->kernels, layer->index, outputs, inputs,
	       d->first_output, d->first_input, d->word, d->processor, owner);
}

static void tell_biases(ai8x_check *check, const struct pair *p, const struct differences *d)
{
	struct place place = here((int)p->state->layer.index);
	if (d->biases == 0)
		return;
	place.channel = (int)d->first_bias;
	report(check, AI8X_CHECK_BIAS_DIFFERS, AI8X_SEVERITY_ERROR, place, d->biases,
	       "%u of %u biases of layer %u are not the trained ones; the first is that of output channel %u: %d "
	       "instead of %d",
	       d->biases, p->trained->out_channels, p->state->layer.index, d->first_bias, d->bias_is,
	       d->bias_should);
}

static void compare_pair(ai8x_check *check, struct pair *p)
{
	struct differences d = {.same_as = NO_CHANNEL};
	const ai8x_layer *layer = &p->state->layer;
	if (!find_taps(p) || !find_pixels(p)) {
		report(check, AI8X_CHECK_KERNEL_DIFFERS, AI8X_SEVERITY_ERROR, here((int)layer->index), 1,
		       "layer %u has kernels of %ux%u for %u passes of %u processors, the trained weights are "
		       "%ux%ux%ux%u: another "
		       "network's, or in another order",
		       layer->index, layer->kernel_rows, layer->kernel_columns, layer->passes,
		       bits_count(layer->processors), p->trained->out_channels, p->trained->fan_channels,
		       p->trained->kernel_rows, p->trained->kernel_columns);
		return;
	}
	d.output = calloc((size_t)p->trained->out_channels * p->trained->fan_channels + 1, sizeof *d.output);
	d.input = calloc((size_t)p->trained->fan_channels + 1, sizeof *d.input);
	if (d.output == NULL || d.input == NULL) {
		check->trouble = AI8X_ERR_NO_MEMORY;
	} else {
		compare_kernels(check, p, &d);
		compare_biases(check, p, &d);
		tell_kernels(check, p, &d);
		tell_biases(check, p, &d);
	}
	free(d.output);
	free(d.input);
}

// --- Which layer is which ----------------------------------------------------------------------------------

// Layers may take their kernels from the same place: those of one trained layer.
static bool takes_same_kernels(const ai8x_layer *a, const ai8x_layer *b)
{
	return memcmp(a->kernel_first_bit, b->kernel_first_bit, sizeof a->kernel_first_bit) == 0 &&
	       a->weight_bits == b->weight_bits && a->processors == b->processors && a->passes == b->passes &&
	       a->kernel_rows == b->kernel_rows && a->kernel_columns == b->kernel_columns;
}

// The layers that have kernels, in the order of their register sets; each once.
static size_t list_layers(const ai8x_check *check, bool shared_once, const struct layer_state **list)
{
	size_t count = 0;
	for (unsigned index = 0; index < AI8X_MAX_LAYERS; index++) {
		const int position = check->current[index];
		const struct layer_state *state = position < 0 ? NULL : &check->layers[position];
		bool known = state == NULL || state->weights == NULL;
		for (size_t i = 0; i < count && shared_once && !known; i++)
			known = takes_same_kernels(&state->layer, &list[i]->layer);
		if (!known)
			list[count++] = state;
	}
	return count;
}

static size_t count_trained(const ai8x_network *network)
{
	size_t count = 0;
	for (size_t i = 0; i < network->layer_count; i++)
		count += ai8x_network_weights_of(network, i)->weights != NULL &&
		         network->layers[i].operation != AI8X_OP_PASSTHROUGH && !network->layers[i].bypass;
	return count;
}

void trained_evaluate(ai8x_check *check)
{
	const struct layer_state *list[AI8X_MAX_LAYERS];
	const ai8x_network *network = check->options.trained;
	if (network == NULL)
		return;
	const size_t trained = count_trained(network);
	size_t count = list_layers(check, false, list);
	if (count != trained)
		count = list_layers(check, true, list);
	if (count != trained) {
		report(check, AI8X_CHECK_KERNEL_DIFFERS, AI8X_SEVERITY_ERROR, here(-1), 1,
		       "%zu layers with kernels ran, but the trained weights are those of %zu layers: which belong "
		       "together is not known",
		       list_layers(check, false, list), trained);
		return;
	}
	size_t next = 0;
	for (size_t i = 0; i < network->layer_count && next < count; i++) {
		struct pair p = {.net = &network->layers[i], .trained = ai8x_network_weights_of(network, i)};
		if (p.trained->weights == NULL || p.net->operation == AI8X_OP_PASSTHROUGH || p.net->bypass)
			continue;
		p.state = list[next++];
		p.output = check->outputs[p.state->layer.index];
		p.output = p.output != 0 ? p.output : p.net->output_processors;
		compare_pair(check, &p);
	}
}
