"""The pixels of a frame moved with a face's surface, and their surroundings with them."""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.faces.view import Area

Picture = TypeVar("Picture", NDArray[np.uint8], NDArray[np.float32])

Moves = NDArray[np.float32]
"""(h, w, 2): from where, relative to itself, each pixel takes its colour; x and y."""

_NEAR = (2, 5, 10)
"""Pixels over which moves are carried beyond the face, one after the other."""


def spread_out(moves: Moves, face: NDArray[np.bool_], still: Area, *, reach: float) -> Moves:
    """Carry the moves of a face's pixels (h, w) on into its surroundings.

    They fade to nothing over `reach` pixels, two at least, and where `still` is 1, as on hair.
    """
    own = face.astype(np.float32)
    given = moves * own[..., None]
    out, have = given.copy(), own.copy()
    for sigma in _NEAR:
        near = cv2.GaussianBlur(own, (0, 0), sigma)
        guess = cv2.GaussianBlur(given, (0, 0), sigma)
        added = np.clip(near / 0.1, 0, 1) * (1 - have)
        out += guess / np.maximum(near, 1e-4)[..., None] * added[..., None]
        have += added
    away = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, 3)
    fade = np.clip(1 - away / max(2.0, reach), 0, 1)
    fade = fade * fade * (3 - 2 * fade)
    held = cv2.GaussianBlur(cv2.dilate(still, np.ones((3, 3))), (0, 0), 2)
    return np.asarray(out * (fade * (1 - held))[..., None], np.float32)


def moved(picture: Picture, moves: Moves) -> Picture:
    """The picture (h, w, …) with every pixel taken from where its move says; the edge is held."""
    height, width = moves.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    out: Picture = cv2.remap(
        picture, x + moves[..., 0], y + moves[..., 1], cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return out
