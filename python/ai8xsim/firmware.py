"""Firmware images: the ELF file that goes on the board."""
import collections

from ai8xsim._native import call, failure, ffi, find_part, lib, part_name, path_bytes, text
from ai8xsim.program import engine_value

Inference = collections.namedtuple('Inference', 'cycles clock_hz start_seconds seconds fifo layers finished')


class FirmwareResult:
    """How a run ended.

    ``verdict`` "pass", "fail" or "silent" and ``reason``; ``end`` such as "returned" and ``message``; ``console`` all
    that was printed; ``inferences`` a list with cycles, clock and simulated time of each; ``exit_code``,
    ``instructions``, ``simulated_seconds``.
    """

    def __init__(self, result, verdict, reason):
        self.verdict, self.reason = verdict, reason
        self.end, self.message = text(lib.ai8x_firmware_end_name(result.end)), text(result.message)
        self.console = ffi.buffer(result.console, result.console_size)[:].decode('utf-8', 'replace')
        self.exit_code, self.instructions = result.exit_code, result.instructions
        self.simulated_seconds = result.simulated_seconds
        self.inferences = []
        for index in range(result.inference_count):
            one = result.inferences[index]
            self.inferences.append(Inference(*(getattr(one, name) for name in Inference._fields)))

    @property
    def passed(self):
        """True where the verdict is "pass"."""
        return self.verdict == 'pass'

    def __repr__(self):
        return f'<firmware: {self.verdict} ({self.reason}), {len(self.inferences)} inferences>'


class Firmware:
    """A chip with firmware in its flash; used by one thread at a time.

    :param path: ELF file
    :param part: "MAX78000" or "MAX78002"; None: told from the image
    :param engine: of the accelerator: "auto", "exact" or "fast"
    :param strict: end at the first read of a register that is not modelled
    :param max_seconds: watchdog, simulated time; None: the default
    :param on_console: called with text as it is printed, or None
    """

    def __init__(self, path, part=None, engine='auto', strict=False, max_seconds=None, on_console=None):
        options = ffi.new('ai8x_firmware_options *', lib.ai8x_firmware_options_default())
        if part is not None:
            options.part = find_part(part)
        options.machine.engine, options.strict = engine_value(engine), strict
        if max_seconds is not None:
            options.max_seconds = max_seconds
        self._raised = []

        def console(_, uart, characters, size):
            if on_console:
                on_console(ffi.buffer(characters, size)[:].decode('utf-8', 'replace'))

        self._console = ffi.callback('void(void *, unsigned, const char *, size_t)', console, onerror=self._catch)
        # Python runs its signal handlers in callbacks: Ctrl-C ends a run there.
        self._poll = ffi.callback('bool(void *)', lambda user: not self._raised, error=False, onerror=self._catch)
        self._inference = ffi.callback('bool(void *, ai8x_machine *, const ai8x_firmware_inference *)',
                                       lambda user, machine, inference: not self._raised, error=False,
                                       onerror=self._catch)
        options.console, options.inference, options.poll = self._console, self._inference, self._poll
        handle = ffi.new('ai8x_firmware **')
        call(lib.ai8x_firmware_open, path_bytes(path), options, handle)
        self.handle = ffi.gc(handle[0], lib.ai8x_firmware_destroy)

    def _catch(self, kind, error, trace):
        self._raised.append(error)

    @property
    def part(self):
        """Name of the part."""
        return part_name(lib.ai8x_firmware_part(self.handle))

    def run(self, expect=None, fail=None):
        """Resets the chip and runs until the firmware comes to rest: a :class:`FirmwareResult`.

        :param expect: regular expression that a passing console has (None: "PASS")
        :param fail: the same for a failing one
        """
        self._raised.clear()
        result = ffi.new('const ai8x_firmware_result **')
        lib.ai8x_firmware_run(self.handle, result)
        if self._raised:
            raise self._raised[0]
        if result[0] == ffi.NULL:
            raise failure(lib.AI8X_ERR_UNSUPPORTED)
        patterns, kept = ffi.new('ai8x_firmware_patterns *'), []
        for name, pattern in (('expect', expect), ('fail', fail)):
            if pattern is not None:
                kept.append(ffi.new('char[]', pattern.encode()))
                setattr(patterns, name, kept[-1])
        verdict = ffi.new('ai8x_firmware_verdict *')
        reason = ffi.new(f'char[{lib.AI8X_MESSAGE_SIZE}]')
        call(lib.ai8x_firmware_judge, result[0], patterns, verdict, reason)
        return FirmwareResult(result[0], text(lib.ai8x_firmware_verdict_name(verdict[0])), text(reason))
