// Sample inputs as people have them, as 8-bit data; see sample.c.
#ifndef AI8X_PROGRAM_SAMPLE_H
#define AI8X_PROGRAM_SAMPLE_H

#include <stdbool.h>

#include "program/npy.h"

// One number as 8-bit data where it was multiplied by a factor: the nearest integer, halves up, in -128..127.
int32_t sample_scaled(double value, double scale);

// The numbers of a sample, multiplied by @p scale unless that is 0 or 1. Unsigned bytes that are not multiplied have 128
// subtracted, which *subtracted tells. Whatever is no integer then is an error that says which factor helps.
ai8x_status sample_settle(struct array *array, double scale, const char *file, bool *subtracted,
                          ai8x_error *error);

// The error for fractions from @p least to @p greatest.
ai8x_status sample_refuse_fractions(const char *file, double least, double greatest, ai8x_error *error);

// true: the sizes are those of an image with its channels last.
bool sample_channels_last(const size_t shape[3]);

#endif
