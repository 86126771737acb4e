"""ai8xsim compare, JUnit of programs, and ai8xsim-ci, the script that does all of it for CI."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

AI8XSIM = os.environ['AI8XSIM']
SOURCE = os.environ['AI8XSIM_SOURCE']
MODELS = os.path.join(SOURCE, 'models')
CI = os.path.join(SOURCE, 'tools', 'ai8xsim-ci')
DIGITS, KEYWORDS, MOBILE = (os.path.join(MODELS, name, name + '.h5') for name in ('digits', 'keywords', 'mobile'))

OK, FAILED, USAGE, BAD_INPUT = range(4)
UNCHECKED = 6
# The kind of operation that expects a word (docs/program-format.md).
EXPECT = 3


def ai8xsim(*arguments, program=AI8XSIM, **environment):
    """Runs the program under test."""
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120,
                          env={**os.environ, 'AI8XSIM': AI8XSIM, **environment})


class Case(unittest.TestCase):
    """A test with a folder of its own, and results of a run in it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.before = os.path.join(self.folder, 'before.json')
        self.assertEqual(ai8xsim('run', '--json', self.before, DIGITS, KEYWORDS).returncode, OK)

    def path(self, name):
        """A path in the folder."""
        return os.path.join(self.folder, name)

    def changed(self, change, source=None):
        """A copy of a result, changed by a function."""
        with open(source or self.before, encoding='utf-8') as file:
            root = json.load(file)
        change(root)
        with open(self.path('after.json'), 'w', encoding='utf-8') as file:
            json.dump(root, file)
        return self.path('after.json')

    def compare(self, after, *options, before=None):
        """Exit status, and the comparison as JSON."""
        done = ai8xsim('compare', *options, '--json', '-', before or self.before, after)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


class Compare(Case):
    """Two results."""

    def test_same(self):
        """a result against itself, and against a second run"""
        status, report = self.compare(self.before)
        self.assertEqual((status, report['regressions']), (OK, 0))
        self.assertEqual([program['status'] for program in report['programs']], ['same', 'same'])
        self.assertEqual(len(report['programs'][0]['layers']), 10)
        again = self.path('again.json')
        ai8xsim('run', '--json', again, KEYWORDS, DIGITS)
        self.assertEqual(self.compare(again)[0], OK)

    def test_estimates(self):
        """cycles of the MAX78002 keep their mark and their error; a result that does not tell gives null"""
        mobile = self.path('mobile.json')
        self.assertEqual(ai8xsim('run', '--json', mobile, MOBILE).returncode, OK)
        report = self.compare(mobile, before=mobile)[1]
        self.assertEqual([program['cycles_error'] for program in report['programs']], [0.035])
        self.assertEqual([program['cycles_error'] for program in self.compare(self.before)[1]['programs']], [0, 0])
        sentence = 'Cycles of the MAX78002 (~) are within 3.5 %'
        for options in ([], ['--markdown', '-']):
            text = ai8xsim('compare', *options, mobile, mobile).stdout
            self.assertEqual(text.count(sentence), 1)
            self.assertRegex(text, r'mobile \(MAX78002\)\W+~[0-9,]+\W+~[0-9,]+')
            self.assertNotIn('~', ai8xsim('compare', *options, self.before, self.before).stdout)

        def silent(root):
            for program in root['programs']:
                del program['cycles_error']
        report = self.compare(self.changed(silent, mobile), before=mobile)[1]
        self.assertIsNone(report['programs'][0]['cycles_error'])

    def test_slower(self):
        """one layer of one program: named, with its share; allowed from the threshold on"""
        def slower(root):
            root['programs'][0]['layers'][6]['cycles'] += 151  # of 604: 25 %
            root['programs'][0]['cycles'] += 151
        after = self.changed(slower)
        status, report = self.compare(after)
        self.assertEqual((status, report['regressions']), (FAILED, 2))
        worse = [layer for layer in report['programs'][0]['layers'] if layer['status'] != 'same']
        self.assertEqual([(layer['layer'], layer['before'], layer['after'], layer['percent'], layer['status'])
                          for layer in worse], [(6, 604, 755, 25.0, 'slower')])
        self.assertEqual(self.compare(after, '--threshold', '24.9')[0], FAILED)
        self.assertEqual(self.compare(after, '--threshold', '25')[0], OK)
        status, report = self.compare(self.before, before=after)
        self.assertEqual((status, report['programs'][0]['status']), (OK, 'faster'))
        text = ai8xsim('compare', self.before, after).stdout
        self.assertRegex(text, r'(?m)^  6 +604 +755 +\+25\.0 % +slower$')
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()), text)
        self.assertIn('2 regressions in 2 programs', text)
        self.assertNotRegex(text, r'(?m)^  5 ')
        self.assertRegex(ai8xsim('compare', '--all', self.before, after).stdout, r'(?m)^  5 ')

    def test_renamed(self):
        """another name in the same file, or another file of the same name: still the same program"""
        def other(root):
            root['programs'][0]['name'] = 'another'
            root['programs'][0]['cycles'] += 1
            root['programs'][1]['file'] = 'elsewhere.h5'
        status, report = self.compare(self.changed(other))
        self.assertEqual((status, report['regressions']), (FAILED, 1))
        self.assertEqual([program['status'] for program in report['programs']], ['slower', 'same'])

    def test_broken(self):
        """a pass that was lost; cycles are as before"""
        def fail(root):
            root['programs'][1]['pass'] = False
        status, report = self.compare(self.changed(fail))
        self.assertEqual((status, report['programs'][1]['status']), (FAILED, 'broken'))

    def test_new_and_gone(self):
        """programs and layers that only one file has are no regressions, but told"""
        def other(root):
            root['programs'][1]['name'] = root['programs'][1]['file'] = 'another'
            del root['programs'][0]['layers'][9]
        status, report = self.compare(self.changed(other))
        self.assertEqual(status, OK)
        self.assertEqual([program['status'] for program in report['programs']], ['same', 'new', 'gone'])
        self.assertEqual(report['programs'][0]['layers'][9]['status'], 'gone')
        self.assertIsNone(report['programs'][1]['before'])

        def nothing(root):
            for program in root['programs']:
                program['name'] += 'x'
                program['file'] += 'x'
        self.assertEqual(self.compare(self.changed(nothing))[0], UNCHECKED)

    def test_other_commands(self):
        """results of profile (layers by name), bench and eval (right answers)"""
        first, second = self.path('p1.json'), self.path('p2.json')
        ai8xsim('profile', '--json', first, os.path.join(MODELS, 'digits/digits.yaml'))
        self.assertEqual(self.compare(first, before=first)[0], OK)

        def move(root):
            root['profile']['layers'][0]['layer'] = 77
            root['profile']['layers'][0]['cycles'] += 1
        status, report = self.compare(self.changed(move, first), before=first)
        self.assertEqual(status, FAILED)
        self.assertEqual((report['programs'][0]['layers'][0]['name'], report['programs'][0]['layers'][0]['status']),
                         ('stem', 'slower'))
        ai8xsim('bench', '--seconds', '0.01', '--json', second, DIGITS)
        self.assertEqual(self.compare(second)[0], OK)
        ai8xsim('eval', DIGITS, '--data', os.path.join(MODELS, 'digits/heldout.h5'), '--json', second)

        def worse(root):
            root['labels']['top1_accuracy'] -= 0.01
        status, report = self.compare(self.changed(worse, second), before=second)
        self.assertEqual((status, report['programs'][0]['status']), (FAILED, 'less right'))

    def test_firmware(self):
        """results of firmware: an inference stands for a layer"""
        result = {'format': 'ai8xsim-firmware', 'version': 1, 'images': [
            {'file': 'a/fw.elf', 'part': 'MAX78000', 'verdict': 'pass',
             'inferences': [{'cycles': 100}, {'cycles': 200}]}]}
        with open(self.path('fw.json'), 'w', encoding='utf-8') as file:
            json.dump(result, file)

        def slower(root):
            root['images'][0]['file'] = 'b/fw.elf'
            root['images'][0]['inferences'][1]['cycles'] = 210
        status, report = self.compare(self.changed(slower, self.path('fw.json')), before=self.path('fw.json'))
        self.assertEqual((status, report['programs'][0]['before'], report['programs'][0]['after']), (FAILED, 300, 310))
        self.assertEqual(report['programs'][0]['layers'][1]['percent'], 5.0)

        def fails(root):
            root['images'][0]['verdict'] = 'fail'
        self.assertEqual(self.compare(self.changed(fails, self.path('fw.json')), before=self.path('fw.json'))[0], FAILED)

    def test_markdown(self):
        """a table that names cannot break"""
        def rename(root):
            root['programs'][0]['name'] = 'a|b\n*c*'
        after = self.changed(rename)
        done = ai8xsim('compare', '--markdown', '-', after, after)
        self.assertEqual(done.returncode, OK)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[2], '| program, layer | cycles before | after | change | |')
        rows = lines[4:]
        self.assertEqual(len(rows), 2)
        for row in rows:
            self.assertEqual(len(re.findall(r'(?<!\\)\|', row)), 6, row)

    def test_refused(self):
        """files that are no results, and calls that make no sense"""
        for text in ('{', '[]', '{"programs": 3}', '{"programs": []}', '{"programs": [{"name": 1}]}', '"x"',
                     '{"profile": {"cycles": "many"}}', '{"images": [[]]}', '[' * 5000):
            with open(self.path('bad.json'), 'w', encoding='utf-8') as file:
                file.write(text)
            done = ai8xsim('compare', self.before, self.path('bad.json'))
            self.assertEqual(done.returncode, BAD_INPUT, text[:40])
            self.assertIn('bad.json', done.stderr)
        self.assertEqual(ai8xsim('compare', self.before, self.path('absent.json')).returncode, BAD_INPUT)
        for arguments in ([self.before], [self.before] * 3, ['--threshold', 'x', self.before, self.before],
                          ['--threshold', '-1', self.before, self.before],
                          ['--threshold', 'nan', self.before, self.before],
                          ['--json', self.before, self.before, self.before],
                          ['--json', '-', '--markdown', '-', self.before, self.before]):
            self.assertEqual(ai8xsim('compare', *arguments).returncode, USAGE, arguments)


class Junit(Case):
    """JUnit of programs."""

    def cases(self, name):
        """Outcome of each test case of a file."""
        suite = xml.etree.ElementTree.parse(self.path(name)).getroot()
        return [(os.path.basename(case.get('name')), [child.tag for child in case]) for case in suite]

    def tampered(self):
        """A program whose expected words are wrong."""
        import h5py  # pylint: disable=import-outside-toplevel
        path = self.path('wrong.h5')
        shutil.copy(DIGITS, path)
        with h5py.File(path, 'r+') as file:
            operations = file['program'][:]
            expected = [row for row, one in enumerate(operations) if one['kind'] == EXPECT and one['mask'] & 1]
            operations['value'][expected[0]] ^= 1
            file['program'][:] = operations
        return path

    def test_run(self):
        """pass, failure and error are told apart, each with its reason"""
        absent = self.path('absent.h5')
        done = ai8xsim('run', '--junit', self.path('run.xml'), DIGITS, self.tampered(), absent)
        self.assertEqual(done.returncode, BAD_INPUT)
        self.assertEqual(self.cases('run.xml'), [('digits.h5', []), ('wrong.h5', ['failure']), ('absent.h5', ['error'])])
        with open(self.path('run.xml'), encoding='utf-8') as file:
            self.assertRegex(file.read(), r'1 of \d+ checks failed, first in layer 9')

    def test_check(self):
        """findings at the level that fails"""
        self.assertEqual(ai8xsim('check', '--junit', self.path('check.xml'), DIGITS).returncode, OK)
        self.assertEqual(self.cases('check.xml'), [('digits.h5', [])])
        done = ai8xsim('check', '--fail-on', 'info', '--junit', self.path('check.xml'), DIGITS)
        self.assertEqual(done.returncode, FAILED)
        self.assertEqual(self.cases('check.xml'), [('digits.h5', ['failure'])])


class Ci(Case):
    """The script."""

    def ci(self, *arguments, **environment):
        """Runs it in the folder."""
        return subprocess.run([CI, *arguments], capture_output=True, text=True, check=False, timeout=300, cwd=self.folder,
                              env={**os.environ, 'AI8XSIM': AI8XSIM, **environment})

    def test_all(self):
        """a folder: JSON, JUnit, a summary; then against that run as the baseline, and one that was faster"""
        programs = self.path('some programs')
        os.mkdir(programs)
        shutil.copy(DIGITS, programs)
        done = self.ci(programs)
        self.assertEqual(done.returncode, OK, done.stderr)
        results = self.path('ai8xsim-results')
        self.assertEqual(sorted(os.listdir(results)),
                         ['check.json', 'check.xml', 'run.json', 'run.xml', 'summary.md'])
        os.rename(results, self.path('last'))
        self.assertEqual(self.ci('--baseline', 'last', programs, GITHUB_STEP_SUMMARY=self.path('step')).returncode, OK)
        with open(self.path('step'), encoding='utf-8') as file:
            self.assertIn('0 regressions in 1 program', file.read())

        def faster(root):
            root['programs'][0]['cycles'] -= 100
        shutil.move(self.changed(faster, self.path('last/run.json')), self.path('last/run.json'))
        self.assertEqual(self.ci('--baseline', 'last', programs).returncode, FAILED)
        self.assertEqual(self.ci('--baseline', 'last', '--threshold', '5', programs).returncode, OK)
        # Without a baseline yet, as in a first run.
        self.assertEqual(self.ci('--baseline', 'nothing', programs).returncode, OK)

    def test_trouble(self):
        """a program that cannot be read, none at all, bad calls"""
        with open(self.path('bad.h5'), 'w', encoding='utf-8') as file:
            file.write('no program')
        self.assertEqual(self.ci(self.path('bad.h5'), DIGITS).returncode, BAD_INPUT)
        os.mkdir(self.path('empty'))
        self.assertEqual(self.ci('empty').returncode, UNCHECKED)
        self.assertEqual(self.ci().returncode, USAGE)
        self.assertEqual(self.ci('--frobnicate', DIGITS).returncode, USAGE)
        self.assertEqual(self.ci('--help').returncode, OK)

    def test_action(self):
        """action.yml calls what there is"""
        with open(os.path.join(SOURCE, 'action.yml'), encoding='utf-8') as file:
            text = file.read()
        for option in re.findall(r'ai8xsim-ci"? .*', text)[0].split():
            if option.startswith('--') and option != '--':
                with open(CI, encoding='utf-8') as script:
                    self.assertIn(option, script.read())
        self.assertIn('tools/setup', text)


if __name__ == '__main__':
    unittest.main(verbosity=2)
