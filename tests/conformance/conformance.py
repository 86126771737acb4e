#!/usr/bin/python3
"""Runs golden programs with `ai8xsim run --per-layer --json` and judges every one of them (TAP output).

A program counts as passed when
  - the simulator says so, reports no error, no mismatch, and the process says the same by its exit status;
  - it compared as many words and values as the file records, counted here without the simulator's reader;
  - it ran the recorded layers in the recorded order, and others only where the file tells of helper layers;
  - its cycles, in total and of each layer, are the recorded ones wherever the file has any.
"""
import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

import h5py

EXPECT = 3
BATCH = 48


def arguments():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--ai8xsim', required=True, help='program under test')
    parser.add_argument('--golden', required=True, help='folder with index.tsv')
    parser.add_argument('--device', help='only programs of this part')
    parser.add_argument('--without', action='append', default=[], metavar='FEATURE',
                        help='leave out programs with this feature tag')
    parser.add_argument('--with', dest='only', action='append', default=[], metavar='FEATURE',
                        help='only programs with at least one of these feature tags')
    parser.add_argument('--option', action='append', default=[], help='further option for ai8xsim run')
    parser.add_argument('--jobs', type=int, default=2)
    return parser.parse_args()


def selection(args, index):
    """Rows of the index that the command line asks for."""
    for row in csv.DictReader(index, delimiter='\t'):
        tags = set(row['features'].split())
        if args.device and row['device'] != args.device:
            continue
        if tags.intersection(args.without) or (args.only and not tags.intersection(args.only)):
            continue
        yield row


def recorded(path):
    """What the file says about itself, read without the simulator."""
    with h5py.File(path, 'r') as file:
        order = [int(number) for number in file.attrs['order']]
        expects = int((file['program']['kind'] == EXPECT).sum())
        layers = []
        for number in order:
            layer = file[f'layers/{number}']
            layers.append({
                'layer': number,
                'cycles': int(layer.attrs['cycles']),
                'helper': bool(layer.attrs['avgpool_reset']),
                'checks': sum(layer[name].size for name in ('output', 'memory') if name in layer),
            })
        return {'cycles': int(file.attrs['cycles']), 'expects': expects, 'layers': layers}


def run(args, paths):
    """Results by path, and whether exit status and results agree. Raises ValueError when there are none."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, 'report.json')
        command = [args.ai8xsim, 'run', '--per-layer', '--jobs', str(args.jobs), '--json', report,
                   *args.option, *paths]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, errors='replace', check=False)
        try:
            with open(report, encoding='utf-8') as file:
                programs = json.load(file)['programs']
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(f'exit status {done.returncode}, no report ({error}): '
                             f'{done.stderr.strip()[-400:]}') from error
    results = {program['file']: program for program in programs}
    agree = (done.returncode == 0) == all(program['pass'] for program in programs)
    return results, agree, done.returncode


def faults(row, facts, result):
    """Everything that is wrong with one program's result."""
    if result.get('error'):
        yield f'error: {result["error"]}'
    if not result['pass']:
        yield 'did not pass'
    if result['mismatches'] != 0:
        yield f'{result["mismatches"]} mismatches'
    if result['part'] != row['device']:
        yield f'ran as {result["part"]}'
    wanted = facts['expects'] + sum(layer['checks'] for layer in facts['layers'])
    if result['checks'] != wanted:
        yield f'{result["checks"]} checks, but the file records {wanted}'
    if facts['cycles'] >= 0 and result['cycles'] != facts['cycles']:
        yield f'{result["cycles"]} cycles, recorded {facts["cycles"]}'
    got = {layer['layer']: layer for layer in result['layers']}
    numbers = {layer['layer'] for layer in facts['layers']}
    # A layer that resets the average pooling runs before the layer that needs it, and is not recorded.
    order = [number for layer in facts['layers']
             for number in ([None] if layer['helper'] else []) + [layer['layer']]]
    ran = [layer['layer'] for layer in result['layers']]
    if [number if number in numbers else None for number in ran] != order:
        yield f'ran layers {ran}, recorded {order} (None: a helper layer)'
    for layer in facts['layers']:
        number = layer['layer']
        if number not in got:
            continue
        if not got[number]['pass']:
            yield f'layer {number} did not pass'
        if layer['cycles'] >= 0 and got[number]['cycles'] != layer['cycles']:
            yield f'layer {number}: {got[number]["cycles"]} cycles, recorded {layer["cycles"]}'


def main():
    """Runs the selection batch by batch."""
    args = arguments()
    index = os.path.join(args.golden, 'index.tsv')
    if not os.path.exists(index):
        print(f'1..0 # SKIP no golden programs here ({index} is absent)')
        return 0
    with open(index, encoding='utf-8', newline='') as file:
        rows = list(selection(args, file))
    print(f'1..{len(rows)}')
    failed = number = 0
    for start in range(0, len(rows), BATCH):
        batch = rows[start:start + BATCH]
        paths = [os.path.join(args.golden, row['file']) for row in batch]
        agree, status, results, reason = True, 0, {}, None
        try:
            results, agree, status = run(args, paths)
        except ValueError as error:
            reason = str(error)
        for row, path in zip(batch, paths):
            number += 1
            wrong = []
            try:
                if reason is not None:
                    # Something took the whole batch down: find out which, so that the others count.
                    results, agree, status = run(args, [path])
                wrong = list(faults(row, recorded(path), results[path]))
                if not agree:
                    wrong.append(f'exit status {status} contradicts the report')
            except (OSError, ValueError, KeyError) as error:
                wrong.append(f'{type(error).__name__}: {error}')
            print(f'{"not ok" if wrong else "ok"} {number} - {row["file"]}', flush=True)
            for line in '\n'.join(wrong).splitlines():
                print(f'# {line}', flush=True)
            failed += bool(wrong)
    return 1 if failed or not rows else 0


if __name__ == '__main__':
    sys.exit(main())
