"""The true answer rendered again with one factor moved at a time, for the split of an error."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from changeling.actors import (
    Actor,
    Blend,
    Factor,
    Performance,
    at_rest,
    averaged,
    moved,
    render,
)
from changeling.faces import align, crop
from changeling.media import Pixels

STEPS = (0.125, 0.25, 0.5, 1.0)
"""Shares of the way to each goal: pictures do not change evenly, so several are taken."""
STRANGERS = tuple(range(10_000, 10_100))
"""Seeds of the faces whose mean is the average person's, towards whom a swap may fall back."""
IDENTITY = "identity"


@dataclass(frozen=True, eq=False)
class Swapping:
    """A swap of actors of whom all is known."""

    source: Actor
    """A, who performs."""
    target: Actor
    """B, whose face is put in."""
    performance: Performance
    """What A performs."""
    trained: Sequence[Performance]
    """What B performed for training."""

    @property
    def truth(self) -> Actor:
        """B's face under A's styling."""
        return Actor(self.target.face, self.source.styling)

    def wrong(self, factor: str, goal: int, share: float) -> tuple[Actor | Blend, Performance]:
        """Who performs what when one factor is `share` of the way to its first or second goal."""
        if factor == IDENTITY:
            towards = ((self.source.face,), STRANGERS)[goal]
            return Blend(self.truth, towards, share), self.performance
        rest_or_mean = (at_rest(self.performance), averaged(self.trained))[goal]
        return self.truth, moved(self.performance, Factor[factor.upper()], rest_or_mean, share)


FACTORS = (IDENTITY, *(factor.name.lower() for factor in Factor))
"""Identity goes towards A and towards the average person; expression, pose and light towards rest
and towards the mean of what B performed for training."""


@dataclass(frozen=True, eq=False)
class Crops:
    """Rendered faces, aligned by their true landmarks."""

    pictures: Pixels
    """(n, side, side, 3)."""
    inner: NDArray[np.bool_]
    """(n, side, side): the inner faces."""


def rendered_faces(
    who: Actor | Blend,
    performance: Performance,
    frames: Sequence[int],
    *,
    side: int = 64,
    coarse: bool = False,
) -> Crops:
    """Render some frames of a performance and crop the faces."""
    size = (4 * side, 4 * side)
    crops, inner = [], []
    for shot in render(who, performance, size=size, frames=frames, coarse=coarse):
        matrix = align(shot.truth.landmarks)
        crops.append(crop(shot.frame.pixels, matrix, side))
        inner.append(crop(shot.truth.inner_face.astype(np.uint8) * 255, matrix, side) > 127)
    return Crops(np.stack(crops), np.stack(inner))


def perturbed(
    swapping: Swapping, frames: Sequence[int], *, side: int = 64
) -> Mapping[str, NDArray[np.float32]]:
    """For each factor what a picture 0…1 gains when it moves, (goals × steps, n, side, side, 3).

    The `directions` of `split`. Takes a second or so for each frame: it renders each 32 times.
    """
    true = rendered_faces(
        swapping.truth, swapping.performance, frames, side=side, coarse=True
    ).pictures
    return {factor: np.stack(list(_gains(swapping, factor, frames, true))) for factor in FACTORS}


def _gains(
    swapping: Swapping, factor: str, frames: Sequence[int], true: Pixels
) -> Iterator[NDArray[np.float32]]:
    for goal in range(2):
        for step in STEPS:
            who, performance = swapping.wrong(factor, goal, step)
            side = true.shape[1]
            shown = rendered_faces(who, performance, frames, side=side, coarse=True).pictures
            yield (shown.astype(np.float32) - true) / np.float32(255)
