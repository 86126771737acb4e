"""For evaluation loops of PyTorch: a program as a module, and where a model and a program part ways. Needs torch."""
import collections

import numpy as np
import torch

from ai8xsim.network import Network

Difference = collections.namedtuple('Difference', 'layer name channel row column model chip count')
Difference.__doc__ = """The first place where model and chip differ: ``model`` and ``chip`` are the two values there, and
``count`` the number of values of that layer that differ."""


class Deployed(torch.nn.Module):
    """A module whose forward runs the bit-exact program, so that an evaluation loop gives the accuracy of the chip.

    Takes [N][C][H][W] of whole numbers -128..127 (what the data loaders of ai8x-training give in simulate mode), or
    with ``scale`` floating point numbers -1..1 that are multiplied by it and rounded, as the chip's input is made.
    Gives float32 [N][classes], or [N][C][H][W] where the output is an image. There are no gradients.

    :param program: a Program, or a Network (compiled for ``part``)
    :param jobs: threads
    :param scale: None, or 128
    """

    def __init__(self, program, part=None, jobs=1, scale=None):
        super().__init__()
        self.program = program.compile(part) if isinstance(program, Network) else program
        self.jobs, self.scale = jobs, scale

    def forward(self, x):
        """The chip's outputs for a batch."""
        values = x.detach().cpu()
        if self.scale is not None:
            values = torch.clamp(torch.floor(values * self.scale + 0.5), -128, 127)
        outputs = torch.from_numpy(self.program.eval(values, jobs=self.jobs, progress=False))
        outputs = outputs.to(device=x.device, dtype=torch.float32)
        return outputs.flatten(1) if outputs.shape[2:] == (1, 1) else outputs


def compare(model, program, x, layers=None, tolerance=0):
    """The first layer, channel and pixel where a model and a program differ, or None where they agree.

    :param model: a torch.nn.Module in simulate mode (whole numbers as on the chip)
    :param program: a Program
    :param x: one input [C][H][W], whole numbers -128..127
    :param layers: names of the model's modules, in the order of the program's layers; a dict {program layer number:
        module name} compares some of them only; None: leaf modules whose outputs have the shapes of the program's
        layers, taken in order
    :param tolerance: differences up to this count as equal
    """
    seen = collections.OrderedDict()

    def hook(name):
        def keep(module, inputs, output):
            if isinstance(output, torch.Tensor):
                seen[name] = output.detach().cpu().numpy()[0]
        return keep

    handles = [module.register_forward_hook(hook(name)) for name, module in model.named_modules() if name]
    try:
        with torch.no_grad():
            model(torch.as_tensor(np.asarray(x, np.float32))[None])
    finally:
        for handle in handles:
            handle.remove()
    result = program.run(x)
    for number, name in _pairs(model, result, seen, layers):
        chip = next(layer.output for layer in result.layers if layer.number == number)
        values = seen[name]
        if values.size != chip.size:
            raise ValueError(f'layer {number} has the shape {chip.shape}, module {name!r} {values.shape}')
        values = values.reshape(chip.shape)
        wrong = np.argwhere(np.abs(values - chip.astype(np.float64)) > tolerance)
        if len(wrong):
            place = tuple(int(index) for index in wrong[0])
            return Difference(number, name, *place, float(values[place]), int(chip[place]), len(wrong))
    return None


def _pairs(model, result, seen, layers):
    """Program layers and the modules that compute them."""
    if isinstance(layers, dict):
        pairs = list(layers.items())
    elif layers is not None:
        pairs = [(layer.number, name) for layer, name in zip(result.layers, layers)]
    else:
        pairs, names = [], [name for name in seen if not list(model.get_submodule(name).children())]
        for layer in result.layers:
            # The last of neighbours with this shape: an activation comes after its convolution.
            fitting = [index for index, name in enumerate(names) if seen[name].size == layer.output.size]
            if not fitting:
                continue
            last = fitting[0]
            while last + 1 in fitting and not hasattr(model.get_submodule(names[last + 1]), 'weight'):
                last += 1
            pairs.append((layer.number, names[last]))
            names = names[last + 1:]
    for number, name in pairs:
        if name not in seen:
            raise ValueError(f'the model has no module {name!r} that ran')
        if number not in [layer.number for layer in result.layers]:
            raise ValueError(f'the program has no layer {number}')
    return pairs
