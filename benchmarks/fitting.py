"""How near the fit of the morphable model comes to the truth, and how long it takes.

`python -m benchmarks.fitting --write docs/fitting.md` fits random actors in random performances,
256 × 256 pixels with the outer corners of the eyes about 72 pixels apart: the true 200 landmarks
with a pixel of noise, and what the landmark network sees. Shapes are compared on the inner face,
after the similarity that brings them nearest.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from statistics import fmean

import numpy as np
import tyro

from benchmarks.documents import write_between
from benchmarks.fitting_truth import SIZE, Scene, scene
from changeling.actors import Shot, render
from changeling.faces import Tracker
from changeling.faces.fitted import Fit, FrameFit, Marked, project
from changeling.faces.fitting import fit_frames, track_frame
from changeling.faces.fitting_video import Look, followed, key_frames, look_at, read_off
from changeling.faces.morphable import Floats, MorphableModel
from changeling.media import writing

RESULTS = Path("benchmarks/results/fitting.json")
FIRST = 95_000
"""Seed of the first actor; the model was made of others."""
KEYS, TRACKED, FRAMES = 8, 50, 400
"""Frames that are fitted together, that are followed one by one, and in all."""


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
    """What is kept and shown."""

    actors: int
    noise: float
    seed: int
    single: Errors
    """True landmarks with noise, one frame."""
    tracked: Errors
    """The same, followed after eight key frames."""
    learned: Errors
    """What the landmark network sees, followed after eight key frames."""
    neutral_mean: float
    """Millimetres between the true face in rest and the mean face."""
    neutral_one: float
    """And that of a fit of one frame."""
    neutral_eight: float
    neutral_learned: float
    """And that of a fit of eight frames as the landmark network sees them."""
    single_ms: float
    eight_ms: float
    tracked_ms: float


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
    neutral: tuple[float, ...]
    """Of the mean face, of one frame, of eight."""
    milliseconds: tuple[float, float, float]
    """One frame, eight frames, one that is followed (the median)."""


def row(seed: int, model: MorphableModel, noise: float, r: np.random.Generator) -> Row:
    """Fit an actor's performance."""
    true, clock = scene(seed, FRAMES), time.perf_counter
    marked = [seen(true, model, k, noise, r) for k in _keys()]
    times = [clock()]
    one = fit_frames(model, marked[:1])
    times.append(clock())
    fit = fit_frames(model, marked)
    times.append(clock())
    frames: list[FrameFit] = []
    for k in range(TRACKED):
        now = seen(true, model, k, noise, r)
        frames += track_frame(model, now, fit, frames[-1] if frames else None).frames
        times.append(clock())
    taken = 1000 * np.diff(times)
    return Row(
        single=errors(true, model, one, _keys()[:1]),
        tracked=errors(true, model, replace(fit, frames=tuple(frames)), list(range(TRACKED))),
        neutral=_neutral(true, model, [0 * fit.identity, one.identity, fit.identity]),
        milliseconds=(float(taken[0]), float(taken[1]), float(np.median(taken[2:]))),
    )


def learned(seed: int, model: MorphableModel) -> tuple[Errors, float]:
    """The same with what the landmark network sees, and how near the face in rest comes."""
    true = scene(seed, FRAMES)
    wanted = sorted({*_keys(), *range(TRACKED)})
    shots = render(true.actor, true.performance, size=(SIZE, SIZE), frames=wanted, coarse=True)
    looks = dict(zip(wanted, read_off(list(_looks(shots))), strict=True))
    keys = key_frames([looks[k] for k in _keys()])
    fit = fit_frames(model, [look.marked for look in keys if look.marked is not None])
    found = list(followed(model, [looks[k] for k in range(TRACKED)], fit))
    good = [(k, one.frame) for k, one in enumerate(found) if one.frame is not None]
    whole = replace(fit, frames=tuple(frame for _, frame in good))
    return errors(true, model, whole, [k for k, _ in good]), _neutral(true, model, [fit.identity])[
        0
    ]


def _looks(shots: Iterable[Shot]) -> Iterator[Look]:
    tracker = Tracker()
    for shot in shots:
        face = next(iter(tracker.find(shot.frame.pixels)), None)
        yield look_at(shot.frame, face)


def _keys() -> list[int]:
    return np.linspace(0, FRAMES - 1, KEYS).round().astype(int).tolist()


def _neutral(true: Scene, model: MorphableModel, identities: list[Floats]) -> tuple[float, ...]:
    inner, still = model.inner > 0, np.zeros(len(model.moves))
    return tuple(apart(model.shape(x, still)[inner], true.rest[inner]) for x in identities)


def measure(actors: int, noise: float, seed: int) -> Figures:
    """Fit each of the actors in a performance of their own."""
    model, r = MorphableModel.load(), np.random.default_rng(seed)
    rows = [row(FIRST + k, model, noise, r) for k in range(actors)]
    seen_by_network = [learned(FIRST + k, model) for k in range(actors)]
    mean, one, eight = np.mean([each.neutral for each in rows], 0).tolist()
    # The fastest of all: what the least disturbed one showed.
    fastest = np.min([each.milliseconds for each in rows], 0).tolist()
    return Figures(
        actors,
        noise,
        seed,
        _mean([each.single for each in rows]),
        _mean([each.tracked for each in rows]),
        _mean([each for each, _ in seen_by_network]),
        mean,
        one,
        eight,
        fmean(each for _, each in seen_by_network),
        *fastest,
    )


def table(figures: Figures) -> str:
    """The figures as a table."""
    head = "| | one frame | followed | followed, learned landmarks |\n|---|--:|--:|--:|"
    names = {
        "landmarks": "landmarks to the truth, px",
        "vertices": "inner face to the truth, px",
        "rotation": "rotation, degrees",
        "expression": "expression, mm",
        "expressionless": "… without any, mm",
    }
    columns = (figures.single, figures.tracked, figures.learned)
    lines = [
        " | ".join([f"| {words}", *(f"{getattr(one, name):.2f}" for one in columns)]) + " |"
        for name, words in names.items()
    ]
    shapes = (figures.neutral_one, figures.neutral_eight, figures.neutral_learned)
    lines.append(" | ".join(["| face in rest, mm", *(f"{one:.2f}" for one in shapes)]) + " |")
    return "\n".join(
        [
            head,
            *lines,
            "",
            f"{figures.actors} actors, seed {figures.seed}, {figures.noise:g} px of noise. The "
            f"mean face is {figures.neutral_mean:.2f} mm from the true one. One frame takes "
            f"{figures.single_ms:.1f} ms, eight key frames {figures.eight_ms:.0f} ms, a followed "
            f"one {figures.tracked_ms:.1f} ms.",
        ]
    )


def main(actors: int = 20, noise: float = 1.0, seed: int = 0, write: Path | None = None) -> None:
    """Fit and compare.

    Args:
        actors: Random actors, each in a performance of its own.
        noise: Deviation of the landmarks' noise, in pixels.
        seed: Of the noise.
        write: Page to put the table in.
    """
    figures = measure(actors, noise, seed)
    print(table(figures))
    if write is not None:
        write_between(write, "fitting", table(figures))
        with writing(RESULTS, overwrite=True) as beside:
            beside.write_text(json.dumps(asdict(figures), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
