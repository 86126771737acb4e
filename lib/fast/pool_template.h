// Pooling and element-wise stage of the fast engine (hardware reference 4.3, 4.4): loops over the channels of
// a pixel that every variant compiles for its own instruction set. Included by kernel_template.h.
//
// All loops run over a full strip of channels, a constant where KERNEL(pool) calls, so that they vectorise without
// remainders: what lies after a pixel's last channel is read (buffers have room for that) and computed with, but
// never stored.
#define POOL_STRIP FAST_POOL_STRIP
#define POOL_INLINE static inline __attribute__((always_inline))

POOL_INLINE void KERNEL(pool_max)(const struct fast_pool *pool, const int8_t *corner, int8_t *restrict to,
                                  const uint32_t strip)
{
	for (uint32_t c = 0; c < strip; c++)
		to[c] = -128;
	for (uint32_t a = 0; a < pool->rows; a++) {
		for (uint32_t b = 0; b < pool->columns; b++) {
			const int8_t *restrict from = corner + a * pool->row_step + b * pool->column_step;
			for (uint32_t c = 0; c < strip; c++)
				to[c] = from[c] > to[c] ? from[c] : to[c];
		}
	}
}

POOL_INLINE void KERNEL(pool_average)(const struct fast_pool *pool, const int8_t *corner, int8_t *restrict to,
                                      const uint32_t strip)
{
	// A window has at most 16 x 16 samples: their sum, offset by 128 each, fits 16 bits.
	uint16_t sum[POOL_STRIP] = {0};
	for (uint32_t a = 0; a < pool->rows; a++) {
		for (uint32_t b = 0; b < pool->columns; b++) {
			const int8_t *restrict from = corner + a * pool->row_step + b * pool->column_step;
			for (uint32_t c = 0; c < strip; c++)
				sum[c] = (uint16_t)(sum[c] + (uint16_t)(from[c] + 128));
		}
	}
	for (uint32_t c = 0; c < strip; c++)
		to[c] = pool->average[sum[c]];
}

POOL_INLINE void KERNEL(pool_strip)(const struct fast_pool *pool, const int8_t *corner, int8_t *restrict to,
                                    const uint32_t strip)
{
	if (pool->kind == FAST_POOL_MAX)
		KERNEL(pool_max)(pool, corner, to, strip);
	else if (pool->kind == FAST_POOL_AVERAGE)
		KERNEL(pool_average)(pool, corner, to, strip);
	else
		memcpy(to, corner, strip);
}

// Sixteen operands of eight bits stay within sixteen bits.
POOL_INLINE void KERNEL(fold)(ai8x_eltwise eltwise, int16_t *restrict into, const int8_t *restrict value,
                              const uint32_t strip)
{
	switch (eltwise) {
	case AI8X_ELTWISE_SUB:
		for (uint32_t c = 0; c < strip; c++)
			into[c] = (int16_t)(into[c] - value[c]);
		break;
	case AI8X_ELTWISE_ADD:
		for (uint32_t c = 0; c < strip; c++)
			into[c] = (int16_t)(into[c] + value[c]);
		break;
	case AI8X_ELTWISE_OR:
		for (uint32_t c = 0; c < strip; c++)
			into[c] = (int16_t)(into[c] | value[c]);
		break;
	case AI8X_ELTWISE_XOR:
		for (uint32_t c = 0; c < strip; c++)
			into[c] = (int16_t)(into[c] ^ value[c]);
		break;
	}
}

POOL_INLINE void KERNEL(clip)(const int16_t *restrict from, int8_t *restrict to, const uint32_t strip)
{
	for (uint32_t c = 0; c < strip; c++) {
		int16_t value = from[c] < -128 ? -128 : from[c];
		to[c] = (int8_t)(value > 127 ? 127 : value);
	}
}

// Pool each operand, then combine.
POOL_INLINE void KERNEL(combine_last)(const struct fast_pool *pool, const int8_t *corner, int8_t *restrict to,
                                      const uint32_t strip)
{
	int16_t sum[POOL_STRIP];
	int8_t pooled[POOL_STRIP];
	for (uint32_t operand = 0; operand < pool->operands; operand++) {
		KERNEL(pool_strip)(pool, corner + (size_t)operand * pool->lanes, pooled, strip);
		if (operand > 0) {
			KERNEL(fold)(pool->eltwise, sum, pooled, strip);
			continue;
		}
		for (uint32_t c = 0; c < strip; c++)
			sum[c] = pooled[c];
	}
	KERNEL(clip)(sum, to, strip);
}

// Combine and clip at every position of the window, then pool.
POOL_INLINE void KERNEL(combine_first)(const struct fast_pool *pool, const int8_t *corner,
                                       int8_t *restrict to, const uint32_t strip)
{
	int16_t sum[POOL_STRIP];
	uint16_t total[POOL_STRIP] = {0};
	int8_t clipped[POOL_STRIP];
	for (uint32_t c = 0; c < strip; c++)
		to[c] = -128;
	for (uint32_t a = 0; a < pool->rows; a++) {
		for (uint32_t b = 0; b < pool->columns; b++) {
			const int8_t *from = corner + a * pool->row_step + b * pool->column_step;
			for (uint32_t c = 0; c < strip; c++)
				sum[c] = from[c];
			for (uint32_t operand = 1; operand < pool->operands; operand++)
				KERNEL(fold)(pool->eltwise, sum, from + (size_t)operand * pool->lanes, strip);
			KERNEL(clip)(sum, clipped, strip);
			for (uint32_t c = 0; c < strip; c++) {
				to[c] = clipped[c] > to[c] ? clipped[c] : to[c];
				total[c] = (uint16_t)(total[c] + (uint16_t)(clipped[c] + 128));
			}
		}
	}
	for (uint32_t c = 0; pool->kind == FAST_POOL_AVERAGE && c < strip; c++)
		to[c] = pool->average[total[c]];
}

POOL_INLINE void KERNEL(pool_store)(const struct fast_pool *pool, int8_t *values, uint32_t count, int8_t *to,
                                    const uint32_t strip)
{
	for (uint32_t c = 0; c < strip; c++)
		values[c] = (int8_t)((uint8_t)values[c] ^ pool->flip);
	memcpy(to, values, count);
}

// Channels of a pixel, one operand.
POOL_INLINE void KERNEL(pool_piece)(const struct fast_pool *pool, const int8_t *corner, uint32_t count,
                                    int8_t *to, const uint32_t strip)
{
	int8_t values[POOL_STRIP];
	KERNEL(pool_strip)(pool, corner, values, strip);
	KERNEL(pool_store)(pool, values, count, to, strip);
}

// The operands of a pass.
POOL_INLINE void KERNEL(combine)(const struct fast_pool *pool, const int8_t *from, int8_t *to,
                                 const uint32_t strip)
{
	int8_t values[POOL_STRIP];
	if (pool->combine_first)
		KERNEL(combine_first)(pool, from, values, strip);
	else
		KERNEL(combine_last)(pool, from, values, strip);
	KERNEL(pool_store)(pool, values, pool->lanes, to, strip);
}

POOL_INLINE void KERNEL(pool_pixels)(const struct fast_pool *pool, const uint32_t strip)
{
	const uint32_t channels = pool->lanes * pool->passes;
	for (uint32_t pixel = 0; pixel < pool->count; pixel++) {
		const int8_t *corner = pool->samples + pixel * pool->step;
		int8_t *to = pool->to + pixel * pool->to_step;
		for (uint32_t c = 0; pool->operands == 1 && c < channels; c += strip)
			KERNEL(pool_piece)(pool, corner + c, channels - c < strip ? channels - c : strip, to + c, strip);
		for (uint32_t pass = 0; pool->operands > 1 && pass < pool->passes; pass++)
			KERNEL(combine)
		(pool, corner + (size_t)pass * pool->operands * pool->lanes, to + (size_t)pass * pool->lanes, strip);
	}
}

static void KERNEL(pool)(const struct fast_pool *pool)
{
	const uint32_t together = pool->operands > 1 ? pool->lanes : pool->lanes * pool->passes;
	// Shorter loops than these are unrolled before they could become vectors.
	if (together <= 32)
		KERNEL(pool_pixels)(pool, 32);
	else
		KERNEL(pool_pixels)(pool, POOL_STRIP);
}

#undef POOL_INLINE
#undef POOL_STRIP
