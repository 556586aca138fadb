"""Whether drawn pictures are copies of pictures that were learnt from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from changeling.measuring.neighbours import Features, nearest

Distances = NDArray[np.float64]


@dataclass(frozen=True)
class Memorising:
    """Drawn pictures beside kept ones, by how near the nearest learnt picture is."""

    copies: float
    """Share of the drawn pictures nearer to a learnt one than `threshold`, 0…1; about `expected`
    for a generator that draws new pictures."""
    expected: float
    """The same share of kept pictures, by choice of the threshold."""
    threshold: float
    """Distance of features below which kept pictures seldom come."""
    distance: float
    """Median distance of the drawn ones to the nearest learnt one, over that of the kept ones;
    1 for new pictures, near 0 for copies."""


def memorising(
    drawn: Features, learnt: Features, kept: Features, *, expected: float = 0.05
) -> Memorising:
    """Compare features (n, d) of drawn pictures with learnt (m, d) and kept, real ones (k, d).

    Kept pictures are as good as new and not copied, so how near they come to learnt ones says what
    is near: after Meehan, Chaudhuri and Dasgupta, "A non-parametric test to detect data-copying in
    generative models", AISTATS 2020. A generator that draws badly is far from everything, which
    hides copies among what it draws: look at `copies`, not at `distance` alone. ValueError for an
    empty set.
    """
    if not min(len(drawn), len(learnt), len(kept)):
        raise ValueError("memorising of an empty set")
    return by_distance(nearest(drawn, learnt), nearest(kept, learnt), expected=expected)


def by_distance(away: Distances, usual: Distances, *, expected: float = 0.05) -> Memorising:
    """The same from the distances of drawn (n,) and of kept (k,) pictures to the nearest learnt."""
    threshold = float(np.quantile(usual, expected))
    middle = max(float(np.median(usual)), 1e-12)
    return Memorising(
        copies=float((away < threshold).mean()),
        expected=float((usual < threshold).mean()),
        threshold=threshold,
        distance=float(np.median(away)) / middle,
    )
