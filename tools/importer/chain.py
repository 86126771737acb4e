"""What follows a convolution up to where its layer ends: scales, rounding, clipping, activation.

The current value is (sum * gain + offset) * factor, with the sum as the node computes it, until it is rounded.
"""

import numpy

from units import power_of_two

STRAIGHT = ("Mul", "Div", "Add", "Sub", "Floor", "Round", "Trunc", "Relu", "Abs", "Clip", "QuantizeLinear",
            "DequantizeLinear", "BatchNormalization")


class Chain:
    """What was found after a tensor."""

    def __init__(self, tensor):
        self.tensor = tensor  # where it ends
        self.nodes = []
        self.folded = []  # nodes that went into weights and bias
        self.factor = 1.0
        self.gain = 1.0  # per channel or one number
        self.offset = 0.0
        self.activation = None
        self.before_abs = None  # (tensor, factor there)
        self.rounded = []  # (how, factor there)
        self.low, self.high = None, None  # in units of factor 1
        self.quantized = None  # unit of the last QuantizeLinear, in units of factor 1
        self.half = False  # 0.5 was added for the Floor that follows

    @property
    def straight(self):
        """Is the value still a multiple of the sum?"""
        return self.activation is None and not self.rounded and self.low is None and self.high is None and not self.half

    def clip(self, low, high):
        """Bounds in current units."""
        if low is not None:
            low = float(low) / self.factor
            self.low = low if self.low is None else max(self.low, low)
        if high is not None:
            high = float(high) / self.factor
            self.high = high if self.high is None else min(self.high, high)


def single(value):
    """The one number that a constant holds, or None."""
    if value is None:
        return None
    found = numpy.unique(numpy.asarray(value, dtype=numpy.float64))
    return float(found[0]) if found.size == 1 else None


def per_channel(value, rank):
    """A constant with one number per channel, as a vector, or None. rank: of the tensor that it goes with."""
    value = numpy.asarray(value, dtype=numpy.float64)
    axis = value.ndim - rank + 1
    if rank == 2 and value.ndim == 1:
        axis = 0
    if axis < 0 or axis >= value.ndim or value.size != value.shape[axis]:
        return None
    return value.ravel()


def follow(graph, readers, tensor, shapes):
    """Everything after `tensor` that one layer can do with it."""
    chain = Chain(tensor)
    while chain.tensor not in graph.outputs and len(readers[chain.tensor]) == 1:
        node = readers[chain.tensor][0]
        if node.op not in STRAIGHT or node.inputs.count(chain.tensor) != 1 or \
                not STEPS[node.op](graph, readers, chain, node, len(shapes.get(chain.tensor, ()))):
            break
        chain.nodes.append(node)
        chain.tensor = node.outputs[0]
    return chain


def other_input(graph, chain, node):
    """The constant that a node combines the tensor with, and whether the tensor comes first."""
    first = node.inputs[0] == chain.tensor
    return graph.constant(node.inputs[1 if first else 0]), first


def step_scale(graph, _readers, chain, node, rank):
    """Mul and Div by constants."""
    value, first = other_input(graph, chain, node)
    number = single(value)
    if value is None or (node.op == "Div" and not first):
        return False
    if number is not None and number > 0:
        chain.factor *= number if node.op == "Mul" else 1 / number
        return True
    vector = per_channel(value, rank)
    if vector is None or not chain.straight or not numpy.all(vector):
        return False
    chain.gain = chain.gain * (vector if node.op == "Mul" else 1 / vector)
    chain.offset = chain.offset * (vector if node.op == "Mul" else 1 / vector)
    chain.folded.append(node)
    return True


def step_add(graph, readers, chain, node, rank):
    """Add and Sub of constants: a bias, or half a unit before Floor."""
    value, first = other_input(graph, chain, node)
    if value is None or (node.op == "Sub" and not first):
        return False
    sign = -1.0 if node.op == "Sub" else 1.0
    number = single(value)
    following = readers[node.outputs[0]]
    if number is not None and sign * number == 0.5 and len(following) == 1 and following[0].op == "Floor":
        chain.half = True
        return True
    vector = numpy.asarray(number) if number is not None else per_channel(value, rank)
    if vector is None or not chain.straight:
        return False
    chain.offset = chain.offset + sign * vector / chain.factor
    chain.folded.append(node)
    return True


def step_floor(_graph, _readers, chain, _node, _rank):
    """Floor, after half a unit was added or not."""
    chain.rounded.append(("nearest" if chain.half else "down", chain.factor))
    chain.half = False
    return True


def step_round(_graph, _readers, chain, _node, _rank):
    """Round."""
    chain.rounded.append(("nearest", chain.factor))
    return True


def step_trunc(_graph, _readers, chain, _node, _rank):
    """Rounding to zero."""
    chain.rounded.append(("zero", chain.factor))
    return True


def step_relu(_graph, _readers, chain, _node, _rank):
    """Relu."""
    chain.activation = chain.activation or "ReLU"
    return True


def step_abs(_graph, _readers, chain, node, _rank):
    """Abs."""
    if chain.activation is None:
        chain.activation = "Abs"
        chain.before_abs = (node.inputs[0], chain.factor)
    return True


def step_clip(graph, _readers, chain, node, _rank):
    """Clip, whose lower bound may be an activation."""
    bounds = [single(graph.constant(name)) if name else None for name in node.inputs[1:3]] + [None, None]
    low = bounds[0] if bounds[0] is not None else node.get("min")
    high = bounds[1] if bounds[1] is not None else node.get("max")
    if low == 0:
        chain.activation = chain.activation or "ReLU"
        low = None
    chain.clip(low, high)
    return True


def step_quantize(graph, _readers, chain, node, _rank):
    """QuantizeLinear: a scale, rounding and clipping."""
    scale = single(graph.constant(node.inputs[1]))
    zero = graph.constant(node.inputs[2]) if len(node.inputs) > 2 else None
    offset = single(zero) or 0.0
    signed = (zero is not None and numpy.asarray(zero).dtype == numpy.int8) or node.get("output_dtype") == 3
    if scale is None or scale <= 0:
        raise node.refuse("its scale is not one positive constant")
    if (signed and offset != 0) or (not signed and offset not in (0.0, 128.0)):
        raise node.refuse(f"its zero point is {offset:g}: the accelerator has zero points of 0 only (unsigned: 128)")
    chain.quantized = scale / chain.factor
    chain.rounded.append(("nearest", chain.factor / scale))
    if not signed and offset == 0.0:
        if chain.activation is None:
            raise node.refuse("unsigned results, 0 to 255: the accelerator's go to 127; quantize to INT8")
        node.attributes["unsigned"] = True
    chain.factor /= scale
    return True


def step_dequantize(graph, _readers, chain, node, _rank):
    """DequantizeLinear: a scale."""
    scale = single(graph.constant(node.inputs[1]))
    if scale is None or scale <= 0:
        raise node.refuse("its scale is not one positive constant")
    chain.factor *= scale
    return True


def step_batch_norm(graph, _readers, chain, node, _rank):
    """BatchNormalization goes into weights and bias."""
    parameters = [graph.constant(name) for name in node.inputs[1:5]]
    if any(p is None for p in parameters):
        raise node.refuse("its parameters are not constants")
    if not chain.straight:
        return False
    scale, shift, mean, variance = parameters
    gain = scale / numpy.sqrt(variance + node.get("epsilon", 1e-5))
    chain.offset = chain.offset * gain + (shift - mean * gain) / chain.factor
    chain.gain = chain.gain * gain
    chain.folded.append(node)
    return True


STEPS = {
    "Mul": step_scale, "Div": step_scale, "Add": step_add, "Sub": step_add, "Floor": step_floor, "Round": step_round,
    "Trunc": step_trunc, "Relu": step_relu, "Abs": step_abs, "Clip": step_clip, "QuantizeLinear": step_quantize,
    "DequantizeLinear": step_dequantize, "BatchNormalization": step_batch_norm,
}


def final_unit(chain):
    """The value of one unit of the 8-bit result, where the chain ends; None: nothing tells."""
    if chain.quantized is not None:
        return chain.quantized * chain.factor
    if chain.high is not None and power_of_two(chain.high / 127 * chain.factor) is not None:
        return chain.high / 127 * chain.factor
    if chain.low is not None and power_of_two(-chain.low / 128 * chain.factor) is not None:
        return -chain.low / 128 * chain.factor
    nearest = [factor for how, factor in chain.rounded if how == "nearest"]
    return chain.factor / nearest[-1] if nearest else None
