"""Structural similarity inside a mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.measuring.mse import Area, Picture, unit

_SIDE = 11
_SIGMA = 1.5
_LUMINANCE = 0.01**2
_CONTRAST = 0.03**2


def ssim(image: Picture, truth: Picture, mask: Area = None) -> float:
    """Mean over the mask's pixels and the channels of the SSIM map; 1 for equal pictures.

    Wang, Bovik, Sheikh and Simoncelli 2004, "Image quality assessment: from error visibility to
    structural similarity", equation 13, with Gaussian windows of 11 × 11 pixels, σ 1.5, on 0…1. A
    window counts only the pixels inside the mask, so what lies outside never matters; without a
    mask the value is that of torchmetrics. ValueError when the mask is empty.
    """
    if mask is None:
        mask = np.ones(image.shape[:2], np.bool_)
    if not mask.any():
        raise ValueError("the mean over an empty mask")
    part = _around(mask)
    similar = _map(unit(image[part]), unit(truth[part]), mask[part].astype(np.float64))
    return float(similar[mask[part]].mean())


def _map(
    one: NDArray[np.float64], two: NDArray[np.float64], inside: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(h, w, 3): the similarity of the two windows about each pixel; rubbish outside the mask."""
    weight = np.maximum(_window(inside), 1e-12)[..., None]

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return _window(values * inside[..., None]) / weight

    first, second = mean(one), mean(two)
    first_spread = np.maximum(mean(one * one) - first**2, 0)
    second_spread = np.maximum(mean(two * two) - second**2, 0)
    together = mean(one * two) - first * second
    luminance = (2 * first * second + _LUMINANCE) / (first**2 + second**2 + _LUMINANCE)
    structure = (2 * together + _CONTRAST) / (first_spread + second_spread + _CONTRAST)
    return luminance * structure


def _window(values: NDArray[np.float64]) -> NDArray[np.float64]:
    blurred = cv2.GaussianBlur(values, (_SIDE, _SIDE), _SIGMA, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float64)


def _around(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The mask's rows and columns, with a margin that no window leaves unless the picture ends."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(max(rows[0] - _SIDE, 0), rows[-1] + _SIDE + 1), slice(
        max(columns[0] - _SIDE, 0), columns[-1] + _SIDE + 1
    )
