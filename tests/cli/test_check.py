"""ai8xsim check as users call it: exit statuses, text, JSON, filters, folders, and bad input."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]
SHIPPED = os.path.join(os.environ["AI8XSIM_SOURCE"], "golden", "residual2-max78000.h5")

OK, FOUND, USAGE, BAD_INPUT = range(4)
WRITE32 = 0
RPTR_BASE = 0x50100510
DATA = 0x50400000


def check(*arguments):
    """Runs the program under test; a call that takes a minute hangs."""
    return subprocess.run([AI8XSIM, "check", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, timeout=60)


class Case(unittest.TestCase):
    """The shipped program, and copies of it with a fault."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def edited(self, edit, name="program.h5"):
        """The shipped program with its operations changed by edit(operations), which returns the new ones."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(SHIPPED, path)
        os.chmod(path, 0o644)
        with h5py.File(path, "r+") as file:
            operations = edit(file["program"][:])
            del file["program"]
            file["program"] = operations
        return path

    def without_input_word(self, name="program.h5"):
        """One word of the copy of the input that layer 1 adds is not loaded."""
        def edit(operations):
            written = (operations["kind"] == WRITE32) & (operations["addr"] >= DATA)
            return operations[[i for i in range(len(operations)) if i != written.nonzero()[0][5]]]
        return self.edited(edit, name)

    def findings(self, path, *options):
        """Exit status and findings of one program."""
        done = check("--json", "-", *options, path)
        return done.returncode, json.loads(done.stdout)["programs"][0]["findings"]


class Findings(Case):
    """What is found, and what follows from it."""

    def test_working_program(self):
        done = check(SHIPPED)
        self.assertEqual(done.returncode, OK, done.stdout + done.stderr)
        self.assertIn("residual2-max78000 (MAX78000)", done.stdout)

    def test_error_in_text(self):
        done = check(self.without_input_word())
        self.assertEqual(done.returncode, FOUND)
        self.assertIn("error: data-unwritten, layer 1", done.stdout)
        paragraph = " ".join(done.stdout.split())
        self.assertIn("which nobody has written", paragraph)
        self.assertIn("check that the input data are loaded completely", paragraph)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 110)

    def test_error_in_json(self):
        status, findings = self.findings(self.without_input_word())
        self.assertEqual(status, FOUND)
        finding = next(f for f in findings if f["class"] == "data-unwritten")
        self.assertEqual(finding["severity"], "error")
        self.assertEqual(finding["layer"], 1)
        self.assertEqual(finding["count"], 4)
        self.assertGreaterEqual(finding["address"], DATA)
        self.assertIsNone(finding["other_layer"])
        for key in ("title", "cause", "remedy"):
            self.assertTrue(finding[key])

    def test_layers_in_json(self):
        done = check("--json", "-", SHIPPED)
        program = json.loads(done.stdout)["programs"][0]
        self.assertGreater(len(program["layers"]), 1)
        for layer in program["layers"]:
            self.assertTrue(layer["finished"])
            self.assertLessEqual(layer["clipped_low"] + layer["clipped_high"], layer["outputs"])
            self.assertLessEqual(layer["accumulator_min"], layer["accumulator_max"])
            self.assertLessEqual(layer["slots_used"], layer["slots"])

    def test_layers_in_text(self):
        done = check("--layers", SHIPPED)
        self.assertEqual(done.returncode, OK)
        self.assertIn("greatest sum", done.stdout)

    def test_dead_lock_is_a_finding(self):
        def edit(operations):
            operations["value"][operations["addr"] == 0x50100000] |= 1 << 15
            # A frame of four words (IFRM), before anything else; without one nothing would be awaited.
            frame = operations[operations["addr"] == 0x50100000][:1].copy()
            frame["addr"], frame["value"] = 0x50100990, 4
            longer = operations.take([0, *range(len(operations))])
            longer[:1] = frame
            return longer
        status, findings = self.findings(self.edited(edit))
        self.assertEqual(status, FOUND)
        self.assertIn("fifo-deadlock", {f["class"] for f in findings})


class Options(Case):
    """Levels, classes, several programs."""

    def test_fail_on(self):
        def edit(operations):
            # A register of a layer that does not run is written and zeroed again: information only.
            extra = operations[:2].copy()
            extra["kind"] = WRITE32
            extra["addr"] = RPTR_BASE + 4 * 31
            extra["value"] = [1, 0]
            return numpy.concatenate([extra, operations])
        path = self.edited(edit)
        self.assertEqual(check(path).returncode, OK)
        self.assertEqual(check("--fail-on", "warning", path).returncode, OK)
        self.assertEqual(check("--fail-on", "info", path).returncode, FOUND)
        self.assertNotIn("register-overwritten", check(path).stdout)
        self.assertIn("register-overwritten", check("--level", "info", path).stdout)

    def test_class(self):
        path = self.without_input_word()
        self.assertEqual(check("--class", "kernel-conflict,bias-conflict", path).returncode, OK)
        status, findings = self.findings(path, "--class", "data-unwritten")
        self.assertEqual(status, FOUND)
        self.assertEqual({f["class"] for f in findings}, {"data-unwritten"})

    def test_folder(self):
        self.without_input_word("programs/a.h5")
        shutil.copyfile(SHIPPED, self.path("programs", "b.h5"))
        done = check("--jobs", "2", "--json", self.path("report.json"), self.path("programs"), SHIPPED)
        self.assertEqual(done.returncode, FOUND)
        with open(self.path("report.json"), encoding="utf-8") as file:
            programs = json.load(file)["programs"]
        self.assertEqual([program["errors"] > 0 for program in programs], [True, False, False])

    def test_list(self):
        done = check("--list")
        self.assertEqual(done.returncode, OK)
        self.assertGreater(len(done.stdout.splitlines()), 30)


class BadInput(Case):
    """Command lines and files that make no sense."""

    def test_usage(self):
        for arguments in ([], ["--fail-on", "never", SHIPPED], ["--class", "no-such", SHIPPED],
                          ["--jobs", "0", SHIPPED], ["--level", "", SHIPPED], [self.path("stimulus.mem")]):
            done = check(*arguments)
            self.assertEqual(done.returncode, USAGE, arguments)
            self.assertTrue(done.stderr, arguments)

    def test_files(self):
        with open(self.path("text.h5"), "w", encoding="utf-8") as file:
            file.write("no HDF5")
        for path in (self.path("missing.h5"), self.path("text.h5")):
            done = check(path)
            self.assertEqual(done.returncode, BAD_INPUT)
            self.assertIn(path, done.stderr)
        # What can be checked is checked.
        done = check(self.path("missing.h5"), SHIPPED)
        self.assertEqual(done.returncode, BAD_INPUT)
        self.assertIn("residual2-max78000", done.stdout)


if __name__ == "__main__":
    unittest.main()
