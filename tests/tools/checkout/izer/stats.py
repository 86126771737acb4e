"""Counters."""


def get(layer, _operation):
    """Multiply-accumulates of a layer."""
    return 100 + layer
