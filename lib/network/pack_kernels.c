// Kernel memory: a start word for every layer that is free in all its processors, and the bytes that go there.
// Facts: hardware reference 4.5 (kernel fetch), 4.8 (calcx4, quad fan-out), 2.1 (byte order).
//
// All processors of a layer use the same start word. Slots that carry no channel (before the first lane, in gaps
// of the output map, past the last channel) get kernels of zeros, so that the hardware never reads what belongs to
// another layer.

#include "network/lower.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BYTES 9u
#define ALIGN_WORDS 4u

static uint32_t taps_of(const struct plan_layer *layer)
{
	return layer->kernel_rows * layer->kernel_columns;
}

// Kernels per processor, and the kernel words they take.
static void size_kernels(struct plan_layer *layer)
{
	uint32_t slots = layer->slots;
	if (layer->depthwise)
		slots = 1;
	else if (layer->quad || layer->net->calcx4)
		slots = divide_up(slots, 4);
	layer->kernels = slots * layer->passes;
	uint32_t bytes = divide_up(layer->kernels * layer->bits, 8) * taps_of(layer);
	layer->kernel_words = divide_up(bytes, WORD_BYTES);
}

// true: words first .. first+count-1 are free in every processor of the map.
static bool range_is_free(const struct plan *plan, uint64_t map, uint32_t first, uint32_t count)
{
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		if ((map >> p & 1) == 0)
			continue;
		if (first + count > plan->kernel_limit[p] || memchr(plan->kernel_used[p] + first, 1, count) != NULL)
			return false;
	}
	return true;
}

static void occupy(struct plan *plan, uint64_t map, uint32_t first, uint32_t count)
{
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
		if ((map >> p & 1) != 0)
			memset(plan->kernel_used[p] + first, 1, count);
}

// Words of the kernel RAM that word lies in.
static uint32_t ram_words(const struct target *target, uint32_t word)
{
	return word >= 4 * target->kernel_quarter ? target->kernel_quarter_tail : target->kernel_quarter;
}

static bool fits_one_ram(const struct target *target, uint32_t first, uint32_t count)
{
	uint32_t words = ram_words(target, first);
	return first / words == (first + count - 1) / words && words == ram_words(target, first + count - 1);
}

static bool is_candidate(const struct plan *plan, const struct plan_layer *layer, uint32_t first)
{
	const struct target *target = plan->target;
	if (layer->net->calcx4) {
		// Quarter q of the slots lies in RAM q, at the same words of each.
		for (uint32_t q = 0; q < 4; q++)
			if (first + layer->kernel_words > target->kernel_quarter ||
			    !range_is_free(plan, layer->processors, q * target->kernel_quarter + first,
			                   layer->kernel_words))
				return false;
		return true;
	}
	if (target->depthwise_one_ram && layer->depthwise && !fits_one_ram(target, first, layer->kernel_words))
		return false;
	return range_is_free(plan, layer->processors, first, layer->kernel_words);
}

static bool only_large_processors(const struct plan *plan, uint64_t map)
{
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
		if ((map >> p & 1) != 0 && plan->kernel_limit[p] <= plan->part->info.kernel_words)
			return false;
	return true;
}

static bool find_start(const struct plan *plan, const struct plan_layer *layer, uint32_t *start)
{
	const ai8x_part_info *info = &plan->part->info;
	// Another network may have its kernels in the tail.
	bool tail = !plan->options.first_words_first && plan->options.weight_start == 0 &&
	            info->kernel_words_first > info->kernel_words && !layer->net->calcx4 &&
	            only_large_processors(plan, layer->processors);
	// Layers that only use processors with a tail leave the part that all processors have to others.
	for (uint32_t end = info->kernel_words_first; tail && end >= layer->kernel_words; end -= ALIGN_WORDS) {
		uint32_t first = (end - layer->kernel_words) & ~(ALIGN_WORDS - 1);
		if (is_candidate(plan, layer, first)) {
			*start = first;
			return true;
		}
		if (end < layer->kernel_words + ALIGN_WORDS)
			break;
	}
	// Words of the four RAMs that work in parallel are one unit of alignment.
	uint32_t step = layer->net->calcx4 ? 1 : ALIGN_WORDS;
	const uint32_t from = layer->net->calcx4
	                          ? divide_up(plan->options.weight_start, 4)
	                          : divide_up(plan->options.weight_start, ALIGN_WORDS) * ALIGN_WORDS;
	for (uint32_t first = from; first + layer->kernel_words <= info->kernel_words_first; first += step) {
		if (is_candidate(plan, layer, first)) {
			*start = first;
			return true;
		}
	}
	return false;
}

// true: two layers read the same bytes from kernel memory in the same way.
static bool same_kernels(const struct plan_layer *a, const struct plan_layer *b)
{
	const ai8x_network_layer *x = a->weights;
	const ai8x_network_layer *y = b->weights;
	if (a->own_processors != b->own_processors || a->processors != b->processors || a->bits != b->bits ||
	    a->kernels != b->kernels || a->passes != b->passes || a->in_passes != b->in_passes ||
	    a->output_processors >> a->first_lane != b->output_processors >> b->first_lane ||
	    a->slots_per_pass != b->slots_per_pass || a->depthwise != b->depthwise ||
	    a->net->calcx4 != b->net->calcx4 || a->net->in_channels != b->net->in_channels ||
	    a->net->out_channels != b->net->out_channels || a->net->weight_bits != b->net->weight_bits ||
	    a->kernel_rows != b->kernel_rows || a->kernel_columns != b->kernel_columns ||
	    memcmp(a->taps, b->taps, sizeof a->taps) != 0)
		return false;
	return x == y || (x->weights != NULL && y->weights != NULL && x->weight_count == y->weight_count &&
	                  memcmp(x->weights, y->weights, x->weight_count) == 0);
}

// A layer placed before this one whose kernels can be used again, or NULL.
static const struct plan_layer *find_twin(const struct plan *plan, const struct plan_layer *layer)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_layer *other = &plan->layers[i];
		if (other != layer && other->kernel_words > 0 && same_kernels(layer, other))
			return other;
	}
	return NULL;
}

static ai8x_status allocate(struct plan *plan, struct plan_layer *layer, ai8x_error *error)
{
	uint32_t start = 0;
	size_kernels(layer);
	const struct plan_layer *twin = find_twin(plan, layer);
	if (twin != NULL) {
		layer->kernel_word = twin->kernel_word;
		layer->kernel_words = twin->kernel_words;
		return AI8X_OK;
	}
	if (!find_start(plan, layer, &start)) {
		unsigned first = bits_first(layer->processors);
		uint32_t used = 0;
		for (uint32_t w = 0; w < plan->kernel_limit[first]; w++)
			used += plan->kernel_used[first][w];
		return network_error(
			error, AI8X_ERR_NETWORK, plan->network, (int)layer->position,
			"kernel memory is exhausted: the layer needs %u consecutive words in each of its %u "
			"processors; processor %u has %u words, %u of them used by other layers",
			layer->kernel_words * (layer->net->calcx4 ? 4 : 1), bits_count(layer->processors), first,
			plan->kernel_limit[first], used);
	}
	layer->kernel_word = start;
	for (uint32_t q = 0; q < (layer->net->calcx4 ? 4u : 1u); q++)
		occupy(plan, layer->processors, q * plan->target->kernel_quarter + start, layer->kernel_words);
	return AI8X_OK;
}

// Output channel that a slot computes, or -1: none.
static int32_t slot_channel(const struct plan_layer *layer, uint32_t slot)
{
	uint32_t pass = slot / layer->slots_per_pass;
	unsigned processor = layer->first_lane + slot % layer->slots_per_pass;
	uint64_t below = (UINT64_C(1) << processor) - 1;
	if ((layer->output_processors >> processor & 1) == 0)
		return -1;
	uint32_t channel = pass * layer->out_thresh + bits_count(layer->output_processors & below);
	return channel < layer->net->out_channels ? (int32_t)channel : -1;
}

// One kernel: where its bytes begin and which bits of them are its own.
struct kernel_slot {
	uint8_t *stream; // kernel memory of the processor
	uint32_t base;   // first byte
	uint32_t shift;  // low bit
};

static void write_kernel(const struct plan_layer *layer, struct kernel_slot slot, const int8_t *taps)
{
	const uint32_t count = taps_of(layer);
	const bool binary = layer->net->weight_bits == -1;
	const uint32_t mask = (1u << layer->bits) - 1;
	for (uint32_t t = 0; t < count; t++) {
		int8_t logical = layer->taps[t];
		int32_t weight = logical < 0 ? 0 : taps[logical];
		// Binary memory holds 1 for -1 and 0 for +1.
		uint32_t field = binary ? weight < 0 : (uint32_t)weight & mask;
		uint8_t *byte = &slot.stream[slot.base + count - 1 - t];
		*byte = (uint8_t)((*byte & ~(mask << slot.shift)) | field << slot.shift);
	}
}

// Kernel number m of a layer in the memory of a processor. quarter: RAM that four-at-a-time layers use.
static struct kernel_slot kernel_slot(const struct plan *plan, const struct plan_layer *layer,
                                      unsigned processor, uint32_t quarter, uint32_t m)
{
	uint32_t word = quarter * plan->target->kernel_quarter + layer->kernel_word;
	uint32_t bit = m * layer->bits;
	return (struct kernel_slot){
		.stream = plan->kernels[processor],
		.base = word * WORD_BYTES + (bit >> 3) * taps_of(layer),
		.shift = bit & 7,
	};
}

// Index of the weights of output channel o, input channel c, flattened pixel x.
static const int8_t *weights_at(const struct plan_layer *layer, uint32_t o, uint32_t c, uint32_t x)
{
	const ai8x_network_layer *net = layer->net;
	uint32_t pixels = net->flatten ? net->pooled_rows * net->pooled_columns : 1;
	size_t taps = (size_t)net->kernel_rows * net->kernel_columns;
	size_t fan = layer->depthwise ? 0 : (size_t)c * pixels + x;
	return layer->weights->weights + ((size_t)o * net->fan_channels + fan) * taps;
}

static void fill_depthwise(const struct plan *plan, const struct plan_layer *layer)
{
	unsigned j = 0;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		if ((layer->processors >> p & 1) == 0)
			continue;
		for (uint32_t pass = 0; pass < layer->in_passes; pass++) {
			uint32_t channel = pass * layer->in_thresh + j;
			if (channel < layer->net->in_channels)
				write_kernel(layer, kernel_slot(plan, layer, p, 0, pass), weights_at(layer, channel, 0, 0));
		}
		j++;
	}
}

// Kernels of one slot in the j-th processor.
static void fill_slot(const struct plan *plan, const struct plan_layer *layer, unsigned processor, unsigned j,
                      uint32_t slot, uint32_t o)
{
	uint32_t quarter = layer->net->calcx4 ? slot % 4 : 0;
	uint32_t row = layer->net->calcx4 || layer->quad ? slot / 4 : slot;
	unsigned target = processor + (layer->quad ? 16 * (slot % 4) : 0);
	for (uint32_t e = 0; e < layer->passes; e++) {
		uint32_t channel = e % layer->in_passes * layer->in_thresh + j;
		uint32_t pixel = e / layer->in_passes;
		if (channel < layer->net->in_channels) {
			write_kernel(layer, kernel_slot(plan, layer, target, quarter, row * layer->passes + e),
			             weights_at(layer, o, channel, pixel));
		}
	}
}

static void fill(const struct plan *plan, const struct plan_layer *layer)
{
	unsigned j = 0;
	if (layer->depthwise) {
		fill_depthwise(plan, layer);
		return;
	}
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		if ((layer->own_processors >> p & 1) == 0)
			continue;
		for (uint32_t slot = 0; slot < layer->slots; slot++) {
			int32_t o = slot_channel(layer, slot);
			if (o >= 0)
				fill_slot(plan, layer, p, j, slot, (uint32_t)o);
		}
		j++;
	}
}

static ai8x_status create_memories(struct plan *plan, bool weights, ai8x_error *error)
{
	const ai8x_part_info *info = &plan->part->info;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		uint32_t words = p % 16 == 0 ? info->kernel_words_first : info->kernel_words;
		plan->kernel_limit[p] = words;
		plan->kernel_used[p] = calloc(words, 1);
		if (weights)
			plan->kernels[p] = calloc(words, WORD_BYTES);
		if (plan->kernel_used[p] == NULL || (weights && plan->kernels[p] == NULL))
			return error_no_memory(error, "kernel memory");
	}
	return AI8X_OK;
}

ai8x_status plan_kernels(struct plan *plan, ai8x_error *error)
{
	bool weights = false;
	for (size_t i = 0; i < plan->count; i++) {
		weights =
			weights || (network_has_weights(plan->layers[i].net) && plan->layers[i].weights->weights != NULL);
	}
	ai8x_status status = create_memories(plan, weights, error);
	// Layers that need every processor go first: nothing can be packed beside them.
	for (int full = 1; full >= 0 && status == AI8X_OK; full--) {
		for (size_t i = 0; i < plan->count && status == AI8X_OK; i++) {
			struct plan_layer *layer = &plan->layers[i];
			if (!network_has_weights(layer->net) || (layer->processors == UINT64_MAX) != (full == 1))
				continue;
			status = allocate(plan, layer, error);
			if (status == AI8X_OK && layer->weights->weights != NULL)
				fill(plan, layer);
		}
	}
	return status;
}
