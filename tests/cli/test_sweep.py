"""ai8xsim sweep as users call it: points equal programs that really run, files, the best points, bad input."""
import csv
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import h5py

AI8XSIM = os.environ["AI8XSIM"]
OK, FAILED, USAGE, BAD_INPUT, STOPPED, RESOURCES = range(6)

NETWORK = """
arch: test
dataset: none
layers:
  - name: first
    in_channels: 3
    in_dim: [16, 16]
    operation: conv2d
    kernel_size: 3x3
    pad: 1
    activate: ReLU
    out_channels: {first}
    quantization: {bits}
  - name: copy
    operation: passthrough
  - name: second
    operation: conv2d
    max_pool: 2
    pool_stride: 2
    kernel_size: {kernel}
    pad: {pad}
    out_channels: {second}
    quantization: {bits}
"""

SPEC = """
network: network.yaml
parameters:
  part: [MAX78000, MAX78002]
  first.out_channels: [5, 64]
  "2.out_channels": [8, 104]
  "*.quantization": [8, 2]
  kernel:
    wide: {second.kernel_size: 3x3, second.pad: 1}
    narrow: {second.kernel_size: 1x1, second.pad: 0}
"""


class Sweep(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.write("network.yaml", self.network(8, 8, 8, "wide"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def network(self, first, second, bits, kernel):
        size, pad = {"wide": ("3x3", 1), "narrow": ("1x1", 0)}[kernel]
        return NETWORK.format(first=first, second=second, bits=bits, kernel=size, pad=pad)

    def call(self, *arguments, code=OK):
        run = subprocess.run([AI8XSIM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             check=False, timeout=120)
        self.assertEqual(run.returncode, code, run.stderr)
        return run

    def rows(self, spec, *arguments):
        return list(csv.DictReader(io.StringIO(self.call("sweep", spec, "--csv", "-", *arguments).stdout)))


class Points(Sweep):
    def test_points_are_what_programs_take(self):
        """Cycles are those of the program compiled by hand and run on the machine."""
        rows = self.rows(self.write("spec.yaml", SPEC))
        grid = list(itertools.product(["MAX78000", "MAX78002"], [5, 64], [8, 104], [8, 2], ["wide", "narrow"]))
        self.assertEqual(len(rows), len(grid))
        for row, (part, first, second, bits, kernel) in zip(rows, grid):
            values = [row["part"], row["first.out_channels"], row["2.out_channels"], row["*.quantization"], row["kernel"]]
            self.assertEqual(values, [part, str(first), str(second), str(bits), kernel])
            self.assertEqual(row["status"], "AI8X_OK", row["message"])
            self.assertEqual(row["cycles_are"], "exact" if part == "MAX78000" else "estimate")
            self.assertEqual(float(row["cycles_error"]), 0 if part == "MAX78000" else 0.035)
            taps = 9 if kernel == "wide" else 1
            parameters = first * 27 + first + second * first * taps + second
            self.assertEqual(int(row["parameters"]), parameters)
            self.assertEqual(int(row["macs"]), first * 27 * 256 + second * first * taps * 64)
            self.assertEqual(int(row["weight_bytes"]), -(-((parameters - first - second) * bits) // 8) + first + second)
        for index in (0, 3, 13, 18, 31):
            part, first, second, bits, kernel = grid[index]
            source = self.write("one.yaml", self.network(first, second, bits, kernel))
            self.call("compile", source, "--random", 1, "--part", part, "-o", self.path("one.h5"))
            report = json.loads(self.call("run", self.path("one.h5"), "--engine", "exact", "--json", "-").stdout)
            self.assertEqual(int(rows[index]["cycles"]), report["programs"][0]["cycles"])

    def test_best(self):
        for pareto, keys in (("", ("seconds", "parameters")),
                             ("pareto: [less kernel_words, more macs]", ("kernel_words", "macs"))):
            rows = self.rows(self.write("spec.yaml", SPEC + pareto + "\n"))
            points = [(-float(row[keys[0]]), float(row[keys[1]])) for row in rows]
            for row, point in zip(rows, points):
                beaten = any(o[0] >= point[0] and o[1] >= point[1] and o != point for o in points)
                self.assertEqual(row["best"], "0" if beaten else "1")

    def test_what_cannot_run_is_a_result(self):
        spec = self.write("spec.yaml", "network: network.yaml\nparameters:\n  second.out_channels: [8, 5000, 16]\n"
                                       "  second.pad: [1, 9]\n")
        rows = self.rows(spec, "--html", self.path("page.html"))
        self.assertEqual([row["status"] == "AI8X_OK" for row in rows], [True, False, False, False, True, False])
        self.assertTrue(all(row["message"] for row in rows if row["status"] != "AI8X_OK"))
        self.assertTrue(all(row["cycles"] == "" for row in rows if row["status"] != "AI8X_OK"))
        with open(self.path("page.html"), encoding="utf-8") as file:
            self.assertIn("What cannot run", file.read())

    def test_linked_values(self):
        spec = self.write("spec.yaml", "network: network.yaml\nparameters:\n  width:\n"
                                       "    set: [first.out_channels, second.out_channels]\n    values: [4, 12]\n")
        rows = self.rows(spec)
        self.assertEqual([int(row["parameters"]) for row in rows], [c * 27 + c + c * c * 9 + c for c in (4, 12)])


class Files(Sweep):
    def test_files_do_not_depend_on_threads(self):
        contents = []
        for jobs in (1, 3):
            names = [self.path(f"{jobs}.{kind}") for kind in ("csv", "html", "h5")]
            self.call("sweep", self.write("spec.yaml", SPEC), "-j", jobs, "--csv", names[0], "--html", names[1], "-o",
                      names[2])
            contents.append([])
            for name in names:
                with open(name, "rb") as file:
                    contents[-1].append(file.read())
        self.assertEqual(contents[0], contents[1])

    def test_hdf5_and_page(self):
        spec = self.write("spec.yaml", SPEC)
        rows = self.rows(spec, "-o", self.path("out.h5"), "--html", self.path("page.html"))
        with h5py.File(self.path("out.h5"), "r") as file:
            for key in ("cycles", "macs", "parameters", "kernel_words", "data_words", "best"):
                self.assertEqual(file[key][()].tolist(), [int(row[key]) for row in rows])
            self.assertEqual([text.decode() for text in file["axes/kernel"][()]], [row["kernel"] for row in rows])
        with open(self.path("page.html"), encoding="utf-8") as file:
            page = file.read()
        # One dot for all best points with the same values of both objectives, in the colour of its part.
        best = [(row["seconds"], row["parameters"]) for row in rows if row["best"] == "1"]
        tied = len(best) - len(set(best))
        self.assertGreater(tied, 0)
        self.assertEqual(page.count("<circle"), len(rows) - tied)
        self.assertEqual(set(re.findall(r'<circle class="(p\d)', page)), {"p0", "p1"})
        self.assertEqual(sum(map(int, re.findall(r">\+(\d+)</td>", page))), tied)
        # Units on both axes.
        self.assertRegex(page, r'text-anchor="middle">[0-9.]+ [mu]s</text>')
        self.assertEqual(page.count("<tbody>"), 1)
        for outside in ("http:", "https:", "<script", "url("):
            self.assertNotIn(outside, page)

    def test_output_that_cannot_be_written(self):
        run = self.call("sweep", self.write("spec.yaml", SPEC), "-o", self.path("no/where.h5"), code=RESOURCES)
        self.assertIn("No such file", run.stderr)


class BadInput(Sweep):
    def refused(self, message, spec):
        run = self.call("sweep", self.write("spec.yaml", spec), code=BAD_INPUT)
        self.assertIn(message, run.stderr)

    def test_specifications(self):
        head = "network: network.yaml\nparameters:\n"
        self.refused("no network", "parameters: {a: [1]}")
        self.refused("No such file", "network: nothing.yaml\nparameters: {first.pad: [1]}")
        self.refused("no parameters to vary", "network: network.yaml\n")
        self.refused("expected a list of values", head + "  first.pad: 1\n")
        self.refused("has no layer for 'third.pad'", head + "  third.pad: [1]\n")
        self.refused("no part 'MAX1'", head + "  part: [MAX1]\n")
        self.refused("unknown key", head + "  first.pad: [1]\nparetto: [seconds, macs]\n")
        self.refused("expected [less|more] seconds", head + "  first.pad: [1]\npareto: [seconds, beauty]\n")
        self.refused("expected two measures", head + "  first.pad: [1]\npareto: [seconds]\n")
        self.refused("expected a value, or a list", head + "  first.pad: [{a: 1}]\n")
        self.refused("spec.yaml:2", "network: [\n  :::")
        self.refused("expected keys and values", "- 1\n")
        self.refused("more than 200000 points", head + "".join(
            f"  \"{layer}.{key}\": {list(range(100))}\n" for layer, key in (("first", "pad"), ("second", "pad"),
                                                                             ("first", "out_channels"))))

    def test_typos(self):
        """Each is refused with its line, and with what may be meant."""
        head = "network: network.yaml\nparameters:\n  "
        for line, message in (
                ("frist.out_channels: [8]", "no layer for 'frist.out_channels'; did you mean 'first'?"),
                ("9.out_channels: [8]", "(layers are named, or counted from 0 to 2)"),
                ("first.out_chanels: [8]", "unknown key 'out_chanels' in 'first.out_chanels'; did you mean 'out_channels'?"),
                ("out_channels: [8]", "'out_channels' is a key of layers: write LAYER.out_channels"),
                ("'*.quantisation': [8]", "did you mean 'quantization'?"),
                ("first.operation: [conv2d, conv3d]", "(did you mean 'conv2d'?), found 'conv3d'"),
                ("first.activate: [relu, rleu]", "(did you mean 'relu'?), found 'rleu'"),
                ("second.in_sequences: [first, copi]", "(did you mean 'copy'?), found 'copi'"),
                ("second.in_sequences: [[inptu]]", "(did you mean 'input'?), found 'inptu'"),
                ("first.out_channels: [8, 1x]", "key 'out_channels': expected an integer from 1 to 65536, found '1x'"),
                ("first.quantization: [8, 3]", "expected one of 8, 4, 2, 1, bin, binary, found '3'"),
                ("first.streaming: [true, ture]", "expected true or false, found 'ture'"),
                ("first.kernel_size: [3x3, 3xx3]", "found '3xx3'"),
                ("parts: [MAX78000]", "did you mean 'part'?"),
                ("part: [MAX7800]", "no part 'MAX7800'; expected MAX78000 or MAX78002; did you mean 'MAX78000'?"),
                ("w: {sets: [first.pad], values: [1]}", "'sets': expected LAYER.KEY: VALUE, or the keys set and values; did"),
                ("w: {set: [first.pad], values: [1], extra: [1]}", "expected the keys set and values, and no others"),
                ("w: {a: {first.padd: 1}}", "unknown key 'padd' in 'first.padd'; did you mean 'pad'?"),
                ("w: {a: {first.pad: 1}, b: {first.pad: one}}", "key 'pad': expected an integer from 0 to 65536, found 'one'"),
                ("w: {a: {first.pad: 1}, a: {first.pad: 0}}", "parameter 'w' has the value 'a' twice"),
                ("first.pad: [1, 0, 1]", "parameter 'first.pad' has the value '1' twice"),
                ("first.pad: [1]\n  w: {set: [first.pad], values: [1]}", "'first.pad' is set by two parameters")):
            with self.subTest(line=line):
                self.refused(message, head + line + "\n")
                self.refused("spec.yaml:", head + line + "\n")
        self.refused("spec.yaml:1: unknown key 'netwrok'; expected network, parameters, pareto; did you mean 'network'?",
                     "netwrok: network.yaml\n")
        self.refused("spec.yaml:2: the key 'network' is given twice", "network: network.yaml\nnetwork: network.yaml\n")
        self.refused("found 'parametres'; did you mean 'parameters'?", head + "first.pad: [1]\npareto: [macs, parametres]\n")
        self.refused("two different measures", head + "first.pad: [1]\npareto: [macs, less macs]\n")

    def test_other_spellings(self):
        """A key that the description spells otherwise is replaced; layers are found in capitals or not."""
        rows = self.rows(self.write("spec.yaml", "network: network.yaml\nparameters:\n  First.activation: [ReLU, none]\n"
                                                 "  first.op: [conv2d]\n"))
        self.assertEqual([row["status"] for row in rows], ["AI8X_OK"] * 2)

    def test_a_kernel_that_is_none_of_the_parts(self):
        """A size that could be one is no typo; messages of points have no lines of texts that nobody sees."""
        rows = self.rows(self.write("spec.yaml", "network: network.yaml\nparameters:\n  first.kernel_size: [3x3, 5x5]\n"))
        self.assertEqual([row["status"] == "AI8X_OK" for row in rows], [True, False])
        self.assertTrue(rows[1]["message"].startswith("network: layer 0 (first): key 'kernel_size'"), rows[1]["message"])

    def test_missing_file(self):
        self.assertIn("No such file", self.call("sweep", self.path("none.yaml"), code=BAD_INPUT).stderr)


if __name__ == "__main__":
    unittest.main()
