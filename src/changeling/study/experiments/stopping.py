"""The study when-to-stop: the truth while a family learns, and what tells it without a truth."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.faces import Tracker, crop
from changeling.measuring import Eyes, HeldOut, Memory, progress_of, read_samples
from changeling.media import writing
from changeling.study.experiments import face_to_face
from changeling.study.experiments.experiment import Cell, Extent, Place, Study
from changeling.study.experiments.following import taken
from changeling.study.experiments.material import A, B, Clip, Films
from changeling.study.experiments.stopping_page import page
from changeling.study.experiments.swapping import Trained, swap_size
from changeling.study.results import CellResult, Measurement
from changeling.training import Budget, Run, from_json, to_json

NAME = "when-to-stop"
_GROWTH = 1.5
"""Each look comes after half as much training again as the one before."""
_FRAMES = 25
"""Consecutive frames of each clip that are asked about."""
_LEARNT = 50
"""Faces learnt from that stand for all."""


@dataclass(frozen=True)
class Look:
    """What was measured after so much training; a file of the cell's folder."""

    steps: int
    seconds: float
    measurements: tuple[Measurement, ...]
    memory: float = 0.0
    """Bytes that training took since the look before (see `CellResult`)."""


@dataclass(frozen=True)
class Watched:
    """A family that is measured again and again while it is trained."""

    trained: Trained
    looks: int = 12
    """How often."""
    steps: tuple[int, ...] = ()
    """After how many steps; none: after ever longer training."""

    @property
    def name(self) -> str:
        """As of the training."""
        return self.trained.name

    @property
    def family(self) -> str:
        """As of the training."""
        return self.trained.family

    @property
    def data(self) -> str:
        """The pair."""
        return self.trained.data

    @property
    def seed(self) -> int:
        """As of the training."""
        return self.trained.seed

    @property
    def budget(self) -> Budget:
        """As of the training."""
        return self.trained.budget

    def within(self, budget: Budget) -> Self:
        """The same with another budget."""
        return replace(self, trained=self.trained.within(budget))

    def looks_of(self, result: CellResult) -> tuple[int, ...]:
        """After how many steps it was looked at."""
        return tuple(sorted({round(one.at) for one in result.measurements if one.at is not None}))

    def at(self, looks: tuple[int, ...]) -> Self:
        """The same, looked at after so many steps and trained until the last."""
        return replace(self.within(Budget(None, looks[-1])), steps=looks)

    def prepare(self, place: Place) -> None:
        """Film the pair."""
        self.trained.prepare(place)

    def run(self, place: Place) -> CellResult:
        """Train from look to look. Looks that were made are not made again, but for the last.

        That one is of the network that the run holds, so that it can be measured again.
        """
        made: dict[int, Look] = {}
        films = self.trained.material.films(place)
        asked = list(_asked(films, self.trained.config.size))
        row = list(self._budgets())
        for index, budget in enumerate(row):
            path = place.cell(self.name) / "looks" / f"{index:02}.json"
            if path.exists() and index + 1 < len(row):
                data = json.loads(path.read_text(encoding="utf-8"))
                look = from_json(Look, data, where=str(path))
            else:
                look = self._look(place, budget, asked)
                if not path.exists():
                    _keep(look, path)
            made[look.steps] = look
        run = Run(place.cell(self.name) / "run")
        measured = (one for look in made.values() for one in look.measurements)
        size = swap_size(run, self.trained.network(run, place))
        return CellResult(
            self.name, self.family, self.data, self.seed, "done", taken(run).trouble,
            steps=look.steps, seconds=look.seconds,
            memory=max(one.memory for one in made.values()),
            samples=self.trained.samples(look.steps), measurements=(*measured, *size),
        )  # fmt: skip

    def _budgets(self) -> Iterator[Budget]:
        if self.steps:
            return (Budget(None, steps) for steps in self.steps)
        return budgets(self.budget, self.looks)

    def _look(self, place: Place, budget: Budget, asked: Sequence[HeldOut]) -> Look:
        with Memory(place.runtime.device) as memory:
            run = self.trained.within(budget).train(place)
        took = taken(run)
        swaps = self.trained.network(run, place)
        eyes = Eyes.load()
        measured: list[Measurement] = []
        for index, held_out in enumerate(asked):
            for group in progress_of(swaps, held_out, eyes):
                kind = type(group).__name__.lower()
                measured += [
                    Measurement(
                        f"{kind}_{field.name}",
                        getattr(group, field.name),
                        f"clip {index + 1}",
                        at=float(took.steps),
                    )
                    for field in fields(group)
                ]
        return Look(took.steps, took.seconds, tuple(measured), memory.taken)


def _keep(look: Look, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path) as beside:
        beside.write_text(json.dumps(to_json(look), indent=1) + "\n", encoding="utf-8")


def budgets(whole: Budget, looks: int) -> Iterator[Budget]:
    """How far training goes before each look: a geometric row that ends with the whole."""
    for index in reversed(range(looks)):
        share = _GROWTH**-index
        minutes = None if whole.minutes is None else whole.minutes * share
        steps = None if whole.steps is None else max(1, round(whole.steps * share))
        yield Budget(minutes, steps)


def _asked(films: Films, side: int) -> Iterator[HeldOut]:
    for clip in films.clips:
        own = A if clip.to == B else B
        crops = [
            cv2.resize(one, (side, side), interpolation=cv2.INTER_AREA)
            for one in films.some(clip.to, _LEARNT)
        ]
        yield _held_out(clip, own, np.stack(crops))


def _held_out(clip: Clip, own: str, learnt: NDArray[np.uint8]) -> HeldOut:
    """The first frames of a clip, as the extractor cuts them out."""
    source, target, side = Tracker(), Tracker(), learnt.shape[1]
    rows = []
    for _, sample in zip(range(_FRAMES), read_samples(clip.performance, clip.truth), strict=False):
        found, true = source.find(sample.performance), target.find(sample.truth)
        if found and true and sample.inner.any():
            inner = crop(sample.inner.astype(np.uint8) * 255, true[0].matrix, side) > 127
            rows.append(
                (
                    crop(sample.performance, found[0].matrix, side),
                    crop(sample.truth, true[0].matrix, side),
                    inner,
                    found[0].mask(side) > 0.5,
                )
            )
    faces, answers, inner, shown = (np.stack(part) for part in zip(*rows, strict=True))
    return HeldOut(clip.to, own, faces, answers, inner, shown, learnt)


def cells(extent: Extent) -> Sequence[Cell]:
    """The families of face-to-face on the first pair."""
    minutes = {"laptop": 20.0, "full": 28.0}
    quick = extent == "quick"
    budget = Budget(None, 80) if quick else Budget(minutes[extent])
    return tuple(
        Watched(replace(cell, budget=budget), 6 if quick else 12)
        for cell in face_to_face.swaps(extent)
        if isinstance(cell, Trained) and cell.material.pair == face_to_face.FIRST
    )


WHEN_TO_STOP = Study(
    NAME, "When is a swap at its best, and what tells so without the truth?", cells, page
)
