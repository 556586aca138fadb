"""What a study measured, tidily: one figure a line, and what there is to see."""

import csv
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

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
    """Steps or epochs after which it was measured, for a curve; None: at the end."""


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
    """Why there are no figures, in a sentence."""
    steps: int = 0
    """Steps trained: the same study by steps repeats the figures."""
    seconds: float = 0.0
    """Seconds trained."""
    memory: float = 0.0
    """Bytes that training took at the most, above what this process held before it."""
    samples: int = 0
    """Faces or pictures that it was trained on, each as often as it was shown."""
    wall: float = 0.0
    """Seconds of its last sitting, training and measuring together."""
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


def tidy(study: str, cells: Iterable[CellResult]) -> Iterator[Line]:
    """All figures of a study, one a line; a cell that diverged is a line without a figure."""
    for cell in cells:
        head = (study, cell.cell, cell.family, cell.data, cell.seed, cell.state, cell.steps)
        if not cell.measurements:
            yield Line(*head, clip="", at=None, metric="", value=None)
        for one in cell.measurements:
            value = one.value if math.isfinite(one.value) else None
            yield Line(*head, clip=one.clip, at=one.at, metric=one.metric, value=value)


def write_tables(folder: Path, lines: Sequence[Line]) -> None:
    """Write results.csv and results.json, the same figures in both, every digit of them."""
    path = folder / "results.csv"
    with (
        writing(path, overwrite=True) as beside,
        beside.open("w", encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow([field.name for field in fields(Line)])
        table.writerows(astuple(line) for line in lines)
    with writing(folder / "results.json", overwrite=True) as beside:
        text = json.dumps([to_json(line) for line in lines], indent=1, allow_nan=False)
        beside.write_text(text + "\n", encoding="utf-8")
