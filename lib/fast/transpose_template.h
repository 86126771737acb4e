// Words of four instances at a time, for x86. The including file defines KERNEL(name), and KERNEL_INTERLEAVE_4 where it
// brings its own; it includes this before kernel_template.h.
#include <immintrin.h>
#include <string.h>

#define KERNEL_SPREAD_4 KERNEL(spread_4)

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

#ifndef KERNEL_INTERLEAVE_4
#define KERNEL_INTERLEAVE_4 KERNEL(interleave_4)

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

// Four words of every pixel to four instances.
static void KERNEL(spread_4)(const struct fast_spread *spread, uint32_t first)
{
	const int8_t *from = spread->results + 4 * (size_t)first;
	uint32_t *const *to = spread->to + first;
	const uint32_t *keep = spread->keep + first;
	uint32_t p = 0;
	for (; p + 4 <= spread->pixels; p += 4) {
		__m128i row[4];
		for (uint32_t j = 0; j < 4; j++)
			row[j] = _mm_loadu_si128((const __m128i *)(const void *)(from + (p + j) * spread->stride));
		KERNEL(transpose_4)(row);
		for (uint32_t k = 0; k < 4; k++)
			_mm_storeu_si128((__m128i *)(void *)(to[k] + p),
			                 _mm_and_si128(row[k], _mm_set1_epi32((int)keep[k])));
	}
	for (; p < spread->pixels; p++) {
		for (uint32_t k = 0; k < 4; k++) {
			uint32_t value;
			memcpy(&value, from + p * spread->stride + 4 * (size_t)k, sizeof value);
			to[k][p] = value & keep[k];
		}
	}
}
