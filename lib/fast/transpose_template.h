// Words of four instances at a time, for x86. The including file defines KERNEL(name), and KERNEL_INTERLEAVE_4 where it
// brings its own; it includes this before kernel_template.h.
#include <immintrin.h>
#include <string.h>

#define KERNEL_SPREAD_4 KERNEL(spread_4)
#define KERNEL_SPREAD_8 KERNEL(spread_8)

// Rows of four words become columns.
static inline void KERNEL(transpose_4)(__m128i row[4])
{
	const __m128i a = _mm_unpacklo_epi32(row[0], row[1]), b = _mm_unpackhi_epi32(row[0], row[1]);
	const __m128i c = _mm_unpacklo_epi32(row[2], row[3]), d = _mm_unpackhi_epi32(row[2], row[3]);
	row[0] = _mm_unpacklo_epi64(a, c);
	row[1] = _mm_unpackhi_epi64(a, c);
	row[2] = _mm_unpacklo_epi64(b, d);
	row[3] = _mm_unpackhi_epi64(b, d);
}

// The same in both halves of registers.
static inline void KERNEL(transpose_8)(__m256i row[4])
{
	const __m256i a = _mm256_unpacklo_epi32(row[0], row[1]), b = _mm256_unpackhi_epi32(row[0], row[1]);
	const __m256i c = _mm256_unpacklo_epi32(row[2], row[3]), d = _mm256_unpackhi_epi32(row[2], row[3]);
	row[0] = _mm256_unpacklo_epi64(a, c);
	row[1] = _mm256_unpackhi_epi64(a, c);
	row[2] = _mm256_unpacklo_epi64(b, d);
	row[3] = _mm256_unpackhi_epi64(b, d);
}

#ifndef KERNEL_INTERLEAVE_4
#define KERNEL_INTERLEAVE_4 KERNEL(interleave_4)
#define KERNEL_INTERLEAVE_8 KERNEL(interleave_8)

// Four words of each of eight sources: four sources in each half of a register.
static inline void KERNEL(interleave_8x4)(const uint32_t *const from[8], uint32_t w, __m256i flip, int8_t *to,
                                          size_t step)
{
	__m256i row[4];
	for (uint32_t k = 0; k < 4; k++)
		row[k] = _mm256_xor_si256(_mm256_loadu2_m128i((const __m128i *)(const void *)(from[k + 4] + w),
		                                              (const __m128i *)(const void *)(from[k] + w)),
		                          flip);
	KERNEL(transpose_8)(row);
	for (uint32_t j = 0; j < 4; j++)
		_mm256_storeu_si256((__m256i *)(void *)(to + (w + j) * step), row[j]);
}

// Words of eight sources side by side.
static void KERNEL(interleave_8)(const struct fast_interleave *interleave, uint32_t first)
{
	const size_t step = 4 * (size_t)interleave->sources;
	const uint32_t count = interleave->count;
	const __m256i flip = _mm256_set1_epi32((int)interleave->flip);
	int8_t *to = interleave->to + 4 * (size_t)first;
	const uint32_t *from[8];
	memcpy(from, interleave->word + first, sizeof from);
	for (uint32_t w = 0; w + 4 <= count; w += 4)
		KERNEL(interleave_8x4)(from, w, flip, to, step);
	// The last four once more, rather than the rest one by one.
	if (count > 4 && count % 4 != 0)
		KERNEL(interleave_8x4)(from, count - 4, flip, to, step);
	for (uint32_t w = 0; count < 4 && w < count; w++) {
		for (uint32_t k = 0; k < 8; k++) {
			const uint32_t value = from[k][w] ^ interleave->flip;
			memcpy(to + w * step + 4 * (size_t)k, &value, sizeof value);
		}
	}
}

// Words of four sources side by side.
static void KERNEL(interleave_4)(const struct fast_interleave *interleave, uint32_t first)
{
	const size_t step = 4 * (size_t)interleave->sources;
	const __m128i flip = _mm_set1_epi32((int)interleave->flip);
	int8_t *to = interleave->to + 4 * (size_t)first;
	uint32_t w = 0;
	for (; w + 4 <= interleave->count; w += 4) {
		__m128i row[4];
		for (uint32_t k = 0; k < 4; k++)
			row[k] = _mm_xor_si128(
				_mm_loadu_si128((const __m128i *)(const void *)(interleave->word[first + k] + w)), flip);
		KERNEL(transpose_4)(row);
		for (uint32_t j = 0; j < 4; j++)
			_mm_storeu_si128((__m128i *)(void *)(to + (w + j) * step), row[j]);
	}
	for (; w < interleave->count; w++) {
		for (uint32_t k = 0; k < 4; k++) {
			const uint32_t value = interleave->word[first + k][w] ^ interleave->flip;
			memcpy(to + w * step + 4 * (size_t)k, &value, sizeof value);
		}
	}
}
#endif

// Four words of every pixel to four instances; of fewer than four, what follows them is read and left out.
static void KERNEL(spread_4)(const struct fast_spread *spread, uint32_t first, uint32_t count)
{
	const int8_t *from = spread->results + 4 * (size_t)first;
	uint32_t *const *to = spread->to + first;
	const uint32_t *keep = spread->keep + first;
	const size_t end = spread->pixels * spread->stride - 4 * (size_t)first;
	uint32_t p = 0;
	for (; p + 4 <= spread->pixels && (p + 3) * spread->stride + sizeof(__m128i) <= end; p += 4) {
		__m128i row[4];
		for (uint32_t j = 0; j < 4; j++)
			row[j] = _mm_loadu_si128((const __m128i *)(const void *)(from + (p + j) * spread->stride));
		KERNEL(transpose_4)(row);
		for (uint32_t k = 0; k < count; k++)
			_mm_storeu_si128((__m128i *)(void *)(to[k] + p),
			                 _mm_and_si128(row[k], _mm_set1_epi32((int)keep[k])));
	}
	for (; p < spread->pixels; p++) {
		for (uint32_t k = 0; k < count; k++) {
			uint32_t value;
			memcpy(&value, from + p * spread->stride + 4 * (size_t)k, sizeof value);
			to[k][p] = value & keep[k];
		}
	}
}

// Eight words of four pixels to eight instances.
static inline void KERNEL(spread_8x4)(const int8_t *from, size_t stride, uint32_t p, const __m256i keep[4],
                                      uint32_t *const to[8])
{
	__m256i row[4];
	for (uint32_t j = 0; j < 4; j++)
		row[j] = _mm256_loadu_si256((const __m256i *)(const void *)(from + (p + j) * stride));
	KERNEL(transpose_8)(row);
	for (uint32_t k = 0; k < 4; k++)
		_mm256_storeu2_m128i((__m128i *)(void *)(to[k + 4] + p), (__m128i *)(void *)(to[k] + p),
		                     _mm256_and_si256(row[k], keep[k]));
}

// Eight words of every pixel to eight instances.
static void KERNEL(spread_8)(const struct fast_spread *spread, uint32_t first)
{
	const int8_t *from = spread->results + 4 * (size_t)first;
	const uint32_t pixels = spread->pixels;
	uint32_t *to[8], keep[8];
	__m256i keeps[4];
	memcpy(to, spread->to + first, sizeof to);
	memcpy(keep, spread->keep + first, sizeof keep);
	for (uint32_t k = 0; k < 4; k++)
		keeps[k] = _mm256_set_m128i(_mm_set1_epi32((int)keep[k + 4]), _mm_set1_epi32((int)keep[k]));
	for (uint32_t p = 0; p + 4 <= pixels; p += 4)
		KERNEL(spread_8x4)(from, spread->stride, p, keeps, to);
	if (pixels > 4 && pixels % 4 != 0)
		KERNEL(spread_8x4)(from, spread->stride, pixels - 4, keeps, to);
	for (uint32_t p = 0; pixels < 4 && p < pixels; p++) {
		for (uint32_t k = 0; k < 8; k++) {
			uint32_t value;
			memcpy(&value, from + p * spread->stride + 4 * (size_t)k, sizeof value);
			to[k][p] = value & keep[k];
		}
	}
}
