#!/usr/bin/python3
"""Compare two program files: operations, what they leave in the machine, and layer results.

For the tests of the tools room. Two programs can be written in different ways and still mean the
same: input data or kernels may be stored in another order, kernels may be loaded express or
plain. So operations are compared twice: word by word, and by what they bring about (ordered
register writes, contents of every memory, ordered FIFO words).

    program_diff.py A.h5 B.h5

Exit status: 0 the programs mean the same, 1 they differ, 2 usage, 3 a file cannot be read.
"""

import sys
import typing

import h5py
import numpy

WRITE32, WAIT, FIFO_WRITE32, EXPECT, RUN, WRITE8 = range(6)


class Map(typing.NamedTuple):
    """Where the memories of a part are, relative to a quadrant (hardware reference, address map)."""
    first: int          # Quadrant 0
    size: int           # Distance of quadrants
    bias: int
    tram: int
    kernel: int
    data: int
    end: int
    kernel_window: int  # Bytes of kernel address space per processor


MAPS = {
    'MAX78000': Map(0x50100000, 0x400000, 0x8000, 0x10000, 0x80000, 0x300000, 0x320000, 0x4000),
    'MAX78002': Map(0x51000000, 0x1000000, 0x180000, 0x200000, 0x400000, 0x800000, 0x880000,
                    0x20000),
}


class Effect:
    """What the operations before RUN bring about."""

    def __init__(self, device: str, operations: numpy.ndarray):
        self.map = MAPS[device]
        self.control: list = []
        self.fifo: list = []
        self.memory: typing.Dict[str, dict] = {'bias': {}, 'tram': {}, 'kernel': {}, 'data': {}}
        self.express: typing.Optional[typing.Tuple[int, int]] = None
        self.stream = bytearray()
        for kind, addr, value, mask in operations.tolist():
            if kind == RUN:
                break
            self.step(kind, addr, value, mask)
        self.flush()

    def step(self, kind: int, addr: int, value: int, mask: int) -> None:
        """One operation."""
        region, offset = self.locate(addr)
        if region == 'kernel' and kind == WRITE8 and offset & 1:
            self.flush()
            window, inside = divmod(offset, self.map.kernel_window)
            self.express = self.key(addr, window), inside // 4
            return
        if region == 'kernel' and self.express is not None:
            self.stream += value.to_bytes(4, 'big')
            return
        self.flush()
        if kind == FIFO_WRITE32:
            self.fifo.append((addr, value))
        elif region is None or kind != WRITE32:
            self.control.append((kind, addr, value, mask))
        elif region == 'kernel':
            self.plain(addr, offset, value)
        else:
            self.memory[region][addr] = value

    def locate(self, addr: int) -> typing.Tuple[typing.Optional[str], int]:
        """The memory an address belongs to and the offset in it; no memory: a register."""
        if addr < self.map.first:
            return None, 0
        offset = (addr - self.map.first) % self.map.size
        for name in ('data', 'kernel', 'tram', 'bias'):
            start = getattr(self.map, name)
            if start <= offset:
                # MAX78002 has registers between its bias memory and its TRAM.
                if name == 'data' and offset >= self.map.end \
                        or name == 'bias' and offset - start >= 0x4000:
                    return None, 0
                return name, offset - start
        return None, 0

    def key(self, addr: int, window: int) -> typing.Tuple[int, int]:
        """Quadrant and processor."""
        return (addr - self.map.first) // self.map.size, window

    def plain(self, addr: int, offset: int, value: int) -> None:
        """A word of a kernel: byte 0; bytes 1 to 4; bytes 5 to 8; and the word that executes."""
        window, inside = divmod(offset, self.map.kernel_window)
        index, word = divmod(inside // 4, 4)
        kernel = self.memory['kernel'].setdefault((self.key(addr, window), index), bytearray(9))
        if word == 0:
            kernel[0] = value & 0xff
        elif word < 3:
            kernel[4 * word - 3:4 * word + 1] = value.to_bytes(4, 'big')

    def flush(self) -> None:
        """The end of a block of express words."""
        if self.express is None:
            return
        where, index = self.express
        for i in range(len(self.stream) // 9):
            self.memory['kernel'][where, index + i] = self.stream[9 * i:9 * i + 9]
        self.express = None
        self.stream = bytearray()


def non_zero(memory: dict) -> dict:
    """Memory that is not written counts as zero."""
    return {k: v for k, v in memory.items() if (any(v) if isinstance(v, bytearray) else v)}


def without_express(where: Map, operation: tuple) -> tuple:
    """A control operation without the bit that chooses the way kernels are loaded."""
    kind, addr, value, mask = operation
    if kind == WRITE32 and addr >= where.first and (addr - where.first) % where.size == 0:
        value &= ~(1 << 20)  # Express load enable of a quadrant's control register
    return kind, addr, value, mask


class Difference(typing.NamedTuple):
    """Per aspect: 'equal', 'same contents' or 'differ', and what is different."""
    ops: str
    expects: str
    layers: str
    notes: typing.List[str]

    def same(self) -> bool:
        """Do the programs mean the same?"""
        return 'differ' not in (self.ops, self.expects, self.layers)


def compare_operations(first, second, notes: list) -> str:
    """Everything before the checks."""
    a, b = (f['program'][()] for f in (first, second))
    a, b = (p[:numpy.flatnonzero(p['kind'] == RUN)[0] + 1] for p in (a, b))
    if numpy.array_equal(a, b):
        return 'equal'
    x, y = (Effect(f.attrs['device'], p) for f, p in ((first, a), (second, b)))
    result = 'same contents'
    if x.control != y.control and [without_express(x.map, c) for c in x.control] \
            == [without_express(y.map, c) for c in y.control]:
        notes.append('kernels loaded express by one only')
    elif x.control != y.control:
        at = next((i for i, (p, q) in enumerate(zip(x.control, y.control)) if p != q),
                  min(len(x.control), len(y.control)))
        shown = [tuple(f'{v:x}' for v in c[at]) if at < len(c) else 'end'
                 for c in (x.control, y.control)]
        notes.append(f'register write {at}: {shown[0]} and {shown[1]}')
        result = 'differ'
    if x.fifo != y.fifo:
        notes.append('FIFO words')
        result = 'differ'
    for name in x.memory:
        if non_zero(x.memory[name]) != non_zero(y.memory[name]):
            notes.append(f'{name} memory')
            result = 'differ'
    if result != 'differ':
        for name in x.memory:
            if list(x.memory[name]) != list(y.memory[name]):
                only = set(x.memory[name]) ^ set(y.memory[name])
                what = 'kernels' if name == 'kernel' else 'words'
                notes.append(f'{name} memory: ' + (f'{len(only)} zero {what} written by one only'
                                                   if only else 'other order'))
        if not notes:
            notes.append('other split into blocks')
    return result


def compare_expects(first, second, notes: list) -> str:
    """The checks after RUN."""
    a, b = (f['program'][()] for f in (first, second))
    a, b = (p[numpy.flatnonzero(p['kind'] == RUN)[0] + 1:] for p in (a, b))
    if numpy.array_equal(a, b):
        return 'equal'
    if numpy.array_equal(numpy.sort(a), numpy.sort(b)):
        notes.append('checks: other order')
        return 'same contents'
    notes.append(f'checks: {len(a)} and {len(b)}')
    return 'differ'


def compare_layers(first, second, notes: list, attributes: bool) -> str:
    """Outputs, places in memory and, if asked for, attributes."""
    result = 'equal'
    names = sorted(set(first['layers']) | set(second['layers']), key=int)
    for name in names:
        a, b = (f['layers'].get(name) for f in (first, second))
        if a is None or b is None:
            notes.append(f'layer {name} in one only')
            return 'differ'
        for part in sorted(set(a) | set(b)):
            if part not in a or part not in b or not numpy.array_equal(a[part][()], b[part][()]):
                notes.append(f'layer {name} {part}')
                if part in a and part in b:
                    result = 'differ'
                elif result == 'equal':
                    result = 'same contents'
        if attributes:
            for key in sorted(set(a.attrs) | set(b.attrs)):
                if not numpy.array_equal(a.attrs.get(key), b.attrs.get(key)):
                    notes.append(f'layer {name} @{key}: {a.attrs.get(key)} and '
                                 f'{b.attrs.get(key)}')
                    result = 'differ'
    for key in ('device', 'order', 'macs', 'cycles') if attributes else ('device', 'order'):
        if not numpy.array_equal(first.attrs[key], second.attrs[key]):
            notes.append(f'@{key}: {first.attrs[key]} and {second.attrs[key]}')
            result = 'differ'
    if not numpy.array_equal(first['input'][()], second['input'][()]):
        notes.append('input')
        result = 'differ'
    return result


def compare(first_path: str, second_path: str, attributes: bool = True) -> Difference:
    """Compare two program files."""
    with h5py.File(first_path) as first, h5py.File(second_path) as second:
        notes: typing.List[str] = []
        return Difference(compare_operations(first, second, notes),
                          compare_expects(first, second, notes),
                          compare_layers(first, second, notes, attributes), notes)


def main() -> int:
    """Command line."""
    if len(sys.argv) != 3:
        print(__doc__.strip().splitlines()[7].strip(), file=sys.stderr)
        return 2
    try:
        difference = compare(*sys.argv[1:])
    except (OSError, KeyError) as exc:
        print(f'program_diff: {exc}', file=sys.stderr)
        return 3
    print(f'operations: {difference.ops}\nchecks: {difference.expects}\n'
          f'layers: {difference.layers}')
    for note in difference.notes:
        print('  ' + note)
    return 0 if difference.same() else 1


if __name__ == '__main__':
    sys.exit(main())
