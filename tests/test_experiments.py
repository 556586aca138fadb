"""A study runs each cell once, goes on after a stop, says what diverged, and repeats its digits."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Self

import pytest

from changeling.errors import UserError
from changeling.study.experiments import (
    Cell,
    Extent,
    Findings,
    Place,
    Study,
    again,
    compared,
    run_study,
)
from changeling.study.page import Page
from changeling.study.results import CellResult, Measurement
from changeling.study.stages import quiet
from changeling.training import Budget, Diverged, Run, Runtime

MINUTE = Budget(1.0)


@dataclass
class Notes:
    """What happened, and what is to happen."""

    ran: list[str] = field(default_factory=list)
    budgets: list[Budget] = field(default_factory=list)
    stop: str = ""
    diverge: str = ""
    refuse: str = ""
    value: float = 0.1


@dataclass(frozen=True)
class Toy:
    """A cell whose figure is known."""

    name: str
    notes: Notes
    budget: Budget = MINUTE
    family: str = "toy"
    data: str = "nothing"
    seed: int = 0

    def within(self, budget: Budget) -> Self:
        """The same with another budget."""
        return replace(self, budget=budget)

    def prepare(self, place: Place) -> None:
        """Nothing is shared."""

    def run(self, place: Place) -> CellResult:
        """What the notes say."""
        self.notes.ran.append(self.name)
        self.notes.budgets.append(self.budget)
        if self.name == self.notes.stop:
            raise KeyboardInterrupt
        if self.name == self.notes.refuse:
            raise UserError("there is no film")
        if self.name == self.notes.diverge:
            raise Diverged("training diverged at step 3", 3)
        figures = (Measurement("a", self.notes.value, "1"), Measurement("a", 0.3, "2"))
        return CellResult(
            self.name, self.family, self.data, self.seed, "done", steps=7, seconds=1.5,
            measurements=figures,
        )  # fmt: skip


def toy(notes: Notes) -> Study:
    """A study of three cells."""

    def cells(extent: Extent) -> Sequence[Cell]:
        return tuple(Toy(name, notes) for name in ("one", "two", "three"))

    def page(findings: Findings) -> Page:
        commands = (findings.command, *findings.recompute.values())
        return Page("Toys", (f"{len(findings.results)} cells.",), (), (), commands, ())

    return Study("toys", "What is a toy?", cells, page)


def place(root: Path, extent: Extent = "laptop") -> Place:
    """Where the toys are."""
    return Place(root, "toys", extent, date(2026, 1, 1), Runtime.best().plain(), quiet)


def table(root: Path) -> list[dict[str, str]]:
    """results.csv."""
    with (root / "toys" / "results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_was_trained_before_a_stop_counts_as_time_of_the_cell(tmp_path: Path) -> None:
    """As the log of its run says; a cell without a run took what it took now."""
    with pytest.raises(KeyboardInterrupt):
        run_study(toy(Notes(stop="one")), place(tmp_path))
    folder = tmp_path / "toys" / "cells" / "one" / "run"
    run = Run.begin(folder, family="toy", config=Budget(), data=Budget())
    run.log(3, {"l1": 0.2, "seconds": 1000.0})
    run_study(toy(Notes()), place(tmp_path))
    with (tmp_path / "toys" / "cells.csv").open(encoding="utf-8", newline="") as file:
        one, two, _ = (float(cell["wall"]) for cell in csv.DictReader(file))
    assert 1000 < one < 1060
    assert 0 < two < 60


def test_every_figure_is_a_line_of_the_table(tmp_path: Path) -> None:
    """Once as CSV, once as JSON, every digit of it."""
    report = run_study(toy(Notes(value=0.1 + 0.2)), place(tmp_path))
    lines = table(tmp_path)
    assert [(line["cell"], line["clip"], line["value"]) for line in lines[:2]] == [
        ("one", "1", "0.30000000000000004"),
        ("one", "2", "0.3"),
    ]
    assert len(lines) == 6
    written = json.loads((tmp_path / "toys" / "results.json").read_text("utf-8"))
    assert [line["value"] for line in written] == [float(line["value"]) for line in lines]
    with (tmp_path / "toys" / "cells.csv").open(encoding="utf-8", newline="") as file:
        cells = list(csv.DictReader(file))
    assert [(one["cell"], one["steps"], one["seconds"]) for one in cells] == [
        ("one", "7", "1.5"), ("two", "7", "1.5"), ("three", "7", "1.5"),
    ]  # fmt: skip
    assert all(0 < float(one["wall"]) < 60 for one in cells)
    assert (tmp_path / "toys" / "cells").is_dir()
    (mean,) = json.loads((tmp_path / "toys" / "summary.json").read_text("utf-8"))
    assert (mean["metric"], mean["clips"], mean["value"]) == ("a", 2, pytest.approx(0.3))
    assert mean["low"] <= mean["value"] <= mean["high"]
    page = report.read_text("utf-8")
    assert "3 cells." in page
    assert "--cell two" in page


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    """A second call only writes the page and the same tables."""
    notes = Notes()
    run_study(toy(notes), place(tmp_path))
    before = (tmp_path / "toys" / "results.csv").read_bytes()
    run_study(toy(notes), place(tmp_path))
    assert notes.ran == ["one", "two", "three"]
    assert (tmp_path / "toys" / "results.csv").read_bytes() == before


def test_a_study_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    """The cell in hand is run again, those before it are not."""
    notes = Notes(stop="two")
    with pytest.raises(KeyboardInterrupt):
        run_study(toy(notes), place(tmp_path))
    notes.stop = ""
    run_study(toy(notes), place(tmp_path))
    assert notes.ran == ["one", "two", "two", "three"]
    assert len(table(tmp_path)) == 6


def test_a_cell_that_diverges_is_a_row_that_says_so(tmp_path: Path) -> None:
    """The others are run all the same."""
    run_study(toy(Notes(diverge="two")), place(tmp_path))
    lines = [line for line in table(tmp_path) if line["cell"] == "two"]
    assert [(line["state"], line["metric"], line["value"]) for line in lines] == [
        ("diverged", "", "")
    ]
    assert len(table(tmp_path)) == 5
    result = json.loads((tmp_path / "toys/cells/two/result.json").read_text("utf-8"))
    assert (result["note"], result["steps"]) == ("training diverged at step 3", 3)
    assert lines[0]["note"] == "training diverged at step 3"


def test_minutes_are_repeated_as_the_steps_that_they_were(tmp_path: Path) -> None:
    """A study by steps gives the same table as the one by minutes that it repeats."""
    first, second = Notes(), Notes()
    run_study(toy(first), place(tmp_path))
    run_study(toy(second), place(tmp_path / "b"), repeat=tmp_path / "toys")
    assert first.budgets == [Budget(1.0)] * 3
    assert second.budgets == [Budget(None, 7)] * 3
    one, other = (path / "toys" / "results.csv" for path in (tmp_path, tmp_path / "b"))
    assert one.read_bytes() == other.read_bytes()
    # One that diverged is repeated until the step at which it did.
    fallen, repeated = Notes(diverge="two"), Notes(diverge="two")
    run_study(toy(fallen), place(tmp_path / "c"))
    run_study(toy(repeated), place(tmp_path / "d"), repeat=tmp_path / "c" / "toys")
    assert repeated.budgets == [Budget(None, 7), Budget(None, 3), Budget(None, 7)]
    # The command on the page repeats it too, and so does that of a study begun and not finished.
    command = f"--extent laptop -o {tmp_path / 'b'} --repeat {tmp_path / 'b' / 'toys'}"
    assert command in (tmp_path / "b" / "toys" / "report.html").read_text("utf-8")
    (tmp_path / "b" / "toys" / "cells" / "two" / "result.json").unlink()
    run_study(toy(second), place(tmp_path / "b"), repeat=tmp_path / "b" / "toys")
    assert second.budgets == [Budget(None, 7)] * 4


def test_measuring_again_compares_with_what_is_written(tmp_path: Path) -> None:
    """A figure that changed is named with both values."""
    notes = Notes()
    run_study(toy(notes), place(tmp_path))
    assert list(compared(*again(toy(notes), place(tmp_path), "two"))) == []
    notes.value = 0.2
    found = compared(*again(toy(notes), place(tmp_path), "two"))
    assert list(found) == [(("a", "1", None), 0.1, 0.2)]


def test_figures_that_only_one_result_has_are_named() -> None:
    """A metric that came later, a clip that is gone, a look at another moment."""
    figures = Measurement("a", 1.0, "1"), Measurement("a", 2.0, "2"), Measurement("b", 3.0, at=5.0)
    other = Measurement("c", 4.0, "1"), Measurement("b", 3.0, at=6.0)
    one = CellResult("x", "f", "d", 0, "done", measurements=figures)
    now = replace(one, measurements=(figures[1], *other), seconds=9.0)
    assert list(compared(one, now)) == [
        (("a", "1", None), 1.0, None),
        (("b", "", 5.0), 3.0, None),
        (("c", "1", None), None, 4.0),
        (("b", "", 6.0), None, 3.0),
    ]
    broken = CellResult("x", "f", "d", 0, "diverged", "training diverged")
    assert len(list(compared(one, broken))) == 3
    assert list(compared(broken, broken)) == []


def test_extents_have_folders_of_their_own(tmp_path: Path) -> None:
    """A quick study stands beside the one that counts."""
    run_study(toy(Notes()), place(tmp_path, "quick"))
    assert (tmp_path / "toys-quick" / "report.html").exists()
    assert not (tmp_path / "toys").exists()


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """And so is a study with other settings."""
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys" / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="is no study's folder: give another one"):
        run_study(toy(Notes()), place(tmp_path))
    run_study(toy(Notes()), place(tmp_path / "b"))
    with pytest.raises(UserError, match="holds a study with other settings"):
        run_study(toy(Notes()), place(tmp_path / "b"), repeat=tmp_path / "b" / "toys")


def test_mistakes_are_named(tmp_path: Path) -> None:
    """A cell that is none, one that was not run, a folder without a study, a damaged result."""
    with pytest.raises(UserError, match="holds no study"):
        again(toy(Notes()), place(tmp_path), "one")
    with pytest.raises(UserError, match="holds no finished cell"):
        run_study(toy(Notes()), place(tmp_path), repeat=tmp_path)
    run_study(toy(Notes()), place(tmp_path))
    with pytest.raises(UserError, match="has no cell 'four': give one of one, two, three"):
        again(toy(Notes()), place(tmp_path), "four")
    path = tmp_path / "toys" / "cells" / "one" / "result.json"
    path.write_text("{")
    with pytest.raises(UserError, match=r"one.result\.json is damaged .*: remove it and run"):
        run_study(toy(Notes()), place(tmp_path))
    path.unlink()
    with pytest.raises(UserError, match="one was not run yet"):
        again(toy(Notes()), place(tmp_path), "one")
