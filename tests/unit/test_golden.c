// The independent referee: its operators against results worked out by hand and against plain loops, its
// network walk on small networks, and its refusals.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"

static golden_tensor tensor(size_t channels, size_t rows, size_t columns, const int32_t *values)
{
	golden_tensor t;
	ck_assert_int_eq(golden_tensor_create(channels, rows, columns, &t, NULL), AI8X_OK);
	if (values != NULL)
		memcpy(t.data, values, golden_tensor_size(&t) * sizeof *values);
	return t;
}

static void check_tensor(const golden_tensor *t, size_t channels, size_t rows, size_t columns,
                         const int32_t *values)
{
	ck_assert_uint_eq(t->channels, channels);
	ck_assert_uint_eq(t->rows, rows);
	ck_assert_uint_eq(t->columns, columns);
	for (size_t i = 0; i < golden_tensor_size(t); i++)
		ck_assert_msg(t->data[i] == values[i], "value %zu: %d instead of %d", i, t->data[i], values[i]);
}

// --- pooling ---------------------------------------------------------------------------------------

struct pool_case {
	golden_pooling pooling;
	size_t rows, columns;
	int32_t expected[4];
};

static const int32_t pool_input[12] = {
	-1, -2, 3,  4,  //
	-3, 0,  -5, -8, //
	7,  -6, 2,  1,
};

static const struct pool_case pool_cases[] = {
	{{{2, 2}, {1, 2}, {1, 1}, false, false}, 2, 2, {0, 4, 7, 2}},
	// sums -6, -6, -2, -10 divided by 4: towards zero, then to the nearest
	{{{2, 2}, {1, 2}, {1, 1}, true, false}, 2, 2, {-1, -1, 0, -2}},
	{{{2, 2}, {1, 2}, {1, 1}, true, true}, 2, 2, {-2, -2, -1, -3}},
	{{{1, 1}, {2, 3}, {1, 1}, false, false}, 2, 2, {-1, 4, 7, 1}},
	{{{2, 2}, {1, 1}, {2, 2}, false, false}, 1, 2, {7, 4}},
	{{{3, 1}, {1, 2}, {1, 1}, false, false}, 1, 2, {7, 3}},
};

START_TEST(test_pool)
{
	const struct pool_case *c = &pool_cases[_i];
	golden_tensor in = tensor(1, 3, 4, pool_input);
	golden_tensor out;
	ck_assert_int_eq(golden_pool(&in, &c->pooling, &out, NULL), AI8X_OK);
	check_tensor(&out, 1, c->rows, c->columns, c->expected);
	golden_tensor_destroy(&out);
	golden_tensor_destroy(&in);
}
END_TEST

START_TEST(test_pool_refusals)
{
	golden_tensor in = tensor(1, 3, 4, pool_input);
	golden_tensor out;
	ai8x_error error = {0};
	golden_pooling pooling = {{4, 1}, {1, 1}, {1, 1}, false, false};
	ck_assert_int_eq(golden_pool(&in, &pooling, &out, &error), AI8X_ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "4 x 1"));
	ck_assert_ptr_null(out.data);
	// Three samples two apart need five columns; the vendor's formula admits four.
	pooling = (golden_pooling){{1, 3}, {1, 1}, {1, 2}, false, false};
	ck_assert_int_eq(golden_pool(&in, &pooling, &out, &error), AI8X_ERR_UNSUPPORTED);
	pooling = (golden_pooling){{1, 1}, {0, 1}, {1, 1}, false, false};
	ck_assert_int_eq(golden_pool(&in, &pooling, &out, &error), AI8X_ERR_ARGUMENT);
	golden_tensor_destroy(&in);
}
END_TEST

// --- element-wise, shapes --------------------------------------------------------------------------

struct combine_case {
	const char *eltwise;
	int32_t expected[4];
};

static const struct combine_case combine_cases[] = {
	// 100 + 100 - 90 stays 110: one clip, at the end
	{"add", {110, -128, 9, 127}},
	{"sub", {90, 127, -7, -126}},
	{"or", {-26, -1, 7, 127}},
	{"xor", {-90, 127, 7, 127}},
};

START_TEST(test_combine)
{
	const struct combine_case *c = &combine_cases[_i];
	golden_tensor a = tensor(1, 2, 2, (const int32_t[]){100, -128, 1, 1});
	golden_tensor b = tensor(1, 2, 2, (const int32_t[]){100, -128, 3, 126});
	golden_tensor d = tensor(1, 2, 2, (const int32_t[]){-90, 127, 5, 0});
	if (strcmp(c->eltwise, "sub") == 0) {
		d.data[1] = -128;
		d.data[3] = 1;
	}
	const golden_tensor *operands[] = {&a, &b, &d};
	golden_tensor out;
	ck_assert_int_eq(golden_combine(operands, 3, golden_eltwise_named(c->eltwise), &out, NULL), AI8X_OK);
	check_tensor(&out, 1, 2, 2, c->expected);
	golden_tensor_destroy(&out);
	golden_tensor_destroy(&a);
	golden_tensor_destroy(&b);
	golden_tensor_destroy(&d);
}
END_TEST

START_TEST(test_order_of_pooling_and_adding)
{
	golden_tensor a = tensor(1, 1, 2, (const int32_t[]){100, 0});
	golden_tensor b = tensor(1, 1, 2, (const int32_t[]){100, 1});
	const golden_tensor *operands[] = {&a, &b};
	golden_layer layer = {.eltwise = golden_eltwise_named("add"),
	                      .pooling = {{1, 2}, {1, 2}, {1, 1}, true, false},
	                      .convolution = {.kind = GOLDEN_PASSTHROUGH}};
	golden_tensor out;
	ck_assert_int_eq(golden_run_layer(operands, 2, &layer, &out, NULL), AI8X_OK);
	check_tensor(&out, 1, 1, 1, (const int32_t[]){50 + 50});
	golden_tensor_destroy(&out);
	layer.eltwise_first = true;
	ck_assert_int_eq(golden_run_layer(operands, 2, &layer, &out, NULL), AI8X_OK);
	check_tensor(&out, 1, 1, 1, (const int32_t[]){(127 + 1) / 2});
	golden_tensor_destroy(&out);
	golden_tensor_destroy(&a);
	golden_tensor_destroy(&b);
}
END_TEST

START_TEST(test_shapes)
{
	golden_tensor a = tensor(2, 1, 2, (const int32_t[]){1, 2, 3, 4});
	golden_tensor b = tensor(1, 1, 2, (const int32_t[]){5, 6});
	const golden_tensor *parts[] = {&a, &b};
	golden_tensor joined;
	golden_tensor out;
	ck_assert_int_eq(golden_concatenate(parts, 2, &joined, NULL), AI8X_OK);
	check_tensor(&joined, 3, 1, 2, (const int32_t[]){1, 2, 3, 4, 5, 6});
	ck_assert_int_eq(golden_slice(&joined, 1, 2, &out, NULL), AI8X_OK);
	check_tensor(&out, 2, 1, 2, (const int32_t[]){3, 4, 5, 6});
	golden_tensor_destroy(&out);
	ck_assert_int_eq(golden_slice(&joined, 2, 2, &out, NULL), AI8X_ERR_ARGUMENT);
	ck_assert_int_eq(golden_flatten(&joined, &out, NULL), AI8X_OK);
	check_tensor(&out, 6, 1, 1, (const int32_t[]){1, 2, 3, 4, 5, 6});
	golden_tensor_destroy(&out);
	golden_tensor_destroy(&joined);
	ck_assert_int_eq(golden_combine(parts, 2, golden_eltwise_named("add"), &out, NULL), AI8X_ERR_ARGUMENT);
	golden_tensor_destroy(&a);
	golden_tensor_destroy(&b);
}
END_TEST

// --- convolution -----------------------------------------------------------------------------------

struct conv_case {
	const char *what;
	size_t channels, rows, columns, out_channels;
	golden_convolution convolution;
};

static const struct conv_case conv_cases[] = {
	{"3x3", 5, 7, 6, 4, {GOLDEN_CONV2D, {3, 3}, {1, 1}, {1, 1}, 1, NULL, NULL, 0, 8}},
	{"3x3, pad 2", 2, 1, 2, 3, {GOLDEN_CONV2D, {3, 3}, {2, 2}, {1, 1}, 1, NULL, NULL, 0, 8}},
	{"1x1, 4 bit", 67, 3, 3, 9, {GOLDEN_CONV2D, {1, 1}, {0, 0}, {1, 1}, 1, NULL, NULL, 0, 4}},
	{"depth-wise, 2 bit", 6, 5, 4, 6, {GOLDEN_CONV2D, {3, 3}, {1, 1}, {1, 1}, 6, NULL, NULL, 0, 2}},
	{"two groups", 6, 5, 4, 8, {GOLDEN_CONV2D, {3, 3}, {0, 0}, {1, 1}, 2, NULL, NULL, 0, 1}},
	{"1-D, length 9", 3, 21, 1, 5, {GOLDEN_CONV1D, {9, 1}, {2, 0}, {1, 1}, 1, NULL, NULL, 0, 8}},
	{"1-D, dilated", 3, 40, 1, 5, {GOLDEN_CONV1D, {3, 1}, {1, 0}, {7, 1}, 1, NULL, NULL, 0, 8}},
	{"transposed", 4, 3, 5, 6, {GOLDEN_CONVTRANSPOSE2D, {3, 3}, {1, 1}, {1, 1}, 1, NULL, NULL, 0, 8}},
	{"transposed, pad 0", 2, 2, 2, 2, {GOLDEN_CONVTRANSPOSE2D, {3, 3}, {0, 0}, {1, 1}, 1, NULL, NULL, 0, 8}},
	{"binary", 8, 4, 4, 3, {GOLDEN_CONV2D, {3, 3}, {1, 1}, {1, 1}, 1, NULL, NULL, 0, GOLDEN_BINARY}},
	{"many blocks", 64, 60, 60, 2, {GOLDEN_CONV2D, {3, 3}, {1, 1}, {1, 1}, 1, NULL, NULL, 0, 8}},
};

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

// The pixel that a transposed or an ordinary convolution sees at (row, column) of its image.
static int32_t pixel_at(const golden_tensor *in, bool transposed, size_t channel, long row, long column)
{
	if (row < 0 || column < 0 || (transposed && (row % 2 != 0 || column % 2 != 0)))
		return 0;
	size_t y = (size_t)row / (transposed ? 2 : 1);
	size_t x = (size_t)column / (transposed ? 2 : 1);
	return y < in->rows && x < in->columns ? in->data[(channel * in->rows + y) * in->columns + x] : 0;
}

static int64_t plain_sum(const golden_tensor *in, const golden_convolution *c, size_t out, size_t row,
                         size_t column)
{
	bool transposed = c->kind == GOLDEN_CONVTRANSPOSE2D;
	long pad_rows = (long)(transposed ? c->kernel.rows - 1 - c->padding.rows : c->padding.rows);
	long pad_columns = (long)(transposed ? c->kernel.columns - 1 - c->padding.columns : c->padding.columns);
	size_t fan = in->channels / c->groups;
	size_t first = out / (c->out_channels / c->groups) * fan;
	int64_t sum = INT64_C(128) * c->bias[out];
	for (size_t channel = 0; channel < fan; channel++) {
		for (unsigned r = 0; r < c->kernel.rows; r++) {
			for (unsigned k = 0; k < c->kernel.columns; k++) {
				long y = (long)row + (long)r * (long)c->dilation.rows - pad_rows;
				long x = (long)column + (long)k * (long)c->dilation.columns - pad_columns;
				int64_t weight =
					c->weights[((out * fan + channel) * c->kernel.rows + r) * c->kernel.columns + k];
				sum += weight * pixel_at(in, transposed, first + channel, y, x);
			}
		}
	}
	return sum;
}

static int8_t random_weight(int bits, uint32_t *state)
{
	if (bits == GOLDEN_BINARY)
		return next_random(state) % 2 != 0 ? 1 : -1;
	return (int8_t)((int)(next_random(state) % (1u << bits)) - (1 << (bits - 1)));
}

START_TEST(test_convolve)
{
	const struct conv_case *c = &conv_cases[_i];
	uint32_t state = (uint32_t)_i + 1;
	golden_tensor in = tensor(c->channels, c->rows, c->columns, NULL);
	for (size_t i = 0; i < golden_tensor_size(&in); i++)
		in.data[i] = random_weight(8, &state);
	golden_convolution convolution = c->convolution;
	size_t taps = (size_t)convolution.kernel.rows * convolution.kernel.columns;
	size_t count = c->out_channels * (c->channels / convolution.groups) * taps;
	int8_t *weights = malloc(count);
	int8_t *bias = malloc(c->out_channels);
	ck_assert(weights != NULL && bias != NULL);
	for (size_t i = 0; i < count; i++)
		weights[i] = random_weight(convolution.weight_bits, &state);
	for (size_t i = 0; i < c->out_channels; i++)
		bias[i] = random_weight(8, &state);
	convolution.weights = weights;
	convolution.bias = bias;
	convolution.out_channels = c->out_channels;
	golden_tensor sums;
	ck_assert_int_eq(golden_convolve(&in, &convolution, &sums, NULL), AI8X_OK);
	bool transposed = convolution.kind == GOLDEN_CONVTRANSPOSE2D;
	size_t pad = convolution.padding.rows;
	size_t extent = (size_t)(convolution.kernel.rows - 1) * convolution.dilation.rows;
	size_t rows = transposed ? 2 * c->rows + 2 * (2 - pad) - 2 : c->rows + 2 * pad - extent;
	ck_assert_uint_eq(sums.rows, rows);
	ck_assert_uint_eq(sums.channels, c->out_channels);
	for (size_t i = 0; i < golden_tensor_size(&sums); i++) {
		size_t pixels = sums.rows * sums.columns;
		int64_t expected =
			plain_sum(&in, &convolution, i / pixels, i / sums.columns % sums.rows, i % sums.columns);
		ck_assert_msg(sums.data[i] == expected, "%s: value %zu is %d, not %lld", c->what, i, sums.data[i],
		              (long long)expected);
	}
	golden_tensor_destroy(&sums);
	golden_tensor_destroy(&in);
	free(bias);
	free(weights);
}
END_TEST

START_TEST(test_convolve_refusals)
{
	golden_tensor in = tensor(2, 1, 1, (const int32_t[]){INT32_MAX, INT32_MAX});
	const int8_t weights[] = {127, 127};
	golden_convolution c = {GOLDEN_CONV2D, {1, 1}, {0, 0}, {1, 1}, 1, weights, NULL, 1, 8};
	golden_tensor sums;
	ai8x_error error = {0};
	ck_assert_int_eq(golden_convolve(&in, &c, &sums, &error), AI8X_ERR_LIMIT);
	ck_assert_ptr_nonnull(strstr(error.message, "32 bits"));
	ck_assert_ptr_null(sums.data);
	c.weight_bits = 4;
	ck_assert_int_eq(golden_convolve(&in, &c, &sums, &error), AI8X_ERR_ARGUMENT);
	c.weight_bits = 3;
	ck_assert_int_eq(golden_convolve(&in, &c, &sums, &error), AI8X_ERR_ARGUMENT);
	c.weight_bits = 8;
	c.groups = 3;
	ck_assert_int_eq(golden_convolve(&in, &c, &sums, &error), AI8X_ERR_ARGUMENT);
	c.groups = 1;
	c.kernel = (golden_pair){3, 3};
	ck_assert_int_eq(golden_convolve(&in, &c, &sums, &error), AI8X_ERR_ARGUMENT);
	golden_tensor_destroy(&in);
	golden_tensor large;
	ck_assert_int_eq(golden_tensor_create(SIZE_MAX / 2, 3, 3, &large, &error), AI8X_ERR_LIMIT);
	ck_assert_int_eq(golden_tensor_create(0, 3, 3, &large, &error), AI8X_ERR_ARGUMENT);
}
END_TEST

// --- output ----------------------------------------------------------------------------------------

struct finish_case {
	int32_t sum;
	int shift;
	golden_activation activation;
	bool wide;
	int32_t expected;
};

static const struct finish_case finish_cases[] = {
	{64, 0, GOLDEN_ACTIVATION_NONE, false, 1},    // one half rounds up
	{63, 0, GOLDEN_ACTIVATION_NONE, false, 0},    //
	{-64, 0, GOLDEN_ACTIVATION_NONE, false, 0},   // minus one half too
	{-65, 0, GOLDEN_ACTIVATION_NONE, false, -1},  //
	{-192, 0, GOLDEN_ACTIVATION_NONE, false, -1}, // -1.5
	{3, 7, GOLDEN_ACTIVATION_NONE, false, 3},     //
	{3, 9, GOLDEN_ACTIVATION_NONE, false, 12},    //
	{-32768, -8, GOLDEN_ACTIVATION_NONE, false, -1}, {1 << 22, -15, GOLDEN_ACTIVATION_NONE, false, 1},
	{20000, 0, GOLDEN_ACTIVATION_NONE, false, 127},  {-20000, 0, GOLDEN_ACTIVATION_NONE, false, -128},
	{-20000, 0, GOLDEN_ACTIVATION_RELU, false, 0},   {-20000, 0, GOLDEN_ACTIVATION_ABS, false, 127},
	{-1280, 0, GOLDEN_ACTIVATION_ABS, false, 10},    {-20000, -3, GOLDEN_ACTIVATION_RELU, true, -20000},
};

START_TEST(test_finish)
{
	const struct finish_case *c = &finish_cases[_i];
	golden_tensor sums = tensor(1, 1, 1, &c->sum);
	golden_tensor out;
	golden_output output = {c->shift, c->activation, c->wide};
	ck_assert_int_eq(golden_finish(&sums, &output, &out, NULL), AI8X_OK);
	ck_assert_int_eq(out.data[0], c->expected);
	golden_tensor_destroy(&out);
	golden_tensor_destroy(&sums);
}
END_TEST

// --- networks --------------------------------------------------------------------------------------

// A layer that hands on what it reads.
static ai8x_network_layer through(unsigned number, uint32_t channels, uint32_t rows, uint32_t columns)
{
	return (ai8x_network_layer){.number = number,
	                            .operation = AI8X_OP_PASSTHROUGH,
	                            .sources = {(int)number - 1},
	                            .source_count = 1,
	                            .operands = 1,
	                            .pool_first = true,
	                            .in_channels = channels,
	                            .in_rows = rows,
	                            .in_columns = columns,
	                            .pool_rows = 1,
	                            .pool_columns = 1,
	                            .pool_stride = 1,
	                            .pool_dilation_rows = 1,
	                            .pool_dilation_columns = 1,
	                            .groups = 1,
	                            .kernel_rows = 1,
	                            .kernel_columns = 1,
	                            .dilation = 1,
	                            .weight_bits = 8,
	                            .output_bits = 8,
	                            .weight_source = -1};
}

static ai8x_network_layer pointwise(unsigned number, uint32_t channels, uint32_t out_channels,
                                    int8_t *weights, uint32_t rows, uint32_t columns)
{
	ai8x_network_layer layer = through(number, channels, rows, columns);
	layer.operation = AI8X_OP_CONV2D;
	layer.out_channels = out_channels;
	layer.weights = weights;
	layer.weight_count = (size_t)channels * out_channels;
	layer.output_shift = 7;
	return layer;
}

static void check_output(golden_model *model, size_t position, size_t channels, size_t rows, size_t columns,
                         const int32_t *values)
{
	ai8x_error error = {0};
	const golden_tensor *output;
	ai8x_status status = golden_model_output(model, position, &output, &error);
	ck_assert_msg(status == AI8X_OK, "%s", error.message);
	check_tensor(output, channels, rows, columns, values);
}

START_TEST(test_network)
{
	int8_t input[] = {1, 2, 3, 4, 5, 6, 7, 8}; // two channels of 2 x 2
	int8_t swap[] = {0, 1, 2, 0};
	int8_t bias[] = {1, 0};
	ai8x_network_layer layers[6];
	layers[0] = pointwise(0, 2, 2, swap, 2, 2);
	// the input minus layer 0, then the same weights again
	layers[1] = pointwise(1, 2, 2, NULL, 2, 2);
	layers[1].weight_source = 0;
	layers[1].sources[0] = AI8X_NETWORK_INPUT;
	layers[1].sources[1] = 0;
	layers[1].source_count = 2;
	layers[1].operands = 2;
	layers[1].eltwise = AI8X_ELTWISE_SUB;
	// one channel of layer 0 after one of the input: two channels skipped out of four
	layers[2] = through(2, 2, 2, 2);
	layers[2].sources[0] = AI8X_NETWORK_INPUT;
	layers[2].sources[1] = 0;
	layers[2].source_count = 2;
	layers[2].first_channel = 1;
	// pixels of both after one another, the first row dropped
	layers[3] = through(3, 2, 7, 1);
	layers[3].sources[0] = AI8X_NETWORK_INPUT;
	layers[3].sources[1] = 0;
	layers[3].source_count = 2;
	layers[3].join = AI8X_JOIN_PIXELS;
	layers[3].crop_first = 1;
	// flattened, all weights one
	layers[4] = pointwise(4, 2, 1, NULL, 2, 2);
	layers[4].sources[0] = 2;
	layers[4].operation = AI8X_OP_LINEAR;
	layers[4].flatten = true;
	layers[4].bypass = true;
	layers[4].output_bits = 32;
	layers[5] = through(5, 2, 2, 2);
	layers[5].sources[0] = 5;
	layers[0].bias = bias;
	ai8x_network network = {.layers = layers, .layer_count = 6, .input_shape = {2, 2, 2}, .input = input};

	golden_model *model;
	ck_assert_int_eq(golden_model_create(&network, &model, NULL), AI8X_OK);
	// asked for first, it brings its sources with it; 128 * bias at shift 7 is far above 127
	check_output(model, 1, 2, 2, 2, (const int32_t[]){127, 127, 127, 127, -128, -128, -128, -128});
	check_output(model, 0, 2, 2, 2, (const int32_t[]){127, 127, 127, 127, 2, 4, 6, 8});
	check_output(model, 2, 2, 2, 2, (const int32_t[]){5, 6, 7, 8, 127, 127, 127, 127});
	check_output(model, 3, 2, 7, 1, (const int32_t[]){2, 3, 4, 127, 127, 127, 127, 6, 7, 8, 2, 4, 6, 8});
	check_output(model, 4, 1, 1, 1, (const int32_t[]){5 + 6 + 7 + 8 + 4 * 127});

	int64_t least;
	int64_t greatest;
	ck_assert_int_eq(golden_model_range(model, &network, 0, &least, &greatest, NULL), AI8X_OK);
	ck_assert_int_eq(least, 2);
	ck_assert_int_eq(greatest, 8 + 128);
	ck_assert_int_eq(golden_model_range(model, &network, 2, &least, &greatest, NULL), AI8X_OK);
	ck_assert_int_eq(greatest, 0);

	ai8x_error error = {0};
	const golden_tensor *output;
	ck_assert_int_eq(golden_model_output(model, 5, &output, &error), AI8X_ERR_NETWORK);
	ck_assert_str_eq(error.message, "golden model: layer 5 depends on its own output");
	ck_assert_int_eq(golden_model_output(model, 6, &output, &error), AI8X_ERR_ARGUMENT);
	ai8x_network_tensor *outputs;
	ck_assert_int_eq(golden_model_outputs(model, &outputs, &error), AI8X_ERR_NETWORK);
	network.layer_count = 5;
	ck_assert_int_eq(golden_model_output(model, 0, &output, &error), AI8X_ERR_ARGUMENT);
	golden_model_destroy(model);
	ck_assert_int_eq(golden_model_create(&network, &model, NULL), AI8X_OK);
	ck_assert_int_eq(golden_model_outputs(model, &outputs, &error), AI8X_OK);
	ck_assert_uint_eq(outputs[3].shape[1], 7);
	free(outputs);
	golden_model_destroy(model);
}
END_TEST

START_TEST(test_network_refusals)
{
	int8_t input[] = {1, 2};
	int8_t weights[] = {1};
	ai8x_network_layer layers[2] = {pointwise(0, 1, 1, NULL, 2, 1), through(1, 1, 3, 1)};
	layers[0].sources[0] = AI8X_NETWORK_INPUT;
	layers[1].number = 7;
	ai8x_network network = {.layers = layers, .layer_count = 2, .input_shape = {1, 2, 1}};
	golden_model *model;
	const golden_tensor *output;
	ai8x_error error = {0};
	ck_assert_int_eq(golden_model_create(&network, &model, NULL), AI8X_OK);
	ck_assert_int_eq(golden_model_output(model, 1, &output, &error), AI8X_ERR_ARGUMENT);
	ck_assert_str_eq(error.message, "golden model: layer 0: the network has no input data");
	network.input = input;
	ck_assert_int_eq(golden_model_output(model, 1, &output, &error), AI8X_ERR_ARGUMENT);
	ck_assert_str_eq(error.message, "golden model: layer 0: the layer has no weights");
	layers[0].weights = weights;
	layers[0].weight_count = 3;
	ck_assert_int_eq(golden_model_output(model, 1, &output, &error), AI8X_ERR_ARGUMENT);
	ck_assert_str_eq(error.message, "golden model: layer 0: the layer has 3 weights but needs 1");
	layers[0].weight_count = 1;
	ck_assert_int_eq(golden_model_output(model, 1, &output, &error), AI8X_ERR_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(error.message, "layer 7: an operand of 1 x 3 x 1"));
	golden_model_destroy(model);
}
END_TEST

#define LENGTH(list) ((int)(sizeof(list) / sizeof(list)[0]))

int main(void)
{
	Suite *suite = suite_create("golden");
	TCase *operators = tcase_create("operators");
	tcase_add_loop_test(operators, test_pool, 0, LENGTH(pool_cases));
	tcase_add_test(operators, test_pool_refusals);
	tcase_add_loop_test(operators, test_combine, 0, LENGTH(combine_cases));
	tcase_add_test(operators, test_order_of_pooling_and_adding);
	tcase_add_test(operators, test_shapes);
	tcase_add_loop_test(operators, test_convolve, 0, LENGTH(conv_cases));
	tcase_add_test(operators, test_convolve_refusals);
	tcase_add_loop_test(operators, test_finish, 0, LENGTH(finish_cases));
	suite_add_tcase(suite, operators);
	TCase *networks = tcase_create("networks");
	tcase_add_test(networks, test_network);
	tcase_add_test(networks, test_network_refusals);
	suite_add_tcase(suite, networks);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
