"""How near the fit of the morphable model comes to the truth, and how long it takes.

`python -m benchmarks.fitting` fits random actors in random performances, 256 × 256 pixels with the
outer corners of the eyes about 72 pixels apart: the true 200 landmarks with a pixel of noise.
Shapes are compared on the inner face, after the similarity that brings them nearest.
"""

import json
import time
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from statistics import fmean

import numpy as np
import tyro

from changeling.actors import ACTIONS, Performance
from changeling.actors.actor import face_traits, styling_traits
from changeling.actors.body import resting
from changeling.actors.camera import AXES, PIVOT, turned
from changeling.actors.model import model as head
from changeling.faces.fitted import Fit, FrameFit, Marked, project
from changeling.faces.fitting import fit_frames, track_frame
from changeling.faces.morphable import Floats, MorphableModel
from changeling.faces.morphable_making import face_vertices, unit_head
from changeling.media import writing

SIZE = 256
APART = 72.0
"""Pixels between the outer corners of the eyes."""
FIRST = 95_000
"""Seed of the first actor; the model was made of others."""
KEYS, TRACKED, FRAMES = 8, 50, 400
"""Frames that are fitted together, that are followed one by one, and in all."""


@dataclass(frozen=True, eq=False)
class Scene:
    """An actor's performance as the truth has it."""

    rest: Floats
    """(v, 3) the face's vertices of a head of average size."""
    shapes: Floats
    """(frames, v, 3) in metres, OpenCV's axes, in the head's own place."""
    moved: Floats
    """(frames, v, 3) what the actions add."""
    frames: tuple[FrameFit, ...]
    focal: float

    def points(self, index: int) -> Floats:
        """(v, 2) pixels."""
        return project(self.shapes[index], self.frames[index], self.focal, (SIZE, SIZE))


@dataclass(frozen=True)
class Errors:
    """Means over frames."""

    landmarks: float
    """Pixels to the true landmarks."""
    vertices: float
    """Pixels to the true vertices of the inner face."""
    rotation: float
    """Degrees."""
    expression: float
    """Millimetres between what the fitted and the true actions add."""
    expressionless: float
    """The same without any actions."""


@dataclass(frozen=True)
class Figures:
    """What is printed and kept."""

    actors: int
    noise: float
    single: Errors
    tracked: Errors
    neutral_one: float
    """Millimetres between the true face in rest and that of a fit of one frame."""
    neutral_eight: float
    neutral_mean: float
    """Of the mean face."""
    single_ms: float
    eight_ms: float
    tracked_ms: float


def scene(actor: int, model: MorphableModel, frames: int) -> Scene:
    """A random actor in a random performance, so near that the eyes are as far apart as asked."""
    used, m = face_vertices(), head()
    rest = resting(face_traits(actor), styling_traits(actor))[used] @ AXES.T
    performance = Performance.from_seed(actor, seconds=frames / 25)
    assert tuple(m.action_names) == ACTIONS
    moved = np.tensordot(performance.actions, m.actions[:, used], 1) @ AXES.T
    pivot, focal = AXES @ np.array(PIVOT), 1.9 * SIZE
    held = []
    for k in range(frames):
        rotation = AXES @ turned(performance.turn[k]) @ AXES.T
        place = AXES @ performance.position[k] + pivot - rotation @ pivot
        corners = model.landmarks[[36, 45]]
        apart = float(np.linalg.norm(rest[corners[1]] - rest[corners[0]]))
        scale = APART / apart
        held.append(FrameFit(rotation, scale * place[:2], scale, performance.actions[k]))
    return Scene(unit_head(actor, actor)[used], rest + moved, moved, tuple(held), focal)


def seen(
    true: Scene, model: MorphableModel, index: int, noise: float, r: np.random.Generator
) -> Marked:
    """The landmarks of a frame with noise."""
    points = true.points(index)[model.landmarks]
    return Marked(points + noise * r.normal(size=points.shape), np.ones(len(points)), (SIZE, SIZE))


def errors(true: Scene, model: MorphableModel, fit: Fit, indices: list[int]) -> Errors:
    """Compare each frame of a fit with the truth."""
    inner, rows = model.inner > 0, []
    for frame, k in zip(fit.frames, indices, strict=True):
        points = project(model.shape(fit.identity, frame.actions), frame, fit.focal, (SIZE, SIZE))
        away = np.linalg.norm(points - true.points(k), axis=1)
        turn = frame.rotation @ true.frames[k].rotation.T
        angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
        added = np.tensordot(frame.actions, model.moves, 1)
        moved = [
            np.linalg.norm(x[inner], axis=1).mean() * 1000
            for x in (added - true.moved[k], true.moved[k])
        ]
        rows.append(Errors(away[model.landmarks].mean(), away[inner].mean(), float(angle), *moved))
    return _mean(rows)


def _mean(rows: list[Errors]) -> Errors:
    return Errors(*(fmean(getattr(row, field.name) for row in rows) for field in fields(Errors)))


def apart(one: Floats, other: Floats) -> float:
    """Mean distance in millimetres after the similarity that brings `one` nearest to `other`.

    Umeyama, "Least-squares estimation of transformation parameters", 1991.
    """
    a, b = one - one.mean(0), other - other.mean(0)
    u, lengths, v = np.linalg.svd(a.T @ b)
    scale = lengths.sum() / (a**2).sum()
    return float(np.linalg.norm(scale * a @ (u @ v) - b, axis=1).mean() * 1000)


@dataclass(frozen=True)
class Row:
    """What one actor's fits are worth."""

    single: Errors
    tracked: Errors
    neutral: tuple[float, float, float]
    """Of one frame, of eight, of the mean face."""
    milliseconds: tuple[float, float, float]
    """One frame, eight frames, one that is followed (the median)."""


def row(actor: int, model: MorphableModel, noise: float, r: np.random.Generator) -> Row:
    """Fit an actor's performance."""
    true, clock = scene(actor, model, FRAMES), time.perf_counter
    keys = np.linspace(0, FRAMES - 1, KEYS).round().astype(int).tolist()
    marked = [seen(true, model, k, noise, r) for k in keys]
    times = [clock()]
    one = fit_frames(model, marked[:1])
    times.append(clock())
    fit = fit_frames(model, marked)
    times.append(clock())
    followed: list[FrameFit] = []
    for k in range(TRACKED):
        now = seen(true, model, k, noise, r)
        last = followed[-1] if followed else None
        followed += track_frame(model, now, fit, last).frames
        times.append(clock())
    inner, still = model.inner > 0, np.zeros(len(model.moves))
    neutral = [
        apart(model.shape(x, still)[inner], true.rest[inner])
        for x in (one.identity, fit.identity, 0 * fit.identity)
    ]
    taken = 1000 * np.diff(times)
    return Row(
        single=errors(true, model, one, keys[:1]),
        tracked=errors(true, model, replace(fit, frames=tuple(followed)), list(range(TRACKED))),
        neutral=(neutral[0], neutral[1], neutral[2]),
        milliseconds=(float(taken[0]), float(taken[1]), float(np.median(taken[2:]))),
    )


def main(actors: int = 20, noise: float = 1.0, seed: int = 0, out: Path | None = None) -> None:
    """Fit and compare.

    Args:
        actors: Random actors, each in a performance of its own.
        noise: Deviation of the landmarks' noise, in pixels.
        seed: Of the noise.
        out: JSON file for the figures.
    """
    model, r = MorphableModel.load(), np.random.default_rng(seed)
    rows = [row(actor, model, noise, r) for actor in range(FIRST, FIRST + actors)]
    # The fastest of all: what the least disturbed one showed.
    fastest = np.min([one.milliseconds for one in rows], 0).tolist()
    figures = Figures(
        actors,
        noise,
        _mean([one.single for one in rows]),
        _mean([one.tracked for one in rows]),
        *np.mean([one.neutral for one in rows], 0).tolist(),
        *fastest,
    )
    print(json.dumps(asdict(figures), indent=2))
    if out is not None:
        with writing(out, overwrite=True) as beside:
            beside.write_text(json.dumps(asdict(figures), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
