"""How the machine is used: device, precision, memory layout, threads; `plain` turns it all off."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import cv2
import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Runtime:
    """The switches that change speed and not what is learnt (but for rounding)."""

    device: torch.device
    """Where networks and batches live."""
    precision: torch.dtype
    """What convolutions and products are computed in; weights stay float32."""
    channels_last: bool
    """Keep pictures with the channels innermost, as fast convolutions want them."""
    fused: bool
    """Move all weights in one pass of Adam instead of one pass per operation."""
    threads: int
    """Processor threads of torch's operations."""
    workers: int
    """Threads that prepare batches while the network computes; 0: none."""

    @classmethod
    def best(cls) -> "Runtime":
        """Return the fastest way to use this machine, on as many threads as torch was given.

        Those are all cores, unless the environment variable OMP_NUM_THREADS says how many.
        """
        device = _device()
        precision = torch.bfloat16 if _has_bfloat16(device) else torch.float32
        return cls(device, precision, True, True, torch.get_num_threads(), 2)

    def plain(self) -> "Runtime":
        """Return the same device and threads used in the plainest way, to measure the gain."""
        return replace(self, precision=torch.float32, channels_last=False, fused=False, workers=0)

    def apply(self) -> None:
        """Set the thread counts of this process, once, before training."""
        torch.set_num_threads(self.threads)
        cv2.setNumThreads(1)  # batches come from `workers` threads; more would fight over cores

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which networks compute in `precision`."""
        enabled = self.precision != torch.float32
        return torch.autocast(self.device.type, self.precision, enabled=enabled)

    def network(self, network: Network) -> Network:
        """Move a network to the device, in the memory layout."""
        moved: Network = network.to(device=self.device, memory_format=self._layout())  # type: ignore[call-overload]
        return moved

    def pictures(self, pictures: Tensor) -> Tensor:
        """Move pictures (n, channels, height, width) to the device, in the memory layout."""
        moved = pictures.to(self.device, non_blocking=True)
        return moved.contiguous(memory_format=self._layout())

    def adam(
        self, parameters: Iterable[nn.Parameter], *, rate: float, betas: tuple[float, float]
    ) -> Adam:
        """Return Adam (Kingma & Ba, arXiv 1412.6980) with the learning rate `rate`."""
        return Adam(parameters, lr=rate, betas=betas, fused=True if self.fused else None)

    def _layout(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format


def optimizer_state(optimizer: Optimizer) -> dict[int, Any]:
    """Return what the optimizer has gathered, without its settings."""
    state: dict[int, Any] = optimizer.state_dict()["state"]
    return state


def load_optimizer(optimizer: Optimizer, state: Mapping[int, Any]) -> None:
    """Give back `optimizer_state`, in the memory layout that each parameter has now.

    The settings stay those of the configuration, and a fused optimizer walks through parameter
    and state side by side in memory, so both must be laid out alike.
    """
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": dict(state), "param_groups": groups})
    for parameter, gathered in optimizer.state.items():
        for name, value in gathered.items():
            if value.shape == parameter.shape:
                gathered[name] = torch.empty_like(parameter).copy_(value)


def _device() -> torch.device:
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is computed by the hardware; where it is emulated it is slower."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "mps":
        return False
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
