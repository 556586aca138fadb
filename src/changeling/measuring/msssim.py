"""Structural similarity on several scales inside a mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.measuring.mse import Area, Picture, unit
from changeling.measuring.ssim import SIDE, similarities

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales, the finest first."""

_RIM = SIDE // 2


def msssim(image: Picture, truth: Picture, mask: Area = None) -> float:
    """MS-SSIM of two pictures (h, w, 3); 1 for equal ones, 0…1.

    Wang, Simoncelli and Bovik 2003, "Multiscale structural similarity for image quality
    assessment", equation 7: contrast and structure are compared on every scale, luminance on the
    last; a scale has half the side of the one before. There are as many of the five scales as leave
    at least a window of 11 pixels of the shorter side: 4 at 128 pixels, 3 at 64. Their weights are
    the first of the paper's, divided by their sum. Contrast counts where a whole window is in the
    picture, and what is below 0 counts as 0. A mask is halved along with the pictures and weights
    what is left, so what lies outside never matters; without a mask the value is that of
    torchmetrics. ValueError when the mask holds no whole window, and below 11 pixels.
    """
    one, two = unit(image), unit(truth)
    inside = np.ones(one.shape[:2]) if mask is None else mask.astype(np.float64)
    weights = np.array(WEIGHTS[: _scales(min(one.shape[:2]))])
    found = []
    for scale in range(len(weights)):
        if scale:
            one, two, inside = _halved(one, two, inside)
        luminance, structure = similarities(one, two, inside)
        if scale == len(weights) - 1:
            found.append(_mean(luminance * structure, inside))
        else:
            whole = slice(_RIM, -_RIM)
            found.append(_mean(structure[whole, whole], inside[whole, whole]))
    return float(np.prod(np.maximum(found, 0) ** (weights / weights.sum())))


def _scales(side: int) -> int:
    if side < SIDE:
        raise ValueError(f"MS-SSIM of a side of {side} pixels, less than a window of {SIDE}")
    return min(len(WEIGHTS), int(np.log2(side / SIDE)) + 1)


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    total = weights.sum()
    if not total:
        raise ValueError("the mean over an empty mask")
    return float((values.mean(2) * weights).sum() / total)


def _halved(
    one: NDArray[np.float64], two: NDArray[np.float64], inside: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Means over 2 × 2 pixels, those of the pictures over what is inside the mask alone."""
    weight = _blocks(inside)
    share = np.maximum(weight, 1e-12)[..., None]
    first, second = (_blocks(picture * inside[..., None]) / share for picture in (one, two))
    return first, second, weight


def _blocks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = values.shape[0] // 2, values.shape[1] // 2
    even = values[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.float64)
