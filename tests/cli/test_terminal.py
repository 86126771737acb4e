"""Whatever names hold, no command steers the terminal with them, and no input takes long to refuse."""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile
import unittest

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]
SOURCE = pathlib.Path(os.environ["AI8XSIM_SOURCE"])
OK, FAILED, USAGE, BAD_INPUT, STOPPED, RESOURCES, UNCHECKED = range(7)
# A title, a colour, 8-bit CSI (as UTF-8), bell, delete, a line, a turn of direction, an isolate, a line separator.
HOSTILE = "n\x1b]0;title\x07\x1b[31m\x9b31m\x07\x7f\n\u202eevil\u2066\u2028\r\x1bc"
# The same as a YAML scalar, and as part of a file's name (with a bare 8-bit CSI, which is no UTF-8).
QUOTED = '"n\\e]0;title\\a\\e[31m\\x9b31m\\a\\x7f\\n\\u202eevil\\u2066\\L\\r\\ec"'
FILE = b"n\x1b]0;t\x07\x9b31m\xc2\x9b31m\xe2\x80\xae\ny"


def run(*arguments, **more):
    return subprocess.run([os.fsencode(AI8XSIM), *(a if isinstance(a, bytes) else os.fsencode(str(a)) for a in arguments)],
                          capture_output=True, timeout=60, **more)


def orders(output):
    """What of this output is an order to a terminal, or no text."""
    found = []
    for character in output.decode("utf-8", "surrogateescape"):
        code = ord(character)
        if (code < 0x20 and character not in "\n\t") or 0x7f <= code < 0xa0 or 0xd800 <= code < 0xe000 or \
                code in (0x61c, 0x200e, 0x200f) or 0x2028 <= code <= 0x202e or 0x2066 <= code <= 0x2069:
            found.append(hex(code))
    return found


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def path(self, name):
        return os.fsencode(self.folder) + b"/" + (name if isinstance(name, bytes) else name.encode())

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return self.path(name)


class Names(Folder):
    def setUp(self):
        super().setUp()
        self.network = self.write("n.yaml", f"""arch: {QUOTED}
dataset: {QUOTED}
layers:
  - {{name: {QUOTED}, processors: 1, in_channels: 1, in_dim: [4, 4], out_channels: 4, operation: conv2d, kernel_size: 3x3, pad: 1}}
  - {{op: linear, flatten: true, out_channels: 2, name: "\\u202Eevil\\e[1m"}}
""")
        self.program = self.path("p.h5")
        made = run("compile", self.network, "--random", "1", "-q", "-o", self.program, "--save-weights", self.path("w.h5"))
        self.assertEqual(made.returncode, OK, made.stderr)
        with h5py.File(self.program, "r+") as file:
            file.attrs["name"] = "n\x1b]0;t\x07\u009b\u202e"
        self.hostile = self.path(FILE + b".h5")  # a good program, whose name is not
        shutil.copy(self.program, self.hostile)
        self.bad = self.write(FILE + b".bad.h5", "no program")
        shutil.copy(self.network, self.path(FILE + b".yaml"))
        with h5py.File(self.path(FILE + b"d.h5"), "w") as file:
            file["input"] = numpy.zeros((3, 1, 4, 4), numpy.int8)
            file["labels"] = numpy.zeros(3, numpy.int8)
        self.write("s.yaml", f"network: n.yaml\nparameters:\n  {QUOTED}: {{{QUOTED}: {{0.out_channels: 4}}, b: {{0.out_channels: 5000}}}}\n"
                             "  part: [MAX78000, MAX78002]\n")
        self.write("s-bad.yaml", f"network: n.yaml\nparameters:\n  {QUOTED}: [1, 2]\n")
        self.write("s-key.yaml", f"{QUOTED}: 1\n")
        self.write("bad-key.yaml", f"layers:\n  - {{{QUOTED}: 1}}\n")
        self.write("bad-value.yaml", f"layers:\n  - {{name: {QUOTED}, in_channels: {QUOTED}, in_dim: [4, 4]}}\n")
        self.write("bad-name.yaml", f"arch: x\nlayers:\n  - {{name: {QUOTED}, in_channels: 1, in_dim: [4, 4], in_sequences: {QUOTED}}}\n")
        self.write("tour.json", json.dumps({HOSTILE: HOSTILE}))
        self.write("bad.json", '{"' + HOSTILE)

    def commands(self):
        p, n, hostile, bad, yaml = self.program, self.network, self.hostile, self.bad, self.path(FILE + b".yaml")
        data, out = self.path(FILE + b"d.h5"), self.path(FILE + b"o")
        for program in p, hostile, bad, n, yaml, self.path("none\x1b[31m.h5"):
            for command in ("run", "check", "info", "map", "profile", "bench"):
                yield (command, program) if command != "bench" else (command, "--seconds", "0.01", program)
                if command != "bench":
                    yield command, program, "--json", "-"
            yield "run", "--per-layer", program
            yield "info", "--registers", program
            yield "trace", program, "-o", out + b".csv"
            yield "show", program, "-o", out + b".html"
            yield "eval", program, "--data", data, "-j1", "-o", out + b".eval.h5", "--restart"
            yield "eval", program, "--data", bad, "-j1"
        yield "run", self.folder
        for network in n, yaml:
            yield "compile", network, "--random", "1", "-o", out
            yield "compile", network, "-w", bad, "-o", out
            yield "compile", network, "-w", self.path("w.h5"), "-o", self.path("missing\x1b[31m/x")
            yield "golden", network, "--random", "1"
            yield "golden", network, "--random", "1", "--json", "-"
            yield "profile", network, "--html", out
        for name in "bad-key.yaml", "bad-value.yaml", "bad-name.yaml":
            yield "compile", self.path(name), "-o", out
            yield "profile", self.path(name)
        for name in "s.yaml", "s-bad.yaml", "s-key.yaml":
            yield "sweep", self.path(name)
            yield "sweep", self.path(name), "--csv", "-"
            yield "sweep", self.path(name), "--html", "-"
        for name in "tour.json", "bad.json":
            yield "show", p, "-o", out, "--tour", self.path(name)
        for word in FILE, b"--" + FILE, b"-\x1b", b"-\xc2\x9b":
            yield (word,)
            for command in ("run", "compile", "eval", "sweep", "regs", "show", "trace"):
                yield command, word
        for option in b"--engine=", b"--part=", b"--jobs=", b"--cpu=":
            yield "run", option + FILE, p
            yield "eval", option + FILE, p
        yield "trace", p, "-o", FILE
        yield "trace", p, "--signals", FILE, "-o", out + b".vcd"
        yield "profile", p, "--clock", FILE
        yield "regs", "MAX78000", FILE
        yield "help", FILE

    def test_no_command_steers_the_terminal(self):
        seen = set()
        for command in self.commands():
            with self.subTest(command=command):
                result = run(*command, cwd=self.folder)
                self.assertIn(result.returncode, range(7), result.stderr)
                self.assertEqual(orders(result.stdout + result.stderr), [], result.stdout + result.stderr)
                seen.add(result.returncode)
        self.assertGreaterEqual(seen, {OK, USAGE, BAD_INPUT})


if __name__ == "__main__":
    unittest.main()
