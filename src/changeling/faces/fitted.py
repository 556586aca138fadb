"""What a fit of the morphable model says of a face, and where that puts it in the frame."""

from dataclasses import dataclass
from math import exp

import cv2
import numpy as np

from changeling.faces.morphable import Floats


@dataclass(frozen=True, eq=False)
class Marked:
    """The landmarks of one frame."""

    points: Floats
    """(200, 2) in pixels, those of `MorphableModel.landmarks`."""
    weights: Floats
    """(200,) of their squared errors, 0…1; 0 leaves a landmark out."""
    size: tuple[int, int]
    """Width and height of the frame."""
    actions: Floats | None = None
    """(a,) strengths of the actions, 0…1, where they were read; None: the fit finds them."""

    @property
    def eyes_apart(self) -> float:
        """Pixels between the outer corners of the eyes."""
        return float(np.linalg.norm(self.points[45] - self.points[36]))


@dataclass(frozen=True, eq=False)
class FrameFit:
    """One frame: how the head is held and what the face does."""

    rotation: Floats
    """(3, 3) head → camera, OpenCV's axes; identity when facing it."""
    place: Floats
    """(2,) pixels from the middle of the frame to the point between the eyes."""
    scale: float
    """Pixels of a metre at the distance of the point between the eyes."""
    actions: Floats
    """(a,) strengths, 0…1."""

    def moved(self, step: Floats) -> "FrameFit":
        """Changed by (6 + a,): a turn (3) in radians, pixels (2), log of the scale, strengths."""
        turn = np.asarray(cv2.Rodrigues(step[:3])[0], np.float64)
        return FrameFit(
            rotation=turn @ self.rotation,
            place=self.place + step[3:5],
            scale=self.scale * exp(step[5]),
            actions=np.clip(self.actions + step[6:], 0, 1),
        )


@dataclass(frozen=True, eq=False)
class Fit:
    """What frames of one face have in common, and each of them."""

    identity: Floats
    """(k,) of the model's components, in deviations."""
    focal: float
    """Focal length in pixels."""
    frames: tuple[FrameFit, ...]
    error: float
    """Root of the weighted mean squared distance of the landmarks, in expected errors."""


def project(shape: Floats, frame: FrameFit, focal: float, size: tuple[int, int]) -> Floats:
    """(n, 3) vertices of a head → (n, 2) pixels in a frame of `size`, width and height."""
    turned = shape @ frame.rotation.T
    depth = 1 + frame.scale / focal * turned[:, 2:]
    return (frame.scale * turned[:, :2] + frame.place) / depth + middle(size)


def middle(size: tuple[int, int]) -> Floats:
    """The centre of the top left pixel is (0, 0)."""
    return np.array(size) / 2 - 0.5
