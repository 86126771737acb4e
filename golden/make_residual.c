// Writes the small program that ships with the project: a residual block of two layers for the MAX78000.
//
//   make_residual residual2-max78000.h5
//
// Layer 0 is a 3x3 convolution of the input, layer 1 pools input and layer 0's output, adds them and
// convolves the sum. Weights, bias and input come from a seeded generator, the expected values from the
// referee's operators, and the registers from the few lines below, each of which names its section of
// the hardware reference: nothing here uses the simulator or the compiler.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ai8xsim/ai8xsim.h>

#include "ops.h"

#define SIDE 16
#define POOLED 8
#define CHANNELS 8
#define OUT_CHANNELS 12
#define TAPS 9

// Bus addresses of group 0 (hardware reference 2).
#define BUS_AON 0x50001000u
#define BUS_CTL 0x50100000u
#define BUS_SRAM 0x50100004u
#define BUS_LCNT_MAX 0x50100008u
#define BUS_LAYER 0x50100010u
#define BUS_BIAS 0x50108000u
#define BUS_KERNEL 0x50180000u
#define BUS_DATA 0x50400000u

// Words of a data memory instance. Input and layer 0's output interleave as the operands of layer 1, so the
// host writes the input twice: once dense for layer 0, once with a gap for layer 1 (4.2, 4.8).
#define INPUT_WORD 0x0
#define OPERANDS_WORD 0x800
#define OUTPUT_WORD 0x1000

// Where the kernels of layer 1 begin, and its bias (4.5).
#define SECOND_KERNEL CHANNELS
#define SECOND_BIAS CHANNELS

// Layer registers (register list).
enum layer_register {
	REG_RCNT = 0,
	REG_CCNT = 1,
	REG_ONED = 2,
	REG_PRCNT = 3,
	REG_PCCNT = 4,
	REG_STRIDE = 5,
	REG_WPTR_BASE = 6,
	REG_WPTR_MOFFS = 8,
	REG_RPTR_BASE = 10,
	REG_LCTL = 11,
	REG_MCNT = 12,
	REG_TPTR = 13,
	REG_ENA = 14,
	REG_POST = 15,
	REG_LCTL2 = 20,
};

struct layer_value {
	unsigned layer;
	enum layer_register number;
	uint32_t value;
};

// Both layers use the 8-bit range without much clipping.
#define SHIFT_0 (-2)
#define SHIFT_1 (-2)
#define POST_SHIFT_RIGHT(bits) (1u << 17 | (uint32_t)(bits) << 13)
#define POST_BIAS(entry) (1u << 12 | (uint32_t)(entry))

static const struct layer_value registers[] = {
	// 16 + 2 * pad - 1 rows and columns, pad 1 (4.1)
	{0, REG_RCNT, 1u << 16 | (SIDE + 1)},
	{0, REG_CCNT, 1u << 16 | (SIDE + 1)},
	// every second word after the first operand's (4.8)
	{0, REG_WPTR_BASE, OPERANDS_WORD + 1},
	{0, REG_WPTR_MOFFS, 1u << 13},
	// write bus, ReLU, maximum (no pooling), sum of all processors
	{0, REG_LCTL, 1u << 11 | 1u << 9 | 1u << 8 | 1u << 5},
	// last output processor, write gap 1
	{0, REG_LCTL2, (CHANNELS - 1) * 8 << 8 | 1u << 4},
	{0, REG_MCNT, (CHANNELS - 1) * 8},
	{0, REG_TPTR, SIDE + 2 - 3},
	{0, REG_POST, POST_SHIFT_RIGHT(-SHIFT_0) | POST_BIAS(0)},
	{0, REG_ENA, 0xff00ff},

	{1, REG_RCNT, 1u << 16 | (SIDE + 1)},
	{1, REG_CCNT, 1u << 16 | (SIDE + 1)},
	// two operands, added, pooled before, convolved after (4.4)
	{1, REG_ONED, 1u << 18 | 1u << 17 | 1u << 16 | 1u << 14 | 1u << 13},
	// 2 x 2 windows, 2 apart (4.3)
	{1, REG_PRCNT, 1},
	{1, REG_PCCNT, 1},
	{1, REG_STRIDE, 1},
	{1, REG_WPTR_BASE, OUTPUT_WORD},
	{1, REG_WPTR_MOFFS, 1u << 13},
	{1, REG_RPTR_BASE, OPERANDS_WORD},
	// write bus, maximum, pooling, sum of all processors
	{1, REG_LCTL, 1u << 11 | 1u << 8 | 1u << 7 | 1u << 5},
	{1, REG_LCTL2, (OUT_CHANNELS - 1) * 8 << 8},
	{1, REG_MCNT, (uint32_t)SECOND_KERNEL * 8 << 16 | (SECOND_KERNEL + OUT_CHANNELS - 1) * 8},
	{1, REG_TPTR, POOLED + 2 - 3},
	{1, REG_POST, POST_SHIFT_RIGHT(-SHIFT_1) | POST_BIAS(SECOND_BIAS)},
	{1, REG_ENA, 0xff00ff},
};

// Cycles by hardware reference 6, spelled out for these two layers: 3x3 kernels, pad 1, square images.
static int64_t layer_cycles(int64_t operands, int64_t side, int64_t reads, int64_t out_channels)
{
	int64_t pad = 2 * operands;
	int64_t data = operands * (reads + 1);
	int64_t edge = 2 * (pad + 1);
	int64_t top = edge + side * (pad + 1);
	int64_t before = edge + side * (data + 1);
	int64_t row = (pad + 1) + (data + 1) + (side - 1) * data + pad;
	int64_t bottom = (pad + 1) + (pad + 1) + (side - 1) * pad + pad;
	int64_t out = side * out_channels;
	return top + before + (row + out) * (side - 1) + bottom + out;
}

struct maker {
	ai8x_program *program;
	ai8x_status status; // the first error; later calls do nothing
	ai8x_error error;
	uint64_t seed;
	int8_t weights_0[CHANNELS * CHANNELS * TAPS];
	int8_t weights_1[OUT_CHANNELS * CHANNELS * TAPS];
	int8_t bias_0[CHANNELS];
	int8_t bias_1[OUT_CHANNELS];
	golden_tensor input;
	golden_tensor outputs[2];
};

// SplitMix64: the same numbers on every machine.
static int8_t random_value(struct maker *m, int magnitude)
{
	m->seed += 0x9e3779b97f4a7c15u;
	uint64_t z = m->seed;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	z ^= z >> 31;
	return (int8_t)((int)(z % (2 * (unsigned)magnitude + 1)) - magnitude);
}

static void fill(struct maker *m, int8_t *values, size_t count, int magnitude)
{
	for (size_t i = 0; i < count; i++)
		values[i] = random_value(m, magnitude);
}

static void op(struct maker *m, ai8x_op_kind kind, uint32_t address, uint32_t value, uint32_t mask)
{
	if (m->status == AI8X_OK) {
		ai8x_op entry = {.kind = (uint8_t)kind, .address = address, .value = value, .mask = mask};
		m->status = ai8x_program_append(m->program, entry, &m->error);
	}
}

static void write32(struct maker *m, uint32_t address, uint32_t value)
{
	op(m, AI8X_BUS_WRITE32, address, value, 0);
}

// Four writes for a kernel word, top-left tap first; the last one makes the memory take it (2.1).
static void write_kernel(struct maker *m, unsigned processor, uint32_t word, const int8_t taps[TAPS])
{
	uint32_t address = BUS_KERNEL + processor * 0x4000 + word * 16;
	uint32_t packed[3] = {(uint8_t)taps[0], 0, 0};
	for (unsigned i = 0; i < 4; i++) {
		packed[1] = packed[1] << 8 | (uint8_t)taps[1 + i];
		packed[2] = packed[2] << 8 | (uint8_t)taps[5 + i];
	}
	write32(m, address, packed[0]);
	write32(m, address + 4, packed[1]);
	write32(m, address + 8, packed[2]);
	write32(m, address + 12, 0);
}

static void write_kernels(struct maker *m)
{
	for (unsigned processor = 0; processor < CHANNELS; processor++) {
		for (uint32_t out = 0; out < CHANNELS; out++)
			write_kernel(m, processor, out, m->weights_0 + (size_t)(out * CHANNELS + processor) * TAPS);
		for (uint32_t out = 0; out < OUT_CHANNELS; out++) {
			write_kernel(m, processor, SECOND_KERNEL + out,
			             m->weights_1 + (size_t)(out * CHANNELS + processor) * TAPS);
		}
	}
	for (uint32_t i = 0; i < CHANNELS; i++)
		write32(m, BUS_BIAS + 4 * i, (uint8_t)m->bias_0[i]);
	for (uint32_t i = 0; i < OUT_CHANNELS; i++)
		write32(m, BUS_BIAS + 4 * (SECOND_BIAS + i), (uint8_t)m->bias_1[i]);
}

// Four channels of one pixel in a word, first channel in the low byte (4.2).
static uint32_t data_word(const golden_tensor *tensor, size_t first_channel, size_t pixel)
{
	uint32_t word = 0;
	size_t pixels = tensor->rows * tensor->columns;
	for (size_t lane = 0; lane < 4; lane++)
		word |= (uint32_t)(uint8_t)tensor->data[(first_channel + lane) * pixels + pixel] << 8 * lane;
	return word;
}

static uint32_t data_address(size_t instance, size_t word)
{
	return (uint32_t)(BUS_DATA + instance * 0x8000 + 4 * word);
}

static void write_input(struct maker *m)
{
	for (size_t instance = 0; instance < CHANNELS / 4; instance++) {
		for (size_t pixel = 0; pixel < (size_t)SIDE * SIDE; pixel++) {
			uint32_t word = data_word(&m->input, 4 * instance, pixel);
			write32(m, data_address(instance, INPUT_WORD + pixel), word);
			write32(m, data_address(instance, OPERANDS_WORD + 2 * pixel), word);
		}
	}
}

static void write_program(struct maker *m)
{
	write32(m, BUS_AON, 0);
	write32(m, BUS_CTL, 0x8);
	write32(m, BUS_SRAM, 0x40e);
	write32(m, BUS_LCNT_MAX, 1);
	write_kernels(m);
	for (size_t i = 0; i < sizeof registers / sizeof registers[0]; i++)
		write32(m, BUS_LAYER + registers[i].number * 0x80 + registers[i].layer * 4, registers[i].value);
	write_input(m);
	// Arm, then go (3.1).
	write32(m, BUS_CTL, 0x808);
	write32(m, BUS_CTL, 0x9);
	op(m, AI8X_BUS_RUN, 0, 0, 0);
}

static void compute(struct maker *m)
{
	golden_layer layer = {
		.pooling = {.window = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}},
		.convolution = {.kind = GOLDEN_CONV2D,
	                    .kernel = {3, 3},
	                    .padding = {1, 1},
	                    .dilation = {1, 1},
	                    .groups = 1,
	                    .weights = m->weights_0,
	                    .bias = m->bias_0,
	                    .out_channels = CHANNELS,
	                    .weight_bits = 8},
		.output = {.shift = SHIFT_0, .activation = GOLDEN_ACTIVATION_RELU},
	};
	const golden_tensor *operands[2] = {&m->input, &m->outputs[0]};
	m->status = golden_run_layer(operands, 1, &layer, &m->outputs[0], &m->error);
	if (m->status != AI8X_OK)
		return;
	layer.eltwise = golden_eltwise_named("add");
	layer.pooling.window = (golden_pair){2, 2};
	layer.pooling.stride = (golden_pair){2, 2};
	layer.convolution.weights = m->weights_1;
	layer.convolution.bias = m->bias_1;
	layer.convolution.out_channels = OUT_CHANNELS;
	layer.output = (golden_output){.shift = SHIFT_1};
	m->status = golden_run_layer(operands, 2, &layer, &m->outputs[1], &m->error);
}

// --- what the file says about itself ---------------------------------------------------------------

static void set_integers(struct maker *m, int position, const char *name, const int64_t *values, size_t count)
{
	ai8x_attribute attribute = {
		.name = name, .type = AI8X_ATTRIBUTE_INT, .integers = values, .count = count, .scalar = count == 1};
	if (m->status == AI8X_OK)
		m->status = ai8x_program_set_attribute(m->program, position, &attribute, &m->error);
}

static void set_text(struct maker *m, int position, const char *name, const char *text)
{
	ai8x_attribute attribute = {.name = name, .type = AI8X_ATTRIBUTE_TEXT, .text = text};
	if (m->status == AI8X_OK)
		m->status = ai8x_program_set_attribute(m->program, position, &attribute, &m->error);
}

// An attribute of both layers: one number, or rows and columns.
struct layer_attribute {
	const char *name;
	size_t count;
	int64_t values[2][2];
};

#define MACS_0 ((int64_t)SIDE * SIDE * CHANNELS * CHANNELS * TAPS)
#define MACS_1 ((int64_t)POOLED * POOLED * CHANNELS * OUT_CHANNELS * TAPS)

static const struct layer_attribute layer_attributes[] = {
	{"position", 1, {{0}, {1}}},
	{"hw_layer", 1, {{0}, {1}}},
	{"next", 1, {{1}, {-1}}},
	{"is_output", 1, {{0}, {1}}},
	{"kernel_size", 2, {{3, 3}, {3, 3}}},
	{"hw_kernel_size", 2, {{3, 3}, {3, 3}}},
	{"padding", 2, {{1, 1}, {1, 1}}},
	{"hw_padding", 2, {{1, 1}, {1, 1}}},
	{"stride", 2, {{1, 1}, {1, 1}}},
	{"dilation", 2, {{1, 1}, {1, 1}}},
	{"output_padding", 2, {{0, 0}, {0, 0}}},
	{"groups", 1, {{1}, {1}}},
	{"operands", 1, {{1}, {2}}},
	{"pool_first", 1, {{1}, {1}}},
	{"pool", 2, {{1, 1}, {2, 2}}},
	{"pool_stride", 2, {{1, 1}, {2, 2}}},
	{"pool_dilation", 2, {{1, 1}, {1, 1}}},
	{"pool_average", 1, {{0}, {0}}},
	{"output_shift", 1, {{SHIFT_0}, {SHIFT_1}}},
	{"quantization", 1, {{8}, {8}}},
	{"output_width", 1, {{8}, {8}}},
	{"bias", 1, {{1}, {1}}},
	{"bias_quadrant", 1, {{0}, {0}}},
	{"input_channels", 1, {{CHANNELS}, {CHANNELS}}},
	{"input_dim", 2, {{SIDE, SIDE}, {SIDE, SIDE}}},
	{"pooled_dim", 2, {{SIDE, SIDE}, {POOLED, POOLED}}},
	{"output_channels", 1, {{CHANNELS}, {OUT_CHANNELS}}},
	{"output_dim", 2, {{SIDE, SIDE}, {POOLED, POOLED}}},
	{"hw_input_dim", 2, {{SIDE, SIDE}, {SIDE, SIDE}}},
	{"hw_output_dim", 2, {{SIDE, SIDE}, {POOLED, POOLED}}},
	{"processors", 1, {{0xff}, {0xff}}},
	{"output_processors", 1, {{0xff}, {0xfff}}},
	{"in_expand", 1, {{1}, {1}}},
	{"out_expand", 1, {{1}, {1}}},
	{"in_expand_thresh", 1, {{CHANNELS}, {CHANNELS}}},
	{"out_expand_thresh", 1, {{CHANNELS}, {OUT_CHANNELS}}},
	{"in_offset", 1, {{INPUT_WORD * INT64_C(4)}, {OPERANDS_WORD * INT64_C(4)}}},
	{"out_offset", 1, {{(OPERANDS_WORD + 1) * INT64_C(4)}, {OUTPUT_WORD * INT64_C(4)}}},
	{"write_gap", 1, {{1}, {0}}},
	{"read_gap", 1, {{0}, {0}}},
	{"streaming", 1, {{0}, {0}}},
	{"flatten", 1, {{0}, {0}}},
	{"chw", 1, {{0}, {0}}},
	{"bypass", 1, {{0}, {0}}},
	{"calcx4", 1, {{0}, {0}}},
	{"readahead", 1, {{0}, {0}}},
	{"tcalc", 1, {{0}, {0}}},
	{"kernel_offset", 1, {{0}, {SECOND_KERNEL}}},
	{"kernel_words", 1, {{CHANNELS}, {OUT_CHANNELS}}},
	{"macs", 1, {{MACS_0}, {MACS_1}}},
};

static void describe(struct maker *m)
{
	static const char *const activations[] = {"relu", "none"};
	static const char *const eltwises[] = {"none", "add"};
	static const int64_t operands[] = {-1, 0};
	int64_t cycles[2] = {layer_cycles(1, SIDE, 1, CHANNELS), layer_cycles(2, POOLED, 4, OUT_CHANNELS)};
	for (int position = 0; position < 2; position++) {
		for (size_t i = 0; i < sizeof layer_attributes / sizeof layer_attributes[0]; i++) {
			const struct layer_attribute *a = &layer_attributes[i];
			set_integers(m, position, a->name, a->values[position], a->count);
		}
		set_integers(m, position, "cycles", &cycles[position], 1);
		set_text(m, position, "operator", "conv2d");
		set_text(m, position, "hw_operator", "conv2d");
		set_text(m, position, "eltwise", eltwises[position]);
		set_text(m, position, "activation", activations[position]);
	}
	set_integers(m, 1, "inputs", operands, 2);
	int64_t total = 1 + cycles[0] + cycles[1];
	int64_t macs = MACS_0 + MACS_1;
	set_integers(m, -1, "cycles", &total, 1);
	set_integers(m, -1, "macs", &macs, 1);
	set_text(m, -1, "source", "golden/make_residual.c");
	set_text(m, -1, "features", "bias conv2d eltwise hwc maxpool multilayer plainload q8 relu residual");
}

// The layer's results: its tensor, the memory words that hold it, and for the last layer what to expect.
static void add_results(struct maker *m, unsigned number, uint32_t first_word, uint32_t step, bool expect)
{
	const golden_tensor *output = &m->outputs[number];
	size_t pixels = output->rows * output->columns;
	size_t count = output->channels / 4 * pixels;
	ai8x_word *words = calloc(count, sizeof *words);
	if (words == NULL) {
		m->status = AI8X_ERR_NO_MEMORY;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t address = data_address(i / pixels, first_word + step * (i % pixels));
		words[i] = (ai8x_word){address, data_word(output, i / pixels * 4, i % pixels), 0xffffffff};
		if (expect)
			op(m, AI8X_BUS_EXPECT, words[i].address, words[i].value, words[i].mask);
	}
	uint32_t shape[3] = {(uint32_t)output->channels, (uint32_t)output->rows, (uint32_t)output->columns};
	if (m->status == AI8X_OK)
		m->status = ai8x_program_add_layer(m->program, number, output->data, shape, words, count, &m->error);
	free(words);
}

static void make(struct maker *m, const char *path)
{
	const uint32_t shape[3] = {CHANNELS, SIDE, SIDE};
	fill(m, m->weights_0, sizeof m->weights_0, 60);
	fill(m, m->weights_1, sizeof m->weights_1, 60);
	fill(m, m->bias_0, sizeof m->bias_0, 40);
	fill(m, m->bias_1, sizeof m->bias_1, 40);
	m->status = golden_tensor_create(CHANNELS, SIDE, SIDE, &m->input, &m->error);
	for (size_t i = 0; m->status == AI8X_OK && i < golden_tensor_size(&m->input); i++)
		m->input.data[i] = (int32_t)random_value(m, 127);
	if (m->status == AI8X_OK)
		compute(m);
	if (m->status == AI8X_OK) {
		m->status =
			ai8x_program_create(ai8x_part_find("MAX78000"), "residual2-max78000", &m->program, &m->error);
	}
	if (m->status != AI8X_OK)
		return;
	write_program(m);
	m->status = m->status != AI8X_OK ? m->status
	                                 : ai8x_program_set_input(m->program, m->input.data, shape, &m->error);
	add_results(m, 0, OPERANDS_WORD + 1, 2, false);
	add_results(m, 1, OUTPUT_WORD, 1, true);
	describe(m);
	if (m->status == AI8X_OK)
		m->status = ai8x_program_save(m->program, path, &m->error);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_residual FILE.h5\n");
		return 2;
	}
	struct maker *m = calloc(1, sizeof *m);
	if (m == NULL)
		return EXIT_FAILURE;
	m->seed = 78000;
	make(m, argv[1]);
	int result = m->status == AI8X_OK ? EXIT_SUCCESS : EXIT_FAILURE;
	if (m->status != AI8X_OK)
		fprintf(stderr, "make_residual: %s: %s\n", ai8x_status_text(m->status), m->error.message);
	ai8x_program_destroy(m->program);
	golden_tensor_destroy(&m->input);
	golden_tensor_destroy(&m->outputs[0]);
	golden_tensor_destroy(&m->outputs[1]);
	free(m);
	return result;
}
