"""What every cell that trains has in common: its progress told, and what it took."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from changeling.measuring import operations, parameters, tensors_in
from changeling.study.experiments.experiment import Place
from changeling.study.results import Measurement
from changeling.study.stages import Stage
from changeling.study.train import Advance
from changeling.training import Diverged, Run, collapse


@dataclass(frozen=True)
class Taken:
    """How long a run was trained, and how it went."""

    steps: int
    seconds: float
    trouble: str
    """How its generator collapsed (see `training.collapse`), in a sentence; empty: it did not."""


def follow(advances: Generator[Advance], cell: str, things: str, place: Place) -> None:
    """Train to the end and tell how far it is, in "faces" or "pictures" a second."""
    with closing(advances):
        for advance in advances:
            done = advance.progress
            note = f"%, {done.rate:.0f} {things}/s, {done.left / 60:.1f} minutes left"
            place.tell(Stage(f"train {cell}", round(100 * done.fraction), 100, note))


def numbers(drawn: Tensor, cell: str) -> Tensor:
    """What a trained network drew. Raises Diverged where that is no number.

    The losses of its last step may all have been some: they are of the weights before it.
    """
    if not drawn.isfinite().all():
        raise Diverged(f"{cell} draws what is no number: train it with a lower learning rate")
    return drawn


def size_of(run: Run, work: Callable[[], object]) -> Iterator[Measurement]:
    """How large the networks of a run are, judges included, and what `work`, one face, takes."""
    checkpoint = run.load()
    assert checkpoint is not None, run.folder
    yield Measurement("parameters", float(parameters(tensors_in(checkpoint.state["network"]))))
    yield Measurement("operations", float(operations(work)))


def trained_seconds(run: Path) -> float:
    """How long a run's folder was trained so far; 0 where there is none."""
    rows = Run(run).rows() if run.is_dir() else []
    return max((float(row["seconds"]) for row in rows if "seconds" in row), default=0.0)


def taken(run: Run) -> Taken:
    """What the log of a run says of its last step."""
    rows = run.rows()
    last = [row for row in rows if "seconds" in row][-1]
    trouble = collapse(rows)
    return Taken(
        round(last["step"]),
        float(last["seconds"]),
        f"{run.folder.parent.name}: {trouble}." if trouble else "",
    )
