"""Rendered actors as a data set: unit crops by their true landmarks, and what is true of them."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from changeling.actors import ACTIONS
from changeling.actors.actor import face_traits
from changeling.faces.alignment import TEMPLATE, align, crop, turns
from changeling.faces.datasets_protocol import Attributes, Rows
from changeling.faces.renders import Lessons, Renders, spread
from changeling.provenance import Consent

NAMES = ("age", "gender", "skin", "yaw", "smile")
"""age 0.70 … 0.92 and gender 0 … 1 (male to female) are phenotypes of the body model, skin its
melanin 0 … 1, yaw radians to the picture's right, smile the mean strength 0 … 1 of both sides."""
_SMILES = [ACTIONS.index(f"mouthSmile{side}") for side in ("Left", "Right")]
_BODIES = 4096
"""Performances whose smiles are kept; each takes 20 ms to make again."""
_OUTSIDE = 0.1
"""How far, in unit crops, a crop may reach over the frame, where it shows the frame's mirror image.
Beyond that a second face can begin."""


class ActorPictures:
    """Frames of rendered actors, cropped as face sets are; no picture has a class.

    Frames whose crop reaches too far over the frame are left out: one in ten of the varied ones.
    """

    channels = 3
    kinds: tuple[str, ...] = ()
    consent = Consent(
        kind="actor",
        people=("rendered actors",),
        purpose="a rendered actor is nobody",
        evidence="rendered from seeds",
    )

    def __init__(self, renders: Renders, lessons: Lessons, first: int) -> None:
        """`lessons` are rows of `renders` from the row `first` on."""
        self.name = f"actors {renders.name}"
        self._renders = renders
        self._lessons = lessons
        self._first = first
        self._rows = np.flatnonzero(_reach(lessons) <= _OUTSIDE)
        self._smiles = lru_cache(_BODIES)(self._smiles_of)

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, rows: Rows, size: int) -> NDArray[np.uint8]:
        """(n, size, size, 3); the renders hold about 72 pixels of a face, so more shows no more."""
        shown, points = self._lessons.pictures, self._lessons.points
        crops = [
            crop(np.asarray(shown[row]), align(points[row][:68]), size) for row in self._rows[rows]
        ]
        return np.array(crops, np.uint8).reshape(-1, size, size, 3)

    def labels(self, rows: Rows) -> NDArray[np.int64]:
        return np.zeros(len(rows), np.int64)

    def attributes(self, rows: Rows) -> Attributes:
        """`NAMES` of each row; the first time a performance is asked for takes 20 ms."""
        values = np.array([self._values(int(row)) for row in self._rows[rows]], np.float32)
        return Attributes(NAMES, values.reshape(-1, len(NAMES)))

    def _values(self, row: int) -> tuple[float, ...]:
        traits = face_traits(int(self._lessons.face[row]))
        shape = dict(traits.phenotypes)
        yaw = turns(np.asarray(self._lessons.rotation[row]))[0]
        body, frame = divmod(self._first + row, self._renders.frames)
        smile = self._smiles(body)[frame]
        return shape["age"], shape["gender"], traits.melanin, yaw, smile

    def _smiles_of(self, body: int) -> list[float]:
        """How much each frame of actor number `body` smiles."""
        performance = self._renders.body(body)[1]
        actions = performance.actions[spread(self._renders.frames, performance)]
        return actions[:, _SMILES].mean(1).tolist()


def _reach(lessons: Lessons) -> NDArray[np.floating]:
    """(n,) how far each unit crop reaches over its frame, in unit crops; below 0 it lies inside.

    All rows at once what `alignment.similarity` says of one: a point z of the frame goes to
    factor · (z − middle) + goal.
    """
    points = lessons.points[:, :68, 0] + 1j * lessons.points[:, :68, 1]
    eyes = [points[:, 36:42].mean(1), points[:, 42:48].mean(1)]
    five = np.stack([*eyes, points[:, 30], points[:, 48], points[:, 54]], 1)
    template = TEMPLATE[:, 0] + 1j * TEMPLATE[:, 1]
    middle, goal = five.mean(1, keepdims=True), template.mean()
    away = five - middle
    factor = (away.conj() @ (template - goal)) / (np.abs(away) ** 2).sum(1)
    corners = (np.array([0, 1, 1j, 1 + 1j]) - goal) / factor[:, None] + middle
    ends = np.concatenate([corners.real, corners.imag], 1)
    last = lessons.pictures.shape[1] - 1
    return np.maximum(-ends.min(1), ends.max(1) - last) * np.abs(factor)
