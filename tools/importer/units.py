"""Whole numbers and powers of two: what real weights, biases and scales are as integers of the accelerator."""

import math

import numpy

WIDTHS = (1, 2, 4, 8)
NEAR = 2e-5  # Relative: batch normalization leaves this much of its epsilon in folded weights


def power_of_two(value):
    """The exponent, or None."""
    if value <= 0:
        return None
    exponent = round(math.log2(value))
    return exponent if abs(value / 2.0 ** exponent - 1) < 1e-6 else None


def is_whole(values):
    """Are all of them integers?"""
    return bool((values == numpy.floor(values)).all())


def nearly_whole(values):
    """The integers that the values are up to rounding errors, or None."""
    rounded = numpy.rint(values)
    largest = max(float(numpy.abs(values).max(initial=0)), 1.0)
    return rounded if float(numpy.abs(rounded - values).max(initial=0)) <= NEAR * largest * 2 else None


def to_integers(values, unit=None):
    """Weights as integers and the value of one unit, or (None, None).

    unit: what one unit is where that is known; otherwise 1 if the weights are whole, or the largest power of two
    that makes them so.
    """
    if unit is not None:
        whole = nearly_whole(values / unit)
        return (whole, unit) if whole is not None else (None, None)
    for exponent in range(0, 15):
        whole = nearly_whole(values * 2.0 ** exponent)
        if whole is not None:
            if numpy.abs(whole).max(initial=0) > 128:
                return None, None
            return whole, 2.0 ** -exponent
    return None, None


def bits_needed(values):
    """The narrowest width of the accelerator that holds the integers, or None."""
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low == high == 0:
        return 8
    for bits in WIDTHS:
        if low >= -(1 << bits - 1) and high <= (1 << bits - 1) - 1:
            return bits
    return None
