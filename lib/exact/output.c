// Output stage: bias, shift, rounding, clip, activation (hardware reference 4.5 "Bias", 4.7).
#include "exact/exact.h"
#include "layer/geometry.h"

EXACT_TELLS static void tell_bias(struct exact_layer *x, unsigned group, uint32_t entry, uint32_t slot)
{
	ai8x_event event = {
		.kind = AI8X_EVENT_BIAS_READ,
		.cycle = x->context->cycle,
		.layer = &x->layer,
		.u.bias =
			{
				.slot = slot,
				.pass = x->output_pass,
				.group = group,
				.entry = entry,
				.value = x->context->bias->entry[group][entry],
			},
	};
	x->context->emit(x->context->user, &event);
}

static int64_t bias_entry(struct exact_layer *x, unsigned group, uint32_t entry, uint32_t slot, bool told)
{
	entry %= x->context->bias->entries;
	if (told)
		tell_bias(x, group, entry, slot);
	return (int64_t)x->context->bias->entry[group][entry] * 128;
}

// `told`: observers learn of each entry.
static int64_t read_bias(struct exact_layer *x, uint32_t slot, bool told)
{
	const struct layer_bias bias = layer_bias_of(&x->layer, slot);
	int64_t sum = 0;
	for (unsigned i = 0; i < bias.count; i++)
		sum += bias_entry(x, bias.at[i].group, bias.at[i].entry, slot, told);
	return sum;
}

void output_prepare(struct exact_layer *x)
{
	const int32_t right = 7 - x->layer.output_shift;
	if (!layer_has_kernels(&x->layer))
		return;
	x->finishes = x->layer.output_bits == 8;
	x->right = right > 0 ? (uint32_t)right : 0;
	x->factor = right > 0 ? 1 : INT64_C(1) << -right;
	x->half = right > 0 ? INT64_C(1) << (right - 1) : 0;
	for (uint32_t s = 0; s < x->slots; s++)
		x->slot[s].bias = read_bias(x, s, false);
}

EXACT_TELLS static void tell_biases(struct exact_layer *x, uint32_t slot)
{
	if (layer_has_kernels(&x->layer))
		(void)read_bias(x, slot, true);
}

EXACT_TELLS static void tell_output(struct exact_layer *x, uint32_t slot, int64_t sum, int32_t value,
                                    bool clipped)
{
	ai8x_event event = {
		.kind = AI8X_EVENT_OUTPUT,
		.cycle = x->context->cycle,
		.layer = &x->layer,
		.u.output =
			{
				.slot = slot,
				.pixel = x->pixels_done,
				.accumulator = sum,
				.value = value,
				.clipped = clipped,
			},
	};
	x->context->emit(x->context->user, &event);
}

static void count_sum(ai8x_counters *counters, int64_t sum)
{
	if (counters->outputs++ == 0)
		counters->accumulator_min = counters->accumulator_max = sum;
	if (sum < counters->accumulator_min)
		counters->accumulator_min = sum;
	if (sum > counters->accumulator_max)
		counters->accumulator_max = sum;
}

// The output stage of 8-bit results: shifted and rounded, clipped, activated.
static int64_t finish(const struct exact_layer *x, ai8x_counters *counters, int64_t sum)
{
	const ai8x_activation activation = x->layer.activation;
	int64_t value = (sum * x->factor + x->half) >> x->right;
	if (value < -128) {
		counters->clipped_low++;
		value = -128;
	} else if (value > 127) {
		counters->clipped_high++;
		value = 127;
	}
	if (activation == AI8X_ACTIVATE_ABS)
		return value == -128 ? 127 : value < 0 ? -value : value;
	return activation == AI8X_ACTIVATE_RELU && value < 0 ? 0 : value;
}

void output_slot(struct exact_layer *x, uint32_t s, int64_t products)
{
	const struct exact_slot *slot = &x->slot[s];
	ai8x_counters *counters = x->counters;
	const int64_t sum = products + slot->bias;
	const uint64_t clipped = counters->clipped_low + counters->clipped_high;
	int64_t value = sum;
	if (exact_wants(x, AI8X_EVENT_BIAS_READ))
		tell_biases(x, s);
	count_sum(counters, sum);
	if (x->finishes)
		value = finish(x, counters, sum);
	if (exact_wants(x, AI8X_EVENT_OUTPUT))
		tell_output(x, s, sum, (int32_t)value, counters->clipped_low + counters->clipped_high != clipped);
	if (x->capture != NULL)
		x->capture[(size_t)s * x->pixels + x->pixels_done] = (int32_t)value;
	// 32-bit output keeps the low 32 bits of the accumulator.
	write_value(x, slot, (int32_t)(uint32_t)(uint64_t)value);
}
