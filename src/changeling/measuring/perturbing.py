"""The true answer rendered again with one factor moved at a time, for the split of an error."""

from collections.abc import Mapping, Sequence
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
from changeling.faces.alignment import Matrix
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
    """Rendered faces."""

    pictures: Pixels
    """(n, side, side, 3)."""
    matrices: tuple[Matrix, ...]
    """Of each frame the (2, 3) frame → unit crop by which it was cut out."""
    inner: NDArray[np.bool_]
    """(n, side, side): the inner faces."""


def rendered_faces(
    who: Actor | Blend,
    performance: Performance,
    frames: Sequence[int],
    *,
    side: int = 64,
    coarse: bool = False,
    where: Crops | None = None,
) -> Crops:
    """Render some frames of a performance and crop the faces.

    where: other faces of the same frames, whose places are cut out; None: each by its own true
    landmarks.
    """
    size = (4 * side, 4 * side)
    shots = list(render(who, performance, size=size, frames=frames, coarse=coarse))
    matrices = where.matrices if where else tuple(align(one.truth.landmarks) for one in shots)
    pairs = list(zip(shots, matrices, strict=True))
    inner = [crop(one.truth.inner_face.astype(np.uint8) * 255, at, side) for one, at in pairs]
    faces = [crop(one.frame.pixels, at, side) for one, at in pairs]
    return Crops(np.stack(faces), matrices, np.stack(inner) > 127)


def perturbed(
    swapping: Swapping, frames: Sequence[int], *, side: int = 64, steps: Sequence[float] = STEPS
) -> Mapping[str, NDArray[np.float32]]:
    """For each factor what a picture 0…1 gains when it moves, (goals × steps, n, side, side, 3).

    The `directions` of `split`, where the true faces are. It renders each frame 33 times.
    """
    asked = swapping.truth, swapping.performance
    true = rendered_faces(*asked, frames, side=side, coarse=True)
    ways = [(goal, step) for goal in range(2) for step in steps]
    return {
        factor: np.stack([_gain(true, *swapping.wrong(factor, *way), frames) for way in ways])
        for factor in FACTORS
    }


def _gain(
    true: Crops, who: Actor | Blend, performance: Performance, frames: Sequence[int]
) -> NDArray[np.float32]:
    side = true.pictures.shape[1]
    shown = rendered_faces(who, performance, frames, side=side, coarse=True, where=true)
    return (shown.pictures.astype(np.float32) - true.pictures) / np.float32(255)
