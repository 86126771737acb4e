#!/usr/bin/python3
"""Executes the notebooks of examples/notebooks; skipped (77) where Jupyter's nbconvert is not there."""
import importlib.util
import os
import sys
import unittest

from package import FOLDER, SOURCE

try:
    import nbformat
    from nbconvert.preprocessors import CellExecutionError, ExecutePreprocessor
    import ipykernel  # pylint: disable=unused-import
except ImportError:
    sys.exit(77)

NOTEBOOKS = os.path.join(SOURCE, 'examples', 'notebooks')
# The kernel imports this build's package.
os.environ['PYTHONPATH'] = FOLDER
os.environ['PATH'] = '/usr/bin:' + os.environ['PATH']
TORCH = importlib.util.find_spec('torch') is not None


class Notebooks(unittest.TestCase):
    """Each runs from a clean kernel, and what it asserts holds."""

    def execute(self, name, needs_torch=False):
        """Runs one; returns what its cells printed."""
        if needs_torch and not TORCH:
            self.skipTest('torch is not there')
        book = nbformat.read(os.path.join(NOTEBOOKS, name + '.ipynb'), 4)
        for cell in book.cells:
            self.assertFalse(cell.get('outputs'), f'{name} is stored with outputs')
        try:
            ExecutePreprocessor(timeout=600).preprocess(book, {'metadata': {'path': NOTEBOOKS}})
        except CellExecutionError as error:
            self.fail(str(error)[-2000:])
        outputs = [output for cell in book.cells for output in cell.get('outputs', [])]
        return ''.join(output.get('text', '') or output.get('data', {}).get('text/html', '') for output in outputs)

    def test_chip_accuracy(self):
        """from a torch model to the accuracy of the chip"""
        text = self.execute('chip-accuracy', needs_torch=True)
        self.assertRegex(text, r'floating point \d+\.\d%, chip \d+\.\d%')
        self.assertIn('<table>', text)

    def test_why_slow(self):
        """where cycles go"""
        text = self.execute('why-slow')
        self.assertIn('<table>', text)
        self.assertIn('<svg', text)

    def test_first_wrong_layer(self):
        """where model and program part ways"""
        self.assertIn('channel 5', self.execute('first-wrong-layer', needs_torch=True))

    def test_small_nas(self):
        """a search"""
        self.assertIn('fit the part', self.execute('small-nas'))


if __name__ == '__main__':
    unittest.main(verbosity=2)
