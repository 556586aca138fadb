"""What a family costs: parameters, operations per face and memory; the caller has the clock."""

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

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


def forget_peak(device: torch.device) -> None:
    """Let `peak_memory` count from now on, where the system can: on CUDA and on Linux."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif _FORGET.exists():
        _FORGET.write_text("5", encoding="ascii")  # proc(5): resets the peak resident set size


def peak_memory(device: torch.device) -> float:
    """Bytes that were in use at the most.

    On the processor the resident memory of this process since it began, or on Linux since
    `forget_peak`, Python's own included; on CUDA what torch gave to tensors. NaN on Windows, where
    the system does not tell.
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
