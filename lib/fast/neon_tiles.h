// All tiles of a run for NEON variants: PIXELS pixels at a time, then two, then one, which the including file's tile() takes
// as a constant.
static void conv(const struct fast_conv *conv)
{
	uint32_t pixel = 0;
	for (; pixel + PIXELS <= conv->pixels; pixel += PIXELS)
		for (uint32_t block = 0; block < conv->blocks; block++)
			tile(conv, pixel, block, PIXELS);
	for (; pixel + 2 <= conv->pixels; pixel += 2)
		for (uint32_t block = 0; block < conv->blocks; block++)
			tile(conv, pixel, block, 2);
	for (uint32_t block = 0; pixel < conv->pixels && block < conv->blocks; block++)
		tile(conv, pixel, block, 1);
}
