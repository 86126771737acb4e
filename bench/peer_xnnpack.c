// What another engine for networks does with the same layer: XNNPACK's convolution of signed bytes, which gathers,
// multiplies, shifts and clips, as the fast engine does. It picks the instruction set itself.
#include "peers.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"

#ifdef HAVE_XNNPACK
#include <xnnpack.h>

static void *bytes(size_t count, int32_t least, int32_t most)
{
	// Kernels may read a little past the end.
	int8_t *values = calloc(count + XNN_EXTRA_BYTES, 1);
	if (values == NULL)
		abort();
	for (size_t i = 0; i < count; i++)
		values[i] = (int8_t)(least + (int32_t)(i % (size_t)(most - least + 1)));
	return values;
}

static void step(void *user)
{
	if (xnn_run_operator(user, NULL) != xnn_status_success)
		abort();
}

double peer_xnnpack(const struct shape *s, double seconds)
{
	const size_t pixels = (size_t)s->rows * s->columns;
	const uint32_t pad = s->kernel / 2;
	int8_t *image = bytes(pixels * s->in_channels, s->positive ? 0 : -127, 127);
	int8_t *to = bytes(pixels * s->out_channels, 0, 0);
	int8_t *weights = bytes((size_t)s->in_channels * s->out_channels * s->kernel * s->kernel, -125, 125);
	xnn_operator_t convolution = NULL;
	if (xnn_initialize(NULL) != xnn_status_success ||
	    xnn_create_convolution2d_nhwc_qs8(pad, pad, pad, pad, s->kernel, s->kernel, 1, 1, 1, 1, 1,
	                                      s->in_channels, s->out_channels, s->in_channels, s->out_channels, 0,
	                                      1, 1.0F / 128, weights, NULL, 0, 128, -128, 127, 0,
	                                      &convolution) != xnn_status_success ||
	    xnn_setup_convolution2d_nhwc_qs8(convolution, 1, s->rows, s->columns, image, to, NULL) !=
	        xnn_status_success)
		abort();
	const double best = best_of(step, convolution, seconds);
	(void)xnn_delete_operator(convolution);
	free(image);
	free(to);
	free(weights);
	return best;
}
#else
double peer_xnnpack(const struct shape *s, double seconds)
{
	(void)s;
	(void)seconds;
	return -1;
}
#endif
