"""What a family costs: parameters, operations per face and memory; the caller has the clock."""

import ctypes
import gc
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Self

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

_STATUS, _FORGET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def parameters(networks: Iterable[Tensor]) -> int:
    """Return how many numbers these tensors hold; one that is shared counts once."""
    return sum({id(tensor): tensor.numel() for tensor in networks}.values())


def tensors_in(state: object) -> Iterator[Tensor]:
    """Tensors of real numbers anywhere in a nested state, such as a checkpoint's; no counters."""
    if isinstance(state, Tensor) and state.is_floating_point():
        yield state
    elif isinstance(state, Mapping):
        for part in state.values():
            yield from tensors_in(part)


def operations(work: Callable[[], object]) -> int:
    """Floating point operations of matrix products and convolutions that `work` does in torch.

    By torch's own counter: what is pointwise, such as rectifiers, and what is done outside of torch
    is not counted.
    """
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


class Memory:
    """How much more memory work takes than the program held before it, as a context manager.

    On the processor the process' resident memory, on CUDA what torch gives to tensors. What work
    before it freed is given back to the system first, where that can be done (Linux); else it would
    hide what this work takes.
    """

    taken = 0.0
    """Bytes that were held at the most, less those held before; 0 or more, NaN where the system
    does not tell."""

    def __init__(self, device: torch.device) -> None:
        self._device = device

    def __enter__(self) -> Self:
        gc.collect()
        _give_back()
        _forget_peak(self._device)
        self._before = _peak(self._device)
        return self

    def __exit__(self, *error: object) -> None:
        self.taken = _peak(self._device) - self._before


def _give_back() -> None:
    """Give the system what was freed, which glibc keeps for the next who asks."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "malloc_trim"):  # musl has none
            library.malloc_trim(0)


def _forget_peak(device: torch.device) -> None:
    """Let `_peak` count from now on, where the system can: on CUDA and on Linux."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif _FORGET.exists():
        _FORGET.write_text("5", encoding="ascii")  # proc(5): resets the peak resident set size


def _peak(device: torch.device) -> float:
    """Bytes that were in use at the most.

    On the processor the resident memory of this process since it began, or on Linux since
    `_forget_peak`; on CUDA what torch gave to tensors. NaN on Windows, which does not tell.
    """
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    if _STATUS.exists():
        (line,) = [x for x in _STATUS.read_text("ascii").splitlines() if x.startswith("VmHWM")]
        return 1024 * float(line.split()[1])
    if sys.platform == "win32":
        return math.nan
    from resource import RUSAGE_SELF, getrusage  # which Windows does not have

    return float(getrusage(RUSAGE_SELF).ru_maxrss)  # in bytes on macOS
