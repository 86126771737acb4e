"""Where cycles go, what memory is used, and what a structure costs: all without running."""
import collections
import html
import tempfile

import numpy as np

from ai8xsim._native import Stream, call, ffi, lib, part_name, text, view

ProfileLayer = collections.namedtuple(
    'ProfileLayer', 'number name shape operation cycles share bound macs macs_per_cycle peak_share processors '
                    'input_words output_words kernel_words kernel_bytes bias_bytes seconds joules')
ProfileLayer.__doc__ = """A layer of a profile.

``cycles`` of the accelerator and their ``share`` of the run (0 to 1), ``bound`` what limits the layer, ``macs``
multiply-accumulates that the accelerator does, ``peak_share`` of its multipliers (0 to 1), memory in words (data: 32
bit, kernels: 72 bit) and bytes, ``seconds`` at the clock, ``joules`` estimated above idle.
"""


class Profile:
    """Cycles, memory and energy of each layer, from registers alone. Shown as a table; as HTML in a notebook."""

    def __init__(self, program, network, clock=None):
        options = ffi.new('ai8x_profile_options *')
        options.network = network
        if clock is not None:
            call(lib.ai8x_clock_parse, lib.ai8x_program_part(program), str(clock).encode(),
                 ffi.addressof(options, 'clock'))
        handle = ffi.new('ai8x_profile **')
        call(lib.ai8x_profile_create, program, options, handle)
        self.handle = ffi.gc(handle[0], lib.ai8x_profile_destroy)
        p = self.handle
        self.name, self.part = text(p.name), part_name(p.part)
        self.clock_hz, self.clock = p.clock.hz, text(p.clock.name)
        self.cycles = p.timing.schedule.cycles
        self.macs, self.seconds, self.joules = p.macs, p.seconds, p.joules
        self.kernel_words, self.kernel_capacity = p.kernel_words, p.kernel_capacity
        self.data_words, self.data_capacity = p.data_words, p.data_capacity
        self.layers = []
        for index in range(p.layer_count):
            layer = p.layers[index]
            self.layers.append(ProfileLayer(
                layer.number, text(layer.name), text(layer.shape), text(layer.operation), layer.schedule.cycles,
                layer.share, text(lib.ai8x_bound_text(layer.bound)), layer.macs, layer.macs_per_cycle,
                layer.peak_share, layer.processors, layer.input_words, layer.output_words, layer.kernel_words,
                layer.kernel_bytes, layer.bias_bytes, layer.seconds, layer.joules))

    def to_dict(self):
        """Plain data: totals, and one dict per layer."""
        return {'name': self.name, 'part': self.part, 'clock_hz': self.clock_hz, 'cycles': self.cycles,
                'seconds': self.seconds, 'joules': self.joules, 'macs': self.macs,
                'layers': [layer._asdict() for layer in self.layers]}

    def to_dataframe(self):
        """A pandas.DataFrame, one row per layer. Needs pandas."""
        import pandas  # pylint: disable=import-outside-toplevel
        return pandas.DataFrame(self.layers, columns=ProfileLayer._fields)

    def html(self, path=None):
        """The report of ``ai8xsim profile --html``: returned as text, or written to ``path``."""
        if path is not None:
            with Stream(path) as stream:
                lib.ai8x_profile_html(self.handle, ffi.NULL, ffi.NULL, stream)
            return None
        with tempfile.NamedTemporaryFile(suffix='.html') as file:
            self.html(file.name)
            return file.read().decode()

    def _total(self):
        return (f'{self.name} on {self.part}: {self._about}{self.cycles:,} cycles, '
                f'{self._about}{self.seconds * 1e3:.3g} ms at {self.clock}, ~{self.joules * 1e6:.3g} uJ (estimate)')

    @property
    def _about(self):
        """What goes before cycles: a mark where they are an estimate."""
        return '' if lib.ai8x_part_get_info(self.handle.part).cycles_exact else '~'

    def __repr__(self):
        rows = [f'{"layer":>5}  {"operation":<34} {"cycles":>10} {"share":>6}  limited by']
        for layer in self.layers:
            rows.append(f'{layer.number:>5}  {layer.operation[:34]:<34} {self._about + format(layer.cycles, ","):>10} {layer.share:>6.1%}  '
                        f'{layer.bound.removeprefix("limited by ")}')
        return '\n'.join([self._total()] + rows)

    def _repr_html_(self):
        rows = ''.join(
            f'<tr><td>{layer.number}</td><td>{html.escape(layer.name)}</td><td>{html.escape(layer.operation)}</td>'
            f'<td>{html.escape(layer.shape)}</td><td>{self._about}{layer.cycles:,}</td><td>{layer.share:.1%}</td>'
            f'<td>{html.escape(layer.bound.removeprefix("limited by "))}</td></tr>' for layer in self.layers)
        return (f'<table><caption>{html.escape(self._total())}</caption><thead><tr><th>layer</th><th>name</th>'
                '<th>operation</th><th>shape</th><th>cycles</th><th>share</th><th>limited by</th></tr></thead>'
                f'<tbody>{rows}</tbody></table>')


class MemoryMap:
    """Who owns each word of the memories.

    ``data[k]`` after layer k - 1 of the run (0: before the run), ``kernels`` and ``bias``: structured arrays with
    columns unit (instance, processor, group), owner (position of the layer in the run; -1: the input), first, count
    (words; bias memory: bytes). ``numbers`` has the program's number of each layer, ``layers`` its register set, in the
    order of the run. In a notebook it is shown as the picture of ``ai8xsim map``.
    """

    KIND = np.dtype({'names': ['unit', 'owner', 'first', 'count'], 'formats': ['u1', 'i2', 'u4', 'u4'],
                     'offsets': [0, 2, 4, 8], 'itemsize': ffi.sizeof('ai8x_map_run')})

    def __init__(self, profile):
        self._profile, self._map = profile, profile.handle.map
        steps = self._map.layer_count + 1
        self.layers = [self._map.layers[index] for index in range(self._map.layer_count)]
        self.numbers = [self._map.numbers[index] for index in range(self._map.layer_count)]
        self.data = [self._runs(self._map.data[step]) for step in range(steps)]
        self.kernels, self.bias = self._runs(self._map.kernels), self._runs(self._map.bias)

    def _runs(self, runs):
        return view(runs.run, (runs.count,), self.KIND, self._profile)

    def svg(self):
        """The picture, as text."""
        with tempfile.NamedTemporaryFile(suffix='.svg') as file:
            with Stream(file.name) as stream:
                lib.ai8x_map_svg(self._map, stream)
            return file.read().decode()

    def _repr_html_(self):
        return self.svg()

    def __repr__(self):
        words = max((int(step['count'].sum()) for step in self.data), default=0)
        return (f'<memory map of {len(self.layers)} layers: at most {words} data words, '
                f'{int(self.kernels["count"].sum())} kernel words>')
