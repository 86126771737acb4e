#!/usr/bin/python3
"""Networks that once went wrong (TAP output): every file of networks/ is compiled with seeded values and run.

The head of a file says what was wrong, whether the compiler has to accept it, and with which options. Results
come from the golden model; both engines have to compute them.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

REFUSED = 3


def head(path):
    """What the comments at the top of a description say."""
    with open(path, encoding='utf-8') as file:
        lines = file.read().splitlines()
    values = dict(re.findall(r'^# (expect|options): (.*)$', '\n'.join(lines), re.MULTILINE))
    return lines[0].lstrip('# '), values['expect'], values['options'].split()


def call(*command):
    """Exit status and everything that was printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def problem(ai8xsim, path, program):
    """What is wrong with a network, or None."""
    _, expect, options = head(path)
    status, text = call(ai8xsim, 'compile', path, '--random', '1', '--quiet', '-o', program, *options)
    if expect == 'refused':
        if status != REFUSED:
            return f'should be refused, compile ended with {status}: {text}'
        if not re.search(r'layer \d+', text) or os.path.exists(program):
            return f'the refusal names no layer, or a program was written: {text}'
        return None
    if status != 0:
        return f'compile ended with {status}: {text}'
    for engine in ('exact', 'fast'):
        status, text = call(ai8xsim, 'run', '--per-layer', '--engine', engine, program)
        if status != 0:
            return f'{engine}: {text}'
    return None


def main():
    """Runs all networks."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--ai8xsim', required=True)
    arguments = parser.parse_args()
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'networks')
    names = sorted(name for name in os.listdir(folder) if name.endswith('.yaml'))
    print(f'1..{len(names)}')
    failed = not names
    with tempfile.TemporaryDirectory() as scratch:
        for number, name in enumerate(names, 1):
            path = os.path.join(folder, name)
            wrong = problem(arguments.ai8xsim, path, os.path.join(scratch, name + '.h5'))
            print(f'{"not ok" if wrong else "ok"} {number} - {name[:-5]}: {head(path)[0]}')
            for line in (wrong or '').splitlines():
                print(f'# {line}')
            failed = failed or wrong is not None
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
