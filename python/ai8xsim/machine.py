"""The accelerator at the level of its registers: bus in, data memory out."""
import numpy as np

from ai8xsim._native import Error, ArgumentError, call, failure, ffi, find_part, lib, part_name, text, view
from ai8xsim.program import Layer, new_machine

EVENTS = {name[len('AI8X_EVENT_'):].lower(): getattr(lib, name) for name in dir(lib) if name.startswith('AI8X_EVENT_')}
# Which member of the union an event's kind fills.
MEMBERS = {'state': 'state', 'data_read': 'data', 'data_write': 'data', 'kernel_read': 'kernel', 'bias_read': 'bias',
           'tram_write': 'tram', 'output': 'output', 'fifo_push': 'fifo', 'fifo_pop': 'fifo', 'bus_write': 'bus',
           'bus_read': 'bus', 'accumulate': 'sums', 'kernel_write': 'commit'}
NAMES = {value: name for name, value in EVENTS.items()}


class Event(dict):
    """An event as plain data: ``kind``, ``cycle``, ``layer`` (register set or None), and its members."""


def _event(event):
    kind = NAMES[event.kind]
    plain = Event(kind=kind, cycle=event.cycle, layer=event.layer.index if event.layer != ffi.NULL else None)
    if kind in MEMBERS:
        member = getattr(event.u, MEMBERS[kind])
        for name, _ in ffi.typeof(member).fields:
            value = getattr(member, name)
            if isinstance(value, ffi.CData):
                # Copied: the pointer holds during the callback only.
                value = [value[index] for index in range(64 if kind == 'tram_write' else 4)]
            plain[name] = value
    return plain


class Machine:
    """The simulator of one accelerator, used by one thread at a time; different ones are independent.

    :param part: "MAX78000" or "MAX78002"
    :param engine: "auto", "exact" or "fast"
    :param capture: keep every layer's output (``layers``)
    :param threads: that work on a layer where it is large enough
    """

    def __init__(self, part='MAX78000', engine='auto', capture=True, threads=1):
        self.handle = new_machine(find_part(part), engine, capture, threads)
        self._callbacks = []
        self._raised = []
        self._after = ffi.callback('ai8x_layer_fn', lambda user, report: not self._raised, error=False,
                                   onerror=self._catch)
        lib.ai8x_machine_on_layer(self.handle, self._after, ffi.NULL)
        self._poll = ffi.callback('ai8x_poll_fn', lambda user: not self._raised, error=False, onerror=self._catch)
        lib.ai8x_machine_on_poll(self.handle, self._poll, ffi.NULL)

    def _catch(self, kind, error, trace):
        self._raised.append(error)

    def _call(self, function, *arguments):
        """As call(), with what callbacks raised (Ctrl-C too) raised here."""
        self._raised.clear()
        error = ffi.new('ai8x_error *')
        status = function(self.handle, *arguments, error)
        if self._raised:
            raise self._raised[0]
        return status, text(error.message)

    def _done(self, function, *arguments):
        status, message = self._call(function, *arguments)
        if status != lib.AI8X_OK:
            raise failure(status, message)

    @property
    def part(self):
        """Name of the part."""
        return part_name(lib.ai8x_machine_part(self.handle))

    def write32(self, address, value):
        """A bus write of the 32 low bits of ``value`` to a byte ``address`` (a multiple of 4). Raises MachineError
        (AI8X_FIFO_FULL) where a FIFO did not take the word."""
        self._done(lib.ai8x_machine_write32, address, value & 0xffffffff)

    def write8(self, address, value):
        """A bus write of the 8 low bits of ``value`` to a byte ``address``."""
        self._done(lib.ai8x_machine_write8, address, value & 0xff)

    def read32(self, address):
        """A bus read of 32 bits at a byte ``address`` (a multiple of 4)."""
        value = ffi.new('uint32_t *')
        self._done(lib.ai8x_machine_read32, address, value)
        return value[0]

    def read8(self, address):
        """A bus read of 8 bits at a byte ``address``."""
        value = ffi.new('uint8_t *')
        self._done(lib.ai8x_machine_read8, address, value)
        return value[0]

    def fifo_push(self, address, value):
        """Pushes a 32-bit word ``value`` into the FIFO at ``address``; False where it has no room now."""
        status, message = self._call(lib.ai8x_machine_fifo_push, address, value & 0xffffffff)
        if status not in (lib.AI8X_OK, lib.AI8X_FIFO_FULL):
            raise failure(status, message)
        return status == lib.AI8X_OK

    def load(self, program):
        """Carries out a program's operations before RUN, the starting write included."""
        call(lib.ai8x_runner_load, self.handle, program.handle)

    def run(self, max_cycles=None):
        """Runs until the last layer is done, or for at most ``max_cycles`` cycles.

        :returns: "done", "limit" (still running, call again), or "waiting" (a FIFO is empty: push, then call again)
        :raises MachineError: nothing was started, or a layer's registers cannot be executed
        :raises KeyboardInterrupt: Ctrl-C; the next call goes on where the run stopped, or after the layer that ended
        """
        limits = ffi.new('ai8x_run_limits *')
        limits.max_cycles = max_cycles or 0
        status, message = self._call(lib.ai8x_machine_run, limits)
        names = {lib.AI8X_OK: 'done', lib.AI8X_ERR_CYCLE_LIMIT: 'limit', lib.AI8X_WAITING: 'waiting'}
        if status not in names:
            raise failure(status, message)
        return names[status]

    def reset(self):
        """As after power-up, with cleared memories. Observers stay."""
        lib.ai8x_machine_reset(self.handle)

    @property
    def running(self):
        """True from the starting write until the last layer is done."""
        return bool(lib.ai8x_machine_running(self.handle))

    @property
    def cycles(self):
        """Cycles since the last start."""
        return lib.ai8x_machine_cycles(self.handle)

    @property
    def layers(self):
        """The layers that ran, with their outputs [slots][H][W]."""
        count = lib.ai8x_machine_layer_count(self.handle)
        reports = [lib.ai8x_machine_layer_report(self.handle, position) for position in range(count)]
        return [Layer(report.layer.index, report) for report in reports]

    def _view(self, function, unit, units, dtype, per=1):
        if not 0 <= unit < units:
            raise ArgumentError(f'{unit}: expected 0 to {units - 1}')
        count = ffi.new('size_t *')
        memory = function(self.handle, unit, count)
        shape = (count[0], per) if per > 1 else (count[0],)
        return view(memory, shape, dtype, self)

    def data(self, instance):
        """Data memory instance 0..15: uint32 [words], a read-only view that follows the machine."""
        return self._view(lib.ai8x_machine_data, instance, lib.AI8X_INSTANCES, np.uint32)

    def kernels(self, processor):
        """Kernel memory of processor 0..63: uint8 [words][9] in the order of the stream, a read-only view."""
        return self._view(lib.ai8x_machine_kernels, processor, lib.AI8X_PROCESSORS, np.uint8, 9)

    def bias(self, group):
        """Bias memory of group 0..3: int8 [entries], a read-only view."""
        return self._view(lib.ai8x_machine_bias, group, lib.AI8X_GROUPS, np.int8)

    def observe(self, kinds, callback):
        """Calls ``callback(event)`` for events of some kinds, such as ["layer_start", "output"].

        An exception of the callback ends the run at the next layer and comes out of :meth:`run`.
        :returns: a function that ends the subscription
        """
        bits = 0
        for name in kinds:
            if name not in EVENTS:
                raise ArgumentError(f'event {name!r}: expected one of {", ".join(EVENTS)}')
            bits |= EVENTS[name]
        receiver = ffi.callback('ai8x_event_fn', lambda user, event: callback(_event(event)), onerror=self._catch)
        status = lib.ai8x_machine_observe(self.handle, bits, receiver, ffi.NULL)
        if status != lib.AI8X_OK:
            raise failure(status)
        self._callbacks.append(receiver)

        def end():
            lib.ai8x_machine_observe(self.handle, 0, receiver, ffi.NULL)
            self._callbacks.remove(receiver)
        return end

    def __repr__(self):
        return f'<{self.part}: {"running" if self.running else "idle"}, {self.cycles} cycles>'
