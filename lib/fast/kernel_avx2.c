// Kernels for AVX2: pairs of 16-bit products summed to 32 bits (VPMADDWD), which never saturates for
// 8-bit operands. Images without negative values go to kernel_avx2_bytes.c, which is denser.
#include "fast/variants.h"

#include <immintrin.h>
#include <string.h>

#define KERNEL(name) name##_avx2
#include "fast/finish_template.h"
#include "fast/transpose_template.h"

#include "fast/kernel_template.h"

// Sixteen bytes to a register of 16-bit values.
static inline __m256i widen_bytes(const int8_t *from)
{
	return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)from));
}

#define WINOGRAD_BYTES 32
#define WINOGRAD_LOAD(from) (shorts_avx2) widen_bytes(from)
#include "fast/winograd_template.h"

#define VALUE int16_t
#define BLOCK 8 // slots of a register of sums
#include "fast/column_template.h"

#define MOST_PIXELS 8 // of a tile
#define MOST_BLOCKS 2

extern const struct fast_kernel fast_kernel_avx2_bytes;
extern const struct fast_winograd fast_winograd_avxvnni;

static bool supported(void)
{
	return __builtin_cpu_supports("avx2") != 0;
}

static size_t packed_size(uint32_t blocks, uint32_t rows, uint32_t run)
{
	return (size_t)blocks * BLOCK * rows * run * sizeof(int16_t);
}

// Place of a slot's value: [block][value / 2][slot][value % 2], 16 bits each.
static inline size_t place(uint32_t slot, size_t depth, size_t k)
{
	return ((size_t)(slot / BLOCK) * (depth / 2) + k / 2) * (BLOCK * 2) + slot % BLOCK * 2 + k % 2;
}

static void pack(const int8_t *weights, uint32_t slots, uint32_t blocks, uint32_t rows, uint32_t run,
                 void *packed)
{
	const size_t depth = (size_t)rows * run;
	int16_t *to = packed;
	memset(packed, 0, packed_size(blocks, rows, run));
	for (uint32_t s = 0; s < slots; s++)
		for (size_t k = 0; k < depth; k++)
			to[place(s, depth, k)] = weights[s * depth + k];
}

static void pack_shorts(const int16_t *weights, uint32_t slots, uint32_t blocks, uint32_t run, void *packed)
{
	int16_t *to = packed;
	memset(packed, 0, packed_size(blocks, 1, run));
	for (uint32_t s = 0; s < slots; s++)
		for (size_t k = 0; k < run; k += 2)
			memcpy(to + place(s, run, k), weights + (size_t)s * run + k, 2 * sizeof *to);
}

// Keeps a sum in its register: compilers like to take steps together, whose sums then do not fit registers.
#define HOLD(sum) __asm__("" : "+x"(sum))

// Two values of each pixel and slot.
static inline __attribute__((always_inline)) void step(__m256i sum[MOST_PIXELS][MOST_BLOCKS],
                                                       const int16_t *const from[MOST_PIXELS], size_t k,
                                                       const int16_t *weights, size_t block_stride,
                                                       const uint32_t pixels, const uint32_t blocks)
{
	__m256i weight[MOST_BLOCKS];
	for (uint32_t b = 0; b < blocks; b++)
		weight[b] = _mm256_loadu_si256((const __m256i *)(const void *)(weights + b * block_stride));
	for (uint32_t p = 0; p < pixels; p++) {
		int32_t two;
		memcpy(&two, from[p] + k, sizeof two);
		const __m256i value = _mm256_set1_epi32(two);
		for (uint32_t b = 0; b < blocks; b++) {
			sum[p][b] = _mm256_add_epi32(sum[p][b], _mm256_madd_epi16(value, weight[b]));
			HOLD(sum[p][b]);
		}
	}
}

// `ahead`: fetches the weights that follow those of these blocks, for the next column. They come from the second cache.
static inline __attribute__((always_inline)) void tile(struct column *column, const uint32_t pixels,
                                                       const uint32_t blocks, const bool ahead)
{
	const int16_t *row = column->image, *weights = column->weights;
	__m256i sum[MOST_PIXELS][MOST_BLOCKS];
	for (uint32_t p = 0; p < pixels; p++)
		for (uint32_t b = 0; b < blocks; b++)
			sum[p][b] = _mm256_setzero_si256();
	for (size_t r = column->rows; r > 0; r--) {
		const int16_t *from[MOST_PIXELS];
		for (uint32_t p = 0; p < pixels; p++)
			from[p] = row + p * column->pixel_stride;
		for (size_t k = 0; k < column->run; k += 4) {
			for (uint32_t b = 0; ahead && b < blocks; b++)
				_mm_prefetch((const char *)(weights + (blocks + b) * column->block_stride), _MM_HINT_T0);
			step(sum, from, k, weights, column->block_stride, pixels, blocks);
			step(sum, from, k + 2, weights + BLOCK * 2, column->block_stride, pixels, blocks);
			weights += BLOCK * 4;
		}
		row += column->row_stride;
	}
	for (uint32_t p = 0; p < pixels; p++) {
		for (uint32_t b = 0; b < blocks; b++)
			_mm256_storeu_si256((__m256i *)(void *)(column->to + (size_t)b * BLOCK), sum[p][b]);
		column->to += column->stride;
	}
	column_next(column, pixels);
}

// All pixels under the same blocks, one block or two, `most` at a time: their weights stay in the first cache.
#define SHORT_COLUMN(blocks, most)                                                                           \
	static void column_##blocks(const struct fast_conv *conv, uint32_t block)                                \
	{                                                                                                        \
		struct column column = column_of(conv, conv->weights, block);                                        \
		if (column.left > (most))                                                                            \
			tile(&column, most, blocks, true);                                                               \
		while (column.left >= (most))                                                                        \
			tile(&column, most, blocks, false);                                                              \
		while (column.left >= 3)                                                                             \
			tile(&column, 3, blocks, false);                                                                 \
		while (column.left >= 2)                                                                             \
			tile(&column, 2, blocks, false);                                                                 \
		if (column.left > 0)                                                                                 \
			tile(&column, 1, blocks, false);                                                                 \
	}

SHORT_COLUMN(2, 4)
SHORT_COLUMN(1, 8)

static void conv(const struct fast_conv *conv)
{
	uint32_t block = 0;
	for (; block + 2 <= conv->blocks; block += 2)
		column_2(conv, block);
	if (block < conv->blocks)
		column_1(conv, block);
}

#define WINOGRAD(product, window, sum)                                                                       \
	{                                                                                                        \
		.product_cost = (product), .window_cost = (window), .sum_cost = (sum), .packed_size = packed_size,   \
		.pack = pack_shorts, .conv = conv, .windows = winograd_windows_avx2, .sums = winograd_sums_avx2,     \
	}

static const struct fast_winograd winograd = WINOGRAD(12, 52, 95);
// Beside bytes that AVX-VNNI multiplies 1.7 times as fast.
const struct fast_winograd fast_winograd_avxvnni = WINOGRAD(20, 88, 160);

const struct fast_kernel fast_kernel_avx2 = {
	.name = "avx2",
	.unsigned_bytes = &fast_kernel_avx2_bytes,
	.winograd = &winograd,
	.supported = supported,
	.wide = true,
	.slot_block = BLOCK,
	KERNEL_FUNCTIONS,
};
