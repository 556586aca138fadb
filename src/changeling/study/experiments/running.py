"""Runs a study cell by cell, goes on after a stop, skips what is done, and writes what it found."""

import json
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Protocol, Self

from changeling.errors import UserError
from changeling.media import writing
from changeling.study.experiments.experiment import (
    Cell,
    Extent,
    Findings,
    Place,
    Study,
    Watches,
)
from changeling.study.experiments.following import trained_seconds
from changeling.study.experiments.pages import summary
from changeling.study.page import Page
from changeling.study.page_html import write_page
from changeling.study.results import CellResult, tidy, write_tables
from changeling.study.stages import Stage, quiet
from changeling.training import Budget, Diverged, from_json, to_json

_QUICK = (
    "This is the quick form of the study, whose networks have learnt next to nothing: it shows "
    "that everything works, and its figures compare no families."
)
SETTINGS, RESULT, REPORT = "study.json", "result.json", "report.html"


@dataclass(frozen=True)
class Planned:
    """One cell and how many steps it is trained."""

    cell: str
    steps: int
    looks: tuple[int, ...] = ()
    """Of a cell that is measured while it is trained: after how many steps, each time."""


@dataclass(frozen=True)
class Settings:
    """What study.json holds: with other settings it is another study."""

    study: str
    extent: Extent
    steps: tuple[Planned, ...] = ()
    """Steps of a study that this one repeats; none: each cell has the budget of the study."""


class Spread(Protocol):
    """Where cells run."""

    def __call__(self, work: "Work", cells: Sequence[Cell]) -> None:
        """Do `work` for every cell and return when all are done."""
        ...


def one_by_one(work: "Work", cells: Sequence[Cell]) -> None:
    """In this process, in order."""
    for cell in cells:
        work(cell)


def run_study(
    study: Study, place: Place, *, repeat: Path | None = None, spread: Spread = one_by_one
) -> Path:
    """Make a study in the folder of `place` and return its page.

    The same call again goes on where the last one stopped. `repeat`: the folder of the same study,
    whose cells are trained as many steps as they were trained there, so that budgets in minutes
    repeat digit by digit. A cell whose training diverges is a row that says so. Raises UserError
    when the folder holds another study, and what the cells raise, which a further call takes up.
    """
    steps = () if repeat is None else steps_of(repeat, study.cells(place.extent))
    settings = Settings(study.name, place.extent, steps)
    open_study(place.folder, settings)
    cells = planned(study, settings)
    todo = [cell for cell in cells if not _done(place, cell)]
    for index, cell in enumerate(todo):
        place.tell(Stage(f"prepare {cell.name}", index, len(todo)))
        cell.prepare(place)
    spread(Work(place), todo)
    return write_study(study, settings, place)


@dataclass(frozen=True)
class Work:
    """What is done for a cell: run it and keep its result."""

    place: Place

    def __call__(self, cell: Cell) -> None:
        """Run it."""
        finished(cell, self.place)

    def quietly(self) -> Self:
        """The same, telling nobody, for another process; wherever that one works."""
        place = replace(self.place, root=self.place.root.resolve(), tell=quiet)
        return replace(self, place=place)


def finished(cell: Cell, place: Place) -> CellResult:
    """The result of a cell, which is run first if it was not or if a film of it is missing."""
    path = _result(place, cell)
    before = read_result(path) if path.exists() else None
    if before and _whole(before, place):
        return before
    trained, began = trained_seconds(place.cell(cell.name) / "run"), perf_counter()
    result = _outcome(cell, place)
    result = replace(result, wall=trained + perf_counter() - began)
    if before:
        # Only films were made again: that is not what the cell takes.
        result = replace(result, memory=before.memory, wall=before.wall)
    _write(path, result)
    return result


def _done(place: Place, cell: Cell) -> bool:
    path = _result(place, cell)
    return path.exists() and _whole(read_result(path), place)


def _whole(result: CellResult, place: Place) -> bool:
    """Whether all that a result shows is there."""
    return all((place.folder / one.file).exists() for one in result.shown)


def again(study: Study, place: Place, name: str) -> tuple[CellResult, CellResult]:
    """What is written of a cell, and what measuring it again from its folder gives."""
    cells = {cell.name: cell for cell in planned(study, read_settings(place.folder))}
    if name not in cells:
        raise UserError(f"{place.folder} has no cell {name!r}: give one of {', '.join(cells)}")
    path = _result(place, cells[name])
    if not path.exists():
        raise UserError(f"{name} was not run yet: run the study first")
    return read_result(path), _outcome(cells[name], place)


def write_study(study: Study, settings: Settings, place: Place) -> Path:
    """Write the tables and the page of what is finished, and return the page."""
    findings = found(study, settings, place)
    write_tables(place.folder, study.name, findings.results, list(summary(findings.results)))
    report = place.folder / REPORT
    write_page(report, page_of(study, findings), overwrite=True)
    return report


def page_of(study: Study, findings: Findings) -> Page:
    """The page of a study; that of a quick one says what it is not."""
    page = study.page(findings)
    return replace(page, lead=(_QUICK, *page.lead)) if findings.extent == "quick" else page


def found(study: Study, settings: Settings, place: Place) -> Findings:
    """What is finished of a study. Raises UserError when nothing is."""
    results = [
        read_result(path)
        for cell in planned(study, settings)
        if (path := _result(place, cell)).exists()
    ]
    if not results:
        raise UserError(f"{place.folder} holds no finished cell: run the study first")
    folder = shlex.quote(str(place.folder))
    measure = f"changeling study measure {folder}"
    command = f"changeling study run {study.name} --extent {settings.extent}"
    if place.root != Path("studies"):
        command += f" -o {shlex.quote(str(place.root))}"
    if settings.steps:
        command += f" --repeat {folder}"
    recompute = {one.cell: f"{measure} --cell {one.cell}" for one in results}
    return Findings(place.folder, settings.extent, results, command, recompute, measure)


def planned(study: Study, settings: Settings) -> list[Cell]:
    """The cells of a study, each with its budget."""
    return [as_planned(cell, settings) for cell in study.cells(settings.extent)]


def as_planned(cell: Cell, settings: Settings) -> Cell:
    """The cell, trained and looked at as the one that it repeats, if it repeats any."""
    for one in settings.steps:
        if one.cell == cell.name:
            if one.looks and isinstance(cell, Watches):
                return cell.at(one.looks)
            return cell.within(Budget(None, one.steps))
    return cell


def steps_of(folder: Path, cells: Iterable[Cell]) -> tuple[Planned, ...]:
    """How many steps the cells of a finished study were trained, and when they were looked at."""
    if (folder / SETTINGS).is_file() and (steps := read_settings(folder).steps):
        return steps
    results = [read_result(path) for path in sorted(folder.glob(f"cells/*/{RESULT}"))]
    if not results:
        raise UserError(f"{folder} holds no finished cell: give the folder of a study that ran")
    watching = {cell.name: cell for cell in cells if isinstance(cell, Watches)}
    return tuple(
        Planned(
            one.cell,
            one.steps,
            watching[one.cell].looks_of(one) if one.cell in watching else (),
        )
        for one in results
        if one.steps
    )


def read_settings(folder: Path) -> Settings:
    """What a folder's study.json says. Raises UserError when it is no study."""
    path = folder / SETTINGS
    if not path.is_file():
        raise UserError(f"{folder} holds no study (no {SETTINGS}): give a study's folder")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}): run the study in another folder") from error
    return from_json(Settings, data, where=str(path))


def read_result(path: Path) -> CellResult:
    """What a cell's result.json says."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is damaged ({error}): remove it and run the study") from error
    return from_json(CellResult, data, where=str(path))


Figure = tuple[str, str, float | None]
"""Which figure of a cell: metric, clip, and at which moment of the training."""


def compared(
    one: CellResult, other: CellResult
) -> Iterable[tuple[Figure, float | None, float | None]]:
    """The figures in which two results of one cell differ; None where a result has none."""
    first, second = (
        {(x.metric, x.clip, x.at): x.value for x in tidy("", [result]) if x.metric}
        for result in (one, other)
    )
    for key in dict.fromkeys([*first, *second]):
        if key not in first or key not in second or first[key] != second[key]:
            yield key, first.get(key), second.get(key)


def _outcome(cell: Cell, place: Place) -> CellResult:
    try:
        return cell.run(place)
    except Diverged as error:
        note, steps = str(error), error.step
    named = cell.name, cell.family, cell.data, cell.seed
    return CellResult(*named, "diverged", note, steps=steps)


def open_study(folder: Path, settings: Settings) -> None:
    """Make the folder a study's with these settings, or raise `UserError`."""
    path = folder / SETTINGS
    if path.is_file():
        if read_settings(folder) != settings:
            raise UserError(f"{folder} holds a study with other settings: give another -o")
        return
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is no study's folder: give another one with -o")
    _write(path, settings)


def _result(place: Place, cell: Cell) -> Path:
    return place.cell(cell.name) / RESULT


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with writing(path, overwrite=True) as beside:
        beside.write_text(json.dumps(to_json(value), indent=1) + "\n", encoding="utf-8")
