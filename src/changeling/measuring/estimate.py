"""A number with an interval: the bootstrap over clips, since frames of one clip are alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
"""(n,): one figure of each frame, face or pair."""
Statistic = Callable[[Values], float]
"""What is told of figures, such as their mean."""


@dataclass(frozen=True)
class Estimate:
    """A statistic and the interval in which it lies."""

    value: float
    low: float
    high: float
    """Percentiles 2.5 and 97.5 of the resampled statistic; both `value` with fewer than two
    clips, which tell nothing of chance."""
    clips: int
    """Clips resampled."""


def _mean(values: Values) -> float:
    return float(values.mean())


def estimate(
    values: Sequence[float] | Values,
    clips: Sequence[str],
    *,
    statistic: Statistic = _mean,
    draws: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Return `statistic` of `values` and its percentile interval over resampled clips.

    `clips` says of each value which clip it is of: whole clips are drawn with replacement, as many
    as there are, since frames of one clip are alike (the cluster bootstrap: Davison & Hinkley,
    Bootstrap Methods and their Application, 1997, section 3.8). Raises ValueError for no values.
    """
    figures = np.asarray(values, np.float64)
    if not len(figures) or len(figures) != len(clips):
        raise ValueError(f"{len(figures)} values of {len(clips)} clips")
    names, owners = np.unique(np.asarray(clips, np.str_), return_inverse=True)
    value = statistic(figures)
    if len(names) < 2:
        return Estimate(value, value, value, len(names))
    groups = [figures[owners == index] for index in range(len(names))]
    random = np.random.default_rng(seed)
    drawn = [
        statistic(np.concatenate([groups[index] for index in picks]))
        for picks in random.integers(len(names), size=(draws, len(names)))
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Estimate(value, float(low), float(high), len(names))
