// The output stage of the variants with registers of 256 bits. The including file defines KERNEL(name), and includes
// this before kernel_template.h.
#include <immintrin.h>
#include <string.h>

#define KERNEL_HAS_FINISH

// The output stage, with what stays the same over a tile.
struct KERNEL(stage) {
	__m256i low;
	__m128i right, left;
	int32_t half;
	bool to_right, absolute;
};

static inline __m256i KERNEL(shifted)(const struct KERNEL(stage) * stage, const int32_t *sums, __m256i offset)
{
	__m256i sum = _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)(const void *)sums), offset);
	if (stage->to_right)
		return _mm256_sra_epi32(sum, stage->right);
	// What a left shift could push out of 32 bits saturates anyway.
	sum = _mm256_min_epi32(_mm256_max_epi32(sum, _mm256_set1_epi32(-256)), _mm256_set1_epi32(256));
	return _mm256_sll_epi32(sum, stage->left);
}

static inline __m256i KERNEL(activated)(const struct KERNEL(stage) * stage, __m256i results)
{
	return stage->absolute ? _mm256_min_epu8(_mm256_abs_epi8(results), _mm256_set1_epi8(127))
	                       : _mm256_max_epi8(results, stage->low);
}

static inline __m256i KERNEL(offset)(const struct KERNEL(stage) * stage, const int32_t *offset)
{
	return _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)(const void *)offset),
	                        _mm256_set1_epi32(stage->half));
}

// 32 results of every pixel. Packing saturates, and takes halves of registers in turn.
static void KERNEL(finish_32)(const struct fast_output *output, const struct KERNEL(stage) * stage, size_t s)
{
	const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
	__m256i offset[4], sum[4];
	for (uint32_t i = 0; i < 4; i++)
		offset[i] = KERNEL(offset)(stage, output->offset + s + 8 * i);
	for (uint32_t p = 0; p < output->pixels; p++) {
		const size_t at = p * output->stride + s;
		for (uint32_t i = 0; i < 4; i++)
			sum[i] = KERNEL(shifted)(stage, output->sums + at + 8 * i, offset[i]);
		const __m256i results =
			_mm256_packs_epi16(_mm256_packs_epi32(sum[0], sum[1]), _mm256_packs_epi32(sum[2], sum[3]));
		_mm256_storeu_si256((__m256i *)(void *)(output->results + at),
		                    KERNEL(activated)(stage, _mm256_permutevar8x32_epi32(results, order)));
	}
}

// Eight results of one pixel.
static inline int64_t KERNEL(finish_8)(const struct KERNEL(stage) * stage, const int32_t *sums,
                                       const int32_t *offset)
{
	const __m256i sum = KERNEL(shifted)(stage, sums, KERNEL(offset)(stage, offset));
	const __m128i halves = _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
	const __m256i results = _mm256_castsi128_si256(_mm_packs_epi16(halves, halves));
	return _mm_cvtsi128_si64(_mm256_castsi256_si128(KERNEL(activated)(stage, results)));
}

static void KERNEL(finish)(const struct fast_output *output)
{
	const bool to_right = output->right > 0;
	const struct KERNEL(stage) stage = {
		.low = _mm256_set1_epi8((char)output->low),
		.right = _mm_cvtsi32_si128(to_right ? output->right : 0),
		.left = _mm_cvtsi32_si128(to_right ? 0 : -output->right),
		.half = to_right ? (int32_t)1 << (output->right - 1) : 0,
		.to_right = to_right,
		.absolute = output->absolute,
	};
	size_t s = 0;
	for (; s + 32 <= output->stride; s += 32)
		KERNEL(finish_32)(output, &stage, s);
	for (; s + 8 <= output->stride; s += 8) {
		for (uint32_t p = 0; p < output->pixels; p++) {
			const size_t at = p * output->stride + s;
			const int64_t results = KERNEL(finish_8)(&stage, output->sums + at, output->offset + s);
			memcpy(output->results + at, &results, sizeof results);
		}
	}
	const size_t rest = output->stride - s;
	for (uint32_t p = 0; rest > 0 && p < output->pixels; p++) {
		const size_t at = p * output->stride + s;
		int32_t sums[8] = {0}, offset[8] = {0};
		memcpy(sums, output->sums + at, rest * sizeof *sums);
		memcpy(offset, output->offset + s, rest * sizeof *offset);
		const int64_t results = KERNEL(finish_8)(&stage, sums, offset);
		memcpy(output->results + at, &results, rest);
	}
}
