#!/usr/bin/python3
"""Compile the networks of an ai8x-synthesis checkout and compare with the recorded programs made from them.

A recorded program's `source` tells the description and the flags it was made with. The description is compiled with
`ai8xsim compile`, weights from the same checkpoint (turned by ai8xsim-weights) or sample arrays and the recorded input.
The program has to run without a mismatch, and every layer's output has to be the recorded one. Where weights were
random (the checkpoint is nowhere), they are read back from what the recorded program writes into kernel and bias memory.

    compile_golden.py CHECKOUT FOLDER-OF-PROGRAMS [--ai8xsim PROGRAM] [--jobs N] [--folder networks|tests] [NAME...]

Prints a Markdown table of whole networks, one line for all others, what was left out and why. Exit status: 0 all the
same, 1 some differ, are refused or do not run.
"""

import argparse
import collections
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import typing

import h5py
import numpy
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import golden_weights  # noqa: E402  (found beside this file)

CONVERT = os.path.join(HERE, '..', '..', 'tools', 'ai8xsim-weights')
FLAGS = {'--fifo', '--fast-fifo', '--fast-fifo-quad', '--avg-pool-rounding', '--no-pipeline', '--ignore-streaming',
         '--link-layer', '--write-zero-registers'}
FILES = {'--config-file', '--checkpoint-file', '--weight-input', '--bias-input', '--sample-input'}


class Outcome(typing.NamedTuple):
    """What became of one golden program."""
    name: str
    part: str
    folder: str
    weights: str
    layers: int
    values: int
    seconds: float
    problem: str   # '' if there is none
    absent: str    # what is missing to compile it at all, or ''


def wish(path: str, checkout: str):
    """(folder, description, flags, files by option) of a program, from ai8xsim-export or of the golden folder."""
    with h5py.File(path) as file:
        source = file.attrs['source']
    words = source.rsplit(' [loader=', 1)[0].replace('(random weights)', '').split()
    files = {a: b for a, b in zip(words, words[1:]) if a in FILES}
    config = os.path.basename(files.get('--config-file', words[0]))
    folder = next((f for f in ('networks', 'tests') if os.path.exists(os.path.join(checkout, f, config))), '')
    return folder, config, [w for w in words if w in FLAGS], files, source


def sample_arrays(checkout: str, description: dict, files: dict) -> typing.Tuple[str, typing.Optional[str]]:
    """Weights and bias of descriptions without a checkpoint: sample arrays named by the description."""
    name = description.get('weights', 'weights_' + str(description['dataset']).lower())
    weights = files.get('--weight-input', os.path.join('tests', f'{name}.npy'))
    bias = files.get('--bias-input')
    if bias is None and 'bias' in description:
        bias = os.path.join('tests', f'bias_{description["bias"]}.npy')
    return os.path.join(checkout, weights), bias and os.path.join(checkout, bias)


def weight_options(path: str, checkout: str, config: str, files: dict, source: str, scratch: str):
    """(options for compile, description to compile, where weights came from), or a text: what is missing."""
    with open(config, encoding='utf-8') as file:
        text = file.read()
    stem = os.path.join(scratch, path.strip('/').replace('/', '-')[:-3])
    if '(random weights)' in source:
        # Their shifts were chosen for the weights; what the description says belongs to the trained ones.
        numpy.savez(stem + '.npz', **golden_weights.read(path))
        with open(stem + '.yaml', 'w', encoding='utf-8') as file:
            file.write(re.sub(r',? *output_shift: *-?[0-9]+', '', text))
        return ['--weights', stem + '.npz'], stem + '.yaml', 'read back'
    if '--checkpoint-file' in files:
        checkpoint = os.path.join(checkout, files['--checkpoint-file'])
        if not os.path.exists(checkpoint):
            return f'{files["--checkpoint-file"]} is not there'
        subprocess.run([CONVERT, '--trust', '--network', config, '-o', stem + '-w.h5', checkpoint], check=True,
                       capture_output=True, text=True)
        return ['--weights', stem + '-w.h5'], config, 'checkpoint'
    description = yaml.safe_load(text)
    weights, bias = sample_arrays(checkout, description, files)
    if not os.path.exists(weights):
        return f'{os.path.relpath(weights, checkout)} is not there'
    if bias and not os.path.exists(bias):
        return f'{os.path.relpath(bias, checkout)} is not there'
    # Where every weight is 1 (bypass), the arrays are empty files.
    return [*(['--weights', weights] if os.path.getsize(weights) else []), *(['--bias', bias] if bias else [])], config, 'sample arrays'


def differences(golden: str, made: str) -> typing.Tuple[int, int, str]:
    """Layers and values compared, and what differs first."""
    layers = values = 0
    with h5py.File(golden) as recorded, h5py.File(made) as compiled:
        for number in sorted(recorded['layers'], key=int):
            if 'output' not in recorded['layers'][number]:
                continue
            expected = recorded['layers'][number]['output'][()]
            name = f'layers/{number}/output'
            if name not in compiled:
                return layers, values, f'layer {number} is missing'
            output = compiled[name][()]
            if output.size != expected.size:
                return layers, values, f'layer {number} is {output.shape}, not {expected.shape}'
            wrong = int((output.reshape(-1) != expected.reshape(-1)).sum())
            if wrong:
                return layers, values, f'{wrong} of {expected.size} values of layer {number} differ'
            layers += 1
            values += expected.size
    return layers, values, '' if layers else 'nothing to compare'


def run_problem(run: subprocess.CompletedProcess) -> str:
    """Why a program did not pass, in a few words."""
    try:
        report = json.loads(run.stdout)['programs'][0]
    except (ValueError, IndexError):
        return run.stderr.strip()
    return 'run: ' + (report['error'] or f'{report["mismatches"]} of {report["checks"]} words differ')


def compile_one(path: str, options: argparse.Namespace, scratch: str) -> Outcome:
    """Compiles one network, runs it and compares."""
    with h5py.File(path) as file:
        part = file.attrs['device']
    name = os.path.basename(path)[:-3]
    folder, config, flags, files, source = wish(path, options.checkout)

    def outcome(problem='', absent='', weights='', layers=0, values=0, seconds=0.0):
        return Outcome(name, part, folder, weights, layers, values, seconds, problem, absent)

    if not folder:
        return outcome(absent='made from a random description that is nowhere' if source.startswith('random')
                       else f'{config} is not there')
    try:
        chosen = weight_options(path, options.checkout, os.path.join(options.checkout, folder, config), files, source,
                                scratch)
    except subprocess.CalledProcessError as error:
        return outcome('ai8xsim-weights: ' + error.stderr.strip())
    if isinstance(chosen, str):
        return outcome(absent=chosen)
    weights, description, kind = chosen
    made = os.path.join(scratch, f'{part}-{name}.h5')
    start = time.monotonic()
    run = subprocess.run([options.ai8xsim, 'compile', '-q', description, '--part', part, *weights, '--input', path, *flags,
                          '-o', made], capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    if run.returncode:
        return outcome('refused: ' + run.stderr.strip(), weights=kind)
    warnings = run.stderr.strip().splitlines()
    layers, values, problem = differences(path, made)
    if not problem:
        run = subprocess.run([options.ai8xsim, 'run', '--per-layer', '--json', '-', made], capture_output=True, text=True,
                             check=False)
        if run.returncode:
            problem = run_problem(run)
    if problem and warnings:
        problem += f' ({len(warnings)} warnings, the first: {warnings[0]})'
    os.unlink(made)
    return outcome(problem, weights=kind, layers=layers, values=values, seconds=seconds)


def main() -> int:
    """Compiles them all; the table goes to standard output."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkout')
    parser.add_argument('golden')
    parser.add_argument('names', nargs='*')
    parser.add_argument('--ai8xsim', default='ai8xsim')
    parser.add_argument('--jobs', type=int, default=1)
    parser.add_argument('--folder', choices=('networks', 'tests'))
    options = parser.parse_intermixed_args()
    paths = sorted(glob.glob(os.path.join(options.golden, 'max7800*', '*.h5')) + glob.glob(os.path.join(options.golden, '*.h5')))
    paths = [p for p in paths if not options.names or any(n in p for n in options.names)]
    if not paths:
        parser.error(f'no programs in {options.golden}')
    if options.folder:
        paths = [p for p in paths if wish(p, options.checkout)[0] == options.folder]
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda p: compile_one(p, options, scratch), paths))
    done = [r for r in results if not r.absent]
    print('| network | part | weights | layers | values | compile | result |')
    print('|---------|------|---------|-------:|-------:|--------:|--------|')
    for r in done:
        if r.folder == 'networks':
            print(f'| {r.name} | {r.part} | {r.weights} | {r.layers} | {r.values:,} | {r.seconds:.2f} s | '
                  f'{r.problem or "same"} |')
    for part in sorted({r.part for r in done}):
        rest = [r for r in done if r.folder != 'networks' and r.part == part]
        same = [r for r in rest if not r.problem]
        if rest:
            print(f'| {len(rest)} tests | {part} | | {sum(r.layers for r in rest)} | {sum(r.values for r in rest):,} | '
                  f'at most {max(r.seconds for r in rest):.2f} s | {len(same)} same |')
    print()
    for absent, count in collections.Counter(r.absent for r in results if r.absent).most_common():
        print(f'{count} left out: {absent}')
    bad = [r for r in done if r.problem]
    for r in bad:
        print(f'{r.part} {r.name}: {r.problem}')
    kinds = collections.Counter(r.weights for r in done)
    print(f'{len(done)} compiled ({", ".join(f"{n} with weights from {k}" for k, n in kinds.items())}), '
          f'{len(done) - len(bad)} same, {len(bad)} not; {sum(r.layers for r in done)} layers, '
          f'{sum(r.values for r in done):,} values; slowest {max((r.seconds for r in done), default=0):.2f} s')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
