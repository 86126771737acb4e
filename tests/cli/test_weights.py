"""tools/ai8xsim-weights: checkpoints in, weights files out that ai8xsim compile reads."""
import collections
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

    def test_the_checkpoint_itself(self):
        """compile and check say what makes weights of a checkpoint, new or old."""
        program = self.path("p.h5")
        subprocess.run([AI8XSIM, "compile", self.network, "--random", "1", "-o", program, "-q"], check=False, timeout=60)
        for new in True, False:
            torch.save({"state_dict": self.state}, self.path("c.pth.tar"), _use_new_zipfile_serialization=new)
            for command in ["compile", self.network, "-w"], ["check", program, "--weights"]:
                done = subprocess.run([AI8XSIM, *command, self.path("c.pth.tar")], capture_output=True, text=True, check=False,
                                      timeout=60, cwd=self.folder)
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn(f"it is a checkpoint of torch; `ai8xsim-weights {self.path('c.pth.tar')} -o FILE.h5`", done.stderr)

    def test_refusals(self):
        cases = (
            ({"c.op.weight": torch.full((3, 2, 3, 3), 0.25)}, "not quantized"),
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

    def run_tool(self, *arguments):
        return subprocess.run([sys.executable, TOOL, "-o", self.output, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=120)

    def save(self, name, content, **options):
        torch.save(content, self.path(name), **options)
        return self.path(name)

    def test_what_training_leaves_beside_the_tensors(self):
        extras = {"optimizer_type": torch.optim.Adam, "optimizer_state_dict": {"lr": 0.001, "steps": [1, 2]},
                  "extras": {"best_top1": 98.5, "current": numpy.float64(0.5)}, "epoch": 7, "arch": "net",
                  "lists": collections.defaultdict(list, a=[1]), "kinds": [int, str, tuple], "counts": collections.Counter("aab")}
        for new in (True, False):
            with self.subTest(zip=new):
                path = self.save("a.pth.tar", dict(extras, state_dict=self.state), _use_new_zipfile_serialization=new)
                result = self.run_tool(path, "--network", self.network)
                self.assertEqual((result.returncode, result.stderr), (0, ""))
                with h5py.File(self.output) as file:
                    numpy.testing.assert_array_equal(file["weights/0/weight"], self.conv)
                    numpy.testing.assert_array_equal(file["weights/2/weight"], self.linear)

    def test_state_alone(self):
        result = self.run_tool(self.save("s.pth", self.state), "--network", self.network)
        self.assertEqual(result.returncode, 0, result.stderr)

    def test_nothing_of_the_file_is_called(self):
        mark = self.path("called")

        class Evil:
            def __reduce__(self):
                return os.mkdir, (mark,)

        path = self.save("e.pth.tar", {"state_dict": self.state, "extras": Evil()})
        refused = self.run_tool(path, "--network", self.network)
        self.assertEqual(refused.returncode, 3)
        self.assertIn(".mkdir", refused.stderr)
        trusted = self.run_tool(path, "--network", self.network, "--trust")
        self.assertEqual(trusted.returncode, 0, trusted.stderr)
        self.assertFalse(os.path.exists(mark))

    def test_wrong_files(self):
        def read(path):
            with open(path, "rb") as file:
                return file.read()

        whole = read(self.save("w.pth.tar", {"state_dict": self.state}))
        with h5py.File(self.path("h.h5"), "w") as file:
            file["input"] = [1]
        numpy.save(self.path("n.npy"), [1])
        numpy.savez(self.path("n.npz"), a=[1])
        cases = ((b"hello\n", "a text file"), (b"", "an empty file"), (whole[:len(whole) // 2], "truncated or damaged"),
                 (b"\x08\x07\x12\x07pytorch\x1a\x051.13", "an ONNX model"), (b"\x80\x02K\x01.", "a pickle, but not"),
                 (read(self.path("h.h5")), "an HDF5 file"), (read(self.path("n.npy")), "a NumPy array"),
                 (read(self.path("n.npz")), "a NumPy archive"), (b"\x01\x02\x03\xff", "no kind that is known"))
        for content, text in cases:
            with open(self.path("x"), "wb") as file:
                file.write(content)
            for trust in ((), ("--trust",)):
                result = self.run_tool(self.path("x"), *trust)
                self.assertEqual(result.returncode, 3, text)
                self.assertIn(text, result.stderr)
                self.assertNotIn("--trust", result.stderr)
        missing = self.run_tool(self.path("missing"))
        self.assertEqual(missing.returncode, 3)
        self.assertIn("No such file or directory", missing.stderr)

    def test_rules_of_the_generator(self):
        def bits(state, *arguments):
            result = self.run_tool(self.save("r.pth.tar", {"state_dict": state}), *arguments)
            self.assertEqual(result.returncode, 0, result.stderr)
            with h5py.File(self.output) as file:
                return file["weights/0"].attrs["weight_bits"], file["weights/0/weight"][()], result.stderr

        zero = {"c.op.weight": torch.zeros(2, 2, 3, 3), "c.weight_bits": torch.tensor([8.0])}
        self.assertEqual(bits(zero)[0], 1)
        self.assertIn("1-bit", bits(zero)[2])
        sign = {"c.op.weight": torch.where(torch.arange(36).reshape(2, 2, 3, 3) % 3 > 0, 1.0, -1.0)}
        self.assertEqual(bits(sign, "--part", "MAX78000")[0], 8)
        self.assertEqual(bits(sign, "--part", "MAX78002")[0], -1)
        self.assertIn("--part MAX78002", bits(sign)[2])
        cut = {"c.op.weight": torch.tensor([[[[5.75]], [[-3.25]]]])}
        self.assertEqual(bits(cut)[1].ravel().tolist(), [5, -3])
        self.assertIn("fractions are cut off", bits(cut)[2])

    def test_samples(self):
        state = self.save("c.pth.tar", {"state_dict": self.state})

        def sample(array, *arguments, name="s.npy"):
            if name == "s.npy":
                numpy.save(self.path(name), array)
            else:
                with h5py.File(self.path(name), "w") as file:
                    file["input"] = array
            result = self.run_tool(state, "-n", self.network, "-i", self.path(name), *arguments)
            if result.returncode != 0:
                return result.stderr
            with h5py.File(self.output) as file:
                return file["input"][()], result.stderr

        image = numpy.arange(32).reshape(2, 4, 4)
        for name in ("s.npy", "s.h5"):
            numpy.testing.assert_array_equal(sample(image.astype(numpy.int64), name=name)[0], image)
        self.assertIn("--scale 128", sample(image / 100))
        numpy.testing.assert_array_equal(sample(image / 128, "--scale", "128")[0], image)
        values, told = sample(numpy.full((2, 4, 4), 200, dtype=numpy.uint8))
        self.assertEqual(values.min(), 72)
        self.assertIn("128 is subtracted", told)
        self.assertIn("subtract 128", sample(numpy.full((2, 4, 4), 200)))
        self.assertIn("channels are expected first", sample(numpy.zeros((8, 8, 3), dtype=int))[1])


if __name__ == "__main__":
    unittest.main()
