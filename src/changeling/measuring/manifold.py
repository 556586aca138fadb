"""How much of a set of pictures is like the real ones, and how much of the real ones it shows.

On features of the project's own networks, as `frechet` does: figures of two networks do not
compare.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from changeling.measuring.neighbours import Features, distances, reaches


@dataclass(frozen=True)
class Manifold:
    """Drawn pictures beside real ones; two samples of the same have about 1, 1, 1, 1."""

    precision: float
    """Share of the drawn that are as near to a real one as its neighbours, 0…1: quality."""
    recall: float
    """Share of the real that are as near to a drawn one as its neighbours, 0…1: variety."""
    density: float
    """In how many real ones' neighbourhoods a drawn one is, over the neighbours, 0 and above:
    quality that a single odd real picture does not raise."""
    coverage: float
    """Share of the real ones with a drawn one in their neighbourhood, 0…1: variety that odd drawn
    pictures do not raise."""


def manifold(real: Features, drawn: Features, *, neighbours: int = 3, wider: int = 5) -> Manifold:
    """Compare features (n, d) and (m, d); n and m above the neighbours.

    Precision and recall: Kynkäänniemi et al., "Improved precision and recall metric for assessing
    generative models", NeurIPS 2019, equations 1 and 2, a neighbourhood reaching to the picture's
    `neighbours`-th (the paper's 3). Density and coverage: Naeem et al., "Reliable fidelity and
    diversity metrics for generative models", ICML 2020, equations 3 and 4, with the `wider` (the
    paper's 5), the neighbour itself outside as in the authors' code, so that a set has density 1 to
    itself. Few pictures have wide neighbourhoods: compare sets of equal size only.
    ValueError for sets that are too small.
    """
    least = max(neighbours, wider)
    if min(len(real), len(drawn)) <= least:
        raise ValueError(f"{min(len(real), len(drawn))} pictures have no {least} neighbours")
    reach = reaches(real, (neighbours, wider))
    within, inside, covered = _counts(real, drawn, reach)
    recalled, _, _ = _counts(drawn, real, reaches(drawn, (neighbours, wider)))
    return Manifold(
        precision=float((within > 0).mean()),
        recall=float((recalled > 0).mean()),
        density=float(inside.mean() / wider),
        coverage=float(covered.mean()),
    )


def _counts(
    around: Features, asked: Features, reach: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """In how many narrow and wide neighbourhoods each asked one is, and which wide ones have one.

    (m,), (m,) and (n,).
    """
    narrow, wide = [], []
    covered = np.zeros(len(around), np.bool_)
    for rows in distances(asked, around):
        narrow.append((rows <= reach[0]).sum(1))
        near = rows < reach[1]
        wide.append(near.sum(1))
        covered |= near.any(0)
    return np.concatenate(narrow), np.concatenate(wide), covered
