"""Renders that networks learn from: made once, kept in memory-mapped files named by their seeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from changeling.actors import Actor, Performance, Shot, render, varied
from changeling.errors import UserError
from changeling.faces.mapped import mapped_zeros
from changeling.media import Tick, silent, writing

SECONDS = 32.0
"""Length of the performances that frames are taken from: eight takes."""
_POINTS = 200
_NAME = re.compile(r"(varied|film)-(\d+)-(\d+)x(\d+)of(\d+)x(\d+)-(\d+)-(\d+\.\d+)")
_KEPT = 0.04
"""Share of the faces that are not learnt from, to examine with."""
_FEWEST = 4
"""Faces to teach with: two to learn from, two to examine with."""


class Plan(Protocol):
    """What is rendered: bodies, each in a performance, of which some frames are kept."""

    @property
    def name(self) -> str:
        """Names the cache's folder."""
        ...

    @property
    def bodies(self) -> int:
        """How many actors."""
        ...

    @property
    def frames(self) -> int:
        """Frames of each performance, evenly spread over its takes."""
        ...

    @property
    def size(self) -> int:
        """Side of the square renders in pixels."""
        ...

    def body(self, index: int) -> tuple[Actor, Performance]:
        """Actor number `index` and the performance: face by face, styling by styling."""
        ...


@dataclass(frozen=True)
class Renders:
    """Which actors are rendered, and how."""

    faces: int = 1500
    """How many faces."""
    first: int = 10_000
    """Seed of the first face; films, demo and benchmarks use smaller ones."""
    stylings: int = 2
    """Stylings of each face, each in a performance of its own."""
    wardrobe: int = 400
    """How many different stylings there are; faces share them, so that none tells who it is."""
    frames: int = 8
    """Frames of each performance, evenly spread over its takes."""
    size: int = 144
    """Side of the square renders in pixels; the square from brows to chin has about half of it."""
    varied: bool = True
    """Any pose, lens and light (`actors.varied`) instead of those of a film."""
    zoom: float = 1.25
    """How much nearer than in a film."""

    @property
    def name(self) -> str:
        """Names the cache's folder."""
        kind = "varied" if self.varied else "film"
        numbers = f"{self.faces}x{self.stylings}of{self.wardrobe}x{self.frames}"
        return f"{kind}-{self.first}-{numbers}-{self.size}-{self.zoom}"

    @classmethod
    def from_name(cls, name: str) -> Renders | None:
        """The renders that have this `name`; None for a name of something else."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        kind, *numbers, zoom = found.groups()
        first, faces, stylings, wardrobe, frames, size = map(int, numbers)
        return cls(faces, first, stylings, wardrobe, frames, size, kind == "varied", float(zoom))

    @property
    def bodies(self) -> int:
        """How many actors."""
        return self.faces * self.stylings

    def body(self, index: int) -> tuple[Actor, Performance]:
        """Actor number `index`, face by face, and the performance."""
        face, variant = self.first + index // self.stylings, index % self.stylings
        r = np.random.default_rng([face, 9])
        styling = int(r.permutation(self.wardrobe)[variant])
        seed = face * 10 + variant
        performance = Performance.from_seed(seed, seconds=SECONDS)
        if self.varied:
            performance = varied(performance, seed)
        nearer = replace(performance, focal=performance.focal * np.float32(self.zoom))
        return Actor(face, styling), nearer


@dataclass(frozen=True, eq=False)
class Lessons:
    """All rows, memory-mapped: face by face, styling by styling, frame by frame."""

    pictures: NDArray[np.uint8]
    """(n, size, size, 3) RGB."""
    segments: NDArray[np.uint8]
    """(n, size, size) of `actors.Segment`."""
    points: NDArray[np.float32]
    """(n, 200, 2) landmarks in pixels, the 68 first."""
    visible: NDArray[np.bool_]
    """(n, 200)."""
    rotation: NDArray[np.float32]
    """(n, 3, 3) head → camera, OpenCV's axes."""
    face: NDArray[np.int32]
    """(n,) seed of the face."""
    styling: NDArray[np.int32]
    """(n,) seed of the styling."""

    def __len__(self) -> int:
        return len(self.points)

    def rows(self, start: int, stop: int) -> Lessons:
        """Some of the rows."""
        return Lessons(**{name: getattr(self, name)[start:stop] for name in _SHAPES})

    def split(self, share: float) -> tuple[Lessons, Lessons]:
        """Lessons of the faces to learn from, and of the last `share`, two at least, to examine."""
        faces = np.unique(self.face)
        last = faces[-max(2, round(len(faces) * share))]
        border = int(np.searchsorted(self.face, last))
        return self.rows(0, border), self.rows(border, len(self))


_SHAPES: dict[str, tuple[type, tuple[int, ...]]] = {
    "pictures": (np.uint8, (0, 0, 3)),
    "segments": (np.uint8, (0, 0)),
    "points": (np.float32, (_POINTS, 2)),
    "visible": (np.bool_, (_POINTS,)),
    "rotation": (np.float32, (3, 3)),
    "face": (np.int32, ()),
    "styling": (np.int32, ()),
}


def render_lessons(
    plan: Plan,
    cache: Path,
    *,
    part: tuple[int, int] = (0, 1),
    tick: Tick = silent,
) -> Lessons:
    """The renders, from `cache` as far as it holds them; the rest is rendered, actor by actor.

    part: (k, of), only every `of`-th actor from the k-th on, for processes that share the work.
    Raises UserError when the disk has no room for all of them.
    """
    folder = cache / plan.name
    lessons, done = _open(folder, plan), _file(folder / "done.npy", np.bool_, (plan.bodies,))
    mine = range(part[0], plan.bodies, part[1])
    for count, index in enumerate(mine):
        if not done[index]:
            _draw(lessons, plan, index)
            done[index] = True
        tick(count + 1, len(mine))
    return lessons


def learnt_and_kept(
    renders: Renders, cache: Path, *, tick: Tick = silent
) -> tuple[Lessons, Lessons]:
    """Lessons of the faces to teach a network with, and of the few to examine it with.

    Raises UserError for fewer than four faces.
    """
    if renders.faces < _FEWEST:
        raise UserError(
            f"{renders.faces} faces are too few to learn from; give --actors {_FEWEST} or more."
        )
    return render_lessons(renders, cache, tick=tick).split(_KEPT)


def spread(frames: int, performance: Performance) -> list[int]:
    """Indices of so many frames, evenly spread over the performance."""
    # From the middle of each stretch, so that no frame lies on the border of two takes.
    return ((np.arange(frames) + 0.5) / frames * len(performance)).astype(int).tolist()


def _draw(lessons: Lessons, plan: Plan, index: int) -> None:
    actor, performance = plan.body(index)
    start = index * plan.frames
    for row, shot in enumerate(_shots(plan, actor, performance), start):
        lessons.pictures[row] = shot.frame.pixels
        lessons.segments[row] = shot.truth.segmentation
        lessons.points[row] = shot.truth.dense
        lessons.visible[row] = shot.truth.dense_visible
        lessons.rotation[row] = shot.truth.rotation
        lessons.face[row], lessons.styling[row] = actor.face, actor.styling


def _shots(plan: Plan, actor: Actor, performance: Performance) -> Iterator[Shot]:
    size, frames = (plan.size, plan.size), spread(plan.frames, performance)
    return render(actor, performance, size=size, frames=frames, coarse=True)


def _open(folder: Path, plan: Plan) -> Lessons:
    rows = plan.bodies * plan.frames
    return Lessons(
        **{
            name: _file(folder / f"{name}.npy", kind, (rows, *(n or plan.size for n in shape)))
            for name, (kind, shape) in _SHAPES.items()
        }
    )


def _file(path: Path, kind: type, shape: tuple[int, ...]) -> np.memmap:
    """A memory-mapped array in a file of its own; a new one is zeros."""
    if not path.exists():
        try:
            with writing(path) as beside:
                mapped_zeros(beside, kind, shape)
        except UserError:
            if not path.exists():  # which it does when another process was faster
                raise
    return np.lib.format.open_memmap(path, "r+")
