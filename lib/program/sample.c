// Sample inputs as people have them: bytes of pictures, fractions from -1 to 1, integers. The accelerator takes integers
// from -128 to 127, channels first. The same rules are in tools/ai8xsim-weights, for samples that Python reads.

#include "program/sample.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"

int32_t sample_scaled(double value, double scale)
{
	return (int32_t)fmin(fmax(floor(value * scale + 0.5), -128), 127);
}

ai8x_status sample_refuse_fractions(const char *file, double least, double greatest, ai8x_error *error)
{
	const char *remedy = least >= 0 && greatest <= 1 ? "--scale 128 makes 8-bit values of -1 to 1; if they "
	                                                   "are pictures from 0 (black) to 1, subtract 0.5 "
	                                                   "and multiply by 256, as ai8x-training does"
	                     : least >= -1 && greatest <= 1 ? "--scale 128 makes 8-bit values of -1 to 1"
	                                                    : "expected -128 to 127";
	return error_set(error, AI8X_ERR_FORMAT, "%s: values from %g to %g are not whole; %s", file, least,
	                 greatest, remedy);
}

static ai8x_status settle_reals(struct array *array, double scale, const char *file, ai8x_error *error)
{
	double least = array->count > 0 ? array->reals[0] : 0;
	double greatest = least;
	bool whole = true;
	for (size_t i = 0; i < array->count; i++) {
		least = fmin(least, array->reals[i]);
		greatest = fmax(greatest, array->reals[i]);
		if (isnan(array->reals[i]))
			return error_set(error, AI8X_ERR_FORMAT, "%s: value %zu is not a number", file, i);
		const double value = array->reals[i];
		whole = whole && floor(value) == value && fabs(value) <= INT32_MAX;
		array->values[i] = scale != 1 ? sample_scaled(value, scale) : whole ? (int32_t)value : 0;
	}
	if (scale == 1 && !whole)
		return sample_refuse_fractions(file, least, greatest, error);
	free(array->reals);
	array->reals = NULL;
	return AI8X_OK;
}

ai8x_status sample_settle(struct array *array, double scale, const char *file, bool *subtracted,
                          ai8x_error *error)
{
	*subtracted = false;
	if (scale == 0)
		scale = 1;
	if (array->reals != NULL)
		return settle_reals(array, scale, file, error);
	*subtracted = array->bytes && scale == 1;
	for (size_t i = 0; i < array->count; i++)
		if (scale != 1)
			array->values[i] = sample_scaled(array->values[i], scale);
		else if (*subtracted)
			array->values[i] -= 128;
	return AI8X_OK;
}

bool sample_channels_last(const size_t shape[3])
{
	return shape[2] <= 4 && shape[0] > 4;
}
