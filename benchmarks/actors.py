"""How fast actors are drawn, and whether a detector that never saw one finds their faces.

`python -m benchmarks.actors --write docs/actors.md` measures;
`python -m benchmarks.actors --sheet docs/images/actors.png` only draws actors for that page.
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

from benchmarks.documents import write_between
from changeling.actors import Actor, Performance, Shot, render
from changeling.faces import crop
from changeling.media import Pixels, write_image, writing
from changeling.provenance import Credential, Source, publish
from changeling.study.films import strip
from changeling.training import to_json

SIZES = ((640, 360), (128, 128))
DRAWN = tuple(Actor(seed, seed) for seed in (1, 7, 10, 14))
"""Curly, swept, side-parted and long hair."""
YAW, PITCH = np.deg2rad(25), np.deg2rad(15)
FIRST = 500
"""Seed of the first of the actors that the cascade looks for."""
FACES = (7, 2, 1, 4, 10, 14)
"""Seeds of the faces and stylings of the sheet."""
SHOWN = Performance.from_seed(7, seconds=20)
MOMENT = 40
MOMENTS = (40, 110, 180, 250, 320, 390)
TILE = 136


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


def sheet() -> Pixels:
    """Four rows of six: other actors; one face under other stylings; other faces under one styling
    in one performance; one actor in one performance."""
    alike, first = FACES[0], FACES[1]
    rows = [
        [(Actor(seed, seed), MOMENT) for seed in FACES],
        [(Actor(first, seed), MOMENT) for seed in FACES],
        [(Actor(seed, alike), MOMENT) for seed in FACES],
        [(Actor(first, alike), moment) for moment in MOMENTS],
    ]
    strips = [strip([_portrait(actor, moment) for actor, moment in row]) for row in rows]
    gap = np.full((2, *strips[0].shape[1:]), 255, np.uint8)
    return np.vstack([part for row in strips for part in (gap, row)][1:])


def _portrait(actor: Actor, moment: int) -> Pixels:
    """The head and the neck, cut out of a picture of twice the size."""
    (shot,) = render(actor, SHOWN, size=(640, 480), frames=[moment])
    x, y = shot.truth.landmarks.mean(0)
    height = float(np.ptp(shot.truth.landmarks[:, 1]))
    y, half = y - 0.15 * height, 1.02 * height
    matrix = np.array([[1, 0, half - x], [0, 1, half - y]]) / (2 * half)
    return crop(shot.frame.pixels, matrix, TILE)


def table(figures: Figures) -> str:
    """The figures in Markdown."""
    lines = ["| what | figure |", "|---|--:|"]
    for speed in figures.speeds:
        lines.append(
            f"| frames a second at {speed.width}×{speed.height}, median of the rounds "
            f"(slowest) | {speed.median:.0f} ({speed.slowest:.0f}) |"
        )
    lines.append(
        f"| of {figures.frames} frames, those in which OpenCV's frontal cascade, taught on "
        f"photographs, finds the face | {figures.found:.1%} |"
    )
    return "\n".join(lines)


def main(
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("benchmarks/results/actors.json"),
    rounds: int = 3,
    actors: int = 50,
    frames: int = 20,
    write: Path | None = None,
    sheet_to: Annotated[Path | None, tyro.conf.arg(name="sheet")] = None,
) -> None:
    """Measure speed and realism of the renderer.

    Args:
        out: JSON file to write the figures to.
        rounds: Timed rounds over four actors; one more warms up.
        actors: Actors that the cascade looks for.
        frames: Frames of each.
        write: Document, such as docs/actors.md, to put the figures into, between its markers.
        sheet_to: Picture to draw of some actors; nothing is measured then.
    """
    if sheet_to is not None:
        with publish(
            sheet_to, Credential(sheet_to.name, Source.RENDERED), overwrite=True
        ) as beside:
            write_image(beside, sheet())
        return
    figures = Figures(speeds(rounds), actors * frames, found(actors, frames))
    print(table(figures))
    with writing(out, overwrite=True) as beside:
        beside.write_text(json.dumps(to_json(figures), indent=2) + "\n", encoding="utf-8")
    if write is not None:
        write_between(write, "actors", table(figures))


if __name__ == "__main__":
    tyro.cli(main)
