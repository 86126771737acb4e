// Chooses data memory. Tensors that are read together share a block (operands word by word, concatenated channels at
// the same words of their own instances, concatenated pixels one after the other); blocks that live at the same time
// in the same instances do not overlap. Larger blocks are placed first, each as low as it fits.

#include <stdlib.h>
#include <string.h>

#include "network/layout.h"

// Words of one of the RAMs that a data memory instance consists of: read-ahead needs input and output in
// different ones (hardware reference 1).
#define RAM_WORDS 4096u

struct block {
	uint16_t instances;
	uint32_t lead;       // words before the first that writers also write
	uint32_t words;      // after the lead, with the gap after the last
	uint32_t used_words; // the same without it
	size_t first, last;  // layers during which it must be kept, inclusive
	int64_t fixed;       // first word after the lead, -1: free
	uint32_t align;
	uint32_t start; // chosen, after the lead
	bool placed, used;
};

struct chooser {
	struct layout *layout;
	struct plan plan; // for emulated shapes and rings
	struct block *blocks;
	size_t count;
	ai8x_error *error;
};

static uint16_t instances_of(uint64_t map)
{
	uint16_t instances = 0;
	for (unsigned i = 0; i < AI8X_INSTANCES; i++)
		instances = (uint16_t)(instances | ((map >> (4 * i) & 0xf) != 0) << i);
	return instances;
}

// Processors whose lanes are written with a tensor: convolutions also write what lies between its processors
// (hardware reference 4.8).
static uint64_t written_map(const struct layout *layout, size_t t)
{
	uint64_t map = layout->tensors[t].map;
	if (t == 0 || map == 0 || layout->network->layers[t - 1].operation == AI8X_OP_PASSTHROUGH ||
	    layout->network->layers[t - 1].groups > 1)
		return map;
	return UINT64_MAX >> (63 - bits_last(map)) & UINT64_MAX << bits_first(map);
}

// The layer whose join decides where a tensor lies, if any.
static void find_joins(struct layout *layout)
{
	for (size_t t = 0; t < layout->count; t++) {
		struct tensor *tensor = &layout->tensors[t];
		for (size_t u = 0; u < tensor->use_count; u++) {
			if (tensor->uses[u].kind != USE_PLAIN) {
				tensor->join = (int)tensor->uses[u].layer;
				tensor->join_source = tensor->uses[u].source;
			}
		}
	}
}

// Gap and position of a tensor inside the block of its join.
static void place_in_block(struct layout *layout, struct tensor *tensor)
{
	tensor->gap = 0;
	tensor->block_offset = 0;
	if (tensor->join < 0)
		return;
	const ai8x_network_layer *layer = &layout->network->layers[tensor->join];
	uint32_t passes = divide_up(layer->in_channels, AI8X_PROCESSORS);
	switch (layout_use_kind(layer)) {
	case USE_OPERAND:
		tensor->gap = layer->operands - 1;
		tensor->block_offset = tensor->join_source;
		break;
	case USE_CHANNELS:
		if (passes > 1) {
			uint32_t thresh = (divide_up(layer->in_channels, passes) + 3) & ~3u;
			tensor->gap = passes - 1;
			tensor->block_offset = layout_first_channel(layout, layer, tensor->join_source) / thresh;
		}
		break;
	case USE_PIXELS:
		for (unsigned k = 0; k < tensor->join_source; k++)
			tensor->block_offset += layout->tensors[tensor_of(layer->sources[k])].pixels * passes;
		break;
	default:
		break;
	}
}

// A write gap that the description gives holds if whoever reads the tensor finds it after such gaps.
static ai8x_status take_given_gap(const struct chooser *c, size_t t)
{
	const struct layout *layout = c->layout;
	struct tensor *tensor = &layout->tensors[t];
	if (t == 0 || !layout->network->layers[t - 1].write_gap_given)
		return AI8X_OK;
	uint32_t given = layout->network->layers[t - 1].write_gap;
	if (tensor->join >= 0 && given != tensor->gap) {
		return network_error(c->error, AI8X_ERR_NETWORK, layout->network, (int)t - 1,
		                     "write_gap is %u, but the join in layer %u needs %u", given,
		                     layout->network->layers[tensor->join].number, tensor->gap);
	}
	for (size_t u = 0; u < tensor->use_count && tensor->join < 0 && given > 0; u++) {
		const ai8x_network_layer *reader = &layout->network->layers[tensor->uses[u].layer];
		if (!reader->read_gap_given && !layout_can_read_gap(layout, tensor, &tensor->uses[u])) {
			return network_error(
				c->error, AI8X_ERR_NETWORK, layout->network, (int)t - 1,
				"write_gap is %u, but layer %u, which reads the result, cannot read over gaps "
				"on the %s",
				given, reader->number, layout->target->part->info.name);
		}
	}
	tensor->gap = given;
	return AI8X_OK;
}

// What nobody writes with a gap is written with the one that a reader names; whoever else reads it must find it, too.
static ai8x_status take_read_gap(const struct chooser *c, size_t t)
{
	const struct layout *layout = c->layout;
	struct tensor *tensor = &layout->tensors[t];
	const ai8x_network_layer *first = NULL;
	for (size_t u = 0; u < tensor->use_count && first == NULL; u++) {
		const ai8x_network_layer *reader = &layout->network->layers[tensor->uses[u].layer];
		first = reader->read_gap_given && tensor->uses[u].kind == USE_PLAIN ? reader : NULL;
	}
	if (first == NULL || tensor->join >= 0 || (t > 0 && layout->network->layers[t - 1].write_gap_given))
		return AI8X_OK;
	for (size_t u = 0; u < tensor->use_count; u++) {
		const struct use *use = &tensor->uses[u];
		const ai8x_network_layer *reader = &layout->network->layers[use->layer];
		const bool found = reader->read_gap_given ? reader->read_gap == first->read_gap
		                                          : layout_can_read_gap(layout, tensor, use);
		if (!found && first->read_gap > 0)
			return network_error(c->error, AI8X_ERR_NETWORK, layout->network, (int)use->layer,
			                     "reads what layer %u reads with read_gap %u, but without that gap",
			                     first->number, first->read_gap);
	}
	tensor->gap = first->read_gap;
	return AI8X_OK;
}

// Words that one pixel of a tensor is away from the next.
static uint32_t pixel_words(const struct layout *layout, size_t t)
{
	const struct tensor *tensor = &layout->tensors[t];
	uint32_t operands = t == 0 ? layout->network->layers[0].operands : 1;
	return tensor->passes * operands * (tensor->gap + 1) * tensor->bytes;
}

// Words from a tensor's first to after its last.
static uint32_t tensor_words(const struct chooser *c, size_t t)
{
	const struct tensor *tensor = &c->layout->tensors[t];
	uint32_t pixels = tensor->pixels;
	if (t == 0 && c->layout->network->layers[0].chw)
		return divide_up(pixels, 4);
	if (t > 0) {
		const struct plan_layer *layer = &c->plan.layers[t - 1];
		uint32_t written = layer->out_rows * layer->out_columns - layer->lead_pixels;
		pixels = written > pixels && !layer->rows_for_passes ? written : pixels;
	}
	for (size_t u = 0; u < tensor->use_count; u++) {
		// Emulated layers also fetch what lies after the image, and ignore it.
		const struct plan_layer *reader = &c->plan.layers[tensor->uses[u].layer];
		uint32_t read = reader->rows_for_passes || reader->net->flatten ? 0 : reader->rows * reader->columns;
		pixels = reader->operation != reader->net->operation && read > pixels ? read : pixels;
	}
	return pixels * pixel_words(c->layout, t);
}

// What a gap leaves after a tensor's last word.
static uint32_t words_after_last(const struct chooser *c, size_t t)
{
	const struct tensor *tensor = &c->layout->tensors[t];
	if (t == 0)
		return c->layout->network->layers[0].chw
		           ? 0
		           : tensor->gap * tensor->passes * c->layout->network->layers[0].operands;
	return tensor->gap * tensor->bytes;
}

static uint32_t lead_words(const struct chooser *c, size_t t)
{
	return t == 0 ? 0 : c->plan.layers[t - 1].lead_pixels * pixel_words(c->layout, t);
}

static size_t last_streaming(const struct chooser *c)
{
	size_t last = 0;
	for (size_t i = 0; i < c->plan.count; i++)
		last = c->plan.layers[i].streaming ? i : last;
	return last;
}

// true: the tensor only passes through a ring.
static bool in_ring(const struct chooser *c, size_t t)
{
	return t < c->plan.count && c->plan.layers[t].streaming;
}

static void keep_alive(struct chooser *c, struct block *block, size_t t)
{
	const struct layout *layout = c->layout;
	const struct tensor *tensor = &layout->tensors[t];
	size_t first = t == 0 ? 0 : t - 1;
	size_t last = first;
	for (size_t u = 0; u < tensor->use_count; u++)
		last = tensor->uses[u].layer > last ? tensor->uses[u].layer : last;
	bool kept = t > 0 && (layout->network->layers[t - 1].output || t - 1 == c->plan.final_position ||
	                      tensor->use_count == 0);
	last = kept ? layout->network->layer_count : last;
	if (c->plan.streams && first <= last_streaming(c)) {
		// Streaming layers run at the same time.
		first = 0;
		last = last < last_streaming(c) ? last_streaming(c) : last;
	}
	block->first = block->used && block->first < first ? block->first : first;
	block->last = block->used && block->last > last ? block->last : last;
}

static bool reads_ahead(const struct chooser *c, size_t t)
{
	const struct tensor *tensor = &c->layout->tensors[t];
	bool ahead = t > 0 && c->layout->network->layers[t - 1].read_ahead;
	for (size_t u = 0; u < tensor->use_count; u++)
		ahead = ahead || c->layout->network->layers[tensor->uses[u].layer].read_ahead;
	return ahead;
}

// Puts every tensor into a block: that of its join, or one of its own.
static void form_blocks(struct chooser *c)
{
	struct layout *layout = c->layout;
	for (size_t t = 0; t < layout->count; t++) {
		struct tensor *tensor = &layout->tensors[t];
		// Blocks of joins are numbered after those of the tensors.
		tensor->block = tensor->join >= 0 ? layout->count + (size_t)tensor->join : t;
		struct block *block = &c->blocks[tensor->block];
		keep_alive(c, block, t);
		uint32_t words = in_ring(c, t) ? plan_ring_words(&c->plan, t) + 1 : tensor_words(c, t);
		uint32_t end = tensor->block_offset + words;
		uint32_t used = in_ring(c, t) ? end : end - words_after_last(c, t);
		uint32_t lead = lead_words(c, t);
		uint64_t map = written_map(layout, t);
		if (t == 0 && c->plan.feed == AI8X_FEED_FAST_FIFO_QUAD) {
			// Every group gets the input.
			map |= map << 16 | map << 32 | map << 48;
		}
		block->instances = (uint16_t)(block->instances | instances_of(map));
		block->words = end > block->words ? end : block->words;
		block->used_words = used > block->used_words ? used : block->used_words;
		block->lead = lead > block->lead ? lead : block->lead;
		block->align = 1;
		if (reads_ahead(c, t)) {
			// RAMs of different instances count as one (verify_rules.c).
			block->instances = UINT16_MAX;
			block->align = RAM_WORDS;
			block->words = divide_up(block->words, RAM_WORDS) * RAM_WORDS;
		}
		if (!block->used) {
			block->fixed = -1;
			block->used = true;
		}
		if (t > 0 && layout->network->layers[t - 1].out_offset >= 0)
			block->fixed = layout->network->layers[t - 1].out_offset / 4 - tensor->block_offset;
		for (size_t u = 0; u < tensor->use_count; u++) {
			const ai8x_network_layer *reader = &layout->network->layers[tensor->uses[u].layer];
			if (reader->in_offset >= 0 && tensor->uses[u].source == 0 && reader->crop_first == 0) {
				block->fixed =
					reader->in_offset / 4 - (tensor->uses[u].kind == USE_PLAIN ? tensor->block_offset : 0);
			}
		}
	}
}

// Emulated dilation also writes before and after its result, where the other pixels of a join would lie.
static ai8x_status check_pixel_joins(const struct chooser *c)
{
	const struct layout *layout = c->layout;
	for (size_t t = 1; t < layout->count; t++) {
		const struct tensor *tensor = &layout->tensors[t];
		const struct plan_layer *layer = &c->plan.layers[t - 1];
		if (tensor->join < 0 || layout_use_kind(&layout->network->layers[tensor->join]) != USE_PIXELS ||
		    layer->net->operation != AI8X_OP_CONV1D || layer->operation == AI8X_OP_CONV1D)
			continue;
		return network_error(
			c->error, AI8X_ERR_NETWORK, layout->network, tensor->join,
			"joins the pixels of layer %u, whose dilation %u is emulated and needs the memory around its "
			"result",
			layer->net->number, layer->net->dilation);
	}
	return AI8X_OK;
}

static bool collide(const struct block *a, const struct block *b, uint32_t start)
{
	uint64_t low = start - a->lead;
	uint64_t high = (uint64_t)start + a->words;
	return b->placed && (a->instances & b->instances) != 0 && a->first <= b->last && b->first <= a->last &&
	       low < (uint64_t)b->start + b->words && (uint64_t)b->start - b->lead < high;
}

// Lowest start not below `from` that collides with no placed block.
static uint32_t first_fit(const struct chooser *c, const struct block *block)
{
	uint32_t start = divide_up(block->lead, block->align) * block->align;
	for (bool moved = true; moved;) {
		moved = false;
		for (size_t i = 0; i < c->count; i++) {
			const struct block *other = &c->blocks[i];
			if (other != block && collide(block, other, start)) {
				start = divide_up(other->start + other->words + block->lead, block->align) * block->align;
				moved = true;
			}
		}
	}
	return start;
}

static size_t layer_of_block(const struct chooser *c, size_t b)
{
	if (b >= c->layout->count)
		return b - c->layout->count;
	return b == 0 ? 0 : b - 1;
}

static ai8x_status place_block(struct chooser *c, size_t b)
{
	struct block *block = &c->blocks[b];
	uint32_t limit = c->layout->target->part->info.data_words;
	block->start = block->fixed >= 0 ? (uint32_t)block->fixed : first_fit(c, block);
	if (block->start < block->lead || (uint64_t)block->start + block->used_words > limit) {
		uint32_t used = 0;
		for (size_t i = 0; i < c->count; i++) {
			const struct block *other = &c->blocks[i];
			if (other->placed && (other->instances & block->instances) != 0 && other->first <= block->last &&
			    block->first <= other->last)
				used += other->words + other->lead;
		}
		return network_error(
			c->error, AI8X_ERR_NETWORK, c->layout->network, (int)layer_of_block(c, b),
			"data memory is exhausted: %u words (%u bytes) are needed in a data memory instance of %u words, "
			"other live data takes %u there (limit of the %s; smaller images, streaming or earlier "
			"pooling help)",
			block->used_words + block->lead, 4 * (block->used_words + block->lead), limit, used,
			c->layout->target->part->info.name);
	}
	block->placed = true;
	return AI8X_OK;
}

static ai8x_status place_blocks(struct chooser *c)
{
	for (size_t n = 0; n < c->count; n++) {
		size_t best = SIZE_MAX;
		for (size_t b = 0; b < c->count; b++) {
			const struct block *block = &c->blocks[b];
			if (!block->used || block->placed)
				continue;
			bool better =
				best == SIZE_MAX || (block->fixed >= 0) > (c->blocks[best].fixed >= 0) ||
				((block->fixed >= 0) == (c->blocks[best].fixed >= 0) && block->words > c->blocks[best].words);
			best = better ? b : best;
		}
		if (best == SIZE_MAX)
			return AI8X_OK;
		ai8x_status status = place_block(c, best);
		if (status != AI8X_OK)
			return status;
	}
	return AI8X_OK;
}

// Columns of the image that rows are cropped from; what is left may be read with other columns.
static uint32_t cropped_columns(const ai8x_network *network, const ai8x_network_layer *layer)
{
	int source = layer->sources[0];
	if (layer->join == AI8X_JOIN_PIXELS)
		return layer->in_columns;
	return source < 0 ? network->input_shape[2] : network->layers[source].out_columns;
}

static uint32_t tensor_start(const struct chooser *c, size_t t)
{
	const struct tensor *tensor = &c->layout->tensors[t];
	return c->blocks[tensor->block].start + tensor->block_offset;
}

static void assign_layers(struct chooser *c)
{
	struct layout *layout = c->layout;
	for (size_t i = 0; i < layout->network->layer_count; i++) {
		ai8x_network_layer *layer = &layout->network->layers[i];
		const struct tensor *out = &layout->tensors[i + 1];
		size_t source = tensor_of(layer->sources[0]);
		const struct tensor *in = &layout->tensors[source];
		bool plain = layout_use_kind(layer) == USE_PLAIN;
		uint32_t start = plain ? tensor_start(c, source) : c->blocks[in->block].start;
		if (layer->crop_first > 0) {
			uint32_t step = plain ? pixel_words(layout, source)
			                      : layer->operands * divide_up(layer->in_channels, AI8X_PROCESSORS);
			start += layer->crop_first * cropped_columns(layout->network, layer) * step;
		}
		if (layer->in_offset < 0)
			layer->in_offset = 4 * (int64_t)start;
		if (layer->out_offset < 0)
			layer->out_offset = 4 * (int64_t)tensor_start(c, i + 1);
		layer->write_gap = layer->write_gap_given ? layer->write_gap : out->gap;
		if (!layer->read_gap_given)
			layer->read_gap = plain ? in->gap : 0;
	}
}

ai8x_status placement_choose_offsets(struct layout *layout, ai8x_error *error)
{
	struct chooser c = {.layout = layout, .error = error, .count = 2 * layout->count};
	ai8x_status status = plan_create(layout->network, layout->target->part, layout->options, &c.plan, error);
	c.blocks = calloc(c.count, sizeof *c.blocks);
	if (status == AI8X_OK && c.blocks == NULL)
		status = error_no_memory(error, "placement");
	if (status == AI8X_OK) {
		find_joins(layout);
		for (size_t t = 0; status == AI8X_OK && t < layout->count; t++) {
			place_in_block(layout, &layout->tensors[t]);
			status = take_given_gap(&c, t);
			if (status == AI8X_OK)
				status = take_read_gap(&c, t);
		}
	}
	if (status == AI8X_OK)
		status = check_pixel_joins(&c);
	if (status == AI8X_OK) {
		form_blocks(&c);
		status = place_blocks(&c);
	}
	if (status == AI8X_OK)
		assign_layers(&c);
	plan_release(&c.plan);
	free(c.blocks);
	return status;
}
