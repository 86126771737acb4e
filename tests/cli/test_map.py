"""ai8xsim map: owners against what layers really wrote, JSON, SVG, tables."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import h5py

AI8XSIM = os.environ["AI8XSIM"]
SHIPPED = os.path.join(os.environ["AI8XSIM_SOURCE"], "golden", "residual2-max78000.h5")
GOLDEN = os.environ["AI8XSIM_GOLDEN"]

OK, FAILED, USAGE, BAD_INPUT = range(4)
DATA, GROUP_STRIDE, INSTANCE_STRIDE = 0x50400000, 0x400000, 0x8000


def ai8xsim(*arguments):
    """Runs the program under test."""
    return subprocess.run([AI8XSIM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=120)


def owners(runs, unit="instance"):
    """{(unit, word): owner}, every word owned once."""
    result = {}
    for run in runs:
        for word in range(run["first"], run["first"] + run["count"]):
            assert (run[unit], word) not in result
            result[run[unit], word] = run["owner"]
    return result


def place(address):
    """Instance and word of a bus address of the MAX78000."""
    group, rest = divmod(address - DATA, GROUP_STRIDE)
    return group * 4 + rest // INSTANCE_STRIDE, rest % INSTANCE_STRIDE // 4


class Owners(unittest.TestCase):
    """Who owns what."""

    def check(self, program):
        """After each layer, the words it is recorded to have written are its own."""
        result = ai8xsim("map", program, "--json", "-")
        self.assertEqual(result.returncode, OK, result.stderr)
        found = json.loads(result.stdout)
        words = 0
        with h5py.File(program) as file:
            for step, number in zip(found["data"][1:], file.attrs["order"]):
                memory = file.get(f"layers/{number}/memory")
                if memory is None:
                    continue
                owned = owners(step["runs"])
                for address in memory["addr"]:
                    self.assertEqual(owned[place(int(address))], step["behind"])
                    words += 1
        self.assertGreater(words, 0)
        return found

    def test_shipped(self):
        """The shipped residual network, and who reads whose results."""
        found = self.check(SHIPPED)
        joins = [entry for entry in found["reads"] if len(entry["from"]) > 1]
        self.assertGreater(len(joins), 0, "the residual join is missing")

    def test_golden(self):
        """Networks of many kinds."""
        names = ["net-cifar10-nas", "net-cifar100-ressimplenet", "net-kws20-v3", "net-mnist", "resnet-4l"]
        paths = [os.path.join(GOLDEN, "max78000", name + ".h5") for name in names]
        if not all(map(os.path.exists, paths)):
            self.skipTest("no golden programs here")
        for path in paths:
            with self.subTest(path):
                self.check(path)

    def test_kernels(self):
        """No kernel word belongs to two layers, and there is one for every write of the loader."""
        found = json.loads(ai8xsim("map", SHIPPED, "--json", "-").stdout)
        self.assertGreater(len(owners(found["kernels"], "processor")), 0)


class Forms(unittest.TestCase):
    """Tables and pictures."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def test_svg(self):
        """The picture is well-formed and shows all instances."""
        path = os.path.join(self.folder, "map.svg")
        result = ai8xsim("map", SHIPPED, "--svg", path)
        self.assertEqual((result.returncode, result.stdout), (OK, ""), result.stderr)
        text = [element.text for element in xml.etree.ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")]
        for i in range(16):
            self.assertIn(f"instance {i}, from 0x{0x50400000 + i // 4 * 0x400000 + i % 4 * 0x8000:08x}", text)
        # Below each instance time: before the run, then the layers.
        self.assertEqual(text.count("in"), 16)

    def test_tables(self):
        """One table per memory; --all shows data memory after every layer."""
        result = ai8xsim("map", SHIPPED)
        self.assertEqual(result.returncode, OK, result.stderr)
        for title in ("Data memory after layer", "Kernel memory", "owner"):
            self.assertIn(title, result.stdout)
        layers = len(json.loads(ai8xsim("map", SHIPPED, "--json", "-").stdout)["reads"])
        self.assertEqual(ai8xsim("map", SHIPPED, "--all").stdout.count("Data memory after layer"), layers)
        self.assertIn("Data memory after layer 0", ai8xsim("map", SHIPPED, "--layer", 0).stdout)

    def test_tables_tell_every_word(self):
        """What the tables put together is what the JSON lists: units and steps lose and invent nothing."""
        models = os.path.join(os.environ["AI8XSIM_SOURCE"], "models")
        for path in (SHIPPED, os.path.join(models, "digits", "digits.h5"), os.path.join(models, "wide", "wide.h5"),
                     os.path.join(models, "mobile", "mobile.h5")):
            tree = json.loads(ai8xsim("map", path, "--json", "-").stdout)
            wanted = {}
            numbers = {layer["register_set"]: layer["number"] for layer in tree["layers"]}
            for run in tree["data"][-1]["runs"]:
                owner = "input" if run["owner"] == "input" else f"layer {numbers[run['owner']]}"
                for word in range(run["first"], run["first"] + run["count"]):
                    wanted[run["instance"], word] = owner
            text = ai8xsim("map", path).stdout
            table = text[text.index("Data memory after"):text.index("Kernel memory")]
            found = {}
            for row in re.findall(r"^ *(\d+)(?: to (\d+))? +0x(\w+) +0x(\w+) +(\d+) +([a-z]+(?: \d+)?)(?: \(set \d+\))?(?:, (\d+) of (\d+))?$",
                                  table, re.MULTILINE):
                first, last = int(row[2], 16), int(row[3], 16)
                piece, distance = (int(row[6]), int(row[7])) if row[6] else (1, 1)
                words = [word for word in range(first, last + 1) if (word - first) % distance < piece]
                self.assertEqual(len(words), int(row[4]), (path, row))
                for unit in range(int(row[0]), int(row[1] or row[0]) + 1):
                    for word in words:
                        self.assertNotIn((unit, word), found)
                        found[unit, word] = row[5]
            self.assertEqual(found, wanted, path)

    def test_one_numbering(self):
        """Layers have the numbers that run and profile show; where the register set differs, it is named."""
        program = os.path.join(os.environ["AI8XSIM_SOURCE"], "models", "mobile", "mobile.h5")
        layers = json.loads(ai8xsim("map", program, "--json", "-").stdout)["layers"]
        run, = json.loads(ai8xsim("run", program, "--json", "-").stdout)["programs"]
        profile = json.loads(ai8xsim("profile", program, "--json", "-").stdout)
        numbers = [layer["number"] for layer in layers]
        self.assertEqual(numbers, [layer["layer"] for layer in profile["profile"]["layers"]])
        self.assertEqual(numbers, [layer["layer"] for layer in run["layers"]])
        self.assertEqual(layers[-2:], [{"register_set": 14, "number": 142}, {"register_set": 15, "number": 14}])
        text = ai8xsim("map", program).stdout
        self.assertIn("Data memory after layer 14 (set 15)", text)
        self.assertNotIn("layer 15", text)
        self.assertIn("Data memory after layer 142 (set 14)", ai8xsim("map", program, "--layer", 142).stdout)
        path = os.path.join(self.folder, "map.svg")
        ai8xsim("map", program, "--svg", path)
        with open(path, encoding="utf-8") as file:
            picture = file.read()
        self.assertIn("kernels of layer 14,", picture)
        self.assertNotIn("layer 15", picture)

    def test_refusals(self):
        """Bad calls say what is wrong."""
        for status, text, arguments in ((USAGE, "no program", []), (USAGE, "layer 99 does not run", [SHIPPED, "--layer", 99]),
                                        (BAD_INPUT, "nowhere.h5", ["nowhere.h5"])):
            result = ai8xsim("map", *arguments)
            self.assertEqual(result.returncode, status, result.stderr)
            self.assertIn(text, result.stderr)


if __name__ == "__main__":
    unittest.main()
