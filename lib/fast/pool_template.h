// Pooling and element-wise stage of the fast engine (hardware reference 4.3, 4.4): loops over the channels of
// a pixel that every variant compiles for its own instruction set. Included by kernel_template.h.
//
// All loops run over a full strip of channels, so that they vectorise without remainders: what lies after a
// pixel's last channel is read (buffers have room for that) and computed with, but never stored.
#define POOL_STRIP FAST_POOL_STRIP

static inline void KERNEL(pool_max)(const struct fast_pool *pool, const int8_t *corner, int8_t *restrict to)
{
	for (uint32_t c = 0; c < POOL_STRIP; c++)
		to[c] = -128;
	for (uint32_t a = 0; a < pool->rows; a++) {
		for (uint32_t b = 0; b < pool->columns; b++) {
			const int8_t *restrict from = corner + a * pool->row_step + b * pool->column_step;
			for (uint32_t c = 0; c < POOL_STRIP; c++)
				to[c] = from[c] > to[c] ? from[c] : to[c];
		}
	}
}

static inline void KERNEL(pool_average)(const struct fast_pool *pool, const int8_t *corner,
                                        int8_t *restrict to)
{
	// A window has at most 16 x 16 samples: their sum, offset by 128 each, fits 16 bits.
	uint16_t sum[POOL_STRIP] = {0};
	for (uint32_t a = 0; a < pool->rows; a++) {
		for (uint32_t b = 0; b < pool->columns; b++) {
			const int8_t *restrict from = corner + a * pool->row_step + b * pool->column_step;
			for (uint32_t c = 0; c < POOL_STRIP; c++)
				sum[c] = (uint16_t)(sum[c] + (uint16_t)(from[c] + 128));
		}
	}
	for (uint32_t c = 0; c < POOL_STRIP; c++)
		to[c] = pool->average[sum[c]];
}

static inline void KERNEL(pool_strip)(const struct fast_pool *pool, const int8_t *corner, int8_t *restrict to)
{
	if (pool->kind == FAST_POOL_MAX)
		KERNEL(pool_max)(pool, corner, to);
	else if (pool->kind == FAST_POOL_AVERAGE)
		KERNEL(pool_average)(pool, corner, to);
	else
		memcpy(to, corner, POOL_STRIP);
}

// Sixteen operands of eight bits stay within sixteen bits.
static inline void KERNEL(fold)(ai8x_eltwise eltwise, int16_t *restrict into, const int8_t *restrict value)
{
	switch (eltwise) {
	case AI8X_ELTWISE_SUB:
		for (uint32_t c = 0; c < POOL_STRIP; c++)
			into[c] = (int16_t)(into[c] - value[c]);
		break;
	case AI8X_ELTWISE_ADD:
		for (uint32_t c = 0; c < POOL_STRIP; c++)
			into[c] = (int16_t)(into[c] + value[c]);
		break;
	case AI8X_ELTWISE_OR:
		for (uint32_t c = 0; c < POOL_STRIP; c++)
			into[c] = (int16_t)(into[c] | value[c]);
		break;
	case AI8X_ELTWISE_XOR:
		for (uint32_t c = 0; c < POOL_STRIP; c++)
			into[c] = (int16_t)(into[c] ^ value[c]);
		break;
	}
}

static inline void KERNEL(clip)(const int16_t *restrict from, int8_t *restrict to)
{
	for (uint32_t c = 0; c < POOL_STRIP; c++) {
		int16_t value = from[c] < -128 ? -128 : from[c];
		to[c] = (int8_t)(value > 127 ? 127 : value);
	}
}

// Pool each operand, then combine.
static inline void KERNEL(combine_last)(const struct fast_pool *pool, const int8_t *corner,
                                        int8_t *restrict to)
{
	int16_t sum[POOL_STRIP];
	int8_t pooled[POOL_STRIP];
	for (uint32_t operand = 0; operand < pool->operands; operand++) {
		KERNEL(pool_strip)(pool, corner + (size_t)operand * pool->lanes, pooled);
		if (operand > 0) {
			KERNEL(fold)(pool->eltwise, sum, pooled);
			continue;
		}
		for (uint32_t c = 0; c < POOL_STRIP; c++)
			sum[c] = pooled[c];
	}
	KERNEL(clip)(sum, to);
}

// Combine and clip at every position of the window, then pool.
static inline void KERNEL(combine_first)(const struct fast_pool *pool, const int8_t *corner,
                                         int8_t *restrict to)
{
	int16_t sum[POOL_STRIP];
	uint16_t total[POOL_STRIP] = {0};
	int8_t clipped[POOL_STRIP];
	for (uint32_t c = 0; c < POOL_STRIP; c++)
		to[c] = -128;
	for (uint32_t a = 0; a < pool->rows; a++) {
		for (uint32_t b = 0; b < pool->columns; b++) {
			const int8_t *from = corner + a * pool->row_step + b * pool->column_step;
			for (uint32_t c = 0; c < POOL_STRIP; c++)
				sum[c] = from[c];
			for (uint32_t operand = 1; operand < pool->operands; operand++)
				KERNEL(fold)(pool->eltwise, sum, from + (size_t)operand * pool->lanes);
			KERNEL(clip)(sum, clipped);
			for (uint32_t c = 0; c < POOL_STRIP; c++) {
				to[c] = clipped[c] > to[c] ? clipped[c] : to[c];
				total[c] = (uint16_t)(total[c] + (uint16_t)(clipped[c] + 128));
			}
		}
	}
	for (uint32_t c = 0; pool->kind == FAST_POOL_AVERAGE && c < POOL_STRIP; c++)
		to[c] = pool->average[total[c]];
}

static inline void KERNEL(pool_store)(const struct fast_pool *pool, int8_t *strip, uint32_t count, int8_t *to)
{
	for (uint32_t c = 0; c < POOL_STRIP; c++)
		strip[c] = (int8_t)((uint8_t)strip[c] ^ pool->flip);
	memcpy(to, strip, count);
}

static void KERNEL(pool)(const struct fast_pool *pool)
{
	const uint32_t channels = pool->lanes * pool->passes;
	int8_t strip[POOL_STRIP];
	for (uint32_t pixel = 0; pixel < pool->count; pixel++) {
		const int8_t *corner = pool->samples + pixel * pool->step;
		int8_t *to = pool->to + pixel * pool->to_step;
		for (uint32_t c = 0; pool->operands == 1 && c < channels; c += POOL_STRIP) {
			KERNEL(pool_strip)(pool, corner + c, strip);
			KERNEL(pool_store)(pool, strip, channels - c < POOL_STRIP ? channels - c : POOL_STRIP, to + c);
		}
		for (uint32_t pass = 0; pool->operands > 1 && pass < pool->passes; pass++) {
			const int8_t *from = corner + (size_t)pass * pool->operands * pool->lanes;
			if (pool->combine_first)
				KERNEL(combine_first)(pool, from, strip);
			else
				KERNEL(combine_last)(pool, from, strip);
			KERNEL(pool_store)(pool, strip, pool->lanes, to + (size_t)pass * pool->lanes);
		}
	}
}

#undef POOL_STRIP
