#!/usr/bin/python3
"""Changes one bit in copies of a program that passes, and demands that the simulator notices (TAP output).

A comparison that cannot fail would pass every conformance test; this is the test of the tests.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

import h5py

WRITE32, EXPECT = 0, 3


def run(program, path):
    """Exit status and report of one program."""
    done = subprocess.run([program, 'run', '--per-layer', '--json', '-', path], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)['programs'][0]


def first_counting(words):
    """First row with a non-zero mask, and the lowest bit of it."""
    for row, mask in enumerate(words['mask']):
        if mask:
            return row, int(mask) & -int(mask)
    raise ValueError('no row counts')


def untouched(_file):
    """an untouched copy passes"""
    return None


def expected_word(file):
    """one bit of an expected word"""
    operations = file['program'][:]
    row, bit = first_counting(operations[operations['kind'] == EXPECT])
    row = int((operations['kind'] == EXPECT).nonzero()[0][row])
    operations['value'][row] ^= bit
    file['program'][:] = operations
    return int(file.attrs['order'][-1])


def layer_memory(file):
    """one bit of the first layer's recorded memory"""
    number = int(file.attrs['order'][0])
    words = file[f'layers/{number}/memory'][:]
    row, bit = first_counting(words)
    words['value'][row] ^= bit
    file[f'layers/{number}/memory'][:] = words
    return number


def layer_output(file):
    """one value of the first layer's recorded output"""
    number = int(file.attrs['order'][0])
    values = file[f'layers/{number}/output'][:]
    values.flat[-1] ^= 1
    file[f'layers/{number}/output'][:] = values
    return number


def every_kernel(file):
    """the sign of every kernel word"""
    operations = file['program'][:]
    # The kernel memories of the MAX78000 (hardware reference 1): 0x80000 to 0xc0000 of each group's window.
    offset = (operations['addr'] - 0x50100000) % 0x400000
    kernels = (operations['kind'] == WRITE32) & (offset >= 0x80000) & (offset < 0x300000)
    if not kernels.any():
        raise ValueError('no kernel writes')
    operations['value'][kernels] ^= 0x80808080
    file['program'][:] = operations
    return int(file.attrs['order'][0])


def main():
    """Each change alone, in a fresh copy."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--ai8xsim', required=True)
    parser.add_argument('--program', required=True)
    args = parser.parse_args()
    changes = [untouched, expected_word, layer_memory, layer_output, every_kernel]
    failed = 0
    print(f'1..{len(changes)}')
    for number, change in enumerate(changes, 1):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'program.h5')
            shutil.copy(args.program, path)
            os.chmod(path, 0o600)
            with h5py.File(path, 'r+') as file:
                layer = change(file)
            status, result = run(args.ai8xsim, path)
        bad_layers = [entry['layer'] for entry in result['layers'] if not entry['pass']]
        if layer is None:
            good = status == 0 and result['pass'] and not result['mismatches'] and not bad_layers
        else:
            good = status == 1 and not result['pass'] and result['mismatches'] > 0
            # An expected word belongs to no layer's record; the others have to name theirs first.
            good = good and (change is expected_word or bad_layers[:1] == [layer])
        failed += not good
        print(f'{"ok" if good else "not ok"} {number} - {change.__doc__}', flush=True)
        if not good:
            print(f'# exit status {status}, {json.dumps(result)}')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
