"""The C library: where it is found, and how its errors become exceptions."""
import os

import numpy as np

from ai8xsim._declarations import ffi

SONAME = 'libai8xsim.so.0'


def _open():
    """The library: what AI8XSIM_LIBRARY names, else the one in this package (a wheel's), else the system's."""
    beside = os.path.join(os.path.dirname(__file__), SONAME)
    path = os.environ.get('AI8XSIM_LIBRARY') or (beside if os.path.exists(beside) else SONAME)
    try:
        # Handles are freed at the very end of the interpreter: the library stays loaded for them.
        return ffi.dlopen(path, os.RTLD_NOW | os.RTLD_NODELETE)
    except OSError as error:
        raise ImportError(f'libai8xsim cannot be loaded: {error} (AI8XSIM_LIBRARY names another one)') from error


lib = _open()
libc = ffi.dlopen(None)


class Error(Exception):
    """What the library says is wrong.

    ``status`` is the name of its status value, such as ``"AI8X_ERR_LAYER"`` (docs/errors.md); the text is its
    message, which names file, layer or register and what was expected.
    """

    def __init__(self, message, status='AI8X_ERR_ARGUMENT'):
        super().__init__(message)
        self.status = status


class ArgumentError(Error, ValueError):
    """The caller passed something that makes no sense."""


class FormatError(Error, ValueError):
    """A file is not what it should be, or is larger than the library accepts."""


class FileError(Error, OSError):
    """A file could not be opened, read or written."""

    def __str__(self):
        return str(self.args[0])


class NetworkError(Error, ValueError):
    """A network description that the part cannot run."""


class MachineError(Error, RuntimeError):
    """The machine stopped: dead-lock, illegal configuration, cycle limit, bad address."""


class UnsupportedError(Error, NotImplementedError):
    """A feature that this build or this model does not have."""


class OutOfMemory(Error, MemoryError):
    """The host has no memory left."""


CLASSES = {
    lib.AI8X_ERR_ARGUMENT: ArgumentError,
    lib.AI8X_ERR_NO_MEMORY: OutOfMemory,
    lib.AI8X_ERR_IO: FileError,
    lib.AI8X_ERR_FORMAT: FormatError,
    lib.AI8X_ERR_ADDRESS: MachineError,
    lib.AI8X_ERR_ALIGNMENT: MachineError,
    lib.AI8X_ERR_LAYER: MachineError,
    lib.AI8X_ERR_CYCLE_LIMIT: MachineError,
    lib.AI8X_ERR_STALLED: MachineError,
    lib.AI8X_ERR_NOT_STARTED: MachineError,
    lib.AI8X_ERR_UNSUPPORTED: UnsupportedError,
    lib.AI8X_ERR_LIMIT: FormatError,
    lib.AI8X_ERR_NETWORK: NetworkError,
}


def text(pointer):
    """A C string as str; NULL as ''."""
    return ffi.string(pointer).decode('utf-8', 'replace') if pointer != ffi.NULL else ''


def failure(status, message=''):
    """The exception for a status value."""
    name = text(lib.ai8x_status_name(status))
    return CLASSES.get(status, Error)(message or text(lib.ai8x_status_text(status)), name)


def call(function, *arguments):
    """Calls a function whose last argument is an ai8x_error; raises when it fails."""
    error = ffi.new('ai8x_error *')
    status = function(*arguments, error)
    if status != lib.AI8X_OK:
        raise failure(status, text(error.message))


def path_bytes(path):
    """A path as C takes it, or NULL for None."""
    return ffi.NULL if path is None else ffi.new('char[]', os.fsencode(path))


def find_part(name):
    """The part of a name."""
    found = lib.ai8x_part_find(str(name).encode())
    if found == ffi.NULL:
        known = ', '.join(parts())
        raise ArgumentError(f'no part is called {name!r}; there are {known}')
    return found


def parts():
    """Names of the parts that the library knows."""
    return [part_name(lib.ai8x_part_at(index)) for index in range(lib.ai8x_part_count())]


def part_name(handle):
    """Name of a part."""
    return text(lib.ai8x_part_get_info(handle).name)


class Interrupts:
    """What ends a long run: the library calls back now and then, and there Python runs its signal handlers (Ctrl-C)."""

    def __init__(self):
        self.raised = []
        # No method of this object: a circle would keep machines alive until the next collection.
        raised = self.raised
        self.callback = ffi.callback('bool(void *)', lambda user: not raised, error=False,
                                     onerror=lambda kind, error, trace: raised.append(error))

    def forget(self):
        """Before a run."""
        self.raised.clear()

    def check(self):
        """After a run: raises what a signal handler raised."""
        if self.raised:
            raise self.raised[0]


class Stream:
    """A file of C's, for functions that write to one."""

    def __init__(self, path):
        self.path = os.fspath(path)

    def __enter__(self):
        self.file = libc.fopen(path_bytes(self.path), b'w')
        if self.file == ffi.NULL:
            raise FileError(f'{self.path}: {os.strerror(ffi.errno)}', 'AI8X_ERR_IO')
        return self.file

    def __exit__(self, kind, error, trace):
        if libc.fclose(self.file) != 0 and kind is None:
            raise FileError(f'{self.path}: {os.strerror(ffi.errno)}', 'AI8X_ERR_IO')


class _Memory:
    """C memory as NumPy takes it; arrays over it keep this object alive, and with it the owner."""

    def __init__(self, pointer, shape, dtype, owner):
        self.owner = owner
        self.__array_interface__ = {'version': 3, 'shape': shape, 'typestr': dtype.str,
                                    'data': (int(ffi.cast('uintptr_t', pointer)), True)}


def view(pointer, shape, dtype, owner):
    """A read-only array over C memory, without a copy; it keeps ``owner`` alive."""
    count = int(np.prod(shape, dtype=np.int64))
    if pointer == ffi.NULL or count == 0:
        return np.empty(shape, dtype)
    dtype = np.dtype(dtype)
    # Records come as plain bytes.
    return np.asarray(_Memory(pointer, tuple(shape), dtype, owner)).view(dtype)


def array_of(value):
    """NumPy's view of an array: of NumPy, torch (detached, from any device) or whatever speaks DLPack."""
    if hasattr(value, 'detach'):
        value = value.detach().cpu()
    if not hasattr(value, '__array__') and hasattr(value, '__dlpack__'):
        return np.from_dlpack(value)
    return np.asarray(value)


def int8(value, what):
    """An int8 array in C order. Whole numbers from -128 to 127 of any type are taken, others refused."""
    if type(value) is np.ndarray and value.dtype == np.int8 and value.flags.c_contiguous:
        return value
    array = array_of(value)
    if array.dtype.kind not in 'biuf':
        raise ArgumentError(f'{what}: expected whole numbers from -128 to 127, not {array.dtype}')
    if array.dtype != np.int8:
        with np.errstate(invalid='ignore'):
            taken = array.astype(np.int8)
        if not np.array_equal(taken, array):
            raise ArgumentError(f'{what}: values have to be whole numbers from -128 to 127')
        array = taken
    return np.ascontiguousarray(array)


def pointer(array, kind):
    """C's pointer to an array, which has to outlive the call."""
    return ffi.cast(kind, array.ctypes.data)
