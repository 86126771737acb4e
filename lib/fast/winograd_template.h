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

// A strip of channels of one tile. What lies past the last channel is computed too: the next tile replaces it.
static inline void KERNEL(window_strip)(const struct fast_windows *windows, const int8_t *from, int16_t *to)
{
	const size_t plane = windows->plane;
	KERNEL(shorts) across[6][6];
	for (uint32_t column = 0; column < 6; column++) {
		KERNEL(shorts) x[6], t[6];
		for (uint32_t row = 0; row < 6; row++)
			x[row] = WINOGRAD_LOAD(from + row * windows->row_stride + column * windows->pixel_stride);
		KERNEL(window_line)(x, t);
		for (uint32_t row = 0; row < 6; row++)
			across[row][column] = t[row];
	}
	for (uint32_t row = 0; row < 6; row++) {
		KERNEL(shorts) t[6];
		KERNEL(window_line)(across[row], t);
		for (uint32_t column = 0; column < 6; column++)
			*(KERNEL(loose_shorts) *)(to + (6 * row + column) * plane) = t[column];
	}
}

static void KERNEL(winograd_windows)(const struct fast_windows *windows)
{
	for (uint32_t tile = 0; tile < windows->tiles; tile++)
		for (uint32_t c = 0; c < windows->channels; c += WINOGRAD_BYTES / 2)
			KERNEL(window_strip)
	(windows, windows->image + 4 * (size_t)tile * windows->pixel_stride + c,
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

static inline void KERNEL(sum_strip)(const struct fast_products *products, const int32_t *from, int32_t *to)
{
	// What is left of 24, 12, 6 and 6 when 3 is divided out.
	static const int shift[4] = {3, 2, 1, 1};
	const size_t plane = products->plane, column_step = products->stride;
	const size_t row_step = (size_t)products->tiles * 4 * column_step;
	KERNEL(words) across[4][6];
	for (uint32_t column = 0; column < 6; column++) {
		KERNEL(words) m[6], y[4];
		for (uint32_t row = 0; row < 6; row++) {
			const void *at = from + (6 * row + column) * plane;
			m[row] = (KERNEL(words))((const KERNEL(loose_words) *)at)[0];
		}
		KERNEL(sum_line)(m, y);
		for (uint32_t row = 0; row < 4; row++)
			across[row][column] = y[row];
	}
	for (uint32_t row = 0; row < 4; row++) {
		KERNEL(words) y[4];
		KERNEL(sum_line)(across[row], y);
		for (uint32_t column = 0; column < 4; column++) {
			const KERNEL(signed_words) sum = (KERNEL(signed_words))(y[column] * NINTH);
			*(KERNEL(loose_words) *)(to + row * row_step + column * column_step) =
				sum >> (shift[row] + shift[column]);
		}
	}
}

static void KERNEL(winograd_sums)(const struct fast_products *products)
{
	for (uint32_t tile = 0; tile < products->tiles; tile++)
		for (size_t s = 0; s < products->stride; s += WINOGRAD_BYTES / 4)
			KERNEL(sum_strip)
	(products, products->products + tile * products->stride + s,
	 products->to + (size_t)tile * 4 * products->stride + s);
}
