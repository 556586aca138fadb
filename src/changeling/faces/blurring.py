"""Wide blurs made quickly."""

from math import log2, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

_FINEST = 2.2
"""Pixels of deviation that a blur keeps when its picture is made smaller."""


def blurred(picture: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """A picture (h, w) or (h, w, c) under a Gaussian of `sigma` pixels, its edges mirrored.

    A wide one is reckoned on the picture made smaller, by halves, which nobody can tell: a pixel
    of s makes the same blur wider by s² / 12, and its interpolation by s² / 6.
    """
    height, width = picture.shape[:2]
    smaller = 2 ** int(max(0.0, log2(sigma / _FINEST)))
    while min(height, width) < 4 * smaller and smaller > 1:
        smaller //= 2
    if smaller == 1:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    size = (-(-width // smaller), -(-height // smaller))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    left = sqrt(sigma**2 - smaller**2 / 4) / smaller
    # Mirrored at its border, which is where the mirror of the larger picture's pixels lies.
    soft = cv2.GaussianBlur(small, (0, 0), left, borderType=cv2.BORDER_REFLECT)
    out = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(out, np.float32)
