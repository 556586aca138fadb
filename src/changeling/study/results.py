"""What a study measured, tidily: one figure a line, and what there is to see."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from changeling.measuring import Estimate
from changeling.media import writing
from changeling.training import to_json

State = Literal["done", "diverged"]


@dataclass(frozen=True)
class Measurement:
    """One figure of one clip."""

    metric: str
    """Name of the metric, such as "crop_psnr"; `study.metrics` says what it means."""
    value: float
    clip: str = ""
    """What was measured: intervals resample clips. Empty: the cell as a whole."""
    at: float | None = None
    """Where it is on a curve: steps, epochs, or cycles of a spectrum; None: at the end."""
    interval: Estimate | None = None
    """Of a figure of a whole set, whose interval is no matter of clips."""


@dataclass(frozen=True)
class Shown:
    """A picture or a film of a cell, which carries a credential of its own."""

    kind: Literal["picture", "swap", "truth", "performance", "target"]
    """Films come in threes of one clip: the performance, the true answer, the swap. A target is a
    picture or a film of whom the swap shows, from other footage of the person."""
    clip: str
    """What is shown."""
    file: str
    """Path from the study's folder."""
    words: str
    """What is seen, for those who cannot see it."""


@dataclass(frozen=True)
class CellResult:
    """The outcome of one cell of a study; `cells/NAME/result.json` holds just this."""

    cell: str
    """Its name, which is its folder's."""
    family: str
    """What was tried: a family, or a variant of one."""
    data: str
    """On what, such as "actors 7 and 19"."""
    seed: int
    state: State
    note: str = ""
    """Why there are no figures, or why little can be expected of them, in a sentence."""
    steps: int = 0
    """Steps trained: the same study by steps repeats the figures."""
    seconds: float = 0.0
    """Seconds trained."""
    memory: float = 0.0
    """Bytes that training took at the most, above what this process held before it."""
    samples: int = 0
    """Faces or pictures that it was trained on, each as often as it was shown."""
    wall: float = 0.0
    """Seconds of all its training and of its last sitting's measuring together."""
    measurements: tuple[Measurement, ...] = ()
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Line:
    """One line of the tidy table."""

    study: str
    cell: str
    family: str
    data: str
    seed: int
    state: str
    steps: int
    clip: str
    at: float | None
    metric: str
    value: float | None
    note: str
    """Why there is none."""


@dataclass(frozen=True)
class Cost:
    """One line of the table of cells: what each took, which is another on every machine."""

    study: str
    cell: str
    family: str
    data: str
    seed: int
    state: str
    steps: int
    samples: int
    seconds: float
    wall: float
    memory: float | None
    note: str


@dataclass(frozen=True)
class Mean:
    """One line of the summary: a metric of a family over its cells, with its interval."""

    family: str
    metric: str
    value: float
    low: float
    high: float
    clips: int
    """Resampled for the interval; 1: there is none."""


def tidy(study: str, cells: Iterable[CellResult]) -> Iterator[Line]:
    """All figures of a study, one a line; a cell that diverged is a line without a figure."""
    for cell in cells:
        head = (study, cell.cell, cell.family, cell.data, cell.seed, cell.state, cell.steps)
        if not cell.measurements:
            yield Line(*head, clip="", at=None, metric="", value=None, note=cell.note)
        for one in cell.measurements:
            value = one.value if math.isfinite(one.value) else None
            yield Line(*head, clip=one.clip, at=one.at, metric=one.metric, value=value, note="")


def costs(study: str, cells: Iterable[CellResult]) -> Iterator[Cost]:
    """What each cell took."""
    for one in cells:
        memory = one.memory if math.isfinite(one.memory) else None
        head = (study, one.cell, one.family, one.data, one.seed, one.state)
        yield Cost(*head, one.steps, one.samples, one.seconds, one.wall, memory, one.note)


def write_tables(
    folder: Path, study: str, cells: Sequence[CellResult], means: Sequence[Mean]
) -> None:
    """Write results, cells and summary, each as CSV and as JSON with the same digits.

    What the clock says is in cells alone, so that results of a study that repeats are the same
    bytes.
    """
    _write(folder / "results", Line, list(tidy(study, cells)))
    _write(folder / "cells", Cost, list(costs(study, cells)))
    _write(folder / "summary", Mean, means)


def _write(path: Path, kind: type[Line | Cost | Mean], lines: Sequence[Line | Cost | Mean]) -> None:
    with (
        writing(path.with_suffix(".csv"), overwrite=True) as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow([field.name for field in fields(kind)])
        table.writerows(astuple(line) for line in lines)
    with writing(path.with_suffix(".json"), overwrite=True) as beside:
        text = json.dumps([to_json(line) for line in lines], indent=1, allow_nan=False)
        beside.write_text(text + "\n", encoding="utf-8")
