"""What the vendor's generator does wrong (docs/export.md), and what check says of it.

Each program is compiled from a description, then spoiled as the generator would have written it.
"""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]

WRITE32, WAIT, FIFO, EXPECT, RUN, WRITE8 = range(6)
WORD_BYTES = 9


class Part:
    """Addresses of a part."""

    def __init__(self, name, kernels, stride, group, bias, words):
        self.name, self.kernels, self.stride, self.group, self.bias, self.words = name, kernels, stride, group, bias, words

    def kernel_address(self, processor, word):
        """Of the first of the four bus words."""
        return self.kernels + processor // 16 * self.group + processor % 16 * self.stride + 16 * word


MAX78000 = Part("MAX78000", 0x50180000, 0x4000, 0x400000, 0x50108000, 768)
MAX78002 = Part("MAX78002", 0x51400000, 0x20000, 0x1000000, 0x51180000, 5120)


class Kernels:
    """Kernel memory as a program loads it with four writes a word: bytes in the order in which they are fetched."""

    def __init__(self, part, operations):
        self.part = part
        self.streams = {}
        self.at = [i for i, op in enumerate(operations) if op["kind"] == WRITE32 and self.place(op["addr"]) is not None]
        self.others = [op for i, op in enumerate(operations) if i not in set(self.at)]
        self.first = self.at[0] if self.at else 0
        for i in self.at:
            processor, word, part_of = self.place(operations[i]["addr"])
            stream = self.streams.setdefault(processor, {}).setdefault(word, bytearray(WORD_BYTES))
            value = int(operations[i]["value"])
            if part_of == 0:
                stream[8] = value & 0xff
            elif part_of < 3:
                stream[8 - 4 * part_of:12 - 4 * part_of] = value.to_bytes(4, "little")

    def place(self, address):
        """(processor, word, which of its four bus words), or None."""
        address = int(address)
        for group in range(4):
            offset = address - self.part.kernels - group * self.part.group
            if 0 <= offset < 16 * self.part.stride and offset % self.part.stride < 16 * self.part.words:
                return 16 * group + offset // self.part.stride, offset % self.part.stride // 16, offset % 16 // 4
        return None

    def bytes_of(self, processor):
        """All words from the first to the last as one run of bytes."""
        words = self.streams[processor]
        return bytearray(b"".join(bytes(words[w]) for w in sorted(words)))

    def put(self, processor, content, first=None):
        """Words from `first` on (default: where they began)."""
        first = min(self.streams[processor]) if first is None else first
        content = bytes(content) + bytes(-len(content) % WORD_BYTES)
        self.streams[processor] = {first + n: bytearray(content[WORD_BYTES * n:WORD_BYTES * n + WORD_BYTES])
                                   for n in range(len(content) // WORD_BYTES)}

    def operations(self, kind):
        """The program with these kernels."""
        writes = []
        for processor in sorted(self.streams):
            for word, k in sorted(self.streams[processor].items()):
                values = [k[8], int.from_bytes(k[4:8], "little"), int.from_bytes(k[0:4], "little"), 0]
                for n, value in enumerate(values):
                    writes.append((WRITE32, self.part.kernel_address(processor, word) + 4 * n, value, 0))
        made = numpy.zeros(len(self.others) + len(writes), dtype=kind)
        for i, op in enumerate(self.others[:self.first]):
            made[i] = op
        for i, (code, address, value, mask) in enumerate(writes):
            made[self.first + i] = numpy.array([(code, address, value, mask)], dtype=[("kind", "u1"), ("addr", "u4"), ("value", "u4"),
                                                                                   ("mask", "u4")]).astype(kind)[0]
        for i, op in enumerate(self.others[self.first:]):
            made[self.first + len(writes) + i] = op
        return made


class Faults(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.program = os.path.join(self.folder, "p.h5")

    def compile(self, part, layers, *options):
        """A working program, loaded word by word."""
        path = os.path.join(self.folder, "net.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("arch: t\ndataset: t\nlayers:\n" + "".join(f"  - {layer}\n" for layer in layers))
        done = subprocess.run([AI8XSIM, "compile", path, "--random", "1", "--part", part.name, "-q", "-o", self.program,
                               "--plain-kernels", *options], capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.classes(), set())

    def edit(self, change):
        """Replaces the operations by change(operations)."""
        with h5py.File(self.program, "r+") as file:
            operations = change(file["program"][:])
            del file["program"]
            file["program"] = operations

    def edit_kernels(self, part, change):
        """change(kernels) spoils kernel memory."""
        def spoil(operations):
            kernels = Kernels(part, operations)
            change(kernels)
            return kernels.operations(operations.dtype)
        self.edit(spoil)

    def forget(self, *names):
        """Takes away what a program records of its layers: firmware has none of it."""
        with h5py.File(self.program, "r+") as file:
            for layer in file["layers"].values():
                for name in names:
                    del layer.attrs[name]

    def findings(self, *options):
        """All findings; the program is sound JSON whatever is in it."""
        done = subprocess.run([AI8XSIM, "check", "--json", "-", *options, self.program], capture_output=True, text=True, check=False, timeout=60)
        return json.loads(done.stdout)["programs"][0]["findings"]

    def classes(self, severity="error"):
        """Classes of findings of a severity; a wrong result follows from the others."""
        return {f["class"] for f in self.findings() if f["severity"] == severity} - {"result"}

    def finding(self, kind):
        """The first finding of a class."""
        return next(f for f in self.findings() if f["class"] == kind)

    # --- Kernels ----------------------------------------------------------------------------------------------

    def spoil_last_pass(self, bits, taps, channels, each, slots):
        """As the generator pads passes that are not full: too few bytes, and the next channel's kernel before."""
        passes, together = -(-channels // each), 8 // bits
        present = channels - (passes - 1) * each

        def change(kernels):
            def kernel(processor, slot, which, tap):
                index = slot * passes + which
                byte = kernels.bytes_of(processor)[index * bits // 8 * taps + tap]
                return byte >> index * bits % 8 & (1 << bits) - 1

            wrong = {}
            for processor in range(present, each):
                content = bytearray()
                for group in range(0, slots, together):
                    for word in range(passes):
                        if word * each + processor >= channels:
                            content += bytes(taps // together)
                            continue
                        for tap in range(taps):
                            byte = 0
                            for n in range(together):
                                step = word * together + n
                                slot, which = group + step // passes, step % passes
                                source = processor
                                if which * each + processor >= channels:
                                    source, slot, which = processor + which * each - channels, slot + 1, 0
                                if slot < slots:
                                    byte |= kernel(source, slot, which, tap) << n * bits
                            content.append(byte)
                wrong[processor] = content + bytes(len(kernels.bytes_of(processor)) - len(content))
            for processor, content in wrong.items():
                kernels.put(processor, content)
        return change

    def test_kernels_of_channels_that_do_not_exist(self):
        for bits, size, pad, channels, each, slots in ((4, "1x1", 0, 200, 52, 4), (2, "1x1", 0, 200, 52, 8), (4, "3x3", 1, 100, 52, 6),
                                                       (1, "3x3", 1, 70, 36, 16), (4, "1x1", 0, 130, 44, 6)):
            for known in (True, False):
                with self.subTest(bits=bits, size=size, channels=channels, known=known):
                    passes = -(-channels // each)
                    present = channels - (passes - 1) * each
                    self.compile(MAX78000, [
                        f"{{in_dim: [3, 3], in_channels: {channels}, kernel_size: {size}, pad: {pad}, quantization: {bits}, "
                        f"processors: 0x{(1 << each) - 1:x}, out_channels: {slots}, out_offset: 0x2000, output_width: 32}}"])
                    self.edit_kernels(MAX78000, self.spoil_last_pass(bits, 9 if pad else 1, channels, each, slots))
                    if not known:
                        self.forget("input_channels")
                    self.assertEqual(self.classes(), {"kernel-misplaced"})
                    finding = self.finding("kernel-misplaced")
                    self.assertEqual((finding["layer"], finding["processor"], finding["channel"]), (0, present, channels))
                    self.assertIn(f"processors {present} to {each - 1} have none in the last of its {passes} passes", finding["cause"])
                    self.assertIn("shifted", finding["cause"])

    def test_any_kernel_of_a_channel_that_does_not_exist(self):
        self.compile(MAX78000, ["{in_dim: [3, 3], in_channels: 100, processors: 0xfffffffffffff, out_channels: 4, kernel_size: 1x1, "
                                "pad: 0, out_offset: 0x2000}"])

        def change(kernels):
            content = kernels.bytes_of(50)
            content[1] = 77  # first slot, second pass
            kernels.put(50, content)
        self.edit_kernels(MAX78000, change)
        # The data of the channel were never loaded, so no expected word tells.
        self.assertTrue(self.classes() & {"kernel-misplaced", "data-unwritten"}, self.findings())

    def test_a_lost_word_of_input_is_still_one(self):
        self.compile(MAX78000, ["{in_dim: [1, 1], in_channels: 104, processors: 0xfffffffffffff, out_channels: 4, kernel_size: 1x1, "
                                "pad: 0, quantization: 4, out_offset: 0x2000}"])
        self.edit(lambda ops: ops[[i for i, op in enumerate(ops) if not (op["kind"] == WRITE32 and op["addr"] == 0x51400004 + 0)]])
        self.forget("input_channels")
        self.assertNotIn("kernel-misplaced", self.classes())

    def test_unaligned_output_with_narrow_weights(self):
        """The generator leaves out whole kernels of 8 bits, or nothing, where narrow ones would have to be left out."""
        for bits, size, pad in ((2, "1x1", 0), (4, "3x3", 1), (1, "1x1", 0)):
            with self.subTest(bits=bits):
                self.compile(MAX78000, [f"{{in_dim: [8, 8], in_channels: 4, out_channels: 4, kernel_size: {size}, pad: {pad}, "
                                        f"quantization: {bits}, processors: 0xf, output_processors: 0x1e, out_offset: 0x2000}}"])

                def change(kernels, bits=bits, taps=9 if pad else 1):
                    for processor in range(4):
                        content, together = kernels.bytes_of(processor), 8 // bits
                        fields = [[content[n * bits // 8 * taps + t] >> n * bits % 8 & (1 << bits) - 1 for t in range(taps)]
                                  for n in range(1, 5)]
                        lead = taps if taps == 9 else 0
                        made = bytearray(lead)
                        for group in range(0, 4, together):
                            made += bytes(sum(f[t] << n * bits for n, f in enumerate(fields[group:group + together])) for t in range(taps))
                        kernels.put(processor, made)
                self.edit_kernels(MAX78000, change)
                self.assertEqual(self.classes(), {"kernel-misplaced"})
                self.assertEqual(self.finding("kernel-misplaced")["layer"], 0)

    def test_kernels_after_a_hole(self):
        """Kernels of 1x1 follow a hole after a whole word, not after one kernel."""
        self.compile(MAX78000, ["{in_dim: [8, 8], in_channels: 4, out_channels: 4, kernel_size: 1x1, pad: 0, processors: 0xf, "
                                "output_processors: 0x33, out_offset: 0x2000}"], )

        def change(kernels):
            for processor in range(4):
                content = kernels.bytes_of(processor)
                kernels.put(processor, content[0:2] + bytes(18) + content[4:6])
        self.edit_kernels(MAX78000, change)
        self.assertTrue(self.classes() & {"kernel-misplaced"}, self.findings())

    def test_kernels_that_share_the_last_words(self):
        """Layer 1 takes kernels from the word where those of layer 0 begin, and layer 0's are lost there."""
        layer = "{in_channels: 1, out_channels: 1, processors: 1, output_processors: 1, out_offset: %s, %s}"
        self.compile(MAX78002, [layer % ("0x2000", "in_dim: [6, 6]"), layer % ("0x4000", "kernel_size: 1x1, pad: 0")])
        with h5py.File(self.program) as file:
            words = [int(file[f"layers/{n}"].attrs["kernel_offset"]) for n in range(2)]
        self.assertEqual(sorted(words), [5112, 5116])

        def share(operations):
            # Kernels of 1x1 are counted byte by byte, eight bits each.
            counts = (operations["kind"] == WRITE32) & (operations["value"] == words[1] * WORD_BYTES * 8)
            self.assertTrue(counts.any())
            operations["value"][counts] = words[0] * WORD_BYTES * 8
            return operations
        self.edit(share)

        def overwrite(kernels):
            kernels.streams[0][words[0]] = kernels.streams[0].pop(words[1])
        self.edit_kernels(MAX78002, overwrite)
        finding = self.finding("kernel-overlap")
        self.assertEqual((finding["layer"], finding["other_layer"], finding["processor"]), (0, 1, 0))

    # --- Beside the trained ones --------------------------------------------------------------------------------

    def trained(self, *options):
        """(class, layer) of the findings of a comparison with the weights that were compiled."""
        found = self.findings("--weights", os.path.join(self.folder, "w.h5"), *options)
        return {(f["class"], f["layer"]) for f in found if f["class"] in ("kernel-differs", "bias-differs", "kernel-trained")}

    def test_kernels_beside_the_trained_ones(self):
        """Every way in which kernels lie in memory: passes, gaps, dilation, flattening, depth-wise, four at a time, narrow weights."""
        nets = [
            (MAX78000, ["{in_dim: [6, 6], in_channels: 3, out_channels: 70, processors: 0x7, output_processors: 0xfffffffff, out_offset: 0x2000}",
                        "{processors: 0xfffffffff, out_channels: 9, quantization: 4, out_offset: 0x0, output_processors: 0x3fe}",
                        "{op: mlp, flatten: true, processors: 0x3fe, out_channels: 5, quantization: 2, out_offset: 0x2000}"], ()),
            (MAX78000, ["{op: conv1d, in_dim: [64, 1], in_channels: 4, out_channels: 6, kernel_size: 3, dilation: 3, pad: 0, processors: 0xf, "
                        "output_processors: 0x3f0, out_offset: 0x2000}",
                        "{op: conv1d, out_channels: 4, kernel_size: 2, dilation: 12, pad: 0, processors: 0x3f0, out_offset: 0x1000, "
                        "output_processors: 0xf}"], ()),
            (MAX78000, ["{in_dim: [8, 8], in_channels: 4, out_channels: 8, processors: 0xf, output_processors: 0xff, out_offset: 0x2000, streaming: true}",
                        "{kernel_size: 1x1, pad: 0, out_channels: 4, processors: 0xff, output_processors: 0xf, out_offset: 0x0, streaming: true}",
                        "{out_channels: 4, processors: 0xf, output_processors: 0x99, out_offset: 0x4000}"], ("--fifo",)),
            (MAX78000, ["{in_dim: [8, 8], in_channels: 4, out_channels: 8, processors: 0xf, output_processors: 0xff, out_offset: 0x2000}"],
             ("--fast-fifo-quad",)),
            (MAX78002, ["{in_dim: [8, 8], in_channels: 12, groups: 12, out_channels: 12, processors: 0xfff, output_processors: 0xfff, out_offset: 0x2000}",
                        "{out_channels: 8, calcx4: true, processors: 0xfff, output_processors: 0xff, out_offset: 0x4000}",
                        "{out_channels: 4, quantization: bin, processors: 0xff, output_processors: 0xf, out_offset: 0x0}",
                        "{op: convtranspose2d, kernel_size: 3x3, out_channels: 4, processors: 0xf, output_processors: 0xf, out_offset: 0x6000}"], ()),
        ]
        for part, layers, options in nets:
            with self.subTest(layers=layers[0]):
                self.compile(part, layers, "--save-weights", os.path.join(self.folder, "w.h5"), *options)
                right = {("kernel-trained", n) for n in range(len(layers))}
                self.assertEqual(self.trained(), right)
                shape = ("--input-shape", "3x6x6") if "in_channels: 3" in layers[0] else ()
                self.assertEqual(self.trained("--network", os.path.join(self.folder, "net.yaml"), *shape), right)
                self.forget("output_processors", "input_channels")
                self.assertEqual(self.trained("--network", os.path.join(self.folder, "net.yaml"), *shape), right)
                with h5py.File(os.path.join(self.folder, "w.h5"), "r+") as file:
                    last = file[f"weights/{len(layers) - 1}/weight"]
                    values = last[()]
                    values.flat[-1] = -values.flat[-1] if abs(values.flat[-1]) == 1 and part is MAX78002 else values.flat[-1] ^ 1
                    last[...] = values
                    bias = file["weights/0/bias"]
                    bias[0] = bias[0] ^ 1
                found = self.trained("--network", os.path.join(self.folder, "net.yaml"), *shape)
                self.assertEqual(found, (right - {("kernel-trained", len(layers) - 1)}) | {("kernel-differs", len(layers) - 1), ("bias-differs", 0)})

    def test_comparison_names_channels(self):
        self.compile(MAX78000, ["{in_dim: [6, 6], in_channels: 4, out_channels: 8, processors: 0xf, output_processors: 0xff, "
                                "out_offset: 0x2000}"], "--save-weights", os.path.join(self.folder, "w.h5"))

        def swap(kernels):
            content = kernels.bytes_of(2)
            content[9:18], content[18:27] = content[18:27], content[9:18]
            kernels.put(2, content)
        self.edit_kernels(MAX78000, swap)
        finding = next(f for f in self.findings("--weights", os.path.join(self.folder, "w.h5")) if f["class"] == "kernel-differs")
        self.assertIn("2 of 32 kernels of layer 0", finding["cause"])
        self.assertIn("(output channels 1 to 2; input channels 2)", finding["cause"])
        self.assertIn("that of output channel 2 lies there", finding["cause"])
        self.assertEqual((finding["processor"], finding["channel"], finding["count"]), (2, 1, 2))

    def test_weights_of_another_network(self):
        self.compile(MAX78000, ["{in_dim: [6, 6], in_channels: 4, out_channels: 8, processors: 0xf, output_processors: 0xff, "
                                "out_offset: 0x2000}"])
        numpy.savez(os.path.join(self.folder, "w.npz"), weight_0=numpy.ones((8, 4, 3, 3), dtype=int),
                    weight_1=numpy.ones((8, 4, 3, 3), dtype=int))
        found = self.findings("--weights", os.path.join(self.folder, "w.npz"))
        self.assertIn("1 layers with kernels ran, but the trained weights are those of 2 layers", next(f for f in found if f["class"] == "kernel-differs")["cause"])
        done = subprocess.run([AI8XSIM, "check", "--weights", os.path.join(self.folder, "none.h5"), self.program], capture_output=True,
                              text=True, check=False, timeout=60)
        self.assertEqual(done.returncode, 3)
        self.assertIn("No such file", done.stderr)

    # --- Biases -----------------------------------------------------------------------------------------------

    def test_biases_without_gaps(self):
        self.compile(MAX78000, ["{in_dim: [8, 8], in_channels: 4, out_channels: 4, processors: 0xf, output_processors: 0x33, "
                                "out_offset: 0x2000}"])

        def pack(operations):
            values = {int(op["addr"]): int(op["value"]) for op in operations if op["kind"] == WRITE32 and
                      MAX78000.bias <= op["addr"] < MAX78000.bias + 4 * 6}
            entries = [values[MAX78000.bias + 4 * n] for n in (0, 1, 4, 5)]
            keep = [i for i, op in enumerate(operations) if not MAX78000.bias + 16 <= op["addr"] < MAX78000.bias + 24]
            for op in operations:
                if MAX78000.bias <= op["addr"] < MAX78000.bias + 16 and op["kind"] == WRITE32:
                    op["value"] = entries[(op["addr"] - MAX78000.bias) // 4]
            return operations[keep]
        self.edit(pack)
        self.assertEqual(self.classes(), {"bias-misplaced"})
        self.assertEqual(self.finding("bias-misplaced")["channel"], 2)

    # --- FIFOs ------------------------------------------------------------------------------------------------

    def test_fifo_groups_of_three(self):
        self.compile(MAX78000, ["{in_dim: [8, 8], in_channels: 6, out_channels: 4, processors: 0x70007, output_processors: 0xf, "
                                "out_offset: 0x2000}"], "--fifo")

        def regroup(operations):
            words = [i for i, op in enumerate(operations) if op["kind"] == FIFO]
            for first, second in zip(words[::2], words[1::2]):
                # Channels 4 and 5 where 3 to 5 belong.
                operations["value"][second] = operations["value"][second] >> 8
            return operations
        self.edit(regroup)
        self.assertEqual(self.classes(), {"fifo-lanes"})
        self.assertEqual(self.finding("fifo-lanes")["processor"], 18)

    def test_fifo_without_a_frame(self):
        self.compile(MAX78000, ["{in_dim: [4, 4], in_channels: 4, out_channels: 4, processors: 0xf, output_processors: 0xf, "
                                "out_offset: 0x2000}"])

        def enable(operations):
            operations["value"][(operations["addr"] == 0x50100000) & (operations["kind"] == WRITE32)] |= 1 << 15
            return operations
        self.edit(enable)
        self.assertEqual(self.classes("warning") - {"saturation"}, {"fifo-frame"})

    # --- Data -------------------------------------------------------------------------------------------------

    def test_intermediate_output_of_32_bits(self):
        layer = "{in_dim: [4, 4], in_channels: 4, out_channels: 4, processors: 0xf, output_processors: 0xf, out_offset: %s}"
        self.compile(MAX78000, [layer % "0x2000", layer % "0x1000"])
        lctl = 0x50100590

        def widen(operations):
            operations["value"][(operations["addr"] == lctl) & (operations["kind"] == WRITE32)] |= 1 << 16
            return operations
        self.edit(widen)
        self.assertIn("data-width", self.classes())
        finding = self.finding("data-width")
        self.assertEqual((finding["layer"], finding["other_layer"]), (1, 0))

    def test_read_ahead_in_one_memory(self):
        layer = "{in_dim: [8, 8], in_channels: 4, out_channels: 4, processors: 0xf, output_processors: 0xf, out_offset: %s, readahead: true}"
        self.compile(MAX78002, [layer % "0x4000"])
        with h5py.File(self.program, "r+") as file:
            operations = file["program"][:]
            # The output moves next to the input.
            written = (operations["kind"] == WRITE32) & (operations["value"] == 0x1000)
            self.assertTrue(written.any())
            operations["value"][written] = 0x800
            expected = operations["kind"] == EXPECT
            operations["addr"][expected] -= 0x2000
            del file["program"]
            file["program"] = operations
        self.assertEqual(self.classes(), {"read-ahead"})
        self.assertIn("16 KiB", self.finding("read-ahead")["cause"])

    # --- Registers --------------------------------------------------------------------------------------------

    def test_stream_registers_zeroed(self):
        layer = "{in_dim: [8, 8], in_channels: 4, out_channels: 4, processors: 0xf, output_processors: 0xf, out_offset: %s%s}"
        self.compile(MAX78002, [layer % ("0x2000", ", streaming: true"), layer % ("0x4000", ", streaming: true")] +
                     [layer % (("0x0", "0x6000")[n % 2], "") for n in range(8)], "--fifo")

        def zero(operations):
            # After all others: STREAM2 of layer 8 is FMAX of layer 0.
            start = next(i for i, op in enumerate(operations) if op["kind"] == WRITE32 and op["addr"] == 0x51108060)
            extra = operations[start:start + 1].copy()
            extra["addr"], extra["value"] = 0x51108020 + 4 * 8, 0
            return numpy.concatenate([operations[:start + 1], extra, operations[start + 1:]])
        # FMAX has to be configured before it is lost: layer 0's registers precede the frame.
        self.edit(zero)
        self.assertEqual(self.classes(), {"register-overwritten"})
        self.assertIn("register STREAM2 of layer 8 would lie there", self.finding("register-overwritten")["cause"])

    # --- Cleared memories --------------------------------------------------------------------------------------

    def test_zero_kernels_left_out(self):
        """After kernel memory was cleared, words of zeros need not be loaded; others do."""
        numpy.save(os.path.join(self.folder, "w.npy"), self.weights())
        self.compile(MAX78000, ["{in_dim: [6, 6], in_channels: 4, out_channels: 8, processors: 0xf, output_processors: 0xff, "
                                "out_offset: 0x2000}"], "--weights", os.path.join(self.folder, "w.npy"))

        def clear(operations):
            kernels = Kernels(MAX78000, operations)
            for processor, words in kernels.streams.items():
                zeros = [w for w, k in words.items() if not any(k)]
                self.assertTrue(zeros, processor)
                for word in zeros:
                    del words[word]
            operations = kernels.operations(operations.dtype)
            extra = operations[[0, 0]].copy()
            extra["kind"], extra["addr"], extra["value"] = WRITE32, 0x5010000c, [0, 1 << 2]
            return numpy.concatenate([extra, operations])
        self.edit(clear)
        self.assertEqual(self.classes(), set())
        self.assertIn("kernel-unwritten", self.classes("info"))

        def lose(kernels):
            word = sorted(w for w, k in kernels.streams[0].items() if any(k))[0]
            del kernels.streams[0][word]
        self.edit_kernels(MAX78000, lose)
        self.assertIn("kernel-unwritten", self.classes())

    @staticmethod
    def weights():
        """Output channels 3 and 6 have no weights at all."""
        found = numpy.random.default_rng(1).integers(-128, 128, (1, 8, 4, 3, 3))
        found[0, 3] = found[0, 6] = 0
        return found


if __name__ == "__main__":
    unittest.main()
