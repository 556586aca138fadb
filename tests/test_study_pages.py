"""What the pages of the studies say of figures that are known."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from changeling.measuring import Estimate
from changeling.study.experiments import STUDIES, Extent, Findings
from changeling.study.experiments.ablation import JUDGED, WHOLE, changes
from changeling.study.experiments.metrics import TRUTH, UNAIDED
from changeling.study.experiments.pages import (
    best_sentence,
    by_clips,
    by_intervals,
    cost_table,
    mean_of,
    summary,
    table,
)
from changeling.study.experiments.stopping import budgets
from changeling.study.experiments.stopping_page import GUESSED
from changeling.study.experiments.swappers import FITTED
from changeling.study.page import Scores
from changeling.study.page_table import figures
from changeling.study.results import CellResult, Measurement
from changeling.training import Budget


def cell(family: str, *figures: Measurement, seed: int = 0, data: str = "a pair") -> CellResult:
    """A finished cell."""
    name = f"{family}-{seed}".replace(" ", "-").replace(",", "")
    return CellResult(
        name, family, data, seed, "done", steps=100, seconds=60.0, measurements=figures
    )


def findings(*results: CellResult) -> Findings:
    """Of these cells."""
    return Findings(
        Path(), "laptop", results, "run it", {one.cell: "measure it" for one in results}
    )


def psnr(*values: float) -> list[Measurement]:
    """The finished film's PSNR, a clip each."""
    return [Measurement("placed_psnr", value, f"clip {k}") for k, value in enumerate(values)]


def test_a_clip_counts_once_whatever_the_seeds() -> None:
    """Two seeds of the same clips narrow nothing; other pairs do."""
    one, other = cell("vae", *psnr(1, 2, 3, 4)), cell("vae", *psnr(1, 2, 3, 4), seed=1)
    single, both = mean_of([one], "vae", "placed_psnr"), mean_of([one, other], "vae", "placed_psnr")
    assert single is not None
    assert both is not None
    assert (both.value, both.clips) == (2.5, 4)
    assert both.high - both.low == pytest.approx(single.high - single.low, rel=0.05)
    third = mean_of([one, cell("vae", *psnr(1, 2, 3, 4), data="others")], "vae", "placed_psnr")
    assert third is not None
    assert third.clips == 8


def test_a_row_that_diverged_says_so_and_others_stay() -> None:
    """And a column without any figure is left out."""
    broken = CellResult("gan-0", "gan", "a pair", 0, "diverged", "training diverged at step 9")
    scores = table(findings(cell("vae", *psnr(20, 22)), broken), TRUTH, "", "")
    assert [column.name for column in scores.columns] == ["PSNR"]
    assert scores.rows[0].cells[0] is not None
    assert (scores.rows[1].cells, scores.rows[1].note) == ((), "training diverged at step 9")


def test_a_winner_is_named_only_where_intervals_are_apart() -> None:
    """Else the two are not to be told apart."""
    first, near, far = (
        Estimate(22, 21, 23, 9),
        Estimate(21.5, 20.5, 22.5, 9),
        Estimate(18, 17, 19, 9),
    )
    apart = by_intervals({"a": first, "b": near})
    assert best_sentence([("a", first), ("b", near)], apart, "Nearest", " dB", 1) == (
        "Nearest: a, 22.0 dB (21.0 … 23.0), not to be told apart from b, 21.5 dB (20.5 … 22.5)."
    )
    apart = by_intervals({"a": first, "b": far})
    assert best_sentence([("a", first), ("b", far)], apart, "Nearest", " dB", 1) == (
        "Nearest: a, 22.0 dB (21.0 … 23.0), before b, 18.0 dB (17.0 … 19.0)."
    )


def test_families_are_told_apart_on_the_clips_that_they_share() -> None:
    """Half a decibel is sure though clips are 10 dB apart; a figure of a set has its own interval.

    Without a clip in common, or with one, only intervals can tell.
    """
    results = [
        cell("a", *psnr(10, 20, 30), Measurement("one", 1.0, interval=Estimate(1, 0.9, 1.1, 9))),
        cell("b", *psnr(9.4, 19.5, 29.6), Measurement("one", 2.0, interval=Estimate(2, 1.5, 3, 9))),
        cell("c", *psnr(9.0, 21.0, 30.5), Measurement("one", 1.2, interval=Estimate(1.2, 1, 2, 9))),
        cell("d", *psnr(9.4, 19.5, 29.6), data="other clips"),
        cell("e", Measurement("placed_psnr", 1.0, "clip 0")),
    ]
    apart, whole = by_clips(results, "placed_psnr"), by_clips(results, "one")
    assert apart("a", "b") and apart("b", "a")
    assert not any(apart(*pair) for pair in ("ac", "ad", "ae"))
    assert whole("a", "b") and not whole("a", "c")
    scores = table(findings(*results[:2]), TRUTH, "", "")
    assert scores.best == (0,)
    assert [row[0].best for row in figures(scores)] == [True, False]
    assert table(findings(*results[:3]), TRUTH, "", "").best == (None,)


def scores_of(study: str, found: Findings, section: str) -> Scores:
    """The table of a section of a study's page."""
    (part,) = next(one for one in STUDIES[study].page(found).sections if one.title == section).parts
    assert isinstance(part, Scores)
    return part


def test_what_is_left_out_is_compared_clip_by_clip() -> None:
    """Clips 10 dB apart tell a difference of half a decibel; each variant has its rival."""
    found = findings(
        cell(WHOLE, *psnr(10, 20, 30)),
        cell("no warp", *psnr(9.4, 19.5, 29.6)),
        cell(JUDGED, *psnr(11, 21, 31)),
        cell(f"{JUDGED}, no perceptual loss", *psnr(11, 21, 31)),
    )
    scores = changes(found)
    change = dict(zip([row.label for row in scores.rows], scores.rows, strict=True))
    (lost,) = change[f"no warp, less {WHOLE}"].cells[:1]
    assert lost is not None
    assert lost.value == pytest.approx(-0.5)
    assert -0.9 < lost.low < lost.high < -0.1
    (same,) = change[f"{JUDGED}, no perceptual loss, less {JUDGED}"].cells[:1]
    assert same == Estimate(0, 0, 0, 3)


def looks(family: str, truth: Sequence[float], **guesses: Sequence[float]) -> CellResult:
    """A run that was measured again and again."""
    series = {"truth_psnr": truth, "truth_ssim": truth, "truth_to_target": truth}
    series |= {name: truth for name in GUESSED} | guesses
    figures = [
        Measurement(name, float(value), "clip 1", at=float(k + 1))
        for name, values in series.items()
        for k, value in enumerate(values)
    ]
    return cell(family, *figures)


def test_what_follows_the_truth_is_found() -> None:
    """ρ is 1 and nothing is lost; its opposite is −1 and loses most; errors count downwards."""
    truth, back = [1.0, 3.0, 4.0, 2.0], [-1.0, -3.0, -4.0, -2.0]
    found = findings(
        looks("vae", truth, guess_likeness=truth, guess_leftover=back, guess_reconstruction=back)
    )
    scores = scores_of("when-to-stop", found, "What foretells it")
    rows = {row.label: [one.value for one in row.cells if one] for row in scores.rows}
    assert rows["likeness to the faces learnt"] == [1, 0]
    assert rows["likeness to the performer"] == [1, 0]
    assert rows["reconstruction of own faces"] == [-1, 3]
    assert rows["training to the end"] == pytest.approx([0.4, 2])


def test_looks_come_after_ever_longer_training() -> None:
    """The last one is at the end, and each has half as much again."""
    by_steps = [one.steps for one in budgets(Budget(None, 900), 12)]
    assert by_steps[-3:] == [400, 600, 900]
    assert len(by_steps) == 12
    minutes = [one.minutes or 0 for one in budgets(Budget(20.0), 3)]
    assert minutes[-1] == 20
    assert minutes[-2] * 1.5 == pytest.approx(20)


@pytest.mark.parametrize("extent", ["quick", "laptop", "full"])
@pytest.mark.parametrize("name", list(STUDIES))
def test_cells_have_names_of_their_own_that_are_folders(name: str, extent: Extent) -> None:
    """And by steps they stay the same cells."""
    cells = STUDIES[name].cells(extent)
    names = [one.name for one in cells]
    assert len(set(names)) == len(names)
    assert all(one.replace("-", "").replace(".", "").isalnum() for one in names)
    assert [one.within(Budget(None, 5)).name for one in cells] == names


@pytest.mark.parametrize("name", ["face-to-face", "ablation", "when-to-stop", "report-fashion"])
def test_no_cell_of_a_laptop_is_longer_than_half_an_hour(name: str) -> None:
    """And all together fit into 150 minutes, as far as budgets in minutes say."""
    minutes = [
        one.budget.minutes
        for one in STUDIES[name].cells("laptop")
        if one.budget and one.budget.minutes
    ]
    assert all(one <= 30 for one in minutes)
    assert sum(minutes) <= 120


def test_families_are_set_beside_what_needs_no_training_and_what_needs_a_fit() -> None:
    rows = {
        "performer": 14.0,
        "mean face": 18.0,
        "graphics": 22.0,
        "vae": 19.0,
        "autoencoder": 23.0,
    }
    found = findings(*(cell(name, *psnr(level, level)) for name, level in rows.items()))
    lead = STUDIES["face-to-face"].page(found).lead
    assert (
        "2 of 2 families are nearer to the truth than the best that needs neither training nor a "
        "fit (mean face, 18.00 dB), 0 farther from it, 0 not to be told apart from it."
    ) in lead
    assert (
        "1 of 2 families are nearer to the truth than the best that needs a fit alone (graphics, "
        "22.00 dB), 1 farther from it, 0 not to be told apart from it."
    ) in lead
    spread = {name: -9 if name in FITTED else 9 for name in rows}
    near = findings(
        *(cell(one, *psnr(level - spread[one], level + spread[one])) for one, level in rows.items())
    )
    assert (
        "0 of 2 families are nearer to the truth than the best that needs a fit alone (graphics, "
        "22.00 dB), 0 farther from it, 2 not to be told apart from it."
    ) in STUDIES["face-to-face"].page(near).lead
    assert any("656 other actors" in sentence for sentence in lead)


def test_who_is_compared_with_itself_is_not_the_best() -> None:
    """The performance has no error against itself, so the best is who comes next, if sure."""
    errors = {"performer": 0.0, "vae": 0.02, "autoencoder": 0.01}
    found = findings(
        *(
            cell(name, *(Measurement("unaided_expression", level, str(k)) for k in range(3)))
            for name, level in errors.items()
        )
    )
    scores = table(found, UNAIDED, "", "")
    assert [[one.best for one in row] for row in figures(scores)] == [[False], [False], [True]]


def test_a_study_whose_cells_all_diverged_has_a_page() -> None:
    """It says of each that it did; so has one whose first cell did before any other is done."""
    broken = CellResult("gan-0", "gan", "a pair", 0, "diverged", "training diverged at step 9")
    page = STUDIES["when-to-stop"].page(findings(broken))
    assert page.lead == ("Gan: training diverged at step 9.",)
    assert [one.title for one in page.sections if one.parts] == ["Cost"]
    with_other = STUDIES["when-to-stop"].page(findings(broken, looks("vae", [1.0, 3.0, 2.0])))
    assert any(one.startswith("Vae was nearest to the truth after") for one in with_other.lead)


def test_a_figure_that_is_no_number_foretells_nothing() -> None:
    """Its row is empty; the others are as without it."""
    nan = float("nan")
    found = findings(looks("vae", [1.0, 3.0, 2.0], guess_pose=[nan, 1.0, 2.0]))
    scores = scores_of("when-to-stop", found, "What foretells it")
    rows = {row.label: row.cells for row in scores.rows}
    assert rows["error of the pose"] == (None, None)
    assert all(all(cells) for label, cells in rows.items() if label != "error of the pose")


def test_who_foretells_best_is_named_only_where_intervals_allow() -> None:
    """One run tells nothing of chance."""
    one, other = Estimate(3, 3, 3, 1), Estimate(2, 2, 2, 1)
    apart = by_intervals({"a": one, "b": other})
    assert best_sentence([("a", one), ("b", other)], apart, "Best", "", 0) == (
        "Best: a, 3, not to be told apart from b, 2."
    )
    lead = STUDIES["when-to-stop"].page(findings(looks("vae", [1.0, 3.0, 4.0, 2.0]))).lead
    assert all("not to be told apart from" in sentence for sentence in lead[-2:])


def test_a_row_of_several_cells_is_computed_again_by_all_of_them() -> None:
    """And a row of one by that."""
    found = replace(
        findings(cell("vae", *psnr(1, 2)), cell("vae", *psnr(3, 4), seed=1), cell("gan", *psnr(5))),
        measure="measure all",
    )
    commands = {row.label: row.command for row in table(found, TRUTH, "", "").rows}
    assert commands == {"vae": "measure all", "gan": "measure it"}
    assert {row.label: row.command for row in cost_table(found).rows} == commands


def test_costs_are_told_as_far_as_they_are_known() -> None:
    """Results of an earlier version have neither samples nor the time of all."""
    known = replace(cell("vae"), samples=6400, wall=90.0, memory=2.0**30)
    (old, new) = cost_table(findings(cell("gan"), known)).rows
    named = {one.name: k for k, one in enumerate(cost_table(findings(known)).columns)}
    speed, whole = named["faces or pictures a second"], named["minutes of all"]
    assert [new.cells[k].value for k in (speed, whole)] == pytest.approx([6400 / 60, 1.5])  # type: ignore[union-attr]
    assert np.isnan([old.cells[k].value for k in (speed, whole)]).all()  # type: ignore[union-attr]


def test_a_figure_of_a_set_has_an_interval_of_its_own() -> None:
    one = Measurement("frechet", 2.0, interval=Estimate(2.0, 1.5, 2.5, 1000))
    assert mean_of([cell("vae", one)], "vae", "frechet") == Estimate(2.0, 1.5, 2.5, 1000)
    (mean,) = summary([cell("vae", one)])
    assert (mean.family, mean.metric, mean.value, mean.low, mean.high, mean.clips) == (
        "vae", "frechet", 2.0, 1.5, 2.5, 1000
    )  # fmt: skip
