"""How far one set of pictures is from another, by their features: Fréchet and kernel distance.

The features are the project's own networks' (the classifier of FashionMNIST, the identity network
for faces), so the figures do not compare with published FID and KID. Compare only sets of equal
size: the Fréchet distance of few pictures is too large.
"""

from math import nan

import numpy as np
from numpy.typing import NDArray

_ROWS = 1000
"""Rows of the kernel's matrix that are computed together: bounds the memory."""

Features = NDArray[np.floating]


def frechet_distance(one: Features, other: Features) -> float:
    """The Fréchet distance of two Gaussians fitted to features (n, d) and (m, d); n, m ≥ 2.

    |μ₁ - μ₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½), 0 for equal sets: Heusel et al., "GANs trained by a two
    time-scale update rule converge to a local Nash equilibrium", NeurIPS 2017, equation 6. NaN
    where a feature is not finite.
    """
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return nan
    means, spreads = zip(*(_gaussian(features) for features in (one, other)), strict=True)
    root = _root(spreads[0])
    # C₁ C₂ has the eigenvalues of the symmetric C₁^½ C₂ C₁^½, of which rounding cannot make
    # complex numbers.
    shared = np.linalg.eigvalsh(root @ spreads[1] @ root)
    between = np.square(means[0] - means[1]).sum()
    within = spreads[0].trace() + spreads[1].trace() - 2 * np.sqrt(shared.clip(0)).sum()
    return max(0.0, float(between + within))


def kernel_distance(one: Features, other: Features) -> float:
    """The squared maximum mean discrepancy of features (n, d) and (m, d); n, m ≥ 2.

    With the kernel (x·y / d + 1)³ and the unbiased estimate, so that it is 0 on average, and often
    below, for two samples of the same: Bińkowski et al., "Demystifying MMD GANs", ICLR 2018,
    section 4. NaN where a feature is not finite.
    """
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        return nan
    x, y = (_checked(features) for features in (one, other))
    n, m = len(x), len(y)
    return float(
        (_kernel_sum(x, x) - _own(x)) / (n * (n - 1))
        + (_kernel_sum(y, y) - _own(y)) / (m * (m - 1))
        - 2 * _kernel_sum(x, y) / (n * m)
    )


def _checked(features: Features) -> NDArray[np.float64]:
    assert features.ndim == 2 and len(features) >= 2, f"no features (n ≥ 2, d): {features.shape}"
    return features.astype(np.float64)


def _gaussian(features: Features) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    checked = _checked(features)
    return checked.mean(0), np.atleast_2d(np.cov(checked, rowvar=False))


def _root(spread: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(spread)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def _kernel(products: NDArray[np.float64], d: int) -> NDArray[np.float64]:
    return np.asarray((products / d + 1) ** 3, np.float64)


def _kernel_sum(x: NDArray[np.float64], y: NDArray[np.float64]) -> np.float64:
    parts = [_kernel(x[i : i + _ROWS] @ y.T, x.shape[1]).sum() for i in range(0, len(x), _ROWS)]
    return np.float64(sum(parts))


def _own(x: NDArray[np.float64]) -> np.float64:
    """The kernel of each row with itself, which the unbiased estimate leaves out."""
    return np.float64(_kernel(np.square(x).sum(1), x.shape[1]).sum())
