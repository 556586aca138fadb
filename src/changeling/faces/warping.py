"""The pixels of a frame moved with a face's surface, and their surroundings with them."""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.faces.blurring import blurred
from changeling.faces.view import Area

Picture = TypeVar("Picture", NDArray[np.uint8], NDArray[np.float32])

Moves = NDArray[np.float32]
"""(2, h, w): from where, relative to itself, each pixel takes its colour; x and y."""

_NEAR = (2, 5, 10)
"""Pixels over which moves are carried beyond the face, one after the other."""
_SEEN = 0.02
"""Pixels that a move must have to be one."""


def spread_out(moves: Moves, face: NDArray[np.bool_], still: Area, *, reach: float) -> Moves:
    """Carry the moves of a face's pixels (h, w) on into its surroundings.

    They fade to nothing over `reach` pixels, two at least, and where `still` is 1, as on hair.
    """
    own = face.astype(np.float32)
    given = cv2.merge([moves[0] * own, moves[1] * own, own])
    out, have = given[..., :2].transpose(2, 0, 1).copy(), own.copy()
    for sigma in _NEAR:
        x, y, near = cv2.split(blurred(given, sigma))
        added = np.clip(near / 0.1, 0, 1) * (1 - have)
        share = added / np.maximum(near, 1e-4)
        out[0] += x * share
        out[1] += y * share
        have += added
    away = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, 3)
    fade = np.clip(1 - away / max(2.0, reach), 0, 1)
    fade = fade * fade * (3 - 2 * fade)
    held = cv2.GaussianBlur(cv2.dilate(still, np.ones((3, 3))), (0, 0), 2)
    return np.asarray(out * (fade * (1 - held)), np.float32)


def moved(picture: Picture, moves: Moves) -> Picture:
    """The picture (h, w, …) with every pixel taken from where its move says; the edge is held."""
    height, width = moves.shape[1:]
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    out: Picture = cv2.remap(
        picture, x + moves[0], y + moves[1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return out


def changed(moves: Moves) -> NDArray[np.bool_]:
    """(h, w): which pixels are taken from elsewhere."""
    return np.maximum(np.abs(moves[0]), np.abs(moves[1])) > _SEEN
