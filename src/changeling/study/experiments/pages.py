"""What the pages of several studies have in common: tables by family, sentences, facts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, fields, replace

import numpy as np

from changeling.measuring import Estimate, estimate
from changeling.study.experiments.experiment import Findings
from changeling.study.experiments.metrics import ITSELF, Columns
from changeling.study.page import Column, Scores, TableRow
from changeling.study.page_table import Apart, leader
from changeling.study.results import CellResult, Mean
from changeling.study.scores import Versions

_COST = (
    "Means over the cells of each row, on the machine that ran them. Minutes are training alone, "
    "and with the last sitting’s measuring. Memory is what training took at the most above what "
    "the program held before it. Parameters count all networks, judges included; operations are "
    "those of one face or picture, a multiplication and its addition being two."
)
_COLUMNS = (
    Column("steps", digits=0),
    Column("minutes", digits=1),
    Column("minutes of all", digits=1),
    Column("steps a second", digits=2),
    Column("faces or pictures a second", digits=0),
    Column("memory", "GiB", digits=2),
    Column("parameters", "million", digits=2),
    Column("operations", "million", digits=0),
)


def families(results: Iterable[CellResult]) -> list[str]:
    """What was tried, in the order of the cells."""
    return list(dict.fromkeys(one.family for one in results))


def mean_of(results: Iterable[CellResult], family: str, metric: str) -> Estimate | None:
    """The mean of a metric of a family at the end of its training; None where there is none.

    The interval is over clips: the same clip swapped by networks of two seeds is one clip. A single
    figure of a set has that of its own.
    """
    found = [
        (one, f"{cell.data} {one.clip}")
        for cell in results
        if cell.family == family
        for one in cell.measurements
        if one.metric == metric and one.at is None and np.isfinite(one.value)
    ]
    if not found:
        return None
    figures, clips = zip(*found, strict=True)
    if len(figures) == 1 and figures[0].interval:
        return figures[0].interval
    return estimate([one.value for one in figures], clips)


def difference(results: Iterable[CellResult], one: str, other: str, metric: str) -> Estimate | None:
    """The mean of one family's figures less another's, seed by seed and clip by clip.

    Clips that are hard are hard for both, so that it is surer than the two means are. None where
    they share no clip.
    """
    own, rivals = (_values(results, family, metric) for family in (one, other))
    keys = [key for key in own if key in rivals]
    if one == other or not keys:
        return None
    return estimate([own[key] - rivals[key] for key in keys], [clip for _, clip in keys])


def by_clips(results: Sequence[CellResult], metric: str) -> Apart:
    """Tell families apart by their differences on the clips that they share.

    Where these are fewer than two, by whether the intervals of their means touch.
    """

    def apart(one: str, other: str) -> bool:
        change = difference(results, one, other, metric)
        if change and change.clips > 1:
            return change.low > 0 or change.high < 0
        means = {name: mean_of(results, name, metric) for name in (one, other)}
        return by_intervals(means)(one, other)

    return apart


def by_intervals(means: Mapping[str, Estimate | None]) -> Apart:
    """Tell figures apart by whether their intervals touch; nobody knows without intervals."""

    def apart(one: str, other: str) -> bool:
        first, second = means[one], means[other]
        return bool(first and second and first.clips > 1 and first.apart(second))

    return apart


def _values(
    results: Iterable[CellResult], family: str, metric: str
) -> dict[tuple[int, str], float]:
    """Figures at the end of the training by seed and clip."""
    return {
        (cell.seed, f"{cell.data} {one.clip}"): one.value
        for cell in results
        if cell.family == family
        for one in cell.measurements
        if one.metric == metric and one.at is None and np.isfinite(one.value)
    }


def summary(results: Sequence[CellResult]) -> Iterator[Mean]:
    """Each metric of each family at the end of its training."""
    metrics = dict.fromkeys(one.metric for cell in results for one in cell.measurements)
    for family in families(results):
        for metric in metrics:
            mean = mean_of(results, family, metric)
            if mean:
                yield Mean(family, metric, mean.value, mean.low, mean.high, max(1, mean.clips))


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
    scores = Scores(title, meaning, tuple(shown.values()), rows)
    told = [by_clips(results, metric) for metric in shown]
    best = tuple(leader(scores, index, apart) for index, apart in enumerate(told))
    return replace(scores, best=best)


def _row(findings: Findings, family: str, columns: Columns) -> TableRow:
    own = [one for one in findings.results if one.family == family]
    notes = " ".join(dict.fromkeys(one.note for one in own if one.note))
    itself = tuple(k for k, name in enumerate(columns) if name in ITSELF.get(family, ()))
    cells = tuple(
        mean and mean.within(column.lowest, column.highest)
        for mean, column in ((mean_of(own, family, name), one) for name, one in columns.items())
    )
    return TableRow(family, cells if any(cells) else (), notes, findings.again(own), itself)


def cost_table(findings: Findings) -> Scores:
    """What training took, and how large the networks are; times are another on every machine."""
    rows = []
    for family in families(findings.results):
        done = [one for one in findings.results if one.state == "done" and one.steps]
        own = [one for one in done if one.family == family]
        if own:
            size = [mean_of(own, family, metric) for metric in ("parameters", "operations")]
            cells = (*_taken(own), *(_scaled(one, 1e6) for one in size))
            rows.append(TableRow(family, cells, command=findings.again(own)))
    return Scores("", _COST, _COLUMNS, tuple(rows))


def _taken(own: Sequence[CellResult]) -> tuple[Estimate, ...]:
    """Steps, minutes, speeds and gigabytes, in the mean of the cells; NaN for what is unknown."""
    taken = [(one.steps, one.samples, one.seconds, one.wall, one.memory) for one in own]
    steps, samples, seconds, wall, memory = (
        float(np.mean(part)) or np.nan for part in zip(*taken, strict=True)
    )
    minutes = seconds / 60, wall / 60
    figures = (steps, *minutes, steps / seconds, samples / seconds, memory / 2**30)
    return tuple(Estimate(one, one, one, 1) for one in figures)


def percent(one: Estimate) -> Estimate:
    """A share as a percentage."""
    return replace(one, value=100 * one.value, low=100 * one.low, high=100 * one.high)


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
    ranking: Sequence[tuple[str, Estimate]], apart: Apart, what: str, unit: str, digits: int
) -> str:
    """Who leads, with what interval, and before whom, or who is not apart from it."""
    (name, best), *others = ranking
    said = f"{what}: {name}, {_told(best, unit, digits)}"
    if not others:
        return said + "."
    near = [one for one in others if not apart(name, one[0])]
    verdict = "not to be told apart from" if near else "before"
    rival, other = (near or others)[0]
    return f"{said}, {verdict} {rival}, {_told(other, unit, digits)}."


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
