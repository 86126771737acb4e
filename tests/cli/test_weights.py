"""tools/ai8xsim-weights: checkpoints in, weights files out that ai8xsim compile reads."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

try:
    import torch
except ImportError:
    torch = None

AI8XSIM = os.environ["AI8XSIM"]
TOOL = os.path.join(os.environ["AI8XSIM_SOURCE"], "tools", "ai8xsim-weights")

NETWORK = """
layers:
  - {in_channels: 2, in_dim: [4, 4], operation: conv2d}
  - {operation: passthrough}
  - {operation: convtranspose2d}
  - {operation: linear, flatten: true, quantization: 2, output_width: 32}
"""


@unittest.skipIf(torch is None, "needs python3-torch")
class Weights(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        random = numpy.random.default_rng(3)
        self.conv = random.integers(-128, 128, (3, 2, 3, 3))
        self.transposed = random.integers(-8, 8, (3, 4, 3, 3))  # PyTorch: [in][out]
        self.linear = random.integers(-2, 2, (5, 4 * 64))
        self.bias = random.integers(-100, 100, 3)
        self.state = {
            "c.op.weight": torch.tensor(self.conv, dtype=torch.float32),
            "c.op.bias": torch.tensor(self.bias * 128.0),
            "c.output_shift": torch.tensor([-2.0]),
            "t.op.weight": torch.tensor(self.transposed, dtype=torch.float32),
            "t.weight_bits": torch.tensor([4.0]),
            "fc.op.weight": torch.tensor(self.linear, dtype=torch.float32),
            "fc.weight_bits": torch.tensor([2.0]),
        }
        self.network = self.path("net.yaml")
        with open(self.network, "w", encoding="utf-8") as file:
            file.write(NETWORK)
        self.output = self.path("w.h5")

    def path(self, name):
        return os.path.join(self.folder, name)

    def convert(self, state, *arguments):
        torch.save({"epoch": 1, "arch": "net", "state_dict": state}, self.path("c.pth.tar"))
        return subprocess.run([sys.executable, TOOL, self.path("c.pth.tar"), "-o", self.output, *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=120)

    def test_content(self):
        result = self.convert(self.state, "--network", self.network)
        self.assertEqual(result.returncode, 0, result.stderr)
        with h5py.File(self.output) as file:
            numpy.testing.assert_array_equal(file["weights/0/weight"], self.conv)
            numpy.testing.assert_array_equal(file["weights/0/bias"], self.bias)
            self.assertEqual(file["weights/0"].attrs["output_shift"], -2)
            flipped = self.transposed[:, :, ::-1, ::-1].swapaxes(0, 1)
            numpy.testing.assert_array_equal(file["weights/1/weight"], flipped)
            self.assertEqual(file["weights/1"].attrs["weight_bits"], 4)
            numpy.testing.assert_array_equal(file["weights/2/weight"], self.linear)
            self.assertNotIn("bias", file["weights/2"])

    def test_compiles_and_runs(self):
        self.assertEqual(self.convert(self.state, "--network", self.network).returncode, 0)
        program = self.path("p.h5")
        result = subprocess.run([AI8XSIM, "compile", self.network, "-w", self.output, "--random", "1", "-o", program, "-q"],
                                stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(subprocess.run([AI8XSIM, "run", "--per-layer", program], stdout=subprocess.DEVNULL, check=False,
                                        timeout=60).returncode, 0)

    def test_refusals(self):
        cases = (
            (dict(self.state, **{"c.op.weight": torch.full((3, 2, 3, 3), 0.25)}), "not quantized"),
            (dict(self.state, **{"c.op.weight": torch.full((3, 2, 3, 3), 200.0)}), "quantized?"),
            (dict(self.state, **{"c.op.weight": torch.ones(3)}), "batch normalization"),
            ({}, "has no weights"),
            ({"c.op.weight": self.state["c.op.weight"]}, "the description needs 3"),
        )
        for state, text in cases:
            result = self.convert(state, "--network", self.network)
            self.assertEqual(result.returncode, 3, text)
            self.assertIn(text, result.stderr)
            self.assertFalse(os.path.exists(self.output))


if __name__ == "__main__":
    unittest.main()
