"""The mask that hides a seam, and the two ways to blend a face into a frame."""

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.converting.colour import levels, unit
from changeling.media import Pixels

Mask = NDArray[np.float32]
"""(h, w), 0…1."""

Patch = NDArray[np.float32]
"""(h, w, 3), RGB, sRGB, 0…1."""

_RIM = 4


def feathered(mask: Mask, feather: float) -> Mask:
    """A crop's mask, softened by `feather`, a fraction of its side.

    The result is 0 on the crop's outermost pixels, so that the square is never seen. The mask's
    edge stays where it is: moved inwards it would leave a rim of the performer's skin, which
    costs up to 0.8 dB in place between a light and a dark one.
    """
    side = mask.shape[0]
    inside = mask
    if feather > 0:
        inside = cv2.GaussianBlur(mask, (0, 0), feather * side / 2, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(inside * _window(side, max(1.0, feather * side)), np.float32)


def _window(side: int, ramp: float) -> Mask:
    """1 in the middle of a square, falling to 0 at its outermost pixels over `ramp` pixels."""
    edge = np.minimum(np.arange(side), np.arange(side)[::-1])
    fall = np.clip(edge / ramp, 0, 1)
    fall = fall * fall * (3 - 2 * fall)
    return np.outer(fall, fall).astype(np.float32)


def alpha(frame: Patch, face: Patch, area: Mask) -> Patch:
    """The face over the frame, weighted by the area."""
    return frame + area[..., None] * (face - frame)


def poisson(frame: Patch, face: Patch, area: Mask) -> Patch:
    """The face's gradients inside the area's support, the frame's colours on its boundary.

    Pérez, Gangnet and Blake 2003, "Poisson image editing", equation 4, by OpenCV; the result then
    fades with the area. Falls back to `alpha` where the area is too small to have an inside.
    """
    support = _rimmed((area > 0).astype(np.uint8) * 255, cv2.BORDER_CONSTANT)
    left, top, width, height = cv2.boundingRect(support)
    if min(width, height) <= 2 * _RIM:
        return alpha(frame, face, area)
    clone = cv2.seamlessClone(
        _rimmed(levels(face), cv2.BORDER_REPLICATE),
        _rimmed(levels(frame), cv2.BORDER_REPLICATE),
        support,
        (left + width // 2, top + height // 2),
        cv2.NORMAL_CLONE,
    )[_RIM:-_RIM, _RIM:-_RIM]
    return alpha(frame, unit(clone), area)


def _rimmed(pixels: Pixels, border: int) -> Pixels:
    """A few pixels more on each side: OpenCV fails on a mask that touches the border."""
    return np.asarray(cv2.copyMakeBorder(pixels, _RIM, _RIM, _RIM, _RIM, border, value=0), np.uint8)
