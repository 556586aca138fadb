"""Face sets made of noise as sharp as faces, and a network that knows who is who."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from drawn import face_points
from numpy.typing import NDArray

from changeling.faces import Check, Face, FaceSet, Reason, Stored, check_set, open_set
from changeling.faces.faceset import stored_size
from changeling.faces.identity import Identifier
from changeling.media import Pixels, write_image
from changeling.provenance import Consent

SIZE = 64
SIDE = stored_size(SIZE)
INNER = np.ones((SIZE, SIZE), bool)


class Knowing(Identifier):
    """Takes the mean of the blue channel for the person: above 160 another one."""

    def __init__(self) -> None:
        self.same = 0.5

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        other = crops[..., 2].mean((1, 2)) > 160
        return np.eye(2, 128, dtype=np.float32)[other.astype(int)]


def texture(seed: int) -> Pixels:
    """A picture as sharp as a face: noise of some pixels' width, in grey."""
    noise = np.random.default_rng(seed).normal(size=(SIDE, SIDE)).astype(np.float32)
    coarse, fine = (cv2.GaussianBlur(noise, (0, 0), width) * width for width in (4, 1.2))
    grey = np.clip(110 + 60 * coarse + 70 * fine, 0, 255)
    return np.repeat(grey[..., None], 3, 2).astype(np.uint8)


def soft(picture: NDArray[Any], width: float) -> NDArray[Any]:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), width), picture.dtype)


def smeared(picture: NDArray[Any], pixels: int) -> NDArray[Any]:
    return np.asarray(cv2.blur(picture, (pixels, 1)), picture.dtype)


def stored(index: int, **changes: object) -> Stored:
    """A face in the middle of its frame, looking ahead."""
    start = 0.5 - (SIDE - SIZE) / 2
    unit = np.array([[1, 0, start], [0, 1, start]]) / SIZE
    points = (face_points() * SIZE + (SIDE - SIZE) / 2 - 0.5).astype(np.float32)
    face = Face.from_landmarks(points)
    plain = Stored(
        f"{index:06d}.png", index, Fraction(index, 25), face.box, unit, points, 1.0, (0.0, 0.0, 0.0)
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def made(
    folder: Path, pictures: Sequence[Pixels], faces: Sequence[Stored] | None = None
) -> FaceSet:
    folder.mkdir()
    faces = faces or [stored(index) for index in range(len(pictures))]
    for face, picture in zip(faces, pictures, strict=True):
        write_image(folder / face.file, picture)
    consent = Consent(kind="footage", people=("Ada",), given_by="Ada", purpose="tests")
    FaceSet(
        folder, SIZE, "a.mp4", "0" * 64, consent, film=None, frames=len(faces), people=1,
        faces=tuple(faces),
    ).save()  # fmt: skip
    return open_set(folder)


def checked(faces: FaceSet) -> Check:
    return check_set(faces, identifier=Knowing())


def found(check: Check) -> list[tuple[int, Reason]]:
    return [(one.face.frame, one.reason) for one in check.findings]
