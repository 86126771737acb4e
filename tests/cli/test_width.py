"""What commands print fits 80 columns, whatever the network; --wide shows what was left out."""
import os
import pty
import shutil
import subprocess
import tempfile
import unittest

AI8XSIM = os.environ["AI8XSIM"]
SOURCE = os.environ["AI8XSIM_SOURCE"]
MODELS = os.path.join(SOURCE, "models")
DIGITS, MOBILE = (os.path.join(MODELS, name, name + ".h5") for name in ("digits", "mobile"))
COLUMNS = 80
COMMANDS = "bench check compare compile eval golden info map profile regs run show sweep trace".split()

WIDE_SWEEP = """network: {network}
parameters:
  part: [MAX78000, MAX78002]
  a-name-that-is-long-enough: {{set: [stem.quantization, block1a.quantization], values: [8, 4, 2, 1]}}
  "*.bias_group_of_no_use": {{one: {{top.output_shift: 0}}, another: {{top.output_shift: 1}}}}
  image: {{set: [stem.in_dim], values: [[8, 8], [16, 16]]}}
pareto: [less kernel_words, more cycles]
"""


class Width(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def lines(self, *arguments):
        """Lines of standard output. Paths in them are short: the folder is the working one."""
        result = subprocess.run([AI8XSIM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                check=False, timeout=120, cwd=self.folder)
        self.assertIn(result.returncode, (0, 1), result.stderr)
        return result.stdout.splitlines()

    def commands(self):
        """Every command, and everything it can print."""
        shutil.copy(DIGITS, self.path("digits.h5"))
        shutil.copy(MOBILE, self.path("mobile-under-a-name-that-takes-its-room.h5"))
        programs = ["digits.h5", "mobile-under-a-name-that-takes-its-room.h5"]
        with open(self.path("sweep.yaml"), "w", encoding="utf-8") as file:
            file.write(WIDE_SWEEP.format(network=os.path.join(MODELS, "digits", "digits.yaml")))
        yield ("--help",)
        for command in COMMANDS:
            yield "help", command
        for program in programs:
            for command in ("run", "check", "info", "map", "profile"):
                yield command, program
            yield "run", "--per-layer", "--verbose", program
            yield "bench", "--seconds", "0.01", program
        yield "run", *programs
        for name in ("digits", "keywords", "mobile", "segmentation", "wide"):
            network = os.path.join(MODELS, name, name + ".yaml")
            yield "profile", network
            yield "profile", network, "--baseline", os.path.join(MODELS, "digits", "digits.yaml")
            yield "map", network
            yield "golden", network
        yield "eval", "digits.h5", "--data", os.path.join(MODELS, "digits", "heldout.h5")
        yield "sweep", "sweep.yaml"
        yield "show", "digits.h5", "-o", "page.html"
        yield "trace", "digits.h5", "-o", "trace.csv"
        for part in ("MAX78000", "MAX78002"):
            yield "regs", "--part", part
        yield "regs", "CTL=0x8021"
        yield "regs", "WPTR_BASE=0x8021"
        self.lines("run", "--json", "before.json", "digits.h5")
        self.lines("run", "--json", "after.json", *programs)
        yield "compare", "before.json", "after.json"

    def test_examples_of_helps_keep_their_lines(self):
        """No example of a help is so long that it goes on at the left margin."""
        for command in COMMANDS:
            lines = "\n".join(self.lines("help", command)).split("\nExamples:\n")[1].split("\n\n")[0].splitlines()
            self.assertEqual([line for line in lines if not line.startswith("  ")], [], command)

    def test_long_names_give_way(self):
        """A long name is cut in its middle, a long path before its end, before `run` leaves out a column."""
        shutil.copy(DIGITS, self.path("digits.h5"))
        os.mkdir(self.path("a-folder-whose-name-is-long"))
        shutil.copy(DIGITS, self.path("a-folder-whose-name-is-long/digits.h5"))
        head, _, long, *rest = self.lines("run", "digits.h5", "a-folder-whose-name-is-long/digits.h5")
        self.assertEqual(head.split(), "program part layers cycles time checks mismatches result".split())
        self.assertRegex(long, r"^\.\.\.\S*/digits\.h5 +MAX78000 +10 ")
        self.assertIn("--wide shows all of the table", rest)
        self.assertIn("a-folder-whose-name-is-long/digits.h5 ",
                      self.lines("run", "--wide", "digits.h5", "a-folder-whose-name-is-long/digits.h5")[2])

    def test_eighty_columns(self):
        for command in self.commands():
            with self.subTest(command=command):
                lines = self.lines(*command)
                self.assertEqual([line for line in lines if len(line.rstrip()) > COLUMNS], [])

    def test_wide(self):
        """All columns and whole texts, where asked for."""
        for command in self.commands():
            if command[0] not in ("run", "sweep", "golden"):
                continue
            narrow, wide = self.lines(*command), self.lines(*command, "--wide")
            if any("--wide" in line for line in narrow):
                self.assertGreater(max(map(len, wide)), COLUMNS, command)
                self.assertFalse(any("--wide" in line for line in wide))


if __name__ == "__main__":
    unittest.main()

    def on_a_terminal(self, *arguments):
        """What a terminal shows."""
        terminal, end = pty.openpty()
        self.addCleanup(os.close, terminal)
        with subprocess.Popen([AI8XSIM, *arguments], stdout=end, stderr=subprocess.DEVNULL, cwd=self.folder,
                              env={**os.environ, "NO_COLOR": "1", "TERM": "xterm"}) as process:
            os.close(end)
            shown = b""
            try:
                while part := os.read(terminal, 65536):
                    shown += part
            except OSError:
                pass
        self.assertEqual(process.returncode, 0)
        return shown.decode().splitlines()

    def test_sentences_break_on_terminals_only(self):
        # Notes are sentences that scripts look for.
        command = ("compile", os.path.join(MODELS, "wide", "wide.yaml"), "-o", "made.h5")
        piped = [line for line in self.lines(*command) if "output_processors" in line]
        self.assertGreater(max(map(len, piped)), COLUMNS)
        self.assertTrue(all(line.startswith("layer ") for line in piped))
        shown = self.on_a_terminal(*command)
        self.assertEqual([line for line in shown if len(line.rstrip()) > COLUMNS], [])
        self.assertEqual(" ".join(" ".join(shown).split()), " ".join(" ".join(self.lines(*command)).split()))
