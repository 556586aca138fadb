"""What a swap's error consists of: identity, expression, pose and light, and what none explains."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

Pictures = NDArray[np.floating]
"""(n, s, s, 3): one for each frame."""
Masks = NDArray[np.bool_]
"""(n, s, s): where the error is judged."""
Matrix = NDArray[np.float64]

_FINE = 1 / 48
"""Deviation of the Gaussian, in sides of a picture."""


@dataclass(frozen=True)
class Split:
    """The shares of an error's energy, the sum of its squares over all frames; they sum to 1."""

    shares: tuple[tuple[str, float], ...]
    """Factor, share: what it explains together with the others. All 0 without an error. A share
    can be a little below 0 where two factors take each other's part."""
    remainder: float
    """What no factor explains: blur, noise, seams, and all that moves but not towards any goal."""
    alone: tuple[tuple[str, float], ...]
    """Factor, share: what it would explain if there were no other. Where much is `alone` and little
    in `shares`, the picture does not tell the factors apart."""
    alike: tuple[tuple[str, str, float], ...]
    """Two factors and the largest cosine between a direction of the one and one of the other, over
    all frames: 0 for factors that are surely told apart, 1 for the same."""
    fine: float
    """The share of the error's energy that is too fine to be split, and is left out before."""


def split(
    residual: Pictures, directions: Mapping[str, NDArray[np.floating]], inside: Masks
) -> Split:
    """Split a residual (swap - truth) by the directions of each factor, (k, n, s, s, 3).

    Pictures are smoothed inside the mask first, by a Gaussian of a 48th of their side: an edge that
    moves by less changes a smooth picture by as much as it moves, which is what sums of directions
    can follow. In each frame the residual is then the nearest sum of directions, none taken
    backwards (non-negative least squares, Lawson and Hanson, Solving Least Squares Problems, 1974,
    chapter 23), and what is left. The share of a factor is the product of its part with the
    residual over the residual's square: such shares add up whatever the angles between the parts
    (Pratt, "Dividing the indivisible", 1987). A factor may have several directions, towards several
    goals or for steps of several lengths, since pictures do not change evenly; its part is their
    sum. ValueError for an empty mask and for no directions.
    """
    if not directions or not inside.reshape(len(inside), -1).any(1).all():
        raise ValueError("a split needs directions, and a mask that is not empty")
    names = tuple(directions)
    owners = np.concatenate([[k] * len(directions[name]) for k, name in enumerate(names)])
    every = np.concatenate([directions[name] for name in names])
    total, grams = 0.0, np.zeros((len(every), len(every)))
    parts, alone = np.zeros(len(names)), np.zeros(len(names))
    for frame, mask in enumerate(inside):
        error = _smooth(residual[frame], mask)
        columns = np.stack([_smooth(direction, mask) for direction in every[:, frame]])
        gram, aims = columns @ columns.T, columns @ error
        total += float(error @ error)
        grams += gram
        parts += np.bincount(owners, nonnegative(gram, aims) * aims, minlength=len(names))
        alone += [_explained(gram, aims, owners == k) for k in range(len(names))]
    whole = float(np.square(residual[inside], dtype=np.float64).sum())
    scale = 1 / total if total else 0.0
    shares = parts * scale
    return Split(
        shares=tuple(zip(names, map(float, shares), strict=True)),
        remainder=float(1 - shares.sum()) if total else 0.0,
        alone=tuple(zip(names, map(float, alone * scale), strict=True)),
        alike=tuple(_alike(grams, owners, names)),
        fine=float(1 - total / whole) if whole else 0.0,
    )


def _explained(gram: Matrix, aims: Matrix, own: NDArray[np.bool_]) -> float:
    """The energy that some of the directions explain by themselves."""
    return float(nonnegative(gram[np.ix_(own, own)], aims[own]) @ aims[own])


def nonnegative(gram: Matrix, aims: Matrix) -> NDArray[np.float64]:
    """(k,) weights x ≥ 0 that make x·gram·x / 2 - aims·x least, for gram (k, k) and aims (k,).

    Lawson and Hanson's active set, for few directions: of each new one, those that would be
    taken backwards are left out again.
    """
    weights, free = np.zeros(len(aims)), np.zeros(len(aims), np.bool_)
    least = 1e-10 * max(float(np.abs(aims).max()), 1e-300)
    for _ in range(10 * len(aims)):
        slope = np.where(free, -np.inf, aims - gram @ weights)
        if slope.max() <= least:
            break
        free[slope.argmax()] = True
        while (wanted := _solved(gram, aims, free))[free].min() <= 0:
            back = free & (wanted <= 0)
            step = (weights[back] / np.maximum(weights[back] - wanted[back], 1e-300)).min()
            weights = weights + step * (wanted - weights)
            free &= weights > 1e-12 * weights.max()
            if not free.any():
                break
        weights = np.where(free, wanted, 0.0)
    return weights


def _solved(gram: Matrix, aims: Matrix, free: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The weights without the bound, of the free directions alone."""
    out = np.zeros(len(aims))
    out[free] = np.linalg.lstsq(gram[np.ix_(free, free)], aims[free], rcond=1e-10)[0]
    return out


def _alike(
    gram: Matrix, owners: NDArray[np.int64], names: Sequence[str]
) -> Iterator[tuple[str, str, float]]:
    lengths = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    cosines = np.abs(gram / lengths / lengths[:, None])
    for i, j in combinations(range(len(names)), 2):
        yield names[i], names[j], float(cosines[np.ix_(owners == i, owners == j)].max())


def _smooth(picture: NDArray[np.floating], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(pixels × 3,) of the mask: the mean of what is inside it about each pixel."""
    inside, sigma = mask.astype(np.float64), _FINE * len(picture)
    sums = cv2.GaussianBlur(picture * inside[..., None], (0, 0), sigma)
    share = cv2.GaussianBlur(inside, (0, 0), sigma)
    return np.asarray(sums[mask] / share[mask][:, None], np.float64).ravel()
