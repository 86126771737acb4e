"""Every system call of the commands that write fails or is the last one; see every_call.py."""

import os
import shutil
import unittest

import every_call

# Every N-th trial; 1 takes ten minutes.
STEP = int(os.environ.get("AI8XSIM_FAULT_STEP", "37"))
JOBS = int(os.environ.get("AI8XSIM_FAULT_JOBS", "2"))


@unittest.skipIf(shutil.which("strace") is None, "strace is not there")
class EveryCall(unittest.TestCase):
    def test_complete_or_as_before(self):
        for name, calls, _, trials, wrong in every_call.sweep_all(jobs=JOBS, step=STEP):
            with self.subTest(case=name):
                self.assertGreater(calls, 40)
                self.assertGreater(trials, calls // STEP)
                self.assertEqual(wrong, [])

    def test_nothing_there_before(self):
        for name, _, _, _, wrong in every_call.sweep_all(("compile", "eval", "sweep-hdf5"), JOBS, 3 * STEP, old=False):
            with self.subTest(case=name):
                self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
