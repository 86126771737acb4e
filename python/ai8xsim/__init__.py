"""Bit-exact simulator of the MAX78000 and MAX78002 CNN accelerator: programs, networks, machines, firmware.

>>> import ai8xsim
>>> program = ai8xsim.Program("models/digits/digits.h5")
>>> program.run().passed
True
"""
from ai8xsim._native import (ArgumentError, Error, FileError, FormatError, MachineError, NetworkError, OutOfMemory,
                             UnsupportedError, lib, parts, text)
from ai8xsim.cost import Cost, cost
from ai8xsim.firmware import Firmware, FirmwareResult
from ai8xsim.machine import Machine
from ai8xsim.network import Network
from ai8xsim.profile import MemoryMap, Profile
from ai8xsim.program import Program, Result

__all__ = ['ArgumentError', 'Cost', 'Error', 'FileError', 'Firmware', 'FirmwareResult', 'FormatError', 'Machine',
           'MachineError', 'MemoryMap', 'Network', 'NetworkError', 'OutOfMemory', 'Profile', 'Program', 'Result',
           'UnsupportedError', 'cost', 'parts']
__version__ = text(lib.ai8x_version())
