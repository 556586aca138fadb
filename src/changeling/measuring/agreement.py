"""How far people who rate the same things agree: Krippendorff's α."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Level = Literal["nominal", "ordinal", "interval"]
"""What answers tell: which of several, which of a ranking, or how much."""


def krippendorff_alpha(answers: NDArray[np.float64], level: Level) -> float | None:
    """Return α: 1 for perfect agreement, about 0 for chance, below 0 for systematic disagreement.

    `answers`: (raters, things), NaN where one is missing; things with fewer than two answers are
    left out. None when nobody answered about the same thing as another, or when all answers are
    alike, which tells nothing of agreement. After Krippendorff, Computing Krippendorff's
    Alpha-Reliability (2011), its general form: α = 1 − Dₒ/Dₑ from the coincidences of values.
    """
    values = np.unique(answers[~np.isnan(answers)])
    given = (answers[..., None] == values).sum(0)
    given = given[given.sum(1) >= 2].astype(np.float64)
    others = given.sum(1) - 1
    # Ordered pairs of answers to one thing, weighted so that each answer counts once.
    pairs = np.einsum("uc,uk,u->ck", given, given, 1 / others) - np.diag(given.T @ (1 / others))
    totals = pairs.sum(0)
    apart = _distances(values, totals, level)
    expected = float(totals @ apart @ totals)
    if expected == 0:
        return None
    return 1 - float((totals.sum() - 1) * (pairs * apart).sum() / expected)


def _distances(
    values: NDArray[np.float64], totals: NDArray[np.float64], level: Level
) -> NDArray[np.float64]:
    """(values, values): squared differences, as `level` understands them."""
    if level == "nominal":
        return 1 - np.eye(len(values))
    # The rank of a value is the middle of the answers that gave it.
    places = values if level == "interval" else np.cumsum(totals) - totals / 2
    return np.asarray((places[:, None] - places) ** 2)
