"""A network as a graph of operators, and what each operator computes.

Operators have the names and attributes of ONNX; what reads ONNX files and what reads torch modules both end here.
Values are computed in double precision, which holds every sum of the accelerator exactly. This is the arithmetic
that an imported program is compared with: it knows nothing of layers, placement or registers.
"""

import collections

import numpy

from refusal import Refused


class Node:
    """One operator: names of the tensors that it reads and makes, and attributes."""

    def __init__(self, op, inputs, outputs, attributes=None, name=""):
        self.op = op
        self.inputs = list(inputs)
        self.outputs = list(outputs)
        self.attributes = dict(attributes or {})
        self.name = name or (outputs[0] if outputs else op)

    def get(self, name, default=None):
        """An attribute."""
        return self.attributes.get(name, default)

    def refuse(self, why):
        """The exception that names this node."""
        return Refused(f"node '{self.name}' ({self.op}): {why}")


class Graph:
    """Nodes in an order in which they can be computed, constants, one input, outputs."""

    def __init__(self, name):
        self.name = name
        self.nodes = []
        self.constants = {}
        self.scales = {}  # Constant: value of one unit, where quantized integers were its source
        self.per_channel = set()  # constants that have a scale for each channel
        self.bits = {}  # Constant: bits of its integers, where the file says it
        self.input = None
        self.input_shape = None
        self.outputs = []
        self.notes = []

    def note(self, text):
        """Something the user should know, once."""
        if text not in self.notes:
            self.notes.append(text)

    def readers(self):
        """The nodes that read each tensor."""
        found = collections.defaultdict(list)
        for node in self.nodes:
            for name in node.inputs:
                if name and node not in found[name]:
                    found[name].append(node)
        return found

    def rename(self, old, new):
        """Whoever reads `old` reads `new`."""
        for node in self.nodes:
            node.inputs = [new if name == old else name for name in node.inputs]
        self.outputs = [new if name == old else name for name in self.outputs]

    def constant(self, name):
        """A constant's value, or None."""
        return self.constants.get(name) if name else None


# --- Operators ------------------------------------------------------------------------------------------------------

def spatial_pads(node, rank):
    """Padding before and after each spatial axis."""
    pads = [int(p) for p in node.get("pads") or [0] * 2 * rank]
    return list(zip(pads[:rank], pads[rank:]))


def same_pads(node, shape, kernel, strides, dilations):
    """What auto_pad stands for; shape is that of the image."""
    mode = node.get("auto_pad", "NOTSET")
    mode = mode.decode() if isinstance(mode, bytes) else mode
    rank = len(kernel)
    if mode in ("NOTSET", ""):
        return spatial_pads(node, rank)
    if mode == "VALID":
        return [(0, 0)] * rank
    pairs = []
    for size, taps, stride, dilation in zip(shape, kernel, strides, dilations):
        total = max((-(-size // stride) - 1) * stride + (taps - 1) * dilation + 1 - size, 0)
        small, large = total // 2, total - total // 2
        pairs.append((small, large) if mode == "SAME_UPPER" else (large, small))
    return pairs


def windows(image, kernel, strides, dilations):
    """Every window of the last axes; the window's axes come last."""
    rank = len(kernel)
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    axes = tuple(range(image.ndim - rank, image.ndim))
    view = numpy.lib.stride_tricks.sliding_window_view(image, extent, axis=axes)
    steps = (Ellipsis, *[slice(None, None, s) for s in strides], *[slice(None, None, d) for d in dilations])
    return view[steps]


def convolve(image, weights, bias, strides, dilations, pads, groups):
    """A convolution of one or two spatial axes."""
    rank = weights.ndim - 2
    padded = numpy.pad(image, [(0, 0), (0, 0)] + list(pads))
    out_each = weights.shape[0] // groups
    results = []
    for group in range(groups):
        part = padded[:, group * weights.shape[1]:(group + 1) * weights.shape[1]]
        view = windows(part, weights.shape[2:], strides, dilations)
        kernel = weights[group * out_each:(group + 1) * out_each]
        summed = numpy.tensordot(kernel, view, axes=([1] + list(range(2, 2 + rank)),
                                                     [1] + list(range(2 + rank, 2 + 2 * rank))))
        results.append(numpy.moveaxis(summed, 0, 1))
    result = numpy.concatenate(results, axis=1)
    return result if bias is None else result + bias.reshape((1, -1) + (1,) * rank)


def do_conv(node, image, weights, bias=None):
    """Conv."""
    rank = weights.ndim - 2
    strides = node.get("strides") or [1] * rank
    dilations = node.get("dilations") or [1] * rank
    pads = same_pads(node, image.shape[2:], weights.shape[2:], strides, dilations)
    return convolve(image, weights, bias, strides, dilations, pads, int(node.get("group", 1)))


def do_conv_transpose(node, image, weights, bias=None):
    """ConvTranspose: zeros between the pixels, and the kernel turned round."""
    rank = weights.ndim - 2
    strides = node.get("strides") or [1] * rank
    groups = int(node.get("group", 1))
    extra = node.get("output_padding") or [0] * rank
    spread = numpy.zeros(image.shape[:2] + tuple((n - 1) * s + 1 for n, s in zip(image.shape[2:], strides)))
    spread[(Ellipsis, *[slice(None, None, s) for s in strides])] = image
    pads = [(k - 1 - before, k - 1 - after + more) for k, (before, after), more in
            zip(weights.shape[2:], spatial_pads(node, rank), extra)]
    turned = numpy.flip(weights, tuple(range(2, 2 + rank)))
    parts = numpy.split(turned, groups)
    kernel = numpy.concatenate([part.swapaxes(0, 1) for part in parts])
    return convolve(spread, kernel, bias, [1] * rank, [1] * rank, pads, groups)


def pool_windows(node, image, fill):
    """The windows of a pooling operator."""
    kernel = [int(k) for k in node.get("kernel_shape")]
    rank = len(kernel)
    strides = node.get("strides") or [1] * rank
    dilations = node.get("dilations") or [1] * rank
    pads = same_pads(node, image.shape[2:], kernel, strides, dilations)
    padded = numpy.pad(image, [(0, 0), (0, 0)] + list(pads), constant_values=fill)
    return windows(padded, kernel, strides, dilations), rank


def do_max_pool(node, image):
    """MaxPool."""
    view, rank = pool_windows(node, image, -numpy.inf)
    return view.max(axis=tuple(range(-rank, 0)))


def do_average_pool(node, image):
    """AveragePool."""
    view, rank = pool_windows(node, image, 0)
    return view.sum(axis=tuple(range(-rank, 0))) / numpy.prod(view.shape[-rank:])


def do_gemm(node, a, b, c=None):
    """Gemm."""
    a = a.T if node.get("transA") else a
    b = b.T if node.get("transB") else b
    result = node.get("alpha", 1.0) * (a @ b)
    return result if c is None else result + node.get("beta", 1.0) * c


def do_clip(node, value, low=None, high=None):
    """Clip; an absent bound is none."""
    low = node.get("min") if low is None else low
    high = node.get("max") if high is None else high
    value = value if low is None else numpy.maximum(value, low)
    return value if high is None else numpy.minimum(value, high)


def along(parameter, value, axis):
    """A parameter per element, or per slice of one axis."""
    parameter = numpy.asarray(parameter, dtype=numpy.float64)
    if parameter.ndim == 0 or parameter.size == 1:
        return parameter.reshape(())
    shape = [1] * value.ndim
    shape[axis] = parameter.size
    return parameter.reshape(shape)


def zero_offset(zero):
    """What has to be subtracted from stored integers: unsigned ones lie around 128."""
    return 0 if zero is None else numpy.asarray(zero)


def do_quantize(node, value, scale, zero=None):
    """QuantizeLinear, with halves rounded up as the accelerator does."""
    axis = int(node.get("axis", 1))
    kind = numpy.asarray(0 if zero is None else zero)
    low, high = (-128, 127) if kind.dtype == numpy.int8 else (0, 255)
    if zero is None and node.get("output_dtype") == 3:
        low, high = -128, 127
    scaled = numpy.floor(value / along(scale, value, axis) + 0.5) + along(zero_offset(zero), value, axis)
    return numpy.clip(scaled, low, high)


def do_dequantize(node, value, scale, zero=None):
    """DequantizeLinear."""
    axis = int(node.get("axis", 1))
    value = value.astype(numpy.float64)
    return (value - along(zero_offset(zero), value, axis)) * along(scale, value, axis)


def do_batch_norm(node, value, scale, shift, mean, variance):
    """BatchNormalization, as at inference."""
    shape = (1, -1) + (1,) * (value.ndim - 2)
    factor = scale / numpy.sqrt(variance + node.get("epsilon", 1e-5))
    return value * factor.reshape(shape) + (shift - mean * factor).reshape(shape)


def do_reshape(node, value, shape):
    """Reshape."""
    wanted = [int(n) for n in shape]
    if not node.get("allowzero"):
        wanted = [value.shape[i] if n == 0 else n for i, n in enumerate(wanted)]
    return value.reshape(wanted)


def do_flatten(node, value):
    """Flatten."""
    axis = int(node.get("axis", 1))
    axis += value.ndim if axis < 0 else 0
    return value.reshape(int(numpy.prod(value.shape[:axis])), -1)


def do_transpose(node, value):
    """Transpose."""
    return value.transpose(node.get("perm") or tuple(reversed(range(value.ndim))))


def axes_of(node, axes):
    """Axes as attribute (old) or input (new)."""
    axes = node.get("axes") if axes is None else axes
    return None if axes is None else tuple(int(a) for a in numpy.asarray(axes).ravel())


def do_squeeze(node, value, axes=None):
    """Squeeze."""
    return numpy.squeeze(value, axes_of(node, axes))


def do_unsqueeze(node, value, axes=None):
    """Unsqueeze."""
    return numpy.expand_dims(value, axes_of(node, axes))


def do_bitwise(function):
    """An operator on the bits of integers; `unit` is the value of the lowest bit."""
    def compute(node, *values):
        unit = node.get("unit", 1.0)
        result = numpy.rint(values[0] / unit).astype(numpy.int64)
        for value in values[1:]:
            result = function(result, numpy.rint(value / unit).astype(numpy.int64))
        return result * unit
    return compute


def do_sum(_node, *values):
    """Add of any number."""
    return sum(values[1:], values[0])


def do_slice(node, value, starts=None, ends=None, axes=None, steps=None):
    """Slice."""
    starts = node.get("starts") if starts is None else starts
    ends = node.get("ends") if ends is None else ends
    axes = node.get("axes", range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    index = [slice(None)] * value.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps):
        index[int(axis)] = slice(int(start), int(end), int(step))
    return value[tuple(index)]


def do_part(node, value, *_rest):
    """Some of the channels: what `prepare` makes of Split and Slice."""
    return value[:, node.get("start"):node.get("start") + node.get("count")]


VIEWS = {"Reshape": do_reshape, "Flatten": do_flatten, "Transpose": do_transpose, "Squeeze": do_squeeze,
         "Unsqueeze": do_unsqueeze}
SAME = ("Identity", "Dropout", "Cast")

OPERATORS = {
    **VIEWS,
    **{name: lambda _node, value, *_rest: value for name in SAME},
    "Conv": do_conv, "ConvTranspose": do_conv_transpose, "MaxPool": do_max_pool, "AveragePool": do_average_pool,
    "Gemm": do_gemm, "MatMul": lambda _node, a, b: a @ b, "Clip": do_clip, "QuantizeLinear": do_quantize,
    "DequantizeLinear": do_dequantize, "BatchNormalization": do_batch_norm,
    "Relu": lambda _node, a: numpy.maximum(a, 0), "Abs": lambda _node, a: numpy.abs(a),
    "Neg": lambda _node, a: -a, "Floor": lambda _node, a: numpy.floor(a), "Ceil": lambda _node, a: numpy.ceil(a),
    "Round": lambda _node, a: numpy.floor(a + 0.5), "Trunc": lambda _node, a: numpy.trunc(a),
    "Sqrt": lambda _node, a: numpy.sqrt(a), "Reciprocal": lambda _node, a: 1 / a,
    "Add": lambda _node, a, b: a + b, "Sub": lambda _node, a, b: a - b, "Mul": lambda _node, a, b: a * b,
    "Div": lambda _node, a, b: a // b if a.dtype.kind == b.dtype.kind == "i" else a / b,
    "Pow": lambda _node, a, b: numpy.power(a, b), "Sum": do_sum,
    "BitwiseXor": do_bitwise(numpy.bitwise_xor), "BitwiseOr": do_bitwise(numpy.bitwise_or),
    "Concat": lambda node, *values: numpy.concatenate(values, axis=int(node.get("axis", 1))),
    "Shape": lambda _node, a: numpy.array(a.shape, dtype=numpy.int64),
    "Gather": lambda node, a, i: numpy.take(a, i.astype(numpy.int64), axis=int(node.get("axis", 0))),
    "Split": do_part, "Slice": do_slice, "ConstantOfShape": lambda node, s: numpy.full([int(n) for n in s], node.get("fill", 0.0)),
    "Where": lambda _node, c, a, b: numpy.where(c, a, b), "Greater": lambda _node, a, b: a > b,
    "Sign": lambda _node, a: numpy.sign(a),
}


def evaluate(graph, value, rules=None, weights=None, passed=()):
    """Every tensor of the graph for one input.

    rules: {tensor: function}, applied to a tensor as it is made. weights: {node: (kernel, bias)} in place of the
    node's own. passed: nodes that hand on their first input. Operators that are not known leave what follows out.
    """
    tensors = dict(graph.constants)
    tensors[graph.input] = value
    for node in graph.nodes:
        function = OPERATORS.get(node.op)
        given = [tensors.get(name) if name else None for name in node.inputs]
        if function is None or any(g is None and name for g, name in zip(given, node.inputs)):
            continue
        while given and given[-1] is None:
            given.pop()
        if weights and node in weights:
            given = given[:1] + [w for w in weights[node] if w is not None]
        try:
            result = given[0] if node in passed else function(node, *given)
        except (ValueError, TypeError, IndexError, numpy.AxisError) as error:
            raise node.refuse(f"its inputs do not fit ({error})") from error
        name = node.outputs[0]
        tensors[name] = rules[name](result) if rules and name in rules else result
    return tensors
