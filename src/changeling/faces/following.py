"""What the identity network makes of the faces that are followed through a film."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from changeling.faces.alignment import Face, crop
from changeling.faces.identity import SIZE, Embeddings, Identifier
from changeling.media import Pixels

SAMPLES = 16
"""Embeddings of one face that are compared."""
_DENSE, _EVERY = 4, 10
"""A face is embedded in so many frames at first, then in every 10th: its first frames are decided
on more than one look, and embedding costs next to nothing."""


@dataclass(eq=False)
class _Track:
    frames: int = 0
    embeddings: list[Embeddings] = field(default_factory=list)


class Recogniser:
    """Embeds each face of one film now and then: give it the frames in order."""

    def __init__(self, identifier: Identifier) -> None:
        self._identifier = identifier
        self._tracks: dict[int, _Track] = {}

    def see(self, pixels: Pixels, faces: Sequence[Face]) -> dict[int, Embeddings]:
        """For each of the frame's faces, in order, its track and its last (n ≤ 16, 128)."""
        self._tracks = {face.track: self._tracks.get(face.track, _Track()) for face in faces}
        for face, track in zip(faces, self._tracks.values(), strict=True):
            if track.frames < _DENSE or track.frames % _EVERY == 0:
                seen = self._identifier.embed(crop(pixels, face.matrix, SIZE)[None])
                track.embeddings = [*track.embeddings[1 - SAMPLES :], seen]
            track.frames += 1
        return {number: np.concatenate(track.embeddings) for number, track in self._tracks.items()}
