"""What every cell that trains has in common: its progress told, and what it took."""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from changeling.study.experiments.experiment import Place
from changeling.study.stages import Stage
from changeling.study.train import Advance
from changeling.training import Run


@dataclass(frozen=True)
class Taken:
    """How long a run was trained."""

    steps: int
    seconds: float


def follow(advances: Generator[Advance], cell: str, things: str, place: Place) -> None:
    """Train to the end and tell how far it is, in "faces" or "pictures" a second."""
    with closing(advances):
        for advance in advances:
            done = advance.progress
            note = f"%, {done.rate:.0f} {things}/s, {done.left / 60:.1f} minutes left"
            place.tell(Stage(f"train {cell}", round(100 * done.fraction), 100, note))


def taken(run: Run) -> Taken:
    """What the log of a run says of its last step."""
    last = [row for row in run.rows() if "seconds" in row][-1]
    return Taken(round(last["step"]), float(last["seconds"]))
