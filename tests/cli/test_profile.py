"""ai8xsim profile: numbers against the run, JSON, HTML, baselines, advice, and bad calls."""
import html.parser
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import numpy

AI8XSIM = os.environ["AI8XSIM"]
SHIPPED = os.path.join(os.environ["AI8XSIM_SOURCE"], "golden", "residual2-max78000.h5")
MOBILE = os.path.join(os.environ["AI8XSIM_SOURCE"], "models", "mobile", "mobile.yaml")
GOLDEN = os.environ["AI8XSIM_GOLDEN"]

OK, FAILED, USAGE, BAD_INPUT = range(4)

# 60 channels before a layer that could read 64, an expensive first layer, a pooling layer of its own, and a
# 1x1 convolution.
NETWORK = """---
arch: test
dataset: test
layers:
  - {in_channels: 3, in_dim: [32, 32], out_channels: 60, processors: 0x7, operation: conv2d, kernel_size: 3x3, pad: 1,
     activate: ReLU, data_format: HWC, out_offset: 0x2000}
  - {max_pool: 2, pool_stride: 2, processors: 0x0fffffffffffffff, operation: passthrough, out_offset: 0}
  - {out_channels: 32, processors: 0x0fffffffffffffff, operation: conv2d, kernel_size: 3x3, pad: 1, activate: ReLU,
     out_offset: 0x2000}
  - {out_channels: 16, processors: 0xffffffff, operation: conv2d, kernel_size: 1x1, pad: 0, out_offset: 0}
"""


def ai8xsim(*arguments):
    """Runs the program under test."""
    return subprocess.run([AI8XSIM, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=120)


class Page(html.parser.HTMLParser):
    """Checks that every element is closed, and gathers what refers to the outside."""

    VOID = {"meta", "br", "rect", "circle", "line", "path"}

    def __init__(self):
        super().__init__()
        self.open, self.outside, self.text, self.headings = [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID or not self.get_starttag_text().endswith("/>"):
            if tag not in {"meta", "br"}:
                self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action") or (value and re.search(r"https?:|url\(", value)):
                self.outside.append((tag, name, value))
        if tag in ("script", "link", "iframe", "img", "object"):
            self.outside.append((tag, None, None))

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] == "h2":
            self.headings.append(data)


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        """A path in it."""
        return os.path.join(self.folder, name)

    def network(self, text=NETWORK, name="net.yaml"):
        """A network description."""
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def profile(self, *arguments):
        """The report as JSON."""
        result = ai8xsim("profile", *arguments, "--json", "-")
        self.assertEqual(result.returncode, OK, result.stderr)
        return json.loads(result.stdout)


class Numbers(Case):
    """What is printed equals what a run counts."""

    def test_cycles_of_the_run(self):
        """Total and layers equal those of ai8xsim run on the exact engine."""
        run = json.loads(ai8xsim("run", "--engine", "exact", "--json", "-", SHIPPED).stdout)
        text = json.dumps(run)
        profile = self.profile(SHIPPED)["profile"]
        self.assertIn(f'"cycles": {profile["cycles"]}', text)
        for layer in profile["layers"]:
            self.assertIn(f'"cycles": {layer["cycles"]}', text)

    def test_macs_of_the_accelerator_and_of_the_network(self):
        """Channels that fill passes are counted, and told apart where the network is known."""
        layer = "{operation: conv2d, kernel_size: 1x1, in_channels: 100, in_dim: [8, 8], out_channels: 70, pad: 0}"
        path = self.network(f"arch: test\ndataset: test\nlayers:\n  - {layer}\n")
        profile = self.profile(path)["profile"]
        self.assertEqual(profile["macs"], 104 * 72 * 64)
        self.assertEqual(profile["network_macs"], 100 * 70 * 64)
        self.assertIn("the accelerator does 31,232 more than the 448,000 of the network", ai8xsim("profile", path).stdout)
        self.assertNotIn("more than the", ai8xsim("profile", SHIPPED).stdout)

    def test_causes_are_a_partition(self):
        """Causes add up, layer by layer and in total."""
        profile = self.profile(SHIPPED)["profile"]
        self.assertEqual(sum(profile["causes"].values()), profile["cycles"])
        for layer in profile["layers"]:
            self.assertEqual(sum(layer["causes"].values()), layer["cycles"])
        self.assertAlmostEqual(sum(layer["share"] for layer in profile["layers"]), 1 - 1 / profile["cycles"])

    def test_volts(self):
        """Energy at both supplies of the MAX78002; advice is at the same one, and only measured ones are taken."""
        found = {volts: self.profile(MOBILE, *(("--volts", volts) if volts else ())) for volts in ("", "1.0", "1.1")}
        joules = {volts: data["profile"]["joules_estimate"] for volts, data in found.items()}
        self.assertEqual(joules[""], joules["1.0"])
        self.assertTrue(1.2 * joules["1.0"] - 1e-6 < joules["1.1"] < 1.3 * joules["1.0"], joules)
        self.assertTrue(found["1.1"]["advice"])
        for advice in found["1.1"]["advice"]:
            self.assertAlmostEqual(advice["joules_before_estimate"], joules["1.1"], delta=1e-12)

    def test_clock(self):
        """Time follows the clock, cycles do not."""
        slow = self.profile(SHIPPED, "--clock", "PCLK/16")["profile"]
        fast = self.profile(SHIPPED)["profile"]
        self.assertEqual(slow["cycles"], fast["cycles"])
        self.assertAlmostEqual(slow["seconds"], 16 * fast["seconds"])
        self.assertEqual(fast["clock_hz"], 50_000_000)

    def test_fifo_pace(self):
        """Words that come late stall the run; words in time do not."""
        program = os.path.join(GOLDEN, "max78000", "net-cats-dogs.h5")
        if not os.path.exists(program):
            self.skipTest("no golden programs here")
        late = self.profile(program, "--fifo-pace", 100)["profile"]
        in_time = self.profile(program, "--fifo-pace", 0)["profile"]
        self.assertEqual(in_time["causes"]["stall"], 0)
        self.assertEqual(late["cycles"], in_time["cycles"] + late["causes"]["stall"])
        self.assertGreater(late["cycles"], 16384 * 100)

    def test_table(self):
        """The table for people has every layer, the total, and marks estimates."""
        profile = self.profile(SHIPPED)["profile"]
        result = ai8xsim("profile", SHIPPED)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertIn(f'{profile["cycles"]:,}', result.stdout)
        for layer in profile["layers"]:
            self.assertIn(layer["bound"].removeprefix("limited by "), result.stdout)
        self.assertRegex(result.stdout, r"~[0-9.]+ uJ")
        self.assertIn("estimate", result.stdout)

    def test_width(self):
        """The table fits 80 characters, also with large counts and long names; --wide has all columns."""
        network = self.path("large.yaml")
        with open(network, "w", encoding="utf-8") as file:
            file.write("layers:\n  - {name: " + "\u00e9" * 60 + ", in_channels: 64, in_dim: [100, 100], out_channels: 64, "
                       "operation: conv2d, kernel_size: 3x3, pad: 1, max_pool: 2, pool_stride: 2}\n")
        for arguments in ((SHIPPED,), (network, "--part", "MAX78002"), (self.network(), "--part", "MAX78002")):
            table = ai8xsim("profile", *arguments).stdout.split("\n\n")[1].splitlines()
            self.assertTrue(all(len(line.rstrip()) <= 80 for line in table), "\n".join(table))
            self.assertRegex(table[0], r"^layer +operation +cycles +share +bound$")
            wide = ai8xsim("profile", "--wide", *arguments).stdout.split("\n\n")[1].splitlines()
            self.assertEqual(len(wide) + 1, len(table), "a line with time and energy follows the narrow table")
            self.assertIn("words/MAC", wide[0])

    def test_estimated_part(self):
        """Cycles of the MAX78002 are marked."""
        result = ai8xsim("profile", self.network(), "--part", "MAX78002", "--advice", 0)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertRegex(result.stdout, r"run +~[0-9,]+")
        result = ai8xsim("profile", self.network(), "--part", "MAX78002", "--baseline", self.network())
        self.assertRegex(result.stdout, r"\ncycles +~[0-9,]+ +~[0-9,]+ ")
        self.assertRegex(result.stdout, r"\n +~[0-9,]+ -> ~[0-9,]+ cycles ")
        for part, are in (("MAX78000", "exact"), ("MAX78002", "estimate")):
            self.assertEqual(self.profile(self.network(), "--part", part)["profile"]["cycles_are"], are)
            page = self.path("page.html")
            self.assertEqual(ai8xsim("profile", self.network(), "--part", part, "--html", page).returncode, OK)
            with open(page, encoding="utf-8") as file:
                cycles = re.search(r"<b>(~?)[0-9,]+</b><span>cycles</span>", file.read())
            self.assertEqual(cycles.group(1), "~" if are == "estimate" else "")


class Networks(Case):
    """Descriptions without weights."""

    def test_advice_is_verified(self):
        """A suggestion's cycles are those of the network changed by hand."""
        report = self.profile(self.network(), "--advice", 100)
        found = {advice["change"]: advice for advice in report["advice"]}
        fused = found["layer 1: pool in layer 2 instead of in a layer of its own"]
        by_hand = NETWORK.replace("  - {max_pool: 2, pool_stride: 2, processors: 0x0fffffffffffffff, operation: "
                                  "passthrough, out_offset: 0}\n", "").replace(
            "{out_channels: 32,", "{max_pool: 2, pool_stride: 2, out_channels: 32,").replace(
            "out_offset: 0x2000}\n  - {out_channels: 16", "out_offset: 0}\n  - {out_channels: 16").replace(
            "out_offset: 0}\n\"", "out_offset: 0x2000}\n\"")
        changed = self.profile(self.network(by_hand, "changed.yaml"))["profile"]
        self.assertEqual(fused["cycles_after"], changed["cycles"])
        self.assertEqual(fused["cycles_before"], report["profile"]["cycles"])
        self.assertTrue(fused["same_function"])

    def test_four_channels_for_sixty(self):
        """64 instead of 60 channels: reading them costs nothing, writing them what four channels cost."""
        report = self.profile(self.network(), "--advice", 100)
        wider = NETWORK.replace("out_channels: 60", "out_channels: 64").replace("0x0fffffffffffffff",
                                                                                "0xffffffffffffffff")
        before, after = report["profile"], self.profile(self.network(wider, "wider.yaml"))["profile"]
        self.assertEqual([layer["cycles"] for layer in before["layers"][2:]],
                         [layer["cycles"] for layer in after["layers"][2:]])
        self.assertEqual(after["layers"][0]["cycles"] - before["layers"][0]["cycles"], 4 * 32 * 32)

    def test_advice_for_lines(self):
        """Networks of one dimension can be folded and pooled earlier, too; the cycles are those of the changed network."""
        text = ("arch: test\ndataset: test\nlayers:\n"
                "  - {name: stem, operation: conv1d, kernel_size: 3, pad: 1, in_channels: 2, in_dim: [256, 1], out_channels: 32}\n"
                "  - {operation: conv1d, kernel_size: 3, pad: 1, %smax_pool: 2, pool_stride: 2, out_channels: 32}\n"
                "  - {operation: conv1d, kernel_size: 3, pad: 1, out_channels: 4}\n")
        found = {entry["change"]: entry for entry in self.profile(self.network(text % ""), "--advice", 100)["advice"]}
        earlier = found["pool before layer 0 (stem) instead of in layer 1"]
        by_hand = (text % "").replace("in_dim: [256, 1]", "in_dim: [256, 1], max_pool: 2, pool_stride: 2", 1).replace(
            "pad: 1, max_pool: 2, pool_stride: 2, out", "pad: 1, out")
        self.assertEqual(earlier["cycles_after"], self.profile(self.network(by_hand, "by_hand.yaml"))["profile"]["cycles"])
        folded = next(entry for change, entry in found.items() if change.startswith("fold the input: 4x128x1 instead of 2x256x1"))
        self.assertLess(folded["cycles_after"], folded["cycles_before"] * 0.7)

    def test_advice_to_stream(self):
        """Rows computed while they come: the cycles are those of the changed network, which runs."""
        text = ("layers:\n"
                "  - {name: first, in_channels: 3, in_dim: [64, 64], out_channels: 16, op: conv2d, activate: ReLU%s}\n"
                "  - {name: second, out_channels: 32, op: conv2d, max_pool: 2, pool_stride: 2, activate: ReLU%s}\n"
                "  - {name: third, out_channels: 32, op: conv2d, max_pool: 2, pool_stride: 2}\n")
        for part in "MAX78000", "MAX78002":
            with self.subTest(part=part):
                report = self.profile(self.network(text % ("", "")), "--advice", 100, "--part", part)
                found = {entry["change"]: entry for entry in report["advice"]}
                streamed = found["stream the input: 'streaming: true' in layer 0 (first) and layer 1 (second)"]
                self.assertTrue(streamed["same_function"])
                self.assertLess(streamed["seconds_with_input_after_estimate"], streamed["seconds_with_input_before_estimate"])
                by_hand = self.network(text % (2 * (", streaming: true",)), "by_hand.yaml")
                self.assertEqual(streamed["cycles_after"], self.profile(by_hand, "--part", part)["profile"]["cycles"])
        streaming = self.profile(self.network(text % (2 * (", streaming: true",))), "--advice", 100)
        self.assertFalse([entry for entry in streaming["advice"] if entry["change"].startswith("stream the input")])

    def test_advice_names_layers(self):
        """By number and by name; large kernels for single pixels are not among them."""
        text = ("arch: test\ndataset: test\nlayers:\n"
                "  - {name: stem, operation: conv2d, kernel_size: 3x3, pad: 1, in_channels: 4, in_dim: [8, 8], "
                "out_channels: 16}\n"
                "  - {name: middle, operation: conv2d, kernel_size: 1x1, pad: 0, out_channels: 16}\n"
                "  - {name: last, avg_pool: 8, pool_stride: 8, operation: conv2d, kernel_size: 1x1, pad: 0, "
                "out_channels: 4}\n")
        changes = [entry["change"] for entry in self.profile(self.network(text), "--advice", 100)["advice"]]
        self.assertIn("layer 0 (stem): 1x1 instead of 3x3 kernels", changes)
        self.assertIn("layer 1 (middle): merge it into layer 2 (last)", changes)
        self.assertNotIn("layer 2 (last): 3x3 instead of 1x1 kernels", changes)

    def test_programs_have_no_advice(self):
        """But are told how to get some."""
        self.assertIn("profile its description (.yaml)", ai8xsim("profile", SHIPPED).stdout)
        self.assertNotIn(".yaml", ai8xsim("profile", SHIPPED, "--advice", 0).stdout)

    def test_shapes_from_a_sample_input(self):
        """Descriptions as generators have them do not give the input's shape."""
        bare = self.network(NETWORK.replace("in_channels: 3, in_dim: [32, 32], ", ""), "bare.yaml")
        result = ai8xsim("profile", bare)
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertIn("Give --input-shape 3xROWSxCOLUMNS", result.stderr)
        numpy.save(self.path("input.npy"), numpy.zeros((3, 32, 32), dtype=numpy.int8))
        given = self.profile(bare, "--input", self.path("input.npy"))
        self.assertEqual(given["profile"]["cycles"], self.profile(self.network())["profile"]["cycles"])
        self.assertEqual(ai8xsim("map", bare, "-i", self.path("input.npy")).stdout,
                         ai8xsim("map", self.network()).stdout)

    def test_every_suggestion_gains(self):
        """What is listed saves time or energy, or makes the network larger for at most a hundredth."""
        advice = self.profile(self.network())["advice"]
        self.assertGreater(len(advice), 2)
        for entry in advice:
            faster = entry["seconds_with_input_after_estimate"] < entry["seconds_with_input_before_estimate"]
            saves = entry["joules_after_estimate"] < entry["joules_before_estimate"]
            larger = entry["macs_after"] > entry["macs_before"]
            self.assertTrue(faster or saves or larger, entry["change"])

    def test_many_layers(self):
        """A network of 31 layers, near the most that the part has."""
        layers = "".join(f"  - {{out_channels: 16, processors: 0xffff, operation: conv2d, kernel_size: 3x3, pad: 1, "
                         f"activate: ReLU, out_offset: {0x2000 * (i % 2)}}}\n" for i in range(30))
        text = ("---\narch: test\ndataset: test\nlayers:\n  - {in_channels: 16, in_dim: [16, 16], out_channels: 16, "
                "processors: 0xffff, operation: conv2d, kernel_size: 3x3, pad: 1, out_offset: 0x2000}\n" + layers)
        path = self.network(text)
        self.assertEqual(len(self.profile(path, "--advice", 0)["profile"]["layers"]), 31)


class Pages(Case):
    """--html"""

    def page(self, *arguments):
        """A parsed page."""
        path = self.path("page.html")
        result = ai8xsim("profile", *arguments, "--html", path)
        self.assertEqual(result.returncode, OK, result.stderr)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        page = Page()
        page.feed(text)
        page.close()
        self.assertEqual(page.open, [])
        self.assertEqual(page.outside, [], "the page refers to something outside of itself")
        return page

    def test_sections(self):
        """Everything is there."""
        page = self.page(self.network(), "--baseline", SHIPPED)
        for heading in ("Compared with a baseline", "Where the cycles go", "Timeline", "Layers", "Advice",
                        "Causes, layer by layer", "Processors", "Data memory over time", "Kernel memory", "Graph",
                        "Loading"):
            self.assertIn(heading, page.headings)

    def test_hostile_name(self):
        """Names are text, never markup."""
        text = NETWORK.replace("  - {in_channels", "  - {name: '<script>alert(1)</script>&\"', in_channels")
        page = self.page(self.network(text))
        self.assertIn("<script>alert(1)</script>&\"", "".join(page.text))


class Baselines(Case):
    """--baseline"""

    def test_itself(self):
        """A program compared with itself does not change."""
        report = self.profile(SHIPPED, "--baseline", SHIPPED)
        self.assertEqual(report["profile"], report["baseline"])
        text = ai8xsim("profile", SHIPPED, "--baseline", SHIPPED).stdout
        self.assertNotRegex(text, r"[+-][0-9.]+ %")
        table = text[text.index("Compared with the baseline"):].split("\n\n")
        self.assertEqual([part.count("none") for part in table[:2]], [6, len(report["profile"]["layers"])])

    def test_layers(self):
        """Layers are compared with those of their names; the page is green only where something is better."""
        names = "arch: net\nlayers:\n  - {name: one, in_channels: 3, in_dim: [16, 16], operation: conv2d, kernel_size: 3x3, " \
                "pad: 1, out_channels: 32}\n  - {name: OTHER, operation: conv2d, kernel_size: 3x3, pad: 1, " \
                "out_channels: 8}\n"
        slower = self.network(names.replace("OTHER", "two"), "slower.yaml")
        faster = self.network(names.replace("32", "16").replace("OTHER", "three"), "faster.yaml")
        page = self.path("page.html")
        result = ai8xsim("profile", faster, "--baseline", slower, "--advice", 0, "--html", page)
        self.assertEqual(result.returncode, OK, result.stderr)
        table = result.stdout[result.stdout.index("cycles of layer"):]
        self.assertRegex(table, r"\n0 one +[0-9,]+ +[0-9,]+ +-[0-9.]+ %\n1 three +- +[0-9,]+ +new\n")
        with open(page, encoding="utf-8") as file:
            html = file.read()
        changes = re.findall(r'<td class="r(?: (good|bad))?">(none|new|[+-][0-9.]+ %)</td>', html)
        self.assertIn("good", [colour for colour, _ in changes])
        for colour, change in changes:
            self.assertEqual(colour, {"-": "good", "+": "bad"}.get(change[0], ""))


class Refusals(Case):
    """Bad calls say what is wrong."""

    def test_calls(self):
        """Usage and bad input."""
        for status, text, arguments in (
                (USAGE, "no program or network", []),
                (USAGE, "one program at a time", [SHIPPED, SHIPPED]),
                (USAGE, "no clock of the MAX78000", [SHIPPED, "--clock", "PCLK/3"]),
                (USAGE, "measured at 1.1 V, not at '1.2'", [SHIPPED, "--volts", "1.2"]),
                (USAGE, "measured at 1.0 or 1.1 V, not at '1.1V'", [MOBILE, "--volts", "1.1V"]),
                (USAGE, "unknown feed", [SHIPPED, "--feed", "telepathy"]),
                (USAGE, "is not a number", [SHIPPED, "--fifo-pace", "-1"]),
                (USAGE, "unknown part", [SHIPPED, "--part", "MAX1"]),
                (BAD_INPUT, "nowhere.yaml", [self.path("nowhere.yaml")]),
                (BAD_INPUT, "nowhere.h5", [SHIPPED, "--baseline", self.path("nowhere.h5")]),
        ):
            result = ai8xsim("profile", *arguments)
            self.assertEqual(result.returncode, status, (arguments, result.stderr))
            self.assertIn(text, result.stderr)
            self.assertEqual(result.stdout, "")

    def test_unwritable(self):
        """A folder that is not there."""
        result = ai8xsim("profile", SHIPPED, "--html", self.path("none/page.html"))
        self.assertEqual(result.returncode, 5)
        self.assertIn("cannot write", result.stderr)


if __name__ == "__main__":
    unittest.main()
