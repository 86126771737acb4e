"""Inputs that are too deep, too long or too large are refused with a message, and soon: a few seconds of processor time
are all that a command gets here."""

import io
import json
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import tempfile
import unittest
import zipfile

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]
SOURCE = pathlib.Path(os.environ["AI8XSIM_SOURCE"])
OK, BAD_INPUT, RESOURCES = 0, 3, 5
SECONDS = 8  # of processor time; a sanitizer takes several times as long as a release
LAYER = "  - {in_channels: 1, in_dim: [4, 4], out_channels: 4%s}\n"
NETWORK = "layers:\n" + LAYER % ""

LETTERS = "abcdefghijklm"
YAML = {
    "brackets": "layers: " + "[" * 400000,
    "closed brackets": "layers: " + "[" * 200000 + "]" * 200000,
    "braces": "layers: " + "{a: " * 100000,
    "indents": "".join(" " * i + "a:\n" for i in range(1500)),
    "dashes": "- " * 200000,
    "question marks": "? " * 200000,
    "anchors": "layers:\n" + "".join(f"  - &a{i} x\n" for i in range(100000)),
    "aliases of aliases": "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip(LETTERS, LETTERS[1:])) + "layers: *m\n",
    "aliases": "layers: &a [x]\nweights: [" + "*a, " * 300000 + "]\n",
    "alias of itself": "layers: &a [*a]\n",
    "long name": "arch: " + "a" * 1000000 + "\n" + NETWORK,
    "long layer name": "layers:\n" + LAYER % (", name: " + "b" * 1000000),
    "name of 5 MB": "arch: " + "a" * 5000000 + "\n" + NETWORK,
    "long key": "a" * 1000000 + ": 1\n",
    "long quoted key": '"' + "\\x41" * 500000 + '": 1\n',
    "long tag": "layers: !<" + "t" * 1000000 + "> 1\n",
    "long anchor": "layers: &" + "a" * 1000000 + " 1\n",
    "directives": "".join(f"%TAG !a{i}! b\n" for i in range(50000)),
    "documents": "---\n" * 500000,
    "keys": "\n".join(f"k{i}: 1" for i in range(200000)),
    "layers": "layers:\n" + "  - {in_channels: 1}\n" * 100000,
    "open quote": '"' + "a" * 2000000,
    "block": "a: |\n" + "  x\n" * 500000,
    "zeros": "\0" * 1000000,
    "comments": "#" * 3000000,
    "large": "#\n" * 4000000,
}


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def npy(header, data=b"", version=1, length=None):
    header = header.encode() if isinstance(header, str) else header
    size = len(header) if length is None else length
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", size) + header + data


NPY = {
    "more than memory": npy("{'descr': '<i4', 'fortran_order': False, 'shape': (1000000000000000000,), }\n"),
    "more than 64 bits": npy("{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999999,), }\n"),
    "product beyond 64 bits": npy("{'descr': '<i4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 2), }\n"),
    "more than there is": npy("{'descr': '<i4', 'fortran_order': False, 'shape': (100000000,), }\n", b"1234"),
    "header beyond the end": npy("{", version=2, length=0xffffffff),
    "parentheses": npy("{'descr': '<i4', 'fortran_order': False, 'shape': " + "(" * 60000 + "\n"),
    "dimensions": npy("{'descr': '<i4', 'fortran_order': False, 'shape': (" + "1," * 30000 + "), }\n"),
    "long type": npy("{'descr': '" + "<" * 60000 + "', 'fortran_order': False, 'shape': (1,), }\n"),
    "long header": npy("{'descr': '<i4'" + " " * 3000000 + "}\n", version=2),
    "arrays": npy("{'descr': '<i1', 'fortran_order': False, 'shape': (1,), }\n", b"1") * 20000,
}


def archive(members, **more):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return memory.getvalue()


class Limits(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, data):
        path = self.folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path

    def refuse(self, *arguments, accepted=()):
        result = subprocess.run([AI8XSIM, *map(str, arguments)], capture_output=True, text=True, errors="replace", timeout=120,
                                preexec_fn=limit, cwd=self.folder)
        self.assertIn(result.returncode, (BAD_INPUT, RESOURCES, *accepted), (arguments, result.stderr[-300:]))
        if result.returncode not in accepted:
            self.assertTrue(result.stderr.startswith("ai8xsim"), result.stderr[:200])
            self.assertLess(len(result.stderr), 4000)

    def test_yaml(self):
        for what, text in YAML.items():
            path = self.write("n.yaml", text)
            for command in (["compile", path, "-o", "x.h5"], ["sweep", path], ["profile", path]):
                with self.subTest(what=what, command=command[0]):
                    self.refuse(*command)

    def test_sweeps(self):
        self.write("n.yaml", NETWORK)
        head = "network: n.yaml\nparameters:\n"
        cases = {
            "values": head + "  0.out_channels: [" + "1, " * 100000 + "]\n",
            "axes": head + "".join(f"  a{i}: [1]\n" for i in range(50000)),
            "points": head + "".join(f"  0.k{i}: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n" for i in range(20)),
            "set": head + "  a: {set: [" + "0.out_channels, " * 50000 + "], values: [" + "1, " * 50000 + "]}\n",
            "alternatives": head + "  a: {" + ", ".join(f"b{i}: {{0.out_channels: 1}}" for i in range(40000)) + "}\n",
            "missing network": "network: " + "n" * 4000 + "\nparameters:\n  part: [MAX78000]\n",
            "deep value": head + "  0.out_channels: [" + "[" * 50 + "]" * 50 + "]\n",
        }
        for what, text in cases.items():
            with self.subTest(what=what):
                self.refuse("sweep", self.write("s.yaml", text))

    def test_json(self):
        shutil.copy(SOURCE / "models" / "digits" / "digits.h5", self.folder / "p.h5")
        for what, text in {"brackets": "[" * 400000, "closed": "[" * 200000 + "]" * 200000,
                           "objects": '{"a":' * 100000, "large": " " * 10000000, "name": '{"' + "a" * 3000000 + '": 1}',
                           "number": '{"title": 1' + "0" * 1000000 + "}", "zeros": "\0" * 1000}.items():
            with self.subTest(what=what):
                self.refuse("show", "p.h5", "--tour", self.write("t.json", text), "-o", "x.html")

    def test_arrays(self):
        self.write("n.yaml", NETWORK)
        cases = {f"{what}.npy": data for what, data in NPY.items()}
        cases["bomb.npz"] = archive([("weight_0.npy", b"\0" * 400000000)])
        cases["members.npz"] = archive((f"weight_{i}.npy", NPY["more than there is"]) for i in range(20000))
        cases["names.npz"] = archive([("w" * 60000 + ".npy", npy("{'descr': '|i1', 'fortran_order': False, 'shape': (1,), }\n", b"1"))])
        for name, data in cases.items():
            path = self.write(name, data)
            for command in (["compile", "n.yaml", "-w", path, "-o", "x.h5"], ["compile", "n.yaml", "--random", 1, "-i", path, "-o", "x.h5"],
                            ["eval", SOURCE / "models" / "digits" / "digits.h5", "--data", path]):
                with self.subTest(name=name, command=command[0]):
                    self.refuse(*command)
        with open(self.folder / "sparse.npy", "wb") as file:
            file.write(npy("{'descr': '|i1', 'fortran_order': False, 'shape': (1000000000000,), }\n"))
            file.truncate(10 ** 12)
        self.refuse("compile", "n.yaml", "-w", "sparse.npy", "-o", "x.h5")

    def test_hdf5(self):
        program = self.folder / "p.h5"
        shutil.copy(SOURCE / "models" / "digits" / "digits.h5", program)

        def changed(what, change):
            path = self.folder / f"{what}.h5"
            shutil.copy(program, path)
            with h5py.File(path, "r+") as file:
                change(file)
            return path

        def deep(file):
            for _ in range(2000):
                file = file.create_group("g")

        def replace(name, **more):
            def change(file):
                del file[name]
                file.create_dataset(name, **more)
            return change

        files = [
            changed("long attribute name", lambda f: f.attrs.__setitem__("a" * 60000, 1)),
            changed("long attribute", lambda f: f.attrs.__setitem__("name", "n" * 5000000)),
            changed("attributes", lambda f: [f.attrs.__setitem__(f"a{i}", 1) for i in range(20000)]),
            changed("deep groups", deep),
            changed("layers", lambda f: [f.require_group(f"layers/{i}") for i in range(5000)]),
            changed("layer", lambda f: f.require_group("layers/" + "9" * 5000)),
            changed("operations", replace("program", shape=(2 ** 40,), dtype=h5py.File(program)["program"].dtype, chunks=(1000,))),
            changed("input", replace("input", shape=(2 ** 20, 2 ** 20, 2 ** 20), dtype="i4", chunks=(1, 1, 1000))),
            changed("chunks", replace("input", shape=(2 ** 10, 2 ** 10, 2 ** 10), dtype="i4", chunks=(2 ** 9, 2 ** 10, 2 ** 10))),
        ]
        for path in files:
            for command in (["run", "--per-layer", path], ["info", path], ["check", path]):
                with self.subTest(path=path.name, command=command[0]):
                    # What a program does not need may be there.
                    self.refuse(*command, accepted=(OK, 1))
        with h5py.File(self.folder / "d.h5", "w") as file:
            file.create_dataset("input", shape=(2 ** 40, 1, 8, 8), dtype="i1", chunks=(1000, 1, 8, 8))
        self.refuse("eval", program, "--data", "d.h5", "-o", "o.h5")
        self.assertEqual(list(self.folder.glob("o.h5*")), [])

    def test_mem(self):
        for what, text in {"long line": "@0000 " + "0" * 3000000, "no end": "@" * 3000000, "empty lines": "\n" * 3000000,
                           "comments": "// x\n" * 700000}.items():
            with self.subTest(what=what):
                self.refuse("run", "--part", "MAX78000", self.write("s.mem", text))
        with open(self.folder / "sparse.mem", "wb") as file:
            file.truncate(10 ** 12)
        self.refuse("run", "--part", "MAX78000", "sparse.mem")

    def test_firmware(self):
        header = struct.pack("<4sBBBB8xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 0, 2, 40, 1, 0x10000009, 52, 52, 0x05000000, 52, 32,
                             0xffff, 40, 0xffff, 0)
        cases = {
            "headers.elf": header + b"\0" * 3000000,
            "no headers.elf": header,
            "segment.elf": header[:44] + struct.pack("<HHHH", 1, 40, 0, 0) +
                           struct.pack("<8I", 1, 84, 0x10000000, 0x10000000, 0xffffffff, 0xffffffff, 5, 4) + b"\0" * 100,
            "memory.elf": header[:44] + struct.pack("<HHHH", 1, 40, 0, 0) +
                          struct.pack("<8I", 1, 84, 0x10000000, 0x10000000, 8, 0xffffffff, 5, 4) + b"\0" * 100,
            "line.hex": ":" + "0" * 3000000,
            "lines.hex": ":00000001FF\n" * 200000,
            "colons.hex": ":" * 3000000,
            "records.hex": ":0400000005FFFFFFFA\n" * 150000,
            "large.bin": b"\xff" * 20000000,
            "empty.bin": b"",
        }
        for name, data in cases.items():
            with self.subTest(name=name):
                self.refuse("run", "--part", "MAX78000", self.write(name, data))
        for name in "sparse.elf", "sparse.bin", "sparse.hex":
            with open(self.folder / name, "wb") as file:
                file.write(header if name.endswith("elf") else b":")
                file.truncate(10 ** 12)
            with self.subTest(name=name):
                self.refuse("run", name)


if __name__ == "__main__":
    unittest.main()
