"""Which metric thinks like people: rank correlations of figures of swaps with opinions of them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from changeling.measuring import Estimate, rank_correlation
from changeling.study.rating_questions import QUESTIONS
from changeling.study.results import CellResult

OVERALL = "overall"
"""The mean of all opinions from 1 to 5, as if it were one more question."""

Swap = tuple[str, str]
"""Names of a swap's cell and clip."""
Opinions = Mapping[Swap, float]
"""Mean answer to one question about each swap."""


@dataclass(frozen=True)
class Follows:
    """Whether a metric puts swaps into the order in which people put them."""

    metric: str
    question: str
    """A question's name, or OVERALL."""
    of: str
    """What is put in order: "clips", or "cells" by a metric that is not measured of clips."""
    count: int
    """How many."""
    rho: Estimate | None
    """Spearman's ρ. Its interval resamples performances, since the swaps of one that several cells
    made are alike; of a metric of whole cells it resamples cells. None: fewer than three, or all
    alike."""


def follows(cells: Sequence[CellResult], opinions: Mapping[str, Opinions]) -> Iterator[Follows]:
    """Yield how each metric of the cells goes with the opinions, by question and overall.

    Figures during training and those that are not finite are left out.
    """
    figures: dict[str, dict[Swap, list[float]]] = {}
    data = {cell.cell: cell.data for cell in cells}
    for cell in cells:
        for one in cell.measurements:
            if one.at is None and math.isfinite(one.value):
                of = figures.setdefault(one.metric, {})
                of.setdefault((cell.cell, one.clip), []).append(one.value)
    for metric in sorted(figures):
        means = {swap: float(np.mean(values)) for swap, values in figures[metric].items()}
        for question, opinion in [*opinions.items(), (OVERALL, _overall(opinions))]:
            yield _follow(metric, question, means, opinion, data)


def _follow(
    metric: str, question: str, means: Opinions, opinions: Opinions, data: Mapping[str, str]
) -> Follows:
    of = "clips"
    both = sorted(means.keys() & opinions.keys())
    if not both:
        of, opinions = "cells", _by_cell(opinions)
        both = sorted(means.keys() & opinions.keys())
    rho = rank_correlation(
        [means[swap] for swap in both],
        [opinions[swap] for swap in both],
        [f"{data[cell]} {clip}" if of == "clips" else cell for cell, clip in both],
    )
    return Follows(metric, question, of, len(both), rho)


def _overall(opinions: Mapping[str, Opinions]) -> Opinions:
    """The mean of the opinions of each swap about which anybody was asked all of them."""
    scales = [opinions[one.name] for one in QUESTIONS if one.scale and one.name in opinions]
    swaps = {swap for one in scales for swap in one if all(swap in other for other in scales)}
    return {swap: float(np.mean([one[swap] for one in scales])) for swap in swaps}


def _by_cell(opinions: Opinions) -> Opinions:
    """The mean opinion of each cell, under the clip "", as figures of whole cells are."""
    cells: dict[Swap, list[float]] = {}
    for (cell, _), value in opinions.items():
        cells.setdefault((cell, ""), []).append(value)
    return {swap: float(np.mean(values)) for swap, values in cells.items()}
