// Chooses processors. Tensors that must lie on the same processors, or at a fixed distance, form a component; each
// component is shifted as a whole, in steps of an instance (four processors), to where the kernel memories
// of its processors are emptiest.
//
// Distances come from joins: operands of an element-wise layer share processors, channels of a
// concatenation follow one another, depth-wise layers keep their processors (broadcast writing).

#include <stdlib.h>
#include <string.h>

#include "network/layout.h"

// Weighted union-find: a tensor's start is its parent's start plus distance.
struct node {
	size_t parent;
	int distance;
	uint32_t words;    // kernel words that readers of the tensor need in each of its processors
	int fixed;         // absolute start, or -1
	bool whole_groups; // start must be a multiple of 16
};

struct chooser {
	struct layout *layout;
	struct node *nodes;
	uint32_t load[AI8X_PROCESSORS];
	ai8x_error *error;
};

static size_t root_of(const struct node *nodes, size_t t, int *distance)
{
	*distance = 0;
	while (nodes[t].parent != t) {
		*distance += nodes[t].distance;
		t = nodes[t].parent;
	}
	return t;
}

// Demands start(b) = start(a) + distance. False: other demands say otherwise.
static bool tie(struct node *nodes, size_t a, size_t b, int distance)
{
	int to_a, to_b;
	size_t root_a = root_of(nodes, a, &to_a);
	size_t root_b = root_of(nodes, b, &to_b);
	if (root_a == root_b)
		return to_b - to_a == distance;
	nodes[root_b].parent = root_a;
	nodes[root_b].distance = to_a + distance - to_b;
	return true;
}

static unsigned span(uint64_t pattern)
{
	return pattern == 0 ? 0 : bits_last(pattern) + 1;
}

static uint64_t low_bits(unsigned count)
{
	return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

static uint64_t spread_bits(unsigned count, unsigned run, unsigned step)
{
	uint64_t map = 0;
	for (unsigned n = 0; n < count; n++) {
		unsigned at = n / run * step + n % run;
		map |= at < 64 ? UINT64_C(1) << at : 0;
	}
	return map;
}

// Processors of the network's input: FIFOs feed four (CHW: one) of each group.
static void input_pattern(struct chooser *c)
{
	struct tensor *input = &c->layout->tensors[0];
	bool chw = c->layout->network->layers[0].chw;
	if (layout_fed_by_fifo(c->layout)) {
		input->pattern = spread_bits(input->thresh, chw ? 1 : 4, 16);
		c->nodes[0].fixed = 0;
	} else if (chw) {
		input->pattern = spread_bits(input->thresh, 1, 4);
	}
}

static void pin(struct chooser *c, size_t t, uint64_t map)
{
	unsigned start = bits_first(map) & ~3u;
	c->layout->tensors[t].pattern = map >> start;
	c->nodes[t].fixed = (int)start;
}

// What the description gives is a demand like any other.
static void take_given(struct chooser *c)
{
	const ai8x_network *network = c->layout->network;
	for (size_t i = 0; i < network->layer_count; i++) {
		const ai8x_network_layer *layer = &network->layers[i];
		if (layer->output_processors != 0)
			pin(c, i + 1, layer->output_processors);
		if (layer->processors != 0 && layer->source_count == 1) {
			const struct tensor *source = &c->layout->tensors[tensor_of(layer->sources[0])];
			if (layer->in_channels == source->channels)
				pin(c, tensor_of(layer->sources[0]), layer->processors);
		}
	}
}

static ai8x_status refuse(struct chooser *c, size_t layer, const char *why)
{
	return network_error(c->error, AI8X_ERR_NETWORK, c->layout->network, (int)layer,
	                     "processors cannot be chosen: %s; give processors in the description", why);
}

// Channels side by side, or pass by pass when there are more than 64.
static ai8x_status tie_channels(struct chooser *c, size_t i)
{
	const ai8x_network_layer *layer = &c->layout->network->layers[i];
	uint32_t passes = divide_up(layer->in_channels, AI8X_PROCESSORS);
	uint32_t thresh = passes == 1 ? AI8X_PROCESSORS : (divide_up(layer->in_channels, passes) + 3) & ~3u;
	unsigned at = 0;
	for (unsigned k = 0; k < layer->source_count; k++) {
		struct tensor *tensor = &c->layout->tensors[tensor_of(layer->sources[k])];
		uint32_t first = layout_first_channel(c->layout, layer, k);
		if (tensor->passes > 1)
			return refuse(c, i, "a part of the concatenation has more than 64 channels");
		if (passes > 1) {
			if (first / thresh != (first + tensor->channels - 1) / thresh || first % thresh % 4 != 0)
				return refuse(c, i, "a part of the concatenation does not fit into one pass of channels");
			if (tensor->pattern != low_bits(bits_count(tensor->pattern))) {
				return refuse(
					c, i,
					"a part of a concatenation of more than 64 channels has gaps between its processors");
			}
			at = first % thresh;
		}
		if (at + span(tensor->pattern) > AI8X_PROCESSORS) {
			return refuse(c, i,
			              "its parts start at multiples of four channels and need more than 64 processors");
		}
		if (!tie(c->nodes, tensor_of(layer->sources[0]), tensor_of(layer->sources[k]), (int)at))
			return refuse(c, i, "parts of the concatenation are bound to other processors by other layers");
		at = (at + span(tensor->pattern) + 3) & ~3u;
	}
	return AI8X_OK;
}

// Processors that a layer reads, relative to the start of its first source.
static uint64_t joined_pattern(const struct chooser *c, const ai8x_network_layer *layer)
{
	int first, other;
	uint64_t pattern = 0;
	(void)root_of(c->nodes, tensor_of(layer->sources[0]), &first);
	for (unsigned k = 0; k < layer->source_count; k++) {
		(void)root_of(c->nodes, tensor_of(layer->sources[k]), &other);
		int at = other - first;
		pattern |= at >= 0 && at < 64 ? c->layout->tensors[tensor_of(layer->sources[k])].pattern << at : 0;
	}
	return pattern;
}

// A passthrough layer packs each group's processors; runs start at an instance.
static void pack_passthrough(struct chooser *c, size_t i)
{
	const ai8x_network_layer *layer = &c->layout->network->layers[i];
	uint64_t in = joined_pattern(c, layer);
	uint64_t out = 0;
	unsigned at = 0;
	if (c->nodes[i + 1].fixed >= 0)
		return;
	if (in != low_bits(bits_count(in))) {
		// Where groups begin matters for a map with holes.
		c->nodes[tensor_of(layer->sources[0])].whole_groups = true;
	}
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		unsigned count = bits_count(in >> (16 * g) & 0xffff);
		at = (at + 3) & ~3u;
		out |= at < 64 && at + count <= 64 ? low_bits(count) << at : 0;
		at += count;
	}
	c->layout->tensors[i + 1].pattern = out;
}

static ai8x_status tie_layer(struct chooser *c, size_t i)
{
	const ai8x_network_layer *layer = &c->layout->network->layers[i];
	enum use_kind kind = layout_use_kind(layer);
	size_t first = tensor_of(layer->sources[0]);
	ai8x_status status = AI8X_OK;
	if (kind == USE_CHANNELS) {
		status = tie_channels(c, i);
	} else {
		for (unsigned k = 1; k < layer->source_count; k++) {
			size_t other = tensor_of(layer->sources[k]);
			if (c->layout->tensors[first].pattern != c->layout->tensors[other].pattern ||
			    !tie(c->nodes, first, other, 0))
				return refuse(c, i, "its sources are bound to different processors by other layers");
		}
	}
	if (status != AI8X_OK)
		return status;
	if (layer->groups > 1 && c->nodes[i + 1].fixed < 0) {
		uint64_t in = joined_pattern(c, layer);
		if (kind != USE_PLAIN && kind != USE_OPERAND)
			return refuse(c, i, "a depth-wise layer reads a concatenation");
		c->layout->tensors[i + 1].pattern = in;
		if (!tie(c->nodes, first, i + 1, 0))
			return refuse(c, i, "a depth-wise layer keeps its processors, which other layers bind elsewhere");
	} else if (layer->operation == AI8X_OP_PASSTHROUGH) {
		pack_passthrough(c, i);
	}
	return AI8X_OK;
}

// Kernel words that a layer needs in each processor it reads.
static uint32_t kernel_need(const ai8x_network_layer *layer)
{
	if (!network_has_weights(layer))
		return 0;
	uint64_t bits = layer->weight_bits == -1 ? 1 : (uint64_t)layer->weight_bits;
	uint64_t passes = divide_up(layer->in_channels, AI8X_PROCESSORS);
	uint64_t pixels = layer->flatten ? (uint64_t)layer->pooled_rows * layer->pooled_columns : 1;
	uint64_t slots = layer->groups > 1 ? 1 : layer->out_channels;
	return (uint32_t)(slots * passes * pixels * bits * layer->kernel_rows * layer->kernel_columns / 72 + 1);
}

// What is known of a component: members relative to its root, and demands on the root's start.
struct component {
	uint64_t processors; // union of the members, relative to the lowest member's start
	int lowest;          // least start of a member, relative to the root
	int fixed;           // absolute start of the root, INT_MIN: free
	bool contradiction;
	uint32_t words;
};

#define FREE (-100000)

static struct component describe(const struct chooser *c, size_t root)
{
	struct component found = {0, 0, FREE, false, 0};
	for (size_t t = 0; t < c->layout->count; t++) {
		int distance;
		if (root_of(c->nodes, t, &distance) == root)
			found.lowest = distance < found.lowest ? distance : found.lowest;
	}
	for (size_t t = 0; t < c->layout->count; t++) {
		int distance;
		if (root_of(c->nodes, t, &distance) != root)
			continue;
		int at = distance - found.lowest;
		uint64_t pattern = c->layout->tensors[t].pattern;
		found.contradiction = found.contradiction || at + (int)span(pattern) > 64;
		found.processors |= at > 63 ? 0 : pattern << at;
		found.words += c->nodes[t].words;
		if (c->nodes[t].fixed >= 0) {
			int start = c->nodes[t].fixed - distance;
			found.contradiction = found.contradiction || (found.fixed != FREE && found.fixed != start);
			found.fixed = start;
		}
	}
	return found;
}

static bool start_allowed(const struct chooser *c, size_t root, int start)
{
	for (size_t t = 0; t < c->layout->count; t++) {
		int distance;
		if (root_of(c->nodes, t, &distance) == root && c->nodes[t].whole_groups &&
		    (start + distance) % 16 != 0)
			return false;
	}
	return true;
}

// Adds what a component's readers need to the load of its processors; returns the greatest load among them.
static uint32_t add_load(struct chooser *c, size_t root, int start, bool keep)
{
	uint32_t greatest = 0;
	uint32_t load[AI8X_PROCESSORS];
	memcpy(load, c->load, sizeof load);
	for (size_t t = 0; t < c->layout->count; t++) {
		int distance;
		if (root_of(c->nodes, t, &distance) != root)
			continue;
		uint64_t map = c->layout->tensors[t].pattern << (start + distance);
		for (unsigned p = 0; p < AI8X_PROCESSORS; p++) {
			load[p] += (map >> p & 1) != 0 ? c->nodes[t].words : 0;
			greatest = (map >> p & 1) != 0 && load[p] > greatest ? load[p] : greatest;
		}
	}
	if (keep)
		memcpy(c->load, load, sizeof load);
	return greatest;
}

static ai8x_status place_component(struct chooser *c, size_t root)
{
	struct component found = describe(c, root);
	int best = FREE;
	uint32_t least = UINT32_MAX;
	if (found.contradiction) {
		return refuse(c, root == 0 ? 0 : root - 1,
		              "demands on the tensors that belong together contradict each other");
	}
	int distance;
	bool with_input = root_of(c->nodes, 0, &distance) == root;
	for (int start = -found.lowest; start + found.lowest + (int)span(found.processors) <= 64; start += 4) {
		if ((found.fixed != FREE && start != found.fixed) || !start_allowed(c, root, start))
			continue;
		// Hosts expect to load their data from the first processor on.
		uint32_t load = with_input ? 0 : add_load(c, root, start, false);
		if (load < least) {
			least = load;
			best = start;
		}
	}
	if (best == FREE)
		return refuse(c, root == 0 ? 0 : root - 1, "no place satisfies all demands");
	(void)add_load(c, root, best, true);
	for (size_t t = 0; t < c->layout->count; t++)
		if (root_of(c->nodes, t, &distance) == root)
			c->layout->tensors[t].map = c->layout->tensors[t].pattern << (best + distance);
	return AI8X_OK;
}

// Components in order of what their readers need, largest first; the input's is fixed where it must be.
static ai8x_status place_components(struct chooser *c)
{
	for (size_t placed = 0; placed < c->layout->count; placed++) {
		size_t best = SIZE_MAX;
		uint32_t words = 0;
		for (size_t t = 0; t < c->layout->count; t++) {
			if (c->nodes[t].parent == t && c->layout->tensors[t].map == 0) {
				struct component found = describe(c, t);
				uint32_t weight = found.words + (found.fixed != FREE ? UINT32_C(1) << 30 : 0);
				if (best == SIZE_MAX || weight > words) {
					best = t;
					words = weight;
				}
			}
		}
		if (best == SIZE_MAX)
			return AI8X_OK;
		ai8x_status status = place_component(c, best);
		if (status != AI8X_OK)
			return status;
	}
	return AI8X_OK;
}

// Bits first .. first + count - 1 of a map, counted among its set bits.
static uint64_t some_bits(uint64_t map, unsigned first, unsigned count)
{
	uint64_t some = 0;
	for (unsigned n = 0; map != 0; n++) {
		uint64_t bit = map & (~map + 1);
		some |= n >= first && n < first + count ? bit : 0;
		map &= ~bit;
	}
	return some;
}

static ai8x_status assign_layers(struct chooser *c)
{
	ai8x_network *network = c->layout->network;
	for (size_t i = 0; i < network->layer_count; i++) {
		ai8x_network_layer *layer = &network->layers[i];
		uint64_t map = 0;
		uint32_t channels = 0;
		for (unsigned k = 0; k < layer->source_count; k++) {
			const struct tensor *source = &c->layout->tensors[tensor_of(layer->sources[k])];
			map |= source->map;
			channels =
				layout_use_kind(layer) == USE_CHANNELS ? channels + source->channels : source->channels;
		}
		if (layer->source_count == 1 && layer->operands > 1 && layer->sources[0] >= 0) {
			const struct tensor *source = &c->layout->tensors[tensor_of(layer->sources[0])];
			if (source->passes != layer->operands || layer->in_channels != source->thresh) {
				return refuse(c, i,
				              "operands that are parts of one tensor must be its passes of 64 channels");
			}
			channels = layer->in_channels;
		}
		if (layer->in_channels != channels) {
			if (channels > AI8X_PROCESSORS)
				return refuse(c, i, "it reads some of more than 64 channels");
			map = some_bits(map, layer->first_channel, layer->in_channels);
		}
		if (layer->processors != 0 && layer->processors != map)
			return refuse(c, i, "the processors given for one layer are not those that its input lies in");
		layer->processors = map;
		if (layer->output_processors == 0)
			layer->output_processors = c->layout->tensors[i + 1].map;
	}
	return AI8X_OK;
}

ai8x_status placement_choose_maps(struct layout *layout, ai8x_error *error)
{
	struct chooser c = {.layout = layout, .error = error};
	ai8x_status status = AI8X_OK;
	c.nodes = calloc(layout->count, sizeof *c.nodes);
	if (c.nodes == NULL)
		return error_no_memory(error, "placement");
	for (size_t t = 0; t < layout->count; t++) {
		struct tensor *tensor = &layout->tensors[t];
		tensor->pattern = low_bits(tensor->thresh);
		c.nodes[t] = (struct node){.parent = t, .fixed = -1};
		for (size_t u = 0; u < tensor->use_count; u++)
			c.nodes[t].words += kernel_need(&layout->network->layers[tensor->uses[u].layer]);
	}
	input_pattern(&c);
	take_given(&c);
	for (size_t i = 0; i < layout->network->layer_count && status == AI8X_OK; i++)
		status = tie_layer(&c, i);
	if (status == AI8X_OK)
		status = place_components(&c);
	if (status == AI8X_OK)
		status = assign_layers(&c);
	free(c.nodes);
	return status;
}
