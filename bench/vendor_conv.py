"""Seconds of one convolution in the NumPy simulator of an ai8x-synthesis checkout.

    vendor_conv.py CHECKOUT IN_CHANNELS OUT_CHANNELS ROWS COLUMNS KERNEL SECONDS
"""
import sys
import time

import numpy

sys.path.insert(0, sys.argv[1])
from izer import compute  # pylint: disable=import-error,wrong-import-position

inputs, outputs, rows, columns, kernel = map(int, sys.argv[2:7])
random = numpy.random.default_rng(1)
data = random.integers(-128, 128, (inputs, rows, columns), dtype=numpy.int64)
weights = random.integers(-128, 128, (outputs, inputs, kernel, kernel), dtype=numpy.int64)
pad = [kernel // 2] * 2
best = float("inf")
end = time.perf_counter() + float(sys.argv[7])
while best == float("inf") or time.perf_counter() < end:
    start = time.perf_counter()
    compute.conv2d(data, weights, None, [inputs, rows, columns], [outputs, rows, columns], [kernel, kernel], [1, 1], pad,
                   [1, 1], [1, 1], [0, 0])
    best = min(best, time.perf_counter() - start)
print(best)
