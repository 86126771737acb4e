"""docs/schemas: what the commands write as JSON, and the YAML that they read, is what the schemas say."""
import copy
import functools
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import jsonschema
    import yaml
except ImportError:
    sys.exit(77)

AI8XSIM = os.environ['AI8XSIM']
SOURCE = os.environ['AI8XSIM_SOURCE']
FIRMWARE = os.environ['AI8XSIM_FIRMWARE']
SCHEMAS = os.path.join(SOURCE, 'docs', 'schemas')
MODELS = os.path.join(SOURCE, 'models')


def model(name, suffix='.h5'):
    """A file of a model that ships."""
    return os.path.join(MODELS, name, name + suffix)


def schema(kind):
    """A schema by its name."""
    with open(os.path.join(SCHEMAS, kind + '.schema.json'), encoding='utf-8') as file:
        return json.load(file)


@functools.lru_cache(None)
def validator(kind):
    """What judges values of a kind."""
    return jsonschema.Draft202012Validator(schema(kind))


def errors(kind, value):
    """What is wrong with a value, one line each."""
    return [f'{"/".join(map(str, error.path))}: {error.message[:200]}' for error in validator(kind).iter_errors(value)]


def mutants(value):
    """Copies of a value, each with one key missing, one key too many, or a text where something else was."""
    def places(node, path):
        if isinstance(node, dict):
            yield path, node
            for key, child in node.items():
                yield from places(child, path + [key])
        elif isinstance(node, list) and node:
            yield from places(node[0], path + [0])
    for path, node in places(value, []):
        if 'fields' in path:
            continue
        changes = [lambda target: target.update(unheard_of=1)]
        changes += [lambda target, key=key: target.update({key: {'x': 1}}) for key in node if key != 'fields']
        for change in changes:
            made = copy.deepcopy(value)
            target = made
            for step in path:
                target = target[step]
            change(target)
            yield path, made


class Outputs(unittest.TestCase):
    """JSON of every command."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        with open(self.path('bad.h5'), 'w', encoding='utf-8') as file:
            file.write('no program')

    def path(self, name):
        """A path in the folder."""
        return os.path.join(self.folder, name)

    def check(self, kind, *arguments, statuses=(0,)):
        """Runs a command and holds its JSON to a schema."""
        path = self.path(f'{kind}.json')
        done = subprocess.run([AI8XSIM, *arguments, '--json', path], capture_output=True, text=True, check=False,
                              timeout=300)
        self.assertIn(done.returncode, statuses, done.stderr)
        with open(path, encoding='utf-8') as file:
            value = json.load(file)
        self.assertEqual(errors(kind, value), [], f'ai8xsim {" ".join(arguments)}')
        return value

    def test_run(self):
        """programs that pass, that cannot be read, that stop"""
        self.check('run', 'run', '--per-layer', model('digits'), model('mobile'))
        self.check('run', 'run', model('digits'), self.path('bad.h5'), statuses=(3,))
        self.check('run', 'run', '--max-cycles', '500', model('digits'), statuses=(4,))

    def test_firmware(self):
        """firmware that passes, fails, hangs, and is compared"""
        images = [os.path.join(FIRMWARE, name + '.elf') for name in ('digits', 'fault', 'hang')]
        if not all(map(os.path.exists, images)):
            self.skipTest('no firmware in this build')
        self.check('firmware', 'run', '--quiet', '--max-seconds', '1', *images, statuses=(1, 4))
        self.check('firmware', 'run', '--quiet', '--golden', model('digits'), images[0])

    def test_check(self):
        """findings, and programs that cannot be read"""
        self.check('check', 'check', model('digits'), model('digits', '.yaml'), statuses=(0, 1))
        self.check('check', 'check', model('mobile'), self.path('bad.h5'), statuses=(3,))

    def test_of_programs(self):
        """info, map and profile of every model; a baseline with advice; compare of results"""
        for name in ('digits', 'keywords', 'mobile', 'segmentation', 'wide'):
            self.check('info', 'info', model(name))
            self.check('map', 'map', model(name))
            self.check('profile', 'profile', model(name))
        self.check('profile', 'profile', model('digits', '.yaml'), '--baseline', model('mobile', '.yaml'))
        self.check('profile', 'profile', os.path.join(SOURCE, 'docs/cookbook/channels-60.yaml'))
        before = self.path('profile.json')
        self.check('run', 'run', model('digits'))
        self.check('compare', 'compare', self.path('run.json'), self.path('run.json'))
        self.check('compare', 'compare', before, self.path('run.json'), statuses=(0, 1, 6))

    def test_eval(self):
        """with labels of inputs and of pixels, and without"""
        import numpy  # pylint: disable=import-outside-toplevel
        data = os.path.join(MODELS, '{}', 'heldout.h5')
        self.check('eval', 'eval', model('digits'), '--data', data.format('digits'))
        self.check('eval', 'eval', model('segmentation'), '--limit', '3', '--data', data.format('segmentation'))
        numpy.save(self.path('inputs.npy'), numpy.zeros((3, 1, 8, 8), numpy.int8))
        self.check('eval', 'eval', model('digits'), '--data', self.path('inputs.npy'), '-o', self.path('outputs.h5'))

    def test_others(self):
        """bench, golden, regs"""
        self.check('bench', 'bench', '--seconds', '0.01', model('digits'), model('mobile'))
        weights = os.path.join(MODELS, 'digits/weights.h5')
        self.check('golden', 'golden', model('digits', '.yaml'), '--weights', weights, '--input', weights)
        self.check('regs', 'regs')
        self.check('regs', 'regs', '--part', 'MAX78002')

    def test_strict(self):
        """a schema refuses an output with a key too many, or with something else in its place"""
        for kind, arguments in (('run', ['run', model('digits')]), ('profile', ['profile', model('digits')]),
                                ('check', ['check', model('digits')]), ('info', ['info', model('digits')])):
            value = self.check(kind, *arguments)
            for path, mutant in mutants(value):
                self.assertFalse(validator(kind).is_valid(mutant), (kind, path))

    def test_all(self):
        """every command that writes JSON has a schema, every schema is one, and keys are explained"""
        names = {os.path.basename(path).split('.')[0] for path in glob.glob(os.path.join(SCHEMAS, '*.json'))}
        listed = subprocess.run([AI8XSIM, '--help'], capture_output=True, text=True, check=True).stdout
        for command in re.findall(r'(?m)^  (?!help )([a-z]+) ', listed.split('Commands:\n')[1].split('\n\n')[0]):
            text = subprocess.run([AI8XSIM, command, '--help'], capture_output=True, text=True, check=True).stdout
            if '--json' in text:
                self.assertIn(command, names)
        with open(os.path.join(SOURCE, 'docs/schemas.md'), encoding='utf-8') as file:
            page = file.read()
        for name in names:
            jsonschema.Draft202012Validator.check_schema(schema(name))
            self.assertIn(f'{name}.schema.json', page)


class Descriptions(unittest.TestCase):
    """YAML that people write."""

    def test_shipped(self):
        """every description of the project"""
        found = 0
        for path in glob.glob(os.path.join(SOURCE, '**', '*.yaml'), recursive=True):
            if os.path.relpath(path, SOURCE).startswith(('build', 'tests')):
                continue
            with open(path, encoding='utf-8') as file:
                value = yaml.safe_load(file)
            if isinstance(value, dict) and {'layers', 'network'} & set(value):
                found += 1
                self.assertEqual(errors('network' if 'layers' in value else 'sweep', value), [], path)
        self.assertGreater(found, 30)

    def test_keys(self):
        """the schema has the keys that the reader has, in every spelling"""
        with open(os.path.join(SOURCE, 'lib/network/read_yaml.c'), encoding='utf-8') as file:
            text = file.read()
        layers, top = (set(re.findall(r'\{"(\w+)", ' + prefix, text)) for prefix in ('KEY_', 'TOP_'))
        refused = {'data_buffer', 'buffer_insert', 'buffer_shift'}
        described = schema('network')['properties']
        self.assertEqual(set(described), top - refused)
        self.assertEqual(set(described['layers']['items']['properties']), layers - refused)

    def test_judgement(self):
        """what the schema refuses, the reader refuses, and what it takes, the reader takes"""
        good = {'in_channels': 3, 'in_dim': [8, 8], 'out_channels': 4, 'operation': 'conv2d', 'pad': 1}
        cases = [({}, True), ({'operation': 'CONV2D'}, True), ({'operation': 'conv9d'}, False),
                 ({'activate': 'relu'}, True), ({'activate': 'tanh'}, False), ({'max_pool': [2, 2]}, True),
                 ({'max_pool': 17}, False), ({'kernel_size': '3x3'}, True), ({'kernel_size': 'big'}, False),
                 ({'pad': -1}, False), ({'chanels': 3}, False), ({'quantization': 3}, False),
                 ({'quantization': 'binary'}, True), ({'out_offset': 0x2000}, True), ({'out_offset': 3}, False),
                 ({'processors': '0x0000_0000_0000_0007'}, True), ({'processors': 'x'}, False),
                 ({'data_format': 'hwc'}, True), ({'data_format': 'WHC'}, False), ({'streaming': 'maybe'}, False)]
        with tempfile.TemporaryDirectory() as folder:
            for change, taken in cases:
                value = {'arch': 'a', 'dataset': 'b', 'layers': [{**good, **change}]}
                self.assertEqual(errors('network', value) == [], taken, change)
                path = os.path.join(folder, 'net.yaml')
                with open(path, 'w', encoding='utf-8') as file:
                    yaml.safe_dump(value, file)
                done = subprocess.run([AI8XSIM, 'compile', path, '-o', os.path.join(folder, 'net.h5'), '--part', 'MAX78002'],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode == 0, taken, (change, done.stderr))


if __name__ == '__main__':
    unittest.main(verbosity=2)
