#!/usr/bin/python3
"""Runs one of the examples and looks for what it has to print."""
import re
import subprocess
import sys

EXPECTED = {
    'part': r'WPTR_BASE, group 0, layer 4\n  bits 12:0 ',
    'machine': r'layer 0: .*; \d+ cycles\n(?:.*\n)*\d+ cycles; data memory 0 begins [0-9a-f]{8} [0-9a-f]{8}\n$',
    'event': r'output +\d+\n(?:.*\n)*layer 0 \(\w+\) writes its first value to instance \d+.*\n(?:.*\n)*\d+ cycles in all\n$',
    'check': r'^0 errors in [1-9]\d* layers\n$',
    'batch': r'recorded input:( -?\d+)+\nits negative:( -?\d+)+\n[1-9]\d* cycles each\n$',
    'eval': r'^9\d of 100 right, 6457 cycles each\n$',
    'cluster': r'^rank 0 of 1: (1[6-9]|20) of 20 right\n$',
    'network': r'[1-9]\d* operations, 2 layers\n$',
    'time': r'layer 0: \d+ cycles, \d+ of them output\n(?:.*\n)*\d+ cycles at PCLK: \d+\.\d us\n$',
    'view': r'^$',
    'firmware': r'<testcase classname="firmware" name="known answer"(?:.*\n)*pass: ',
    'sweep': r'channels=60 part=MAX78002 \d+\.\d us\n',
}


def main():
    """The exit status is the test's."""
    program, name, *arguments = sys.argv[1:]
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    print(done.stdout + done.stderr)
    if done.returncode != 0 or not re.search(EXPECTED[name], done.stdout):
        print(f'exit status {done.returncode}; expected output: {EXPECTED[name]}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
