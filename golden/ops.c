// The independent referee's operators: pooling and element-wise by their definitions, convolutions as
// im2col and one matrix product (see ops.h). Written for being evidently right, not for speed.
#include "ops.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blas.h"
#include "fail.h"

// Doubles of one im2col block: large images are multiplied a few rows at a time.
#define BLOCK_DOUBLES ((size_t)1 << 20)
// The most values one tensor may hold: far above any part's memories, far below overflow.
#define TENSOR_LIMIT ((size_t)1 << 28)
// Integers up to here are exact in double precision.
#define EXACT_LIMIT 9007199254740992.0

void golden_use_one_thread(void)
{
	struct blas blas;
	// Where it cannot be loaded there is nothing to set, and the first product says why.
	if (blas_load(&blas, NULL) == AI8X_OK)
		blas.set_num_threads(1);
}

size_t golden_tensor_size(const golden_tensor *tensor)
{
	return tensor->channels * tensor->rows * tensor->columns;
}

ai8x_status golden_tensor_create(size_t channels, size_t rows, size_t columns, golden_tensor *tensor,
                                 ai8x_error *error)
{
	*tensor = (golden_tensor){0};
	if (channels == 0 || rows == 0 || columns == 0) {
		return golden_fail(error, AI8X_ERR_ARGUMENT, "a tensor of %zu x %zu x %zu values is empty", channels,
		                   rows, columns);
	}
	if (rows > TENSOR_LIMIT || columns > TENSOR_LIMIT / rows || channels > TENSOR_LIMIT / (rows * columns)) {
		return golden_fail(error, AI8X_ERR_LIMIT,
		                   "a tensor of %zu x %zu x %zu values is larger than %zu values", channels, rows,
		                   columns, TENSOR_LIMIT);
	}
	int32_t *data = calloc(channels * rows * columns, sizeof *data);
	if (data == NULL) {
		return golden_fail(error, AI8X_ERR_NO_MEMORY, "no memory for a tensor of %zu x %zu x %zu values",
		                   channels, rows, columns);
	}
	*tensor = (golden_tensor){.channels = channels, .rows = rows, .columns = columns, .data = data};
	return AI8X_OK;
}

ai8x_status golden_tensor_copy(const golden_tensor *from, golden_tensor *to, ai8x_error *error)
{
	ai8x_status status = golden_tensor_create(from->channels, from->rows, from->columns, to, error);
	if (status == AI8X_OK)
		memcpy(to->data, from->data, golden_tensor_size(from) * sizeof *to->data);
	return status;
}

void golden_tensor_destroy(golden_tensor *tensor)
{
	free(tensor->data);
	*tensor = (golden_tensor){0};
}

// --- pooling ---------------------------------------------------------------------------------------

// Rows or columns of a pooled image. With dilation the window counts as window + dilation - 1 pixels,
// as the vendor's generator counts it (hardware reference 4.3).
static size_t pooled_size(size_t size, unsigned window, unsigned stride, unsigned dilation)
{
	size_t extent = (size_t)window + dilation - 1;
	return size < extent ? 0 : (size - extent) / stride + 1;
}

static int32_t average(int64_t sum, int64_t count, bool round)
{
	if (!round)
		return (int32_t)(sum / count);
	int64_t magnitude = ((sum < 0 ? -sum : sum) * 2 + count) / (2 * count);
	return (int32_t)(sum < 0 ? -magnitude : magnitude);
}

static int32_t pool_window(const int32_t *plane, size_t columns, size_t row, size_t column,
                           const golden_pooling *pooling)
{
	int64_t sum = 0;
	int32_t maximum = INT32_MIN;
	for (unsigned r = 0; r < pooling->window.rows; r++) {
		for (unsigned c = 0; c < pooling->window.columns; c++) {
			size_t y = row + (size_t)r * pooling->dilation.rows;
			size_t x = column + (size_t)c * pooling->dilation.columns;
			int32_t value = plane[y * columns + x];
			sum += value;
			maximum = value > maximum ? value : maximum;
		}
	}
	int64_t count = (int64_t)pooling->window.rows * pooling->window.columns;
	return pooling->average ? average(sum, count, pooling->round) : maximum;
}

ai8x_status golden_pool(const golden_tensor *in, const golden_pooling *pooling, golden_tensor *out,
                        ai8x_error *error)
{
	*out = (golden_tensor){0};
	golden_pair window = pooling->window;
	golden_pair stride = pooling->stride;
	golden_pair dilation = pooling->dilation;
	if (window.rows == 0 || window.columns == 0 || stride.rows == 0 || stride.columns == 0 ||
	    dilation.rows == 0 || dilation.columns == 0)
		return golden_fail(error, AI8X_ERR_ARGUMENT, "pooling window, stride or dilation is 0");
	size_t rows = pooled_size(in->rows, window.rows, stride.rows, dilation.rows);
	size_t columns = pooled_size(in->columns, window.columns, stride.columns, dilation.columns);
	if (rows == 0 || columns == 0) {
		return golden_fail(error, AI8X_ERR_ARGUMENT,
		                   "a pooling window of %u x %u does not fit into an image of %zu x %zu", window.rows,
		                   window.columns, in->rows, in->columns);
	}
	size_t last_row = (rows - 1) * stride.rows + (size_t)(window.rows - 1) * dilation.rows;
	size_t last_column = (columns - 1) * stride.columns + (size_t)(window.columns - 1) * dilation.columns;
	if (last_row >= in->rows || last_column >= in->columns) {
		return golden_fail(error, AI8X_ERR_UNSUPPORTED,
		                   "dilated pooling reads row %zu, column %zu of an image of %zu x %zu", last_row,
		                   last_column, in->rows, in->columns);
	}
	ai8x_status status = golden_tensor_create(in->channels, rows, columns, out, error);
	if (status != AI8X_OK)
		return status;
	int32_t *value = out->data;
	for (size_t channel = 0; channel < in->channels; channel++) {
		const int32_t *plane = in->data + channel * in->rows * in->columns;
		for (size_t row = 0; row < rows; row++) {
			for (size_t column = 0; column < columns; column++) {
				*value++ =
					pool_window(plane, in->columns, row * stride.rows, column * stride.columns, pooling);
			}
		}
	}
	return AI8X_OK;
}

// --- element-wise, shapes --------------------------------------------------------------------------

static bool same_shape(const golden_tensor *a, const golden_tensor *b)
{
	return a->channels == b->channels && a->rows == b->rows && a->columns == b->columns;
}

static int32_t clip8(int64_t value)
{
	return value > INT8_MAX ? INT8_MAX : value < INT8_MIN ? INT8_MIN : (int32_t)value;
}

static int64_t add(int64_t left, int64_t right)
{
	return left + right;
}

static int64_t subtract(int64_t left, int64_t right)
{
	return left - right;
}

static int64_t either(int64_t left, int64_t right)
{
	return left | right;
}

static int64_t exclusive(int64_t left, int64_t right)
{
	return left ^ right;
}

golden_eltwise golden_eltwise_named(const char *name)
{
	static const struct {
		const char *name;
		golden_eltwise combine;
	} rows[] = {{"add", add}, {"sub", subtract}, {"or", either}, {"xor", exclusive}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].combine;
	return NULL;
}

ai8x_status golden_combine(const golden_tensor *const *operands, size_t count, golden_eltwise eltwise,
                           golden_tensor *out, ai8x_error *error)
{
	*out = (golden_tensor){0};
	if (count == 0)
		return golden_fail(error, AI8X_ERR_ARGUMENT, "an element-wise operator without operands");
	for (size_t i = 1; i < count; i++) {
		if (!same_shape(operands[0], operands[i])) {
			return golden_fail(error, AI8X_ERR_ARGUMENT,
			                   "operand %zu has the shape %zu x %zu x %zu, operand 0 has %zu x %zu x %zu", i,
			                   operands[i]->channels, operands[i]->rows, operands[i]->columns,
			                   operands[0]->channels, operands[0]->rows, operands[0]->columns);
		}
	}
	ai8x_status status =
		golden_tensor_create(operands[0]->channels, operands[0]->rows, operands[0]->columns, out, error);
	if (status != AI8X_OK)
		return status;
	for (size_t k = 0; k < golden_tensor_size(out); k++) {
		int64_t value = operands[0]->data[k];
		for (size_t i = 1; i < count; i++)
			value = eltwise(value, operands[i]->data[k]);
		out->data[k] = clip8(value);
	}
	return AI8X_OK;
}

ai8x_status golden_flatten(const golden_tensor *in, golden_tensor *out, ai8x_error *error)
{
	ai8x_status status = golden_tensor_copy(in, out, error);
	if (status == AI8X_OK) {
		out->channels = golden_tensor_size(in);
		out->rows = 1;
		out->columns = 1;
	}
	return status;
}

ai8x_status golden_concatenate(const golden_tensor *const *parts, size_t count, golden_tensor *out,
                               ai8x_error *error)
{
	*out = (golden_tensor){0};
	if (count == 0)
		return golden_fail(error, AI8X_ERR_ARGUMENT, "a concatenation of nothing");
	size_t channels = 0;
	for (size_t i = 0; i < count; i++) {
		if (parts[i]->rows != parts[0]->rows || parts[i]->columns != parts[0]->columns) {
			return golden_fail(error, AI8X_ERR_ARGUMENT,
			                   "part %zu of a concatenation is %zu x %zu, part 0 is %zu x %zu", i,
			                   parts[i]->rows, parts[i]->columns, parts[0]->rows, parts[0]->columns);
		}
		channels += parts[i]->channels;
	}
	ai8x_status status = golden_tensor_create(channels, parts[0]->rows, parts[0]->columns, out, error);
	if (status != AI8X_OK)
		return status;
	int32_t *next = out->data;
	for (size_t i = 0; i < count; i++) {
		memcpy(next, parts[i]->data, golden_tensor_size(parts[i]) * sizeof *next);
		next += golden_tensor_size(parts[i]);
	}
	return AI8X_OK;
}

ai8x_status golden_slice(const golden_tensor *in, size_t first, size_t count, golden_tensor *out,
                         ai8x_error *error)
{
	*out = (golden_tensor){0};
	if (first > in->channels || count > in->channels - first) {
		return golden_fail(error, AI8X_ERR_ARGUMENT, "channels %zu to %zu of a tensor of %zu channels", first,
		                   first + count, in->channels);
	}
	ai8x_status status = golden_tensor_create(count, in->rows, in->columns, out, error);
	if (status == AI8X_OK) {
		memcpy(out->data, in->data + first * in->rows * in->columns,
		       golden_tensor_size(out) * sizeof *out->data);
	}
	return status;
}

// --- convolution -----------------------------------------------------------------------------------

// Every pixel followed by a zero, every row by a row of zeros (hardware reference 4.6).
static ai8x_status insert_zeros(const golden_tensor *in, golden_tensor *out, ai8x_error *error)
{
	ai8x_status status = golden_tensor_create(in->channels, 2 * in->rows, 2 * in->columns, out, error);
	if (status != AI8X_OK)
		return status;
	for (size_t channel = 0; channel < in->channels; channel++) {
		for (size_t row = 0; row < in->rows; row++) {
			for (size_t column = 0; column < in->columns; column++) {
				out->data[(channel * out->rows + 2 * row) * out->columns + 2 * column] =
					in->data[(channel * in->rows + row) * in->columns + column];
			}
		}
	}
	return AI8X_OK;
}

static bool weight_in_range(int weight, int bits)
{
	if (bits == GOLDEN_BINARY)
		return weight == 1 || weight == -1;
	return weight >= -(1 << (bits - 1)) && weight < (1 << (bits - 1));
}

static ai8x_status check_weights(const golden_convolution *convolution, size_t count, ai8x_error *error)
{
	int bits = convolution->weight_bits;
	if (bits != 8 && bits != 4 && bits != 2 && bits != 1 && bits != GOLDEN_BINARY)
		return golden_fail(error, AI8X_ERR_ARGUMENT, "weights of %d bits (8, 4, 2, 1 or binary)", bits);
	for (size_t i = 0; i < count; i++) {
		if (!weight_in_range(convolution->weights[i], bits)) {
			return golden_fail(error, AI8X_ERR_ARGUMENT, "weight %zu is %d, which %s cannot hold", i,
			                   convolution->weights[i],
			                   bits == GOLDEN_BINARY ? "a binary weight" : "the layer's quantization");
		}
	}
	return AI8X_OK;
}

static double largest_magnitude(const golden_tensor *tensor)
{
	double largest = 0;
	for (size_t i = 0; i < golden_tensor_size(tensor); i++)
		largest = fmax(largest, fabs((double)tensor->data[i]));
	return largest;
}

// What one convolution works with: sizes of the image, of the result and of the matrices.
struct geometry {
	const golden_tensor *image;
	golden_pair kernel;
	golden_pair padding;
	golden_pair dilation;
	size_t rows; // of the result
	size_t columns;
	size_t in_group; // channels of the image per group
	size_t out_group;
	size_t depth; // products of one sum
};

// One im2col block of a group: `depth` matrix rows, one matrix column per pixel of result rows
// first_row .. first_row + row_count - 1. Pixels outside the image are zeros.
static void unfold(const struct geometry *g, size_t group, size_t first_row, size_t row_count, double *matrix)
{
	const golden_tensor *image = g->image;
	for (size_t channel = 0; channel < g->in_group; channel++) {
		const int32_t *plane = image->data + (group * g->in_group + channel) * image->rows * image->columns;
		for (unsigned kr = 0; kr < g->kernel.rows; kr++) {
			for (unsigned kc = 0; kc < g->kernel.columns; kc++) {
				for (size_t row = first_row; row < first_row + row_count; row++) {
					size_t y = row + (size_t)kr * g->dilation.rows;
					bool inside_row = y >= g->padding.rows && y - g->padding.rows < image->rows;
					for (size_t column = 0; column < g->columns; column++) {
						size_t x = column + (size_t)kc * g->dilation.columns;
						bool inside =
							inside_row && x >= g->padding.columns && x - g->padding.columns < image->columns;
						*matrix++ =
							inside ? plane[(y - g->padding.rows) * image->columns + x - g->padding.columns]
								   : 0.0;
					}
				}
			}
		}
	}
}

// Adds bias and stores a block of sums; false where one does not fit into 32 bits.
static bool store_sums(const struct geometry *g, const golden_convolution *convolution, size_t group,
                       size_t first_row, size_t pixels, const double *product, golden_tensor *sums)
{
	bool fits = true;
	for (size_t o = 0; o < g->out_group; o++) {
		size_t channel = group * g->out_group + o;
		double bias = convolution->bias != NULL ? 128.0 * convolution->bias[channel] : 0.0;
		int32_t *to = sums->data + (channel * g->rows + first_row) * g->columns;
		for (size_t pixel = 0; pixel < pixels; pixel++) {
			double sum = product[o * pixels + pixel] + bias;
			fits = fits && sum >= INT32_MIN && sum <= INT32_MAX;
			to[pixel] = fits ? (int32_t)sum : 0;
		}
	}
	return fits;
}

static ai8x_status multiply(const struct geometry *g, const golden_convolution *convolution,
                            golden_tensor *sums, ai8x_error *error)
{
	size_t groups = convolution->groups;
	size_t weight_count = convolution->out_channels * g->depth;
	size_t block_rows = BLOCK_DOUBLES / (g->depth * g->columns);
	block_rows = block_rows == 0 ? 1 : block_rows > g->rows ? g->rows : block_rows;
	struct blas blas;
	ai8x_status status = blas_load(&blas, error);
	double *weights = malloc(weight_count * sizeof *weights);
	double *matrix = malloc(g->depth * block_rows * g->columns * sizeof *matrix);
	double *product = malloc(g->out_group * block_rows * g->columns * sizeof *product);
	if (weights == NULL || matrix == NULL || product == NULL)
		status = golden_fail(error, AI8X_ERR_NO_MEMORY, "no memory for a matrix product");
	else
		for (size_t i = 0; i < weight_count; i++)
			weights[i] = convolution->weights[i];
	for (size_t group = 0; group < groups && status == AI8X_OK; group++) {
		for (size_t row = 0; row < g->rows && status == AI8X_OK; row += block_rows) {
			size_t row_count = g->rows - row < block_rows ? g->rows - row : block_rows;
			size_t pixels = row_count * g->columns;
			unfold(g, group, row, row_count, matrix);
			blas.dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)g->out_group, (int)pixels,
			           (int)g->depth, 1.0, weights + group * g->out_group * g->depth, (int)g->depth, matrix,
			           (int)pixels, 0.0, product, (int)pixels);
			if (!store_sums(g, convolution, group, row, pixels, product, sums))
				status = golden_fail(error, AI8X_ERR_LIMIT, "a sum of products exceeds 32 bits");
		}
	}
	free(product);
	free(matrix);
	free(weights);
	return status;
}

static ai8x_status convolve_image(const golden_tensor *image, const golden_convolution *convolution,
                                  golden_pair padding, golden_tensor *sums, ai8x_error *error)
{
	golden_pair kernel = convolution->kernel;
	golden_pair dilation = convolution->dilation;
	size_t extent_rows = (size_t)(kernel.rows - 1) * dilation.rows + 1;
	size_t extent_columns = (size_t)(kernel.columns - 1) * dilation.columns + 1;
	size_t padded_rows = image->rows + 2 * (size_t)padding.rows;
	size_t padded_columns = image->columns + 2 * (size_t)padding.columns;
	if (padded_rows < extent_rows || padded_columns < extent_columns) {
		return golden_fail(error, AI8X_ERR_ARGUMENT,
		                   "a kernel of %zu x %zu pixels does not fit into a padded image of %zu x %zu",
		                   extent_rows, extent_columns, padded_rows, padded_columns);
	}
	struct geometry g = {
		.image = image,
		.kernel = kernel,
		.padding = padding,
		.dilation = dilation,
		.rows = padded_rows - extent_rows + 1,
		.columns = padded_columns - extent_columns + 1,
		.in_group = image->channels / convolution->groups,
		.out_group = convolution->out_channels / convolution->groups,
	};
	g.depth = g.in_group * kernel.rows * kernel.columns;
	if (g.depth > TENSOR_LIMIT / convolution->out_channels || g.depth * g.columns > INT_MAX)
		return golden_fail(error, AI8X_ERR_LIMIT, "%zu weights per channel are too many", g.depth);
	ai8x_status status = check_weights(convolution, convolution->out_channels * g.depth, error);
	if (status != AI8X_OK)
		return status;
	if ((double)g.depth * 128.0 * largest_magnitude(image) + 128.0 * 128.0 >= EXACT_LIMIT)
		return golden_fail(error, AI8X_ERR_LIMIT, "sums of %zu products could reach 2^53", g.depth);
	status = golden_tensor_create(convolution->out_channels, g.rows, g.columns, sums, error);
	if (status != AI8X_OK)
		return status;
	status = multiply(&g, convolution, sums, error);
	if (status != AI8X_OK)
		golden_tensor_destroy(sums);
	return status;
}

ai8x_status golden_convolve(const golden_tensor *in, const golden_convolution *convolution,
                            golden_tensor *sums, ai8x_error *error)
{
	*sums = (golden_tensor){0};
	golden_pair kernel = convolution->kernel;
	size_t groups = convolution->groups;
	if (kernel.rows == 0 || kernel.columns == 0 || convolution->dilation.rows == 0 ||
	    convolution->dilation.columns == 0 || convolution->out_channels == 0 || convolution->weights == NULL)
		return golden_fail(error, AI8X_ERR_ARGUMENT, "a convolution without kernel, dilation or weights");
	if (groups == 0 || in->channels % groups != 0 || convolution->out_channels % groups != 0) {
		return golden_fail(error, AI8X_ERR_ARGUMENT, "%zu groups do not divide %zu and %zu channels", groups,
		                   in->channels, convolution->out_channels);
	}
	if (convolution->kind != GOLDEN_CONVTRANSPOSE2D)
		return convolve_image(in, convolution, convolution->padding, sums, error);
	if (convolution->padding.rows >= kernel.rows || convolution->padding.columns >= kernel.columns)
		return golden_fail(error, AI8X_ERR_ARGUMENT, "a transposed convolution padded by its whole kernel");
	golden_tensor image;
	ai8x_status status = insert_zeros(in, &image, error);
	if (status != AI8X_OK)
		return status;
	golden_pair padding = {kernel.rows - 1 - convolution->padding.rows,
	                       kernel.columns - 1 - convolution->padding.columns};
	status = convolve_image(&image, convolution, padding, sums, error);
	golden_tensor_destroy(&image);
	return status;
}

// --- output ----------------------------------------------------------------------------------------

static int32_t finish_value(int32_t sum, const golden_output *output)
{
	// Exact: the product is a 32-bit integer times a power of two.
	double scaled = floor(0.5 + ldexp((double)sum, output->shift - 7));
	int32_t value = (int32_t)fmin(fmax(scaled, INT8_MIN), INT8_MAX);
	switch (output->activation) {
	case GOLDEN_ACTIVATION_RELU:
		return value < 0 ? 0 : value;
	case GOLDEN_ACTIVATION_ABS:
		value = value < 0 ? -value : value;
		return value > INT8_MAX ? INT8_MAX : value;
	case GOLDEN_ACTIVATION_NONE:
		break;
	}
	return value;
}

ai8x_status golden_finish(const golden_tensor *sums, const golden_output *output, golden_tensor *out,
                          ai8x_error *error)
{
	ai8x_status status = golden_tensor_copy(sums, out, error);
	if (status != AI8X_OK || output->wide)
		return status;
	for (size_t i = 0; i < golden_tensor_size(out); i++)
		out->data[i] = finish_value(sums->data[i], output);
	return AI8X_OK;
}

// --- whole layers ----------------------------------------------------------------------------------

static ai8x_status pool_each(const golden_tensor *const *operands, size_t count,
                             const golden_pooling *pooling, golden_eltwise eltwise, golden_tensor *out,
                             ai8x_error *error)
{
	golden_tensor *pooled = calloc(count, sizeof *pooled);
	const golden_tensor **list = calloc(count, sizeof *list);
	ai8x_status status = AI8X_OK;
	if (pooled == NULL || list == NULL)
		status = golden_fail(error, AI8X_ERR_NO_MEMORY, "no memory for %zu operands", count);
	for (size_t i = 0; i < count && status == AI8X_OK; i++) {
		status = golden_pool(operands[i], pooling, &pooled[i], error);
		list[i] = &pooled[i];
	}
	if (status == AI8X_OK)
		status = golden_combine(list, count, eltwise, out, error);
	for (size_t i = 0; pooled != NULL && i < count; i++)
		golden_tensor_destroy(&pooled[i]);
	free(list);
	free(pooled);
	return status;
}

static ai8x_status pool_and_combine(const golden_tensor *const *operands, size_t count,
                                    const golden_layer *layer, golden_tensor *out, ai8x_error *error)
{
	*out = (golden_tensor){0};
	if (layer->eltwise == NULL) {
		if (count != 1) {
			return golden_fail(error, AI8X_ERR_ARGUMENT, "%zu operands without an element-wise operator",
			                   count);
		}
		return golden_pool(operands[0], &layer->pooling, out, error);
	}
	if (!layer->eltwise_first)
		return pool_each(operands, count, &layer->pooling, layer->eltwise, out, error);
	golden_tensor combined;
	ai8x_status status = golden_combine(operands, count, layer->eltwise, &combined, error);
	if (status != AI8X_OK)
		return status;
	status = golden_pool(&combined, &layer->pooling, out, error);
	golden_tensor_destroy(&combined);
	return status;
}

ai8x_status golden_prepare(const golden_tensor *const *operands, size_t count, const golden_layer *layer,
                           golden_tensor *out, ai8x_error *error)
{
	*out = (golden_tensor){0};
	golden_tensor image;
	ai8x_status status = pool_and_combine(operands, count, layer, &image, error);
	if (status != AI8X_OK || !layer->flatten) {
		*out = image;
		return status;
	}
	status = golden_flatten(&image, out, error);
	golden_tensor_destroy(&image);
	return status;
}

ai8x_status golden_run_layer(const golden_tensor *const *operands, size_t count, const golden_layer *layer,
                             golden_tensor *out, ai8x_error *error)
{
	*out = (golden_tensor){0};
	golden_tensor input;
	golden_tensor sums = {0};
	ai8x_status status = golden_prepare(operands, count, layer, &input, error);
	if (status != AI8X_OK || layer->convolution.kind == GOLDEN_PASSTHROUGH) {
		*out = input;
		return status;
	}
	status = golden_convolve(&input, &layer->convolution, &sums, error);
	if (status == AI8X_OK)
		status = golden_finish(&sums, &layer->output, out, error);
	golden_tensor_destroy(&sums);
	golden_tensor_destroy(&input);
	return status;
}
