// Kernels for AVX-512 BW and images of 0 .. 127. How they work, and why they are exact: bytes_template.h.
#define REGISTER __m512i
#define BLOCK 16
#define LOAD(from) _mm512_loadu_si512((const __m512i *)(const void *)(from))
#define STORE(to, sum) _mm512_storeu_si512((__m512i *)(void *)(to), sum)
#define ZERO _mm512_setzero_si512()
#define EACH_16 _mm512_set1_epi16
#define EACH_32 _mm512_set1_epi32
#define ADD_16 _mm512_add_epi16
#define ADD_32 _mm512_add_epi32
#define PRODUCTS _mm512_maddubs_epi16
#define PAIRS _mm512_madd_epi16
// One step needs no 16-bit sums: their registers serve twice the pixels.
#define MOST_STEPS 8
#define TILES(DO) DO(1, 4, 4) DO(2, 2, 2) DO(4, 2, 2) DO(8, 2, 2)
#include "fast/bytes_template.h"

const struct fast_kernel fast_kernel_avx512bw_bytes = {
	.name = "avx512bw bytes",
	.slot_block = BLOCK,
	.packed_size = packed_size,
	.pack = pack,
	.conv = conv,
};
