"""From a graph to layers of the accelerator.

A layer pools, combines operands, convolves, scales, activates. Nodes become layers in the order of the graph: a
convolution takes what can be done after it along, pooling waits for the layer that reads it, concatenations and
reshapes become what their readers read. Every integer is a real value divided by a unit, which is tracked from the
input on; a layer's shift is what its units make it.
"""

import math
import re

import numpy

from chain import Chain, final_unit, follow
from graph import OPERATORS, VIEWS
from refusal import Refused
from units import bits_needed, is_whole, power_of_two, to_integers

# What the smaller part holds: layers, kernels, and words in each instance of data memory (hardware reference 7).
PARTS = {"MAX78000": {"layers": 32, "kernel_bytes": 442368, "data_words": 8192}}
ELTWISE = {"Add": "add", "Sum": "add", "Sub": "sub", "BitwiseXor": "xor", "BitwiseOr": "or"}
IMAGE_READERS = ("Conv", "ConvTranspose")
RESERVED = ("input", "stop")


class Pool:
    """Pooling that the layer which reads the tensor does first."""

    def __init__(self, kind, window, stride, dilation=(1, 1)):
        self.kind, self.window, self.stride, self.dilation = kind, window, stride, dilation


class Value:
    """A tensor as layers hold it: sources one after the other by channels, an image, a unit.

    index: where each element of the graph's tensor lies among channels x image; None: in that order.
    """

    def __init__(self, sources, channels, dims, unit, negative=True):
        self.sources, self.channels, self.dims, self.unit, self.negative = sources, channels, dims, unit, negative
        self.pool = None
        self.pooled = dims
        self.index = None
        self.fixed = True  # False: the network's input, whose image is not decided
        self.part = None  # (channel, count): what the reader takes of the channels

    def copy(self):
        """One more of it."""
        other = Value(list(self.sources), self.channels, self.dims, self.unit, self.negative)
        other.pool, other.pooled, other.index, other.fixed = self.pool, self.pooled, self.index, self.fixed
        other.part = self.part
        return other


class Layer:
    """One layer of the description."""

    def __init__(self, name, operation, sources):
        self.name, self.operation, self.sources = name, operation, sources
        self.kernel, self.pad, self.dilation, self.groups = None, 0, 1, 1
        self.eltwise, self.operands = None, 1
        self.pool = None
        self.flatten = False
        self.in_channels, self.in_dims, self.reshaped = 0, (1, 1), False
        self.out_channels, self.out_dims = 0, (1, 1)
        self.weights, self.bias, self.bits, self.shift = None, None, 8, 0
        self.activation, self.wide, self.output = None, False, False
        self.nodes, self.unit = [], 1.0


class Mapper:
    """Makes layers of a graph."""

    def __init__(self, graph, shapes, part=None, dense=False, rounding=False):
        self.graph, self.shapes, self.part, self.dense = graph, shapes, part, dense
        self.readers = graph.readers()
        self.layers = []
        self.values = {}
        self.done = set()
        self.rules = {}  # tensor: what the accelerator's registers do to it
        self.weights = {}  # node: its integers as real values, where they are not those of the file
        self.passed = []  # nodes that went into weights and bias
        self.rounding = True if rounding else None
        self.needs = []  # what only the MAX78002 has
        self.input_image = None
        self.input_order = None
        self.input_offset = 0.0  # what stored integers of the input have to have added
        self.default_unit, self.fixed_point = self.find_scheme()
        self.values[graph.input] = self.network_input()

    # --- Units ------------------------------------------------------------------------------------------------------

    def bounds(self):
        """Constants that the graph clips to."""
        found = set()
        for node in self.graph.nodes:
            if node.op == "Clip":
                found.update(float(self.graph.constants[name].ravel()[0]) for name in node.inputs[1:3]
                             if name in self.graph.constants)
                found.update(float(node.get(key)) for key in ("min", "max") if node.get(key) is not None)
        return found

    def whole_weights(self):
        """Are the weights integers, and more than -1, 0 and 1?"""
        largest = 0.0
        for node in self.graph.nodes:
            weights = self.graph.constant(node.inputs[1]) if node.op in ("Conv", "ConvTranspose", "Gemm", "MatMul") \
                and len(node.inputs) > 1 else None
            if weights is None or node.inputs[1] in self.graph.scales:
                continue
            integers, unit = to_integers(self.folded(node, weights))
            if integers is None or unit != 1.0:
                return False
            largest = max(largest, float(numpy.abs(integers).max(initial=0)))
        return largest > 1

    def folded(self, node, weights):
        """Weights with what follows folded in, as far as one number per output channel can be."""
        chain = follow(self.graph, self.readers, node.outputs[0], self.shapes)
        gain = numpy.asarray(chain.gain, dtype=numpy.float64)
        if gain.ndim == 0:
            return weights * gain
        axis = {"Conv": 0, "ConvTranspose": 1, "Gemm": 0 if node.get("transB") else 1, "MatMul": 1}[node.op]
        shape = [1] * weights.ndim
        shape[axis] = -1
        return weights * gain.reshape(shape)

    def find_scheme(self):
        """What one unit of 8-bit data is where the graph does not say it, and whether whole weights mean 1/128 each."""
        nodes = self.graph.nodes
        bounds = self.bounds()
        whole = self.whole_weights()
        if any(node.op in ("QuantizeLinear", "DequantizeLinear") for node in nodes):
            return 1.0 / 128, False
        if 127.0 in bounds or -128.0 in bounds:
            return 1.0, False
        if 127.0 / 128 in bounds or -1.0 in bounds:
            if whole:
                self.graph.note("the weights are integers and the clipping is that of fractions: a quantized checkpoint "
                                "exported without simulation; weights are taken as 1/128 each, as the accelerator does")
            return 1.0 / 128, whole
        if any(node.op in ("Floor", "Round") for node in nodes):
            return 1.0, False
        if not whole:
            return 1.0 / 128, False
        inner = [chain.factor for chain in self.chains() if chain.tensor not in self.graph.outputs]
        if inner and max(inner) <= 1 / 8:
            return 1.0, False
        self.graph.note("whole weights without a scale are taken as 1/128 each, as ai8x-synthesis does: an output shift "
                        "of 0 divides the sum by 128")
        return 1.0, True

    def chains(self):
        """What follows each convolution."""
        return [follow(self.graph, self.readers, node.outputs[0], self.shapes) for node in self.graph.nodes
                if node.op in ("Conv", "ConvTranspose", "Gemm", "MatMul")]

    # --- Values -----------------------------------------------------------------------------------------------------

    def network_input(self):
        """The value of the input, whose image the first reader decides."""
        shape = self.graph.input_shape
        readers = self.readers[self.graph.input]
        stored = readers and all(node.op == "DequantizeLinear" for node in readers)
        if stored and len(readers[0].inputs) > 2:
            self.input_offset = float(numpy.ravel(self.graph.constant(readers[0].inputs[2]))[0])
        value = Value(["input"], shape[1], (1, 1), 1.0 if stored else self.default_unit)
        value.index = numpy.arange(int(numpy.prod(shape))).reshape(shape)
        value.fixed = False
        return value

    def fix_input(self, shape, index):
        """Decides how the network's input lies in memory: as the first layer reads it."""
        image = tuple(shape[1:]) + (1,) * (4 - len(shape))
        if self.input_image is not None and self.input_image != image:
            raise Refused(f"the input is read as {self.input_image} and as {image}: the accelerator has one image of it")
        self.input_image = image
        self.input_order = index.ravel()

    def view_of(self, tensor):
        """A value with the image that the tensor has in the graph; returns (value, index or None)."""
        value = self.values[tensor].copy()
        shape = self.shapes[tensor]
        if not value.fixed:
            if len(shape) == 2 and len(self.graph.input_shape) > 2:
                self.fix_input(self.graph.input_shape, numpy.arange(int(numpy.prod(shape))))
            else:
                self.fix_input(shape, value.index)
            channels, rows, columns = self.input_image
            fixed = Value(["input"], channels, (rows, columns), value.unit, value.negative)
            inverse = numpy.argsort(self.input_order)
            fixed.index = inverse[value.index]
            for name, other in self.values.items():
                if not other.fixed:
                    again = Value(["input"], channels, (rows, columns), other.unit, other.negative)
                    again.index = inverse[other.index]
                    self.values[name] = again
            value = self.values[tensor].copy()
        index = value.index
        if index is not None and (index.ravel() == numpy.arange(index.size)).all():
            index = None
        return value, index

    def image_of(self, node, tensor):
        """A value as an image for a layer to read; returns it and whether it has to be reshaped."""
        shape = self.shapes[tensor]
        value, index = self.view_of(tensor)
        if index is not None:
            raise node.refuse("reads transposed data; layers read channels first")
        if len(shape) not in (2, 3, 4):
            raise node.refuse(f"reads a tensor of {len(shape)} dimensions")
        dims = {2: (1, 1), 3: (shape[-1], 1), 4: tuple(shape[2:])}[len(shape)]
        if shape[1] != (value.part[1] if value.part else value.channels):
            raise node.refuse(f"reads {value.channels} channels as {shape[1]}: only a linear layer can")
        if dims != tuple(value.pooled):
            if value.pool is not None:
                value = self.materialize(value, node.name)
            value.pooled = value.dims = dims
            return value, True
        return value, False

    def set(self, tensor, value):
        """The value of a tensor of the graph."""
        self.values[tensor] = value

    # --- Layers -----------------------------------------------------------------------------------------------------

    def unique(self, name):
        """A name for a layer."""
        name = re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("_")[-40:] or "layer"
        if name.lower() in RESERVED or name.isdigit():
            name = f"{name}_"
        taken = {layer.name.lower() for layer in self.layers}
        number, base = 2, name
        while name.lower() in taken:
            name = f"{base}_{number}"
            number += 1
        return name

    def new_layer(self, name, operation, value, reshaped=False):
        """A layer that reads a value, with the pooling that was left to it."""
        layer = Layer(self.unique(name), operation, list(value.sources))
        layer.in_channels, layer.in_dims, layer.reshaped = value.channels, tuple(value.dims), reshaped
        layer.pool = value.pool
        self.layers.append(layer)
        return layer

    def result(self, layer, channels, dims, unit, negative):
        """What a layer puts out."""
        layer.out_channels, layer.out_dims, layer.unit = channels, tuple(dims), unit
        return Value([layer.name], channels, tuple(dims), unit, negative)

    def materialize(self, value, name):
        """A value as one layer's output: a passthrough layer pools or joins what was left to do."""
        if value.pool is None and len(value.sources) == 1 and value.sources[0] != "input":
            return value
        if value.pool is not None and value.channels > 64 and tuple(value.pooled) != (1, 1):
            return self.identity(value, name, None, value.unit)
        layer = self.new_layer(name, "passthrough", value)
        made = self.result(layer, value.channels, value.pooled, value.unit, value.negative)
        made.index = value.index
        return made

    def identity(self, value, name, activation, unit, reshaped=False, factor=1.0, node=None):
        """A convolution that keeps every channel, for its activation or its scale."""
        line = value.dims[1] == 1 and value.dims[0] > 1
        operation = "linear" if value.dims == (1, 1) and value.pool is None else "conv1d" if line else "conv2d"
        layer = self.new_layer(name, operation, value, reshaped)
        layer.kernel = {"conv2d": (1, 1), "conv1d": (1,), "linear": ()}[operation]
        layer.activation = activation
        first, count = value.part or (0, value.channels)
        exponent = power_of_two(value.unit * factor / unit)
        if exponent is None:
            raise node.refuse(f"changes the unit from {value.unit:g} to {unit:g}, which no shift does")
        weight = 64 * numpy.eye(value.channels)[first:first + count]
        layer.weights = weight.reshape(weight.shape + (1,) * len(layer.kernel))
        layer.bits, layer.shift = 8, exponent + 1
        why = "takes some of the channels" if value.part else "activates" if activation else "scales"
        self.graph.note(f"layer {layer.name}: a convolution that keeps {'some' if value.part else 'all'} channels, as the "
                        f"accelerator {why} in convolutions only")
        return self.result(layer, count, value.pooled, unit, activation is None and value.negative)

    # --- Nodes ------------------------------------------------------------------------------------------------------

    def run(self):
        """Makes all layers."""
        for node in self.graph.nodes:
            if node in self.done:
                continue
            handler = HANDLERS.get(node.op)
            if handler is None or node.op not in OPERATORS:
                raise node.refuse("the accelerator has no such operation, and layers depend on it")
            handler(self, node)
        self.mark_outputs()
        if not self.layers:
            raise Refused("the graph has nothing that the accelerator could do")
        self.choose_part()

    def mark_outputs(self):
        """Every output of the graph is what a layer puts out."""
        for name in self.graph.outputs:
            if name not in self.values:
                raise Refused(f"output '{name}' does not depend on the input")
            value, index = self.view_of(name)
            made = self.materialize(value, name)
            self.values[name] = made
            made.index = index
            next(layer for layer in self.layers if layer.name == made.sources[0]).output = True

    def choose_part(self):
        """The part that was asked for, or the smaller one that has what is needed."""
        size = sum(layer.weights.size * layer.bits / 8 for layer in self.layers if layer.weights is not None)
        if self.part is not None:
            if self.needs and self.part == "MAX78000":
                raise Refused(self.needs[0])
            return
        small = PARTS["MAX78000"]
        words = max(-(-channels // 64) * rows * columns for layer in self.layers for channels, (rows, columns) in
                    ((layer.in_channels, layer.in_dims), (layer.out_channels, layer.out_dims)))
        big = self.needs or size > small["kernel_bytes"] or len(self.layers) > small["layers"] or \
            words > small["data_words"]
        self.part = "MAX78002" if big else "MAX78000"

    def need_big_part(self, node, what):
        """Something that the MAX78000 does not have."""
        text = str(node.refuse(f"{what}; the MAX78000 has none (--part MAX78002)"))
        if self.part == "MAX78000":
            raise Refused(text)
        self.needs.append(text)

    def source_tensor(self, node):
        """The tensor that a node works on."""
        name = node.inputs[0]
        if name not in self.values:
            raise node.refuse(f"'{name}' is not made by a layer")
        return name

    def view(self, node):
        """Reshape and its kin move nothing: what reads the result knows where everything lies."""
        name = self.source_tensor(node)
        value = self.values[name].copy()
        shape = self.shapes[name]
        index = value.index if value.index is not None else numpy.arange(int(numpy.prod(shape))).reshape(shape)
        extra = [self.graph.constant(i) for i in node.inputs[1:]]
        value.index = VIEWS[node.op](node, index.reshape(shape), *extra)
        self.set(node.outputs[0], value)

    def take_part(self, node):
        """Some of the channels: zeros in the kernels of convolutions that read them, or a layer that keeps only those."""
        name = self.source_tensor(node)
        value, reshaped = self.image_of(node, name)
        value = value.copy()
        value.part = ((value.part or (0, 0))[0] + node.get("start"), node.get("count"))
        readers = self.readers[node.outputs[0]]
        plain = all(r.op == "Conv" and int(r.get("group", 1)) == 1 for r in readers)
        if reshaped or not plain or not readers or node.outputs[0] in self.graph.outputs:
            value = self.identity(value, node.name, None, value.unit, reshaped)
            self.layers[-1].nodes.append(node)
        self.set(node.outputs[0], value)

    def concatenate(self, node):
        """Joins by channels are read in place."""
        rank = len(self.shapes[node.inputs[0]])
        axis = int(node.get("axis", 1)) % rank
        if axis != 1:
            raise node.refuse(f"joins along axis {axis}; layers join channels only")
        parts = [self.image_of(node, name) for name in node.inputs]
        made = []
        for place, (value, reshaped) in enumerate(parts):
            if value.pool is not None or (reshaped and len(value.sources) > 0):
                value = self.materialize_as(value, reshaped, f"{node.name}.{place}")
            made.append(value)
        first = made[0]
        for value, name in zip(made, node.inputs):
            if tuple(value.dims) != tuple(first.dims):
                raise node.refuse(f"'{name}' is an image of {value.dims}, '{node.inputs[0]}' of {first.dims}")
            if abs(value.unit / first.unit - 1) > 1e-6:
                raise node.refuse(f"one unit of '{name}' is {value.unit:g}, of '{node.inputs[0]}' {first.unit:g}; "
                                  "joined data need one unit")
        joined = Value([s for value in made for s in value.sources], sum(v.channels for v in made), first.dims, first.unit,
                       any(v.negative for v in made))
        if len(joined.sources) > 16:
            raise node.refuse(f"joins {len(joined.sources)} tensors; at most 16 are possible")
        self.set(node.outputs[0], joined)

    def materialize_as(self, value, reshaped, name):
        """A layer's output with the image that the value has now."""
        layer = self.new_layer(name, "passthrough", value, reshaped)
        return self.result(layer, value.channels, value.pooled, value.unit, value.negative)

    # --- Pooling ----------------------------------------------------------------------------------------------------

    def pool(self, node):
        """Pooling waits for a convolution that reads nothing else; otherwise it is a layer."""
        name = self.source_tensor(node)
        value, reshaped = self.image_of(node, name)
        if value.pool is not None or reshaped:
            value = self.materialize_as(value, reshaped, f"{node.name}.source")
        kind = "max" if node.op == "MaxPool" else "avg"
        value = value.copy()
        value.pool = self.read_pool(node, kind, value)
        out = self.shapes[node.outputs[0]]
        value.pooled = (out[-1], 1) if len(out) == 3 else tuple(out[2:])
        value.index = None
        chain = Chain(node.outputs[0])
        if kind == "avg":
            chain = follow(self.graph, self.readers, node.outputs[0], self.shapes)
            chain = self.average_rule(node, value, chain)
        self.done.update(chain.nodes)
        if not self.waits(chain.tensor, value):
            value = self.materialize(value, node.name)
            self.layers[-1].nodes.append(node)
        value = value.copy()
        value.unit *= chain.factor
        self.set(chain.tensor, value)

    def average_rule(self, node, value, chain):
        """Averages are rounded at once; what the graph does to that end is taken along, and nothing else."""
        taken = Chain(node.outputs[0])
        whole = False
        for step in chain.nodes:
            single_step = follow(self.graph, {step.inputs[0]: [step], **{o: [] for o in step.outputs}}, step.inputs[0],
                                 self.shapes)
            if step.op in ("Relu", "Abs", "BatchNormalization") or not single_step.nodes or single_step.activation or \
                    (single_step.folded and not self.adds_half(step)):
                break
            if step.op in ("Floor", "Round", "Trunc", "QuantizeLinear"):
                near = step.op in ("Round", "QuantizeLinear") or (step.op == "Floor" and taken.half)
                self.round_averages(node, near)
                whole = True
            taken.half = self.adds_half(step)
            if not taken.half:
                taken.factor *= single_step.factor
            taken.nodes.append(step)
            taken.tensor = step.outputs[0]
        if not whole and self.rounding is None:
            self.rounding = False
        unit, nearest = value.unit, bool(self.rounding)

        def rule(average):
            ratio = average / unit
            if nearest:
                return unit * numpy.sign(ratio) * numpy.floor(numpy.abs(ratio) + 0.5)
            return unit * numpy.trunc(ratio)
        self.rules[node.outputs[0]] = rule
        if not nearest and value.negative and any(s.op == "Floor" for s in taken.nodes):
            self.graph.note(f"node '{node.name}' rounds averages down; the accelerator rounds them to zero, as "
                            "ai8x-training does, which differs below 0")
        return taken

    @staticmethod
    def adds_half(step):
        """Is the node half of a rounding?"""
        return step.op == "Add"

    def round_averages(self, node, near):
        """One switch says for the whole network how averages are rounded."""
        if self.rounding is not None and self.rounding != near:
            raise node.refuse("averages are rounded to the nearest integer in one layer and cut off in another; the "
                              "accelerator has one switch for all (--avg-pool-rounding)")
        self.rounding = near

    def read_pool(self, node, kind, value):
        """Window, stride and dilation, checked."""
        window = [int(k) for k in node.get("kernel_shape")]
        rank = len(window)
        stride = [int(s) for s in node.get("strides") or [1] * rank]
        dilation = [int(d) for d in node.get("dilations") or [1] * rank]
        pads = [int(p) for p in node.get("pads") or [0]]
        mode = str(node.get("auto_pad", "NOTSET"))
        if any(pads):
            raise node.refuse("pooling with padding; the accelerator pads convolutions only")
        if rank == 1 or (rank == 2 and value.dims[1] == 1 and window[1] == 1):
            window, stride, dilation = window[:1] + [1], stride[:1] * 2, dilation[:1] + [1]
        if max(window) > 16 or max(stride) > 16:
            raise node.refuse(f"a window of {window[0]}x{window[1]} with stride {stride[0]}: at most 16 are possible")
        out = self.shapes[node.outputs[0]]
        out = (out[-1], 1) if len(out) == 3 else tuple(out[2:])
        if stride[0] != stride[1]:
            # Where one window is all there is, its stride does not matter.
            if out[0] == 1 or out[1] == 1:
                stride = [stride[0 if out[1] == 1 else 1]] * 2
            else:
                raise node.refuse(f"strides {stride[0]} and {stride[1]}; the accelerator has one for both directions")
        expected = tuple((n - ((k - 1) * d + 1)) // s + 1 for n, k, s, d in zip(value.dims, window, stride, dilation))
        if mode.startswith("SAME") and expected != out or node.get("ceil_mode") and any(
                (n - ((k - 1) * d + 1)) % s for n, k, s, d in zip(value.dims, window, stride, dilation)):
            raise node.refuse("windows that reach over the image's edge")
        if max(dilation) > 1:
            counted = tuple((n - (k + d - 1)) // s + 1 for n, k, s, d in zip(value.dims, window, stride, dilation))
            if counted != out:
                raise node.refuse(f"dilated pooling gives {out[0]}x{out[1]}, on the accelerator {counted[0]}x{counted[1]}")
            self.need_big_part(node, "dilated pooling")
        return Pool(kind, tuple(window), stride[0], tuple(dilation))

    def waits(self, tensor, value):
        """Is there one reader, and can it pool?"""
        readers = self.readers[tensor]
        if tensor in self.graph.outputs or len(readers) != 1:
            return False
        reader = readers[0]
        while reader.op in VIEWS and tuple(value.pooled) == (1, 1) and reader.outputs[0] not in self.graph.outputs and \
                len(self.readers[reader.outputs[0]]) == 1:
            reader = self.readers[reader.outputs[0]][0]
        if reader.op in ("Gemm", "MatMul"):
            return tuple(value.pooled) == (1, 1)
        if reader.op in IMAGE_READERS:
            return self.graph.constant(reader.inputs[1]) is not None
        return reader.op in ("Relu", "Abs") and value.negative

    # --- Convolutions -----------------------------------------------------------------------------------------------

    def kernel_of(self, node):
        """Weights and bias of a node as real numbers."""
        weights = self.graph.constant(node.inputs[1]) if len(node.inputs) > 1 else None
        if weights is None:
            raise node.refuse("its weights are not constants")
        bias = None
        if len(node.inputs) > 2 and node.inputs[2]:
            bias = self.graph.constant(node.inputs[2])
            if bias is None:
                raise node.refuse("its bias is not constant")
        return numpy.asarray(weights, dtype=numpy.float64), bias

    def convolution(self, node):
        """Conv and ConvTranspose."""
        name = self.source_tensor(node)
        weights, bias = self.kernel_of(node)
        value, reshaped = self.image_of(node, name)
        transposed = node.op == "ConvTranspose"
        groups = int(node.get("group", 1))
        rank = weights.ndim - 2
        shape = self.geometry(node, rank, weights, value, transposed)
        if transposed:
            parts = numpy.split(numpy.flip(weights, tuple(range(2, weights.ndim))), groups)
            weights = numpy.concatenate([part.swapaxes(0, 1) for part in parts])
        outputs = weights.shape[0]
        if value.part:
            whole = numpy.zeros((outputs, value.channels) + weights.shape[2:])
            whole[:, value.part[0]:sum(value.part)] = weights
            weights = whole
            self.graph.note(f"node '{node.name}': zeros for the channels that it does not read")
        if groups > 1:
            weights, groups = self.grouped(node, weights, value.channels, groups)
        if shape["stride"] > 1:
            if value.pool is not None and value.pool.kind == "avg" and self.rules:
                value = self.materialize(value, f"{node.name}.pool")
            pool = value.pool or Pool(None, (1, 1), 1)
            value.pool = Pool(pool.kind, pool.window, pool.stride * shape["stride"], pool.dilation)
            value.pooled = shape["read"]
        layer = self.new_layer(node.name, shape["operation"], value, reshaped or shape["reshaped"])
        layer.in_dims = shape["dims"] if shape["reshaped"] else layer.in_dims
        layer.kernel, layer.pad, layer.dilation, layer.groups = shape["kernel"], shape["pad"], shape["dilation"], groups
        weights = weights.reshape(weights.shape[:2] + shape["kernel"])
        self.finish(node, layer, value, weights, bias, outputs, shape["out"])
        if value.part and node in self.weights:
            kernel, offset = self.weights[node]
            self.weights[node] = (kernel[:, value.part[0]:sum(value.part)], offset)

    def geometry(self, node, rank, weights, value, transposed):
        """Kernel, padding and sizes of a convolution, checked against what the accelerator has."""
        kernel = [int(k) for k in weights.shape[2:]]
        strides = [int(s) for s in node.get("strides") or [1] * rank]
        dilations = [int(d) for d in node.get("dilations") or [1] * rank]
        pads = self.symmetric_pads(node, rank, kernel, strides, dilations)
        out = self.shapes[node.outputs[0]]
        out_dims = (out[-1], 1) if len(out) == 3 else tuple(out[2:])
        if rank not in (1, 2):
            raise node.refuse(f"convolutions have one or two dimensions, not {rank}")
        dims, line = tuple(value.pooled), rank == 1
        reshaped = False
        if rank == 2 and not transposed and max(kernel) > 1 and min(kernel) == 1 and min(dims) == 1:
            long = 0 if kernel[0] > 1 else 1
            if dims[1 - long] == 1 and pads[1 - long] == 0 and strides[1 - long] == 1:
                line, reshaped = True, long == 1
                kernel, strides, dilations, pads = [kernel[long]], [strides[long]], [dilations[long]], [pads[long]]
                dims, out_dims = (dims[long], 1), (out_dims[long], 1)
                if value.pool is not None and reshaped:
                    raise node.refuse("pools along columns and convolves along them; put the line into the rows")
        read = dims
        stride = max(strides)
        if transposed:
            extra = [int(p) for p in node.get("output_padding") or [0] * rank]
            if line or kernel != [3, 3] or strides != [2, 2] or extra != [1, 1] or dilations != [1, 1]:
                raise node.refuse(f"kernel {'x'.join(map(str, kernel))}, strides {strides}, output_padding {extra}: the "
                                  "accelerator has 3x3, 2 and 1")
            stride = 1
        elif stride > 1:
            if max(kernel) > 1 or any(pads) or len(set(strides)) > 1:
                raise node.refuse(f"stride {stride}: the accelerator convolves with stride 1 (a 1x1 kernel or pooling "
                                  "may step further)")
            read = out_dims
        if not line and (kernel[0] != kernel[1] or kernel[0] not in (1, 3)):
            raise node.refuse(f"a kernel of {kernel[0]}x{kernel[1]}; the accelerator has 1x1 and 3x3")
        if line and kernel[0] > 9:
            raise node.refuse(f"a kernel of length {kernel[0]}; the accelerator has 1 to 9")
        if not line and max(dilations) > 1 and max(kernel) > 1:
            raise node.refuse(f"dilation {max(dilations)}: the accelerator dilates 1-D convolutions only")
        if len(set(pads)) > 1 or max(pads) > 2:
            raise node.refuse(f"padding {pads}: the accelerator has 0 to 2, the same on all sides")
        return {"operation": "convtranspose2d" if transposed else "conv1d" if line else "conv2d",
                "kernel": tuple(kernel), "pad": pads[0], "dilation": dilations[0] if line and kernel[0] > 1 else 1,
                "stride": stride, "read": read, "out": out_dims, "reshaped": reshaped, "dims": dims}

    def symmetric_pads(self, node, rank, kernel, strides, dilations):
        """Padding per axis, the same on both sides."""
        from graph import same_pads

        shape = self.shapes[node.inputs[0]][2:]
        pairs = same_pads(node, shape, kernel, strides, dilations) if node.op == "Conv" else \
            list(zip(*[iter(int(p) for p in node.get("pads") or [0] * 2 * rank)] * rank))
        if node.op != "Conv":
            pairs = list(zip(pairs[0], pairs[1]))
        if any(before != after for before, after in pairs):
            raise node.refuse(f"padding {pairs}: the accelerator pads both sides alike")
        return [before for before, _ in pairs]

    def grouped(self, node, weights, channels, groups):
        """Depth-wise convolutions stay as they are, other groups become kernels with zeros."""
        depthwise = groups == channels == weights.shape[0]
        if depthwise and not (self.dense and self.part == "MAX78000"):
            if self.part == "MAX78000":
                raise node.refuse("a depth-wise convolution; the MAX78000 has none (--part MAX78002, or --dense to "
                                  "write it as an ordinary one with zeros)")
            self.need_big_part(node, "a depth-wise convolution")
            return weights, groups
        whole = numpy.zeros((weights.shape[0], channels) + weights.shape[2:])
        each, read = weights.shape[0] // groups, weights.shape[1]
        for out in range(weights.shape[0]):
            first = out // each * read
            whole[out, first:first + read] = weights[out]
        self.graph.note(f"node '{node.name}': {groups} groups are written as one convolution with zeros")
        return whole, 1

    def linear(self, node):
        """Gemm, and MatMul with a matrix of weights."""
        name = self.source_tensor(node)
        if name != node.inputs[0] or node.inputs[1] in self.values:
            raise node.refuse("multiplies two tensors; one has to be constant weights")
        weights, bias = self.kernel_of(node)
        shape = self.shapes[name]
        if len(shape) != 2 or weights.ndim != 2 or node.get("transA"):
            raise node.refuse(f"multiplies a tensor of {len(shape)} dimensions; a linear layer takes a vector (Flatten "
                              "before it)")
        weights = weights if node.get("transB") else weights.T
        weights = weights * node.get("alpha", 1.0)
        if bias is not None:
            bias = numpy.broadcast_to(numpy.asarray(bias).ravel() * node.get("beta", 1.0), weights.shape[:1])
        value, index = self.view_of(name)
        if index is not None:
            ordered = numpy.empty_like(weights)
            ordered[:, index.ravel()] = weights
            weights = ordered
        pixels = value.pooled[0] * value.pooled[1]
        if pixels > 1 and (value.pool is not None or len(value.sources) > 1):
            value = self.materialize(value, f"{node.name}.source")
        layer = self.new_layer(node.name, "linear", value)
        layer.kernel = ()
        layer.flatten = pixels > 1
        self.finish(node, layer, value, weights, bias, weights.shape[0], (1, 1))

    def finish(self, node, layer, value, weights, bias, outputs, out_dims):
        """Integers, shift and activation of a layer, from what the node and its followers compute."""
        chain = follow(self.graph, self.readers, node.outputs[0], self.shapes)
        if chain.half:
            raise node.refuse("0.5 is added and nothing rounds after it")
        layer.nodes = [node] + chain.nodes
        self.done.update(chain.nodes)
        gain = numpy.broadcast_to(numpy.asarray(chain.gain, dtype=numpy.float64).ravel(), (outputs,))
        real = weights * gain.reshape((-1,) + (1,) * (weights.ndim - 1))
        offset = numpy.broadcast_to(numpy.asarray(chain.offset, dtype=numpy.float64).ravel(), (outputs,))
        whole_bias = offset + (0 if bias is None else numpy.asarray(bias, dtype=numpy.float64).ravel() * gain)
        layer.weights, unit = self.integers(node, real)
        meant = unit / 128 if self.fixed_point else unit
        layer.bits = self.graph.bits.get(node.inputs[1]) or bits_needed(layer.weights)
        sum_unit = value.unit * meant
        layer.activation = chain.activation
        given = final_unit(chain)
        layer.wide = given is None and chain.activation is None and chain.tensor in self.graph.outputs
        out_unit = sum_unit * chain.factor if layer.wide else given or self.unit_after(value)
        self.check_clipping(node, chain, out_unit, layer.wide)
        self.check_rounding(node, chain, out_unit, sum_unit)
        if not layer.wide:
            self.choose_shift(node, layer, sum_unit * chain.factor / out_unit)
        if numpy.any(whole_bias):
            self.choose_bias(node, layer, whole_bias / (unit * (1.0 if self.fixed_point else value.unit)))
        if not layer.wide and not -15 <= layer.shift + 8 - layer.bits <= 15:
            raise node.refuse(f"needs an output shift of {layer.shift}; -15 to 15 are possible")
        self.keep_reference(node, layer, chain, real, whole_bias, meant, sum_unit)
        layer.weights = layer.weights.astype(numpy.int64)
        made = self.result(layer, outputs, out_dims, out_unit, chain.activation is None)
        self.set(chain.tensor, made)
        if not layer.wide:
            self.rules[chain.tensor] = rounded_to(out_unit, -128, 127)
            if chain.before_abs is not None:
                tensor, factor = chain.before_abs
                self.rules[tensor] = rounded_to(out_unit * factor / chain.factor, -128, 127)

    def unit_after(self, value):
        """The unit of a result that the graph says nothing about."""
        return value.unit if any(n.op in ("QuantizeLinear", "DequantizeLinear") for n in self.graph.nodes) else \
            self.default_unit

    def integers(self, node, real):
        """Weights as integers that the accelerator can hold."""
        known = self.graph.scales.get(node.inputs[1])
        integers, unit = to_integers(real, known)
        if integers is None and known is not None:
            integers, unit = to_integers(real)
        wrong = integers is None or bits_needed(integers) is None
        if wrong and node.inputs[1] in self.graph.per_channel:
            raise node.refuse("its weights have a scale for each output channel, and the scales differ by more than powers of "
                              "two; a layer of the accelerator has one shift for all channels: quantize per tensor, with a "
                              "power of two as its scale")
        if wrong:
            raise node.refuse(f"weights from {real.min():g} to {real.max():g} are not 8-bit integers times a power of two; "
                              "quantize the network first")
        return integers, unit

    def choose_shift(self, node, layer, ratio):
        """The output shift that scales a sum to the result's unit."""
        exponent = power_of_two(ratio)
        if exponent is None:
            raise node.refuse(f"scales its sum by {ratio:g} (weights and input as integers), which is not a power of "
                              f"two; the nearest is {2.0 ** round(math.log2(ratio)):g}")
        layer.shift = exponent + 7 - (8 - layer.bits)

    def choose_bias(self, node, layer, sums):
        """Biases count 128 of a sum each; larger weights and a smaller shift make them fit where they can."""
        largest = float(numpy.abs(layer.weights).max(initial=0)) or 128.0
        room = 0 if layer.wide else int(math.log2(128 / largest)) if largest <= 128 else 0
        # What batch normalization's epsilon leaves in folded biases is no part of them.
        near = 1e-9 if is_whole(sums) else 1e-2
        for more in range(room + 1):
            scaled = sums * 2.0 ** more / 128
            whole = numpy.rint(scaled)
            if (numpy.abs(whole - scaled) <= near).all() and bits_needed(layer.weights * 2 ** more) is not None:
                self.use_bias(node, layer, whole, more)
                return
        self.graph.note(f"node '{node.name}': biases are no multiples of 128 of the sum and are rounded down, as "
                        "ai8x-synthesis does")
        self.use_bias(node, layer, numpy.floor(sums / 128), 0)

    def use_bias(self, node, layer, values, more):
        """Takes over biases, and the weights' scale that they need."""
        if values.min() < -128 or values.max() > 127:
            raise node.refuse(f"biases from {values.min():g} to {values.max():g} (in units of 128 of the sum) do not fit "
                              "8 bits")
        if more:
            layer.weights = layer.weights * 2 ** more
            before, layer.bits = layer.bits, bits_needed(layer.weights)
            layer.shift += layer.bits - before - more
        layer.bias = values.astype(numpy.int64)

    def check_clipping(self, node, chain, unit, wide):
        """The accelerator clips at -128 and 127 units and nowhere else."""
        for bound, limit in ((chain.high, 127), (chain.low, -128)):
            if bound is None:
                continue
            bound *= chain.factor
            if chain.activation is not None and limit < 0:
                continue
            if not wide and abs(bound) < abs(limit) * unit * (1 - 1e-6):
                raise node.refuse(f"is clipped at {bound:g}; the accelerator clips at {limit} units of {unit:g}, "
                                  f"{limit * unit:g}")

    def check_rounding(self, node, chain, unit, sum_unit):
        """The accelerator rounds once, to the nearest unit, halves up."""
        places = [(how, chain.factor / factor) for how, factor in chain.rounded]
        for place, (how, step) in enumerate(places):
            exact = sum_unit * chain.factor / step
            if abs(exact - round(exact)) < 1e-9 and exact >= 1:
                continue
            later = any(h == "nearest" and s >= 2 * step for h, s in places[place + 1:])
            if how == "nearest" and abs(step / unit - 1) < 1e-6 or how == "down" and later:
                continue
            raise node.refuse({"down": "is rounded down; the accelerator rounds to the nearest unit (add 0.5 before Floor)",
                               "zero": "is rounded to zero; the accelerator rounds to the nearest unit",
                               "nearest": f"is rounded to {step:g}, but one unit is {unit:g}"}[how])

    def keep_reference(self, node, layer, chain, real, bias, meant, sum_unit):
        """Where integers are not exactly the file's numbers, the reference gets what the integers stand for."""
        integers = layer.weights * (meant * self.weight_growth(layer, real, meant))
        wanted = 0 if layer.bias is None else layer.bias * 128 * sum_unit * self.weight_growth(layer, real, meant)
        exact = numpy.array_equal(integers, real) and numpy.array_equal(numpy.broadcast_to(wanted, bias.shape), bias)
        if exact:
            return
        self.passed += chain.folded
        if node.op == "Conv" and layer.groups == 1 and int(node.get("group", 1)) > 1:
            node.attributes["group"] = 1
        self.weights[node] = self.as_node(node, layer, integers), \
            None if layer.bias is None else numpy.asarray(wanted, dtype=numpy.float64)

    @staticmethod
    def weight_growth(layer, real, meant):
        """What weights were multiplied by for the sake of the bias, undone."""
        largest = numpy.abs(layer.weights).max(initial=0)
        if largest == 0:
            return 1.0
        place = numpy.unravel_index(numpy.argmax(numpy.abs(layer.weights)), layer.weights.shape)
        ratio = abs(real[place] / (layer.weights[place] * meant))
        return 2.0 ** min(0, round(math.log2(ratio))) if ratio < 0.75 else 1.0

    def as_node(self, node, layer, integers):
        """Weights in the form in which the node holds them."""
        original = self.graph.constants[node.inputs[1]].shape
        if node.op == "ConvTranspose":
            groups = int(node.get("group", 1))
            parts = numpy.split(numpy.flip(integers, (2, 3)), groups)
            return numpy.concatenate([part.swapaxes(0, 1) for part in parts]).reshape(original)
        if node.op == "Conv":
            return integers.reshape(integers.shape[:2] + original[2:])
        value, index = self.view_of(node.inputs[0])
        if index is not None:
            integers = integers[:, index.ravel()]
        integers = integers / node.get("alpha", 1.0)
        return integers if node.get("transB") else integers.T

    # --- Without a convolution --------------------------------------------------------------------------------------

    def eltwise(self, node):
        """Operators on two or more tensors of one shape."""
        names = [name for name in node.inputs if self.graph.constant(name) is None]
        if len(names) != len(node.inputs):
            self.rescale(node)
            return
        values = []
        for place, name in enumerate(names):
            if name not in self.values:
                raise node.refuse(f"'{name}' is not made by a layer")
            value, reshaped = self.image_of(node, name)
            if self.shapes[name] != self.shapes[names[0]]:
                raise node.refuse(f"'{name}' has the shape {self.shapes[name]}, '{names[0]}' {self.shapes[names[0]]}; "
                                  "the accelerator combines equal shapes")
            if reshaped or value.pool is not None or len(value.sources) > 1:
                value = self.materialize_as(value, reshaped, f"{node.name}.{place}")
            values.append(value)
        first = values[0]
        for value, name in zip(values, names):
            if abs(value.unit / first.unit - 1) > 1e-6:
                raise node.refuse(f"one unit of '{name}' is {value.unit:g}, of '{names[0]}' {first.unit:g}; operands need "
                                  "one unit")
        self.combine(node, values, first)

    def combine(self, node, values, first):
        """An element-wise layer, with a convolution in it where an activation follows."""
        node.attributes["unit"] = first.unit
        self.rules[node.outputs[0]] = rounded_to(first.unit, -128, 127)
        chain = follow(self.graph, self.readers, node.outputs[0], self.shapes)
        chain = self.harmless(chain, first.unit)
        joined = Value([s for v in values for s in v.sources], first.channels, first.dims, first.unit)
        active = chain.activation
        if active:
            made = self.identity(Value(joined.sources, first.channels, first.dims, first.unit), node.name, active,
                                 first.unit)
            layer = self.layers[-1]
            if layer.operation != "conv2d":
                layer.operation, layer.kernel = "conv2d", (1, 1)
                layer.weights = layer.weights.reshape(layer.weights.shape[:2] + (1, 1))
            self.rules[chain.tensor] = rounded_to(first.unit * chain.factor, -128, 127)
        else:
            layer = self.new_layer(node.name, "passthrough", joined)
            made = self.result(layer, first.channels, first.dims, first.unit, True)
        layer.eltwise, layer.operands = ELTWISE[node.op], len(values)
        layer.nodes = [node] + chain.nodes
        self.done.update(chain.nodes)
        made.unit = first.unit * chain.factor
        layer.unit = made.unit
        self.set(chain.tensor, made)

    def harmless(self, chain, unit):
        """The part of a chain that the clipped sum already is, up to an activation."""
        kept = Chain(chain.nodes[0].inputs[0] if chain.nodes else chain.tensor)
        for node in chain.nodes:
            step = follow(self.graph, {node.inputs[0]: [node], **{o: [] for o in node.outputs}}, node.inputs[0],
                          self.shapes)
            if step.folded or step.half or (step.activation and kept.activation):
                break
            now = unit * kept.factor
            if step.high is not None and step.high < 127 * now * (1 - 1e-6) or \
                    step.low is not None and step.low > -128 * now * (1 - 1e-6):
                break
            if any(abs(now * f - round(now * f)) > 1e-6 for _, f in step.rounded):
                break
            if step.quantized is not None and abs(step.quantized / now - 1) > 1e-6:
                break
            kept.factor *= step.factor
            kept.activation = kept.activation or step.activation
            kept.nodes.append(node)
            kept.tensor = node.outputs[0]
            if kept.activation:
                break
        return kept

    def rescale(self, node):
        """Scales, rounding and activations of data that no convolution made."""
        name = next((n for n in node.inputs if n in self.values), None)
        if name is None:
            raise node.refuse("does not depend on the input")
        value = self.values[name]
        readers = {**self.readers, name: [node]}
        chain = follow(self.graph, readers, name, self.shapes)
        if node not in chain.nodes:
            raise node.refuse("combines data with constants in a way that no layer can")
        kept = self.harmless(chain, value.unit)
        active = kept.activation == "Abs" or (kept.activation == "ReLU" and value.negative)
        if kept.nodes and not active:
            made = value.copy()
            made.unit *= kept.factor
            self.done.update(kept.nodes)
            self.set(kept.tensor, made)
            return
        if chain.folded:
            raise node.refuse("adds or multiplies constants per channel; only a convolution before it could take them")
        if name == self.graph.input and not value.fixed and kept.tensor == name:
            self.rescale_input(node, name, value, chain)
            return
        image, reshaped = self.image_of(node, name)
        unit = (kept.factor * image.unit) if active else final_unit(chain) or self.unit_after(image) * 1.0
        end = kept if active else chain
        self.check_clipping(node, end, unit, False)
        self.check_rounding(node, end, unit, image.unit)
        made = self.identity(image, node.name, end.activation, unit, reshaped, end.factor, node)
        self.layers[-1].nodes = list(end.nodes)
        self.done.update(end.nodes)
        self.rules[end.tensor] = rounded_to(unit, -128, 127)
        self.set(end.tensor, made)

    def rescale_input(self, node, name, value, chain):
        """The first scale tells what one unit of the input is: nothing has to be computed."""
        unit = final_unit(chain)
        if unit is None or chain.activation:
            raise node.refuse("works on the input before the first layer")
        made = value.copy()
        value.unit = unit / chain.factor
        made.unit = unit
        self.done.update(chain.nodes)
        self.set(chain.tensor, made)
        for other in self.values.values():
            if not other.fixed and other is not made:
                other.unit = value.unit


def rounded_to(unit, low, high):
    """What an 8-bit result is."""
    def rule(value):
        return unit * numpy.clip(numpy.floor(value / unit + 0.5), low, high)
    return rule


HANDLERS = {
    **{name: Mapper.view for name in VIEWS},
    "Conv": Mapper.convolution, "ConvTranspose": Mapper.convolution, "Gemm": Mapper.linear, "MatMul": Mapper.linear,
    "MaxPool": Mapper.pool, "Split": Mapper.take_part, "AveragePool": Mapper.pool, "Concat": Mapper.concatenate,
    "Add": Mapper.eltwise, "Sum": Mapper.eltwise, "Sub": Mapper.eltwise, "BitwiseXor": Mapper.eltwise,
    "BitwiseOr": Mapper.eltwise,
    **{name: Mapper.rescale for name in ("Mul", "Div", "Floor", "Round", "Trunc", "Relu", "Abs", "Clip", "QuantizeLinear",
                                         "DequantizeLinear", "BatchNormalization")},
}
