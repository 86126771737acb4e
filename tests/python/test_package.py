#!/usr/bin/python3
"""The Python package, as users call it."""
import ast
import inspect
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import numpy as np

from package import DIGITS, FOLDER
import ai8xsim  # pylint: disable=wrong-import-order
from ai8xsim import _native  # pylint: disable=wrong-import-order
try:
    import ai8xsim.torch  # pylint: disable=wrong-import-order
except ImportError:
    pass

PROGRAM = os.path.join(DIGITS, 'digits.h5')
RESIDUAL = '''arch: two
dataset: none
layers:
  - {name: stem, in_channels: 3, in_dim: [16, 16], operation: conv2d, kernel_size: 3x3, pad: 1, out_channels: 16}
  - {name: last, operation: conv2d, kernel_size: 3x3, pad: 1, out_channels: 8}
'''


LARGE = ai8xsim.Network(RESIDUAL.replace('[16, 16]', '[90, 90]').replace('in_channels: 3', 'in_channels: 64')).randomise()


def elf(code, address):
    """An ELF file of ARM with one segment."""
    header = b'\x7fELF\x01\x01\x01'.ljust(16, b'\0') + struct.pack('<HHIIIIIHHHHHH', 2, 40, 1, address + 9, 52, 0,
                                                                     0x5000200, 52, 32, 1, 40, 0, 0)
    segment = struct.pack('<IIIIIIII', 1, 84, address, address, len(code), len(code), 5, 4)
    return header + segment + code


def network():
    """The network of digits with its weights."""
    return ai8xsim.Network(os.path.join(DIGITS, 'digits.yaml'), weights=os.path.join(DIGITS, 'weights.h5'))


class Programs(unittest.TestCase):
    """Programs and their runs."""

    @classmethod
    def setUpClass(cls):
        cls.program = ai8xsim.Program(PROGRAM)
        cls.recorded = cls.program.run()

    def test_recorded(self):
        """the recorded input: every check holds, outputs are what the program records"""
        self.assertIs(self.recorded.passed, True)
        self.assertGreater(self.recorded.checks, 1000)
        self.assertEqual(self.recorded.mismatches, [])
        self.assertTrue(np.array_equal(self.recorded.output, self.program.expected))
        self.assertTrue(all(layer.passed for layer in self.recorded.layers))

    def test_same_as_the_program(self):
        """layers and cycles are those that ai8xsim run --json tells"""
        done = subprocess.run([os.environ['AI8XSIM'], 'run', '--json', '-', PROGRAM], capture_output=True, check=True)
        text = done.stdout.decode()
        report = json.loads(text)
        found = json.dumps(report)
        self.assertIn(f'"cycles": {self.recorded.cycles}', found)
        for layer in self.recorded.layers:
            self.assertIn(f'"cycles": {layer.cycles}', found)

    def test_input(self):
        """an input of one's own: equal in all engines, in the types that arrays come in"""
        x = np.random.default_rng(1).integers(-128, 128, self.program.input_shape)
        results = [self.program.run(x, engine=engine) for engine in ('auto', 'exact', 'fast')]
        results.append(self.program.run(x.astype(np.float32)))
        for result in results[1:]:
            self.assertTrue(np.array_equal(result.output, results[0].output))
            self.assertEqual(result.cycles, results[0].cycles)
        for one, other in zip(results[0].layers, results[1].layers):
            self.assertTrue(np.array_equal(one.output, other.output))
        self.assertIsNone(results[0].passed)
        self.assertEqual(results[0].layers[3].output.dtype, np.int8)
        self.assertEqual(results[0].layers[-1].output.dtype, np.int32)

    def test_eval(self):
        """a batch: what single runs give, with any number of threads, into an array that is there"""
        inputs = np.random.default_rng(2).integers(-128, 128, (70, *self.program.input_shape), np.int8)
        outputs = self.program.eval(inputs)
        told = []
        again = np.empty_like(outputs)
        self.assertIs(self.program.eval(inputs, jobs=3, out=again, progress=lambda done, n: told.append((done, n))),
                      again)
        self.assertTrue(np.array_equal(outputs, again))
        self.assertEqual(told[-1], (70, 70))
        for index in (0, 33, 69):
            self.assertTrue(np.array_equal(self.program.run(inputs[index]).output, outputs[index]))
        self.assertEqual(self.program.eval(inputs[:0]).shape, (0, *self.program.output_shape))

    def test_threads(self):
        """one program, many threads"""
        inputs = np.random.default_rng(3).integers(-128, 128, (8, *self.program.input_shape), np.int8)
        outputs = self.program.eval(inputs)
        wrong = []

        def work(index):
            for _ in range(5):
                if not np.array_equal(self.program.run(inputs[index]).output, outputs[index]):
                    wrong.append(index)
        threads = [threading.Thread(target=work, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])

    def test_refused(self):
        """bad arguments are exceptions that say what was expected"""
        for call, expected in ((lambda: self.program.run(np.zeros((2, 8, 8))), r'expected \(1, 8, 8\)'),
                               (lambda: self.program.run(np.full((1, 8, 8), 0.5)), 'whole numbers'),
                               (lambda: self.program.run(np.full((1, 8, 8), 200)), '-128 to 127'),
                               (lambda: self.program.run(engine='best'), 'expected one of auto'),
                               (lambda: self.program.eval(np.zeros((3, 5))), 'inputs of shape'),
                               (lambda: self.program.eval(np.zeros((3, 1, 8, 8)), jobs=0), 'at least 1'),
                               (lambda: self.program.trace('x.txt'), 'expected one of'),
                               (lambda: self.program.profile(clock='fast'), 'clock')):
            with self.assertRaisesRegex(ValueError, expected):
                call()

    def test_cycle_limit(self):
        """a run that is given up"""
        with self.assertRaises(ai8xsim.MachineError) as caught:
            self.program.run(max_cycles=100)
        self.assertEqual(caught.exception.status, 'AI8X_ERR_CYCLE_LIMIT')

    def test_views(self):
        """operations and inputs are views without a copy, which outlive the name of their program"""
        program = ai8xsim.Program(PROGRAM)
        ops, values = program.ops, program.input
        self.assertTrue(np.shares_memory(ops, program.ops))
        self.assertTrue(np.shares_memory(values, program.input))
        before = int(ops['address'].astype(np.uint64).sum())
        del program
        self.assertEqual(int(ops['address'].astype(np.uint64).sum()), before)
        with self.assertRaises(ValueError):
            ops['kind'][0] = 1

    def test_check_trace_profile_map(self):
        """the other questions to a program"""
        self.assertTrue(all(finding.severity == 'info' for finding in self.program.check()))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'run.vcd')
            self.assertGreater(self.program.trace(path, ['sequencer']), self.recorded.cycles)
            with open(path, encoding='ascii') as file:
                self.assertIn('$timescale', file.read())
            copy = os.path.join(folder, 'copy.h5')
            self.program.save(copy)
            self.assertTrue(ai8xsim.Program(copy).run().passed)
        profile = self.program.profile()
        self.assertEqual(profile.cycles, self.recorded.cycles)
        self.assertEqual([layer.cycles for layer in profile.layers], [layer.cycles for layer in self.recorded.layers])
        self.assertIn('<table>', profile._repr_html_())
        self.assertIn('<html', profile.html())
        self.assertEqual(len(repr(profile).splitlines()), 2 + len(profile.layers))
        memory = self.program.memory_map()
        self.assertEqual(int(memory.kernels['count'].sum()), profile.kernel_words)
        self.assertIn('<svg', memory._repr_html_())

    def test_dataframe(self):
        """a profile as a pandas.DataFrame"""
        try:
            import pandas  # pylint: disable=import-outside-toplevel,unused-import
        except ImportError:
            self.skipTest('pandas is not there')
        frame = self.program.profile().to_dataframe()
        self.assertEqual(int(frame['cycles'].iloc[0]), self.recorded.layers[0].cycles)


class Networks(unittest.TestCase):
    """Networks, and what they become."""

    def test_compile(self):
        """the network of digits gives what the shipped program gives"""
        program = ai8xsim.Program(PROGRAM)
        compiled = network().compile('MAX78000', input=program.input)
        self.assertTrue(np.array_equal(compiled.run(program.input).output, program.expected))

    def test_dict(self):
        """weights as a dict of arrays"""
        rng = np.random.default_rng(4)
        arrays = {'weight_0': rng.integers(-128, 128, (16, 3, 3, 3), np.int8),
                  'weight_1': rng.integers(-128, 128, (8, 16, 3, 3), np.int8)}
        made = ai8xsim.Network(RESIDUAL, weights=arrays)
        self.assertTrue(np.array_equal(made.layers[0].weights, arrays['weight_0']))
        self.assertEqual(made.compile('MAX78002').run().output.shape, (8, 16, 16))

    def test_part_differs(self):
        """weights of a wrong shape, unknown keys and parts, missing files"""
        for call, kind, expected in (
                (lambda: ai8xsim.Network(RESIDUAL, weights={'weight_0': np.zeros((16, 3, 3, 3), np.int8)}),
                 ai8xsim.Error, 'layer 1'),
                (lambda: ai8xsim.Network('arc: x\n'), ai8xsim.FormatError, 'arc'),
                (lambda: ai8xsim.Network(RESIDUAL).compile('MAX1'), ai8xsim.ArgumentError, 'MAX78000, MAX78002'),
                (lambda: ai8xsim.Network('absent.yaml'), OSError, 'absent.yaml'),
                (lambda: ai8xsim.Program('absent.h5'), OSError, 'absent.h5')):
            with self.assertRaisesRegex(kind, expected):
                call()

    def test_cost(self):
        """the oracle says what the profile says; what cannot run is an answer with its reason"""
        made = network()
        cost, profile = ai8xsim.cost(made), made.profile()
        self.assertTrue(cost.feasible)
        for name in ('cycles', 'seconds', 'joules', 'macs', 'kernel_words', 'data_words'):
            self.assertEqual(getattr(cost, name), getattr(profile, name))
        self.assertEqual(cost, ai8xsim.cost(made))
        large = RESIDUAL.replace('[16, 16]', '[600, 600]')
        answer = ai8xsim.cost(ai8xsim.Network(large))
        self.assertFalse(answer.feasible)
        self.assertIn('layer', answer.reason)


class Machines(unittest.TestCase):
    """The register level."""

    def test_threads(self):
        """threads of an inference change nothing; too many are refused"""
        program = ai8xsim.Program(PROGRAM)
        self.assertTrue(program.run(threads=3).passed)
        self.assertEqual(ai8xsim.Machine('MAX78000', threads=2).cycles, 0)
        with self.assertRaises(ai8xsim.ArgumentError):
            ai8xsim.Machine('MAX78000', threads=65)

    def test_run(self):
        """bus writes of a program, a run in steps, memory as views, events as callbacks"""
        program = ai8xsim.Program(PROGRAM)
        machine = ai8xsim.Machine('MAX78000', engine='exact')
        events = []
        end = machine.observe(['layer_start', 'data_write'], events.append)
        for op in program.ops:
            if op['kind'] == 4:
                break
            if op['kind'] in (0, 5):
                (machine.write32 if op['kind'] == 0 else machine.write8)(int(op['address']), int(op['value']))
        data = machine.data(0)
        before = data.copy()
        self.assertEqual(machine.run(max_cycles=50), 'limit')
        self.assertEqual(machine.run(), 'done')
        self.assertEqual(machine.cycles, program.run().cycles)
        self.assertFalse(np.array_equal(before, data))
        self.assertTrue(np.shares_memory(data, machine.data(0)))
        self.assertEqual([event['layer'] for event in events if event['kind'] == 'layer_start'],
                         [layer.hw_layer for layer in machine.layers])
        writes = [event for event in events if event['kind'] == 'data_write' and event['instance'] == 0]
        self.assertEqual(writes[-1]['value'], int(data[writes[-1]['word']]))
        end()
        self.assertEqual(machine.kernels(0).shape[1], 9)
        self.assertEqual(machine.bias(0).dtype, np.int8)

    def test_callback_raises(self):
        """an exception of a callback comes out of run()"""
        machine = ai8xsim.Machine(engine='exact')
        machine.load(ai8xsim.Program(PROGRAM))

        def fail(event):
            raise KeyError(event['kind'])
        machine.observe(['layer_start'], fail)
        with self.assertRaises(KeyError):
            machine.run()

    def test_refused(self):
        """addresses, instances and events that there are not; a run that nothing started"""
        machine = ai8xsim.Machine()
        for call, kind in ((lambda: machine.write32(0, 1), RuntimeError), (lambda: machine.data(16), ValueError),
                           (lambda: machine.observe(['noise'], print), ValueError), (machine.run, RuntimeError)):
            with self.assertRaises(kind):
                call()


class Mistakes(unittest.TestCase):
    """What users pass that makes no sense: an error of the library that says what is expected, never a wrong result."""

    def test_inputs(self):
        """shapes in another order and values that are no numbers"""
        program = LARGE.compile('MAX78002')
        for shape in ((90, 90, 64), (90, 64, 90), (64, 90), (64, 8100)):
            with self.assertRaisesRegex(ai8xsim.ArgumentError, r'expected \(64, 90, 90\)'):
                program.run(np.zeros(shape, np.int8))
            with self.assertRaisesRegex(ai8xsim.ArgumentError, r'expected \(N, 64, 90, 90\)'):
                program.eval(np.zeros((1, *shape), np.int8))
        program = ai8xsim.Program(PROGRAM)
        for value in ('hello', np.zeros((1, 8, 8), complex), np.full((1, 8, 8), None), np.full((1, 8, 8), np.nan)):
            with self.assertRaisesRegex(ai8xsim.ArgumentError, 'whole numbers'):
                program.run(value)
        x = np.arange(64, dtype=np.int8)
        wanted = program.run(x.reshape(1, 8, 8)).output
        for shape in ((8, 8), (64,), (1, 1, 8, 8), (8, 8, 1)):
            self.assertTrue(np.array_equal(program.run(x.reshape(shape)).output, wanted))

    def test_files(self):
        """files that are not there or are none"""
        for path in ('/no/such.h5', '/tmp', os.devnull):
            with self.assertRaises(ai8xsim.Error):
                ai8xsim.Program(path)
        with self.assertRaises(TypeError):
            ai8xsim.Program(3)


class Interrupts(unittest.TestCase):
    """Ctrl-C."""

    def test_eval(self):
        """ends a long evaluation with KeyboardInterrupt"""
        script = ('import sys; sys.path.insert(0, sys.argv[1]); import numpy as np, ai8xsim\n'
                  'program = ai8xsim.Program(sys.argv[2])\n'
                  'try:\n'
                  '    program.eval(np.zeros((5000000, 1, 8, 8), np.int8), jobs=2, progress=lambda done, n: '
                  'print(done, flush=True))\n'
                  'except KeyboardInterrupt:\n'
                  '    sys.exit(77)\n')
        with subprocess.Popen([sys.executable, '-c', script, FOLDER, PROGRAM], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            self.assertEqual(process.wait(), 77)


    def end(self, script, argument):
        """Runs a script that says when its long run has begun; what it does after Ctrl-C."""
        script = ('import sys; sys.path.insert(0, sys.argv[1]); import numpy as np, ai8xsim\n'
                  'try:\n' + ''.join(f'    {line}\n' for line in script) + 'except KeyboardInterrupt:\n    sys.exit(77)\n')
        with subprocess.Popen([sys.executable, '-c', script, FOLDER, argument], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            self.assertEqual(process.wait(), 77)

    def test_machine(self):
        """ends a run in the middle of a layer, without an event of it"""
        with tempfile.TemporaryDirectory() as folder:
            large = os.path.join(folder, 'large.h5')
            LARGE.compile('MAX78002').save(large)
            begin = ['program = ai8xsim.Program(sys.argv[2])', 'print(flush=True)']
            machine = begin[:1] + ['machine = ai8xsim.Machine("MAX78002", engine="exact")', 'machine.load(program)']
            again = ['while True:', '    machine.load(program)', '    machine.run()']
            self.end(machine + begin[1:] + again, large)
            self.end(begin + ['while True: program.run(engine="exact")'], large)
            x = 'x = np.zeros(program.input_shape, np.int8)'
            self.end(begin[:1] + [x] + begin[1:] + ['while True: program.run(x, engine="exact")'], large)

    def test_goes_on(self):
        """a run that was ended in a layer goes on with the next call, as if nothing had been"""
        program = LARGE.compile('MAX78002')
        machine = ai8xsim.Machine('MAX78002', engine='exact')
        machine.load(program)
        ended = []

        def once(event):
            if not ended:
                ended.append(event['layer'])
                raise InterruptedError
        machine.observe(['layer_start'], once)
        with self.assertRaises(InterruptedError):
            machine.run()
        self.assertTrue(machine.running)
        self.assertEqual((ended, len(machine.layers)), ([0], 1))
        self.assertEqual(machine.run(), 'done')
        self.assertEqual(machine.cycles, program.profile().cycles)


class Firmwares(unittest.TestCase):
    """Firmware images."""

    def test_run(self):
        """verdict, console, inferences"""
        path = os.environ.get('AI8XSIM_FIRMWARE')
        if not path:
            self.skipTest('no firmware in this build')
        pieces = []
        result = ai8xsim.Firmware(path, on_console=pieces.append).run()
        self.assertTrue(result.passed, result)
        self.assertGreater(result.inferences[0].cycles, 0)
        self.assertEqual(''.join(pieces).replace('\r', ''), result.console)

    def test_interrupt(self):
        """Ctrl-C ends a run in which nothing but instructions happens"""
        path = os.environ.get('AI8XSIM_FIRMWARE')
        if not path:
            self.skipTest('no firmware in this build')
        # Thumb: stack and reset vector, then a loop of two blocks that counts for ever.
        image = struct.pack('<II', 0x20008000, 0x10000009) + struct.pack('<HHHH', 0x3001, 0xe7ff, 0xe7fc, 0xbf00)
        with tempfile.TemporaryDirectory() as folder:
            endless = os.path.join(folder, 'endless.elf')
            with open(endless, 'wb') as file:
                file.write(elf(image, 0x10000000))
            Interrupts.end(self, ['firmware = ai8xsim.Firmware(sys.argv[2], part="MAX78000", max_seconds=10000)',
                                  'print(flush=True)', 'while True: firmware.run()'], endless)


    def write(self, image):
        """A file with code that begins at the chip's reset vector."""
        if not os.environ.get('AI8XSIM_FIRMWARE'):
            self.skipTest('no firmware in this build')
        path = os.path.join(self.enterContext(tempfile.TemporaryDirectory()), 'image.elf')
        with open(path, 'wb') as file:
            file.write(elf(struct.pack('<II', 0x20008000, 0x10000009) + image, 0x10000000))
        return path

    def cancelled(self, path, part, poll):
        """Runs an image with a callback of our own, which is given the machine: it has to end the run."""
        ffi, lib = _native.ffi, _native.lib
        options = ffi.new('ai8x_firmware_options *', lib.ai8x_firmware_options_default())
        options.part, options.machine.engine = lib.ai8x_part_find(part), lib.AI8X_ENGINE_EXACT
        options.max_instructions = 10000000
        handle, result = ffi.new('ai8x_firmware **'), ffi.new('const ai8x_firmware_result **')
        callback = ffi.callback('bool(void *)', lambda user: poll(lib.ai8x_firmware_machine(handle[0])))
        options.poll = callback
        _native.call(lib.ai8x_firmware_open, _native.path_bytes(path), options, handle)
        firmware = ffi.gc(handle[0], lib.ai8x_firmware_destroy)
        lib.ai8x_firmware_run(firmware, result)
        self.assertEqual(result[0].end, lib.AI8X_FIRMWARE_CANCELLED, ffi.string(result[0].message))
        return firmware

    def test_interrupt_second_core(self):
        """the callback that looks for Ctrl-C is asked while the second core counts and the first one sleeps"""
        # The second core's boot address and clock, then sleep; at 0x24 its loop, of two blocks.
        first = struct.pack('<8H3I', 0x4803, 0x4904, 0x6001, 0x4804, 0x2100, 0x6001, 0xbf30, 0xe7fd, 0x40000810,
                            0x10000024, 0x40000048)
        second = struct.pack('<4I', 0x00150513, 0x0040006f, 0x00150513, 0xff5ff06f)
        asked = []
        self.cancelled(self.write(first + second), b'MAX78000', lambda machine: asked.append(machine) or len(asked) < 4)

    def test_interrupt_layer(self):
        """and in the middle of a layer"""
        program = LARGE.compile('MAX78002')
        writes = [(op['address'], op['value']) for op in program.ops if op['kind'] == 0]
        # Writes a table of addresses and words, then sleeps.
        table = 0x10000020
        code = struct.pack('<8H2I', 0x4803, 0x4904, 0xc80c, 0x6013, 0x4288, 0xd1fb, 0xbf30, 0xe7fd, table,
                           table + 8 * len(writes))
        path = self.write(code + b''.join(struct.pack('<II', *write) for write in writes))
        running = _native.lib.ai8x_machine_running
        firmware = self.cancelled(path, b'MAX78002', lambda machine: not running(machine))
        self.assertTrue(running(_native.lib.ai8x_firmware_machine(firmware)))


class Types(unittest.TestCase):
    """What type checkers read."""

    @staticmethod
    def stub(name='__init__'):
        """Classes and functions of a stub."""
        with open(os.path.join(os.path.dirname(ai8xsim.__file__), name + '.pyi'), encoding='utf-8') as file:
            tree = ast.parse(file.read())
        return {node.name: node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef))}

    def test_stub(self):
        """the stub names what the package exports, and every public method has a docstring"""
        named = self.stub()
        self.assertEqual(set(ai8xsim.__all__) - set(named), set())
        for name in ai8xsim.__all__:
            self.assertTrue(inspect.getdoc(getattr(ai8xsim, name)), name)
            if not isinstance(named[name], ast.ClassDef) or issubclass(getattr(ai8xsim, name), (tuple, Exception)):
                continue
            stubbed = {node.name for node in named[name].body if isinstance(node, ast.FunctionDef)}
            public = {key for key, value in vars(getattr(ai8xsim, name)).items()
                      if not key.startswith('_') and (inspect.isfunction(value) or isinstance(value, property))}
            self.assertEqual(public, stubbed - {'__init__'}, name)
            for key in public:
                self.assertTrue(inspect.getdoc(getattr(getattr(ai8xsim, name), key)), f'{name}.{key}')

    @staticmethod
    def stubbed(function):
        """(name, is optional) of a stub's parameters."""
        positional = [argument.arg for argument in function.args.posonlyargs + function.args.args]
        first = len(positional) - len(function.args.defaults)
        found = [(name, index >= first) for index, name in enumerate(positional)]
        keywords = zip(function.args.kwonlyargs, function.args.kw_defaults)
        return found + [(argument.arg, default is not None) for argument, default in keywords]

    @staticmethod
    def real(function):
        """The same of a function; a leading underscore is the package's own."""
        return [(parameter.name, parameter.default is not parameter.empty)
                for parameter in inspect.signature(function).parameters.values() if not parameter.name.startswith('_')]

    def same(self, name, stubbed, function, text):
        """Parameters, and a docstring (of a class for its constructor) that names them."""
        self.assertEqual(self.stubbed(stubbed), self.real(function), name)
        for parameter, _ in self.real(function):
            if parameter != 'self':
                with self.subTest(function=name, parameter=parameter):
                    self.assertRegex(text or "", rf"\b{parameter}\b")

    def test_signatures(self):
        """parameters, their order and which are optional are the same in the stubs; docstrings name all of them"""
        modules = [module for name, module in sys.modules.items() if name.split('.')[0] == 'ai8xsim']
        stubs = self.stub()
        if 'ai8xsim.torch' in sys.modules:
            stubs.update(self.stub('torch'))
        for name, node in stubs.items():
            member = next(getattr(module, name) for module in modules if hasattr(module, name))
            if isinstance(node, ast.FunctionDef):
                self.same(name, node, member, inspect.getdoc(member))
            elif issubclass(member, tuple):
                fields = tuple(item.target.id for item in node.body if isinstance(item, ast.AnnAssign))
                self.assertEqual(fields, member._fields, name)
            elif not issubclass(member, Exception):
                for item in node.body:
                    value = inspect.getattr_static(member, getattr(item, 'name', '__doc__'))
                    if isinstance(item, ast.FunctionDef) and not isinstance(value, property):
                        text = inspect.getdoc(member if item.name == '__init__' else value)
                        if item.name == 'forward' or (item.name.startswith('_') and item.name != '__init__'):
                            continue
                        self.same(f'{name}.{item.name}', item, getattr(value, '__func__', value), text)


if __name__ == '__main__':
    unittest.main(verbosity=2)
