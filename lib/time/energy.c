// Energy of a layer above idle: a first-order law fitted to public measurements (docs/energy.md).
#include <ai8xsim/time.h>

#include "base/bits.h"
#include "layer/layer.h"

// Joules per cycle and active processor.
#define JOULES_CONVOLUTION 30.9e-12
#define JOULES_POINTWISE 22.1e-12

double ai8x_energy_layer(const ai8x_layer *layer, const ai8x_counters *counters)
{
	const double processors = bits_count(layer->processors);
	const bool pointwise = layer->kernel_rows * layer->kernel_columns == 1;
	const double cycles = (double)(ai8x_time_total(counters) - counters->state[AI8X_STATE_STALL]);
	return cycles * processors * (pointwise ? JOULES_POINTWISE : JOULES_CONVOLUTION);
}
