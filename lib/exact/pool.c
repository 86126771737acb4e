// Pooling and element-wise combination (hardware reference 4.3, 4.4). Receives samples, hands on one
// pooled pixel of signed bytes.
#include "exact/exact.h"

#include <string.h>

// Sixteen bits hold all sums: of up to 256 samples of a window, of up to 16 operands.
static int16_t clip8(int16_t value)
{
	const int16_t high = value > 127 ? 127 : value;
	return high < -128 ? -128 : high;
}

static bool combines(const struct exact_layer *x)
{
	return x->layer.operands > 1;
}

void pool_begin(struct exact_layer *x)
{
	for (unsigned lane = 0; lane < x->lanes; lane++)
		x->pooled[lane] = x->layer.pooling == AI8X_POOL_MAX ? -128 : 0;
}

// One sample (already combined in combine-first layers) joins the pooling window.
static void pool_accumulate(struct exact_layer *x, const int16_t *sample)
{
	switch (x->layer.pooling) {
	case AI8X_POOL_MAX:
		for (unsigned lane = 0; lane < x->lanes; lane++)
			x->pooled[lane] = x->pooled[lane] > sample[lane] ? x->pooled[lane] : sample[lane];
		break;
	case AI8X_POOL_AVERAGE:
		for (unsigned lane = 0; lane < x->lanes; lane++)
			x->pooled[lane] = (int16_t)(x->pooled[lane] + sample[lane]);
		break;
	case AI8X_POOL_NONE:
		// Only the stride applies: the value at the window's origin.
		if (x->position == 0)
			for (unsigned lane = 0; lane < x->lanes; lane++)
				x->pooled[lane] = sample[lane];
		break;
	}
}

// The pooling window is complete: averages are divided.
static void pool_finish(struct exact_layer *x)
{
	if (x->layer.pooling != AI8X_POOL_AVERAGE)
		return;
	int32_t area = (int32_t)(x->layer.pool_rows * x->layer.pool_columns);
	for (unsigned lane = 0; lane < x->lanes; lane++) {
		int32_t sum = x->pooled[lane];
		// Half away from zero, or truncation toward zero.
		int32_t half = x->layer.pool_round ? area / 2 : 0;
		x->pooled[lane] = (int16_t)(sum < 0 ? -((-sum + half) / area) : (sum + half) / area);
	}
}

// Element-wise functions: one row each.
#define FOLD(name, operation)                                                                                \
	static void name(int16_t *into, const int16_t *value, unsigned lanes)                                    \
	{                                                                                                        \
		for (unsigned lane = 0; lane < lanes; lane++)                                                        \
			into[lane] = (int16_t)(into[lane] operation value[lane]);                                        \
	}
FOLD(fold_sub, -)
FOLD(fold_add, +)
FOLD(fold_or, |)
FOLD(fold_xor, ^)

static void (*const folds[])(int16_t *into, const int16_t *value, unsigned lanes) = {
	[AI8X_ELTWISE_SUB] = fold_sub,
	[AI8X_ELTWISE_ADD] = fold_add,
	[AI8X_ELTWISE_OR] = fold_or,
	[AI8X_ELTWISE_XOR] = fold_xor,
};

static void eltwise_fold(struct exact_layer *x, const int16_t *value)
{
	if (x->operand == 0)
		memcpy(x->combined, value, x->lanes * sizeof *value);
	else
		folds[x->layer.eltwise](x->combined, value, x->lanes);
}

void pool_take(struct exact_layer *x)
{
	int16_t sample[AI8X_PROCESSORS];
	for (unsigned lane = 0; lane < x->lanes; lane++)
		sample[lane] = x->sample[lane];
	if (x->layer.pool_first || !combines(x)) {
		pool_accumulate(x, sample);
		return;
	}
	eltwise_fold(x, sample);
	if (x->operand + 1 < x->layer.operands)
		return;
	for (unsigned lane = 0; lane < x->lanes; lane++)
		sample[lane] = clip8(x->combined[lane]);
	pool_accumulate(x, sample);
}

void pool_combine(struct exact_layer *x, int8_t *pixel)
{
	pool_finish(x);
	const int16_t *result = x->pooled;
	if (x->layer.pool_first && combines(x)) {
		eltwise_fold(x, x->pooled);
		result = x->combined;
	}
	for (unsigned lane = 0; lane < x->lanes; lane++)
		pixel[lane] = (int8_t)clip8(result[lane]);
}
