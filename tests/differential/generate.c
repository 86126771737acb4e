// Draws random networks: one to eight layers, every operator, width, pooling, join and way of feeding the input.
//
// Most of what is drawn has a meaning and fits the part; what the part cannot run the compiler has to refuse with a
// reason, so limits are not avoided with care. Sizes are skewed towards small ones: a hundred small networks meet more
// combinations than a large one, and failures in them are easier to read.
#include "trial.h"

#include <stdlib.h>
#include <string.h>

#include "draw.h"

enum { MAX_TENSORS = TRIAL_MAX_LAYERS + 1, TRIES = 24 };

// A network in the making. Tensor 0 is its input, tensor i + 1 the result of layer i.
struct maker {
	struct draw draw;
	struct trial *trial;
	ai8x_network *network;
	ai8x_network_layer blank;
	bool second; // the part is the MAX78002
	bool binary; // one-bit weights are -1 and +1
	bool fifo;
	unsigned streams;               // layers that stream
	uint64_t budget;                // multiplications left
	uint32_t shape[MAX_TENSORS][3]; // channels, rows, columns
	uint32_t fan[TRIAL_MAX_LAYERS];
	bool readable[MAX_TENSORS];
	bool offset_given;
};

// What a layer receives: per operand.
struct source {
	uint32_t channels, rows, columns;
};

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

// --- The network's input --------------------------------------------------------------------------------

static struct source draw_input(struct maker *m)
{
	struct draw *d = &m->draw;
	struct source in;
	bool line = draw_chance(d, 25);
	bool wide = !m->fifo && draw_chance(d, 18);
	if (line) {
		in.rows = draw_chance(d, 4) ? draw_between(d, 200, 1023) : draw_size(d, 1, 120);
		in.columns = 1;
	} else if (m->streams > 0) {
		in.rows = draw_between(d, 4, 40);
		in.columns = draw_between(d, 4, 40);
	} else if (draw_chance(d, 6)) {
		in.rows = in.columns = 1;
	} else {
		in.rows = draw_size(d, 1, wide ? 12 : 48);
		in.columns = draw_chance(d, 40) ? in.rows : draw_size(d, 1, wide ? 12 : 48);
	}
	in.channels = wide ? draw_between(d, 65, draw_chance(d, 10) ? 1024 : 300) : draw_size(d, 1, 64);
	if (wide && draw_chance(d, 50))
		in.channels = in.channels / 64 * 64;
	return in;
}

// Any of those that have a name.
static ai8x_eltwise draw_eltwise(struct draw *d)
{
	uint32_t count = 0;
	while (ai8x_eltwise_name((ai8x_eltwise)count)[0] != '?')
		count++;
	return (ai8x_eltwise)draw_between(d, 0, count - 1);
}

static struct source first_source(struct maker *m, ai8x_network_layer *layer)
{
	struct draw *d = &m->draw;
	struct source in = draw_input(m);
	ai8x_network_feed feed = m->trial->options.feed;
	if (m->fifo) {
		layer->chw = draw_chance(d, 30);
		uint32_t most = layer->chw ? 4 : 16;
		if (feed == AI8X_FEED_FAST_FIFO || feed == AI8X_FEED_FAST_FIFO_QUAD)
			most = layer->chw ? 1 : 4;
		in.channels = draw_between(d, 1, most);
	} else if (draw_chance(d, 12)) {
		layer->chw = true;
		in.channels = draw_between(d, 1, 16);
	} else if (draw_chance(d, 15)) {
		layer->operands = draw_size(d, 2, 16);
		layer->eltwise = draw_eltwise(d);
	}
	layer->in_channels = in.channels;
	layer->in_rows = in.rows;
	layer->in_columns = in.columns;
	if (!m->fifo && draw_chance(d, 4))
		layer->first_channel = draw_between(d, 1, 9);
	if (!m->fifo && !layer->chw && draw_chance(d, 4)) {
		layer->crop_first = draw_between(d, 0, 3);
		layer->crop_last = draw_between(d, 0, 3);
	}
	return in;
}

// --- Sources of later layers ----------------------------------------------------------------------------

static bool usable(const struct maker *m, size_t tensor)
{
	return m->readable[tensor];
}

static bool same_image(const struct maker *m, size_t a, size_t b)
{
	return m->shape[a][1] == m->shape[b][1] && m->shape[a][2] == m->shape[b][2];
}

// Which tensors may be joined with another one.
typedef bool (*fits_fn)(const struct maker *m, size_t a, size_t b);

static bool fits_eltwise(const struct maker *m, size_t a, size_t b)
{
	return same_image(m, a, b) && m->shape[a][0] == m->shape[b][0];
}

static bool fits_channels(const struct maker *m, size_t a, size_t b)
{
	return same_image(m, a, b) && m->shape[a][0] + m->shape[b][0] <= 320;
}

static bool fits_pixels(const struct maker *m, size_t a, size_t b)
{
	return m->shape[a][0] == m->shape[b][0] &&
	       (m->shape[a][2] == m->shape[b][2] || (uint64_t)m->shape[b][1] * m->shape[b][2] < 512);
}

// Sources that fit the latest result, that one among them, in any order. Fewer than two: there is no join.
static unsigned draw_sources(struct maker *m, size_t i, fits_fn fits, unsigned most, int *sources)
{
	struct draw *d = &m->draw;
	unsigned count = 0;
	bool again = draw_chance(d, 3);
	sources[count++] = (int)i - 1;
	for (unsigned tries = 0; tries < 3 * most && count < most; tries++) {
		size_t t = draw_between(d, 0, (uint32_t)i);
		bool known = false;
		for (unsigned k = 0; k < count; k++)
			known = known || sources[k] == (int)t - 1;
		if (usable(m, t) && fits(m, i, t) && (!known || again))
			sources[count++] = (int)t - 1;
	}
	for (unsigned k = count - 1; k > 0; k--) {
		unsigned other = draw_between(d, 0, k);
		int kept = sources[k];
		sources[k] = sources[other];
		sources[other] = kept;
	}
	return count;
}

static struct source tensor_source(const struct maker *m, size_t t)
{
	return (struct source){m->shape[t][0], m->shape[t][1], m->shape[t][2]};
}

enum join {
	JOIN_NONE,
	JOIN_OLDER,
	JOIN_ELTWISE,
	JOIN_CHANNELS,
	JOIN_PIXELS,
	JOIN_PASSES,
	JOIN_PART,
	JOIN_RESHAPE
};

static void join_pixels(struct maker *m, ai8x_network_layer *layer, struct source *in)
{
	uint32_t pixels = 0;
	bool columns = true;
	for (unsigned k = 0; k < layer->source_count; k++) {
		const uint32_t *shape = m->shape[layer->sources[k] + 1];
		pixels += shape[1] * shape[2];
		columns = columns && shape[2] == in->columns;
	}
	in->columns = columns ? in->columns : 1;
	in->rows = pixels / in->columns;
	layer->in_rows = in->rows;
	layer->in_columns = in->columns;
}

static void reshape(struct maker *m, ai8x_network_layer *layer, struct source *in)
{
	uint32_t pixels = in->rows * in->columns;
	uint32_t columns = draw_between(&m->draw, 1, smaller(pixels, 16));
	while (pixels % columns != 0)
		columns--;
	in->columns = layer->in_columns = columns;
	in->rows = layer->in_rows = pixels / columns;
}

static struct source later_source(struct maker *m, size_t i, ai8x_network_layer *layer)
{
	static const uint8_t weights[] = {50, 6, 24, 13, 4, 2, 3, 3};
	struct draw *d = &m->draw;
	struct source in = tensor_source(m, i);
	enum join join = (enum join)draw_weighted(d, weights, sizeof weights);
	if (i <= m->streams && m->streams > 0 && !m->trial->options.ignore_streaming)
		join = JOIN_NONE; // only the stream itself can be read
	if (!usable(m, i))
		join = JOIN_OLDER;
	unsigned count = 0;
	size_t t = draw_between(d, 0, (uint32_t)i);
	switch (join) {
	case JOIN_OLDER:
		if (!usable(m, t))
			break;
		in = tensor_source(m, t);
		layer->sources[0] = (int)t - 1;
		layer->source_count = 1;
		break;
	case JOIN_ELTWISE:
		count = draw_sources(m, i, fits_eltwise, draw_size(d, 2, draw_chance(d, 5) ? 16 : 4), layer->sources);
		if (count < 2)
			break;
		layer->source_count = layer->operands = count;
		layer->eltwise = draw_eltwise(d);
		break;
	case JOIN_CHANNELS:
		count = draw_sources(m, i, fits_channels, draw_between(d, 2, 4), layer->sources);
		if (count < 2)
			break;
		layer->source_count = count;
		in.channels = 0;
		for (unsigned k = 0; k < count; k++)
			in.channels += m->shape[layer->sources[k] + 1][0];
		break;
	case JOIN_PIXELS:
		count = draw_sources(m, i, fits_pixels, draw_between(d, 2, 3), layer->sources);
		if (count < 2)
			break;
		layer->source_count = count;
		in = tensor_source(m, (size_t)(layer->sources[0] + 1));
		join_pixels(m, layer, &in);
		break;
	case JOIN_PASSES:
		if (in.channels <= 64 || in.channels % 64 != 0)
			break;
		layer->operands = in.channels / 64;
		layer->eltwise = draw_eltwise(d);
		in.channels = 64;
		break;
	case JOIN_PART:
		layer->first_channel = draw_between(d, 0, in.channels - 1);
		layer->in_channels = draw_between(d, 1, in.channels - layer->first_channel);
		if (draw_chance(d, 50)) {
			layer->first_channel = layer->in_channels = 0;
			layer->crop_first = draw_between(d, 0, in.rows / 2);
			layer->crop_last = draw_between(d, 0, in.rows / 4);
			in.rows = in.rows > layer->crop_first + layer->crop_last
			              ? in.rows - layer->crop_first - layer->crop_last
			              : 1;
		} else {
			in.channels = layer->in_channels;
		}
		break;
	case JOIN_RESHAPE:
		reshape(m, layer, &in);
		break;
	case JOIN_NONE:
		break;
	}
	if (count < 2 && layer->source_count == 0)
		memset(layer->sources, 0, sizeof layer->sources);
	return in;
}

// --- What a layer does ----------------------------------------------------------------------------------

enum kind { KIND_CONV3, KIND_CONV1, KIND_LINE, KIND_TRANSPOSED, KIND_PASS, KIND_LINEAR };

static enum kind draw_kind(struct maker *m, size_t i, const ai8x_network_layer *layer,
                           const struct source *in)
{
	static const uint8_t image[] = {38, 16, 3, 9, 16, 10};
	static const uint8_t line[] = {5, 8, 60, 2, 15, 10};
	static const uint8_t point[] = {10, 20, 5, 5, 12, 48};
	static const uint8_t stream[] = {60, 15, 0, 8, 8, 0};
	static const uint8_t stream_line[] = {10, 6, 60, 2, 8, 0};
	const uint8_t *weights = in->columns > 1 ? image : in->rows > 1 ? line : point;
	if (i < m->streams)
		weights = in->columns > 1 ? stream : stream_line;
	enum kind kind = (enum kind)draw_weighted(&m->draw, weights, 6);
	if (layer->operands > 1 && kind == KIND_LINE)
		kind = KIND_PASS;
	if (kind == KIND_LINEAR && in->rows * in->columns > 256 && !draw_chance(&m->draw, 5))
		kind = KIND_CONV1;
	return kind;
}

static void draw_pooling(struct maker *m, ai8x_network_layer *layer, const struct source *in)
{
	struct draw *d = &m->draw;
	uint32_t most = draw_chance(d, 12) ? 16 : 4;
	bool line = layer->operation == AI8X_OP_CONV1D || in->columns == 1;
	layer->pooling = draw_chance(d, 50) ? AI8X_POOL_MAX : AI8X_POOL_AVERAGE;
	layer->pool_rows = draw_between(d, 1, smaller(most, in->rows));
	layer->pool_columns = line                 ? 1
	                      : draw_chance(d, 60) ? layer->pool_rows
	                                           : draw_between(d, 1, smaller(most, in->columns));
	layer->pool_stride = draw_chance(d, 50) ? layer->pool_rows : draw_between(d, 1, most);
	if ((m->second && draw_chance(d, 14)) || draw_chance(d, 1)) {
		layer->pool_dilation_rows = draw_between(d, 1, 5);
		layer->pool_dilation_columns = line ? 1 : draw_between(d, 1, 5);
	}
	if (layer->pool_rows == 1 && layer->pool_columns == 1)
		layer->pooling = AI8X_POOL_NONE;
	if (layer->pooling == AI8X_POOL_NONE)
		layer->pool_dilation_rows = layer->pool_dilation_columns = 1;
	if (layer->operands > 1 && layer->pooling != AI8X_POOL_NONE)
		layer->pool_first = draw_chance(d, layer->operands == 2 ? 40 : 90);
}

static void set_kernel(ai8x_network_layer *layer, uint32_t rows, uint32_t columns, uint32_t pad)
{
	layer->kernel_rows = rows;
	layer->kernel_columns = columns;
	layer->pad_rows = pad;
	layer->pad_columns = columns > 1 ? pad : 0;
}

static void draw_line_kernel(struct maker *m, ai8x_network_layer *layer)
{
	struct draw *d = &m->draw;
	uint32_t length = draw_between(d, 1, 9);
	layer->operation = AI8X_OP_CONV1D;
	if (length > 1 && draw_chance(d, 35)) {
		layer->dilation = draw_size(d, 2, draw_chance(d, 20) ? 64 : 12);
		length = draw_chance(d, 60) ? draw_between(d, 2, 3) : length;
	}
	set_kernel(layer, length, 1, length > 1 ? draw_between(d, 0, smaller(2, length - 1)) : 0);
	if (layer->dilation > 1 && draw_chance(d, 60))
		layer->pad_rows = 0;
}

static void draw_kernel(struct maker *m, size_t i, ai8x_network_layer *layer, enum kind kind,
                        const struct source *in)
{
	static const uint8_t pads[] = {25, 60, 15};
	struct draw *d = &m->draw;
	uint32_t pad = draw_weighted(d, pads, 3);
	set_kernel(layer, 1, 1, 0);
	switch (kind) {
	case KIND_CONV3:
		set_kernel(layer, 3, 3, i < m->streams && pad == 0 && draw_chance(d, 80) ? 1 : pad);
		if (draw_chance(d, 3))
			layer->pad_columns = draw_between(d, 0, 2);
		break;
	case KIND_CONV1:
		layer->flatten =
			i >= m->streams && layer->operands == 1 && in->rows * in->columns <= 64 && draw_chance(d, 10);
		break;
	case KIND_LINE:
		draw_line_kernel(m, layer);
		break;
	case KIND_TRANSPOSED:
		layer->operation = AI8X_OP_CONVT2D;
		set_kernel(layer, 3, 3, pad);
		layer->output_padding = 1;
		break;
	case KIND_PASS:
		layer->operation = AI8X_OP_PASSTHROUGH;
		break;
	case KIND_LINEAR:
		layer->operation = AI8X_OP_LINEAR;
		layer->flatten = in->rows * in->columns > 1;
		break;
	}
}

static void draw_channels(struct maker *m, size_t i, ai8x_network_layer *layer, const struct source *in)
{
	struct draw *d = &m->draw;
	if (layer->operation == AI8X_OP_PASSTHROUGH)
		return;
	if (!layer->flatten && in->channels > 1 && draw_chance(d, m->second ? 14 : 1)) {
		layer->groups = layer->out_channels = in->channels;
		return;
	}
	layer->out_channels = draw_size(d, 1, 64);
	if (draw_chance(d, 35)) // joins need equals
		layer->out_channels = i == 0 ? in->channels : m->shape[draw_between(d, 0, (uint32_t)i)][0];
	else if (draw_chance(d, 10))
		layer->out_channels = draw_between(d, 65, draw_chance(d, 10) ? 1024 : 260);
	if (m->second && draw_chance(d, 12)) {
		layer->calcx4 = true;
		layer->out_channels = (layer->out_channels + 3) & ~3u;
	}
}

static void draw_arithmetic(struct maker *m, size_t i, size_t layers, ai8x_network_layer *layer)
{
	static const uint8_t widths[] = {50, 18, 16, 16};
	static const int bits[] = {8, 4, 2, 1};
	struct draw *d = &m->draw;
	layer->output = draw_chance(d, 10);
	if (layer->operation == AI8X_OP_PASSTHROUGH) {
		layer->bias_wanted = false;
		return;
	}
	layer->weight_bits = bits[draw_weighted(d, widths, 4)];
	if (layer->weight_bits == 1 && m->binary)
		layer->weight_bits = -1;
	layer->activation = (ai8x_activation)draw_between(d, 0, 2);
	layer->bias_wanted = draw_chance(d, 75);
	if (draw_chance(d, 8))
		layer->bias_groups = (uint8_t)draw_between(d, 1, 15);
	if (draw_chance(d, 30)) {
		layer->shift_given = true;
		layer->output_shift = (int32_t)draw_between(d, 0, 30) - 15;
		if (draw_chance(d, 70))
			layer->output_shift = (int32_t)draw_between(d, 0, 10) - 8;
	}
	if ((i + 1 == layers && draw_chance(d, 25)) || draw_chance(d, 1)) {
		layer->output_bits = 32;
		layer->activation = AI8X_ACTIVATE_NONE;
	}
	if (m->second && !layer->calcx4 && !layer->flatten && draw_chance(d, 4)) {
		layer->bypass = true;
		layer->weight_bits = 8;
		layer->output_shift = draw_chance(d, 70) ? 7 : (int32_t)draw_between(d, 0, 14) - 5;
		layer->shift_given = true;
	}
}

// The weights of an earlier layer once more.
static void draw_shared_weights(struct maker *m, size_t i, ai8x_network_layer *layer)
{
	size_t j = draw_between(&m->draw, 0, (uint32_t)i);
	const ai8x_network_layer *other = &m->network->layers[j];
	if (j == i || layer->bypass || other->bypass || other->weight_source >= 0 ||
	    other->operation != layer->operation || layer->operation == AI8X_OP_PASSTHROUGH ||
	    other->flatten != layer->flatten || other->groups != layer->groups)
		return;
	layer->weight_source = (int)j;
	layer->kernel_rows = other->kernel_rows;
	layer->kernel_columns = other->kernel_columns;
	layer->pad_rows = smaller(layer->pad_rows, layer->kernel_rows - 1);
	layer->pad_columns = smaller(layer->pad_columns, layer->kernel_columns - 1);
	layer->dilation = other->dilation;
	layer->weight_bits = other->weight_bits;
	layer->out_channels = other->out_channels;
	layer->bias_wanted = other->bias_wanted;
}

// --- Where it lies --------------------------------------------------------------------------------------

// Processors that one pass of the channels needs.
static uint32_t processor_count(uint32_t channels)
{
	uint32_t passes = (channels + 63) / 64;
	uint32_t count = (channels + passes - 1) / passes;
	return passes > 1 ? (count + 3) & ~3u : count;
}

// A map without holes that starts at an instance.
static uint64_t draw_run(struct draw *d, uint32_t channels)
{
	uint32_t count = processor_count(channels);
	return count >= 64 ? UINT64_MAX : ((UINT64_C(1) << count) - 1) << (draw_between(d, 0, 64 - count) & ~3u);
}

// A map with as many processors as one pass of the channels needs, with or without holes.
static uint64_t draw_map(struct draw *d, uint32_t channels)
{
	uint32_t count = processor_count(channels);
	uint64_t map = count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
	if (count >= 64)
		return map;
	if (draw_chance(d, 40))
		return map << (draw_between(d, 0, 64 - count) & (draw_chance(d, 70) ? ~3u : ~0u));
	map = 0;
	uint32_t span =
		draw_chance(d, 50) ? draw_between(d, count, smaller(2 * count, 64)) : draw_between(d, count, 64);
	for (uint32_t left = count; left > 0;) {
		uint64_t bit = UINT64_C(1) << draw_between(d, 0, span - 1);
		left -= (map & bit) == 0;
		map |= bit;
	}
	return map << draw_between(d, 0, 64 - span);
}

static void draw_placement(struct maker *m, size_t i, size_t layers, ai8x_network_layer *layer,
                           const struct source *in)
{
	struct draw *d = &m->draw;
	bool alone = layers == 1;
	if (i == 0 && !m->fifo && !layer->chw && draw_chance(d, 25)) {
		layer->processors = draw_map(d, in->channels);
		// With every map given nothing is chosen, offsets neither.
		if (alone) {
			uint32_t words = (in->rows + layer->crop_first + layer->crop_last) * in->columns *
			                 layer->operands * ((in->channels + 63) / 64);
			layer->in_offset = 0;
			layer->out_offset = 4 * (int64_t)(words + draw_between(d, 64, 600));
		}
	}
	if (layer->operation != AI8X_OP_PASSTHROUGH && draw_chance(d, alone && layer->processors != 0 ? 70 : 20))
		layer->output_processors = layer->groups > 1 && !draw_chance(d, 10)
		                               ? draw_run(d, layer->out_channels)
		                               : draw_map(d, layer->out_channels);
	if (!m->offset_given && !alone && draw_chance(d, 4)) {
		m->offset_given = true;
		layer->out_offset = 4 * (int64_t)draw_between(d, 0, 5000);
	}
	// After the last layer nobody minds; before others it is for the compiler to see that they can read it.
	if (draw_chance(d, i + 1 == layers ? 12 : 2)) {
		layer->write_gap_given = true;
		layer->write_gap = draw_size(d, 1, i + 1 == layers ? 17 : 3);
	}
	if ((m->second && draw_chance(d, 8)) || draw_chance(d, 1))
		layer->read_ahead = true;
	if (m->second && draw_chance(d, 5))
		layer->tcalc = (int)draw_between(d, 0, 1);
}

// --- Layers and networks --------------------------------------------------------------------------------

// Takes the layer drawn last: its shape, and what it costs. False: it makes no sense or costs too much.
static bool take_layer(struct maker *m, size_t i)
{
	ai8x_network *copy = NULL;
	m->network->layer_count = i + 1;
	bool taken = false;
	if (ai8x_network_copy(m->network, &copy, NULL) == AI8X_OK &&
	    ai8x_network_resolve(copy, NULL) == AI8X_OK) {
		const ai8x_network_layer *layer = &copy->layers[i];
		uint64_t pixels = (uint64_t)layer->out_rows * layer->out_columns;
		uint64_t taps = (uint64_t)layer->kernel_rows * layer->kernel_columns;
		uint64_t cost = pixels * layer->out_channels * (layer->in_channels + 32) * taps +
		                64 * (uint64_t)layer->in_rows * layer->in_columns * layer->operands;
		uint32_t shared = layer->weight_source >= 0 ? m->fan[layer->weight_source] : layer->fan_channels;
		taken = cost <= m->budget && shared == layer->fan_channels;
		if (taken) {
			m->budget -= cost;
			m->fan[i] = layer->fan_channels;
			m->shape[i + 1][0] = layer->out_channels;
			m->shape[i + 1][1] = layer->out_rows;
			m->shape[i + 1][2] = layer->out_columns;
			m->readable[i + 1] = layer->output_bits == 8;
			memcpy(m->shape[0], copy->input_shape, sizeof m->shape[0]);
			m->shape[0][0] /= copy->layers[0].operands;
		}
	}
	ai8x_network_destroy(copy);
	return taken;
}

static void draw_layer(struct maker *m, size_t i, size_t layers)
{
	struct draw *d = &m->draw;
	ai8x_network_layer *layer = &m->network->layers[i];
	*layer = m->blank;
	layer->number = (unsigned)i;
	struct source in = i == 0 ? first_source(m, layer) : later_source(m, i, layer);
	enum kind kind = draw_kind(m, i, layer, &in);
	draw_kernel(m, i, layer, kind, &in);
	layer->streaming = i < m->streams;
	if (!layer->flatten && draw_chance(d, kind == KIND_PASS ? 65 : 28))
		draw_pooling(m, layer, &in);
	else if (!layer->flatten && draw_chance(d, 5))
		layer->pool_stride = draw_between(d, 1, 4);
	draw_channels(m, i, layer, &in);
	draw_arithmetic(m, i, layers, layer);
	if (i > 0 && draw_chance(d, 15))
		draw_shared_weights(m, i, layer);
	draw_placement(m, i, layers, layer, &in);
}

static void draw_options(struct maker *m)
{
	struct draw *d = &m->draw;
	struct trial *trial = m->trial;
	uint32_t feed = draw_between(d, 0, 99);
	trial->options = ai8x_compile_options_default();
	if (feed < 8)
		trial->options.feed = AI8X_FEED_FIFO;
	else if (feed < 11)
		trial->options.feed = AI8X_FEED_FAST_FIFO;
	else if (feed < 15)
		trial->options.feed = AI8X_FEED_FAST_FIFO_QUAD;
	else if (feed < 28)
		m->streams = draw_between(d, 1, 5);
	m->fifo = feed < 28;
	trial->options.ignore_streaming = m->streams > 0 && draw_chance(d, 8);
	trial->options.kernel_load = draw_chance(d, 20) ? AI8X_KERNELS_PLAIN : AI8X_KERNELS_PACKED;
	trial->options.pipeline = !draw_chance(d, 15);
	trial->options.write_zero_registers = draw_chance(d, 10);
	trial->options.first_words_first = draw_chance(d, 20);
	trial->options.link_layers = m->second && draw_chance(d, 15);
	trial->pace = m->fifo && draw_chance(d, 50) ? draw_between(d, 1, 60) : 0;
	trial->values = draw_chance(d, 70) ? VALUES_UNIFORM : draw_chance(d, 50) ? VALUES_EXTREME : VALUES_SMALL;
	m->binary = m->second && draw_chance(d, 30);
	m->budget = draw_chance(d, 3) ? 6000000 : 1500000;
}

ai8x_status trial_draw(uint64_t number, unsigned attempt, const ai8x_part *part, struct trial *trial,
                       ai8x_error *error)
{
	static const uint8_t counts[TRIAL_MAX_LAYERS] = {30, 18, 14, 12, 8, 7, 6, 5};
	bool second = strcmp(ai8x_part_get_info(part)->name, "MAX78002") == 0;
	struct maker m = {.draw = draw_seed(number, attempt, second), .trial = trial, .second = second};
	*trial = (struct trial){.number = number, .part = part, .attempt = attempt};
	char name[32];
	(void)snprintf(name, sizeof name, "random%llu", (unsigned long long)number);
	ai8x_status status = ai8x_network_create(name, TRIAL_MAX_LAYERS, &m.network, error);
	if (status != AI8X_OK)
		return status;
	m.blank = m.network->layers[0];
	m.readable[0] = true;
	draw_options(&m);
	m.network->average_rounding = draw_chance(&m.draw, 30);
	size_t layers = 1 + draw_weighted(&m.draw, counts, TRIAL_MAX_LAYERS);
	m.streams = smaller(m.streams, (uint32_t)layers);
	size_t taken = 0;
	for (unsigned tries = 0; taken < layers && tries < TRIES * layers; tries++) {
		bool offset_given = m.offset_given;
		draw_layer(&m, taken, layers);
		if (take_layer(&m, taken))
			taken++;
		else
			m.offset_given = offset_given;
	}
	// Whatever was not taken is blank again: the network is complete with the layers it has.
	m.network->layer_count = taken > 0 ? taken : 1;
	if (taken == 1 && layers > 1)
		m.network->layers[0].processors = 0; // given without offsets
	trial->network = m.network;
	return AI8X_OK;
}

void trial_release(struct trial *trial)
{
	ai8x_network_destroy(trial->network);
	trial->network = NULL;
}

ai8x_status trial_copy(const struct trial *trial, struct trial *copy, ai8x_error *error)
{
	*copy = *trial;
	return ai8x_network_copy(trial->network, &copy->network, error);
}
