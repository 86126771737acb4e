// What bench_peers measures: shapes of layers, and those who compute them.
#ifndef AI8X_BENCH_PEERS_H
#define AI8X_BENCH_PEERS_H

#include <stdbool.h>
#include <stdint.h>

// A convolution with as many output pixels as input pixels.
struct shape {
	const char *name;
	uint32_t in_channels, out_channels, rows, columns, kernel;
	bool positive; // the image has no negative value, as after ReLU: AVX2 multiplies bytes then
};

static inline double shape_macs(const struct shape *shape)
{
	return (double)shape->in_channels * shape->out_channels * shape->rows * shape->columns * shape->kernel *
	       shape->kernel;
}

// Matrix products of a layer's shape: [pixels][inputs * kernel^2] by [inputs * kernel^2][outputs]. Seconds of one, or
// a negative number where this build has no such library.
double peer_sgemm(const struct shape *shape, int threads, double seconds);
double peer_int8_gemm(const struct shape *shape, double seconds, char isa[64]);
// The layer itself, likewise.
double peer_xnnpack(const struct shape *shape, double seconds);

#endif
