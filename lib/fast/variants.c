// Which kernels there are, slowest first, and which one this processor should use.
#include "fast/variants.h"

#include <string.h>

#if defined(__x86_64__)
extern const struct fast_kernel fast_kernel_avx2;
extern const struct fast_kernel fast_kernel_avxvnni;
extern const struct fast_kernel fast_kernel_avx512bw;
extern const struct fast_kernel fast_kernel_avx512vnni;
#elif defined(__aarch64__)
extern const struct fast_kernel fast_kernel_neon;
extern const struct fast_kernel fast_kernel_neondot;
extern const struct fast_kernel fast_kernel_neoni8mm;
#endif

const struct fast_kernel *const fast_kernels[] = {
	&fast_kernel_c,
#if defined(__x86_64__)
	&fast_kernel_avx2,
	&fast_kernel_avx512bw,
	&fast_kernel_avxvnni,
	&fast_kernel_avx512vnni,
#elif defined(__aarch64__)
	&fast_kernel_neon,
	&fast_kernel_neondot,
	&fast_kernel_neoni8mm,
#endif
	NULL,
};

const struct fast_kernel *fast_kernel_find(const char *name)
{
	const struct fast_kernel *found = NULL;
	for (size_t i = 0; fast_kernels[i] != NULL; i++)
		if ((name == NULL || strcmp(name, fast_kernels[i]->name) == 0) && fast_kernels[i]->supported())
			found = fast_kernels[i];
	return found;
}
