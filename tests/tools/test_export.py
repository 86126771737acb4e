#!/usr/bin/python3
"""Tests of tools/ai8xsim-export, and of program_diff, which judges what it writes.

Most of them use the stand-in checkout beside this file. With AI8X_SYNTHESIS_DIR naming a real
ai8x-synthesis checkout (and AI8XSIM_GOLDEN the golden programs), programs are
exported from that as well and compared with the golden ones.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import h5py
import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import export_golden  # noqa: E402  (found beside this file)
import program_diff  # noqa: E402

EXPORT = os.path.join(HERE, '..', '..', 'tools', 'ai8xsim-export')
STAND_IN = os.path.join(HERE, 'checkout')
CHECKOUT = os.environ.get('AI8X_SYNTHESIS_DIR', '')
GOLDEN = os.environ.get('AI8XSIM_GOLDEN', '')

WRITE32, WAIT, FIFO, EXPECT, RUN, WRITE8 = range(6)
ALL = 0xffffffff
ARGUMENTS = ['--device', 'MAX78000', '--config-file', 'network.yaml']

# What the stand-in's program consists of, by hand.
INIT = [(WRITE32, 0x50001000, 0, ALL), (WAIT, 0x5010000c, 0x10, 0x10), (EXPECT, 0x5010000c, 0, 0x4000),
        (WRITE32, 0x50110000, 0, ALL), (WRITE32, 0x50110004, 0, ALL)]
KERNELS = [(WRITE8, 0x50180041, 1, 0xff), (WRITE32, 0x50180040, 0xa1, ALL), (WRITE32, 0x50180044, 0xa2, ALL),
           (WRITE32, 0x50180048, 0xa3, ALL), (WRITE8, 0x50184001, 1, 0xff), (WRITE32, 0x50184000, 0xa4, ALL)]
BIAS = [(WRITE32, 0x50508000, 0x11, ALL), (WRITE32, 0x50508004, 0x92, ALL)]
CONFIGURE = [(WRITE32, 0x50100010, 0x80001234, ALL)]
INPUT = [(WRITE32, 0x50400000, 0x01020304, ALL), (WRITE32, 0x50400004, 0xfffefdfc, ALL)]
START = [(WRITE32, 0x50100000, 9, ALL)]
CHECKS = [(RUN, 0, 0, 0), (EXPECT, 0x50408100, 0xfffffff6, ALL)]


def tree(folder):
    """Every file below a folder with its contents and time."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if os.path.islink(path) or '/.git/' in path:
                continue
            with open(path, 'rb') as file:
                found[os.path.relpath(path, folder)] = file.read(), os.stat(path).st_mtime_ns
    return found


class Case(unittest.TestCase):
    """A folder for the files of a test, and a place for temporary files that is watched."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.temporary = os.path.join(self.folder, 'tmp')
        os.mkdir(self.temporary)
        self.output = os.path.join(self.folder, 'out.h5')

    def export(self, *arguments, checkout=STAND_IN, cwd=None, options=(), separator=True):
        """Run ai8xsim-export."""
        command = [EXPORT, '-o', self.output, *options]
        command += [] if cwd else ['-C', checkout]
        command += ['--'] if separator else []
        return subprocess.run([*command, *arguments], cwd=cwd, capture_output=True, text=True, check=False,
                              env={**os.environ, 'TMPDIR': self.temporary})

    def program(self, *arguments, **options):
        """Export and return the operations."""
        run = self.export(*ARGUMENTS, *arguments, **options)
        self.assertEqual(run.returncode, 0, run.stderr)
        with h5py.File(self.output) as file:
            return file['program'][()].tolist()

    def assert_refused(self, run, status, *words):
        """It failed with a message and left nothing behind."""
        self.assertEqual(run.returncode, status, run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)
        self.assertNotIn('Traceback', run.stderr)
        self.assertEqual(os.listdir(self.temporary), [])
        self.assertEqual(sorted(os.listdir(self.folder)), ['tmp'])


class Recording(Case):
    """What is in the program."""

    def test_embedded(self):
        self.assertEqual(self.program(), INIT + KERNELS + BIAS + CONFIGURE + INPUT + START + CHECKS)

    def test_without_separator(self):
        self.assertEqual(self.program(separator=False, options=['-q']),
                         INIT + KERNELS + BIAS + CONFIGURE + INPUT + START + CHECKS)

    def test_started_inside(self):
        self.assertEqual(self.program(cwd=STAND_IN),
                         INIT + KERNELS + BIAS + CONFIGURE + INPUT + START + CHECKS)

    def test_plain_kernels(self):
        plain = [op for op in KERNELS if op[0] == WRITE32]
        self.assertEqual(self.program('--no-mexpress'), INIT + plain + BIAS + CONFIGURE + INPUT + START + CHECKS)

    def test_old_loader(self):
        words = [1, 2, 3, 0, 4, 5, 6, 0]
        kernels = [(WRITE32, 0x50180000 + 4 * i, w, ALL) for i, w in enumerate(words)]
        self.assertEqual(self.program('--old-kernel-loader', '--no-mexpress'),
                         INIT + kernels + BIAS + CONFIGURE + INPUT + START + CHECKS)

    def test_old_loader_express(self):
        kernels = [(WRITE8, 0x50180001, 1, 0xff)]
        kernels += [(WRITE32, 0x50180000 + 4 * i, 1 + i, ALL) for i in range(6)]
        self.assertEqual(self.program('--old-kernel-loader'),
                         INIT + kernels + BIAS + CONFIGURE + INPUT + START + CHECKS)

    def test_input_called_while_configuring(self):
        self.assertEqual(self.program('--rtl'), INIT + KERNELS + BIAS + CONFIGURE + INPUT + START + CHECKS)

    def test_read_back(self):
        read_back = CONFIGURE + [(EXPECT, 0x50100010, 0x80001234, ALL)]
        self.assertEqual(self.program('--verify-writes'), INIT + KERNELS + BIAS + read_back + INPUT + START + CHECKS)

    def test_fifos(self):
        words = [(FIFO, 0x50000008, 0x01020304, ALL), (FIFO, 0x5000000c, 0x0a, ALL),
                 (FIFO, 0x50000008, 0xfffefdfc, ALL), (FIFO, 0x5000000c, 0x0b, ALL)]
        self.assertEqual(self.program('--fifo'), INIT + KERNELS + BIAS + CONFIGURE + START + words + CHECKS)

    def test_fast_fifo(self):
        start = [(WRITE32, 0x400c0408, 0, ALL)] + START
        words = [(FIFO, 0x400c0410, w, ALL) for w in (0x01020304, 0xfffefdfc)]
        self.assertEqual(self.program('--fast-fifo'), INIT + KERNELS + BIAS + CONFIGURE + start + words + CHECKS)

    def test_synthesized_input(self):
        words = [(FIFO, 0x5000000c, w, ALL) for w in (0x0a, 0x0b, 0x02, 0x03, 0xfa, 0xfb)]
        self.assertEqual(self.program('--fifo', '--mode', 'synthesize'),
                         INIT + KERNELS + BIAS + CONFIGURE + START + words + CHECKS)

    def test_file(self):
        self.program(options=['--name', 'two layers', '--source', 'made up'])
        with h5py.File(self.output) as file:
            root = dict(file.attrs)
            self.assertGreaterEqual(root.pop('reference_seconds'), 0)
            self.assertEqual(root.pop('order').tolist(), [0, 1])
            self.assertEqual(root, {
                'format': 'ai8x-program', 'version': 1, 'device': 'MAX78000', 'name': 'two layers',
                'source': 'made up [loader=mexpress]', 'layers': 2, 'macs': 201, 'cycles': 82,
                'features': 'bias concat conv2d holes hwc mexpress multilayer passthrough q8 relu w32',
            })
            self.assertEqual(file['program'].dtype, numpy.dtype(
                [('kind', 'u1'), ('addr', '<u4'), ('value', '<u4'), ('mask', '<u4')]))
            self.assertEqual(file['input'][()].tolist(),
                             [[[-5, -4], [-3, -2]], [[-1, 0], [1, 2]], [[3, 4], [5, 6]]])
            first, second = file['layers/0'], file['layers/1']
            self.assertEqual(first['output'][()].tolist(), [[[-2]], [[-1]], [[0]], [[1]]])
            # In order of addresses, and with the bytes of processors 0 and 2.
            self.assertEqual(first['memory'][()].tolist(), [(0x50400000, 0x00020001, 0x00ff00ff),
                                                            (0x50400004, 0x00040003, 0x00ff00ff)])
            self.assertEqual(second['memory'][()].tolist(), [(0x50408100, 0xfffffff6, ALL)])
            self.assertEqual(first.attrs['output_processors'], numpy.uint64(5))
            self.assertEqual(second.attrs['output_processors'], numpy.uint64(1 << 63))
            for layer, name, value in (
                (first, 'operator', 'conv2d'), (second, 'operator', 'passthrough'), (first, 'eltwise', 'none'),
                (first, 'activation', 'relu'), (second, 'activation', 'none'), (first, 'bias_quadrant', 1),
                (second, 'bias_quadrant', -1), (first, 'is_output', 0), (second, 'is_output', 1),
                (first, 'cycles', 40), (second, 'cycles', 41), (second, 'hw_layer', 2), (second, 'position', 1),
                (first, 'next', 1), (second, 'next', -1), (first, 'kernel_offset', 4), (first, 'output_shift', -1),
            ):
                self.assertEqual(layer.attrs[name], value, name)
            self.assertEqual(second.attrs['inputs'].tolist(), [0, -1])
            self.assertNotIn('inputs', first.attrs)
            self.assertEqual(first.attrs['kernel_size'].tolist(), [3, 3])
            self.assertEqual(first.attrs['kernel_size'].dtype, numpy.int32)


class Care(Case):
    """What is left alone, and what is refused."""

    def test_checkout_stays_as_it_is(self):
        before = tree(STAND_IN)
        self.program()
        self.assertEqual(tree(STAND_IN), before)
        self.assertEqual(os.listdir(self.temporary), [])

    def test_generated_code_on_request(self):
        kept = os.path.join(self.folder, 'kept')
        self.program('--test-dir', kept, '--prefix', 'net')
        self.assertFalse(os.path.exists(kept))
        self.program('--test-dir', kept, '--prefix', 'net', options=['--keep-generated'])
        self.assertTrue(os.path.exists(os.path.join(kept, 'net', 'main.c')))

    def test_file_permissions(self):
        self.program()
        mask = os.umask(0)
        os.umask(mask)
        self.assertEqual(os.stat(self.output).st_mode & 0o777, 0o666 & ~mask)

    def test_usage(self):
        run = subprocess.run([EXPORT], capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 2)
        self.assert_refused(self.export(), 2, 'arguments are missing')
        self.assert_refused(self.export(*ARGUMENTS, options=['--keep-generated']), 2, '--test-dir')
        for options in ([], ['-q']):
            self.assert_refused(self.export('--device', 'MAX78000', options=options), 2, '--config-file')

    def test_help_of_the_generator(self):
        run = self.export('-h')
        self.assertEqual(run.returncode, 0)
        self.assertIn('--config-file', run.stdout)

    def test_no_checkout(self):
        self.assert_refused(self.export(*ARGUMENTS, checkout=self.temporary), 3, self.temporary, 'not an ai8x-synth')

    def test_no_folder_for_output(self):
        run = self.export(*ARGUMENTS, options=['-o', os.path.join(self.folder, 'absent', 'x.h5')])
        self.assert_refused(run, 3, 'absent')

    def test_generator_complains(self):
        for options in ([], ['-q']):
            self.assert_refused(self.export(*ARGUMENTS, '--mode', 'complain', options=options), 3,
                                'layer 3 does not fit', 'because it is too large')

    def test_generator_raises(self):
        self.assert_refused(self.export(*ARGUMENTS, '--mode', 'raise'), 3, 'ValueError: weights are missing')

    def test_earlier_file_survives_failure(self):
        with open(self.output, 'w', encoding='utf-8') as file:
            file.write('precious')
        self.assertEqual(self.export(*ARGUMENTS, '--mode', 'raise').returncode, 3)
        with open(self.output, encoding='utf-8') as file:
            self.assertEqual(file.read(), 'precious')

    def test_not_recordable(self):
        for arguments, word in ((['--one-shot'], 'more than once'), (['--fixed-input'], '--fixed-input'),
                                (['--fifo', '--mode', 'camera'], 'CAMERA->data'),
                                (['--mode', 'runtime'], 'some_variable'),
                                (['--device', 'CMSIS-NN'], 'no CNN accelerator')):
            with self.subTest(word):
                self.assert_refused(self.export(*ARGUMENTS, *arguments), 3, word)

    def test_missing_files(self):
        """A plain message for what is not there; names are the checkout's or the user's."""
        for wish, name, word in (('--checkpoint-file', 'trained/absent.pth.tar', 'no such checkpoint'),
                                 ('--config-file', 'absent.yaml', 'no such configuration'),
                                 ('--sample-input', 'absent.npy', 'no such sample input')):
            self.assert_refused(self.export(*ARGUMENTS, wish, name), 3, name, word)

    def test_names_relative_to_the_user(self):
        for name in ('here.yaml', 'here.npy'):
            numpy.save(os.path.join(self.temporary, 'here.npy'), numpy.zeros((3, 2, 2), dtype=numpy.int64))
            open(os.path.join(self.temporary, 'here.yaml'), 'w', encoding='utf-8').close()
        run = subprocess.run([EXPORT, '-o', self.output, '-C', STAND_IN, '--', '--device', 'MAX78000', '--config-file',
                              'here.yaml', '--sample-input', 'here.npy'], cwd=self.temporary, capture_output=True,
                             text=True, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        with h5py.File(self.output) as file:
            self.assertFalse(file['input'][()].any())

    def sample(self, values, name='sample.npy', options=()):
        """Exports with a sample; returns the run."""
        path = os.path.join(self.folder, name)
        if name.endswith('.npy'):
            numpy.save(path, values)
        else:
            with h5py.File(path, 'w') as file:
                file['input'] = values
        run = self.export(*ARGUMENTS, '--sample-input', path, options=options)
        os.unlink(path)
        return run

    def exported_sample(self, *arguments, **more):
        """What the program says its input is."""
        run = self.sample(*arguments, **more)
        self.assertEqual(run.returncode, 0, run.stderr)
        with h5py.File(self.output) as file:
            return file['input'][()].tolist(), run.stderr

    def test_samples(self):
        """64-bit integers, unsigned bytes, fractions with their factor, HDF5."""
        whole = numpy.arange(-6, 6).reshape(3, 2, 2)
        self.assertEqual(self.exported_sample(whole)[0], whole.tolist())
        self.assertEqual(self.exported_sample(whole.astype(numpy.int8))[0], whole.tolist())
        self.assertEqual(self.exported_sample(whole, name='sample.h5')[0], whole.tolist())
        values, said = self.exported_sample((whole + 128).astype(numpy.uint8))
        self.assertEqual(values, whole.tolist())
        self.assertIn('128 is subtracted', said)
        values, _ = self.exported_sample(whole / 128, options=['--scale', '128'])
        self.assertEqual(values, whole.tolist())
        _, said = self.exported_sample(numpy.zeros((8, 8, 3), dtype=numpy.int64))
        self.assertIn('channels are expected first', said)
        self.assertEqual(os.listdir(self.temporary), [])

    def test_samples_of_fractions(self):
        run = self.sample(numpy.linspace(-1, 1, 12).reshape(3, 2, 2))
        self.assert_refused(run, 3, '--scale 128')

    def test_elder_versions(self):
        """Without what later versions have: options, variables, settings."""
        for changes in (
            (('commandline.py', "'--no-progress', ", ''),),
            (('backend/max7800x.py', 'hw_', 'old_hw_'),),
            (('state.py', 'pipeline = snoop = data', 'data'),),
            (('state.py', 'write_zero_regs = powerdown = link_layer = overwrite_ok = verbose', 'verbose'),),
        ):
            with self.subTest(changes[0][1]):
                checkout = os.path.join(self.temporary, 'checkout')
                shutil.copytree(STAND_IN, checkout)
                for place, old, new in changes:
                    path = os.path.join(checkout, 'izer', place)
                    with open(path, encoding='utf-8') as file:
                        text = file.read()
                    self.assertIn(old, text)
                    with open(path, 'w', encoding='utf-8') as file:
                        file.write(text.replace(old, new))
                operations = self.program(checkout=checkout)
                shutil.rmtree(checkout)
                self.assertEqual(operations, INIT + KERNELS + BIAS + CONFIGURE + INPUT + START + CHECKS)

    def test_linter_is_never_started(self):
        """Elder versions import yamllint, newer ones start it: neither is wanted, nor needed."""
        checkout = os.path.join(self.temporary, 'checkout')
        shutil.copytree(STAND_IN, checkout)
        path = os.path.join(checkout, 'izer', 'izer.py')
        with open(path, 'a', encoding='utf-8') as file:
            file.write('\nimport yamllint.config\nimport yamllint.linter\n'
                       'assert list(yamllint.linter.run(None, yamllint.config.YamlLintConfig("x"))) == []\n')
        with open(os.path.join(checkout, 'izer', 'commandline.py'), 'a', encoding='utf-8') as file:
            file.write('\n_set_state = set_state\ndef set_state(args):\n    assert args.yamllint is None\n'
                       '    _set_state(args)\n')
        self.assertEqual(self.program(checkout=checkout)[-1], CHECKS[-1])
        shutil.rmtree(checkout)

    def test_debian_packages(self):
        """The package's name is not always python3- and the module's."""
        for module, package in (('PIL', 'python3-pil'), ('cv2', 'python3-opencv'), ('some_thing', 'python3-some-thing')):
            checkout = os.path.join(self.temporary, 'checkout')
            shutil.copytree(STAND_IN, checkout)
            with open(os.path.join(checkout, 'izer', 'op.py'), 'a', encoding='utf-8') as file:
                file.write(f'\nraise ModuleNotFoundError("No module named {module}", name="{module}")\n')
            run = self.export(*ARGUMENTS, checkout=checkout)
            shutil.rmtree(checkout)
            self.assert_refused(run, 3, f'apt-get install {package}')

    def test_unknown_version(self):
        for place, old, new, word in (
            ('apbaccess.py', 'def verify(', 'def check(', 'APBTopLevel has no verify'),
            ('apbaccess.py', 'def apbwriter', 'def writer', 'has no apbwriter'),
            ('backend/max7800x.py', 'processor_map, output_processor_map =', 'input_map, output_map =',
             'the generator failed: NameError'),
            ('backend/max7800x.py', 'in_sequences, rollover', 'sources, rollover',
             'create_net has no variable in_sequences'),
            ('commandline.py', 'import argparse', 'import nothing_like_this', 'nothing_like_this'),
        ):
            with self.subTest(word):
                checkout = os.path.join(self.temporary, 'checkout')
                shutil.copytree(STAND_IN, checkout)
                path = os.path.join(checkout, 'izer', place)
                with open(path, encoding='utf-8') as file:
                    text = file.read()
                self.assertIn(old, text)
                with open(path, 'w', encoding='utf-8') as file:
                    file.write(text.replace(old, new))
                run = self.export(*ARGUMENTS, checkout=checkout)
                shutil.rmtree(checkout)
                self.assert_refused(run, 3, word)


class Comparing(Case):
    """program_diff finds what differs, and only that."""

    def setUp(self):
        super().setUp()
        self.program()
        self.other = os.path.join(self.folder, 'other.h5')

    def changed(self, change):
        """Compare with a copy in which something was changed."""
        shutil.copy(self.output, self.other)
        with h5py.File(self.other, 'r+') as file:
            change(file)
        return program_diff.compare(self.output, self.other)

    @staticmethod
    def operations(change):
        """A change to the operations."""
        def apply(file):
            words = file['program'][()]
            change(words)
            file['program'][...] = words
        return apply

    def test_equal(self):
        self.assertEqual(self.changed(lambda file: None), ('equal', 'equal', 'equal', []))

    def test_other_order_of_data(self):
        def swap(words):
            at = numpy.flatnonzero(words['addr'] == 0x50400000)[0]
            words[[at, at + 1]] = words[[at + 1, at]]
        difference = self.changed(self.operations(swap))
        self.assertEqual(difference[:3], ('same contents', 'equal', 'equal'))
        self.assertIn('data memory: other order', difference.notes)

    def test_other_order_of_registers(self):
        def swap(words):
            words[[0, 1]] = words[[1, 0]]
        self.assertEqual(self.changed(self.operations(swap)).ops, 'differ')

    def test_other_words(self):
        for address, aspect in ((0x50180044, 'ops'), (0x50508004, 'ops'), (0x50400004, 'ops'), (0x50100010, 'ops'),
                                (0x50408100, 'expects')):
            def flip(words, address=address):
                words['value'][words['addr'] == address] ^= 2
            difference = self.changed(self.operations(flip))
            self.assertEqual(getattr(difference, aspect), 'differ', hex(address))
            self.assertFalse(difference.same())

    def test_other_layer(self):
        for part in ('output', 'memory'):
            def drop(file, part=part):
                words = file[f'layers/0/{part}'][()]
                words = words[:-1]
                del file[f'layers/0/{part}']
                file[f'layers/0/{part}'] = words
            self.assertEqual(self.changed(drop).layers, 'differ', part)
        self.assertEqual(self.changed(lambda file: file['layers/1'].attrs.__setitem__('cycles', 7)).layers, 'differ')

    def test_express_and_plain_kernels(self):
        kernel = bytes(range(1, 10))
        words = [kernel[0], *(int.from_bytes(kernel[i:i + 4], 'big') for i in (1, 5)), 0]
        plain = [(WRITE32, 0x50100000, 0x8, ALL)]
        plain += [(WRITE32, 0x50180020 + 4 * i, w, ALL) for i, w in enumerate(words)]
        stream = kernel + b'\0\0\0'
        express = [(WRITE32, 0x50100000, 0x100008, ALL), (WRITE8, 0x50180009, 1, 0xff)]
        express += [(WRITE32, 0x50180008 + 4 * i, int.from_bytes(stream[4 * i:4 * i + 4], 'big'), ALL)
                    for i in range(3)]
        for path, operations in ((self.output, plain), (self.other, express)):
            if path == self.other:
                shutil.copy(self.output, self.other)
            with h5py.File(path, 'r+') as file:
                layout = file['program'].dtype
                del file['program']
                file['program'] = numpy.array(operations + CHECKS, dtype=layout)
        difference = program_diff.compare(self.output, self.other)
        self.assertEqual(difference.ops, 'same contents', difference.notes)
        with h5py.File(self.other, 'r+') as file:
            changed = file['program'][()]
            changed['value'][3] ^= 1
            file['program'][...] = changed
        self.assertEqual(program_diff.compare(self.output, self.other).ops, 'differ')

    def test_command(self):
        command = [os.path.join(HERE, 'program_diff.py'), self.output]
        for other, status in ((self.output, 0), (self.other, 3)):
            run = subprocess.run([*command, other], capture_output=True, text=True, check=False)
            self.assertEqual(run.returncode, status, run.stderr)
        shutil.copy(self.output, self.other)
        with h5py.File(self.other, 'r+') as file:
            file['input'][0, 0, 0] = 99
        run = subprocess.run([*command, self.other], capture_output=True, text=True, check=False)
        self.assertEqual((run.returncode, run.stdout.split()[-1]), (1, 'input'))


# One of each kind: widths of kernels, ways of loading, FIFOs, streaming, both parts.
NAMES = ['max78000/kws20-hwc', 'max78000/widein-q2-zerosram', 'max78000/conv1d-multilayer-q1248', 'max78000/upsample',
         'max78000/fifostream-pool-hwc', 'max78000/fifo-hwc-ff', 'max78000/nonsquare', 'max78000/eltwiseadd-avgpool',
         'max78002/x4-multipass5', 'max78002/snoop-range', 'max78002/fifo-hwc', 'max78002/stream-cifar-nostream',
         'max78002/widein-binary', 'max78002/nonsquare-wzr', 'max78002/wide3to508to3-link']


@unittest.skipUnless(CHECKOUT, 'AI8X_SYNTHESIS_DIR does not name an ai8x-synthesis checkout')
class RealCheckout(Case):
    """Programs from a real checkout against golden ones."""

    def compare(self, embedded, judge):
        """Export each again, and judge the difference."""
        if not os.path.isdir(GOLDEN):
            self.skipTest('AI8XSIM_GOLDEN does not name a folder of golden programs')
        for name in NAMES:
            with self.subTest(name):
                path = os.path.join(GOLDEN, name + '.h5')
                result = export_golden.export(path, os.path.abspath(CHECKOUT), self.temporary, embedded)
                self.assertIsNotNone(result, 'files are missing in the checkout')
                self.assertIsNotNone(result.difference, result.message)
                judge(result.difference)

    def test_word_by_word(self):
        self.compare(False, lambda found: self.assertEqual(found, ('equal', 'equal', 'equal', [])))

    def test_as_for_firmware(self):
        self.compare(True, lambda found: self.assertTrue(found.same(), found.notes))

    def test_checkout_stays_as_it_is(self):
        before = tree(CHECKOUT)
        run = self.export('--device', 'MAX78000', '--config-file', 'tests/test-conv1d-2.yaml', '--test-dir', 'demos',
                          checkout=CHECKOUT)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(tree(CHECKOUT), before)


if __name__ == '__main__':
    unittest.main()
