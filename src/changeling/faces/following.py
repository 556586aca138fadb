"""Which faces of a film's frames are one face, and what the identity network makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from changeling.faces.alignment import Box, Face, crop
from changeling.faces.identity import SIZE, Embeddings, Identifier
from changeling.media import Pixels

SAMPLES = 16
"""Embeddings of one face that are compared."""
_SAME_PLACE = 0.6
"""Intersection over union of two boxes from which on they hold one face in successive frames."""
_DENSE, _EVERY = 4, 10
"""A face is embedded in so many frames at first, then in every 10th: its first frames are decided
on more than one look, and embedding costs next to nothing."""


class Follower:
    """Numbers the faces of successive frames: one that stays nearly in place keeps its number."""

    def __init__(self) -> None:
        self._boxes: dict[int, Box] = {}
        self._count = 0

    def number(self, faces: Sequence[Face]) -> tuple[int, ...]:
        """The numbers of the faces of the next frame."""
        before, self._boxes = self._boxes, {}
        for face in faces:
            shares = {number: _shared(face.box, box) for number, box in before.items()}
            number = max(shares, key=shares.__getitem__, default=-1)
            if shares.get(number, 0.0) < _SAME_PLACE:
                number, self._count = self._count, self._count + 1
            before.pop(number, None)
            self._boxes[number] = face.box
        return tuple(self._boxes)


@dataclass(eq=False)
class _Track:
    frames: int = 0
    embeddings: list[Embeddings] = field(default_factory=list)


class Recogniser:
    """Embeds each face of one film now and then: give it the frames in order."""

    def __init__(self, identifier: Identifier) -> None:
        self._identifier = identifier
        self._follower = Follower()
        self._tracks: dict[int, _Track] = {}

    def see(self, pixels: Pixels, faces: Sequence[Face]) -> dict[int, Embeddings]:
        """For each of the frame's faces, in order, its number and its last (n ≤ 16, 128)."""
        numbers = self._follower.number(faces)
        self._tracks = {number: self._tracks.get(number, _Track()) for number in numbers}
        for face, track in zip(faces, self._tracks.values(), strict=True):
            if track.frames < _DENSE or track.frames % _EVERY == 0:
                seen = self._identifier.embed(crop(pixels, face.matrix, SIZE)[None])
                track.embeddings = [*track.embeddings[1 - SAMPLES :], seen]
            track.frames += 1
        return {number: np.concatenate(track.embeddings) for number, track in self._tracks.items()}


def _shared(one: Box, other: Box) -> float:
    """Intersection of two boxes over their union, 0…1."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    high = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(0.0, wide) * max(0.0, high)
    return both / (one[2] * one[3] + other[2] * other[3] - both)
