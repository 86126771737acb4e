"""Every allocation of the commands that write fails, by itself or with all that follow; see every_allocation.py."""

import os
import unittest

import every_allocation

# Every N-th trial; 1 takes an hour or two.
STEP = int(os.environ.get("AI8XSIM_FAULT_STEP", "211"))
JOBS = int(os.environ.get("AI8XSIM_FAULT_JOBS", "2"))


class EveryAllocation(unittest.TestCase):
    def test_complete_or_as_before(self):
        for name, allocations, trials, _, wrong in every_allocation.sweep_all(jobs=JOBS, step=STEP):
            with self.subTest(case=name):
                self.assertGreater(allocations, 100)
                self.assertGreater(trials, allocations // STEP)
                self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
