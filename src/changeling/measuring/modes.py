"""How many kinds of pictures are drawn, and in how many of them too few or too many."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from changeling.measuring.neighbours import Features, distances

_STARTS, _STEPS = 8, 100
"""Runs of k-means, and rounds of each at the most."""
_SURE = 1.959964
"""Deviations of a normal distribution that 5 % exceed on either side."""

Kinds = NDArray[np.integer]
"""(n,): which of so many kinds each picture is of, from 0."""


@dataclass(frozen=True)
class Modes:
    """Drawn pictures beside real ones, kind by kind."""

    kinds: int
    """Kinds that real pictures have."""
    covered: int
    """Kinds of which at least one is drawn."""
    different: int
    """Kinds drawn more or less often than they really are, beyond chance; of two samples of the
    same one in twenty is, by mistake."""


def modes(real: Kinds, drawn: Kinds) -> Modes:
    """Compare the kinds of real (n,) and drawn (m,) pictures; ValueError for an empty set.

    Kinds that are covered: Metz et al., "Unrolled generative adversarial networks", ICLR 2017,
    section 3.3.1. Kinds that differ: the test of two proportions at 5 % by Richardson and Weiss,
    "On GANs and GMMs", NeurIPS 2018, section 3, whose NDB / K is `different` / `kinds`.
    """
    if not min(len(real), len(drawn)):
        raise ValueError("the modes of an empty set")
    count = int(max(real.max(), drawn.max())) + 1
    true, fake = (np.bincount(kinds, minlength=count) for kinds in (real, drawn))
    shares = true / len(real), fake / len(drawn)
    pooled = (true + fake) / (len(real) + len(drawn))
    spread = np.sqrt(pooled * (1 - pooled)) * sqrt(1 / len(real) + 1 / len(drawn))
    return Modes(
        kinds=int((true > 0).sum()),
        covered=int(((true > 0) & (fake > 0)).sum()),
        different=int((np.abs(shares[0] - shares[1]) > _SURE * spread).sum()),
    )


def clusters(features: Features, count: int, *, seed: int = 0) -> NDArray[np.float64]:
    """(count, d): centres of features (n, d) by k-means, the kinds where pictures have none.

    The best of some runs of Lloyd's algorithm from the start of Arthur and Vassilvitskii,
    "k-means++", SODA 2007. ValueError for fewer features than centres.
    """
    if len(features) < count:
        raise ValueError(f"{count} clusters of {len(features)} pictures")
    random = np.random.default_rng(seed)
    points = features.astype(np.float64)
    found = [_settled(points, _spread_out(points, count, random)) for _ in range(_STARTS)]
    return min(found, key=lambda centres: _away(points, centres))


def kinds_of(features: Features, centres: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n,): the nearest of the centres (k, d) to each of (n, d)."""
    return np.concatenate([rows.argmin(1) for rows in distances(features, centres)])


def _settled(points: NDArray[np.float64], centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """The centres, moved to the means of what is nearest to them until nothing changes."""
    before: NDArray[np.int64] | None = None
    for _ in range(_STEPS):
        kinds = kinds_of(points, centres)
        if before is not None and np.array_equal(kinds, before):
            break
        for kind in np.unique(kinds):
            centres[kind] = points[kinds == kind].mean(0)
        before = kinds
    return centres


def _away(points: NDArray[np.float64], centres: NDArray[np.float64]) -> float:
    return sum(float(rows.min(1).sum()) for rows in distances(points, centres))


def _spread_out(
    points: NDArray[np.float64], count: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Points (count, d), each drawn with the square of its distance to those before."""
    chosen = [int(random.integers(len(points)))]
    away = np.full(len(points), np.inf)
    while len(chosen) < count:
        away = np.minimum(away, np.square(points - points[chosen[-1]]).sum(1))
        total = away.sum()
        share = away / total if total else None
        chosen.append(int(random.choice(len(points), p=share)))
    return points[chosen].copy()
