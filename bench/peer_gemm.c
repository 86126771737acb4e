// The ceiling: what good libraries for matrices do with the same number of multiplications. No data is rearranged
// for the convolution, which only makes these peers faster.
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#ifdef HAVE_OPENBLAS
#include <cblas.h>
#endif
#ifdef HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>
#endif

struct product {
	int64_t pixels, inner, outputs;
	void *image, *weights, *sums;
};

static struct product make_product(const struct shape *shape, size_t value_bytes)
{
	struct product product = {
		.pixels = (int64_t)shape->rows * shape->columns,
		.inner = (int64_t)shape->in_channels * shape->kernel * shape->kernel,
		.outputs = shape->out_channels,
	};
	product.image = calloc((size_t)(product.pixels * product.inner), value_bytes);
	product.weights = calloc((size_t)(product.inner * product.outputs), value_bytes);
	product.sums = calloc((size_t)(product.pixels * product.outputs), 4);
	if (product.image == NULL || product.weights == NULL || product.sums == NULL)
		abort();
	return product;
}

static void free_product(struct product *product)
{
	free(product->image);
	free(product->weights);
	free(product->sums);
}

#ifdef HAVE_OPENBLAS
static void sgemm_step(void *user)
{
	const struct product *p = user;
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)p->pixels, (int)p->outputs, (int)p->inner, 1,
	            p->image, (int)p->inner, p->weights, (int)p->outputs, 0, p->sums, (int)p->outputs);
}

double peer_sgemm(const struct shape *shape, int threads, double seconds)
{
	struct product product = make_product(shape, sizeof(float));
	float *image = product.image, *weights = product.weights;
	for (int64_t i = 0; i < product.pixels * product.inner; i++)
		image[i] = (float)(i % 255 - 127);
	for (int64_t i = 0; i < product.inner * product.outputs; i++)
		weights[i] = (float)(i % 251 - 125);
	openblas_set_num_threads(threads);
	const double best = best_of(sgemm_step, &product, seconds);
	free_product(&product);
	return best;
}
#else
double peer_sgemm(const struct shape *shape, int threads, double seconds)
{
	(void)shape;
	(void)threads;
	(void)seconds;
	return -1;
}
#endif

#ifdef HAVE_ONEDNN
static const char *isa_name(void)
{
	static const struct {
		dnnl_cpu_isa_t isa;
		const char *name;
	} names[] = {
		{dnnl_cpu_isa_sse41, "SSE41"},
		{dnnl_cpu_isa_avx, "AVX"},
		{dnnl_cpu_isa_avx2, "AVX2"},
		{dnnl_cpu_isa_avx2_vnni, "AVX2_VNNI"},
		{dnnl_cpu_isa_avx512_core, "AVX512_CORE"},
		{dnnl_cpu_isa_avx512_core_vnni, "AVX512_CORE_VNNI"},
		{dnnl_cpu_isa_avx512_core_bf16, "AVX512_CORE_BF16"},
		{dnnl_cpu_isa_avx512_core_amx, "AVX512_CORE_AMX"},
	};
	const dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].isa == isa)
			return names[i].name;
	return "other";
}

static void int8_step(void *user)
{
	const struct product *p = user;
	const int32_t zero = 0;
	if (dnnl_gemm_u8s8s32('N', 'N', 'F', p->pixels, p->outputs, p->inner, 1, p->image, p->inner, 0,
	                      p->weights, p->outputs, 0, 0, p->sums, p->outputs, &zero) != dnnl_success)
		abort();
}

double peer_int8_gemm(const struct shape *shape, double seconds, char isa[64])
{
	struct product product = make_product(shape, 1);
	uint8_t *image = product.image;
	int8_t *weights = product.weights;
	for (int64_t i = 0; i < product.pixels * product.inner; i++)
		image[i] = (uint8_t)(i % (shape->positive ? 128 : 255));
	for (int64_t i = 0; i < product.inner * product.outputs; i++)
		weights[i] = (int8_t)(i % 251 - 125);
	(void)snprintf(isa, 64, "%s", isa_name());
	const double best = best_of(int8_step, &product, seconds);
	free_product(&product);
	return best;
}
#else
double peer_int8_gemm(const struct shape *shape, double seconds, char isa[64])
{
	(void)shape;
	(void)seconds;
	isa[0] = '\0';
	return -1;
}
#endif
