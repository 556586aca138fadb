"""A fitted face given another shape: its pixels moved, its mouth opened, its shadows renewed."""

import cv2
import numpy as np

from changeling.faces.morphable import Floats
from changeling.faces.view import LINING, SKIN, TEETH, TONGUE, Light, View, encoded, linear
from changeling.faces.warping import changed, moved, spread_out
from changeling.generators.protocols import Redrawn

_INSIDE = {TEETH: (0.46, 0.38, 0.29), TONGUE: (0.30, 0.10, 0.09), LINING: (0.09, 0.025, 0.022)}
"""Linear colours of teeth, tongue and the mouth's lining in white light."""
_REACH = 0.25
"""How far the surroundings move, as a share of the face's width."""
_BRIGHTER = (0.6, 1.6)
"""Bounds of how much lighter a point gets because it is turned."""
_DEEP = 45.0
"""How fast it gets dark in the mouth, 1 / metre behind the lips."""


def reshaped(view: View, identity: Floats, actions: Floats) -> Redrawn:
    """Draw the face with another identity (k,) and other actions (a,), in the pose that it has.

    What was seen moves with the surface; where the mouth opens, its inside is drawn.
    """
    model, given = view.model, view.shape
    shape = model.shape(identity, actions)
    offsets = view.points(given) - view.points(shape)
    level = view.shade(view.normals(shape)) / view.shade(view.normals(given))
    inside = _mouth(view, shape)
    drawn = view.draw(shape, np.column_stack([offsets, level.mean(1), model.inner, inside]))
    face = drawn.triangle >= 0
    reach = _REACH * view.width(shape)
    moves = spread_out(drawn.planes(0, 1), face, 1 - view.clear, reach=reach)
    parts = view.parts(drawn)
    light = linear(moved(view.pixels, moves))
    skin = cv2.GaussianBlur((parts == SKIN) * np.clip(drawn.values[..., 3] / 4, 0, 1), (0, 0), 1)
    change = np.where(face, np.clip(drawn.values[..., 2], *_BRIGHTER), 1)
    light = light * (1 + skin * view.clear * (change - 1))[..., None].astype(np.float32)
    light = _opened(view, light, moves, parts, drawn.values[..., 4:7])
    return Redrawn(encoded(light), (changed(moves) | face).astype(np.float32))


def _opened(view: View, light: Light, moves: Light, parts: np.ndarray, inside: Light) -> Light:
    """With the mouth's inside drawn where its pixels were hidden before."""
    mouth = np.isin(parts, tuple(_INSIDE))
    if not mouth.any():
        return light
    before = view.parts(view.draw(view.shape, np.zeros((len(view.shape), 1))))
    shown = moved(np.isin(before, tuple(_INSIDE)).astype(np.float32), moves)
    new = cv2.GaussianBlur((mouth & (shown < 0.5)).astype(np.float32), (0, 0), 0.7)[..., None]
    return np.asarray(light + new * (inside - light), np.float32)


def _mouth(view: View, shape: Floats) -> Floats:
    """(n, 3) linear colours of the vertices inside the mouth, darker the deeper they lie."""
    model = view.model
    colours = np.zeros((len(shape), 3))
    for part, colour in _INSIDE.items():
        colours[model.triangles[model.parts == part]] = colour
    lips = shape[model.landmarks[60:68], 2].mean()
    dim = np.exp(-_DEEP * np.clip(shape[:, 2] - lips, 0, None))
    brightness = view.light[:, 0].max() / 0.5
    return np.asarray(colours * dim[:, None] * brightness)
