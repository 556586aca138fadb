"""How far two figures put things into the same order: Spearman's rank correlation."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from changeling.measuring.estimate import Estimate, Values, estimate

LEAST = 3
"""Fewer things have no order to speak of."""
_NOTHING = 1e-9
"""Spread of ranks that is rounding; real ones differ by a half at least."""


def spearman(one: Values, other: Values) -> float:
    """Return ρ from −1 to 1 of two figures (n,) of the same things, equal figures sharing a rank.

    0 where all of one side are equal, which is no order. After Spearman, The Proof and Measurement
    of Association between Two Things (1904): the correlation of the ranks.
    """
    return _correlation(_ranking(one), _ranking(other), np.ones(len(one)))


def rank_correlation(
    one: Sequence[float] | Values, other: Sequence[float] | Values, clips: Sequence[str]
) -> Estimate | None:
    """Return ρ with its interval over resampled clips (see `estimate`).

    `clips` says of each pair which clip it is of. None for fewer than three pairs and where all
    figures of one side are equal.
    """
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    count = len(first)
    if count < LEAST or np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    rankings = _ranking(first), _ranking(second)

    def of(rows: Values) -> float:
        drawn = np.bincount(rows.astype(np.int64), minlength=count).astype(np.float64)
        return _correlation(*rankings, drawn)

    return estimate(np.arange(count, dtype=np.float64), clips, statistic=of).within(-1, 1)


def _ranking(figures: Values) -> Values:
    """(n, n): times how often each thing is drawn, the rank of each less a half.

    So that ranks of a thousand resamples are products of one matrix, and none is sorted.
    """
    return (figures < figures[:, None]) + 0.5 * (figures == figures[:, None])


def _correlation(one: Values, other: Values, drawn: Values) -> float:
    """Pearson's, of the ranks of two sides among things that are `drawn` so often each."""
    first, second = (ranks - drawn @ ranks / drawn.sum() for ranks in (one @ drawn, other @ drawn))
    spread = float(drawn @ first**2) * float(drawn @ second**2)
    return float(drawn @ (first * second)) / sqrt(spread) if spread > _NOTHING else 0.0
