"""ai8xsim eval on several processes of this machine: equal files, and ranks that stop."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import h5py
import numpy

AI8XSIM = os.environ["AI8XSIM"]
MODELS = os.path.join(os.environ["AI8XSIM_SOURCE"], "models")
DIGITS = os.path.join(MODELS, "digits", "digits.h5")
DIGITS_DATA = os.path.join(MODELS, "digits", "heldout.h5")
SHAPES = os.path.join(MODELS, "segmentation", "segmentation.h5")

MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe"]
BAD_INPUT = 3


class Ranks(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = os.path.join(self.folder, "out.h5")

    def contents(self, path):
        with open(path, "rb") as file:
            return file.read()

    def reference(self, *arguments):
        """The file that a single process writes."""
        path = os.path.join(self.folder, "reference.h5")
        subprocess.run([AI8XSIM, "eval", *arguments, "-o", path], stdout=subprocess.DEVNULL, check=True, timeout=120)
        return self.contents(path)

    def test_equal_files(self):
        expected = self.reference(DIGITS, "--data", DIGITS_DATA)
        for ranks in (1, 2, 4):
            run = subprocess.run([*MPIRUN, "-n", str(ranks), AI8XSIM, "eval", DIGITS, "--data", DIGITS_DATA, "-j", "1",
                                  "-o", self.out, "--json", "-"], stdout=subprocess.PIPE, check=True, timeout=120)
            result = json.loads(run.stdout)
            self.assertEqual((result["ranks"], result["lost_ranks"]), (ranks, 0))
            self.assertEqual(result["labels"]["top1"], 530)
            self.assertEqual(self.contents(self.out), expected)

    def test_bad_input_is_told_once(self):
        for arguments in ([DIGITS, "--data", "nothing.h5"], ["nothing.h5", "--data", DIGITS_DATA]):
            run = subprocess.run([*MPIRUN, "-n", "3", AI8XSIM, "eval", *arguments], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, check=False, timeout=60)
            self.assertEqual(run.returncode, BAD_INPUT, run.stderr)
            self.assertEqual(run.stderr.count("nothing.h5: cannot read: No such file or directory"), 1, run.stderr)

    def long_work(self):
        random = numpy.random.default_rng(5)
        data = os.path.join(self.folder, "data.h5")
        with h5py.File(data, "w") as file:
            file["input"] = random.integers(-128, 128, (800, 3, 32, 32), dtype="i1")
        return [SHAPES, "--data", data]

    def rank_processes(self):
        """Process numbers of the ranks that write to self.out."""
        found = []
        for process in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{process}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if words[0] == AI8XSIM.encode() and self.out.encode() in words:
                found.append(int(process))
        return sorted(found)

    def disturbed(self, number, *options):
        """Evaluates on 4 ranks and sends the last one a signal on the way."""
        arguments = self.long_work()
        expected = self.reference(*arguments)
        with subprocess.Popen([*MPIRUN, *options, "-n", "4", AI8XSIM, "eval", *arguments, "-o", self.out, "-j", "1",
                               "--engine", "exact"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "AI8XSIM_RANK_TIMEOUT": "4"}) as process:
            while not os.path.exists(self.out + ".part") and process.poll() is None:
                time.sleep(0.05)
            time.sleep(1.5)
            ranks = self.rank_processes()
            self.assertEqual(len(ranks), 4)
            os.kill(ranks[-1], number)
            try:
                stderr = process.communicate(timeout=120)[1]
            finally:
                for rank in self.rank_processes():
                    os.kill(rank, signal.SIGKILL)
        return arguments, expected, process.returncode, stderr

    def test_suspended_rank(self):
        _, expected, code, stderr = self.disturbed(signal.SIGSTOP)
        self.assertEqual(code, 0, stderr)
        self.assertIn("others do its work", stderr)
        self.assertEqual(self.contents(self.out), expected)

    def test_killed_rank(self):
        """mpirun ends all ranks then: the file can be gone on with."""
        arguments, expected, code, stderr = self.disturbed(signal.SIGKILL)
        self.assertNotEqual(code, 0, stderr)
        self.assertFalse(os.path.exists(self.out))
        run = subprocess.run([AI8XSIM, "eval", *arguments, "-o", self.out, "--json", "-"], stdout=subprocess.PIPE,
                             check=True, timeout=120)
        self.assertGreater(json.loads(run.stdout)["resumed"], 0)
        self.assertEqual(self.contents(self.out), expected)


if __name__ == "__main__":
    unittest.main()
