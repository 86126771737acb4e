// Kernels for AVX-512 without VNNI (BW and VL are needed): 32 products of 16 bits in one instruction, summed in pairs to
// 32 bits (VPMADDWD), which never saturates for 8-bit operands. Images without negative values go to
// kernel_avx512bw_bytes.c, which is denser.
#include "fast/variants.h"

#include <immintrin.h>

#define KERNEL(name) name##_avx512bw
#define VALUE int16_t
#define MULTIPLY_ADD(sum, value, weight) _mm512_add_epi32(sum, _mm512_madd_epi16(value, weight))
#include "fast/avx512_template.h"
#include "fast/kernel_template.h"

// 32 bytes to a register of 16-bit values.
static inline __m512i widen_bytes(const int8_t *from)
{
	return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)from));
}

#define WINOGRAD_BYTES 64
#define WINOGRAD_LOAD(from) (shorts_avx512bw) widen_bytes(from)
#include "fast/winograd_template.h"

extern const struct fast_kernel fast_kernel_avx512bw_bytes;

static bool supported(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl");
}

static void pack_shorts(const int16_t *weights, uint32_t slots, uint32_t blocks, uint32_t run, void *packed)
{
	int16_t *to = packed;
	memset(packed, 0, packed_size(blocks, 1, run));
	for (uint32_t s = 0; s < slots; s++)
		for (size_t k = 0; k < run; k += STEP)
			memcpy(to + place(s, run, k), weights + (size_t)s * run + k, STEP * sizeof *to);
}

static const struct fast_winograd winograd = {
	.product_cost = 18,
	.window_cost = 110,
	.sum_cost = 220,
	.packed_size = packed_size,
	.pack = pack_shorts,
	.conv = conv,
	.windows = winograd_windows_avx512bw,
	.sums = winograd_sums_avx512bw,
};

const struct fast_kernel fast_kernel_avx512bw = {
	.name = "avx512bw",
	.unsigned_bytes = &fast_kernel_avx512bw_bytes,
	.winograd = &winograd,
	.supported = supported,
	.wide = true,
	.slot_block = BLOCK,
	KERNEL_FUNCTIONS,
};
