#!/usr/bin/python3
"""Runs the shipped program and a few golden ones under valgrind (TAP output).

Valgrind sees what the sanitizers do not: reads of memory that was never written. A case fails on any
finding, lost memory included, and when a check of the program fails.
"""
import argparse
import os
import subprocess
import sys

FINDING = 99


def main():
    """One case per program; golden ones are skipped where they are absent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--valgrind', required=True)
    parser.add_argument('--ai8xsim', required=True)
    parser.add_argument('--shipped', required=True, help='program that must be there')
    parser.add_argument('--golden', required=True, help='folder of golden programs')
    parser.add_argument('program', nargs='*', help='golden program, relative to the folder')
    args = parser.parse_args()
    print(f'1..{1 + len(args.program)}')
    failed = 0
    for number, name in enumerate([args.shipped, *args.program], 1):
        path = os.path.join(args.golden, name)
        label = os.path.basename(name)
        if number > 1 and not os.path.exists(os.path.join(args.golden, 'index.tsv')):
            print(f'ok {number} - {label} # SKIP no golden programs here')
            continue
        command = [args.valgrind, '--quiet', f'--error-exitcode={FINDING}', '--leak-check=full',
                   '--errors-for-leak-kinds=definite,indirect', args.ai8xsim, 'run', '--per-layer', path]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        print(f'{"not ok" if done.returncode else "ok"} {number} - {label}', flush=True)
        if done.returncode:
            failed += 1
            for line in [f'exit status {done.returncode}', *done.stderr.splitlines()[:60]]:
                print(f'# {line}', flush=True)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
