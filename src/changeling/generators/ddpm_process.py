"""What noise does to pictures, step by step, and the way back: the mathematics of diffusion.

Pictures are (n, c, s, s) in -1…1. Times are whole numbers (n,), 0 for a clean picture up to `steps`
for noise.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Predict = Callable[[Tensor, Tensor], Tensor]
"""A network's prediction, of the pictures' shape, for noisy pictures and their times."""
Told = Callable[[Tensor, Tensor, Tensor], Tensor]
"""The same, of a network that is also told the classes (n,)."""

_FIRST, _LAST = 1e-4, 0.02
"""Variance that the first and the last step of the linear schedule add (Ho et al., section 4)."""
_OFFSET, _MOST = 0.008, 0.999
"""Of the cosine schedule (Nichol and Dhariwal, section 3.2)."""


@dataclass(frozen=True)
class Sampling:
    """How pictures are drawn from noise."""

    steps: int = 50
    """Steps from noise to picture, each one pass through the network (two where it is guided)."""
    eta: float = 0.0
    """Fresh noise in each step: 0 none (DDIM), 1 as much as the ancestral sampling of DDPM."""
    guidance: float = 1.0
    """How far the class pulls: 0 not at all, 1 as learnt, above 1 more than that."""


class Process:
    """The noise of a schedule: what it makes of pictures, and how a network undoes it."""

    def __init__(
        self,
        schedule: Literal["cosine", "linear"],
        steps: int,
        predicts: Literal["velocity", "noise"],
    ) -> None:
        """Lay the schedule out; a network tells the noise or the velocity of a noisy picture."""
        self.kept = shares(schedule, steps)
        """(steps + 1,) float64: the share of the picture's variance left at each time (ᾱ)."""
        self._predicts = predicts

    def noised(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Return q(x_t | x_0) for this noise: Ho et al., equation 4."""
        signal, spread = self._parts(times, clean)
        return signal * clean + spread * noise

    def wanted(self, clean: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Return what the network is to predict."""
        if self._predicts == "noise":
            return noise
        signal, spread = self._parts(times, clean)
        return signal * noise - spread * clean

    def clean(self, said: Tensor, noisy: Tensor, times: Tensor) -> Tensor:
        """Return the clean picture that a prediction means, unlimited; undoes `wanted`."""
        signal, spread = self._parts(times, noisy)
        if self._predicts == "noise":
            return (noisy - spread * said) / signal
        return signal * noisy - spread * said

    def weights(self, times: Tensor, cap: float | None) -> Tensor:
        """Return (n,) float32: what the loss of a prediction at each time weighs.

        All clean pictures would weigh their signal-to-noise ratio; it is cut off at `cap` (Hang et
        al., section 3.4). None: every prediction weighs 1.
        """
        if cap is None:
            return torch.ones(len(times))
        kept = self.kept[times]
        ratio = kept / (1 - kept)
        measure = ratio if self._predicts == "noise" else ratio + 1
        return (ratio.clamp(max=cap) / measure).float()

    def times(self, first: Tensor, steps: int) -> Tensor:
        """Return (steps + 1, n): the way from the times `first` (n,) down to 0, evenly."""
        return (torch.linspace(1, 0, steps + 1)[:, None] * first).round().long()

    def walk(
        self, predict: Predict, noisy: Tensor, times: Tensor, *, eta: float, dice: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Go down the `times` (k + 1, n); yield k times what is left and the picture foreseen."""
        for before, after in pairwise(times):
            clean = self.clean(predict(noisy, before), noisy, before).clamp(-1, 1)
            noisy = self.back(clean, noisy, before, after, eta=eta, dice=dice)
            yield noisy, clean

    def back(
        self,
        clean: Tensor,
        noisy: Tensor,
        before: Tensor,
        after: Tensor,
        *,
        eta: float,
        dice: torch.Generator,
    ) -> Tensor:
        """Go from the times `before` down to `after`, were `clean` the picture.

        Song et al., equations 12 and 16: with `eta` 1 and single steps it is the posterior of Ho et
        al., equation 7.
        """
        _, spread = self._parts(before, noisy)
        signal, left = self._parts(after, noisy)
        kept = (self._share(before) / self._share(after)).to(noisy)
        fresh = eta * (1 - kept).clamp(min=0).sqrt() * left / spread.clamp(min=1e-6)
        noise = (noisy - self._parts(before, noisy)[0] * clean) / spread.clamp(min=1e-6)
        moved = signal * clean + (left.square() - fresh.square()).clamp(min=0).sqrt() * noise
        return moved + fresh * draws(noisy, dice) if eta else moved

    def fill(
        self,
        predict: Predict,
        pictures: Tensor,
        known: Tensor,
        times: Tensor,
        *,
        repeats: int,
        dice: torch.Generator,
    ) -> Tensor:
        """Draw what is not `known` (n, 1, s, s; 1 known, 0 not) of `pictures` to fit the rest.

        Lugmayr et al., algorithm 1: every step is gone `repeats` times, with noise put on between,
        so that both parts come to agree.
        """
        noisy = draws(pictures, dice)
        for before, after in pairwise(times):
            for i in reversed(range(repeats)):
                clean = self.clean(predict(noisy, before), noisy, before).clamp(-1, 1)
                drawn = self.back(clean, noisy, before, after, eta=1.0, dice=dice)
                given = self.noised(pictures, draws(pictures, dice), after)
                noisy = known * given + (1 - known) * drawn
                if i:
                    kept = (self._share(before) / self._share(after)).to(noisy)
                    noisy = kept.sqrt() * noisy + (1 - kept).sqrt() * draws(noisy, dice)
        return noisy

    def time_of(self, noise: Tensor) -> Tensor:
        """Return the times (n,) at which pictures carry noise of these deviations (n,), from 0 on.

        Such a picture, less the share of its variance that is gone by then, is one that this
        process has made noisy.
        """
        ratios = ((1 - self.kept) / self.kept).sqrt()
        return torch.searchsorted(ratios, noise.double().cpu()).clamp(max=len(ratios) - 1)

    def _share(self, times: Tensor) -> Tensor:
        return self.kept[times][:, None, None, None]

    def _parts(self, times: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """Factors of picture and noise at the times, as (n, 1, 1, 1)."""
        kept = self._share(times)
        return kept.sqrt().to(like), (1 - kept).sqrt().to(like)


def shares(schedule: Literal["cosine", "linear"], steps: int) -> Tensor:
    """Return (steps + 1,) float64, falling from 1: the share of a picture's variance that is left.

    linear: Ho et al., section 4. cosine: Nichol and Dhariwal, equation 17.
    """
    if schedule == "linear":
        added = torch.linspace(_FIRST, _LAST, steps, dtype=torch.float64)
    else:
        places = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
        wave = torch.cos((places + _OFFSET) / (1 + _OFFSET) * math.pi / 2).square()
        added = (1 - wave[1:] / wave[:-1]).clamp(max=_MOST)
    return torch.cat([torch.ones(1, dtype=torch.float64), (1 - added).cumprod(0)])


def guided(told: Told, kinds: Tensor, unknown: Tensor, guidance: float) -> Predict:
    """Return the prediction for pictures of `kinds` (n,), drawn away from that for the `unknown`.

    Ho and Salimans, arXiv 2207.12598, equation 6, with 1 + w as `guidance`: at 0 the classes do
    not count, at 1 they count as learnt.
    """

    def predict(noisy: Tensor, times: Tensor) -> Tensor:
        if guidance in (0, 1):
            return told(noisy, times, kinds if guidance else unknown)
        both = told(noisy.repeat(2, 1, 1, 1), times.repeat(2), torch.cat([unknown, kinds]))
        plain, pulled = both.chunk(2)
        return plain + guidance * (pulled - plain)

    return predict


def draws(like: Tensor, dice: torch.Generator) -> Tensor:
    """Return noise of that shape and place, the same on every device."""
    return torch.randn(like.shape, generator=dice).to(like)


def noise_level(pictures: Tensor) -> Tensor:
    """Return (n,): the standard deviation of the noise on pictures, as far as it can be seen.

    The median of a second difference in both directions, which edges move little: Immerkær, Fast
    Noise Variance Estimation, 1996, with the median in place of the mean.
    """
    line = torch.tensor([1.0, -2.0, 1.0], device=pictures.device)
    kernel = (line[:, None] * line).expand(pictures.shape[1], 1, 3, 3)
    rough = F.conv2d(pictures, kernel, groups=pictures.shape[1]).abs()
    return rough.flatten(1).median(dim=1).values / (6 * 0.6745)
