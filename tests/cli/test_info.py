"""ai8xsim info: layers in sentences, registers field by field, layers that are not there."""
import json
import os
import subprocess
import unittest

AI8XSIM = os.environ["AI8XSIM"]
SOURCE = os.environ["AI8XSIM_SOURCE"]
SHIPPED = os.path.join(SOURCE, "golden", "residual2-max78000.h5")

OK, FAILED, USAGE, BAD_INPUT = range(4)


def info(*arguments):
    """Runs the command under test."""
    return subprocess.run([AI8XSIM, "info", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, timeout=60)


class Info(unittest.TestCase):
    """Text and JSON."""

    def test_layers(self):
        result = info("--layers", SHIPPED)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertRegex(result.stdout, r"layer 0: .*3x3 conv, 8 -> ")
        self.assertNotIn("Register writes", result.stdout)

    def test_one_layer(self):
        result = info("--layer", 1, SHIPPED)
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertIn("layer 1 group 0", result.stdout)
        self.assertNotIn("layer 0", result.stdout)

    def test_fields_are_those_of_the_words(self):
        """Each field in the JSON is its bits of the value, as `regs` describes the register."""
        registers = json.loads(info("--json", "-", SHIPPED).stdout)["programs"][0]["registers"]
        self.assertGreater(len(registers), 20)
        tree = json.loads(subprocess.check_output([AI8XSIM, "regs", "--json", "-"]))
        described = {entry["name"]: entry["fields"] for entry in tree["registers"]}
        for register in registers:
            wanted = {field["name"]: register["value"] >> field["low"] & (1 << field["width"]) - 1
                      for field in described[register["register"]]}
            self.assertEqual(register["fields"], wanted, register)

    def test_refusals(self):
        for status, text, arguments in ((USAGE, "layer 7 is not set up and does not run", ["--layer", 7, SHIPPED]),
                                        (USAGE, "--layer: 'x' is not a number", ["--layer", "x", SHIPPED]),
                                        (USAGE, "exclude each other", ["-l", "-r", SHIPPED]), (USAGE, "no program", []),
                                        (BAD_INPUT, "nowhere.h5", ["nowhere.h5"]),
                                        (BAD_INPUT, "compile it first", [os.path.join(SOURCE, "models/wide/wide.yaml")])):
            with self.subTest(arguments=arguments):
                result = info(*arguments)
                self.assertEqual(result.returncode, status, result.stderr)
                self.assertIn(text, result.stderr)
                self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    unittest.main()
