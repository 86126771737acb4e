#!/usr/bin/env python3
"""Makes a page whose run ends as expected: make.py PAGE EXIT-STATUS PROGRAM ARGUMENT... (see meson.build)."""
import subprocess
import sys

page, expected, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:] + ["-o", sys.argv[1]]
result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
if result.returncode != expected:
    sys.exit(f"{' '.join(command)} ended with {result.returncode}, not {expected}: {result.stderr}")
