"""bench/silicon/board.py: the firmware that measures boards, made, run and read back under the emulation."""
import csv
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

AI8XSIM = os.environ["AI8XSIM"]
SCRIPT = pathlib.Path(os.environ["AI8XSIM_SOURCE"], "bench", "silicon", "board.py")


def call(*arguments):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True, check=False)


class Board(unittest.TestCase):
    def measure(self, part, folder):
        made = call("/usr/bin/python3", SCRIPT, "make", AI8XSIM, part, folder)
        self.assertEqual(made.returncode, 0, made.stderr)
        log = folder / "log"
        run = call(AI8XSIM, "run", "--uart", log, folder / "board.elf")
        self.assertIn("main returned 0", run.stdout, run.stderr)
        parsed = call("/usr/bin/python3", SCRIPT, "parse", folder, log, folder / "table.tsv")
        self.assertEqual(parsed.returncode, 0, parsed.stderr)
        with open(folder / "table.tsv", encoding="utf-8") as file:
            return log, list(csv.DictReader(file, delimiter="\t"))

    def test_times_are_those_of_the_programs(self):
        for part, core, pipes in (("MAX78000", 100, 1), ("MAX78002", 120, 2)):
            with self.subTest(part=part), tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                _, rows = self.measure(part, folder)
                times = {row["network"]: row for row in rows if row["quantity"] == "latency"}
                self.assertEqual(len(rows), 2 * len(times))
                self.assertEqual(len(times), pipes * 15)
                for network, row in times.items():
                    self.assertEqual(row["runs"], "5")
                    self.assertEqual(row["unit"], f"CPU cycles at {core} MHz")
                    if "fifo" in network:
                        continue
                    profile = call(AI8XSIM, "profile", "--json", "-", "--advice", 0, folder / f"{network}.h5")
                    cycles = json.loads(profile.stdout)["profile"]["cycles"]
                    # The start's write and the polls that see the end, which emulation spaces by up to a sixteenth.
                    extra = float(row["value"]) - cycles * core / float(row["clock_mhz"])
                    self.assertTrue(-2 <= extra <= 0.07 * cycles + 160, (network, extra, cycles))
                self.assertGreater(float(times["fifo-half"]["value"]), float(times["fifo"]["value"]))

    def test_damaged_output_is_refused(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            log, _ = self.measure("MAX78000", folder)
            text = log.read_text(encoding="utf-8")
            for damaged, why in ((text.replace("end\n", ""), "no whole output"), (text[text.index("run"):], "no whole"),
                                 (text.replace("id=fifo ", "id=other "), "no times of fifo")):
                log.write_text(damaged, encoding="utf-8")
                parsed = call("/usr/bin/python3", SCRIPT, "parse", folder, log)
                self.assertNotEqual(parsed.returncode, 0)
                self.assertIn(why, parsed.stderr)


if __name__ == "__main__":
    unittest.main()
