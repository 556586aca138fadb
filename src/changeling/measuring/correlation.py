"""How far two figures put things into the same order: Spearman's rank correlation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from changeling.measuring.estimate import Estimate, Values, estimate

LEAST = 3
"""Fewer things have no order to speak of."""


def spearman(one: Values, other: Values) -> float:
    """Return ρ from −1 to 1 of two figures (n,) of the same things, equal figures sharing a rank.

    0 where all of one side are equal, which is no order. After Spearman, The Proof and Measurement
    of Association between Two Things (1904): the correlation of the ranks.
    """
    ranks = [_ranks(figures) - (len(figures) + 1) / 2 for figures in (one, other)]
    lengths = [float(np.linalg.norm(rank)) for rank in ranks]
    return float(ranks[0] @ ranks[1] / (lengths[0] * lengths[1])) if all(lengths) else 0.0


def rank_correlation(
    one: Sequence[float] | Values, other: Sequence[float] | Values, clips: Sequence[str]
) -> Estimate | None:
    """Return ρ with its interval over resampled clips (see `estimate`).

    `clips` says of each pair which clip it is of. None for fewer than three pairs and where all
    figures of one side are equal.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if len(first) < LEAST or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None

    def of(rows: Values) -> float:
        chosen = rows.astype(np.int64)
        return spearman(first[chosen], second[chosen])

    return estimate(np.arange(len(first), dtype=np.float64), clips, statistic=of)


def _ranks(figures: Values) -> NDArray[np.float64]:
    """1…n, equal figures sharing the mean of their ranks."""
    _, places, counts = np.unique(figures, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])
