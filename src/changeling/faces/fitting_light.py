"""The light on a fitted face: spherical harmonics of the first order, from the skin's pixels."""

import cv2
import numpy as np

from changeling.actors.model import Part
from changeling.actors.visibility import normals
from changeling.faces.fitted import FrameFit, project
from changeling.faces.morphable import Floats, MorphableModel
from changeling.faces.people import GAMMA
from changeling.media import Pixels

DARK = np.array([[1.0, 0, 0, 0]] * 3)
"""What is said where nothing was measured: the same light from all sides."""
_FACING = 0.35
"""Cosine between a vertex's normal and the way to the camera below which it says nothing."""
_KEPT = 0.8
"""Share of the pixels that is believed: spots, brows and stubble are not the skin's colour."""
_PULL = 0.02
"""Weight, as a share of the vertices, that holds the light to that from all sides."""


def light_on(
    pixels: Pixels, model: MorphableModel, shape: Floats, frame: FrameFit, focal: float
) -> Floats:
    """(3, 4) the light on a face whose vertices in rest of its pose are `shape` (n, 3).

    Linear colours of the vertices that face the camera are explained by their normals (Ramamoorthi
    & Hanrahan, "An efficient representation for irradiance environment maps", 2001, the first four
    terms; more of them, unbounded, turn black under nose and brow). The skin counts as one colour,
    which the light takes on. What comes from all sides is at least as much as comes from one.
    """
    height, width = pixels.shape[:2]
    facing = normals(shape.astype(np.float32), model.triangles) @ frame.rotation.T
    points = project(shape, frame, focal, (width, height))
    seen = _skin(model) & (-facing[:, 2] > _FACING)
    seen &= ((points > 0) & (points < [width - 1, height - 1])).all(1)
    if seen.sum() < 50:
        return DARK
    at = points[seen].astype(np.float32)
    colours = cv2.remap(pixels, at[:, None, 0], at[:, None, 1], cv2.INTER_LINEAR)[:, 0]
    linear = (colours.astype(np.float64) / 255) ** GAMMA
    ways = np.column_stack([np.ones(len(at)), facing[seen]])
    return np.stack([_explained(ways, channel) for channel in linear.T])


def _explained(ways: Floats, values: Floats) -> Floats:
    """(4,) by least squares, twice: the second time without what fits worst."""
    hold = _PULL * len(ways) * np.diag([0.0, 1, 1, 1])
    light = np.linalg.solve(ways.T @ ways + hold, ways.T @ values)
    away = np.abs(values - ways @ light)
    good = away <= np.quantile(away, _KEPT)
    light = np.linalg.solve(ways[good].T @ ways[good] + hold, ways[good].T @ values[good])
    along = float(np.linalg.norm(light[1:]))
    if along > light[0] > 0:
        light[1:] *= light[0] / along
    return np.asarray(light)


def _skin(model: MorphableModel) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which vertices are skin of the inner face and of nothing else."""
    skin = np.zeros(len(model.mean), bool)
    skin[model.triangles[model.parts == Part.SKIN]] = True
    skin[model.triangles[model.parts != Part.SKIN]] = False
    return skin & (model.inner > 0)
