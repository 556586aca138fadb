"""Finding faces without any memory: Haar cascades on a small grey picture.

Viola and Jones, "Rapid object detection using a boosted cascade of simple features", 2001; the
cascades are those that ship inside OpenCV 4.
"""

from pathlib import Path
from typing import Protocol

import cv2
import cv2.data
import numpy as np
from numpy.typing import NDArray

from changeling.faces.alignment import Box

Grey = NDArray[np.uint8]

_LONG_SIDE = 360
_SMALLEST = 0.12


class Finds(Protocol):
    """Whatever finds faces without memory: the cascades here, YuNet, or something better."""

    def boxes(self, grey: Grey) -> tuple[Box, ...]:
        """Boxes (x, y, width, height) in the pixels of `grey` (h, w), largest first."""
        ...


class Detector:
    """Frontal faces, or else profiles in the picture and in its mirror image.

    Faces lower than 12 % of the frame's shorter side are not looked for.
    """

    def __init__(self) -> None:
        self._frontal = _cascade("haarcascade_frontalface_default.xml")
        self._profile = _cascade("haarcascade_profileface.xml")

    def boxes(self, grey: Grey) -> tuple[Box, ...]:
        """Boxes (x, y, width, height) in the pixels of `grey` (h, w), largest first."""
        height, width = grey.shape
        scale = min(1.0, _LONG_SIDE / max(height, width))
        small = grey
        if scale < 1:
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        found = _scan(self._frontal, small) or self._profiles(small)
        return merged([(x / scale, y / scale, w / scale, h / scale) for x, y, w, h in found])

    def _profiles(self, small: Grey) -> list[Box]:
        width = small.shape[1]
        mirrored = _scan(self._profile, np.ascontiguousarray(small[:, ::-1]))
        return _scan(self._profile, small) + [(width - x - w, y, w, h) for x, y, w, h in mirrored]


def merged(boxes: list[Box]) -> tuple[Box, ...]:
    """Largest first; a box that overlaps a larger one is the same face and left out."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: (-box[2] * box[3], box)):
        if not any(overlap(box, other) > 0.4 for other in kept):
            kept.append(box)
    return tuple(kept)


def overlap(one: Box, other: Box) -> float:
    """Area in both boxes over the area of the smaller one, 0…1."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high) / min(one[2] * one[3], other[2] * other[3])


def _cascade(name: str) -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / name))


def _scan(cascade: cv2.CascadeClassifier, small: Grey) -> list[Box]:
    low = max(24, round(min(small.shape) * _SMALLEST))
    found = cascade.detectMultiScale(small, scaleFactor=1.1, minNeighbors=4, minSize=(low, low))
    return [(float(x), float(y), float(w), float(h)) for x, y, w, h in found]
