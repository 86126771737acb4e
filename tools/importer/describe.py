"""The description of a network, in YAML with comments, and the weights beside it."""

import os

import numpy


def size(numbers):
    """1x2x3."""
    return "x".join(str(n) for n in numbers)


def comment(layer):
    """Which nodes became the layer, and what goes in and out."""
    operators = " ".join(node.op for node in layer.nodes) or "inserted"
    name = layer.nodes[0].name if layer.nodes else ""
    flat = f" {name}:" if name and name != layer.name else ""
    inputs = f"{layer.operands} x " if layer.operands > 1 else ""
    return (f"  #{flat} {operators}; {inputs}{size((layer.in_channels, *layer.in_dims))} to "
            f"{size((layer.out_channels, *layer.out_dims))}")


def source_line(layer, previous):
    """in_sequences, where it is not the layer before."""
    if len(layer.sources) == 1 and layer.sources[0] == previous:
        return []
    if len(layer.sources) == 1:
        return [f"in_sequences: {layer.sources[0]}"]
    return [f"in_sequences: [{', '.join(layer.sources)}]"]


def pool_lines(pool):
    """Pooling and its stride."""
    lines = []
    if pool is None:
        return lines
    if pool.kind is not None:
        window = pool.window[0] if pool.window[0] == pool.window[1] else list(pool.window)
        lines.append(f"{pool.kind}_pool: {window}")
    lines.append(f"pool_stride: {pool.stride}")
    if max(pool.dilation) > 1:
        lines.append(f"pool_dilation: {list(pool.dilation)}")
    return lines


def arithmetic_lines(layer):
    """What the layer computes."""
    lines = [f"operation: {layer.operation}"]
    if layer.operation in ("conv2d", "convtranspose2d"):
        lines.append(f"kernel_size: {size(layer.kernel)}")
    elif layer.operation == "conv1d":
        lines.append(f"kernel_size: {layer.kernel[0]}")
    if layer.operation in ("conv1d", "conv2d", "convtranspose2d"):
        lines.append(f"pad: {layer.pad}")
    if layer.operation == "convtranspose2d":
        lines += ["stride: 2", "output_pad: 1"]
    if layer.dilation > 1:
        lines.append(f"dilation: {layer.dilation}")
    if layer.groups > 1:
        lines.append(f"groups: {layer.groups}")
    if layer.flatten:
        lines.append("flatten: true")
    if layer.weights is not None:
        lines.append(f"out_channels: {layer.out_channels}")
        lines.append(f"quantization: {layer.bits}")
        if layer.wide:
            lines.append("output_width: 32 # the sum itself")
        else:
            lines.append(f"output_shift: {layer.shift}")
        if layer.activation:
            lines.append(f"activate: {layer.activation}")
    return lines


def layer_lines(layer, previous, first, last):
    """One layer of the description."""
    lines = [f"name: {layer.name}"] + source_line(layer, previous)
    if first:
        lines.append(f"in_channels: {layer.in_channels * (layer.in_dims[0] * layer.in_dims[1] if layer.flatten else 1)}")
    if first or layer.reshaped:
        lines.append(f"in_dim: {list(layer.in_dims)}")
    if layer.eltwise:
        lines += [f"eltwise: {layer.eltwise}", f"operands: {layer.operands}"]
    lines += pool_lines(layer.pool)
    lines += arithmetic_lines(layer)
    if layer.output and not last:
        lines.append("output: true")
    return [comment(layer)] + [("  - " if n == 0 else "    ") + line for n, line in enumerate(lines)]


def description(mapper, source, weights_name):
    """The whole text."""
    graph = mapper.graph
    lines = [f"# Made from {source} by ai8xsim-import.",
             "# Processors and offsets are left to the compiler: ai8xsim compile tells what it chose, and with",
             "# --write-yaml writes it down."]
    lines += [f"# {line}" for note in graph.notes for line in wrap(note)]
    lines += [f"arch: {safe(graph.name)}", "dataset: none", f"part: {mapper.part}",
              f"weights: {weights_name} # weights, biases and a sample input"]
    if mapper.rounding:
        lines.append("avg_pool_rounding: true")
    lines += ["", "layers:"]
    previous = "input"
    for number, layer in enumerate(mapper.layers):
        lines += layer_lines(layer, previous, number == 0, number == len(mapper.layers) - 1)
        previous = layer.name
    return "\n".join(lines) + "\n"


def safe(name):
    """A name that needs no quotes."""
    text = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip("_.-")
    return text if text and not text[0].isdigit() else f"net_{text}"


def wrap(text, width=110):
    """Lines of a comment."""
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + len(word) >= width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return lines + [line]


def weight_entries(mapper):
    """Layers with weights, as the weights file holds them."""
    entries = []
    for layer in mapper.layers:
        if layer.weights is None:
            continue
        entries.append({"name": layer.name, "weight": layer.weights.astype(numpy.int8),
                        "bias": None if layer.bias is None else layer.bias.astype(numpy.int8),
                        "weight_bits": layer.bits, "output_shift": None if layer.wide else int(layer.shift)})
    return entries


def relative(path, folder):
    """A path as the description names it."""
    return os.path.relpath(os.path.abspath(path), os.path.abspath(folder) or ".")
