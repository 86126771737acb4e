"""ai8xsim golden as users call it: the results against NumPy, files of every kind, and bad input."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest
import zlib

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]
MODELS = os.path.join(os.environ["AI8XSIM_SOURCE"], "models")

OK, USAGE, BAD_INPUT, RESOURCES = 0, 2, 3, 5

NETWORK = """
arch: test
dataset: none
layers:
  - name: first
    operation: conv2d
    kernel_size: 3x3
    pad: 1
    activate: ReLU
    output_shift: -2
  - name: second
    max_pool: 2
    pool_stride: 2
    operation: conv2d
    kernel_size: 1x1
    pad: 0
    output_width: 32
"""


def ai8xsim(*arguments):
    """Runs the program under test; a call that takes a minute hangs."""
    return subprocess.run([AI8XSIM, "golden", *map(str, arguments)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False, timeout=60)


def sums(data, weight, bias):
    """Cross-correlation, zero padding that keeps the size, plus 128 times the bias."""
    pad = weight.shape[2] // 2
    padded = numpy.pad(data.astype(int), ((0, 0), (pad, pad), (pad, pad)))
    out = numpy.zeros((weight.shape[0], *data.shape[1:]), int)
    for row in range(weight.shape[2]):
        for column in range(weight.shape[3]):
            window = padded[:, row:row + data.shape[1], column:column + data.shape[2]]
            out += numpy.einsum("oc,chw->ohw", weight[:, :, row, column].astype(int), window)
    return out + 128 * bias.astype(int)[:, None, None]


class Golden(unittest.TestCase):
    """One small network with weights, input and its results by NumPy."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        random = numpy.random.default_rng(1)
        self.input = random.integers(-128, 128, (3, 6, 8)).astype("i1")
        self.weights = [random.integers(-60, 60, shape).astype("i1") for shape in ((4, 3, 3, 3), (5, 4, 1, 1))]
        self.biases = [random.integers(-60, 60, count).astype("i1") for count in (4, 5)]
        self.network = self.write("net.yaml", NETWORK)
        self.weights_file = self.path("weights.h5")
        with h5py.File(self.weights_file, "w") as file:
            file["input"] = self.input
            for index in range(2):
                file[f"weights/{index}/weight"] = self.weights[index]
                file[f"weights/{index}/bias"] = self.biases[index]
        self.sums = [sums(self.input, self.weights[0], self.biases[0])]
        first = numpy.clip(numpy.floor(0.5 + self.sums[0] / 4 / 128), 0, 127).astype(int)
        pooled = first.reshape(4, 3, 2, 4, 2).max((2, 4))
        self.sums.append(sums(pooled, self.weights[1], self.biases[1]))
        self.outputs = [first, self.sums[1]]
        self.complete = (self.network, "--weights", self.weights_file, "--input", self.weights_file)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def test_json(self):
        result = ai8xsim(*self.complete, "--json", "-")
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        report = json.loads(result.stdout)
        self.assertEqual([layer["name"] for layer in report["layers"]], ["first", "second"])
        for layer, output in zip(report["layers"], self.outputs):
            self.assertEqual(layer["shape"], list(output.shape))
            self.assertEqual(layer["output"], output.ravel().tolist())
            self.assertEqual((layer["min"], layer["max"]), (output.min(), output.max()))
            self.assertEqual(layer["checksum"], zlib.crc32(output.astype("<i4").tobytes()))
        self.assertEqual(report["layers"][0]["clipped"], int((self.outputs[0] == 127).sum()))

    def test_table(self):
        result = ai8xsim(*self.complete)
        self.assertEqual(result.returncode, OK)
        rows = [line.split() for line in result.stdout.splitlines()]
        self.assertEqual(rows[1][:2], ["0", "first"])
        self.assertEqual(rows[2][-1], f"{zlib.crc32(self.outputs[1].astype('<i4').tobytes()):08x}")

    def test_files(self):
        result = ai8xsim(*self.complete, "-o", self.path("out.h5"), "--npy", self.path("npy"))
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        with h5py.File(self.path("out.h5")) as file:
            numpy.testing.assert_array_equal(file["input"][:], self.input)
            for index in range(2):
                numpy.testing.assert_array_equal(file[f"layers/{index}/output"][:], self.outputs[index])
                numpy.testing.assert_array_equal(file[f"layers/{index}/sums"][:], self.sums[index])
        for index in range(2):
            numpy.testing.assert_array_equal(numpy.load(self.path("npy", f"layer-{index}.npy")), self.outputs[index])
        self.assertEqual(sorted(os.listdir(self.folder)), ["net.yaml", "npy", "out.h5", "weights.h5"])

    def test_random_is_seeded(self):
        network = self.write("random.yaml", NETWORK.replace("first\n", "first\n    in_channels: 3\n    in_dim: [6, 8]\n"
                                                            "    out_channels: 4\n").replace(
                                                                "second\n", "second\n    out_channels: 5\n"))
        one, again, other = (ai8xsim(network, "--random", seed, "--json", "-") for seed in (1, 1, 2))
        self.assertEqual((one.returncode, one.stderr), (OK, ""))
        self.assertEqual(one.stdout, again.stdout)
        self.assertNotEqual(one.stdout, other.stdout)

    def test_bad_input(self):
        short = self.path("short.h5")
        shutil.copy(self.weights_file, short)
        with h5py.File(short, "a") as file:
            del file["weights/1"]
        cases = (
            ((), USAGE, "no network given"),
            ((self.network, self.network), USAGE, "one network at a time"),
            ((self.network, "--random", "x"), USAGE, "random"),
            ((self.write("bare.yaml", "layers:\n  - {in_channels: 1, in_dim: [4, 4], out_channels: 2}\n"),), USAGE, "give --input FILE, or --random SEED"),
            ((self.path("none.yaml"),), BAD_INPUT, "none.yaml"),
            ((self.network, "--weights", self.path("none.h5")), BAD_INPUT, "none.h5"),
            ((self.network, "--weights", short, "--input", short), BAD_INPUT, "second"),
            ((self.write("text.yaml", "layers: ["),), BAD_INPUT, "text.yaml"),
        )
        for arguments, status, text in cases:
            with self.subTest(text):
                result = ai8xsim(*arguments)
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertIn(text, result.stderr)

    def test_unwritable(self):
        for option in ("-o", "--json", "--npy"):
            with self.subTest(option):
                result = ai8xsim(*self.complete, option, self.path("missing", "folder"))
                self.assertEqual(result.returncode, RESOURCES, result.stderr)
                self.assertIn("missing", result.stderr)
        self.assertEqual(sorted(os.listdir(self.folder)), ["net.yaml", "weights.h5"])


class Models(unittest.TestCase):
    """The shipped networks: description, weights, program and expected output belong together."""

    def test_recorded_outputs(self):
        names = sorted(name for name in os.listdir(MODELS) if os.path.isdir(os.path.join(MODELS, name)))
        self.assertGreaterEqual(len(names), 5)
        for name in names:
            with self.subTest(name):
                self.check(name, os.path.join(MODELS, name))

    def check(self, name, folder):
        weights = os.path.join(folder, "weights.h5")
        result = ai8xsim(os.path.join(folder, name + ".yaml"), "--weights", weights, "--input", weights, "--json",
                         "-")
        self.assertEqual((result.returncode, result.stderr), (OK, ""))
        layers = json.loads(result.stdout)["layers"]
        with h5py.File(os.path.join(folder, name + ".h5")) as program:
            self.assertEqual([layer["layer"] for layer in layers], list(program.attrs["order"]))
            for layer in layers:
                recorded = program[f"layers/{layer['layer']}/output"][:]
                self.assertEqual(layer["shape"], list(recorded.shape))
                self.assertEqual(layer["output"], recorded.ravel().tolist())
        expected = numpy.load(os.path.join(folder, "expected.npy"))
        self.assertEqual(layers[-1]["shape"], list(expected.shape))
        self.assertEqual(layers[-1]["output"], expected.ravel().tolist())


if __name__ == "__main__":
    unittest.main(verbosity=2)
