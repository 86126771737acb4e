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
	for (uint32_t s = 0; s < x->slots; s++)
		x->slot[s].bias = read_bias(x, s, false);
}

EXACT_TELLS static void tell_biases(struct exact_layer *x, uint32_t slot)
{
	(void)read_bias(x, slot, true);
}

int64_t output_bias(struct exact_layer *x, uint32_t slot)
{
	if (exact_wants(x, AI8X_EVENT_BIAS_READ))
		tell_biases(x, slot);
	return x->slot[slot].bias;
}

static int64_t shift_and_round(int64_t sum, int32_t shift)
{
	int32_t right = 7 - shift;
	if (right > 0)
		return (sum + (INT64_C(1) << (right - 1))) >> right;
	return sum * (INT64_C(1) << -right);
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
				.pixel = exact_output_pixel(x),
				.accumulator = sum,
				.value = value,
				.clipped = clipped,
			},
	};
	x->context->emit(x->context->user, &event);
}

void output_slot(struct exact_layer *x, uint32_t slot, int64_t sum)
{
	const ai8x_layer *layer = &x->layer;
	ai8x_counters *counters = x->counters;
	int64_t value = sum;
	bool clipped = false;
	if (counters->outputs++ == 0)
		counters->accumulator_min = counters->accumulator_max = sum;
	if (sum < counters->accumulator_min)
		counters->accumulator_min = sum;
	if (sum > counters->accumulator_max)
		counters->accumulator_max = sum;
	if (layer_has_kernels(layer) && layer->output_bits == 8) {
		value = shift_and_round(sum, layer->output_shift);
		if (value < -128) {
			counters->clipped_low++;
			clipped = true;
			value = -128;
		} else if (value > 127) {
			counters->clipped_high++;
			clipped = true;
			value = 127;
		}
		if (layer->activation == AI8X_ACTIVATE_ABS)
			value = value == -128 ? 127 : value < 0 ? -value : value;
		else if (layer->activation == AI8X_ACTIVATE_RELU)
			value = value < 0 ? 0 : value;
	}
	if (exact_wants(x, AI8X_EVENT_OUTPUT))
		tell_output(x, slot, sum, (int32_t)value, clipped);
	// 32-bit output keeps the low 32 bits of the accumulator.
	write_value(x, slot, (int32_t)(uint32_t)(uint64_t)value);
}
