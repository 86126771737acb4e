"""Networks: descriptions with or without weights, and how they become programs."""
import contextlib
import os
import re
import tempfile

import numpy as np

from ai8xsim._native import (ArgumentError, array_of, call, ffi, find_part, int8, lib, libc, path_bytes, pointer, text,
                             view)
from ai8xsim.profile import Profile
from ai8xsim.program import Program


class Layer:
    """A layer of a network; its members are those of ai8x_network_layer (network.h): ``layer.out_channels``."""

    def __init__(self, network, position):
        self._network, self._c = network, network.handle.layers[position]
        self.position = position

    def __getattr__(self, name):
        if name == 'activation':
            return text(lib.ai8x_activation_name(self._c.activation))
        if name == 'operation':
            return text(lib.ai8x_operation_name(self._c.operation))
        try:
            value = getattr(self._c, name)
        except AttributeError:
            raise AttributeError(f'a layer has no {name!r}') from None
        if isinstance(value, ffi.CData) and ffi.typeof(value) is ffi.typeof('char *'):
            return text(value)
        return value

    @property
    def weights(self):
        """int8 [out_channels][fan_channels][kernel_rows][kernel_columns], a view; None without."""
        c = self._c
        if c.weights == ffi.NULL:
            return None
        shape = (-1, c.fan_channels, c.kernel_rows, c.kernel_columns)
        return view(c.weights, (c.weight_count,), np.int8, self._network).reshape(shape)

    @property
    def bias(self):
        """int8 [out_channels], each times 128 in the sum, a view; None without."""
        c = self._c
        return None if c.bias == ffi.NULL else view(c.bias, (c.out_channels,), np.int8, self._network)

    @property
    def shape(self):
        """(C, H, W) of the output."""
        return self._c.out_channels, self._c.out_rows, self._c.out_columns

    def __repr__(self):
        return f'<layer {self.number} {self.name!r}: {self.operation}, output {self.shape}>'


class Network:
    """A network as its YAML description says (docs/networks.md).

    :param description: path of a YAML file, or the text itself (with a newline in it)
    :param weights: path of an .npz, .npy, HDF5 or checkpoint file, or a dict of arrays with the names that .npz files
        use (``weight_K``, ``bias_K``, ``weight_bits_K``, ``output_shift_K``; NumPy, torch or DLPack), or None
    :param bias: path of an .npy file, or None
    :param input: input [C][H][W] that programs record: an array or a path; or None
    :param input_shape: (C, H, W) where nothing else tells it
    """

    def __init__(self, description, weights=None, bias=None, input=None, input_shape=None):
        self._source = (description, weights, bias, input_shape)
        self.handle = self._read(description, weights, bias, input, input_shape)

    @staticmethod
    def _read(description, weights, bias, x, input_shape):
        files, kept = ffi.new('ai8x_network_files *'), []
        with contextlib.ExitStack() as stack:
            def temporary(name):
                # Most networks of a search need none, and a folder takes as long as half a candidate.
                return os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), name)
            if isinstance(weights, dict):
                path = temporary('weights.npz')
                np.savez(path, **{name: np.ascontiguousarray(array_of(value)) for name, value in weights.items()})
                weights = path
            if x is not None and not isinstance(x, (str, os.PathLike)):
                path = temporary('input.npy')
                np.save(path, int8(x, 'input'))
                x = path
            for name, path in (('weights', weights), ('bias', bias), ('input', x)):
                kept.append(path_bytes(path))
                setattr(files, name, kept[-1])
            if input_shape is not None:
                kept.append(ffi.new('uint32_t[3]', list(input_shape)))
                files.input_shape = kept[-1]
            handle = ffi.new('ai8x_network **')
            if isinstance(description, str) and '\n' in description:
                data = description.encode()
                arch = re.search(r'(?m)^arch: *([\w.-]+)', description)
                name = arch[1] if arch else 'description'
                call(lib.ai8x_network_parse, data, len(data), name.encode(), files, handle)
            else:
                call(lib.ai8x_network_open, path_bytes(description), files, handle)
        return ffi.gc(handle[0], lib.ai8x_network_destroy)

    @property
    def name(self):
        """Name of the network."""
        return text(self.handle.name)

    @property
    def layers(self):
        """The layers, in the order of the description."""
        return [Layer(self, position) for position in range(self.handle.layer_count)]

    @property
    def input_shape(self):
        """(C, H, W) of the input."""
        return tuple(self.handle.input_shape)

    @property
    def notes(self):
        """What the library chose or found remarkable, a list of lines."""
        return [text(self.handle.notes[index]) for index in range(self.handle.note_count)]

    def _copy(self):
        copy = ffi.new('ai8x_network **')
        call(lib.ai8x_network_copy, self.handle, copy)
        return ffi.gc(copy[0], lib.ai8x_network_destroy)

    def randomise(self, seed=0):
        """Fills missing weights, biases and input with values that ``seed`` decides, and chooses shifts; returns the
        network."""
        call(lib.ai8x_network_randomise, self.handle, seed, ffi.NULL, ffi.NULL)
        return self

    def _part(self, part):
        if part is None:
            part = text(self.handle.part) or 'MAX78000'
        return find_part(part)

    def compile(self, part=None, input=None):
        """A :class:`Program` for a part.

        :param part: "MAX78000" or "MAX78002"; None: the description's, else MAX78000
        :param input: [C][H][W], whole numbers -128..127, that the program records; None: the network's, else zeros
        :raises NetworkError: file, line, layer and limit where the part cannot run the network
        """
        network = self._copy()
        if input is not None or network.input == ffi.NULL:
            shape = tuple(network.input_shape)
            x = np.zeros(shape, np.int8) if input is None else int8(input, 'input')
            if x.size != int(np.prod(shape)):
                raise ArgumentError(f'input of shape {x.shape}: expected {shape}')
            if input is not None or self._weighted():
                memory = libc.malloc(x.size)
                ffi.memmove(memory, pointer(x, 'char *'), x.size)
                libc.free(network.input)
                network.input = ffi.cast('int8_t *', memory)
        return Program(None, _handle=self._compiled(network, self._part(part)))

    def _weighted(self):
        return any(layer.weights is not None for layer in self.layers)

    @staticmethod
    def _compiled(network, part):
        program = ffi.new('ai8x_program **')
        call(lib.ai8x_network_compile, network, part, ffi.NULL, program)
        return program[0]

    def profile(self, part=None, clock=None):
        """Where the cycles go, without weights or a run: a :class:`Profile`.

        :param part: "MAX78000" or "MAX78002"; None: what the description says, else MAX78000
        :param clock: of the accelerator, such as "PCLK", "ISO/4" or "12.5 MHz"; None: as generated software sets it up
        """
        network = self._copy()
        program = ffi.gc(self._compiled(network, self._part(part)), lib.ai8x_program_destroy)
        return Profile(program, network, clock)

    def write_yaml(self, path):
        """Writes the description with everything that was resolved to ``path`` (YAML)."""
        call(lib.ai8x_network_write_yaml, self.handle, path_bytes(path))

    def write_weights(self, path):
        """Writes weights, biases, shifts and input to ``path``, an HDF5 weights file."""
        call(lib.ai8x_network_write_weights, self.handle, path_bytes(path))

    def __repr__(self):
        return f'<network {self.name!r}: {self.handle.layer_count} layers, input {self.input_shape}>'
