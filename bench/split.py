#!/usr/bin/python3
"""What several threads gain inside one inference: measured, and computed for more processors than there are.

    split.py build/sim/ai8xsim PROGRAM...

One and two threads take turns; the shortest time of each layer counts, without writing the input. The columns for more
threads split each layer's time on one thread as the engine does: among as many threads as have SHARE to do each, and
SYNC longer. They are bounds, as if all of a layer split evenly.
"""
import json
import subprocess
import sys

SECONDS = '0.02'
ROUNDS = 25
MEASURED = 1, 2
COMPUTED = 2, 4, 8
SHARE = 4e-6   # seconds that a thread must have to do (FAST_SHARE of lib/fast/fast.h)
SYNC = 1e-6    # seconds that gathering and multiplying wait for the last thread


def times(ai8xsim, threads, path):
    """Seconds of each layer of a program, of one round."""
    command = [ai8xsim, 'bench', '--verbose', '--threads', str(threads), '--seconds', SECONDS, '--json', '-', path]
    program = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)['programs'][0]
    return program['name'], [layer['seconds'] for layer in program['layers']]


def split(seconds, threads):
    """A layer's time when it is shared."""
    shares = min(threads, int(seconds / SHARE))
    return seconds / shares + SYNC if shares > 1 else seconds


def main():
    """Prints a row for each program."""
    ai8xsim, *paths = sys.argv[1:]
    print('| program | one thread | two threads | measured |' + ''.join(f' {n} |' for n in COMPUTED))
    print('|---------|-----------:|------------:|---------:|' + '--:|' * len(COMPUTED))
    for path in paths:
        best = {n: None for n in MEASURED}
        for _ in range(ROUNDS):
            for threads in MEASURED:
                name, layers = times(ai8xsim, threads, path)
                best[threads] = [min(pair) for pair in zip(best[threads] or layers, layers)]
        one, two = sum(best[1]), sum(best[2])
        bounds = [one / sum(split(layer, n) for layer in best[1]) for n in COMPUTED]
        print(f'| {name} | {1e6 * one:.0f} us | {1e6 * two:.0f} us | {one / two:.2f} |'
              + ''.join(f' {bound:.1f} |' for bound in bounds), flush=True)


main()
