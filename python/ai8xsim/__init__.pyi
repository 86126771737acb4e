import os
from typing import Any, Callable, Mapping, NamedTuple, Optional, Sequence, Union

import numpy as np
from numpy.typing import ArrayLike, NDArray

Path = Union[str, os.PathLike[str]]
Shape = tuple[int, int, int]
__version__: str

class Error(Exception):
    status: str
class ArgumentError(Error, ValueError): ...
class FormatError(Error, ValueError): ...
class FileError(Error, OSError): ...
class NetworkError(Error, ValueError): ...
class MachineError(Error, RuntimeError): ...
class UnsupportedError(Error, NotImplementedError): ...
class OutOfMemory(Error, MemoryError): ...

def parts() -> list[str]: ...

class Cost(NamedTuple):
    feasible: bool
    reason: str
    cycles: Optional[int]
    seconds: Optional[float]
    joules: Optional[float]
    macs: Optional[int]
    kernel_words: Optional[int]
    kernel_capacity: Optional[int]
    data_words: Optional[int]
    data_capacity: Optional[int]

def cost(network: Union[Network, Path], part: Optional[str] = ...) -> Cost: ...

class Mismatch(NamedTuple):
    layer: int
    channel: int
    row: int
    column: int
    address: int
    expected: int
    got: int
    mask: int

class Finding(NamedTuple):
    name: str
    severity: str
    layer: Optional[int]
    processor: Optional[int]
    address: Optional[int]
    channel: Optional[int]
    row: Optional[int]
    column: Optional[int]
    count: int
    cause: str
    remedy: str

class Layer:
    number: int
    hw_layer: int
    cycles: int
    exact: bool
    reason: str
    passed: Optional[bool]
    mismatches: int
    @property
    def text(self) -> str: ...
    @property
    def output(self) -> Optional[NDArray[Any]]: ...

class Result:
    output: NDArray[Any]
    layers: list[Layer]
    cycles: int
    seconds: float
    passed: Optional[bool]
    checks: int
    mismatches: list[Mismatch]
    mismatch_count: int
    first_bad_layer: Optional[int]
    message: str

class Program:
    def __init__(self, path: Path, part: Optional[str] = ...) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def part(self) -> str: ...
    @property
    def ops(self) -> NDArray[Any]: ...
    @property
    def input(self) -> Optional[NDArray[np.int32]]: ...
    @property
    def expected(self) -> Optional[NDArray[np.int32]]: ...
    @property
    def input_shape(self) -> Shape: ...
    @property
    def output_shape(self) -> Shape: ...
    def save(self, path: Path) -> None: ...
    def run(self, x: Optional[ArrayLike] = ..., engine: str = ..., layers: bool = ..., per_layer: bool = ...,
            max_cycles: Optional[int] = ..., threads: int = ...) -> Result: ...
    def eval(self, X: ArrayLike, jobs: int = ..., engine: str = ...,
             progress: Union[None, bool, Callable[[int, int], None]] = ...,
             out: Optional[NDArray[np.int32]] = ...) -> NDArray[np.int32]: ...
    def profile(self, clock: Optional[str] = ...) -> Profile: ...
    def memory_map(self) -> MemoryMap: ...
    def check(self, max_cycles: int = ...) -> list[Finding]: ...
    def trace(self, path: Path, signals: Optional[Sequence[str]] = ...) -> int: ...

class ProfileLayer(NamedTuple):
    number: int
    name: str
    shape: str
    operation: str
    cycles: int
    share: float
    bound: str
    macs: int
    macs_per_cycle: float
    peak_share: float
    processors: int
    input_words: int
    output_words: int
    kernel_words: int
    kernel_bytes: int
    bias_bytes: int
    seconds: float
    joules: float

class Profile:
    name: str
    part: str
    clock: str
    clock_hz: int
    cycles: int
    macs: int
    seconds: float
    joules: float
    kernel_words: int
    kernel_capacity: int
    data_words: int
    data_capacity: int
    layers: list[ProfileLayer]
    def to_dict(self) -> dict[str, Any]: ...
    def to_dataframe(self) -> Any: ...
    def html(self, path: Optional[Path] = ...) -> Optional[str]: ...

class MemoryMap:
    layers: list[int]
    numbers: list[int]
    data: list[NDArray[Any]]
    kernels: NDArray[Any]
    bias: NDArray[Any]
    def svg(self) -> str: ...

class Network:
    def __init__(self, description: Path, weights: Union[None, Path, Mapping[str, ArrayLike]] = ...,
                 bias: Optional[Path] = ..., input: Union[None, Path, ArrayLike] = ...,
                 input_shape: Optional[Sequence[int]] = ...) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def layers(self) -> list[Any]: ...
    @property
    def input_shape(self) -> Shape: ...
    @property
    def notes(self) -> list[str]: ...
    def randomise(self, seed: int = ...) -> Network: ...
    def compile(self, part: Optional[str] = ..., input: Optional[ArrayLike] = ...) -> Program: ...
    def profile(self, part: Optional[str] = ..., clock: Optional[str] = ...) -> Profile: ...
    def write_yaml(self, path: Path) -> None: ...
    def write_weights(self, path: Path) -> None: ...

class Machine:
    def __init__(self, part: str = ..., engine: str = ..., capture: bool = ..., threads: int = ...) -> None: ...
    @property
    def part(self) -> str: ...
    def write32(self, address: int, value: int) -> None: ...
    def write8(self, address: int, value: int) -> None: ...
    def read32(self, address: int) -> int: ...
    def read8(self, address: int) -> int: ...
    def fifo_push(self, address: int, value: int) -> bool: ...
    def load(self, program: Program) -> None: ...
    def run(self, max_cycles: Optional[int] = ...) -> str: ...
    def reset(self) -> None: ...
    @property
    def running(self) -> bool: ...
    @property
    def cycles(self) -> int: ...
    @property
    def layers(self) -> list[Layer]: ...
    def data(self, instance: int) -> NDArray[np.uint32]: ...
    def kernels(self, processor: int) -> NDArray[np.uint8]: ...
    def bias(self, group: int) -> NDArray[np.int8]: ...
    def observe(self, kinds: Sequence[str], callback: Callable[[dict[str, Any]], None]) -> Callable[[], None]: ...

class Inference(NamedTuple):
    cycles: int
    clock_hz: int
    start_seconds: float
    seconds: float
    fifo: bool
    layers: int
    finished: bool

class FirmwareResult:
    verdict: str
    reason: str
    end: str
    message: str
    console: str
    exit_code: int
    instructions: int
    simulated_seconds: float
    inferences: list[Inference]
    @property
    def passed(self) -> bool: ...

class Firmware:
    def __init__(self, path: Path, part: Optional[str] = ..., engine: str = ..., strict: bool = ...,
                 max_seconds: Optional[float] = ..., on_console: Optional[Callable[[str], None]] = ...) -> None: ...
    @property
    def part(self) -> str: ...
    def run(self, expect: Optional[str] = ..., fail: Optional[str] = ...) -> FirmwareResult: ...
