// Energy of a layer above idle: a law of first order fitted to public measurements (docs/energy.md).
#include <ai8xsim/time.h>

#include <math.h>

#include "base/bits.h"
#include "part/part.h"

double ai8x_energy_error(const ai8x_part *part)
{
	if (part == NULL)
		return 0;
	return part->standing.energy_error;
}

double ai8x_cycles_error(const ai8x_part *part, unsigned *networks)
{
	if (part == NULL)
		return 0;
	if (networks != NULL)
		*networks = part->standing.cycles_networks;
	return part->standing.cycles_error;
}

double ai8x_fed_cycles_error(const ai8x_part *part)
{
	if (part == NULL)
		return 0;
	return part->standing.fed_error;
}

double ai8x_energy_volts(const ai8x_part *part, size_t index)
{
	return part != NULL && index < part->energy_count ? part->energy[index].volts : 0;
}

static const struct part_energy *row_at(const ai8x_part *part, double volts)
{
	const struct part_energy *row = part->energy;
	for (size_t i = 1; volts > 0 && i < part->energy_count; i++)
		if (fabs(part->energy[i].volts - volts) < fabs(row->volts - volts))
			row = &part->energy[i];
	return row;
}

double ai8x_energy_layer_at(const ai8x_layer *layer, const ai8x_counters *counters, double volts,
                            uint32_t clock_hz)
{
	if (layer == NULL || counters == NULL)
		return 0;
	const struct part_energy *row = row_at(layer->part, volts);
	const bool pointwise = layer->kernel_rows * layer->kernel_columns == 1;
	const uint32_t hz = clock_hz != 0 ? clock_hz : ai8x_clock_default(layer->part, !layer->no_pipeline).hz;
	const uint64_t all = ai8x_time_total(counters);
	const uint64_t idle = counters->state[AI8X_STATE_STALL] + counters->state[AI8X_STATE_PIPELINE];
	const double processors = bits_count(layer->processors);
	const double joules = row->cycle + processors * (pointwise ? row->point : row->window);
	return (double)(all - idle) * joules + (double)all / hz * row->watts;
}
