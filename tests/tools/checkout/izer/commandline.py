"""Arguments."""
import argparse

import numpy

from . import state


def get_parser():
    """Parse the arguments."""
    parser = argparse.ArgumentParser(prog='ai8xize.py')
    parser.add_argument('--device', required=True)
    parser.add_argument('--config-file', required=True)
    parser.add_argument('--test-dir', required=True)
    parser.add_argument('--prefix', required=True)
    parser.add_argument('--checkpoint-file')
    parser.add_argument('--sample-input')
    parser.add_argument('--mode', default='')
    for flag in ('--fifo', '--fast-fifo', '--one-shot', '--no-progress', '--no-version-check', '--verify-writes',
                 '--ignore-streaming', '--old-kernel-loader', '--no-mexpress', '--rtl', '--fixed-input'):
        parser.add_argument(flag, action='store_true')
    return parser.parse_args()


def set_state(args):
    """Copy them to the shared settings."""
    state.fifo = args.fifo or args.fast_fifo
    state.fast_fifo = args.fast_fifo
    state.embedded_code = not args.rtl
    state.mexpress = not args.no_mexpress
    state.new_kernel_loader = not args.old_kernel_loader
    state.test_dir, state.prefix, state.mode = args.test_dir, args.prefix, args.mode
    state.verify_writes = args.verify_writes
    if args.sample_input:
        state.data = numpy.load(args.sample_input)
        assert state.data.dtype == numpy.int64
    state.generate_kat = False  # Has to be switched on by the recording
