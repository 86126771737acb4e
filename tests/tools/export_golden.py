#!/usr/bin/python3
"""Export the golden programs again from an ai8x-synthesis checkout and compare.

A golden program's `source` tells the configuration, the flags and the way kernels are loaded.
Those made from files of the checkout are exported with the same flags and compared with
program_diff; the others (random networks, random weights, input made for the case) are counted.

    export_golden.py CHECKOUT GOLDEN-FOLDER [--embedded] [--jobs N] [--keep FOLDER] [NAME...]

Prints a Markdown table. Exit status: 0 all the same, 1 some differ or could not be exported.
"""

import argparse
import concurrent.futures
import glob
import os
import subprocess
import sys
import tempfile
import typing

import h5py

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import program_diff  # noqa: E402  (found beside this file)

EXPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools',
                      'ai8xsim-export')
LOADERS = {'mexpress': [], 'plain': ['--no-mexpress'],
           'old': ['--old-kernel-loader', '--no-mexpress']}
# One store per operation, as the golden programs have it; the default copies blocks.
INLINE = ['--rtl', '--no-compact-data']


def arguments(path: str, checkout: str) -> typing.Optional[typing.List[str]]:
    """The generator arguments that lead to a golden program, or None if a file is not there."""
    with h5py.File(path) as file:
        source, device = file.attrs['source'], file.attrs['device']
    if 'random' in source.split('[')[0].split('--')[0]:
        return None
    text, loader = source.rsplit(' [loader=', 1)
    config, *flags = text.split()
    for folder in ('tests', 'networks'):
        if os.path.exists(os.path.join(checkout, folder, config)):
            break
    else:
        return None
    for flag, value in zip(flags, flags[1:]):
        if flag in ('--checkpoint-file', '--sample-input', '--weight-input', '--bias-input') \
                and not os.path.exists(os.path.join(checkout, value)):
            return None
    return ['--device', device, '--config-file', f'{folder}/{config}', *flags,
            *LOADERS[loader.rstrip(']')]]


class Result(typing.NamedTuple):
    """One row of the table."""
    name: str
    part: str
    difference: typing.Optional[program_diff.Difference]
    message: str


def export(path: str, checkout: str, keep: str, embedded: bool) -> typing.Optional[Result]:
    """Export one golden program again; None if it cannot be."""
    wish = arguments(path, checkout)
    if wish is None:
        return None
    part = os.path.basename(os.path.dirname(path))
    name = os.path.splitext(os.path.basename(path))[0]
    target = os.path.join(keep, f'{part}-{name}.h5')
    run = subprocess.run([EXPORT, '-q', '-C', checkout, '-o', target, '--', *wish,
                          *([] if embedded else INLINE)],
                         capture_output=True, text=True, check=False)
    if run.returncode:
        return Result(name, part, None, run.stderr.strip())
    return Result(name, part, program_diff.compare(path, target), '')


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkout')
    parser.add_argument('golden')
    parser.add_argument('names', nargs='*', help='only these programs')
    parser.add_argument('--embedded', action='store_true',
                        help='as for firmware, the default of the generator')
    parser.add_argument('--jobs', type=int, default=1)
    parser.add_argument('--keep', help='folder that keeps the exported programs')
    options = parser.parse_intermixed_args()
    paths = [p for p in sorted(glob.glob(os.path.join(options.golden, 'max7800*', '*.h5')))
             if not options.names or os.path.splitext(os.path.basename(p))[0] in options.names]
    bad = skipped = 0
    print('| program | part | operations | checks | layers | remarks |')
    print('|---|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for result in pool.map(lambda p: export(p, os.path.abspath(options.checkout),
                                                options.keep or folder, options.embedded), paths):
            if result is None:
                skipped += 1
                continue
            if result.difference is None:
                bad += 1
                row = ['-'] * 3 + [result.message.replace('\n', ' ')]
            else:
                bad += not result.difference.same()
                row = [*result.difference[:3], '; '.join(result.difference.notes[:4])]
            print('|', ' | '.join([result.name, result.part, *row]), '|', flush=True)
    print(f'\n{len(paths) - skipped} exported, {bad} differ; {skipped} golden programs cannot be '
          'made from the files of a checkout.')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
