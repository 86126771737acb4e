"""Operators."""
NONE, CONV2D = 0, 2
ACT_RELU, ACT_ABS = 1, 2
ELTWISE_ADD = -1


def string(value, elt=False):
    """Name of an operator or of an element-wise operation."""
    return {NONE: 'none' if elt else 'passthrough', CONV2D: 'conv2d', ELTWISE_ADD: 'add'}[value]
