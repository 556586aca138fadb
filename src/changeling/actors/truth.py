"""What is known of a rendered frame beyond its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from changeling.actors.model import Floats


class Segment(IntEnum):
    """The labels of `Truth.segmentation`."""

    BACKGROUND = 0
    FACE = 1
    SKIN = 2
    HAIR = 3
    EYES = 4
    MOUTH = 5
    CLOTHES = 6
    OCCLUDER = 7
    """Never rendered: `randomise` puts it before an actor."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What the renderer knows of one frame."""

    segmentation: NDArray[np.uint8]
    """(h, w) of `Segment`; FACE is the skin and the lips of the inner face."""
    landmarks: Floats
    """(68, 2) in pixels, 300-W order: projections of fixed vertices, the 3D convention."""
    dense: Floats
    """(200, 2) in pixels, the 68 first."""
    visible: NDArray[np.bool_]
    """(68,) whether the vertex is seen."""
    dense_visible: NDArray[np.bool_]
    """(200,)."""
    depth: Floats
    """(h, w) metres from the camera; infinite behind the actor."""
    rotation: Floats
    """(3, 3) head → camera, x right, y down, z forward (OpenCV); identity when facing it."""
    actions: Floats
    """(52,) strengths of the ARKit actions."""
    camera: Floats
    """(3, 3) pinhole matrix in pixels."""

    @property
    def inner_face(self) -> NDArray[np.bool_]:
        """(h, w): skin, lips, eyes and mouth of the inner face, nothing that hides it."""
        return np.isin(self.segmentation, (Segment.FACE, Segment.EYES, Segment.MOUTH))
