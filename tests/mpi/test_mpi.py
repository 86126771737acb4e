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

    def two_ranks(self, first, second):
        """Two ranks that are given two files; by one command, as mpirun of Debian 13 crashes when it is given two."""
        choose = ('shift "${OMPI_COMM_WORLD_RANK:-$PMI_RANK}"; '
                  'exec "$0" eval "$PROGRAM" --data "$1" -j 1 -o "$OUT"')
        return subprocess.run([*MPIRUN, "-n", "2", "sh", "-c", choose, AI8XSIM, first, second], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False, timeout=120,
                              env={**os.environ, "PROGRAM": DIGITS, "OUT": self.out})

    def test_one_rank_has_bad_data(self):
        """Its status is that of the job; the others finish the file unless it is rank 0's data that is bad."""
        bad = os.path.join(self.folder, "cut.h5")
        with open(bad, "wb") as file:
            file.write(self.contents(DIGITS_DATA)[:10000])
        expected = self.reference(DIGITS, "--data", DIGITS_DATA)
        run = self.two_ranks(DIGITS_DATA, bad)
        self.assertEqual(run.returncode, BAD_INPUT, run.stderr)
        self.assertIn("others do its work", run.stderr)
        self.assertIn("cut.h5", run.stderr)
        self.assertEqual(self.contents(self.out), expected)
        os.unlink(self.out)
        run = self.two_ranks(bad, DIGITS_DATA)
        self.assertEqual(run.returncode, BAD_INPUT, run.stderr)
        self.assertEqual(run.stdout, "")
        self.assertEqual(sorted(os.listdir(self.folder)), ["cut.h5", "reference.h5"])

    def long_work(self, count):
        random = numpy.random.default_rng(5)
        data = os.path.join(self.folder, "data.h5")
        with h5py.File(data, "w") as file:
            file["input"] = random.integers(-128, 128, (count, 3, 32, 32), dtype="i1")
        return [SHAPES, "--data", data]

    def some_is_saved(self):
        """Looks at a copy: the file is being written."""
        try:
            copy = shutil.copy(self.out + ".part", os.path.join(self.folder, "copy.h5"))
            with h5py.File(copy, "r") as file:
                return bool((file["done"][()] == 1).any())
        except (OSError, KeyError):
            return False

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

    def disturbed(self, number):
        """Evaluates on 4 ranks and sends the last one a signal on the way. Ranks too fast to be caught are given
        more to do."""
        count, caught = 800, False
        while not caught:
            arguments = self.long_work(count)
            with subprocess.Popen([*MPIRUN, "-n", "4", AI8XSIM, "eval", *arguments, "-o", self.out, "--restart",
                                   "-j", "1", "--engine", "exact"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  text=True, env={**os.environ, "AI8XSIM_RANK_TIMEOUT": "4"}) as process:
                while not self.some_is_saved() and process.poll() is None:
                    time.sleep(0.05)
                ranks = self.rank_processes()
                try:
                    if len(ranks) == 4:
                        os.kill(ranks[-1], number)
                        caught = True
                except ProcessLookupError:
                    pass
                try:
                    stderr = process.communicate(timeout=300)[1]
                finally:
                    for rank in self.rank_processes():
                        os.kill(rank, signal.SIGKILL)
            # A signal to a rank that had nothing left to do changes nothing.
            caught = caught and not (process.returncode == 0 and "others do its work" not in stderr)
            count *= 4
        return arguments, self.reference(*arguments), process.returncode, stderr

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
