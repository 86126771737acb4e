// Kernels and biases that lie where no channel is: what generators do wrong with channels that do not fill the last
// pass, with output maps that have holes or do not begin at a multiple of four, and with narrow weights.
//
// Registers do not say which slots and lanes hold channels; data and results do. So these findings combine what
// lies in kernel and bias memory with what is read and expected.
#include "check/parts.h"
#include "layer/geometry.h"

#include <stdio.h>

// Slots that a generator may be ahead of: a byte of 1-bit weights holds eight.
enum { MOST_AHEAD = 8, NARROW_BITS = 8 };

// --- Kernels of channels that do not exist -----------------------------------------------------------------

static bool is_zero(const ai8x_check *check, const ai8x_layer *layer, uint32_t slot, uint32_t pass,
                    unsigned processor)
{
	struct kernel_span span;
	if (!kernels_locate(check, layer, slot, pass, processor, &span))
		return true;
	const uint8_t *stream = ai8x_machine_kernels(check->machine, processor, NULL);
	for (uint32_t b = span.first; b <= span.last; b++)
		if ((stream[b] & span.bits) != 0)
			return false;
	return true;
}

static bool are_equal(const ai8x_check *check, const ai8x_layer *layer, uint32_t slot, uint32_t pass,
                      unsigned processor, uint32_t other_slot, unsigned other)
{
	struct kernel_span a, b;
	if (!kernels_locate(check, layer, slot, pass, processor, &a) ||
	    !kernels_locate(check, layer, other_slot, 0, other, &b))
		return false;
	const uint8_t *x = ai8x_machine_kernels(check->machine, processor, NULL) + a.first;
	const uint8_t *y = ai8x_machine_kernels(check->machine, other, NULL) + b.first;
	for (uint32_t t = 0; t <= a.last - a.first; t++)
		if ((x[t] & a.bits) >> __builtin_ctz(a.bits) != (y[t] & b.bits) >> __builtin_ctz(b.bits))
			return false;
	return true;
}

// Nothing that could be a channel: never written, written along with channels beside it, computed with kernels of
// zeros, or zeros from the bus in every pixel.
static bool plane_is_void(const ai8x_check *check, const struct layer_state *state, size_t plane)
{
	for (uint32_t s = state->planes[plane].sources; s != NONE; s = check->sources[s].next) {
		const struct lane *from = &check->sources[s].from;
		const int position = writer_position(from->writer);
		const bool zero = from->writer == WRITER_BUS && from->slot == SLOT_BUS_ZERO;
		if (from->writer < WRITER_BUS || from->slot == SLOT_NONE || zero)
			continue;
		if (position < 0 || slot_is_loaded(&check->layers[position], from->slot))
			return false;
	}
	return true;
}

static bool lane_is_void(const ai8x_check *check, const struct layer_state *state, unsigned processor)
{
	const ai8x_layer *layer = &state->layer;
	for (uint32_t operand = 0; operand < layer->operands; operand++)
		if (!plane_is_void(check, state, plane_index(layer, layer->passes - 1, operand, processor)))
			return false;
	return true;
}

static bool has_weight_in_last_pass(const struct layer_state *state, unsigned processor)
{
	const uint32_t passes = state->layer.passes;
	for (uint32_t row = 0; row < state->kernel_rows; row++)
		if (state->weights[(size_t)row * passes + passes - 1] >> processor & 1)
			return true;
	return false;
}

// How the vendor's generator packs such a pass: in place of a channel that does not exist stands the first kernel of the next
// output channel (of the channel that would follow in a list of all kernels), or bytes are left out, so that the last
// ones stay zero.
static bool is_packed_short(const ai8x_check *check, const ai8x_layer *layer, unsigned processor)
{
	const uint32_t taps = layer->kernel_rows * layer->kernel_columns;
	const uint32_t together = NARROW_BITS / layer->weight_bits;
	const uint32_t missing = (layer->slots + together - 1) / together * (taps - taps / together);
	struct kernel_span last;
	if (!kernels_locate(check, layer, layer->slots - 1, layer->passes - 1, processor, &last) ||
	    missing == 0 || missing > last.last)
		return false;
	const uint8_t *stream = ai8x_machine_kernels(check->machine, processor, NULL);
	for (uint32_t b = 0; b < missing; b++)
		if (stream[last.last - b] != 0)
			return false;
	return true;
}

static bool is_packed_on(const ai8x_check *check, const ai8x_layer *layer, uint64_t absent)
{
	unsigned rank = 0;
	for (uint64_t left = absent; left != 0 && layer->slots > 1; left &= left - 1, rank++)
		if (!are_equal(check, layer, 0, layer->passes - 1, bits_first(left), 1,
		               bits_nth(layer->processors, rank)))
			return false;
	return layer->slots > 1;
}

// Input channels as a program records them, where they are those of the passes: not in flattened layers, which have
// passes for pixels.
static uint32_t known_channels(const ai8x_check *check, const ai8x_layer *layer)
{
	const uint32_t known = check->channels[layer->index];
	return (known + AI8X_PROCESSORS - 1) / AI8X_PROCESSORS == layer->passes ? known : 0;
}

// The processors that come last and have no channel in the last pass, `most` of them at most.
static uint64_t find_absent(const ai8x_check *check, const struct layer_state *state, unsigned most)
{
	const ai8x_layer *layer = &state->layer;
	const uint32_t each = bits_count(layer->processors), known = known_channels(check, layer);
	uint64_t absent = 0;
	for (uint64_t left = layer->processors; left != 0 && most > 0; most--) {
		const unsigned processor = bits_last(left);
		const uint64_t bit = UINT64_C(1) << processor;
		const uint32_t channel = (layer->passes - 1) * each + bits_rank(layer->processors, processor);
		if (known != 0 ? channel < known : !lane_is_void(check, state, processor))
			break;
		absent |= bit;
		left &= ~bit;
	}
	return absent;
}

static bool has_weights(const struct layer_state *state, uint64_t absent)
{
	for (; absent != 0; absent &= absent - 1)
		if (has_weight_in_last_pass(state, bits_first(absent)))
			return true;
	return false;
}

static bool is_packed(const ai8x_check *check, const ai8x_layer *layer, uint64_t absent)
{
	return layer->weight_bits < NARROW_BITS && absent != 0 &&
	       (is_packed_on(check, layer, absent) || is_packed_short(check, layer, bits_first(absent)));
}

static void name_processors(uint64_t map, char *text, size_t size)
{
	const unsigned first = bits_first(map), last = bits_last(map);
	if (first == last)
		(void)snprintf(text, size, "processor %u has", first);
	else
		(void)snprintf(text, size, "processors %u to %u have", first, last);
}

void misplaced_channels(ai8x_check *check, struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	if (state->weights == NULL || layer->passes < 2 || layer->flatten || layer->depthwise || layer->binary)
		return;
	const unsigned each = bits_count(layer->processors);
	uint64_t absent = find_absent(check, state, each - 1);
	bool packed = is_packed(check, layer, absent);
	// Without a count of channels, only the generator's own pattern tells them from data that were not loaded.
	while (known_channels(check, layer) == 0 && absent != 0 && !packed) {
		absent &= absent - 1;
		packed = is_packed(check, layer, absent);
	}
	if (check->results_hold || !has_weights(state, absent))
		return;
	state->absent = absent;
	const unsigned first = bits_first(absent);
	char who[64];
	name_processors(absent, who, sizeof who);
	const uint32_t channels = (layer->passes - 1) * each + bits_rank(layer->processors, first);
	struct place place = here((int)layer->index);
	place.processor = (int)first;
	place.group = (int)processor_group(first);
	place.channel = (int)channels;
	report(check, AI8X_CHECK_KERNEL_MISPLACED, AI8X_SEVERITY_ERROR, place, bits_count(absent),
	       "layer %u has %u input channels, so %s none in the last of its %u passes, although kernels for "
	       "that pass are not zero%s",
	       layer->index, channels, who, layer->passes,
	       packed
	           ? ": as the vendor's generator packs weights of fewer than 8 bits, all later kernels of these "
	             "processors are shifted"
	           : "");
}

// --- Kernels and biases of other slots ---------------------------------------------------------------------

// Kernels that a generator put after the layer's last one, in words that no other layer takes.
static bool are_left_over(const ai8x_check *check, const ai8x_layer *layer)
{
	for (uint64_t left = layer->processors & layer->kernel_processors; left != 0; left &= left - 1) {
		const unsigned processor = bits_first(left);
		struct kernel_span span, last;
		if (layer->quad_fanout || layer->calcx4 ||
		    !kernels_locate(check, layer, layer->slots - 1, layer->passes - 1, processor, &last))
			continue;
		const uint32_t word = last.last / KERNEL_WORD_BYTES;
		for (uint32_t slot = layer->slots; slot < layer->slots + MOST_AHEAD; slot++)
			if (kernels_locate(check, layer, slot, 0, processor, &span) &&
			    span.first / KERNEL_WORD_BYTES == word && !is_zero(check, layer, slot, 0, processor))
				return true;
		// A hole may take a whole word.
		if (kernels_unused(check, processor, word + 1, word + layer->slots))
			return true;
	}
	return false;
}

// What slots have, as far as kernels and influence tell.
struct slots {
	uint32_t empty; // the first that counts and has no kernels, NONE: none
	uint32_t idle;  // the first that has kernels and does not count
	uint32_t first; // the first that counts
	bool holes;     // slots that do not count lie before or between those that do
};

// Binary weights have no zero: there a slot counts as loaded where any bit is set.
static bool has_kernels(const ai8x_check *check, const struct layer_state *state, uint32_t slot)
{
	const ai8x_layer *layer = &state->layer;
	if (!layer->binary)
		return slot_is_loaded(state, slot);
	for (uint64_t left = layer->processors & layer->kernel_processors; left != 0; left &= left - 1)
		for (uint32_t pass = 0; pass < layer->passes; pass++)
			if (!is_zero(check, layer, slot, pass, bits_first(left)))
				return true;
	return false;
}

static struct slots look_at_slots(const ai8x_check *check, const struct layer_state *state)
{
	struct slots found = {NONE, NONE, NONE, false};
	bool gap = false;
	for (uint32_t s = 0; s < state->slots; s++) {
		const bool live = state->live[s], loaded = has_kernels(check, state, s);
		found.first = live && found.first == NONE ? s : found.first;
		found.empty = live && !loaded && found.empty == NONE ? s : found.empty;
		found.idle = !live && loaded && found.idle == NONE ? s : found.idle;
		found.holes = found.holes || (live && gap);
		gap = gap || !live;
	}
	if (found.idle == NONE && are_left_over(check, &state->layer))
		found.idle = state->slots;
	return found;
}

void misplaced_kernels(ai8x_check *check, const struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	if (state->weights == NULL || layer->depthwise || state->dead || check->results_hold)
		return;
	const struct slots slots = look_at_slots(check, state);
	if (!slots.holes || slots.idle == NONE || (slots.empty == NONE && slots.idle >= state->slots))
		return;
	struct place place = here((int)layer->index);
	char where[64] = "after its last slot, where there is no channel";
	place.processor = (int)bits_first(layer->processors);
	place.channel = slots.empty != NONE ? (int)slots.empty : -1;
	if (slots.idle < state->slots)
		(void)snprintf(where, sizeof where, "in slot %u, to which no channel belongs", slots.idle);
	report(check, AI8X_CHECK_KERNEL_MISPLACED, AI8X_SEVERITY_ERROR, place, 1,
	       "the output channels of layer %u begin in slot %u and leave out slots, but it has kernels %s%s",
	       layer->index, slots.first, where, slots.empty != NONE ? ", and none in a slot that is read" : "");
}

void misplaced_biases(ai8x_check *check, const struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	if (layer->bias_groups == 0 || layer->depthwise || state->weights == NULL || state->dead ||
	    check->results_hold)
		return;
	uint32_t idle = NONE;
	bool later = false;
	for (uint32_t s = 0; s < state->slots; s++) {
		const struct layer_bias bias = layer_bias_of(layer, s);
		for (unsigned i = 0; i < bias.count && !state->live[s] && !slot_is_loaded(state, s); i++)
			if (bias.at[i].entry < check->part->info.bias_entries && idle == NONE &&
			    check->bias_value[bias.at[i].group][bias.at[i].entry] != 0)
				idle = s;
		later = later || (idle != NONE && state->live[s]);
	}
	if (!later)
		return;
	struct place place = here((int)layer->index);
	place.channel = (int)idle;
	report(check, AI8X_CHECK_BIAS_MISPLACED, AI8X_SEVERITY_ERROR, place, 1,
	       "layer %u leaves out output channel slot %u, but has a bias for it: its biases follow each other, "
	       "while the hardware counts an entry for every slot, used or not, so later channels get each "
	       "other's biases",
	       layer->index, idle);
}
