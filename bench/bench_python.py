#!/usr/bin/python3
"""What Python costs: a batch against `ai8xsim eval`, a single run against the C call.

    AI8XSIM_LIBRARY=build/lib/libai8xsim.so.0 bench_python.py build/sim/ai8xsim models/digits/digits.h5
"""
import os
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

import ai8xsim
from ai8xsim._native import ffi, lib, pointer

COUNT = 10000


def best(work, times=5):
    """The shortest of several times, in seconds."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def main():
    """Measures, and prints one line per question."""
    program_path, path = sys.argv[1:]
    program = ai8xsim.Program(path)
    inputs = np.random.default_rng(1).integers(-128, 128, (COUNT, *program.input_shape), np.int8)
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, 'data.h5')
        with h5py.File(data, 'w') as file:
            file['input'] = inputs
        for jobs in (1, 2):
            command = [program_path, 'eval', path, '--data', data, '--jobs', str(jobs), '-o']
            c = best(lambda command=command: subprocess.run(command + [tempfile.mktemp(dir=folder)], check=True, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL), 3)
            python = best(lambda: program.eval(inputs, jobs=jobs, progress=False), 3)
            print(f'{COUNT} inputs, {jobs} threads: ai8xsim eval {c:.3f} s, Program.eval {python:.3f} s')
    one, output = inputs[0], np.empty(program.output_shape, np.int32)
    x, y = pointer(one, 'int8_t *'), pointer(output, 'int32_t *')
    for layers in (False, True):
        batch = program._batch('auto', layers)  # pylint: disable=protected-access
        worker = batch.take()

        def calls(worker=worker):
            for _ in range(1000):
                lib.ai8x_batch_run(worker.handle, x, y, ffi.NULL)

        def runs(layers=layers):
            for _ in range(1000):
                program.run(one, layers=layers)
        c, python = best(calls), best(runs)
        batch.give(worker)
        print(f'a run{" with all layers" if layers else ""}: C call {c * 1e3:.1f} us, Program.run {python * 1e3:.1f} us, '
              f'{(python - c) * 1e3:.1f} us more')


if __name__ == '__main__':
    main()
