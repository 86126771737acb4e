"""Every limit of the compiler (lib/network/limits.c, target.c and what registers hold) at the last value that is possible and
the first that is not. The last one runs on the exact engine and gives what the golden model computes."""
import os
import pathlib
import subprocess
import tempfile
import unittest

AI8XSIM = os.environ["AI8XSIM"]
OK, USAGE, BAD_INPUT = 0, 2, 3
FIRST, SECOND = "MAX78000", "MAX78002"
BOTH = FIRST, SECOND

ONE = "in_channels: 1, out_channels: 1, op: conv2d, "
LINE = "in_channels: 1, out_channels: 1, op: conv1d, kernel_size: %d, pad: %d, in_dim: %d"
FOLD = "in_channels: 1, out_channels: 1, op: conv1d, kernel_size: 2, pad: 0, dilation: %d, in_dim: %d"
UP = "in_channels: 1, out_channels: 1, op: convtranspose2d, pad: %d, in_dim: [%d, %d]"
POINT = "in_channels: %d, in_dim: [2, 2], out_channels: %d, op: conv2d, kernel_size: 1x1, pad: 0"
NEXT = "op: conv2d, kernel_size: 1x1, pad: 0, out_channels: %d"
PASS = "in_channels: %d, in_dim: [%d, %d], op: passthrough, "
PLACED = "in_channels: 4, op: conv2d, kernel_size: 1x1, pad: 0, out_channels: 4, processors: 0xf, output_processors: 0xf0, "
STREAM = "in_channels: 1, out_channels: %d, op: conv2d, streaming: true, "
STREAMS = "out_channels: 1, op: conv2d, streaming: true"


def layers(*lines):
    """A description."""
    return "layers:\n" + "".join(f"  - {{{line}}}\n" for line in lines)


def row(what, parts, last, first, words, *options):
    """A row for each part. last, first: a layer, or several."""
    pair = [layers(*([side] if isinstance(side, str) else side)) for side in (last, first)]
    return [(what, part, *pair, words, options) for part in ([parts] if isinstance(parts, str) else parts)]


def sides():
    """Rows and columns: what the counters hold."""
    for pad in 0, 1, 2:
        most = 1024 - 2 * pad
        dims = ONE + "pad: %d, in_dim: [%d, %d]"
        yield from row(f"rows, pad {pad}", FIRST, dims % (pad, most, 3), dims % (pad, most + 1, 3), "rows")
        yield from row(f"columns, pad {pad}", FIRST, dims % (pad, 3, most), dims % (pad, 3, most + 1), "columns")
        yield from row(f"rows, pad {pad}", SECOND, dims % (pad, 2048, 3), dims % (pad, 2049, 3), "at most 2048")
        yield from row(f"columns, pad {pad}", SECOND, dims % (pad, 3, 2048), dims % (pad, 3, 2049), "at most 2048")
        most = (1024 - 2 * (2 - pad)) // 2
        yield from row(f"transposed, pad {pad}", FIRST, UP % (pad, most, 3), UP % (pad, most + 1, 3), "at most 1024")
        yield from row(f"transposed, pad {pad}", SECOND, UP % (pad, 3, 1024), UP % (pad, 3, 1025), "at most 2048")
    pool = ONE + "in_dim: [%d, 3], max_pool: [%d, 1], pool_stride: %d"
    yield from row("rows before pooling", FIRST, pool % (1022, 16, 1), pool % (1023, 16, 1), "at most 1024")
    yield from row("last window", SECOND, pool % (2063, 16, 1), pool % (2064, 16, 1), "up to the last window")
    yield from row("last window, stride", SECOND, pool % (2051, 3, 3), pool % (2052, 3, 3), "2050 are counted")
    yield from row("line", FIRST, LINE % (9, 0, 1024), LINE % (9, 0, 1025), "at most 1024")
    yield from row("line", SECOND, LINE % (9, 0, 2048), LINE % (9, 0, 2049), "at most 2048")
    yield from row("folded columns", FIRST, FOLD % (1022, 8000), FOLD % (1023, 8000), "1025 are counted, at most 1024")
    yield from row("folded rows", SECOND, FOLD % (9, 18432), FOLD % (9, 18433), "2049 folded rows")
    yield from row("folded columns", SECOND, FOLD % (2048, 16000), FOLD % (2049, 16000), "at most 2048")
    joined = PASS % (192, 341, 1) + "eltwise: add", PASS % (192, 342, 1) + "eltwise: add"
    yield from row("rows in the place of passes", FIRST, *joined, "counts 1026 rows, at most 1024")


def shapes():
    """Channels, windows, kernels."""
    yield from row("input channels", BOTH, POINT % (1024, 1), POINT % (1025, 1), "at most 1024")
    yield from row("output channels", SECOND, POINT % (1, 1024), POINT % (1, 1025), "at most 1024")
    yield from row("output channels", FIRST, POINT % (1, 1024), POINT % (1, 1025), "at most 1024", "--no-bias", "all")
    linear = "in_channels: %d, in_dim: [%d, %d], out_channels: 1, op: linear, flatten: true"
    yield from row("flattened pixels", BOTH, linear % (256, 16, 16), linear % (257, 1, 257), "at most 256")
    yield from row("flattened passes", BOTH, linear % (128 * 128, 16, 8), linear % (128 * 129, 3, 43), "at most 256")
    pool = ONE + "in_dim: [%d, %d], max_pool: %d, pool_stride: %d"
    yield from row("pooling window", BOTH, pool % (18, 18, 16, 2), pool % (20, 20, 17, 2), "1 to 16")
    yield from row("pooling stride", BOTH, pool % (36, 36, 2, 16), pool % (36, 36, 2, 17), "1 to 16")
    far = ONE + "in_dim: [36, 36], max_pool: 2, pool_stride: 2, pool_dilation: %d"
    yield from row("distance of samples", SECOND, far % 15, far % 16, "spans more than 16")
    yield from row("distance of samples", FIRST, far % 1, far % 2, "dilated pooling")
    adds = PASS % (2, 4, 4) + "eltwise: add, operands: %d"
    yield from row("operands", BOTH, adds % 16, adds % 17, "2 to 16")
    yield from row("operands before pooling", BOTH, adds % 2 + ", pool_first: false, max_pool: 2, pool_stride: 2",
                   adds % 3 + ", pool_first: false, max_pool: 2, pool_stride: 2", "two operands")
    pooled = "max_pool: 2, pool_stride: 2"
    yield from row("pooled passes", FIRST, PASS % (64, 4, 4) + pooled, PASS % (65, 4, 4) + pooled, "at most 1 pass")
    yield from row("pooled passes", SECOND, PASS % (1024, 4, 4) + pooled, PASS % (1025, 4, 4) + pooled, "16 passes")
    yield from row("length of a kernel", BOTH, LINE % (9, 0, 60), LINE % (10, 0, 60), "1 to 9")
    yield from row("pad of a line", BOTH, LINE % (9, 2, 60), LINE % (9, 3, 60), "pad 3: at most 2")
    yield from row("pad below the kernel", BOTH, LINE % (3, 2, 60), LINE % (2, 2, 60), "smaller than the kernel")
    yield from row("reach", BOTH, LINE % (5, 0, 60) + ", dilation: 2", LINE % (4, 0, 60) + ", dilation: 3", "at most 3")
    yield from row("padded reach", BOTH, LINE % (3, 2, 60) + ", dilation: 4", LINE % (3, 2, 60) + ", dilation: 5", "padding")
    passes = "in_channels: %d, out_channels: 2, op: conv1d, in_dim: 20, kernel_size: 3, pad: 1"
    yield from row("padded passes of a line", SECOND, passes % 64, passes % 65, "at most 64")


def values():
    """Arithmetic, gaps, and words that cannot be 0."""
    shift = ONE + "in_dim: [5, 5], quantization: %d, output_shift: %d"
    for bits in 8, 4, 2, 1:
        yield from row(f"shift left, {bits} bits", BOTH, shift % (bits, 7 + bits), shift % (bits, 8 + bits), "are possible")
        yield from row(f"shift right, {bits} bits", BOTH, shift % (bits, bits - 23), shift % (bits, bits - 24), "are possible")
    gap = ONE + "in_dim: [5, 5], write_gap: %d"
    yield from row("write gap", FIRST, gap % 15, gap % 16, "at most 15")
    yield from row("write gap", SECOND, gap % 255, gap % 256, "at most 255")
    yield from row("read gap", FIRST, POINT % (4, 4), POINT % (4, 4) + ", read_gap: 1", "read_gap does not exist")
    skip = "in_channels: %d, in_dim: [2, 1], out_channels: 4, op: conv2d, read_gap: %d"
    yield from row("read gap", SECOND, skip % (4, 20478), skip % (4, 20479), "20481 words")
    yield from row("read gap, placed", SECOND, skip % (4, 20478) + ", processors: 0xf, output_processors: 0xf0",
                   skip % (4, 20479) + ", processors: 0xf, output_processors: 0xf0", "reads past data memory")
    yield from row("read gap of passes", SECOND, skip % (64, 1), skip % (65, 1), "at most 64 channels")
    wide = ONE + "in_dim: [5, 5], output_width: 32"
    yield from row("activation", BOTH, wide, wide + ", activate: relu", "no activation")
    first = "in_channels: 3, in_dim: [4, 4], out_channels: %d, op: conv2d"
    binary = "out_channels: 8, op: conv2d, quantization: bin"
    yield from row("channels that are not there", SECOND, (first % 88, binary, NEXT % 4),
                   (first % 87, binary, NEXT % 4), "binary weights cannot be 0")


def memories():
    """Kernels, biases, data, layers."""
    yield from row("biases of a group", FIRST, POINT % (1, 512), POINT % (1, 513), "513 entries needed, group 0 has 512")
    many = [POINT % (64, 512)] + [NEXT % 512 + ", quantization: 1"] * 3
    one = POINT % (1, 1024) + ", bias_group: 0"
    two = NEXT % 1024 + ", quantization: 1, bias_group: 0"
    yield from row("biases of a group", SECOND, (one, two), (one, two, NEXT % 4 + ", bias_group: 0"), "group 0 has 0 free of 2048")
    whole = [POINT % (64, 1024)] + [NEXT % 1024 + ", quantization: 1"] * 7
    yield from row("biases", SECOND, whole, whole + [NEXT % 4], "bias memory is exhausted")
    yield from row("groups with biases", BOTH, POINT % (17, 4) + ", bias_group: 1", POINT % (4, 4) + ", bias_group: 3",
                   "groups that no layer uses")
    yield from row("groups", BOTH, POINT % (64, 4) + ", bias_group: [0, 3]", POINT % (64, 4) + ", bias_group: [0, 4]",
                   "an integer from 0 to 3")
    yield from row("biases", FIRST, many, many + [NEXT % 4], "bias memory is exhausted")
    full = "in_channels: 64, in_dim: [2, 2], op: conv2d, out_channels: 64"
    following = "op: conv2d, out_channels: %d"
    for part, count in (FIRST, 12), (SECOND, 64):
        chain = [full] + [following % 64] * (count - 1)
        yield from row("kernels", part, chain, chain + [following % 4], "kernel memory is exhausted")
    for part, rows, end in (FIRST, 1024, 0x8000), (SECOND, 2048, 0x14000):
        yield from row("image", part, PLACED + f"in_dim: [{rows}, {end // rows // 4}]",
                       PLACED + f"in_dim: [{rows // 16 + 1}, {end // rows * 4}]", f"(bytes 0x0 to 0x{end + end // rows * 16 - 1:x})")
        yield from row("in_offset", part, PLACED + f"in_dim: [2, 2], in_offset: {end - 16:#x}",
                       PLACED + f"in_dim: [2, 2], in_offset: {end - 12:#x}", "in_offset")
        yield from row("out_offset", part, PLACED + f"in_dim: [2, 2], out_offset: {end - 16:#x}",
                       PLACED + f"in_dim: [2, 2], out_offset: {end - 12:#x}", "out_offset")
        yield from row("in_offset at the end", part, PLACED + f"in_dim: [1, 1], in_offset: {end - 4:#x}",
                       PLACED + f"in_dim: [1, 1], in_offset: {end:#x}", "past the end of a data memory instance")
    for part, count in (FIRST, 32), (SECOND, 128):
        chain = [ONE + "in_dim: [3, 3]"] + ["op: conv2d, out_channels: 1"] * (count - 1)
        yield from row("layers", part, chain, chain + ["op: conv2d, out_channels: 1"], f"has {count}")


def streams():
    """Layers that stream, FIFOs."""
    first = STREAM % 1 + "in_dim: [20, 20]"
    plain = "out_channels: 1, op: conv2d"
    yield from row("streaming layers", BOTH, [first] + [STREAMS] * 7 + [plain], [first] + [STREAMS] * 8 + [plain], "first 8")
    passes = STREAM % 896, STREAM % 897
    small = "in_dim: [12, 12], quantization: 1"
    yield from row("passes before a layer", BOTH, (passes[0] + small, STREAMS + ", quantization: 1", STREAMS),
                   (passes[1] + small, STREAMS + ", quantization: 1", STREAMS), "at most 15", "--no-bias", "all")
    chw = STREAM % 1 + "data_format: CHW, in_dim: [40, 1022], max_pool: [%d, 2], pool_stride: 16"
    yield from row("first word", FIRST, chw % 4, chw % 5, "at most 16383")
    ring = STREAM % 1 + "in_dim: [40, %d], max_pool: [3, 2], pool_stride: 16"
    yield from row("ring", FIRST, ring % 1021, ring % 1022, "8192 words")
    ring = STREAM % 1 + "in_dim: [40, 2046], max_pool: 2, pool_stride: %d"
    yield from row("ring", SECOND, ring % 5, ring % 6, "20480 words")
    step = STREAM % 1 + "in_dim: [40, %d]"
    pooled = STREAMS + ", max_pool: 2, pool_stride: 9"
    yield from row("step between rows", FIRST, (step % 509, pooled), (step % 510, pooled), "at most 4095")
    frame = STREAM % 1 + "in_dim: [%d, 1024], pad: 0, max_pool: [2, 16], pool_stride: 16"
    yield from row("frame of a FIFO", FIRST, (frame % 1023, STREAMS), (frame % 1024, STREAMS), "at most 1048575")
    frame = STREAM % 1 + "in_dim: [1024, %d], max_pool: 2, pool_stride: 4"
    pooled = STREAMS + ", max_pool: 2, pool_stride: 8"
    yield from row("frame", SECOND, (frame % 2047, pooled), (frame % 2048, pooled), "less than 2^21")


OUTPUT_MAP = layers("in_channels: 3, in_dim: [4, 4], out_channels: 4, op: conv2d") + "output_map: %s\n"


SNOOP = layers("in_channels: 3, in_dim: [4, 4], out_channels: 4, op: conv2d") + "snoop: [%s]\n"
START = ["in_channels: 4, in_dim: [4, 4], out_channels: 4, op: conv2d"] * 3
# Frames of a layer in the middle of a stream: rows x columns x 3 passes.
FRAME = ("in_channels: 1, in_dim: [%d, 902], out_channels: 129, op: conv2d, streaming: true",
         STREAMS + ", max_pool: 2, pool_stride: 5", STREAMS + ", max_pool: 2, pool_stride: 5")


class Edges(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def command(self, *arguments):
        return subprocess.run([AI8XSIM, *arguments], capture_output=True, text=True, cwd=self.folder, timeout=300, check=False)

    def compile(self, text, part, options):
        (self.folder / "n.yaml").write_text(text)
        return self.command("compile", "n.yaml", "--random", "1", "--part", part, "-o", "n.h5", *options)

    def hold(self, rows):
        for what, part, last, first, words, options in rows:
            with self.subTest(what=what, part=part):
                done = self.compile(last, part, options)
                self.assertEqual(done.returncode, OK, done.stderr)
                done = self.command("run", "--engine", "exact", "n.h5")
                self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
                done = self.compile(first, part, options)
                self.assertEqual(done.returncode, BAD_INPUT, done.stderr)
                self.assertIn(words, done.stderr)

    def test_output_map(self):
        done = self.compile(OUTPUT_MAP % "0x0f000000", FIRST, ())
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertIn("output_processors 0x000000000f000000", done.stdout)
        done = self.compile(OUTPUT_MAP % "0x3", FIRST, ())
        self.assertEqual(done.returncode, BAD_INPUT, done.stderr)
        self.assertIn("has 2 processors, but 4 channels", done.stderr)

    def test_snoop(self):
        done = self.compile(SNOOP % ", ".join(["0"] * 32), SECOND, ())
        self.assertEqual(done.returncode, OK, done.stderr)
        self.assertEqual(self.command("run", "--engine", "exact", "n.h5").returncode, OK)
        for part, count, words in ((SECOND, 31, "a list of 32"), (SECOND, 33, "a list of 32"), (FIRST, 32, "no snoop registers")):
            done = self.compile(SNOOP % ", ".join(["0"] * count), part, ())
            self.assertEqual(done.returncode, BAD_INPUT, done.stderr)
            self.assertIn(words, done.stderr)
        links = ONE + "in_dim: [3, 3], snoop_sequence: %d", "op: conv2d, out_channels: 1"
        self.hold(row("snoop_sequence", SECOND, (links[0] % 1, links[1]), (links[0] % 2, links[1]), "the number or name of a layer"))
        self.assertIn("snoop_sequence do not exist", self.compile(layers(links[0] % 1, links[1]), FIRST, ()).stderr)

    def test_start_layer(self):
        for first, part, words in ((2, SECOND, None), (3, SECOND, "no such layer (layers 0 to 2)"), (0, FIRST, None),
                                   (1, FIRST, "start-layer does not exist")):
            done = self.compile(layers(*START), part, ("--start-layer", str(first)))
            self.assertEqual(done.returncode, OK if words is None else BAD_INPUT, done.stderr)
            self.assertIn(words or "", done.stderr)
            if words is None:
                self.assertEqual(self.command("run", "--engine", "exact", "n.h5").returncode, OK)
        whole = layers(ONE + "in_dim: [3, 3]", *["op: conv2d, out_channels: 1"] * 126, ONE + "in_dim: [3, 3]")
        self.assertEqual(self.compile(whole, SECOND, ("--start-layer", "127")).returncode, OK)
        self.assertEqual(self.command("run", "--engine", "exact", "n.h5").returncode, OK)
        self.assertEqual(self.compile(whole, SECOND, ("--start-layer", "128")).returncode, USAGE)
        streams = layers(STREAM % 1 + "in_dim: [8, 8]", STREAM % 1 + "in_dim: [8, 8]", "op: conv2d, out_channels: 1")
        self.assertIn("layers can stream from layer 0 on only", self.compile(streams, SECOND, ("--start-layer", "1")).stderr)

    def test_switches(self):
        """Yes and no in every spelling of YAML 1.1, and nothing else."""
        net = "in_channels: 64, in_dim: [4, 4], out_channels: 64, op: conv2d, %s: %s"
        for key, part, second in (("streaming", FIRST, False), ("flatten", FIRST, False), ("output", FIRST, False), ("bypass", SECOND, True),
                                  ("calcx4", SECOND, True), ("readahead", SECOND, True), ("tcalc", SECOND, False)):
            for word in "false", "no", "off", "0", "False", "NO", "Off":
                self.assertEqual(self.compile(layers(net % (key, word)), part, ()).returncode, OK, (key, word))
            for word in "2", "-1", "ture", "[]", "''", "{a: 1}", "~":
                done = self.compile(layers(net % (key, word)), part, ())
                self.assertEqual(done.returncode, BAD_INPUT, (key, word))
                self.assertIn(f"key '{key}': expected true or false", done.stderr)
            if second:
                self.assertEqual(self.compile(layers(net % (key, "yes")), FIRST, ()).returncode, BAD_INPUT)
        fed = "in_channels: 4, in_dim: [4, 4], out_channels: 4, op: conv2d, %s: %s"
        for key in "streaming", "flatten", "output", "bypass", "calcx4", "readahead", "tcalc":
            line = fed.replace("op: conv2d", "op: linear").replace("_channels: 4", "_channels: 64", 1) if key == "flatten" else fed
            for word in "true", "yes", "on", "1", "True", "YES", "On":
                done = self.compile(layers(line % (key, word)), SECOND, ())
                self.assertEqual(done.returncode, OK, (key, word, done.stderr))
                done = self.command("run", "--engine", "exact", "n.h5")
                self.assertEqual(done.returncode, OK, (key, word, done.stdout + done.stderr))

    def test_frame_in_a_stream(self):
        """2^21 words: the last frame has too many values to be expected, and 90 million cycles; it compiles without values."""
        for rows, status, words in (775, OK, ""), (776, BAD_INPUT, "a frame of 2099856 words: less than 2^21"):
            (self.folder / "n.yaml").write_text(layers(FRAME[0] % rows, *FRAME[1:]))
            done = self.command("compile", "n.yaml", "--part", FIRST, "-o", "n.h5")
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn(words, done.stderr)

    def test_sides(self):
        self.hold(sides())

    def test_shapes(self):
        self.hold(shapes())

    def test_values(self):
        self.hold(values())

    def test_memories(self):
        self.hold(memories())

    def test_streams(self):
        self.hold(streams())


if __name__ == "__main__":
    unittest.main()
