"""What the landmark network learns from: rendered actors with their truth, missed and spoilt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from changeling.actors import Segment, Spoil, randomise
from changeling.faces.alignment import Matrix, align, apply, crop, enlarged, to_pixels
from changeling.faces.landmarks import MARGIN, PARTS, SIZE, rolled
from changeling.faces.renders import Lessons

SPOIL = Spoil()
"""What befalls the crops that are learnt from."""
_NONE = 0.12
"""Share of a batch that shows no face, or hardly any of one."""
_CLEAN = 0.3
"""Share of a batch that stays as it was rendered: film without faults, to be exact with."""
_FACELESS, _SOME = 0.02, 0.15
"""A crop with a smaller share of inner face shows none; one between the two is not asked."""
_KINDS = np.zeros(len(Segment), np.uint8)
"""The network's kind of each `Segment`: clothes are background, occluders move up."""
_KINDS[:PARTS] = range(PARTS)
_KINDS[Segment.CLOTHES] = Segment.BACKGROUND
_KINDS[Segment.OCCLUDER] = PARTS - 1


@dataclass(frozen=True, eq=False)
class LandmarkBatch:
    """Crops with their truth."""

    crops: Tensor
    """float32 (n, 3, 128, 128), RGB, 0…1."""
    points: Tensor
    """float32 (n, 200, 2), x and y, 0…1 across the crop."""
    visible: Tensor
    """float32 (n, 200): 1 where the point is seen."""
    rotation: Tensor
    """float32 (n, 3, 3) head → camera as the crop shows it."""
    present: Tensor
    """float32 (n,): 1 a face, 0 none; its points then mean nothing."""
    asked: Tensor
    """float32 (n,): 0 where a part of a face is too little to say."""
    parts: Tensor
    """float32 (n, 7, 64, 64): the share of each kind in each pixel."""

    def __len__(self) -> int:
        return len(self.crops)


def landmark_batches(
    sources: Sequence[Lessons], *, batch: int, seed: int, spoil: Spoil = SPOIL
) -> Callable[[int], LandmarkBatch]:
    """Batches as a pure function of the step: crops of all sources alike, missed, most spoilt."""
    clean = int(batch * _CLEAN)

    def prepare(step: int) -> LandmarkBatch:
        rng = np.random.default_rng((seed, step))
        halves = [_missed(sources, batch - clean, rng, spoil)]
        if clean:
            halves.append(_missed(sources, clean, rng, Spoil.none()))
        columns = zip(*(vars(half).values() for half in halves), strict=True)
        return LandmarkBatch(*(torch.cat(column) for column in columns))

    return prepare


def _missed(sources: Sequence[Lessons], count: int, rng: Generator, spoil: Spoil) -> LandmarkBatch:
    chosen = [sources[int(rng.integers(len(sources)))] for _ in range(count)]
    rows = [(lessons, int(rng.integers(len(lessons)))) for lessons in chosen]
    present = rng.random(count) >= _NONE
    views = [
        enlarged((missed if there else elsewhere)(align(lessons.points[row][:68]), rng), MARGIN)
        for (lessons, row), there in zip(rows, present, strict=True)
    ]
    return drawn(rows, views, present, seed=int(rng.integers(2**31)), spoil=spoil)


def drawn(
    rows: Sequence[tuple[Lessons, int]],
    views: Sequence[Matrix],
    present: NDArray[np.bool_],
    *,
    seed: int,
    spoil: Spoil,
) -> LandmarkBatch:
    """Rows of lessons as the network reads them through these views, then spoilt."""
    seen = [(lessons, row, view) for (lessons, row), view in zip(rows, views, strict=True)]
    shown = np.stack([crop(np.asarray(some.pictures[k]), view, SIZE) for some, k, view in seen])
    segments = np.stack([_labels(some.segments[k], view) for some, k, view in seen])
    points = np.stack([apply(view, some.points[k]) for some, k, view in seen]).astype(np.float32)
    spoilt = randomise(
        torch.from_numpy(shown).permute(0, 3, 1, 2).float().div(255).contiguous(),
        torch.from_numpy(segments),
        torch.from_numpy(points * SIZE - 0.5),
        seed=seed,
        spoil=spoil,
    )
    inside = ((points > 0) & (points < 1)).all(-1)
    visible = np.stack([some.visible[k] for some, k, _ in seen]) & inside & ~spoilt.covered.numpy()
    rotation = np.stack([rolled(view) @ some.rotation[k] for some, k, view in seen])
    inner = np.isin(segments, (Segment.FACE, Segment.EYES, Segment.MOUTH)).mean((1, 2))
    there = np.where(present, inner > _FACELESS, inner > _SOME)
    asked = present | (inner < _FACELESS) | (inner > _SOME)
    return LandmarkBatch(
        crops=spoilt.pictures,
        points=torch.from_numpy(points),
        visible=torch.from_numpy(visible).float(),
        rotation=torch.from_numpy(rotation).float(),
        present=torch.from_numpy(there & present).float(),
        asked=torch.from_numpy(asked & (there == present)).float(),
        parts=shares(spoilt.segments),
    )


def shares(segments: Tensor) -> Tensor:
    """(n, h, w) of `Segment` → float32 (n, 7, h/2, w/2): the share of each kind in each pixel."""
    kinds = _KINDS[segments.numpy()]
    each = [kinds == kind for kind in range(PARTS)]
    # Four bytes added: several times faster than the mean of one-hot floats.
    rows = [one[:, ::2].view(np.uint8) + one[:, 1::2].view(np.uint8) for one in each]
    counts = np.stack([one[..., ::2] + one[..., 1::2] for one in rows], 1)
    return torch.from_numpy(counts).float() / 4


def missed(matrix: Matrix, rng: Generator) -> Matrix:
    """A unit crop that missed: as one that follows a face does, or as a cascade's guess does.

    Standard deviations of turn, size and shift: 4°, 4 %, 2 % in six of ten, else 10°, 11 %, 6 %.
    """
    turn, size, shift = (4.0, 0.04, 0.02) if rng.random() < 0.6 else (10.0, 0.11, 0.06)
    angle = np.deg2rad(np.clip(rng.normal(0, turn), -25, 25))
    scale = np.exp(np.clip(rng.normal(0, size), -0.25, 0.25))
    away = np.clip(rng.normal(0, shift, 2), -0.15, 0.15)
    out = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([out @ matrix[:, :2], out @ (matrix[:, 2] - 0.5) + 0.5 + away])


def elsewhere(matrix: Matrix, rng: Generator) -> Matrix:
    """A crop beside the face, or one so near or so far that it shows no whole face."""
    scale = np.exp(rng.uniform(-0.5, 1.0))
    way = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.2:
        scale, far = rng.choice([0.25, 4.0]), 0.0
    else:
        far = rng.uniform(0.75, 1.5) * max(1.0, scale)
    shift = far * np.array([np.cos(way), np.sin(way)])
    return np.column_stack([matrix[:, :2] * scale, (matrix[:, 2] - 0.5) * scale + 0.5 + shift])


def _labels(segments: NDArray[np.uint8], view: Matrix) -> NDArray[np.uint8]:
    inside = to_pixels(view, SIZE)
    out = cv2.warpAffine(
        np.asarray(segments), inside, (SIZE, SIZE),
        flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    return np.asarray(out, np.uint8)
