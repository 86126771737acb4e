"""Network descriptions as users have them: what is left out follows, what no part can do is refused at its edge."""
import os
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]
MODELS = os.path.join(os.environ["AI8XSIM_SOURCE"], "models")

OK, BAD_INPUT = 0, 3


class Descriptions(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, layers, name="net.yaml", top=""):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(top + "arch: t\ndataset: t\nlayers:\n" + "".join(f"  - {layer}\n" for layer in layers))
        return self.path(name)

    def ai8xsim(self, *arguments):
        return subprocess.run([AI8XSIM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False, timeout=120)

    def compile(self, layers, *options, random=True):
        seed = ("--random", 1) if random else ()
        return self.ai8xsim("compile", self.write(layers), "-o", self.path("p.h5"), *seed, *options)

    def channels(self, layers, *options):
        """Output channels of all layers."""
        result = self.compile(layers, *options)
        self.assertEqual(result.returncode, OK, result.stderr)
        with h5py.File(self.path("p.h5")) as file:
            return [int(file[f"layers/{n}"].attrs["output_channels"]) for n in range(len(layers))]

    def refused(self, layers, text, *options):
        result = self.compile(layers, *options)
        self.assertEqual(result.returncode, BAD_INPUT, result.stderr + result.stdout)
        self.assertIn(text, result.stderr)

    def accepted(self, layers, *options):
        """Compiles, and the program puts out what the golden model says."""
        result = self.compile(layers, *options)
        self.assertEqual(result.returncode, OK, result.stderr)
        run = self.ai8xsim("run", "--engine", "exact", self.path("p.h5"))
        self.assertEqual(run.returncode, OK, run.stdout + run.stderr)
        return result.stderr

    # --- What is left out -------------------------------------------------------------------------------------

    def test_channels_follow_from_maps(self):
        self.assertEqual(self.channels([
            "{in_dim: [8, 8], processors: 0x7}",
            "{processors: 0xff, output_processors: 0xffff, out_offset: 0x2000}",
            "{processors: 0xffff, out_offset: 0x1000}",
            "{op: passthrough, processors: 0xfff, out_offset: 0x2000, output_processors: 0xfff}",
            "{processors: 0xfff, out_channels: 5, out_offset: 0x1000}"]), [8, 16, 12, 12, 5])

    def test_channels_follow_through_joins(self):
        # An operand without a map has the channels of its reader's processors, the next layer in between or not.
        self.assertEqual(self.channels([
            "{name: a, in_dim: [8, 8], processors: 0xffff, output_processors: 0xffffffff, out_offset: 0x2004, write_gap: 1}",
            "{name: b, in_sequences: input, in_offset: 0, processors: 0xffff, out_offset: 0x2000, write_gap: 1}",
            "{in_sequences: [b, a], in_offset: 0x2000, processors: 0xffffffff, out_offset: 0, eltwise: add}"]), [32, 32, 32])
        # The part of a concatenation that has no map of its own is what is left of the whole.
        self.assertEqual(self.channels([
            "{name: a, in_dim: [8, 8], processors: 0xf, output_processors: 0xff, out_offset: 0x2000}",
            "{name: b, in_sequences: input, in_offset: 0, processors: 0xf, output_processors: 0xfff00, out_offset: 0x2000}",
            "{in_sequences: [a, b], in_offset: 0x2000, processors: 0xfffff, out_offset: 0, out_channels: 3}"]), [8, 12, 3])

    def test_channels_of_several_passes(self):
        # A map of 36 processors or more fits several counts: the message says which was taken, groups decide.
        layers = ["{in_dim: [4, 4], processors: 0xf, out_offset: 0x2000}",
                  "{processors: 0xfffffffffffffff, out_channels: 4, out_offset: 0}"]
        result = self.compile(layers)
        self.assertIn("assumed one pass: 60 output channels from its reader's processors", result.stdout)
        self.assertIn("120, 180", result.stdout)
        self.assertEqual(self.channels(
            ["{in_dim: [4, 4], processors: 0xf, out_offset: 0x2000}",
             "{processors: 0xfffffffffffffff, groups: 120, out_offset: 0x1000}",
             "{processors: 0xfffffffffffffff, out_channels: 4, out_offset: 0}"], "--part", "MAX78002"), [120, 120, 4])

    def test_questions(self):
        """What nothing tells is asked for, with the line to add; no layer is assumed to have one channel."""
        self.refused(["{processors: 0x7}"], "how large is the input? Give --input-shape 3xROWSxCOLUMNS")
        self.refused(["{op: conv1d, processors: 0xff}"], "add 'in_dim: [LENGTH, 1]'")
        self.refused(["{in_dim: [4, 4]}"], "how many channels does the input have? Add 'in_channels: N'")
        self.refused(["{in_channels: 1, in_dim: [4, 4]}", "{out_channels: 2}"],
                     "net.yaml:4: layer 0: how many channels does this layer put out?")
        self.refused(["{in_channels: 1, in_dim: [4, 4], name: last}"], "layer 0 (last): how many channels")

    def test_messages_name_the_layer(self):
        self.refused(["{in_dim: [4, 4], processors: 1}", "{name: two, kernel_size: 5x5, processors: 1}"],
                     "net.yaml:5: layer 1 (two): key 'kernel_size'")
        self.refused(["{in_dim: [4, 4], processors: 1, kernelsize: 3x3}"], "layer 0: unknown key 'kernelsize'")
        self.refused(["{in_dim: [4, 4], processors: 1, sequence: 7, pad: x}"], "layer 7: key 'pad'")
        result = self.compile(["{in_dim: [4, 4], processors: 1}"], "--weights", self.path("none.h5"))
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertIn("No such file or directory", result.stderr)

    def test_misspelt_references(self):
        net = ["{name: alpha, in_dim: [4, 4], in_channels: 1, out_channels: 1}", "{name: beta, out_channels: 1, in_sequences: %s}"]
        self.refused([net[0], net[1] % "alpah"], "net.yaml:5: layer 1 (beta): key 'in_sequences': expected the number or name of a layer "
                     "(did you mean 'alpha'?), found 'alpah'")
        told = self.compile([net[0], net[1] % "gamma_ray"]).stderr
        self.assertIn("layer 1 (beta): key 'in_sequences'", told)
        self.assertNotIn("did you mean", told)
        self.refused(["{name: a, in_dim: [4, 4], in_channels: 1, buffer_shift: 2}"], "net.yaml:4: layer 0 (a): key 'buffer_shift'")

    def test_advice_to_stream_what_does_not_fit(self):
        """The layers that the message names, and no fewer, make a program that runs."""
        net = ["{in_channels: 3, in_dim: [160, 120], out_channels: 8, max_pool: 2, pool_stride: 2%s}", "{out_channels: 8, pad: 1%s}",
               "{out_channels: 8, max_pool: 4, pool_stride: 4}"]
        large = ["{in_channels: 3, in_dim: [160, 120], out_channels: 8%s}", "{out_channels: 8, max_pool: 2, pool_stride: 2%s}", net[2]]
        wide = ["{in_channels: 3, in_dim: [200, 200], out_channels: 8%s}", large[1], net[2]]
        streaming = ", streaming: true"
        for layers, part, told, counts in (
                (net, "MAX78000", "with 'streaming: true' in layer 0 it fits", (1, 0)),
                (large, "MAX78000", "with 'streaming: true' in layers 0 and 1 it fits", (1, 1)),
                (wide, "MAX78002", "with 'streaming: true' in layers 0 and 1 it fits", (1, 1))):
            with self.subTest(told=told, part=part):
                plain = [layers[0] % "", layers[1] % "", layers[2]]
                self.refused(plain, told, "--part", part)
                self.assertIn("data memory is exhausted", self.compile(plain, "--part", part).stderr)
                self.accepted([layer % (streaming * n) for layer, n in zip(layers, counts)] + [layers[2]], "--part", part)
        self.refused([large[0] % "", large[1] % "", net[2]], "streaming or earlier pooling help)\n", "--part", "MAX78000",
                     "--ignore-streaming")
        whole = ["{in_channels: 3, in_dim: [160, 120], out_channels: 8, processors: 7, output_processors: 0xff, out_offset: 0x4000}"]
        self.refused(whole, "an instance of 0x8000 bytes has no room for both")

    def test_linear_on_an_image(self):
        """As the vendor's generator: at each pixel. It is told, because mostly all pixels are meant."""
        net = "{in_channels: 36, in_dim: [%d, %d], op: linear, out_channels: 8%s}"
        told = "linear without 'flatten: true' is computed at each of the 3x3 pixels by itself"
        self.assertIn(told, self.accepted([net % (3, 3, "")]))
        self.assertIn(told, self.accepted([net % (3, 3, ", flatten: false")]))
        self.assertNotIn("linear", self.accepted([net % (3, 3, ", flatten: true")]))
        self.assertNotIn("linear", self.accepted([net % (1, 1, "")]))

    def test_single_array_of_a_linear_layer(self):
        """Its first dimension counts layers, as for convolutions; or there is none."""
        weights = numpy.random.default_rng(3).integers(-128, 128, (8, 4))
        programs = []
        for array in weights, weights[None], weights[:, :, None, None], weights[None, :, :, None, None]:
            numpy.save(self.path("w.npy"), array)
            result = self.compile(["{in_channels: 4, in_dim: [1, 1], op: linear, out_channels: 8}"], "--weights", self.path("w.npy"))
            self.assertEqual(result.returncode, OK, result.stderr)
            with open(self.path("p.h5"), "rb") as file:
                programs.append(file.read())
        self.assertEqual(programs, programs[:1] * 4)

    def test_misspelt_words(self):
        for line, message in (("op: conv3d", "key 'op': expected one of conv2d"), ("op: conv3d", "(did you mean 'conv2d'?), found 'conv3d'"),
                              ("operation: passthru", "(did you mean 'passthrough'?)"), ("op: Convtranspose", "'convtranspose2d'?)"),
                              ("op: bitwisexr", "or, xor"), ("eltwise: ad", "(did you mean 'add'?), found 'ad'"),
                              ("activate: rleu", "(did you mean 'relu'?), found 'rleu'"), ("data_format: litle", "(did you mean 'little'?)"),
                              ("op: passthrough, kernel_size: three", "a size such as 3x3, or a length, found 'three'"),
                              ("in_sequences: inptu", "(did you mean 'input'?), found 'inptu'"),
                              ("next_sequence: stpo", "(did you mean 'stop'?), found 'stpo'")):
            with self.subTest(line=line):
                self.refused(["{in_dim: [4, 4], in_channels: 1, %s}" % line], message)
        told = self.compile(["{in_dim: [4, 4], in_channels: 1, op: dense}"]).stderr
        self.assertNotIn("did you mean", told)

    def test_misspelt_sweeps(self):
        self.write(["{name: alpha, in_dim: [8, 8], in_channels: 4, out_channels: 4}"])
        for text, message in (("parametrs:\n  0.pad: [0, 1]\n", "sweep.yaml:2: unknown key 'parametrs'"),
                              ("parameters:\n  0.padd: [0, 1]\n", "unknown key 'padd' in '0.padd'; did you mean 'pad'?"),
                              ("parameters:\n  alpa.pad: [0, 1]\n", "no layer for 'alpa.pad'"),
                              ("parameters:\n  both:\n    set: [0.pad, 0.kernelsize]\n    values: [0, 3x3]\n", "unknown key 'kernelsize'")):
            with open(self.path("sweep.yaml"), "w", encoding="utf-8") as file:
                file.write("network: net.yaml\n" + text)
            result = self.ai8xsim("sweep", self.path("sweep.yaml"))
            self.assertEqual(result.returncode, BAD_INPUT, text)
            self.assertIn(message, result.stderr)

    def test_named_files(self):
        """Weights and sample of a description are found beside it, and give way to options."""
        numpy.save(self.path("w.npy"), numpy.ones((1, 2, 3, 3, 3), dtype=int))
        numpy.save(self.path("s.npy"), numpy.full((3, 4, 4), 5))
        net = self.write(["{op: conv2d}"], top="weights: w.npy\ninput: s.npy\n")
        result = self.ai8xsim("golden", net, "--npy", self.path("out"))
        self.assertEqual(result.returncode, OK, result.stderr)
        numpy.save(self.path("t.npy"), numpy.full((3, 6, 6), 5))
        result = self.ai8xsim("profile", net, "--input", self.path("t.npy"))
        self.assertEqual(result.returncode, OK, result.stderr)
        missing = self.write(["{op: conv2d}"], top="weights: none.npy\n")
        result = self.ai8xsim("profile", missing)
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertIn("net.yaml:1: key 'weights'", result.stderr)
        self.assertIn("No such file or directory", result.stderr)
        # What the vendor's generator calls its test data is no file.
        word = self.write(["{in_dim: [4, 4], processors: 1, out_channels: 2}"], top="weights: some_test\n")
        self.assertEqual(self.ai8xsim("profile", word).returncode, OK)

    def test_input_shape(self):
        """One option for every command that takes a description as generators have it."""
        net = self.write(["{processors: 0x7, out_offset: 0x2000, output_processors: 0xf}"])
        spec = self.path("sweep.yaml")
        with open(spec, "w", encoding="utf-8") as file:
            file.write("network: net.yaml\nparameters:\n  0.pad: [0, 1]\n")
        commands = (("compile", net, "--random", 1, "-o", self.path("p.h5")), ("profile", net), ("golden", net, "--random", 1),
                    ("check", net), ("map", net), ("sweep", spec))
        for command in commands:
            with self.subTest(command=command[0]):
                result = self.ai8xsim(*command, "--input-shape", "3x12x10")
                self.assertEqual(result.returncode, OK, result.stderr)
                if command[0] != "sweep":
                    self.assertEqual(self.ai8xsim(*command).returncode, BAD_INPUT)
        with h5py.File(self.path("p.h5")) as file:
            self.assertEqual(file["layers/0"].attrs["input_dim"].tolist(), [12, 10])
        self.assertIn("4 channels in 1 pass need 4", self.ai8xsim("profile", net, "--input-shape", "4x12x10").stderr)
        for text in ("3", "3x", "0x4x4", "3x4x4x4", "3xfour", "3x99999999"):
            self.assertEqual(self.ai8xsim("profile", net, "--input-shape", text).returncode, 2, text)
        line = self.write(["{op: conv1d, processors: 0xf, out_offset: 0x2000, output_processors: 0xf}"])
        self.assertEqual(self.ai8xsim("profile", line, "--input-shape", "4x100").returncode, OK)

    def test_shipped_networks_need_no_option(self):
        """And their programs are what today's compiler makes of them."""
        def contents(path):
            found = {}
            with h5py.File(path) as file:
                file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
            return found

        for name in ("digits", "keywords", "mobile", "segmentation", "wide"):
            net = os.path.join(MODELS, name, name + ".yaml")
            with self.subTest(network=name):
                for command in ("profile", "golden", "map", "check"):
                    result = self.ai8xsim(command, net)
                    self.assertEqual(result.returncode, OK, result.stderr)
                    self.assertNotIn("assumed", result.stderr)
                self.assertEqual(self.ai8xsim("compile", net, "-o", self.path("p.h5")).returncode, OK)
                made, shipped = contents(self.path("p.h5")), contents(os.path.join(MODELS, name, name + ".h5"))
                self.assertEqual(made.keys(), shipped.keys())
                for key, value in made.items():
                    numpy.testing.assert_array_equal(value, shipped[key], key)

    # --- Order ------------------------------------------------------------------------------------------------

    def test_layers_read_what_ran_before(self):
        layer = "{processors: 0xf, output_processors: 0xf, in_dim: [8, 8], out_offset: %s, next_sequence: %s}"
        self.accepted([layer % ("0x2000", 2), layer % ("0x0", "stop"), layer % ("0x4000", 1)], "--part", "MAX78002")
        with h5py.File(self.path("p.h5")) as file:
            numpy.testing.assert_array_equal(file["layers/1"].attrs.get("inputs", [2]), [2])
        self.accepted([layer % ("0x2000", 2), layer % ("0x4000", 2), layer % ("0x0", "stop")], "--part", "MAX78002")

    # --- Edges ------------------------------------------------------------------------------------------------

    def test_sides_end_where_the_counters_end(self):
        line = "{op: conv1d, in_dim: [%d, 1], processors: 1, out_channels: 4, kernel_size: 3, pad: %d, out_offset: 0x2000}"
        for part, side in (("MAX78000", 1024), ("MAX78002", 2048)):
            self.accepted([line % (side, 0)], "--part", part)
            self.refused([line % (side + 1, 0)], f"at most {side} are possible", "--part", part)
        self.accepted([line % (1022, 1)])
        self.refused([line % (1023, 1)], "1025 are counted")
        self.accepted([line % (2048, 1)], "--part", "MAX78002")
        wide = "{in_dim: [2, %d], processors: 1, out_channels: 4, pad: 1, out_offset: 0x4000}"
        self.accepted([wide % 1022])
        self.refused([wide % 1023], "1023 columns with padding")
        transposed = ("{op: convtranspose2d, kernel_size: 3x3, in_dim: [%d, 2], processors: 1, out_channels: 4, pad: 1, "
                      "out_offset: 0x4000}")
        self.accepted([transposed % 511])
        self.refused([transposed % 512], "512 rows with zeros between them with padding: 1026")

    def test_a_part_of_a_description(self):
        net = ["{in_dim: [8, 8], in_channels: 4, out_channels: 8, processors: 0xf, output_processors: 0xff, out_offset: 0x2000}",
               "{out_channels: 4, processors: 0xff, output_processors: 0xf, out_offset: 0x4000}",
               "{name: s, in_dim: [8, 8], out_channels: 6, processors: 0xf, output_processors: 0x3f, out_offset: 0x6000}",
               "{weight_source: s, in_channels: 4, in_sequences: 1, in_offset: 0x4000, out_channels: 6, processors: 0xf, "
               "output_processors: 0x3f, out_offset: 0x7000}"]

        def layers():
            with h5py.File(self.path("p.h5")) as file:
                return sorted((int(n), int(file[f"layers/{n}"].attrs["hw_layer"])) for n in file["layers"])
        self.accepted(net, "--stop-after", 1)
        self.assertEqual(layers(), [(0, 0), (1, 1)])
        self.accepted(net[:3], "--part", "MAX78002", "--start-layer", 2, "--input-shape", "4x8x8")
        self.assertEqual(layers(), [(2, 2)])
        self.accepted(net[:3], "--part", "MAX78002", "--start-layer", 1, "--stop-after", 1, "--input-shape", "8x8x8", "--weight-start", 40)
        self.assertEqual(layers(), [(1, 1)])
        with h5py.File(self.path("p.h5")) as file:
            self.assertGreaterEqual(file["layers/1"].attrs["kernel_offset"], 40)
        self.refused(net[:3], "start-layer does not exist (limit of the MAX78000)", "--start-layer", 2)
        self.refused(net, "reads layer 1, which start-layer leaves out", "--part", "MAX78002", "--start-layer", 2)
        self.refused(net, "stop-after 9: there is no such layer", "--stop-after", 9)
        self.refused(net, "weight-start 800: a processor has 768 kernel words", "--weight-start", 800)

    def test_no_bias(self):
        net = ["{in_dim: [4, 4], in_channels: 4, out_channels: 4, processors: 0xf, output_processors: 0xf, out_offset: 0x2000}",
               "{out_channels: 4, processors: 0xf, output_processors: 0xf, out_offset: 0x0}"]
        for layers, wanted in (("all", [0, 0]), ("1", [1, 0]), ("0,1", [0, 0]), ("0", [0, 1])):
            self.accepted(net, "--no-bias", layers)
            with h5py.File(self.path("p.h5")) as file:
                self.assertEqual([int(file[f"layers/{n}"].attrs["bias"]) for n in range(2)], wanted)
        self.refused(net, "there is no such layer", "--no-bias", "2")
        self.assertIn("expected numbers of layers", self.compile(net, "--no-bias", "x").stderr)

    def test_one_shot(self):
        """Every layer but the last is waited for and continued."""
        net = ["{in_dim: [8, 8], in_channels: 4, out_channels: 8, processors: 0xf, output_processors: 0xff, out_offset: 0x2000}",
               "{op: passthrough, max_pool: 2, pool_stride: 2, processors: 0xff, output_processors: 0xff, out_offset: 0x0}",
               "{out_channels: 4, processors: 0xff, output_processors: 0xf, out_offset: 0x2000}"]
        for part in ("MAX78000", "MAX78002"):
            self.accepted(net, "--one-shot", "--part", part)
            with h5py.File(self.path("p.h5")) as file:
                operations = file["program"][:]
            waits = [op for op in operations if op["kind"] == 1 and op["mask"] == 1 << 12]
            self.assertEqual(len(waits), 2)
        self.refused(["{in_dim: [8, 8], in_channels: 4, out_channels: 4, processors: 0xf, output_processors: 0xf, streaming: true, "
                      "out_offset: 0x2000}", "{out_channels: 4, processors: 0xf, out_offset: 0x0}"], "one-shot runs them one by one", "--one-shot")

    def test_output_over_input(self):
        """In place works only after the reads; the message names an offset that works."""
        net = "{in_dim: [16, 16], processors: 0x111, data_format: CHW, out_channels: 4, output_processors: 0xf%s}"
        result = self.compile([net % ""])
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertIn("layer 0: writes its output over its own input before having read it", result.stderr)
        self.accepted([net % ", out_offset: 0x100"])
        same = "{in_dim: [8, 8], in_channels: 4, out_channels: 4, processors: 0xf, output_processors: 0xf, %s}"
        self.accepted([same % "kernel_size: 1x1, pad: 0, out_offset: 0"])
        self.accepted([same % "out_offset: 0"])
        self.refused([same % "out_offset: 0x40"], "before having read it, first with output pixel")
        self.accepted([same % "in_offset: 0x400, out_offset: 0x3dc"])
        self.accepted(["{op: passthrough, max_pool: 2, pool_stride: 2, in_dim: [8, 8], in_channels: 4, processors: 0xf, "
                       "output_processors: 0xf, out_offset: 0}"])
        self.refused(["{op: convtranspose2d, kernel_size: 3x3, in_dim: [8, 8], in_channels: 4, out_channels: 4, processors: 0xf, "
                      "output_processors: 0xf, out_offset: 0}"], "before having read it")

    def test_limits_of_fields(self):
        """Each at the last value that is possible, run on the exact engine, and at the first that is not."""
        def both(line, last, first, text, *options):
            self.accepted([line % last], *options)
            self.refused([line % first], text, *options)
        for part in ("MAX78000", "MAX78002"):
            to = ("--part", part)
            chan = ("{in_dim: [1, 1], in_channels: %d, kernel_size: 1x1, pad: 0, out_channels: 1, out_offset: 0x2000}")
            both(chan, 1024, 1025, "at most 1024 are possible", *to)
            out = ("{in_dim: [1, 1], in_channels: 1, kernel_size: 1x1, pad: 0, out_channels: %d, out_offset: 0x2000}")
            both(out, 1024, 1025, "at most 1024 are possible", "--no-bias", "all", *to)
            flat = "{op: mlp, flatten: true, in_dim: [16, %d], processors: 0xf, out_channels: 2, out_offset: 0x4000}"
            both(flat, 16, 17, "flatten takes at most 256 pixels", *to)
            pool = "{op: passthrough, max_pool: [%d, 1], pool_stride: 1, in_dim: [20, 4], in_channels: 4, processors: 0xf, output_processors: 0xf, out_offset: 0x2000}"
            both(pool, 16, 17, "expected", *to)
            stride = "{op: passthrough, max_pool: [2, 2], pool_stride: %d, in_dim: [20, 20], in_channels: 4, processors: 0xf, output_processors: 0xf, out_offset: 0x2000}"
            both(stride, 16, 17, "expected", *to)
            shift = ("{in_dim: [4, 4], in_channels: 1, out_channels: 1, processors: 1, output_processors: 1, out_offset: 0x2000, "
                     "quantization: 4, output_shift: %d}")
            both(shift, 11, 12, "output_shift 12: -19 to 11 are possible with 4-bit weights", *to)
            both(shift, -19, -20, "output_shift -20", *to)
            operands = ("{op: add, operands: %d, in_dim: [2, 2], in_channels: 1, processors: 1, output_processors: 1, out_offset: 0x2000}")
            both(operands, 16, 17, "expected", *to)
            words = 32768 if part == "MAX78000" else 81920
            offset = "{in_dim: [1, 1], in_channels: 1, out_channels: 1, kernel_size: 1x1, pad: 0, processors: 1, output_processors: 1, out_offset: 0x%x}"
            both(offset, words - 4, words, "lies past the end", *to)
        gap = ("{in_dim: [1, 1], in_channels: 1, out_channels: 1, kernel_size: 1x1, pad: 0, processors: 1, output_processors: 1, "
               "out_offset: 0x2000, write_gap: %d}")
        both(gap, 15, 16, "write_gap 16: at most 15")
        both(gap, 255, 256, "write_gap 256: at most 255", "--part", "MAX78002")
        dilated = ("{op: passthrough, max_pool: [2, 1], pool_dilation: [%d, 1], pool_stride: 1, in_dim: [40, 4], in_channels: 4, "
                   "processors: 0xf, output_processors: 0xf, out_offset: 0x2000}")
        both(dilated, 15, 16, "spans more than 16 rows", "--part", "MAX78002")

    def test_layers_end_where_register_sets_end(self):
        layer = "{in_channels: 1, out_channels: 1, kernel_size: 1x1, pad: 0, processors: 1, output_processors: 1, out_offset: 0x%x%s}"
        for part, most in (("MAX78000", 32), ("MAX78002", 128)):
            net = [layer % (0x1000 if n % 2 == 0 else 0, ", in_dim: [2, 2]" if n == 0 else "") for n in range(most + 1)]
            self.accepted(net[:most], "--part", part)
            self.refused(net, f"{most + 1} layers: the {part} has {most}", "--part", part)

    def test_bias_after_an_element_wise_operation(self):
        net = ["{in_dim: [4, 4], in_channels: 4, operands: 2, eltwise: add, out_channels: 4, processors: 0xf, out_offset: 0x2000}"]
        numpy.save(self.path("b.npy"), numpy.ones((1, 4), dtype=int))
        self.refused(net, "has no bias", "--part", "MAX78002", "--bias", self.path("b.npy"))
        self.accepted(net, "--bias", self.path("b.npy"))
        numpy.save(self.path("b.npy"), numpy.zeros((1, 4), dtype=int))
        self.accepted(net, "--part", "MAX78002", "--bias", self.path("b.npy"))
        self.accepted(net, "--part", "MAX78002")

    def test_read_ahead_needs_two_blocks(self):
        net = "{in_dim: [8, 8], processors: 0xf, output_processors: 0xf, out_offset: %s, readahead: true}"
        self.refused([net % "0x3ffc"], "different 16 KiB blocks", "--part", "MAX78002")
        self.accepted([net % "0x4000"], "--part", "MAX78002")

    def test_rings(self):
        layer = "{processors: 0xf, output_processors: 0xf, out_offset: %s%s}"
        first = "{in_dim: [8, 8], processors: 0xf, output_processors: 0xf, streaming: true, out_offset: 0x2000}"
        told = self.accepted([first, layer % ("0x0", ", streaming: true"), layer % ("0x4000", "")], "--fifo")
        self.assertIn("layer 1: its output takes bytes 0x0 to", told)
        self.assertIn("over the ring of streaming layer 0", told)
        told = self.accepted([first, layer % ("0x4000", ", streaming: true"), layer % ("0x6000", "")], "--fifo")
        self.assertNotIn("ring", told)

    def test_fifo_outside_group_0(self):
        for other in ("0xf", "0xf0000"):
            self.refused([f"{{in_dim: [8, 8], processors: 0xf0000, output_processors: {other}, out_offset: 0x2000}}",
                          f"{{processors: {other}, output_processors: {other}, out_offset: 0}}"],
                         "none of which is in group 0", "--fifo")
        self.accepted(["{in_dim: [8, 8], processors: 0xf000f, output_processors: 0xf0000, out_offset: 0x2000}",
                       "{processors: 0xf0000, output_processors: 0xf0000, out_offset: 0}"], "--fifo")

    def test_input_read_again(self):
        """An input of the FIFO in CHW format lies as that of memory does: layers that read it otherwise are warned."""
        net = ["{in_dim: [8, 8], processors: 0x1, output_processors: 0xf0, out_offset: 0x2000, data_format: CHW}",
               "{in_sequences: -1, in_offset: 0, processors: 0x1, output_processors: 0xf0, out_offset: 0x3000}"]
        warnings = [self.compile(net, *options).stderr for options in ((), ("--fifo",))]
        self.assertIn("layer 1: reads channel 0, pixel 1 of the network's input", warnings[0])
        self.assertEqual(warnings[0], warnings[1])

    def test_transposed_with_stride(self):
        told = self.accepted(["{op: convtranspose2d, kernel_size: 3x3, max_pool: 2, pool_stride: 2, in_dim: [8, 8], "
                              "processors: 0xf, out_channels: 4, out_offset: 0x2000}"])
        self.assertIn("no known program decides", told)

    def test_bias_group_of_depth_wise_layers(self):
        self.refused(["{in_dim: [8, 8], processors: 0xff, groups: 8, bias_group: 0, out_offset: 0x2000}"], "bias_group",
                     "--part", "MAX78002")

    def test_shift_of_shared_weights(self):
        net = ["{name: a, in_dim: [4, 4], in_channels: 4, out_channels: 4, output_shift: -2}",
               "{weight_source: a, output_shift: -3}"]
        result = self.compile(net)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertIn("output_shift -3 gives way to -2 of layer 0", result.stdout)
        with h5py.File(self.path("p.h5")) as file:
            self.assertEqual(file["layers/1"].attrs["output_shift"], -2)


if __name__ == "__main__":
    unittest.main()
