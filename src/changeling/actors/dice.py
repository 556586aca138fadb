"""Random numbers drawn on the CPU, so that every device is dealt the same ones."""

from __future__ import annotations

import torch
from torch import Tensor


class Dice:
    """One generator for all effects; what it draws arrives on `device`."""

    def __init__(self, seed: int, device: torch.device) -> None:
        self.device = device
        self._generator = torch.Generator().manual_seed(seed)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """float32 of `shape`, low…high."""
        drawn = torch.rand(shape, generator=self._generator)
        return (drawn * (high - low) + low).to(self.device)

    def normal(self, *shape: int) -> Tensor:
        """float32 of `shape`, mean 0, deviation 1."""
        return torch.randn(shape, generator=self._generator).to(self.device)

    def whole(self, low: int, high: int, *shape: int) -> Tensor:
        """int64 of `shape`, low…high - 1."""
        return torch.randint(low, high, shape, generator=self._generator).to(self.device)

    def happens(self, chance: float, n: int) -> Tensor:
        """(n,) bool, each true with this chance."""
        return self.uniform(0, 1, n) < chance

    def rows(self, chance: float, n: int) -> Tensor:
        """Which of n rows an effect befalls: their indices, int64."""
        drawn = torch.rand(n, generator=self._generator) < chance
        return drawn.nonzero()[:, 0].to(self.device)
