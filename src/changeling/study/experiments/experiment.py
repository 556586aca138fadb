"""What an experiment is: cells, each one thing tried on some data, and the page they make."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal, Protocol, Self, runtime_checkable

from changeling.study.page import Page
from changeling.study.results import CellResult
from changeling.study.stages import Tell
from changeling.training import Budget, Runtime

Extent = Literal["quick", "laptop", "full"]
"""How much of it: under ten minutes, under 150, or all, on two cores."""


@dataclass(frozen=True)
class Place:
    """Where a study is made, and with what."""

    root: Path
    """The folder of all studies."""
    study: str
    extent: Extent
    today: date
    runtime: Runtime
    tell: Tell
    """Told of every stage."""

    @property
    def folder(self) -> Path:
        """The study's own: films, cells, tables, page."""
        return self.root / (
            self.study if self.extent == "laptop" else f"{self.study}-{self.extent}"
        )

    def of(self, study: str) -> "Place":
        """The place of a study beside this one, on whose cells this one builds."""
        return replace(self, study=study)

    def cell(self, name: str) -> Path:
        """The folder of a cell."""
        return self.folder / "cells" / name


class Cell(Protocol):
    """One thing to try; a frozen dataclass, whose fields decide its figures."""

    @property
    def name(self) -> str:
        """Its folder's name, of letters, digits, dots and hyphens."""
        ...

    @property
    def family(self) -> str:
        """What is tried, as its row is called."""
        ...

    @property
    def data(self) -> str:
        """On what."""
        ...

    @property
    def seed(self) -> int:
        """Of weights, batches and noise."""
        ...

    @property
    def budget(self) -> Budget | None:
        """How long it is trained; None: it is not."""
        ...

    def within(self, budget: Budget) -> Self:
        """The same cell with another budget."""
        ...

    def prepare(self, place: Place) -> None:
        """Make what several cells share, such as films, if it is not there yet."""
        ...

    def run(self, place: Place) -> CellResult:
        """Train what is not trained yet and measure: the same again gives the same figures."""
        ...


@runtime_checkable
class Watches(Protocol):
    """A cell that is measured while it is trained, too."""

    def looks_of(self, result: CellResult) -> tuple[int, ...]:
        """After how many steps it was, each time, as a result of the cell says."""
        ...

    def at(self, looks: tuple[int, ...]) -> Cell:
        """The same cell, measured after so many steps and trained until the last."""
        ...


@dataclass(frozen=True)
class Findings:
    """A finished study, to make a page of."""

    folder: Path
    extent: Extent
    results: Sequence[CellResult]
    """In the order of its cells."""
    command: str
    """What runs the study again."""
    recompute: Mapping[str, str]
    """What measures a cell again from its folder, by the cell's name."""
    measure: str = ""
    """What measures all of them again."""

    def again(self, cells: Sequence[CellResult]) -> str:
        """What measures these again."""
        return self.recompute[cells[0].cell] if len(cells) == 1 else self.measure


@dataclass(frozen=True)
class Study:
    """An experiment by name."""

    name: str
    question: str
    """What it answers, in a sentence."""
    cells: Callable[[Extent], Sequence[Cell]]
    page: Callable[[Findings], Page]
