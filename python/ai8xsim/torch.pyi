from typing import Any, Mapping, NamedTuple, Optional, Sequence, Union

import torch

from ai8xsim import Network, Program

class Difference(NamedTuple):
    layer: int
    name: str
    channel: int
    row: int
    column: int
    model: float
    chip: int
    count: int

class Deployed(torch.nn.Module):
    program: Program
    jobs: int
    scale: Optional[float]
    def __init__(self, program: Union[Program, Network], part: Optional[str] = ..., jobs: int = ...,
                 scale: Optional[float] = ...) -> None: ...
    def forward(self, x: torch.Tensor) -> torch.Tensor: ...

def compare(model: torch.nn.Module, program: Program, x: Any,
            layers: Union[Sequence[str], Mapping[int, str], None] = ..., tolerance: float = ...) -> Optional[Difference]: ...
