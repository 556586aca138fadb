"""What the pages of several studies have in common: tables by family, films, facts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np

from changeling.measuring import Estimate, estimate
from changeling.study.experiments.experiment import Findings
from changeling.study.page import Column, Film, Films, Scores, TableRow
from changeling.study.results import CellResult, Shown
from changeling.study.scores import Versions


@dataclass(frozen=True)
class Figures:
    """Figures of one metric of one family, of all its cells."""

    values: tuple[float, ...]
    clips: tuple[str, ...]
    """Of each value which clip it is of; the same clip under another seed is the same clip."""

    @property
    def estimate(self) -> Estimate | None:
        """Mean and interval; None without values."""
        return estimate(self.values, self.clips) if self.values else None


def families(results: Iterable[CellResult]) -> list[str]:
    """What was tried, in the order of the cells."""
    return list(dict.fromkeys(one.family for one in results))


def figures(results: Iterable[CellResult], family: str, metric: str) -> Figures:
    """What was measured of a family at the end of its training."""
    found = [
        (one.value, f"{cell.data} {one.clip}")
        for cell in results
        if cell.family == family
        for one in cell.measurements
        if one.metric == metric and one.at is None and np.isfinite(one.value)
    ]
    return Figures(tuple(value for value, _ in found), tuple(clip for _, clip in found))


def table(findings: Findings, columns: Mapping[str, Column], title: str, meaning: str) -> Scores:
    """A row a family: the mean over its clips, pairs and seeds, with intervals over clips."""
    shown = {
        metric: column
        for metric, column in columns.items()
        if any(figures(findings.results, one, metric).values for one in families(findings.results))
    }
    rows = tuple(_row(findings, one, list(shown)) for one in families(findings.results))
    return Scores(title, meaning, tuple(shown.values()), rows)


def _row(findings: Findings, family: str, metrics: Sequence[str]) -> TableRow:
    own = [one for one in findings.results if one.family == family]
    notes = " ".join(dict.fromkeys(one.note for one in own if one.note))
    command = findings.recompute[own[0].cell]
    cells = tuple(figures(own, family, metric).estimate for metric in metrics)
    if not any(cells):
        return TableRow(family, note=notes, command=command)
    return TableRow(family, cells, notes, command)


def films(folder: Path, shown: Sequence[Shown], title: str, meaning: str) -> Films:
    """The films of one clip beside each other."""
    return Films(title, meaning, tuple(Film(one.kind, folder / one.file) for one in shown))


def facts(results: Sequence[CellResult]) -> tuple[tuple[str, str], ...]:
    """Data, seeds, steps and versions."""
    versions = Versions.installed()
    return (
        ("data", ", ".join(dict.fromkeys(one.data for one in results))),
        ("seeds", ", ".join(dict.fromkeys(str(one.seed) for one in results))),
        *(
            (one.cell, f"{one.steps:,} steps in {one.seconds / 60:.1f} minutes")
            for one in results
            if one.steps
        ),
        *(
            (field.name, value)
            for field, value in zip(fields(versions), astuple(versions), strict=True)
        ),
    )
