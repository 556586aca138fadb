"""Batches of several people's faces from their face sets: jittered, warped, lit, prepared alike.

The input of row k is a warped view of the target of row k. Mirroring and light are drawn once a row
for all people, and the inputs are levelled: each person's by a factor of their own for every
channel of light, so that all have the same average colour. A shared encoder then cannot tell by it
who it sees, and what is brighter stands in brighter light: unlevelled, a light skin is taken for a
dark one in bright light, which costs up to 5 dB. The light of a row falls on the target too: else a
person would always be drawn in the light of their own film, whatever light the performer stands
in, which costs 2 dB.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from changeling.errors import UserError
from changeling.faces.alignment import Matrix, apply, eye_hulls, fill, inner_hull, to_pixels
from changeling.faces.faceset import FEWEST, FaceSet, stored_size
from changeling.faces.people import GAMMA, PeopleBatch, levelling

_BRIGHTEST = 0.05
"""Logarithm of the most by which a scene is brightened."""
_LOOKED_AT = 200
"""Faces of a set from which its average colour is taken."""

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Jitter:
    """How far the faces of a batch depart from those of the sets (standard deviations)."""

    turn: float = 2.0
    """Rotation of input and target in degrees."""
    scale: float = 0.02
    """Change of size of input and target, as a fraction."""
    shift: float = 0.01
    """Shift of input and target, as a fraction of the crop."""
    mirror: float = 0.5
    """How often (0…1) input and target are mirrored."""
    warp: float = 0.025
    """Shift of the 5 × 5 knots that warp the input, as a fraction of the crop."""
    level: bool = True
    """Whether the inputs of all people get the same average colour."""
    scene: float = 0.3
    """Change of the brightness of input and target alike, as a fraction."""
    light: float = 0.05
    """Change of the input's brightness, contrast and gamma, as a fraction."""
    tint: float = 0.05
    """Change of each colour channel of the input, as a fraction."""

    @classmethod
    def none(cls) -> "Jitter":
        """The faces as they are."""
        return cls(
            turn=0, scale=0, shift=0, mirror=0, warp=0, level=False, scene=0, light=0, tint=0
        )


class _Person:
    """One set, ready to draw from."""

    def __init__(self, faces: FaceSet, size: int, rows: range) -> None:
        if len(faces) < FEWEST:
            raise UserError(
                f"{faces.folder} holds {len(faces)} face(s) and training needs at least {FEWEST}; "
                "extract a longer film."
            )
        if size > faces.size:
            raise UserError(
                f"{faces.folder} holds faces of {faces.size} pixels and the network wants {size}; "
                f"extract it again with --size {size}."
            )
        self.rows = rows
        self.pixels = faces.pixels()
        self.hulls = [inner_hull(face.landmarks, face.matrix) for face in faces.faces]
        self.eyes = [eye_hulls(face.landmarks, face.matrix) for face in faces.faces]
        step = 1 / faces.size
        start = (0.5 - (stored_size(faces.size) - faces.size) // 2) * step
        self.inner: Matrix = np.array([[step, 0, start], [0, step, start]])
        """(2, 3) pixels of a stored face → unit crop."""
        self.tone = _tone(faces, rows)
        """(3,) linear colour of the face, averaged over the rows."""


def people_batches(
    sets: Sequence[FaceSet],
    *,
    size: int,
    batch: int,
    seed: int,
    jitter: Jitter | None = None,
    rows: Sequence[range] | None = None,
) -> Callable[[int], PeopleBatch]:
    """Batches of `batch` faces of each person at `size` pixels, as a pure function of the step.

    rows: which faces of each set are drawn from; all of them if None. Raises UserError for a set
    with fewer than two faces, a broken PNG, or too small faces.
    """
    rows = rows or [range(len(faces)) for faces in sets]
    people = [_Person(faces, size, some) for faces, some in zip(sets, rows, strict=True)]
    jitter = jitter or Jitter()
    tones = torch.from_numpy(np.stack([person.tone for person in people])).float()
    tones = tones if jitter.level else torch.ones_like(tones)
    factors = levelling(tones).double().numpy()

    def prepare(step: int) -> PeopleBatch:
        rng = np.random.default_rng((seed, step))
        mirrored = rng.random(batch) < jitter.mirror
        drawn = [_draw(person, size, mirrored, jitter, rng) for person in people]
        inputs, targets, masks, eyes = (np.stack(parts) for parts in zip(*drawn, strict=True))
        _recolour(inputs, factors, jitter, rng)
        _light(inputs, targets, jitter, rng)
        areas = _tensor(masks[..., None]), _tensor(eyes[..., None])
        return PeopleBatch(_tensor(inputs), _tensor(targets), *areas, tones)

    return prepare


def _draw(
    person: _Person, size: int, mirrored: NDArray[np.bool_], jitter: Jitter, rng: Generator
) -> tuple[Bytes, Bytes, Bytes, Bytes]:
    """Inputs and targets (n, size, size, 3), masks and eyes (n, size, size), 0…255, of a person."""
    inputs = np.empty((len(mirrored), size, size, 3), np.uint8)
    targets, masks = np.empty_like(inputs), np.empty(inputs.shape[:3], np.uint8)
    eyes = np.empty_like(masks)
    for k, flip in enumerate(mirrored):
        row = person.rows[int(rng.integers(len(person.rows)))]
        moved = _moved(bool(flip), jitter, rng)
        out = to_pixels(_chain(moved, person.inner), size)
        stored = np.asarray(person.pixels[row])
        targets[k] = cv2.warpAffine(
            stored, out, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        places = _places(out, _bent(size, jitter, rng))
        inputs[k] = cv2.remap(
            stored, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        placed = to_pixels(moved, size)
        masks[k] = fill([apply(placed, person.hulls[row])], size)
        eyes[k] = fill([apply(placed, eye) for eye in person.eyes[row]], size)
    return inputs, targets, masks, eyes


def _moved(flip: bool, jitter: Jitter, rng: Generator) -> Matrix:
    """(2, 3) random similarity of the unit crop about its centre, mirrored or not."""
    angle = np.deg2rad(rng.normal(0, jitter.turn))
    scale = np.exp(rng.normal(0, jitter.scale))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if flip:
        turn[:, 0] *= -1
    return np.column_stack([turn, 0.5 - turn @ (0.5, 0.5) + rng.normal(0, jitter.shift, 2)])


def _bent(size: int, jitter: Jitter, rng: Generator) -> Floats:
    """(size, size, 2) smooth random shifts in pixels, from 5 × 5 knots across the crop."""
    knots = rng.normal(0, jitter.warp * size, (5, 5, 2)).astype(np.float32)
    fine = cv2.resize(knots, (size * 5 // 4, size * 5 // 4), interpolation=cv2.INTER_CUBIC)
    rim = (len(fine) - size) // 2
    return np.asarray(fine[rim : rim + size, rim : rim + size])


def _places(out: Matrix, shifts: Floats) -> Floats:
    """(size, size, 2) where in the stored face each pixel of the shifted crop lies."""
    back = np.asarray(cv2.invertAffineTransform(out), np.float32)
    steps = np.arange(len(shifts), dtype=np.float32)
    x, y = shifts[..., 0] + steps, shifts[..., 1] + steps[:, None]
    return np.stack([back[i, 0] * x + back[i, 1] * y + back[i, 2] for i in range(2)], axis=-1)


def _tone(faces: FaceSet, rows: range) -> NDArray[np.float64]:
    """(3,) linear colour of the inner face, averaged over some of the rows, evenly spread."""
    crops, masks = faces.crops(), faces.masks()
    chosen = np.unique(np.linspace(rows.start, rows.stop - 1, _LOOKED_AT).astype(int))
    light = (np.arange(256) / 255) ** GAMMA
    sums = [
        np.append(m.sum(), (light[c] * m[..., None]).sum((0, 1)))
        for c, m in ((np.asarray(crops[k]), np.asarray(masks[k])) for k in chosen)
    ]
    whole, *colour = np.sum(sums, 0)
    return np.maximum(np.array(colour) / max(whole, 1e-6), 1e-4)


def _recolour(inputs: Bytes, factors: NDArray[np.float64], jitter: Jitter, rng: Generator) -> None:
    """Levels (people, n, s, s, 3) inputs by factors (people, 3) of light, in place; then jitters.

    Brightness, contrast, gamma and tint are drawn once a row.
    """
    people, n = inputs.shape[:2]
    levels = np.linspace(0, 1, 256)[:, None]
    levelled = np.clip(levels**GAMMA * factors[:, None, None], 0, 1) ** (1 / GAMMA)
    lit = _lit(np.broadcast_to(levelled, (people, n, 256, 3)), jitter, rng)
    tables = np.rint(lit * 255).astype(np.uint8)
    for person in range(people):
        for k in range(n):
            cv2.LUT(inputs[person, k], tables[person, k, :, None], inputs[person, k])


def _lit(curves: NDArray[np.float64], jitter: Jitter, rng: Generator) -> NDArray[np.float64]:
    """(people, n, 256, 3) curves → 0…1: lit alike for all people, otherwise in each row."""
    n = curves.shape[1]
    gain = np.exp(rng.normal(0, jitter.light, (n, 1, 1)) + rng.normal(0, jitter.tint, (n, 1, 3)))
    lift = rng.normal(0, jitter.light / 3, (n, 1, 1))
    gamma = np.exp(rng.normal(0, jitter.light, (n, 1, 1)))
    return np.asarray(np.clip(curves * gain + lift, 0, 1) ** gamma)


def _light(inputs: Bytes, targets: Bytes, jitter: Jitter, rng: Generator) -> None:
    """Lights inputs and targets (people, n, s, s, 3) in place, alike within a row."""
    n = inputs.shape[1]
    tint = rng.normal(0, jitter.scene / 5, (n, 1, 3))
    # Hardly brighter than the film: what is clipped would lose its colour, and skin turn yellow.
    gain = np.exp(np.minimum(rng.normal(0, jitter.scene, (n, 1, 1)), _BRIGHTEST) + tint)
    gamma = np.exp(rng.normal(0, jitter.scene / 2, (n, 1, 1)))
    lit = np.clip(np.linspace(0, 1, 256)[:, None] ** gamma * gain, 0, 1)
    tables = np.rint(lit * 255).astype(np.uint8)
    for pictures in (*inputs, *targets):
        for picture, table in zip(pictures, tables, strict=True):
            cv2.LUT(picture, table[:, None], picture)


def _chain(after: Matrix, before: Matrix) -> Matrix:
    """The (2, 3) map that does `before`, then `after`."""
    turn = after[:, :2] @ before
    turn[:, 2] += after[:, 2]
    return turn


def _tensor(pictures: Bytes) -> torch.Tensor:
    """(…, h, w, c) uint8 → (…, c, h, w) float32, 0…1."""
    return torch.from_numpy(pictures).movedim(-1, -3).to(torch.float32).contiguous().div_(255)
