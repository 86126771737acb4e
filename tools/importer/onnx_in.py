"""ONNX files to graphs."""

import os

import numpy

from graph import Graph, Node
from refusal import Refused

WEIGHT_READERS = ("Conv", "ConvTranspose", "Gemm", "MatMul", "BatchNormalization", "ConvInteger", "MatMulInteger")
HANDS_ON = ("QuantizeLinear", "DequantizeLinear", "Identity", "Cast")
NARROW = {21: 4, 22: 4}  # UINT4 and INT4 of later versions


def attribute_value(attribute):
    """An attribute as numbers, text or array."""
    import onnx.numpy_helper

    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value)
    return value.decode() if isinstance(value, bytes) else value


def wide(array):
    """Floating point numbers in double precision; integers as they are."""
    return array.astype(numpy.float64) if array.dtype.kind == "f" else array


def read_constant(node, attributes):
    """The value of a Constant node."""
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if name in attributes:
            value = numpy.asarray(attributes[name])
            return wide(value if value.dtype.kind != "i" or name == "value" else value.astype(numpy.int64))
    raise node.refuse("a constant without numbers")


def is_weight(graph, name, readers):
    """Is a graph's input read as weights only?"""
    found = [(node, node.inputs.index(name)) for node in readers.get(name, [])]
    if not found:
        return True
    return all((node.op in WEIGHT_READERS and place > 0) or
               (node.op in HANDS_ON and is_weight(graph, node.outputs[0], readers)) for node, place in found)


def fill_weights(graph, names, shapes, seed):
    """Values for weights that the file has no values for."""
    if seed is None:
        raise Refused(f"input '{names[0]}' of the graph is read as weights, and the file has no values for it; "
                      "store them as initializers, or give --random SEED for values that fit")
    generator = numpy.random.default_rng(seed)
    for name in names:
        shape = shapes[name]
        if "running_mean" in name:
            graph.constants[name] = numpy.zeros(shape)
        elif "running_" in name:
            graph.constants[name] = numpy.ones(shape)
        else:
            graph.constants[name] = generator.integers(-128, 128, shape).astype(numpy.float64)
    graph.note(f"{len(names)} weights without values got seeded ones")


def expand_quantized(graph, node):
    """Operators on integers, as the operators that they stand for."""
    made = node.outputs[0]

    def constant(name):
        value = graph.constant(name)
        if value is None:
            raise node.refuse(f"'{name}' is not a constant")
        return numpy.asarray(value, dtype=numpy.float64)

    def dequantize(name, scale, zero, what):
        out = f"{made}.{what}"
        graph_nodes.append(Node("DequantizeLinear", [name, scale, zero], [out], {"axis": 0 if what == "w" else 1},
                                node.name))
        return out

    graph_nodes = []
    names = node.inputs + [""] * (9 - len(node.inputs))
    if node.op in ("QLinearConv", "QLinearMatMul"):
        x, xs, xz, w, ws, wz, ys, yz, bias = names
        inputs = [dequantize(x, xs, xz, "x"), dequantize(w, ws, wz, "w")]
        if bias:
            inputs.append(f"{made}.b")
            graph.constants[inputs[-1]] = constant(bias) * constant(xs) * constant(ws)
        graph_nodes.append(Node(node.op[7:], inputs, [f"{made}.sum"], node.attributes, node.name))
        graph_nodes.append(Node("QuantizeLinear", [f"{made}.sum", ys, yz], [made], {}, node.name))
    elif node.op == "QLinearAdd":
        a, sa, za, b, sb, zb, ys, yz = names[:8]
        graph_nodes.append(Node("Add", [dequantize(a, sa, za, "a"), dequantize(b, sb, zb, "b")], [f"{made}.sum"], {},
                                node.name))
        graph_nodes.append(Node("QuantizeLinear", [f"{made}.sum", ys, yz], [made], {}, node.name))
    else:
        for place in (2, 3):
            if names[place] and numpy.any(constant(names[place])):
                raise node.refuse("its zero points are not 0")
        graph_nodes.append(Node(node.op[:-len("Integer")], names[:2], [made], node.attributes, node.name))
    return graph_nodes


QUANTIZED = ("QLinearConv", "QLinearMatMul", "QLinearAdd", "ConvInteger", "MatMulInteger")


def read_onnx(path, shape, seed):
    """The graph of an ONNX file. shape: of the input without batch, or None: as the file says."""
    try:
        import onnx.numpy_helper
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise Refused(f"{path}: ONNX files need the Python package onnx (on Debian: apt-get install python3-onnx)") \
            from error
    try:
        model = onnx.load(path)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from error
    except (DecodeError, ValueError) as error:
        raise Refused(f"{path}: not an ONNX model ({error})") from error
    source = model.graph
    if not source.node:
        raise Refused(f"{path}: not an ONNX model, or one without nodes")
    graph = Graph(os.path.splitext(os.path.basename(path))[0])
    for tensor in source.initializer:
        if tensor.data_type in NARROW:
            raise Refused(f"initializer '{tensor.name}': 4-bit tensors; store them as INT8")
        graph.constants[tensor.name] = wide(onnx.numpy_helper.to_array(tensor))
    for item in source.node:
        attributes = {a.name: attribute_value(a) for a in item.attribute}
        node = Node(item.op_type, item.input, item.output, attributes, item.name)
        if item.domain not in ("", "ai.onnx", "com.microsoft"):
            raise node.refuse(f"an operator of the domain '{item.domain}', which is not known")
        if node.op == "Constant":
            graph.constants[node.outputs[0]] = read_constant(node, attributes)
        else:
            graph.nodes += expand_quantized(graph, node) if node.op in QUANTIZED else [node]
    graph.outputs = [value.name for value in source.output]
    find_input(graph, source, shape, seed)
    return graph


def find_input(graph, source, shape, seed):
    """The one input that is data."""
    readers = graph.readers()
    shapes = {}
    for value in source.input:
        if value.name not in graph.constants:
            shapes[value.name] = [d.dim_value if d.HasField("dim_value") else 0 for d in
                                  value.type.tensor_type.shape.dim]
    missing = [name for name in shapes if is_weight(graph, name, readers)]
    data = [name for name in shapes if name not in missing]
    missing = [name for name in missing if readers.get(name)]
    if len(data) != 1:
        raise Refused(f"the graph has {len(data)} inputs{' (' + ', '.join(data) + ')' if data else ''}; the accelerator "
                      "has one")
    if missing:
        fill_weights(graph, missing, shapes, seed)
    graph.input = data[0]
    found = shapes[data[0]]
    graph.input_shape = (1, *shape) if shape else (1, *found[1:])
    if len(graph.input_shape) < 2 or 0 in graph.input_shape:
        known = "x".join(str(n) if n else "?" for n in found[1:]) or "not known"
        raise Refused(f"input '{data[0]}': its size is {known}; give --input-shape CxHxW (a line of data: CxL)")
