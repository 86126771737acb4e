"""The layers of ai8x-training, as far as a quantized network needs them.

Files that define networks import a module `ai8x`. Where no checkout of ai8x-training is given, this stands in for it:
classes by the same names and with the same arguments, which compute what the accelerator does with integers. Names
are systematic (FusedMaxPoolConv2dBNReLU), so classes are made of their names.
"""

import re
import types

import torch
from torch import nn

NAME = re.compile(r"(Fused)?(MaxPool|AvgPool)?(Depthwise)?(ConvTranspose2d|Conv2d|Conv1d|Linear)?(1d|2d)?(BN)?"
                  r"(ReLU|Abs)?$")
ELTWISE = {"Add": "Add", "Sub": "Sub", "BitwiseXor": "BitwiseXor", "BitwiseOr": "BitwiseOr"}


class Layer(nn.Module):
    """Pooling, a convolution, an activation, and rounding to 8 bits."""

    settings = {}

    def __init__(self, *arguments, **named):
        super().__init__()
        given = {**self.settings, **named}
        kind = given.pop("kind")
        names = ("in_features", "out_features") if kind == "Linear" else ("in_channels", "out_channels", "kernel_size")
        if kind is None:
            names = ("kernel_size", "stride", "dilation")
            given = {"pool_" + key.replace("kernel_", ""): value for key, value in
                     {**dict(zip(names, arguments)), **given}.items() if key in names} | \
                    {key: value for key, value in given.items() if key not in names}
            given.setdefault("pool_stride", None)
        else:
            given.update(zip(names, arguments))
        self.kind, self.dims = kind, given.pop("dims")
        self.pool = self.make_pool(given)
        self.op = self.make_operator(given)
        self.bn = None
        if given.get("batchnorm") and self.op is not None:
            affine = given["batchnorm"] == "Affine"
            self.bn = (nn.BatchNorm1d if self.dims == 1 else nn.BatchNorm2d)(
                self.op.weight.shape[1 if kind == "ConvTranspose2d" else 0], affine=affine,
                eps=given.get("eps", 1e-5))
        self.activation = given.get("activation")
        self.wide = bool(given.get("wide"))
        self.pooling = given.get("pooling")
        for name, value in (("output_shift", 0.0), ("weight_bits", float(given.get("weight_bits") or 0))):
            self.register_parameter(name, nn.Parameter(torch.tensor([value]), requires_grad=False))

    def make_pool(self, given):
        """The pooling module, or None."""
        pooling = given.get("pooling")
        if pooling is None:
            return None
        size = given.get("pool_size", 2)
        stride = given.get("pool_stride", 2)
        stride = size if stride is None else stride
        if pooling == "Max":
            return (nn.MaxPool1d if self.dims == 1 else nn.MaxPool2d)(size, stride, 0, given.get("pool_dilation", 1))
        return (nn.AvgPool1d if self.dims == 1 else nn.AvgPool2d)(size, stride, 0)

    def make_operator(self, given):
        """The convolution, or None."""
        if self.kind is None or self.kind != "Linear" and given.get("kernel_size") is None:
            return None
        if self.kind == "Linear":
            return nn.Linear(given["in_features"], given["out_features"], given.get("bias") is True)
        common = {"stride": given.get("stride", 2 if self.kind == "ConvTranspose2d" else 1),
                  "padding": given.get("padding", 0), "dilation": given.get("dilation", 1),
                  "groups": given["in_channels"] if given.get("depthwise") else given.get("groups", 1),
                  "bias": given.get("bias", True)}
        if self.kind == "ConvTranspose2d":
            common["output_padding"] = 1
        return getattr(nn, self.kind)(given["in_channels"], given["out_channels"], given["kernel_size"], **common)

    def forward(self, x):
        """With integers, as the accelerator computes."""
        if self.pool is not None:
            x = self.pool(x)
            if self.pooling == "Avg":
                x = round_average(x)
        if self.op is None:
            return x
        bits = int(self.weight_bits.item()) or 8
        weight = self.op.weight
        bias = None if self.op.bias is None else torch.floor(self.op.bias / 2 ** (bits - 1)) * 128
        operator = {"Conv1d": nn.functional.conv1d, "Conv2d": nn.functional.conv2d}
        if self.kind == "Linear":
            x = nn.functional.linear(x, weight, bias)
        elif self.kind == "ConvTranspose2d":
            x = nn.functional.conv_transpose2d(x, weight, bias, self.op.stride, self.op.padding, self.op.output_padding,
                                               self.op.groups)
        else:
            x = operator[self.kind](x, weight, bias, self.op.stride, self.op.padding, self.op.dilation, self.op.groups)
        if self.wide:
            return x
        x = torch.floor(x * 2.0 ** (float(self.output_shift.item()) + 8 - bits - 7) + 0.5).clamp(-128, 127)
        if self.activation == "ReLU":
            return x.clamp(min=0)
        return x.abs().clamp(max=127) if self.activation == "Abs" else x


class Eltwise(nn.Module):
    """Operands of one shape."""

    operator = "Add"

    def forward(self, *operands):
        """With integers."""
        total = operands[0]
        for other in operands[1:]:
            if self.operator == "Add":
                total = total + other
            elif self.operator == "Sub":
                total = total - other
            elif self.operator == "BitwiseXor":
                total = (total.to(torch.int64) ^ other.to(torch.int64)).to(total.dtype)
            else:
                total = (total.to(torch.int64) | other.to(torch.int64)).to(total.dtype)
        return total.clamp(-128, 127)


class Same(nn.Module):
    """Changes nothing."""

    def forward(self, x):
        """Changes nothing."""
        return x


ROUND_AVERAGES = [False]


def round_average(x):
    """Rounding of averages: to zero, or to the nearest integer."""
    return torch.sign(x) * torch.floor(x.abs() + 0.5) if ROUND_AVERAGES[0] else torch.trunc(x)


class StandIn(types.ModuleType):
    """The module `ai8x`."""

    def __init__(self):
        super().__init__("ai8x")
        self.made = {}
        self.dev = types.SimpleNamespace(device=85, simulate=True, round_avg=False, WEIGHT_BITS=8, DATA_BITS=8,
                                         ACTIVATION_BITS=8, FULL_ACC_BITS=30, WEIGHT_INPUTS=256, WEIGHT_DEPTH=768)
        self.Eltwise, self.QuantizationAwareModule, self.Empty = Eltwise, Layer, Same

    def set_device(self, device, simulate, round_avg, verbose=True):
        """As ai8x-training's."""
        self.dev.device, self.dev.simulate, self.dev.round_avg = device, simulate, round_avg
        del verbose

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self.made:
            self.made[name] = make_class(name)
        return self.made[name]


def make_class(name):
    """The class of that name."""
    if name in ELTWISE:
        return type(name, (Eltwise,), {"operator": ELTWISE[name]})
    match = NAME.match(name)
    if not name or match is None or (match.group(4) is None and match.group(2) is None):
        raise AttributeError(f"'{name}' is not a known layer; --ai8x DIR names a checkout of ai8x-training")
    _, pooling, depthwise, kind, dims, norm, activation = match.groups()
    settings = {"kind": kind, "dims": 1 if (kind or dims or "").lower().endswith("1d") else 2}
    if pooling:
        settings["pooling"] = {"MaxPool": "Max", "AvgPool": "Avg"}[pooling]
    if depthwise:
        settings["depthwise"] = True
    if activation:
        settings["activation"] = activation
    if norm:
        settings["batchnorm"] = "Affine"
    return type(name, (Layer,), {"settings": settings})
