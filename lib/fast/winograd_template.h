// 3x3 kernels by Winograd's F(4x4, 3x3) with integers: 36 products in place of 144 for a tile of 4 x 4 pixels.
// The including file defines KERNEL(name), WINOGRAD_BYTES, the size of its registers, and WINOGRAD_LOAD(from), which
// widens half a register of bytes to 16 bits each.
//
// With m = (transformed kernel) * (transformed window), in one dimension and points 0, 1, -1, 2, -2 and infinity:
//
//   window  t = {4(x0 - x2) + (x4 - x2),  q + p,  p - q,  r + s,  r - s,  (x5 - x3) - 2s}
//           with p = x4 - 4x2, q = x3 - 4x1, r = x4 - x2, s = 2(x3 - x1)
//   kernel  u = {6g0,  g0 + g1 + g2,  g0 - g1 + g2,  g0 + 2g1 + 4g2,  g0 - 2g1 + 4g2,  6g2}
//   sums    24 y0 = m0 - 4(m1 + m2) + (m3 + m4)      12 y1 = (m3 - m4) - 2(m1 - m2)
//            6 y2 = (m3 + m4) - (m1 + m2)             6 y3 = 2(m3 - m4) - (m1 - m2) + m5
//
// The last tile of a row or column often needs two sums only. F(2, 3) has points 0, 1, -1 and infinity, so that it needs
// the same transformed kernels without the two in the middle:
//
//   window  t = {x0 - x2,  x1 + x2,  x2 - x1,  x3 - x1}     kernel  u0, u1, u2, u5
//   sums    6 y0 = m0 + 3(m1 + m2)      6 y1 = 3(m1 - m2) + m5
//
// Why it is exact: these are identities of integers. |t| is at most 10 * 10 * 128 = 12800 and |u| at most 7 * 7 * 128 =
// 6272, which fit 16 bits, and two products fit 32. Everything after that is arithmetic modulo 2^32, in which 3 * 3
// has an inverse; what is left is the sum times 2^2 .. 2^6, so that a shift brings back every sum below 2^25.
// fast_winograd_plan takes only layers whose weights keep all sums below that, whatever the image holds.

// 1 / 9 modulo 2^32.
#define NINTH UINT32_C(0x38e38e39)

// Registers of 16-bit and 32-bit values.
typedef int16_t KERNEL(shorts) __attribute__((vector_size(WINOGRAD_BYTES)));
typedef uint32_t KERNEL(words) __attribute__((vector_size(WINOGRAD_BYTES)));
typedef int32_t KERNEL(signed_words) __attribute__((vector_size(WINOGRAD_BYTES)));
// The same in memory, at any address. (Compilers copy with memcpy by halves, on which a whole load then waits.)
typedef int16_t KERNEL(loose_shorts) __attribute__((vector_size(WINOGRAD_BYTES), aligned(2), may_alias));
typedef int32_t KERNEL(loose_words) __attribute__((vector_size(WINOGRAD_BYTES), aligned(4), may_alias));

#define WINOGRAD_INLINE static inline __attribute__((always_inline))

// The plane of a line: tiles of two sums do without those in the middle.
WINOGRAD_INLINE size_t KERNEL(winograd_plane)(uint32_t line, const bool is_short)
{
	return is_short && line == 3 ? 5 : line;
}

static inline void KERNEL(window_line)(const KERNEL(shorts) x[6], KERNEL(shorts) t[6])
{
	const KERNEL(shorts) p = x[4] - 4 * x[2], q = x[3] - 4 * x[1];
	const KERNEL(shorts) r = x[4] - x[2], s = 2 * (x[3] - x[1]);
	t[0] = 4 * (x[0] - x[2]) + r;
	t[1] = p + q;
	t[2] = p - q;
	t[3] = r + s;
	t[4] = r - s;
	t[5] = x[5] - x[3] - 2 * s;
}

static inline void KERNEL(short_window_line)(const KERNEL(shorts) x[4], KERNEL(shorts) t[4])
{
	t[0] = x[0] - x[2];
	t[1] = x[1] + x[2];
	t[2] = x[2] - x[1];
	t[3] = x[3] - x[1];
}

// A strip of channels of one tile. What lies past the last channel is computed too: the next tile replaces it.
WINOGRAD_INLINE void KERNEL(window_strip)(const struct fast_windows *windows, const int8_t *from, int16_t *to,
                                          const bool short_rows, const bool short_columns)
{
	const uint32_t rows = short_rows ? 4 : 6, columns = short_columns ? 4 : 6;
	const size_t plane = windows->plane;
	KERNEL(shorts) across[6][6];
	for (uint32_t column = 0; column < columns; column++) {
		KERNEL(shorts) x[6], t[6];
		for (uint32_t row = 0; row < rows; row++)
			x[row] = WINOGRAD_LOAD(from + row * windows->row_stride + column * windows->pixel_stride);
		if (short_rows)
			KERNEL(short_window_line)(x, t);
		else
			KERNEL(window_line)(x, t);
		for (uint32_t row = 0; row < rows; row++)
			across[row][column] = t[row];
	}
	for (uint32_t row = 0; row < rows; row++) {
		KERNEL(shorts) t[6];
		if (short_columns)
			KERNEL(short_window_line)(across[row], t);
		else
			KERNEL(window_line)(across[row], t);
		for (uint32_t column = 0; column < columns; column++) {
			const size_t at =
				6 * KERNEL(winograd_plane)(row, short_rows) + KERNEL(winograd_plane)(column, short_columns);
			*(KERNEL(loose_shorts) *)(to + at * plane) = t[column];
		}
	}
}

// By whether rows and columns are short. Functions of their own keep their values in registers.
static void KERNEL(window_strip_44)(const struct fast_windows *windows, const int8_t *from, int16_t *to)
{
	KERNEL(window_strip)(windows, from, to, false, false);
}

static void KERNEL(window_strip_42)(const struct fast_windows *windows, const int8_t *from, int16_t *to)
{
	KERNEL(window_strip)(windows, from, to, false, true);
}

static void KERNEL(window_strip_24)(const struct fast_windows *windows, const int8_t *from, int16_t *to)
{
	KERNEL(window_strip)(windows, from, to, true, false);
}

static void KERNEL(window_strip_22)(const struct fast_windows *windows, const int8_t *from, int16_t *to)
{
	KERNEL(window_strip)(windows, from, to, true, true);
}

static void KERNEL(winograd_windows)(const struct fast_windows *windows)
{
	static void (*const strips[2][2])(const struct fast_windows *, const int8_t *, int16_t *) = {
		{KERNEL(window_strip_44), KERNEL(window_strip_42)},
		{KERNEL(window_strip_24), KERNEL(window_strip_22)},
	};
	void (*const strip)(const struct fast_windows *, const int8_t *, int16_t *) =
		strips[windows->short_rows][windows->short_columns];
	for (uint32_t tile = 0; tile < windows->tiles; tile++)
		for (uint32_t c = 0; c < windows->channels; c += WINOGRAD_BYTES / 2)
			strip(windows, windows->image + 4 * (size_t)tile * windows->pixel_stride + c,
			      windows->to + (size_t)tile * windows->channels + c);
}

static inline void KERNEL(sum_line)(const KERNEL(words) m[6], KERNEL(words) y[4])
{
	const KERNEL(words) a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
	y[0] = m[0] - 4 * a + c;
	y[1] = d - (b + b);
	y[2] = c - a;
	y[3] = d + d - b + m[5];
}

static inline void KERNEL(short_sum_line)(const KERNEL(words) m[4], KERNEL(words) y[2])
{
	const KERNEL(words) a = m[1] + m[2], b = m[1] - m[2];
	y[0] = m[0] + (a + a + a);
	y[1] = b + b + b + m[3];
}

WINOGRAD_INLINE void KERNEL(sum_strip)(const struct fast_products *products, const int32_t *from, int32_t *to,
                                       const bool short_rows, const bool short_columns)
{
	// What is left of 24, 12, 6 and 6, or of 6 and 6, when 3 is divided out.
	static const int shift[2][4] = {{3, 2, 1, 1}, {1, 1}};
	const uint32_t rows = short_rows ? 2 : 4, columns = short_columns ? 2 : 4;
	const size_t plane = products->plane, row_step = products->row_step, column_step = products->stride;
	KERNEL(words) across[4][6];
	for (uint32_t column = 0; column < columns + 2; column++) {
		KERNEL(words) m[6], y[4];
		for (uint32_t row = 0; row < rows + 2; row++) {
			const size_t at =
				6 * KERNEL(winograd_plane)(row, short_rows) + KERNEL(winograd_plane)(column, short_columns);
			m[row] = (KERNEL(words))((const KERNEL(loose_words) *)(from + at * plane))[0];
		}
		if (short_rows)
			KERNEL(short_sum_line)(m, y);
		else
			KERNEL(sum_line)(m, y);
		for (uint32_t row = 0; row < rows; row++)
			across[row][column] = y[row];
	}
	for (uint32_t row = 0; row < rows; row++) {
		KERNEL(words) y[4];
		if (short_columns)
			KERNEL(short_sum_line)(across[row], y);
		else
			KERNEL(sum_line)(across[row], y);
		for (uint32_t column = 0; column < columns; column++) {
			const KERNEL(signed_words) sum = (KERNEL(signed_words))(y[column] * NINTH);
			*(KERNEL(loose_words) *)(to + row * row_step + column * column_step) =
				sum >> (shift[short_rows][row] + shift[short_columns][column]);
		}
	}
}

static void KERNEL(sum_strip_44)(const struct fast_products *products, const int32_t *from, int32_t *to)
{
	KERNEL(sum_strip)(products, from, to, false, false);
}

static void KERNEL(sum_strip_42)(const struct fast_products *products, const int32_t *from, int32_t *to)
{
	KERNEL(sum_strip)(products, from, to, false, true);
}

static void KERNEL(sum_strip_24)(const struct fast_products *products, const int32_t *from, int32_t *to)
{
	KERNEL(sum_strip)(products, from, to, true, false);
}

static void KERNEL(sum_strip_22)(const struct fast_products *products, const int32_t *from, int32_t *to)
{
	KERNEL(sum_strip)(products, from, to, true, true);
}

static void KERNEL(winograd_sums)(const struct fast_products *products)
{
	static void (*const strips[2][2])(const struct fast_products *, const int32_t *, int32_t *) = {
		{KERNEL(sum_strip_44), KERNEL(sum_strip_42)},
		{KERNEL(sum_strip_24), KERNEL(sum_strip_22)},
	};
	void (*const strip)(const struct fast_products *, const int32_t *, int32_t *) =
		strips[products->short_rows][products->short_columns];
	for (uint32_t tile = 0; tile < products->tiles; tile++)
		for (size_t s = 0; s < products->stride; s += WINOGRAD_BYTES / 4)
			strip(products, products->products + tile * products->stride + s,
			      products->to + (size_t)tile * 4 * products->stride + s);
}

#undef WINOGRAD_INLINE
