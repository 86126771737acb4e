// Holds the independent referee against every recorded layer of the golden programs.
//
// Each layer is computed from the recorded output of the layers before it, with the attributes the
// recording states and with weights and bias decoded here from the program's own bus writes (hardware
// reference 2, 2.1, 4.5, 4.8) by code that shares nothing with the simulator. Reports how many layers
// were compared and how many values differ.
//
//   test_golden_model [FOLDER or PROGRAM...]     default: the folder in AI8XSIM_GOLDEN
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "ops.h"

#define SKIPPED 77
#define PATH_BYTES 1024
#define LAYERS 128
#define REGISTERS 32
#define KERNEL_WORDS 5120
#define KERNEL_BYTES 9
#define BIAS_ENTRIES 2048

// Where a part's memories lie on the bus and which register has which number.
struct map {
	const char *part;
	uint32_t group_stride;
	uint32_t control;
	uint32_t layers, layer_stride, register_stride;
	uint32_t layer_count, register_count;
	uint32_t bias, bias_entries;
	uint32_t kernel, kernel_stride, kernel_words;
	uint32_t ring; // FMAX of layer 0
	unsigned oned, lctl2, post;
	unsigned first_mask, first_mask_low; // register and lowest bit of the first mask's position
	unsigned slots_low;                  // lowest bit of xpch_max in LCTL2
};

static const struct map maps[] = {
	{"MAX78000", 0x400000, 0x50100000, 0x50100010, 4, 0x80, 32, 21, 0x50108000, 512,
     0x50180000, 0x4000,   768,        0x50100910, 2, 20,   15, 12, 16,         8},
	{"MAX78002", 0x1000000, 0x51000000, 0x51100000, 0x100, 4,  128, 20, 0x51180000, 2048,
     0x51400000, 0x20000,   5120,       0x51108040, 3,     13, 19,  15, 0,          12},
};

// What a program wrote, as far as results depend on it.
struct machine {
	const struct map *map;
	uint32_t control[AI8X_GROUPS];
	uint32_t registers[AI8X_GROUPS][LAYERS][REGISTERS];
	uint32_t ring;
	int8_t bias[AI8X_GROUPS][BIAS_ENTRIES];
	uint8_t kernel[AI8X_PROCESSORS][KERNEL_WORDS][KERNEL_BYTES];
	uint8_t pending[AI8X_PROCESSORS][KERNEL_BYTES]; // plain loading: bytes that wait for the fourth word
	uint32_t word[AI8X_PROCESSORS];                 // packed loading: where the next bytes go
	uint32_t byte[AI8X_PROCESSORS];
};

struct totals {
	unsigned programs, layers, convolutions, wrong_layers, failed;
	unsigned long long values, wrong_values;
};

// --- bus writes ------------------------------------------------------------------------------------

static void plain_kernel_write(struct machine *m, unsigned processor, uint32_t offset, uint32_t value)
{
	uint8_t *pending = m->pending[processor];
	switch (offset & 15) {
	case 0:
		pending[0] = (uint8_t)value;
		break;
	case 4:
	case 8:
		for (unsigned i = 0; i < 4; i++)
			pending[((offset & 15) == 4 ? 1 : 5) + i] = (uint8_t)(value >> (24 - 8 * i));
		break;
	default:
		if (offset >> 4 < m->map->kernel_words)
			memcpy(m->kernel[processor][offset >> 4], pending, KERNEL_BYTES);
		break;
	}
}

static void packed_kernel_write(struct machine *m, unsigned processor, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++) {
		m->pending[processor][m->byte[processor]++] = (uint8_t)(value >> (24 - 8 * i));
		if (m->byte[processor] == KERNEL_BYTES) {
			if (m->word[processor] < m->map->kernel_words)
				memcpy(m->kernel[processor][m->word[processor]], m->pending[processor], KERNEL_BYTES);
			m->word[processor]++;
			m->byte[processor] = 0;
		}
	}
}

static void group_write(struct machine *m, unsigned group, uint32_t address, uint32_t value, bool byte_wide)
{
	const struct map *map = m->map;
	uint32_t kernel = address - map->kernel;
	if (kernel < 16 * map->kernel_stride) {
		unsigned processor = group * 16 + kernel / map->kernel_stride;
		uint32_t offset = kernel % map->kernel_stride;
		if (byte_wide) {
			m->word[processor] = offset >> 2;
			m->byte[processor] = 0;
		} else if ((m->control[group] >> 20 & 1) != 0) {
			packed_kernel_write(m, processor, value);
		} else {
			plain_kernel_write(m, processor, offset, value);
		}
		return;
	}
	uint32_t bias = (address - map->bias) / 4;
	if (address >= map->bias && bias < map->bias_entries) {
		m->bias[group][bias] = (int8_t)value;
	} else if (address == map->control) {
		m->control[group] = value;
	} else if (address == map->ring && group == 0) {
		m->ring = value;
	} else if (address >= map->layers) {
		uint32_t offset = address - map->layers;
		bool layer_major = map->layer_stride > map->register_stride;
		uint32_t outer = layer_major ? map->layer_stride : map->register_stride;
		uint32_t layer = layer_major ? offset / outer : offset % outer / 4;
		uint32_t number = layer_major ? offset % outer / 4 : offset / outer;
		if (layer < map->layer_count && number < map->register_count)
			m->registers[group][layer][number] = value;
	}
}

static void load(struct machine *m, const ai8x_program *program)
{
	size_t count;
	const ai8x_op *ops = ai8x_program_ops(program, &count);
	for (size_t i = 0; i < count; i++) {
		if (ops[i].kind != AI8X_BUS_WRITE32 && ops[i].kind != AI8X_BUS_WRITE8)
			continue;
		for (unsigned group = 0; group < AI8X_GROUPS; group++) {
			uint32_t base = group * m->map->group_stride;
			uint32_t first = m->map->control + base;
			uint32_t end = m->map->kernel + base + 16 * m->map->kernel_stride;
			if (ops[i].address >= first && ops[i].address < end)
				group_write(m, group, ops[i].address - base, ops[i].value, ops[i].kind == AI8X_BUS_WRITE8);
		}
	}
}

// --- attributes ------------------------------------------------------------------------------------

// A recorded layer with all that is needed to compute it.
struct layer {
	const ai8x_program *program;
	int position;
	const char *operator;
	golden_layer golden;
	golden_pair hardware_kernel;
	bool remapped;       // a dilated 1-D convolution that the hardware does as a 2-D one
	bool flatten_passes; // every pixel of the flattened image is a pass
	bool depthwise, broadcast, bypass, quad, calcx4;
	size_t channels, out_channels, pixels;
	size_t in_passes, in_channels_per_pass, out_channels_per_pass;
	uint64_t processors, out_processors;
	unsigned index; // register set
};

static int64_t integer(const struct layer *l, const char *name)
{
	return ai8x_program_int(l->program, l->position, name, 0);
}

static golden_pair pair(const struct layer *l, const char *name)
{
	const ai8x_attribute *attribute = ai8x_program_attribute(l->program, l->position, name);
	if (attribute == NULL || attribute->count != 2)
		return (golden_pair){1, 1};
	return (golden_pair){(unsigned)attribute->integers[0], (unsigned)attribute->integers[1]};
}

// Position of a word in a NULL-terminated list, or -1.
static int find(const char *word, const char *const *list)
{
	for (int i = 0; list[i] != NULL; i++)
		if (strcmp(word, list[i]) == 0)
			return i;
	return -1;
}

static const char *text(const struct layer *l, const char *name)
{
	return ai8x_program_text(l->program, l->position, name, "");
}

static bool has_feature(const ai8x_program *program, const char *feature)
{
	const char *features = ai8x_program_text(program, -1, "features", "");
	size_t length = strlen(feature);
	for (const char *at = features; (at = strstr(at, feature)) != NULL; at += length)
		if ((at == features || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

static bool describe(const struct machine *m, struct layer *l)
{
	static const char *const operators[] = {"passthrough",     "conv1d", "conv2d",
	                                        "convtranspose2d", "linear", NULL};
	static const char *const activations[] = {"none", "relu", "abs", NULL};
	l->operator= text(l, "operator");
	int operator= find(l->operator, operators);
	const golden_eltwise eltwise = golden_eltwise_named(text(l, "eltwise"));
	int activation = find(text(l, "activation"), activations);
	if (operator<0 ||(eltwise == NULL && strcmp(text(l, "eltwise"), "none") != 0) || activation < 0)
		return false;
	golden_pair dim = pair(l, "pooled_dim");
	l->pixels = (size_t)dim.rows * dim.columns;
	l->channels = (size_t)integer(l, "input_channels");
	l->out_channels = (size_t)integer(l, "output_channels");
	l->in_passes = (size_t)integer(l, "in_expand");
	l->in_channels_per_pass = (size_t)integer(l, "in_expand_thresh");
	l->out_channels_per_pass = (size_t)integer(l, "out_expand_thresh");
	l->processors = (uint64_t)integer(l, "processors");
	l->out_processors = (uint64_t)integer(l, "output_processors");
	l->index = (unsigned)integer(l, "hw_layer");
	l->hardware_kernel = pair(l, "hw_kernel_size");
	l->remapped = strcmp(l->operator, text(l, "hw_operator")) != 0;
	l->depthwise = integer(l, "groups") > 1;
	l->bypass = integer(l, "bypass") != 0;
	l->calcx4 = integer(l, "calcx4") != 0;
	l->quad = l->position == 0 && (m->control[0] >> 31 & 1) != 0;
	l->broadcast = l->depthwise && l->processors == l->out_processors;
	l->golden = (golden_layer){
		.eltwise = eltwise,
		.eltwise_first = integer(l, "pool_first") == 0,
		.pooling = {.window = pair(l, "pool"),
	                .stride = pair(l, "pool_stride"),
	                .dilation = pair(l, "pool_dilation"),
	                .average = integer(l, "pool_average") != 0,
	                .round = has_feature(l->program, "avg-pool-rounding")},
		.flatten = integer(l, "flatten") != 0,
		.convolution = {.kind = (golden_operator) operator,
	                    .kernel = pair(l, "kernel_size"),
	                    .padding = pair(l, "padding"),
	                    .dilation = pair(l, "dilation"),
	                    .groups = (unsigned)integer(l, "groups"),
	                    .out_channels = l->out_channels,
	                    .weight_bits = l->bypass ? 8 : (int)integer(l, "quantization")},
		.output = {.shift = (int)integer(l, "output_shift"),
	               .activation = (golden_activation)activation,
	               .wide = integer(l, "output_width") == 32},
	};
	l->flatten_passes = l->golden.flatten;
	return l->index < m->map->layer_count && l->in_channels_per_pass != 0 && l->out_channels_per_pass != 0 &&
	       l->processors != 0 && l->out_processors != 0;
}

// --- weights ---------------------------------------------------------------------------------------

// Number of the nth set bit.
static unsigned nth_bit(uint64_t map, size_t n)
{
	for (unsigned bit = 0; bit < 64; bit++)
		if ((map >> bit & 1) != 0 && n-- == 0)
			return bit;
	return 63;
}

static unsigned weight_width(uint32_t post)
{
	static const unsigned widths[] = {8, 1, 2, 4};
	return widths[post >> 22 & 3];
}

// Position of an output channel in the order in which the hardware computes them.
static size_t slot_of(const struct machine *m, const struct layer *l, size_t channel)
{
	const uint32_t *registers = m->registers[0][l->index];
	unsigned first = nth_bit(l->out_processors, 0) & ~3u;
	size_t per_pass =
		(registers[m->map->lctl2] >> m->map->slots_low & 0x1ff) / weight_width(registers[m->map->post]) + 1;
	size_t lane = nth_bit(l->out_processors, channel % l->out_channels_per_pass) - first;
	return channel / l->out_channels_per_pass * per_pass + lane;
}

// One weight: of output slot `slot`, processor, input pass and hardware tap.
static int weight_at(const struct machine *m, const struct layer *l, unsigned processor, size_t slot,
                     size_t pass, size_t passes, size_t tap)
{
	const uint32_t *registers = m->registers[0][l->index];
	unsigned width = weight_width(registers[m->map->post]);
	size_t taps = (size_t)l->hardware_kernel.rows * l->hardware_kernel.columns;
	size_t quarter = 0;
	if (l->quad) {
		processor = (unsigned)(slot % 4) * 16 + processor % 16;
		slot /= 4;
	} else if (l->calcx4) {
		quarter = slot % 4;
		slot /= 4;
	}
	size_t mask = l->depthwise ? pass : slot * passes + pass;
	size_t bit = (registers[m->map->first_mask] >> m->map->first_mask_low) + mask * width;
	size_t byte = (bit >> 3) * taps + (registers[m->map->oned] >> 4 & 15) + (taps - 1 - tap);
	size_t word = byte / KERNEL_BYTES + 1024 * quarter;
	if (word >= m->map->kernel_words)
		return 0;
	const unsigned stored = m->kernel[processor][word][8 - byte % KERNEL_BYTES];
	unsigned value = stored >> (bit & 7) & ((1u << width) - 1);
	if (width == 1 && (m->control[0] >> 30 & 1) != 0 && m->map == &maps[1])
		return value != 0 ? -1 : 1;
	return (value >> (width - 1)) != 0 ? (int)value - (1 << width) : (int)value;
}

// Hardware tap that holds tap (row, column) of the described kernel.
static size_t hardware_tap(const struct layer *l, size_t row, size_t column)
{
	if (l->remapped && l->golden.convolution.kind == GOLDEN_CONV1D)
		return (row + 3 - l->golden.convolution.kernel.rows) * 3 + 1; // the middle column, at its bottom
	return row * l->golden.convolution.dilation.rows * l->hardware_kernel.columns + column;
}

static int8_t *decode_weights(const struct machine *m, const struct layer *l)
{
	golden_pair kernel = l->golden.convolution.kernel;
	size_t pixels = l->flatten_passes ? l->pixels : 1;
	size_t fan = l->depthwise ? 1 : l->channels;
	size_t passes = l->in_passes * pixels;
	int8_t *weights = malloc(l->out_channels * fan * pixels * kernel.rows * kernel.columns);
	int8_t *next = weights;
	for (size_t o = 0; weights != NULL && o < l->out_channels; o++) {
		size_t slot = slot_of(m, l, o);
		for (size_t c = 0; c < fan; c++) {
			size_t channel = l->depthwise ? o : c;
			size_t pass = channel / l->in_channels_per_pass;
			unsigned processor = nth_bit(l->processors, channel % l->in_channels_per_pass);
			for (size_t pixel = 0; pixel < pixels; pixel++) {
				for (size_t tap = 0; tap < (size_t)kernel.rows * kernel.columns; tap++) {
					size_t hardware = hardware_tap(l, tap / kernel.columns, tap % kernel.columns);
					*next++ = l->bypass ? 1
					                    : (int8_t)weight_at(m, l, processor, slot,
					                                        pixel * l->in_passes + pass, passes, hardware);
				}
			}
		}
	}
	return weights;
}

// Entry of the bias memory for a depth-wise channel (hardware reference 4.8).
static size_t depthwise_bias(const struct layer *l, size_t start, size_t channel, unsigned *group)
{
	size_t pass = channel / l->in_channels_per_pass;
	unsigned processor = nth_bit(l->processors, channel % l->in_channels_per_pass);
	*group = processor / 16;
	if (l->broadcast)
		return start * 4 + pass * 16 + (processor % 4) * 4 + (processor % 16) / 4;
	unsigned first = nth_bit(l->processors, 0);
	unsigned last = 63;
	while ((l->processors >> last & 1) == 0)
		last--;
	size_t span = first / 16 == last / 16 ? last - first + 1 : *group == last / 16 ? last % 16 + 1 : 16;
	size_t skipped = *group == first / 16 ? first % 16 : 0;
	return start + pass * span + processor % 16 - skipped;
}

static int8_t *decode_bias(const struct machine *m, const struct layer *l)
{
	int8_t *bias = calloc(l->out_channels, 1);
	// A MAX78000 whose first layer streams reads that layer's bias one entry later.
	bool late = m->map == &maps[0] && l->index == 0 && (m->control[0] >> 14 & 1) != 0 && m->ring != 0;
	for (size_t o = 0; bias != NULL && o < l->out_channels; o++) {
		size_t slot = slot_of(m, l, o);
		for (unsigned group = 0; group < AI8X_GROUPS; group++) {
			uint32_t post = m->registers[group][l->index][m->map->post];
			if ((post >> 12 & 1) == 0)
				continue;
			size_t start = post & 0xfff;
			size_t entry = start + slot + late;
			unsigned from = group;
			if (l->depthwise) {
				entry = depthwise_bias(l, start, o, &from);
			} else if (l->quad) {
				from = (unsigned)(slot % 4);
				entry = start + slot / 4;
			} else if (l->calcx4) {
				entry = 4 * start + slot;
			}
			if (from == group && entry < m->map->bias_entries)
				bias[o] = (int8_t)(bias[o] + m->bias[group][entry]);
		}
	}
	return bias;
}

// --- comparison ------------------------------------------------------------------------------------

static const ai8x_program_layer *layer_numbered(const ai8x_program *program, int64_t number)
{
	for (size_t i = 0; i < ai8x_program_layer_count(program); i++) {
		const ai8x_program_layer *layer = ai8x_program_layer_at(program, i);
		if (layer->number == number)
			return layer;
	}
	return NULL;
}

// A view of a recorded tensor: borrowed data, not to be destroyed.
static golden_tensor borrow(const int32_t *data, const uint32_t shape[3])
{
	golden_tensor tensor = {.channels = shape[0], .rows = shape[1], .columns = shape[2]};
	memcpy(&tensor.data, &data, sizeof tensor.data);
	return tensor;
}

// All sources of a layer after one another, as one tensor.
static ai8x_status gather(const struct layer *l, golden_tensor *joined, ai8x_error *error)
{
	const ai8x_attribute *inputs = ai8x_program_attribute(l->program, l->position, "inputs");
	size_t count = inputs != NULL ? inputs->count : 1;
	golden_tensor parts[16];
	const golden_tensor *list[16];
	*joined = (golden_tensor){0};
	for (size_t i = 0; i < count; i++) {
		uint32_t shape[3];
		const int32_t *data = NULL;
		const ai8x_program_layer *source = NULL;
		if (inputs != NULL && inputs->integers[i] >= 0)
			source = layer_numbered(l->program, inputs->integers[i]);
		else if (inputs == NULL && l->position > 0)
			source = ai8x_program_layer_at(l->program, (size_t)l->position - 1);
		else
			data = ai8x_program_input(l->program, shape);
		if (source != NULL) {
			data = source->output;
			memcpy(shape, source->shape, sizeof shape);
		}
		if (data == NULL || count > 16) {
			error->status = AI8X_ERR_FORMAT;
			snprintf(error->message, sizeof error->message, "the recording lacks a source");
			return AI8X_ERR_FORMAT;
		}
		parts[i] = borrow(data, shape);
		list[i] = &parts[i];
	}
	return golden_concatenate(list, count, joined, error);
}

static ai8x_status compute(const struct machine *m, struct layer *l, golden_tensor *out, ai8x_error *error)
{
	golden_tensor joined;
	golden_tensor operands[16];
	const golden_tensor *list[16];
	*out = (golden_tensor){0};
	ai8x_status status = gather(l, &joined, error);
	if (status != AI8X_OK)
		return status;
	golden_pair dim = pair(l, "input_dim");
	size_t count = (size_t)integer(l, "operands");
	size_t per_operand = l->channels * dim.rows * dim.columns;
	if (count == 0 || count > 16 || golden_tensor_size(&joined) != count * per_operand) {
		golden_tensor_destroy(&joined);
		error->status = AI8X_ERR_FORMAT;
		snprintf(error->message, sizeof error->message, "sources have not the size the layer states");
		return AI8X_ERR_FORMAT;
	}
	for (size_t i = 0; i < count; i++) {
		operands[i] = (golden_tensor){l->channels, dim.rows, dim.columns, joined.data + i * per_operand};
		list[i] = &operands[i];
	}
	int8_t *weights = NULL;
	int8_t *bias = NULL;
	if (l->golden.convolution.kind != GOLDEN_PASSTHROUGH) {
		weights = decode_weights(m, l);
		bias = decode_bias(m, l);
		l->golden.convolution.weights = weights;
		l->golden.convolution.bias = bias;
	}
	status = golden_run_layer(list, count, &l->golden, out, error);
	free(bias);
	free(weights);
	golden_tensor_destroy(&joined);
	return status;
}

static void compare(const struct machine *m, const char *path, const ai8x_program *program, size_t position,
                    struct totals *totals)
{
	const ai8x_program_layer *recorded = ai8x_program_layer_at(program, position);
	struct layer layer = {.program = program, .position = (int)position};
	ai8x_error error = {0};
	golden_tensor out = {0};
	if (recorded->output == NULL || !describe(m, &layer)) {
		printf("# %s: layer %u cannot be compared: attributes or output are missing\n", path,
		       recorded->number);
		totals->failed++;
		return;
	}
	if (compute(m, &layer, &out, &error) != AI8X_OK) {
		printf("# %s: layer %u (%s): %s\n", path, recorded->number, layer.operator, error.message);
		totals->failed++;
		return;
	}
	totals->layers++;
	totals->convolutions += layer.golden.convolution.kind != GOLDEN_PASSTHROUGH;
	size_t size = (size_t)recorded->shape[0] * recorded->shape[1] * recorded->shape[2];
	size_t wrong = 0;
	size_t first = 0;
	if (golden_tensor_size(&out) != size || out.channels != recorded->shape[0]) {
		printf("# %s: layer %u (%s): %zu x %zu x %zu values, recorded are %u x %u x %u\n", path,
		       recorded->number, layer.operator, out.channels, out.rows, out.columns, recorded->shape[0],
		       recorded->shape[1], recorded->shape[2]);
		wrong = size;
	} else {
		for (size_t i = size; i-- > 0;) {
			if (out.data[i] != recorded->output[i]) {
				wrong++;
				first = i;
			}
		}
		if (wrong != 0) {
			printf("# %s: layer %u (%s): %zu of %zu values differ, first [%zu,%zu,%zu]: recorded %d, "
			       "computed %d\n",
			       path, recorded->number, layer.operator, wrong, size, first / (out.rows * out.columns),
			       first / out.columns % out.rows, first % out.columns, recorded->output[first],
			       out.data[first]);
		}
	}
	totals->values += size;
	totals->wrong_values += wrong;
	totals->wrong_layers += wrong != 0;
	golden_tensor_destroy(&out);
}

static void run_program(const char *path, struct totals *totals)
{
	ai8x_error error = {0};
	ai8x_program *program = NULL;
	struct machine *machine = calloc(1, sizeof *machine);
	totals->programs++;
	if (machine == NULL || ai8x_program_open(path, NULL, &program, &error) != AI8X_OK) {
		printf("# %s: %s\n", path, error.message);
		totals->failed++;
	} else {
		const char *part = ai8x_part_get_info(ai8x_program_part(program))->name;
		machine->map = &maps[strcmp(part, maps[0].part) == 0 ? 0 : 1];
		load(machine, program);
		for (size_t position = 0; position < ai8x_program_layer_count(program); position++)
			compare(machine, path, program, position, totals);
	}
	ai8x_program_destroy(program);
	free(machine);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_program(const char *name)
{
	size_t length = strlen(name);
	return length > 3 && strcmp(name + length - 3, ".h5") == 0;
}

// Every program of one folder, by name. False: no such folder.
static bool run_folder(const char *folder, struct totals *totals)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, by_name);
	for (int i = 0; i < count; i++) {
		char path[PATH_BYTES];
		int length = snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
		if (length > 0 && (size_t)length < sizeof path && is_program(path))
			run_program(path, totals);
		free(entries[i]);
	}
	free(entries);
	return count >= 0;
}

int main(int argc, char **argv)
{
	struct totals totals = {0};
	golden_use_one_thread();
	if (argc > 1) {
		for (int i = 1; i < argc; i++)
			if (is_program(argv[i]) || !run_folder(argv[i], &totals))
				run_program(argv[i], &totals);
	} else {
		const char *golden = getenv("AI8XSIM_GOLDEN");
		for (size_t i = 0; i < sizeof maps / sizeof maps[0] && golden != NULL; i++) {
			char folder[PATH_BYTES];
			snprintf(folder, sizeof folder, "%s/%s", golden, i == 0 ? "max78000" : "max78002");
			run_folder(folder, &totals);
		}
		if (totals.programs == 0) {
			printf("skipped: no golden programs in %s\n",
			       golden != NULL ? golden : "(AI8XSIM_GOLDEN is not set)");
			return SKIPPED;
		}
	}
	printf(
		"golden model: %u programs, %u layers compared (%u with weights), %u mismatching, %u not computed; "
		"%llu values, %llu differ\n",
		totals.programs, totals.layers, totals.convolutions, totals.wrong_layers, totals.failed,
		totals.values, totals.wrong_values);
	return totals.wrong_layers == 0 && totals.failed == 0 && totals.layers > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
