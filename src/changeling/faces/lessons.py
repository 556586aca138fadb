"""What the landmark network learns from: rendered actors with their truth, jittered and spoilt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from changeling.actors import Actor, Performance, render
from changeling.faces.alignment import MIRROR, Matrix, align, apply, crop, enlarged
from changeling.faces.detect import Grey
from changeling.faces.landmarks import MARGIN, SIZE, LandmarkBatch
from changeling.media import Tick, silent, writing

_NONE = 0.2
"""Share of a batch that shows no face."""


@dataclass(frozen=True)
class Lessons:
    """Which actors are rendered, and how; names the cache."""

    actors: int = 80
    """How many actors."""
    performances: int = 12
    """Performances of each actor, each with its own light, camera and background."""
    frames: int = 8
    """Frames of each performance, evenly spread."""
    size: int = 160
    """Side of the square renders in pixels."""
    first: int = 10_000
    """Seed of the first face; films, demo and benchmarks use smaller ones."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The renders of one actor."""

    pictures: NDArray[np.uint8]
    """(n, size, size) grey."""
    points: NDArray[np.float32]
    """(n, 68, 2) landmarks in pixels."""


def render_lessons(lessons: Lessons, cache: Path, *, tick: Tick = silent) -> tuple[Sheet, ...]:
    """One memory-mapped sheet an actor; what `cache` already holds is not rendered again."""
    cache.mkdir(parents=True, exist_ok=True)
    sheets = []
    for index in range(lessons.actors):
        sheets.append(_sheet(lessons, lessons.first + index, cache))
        tick(index + 1, lessons.actors)
    return tuple(sheets)


def landmark_batches(
    sheets: Sequence[Sheet], *, batch: int, seed: int
) -> Callable[[int], LandmarkBatch]:
    """Batches as a pure function of the step: every picture jittered, mirrored and spoilt."""

    def prepare(step: int) -> LandmarkBatch:
        rng = np.random.default_rng((seed, step))
        samples = [_sample(sheets[int(rng.integers(len(sheets)))], rng) for _ in range(batch)]
        crops, points, present = zip(*samples, strict=True)
        return LandmarkBatch(
            torch.from_numpy(np.stack(crops))[:, None].float() / 255,
            torch.from_numpy(np.stack(points)).float(),
            torch.tensor(present, dtype=torch.float32),
        )

    return prepare


def jittered(matrix: Matrix, rng: Generator) -> Matrix:
    """A unit crop that missed: ±15° turned, a fifth too wide or narrow, an eighth shifted."""
    angle = np.deg2rad(np.clip(rng.normal(0, 7), -15, 15))
    scale = np.exp(np.clip(rng.normal(0, 0.1), -0.22, 0.22))
    shift = np.clip(rng.normal(0, 0.06, 2), -0.14, 0.14)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn @ matrix[:, :2], turn @ (matrix[:, 2] - 0.5) + 0.5 + shift])


def spoilt(picture: Grey, rng: Generator) -> Grey:
    """A (size, size) grey crop after a poor camera: light, blur, noise, JPEG, things in front."""
    size = len(picture)
    if rng.random() < 0.3:
        x, y = rng.integers(-size // 4, size, 2)
        wide, high = rng.integers(size // 6, size // 2, 2)
        picture = picture.copy()
        picture[max(0, y) : max(0, y + high), max(0, x) : max(0, x + wide)] = rng.integers(256)
    if rng.random() < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.6))
    light = np.arange(256) / 255.0
    light = light ** np.exp(rng.normal(0, 0.3)) * rng.uniform(0.5, 1.2) + rng.uniform(-0.1, 0.2)
    picture = np.rint(np.clip(light, 0, 1) * 255).astype(np.uint8)[picture]
    if rng.random() < 0.4:
        noise = rng.normal(0, rng.uniform(1, 10), picture.shape)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        _, code = cv2.imencode(
            ".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))]
        )
        picture = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.uint8)
    return picture


def _sheet(lessons: Lessons, face: int, cache: Path) -> Sheet:
    name = f"{face}-{lessons.performances}x{lessons.frames}-{lessons.size}"
    pictures, points = cache / f"{name}.pictures.npy", cache / f"{name}.points.npy"
    if not points.exists():
        drawn = _draw(lessons, face)
        for path, array in ((pictures, drawn.pictures), (points, drawn.points)):
            with writing(path, overwrite=True) as beside:
                np.save(beside, array)
    return Sheet(np.load(pictures, mmap_mode="r"), np.load(points))


def _draw(lessons: Lessons, face: int) -> Sheet:
    pictures, points = [], []
    for index in range(lessons.performances):
        performance = Performance.from_seed(face * 10 + index)
        frames = np.linspace(0, len(performance) - 1, lessons.frames).round().astype(int).tolist()
        size = (lessons.size, lessons.size)
        for shot in render(Actor(face, face), performance, size=size, frames=frames):
            pictures.append(cv2.cvtColor(shot.frame.pixels, cv2.COLOR_RGB2GRAY))
            points.append(shot.truth.landmarks)
    return Sheet(np.stack(pictures), np.stack(points))


def _sample(sheet: Sheet, rng: Generator) -> tuple[Grey, NDArray[np.float64], bool]:
    row = int(rng.integers(len(sheet.points)))
    picture, points = np.asarray(sheet.pictures[row]), sheet.points[row]
    matrix = align(points)
    present = bool(rng.random() >= _NONE)
    around = enlarged(jittered(matrix, rng) if present else _elsewhere(matrix, rng), MARGIN)
    small, goal = crop(picture, around, SIZE), apply(around, points)
    if rng.random() < 0.5:
        small = np.ascontiguousarray(small[:, ::-1])
        goal = (np.array([1, 0]) + np.array([-1, 1]) * goal)[MIRROR]
    return spoilt(small, rng), goal, present


def _elsewhere(matrix: Matrix, rng: Generator) -> Matrix:
    """A crop beside the face, or one so near or so far that it shows no whole face."""
    scale = np.exp(rng.uniform(-0.5, 1.0))
    way = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.2:
        scale, far = rng.choice([0.3, 4.0]), 0.0
    else:
        far = rng.uniform(0.75, 1.5) * max(1.0, scale)
    shift = far * np.array([np.cos(way), np.sin(way)])
    return np.column_stack([matrix[:, :2] * scale, (matrix[:, 2] - 0.5) * scale + 0.5 + shift])
