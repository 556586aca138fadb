"""What the pages of several studies have in common: tables by family, sentences, facts."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields

import numpy as np

from changeling.measuring import Estimate, estimate
from changeling.study.experiments.experiment import Findings
from changeling.study.experiments.metrics import Columns
from changeling.study.page import Column, Scores, TableRow
from changeling.study.results import CellResult
from changeling.study.scores import Versions

_COST = (
    "Means over the cells of each row, on the machine that ran them. Memory is that of the whole "
    "process. Parameters count all networks, judges included; operations are those of one face, "
    "a multiplication and its addition being two."
)
_COLUMNS = (
    Column("steps", digits=0),
    Column("minutes", digits=1),
    Column("steps a second", digits=2),
    Column("memory", "GiB", digits=2),
    Column("parameters", "million", digits=2),
    Column("operations", "million", digits=0),
)


def families(results: Iterable[CellResult]) -> list[str]:
    """What was tried, in the order of the cells."""
    return list(dict.fromkeys(one.family for one in results))


def mean_of(results: Iterable[CellResult], family: str, metric: str) -> Estimate | None:
    """The mean of a metric of a family at the end of its training; None where there is none.

    The interval is over clips: the same clip swapped by networks of two seeds is one clip.
    """
    found = [
        (one.value, f"{cell.data} {one.clip}")
        for cell in results
        if cell.family == family
        for one in cell.measurements
        if one.metric == metric and one.at is None and np.isfinite(one.value)
    ]
    if not found:
        return None
    values, clips = zip(*found, strict=True)
    return estimate(values, clips)


def table(findings: Findings, columns: Columns, title: str, meaning: str) -> Scores:
    """A row a family that has figures or a note: means over its clips, pairs and seeds."""
    results, tried = findings.results, families(findings.results)
    shown = {
        metric: column
        for metric, column in columns.items()
        if any(mean_of(results, one, metric) for one in tried)
    }
    every = [_row(findings, one, shown) for one in tried]
    rows = tuple(row for row in every if row.cells or row.note)
    return Scores(title, meaning, tuple(shown.values()), rows)


def _row(findings: Findings, family: str, columns: Columns) -> TableRow:
    own = [one for one in findings.results if one.family == family]
    notes = " ".join(dict.fromkeys(one.note for one in own if one.note))
    command = findings.recompute[own[0].cell]
    cells = tuple(
        mean and mean.within(column.lowest, column.highest)
        for mean, column in ((mean_of(own, family, name), one) for name, one in columns.items())
    )
    return TableRow(family, cells if any(cells) else (), notes, command)


def cost_table(findings: Findings) -> Scores:
    """What training took, and how large the networks are; times are another on every machine."""
    rows = []
    for family in families(findings.results):
        own = [one for one in findings.results if one.family == family and one.steps]
        if own:
            size = [mean_of(own, family, metric) for metric in ("parameters", "operations")]
            rows.append(TableRow(family, (*_taken(own), *(_scaled(one, 1e6) for one in size))))
    return Scores("", _COST, _COLUMNS, tuple(rows))


def _taken(own: Sequence[CellResult]) -> tuple[Estimate, ...]:
    """Steps, minutes, steps a second and gigabytes, in the mean of the cells."""
    steps, seconds, memory = (
        float(np.mean(part))
        for part in zip(*((one.steps, one.seconds, one.memory) for one in own), strict=True)
    )
    figures = (steps, seconds / 60, steps / seconds, memory / 2**30 or np.nan)
    return tuple(Estimate(one, one, one, 1) for one in figures)


def _scaled(one: Estimate | None, by: float) -> Estimate | None:
    return one and Estimate(one.value / by, one.low / by, one.high / by, 1)


def ranked(
    results: Sequence[CellResult], tried: Iterable[str], metric: str, column: Column
) -> list[tuple[str, Estimate]]:
    """The families that have this metric, the best first, by what its column says is better."""
    found = [
        (one, mean.within(column.lowest, column.highest))
        for one in tried
        if (mean := mean_of(results, one, metric))
    ]
    return sorted(found, key=lambda one: one[1].value, reverse=column.better != "less")


def best_sentence(
    ranking: Sequence[tuple[str, Estimate]], what: str, unit: str, digits: int
) -> str:
    """Who leads, with what interval, and whether the second is within it."""
    (name, best), *others = ranking
    said = f"{what}: {name}, {_told(best, unit, digits)}"
    if not others:
        return said + "."
    second, estimate_ = others[0]
    verdict = "before" if best.apart(estimate_) else "not to be told apart from"
    return f"{said}, {verdict} {second}, {_told(estimate_, unit, digits)}."


def _told(one: Estimate, unit: str, digits: int) -> str:
    interval = f" ({one.low:.{digits}f} … {one.high:.{digits}f})" if one.clips > 1 else ""
    return f"{one.value:.{digits}f}{unit}{interval}"


def facts(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Data, seeds and versions."""
    versions = Versions.installed()
    return (
        ("extent", findings.extent),
        ("data", ", ".join(dict.fromkeys(one.data for one in findings.results))),
        ("seeds", ", ".join(dict.fromkeys(str(one.seed) for one in findings.results))),
        *zip((field.name for field in fields(versions)), astuple(versions), strict=True),
    )
