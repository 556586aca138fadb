"""People told apart by colour: a tracker whose faces are squares, and an identity network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch
from drawn import face_points
from numpy.typing import NDArray
from torch import Tensor

from changeling.faces import Face, Identifier
from changeling.faces.alignment import Box
from changeling.generators import Swapped
from changeling.media import Frame, FrameWriter, Pixels, write_image
from changeling.provenance import Enrolment

RED, GREEN, BLUE = (210, 30, 30), (30, 200, 30), (30, 30, 220)
BROWN = (180, 110, 30)
"""Between red and green; to red 0.9."""
Square = tuple[int, int, int, tuple[int, int, int]]
"""Centre x, centre y, side, colour."""


class Squares:
    """A tracker: every coloured square is a face; one that stays nearly in place stays itself."""

    def __init__(self) -> None:
        self._boxes: dict[int, Box] = {}
        self._count = 0

    def find(self, pixels: Pixels) -> tuple[Face, ...]:
        coloured = np.ptp(pixels.astype(int), axis=2) > 70
        _, _, found, _ = cv2.connectedComponentsWithStats(coloured.astype(np.uint8), connectivity=4)
        boxes = sorted((tuple(box[:4]) for box in found[1:] if box[4] > 60), key=lambda b: -b[2])
        faces = [_face(*box) for box in boxes]
        before, self._boxes = self._boxes, {}
        return tuple(replace(face, track=self._number(face.box, before)) for face in faces)

    def _number(self, box: Box, before: dict[int, Box]) -> int:
        near = [n for n, other in before.items() if np.abs(np.subtract(box, other)).max() < 6]
        number = near[0] if near else self._count
        self._count += not near
        before.pop(number, None)
        self._boxes[number] = box
        return number


class ByColour(Identifier):
    """An identity network: the direction of a crop's mean colour; nobody is alike below 0.95."""

    def __init__(self, name: str = "colours") -> None:
        self.name, self.same = name, 0.95
        self.asked = 0

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.asked += len(crops)
        inner = crops[:, crops.shape[1] // 4 : -crops.shape[1] // 4]
        out = np.zeros((len(crops), 128), np.float32)
        out[:, :3] = inner.mean((1, 2)) + 1e-3
        return out / np.linalg.norm(out, axis=1, keepdims=True)


@dataclass(frozen=True)
class Whitened:
    """A generator that paints every face white."""

    people: tuple[str, ...] = ("a", "b")
    size: int = 24

    def swap(self, faces: Tensor, *, to: str, of: str | None = None) -> Swapped:
        return Swapped(torch.ones_like(faces), torch.ones_like(faces[:, :1]))


def enrolled(name: str, *colours: Sequence[int]) -> Enrolment:
    """Somebody who looks like these colours."""
    rows = [np.array([*colour, *[0] * 125], float) for colour in colours]
    unit = [tuple(float(x) for x in row / np.linalg.norm(row)) for row in rows]
    hashes = tuple(str(index) * 64 for index in range(len(colours)))
    return Enrolment(name, "colours", hashes, tuple(unit))


def painted(*squares: Square, size: tuple[int, int] = (96, 64)) -> Pixels:
    """A grey picture (w, h) with squares, the later ones on top."""
    picture = np.full((size[1], size[0], 3), 100, np.uint8)
    for x, y, side, colour in squares:
        half = side // 2
        picture[y - half : y + half, x - half : x + half] = colour
    return picture


def picture(path: Path, *squares: Square) -> Path:
    write_image(path, painted(*squares))
    return path


def clip(path: Path, frames: Sequence[Sequence[Square]]) -> Path:
    """A video of 25 frames a second."""
    with FrameWriter(path, size=(96, 64), rate=Fraction(25)) as writer:
        for index, squares in enumerate(frames):
            writer.write(Frame(painted(*squares), index, Fraction(index, 25)))
    return path


def _face(x: int, y: int, width: int, height: int) -> Face:
    return Face.from_landmarks(face_points() * (width, height) + (x, y), 0.9)
