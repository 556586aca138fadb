"""What a face looks like whatever its pose and its light: its skin as a texture, and its eyes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.faces.blurring import blurred
from changeling.faces.morphable import Floats, Ints, MorphableModel
from changeling.faces.surface import surface
from changeling.faces.view import EYES, SKIN, Light, View, linear

SIDE = 320
"""Texels across and down the face's own texture."""
LEVELS = 33
"""Quantiles that say which tones an eye has."""
_FACING = 0.2
"""Cosine to the camera below which skin is seen too flatly."""
_THICK = 0.012
"""Share of the distance within which a point counts as the one in front."""
_UNLIKE = 0.12
"""A look at a texel so far from the mean of all looks counts for little."""
_SURE = 0.15
"""Weight of all looks at which a texel is known."""
_REACH = (2, 4, 8, 16, 32)
"""Texels over which what is unknown is filled from its neighbours, one after the other."""
_BRIGHT = 0.92
"""Quantile that counts as the white of an eye."""
_EYE_PIXELS = 12
"""An eye with fewer pixels says nothing of its tones."""


@dataclass(frozen=True, eq=False)
class Appearance:
    """How a person looks."""

    skin: Light
    """(s, s, 3) colours of the skin as multiples of `colour`, in the model's own texture."""
    colour: Floats
    """(3,) linear light that the skin sends back, averaged over the frames it was seen in."""
    eyes: Floats
    """(levels, 3) colours of the eyes from the darkest to the brightest pixels, as multiples of
    their white."""


def appearance(views: Sequence[View], *, lit: bool = True) -> Appearance:
    """Gather a person's appearance from several views.

    A texel is the mean of the looks at it, more of those from the front, and less of what is
    unlike the others; each is divided by the light there. lit=False leaves the light in.
    """
    model = views[0].model
    texels = _texels(model)
    looks = [_look(view, texels, lit=lit) for view in views]
    colours, weights = (np.stack(x) for x in zip(*looks, strict=True))
    mean = _mean(colours, weights)
    if len(views) > 1:
        weights = weights * np.exp(-((np.abs(colours - mean).mean(2) / _UNLIKE) ** 2))
        mean = _mean(colours, weights)
    skin = np.zeros((SIDE, SIDE, 3), np.float32)
    known = np.zeros((SIDE, SIDE), np.float32)
    skin[texels.rows, texels.columns] = mean
    known[texels.rows, texels.columns] = np.clip(weights.sum(0) / _SURE, 0, 1)
    tones = [tone for view in views if (tone := _eye_tones(view)) is not None]
    grey = np.linspace(0, 1, LEVELS)[:, None].repeat(3, 1)
    return Appearance(
        skin=_filled(skin, known),
        colour=np.mean([view.light[:, 0] for view in views], 0),
        eyes=_sorted(np.concatenate(tones)) if tones else grey,
    )


def painted(skin: Light, uv: NDArray[np.float32]) -> Light:
    """(h, w, 3): the texture at coordinates (h, w, 2), 0…1."""
    at = uv * np.float32(SIDE - 1)
    out: Light = cv2.remap(skin, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
    return out


def retoned(eyes: Light, own: Floats, wanted: Floats) -> Light:
    """(n, 3) pixels of eyes with tones `own`, given those of another's; each (levels, 3).

    Tone by tone, dark to bright, so that an iris becomes the other's and looks where it looked.
    """
    white = np.maximum(np.quantile(eyes, _BRIGHT, axis=0), 1e-4)
    rising = own.mean(1) + np.arange(LEVELS) * 1e-6
    rank = np.interp((eyes / white).mean(1), rising, np.arange(LEVELS))
    tones = [np.interp(rank, np.arange(LEVELS), wanted[:, k]) * white[k] for k in range(3)]
    return np.stack(tones, 1).astype(np.float32)


def _sorted(tones: Floats) -> Floats:
    """(levels, 3) mean colours of equally many pixels (m, 3), the darkest first."""
    order = tones[tones.mean(1).argsort(kind="stable")]
    return np.stack([part.mean(0) for part in np.array_split(order, LEVELS)])


@dataclass(frozen=True, eq=False)
class _Texels:
    """The texels that show skin: where they are, and on which triangle."""

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    corners: Ints
    """(m, 3) vertices."""
    weights: NDArray[np.float32]
    """(m, 3) of the corners."""

    def between(self, values: Floats) -> NDArray[np.float32]:
        """(m, c) of numbers (n, c) of the vertices."""
        small, (a, b, c) = values.astype(np.float32), self.corners.T
        u, v, w = self.weights.T[..., None]
        return small[a] * u + small[b] * v + small[c] * w


@lru_cache(maxsize=1)
def _texels(model: MorphableModel) -> _Texels:
    triangles = model.triangles[model.parts == SKIN]
    at = model.uv * (SIDE - 1)
    # Where the face lies over itself, as at the nostrils, the outer skin is the one that is kept.
    outwards = np.linalg.norm(
        model.mean - model.mean[model.inner > 0].mean(0) - [0, 0, 0.09], axis=1
    )
    flat = surface(triangles, at, 2 - outwards, np.zeros((len(at), 1)), (SIDE, SIDE))
    rows, columns = np.nonzero(flat.triangle >= 0)
    corners = triangles[flat.triangle[rows, columns]]
    a, b, c = (at[corners[:, k]] for k in range(3))
    b, c, x = b - a, c - a, np.column_stack([columns, rows]) - a
    area = b[:, 0] * c[:, 1] - c[:, 0] * b[:, 1]
    second = (x[:, 0] * c[:, 1] - x[:, 1] * c[:, 0]) / area
    third = (x[:, 1] * b[:, 0] - x[:, 0] * b[:, 1]) / area
    weights = np.column_stack([1 - second - third, second, third]).astype(np.float32)
    return _Texels(rows, columns, corners, weights)


def _look(view: View, texels: _Texels, *, lit: bool) -> tuple[Floats, Floats]:
    """Colours (m, 3) of the texels in a view, and how much they are worth (m,)."""
    shape = view.shape
    depths = view.depths(shape)[:, None]
    at = texels.between(view.points(shape)).astype(np.float32)
    ways = texels.between(view.normals(shape)).astype(np.float64)
    ways /= np.maximum(np.linalg.norm(ways, axis=1, keepdims=True), 1e-6)
    front = view.draw(shape, depths).values[..., 0]
    seen = np.abs(_read(front, at, cv2.INTER_NEAREST) - texels.between(depths)[:, 0]) < _THICK
    clear = cv2.erode(view.clear, np.ones((5, 5)), borderType=cv2.BORDER_REPLICATE)
    facing = np.clip(-ways[:, 2] - _FACING, 0, 1) ** 2
    colours = _read(linear(view.pixels), at, cv2.INTER_LINEAR)
    shade = view.shade(ways) if lit else view.light[:, 0]
    return np.clip(colours / np.maximum(shade, 1e-3), 0, 4), facing * seen * _read(clear, at, 1)


def _read(picture: NDArray[np.float32], at: NDArray[np.float32], how: int) -> Floats:
    """(m, …) of a picture at (m, 2) pixels; 0 outside. OpenCV takes no more than 32,767 rows."""
    rows = -(-len(at) // SIDE)
    places = np.full((rows * SIDE, 2), -9, np.float32)
    places[: len(at)] = at
    grid = places.reshape(rows, SIDE, 2)
    out = cv2.remap(np.ascontiguousarray(picture), grid[..., 0], grid[..., 1], how)
    return np.asarray(out.reshape(rows * SIDE, *out.shape[2:])[: len(at)], np.float64)


def _mean(colours: Floats, weights: Floats) -> Floats:
    total = np.maximum(weights.sum(0), 1e-6)[:, None]
    return np.asarray((colours * weights[..., None]).sum(0) / total)


def _filled(skin: Light, known: NDArray[np.float32]) -> Light:
    """The texture with what is unknown taken from ever farther neighbours, at last the average."""
    out, have = skin * known[..., None], known.copy()
    for reach in _REACH:
        near = blurred(known, reach)
        guess = blurred(skin * known[..., None], reach)
        added = np.clip(near / 0.2, 0, 1) * (1 - have)
        out += guess / np.maximum(near, 1e-4)[..., None] * added[..., None]
        have += added
    return np.asarray(out + (1 - have)[..., None], np.float32)


def _eye_tones(view: View) -> Floats | None:
    """(m, 3) pixels of the eyes as multiples of their white; None when they are hardly seen."""
    drawn = view.draw(view.shape, np.zeros((len(view.shape), 1)))
    inside = np.isin(view.parts(drawn), EYES).astype(np.uint8)
    eyes = cv2.erode(inside, np.ones((3, 1))) > 0
    if eyes.sum() < _EYE_PIXELS:
        return None
    light = linear(view.pixels)[eyes]
    white = np.maximum(np.quantile(light, _BRIGHT, axis=0), 1e-4)
    return np.asarray(np.clip(light / white, 0, 1.5), np.float64)
