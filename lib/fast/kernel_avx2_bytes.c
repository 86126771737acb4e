// Kernels for AVX2 and images of 0 .. 127. How they work, and why they are exact: bytes_template.h.
#define REGISTER __m256i
#define BLOCK 8
#define LOAD(from) _mm256_loadu_si256((const __m256i *)(const void *)(from))
#define STORE(to, sum) _mm256_storeu_si256((__m256i *)(void *)(to), sum)
#define ZERO _mm256_setzero_si256()
#define EACH_16 _mm256_set1_epi16
#define EACH_32 _mm256_set1_epi32
#define ADD_16 _mm256_add_epi16
#define ADD_32 _mm256_add_epi32
#define PRODUCTS _mm256_maddubs_epi16
#define PAIRS _mm256_madd_epi16
// Sums of 16 bits take as many registers again: then two blocks leave room for two pixels only. With more steps, loops
// become the cost.
#define MOST_STEPS 4
#define TILES(DO) DO(1, 4, 8) DO(2, 2, 4) DO(4, 2, 4)
#include "fast/bytes_template.h"

const struct fast_kernel fast_kernel_avx2_bytes = {
	.name = "avx2 bytes",
	.slot_block = BLOCK,
	.packed_size = packed_size,
	.pack = pack,
	.conv = conv,
};
