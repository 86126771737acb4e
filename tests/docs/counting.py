#!/usr/bin/python3
"""Holds tools/count-tests to what its last line promises: every test case counts once, and nothing that went
wrong is lost (unittest)."""
import importlib.machinery
import importlib.util
import os
import sys
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOADER = importlib.machinery.SourceFileLoader('count_tests', os.path.join(SOURCE, 'tools/count-tests'))
SPEC = importlib.util.spec_from_loader('count_tests', LOADER)
count_tests = importlib.util.module_from_spec(SPEC)


class Counting(unittest.TestCase):
    """What (passed, failed, skipped) becomes of one log entry."""

    def check(self, expected, result, stdout='', stderr=''):
        """One entry."""
        self.assertEqual(expected, count_tests.cases({'result': result, 'stdout': stdout, 'stderr': stderr}))

    def test_plain_programs_count_once(self):
        """Test programs that say nothing about cases."""
        self.check((1, 0, 0), 'OK')
        self.check((0, 1, 0), 'FAIL')
        self.check((0, 1, 0), 'TIMEOUT')
        self.check((0, 0, 1), 'SKIP')

    def test_tap(self):
        """Every line counts, with and without a directive."""
        self.check((2, 0, 0), 'OK', '1..2\nok 1 - a\n# note\nok 2 - b\n')
        self.check((1, 2, 1), 'FAIL', 'ok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP absent\nnot ok 4 - d # skip\n')
        self.check((0, 0, 1), 'SKIP', '1..0 # SKIP nothing here\n')

    def test_death_counts(self):
        """A program that dies after its last good case has failed."""
        self.check((1, 1, 0), 'ERROR', '1..2\nok 1 - a\n')
        self.check((3, 1, 0), 'FAIL', '100%: Checks: 3, Failures: 0, Errors: 0\n')

    def test_libcheck(self):
        """Several runners in one program add up."""
        self.check((3, 2, 0), 'FAIL', '50%: Checks: 4, Failures: 1, Errors: 1\nx\n'
                                      '100%: Checks: 1, Failures: 0, Errors: 0\n')

    def test_libcheck_skips(self):
        """Cases that found nothing to test have not passed."""
        self.check((2, 0, 1), 'OK', 'skipped: registers.tsv is not there\n100%: Checks: 3, Failures: 0, Errors: 0\n')
        self.check((0, 1, 1), 'FAIL', 'skipped: a\nskipped: b\n50%: Checks: 2, Failures: 1, Errors: 0\n')

    def test_unittest(self):
        """Failures, errors and skips stand in the last line."""
        self.check((1, 3, 2), 'FAIL', '', 'Ran 6 tests in 0.001s\n\nFAILED (failures=1, errors=2, skipped=2)\n')
        self.check((34, 0, 0), 'OK', '', 'Ran 34 tests in 1.5s\n\nOK\n')


if __name__ == '__main__':
    sys.dont_write_bytecode = True
    SPEC.loader.exec_module(count_tests)
    unittest.main()
