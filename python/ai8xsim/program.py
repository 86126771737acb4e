"""Programs: bus operations with expected results, and what a run of them gives."""
import collections
import functools
import math
import os
import sys
import threading

import numpy as np

from ai8xsim._native import (ArgumentError, Interrupts, Stream, call, failure, ffi, find_part, int8, lib,
                             part_name, path_bytes, pointer, text, view)
from ai8xsim.profile import MemoryMap, Profile

ENGINES = {'auto': lib.AI8X_ENGINE_AUTO, 'exact': lib.AI8X_ENGINE_EXACT, 'fast': lib.AI8X_ENGINE_FAST}

Mismatch = collections.namedtuple('Mismatch', 'layer channel row column address expected got mask')
Finding = collections.namedtuple('Finding', 'name severity layer processor address channel row column count '
                                            'cause remedy')


def engine_value(name):
    """The C value of an engine's name."""
    if name not in ENGINES:
        raise ArgumentError(f'engine {name!r}: expected one of {", ".join(ENGINES)}')
    return ENGINES[name]


def new_machine(part, engine, capture, threads=1):
    """A fresh machine of a part, freed with its handle."""
    options = ffi.new('ai8x_machine_options *', lib.ai8x_machine_options_default())
    options.engine, options.capture_outputs, options.threads = engine_value(engine), capture, threads
    handle = ffi.new('ai8x_machine **')
    call(lib.ai8x_machine_create, part, options, handle)
    return ffi.gc(handle[0], lib.ai8x_machine_destroy)


Facts = collections.namedtuple('Facts', 'index text shape dtype size')


def layer_facts(report):
    """What is the same in every run of a layer: register set, text, and the output's shape, type and bytes."""
    layer = report.layer
    buffer = ffi.new('char[]', 512)
    lib.ai8x_layer_describe(ffi.addressof(report, 'layer'), buffer, 512)
    shape = lib.ai8x_layer_output_slots(ffi.addressof(report, 'layer')), layer.output_rows, layer.output_columns
    dtype = np.int8 if layer.output_bits == 8 else np.int32
    return Facts(layer.index, text(buffer), shape, dtype, 4 * shape[0] * shape[1] * shape[2])


class Layer:
    """One layer of a result.

    ``number`` as in the program, ``hw_layer`` the register set, ``cycles`` of the accelerator, ``exact`` whether the
    exact engine ran it and ``reason`` why, ``passed`` and ``mismatches`` where recorded results were compared (else
    None and 0), ``text`` the layer in a sentence. ``output`` is its result.
    """

    def __init__(self, number, report, facts=None):
        self._facts = facts or layer_facts(report)
        self.number, self.hw_layer, self.cycles = number, self._facts.index, report.cycles
        self.exact = report.exact_engine
        self.reason = text(report.exact_reason) if self.exact else ''
        self.passed, self.mismatches = None, 0
        # The machine's next run uses the report's memory again; this is the only copy.
        captured = report.output != ffi.NULL
        self._bytes = ffi.buffer(report.output, self._facts.size)[:] if captured else None

    @property
    def text(self):
        """The layer in a sentence."""
        return self._facts.text

    @property
    def output(self):
        """Its result [C][H][W], values as in data memory: int8 where the layer writes 8 bit, else int32. A read-only
        view; None where outputs were not captured. C counts output slots: channels, with ``expand`` in passes."""
        if self._bytes is None:
            return None
        values = np.frombuffer(self._bytes, np.int32)
        if self._facts.dtype == np.int8:
            low = 0 if sys.byteorder == 'little' else 3
            values = values.view(np.int8)[low::4]
        return values.reshape(self._facts.shape)

    def __repr__(self):
        return f'<layer {self.number}: {self.cycles} cycles, output {self._facts.shape} {self._facts.dtype.__name__}>'


class Result:
    """What a run gave.

    ``output`` [C][H][W] of the last layer (int32; int8 from a recorded input where the layer writes 8 bit), ``layers``
    a list of :class:`Layer` in the order they ran, ``cycles`` of the accelerator, ``seconds`` the same at the part's
    usual clock, ``passed`` (every check held; None where nothing was compared), ``checks`` the words and layers
    compared, ``mismatches`` a list of :class:`Mismatch` (1000 at most) and ``mismatch_count`` all of them,
    ``first_bad_layer`` or None, ``message`` how the run ended.
    """

    def __init__(self, output, layers, cycles, seconds):
        self.output, self.layers, self.cycles, self.seconds = output, layers, cycles, seconds
        self.passed, self.checks, self.mismatches, self.mismatch_count = None, 0, [], 0
        self.first_bad_layer, self.message = None, ''

    def __repr__(self):
        verdict = {None: 'nothing compared', True: 'passed', False: 'FAILED'}[self.passed]
        return f'<{verdict}: {len(self.layers)} layers, {self.cycles} cycles, {self.checks} checks>'


class _Worker:
    """A machine of a batch, and what ends its runs."""

    def __init__(self, handle):
        self.handle, self.interrupts = handle, Interrupts()
        self.machine = lib.ai8x_batch_machine(handle)
        lib.ai8x_machine_on_poll(self.machine, self.interrupts.callback, ffi.NULL)

    def run(self, x, output):
        """One inference: int8 in, int32 out, C-contiguous."""
        self.interrupts.forget()
        try:
            call(lib.ai8x_batch_run, self.handle, ffi.from_buffer('int8_t[]', x), ffi.from_buffer('int32_t[]', output))
        finally:
            self.interrupts.check()


class _Batch:
    """A program loaded once, and its workers: each is used by one thread at a time."""

    def __init__(self, program, engine, capture, threads):
        options = lib.ai8x_batch_options_default()
        options.machine.engine = engine_value(engine)
        options.machine.capture_outputs, options.machine.threads = capture, threads
        handle = ffi.new('ai8x_batch **')
        call(lib.ai8x_batch_create, program.handle, ffi.new('ai8x_batch_options *', options), handle)
        # Kept: the batch reads the program. Not the Program itself, which would be a circle.
        self.program = program.handle
        self.handle = handle[0]
        self._free = lib.ai8x_batch_worker_destroy, lib.ai8x_batch_destroy
        self.idle, self.lock = [], threading.Lock()
        shape = ffi.new('uint32_t[3]')
        lib.ai8x_batch_output_shape(self.handle, shape)
        self.output_shape = tuple(shape)
        self.input_shape, self.input_size = None, 0
        if lib.ai8x_batch_input_shape(self.handle, shape, ffi.NULL) == lib.AI8X_OK:
            self.input_shape, self.input_size = tuple(shape), shape[0] * shape[1] * shape[2]
        self.clock_hz = lib.ai8x_part_get_info(lib.ai8x_program_part(program.handle)).clock_hz
        self.facts = {}

    def take(self):
        """A worker that nobody uses."""
        with self.lock:
            if self.idle:
                return self.idle.pop()
        worker = ffi.new('ai8x_batch_worker **')
        call(lib.ai8x_batch_worker_create, self.handle, worker)
        return _Worker(worker[0])

    def give(self, worker):
        """Hands a worker back."""
        with self.lock:
            self.idle.append(worker)

    def __del__(self):
        if hasattr(self, 'idle'):
            for worker in self.idle:
                self._free[0](worker.handle)
            self._free[1](self.handle)

    def need_input(self):
        """The input shape, where it is known."""
        if self.input_shape is None:
            call(lib.ai8x_batch_input_shape, self.handle, ffi.new('uint32_t[3]'))
        return self.input_shape


def _is_elf(path):
    """Whether a file is an ELF file; of one that cannot be read the library says what is wrong."""
    try:
        with open(os.fsencode(path), 'rb') as file:
            return file.read(4) == b'\x7fELF'
    except OSError:
        return False


def _fits(shape, expected):
    """Whether an input has the dimensions in their order, or is flat; those of 1 may be missing or stand elsewhere."""
    if shape == expected or shape == (math.prod(expected),):
        return True
    return [size for size in shape if size != 1] == [size for size in expected if size != 1]


class Program:
    """A program: bus operations as firmware makes them, with the words expected afterwards.

    ``Program(path)`` reads an HDF5 program, an ai8x-synthesis ``.mem`` stimulus (give ``part``) or a firmware ELF file
    (its first inference). Any number of threads may use one program.
    """

    def __init__(self, path, part=None, _handle=None):
        if _handle is None:
            options = ffi.new('ai8x_program_options *')
            if part is not None:
                options.part = find_part(part)
            handle = ffi.new('ai8x_program **')
            open_it = lib.ai8x_firmware_open_program if _is_elf(path) else lib.ai8x_program_open
            call(open_it, path_bytes(path), options, handle)
            _handle = handle[0]
        self.handle = ffi.gc(_handle, lib.ai8x_program_destroy)
        self._batches, self._lock = {}, threading.Lock()

    @property
    def name(self):
        """Name of the program."""
        return text(lib.ai8x_program_name(self.handle))

    @property
    def part(self):
        """Name of the part: "MAX78000"."""
        return part_name(lib.ai8x_program_part(self.handle))

    @property
    def ops(self):
        """The bus operations: a structured array (kind, address, value, mask), a view."""
        count = ffi.new('size_t *')
        ops = lib.ai8x_program_ops(self.handle, count)
        kind = np.dtype({'names': ['kind', 'address', 'value', 'mask'], 'formats': ['u1', 'u4', 'u4', 'u4'],
                         'offsets': [0, 4, 8, 12], 'itemsize': ffi.sizeof('ai8x_op')})
        return view(ops, (count[0],), kind, self)

    @property
    def input(self):
        """The recorded input, int32 [C][H][W], a view; None where there is none."""
        shape = ffi.new('uint32_t[3]')
        values = lib.ai8x_program_input(self.handle, shape)
        return None if values == ffi.NULL else view(values, tuple(shape), np.int32, self)

    @property
    def expected(self):
        """Recorded output of the last layer that has one, int32 [C][H][W], a view, or None."""
        recorded = [layer for layer in self._recorded() if layer.output != ffi.NULL]
        return view(recorded[-1].output, tuple(recorded[-1].shape), np.int32, self) if recorded else None

    def _recorded(self):
        count = lib.ai8x_program_layer_count(self.handle)
        return [lib.ai8x_program_layer_at(self.handle, position) for position in range(count)]

    @property
    def input_shape(self):
        """(C, H, W) of an input."""
        return self._batch('auto', False).need_input()

    @property
    def output_shape(self):
        """(C, H, W) of the output."""
        return self._batch('auto', False).output_shape

    def save(self, path):
        """Writes the program as HDF5 to ``path``, whole or not at all."""
        call(lib.ai8x_program_save, self.handle, path_bytes(path))

    def _batch(self, engine, capture, threads=1):
        with self._lock:
            key = (engine, capture, threads)
            if key not in self._batches:
                self._batches[key] = _Batch(self, engine, capture, threads)
            return self._batches[key]

    def run(self, x=None, engine='auto', layers=True, per_layer=True, max_cycles=None,
            threads=1):
        """Runs the program once.

        :param x: input [C][H][W], whole numbers -128..127 (NumPy, torch, DLPack); None: the recorded input, and then
            every expected word (and with ``per_layer`` every recorded layer) is compared
        :param engine: "auto", "exact" (cycle by cycle) or "fast"; results do not depend on it
        :param layers: keep every layer's output; False is faster
        :param max_cycles: give up after so many cycles of the accelerator
        :param threads: that work on a layer where it is large enough
        :returns: a :class:`Result`
        :raises MachineError: the machine stopped: dead-lock, illegal layer, cycle limit
        """
        if x is None:
            return self._run_recorded(engine, per_layer, max_cycles, threads)
        batch = self._batches.get((engine, layers, threads)) or self._batch(engine, layers, threads)
        x = int8(x, 'input')
        if not _fits(x.shape, batch.input_shape or batch.need_input()):
            raise ArgumentError(f'input of shape {x.shape}: expected {batch.need_input()}')
        output = np.empty(batch.output_shape, np.int32)
        worker = batch.take()
        try:
            worker.run(x, output)
            cycles = lib.ai8x_machine_cycles(worker.machine)
            reports = self._layers(worker.machine, batch.facts) if layers else []
        finally:
            batch.give(worker)
        return Result(output, reports, cycles, cycles / batch.clock_hz)

    @functools.cached_property
    def _numbers(self):
        """Numbers of the recorded layers by their register sets."""
        numbers = [layer.number for layer in self._recorded()]
        return {lib.ai8x_program_int(self.handle, position, b'hw_layer', number): number
                for position, number in enumerate(numbers)}

    def _layers(self, machine, facts):
        """Layers of a machine's last run, with the outputs in the shapes that the program records."""
        numbers = self._numbers
        other = lib.AI8X_PROGRAM_UNRECORDED if numbers else 0
        count = lib.ai8x_machine_layer_count(machine)
        layers = []
        for position in range(count):
            report = lib.ai8x_machine_layer_report(machine, position)
            index = report.layer.index
            if index not in facts:
                facts[index] = layer_facts(report)
            layers.append(Layer(numbers.get(index, other + index), report, facts[index]))
        return layers

    def _run_recorded(self, engine, per_layer, max_cycles, threads):
        machine = new_machine(lib.ai8x_program_part(self.handle), engine, True, threads)
        settings = ffi.new('ai8x_runner_options *', lib.ai8x_runner_options_default())
        settings.per_layer = per_layer
        settings.max_mismatches = 1000
        if max_cycles is not None:
            settings.max_cycles = max_cycles
        interrupts = Interrupts()
        lib.ai8x_machine_on_poll(machine, interrupts.callback, ffi.NULL)
        result = ffi.new('ai8x_runner_result *')
        try:
            lib.ai8x_runner_run(machine, self.handle, settings, result)
            interrupts.check()
            if result.status not in (lib.AI8X_OK, lib.AI8X_ERR_MISMATCH):
                raise failure(result.status, text(result.message))
            return self._recorded_result(machine, result)
        finally:
            lib.ai8x_runner_result_release(result)

    def _recorded_result(self, machine, result):
        layers = self._layers(machine, {})
        for position in range(min(len(layers), result.layer_count)):
            ran = result.layers[position]
            layers[position].number = ran.number
            if ran.compared:
                layers[position].passed, layers[position].mismatches = _passed(ran), ran.mismatches
        answer = Result(layers[-1].output if layers else None, layers, result.cycles, result.simulated_seconds)
        answer.checks, answer.mismatch_count = result.checks, result.mismatches
        answer.passed = _passed(result) if result.checks else None
        answer.message = text(result.message)
        answer.first_bad_layer = result.first_bad_layer if result.first_bad_layer >= 0 else None
        answer.mismatches = [
            Mismatch(m.layer, m.channel, m.row, m.column, m.address, m.expected, m.got, m.mask)
            for m in (result.mismatch[index] for index in range(result.mismatch_count))]
        return answer

    def eval(self, X, jobs=1, engine='auto', progress=None, out=None):
        """Runs the program on a batch.

        :param X: inputs [N][C][H][W], whole numbers -128..127 (NumPy, torch, DLPack)
        :param jobs: threads; the interpreter is free while the library runs
        :param engine: "auto", "exact" or "fast", as in :meth:`run`
        :param progress: True: a bar on standard error; None: where that is a terminal; or a function (done, N)
        :param out: int32 array [N][C][H][W] to fill, or None
        :returns: outputs, int32 [N][C][H][W]
        """
        batch = self._batch(engine, False)
        X = int8(X, 'inputs')
        shape = batch.need_input()
        if X.ndim < 2 or not (_fits(X.shape[1:], shape) or X.shape == shape):
            raise ArgumentError(f'inputs of shape {X.shape}: expected (N, {", ".join(map(str, shape))})')
        if jobs < 1:
            raise ArgumentError(f'jobs {jobs}: at least 1')
        wanted = (len(X),) + batch.output_shape
        if out is None:
            out = np.empty(wanted, np.int32)
        elif out.shape != wanted or out.dtype != np.int32 or not out.flags.c_contiguous:
            raise ArgumentError(f'out: expected a contiguous int32 array of shape {wanted}')
        _Evaluation(batch, X, out, progress).run(min(jobs, max(len(X), 1)))
        return out

    def profile(self, clock=None):
        """Where the cycles go, without running: a :class:`Profile`. ``clock`` such as "PCLK/2" or "50 MHz"."""
        return Profile(self.handle, ffi.NULL, clock)

    def memory_map(self):
        """Who owns each word of the memories: a :class:`MemoryMap`."""
        return MemoryMap(self.profile())

    def check(self, max_cycles=0):
        """What is wrong with the program: a list of findings, the worst first (docs/check.md).

        :param max_cycles: give up after so many cycles of the accelerator; 0: the default
        """
        options = ffi.new('ai8x_check_options *')
        options.max_cycles = max_cycles
        handle = ffi.new('ai8x_check **')
        call(lib.ai8x_check_program, self.handle, options, handle)
        check = ffi.gc(handle[0], lib.ai8x_check_destroy)
        findings = []
        for index in range(lib.ai8x_check_count(check)):
            found = lib.ai8x_check_get(check, index)
            findings.append(Finding(text(lib.ai8x_check_class_get(found.kind).name),
                                    text(lib.ai8x_severity_name(found.severity)),
                                    *(getattr(found, name) if getattr(found, name) >= 0 else None
                                      for name in ('layer', 'processor')),
                                    found.address if found.has_address else None,
                                    *(getattr(found, name) if getattr(found, name) >= 0 else None
                                      for name in ('channel', 'row', 'column')),
                                    found.count, text(found.cause), text(found.remedy)))
        return findings

    def trace(self, path, signals=None):
        """Writes every cycle of a run.

        :param path: a file: ``.vcd`` for GTKWave, ``.json`` for Perfetto, or ``.csv``
        :param signals: names such as ["sequencer", "reads"] or None for the usual ones
        :returns: number of events written
        """
        formats = {'.vcd': lib.AI8X_TRACE_VCD, '.json': lib.AI8X_TRACE_EVENTS, '.csv': lib.AI8X_TRACE_CSV}
        suffix = os.path.splitext(os.fspath(path))[1].lower()
        if suffix not in formats:
            raise ArgumentError(f'{path}: expected one of {", ".join(formats)}')
        options = ffi.new('ai8x_trace_options *', {'format': formats[suffix], 'from_layer': -1, 'to_layer': -1})
        for name in signals or ():
            bit = lib.ai8x_trace_signal_find(name.encode())
            if bit == 0:
                raise ArgumentError(f'signal {name!r} is not known')
            options.signals |= bit
        name = ffi.new('char[]', self.name.encode())
        options.name = name
        handle = ffi.new('ai8x_trace **')
        own_part = lib.ai8x_program_part(self.handle)
        machine = new_machine(own_part, 'exact', False)
        with Stream(path) as stream:
            call(lib.ai8x_trace_create, own_part, options, stream, handle)
            trace = handle[0]
            settings = ffi.new('ai8x_runner_options *', lib.ai8x_runner_options_default())
            settings.observer = ffi.addressof(lib, 'ai8x_trace_event')
            settings.observer_kinds, settings.observer_user = lib.ai8x_trace_kinds(trace), trace
            result = ffi.new('ai8x_runner_result *')
            lib.ai8x_runner_run(machine, self.handle, settings, result)
            status, message = result.status, text(result.message)
            lib.ai8x_runner_result_release(result)
            events = lib.ai8x_trace_events(trace)
            call(lib.ai8x_trace_finish, trace)
        if status not in (lib.AI8X_OK, lib.AI8X_ERR_MISMATCH):
            raise failure(status, message)
        return events

    def __repr__(self):
        return f'<program {self.name!r} for {self.part}: {len(self.ops)} bus operations>'


def _passed(struct):
    """The member that is called as a word of Python's."""
    return bool(getattr(struct, 'pass'))


class _Evaluation:
    """Threads that take inputs one by one until there are no more."""

    def __init__(self, batch, inputs, outputs, progress):
        self.batch, self.outputs = batch, outputs
        self.inputs = inputs
        self.next, self.done, self.failure, self.stop = 0, 0, None, False
        self.lock = threading.Lock()
        self.progress = progress if callable(progress) else None
        if self.progress is None and (progress or (progress is None and sys.stderr is not None and sys.stderr.isatty())):
            self.progress = _bar

    def work(self):
        """One thread's part of it."""
        worker = self.batch.take()
        error = ffi.new('ai8x_error *')
        step_in = int(np.prod(self.batch.input_shape))
        step_out = int(np.prod(self.batch.output_shape))
        first_in, first_out = pointer(self.inputs, 'int8_t *'), pointer(self.outputs, 'int32_t *')
        try:
            while not self.stop:
                with self.lock:
                    begin = self.next
                    end = self.next = min(begin + 16, len(self.inputs))
                if begin == end:
                    return
                for index in range(begin, end):
                    status = lib.ai8x_batch_run(worker.handle, first_in + index * step_in, first_out + index * step_out, error)
                    if status != lib.AI8X_OK:
                        self.failure = failure(status, f'input {index}: {text(error.message)}')
                        self.stop = True
                        return
                    if self.stop:
                        return
                with self.lock:
                    self.done += end - begin
        finally:
            self.batch.give(worker)

    def run(self, jobs):
        """Runs all inputs; the caller's thread waits, shows progress, and takes Ctrl-C."""
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.1)
                    if self.progress and thread.is_alive():
                        self.progress(self.done, len(self.inputs))
        finally:
            self.stop = True
            for thread in threads:
                thread.join()
        if self.failure:
            raise self.failure
        if self.progress:
            self.progress(self.done, len(self.inputs))


def _bar(done, count):
    """A bar on standard error."""
    width = 40 * done // max(count, 1)
    end = '\n' if done == count else ''
    sys.stderr.write(f'\r[{"#" * width}{"." * (40 - width)}] {done}/{count}{end}')
    sys.stderr.flush()
