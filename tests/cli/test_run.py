"""ai8xsim run as users call it: exit statuses, messages, tables, JSON, files."""
import os
import subprocess
import unittest

AI8XSIM = os.environ["AI8XSIM"]


def ai8xsim(*arguments, **options):
    return subprocess.run([AI8XSIM, *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          check=False, **options)


class Usage(unittest.TestCase):
    def test_unknown_command_suggests_the_nearest(self):
        result = ai8xsim("rnu")
        self.assertEqual(result.returncode, 2)
        self.assertIn("did you mean 'run'", result.stderr)


if __name__ == "__main__":
    unittest.main()
