// Processors: kernels times window, summed over processors and groups (hardware reference 4.5, 4.8).
#include "exact/exact.h"
#include "layer/geometry.h"

#include <stdlib.h>
#include <string.h>

static int16_t weight_value(uint32_t field, uint32_t bits, bool binary)
{
	if (binary)
		return field ? -1 : 1;
	const uint32_t sign = 1u << (bits - 1);
	return (int16_t)((int32_t)(field ^ sign) - (int32_t)sign);
}

// The weights of one processor, last tap first in kernel memory.
static void unpack_processor(const struct exact_layer *x, unsigned processor, struct layer_kernel at,
                             int16_t *to)
{
	const uint32_t bits = x->layer.weight_bits, field_mask = (1u << bits) - 1;
	const bool binary = x->layer.binary;
	const uint8_t *last = x->context->kernel->unit[processor].stream + at.byte + x->taps - 1;
	for (uint32_t t = 0; t < x->taps; t++)
		to[t * x->tap_step] = weight_value(*(last - t) >> at.bit & field_mask, bits, binary);
}

// The kernels of one slot and pass, spread to [tap][lane].
static void unpack(const struct exact_layer *x, uint32_t slot, uint32_t pass, int16_t *to)
{
	const ai8x_layer *layer = &x->layer;
	for (unsigned k = 0; k < x->instances; k++) {
		const unsigned group = instance_group(x->instance[k]);
		if (layer->quad_fanout && slot % AI8X_GROUPS != group)
			continue;
		const struct layer_kernel at = layer_kernel_at(layer, group, slot, pass);
		for (unsigned lane = 0; lane < 4; lane++) {
			const unsigned processor = x->instance[k] * 4u + lane;
			int16_t *weights = to + 4 * k + lane;
			if (layer->bypass)
				for (uint32_t t = 0; layer->processors >> processor & 1 && t < x->taps; t++)
					weights[t * x->tap_step] = 1;
			else if (layer->kernel_processors >> processor & 1)
				unpack_processor(x, processor, at, weights);
		}
	}
}

const int16_t *processors_window(const struct exact_layer *x, uint32_t pass)
{
	return x->window + (size_t)pass * x->lanes;
}

const int16_t *processors_weights(const struct exact_layer *x, uint32_t slot, uint32_t pass)
{
	const uint32_t kept = x->layer.depthwise || x->layer.bypass ? 0 : slot;
	return x->kernels + kept * x->taps * x->tap_step + (size_t)pass * x->lanes;
}

// The engine's hottest loop: plain, so that compilers vectorise it, for the processors that have AVX2 with that. Four
// slots share each value of the window.
static inline __attribute__((always_inline)) void add_products(const int16_t *restrict window,
                                                               const int16_t *restrict kernels, size_t step,
                                                               size_t count, uint32_t slots,
                                                               int64_t *restrict sum)
{
	for (uint32_t slot = 0; slot < slots; slot += 4) {
		const int16_t *kernel = kernels + slot * step;
		int32_t a = 0, b = 0, c = 0, d = 0;
		for (size_t i = 0; i < count; i++) {
			a += (int32_t)window[i] * kernel[i];
			b += (int32_t)window[i] * kernel[step + i];
			c += (int32_t)window[i] * kernel[2 * step + i];
			d += (int32_t)window[i] * kernel[3 * step + i];
		}
		sum[slot] += a;
		sum[slot + 1] += b;
		sum[slot + 2] += c;
		sum[slot + 3] += d;
	}
}

static void apply(const int16_t *window, const int16_t *kernels, size_t step, size_t count, uint32_t slots,
                  int64_t *sum)
{
	add_products(window, kernels, step, count, slots, sum);
}

#ifdef __x86_64__
#define WITH_AVX2 __attribute__((target("avx2")))
WITH_AVX2 static void apply_avx2(const int16_t *window, const int16_t *kernels, size_t step, size_t count,
                                 uint32_t slots, int64_t *sum)
{
	add_products(window, kernels, step, count, slots, sum);
}
#endif

// Registers of 512 bits were no faster: the second cache bounds both.
static exact_apply_fn *choose_apply(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2"))
		return apply_avx2;
#endif
	return apply;
}

// Zeros, where registers' worth of them begin with cache lines.
static int16_t *aligned_values(size_t count)
{
	const size_t size = (count * sizeof(int16_t) / 64 + 1) * 64;
	int16_t *values = aligned_alloc(64, size);
	if (values != NULL)
		memset(values, 0, size);
	return values;
}

ai8x_status processors_prepare(struct exact_layer *x)
{
	const ai8x_layer *layer = &x->layer;
	x->apply = choose_apply();
	if (!layer_has_kernels(layer))
		return AI8X_OK;
	// In depth-wise and bypassed layers all slots share their kernels.
	const uint32_t slots = layer->depthwise || layer->bypass ? 1 : layer->slots;
	const size_t kernel = x->taps * x->tap_step;
	x->kernel_slots = (slots + 3) / 4 * 4;
	x->window = aligned_values(kernel);
	x->kernels = aligned_values(x->kernel_slots * kernel);
	x->sum = calloc((size_t)x->kernel_slots + 1, sizeof *x->sum);
	if (x->window == NULL || x->kernels == NULL || x->sum == NULL)
		return AI8X_ERR_NO_MEMORY;
	for (uint32_t slot = 0; slot < slots; slot++)
		for (uint32_t pass = 0; pass < layer->passes; pass++)
			unpack(x, slot, pass, x->kernels + slot * kernel + (size_t)pass * x->lanes);
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
				sum += (int32_t)window[t * x->tap_step + lane] * weights[t * x->tap_step + lane];
	}
	return sum;
}

EXACT_TELLS static void tell_sum(struct exact_layer *x, uint32_t s)
{
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
			*sum += group_part(x, g, processors_window(x, pass), processors_weights(x, x->step + s, pass));
		}
		event.u.sums.group[g] = *sum;
	}
	x->context->emit(x->context->user, &event);
}

// The sums of one cycle's slots as they stand after its passes.
EXACT_TELLS void processors_tell_sums(struct exact_layer *x)
{
	for (uint32_t s = 0; s < x->parallel_slots && x->step + s < x->slots; s++)
		tell_sum(x, s);
}

// Products of two bytes that a sum of 32 bits holds.
#define MOST_PRODUCTS 65536

// All kernels are applied to the window, and all passes added up. The hardware does so slot by slot and pass by pass, while
// the window stays as it is: the sequencer takes each sum in the cycle in which it is complete.
void processors_apply(struct exact_layer *x)
{
	const size_t kernel = x->taps * x->tap_step;
	memset(x->sum, 0, x->kernel_slots * sizeof *x->sum);
	for (size_t first = 0; first < kernel; first += MOST_PRODUCTS)
		x->apply(x->window + first, x->kernels + first, kernel,
		         kernel - first < MOST_PRODUCTS ? kernel - first : MOST_PRODUCTS, x->kernel_slots, x->sum);
}

// Depth-wise: the sum of one processor over its own window.
int64_t processors_own(const struct exact_layer *x, unsigned lane, uint32_t pass)
{
	const int16_t *window = processors_window(x, pass) + lane;
	const int16_t *weights = processors_weights(x, 0, pass) + lane;
	int32_t sum = 0;
	for (uint32_t t = 0; t < x->taps; t++)
		sum += (int32_t)window[t * x->tap_step] * weights[t * x->tap_step];
	return sum;
}
