// Every variant of every kernel of the fast engine against plain loops and plain C, on random and on
// adversarial data (all extremes, which would overflow anything that keeps fewer than 32 bits). With
// AI8XSIM_KERNEL_BENCH set it prints the speed of each as well.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fast/variants.h"

// xorshift: the same data everywhere.
static uint32_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 16);
}

enum filling { FILL_RANDOM, FILL_LEAST, FILL_MOST, FILL_ALTERNATING, FILL_COUNT };

static void fill(int8_t *data, size_t count, enum filling filling, uint64_t *state)
{
	for (size_t i = 0; i < count; i++) {
		switch (filling) {
		case FILL_RANDOM:
			data[i] = (int8_t)next_random(state);
			break;
		case FILL_LEAST:
			data[i] = -128;
			break;
		case FILL_MOST:
			data[i] = 127;
			break;
		case FILL_ALTERNATING:
		case FILL_COUNT:
			data[i] = i % 2 ? 127 : -128;
			break;
		}
	}
}

static const struct {
	uint32_t slots, rows, run, pixels;
} shapes[] = {
	{1, 1, 4, 1},    {3, 1, 12, 2},   {16, 3, 12, 5},  {17, 3, 36, 6},   {64, 3, 192, 32}, {60, 3, 180, 31},
	{100, 1, 64, 7}, {10, 1, 768, 1}, {48, 3, 48, 13}, {7, 1, 2304, 1},  {33, 9, 4, 11},   {128, 1, 16, 29},
	{64, 3, 768, 8}, {5, 2, 20, 9},   {80, 1, 4, 32},  {1, 1, 32768, 1},
};

struct buffers {
	int8_t *image, *weights;
	int16_t *wide;
	void *packed;
	int32_t *sums;
	size_t image_size, pixel_stride, row_stride;
};

static void *allocate(size_t size)
{
	void *block = aligned_alloc(64, (size + 255) / 64 * 64);
	// Also called outside of tests, where libcheck cannot report.
	if (block == NULL)
		exit(2);
	memset(block, 0, (size + 255) / 64 * 64);
	return block;
}

static void open_buffers(struct buffers *b, const struct fast_kernel *kernel, uint32_t slots, uint32_t rows,
                         uint32_t run, uint32_t pixels)
{
	const uint32_t blocks = (slots + kernel->slot_block - 1) / kernel->slot_block;
	b->pixel_stride = run >= 12 ? run / 12 * 4 : run;
	b->row_stride = b->pixel_stride * (pixels + 3) + run;
	b->image_size = b->row_stride * rows;
	b->image = allocate(b->image_size);
	b->wide = allocate(b->image_size * sizeof(int16_t));
	b->weights = allocate((size_t)slots * rows * run);
	b->packed = allocate(kernel->packed_size(blocks, rows, run));
	b->sums = allocate((size_t)FAST_TILE * blocks * kernel->slot_block * sizeof(int32_t));
}

static void close_buffers(struct buffers *b)
{
	free(b->image);
	free(b->wide);
	free(b->weights);
	free(b->packed);
	free(b->sums);
}

static void run_conv(const struct fast_kernel *kernel, struct buffers *b, uint32_t slots, uint32_t rows,
                     uint32_t run, uint32_t pixels)
{
	const uint32_t blocks = (slots + kernel->slot_block - 1) / kernel->slot_block;
	struct fast_conv conv = {
		.image = kernel->wide ? (const void *)b->wide : (const void *)b->image,
		.pixel_stride = b->pixel_stride,
		.row_stride = b->row_stride,
		.rows = rows,
		.run = run,
		.weights = b->packed,
		.blocks = blocks,
		.pixels = pixels,
		.sums = b->sums,
	};
	kernel->conv(&conv);
}

static void test_conv(const struct fast_kernel *kernel, size_t shape, enum filling image,
                      enum filling weights)
{
	const uint32_t slots = shapes[shape].slots, rows = shapes[shape].rows;
	const uint32_t run = shapes[shape].run, pixels = shapes[shape].pixels;
	const uint32_t blocks = (slots + kernel->slot_block - 1) / kernel->slot_block;
	uint64_t state = 0x9e3779b97f4a7c15u + shape;
	struct buffers b;
	open_buffers(&b, kernel, slots, rows, run, pixels);
	fill(b.image, b.image_size, image, &state);
	fill(b.weights, (size_t)slots * rows * run, weights, &state);
	for (size_t i = 0; i < b.image_size; i++) {
		b.wide[i] = b.image[i];
		b.image[i] = (int8_t)((uint8_t)b.image[i] ^ kernel->flip);
	}
	kernel->pack(b.weights, slots, blocks, rows, run, b.packed);
	run_conv(kernel, &b, slots, rows, run, pixels);
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t s = 0; s < slots; s++) {
			int64_t sum = 0;
			for (uint32_t r = 0; r < rows; r++) {
				for (uint32_t k = 0; k < run; k++) {
					int32_t value = b.wide[p * b.pixel_stride + r * b.row_stride + k];
					// What a flip adds is known per slot; it belongs to the kernel's sum.
					value += kernel->flip;
					sum += (int64_t)value * b.weights[((size_t)s * rows + r) * run + k];
				}
			}
			ck_assert_msg(sum == b.sums[(size_t)p * blocks * kernel->slot_block + s],
			              "%s, shape %zu, pixel %u, slot %u: %d, not %lld", kernel->name, shape, p, s,
			              b.sums[(size_t)p * blocks * kernel->slot_block + s], (long long)sum);
		}
	}
	close_buffers(&b);
}

static const struct fast_kernel *runnable(int index)
{
	const struct fast_kernel *kernel = fast_kernels[index];
	if (!kernel->supported()) {
		printf("skipped: this processor does not run %s\n", kernel->name);
		return NULL;
	}
	return kernel;
}

START_TEST(conv_equals_plain_loops)
{
	const struct fast_kernel *kernel = runnable(_i);
	if (kernel == NULL)
		return;
	for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++) {
		for (unsigned image = 0; image < FILL_COUNT; image++)
			for (unsigned weights = 0; weights < FILL_COUNT; weights++)
				test_conv(kernel, shape, (enum filling)image, (enum filling)weights);
	}
}
END_TEST

// Images of 0 .. 127 under weights at, and one past, every bound below which sums of neighbours stay in 16 bits.
static void test_unsigned(const struct fast_kernel *kernel, size_t shape, int32_t weight, bool alternate)
{
	const uint32_t slots = shapes[shape].slots, rows = shapes[shape].rows;
	const uint32_t run = shapes[shape].run, pixels = shapes[shape].pixels;
	const uint32_t blocks = (slots + kernel->slot_block - 1) / kernel->slot_block;
	uint64_t state = 17 + shape;
	struct buffers b;
	open_buffers(&b, kernel, slots, rows, run, pixels);
	for (size_t i = 0; i < b.image_size; i++)
		b.image[i] = (int8_t)(weight == 0 ? next_random(&state) % 128 : 127);
	for (size_t i = 0; i < (size_t)slots * rows * run; i++)
		b.weights[i] = weight == 0                    ? (int8_t)next_random(&state)
		               : alternate && i / 32 % 2 == 1 ? (int8_t)-weight
		                                              : (int8_t)weight;
	kernel->pack(b.weights, slots, blocks, rows, run, b.packed);
	run_conv(kernel, &b, slots, rows, run, pixels);
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t s = 0; s < slots; s++) {
			int32_t sum = 0;
			for (uint32_t r = 0; r < rows; r++)
				for (uint32_t k = 0; k < run; k++)
					sum += b.image[p * b.pixel_stride + r * b.row_stride + k] *
					       b.weights[((size_t)s * rows + r) * run + k];
			ck_assert_msg(sum == b.sums[(size_t)p * blocks * kernel->slot_block + s],
			              "%s, shape %zu, weight %d, pixel %u, slot %u", kernel->name, shape, weight, p, s);
		}
	}
	close_buffers(&b);
}

START_TEST(unsigned_bytes_equal_plain_loops)
{
	static const int32_t weights[] = {0,   1,  2,  4,  8,   9,   16,  17,  32,  33,  64,   65,
	                                  127, -1, -8, -9, -16, -17, -32, -33, -64, -65, -127, -128};
	const struct fast_kernel *kernel = runnable(_i);
	if (kernel == NULL || kernel->unsigned_bytes == NULL)
		return;
	ck_assert_uint_eq(kernel->slot_block, kernel->unsigned_bytes->slot_block);
	ck_assert_uint_eq(kernel->flip, kernel->unsigned_bytes->flip);
	for (size_t shape = 0; shape < sizeof shapes / sizeof shapes[0]; shape++)
		for (size_t w = 0; w < sizeof weights / sizeof weights[0]; w++)
			for (unsigned alternate = 0; alternate < 2; alternate++)
				test_unsigned(kernel->unsigned_bytes, shape, weights[w], alternate != 0);
}
END_TEST

// 3x3 kernels over a row of tiles by transformed windows, products and sums, as lib/fast/winograd.c does it.
static void test_winograd(const struct fast_kernel *kernel, uint32_t channels, uint32_t slots, uint32_t tiles,
                          enum filling image_filling, enum filling weight_filling, bool short_rows,
                          bool short_columns)
{
	enum { PLANES = 36, ROOM = 64 };
	const struct fast_winograd *way = kernel->winograd;
	const uint32_t blocks = (slots + kernel->slot_block - 1) / kernel->slot_block;
	const size_t stride = (size_t)blocks * kernel->slot_block, columns = 4 * (size_t)tiles + 2;
	const size_t packed_size = way->packed_size(blocks, 1, channels);
	const size_t plane = (size_t)tiles * channels + ROOM;
	uint64_t state = 23 + channels;
	int8_t *image = allocate(6 * columns * channels + ROOM),
		   *weights = allocate((size_t)slots * 9 * channels);
	int16_t *transformed = allocate((size_t)PLANES * slots * channels * sizeof *transformed);
	int16_t *windows = allocate(PLANES * plane * sizeof *windows);
	void *packed = allocate(packed_size);
	int32_t *products = allocate(PLANES * tiles * stride * sizeof *products);
	int32_t *sums = allocate(16 * tiles * stride * sizeof *sums);
	fill(image, 6 * columns * channels, image_filling, &state);
	fill(weights, (size_t)slots * 9 * channels, weight_filling, &state);
	way->windows(&(struct fast_windows){
		.image = image,
		.pixel_stride = channels,
		.row_stride = columns * channels,
		.channels = channels,
		.tiles = tiles,
		.short_rows = short_rows,
		.short_columns = short_columns,
		.plane = plane,
		.to = windows,
	});
	for (uint32_t s = 0; s < slots; s++)
		for (uint32_t c = 0; c < channels; c++)
			fast_winograd_kernel(weights + (size_t)s * 9 * channels + c, channels,
			                     transformed + (size_t)s * channels + c, (size_t)slots * channels);
	for (uint32_t p = 0; p < PLANES; p++) {
		way->pack(transformed + (size_t)p * slots * channels, slots, blocks, channels, packed);
		way->conv(&(struct fast_conv){
			.image = windows + p * plane,
			.pixel_stride = channels,
			.rows = 1,
			.run = channels,
			.weights = packed,
			.blocks = blocks,
			.pixels = tiles,
			.sums = products + p * tiles * stride,
		});
	}
	way->sums(&(struct fast_products){
		.products = products,
		.plane = tiles * stride,
		.stride = stride,
		.tiles = tiles,
		.short_rows = short_rows,
		.short_columns = short_columns,
		.to = sums,
		.row_step = 4 * (size_t)tiles * stride,
	});
	for (uint32_t i = 0; i < 16 * tiles; i++) {
		// Tiles of two rows or columns have no others.
		if ((short_rows && i / (4 * tiles) >= 2) || (short_columns && i % 4 >= 2))
			continue;
		const int8_t *corner = image + (i / (4 * tiles) * columns + i % (4 * tiles)) * channels;
		for (uint32_t s = 0; s < slots; s++) {
			int32_t sum = 0;
			for (uint32_t k = 0; k < 9 * channels; k++) {
				const uint32_t tap = k / channels;
				sum += corner[(tap / 3 * columns + tap % 3) * channels + k % channels] *
				       weights[(size_t)s * 9 * channels + k];
			}
			ck_assert_msg(sums[i * stride + s] == sum, "%s, %u channels, value %u, slot %u: %d, not %d",
			              kernel->name, channels, i, s, sums[i * stride + s], sum);
		}
	}
	void *const blocks_of_memory[] = {image, weights, transformed, windows, packed, products, sums};
	for (size_t i = 0; i < sizeof blocks_of_memory / sizeof blocks_of_memory[0]; i++)
		free(blocks_of_memory[i]);
}

START_TEST(winograd_equals_plain_loops)
{
	// 224 channels of -128 by -128 give sums of 33,030,144, just below the bound of 2^25.
	static const uint32_t channels[] = {4, 12, 16, 20, 60, 64, 128, 224};
	const struct fast_kernel *kernel = runnable(_i);
	if (kernel == NULL || kernel->winograd == NULL)
		return;
	for (size_t c = 0; c < sizeof channels / sizeof channels[0]; c++)
		for (unsigned image = 0; image < FILL_COUNT; image++)
			for (unsigned weights = 0; weights < FILL_COUNT; weights++)
				for (unsigned shorter = 0; shorter < 4; shorter++)
					test_winograd(kernel, channels[c], 1 + 9 * (uint32_t)c, 1 + (uint32_t)c % 7,
					              (enum filling)image, (enum filling)weights, shorter % 2 != 0,
					              shorter / 2 != 0);
}
END_TEST

START_TEST(finish_equals_plain_loops)
{
	const struct fast_kernel *kernel = runnable(_i);
	if (kernel == NULL)
		return;
	enum { STRIDE = 77, PIXELS = 3 };
	static const int32_t edges[] = {
		0,     1,         -1,         63,         64,          65,  -63,  -64, -65,  8128, 16320, -16384,
		16383, 268435456, -268435456, 1073741823, -1073741824, 127, -128, 128, -129, 255,  256,   -256};
	int32_t sums[STRIDE * PIXELS], offset[STRIDE];
	int8_t results[STRIDE * PIXELS + 64];
	uint64_t state = 7;
	for (int32_t right = -8; right <= 22; right++) {
		for (unsigned mode = 0; mode < 3; mode++) {
			for (size_t i = 0; i < STRIDE * PIXELS; i++)
				sums[i] = i < sizeof edges / sizeof edges[0]
				              ? edges[i]
				              : (int32_t)next_random(&state) / (1 << (i % 20 + 1));
			for (size_t i = 0; i < STRIDE; i++)
				offset[i] = i % 3 == 0 ? 0 : (int32_t)(next_random(&state) % 32768) - 16384;
			const struct fast_output output = {
				.sums = sums,
				.offset = offset,
				.stride = STRIDE,
				.pixels = PIXELS,
				.right = right,
				.low = mode == 1 ? 0 : -128,
				.absolute = mode == 2,
				.results = results,
			};
			kernel->finish(&output);
			for (size_t i = 0; i < STRIDE * PIXELS; i++) {
				int64_t value = (int64_t)sums[i] + offset[i % STRIDE];
				value = right > 0 ? (value + (INT64_C(1) << (right - 1))) >> right
				                  : value * (INT64_C(1) << -right);
				value = value < -128 ? -128 : value > 127 ? 127 : value;
				if (mode == 1)
					value = value < 0 ? 0 : value;
				else if (mode == 2)
					value = value == -128 ? 127 : value < 0 ? -value : value;
				ck_assert_msg(results[i] == value, "%s, right %d, mode %u, value %zu: %d, not %lld",
				              kernel->name, right, mode, i, results[i], (long long)value);
			}
		}
	}
}
END_TEST

START_TEST(interleave_equals_plain_loops)
{
	const struct fast_kernel *kernel = runnable(_i);
	if (kernel == NULL)
		return;
	uint64_t state = 3;
	for (uint32_t sources = 1; sources <= 16; sources++) {
		for (uint32_t count = 1; count <= 50; count += 7) {
			// Exactly as large as needed: a read or write beyond shows under AddressSanitizer.
			uint32_t *words[16];
			int8_t *to = malloc((size_t)sources * count * 4);
			struct fast_interleave interleave = {
				.sources = sources,
				.count = count,
				.flip = count % 2 ? 0x80808080 : 0,
				.to = to,
			};
			for (uint32_t k = 0; k < sources; k++) {
				interleave.word[k] = words[k] = malloc(count * sizeof(uint32_t));
				for (uint32_t w = 0; w < count; w++)
					words[k][w] = next_random(&state);
			}
			kernel->interleave(&interleave);
			for (uint32_t w = 0; w < count; w++) {
				for (uint32_t k = 0; k < sources; k++) {
					uint32_t got;
					memcpy(&got, to + 4 * ((size_t)w * sources + k), 4);
					ck_assert_uint_eq(got, words[k][w] ^ interleave.flip);
				}
			}
			for (uint32_t k = 0; k < sources; k++)
				free(words[k]);
			free(to);
		}
	}
}
END_TEST

START_TEST(spread_equals_plain_loops)
{
	const struct fast_kernel *kernel = runnable(_i);
	if (kernel == NULL)
		return;
	uint64_t state = 9;
	for (uint32_t targets = 1; targets <= 16; targets++) {
		for (uint32_t pixels = 1; pixels <= FAST_TILE; pixels++) {
			// Exactly as large as needed, here too.
			const size_t stride = 4 * (size_t)targets + pixels % 2 * 4;
			int8_t *results = malloc(stride * pixels);
			struct fast_spread spread = {
				.results = results, .stride = stride, .pixels = pixels, .targets = targets};
			fill(results, stride * pixels, FILL_RANDOM, &state);
			for (uint32_t k = 0; k < targets; k++) {
				spread.to[k] = malloc(pixels * sizeof(uint32_t));
				spread.keep[k] = k % 3 == 1 ? 0x00ffffff : UINT32_MAX;
			}
			kernel->spread(&spread);
			for (uint32_t k = 0; k < targets; k++) {
				for (uint32_t p = 0; p < pixels; p++) {
					uint32_t value;
					memcpy(&value, results + p * stride + 4 * (size_t)k, sizeof value);
					ck_assert_uint_eq(spread.to[k][p], value & spread.keep[k]);
				}
				free(spread.to[k]);
			}
			free(results);
		}
	}
}
END_TEST

START_TEST(depthwise_equals_plain_loops)
{
	const struct fast_kernel *kernel = runnable(_i);
	if (kernel == NULL)
		return;
	uint64_t state = 5;
	for (uint32_t channels = 4; channels <= 132; channels += 16) {
		for (unsigned filling = 0; filling < FILL_COUNT; filling++) {
			int8_t image[9][132], raw[9 * 132];
			int16_t weights[9 * 132];
			int32_t sums[132];
			const int8_t *window[9];
			fill(raw, sizeof raw, (enum filling)filling, &state);
			for (uint32_t t = 0; t < 9; t++) {
				fill(image[t], sizeof image[t], (enum filling)filling, &state);
				window[t] = image[t];
			}
			for (size_t i = 0; i < sizeof raw; i++)
				weights[i] = raw[i];
			kernel->depthwise(window, weights, 9, channels, sums);
			for (uint32_t c = 0; c < channels; c++) {
				int32_t sum = 0;
				for (uint32_t t = 0; t < 9; t++)
					sum += image[t][c] * weights[t * channels + c];
				ck_assert_int_eq(sums[c], sum);
			}
		}
	}
}
END_TEST

// One pooled value by the book: pool first or combine first, clip once, average by table.
static int8_t pooled_value(const struct fast_pool *pool, const int8_t *corner)
{
	int32_t most = -128, total = 0, combined = 0;
	const uint32_t outer = pool->combine_first ? pool->rows * pool->columns : pool->operands;
	const uint32_t inner = pool->combine_first ? pool->operands : pool->rows * pool->columns;
	for (uint32_t i = 0; i < outer; i++) {
		int32_t value = 0, window_most = -128, window_total = 0;
		for (uint32_t j = 0; j < inner; j++) {
			const uint32_t position = pool->combine_first ? i : j, operand = pool->combine_first ? j : i;
			const int32_t sample =
				corner[position / pool->columns * pool->row_step +
			           position % pool->columns * pool->column_step + operand * pool->lanes];
			if (pool->combine_first) {
				value = j == 0                              ? sample
				        : pool->eltwise == AI8X_ELTWISE_SUB ? value - sample
				        : pool->eltwise == AI8X_ELTWISE_ADD ? value + sample
				        : pool->eltwise == AI8X_ELTWISE_OR  ? (value | sample)
				                                            : (value ^ sample);
			} else {
				window_most = sample > window_most ? sample : window_most;
				window_total += sample + 128;
				if (j == 0)
					value = sample;
			}
		}
		if (pool->combine_first) {
			value = value < -128 ? -128 : value > 127 ? 127 : value;
			most = value > most ? value : most;
			total += value + 128;
			continue;
		}
		if (pool->kind == FAST_POOL_MAX)
			value = window_most;
		else if (pool->kind == FAST_POOL_AVERAGE)
			value = pool->average[window_total];
		combined = i == 0                              ? value
		           : pool->eltwise == AI8X_ELTWISE_SUB ? combined - value
		           : pool->eltwise == AI8X_ELTWISE_ADD ? combined + value
		           : pool->eltwise == AI8X_ELTWISE_OR  ? (combined | value)
		                                               : (combined ^ value);
	}
	if (pool->combine_first)
		return pool->kind == FAST_POOL_MAX ? (int8_t)most : pool->average[total];
	return (int8_t)(combined < -128 ? -128 : combined > 127 ? 127 : combined);
}

static void test_pool(const struct fast_kernel *kernel, uint64_t *state)
{
	enum { COLUMNS = 19, ROWS = 17 };
	struct fast_pool pool = {
		.rows = next_random(state) % 16 + 1,
		.columns = next_random(state) % 16 + 1,
		.passes = next_random(state) % 3 + 1,
		.operands = next_random(state) % 3 == 0 ? next_random(state) % 16 + 1 : 1,
		.lanes = next_random(state) % 16 * 4 + 4,
		.kind = next_random(state) % 3,
		.eltwise = next_random(state) % 4,
		.flip = next_random(state) % 2 ? 0x80 : 0,
	};
	if (pool.kind == FAST_POOL_NONE)
		pool.rows = pool.columns = 1;
	pool.combine_first = pool.operands > 1 && pool.kind != FAST_POOL_NONE && next_random(state) % 2;
	const size_t pixel = (size_t)pool.passes * pool.operands * pool.lanes;
	pool.count = (COLUMNS - pool.columns) / 2 + 1;
	pool.step = 2 * pixel;
	pool.column_step = pixel;
	pool.row_step = COLUMNS * pixel;
	pool.to_step = (size_t)pool.passes * pool.lanes;
	const size_t size = (size_t)ROWS * COLUMNS * pixel, area = (size_t)pool.rows * pool.columns;
	int8_t *samples = malloc(size + FAST_POOL_STRIP), *average = malloc(area * 256);
	int8_t *to = malloc(pool.count * pool.to_step);
	fill(samples, size, (enum filling)(next_random(state) % FILL_COUNT), state);
	memset(samples + size, 99, FAST_POOL_STRIP);
	for (size_t i = 0; i < area * 256; i++)
		average[i] = (int8_t)((int32_t)(i / area) - 128);
	pool.samples = samples;
	pool.average = average;
	pool.to = to;
	kernel->pool(&pool);
	for (uint32_t p = 0; p < pool.count; p++) {
		for (uint32_t pass = 0; pass < pool.passes; pass++) {
			for (uint32_t lane = 0; lane < pool.lanes; lane++) {
				const int8_t *corner =
					samples + p * pool.step + (size_t)pass * pool.operands * pool.lanes + lane;
				int8_t want = (int8_t)((uint8_t)pooled_value(&pool, corner) ^ pool.flip);
				int8_t got = to[p * pool.to_step + (size_t)pass * pool.lanes + lane];
				ck_assert_msg(got == want, "%s: window %ux%u, %u operands, kind %u: %d, not %d", kernel->name,
				              pool.rows, pool.columns, pool.operands, pool.kind, got, want);
			}
		}
	}
	free(samples);
	free(average);
	free(to);
}

START_TEST(pool_equals_plain_loops)
{
	const struct fast_kernel *kernel = runnable(_i);
	uint64_t state = 11;
	for (unsigned round = 0; kernel != NULL && round < 300; round++)
		test_pool(kernel, &state);
}
END_TEST

START_TEST(kernels_are_found_by_name)
{
	ck_assert_ptr_eq(fast_kernel_find("c"), &fast_kernel_c);
	ck_assert_ptr_null(fast_kernel_find("abacus"));
	ck_assert_ptr_nonnull(fast_kernel_find(NULL));
}
END_TEST

static double seconds(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Speed on the shape that most networks spend their time in: 3x3, 64 to 64 channels.
static void print_speed(const struct fast_kernel *kernel)
{
	enum { SLOTS = 64, ROWS = 3, RUN = 192, PIXELS = 32 };
	const uint32_t blocks = (SLOTS + kernel->slot_block - 1) / kernel->slot_block;
	struct buffers b;
	uint64_t state = 1;
	open_buffers(&b, kernel, SLOTS, ROWS, RUN, PIXELS);
	fill(b.image, b.image_size, FILL_RANDOM, &state);
	fill(b.weights, (size_t)SLOTS * ROWS * RUN, FILL_RANDOM, &state);
	kernel->pack(b.weights, SLOTS, blocks, ROWS, RUN, b.packed);
	uint64_t calls = 0;
	double start = seconds(), time = 0;
	while (time < 0.25) {
		for (unsigned i = 0; i < 16; i++, calls++)
			run_conv(kernel, &b, SLOTS, ROWS, RUN, PIXELS);
		time = seconds() - start;
	}
	printf("%-12s conv 3x3 64->64: %7.1f GMAC/s\n", kernel->name,
	       (double)(calls * SLOTS * ROWS * RUN * PIXELS) / time / 1e9);
	close_buffers(&b);
}

int main(void)
{
	int kernels = 0;
	while (fast_kernels[kernels] != NULL)
		kernels++;
	Suite *suite = suite_create("kernels");
	TCase *tcase = tcase_create("kernels");
	tcase_set_timeout(tcase, 900);
	tcase_add_loop_test(tcase, conv_equals_plain_loops, 0, kernels);
	tcase_add_loop_test(tcase, unsigned_bytes_equal_plain_loops, 0, kernels);
	tcase_add_loop_test(tcase, winograd_equals_plain_loops, 0, kernels);
	tcase_add_loop_test(tcase, finish_equals_plain_loops, 0, kernels);
	tcase_add_loop_test(tcase, interleave_equals_plain_loops, 0, kernels);
	tcase_add_loop_test(tcase, spread_equals_plain_loops, 0, kernels);
	tcase_add_loop_test(tcase, depthwise_equals_plain_loops, 0, kernels);
	tcase_add_loop_test(tcase, pool_equals_plain_loops, 0, kernels);
	tcase_add_test(tcase, kernels_are_found_by_name);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	for (int k = 0; getenv("AI8XSIM_KERNEL_BENCH") != NULL && k < kernels; k++)
		for (const struct fast_kernel *kernel = fast_kernels[k]; kernel != NULL;
		     kernel = kernel->unsigned_bytes)
			if (fast_kernels[k]->supported())
				print_speed(kernel);
	return failed == 0 ? 0 : 1;
}
