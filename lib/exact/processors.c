// Processors: kernels times window, summed over processors and groups (hardware reference 4.5, 4.8).
#include "exact/exact.h"
#include "layer/geometry.h"

#include <stdlib.h>

static int16_t weight_value(const ai8x_layer *layer, uint32_t field)
{
	if (layer->binary)
		return field ? -1 : 1;
	uint32_t sign = 1u << (layer->weight_bits - 1);
	return (int16_t)((int32_t)(field ^ sign) - (int32_t)sign);
}

// The kernels of one slot and pass, spread to [tap][lane].
static void unpack(const struct exact_layer *x, uint32_t slot, uint32_t pass, int16_t *to)
{
	const ai8x_layer *layer = &x->layer;
	const uint32_t field_mask = (1u << layer->weight_bits) - 1;
	for (unsigned k = 0; k < x->instances; k++) {
		for (unsigned lane = 0; lane < 4; lane++) {
			unsigned processor = x->instance[k] * 4u + lane;
			unsigned group = processor_group(processor);
			if (layer->quad_fanout && slot % AI8X_GROUPS != group)
				continue;
			if (layer->bypass) {
				if (layer->processors >> processor & 1)
					for (uint32_t t = 0; t < x->taps; t++)
						to[t * x->lanes + 4 * k + lane] = 1;
				continue;
			}
			if ((layer->kernel_processors >> processor & 1) == 0)
				continue;
			const struct layer_kernel at = layer_kernel_at(layer, group, slot, pass);
			const uint8_t *stream = x->context->kernel->unit[processor].stream + at.byte;
			for (uint32_t t = 0; t < x->taps; t++)
				to[t * x->lanes + 4 * k + lane] =
					weight_value(layer, stream[x->taps - 1 - t] >> at.bit & field_mask);
		}
	}
}

const int16_t *processors_window(const struct exact_layer *x, uint32_t pass)
{
	return x->window + (size_t)pass * x->taps * x->lanes;
}

const int16_t *processors_weights(const struct exact_layer *x, uint32_t slot, uint32_t pass)
{
	const uint32_t kept = x->layer.depthwise || x->layer.bypass ? 0 : slot;
	return x->kernels + ((size_t)kept * x->layer.passes + pass) * x->taps * x->lanes;
}

// The engine's hottest loop: plain, so that compilers vectorise it, for the processors that have AVX2 with that.
static inline __attribute__((always_inline)) int32_t sum_of_products(const int16_t *restrict a,
                                                                     const int16_t *restrict b, size_t count)
{
	int32_t sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += (int32_t)a[i] * b[i];
	return sum;
}

static int32_t multiply_add(const int16_t *a, const int16_t *b, size_t count)
{
	return sum_of_products(a, b, count);
}

#ifdef __x86_64__
#define WITH_AVX2 __attribute__((target("avx2")))
WITH_AVX2 static int32_t multiply_add_avx2(const int16_t *a, const int16_t *b, size_t count)
{
	return sum_of_products(a, b, count);
}

// To clang the width is an option of the compiler, and no attribute.
#ifdef __clang__
#define WITH_AVX512 __attribute__((target("avx512bw")))
#else
#define WITH_AVX512 __attribute__((target("avx512bw,prefer-vector-width=512")))
#endif
WITH_AVX512 static int32_t multiply_add_avx512(const int16_t *a, const int16_t *b, size_t count)
{
	return sum_of_products(a, b, count);
}
#endif

static exact_multiply_add_fn *choose_multiply_add(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx512bw"))
		return multiply_add_avx512;
	if (__builtin_cpu_supports("avx2"))
		return multiply_add_avx2;
#endif
	return multiply_add;
}

ai8x_status processors_prepare(struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	x->multiply_add = choose_multiply_add();
	if (!layer_has_kernels(layer))
		return AI8X_OK;
	// In depth-wise and bypassed layers all slots share their kernels.
	uint32_t slots = layer->depthwise || layer->bypass ? 1 : layer->slots;
	size_t kernel = (size_t)x->taps * x->lanes;
	x->kernels = calloc((size_t)slots * layer->passes * kernel + 1, sizeof *x->kernels);
	if (x->kernels == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (uint32_t slot = 0; slot < slots; slot++)
		for (uint32_t pass = 0; pass < layer->passes; pass++)
			unpack(x, slot, pass, x->kernels + ((size_t)slot * layer->passes + pass) * kernel);
	return AI8X_OK;
}

// The part of a sum that one group's processors contribute. Only for observers.
static int64_t group_part(const struct exact_layer *x, unsigned group, const int16_t *window,
                          const int16_t *weights)
{
	int64_t sum = 0;
	for (unsigned k = 0; k < x->instances; k++) {
		if (instance_group(x->instance[k]) != group)
			continue;
		for (uint32_t t = 0; t < x->taps; t++)
			for (unsigned lane = 4 * k; lane < 4 * k + 4; lane++)
				sum += (int32_t)window[t * x->lanes + lane] * weights[t * x->lanes + lane];
	}
	return sum;
}

EXACT_TELLS static void tell_sums(struct exact_layer *x, uint32_t s, uint32_t slot)
{
	const size_t kernel = (size_t)x->taps * x->lanes;
	ai8x_event event = {
		.kind = AI8X_EVENT_ACCUMULATE,
		.cycle = x->context->cycle,
		.layer = &x->layer,
		.u.sums = {.slot = x->step + s, .pass = x->output_pass},
	};
	for (unsigned g = 0; g < AI8X_GROUPS; g++) {
		int64_t *sum = &x->group_sum[s][g];
		// The first pass begins a new sum.
		if (x->output_pass == 0)
			*sum = 0;
		for (uint32_t e = 0; e < x->parallel_passes && x->output_pass + e < x->layer.passes; e++) {
			const uint32_t pass = x->output_pass + e;
			*sum += group_part(x, g, x->window + pass * kernel,
			                   x->kernels + ((size_t)slot * x->layer.passes + pass) * kernel);
		}
		event.u.sums.group[g] = *sum;
	}
	x->context->emit(x->context->user, &event);
}

// One cycle: the kernels of the current slots and passes are applied to the window.
void processors_apply(struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	const size_t kernel = (size_t)x->taps * x->lanes;
	for (uint32_t s = 0; s < x->parallel_slots && x->step + s < x->slots; s++) {
		uint32_t slot = layer->bypass ? 0 : x->step + s;
		int64_t sum = 0;
		for (uint32_t e = 0; e < x->parallel_passes && x->output_pass + e < layer->passes; e++) {
			uint32_t pass = x->output_pass + e;
			sum += x->multiply_add(x->window + pass * kernel,
			                       x->kernels + ((size_t)slot * layer->passes + pass) * kernel, kernel);
		}
		x->accumulator[s] += sum;
		if (exact_wants(x, AI8X_EVENT_ACCUMULATE))
			tell_sums(x, s, slot);
	}
}

// Depth-wise: the sum of one processor over its own window.
int64_t processors_own(const struct exact_layer *x, unsigned lane, uint32_t pass)
{
	const size_t kernel = (size_t)x->taps * x->lanes;
	const int16_t *window = x->window + pass * kernel + lane;
	const int16_t *weights = x->kernels + pass * kernel + lane;
	int32_t sum = 0;
	for (uint32_t t = 0; t < x->taps; t++)
		sum += (int32_t)window[t * x->lanes] * weights[t * x->lanes];
	return sum;
}
