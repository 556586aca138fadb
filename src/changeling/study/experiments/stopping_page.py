"""The page of when-to-stop: the truth while families learn, and what foretells it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from types import MappingProxyType

import numpy as np

from changeling.measuring import Estimate, estimate, spearman
from changeling.measuring.estimate import Values
from changeling.study.experiments.experiment import Findings
from changeling.study.experiments.metrics import Columns
from changeling.study.experiments.pages import best_sentence, by_intervals, cost_table, facts
from changeling.study.page import Column, Curve, Curves, Page, Scores, Section, TableRow
from changeling.study.results import CellResult

TOLD: Columns = MappingProxyType(
    {
        "truth_psnr": Column("PSNR against the truth", "dB", "more", 2),
        "truth_ssim": Column("SSIM against the truth", "", "more", 3),
        "truth_to_target": Column("likeness to the true face", "cosine", "more", 3),
    }
)
GUESSED: Columns = MappingProxyType(
    {
        "guess_reconstruction": Column("reconstruction of own faces", "dB", "more", 2),
        "guess_likeness": Column("likeness to the faces learnt", "cosine", "more", 3),
        "guess_leftover": Column("likeness to the performer", "cosine", "less", 3),
        "guess_expression": Column("error of the expression", "", "less", 4),
        "guess_pose": Column("error of the pose", "°", "less", 2),
        "guess_detail": Column("sharpness", "", "more", 2),
        "guess_flicker": Column("flicker", "", "less", 2),
        "guess_spectral": Column("distance of the spectra", "dB", "less", 2),
    }
)
_TRUTH = "truth_psnr"
_CURVES = "Held-out clips in both directions, measured again and again while each family learnt."
_PREDICTORS = (
    "How well each figure orders the looks at a run as the truth does (Spearman’s ρ, 1 for the "
    "same order), and how much nearer to the truth the best look was than the one that the figure "
    "takes for the best. Means over the runs, with intervals over runs."
)


def page(findings: Findings) -> Page:
    """When each family is nearest to the truth, and what would have told so."""
    return Page(
        title="When to stop",
        lead=tuple(_lead(findings)),
        headlines=(),
        sections=(
            Section("The truth while they learn", _CURVES, tuple(_curves(findings, "truth"))),
            *_foretold(findings),
            Section("What else is seen", "", tuple(_curves(findings, "guess"))),
            Section("Cost", "", (cost_table(findings),)),
        ),
        commands=(findings.command,),
        facts=facts(findings),
    )


@dataclass(frozen=True, eq=False)
class _Run:
    """What was measured of one cell: each figure's mean over the clips, look by look."""

    cell: CellResult

    @cached_property
    def looks(self) -> list[float]:
        """Steps at each look."""
        return sorted({one.at for one in self.cell.measurements if one.at is not None})

    def series(self, metric: str) -> Values:
        """A figure at each look."""
        own = [one for one in self.cell.measurements if one.metric == metric]
        return np.array([np.mean([one.value for one in own if one.at == at]) for at in self.looks])

    def minutes(self) -> list[float]:
        """Of each look, as if every step had taken as long."""
        pace = self.cell.seconds / 60 / max(1, self.cell.steps)
        return [at * pace for at in self.looks]


def _runs(findings: Findings) -> list[_Run]:
    return [_Run(one) for one in findings.results if one.state == "done"]


def _curves(findings: Findings, group: str) -> Iterator[Curves]:
    """A chart for each figure, a line for each cell."""
    for metric, label in (TOLD if group == "truth" else GUESSED).items():
        lines = []
        for run in _runs(findings):
            points = zip(run.minutes(), run.series(metric).tolist(), strict=True)
            lines.append(Curve(run.cell.family, tuple(points)))
        if lines:
            named = label.name, label.unit, "minutes", label.name
            yield Curves(*named, tuple(lines), findings.measure)


def _foretold(findings: Findings) -> Iterator[Section]:
    """A section where anything was measured."""
    if _runs(findings):
        yield Section("What foretells it", "", (_predictors(findings),))


def _predictors(findings: Findings) -> Scores:
    """Each figure that needs no truth: how it ranks the looks, and what stopping by it loses."""
    columns = (Column("rank correlation", "", "more", 2), Column("lost", "dB", "less", 2))
    rows = [
        TableRow(
            label.name,
            _worth(findings, partial(_signed, metric=metric, label=label)),
            command=findings.measure,
        )
        for metric, label in GUESSED.items()
    ]
    worth = _worth(findings, _later)
    rows.append(TableRow("training to the end", worth, command=findings.measure))
    return Scores("", _PREDICTORS, columns, tuple(rows))


def _signed(run: _Run, *, metric: str, label: Column) -> Values:
    return run.series(metric) * (-1 if label.better == "less" else 1)


def _later(run: _Run) -> Values:
    return np.arange(len(run.looks), dtype=np.float64)


def _worth(findings: Findings, told: Callable[[_Run], Values]) -> tuple[Estimate | None, ...]:
    """Means over the cells: ρ between what is told and the truth, and decibels lost by it.

    None for what is no number in any run, such as the pose of a face that is not found.
    """
    runs = [run for run in _runs(findings) if np.isfinite(told(run)).all()]
    if not runs:
        return None, None
    cells = [run.cell.cell for run in runs]
    agreed = [spearman(told(run), run.series(_TRUTH)) for run in runs]
    lost = [_lost(told(run), run.series(_TRUTH)) for run in runs]
    return estimate(agreed, cells).within(-1, 1), estimate(lost, cells).within(0, np.inf)


def _lost(told: Values, truth: Values) -> float:
    """How far the truth at the look that is told to be best is below the best."""
    return float(truth.max() - truth[int(np.argmax(told))])


def _lead(findings: Findings) -> Iterator[str]:
    for run in _runs(findings):
        truth, minutes = run.series(_TRUTH), run.minutes()
        best = int(np.argmax(truth))
        yield (
            f"{run.cell.family.capitalize()} was nearest to the truth after {minutes[best]:.1f} of "
            f"{minutes[-1]:.1f} minutes, {truth[best]:.2f} dB; at the end {truth[-1]:.2f} dB."
        )
    for cell in findings.results:
        if cell.note:
            yield f"{cell.family.capitalize()}: {cell.note.rstrip('.')}."
    if _runs(findings):
        rows = _predictors(findings).rows
        for column, sign, what, unit in (
            (0, -1, "Follows the truth most closely of what needs none, by rank correlation", ""),
            (1, 1, "Loses least when training is stopped by it", " dB"),
        ):
            ranking = [(row.label, one) for row in rows if (one := row.cells[column])]
            ranking.sort(key=lambda one: sign * one[1].value)
            yield best_sentence(ranking, by_intervals(dict(ranking)), what, unit, 2)
