#!/usr/bin/python3
"""The package together with torch; skipped (77) where torch is not there."""
import os
import sys
import unittest

import numpy as np

from package import DIGITS

try:
    import torch
except ImportError:
    sys.exit(77)
import ai8xsim
import ai8xsim.torch

NETWORK = '''arch: two
dataset: none
layers:
  - {name: stem, in_channels: 3, in_dim: [8, 8], operation: conv2d, kernel_size: 3x3, pad: 1, activate: ReLU,
     out_channels: 8}
  - {name: last, operation: conv2d, kernel_size: 3x3, pad: 1, out_channels: 4}
'''


class Simulated(torch.nn.Module):
    """Two convolutions in simulate mode: whole numbers, rounded and clipped as the chip does."""

    def __init__(self, weights):
        super().__init__()
        self.stem, self.last = torch.nn.Conv2d(3, 8, 3, padding=1, bias=False), \
            torch.nn.Conv2d(8, 4, 3, padding=1, bias=False)
        self.stem_out, self.last_out = torch.nn.Identity(), torch.nn.Identity()
        for index, layer in enumerate((self.stem, self.last)):
            layer.weight = torch.nn.Parameter(torch.from_numpy(weights[f'weight_{index}'].astype(np.float32)))

    def forward(self, x):
        """Outputs for a batch."""
        x = self.stem_out(torch.clamp(torch.floor(self.stem(x) / 128 + 0.5), -128, 127).relu())
        return self.last_out(torch.clamp(torch.floor(self.last(x) / 128 + 0.5), -128, 127))


class Torch(unittest.TestCase):
    """Tensors in, modules out."""

    def setUp(self):
        rng = np.random.default_rng(5)
        self.weights = {'weight_0': rng.integers(-30, 30, (8, 3, 3, 3), np.int8),
                        'weight_1': rng.integers(-30, 30, (4, 8, 3, 3), np.int8)}
        self.x = rng.integers(-128, 128, (3, 8, 8), np.int8)
        self.program = ai8xsim.Network(NETWORK, weights=self.weights).compile()
        self.model = Simulated(self.weights)

    def test_tensors(self):
        """tensors of any type are inputs and weights"""
        tensors = {name: torch.from_numpy(value) for name, value in self.weights.items()}
        program = ai8xsim.Network(NETWORK, weights=tensors).compile()
        for x in (torch.from_numpy(self.x), torch.from_numpy(self.x).float().requires_grad_()):
            self.assertTrue(np.array_equal(program.run(x).output, self.program.run(self.x).output))

    def test_deployed(self):
        """the module gives the accuracy of the chip on held-out digits, as evaluation loops call it"""
        import h5py  # pylint: disable=import-outside-toplevel
        with h5py.File(os.path.join(DIGITS, 'heldout.h5')) as file:
            inputs = torch.from_numpy(np.array(file['images']))
            labels = torch.from_numpy(np.array(file['labels']).astype(np.int64))
        module = ai8xsim.torch.Deployed(ai8xsim.Program(os.path.join(DIGITS, 'digits.h5')), jobs=2)
        right = int((module(inputs).argmax(1) == labels.flatten()).sum())
        self.assertGreaterEqual(right / len(labels), 0.97)
        scaled = ai8xsim.torch.Deployed(module.program, scale=128)
        self.assertTrue(torch.equal(scaled(inputs[:20].float() / 128), module(inputs[:20])))

    def test_equal(self):
        """a model in simulate mode agrees with its program"""
        self.assertIsNone(ai8xsim.torch.compare(self.model, self.program, self.x, layers=['stem_out', 'last_out']))
        deployed = ai8xsim.torch.Deployed(self.program)
        batch = torch.from_numpy(self.x[None]).float()
        self.assertTrue(torch.equal(deployed(batch), self.model(batch)))

    def test_first_difference(self):
        """where they differ: layer, channel and pixel"""
        with torch.no_grad():
            self.model.last.weight[2] += 5
        found = ai8xsim.torch.compare(self.model, self.program, self.x, layers=['stem_out', 'last_out'])
        self.assertEqual((found.layer, found.name, found.channel), (1, 'last_out', 2))
        chip = self.program.run(self.x).layers[1].output
        self.assertEqual(found.chip, int(chip[found.channel, found.row, found.column]))
        self.assertNotEqual(found.chip, found.model)
        with torch.no_grad():
            self.model.stem.weight[3] += 5
        found = ai8xsim.torch.compare(self.model, self.program, self.x, layers={0: 'stem_out'})
        self.assertEqual((found.layer, found.channel), (0, 3))
        with self.assertRaisesRegex(ValueError, 'no module'):
            ai8xsim.torch.compare(self.model, self.program, self.x, layers=['nothing'])


if __name__ == '__main__':
    unittest.main(verbosity=2)
