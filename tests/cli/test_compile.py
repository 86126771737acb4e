"""ai8xsim compile as users call it: weights of every format, what is chosen, refusals that write nothing."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]

OK, FAILED, USAGE, BAD_INPUT, RESOURCES = 0, 1, 2, 3, 5

NETWORK = """
layers:
  - name: first
    operation: conv2d
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

SHAPES = """
layers:
  - {in_channels: 3, in_dim: [8, 8], out_channels: 8, name: a}
  - {out_channels: 8, name: b}
  - {in_sequences: [a, b], eltwise: add, out_channels: 70}
"""

STREAMING = """
layers:
  - {in_channels: 3, in_dim: [16, 16], out_channels: 8, streaming: true, activate: ReLU}
  - {out_channels: 16, max_pool: 2, pool_stride: 2, streaming: true, activate: ReLU}
  - {out_channels: 5, kernel_size: 1x1, pad: 0}
"""

ALL_KINDS = """
layers:
  - {in_channels: 3, in_dim: [12, 10], out_channels: 20, activate: relu, name: a, quantization: 4}
  - {out_channels: 20, activate: abs, name: b, output_shift: -2}
  - {in_sequences: [a, b], eltwise: sub, out_channels: 70, kernel_size: 1x1, pad: 0}
  - {op: passthrough, max_pool: [3, 2], pool_stride: 2}
  - {op: convtranspose2d, stride: 2, pad: 1, output_pad: 1, out_channels: 6, avg_pool: 2, pool_stride: 1}
  - {op: linear, flatten: true, out_channels: 6, output_width: 32}
"""

# Layer 2 writes where layer 3 reads what layer 0 wrote.
OVERLAP = """
layers:
  - {in_channels: 4, in_dim: [4, 4], out_channels: 4, processors: 0xf, out_offset: 0x800}
  - {out_channels: 4, processors: 0xf, out_offset: 0x1000}
  - {out_channels: 4, processors: 0xf, out_offset: 0x7c4}
  - {out_channels: 4, processors: 0xf, in_sequences: 0, in_offset: 0x800, out_offset: 0x2000}
"""


def ai8xsim(*arguments):
    """Runs the program under test; a call that takes a minute hangs."""
    return subprocess.run([AI8XSIM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, timeout=60)


class Compile(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        random = numpy.random.default_rng(1)
        self.input = random.integers(-128, 128, (3, 6, 8)).astype("i1")
        self.weights = [random.integers(-60, 60, shape).astype("i1") for shape in ((4, 3, 3, 3), (5, 4, 1, 1))]
        self.biases = [random.integers(-60, 60, count).astype("i1") for count in (4, 5)]
        self.network = self.write("net.yaml", NETWORK)
        self.output = self.path("out.h5")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def hdf5(self):
        with h5py.File(self.path("w.h5"), "w") as file:
            file["input"] = self.input
            for index in range(2):
                file[f"weights/{index}/weight"] = self.weights[index]
                file[f"weights/{index}/bias"] = self.biases[index]
        return self.path("w.h5")

    def compile(self, *arguments, code=OK):
        result = ai8xsim("compile", *arguments)
        self.assertEqual(result.returncode, code, result.stderr)
        return result

    def run_program(self, path):
        result = ai8xsim("run", "--per-layer", path)
        self.assertEqual(result.returncode, OK, result.stdout + result.stderr)
        self.assertRegex(result.stdout, r" 0  pass")

    def operations(self, path):
        with h5py.File(path) as file:
            return file["program"][:].tolist()

    def test_weights_of_every_format_make_the_same_program(self):
        weights = self.hdf5()
        self.compile(self.network, "--weights", weights, "--input", weights, "-o", self.output)
        self.run_program(self.output)
        expected = self.operations(self.output)
        self.assertTrue(any(kind == 3 for kind, *_ in expected))

        numpy.savez_compressed(self.path("w.npz"), weight_0=self.weights[0], weight_1=self.weights[1],
                               bias_0=self.biases[0], bias_1=self.biases[1], input=self.input)
        self.compile(self.network, "--weights", self.path("w.npz"), "-o", self.output)
        self.assertEqual(self.operations(self.output), expected)

        for name, arrays in (("w.npy", self.weights), ("b.npy", self.biases), ("i.npy", [self.input])):
            with open(self.path(name), "wb") as file:
                for array in arrays:
                    numpy.save(file, array.astype("i8"))
        self.compile(self.network, "--weights", self.path("w.npy"), "--bias", self.path("b.npy"), "--input",
                     self.path("i.npy"), "-o", self.output)
        self.assertEqual(self.operations(self.output), expected)

    def test_shapes_only(self):
        result = self.compile(self.write("s.yaml", SHAPES), "--part", "MAX78000", "-o", self.output)
        self.assertIn("layer 0 (a): chosen: processors 0x", result.stdout)
        self.assertIn("inserted: copies the result of layer 0", result.stdout)
        self.assertFalse(any(kind == 3 for kind, *_ in self.operations(self.output)))
        # Nothing is expected, so nothing is proved.
        self.assertEqual(ai8xsim("run", self.output).returncode, 6)
        self.assertEqual(ai8xsim("run", "--allow-unchecked", self.output).returncode, OK)

    def test_copies_take_the_cycles_that_are_told(self):
        for size in ("[8, 8]", "[5, 13]", "[20, 3]"):
            network = self.write("s.yaml", SHAPES.replace("[8, 8]", size))
            result = self.compile(network, "--part", "MAX78000", "-o", self.output)
            told = re.findall(r"^layer (\d+).*: inserted: copies .*takes ([0-9,]+) to ([0-9,]+) cycles", result.stdout, re.MULTILINE)
            self.assertNotEqual(told, [])
            profile = ai8xsim("profile", "--json", "-", "--part", "MAX78000", "--advice", 0, network)
            self.assertEqual(profile.returncode, OK, profile.stderr)
            cycles = [layer["cycles"] for layer in json.loads(profile.stdout)["profile"]["layers"]]
            for layer, least, most in told:
                self.assertLessEqual(int(least.replace(",", "")), cycles[int(layer)])
                self.assertLessEqual(cycles[int(layer)], int(most.replace(",", "")))

    def test_random_is_repeatable_and_runs(self):
        network = self.write("s.yaml", SHAPES)
        for part in ("MAX78000", "MAX78002"):
            self.compile(network, "--random", "5", "--part", part, "-o", self.output, "-q")
            self.run_program(self.output)
            self.compile(network, "--random", "5", "--part", part, "-o", self.path("again.h5"), "-q")
            self.assertEqual(self.operations(self.output), self.operations(self.path("again.h5")))
            self.compile(network, "--random", "6", "--part", part, "-o", self.path("other.h5"), "-q")
            self.assertNotEqual(self.operations(self.output), self.operations(self.path("other.h5")))

    def test_outputs_use_their_range(self):
        self.compile(self.write("s.yaml", SHAPES), "--random", "2", "-o", self.output, "-q")
        with h5py.File(self.output) as file:
            for layer in file["layers"].values():
                if layer.attrs["operator"] != b"passthrough" and layer.attrs["operator"] != "passthrough":
                    self.assertGreaterEqual(numpy.abs(layer["output"][:]).max(), 63)

    def test_completed_description(self):
        network = self.write("s.yaml", SHAPES)
        self.compile(network, "--random", "5", "-o", self.output, "--write-yaml", self.path("full.yaml"),
                     "--save-weights", self.path("saved.h5"), "-q")
        self.compile(self.path("full.yaml"), "--weights", self.path("saved.h5"), "-o", self.path("again.h5"))
        self.assertEqual(self.operations(self.output), self.operations(self.path("again.h5")))

    def test_feeds(self):
        network = self.write("f.yaml", STREAMING)
        for part in ("MAX78000", "MAX78002"):
            outputs = set()
            for feed in ((), ("--fifo",), ("--fast-fifo",), ("--ignore-streaming",)):
                self.compile(network, "--random", "3", "--part", part, *feed, "-o", self.output, "-q")
                self.run_program(self.output)
                with h5py.File(self.output) as file:
                    outputs.add(file["layers/2/output"][:].tobytes())
            self.assertEqual(len(outputs), 1)

    def test_rows_of_single_output_cycles_take_one_more(self):
        """Four channels with quad fan-out: one output cycle a pixel, as with one channel without."""
        network = self.write("quad.yaml", """
arch: quad
dataset: none
layers:
  - {op: conv2d, kernel_size: 3x3, pad: 1, in_channels: 4, in_dim: [8, 8], out_channels: 4,
     processors: 0xf, out_offset: 0x2000}
""")
        self.compile(network, "--random", "1", "--fast-fifo-quad", "-o", self.output, "-q")
        for engine in ("exact", "fast"):
            result = ai8xsim("run", "--engine", engine, "--json", "-", self.output)
            self.assertEqual(result.returncode, OK, result.stderr)
            self.assertEqual(json.loads(result.stdout)["programs"][0]["cycles"], 309)

    def test_kernel_loading_styles(self):
        weights = self.hdf5()
        for style in ((), ("--plain-kernels",), ("--write-zero-registers",), ("--kernels-from-0",)):
            self.compile(self.network, "--weights", weights, "--part", "MAX78002", *style, "-o", self.output)
            self.run_program(self.output)

    def test_info_shows_the_network_back(self):
        self.compile(self.write("all.yaml", ALL_KINDS), "--random", "3", "--part", "MAX78002", "-o", self.output, "-q")
        result = ai8xsim("info", "--layers", self.output)
        self.assertEqual(result.returncode, OK, result.stderr)
        text = result.stdout.replace("\n    ", " ")  # lines that were broken, in one
        shown = [line.strip().split(";")[0] for line in text.splitlines() if line.startswith("  layer ")]
        # Shifts that the description leaves open are chosen; 70 channels in two passes take 36 processors each.
        shown = [re.sub(r"(layer [0234].*?), shift -?[0-9]+", r"\1", line) for line in shown]
        self.assertEqual(shown, [
            "layer 0: 3x3 conv, 3 -> 20 channels, pad 1, 4-bit weights, bias, ReLU, 12x10",
            "layer 1: 3x3 conv, 20 -> 20 channels, pad 1, 8-bit weights, bias, shift -2, abs, 12x10",
            "layer 2: 2-operand sub, 1x1 conv, 20 -> 72 channels, 8-bit weights, 12x10",
            "layer 3: 3x2 max pool stride 2, pass-through, 72 channels, 11x10 -> 5x5",
            "layer 4: 2x2 average pool stride 1, 3x3 transposed conv, 72 -> 6 channels, pad 1, 8-bit weights, bias, "
            "4x5 -> 8x8",
            "layer 5: linear, 384 -> 6 channels, 8-bit weights, bias, 32-bit output, 1x1",
        ])
        self.run_program(self.output)

    def test_overwritten_data_are_told_on_stderr(self):
        result = self.compile(self.write("o.yaml", OVERLAP), "-o", self.output, "-q")
        self.assertEqual(result.stdout, "")
        self.assertIn("warning: layer 3: reads channel 0, pixel 0 of the output of layer 0", result.stderr)
        self.assertIn("layer 2 writes its output there", result.stderr)
        result = self.compile(self.write("o.yaml", OVERLAP.replace("0x800", "0x840")), "-o", self.output, "-q")
        self.assertEqual(result.stderr, "")

    def test_samples_as_people_have_them(self):
        """Integers of any width, unsigned bytes, fractions with their factor, a first dimension of 1, HDF5."""
        whole = numpy.random.default_rng(3).integers(-128, 128, (3, 8, 8))
        network = self.write("net.yaml", "layers:\n  - {in_channels: 3, in_dim: [8, 8], out_channels: 4, output_shift: -2}\n")

        def sample(values, *options, code=OK):
            for name in ("sample.npy", "sample.h5"):
                if name.endswith(".h5"):
                    with h5py.File(self.path(name), "w") as file:
                        file["input"] = values
                else:
                    numpy.save(self.path(name), values)
                run = ai8xsim("compile", network, "--random", "1", "--input", self.path(name), *options, "-o",
                              self.path("sampled.h5"))
                self.assertEqual(run.returncode, code, run.stderr)
                if code == OK:
                    with h5py.File(self.path("sampled.h5")) as file:
                        numpy.testing.assert_array_equal(file["input"][()].ravel(), whole.ravel())
            return run.stdout + run.stderr

        for kind in ("i1", "i2", "i8", "f4", "f8"):
            sample(whole.astype(kind))
        sample(whole[None].astype("i8"))
        self.assertIn("128 is subtracted", sample((whole + 128).astype("u1")))
        sample(whole / 128, "--scale", "128")
        sample((whole / 128).astype("f4"), "--scale", "128")
        sample((whole + 0.25) / 64, "--scale", "64")
        self.assertIn("--scale 128", sample(whole / 128, code=BAD_INPUT))
        self.assertIn("subtract 128", sample((whole + 128).astype("i8"), code=BAD_INPUT))
        self.assertIn("channels come last", sample(whole.transpose(1, 2, 0), code=BAD_INPUT))
        self.assertIn("not a number", sample(numpy.full((3, 8, 8), numpy.nan), "--scale", "128", code=BAD_INPUT))
        self.assertIn("above 0", sample(whole, "--scale", "0", code=USAGE))

    def test_input_of_another_network(self):
        for shape in ((3, 6, 7), (4, 6, 8), (2, 6, 8), (48,)):
            numpy.save(self.path("other.npy"), numpy.zeros(shape, "i1"))
            for command in "compile", "golden":
                result = ai8xsim(command, self.write("s.yaml", SHAPES.replace("[8, 8]", "[6, 8]")), "--random", "1",
                                 "--input", self.path("other.npy"), *(("-o", self.output) if command == "compile" else ()))
                self.assertEqual(result.returncode, BAD_INPUT)
                found = "x".join(map(str, (*shape, 1, 1)[:3]))
                self.assertIn(f"s.yaml:3: layer 0 (a): expected an input of 3x6x8 (channels x rows x columns), got {found} "
                              f"from {self.path('other.npy')}", result.stderr)
        self.assertFalse(os.path.exists(self.output))
        # Weights say as well how many channels the input has.
        numpy.save(self.path("other.npy"), numpy.zeros((5, 6, 8), "i1"))
        result = self.compile(self.network, "--weights", self.hdf5(), "--input", self.path("other.npy"), "-o", self.output,
                              code=BAD_INPUT)
        self.assertIn("expected an input of 3x6x8 (channels x rows x columns), got 5x6x8", result.stderr)

    def test_files_that_are_no_descriptions(self):
        for content, kind in ((b"\x89HDF\r\n\x1a\n", "an HDF5 file; `ai8xsim run` and `ai8xsim info` take programs"),
                              (b"\x7fELF\1\1\1", "a firmware image; `ai8xsim run` takes it"),
                              (b"\x93NUMPY\1\0", "a NumPy array"), (b"PK\3\4", "an archive")):
            with open(self.path("file"), "wb") as file:
                file.write(content)
            for command in "compile", "golden":
                result = ai8xsim(command, self.path("file"))
                self.assertEqual(result.returncode, BAD_INPUT)
                self.assertIn("not a network description in YAML: it is " + kind, result.stderr)

    def test_default_name(self):
        result = subprocess.run([AI8XSIM, "compile", self.write("s.yaml", SHAPES), "-q"], cwd=self.folder, check=False,
                                timeout=60)
        self.assertEqual(result.returncode, OK)
        self.assertTrue(os.path.exists(self.path("s.h5")))

    def refuse(self, text, message, *arguments):
        network = self.write("bad.yaml", text)
        before = set(os.listdir(self.folder))
        result = self.compile(network, "-o", self.output, "--write-yaml", self.path("w.yaml"), *arguments, code=BAD_INPUT)
        self.assertIn(message, result.stderr)
        self.assertEqual(set(os.listdir(self.folder)), before)

    def test_refusals_write_nothing(self):
        self.refuse("layers:\n  - kernelsize: 3x3\n", "bad.yaml:2: layer 0: unknown key 'kernelsize'; did you mean "
                    "'kernel_size'?")
        self.refuse("layers:\n  - {in_channels: 3, in_dim: [4000, 2]}\n",
                    "bad.yaml:2: layer 0: 4000 rows with padding: 4002 are counted, at most 1024 are possible")
        self.refuse("layers:\n  - {in_channels: 3, in_dim: [4, 4]}\n", "", "--weights", self.path("missing.h5"))
        self.refuse("layers:\n  - {in_channels: 7, in_dim: [4, 4]}\n", "channels", "--weights",
                    self.hdf5())
        self.refuse(":\n- [", "bad.yaml:")

    def test_damaged_weights_files(self):
        for suffix, content in (("h5", b"\x89HDF\r\n\x1a\nnothing"), ("npz", b"PK\x03\x04nothing"),
                                ("npy", b"\x93NUMPY\x01\x00\xff\xff{"), ("npy", b"")):
            path = self.path("bad." + suffix)
            with open(path, "wb") as file:
                file.write(content)
            result = self.compile(self.network, "--weights", path, "-o", self.output, code=BAD_INPUT)
            self.assertIn(path, result.stderr)
            self.assertFalse(os.path.exists(self.output))

    def test_weights_that_do_not_fit(self):
        with h5py.File(self.path("w.h5"), "w") as file:
            file["weights/0/weight"] = numpy.full((4, 3, 3, 3), 100, "i2") * 2
            file["weights/1/weight"] = self.weights[1]
        result = self.compile(self.network, "--weights", self.path("w.h5"), "-o", self.output, code=BAD_INPUT)
        self.assertIn("net.yaml:3: layer 0 (first): weight 200", result.stderr)

    def test_usage(self):
        self.assertEqual(ai8xsim("compile").returncode, USAGE)
        self.assertEqual(ai8xsim("compile", self.network, "--part", "MAX1").returncode, USAGE)
        self.assertEqual(ai8xsim("compile", self.network, "--random", "x").returncode, USAGE)
        self.assertEqual(ai8xsim("compile", "--help").returncode, OK)

    def test_unwritable_output(self):
        self.compile(self.write("s.yaml", SHAPES), "-o", self.path("no", "such", "folder.h5"), code=RESOURCES)


if __name__ == "__main__":
    unittest.main()
