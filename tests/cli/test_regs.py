"""ai8xsim regs: the map of both parts, single registers, addresses and values."""
import json
import os
import subprocess
import unittest

import h5py

AI8XSIM = os.environ["AI8XSIM"]
SHIPPED = os.path.join(os.environ["AI8XSIM_SOURCE"], "golden", "residual2-max78000.h5")

OK, FAILED, USAGE, BAD_INPUT = range(4)


def ai8xsim(*arguments):
    """Runs the program under test."""
    return subprocess.run([AI8XSIM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          check=False, timeout=60)


def whole_map(part):
    """The map as JSON."""
    return json.loads(ai8xsim("regs", "--part", part, "--json", "-").stdout)


class Map(unittest.TestCase):
    """The table and the JSON form."""

    def test_known_addresses(self):
        """Values of the hardware reference, sections 1 to 3."""
        for part, registers, data in (("MAX78000", {"RCNT": 0x50100010, "LCTL": 0x50100590}, 0x50400000),
                                      ("MAX78002", {"RCNT": 0x51100004, "LCTL": 0x51100030}, 0x51800000)):
            tree = whole_map(part)
            self.assertEqual((tree["version"], tree["part"]), (1, part))
            found = {entry["name"]: entry["address"] for entry in tree["registers"]}
            for name, address in registers.items():
                self.assertEqual(found[name], address, name)
            self.assertEqual({entry["name"]: entry["address"] for entry in tree["memories"]}["data memory"], data)

    def test_layers_of_the_parts(self):
        for part, layers in (("MAX78000", 32), ("MAX78002", 128)):
            counts = {entry["count"] for entry in whole_map(part)["registers"] if entry["kind"] == "layer register"}
            self.assertEqual(counts, {layers})

    def test_fields_do_not_overlap(self):
        for part in ("MAX78000", "MAX78002"):
            for register in whole_map(part)["registers"]:
                taken = 0
                # One bit with two meanings: shift_cnt counts for read-ahead, dw_bcast for depth-wise layers.
                if register["name"] == "LCTL":
                    register["fields"] = [field for field in register["fields"] if field["name"] != "dw_bcast"]
                for field in register["fields"]:
                    mask = ((1 << field["width"]) - 1) << field["low"]
                    self.assertEqual(taken & mask, 0, (part, register["name"], field["name"]))
                    self.assertLess(mask, 1 << 32)
                    taken |= mask

    def test_every_register_write_of_a_program_lies_on_the_map(self):
        spans = [(entry["address"] + group * entry["group_stride"] + index * entry["stride"])
                 for entry in whole_map("MAX78000")["registers"]
                 for group in range(entry["groups"]) for index in range(entry["count"])]
        self.assertEqual(len(spans), len(set(spans)))
        with h5py.File(SHIPPED) as file:
            addresses = {int(op["addr"]) for op in file["program"][()] if 0x50100000 <= op["addr"] < 0x50108000}
        self.assertGreater(len(addresses), 20)
        self.assertEqual(addresses - set(spans), set())

    def test_table(self):
        result = ai8xsim("regs", "--device", "max78002")
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertIn("MAX78002", result.stdout)
        self.assertRegex(result.stdout, r"LCTL +layer +0x51100030 +\+0x100 +128")


class Words(unittest.TestCase):
    """Registers, addresses and values on the command line."""

    def test_write_pointer(self):
        result = ai8xsim("regs", "0x50100320=0x8021")
        self.assertEqual(result.returncode, OK, result.stderr)
        self.assertIn("WPTR_BASE layer 4 group 0", result.stdout)
        self.assertIn("byte offset 0x0084 of data memory instance 4 (group 1, processors 16 to 19): "
                      "bus address 0x50800084", " ".join(result.stdout.split()))
        self.assertEqual(result.stdout.replace("0x50100320", "0x50100310").replace("layer 4", "layer 0"),
                         ai8xsim("regs", "wptr_base=32801").stdout)

    def test_pointer_that_leaves_the_memory(self):
        result = ai8xsim("regs", "--part", "78002", "WPTR_BASE=0x7fff")
        self.assertIn("no word 0x7fff in instance 0", result.stdout)

    def test_memories(self):
        result = ai8xsim("regs", "0x50808010")
        self.assertIn("data memory group 1 instance 5 word 0x0004: byte offset 0x0010, processors 20 to 23",
                      result.stdout)

    def test_bad_words(self):
        for word, status, message in (("LCTLX", BAD_INPUT, "did you mean 'LCTL'?"), ("0x99", BAD_INPUT, "nothing there"),
                                      ("LCTL=x", USAGE, "a number of 32 bits"), ("0xzz", USAGE, "no address"),
                                      ("=5", USAGE, "neither"), ("", USAGE, "neither"), ("NXTLYR", BAD_INPUT, "")):
            with self.subTest(word=word):
                result = ai8xsim("regs", word)
                self.assertEqual(result.returncode, status)
                self.assertIn(message, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_options(self):
        self.assertEqual(ai8xsim("regs", "--part", "MAX9").returncode, USAGE)
        self.assertEqual(ai8xsim("regs", "--json", "-", "LCTL").returncode, USAGE)


if __name__ == "__main__":
    unittest.main()
