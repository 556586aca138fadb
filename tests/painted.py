"""Pictures of the face model itself, whose fit is known, painted faster than actors rendered."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.actors.camera import AXES, turned
from changeling.faces import face_model
from changeling.faces.fitted import Fit, FrameFit
from changeling.faces.fitting_record import Fitted
from changeling.faces.morphable import Floats
from changeling.faces.texture import SIDE, painted
from changeling.faces.view import EYES, SKIN, Light, View, Window, encoded, view_of
from changeling.media import Pixels

SIZE = (200, 200)
FOCAL = 480.0
MEAN: Floats = np.zeros(60)
EVEN = np.array([[0.5, 0, 0, 0], [0.4, 0, 0, 0], [0.3, 0, 0, 0]])
"""Warm light from all sides."""
SIDEWAYS = np.array([[0.4, 0.2, 0, -0.1], [0.35, 0.15, 0.05, -0.1], [0.3, 0.1, 0, -0.1]])
"""Light from the picture's right and the camera."""
BACKGROUND: Pixels = cv2.resize(
    np.random.default_rng(5).integers(60, 180, (13, 13, 3)).astype(np.uint8), SIZE,
    interpolation=cv2.INTER_CUBIC,
)  # fmt: skip


def somebody(seed: int) -> Floats:
    """(60,) an identity."""
    return np.random.default_rng(seed).normal(size=60)


def held(
    actions: Mapping[str, float] | None = None,
    *,
    turn: tuple[float, float, float] = (0.1, 0.05, 0.02),
    place: tuple[float, float] = (1.0, -20.0),
) -> FrameFit:
    """A head turned by yaw, pitch and roll in radians, and what its face does."""
    strengths = np.zeros(len(face_model().actions))
    for name, strength in (actions or {}).items():
        strengths[face_model().actions.index(name)] = strength
    rotation = AXES @ turned(np.array(turn)) @ AXES.T
    return FrameFit(rotation, np.array(place), 750.0, strengths)


def skin(tone: float = 0.8, waves: float = 9.0) -> Light:
    """(s, s, 3) a smooth texture."""
    y, x = np.mgrid[:SIDE, :SIDE] / np.float32(SIDE)
    three = [np.sin(waves * x + 1), np.cos(waves * y), np.sin(waves * (x + y))]
    return (tone * (1 + 0.2 * np.stack(three, 2))).astype(np.float32)


def view(
    frame: FrameFit,
    identity: Floats = MEAN,
    *,
    light: Floats = EVEN,
    pixels: Pixels = BACKGROUND,
    time: Fraction = Fraction(0),
) -> View:
    """What `pixels` show of a face that lies so."""
    fit = Fit(identity, FOCAL, (frame,), 1.0)
    found = view_of(face_model(), pixels, None, fit, Fitted(0, time, frame, light, ""))
    assert found is not None
    return found


def portrait(
    frame: FrameFit,
    identity: Floats = MEAN,
    texture: Light | None = None,
    *,
    light: Floats = EVEN,
    larger: float = 1.0,
) -> View:
    """A picture of such a face before the background, and what it shows."""
    empty = view(frame, identity, light=light)
    shape = larger * empty.shape
    values = np.column_stack([empty.model.uv, empty.shade(empty.normals(shape)), shape[:, 2]])
    drawn = empty.draw(shape, values)
    parts = empty.parts(drawn)
    colours = painted(skin() if texture is None else texture, drawn.values[..., :2])
    eyes = np.isin(parts, EYES)
    colours[eyes] = irises(drawn.values[..., 5], eyes)[eyes]
    colours[(parts >= 0) & (parts != SKIN) & ~eyes] = (0.1, 0.02, 0.02)
    lit = encoded(colours * drawn.values[..., 2:5])
    rows, columns = empty.window
    picture = BACKGROUND.copy()
    inside = picture[rows, columns]
    inside[parts >= 0] = np.rint(255 * lit[parts >= 0])
    return replace(empty, pixels=picture[rows, columns])


def irises(depth: NDArray[np.float32], eyes: NDArray[np.bool_]) -> Light:
    """(h, w, 3) colours of eyes: what stands out most is dark."""
    near = depth[eyes].min() if eyes.any() else 0.0
    return np.where(depth[..., None] < near + 0.001, 0.15, 1.2).astype(np.float32).repeat(3, 2)


def inner(shown: View, *, rim: float = 0.0) -> NDArray[np.bool_]:
    """(h, w) where the inner face's skin is seen, so many degrees within its border."""
    drawn = shown.draw(shown.shape, shown.model.inner[:, None])
    area: NDArray[np.bool_] = (shown.parts(drawn) == SKIN) & (drawn.values[..., 0] > rim)
    return area


def psnr(one: NDArray[np.generic], other: NDArray[np.generic], area: NDArray[np.bool_]) -> float:
    """dB between levels 0…255 inside an area (h, w)."""
    away = one[area].astype(np.float64) - other[area].astype(np.float64)
    return float(10 * np.log10(255**2 / max((away**2).mean(), 1e-9)))


def within(shown: View, window: Window) -> Pixels:
    """What another window of the same frame shows."""
    frame = BACKGROUND.copy()
    frame[shown.window] = shown.pixels
    return frame[window]
