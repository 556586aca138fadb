"""A number with an interval: the bootstrap over clips, since frames of one clip are alike."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

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
    """Where the statistic lies with 95 %; both `value` with fewer than two clips, which tell
    nothing of chance."""
    clips: int
    """Clips resampled, or pictures of a set."""

    def within(self, lowest: float, highest: float) -> "Estimate":
        """The same with no more in its interval than there can be."""
        return replace(self, low=max(self.low, lowest), high=min(self.high, highest))

    def apart(self, other: "Estimate") -> bool:
        """Whether the two intervals do not touch."""
        return self.low > other.high or self.high < other.low


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
    """Return `statistic` of `values` and its 95 % interval over resampled clips.

    `clips` says of each value which clip it is of: whole clips are drawn with replacement, as many
    as there are, since frames of one clip are alike (the cluster bootstrap: Davison & Hinkley,
    Bootstrap Methods and their Application, 1997, section 3.8). Percentiles of few clips are too
    near to each other, so they are moved apart as Student's distribution asks (Hesterberg, "What
    teachers should know about the bootstrap", The American Statistician 2015, section 5.3, there
    by other percentiles, which two clips do not have). Raises ValueError for no values.
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
    low, high = value + _widened(len(names)) * (np.percentile(drawn, (2.5, 97.5)) - value)
    return Estimate(value, float(low), float(high), len(names))


def scattered(
    figures: Callable[[NDArray[np.int64]], Mapping[str, float]],
    count: int,
    *,
    draws: int = 50,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Return named `figures` of a set of `count` pictures with 95 % intervals, by resampling them.

    `figures(rows)` computes them of the pictures in these rows (m,). The intervals are 1.96
    standard deviations of the bootstrap on either side of the figure (Davison & Hinkley, section
    5.2). Percentiles would lie beside it: a picture that is drawn twice is its own neighbour, which
    moves distances of sets and what is made of neighbours all in one way.
    """
    random = np.random.default_rng(seed)
    values = figures(np.arange(count))
    drawn = [figures(random.integers(count, size=count)) for _ in range(draws)]
    reach = {
        name: NormalDist().inv_cdf(0.975) * float(np.std([one[name] for one in drawn], ddof=1))
        for name in values
    }
    return {
        name: Estimate(value, value - reach[name], value + reach[name], count)
        for name, value in values.items()
    }


def _widened(clips: int) -> float:
    """By how much percentiles of a mean of so many clips are too near: 9.2 for two, 1.1 for 20.

    Student's 97.5 % quantile over the normal one's, and the variance of a sample, which is too
    small. The quantile by Cornish and Fisher's expansion (Abramowitz & Stegun 26.7.5), which is
    right to 1 % from three degrees of freedom on; below, by what it is.
    """
    degrees, z = clips - 1, NormalDist().inv_cdf(0.975)
    if degrees < 3:
        student = {1: math.tan(0.475 * math.pi), 2: 0.95 * math.sqrt(2 / (1 - 0.95**2))}[degrees]
    else:
        terms = (
            z,
            (z**3 + z) / 4,
            (5 * z**5 + 16 * z**3 + 3 * z) / 96,
            (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        )
        student = sum(term / degrees**power for power, term in enumerate(terms))
    return student / z * math.sqrt(clips / degrees)
