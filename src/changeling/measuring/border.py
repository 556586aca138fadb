"""How visible the border of a pasted face is by its colours."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.measuring.mse import Picture, unit

_WIDTH = 3
"""Pixels of the rings on either side of the border."""
_FULL, _NONE = 0.9, 0.1
"""At and above, or at and below, this share of the pasted face, a pixel is inside or outside."""


@dataclass(frozen=True)
class Border:
    """Mean CIE 1976 colour difference ΔE*ab across the border; about 2 is just noticed."""

    swap: float
    """In the finished frame."""
    source: float
    """In the same places of the performance: the edge of a face has colours of its own."""

    @property
    def excess(self) -> float:
        """What the swap adds; 0 for a border that is as the performance's, and may be below it."""
        return self.swap - self.source


def border(swap: Picture, source: Picture, area: NDArray[np.floating]) -> Border:
    """Compare both sides of the border of `area` (h, w), 0…1, the share of the pasted face.

    Each pixel of a ring of 3 inside is compared with the nearest of such a ring outside, each as
    the mean of its ring about it, which takes the skin's grain away; between the rings lies what is
    blended. ΔE: ISO/CIE 11664-4, D65. Compare frames of one size only. ValueError for an area
    without a border: it is empty, fills the frame or is blended everywhere.
    """
    if not has_border(area):
        raise ValueError("the border of an area that has none")
    inner, outer = _rings(area)
    found = [_across(picture, inner, outer) for picture in (swap, source)]
    return Border(*found)


def has_border(area: NDArray[np.floating]) -> bool:
    """Whether an area (h, w), 0…1, has a border that can be measured."""
    inner, outer = _rings(area)
    return bool(inner.any() and outer.any())


def _rings(area: NDArray[np.floating]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    inside, outside = (area >= _FULL).astype(np.uint8), (area <= _NONE).astype(np.uint8)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _WIDTH + 1,) * 2)
    grown, shrunk = (
        cv2.morphologyEx(part, kind, kernel, borderType=cv2.BORDER_REPLICATE)
        for part, kind in ((1 - outside, cv2.MORPH_DILATE), (inside, cv2.MORPH_ERODE))
    )
    return (inside > shrunk), (outside & grown) > 0


def _across(picture: Picture, inner: NDArray[np.bool_], outer: NDArray[np.bool_]) -> float:
    near, far = (_means(picture, ring) for ring in (inner, outer))
    away = np.where(outer, 0, 255).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(
        away, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(labels.max()) + 1, 3), np.float32)
    colours[labels[outer]] = far[outer]
    return float(np.linalg.norm(near[inner] - colours[labels[inner]], axis=1).mean())


def _means(picture: Picture, ring: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(h, w, 3) CIE L*a*b*: the ring's mean colour about each of its pixels."""
    weight = ring.astype(np.float32)
    sums = cv2.GaussianBlur(unit(picture).astype(np.float32) * weight[..., None], (0, 0), _WIDTH)
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), _WIDTH), 1e-6)
    return np.asarray(cv2.cvtColor(sums / share[..., None], cv2.COLOR_RGB2LAB), np.float32)
