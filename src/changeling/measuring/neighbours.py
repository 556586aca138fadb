"""Distances between the features of pictures, a block at a time."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]
"""(n, d)."""

_ROWS = 1000
"""Rows of distances that are computed together: bounds the memory."""


def distances(one: Features, other: Features) -> Iterator[NDArray[np.float64]]:
    """Squared Euclidean distances of features (n, d) and (m, d), some rows (r, m) at a time."""
    y = other.astype(np.float64)
    squares = np.square(y).sum(1)
    for start in range(0, len(one), _ROWS):
        x = one[start : start + _ROWS].astype(np.float64)
        yield np.asarray((np.square(x).sum(1)[:, None] + squares - 2 * x @ y.T).clip(0))


def reaches(features: Features, neighbours: Sequence[int]) -> NDArray[np.float64]:
    """(k, n): the squared distance of each of (n, d) to its nearest, second nearest, … neighbour.

    `neighbours` says which k; the set must hold more.
    """
    found, start = [], 0
    for rows in distances(features, features):
        # Its own distance, which rounding may make other than 0, must be the smallest.
        rows[np.arange(len(rows)), start + np.arange(len(rows))] = -1
        found.append(np.partition(rows, neighbours, axis=1)[:, list(neighbours)])
        start += len(rows)
    return np.concatenate(found).T


def nearest(asked: Features, among: Features) -> NDArray[np.float64]:
    """(n,): the distance of each of (n, d) to the nearest of (m, d)."""
    return np.sqrt(np.concatenate([rows.min(1) for rows in distances(asked, among)]))
