"""Writes C code; here, only its operations and texts matter."""
import os

from . import state
from . import tornadocnn as tc


class APBTopLevel:
    """One method per thing that goes into the code."""

    def __init__(self, memfile=None):
        self.memfile = memfile
        self.verify_writes = state.verify_writes
        self.fast_fifo = state.fast_fifo

    def write(self, addr, val, comment='', indent='  ', no_verify=False, fifo=None, base=None, fifo_wait=True):
        """A store."""

    def wait(self, addr, mask, val, comment=''):
        """A loop until a register has a value."""

    def verify(self, addr, val, mask=None, num_bytes=4, first_proc=0, comment='', rv=False, api=False, data=False,
               use_list=False):
        """A comparison."""

    def verify_unload(self, ll, in_map, out_map, out_buf, processor_map, input_shape):
        """Comparisons of a layer's output: one pixel, channels in bytes or in words."""
        base = tc.dev.C_SRAM_BASE + 0x100 * ll
        if ll == 0:
            # Processors 0 and 2 of four: two bytes with a gap between them. Not in order of addresses.
            self.verify(base + 4, 0x00040003, num_bytes=2, first_proc=0)
            self.verify(base, 0x00020001, num_bytes=2, first_proc=0)
        else:
            self.verify(base + 0x8000, 0xfffffff6, num_bytes=4)

    def output(self, comment, api=False):
        """Text."""

    def output_define(self, array, define_name, fmt, columns, weights=True):
        """An array."""

    def function_header(self, dest='api', **kwargs):
        """The beginning of a function."""

    def function_footer(self, dest='api', **kwargs):
        """The end of a function."""

    def main(self):
        """The main function."""
        folder = os.path.join(state.test_dir, state.prefix)
        os.makedirs(folder)
        with open(os.path.join(folder, 'main.c'), mode='w', encoding='utf-8') as file:
            file.write('int main(void);\n')


def apbwriter(*args, **kwargs):
    """The class for the current mode."""
    assert not state.block_mode
    return APBTopLevel(*args, **kwargs)
