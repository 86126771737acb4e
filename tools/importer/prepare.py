"""Graphs as files have them, to graphs in which each node is one thing for the accelerator to do.

Composite operators are taken apart, constants are computed, names of the same data become one, and what follows the
last layer on the CPU (softmax and the like) is cut off.
"""

import numpy

from graph import OPERATORS, SAME, Node, evaluate

FOLDED_ONLY = ("Shape", "Gather", "Slice", "ConstantOfShape", "Sqrt", "Reciprocal", "Pow", "Greater", "Where", "Sign",
               "Neg", "Ceil")
LAYER_OPERATORS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "MaxPool", "AveragePool")
KEEPS_UNIT = ("Identity", "Cast", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "QuantizeLinear")
FUSED_POOLS = (("_maxpool_", "MaxPool"), ("_averagepool_", "AveragePool"), ("_avgpool_", "AveragePool"))


def constant_node(graph, name, value):
    """A new constant; returns its name."""
    graph.constants[name] = numpy.asarray(value, dtype=numpy.float64)
    return name


def take_fused_apart(graph, node):
    """Nodes that carry neighbours as attributes, as netdeployonnx writes them."""
    before, after = [], []
    made = node.outputs[0]
    for prefix, operator in FUSED_POOLS:
        if node.get(prefix + "kernel_shape"):
            attributes = {key[len(prefix):]: value for key, value in node.attributes.items() if key.startswith(prefix)}
            before.append(Node(operator, node.inputs[:1], [f"{made}.pool"], attributes, f"{node.name}.pool"))
            node.inputs[0] = f"{made}.pool"
    if node.op == "Gemm" and any(key.startswith(("_flatten", "_reshape")) for key in node.attributes):
        before.append(Node("Flatten", node.inputs[:1], [f"{made}.flat"], {"axis": 1}, f"{node.name}.flatten"))
        node.inputs[0] = f"{made}.flat"
    for number, factor in enumerate(node.get("_squeeze_factor") or []):
        name = constant_node(graph, f"{made}.factor{number}", factor)
        after.append(("Mul", [name], {}))
    activation = node.get("activation")
    if activation:
        after.append((str(activation).capitalize(), [], {}))
    current = f"{made}.0" if after else made
    node.outputs = [current]
    tail = []
    for number, (operator, more, attributes) in enumerate(after):
        out = made if number == len(after) - 1 else f"{made}.{number + 1}"
        tail.append(Node(operator, [current] + more, [out], attributes, f"{node.name}.{operator.lower()}"))
        current = out
    return before + [node] + tail


def global_pool(node, image, operator):
    """A pooling operator over the whole image."""
    return [Node(operator, node.inputs[:1], node.outputs, {"kernel_shape": list(image.shape[2:])}, node.name)]


def mean_over(graph, node, image):
    """ReduceMean over the image's axes."""
    axes = node.get("axes")
    if axes is None and len(node.inputs) > 1:
        axes = graph.constant(node.inputs[1])
    wanted = tuple(range(2, image.ndim))
    if axes is None or tuple(sorted(int(a) % image.ndim for a in axes)) != wanted:
        raise node.refuse("means are possible over the whole image only")
    made = node.outputs[0]
    keep = node.get("keepdims", 1)
    pool = Node("AveragePool", node.inputs[:1], [made if keep else f"{made}.pool"],
                {"kernel_shape": list(image.shape[2:])}, node.name)
    return [pool] if keep else [pool, Node("Squeeze", [f"{made}.pool"], [made], {"axes": list(wanted)}, node.name)]


def bound_by(graph, node):
    """Max and Min with a constant."""
    if len(node.inputs) != 2:
        raise node.refuse("takes more than a tensor and a constant")
    first, second = node.inputs
    if graph.constant(first) is not None:
        first, second = second, first
    if graph.constant(second) is None:
        raise node.refuse("of two tensors: the accelerator has no such operation")
    bounds = ["", second] if node.op == "Min" else [second, ""]
    return [Node("Clip", [first] + bounds, node.outputs, {}, node.name)]


def truncation(node, made_by):
    """Where(x > 0, floor(x), ceil(x)), which is how rounding to zero is written; None: something else."""
    parts = [made_by.get(name) for name in node.inputs]
    if any(part is None for part in parts) or [p.op for p in parts] != ["Greater", "Floor", "Ceil"]:
        return None
    if len({part.inputs[0] for part in parts}) != 1:
        return None
    return [Node("Trunc", parts[0].inputs[:1], node.outputs, {}, node.name)]


def padded_by(graph, node, pads):
    """A convolution that reads a padded image pads by itself."""
    source, widths = pads[node.inputs[0]]
    rank = len(widths) // 2
    own = [int(p) for p in node.get("pads") or [0] * (2 * rank - 4)]
    node.inputs[0] = source
    node.attributes["pads"] = [a + int(b) for a, b in zip(own, widths[2:rank] + widths[rank + 2:])]
    return [node]


def split_apart(graph, node, image):
    """Split, as one node for each of its results; each takes some of the channels."""
    if int(node.get("axis", 0)) % image.ndim != 1:
        raise node.refuse(f"splits along axis {int(node.get('axis', 0))}; layers can take some of the channels only (axis 1)")
    counts = node.get("split")
    if counts is None and len(node.inputs) > 1 and node.inputs[1]:
        counts = graph.constant(node.inputs[1])
        if counts is None:
            raise node.refuse("the sizes of its parts are not constant")
    each = -(-image.shape[1] // len(node.outputs))
    counts = [min(each, image.shape[1] - each * n) for n in range(len(node.outputs))] if counts is None else \
        [int(n) for n in numpy.asarray(counts).ravel()]
    if len(counts) != len(node.outputs) or sum(counts) != image.shape[1] or min(counts) < 1:
        raise node.refuse(f"parts of {counts} channels do not make {image.shape[1]}")
    starts = numpy.cumsum([0] + counts)
    return [Node("Split", node.inputs[:1], [out], {"start": int(start), "count": count}, f"{node.name}.{n}")
            for n, (out, start, count) in enumerate(zip(node.outputs, starts, counts))]


def slice_channels(graph, node, image):
    """Slice of channels in their order, as a part; None: something else."""
    given = [graph.constant(name) if name else None for name in node.inputs[1:]] + [None] * 4
    starts, ends, axes, steps = (numpy.asarray(node.get(key) if value is None else value).ravel()
                                 if value is not None or node.get(key) is not None else None
                                 for key, value in zip(("starts", "ends", "axes", "steps"), given))
    if starts is None or ends is None:
        raise node.refuse("where it begins and ends is not constant")
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    start, count = 0, image.shape[1]
    for first, end, axis, step in zip(starts, ends, axes, steps):
        axis = int(axis) % image.ndim
        taken = range(image.shape[axis])[int(first):int(end):int(step)]
        if axis == 1 and len(taken) > 0 and taken.step == 1:
            start, count = taken.start, len(taken)
        elif len(taken) != image.shape[axis] or taken.step != 1:
            raise node.refuse("takes some of the image, or channels in another order; layers can take some of the channels "
                              "only, in their order")
    return [Node("Split", node.inputs[:1], node.outputs, {"start": start, "count": count}, node.name)]


def read_pad(graph, node, pads):
    """Remembers a Pad node that adds zeros to the image."""
    widths = node.get("pads")
    if widths is None and len(node.inputs) > 1:
        widths = graph.constant(node.inputs[1])
    value = graph.constant(node.inputs[2]) if len(node.inputs) > 2 and node.inputs[2] else node.get("value", 0.0)
    mode = node.get("mode", "constant")
    if widths is None or mode != "constant" or numpy.any(value):
        raise node.refuse("the accelerator pads with zeros only")
    widths = [int(w) for w in widths]
    rank = len(widths) // 2
    if any(widths[:2]) or any(widths[rank:rank + 2]) or min(widths) < 0:
        raise node.refuse("pads something other than the image")
    pads[node.outputs[0]] = (node.inputs[0], widths)
    return []


def settle(graph):
    """Takes composite operators apart and computes constants; returns the shape of every tensor."""
    generator = numpy.random.default_rng(0)
    tensors = dict(graph.constants)
    tensors[graph.input] = generator.integers(-128, 128, graph.input_shape).astype(numpy.float64)
    made_by, pads, settled = {}, {}, []
    for node in graph.nodes:
        image = tensors.get(node.inputs[0]) if node.inputs else None
        made_by.update({name: node for name in node.outputs})
        pieces = [node]
        if node.op in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
            pieces = padded_by(graph, node, pads) if node.inputs[0] in pads else take_fused_apart(graph, node)
        elif node.op in ("GlobalAveragePool", "GlobalMaxPool") and image is not None:
            pieces = global_pool(node, image, node.op[len("Global"):])
        elif node.op == "ReduceMean" and image is not None:
            pieces = mean_over(graph, node, image)
        elif node.op in ("Max", "Min"):
            pieces = bound_by(graph, node)
        elif node.op == "Split" and image is not None:
            pieces = split_apart(graph, node, image)
        elif node.op == "Slice" and image is not None and graph.constant(node.inputs[0]) is None and image.ndim > 1:
            pieces = slice_channels(graph, node, image)
        elif node.op == "Pad":
            pieces = read_pad(graph, node, pads)
        elif node.op == "Where":
            pieces = truncation(node, made_by) or pieces
        elif node.op == "ConstantOfShape" and node.get("value") is not None:
            node.attributes["fill"] = float(numpy.asarray(node.get("value")).ravel()[0])
        for piece in pieces:
            tensors.update(compute(graph, piece, tensors))
            if piece.outputs[0] not in graph.constants:
                settled.append(piece)
    graph.nodes = settled
    return {name: numpy.shape(value) for name, value in tensors.items()}


def compute(graph, node, tensors):
    """The tensor that a node makes, which becomes a constant where all that it reads is constant."""
    small = type(graph)("")
    small.nodes, small.input = [node], ""
    small.constants = {name: tensors[name] for name in node.inputs if name and name in tensors}
    result = evaluate(small, None)
    made = node.outputs[0]
    if made not in result:
        return {}
    fixed = all(name == "" or name in graph.constants for name in node.inputs) or node.op == "Shape"
    if fixed:
        graph.constants[made] = result[made]
        keep_unit(graph, node)
    return {made: result[made]}


def keep_unit(graph, node):
    """Carries the value of one unit along where integers are constants."""
    source, made = node.inputs[0] if node.inputs else "", node.outputs[0]
    if node.op == "DequantizeLinear":
        scale = numpy.unique(numpy.asarray(graph.constants[node.inputs[1]], dtype=numpy.float64))
        if scale.size == 1:
            graph.scales[made] = float(scale[0])
        else:
            graph.per_channel.add(made)
    elif node.op in KEEPS_UNIT and source in graph.scales:
        graph.scales[made] = graph.scales[source]
    elif node.op in KEEPS_UNIT and source in graph.per_channel:
        graph.per_channel.add(made)
    if source in graph.bits and node.op in (*KEEPS_UNIT, "DequantizeLinear"):
        graph.bits[made] = graph.bits[source]


def drop_unread(graph):
    """Removes nodes whose results nobody wants."""
    wanted = set(graph.outputs)
    kept = []
    for node in reversed(graph.nodes):
        if any(name in wanted for name in node.outputs):
            kept.append(node)
            wanted.update(node.inputs)
    graph.nodes = kept[::-1]


def merge_names(graph):
    """Operators that change nothing give their results the name of what they read."""
    for node in list(graph.nodes):
        if node.op in SAME:
            graph.nodes.remove(node)
            graph.rename(node.outputs[0], node.inputs[0])


def cut_tail(graph):
    """Leaves what no layer depends on, and the accelerator cannot do, to the CPU."""
    readers = graph.readers()
    before_layer = set()
    for node in reversed(graph.nodes):
        following = [reader for name in node.outputs for reader in readers[name]]
        if any(r.op in LAYER_OPERATORS or r in before_layer for r in following):
            before_layer.add(node)
    made_by = {name: node for node in graph.nodes for name in node.outputs}
    left, spoiled = [], set()
    for node in graph.nodes:
        unknown = node.op not in OPERATORS or node.op in FOLDED_ONLY
        if node not in before_layer and node.op not in LAYER_OPERATORS and \
                (unknown or any(name in spoiled for name in node.inputs)):
            left.append(node)
            spoiled.update(node.outputs)
    if not left:
        return
    outputs = [name for name in graph.outputs if name not in spoiled]
    for node in left:
        for name in node.inputs:
            if name in made_by and name not in spoiled and name not in outputs:
                outputs.append(name)
    graph.nodes = [node for node in graph.nodes if node not in left]
    graph.outputs = outputs
    names = ", ".join(f"'{node.name}' ({node.op})" for node in left[:4])
    graph.note(f"left to the CPU, which gets the program's output: {names}" + (" and others" if len(left) > 4 else ""))


def activate_before_pooling(graph):
    """Max pooling and ReLU can be exchanged, and layers activate before the next one pools."""
    readers = graph.readers()
    for place, node in enumerate(graph.nodes):
        if node.op != "MaxPool" or node.outputs[0] in graph.outputs or len(readers[node.inputs[0]]) != 1:
            continue
        after = readers[node.outputs[0]]
        if len(after) != 1 or after[0].op != "Relu":
            continue
        relu = after[0]
        source, pooled, active = node.inputs[0], node.outputs[0], relu.outputs[0]
        relu.inputs, relu.outputs = [source], [pooled]
        node.inputs, node.outputs = [pooled], [active]
        graph.nodes.remove(relu)
        graph.nodes.insert(place, relu)
        readers = graph.readers()


def prepare(graph):
    """All of it; returns the shape of every tensor."""
    settle(graph)
    drop_unread(graph)
    merge_names(graph)
    cut_tail(graph)
    drop_unread(graph)
    activate_before_pooling(graph)
    generator = numpy.random.default_rng(0)
    tensors = evaluate(graph, generator.integers(-128, 128, graph.input_shape).astype(numpy.float64))
    return {name: numpy.shape(value) for name, value in tensors.items()}
