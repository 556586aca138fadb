"""Structural similarity inside a mask."""

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.measuring.mse import Area, Picture, unit

SIDE = 11
"""Pixels of a window."""
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
    inside = mask[part].astype(np.float64)
    luminance, structure = similarities(unit(image[part]), unit(truth[part]), inside)
    return float((luminance * structure)[mask[part]].mean())


def similarities(
    one: NDArray[np.float64], two: NDArray[np.float64], inside: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How alike the two windows about each pixel are in luminance, and in contrast and structure.

    (h, w, 3) each, of pictures (h, w, 3), 0…1; `inside` (h, w), 0…1, weights the pixels of a
    window. Rubbish where no pixel of the window counts. Their product is the SSIM map.
    """
    weight = np.maximum(_window(inside), 1e-12)[..., None]
    x, y = one * inside[..., None], two * inside[..., None]
    first, second = _window(x) / weight, _window(y) / weight
    squares, product = first**2 + second**2, first * second
    spreads = np.maximum(_window(x * one + y * two) / weight - squares, 0)
    together = _window(x * two) / weight - product
    luminance = (2 * product + _LUMINANCE) / (squares + _LUMINANCE)
    structure = (2 * together + _CONTRAST) / (spreads + _CONTRAST)
    return luminance, structure


def _window(values: NDArray[np.float64]) -> NDArray[np.float64]:
    blurred = cv2.GaussianBlur(values, (SIDE, SIDE), _SIGMA, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float64)


def _around(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The mask's rows and columns, with a margin that no window leaves unless the picture ends."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return slice(max(rows[0] - SIDE, 0), rows[-1] + SIDE + 1), slice(
        max(columns[0] - SIDE, 0), columns[-1] + SIDE + 1
    )
