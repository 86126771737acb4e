#!/usr/bin/python3
"""What bounds each program: its multiplications and bytes against what this machine can do.

    roofline.py build/sim/ai8xsim [--cpu NAME] PROGRAM...

The machine's peak is the best layer that was measured (of the programs and of models/wide); its bandwidth is that of
copies of 256 KiB, which is what data and kernels of a network take. Time is that of the layers, without writing the
input, the shortest of some rounds. The part that neither explains is gathering, the output stage, and starting layers.
"""
import argparse
import json
import os
import platform
import subprocess
import time

import numpy as np

SECONDS = '0.1'
ROUNDS = 10
COPY_BYTES = 256 << 10
KERNEL_WORD_BYTES = 9
WIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../models/wide/wide.h5')


def ask(ai8xsim, *arguments):
    """What a command says as JSON."""
    return json.loads(subprocess.run([ai8xsim, *arguments], check=True, stdout=subprocess.PIPE).stdout)


def bandwidth():
    """Bytes read and written per second by copies that stay in the second cache."""
    source, target = np.ones(COPY_BYTES, np.uint8), np.empty(COPY_BYTES, np.uint8)
    best = 1e9
    for _ in range(2000):
        start = time.perf_counter()
        np.copyto(target, source)
        best = min(best, time.perf_counter() - start)
    return 2 * COPY_BYTES / best


def measure(ai8xsim, cpu, path):
    """A program's profile with the shortest times of some rounds."""
    profile = ask(ai8xsim, 'profile', '--json', '-', path)['profile']
    for layer in profile['layers']:
        layer['wall'] = 1e9
    for _ in range(ROUNDS):
        bench = ask(ai8xsim, 'bench', '--verbose', *cpu, '--seconds', SECONDS, '--json', '-', path)['programs'][0]
        for layer, measured in zip(profile['layers'], bench['layers']):
            layer['wall'] = min(layer['wall'], measured['seconds'])
    profile['wall'] = sum(layer['wall'] for layer in profile['layers'])
    return profile


def main():
    """Prints a row for each program."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('ai8xsim')
    parser.add_argument('--cpu', help='kernels of the fast engine')
    parser.add_argument('programs', nargs='+')
    given = parser.parse_args()
    cpu = ['--cpu', given.cpu] if given.cpu else []
    profiles = [measure(given.ai8xsim, cpu, path) for path in [WIDE, *given.programs]]
    peak = max(layer['macs'] / layer['wall'] for profile in profiles for layer in profile['layers'])
    copied = bandwidth()
    print(f'{platform.processor() or platform.machine()}: best layer {peak / 1e9:.0f} GMAC/s, '
          f'copies {copied / 1e9:.0f} GB/s')
    print('| program | silicon | here | times | MMAC | kB | arithmetic at the peak | bytes | the rest |')
    print('|---------|--------:|-----:|------:|-----:|---:|-----------------------:|------:|---------:|')
    for profile in profiles[1:]:
        size = KERNEL_WORD_BYTES * profile['kernel_words']
        size += sum(4 * (layer['words_read'] + layer['words_written']) for layer in profile['layers'])
        wall = profile['wall']
        work, moved = profile['macs'] / peak / wall, size / copied / wall
        print(f"| {profile['name']} | {1e6 * profile['seconds']:.0f} us | {1e6 * wall:.1f} us "
              f"| {profile['seconds'] / wall:.1f} | {profile['macs'] / 1e6:.2f} | {size / 1e3:.0f} "
              f'| {100 * work:.0f} % | {100 * moved:.0f} % | {max(0, 100 * (1 - work - moved)):.0f} % |')


main()
