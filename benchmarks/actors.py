"""How fast actors are drawn, and whether a detector that never saw one finds their faces.

`python -m benchmarks.actors -o benchmarks/results/actors.json`
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Annotated

import cv2
import numpy as np
import tyro

from changeling.actors import Actor, Performance, Shot, render
from changeling.media import writing
from changeling.training import to_json

SIZES = ((640, 360), (128, 128))
DRAWN = tuple(Actor(seed, seed) for seed in (1, 7, 10, 14))
"""Curly, swept, side-parted and long hair."""
YAW, PITCH = np.deg2rad(25), np.deg2rad(15)
FIRST = 500
"""Seed of the first of the actors that the cascade looks for."""


@dataclass(frozen=True)
class Speed:
    """Frames a second at one size, once warm."""

    width: int
    height: int
    slowest: float
    median: float


@dataclass(frozen=True)
class Figures:
    """What the JSON file holds."""

    speeds: tuple[Speed, ...]
    frames: int
    found: float
    """Share of frames in which the cascade finds a box around the true face."""


def speeds(rounds: int) -> tuple[Speed, ...]:
    """Rounds over actors and sizes in turn, so that a slow minute of the machine hits all alike."""
    performance = Performance.from_seed(1, seconds=4)
    taken: dict[tuple[int, int], list[float]] = {size: [] for size in SIZES}
    for turn in range(rounds + 1):
        for actor in DRAWN:
            for size in SIZES:
                start = time.perf_counter()
                count = sum(1 for _ in render(actor, performance, size=size))
                if turn:
                    taken[size].append(count / (time.perf_counter() - start))
    return tuple(Speed(*size, min(all_), median(all_)) for size, all_ in taken.items())


def found(actors: int, frames: int) -> float:
    """Share of frames within ±25° yaw and ±15° pitch in which the cascade finds the face."""
    cascade = cv2.CascadeClassifier(
        str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml")
    )
    hits = [
        _hit(cascade, shot)
        for seed in range(FIRST, FIRST + actors)
        for shot in _shots(seed, frames)
    ]
    return float(np.mean(hits))


def _shots(seed: int, frames: int) -> Iterator[Shot]:
    performance = Performance.from_seed(seed, seconds=20)
    limit = np.array([YAW, PITCH, np.inf], np.float32)
    held = replace(performance, turn=np.clip(performance.turn, -limit, limit))
    chosen = np.linspace(0, len(held) - 1, frames).astype(int).tolist()
    return render(Actor(seed, seed), held, frames=chosen)


def _hit(cascade: cv2.CascadeClassifier, shot: Shot) -> bool:
    grey = cv2.cvtColor(shot.frame.pixels, cv2.COLOR_RGB2GRAY)
    x, y = shot.truth.landmarks.mean(0)
    boxes = cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=4)
    return any(left < x < left + w and top < y < top + h for left, top, w, h in boxes)


def main(
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("benchmarks/results/actors.json"),
    rounds: int = 3,
    actors: int = 50,
    frames: int = 20,
) -> None:
    """Measure speed and realism of the renderer.

    Args:
        out: JSON file to write the figures to.
        rounds: Timed rounds over four actors; one more warms up.
        actors: Actors that the cascade looks for.
        frames: Frames of each.
    """
    figures = Figures(speeds(rounds), actors * frames, found(actors, frames))
    for speed in figures.speeds:
        print(
            f"{speed.width}x{speed.height}: median {speed.median:.0f} frames/s, "
            f"slowest {speed.slowest:.0f}"
        )
    print(f"frontal cascade: {figures.found:.1%} of {figures.frames} frames")
    with writing(out, overwrite=True) as beside:
        beside.write_text(json.dumps(to_json(figures), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    tyro.cli(main)
