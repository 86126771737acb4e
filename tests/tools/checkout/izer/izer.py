"""The generator's main function."""
import os
import sys

import numpy

from . import commandline, state
from . import tornadocnn as tc
from .backend import max7800x


def main():
    """Parse, pretend to check for updates, generate."""
    args = commandline.get_parser()
    if not args.no_version_check:
        with open('.version-check', mode='w', encoding='utf-8') as file:
            file.write('0')
    tc.dev = tc.OtherDevice() if args.device == 'CMSIS-NN' else tc.Device()
    commandline.set_state(args)
    if args.mode == 'complain':
        print('ERROR: layer 3 does not fit\nbecause it is too large', file=sys.stderr)
        sys.exit(1)
    if args.mode == 'raise':
        raise ValueError('weights are missing')
    if state.data is None:
        state.data = numpy.arange(12, dtype=numpy.int64).reshape(3, 2, 2) - 5
    assert os.path.isdir('assets')
    max7800x.Backend().create_net()
