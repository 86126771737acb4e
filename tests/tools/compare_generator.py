#!/usr/bin/python3
"""Random networks through the vendor's generator and through `ai8xsim compile`.

    compare_generator.py CHECKOUT --part MAX78000 [--count 200] [--seed 1] [--ai8xsim PROGRAM] [--keep FOLDER]

CHECKOUT is a folder with ai8x-synthesis, which is only read. Every network is drawn with processors, offsets and gaps, on
purpose near the edges of what is possible. What both accept has to agree: both programs run without a mismatch, every
layer's output has the same values, every layer takes the same cycles, and where the generator estimates cycles its
estimate is the same. What one of them refuses is counted by message, so that a new difference shows; programs of the
generator that fail their own known answer are counted by what `check` says of them (docs/export.md).

Prints a Markdown table. Exit status: 0 all that both accept is equal, 1 something differs, 3 bad input. One process,
several seconds of work a network; begin it with `nice`.
"""

import argparse
import collections
import contextlib
import importlib.machinery
import importlib.util
import io
import json
import math
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import typing

import h5py
import numpy
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
EXPORT = os.path.join(HERE, '..', '..', 'tools', 'ai8xsim-export')
GROUP = 16
ALL = 64
FAULT = "the generator's own program fails: "


class Case(typing.NamedTuple):
    """A network with its data."""
    layers: list
    weights: list
    biases: list
    sample: numpy.ndarray
    flags: list  # that both tools have


# --- Drawing ------------------------------------------------------------------------------------------------------


def passes(channels: int) -> typing.Tuple[int, int]:
    """Passes of a tensor, and processors that each needs."""
    count = -(-channels // ALL)
    each = -(-channels // count)
    return count, min(ALL, -(-each // 4) * 4) if count > 1 else each


class Drawer:
    """Draws one network."""

    def __init__(self, seed: int, part: str):
        self.r = random.Random(seed)
        self.data = numpy.random.default_rng(seed)
        self.second = part == 'MAX78002'
        self.layers, self.weights, self.biases, self.shapes, self.flags = [], [], [], [], []

    def chance(self, percent: int) -> bool:
        """True this often."""
        return self.r.randrange(100) < percent

    def some(self, low: int, high: int) -> int:
        """A number that is small more often than not."""
        return low + min(self.r.randint(0, high - low), self.r.randint(0, high - low))

    def spread(self, count: int) -> int:
        """A map of processors: mostly packed from a multiple of four on, sometimes unaligned or with holes."""
        start = 4 * self.r.randint(0, (ALL - count) // 4)
        if self.chance(60):
            start = 0 if self.chance(60) else start // GROUP * GROUP
        kind = self.r.randrange(12)
        if kind == 0 and start + count < ALL:
            start += self.r.randint(1, min(3, ALL - count - start))
        if kind == 1 and count < 30:
            return sum(1 << n for n in self.r.sample(range(start, min(ALL, start + 2 * count + 2)), count))
        return ((1 << count) - 1) << start

    def values(self, shape, bits: int) -> numpy.ndarray:
        """Weights that take all of their bits."""
        if bits == -1:
            return self.data.choice([-1, 1], shape).astype(numpy.int64)
        found = self.data.integers(-1 << bits - 1, 1 << bits - 1, shape)
        found.flat[0] = -1 << bits - 1
        if bits > 1:
            found.flat[-1] = (1 << bits - 1) - 1
        return found.astype(numpy.int64)

    def channels(self) -> int:
        """Output channels of a layer."""
        return self.r.choice([self.some(1, 20), self.some(1, 64), 4 * self.some(1, 16), self.some(65, 200),
                              self.some(1, 32), 16 * self.some(1, 4)])

    def network(self) -> Case:
        """All of it."""
        r = self.r
        line = self.chance(20)
        fifo = self.chance(18)
        rows = self.some(3, 30) if not line else self.some(9, 120)
        columns = 1 if line else (rows if self.chance(50) else self.some(3, 24))
        channels = r.choice([1, 3, 4, self.some(1, 16), self.some(1, 64), self.some(65, 160)])
        processors = None
        first = {}
        if fifo:
            self.flags.append(r.choice(['--fifo', '--fifo', '--fast-fifo']))
            channels = self.some(1, 4) if 'fast' in self.flags[0] else self.some(1, 12)
            processors = (1 << channels) - 1 if channels <= 4 else \
                sum(1 << n % 4 + n // 4 * GROUP for n in range(channels))
            if self.flags[0] == '--fast-fifo' and self.second:
                self.flags[0] = '--fifo'
        elif self.chance(10) and channels <= 16:
            processors = sum(1 << 4 * n for n in range(channels))
            first['data_format'] = 'CHW'
        shape = (channels, rows, columns)
        sample = self.data.integers(-128, 128, shape[:2] if line else shape).astype(numpy.int64)
        count = r.choice([1, 2, 2, 3, 3, 4, 5])
        streams = r.randint(1, count) if fifo and self.chance(40) and '--fast-fifo' not in self.flags else 0
        processors = processors or self.spread(passes(channels)[1])
        for n in range(count):
            shape, processors = self.layer(n, count, shape, processors, line, n < streams, first if n == 0 else {})
            if min(shape[1:]) < 1:
                break
        for layer, following in zip(self.layers, self.layers[1:]):
            layer.setdefault('output_processors', following['processors'])
        if self.chance(4) and not self.flags:
            self.flags.append('--avg-pool-rounding')
        return Case(self.layers, self.weights, self.biases, sample, self.flags)

    def layer(self, n: int, count: int, shape, processors: int, line: bool, streams: bool, layer: dict):
        """Adds one layer; returns what it puts out and where."""
        r = self.r
        channels, rows, columns = shape
        last = n + 1 == count
        layer = {'processors': processors, 'out_offset': [0x2000, 0x0, 0x4000][n % 3] + (4 * r.randint(0, 9) if self.chance(10) else 0),
                 **layer}
        if n == 0 and self.chance(5) and not self.flags:
            layer['in_offset'] = 0x6000
        kind = r.choices(['conv2d', '1x1', 'pass', 'transposed', 'linear', 'eltwise'], [50, 18, 10, 6, 10, 6])[0]
        if line:
            kind = r.choices(['conv1d', 'pass', 'linear'], [70, 10, 12])[0]
        if streams and kind in ('linear', 'eltwise', 'transposed'):
            kind = 'conv2d'
        if kind == 'linear' and (rows * columns * passes(channels)[0] > 256 or not last or n == 0):
            kind = 'conv1d' if line else '1x1'
        if kind == 'eltwise' and n > 0:
            kind = 'conv2d'
        pool_rows = pool_columns = stride = 1
        if kind not in ('linear', 'transposed') and self.chance(40):
            pool_rows = r.randint(1, min(4, rows))
            pool_columns = 1 if line else (pool_rows if self.chance(60) else r.randint(1, 4))
            pool_columns = min(pool_columns, columns)
            stride = r.randint(1, 4)
            if pool_rows > 1 or pool_columns > 1:
                name = r.choice(['max_pool', 'avg_pool'])
                layer[name] = pool_rows if line else [pool_rows, pool_columns]
            elif kind == 'pass' and stride == 1:
                stride = 2
            layer['pool_stride'] = stride
        rows = (rows - pool_rows) // stride + 1
        columns = 1 if line else (columns - pool_columns) // stride + 1
        if streams:
            layer['streaming'] = True
        if kind == 'pass':
            layer['op'] = 'passthrough'
            layer['output_processors'] = self.packed(processors)
            self.layers.append(layer)
            return (channels, rows, columns), layer['output_processors']
        out = self.channels()
        bits = r.choices([8, 4, 2, 1, -1 if self.second else 1], [60, 15, 10, 8, 7])[0]
        depthwise = self.second and kind in ('conv2d', '1x1', 'transposed') and self.chance(20)
        flat = kind == 'linear'
        if depthwise:
            out = channels
            layer['groups'] = channels
        kernel, pad = {'conv2d': ((3, 3), r.choice([0, 1, 1, 1, 2])), '1x1': ((1, 1), 0), 'linear': ((1, 1), 0),
                       'transposed': ((3, 3), 1), 'eltwise': ((1, 1), 0), 'conv1d': ((r.randint(1, 9), 1), r.randint(0, 2))}[kind]
        if kind == 'conv1d':
            layer.update(op='conv1d', kernel_size=kernel[0])
            pad = min(pad, kernel[0] - 1)
            if self.chance(12) and kernel[0] > 1 and rows > 24:
                layer['dilation'] = r.randint(2, 8)
        elif kind == 'linear':
            layer['op'] = 'mlp'
            layer['flatten'] = True
        elif kind == 'transposed':
            layer.update(op='convtranspose2d', kernel_size='3x3', pad=1)
        elif kind == 'eltwise':
            # Two operands that lie word beside word in the network's input.
            layer.update(op='conv2d', kernel_size='1x1')
        else:
            layer.update(op='conv2d', kernel_size=f'{kernel[0]}x{kernel[1]}')
        if kind not in ('linear', 'transposed'):
            layer['pad'] = pad
        if bits != 8 or self.chance(20):
            layer['quantization'] = bits if bits != -1 else 'bin'
        if self.chance(50):
            layer['activate'] = r.choice(['ReLU', 'ReLU', 'Abs'])
        elif last and self.chance(30):
            layer['output_width'] = 32
        if 'output_width' not in layer:
            # Sums of random values spread like noise.
            taps = kernel[0] * kernel[1] * (1 if depthwise else channels * (rows * columns if flat else 1))
            layer['output_shift'] = max(-7, r.randint(-1, 1) - round(math.log2(taps) / 2) - 1)
        if self.second and self.chance(10) and out % 4 == 0 and not flat and not depthwise:
            layer['calcx4'] = True
        fan = 1 if depthwise else channels * (rows * columns if flat else 1)
        weight_shape = (out, fan) + (kernel if kind != 'conv1d' else kernel[:1])
        if depthwise and kind == 'transposed':
            weight_shape = (1, out) + kernel
        self.weights.append(self.values(weight_shape, bits))
        self.biases.append(self.data.integers(-128, 128, (out,)).astype(numpy.int64) if self.chance(60)
                           else numpy.zeros((out,), dtype=numpy.int64))
        if flat:
            rows = columns = 1
        elif kind == 'transposed':
            rows, columns = 2 * rows, 2 * columns
        else:
            rows += 2 * pad - layer.get('dilation', 1) * (kernel[0] - 1)
            columns += 0 if line else 2 * pad - (kernel[1] - 1)
        where = self.spread(passes(out)[1])
        if depthwise:
            where = processors if self.chance(80) else where
        layer['output_processors'] = where
        self.layers.append(layer)
        return (out, rows, columns), where

    def packed(self, processors: int) -> int:
        """Where a passthrough layer writes: each group's processors side by side, mostly in the same group."""
        at, found, stay = 0, 0, self.chance(85)
        for group in range(4):
            count = bin(processors >> GROUP * group & 0xffff).count('1')
            at = GROUP * group if stay else -(-at // 4) * 4
            if at + count <= ALL:
                found |= ((1 << count) - 1) << at
            at += count
        return found


# --- Both tools -----------------------------------------------------------------------------------------------------


def write(case: Case, folder: str) -> None:
    """The files that both read."""
    layers = [{k: v for k, v in layer.items()} for layer in case.layers]
    with open(os.path.join(folder, 'net.yaml'), 'w', encoding='utf-8') as file:
        file.write('---\narch: test\ndataset: random\nlayers:\n')
        for layer in layers:
            first = '  - '
            for key, value in layer.items():
                text = f'0x{value:016x}' if 'processors' in key else f'0x{value:04x}' if 'offset' in key else \
                    yaml.safe_dump(value, default_flow_style=True).split('\n')[0]
                file.write(f'{first}{key}: {text}\n')
                first = '    '
    for name, arrays in (('weights', case.weights), ('bias', case.biases)):
        with open(os.path.join(folder, name + '.npy'), 'wb') as file:
            # One array alone would count layers in its first dimension.
            for array in arrays if len(arrays) != 1 or name == 'bias' else [arrays[0][None]]:
                numpy.save(file, array)
    numpy.save(os.path.join(folder, 'input.npy'), case.sample)


def load_export():
    """tools/ai8xsim-export as a module, so that its imports are paid for once."""
    loader = importlib.machinery.SourceFileLoader('ai8xsim_export', EXPORT)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader('ai8xsim_export', loader))
    sys.modules['ai8xsim_export'] = module
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def run_generator(export, checkout: str, part: str, case: Case, folder: str) -> str:
    """Records the generator's program as vendor.h5 in a child; returns why it refuses, or ''."""
    path = {name: os.path.join(folder, name) for name in ('net.yaml', 'weights.npy', 'bias.npy', 'input.npy', 'vendor.h5')}
    read, made = os.pipe()
    child = os.fork()
    if child == 0:
        text = io.StringIO()
        code = 1
        try:
            os.close(read)
            sys.argv = ['ai8xsim-export', '-q', '-C', checkout, '-o', path['vendor.h5'], '--', '--device', part,
                        '--config-file', path['net.yaml'], '--weight-input', path['weights.npy'], '--bias-input', path['bias.npy'],
                        '--sample-input', path['input.npy'], '--no-warn-zero', *(['--riscv'] if '--fast-fifo' in case.flags else []),
                        *case.flags]
            with contextlib.redirect_stderr(text), contextlib.redirect_stdout(io.StringIO()):
                code = export.main()
        except BaseException as reason:  # pylint: disable=broad-except
            text.write(repr(reason))
        os.write(made, text.getvalue()[-4000:].encode())
        os.close(made)
        os._exit(code)
    os.close(made)
    with os.fdopen(read, 'rb') as pipe:
        text = pipe.read().decode(errors='replace')
    _, status = os.waitpid(child, 0)
    if status == 0:
        return ''
    lines = [line for line in text.splitlines() if 'ERROR' in line or 'failed:' in line] or text.splitlines() or ['?']
    return lines[-1].strip()


def run_compile(program: str, part: str, case: Case, folder: str) -> subprocess.CompletedProcess:
    """Compiles into ours.h5."""
    path = {name: os.path.join(folder, name) for name in ('net.yaml', 'weights.npy', 'bias.npy', 'input.npy', 'ours.h5')}
    weights = ['--weights', path['weights.npy'], '--bias', path['bias.npy']] if case.weights else []
    return subprocess.run([program, 'compile', path['net.yaml'], '--part', part, '-o', path['ours.h5'], '--input', path['input.npy'],
                           *weights, *case.flags], capture_output=True, text=True, check=False, timeout=120)


def report_of(program: str, path: str) -> dict:
    """What `run` says of a program."""
    done = subprocess.run([program, 'run', '--json', '-', path], capture_output=True, text=True, check=False, timeout=300)
    try:
        return json.loads(done.stdout)['programs'][0]
    except (ValueError, IndexError):
        return {'pass': False, 'error': done.stderr.strip(), 'layers': [], 'cycles': None, 'checks': 0, 'mismatches': 0}


def findings(program: str, path: str) -> list:
    """Classes of errors that `check` finds, the wrong result itself left out."""
    done = subprocess.run([program, 'check', '--json', '-', path], capture_output=True, text=True, check=False, timeout=300)
    found = json.loads(done.stdout)['programs'][0]['findings']
    return sorted({f['class'] for f in found if f['severity'] == 'error'} - {'result'})


def difference(program: str, folder: str) -> str:
    """What differs between the programs of both, or ''."""
    vendor, ours = os.path.join(folder, 'vendor.h5'), os.path.join(folder, 'ours.h5')
    theirs, mine = report_of(program, vendor), report_of(program, ours)
    if not mine['pass']:
        return f'ours fails: {mine["error"] or str(mine["mismatches"]) + " words"}'
    if not theirs['pass']:
        return FAULT + ', '.join(findings(program, vendor) or [theirs['error'] or f'{theirs["mismatches"]} of {theirs["checks"]} words'])
    with h5py.File(vendor) as left, h5py.File(ours) as right:
        if left['layers'].keys() != right['layers'].keys():
            return 'other layers'
        for name in left['layers']:
            a, b = left['layers'][name], right['layers'][name]
            if 'output' in a and 'output' in b and not numpy.array_equal(a['output'][()].reshape(-1), b['output'][()].reshape(-1)):
                return f'the output of layer {name} differs'
        estimates = {int(name): int(left['layers'][name].attrs.get('cycles', -1)) for name in left['layers']}
    if theirs['cycles'] != mine['cycles']:
        return f'{mine["cycles"]} cycles, theirs takes {theirs["cycles"]}'
    for layer in theirs['layers']:
        estimate = estimates.get(layer['layer'], -1)
        if estimate > 0 and layer['cycles'] != estimate:
            return f'layer {layer["layer"]} takes {layer["cycles"]} cycles, the generator says {estimate}'
    return ''


def kind_of(message: str) -> str:
    """A message without its numbers and names, to count by."""
    message = re.sub(r"^(ai8xsim|ai8xsim-export|ERROR)[^:]*: *", '', message)
    message = re.sub(r'\S*net\.yaml(:\d+)?: ', '', message)
    message = re.sub(r'[Ll]ayer \d+( \(L?\d*\))?:? ?', '', message)
    return re.sub(r'0x[0-9a-f]+|\d+', 'N', message)[:150]


def judge(program: str, checkout: str, export, part: str, seed: int, folder: str) -> typing.Tuple[str, str]:
    """(class, detail) of one network."""
    case = Drawer(seed, part).network()
    write(case, folder)
    refusal = run_generator(export, checkout, part, case, folder)
    done = run_compile(program, part, case, folder)
    warned = ' [warned]' if 'warning:' in done.stderr else ''
    if done.returncode not in (0, 3):
        return 'broken', f'compile ends with {done.returncode}: {done.stderr.strip()}'
    if done.returncode == 3 and refusal:
        return 'both refuse', ''
    if done.returncode == 3:
        return 'only ours refuses', kind_of(done.stderr.strip().splitlines()[-1])
    if refusal:
        passes_too = report_of(program, os.path.join(folder, 'ours.h5'))['pass']
        return 'only theirs refuses', kind_of(refusal) + ('' if passes_too else ' AND OURS FAILS') + warned
    found = difference(program, folder)
    if found.startswith(FAULT):
        return 'only theirs fails', found[len(FAULT):]
    return ('differ', found + warned) if found else ('equal', '')


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n', maxsplit=1)[0])
    parser.add_argument('checkout')
    parser.add_argument('--part', default='MAX78000', choices=['MAX78000', 'MAX78002'])
    parser.add_argument('--count', type=int, default=200)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--ai8xsim', default='ai8xsim')
    parser.add_argument('--keep', help='folder for the files of what is not equal')
    options = parser.parse_args()
    if not os.path.exists(os.path.join(options.checkout, 'ai8xize.py')):
        print(f'compare_generator: {options.checkout}: no ai8x-synthesis checkout', file=sys.stderr)
        return 3
    export = load_export()
    checkout = os.path.abspath(options.checkout)
    counts, kinds = collections.Counter(), collections.defaultdict(list)
    for seed in range(options.seed, options.seed + options.count):
        folder = tempfile.mkdtemp(prefix='compare-')
        verdict, detail = judge(options.ai8xsim, checkout, export, options.part, seed, folder)
        counts[verdict] += 1
        if verdict not in ('equal', 'both refuse'):
            kinds[verdict, detail if verdict != 'differ' else kind_of(detail)].append(seed)
            print(f'{seed}: {verdict}: {detail}', file=sys.stderr, flush=True)
            if options.keep:
                shutil.rmtree(os.path.join(options.keep, f'{options.part}-{seed}'), ignore_errors=True)
                shutil.copytree(folder, os.path.join(options.keep, f'{options.part}-{seed}'))
        shutil.rmtree(folder)
    print(f'{options.part}, seeds {options.seed} to {options.seed + options.count - 1}: ' +
          ', '.join(f'{count} {name}' for name, count in sorted(counts.items())))
    for (verdict, detail), seeds in sorted(kinds.items(), key=lambda item: (item[0][0], -len(item[1]))):
        print(f'| {len(seeds)} | {verdict} | {detail} | {", ".join(map(str, seeds[:6]))} |')
    return 1 if counts['differ'] or counts['broken'] else 0


if __name__ == '__main__':
    sys.exit(main())
