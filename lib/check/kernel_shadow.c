// Shadow of kernel memory: who wrote each word, how often, and which words layers take their kernels from.
#include "check/parts.h"
#include "layer/geometry.h"

#include <stdlib.h>
#include <string.h>

ai8x_status kernels_create(ai8x_check *check)
{
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		check->kernel_words[p] = part_unit_words(check->part, MEMORY_KERNEL, processor_in_group(p));
		check->kernels[p] = calloc(check->kernel_words[p], sizeof *check->kernels[p]);
		if (check->kernels[p] == NULL)
			return AI8X_ERR_NO_MEMORY;
	}
	return AI8X_OK;
}

void kernels_destroy(ai8x_check *check)
{
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++)
		free(check->kernels[p]);
}

// --- Loading -----------------------------------------------------------------------------------------

void kernels_written(ai8x_check *check, const ai8x_event *event)
{
	const unsigned processor = event->u.commit.processor;
	const uint8_t *stored = ai8x_machine_kernels(check->machine, processor, NULL);
	const uint8_t *content = stored + (size_t)event->u.commit.word * KERNEL_WORD_BYTES;
	struct kernel_word *state = &check->kernels[processor][event->u.commit.word];
	// Between two runs kernels may be replaced.
	if (state->written == WORD_WRITTEN && check->runs == 0 &&
	    memcmp(state->content, content, KERNEL_WORD_BYTES) != 0)
		state->lost_by = state->by;
	memcpy(state->content, content, KERNEL_WORD_BYTES);
	state->written = event->u.commit.whole ? WORD_WRITTEN : WORD_PART;
	state->by = (uint32_t)check->bus_writes;
}

// Cleared kernels are zero. Generators that clear memory leave out what they know to be zero, so such words count as
// missing only where the results are wrong.
void kernels_cleared(ai8x_check *check, unsigned group)
{
	for (unsigned p = group * PROCESSORS_PER_GROUP; p < (group + 1) * PROCESSORS_PER_GROUP; p++)
		for (uint32_t w = 0; w < check->kernel_words[p]; w++)
			check->kernels[p][w] = (struct kernel_word){.written = WORD_CLEARED};
}

static bool is_missing(uint8_t written)
{
	return written == WORD_UNWRITTEN || written == WORD_CLEARED;
}

// --- Where a layer's kernels lie ---------------------------------------------------------------------

static struct kernel_span locate(const ai8x_layer *layer, unsigned group, uint32_t row, uint32_t pass)
{
	const struct layer_kernel kernel = layer_kernel_at(layer, group, row, pass);
	const uint32_t taps = layer->kernel_rows * layer->kernel_columns, field = (1u << layer->weight_bits) - 1;
	return (struct kernel_span){kernel.byte, kernel.byte + taps - 1, (uint8_t)(field << kernel.bit)};
}

static bool applies(const ai8x_layer *layer, uint32_t row, unsigned processor)
{
	uint64_t active = layer->processors & layer->kernel_processors;
	if ((active >> processor & 1) == 0)
		return false;
	return !layer->quad_fanout || row % AI8X_GROUPS == processor_group(processor);
}

static bool inside(const ai8x_check *check, unsigned processor, struct kernel_span span)
{
	return span.last / KERNEL_WORD_BYTES < check->kernel_words[processor];
}

bool kernels_locate(const ai8x_check *check, const ai8x_layer *layer, uint32_t row, uint32_t pass,
                    unsigned processor, struct kernel_span *span)
{
	*span = locate(layer, processor_group(processor), row, pass);
	return applies(layer, row, processor) && inside(check, processor, *span);
}

static void look_at_kernel(ai8x_check *check, struct layer_state *state, uint32_t row, uint32_t pass,
                           unsigned processor, const uint8_t *stream)
{
	const ai8x_layer *layer = &state->layer;
	struct kernel_span span = locate(layer, processor_group(processor), row, pass);
	if (!inside(check, processor, span))
		return;
	size_t at = (size_t)row * layer->passes + pass;
	for (uint32_t word = span.first / KERNEL_WORD_BYTES; word <= span.last / KERNEL_WORD_BYTES; word++) {
		check->kernels[processor][word].used = true;
		if (check->kernels[processor][word].written != WORD_WRITTEN)
			state->unwritten[at] |= UINT64_C(1) << processor;
	}
	bool nonzero = layer->binary; // 1-bit weights of +1 and -1 have no zero
	for (uint32_t b = span.first; b <= span.last && !nonzero; b++)
		nonzero = (stream[b] & span.bits) != 0;
	if (nonzero)
		state->weights[at] |= UINT64_C(1) << processor;
}

uint32_t kernels_taps(const ai8x_check *check, const struct layer_state *state, uint32_t pass,
                      unsigned processor)
{
	const ai8x_layer *layer = &state->layer;
	uint32_t count = layer->kernel_rows * layer->kernel_columns, all = (1u << count) - 1, taps = 0;
	if (state->weights == NULL || layer->binary)
		return all;
	const uint8_t *stream = ai8x_machine_kernels(check->machine, processor, NULL);
	for (uint32_t row = 0; row < state->kernel_rows && taps != all; row++) {
		struct kernel_span span = locate(layer, processor_group(processor), row, pass);
		bool live = layer->depthwise || state->live[row];
		if (!live || !applies(layer, row, processor) || !inside(check, processor, span))
			continue;
		// The last tap lies in the first byte.
		for (uint32_t t = 0; t < count; t++)
			taps |= (uint32_t)((stream[span.last - t] & span.bits) != 0) << t;
	}
	return taps;
}

bool kernels_begin_layer(ai8x_check *check, struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	if (!layer_has_kernels(layer) || layer->bypass)
		return true;
	state->kernel_rows = layer->depthwise ? 1 : state->slots;
	size_t count = (size_t)state->kernel_rows * layer->passes;
	state->weights = calloc(count + 1, sizeof *state->weights);
	state->unwritten = calloc(count + 1, sizeof *state->unwritten);
	if (state->weights == NULL || state->unwritten == NULL)
		return false;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		const uint8_t *stream = ai8x_machine_kernels(check->machine, p, NULL);
		for (uint32_t row = 0; row < state->kernel_rows; row++)
			for (uint32_t pass = 0; pass < layer->passes && applies(layer, row, p); pass++)
				look_at_kernel(check, state, row, pass, p, stream);
	}
	return true;
}

// --- Evaluation --------------------------------------------------------------------------------------

// True when a kernel can change the result: its output counts and there are data it is applied to.
static bool counts(const struct layer_state *state, uint32_t row, uint32_t pass, unsigned processor)
{
	const ai8x_layer *layer = &state->layer;
	bool live = false;
	if (layer->depthwise) {
		const uint32_t slot = layer_channel(layer, processor, pass);
		live = slot < state->slots && state->live[slot];
	} else {
		live = row < state->slots && state->live[row];
	}
	return live && (state->with_data[pass] >> processor & 1) != 0;
}

static uint32_t word_address(const ai8x_check *check, unsigned processor, uint32_t word)
{
	const struct part_memory_row *memory = &check->part->memories[MEMORY_KERNEL];
	return memory->address + processor_group(processor) * check->part->group_stride +
	       processor_in_group(processor) * memory->unit_stride + word * memory->word_bytes;
}

static struct place kernel_place(const ai8x_check *check, int layer, unsigned processor, uint32_t word)
{
	struct place place = here(layer);
	place.processor = (int)processor;
	place.has_address = true;
	place.address = word_address(check, processor, word);
	return place;
}

static uint8_t worst_word(const ai8x_check *check, unsigned processor, struct kernel_span span,
                          uint32_t *word)
{
	for (uint32_t w = span.first / KERNEL_WORD_BYTES; w <= span.last / KERNEL_WORD_BYTES; w++) {
		*word = w;
		if (check->kernels[processor][w].written != WORD_WRITTEN)
			return check->kernels[processor][w].written;
	}
	return WORD_WRITTEN;
}

// A calcx4 layer whose kernels lie one after the other, as other layers have them.
static bool lies_linearly(const ai8x_check *check, const struct layer_state *state, uint32_t row,
                          uint32_t pass, unsigned processor)
{
	if (!state->layer.calcx4 || row % 4 == 0)
		return false;
	ai8x_layer plain = state->layer;
	plain.calcx4 = false;
	struct kernel_span span = locate(&plain, processor_group(processor), row, pass);
	uint32_t word = 0;
	return inside(check, processor, span) && worst_word(check, processor, span, &word) == WORD_WRITTEN;
}

static void report_unwritten(ai8x_check *check, const struct layer_state *state, uint32_t row, uint32_t pass,
                             unsigned processor)
{
	const ai8x_layer *layer = &state->layer;
	struct kernel_span span = locate(layer, processor_group(processor), row, pass);
	uint32_t word = span.first / KERNEL_WORD_BYTES;
	uint8_t written = worst_word(check, processor, span, &word);
	const bool meant = written == WORD_CLEARED && !check->results_fail;
	struct place place = kernel_place(check, (int)layer->index, processor, word);
	place.channel = (int)layer_channel(layer, processor, pass);
	if (written == WORD_PART)
		report(check, AI8X_CHECK_KERNEL_UNWRITTEN, AI8X_SEVERITY_ERROR, place, 1,
		       "layer %u takes the kernel of output channel slot %u and input channel %d from word %u of "
		       "processor "
		       "%u's kernel memory, which was stored before all four of its bus words were written",
		       layer->index, row, place.channel, word, processor);
	else if (lies_linearly(check, state, row, pass, processor))
		report(check, AI8X_CHECK_KERNEL_QUARTERS, AI8X_SEVERITY_ERROR, place, 1,
		       "layer %u computes four output channels in parallel (calcx4) and takes the kernel of output "
		       "channel "
		       "slot %u from quarter %u of processor %u's kernel memory, word %u, which nobody wrote; its "
		       "kernels lie "
		       "one after the other in the first quarter",
		       layer->index, row, row % 4, processor, word);
	else
		report(check, AI8X_CHECK_KERNEL_UNWRITTEN, meant ? AI8X_SEVERITY_INFO : AI8X_SEVERITY_ERROR, place, 1,
		       "layer %u takes the kernel of output channel slot %u and input channel %d from word %u of "
		       "processor %u's kernel memory, %s",
		       layer->index, row, place.channel, word, processor,
		       meant ? "which was cleared and not written since: it is zero, as left by generators that "
		               "clear memory"
		             : "but nobody wrote that word");
}

static void check_unwritten(ai8x_check *check, const struct layer_state *state)
{
	for (uint32_t row = 0; row < state->kernel_rows; row++) {
		for (uint32_t pass = 0; pass < state->layer.passes; pass++) {
			uint64_t left = state->unwritten[(size_t)row * state->layer.passes + pass];
			for (; left != 0; left &= left - 1) {
				unsigned processor = (unsigned)__builtin_ctzll(left);
				if (counts(state, row, pass, processor))
					report_unwritten(check, state, row, pass, processor);
			}
		}
	}
}

// Layers may share kernels, but then all of them.
static bool share(const ai8x_layer *a, const ai8x_layer *b, unsigned group)
{
	return a->kernel_first_bit[group] == b->kernel_first_bit[group] &&
	       a->kernel_tap_offset[group] == b->kernel_tap_offset[group] && a->weight_bits == b->weight_bits &&
	       a->kernel_rows * a->kernel_columns == b->kernel_rows * b->kernel_columns &&
	       a->passes == b->passes && a->calcx4 == b->calcx4;
}

// What layers take of a processor's kernel memory: bytes ...
struct claim {
	uint16_t owner; // 1 + position; 0: free
	uint8_t bits;
};

// ... and words: 1 + position of the first two layers; 0: none.
struct users {
	uint16_t first, second;
};

static void report_overlap(ai8x_check *check, const ai8x_layer *owner, const ai8x_layer *layer,
                           unsigned processor, uint32_t word)
{
	struct place place = kernel_place(check, (int)owner->index, processor, word);
	place.other_layer = (int)layer->index;
	report(check, AI8X_CHECK_KERNEL_OVERLAP, AI8X_SEVERITY_ERROR, place, 1,
	       "layer %u and layer %u take different kernels from the same bytes of kernel memory, first in word "
	       "%u of "
	       "processor %u; the kernels of layer %u begin at word %u, those of layer %u at word %u",
	       owner->index, layer->index, word, processor, owner->index,
	       locate(owner, processor_group(processor), 0, 0).first / KERNEL_WORD_BYTES, layer->index,
	       locate(layer, processor_group(processor), 0, 0).first / KERNEL_WORD_BYTES);
}

static void claim(ai8x_check *check, struct claim *claims, size_t position, unsigned processor,
                  struct kernel_span span)
{
	const ai8x_layer *layer = &check->layers[position].layer;
	for (uint32_t b = span.first; b <= span.last; b++) {
		struct claim *c = &claims[b];
		if (c->owner == 0 || c->owner == position + 1) {
			*c = (struct claim){(uint16_t)(position + 1), (uint8_t)(c->bits | span.bits)};
			continue;
		}
		const ai8x_layer *owner = &check->layers[c->owner - 1].layer;
		if ((c->bits & span.bits) != 0 && !share(layer, owner, processor_group(processor))) {
			report_overlap(check, owner, layer, processor, b / KERNEL_WORD_BYTES);
			return;
		}
		*c = (struct claim){(uint16_t)(position + 1), (uint8_t)(c->bits | span.bits)};
	}
}

static void note_users(struct users *users, size_t position, struct kernel_span span)
{
	for (uint32_t word = span.first / KERNEL_WORD_BYTES; word <= span.last / KERNEL_WORD_BYTES; word++) {
		struct users *u = &users[word];
		if (u->first == 0)
			u->first = (uint16_t)(position + 1);
		else if (u->first != position + 1 && u->second == 0)
			u->second = (uint16_t)(position + 1);
	}
}

static void report_clash(ai8x_check *check, unsigned processor, uint32_t word, struct users users)
{
	const struct kernel_word *state = &check->kernels[processor][word];
	const ai8x_layer *first = &check->layers[users.first - 1].layer;
	const char *fourfold = first->calcx4 ? " (calcx4)" : "";
	struct place place = kernel_place(check, (int)first->index, processor, word);
	if (users.second == 0) {
		report(check, AI8X_CHECK_KERNEL_CONFLICT, AI8X_SEVERITY_ERROR, place, 1,
		       "layer %u%s takes kernels from word %u of processor %u's kernel memory, which is written "
		       "twice with "
		       "different contents (bus writes %u and %u): the first ones are lost",
		       first->index, fourfold, word, processor, state->lost_by, state->by);
		return;
	}
	const ai8x_layer *second = &check->layers[users.second - 1].layer;
	place.other_layer = (int)second->index;
	report(
		check, AI8X_CHECK_KERNEL_CONFLICT, AI8X_SEVERITY_ERROR, place, 1,
		"layer %u%s and layer %u%s both take kernels from word %u of processor %u's kernel memory, which is "
		"written twice with different contents (bus writes %u and %u): one of them computes with the other's "
		"kernels",
		first->index, fourfold, second->index, second->calcx4 ? " (calcx4)" : "", word, processor,
		state->lost_by, state->by);
}

// Who takes what from one processor's kernel memory.
static void check_sharing(ai8x_check *check, unsigned processor)
{
	const uint32_t words = check->kernel_words[processor];
	struct claim *claims = calloc((size_t)words * KERNEL_WORD_BYTES, sizeof *claims);
	struct users *users = calloc(words, sizeof *users);
	if (claims == NULL || users == NULL)
		check->trouble = AI8X_ERR_NO_MEMORY;
	for (size_t p = 0; p < check->layer_count && check->trouble == AI8X_OK; p++) {
		const struct layer_state *state = &check->layers[p];
		// A layer that ran several times is looked at once.
		if (state->weights == NULL || check->current[state->layer.index] != (int)p)
			continue;
		for (uint32_t row = 0; row < state->kernel_rows; row++) {
			for (uint32_t pass = 0; pass < state->layer.passes && applies(&state->layer, row, processor);
			     pass++) {
				struct kernel_span span = locate(&state->layer, processor_group(processor), row, pass);
				if (!inside(check, processor, span) || !counts(state, row, pass, processor))
					continue;
				note_users(users, p, span);
				uint64_t weights = state->weights[(size_t)row * state->layer.passes + pass];
				if ((weights >> processor & 1) != 0)
					claim(check, claims, p, processor, span);
			}
		}
	}
	for (uint32_t word = 0; word < words && check->trouble == AI8X_OK; word++)
		if (check->kernels[processor][word].lost_by != 0 && users[word].first != 0)
			report_clash(check, processor, word, users[word]);
	free(claims);
	free(users);
}

// First and last word from which a layer takes kernels in a processor's group.
static void word_range(const struct layer_state *state, unsigned processor, uint32_t *first, uint32_t *last)
{
	*first = UINT32_MAX;
	*last = 0;
	for (uint32_t row = 0; row < state->kernel_rows; row++) {
		for (uint32_t pass = 0; pass < state->layer.passes; pass++) {
			struct kernel_span span = locate(&state->layer, processor_group(processor), row, pass);
			*first = span.first / KERNEL_WORD_BYTES < *first ? span.first / KERNEL_WORD_BYTES : *first;
			*last = span.last / KERNEL_WORD_BYTES > *last ? span.last / KERNEL_WORD_BYTES : *last;
		}
	}
}

// Loaded, not zero, and no layer takes kernels from it.
static bool is_unused(const struct kernel_word *word)
{
	static const uint8_t zeros[KERNEL_WORD_BYTES];
	return !is_missing(word->written) && !word->used && memcmp(word->content, zeros, sizeof zeros) != 0;
}

// Unused words of a processor: first one and number.
struct unused {
	uint32_t first;
	uint64_t count;
};

static struct unused count_unused(const ai8x_check *check, unsigned processor, uint32_t first, uint32_t last)
{
	struct unused unused = {0};
	for (uint32_t word = first; word <= last && word < check->kernel_words[processor]; word++)
		if (is_unused(&check->kernels[processor][word]))
			unused.first = unused.count++ == 0 ? word : unused.first;
	return unused;
}

bool kernels_unused(const ai8x_check *check, unsigned processor, uint32_t first, uint32_t last)
{
	return count_unused(check, processor, first, last).count > 0;
}

// How well unused kernels of a processor fit a layer that does not use the processor; 0: not at all.
static unsigned fitness(const ai8x_check *check, const struct layer_state *state, unsigned processor,
                        uint64_t all)
{
	const ai8x_layer *layer = &state->layer;
	uint64_t active = layer->processors & layer->kernel_processors;
	uint32_t first = 0, last = 0;
	if (state->weights == NULL || active == 0 || (active >> processor & 1) != 0)
		return 0;
	word_range(state, processor, &first, &last);
	uint64_t inside = count_unused(check, processor, first, last).count;
	if (inside == 0)
		return 0;
	bool neighbour = (processor > 0 && (active >> (processor - 1) & 1) != 0) ||
	                 (processor + 1 < AI8X_PROCESSORS && (active >> (processor + 1) & 1) != 0);
	return 1u + ((state->idle >> processor & 1) != 0 ? 8 : 0) + (neighbour ? 4 : 0) + (inside == all ? 2 : 0);
}

static void report_missing(ai8x_check *check, const struct layer_state *state, unsigned processor,
                           struct unused unused)
{
	struct place place = kernel_place(check, (int)state->layer.index, processor, unused.first);
	place.group = (int)(processor_group(processor));
	report(check, AI8X_CHECK_PROCESSOR_MISSING, AI8X_SEVERITY_ERROR, place, unused.count,
	       "processor %u holds kernels where layer %u has its own in other processors (from word %u), but is "
	       "not "
	       "enabled in layer %u, and no other layer uses them: its input channel is left out",
	       processor, state->layer.index, unused.first, state->layer.index);
}

// Of kernels that lie in a wrong place some are left over: no processor is missing for that.
static bool are_misplaced(const ai8x_check *check)
{
	static const ai8x_check_class kinds[] = {AI8X_CHECK_KERNEL_MISPLACED, AI8X_CHECK_KERNEL_OVERLAP,
	                                         AI8X_CHECK_KERNEL_CONFLICT, AI8X_CHECK_KERNEL_QUARTERS};
	for (size_t p = 0; p < check->layer_count; p++)
		for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
			if (report_has(check, kinds[k], (int)check->layers[p].layer.index))
				return true;
	return false;
}

static void check_unused(ai8x_check *check, unsigned processor)
{
	struct unused unused = count_unused(check, processor, 0, check->kernel_words[processor] - 1);
	const struct layer_state *owner = NULL;
	unsigned best = 0;
	if (unused.count == 0)
		return;
	for (size_t p = 0; p < check->layer_count; p++) {
		unsigned fits = fitness(check, &check->layers[p], processor, unused.count);
		owner = fits > best ? &check->layers[p] : owner;
		best = fits > best ? fits : best;
	}
	if (owner != NULL && !are_misplaced(check)) {
		uint32_t first = 0, last = 0;
		word_range(owner, processor, &first, &last);
		report_missing(check, owner, processor, count_unused(check, processor, first, last));
		return;
	}
	struct place place = kernel_place(check, -1, processor, unused.first);
	place.group = (int)(processor_group(processor));
	report(check, AI8X_CHECK_KERNEL_UNUSED, AI8X_SEVERITY_WARNING, place, unused.count,
	       "%llu kernel words of processor %u, the first of them word %u, are loaded but no layer takes "
	       "kernels from "
	       "them",
	       (unsigned long long)unused.count, processor, unused.first);
}

static bool all_loaded(const ai8x_check *check, const struct layer_state *state, unsigned processor)
{
	static const uint8_t zeros[KERNEL_WORD_BYTES];
	uint32_t first = 0, last = 0;
	bool nonzero = false;
	word_range(state, processor, &first, &last);
	for (uint32_t word = first; word <= last; word++) {
		if (word >= check->kernel_words[processor] || is_missing(check->kernels[processor][word].written))
			return false;
		nonzero |= memcmp(check->kernels[processor][word].content, zeros, sizeof zeros) != 0;
	}
	return nonzero;
}

// True when no layer but those that share their kernels with this one uses the processor's words.
static bool only_shared(const ai8x_check *check, const struct layer_state *state, unsigned processor)
{
	uint32_t first = 0, last = 0;
	word_range(state, processor, &first, &last);
	for (size_t p = 0; p < check->layer_count; p++) {
		const struct layer_state *other = &check->layers[p];
		uint32_t other_first = 0, other_last = 0;
		if (other->weights == NULL ||
		    ((other->layer.processors & other->layer.kernel_processors) >> processor & 1) == 0)
			continue;
		word_range(other, processor, &other_first, &other_last);
		if (other_first <= last && first <= other_last &&
		    !share(&other->layer, &state->layer, processor_group(processor)))
			return false;
	}
	return true;
}

// Layers that share kernels leave no unused ones: there the data tell.
static void check_idle(ai8x_check *check, const struct layer_state *state)
{
	const ai8x_layer *layer = &state->layer;
	if (state->weights == NULL || layer->calcx4)
		return;
	for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
		uint32_t word = layer->read_base[processor_group(p)];
		bool idle = (state->idle >> p & 1) != 0 && word < check->data_words &&
		            check->lanes[p / LANES][(size_t)word * LANES + p % LANES].reader == 0;
		if (!idle || !all_loaded(check, state, p) || !only_shared(check, state, p) ||
		    report_has(check, AI8X_CHECK_PROCESSOR_MISSING, (int)layer->index))
			continue;
		struct place place = here((int)layer->index);
		place.group = (int)(processor_group(p));
		place.processor = (int)p;
		place.has_address = true;
		place.address = ai8x_part_data_address(layer->part, p / LANES, layer->read_base[processor_group(p)]);
		report(check, AI8X_CHECK_PROCESSOR_MISSING, AI8X_SEVERITY_ERROR, place, 1,
		       "the lane of processor %u holds data in the input of layer %u that nobody reads, and kernels "
		       "are loaded "
		       "for it, but the processor is not enabled in layer %u",
		       p, layer->index, layer->index);
	}
}

void kernels_evaluate(ai8x_check *check, bool complete)
{
	for (size_t p = 0; p < check->layer_count; p++) {
		const struct layer_state *state = &check->layers[p];
		// Of misplaced kernels some are missing: one finding says it all.
		if (state->weights != NULL &&
		    !report_has(check, AI8X_CHECK_KERNEL_MISPLACED, (int)state->layer.index))
			check_unwritten(check, state);
	}
	for (unsigned processor = 0; processor < AI8X_PROCESSORS; processor++)
		check_sharing(check, processor);
	if (!complete)
		return;
	for (unsigned processor = 0; processor < AI8X_PROCESSORS; processor++)
		check_unused(check, processor);
	for (size_t p = 0; p < check->layer_count; p++)
		check_idle(check, &check->layers[p]);
}
