"""What a swapper learns from: a face, pictures of somebody else, and the true swap of the two."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from changeling.faces.alignment import Matrix, align, to_pixels
from changeling.faces.renders import Lessons
from changeling.faces.scenes import STYLINGS, Scenes

PICTURES = 4
"""At most so many pictures tell what somebody looks like."""
_INNER = (1, 4, 5)
"""FACE, EYES and MOUTH of `actors.Segment`."""
_MET, _MISSED = (1.5, 0.02, 0.01), (0.5, 0.01, 0.003)
"""Standard deviations of turn (degrees), size and shift (as fractions): of a face and its answer
alike, and of the face beside that. So landmarks are missed: mostly alike in the same moment."""
_LIGHT, _TINT = 0.05, 0.02
"""Standard deviations of the logarithms of brightness and gamma, and of each channel."""


@dataclass(frozen=True, eq=False)
class SceneBatch:
    """p people, shown by k pictures each, and m faces to give back as each of them."""

    references: Tensor
    """float32 (p, k, 3, s, s), RGB, 0…1: pictures of each person from another scene."""
    inputs: Tensor
    """float32 (p, m, 3, s, s), 0…1: faces of others."""
    targets: Tensor
    """float32 (p, m, 3, s, s), 0…1: the person under their styling, in their performance."""
    masks: Tensor
    """float32 (p, m, 1, s, s), 0…1: the inner face in the targets."""

    def __len__(self) -> int:
        """Count the faces to give back: p times m."""
        return self.inputs.shape[0] * self.inputs.shape[1]


def scene_batches(
    lessons: Lessons,
    scenes: Scenes,
    faces: Sequence[int],
    *,
    size: int,
    people: int,
    each: int,
    seed: int,
) -> Callable[[int], SceneBatch]:
    """Batches of `people` × `each` swaps as a pure function of the step: jittered and mirrored.

    faces: numbers of the faces to draw from, in whole squares of `scenes`. The number of pictures
    of each person is drawn once a step, 1…4.
    """

    def prepare(step: int) -> SceneBatch:
        rng = np.random.default_rng((seed, step))
        count = int(rng.integers(1, PICTURES + 1))
        drawn = [_drawn(lessons, scenes, int(rng.choice(faces)), count, each, size, rng)
                 for _ in range(people)]  # fmt: skip
        return SceneBatch(*(_tensor(np.stack(parts)) for parts in zip(*drawn, strict=True)))

    return prepare


def _drawn(
    lessons: Lessons, scenes: Scenes, face: int, count: int, each: int, size: int, rng: Generator
) -> tuple[NDArray[np.float32], ...]:
    """References, inputs, targets and masks of one person, the channels last, 0…1."""
    across = int(rng.integers(STYLINGS))
    shown, seen = face * STYLINGS + across, face * STYLINGS + 1 - across
    others = [other for other in scenes.partners(shown) if other != shown]
    mirrored = bool(rng.integers(2))
    references = [
        _lit(_cut(lessons, seen * scenes.frames + frame, _moved(_MET, rng, mirrored), size), rng)
        for frame in rng.choice(scenes.frames, count, replace=False)
    ]
    swaps = []
    for _ in range(each):
        frame, other = int(rng.integers(scenes.frames)), int(rng.choice(others))
        met = _moved(_MET, rng, mirrored)
        missed = _after(_moved(_MISSED, rng), met)
        given = _cut(lessons, other * scenes.frames + frame, missed, size)
        row = shown * scenes.frames + frame
        asked = _cut(lessons, row, met, size)
        inner = np.isin(lessons.segments[row], _INNER).astype(np.float32)
        pair = _lit(np.stack([given, asked]), rng)
        swaps.append((*pair, _warped(inner, _matrix(lessons, row, met), size)[..., None]))
    return np.stack(references), *(np.stack(parts) for parts in zip(*swaps, strict=True))


def _moved(how: tuple[float, float, float], rng: Generator, mirrored: bool = False) -> Matrix:
    """(2, 3) random similarity of the unit crop about its middle."""
    angle, scale = np.deg2rad(rng.normal(0, how[0])), np.exp(rng.normal(0, how[1]))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirrored:
        turn[:, 0] *= -1
    return np.column_stack([turn, 0.5 - turn @ (0.5, 0.5) + rng.normal(0, how[2], 2)])


def _after(second: Matrix, first: Matrix) -> Matrix:
    """(2, 3): `first`, then `second`."""
    turn = second[:, :2] @ first
    turn[:, 2] += second[:, 2]
    return turn


def _matrix(lessons: Lessons, row: int, moved: Matrix) -> Matrix:
    return _after(moved, align(lessons.points[row][:68]))


def _cut(lessons: Lessons, row: int, moved: Matrix, size: int) -> NDArray[np.float32]:
    """(size, size, 3), 0…1: the crop of a row, moved."""
    matrix = _matrix(lessons, row, moved)
    return _warped(np.asarray(lessons.pictures[row], np.float32) / np.float32(255), matrix, size)


def _warped(picture: NDArray[np.float32], matrix: Matrix, size: int) -> NDArray[np.float32]:
    """The crop at twice the size, averaged, so that nothing aliases."""
    wide = cv2.warpAffine(
        picture, to_pixels(matrix, 2 * size), (2 * size, 2 * size),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    return np.asarray(cv2.resize(wide, (size, size), interpolation=cv2.INTER_AREA), np.float32)


def _lit(pictures: NDArray[np.float32], rng: Generator) -> NDArray[np.float32]:
    """Pictures (…, 3) in 0…1 in other light, the same for all of them."""
    gain = np.exp(rng.normal(0, _LIGHT) + rng.normal(0, _TINT, 3)).astype(np.float32)
    gamma = np.float32(np.exp(rng.normal(0, _LIGHT)))
    return np.clip(pictures * gain, 0, 1) ** gamma


def _tensor(pictures: NDArray[np.float32]) -> Tensor:
    """(…, h, w, c) → (…, c, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(pictures, -1, -3)))
