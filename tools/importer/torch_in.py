"""Torch modules to graphs, by torch.fx.

Layers of ai8x-training are recognised by what they are made of (op, pool, wide, output_shift, ...), whether they come
from a checkout of ai8x-training or from the stand-in; everything else is ordinary torch.
"""

import importlib.util
import inspect
import math
import operator
import os
import sys

import numpy

from graph import Graph, Node
from refusal import Refused

LAYER_MARKS = ("op", "pool", "wide", "output_shift", "weight_bits")
ELTWISE = {"Add": "Add", "Sub": "Sub", "BitwiseXor": "BitwiseXor", "BitwiseOr": "BitwiseOr"}
NOTHING = ("Dropout", "Dropout1d", "Dropout2d", "Identity", "Empty", "dropout", "contiguous", "clone", "detach", "float",
           "to", "feature_dropout")


def is_layer(module):
    """Is it a layer of ai8x-training?"""
    return all(hasattr(module, mark) for mark in LAYER_MARKS)


def is_eltwise(module):
    """Is it an element-wise operation of ai8x-training?"""
    return type(module).__name__ in ELTWISE and any(c.__name__ == "Eltwise" for c in type(module).__mro__)


def numbers(tensor):
    """A tensor's values in double precision."""
    return tensor.detach().cpu().double().numpy()


def pair(value, rank):
    """One number per axis."""
    return [int(v) for v in value] if isinstance(value, (tuple, list)) else [int(value)] * rank


class Builder:
    """Makes a graph of a traced module."""

    def __init__(self, name, rounding):
        self.graph = Graph(name)
        self.rounding = rounding
        self.count = 0

    def constant(self, value):
        """A new constant's name."""
        self.count += 1
        name = f"constant.{self.count}"
        self.graph.constants[name] = value if isinstance(value, numpy.ndarray) and value.dtype.kind == "i" \
            else numpy.asarray(value, dtype=numpy.float64)
        return name

    def add(self, op, inputs, made, attributes=None, name=""):
        """A node; returns what it makes."""
        self.graph.nodes.append(Node(op, inputs, [made], attributes, name or made))
        return made

    # --- Layers of ai8x-training ------------------------------------------------------------------------------------

    def layer(self, module, source, made, name):
        """Pooling, convolution, shift, activation, rounding."""
        if getattr(module, "pool", None) is not None:
            last = module.op is None
            out = made if last else f"{made}.pool"
            average = "Avg" in type(module.pool).__name__
            source = self.pooling(module.pool, source, f"{out}.raw" if average else out, f"{name}.pool")
            if average:
                source = self.add("Round" if self.rounding else "Trunc", [source], out, {}, f"{name}.round")
        if module.op is None:
            return source
        bits = int(module.weight_bits.item()) or 8
        weight, bias = numbers(module.op.weight), None
        if module.op.bias is not None:
            bias = numpy.floor(numbers(module.op.bias) / 2 ** (bits - 1)) * 128
        source = self.operator(module.op, source, f"{made}.sum", name, weight, bias, bits)
        if module.wide:
            return self.add("Identity", [source], made)
        shift = float(module.output_shift.item()) + 8 - bits
        source = self.add("Mul", [source, self.constant(2.0 ** (shift - 7))], f"{made}.scaled")
        source = self.add("Add", [source, self.constant(0.5)], f"{made}.half")
        source = self.add("Floor", [source], f"{made}.whole")
        active = activation_of(module)
        out = f"{made}.clip" if active else made
        source = self.add("Clip", [source, self.constant(-128.0), self.constant(127.0)], out)
        return self.add(active, [source], made) if active else source

    def operator(self, module, source, made, name, weight, bias, bits=None):
        """A convolution or a matrix."""
        inputs = [source, self.constant(weight)]
        if bits not in (None, 8):
            self.graph.bits[inputs[1]] = bits
        if bias is not None:
            inputs.append(self.constant(bias))
        if weight.ndim == 2:
            return self.add("Gemm", inputs, made, {"transB": 1}, name)
        rank = weight.ndim - 2
        pads = module.padding
        if isinstance(pads, str):
            raise Refused(f"module '{name}': padding '{pads}'; give numbers")
        attributes = {"strides": pair(module.stride, rank), "dilations": pair(module.dilation, rank),
                      "pads": pair(pads, rank) * 2, "group": int(module.groups or 1)}
        transposed = "Transpose" in type(module).__name__
        if transposed:
            attributes["output_padding"] = pair(module.output_padding, rank)
        return self.add("ConvTranspose" if transposed else "Conv", inputs, made, attributes, name)

    def pooling(self, module, source, made, name):
        """A pooling module."""
        rank = 1 if type(module).__name__.endswith("1d") else 2
        kernel = pair(module.kernel_size, rank)
        attributes = {"kernel_shape": kernel, "strides": pair(module.stride or kernel, rank),
                      "pads": pair(module.padding, rank) * 2, "ceil_mode": int(bool(module.ceil_mode))}
        maximum = "Max" in type(module).__name__
        if maximum:
            attributes["dilations"] = pair(module.dilation, rank)
        return self.add("MaxPool" if maximum else "AveragePool", [source], made, attributes, name)

    # --- Ordinary torch ---------------------------------------------------------------------------------------------

    def module(self, module, sources, made, name, shape):
        """A module of any kind."""
        kind = type(module).__name__
        if is_layer(module):
            return self.layer(module, sources[0], made, name)
        if is_eltwise(module):
            return self.add(ELTWISE[kind], sources, made, {}, name)
        if kind in ("Conv1d", "Conv2d", "ConvTranspose2d", "ConvTranspose1d", "Linear"):
            bias = None if module.bias is None else numbers(module.bias)
            return self.operator(module, sources[0], made, name, numbers(module.weight), bias)
        if kind in ("MaxPool1d", "MaxPool2d", "AvgPool1d", "AvgPool2d"):
            return self.pooling(module, sources[0], made, name)
        if kind.startswith("BatchNorm"):
            count = module.num_features
            parameters = [numpy.ones(count) if module.weight is None else numbers(module.weight),
                          numpy.zeros(count) if module.bias is None else numbers(module.bias),
                          numbers(module.running_mean), numbers(module.running_var)]
            return self.add("BatchNormalization", [sources[0]] + [self.constant(p) for p in parameters], made,
                            {"epsilon": module.eps}, name)
        bounds = {"ReLU6": (0.0, 6.0), "Hardtanh": (getattr(module, "min_val", -1.0), getattr(module, "max_val", 1.0))}
        if kind in bounds:
            return self.add("Clip", sources[:1] + [self.constant(b) for b in bounds[kind]], made, {}, name)
        if kind == "Clamp":
            return self.add("Clip", sources[:1] + [self.constant(module.min_val), self.constant(module.max_val)], made, {},
                            name)
        return self.function(kind, sources, [], {}, made, name, shape)

    def function(self, kind, sources, arguments, named, made, name, shape):
        """A function or method by its name."""
        plain = {"relu": "Relu", "ReLU": "Relu", "relu_": "Relu", "abs": "Abs", "Abs": "Abs", "abs_": "Abs",
                 "floor": "Floor", "round": "Round", "trunc": "Trunc", "add": "Add", "iadd": "Add", "add_": "Add",
                 "sub": "Sub", "mul": "Mul", "imul": "Mul", "mul_": "Mul", "div": "Div", "truediv": "Div", "div_": "Div",
                 "bitwise_xor": "BitwiseXor", "bitwise_or": "BitwiseOr", "xor": "BitwiseXor", "or_": "BitwiseOr",
                 "cat": "Concat", "concat": "Concat", "Floor": "Floor", "Round": "Round", "AvgPoolFloor": "Trunc"}
        if kind in NOTHING or kind.startswith("Dropout"):
            return self.add("Identity", sources[:1], made, {}, name)
        if kind in plain:
            attributes = {}
            if plain[kind] == "Concat":
                attributes["axis"] = int(named.get("dim", arguments[0] if arguments else 0))
            return self.add(plain[kind], sources, made, attributes, name)
        if kind in ("view", "reshape", "flatten", "Flatten", "squeeze", "unsqueeze", "unflatten"):
            return self.add("Reshape", [sources[0], self.constant(numpy.asarray(shape, dtype=numpy.int64))], made, {}, name)
        if kind in ("permute", "transpose"):
            return self.add("Transpose", sources[:1], made, {"perm": named["perm"]}, name)
        if kind in ("clamp", "clip", "hardtanh", "clamp_"):
            low = named.get("min", named.get("min_val", arguments[0] if arguments else None))
            high = named.get("max", named.get("max_val", arguments[1] if len(arguments) > 1 else None))
            return self.add("Clip", [sources[0]] + ["" if b is None else self.constant(float(b)) for b in (low, high)],
                            made, {}, name)
        if kind.startswith(("max_pool", "avg_pool", "MaxPool", "AvgPool", "boolean_dispatch")):
            return self.pool_function(kind, sources[0], arguments, named, made, name)
        if kind.lower().startswith(("adaptive_avg", "adaptiveavg", "adaptive_max", "adaptivemax")):
            if any(n != 1 for n in shape[2:]):
                raise Refused(f"'{name}' ({kind}): pools to {'x'.join(map(str, shape[2:]))}; only pooling to 1 is possible")
            return self.add("GlobalAveragePool" if "avg" in kind.lower() else "GlobalMaxPool", sources[:1], made, {}, name)
        if kind == "mean" and (arguments or named):
            axes = named.get("dim", arguments[0] if arguments else None)
            axes = [axes] if isinstance(axes, int) else list(axes)
            keep = int(bool(named.get("keepdim", arguments[1] if len(arguments) > 1 else False)))
            return self.add("ReduceMean", sources[:1], made, {"axes": axes, "keepdims": keep}, name)
        return self.add(kind, sources, made, {}, name)

    def pool_function(self, kind, source, arguments, named, made, name):
        """Pooling as a function."""
        rank = 1 if "1d" in kind else 2
        names = ("kernel_size", "stride", "padding", "dilation") if "max" in kind else ("kernel_size", "stride", "padding")
        given = {**dict(zip(names, arguments)), **named}
        kernel = pair(given["kernel_size"], rank)
        attributes = {"kernel_shape": kernel, "strides": pair(given.get("stride") or kernel, rank),
                      "pads": pair(given.get("padding", 0), rank) * 2, "ceil_mode": int(bool(given.get("ceil_mode")))}
        if "max" in kind:
            attributes["dilations"] = pair(given.get("dilation", 1), rank)
        return self.add("MaxPool" if "max" in kind else "AveragePool", [source], made, attributes, name)


def activation_of(module):
    """Relu or Abs, from the module in the layer or from its name."""
    active = getattr(module, "activate", None)
    name = getattr(module, "activation", None) if active is None else type(active).__name__
    return {"ReLU": "Relu", "Abs": "Abs"}.get(name)


# --- Quantization ---------------------------------------------------------------------------------------------------

def fuse_norm(module):
    """Batch normalization of a layer goes into its weights, divided by 4 as ai8x-training does."""
    import torch

    norm = module.bn
    gain = torch.ones_like(norm.running_mean) if norm.weight is None else norm.weight.detach()
    shift = torch.zeros_like(norm.running_mean) if norm.bias is None else norm.bias.detach()
    gain = gain / 4 * torch.rsqrt(norm.running_var + norm.eps)
    shape = [1] * module.op.weight.dim()
    shape[1 if "Transpose" in type(module.op).__name__ else 0] = -1
    module.op.weight.data = module.op.weight.data * gain.reshape(shape)
    bias = torch.zeros_like(norm.running_mean) if module.op.bias is None else module.op.bias.data
    module.op.bias = torch.nn.Parameter((bias - norm.running_mean) * gain + shift / 4, requires_grad=False)
    module.bn = None


def quantize_layer(module):
    """Weights as ai8x-training's quantization-aware training rounds them: a power of two per layer, and integers."""
    import torch

    bits = int(module.weight_bits.item()) or 8
    weight = module.op.weight.data.double()
    bias = None if module.op.bias is None else module.op.bias.data.double()
    largest = float(max(weight.abs().max(), 0 if bias is None else bias.abs().max()))
    shift = 0 if largest == 0 else max(-15, min(15, -math.floor(math.log2(1 / largest))))
    limit = 2 ** (bits - 1)
    module.op.weight.data = torch.floor(weight * 2.0 ** -shift * limit + 0.5).clamp(-limit, limit - 1)
    if bias is not None:
        module.op.bias.data = torch.floor(bias * 2.0 ** -shift * 128 + 0.5).clamp(-128, 127) * limit
    module.output_shift.data = torch.tensor([float(shift)])
    module.weight_bits.data = torch.tensor([float(bits)])


def settle_layers(module, graph_notes):
    """Every layer of ai8x-training has integers."""
    rounded = []
    for name, layer in module.named_modules():
        if not is_layer(layer) or layer.op is None:
            continue
        weight = layer.op.weight.data
        whole = bool((weight == weight.floor()).all()) and float(weight.abs().max()) > 0
        norm = getattr(layer, "bn", None)
        if norm is not None and (not whole or float((norm.running_var - 1).abs().max()) > 0):
            fuse_norm(layer)
            whole = False
        elif norm is not None:
            layer.bn = None
        if not whole:
            quantize_layer(layer)
            rounded.append(name)
    if rounded:
        graph_notes.append(f"the weights of {len(rounded)} layers ({', '.join(rounded[:3])}{', ...' if len(rounded) > 3 else ''})"
                           " were fractions: they are rounded as quantization-aware training of ai8x-training does")


# --- Tracing --------------------------------------------------------------------------------------------------------

def trace(module):
    """The module's operators, with layers of ai8x-training as a whole."""
    from torch import fx

    class Tracer(fx.Tracer):
        """Keeps layers together."""

        def is_leaf_module(self, m, module_qualified_name):
            return is_layer(m) or is_eltwise(m) or super().is_leaf_module(m, module_qualified_name) or \
                not any(True for _ in m.children()) and type(m).__module__ in ("ai8x", "ai8x_layers")

    try:
        return fx.GraphModule(module, Tracer().trace(module))
    except Exception as error:  # Whatever the module's own code raises
        raise Refused(f"the module cannot be traced: {type(error).__name__}: {str(error).splitlines()[0]}") from error


def record(traced, value):
    """What every step of the traced module makes for one input."""
    from torch import fx

    found = {}

    class Recorder(fx.Interpreter):
        """Remembers."""

        def run_node(self, n):
            found[n.name] = super().run_node(n)
            return found[n.name]

    try:
        Recorder(traced).run(value)
    except Exception as error:
        raise Refused(f"the module cannot compute an input of {'x'.join(map(str, value.shape[1:]))}: "
                      f"{type(error).__name__}: {str(error).splitlines()[0]}") from error
    return found


def function_name(target):
    """The plain name of a function."""
    name = getattr(target, "__name__", str(target))
    return name.strip("_") if target in vars(operator).values() else name


def order_after(kind, arguments, rank):
    """permute and transpose, as one order of axes."""
    if kind == "permute":
        axes = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], (tuple, list)) else arguments
        return [int(a) % rank for a in axes]
    order = list(range(rank))
    first, second = (int(a) % rank for a in arguments[:2])
    order[first], order[second] = second, first
    return order


def graph_of(module, name, shape, rounding, notes=()):
    """The graph of a torch module. shape: of the input without batch."""
    import torch

    module = module.double().eval()
    builder = Builder(name, rounding)
    graph = builder.graph
    for note in notes:
        graph.note(note)
    with torch.no_grad():
        traced = trace(module)
        generator = torch.Generator().manual_seed(0)
        made = record(traced, torch.randint(-128, 128, (1, *shape), generator=generator).double())
    modules = dict(traced.named_modules())
    names = {}

    def tensor_of(item):
        """The name of a tensor of the graph, or of a new constant."""
        if isinstance(item, torch.fx.Node):
            if item.name not in names:
                value = made[item.name]
                names[item.name] = builder.constant(numbers(value) if isinstance(value, torch.Tensor) else value)
            return names[item.name]
        return builder.constant(numbers(item) if isinstance(item, torch.Tensor) else item)

    def depends(item):
        """Does it come from the input?"""
        return isinstance(item, torch.fx.Node) and item.name in names and names[item.name] not in graph.constants

    for step in traced.graph.nodes:
        result = made.get(step.name)
        if step.op == "placeholder":
            if graph.input is not None:
                raise Refused("the module takes more than one input; the accelerator has one")
            graph.input = names[step.name] = step.name
        elif step.op == "output":
            found = step.args[0] if isinstance(step.args[0], (tuple, list)) else [step.args[0]]
            graph.outputs = [names[item.name] for item in found if depends(item)]
        elif step.op == "get_attr" or not isinstance(result, torch.Tensor):
            continue
        else:
            add_step(builder, step, modules, result, tensor_of, depends, names, made)
    graph.input_shape = (1, *shape)
    if not graph.outputs:
        raise Refused("the module's output does not depend on its input")
    return graph


def add_step(builder, step, modules, result, tensor_of, depends, names, made):
    """One traced step as nodes of the graph."""
    flat = [item for argument in step.args for item in (argument if isinstance(argument, (tuple, list)) else [argument])]
    if not any(depends(item) for item in flat):
        return
    shape = [int(n) for n in result.shape]
    if step.op == "call_module":
        sources = [tensor_of(item) for item in flat]
        names[step.name] = builder.module(modules[step.target], sources, step.name, str(step.target), shape)
        return
    kind = step.target if step.op == "call_method" else function_name(step.target)
    joins = kind in ("cat", "concat", "add", "iadd", "add_", "sub", "mul", "imul", "mul_", "div", "truediv", "div_",
                     "bitwise_xor", "bitwise_or", "xor", "or_")
    if joins:
        count = len(step.args[0]) if kind in ("cat", "concat") else 2
        sources, rest = [tensor_of(item) for item in flat[:count]], flat[count:]
    else:
        sources, rest = [tensor_of(flat[0])], flat[1:]
    named = {key: value for key, value in step.kwargs.items() if not isinstance(value, type(step))}
    if kind in ("permute", "transpose"):
        arguments = list(step.args[1:]) or list(step.kwargs.values())
        named["perm"] = order_after(kind, arguments, len(shape))
    names[step.name] = builder.function(kind, sources, rest, named, step.name, step.name, shape)


# --- Files ----------------------------------------------------------------------------------------------------------

def provide_ai8x(folder, part, rounding):
    """Makes `import ai8x` work: with a checkout of ai8x-training, or with the stand-in."""
    if folder is not None:
        if not os.path.isfile(os.path.join(folder, "ai8x.py")):
            raise Refused(f"{folder}: not a checkout of ai8x-training (it has no ai8x.py)")
        sys.path.insert(0, folder)
        import ai8x

        ai8x.set_device(87 if part == "MAX78002" else 85, True, rounding, False)
        return
    import ai8x_layers

    stand_in = ai8x_layers.StandIn()
    stand_in.dev.device = 87 if part == "MAX78002" else 85
    ai8x_layers.ROUND_AVERAGES[0] = rounding
    sys.modules.setdefault("ai8x", stand_in)


def load_file(path):
    """Runs a Python file as a module."""
    spec = importlib.util.spec_from_file_location("imported_network", path)
    module = importlib.util.module_from_spec(spec)
    # Networks of ai8x-training lie in models/ and import what lies beside that folder.
    folder = os.path.dirname(os.path.abspath(path))
    sys.path[:0] = [folder, os.path.dirname(folder)]
    try:
        spec.loader.exec_module(module)
    except FileNotFoundError as error:
        raise Refused(f"{path}: {error.strerror}") from error
    except Exception as error:
        raise Refused(f"{path}: cannot be run: {type(error).__name__}: {error}") from error
    return module


def find_factory(module, path, wish, arch):
    """The function or class that makes the network."""
    import torch

    listed = [m["name"] for m in getattr(module, "models", []) if isinstance(m, dict) and "name" in m]
    classes = [name for name, item in vars(module).items() if inspect.isclass(item) and issubclass(item, torch.nn.Module)
               and item.__module__ == module.__name__]
    candidates = [wish] if wish else [arch] if arch in listed else listed if len(listed) == 1 else \
        ["model"] if isinstance(getattr(module, "model", None), torch.nn.Module) else classes
    if len(candidates) == 1 and hasattr(module, candidates[0]):
        return getattr(module, candidates[0]), candidates[0]
    if wish:
        raise Refused(f"{path}: has no '{wish}'; it has {', '.join(listed + classes) or 'no torch module'}")
    raise Refused(f"{path}: which network? --class NAME: {', '.join(listed or classes) or 'it has no torch module'}")


def guesses(state, shape):
    """Arguments that a checkpoint and the input's shape tell."""
    weights = [value for key, value in state.items() if key.endswith("weight") and getattr(value, "ndim", 0) > 1]
    found = {"bias": any(key.endswith("op.bias") or key.endswith("fc.bias") for key in state)}
    if weights:
        found["num_classes"] = int(weights[-1].shape[0])
    if shape:
        found["num_channels"] = shape[0]
        found["dimensions"] = tuple(shape[1:]) if len(shape) > 2 else (*shape[1:], 1)
    return found


def build(factory, name, settings, state, shape, path):
    """The module, made with what was given and what the checkpoint tells."""
    import torch

    if isinstance(factory, torch.nn.Module):
        return factory
    told = guesses(state, shape) if state else ({k: v for k, v in guesses({}, shape).items() if k != "bias"})
    # Some networks have a bias in their last layer only, whatever the argument.
    attempts = [{**told, **settings}, {**told, "bias": not told.get("bias", True), **settings},
                {**{k: v for k, v in told.items() if k != "num_classes"}, **settings}, settings]
    problem = None
    for given in attempts:
        try:
            module = factory(**{key: value for key, value in given.items() if accepts(factory, key)})
            if not isinstance(module, torch.nn.Module):
                raise Refused(f"{path}: '{name}' makes a {type(module).__name__}, not a torch module")
            if not state or fits(module, state):
                return module
            problem = problem or "the checkpoint's shapes are others"
        except Refused:
            raise
        except Exception as error:
            problem = problem or f"{type(error).__name__}: {error}"
    raise Refused(f"{path}: '{name}' cannot be made: {problem}; --set KEY=VALUE gives arguments")


def accepts(factory, key):
    """Does the factory take an argument of that name?"""
    parameters = inspect.signature(factory).parameters
    return key in parameters or any(p.kind == p.VAR_KEYWORD for p in parameters.values())


def fits(module, state):
    """Has every weight of the module one of its shape in the checkpoint?"""
    own = module.state_dict()
    return all(key in state and tuple(state[key].shape) == tuple(value.shape) for key, value in own.items()
               if key.endswith(("op.weight", "op.bias")))


def fill(module, state):
    """Takes over a checkpoint's values."""
    import torch

    own = module.state_dict()
    module.double()
    with torch.no_grad():
        for key, value in module.state_dict().items():
            if key in state and state[key].size == value.numel():
                value.copy_(torch.from_numpy(state[key].reshape(tuple(value.shape)).copy()))
    del own
    for name, layer in module.named_modules():
        if is_layer(layer) and getattr(layer, "bn", None) is not None and f"{name}.bn.running_mean" not in state:
            layer.bn = None  # fused before the checkpoint was written


def read_torch_file(options, tool):
    """The graph of a Python file's network, and a function that runs the network itself."""
    try:
        import torch
    except ImportError as error:
        raise Refused("torch modules need PyTorch (on Debian: apt-get install python3-torch)") from error

    if options.input_shape is None:
        raise Refused("a torch module does not say how large its input is; give --input-shape CxHxW (a line: CxL)")
    provide_ai8x(options.ai8x, options.part, options.rounding)
    state, arch = {}, None
    if options.checkpoint is not None:
        checkpoint = tool.load_checkpoint(options.checkpoint, False)
        arch = checkpoint.get("arch")
        state = {key.removeprefix("module."): value.numpy().astype(numpy.float64)
                 for key, value in checkpoint["state_dict"].items() if isinstance(value, tool.Tensor)}
    factory, name = find_factory(load_file(options.model), options.model, options.factory, arch)
    module = build(factory, name, dict(options.settings), state, options.input_shape, options.model)
    if state:
        fill(module, state)
    return import_module(module, name, options.input_shape, options.rounding)


def import_module(module, name, shape, rounding):
    """The graph of a module in memory, and a function that runs the module, if that computes with integers."""
    import torch

    notes = []
    module = module.double().eval()
    settle_layers(module, notes)
    graph = graph_of(module, name, shape, rounding, notes)
    integer = all(is_layer(m) or is_eltwise(m) or not any(True for _ in m.parameters(recurse=False))
                  for m in module.modules()) and any(is_layer(m) for m in module.modules())
    for layer in module.modules():
        if is_layer(layer) and hasattr(layer, "set_functions"):
            layer.adjust_output_shift.data = torch.tensor([False])
            layer.set_functions()

    def run_module(value):
        with torch.no_grad():
            made = module(torch.from_numpy(value))
        return [numbers(item) for item in (made if isinstance(made, (tuple, list)) else [made])]
    return graph, run_module if integer else None
