"""What the identity network learns from and is examined with: actors in exchanged stylings."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from changeling.actors import Spoil, randomise
from changeling.actors.actor import FaceTraits, face_traits
from changeling.faces.alignment import MIRROR, Matrix, align, apply, crop, to_pixels
from changeling.faces.identity import SIZE, IdentityBatch, pictures
from changeling.faces.renders import Lessons

SPOIL = Spoil(
    background=0.1, focus=0.25, motion=0.1, exposure=0.5, white_balance=0.4, tone=0.4,
    low_resolution=0.2, noise=0.4, jpeg=0.2, grey=0.05,
    stops=0.8, sigma=1.2, streak=4.0, grain=0.01, quality=30.0,
)  # fmt: skip
"""What befalls the crops that are learnt from: milder than for landmarks, since a face that no
longer shows who it is teaches nothing."""
_NEAREST = 20
"""A stranger of the same skin tone is one of so many whose skin is most alike."""

Ints = NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of pictures, as rows of lessons."""

    one: Ints
    """(n,) rows."""
    other: Ints
    """(n,) rows: the same face in another styling, or another face."""
    same: NDArray[np.bool_]
    """(n,) whether both show one face."""
    matched: NDArray[np.bool_]
    """(n,) whether the two were chosen for their like skin; never where `same`."""

    def __len__(self) -> int:
        return len(self.one)


def traits(faces: Ints) -> torch.Tensor:
    """float32 (n, t): what makes these faces; each trait has mean 0 and spread 1 over them."""
    rows = np.array([_numbers(face_traits(int(face))) for face in faces])
    spread = rows.std(0)
    even = (rows - rows.mean(0)) / np.where(spread > 0, spread, 1)
    return torch.from_numpy(even).float()


def identity_batches(
    lessons: Lessons, *, batch: int, seed: int, spoil: Spoil = SPOIL
) -> Callable[[int], IdentityBatch]:
    """Batches as a pure function of the step: every crop jittered, mirrored and spoilt.

    Every face comes equally often; `who` counts the faces of the lessons in the order of seeds.
    """
    faces = np.unique(lessons.face)
    rows = [np.flatnonzero(lessons.face == face) for face in faces]

    def prepare(step: int) -> IdentityBatch:
        rng = np.random.default_rng((seed, step))
        who = rng.integers(len(faces), size=batch)
        chosen = np.array([rng.choice(rows[index]) for index in who])
        crops = spoilt_crops(lessons, chosen, rng, spoil)
        return IdentityBatch(crops, torch.from_numpy(who))

    return prepare


def spoilt_crops(
    lessons: Lessons, rows: Ints, rng: Generator, spoil: Spoil = SPOIL
) -> torch.Tensor:
    """float32 (n, 3, 64, 64), 0…1: unit crops of these rows, each missed a little, and spoilt."""
    drawn = [_drawn(lessons, int(row), rng) for row in rows]
    shown, segments, points = (np.stack(parts) for parts in zip(*drawn, strict=True))
    return randomise(
        pictures(shown).contiguous(),
        torch.from_numpy(segments),
        torch.from_numpy(points),
        seed=int(rng.integers(2**31)),
        spoil=spoil,
    ).pictures


def unit_crops(lessons: Lessons) -> NDArray[np.uint8]:
    """(n, 64, 64, 3): the crop of every row by its true landmarks."""
    rows = zip(lessons.pictures, lessons.points, strict=True)
    return np.stack([crop(np.asarray(shown), align(at[:68]), SIZE) for shown, at in rows])


def missed(matrix: Matrix, rng: Generator) -> Matrix:
    """A unit crop as landmarks miss it: 3 % shifted, 3° turned, 4 % too large or small; mirrored.

    Standard deviations; one in two is mirrored.
    """
    angle, scale = np.deg2rad(rng.normal(0, 3)), np.exp(rng.normal(0, 0.04))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if rng.random() < 0.5:
        turn[0] *= -1
    middle = 0.5 + rng.normal(0, 0.03, 2)
    return np.column_stack([turn @ matrix[:, :2], turn @ (matrix[:, 2] - 0.5) + middle])


def draw_pairs(face: Ints, styling: Ints, count: int, *, seed: int) -> Pairs:
    """`count` pairs of rows whose seeds of face and styling (n,) are given, half of one face.

    One face always comes in two stylings, so what hair and shirt say of it is wrong. Of two faces,
    every other pair has like skin, and half wear the same styling as far as there is such a pair.
    """
    rng = np.random.default_rng(seed)
    like = _like_skin(np.unique(face))
    same, matched = np.arange(count) % 2 == 0, np.arange(count) % 4 == 1
    one, other = np.zeros(count, np.int64), np.zeros(count, np.int64)
    for k in range(count):
        one[k] = row = rng.integers(len(face))
        if same[k]:
            fits = (face == face[row]) & (styling != styling[row])
        else:
            fits = np.isin(face, like[int(face[row])]) if matched[k] else face != face[row]
            dressed_alike = fits & (styling == styling[row])
            if k % 8 >= 4 and dressed_alike.any():
                fits = dressed_alike
        other[k] = rng.choice(np.flatnonzero(fits))
    return Pairs(one, other, same, matched)


def _numbers(traits: FaceTraits) -> list[float]:
    """Shape, then skin, then brows and eyes."""
    return [
        *(strength for _, strength in (*traits.phenotypes, *traits.changes)),
        *(traits.melanin, traits.haemoglobin, traits.freckles, traits.redness),
        *(traits.stubble, traits.lip_colour, traits.gloss),
        *(*traits.iris, *traits.brow_colour, traits.brow_thickness, traits.brow_arch),
    ]


def _drawn(
    lessons: Lessons, row: int, rng: Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]]:
    """A crop (64, 64, 3), its segments (64, 64) and its 68 landmarks in pixels."""
    points = lessons.points[row][:68]
    matrix = missed(align(points), rng)
    inside = to_pixels(matrix, SIZE)
    shown = crop(np.asarray(lessons.pictures[row]), matrix, SIZE)
    segments = cv2.warpAffine(
        np.asarray(lessons.segments[row]), inside, (SIZE, SIZE), flags=cv2.INTER_NEAREST
    )
    mirrored = np.linalg.det(matrix[:, :2]) < 0
    seen = apply(inside, points)[MIRROR if mirrored else slice(None)]
    return shown, np.asarray(segments, np.uint8), seen.astype(np.float32)


def _like_skin(faces: Ints) -> dict[int, Ints]:
    """For each face those whose pigments are nearest to its own."""
    traits = [face_traits(int(face)) for face in faces]
    skins = np.array([[skin.melanin, skin.haemoglobin] for skin in traits])
    far = np.linalg.norm((skins[:, None] - skins) / skins.std(0), axis=2)
    order = far.argsort(axis=1)[:, 1 : _NEAREST + 1]
    return {int(face): faces[near] for face, near in zip(faces, order, strict=True)}
