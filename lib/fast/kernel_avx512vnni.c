// Kernels for AVX-512 VNNI: 64 products of unsigned image bytes and signed weights in one instruction.
// VPDPBUSD keeps all 32 bits (its saturating sibling is not used); the image's offset of 128 is taken back
// per slot by the plan.
#include "fast/variants.h"

#include <immintrin.h>

#define KERNEL(name) name##_avx512vnni
#define VALUE int8_t
#define MULTIPLY_ADD(sum, value, weight) _mm512_dpbusd_epi32(sum, value, weight)
#include "fast/avx512_template.h"
#include "fast/kernel_template.h"

static bool supported(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

const struct fast_kernel fast_kernel_avx512vnni = {
	.name = "avx512vnni",
	.supported = supported,
	.flip = 0x80,
	.slot_block = BLOCK,
	KERNEL_FUNCTIONS,
};
