"""A fitted face in a frame: where the model's surface is, what hides it, and the light on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from changeling.actors.model import Part
from changeling.actors.visibility import normals
from changeling.faces.alignment import Face
from changeling.faces.fitted import Fit, FrameFit, project
from changeling.faces.fitting_record import Fitted
from changeling.faces.morphable import Floats, MorphableModel
from changeling.faces.people import GAMMA
from changeling.faces.surface import Surface, surface
from changeling.media import Pixels

SKIN = int(Part.SKIN)
EYES = (int(Part.LEFT_EYE), int(Part.RIGHT_EYE))
TEETH, TONGUE, LINING = int(Part.TEETH), int(Part.TONGUE), int(Part.MOUTH)
"""What pixels of a drawn face may be."""
_HEM = 0.35
"""How far beyond the face a window reaches, as a share of the face's width."""
_DIMMEST = 0.25
"""The light on a vertex is at least this share of that from all sides."""

_COOLEST = 0.8
"""A channel of the light has at least this share of its level, and at most as much more."""
LEVEL = np.array([0.3, 0.6, 0.1], np.float32)
"""Brightness of linear red, green and blue."""

Window = tuple[slice, slice]
"""Rows and columns of a frame."""
Area = NDArray[np.float32]
"""(h, w), 0…1."""
Light = NDArray[np.float32]
"""(h, w, 3), linear, 0…1."""


@dataclass(frozen=True, eq=False)
class View:
    """What a frame shows of a fitted face, in a window about it."""

    model: MorphableModel
    pixels: Pixels
    """(h, w, 3) of the window."""
    window: Window
    """Where the window lies in the frame."""
    size: tuple[int, int]
    """Width and height of the frame."""
    clear: Area
    """(h, w) of the window: 1 where nothing, such as hair or a hand, is before the face."""
    identity: Floats
    """(k,) who it is."""
    focal: float
    """Focal length in pixels."""
    frame: FrameFit
    """How the head is held and what the face does."""
    light: Floats
    """(3, 4), as `Fitted.light`."""
    time: float
    """Of the frame, in seconds."""

    @cached_property
    def shape(self) -> Floats:
        """(n, 3) the face as it is."""
        return self.model.shape(self.identity, self.frame.actions)

    def points(self, shape: Floats) -> Floats:
        """(n, 2) pixels of the window in which a shape would be seen."""
        rows, columns = self.window
        points = project(shape, self.frame, self.focal, self.size)
        return points - np.array([columns.start, rows.start])

    def width(self, shape: Floats) -> float:
        """Pixels across a shape's inner face."""
        return float(np.ptp(self.points(shape)[self.model.inner > 0, 0]))

    def depths(self, shape: Floats) -> Floats:
        """(n,) how far away, the point between the eyes at 1."""
        return 1 + self.frame.scale / self.focal * (shape @ self.frame.rotation[2])

    def normals(self, shape: Floats) -> Floats:
        """(n, 3) in the camera's axes."""
        own = normals(shape.astype(np.float32), self.model.triangles)
        return np.asarray(own @ self.frame.rotation.T, np.float64)

    def shade(self, ways: Floats) -> Floats:
        """(n, 3) linear light on surfaces with normals (n, 3) in the camera's axes.

        Its colour stays near that of the light from all sides: where it is dark, what was fitted to
        the three channels one by one says little of their ratio.
        """
        whole = self.light[:, 0]
        each = np.column_stack([np.ones(len(ways)), ways]) @ (self.light / whole[:, None]).T
        level = np.maximum(each @ LEVEL, _DIMMEST)[:, None]
        return np.asarray(np.clip(each, level * _COOLEST, level / _COOLEST) * whole)

    def draw(self, shape: Floats, values: Floats) -> Surface:
        """A shape in this head's place, with numbers (n, k) of its vertices."""
        height, width = self.pixels.shape[:2]
        return surface(
            self.model.triangles, self.points(shape), self.depths(shape), values, (width, height)
        )

    def parts(self, drawn: Surface) -> NDArray[np.int32]:
        """(h, w) the `Part` of each pixel; −1 where there is no face."""
        parts = self.model.parts[np.maximum(drawn.triangle, 0)]
        return np.where(drawn.triangle < 0, -1, parts).astype(np.int32)


def view_of(
    model: MorphableModel,
    pixels: Pixels,
    face: Face | None,
    fit: Fit,
    fitted: Fitted,
) -> View | None:
    """The view of a frame (h, w, 3); None when its face could not be fitted.

    fit: who it is. face: what the landmark network sees, of which this takes what hides the face.
    """
    if fitted.frame is None:
        return None
    height, width = pixels.shape[:2]
    whole = View(
        model, pixels, (slice(0, height), slice(0, width)), (width, height),
        np.ones((height, width), np.float32), fit.identity, fit.focal, fitted.frame, fitted.light,
        float(fitted.time),
    )  # fmt: skip
    window = _around(whole.points(whole.shape), (width, height))
    clear = whole.clear[window] if face is None else face.clear_in(*window)
    return replace(whole, pixels=pixels[window], window=window, clear=clear)


def _around(points: Floats, size: tuple[int, int]) -> Window:
    """The window about a face, within the frame; at least two pixels wide."""
    low, high = points.min(0), points.max(0)
    hem = _HEM * (high[0] - low[0])
    left, top = np.clip(np.floor(low - hem), 0, np.array(size) - 2).astype(int)
    right, bottom = np.clip(np.ceil(high + hem), (left + 2, top + 2), size).astype(int)
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def linear(pixels: Pixels) -> Light:
    """8-bit levels as light."""
    return _table()[pixels]


def encoded(light: Light) -> Light:
    """Light as levels 0…1; what lies outside is clipped."""
    return np.power(np.clip(light, 0, 1), np.float32(1 / GAMMA))


@lru_cache(maxsize=1)
def _table() -> Light:
    return ((np.arange(256) / 255) ** GAMMA).astype(np.float32)
